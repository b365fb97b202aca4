/* SPDX-License-Identifier: MIT */
/*
 * Capsule stream reader and writer (RFC 9297, section 3.2). The caller owns the
 * bytes and the loop: hand in what arrived, take events until WK_CAPSULE_MORE,
 * come back with more. No allocation, no I/O, no clock; no value is ever
 * buffered. Cutting the input at any byte gives the same events, except that
 * value bytes may come in smaller pieces. What the types mean is the business
 * of capsule_types.h; an unknown one is as good as any other here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/varint.h"

/* Two varints: the type and the length. */
#define WK_CAPSULE_HEADER_MAX (2 * WK_VARINT_OCTETS_MAX)

enum wk_capsule_event {
	WK_CAPSULE_MORE,	/* input used up; call again with more */
	WK_CAPSULE_START,	/* type and length are known */
	WK_CAPSULE_DATA,	/* a piece of the value, in the input */
	WK_CAPSULE_END,		/* the value is complete */
};

struct wk_capsule {
	uint64_t type, length;
	uint64_t offset;	/* of its first octet in the stream */
	uint8_t type_octets;	/* of the two varints on the wire; to the */
	uint8_t length_octets;	/* writer, 0 means as few as possible */
	const uint8_t *data;	/* borrowed: ends when the input changes */
	size_t data_len;	/* never 0 in a DATA event, 0 in others */
	uint64_t data_offset;	/* of this piece in the value */
};

struct wk_capsule_reader {	/* caller's storage; fields are private */
	uint64_t offset;	/* octets of the stream consumed */
	struct wk_capsule cap;
	uint64_t left;		/* octets of the value still to come */
	uint64_t max_length;
	struct wk_varint_reader num;
	uint8_t state;
	struct wk_error error;	/* readable after an error */
};

/*
 * Values longer than max_length octets fail with WK_E_LIMIT as soon as the
 * length is read; WK_VARINT_MAX lets every length pass.
 */
void wk_capsule_reader_init(struct wk_capsule_reader *r, uint64_t max_length);

/*
 * Consume from *in (advancing it, shrinking *in_len) up to the next event and
 * describe that in *out, which WK_CAPSULE_MORE leaves alone. Returns an event,
 * or a negative wk_status with r->error set (offset: octets from the start of
 * the stream); after an error every call returns that error again and consumes
 * nothing. A capsule without a value has no DATA event.
 */
int wk_capsule_read(struct wk_capsule_reader *r, const uint8_t **in,
    size_t *in_len, struct wk_capsule *out);

/*
 * At end of stream: WK_OK between capsules, WK_E_TRUNCATED inside one, or the
 * error that wk_capsule_read() had. The error's offset is where the stream
 * ends.
 */
int wk_capsule_reader_finish(struct wk_capsule_reader *r);

/*
 * Write the header of a capsule from its type, length, type_octets and
 * length_octets; the caller sends the value behind it. A capsule as the reader
 * gave it is written back octet for octet. Returns the octets written, 2 to 16;
 * 0 when a number does not fit the octets asked for, or no varint at all.
 */
size_t wk_capsule_header(uint8_t out[WK_CAPSULE_HEADER_MAX],
    const struct wk_capsule *cap);
