/* SPDX-License-Identifier: MIT */
/*
 * What is counted, under memcached's names where it has some. Every worker
 * counts for itself; here the sums are made, by whoever asks.
 */
#include "config.h"

#include "cmd/mcproxy/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/mcproxy/escape.h"
#include "cmd/mcproxy/watch.h"
#include "common/base/clock.h"
#include "common/base/text.h"

/* --- sums ----------------------------------------------------------------- */

uint64_t
stats_sum(const struct proxy *p, size_t offset)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < p->n_workers; i++)
		total += counter_value((const counter *)(const void *)
		    ((const char *)&p->workers[i]->count + offset));
	return total;
}

static void
sum_connection(const struct server *s, struct backend_sums *t)
{
	const struct server_counters *n = &s->count;
	size_t k;

	t->requests += counter_value(&n->requests);
	t->errors += counter_value(&n->errors);
	t->timeouts += counter_value(&n->timeouts);
	t->connects += counter_value(&n->connects);
	t->bytes_in += counter_value(&n->bytes_in);
	t->bytes_out += counter_value(&n->bytes_out);
	t->depth += counter_value(&n->depth);
	t->up += counter_value(&n->state) == SERVER_UP;
	for (k = 0; k < TALLY_CLASSES; k++)
		latency_sum(&t->latency[k], &n->latency[k]);
}

bool
stats_backend(const struct proxy *p, const struct backend *b,
    struct backend_sums *out)
{
	struct server **all;
	size_t i, j;
	bool is_current;

	memset(out, 0, sizeof(*out));
	if (atomic_load(&b->has_newer))
		return false;
	for (; b != NULL; b = b->namesake) {
		is_current = atomic_load(&b->is_current);
		out->is_current |= is_current;
		out->is_held |= atomic_load(&b->is_held);
		out->bad += atomic_load(&b->n_bad);
		for (i = 0; i < p->n_workers; i++) {
			all = atomic_load(&p->workers[i]->servers[b->id]);
			for (j = 0; all != NULL && all[j] != NULL; j++) {
				sum_connection(all[j], out);
				out->connections += is_current;
			}
		}
	}
	return out->is_current;
}

uint64_t
stats_bad(const struct proxy *p)
{
	size_t i, n = atomic_load(&p->n_backends);
	uint64_t bad = 0;

	for (i = 0; i < n; i++)
		bad += atomic_load(&p->backends[i]->n_bad);
	return bad;
}

struct latency_sums
stats_latency(const struct latency_sums by_class[])
{
	struct latency_sums all;
	size_t k;

	memset(&all, 0, sizeof(all));
	for (k = 0; k < TALLY_CLASSES; k++)
		latency_sum_again(&all, &by_class[k]);
	return all;
}

const char *
stats_class_name(enum tally_class class)
{
	return class == TALLY_READS ? "read" : "write";
}

unsigned
stats_next_tally(const struct proxy *p, enum tally_kind kind, unsigned id)
{
	size_t n = atomic_load(&p->n_tallies);

	while (++id < n)
		if (p->tallies[id]->kind == kind &&
		    atomic_load(&p->tallies[id]->is_current))
			return id;
	return TALLY_NONE;
}

/* --- loading -------------------------------------------------------------- */

static struct load_report report = { .is_ok = true };
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;

void
stats_loaded(const char *reason)
{
	pthread_mutex_lock(&report_lock);
	report.wall_ns = wk_clock_wall_ns();
	report.is_ok = reason == NULL;
	snprintf(report.reason, sizeof(report.reason), "%s",
	    reason != NULL ? reason : "");
	pthread_mutex_unlock(&report_lock);
}

struct load_report
stats_load_report(void)
{
	struct load_report copy;

	pthread_mutex_lock(&report_lock);
	copy = report;
	pthread_mutex_unlock(&report_lock);
	return copy;
}

/* --- stats ---------------------------------------------------------------- */

static void
stat(struct wk_buf *out, const char *name, uint64_t v)
{
	wk_buf_printf(out, "STAT %s %" PRIu64 "\r\n", name, v);
}

