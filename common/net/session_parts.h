/* SPDX-License-Identifier: MIT */
/*
 * Behind session.h and stream.h: what every version's session and stream begin
 * with, and the table that each fills. Only the sessions include this.
 */
#pragma once

#include "common/base/buf.h"
#include "common/net/session.h"

/* Called by stream.c alone, never for a stream that is over. */
struct wk_stream_ops {
	int (*respond)(struct wk_stream *s, const struct wk_message *m,
	    bool is_last, struct wk_error *error);
	int (*respond_informational)(struct wk_stream *s,
	    const struct wk_message *m, struct wk_error *error);
	ssize_t (*write)(struct wk_stream *s, const void *data, size_t len);
	/*
	 * Two parts behind one another, for which there is room; NULL: two
	 * writes are as good, they cost no more than their octets.
	 */
	void (*write_both)(struct wk_stream *s, const void *first,
	    size_t first_len, const void *second, size_t second_len);
	size_t (*queued)(const struct wk_stream *s);
	size_t (*room)(const struct wk_stream *s);
	int (*finish)(struct wk_stream *s);
	void (*consume)(struct wk_stream *s, size_t octets);
	void (*reset)(struct wk_stream *s, enum wk_stream_code code,
	    const char *reason);
	/*
	 * NULL: the version has no datagrams of its own, capsules carry them,
	 * as they do where has_frames says no.
	 */
	bool (*has_frames)(const struct wk_stream *s);
	enum wk_stream_sent (*send_datagram)(struct wk_stream *s,
	    const void *data, size_t len);
	size_t (*datagram_max)(const struct wk_stream *s);
	/* NULL: nothing has waited for wk_stream_use_capsules(). */
	void (*capsules_used)(struct wk_stream *s);
};

struct wk_stream_capsules;	/* stream.c: the capsule layer of a stream */

/* Each version's stream begins with this. */
struct wk_stream {
	const struct wk_stream_ops *ops;
	struct wk_session *session;
	const struct wk_stream_handler *handler;
	void *arg;
	uint64_t id;
	struct wk_stream_capsules *capsules;	/* NULL: plain octets */
	/*
	 * Reset by either side: nothing is delivered any more but closed, and
	 * verbs do nothing. Sessions set it for resets they find themselves.
	 */
	bool is_over;
	bool wants_writable;	/* took less; tell when half the queue is free */
	struct wk_stream *prev, *next;		/* in the session's list */
};

struct wk_session_ops {
	enum wk_http_version version;
	void (*del)(struct wk_session *session);
	int (*receive)(struct wk_session *session, const uint8_t *data,
	    size_t len, uint64_t now_ns, struct wk_error *error);
	void (*receive_end)(struct wk_session *session, bool is_clean,
	    uint64_t now_ns);
	bool (*wants_input)(const struct wk_session *session);
	size_t (*output)(struct wk_session *session, const uint8_t **data);
	void (*sent)(struct wk_session *session, size_t octets,
	    uint64_t now_ns);
	enum wk_session_fate (*fate)(const struct wk_session *session);
	uint64_t (*deadline_ns)(const struct wk_session *session);
	void (*expire)(struct wk_session *session, uint64_t now_ns);
	struct wk_stream *(*request)(struct wk_session *session,
	    const struct wk_message *m, bool has_body,
	    const struct wk_stream_handler *handler, void *arg,
	    struct wk_error *error);
	void (*shutdown)(struct wk_session *session);
	/* NULL: nothing to tell. */
	void (*stats)(const struct wk_session *session,
	    struct wk_transport_stats *stats);
	size_t (*settings)(const struct wk_session *session,
	    struct wk_setting *settings, size_t max);
};

/* Each version's session begins with this. */
struct wk_session {
	const struct wk_session_ops *ops;
	const struct wk_session_handler *handler;
	void *arg;
	struct wk_session_limits limits;
	bool is_server;
	bool has_told_output;	/* handler->output was called, not yet fetched */
	const char *cause;	/* of the connection's end; NULL: nobody knows */
	struct wk_stream *streams;
	size_t n_streams;
};

/*
 * What a server with TLS says to HTTP without: an alert (RFC 8446, section
 * 5.1). Neither a status line nor a SETTINGS frame can begin like that.
 */
#define WK_SESSION_TLS_ALERT 0x15
#define WK_SESSION_WANTS_TLS "the server seems to speak TLS; use https"

/* Into the session's list. */
void wk_stream_attach(struct wk_session *session, struct wk_stream *s,
    const struct wk_stream_ops *ops, uint64_t id);

/*
 * Deliver to the owner; all but closed do nothing for a stream that is over.
 * data goes through the capsule layer when the tunnel uses it; true when it is
 * consumed already, false when the owner will. A malformed capsule stream is
 * reset from in here. writable is told only if somebody waits for it. closed
 * takes the stream out of the list and frees the capsule layer; the session
 * frees the rest.
 */
void wk_stream_deliver_head(struct wk_stream *s, const struct wk_message *m);
bool wk_stream_deliver_data(struct wk_stream *s, const uint8_t *data,
    size_t len);
void wk_stream_deliver_datagram(struct wk_stream *s, const uint8_t *data,
    size_t len);
void wk_stream_deliver_end(struct wk_stream *s);
void wk_stream_deliver_writable(struct wk_stream *s);
void wk_stream_deliver_closed(struct wk_stream *s,
    const struct wk_stream_end *end);

/* Tell the handler, if it was not told since the last fetch. */
void wk_session_tell_output(struct wk_session *session);

/* One line for -v when the handler listens at that level. */
void wk_session_trace(struct wk_session *session, enum wk_trace kind,
    uint64_t stream_id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void wk_session_trace_head(struct wk_session *session, enum wk_trace kind,
    uint64_t stream_id, const struct wk_message *m);
