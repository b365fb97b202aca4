/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/framing.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/jsonread.h"

/* Room for names and for blanks or colons between octets, in a line. */
#define LINE_SLACK 4096
#define HEX_PER_OCTET 3		/* "00:" */
#define JSON_PER_OCTET 6	/* "\u0000" */

const char *const wk_framing_names[] = {
	[WK_FRAMING_LINE] = "line", [WK_FRAMING_RAW] = "raw",
	[WK_FRAMING_WHOLE] = "whole", [WK_FRAMING_HEX] = "hex",
	[WK_FRAMING_U16] = "u16", [WK_FRAMING_VARINT] = "varint",
	[WK_FRAMING_NDJSON] = "ndjson", NULL,
};

enum state {
	AT_BEGIN,	/* between two datagrams */
	IN_LENGTH,	/* inside the length in front of one */
	IN_DATAGRAM,
	IN_SKIPPED,	/* in the rest of one that is not wanted */
	FINISHED,	/* the whole, or what had no newline, was given */
};

bool
wk_framing_is_text(enum wk_framing framing)
{
	return framing == WK_FRAMING_LINE || framing == WK_FRAMING_HEX ||
	    framing == WK_FRAMING_NDJSON;
}

static size_t
text_max(enum wk_framing framing, size_t max)
{
	size_t per_octet = framing == WK_FRAMING_HEX ? HEX_PER_OCTET :
	    framing == WK_FRAMING_NDJSON ? JSON_PER_OCTET : 1;

	if (per_octet == 1)
		return max;
	return max > (SIZE_MAX - LINE_SLACK) / per_octet ? SIZE_MAX :
	    max * per_octet + LINE_SLACK;
}

void
wk_framing_reader_init(struct wk_framing_reader *r, enum wk_framing framing,
    size_t max)
{
	memset(r, 0, sizeof(*r));
	r->framing = framing;
	r->max = max;
	wk_buf_init(&r->text, text_max(framing, max));
	wk_buf_init(&r->octets, max);
}

void
wk_framing_reader_free(struct wk_framing_reader *r)
{
	wk_buf_free(&r->text);
	wk_buf_free(&r->octets);
}

static int
too_long(struct wk_framing_reader *r, uint64_t place)
{
	return wk_error_set(&r->error, WK_E_LIMIT, place,
	    "datagram of more than %zu octets", r->max);
}

static int
give(struct wk_framing_datagram *d, const uint8_t *data, size_t len)
{
	memset(d, 0, sizeof(*d));
	d->data = data;
	d->len = len;
	return WK_FRAMING_DATAGRAM;
}

/* --- lines ---------------------------------------------------------------- */

/* An object about something else is no error: WK_FRAMING_MORE. */
static int
datagram_of_object(struct wk_framing_reader *r, const json_t *object,
    struct wk_framing_datagram *d)
{
	bool has_payload;
	int rc;

	if (json_object_get(object, "event") != NULL &&
	    !wk_jsonread_is(object, "event", "datagram"))
		return WK_FRAMING_MORE;
	memset(d, 0, sizeof(*d));
	rc = wk_jsonread_octets(object, "payload", &r->octets, &has_payload,
	    &r->error);
	if (rc == WK_OK)
		rc = wk_jsonread_uint(object, "context_id", WK_VARINT_MAX,
		    &d->context_id, &d->has_context, &r->error);
	if (rc != WK_OK)
		return rc;
	if (!has_payload)
		return wk_error_set(&r->error, WK_E_MALFORMED, 0,
		    "no payload_hex, payload_b64 or payload");
	d->data = r->octets.data;
	d->len = r->octets.len;
	return WK_FRAMING_DATAGRAM;
}

