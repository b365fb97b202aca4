/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/base/ring.h"

/* Octets come out as they went in, in pieces of every size, around the end. */
static void
test_order(void **state)
{
	uint8_t in[300], out[300], next_in = 0, next_out = 0;
	struct wk_ring r;
	size_t put, take, i, n, round;

	(void)state;
	for (put = 1; put <= 300; put += 7)
		for (take = 1; take <= 300; take += 11) {
			wk_ring_init(&r, 10000);
			next_in = next_out = 0;
			for (round = 0; round < 200; round++) {
				for (i = 0; i < put; i++)
					in[i] = (uint8_t)(next_in + i);
				n = wk_ring_append(&r, in, put);
				assert_int_equal(n, put < 10000 - (r.len - n) ?
				    put : 10000 - (r.len - n));
				next_in = (uint8_t)(next_in + n);
				n = take < r.len ? take : r.len;
				wk_ring_take(&r, out, n);
				for (i = 0; i < n; i++)
					assert_int_equal(out[i],
					    (uint8_t)(next_out + i));
				next_out = (uint8_t)(next_out + n);
			}
			wk_ring_free(&r);
		}
}

static void
test_limits(void **state)
{
	static const size_t limits[] = { 0, 1, 4095, 4096, 4097, 9000 };
	static const uint8_t zeros[10000];
	struct wk_ring r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		wk_ring_init(&r, limits[i]);
		assert_int_equal(wk_ring_room(&r), limits[i]);
		assert_null(r.data);
		assert_int_equal(wk_ring_append(&r, zeros, 0), 0);
		assert_int_equal(wk_ring_append(&r, zeros, sizeof(zeros)),
		    limits[i]);
		assert_true(r.cap <= limits[i]);
		assert_int_equal(wk_ring_room(&r), 0);
		assert_int_equal(wk_ring_append(&r, zeros, 1), 0);
		wk_ring_free(&r);
		assert_int_equal(wk_ring_room(&r), limits[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
