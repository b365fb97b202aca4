/* SPDX-License-Identifier: MIT */
/*
 * Heads as a hostile peer may have compressed them. An octet chooses the kind
 * and another the bounds; then come lines, each an octet with the length of
 * the name, one with that of the value, and both; a name of 255 begins the
 * next head. Bounds hold, the first error stays, and what was read can be
 * listed and read again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/head.h"

#define NEXT_HEAD 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static unsigned
take_octet(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static struct wk_str
take_text(struct input *in, size_t len)
{
	struct wk_str text = { (const char *)in->at,
		len < in->left ? len : in->left };

	in->at += text.len;
	in->left -= text.len;
	return text;
}

static void
require_same(const struct wk_message *a, const struct wk_message *b)
{
	size_t i;

	require(wk_str_equals(a->method, b->method) &&
	    wk_str_equals(a->protocol, b->protocol) &&
	    wk_str_equals(a->scheme, b->scheme) &&
	    wk_str_equals(a->authority, b->authority) &&
	    wk_str_equals(a->path, b->path) && a->status == b->status &&
	    a->n_fields == b->n_fields);
	for (i = 0; i < a->n_fields; i++)
		require(wk_str_equals(a->fields[i].name, b->fields[i].name) &&
		    wk_str_equals(a->fields[i].value, b->fields[i].value));
}

static void
read_again(const struct wk_message *m, enum wk_head_kind kind)
{
	struct wk_field *lines = calloc(WK_HEAD_PSEUDO_MAX + m->n_fields,
	    sizeof(*lines));
	struct wk_message again;
	struct wk_head h;
	char status[4];
	size_t i, n;

	require(lines != NULL);
	require(wk_message_is_request(m) == (kind == WK_HEAD_REQUEST));
	n = wk_head_lines(m, status, lines);
	require(n <= WK_HEAD_PSEUDO_MAX + m->n_fields);
	wk_head_init(&h, SIZE_MAX, SIZE_MAX);
	wk_head_start(&h, kind);
	for (i = 0; i < n; i++)
		require(wk_head_add(&h, lines[i].name, lines[i].value) ==
		    WK_OK);
	require(wk_head_finish(&h, &again, NULL) == WK_OK);
	require_same(m, &again);
	wk_head_free(&h);
	free(lines);
}

/* One head; what follows it in the input stays there. */
static void
take_head(struct wk_head *h, enum wk_head_kind kind, struct input *in)
{
	struct wk_str name, value;
	struct wk_message m;
	struct wk_error error;
	size_t name_len, value_len;
	int rc, first = WK_OK;

	wk_head_start(h, kind);
	while (in->left > 0 && (name_len = take_octet(in)) != NEXT_HEAD) {
		value_len = take_octet(in);
		name = take_text(in, name_len);
		value = take_text(in, value_len);
		rc = wk_head_add(h, name, value);
		require(first == WK_OK || rc == first);
		first = rc;
	}
	rc = wk_head_finish(h, &m, &error);
	require(rc == error.status && (first == WK_OK || rc == first));
	require(h->octets <= h->max_octets);
	if (rc != WK_OK) {
		require(error.reason[0] != '\0');
		return;
	}
	require(m.n_fields <= h->max_fields);
	if (kind == WK_HEAD_TRAILERS)
		require(m.method.len == 0 && m.status == 0);
	else
		read_again(&m, kind);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct wk_head h;
	unsigned kind = take_octet(&in), bounds = take_octet(&in);

	wk_head_init(&h, (bounds >> 4) * 512, bounds & 15);
	do
		take_head(&h, (enum wk_head_kind)(kind++ % 3), &in);
	while (in.left > 0);
	wk_head_free(&h);
	return 0;
}
