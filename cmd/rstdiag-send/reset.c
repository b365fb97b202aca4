/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/reset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/rstdiag-send/connections.h"
#include "cmd/rstdiag-send/numbers.h"
#include "cmd/rstdiag-send/output.h"
#include "cmd/rstdiag-send/payload.h"
#include "cmd/rstdiag-send/ruleset.h"
#include "cmd/rstdiag-send/target.h"
#include "cmd/rstdiag-send/watch.h"
#include "common/base/clock.h"
#include "common/base/ratelimit.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/cli/watch.h"

#define MS UINT64_C(1000000)		/* in nanoseconds */
#define DEFAULT_RATE 100
#define DEFAULT_WATCH_NS (1000 * MS)
#define DEFAULT_MAX_TIME_NS (10000 * MS) /* for one connection */

/* Linux answers one probe in 500 ms (net.ipv4.tcp_invalid_ratelimit). */
#define PROBE_INTERVAL_NS (600 * MS)
#define PROBES_MAX 5

/* After a reset: so long a silence is the end; after so long we give up. */
#define QUIET_NS PROBE_INTERVAL_NS
#define QUIET_MAX_NS (5000 * MS)
#define ANSWER_NS (400 * MS)		/* for the question that follows */

#define FRESH_MAX 64
#define DRAIN_MAX 1024			/* frames, before acting on them */

struct reset {
	const struct options *opt;
	struct watch watch;
	struct output out;
	struct payloads payloads;
	struct wk_ratelimit rate;
	struct connections *connections;
	struct connection *fresh[FRESH_MAX];
	size_t n_fresh;
	struct target target;		/* when there is just one */
	uint64_t goal;			/* connections; UINT64_MAX: no end */
	uint64_t known, done, matched;	/* connections, connections, segments */
	uint64_t started_ns, deadline_ns, probe_ns;	/* 0: never */
	uint64_t found_ns;		/* the newest connection's first reset */
	uint64_t last_reset_ns;		/* of any */
	uint64_t asked_ns;		/* since the last reset; 0: not yet */
	bool is_second_half;		/* --both: now the source */
	int failed_errno;
};

static bool
is_one(const struct reset *r)
{
	return r->opt->dst.is_set;
}

/* --- what is seen --------------------------------------------------------- */

static bool
is_wanted(struct reset *r, const struct wk_segment *s)
{
	if (address_is_no_host(s->ip_version, s->src) ||
	    address_is_no_host(s->ip_version, s->dst))
		return false;
	if (is_one(r) && !target_takes(&r->target, s))
		return false;
	return (s->flags & WK_TCP_RST) == 0;
}

static struct connection *
connection_of(struct reset *r, const struct wk_segment *s)
{
	bool may_add = r->known < r->goal;
	struct connection *c = connections_find(r->connections, s, may_add);

	if (c == NULL || c->matched++ > 0)
		return c;
	r->known++;
	if (is_one(r)) {
		memcpy(c->victim, r->opt->dst.address, sizeof(c->victim));
		c->victim_port = r->opt->dst.port;
	}
	return c;
}

static void
take_frame(struct reset *r, const struct wk_frame *f)
{
	struct connection *c;
	struct wk_segment s;

	/* The length of a fragment is not that of its segment. */
	if (wk_segment_dissect(r->watch.capture.link, f->data, f->caplen,
	    f->wire_len, &s, NULL) != WK_SEGMENT_TCP || s.is_fragment ||
	    !is_wanted(r, &s))
		return;
	r->matched++;
	c = connection_of(r, &s);
	/* On paper once is enough. */
	if (c == NULL || (c->resets > 0 && !options_is_injecting(r->opt)))
		return;
	s.payload = s.options = NULL;
	s.options_len = 0;
	c->seen = s;
	c->scope_id = watch_scope(&r->watch, f);
	c->is_turned = s.src_port == c->victim_port &&
	    memcmp(s.src, c->victim, sizeof(c->victim)) == 0;
	if (c->is_turned)
		c->alive_ns = f->wall_ns;
	/* With too many in line it has to come again. */
	if (c->has_fresh || r->n_fresh == FRESH_MAX)
		return;
	r->fresh[r->n_fresh++] = c;
	c->has_fresh = true;
}

