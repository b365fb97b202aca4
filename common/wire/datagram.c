/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/datagram.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/span.h"

/*
 * The varint that every datagram starts with; what is behind it is the
 * payload. 0 octets and an error when it is not whole.
 */
static uint8_t
split(const uint8_t *data, size_t len, const char *what, uint64_t *id,
    const uint8_t **payload, size_t *payload_len, struct wk_error *error)
{
	size_t octets = wk_varint_decode(data, len, id);

	if (octets == 0) {
		wk_error_set(error, WK_E_TRUNCATED, len,
		    len == 0 ? "datagram is empty, expected a %s" :
		    "datagram ends inside its %s", what);
		return 0;
	}
	*payload = data + octets;
	*payload_len = len - octets;
	return (uint8_t)octets;
}

int
wk_datagram_decode(const uint8_t *data, size_t len, size_t max_payload,
    struct wk_datagram *d, struct wk_error *error)
{
	memset(d, 0, sizeof(*d));
	d->context_octets = split(data, len, "context id", &d->context_id,
	    &d->payload, &d->payload_len, error);
	if (d->context_octets == 0)
		return WK_E_TRUNCATED;
	if (d->context_id == WK_DATAGRAM_CONTEXT_RAW &&
	    d->payload_len > max_payload)
		return wk_error_set(error, WK_E_LIMIT, d->context_octets,
		    "datagram payload of %zu octets, more than the %zu allowed",
		    d->payload_len, max_payload);
	return WK_OK;
}

size_t
wk_datagram_header(uint8_t out[WK_VARINT_OCTETS_MAX],
    const struct wk_datagram *d)
{
	return wk_varint_encode(out, d->context_id, d->context_octets);
}

enum wk_datagram_owner
wk_datagram_owner(uint64_t context_id)
{
	if (context_id == WK_DATAGRAM_CONTEXT_RAW)
		return WK_DATAGRAM_NOBODY;
	return context_id % 2 == 0 ? WK_DATAGRAM_CLIENT : WK_DATAGRAM_PROXY;
}

int
wk_datagram_h3_decode(const uint8_t *data, size_t len,
    struct wk_datagram_h3 *d, struct wk_error *error)
{
	uint64_t quarter;

	memset(d, 0, sizeof(*d));
	d->id_octets = split(data, len, "quarter stream id", &quarter,
	    &d->payload, &d->payload_len, error);
	if (d->id_octets == 0)
		return WK_E_TRUNCATED;
	if (quarter > WK_DATAGRAM_QUARTER_MAX)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "quarter stream id %" PRIu64 " is above 2^60-1", quarter);
	d->stream_id = 4 * quarter;
	return WK_OK;
}

size_t
wk_datagram_h3_header(uint8_t out[WK_VARINT_OCTETS_MAX],
    const struct wk_datagram_h3 *d)
{
	if (d->stream_id % 4 != 0 || d->stream_id > WK_VARINT_MAX)
		return 0;
	return wk_varint_encode(out, d->stream_id / 4, d->id_octets);
}

/* Octets of an address, or 0 for a version that has none. */
static size_t
address_octets(uint8_t ip_version)
{
	return ip_version == 4 ? 4 : ip_version == 6 ? 16 : 0;
}

int
wk_datagram_bound_decode(const uint8_t *data, size_t len,
    struct wk_datagram_bound *d, struct wk_error *error)
{
	const uint8_t *address;
	struct wk_span s;
	size_t octets;

	memset(d, 0, sizeof(*d));
	wk_span_init(&s, data, len);
	d->ip_version = wk_span_u8(&s);
	octets = address_octets(d->ip_version);
	if (wk_span_is_ok(&s) && octets == 0)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "ip version %u, expected 4 or 6", d->ip_version);
	address = wk_span_take(&s, octets);
	d->port = wk_span_u16(&s);
	if (!wk_span_is_ok(&s))
		return wk_error_set(error, WK_E_TRUNCATED, len,
		    "datagram ends inside the address of its remote end");
	memcpy(d->address, address, octets);
	d->payload_len = wk_span_left(&s);
	d->payload = wk_span_take(&s, d->payload_len);
	return WK_OK;
}

size_t
wk_datagram_bound_header(uint8_t out[WK_DATAGRAM_BOUND_HEADER_MAX],
    const struct wk_datagram_bound *d)
{
	size_t octets = address_octets(d->ip_version);

	if (octets == 0)
		return 0;
	out[0] = d->ip_version;
	memcpy(out + 1, d->address, octets);
	out[1 + octets] = (uint8_t)(d->port >> 8);
	out[2 + octets] = (uint8_t)d->port;
	return 3 + octets;
}
