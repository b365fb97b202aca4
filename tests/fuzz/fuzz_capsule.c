/* SPDX-License-Identifier: MIT */
/*
 * Input: one octet for the piece size (low six bits, 0: all at once) and the
 * limit of values (high two), and a capsule stream.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/wire/capsule.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

static const uint64_t limits[] = { WK_VARINT_MAX, 0, 64, 16384 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What reading came to: everything that must not depend on the pieces. */
struct run {
	struct wk_buf copy;	/* written back from the events */
	struct wk_buf starts;	/* the headers' facts, one by one */
	uint64_t n_ends;
	int rc;
	struct wk_error error;
};

static void
on_start(struct run *run, const struct wk_capsule *cap, uint64_t limit)
{
	uint8_t header[WK_CAPSULE_HEADER_MAX];
	size_t n = wk_capsule_header(header, cap);

	CHECK(cap->length <= limit);
	CHECK(n == (size_t)cap->type_octets + cap->length_octets);
	CHECK(cap->offset == run->copy.len);
	wk_buf_append(&run->copy, header, n);
	wk_buf_uint(&run->starts, cap->type, 8);
	wk_buf_uint(&run->starts, cap->length, 8);
}

static void
read_piece(struct run *run, struct wk_capsule_reader *r, uint64_t limit,
    const uint8_t *piece, size_t len)
{
	uint64_t value_at = 0;
	struct wk_capsule cap;
	const uint8_t *in = piece;
	size_t left = len;
	int ev;

	while ((ev = wk_capsule_read(r, &in, &left, &cap)) > 0) {
		CHECK(in + left == piece + len);
		if (ev == WK_CAPSULE_START) {
			on_start(run, &cap, limit);
			value_at = 0;
		} else if (ev == WK_CAPSULE_DATA) {
			CHECK(cap.data_len > 0 && cap.data_len <= len);
			CHECK(cap.data >= piece);
			CHECK(cap.data + cap.data_len == in);
			CHECK(value_at == 0 || value_at == cap.data_offset);
			value_at = cap.data_offset + cap.data_len;
			CHECK(value_at <= cap.length);
			wk_buf_append(&run->copy, cap.data, cap.data_len);
		} else {
			CHECK(ev == WK_CAPSULE_END);
			CHECK(cap.data_offset == cap.length);
			run->n_ends++;
		}
	}
	CHECK(ev < 0 || left == 0);
}

static void
run_init(struct run *run, const uint8_t *data, size_t size, size_t step,
    uint64_t limit)
{
	struct wk_capsule_reader r;
	size_t at, len;

	memset(run, 0, sizeof(*run));
	wk_buf_init(&run->copy, size);
	wk_buf_init(&run->starts, SIZE_MAX);
	wk_capsule_reader_init(&r, limit);
	for (at = 0; at < size; at += len) {
		uint8_t *piece;

		len = step < size - at ? step : size - at;
		piece = malloc(len);
		CHECK(piece != NULL);
		memcpy(piece, data + at, len);
		read_piece(run, &r, limit, piece, len);
		free(piece);
	}
	run->rc = wk_capsule_reader_finish(&r);
	run->error = r.error;
	CHECK(wk_capsule_reader_finish(&r) == run->rc);
	CHECK(run->copy.status == WK_OK && run->starts.status == WK_OK);
}

static void
run_free(struct run *run)
{
	wk_buf_free(&run->copy);
	wk_buf_free(&run->starts);
}

/* Written back, it is the input up to where reading stopped being possible. */
static void
check_copy(const struct run *run, const uint8_t *data, size_t size)
{
	CHECK(run->copy.len <= size);
	CHECK(run->copy.len == 0 ||
	    memcmp(run->copy.data, data, run->copy.len) == 0);
	if (run->rc == WK_OK) {
		CHECK(run->copy.len == size && run->error.status == WK_OK);
		CHECK(run->n_ends == run->starts.len / 16);
		return;
	}
	CHECK(run->rc == (int)run->error.status);
	CHECK(run->error.offset <= size);
	CHECK(size - run->copy.len < WK_CAPSULE_HEADER_MAX ||
	    run->rc == WK_E_LIMIT);
	CHECK(run->rc == WK_E_LIMIT || (run->rc == WK_E_TRUNCATED &&
	    run->error.offset == size));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, cut;
	uint64_t limit;
	size_t step;

	if (size == 0)
		return 0;
	limit = limits[data[0] >> 6];
	step = data[0] & 0x3f;
	data++;
	size--;
	run_init(&whole, data, size, size, limit);
	check_copy(&whole, data, size);
	run_init(&cut, data, size, step == 0 ? size : step, limit);
	CHECK(cut.rc == whole.rc && cut.n_ends == whole.n_ends);
	CHECK(cut.error.offset == whole.error.offset);
	CHECK(strcmp(cut.error.reason, whole.error.reason) == 0);
	CHECK(cut.copy.len == whole.copy.len);
	CHECK(cut.starts.len == whole.starts.len);
	CHECK(whole.copy.len == 0 ||
	    memcmp(cut.copy.data, whole.copy.data, whole.copy.len) == 0);
	CHECK(whole.starts.len == 0 || memcmp(cut.starts.data,
	    whole.starts.data, whole.starts.len) == 0);
	run_free(&whole);
	run_free(&cut);
	return 0;
}