static bool
is_blank(const uint8_t *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static int
datagram_of_json(struct wk_framing_reader *r, const uint8_t *line, size_t len,
    struct wk_framing_datagram *d)
{
	json_t *object;
	int rc;

	if (is_blank(line, len))
		return WK_FRAMING_MORE;
	rc = wk_jsonread_object(line, len, &object, &r->error);
	if (rc != WK_OK)
		return rc;
	rc = datagram_of_object(r, object, d);
	json_decref(object);
	return rc;
}

static int
datagram_of_hex(struct wk_framing_reader *r, const uint8_t *line, size_t len,
    struct wk_framing_datagram *d)
{
	const uint8_t *comment = len == 0 ? NULL : memchr(line, '#', len);
	struct wk_error why;
	int rc;

	if (comment == line && len > 0)
		return WK_FRAMING_MORE;
	rc = wk_hex_parse(&r->octets, (const char *)line,
	    comment == NULL ? len : (size_t)(comment - line), &why);
	if (rc == WK_E_LIMIT)
		return too_long(r, 0);
	if (rc != WK_OK)
		return wk_error_set(&r->error, (enum wk_status)rc, 0,
		    "character %" PRIu64 ": %s", why.offset + 1, why.reason);
	return give(d, r->octets.data, r->octets.len);
}

static int
datagram_of_line(struct wk_framing_reader *r, const uint8_t *line, size_t len,
    struct wk_framing_datagram *d)
{
	int rc;

	r->state = AT_BEGIN;
	r->place++;
	wk_buf_clear(&r->octets);
	switch (r->framing) {
	case WK_FRAMING_HEX:
		rc = datagram_of_hex(r, line, len, d);
		break;
	case WK_FRAMING_NDJSON:
		rc = datagram_of_json(r, line, len, d);
		break;
	default:
		rc = give(d, line, len);
		break;
	}
	if (rc < 0)
		r->error.offset = r->place;
	return rc;
}

/* Keep the part of a line that is here. */
static int
keep_part(struct wk_framing_reader *r, const uint8_t *data, size_t len)
{
	int rc;

	if (r->state == AT_BEGIN)
		wk_buf_clear(&r->text);
	r->state = IN_DATAGRAM;
	rc = wk_buf_append(&r->text, data, len);
	if (rc == WK_OK)
		return WK_OK;
	r->state = IN_SKIPPED;
	if (rc == WK_E_LIMIT)
		return too_long(r, r->place + 1);
	return wk_error_set(&r->error, (enum wk_status)rc, r->place + 1, "%s",
	    wk_status_text(rc));
}

/*
 * One line, or a part of one. WK_FRAMING_MORE also for a line that is passed
 * over.
 */
static int
read_line(struct wk_framing_reader *r, const uint8_t **in, size_t *in_len,
    struct wk_framing_datagram *d)
{
	const uint8_t *line = *in;
	const uint8_t *newline = memchr(line, '\n', *in_len);
	size_t len = newline == NULL ? *in_len : (size_t)(newline - line);
	size_t used = len + (newline != NULL);
	bool is_skipped = r->state == IN_SKIPPED;
	int rc = WK_OK;

	*in += used;
	*in_len -= used;
	if (!is_skipped && (newline == NULL || r->state == IN_DATAGRAM ||
	    len > r->text.max))
		rc = keep_part(r, line, len);
	if (newline == NULL)
		return rc;
	if (is_skipped || rc != WK_OK) {
		r->state = AT_BEGIN;
		r->place++;
		return rc;
	}
	if (r->state == IN_DATAGRAM)
		return datagram_of_line(r, r->text.data, r->text.len, d);
	return datagram_of_line(r, line, len, d);
}

static int
read_lines(struct wk_framing_reader *r, const uint8_t **in, size_t *in_len,
    struct wk_framing_datagram *d)
{
	int rc = WK_FRAMING_MORE;

	while (rc == WK_FRAMING_MORE && *in_len > 0)
		rc = read_line(r, in, in_len, d);
	return rc;
}

/* --- lengths in front ----------------------------------------------------- */

/* The length, once it is whole. */
static bool
read_length(struct wk_framing_reader *r, const uint8_t **in, size_t *in_len)
{
	size_t before = *in_len;
	bool is_whole = false;

	if (r->framing == WK_FRAMING_VARINT) {
		is_whole = wk_varint_read(&r->num, in, in_len, &r->left) > 0;
		r->place += before - *in_len;
	}
	while (r->framing == WK_FRAMING_U16 && !is_whole && *in_len > 0) {
		is_whole = r->state == IN_LENGTH;
		r->length = (uint16_t)(r->length << 8 | *(*in)++);
		r->left = r->length;
		r->state = IN_LENGTH;
		--*in_len;
		r->place++;
	}
	if (!is_whole && before > 0)
		r->state = IN_LENGTH;
	return is_whole;
}

static int
begin_counted(struct wk_framing_reader *r)
{
	wk_buf_clear(&r->text);
	r->state = IN_DATAGRAM;
	if (r->left <= r->max)
		return WK_OK;
	r->state = IN_SKIPPED;
	return wk_error_set(&r->error, WK_E_LIMIT, r->begin,
	    "datagram of %" PRIu64 " octets, more than the %zu allowed",
	    r->left, r->max);
}

/* What is here of a datagram, all of it without a copy if possible. */
static int
read_counted(struct wk_framing_reader *r, const uint8_t **in, size_t *in_len,
    struct wk_framing_datagram *d)
{
	const uint8_t *data = *in;
	size_t n = *in_len < r->left ? *in_len : (size_t)r->left;

	*in += n;
	*in_len -= n;
	r->place += n;
	r->left -= n;
	if (r->state == IN_SKIPPED) {
		if (r->left == 0)
			r->state = AT_BEGIN;
		return WK_FRAMING_MORE;
	}
	if (r->left == 0 && r->text.len == 0) {
		r->state = AT_BEGIN;
		return give(d, data, n);
	}
	if (wk_buf_append(&r->text, data, n) != WK_OK) {
		r->state = r->left > 0 ? IN_SKIPPED : AT_BEGIN;
		return wk_error_set(&r->error, (enum wk_status)r->text.status,
		    r->begin, "%s", wk_status_text(r->text.status));
	}
	if (r->left > 0)
		return WK_FRAMING_MORE;
	r->state = AT_BEGIN;
	return give(d, r->text.data, r->text.len);
}

static int
read_with_length(struct wk_framing_reader *r, const uint8_t **in,
    size_t *in_len, struct wk_framing_datagram *d)
{
	int rc = WK_FRAMING_MORE;

	while (rc == WK_FRAMING_MORE) {
		if (r->state == AT_BEGIN)
			r->begin = r->place;
		if (r->state == AT_BEGIN || r->state == IN_LENGTH) {
			if (!read_length(r, in, in_len))
				return WK_FRAMING_MORE;
			rc = begin_counted(r);
			if (rc != WK_OK)
				return rc;
		}
		if (*in_len == 0 && r->left > 0)
			return WK_FRAMING_MORE;
		rc = read_counted(r, in, in_len, d);
	}
	return rc;
}

/* --- no framing at all ---------------------------------------------------- */

static int
read_block(struct wk_framing_reader *r, const uint8_t **in, size_t *in_len,
    struct wk_framing_datagram *d)
{
	const uint8_t *data = *in;
	size_t n = *in_len < r->max ? *in_len : r->max;

	if (n == 0)
		return WK_FRAMING_MORE;
	*in += n;
	*in_len -= n;
	r->place += n;
	return give(d, data, n);
}

static int
read_whole(struct wk_framing_reader *r, const uint8_t **in, size_t *in_len)
{
	const uint8_t *data = *in;
	size_t n = *in_len;

	*in += n;
	*in_len = 0;
	r->place += n;
	if (r->state == IN_SKIPPED || wk_buf_append(&r->text, data, n) == WK_OK)
		return WK_FRAMING_MORE;
	r->state = IN_SKIPPED;
	if (r->text.status == WK_E_LIMIT)
		return too_long(r, 0);
	return wk_error_set(&r->error, (enum wk_status)r->text.status, 0, "%s",
	    wk_status_text(r->text.status));
}

int
wk_framing_read(struct wk_framing_reader *r, const uint8_t **in,
    size_t *in_len, struct wk_framing_datagram *d)
{
	switch (r->framing) {
	case WK_FRAMING_RAW:
		return read_block(r, in, in_len, d);
	case WK_FRAMING_WHOLE:
		return read_whole(r, in, in_len);
	case WK_FRAMING_U16:
	case WK_FRAMING_VARINT:
		return read_with_length(r, in, in_len, d);
	case WK_FRAMING_LINE:
	case WK_FRAMING_HEX:
	case WK_FRAMING_NDJSON:
		break;
	}
	return read_lines(r, in, in_len, d);
}

/* Whatever is left has no length behind it any more. */
static int
finish_with_length(struct wk_framing_reader *r)
{
	enum state state = r->state;

	r->state = AT_BEGIN;
	if (state == AT_BEGIN)
		return WK_FRAMING_MORE;
	if (state == IN_LENGTH)
		return wk_error_set(&r->error, WK_E_TRUNCATED, r->place,
		    "input ends inside the length of a datagram");
	return wk_error_set(&r->error, WK_E_TRUNCATED, r->place,
	    "input ends inside a datagram, %" PRIu64 " octets are missing",
	    r->left);
}

int
wk_framing_finish(struct wk_framing_reader *r, struct wk_framing_datagram *d)
{
	enum state state = r->state;

	if (r->framing == WK_FRAMING_U16 || r->framing == WK_FRAMING_VARINT)
		return finish_with_length(r);
	r->state = FINISHED;
	if (r->framing == WK_FRAMING_WHOLE && state == AT_BEGIN)
		return give(d, r->text.data, r->text.len);
	if (!wk_framing_is_text(r->framing) || state != IN_DATAGRAM)
		return WK_FRAMING_MORE;
	return datagram_of_line(r, r->text.data, r->text.len, d);
}

void
wk_framing_warn(const char *name, const struct wk_framing_reader *r)
{
	wk_warn("%s: %s %" PRIu64 ": %s", name,
	    wk_framing_is_text(r->framing) ? "line" : "byte",
	    r->error.offset, r->error.reason);
}
