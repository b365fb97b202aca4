/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/sfv.h"

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/wire/chars.h"

enum state {
	STATE_START,	/* nothing read yet */
	STATE_AFTER,	/* behind a value or ")": parameters may follow */
	STATE_INNER,	/* in an Inner List, before an Item or ")" */
	STATE_END,
	STATE_FAILED,
};

/* What separates two lines once they are joined. */
#define JOINT_LEN 2

void
wk_sfv_init(struct wk_sfv *p, enum wk_sfv_kind kind,
    const struct wk_str *lines, size_t n)
{
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->lines = lines;
	p->n_lines = n;
}

/* The character at hand, or -1 at the end of a line. */
static int
peek(const struct wk_sfv *p)
{
	if (p->line == p->n_lines || p->at == p->lines[p->line].len)
		return -1;
	return (uint8_t)p->lines[p->line].at[p->at];
}

static const char *
here(const struct wk_sfv *p)
{
	return p->lines[p->line].at + p->at;
}

static size_t
left(const struct wk_sfv *p)
{
	return p->line == p->n_lines ? 0 : p->lines[p->line].len - p->at;
}

static bool
is_last_line(const struct wk_sfv *p)
{
	return p->line + 1 >= p->n_lines;
}

static bool
take(struct wk_sfv *p, char c)
{
	if (peek(p) != (uint8_t)c)
		return false;
	p->at++;
	return true;
}

static void
skip_spaces(struct wk_sfv *p)
{
	while (peek(p) == ' ')
		p->at++;
}

static void
skip_whitespace(struct wk_sfv *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		p->at++;
}

static int
fail_at(struct wk_sfv *p, size_t at, const char *reason)
{
	p->state = STATE_FAILED;
	return wk_error_set(&p->error, WK_E_MALFORMED, p->line_offset + at,
	    "%s", reason);
}

static int
fail(struct wk_sfv *p, const char *reason)
{
	return fail_at(p, p->at, reason);
}

/* Section 4.2.3.3. */
static int
read_key(struct wk_sfv *p, struct wk_str *key)
{
	size_t n = 0;

	if (left(p) == 0 ||
	    (!wk_char_is(*here(p), WK_CHAR_LOWER) && *here(p) != '*'))
		return fail(p, "expected a key");
	key->at = here(p);
	while (n < left(p) &&
	    (wk_char_is(key->at[n], WK_CHAR_LOWER | WK_CHAR_DIGIT) ||
	    memchr("_-.*", key->at[n], 4) != NULL))
		n++;
	key->len = n;
	p->at += n;
	return WK_OK;
}

/* Section 4.2.4: at most 15 digits, or 12 and 3 around a point. */
static int
read_number(struct wk_sfv *p, struct wk_sfv_value *v)
{
	bool is_negative = take(p, '-');
	size_t whole, fraction, i;
	const char *digits;

	whole = left(p) == 0 ? 0 :
	    wk_char_span(here(p), left(p), WK_CHAR_DIGIT);
	if (whole == 0)
		return fail(p, "expected a digit");
	if (whole > 15)
		return fail_at(p, p->at + 15, "more than 15 digits");
	digits = here(p);
	p->at += whole;
	v->type = WK_SFV_INTEGER;
	for (i = 0, v->number = 0; i < whole; i++)
		v->number = v->number * 10 + (digits[i] - '0');
	if (peek(p) == '.') {
		if (whole > 12)
			return fail(p, "more than 12 digits before the point");
		p->at++;
		digits = here(p);
		fraction = wk_char_span(digits, left(p), WK_CHAR_DIGIT);
		if (fraction == 0)
			return fail(p, "expected a digit behind the point");
		if (fraction > 3)
			return fail_at(p, p->at + 3,
			    "more than 3 digits behind the point");
		p->at += fraction;
		v->type = WK_SFV_DECIMAL;
		for (i = 0; i < 3; i++)
			v->number = v->number * 10 +
			    (i < fraction ? digits[i] - '0' : 0);
	}
	if (is_negative)
		v->number = -v->number;
	return WK_OK;
}

/* Section 4.2.5. */
static int
read_string(struct wk_sfv *p, struct wk_sfv_value *v)
{
	int c;

	p->at++;
	v->type = WK_SFV_STRING;
	v->text.at = here(p);
	for (; (c = peek(p)) != '"'; p->at++) {
		if (c < 0)
			return fail(p, "the line ends inside a String");
		if (c < 0x20 || c > 0x7e)
			return fail(p, "not a character for a String");
		if (c != '\\')
			continue;
		v->is_escaped = true;
		p->at++;
		if (peek(p) != '"' && peek(p) != '\\')
			return fail(p, "only a quote or a backslash can follow "
			    "a backslash");
	}
	v->text.len = (size_t)(here(p) - v->text.at);
	p->at++;
	return WK_OK;
}

