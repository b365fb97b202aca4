/* SPDX-License-Identifier: MIT */
/*
 * What the files of the HTTP/1.1 session share: http1_session.c has the life
 * of the connection and its exchanges, http1_session_read.c what comes in,
 * http1_session_head.c what heads mean, http1_session_write.c what goes out.
 *
 * Verbs only change state and call wk_http1_wake(); events are told from
 * wk_http1_work(), which receive, receive_end, sent and expire run, so that
 * no event ever happens inside a verb.
 */
#pragma once

#include "common/net/session_parts.h"
#include "common/wire/http1.h"

enum wk_http1_reading {
	WK_HTTP1_READ_HEAD,	/* between heads, or in one */
	WK_HTTP1_READ_WAIT,	/* a tunnel request, not answered yet */
	WK_HTTP1_READ_LENGTH,
	WK_HTTP1_READ_CHUNKED,
	WK_HTTP1_READ_CLOSE,	/* a body up to the end of the connection */
	WK_HTTP1_READ_TUNNEL,
	WK_HTTP1_READ_DONE,	/* the message is complete */
	WK_HTTP1_READ_IGNORE,	/* whatever comes is thrown away */
};

enum wk_http1_writing {
	WK_HTTP1_WRITE_WAIT,	/* no final head yet; tunnel: not open yet */
	WK_HTTP1_WRITE_LENGTH,
	WK_HTTP1_WRITE_CHUNKED,
	WK_HTTP1_WRITE_CLOSE,	/* the end of the connection ends the body */
	WK_HTTP1_WRITE_NOWHERE,	/* to HEAD: taken and thrown away */
	WK_HTTP1_WRITE_TUNNEL,
	WK_HTTP1_WRITE_DONE,
};

struct wk_http1_stream {
	struct wk_stream base;
	char *protocol;		/* of a tunnel by Upgrade; else NULL */
	char *reason;		/* of the end, when it is over early */
	enum wk_stream_code code;
	enum wk_http1_writing writing;
	uint64_t left_to_read, left_to_write;	/* bodies with a length */
	size_t unconsumed;
	size_t queued;		/* octets of the body in the output, at most */
	size_t n_ignored;	/* octets of a body that nobody wants */
	bool is_connect, is_head;	/* the request's method */
	bool is_open;		/* a tunnel, and no HTTP any more */
	bool is_old;		/* the request was HTTP/1.0 */
	bool is_persistent;	/* another exchange may follow */
	bool awaits_continue;	/* Expect, and no 100 was sent */
	bool is_ours;		/* the end was our doing */
};

/* Gone whenever no head and no chunked body is being read. */
struct wk_http1_incoming {
	struct wk_http1_reader reader;
	struct wk_http1_chunk_reader chunks;
	struct wk_http1_field *raw;	/* limits.max_fields of them */
	struct wk_field *fields;	/* as many */
	char *text;
	size_t size;
};

struct wk_http1_session {
	struct wk_session base;
	struct wk_http1_stream *stream;	/* the exchange at hand, or NULL */
	struct wk_http1_incoming *incoming;
	struct wk_buf held;	/* input whose time has not come, from held_at */
	size_t held_at;
	struct wk_buf out;	/* output, from out_at */
	size_t out_at;
	const char *scheme;
	uint64_t now_ns, deadline_ns, n_exchanges;
	struct wk_error *error;	/* where receive wants it; may be NULL */
	int status;		/* what receive will return */
	enum wk_http1_reading reading;
	enum wk_session_fate fate;
	bool has_end, end_is_clean;	/* of the input, behind what is held */
	bool end_is_told;
	bool is_draining;	/* no exchange after this one */
	bool has_work;		/* something to be told */
};

static inline struct wk_http1_session *
wk_http1_of(struct wk_session *session)
{
	return (struct wk_http1_session *)session;
}

static inline struct wk_http1_session *
wk_http1_session_of(const struct wk_stream *s)
{
	return (struct wk_http1_session *)s->session;
}

