/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/varint.h"

static const struct {
	const char *hex;
	uint64_t v;
	size_t shortest;
} cases[] = {
	/* RFC 9000, appendix A.1 */
	{ "c2197c5eff14e88c", UINT64_C(151288809941952652), 8 },
	{ "9d7f3e7d", 494878333, 4 },
	{ "7bbd", 15293, 2 },
	{ "25", 37, 1 },
	{ "4025", 37, 1 },
	/* both sides of each boundary, in every length that holds them */
	{ "00", 0, 1 }, { "4000", 0, 1 }, { "80000000", 0, 1 },
	{ "c000000000000000", 0, 1 },
	{ "3f", 63, 1 }, { "403f", 63, 1 }, { "8000003f", 63, 1 },
	{ "c00000000000003f", 63, 1 },
	{ "4040", 64, 2 }, { "80000040", 64, 2 },
	{ "7fff", 16383, 2 }, { "80003fff", 16383, 2 },
	{ "80004000", 16384, 4 }, { "c000000000004000", 16384, 4 },
	{ "bfffffff", 1073741823, 4 },
	{ "c00000003fffffff", 1073741823, 4 },
	{ "c000000040000000", 1073741824, 8 },
	{ "ffffffffffffffff", UINT64_C(4611686018427387903), 8 },
};
#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static void
test_decode_takes_each_length_and_no_less(void **state)
{
	size_t i, n, len;

	(void)state;
	for (i = 0; i < N_CASES; i++) {
		uint8_t in[9];

		n = unhex(cases[i].hex, in, sizeof(in));
		assert_int_equal(wk_varint_octets(in[0]), n);
		for (len = 0; len <= n; len++) {
			uint64_t v = 4711;
			struct fence f;

			fence_init(&f, in, len);
			assert_int_equal(wk_varint_decode(f.data, len, &v),
			    len < n ? 0 : n);
			assert_int_equal(v, len < n ? 4711 : cases[i].v);
			fence_free(&f);
		}
	}
}

static void
test_decode_leaves_what_is_behind(void **state)
{
	static const uint8_t in[] = { 0x7b, 0xbd, 0x25 };
	uint64_t v;

	(void)state;
	assert_int_equal(wk_varint_decode(in, sizeof(in), &v), 2);
	assert_int_equal(v, 15293);
}

/* Two varints, the second behind the first, in pieces of step octets. */
static void
read_pair(const uint8_t *in, size_t first, size_t whole, size_t step,
    uint64_t want, size_t want_octets)
{
	struct wk_varint_reader r = { .v = 0 };
	size_t at, n_read = 0;

	for (at = 0; at < whole; at += step) {
		size_t len = step < whole - at ? step : whole - at;
		struct fence f;
		const uint8_t *p;
		uint64_t v = 0;
		size_t octets;

		fence_init(&f, in + at, len);
		p = f.data;
		while ((octets = wk_varint_read(&r, &p, &len, &v)) > 0) {
			assert_int_equal(octets, want_octets);
			assert_int_equal(v, want);
			assert_false(wk_varint_is_partial(&r));
			n_read++;
		}
		assert_int_equal(len, 0);
		assert_int_equal(wk_varint_is_partial(&r),
		    (at + (size_t)(p - f.data)) % first != 0);
		fence_free(&f);
	}
	assert_int_equal(n_read, whole / first);
}

static void
test_reader_in_pieces_of_every_size(void **state)
{
	size_t i, n, step;

	(void)state;
	for (i = 0; i < N_CASES; i++) {
		uint8_t in[16];

		n = unhex(cases[i].hex, in, 8);
		memcpy(in + n, in, n);
		for (step = 1; step <= 2 * n + 1; step++)
			read_pair(in, n, 2 * n, step, cases[i].v, n);
	}
}

static void
test_reader_stops_at_the_end_of_the_varint(void **state)
{
	static const uint8_t in[] = { 0x7b, 0xbd, 0x25 };
	struct wk_varint_reader r = { .v = 0 };
	const uint8_t *p = in;
	size_t len = 1;
	uint64_t v;

	(void)state;
	assert_int_equal(wk_varint_read(&r, &p, &len, &v), 0);
	len = 2;
	assert_int_equal(wk_varint_read(&r, &p, &len, &v), 2);
	assert_int_equal(v, 15293);
	assert_ptr_equal(p, in + 2);
	assert_int_equal(len, 1);
}

