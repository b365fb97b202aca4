/* SPDX-License-Identifier: MIT */
/*
 * A histogram of constant size: 64 steps for each power of two, so that a
 * percentile is at most 1/64 away from the truth, whatever the range. Numbers
 * are nanoseconds here, but it does not care.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEPS 64
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * (64 - 5))

struct histogram {		/* all zeros is a new one */
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t n, min, max;
	double sum;
};

void histogram_add(struct histogram *h, uint64_t v);

/* The smallest number that no less than that share (0 to 1) do not exceed. */
uint64_t histogram_quantile(const struct histogram *h, double share);

double histogram_mean(const struct histogram *h);

/*
 * How many there are from each of n + 1 bounds to the next, the first of
 * which is min and the last max; bounds grow by the same factor.
 */
void histogram_rows(const struct histogram *h, uint64_t *bounds,
    uint64_t *counts, size_t n);
