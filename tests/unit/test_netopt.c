/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/netopt.h"
#include "common/cli/out.h"

/* --- what is said --------------------------------------------------------- */

static int stderr_fd, saved_stderr;

static int
start_capture(void **state)
{
	(void)state;
	wk_cli.name = "tool";
	stderr_fd = memfd_create("err", 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(stderr_fd, STDERR_FILENO);
	return 0;
}

static int
stop_capture(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(stderr_fd);
	return 0;
}

/* That one sentence and nothing else since the last time; "": nothing. */
static void
said(const char *words)
{
	char text[4096];
	ssize_t n = pread(stderr_fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	assert_int_equal(ftruncate(stderr_fd, 0), 0);
	lseek(stderr_fd, 0, SEEK_SET);
	if (*words == '\0' ? n != 0 : strstr(text, words) == NULL ||
	    strchr(text, '\n') != text + n - 1)
		fail_msg("instead of \"%s\": %s", words, text);
}

/* --- clients -------------------------------------------------------------- */

static void
test_conflicts(void **state)
{
	struct wk_net_client o = { .is_ipv4 = true };

	(void)state;
	assert_null(wk_net_client_conflict(&o));
	o.is_ipv6 = true;
	assert_non_null(strstr(wk_net_client_conflict(&o), "--ipv4"));
	o = (struct wk_net_client){ .unix_socket = "x" };
	assert_null(wk_net_client_conflict(&o));
	o.connect_to = "y:1";
	assert_non_null(strstr(wk_net_client_conflict(&o), "--unix-socket"));
	o = (struct wk_net_client){ .cert = "x" };
	assert_null(wk_net_client_conflict(&o));
	o = (struct wk_net_client){ .key = "x" };
	assert_non_null(strstr(wk_net_client_conflict(&o), "--key"));
	o = (struct wk_net_client){ .is_insecure = true };
	assert_null(wk_net_client_conflict(&o));
	o.cacert = "x";
	assert_non_null(strstr(wk_net_client_conflict(&o), "--cacert"));
}

static void
test_what_was_given(void **state)
{
	const struct wk_net_client none = { .cert = "x", .keylog = "y" };
	const struct wk_net_client given[] = {
		{ .is_ipv4 = true }, { .is_ipv6 = true }, { .bind.n = 1 },
		{ .connect_to = "x:1" }, { .unix_socket = "x" },
		{ .is_insecure = true }, { .cacert = "x" }, { .pins.n = 1 },
		{ .connect_timeout_ns = 1 }, { .max_time_ns = 1 },
	};
	const struct wk_net_listen nothing = { .addresses.n = 1 };
	const struct wk_net_listen something[] = {
		{ .is_cleartext = true }, { .client_ca = "x" },
		{ .max_connections = 1 },
	};
	size_t i;

	(void)state;
	assert_false(wk_net_client_is_given(&none));
	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		assert_true(wk_net_client_is_given(&given[i]));
	assert_false(wk_net_listen_is_given(&nothing));
	for (i = 0; i < sizeof(something) / sizeof(something[0]); i++)
		assert_true(wk_net_listen_is_given(&something[i]));
}

static void
test_dialling(void **state)
{
	struct wk_net_client o = { .is_ipv6 = true };
	struct wk_client_options c;
	struct wk_net_dial dial;

	(void)state;
	memset(&c, 0, sizeof(c));
	assert_int_equal(wk_net_client_apply(&o, false, &c, &dial), WK_EXIT_OK);
	assert_int_equal(c.dial.family, AF_INET6);
	assert_int_equal(c.dial.timeout_ns, 30000000000);
	assert_true(c.use_proxy);
	assert_null(c.credentials);
	assert_null(c.dial.host);
	o = (struct wk_net_client){
		.connect_timeout_ns = 5, .connect_to = "[2001:db8::1]:99",
		.bind = { { "192.0.2.1", "::1" }, 2 },
	};
	memset(&c, 0, sizeof(c));
	assert_int_equal(wk_net_client_apply(&o, false, &c, &dial), WK_EXIT_OK);
	assert_int_equal(c.dial.family, AF_UNSPEC);
	assert_int_equal(c.dial.timeout_ns, 5);
	assert_string_equal(c.dial.host, "2001:db8::1");
	assert_int_equal(c.dial.port, 99);
	assert_int_equal(c.dial.n_bind, 2);
	assert_int_equal(c.dial.bind[1].sa.ss_family, AF_INET6);
	assert_false(c.use_proxy);
	o = (struct wk_net_client){ .unix_socket = "x" };
	memset(&c, 0, sizeof(c));
	assert_int_equal(wk_net_client_apply(&o, false, &c, &dial), WK_EXIT_OK);
	assert_string_equal(c.dial.unix_path, "x");
	assert_false(c.use_proxy);
	said("");
}

static void
test_dialling_as_nobody_can(void **state)
{
	static const struct {
		struct wk_net_client o;
		bool is_tls;
		int rc;
		const char *said;
	} cases[] = {
		{ { .bind = { { "localhost" }, 1 } }, false, WK_EXIT_USAGE,
		    "--bind localhost: expected a numeric address" },
		{ { .bind = { { "::1", "::2" }, 2 } }, false, WK_EXIT_USAGE,
		    "--bind may be given once per family" },
		{ { .bind = { { "::1", "1.2.3.4", "::2" }, 3 } }, false,
		    WK_EXIT_USAGE, "--bind may be given once per family" },
		{ { .connect_to = "host" }, false, WK_EXIT_USAGE,
		    "--connect-to host: expected HOST:PORT" },
		{ { .connect_to = "host:0" }, false, WK_EXIT_USAGE,
		    "--connect-to host:0: expected HOST:PORT" },
		{ { .connect_to = ":1" }, false, WK_EXIT_USAGE,
		    "--connect-to :1: expected HOST:PORT" },
		{ { .cacert = "/nowhere/file" }, true, WK_EXIT_SYSTEM,
		    "/nowhere/file" },
		{ { .pins = { { "rubbish" }, 1 } }, true, WK_EXIT_USAGE,
		    "rubbish" },
		{ { .cert = "/nowhere/file" }, true, WK_EXIT_SYSTEM,
		    "/nowhere/file" },
	};
	struct wk_client_options c;
	struct wk_net_dial dial;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&c, 0, sizeof(c));
		assert_int_equal(wk_net_client_apply(&cases[i].o,
		    cases[i].is_tls, &c, &dial), cases[i].rc);
		said(cases[i].said);
		assert_null(c.credentials);
	}
}

