/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/net/loop.h"	/* WK_NEVER */

static struct http2_stream *
of(struct wk_stream *s)
{
	return (struct http2_stream *)(void *)s;
}

static const struct http2_stream *
of_const(const struct wk_stream *s)
{
	return (const struct http2_stream *)(const void *)s;
}

/* --- what is due ----------------------------------------------------------- */

void
http2_due(struct http2_stream *s, enum http2_due what)
{
	struct http2 *h = http2_of(&s->base);

	s->due |= what;
	if (s->is_listed)
		return;
	s->is_listed = true;
	s->due_next = NULL;
	if (h->due_last != NULL)
		h->due_last->due_next = s;
	else
		h->due_first = s;
	h->due_last = s;
	http2_wake(h);
}

/* The owner will not consume these any more. */
static void
drop_received(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);
	size_t octets = s->kept + s->held.len;

	s->kept = 0;
	wk_buf_free(&s->held);
	if (octets > 0)
		nghttp2_session_consume_connection(h->ng, octets);
}

static void
consumed(struct http2_stream *s, size_t octets)
{
	struct http2 *h = http2_of(&s->base);

	if (octets > s->kept)
		octets = s->kept;
	s->kept -= octets;
	nghttp2_session_consume(h->ng, (int32_t)s->base.id, octets);
	if (s->held.len > 0)
		http2_due(s, HTTP2_DUE_HELD);
	if (nghttp2_session_want_write(h->ng))
		http2_wake(h);
}

static void
hand_over(struct http2_stream *s, const uint8_t *data, size_t len)
{
	s->kept += len;
	if (wk_stream_deliver_data(&s->base, data, len))
		consumed(s, len);
}

/* What a tunnel carries has no meaning before it is answered. */
static bool
is_answered(const struct http2_stream *s)
{
	return !s->is_tunnel || s->has_head;
}

static size_t
window_left(const struct http2_stream *s)
{
	size_t window = s->base.session->limits.window;

	return s->kept < window ? window - s->kept : 0;
}

static void
deliver_end(struct http2_stream *s)
{
	if (s->has_delivered_end || !s->has_received_end ||
	    s->held.len > 0 || !is_answered(s))
		return;
	s->has_delivered_end = true;
	wk_stream_deliver_end(&s->base);
}

/* Held, until the owner can have it; never more than the peer's window. */
static void
hold(struct http2_stream *s, const uint8_t *data, size_t len)
{
	if (wk_buf_append(&s->held, data, len) != WK_OK)
		wk_stream_reset(&s->base, WK_STREAM_INTERNAL,
		    "no memory for what cannot be delivered yet");
}

static void
deliver_held(struct http2_stream *s)
{
	struct wk_buf held;
	size_t len = window_left(s);

	if (!is_answered(s))
		return;
	if (s->reads_nowhere)
		drop_received(s);
	held = s->held;
	wk_buf_init(&s->held, held.max);
	len = len < held.len ? len : held.len;
	if (held.len > len)
		hold(s, held.data + len, held.len - len);
	if (len > 0)
		hand_over(s, held.data, len);
	wk_buf_free(&held);
	deliver_end(s);
}

void
http2_deliver_due(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);
	unsigned due = s->due;

	s->due &= HTTP2_DUE_CLOSED;
	if ((due & HTTP2_DUE_HELD) != 0)
		deliver_held(s);
	/* An event before this one may have filled the queue again. */
	if ((due & HTTP2_DUE_WRITABLE) != 0 && !h->is_deleted &&
	    !s->is_finished && s->queue.len <= s->queue.max / 2)
		wk_stream_deliver_writable(&s->base);
	if ((due & HTTP2_DUE_CLOSED) == 0 || h->is_deleted)
		return;
	http2_stream_closed(s);
}

