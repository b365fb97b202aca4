/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/base/base64.h"
#include "common/base/str.h"
#include "common/base/text.h"
#include "common/wire/chars.h"

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define ALPHABET UPPER LOWER DIGITS "+/"

static void
test_classes_are_those_of_the_documents(void **state)
{
	static const struct {
		unsigned class;
		const char *members;
	} cases[] = {
		{ WK_CHAR_DIGIT, DIGITS },
		{ WK_CHAR_UPPER, UPPER },
		{ WK_CHAR_LOWER, LOWER },
		{ WK_CHAR_ALPHA, UPPER LOWER },
		{ WK_CHAR_TOKEN, "!#$%&'*+-.^_`|~" DIGITS UPPER LOWER },
		{ WK_CHAR_UNRESERVED, "-._~" DIGITS UPPER LOWER },
		{ WK_CHAR_SUB_DELIM, "!$&'()*+,;=" },
		{ WK_CHAR_VISIBLE, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
		    DIGITS UPPER LOWER },
	};
	size_t i;
	int c;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (c = 0; c < 256; c++)
			if (wk_char_is((char)c, cases[i].class) !=
			    (c != 0 && strchr(cases[i].members, c) != NULL))
				fail_msg("class 0x%x, character 0x%02x",
				    cases[i].class, (unsigned)c);
	for (c = 0; c < 256; c++)
		assert_int_equal(wk_char_is((char)c, WK_CHAR_FIELD),
		    c == '\t' || (c >= 0x20 && c != 0x7f));
}

static void
test_span_stops_at_its_length(void **state)
{
	struct fence f;

	(void)state;
	fence_init(&f, "12345", 5);
	assert_int_equal(wk_char_span((char *)f.data, 5, WK_CHAR_DIGIT), 5);
	assert_int_equal(wk_char_span((char *)f.data, 3, WK_CHAR_DIGIT), 3);
	assert_int_equal(wk_char_span((char *)f.data, 5, WK_CHAR_ALPHA), 0);
	fence_free(&f);
}

static void
test_str_folds_ascii_letters_only(void **state)
{
	static const struct {
		const char *a, *b;
		int same, same_nocase;
	} cases[] = {
		{ "", "", 1, 1 }, { "Upgrade", "Upgrade", 1, 1 },
		{ "Upgrade", "uPGRADE", 0, 1 }, { "ab", "abc", 0, 0 },
		{ "a[b", "a{b", 0, 0 }, { "a@b", "a`b", 0, 0 },
		{ "\xc4", "\xe4", 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wk_str a = wk_str_of(cases[i].a);

		assert_int_equal(wk_str_is(a, cases[i].b), cases[i].same);
		assert_int_equal(wk_str_is_nocase(a, cases[i].b),
		    cases[i].same_nocase);
	}
}

/* RFC 4648, section 10, then what RFC 9651 forgives, then what nobody does. */
static void
test_base64(void **state)
{
	static const struct {
		const char *text, *want;
		int is_canonical;
	} good[] = {
		{ "", "", 1 }, { "Zg==", "f", 1 }, { "Zm8=", "fo", 1 },
		{ "Zm9v", "foo", 1 }, { "Zm9vYg==", "foob", 1 },
		{ "Zm9vYmE=", "fooba", 1 }, { "Zm9vYmFy", "foobar", 1 },
		{ "+/+/", "\xfb\xff\xbf", 1 },
		{ "Zg", "f", 0 }, { "Zm8", "fo", 0 }, { "Zh==", "f", 0 },
	};
	static const struct {
		const char *text;
		size_t offset;
		char why;	/* length, padding, character */
	} bad[] = {
		{ "Z", 1, 'l' }, { "Zg=", 2, 'l' }, { "Zm8==", 3, 'l' },
		{ "=", 0, 'l' }, { "====", 0, 'p' }, { "Z===", 1, 'p' },
		{ "=Zm9v", 0, 'p' }, { "Zm=v", 2, 'p' }, { "Zm9v=", 4, 'l' },
		{ "Zm9v==", 4, 'l' }, { "Zm9v\n", 4, 'c' }, { "Z g=", 1, 'c' },
		{ "Zm_v", 2, 'c' }, { "Zm-v", 2, 'c' }, { "Zg==Zg==", 2, 'p' },
	};
	struct wk_error e;
	struct fence f;
	struct wk_buf b, all;
	size_t i, n;

	(void)state;
	wk_buf_init(&b, 48);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = strlen(good[i].text);
		wk_buf_clear(&b);
		assert_int_equal(wk_base64_parse(&b, good[i].text, n, &e), 0);
		assert_int_equal(wk_base64_parse(NULL, good[i].text, n, &e), 0);
		assert_int_equal(b.len, strlen(good[i].want));
		assert_memory_equal(b.data == NULL ? (uint8_t *)"" : b.data,
		    good[i].want, b.len);
		if (!good[i].is_canonical)
			continue;
		wk_buf_clear(&b);
		fence_init(&f, good[i].want, strlen(good[i].want));
		wk_base64_append(&b, f.data, strlen(good[i].want));
		fence_free(&f);
		assert_int_equal(b.len, n);
		assert_memory_equal(b.data == NULL ? (uint8_t *)"" : b.data,
		    good[i].text, n);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = strlen(bad[i].text);
		fence_init(&f, bad[i].text, n);
		assert_int_equal(wk_base64_parse(NULL, (char *)f.data, n, &e),
		    WK_E_MALFORMED);
		fence_free(&f);
		if (e.offset != bad[i].offset || (bad[i].why == 'p' ?
		    strstr(e.reason, "padding") : bad[i].why == 'l' ?
		    strstr(e.reason, "length") :
		    strstr(e.reason, "character")) == NULL)
			fail_msg("\"%s\": %d: %s", bad[i].text, (int)e.offset,
			    e.reason);
	}
	/* All sextets, both ways. */
	wk_buf_clear(&b);
	assert_int_equal(wk_base64_parse(&b, ALPHABET, 64, &e), WK_OK);
	assert_int_equal(b.len, 48);
	wk_buf_init(&all, 64);
	wk_base64_append(&all, b.data, b.len);
	assert_memory_equal(all.data, ALPHABET, 64);
	wk_buf_free(&all);
	wk_buf_free(&b);
	wk_buf_init(&b, 2);
	assert_int_equal(wk_base64_parse(&b, "Zm9v", 4, &e), WK_E_LIMIT);
	wk_buf_free(&b);
}

static void
test_hex_digit(void **state)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		at = c == 0 ? NULL : strchr(digits, wk_ascii_lower((char)c));
		assert_int_equal(wk_hex_digit((char)c),
		    at == NULL ? -1 : (int)(at - digits));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_are_those_of_the_documents),
		cmocka_unit_test(test_span_stops_at_its_length),
		cmocka_unit_test(test_str_folds_ascii_letters_only),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_hex_digit),
	};

	return cmocka_run_group_tests_name("chars", tests, NULL, NULL);
}
