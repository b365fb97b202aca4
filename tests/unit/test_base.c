/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/text.h"

static void
test_span_stops_at_its_end(void **state)
{
	static const uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct fence f;
	struct wk_span s;

	(void)state;
	fence_init(&f, in, sizeof(in));
	wk_span_init(&s, f.data, sizeof(in));
	assert_int_equal(wk_span_u16(&s), 0x0102);
	assert_int_equal(wk_span_u32(&s), 0x03040506);
	assert_true(wk_span_is_ok(&s));
	assert_int_equal(wk_span_u16(&s), 0);
	assert_false(wk_span_is_ok(&s));
	assert_int_equal(wk_span_offset(&s), 6);
	assert_int_equal(wk_span_u8(&s), 0);	/* the failure sticks */
	assert_null(wk_span_take(&s, 0));
	fence_free(&f);
}

static void
test_buf_holds_its_maximum_and_no_more(void **state)
{
	struct wk_buf b;
	size_t max;

	(void)state;
	for (max = 0; max < 200; max++) {
		char text[201];
		size_t i;

		wk_buf_init(&b, max);
		for (i = 0; i < max; i++)
			assert_int_equal(wk_buf_append(&b, "x", 1), WK_OK);
		assert_int_equal(b.len, max);
		assert_true(b.cap <= max);
		assert_int_equal(wk_buf_append(&b, "x", 1), WK_E_LIMIT);
		assert_int_equal(wk_buf_append(&b, "", 0), WK_E_LIMIT);
		assert_int_equal(b.len, max);
		wk_buf_clear(&b);
		memset(text, 'y', sizeof(text));
		text[max] = '\0';
		assert_int_equal(wk_buf_printf(&b, "%s", text), WK_OK);
		assert_int_equal(wk_buf_printf(&b, "z"), WK_E_LIMIT);
		wk_buf_free(&b);
	}
}

static void
test_buf_writes_network_order(void **state)
{
	static const uint8_t want[] = { 0x33, 0xaa, 0, 0, 0x7e, 0xd9, 1 };
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 64);
	wk_buf_uint(&b, 0x33aa, 2);
	wk_buf_uint(&b, 32473, 4);
	wk_buf_uint(&b, 0x301, 1);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	wk_buf_free(&b);
}

static void
test_buf_prints_beyond_the_stack(void **state)
{
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 10000);
	assert_int_equal(wk_buf_printf(&b, "%5000d", 7), WK_OK);
	assert_int_equal(b.len, 5000);
	assert_int_equal(b.data[4999], '7');
	wk_buf_free(&b);
}

static void
test_utf8_takes_the_whole_of_rfc3629_and_nothing_else(void **state)
{
	static const struct {
		const char *hex;
		int is_valid;
	} cases[] = {
		{ "", 1 }, { "00", 1 }, { "7f", 1 }, { "c280", 1 },
		{ "dfbf", 1 }, { "e0a080", 1 }, { "ed9fbf", 1 },
		{ "ee8080", 1 }, { "efbfbf", 1 }, { "f0908080", 1 },
		{ "f48fbfbf", 1 }, { "41c3a4e282ac", 1 },
		{ "80", 0 }, { "bf", 0 }, { "c080", 0 }, { "c1bf", 0 },
		{ "c2", 0 }, { "c27f", 0 }, { "c2c0", 0 }, { "e08080", 0 },
		{ "e09fbf", 0 }, { "e282", 0 }, { "eda080", 0 },
		{ "edbfbf", 0 }, { "f08fbfbf", 0 }, { "f4908080", 0 },
		{ "f5808080", 0 }, { "f09f98", 0 }, { "ff", 0 }, { "fe", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t in[16];
		size_t n = unhex(cases[i].hex, in, sizeof(in));
		struct fence f;

		fence_init(&f, in, n);
		if (wk_utf8_is_valid(f.data, n) != (cases[i].is_valid != 0))
			fail_msg("utf-8 %s", cases[i].hex);
		fence_free(&f);
	}
}

static void
test_escape_leaves_nothing_for_the_terminal_to_act_on(void **state)
{
	static const struct {
		const char *hex, *want;
	} cases[] = {
		{ "", "" },
		{ "69646c65", "idle" },
		{ "1b5b324a", "\\x1b[2J" },
		{ "0a0d0900", "\\n\\r\\t\\x00" },
		{ "22275c", "\\\"'\\\\" },
		{ "7f", "\\x7f" },
		{ "c29b", "\\u{009b}" },		/* CSI as C1 */
		{ "e280ae", "\\u{202e}" },		/* right-to-left override */
		{ "e281a6", "\\u{2066}" },		/* isolate */
		{ "e280a8", "\\u{2028}" },		/* line separator */
		{ "efbbbf", "\\u{feff}" },
		{ "f3a08081", "\\u{e0001}" },		/* tag characters */
		{ "c3bc", "\xc3\xbc" },
		{ "ff61c3", "\\xffa\\xc3" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t in[16];
		size_t n = unhex(cases[i].hex, in, sizeof(in));
		struct wk_buf b;

		wk_buf_init(&b, 256);
		wk_text_escape(&b, in, n, '"');
		wk_buf_uint(&b, 0, 1);
		assert_string_equal((char *)b.data, cases[i].want);
		wk_buf_free(&b);
	}
}

static void
test_hex_both_ways(void **state)
{
	struct wk_buf b, t;
	struct wk_error e;
	uint8_t all[256];
	size_t i;

	(void)state;
	for (i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	wk_buf_init(&t, 600);
	wk_buf_init(&b, 256);
	wk_hex_append(&t, all, 256);
	assert_int_equal(wk_hex_parse(&b, (char *)t.data, t.len, &e), WK_OK);
	assert_int_equal(b.len, 256);
	assert_memory_equal(b.data, all, 256);
	assert_int_equal(wk_hex_parse(&b, "00", 2, &e), WK_E_LIMIT);
	wk_buf_clear(&b);
	assert_int_equal(wk_hex_parse(&b, "0x33 AA:00\n05", 13, &e), WK_OK);
	assert_int_equal(b.len, 4);
	assert_int_equal(wk_hex_parse(&b, "33g", 3, &e), WK_E_MALFORMED);
	assert_int_equal(e.offset, 2);
	assert_int_equal(wk_hex_parse(&b, "333", 3, &e), WK_E_MALFORMED);
	assert_int_equal(wk_hex_parse(&b, "3 3", 3, &e), WK_E_MALFORMED);
	wk_buf_free(&b);
	wk_buf_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_stops_at_its_end),
		cmocka_unit_test(test_buf_holds_its_maximum_and_no_more),
		cmocka_unit_test(test_buf_writes_network_order),
		cmocka_unit_test(test_buf_prints_beyond_the_stack),
		cmocka_unit_test(
		    test_utf8_takes_the_whole_of_rfc3629_and_nothing_else),
		cmocka_unit_test(
		    test_escape_leaves_nothing_for_the_terminal_to_act_on),
		cmocka_unit_test(test_hex_both_ways),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
