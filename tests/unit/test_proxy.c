/* SPDX-License-Identifier: MIT */
/* common/net/proxy.h */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/net/proxy.h"

/* The environment of a case: NAME=VALUE, one after the other, then "". */
static const char *environment;

static char *
get(const char *name)
{
	const char *entry = environment;
	size_t len = strlen(name);

	for (; *entry != '\0'; entry += strlen(entry) + 1)
		if (strncmp(entry, name, len) == 0 && entry[len] == '=')
			return (char *)(uintptr_t)entry + len + 1;
	return NULL;
}

static const struct {
	const char *environment;	/* ends with two NULs */
	bool is_https;
	const char *want;	/* kind host port user password, or the error */
} choices[] = {
	{ "\0", false, "none" },
	{ "http_proxy=http://p:3128\0", false, "1 p 3128 - -" },
	{ "http_proxy=http://p:3128\0", true, "none" },
	/* What CGI makes of a request's Proxy field. */
	{ "HTTP_PROXY=http://p:3128\0", false, "none" },
	{ "HTTPS_PROXY=http://p:3128\0", true, "1 p 3128 - -" },
	{ "HTTPS_PROXY=http://q:1\0https_proxy=http://p:1\0", true,
	    "1 p 1 - -" },
	{ "HTTPS_PROXY=http://p:3128\0", false, "none" },
	{ "ALL_PROXY=socks5h://p\0", false, "3 p 1080 - -" },
	{ "ALL_PROXY=socks5h://p\0", true, "3 p 1080 - -" },
	{ "ALL_PROXY=q\0http_proxy=p\0", false, "1 p 1080 - -" },
	{ "all_proxy=p\0ALL_PROXY=q\0", true, "1 p 1080 - -" },
	{ "https_proxy=\0HTTPS_PROXY=\0all_proxy=p\0", true, "1 p 1080 - -" },
	{ "http_proxy=\0", false, "none" },
	{ "http_proxy=SOCKS5://127.0.0.1:9/\0", false, "2 127.0.0.1 9 - -" },
	{ "http_proxy=http://[::1]:9/?x#y\0", false, "1 ::1 9 - -" },
	{ "http_proxy=[::1]\0", false, "1 ::1 1080 - -" },
	{ "http_proxy=u:p%40%3a:x@h:1\0", false, "1 h 1 u p@::x" },
	{ "http_proxy=a%20b@h\0", false, "1 h 1080 a b " },
	{ "http_proxy=u:p@q@h\0", false, "1 h 1080 u p@q" },
	{ "http_proxy=https://h\0", false,
	    "http_proxy: expected http, socks5 or socks5h as its scheme" },
	{ "ALL_PROXY=socks4://h\0", false,
	    "ALL_PROXY: expected http, socks5 or socks5h as its scheme" },
	{ "https_proxy=http://\0", true, "https_proxy: no host in it" },
	{ "https_proxy=http://:80\0", true, "https_proxy: no host in it" },
	{ "https_proxy=http://h:0\0", true,
	    "https_proxy: port 0 cannot be connected to" },
	{ "https_proxy=http://h:x\0", true,
	    "https_proxy: not a character for a port" },
	{ "https_proxy=u%4:p@h\0", true,
	    "https_proxy: a broken %XX in its user name" },
	{ "https_proxy=u:%00@h\0", true,
	    "https_proxy: a broken %XX in its password" },
	{ "http_proxy=p\0no_proxy=example.org\0", false, "none" },
	{ "http_proxy=p\0NO_PROXY=example.org\0", false, "none" },
	{ "http_proxy=p\0no_proxy=x\0NO_PROXY=example.org\0", false,
	    "1 p 1080 - -" },
	/* A proxy that is not used is not complained about. */
	{ "http_proxy=ftp://p\0no_proxy=*\0", false, "none" },
};

static const struct {
	const char *list, *host;
	bool is_excluded;
} exclusions[] = {
	{ "*", "h", true },
	{ "* ", "h", false },
	{ "a,*", "h", false },
	{ "", "h", false },
	{ ",, ,", "h", false },
	{ "example.org", "example.org", true },
	{ "example.org", "EXAMPLE.org.", true },
	{ "example.org.", "example.org", true },
	{ "example.org", "www.example.org", true },
	{ ".example.org", "example.org", true },
	{ ".example.org", "www.example.org", true },
	{ "example.org", "notexample.org", false },
	{ "www.example.org", "example.org", false },
	{ "a,b example.org\tc", "example.org", true },
	{ "example.org:80", "example.org", false },
	{ ".", "h", false },
	{ "127.0.0.1", "127.0.0.1", true },
	{ "0.0.1", "127.0.0.1", false },
	{ "127.0.0.0/8", "127.1.2.3", true },
	{ "127.0.0.0/8", "128.0.0.1", false },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.1/33", "192.0.2.1", false },
	{ "192.0.2.1/", "192.0.2.1", false },
	{ "192.0.2.1/x", "192.0.2.1", false },
	{ "192.0.2.1/99999999999999999999", "192.0.2.1", false },
	{ "0.0.0.0/0", "192.0.2.1", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::1", "::1", true },
	{ "[::1]", "::1", true },
	{ "0:0::1", "::1", true },
	{ "2001:db8::/32", "2001:db8:1::2", true },
	{ "2001:db8::/33", "2001:db8:8000::", false },
};

static void
test_choice(void **state)
{
	struct wk_proxy p;
	struct wk_error error;
	char got[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		environment = choices[i].environment;
		if (wk_proxy_choose(&p, choices[i].is_https,
		    wk_str_of("example.org"), get, &error) != WK_OK)
			snprintf(got, sizeof(got), "%s", error.reason);
		else if (p.kind == WK_PROXY_NONE)
			snprintf(got, sizeof(got), "none");
		else
			snprintf(got, sizeof(got), "%d %s %u %s %s", p.kind,
			    p.host, p.port, p.user != NULL ? p.user : "-",
			    p.password != NULL ? p.password : "-");
		wk_proxy_free(&p);
		if (strcmp(got, choices[i].want) != 0)
			fail_msg("%s: %s, expected %s", environment, got,
			    choices[i].want);
	}
}

static void
test_exclusions(void **state)
{
	struct wk_proxy p;
	struct wk_error error;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++) {
		memset(text, 0, sizeof(text));
		snprintf(text, sizeof(text), "all_proxy=p%cno_proxy=%s", 0,
		    exclusions[i].list);
		environment = text;
		assert_int_equal(wk_proxy_choose(&p, true,
		    wk_str_of(exclusions[i].host), get, &error), WK_OK);
		if ((p.kind == WK_PROXY_NONE) != exclusions[i].is_excluded)
			fail_msg("%s: %s", exclusions[i].list,
			    exclusions[i].host);
		wk_proxy_free(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_exclusions),
	};

	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
