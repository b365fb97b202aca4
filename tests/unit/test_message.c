/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/message.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* "name: value" in lines, the value up to the line's end. */
static size_t
fields_of(const char *text, struct wk_field *fields)
{
	const char *colon, *end;
	size_t n = 0;

	while (text != NULL && *text != '\0') {
		end = strchrnul(text, '\n');
		colon = strchr(text, ':');
		fields[n].name = (struct wk_str){ text,
			(size_t)(colon - text) };
		fields[n++].value = (struct wk_str){ colon + 1,
			(size_t)(end - colon - 1) };
		text = *end == '\0' ? end : end + 1;
	}
	return n;
}

static const struct {
	const char *method, *protocol, *scheme, *authority, *path;
	const char *reason;	/* NULL: fine */
} requests[] = {
	{ "GET", "", "https", "a", "/", NULL },
	{ "GET", "", "http", "a:80", "/b?c=%20", NULL },
	{ "get!", "", "HTTPS", "[::1]:1", "/", NULL },
	{ "OPTIONS", "", "https", "a", "*", NULL },
	{ "GET", "", "coap+tcp", "", "/", NULL },
	{ "CONNECT", "", "", "a:1", "", NULL },
	{ "CONNECT", "connect-udp", "https", "a", "/x/", NULL },
	{ "CONNECT", "a/1.0", "https", "a", "/", NULL },
	{ "G T", "", "https", "a", "/", "not a method" },
	{ "GET", "connect-udp", "https", "a", "/",
	    "only CONNECT has a protocol" },
	{ "CONNECT", "a b", "https", "a", "/", "not a protocol" },
	{ "CONNECT", "a/", "https", "a", "/", "not a protocol" },
	{ "CONNECT", "/a", "https", "a", "/", "not a protocol" },
	{ "CONNECT", "a/b/c", "https", "a", "/", "not a protocol" },
	{ "CONNECT", "", "https", "a:1", "", "CONNECT has neither scheme nor "
	    "path" },
	{ "CONNECT", "", "", "a:1", "/", "CONNECT has neither scheme nor "
	    "path" },
	{ "CONNECT", "", "", "a", "", "expected host and port for CONNECT" },
	{ "GET", "", "", "a", "/", "not a scheme" },
	{ "GET", "", "1http", "a", "/", "not a scheme" },
	{ "GET", "", "ht tp", "a", "/", "not a scheme" },
	{ "GET", "", "https", "", "/", "not an authority" },
	{ "GET", "", "https", "u@a", "/", "not an authority" },
	{ "GET", "", "https", "a\r\nb", "/", "not an authority" },
	{ "GET", "", "https", "a", "", "not a path" },
	{ "GET", "", "https", "a", "b", "not a path" },
	{ "GET", "", "https", "a", "*", "not a path" },
	{ "GET", "", "https", "a", "/ b", "not a path" },
	{ "GET", "", "https", "a", "/#b", "not a path" },
	{ "GET", "", "https", "a", "/\r\nX: y", "not a path" },
	{ "GET", "", "https", "a", "http://a/", "not a path" },
	{ "CONNECT", "x", "https", "a", "a:1", "not a path" },
};

static void
test_requests(void **state)
{
	struct wk_error error;
	struct wk_message m;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < N(requests); i++) {
		m = (struct wk_message){
			.method = wk_str_of(requests[i].method),
			.protocol = wk_str_of(requests[i].protocol),
			.scheme = wk_str_of(requests[i].scheme),
			.authority = wk_str_of(requests[i].authority),
			.path = wk_str_of(requests[i].path),
		};
		error.reason[0] = '\0';
		rc = wk_message_check(&m, &error);
		if (rc != (requests[i].reason == NULL ? WK_OK :
		    WK_E_INVALID) || strcmp(error.reason,
		    requests[i].reason == NULL ? "" : requests[i].reason) != 0)
			fail_msg("case %zu: %d %s", i, rc, error.reason);
		assert_true(wk_message_is_request(&m));
		assert_int_equal(wk_message_is_tunnel_request(&m),
		    strcmp(requests[i].method, "CONNECT") == 0 &&
		    *requests[i].protocol != '\0');
		assert_int_equal(wk_message_check(&m, NULL), rc);
	}
	m = (struct wk_message){ .method = wk_str_of("GET"), .status = 200,
		.scheme = wk_str_of("http"), .authority = wk_str_of("a"),
		.path = wk_str_of("/") };
	assert_int_equal(wk_message_check(&m, &error), WK_E_INVALID);
	assert_string_equal(error.reason, "a request has no status");
}

