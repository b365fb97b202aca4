/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/record.h"

#include <inttypes.h>
#include <string.h>

#include "common/cli/jsonread.h"

/* A value in hexadecimal, its fields in hexadecimal, and names. */
#define OCTETS_OF_LINE 8
#define LINE_SLACK 16384

void
record_init(struct record *r, size_t max)
{
	memset(r, 0, sizeof(*r));
	wk_buf_init(&r->value, max);
}

void
record_free(struct record *r)
{
	wk_buf_free(&r->value);
}

size_t
record_line_max(size_t max)
{
	return max > (SIZE_MAX - LINE_SLACK) / OCTETS_OF_LINE ? SIZE_MAX :
	    max * OCTETS_OF_LINE + LINE_SLACK;
}

static int
parse_type(struct record *r, const json_t *object,
    enum wk_capsule_reading reading, struct wk_error *error)
{
	const json_t *name = json_object_get(object, "type_name");
	bool has;
	int rc;

	rc = wk_jsonread_uint(object, "type", WK_VARINT_MAX, &r->cap.type,
	    &has, error);
	if (rc != WK_OK || has || name == NULL)
		return rc;
	if (!json_is_string(name))
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "type_name: expected a text");
	rc = wk_capsule_type_parse(json_string_value(name), reading,
	    &r->cap.type, error);
	if (rc == WK_OK)
		return WK_OK;
	return wk_error_set(error, WK_E_MALFORMED, 0,
	    "type_name: no capsule type has that name");
}

static int
parse_octets(const json_t *object, const char *name, uint8_t *octets,
    struct wk_error *error)
{
	uint64_t v = 0;
	bool has;
	int rc;

	rc = wk_jsonread_uint(object, name, WK_VARINT_OCTETS_MAX, &v, &has,
	    error);
	*octets = (uint8_t)v;
	if (rc != WK_OK || v == 0 || (v & (v - 1)) == 0)
		return rc;
	return wk_error_set(error, WK_E_MALFORMED, 0,
	    "%s: expected 1, 2, 4 or 8", name);
}

/* Is what the record says about the length what the value has? */
static int
check_length(struct record *r, const json_t *object, struct wk_error *error)
{
	uint8_t header[WK_CAPSULE_HEADER_MAX];
	uint64_t length;
	bool has;
	int rc;

	if (wk_jsonread_is_true(object, "truncated"))
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "the value is truncated; decode it with --raw");
	r->cap.length = r->value.len;
	rc = wk_jsonread_uint(object, "length", WK_VARINT_MAX, &length, &has,
	    error);
	if (rc != WK_OK)
		return rc;
	if (has && length != r->cap.length)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "length is %" PRIu64 ", but the value has %" PRIu64
		    " octets", length, r->cap.length);
	if (wk_capsule_header(header, &r->cap) == 0)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "type or length does not fit its octets");
	return WK_OK;
}

static int
parse_capsule(struct record *r, const json_t *object, struct wk_error *error)
{
	int rc;

	if ((rc = parse_octets(object, "type_octets", &r->cap.type_octets,
	    error)) != WK_OK ||
	    (rc = parse_octets(object, "length_octets", &r->cap.length_octets,
	    error)) != WK_OK)
		return rc;
	r->kind = RECORD_CAPSULE;
	return check_length(r, object, error);
}

static int
parse_datagram(struct record *r, const json_t *object, struct wk_error *error)
{
	bool has;
	int rc;

	rc = wk_jsonread_octets(object, "payload", &r->value, &has, error);
	if (rc != WK_OK)
		return rc;
	if (!has)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "no value_hex, value_b64, value, payload_hex, "
		    "payload_b64 or payload");
	r->kind = RECORD_DATAGRAM;
	r->datagram.data = r->value.data;
	r->datagram.len = r->value.len;
	return wk_jsonread_uint(object, "context_id", WK_VARINT_MAX,
	    &r->datagram.context_id, &r->datagram.has_context, error);
}

static int
parse_object(struct record *r, const json_t *object,
    enum wk_capsule_reading reading, struct wk_error *error)
{
	bool has_value;
	int rc;

	if (json_object_get(object, "event") != NULL &&
	    !wk_jsonread_is(object, "event", "capsule") &&
	    !wk_jsonread_is(object, "event", "datagram"))
		return WK_OK;
	if ((rc = parse_type(r, object, reading, error)) != WK_OK ||
	    (rc = wk_jsonread_octets(object, "value", &r->value, &has_value,
	    error)) != WK_OK)
		return rc;
	return has_value ? parse_capsule(r, object, error) :
	    parse_datagram(r, object, error);
}

int
record_parse(struct record *r, const uint8_t *line, size_t len,
    enum wk_capsule_reading reading, uint64_t type, struct wk_error *error)
{
	json_t *object;
	size_t i = 0;
	int rc;

	memset(&r->cap, 0, sizeof(r->cap));
	memset(&r->datagram, 0, sizeof(r->datagram));
	wk_buf_clear(&r->value);
	r->cap.type = type;
	r->kind = RECORD_NOTHING;
	while (i < len && (line[i] == ' ' || line[i] == '\t' ||
	    line[i] == '\r'))
		i++;
	if (i == len)
		return WK_OK;
	rc = wk_jsonread_object(line, len, &object, error);
	if (rc != WK_OK)
		return rc;
	rc = parse_object(r, object, reading, error);
	json_decref(object);
	return rc;
}
