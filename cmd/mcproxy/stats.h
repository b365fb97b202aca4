/* SPDX-License-Identifier: MIT */
/*
 * The sums behind all statistics, for the writers of their several forms:
 * stats.c for memcached's, prometheus.c for --metrics.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/mcproxy/engine.h"
#include "common/base/buf.h"

struct backend_sums {		/* over all connections of all workers */
	uint64_t requests, errors, timeouts, connects, bytes_in, bytes_out;
	uint64_t depth, up, connections, bad;
	bool is_current, is_held;
	struct latency_sums latency[TALLY_CLASSES];
};

/* Over all workers, of the counter at an offset in worker_counters. */
uint64_t stats_sum(const struct proxy *p, size_t offset);
#define STATS_SUM(p, field) \
	stats_sum(p, offsetof(struct worker_counters, field))
#define STATS_SUM_AT(p, field, i) stats_sum(p, \
	offsetof(struct worker_counters, field) + (i) * sizeof(counter))

/*
 * Of all backends with one label, from the newest back; false for one that has
 * a newer namesake, or that the configuration does not name any more.
 */
bool stats_backend(const struct proxy *p, const struct backend *b,
    struct backend_sums *out);

/* Connections that are marked bad, of all backends. */
uint64_t stats_bad(const struct proxy *p);

/* All classes of commands in one. */
struct latency_sums stats_latency(const struct latency_sums by_class[]);

const char *stats_class_name(enum tally_class class);

/* All that was routed, as the clients saw it. */
struct tally_sums stats_all_routes(const struct proxy *p);

/* The next number after id of this kind in the current configuration, or 0. */
unsigned stats_next_tally(const struct proxy *p, enum tally_kind kind,
    unsigned id);

struct load_report {		/* of the last attempt to load */
	uint64_t wall_ns;
	bool is_ok;
	char reason[1024];	/* why not */
};
struct load_report stats_load_report(void);
