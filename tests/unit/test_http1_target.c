/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/http1.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
test_authorities(void **state)
{
	static const struct {
		const char *in, *host;
		int is_ipv6, port;
		size_t offset;
		const char *reason;
	} texts[] = {
		{ "", "", 0, -1, 0, NULL },
		{ "example.org", "example.org", 0, -1, 0, NULL },
		{ "example.org:", "example.org", 0, -1, 0, NULL },
		{ "192.0.2.1:443", "192.0.2.1", 0, 443, 0, NULL },
		{ "[2001:db8::1]:65535", "2001:db8::1", 1, 65535, 0, NULL },
		{ "[::ffff:192.0.2.1]", "::ffff:192.0.2.1", 1, -1, 0, NULL },
		{ "a_b%20!$&'()*+,;=~:0", "a_b%20!$&'()*+,;=~", 0, 0, 0, NULL },
		{ ":80", "", 0, 80, 0, NULL },
		{ "a:00080", "a", 0, 80, 0, NULL },
		{ "a:65536", NULL, 0, 0, 2, "a port beyond 65535" },
		{ "a:99999999999999999999", NULL, 0, 0, 2,
		    "a port beyond 65535" },
		{ "a:8o", NULL, 0, 0, 3, "not a character for a port" },
		{ "a:80:80", NULL, 0, 0, 4, "not a character for a port" },
		{ "2001:db8::1", NULL, 0, 0, 5, "not a character for a port" },
		{ "[::1", NULL, 0, 0, 4,
		    "expected a bracket behind the IPv6 address" },
		{ "[]", NULL, 0, 0, 1, "not a character for an IPv6 address" },
		{ "[fe80::1%25eth0]", NULL, 0, 0, 8,
		    "not a character for an IPv6 address" },
		{ "[v1.x]", NULL, 0, 0, 1,
		    "not a character for an IPv6 address" },
		{ "[::1]x", NULL, 0, 0, 5, "not a character for a host" },
		{ "u@h", NULL, 0, 0, 1, "user information is not accepted" },
		{ "u:p@h", NULL, 0, 0, 1, "user information is not accepted" },
		{ "a/b", NULL, 0, 0, 1, "not a character for a host" },
		{ "a%2", NULL, 0, 0, 1, "not a character for a host" },
		{ "a b", NULL, 0, 0, 1, "not a character for a host" },
	};
	struct wk_http1_authority a;
	struct wk_error e;
	struct wk_str s;
	struct fence f;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < N(texts); i++) {
		fence_init(&f, texts[i].in, strlen(texts[i].in));
		s.at = (char *)f.data;
		s.len = strlen(texts[i].in);
		rc = wk_http1_authority_parse(s, &a, &e);
		if (texts[i].reason != NULL) {
			if (rc != WK_E_MALFORMED ||
			    e.offset != texts[i].offset ||
			    strcmp(e.reason, texts[i].reason) != 0)
				fail_msg("%s: %d: %s", texts[i].in,
				    (int)e.offset, e.reason);
		} else if (rc != WK_OK || !wk_str_is(a.host, texts[i].host) ||
		    a.is_ipv6 != (texts[i].is_ipv6 != 0) ||
		    a.port != texts[i].port) {
			fail_msg("%s: %.*s %d", texts[i].in, (int)a.host.len,
			    a.host.at, a.port);
		}
		fence_free(&f);
	}
}

