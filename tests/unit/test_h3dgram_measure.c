/* SPDX-License-Identifier: MIT */
/* What h3dgram measures with: numbers of datagrams, times, their octets. */
#include "tests/unit/unit.h"

#include <string.h>

#include "cmd/h3dgram/histogram.h"
#include "cmd/h3dgram/probe.h"
#include "cmd/h3dgram/window.h"

static struct window window;
static struct histogram histogram;

/* --- numbers -------------------------------------------------------------- */

static void
test_window_in_order(void **state)
{
	uint64_t i;

	(void)state;
	memset(&window, 0, sizeof(window));
	for (i = 0; i < 3 * WINDOW_SIZE; i++)
		assert_int_equal(window_take(&window, i), WINDOW_NEW);
	assert_int_equal(window.n, 3 * WINDOW_SIZE);
	assert_int_equal(window.end, 3 * WINDOW_SIZE);
	assert_int_equal(window.reordered + window.duplicates + window.late, 0);
}

static void
test_window_disorder(void **state)
{
	(void)state;
	memset(&window, 0, sizeof(window));
	assert_int_equal(window_take(&window, 5), WINDOW_NEW);
	assert_int_equal(window.reordered, 0);
	assert_int_equal(window_take(&window, 3), WINDOW_NEW);
	assert_int_equal(window.reordered, 1);
	assert_int_equal(window_take(&window, 3), WINDOW_DUPLICATE);
	assert_int_equal(window_take(&window, 5), WINDOW_DUPLICATE);
	assert_int_equal(window.duplicates, 2);
	assert_int_equal(window_take(&window, 6), WINDOW_NEW);
	assert_int_equal(window.n, 3);
}

/* At, below and above what it remembers. */
static void
test_window_limits(void **state)
{
	(void)state;
	memset(&window, 0, sizeof(window));
	assert_int_equal(window_take(&window, WINDOW_SIZE), WINDOW_NEW);
	assert_int_equal(window_take(&window, 1), WINDOW_NEW);
	assert_int_equal(window_take(&window, 0), WINDOW_LATE);
	assert_int_equal(window.late, 1);
	/* A number that shares its bit with an older one is another. */
	assert_int_equal(window_take(&window, WINDOW_SIZE + 1), WINDOW_NEW);
	assert_int_equal(window_take(&window, 1), WINDOW_LATE);
	/* A jump forgets all. */
	assert_int_equal(window_take(&window, UINT64_C(1) << 40), WINDOW_NEW);
	assert_int_equal(window_take(&window, (UINT64_C(1) << 40) - 1),
	    WINDOW_NEW);
	assert_int_equal(window_take(&window, WINDOW_SIZE), WINDOW_LATE);
	/* The same to the very end of its memory. */
	assert_int_equal(window_take(&window,
	    (UINT64_C(1) << 40) + WINDOW_SIZE), WINDOW_NEW);
	assert_int_equal(window_take(&window, (UINT64_C(1) << 40) + 1),
	    WINDOW_NEW);
}

/* --- times ---------------------------------------------------------------- */

static void
test_histogram_empty(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
	assert_true(histogram_mean(&histogram) == 0);
}

static void
test_histogram_one(void **state)
{
	static const uint64_t values[] = {
		0, 1, 63, 64, 65, 127, 128, 1000, 123456789,
		UINT64_MAX / 2, UINT64_MAX,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memset(&histogram, 0, sizeof(histogram));
		histogram_add(&histogram, values[i]);
		assert_true(histogram_quantile(&histogram, 0) == values[i]);
		assert_true(histogram_quantile(&histogram, 0.5) == values[i]);
		assert_true(histogram_quantile(&histogram, 1) == values[i]);
		assert_true(histogram.min == values[i]);
		assert_true(histogram.max == values[i]);
	}
}

/* Never below the truth, and above it by less than 1/64. */
static void
test_histogram_precision(void **state)
{
	static const double shares[] = { 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
	const uint64_t n = 1000000;
	uint64_t i, truth, got;

	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	for (i = 1; i <= n; i++)
		histogram_add(&histogram, i * 37);
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		truth = (uint64_t)(shares[i] * (double)n + 0.5) * 37;
		got = histogram_quantile(&histogram, shares[i]);
		if (got < truth || got - truth > truth / 64)
			fail_msg("share %g: got %llu for %llu", shares[i],
			    (unsigned long long)got,
			    (unsigned long long)truth);
	}
	assert_true(histogram_mean(&histogram) > 37.0 * 500000);
	assert_true(histogram_mean(&histogram) < 37.0 * 500001);
}

/* All are in some row, whatever the range. */
static void
test_histogram_rows(void **state)
{
	uint64_t bounds[6], counts[5], sum, i, top;

	(void)state;
	for (top = 1; top < UINT64_C(1) << 50; top *= 3) {
		memset(&histogram, 0, sizeof(histogram));
		for (i = 1; i <= 100; i++)
			histogram_add(&histogram, top * i / 100);
		histogram_rows(&histogram, bounds, counts, 5);
		for (i = 0, sum = 0; i < 5; i++) {
			sum += counts[i];
			assert_true(bounds[i] <= bounds[i + 1]);
		}
		assert_int_equal(sum, 100);
		assert_true(bounds[5] == histogram.max);
	}
}

/* --- octets --------------------------------------------------------------- */

static void
test_probe(void **state)
{
	const struct probe sent = {
		.run = 0x89abcdef, .sequence = UINT64_C(0x0123456789abcdef),
		.sent_ns = UINT64_MAX,
	};
	struct probe got;
	uint8_t octets[64];
	size_t size;

	(void)state;
	for (size = PROBE_SIZE_MIN; size <= sizeof(octets); size++) {
		probe_encode(octets, size, &sent);
		assert_true(probe_decode(octets, size, &got));
		assert_true(got.run == sent.run && got.sequence ==
		    sent.sequence && got.sent_ns == sent.sent_ns);
	}
	assert_memory_equal(octets,
	    "\x68\x33\x64\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"
	    "\xff\xff\xff\xff\xff\xff\xff\xff.", 25);
	for (size = 0; size < PROBE_SIZE_MIN; size++)
		assert_false(probe_decode(octets, size, &got));
	octets[0] ^= 1;
	assert_false(probe_decode(octets, sizeof(octets), &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_in_order),
		cmocka_unit_test(test_window_disorder),
		cmocka_unit_test(test_window_limits),
		cmocka_unit_test(test_histogram_empty),
		cmocka_unit_test(test_histogram_one),
		cmocka_unit_test(test_histogram_precision),
		cmocka_unit_test(test_histogram_rows),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests_name("h3dgram_measure", tests, NULL, NULL);
}
