/* SPDX-License-Identifier: MIT */
/*
 * What is counted, under memcached's names where it has some. Every worker
 * counts for itself; here the sums are made, by whoever asks.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "common/base/buf.h"
#include "common/base/clock.h"

/* --- latency -------------------------------------------------------------- */

/* Two buckets for each power of two of microseconds. */
static unsigned
latency_bucket(uint64_t ns)
{
	uint64_t us = ns / 1000 + 1;
	unsigned power = 63 - (unsigned)__builtin_clzll(us), bucket;

	bucket = 2 * power + (unsigned)(power > 0 && (us >> (power - 1) & 1));
	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The upper end of a bucket. */
static uint64_t
bucket_us(unsigned bucket)
{
	uint64_t power = UINT64_C(1) << bucket / 2;

	return bucket % 2 == 1 ? 2 * power - 1 : power + power / 2;
}

void
latency_add(struct server *s, uint64_t ns)
{
	counter_add(&s->count.latency[latency_bucket(ns)], 1);
}

static uint64_t
percentile_us(const uint64_t sums[LATENCY_BUCKETS], uint64_t percent)
{
	uint64_t total = 0, seen = 0;
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++)
		total += sums[i];
	for (i = 0; i < LATENCY_BUCKETS; i++) {
		seen += sums[i];
		if (total > 0 && seen * 100 >= total * percent)
			return bucket_us(i);
	}
	return 0;
}

/* --- sums ----------------------------------------------------------------- */

/* Over all workers, of the counter at an offset in worker_counters. */
static uint64_t
sum(const struct proxy *p, size_t offset)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < p->n_workers; i++)
		total += counter_value((const counter *)(const void *)
		    ((const char *)&p->workers[i]->count + offset));
	return total;
}

#define SUM(p, field) sum(p, offsetof(struct worker_counters, field))

struct backend_sums {
	uint64_t requests, errors, timeouts, connects, bytes_in, bytes_out;
	uint64_t depth, up, connections;
	uint64_t latency[LATENCY_BUCKETS];
};

static void
sum_backend(struct proxy *p, const struct backend *b, struct backend_sums *t)
{
	const struct server_counters *n;
	struct server **all;
	size_t i, j, k;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < p->n_workers; i++) {
		all = atomic_load(&p->workers[i]->servers[b->id]);
		for (j = 0; all != NULL && all[j] != NULL; j++) {
			n = &all[j]->count;
			t->requests += counter_value(&n->requests);
			t->errors += counter_value(&n->errors);
			t->timeouts += counter_value(&n->timeouts);
			t->connects += counter_value(&n->connects);
			t->bytes_in += counter_value(&n->bytes_in);
			t->bytes_out += counter_value(&n->bytes_out);
			t->depth += counter_value(&n->depth);
			t->up += counter_value(&n->state) == SERVER_UP;
			t->connections++;
			for (k = 0; k < LATENCY_BUCKETS; k++)
				t->latency[k] += counter_value(&n->latency[k]);
		}
	}
}

