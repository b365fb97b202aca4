/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "cmd/mcproxy/tally.h"
#include "tests/unit/unit.h"

static struct latency_sums
sums_of(const struct latency *l)
{
	struct latency_sums s;

	memset(&s, 0, sizeof(s));
	latency_sum(&s, l);
	return s;
}

/* Every time falls into the one bucket that says so, a quarter wide at most. */
static void
test_buckets(void **state)
{
	uint64_t us, low, high, steps[3];
	unsigned i, k;

	(void)state;
	for (i = 0; i + 1 < LATENCY_BUCKETS; i++) {
		low = i == 0 ? 0 : latency_bucket_us(i - 1) + 1;
		high = latency_bucket_us(i);
		assert_true(high >= low);
		assert_true(high - low <= low / 4);
		steps[0] = low;
		steps[1] = high;
		steps[2] = (low + high) / 2;
		for (k = 0; k < 3; k++) {
			struct latency l = { .sum_us = 0 };

			us = steps[k];
			latency_add(&l, us * 1000 + 999);
			assert_int_equal(sums_of(&l).counts[i], 1);
			assert_int_equal(sums_of(&l).sum_us, us);
		}
	}
}

static void
test_percentiles(void **state)
{
	struct latency l = { .sum_us = 0 };
	struct latency_sums s = sums_of(&l), before;
	unsigned i;

	(void)state;
	assert_int_equal(latency_percentile_us(&s, 99), 0);
	for (i = 0; i < 98; i++)
		latency_add(&l, 3000);
	latency_add(&l, 1000000);
	latency_add(&l, UINT64_C(100) * 1000000000);
	s = sums_of(&l);
	assert_int_equal(s.total, 100);
	assert_int_equal(latency_percentile_us(&s, 50), 3);
	assert_int_equal(latency_percentile_us(&s, 98), 3);
	/* 1000 us, and the end of its bucket. */
	assert_in_range(latency_percentile_us(&s, 99), 1000, 1250);
	assert_int_equal(latency_percentile_us(&s, 100), 100000000);
	assert_int_equal(s.max_us, 100000000);

	/* Since then. */
	before = s;
	latency_add(&l, 7000);
	s = sums_of(&l);
	latency_since(&s, &before);
	assert_int_equal(s.total, 1);
	assert_int_equal(latency_percentile_us(&s, 50), 7);
}

/* A percentile is never above the longest time that was seen. */
static void
test_maximum(void **state)
{
	struct latency l = { .sum_us = 0 };
	struct latency_sums s, both;

	(void)state;
	latency_add(&l, 1025000);
	s = sums_of(&l);
	assert_int_equal(latency_percentile_us(&s, 99), 1025);
	memset(&both, 0, sizeof(both));
	latency_sum_again(&both, &s);
	latency_sum_again(&both, &s);
	assert_int_equal(both.total, 2);
	assert_int_equal(both.sum_us, 2050);
	assert_int_equal(both.max_us, 1025);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_maximum),
	};

	return cmocka_run_group_tests_name("mcproxy_tally", tests, NULL, NULL);
}
