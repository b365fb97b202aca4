/* SPDX-License-Identifier: MIT */
/*
 * The first octet chooses kind and piece size. In pieces and whole come to the
 * same; a head that was read has nothing in it that could not be written, and
 * what is written from it reads the same; lists stay inside their values.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/chars.h"
#include "common/wire/http1.h"

#define SIZE 2048
#define MAX_FIELDS 24

struct subject {
	struct wk_http1_reader r;
	struct wk_http1_field fields[MAX_FIELDS];
	char data[SIZE];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool claim)
{
	if (!claim)
		abort();
}

/* Read in pieces; returns the last event, *used how much was consumed. */
static int
read_all(struct subject *s, enum wk_http1_kind kind, const uint8_t *data,
    size_t size, size_t step, size_t *used)
{
	const uint8_t *at;
	size_t n;
	int ev = WK_HTTP1_MORE;

	wk_http1_reader_init(&s->r, kind, s->data, SIZE, s->fields,
	    MAX_FIELDS);
	for (*used = 0; ev == WK_HTTP1_MORE && *used < size;) {
		at = data + *used;
		n = step < size - *used ? step : size - *used;
		ev = wk_http1_read(&s->r, &at, &n);
		require(ev != WK_HTTP1_MORE || n == 0);
		*used = (size_t)(at - data);
	}
	return ev;
}

static void
require_same(const struct wk_http1_head *a, const struct wk_http1_head *b)
{
	size_t i;

	require(a->n_fields == b->n_fields && a->status == b->status);
	require(wk_str_equals(wk_http1_str(a, a->method),
	    wk_http1_str(b, b->method)));
	require(wk_str_equals(wk_http1_str(a, a->target),
	    wk_http1_str(b, b->target)));
	require(wk_str_equals(wk_http1_str(a, a->reason),
	    wk_http1_str(b, b->reason)));
	for (i = 0; i < a->n_fields; i++) {
		require(wk_str_equals(wk_http1_str(a, a->fields[i].name),
		    wk_http1_str(b, b->fields[i].name)));
		require(wk_str_equals(wk_http1_str(a, a->fields[i].value),
		    wk_http1_str(b, b->fields[i].value)));
	}
}

static void
write_head(const struct wk_http1_head *head, struct wk_buf *b)
{
	char name[SIZE + 1];
	struct wk_str s;
	size_t i;

	if (head->kind == WK_HTTP1_REQUEST)
		wk_http1_put_request(b, wk_http1_str(head, head->method),
		    wk_http1_str(head, head->target));
	else
		wk_http1_put_status(b, head->status,
		    wk_http1_str(head, head->reason));
	for (i = 0; i < head->n_fields; i++) {
		s = wk_http1_str(head, head->fields[i].name);
		memcpy(name, s.at, s.len);
		name[s.len] = '\0';
		wk_http1_put_field(b, name,
		    wk_http1_str(head, head->fields[i].value));
	}
	require(wk_http1_put_end(b) == WK_OK);
}

static void
walk_lists(const struct wk_http1_head *head)
{
	static const char *const names[] = { "connection", "a", "host" };
	struct wk_http1_list list;
	struct wk_str s;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		wk_http1_list_init(&list, head, names[i]);
		while (wk_http1_list_next(&list, &s)) {
			require(s.len > 0 && s.at >= head->data &&
			    s.at + s.len <= head->data + head->len);
			require(*s.at != ',' && *s.at != ' ' && *s.at != '\t');
		}
	}
}

static void
check_head(const struct wk_http1_head *head)
{
	enum wk_http1_framing framing = WK_HTTP1_NO_BODY;
	struct wk_http1_target target;
	uint64_t length;
	struct wk_error e;
	int rc;

	rc = wk_http1_framing(head, wk_str_of("GET"), &framing, &length, &e);
	require(rc == WK_OK ? length <= INT64_MAX : e.offset <= head->len);
	if (rc == WK_OK && framing == WK_HTTP1_CHUNKED)
		require(wk_http1_find(head, "content-length", NULL) == NULL);
	if (rc == WK_OK && framing == WK_HTTP1_LENGTH)
		require(wk_http1_find(head, "transfer-encoding", NULL) == NULL);
	if (head->kind == WK_HTTP1_REQUEST)
		require(wk_http1_target_parse(wk_http1_str(head, head->method),
		    wk_http1_str(head, head->target), &target, &e) == WK_OK);
	wk_http1_is_persistent(head);
	walk_lists(head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject one, two, again;
	enum wk_http1_kind kind;
	size_t step, used, used_too;
	struct wk_buf b;
	int ev;

	if (size == 0)
		return 0;
	kind = data[0] & 1 ? WK_HTTP1_RESPONSE : WK_HTTP1_REQUEST;
	step = (size_t)(data[0] >> 1) + 1;
	data++;
	size--;
	ev = read_all(&one, kind, data, size, step, &used);
	require(ev == read_all(&two, kind, data, size, size + 1, &used_too));
	require(used == used_too);
	if (ev < 0) {
		require(one.r.error.offset == two.r.error.offset);
		require(one.r.error.offset <= used);
		require(strcmp(one.r.error.reason, two.r.error.reason) == 0);
	}
	if (ev != WK_HTTP1_HEAD)
		return 0;
	require_same(&one.r.head, &two.r.head);
	check_head(&one.r.head);
	wk_buf_init(&b, 2 * SIZE);
	write_head(&one.r.head, &b);
	/* A minor version of 0 needs no Host, but what we write is 1.1. */
	if (b.len <= SIZE && one.r.head.minor > 0) {
		require(read_all(&again, kind, b.data, b.len, step,
		    &used) == WK_HTTP1_HEAD);
		require(used == b.len);
		require_same(&one.r.head, &again.r.head);
	}
	wk_buf_free(&b);
	return 0;
}
