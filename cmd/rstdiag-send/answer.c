/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/rstdiag-send/output.h"
#include "cmd/rstdiag-send/payload.h"
#include "cmd/rstdiag-send/ruleset.h"
#include "cmd/rstdiag-send/tally.h"
#include "cmd/rstdiag-send/watch.h"
#include "common/base/clock.h"
#include "common/base/ratelimit.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/cli/watch.h"
#include "common/wire/segment.h"

#define DEFAULT_RATE 100

struct answer {
	const struct options *opt;
	struct watch watch;
	struct output out;
	struct payloads fixed;
	struct ruleset rules;
	struct wk_buf expression;	/* NUL-terminated, empty: none */
	struct wk_ratelimit rate;
	struct tally tally;
	uint64_t deadline_ns;		/* 0: none */
};

/* --- one frame ------------------------------------------------------------ */

/* A file has its own clock: what would have been answered back then? */
static uint64_t
rate_clock(const struct answer *a, const struct wk_frame *f)
{
	return a->watch.capture.is_live ? wk_clock_now_ns() : f->wall_ns;
}

static enum tally_fate
reply_to(struct answer *a, const struct wk_frame *f, struct wk_segment *rst,
    const struct reply *reply)
{
	enum output_result result;

	a->out.scope_id = watch_scope(&a->watch, f);
	result = output_resets(&a->out, rst, reply->payloads,
	    reply->n_payloads);
	if (result != OUTPUT_NOT_SENT)
		return TALLY_ANSWERED;
	/* The first of its kind is told, the others are counted. */
	if (tally_error(&a->tally, a->out.failed_errno) == 1)
		wk_warn("%s", a->out.failure);
	return TALLY_NOT_SENT;
}

/* Addresses that nobody has: an answer would hit who did not ask. */
static bool
is_impossible(const struct answer *a, const struct wk_frame *f,
    const struct wk_segment *s)
{
	if (address_is_no_host(s->ip_version, s->src) ||
	    address_is_no_host(s->ip_version, s->dst))
		return true;
	if (watch_is_loopback(&a->watch, f))
		return false;
	return address_is_internal(s->ip_version, s->src) ||
	    address_is_internal(s->ip_version, s->dst) ||
	    memcmp(s->src, s->dst, sizeof(s->src)) == 0;
}

static enum tally_fate
take_frame(struct answer *a, const struct wk_frame *f)
{
	const struct reply *reply;
	struct wk_segment s, rst;

	if (wk_segment_dissect(a->watch.capture.link, f->data, f->caplen,
	    f->wire_len, &s, NULL) != WK_SEGMENT_TCP || s.is_fragment)
		return TALLY_UNANSWERABLE;
	if (!wk_segment_reset_for(&s, &rst))
		return TALLY_RESET;
	reply = ruleset_match(&a->rules, f);
	if (reply == NULL)
		return TALLY_UNMATCHED;
	if (reply->action == RULE_IGNORE)
		return TALLY_IGNORED;
	if (!watch_is_for_us(&a->watch, f) || is_impossible(a, f, &s))
		return TALLY_NO_HOST;
	if (!wk_ratelimit_take(&a->rate, rate_clock(a, f)))
		return TALLY_LIMITED;
	/* Checksum offload leaves it unfinished: no reason not to answer. */
	a->tally.bad_checksums += s.tcp_checksum == WK_CHECKSUM_BAD;
	return reply_to(a, f, &rst, reply);
}

/* --- the loop ------------------------------------------------------------- */

static int
set_filter(struct answer *a, const struct ruleset *rules)
{
	struct wk_error error;
	int rc = wk_capture_filter(&a->watch.capture, rules->filter, &error);

	if (rc == WK_OK)
		return WK_EXIT_OK;
	wk_warn("%s: %s", a->watch.capture.name, error.reason);
	return rc == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
}

static const char *
expression(const struct answer *a)
{
	return a->expression.len == 0 ? NULL : (char *)a->expression.data;
}

/* New rules are complete before the old ones go. */
static void
reload(struct answer *a)
{
	struct ruleset fresh = { 0 };
	bool is_stdin = a->opt->rules != NULL &&
	    strcmp(a->opt->rules, "-") == 0;

	if (a->opt->rules == NULL || is_stdin) {
		wk_notice("nothing to read again: %s", is_stdin ?
		    "the rules came from standard input" : "no --rules");
		return;
	}
	if (ruleset_load(&fresh, a->opt, expression(a), &a->fixed,
	    a->watch.capture.link) != WK_EXIT_OK ||
	    set_filter(a, &fresh) != WK_EXIT_OK) {
		ruleset_free(&fresh);
		a->tally.failed_reloads++;
		wk_notice("%s: the rules from before stay", a->opt->rules);
		return;
	}
	ruleset_free(&a->rules);
	a->rules = fresh;
	a->tally.reloads++;
	wk_notice("%s: %zu rules read", a->opt->rules, a->rules.n);
}

