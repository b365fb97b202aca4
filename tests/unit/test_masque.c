/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/masque.h"

/* --- targets -------------------------------------------------------------- */

static const struct {
	const char *protocol, *text;
	const char *host, *port;	/* NULL: refused */
} targets[] = {
	{ "connect-udp", "192.0.2.6:443", "192.0.2.6", "443" },
	{ "connect-udp", "proxy.example:1", "proxy.example", "1" },
	{ "connect-udp", "a_b-c.d~:65535", "a_b-c.d~", "65535" },
	{ "connect-udp", "[2001:db8::42]:53", "2001:db8::42", "53" },
	{ "connect-udp", "[::ffff:192.0.2.1]:53", "::ffff:192.0.2.1", "53" },
	{ "connect-udp", "*:*", "*", "*" },
	{ "connect-tcp-12", "x:7", "x", "7" },
	{ "websocket", "x:7", "x", "7" },
	{ "connect-udp", "", NULL, NULL },
	{ "connect-udp", "host", NULL, NULL },
	{ "connect-udp", "host:", NULL, NULL },
	{ "connect-udp", ":53", NULL, NULL },
	{ "connect-udp", "host:0", NULL, NULL },
	{ "connect-udp", "host:65536", NULL, NULL },
	{ "connect-udp", "host:x", NULL, NULL },
	{ "connect-udp", "host:-1", NULL, NULL },
	{ "connect-udp", "a b:1", NULL, NULL },
	{ "connect-udp", "a/b:1", NULL, NULL },
	{ "connect-udp", "user@host:1", NULL, NULL },
	{ "connect-udp", "h%6Fst:1", NULL, NULL },
	{ "connect-udp", "2001:db8::42", NULL, NULL },
	{ "connect-udp", "[2001:db8::42]", NULL, NULL },
	{ "connect-udp", "[2001:db8::42:53", NULL, NULL },
	{ "connect-udp", "[fe80::1%eth0]:53", NULL, NULL },
	{ "connect-udp", "[:::]:53", NULL, NULL },
	{ "connect-udp", "[]:53", NULL, NULL },
	{ "connect-udp", "*:53", NULL, NULL },
	{ "connect-udp", "host:*", NULL, NULL },
	/* RFC 9484, section 4.6 */
	{ "connect-ip", "*", "*", "*" },
	{ "connect-ip", "*:*", "*", "*" },
	{ "connect-ip", "*:17", "*", "17" },
	{ "connect-ip", "192.0.2.0/24", "192.0.2.0/24", "*" },
	{ "connect-ip", "192.0.2.0/24:6", "192.0.2.0/24", "6" },
	{ "connect-ip", "192.0.2.0/0", "192.0.2.0/0", "*" },
	{ "connect-ip", "192.0.2.0/32:255", "192.0.2.0/32", "255" },
	{ "connect-ip", "2001:db8::/32", "2001:db8::/32", "*" },
	{ "connect-ip", "2001:db8::1", "2001:db8::1", "*" },
	{ "connect-ip", "[2001:db8::/32]", "2001:db8::/32", "*" },
	{ "connect-ip", "[2001:db8::/128]:0", "2001:db8::/128", "0" },
	{ "connect-ip", "[2001:db8::1]:*", "2001:db8::1", "*" },
	{ "connect-ip", "target.example", "target.example", "*" },
	{ "connect-ip", "target.example:17", "target.example", "17" },
	{ "connect-ip", "", NULL, NULL },
	{ "connect-ip", ":17", NULL, NULL },
	{ "connect-ip", "*:256", NULL, NULL },
	{ "connect-ip", "*:", NULL, NULL },
	{ "connect-ip", "*:x", NULL, NULL },
	{ "connect-ip", "[]", NULL, NULL },
	{ "connect-ip", "[::1", NULL, NULL },
	{ "connect-ip", "[::1]17", NULL, NULL },
	{ "connect-ip", "[192.0.2.1]:17", NULL, NULL },
	{ "connect-ip", "192.0.2.0/33", NULL, NULL },
	{ "connect-ip", "192.0.2.0/", NULL, NULL },
	{ "connect-ip", "192.0.2.0/2/4", NULL, NULL },
	{ "connect-ip", "name/24", NULL, NULL },
	{ "connect-ip", "2001:db8::/129", NULL, NULL },
	{ "connect-ip", "a:b:c", NULL, NULL },
	{ "connect-ip", "a b", NULL, NULL },
};