static void
stats_general(struct proxy *p, struct wk_buf *out)
{
	struct watch_counts n = watch_counts();
	uint64_t commands = 0;
	size_t i;

	for (i = 0; i < COMMANDS_ROUTED; i++)
		commands += STATS_SUM_AT(p, commands, i);
	stat(out, "pid", (uint64_t)getpid());
	stat(out, "uptime", (wk_clock_now_ns() - p->started_ns) /
	    WK_NS_PER_SEC);
	stat(out, "time", wk_clock_wall_ns() / WK_NS_PER_SEC);
	wk_buf_printf(out, "STAT version %s\r\n", PACKAGE_VERSION);
	stat(out, "pointer_size", 8 * sizeof(void *));
	stat(out, "threads", p->n_workers);
	stat(out, "max_connections", p->options.max_clients);
	stat(out, "curr_connections", STATS_SUM(p, clients));
	stat(out, "total_connections", STATS_SUM(p, clients_total));
	stat(out, "rejected_connections", counter_value(&p->clients_refused));
	stat(out, "proxy_conn_requests", commands);
	stat(out, "proxy_conn_errors", STATS_SUM(p, request_errors));
	stat(out, "proxy_conn_oom", STATS_SUM(p, out_of_memory));
	stat(out, "proxy_req_active", STATS_SUM(p, requests_active));
	stat(out, "proxy_config_reloads", counter_value(&p->reloads));
	stat(out, "proxy_config_reload_fails",
	    counter_value(&p->reload_fails));
	stat(out, "proxy_config_cron_runs", 0);
	stat(out, "proxy_config_cron_fails", 0);
	stat(out, "proxy_backend_total", atomic_load(&p->n_backends) *
	    p->n_workers);
	stat(out, "proxy_backend_marked_bad", stats_bad(p));
	stat(out, "proxy_backend_failed", STATS_SUM(p, backends_failed));
	stat(out, "proxy_request_failed_depth", STATS_SUM(p, depth_failed));
	stat(out, "log_watchers", n.watchers);
	stat(out, "log_watcher_sent", n.sent);
	stat(out, "log_watcher_skipped", n.skipped);
	stat(out, "proxy_no_route", STATS_SUM(p, no_route));
	stat(out, "proxy_multiget_failed_keys", STATS_SUM(p, multiget_failed));
}

static void
stats_settings(struct proxy *p, struct wk_buf *out)
{
	stat(out, "maxconns", p->options.max_clients);
	stat(out, "num_threads", p->n_workers);
	stat(out, "item_size_max", p->options.max_value);
	wk_buf_printf(out, "STAT binding_protocol proxy\r\n"
	    "STAT proxy_enabled yes\r\nSTAT proxy_uring_enabled no\r\n");
}

/* "STAT NAME:FIELD", with the name as one word. */
static void
stat_of(struct wk_buf *out, const char *name, const char *field, uint64_t v)
{
	wk_buf_printf(out, "STAT ");
	if (*name != '\0') {
		escape_word(out, name, strlen(name));
		wk_buf_printf(out, ":");
	}
	wk_buf_printf(out, "%s %" PRIu64 "\r\n", field, v);
}

static void
stat_latency(struct wk_buf *out, const char *name, const char *class,
    const struct latency_sums *s)
{
	const struct {
		const char *name;
		uint64_t v;
	} lines[] = {
		{ "p50", latency_percentile_us(s, 50) },
		{ "p99", latency_percentile_us(s, 99) },
		{ "max", s->max_us },
	};
	char field[32];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(field, sizeof(field), "%s%s%s_us", class,
		    *class != '\0' ? "_" : "", lines[i].name);
		stat_of(out, name, field, lines[i].v);
	}
}

static void
stat_classes(struct wk_buf *out, const char *name,
    const struct latency_sums by_class[])
{
	size_t k;

	for (k = 0; k < TALLY_CLASSES; k++)
		stat_latency(out, name, stats_class_name((enum tally_class)k),
		    &by_class[k]);
}

static void
stat_tally(struct wk_buf *out, const char *name, const struct tally_sums *t)
{
	stat_of(out, name, "requests", t->results[RESPONSE_GOOD] +
	    t->results[RESPONSE_MISS] + t->results[RESPONSE_ERROR]);
	stat_of(out, name, "misses", t->results[RESPONSE_MISS]);
	stat_of(out, name, "errors", t->results[RESPONSE_ERROR]);
	stat_classes(out, name, t->latency);
}

struct tally_sums
stats_all_routes(const struct proxy *p)
{
	struct tally_sums all, t;
	size_t k, n = atomic_load(&p->n_tallies);
	unsigned id;

	memset(&all, 0, sizeof(all));
	for (id = 1; id < n; id++) {
		if (p->tallies[id]->kind != TALLY_ROUTE ||
		    !tally_sum(p, id, &t))
			continue;
		for (k = 0; k <= RESPONSE_ERROR; k++)
			all.results[k] += t.results[k];
		for (k = 0; k < TALLY_CLASSES; k++)
			latency_sum_again(&all.latency[k], &t.latency[k]);
	}
	return all;
}

