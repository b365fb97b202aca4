/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/rstdiag.h"

#include "common/wire/rstdiag_parts.h"

static void
write_compact(const struct wk_rstdiag *d, struct wk_buf *b)
{
	wk_buf_uint(b, RSTDIAG_MAGIC, 2);
	wk_buf_uint(b, d->code, 2);
	wk_buf_uint(b, d->has_pen ? d->pen : 0, 4);
}

static void
write_free_text(const struct wk_rstdiag *d, struct wk_buf *b)
{
	wk_buf_uint(b, RSTDIAG_MAGIC_TEXT, 2);
	wk_buf_append(b, d->description, d->description_len);
}

static void
write_pen(const struct wk_rstdiag *d, struct wk_buf *b)
{
	if (d->has_pen)
		wk_buf_uint(b, d->pen, 4);
}

/* The code is written in any case: 0 when a text stands for it. */
static void
write_b13_or_b14(const struct wk_rstdiag *d, struct wk_buf *b)
{
	bool is_b13 = d->format == WK_RSTDIAG_B13;

	wk_buf_uint(b, is_b13 ? RSTDIAG_COOKIE : RSTDIAG_MAGIC, 2);
	wk_buf_uint(b, 4 + d->description_len + (d->has_pen ? 4 : 0), 2);
	wk_buf_uint(b, d->description_len, 2);
	wk_buf_uint(b, d->has_code ? d->code : 0, 2);
	if (is_b13)
		write_pen(d, b);
	wk_buf_append(b, d->description, d->description_len);
	if (!is_b13)
		write_pen(d, b);
}

static void
write_linux(const struct wk_rstdiag *d, struct wk_buf *b)
{
	static const uint8_t zeros[RSTDIAG_LINUX_LEN - 1];

	wk_buf_uint(b, d->code, 1);
	wk_buf_append(b, zeros, sizeof(zeros));
}

static void
write_text(const struct wk_rstdiag *d, struct wk_buf *b)
{
	wk_buf_append(b, d->description, d->description_len);
}

enum need {
	NEVER,
	MAY,
	MUST,
};

static const struct form {
	enum need code, pen, text;
	bool has_empty_text;
	void (*write)(const struct wk_rstdiag *d, struct wk_buf *b);
} forms[WK_RSTDIAG_N_FORMATS] = {
	[WK_RSTDIAG_COMPACT] = { MUST, MAY, NEVER, false, write_compact },
	[WK_RSTDIAG_FREE_TEXT] = { NEVER, NEVER, MUST, false,
	    write_free_text },
	[WK_RSTDIAG_CBOR_SEQ] = { MAY, MAY, MAY, true, wk_rstdiag_write_cbor },
	[WK_RSTDIAG_CBOR_ARRAY] = { MAY, MAY, MAY, true,
	    wk_rstdiag_write_cbor },
	[WK_RSTDIAG_CBOR_MAP] = { MAY, MAY, MAY, true, wk_rstdiag_write_cbor },
	[WK_RSTDIAG_B13] = { MAY, MAY, MAY, false, write_b13_or_b14 },
	[WK_RSTDIAG_B14] = { MAY, MAY, MAY, false, write_b13_or_b14 },
	[WK_RSTDIAG_JSON] = { MAY, MAY, MAY, true, wk_rstdiag_write_json },
	[WK_RSTDIAG_LINUX_EXP] = { MUST, NEVER, NEVER, false, write_linux },
	[WK_RSTDIAG_TEXT] = { NEVER, NEVER, MUST, false, write_text },
};

/* May the fields be there, and are those there that have to be? */
static int
check_presence(const struct wk_rstdiag *d, const struct form *form,
    struct wk_error *error)
{
	const struct {
		bool is_there;
		enum need need;
		const char *name;
	} fields[] = {
		{ d->has_code, form->code, "code" },
		{ d->has_pen, form->pen, "pen" },
		{ d->description != NULL, form->text, "text" },
	};
	const char *format = wk_rstdiag_format_name((int)d->format);
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].is_there && fields[i].need == NEVER)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "%s cannot carry a %s", format, fields[i].name);
		if (!fields[i].is_there && fields[i].need == MUST)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "%s needs a %s", format, fields[i].name);
	}
	if (d->has_pen && !d->has_code)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "pen without code");
	if (!d->has_code && d->description == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "neither code nor text");
	return WK_OK;
}

static int
check_code(const struct wk_rstdiag *d, struct wk_error *error)
{
	if (d->has_code && d->code == 0)
		return wk_error_set(error, WK_E_INVALID, 0, "reserved code");
	if (d->format == WK_RSTDIAG_LINUX_EXP &&
	    wk_linux_rst_reason(d->code) == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "code %u is no reset reason of Linux", d->code);
	return WK_OK;
}

static int
check_text(const struct wk_rstdiag *d, const struct form *form,
    struct wk_error *error)
{
	struct wk_error utf8;
	size_t valid;

	if (d->description == NULL)
		return WK_OK;
	if (d->description_len == 0 && !form->has_empty_text)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s cannot carry an empty text",
		    wk_rstdiag_format_name((int)d->format));
	if (d->description_len > WK_RSTDIAG_MAX)
		return wk_error_set(error, WK_E_LIMIT, WK_RSTDIAG_MAX,
		    "text of %zu octets, must be at most %d",
		    d->description_len, WK_RSTDIAG_MAX);
	if (wk_rstdiag_check_utf8(d->description, d->description_len, false,
	    0, &valid, &utf8) != WK_OK)
		return wk_error_set(error, WK_E_INVALID, utf8.offset, "%s",
		    utf8.reason);
	if (d->format == WK_RSTDIAG_TEXT && wk_rstdiag_plain_text(
	    d->description, d->description_len, false) == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "text is not printable");
	return WK_OK;
}

int
wk_rstdiag_encode(const struct wk_rstdiag *d, struct wk_buf *b,
    struct wk_error *error)
{
	const struct form *form = &forms[d->format];
	size_t start = b->len;
	int rc;

	if (form->write == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "format %s cannot be written",
		    wk_rstdiag_format_name((int)d->format));
	rc = check_presence(d, form, error);
	if (rc == WK_OK)
		rc = check_code(d, error);
	if (rc == WK_OK)
		rc = check_text(d, form, error);
	if (rc != WK_OK)
		return rc;
	form->write(d, b);
	if (b->status == WK_OK && b->len - start <= WK_RSTDIAG_MAX)
		return WK_OK;
	/* Half a payload is of no use. */
	b->len = start;
	if (b->status == WK_OK)
		return wk_error_set(error, WK_E_LIMIT, WK_RSTDIAG_MAX,
		    "payload longer than %d octets", WK_RSTDIAG_MAX);
	return wk_error_set(error, (enum wk_status)b->status, start, "%s",
	    wk_status_text(b->status));
}