static void
test_targets(void **state)
{
	struct wk_masque_target target;
	struct wk_error error;
	struct fence text;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		fence_init(&text, targets[i].text, strlen(targets[i].text));
		memset(&error, 0, sizeof(error));
		rc = wk_masque_target_parse((struct wk_str){
		    (const char *)text.data, strlen(targets[i].text) },
		    wk_str_of(targets[i].protocol), &target, &error);
		if (targets[i].host == NULL ? rc != WK_E_MALFORMED ||
		    strncmp(error.reason, "expected ", 9) != 0 :
		    rc != WK_OK || !wk_str_is(target.host, targets[i].host) ||
		    !wk_str_is(target.port, targets[i].port))
			fail_msg("%s %s: %d %s", targets[i].protocol,
			    targets[i].text, rc, error.reason);
		fence_free(&text);
	}
}

/* --- URLs ----------------------------------------------------------------- */

static const struct {
	const char *url, *template_text, *protocol, *target;
	const char *authority, *path;	/* NULL: the reason in path */
	int status;
} urls[] = {
	/* nothing to fill */
	{ "https://proxy.example", NULL, "connect-udp", NULL,
	    "proxy.example", "/", 0 },
	{ "https://proxy.example/a?b", NULL, "any", NULL,
	    "proxy.example", "/a?b", 0 },
	/* the well-known ones; RFC 9298 section 2, RFC 9484 section 3 */
	{ "https://proxy.example:8443/ignored?x", NULL, "connect-udp",
	    "192.0.2.6:443", "proxy.example:8443",
	    "/.well-known/masque/udp/192.0.2.6/443/", 0 },
	{ "https://proxy.example?x", NULL, "connect-udp", "[2001:db8::42]:443",
	    "proxy.example", "/.well-known/masque/udp/2001%3Adb8%3A%3A42/443/",
	    0 },
	{ "https://proxy.example", NULL, "connect-udp", "*:*",
	    "proxy.example", "/.well-known/masque/udp/%2A/%2A/", 0 },
	{ "http://[::1]:80", NULL, "connect-tcp-12", "a:7",
	    "[::1]", "/.well-known/masque/tcp/a/7/", 0 },
	{ "https://p", NULL, "connect-ip", "192.0.2.0/24:17",
	    "p", "/.well-known/masque/ip/192.0.2.0%2F24/17/", 0 },
	{ "https://p", NULL, "connect-ip", "2001:db8::1",
	    "p", "/.well-known/masque/ip/2001%3Adb8%3A%3A1/%2A/", 0 },
	/* a template in the URL, as a path, as another URL */
	{ "https://p/m?h={target_host}&p={target_port}", NULL, "connect-udp",
	    "a:7", "p", "/m?h=a&p=7", 0 },
	{ "https://p/m{?target_host,target_port}", NULL, "connect-udp", "a:7",
	    "p", "/m?target_host=a&target_port=7", 0 },
	{ "https://p/x", "/m/{target_host}/{target_port}", "connect-udp",
	    "a:7", "p", "/m/a/7", 0 },
	{ "https://p/{target_host}/x", "/m/{target_host}/{target_port}",
	    "connect-udp", "a:7", "p", "/m/a/7", 0 },
	{ "https://p/", "https://q:1/{target_host},{target_port}", "websocket",
	    "a:7", "q:1", "/a,7", 0 },
	{ "https://p/", "/fixed", "connect-udp", NULL, "p", "/fixed", 0 },
	{ "https://p/", "/ip/{target}", "connect-ip", "192.0.2.1",
	    "p", "/ip/192.0.2.1", 0 },
	/* refused */
	{ "https://p/", NULL, "websocket", "a:7", NULL,
	    "websocket has no well-known template", WK_E_UNSUPPORTED },
	{ "https://p/", NULL, "connect-udpx", "a:7", NULL,
	    "connect-udpx has no well-known template", WK_E_UNSUPPORTED },
	{ "https://p/", NULL, "connect-ethernet", "a:7", NULL,
	    "connect-ethernet has no well-known template", WK_E_UNSUPPORTED },
	{ "https://p/", "/{target_host}/{target_port}", "connect-udp", NULL,
	    NULL, "the template has {target_host}, but there is no target",
	    WK_E_INVALID },
	{ "https://p/", "/{target_host}", "connect-udp", "a:7", NULL,
	    "the template lacks {target_port}", WK_E_INVALID },
	{ "https://p/", "/fixed", "connect-udp", "a:7", NULL,
	    "the template lacks {target_host}", WK_E_INVALID },
	{ "https://p/", "/ip/{target}", "connect-ip", "192.0.2.1:17", NULL,
	    "the template lacks {ipproto}", WK_E_INVALID },
	{ "https://p/", "/ip/{ipproto}", "connect-ip", "192.0.2.1", NULL,
	    "the template lacks {target}", WK_E_INVALID },
	{ "https://p/", "relative/{target_host}/{target_port}", "connect-udp",
	    "a:7", NULL, "", WK_E_INVALID },
	{ "https://p/", "/{+target_host}/{target_port}", "connect-udp", "a:7",
	    NULL, "", WK_E_INVALID },
	{ "https://{target_host}/{target_port}", NULL, "connect-udp", "a:7",
	    NULL, "", WK_E_INVALID },
	{ "https://p/", "/{target_host", "connect-udp", "a:7", NULL,
	    "", WK_E_MALFORMED },
	{ "https://p/", "", "connect-udp", "a:7", NULL, "", WK_E_INVALID },
	{ "ftp://p/", NULL, "connect-udp", NULL, NULL, "", WK_E_UNSUPPORTED },
	{ "https:///", NULL, "connect-udp", NULL, NULL, "", WK_E_MALFORMED },
	{ "", NULL, "connect-udp", NULL, NULL, "", WK_E_MALFORMED },
};

