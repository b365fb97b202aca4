/* SPDX-License-Identifier: MIT */
/* What goes out: heads, bodies, tunnels, and the session's own responses. */
#include "config.h"

#include <stdio.h>

#include "common/net/http1_session_parts.h"

/* An empty output gives its memory back when it has more than this. */
#define OUT_KEEP 2048

void
wk_http1_out_drop(struct wk_http1_session *s)
{
	s->out_at = 0;
	if (s->out.cap > OUT_KEEP)
		wk_buf_free(&s->out);
	else
		wk_buf_clear(&s->out);
}

/* How much of the body is among so many octets; chunks are told apart roughly. */
static void
count_sent(struct wk_http1_stream *st, size_t octets, size_t left)
{
	if (st->writing == WK_HTTP1_WRITE_CHUNKED)
		st->queued -= (size_t)((uint64_t)st->queued * octets /
		    (octets + left));
	if (st->queued > left)
		st->queued = left;
}

void
wk_http1_out_sent(struct wk_http1_session *s, size_t octets)
{
	size_t left = wk_http1_backlog(s);

	octets = octets < left ? octets : left;
	left -= octets;
	s->out_at += octets;
	if (s->stream != NULL && octets > 0)
		count_sent(s->stream, octets, left);
	if (left == 0)
		wk_http1_out_drop(s);
}

/* Where the output can be cut back to; sent octets are removed in time. */
static size_t
out_mark(struct wk_http1_session *s)
{
	size_t left = wk_http1_backlog(s);

	if (s->out_at > left) {
		memmove(s->out.data, s->out.data + s->out_at, left);
		s->out.len = left;
		s->out_at = 0;
	}
	return s->out.len;
}

/* Out it goes if all of it could be written, or nothing does. */
static int
out_commit(struct wk_http1_session *s, size_t mark, struct wk_error *error)
{
	int rc = s->out.status;

	if (rc != WK_OK) {
		s->out.len = mark;
		s->out.status = WK_OK;
		return wk_error_set(error, (enum wk_status)rc, 0,
		    "the head cannot be written: %s", wk_status_text(rc));
	}
	wk_session_tell_output(&s->base);
	return WK_OK;
}

static void
put_text(struct wk_buf *b, const char *name, const char *value)
{
	wk_http1_put_field(b, name, wk_str_of(value));
}

/* They were checked by wk_message_check(). */
static void
put_fields(struct wk_buf *b, const struct wk_message *m)
{
	const struct wk_field *field;
	size_t i;

	for (i = 0; i < m->n_fields; i++) {
		field = &m->fields[i];
		wk_buf_append(b, field->name.at, field->name.len);
		wk_buf_append(b, ": ", 2);
		wk_buf_append(b, field->value.at, field->value.len);
		wk_buf_append(b, "\r\n", 2);
	}
	wk_http1_put_end(b);
}

static int
invalid(struct wk_error *error, const char *reason)
{
	return wk_error_set(error, WK_E_INVALID, 0, "%s", reason);
}

static void
put_status(struct wk_http1_session *s, unsigned status)
{
	wk_http1_put_status(&s->out, status,
	    wk_str_of(wk_message_reason(status)));
}

void
wk_http1_put_continue(struct wk_http1_session *s)
{
	size_t mark = out_mark(s);

	put_status(s, 100);
	wk_http1_put_end(&s->out);
	out_commit(s, mark, NULL);
	wk_session_trace(&s->base, WK_TRACE_SENT, s->stream->base.id,
	    ":status: 100");
}

void
wk_http1_put_error(struct wk_http1_session *s, unsigned status,
    const char *reason)
{
	size_t mark = out_mark(s);
	char length[24];

	snprintf(length, sizeof(length), "%zu", strlen(reason) + 1);
	put_status(s, status);
	put_text(&s->out, "connection", "close");
	put_text(&s->out, "content-type", "text/plain; charset=utf-8");
	put_text(&s->out, "content-length", length);
	wk_http1_put_end(&s->out);
	wk_buf_printf(&s->out, "%s\n", reason);
	out_commit(s, mark, NULL);
	wk_session_trace(&s->base, WK_TRACE_SENT, 0, ":status: %u", status);
}

