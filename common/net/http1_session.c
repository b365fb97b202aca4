/* SPDX-License-Identifier: MIT */
/* The connection's life: exchanges, ends, deadlines. */
#include "config.h"

#include "common/net/http1_session.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/net/http1_session_parts.h"
#include "common/net/loop.h"

/* How long a server still reads behind its last response (RFC 9112, 9.6). */
#define LINGER_NS (2 * WK_NS_PER_SEC)

/* More input than this is not held for a caller that does not stop. */
#define HELD_MAX (4 << 20)

static uint64_t
after(uint64_t now_ns, uint64_t timeout_ns)
{
	return timeout_ns == 0 ? WK_NEVER : now_ns + timeout_ns;
}

void
wk_http1_wake(struct wk_http1_session *s)
{
	s->has_work = true;
	wk_session_tell_output(&s->base);
}

void
wk_http1_leave(struct wk_http1_session *s, enum wk_session_fate fate)
{
	/* Without a direction of theirs there is nothing to linger for. */
	if (fate == WK_SESSION_FINISH && s->has_end)
		fate = WK_SESSION_CLOSE;
	if (fate == WK_SESSION_ABORT)
		wk_http1_out_drop(s);
	if (s->fate < fate)
		s->fate = fate;
	s->is_draining = true;
	s->reading = WK_HTTP1_READ_IGNORE;
	s->deadline_ns = fate == WK_SESSION_FINISH ?
	    after(s->now_ns, LINGER_NS) : WK_NEVER;
	wk_session_tell_output(&s->base);
}

struct wk_http1_stream *
wk_http1_stream_new(struct wk_http1_session *s, struct wk_str protocol)
{
	struct wk_http1_stream *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return NULL;
	if (protocol.len > 0 &&
	    (st->protocol = strndup(protocol.at, protocol.len)) == NULL) {
		free(st);
		return NULL;
	}
	wk_stream_attach(&s->base, &st->base, &wk_http1_stream_ops,
	    ++s->n_exchanges);
	st->is_persistent = true;
	s->stream = st;
	return st;
}

void
wk_http1_stream_fail(struct wk_http1_stream *st, enum wk_stream_code code,
    bool is_ours, const char *reason)
{
	st->base.is_over = true;
	st->code = code;
	st->is_ours = is_ours;
	st->reason = reason == NULL ? NULL : strdup(reason);
}

int
wk_http1_fail(struct wk_http1_session *s, unsigned http_status,
    const struct wk_error *error)
{
	struct wk_http1_stream *st = s->stream;
	bool can_answer = s->base.is_server && (st == NULL ||
	    (st->writing == WK_HTTP1_WRITE_WAIT && !st->base.is_over));

	wk_session_trace(&s->base, WK_TRACE_NOTE, 0, "byte %llu: %s",
	    (unsigned long long)error->offset, error->reason);
	s->status = error->status;
	if (s->error != NULL)
		*s->error = *error;
	if (can_answer)
		wk_http1_put_error(s, http_status, error->reason);
	wk_http1_leave(s, can_answer ? WK_SESSION_FINISH : WK_SESSION_ABORT);
	if (st != NULL && !st->base.is_over)
		wk_http1_stream_fail(st, WK_STREAM_MALFORMED, true,
		    error->reason);
	return error->status;
}

static void
stream_del(struct wk_http1_stream *st)
{
	free(st->protocol);
	free(st->reason);
	free(st);
}

/* Tell closed; the exchange is no longer the session's by then. */
static void
stream_close(struct wk_http1_stream *st)
{
	struct wk_stream_end end = {
		.code = st->code,
		.is_ours = st->is_ours,
		.reason = st->reason == NULL ? "" : st->reason,
	};

	wk_stream_deliver_closed(&st->base, st->base.is_over ? &end : NULL);
	stream_del(st);
}

/* Both directions are complete and on their way. */
static bool
is_complete(const struct wk_http1_session *s)
{
	return s->stream->writing == WK_HTTP1_WRITE_DONE &&
	    (s->reading == WK_HTTP1_READ_DONE ||
	    s->reading == WK_HTTP1_READ_IGNORE) && wk_http1_backlog(s) == 0;
}

bool
wk_http1_settle(struct wk_http1_session *s)
{
	struct wk_http1_stream *st = s->stream;

	if (st == NULL || (!st->base.is_over && !is_complete(s)))
		return false;
	s->stream = NULL;
	if (!st->base.is_over && st->is_persistent && !s->is_draining) {
		s->reading = WK_HTTP1_READ_HEAD;
		s->deadline_ns = s->base.is_server ?
		    after(s->now_ns, s->base.limits.idle_timeout_ns) : WK_NEVER;
	} else if (s->fate != WK_SESSION_ABORT) {
		wk_http1_leave(s, s->base.is_server ? WK_SESSION_FINISH :
		    WK_SESSION_CLOSE);
	}
	stream_close(st);
	return true;
}

