/* SPDX-License-Identifier: MIT */
/*
 * One end of a measurement: sends numbered datagrams into a stream, at a rate
 * or as fast as it takes them, and counts what comes: its own again, where the
 * other end echoes, and those of the other end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/h3dgram/datagrams.h"
#include "cmd/h3dgram/histogram.h"
#include "cmd/h3dgram/window.h"
#include "common/base/ratelimit.h"
#include "common/net/loop.h"

struct blaster_counts {
	uint64_t sent, octets_sent;
	uint64_t unsent;		/* too big */
	uint64_t blocked;		/* times that it had to wait */
	uint64_t octets_echoed, octets_received;
};

struct blaster {
	struct blaster_counts counts;
	struct window echoed, received;	/* of ours, of the other end's */
	uint64_t received_run;
	bool has_received;
	struct histogram *rtt;		/* of echoes; NULL: nobody asks */
	uint64_t began_ns, ended_ns;	/* of sending; 0: not yet */
	uint64_t last_ns;		/* when something came */
	bool is_done;			/* nothing more is sent */
	/* Private. */
	const struct options *opt;
	struct wk_loop *loop;
	struct wk_stream *stream;
	struct datagrams *datagrams;
	struct wk_ratelimit limit;
	struct wk_timer timer;
	struct wk_task task;
	uint32_t run;
	uint64_t sequence, until_ns;
	bool is_blocked;
	void (*done)(void *arg);
	void (*failed)(void *arg);
	void *arg;
};

/*
 * Begin on an open stream. datagrams is borrowed and may be shared; done comes
 * when all is sent, failed when one is too big and that is the end, neither
 * from inside. False: no random numbers.
 */
bool blaster_init(struct blaster *b, const struct options *opt,
    struct wk_loop *loop, struct wk_stream *s, struct datagrams *datagrams,
    void (*done)(void *arg), void (*failed)(void *arg), void *arg);

/* The stream's events. */
void blaster_datagram(struct blaster *b, const uint8_t *data, size_t len);
void blaster_writable(struct blaster *b);

/* Send no more; the stream may go. */
void blaster_stop(struct blaster *b);
