/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/blast.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/h3dgram/blaster.h"
#include "cmd/h3dgram/datagrams.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/outlet.h"
#include "common/cli/tunnel.h"

struct blast {
	const struct options *opt;
	struct wk_tunnel tunnel;
	struct wk_outlet outlet;
	struct wk_timer wait;		/* for what is still on its way */
	struct wk_timer interval;
	struct datagrams datagrams;
	struct blaster blaster;
	struct histogram rtt;
	uint64_t opened_ns, closed_ns;
	uint64_t reported_ns;		/* with the counts of then */
	struct blaster_counts reported;
	struct wk_transport_stats before, stats;
	bool has_stats, was_open, has_finished;
	int rc;
};

static void
give_up(struct blast *b, int rc, const char *reason)
{
	if (b->rc == WK_EXIT_OK)
		b->rc = rc;
	wk_tunnel_cancel(&b->tunnel, reason);
}

/* As long as there is somebody to ask. */
static void
take_stats(struct blast *b)
{
	if (b->tunnel.stream != NULL)
		b->has_stats = wk_session_stats(wk_stream_session(
		    b->tunnel.stream), &b->stats);
}

/* --- while it runs -------------------------------------------------------- */

static double
seconds(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static double
per_second(uint64_t n, double s)
{
	return s > 0 ? (double)n / s : 0;
}

static double
mbit_per_second(uint64_t octets, double s)
{
	return per_second(octets, s) * 8 / 1e6;
}

static void
on_interval(struct wk_timer *timer)
{
	struct blast *b = timer->arg;
	const struct blaster_counts *now = &b->blaster.counts;
	uint64_t now_ns = wk_clock_now_ns();
	double s = seconds(b->reported_ns, now_ns);
	uint64_t back = now->octets_echoed + now->octets_received -
	    b->reported.octets_echoed - b->reported.octets_received;

	if (wk_cli.is_json) {
		wk_json_begin("interval");
		wk_json_double("from_s", seconds(b->opened_ns, b->reported_ns));
		wk_json_double("to_s", seconds(b->opened_ns, now_ns));
		wk_json_uint("sent", now->sent - b->reported.sent);
		wk_json_uint("octets_sent", now->octets_sent -
		    b->reported.octets_sent);
		wk_json_uint("octets_back", back);
		wk_json_end();
	} else {
		wk_out_printf("%.1f s sent %" PRIu64 " mbit_per_s %.3f "
		    "back_mbit_per_s %.3f\n", seconds(b->opened_ns, now_ns),
		    now->sent - b->reported.sent, mbit_per_second(
		    now->octets_sent - b->reported.octets_sent, s),
		    mbit_per_second(back, s));
	}
	b->reported = *now;
	b->reported_ns = now_ns;
	if (wk_out_flush() != WK_OK) {
		give_up(b, WK_EXIT_OK, "the output failed");
		return;
	}
	wk_timer_set(timer, timer->deadline_ns == WK_NEVER ?
	    wk_loop_now_ns(b->tunnel.loop) + b->opt->interval_ns :
	    timer->deadline_ns + b->opt->interval_ns);
}

/* --- the end of sending --------------------------------------------------- */

static void
finish(struct blast *b)
{
	if (b->has_finished || b->tunnel.stream == NULL)
		return;
	b->has_finished = true;
	wk_stream_finish(b->tunnel.stream);
}

/* All came back, or is known to the transport. */
static bool
is_settled(const struct blast *b)
{
	const struct blaster *x = &b->blaster;

	if (x->counts.sent > 0 && x->echoed.n >= x->counts.sent)
		return true;
	return b->has_stats && x->echoed.n == 0 && b->stats.datagrams_acked +
	    b->stats.datagrams_lost - b->before.datagrams_acked -
	    b->before.datagrams_lost >= x->counts.sent;
}

/* As long as something comes, something may come. */
static void
on_wait(struct wk_timer *timer)
{
	struct blast *b = timer->arg;
	uint64_t until_ns = b->blaster.last_ns > b->blaster.ended_ns ?
	    b->blaster.last_ns : b->blaster.ended_ns;

	take_stats(b);
	until_ns += b->opt->linger_ns;
	if (is_settled(b) || wk_loop_now_ns(b->tunnel.loop) >= until_ns)
		wk_tunnel_cancel(&b->tunnel, "done");
	else
		wk_timer_set(timer, until_ns);
}

static void
on_done(void *arg)
{
	struct blast *b = arg;

	take_stats(b);
	if (b->opt->count == 0) {
		wk_tunnel_cancel(&b->tunnel, "done");
		return;
	}
	/* Behind the octets of TCP the end is safe; datagrams it overtakes. */
	if (!wk_stream_has_datagram_frames(b->tunnel.stream))
		finish(b);
	wk_timer_set(&b->wait, wk_loop_now_ns(b->tunnel.loop) +
	    b->opt->linger_ns);
}

static void
on_failed(void *arg)
{
	struct blast *b = arg;

	wk_tunnel_hush(&b->tunnel);
	give_up(b, WK_EXIT_NO, "too big");
}

/* --- the tunnel ----------------------------------------------------------- */

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct blast *b = wk_tunnel_arg(s);

	blaster_datagram(&b->blaster, data, len);
	if (b->blaster.is_done && b->opt->count != 0 && b->has_stats &&
	    is_settled(b))
		wk_tunnel_cancel(&b->tunnel, "done");
}

