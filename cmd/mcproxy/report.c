/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/report.h"

#include "cmd/mcproxy/stats.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

/* --- where ---------------------------------------------------------------- */

static void
listening(const struct wk_address *address, const char *what, const char *tag)
{
	char text[WK_ADDRESS_TEXT_MAX];

	wk_address_text(address, text);
	wk_notice("listening on %s%s%s%s%s", text, *tag != '\0' ? ", tag " :
	    "", tag, *what != '\0' ? ", " : "", what);
	if (!wk_cli.is_json)
		return;
	wk_json_begin("listening");
	wk_json_str("address", text);
	wk_json_str("for", *what != '\0' ? what : "clients");
	if (*tag != '\0')
		wk_json_str("tag", tag);
	wk_json_end();
}

void
report_listening(const struct proxy *p, const struct listening *metrics,
    size_t n_metrics)
{
	const struct listener *l;
	size_t i;

	for (i = 0; i < p->n_listeners; i++) {
		l = &p->listeners[i];
		listening(&l->address, l->is_admin ? "administration" :
		    l->is_secure ? "TLS" : "", l->tag);
	}
	for (i = 0; i < n_metrics; i++)
		listening(&metrics[i].address, "metrics", "");
	wk_out_flush();
}

/* --- backends ------------------------------------------------------------- */

void
report_lost(const struct server *s, const char *error)
{
	wk_verbose(2, "backend %s: worker %u: %s", s->backend->conf.label,
	    s->worker->number, error);
}

void
report_bad(struct backend *b, const char *error, uint64_t retry_ns)
{
	uint64_t now_ns = wk_clock_now_ns();

	atomic_store(&b->bad_ns, now_ns);
	wk_verbose(1, "backend %s: bad (%s), tried again in %.3g s",
	    b->conf.label, error, (double)retry_ns / WK_NS_PER_SEC);
}

void
report_back(struct backend *b)
{
	wk_verbose(1, "backend %s: back after %.3g s", b->conf.label,
	    (double)(wk_clock_now_ns() - atomic_load(&b->bad_ns)) /
	    WK_NS_PER_SEC);
}

void
report_held(const struct backend *b, bool is_held)
{
	wk_verbose(1, "backend %s: %s by command", b->conf.label,
	    is_held ? "down" : "up");
}

void
report_no_tls(struct backend *b, const struct wk_error *error)
{
	if (!atomic_exchange(&b->has_complained, true))
		wk_warn("backend %s: %s", b->conf.label, error->reason);
}

void
report_tls(struct backend *b)
{
	/* Mostly it is not set: leave its line of the cache alone then. */
	if (atomic_load_explicit(&b->has_complained, memory_order_relaxed))
		atomic_store(&b->has_complained, false);
}

/* --- the end -------------------------------------------------------------- */

void
report_summary(struct proxy *p)
{
	uint64_t clients = STATS_SUM(p, clients_total);
	uint64_t elapsed_ns = wk_clock_now_ns() - p->started_ns;
	struct tally_sums all = stats_all_routes(p);
	uint64_t requests = all.results[RESPONSE_GOOD] +
	    all.results[RESPONSE_MISS] + all.results[RESPONSE_ERROR];

	wk_notice("%llu requests of %llu clients in %.3g s, %llu misses, "
	    "%llu errors", (unsigned long long)requests,
	    (unsigned long long)clients, (double)elapsed_ns / WK_NS_PER_SEC,
	    (unsigned long long)all.results[RESPONSE_MISS],
	    (unsigned long long)all.results[RESPONSE_ERROR]);
	if (!wk_cli.is_json)
		return;
	wk_json_begin("summary");
	wk_json_uint("uptime_us", elapsed_ns / 1000);
	wk_json_uint("clients", clients);
	wk_json_uint("clients_refused", counter_value(&p->clients_refused));
	wk_json_uint("requests", requests);
	wk_json_uint("misses", all.results[RESPONSE_MISS]);
	wk_json_uint("errors", all.results[RESPONSE_ERROR]);
	wk_json_uint("bad_requests", STATS_SUM(p, request_errors));
	wk_json_uint("no_route", STATS_SUM(p, no_route));
	wk_json_uint("backend_failures", STATS_SUM(p, backends_failed));
	wk_json_uint("reloads", counter_value(&p->reloads));
	wk_json_uint("reload_fails", counter_value(&p->reload_fails));
	wk_json_end();
}
