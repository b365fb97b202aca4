/* SPDX-License-Identifier: MIT */
/*
 * From one segment of a connection, X to Y, to the reset of a third party
 * that X or Y will take (RFC 9293, sections 3.5.2 and 3.5.3, and RFC 5961,
 * section 3: SEQ must be just what the receiver expects next).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/segment.h"

enum numbers_victim {
	NUMBERS_DESTINATION,	/* Y: the reset pretends to be from X */
	NUMBERS_SOURCE,		/* X: the reset pretends to be from Y */
};

/* The reset for the victim, without payload: TTL 64, window 0, DF. */
void numbers_reset(const struct wk_segment *seen, enum numbers_victim victim,
    struct wk_segment *rst);

/* Is SEQ what the victim looks at? In SYN-SENT it is ACK, and SEQ is any. */
bool numbers_has_seq(const struct wk_segment *rst);

/*
 * How far apart the resets of a spray shall be: the window that was seen, but
 * at least a full segment; its scale is known to the two ends alone.
 */
uint32_t numbers_spray_step(const struct wk_segment *seen);

/*
 * A SYN that asks the destination for its numbers: in a connection it answers
 * with an ACK that has them (RFC 5961, section 4).
 */
void numbers_probe(const struct wk_segment *addresses, uint32_t seq,
    struct wk_segment *probe);
