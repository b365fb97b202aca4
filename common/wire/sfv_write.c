/* SPDX-License-Identifier: MIT */
/* Structured fields, the writing half: RFC 9651, section 4.1. */
#include "config.h"

#include "common/wire/sfv.h"

#include <inttypes.h>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/wire/chars.h"

enum state {
	STATE_MEMBER,	/* a member, or an Item of an Inner List, may begin */
	STATE_KEY,	/* a Dictionary key waits for its value */
	STATE_PARAM,	/* a parameter's key waits for its value */
	STATE_AFTER,	/* behind a value: parameters, or the next */
};

static int
fail(struct wk_sfv_writer *w, const char *reason)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	return wk_error_set(&w->error, WK_E_INVALID, w->b->len - w->start,
	    "%s", reason);
}

/* The buffer's status becomes the writer's first error. */
static int
settle(struct wk_sfv_writer *w)
{
	if (w->error.status == WK_OK && w->b->status != WK_OK)
		wk_error_set(&w->error, (enum wk_status)w->b->status,
		    w->b->len - w->start, "no room for the field");
	return w->error.status;
}

static int
put(struct wk_sfv_writer *w, struct wk_str s)
{
	wk_buf_append(w->b, s.at, s.len);
	return settle(w);
}

void
wk_sfv_writer_init(struct wk_sfv_writer *w, enum wk_sfv_kind kind,
    struct wk_buf *b)
{
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->b = b;
	w->start = b->len;
	settle(w);
}

/* Section 4.1.1.3. */
static int
put_key(struct wk_sfv_writer *w, struct wk_str key)
{
	size_t i;

	for (i = 0; i < key.len; i++)
		if (!wk_char_is(key.at[i], WK_CHAR_LOWER) &&
		    key.at[i] != '*' && (i == 0 ||
		    (!wk_char_is(key.at[i], WK_CHAR_DIGIT) &&
		    memchr("_-.", key.at[i], 3) == NULL)))
			return fail(w, "not a key");
	if (key.len == 0)
		return fail(w, "a key has at least one character");
	return put(w, key);
}

/* What stands between this member and the one before. */
static int
begin_member(struct wk_sfv_writer *w)
{
	if (w->state != STATE_MEMBER && w->state != STATE_AFTER)
		return fail(w, "the value of a key is missing");
	if (!w->has_member)
		return WK_OK;
	if (w->kind == WK_SFV_ITEM)
		return fail(w, "an Item has one value");
	return put(w, wk_str_of(w->is_inner ? " " : ", "));
}

int
wk_sfv_put_key(struct wk_sfv_writer *w, struct wk_str key)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	if (w->kind != WK_SFV_DICTIONARY || w->is_inner)
		return fail(w, "only members of a Dictionary have keys");
	if (begin_member(w) == WK_OK)
		put_key(w, key);
	w->state = STATE_KEY;
	return w->error.status;
}

int
wk_sfv_put_param(struct wk_sfv_writer *w, struct wk_str key)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	if (w->state != STATE_AFTER)
		return fail(w, "a parameter needs a value in front of it");
	if (put(w, wk_str_of(";")) == WK_OK)
		put_key(w, key);
	w->state = STATE_PARAM;
	return w->error.status;
}

/* Come to where a value can be written, or fail. */
static int
begin_value(struct wk_sfv_writer *w)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	if (w->state == STATE_KEY || w->state == STATE_PARAM)
		put(w, wk_str_of("="));
	else if (w->kind == WK_SFV_DICTIONARY && !w->is_inner)
		fail(w, "a member of a Dictionary needs a key");
	else
		begin_member(w);
	w->has_member = true;
	w->state = STATE_AFTER;
	return w->error.status;
}

int
wk_sfv_put_inner(struct wk_sfv_writer *w)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	if (w->is_inner || w->state == STATE_PARAM || w->kind == WK_SFV_ITEM)
		return fail(w, "an Inner List can only be a member");
	if (begin_value(w) == WK_OK)
		put(w, wk_str_of("("));
	w->is_inner = true;
	w->has_member = false;
	w->state = STATE_MEMBER;
	return w->error.status;
}

int
wk_sfv_put_inner_end(struct wk_sfv_writer *w)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	if (!w->is_inner || w->state == STATE_PARAM)
		return fail(w, "no Inner List can be closed here");
	w->is_inner = false;
	w->has_member = true;
	w->state = STATE_AFTER;
	return put(w, wk_str_of(")"));
}

static int
put_number(struct wk_sfv_writer *w, const char *prefix, int64_t number)
{
	if (number < -WK_SFV_NUMBER_MAX || number > WK_SFV_NUMBER_MAX)
		return fail(w, "a number of more than 15 digits");
	if (begin_value(w) == WK_OK)
		wk_buf_printf(w->b, "%s%" PRId64, prefix, number);
	return settle(w);
}

int
wk_sfv_put_integer(struct wk_sfv_writer *w, int64_t number)
{
	return put_number(w, "", number);
}

int
wk_sfv_put_date(struct wk_sfv_writer *w, int64_t seconds)
{
	return put_number(w, "@", seconds);
}

