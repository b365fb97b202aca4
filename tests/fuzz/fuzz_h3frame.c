/* SPDX-License-Identifier: MIT */
/*
 * Input: one octet for the size of pieces (0: all at once), then a stream of
 * frames. Cut or whole, it gives the same frames; what was read can be written
 * back.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/h3frame.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct wk_buf copy;	/* written back from what was read */
	size_t n_frames;
	uint64_t ids;		/* of payloads that are ids, mixed */
	int rc;
	struct wk_error error;
};

static void
take_id(struct wk_h3id_reader *r, const struct wk_h3frame *f,
    enum wk_h3frame_event event, struct run *run)
{
	uint64_t id;

	if (event == WK_H3FRAME_START)
		memset(r, 0, sizeof(*r));
	else if (event == WK_H3FRAME_PAYLOAD)
		CHECK(wk_h3id_read(r, f->data, f->data_len) <= f->data_len);
	else if (wk_h3id_finish(r, &id) == WK_OK)
		run->ids = run->ids * 31 + id + 1;
}

static void
run_over(struct run *run, const uint8_t *data, size_t size, size_t step)
{
	uint8_t header[WK_H3FRAME_HEADER_MAX];
	struct wk_h3frame_reader r;
	struct wk_h3id_reader id;
	enum wk_h3frame_event event;
	struct wk_h3frame f;
	uint64_t seen = 0;
	size_t at, n;

	memset(run, 0, sizeof(*run));
	memset(&id, 0, sizeof(id));
	wk_buf_init(&run->copy, size);
	wk_h3frame_reader_init(&r);
	for (at = 0; at < size; at += n) {
		const uint8_t *in = data + at;
		size_t left;

		n = left = step < size - at ? step : size - at;
		while ((event = wk_h3frame_read(&r, &in, &left, &f)) !=
		    WK_H3FRAME_MORE) {
			CHECK(in + left == data + at + n);
			if (event == WK_H3FRAME_START) {
				seen = 0;
				wk_buf_append(&run->copy, header,
				    wk_h3frame_header(header, &f));
			}
			CHECK(f.data_offset == seen);
			CHECK(f.data_len == 0 || (f.data >= data + at &&
			    f.data + f.data_len <= data + at + n));
			CHECK((event == WK_H3FRAME_PAYLOAD) ==
			    (f.data_len > 0));
			wk_buf_append(&run->copy, f.data, f.data_len);
			seen += f.data_len;
			run->n_frames += event == WK_H3FRAME_END;
			take_id(&id, &f, event, run);
		}
		CHECK(left == 0);
	}
	run->rc = wk_h3frame_reader_finish(&r, &run->error);
	CHECK(run->copy.status == WK_OK);
	CHECK(run->copy.len == 0 ||
	    memcmp(run->copy.data, data, run->copy.len) == 0);
	CHECK(size - run->copy.len < WK_H3FRAME_HEADER_MAX);
	CHECK(run->rc != WK_OK || run->copy.len == size);
	CHECK(run->rc == WK_OK || run->error.offset == size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, cut;
	size_t step;

	if (size == 0)
		return 0;
	step = data[0];
	data++;
	size--;
	run_over(&whole, data, size, size);
	run_over(&cut, data, size, step == 0 ? size : step);
	CHECK(cut.rc == whole.rc && cut.n_frames == whole.n_frames);
	CHECK(cut.copy.len == whole.copy.len && cut.ids == whole.ids);
	wk_buf_free(&whole.copy);
	wk_buf_free(&cut.copy);
	return 0;
}
