/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/ping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cmd/h3dgram/datagrams.h"
#include "cmd/h3dgram/histogram.h"
#include "cmd/h3dgram/probe.h"
#include "cmd/h3dgram/window.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/outlet.h"
#include "common/cli/tunnel.h"

#define ROWS 12			/* of the histogram, on a terminal */
#define BAR_MAX 50

struct ping {
	const struct options *opt;
	struct wk_tunnel tunnel;
	struct wk_outlet outlet;
	struct wk_timer timer;	/* the next, then the wait for the last */
	struct datagrams datagrams;
	struct window window;
	struct histogram rtt;
	uint32_t run;
	uint64_t sequence;	/* of the next */
	uint64_t due_ns;
	uint64_t too_late;	/* came after they were given up */
	uint64_t unsent;	/* too big, or nobody took it */
	uint64_t strangers;	/* came, and are no answers of ours */
	int rc;
	uint8_t payload[WK_DATAGRAM_UDP_MAX];
};

static void
give_up(struct ping *p, int rc, const char *reason)
{
	if (p->rc == WK_EXIT_OK)
		p->rc = rc;
	wk_tunnel_cancel(&p->tunnel, reason);
}

/* --- there ---------------------------------------------------------------- */

static bool
is_last(const struct ping *p)
{
	return p->opt->count != OPTIONS_NO_COUNT &&
	    p->sequence >= p->opt->count;
}

/* All that were sent have come back: nothing is left to wait for. */
static void
end_if_complete(struct ping *p)
{
	if (is_last(p) && p->window.n >= p->sequence - p->unsent)
		wk_tunnel_cancel(&p->tunnel, "done");
}

static void
on_timer(struct wk_timer *timer)
{
	struct ping *p = timer->arg;
	uint64_t now_ns = wk_loop_now_ns(p->tunnel.loop);
	struct probe probe = {
		.run = p->run, .sequence = p->sequence,
		.sent_ns = wk_clock_now_ns(),
	};

	if (is_last(p)) {
		wk_tunnel_cancel(&p->tunnel, "done");
		return;
	}
	probe_encode(p->payload, (size_t)p->opt->size, &probe);
	p->sequence++;
	switch (datagrams_send(&p->datagrams, p->tunnel.stream,
	    p->opt->context_id, p->payload, (size_t)p->opt->size)) {
	case DATAGRAMS_SENT:
		break;
	case DATAGRAMS_BLOCKED:
	case DATAGRAMS_DROPPED:
		p->unsent++;
		break;
	case DATAGRAMS_FAILED:
		wk_tunnel_hush(&p->tunnel);
		give_up(p, WK_EXIT_NO, "too big");
		return;
	case DATAGRAMS_CLOSED:
		return;
	}
	/* What was missed is not made up for: that would be a burst. */
	p->due_ns += p->opt->interval_ns;
	if (p->due_ns < now_ns)
		p->due_ns = now_ns + p->opt->interval_ns;
	wk_timer_set(timer, is_last(p) ? now_ns + p->opt->linger_ns :
	    p->due_ns);
}

/* --- and back ------------------------------------------------------------- */

static void
show(const struct probe *probe, size_t len, uint64_t rtt_ns, const char *note)
{
	if (wk_cli.is_json) {
		wk_json_begin("answer");
		wk_json_uint("sequence", probe->sequence);
		wk_json_uint("length", len);
		wk_json_double("rtt_us", (double)rtt_ns / 1e3);
		wk_json_bool("duplicate", strcmp(note, "duplicate") == 0);
		wk_json_bool("reordered", strcmp(note, "reordered") == 0);
		wk_json_bool("late", strcmp(note, "late") == 0);
		wk_json_end();
	} else if (!wk_cli.is_quiet) {
		wk_out_printf("sequence %" PRIu64 " length %zu rtt_ms %.3f%s%s\n",
		    probe->sequence, len, (double)rtt_ns / 1e6,
		    *note != '\0' ? " " : "", note);
	}
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct ping *p = wk_tunnel_arg(s);
	uint64_t now_ns = wk_clock_now_ns(), rtt_ns, reordered;
	const char *note = "";
	struct wk_datagram d;
	struct probe probe;

	if (!datagrams_take(&p->datagrams, s, data, len, &d))
		return;
	if (!probe_decode(d.payload, d.payload_len, &probe) ||
	    probe.run != p->run || probe.sequence >= p->sequence ||
	    probe.sent_ns > now_ns) {
		p->strangers++;
		return;
	}
	rtt_ns = now_ns - probe.sent_ns;
	if (rtt_ns > p->opt->linger_ns) {
		p->too_late++;
		note = "late";
	} else {
		reordered = p->window.reordered;
		switch (window_take(&p->window, probe.sequence)) {
		case WINDOW_NEW:
			histogram_add(&p->rtt, rtt_ns);
			if (p->window.reordered > reordered)
				note = "reordered";
			break;
		case WINDOW_DUPLICATE:
			note = "duplicate";
			break;
		case WINDOW_LATE:
			note = "late";
			break;
		}
	}
	show(&probe, d.payload_len, rtt_ns, note);
	if (wk_out_flush() != WK_OK)
		give_up(p, WK_EXIT_OK, "the output failed");
	else
		end_if_complete(p);
}

/* --- the end -------------------------------------------------------------- */