/* Section 4.2.6; the caller has seen the first character. */
static int
read_token(struct wk_sfv *p, struct wk_sfv_value *v)
{
	size_t n = 1;

	v->type = WK_SFV_TOKEN;
	v->text.at = here(p);
	while (n < left(p) && (wk_char_is(v->text.at[n], WK_CHAR_TOKEN) ||
	    v->text.at[n] == ':' || v->text.at[n] == '/'))
		n++;
	v->text.len = n;
	p->at += n;
	return WK_OK;
}

/* Section 4.2.7. */
static int
read_bytes(struct wk_sfv *p, struct wk_sfv_value *v)
{
	struct wk_error error;
	const char *end;

	p->at++;
	v->type = WK_SFV_BYTES;
	v->is_escaped = true;
	v->text.at = here(p);
	end = left(p) == 0 ? NULL : memchr(v->text.at, ':', left(p));
	if (end == NULL)
		return fail_at(p, p->lines[p->line].len,
		    "the line ends inside a Byte Sequence");
	v->text.len = (size_t)(end - v->text.at);
	if (wk_base64_parse(NULL, v->text.at, v->text.len, &error) != WK_OK)
		return fail_at(p, p->at + (size_t)error.offset, error.reason);
	p->at += v->text.len + 1;
	return WK_OK;
}

/* Section 4.2.8. */
static int
read_boolean(struct wk_sfv *p, struct wk_sfv_value *v)
{
	p->at++;
	v->type = WK_SFV_BOOLEAN;
	v->number = peek(p) == '1';
	if (!take(p, '0') && !take(p, '1'))
		return fail(p, "expected 0 or 1");
	return WK_OK;
}

/* Section 4.2.9. */
static int
read_date(struct wk_sfv *p, struct wk_sfv_value *v)
{
	size_t start = ++p->at;
	int rc = read_number(p, v);

	if (rc == WK_OK && v->type == WK_SFV_DECIMAL)
		return fail_at(p, start, "a Date is a whole number of seconds");
	v->type = WK_SFV_DATE;
	return rc;
}

/* The octet at hand in a Display String, which advances *at; or -1. */
static int
display_octet(const char *text, size_t len, size_t *at)
{
	int high, low;

	if (text[*at] != '%')
		return (uint8_t)text[(*at)++];
	if (len - *at < 3 || wk_char_is(text[*at + 1], WK_CHAR_UPPER) ||
	    wk_char_is(text[*at + 2], WK_CHAR_UPPER))
		return -1;
	high = wk_hex_digit(text[*at + 1]);
	low = wk_hex_digit(text[*at + 2]);
	if (high < 0 || low < 0)
		return -1;
	*at += 3;
	return high << 4 | low;
}

/* One code point of a Display String: its octets, or 0 if it is not UTF-8. */
static size_t
display_point(const char *text, size_t len, size_t *at, uint8_t out[4])
{
	uint32_t point;
	size_t n;
	int c;

	for (n = 0; n < 4 && *at < len; n++) {
		c = display_octet(text, len, at);
		if (c < 0)
			return 0;
		out[n] = (uint8_t)c;
		if (wk_utf8_decode(out, n + 1, &point) != 0)
			return n + 1;
	}
	return 0;
}

/* Section 4.2.10. */
static int
read_display(struct wk_sfv *p, struct wk_sfv_value *v)
{
	size_t start, at = 0;
	uint8_t point[4];
	int c;

	p->at++;
	if (!take(p, '"'))
		return fail(p, "expected a quote behind the percent sign");
	v->type = WK_SFV_DISPLAY;
	v->text.at = here(p);
	start = p->at;
	for (; (c = peek(p)) != '"'; p->at++) {
		if (c < 0)
			return fail(p, "the line ends inside a Display String");
		if (c < 0x20 || c > 0x7e)
			return fail(p, "not a character for a Display String");
		if (c != '%')
			continue;
		v->is_escaped = true;
		if (left(p) < 3 || display_octet(here(p), 3,
		    &(size_t){ 0 }) < 0)
			return fail(p, "expected two digits or letters a to f "
			    "behind the percent sign");
	}
	v->text.len = p->at - start;
	while (at < v->text.len) {
		size_t from = at;

		if (display_point(v->text.at, v->text.len, &at, point) == 0)
			return fail_at(p, start + from, "not UTF-8");
	}
	p->at++;
	return WK_OK;
}