/* The last event, and the end of the stream, but not of its memory. */
void
http2_stream_closed(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);

	s->is_closed = true;
	http2_unready(s);
	drop_received(s);
	if (s->base.id != 0)
		nghttp2_session_set_stream_user_data(h->ng,
		    (int32_t)s->base.id, NULL);
	if (s->waiting != NULL)
		h->n_unsubmitted--;
	http2_lines_del(s->waiting);
	s->waiting = NULL;
	wk_stream_deliver_closed(&s->base, s->has_end ? &s->end : NULL);
	if (h->base.n_streams == 0)
		h->idle_ns = h->is_now ? h->now_ns : WK_NEVER;
	s->due_next = h->graves;
	h->graves = s;
}

/* --- how streams end ------------------------------------------------------- */

void
http2_stream_end(struct http2_stream *s, enum wk_stream_code code,
    bool is_ours, uint64_t wire_code, const char *reason)
{
	if ((s->due & HTTP2_DUE_CLOSED) != 0 || s->is_closed)
		return;
	s->base.is_over = true;
	s->has_end = true;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	s->end = (struct wk_stream_end){ .code = code, .is_ours = is_ours,
		.wire_code = wire_code, .reason = s->reason };
	http2_unready(s);
	wk_ring_free(&s->queue);
	drop_received(s);
	http2_due(s, HTTP2_DUE_CLOSED);
}

static void
reset(struct wk_stream *base, enum wk_stream_code code, const char *reason)
{
	struct http2 *h = http2_of(base);
	struct http2_stream *s = of(base);
	uint32_t wire = http2_code_out(code);

	if (s->is_submitted && (s->due & HTTP2_DUE_CLOSED) == 0) {
		nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE,
		    (int32_t)base->id, wire);
		if (h->head_stream == (int32_t)base->id)
			h->head_stream = 0;
		wk_session_trace(base->session, WK_TRACE_NOTE, base->id,
		    "reset with %s: %s", http2_error_text(wire), reason);
	}
	http2_stream_end(s, code, true, wire, reason);
	http2_wake(h);
}

void
http2_stream_malformed(struct http2_stream *s, const char *reason)
{
	wk_stream_reset(&s->base, WK_STREAM_MALFORMED, reason);
	http2_spend_reset(http2_of(&s->base));
}

void
http2_stream_stalled(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);
	static const char reason[] = "the peer takes nothing any more";

	if (s->is_submitted)
		nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE,
		    (int32_t)s->base.id, NGHTTP2_CANCEL);
	http2_stream_end(s, WK_STREAM_LOST, true, NGHTTP2_CANCEL, reason);
}

/* It was closed by frames; by whose, and why? */
void
http2_stream_gone(struct http2_stream *s, uint32_t code)
{
	struct http2 *h = http2_of(&s->base);
	char reason[WK_ERROR_REASON_MAX];

	s->is_submitted = false;
	if (code == NGHTTP2_NO_ERROR && !s->was_reset) {
		http2_unready(s);
		http2_due(s, HTTP2_DUE_CLOSED);
		return;
	}
	if (s->was_reset)
		snprintf(reason, sizeof(reason), "the peer sent %s",
		    http2_error_text(code));
	else if (h->is_draining && code == NGHTTP2_REFUSED_STREAM)
		snprintf(reason, sizeof(reason),
		    "the peer takes no more requests%s%s",
		    h->goaway_text[0] != '\0' ? ": " : "", h->goaway_text);
	else
		snprintf(reason, sizeof(reason), "%s%s%s",
		    http2_error_text(code),
		    h->library_text[0] != '\0' ? ": " : "", h->library_text);
	http2_stream_end(s, http2_code_in(code), !s->was_reset &&
	    !h->is_draining, code, reason);
}

/* --- what arrives ---------------------------------------------------------- */

struct http2_stream *
http2_stream_find(struct http2 *h, int32_t id)
{
	return nghttp2_session_get_stream_user_data(h->ng, id);
}

