/* SPDX-License-Identifier: MIT */
/*
 * Input: one octet for the size of pieces (0: all at once), then the payload of
 * a SETTINGS frame. Cut or whole, it gives the same settings; those that are
 * right can be written and read again.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/h3frame.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_over(struct wk_h3settings *s, const uint8_t *data, size_t size,
    size_t step)
{
	size_t at, n;
	int rc;

	memset(s, 0, sizeof(*s));
	for (at = 0; at < size; at += n) {
		n = step < size - at ? step : size - at;
		rc = wk_h3settings_read(s, data + at, n);
		CHECK(rc == (int)s->error.status);
	}
	rc = wk_h3settings_finish(s);
	CHECK(rc == (int)s->error.status && s->n <= WK_H3SETTINGS_MAX);
	CHECK(s->error.offset <= size);
	return rc;
}

static void
check_settings(const struct wk_h3settings *s)
{
	static struct wk_h3settings again;
	struct wk_h3frame_reader r;
	const uint8_t *in;
	struct wk_h3frame f;
	struct wk_buf b;
	size_t i, k, left;

	for (i = 0; i < s->n; i++) {
		CHECK(!wk_h3setting_is_reserved(s->list[i].id));
		for (k = 0; k < i; k++)
			CHECK(s->list[i].id != s->list[k].id);
	}
	CHECK(wk_h3settings_value(s, WK_H3SETTING_H3_DATAGRAM, 0) <= 1);
	wk_buf_init(&b, 1 << 16);
	CHECK(wk_h3settings_append(&b, s->list, s->n) == WK_OK);
	wk_h3frame_reader_init(&r);
	in = b.data;
	left = b.len;
	CHECK(wk_h3frame_read(&r, &in, &left, &f) == WK_H3FRAME_START);
	CHECK(f.type == WK_H3FRAME_SETTINGS && f.length == left);
	CHECK(run_over(&again, in, left, left) == WK_OK);
	CHECK(again.n == s->n);
	CHECK(memcmp(again.list, s->list, s->n * sizeof(s->list[0])) == 0);
	wk_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wk_h3settings whole, cut;
	size_t step;
	int rc;

	if (size == 0)
		return 0;
	step = data[0];
	data++;
	size--;
	rc = run_over(&whole, data, size, size);
	CHECK(run_over(&cut, data, size, step == 0 ? size : step) == rc);
	CHECK(cut.n == whole.n && cut.error.offset == whole.error.offset);
	CHECK(strcmp(cut.error.reason, whole.error.reason) == 0);
	CHECK(memcmp(cut.list, whole.list, cut.n * sizeof(cut.list[0])) == 0);
	if (rc == WK_OK)
		check_settings(&whole);
	return 0;
}