static void
test_targets(void **state)
{
	static const struct {
		const char *method, *target, *scheme, *authority, *path;
		enum wk_http1_form form;
		size_t offset;
		const char *reason;
	} texts[] = {
		{ "GET", "/", "", "", "/", WK_HTTP1_ORIGIN, 0, NULL },
		{ "GET", "//a/b?", "", "", "//a/b?", WK_HTTP1_ORIGIN, 0, NULL },
		{ "GET", "/.well-known/masque/udp/2001%3Adb8%3A%3A42/443/", "",
		    "", "/.well-known/masque/udp/2001%3Adb8%3A%3A42/443/",
		    WK_HTTP1_ORIGIN, 0, NULL },
		{ "GET", "/a:@!$&'()*+,;=-._~?/?:@", "", "",
		    "/a:@!$&'()*+,;=-._~?/?:@", WK_HTTP1_ORIGIN, 0, NULL },
		{ "GET", "https://[::1]:4433/x?y", "https", "[::1]:4433",
		    "/x?y", WK_HTTP1_ABSOLUTE, 0, NULL },
		{ "GET", "/%00%4a", "", "", "/%00%4a", WK_HTTP1_ORIGIN, 0,
		    NULL },
		{ "GET", "http://a", "http", "a", "", WK_HTTP1_ABSOLUTE, 0,
		    NULL },
		{ "OPTIONS", "http://a?b", "http", "a", "?b",
		    WK_HTTP1_ABSOLUTE, 0, NULL },
		{ "CONNECT", "a:1", "", "a:1", "", WK_HTTP1_AUTHORITY, 0,
		    NULL },
		{ "CONNECT", "[::1]:443", "", "[::1]:443", "",
		    WK_HTTP1_AUTHORITY, 0, NULL },
		{ "OPTIONS", "*", "", "", "", WK_HTTP1_ASTERISK, 0, NULL },
		{ "GET", "", NULL, NULL, NULL, 0, 0,
		    "expected a path or a URI" },
		{ "GET", "*", NULL, NULL, NULL, 0, 0,
		    "only OPTIONS has * as its target" },
		{ "OPTIONS", "**", NULL, NULL, NULL, 0, 0,
		    "expected a path or a URI" },
		{ "GET", "a", NULL, NULL, NULL, 0, 1,
		    "expected :// behind the scheme" },
		{ "GET", "example.org:443", NULL, NULL, NULL, 0, 11,
		    "expected :// behind the scheme" },
		{ "GET", "http:/a", NULL, NULL, NULL, 0, 4,
		    "expected :// behind the scheme" },
		{ "GET", "1http://a", NULL, NULL, NULL, 0, 0,
		    "expected a path or a URI" },
		{ "GET", "http://", NULL, NULL, NULL, 0, 7,
		    "expected a host" },
		{ "GET", "http:///x", NULL, NULL, NULL, 0, 7,
		    "expected a host" },
		{ "GET", "http://:80/x", NULL, NULL, NULL, 0, 7,
		    "expected a host" },
		{ "GET", "http://u@a/x", NULL, NULL, NULL, 0, 8,
		    "user information is not accepted" },
		{ "GET", "http://a/x y", NULL, NULL, NULL, 0, 10,
		    "not a character for a path or query" },
		{ "GET", "http://a#x", NULL, NULL, NULL, 0, 8,
		    "a fragment is not sent" },
		{ "GET", "/a#x", NULL, NULL, NULL, 0, 2,
		    "a fragment is not sent" },
		{ "GET", "/a?b#x", NULL, NULL, NULL, 0, 4,
		    "a fragment is not sent" },
		{ "GET", "/%4", NULL, NULL, NULL, 0, 1,
		    "not a character for a path or query" },
		{ "GET", "/a[0]", NULL, NULL, NULL, 0, 2,
		    "not a character for a path or query" },
		{ "GET", "/a?{x}", NULL, NULL, NULL, 0, 3,
		    "not a character for a path or query" },
		{ "CONNECT", "a", NULL, NULL, NULL, 0, 1,
		    "CONNECT needs a port" },
		{ "CONNECT", "a:", NULL, NULL, NULL, 0, 2,
		    "CONNECT needs a port" },
		{ "CONNECT", "a:0", NULL, NULL, NULL, 0, 3,
		    "CONNECT needs a port" },
		{ "CONNECT", ":1", NULL, NULL, NULL, 0, 0, "expected a host" },
		{ "CONNECT", "http://a:1/", NULL, NULL, NULL, 0, 5,
		    "not a character for a port" },
		{ "CONNECT", "/", NULL, NULL, NULL, 0, 0,
		    "not a character for a host" },
		{ "CONNECT", "*", NULL, NULL, NULL, 0, 1,
		    "CONNECT needs a port" },
		{ "connect", "a:1", NULL, NULL, NULL, 0, 1,
		    "expected :// behind the scheme" },
	};
	struct wk_http1_target t;
	struct wk_error e;
	struct wk_str s;
	struct fence f;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < N(texts); i++) {
		fence_init(&f, texts[i].target, strlen(texts[i].target));
		s.at = (char *)f.data;
		s.len = strlen(texts[i].target);
		rc = wk_http1_target_parse(wk_str_of(texts[i].method), s, &t,
		    &e);
		if (texts[i].reason != NULL) {
			if (rc != WK_E_MALFORMED ||
			    e.offset != texts[i].offset ||
			    strcmp(e.reason, texts[i].reason) != 0)
				fail_msg("%s %s: %d: %s", texts[i].method,
				    texts[i].target, (int)e.offset, e.reason);
		} else if (rc != WK_OK || t.form != texts[i].form ||
		    !wk_str_is(t.scheme, texts[i].scheme) ||
		    !wk_str_is(t.authority_text, texts[i].authority) ||
		    !wk_str_is(t.path, texts[i].path)) {
			fail_msg("%s %s", texts[i].method, texts[i].target);
		}
		fence_free(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authorities),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests_name("http1_target", tests, NULL, NULL);
}
