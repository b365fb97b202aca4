/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/base/ratelimit.h"
#include "common/base/clock.h"

/* Tokens given out between from and to when asked every step. */
static unsigned
taken(struct wk_ratelimit *r, uint64_t from, uint64_t to, uint64_t step)
{
	unsigned n = 0;

	for (; from < to; from += step)
		n += wk_ratelimit_take(r, from);
	return n;
}

static void
test_a_burst_then_the_rate(void **state)
{
	static const uint64_t rates[] = { 1, 3, 7, 100, 1000, 999983 };
	uint64_t start = 5 * WK_NS_PER_SEC + 17;
	struct wk_ratelimit r;
	unsigned i, n;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		wk_ratelimit_init(&r, rates[i], rates[i]);
		/* All at one instant: the burst and not one more. */
		for (n = 0; wk_ratelimit_take(&r, start); n++)
			assert_true(n <= rates[i]);
		assert_int_equal(n, rates[i]);
		/* A second later as many again, never more. */
		n = taken(&r, start + 1, start + WK_NS_PER_SEC + 1,
		    WK_NS_PER_SEC / rates[i] / 10 + 1);
		assert_in_range(n, rates[i] - rates[i] / 500 - 1, rates[i]);
	}
}

static void
test_silence_saves_up_a_burst_and_no_more(void **state)
{
	struct wk_ratelimit r;
	uint64_t now = WK_NS_PER_SEC;

	(void)state;
	wk_ratelimit_init(&r, 10, 4);
	assert_int_equal(taken(&r, now, now + 10, 1), 4);
	now += 1000 * WK_NS_PER_SEC;
	assert_int_equal(taken(&r, now, now + 10, 1), 4);
	/* Half the time back is half the bucket. */
	now += 200000000;
	assert_int_equal(taken(&r, now, now + 10, 1), 2);
}

static void
test_next_is_when_taking_works(void **state)
{
	struct wk_ratelimit r;
	uint64_t now = 42, next;
	unsigned i;

	(void)state;
	wk_ratelimit_init(&r, 50, 1);
	for (i = 0; i < 20; i++) {
		next = wk_ratelimit_next_ns(&r, now);
		if (i > 0) {
			assert_int_equal(next, now + WK_NS_PER_SEC / 50);
			assert_false(wk_ratelimit_take(&r, next - 1));
		}
		assert_true(wk_ratelimit_take(&r, next));
		now = next;
	}
}

static void
test_zero_is_no_limit(void **state)
{
	struct wk_ratelimit r;

	(void)state;
	wk_ratelimit_init(&r, 0, 1);
	assert_int_equal(wk_ratelimit_next_ns(&r, 9), 9);
	assert_int_equal(taken(&r, 0, 5000, 1), 5000);
}

static void
test_a_clock_that_steps_back_gives_nothing_away(void **state)
{
	struct wk_ratelimit r;

	(void)state;
	wk_ratelimit_init(&r, 2, 2);
	assert_int_equal(taken(&r, WK_NS_PER_SEC, WK_NS_PER_SEC + 9, 1), 2);
	assert_int_equal(taken(&r, 0, 9, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_then_the_rate),
		cmocka_unit_test(test_silence_saves_up_a_burst_and_no_more),
		cmocka_unit_test(test_next_is_when_taking_works),
		cmocka_unit_test(test_zero_is_no_limit),
		cmocka_unit_test(
		    test_a_clock_that_steps_back_gives_nothing_away),
	};

	return cmocka_run_group_tests_name("ratelimit", tests, NULL, NULL);
}
