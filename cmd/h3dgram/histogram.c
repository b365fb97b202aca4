/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/histogram.h"

#include <math.h>
#include <string.h>

#define STEP_BITS 6

/* The first 64 numbers have a bucket each, then come 64 for a power of two. */
static size_t
bucket_of(uint64_t v)
{
	unsigned power;

	if (v < HISTOGRAM_STEPS)
		return (size_t)v;
	power = 63 - (unsigned)__builtin_clzll(v);
	return HISTOGRAM_STEPS * (size_t)(power - STEP_BITS + 1) +
	    (size_t)(v >> (power - STEP_BITS) & (HISTOGRAM_STEPS - 1));
}

/* The largest number in it. */
static uint64_t
bucket_end(size_t bucket)
{
	unsigned shift;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	shift = (unsigned)(bucket / HISTOGRAM_STEPS - 1);
	return ((HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS + 1) << shift) - 1;
}

void
histogram_add(struct histogram *h, uint64_t v)
{
	if (h->n == 0 || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->counts[bucket_of(v)]++;
	h->n++;
	h->sum += (double)v;
}

uint64_t
histogram_quantile(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->n), seen = 0, v;
	size_t i;

	if (h->n == 0)
		return 0;
	if (wanted == 0)
		return h->min;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen < wanted)
			continue;
		v = bucket_end(i);
		return v < h->min ? h->min : v > h->max ? h->max : v;
	}
	return h->max;
}

double
histogram_mean(const struct histogram *h)
{
	return h->n == 0 ? 0 : h->sum / (double)h->n;
}

void
histogram_rows(const struct histogram *h, uint64_t *bounds, uint64_t *counts,
    size_t n)
{
	double factor = h->min == 0 ? 1 : pow((double)h->max / (double)h->min,
	    1.0 / (double)n), at = (double)h->min;
	size_t i, row = 0;

	memset(counts, 0, n * sizeof(*counts));
	for (i = 0; i <= n; i++) {
		bounds[i] = (uint64_t)at;
		at *= factor;
	}
	bounds[n] = h->max;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		while (row + 1 < n && bucket_end(i) >= bounds[row + 1])
			row++;
		counts[row] += h->counts[i];
	}
}