static void
test_insecurity_is_said_once(void **state)
{
	struct wk_net_client o = { .is_insecure = true };
	struct wk_client_options c;
	struct wk_net_dial dial;

	(void)state;
	memset(&c, 0, sizeof(c));
	assert_int_equal(wk_net_client_apply(&o, true, &c, &dial), WK_EXIT_OK);
	said("certificates are not verified");
	wk_tls_credentials_del(c.credentials);
	/* A pin is something to verify. */
	o.pins = (struct wk_option_list){ { "0000000000000000000000000000000000"
	    "000000000000000000000000000000" }, 1 };
	assert_int_equal(wk_net_client_apply(&o, true, &c, &dial), WK_EXIT_OK);
	said("");
	wk_tls_credentials_del(c.credentials);
	assert_int_equal(wk_net_exit(WK_CLIENT_NETWORK), WK_EXIT_NETWORK);
	assert_int_equal(wk_net_exit(WK_CLIENT_PROTOCOL), WK_EXIT_PROTOCOL);
	assert_int_equal(wk_net_exit(WK_CLIENT_REFUSED), WK_EXIT_REFUSED);
}

/* --- listeners and proxies ------------------------------------------------ */

static void
test_listening(void **state)
{
	struct wk_net_listen o = {
		.addresses = { { "80", "[::1]:81", "unix:x" }, 3 },
		.is_cleartext = true, .max_connections = 7,
	};
	static struct wk_address addresses[WK_NET_ADDRESSES_MAX];
	struct wk_net_client identity = { .cert = NULL };
	char text[WK_ADDRESS_TEXT_MAX];
	struct wk_server_options s;

	(void)state;
	wk_server_options_default(&s);
	assert_int_equal(wk_net_listen_apply(&o, &identity, &s, addresses),
	    WK_EXIT_OK);
	assert_int_equal(s.n_addresses, 3);
	assert_string_equal(wk_address_text(&s.addresses[0], text),
	    "127.0.0.1:80");
	assert_string_equal(wk_address_text(&s.addresses[1], text),
	    "[::1]:81");
	assert_int_equal(s.max_connections, 7);
	assert_null(s.credentials);
	o.addresses.items[1] = "nonsense";
	assert_int_equal(wk_net_listen_apply(&o, &identity, &s, addresses),
	    WK_EXIT_USAGE);
	said("--listen nonsense: ");
	o.addresses.n = 1;
	o.is_cleartext = false;
	identity.cert = "/nowhere/file";
	assert_int_equal(wk_net_listen_apply(&o, &identity, &s, addresses),
	    WK_EXIT_SYSTEM);
	said("/nowhere/file");
}