/* Section 4.2.3.1. */
static int
read_bare_item(struct wk_sfv *p, struct wk_sfv_value *v)
{
	int c = peek(p);

	memset(v, 0, sizeof(*v));
	if (c < 0)
		return fail(p, "the line ends where a value should be");
	if (c == '-' || wk_char_is((char)c, WK_CHAR_DIGIT))
		return read_number(p, v);
	if (c == '*' || wk_char_is((char)c, WK_CHAR_ALPHA))
		return read_token(p, v);
	switch (c) {
	case '"':
		return read_string(p, v);
	case ':':
		return read_bytes(p, v);
	case '?':
		return read_boolean(p, v);
	case '@':
		return read_date(p, v);
	case '%':
		return read_display(p, v);
	default:
		return fail(p, "no value starts like this");
	}
}

/* What a key without a value stands for; *v is all zero yet. */
static void
set_true(struct wk_sfv_value *v)
{
	v->type = WK_SFV_BOOLEAN;
	v->number = 1;
}

static int
read_param(struct wk_sfv *p, struct wk_sfv_part *part)
{
	int rc;

	p->at++;
	skip_spaces(p);
	if ((rc = read_key(p, &part->key)) != WK_OK)
		return rc;
	set_true(&part->value);
	if (take(p, '=') && (rc = read_bare_item(p, &part->value)) != WK_OK)
		return rc;
	return WK_SFV_PARAM;
}

static int
read_inner(struct wk_sfv *p, struct wk_sfv_part *part)
{
	int rc;

	skip_spaces(p);
	part->offset = p->line_offset + p->at;
	if (peek(p) < 0)
		return fail(p, "the line ends inside an Inner List");
	p->state = STATE_AFTER;
	if (take(p, ')')) {
		p->is_inner = false;
		return WK_SFV_INNER_END;
	}
	rc = read_bare_item(p, &part->value);
	return rc == WK_OK ? WK_SFV_INNER_ITEM : rc;
}

static int
read_member(struct wk_sfv *p, struct wk_sfv_part *part)
{
	int rc;

	part->offset = p->line_offset + p->at;
	p->state = STATE_AFTER;
	if (p->kind == WK_SFV_DICTIONARY) {
		if ((rc = read_key(p, &part->key)) != WK_OK)
			return rc;
		if (!take(p, '=')) {
			set_true(&part->value);
			return WK_SFV_MEMBER;
		}
	}
	if (p->kind != WK_SFV_ITEM && take(p, '(')) {
		part->value.type = WK_SFV_INNER_LIST;
		p->is_inner = true;
		p->state = STATE_INNER;
		return WK_SFV_MEMBER;
	}
	rc = read_bare_item(p, &part->value);
	return rc == WK_OK ? WK_SFV_MEMBER : rc;
}

static int
read_first(struct wk_sfv *p, struct wk_sfv_part *part)
{
	skip_spaces(p);
	if (p->kind != WK_SFV_ITEM && peek(p) < 0 && is_last_line(p)) {
		p->state = STATE_END;
		return WK_SFV_END;
	}
	return read_member(p, part);
}

/* Behind a member: the end, or a comma, or the comma between two lines. */
static int
read_separator(struct wk_sfv *p, struct wk_sfv_part *part)
{
	if (p->kind == WK_SFV_ITEM)
		skip_spaces(p);
	else
		skip_whitespace(p);
	if (peek(p) < 0 && is_last_line(p)) {
		p->state = STATE_END;
		return WK_SFV_END;
	}
	if (p->kind == WK_SFV_ITEM)
		return fail(p, "something follows the Item");
	if (peek(p) < 0) {
		p->line_offset += p->at + JOINT_LEN;
		p->line++;
		p->at = 0;
	} else if (!take(p, ',')) {
		return fail(p, "expected a comma");
	}
	skip_whitespace(p);
	if (peek(p) < 0 && is_last_line(p))
		return fail(p, "nothing follows the last comma");
	return read_member(p, part);
}

int
wk_sfv_next(struct wk_sfv *p, struct wk_sfv_part *part)
{
	memset(part, 0, sizeof(*part));
	part->offset = p->line_offset + p->at;
	switch ((enum state)p->state) {
	case STATE_START:
		return read_first(p, part);
	case STATE_AFTER:
		if (peek(p) == ';')
			return read_param(p, part);
		if (!p->is_inner)
			return read_separator(p, part);
		if (peek(p) >= 0 && peek(p) != ' ' && peek(p) != ')')
			return fail(p, "expected a space or the end of the "
			    "Inner List");
		return read_inner(p, part);
	case STATE_INNER:
		return read_inner(p, part);
	case STATE_END:
		return WK_SFV_END;
	default:
		return p->error.status;
	}
}

