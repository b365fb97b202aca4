/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/head.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/wire/chars.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* What is kept for the next head; more goes back at once. */
#define TEXT_KEEP 4096

/* The order is the one in which they are sent. */
static const struct pseudo {
	const char *name;
	enum wk_head_kind kind;
	size_t part;		/* of struct wk_message */
} pseudos[] = {
	{ ":method", WK_HEAD_REQUEST, offsetof(struct wk_message, method) },
	{ ":protocol", WK_HEAD_REQUEST, offsetof(struct wk_message, protocol) },
	{ ":scheme", WK_HEAD_REQUEST, offsetof(struct wk_message, scheme) },
	{ ":authority", WK_HEAD_REQUEST,
	    offsetof(struct wk_message, authority) },
	{ ":path", WK_HEAD_REQUEST, offsetof(struct wk_message, path) },
	{ ":status", WK_HEAD_RESPONSE, 0 },
};

static const struct wk_str *
part_of(const struct wk_message *m, const struct pseudo *p)
{
	return (const struct wk_str *)(const void *)((const char *)m + p->part);
}

void
wk_head_init(struct wk_head *h, size_t max_octets, size_t max_fields)
{
	*h = (struct wk_head){
		.max_octets = max_octets,
		.max_fields = max_fields,
	};
	wk_buf_init(&h->text, max_octets);
}

void
wk_head_free(struct wk_head *h)
{
	wk_buf_free(&h->text);
	free(h->lines);
	h->lines = NULL;
	h->n_lines = h->cap = 0;
}

void
wk_head_start(struct wk_head *h, enum wk_head_kind kind)
{
	if (h->text.cap > TEXT_KEEP)
		wk_head_free(h);
	wk_buf_clear(&h->text);
	h->kind = kind;
	h->n_lines = h->n_fields = 0;
	h->octets = 0;
	h->seen = 0;
	h->error.status = WK_OK;
}

static int
fail(struct wk_head *h, enum wk_status status, const char *reason)
{
	return wk_error_set(&h->error, status, h->n_lines, "%s", reason);
}

static int
note_pseudo(struct wk_head *h, struct wk_str name)
{
	size_t i;

	if (h->kind == WK_HEAD_TRAILERS)
		return fail(h, WK_E_MALFORMED,
		    "a pseudo-header field in trailers");
	if (h->n_fields > 0)
		return fail(h, WK_E_MALFORMED,
		    "a pseudo-header field behind other fields");
	for (i = 0; i < N(pseudos); i++)
		if (pseudos[i].kind == h->kind &&
		    wk_str_is(name, pseudos[i].name))
			break;
	if (i == N(pseudos))
		return fail(h, WK_E_MALFORMED,
		    "a pseudo-header field that does not belong here");
	if (h->seen & 1u << i)
		return fail(h, WK_E_MALFORMED,
		    "a pseudo-header field comes twice");
	h->seen |= 1u << i;
	return WK_OK;
}

static int
grow_lines(struct wk_head *h)
{
	size_t cap = h->cap == 0 ? 16 : h->cap * 2;
	struct wk_field *lines;

	lines = realloc(h->lines, cap * sizeof(*lines));
	if (lines == NULL)
		return fail(h, WK_E_NOMEM, "no memory for a head");
	h->lines = lines;
	h->cap = cap;
	return WK_OK;
}

int
wk_head_add(struct wk_head *h, struct wk_str name, struct wk_str value)
{
	size_t left = h->max_octets - h->octets;
	struct wk_field *line;

	if (h->error.status != WK_OK)
		return h->error.status;
	if (left < WK_HEAD_LINE_OCTETS || left - WK_HEAD_LINE_OCTETS < name.len ||
	    left - WK_HEAD_LINE_OCTETS - name.len < value.len)
		return fail(h, WK_E_LIMIT, "a head is too long");
	if (name.len > 0 && name.at[0] == ':') {
		if (note_pseudo(h, name) != WK_OK)
			return h->error.status;
	} else if (h->n_fields++ == h->max_fields) {
		return fail(h, WK_E_LIMIT, "too many fields in a head");
	}
	if (h->n_lines == h->cap && grow_lines(h) != WK_OK)
		return h->error.status;
	wk_buf_append(&h->text, name.at, name.len);
	if (wk_buf_append(&h->text, value.at, value.len) != WK_OK)
		return fail(h, WK_E_NOMEM, "no memory for a head");
	line = &h->lines[h->n_lines++];
	line->name.len = name.len;
	line->value.len = value.len;
	h->octets += WK_HEAD_LINE_OCTETS + name.len + value.len;
	return WK_OK;
}