int
wk_http1_respond_informational(struct wk_stream *base,
    const struct wk_message *m, struct wk_error *error)
{
	struct wk_http1_stream *st = wk_http1_stream_of(base);
	struct wk_http1_session *s = wk_http1_session_of(base);
	size_t mark;

	if (st->writing != WK_HTTP1_WRITE_WAIT)
		return invalid(error, "the final response was sent already");
	if (wk_message_find(m, "content-length", NULL) != NULL)
		return invalid(error, "this response has no body");
	if (m->status == 100)
		st->awaits_continue = false;
	if (st->is_old)		/* it would not know what to do with it */
		return WK_OK;
	mark = out_mark(s);
	put_status(s, m->status);
	put_fields(&s->out, m);
	wk_session_trace_head(&s->base, WK_TRACE_SENT, base->id, m);
	return out_commit(s, mark, error);
}

/* The answer to a tunnel request that opens it. */
static int
open_tunnel(struct wk_http1_session *s, struct wk_http1_stream *st,
    const struct wk_message *m, bool is_last, struct wk_error *error)
{
	struct wk_error answer;
	size_t mark;
	int rc;

	if (wk_message_tunnel_answer(m, &answer) != WK_OK)
		return invalid(error, answer.reason);
	mark = out_mark(s);
	if (st->protocol != NULL) {
		put_status(s, 101);
		put_text(&s->out, "connection", "Upgrade");
		put_text(&s->out, "upgrade", st->protocol);
	} else {
		put_status(s, m->status);
	}
	put_fields(&s->out, m);
	rc = out_commit(s, mark, error);
	if (rc != WK_OK)
		return rc;
	st->is_open = true;
	st->writing = WK_HTTP1_WRITE_TUNNEL;
	s->reading = WK_HTTP1_READ_TUNNEL;
	wk_http1_wake(s);	/* what came early is for the tunnel */
	return is_last ? wk_stream_finish(&st->base) : WK_OK;
}

/* What a response's body will look like; needs_length: say that it is empty. */
static int
choose_body(struct wk_http1_stream *st, const struct wk_message *m,
    bool is_last, bool *needs_length, struct wk_error *error)
{
	bool is_bodiless = m->status == 204 || m->status == 304;
	int has_length = wk_message_content_length(m, &st->left_to_write);

	*needs_length = false;
	if (m->status == 204 && has_length)
		return invalid(error, "status 204 has no Content-Length");
	if (is_bodiless && !is_last)
		return invalid(error, "this response has no body");
	if (is_bodiless || (st->is_head && is_last))
		st->writing = WK_HTTP1_WRITE_DONE;
	else if (st->is_head)
		st->writing = WK_HTTP1_WRITE_NOWHERE;
	else if (is_last && st->left_to_write > 0)
		return invalid(error, "a body was promised by Content-Length");
	else if (is_last)
		st->writing = WK_HTTP1_WRITE_DONE;
	else if (has_length)
		st->writing = WK_HTTP1_WRITE_LENGTH;
	else
		st->writing = st->is_old ? WK_HTTP1_WRITE_CLOSE :
		    WK_HTTP1_WRITE_CHUNKED;
	*needs_length = is_last && !is_bodiless && !st->is_head && !has_length;
	return WK_OK;
}

static void
put_response(struct wk_http1_session *s, struct wk_http1_stream *st,
    const struct wk_message *m, bool needs_length)
{
	put_status(s, m->status);
	if (!st->is_persistent)
		put_text(&s->out, "connection", "close");
	else if (st->is_old)
		put_text(&s->out, "connection", "keep-alive");
	/* What 426 asks for (RFC 9110, section 15.5.22). */
	if (m->protocol.len > 0) {
		put_text(&s->out, "connection", "Upgrade");
		wk_http1_put_field(&s->out, "upgrade", m->protocol);
	}
	if (needs_length)
		put_text(&s->out, "content-length", "0");
	if (st->writing == WK_HTTP1_WRITE_CHUNKED)
		put_text(&s->out, "transfer-encoding", "chunked");
	put_fields(&s->out, m);
}

