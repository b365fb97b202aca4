/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include "common/net/loop.h"	/* WK_NEVER */

#define N(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t
after(uint64_t from_ns, uint64_t wait_ns)
{
	return wait_ns == 0 || wait_ns > WK_NEVER - from_ns ? WK_NEVER :
	    from_ns + wait_ns;
}

/* --- heads that come ------------------------------------------------------ */

void
http3_head_begins(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);

	if (s->is_heading)
		return;
	s->is_heading = true;
	s->head_ns = h->now_ns;
	s->head_next = NULL;
	s->head_prev = h->head_last;
	if (h->head_last != NULL)
		h->head_last->head_next = s;
	else
		h->head_first = s;
	h->head_last = s;
}

void
http3_head_ends(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);

	if (!s->is_heading)
		return;
	s->is_heading = false;
	if (s->head_prev != NULL)
		s->head_prev->head_next = s->head_next;
	else
		h->head_first = s->head_next;
	if (s->head_next != NULL)
		s->head_next->head_prev = s->head_prev;
	else
		h->head_last = s->head_prev;
}

/* --- timers --------------------------------------------------------------- */

static uint64_t
settings_deadline(const struct http3 *h)
{
	return h->is_settled ? WK_NEVER :
	    after(h->began_ns, h->base.limits.head_timeout_ns);
}

static void
settings_expired(struct http3 *h)
{
	http3_fail(h, WK_H3ERROR_NO_ERROR, "no SETTINGS from the peer");
}

static uint64_t
head_deadline(const struct http3 *h)
{
	return h->head_first == NULL ? WK_NEVER :
	    after(h->head_first->head_ns, h->base.limits.head_timeout_ns);
}

/* Only that one stream is given up. */
static void
head_expired(struct http3 *h)
{
	struct http3_stream *s = h->head_first;

	http3_head_ends(s);
	wk_session_trace(&h->base, WK_TRACE_NOTE, s->base.id,
	    "a head takes too long");
	if (s->is_attached)
		wk_stream_reset(&s->base, WK_STREAM_LOST,
		    "a head takes too long");
	else
		http3_stream_abort(s, WK_H3ERROR_REQUEST_REJECTED);
	http3_spend_reset(h);
}

static uint64_t
idle_deadline(const struct http3 *h)
{
	if (!h->base.is_server || h->base.n_streams > 0 || h->n_open > 0 ||
	    !h->is_settled || h->drain != HTTP3_DRAIN_NOT)
		return WK_NEVER;
	return h->idle_ns == WK_NEVER ? WK_NEVER :
	    after(h->idle_ns, h->base.limits.idle_timeout_ns);
}

static void
idle_expired(struct http3 *h)
{
	wk_session_trace(&h->base, WK_TRACE_NOTE, 0, "idle for too long");
	http3_last_goaway(h);
}

static uint64_t
drain_deadline(const struct http3 *h)
{
	return h->drain == HTTP3_DRAIN_NOTICE ? h->drain_ns : WK_NEVER;
}

static const struct {
	uint64_t (*deadline)(const struct http3 *h);
	void (*expired)(struct http3 *h);
} timers[] = {
	{ settings_deadline, settings_expired },
	{ head_deadline, head_expired },
	{ idle_deadline, idle_expired },
	{ drain_deadline, http3_drain },
	{ http3_datagrams_deadline_ns, http3_datagrams_expire },
};

uint64_t
http3_deadline_ns(const struct http3 *h)
{
	uint64_t first = WK_NEVER, one;
	size_t i;

	if (http3_is_over(h))
		return WK_NEVER;
	for (i = 0; i < N(timers); i++) {
		one = timers[i].deadline(h);
		if (one < first)
			first = one;
	}
	return first;
}

void
http3_expired(struct http3 *h)
{
	size_t i;

	for (i = 0; i < N(timers); i++)
		while (!http3_is_over(h) &&
		    timers[i].deadline(h) <= h->now_ns)
			timers[i].expired(h);
}