/* The text has stopped moving: let the lines point into it. */
static void
point_lines(struct wk_head *h)
{
	const char *at = h->text.data == NULL ? "" :
	    (const char *)h->text.data;
	size_t i;

	for (i = 0; i < h->n_lines; i++) {
		h->lines[i].name.at = at;
		at += h->lines[i].name.len;
		h->lines[i].value.at = at;
		at += h->lines[i].value.len;
	}
}

static int
take_status(struct wk_head *h, struct wk_str value, struct wk_message *m)
{
	if (value.len != 3 || wk_char_span(value.at, 3, WK_CHAR_DIGIT) != 3)
		return fail(h, WK_E_MALFORMED, "a status is not three digits");
	m->status = (uint16_t)((value.at[0] - '0') * 100 +
	    (value.at[1] - '0') * 10 + (value.at[2] - '0'));
	return WK_OK;
}

/* Move the pseudo-header fields, which are the first lines, into the message. */
static int
take_pseudo(struct wk_head *h, struct wk_message *m)
{
	size_t i, k;

	if (h->n_lines == 0)
		return WK_OK;
	for (i = 0; i < h->n_lines; i++) {
		const struct wk_field *line = &h->lines[i];

		if (line->name.len == 0 || line->name.at[0] != ':')
			break;
		for (k = 0; !wk_str_is(line->name, pseudos[k].name); k++)
			;
		if (pseudos[k].kind == WK_HEAD_RESPONSE) {
			if (take_status(h, line->value, m) != WK_OK)
				return h->error.status;
		} else {
			*(struct wk_str *)(void *)((char *)m + pseudos[k].part) =
			    line->value;
		}
	}
	m->fields = h->lines + i;
	m->n_fields = h->n_lines - i;
	return WK_OK;
}

/*
 * Host may stand for :authority or repeat it (RFC 9113, section 8.3.1); a
 * message has only the authority.
 */
static int
take_host(struct wk_head *h, struct wk_message *m)
{
	struct wk_field *fields;
	bool has_host = false;
	size_t i, n = 0;

	if (m->n_fields == 0)
		return WK_OK;
	fields = h->lines + (h->n_lines - m->n_fields);
	for (i = 0; i < m->n_fields; i++) {
		if (!wk_str_is(fields[i].name, "host")) {
			fields[n++] = fields[i];
			continue;
		}
		if (has_host)
			return fail(h, WK_E_MALFORMED, "two Host fields");
		has_host = true;
		if (m->authority.len == 0)
			m->authority = fields[i].value;
		else if (!wk_str_equals_nocase(m->authority, fields[i].value))
			return fail(h, WK_E_MALFORMED,
			    "Host and :authority differ");
	}
	m->n_fields = n;
	return WK_OK;
}

/* Trailers have no first line to be looked at: lend them one. */
static int
check(const struct wk_head *h, const struct wk_message *m,
    struct wk_error *error)
{
	struct wk_message trailers = *m;

	if (h->kind != WK_HEAD_TRAILERS)
		return wk_message_check(m, error);
	trailers.status = 200;
	return wk_message_check(&trailers, error);
}

int
wk_head_finish(struct wk_head *h, struct wk_message *m,
    struct wk_error *error)
{
	*m = (struct wk_message){ .status = 0 };
	if (h->error.status == WK_OK) {
		point_lines(h);
		if (h->kind == WK_HEAD_REQUEST && !(h->seen & 1))
			fail(h, WK_E_MALFORMED, "a request without a method");
		else if (take_pseudo(h, m) == WK_OK &&
		    h->kind == WK_HEAD_REQUEST)
			take_host(h, m);
	}
	if (h->error.status == WK_OK && h->kind == WK_HEAD_REQUEST &&
	    m->method.len == 0)
		fail(h, WK_E_MALFORMED, "a request with an empty method");
	if (h->error.status == WK_OK && check(h, m, &h->error) != WK_OK)
		h->error.status = WK_E_MALFORMED;
	if (error != NULL)
		*error = h->error;
	return h->error.status;
}

size_t
wk_head_lines(const struct wk_message *m, char status[4],
    struct wk_field *lines)
{
	size_t i, n = 0;

	if (wk_message_is_request(m)) {
		for (i = 0; i < N(pseudos); i++) {
			if (pseudos[i].kind != WK_HEAD_REQUEST ||
			    part_of(m, &pseudos[i])->len == 0)
				continue;
			lines[n].name = wk_str_of(pseudos[i].name);
			lines[n++].value = *part_of(m, &pseudos[i]);
		}
	} else {
		snprintf(status, 4, "%u", m->status % 1000u);
		lines[n].name = wk_str_of(":status");
		lines[n++].value = wk_str_of(status);
	}
	for (i = 0; i < m->n_fields; i++)
		lines[n++] = m->fields[i];
	return n;
}