int
wk_http1_respond(struct wk_stream *base, const struct wk_message *m,
    bool is_last, struct wk_error *error)
{
	struct wk_http1_stream *st = wk_http1_stream_of(base);
	struct wk_http1_session *s = wk_http1_session_of(base);
	bool needs_length;
	size_t mark;
	int rc;

	if (st->writing != WK_HTTP1_WRITE_WAIT)
		return invalid(error, "the final response was sent already");
	if (st->is_connect && m->status / 100 == 2) {
		rc = open_tunnel(s, st, m, is_last, error);
		if (rc == WK_OK)
			wk_session_trace_head(&s->base, WK_TRACE_SENT,
			    base->id, m);
		return rc;
	}
	rc = choose_body(st, m, is_last, &needs_length, error);
	if (rc != WK_OK)
		return rc;
	if (s->is_draining || st->writing == WK_HTTP1_WRITE_CLOSE ||
	    st->awaits_continue)
		st->is_persistent = false;
	mark = out_mark(s);
	put_response(s, st, m, needs_length);
	rc = out_commit(s, mark, error);
	if (rc != WK_OK) {
		st->writing = WK_HTTP1_WRITE_WAIT;
		return rc;
	}
	wk_session_trace_head(&s->base, WK_TRACE_SENT, base->id, m);
	/* What follows, if anything, was not asked for. */
	if (st->is_connect || st->awaits_continue) {
		s->reading = WK_HTTP1_READ_IGNORE;
		wk_http1_wake(s);
	}
	return WK_OK;
}

size_t
wk_http1_queued(const struct wk_stream *base)
{
	return ((const struct wk_http1_stream *)base)->queued;
}

/* The queue counts the body; many small chunks count by what they really are. */
size_t
wk_http1_room(const struct wk_stream *base)
{
	const struct wk_http1_stream *st = (const struct wk_http1_stream *)base;
	const struct wk_http1_session *s = wk_http1_session_of(base);
	size_t max = s->base.limits.max_queued;

	if (st->queued >= max || wk_http1_backlog(s) / 4 > max)
		return 0;
	return max - st->queued;
}

ssize_t
wk_http1_write(struct wk_stream *base, const void *data, size_t len)
{
	struct wk_http1_stream *st = wk_http1_stream_of(base);
	struct wk_http1_session *s = wk_http1_session_of(base);
	size_t room = wk_http1_room(base), n = len < room ? len : room, mark;

	if (st->writing == WK_HTTP1_WRITE_NOWHERE)
		return (ssize_t)len;
	if (st->writing == WK_HTTP1_WRITE_WAIT ||
	    st->writing == WK_HTTP1_WRITE_DONE ||
	    (st->writing == WK_HTTP1_WRITE_LENGTH && len > st->left_to_write))
		return WK_E_INVALID;
	if (n == 0)
		return 0;
	mark = out_mark(s);
	if (st->writing == WK_HTTP1_WRITE_CHUNKED)
		wk_http1_put_chunk(&s->out, data, n);
	else
		wk_buf_append(&s->out, data, n);
	if (out_commit(s, mark, NULL) != WK_OK)
		return 0;
	if (st->writing == WK_HTTP1_WRITE_LENGTH)
		st->left_to_write -= n;
	st->queued += n;
	return (ssize_t)n;
}

int
wk_http1_finish(struct wk_stream *base)
{
	struct wk_http1_stream *st = wk_http1_stream_of(base);
	struct wk_http1_session *s = wk_http1_session_of(base);
	size_t mark;

	switch (st->writing) {
	case WK_HTTP1_WRITE_WAIT:
	case WK_HTTP1_WRITE_DONE:
		return WK_E_INVALID;
	case WK_HTTP1_WRITE_LENGTH:
		if (st->left_to_write == 0)
			break;
		/* Nothing else tells the peer that there will be no more. */
		wk_stream_reset(base, WK_STREAM_INTERNAL,
		    "the body is shorter than its Content-Length");
		return WK_E_INVALID;
	case WK_HTTP1_WRITE_CHUNKED:
		mark = out_mark(s);
		wk_http1_put_last_chunk(&s->out);
		wk_http1_put_end(&s->out);
		if (out_commit(s, mark, NULL) != WK_OK)
			wk_stream_reset(base, WK_STREAM_INTERNAL,
			    "out of memory");
		break;
	case WK_HTTP1_WRITE_TUNNEL:
		if (s->fate < WK_SESSION_FINISH)
			s->fate = WK_SESSION_FINISH;
		break;
	default:
		break;
	}
	st->writing = WK_HTTP1_WRITE_DONE;
	wk_http1_wake(s);
	return WK_OK;
}

