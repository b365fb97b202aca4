/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/net/loop.h"	/* WK_NEVER */

static struct http3_stream *
of(struct wk_stream *s)
{
	return (struct http3_stream *)(void *)s;
}

/* --- what is due ---------------------------------------------------------- */

void
http3_due(struct http3_stream *s, enum http3_due what)
{
	struct http3 *h = http3_of(&s->base);

	s->due |= what;
	if (!s->is_listed) {
		s->is_listed = true;
		s->due_next = NULL;
		if (h->due_last != NULL)
			h->due_last->due_next = s;
		else
			h->due_first = s;
		h->due_last = s;
	}
	http3_wake(h);
}

static void
consumed(struct http3_stream *s, size_t octets)
{
	struct http3 *h = http3_of(&s->base);

	if (octets > s->kept)
		octets = s->kept;
	s->kept -= octets;
	if (octets == 0 || s->has_stopped)
		return;
	h->transport->ops->consume(h->transport, s->base.id, octets);
	http3_wake(h);
}

static void
hand_over(struct http3_stream *s, const uint8_t *data, size_t len)
{
	s->kept += len;
	if (s->reads_nowhere || wk_stream_deliver_data(&s->base, data, len))
		consumed(s, len);
}

/* What a tunnel carries has no meaning before it is answered. */
static bool
is_answered(const struct http3_stream *s)
{
	return !s->is_tunnel || s->has_head;
}

static void
deliver_end(struct http3_stream *s)
{
	if (s->has_delivered_end || !s->has_received_end ||
	    s->held.len > 0 || !is_answered(s))
		return;
	s->has_delivered_end = true;
	http3_datagrams_drop(http3_of(&s->base), s->base.id);
	wk_stream_deliver_end(&s->base);
}

static void
deliver_held(struct http3_stream *s)
{
	struct wk_buf held = s->held;

	if (!is_answered(s))
		return;
	wk_buf_init(&s->held, held.max);
	if (held.len > 0)
		hand_over(s, held.data, held.len);
	wk_buf_free(&held);
	if (s->is_extended && !s->reads_nowhere)
		http3_datagrams_deliver(s);
	deliver_end(s);
	http3_stream_settle(s);
}

/*
 * The response is whole and nobody listens to the rest of the request (RFC
 * 9114, section 4.1).
 */
static void
look_for_interest(struct http3_stream *s)
{
	if (s->base.handler == NULL && s->is_finished && !s->base.is_over)
		http3_stream_stop(s, WK_H3ERROR_NO_ERROR);
}

void
http3_deliver_due(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);
	unsigned due = s->due;

	s->due &= HTTP3_DUE_CLOSED;
	if ((due & HTTP3_DUE_HELD) != 0)
		deliver_held(s);
	if ((due & HTTP3_DUE_ANSWERED) != 0 && !h->is_deleted)
		look_for_interest(s);
	if ((due & HTTP3_DUE_DATAGRAMS) != 0 && !h->is_deleted)
		wk_stream_deliver_writable(&s->base);
	/* An event before this one may have put it into the list again. */
	if ((due & HTTP3_DUE_CLOSED) != 0 && !h->is_deleted && !s->is_listed)
		http3_stream_closed(s);
}

/* --- how streams end ------------------------------------------------------ */

static void
note_idle(struct http3 *h)
{
	if (h->base.n_streams == 0 && h->n_open == 0)
		h->idle_ns = h->is_now ? h->now_ns : WK_NEVER;
}

/* Nothing of it will be sent any more. */
static void
release(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);

	if (!s->is_counted)
		return;
	s->is_counted = false;
	h->n_open--;
	note_idle(h);
}

/* The last event, and the end of the stream, but not of its memory. */
void
http3_stream_closed(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);

	s->is_closed = true;
	http3_head_ends(s);
	wk_buf_free(&s->held);
	http3_datagrams_drop(h, s->base.id);
	if (s->is_waiting)
		h->n_waiting--;
	s->is_waiting = false;
	if (s->was_stopped && !s->has_end) {
		s->has_end = true;
		s->end = (struct wk_stream_end){
			.code = WK_STREAM_NO_ERROR,
			.wire_code = WK_H3ERROR_NO_ERROR,
			.reason = "the peer did not want the rest",
		};
	}
	wk_stream_deliver_closed(&s->base, s->has_end ? &s->end : NULL);
	note_idle(h);
	if (s->is_gone || !s->is_wired)
		http3_stream_bury(s);
}

void
http3_stream_settle(struct http3_stream *s)
{
	if (!s->is_gone)
		return;
	release(s);
	if (!s->is_attached || s->is_closed)
		http3_stream_bury(s);
	else if (!s->base.is_over && s->held.len == 0)
		http3_due(s, HTTP3_DUE_CLOSED);
}

