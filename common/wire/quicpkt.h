/* SPDX-License-Identifier: MIT */
/*
 * What is the same in every version of QUIC (RFC 8999): the long and the short
 * header up to the connection ids, and Version Negotiation packets. No
 * allocation but in the caller's buffer, no keys: everything behind the ids is
 * a version's own affair.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define WK_QUICPKT_V1 UINT32_C(0x00000001)	/* RFC 9000 */
#define WK_QUICPKT_V2 UINT32_C(0x6b3343cf)	/* RFC 9369 */

/* Longer ones exist in no version so far (RFC 9000, section 17.2). */
#define WK_QUICPKT_CID_MAX 255

struct wk_quicpkt {		/* pointers are borrowed from the packet */
	bool is_long;
	uint8_t first;		/* the first octet, whole */
	uint32_t version;	/* long headers only; 0: Version Negotiation */
	const uint8_t *dcid, *scid;	/* destination, source; short headers */
	size_t dcid_len, scid_len;	/* have no source */
	const uint8_t *rest;	/* what follows the header */
	size_t rest_len;
};

/*
 * Read the header of a packet at the beginning of a datagram. A short header
 * does not say how long its destination id is: short_dcid_len does.
 * WK_OK, or WK_E_TRUNCATED with the offset.
 */
int wk_quicpkt_decode(const void *data, size_t len, size_t short_dcid_len,
    struct wk_quicpkt *packet, struct wk_error *error);

/*
 * The versions that a Version Negotiation packet (version 0) lists: writes up
 * to max and returns how many there are, or WK_E_MALFORMED when the list is
 * empty or cut.
 */
int wk_quicpkt_versions(const struct wk_quicpkt *packet, uint32_t *versions,
    size_t max, struct wk_error *error);

/*
 * Append a long header. The first octet's highest bit is set here, the others
 * are the version's or random. Ids are at most WK_QUICPKT_CID_MAX octets.
 */
int wk_quicpkt_encode_long(struct wk_buf *b, uint8_t first, uint32_t version,
    const void *dcid, size_t dcid_len, const void *scid, size_t scid_len);

/*
 * Append a Version Negotiation packet that answers one with these ids: to its
 * source, from its destination (RFC 8999, section 6). random fills the bits
 * that mean nothing.
 */
int wk_quicpkt_encode_versions(struct wk_buf *b, uint8_t random,
    const struct wk_quicpkt *answered, const uint32_t *versions, size_t n);

/* 0x?a?a?a?a: never to be spoken, only offered (RFC 9000, section 15). */
static inline bool
wk_quicpkt_is_reserved(uint32_t version)
{
	return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

/* One of them, made of 32 random bits. */
static inline uint32_t
wk_quicpkt_reserved(uint32_t random)
{
	return (random & 0xf0f0f0f0) | 0x0a0a0a0a;
}

/* "v1", "v2", "draft-29", "reserved"..., or "0x%08x". Returns text. */
#define WK_QUICPKT_NAME_MAX 16
const char *wk_quicpkt_version_text(uint32_t version,
    char text[WK_QUICPKT_NAME_MAX]);
