/* SPDX-License-Identifier: MIT */
/* The statistics as Prometheus text (exposition format 0.0.4). */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/stats.h"
#include "cmd/mcproxy/watch.h"
#include "common/base/text.h"

#define BUCKETS_STEP 4		/* one bucket here for so many of ours */

/* A label's value: UTF-8, with three characters escaped. */
static void
label_value(struct wk_buf *out, const char *text)
{
	size_t len = strlen(text), n;
	uint32_t c;

	for (; len > 0; text += n, len -= n) {
		n = wk_utf8_decode((const uint8_t *)text, len, &c);
		if (n == 0) {
			wk_buf_printf(out, "\xef\xbf\xbd");
			n = 1;
		} else if (*text == '\n') {
			wk_buf_printf(out, "\\n");
		} else {
			if (*text == '"' || *text == '\\')
				wk_buf_printf(out, "\\");
			wk_buf_append(out, text, n);
		}
	}
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

/* --- histograms ----------------------------------------------------------- */

struct labels {			/* {kind="name",class="read" */
	const char *kind, *name;
	enum tally_class class;
};

static void
sample(struct wk_buf *out, const char *family_name, const char *suffix,
    const struct labels *l)
{
	wk_buf_printf(out, "mcproxy_%s%s{%s=\"", family_name, suffix, l->kind);
	label_value(out, l->name);
	wk_buf_printf(out, "\",class=\"%s\"", stats_class_name(l->class));
}

static void
histogram(struct wk_buf *out, const char *name, const struct labels *l,
    const struct latency_sums *s)
{
	uint64_t seen = 0;
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		seen += s->counts[i];
		if (i % BUCKETS_STEP != BUCKETS_STEP - 1 ||
		    i + 1 == LATENCY_BUCKETS)
			continue;
		sample(out, name, "_bucket", l);
		wk_buf_printf(out, ",le=\"%.6f\"} %" PRIu64 "\n",
		    (double)(latency_bucket_us(i) + 1) / 1e6, seen);
	}
	sample(out, name, "_bucket", l);
	wk_buf_printf(out, ",le=\"+Inf\"} %" PRIu64 "\n", seen);
	sample(out, name, "_sum", l);
	wk_buf_printf(out, "} %.6f\n", (double)s->sum_us / 1e6);
	sample(out, name, "_count", l);
	wk_buf_printf(out, "} %" PRIu64 "\n", seen);
}

static void
histograms(struct wk_buf *out, const char *name, const char *kind,
    const char *of, const struct latency_sums by_class[])
{
	struct labels l = { .kind = kind, .name = of };
	size_t k;

	for (k = 0; k < TALLY_CLASSES; k++) {
		l.class = (enum tally_class)k;
		histogram(out, name, &l, &by_class[k]);
	}
}

/* --- backends ------------------------------------------------------------- */

struct known_backend {
	const char *label;
	struct backend_sums sums;
};

static void
write_backends(struct wk_buf *out, const struct known_backend *all, size_t n)
{
	static const struct {
		const char *name, *type, *help;
		size_t at;
	} families[] = {
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
		{ "backend_connections", "gauge", "Connections wanted.",
		    offsetof(struct backend_sums, connections) },
		{ "backend_up", "gauge", "Connections that are up.",
		    offsetof(struct backend_sums, up) },
		{ "backend_bad", "gauge", "Connections marked bad.",
		    offsetof(struct backend_sums, bad) },
	};
	size_t i, j;
	uint64_t v;

	for (j = 0; j < sizeof(families) / sizeof(families[0]); j++) {
		family(out, families[j].name, families[j].type,
		    families[j].help);
		for (i = 0; i < n; i++) {
			memcpy(&v, (const char *)&all[i].sums + families[j].at,
			    sizeof(v));
			wk_buf_printf(out, "mcproxy_%s{backend=\"",
			    families[j].name);
			label_value(out, all[i].label);
			wk_buf_printf(out, "\"} %" PRIu64 "\n", v);
		}
	}
	family(out, "backend_held_down", "gauge", "1: down by command.");
	for (i = 0; i < n; i++) {
		wk_buf_printf(out, "mcproxy_backend_held_down{backend=\"");
		label_value(out, all[i].label);
		wk_buf_printf(out, "\"} %d\n", all[i].sums.is_held);
	}
	family(out, "backend_latency_seconds", "histogram",
	    "Time from queueing a request to its answer.");
	for (i = 0; i < n; i++)
		histograms(out, "backend_latency_seconds", "backend",
		    all[i].label, all[i].sums.latency);
}

static void
backend_metrics(const struct proxy *p, struct wk_buf *out)
{
	size_t i, n_known = 0, n = atomic_load(&p->n_backends);
	struct known_backend *all = calloc(n + 1, sizeof(*all));

	if (all == NULL)
		return;
	for (i = 0; i < n; i++) {
		if (!stats_backend(p, p->backends[i], &all[n_known].sums))
			continue;
		all[n_known++].label = p->backends[i]->conf.label;
	}
	write_backends(out, all, n_known);
	free(all);
}

