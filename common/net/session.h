/* SPDX-License-Identifier: MIT */
/*
 * One connection's HTTP, without the connection: octets in, events out, octets
 * to send. No sockets and no clock, so that two sessions can be tested against
 * each other, cut anywhere, under any delay. Behind one operations table:
 * HTTP/1.1 (http1_session.h) and HTTP/2 (http2_session.h) over an octet
 * stream; HTTP/3 has the same streams, but QUIC underneath.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/stream.h"
#include "common/net/transport.h"

struct wk_session;

struct wk_session_limits {
	uint32_t max_streams;	/* that the peer may have open at once */
	size_t max_head;	/* octets of one head, as text */
	size_t max_fields;
	size_t window;		/* received and not yet consumed, per stream */
	size_t max_queued;	/* written and not yet sent, per stream */
	uint64_t head_timeout_ns;	/* for a head, from its first octet; a */
					/* server's first from the beginning */
	uint64_t idle_timeout_ns;	/* server: without any stream */
	uint64_t ping_interval_ns;	/* HTTP/2: ask when silent; 0: never. No */
					/* answer for as long: lost */
	uint64_t stall_timeout_ns;	/* HTTP/2: what waits for a window that */
					/* stays shut is given up after one to */
					/* three times this; 0: never */
	bool has_no_datagrams;	/* HTTP/3: the transport was told to take none */
};

/*
 * 100 streams, 64 KiB and 100 fields of head, 1 MiB window, 256 KiB queued,
 * 10 s, 60 s, no pings, 60 s.
 */
void wk_session_limits_default(struct wk_session_limits *limits);

enum wk_trace {
	WK_TRACE_NOTE,		/* what happens to the connection */
	WK_TRACE_SENT,		/* heads, a line each */
	WK_TRACE_RECEIVED,
	WK_TRACE_FRAME_SENT,	/* frames and settings */
	WK_TRACE_FRAME_RECEIVED,
};

struct wk_session_handler {
	/*
	 * Server: a request has arrived. Set the stream's handler here or
	 * respond at once; a stream that nobody wants is reset.
	 */
	void (*request)(struct wk_session *session, struct wk_stream *s,
	    const struct wk_message *m);
	/*
	 * There is output to fetch, or fate, deadline or wants_input have
	 * changed by a verb; once until output was fetched. May come from
	 * inside any verb, so only take note of it here.
	 */
	void (*output)(struct wk_session *session);
	/* The peer asks for no new streams (GOAWAY, Connection: close). */
	void (*draining)(struct wk_session *session);
	/* For -v: up to 1 heads and notes, up to 2 frames too; NULL: quiet. */
	void (*trace)(struct wk_session *session, enum wk_trace kind,
	    uint64_t stream_id, const char *text);
	int trace_level;
};

/*
 * Who is curious: how the transport does; false where there is none to ask
 * (HTTP/1.1, HTTP/2).
 */
bool wk_session_stats(const struct wk_session *session,
    struct wk_transport_stats *stats);

/* A setting that the peer has announced. */
struct wk_setting {
	uint64_t id, value;
	const char *name;	/* as in its document; NULL: unknown */
};

/* Writes up to max, returns how many there are; 0 before they have come. */
size_t wk_session_settings(const struct wk_session *session,
    struct wk_setting *settings, size_t max);

/* Forget everything; every stream left hears closed first. NULL is fine. */
void wk_session_del(struct wk_session *session);

void wk_session_set_arg(struct wk_session *session, void *arg);
void *wk_session_arg(const struct wk_session *session);
enum wk_http_version wk_session_version(const struct wk_session *session);
bool wk_session_is_server(const struct wk_session *session);
size_t wk_session_streams(const struct wk_session *session);

/*
 * Octets from the peer, at time now_ns. WK_OK, or a negative status with what
 * the peer did wrong in error: then send what output there is and close.
 */
int wk_session_receive(struct wk_session *session, const uint8_t *data,
    size_t len, uint64_t now_ns, struct wk_error *error);

/*
 * The peer has closed its direction. is_clean: with a close_notify, or without
 * TLS by FIN; otherwise its octets may have been cut off.
 */
void wk_session_receive_end(struct wk_session *session, bool is_clean,
    uint64_t now_ns);

/*
 * Why the connection ends, where that is known better than that it does: what
 * streams hear that are open by then. Borrowed for as long as the session
 * lives.
 */
void wk_session_set_cause(struct wk_session *session, const char *cause);

/* False: do not read the connection now, streams have not been consumed. */
bool wk_session_wants_input(const struct wk_session *session);

/* Octets to send; returns how many, borrowed until the next call but sent. */
size_t wk_session_output(struct wk_session *session, const uint8_t **data);
void wk_session_sent(struct wk_session *session, size_t octets,
    uint64_t now_ns);

enum wk_session_fate {
	WK_SESSION_OPEN,
	WK_SESSION_FINISH,	/* after the output, close our direction only */
	WK_SESSION_CLOSE,	/* after the output, close */
	WK_SESSION_ABORT,	/* close now, without close_notify, with RST */
};

/* What the connection underneath should do. */
enum wk_session_fate wk_session_fate(const struct wk_session *session);

/*
 * When to call expire, WK_NEVER for never; it may move at any call. 0 when
 * something waits to be told, such as closed after a reset: no event but
 * output comes from inside a verb.
 */
uint64_t wk_session_deadline_ns(const struct wk_session *session);
void wk_session_expire(struct wk_session *session, uint64_t now_ns);

/*
 * Client: open a stream. has_body: wk_stream_write() and finish follow; a
 * tunnel always has. Before the peer's settings are known it waits for them by
 * itself. A tunnel that the peer cannot do ends as closed with
 * WK_STREAM_UNSUPPORTED. NULL with error: WK_E_INVALID (the head may not be
 * sent), WK_E_LIMIT (no stream free now), WK_E_UNSUPPORTED (the connection
 * takes no more streams), WK_E_NOMEM.
 */
struct wk_stream *wk_session_request(struct wk_session *session,
    const struct wk_message *m, bool has_body,
    const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error);

/*
 * Finish what is open, start nothing new (GOAWAY, Connection: close); the
 * fate becomes CLOSE when the last stream is over.
 */
void wk_session_shutdown(struct wk_session *session);