static void
test_rules(void **state)
{
	struct wk_net_proxy o = {
		.allow = { { "192.0.2.0/24" }, 1 }, .deny = { { "*:25" }, 1 },
	};
	struct wk_access_targets *targets = wk_net_targets(&o);

	(void)state;
	assert_non_null(targets);
	assert_true(wk_access_targets_name(targets, wk_str_of("192.0.2.1"),
	    53));
	wk_access_targets_del(targets);
	o.deny.items[0] = "a/b";
	assert_null(wk_net_targets(&o));
	said("--deny a/b: ");
	o.allow.items[0] = "[::1";
	assert_null(wk_net_targets(&o));
	said("--allow [::1: ");
}

static void
test_credentials(void **state)
{
	char path[] = "/tmp/wirekit-XXXXXX";
	struct wk_access_auth *auth;
	int fd = mkstemp(path), rc = -1;

	(void)state;
	assert_true(fd >= 0);
	assert_null(wk_net_auth(path, &rc));
	assert_int_equal(rc, WK_EXIT_USAGE);
	said("holds no credentials");
	assert_int_equal(write(fd, "# one\nbearer x\nnonsense\n", 24), 24);
	assert_null(wk_net_auth(path, &rc));
	assert_int_equal(rc, WK_EXIT_USAGE);
	said(": line 3: expected ");
	assert_int_equal(ftruncate(fd, 15), 0);
	auth = wk_net_auth(path, &rc);
	assert_non_null(auth);
	wk_access_auth_del(auth);
	close(fd);
	unlink(path);
	assert_null(wk_net_auth(path, &rc));
	assert_int_equal(rc, WK_EXIT_SYSTEM);
	said("No such file");
	assert_null(wk_net_auth("/", &rc));
	assert_int_equal(rc, WK_EXIT_SYSTEM);
	said("Is a directory");
}

/* --- fields --------------------------------------------------------------- */

static void
test_fields(void **state)
{
	struct wk_option_list list = {
		{ "X-One: 1", "two:  a: b \t", "Three:", "four:4" }, 4
	};
	struct wk_field fields[5];
	struct wk_error error;
	struct wk_buf names;

	(void)state;
	wk_buf_init(&names, 1 << 16);
	assert_int_equal(wk_net_headers(&list, fields, 1, 5, &names, &error),
	    5);
	assert_true(wk_str_is(fields[1].name, "x-one"));
	assert_true(wk_str_is(fields[1].value, "1"));
	assert_true(wk_str_is(fields[2].name, "two"));
	assert_true(wk_str_is(fields[2].value, "a: b"));
	assert_true(wk_str_is(fields[3].name, "three"));
	assert_int_equal(fields[3].value.len, 0);
	assert_true(wk_str_is(fields[4].name, "four"));
	wk_buf_free(&names);
	assert_int_equal(wk_net_headers(&list, fields, 2, 5, &names, &error),
	    WK_E_LIMIT);
	assert_string_equal(error.reason, "too many fields");
	wk_buf_free(&names);
	list.items[2] = "nothing";
	assert_int_equal(wk_net_headers(&list, fields, 0, 5, &names, &error),
	    WK_E_INVALID);
	list.items[2] = ": x";
	assert_int_equal(wk_net_headers(&list, fields, 0, 5, &names, &error),
	    WK_E_INVALID);
	assert_string_equal(error.reason, "expected 'Name: value'");
	wk_buf_free(&names);
	wk_buf_init(&names, 4);
	assert_int_equal(wk_net_headers(&list, fields, 0, 5, &names, &error),
	    WK_E_LIMIT);
	assert_string_equal(error.reason, "too long");
	list.n = 0;
	wk_buf_init(&names, 4);
	assert_int_equal(wk_net_headers(&list, fields, 3, 5, &names, &error),
	    3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_what_was_given),
		TEST(test_dialling),
		TEST(test_dialling_as_nobody_can),
		TEST(test_insecurity_is_said_once),
		TEST(test_listening),
		TEST(test_rules),
		TEST(test_credentials),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests_name("netopt", tests, NULL, NULL);
}