/* Take what is there; WATCH_FRAME: there may be more. */
static enum watch_result
drain(struct reset *r, int *rc)
{
	enum watch_result got = WATCH_FRAME;
	struct wk_frame f;
	unsigned n;

	for (n = 0; n < DRAIN_MAX; n++) {
		got = watch_next(&r->watch, &f, rc);
		if (got != WATCH_FRAME)
			break;
		take_frame(r, &f);
	}
	return got;
}

/* --- what is sent --------------------------------------------------------- */

static enum numbers_victim
victim_of(const struct connection *c)
{
	return c->is_turned ? NUMBERS_SOURCE : NUMBERS_DESTINATION;
}

static enum output_result
spray(struct reset *r, const struct connection *c, enum numbers_victim victim)
{
	const struct options *o = r->opt;
	uint64_t n = or_else(o->spray, 1), i;
	uint32_t step = (uint32_t)or_else(o->spray_step,
	    numbers_spray_step(&c->seen));
	enum output_result result = OUTPUT_OK;
	struct wk_segment rst;

	numbers_reset(&c->seen, victim, &rst);
	if (!numbers_has_seq(&rst))
		n = 1;
	for (i = 0; i < n && result == OUTPUT_OK; i++, rst.seq += step)
		result = output_resets(&r->out, &rst, r->payloads.octets,
		    r->payloads.n);
	return result;
}

/*
 * Who sends on keeps telling whether the other end is gone. So of one
 * connection the source comes second, when the destination is silent.
 */
static bool
is_source_due(const struct reset *r)
{
	return r->opt->is_both && (r->is_second_half || !is_one(r) ||
	    !options_is_injecting(r->opt));
}

static enum output_result
reset_connection(struct reset *r, struct connection *c)
{
	enum output_result result = OUTPUT_OK;

	/* On one machine the answer may be there before sending returns. */
	if (c->resets == 0)
		c->first_reset_ns = wk_clock_wall_ns();
	r->out.scope_id = c->scope_id;
	if (!r->target.is_confirmed)
		result = spray(r, c, victim_of(c));
	if (result == OUTPUT_OK && is_source_due(r))
		result = spray(r, c, c->is_turned ? NUMBERS_DESTINATION :
		    NUMBERS_SOURCE);
	return result;
}

static void
note_reset(struct reset *r, struct connection *c)
{
	r->last_reset_ns = wk_clock_now_ns();
	r->asked_ns = 0;
	r->target.is_reset = true;
	if (c->resets++ > 0)
		return;
	r->done++;
	r->found_ns = r->last_reset_ns;
}

/* False: there is no point in going on. */
static bool
act(struct reset *r)
{
	enum output_result result = OUTPUT_OK;
	size_t i, k;

	for (i = 0; i < r->n_fresh && result != OUTPUT_BROKEN &&
	    wk_ratelimit_take(&r->rate, wk_clock_now_ns()); i++) {
		r->fresh[i]->has_fresh = false;
		result = reset_connection(r, r->fresh[i]);
		if (result == OUTPUT_OK)
			note_reset(r, r->fresh[i]);
		if (result == OUTPUT_NOT_SENT &&
		    r->failed_errno != r->out.failed_errno) {
			wk_warn("%s", r->out.failure);
			r->failed_errno = r->out.failed_errno;
		}
	}
	r->n_fresh -= i;
	for (k = 0; k < r->n_fresh; k++)
		r->fresh[k] = r->fresh[k + i];
	return result == OUTPUT_OK ||
	    (result == OUTPUT_NOT_SENT && !is_one(r));
}

/* False: probing is over, or cannot be done. */
static bool
probe(struct reset *r, uint64_t now_ns)
{
	struct wk_segment syn;

	if (r->probe_ns == 0 || r->done > 0 || now_ns < r->probe_ns)
		return true;
	if (r->target.probes == PROBES_MAX)
		return false;
	r->out.scope_id = r->opt->dst.scope_id != 0 ?
	    r->opt->dst.scope_id : r->watch.scope_id;
	target_probe(&r->target, &syn);
	wk_verbose(1, "no segment seen yet, probe %u with SEQ %" PRIu32,
	    r->target.probes, syn.seq);
	if (output_silently(&r->out, &syn) != OUTPUT_OK) {
		wk_warn("%s", r->out.failure);
		r->failed_errno = r->out.failed_errno;
		return false;
	}
	r->probe_ns = now_ns + PROBE_INTERVAL_NS;
	return true;
}