static void
on_writable(struct wk_stream *s)
{
	blaster_writable(&((struct blast *)wk_tunnel_arg(s))->blaster);
}

/* The other end has sent all; we go on with ours. */
static void
on_end(struct wk_stream *s)
{
	struct blast *b = wk_tunnel_arg(s);

	take_stats(b);
	if (b->blaster.is_done || b->opt->count == 0)
		finish(b);
}

static void
on_open(struct wk_tunnel *tunnel, struct wk_stream *s)
{
	struct blast *b = tunnel->arg;
	char text[DATAGRAMS_TEXT_MAX];
	int rc = datagrams_open(&b->datagrams, s);

	if (rc != WK_EXIT_OK) {
		wk_tunnel_hush(tunnel);
		give_up(b, rc, "no datagrams");
		return;
	}
	if (wk_cli.is_json)
		datagrams_json_open(&b->datagrams, s);
	wk_notice("%" PRIu64 " octets each over %s", b->opt->size,
	    datagrams_text(&b->datagrams, s, text));
	take_stats(b);
	b->before = b->stats;
	if (!blaster_init(&b->blaster, b->opt, tunnel->loop, s, &b->datagrams,
	    on_done, on_failed, b)) {
		wk_warn("no random numbers");
		wk_tunnel_hush(tunnel);
		give_up(b, WK_EXIT_SYSTEM, "no random numbers");
		return;
	}
	b->was_open = true;
	b->blaster.rtt = &b->rtt;
	b->opened_ns = b->reported_ns = b->blaster.began_ns;
	if (b->opt->has_interval || wk_cli.is_json)
		wk_timer_set(&b->interval, wk_loop_now_ns(tunnel->loop) +
		    b->opt->interval_ns);
}

static void
on_over(struct wk_tunnel *tunnel)
{
	struct blast *b = tunnel->arg;

	b->closed_ns = wk_clock_now_ns();
	blaster_stop(&b->blaster);
	wk_timer_set(&b->wait, WK_NEVER);
	wk_timer_set(&b->interval, WK_NEVER);
}

static const struct wk_tunnel_handler handler = {
	.open = on_open,
	.over = on_over,
	.stream = {
		.datagram = on_datagram, .end = on_end,
		.writable = on_writable,
	},
};

/* --- the summary ---------------------------------------------------------- */

static void
window_json(const char *name, const struct window *w, uint64_t wanted)
{
	wk_json_object(name);
	wk_json_uint("datagrams", w->n);
	wk_json_uint("lost", wanted > w->n ? wanted - w->n : 0);
	wk_json_uint("duplicates", w->duplicates);
	wk_json_uint("reordered", w->reordered);
	wk_json_uint("late", w->late);
	wk_json_object_end();
}

static void
window_text(const char *name, const struct window *w, uint64_t wanted)
{
	uint64_t lost = wanted > w->n ? wanted - w->n : 0;

	wk_out_printf("%s %" PRIu64 " lost %" PRIu64 " (%.2f%%) duplicates %"
	    PRIu64 " reordered %" PRIu64 " late %" PRIu64 "\n", name, w->n,
	    lost, wanted > 0 ? 100.0 * (double)lost / (double)wanted : 0.0,
	    w->duplicates, w->reordered, w->late);
}