/* In memcached's order. */
static void
stats_proxy(struct proxy *p, struct wk_buf *out)
{
	static const enum command order[] = { COMMAND_MG, COMMAND_MS,
	    COMMAND_MD, COMMANDS_ROUTED, COMMAND_MA, COMMAND_ME, COMMAND_GET,
	    COMMAND_GAT, COMMAND_SET, COMMAND_ADD, COMMAND_CAS, COMMAND_GETS,
	    COMMAND_GATS, COMMAND_INCR, COMMAND_DECR, COMMAND_TOUCH,
	    COMMAND_APPEND, COMMAND_PREPEND, COMMAND_DELETE, COMMAND_REPLACE };
	size_t i, n = atomic_load(&p->n_counters);
	struct tally_sums all;

	for (i = 0; i < n; i++)
		wk_buf_printf(out, "STAT user_%s %" PRIu64 "\r\n",
		    p->counters[i], STATS_SUM_AT(p, user, i));
	stat(out, "active_req_limit", counter_value(&p->request_limit));
	stat(out, "buffer_memory_limit", p->options.memory_limit);
	stat(out, "buffer_memory_used", STATS_SUM(p, memory));
	stat(out, "vm_gc_runs", 0);
	stat(out, "vm_memory_kb", 0);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		wk_buf_printf(out, "STAT cmd_%s %" PRIu64 "\r\n",
		    command_name(order[i]), order[i] == COMMANDS_ROUTED ? 0 :
		    STATS_SUM_AT(p, commands, order[i]));
	/* Behind memcached's own names. */
	all = stats_all_routes(p);
	stat_tally(out, "", &all);
}

static void
stats_funcs(struct proxy *p, struct wk_buf *out)
{
	uint64_t n;
	size_t i;

	for (i = 0; i <= ROUTE_KINDS; i++) {
		const char *name = i == ROUTE_KINDS ? "mcp_router" :
		    route_kind_name((enum route_kind)i);

		n = counter_value(&p->functions[i]);
		if (n > 0)
			wk_buf_printf(out, "STAT funcs_%s %" PRIu64 "\r\n"
			    "STAT slots_%s %" PRIu64 "\r\n", name, n, name,
			    n * p->n_workers);
	}
}

static void
stats_proxybe(struct proxy *p, struct wk_buf *out)
{
	size_t i, n = atomic_load(&p->n_backends);
	unsigned bad;

	for (i = 0; i < n; i++) {
		bad = atomic_load(&p->backends[i]->n_bad);
		if (bad == 0)
			continue;
		wk_buf_printf(out, "STAT bad_");
		escape_word(out, p->backends[i]->conf.label,
		    strlen(p->backends[i]->conf.label));
		wk_buf_printf(out, " %u\r\n", bad);
	}
}

static void
stats_backends(struct proxy *p, struct wk_buf *out)
{
	size_t i, j, n = atomic_load(&p->n_backends);
	struct latency_sums all;
	struct backend_sums t;

	for (i = 0; i < n; i++) {
		const char *label = p->backends[i]->conf.label;

		if (!stats_backend(p, p->backends[i], &t))
			continue;
		const struct {
			const char *name;
			uint64_t v;
		} lines[] = {
			{ "up", t.up }, { "connections", t.connections },
			{ "bad", t.bad }, { "held_down", t.is_held },
			{ "depth", t.depth }, { "requests", t.requests },
			{ "errors", t.errors }, { "timeouts", t.timeouts },
			{ "connects", t.connects },
			{ "bytes_in", t.bytes_in },
			{ "bytes_out", t.bytes_out },
		};

		for (j = 0; j < sizeof(lines) / sizeof(lines[0]); j++)
			stat_of(out, label, lines[j].name, lines[j].v);
		all = stats_latency(t.latency);
		stat_latency(out, label, "", &all);
		stat_classes(out, label, t.latency);
	}
}

static void
stats_tallies(struct proxy *p, enum tally_kind kind, struct wk_buf *out)
{
	struct tally_sums t;
	unsigned id = 0;

	while ((id = stats_next_tally(p, kind, id)) != TALLY_NONE) {
		tally_sum(p, id, &t);
		stat_tally(out, p->tallies[id]->name, &t);
	}
}

static void
stats_pools(struct proxy *p, struct wk_buf *out)
{
	stats_tallies(p, TALLY_POOL, out);
}