/* --- the loop ------------------------------------------------------------- */

/* Every reset that was to be sent is sent, and nobody spoke since. */
static bool
is_quiet(const struct reset *r, uint64_t now_ns)
{
	return r->done >= r->goal && r->n_fresh == 0 &&
	    now_ns - r->last_reset_ns >= QUIET_NS;
}

static bool
may_ask(const struct reset *r)
{
	return is_one(r) && options_is_injecting(r->opt) &&
	    !r->opt->is_no_probe && !r->is_second_half &&
	    !r->target.is_confirmed;
}

/* Silence may also mean that the reset was dropped: ask, once a silence. */
static void
ask(struct reset *r, uint64_t now_ns)
{
	const struct connection *c = connections_next(r->connections, NULL);
	struct wk_segment rst, question;

	if (r->asked_ns != 0 || !may_ask(r) || !is_quiet(r, now_ns))
		return;
	r->asked_ns = now_ns;
	numbers_reset(&c->seen, victim_of(c), &rst);
	if (!numbers_has_seq(&rst))
		return;
	wk_verbose(1, "asking whether the connection is still known");
	target_question(&r->target, &rst, &question);
	output_silently(&r->out, &question);
}

static bool
is_settled(const struct reset *r, uint64_t now_ns)
{
	if (r->done < r->goal)
		return false;
	if (!options_is_injecting(r->opt) || r->target.is_confirmed ||
	    now_ns - r->found_ns >= QUIET_MAX_NS)
		return true;
	if (!may_ask(r))
		return is_quiet(r, now_ns);
	return r->n_fresh == 0 && r->asked_ns != 0 &&
	    now_ns - r->asked_ns >= ANSWER_NS;
}

/* Turn to the source; false when it had its reset, or shall have none. */
static bool
begin_second_half(struct reset *r)
{
	struct connection *c = connections_next(r->connections, NULL);

	if (!is_one(r) || !r->opt->is_both || r->is_second_half ||
	    r->done == 0 || !options_is_injecting(r->opt))
		return false;
	r->is_second_half = true;
	if (!c->has_fresh)
		r->fresh[r->n_fresh++] = c;
	c->has_fresh = true;
	return true;
}

static bool
is_over(const struct reset *r, uint64_t now_ns)
{
	return wk_signals_stopped() != 0 || wk_out_has_failed() ||
	    r->target.answer != ANSWER_NONE || is_settled(r, now_ns) ||
	    (r->deadline_ns != 0 && r->done < r->goal &&
	    now_ns >= r->deadline_ns);
}

static void
sooner(uint64_t *deadline_ns, uint64_t other_ns)
{
	if (other_ns != 0 && (*deadline_ns == 0 || other_ns < *deadline_ns))
		*deadline_ns = other_ns;
}

static uint64_t
next_deadline(const struct reset *r, uint64_t now_ns)
{
	uint64_t deadline_ns = 0;

	if (r->done < r->goal)
		sooner(&deadline_ns, r->deadline_ns);
	else
		sooner(&deadline_ns, r->asked_ns != 0 ?
		    r->asked_ns + ANSWER_NS : r->last_reset_ns + QUIET_NS);
	if (r->done == 0)
		sooner(&deadline_ns, r->probe_ns);
	if (r->n_fresh > 0)
		sooner(&deadline_ns, wk_ratelimit_next_ns(&r->rate, now_ns));
	return deadline_ns;
}

