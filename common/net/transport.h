/* SPDX-License-Identifier: MIT */
/*
 * What HTTP/3 needs of QUIC and nothing more (RFC 9114, section 2; RFC 9000,
 * section 2; RFC 9221): streams by their ids, datagrams, a close with a code.
 * quic.h fills the table over ngtcp2; tests fill it with queues, so that a
 * session needs neither sockets nor TLS nor a clock.
 *
 * The transport keeps what was written until the peer has acknowledged it,
 * sends streams in turns, and shares between streams and datagrams. Verbs only
 * take note: they may be called in any event, deliver nothing themselves, and
 * do nothing (saying so where they can) for a stream that is gone or once the
 * connection closes. Events come between enter and leave, so that the session
 * can put off what must not happen inside them; the session may be deleted in
 * leave only. Every packet that arrives is such a round, also without an event:
 * that is where the session looks for room in queues.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/base/error.h"

struct wk_transport;

/* Kinds of streams: the two low bits of their ids (RFC 9000, section 2.1). */
static inline bool
wk_transport_is_uni(uint64_t stream_id)
{
	return (stream_id & 2) != 0;
}

static inline bool
wk_transport_is_by_server(uint64_t stream_id)
{
	return (stream_id & 1) != 0;
}

/* What became of a datagram. */
enum wk_transport_sent {
	WK_TRANSPORT_SENT,		/* sent, or queued to be */
	WK_TRANSPORT_BLOCKED,		/* the queue is full; drop it, or wait */
					/* for datagram_writable */
	WK_TRANSPORT_TOO_BIG,		/* for the path or the peer, now */
	WK_TRANSPORT_UNSUPPORTED,	/* the peer takes none */
	WK_TRANSPORT_CLOSED,
};

/* How the connection does; times of RFC 9002. */
struct wk_transport_stats {
	uint32_t version;		/* of QUIC */
	uint64_t latest_rtt_ns, smoothed_rtt_ns, min_rtt_ns, rttvar_ns;
	uint64_t cwnd, bytes_in_flight;	/* octets */
	size_t max_udp_payload;		/* of the path, so far as is known */
	uint64_t packets_sent, packets_received;	/* of UDP */
	uint64_t bytes_sent, bytes_received;	/* their payloads */
	/* One that was given up as lost may still be acknowledged, and counts */
	/* as both; lost are also those that became too big while they waited. */
	uint64_t datagrams_sent, datagrams_acked, datagrams_lost;
	uint64_t datagrams_received;
	uint64_t migrations;		/* times that the path changed */
};

struct wk_transport_ops {
	/*
	 * Open a stream of ours. WK_OK with its id; WK_E_LIMIT: the peer
	 * allows no more now, streams_free will come; WK_E_NOMEM; WK_E_INVALID
	 * once the connection closes.
	 */
	int (*open)(struct wk_transport *t, bool is_uni, uint64_t *id);

	/*
	 * Queue octets, in parts that are to stand behind one another. Returns
	 * how many were taken, up to what room says; writable follows when that
	 * is less. WK_E_INVALID once finished, reset, stopped by the peer, or
	 * gone; WK_E_NOMEM.
	 */
	ssize_t (*write)(struct wk_transport *t, uint64_t id,
	    const struct iovec *parts, size_t n_parts);
	size_t (*room)(const struct wk_transport *t, uint64_t id);

	/* Octets queued and not yet sent for the first time. */
	size_t (*queued)(const struct wk_transport *t, uint64_t id);

	/* FIN behind what is queued. */
	void (*finish)(struct wk_transport *t, uint64_t id);

	/* RESET_STREAM: what is queued is dropped. */
	void (*reset)(struct wk_transport *t, uint64_t id, uint64_t code);

	/* STOP_SENDING: no more data events for it. */
	void (*stop)(struct wk_transport *t, uint64_t id, uint64_t code);

	/*
	 * The peer may send that much more, on the stream and the connection.
	 * What was never consumed of a stream is given back to the connection
	 * by the transport when the stream is gone, or was stopped.
	 */
	void (*consume)(struct wk_transport *t, uint64_t id, size_t octets);

	/* One QUIC DATAGRAM frame of these parts, whole or not at all. */
	enum wk_transport_sent (*send_datagram)(struct wk_transport *t,
	    const struct iovec *parts, size_t n_parts);

	/* The longest that would not be TOO_BIG now; 0: the peer takes none. */
	size_t (*datagram_max)(const struct wk_transport *t);

	/*
	 * End the connection with an application error code. reason is copied,
	 * NULL: none. No event follows but leave.
	 */
	void (*close)(struct wk_transport *t, uint64_t code,
	    const char *reason);

	void (*stats)(const struct wk_transport *t,
	    struct wk_transport_stats *stats);
};

/* Every transport begins with this. */
struct wk_transport {
	const struct wk_transport_ops *ops;
	/* Who hears, and its argument: set by the session when it is made. */
	const struct wk_transport_handler *handler;
	void *arg;
};

/* What the session hears. */
struct wk_transport_handler {
	void (*enter)(void *arg, uint64_t now_ns);
	/* The argument may be gone when this has returned. */
	void (*leave)(void *arg);

	/*
	 * Octets of a stream in order, borrowed; is_last: the peer's FIN stands
	 * behind them (there may be none). The first event of a stream of the
	 * peer's is also how one learns of it.
	 */
	void (*data)(void *arg, uint64_t id, const uint8_t *data, size_t len,
	    bool is_last);
	/* RESET_STREAM. */
	void (*was_reset)(void *arg, uint64_t id, uint64_t code);
	/* STOP_SENDING; the transport has answered it with RESET_STREAM. */
	void (*was_stopped)(void *arg, uint64_t id, uint64_t code);
	/* There is room again after a write that took less. */
	void (*writable)(void *arg, uint64_t id);
	/* Both directions are over and acknowledged: the id means nothing now. */
	void (*gone)(void *arg, uint64_t id);
	/* After open said WK_E_LIMIT. */
	void (*streams_free)(void *arg, bool is_uni);
	void (*datagram)(void *arg, const uint8_t *data, size_t len);
	/* After send_datagram said BLOCKED. */
	void (*datagram_writable)(void *arg);
	/*
	 * The connection is over, by the peer or for want of it; last. code is
	 * the peer's application error, where is_application; reason is fit to
	 * follow the peer's name, borrowed. is_clean: the peer closed without
	 * an error.
	 */
	void (*closed)(void *arg, bool is_application, uint64_t code,
	    bool is_clean, const char *reason);
};
