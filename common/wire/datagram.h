/* SPDX-License-Identifier: MIT */
/*
 * What is inside datagrams: the quarter stream id in front of an HTTP/3
 * datagram (RFC 9297, section 2.1), the context id in front of what CONNECT-UDP
 * and its relatives send (RFC 9298, sections 4 and 5; RFC 9484, section 6), and
 * the address in front of a packet of an unbound socket
 * (draft-ietf-masque-connect-udp-listen-13). A datagram is always whole, so
 * nothing here is incremental; pointers in what is decoded are borrowed from
 * the input and end with it. No allocation, no I/O, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/varint.h"

/* The largest id whose stream exists: stream ids have 62 bits. */
#define WK_DATAGRAM_QUARTER_MAX ((UINT64_C(1) << 60) - 1)

/* Context 0 has plain payload: of UDP, an IP packet, an Ethernet frame. */
#define WK_DATAGRAM_CONTEXT_RAW 0

/* The longest UDP payload that can be proxied (RFC 9298, section 5). */
#define WK_DATAGRAM_UDP_MAX 65527

/* So no DATAGRAM capsule of CONNECT-UDP has a longer value than this. */
#define WK_DATAGRAM_UDP_VALUE_MAX (WK_VARINT_OCTETS_MAX + WK_DATAGRAM_UDP_MAX)

/* An HTTP datagram payload that starts with a context id. */
struct wk_datagram {
	uint64_t context_id;
	uint8_t context_octets;		/* of its varint; 0: fewest */
	const uint8_t *payload;		/* borrowed; may be empty */
	size_t payload_len;
};

/*
 * Split an HTTP datagram payload. WK_E_TRUNCATED when it ends before its
 * context id does; without any octet too (which the caller may prefer to drop
 * silently when it came in a QUIC frame). WK_E_LIMIT, with *d filled, when
 * context 0 has more than max_payload octets: WK_DATAGRAM_UDP_MAX for
 * CONNECT-UDP, where the stream must then be aborted, or SIZE_MAX. Unknown
 * contexts are not an error. error may be NULL.
 */
int wk_datagram_decode(const uint8_t *data, size_t len, size_t max_payload,
    struct wk_datagram *d, struct wk_error *error);

/*
 * Write what goes in front of d->payload. Returns the octets, or 0 when
 * context_id does not fit context_octets or no varint at all.
 */
size_t wk_datagram_header(uint8_t out[WK_VARINT_OCTETS_MAX],
    const struct wk_datagram *d);

enum wk_datagram_owner {
	WK_DATAGRAM_NOBODY,	/* 0, which needs no registration */
	WK_DATAGRAM_CLIENT,	/* the other even ones */
	WK_DATAGRAM_PROXY,	/* the odd ones */
};

/* Who may allocate a context id; once registered, both may use it. */
enum wk_datagram_owner wk_datagram_owner(uint64_t context_id);

/* The data of a QUIC DATAGRAM frame on an HTTP/3 connection. */
struct wk_datagram_h3 {
	uint64_t stream_id;		/* multiple of 4 */
	uint8_t id_octets;		/* of its varint; 0: fewest */
	const uint8_t *payload;		/* borrowed: the HTTP datagram payload */
	size_t payload_len;
};

/*
 * WK_E_TRUNCATED: too short for its quarter stream id; WK_E_MALFORMED: no
 * stream can have that id. Both are connection errors of the kind
 * H3_DATAGRAM_ERROR. error may be NULL.
 */
int wk_datagram_h3_decode(const uint8_t *data, size_t len,
    struct wk_datagram_h3 *d, struct wk_error *error);

/*
 * Write what goes in front of d->payload. Returns the octets, or 0 when
 * stream_id is not that of a request or does not fit id_octets.
 */
size_t wk_datagram_h3_header(uint8_t out[WK_VARINT_OCTETS_MAX],
    const struct wk_datagram_h3 *d);

/* The payload of a context that was registered as uncompressed. */
struct wk_datagram_bound {
	uint8_t ip_version;		/* 4 or 6 */
	uint8_t address[16];		/* IPv4: the first four octets */
	uint16_t port;			/* of the remote end, host order */
	const uint8_t *payload;		/* borrowed: the UDP payload */
	size_t payload_len;
};

#define WK_DATAGRAM_BOUND_HEADER_MAX (1 + 16 + 2)

/*
 * Split the payload of an uncompressed context. WK_E_TRUNCATED: the address is
 * not whole; WK_E_MALFORMED: the IP version is neither 4 nor 6. Offsets count
 * from the start of data. error may be NULL.
 */
int wk_datagram_bound_decode(const uint8_t *data, size_t len,
    struct wk_datagram_bound *d, struct wk_error *error);

/* Write what goes in front of d->payload: the octets, or 0 for no version. */
size_t wk_datagram_bound_header(uint8_t out[WK_DATAGRAM_BOUND_HEADER_MAX],
    const struct wk_datagram_bound *d);