static int
run(struct reset *r)
{
	enum watch_result got;
	struct wk_segment rst;
	uint64_t now_ns;
	int rc = WK_EXIT_OK;

	for (;;) {
		wk_signals_take();
		got = drain(r, &rc);
		if (!act(r))
			break;
		now_ns = wk_clock_now_ns();
		ask(r, now_ns);
		if (is_settled(r, now_ns) && begin_second_half(r))
			continue;
		if (is_over(r, now_ns) || !probe(r, now_ns))
			break;
		if (got == WATCH_END || got == WATCH_BROKEN)
			break;
		if (got == WATCH_NOTHING && (!output_flush(&r->out) ||
		    !wk_watch_wait(&r->watch.capture,
		    next_deadline(r, now_ns), r->out.is_echoing)))
			break;
	}
	if (r->target.answer == ANSWER_OPENED) {
		target_take_back(&r->target, &rst);
		output_silently(&r->out, &rst);
	}
	output_flush(&r->out);
	return rc;
}

/* --- what came of it ------------------------------------------------------ */

/* Connections whose victim was heard until we gave up. */
static uint64_t
count_alive(const struct reset *r)
{
	uint64_t now_ns = wk_clock_wall_ns(), n = 0;
	struct connection *c = NULL;

	if (!options_is_injecting(r->opt) || r->target.is_confirmed ||
	    wk_clock_now_ns() - r->found_ns < QUIET_MAX_NS)
		return 0;
	while ((c = connections_next(r->connections, c)) != NULL)
		n += c->resets > 0 && c->alive_ns > c->first_reset_ns &&
		    c->alive_ns + 2 * QUIET_NS > now_ns;
	return n;
}

static void
sum_up(const struct reset *r, uint64_t alive)
{
	if (wk_cli.is_json) {
		wk_json_begin("summary");
		wk_json_str("mode", "reset");
		wk_json_bool("dry_run", !options_is_injecting(r->opt));
		wk_json_uint("segments_seen", r->matched);
		wk_json_uint("probes", r->target.probes);
		wk_json_uint("connections", r->done);
		wk_json_bool("confirmed", r->target.is_confirmed);
		wk_json_uint("still_alive", alive);
		wk_json_uint("sent", r->out.sent);
		wk_json_uint("octets", r->out.octets);
		wk_json_end();
	}
	wk_notice("%" PRIu64 " %s, %" PRIu64 " %s%s%s", r->done,
	    r->done == 1 ? "connection" : "connections", r->out.sent,
	    r->out.sent == 1 ? "packet" : "packets",
	    r->opt->write != NULL ? " written" :
	    r->opt->is_dry_run ? " shown, nothing sent" : " sent",
	    r->target.is_confirmed ?
	    "; the destination knows it no more" : "");
}

/* Why no numbers were found, in one sentence. */
static void
tell_not_found(const struct reset *r)
{
	const char *what = is_one(r) ? "of that connection" : "that matches";
	char when[64] = "", more[96] = "";

	if (r->target.answer == ANSWER_REFUSED || r->target.answer == ANSWER_OPENED) {
		wk_warn("no such connection: the probe was answered with a "
		    "%s", r->target.answer == ANSWER_REFUSED ? "reset" :
		    "new connection, which was taken back");
		return;
	}
	if (r->opt->read != NULL)
		snprintf(when, sizeof(when), " in %s", r->watch.capture.name);
	else
		snprintf(when, sizeof(when), " seen in %.1f s",
		    (double)(wk_clock_now_ns() - r->started_ns) / 1e9);
	if (r->target.probes > 0)
		snprintf(more, sizeof(more), ", and no answer to %u probes",
		    r->target.probes);
	else if (is_one(r) && r->opt->is_dry_run)
		snprintf(more, sizeof(more), "; a probe would be needed, "
		    "which --dry-run does not send");
	else if (is_one(r) && r->opt->is_no_probe)
		snprintf(more, sizeof(more), "; an idle connection needs "
		    "--probe");
	wk_warn("no segment %s%s%s", what, when, more);
}

static void
tell_alive(const struct reset *r, uint64_t alive)
{
	bool has_payload = r->payloads.octets[0].len > 0 &&
	    !r->opt->is_also_empty;

	wk_warn("%" PRIu64 " of %" PRIu64 " connections still alive after "
	    "%.1f s of resets%s", alive, r->done, (double)QUIET_MAX_NS / 1e9,
	    has_payload ? "; where the window is closed, --also-empty helps" :
	    "");
}

