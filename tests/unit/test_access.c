/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>

#include "common/net/access.h"

static struct wk_address
address_of(const char *text)
{
	struct wk_address address;
	struct wk_error error;

	if (wk_address_parse(wk_str_of(text), "127.0.0.1", &address, 1,
	    &error) != 1)
		fail_msg("%s: %s", text, error.reason);
	return address;
}

static void
test_kinds(void **state)
{
	static const struct {
		const char *address, *kind;
	} cases[] = {
		{ "127.0.0.1:1", "loopback" }, { "127.255.255.255:1", "loopback" },
		{ "128.0.0.1:1", NULL }, { "126.255.255.255:1", NULL },
		{ "0.0.0.0:1", "unspecified" }, { "0.1.2.3:1", "unspecified" },
		{ "169.254.0.1:1", "link-local" }, { "169.253.0.1:1", NULL },
		{ "224.0.0.1:1", "multicast" }, { "239.9.9.9:1", "multicast" },
		{ "255.255.255.255:1", "broadcast" }, { "240.0.0.1:1", "reserved" },
		{ "10.1.2.3:1", "private" }, { "11.1.2.3:1", NULL },
		{ "172.16.0.1:1", "private" }, { "172.31.255.255:1", "private" },
		{ "172.32.0.1:1", NULL }, { "172.15.0.1:1", NULL },
		{ "192.168.3.4:1", "private" }, { "192.169.0.1:1", NULL },
		{ "100.64.0.1:1", "shared" }, { "100.127.255.255:1", "shared" },
		{ "100.128.0.1:1", NULL }, { "192.0.2.1:1", NULL },
		{ "[::1]:1", "loopback" }, { "[::]:1", "unspecified" },
		{ "[fe80::1]:1", "link-local" }, { "[febf::1]:1", "link-local" },
		{ "[fc00::1]:1", "private" }, { "[fdff::1]:1", "private" },
		{ "[ff02::1]:1", "multicast" }, { "[2001:db8::1]:1", NULL },
		{ "[::ffff:127.0.0.1]:1", "loopback" },
		{ "[::ffff:192.0.2.1]:1", NULL },
		{ "[64:ff9b::10.0.0.1]:1", "private" },
		{ "[64:ff9b::192.0.2.1]:1", NULL },
		{ "[2002:7f00:1::1]:1", "loopback" },
		{ "[2002:c000:201::1]:1", NULL },
	};
	struct wk_address address;
	const char *kind;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		address = address_of(cases[i].address);
		kind = wk_access_kind(&address);
		if (kind == NULL ? cases[i].kind != NULL :
		    cases[i].kind == NULL || strcmp(kind, cases[i].kind) != 0)
			fail_msg("%s: %s", cases[i].address,
			    kind == NULL ? "no kind" : kind);
	}
}

