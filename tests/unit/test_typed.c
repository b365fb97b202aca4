/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "cmd/capsule-cat/typed.h"

static const struct {
	const char *line, *want;	/* in hexadecimal; NULL: refused */
	uint64_t column;
	const char *reason;		/* how it begins */
} cases[] = {
	{ "DATAGRAM", "0000", 0, NULL },
	{ "datagram 00 \"hello\"", "00060068656c6c6f", 0, NULL },
	{ "\t DATAGRAM \t0068656C6c6f ", "00060068656c6c6f", 0, NULL },
	{ "0x17 'xyz'", "170378797a", 0, NULL },
	{ "23 \"x\"'y'7a", "170378797a", 0, NULL },
	{ "WT_CLOSE_SESSION u32:0x1234 \"bye\"", "68430700001234627965", 0,
	    NULL },
	{ "WT_MAX_DATA v:1048576", "990b4d3d0480100000", 0, NULL },
	{ "0x17 v:0 v:63 v:64 v:16383 v:16384",
	    "170a 00 3f 4040 7fff 80004000", 0, NULL },
	{ "0x17 v:4611686018427387903", "1708ffffffffffffffff", 0, NULL },
	{ "ADDRESS_REQUEST v:1 u8:4 ip:0.0.0.0 u8:32",
	    "020701040000000020", 0, NULL },
	{ "0x17 ip:2001:db8::1", "171020010db8000000000000000000000001", 0,
	    NULL },
	{ "0x17 u8:255 u16:65535 u32:4294967295 u64:18446744073709551615",
	    "170f ff ffff ffffffff ffffffffffffffff", 0, NULL },
	{ "0x17 u16:1 u64:2", "170a 0001 0000000000000002", 0, NULL },
	{ "0x17 \"\\n\\r\\t\\0\\\\\\\"\\x7F\\'\"", "1708 0a0d09005c227f27", 0,
	    NULL },
	{ "0x17 'a b\"c'", "17056120622263", 0, NULL },
	{ "0x17 \"\"", "1700", 0, NULL },
	{ "0x3fffffffffffffff", "ffffffffffffffff00", 0, NULL },
	/* what is wrong, and where */
	{ "", NULL, 0, "" },
	{ "  ", NULL, 2, "" },
	{ "  nonsense 00", NULL, 2, "" },
	{ "0x4000000000000000", NULL, 0, "" },
	{ "DATAGRAM 0", NULL, 9, "expected octets in hexadecimal" },
	{ "DATAGRAM 000", NULL, 11, "expected octets in hexadecimal" },
	{ "DATAGRAM 00 0g", NULL, 12, "expected octets in hexadecimal" },
	{ "DATAGRAM 00g0", NULL, 11, "expected octets in hexadecimal" },
	{ "DATAGRAM x:5", NULL, 9, "expected octets in hexadecimal" },
	{ "DATAGRAM u8:256", NULL, 12, "expected a whole number from 0 to 255" },
	{ "DATAGRAM u8:", NULL, 12, "expected a whole number" },
	{ "DATAGRAM u16:65536", NULL, 13, "expected a whole number" },
	{ "DATAGRAM u32:4294967296", NULL, 13, "expected a whole number" },
	{ "DATAGRAM u64:18446744073709551616", NULL, 13,
	    "expected a whole number" },
	{ "DATAGRAM v:4611686018427387904", NULL, 11,
	    "expected a whole number from 0 to 4611686018427387903" },
	{ "DATAGRAM v:-1", NULL, 11, "expected a whole number" },
	{ "DATAGRAM ip:1.2.3", NULL, 12, "expected an IPv4 or IPv6 address" },
	{ "DATAGRAM ip:", NULL, 12, "expected an IPv4 or IPv6 address" },
	{ "DATAGRAM \"open", NULL, 9, "expected an end of this quote" },
	{ "DATAGRAM 'open\"", NULL, 9, "expected an end of this quote" },
	{ "DATAGRAM \"a\\q\"", NULL, 12, "expected \\n" },
	{ "DATAGRAM \"a\\x4\"", NULL, 12, "expected \\n" },
	{ "DATAGRAM \"a\\", NULL, 12, "expected \\n" },
};

