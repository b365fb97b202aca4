/* SPDX-License-Identifier: MIT */
/*
 * Input: an octet for the framing, one for the piece size (low six bits, 0: all
 * at once) and the limit of datagrams (high two), and what is to be read.
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/cli/framing.h"
#include "common/cli/out.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)
#define HEAD 2
#define N_FRAMINGS (WK_FRAMING_NDJSON + 1)

static const size_t limits[] = { 0, 3, 64, 65535 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What reading came to: datagrams with their length in front, and errors. */
struct run {
	struct wk_buf datagrams, errors;
	size_t n;
};

static void
note(struct run *run, const struct wk_framing_reader *r, int event,
    const struct wk_framing_datagram *d, size_t limit)
{
	if (event < 0) {
		CHECK(event == (int)r->error.status);
		CHECK(*r->error.reason != '\0');
		wk_buf_printf(&run->errors, "%" PRIu64 " %s\n",
		    r->error.offset, r->error.reason);
		return;
	}
	CHECK(event == WK_FRAMING_DATAGRAM);
	CHECK(d->len <= limit);
	CHECK(d->has_context || d->context_id == 0);
	CHECK(d->context_id <= WK_VARINT_MAX);
	run->n++;
	wk_buf_uint(&run->datagrams, d->len, 4);
	wk_buf_append(&run->datagrams, d->data, d->len);
}

static void
run_init(struct run *run, enum wk_framing framing, size_t limit,
    const uint8_t *data, size_t size, size_t step)
{
	struct wk_framing_reader r;
	struct wk_framing_datagram d;
	size_t at, len, left;
	const uint8_t *in;
	uint8_t *piece;
	int event;

	memset(run, 0, sizeof(*run));
	wk_buf_init(&run->datagrams, SIZE_MAX);
	wk_buf_init(&run->errors, SIZE_MAX);
	wk_framing_reader_init(&r, framing, limit);
	for (at = 0; at < size; at += len) {
		len = step < size - at ? step : size - at;
		piece = malloc(len);
		CHECK(piece != NULL);
		memcpy(piece, data + at, len);
		in = piece;
		left = len;
		while ((event = wk_framing_read(&r, &in, &left, &d)) !=
		    WK_FRAMING_MORE) {
			CHECK(in + left == piece + len);
			note(run, &r, event, &d, limit);
		}
		free(piece);
	}
	while ((event = wk_framing_finish(&r, &d)) != WK_FRAMING_MORE)
		note(run, &r, event, &d, limit);
	wk_framing_reader_free(&r);
}

static void
run_free(struct run *run)
{
	wk_buf_free(&run->datagrams);
	wk_buf_free(&run->errors);
}

/* Write what was read in another framing, and read that. */
static void
check_round_trip(const struct run *run, enum wk_framing framing, size_t limit)
{
	static int fd = -1;
	struct wk_framing_writer w;
	struct wk_framing_datagram d = { .has_context = false };
	struct run again;
	const uint8_t *at, *end;
	uint8_t *text;
	off_t len;

	if (fd < 0)
		fd = memfd_create("out", 0);
	CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	wk_out_reset(fd);
	wk_framing_writer_init(&w, framing, true);
	at = run->n == 0 ? (const uint8_t *)"" : run->datagrams.data;
	for (end = at + run->datagrams.len; at != end; at += 4 + d.len) {
		d.len = (size_t)at[0] << 24 | (size_t)at[1] << 16 |
		    (size_t)at[2] << 8 | at[3];
		d.data = at + 4;
		CHECK(wk_framing_write(&w, &d) == WK_OK);
	}
	CHECK(wk_out_flush() == WK_OK);
	len = lseek(fd, 0, SEEK_END);
	text = malloc((size_t)len + 1);
	CHECK(text != NULL && pread(fd, text, (size_t)len, 0) == len);
	run_init(&again, framing, limit, text, (size_t)len, (size_t)len + 1);
	CHECK(again.n == run->n && again.errors.len == 0);
	CHECK(again.datagrams.len == run->datagrams.len);
	CHECK(run->n == 0 || memcmp(again.datagrams.data, run->datagrams.data,
	    run->datagrams.len) == 0);
	run_free(&again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum wk_framing exact[] = {
		WK_FRAMING_HEX, WK_FRAMING_U16, WK_FRAMING_VARINT,
		WK_FRAMING_NDJSON,
	};
	enum wk_framing framing;
	struct run whole, cut;
	size_t limit, step, i;

	if (size < HEAD)
		return 0;
	framing = (enum wk_framing)(data[0] % N_FRAMINGS);
	limit = limits[data[1] >> 6];
	step = data[1] & 0x3f;
	data += HEAD;
	size -= HEAD;
	/* Blocks of nothing would never end. */
	if (framing == WK_FRAMING_RAW && limit == 0)
		limit = 1;
	run_init(&whole, framing, limit, data, size, size + 1);
	if (step > 0 && framing != WK_FRAMING_RAW) {
		run_init(&cut, framing, limit, data, size, step);
		CHECK(cut.n == whole.n);
		CHECK(cut.datagrams.len == whole.datagrams.len);
		CHECK(cut.errors.len == whole.errors.len);
		CHECK(cut.datagrams.len == 0 || memcmp(cut.datagrams.data,
		    whole.datagrams.data, cut.datagrams.len) == 0);
		CHECK(cut.errors.len == 0 || memcmp(cut.errors.data,
		    whole.errors.data, cut.errors.len) == 0);
		run_free(&cut);
	}
	for (i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		check_round_trip(&whole, exact[i], limit);
	run_free(&whole);
	return 0;
}