static uint64_t
count_bad(const struct proxy *p)
{
	size_t i, n = atomic_load(&((struct proxy *)p)->n_backends);
	uint64_t bad = 0;

	for (i = 0; i < n; i++)
		bad += atomic_load(&p->backends[i]->n_bad);
	return bad;
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
	uint64_t commands = 0;
	size_t i;

	for (i = 0; i < COMMANDS_ROUTED; i++)
		commands += sum(p, offsetof(struct worker_counters, commands) +
		    i * sizeof(counter));
	stat(out, "pid", (uint64_t)getpid());
	stat(out, "uptime", (wk_clock_now_ns() - p->started_ns) /
	    WK_NS_PER_SEC);
	stat(out, "time", wk_clock_wall_ns() / WK_NS_PER_SEC);
	wk_buf_printf(out, "STAT version %s\r\n", PACKAGE_VERSION);
	stat(out, "pointer_size", 8 * sizeof(void *));
	stat(out, "threads", p->n_workers);
	stat(out, "max_connections", p->options.max_clients);
	stat(out, "curr_connections", SUM(p, clients));
	stat(out, "total_connections", SUM(p, clients_total));
	stat(out, "rejected_connections", counter_value(&p->clients_refused));
	stat(out, "proxy_conn_requests", commands);
	stat(out, "proxy_conn_errors", SUM(p, request_errors));
	stat(out, "proxy_conn_oom", SUM(p, out_of_memory));
	stat(out, "proxy_req_active", SUM(p, requests_active));
	stat(out, "proxy_config_reloads", counter_value(&p->reloads));
	stat(out, "proxy_config_reload_fails",
	    counter_value(&p->reload_fails));
	stat(out, "proxy_config_cron_runs", 0);
	stat(out, "proxy_config_cron_fails", 0);
	stat(out, "proxy_backend_total", atomic_load(&p->n_backends) *
	    p->n_workers);
	stat(out, "proxy_backend_marked_bad", count_bad(p));
	stat(out, "proxy_backend_failed", SUM(p, backends_failed));
	stat(out, "proxy_request_failed_depth", SUM(p, depth_failed));
	stat(out, "proxy_no_route", SUM(p, no_route));
	stat(out, "proxy_multiget_failed_keys", SUM(p, multiget_failed));
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

	for (i = 0; i < n; i++)
		wk_buf_printf(out, "STAT user_%s %" PRIu64 "\r\n",
		    p->counters[i], sum(p, offsetof(struct worker_counters,
		    user) + i * sizeof(counter)));
	stat(out, "active_req_limit", counter_value(&p->request_limit));
	stat(out, "buffer_memory_limit", p->options.memory_limit);
	stat(out, "buffer_memory_used", SUM(p, memory));
	stat(out, "vm_gc_runs", 0);
	stat(out, "vm_memory_kb", 0);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		wk_buf_printf(out, "STAT cmd_%s %" PRIu64 "\r\n",
		    command_name(order[i]), order[i] == COMMANDS_ROUTED ? 0 :
		    sum(p, offsetof(struct worker_counters, commands) +
		    order[i] * sizeof(counter)));
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
stats_bad(struct proxy *p, struct wk_buf *out)
{
	size_t i, n = atomic_load(&p->n_backends);
	unsigned bad;

	for (i = 0; i < n; i++) {
		bad = atomic_load(&p->backends[i]->n_bad);
		if (bad > 0)
			wk_buf_printf(out, "STAT bad_%s %u\r\n",
			    p->backends[i]->conf.label, bad);
	}
}

static void
stats_backends(struct proxy *p, struct wk_buf *out)
{
	size_t i, j, n = atomic_load(&p->n_backends);
	struct backend_sums t;

	for (i = 0; i < n; i++) {
		const struct backend *b = p->backends[i];

		sum_backend(p, b, &t);
		const struct {
			const char *name;
			uint64_t v;
		} lines[] = {
			{ "up", t.up }, { "connections", t.connections },
			{ "bad", atomic_load(&b->n_bad) },
			{ "depth", t.depth }, { "requests", t.requests },
			{ "errors", t.errors }, { "timeouts", t.timeouts },
			{ "connects", t.connects },
			{ "bytes_in", t.bytes_in },
			{ "bytes_out", t.bytes_out },
			{ "p50_us", percentile_us(t.latency, 50) },
			{ "p99_us", percentile_us(t.latency, 99) },
		};

		for (j = 0; j < sizeof(lines) / sizeof(lines[0]); j++)
			wk_buf_printf(out, "STAT %s:%s %" PRIu64 "\r\n",
			    b->conf.label, lines[j].name, lines[j].v);
	}
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
		{ "proxybe", stats_bad },
		{ "backends", stats_backends },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == len &&
		    memcmp(kinds[i].name, what, len) == 0)
			break;
	if (i < sizeof(kinds) / sizeof(kinds[0]))
		kinds[i].write(p, out);
	wk_buf_printf(out, "END\r\n");
}

/* --- Prometheus ----------------------------------------------------------- */

static void
label_value(struct wk_buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '"' || *text == '\\')
			wk_buf_printf(out, "\\%c", *text);
		else
			wk_buf_append(out, text, 1);
}

static void
family(struct wk_buf *out, const char *name, const char *type,
    const char *help)
{
	wk_buf_printf(out, "# HELP mcproxy_%s %s\n# TYPE mcproxy_%s %s\n", name,
	    help, name, type);
}

static void
metric(struct wk_buf *out, const char *name, const char *type,
    const char *help, uint64_t v)
{
	family(out, name, type, help);
	wk_buf_printf(out, "mcproxy_%s %" PRIu64 "\n", name, v);
}