static void
report(struct answer *a, const char *event)
{
	uint64_t received;

	wk_capture_counters(&a->watch.capture, &received, &a->tally.dropped);
	if (wk_cli.is_json)
		tally_write_json(&a->tally, event, a->out.sent,
		    a->out.octets);
	tally_write_text(&a->tally);
}

static bool
is_enough(const struct answer *a)
{
	return wk_signals_stopped() != 0 || wk_out_has_failed() ||
	    (a->deadline_ns != 0 && wk_clock_now_ns() >= a->deadline_ns) ||
	    a->tally.fate[TALLY_ANSWERED] >= or_else(a->opt->count,
	    UINT64_MAX);
}

static int
run(struct answer *a)
{
	enum watch_result got;
	enum tally_fate fate;
	struct wk_frame f;
	unsigned signals;
	int rc = WK_EXIT_OK;

	while (!is_enough(a)) {
		signals = wk_signals_take();
		if ((signals & WK_SIGNAL_RELOAD) != 0)
			reload(a);
		if ((signals & WK_SIGNAL_REPORT) != 0)
			report(a, "status");
		got = watch_next(&a->watch, &f, &rc);
		if (got == WATCH_FRAME) {
			fate = take_frame(a, &f);
			a->tally.seen++;
			a->tally.fate[fate]++;
			/* A pipe may be live: show what is known. */
			if (a->watch.capture.is_pipe && !output_flush(&a->out))
				break;
		} else if (got != WATCH_NOTHING || !output_flush(&a->out) ||
		    !wk_watch_wait(&a->watch.capture, a->deadline_ns,
		    a->out.is_echoing)) {
			break;
		}
	}
	output_flush(&a->out);
	/* The file or the time ended before --count did. */
	if (rc == WK_EXIT_OK && a->opt->count != UNSET &&
	    a->tally.fate[TALLY_ANSWERED] < a->opt->count)
		rc = WK_EXIT_NO;
	return rc;
}

/* --- setting up ----------------------------------------------------------- */

/* What all answered segments have in common. */
static int
join_expressions(struct answer *a)
{
	const struct options *o = a->opt;
	struct wk_buf *b = &a->expression;

	wk_buf_init(b, 131072);
	if (o->listen != UNSET)
		wk_buf_printf(b, "tcp dst port %" PRIu64 "%s", o->listen,
		    o->expression != NULL ? " and " : "");
	if (o->expression != NULL)
		wk_buf_printf(b, o->listen != UNSET ? "(%s)" : "%s",
		    o->expression);
	if (b->len > 0)
		wk_buf_uint(b, 0, 1);
	if (b->status == WK_OK)
		return WK_EXIT_OK;
	wk_warn("%s", wk_status_text(b->status));
	return WK_EXIT_SYSTEM;
}

static int
drop_rights(const struct answer *a)
{
	const char *rules = a->opt->rules;
	int rc = watch_relinquish(a->opt);

	if (rc == WK_EXIT_OK && rules != NULL && strcmp(rules, "-") != 0 &&
	    access(rules, R_OK) < 0)
		wk_caution("%s: SIGHUP cannot read it again, with the rights "
		    "that are left; see -Z", rules);
	return rc;
}

static int
set_up(struct answer *a)
{
	const struct options *o = a->opt;
	uint64_t rate = or_else(o->rate, DEFAULT_RATE);
	int rc;

	wk_ratelimit_init(&a->rate, rate, rate == 0 ? 1 : rate);
	if ((rc = payloads_init(&a->fixed, o)) != WK_EXIT_OK ||
	    (rc = join_expressions(a)) != WK_EXIT_OK ||
	    (rc = watch_open(&a->watch, o, PCAP_D_IN)) != WK_EXIT_OK ||
	    (rc = ruleset_load(&a->rules, o, expression(a), &a->fixed,
	    a->watch.capture.link)) != WK_EXIT_OK ||
	    (rc = set_filter(a, &a->rules)) != WK_EXIT_OK ||
	    (rc = output_open(&a->out, o, INJECT_V4 | INJECT_V6)) !=
	    WK_EXIT_OK || (rc = drop_rights(a)) != WK_EXIT_OK)
		return rc;
	/* A full queue must not hold up what arrives. */
	a->out.inject.waits = false;
	if (wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_RELOAD |
	    WK_SIGNAL_REPORT) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	if (o->max_time_ns != UNSET)
		a->deadline_ns = wk_clock_now_ns() + o->max_time_ns;
	return WK_EXIT_OK;
}

int
answer(const struct options *o)
{
	static struct answer a;
	int rc;

	a.opt = o;
	rc = set_up(&a);
	if (rc == WK_EXIT_OK) {
		if (a.watch.capture.is_live)
			wk_notice("answering on %s%s", a.watch.capture.name,
			    options_is_injecting(o) ? "" : ", sending nothing");
		rc = run(&a);
		report(&a, "summary");
	}
	rc = output_close(&a.out, rc);
	watch_close(&a.watch);
	ruleset_free(&a.rules);
	payloads_free(&a.fixed);
	wk_buf_free(&a.expression);
	return rc;
}
