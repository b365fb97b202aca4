/* SPDX-License-Identifier: MIT */
/*
 * Variable-length integers (RFC 9000, section 16): 62 bits on 1, 2, 4 or 8
 * octets, of which the top two bits of the first say how many. Longer forms
 * than needed are legal nearly everywhere (RFC 9297, section 1.1), so readers
 * report the octets used and writers take them: what was read can be written
 * back octet for octet. No allocation but by the caller's wk_buf.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/span.h"

#define WK_VARINT_MAX ((UINT64_C(1) << 62) - 1)
#define WK_VARINT_OCTETS_MAX 8

/* Octets of the varint that starts with this octet: 1, 2, 4 or 8. */
static inline size_t
wk_varint_octets(uint8_t first)
{
	return (size_t)1 << (first >> 6);
}

/* Octets of the shortest form of v, or 0 when v is above WK_VARINT_MAX. */
static inline size_t
wk_varint_shortest(uint64_t v)
{
	return v <= 0x3f ? 1 : v <= 0x3fff ? 2 : v <= 0x3fffffff ? 4 :
	    v <= WK_VARINT_MAX ? 8 : 0;
}

/*
 * Decode the varint at the start of len octets. Returns the octets it takes;
 * 0, and *v untouched, when there are fewer. Every octet string decodes.
 */
static inline size_t
wk_varint_decode(const uint8_t *in, size_t len, uint64_t *v)
{
	size_t octets, i;
	uint64_t n;

	if (len == 0 || (octets = wk_varint_octets(in[0])) > len)
		return 0;
	n = in[0] & 0x3f;
	for (i = 1; i < octets; i++)
		n = n << 8 | in[i];
	*v = n;
	return octets;
}

/*
 * Write v on the given octets (1, 2, 4 or 8, or 0 for the shortest form).
 * Returns the octets written; 0, and nothing written, when v does not fit or
 * octets is no length of a varint.
 */
size_t wk_varint_encode(uint8_t out[WK_VARINT_OCTETS_MAX], uint64_t v,
    size_t octets);

/* The same onto a buffer; WK_E_INVALID (which sticks) when it does not fit. */
int wk_varint_append(struct wk_buf *b, uint64_t v, size_t octets);

/*
 * The next varint of a span. It fails as any other read of a span does: the
 * offset stays at its first octet. octets (may be NULL) gets the octets used.
 */
uint64_t wk_varint_take(struct wk_span *s, size_t *octets);

/* A varint that may arrive in pieces. All zeros is a new one. */
struct wk_varint_reader {
	uint64_t v;		/* so far */
	uint8_t octets;		/* of the whole, 0 before the first */
	uint8_t left;		/* octets still to come */
};

/* True between the first octet and the last. */
static inline bool
wk_varint_is_partial(const struct wk_varint_reader *r)
{
	return r->left > 0;
}

/*
 * Consume from *in, advancing it and shrinking *len, no further than the end
 * of the varint. Returns the octets of the whole with *v set, the reader then
 * being ready for the next one; or 0 when all input is used and more needed.
 */
static inline size_t
wk_varint_read(struct wk_varint_reader *r, const uint8_t **in, size_t *len,
    uint64_t *v)
{
	size_t octets;

	/* Nearly always it is there in one piece. */
	if (r->left == 0 && (octets = wk_varint_decode(*in, *len, v)) > 0) {
		*in += octets;
		*len -= octets;
		return octets;
	}
	for (; *len > 0; ++*in, --*len) {
		if (r->left == 0) {
			r->octets = (uint8_t)wk_varint_octets(**in);
			r->left = r->octets;
			r->v = **in & 0x3f;
		} else {
			r->v = r->v << 8 | **in;
		}
		if (--r->left == 0) {
			++*in, --*len;
			*v = r->v;
			return r->octets;
		}
	}
	return 0;
}
