/* SPDX-License-Identifier: MIT */
/* Sessions: both ends over a socket pair. */
#include "config.h"

#include <signal.h>

#include "tls_pair.h"

static void
test_conversation(void **state)
{
	struct wk_error error;
	struct pair p;
	char data[64];

	(void)state;
	pair_connect(&p, client, server);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error),
	    WK_TLS_WANTS_READ);
	assert_int_equal(wk_tls_write(p.end[0], "hello", 5, &error), 5);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 5);
	assert_memory_equal(data, "hello", 5);
	assert_int_equal(wk_tls_write(p.end[1], "you", 3, &error), 3);
	assert_int_equal(wk_tls_read(p.end[0], data, sizeof(data), &error), 3);
	assert_memory_equal(data, "you", 3);
	assert_int_equal(wk_tls_write(p.end[0], NULL, 0, &error), 0);
	assert_string_equal(wk_tls_description(p.end[0]),
	    "TLS1.3, AES-256-GCM, certificate of localhost");
	assert_string_equal(wk_tls_description(p.end[1]),
	    "TLS1.3, AES-256-GCM");
	assert_null(wk_tls_alpn(p.end[0]));
	assert_null(wk_tls_server_name(p.end[1]));
	pair_close(&p);
}

/* One end says bye, the other may go on talking, then says bye too. */
static void
test_bye(void **state)
{
	struct wk_error error;
	struct pair p;
	char data[64];

	(void)state;
	pair_connect(&p, client, server);
	assert_int_equal(wk_tls_write(p.end[0], "last", 4, &error), 4);
	assert_int_equal(wk_tls_bye(p.end[0], &error), WK_OK);
	assert_int_equal(wk_tls_bye(p.end[0], &error), WK_OK);
	assert_int_equal(shutdown(p.fd[0], SHUT_WR), 0);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 4);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 0);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 0);
	assert_int_equal(wk_tls_write(p.end[1], "more", 4, &error), 4);
	assert_int_equal(wk_tls_bye(p.end[1], &error), WK_OK);
	assert_int_equal(wk_tls_read(p.end[0], data, sizeof(data), &error), 4);
	assert_int_equal(wk_tls_read(p.end[0], data, sizeof(data), &error), 0);
	pair_close(&p);
}

/* The end of the connection without close_notify, after data. */
static void
test_truncation(void **state)
{
	struct wk_error error;
	struct pair p;
	char data[64];

	(void)state;
	pair_connect(&p, client, server);
	assert_int_equal(wk_tls_write(p.end[0], "half", 4, &error), 4);
	close(p.fd[0]);
	p.fd[0] = -1;
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 4);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error),
	    WK_E_TRUNCATED);
	assert_string_equal(error.reason,
	    "peer closed the connection without TLS's close_notify");
	/* It stays so, for both directions. */
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error),
	    WK_E_TRUNCATED);
	assert_int_equal(wk_tls_write(p.end[1], "x", 1, &error),
	    WK_E_TRUNCATED);
	assert_int_equal(wk_tls_bye(p.end[1], &error), WK_E_TRUNCATED);
	pair_close(&p);
}

static void
test_truncation_in_a_record(void **state)
{
	struct wk_error error;
	struct pair p;
	uint8_t record[256];
	char data[64];
	size_t len, cut;

	(void)state;
	for (cut = 1; cut < 30; cut += 7) {
		pair_connect(&p, client, server);
		assert_int_equal(wk_tls_write(p.end[0], "half", 4, &error), 4);
		len = intercept(&p, 0, record, sizeof(record));
		assert_true(len > 20);
		inject(&p, 0, record, cut < len ? cut : len - 1);
		close(p.fd[0]);
		p.fd[0] = -1;
		assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data),
		    &error), WK_E_TRUNCATED);
		pair_close(&p);
	}
}

static void
test_corrupt_record(void **state)
{
	struct wk_error error;
	struct pair p;
	uint8_t record[256];
	char data[64];
	size_t len;

	(void)state;
	pair_connect(&p, client, server);
	assert_int_equal(wk_tls_write(p.end[0], "half", 4, &error), 4);
	len = intercept(&p, 0, record, sizeof(record));
	record[len - 1] ^= 1;
	inject(&p, 0, record, len);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error),
	    WK_E_MALFORMED);
	/* and the other end gets to know */
	assert_int_equal(wk_tls_read(p.end[0], data, sizeof(data), &error),
	    WK_E_REFUSED);
	assert_non_null(strstr(error.reason, "bad_record_mac"));
	assert_int_equal(error.offset, 20);
	pair_close(&p);
}

/* --- more than the kernel takes ------------------------------------------- */