static inline struct wk_http1_stream *
wk_http1_stream_of(struct wk_stream *s)
{
	return (struct wk_http1_stream *)s;
}

static inline size_t
wk_http1_backlog(const struct wk_http1_session *s)
{
	return s->out.len - s->out_at;
}

/* http1_session.c */

extern const struct wk_stream_ops wk_http1_stream_ops;

/* A new exchange, as the session's. NULL: no memory. */
struct wk_http1_stream *wk_http1_stream_new(struct wk_http1_session *s,
    struct wk_str protocol);

/* Have wk_http1_work() run soon: from verbs. */
void wk_http1_wake(struct wk_http1_session *s);

/* Tell what is to be told, read what is held, until nothing changes. */
void wk_http1_work(struct wk_http1_session *s);

/* Tell closed if the exchange is over; whether it was. */
bool wk_http1_settle(struct wk_http1_session *s);

/* No exchange any more: what comes is ignored, then what fate says. */
void wk_http1_leave(struct wk_http1_session *s, enum wk_session_fate fate);

/* The exchange ends early. reason is copied. */
void wk_http1_stream_fail(struct wk_http1_stream *st, enum wk_stream_code code,
    bool is_ours, const char *reason);

/*
 * The peer broke the rules: what receive returns, and a server that has not
 * responded yet answers with http_status. Returns error->status.
 */
int wk_http1_fail(struct wk_http1_session *s, unsigned http_status,
    const struct wk_error *error);

/* http1_session_read.c */

/* Use input until it is used up or has to wait. */
void wk_http1_read_input(struct wk_http1_session *s, const uint8_t **in,
    size_t *len);

/* Whether more input could be used now. */
bool wk_http1_can_read(const struct wk_http1_session *s);

/* The peer's message is complete. */
void wk_http1_read_done(struct wk_http1_session *s);
void wk_http1_incoming_del(struct wk_http1_session *s);

/* Whether a head has begun. */
bool wk_http1_has_begun(const struct wk_http1_session *s);

/* Start on a body, or be done when there is none. */
int wk_http1_start_body(struct wk_http1_session *s,
    enum wk_http1_framing framing);

/* The status for a head or framing (is_framing) that failed with rc. */
unsigned wk_http1_refusal(const struct wk_http1_head *head, int rc,
    bool is_framing);
int wk_http1_no_memory(struct wk_http1_session *s);

/* http1_session_head.c: the head in s->incoming is complete */
int wk_http1_on_request(struct wk_http1_session *s);
int wk_http1_on_response(struct wk_http1_session *s);

/*
 * Whether an upgrade is to another way of carrying HTTP and not to a tunnel;
 * servers may ignore it (RFC 9110, section 7.8), and we do.
 */
bool wk_http1_is_other_http(struct wk_str protocol);

/* http1_session_write.c: verbs */
int wk_http1_respond(struct wk_stream *base, const struct wk_message *m,
    bool is_last, struct wk_error *error);
int wk_http1_respond_informational(struct wk_stream *base,
    const struct wk_message *m, struct wk_error *error);
ssize_t wk_http1_write(struct wk_stream *base, const void *data, size_t len);
size_t wk_http1_queued(const struct wk_stream *base);
size_t wk_http1_room(const struct wk_stream *base);
int wk_http1_finish(struct wk_stream *base);
struct wk_stream *wk_http1_request(struct wk_session *session,
    const struct wk_message *m, bool has_body,
    const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error);

/* A response of the session's own, with a line of text, before the end. */
void wk_http1_put_error(struct wk_http1_session *s, unsigned status,
    const char *reason);
void wk_http1_put_continue(struct wk_http1_session *s);

/* Octets left the output, or are dropped. */
void wk_http1_out_sent(struct wk_http1_session *s, size_t octets);
void wk_http1_out_drop(struct wk_http1_session *s);
