/* SPDX-License-Identifier: MIT */
/*
 * The statistics of a running proxy at one moment, read over the wire, and
 * what happened between two of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/mcproxy/link.h"
#include "cmd/mcproxy/tally.h"

enum row_kind {
	ROW_BACKEND,
	ROW_POOL,
	ROW_ROUTE,
	ROW_KINDS,
};

enum row_value {
	ROW_REQUESTS,
	ROW_MISSES,
	ROW_ERRORS,
	ROW_UP,
	ROW_CONNECTIONS,
	ROW_BAD,
	ROW_HELD,
	ROW_DEPTH,
	ROW_VALUES,
};

struct row {
	enum row_kind kind;
	char *name;
	uint64_t values[ROW_VALUES];
	struct latency_sums latency;	/* reads and writes in one */
};

enum sample_value {
	SAMPLE_UPTIME,
	SAMPLE_THREADS,
	SAMPLE_CLIENTS,
	SAMPLE_REQUESTS,
	SAMPLE_ACTIVE,
	SAMPLE_VALUES,
};

struct sample {
	uint64_t at_ns;		/* monotonic */
	uint64_t values[SAMPLE_VALUES];
	struct row *rows;	/* by kind, then as the proxy names them */
	size_t n;
};

/* False after a message; the sample is empty then. */
bool sample_take(struct sample *s, struct link *l);
void sample_free(struct sample *s);

/* The same row in another sample, or NULL; near is where to look first. */
const struct row *sample_find(const struct sample *s, const struct row *row,
    size_t near);

/* Per second, of something that counts up from before to now. */
double sample_rate(uint64_t now, uint64_t before, uint64_t elapsed_ns);

const char *row_kind_name(enum row_kind kind);
/* "held", "bad", "down" (nothing is up) or "up". */
const char *row_state(const struct row *r);
