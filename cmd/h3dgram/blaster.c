/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/blaster.h"

#include <string.h>
#include <sys/random.h>

#include "cmd/h3dgram/probe.h"
#include "common/base/clock.h"

#define PER_ROUND 64
/* Timers are a millisecond late at times: what that is at the rate. */
#define BURST_NS (2 * WK_NS_PER_SEC / 1000)

/* --- sending -------------------------------------------------------------- */

static void
end(struct blaster *b)
{
	if (b->is_done)
		return;
	b->is_done = true;
	b->ended_ns = wk_clock_now_ns();
	wk_timer_set(&b->timer, WK_NEVER);
	wk_task_cancel(&b->task);
}

static bool
is_complete(const struct blaster *b, uint64_t now_ns)
{
	return now_ns >= b->until_ns || (b->opt->count > 0 &&
	    b->opt->count != OPTIONS_NO_COUNT && b->sequence >= b->opt->count);
}

/* False: no more in this round. */
static bool
send_one(struct blaster *b, uint64_t now_ns)
{
	static uint8_t payload[WK_DATAGRAM_UDP_MAX];
	size_t size = (size_t)b->opt->size;
	const struct probe probe = {
		.run = b->run, .sequence = b->sequence, .sent_ns = now_ns,
	};

	probe_encode(payload, size, &probe);
	switch (datagrams_send(b->datagrams, b->stream, b->opt->context_id,
	    payload, size)) {
	case DATAGRAMS_SENT:
		b->sequence++;
		b->counts.sent++;
		b->counts.octets_sent += size;
		return true;
	case DATAGRAMS_DROPPED:
		b->sequence++;
		b->counts.unsent++;
		return true;
	case DATAGRAMS_BLOCKED:
		b->counts.blocked++;
		b->is_blocked = true;
		return false;
	case DATAGRAMS_FAILED:
		end(b);
		b->failed(b->arg);
		return false;
	case DATAGRAMS_CLOSED:
		end(b);
		break;
	}
	return false;
}

static void
on_task(struct wk_task *task)
{
	struct blaster *b = task->arg;
	uint64_t now_ns, next_ns;
	int i;

	for (i = 0; i < PER_ROUND; i++) {
		now_ns = wk_clock_now_ns();
		if (is_complete(b, now_ns)) {
			end(b);
			b->done(b->arg);
			return;
		}
		next_ns = wk_ratelimit_next_ns(&b->limit, now_ns);
		if (next_ns > now_ns) {
			wk_timer_set(&b->timer, next_ns < b->until_ns ?
			    next_ns : b->until_ns);
			return;
		}
		if (!send_one(b, now_ns))
			return;
		/* What was not taken needs no token. */
		wk_ratelimit_take(&b->limit, now_ns);
	}
	wk_task_schedule(task);
}

static void
on_timer(struct wk_timer *timer)
{
	struct blaster *b = timer->arg;

	if (b->opt->count == 0) {	/* it only receives */
		end(b);
		b->done(b->arg);
	} else {
		wk_task_schedule(&b->task);
	}
}

void
blaster_writable(struct blaster *b)
{
	if (!b->is_blocked || b->is_done)
		return;
	b->is_blocked = false;
	wk_task_schedule(&b->task);
}

/* --- receiving ------------------------------------------------------------ */

void
blaster_datagram(struct blaster *b, const uint8_t *data, size_t len)
{
	uint64_t now_ns;
	struct wk_datagram d;
	struct probe probe;

	if (!datagrams_take(b->datagrams, b->stream, data, len, &d) ||
	    !probe_decode(d.payload, d.payload_len, &probe))
		return;
	now_ns = wk_clock_now_ns();
	b->last_ns = now_ns;
	if (probe.run == b->run) {
		if (probe.sequence >= b->sequence || probe.sent_ns > now_ns)
			return;
		b->counts.octets_echoed += d.payload_len;
		if (window_take(&b->echoed, probe.sequence) == WINDOW_NEW &&
		    b->rtt != NULL)
			histogram_add(b->rtt, now_ns - probe.sent_ns);
		return;
	}
	if (!b->has_received || probe.run != b->received_run) {
		/* Another run of the other end counts from the beginning. */
		b->has_received = true;
		b->received_run = probe.run;
		memset(&b->received, 0, sizeof(b->received));
	}
	b->counts.octets_received += d.payload_len;
	window_take(&b->received, probe.sequence);
}

/* --- the whole ------------------------------------------------------------ */

static void
set_limit(struct blaster *b)
{
	const struct options *opt = b->opt;
	const uint64_t burst_ns = BURST_NS;
	double per_second = opt->rate.per_second, interval_ns;

	if (opt->rate.is_bits)
		per_second /= 8 * (double)opt->size;
	interval_ns = per_second > 0 ? 1e9 / per_second : 0;
	wk_ratelimit_init_interval(&b->limit, (uint64_t)interval_ns,
	    interval_ns >= 1 ? 2 + (uint64_t)((double)burst_ns / interval_ns) :
	    1);
}

bool
blaster_init(struct blaster *b, const struct options *opt,
    struct wk_loop *loop, struct wk_stream *s, struct datagrams *datagrams,
    void (*done)(void *arg), void (*failed)(void *arg), void *arg)
{
	memset(b, 0, sizeof(*b));
	b->opt = opt;
	b->loop = loop;
	b->stream = s;
	b->datagrams = datagrams;
	b->done = done;
	b->failed = failed;
	b->arg = arg;
	wk_timer_init(&b->timer, loop, on_timer, b);
	wk_task_init(&b->task, loop, on_task, b);
	if (getrandom(&b->run, sizeof(b->run), 0) != sizeof(b->run))
		return false;
	set_limit(b);
	b->began_ns = b->last_ns = wk_clock_now_ns();
	b->until_ns = opt->duration_ns > 0 ? b->began_ns + opt->duration_ns :
	    WK_NEVER;
	if (opt->count == 0)
		wk_timer_set(&b->timer, b->until_ns);
	else
		wk_task_schedule(&b->task);
	return true;
}

void
blaster_stop(struct blaster *b)
{
	if (b->loop == NULL)
		return;
	end(b);
}
