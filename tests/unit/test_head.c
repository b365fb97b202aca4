/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/head.h"

static int
add(struct wk_head *h, const char *name, const char *value)
{
	return wk_head_add(h, wk_str_of(name), wk_str_of(value));
}

/* What is listed for sending is read back as the same message. */
static void
test_round_trip(void **state)
{
	static const struct wk_field fields[] = {
		{ { "a", 1 }, { "", 0 } }, { { "cookie", 6 }, { "b=c", 3 } },
		{ { "cookie", 6 }, { "d=e", 3 } },
	};
	const struct wk_message messages[] = {
		{ .method = wk_str_of("GET"), .scheme = wk_str_of("https"),
		    .authority = wk_str_of("a"), .path = wk_str_of("/"),
		    .fields = fields, .n_fields = 3 },
		{ .method = wk_str_of("CONNECT"),
		    .protocol = wk_str_of("connect-udp"),
		    .scheme = wk_str_of("https"), .authority = wk_str_of("a"),
		    .path = wk_str_of("/x") },
		{ .method = wk_str_of("CONNECT"),
		    .authority = wk_str_of("a:1") },
		{ .status = 200, .fields = fields, .n_fields = 3 },
		{ .status = 999 },
	};
	struct wk_field lines[WK_HEAD_PSEUDO_MAX + 3];
	struct wk_message got;
	struct wk_head h;
	char status[4];
	size_t i, k, n;

	(void)state;
	wk_head_init(&h, 1000, 3);
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const struct wk_message *m = &messages[i];

		n = wk_head_lines(m, status, lines);
		wk_head_start(&h, m->status == 0 ? WK_HEAD_REQUEST :
		    WK_HEAD_RESPONSE);
		for (k = 0; k < n; k++)
			assert_int_equal(wk_head_add(&h, lines[k].name,
			    lines[k].value), WK_OK);
		assert_int_equal(wk_head_finish(&h, &got, NULL), WK_OK);
		assert_true(wk_str_equals(got.method, m->method));
		assert_true(wk_str_equals(got.protocol, m->protocol));
		assert_true(wk_str_equals(got.scheme, m->scheme));
		assert_true(wk_str_equals(got.authority, m->authority));
		assert_true(wk_str_equals(got.path, m->path));
		assert_int_equal(got.status, m->status);
		assert_int_equal(got.n_fields, m->n_fields);
		for (k = 0; k < m->n_fields; k++) {
			assert_true(wk_str_equals(got.fields[k].name,
			    fields[k].name));
			assert_true(wk_str_equals(got.fields[k].value,
			    fields[k].value));
		}
	}
	wk_head_free(&h);
}

/* The first error stays until another head begins. */
static void
test_errors(void **state)
{
	struct wk_message m;
	struct wk_error error;
	struct wk_head h;

	(void)state;
	wk_head_init(&h, 100, 2);
	wk_head_start(&h, WK_HEAD_TRAILERS);
	assert_int_equal(wk_head_finish(&h, &m, NULL), WK_OK);
	assert_int_equal(m.n_fields, 0);
	assert_int_equal(add(&h, "a", "b"), WK_OK);
	assert_int_equal(add(&h, ":path", "/"), WK_E_MALFORMED);
	assert_int_equal(add(&h, "c", "d"), WK_E_MALFORMED);
	assert_int_equal(wk_head_finish(&h, &m, &error), WK_E_MALFORMED);
	assert_string_equal(error.reason, "a pseudo-header field in trailers");
	assert_int_equal(error.offset, 1);

	wk_head_start(&h, WK_HEAD_TRAILERS);
	assert_int_equal(add(&h, "a", "b"), WK_OK);
	assert_int_equal(add(&h, "c", "d"), WK_OK);
	assert_int_equal(add(&h, "e", "f"), WK_E_LIMIT);
	assert_int_equal(wk_head_finish(&h, &m, NULL), WK_E_LIMIT);

	/* 100 octets: 32, and 68 of text, and not one more. */
	wk_head_start(&h, WK_HEAD_TRAILERS);
	assert_int_equal(add(&h, "a", "0123456789012345678901234567890123456"
	    "789012345678901234567890123456"), WK_OK);
	assert_int_equal(wk_head_finish(&h, &m, NULL), WK_OK);
	wk_head_start(&h, WK_HEAD_TRAILERS);
	assert_int_equal(add(&h, "ab", "0123456789012345678901234567890123456"
	    "789012345678901234567890123456"), WK_E_LIMIT);
	wk_head_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