static void
report_json(const struct ping *p, uint64_t lost)
{
	const struct histogram *h = &p->rtt;
	static const struct {
		const char *name;
		double share;
	} quantiles[] = {
		{ "rtt_p50_us", 0.5 }, { "rtt_p90_us", 0.9 },
		{ "rtt_p99_us", 0.99 },
	};
	size_t i;

	wk_json_begin("summary");
	wk_json_uint("sent", p->sequence - p->unsent);
	wk_json_uint("answered", h->n);
	wk_json_uint("lost", lost);
	wk_json_uint("duplicates", p->window.duplicates);
	wk_json_uint("reordered", p->window.reordered);
	wk_json_uint("late", p->too_late + p->window.late);
	wk_json_uint("unsent", p->unsent);
	wk_json_uint("too_big", p->datagrams.too_big);
	wk_json_uint("strangers", p->strangers);
	if (h->n > 0) {
		wk_json_double("rtt_min_us", (double)h->min / 1e3);
		wk_json_double("rtt_avg_us", histogram_mean(h) / 1e3);
		for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
			wk_json_double(quantiles[i].name,
			    (double)histogram_quantile(h, quantiles[i].share) /
			    1e3);
		wk_json_double("rtt_max_us", (double)h->max / 1e3);
	}
	wk_json_end();
}

static void
draw(const struct histogram *h)
{
	uint64_t bounds[ROWS + 1], counts[ROWS], most = 1;
	size_t i;

	histogram_rows(h, bounds, counts, ROWS);
	for (i = 0; i < ROWS; i++)
		if (counts[i] > most)
			most = counts[i];
	for (i = 0; i < ROWS; i++)
		wk_out_printf("%10.3f ms %8" PRIu64 " %.*s\n",
		    (double)bounds[i] / 1e6, counts[i],
		    (int)((counts[i] * BAR_MAX + most - 1) / most),
		    "##################################################");
}

static void
report(const struct ping *p)
{
	const struct histogram *h = &p->rtt;
	uint64_t sent = p->sequence - p->unsent, lost = sent - h->n;

	if (wk_cli.is_json) {
		report_json(p, lost);
		return;
	}
	wk_out_printf("sent %" PRIu64 " answered %" PRIu64 " lost %" PRIu64
	    " (%.1f%%) duplicates %" PRIu64 " reordered %" PRIu64 " late %"
	    PRIu64 "\n", sent, h->n, lost,
	    sent > 0 ? 100.0 * (double)lost / (double)sent : 0.0,
	    p->window.duplicates, p->window.reordered,
	    p->too_late + p->window.late);
	if (p->unsent > 0)
		wk_out_printf("unsent %" PRIu64 " (%" PRIu64 " too big)\n",
		    p->unsent, p->datagrams.too_big);
	if (h->n == 0)
		return;
	wk_out_printf("rtt_ms min %.3f avg %.3f p50 %.3f p90 %.3f p99 %.3f "
	    "max %.3f\n", (double)h->min / 1e6, histogram_mean(h) / 1e6,
	    (double)histogram_quantile(h, 0.5) / 1e6,
	    (double)histogram_quantile(h, 0.9) / 1e6,
	    (double)histogram_quantile(h, 0.99) / 1e6, (double)h->max / 1e6);
	if (h->n > 1 && !wk_cli.is_quiet && isatty(wk_out_fd()) == 1)
		draw(h);
}

static void
on_open(struct wk_tunnel *tunnel, struct wk_stream *s)
{
	struct ping *p = tunnel->arg;
	char text[DATAGRAMS_TEXT_MAX];
	int rc = datagrams_open(&p->datagrams, s);

	if (rc != WK_EXIT_OK) {
		wk_tunnel_hush(tunnel);
		give_up(p, rc, "no datagrams");
		return;
	}
	if (wk_cli.is_json)
		datagrams_json_open(&p->datagrams, s);
	wk_notice("%" PRIu64 " octets to %s over %s", p->opt->size,
	    p->opt->target != NULL ? p->opt->target : p->opt->url,
	    datagrams_text(&p->datagrams, s, text));
	p->due_ns = wk_loop_now_ns(tunnel->loop);
	wk_timer_set(&p->timer, p->due_ns);
}

static void
on_over(struct wk_tunnel *tunnel)
{
	wk_timer_set(&((struct ping *)tunnel->arg)->timer, WK_NEVER);
}

/* Whoever echoes no more gets no more. */
static void
on_end(struct wk_stream *s)
{
	wk_stream_finish(s);
}

static const struct wk_tunnel_handler handler = {
	.open = on_open,
	.over = on_over,
	.stream = { .datagram = on_datagram, .end = on_end },
};

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
run(struct ping *p)
{
	int rc;

	wk_timer_init(&p->timer, p->tunnel.loop, on_timer, p);
	if (getrandom(&p->run, sizeof(p->run), 0) != sizeof(p->run) ||
	    wk_outlet_init(&p->outlet, p->tunnel.loop, on_drained,
	    on_output_failed, p) != WK_OK) {
		wk_warn("cannot start");
		return WK_EXIT_SYSTEM;
	}
	rc = wk_tunnel_run(&p->tunnel);
	wk_timer_set(&p->timer, WK_NEVER);
	if (p->sequence > 0)
		report(p);
	wk_outlet_finish(&p->outlet, WK_OUTLET_PATIENCE_NS);
	if (rc == WK_EXIT_OK)
		rc = p->rc;
	return rc == WK_EXIT_OK && p->rtt.n == 0 ? WK_EXIT_NO : rc;
}

int
ping(const struct options *opt)
{
	const struct wk_tunnel_options wanted = options_tunnel(opt);
	struct ping *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	p->opt = opt;
	datagrams_init(&p->datagrams, opt);
	rc = wk_tunnel_init(&p->tunnel, &wanted, &handler, p);
	if (rc == WK_EXIT_OK) {
		options_apply_client(opt, &p->tunnel.client_options);
		rc = run(p);
		wk_tunnel_free(&p->tunnel);
	}
	free(p);
	return rc;
}