static void
backend_metrics(struct proxy *p, struct wk_buf *out)
{
	static const struct {
		const char *name, *type, *help;
		size_t at;
	} all[] = {
		{ "backend_requests_total", "counter", "Requests sent.",
		    offsetof(struct backend_sums, requests) },
		{ "backend_errors_total", "counter", "Requests failed.",
		    offsetof(struct backend_sums, errors) },
		{ "backend_timeouts_total", "counter", "Requests timed out.",
		    offsetof(struct backend_sums, timeouts) },
		{ "backend_connects_total", "counter", "Connection attempts.",
		    offsetof(struct backend_sums, connects) },
		{ "backend_received_bytes_total", "counter", "Octets read.",
		    offsetof(struct backend_sums, bytes_in) },
		{ "backend_sent_bytes_total", "counter", "Octets written.",
		    offsetof(struct backend_sums, bytes_out) },
		{ "backend_depth", "gauge", "Requests waiting.",
		    offsetof(struct backend_sums, depth) },
		{ "backend_up", "gauge", "Connections that are up.",
		    offsetof(struct backend_sums, up) },
	};
	size_t i, j, n = atomic_load(&p->n_backends);
	struct backend_sums t;
	uint64_t v;

	for (j = 0; j < sizeof(all) / sizeof(all[0]); j++) {
		family(out, all[j].name, all[j].type, all[j].help);
		for (i = 0; i < n; i++) {
			sum_backend(p, p->backends[i], &t);
			memcpy(&v, (const char *)&t + all[j].at, sizeof(v));
			wk_buf_printf(out, "mcproxy_%s{backend=\"",
			    all[j].name);
			label_value(out, p->backends[i]->conf.label);
			wk_buf_printf(out, "\"} %" PRIu64 "\n", v);
		}
	}
}

static void
latency_metrics(struct proxy *p, struct wk_buf *out)
{
	size_t i, n = atomic_load(&p->n_backends);
	struct backend_sums t;
	uint64_t seen;
	unsigned k;

	family(out, "backend_latency_seconds", "histogram",
	    "Time from queueing a request to its answer.");
	for (i = 0; i < n; i++) {
		sum_backend(p, p->backends[i], &t);
		for (k = 0, seen = 0; k < LATENCY_BUCKETS; k++) {
			seen += t.latency[k];
			if (k % 4 != 3 && k + 1 < LATENCY_BUCKETS)
				continue;
			wk_buf_printf(out,
			    "mcproxy_backend_latency_seconds_bucket{backend=\"");
			label_value(out, p->backends[i]->conf.label);
			if (k + 1 < LATENCY_BUCKETS)
				wk_buf_printf(out, "\",le=\"%.6f\"} %" PRIu64
				    "\n", (double)bucket_us(k) / 1e6, seen);
			else
				wk_buf_printf(out, "\",le=\"+Inf\"} %" PRIu64
				    "\n", seen);
		}
		wk_buf_printf(out,
		    "mcproxy_backend_latency_seconds_count{backend=\"");
		label_value(out, p->backends[i]->conf.label);
		wk_buf_printf(out, "\"} %" PRIu64 "\n", seen);
	}
}

void
stats_prometheus(struct proxy *p, struct wk_buf *out)
{
	size_t i;

	metric(out, "clients", "gauge", "Client connections.",
	    SUM(p, clients));
	metric(out, "clients_total", "counter", "Client connections ever.",
	    SUM(p, clients_total));
	metric(out, "clients_refused_total", "counter",
	    "Connections refused over the limit.",
	    counter_value(&p->clients_refused));
	metric(out, "requests_active", "gauge", "Requests at work.",
	    SUM(p, requests_active));
	metric(out, "buffer_bytes", "gauge", "Octets of buffers in use.",
	    SUM(p, memory));
	metric(out, "request_errors_total", "counter",
	    "Lines of clients that are no request.", SUM(p, request_errors));
	metric(out, "no_route_total", "counter", "Requests without a route.",
	    SUM(p, no_route));
	metric(out, "multiget_failed_keys_total", "counter",
	    "Keys of multigets whose backend failed.",
	    SUM(p, multiget_failed));
	metric(out, "config_reloads_total", "counter", "Reloads.",
	    counter_value(&p->reloads));
	metric(out, "config_reload_fails_total", "counter",
	    "Reloads refused.", counter_value(&p->reload_fails));
	metric(out, "backends_bad", "gauge",
	    "Connections to backends that are marked bad.", count_bad(p));
	family(out, "commands_total", "counter", "Requests by command.");
	for (i = 0; i < COMMANDS_ROUTED; i++)
		wk_buf_printf(out, "mcproxy_commands_total{command=\"%s\"} %"
		    PRIu64 "\n", command_name((enum command)i),
		    sum(p, offsetof(struct worker_counters, commands) +
		    i * sizeof(counter)));
	backend_metrics(p, out);
	latency_metrics(p, out);
}