static void
test_responses(void **state)
{
	static const struct {
		unsigned status;
		bool is_fine;
	} cases[] = { { 99, false }, { 100, true }, { 101, false },
		{ 102, true }, { 200, true }, { 999, true }, { 1000, false },
		{ 0, false } };
	struct wk_message m;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		m = (struct wk_message){ .status = (uint16_t)cases[i].status };
		assert_false(wk_message_is_request(&m));
		assert_int_equal(wk_message_check(&m, NULL),
		    cases[i].is_fine ? WK_OK : WK_E_INVALID);
	}
	m = (struct wk_message){ .status = 200, .path = wk_str_of("/") };
	assert_int_equal(wk_message_check(&m, NULL), WK_E_INVALID);
}

static const struct {
	const char *fields;
	size_t at;
	const char *reason;
} fields[] = {
	{ "a:b", 0, NULL },
	{ "a:", 0, NULL },
	{ "a:b c\td\xff", 0, NULL },
	{ "te:trailers\nx:y", 0, NULL },
	{ "te:Trailers", 0, NULL },
	{ "content-length:0", 0, NULL },
	{ "content-length:9223372036854775807", 0, NULL },
	{ "keep:x\nupgrade-insecure-requests:1", 0, NULL },
	{ "x:y\n:b", 1, "not a field name" },
	{ "a b:c", 0, "not a field name" },
	{ "a\r:c", 0, "not a field name" },
	{ "x:y\nHost:c", 1, "a field name is not in lower case" },
	{ "x:y\nhost:c", 1, "a field about the connection" },
	{ "connection:close", 0, "a field about the connection" },
	{ "upgrade:x", 0, "a field about the connection" },
	{ "keep-alive:x", 0, "a field about the connection" },
	{ "proxy-connection:x", 0, "a field about the connection" },
	{ "transfer-encoding:chunked", 0, "a field about the connection" },
	{ "http2-settings:x", 0, "a field about the connection" },
	{ "te:gzip", 0, "a field about the connection" },
	{ "te:trailers, gzip", 0, "a field about the connection" },
	{ "a:b\rc", 0, "a control character in a field value" },
	{ "a:b\x7f", 0, "a control character in a field value" },
	{ "a: b", 0, "blanks around a field value" },
	{ "x:y\na:b\t", 1, "blanks around a field value" },
	{ "content-length:", 0, "Content-Length is not one number" },
	{ "x:y\ncontent-length:+1", 1, "Content-Length is not one number" },
	{ "content-length:1, 1", 0, "Content-Length is not one number" },
	{ "content-length:1\ncontent-length:1", 0,
	    "Content-Length is not one number" },
	{ "content-length:9223372036854775808", 0,
	    "Content-Length is not one number" },
};

static void
test_fields(void **state)
{
	struct wk_message m = { .status = 200 };
	struct wk_field list[4];
	struct wk_error error;
	size_t i;
	int rc;

	(void)state;
	m.fields = list;
	for (i = 0; i < N(fields); i++) {
		m.n_fields = fields_of(fields[i].fields, list);
		rc = wk_message_check(&m, &error);
		if (rc != (fields[i].reason == NULL ? WK_OK : WK_E_INVALID))
			fail_msg("%s: %d", fields[i].fields, rc);
		if (rc == WK_OK)
			continue;
		assert_string_equal(error.reason, fields[i].reason);
		assert_int_equal(error.offset, fields[i].at);
	}
	/* What a C string cannot hold. */
	list[0].name = wk_str_of("a");
	list[0].value = (struct wk_str){ "b\0c", 3 };
	m.n_fields = 1;
	assert_int_equal(wk_message_check(&m, &error), WK_E_INVALID);
	list[0].value = (struct wk_str){ "b\nc", 3 };
	assert_int_equal(wk_message_check(&m, &error), WK_E_INVALID);
}