static void
compare(size_t i, int rc, const struct wk_buf *b, const struct wk_error *error)
{
	uint8_t want[64];
	size_t n;

	if (cases[i].want == NULL) {
		if (rc != WK_E_MALFORMED && rc != WK_E_INVALID)
			fail_msg("\"%s\": %d", cases[i].line, rc);
		if (error->offset != cases[i].column || strncmp(error->reason,
		    cases[i].reason, strlen(cases[i].reason)) != 0 ||
		    error->reason[0] == '\0')
			fail_msg("\"%s\": column %u: %s", cases[i].line,
			    (unsigned)error->offset, error->reason);
		assert_int_equal(b->len, 2);	/* as before */
		assert_int_equal(b->status, WK_OK);
		return;
	}
	n = unhex(cases[i].want, want, sizeof(want));
	if (rc != WK_OK || b->len != 2 + n || memcmp(b->data + 2, want, n) != 0)
		fail_msg("\"%s\": %d", cases[i].line, rc);
}

static void
test_lines(void **state)
{
	struct wk_error error;
	struct fence line;
	struct wk_buf b;
	size_t i, len;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].line);
		fence_init(&line, cases[i].line, len);
		memset(&error, 0, sizeof(error));
		wk_buf_init(&b, SIZE_MAX);
		wk_buf_append(&b, "##", 2);
		rc = typed_capsule((struct wk_str){ (const char *)line.data,
		    len }, WK_CAPSULE_FIN_3B, &b, &error);
		compare(i, rc, &b, &error);
		wk_buf_free(&b);
		fence_free(&line);
	}
}

static void
test_values_alone(void **state)
{
	struct wk_error error;
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, SIZE_MAX);
	assert_int_equal(typed_value(wk_str_of("17 01 aa"), &b, &error), WK_OK);
	assert_int_equal(b.len, 3);
	assert_int_equal(typed_value(wk_str_of("bb zz"), &b, &error),
	    WK_E_MALFORMED);
	assert_int_equal(error.offset, 3);
	assert_int_equal(b.len, 3);
	assert_int_equal(typed_value(wk_str_of(""), &b, &error), WK_OK);
	assert_int_equal(b.len, 3);
	wk_buf_free(&b);
}

/* The name of a type depends on the draft, and words have an end. */
static void
test_limits(void **state)
{
	static char line[2 * TYPED_VALUE_MAX + 64];
	struct wk_error error;
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, SIZE_MAX);
	assert_int_equal(typed_capsule(wk_str_of("WT_STREAM_FIN"),
	    WK_CAPSULE_FIN_3B, &b, &error), WK_OK);
	assert_int_equal(b.data[3], 0x3b);
	wk_buf_clear(&b);
	assert_int_equal(typed_capsule(wk_str_of("WT_STREAM_FIN"),
	    WK_CAPSULE_FIN_3C, &b, &error), WK_OK);
	assert_int_equal(b.data[3], 0x3c);
	wk_buf_clear(&b);
	/* A value of as much as there may be, then of one more. */
	memset(line, 'a', sizeof(line));
	memcpy(line, "0x17 \"", 6);
	line[6 + TYPED_VALUE_MAX] = '"';
	assert_int_equal(typed_capsule((struct wk_str){ line,
	    7 + TYPED_VALUE_MAX }, WK_CAPSULE_FIN_3B, &b, &error), WK_OK);
	assert_int_equal(b.len, 1 + 4 + TYPED_VALUE_MAX);
	wk_buf_clear(&b);
	line[6 + TYPED_VALUE_MAX] = 'a';
	line[7 + TYPED_VALUE_MAX] = '"';
	assert_int_equal(typed_capsule((struct wk_str){ line,
	    8 + TYPED_VALUE_MAX }, WK_CAPSULE_FIN_3B, &b, &error), WK_E_LIMIT);
	assert_string_equal(error.reason, "the value is too long");
	assert_int_equal(b.len, 0);
	assert_int_equal(typed_capsule((struct wk_str){ line + 6, 200 },
	    WK_CAPSULE_FIN_3B, &b, &error), WK_E_MALFORMED);
	assert_string_equal(error.reason, "expected a shorter word");
	wk_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_values_alone),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("typed", tests, NULL, NULL);
}
