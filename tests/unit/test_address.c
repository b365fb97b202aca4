/* SPDX-License-Identifier: MIT */
/* Addresses from text and back. */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/net/sock.h"

/* 107 octets: the longest. */
#define LONG_PATH \
	"/01234567890123456789012345678901234567890123456789012345678" \
	"90123456789012345678901234567890123456789012345"

static const struct {
	const char *text, *host, *want;	/* addresses joined by a blank */
} good[] = {
	{ "192.0.2.1:443", NULL, "192.0.2.1:443" },
	{ "[2001:DB8::1]:443", NULL, "[2001:db8::1]:443" },
	{ "[fe80::1%lo]:1", NULL, "[fe80::1%lo]:1" },
	{ "[fe80::1%1]:1", NULL, "[fe80::1%lo]:1" },
	{ "[fe80::1%99999]:1", NULL, "[fe80::1%99999]:1" },
	{ "[::ffff:192.0.2.1]:1", NULL, "[::ffff:192.0.2.1]:1" },
	{ "127.0.0.1:0", NULL, "127.0.0.1:0" },
	{ "127.0.0.1:65535", NULL, "127.0.0.1:65535" },
	{ ":80", "127.0.0.1", "127.0.0.1:80" },
	{ "80", "::1", "[::1]:80" },
	{ "00080", "::1", "[::1]:80" },
	{ "80", "*", "[::]:80 0.0.0.0:80" },
	{ "*:80", NULL, "[::]:80 0.0.0.0:80" },
	{ "unix:/run/x", NULL, "unix:/run/x" },
	{ "unix:relative:1", NULL, "unix:relative:1" },
	{ "unix:" LONG_PATH, NULL, "unix:" LONG_PATH },
};

static const struct {
	const char *text, *host;
	size_t max;
	uint64_t offset;
	const char *reason;
} bad[] = {
	{ "", "::1", 2, 0, "expected a port number" },
	{ ":", "::1", 2, 1, "expected a port number" },
	{ "80", NULL, 2, 0, "expected an address before the port" },
	{ "127.0.0.1:", NULL, 2, 10, "expected a port number" },
	{ "127.0.0.1:8o", NULL, 2, 11, "expected a port number" },
	{ "127.0.0.1:-1", NULL, 2, 10, "expected a port number" },
	{ "127.0.0.1:65536", NULL, 2, 10, "a port is at most 65535" },
	{ "127.0.0.1:99999999999999999999", NULL, 2, 10,
	  "a port is at most 65535" },
	{ "127.0.0.1", NULL, 2, 3, "expected a port number" },
	{ "127.1:80", NULL, 2, 0, "expected a numeric address, * or unix:" },
	{ "127.0.0.1%lo:80", NULL, 2, 0,
	  "no address of an interface that is here" },
	{ "example:80", NULL, 2, 0, "expected a numeric address, * or unix:" },
	{ "::1", NULL, 2, 0,
	  "expected [ADDRESS]:PORT: IPv6 addresses stand in brackets" },
	{ "[::1]", NULL, 2, 5, "expected a colon and a port" },
	{ "[::1]80", NULL, 2, 5, "expected a colon and a port" },
	{ "[::1", NULL, 2, 0, "the bracket is not closed" },
	{ "[]:80", "::1", 2, 1, "expected an IPv6 address in the brackets" },
	{ "[127.0.0.1]:80", NULL, 2, 1,
	  "expected an IPv6 address in the brackets" },
	{ "[*]:80", NULL, 2, 1, "expected an IPv6 address in the brackets" },
	{ "[fe80::1%]:80", NULL, 2, 1,
	  "no address of an interface that is here" },
	{ "[fe80::1%0]:80", NULL, 2, 1,
	  "no address of an interface that is here" },
	{ "[fe80::1%no such]:80", NULL, 2, 1,
	  "no address of an interface that is here" },
	{ "*:80", NULL, 1, 0, "* stands for two addresses" },
	{ "127.0.0.1:80", NULL, 0, 0, "too many addresses" },
	{ "unix:/x", NULL, 0, 0, "too many addresses" },
	{ "unix:", NULL, 2, 5, "expected a path of 1 to 107 octets" },
	{ "unix:" LONG_PATH "x", NULL, 2, 5,
	  "expected a path of 1 to 107 octets" },
};