void
http2_stream_received(struct http2_stream *s, const uint8_t *data, size_t len)
{
	struct http2 *h = http2_of(&s->base);
	const char *wrong = NULL;
	size_t now;

	s->received += len;
	if (!h->base.is_server && !s->has_head)
		wrong = "a body before the response";
	else if (s->has_announced && s->received > s->announced)
		wrong = "the body is longer than announced";
	if (wrong != NULL)
		http2_stream_malformed(s, wrong);
	/* Beyond the window; nghttp2 has seen it and resets the stream. */
	if (s->base.is_over || s->reads_nowhere || len > s->held.max - s->kept - s->held.len) {
		nghttp2_session_consume_connection(h->ng, len);
		return;
	}
	now = is_answered(s) && s->held.len == 0 ? window_left(s) : 0;
	now = now < len ? now : len;
	if (now > 0)
		hand_over(s, data, now);
	if (s->base.is_over)
		nghttp2_session_consume_connection(h->ng, len - now);
	else if (now < len)
		hold(s, data + now, len - now);
}

void
http2_stream_received_end(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);

	if (s->base.is_over)
		return;
	if (!h->base.is_server && !s->has_head) {
		http2_stream_malformed(s, "the stream ends before the response");
		return;
	}
	if (s->has_announced && s->received != s->announced) {
		http2_stream_malformed(s, "the body is shorter than announced");
		return;
	}
	s->has_received_end = true;
	deliver_end(s);
}

/* --- verbs ----------------------------------------------------------------- */

static int
invalid(struct wk_error *error, const char *reason)
{
	return wk_error_set(error, WK_E_INVALID, 0, "%s", reason);
}

/* Whether the length that a head promises is that of a body to come. */
int
http2_promise(struct http2_stream *s, const struct wk_message *m, bool has_body,
    struct wk_error *error)
{
	s->has_promised = wk_message_content_length(m, &s->promised) == 1;
	if (s->has_promised && s->promised > 0 && !has_body)
		return invalid(error, "a body was promised by Content-Length");
	return WK_OK;
}

/* Whether the response may be that, and what body follows it. */
static int
check_response(struct http2_stream *s, const struct wk_message *m,
    bool is_last, struct wk_error *error)
{
	bool is_bodiless = m->status == 204 || m->status == 304;
	struct wk_error answer;

	if (s->has_head)
		return invalid(error, "the response was sent already");
	if (s->is_tunnel && m->status / 100 == 2)
		return wk_message_tunnel_answer(m, &answer) == WK_OK ? WK_OK :
		    invalid(error, answer.reason);
	if (m->status == 204 && wk_message_find(m, "content-length", NULL))
		return invalid(error, "status 204 has no Content-Length");
	if (is_bodiless && !is_last)
		return invalid(error, "this response has no body");
	if (is_bodiless || s->is_head_request)
		return WK_OK;
	return http2_promise(s, m, !is_last, error);
}

static int
respond(struct wk_stream *base, const struct wk_message *m, bool is_last,
    struct wk_error *error)
{
	struct http2 *h = http2_of(base);
	struct http2_stream *s = of(base);
	struct http2_lines *lines;
	int rc;

	rc = check_response(s, m, is_last, error);
	if (rc != WK_OK)
		return rc;
	if (s->is_head_request && !is_last)
		s->writes_nowhere = is_last = true;
	lines = http2_lines_new(m);
	if (lines == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "no memory");
	rc = nghttp2_submit_response(h->ng, (int32_t)base->id, lines->nv,
	    lines->n, is_last ? NULL : &http2_provider);
	http2_lines_del(lines);
	if (rc != 0)
		return wk_error_set(error, WK_E_NOMEM, 0, "%s",
		    nghttp2_strerror(rc));
	s->has_head = true;
	s->may_write = !is_last;
	s->is_finished = is_last;
	wk_session_trace_head(base->session, WK_TRACE_SENT, base->id, m);
	s->reads_nowhere = s->is_tunnel && m->status / 100 != 2;
	if (s->is_tunnel)
		http2_due(s, HTTP2_DUE_HELD);
	http2_wake(h);
	return WK_OK;
}