/* A request without a body says so if its method often has one. */
static bool
needs_length(const struct wk_message *m)
{
	return wk_str_is(m->method, "POST") || wk_str_is(m->method, "PUT") ||
	    wk_str_is(m->method, "PATCH");
}

static void
put_request(struct wk_buf *b, const struct wk_message *m, bool is_chunked,
    bool is_empty)
{
	bool is_tunnel = wk_message_is_tunnel_request(m);

	wk_http1_put_request(b, is_tunnel ? wk_str_of("GET") : m->method,
	    m->path.len > 0 ? m->path : m->authority);
	wk_http1_put_field(b, "host", m->authority);
	if (is_tunnel) {
		put_text(b, "connection", "Upgrade");
		wk_http1_put_field(b, "upgrade", m->protocol);
	} else if (wk_message_find(m, "te", NULL) != NULL) {
		put_text(b, "connection", "TE");
	}
	if (is_chunked)
		put_text(b, "transfer-encoding", "chunked");
	if (is_empty)
		put_text(b, "content-length", "0");
	put_fields(b, m);
}

/* Whether and how a request may be sent now. */
static int
check_request(const struct wk_http1_session *s, const struct wk_message *m,
    bool has_body, int has_length, uint64_t length, struct wk_error *error)
{
	struct wk_error fields;

	if (s->is_draining || s->fate != WK_SESSION_OPEN)
		return wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "the connection takes no more requests");
	if (s->stream != NULL)
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "the connection carries one request at a time");
	if (wk_str_is(m->method, "CONNECT") &&
	    wk_message_check_tunnel_fields(m, &fields) != WK_OK)
		return invalid(error, fields.reason);
	if (m->protocol.len > 0 && wk_http1_is_other_http(m->protocol))
		return invalid(error, "not the protocol of a tunnel");
	if (!has_body && has_length && length > 0)
		return invalid(error, "a body was promised by Content-Length");
	return WK_OK;
}

struct wk_stream *
wk_http1_request(struct wk_session *session, const struct wk_message *m,
    bool has_body, const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error)
{
	struct wk_http1_session *s = wk_http1_of(session);
	bool is_connect = wk_str_is(m->method, "CONNECT"), is_chunked;
	struct wk_http1_stream *st;
	uint64_t length;
	int has_length = wk_message_content_length(m, &length);
	size_t mark;

	if (check_request(s, m, has_body, has_length, length, error) != WK_OK)
		return NULL;
	is_chunked = has_body && !is_connect && !has_length;
	mark = out_mark(s);
	put_request(&s->out, m, is_chunked,
	    !has_body && !has_length && needs_length(m));
	if (out_commit(s, mark, error) != WK_OK)
		return NULL;
	st = wk_http1_stream_new(s, m->protocol);
	if (st == NULL) {
		s->out.len = mark;
		wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	st->is_connect = is_connect;
	st->is_head = wk_str_is(m->method, "HEAD");
	st->left_to_write = length;
	if (is_connect)
		st->writing = WK_HTTP1_WRITE_WAIT;
	else if (!has_body)
		st->writing = WK_HTTP1_WRITE_DONE;
	else
		st->writing = is_chunked ? WK_HTTP1_WRITE_CHUNKED :
		    WK_HTTP1_WRITE_LENGTH;
	wk_stream_handle(&st->base, handler, arg);
	wk_session_trace_head(&s->base, WK_TRACE_SENT, st->base.id, m);
	return &st->base;
}
