/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of one tool run: the context id in front, frames or capsules, what
 * to do with those that are too big, and how many there were.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/h3dgram/options.h"
#include "common/net/stream.h"
#include "common/wire/datagram.h"

enum datagrams_sent {
	DATAGRAMS_SENT,
	DATAGRAMS_BLOCKED,	/* try again when the stream is writable */
	DATAGRAMS_DROPPED,	/* too big; told when it was the first */
	DATAGRAMS_FAILED,	/* too big, and that was the end of it; told */
	DATAGRAMS_CLOSED,
};

struct datagrams {
	const struct options *opt;
	uint64_t sent, octets_sent, blocked, too_big;
	uint64_t received, octets_received;
	uint64_t other_contexts, malformed;
	/* Private. */
	uint8_t packet[WK_DATAGRAM_UDP_VALUE_MAX];
};

void datagrams_init(struct datagrams *d, const struct options *opt);

/*
 * What must be said to an open stream before datagrams. WK_EXIT_OK, or an exit
 * code after a message: --capsules never, and the peer takes no frames.
 */
int datagrams_open(const struct datagrams *d, struct wk_stream *s);

/* Send a payload of at most WK_DATAGRAM_UDP_MAX octets. */
enum datagrams_sent datagrams_send(struct datagrams *d, struct wk_stream *s,
    uint64_t context_id, const uint8_t *payload, size_t len);

/* Send one back as it arrived, whatever is in it; it counts as received. */
enum datagrams_sent datagrams_return(struct datagrams *d, struct wk_stream *s,
    const uint8_t *data, size_t len);

/* The longest payload that is not too big now. */
size_t datagrams_max(const struct datagrams *d, const struct wk_stream *s);

/*
 * Look at a datagram that arrived: true when it is one for us, with *out. A
 * malformed one in a capsule resets the stream (RFC 9297, section 3.3).
 */
bool datagrams_take(struct datagrams *d, struct wk_stream *s,
    const uint8_t *data, size_t len, struct wk_datagram *out);

/* "HTTP/3, datagrams in frames, at most 1166 octets" */
#define DATAGRAMS_TEXT_MAX 128
const char *datagrams_text(const struct datagrams *d,
    const struct wk_stream *s, char text[DATAGRAMS_TEXT_MAX]);

/* The same as an event "open", and members of a summary. */
void datagrams_json_open(const struct datagrams *d, const struct wk_stream *s);
void datagrams_json_counts(const struct datagrams *d);
