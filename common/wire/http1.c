/* SPDX-License-Identifier: MIT */
/* Reading heads; the rest of the room is in http1_*.c. */
#include "config.h"

#include "common/wire/http1.h"

#include "common/wire/chars.h"

enum state {
	STATE_EMPTY,	/* before the first line, an empty one may come */
	STATE_FIRST,	/* before the first line */
	STATE_FIELDS,	/* before a field line or the empty line */
	STATE_DONE,
	STATE_FAILED,
};

void
wk_http1_reader_init(struct wk_http1_reader *r, enum wk_http1_kind kind,
    char *data, size_t size, struct wk_http1_field *fields, size_t max_fields)
{
	static const int first[] = {
		[WK_HTTP1_REQUEST] = STATE_EMPTY,
		[WK_HTTP1_RESPONSE] = STATE_FIRST,
		[WK_HTTP1_TRAILERS] = STATE_FIELDS,
	};

	memset(r, 0, sizeof(*r));
	r->head.kind = kind;
	r->head.data = r->data = data;
	r->head.fields = r->fields = fields;
	r->size = size > UINT32_MAX ? UINT32_MAX : size;
	r->max_fields = max_fields;
	r->state = first[kind];
}

void
wk_http1_reader_grow(struct wk_http1_reader *r, char *data, size_t size)
{
	r->head.data = r->data = data;
	r->size = size > UINT32_MAX ? UINT32_MAX : size;
}

struct wk_str
wk_http1_str(const struct wk_http1_head *head, struct wk_http1_slice slice)
{
	struct wk_str s = { head->data + slice.at, slice.len };

	return s;
}

/* Fail at an offset of the stored head. */
static int
fail(struct wk_http1_reader *r, enum wk_status status, uint64_t at,
    const char *reason)
{
	r->state = STATE_FAILED;
	return wk_error_set(&r->error, status, r->skipped + at, "%s", reason);
}

static int
malformed(struct wk_http1_reader *r, uint64_t at, const char *reason)
{
	return fail(r, WK_E_MALFORMED, at, reason);
}

