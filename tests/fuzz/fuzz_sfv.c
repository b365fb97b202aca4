/* SPDX-License-Identifier: MIT */
/*
 * The first octet chooses the kind, \n separates field lines. Parts lie in the
 * input and advance; what is valid can be written, and what was written reads
 * back and is written the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/sfv.h"

#define LINES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static size_t
split(const char *text, size_t len, struct wk_str lines[LINES_MAX])
{
	const char *end = text + len, *eol;
	size_t n = 0;

	do {
		eol = memchr(text, '\n', (size_t)(end - text));
		if (eol == NULL || n == LINES_MAX - 1)
			eol = end;
		lines[n].at = text;
		lines[n++].len = (size_t)(eol - text);
		text = eol < end ? eol + 1 : end;
	} while (eol < end);
	return n;
}

static void
require_inside(const struct wk_str *lines, size_t n, struct wk_str s)
{
	const char *last = lines[n - 1].at + lines[n - 1].len;

	if (s.len > 0)
		require(s.at >= lines[0].at && s.len <= (size_t)(last - s.at));
}

/* Read, checking every part, and write; the reader's verdict. */
static int
rewrite(enum wk_sfv_kind kind, const struct wk_str *lines, size_t n,
    struct wk_buf *out)
{
	struct wk_sfv_writer w;
	struct wk_sfv_value v;
	struct wk_sfv_part part;
	struct wk_sfv p;
	uint64_t offset = 0;
	int ev;

	wk_sfv_init(&p, kind, lines, n);
	wk_sfv_writer_init(&w, kind, out);
	while ((ev = wk_sfv_next(&p, &part)) > 0) {
		require(part.offset >= offset);
		offset = part.offset;
		require_inside(lines, n, part.key);
		require_inside(lines, n, part.value.text);
		if (ev == WK_SFV_PARAM)
			wk_sfv_put_param(&w, part.key);
		else if (ev == WK_SFV_MEMBER && kind == WK_SFV_DICTIONARY)
			wk_sfv_put_key(&w, part.key);
		if (ev == WK_SFV_INNER_END)
			wk_sfv_put_inner_end(&w);
		else
			wk_sfv_put_value(&w, &part.value);
		require(w.error.status == WK_OK);
		if (ev != WK_SFV_PARAM)
			wk_sfv_param(&p, "a", &v);
	}
	require(wk_sfv_check(kind, lines, n, NULL) == ev);
	require(ev == WK_SFV_END ? wk_sfv_writer_finish(&w) == WK_OK :
	    p.error.offset >= offset && p.error.reason[0] != '\0');
	return ev;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wk_str lines[LINES_MAX], again;
	struct wk_buf first, second;
	struct wk_sfv_value v;
	enum wk_sfv_kind kind;
	size_t n;
	int found;

	if (size == 0)
		return 0;
	kind = (enum wk_sfv_kind)(data[0] % 3);
	n = split((const char *)data + 1, size - 1, lines);
	wk_buf_init(&first, 16 * size + 64);
	wk_buf_init(&second, 16 * size + 64);
	if (rewrite(kind, lines, n, &first) == WK_SFV_END) {
		again.at = (const char *)first.data;
		again.len = first.len;
		require(rewrite(kind, &again, 1, &second) == WK_SFV_END);
		require(first.len == second.len);
		require(first.len == 0 ||
		    memcmp(first.data, second.data, first.len) == 0);
	}
	found = wk_sfv_find(lines, n, "a", &v, NULL, NULL);
	require((found < 0) == (wk_sfv_check(WK_SFV_DICTIONARY, lines, n,
	    NULL) < 0));
	wk_buf_free(&first);
	wk_buf_free(&second);
	return 0;
}