static int
parse(const char *text, const char *host, struct wk_address *out, size_t max,
    struct wk_error *error)
{
	struct fence f;
	struct wk_str s;
	int n;

	/* Not ended by a NUL, and nothing behind it to read. */
	fence_init(&f, text, strlen(text));
	s.at = (const char *)f.data;
	s.len = strlen(text);
	n = wk_address_parse(s, host, out, max, error);
	fence_free(&f);
	return n;
}

static void
test_good(void **state)
{
	char got[300], text[WK_ADDRESS_TEXT_MAX];
	struct wk_address out[2], again[2];
	struct wk_error error;
	size_t i;
	int n, k;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = parse(good[i].text, good[i].host, out, 2, &error);
		if (n < 1)
			fail_msg("%s: %s", good[i].text, error.reason);
		for (k = 0, got[0] = '\0'; k < n; k++) {
			wk_address_text(&out[k], text);
			strcat(got, k == 0 ? "" : " ");
			strcat(got, text);
			/* What was written can be read again. */
			assert_int_equal(parse(text, NULL, again, 2, &error), 1);
			assert_true(wk_address_equals(&out[k], &again[0]));
		}
		assert_string_equal(got, good[i].want);
	}
}

static void
test_bad(void **state)
{
	struct wk_address out[2];
	struct wk_error error;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = parse(bad[i].text, bad[i].host, out, bad[i].max, &error);
		if (n >= 0 || error.offset != bad[i].offset ||
		    strcmp(error.reason, bad[i].reason) != 0)
			fail_msg("%s: %d at %d: %s", bad[i].text, n,
			    (int)error.offset, error.reason);
	}
	assert_true(wk_address_parse((struct wk_str){ NULL, 0 }, NULL, out, 2,
	    NULL) < 0);
}

static void
test_from_ip(void **state)
{
	static const char *const names[] = {
		"", "localhost", "127.0.0.1 ", " 127.0.0.1", "[::1]", "1.2.3",
		"0x7f.0.0.1", "127.0.0.1%lo", "fe80::1%", "%lo", ":::",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};
	char text[WK_ADDRESS_TEXT_MAX];
	struct wk_address a, b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(wk_address_from_ip(&a, wk_str_of(names[i]), 1),
		    WK_E_INVALID);
	assert_int_equal(wk_address_from_ip(&a,
	    (struct wk_str){ "127.0.0.1\0x", 11 }, 1), WK_E_INVALID);
	assert_int_equal(wk_address_from_ip(&a, (struct wk_str){ NULL, 0 }, 1),
	    WK_E_INVALID);
	assert_int_equal(wk_address_from_ip(&a, wk_str_of("fe80::1%lo"), 7),
	    WK_OK);
	assert_int_equal(wk_address_port(&a), 7);
	assert_string_equal(wk_address_host_text(&a, text), "fe80::1%lo");
	assert_int_equal(wk_address_from_ip(&b, wk_str_of("fe80::1"), 7), WK_OK);
	assert_false(wk_address_equals(&a, &b));
	b = a;
	assert_true(wk_address_equals(&a, &b));
	wk_address_set_port(&b, 8);
	assert_false(wk_address_equals(&a, &b));
	wk_address_from_ip(&b, wk_str_of("10.0.0.1"), 7);
	assert_false(wk_address_equals(&a, &b));
	wk_address_from_ip(&a, wk_str_of("10.0.0.2"), 7);
	assert_false(wk_address_equals(&a, &b));
	assert_string_equal(wk_address_host_text(&a, text), "10.0.0.2");
}

