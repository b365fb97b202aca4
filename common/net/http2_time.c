/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

#include "common/net/loop.h"	/* WK_NEVER */

#define N(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t
after(uint64_t from_ns, uint64_t wait_ns)
{
	return wait_ns == 0 || wait_ns > WK_NEVER - from_ns ? WK_NEVER :
	    from_ns + wait_ns;
}

static uint64_t
head_deadline(const struct http2 *h)
{
	uint64_t wait = h->base.limits.head_timeout_ns;

	if (!h->is_settled)
		return after(h->began_ns, wait);
	return h->head_stream != 0 ? after(h->head_ns, wait) : WK_NEVER;
}

static uint64_t
idle_deadline(const struct http2 *h)
{
	if (!h->base.is_server || h->base.n_streams > 0 || !h->is_settled ||
	    h->drain != HTTP2_DRAIN_NOT)
		return WK_NEVER;
	return h->idle_ns == WK_NEVER ? WK_NEVER :
	    after(h->idle_ns, h->base.limits.idle_timeout_ns);
}

static uint64_t
ping_deadline(const struct http2 *h)
{
	uint64_t wait = h->base.limits.ping_interval_ns;

	return after(h->is_asking ? h->asked_ns : h->heard_ns, wait);
}

static uint64_t
drain_deadline(const struct http2 *h)
{
	return h->drain == HTTP2_DRAIN_NOTICE ? h->drain_ns : WK_NEVER;
}

/*
 * A peer may keep a window shut for as long as it likes, but what waits for it
 * here may not. Whether something does is looked at now and then; who found
 * it shut at two looks and sent nothing in between has waited long enough.
 */
static uint64_t
stall_deadline(const struct http2 *h)
{
	return h->n_ready > 0 && h->base.limits.stall_timeout_ns > 0 ?
	    h->stall_ns : WK_NEVER;
}

static void
head_expired(struct http2 *h)
{
	http2_fail(h, WK_E_LIMIT, NGHTTP2_NO_ERROR, h->is_settled ?
	    "a head takes too long" : "no SETTINGS from the peer");
}

static void
ping_expired(struct http2 *h)
{
	if (h->is_asking) {
		h->is_lost = true;
		http2_set_failed(h, WK_E_LIMIT, NGHTTP2_NO_ERROR,
		    "the peer does not answer");
		return;
	}
	h->is_asking = true;
	h->asked_ns = h->now_ns;
	nghttp2_submit_ping(h->ng, NGHTTP2_FLAG_NONE, NULL);
}

static void
idle_expired(struct http2 *h)
{
	wk_session_trace(&h->base, WK_TRACE_NOTE, 0, "idle for too long");
	http2_last_goaway(h);
}

static void
stall_expired(struct http2 *h)
{
	struct http2_stream *s, *next;
	bool is_shut = http2_window(h, 0) <= 0 && !h->has_moved;

	h->has_moved = false;
	h->stall_ns = after(h->now_ns, h->base.limits.stall_timeout_ns);
	for (s = h->ready_first; s != NULL; s = next) {
		next = s->ready_next;
		if (!is_shut && http2_window(h, s->base.id) > 0)
			s->is_stuck = false;
		else if (s->is_stuck)
			http2_stream_stalled(s);
		else
			s->is_stuck = true;
	}
}

static const struct {
	uint64_t (*deadline)(const struct http2 *h);
	void (*expired)(struct http2 *h);
} timers[] = {
	{ head_deadline, head_expired },
	{ idle_deadline, idle_expired },
	{ ping_deadline, ping_expired },
	{ drain_deadline, http2_drain },
	{ stall_deadline, stall_expired },
};

uint64_t
http2_deadline_ns(const struct http2 *h)
{
	uint64_t first = WK_NEVER, one;
	size_t i;

	if (h->failed.status != WK_OK || h->is_ended)
		return WK_NEVER;
	for (i = 0; i < N(timers); i++) {
		one = timers[i].deadline(h);
		if (one < first)
			first = one;
	}
	return first;
}

void
http2_expired(struct http2 *h)
{
	size_t i;

	for (i = 0; i < N(timers) && h->failed.status == WK_OK &&
	    !h->is_ended; i++)
		if (timers[i].deadline(h) <= h->now_ns)
			timers[i].expired(h);
}
