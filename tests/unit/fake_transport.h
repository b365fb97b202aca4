/* SPDX-License-Identifier: MIT */
/*
 * A transport (common/net/transport.h) made of queues: two of them are the ends
 * of a connection without packets, keys or clock. What an end writes stays with
 * it until fake_send() puts it on its way; fake_receive() tells the other end.
 * An end without a handler is the test's own: what arrives is kept to be looked
 * at, and the verbs are called by hand. Broken promises abort.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/net/transport.h"

struct fake_stream {
	struct fake_stream *next;
	uint64_t id;
	/* What leaves. */
	struct wk_buf out;		/* from out_at on not yet sent */
	size_t out_at;
	uint64_t n_sent, limit;		/* octets; how far the peer allows */
	bool has_fin, has_sent_fin;
	bool has_reset, has_sent_reset;
	bool has_stop, has_sent_stop;
	uint64_t reset_code, stop_code;
	bool is_out_over;		/* acknowledged */
	bool wants_writable;
	/* What arrives. */
	uint64_t n_received, n_consumed;
	bool is_in_over;
	bool is_gone;
	/* For tests that are an end themselves. */
	struct wk_buf in;
	bool in_fin, in_reset, in_stop;
	uint64_t in_reset_code, in_stop_code;
};

/* Something under way. */
struct fake_parcel;

struct fake {
	struct wk_transport base;
	struct fake *peer;
	bool is_server;
	struct fake_stream *streams;
	uint64_t next_id[2];		/* bidirectional, unidirectional */
	size_t n_open[2];		/* of ours, not gone */
	bool wants_open[2];
	/* Options, to be set before anything is done. */
	size_t max_streams[2];		/* that we may open */
	size_t stream_window;		/* what we let the peer send */
	size_t max_queued;		/* per stream */
	size_t datagram_max;		/* 0: the peer takes none */
	size_t datagram_room;		/* octets that may wait */
	uint64_t rtt_ns;		/* what stats say */
	unsigned shuffle;		/* not 0: streams overtake each other */

	struct wk_buf datagrams;	/* lengths (4 octets) and payloads */
	bool wants_datagram;
	struct fake_parcel *first, *last;	/* under way to here */
	bool is_closed;			/* by us, or told so */
	bool has_sent_close;
	uint64_t close_code;
	char close_reason[256];
	uint64_t n_passed;		/* octets received */
	size_t n_retired;		/* streams that are gone */
	/* For tests that are an end themselves. */
	struct wk_buf heard;		/* datagrams, as datagrams above */
	bool was_closed;
	uint64_t was_closed_code;
};

void fake_init(struct fake *f, bool is_server);
void fake_join(struct fake *a, struct fake *b);
void fake_free(struct fake *f);

/*
 * Put what waits on its way, at most piece octets of each stream (0: all),
 * to arrive delay_ns later. Whether there was anything.
 */
bool fake_send(struct fake *f, size_t piece, uint64_t now_ns,
    uint64_t delay_ns);

/* Tell what has arrived by now; whether there was anything. */
bool fake_receive(struct fake *f, uint64_t now_ns);

/* When the next thing arrives that has not, UINT64_MAX for never. */
uint64_t fake_arrival_ns(const struct fake *f, uint64_t now_ns);

/* The connection breaks: what is under way is lost, both hear of it. */
void fake_cut(struct fake *f, uint64_t now_ns);

/* NULL: not known, or gone and forgotten. */
struct fake_stream *fake_stream(const struct fake *f, uint64_t id);