static size_t
read_some(struct wk_tls *tls, uint8_t *data, size_t done, size_t step)
{
	struct wk_error error;
	size_t room = BULK - done < step ? BULK - done : step;
	ssize_t n;

	if (room == 0)
		return done;
	n = wk_tls_read(tls, data + done, room, &error);
	if (n == WK_TLS_WANTS_READ) {
		assert_int_equal(wk_tls_pending(tls), 0);
		return done;
	}
	if (n <= 0)
		fail_msg("read: %zd %s", n, n < 0 ? error.reason : "");
	return done + (size_t)n;
}

static void
test_bulk(void **state)
{
	static const size_t steps[] = { 100, 5000, 16384, 16385, 100000, BULK };
	static uint8_t all[BULK], back[2][BULK];
	size_t i, k, out[2], in[2];
	struct pair p;
	int size = 4096, end;

	(void)state;
	for (i = 0; i < BULK; i++)
		all[i] = octet(i);
	for (k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		pair_connect(&p, client, server);
		for (end = 0; end < 2; end++)
			assert_int_equal(setsockopt(p.fd[end], SOL_SOCKET,
			    SO_SNDBUF, &size, sizeof(size)), 0);
		memset(back, 0, sizeof(back));
		memset(out, 0, sizeof(out));
		memset(in, 0, sizeof(in));
		while (in[0] < BULK || in[1] < BULK)
			for (end = 0; end < 2; end++) {
				if (out[end] < BULK)
					out[end] = write_moved(p.end[end], all,
					    out[end], steps[k]);
				/* the whole may have been taken, not sent */
				in[end] = read_some(p.end[end], back[end],
				    in[end], 1 + steps[k] / 3);
			}
		assert_memory_equal(back[0], all, BULK);
		assert_memory_equal(back[1], all, BULK);
		pair_close(&p);
	}
}

