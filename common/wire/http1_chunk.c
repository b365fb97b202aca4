/* SPDX-License-Identifier: MIT */
/* The chunked transfer coding, reading: RFC 9112, section 7.1. */
#include "config.h"

#include "common/wire/http1.h"

#include "common/base/text.h"
#include "common/wire/chars.h"

enum state {
	STATE_SIZE,		/* 1*HEXDIG */
	STATE_BLANK,		/* whitespace in front of ";" */
	STATE_EXTENSION,	/* behind ";" up to CR */
	STATE_SIZE_LF,		/* CR was seen */
	STATE_DATA,
	STATE_DATA_CR,		/* chunk-data is complete */
	STATE_DATA_LF,
	STATE_TRAILERS,
	STATE_END,
	STATE_FAILED,
};

void
wk_http1_chunk_reader_init(struct wk_http1_chunk_reader *r, uint64_t max_data,
    char *data, size_t size, struct wk_http1_field *fields, size_t max_fields)
{
	memset(r, 0, sizeof(*r));
	r->max_left = max_data;
	wk_http1_reader_init(&r->trailers, WK_HTTP1_TRAILERS, data, size,
	    fields, max_fields);
}

static int
fail(struct wk_http1_chunk_reader *r, enum wk_status status,
    const char *reason)
{
	r->state = STATE_FAILED;
	return wk_error_set(&r->error, status, r->offset, "%s", reason);
}

static int
malformed(struct wk_http1_chunk_reader *r, const char *reason)
{
	return fail(r, WK_E_MALFORMED, reason);
}

/* The size is known once its line has ended. */
static int
begin_chunk(struct wk_http1_chunk_reader *r)
{
	if (r->size > r->max_left)
		return fail(r, WK_E_LIMIT, "the body is too long");
	r->max_left -= r->size;
	r->left = r->size;
	r->state = r->size == 0 ? STATE_TRAILERS : STATE_DATA;
	r->size = 0;
	r->n_digits = 0;
	return WK_OK;
}

static int
push_size(struct wk_http1_chunk_reader *r, char c)
{
	int digit = wk_hex_digit(c);

	if (digit >= 0) {
		if (r->n_digits == 16)
			return fail(r, WK_E_LIMIT,
			    "a chunk size of more than 16 digits");
		r->n_digits++;
		r->size = r->size << 4 | (uint64_t)digit;
		return WK_OK;
	}
	if (r->n_digits == 0)
		return malformed(r, "expected a chunk size");
	if (c == '\r')
		r->state = STATE_SIZE_LF;
	else if (c == ';')
		r->state = STATE_EXTENSION;
	else if (c == ' ' || c == '\t')
		r->state = STATE_BLANK;
	else
		return malformed(r, "not a character for a chunk size");
	return WK_OK;
}

/* One octet of a chunk's first line, or of the CR LF behind its data. */
static int
push(struct wk_http1_chunk_reader *r, char c)
{
	switch ((enum state)r->state) {
	case STATE_SIZE:
		return push_size(r, c);
	case STATE_BLANK:
	case STATE_EXTENSION:
		if (++r->n_extension > WK_HTTP1_CHUNK_EXTENSIONS_MAX)
			return fail(r, WK_E_LIMIT, "too long chunk extensions");
		if (r->state == STATE_BLANK && c == ';')
			r->state = STATE_EXTENSION;
		else if (r->state == STATE_BLANK && c != ' ' && c != '\t')
			return malformed(r, "expected a semicolon behind the "
			    "chunk size");
		else if (c == '\r')
			r->state = STATE_SIZE_LF;
		else if (!wk_char_is(c, WK_CHAR_FIELD))
			return malformed(r, "not a character for a chunk "
			    "extension");
		return WK_OK;
	case STATE_SIZE_LF:
		if (c != '\n')
			return malformed(r,
			    "a carriage return without a line feed");
		return begin_chunk(r);
	case STATE_DATA_CR:
		if (c != '\r')
			return malformed(r, "expected the end of the chunk");
		r->state = STATE_DATA_LF;
		return WK_OK;
	default:	/* STATE_DATA_LF */
		if (c != '\n')
			return malformed(r,
			    "a carriage return without a line feed");
		r->state = STATE_SIZE;
		return WK_OK;
	}
}

static void
advance(struct wk_http1_chunk_reader *r, const uint8_t **in, size_t *in_len,
    size_t n)
{
	*in += n;
	*in_len -= n;
	r->offset += n;
}

static int
read_trailers(struct wk_http1_chunk_reader *r, const uint8_t **in,
    size_t *in_len)
{
	/* The trailers count from their own beginning. */
	uint64_t start = r->offset - r->trailers.head.len;
	const uint8_t *from = *in;
	int ev;

	ev = wk_http1_read(&r->trailers, in, in_len);
	r->offset += (uint64_t)(*in - from);
	if (ev < 0) {
		r->state = STATE_FAILED;
		r->error = r->trailers.error;
		r->error.offset += start;
		return ev;
	}
	if (ev == WK_HTTP1_MORE)
		return WK_HTTP1_CHUNK_MORE;
	r->state = STATE_END;
	return WK_HTTP1_CHUNK_END;
}

int
wk_http1_chunk_read(struct wk_http1_chunk_reader *r, const uint8_t **in,
    size_t *in_len, const uint8_t **data, size_t *data_len)
{
	int rc;

	while (r->state < STATE_TRAILERS && *in_len > 0) {
		if (r->state == STATE_DATA) {
			*data = *in;
			*data_len = r->left < *in_len ? (size_t)r->left :
			    *in_len;
			r->left -= *data_len;
			advance(r, in, in_len, *data_len);
			if (r->left == 0)
				r->state = STATE_DATA_CR;
			return WK_HTTP1_CHUNK_DATA;
		}
		if ((rc = push(r, (char)**in)) != WK_OK)
			return rc;
		advance(r, in, in_len, 1);
	}
	switch ((enum state)r->state) {
	case STATE_TRAILERS:
		return read_trailers(r, in, in_len);
	case STATE_END:
		return WK_HTTP1_CHUNK_END;
	case STATE_FAILED:
		return r->error.status;
	default:
		return WK_HTTP1_CHUNK_MORE;
	}
}

int
wk_http1_chunk_reader_finish(struct wk_http1_chunk_reader *r)
{
	if (r->state == STATE_END)
		return WK_OK;
	if (r->state == STATE_FAILED)
		return r->error.status;
	return fail(r, WK_E_TRUNCATED,
	    "the connection ends inside a chunked body");
}
