/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/engine.h"

/* --- latency -------------------------------------------------------------- */

static unsigned
bucket_of(uint64_t us)
{
	unsigned power, bucket;

	if (us < 4)
		return (unsigned)us;
	power = 63 - (unsigned)__builtin_clzll(us);
	bucket = 4 * (power - 1) + (unsigned)(us >> (power - 2) & 3);
	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

uint64_t
latency_bucket_us(unsigned bucket)
{
	uint64_t step;

	if (bucket < 4)
		return bucket;
	if (bucket + 1 >= LATENCY_BUCKETS)
		return UINT64_MAX;
	step = UINT64_C(1) << (bucket / 4 - 1);
	return (4 + bucket % 4) * step + step - 1;
}

void
latency_add(struct latency *l, uint64_t ns)
{
	uint64_t us = ns / 1000;

	counter_add(&l->counts[bucket_of(us)], 1);
	counter_add(&l->sum_us, us);
	if (us > counter_value(&l->max_us))
		atomic_store_explicit(&l->max_us, us, memory_order_relaxed);
}

void
latency_sum(struct latency_sums *to, const struct latency *l)
{
	uint64_t n, max = counter_value(&l->max_us);
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		n = counter_value(&l->counts[i]);
		to->counts[i] += n;
		to->total += n;
	}
	to->sum_us += counter_value(&l->sum_us);
	if (max > to->max_us)
		to->max_us = max;
}

void
latency_sum_again(struct latency_sums *to, const struct latency_sums *s)
{
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++)
		to->counts[i] += s->counts[i];
	to->total += s->total;
	to->sum_us += s->sum_us;
	if (s->max_us > to->max_us)
		to->max_us = s->max_us;
}

void
latency_since(struct latency_sums *later, const struct latency_sums *earlier)
{
	unsigned i;

	for (i = 0, later->total = 0; i < LATENCY_BUCKETS; i++) {
		/* The other side may have been started anew. */
		if (later->counts[i] >= earlier->counts[i])
			later->counts[i] -= earlier->counts[i];
		later->total += later->counts[i];
	}
}

uint64_t
latency_percentile_us(const struct latency_sums *s, unsigned percent)
{
	uint64_t seen = 0, us;
	unsigned i;

	if (s->total == 0)
		return 0;
	for (i = 0; i < LATENCY_BUCKETS; i++) {
		seen += s->counts[i];
		if (seen * 100 < s->total * percent)
			continue;
		us = latency_bucket_us(i);
		return us < s->max_us ? us : s->max_us;
	}
	return s->max_us;
}

/* --- names ---------------------------------------------------------------- */

static unsigned
find_name(struct proxy *p, enum tally_kind kind, const char *name)
{
	size_t i, n = atomic_load(&p->n_tallies);
	struct tally_name *t;

	if (n == 0)
		n = 1;	/* the first number is TALLY_NONE */
	for (i = 1; i < n; i++)
		if (p->tallies[i]->kind == kind &&
		    strcmp(p->tallies[i]->name, name) == 0)
			break;
	if (i == n) {
		if (n == TALLIES_MAX || (t = calloc(1, sizeof(*t))) == NULL)
			return TALLY_NONE;
		t->kind = kind;
		t->name = strdup(name);
		if (t->name == NULL) {
			free(t);
			return TALLY_NONE;
		}
		p->tallies[n] = t;
		atomic_store(&p->n_tallies, n + 1);
	}
	atomic_store(&p->tallies[i]->is_current, true);
	return (unsigned)i;
}

/* "prefix", "tag@prefix"; the rest of the keys is "*". */
static unsigned
find_route(struct proxy *p, const struct router *r, const char *prefix)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s%s", r->tag,
	    *r->tag != '\0' ? "@" : "", prefix);
	return find_name(p, TALLY_ROUTE, name);
}

static bool
has_commands(const struct router *r)
{
	size_t i;

	for (i = 0; i < COMMANDS_ROUTED; i++)
		if (r->by_command[i] != NULL)
			return true;
	return r->fallback != NULL;
}

void
tally_assign(struct proxy *p, struct conf *c)
{
	size_t i, j, n = atomic_load(&p->n_tallies);
	struct router *r;

	for (i = 1; i < n; i++)
		atomic_store(&p->tallies[i]->is_current, false);
	for (i = 0; i < c->n_pools; i++)
		c->pools[i]->id = find_name(p, TALLY_POOL, c->pools[i]->name);
	for (i = 0; i < c->n_routers; i++) {
		r = c->routers[i];
		for (j = 0; j < r->n_entries; j++)
			r->entries[j].id = find_route(p, r,
			    r->entries[j].prefix);
		r->id = has_commands(r) ? find_route(p, r, "*") : TALLY_NONE;
	}
}

/* --- counting ------------------------------------------------------------- */

static void
open_tally(struct worker *w, unsigned id)
{
	/* Without memory nothing is counted, and everything else works. */
	if (id != TALLY_NONE && w->tallies[id] == NULL)
		atomic_store(&w->tallies[id], calloc(1, sizeof(struct tally)));
}

void
tally_adopt(struct worker *w, const struct conf *c)
{
	size_t i, j;

	for (i = 0; i < c->n_pools; i++)
		open_tally(w, c->pools[i]->id);
	for (i = 0; i < c->n_routers; i++) {
		open_tally(w, c->routers[i]->id);
		for (j = 0; j < c->routers[i]->n_entries; j++)
			open_tally(w, c->routers[i]->entries[j].id);
	}
}

void
tally_add(struct worker *w, unsigned id, enum command command, uint64_t ns,
    enum response_class class)
{
	struct tally *t = atomic_load_explicit(&w->tallies[id],
	    memory_order_relaxed);

	if (t == NULL)
		return;
	counter_add(&t->results[class], 1);
	latency_add(&t->latency[tally_class(command)], ns);
}

bool
tally_sum(const struct proxy *p, unsigned id, struct tally_sums *out)
{
	const struct tally *t;
	size_t i, k;
	bool has_any = false;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < p->n_workers; i++) {
		t = atomic_load(&p->workers[i]->tallies[id]);
		if (t == NULL)
			continue;
		has_any = true;
		for (k = 0; k <= RESPONSE_ERROR; k++)
			out->results[k] += counter_value(&t->results[k]);
		for (k = 0; k < TALLY_CLASSES; k++)
			latency_sum(&out->latency[k], &t->latency[k]);
	}
	return has_any;
}

void
tally_free_worker(struct worker *w)
{
	size_t i;

	for (i = 0; i < TALLIES_MAX; i++)
		free(w->tallies[i]);
}

void
tally_free(struct proxy *p)
{
	size_t i, n = atomic_load(&p->n_tallies);

	for (i = 1; i < n; i++) {
		free(p->tallies[i]->name);
		free(p->tallies[i]);
	}
}