/* One list of rules and what it says: "name?" before, "address?" after look-up. */
static const struct judgement {
	const char *rules;	/* "+allow -deny", by spaces; "!" lifts kinds */
	const char *host, *address;
	bool name, target;
} judgements[] = {
	{ "", "example.org", "198.51.100.1:53", true, true },
	{ "", "localhost", "127.0.0.1:53", true, false },
	{ "!", "localhost", "127.0.0.1:53", true, true },
	/* a prefix that names a private address lifts its kind, a name does not */
	{ "+127.0.0.1:53", "localhost", "127.0.0.1:53", true, true },
	{ "+127.0.0.1:53", "localhost", "127.0.0.1:54", false, false },
	{ "+127.0.0.1:53-99", "localhost", "127.0.0.1:99", true, true },
	{ "+127.0.0.1:53-99", "localhost", "127.0.0.1:100", false, false },
	{ "+localhost", "localhost", "127.0.0.1:53", true, false },
	{ "+localhost !", "localhost", "127.0.0.1:53", true, true },
	{ "+*", "localhost", "127.0.0.1:53", true, false },
	{ "+*:53", "example.org", "198.51.100.1:53", true, true },
	{ "+*:53", "example.org", "198.51.100.1:54", false, false },
	/* allow rules leave everything else out */
	{ "+198.51.100.0/24", "example.org", "198.51.100.255:53", true, true },
	{ "+198.51.100.0/24", "example.org", "198.51.101.0:53", true, false },
	{ "+example.org", "Example.ORG", "198.51.100.1:53", true, true },
	{ "+example.org", "example.org.", "198.51.100.1:53", true, true },
	{ "+example.org", "www.example.org", "198.51.100.1:53", false, false },
	{ "+*.example.org", "www.example.org", "198.51.100.1:53", true, true },
	{ "+*.example.org", "example.org", "198.51.100.1:53", false, false },
	{ "+*.example.org", "badexample.org", "198.51.100.1:53", false, false },
	/* deny, and the most specific one wins, deny on a tie */
	{ "-198.51.100.1", "example.org", "198.51.100.1:53", true, false },
	{ "-198.51.100.1", "example.org", "198.51.100.2:53", true, true },
	{ "-198.51.100.0/24 +198.51.100.7", "x.org", "198.51.100.7:53", true, true },
	{ "-198.51.100.0/24 +198.51.100.7", "x.org", "198.51.100.8:53", true, false },
	{ "+198.51.100.0/24 -198.51.100.7", "x.org", "198.51.100.7:53", true, false },
	{ "+198.51.100.7 -198.51.100.7", "x.org", "198.51.100.7:53", true, false },
	{ "+198.51.100.7:53 -198.51.100.7", "x.org", "198.51.100.7:53", true, true },
	{ "-* +198.51.100.7", "x.org", "198.51.100.7:53", true, true },
	{ "-* +198.51.100.7", "x.org", "198.51.100.8:53", true, false },
	{ "-example.org", "example.org", "198.51.100.1:53", false, false },
	{ "-example.org +198.51.100.1", "example.org", "198.51.100.1:53", false, false },
	{ "-*.org +www.example.org", "www.example.org", "198.51.100.1:1", true, true },
	/* IPv6, and IPv4 inside it */
	{ "+[2001:db8::1]:53", "x", "[2001:db8::1]:53", true, true },
	{ "+[2001:db8::1]:53", "x", "[2001:db8::1]:54", false, false },
	{ "+2001:db8::/32:53", "x", "[2001:db8:9::1]:53", true, true },
	{ "+2001:db8::/32:53", "x", "[2001:db9::1]:53", true, false },
	{ "+::1", "x", "[::1]:9", true, true },
	{ "-198.51.100.0/24", "x", "[::ffff:198.51.100.1]:53", true, false },
	{ "-198.51.100.0/24", "x", "[64:ff9b::198.51.100.1]:53", true, false },
	{ "-198.51.100.0/24", "x", "[2002:c633:6401::1]:53", true, false },
	{ "-0.0.0.0/0", "x", "198.51.100.1:53", true, false },
	{ "-0.0.0.0/0", "x", "[2001:db8::1]:53", true, true },
	{ "-::/0", "x", "198.51.100.1:53", true, true },
	{ "-::/0", "x", "[2001:db8::1]:53", true, false },
	{ "+::/0", "x", "127.0.0.1:53", true, false },
	{ "+::/0", "x", "[::1]:53", true, true },
	{ "+::ffff:0:0/96", "x", "127.0.0.1:53", true, true },
};

static struct wk_access_targets *
targets_of(const char *rules)
{
	struct wk_access_targets *targets = wk_access_targets_new();
	char copy[128], *word, *rest;
	struct wk_error error;

	assert_non_null(targets);
	snprintf(copy, sizeof(copy), "%s", rules);
	for (word = strtok_r(copy, " ", &rest); word != NULL;
	    word = strtok_r(NULL, " ", &rest)) {
		if (*word == '!')
			wk_access_targets_allow_private(targets);
		else if (wk_access_targets_add(targets, *word == '+', word + 1,
		    &error) != WK_OK)
			fail_msg("%s: %s", word, error.reason);
	}
	return targets;
}