static void
test_nameless_unix(void **state)
{
	char text[WK_ADDRESS_TEXT_MAX];
	struct wk_address a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	a.sa.ss_family = AF_UNIX;
	a.len = sizeof(a.sa.ss_family);
	assert_string_equal(wk_address_text(&a, text), "unix:");
	a.len += 4;	/* an abstract name: NUL x y z */
	memcpy((char *)&a.sa + sizeof(a.sa.ss_family) + 1, "xyz", 3);
	assert_string_equal(wk_address_text(&a, text), "unix:@xyz");
	assert_int_equal(wk_address_from_unix(&a, wk_str_of("/a")), WK_OK);
	assert_int_equal(wk_address_from_unix(&b, wk_str_of("/b")), WK_OK);
	assert_false(wk_address_equals(&a, &b));
	assert_int_equal(wk_address_port(&a), 0);
	memset(&a, 0, sizeof(a));
	assert_string_equal(wk_address_text(&a, text), "unknown");
}

static void
test_split(void **state)
{
	static const struct {
		const char *text, *host;	/* NULL: an error */
		unsigned port;
	} cases[] = {
		{ "example:80", "example", 80 },
		{ "example", NULL, 0 },
		{ "[::1]:80", "::1", 80 },
		{ "[name]:80", "name", 80 },
		{ "[]:80", NULL, 0 },
		{ "::1:80", NULL, 0 },
		{ ":80", "", 80 },
		{ "00080", "", 80 },
		{ "*:0", "*", 0 },
		{ "a:65536", NULL, 0 },
		{ "a:", NULL, 0 },
		{ "", NULL, 0 },
	};
	struct wk_str host;
	uint16_t port;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rc = wk_address_split(wk_str_of(cases[i].text), &host, &port,
		    NULL);
		if ((rc == WK_OK) != (cases[i].host != NULL))
			fail_msg("%s: %d", cases[i].text, rc);
		if (rc != WK_OK)
			continue;
		if (!wk_str_is(host, cases[i].host) || port != cases[i].port)
			fail_msg("%s: %.*s %u", cases[i].text, (int)host.len,
			    host.at, port);
	}
}

static void
test_lookup(void **state)
{
	static const char *const numeric[] = { "127.0.0.1:7", "[::1]:7", "7",
		"unix:/x" };
	static const char *const wrong[] = { "[localhost]:7", "unix:", "a:x",
		"", "127.0.0.1%lo:7" };
	struct wk_address out[4], want;
	struct wk_error error;
	size_t i;
	int n, k;

	(void)state;
	/* What needs no asking is as without. */
	for (i = 0; i < sizeof(numeric) / sizeof(numeric[0]); i++) {
		assert_int_equal(wk_address_lookup(wk_str_of(numeric[i]),
		    "127.0.0.1", out, 4, &error), 1);
		assert_int_equal(wk_address_parse(wk_str_of(numeric[i]),
		    "127.0.0.1", &want, 1, &error), 1);
		assert_true(wk_address_equals(&out[0], &want));
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(wk_address_lookup(wk_str_of(wrong[i]), NULL,
		    out, 4, &error), WK_E_INVALID);
	n = wk_address_lookup(wk_str_of("localhost:7"), NULL, out, 4, &error);
	assert_true(n >= 1);
	for (k = 0; k < n; k++)
		assert_int_equal(wk_address_port(&out[k]), 7);
	assert_int_equal(wk_address_lookup(wk_str_of("localhost:7"), NULL, out,
	    1, &error), 1);
	/* No name can have an empty label. */
	assert_int_equal(wk_address_lookup(wk_str_of("no..name:7"), NULL, out,
	    4, &error), WK_E_SYSTEM);
	assert_true(error.reason[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_from_ip),
		cmocka_unit_test(test_nameless_unix),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_lookup),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