static int
url_of(size_t i, struct wk_url *url, struct wk_error *error)
{
	struct wk_str protocol = wk_str_of(urls[i].protocol);
	struct wk_masque_target target;

	memset(error, 0, sizeof(*error));
	if (urls[i].target != NULL)
		assert_int_equal(wk_masque_target_parse(wk_str_of(
		    urls[i].target), protocol, &target, error), WK_OK);
	return wk_masque_url(url, wk_str_of(urls[i].url),
	    urls[i].template_text, protocol,
	    urls[i].target != NULL ? &target : NULL, error);
}

static void
test_urls(void **state)
{
	struct wk_error error;
	struct wk_url url;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		rc = url_of(i, &url, &error);
		if (rc != urls[i].status)
			fail_msg("%s %s: %d %s", urls[i].url,
			    urls[i].template_text != NULL ?
			    urls[i].template_text : "", rc, error.reason);
		if (rc != WK_OK) {
			if (error.reason[0] == '\0' || strncmp(error.reason,
			    urls[i].path, strlen(urls[i].path)) != 0)
				fail_msg("%s: \"%s\"", urls[i].url,
				    error.reason);
			continue;
		}
		if (!wk_str_is(url.authority, urls[i].authority) ||
		    !wk_str_is(url.path, urls[i].path))
			fail_msg("%s: %s %s", urls[i].url, url.authority.at,
			    url.path.at);
		wk_url_free(&url);
	}
}

/* 16384 octets of template, and of what becomes of it. */
static void
test_long_templates(void **state)
{
	static char text[20000], host[6000];
	struct wk_masque_target target = {
		wk_str_of("h"), wk_str_of("7")
	};
	struct wk_error error;
	struct wk_url url;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	memcpy(text + 10, "{target_host}{target_port}", 26);
	text[16384 - 9] = '\0';	/* "https://p" is in front */
	assert_int_equal(wk_masque_url(&url, wk_str_of("https://p"), text,
	    wk_str_of("connect-udp"), &target, &error), WK_OK);
	wk_url_free(&url);
	text[16384 - 9] = 'x';
	text[16384 - 8] = '\0';
	assert_int_equal(wk_masque_url(&url, wk_str_of("https://p"), text,
	    wk_str_of("connect-udp"), &target, &error), WK_E_LIMIT);
	assert_string_equal(error.reason, "the template is too long");
	/* Each character becomes three. */
	memset(host, ':', sizeof(host) - 1);
	target.host = wk_str_of(host);
	error.reason[0] = '\0';
	assert_int_equal(wk_masque_url(&url, wk_str_of("https://p"), NULL,
	    wk_str_of("connect-udp"), &target, &error), WK_E_LIMIT);
	assert_string_equal(error.reason, "the template is too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_long_templates),
	};

	return cmocka_run_group_tests_name("masque", tests, NULL, NULL);
}
