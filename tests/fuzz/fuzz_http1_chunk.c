/* SPDX-License-Identifier: MIT */
/*
 * The first octet chooses the piece size. In pieces and whole come to the same
 * data, event and place; data is never more than its limit; what was read can
 * be written and read again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/http1.h"

#define MAX_DATA 4096
#define SIZE 256
#define MAX_FIELDS 4

struct subject {
	struct wk_http1_chunk_reader r;
	struct wk_http1_field fields[MAX_FIELDS];
	char data[SIZE];
	struct wk_buf body;
	size_t used;
	int ev;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static void
read_all(struct subject *s, const uint8_t *data, size_t size, size_t step)
{
	const uint8_t *at, *piece, *last;
	size_t n, len;

	wk_http1_chunk_reader_init(&s->r, MAX_DATA, s->data, SIZE, s->fields,
	    MAX_FIELDS);
	wk_buf_init(&s->body, MAX_DATA);
	s->ev = WK_HTTP1_CHUNK_MORE;
	for (s->used = 0; s->ev == WK_HTTP1_CHUNK_MORE && s->used < size;) {
		at = data + s->used;
		n = step < size - s->used ? step : size - s->used;
		last = at + n;
		while ((s->ev = wk_http1_chunk_read(&s->r, &at, &n, &piece,
		    &len)) == WK_HTTP1_CHUNK_DATA) {
			require(len > 0 && piece + len == at && at <= last);
			require(wk_buf_append(&s->body, piece, len) == WK_OK);
		}
		require(s->ev != WK_HTTP1_CHUNK_MORE || n == 0);
		s->used = (size_t)(at - data);
	}
}

static void
require_same_body(const struct subject *a, const struct subject *b)
{
	require(a->ev == b->ev);
	require(a->body.len == b->body.len);
	require(a->body.len == 0 ||
	    memcmp(a->body.data, b->body.data, a->body.len) == 0);
	require(a->r.trailers.head.n_fields == b->r.trailers.head.n_fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject one, two, again;
	struct wk_buf b;
	size_t i, n;

	if (size == 0)
		return 0;
	read_all(&one, data + 1, size - 1, (size_t)data[0] + 1);
	read_all(&two, data + 1, size - 1, size);
	require_same_body(&one, &two);
	require(one.used == two.used);
	if (one.ev < 0) {
		require(one.r.error.offset == two.r.error.offset);
		require(one.r.error.offset <= one.used);
	} else if (one.ev == WK_HTTP1_CHUNK_END &&
	    one.r.trailers.head.n_fields == 0) {
		wk_buf_init(&b, 16 * MAX_DATA);
		for (i = 0; i < one.body.len; i += n) {
			n = one.body.len - i < data[0] + 1u ?
			    one.body.len - i : data[0] + 1u;
			wk_http1_put_chunk(&b, one.body.data + i, n);
		}
		wk_http1_put_last_chunk(&b);
		require(wk_http1_put_end(&b) == WK_OK);
		read_all(&again, b.data, b.len, size);
		require_same_body(&one, &again);
		require(again.used == b.len);
		wk_buf_free(&again.body);
		wk_buf_free(&b);
	}
	wk_buf_free(&one.body);
	wk_buf_free(&two.body);
	return 0;
}