void
http3_stream_end(struct http3_stream *s, enum wk_stream_code code,
    bool is_ours, uint64_t wire_code, const char *reason)
{
	if ((s->due & HTTP3_DUE_CLOSED) != 0 || s->is_closed)
		return;
	s->base.is_over = true;
	http3_head_ends(s);
	wk_buf_free(&s->block);
	wk_buf_free(&s->held);
	if (!s->is_attached)
		return;
	s->has_end = true;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	s->end = (struct wk_stream_end){ .code = code, .is_ours = is_ours,
		.wire_code = wire_code, .reason = s->reason };
	http3_due(s, HTTP3_DUE_CLOSED);
}

void
http3_stream_stop(struct http3_stream *s, uint64_t wire_code)
{
	struct http3 *h = http3_of(&s->base);
	char buffer[32];

	http3_head_ends(s);
	if (s->has_stopped || s->has_received_end)
		return;
	s->has_stopped = true;
	wk_session_trace(&h->base, WK_TRACE_FRAME_SENT, s->base.id,
	    "STOP_SENDING %s", http3_error_text(wire_code, buffer));
	h->transport->ops->stop(h->transport, s->base.id, wire_code);
}

void
http3_stream_abort(struct http3_stream *s, uint64_t wire_code)
{
	struct http3 *h = http3_of(&s->base);
	char buffer[32];

	if (!s->is_attached)
		s->base.is_over = true;
	http3_stream_stop(s, wire_code);
	wk_buf_free(&s->unsent);
	if (!s->has_reset) {
		s->has_reset = true;
		wk_session_trace(&h->base, WK_TRACE_FRAME_SENT, s->base.id,
		    "RESET_STREAM %s", http3_error_text(wire_code, buffer));
		h->transport->ops->reset(h->transport, s->base.id, wire_code);
	}
	release(s);
}

static void
reset(struct wk_stream *base, enum wk_stream_code code, const char *reason)
{
	struct http3 *h = http3_of(base);
	struct http3_stream *s = of(base);
	uint64_t wire = http3_code_out(code);
	char buffer[32];

	if (s->is_wired && (s->due & HTTP3_DUE_CLOSED) == 0 &&
	    !http3_is_over(h)) {
		wk_session_trace(base->session, WK_TRACE_NOTE, base->id,
		    "reset with %s: %s", http3_error_text(wire, buffer),
		    reason);
		/* A whole response stays one (RFC 9114, section 4.1). */
		if (h->base.is_server && code == WK_STREAM_NO_ERROR &&
		    s->has_sent_end)
			http3_stream_stop(s, wire);
		else
			http3_stream_abort(s, wire);
	}
	http3_stream_end(s, code, true, wire, reason);
	http3_wake(h);
}

void
http3_stream_malformed(struct http3_stream *s, const char *reason)
{
	wk_stream_reset(&s->base, WK_STREAM_MALFORMED, reason);
	http3_spend_reset(http3_of(&s->base));
}

/* --- what arrives --------------------------------------------------------- */

/* Held, until the owner can have it; the peer's window bounds it, too. */
static void
hold(struct http3_stream *s, const uint8_t *data, size_t len)
{
	if (wk_buf_append(&s->held, data, len) != WK_OK)
		wk_stream_reset(&s->base, WK_STREAM_INTERNAL,
		    "too much for a tunnel that is not answered");
}

void
http3_stream_received(struct http3_stream *s, const uint8_t *data, size_t len)
{
	s->received += len;
	if (s->has_announced && s->received > s->announced) {
		http3_stream_malformed(s, "the body is longer than announced");
	} else if (is_answered(s) && s->held.len == 0) {
		hand_over(s, data, len);
	} else {
		hold(s, data, len);
	}
}

void
http3_stream_received_end(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);

	http3_head_ends(s);
	if (!s->has_met && h->base.is_server) {
		s->has_received_end = true;
		http3_stream_abort(s, WK_H3ERROR_REQUEST_INCOMPLETE);
		http3_spend_reset(h);
	} else if (!s->has_met) {
		s->has_stopped = true;
		http3_stream_malformed(s,
		    "the stream ends before the response");
	} else if (s->has_announced && s->received != s->announced) {
		s->has_stopped = true;
		http3_stream_malformed(s, "the body is shorter than announced");
	} else {
		s->has_received_end = true;
		deliver_end(s);
	}
}

/* --- verbs ---------------------------------------------------------------- */

static int
invalid(struct wk_error *error, const char *reason)
{
	return wk_error_set(error, WK_E_INVALID, 0, "%s", reason);
}

/* Whether the length that a head promises is that of a body to come. */
int
http3_promise(struct http3_stream *s, const struct wk_message *m, bool has_body,
    struct wk_error *error)
{
	s->has_promised = wk_message_content_length(m, &s->promised) == 1;
	if (s->has_promised && s->promised > 0 && !has_body)
		return invalid(error, "a body was promised by Content-Length");
	return WK_OK;
}

