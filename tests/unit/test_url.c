/* SPDX-License-Identifier: MIT */
/* common/wire/url.h */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/url.h"

static const struct {
	const char *text;
	const char *want;	/* scheme host authority path port is_tls */
} good[] = {
	{ "http://example.org", "http example.org example.org / 80 0" },
	{ "HTTPS://Example.ORG/A?b=C",
	    "https example.org example.org /A?b=C 443 1" },
	{ "https://example.org:443/", "https example.org example.org / 443 1" },
	{ "https://example.org:/", "https example.org example.org / 443 1" },
	{ "http://example.org:443/",
	    "http example.org example.org:443 / 443 0" },
	{ "http://h?q", "http h h /?q 80 0" },
	{ "http://h#f", "http h h / 80 0" },
	{ "http://h/a%20b?c#d e", "http h h /a%20b?c 80 0" },
	{ "http://[2001:DB8::1]:8080/x",
	    "http 2001:db8::1 [2001:db8::1]:8080 /x 8080 0" },
	{ "https://[::1]", "https ::1 [::1] / 443 1" },
	{ "http://192.0.2.1:65535/",
	    "http 192.0.2.1 192.0.2.1:65535 / 65535 0" },
};

static const struct {
	const char *text;
	int status;
	uint64_t offset;
	const char *reason;
} bad[] = {
	{ "", WK_E_MALFORMED, 0, "expected http:// or https:// in front" },
	{ "example.org/x", WK_E_MALFORMED, 0,
	    "expected http:// or https:// in front" },
	{ "localhost:8080/x", WK_E_MALFORMED, 0,
	    "expected http:// or https:// in front" },
	{ "http:/x", WK_E_MALFORMED, 0,
	    "expected http:// or https:// in front" },
	{ "://x", WK_E_MALFORMED, 0, "expected http:// or https:// in front" },
	{ "ftp://x/", WK_E_UNSUPPORTED, 0,
	    "expected http or https as the scheme" },
	{ "http://", WK_E_MALFORMED, 7, "expected a host" },
	{ "http:///x", WK_E_MALFORMED, 7, "expected a host" },
	{ "http://:80/", WK_E_MALFORMED, 7, "expected a host" },
	{ "http://u:p@h/", WK_E_MALFORMED, 8,
	    "user information is not accepted" },
	{ "http://h:65536/", WK_E_MALFORMED, 9, "a port beyond 65535" },
	{ "http://h:0/", WK_E_MALFORMED, 9, "port 0 cannot be connected to" },
	{ "http://h:8x/", WK_E_MALFORMED, 10, "not a character for a port" },
	{ "http://h/a b", WK_E_MALFORMED, 10,
	    "not a character for a path or query" },
	{ "http://h%41/", WK_E_MALFORMED, 7, "not a character for a host" },
	{ "http://[::1/", WK_E_MALFORMED, 11,
	    "expected a bracket behind the IPv6 address" },
	{ "http://[1:2]/", WK_E_MALFORMED, 7,
	    "expected an IPv6 address in the brackets" },
	{ "http://h/{x}", WK_E_MALFORMED, 9,
	    "not a character for a path or query" },
};

static void
test_good(void **state)
{
	struct wk_url url;
	struct wk_error error;
	struct fence fence;
	char got[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fence_init(&fence, good[i].text, strlen(good[i].text));
		if (wk_url_parse(&url, (struct wk_str){ (char *)fence.data,
		    strlen(good[i].text) }, &error) != WK_OK)
			fail_msg("%s: %s", good[i].text, error.reason);
		/* The parts are C strings, too. */
		snprintf(got, sizeof(got), "%s %s %s %s %u %d", url.scheme.at,
		    url.host.at, url.authority.at, url.path.at, url.port,
		    url.is_tls);
		assert_string_equal(got, good[i].want);
		assert_int_equal(strlen(url.authority.at), url.authority.len);
		assert_int_equal(strlen(url.path.at), url.path.len);
		wk_url_free(&url);
		fence_free(&fence);
	}
}

static void
test_bad(void **state)
{
	struct wk_url url;
	struct wk_error error;
	struct fence fence;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fence_init(&fence, bad[i].text, strlen(bad[i].text));
		memset(&error, 0, sizeof(error));
		rc = wk_url_parse(&url, (struct wk_str){ (char *)fence.data,
		    strlen(bad[i].text) }, &error);
		if (rc != bad[i].status || error.offset != bad[i].offset ||
		    strcmp(error.reason, bad[i].reason) != 0)
			fail_msg("%s: %d at %d: %s", bad[i].text, rc,
			    (int)error.offset, error.reason);
		wk_url_free(&url);
		fence_free(&fence);
	}
}

static void
test_long_host(void **state)
{
	struct wk_url url;
	struct wk_error error;
	char text[300];
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), "http://%0*d/", 253, 0);
	assert_int_equal(wk_url_parse(&url, (struct wk_str){ text, (size_t)n },
	    &error), WK_OK);
	wk_url_free(&url);
	n = snprintf(text, sizeof(text), "http://%0*d/", 254, 0);
	assert_int_equal(wk_url_parse(&url, (struct wk_str){ text, (size_t)n },
	    &error), WK_E_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long_host),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