static int
respond_informational(struct wk_stream *base, const struct wk_message *m,
    struct wk_error *error)
{
	struct http2 *h = http2_of(base);
	struct http2_lines *lines;
	int rc;

	if (of(base)->has_head)
		return invalid(error, "the response was sent already");
	lines = http2_lines_new(m);
	if (lines == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "no memory");
	rc = nghttp2_submit_headers(h->ng, NGHTTP2_FLAG_NONE,
	    (int32_t)base->id, NULL, lines->nv, lines->n, NULL);
	http2_lines_del(lines);
	if (rc != 0)
		return wk_error_set(error, WK_E_NOMEM, 0, "%s",
		    nghttp2_strerror(rc));
	wk_session_trace_head(base->session, WK_TRACE_SENT, base->id, m);
	http2_wake(h);
	return WK_OK;
}

static ssize_t
write_octets(struct wk_stream *base, const void *data, size_t len)
{
	struct http2_stream *s = of(base);
	size_t n;

	if (s->writes_nowhere)
		return (ssize_t)len;
	if (!s->may_write || s->is_finished ||
	    (s->has_promised && len > s->promised))
		return WK_E_INVALID;
	n = wk_ring_append(&s->queue, data, len);
	s->promised -= s->has_promised ? n : 0;
	if (s->queue.len > 0)
		http2_ready(s);
	else if (len > 0)
		return WK_E_NOMEM;	/* writable could never follow */
	return (ssize_t)n;
}

static size_t
queued(const struct wk_stream *base)
{
	return of_const(base)->queue.len;
}

static size_t
room(const struct wk_stream *base)
{
	const struct http2_stream *s = of_const(base);

	return (s->may_write && !s->is_finished) || s->writes_nowhere ?
	    wk_ring_room(&s->queue) : 0;
}

static int
finish(struct wk_stream *base)
{
	struct http2_stream *s = of(base);

	if (s->writes_nowhere) {
		s->writes_nowhere = false;
		return WK_OK;
	}
	if (!s->may_write || s->is_finished)
		return WK_E_INVALID;
	if (s->has_promised && s->promised > 0) {
		wk_stream_reset(base, WK_STREAM_INTERNAL,
		    "the body ends before its Content-Length");
		return WK_E_INVALID;
	}
	s->is_finished = true;
	http2_ready(s);
	return WK_OK;
}

static void
consume(struct wk_stream *base, size_t octets)
{
	consumed(of(base), octets);
}

static const struct wk_stream_ops ops = {
	.respond = respond,
	.respond_informational = respond_informational,
	.write = write_octets,
	.queued = queued,
	.room = room,
	.finish = finish,
	.consume = consume,
	.reset = reset,
};

/* --- how streams begin ----------------------------------------------------- */

struct http2_stream *
http2_stream_new(struct http2 *h, uint64_t id, const struct wk_message *request)
{
	struct http2_stream *s = calloc(1, sizeof(*s));
	size_t window = h->base.limits.window;

	if (s == NULL)
		return NULL;
	wk_ring_init(&s->queue, h->base.limits.max_queued);
	/* A peer may use the first window until it has seen our settings. */
	wk_buf_init(&s->held, window < HTTP2_WINDOW_FIRST ?
	    HTTP2_WINDOW_FIRST : window);
	s->is_tunnel = wk_str_is(request->method, "CONNECT");
	s->is_extended = wk_message_is_tunnel_request(request);
	s->is_head_request = wk_str_is(request->method, "HEAD");
	wk_stream_attach(&h->base, &s->base, &ops, id);
	return s;
}

void
http2_stream_del(struct http2_stream *s)
{
	wk_ring_free(&s->queue);
	wk_buf_free(&s->held);
	free(s);
}
