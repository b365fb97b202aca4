/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/net/http3_parts.h"
#include "common/net/loop.h"	/* WK_NEVER */

/* How long a server waits for requests that cross its first GOAWAY. */
#define DRAIN_WAIT_NS (1 * WK_NS_PER_SEC)

/* The first GOAWAY names the last request that there can be. */
#define GOAWAY_NOTICE (WK_VARINT_MAX - 3)

/* Requests broken off unanswered: a burst, then so many a second. */
#define RESET_COST_NS (WK_NS_PER_SEC / 33)
#define RESET_BURST (400 * RESET_COST_NS)

/* Frames that carry nothing; each one that does pays for one of them. */
#define CHATTER_COST_NS (WK_NS_PER_SEC / 100)
#define CHATTER_BURST (1000 * CHATTER_COST_NS)

static const struct wk_session_handler nobody;

static struct http3 *
of(struct wk_session *session)
{
	return (struct http3 *)(void *)session;
}

static const struct http3 *
of_const(const struct wk_session *session)
{
	return (const struct http3 *)(const void *)session;
}

static struct http3_stream *
stream_of(struct wk_stream *s)
{
	return (struct http3_stream *)(void *)s;
}

bool
http3_is_over(const struct http3 *h)
{
	return h->failed.status != WK_OK || h->is_ended || h->is_deleted;
}

/* --- budgets -------------------------------------------------------------- */

static bool
spend(const struct http3 *h, struct http3_budget *b, uint64_t cost,
    uint64_t burst)
{
	if (b->paid_ns < h->now_ns)
		b->paid_ns = h->now_ns;
	b->paid_ns += cost;
	return b->paid_ns - h->now_ns <= burst;
}

void
http3_spend_reset(struct http3 *h)
{
	if (h->base.is_server &&
	    !spend(h, &h->resets, RESET_COST_NS, RESET_BURST))
		http3_fail(h, WK_H3ERROR_EXCESSIVE_LOAD,
		    "too many requests are broken off");
}

void
http3_spend_chatter(struct http3 *h)
{
	if (!spend(h, &h->chatter, CHATTER_COST_NS, CHATTER_BURST))
		http3_fail(h, WK_H3ERROR_EXCESSIVE_LOAD,
		    "too many frames that carry nothing");
}

void
http3_refund_chatter(struct http3 *h)
{
	struct http3_budget *b = &h->chatter;

	b->paid_ns -= b->paid_ns < CHATTER_COST_NS ? b->paid_ns :
	    CHATTER_COST_NS;
}

/* --- around events -------------------------------------------------------- */

static void
bury(struct http3 *h)
{
	struct http3_stream *s;

	while ((s = h->graves) != NULL) {
		h->graves = s->due_next;
		http3_stream_del(s);
	}
}

static void
destroy(struct http3 *h)
{
	struct http3_stream *s;
	size_t i;

	bury(h);
	for (i = 0; i < HTTP3_BUCKETS; i++)
		while ((s = h->table[i]) != NULL) {
			h->table[i] = s->table_next;
			http3_stream_del(s);
		}
	if (h->transport->arg == h) {
		h->transport->handler = NULL;
		h->transport->arg = NULL;
	}
	http3_datagrams_free(h);
	http3_unis_free(h);
	http3_qpack_free(h);
	wk_buf_free(&h->control_out);
	wk_head_free(&h->head);
	free(h);
}

void
http3_enter(struct http3 *h)
{
	h->depth++;
}

static void
deliver_all(struct http3 *h)
{
	struct http3_stream *s;

	while (!h->is_deleted && (s = h->due_first) != NULL) {
		h->due_first = s->due_next;
		if (h->due_first == NULL)
			h->due_last = NULL;
		s->is_listed = false;
		http3_deliver_due(s);
	}
}

bool
http3_leave(struct http3 *h)
{
	deliver_all(h);
	h->depth--;
	if (h->depth > 0)
		return !h->is_deleted;
	if (h->is_deleted) {
		destroy(h);
		return false;
	}
	bury(h);
	return true;
}

void
http3_wake(struct http3 *h)
{
	if (h->depth > 0 || h->is_deleted)
		return;
	/* There is nothing to fetch whose fetching would reset this. */
	h->base.has_told_output = false;
	wk_session_tell_output(&h->base);
}

/* A call brings the time; between such calls it is not known. */
static void
begin(struct http3 *h, uint64_t now_ns)
{
	h->now_ns = now_ns;
	h->is_now = true;
	if (h->base.n_streams == 0 && h->idle_ns == WK_NEVER)
		h->idle_ns = now_ns;
	http3_enter(h);
}

/* Queues that were too full may not be any more: each round may have sent. */
static void
look_for_room(struct http3 *h)
{
	struct wk_stream *s, *next;

	http3_control_flush(h);
	for (s = h->base.streams; s != NULL && !http3_is_over(h); s = next) {
		next = s->next;
		if (s->is_over)
			continue;
		http3_flush(stream_of(s));
		if (http3_is_writable(stream_of(s))) {
			stream_of(s)->waits_room = false;
			wk_stream_deliver_writable(s);
		}
	}
}