/* Pull all that is left; the error, if there is one, is the verdict. */
static int
read_rest(struct wk_sfv *p, struct wk_error *error)
{
	struct wk_sfv_part part;
	int ev;

	while ((ev = wk_sfv_next(p, &part)) > 0)
		;
	if (ev < 0 && error != NULL)
		*error = p->error;
	return ev;
}

int
wk_sfv_check(enum wk_sfv_kind kind, const struct wk_str *lines, size_t n,
    struct wk_error *error)
{
	struct wk_sfv p;

	wk_sfv_init(&p, kind, lines, n);
	return read_rest(&p, error);
}

int
wk_sfv_item(const struct wk_str *lines, size_t n, struct wk_sfv_value *value,
    struct wk_sfv *at, struct wk_error *error)
{
	struct wk_sfv_part part;
	struct wk_sfv p;

	wk_sfv_init(&p, WK_SFV_ITEM, lines, n);
	if (wk_sfv_next(&p, &part) > 0) {
		*value = part.value;
		if (at != NULL)
			*at = p;
	}
	return read_rest(&p, error);
}

int
wk_sfv_find(const struct wk_str *lines, size_t n, const char *key,
    struct wk_sfv_value *value, struct wk_sfv *at, struct wk_error *error)
{
	struct wk_sfv_part part;
	struct wk_sfv p;
	int ev, found = 0;

	wk_sfv_init(&p, WK_SFV_DICTIONARY, lines, n);
	while ((ev = wk_sfv_next(&p, &part)) > 0) {
		if (ev != WK_SFV_MEMBER || !wk_str_is(part.key, key))
			continue;
		found = 1;
		*value = part.value;
		if (at != NULL)
			*at = p;
	}
	if (ev < 0 && error != NULL)
		*error = p.error;
	return ev < 0 ? ev : found;
}

int
wk_sfv_param(const struct wk_sfv *at, const char *key,
    struct wk_sfv_value *value)
{
	struct wk_sfv p = *at;
	struct wk_sfv_part part;
	int ev = WK_SFV_PARAM, found = 0;

	if (p.state == STATE_INNER)
		while ((ev = wk_sfv_next(&p, &part)) > 0 &&
		    ev != WK_SFV_INNER_END)
			;
	while (ev > 0 && peek(&p) == ';') {
		ev = wk_sfv_next(&p, &part);
		if (ev == WK_SFV_PARAM && wk_str_is(part.key, key)) {
			found = 1;
			*value = part.value;
		}
	}
	return ev < 0 ? ev : found;
}

static int
unescape(struct wk_str text, struct wk_buf *b)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.at[i] == '\\')
			i++;
		wk_buf_append(b, text.at + i, 1);
	}
	return b->status;
}

int
wk_sfv_decode(const struct wk_sfv_value *value, struct wk_buf *b)
{
	uint8_t point[4];
	size_t at = 0, n;

	switch (value->type) {
	case WK_SFV_TOKEN:
		return wk_buf_append(b, value->text.at, value->text.len);
	case WK_SFV_STRING:
		return unescape(value->text, b);
	case WK_SFV_BYTES:
		wk_base64_parse(b, value->text.at, value->text.len, NULL);
		return b->status;
	case WK_SFV_DISPLAY:
		while (at < value->text.len && (n = display_point(
		    value->text.at, value->text.len, &at, point)) > 0)
			wk_buf_append(b, point, n);
		return b->status;
	default:
		return WK_E_INVALID;
	}
}

const char *
wk_sfv_type_name(int type)
{
	static const char *const names[] = {
		[WK_SFV_INTEGER] = "Integer",
		[WK_SFV_DECIMAL] = "Decimal",
		[WK_SFV_STRING] = "String",
		[WK_SFV_TOKEN] = "Token",
		[WK_SFV_BYTES] = "Byte Sequence",
		[WK_SFV_BOOLEAN] = "Boolean",
		[WK_SFV_DATE] = "Date",
		[WK_SFV_DISPLAY] = "Display String",
		[WK_SFV_INNER_LIST] = "Inner List",
	};

	if (type < 0 || (size_t)type >= sizeof(names) / sizeof(names[0]))
		return NULL;
	return names[type];
}