/* Whether the response may be that, and what body follows it. */
static int
check_response(struct http3_stream *s, const struct wk_message *m,
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
	return http3_promise(s, m, !is_last, error);
}

static int
respond(struct wk_stream *base, const struct wk_message *m, bool is_last,
    struct wk_error *error)
{
	struct http3_stream *s = of(base);
	int rc;

	rc = check_response(s, m, is_last, error);
	if (rc != WK_OK)
		return rc;
	if (http3_send_head(s, m) != WK_OK)
		return wk_error_set(error, WK_E_NOMEM, 0, "no memory");
	if (s->is_head_request && !is_last)
		s->writes_nowhere = is_last = true;
	s->has_head = true;
	s->may_write = !is_last;
	s->is_finished = is_last;
	wk_session_trace_head(base->session, WK_TRACE_SENT, base->id, m);
	s->reads_nowhere = s->is_tunnel && m->status / 100 != 2;
	if (is_last)
		http3_send_end(s);
	if (s->is_tunnel)
		http3_due(s, HTTP3_DUE_HELD);
	http3_wake(http3_of(base));
	return WK_OK;
}

static int
respond_informational(struct wk_stream *base, const struct wk_message *m,
    struct wk_error *error)
{
	struct http3_stream *s = of(base);

	if (s->has_head)
		return invalid(error, "the response was sent already");
	if (http3_send_head(s, m) != WK_OK)
		return wk_error_set(error, WK_E_NOMEM, 0, "no memory");
	wk_session_trace_head(base->session, WK_TRACE_SENT, base->id, m);
	http3_wake(http3_of(base));
	return WK_OK;
}

static void
consume(struct wk_stream *base, size_t octets)
{
	consumed(of(base), octets);
}

/* Datagrams may have come before. */
static void
capsules_used(struct wk_stream *base)
{
	if (of(base)->is_extended)
		http3_due(of(base), HTTP3_DUE_HELD);
}

static const struct wk_stream_ops ops = {
	.respond = respond,
	.respond_informational = respond_informational,
	.write = http3_write,
	.write_both = http3_write_both,
	.queued = http3_queued,
	.room = http3_room,
	.finish = http3_finish,
	.consume = consume,
	.reset = reset,
	.has_frames = http3_has_frames,
	.send_datagram = http3_send_datagram,
	.datagram_max = http3_datagram_max,
	.capsules_used = capsules_used,
};

/* --- how streams begin ---------------------------------------------------- */

static size_t
bucket(uint64_t id)
{
	return id / 4 % HTTP3_BUCKETS;
}

struct http3_stream *
http3_stream_new(struct http3 *h)
{
	const struct wk_session_limits *limits = &h->base.limits;
	struct http3_stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->base.session = &h->base;
	wk_h3frame_reader_init(&s->reader);
	wk_buf_init(&s->block, limits->max_head);
	wk_buf_init(&s->held, limits->window);
	wk_buf_init(&s->unsent, SIZE_MAX);
	return s;
}

void
http3_stream_wire(struct http3_stream *s, uint64_t id)
{
	struct http3_stream **at = &http3_of(&s->base)->table[bucket(id)];

	s->base.id = id;
	s->is_wired = true;
	s->table_next = *at;
	*at = s;
}

struct http3_stream *
http3_stream_find(const struct http3 *h, uint64_t id)
{
	struct http3_stream *s = h->table[bucket(id)];

	while (s != NULL && s->base.id != id)
		s = s->table_next;
	return s;
}

void
http3_stream_attach(struct http3_stream *s, const struct wk_message *request)
{
	s->is_tunnel = wk_str_is(request->method, "CONNECT");
	s->is_extended = wk_message_is_tunnel_request(request);
	s->is_head_request = wk_str_is(request->method, "HEAD");
	s->is_attached = true;
	wk_stream_attach(s->base.session, &s->base, &ops, s->base.id);
}

void
http3_stream_detach(struct http3_stream *s)
{
	s->base.handler = NULL;
	s->is_closed = true;
	wk_stream_deliver_closed(&s->base, NULL);
	http3_stream_bury(s);
}

void
http3_stream_bury(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);
	struct http3_stream **at = &h->table[bucket(s->base.id)];

	http3_head_ends(s);
	release(s);
	if (s->is_wired) {
		while (*at != s)
			at = &(*at)->table_next;
		*at = s->table_next;
	}
	s->due_next = h->graves;
	h->graves = s;
}

void
http3_stream_del(struct http3_stream *s)
{
	wk_buf_free(&s->block);
	wk_buf_free(&s->held);
	wk_buf_free(&s->unsent);
	free(s);
}
