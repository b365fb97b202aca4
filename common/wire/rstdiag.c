/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/rstdiag.h"

#include <string.h>

#include "common/base/span.h"
#include "common/base/text.h"
#include "common/wire/rstdiag_parts.h"

int
wk_rstdiag_ends(const struct rstdiag_input *in, size_t need,
    struct wk_error *error)
{
	if (need <= in->len)
		return RSTDIAG_CUT;
	return wk_error_set(error, WK_E_TRUNCATED, in->len, "ends too early");
}

/* Could more octets make a character of these one to three? */
static bool
is_begun_character(const uint8_t *p, size_t len)
{
	static const uint8_t ends[] = { 0x80, 0xbf };	/* least, greatest */
	uint8_t whole[4];
	uint32_t c;
	size_t i;

	if (len >= sizeof(whole))
		return false;
	for (i = 0; i < sizeof(ends); i++) {
		memset(whole, ends[i], sizeof(whole));
		memcpy(whole, p, len);
		if (wk_utf8_decode(whole, sizeof(whole), &c) > len)
			return true;
	}
	return false;
}

int
wk_rstdiag_check_utf8(const uint8_t *text, size_t len, bool is_cut,
    size_t offset, size_t *valid, struct wk_error *error)
{
	uint32_t c;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = wk_utf8_decode(text + i, len - i, &c);
		if (n > 0)
			continue;
		if (is_cut && is_begun_character(text + i, len - i))
			break;
		return wk_error_set(error, WK_E_MALFORMED, offset + i,
		    "text is not UTF-8");
	}
	*valid = i;
	return WK_OK;
}

static bool
is_printable(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c < 0x7f || c > 0x9f;
}

size_t
wk_rstdiag_plain_text(const uint8_t *text, size_t len, bool is_cut)
{
	uint32_t c;
	size_t i, n;

	while (len > 0 && memchr("\0\r\n", text[len - 1], 3) != NULL)
		len--;
	if (wk_rstdiag_check_utf8(text, len, is_cut, 0, &len, NULL) != WK_OK)
		return 0;
	for (i = 0; i < len; i += n) {
		n = wk_utf8_decode(text + i, len - i, &c);
		if (!is_printable(c))
			return 0;
	}
	return len;
}

int
wk_rstdiag_set_code(struct wk_rstdiag *d, uint64_t code, size_t offset)
{
	if (code == 0)
		return wk_error_set(&d->error, WK_E_MALFORMED, offset,
		    "reserved code");
	if (code > UINT16_MAX)
		return wk_error_set(&d->error, WK_E_MALFORMED, offset,
		    "code %llu, must be at most 65535",
		    (unsigned long long)code);
	d->has_code = true;
	d->code = (uint16_t)code;
	return WK_OK;
}

int
wk_rstdiag_set_pen(struct wk_rstdiag *d, uint64_t pen, size_t offset)
{
	if (pen > UINT32_MAX)
		return wk_error_set(&d->error, WK_E_MALFORMED, offset,
		    "pen %llu, must be at most 4294967295",
		    (unsigned long long)pen);
	d->has_pen = true;
	d->pen = (uint32_t)pen;
	return WK_OK;
}

int
wk_rstdiag_set_text(struct wk_rstdiag *d, const struct rstdiag_input *in,
    size_t at, size_t len)
{
	size_t left = in->captured - at, valid;
	bool is_cut = len > left;
	int rc;

	rc = wk_rstdiag_check_utf8(in->data + at, is_cut ? left : len, is_cut,
	    at, &valid, &d->error);
	if (rc != WK_OK)
		return rc;
	if (!is_cut || valid > 0) {
		d->description = in->data + at;
		d->description_len = valid;
	}
	return is_cut ? RSTDIAG_CUT : WK_OK;
}

int
wk_rstdiag_check_fields(struct wk_rstdiag *d, size_t offset)
{
	if (d->has_code || d->description != NULL)
		return WK_OK;
	return wk_error_set(&d->error, WK_E_MALFORMED, offset, d->has_pen ?
	    "only pen, neither code nor text" : "neither code nor text");
}

static bool
has_magic(const struct rstdiag_input *in, uint16_t magic)
{
	struct wk_span s;

	wk_span_init(&s, in->data, in->captured);
	return wk_span_u16(&s) == magic && wk_span_is_ok(&s);
}

/* The code is 0 where a text stands for it, and nowhere else. */
static int
read_code(struct wk_span *s, struct wk_rstdiag *d, bool may_be_0)
{
	size_t offset = wk_span_offset(s);
	uint16_t code = wk_span_u16(s);

	if (!wk_span_is_ok(s))
		return RSTDIAG_CUT;
	if (code == 0 && may_be_0)
		return WK_OK;
	return wk_rstdiag_set_code(d, code, offset);
}