static bool
end(struct http3 *h)
{
	bool is_alive;

	if (!http3_is_over(h))
		http3_drain(h);
	if (!http3_is_over(h))
		look_for_room(h);
	is_alive = http3_leave(h);
	if (is_alive)
		h->is_now = false;
	return is_alive;
}

static void
on_enter(void *arg, uint64_t now_ns)
{
	begin(arg, now_ns);
}

static void
on_leave(void *arg)
{
	end(arg);
}

/* --- how connections end -------------------------------------------------- */

static void
close_all(struct http3 *h, enum wk_stream_code code, bool is_ours,
    uint64_t wire_code, const char *reason)
{
	struct wk_stream *s;

	for (s = h->base.streams; s != NULL; s = s->next)
		http3_stream_end(stream_of(s), code, is_ours, wire_code,
		    reason);
}

/* What streams hear: a peer that breaks the rules is not just lost. */
static enum wk_stream_code
blame(uint64_t code)
{
	switch (code) {
	case WK_H3ERROR_NO_ERROR:
	case WK_H3ERROR_INTERNAL:
		return WK_STREAM_LOST;
	case WK_H3ERROR_EXCESSIVE_LOAD:
		return WK_STREAM_OVERLOAD;
	default:
		return WK_STREAM_MALFORMED;
	}
}

static enum wk_status
status_of(uint64_t code)
{
	switch (code) {
	case WK_H3ERROR_NO_ERROR:
	case WK_H3ERROR_EXCESSIVE_LOAD:
		return WK_E_LIMIT;
	case WK_H3ERROR_INTERNAL:
		return WK_E_NOMEM;
	default:
		return WK_E_MALFORMED;
	}
}

void
http3_fail(struct http3 *h, uint64_t code, const char *reason)
{
	char buffer[32];

	if (http3_is_over(h))
		return;
	wk_error_set(&h->failed, status_of(code), 0, "%s", reason);
	wk_session_trace(&h->base, WK_TRACE_NOTE, 0,
	    "connection error %s: %s", http3_error_text(code, buffer), reason);
	h->transport->ops->close(h->transport, code, h->failed.reason);
	close_all(h, blame(code), true, code, h->failed.reason);
	http3_wake(h);
}

static void
on_closed(void *arg, bool is_application, uint64_t code, bool is_clean,
    const char *reason)
{
	struct http3 *h = arg;

	(void)is_clean;
	if (http3_is_over(h))
		return;
	h->is_ended = true;
	h->was_cut = h->base.n_streams > 0;
	wk_session_trace(&h->base, WK_TRACE_NOTE, 0, "closed: %s", reason);
	close_all(h, WK_STREAM_LOST, false, is_application ? code : 0, reason);
}

static void
on_streams_free(void *arg, bool is_uni)
{
	struct http3 *h = arg;

	if (http3_is_over(h))
		return;
	if (is_uni && http3_control_open(h) != WK_OK)
		http3_fail(h, WK_H3ERROR_INTERNAL, "no memory");
	if (!is_uni)
		http3_submit_waiting(h);
}

/* Room there is looked for when the round ends. */
static void
on_writable(void *arg, uint64_t id)
{
	(void)arg;
	(void)id;
}

static const struct wk_transport_handler transport_handler = {
	.enter = on_enter,
	.leave = on_leave,
	.data = http3_data,
	.was_reset = http3_was_reset,
	.was_stopped = http3_was_stopped,
	.writable = on_writable,
	.gone = http3_gone,
	.streams_free = on_streams_free,
	.datagram = http3_datagram,
	.datagram_writable = http3_datagram_writable,
	.closed = on_closed,
};

/* --- shutting down -------------------------------------------------------- */

void
http3_last_goaway(struct http3 *h)
{
	h->drain = HTTP3_DRAIN_LAST;
	/* A client's is about pushes, of which there are none. */
	http3_control_goaway(h, h->base.is_server ? h->next_id : 0);
}

/* Some round trips, so far as they are known. */
static uint64_t
drain_wait_ns(const struct http3 *h)
{
	struct wk_transport_stats stats = { .version = 0 };
	uint64_t wait;

	h->transport->ops->stats(h->transport, &stats);
	wait = 4 * stats.smoothed_rtt_ns + WK_NS_PER_SEC / 20;
	return stats.smoothed_rtt_ns == 0 || wait > DRAIN_WAIT_NS ?
	    DRAIN_WAIT_NS : wait;
}

/*
 * A client says goodbye behind its last request. A server first announces it
 * and waits a little, so that requests on their way are still served (RFC 9114,
 * section 5.2).
 */
void
http3_drain(struct http3 *h)
{
	if (h->drain == HTTP3_DRAIN_ASKED) {
		if (h->base.is_server) {
			h->drain = HTTP3_DRAIN_NOTICE;
			h->drain_ns = h->now_ns + drain_wait_ns(h);
			http3_control_goaway(h, GOAWAY_NOTICE);
		} else if (h->n_waiting == 0) {
			http3_last_goaway(h);
		}
	} else if (h->drain == HTTP3_DRAIN_NOTICE && h->drain_ns <= h->now_ns) {
		http3_last_goaway(h);
	}
}

