/* SPDX-License-Identifier: MIT */
/*
 * The I-JSON form (RFC 7493): an object with rc, pen and rd. It has no magic;
 * text is taken for it when it is such an object, or tries to be one.
 */
#include "config.h"

#include "common/wire/rstdiag_parts.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static bool
looks_like_object(const struct rstdiag_input *in)
{
	size_t i;

	for (i = 0; i < in->captured; i++)
		if (memchr(" \t\r\n", in->data[i], 4) == NULL)
			return in->data[i] == '{';
	return false;
}

static bool
has_word(const struct rstdiag_input *in, const char *word)
{
	return memmem(in->data, in->captured, word, strlen(word)) != NULL;
}

/* jansson's own texts quote the input; these do not. */
static int
explain(const struct rstdiag_input *in, const json_error_t *e,
    struct wk_error *error)
{
	size_t at = e->position > 0 ? (size_t)e->position : 0;

	if (json_error_code(e) == json_error_out_of_memory)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	if (!has_word(in, "\"rc\"") && !has_word(in, "\"rd\""))
		return RSTDIAG_OTHER;
	/* Cut inside a number or a character it need not look like an end. */
	if (in->captured < in->len)
		return RSTDIAG_CUT;
	switch (json_error_code(e)) {
	case json_error_premature_end_of_input:
		return wk_error_set(error, WK_E_TRUNCATED, in->len,
		    "ends too early");
	case json_error_duplicate_key:
		return wk_error_set(error, WK_E_MALFORMED, at,
		    "duplicate key");
	case json_error_numeric_overflow:
		return wk_error_set(error, WK_E_MALFORMED, at,
		    "number too large");
	default:
		return wk_error_set(error, WK_E_MALFORMED, at, "not JSON");
	}
}

static int
read_number(const json_t *value, const char *name, struct wk_rstdiag *d,
    int (*set)(struct wk_rstdiag *d, uint64_t value, size_t offset))
{
	if (value == NULL)
		return WK_OK;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wk_error_set(&d->error, WK_E_MALFORMED, 0,
		    "%s must be an unsigned integer", name);
	return set(d, (uint64_t)json_integer_value(value), 0);
}

static int
read_text(const json_t *value, struct wk_rstdiag *d)
{
	size_t len;

	if (value == NULL)
		return WK_OK;
	if (!json_is_string(value))
		return wk_error_set(&d->error, WK_E_MALFORMED, 0,
		    "rd must be a string");
	len = json_string_length(value);
	if (len > sizeof(d->scratch))
		return wk_error_set(&d->error, WK_E_LIMIT, 0,
		    "rd of %zu octets, must be at most %zu", len,
		    sizeof(d->scratch));
	memcpy(d->scratch, json_string_value(value), len);
	d->description = d->scratch;
	d->description_len = len;
	return WK_OK;
}

static int
read_object(const json_t *object, struct wk_rstdiag *d)
{
	const json_t *rc = json_object_get(object, "rc");
	const json_t *pen = json_object_get(object, "pen");
	const json_t *rd = json_object_get(object, "rd");
	size_t n = (size_t)(rc != NULL) + (pen != NULL) + (rd != NULL);
	int status;

	if (rc == NULL && rd == NULL)
		return RSTDIAG_OTHER;
	if (n < json_object_size(object))
		d->warnings |= WK_RSTDIAG_W_UNKNOWN_KEY;
	status = read_number(rc, "rc", d, wk_rstdiag_set_code);
	if (status == WK_OK)
		status = read_number(pen, "pen", d, wk_rstdiag_set_pen);
	return status == WK_OK ? read_text(rd, d) : status;
}

int
wk_rstdiag_read_json(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	json_error_t e;
	json_t *object;
	int rc;

	if (!looks_like_object(in))
		return RSTDIAG_OTHER;
	object = json_loadb((const char *)in->data, in->captured,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	if (object == NULL)
		return explain(in, &e, &d->error);
	rc = read_object(object, d);
	json_decref(object);
	return rc == WK_OK && in->captured < in->len ? RSTDIAG_CUT : rc;
}

void
wk_rstdiag_write_json(const struct wk_rstdiag *d, struct wk_buf *b)
{
	json_t *object = json_object();
	bool is_ok = object != NULL;
	char *text;

	/* Adding to or dumping what could not be made fails without harm. */
	if (d->has_code)
		is_ok = json_object_set_new(object, "rc",
		    json_integer(d->code)) == 0 && is_ok;
	if (d->has_pen)
		is_ok = json_object_set_new(object, "pen",
		    json_integer(d->pen)) == 0 && is_ok;
	if (d->description != NULL)
		is_ok = json_object_set_new(object, "rd",
		    json_stringn((const char *)d->description,
		    d->description_len)) == 0 && is_ok;
	text = is_ok ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text != NULL)
		wk_buf_append(b, text, strlen(text));
	else if (b->status == WK_OK)
		b->status = WK_E_NOMEM;
	free(text);
	json_decref(object);
}