static int
read_pen(struct wk_span *s, struct wk_rstdiag *d)
{
	size_t offset = wk_span_offset(s);
	uint32_t pen = wk_span_u32(s);

	if (!wk_span_is_ok(s))
		return RSTDIAG_CUT;
	return wk_rstdiag_set_pen(d, pen, offset);
}

/* ietf-03, section 4.1: magic, code, pen, and nothing else. */
static int
read_compact(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	struct wk_span s;
	int rc;

	if (!has_magic(in, RSTDIAG_MAGIC))
		return RSTDIAG_OTHER;
	if (in->len != RSTDIAG_COMPACT_LEN)
		return wk_error_set(&d->error, WK_E_MALFORMED,
		    in->len < RSTDIAG_COMPACT_LEN ? in->len :
		    RSTDIAG_COMPACT_LEN, "length %zu, must be 8", in->len);
	wk_span_init(&s, in->data, in->captured);
	wk_span_take(&s, 2);
	rc = read_code(&s, d, false);
	return rc == WK_OK ? read_pen(&s, d) : rc;
}

/* -15 and -16: magic, and text up to the end of the segment. */
static int
read_free_text(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	if (!has_magic(in, RSTDIAG_MAGIC_TEXT))
		return RSTDIAG_OTHER;
	if (in->len < 3)
		return wk_error_set(&d->error, WK_E_MALFORMED, in->len,
		    "length %zu, must be at least 3", in->len);
	return wk_rstdiag_set_text(d, in, 2, in->len - 2);
}

/*
 * -13 and -14 have a Length of all behind it, the Reason Length of the text,
 * and fields that may be left out. Which ones are there follows from what the
 * lengths leave over: 2 octets are the code, 4 the pen.
 */
enum {
	LENGTHS_CODE = 2,
	LENGTHS_PEN = 4,
};

static int
read_lengths(const struct rstdiag_input *in, struct wk_span *s,
    struct wk_rstdiag *d, size_t *text_len, size_t *fields)
{
	size_t length = wk_span_u16(s), follow;

	if (!wk_span_is_ok(s))
		return wk_rstdiag_ends(in, 4, &d->error);
	follow = in->len - 4;
	if (length > follow ||
	    (length < follow && d->format == WK_RSTDIAG_B13))
		return wk_error_set(&d->error, WK_E_MALFORMED, 2,
		    "Length %zu, but %zu octets follow", length, follow);
	if (length < 4)
		return wk_error_set(&d->error, WK_E_MALFORMED, 2,
		    "Length %zu, must be at least 4", length);
	if (length < follow)
		d->warnings |= WK_RSTDIAG_W_SURPLUS;
	*text_len = wk_span_u16(s);
	if (!wk_span_is_ok(s))
		return RSTDIAG_CUT;
	*fields = length - 2 - *text_len;
	if (*text_len > length - 2 ||
	    (*fields & ~(size_t)(LENGTHS_CODE | LENGTHS_PEN)) != 0)
		return wk_error_set(&d->error, WK_E_MALFORMED, 4,
		    "Reason Length %zu does not fit Length %zu", *text_len,
		    length);
	return WK_OK;
}

static int
read_b13_or_b14(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	bool is_b13 = d->format == WK_RSTDIAG_B13;
	size_t text_len = 0, fields = 0;
	struct wk_span s;
	int rc;

	if (!has_magic(in, is_b13 ? RSTDIAG_COOKIE : RSTDIAG_MAGIC))
		return RSTDIAG_OTHER;
	/* Its cookie reads "09" in ASCII: below the least size it is text. */
	if (is_b13 && in->len < 8)
		return RSTDIAG_OTHER;
	wk_span_init(&s, in->data, in->captured);
	wk_span_take(&s, 2);
	rc = read_lengths(in, &s, d, &text_len, &fields);
	if (rc == WK_OK && (fields & LENGTHS_CODE))
		rc = read_code(&s, d, text_len > 0);
	if (rc == WK_OK && (fields & LENGTHS_PEN) && is_b13)
		rc = read_pen(&s, d);
	if (rc == WK_OK && text_len > 0) {
		rc = wk_rstdiag_set_text(d, in, wk_span_offset(&s), text_len);
		wk_span_take(&s, text_len);
	}
	if (rc == WK_OK && (fields & LENGTHS_PEN) && !is_b13)
		rc = read_pen(&s, d);
	return rc == WK_OK ? wk_rstdiag_check_fields(d, 4) : rc;
}