static void
test_less_than_before_is_refused(void **state)
{
	static const uint8_t data[BULK];
	struct wk_error error;
	struct pair p;
	ssize_t n;
	int size = 4096;

	(void)state;
	pair_connect(&p, client, server);
	setsockopt(p.fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	do
		n = wk_tls_write(p.end[0], data, 10000, &error);
	while (n == 10000);
	assert_int_equal(n, WK_TLS_WANTS_WRITE);
	while (recv(p.fd[1], (uint8_t[4096]){ 0 }, 4096, 0) > 0)
		;
	assert_int_equal(wk_tls_write(p.end[0], data, 9999, &error),
	    WK_E_INVALID);
	pair_close(&p);
}

/* close_notify stays behind what the kernel did not take yet. */
static void
bye_behind_data(bool has_room_again)
{
	static uint8_t all[BULK], back[BULK];
	struct wk_error error;
	size_t in = 0;
	struct pair p;
	int size = 4096, rc;
	ssize_t n;

	pair_connect(&p, client, server);
	setsockopt(p.fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (wk_tls_write(p.end[0], all, 9000, &error) == 9000)
		;
	if (has_room_again)
		assert_int_equal(wk_tls_read(p.end[1], back, sizeof(back),
		    &error), WK_TLS_WANTS_READ);
	rc = wk_tls_bye(p.end[0], &error);
	assert_int_equal(rc, has_room_again ? WK_OK : WK_TLS_WANTS_WRITE);
	do {
		n = wk_tls_read(p.end[1], back, sizeof(back), &error);
		if (n > 0)
			in += (size_t)n;
		else if (n == WK_TLS_WANTS_READ)
			rc = wk_tls_bye(p.end[0], &error);
		else if (n < 0)
			fail_msg("read: %s", error.reason);
	} while (n != 0);
	assert_int_equal(rc, WK_OK);
	assert_int_equal(in % 9000, 0);
	assert_true(in > 0);
	pair_close(&p);
}

static void
test_bye_waits_for_data(void **state)
{
	(void)state;
	bye_behind_data(false);
	bye_behind_data(true);
}

/* What no poll() tells: several records come in one piece. */
static void
test_pending(void **state)
{
	struct wk_error error;
	struct pair p;
	char data[64];
	int i;

	(void)state;
	pair_connect(&p, client, server);
	assert_int_equal(wk_tls_pending(p.end[1]), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(wk_tls_write(p.end[0], "abcdef", 6, &error),
		    6);
	assert_int_equal(wk_tls_read(p.end[1], data, 4, &error), 4);
	assert_memory_equal(data, "abcd", 4);
	assert_int_equal(recv(p.fd[1], data, 1, MSG_PEEK), -1);
	assert_true(wk_tls_pending(p.end[1]) > 2);
	assert_int_equal(wk_tls_read(p.end[1], data, 64, &error), 2);
	assert_true(wk_tls_pending(p.end[1]) > 0);
	assert_int_equal(wk_tls_read(p.end[1], data, 64, &error), 6);
	assert_int_equal(wk_tls_read(p.end[1], data, 5, &error), 5);
	assert_int_equal(wk_tls_pending(p.end[1]), 1);
	assert_int_equal(wk_tls_read(p.end[1], data, 64, &error), 1);
	assert_int_equal(wk_tls_pending(p.end[1]), 0);
	assert_int_equal(wk_tls_read(p.end[1], data, 64, &error),
	    WK_TLS_WANTS_READ);
	pair_close(&p);
}

static void
test_no_sigpipe(void **state)
{
	struct wk_error error;
	struct pair p;
	ssize_t n = 0;

	(void)state;
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	pair_connect(&p, client, server);
	close(p.fd[1]);
	p.fd[1] = -1;
	n = wk_tls_write(p.end[0], "x", 1, &error);
	assert_int_equal(n, WK_E_SYSTEM);
	assert_string_equal(error.reason, "Broken pipe");
	pair_close(&p);
}

/* --- ALPN and names ------------------------------------------------------- */

static const char *const h2_http[] = { "h2", "http/1.1", NULL };
static const char *const http_h2[] = { "http/1.1", "h2", NULL };
static const char *const http[] = { "http/1.1", NULL };
static const char *const other[] = { "x", NULL };

static void
test_alpn(void **state)
{
	static const struct {
		const char *const *client, *const *server;
		const char *agreed;
	} cases[] = {
		{ h2_http, h2_http, "h2" },
		{ http_h2, h2_http, "h2" },	/* the server's order counts */
		{ h2_http, http_h2, "http/1.1" },
		{ http, h2_http, "http/1.1" },
		{ NULL, h2_http, NULL },
		{ h2_http, NULL, NULL },
	};
	const char *agreed;
	struct pair p;
	size_t i;
	int end;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair_open(&p, client, server, "example.org.", cases[i].client,
		    cases[i].server);
		pair_shake(&p);
		for (end = 0; end < 2; end++) {
			assert_int_equal(p.rc[end], WK_OK);
			agreed = wk_tls_alpn(p.end[end]);
			if (cases[i].agreed == NULL)
				assert_null(agreed);
			else
				assert_string_equal(agreed, cases[i].agreed);
		}
		assert_string_equal(wk_tls_server_name(p.end[1]), "example.org");
		pair_close(&p);
	}
}

static void
test_alpn_mismatch(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, client, server, NULL, h2_http, other);
	pair_shake(&p);
	assert_int_equal(p.rc[1], WK_E_UNSUPPORTED);
	assert_string_equal(p.error[1].reason,
	    "peer speaks none of our protocols (x)");
	assert_int_equal(p.rc[0], WK_E_REFUSED);
	assert_int_equal(p.error[0].offset, 120);
	assert_string_equal(p.error[0].reason, "peer sent the TLS alert 120, "
	    "no_application_protocol (it speaks none that we offer)");
	pair_close(&p);
}

static void
test_names_sent(void **state)
{
	static const struct {
		const char *name, *sent;
	} cases[] = {
		{ "example.org", "example.org" },
		{ "example.org.", "example.org" },
		{ "127.0.0.1", NULL },
		{ "::1", NULL },
		{ "fe80::1%eth0", NULL },
		{ "b\303\274cher.example", "xn--bcher-kva.example" },
	};
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair_open(&p, client, server, cases[i].name, NULL, NULL);
		pair_shake(&p);
		if (cases[i].sent == NULL)
			assert_null(wk_tls_server_name(p.end[1]));
		else
			assert_string_equal(wk_tls_server_name(p.end[1]),
			    cases[i].sent);
		pair_close(&p);
	}
}

static void
test_bad_names(void **state)
{
	static const char *const long_protocol[] = {
		"0123456789abcdef0123456789abcdefX", NULL
	};
	static const char *const many[] = {
		"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL
	};
	char name[400];
	struct wk_error error;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(wk_tls_new(client, 0, name, NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_tls_new(client, 0, "", NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_tls_new(client, 0, "a", long_protocol, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_tls_new(client, 0, "a", many, &error));
	assert_int_equal(error.status, WK_E_INVALID);
}

/* Old credentials may go while a session uses them. */
static void
test_credentials_outlive_their_owner(void **state)
{
	struct wk_tls_credentials *c = careless_client();
	struct wk_tls_credentials *s = server_credentials();
	struct pair p;

	(void)state;
	pair_open(&p, c, s, NULL, NULL, NULL);
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(s);
	pair_shake(&p);
	assert_int_equal(p.rc[0], WK_OK);
	assert_int_equal(p.rc[1], WK_OK);
	pair_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_bye),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_truncation_in_a_record),
		cmocka_unit_test(test_corrupt_record),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_less_than_before_is_refused),
		cmocka_unit_test(test_bye_waits_for_data),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_no_sigpipe),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_alpn_mismatch),
		cmocka_unit_test(test_names_sent),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_credentials_outlive_their_owner),
	};

	return cmocka_run_group_tests(tests, make_credentials,
	    drop_credentials);
}