static void
test_targets(void **state)
{
	const struct judgement *j;
	struct wk_access_targets *targets;
	struct wk_address address;
	struct wk_error error;
	struct wk_str host;
	bool name, target;

	(void)state;
	for (j = judgements; j < judgements + sizeof(judgements) /
	    sizeof(judgements[0]); j++) {
		targets = targets_of(j->rules);
		address = address_of(j->address);
		host = wk_str_of(j->host);
		name = wk_access_targets_name(targets, host,
		    wk_address_port(&address));
		error.reason[0] = '\0';
		target = wk_access_targets_address(targets, host, &address,
		    &error) == WK_OK;
		if (name != j->name || target != j->target)
			fail_msg("\"%s\", %s at %s: name %d, target %d %s",
			    j->rules, j->host, j->address, name, target,
			    error.reason);
		wk_access_targets_del(targets);
	}
}

static void
test_bad_rules(void **state)
{
	static const char *const bad[] = {
		"", ":53", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2.1:9-8", "192.0.2.1:a", "192.0.2.0/33", "192.0.2.0/",
		"2001:db8::/129", "[2001:db8::1", "[2001:db8::1]53", "[x]:1",
		"exa mple", "*.", "**", "a/b", "example.org/24", "-", "*:1-2-3",
	};
	struct wk_access_targets *targets = wk_access_targets_new();
	struct wk_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(bad[i], "-") != 0 && wk_access_targets_add(targets,
		    true, bad[i], &error) != WK_E_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
	wk_access_targets_del(targets);
}

/* A file of credentials with that text, loaded. */
static struct wk_access_auth *
auth_of(const char *text, struct wk_error *error)
{
	char path[] = "/tmp/wk-test-XXXXXX";
	struct wk_access_auth *auth;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	auth = wk_access_auth_load(path, error);
	unlink(path);
	return auth;
}

static bool
passes(const struct wk_access_auth *auth, const char *name, const char *value,
    bool *is_proxy)
{
	const struct wk_field field = { wk_str_of(name), wk_str_of(value) };
	const struct wk_message m = { .fields = &field, .n_fields = 1 };

	return wk_access_auth_check(auth, &m, is_proxy);
}

static void
test_auth(void **state)
{
	static const struct {
		const char *name, *value;
		bool passes, is_proxy;
	} cases[] = {
		{ "authorization", "Bearer letmein", true, false },
		{ "authorization", "bEARER letmein", true, false },
		{ "authorization", "Bearer letmei", false, false },
		{ "authorization", "Bearer letmeinn", false, false },
		{ "authorization", "Bearer ", false, false },
		{ "authorization", "letmein", false, false },
		{ "authorization", "Basic letmein", false, false },
		{ "proxy-authorization", "Bearer letmein", true, true },
		{ "proxy-authorization", "Bearer x", false, true },
		/* alice:s3cret:x and alice:wrong */
		{ "authorization", "Basic YWxpY2U6czNjcmV0Ong=", true, false },
		{ "authorization", "Basic YWxpY2U6d3Jvbmc=", false, false },
		{ "authorization", "Bearer alice:s3cret:x", false, false },
		{ "x-authorization", "Bearer letmein", false, false },
	};
	struct wk_access_auth *auth;
	struct wk_error error;
	bool is_proxy;
	size_t i;

	(void)state;
	auth = auth_of("# who\n\nbearer letmein\n  \nBASIC alice:s3cret:x \n",
	    &error);
	assert_non_null(auth);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (passes(auth, cases[i].name, cases[i].value, &is_proxy) !=
		    cases[i].passes || is_proxy != cases[i].is_proxy)
			fail_msg("%s: %s", cases[i].name, cases[i].value);
	wk_access_auth_del(auth);
}

static void
test_bad_auth_files(void **state)
{
	struct wk_error error;

	(void)state;
	assert_null(auth_of("bearer a\nbogus b\n", &error));
	assert_int_equal(error.status, WK_E_MALFORMED);
	assert_int_equal(error.offset, 2);
	assert_null(auth_of("basic nocolon\n", &error));
	assert_int_equal(error.offset, 1);
	assert_null(auth_of("bearer\n", &error));
	assert_null(auth_of("# nothing\n", &error));
	assert_null(wk_access_auth_load("/nonexistent", &error));
	assert_int_equal(error.status, WK_E_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_bad_auth_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