static void
shutdown(struct wk_session *session)
{
	struct http3 *h = of(session);

	if (h->drain != HTTP3_DRAIN_NOT || http3_is_over(h))
		return;
	h->drain = HTTP3_DRAIN_ASKED;
	http3_wake(h);
}

static enum wk_session_fate
fate(const struct wk_session *session)
{
	const struct http3 *h = of_const(session);
	bool is_leaving = h->drain == HTTP3_DRAIN_LAST ||
	    (h->is_draining && !h->base.is_server);

	if (h->was_cut)
		return WK_SESSION_ABORT;
	if (h->failed.status != WK_OK || h->is_ended)
		return WK_SESSION_CLOSE;
	return is_leaving && h->base.n_streams == 0 && h->n_open == 0 ?
	    WK_SESSION_CLOSE : WK_SESSION_OPEN;
}

/* --- verbs of sessions ---------------------------------------------------- */

static uint64_t
deadline_ns(const struct wk_session *session)
{
	const struct http3 *h = of_const(session);

	return h->due_first != NULL || (h->drain == HTTP3_DRAIN_ASKED &&
	    h->n_waiting == 0 && !http3_is_over(h)) ? 0 : http3_deadline_ns(h);
}

static void
expire(struct wk_session *session, uint64_t now_ns)
{
	struct http3 *h = of(session);

	begin(h, now_ns);
	http3_expired(h);
	end(h);
}

/* Octets come and go through the transport; what is due can be had here. */
static int
receive(struct wk_session *session, const uint8_t *data, size_t len,
    uint64_t now_ns, struct wk_error *error)
{
	const struct http3 *h = of_const(session);

	(void)data;
	(void)len;
	(void)now_ns;
	if (h->failed.status != WK_OK && error != NULL)
		*error = h->failed;
	return h->failed.status;
}

static void
receive_end(struct wk_session *session, bool is_clean, uint64_t now_ns)
{
	struct http3 *h = of(session);

	begin(h, now_ns);
	on_closed(h, false, 0, is_clean, is_clean ?
	    "the peer closed the connection" : "the connection was cut off");
	end(h);
}

static bool
wants_input(const struct wk_session *session)
{
	(void)session;
	return true;
}

static size_t
output(struct wk_session *session, const uint8_t **data)
{
	struct http3 *h = of(session);

	*data = NULL;
	http3_enter(h);
	http3_leave(h);
	return 0;
}

static void
sent(struct wk_session *session, size_t octets, uint64_t now_ns)
{
	(void)session;
	(void)octets;
	(void)now_ns;
}

static void
stats(const struct wk_session *session, struct wk_transport_stats *stats)
{
	const struct http3 *h = of_const(session);

	h->transport->ops->stats(h->transport, stats);
}

static size_t
settings(const struct wk_session *session, struct wk_setting *list, size_t max)
{
	const struct http3 *h = of_const(session);
	size_t i, n = h->is_settled ? h->settings.n : 0;

	for (i = 0; i < n && i < max; i++)
		list[i] = (struct wk_setting){
			.id = h->settings.list[i].id,
			.value = h->settings.list[i].value,
			.name = wk_h3setting_name(h->settings.list[i].id),
		};
	return n;
}

/* --- life ----------------------------------------------------------------- */

static void
del(struct wk_session *session)
{
	struct http3 *h = of(session);
	struct wk_stream *s, *next;

	if (h->is_deleted)
		return;
	http3_enter(h);
	close_all(h, WK_STREAM_LOST, true, 0, "the connection was given up");
	h->is_deleted = true;
	for (s = h->base.streams; s != NULL; s = next) {
		next = s->next;
		if (!stream_of(s)->is_closed)
			http3_stream_closed(stream_of(s));
	}
	h->base.handler = &nobody;
	http3_leave(h);
}

static const struct wk_session_ops ops = {
	.version = WK_HTTP_3,
	.del = del,
	.receive = receive,
	.receive_end = receive_end,
	.wants_input = wants_input,
	.output = output,
	.sent = sent,
	.fate = fate,
	.deadline_ns = deadline_ns,
	.expire = expire,
	.request = http3_request,
	.shutdown = shutdown,
	.stats = stats,
	.settings = settings,
};

struct wk_session *
wk_http3_session_new(bool is_server, const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg,
    struct wk_transport *transport, uint64_t now_ns)
{
	struct http3 *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->base.ops = &ops;
	h->base.handler = handler;
	h->base.arg = arg;
	h->base.limits = *limits;
	h->base.is_server = is_server;
	h->transport = transport;
	h->now_ns = h->began_ns = h->idle_ns = now_ns;
	wk_buf_init(&h->control_out, SIZE_MAX);
	wk_head_init(&h->head, limits->max_head, limits->max_fields);
	if (http3_qpack_init(h) != WK_OK || http3_control_open(h) != WK_OK) {
		destroy(h);
		return NULL;
	}
	transport->handler = &transport_handler;
	transport->arg = h;
	return &h->base;
}