/* The end of the input, once everything in front of it is read. */
static bool
tell_end(struct wk_http1_session *s)
{
	struct wk_http1_stream *st = s->stream;
	const char *reason = NULL;

	if (!s->has_end || s->end_is_told || s->held.len > s->held_at)
		return false;
	/* A clean end waits for what becomes of the tunnel. */
	if (s->reading == WK_HTTP1_READ_WAIT && s->end_is_clean)
		return false;
	s->end_is_told = true;
	if (st == NULL) {
		wk_http1_leave(s, WK_SESSION_CLOSE);
		return true;
	}
	st->is_persistent = false;
	switch (s->reading) {
	case WK_HTTP1_READ_HEAD:
		reason = wk_http1_has_begun(s) ?
		    "the connection ended inside the response head" :
		    "the connection ended before the response";
		break;
	case WK_HTTP1_READ_LENGTH:
	case WK_HTTP1_READ_CHUNKED:
		reason = "the connection ended inside a body";
		break;
	case WK_HTTP1_READ_CLOSE:
	case WK_HTTP1_READ_TUNNEL:
		if (s->end_is_clean)
			wk_http1_read_done(s);
		break;
	default:
		break;
	}
	if (!s->end_is_clean && s->base.cause != NULL)
		reason = s->base.cause;
	else if (reason == NULL && !s->end_is_clean)
		reason = "the connection was cut off";
	if (reason != NULL && !st->base.is_over) {
		wk_http1_stream_fail(st, WK_STREAM_LOST, false, reason);
		wk_http1_leave(s, WK_SESSION_CLOSE);
	}
	return true;
}

/* What is held is read; whether any of it was. */
static bool
read_held(struct wk_http1_session *s)
{
	const uint8_t *in;
	size_t len = s->held.len - s->held_at, left = len;

	if (len == 0 || !wk_http1_can_read(s))
		return false;
	in = s->held.data + s->held_at;
	wk_http1_read_input(s, &in, &left);
	s->held_at += len - left;
	if (left == 0) {
		wk_buf_free(&s->held);
		s->held_at = 0;
	}
	return left < len;
}

void
wk_http1_work(struct wk_http1_session *s)
{
	do
		s->has_work = false;
	while (wk_http1_settle(s) || read_held(s) || tell_end(s) ||
	    s->has_work);
	if (s->reading == WK_HTTP1_READ_TUNNEL ||
	    s->reading == WK_HTTP1_READ_IGNORE)
		wk_http1_incoming_del(s);
}

static int
receive(struct wk_session *session, const uint8_t *data, size_t len,
    uint64_t now_ns, struct wk_error *error)
{
	struct wk_http1_session *s = wk_http1_of(session);
	struct wk_error full;

	s->now_ns = now_ns;
	s->status = WK_OK;
	s->error = error;
	if (s->held.len == s->held_at)
		wk_http1_read_input(s, &data, &len);
	if (len > 0) {
		wk_buf_append(&s->held, data, len);
		if (s->held.status != WK_OK) {
			wk_error_set(&full, s->held.status, 0,
			    "more input than was wanted");
			wk_http1_fail(s, 500, &full);
		}
	}
	wk_http1_work(s);
	s->error = NULL;
	return s->status;
}

static void
receive_end(struct wk_session *session, bool is_clean, uint64_t now_ns)
{
	struct wk_http1_session *s = wk_http1_of(session);

	s->now_ns = now_ns;
	if (!s->has_end)
		s->end_is_clean = is_clean;
	s->has_end = true;
	wk_http1_work(s);
}

static bool
wants_input(const struct wk_session *session)
{
	const struct wk_http1_session *s =
	    (const struct wk_http1_session *)session;

	/* A busy server still wants to hear of the end. */
	return !s->has_end && s->held.len == s->held_at &&
	    (wk_http1_can_read(s) || s->reading == WK_HTTP1_READ_WAIT ||
	    s->reading == WK_HTTP1_READ_DONE);
}

static size_t
output(struct wk_session *session, const uint8_t **data)
{
	struct wk_http1_session *s = wk_http1_of(session);

	*data = s->out.len == 0 ? NULL : s->out.data + s->out_at;
	return wk_http1_backlog(s);
}

static void
sent(struct wk_session *session, size_t octets, uint64_t now_ns)
{
	struct wk_http1_session *s = wk_http1_of(session);

	s->now_ns = now_ns;
	wk_http1_out_sent(s, octets);
	if (s->stream != NULL && s->stream->base.wants_writable &&
	    s->stream->queued <= s->base.limits.max_queued / 2 &&
	    wk_http1_room(&s->stream->base) > 0)
		wk_stream_deliver_writable(&s->stream->base);
	wk_http1_work(s);
}

static enum wk_session_fate
fate(const struct wk_session *session)
{
	return ((const struct wk_http1_session *)session)->fate;
}