int
wk_sfv_put_decimal(struct wk_sfv_writer *w, int64_t thousandths)
{
	int fraction, places = 3;
	int64_t n;

	if (thousandths < -WK_SFV_NUMBER_MAX ||
	    thousandths > WK_SFV_NUMBER_MAX)
		return fail(w, "more than 12 digits before the point");
	n = thousandths < 0 ? -thousandths : thousandths;
	fraction = (int)(n % 1000);
	while (places > 1 && fraction % 10 == 0) {
		fraction /= 10;
		places--;
	}
	if (begin_value(w) == WK_OK)
		wk_buf_printf(w->b, "%s%" PRId64 ".%0*d",
		    thousandths < 0 ? "-" : "", n / 1000, places, fraction);
	return settle(w);
}

int
wk_sfv_put_boolean(struct wk_sfv_writer *w, bool value)
{
	/* True is what a key without a value means. */
	if (value && w->error.status == WK_OK &&
	    (w->state == STATE_KEY || w->state == STATE_PARAM)) {
		w->state = STATE_AFTER;
		w->has_member = true;
		return WK_OK;
	}
	if (begin_value(w) == WK_OK)
		put(w, wk_str_of(value ? "?1" : "?0"));
	return w->error.status;
}

int
wk_sfv_put_token(struct wk_sfv_writer *w, struct wk_str token)
{
	size_t i;

	if (token.len == 0 || (!wk_char_is(token.at[0], WK_CHAR_ALPHA) &&
	    token.at[0] != '*'))
		return fail(w, "a Token starts with a letter or a star");
	for (i = 1; i < token.len; i++)
		if (!wk_char_is(token.at[i], WK_CHAR_TOKEN) &&
		    token.at[i] != ':' && token.at[i] != '/')
			return fail(w, "not a character for a Token");
	if (begin_value(w) == WK_OK)
		put(w, token);
	return w->error.status;
}

int
wk_sfv_put_string(struct wk_sfv_writer *w, struct wk_str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.at[i] < 0x20 || text.at[i] > 0x7e)
			return fail(w, "not a character for a String");
	if (begin_value(w) != WK_OK)
		return w->error.status;
	wk_buf_append(w->b, "\"", 1);
	for (i = 0; i < text.len; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			wk_buf_append(w->b, "\\", 1);
		wk_buf_append(w->b, text.at + i, 1);
	}
	return put(w, wk_str_of("\""));
}

int
wk_sfv_put_display(struct wk_sfv_writer *w, struct wk_str utf8)
{
	size_t i;
	char c;

	if (!wk_utf8_is_valid(utf8.at, utf8.len))
		return fail(w, "a Display String is UTF-8");
	if (begin_value(w) != WK_OK)
		return w->error.status;
	wk_buf_append(w->b, "%\"", 2);
	for (i = 0; i < utf8.len; i++) {
		c = utf8.at[i];
		if (c == '%' || c == '"' || c < 0x20 || c > 0x7e)
			wk_buf_printf(w->b, "%%%02x", (uint8_t)c);
		else
			wk_buf_append(w->b, &c, 1);
	}
	return put(w, wk_str_of("\""));
}

int
wk_sfv_put_bytes(struct wk_sfv_writer *w, const void *data, size_t len)
{
	if (begin_value(w) != WK_OK)
		return w->error.status;
	wk_buf_append(w->b, ":", 1);
	wk_base64_append(w->b, data, len);
	return put(w, wk_str_of(":"));
}

static int
put_decoded(struct wk_sfv_writer *w, const struct wk_sfv_value *value)
{
	struct wk_buf plain;
	struct wk_str s;
	int rc;

	wk_buf_init(&plain, value->text.len);
	rc = wk_sfv_decode(value, &plain);
	s.at = (const char *)plain.data;
	s.len = plain.len;
	if (rc != WK_OK)
		rc = wk_error_set(&w->error, (enum wk_status)rc, 0,
		    "cannot decode the value");
	else if (value->type == WK_SFV_BYTES)
		rc = wk_sfv_put_bytes(w, s.at, s.len);
	else if (value->type == WK_SFV_STRING)
		rc = wk_sfv_put_string(w, s);
	else
		rc = wk_sfv_put_display(w, s);
	wk_buf_free(&plain);
	return rc;
}

int
wk_sfv_put_value(struct wk_sfv_writer *w, const struct wk_sfv_value *value)
{
	switch (value->type) {
	case WK_SFV_INTEGER:
		return wk_sfv_put_integer(w, value->number);
	case WK_SFV_DECIMAL:
		return wk_sfv_put_decimal(w, value->number);
	case WK_SFV_DATE:
		return wk_sfv_put_date(w, value->number);
	case WK_SFV_BOOLEAN:
		return wk_sfv_put_boolean(w, value->number != 0);
	case WK_SFV_TOKEN:
		return wk_sfv_put_token(w, value->text);
	case WK_SFV_INNER_LIST:
		return wk_sfv_put_inner(w);
	default:
		return put_decoded(w, value);
	}
}

int
wk_sfv_writer_finish(struct wk_sfv_writer *w)
{
	if (w->error.status != WK_OK)
		return w->error.status;
	if (w->is_inner)
		return fail(w, "the Inner List is still open");
	if (w->state == STATE_KEY || w->state == STATE_PARAM)
		return fail(w, "the value of a key is missing");
	if (w->kind == WK_SFV_ITEM && !w->has_member)
		return fail(w, "an Item has a value");
	return WK_OK;
}