static int
conclude(const struct reset *r, uint64_t alive)
{
	bool has_goal = r->goal != UINT64_MAX;

	if (r->done < r->goal && has_goal && wk_signals_stopped() != 0)
		return EXIT_INTERRUPTED;
	if (r->failed_errno != 0 && r->done == 0)
		return output_exit_code(r->failed_errno);
	if (r->done == 0 && !(wk_signals_stopped() != 0 && !has_goal)) {
		tell_not_found(r);
		return WK_EXIT_NETWORK;
	}
	if (has_goal && r->done < r->goal) {
		wk_warn("%" PRIu64 " of %" PRIu64 " connections found",
		    r->done, r->goal);
		return WK_EXIT_NETWORK;
	}
	if (has_goal && alive > 0) {
		tell_alive(r, alive);
		return WK_EXIT_NO;
	}
	return WK_EXIT_OK;
}

/* --- setting up ----------------------------------------------------------- */

static int
set_filter(struct reset *r)
{
	const struct options *o = r->opt;
	struct ruleset rules = { 0 };
	struct wk_error error;
	struct wk_buf b;
	int rc = WK_EXIT_OK, status;

	wk_buf_init(&b, 1024);
	if (is_one(r))
		target_filter(&r->target, &b);
	else
		rc = ruleset_load(&rules, o, o->expression, &r->payloads,
		    r->watch.capture.link);
	if (rc != WK_EXIT_OK)
		return rc;
	status = wk_capture_filter(&r->watch.capture,
	    is_one(r) ? (char *)b.data : rules.filter, &error);
	if (status != WK_OK) {
		wk_warn("%s: %s", r->watch.capture.name, error.reason);
		rc = status == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
	}
	wk_buf_free(&b);
	ruleset_free(&rules);
	return rc;
}

static void
set_times(struct reset *r)
{
	const struct options *o = r->opt;
	uint64_t max_ns = or_else(o->max_time_ns,
	    is_one(r) ? DEFAULT_MAX_TIME_NS : 0);

	r->started_ns = wk_clock_now_ns();
	if (max_ns != 0)
		r->deadline_ns = r->started_ns + max_ns;
	if (is_one(r) && !o->is_no_probe && options_is_injecting(o))
		r->probe_ns = r->started_ns + (o->is_probe ? 0 :
		    or_else(o->watch_ns, DEFAULT_WATCH_NS));
}

static int
set_up(struct reset *r)
{
	const struct options *o = r->opt;
	uint64_t rate = or_else(o->rate, DEFAULT_RATE);
	unsigned families = !is_one(r) ? INJECT_V4 | INJECT_V6 :
	    o->dst.ip_version == 4 ? INJECT_V4 : INJECT_V6;
	int rc;

	r->goal = is_one(r) ? 1 : or_else(o->count, UINT64_MAX);
	wk_ratelimit_init(&r->rate, rate, rate == 0 ? 1 : rate);
	if (is_one(r))
		target_init(&r->target, o);
	r->connections = connections_new();
	if (r->connections == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	if ((rc = payloads_init(&r->payloads, o)) != WK_EXIT_OK ||
	    (rc = watch_open(&r->watch, o, PCAP_D_INOUT)) != WK_EXIT_OK ||
	    (rc = set_filter(r)) != WK_EXIT_OK ||
	    (rc = output_open(&r->out, o, families)) != WK_EXIT_OK ||
	    (rc = watch_relinquish(o)) != WK_EXIT_OK)
		return rc;
	if (wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	set_times(r);
	return WK_EXIT_OK;
}

int
reset(const struct options *o)
{
	static struct reset r;
	uint64_t alive;
	int rc;

	r.opt = o;
	rc = set_up(&r);
	if (rc == WK_EXIT_OK) {
		if (r.watch.capture.is_live)
			wk_notice("watching %s%s", r.watch.capture.name,
			    options_is_injecting(o) ? "" : ", sending nothing");
		rc = run(&r);
		alive = count_alive(&r);
		if (rc == WK_EXIT_OK)
			rc = conclude(&r, alive);
		sum_up(&r, alive);
	}
	rc = output_close(&r.out, rc);
	watch_close(&r.watch);
	payloads_free(&r.payloads);
	connections_del(r.connections);
	return rc;
}