/* WK_OK, or RSTDIAG_CUT, for what is recognised by what was captured of it. */
static int
as_captured(const struct rstdiag_input *in)
{
	return in->captured < in->len ? RSTDIAG_CUT : WK_OK;
}

/* ietf-03, appendix A.1: the kernel's number in front of zeros. */
static int
read_linux(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	size_t i;

	if (in->len != RSTDIAG_LINUX_LEN || in->captured == 0 ||
	    in->data[0] == 0 || wk_linux_rst_reason(in->data[0]) == NULL)
		return RSTDIAG_OTHER;
	for (i = 1; i < in->captured; i++)
		if (in->data[i] != 0)
			return RSTDIAG_OTHER;
	d->has_code = true;
	d->code = in->data[0];
	return as_captured(in);
}

static int
read_text(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	size_t len = wk_rstdiag_plain_text(in->data, in->captured,
	    in->captured < in->len);

	if (len == 0)
		return RSTDIAG_OTHER;
	d->description = in->data;
	d->description_len = len;
	return as_captured(in);
}

static int
read_f5(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	static const char start[] = "BIG-IP: [0x";
	size_t len = sizeof(start) - 1;

	if (in->captured < len || memcmp(in->data, start, len) != 0)
		return RSTDIAG_OTHER;
	return read_text(in, d);
}

static int
read_unknown(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	(void)d;
	return as_captured(in);
}

/* In the order in which they are tried; the last one takes everything. */
static const struct reader {
	enum wk_rstdiag_format format;
	bool is_diagnostic, is_only_asked;
	int (*read)(const struct rstdiag_input *in, struct wk_rstdiag *d);
} readers[] = {
	{ WK_RSTDIAG_B14, true, true, read_b13_or_b14 },
	{ WK_RSTDIAG_COMPACT, true, false, read_compact },
	{ WK_RSTDIAG_FREE_TEXT, true, false, read_free_text },
	{ WK_RSTDIAG_CBOR_SEQ, true, false, wk_rstdiag_read_cbor },
	{ WK_RSTDIAG_CBOR_ARRAY, true, false, wk_rstdiag_read_cbor },
	{ WK_RSTDIAG_CBOR_MAP, true, true, wk_rstdiag_read_cbor },
	{ WK_RSTDIAG_B13, true, true, read_b13_or_b14 },
	{ WK_RSTDIAG_LINUX_EXP, false, false, read_linux },
	{ WK_RSTDIAG_JSON, true, true, wk_rstdiag_read_json },
	{ WK_RSTDIAG_F5, false, false, read_f5 },
	{ WK_RSTDIAG_TEXT, false, false, read_text },
	{ WK_RSTDIAG_UNKNOWN, false, false, read_unknown },
};

static int
read_first_that_fits(const struct rstdiag_input *in, unsigned ask,
    struct wk_rstdiag *d)
{
	const struct reader *r;
	int rc = RSTDIAG_OTHER;

	for (r = readers; rc == RSTDIAG_OTHER; r++) {
		if (r->is_only_asked && !(ask & WK_RSTDIAG_ASK(r->format)))
			continue;
		d->format = r->format;
		d->is_diagnostic = r->is_diagnostic;
		rc = r->read(in, d);
	}
	return rc;
}

int
wk_rstdiag_decode(const uint8_t *data, size_t len, size_t captured,
    unsigned ask, struct wk_rstdiag *d)
{
	struct rstdiag_input in = { data, len, captured };
	int rc;

	if (captured > len)
		in.captured = len;
	memset(d, 0, sizeof(*d));
	if (len == 0)
		return WK_OK;
	if (len > WK_RSTDIAG_MAX) {
		d->format = WK_RSTDIAG_UNKNOWN;
		return wk_error_set(&d->error, WK_E_LIMIT, WK_RSTDIAG_MAX,
		    "length %zu, must be at most %d", len, WK_RSTDIAG_MAX);
	}
	rc = read_first_that_fits(&in, ask, d);
	d->is_truncated = rc == RSTDIAG_CUT;
	d->is_valid = rc == WK_OK && d->is_diagnostic;
	if (d->is_diagnostic && d->has_code && d->description != NULL)
		d->warnings |= WK_RSTDIAG_W_TEXT_AND_CODE;
	if (d->has_pen && d->pen == WK_RSTDIAG_PEN_RESERVED)
		d->warnings |= WK_RSTDIAG_W_RESERVED_PEN;
	return rc < 0 ? rc : WK_OK;
}