static void
test_encode_gives_back_what_was_decoded(void **state)
{
	size_t i, n, got;

	(void)state;
	for (i = 0; i < N_CASES; i++) {
		uint8_t in[8], out[8];

		n = unhex(cases[i].hex, in, sizeof(in));
		assert_int_equal(wk_varint_encode(out, cases[i].v, n), n);
		assert_memory_equal(out, in, n);
		assert_int_equal(wk_varint_shortest(cases[i].v),
		    cases[i].shortest);
		got = wk_varint_encode(out, cases[i].v, 0);
		assert_int_equal(got, cases[i].shortest);
		assert_true(got != n || memcmp(out, in, n) == 0);
	}
}

static void
test_encode_refuses_what_does_not_fit(void **state)
{
	static const struct {
		uint64_t v;
		size_t octets;
	} refused[] = {
		{ 64, 1 }, { 16384, 1 }, { 16384, 2 }, { 1073741824, 4 },
		{ WK_VARINT_MAX, 4 }, { WK_VARINT_MAX + 1, 0 },
		{ WK_VARINT_MAX + 1, 8 }, { UINT64_MAX, 0 },
		{ UINT64_MAX, 8 }, { 0, 3 }, { 0, 5 }, { 0, 6 }, { 0, 7 },
		{ 0, 9 }, { 0, 16 }, { 0, SIZE_MAX },
	};
	uint8_t out[8];
	size_t i, k;

	(void)state;
	assert_int_equal(wk_varint_shortest(WK_VARINT_MAX + 1), 0);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		memset(out, 0xee, sizeof(out));
		assert_int_equal(wk_varint_encode(out, refused[i].v,
		    refused[i].octets), 0);
		for (k = 0; k < sizeof(out); k++)
			assert_int_equal(out[k], 0xee);
	}
}

static void
test_append_keeps_its_first_error(void **state)
{
	static const uint8_t want[] = { 0x25, 0x40, 0x25 };
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 16);
	assert_int_equal(wk_varint_append(&b, 37, 0), WK_OK);
	assert_int_equal(wk_varint_append(&b, 37, 2), WK_OK);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	assert_int_equal(wk_varint_append(&b, 64, 1), WK_E_INVALID);
	assert_int_equal(wk_varint_append(&b, 37, 0), WK_E_INVALID);
	assert_int_equal(b.len, sizeof(want));
	wk_buf_free(&b);

	wk_buf_init(&b, 1);
	assert_int_equal(wk_varint_append(&b, 64, 0), WK_E_LIMIT);
	assert_int_equal(wk_varint_append(&b, 64, 1), WK_E_LIMIT);
	wk_buf_free(&b);
}

static void
test_take_fails_as_a_span_does(void **state)
{
	static const uint8_t in[] = { 0x25, 0x40, 0x25, 0x80, 0x00, 0x00 };
	struct wk_span s;
	struct fence f;
	size_t octets = 99;

	(void)state;
	fence_init(&f, in, sizeof(in));
	wk_span_init(&s, f.data, sizeof(in));
	assert_int_equal(wk_varint_take(&s, NULL), 37);
	assert_int_equal(wk_varint_take(&s, &octets), 37);
	assert_int_equal(octets, 2);
	assert_true(wk_span_is_ok(&s));
	assert_int_equal(wk_varint_take(&s, &octets), 0);
	assert_int_equal(octets, 0);
	assert_false(wk_span_is_ok(&s));
	assert_int_equal(wk_span_offset(&s), 3);
	assert_int_equal(wk_varint_take(&s, NULL), 0);
	fence_free(&f);

	wk_span_init(&s, in, sizeof(in));	/* failed elsewhere */
	wk_span_take(&s, sizeof(in) + 1);
	assert_int_equal(wk_varint_take(&s, NULL), 0);

	wk_span_init(&s, NULL, 0);
	assert_int_equal(wk_varint_take(&s, NULL), 0);
	assert_false(wk_span_is_ok(&s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_takes_each_length_and_no_less),
		cmocka_unit_test(test_decode_leaves_what_is_behind),
		cmocka_unit_test(test_reader_in_pieces_of_every_size),
		cmocka_unit_test(test_reader_stops_at_the_end_of_the_varint),
		cmocka_unit_test(test_encode_gives_back_what_was_decoded),
		cmocka_unit_test(test_encode_refuses_what_does_not_fit),
		cmocka_unit_test(test_append_keeps_its_first_error),
		cmocka_unit_test(test_take_fails_as_a_span_does),
	};

	return cmocka_run_group_tests_name("varint", tests, NULL, NULL);
}