/* --- pools and routes ----------------------------------------------------- */

static void
tally_metrics(const struct proxy *p, enum tally_kind kind, const char *name,
    struct wk_buf *out)
{
	static const char *const results[] = { "hit", "miss", "error" };
	char requests[32], latency[32];
	struct tally_sums t;
	unsigned id, k;

	snprintf(requests, sizeof(requests), "%s_requests_total", name);
	snprintf(latency, sizeof(latency), "%s_latency_seconds", name);
	family(out, requests, "counter", "Requests by result; a hit is "
	    "whatever is no miss and no error.");
	for (id = 0; (id = stats_next_tally(p, kind, id)) != TALLY_NONE;) {
		tally_sum(p, id, &t);
		for (k = 0; k <= RESPONSE_ERROR; k++) {
			wk_buf_printf(out, "mcproxy_%s{%s=\"", requests, name);
			label_value(out, p->tallies[id]->name);
			wk_buf_printf(out, "\",result=\"%s\"} %" PRIu64 "\n",
			    results[k], t.results[k]);
		}
	}
	family(out, latency, "histogram", kind == TALLY_POOL ?
	    "Time from choosing a backend to its answer." :
	    "Time from reading a request to its answer.");
	for (id = 0; (id = stats_next_tally(p, kind, id)) != TALLY_NONE;) {
		tally_sum(p, id, &t);
		histograms(out, latency, name, p->tallies[id]->name, t.latency);
	}
}

/* --- all ------------------------------------------------------------------ */

static void
process_metrics(struct proxy *p, struct wk_buf *out)
{
	struct load_report r = stats_load_report();
	struct watch_counts n = watch_counts();

	family(out, "build_info", "gauge", "The version of this program.");
	wk_buf_printf(out, "mcproxy_build_info{version=\"%s\"} 1\n",
	    PACKAGE_VERSION);
	metric(out, "clients", "gauge", "Client connections.",
	    STATS_SUM(p, clients));
	metric(out, "client_connections_total", "counter", "Client connections ever.",
	    STATS_SUM(p, clients_total));
	metric(out, "clients_refused_total", "counter",
	    "Connections refused over the limit.",
	    counter_value(&p->clients_refused));
	metric(out, "requests_active", "gauge", "Requests at work.",
	    STATS_SUM(p, requests_active));
	metric(out, "buffer_bytes", "gauge", "Octets of buffers in use.",
	    STATS_SUM(p, memory));
	metric(out, "request_errors_total", "counter",
	    "Lines of clients that are no request.",
	    STATS_SUM(p, request_errors));
	metric(out, "no_route_total", "counter", "Requests without a route.",
	    STATS_SUM(p, no_route));
	metric(out, "multiget_failed_keys_total", "counter",
	    "Keys of multigets whose backend failed.",
	    STATS_SUM(p, multiget_failed));
	metric(out, "watcher_lines_total", "counter",
	    "Lines of log streams given to watchers.", n.sent);
	metric(out, "watcher_lines_skipped_total", "counter",
	    "Lines dropped because a watcher was slow.", n.skipped);
	metric(out, "config_reloads_total", "counter", "Reloads.",
	    counter_value(&p->reloads));
	metric(out, "config_reload_fails_total", "counter",
	    "Reloads refused.", counter_value(&p->reload_fails));
	metric(out, "config_last_load_ok", "gauge",
	    "0: the last reload was refused.", r.is_ok);
	metric(out, "config_last_load_timestamp_seconds", "gauge",
	    "When a configuration was last loaded, or refused.",
	    r.wall_ns / UINT64_C(1000000000));
	metric(out, "backends_bad", "gauge",
	    "Connections to backends that are marked bad.", stats_bad(p));
}

void
stats_prometheus(struct proxy *p, struct wk_buf *out)
{
	size_t i, n = atomic_load(&p->n_counters);

	process_metrics(p, out);
	family(out, "commands_total", "counter", "Requests by command.");
	for (i = 0; i < COMMANDS_ROUTED; i++)
		wk_buf_printf(out, "mcproxy_commands_total{command=\"%s\"} %"
		    PRIu64 "\n", command_name((enum command)i),
		    STATS_SUM_AT(p, commands, i));
	family(out, "user_total", "counter",
	    "Counters that the configuration names.");
	for (i = 0; i < n; i++) {
		wk_buf_printf(out, "mcproxy_user_total{name=\"");
		label_value(out, p->counters[i]);
		wk_buf_printf(out, "\"} %" PRIu64 "\n",
		    STATS_SUM_AT(p, user, i));
	}
	tally_metrics(p, TALLY_ROUTE, "route", out);
	tally_metrics(p, TALLY_POOL, "pool", out);
	backend_metrics(p, out);
}