static void
stats_routes(struct proxy *p, struct wk_buf *out)
{
	stats_tallies(p, TALLY_ROUTE, out);
}

/* "STAT KIND:NAME:CLASS BUCKET:COUNT ...", for whoever wants differences. */
static void
write_histogram(struct wk_buf *out, const char *kind, const char *name,
    const struct latency_sums by_class[])
{
	size_t i, k;

	for (k = 0; k < TALLY_CLASSES; k++) {
		wk_buf_printf(out, "STAT %s:", kind);
		escape_word(out, name, strlen(name));
		wk_buf_printf(out, ":%s %" PRIu64,
		    stats_class_name((enum tally_class)k),
		    by_class[k].max_us);
		for (i = 0; i < LATENCY_BUCKETS; i++)
			if (by_class[k].counts[i] > 0)
				wk_buf_printf(out, " %zu:%" PRIu64, i,
				    by_class[k].counts[i]);
		wk_buf_printf(out, "\r\n");
	}
}

static void
stats_histograms(struct proxy *p, struct wk_buf *out)
{
	size_t i, k, n = atomic_load(&p->n_backends);
	static const char *const kinds[] = { "pool", "route" };
	struct backend_sums b;
	struct tally_sums t;
	unsigned id = 0;

	for (i = 0; i < n; i++)
		if (stats_backend(p, p->backends[i], &b))
			write_histogram(out, "backend",
			    p->backends[i]->conf.label, b.latency);
	for (k = TALLY_POOL; k <= TALLY_ROUTE; k++)
		while ((id = stats_next_tally(p, (enum tally_kind)k, id)) !=
		    TALLY_NONE) {
			tally_sum(p, id, &t);
			write_histogram(out, kinds[k], p->tallies[id]->name,
			    t.latency);
		}
}

static void
stats_config(struct proxy *p, struct wk_buf *out)
{
	struct load_report r = stats_load_report();
	size_t i, n = atomic_load(&p->n_backends);
	uint64_t pools = 0, routes = 0, backends = 0;
	unsigned id = 0;

	while ((id = stats_next_tally(p, TALLY_POOL, id)) != TALLY_NONE)
		pools++;
	while ((id = stats_next_tally(p, TALLY_ROUTE, id)) != TALLY_NONE)
		routes++;
	for (i = 0; i < n; i++)
		backends += atomic_load(&p->backends[i]->is_current);
	stat(out, "loads", 1 + counter_value(&p->reloads) +
	    counter_value(&p->reload_fails));
	stat(out, "failed_loads", counter_value(&p->reload_fails));
	stat(out, "last_load_time", r.wall_ns / WK_NS_PER_SEC);
	wk_buf_printf(out, "STAT last_load_result %s\r\n",
	    r.is_ok ? "ok" : "failed");
	if (!r.is_ok) {
		wk_buf_printf(out, "STAT last_load_error ");
		wk_text_escape(out, r.reason, strlen(r.reason), 0);
		wk_buf_printf(out, "\r\n");
	}
	stat(out, "pools", pools);
	stat(out, "routes", routes);
	stat(out, "backends", backends);
}

void
stats_text(struct proxy *p, const char *what, size_t len, struct wk_buf *out)
{
	static const struct {
		const char *name;
		void (*write)(struct proxy *p, struct wk_buf *out);
	} kinds[] = {
		{ "", stats_general },
		{ "settings", stats_settings },
		{ "proxy", stats_proxy },
		{ "proxyfuncs", stats_funcs },
		{ "proxybe", stats_proxybe },
		{ "pools", stats_pools },
		{ "backends", stats_backends },
		{ "routes", stats_routes },
		{ "histograms", stats_histograms },
		{ "config", stats_config },
	};
	/* memcached has them, and who collects them needs no error. */
	static const char *const empty[] = { "items", "slabs", "sizes",
	    "conns", "detail", "reset" };
	size_t i, word;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == len &&
		    memcmp(kinds[i].name, what, len) == 0)
			break;
	if (i < sizeof(kinds) / sizeof(kinds[0])) {
		kinds[i].write(p, out);
	} else {
		for (word = 0; word < len && what[word] != ' '; word++)
			continue;
		for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
			if (strlen(empty[i]) == word &&
			    memcmp(empty[i], what, word) == 0)
				break;
		if (i == sizeof(empty) / sizeof(empty[0])) {
			wk_buf_printf(out, "ERROR\r\n");
			return;
		}
	}
	wk_buf_printf(out, "END\r\n");
}