static void
report_json(const struct blast *b, double s, double back_s)
{
	const struct blaster *x = &b->blaster;

	wk_json_begin("summary");
	wk_json_double("seconds", s);
	wk_json_uint("sent", x->counts.sent);
	wk_json_uint("octets_sent", x->counts.octets_sent);
	wk_json_double("mbit_per_s", mbit_per_second(x->counts.octets_sent, s));
	wk_json_uint("blocked", x->counts.blocked);
	wk_json_uint("too_big", x->counts.unsent);
	if (b->has_stats) {
		wk_json_uint("acknowledged", b->stats.datagrams_acked -
		    b->before.datagrams_acked);
		wk_json_uint("lost", b->stats.datagrams_lost -
		    b->before.datagrams_lost);
		wk_json_double("smoothed_rtt_us",
		    (double)b->stats.smoothed_rtt_ns / 1e3);
	}
	window_json("echoed", &x->echoed, x->counts.sent);
	if (b->rtt.n > 0) {
		wk_json_double("rtt_p50_us",
		    (double)histogram_quantile(&b->rtt, 0.5) / 1e3);
		wk_json_double("rtt_p99_us",
		    (double)histogram_quantile(&b->rtt, 0.99) / 1e3);
	}
	window_json("received", &x->received, x->received.end);
	wk_json_uint("octets_received", x->counts.octets_received);
	wk_json_double("received_mbit_per_s",
	    mbit_per_second(x->counts.octets_received, back_s));
	wk_json_end();
}

static void
report_text(const struct blast *b, double s, double back_s)
{
	const struct blaster *x = &b->blaster;

	wk_out_printf("sent %" PRIu64 " octets %" PRIu64 " seconds %.3f "
	    "per_s %.0f mbit_per_s %.3f blocked %" PRIu64 " too_big %" PRIu64
	    "\n", x->counts.sent, x->counts.octets_sent, s,
	    per_second(x->counts.sent, s),
	    mbit_per_second(x->counts.octets_sent, s), x->counts.blocked,
	    x->counts.unsent);
	if (b->has_stats)
		wk_out_printf("acknowledged %" PRIu64 " lost %" PRIu64
		    " smoothed_rtt_ms %.3f\n", b->stats.datagrams_acked -
		    b->before.datagrams_acked, b->stats.datagrams_lost -
		    b->before.datagrams_lost,
		    (double)b->stats.smoothed_rtt_ns / 1e6);
	if (x->echoed.n > 0) {
		window_text("echoed", &x->echoed, x->counts.sent);
		wk_out_printf("rtt_ms min %.3f p50 %.3f p99 %.3f max %.3f\n",
		    (double)b->rtt.min / 1e6,
		    (double)histogram_quantile(&b->rtt, 0.5) / 1e6,
		    (double)histogram_quantile(&b->rtt, 0.99) / 1e6,
		    (double)b->rtt.max / 1e6);
	}
	if (x->received.n > 0) {
		window_text("received", &x->received, x->received.end);
		wk_out_printf("received_octets %" PRIu64 " mbit_per_s %.3f\n",
		    x->counts.octets_received,
		    mbit_per_second(x->counts.octets_received, back_s));
	}
}

static void
report(const struct blast *b)
{
	double s = seconds(b->opened_ns, b->blaster.ended_ns);
	double back_s = seconds(b->opened_ns, b->blaster.last_ns);

	if (wk_cli.is_json)
		report_json(b, s, back_s);
	else
		report_text(b, s, back_s);
}

/* --- the whole ------------------------------------------------------------ */

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_output_failed(void *arg)
{
	give_up(arg, WK_EXIT_OK, "the output failed");
}

static int
run(struct blast *b)
{
	const struct blaster *x = &b->blaster;
	int rc;

	wk_timer_init(&b->wait, b->tunnel.loop, on_wait, b);
	wk_timer_init(&b->interval, b->tunnel.loop, on_interval, b);
	if (wk_outlet_init(&b->outlet, b->tunnel.loop, on_drained,
	    on_output_failed, b) != WK_OK) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	rc = wk_tunnel_run(&b->tunnel);
	if (b->was_open)
		report(b);
	wk_outlet_finish(&b->outlet, WK_OUTLET_PATIENCE_NS);
	if (rc == WK_EXIT_OK)
		rc = b->rc;
	return rc == WK_EXIT_OK && x->counts.sent == 0 && x->received.n == 0 ?
	    WK_EXIT_NO : rc;
}

int
blast(const struct options *opt)
{
	const struct wk_tunnel_options wanted = options_tunnel(opt);
	struct blast *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	b->opt = opt;
	datagrams_init(&b->datagrams, opt);
	rc = wk_tunnel_init(&b->tunnel, &wanted, &handler, b);
	if (rc == WK_EXIT_OK) {
		options_apply_client(opt, &b->tunnel.client_options);
		rc = run(b);
		wk_tunnel_free(&b->tunnel);
	}
	free(b);
	return rc;
}