static struct wk_http1_slice
slice(size_t from, size_t to)
{
	struct wk_http1_slice s = { (uint32_t)from, (uint32_t)(to - from) };

	return s;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* HTTP-version at i of a line that ends at end. */
static int
parse_version(struct wk_http1_reader *r, size_t i, size_t end)
{
	const char *p = r->data + i;

	if (end - i < 8 || memcmp(p, "HTTP/", 5) != 0 ||
	    !wk_char_is(p[5], WK_CHAR_DIGIT) || p[6] != '.' ||
	    !wk_char_is(p[7], WK_CHAR_DIGIT))
		return malformed(r, i, "expected an HTTP version");
	if (p[5] != '1')
		return fail(r, WK_E_UNSUPPORTED, i, "expected HTTP version 1");
	r->head.minor = (uint8_t)(p[7] - '0');
	return WK_OK;
}

/* method SP request-target SP HTTP-version */
static int
parse_request_line(struct wk_http1_reader *r, size_t i, size_t end)
{
	struct wk_http1_target target;
	struct wk_error error;
	size_t from = i;
	int rc;

	i += wk_char_span(r->data + i, end - i, WK_CHAR_TOKEN);
	if (i == from)
		return malformed(r, i, "expected a method");
	if (i == end || r->data[i] != ' ')
		return malformed(r, i, "expected a space behind the method");
	r->head.method = slice(from, i);
	from = ++i;
	while (i < end && r->data[i] != ' ')
		i++;
	r->head.target = slice(from, i);
	rc = wk_http1_target_parse(wk_http1_str(&r->head, r->head.method),
	    wk_http1_str(&r->head, r->head.target), &target, &error);
	if (rc != WK_OK)
		return malformed(r, from + error.offset, error.reason);
	if (i == end)
		return malformed(r, i, "expected a space and an HTTP version");
	if ((rc = parse_version(r, ++i, end)) != WK_OK)
		return rc;
	if (end - i > 8)
		return malformed(r, i + 8, "the line goes on behind the "
		    "version");
	return WK_OK;
}

/* HTTP-version SP status-code [ SP [ reason-phrase ] ] */
static int
parse_status_line(struct wk_http1_reader *r, size_t i, size_t end)
{
	int rc = parse_version(r, i, end), k;

	if (rc != WK_OK)
		return rc;
	i += 8;
	if (i == end || r->data[i] != ' ')
		return malformed(r, i, "expected a space behind the version");
	i++;
	for (k = 0; k < 3; k++, i++) {
		if (i == end || !wk_char_is(r->data[i], WK_CHAR_DIGIT) ||
		    (k == 0 && r->data[i] == '0'))
			return malformed(r, i, "expected a status code");
		r->head.status = (uint16_t)(r->head.status * 10 +
		    (r->data[i] - '0'));
	}
	if (i < end && r->data[i] != ' ')
		return malformed(r, i, "expected a space behind the status");
	r->head.reason = slice(i < end ? i + 1 : i, end);
	return WK_OK;
}

/* field-name ":" OWS field-value OWS; control characters are excluded yet. */
static int
parse_field(struct wk_http1_reader *r, size_t i, size_t end)
{
	struct wk_http1_field *field;
	size_t from = i;

	if (is_blank(r->data[i]))
		return malformed(r, i, "a folded line");
	i += wk_char_span(r->data + i, end - i, WK_CHAR_TOKEN);
	if (i < end && is_blank(r->data[i]))
		return malformed(r, i, "a space in front of the colon");
	if (i == end)
		return malformed(r, i, "expected a colon behind the name");
	if (i == from || r->data[i] != ':')
		return malformed(r, i, "not a character for a field name");
	if (r->head.n_fields == r->max_fields)
		return fail(r, WK_E_LIMIT, from, "too many fields");
	field = &r->fields[r->head.n_fields++];
	field->name = slice(from, i);
	for (i++; i < end && is_blank(r->data[i]); i++)
		;
	while (end > i && is_blank(r->data[end - 1]))
		end--;
	field->value = slice(i, end);
	return WK_OK;
}

/* RFC 9112, section 3.2. */
static int
check_host(struct wk_http1_reader *r)
{
	const struct wk_http1_field *host, *other;
	struct wk_http1_authority authority;
	struct wk_error error;

	host = wk_http1_find(&r->head, "host", NULL);
	if (host == NULL)
		return r->head.minor == 0 ? WK_OK : malformed(r,
		    r->head.len - 2,
		    "a request of HTTP/1.1 needs a Host field");
	other = wk_http1_find(&r->head, "host", host);
	if (other != NULL)
		return malformed(r, other->name.at, "a second Host field");
	if (wk_http1_authority_parse(wk_http1_str(&r->head, host->value),
	    &authority, &error) != WK_OK)
		return malformed(r, host->value.at + error.offset,
		    error.reason);
	return WK_OK;
}

/* The line from r->line on is stored, with its CR LF. */
static int
parse_line(struct wk_http1_reader *r)
{
	size_t start = r->line, end = r->head.len - 2;
	bool is_empty = start == end;

	r->line = r->head.len;
	if (is_empty && r->state == STATE_EMPTY) {
		r->skipped = r->head.len;
		r->head.len = r->line = 0;
		r->state = STATE_FIRST;
		return WK_OK;
	}
	if (is_empty && r->state == STATE_FIELDS) {
		r->state = STATE_DONE;
		return r->head.kind == WK_HTTP1_REQUEST ? check_host(r) : WK_OK;
	}
	if (r->state == STATE_FIELDS)
		return parse_field(r, start, end);
	r->state = STATE_FIELDS;
	return r->head.kind == WK_HTTP1_REQUEST ?
	    parse_request_line(r, start, end) :
	    parse_status_line(r, start, end);
}

static int
push(struct wk_http1_reader *r, char c)
{
	size_t at = r->head.len;

	if (r->has_cr && c != '\n')
		return malformed(r, at - 1,
		    "a carriage return without a line feed");
	if (!r->has_cr && c == '\n')
		return malformed(r, at,
		    "a line feed without a carriage return");
	if (c != '\r' && c != '\n' && !wk_char_is(c, WK_CHAR_FIELD))
		return malformed(r, at, "a control character");
	if (at == r->size)
		return fail(r, WK_E_LIMIT, at, "too many octets");
	r->data[r->head.len++] = c;
	r->has_cr = c == '\r';
	return c == '\n' ? parse_line(r) : WK_OK;
}

int
wk_http1_read(struct wk_http1_reader *r, const uint8_t **in, size_t *in_len)
{
	int rc;

	if (r->state == STATE_FAILED)
		return r->error.status;
	while (*in_len > 0 && r->state != STATE_DONE) {
		rc = push(r, (char)**in);
		if (rc != WK_OK)
			return rc;
		++*in;
		--*in_len;
	}
	return r->state == STATE_DONE ? WK_HTTP1_HEAD : WK_HTTP1_MORE;
}

int
wk_http1_reader_finish(struct wk_http1_reader *r)
{
	if (r->state == STATE_FAILED)
		return r->error.status;
	if (r->state == STATE_DONE || (r->head.len == 0 &&
	    r->head.kind != WK_HTTP1_TRAILERS))
		return WK_OK;
	return fail(r, WK_E_TRUNCATED, r->head.len,
	    "the connection ends inside a message head");
}