static uint64_t
deadline_ns(const struct wk_session *session)
{
	const struct wk_http1_session *s =
	    (const struct wk_http1_session *)session;

	return s->has_work ? 0 : s->deadline_ns;
}

/* The peer took too long over a head, or had nothing to ask. */
static void
expire_head(struct wk_http1_session *s)
{
	bool has_begun = wk_http1_has_begun(s);

	wk_session_trace(&s->base, WK_TRACE_NOTE, 0, has_begun ?
	    "a head took too long" : "nothing was asked for too long");
	if (s->stream != NULL) {
		wk_http1_stream_fail(s->stream, WK_STREAM_LOST, true,
		    "the response head took too long");
		wk_http1_leave(s, WK_SESSION_ABORT);
	} else if (has_begun) {
		wk_http1_put_error(s, 408, "the request head took too long");
		wk_http1_leave(s, WK_SESSION_FINISH);
	} else {
		wk_http1_leave(s, WK_SESSION_CLOSE);
	}
}

static void
expire(struct wk_session *session, uint64_t now_ns)
{
	struct wk_http1_session *s = wk_http1_of(session);

	s->now_ns = now_ns;
	wk_http1_work(s);
	if (now_ns >= s->deadline_ns) {
		s->deadline_ns = WK_NEVER;
		if (s->reading == WK_HTTP1_READ_HEAD)
			expire_head(s);
		else
			wk_http1_leave(s, WK_SESSION_CLOSE);
	}
	wk_http1_work(s);
}

static void
shut_down(struct wk_session *session)
{
	struct wk_http1_session *s = wk_http1_of(session);

	s->is_draining = true;
	if (s->stream == NULL && s->fate == WK_SESSION_OPEN)
		wk_http1_leave(s, WK_SESSION_CLOSE);
}

static void
consume(struct wk_stream *base, size_t octets)
{
	struct wk_http1_stream *st = wk_http1_stream_of(base);
	struct wk_http1_session *s = wk_http1_session_of(base);
	bool could_read = wk_http1_can_read(s);

	st->unconsumed -= octets < st->unconsumed ? octets : st->unconsumed;
	if (!could_read && wk_http1_can_read(s))
		wk_http1_wake(s);
}

static void
reset(struct wk_stream *base, enum wk_stream_code code, const char *reason)
{
	struct wk_http1_stream *st = wk_http1_stream_of(base);
	struct wk_http1_session *s = wk_http1_session_of(base);

	wk_http1_stream_fail(st, code, true, reason);
	/* Not wanting the rest of a request leaves its response in peace. */
	wk_http1_leave(s, s->base.is_server && code == WK_STREAM_NO_ERROR &&
	    st->writing == WK_HTTP1_WRITE_DONE ?
	    WK_SESSION_FINISH : WK_SESSION_ABORT);
	wk_http1_wake(s);
}

static void
del(struct wk_session *session)
{
	struct wk_http1_session *s = wk_http1_of(session);
	struct wk_http1_stream *st = s->stream;

	s->stream = NULL;
	s->is_draining = true;
	if (st != NULL) {
		if (!st->base.is_over)
			wk_http1_stream_fail(st, WK_STREAM_LOST, true,
			    s->base.cause != NULL ? s->base.cause :
			    "the connection was dropped");
		stream_close(st);
	}
	wk_http1_incoming_del(s);
	wk_buf_free(&s->held);
	wk_buf_free(&s->out);
	free(s);
}

const struct wk_stream_ops wk_http1_stream_ops = {
	.respond = wk_http1_respond,
	.respond_informational = wk_http1_respond_informational,
	.write = wk_http1_write,
	.queued = wk_http1_queued,
	.room = wk_http1_room,
	.finish = wk_http1_finish,
	.consume = consume,
	.reset = reset,
};

static const struct wk_session_ops session_ops = {
	.version = WK_HTTP_1_1,
	.del = del,
	.receive = receive,
	.receive_end = receive_end,
	.wants_input = wants_input,
	.output = output,
	.sent = sent,
	.fate = fate,
	.deadline_ns = deadline_ns,
	.expire = expire,
	.request = wk_http1_request,
	.shutdown = shut_down,
};

struct wk_session *
wk_http1_session_new(bool is_server, const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns)
{
	struct wk_http1_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->base.ops = &session_ops;
	s->base.handler = handler;
	s->base.arg = arg;
	s->base.limits = *limits;
	s->base.is_server = is_server;
	s->scheme = "http";
	s->now_ns = now_ns;
	s->deadline_ns = is_server ?
	    after(now_ns, limits->head_timeout_ns) : WK_NEVER;
	wk_buf_init(&s->held, HELD_MAX);
	wk_buf_init(&s->out, SIZE_MAX / 4);
	return &s->base;
}

void
wk_http1_session_set_scheme(struct wk_session *session, const char *scheme)
{
	wk_http1_of(session)->scheme = scheme;
}