static void
test_find(void **state)
{
	struct wk_message m = { .status = 200 };
	const struct wk_field *field;
	struct wk_field list[4];
	struct wk_str values[2];
	uint64_t length;

	(void)state;
	m.fields = list;
	m.n_fields = fields_of("a:1\nb:2\na:3\na:4", list);
	field = wk_message_find(&m, "a", NULL);
	assert_ptr_equal(field, &list[0]);
	field = wk_message_find(&m, "a", field);
	assert_ptr_equal(field, &list[2]);
	assert_ptr_equal(wk_message_find(&m, "a", &list[3]), NULL);
	assert_null(wk_message_find(&m, "c", NULL));
	assert_null(wk_message_find(&m, "A", NULL));
	assert_int_equal(wk_message_lines(&m, "a", values, 2), 3);
	assert_true(wk_str_is(values[1], "3"));
	assert_int_equal(wk_message_content_length(&m, &length), 0);
	m.n_fields = fields_of("content-length:0042", list);
	assert_int_equal(wk_message_content_length(&m, &length), 1);
	assert_int_equal(length, 42);
}

static void
test_capsule_protocol(void **state)
{
	static const struct {
		const char *fields;
		bool is_there;
	} cases[] = {
		{ "capsule-protocol:?1", true },
		{ "capsule-protocol:?1;a=b", true },
		{ "capsule-protocol:?1;a=b;c", true },
		{ "", false },
		{ "capsule-protocol:?0", false },
		{ "capsule-protocol:1", false },
		{ "capsule-protocol:", false },
		{ "capsule-protocol:true", false },
		{ "capsule-protocol:\"?1\"", false },
		{ "capsule-protocol:?1, ?1", false },
		{ "capsule-protocol:?1\ncapsule-protocol:?1", false },
		{ "capsule-protocol:?1\ncapsule-protocol:?0", false },
		{ "capsule-protocol:(?1)", false },
		{ "capsule-protocol:?1 x", false },
	};
	struct wk_message m = { .status = 200 };
	struct wk_field list[4];
	size_t i;

	(void)state;
	m.fields = list;
	for (i = 0; i < N(cases); i++) {
		m.n_fields = fields_of(cases[i].fields, list);
		if (wk_message_has_capsule_protocol(&m) != cases[i].is_there)
			fail_msg("%s", cases[i].fields);
	}
}

static void
test_tunnel_answers(void **state)
{
	static const struct {
		unsigned status;
		const char *fields;
		int want;
	} cases[] = {
		{ 200, "", WK_OK },
		{ 299, "capsule-protocol:?0", WK_OK },
		{ 201, "x:y", WK_OK },
		{ 204, "", WK_E_MALFORMED },
		{ 205, "", WK_E_MALFORMED },
		{ 206, "", WK_E_MALFORMED },
		{ 200, "x:y\ncontent-length:0", WK_E_MALFORMED },
		{ 200, "content-type:a/b", WK_E_MALFORMED },
		{ 200, "transfer-encoding:chunked", WK_E_MALFORMED },
		{ 302, "location:/", WK_E_UNSUPPORTED },
		{ 404, "content-length:3", WK_E_UNSUPPORTED },
		{ 199, "", WK_E_UNSUPPORTED },
		{ 300, "", WK_E_UNSUPPORTED },
	};
	struct wk_field list[4];
	struct wk_error error;
	struct wk_message m;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		m = (struct wk_message){ .fields = list,
			.status = (uint16_t)cases[i].status };
		m.n_fields = fields_of(cases[i].fields, list);
		if (wk_message_tunnel_answer(&m, &error) != cases[i].want)
			fail_msg("case %zu: %s", i, error.reason);
		assert_int_equal(wk_message_tunnel_answer(&m, NULL),
		    cases[i].want);
	}
	m = (struct wk_message){ .status = 200, .fields = list };
	m.n_fields = fields_of("x:y\ncontent-length:0", list);
	assert_int_equal(wk_message_check_tunnel_fields(&m, &error),
	    WK_E_MALFORMED);
	assert_int_equal(error.offset, 1);
	assert_string_equal(error.reason,
	    "a tunnel does not have content-length");
}

static void
test_reasons(void **state)
{
	unsigned status;

	(void)state;
	assert_string_equal(wk_message_reason(200), "OK");
	assert_string_equal(wk_message_reason(101), "Switching Protocols");
	assert_string_equal(wk_message_reason(426), "Upgrade Required");
	assert_string_equal(wk_message_reason(431),
	    "Request Header Fields Too Large");
	assert_string_equal(wk_message_reason(505),
	    "HTTP Version Not Supported");
	assert_string_equal(wk_message_reason(418), "");
	for (status = 0; status < 1100; status++)
		assert_non_null(wk_message_reason(status));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_capsule_protocol),
		cmocka_unit_test(test_tunnel_answers),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
