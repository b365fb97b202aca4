/* SPDX-License-Identifier: MIT */
/*
 * Counting without locks: whoever counts is the only one to write, and
 * everybody may read at any time, so a counter is an ordinary load and store
 * that the compiler may not tear. A tally is what is known about the answers
 * of one pool or one route; every worker has its own, and readers add them up.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/mcproxy/request.h"
#include "cmd/mcproxy/response.h"

struct conf;
struct proxy;
struct worker;

typedef _Atomic uint64_t counter;

static inline uint64_t
counter_value(const counter *c)
{
	return atomic_load_explicit((counter *)c, memory_order_relaxed);
}

static inline void
counter_add(counter *c, uint64_t n)
{
	atomic_store_explicit(c, counter_value(c) + n, memory_order_relaxed);
}

/* --- latency -------------------------------------------------------------- */

/*
 * Microseconds in four steps for each power of two: a percentile is at most a
 * quarter too high, and the last step begins at 56 s.
 */
#define LATENCY_BUCKETS 100

struct latency {
	counter counts[LATENCY_BUCKETS];
	counter sum_us, max_us;
};

struct latency_sums {
	uint64_t counts[LATENCY_BUCKETS];
	uint64_t total, sum_us, max_us;
};

void latency_add(struct latency *l, uint64_t ns);

/* Add to what is there already. */
void latency_sum(struct latency_sums *to, const struct latency *l);
void latency_sum_again(struct latency_sums *to, const struct latency_sums *s);

/* What is in the later and was not in the earlier; its maximum is the later's. */
void latency_since(struct latency_sums *later,
    const struct latency_sums *earlier);

/* No more than percent of all took longer than this; 0 without any. */
uint64_t latency_percentile_us(const struct latency_sums *s, unsigned percent);

/* The longest time that a bucket counts; of the last one UINT64_MAX. */
uint64_t latency_bucket_us(unsigned bucket);

/* --- tallies -------------------------------------------------------------- */

#define TALLIES_MAX 8192	/* names of pools and routes in a run */
#define TALLY_NONE 0

enum tally_kind {
	TALLY_POOL,
	TALLY_ROUTE,
};

enum tally_class {		/* of commands */
	TALLY_READS,		/* get gets gat gats mg me */
	TALLY_WRITES,
	TALLY_CLASSES,
};

struct tally {
	counter results[RESPONSE_ERROR + 1];	/* by class of the answer */
	struct latency latency[TALLY_CLASSES];
};

struct tally_sums {
	uint64_t results[RESPONSE_ERROR + 1];
	struct latency_sums latency[TALLY_CLASSES];
};

struct tally_name {		/* kept for the whole run, as its counts are */
	enum tally_kind kind;
	char *name;
	_Atomic bool is_current; /* part of the configuration in use */
};

static inline enum tally_class
tally_class(enum command c)
{
	return command_is_read(c) || c == COMMAND_MG || c == COMMAND_ME ?
	    TALLY_READS : TALLY_WRITES;
}

/*
 * Give every pool and route of a configuration its number; a name that was
 * there before keeps it. TALLY_NONE when there are too many.
 */
void tally_assign(struct proxy *p, struct conf *c);

/* Room in this worker for all of them. */
void tally_adopt(struct worker *w, const struct conf *c);

void tally_add(struct worker *w, unsigned id, enum command command,
    uint64_t ns, enum response_class class);

/* Over all workers; false when nobody uses this number. */
bool tally_sum(const struct proxy *p, unsigned id, struct tally_sums *out);

void tally_free_worker(struct worker *w);
void tally_free(struct proxy *p);
