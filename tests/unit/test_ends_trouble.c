/* SPDX-License-Identifier: MIT */
/*
 * What common/net/server.h and client.h do about peers that speak garbage, say
 * nothing, take nothing, come in crowds, or leave in the middle.
 */
#include "config.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/net/http2_session.h"
#include "tests/unit/ends.h"

#define SOON_NS (WK_NS_PER_SEC / 20)

static const struct pairing *const cleartext = &pairings[0];
static const struct pairing *const tls = &pairings[1];

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"

static void
raw_send(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* The server still answers those who behave. */
static void
expect_alive(struct ends *e)
{
	e->n_streams_closed = 0;
	ends_ask(e, "GET", "/");
	ends_until(e, &e->n_streams_closed, 1);
	assert_int_equal(e->status, 200);
	wk_client_del(e->client);
	e->client = NULL;
	ends_until_connections(e, 0);
}

static uint64_t
refused(const struct ends *e)
{
	struct wk_server_counters c;

	wk_server_counters(e->server, &c);
	return c.refused;
}

/* --- garbage -------------------------------------------------------------- */

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *data;
	size_t len;
} garbage[] = {
	{ BYTES("\0") },
	{ BYTES("\r\n\r\n\r\n") },
	{ BYTES("HELO there\r\n") },
	{ BYTES("GET / HTTP/1.1\r\n\r\n") },
	{ BYTES("GET / HTTP/3.0\r\nHost: x\r\n\r\n") },
	{ BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r") },
	{ BYTES("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n") },
	{ BYTES(WK_HTTP2_PREFACE "\0\0\1\0\0\0\0\0\1x") },
	{ BYTES(WK_HTTP2_PREFACE "\377\377\377\377\377\377\377\377\377") },
	{ BYTES(WK_HTTP2_PREFACE GET) },
	{ BYTES("\26\3\1\2\0\1\0\1\374\3\3") },
	{ BYTES("\26\3\1\0\5\1\0\0\1\377") },
	{ BYTES("\25\3\3\0\2\2\50") },
	{ BYTES("SSH-2.0-OpenSSH_9.2p1\r\n") },
};

static void
throw_garbage(struct ends *e, const char *data, size_t len)
{
	int fd = ends_raw(e);

	raw_send(fd, data, len);
	shutdown(fd, SHUT_WR);
	ends_raw_until_closed(e, fd);
	close(fd);
	ends_until_connections(e, 0);
}

static void
test_garbage(void **state)
{
	struct ends e;
	char noise[4096];
	size_t i, k;
	unsigned seed = 1;

	(void)state;
	for (k = 0; k < 2; k++) {
		ends_init(&e, k == 0 ? cleartext : tls);
		ends_serve(&e);
		for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
			throw_garbage(&e, garbage[i].data, garbage[i].len);
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (char)(seed = seed * 1103515245 + 12345);
		throw_garbage(&e, noise, sizeof(noise));
		memset(noise, 'A', sizeof(noise));
		throw_garbage(&e, noise, sizeof(noise));
		assert_true(refused(&e) > 5);
		expect_alive(&e);
		ends_free(&e);
	}
}

/*
 * Our last words arrive even though the peer has not stopped: it would lose
 * them if we closed with its octets unread.
 */
static void
hear_last_words(const char *data, size_t len, const char *words, size_t n)
{
	static char flood[1 << 16];
	char got[4096];
	size_t sum = 0;
	ssize_t part;
	struct ends e;
	int fd, i;

	ends_init(&e, cleartext);
	ends_serve(&e);
	fd = ends_raw(&e);
	raw_send(fd, data, len);
	for (i = 0; i < 4; i++)
		raw_send(fd, flood, sizeof(flood));
	ends_settle(&e, SOON_NS);
	raw_send(fd, flood, sizeof(flood));
	ends_settle(&e, SOON_NS);
	shutdown(fd, SHUT_WR);
	while ((part = recv(fd, got + sum, sizeof(got) - sum, 0)) > 0)
		sum += (size_t)part;
	assert_int_equal(part, 0);	/* and no ECONNRESET */
	assert_non_null(memmem(got, sum, words, n));
	close(fd);
	ends_until_connections(&e, 0);
	ends_free(&e);
}

static void
test_last_words(void **state)
{
	(void)state;
	hear_last_words(BYTES("GET / HTTP/1.1\r\n\r\n"),
	    BYTES("HTTP/1.1 400 "));
	/* GOAWAY, because DATA belongs to no stream. */
	hear_last_words(BYTES(WK_HTTP2_PREFACE SETTINGS "\0\0\1\0\0\0\0\0\0x"),
	    BYTES("\0\0\0\0\0\1"));
}

/* The version is told by octets that come one by one. */
static void
test_preface_in_pieces(void **state)
{
	static const char preface[] = WK_HTTP2_PREFACE SETTINGS;
	struct ends e;
	size_t i;
	int fd;

	(void)state;
	ends_init(&e, cleartext);
	ends_serve(&e);
	fd = ends_raw(&e);
	for (i = 0; i < sizeof(preface) - 1; i++) {
		raw_send(fd, preface + i, 1);
		ends_settle(&e, WK_NS_PER_SEC / 1000);
	}
	/* Its SETTINGS, and the ACK of ours. */
	ends_raw_read(&e, fd, 18);
	assert_int_equal(refused(&e), 0);
	close(fd);
	ends_until_connections(&e, 0);
	ends_free(&e);
}

/* --- leaving in the middle ------------------------------------------------ */

static void
leave_after(struct ends *e, const char *data, size_t len, bool is_reset)
{
	const struct linger reset = { 1, 0 };
	int fd = ends_raw(e);

	raw_send(fd, data, len);
	if (is_reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

static void
leave_everywhere(struct ends *e, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i <= len; i++) {
		leave_after(e, data, i, false);
		leave_after(e, data, i, true);
	}
	ends_until_accepted(e, 2 * (len + 1));
	ends_until_connections(e, 0);
	expect_alive(e);
}

static void
test_leave_anywhere(void **state)
{
	static const char h2[] = WK_HTTP2_PREFACE SETTINGS;
	struct ends e;

	(void)state;
	ends_init(&e, cleartext);
	ends_serve(&e);
	leave_everywhere(&e, GET, sizeof(GET) - 1);
	ends_free(&e);
	ends_init(&e, cleartext);
	ends_serve(&e);
	leave_everywhere(&e, h2, sizeof(h2) - 1);
	ends_free(&e);
	ends_init(&e, tls);
	ends_serve(&e);
	leave_everywhere(&e, "\26\3\1\0\5", 5);
	ends_free(&e);
}

/* --- too slow ------------------------------------------------------------- */

static void
expect_late(struct ends *e, const char *data, size_t len, const char *note)
{
	int fd;

	ends_serve(e);
	fd = ends_raw(e);
	raw_send(fd, data, len);
	ends_raw_until_closed(e, fd);
	close(fd);
	ends_until_connections(e, 0);
	if (strncmp(e->note, note, strlen(note)) != 0)
		fail_msg("%s", e->note);
	ends_free(e);
}

static void
test_slow(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e, tls);
	e.server_options.handshake_timeout_ns = SOON_NS;
	expect_late(&e, "", 0, "closed: the TLS handshake took too long");
	ends_init(&e, tls);
	e.server_options.handshake_timeout_ns = SOON_NS;
	expect_late(&e, "\26\3\1\2\0", 5,
	    "closed: the TLS handshake took too long");
	ends_init(&e, cleartext);
	e.server_options.limits.head_timeout_ns = SOON_NS;
	expect_late(&e, "", 0, "closed: no request came in time");
	ends_init(&e, cleartext);
	e.server_options.limits.head_timeout_ns = SOON_NS;
	expect_late(&e, "PRI * HTTP", 10, "closed: no request came in time");
	ends_init(&e, cleartext);
	e.server_options.limits.head_timeout_ns = SOON_NS;
	expect_late(&e, "GET / HTTP", 10, "closed");
	ends_init(&e, cleartext);
	e.server_options.limits.idle_timeout_ns = SOON_NS;
	expect_late(&e, GET, sizeof(GET) - 1, "closed");
}

/* Asks for more than the kernel's buffers hold and takes nothing of it. */
static void
test_stall(void **state)
{
	static const char get[] = "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n";
	struct ends e;
	int fd;

	(void)state;
	ends_init(&e, cleartext);
	e.server_options.stall_timeout_ns = SOON_NS;
	ends_serve(&e);
	fd = ends_raw(&e);
	raw_send(fd, get, sizeof(get) - 1);
	ends_until(&e, &e.n_server_closed, 1);
	assert_string_equal(e.note, "closed: the peer takes nothing any more");
	assert_int_equal(echo_counters.failed, 1);
	close(fd);
	ends_free(&e);
}

/* The other way round: the server takes the body and never answers. */
static void
test_silent_server(void **state)
{
	struct wk_address address;
	struct wk_error error;
	struct ends e;
	int listener;

	(void)state;
	ends_init(&e, tls);
	assert_int_equal(wk_address_from_ip(&address, wk_str_of("127.0.0.1"),
	    0), WK_OK);
	listener = wk_sock_listen(&address, &error);
	assert_true(listener >= 0);
	e.client_options.port = wk_address_port(&address);
	e.client_options.dial.timeout_ns = SOON_NS;
	ends_ask(&e, "GET", "/");
	ends_until(&e, &e.n_closed, 1);
	assert_string_equal(e.reason, "the TLS handshake took too long");
	assert_int_equal(e.failure, WK_CLIENT_NETWORK);
	close(listener);
	ends_free(&e);
}

/* --- crowds --------------------------------------------------------------- */

static void
test_max_connections(void **state)
{
	struct ends e;
	int fd[3], i;

	(void)state;
	ends_init(&e, cleartext);
	e.server_options.max_connections = 2;
	ends_serve(&e);
	for (i = 0; i < 3; i++)
		fd[i] = ends_raw(&e);
	raw_send(fd[2], GET, sizeof(GET) - 1);
	ends_until_accepted(&e, 2);
	ends_settle(&e, SOON_NS);
	ends_until_connections(&e, 2);
	assert_string_equal(e.peer, "");
	close(fd[0]);
	ends_raw_read(&e, fd[2], 20);
	close(fd[1]);
	close(fd[2]);
	ends_until_connections(&e, 0);
	ends_free(&e);
}

#define CROWD 10

/* No descriptors left: who came stays in the kernel's queue until there are. */
static void
test_no_descriptors(void **state)
{
	struct rlimit old, tight;
	struct wk_server_counters c;
	struct ends e;
	int fd[CROWD], i;

	(void)state;
	ends_init(&e, cleartext);
	ends_serve(&e);
	for (i = 0; i < CROWD; i++)
		fd[i] = ends_raw(&e);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)fd[CROWD - 1] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	ends_settle(&e, SOON_NS);
	/* Somebody else closes some, of which nobody tells the server. */
	tight.rlim_cur += 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	ends_until_accepted(&e, 3);
	ends_settle(&e, SOON_NS);
	wk_server_counters(e.server, &c);
	assert_int_equal(c.accepted, 3);
	assert_int_equal(c.connections, 3);
	for (i = 0; i < CROWD; i++) {
		close(fd[i]);
		ends_until_accepted(&e, i + 4 < CROWD ? (uint64_t)i + 4 :
		    CROWD);
	}
	ends_until_connections(&e, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	expect_alive(&e);
	ends_free(&e);
}

#define MANY 1000

/* Each asks once and stays; what an idle connection keeps is small. */
static void
hold_many(const char *data, size_t len, size_t answer, size_t max_idle)
{
	struct rlimit limit;
	struct ends e;
	size_t before;
	int fd[MANY], i;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 2 * MANY + 100) {
		limit.rlim_cur = limit.rlim_max < 2 * MANY + 100 ?
		    limit.rlim_max : 2 * MANY + 100;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	}
	ends_init(&e, cleartext);
	ends_serve(&e);
	before = mallinfo2().uordblks;
	for (i = 0; i < MANY; i++) {
		fd[i] = ends_raw(&e);
		raw_send(fd[i], data, len);
		if (i % 50 == 49)
			ends_until_accepted(&e, (uint64_t)i + 1);
	}
	for (i = 0; i < MANY; i++)
		ends_raw_read(&e, fd[i], answer);
	ends_until_connections(&e, MANY);
	print_message("an idle connection keeps %zu octets\n",
	    (mallinfo2().uordblks - before) / MANY);
	assert_in_range((mallinfo2().uordblks - before) / MANY, 0, max_idle);
	for (i = 0; i < MANY; i++)
		close(fd[i]);
	ends_until_connections(&e, 0);
	expect_alive(&e);
	ends_free(&e);
}

static void
test_many(void **state)
{
	static const char h2[] = WK_HTTP2_PREFACE SETTINGS;

	(void)state;
	hold_many(GET, sizeof(GET) - 1, 20, 4096);
	/* nghttp2 alone has 25 KiB. */
	hold_many(h2, sizeof(h2) - 1, 9, 28 << 10);
}

/* --- where it listens ----------------------------------------------------- */

static void
test_unix_path(void **state)
{
	static const struct wk_server_handler handler = {
		.request = echo_request,
	};
	struct wk_server *second;
	struct wk_error error;
	struct stat st;
	struct ends e;
	char path[64], text[80];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_ends_%d", (int)getpid());
	snprintf(text, sizeof(text), "unix:%s", path);
	ends_init(&e, cleartext);
	assert_int_equal(wk_address_parse(wk_str_of(text), NULL, &e.address,
	    1, &error), 1);
	ends_serve(&e);
	second = wk_server_new(e.loop, &e.server_options, &handler, NULL,
	    &error);
	assert_null(second);
	assert_int_equal(stat(path, &st), 0);
	e.client_options.dial.unix_path = path;
	e.client_options.use_proxy = true;
	expect_alive(&e);
	wk_server_del(e.server);
	e.server = NULL;
	assert_int_equal(stat(path, &st), -1);
	ends_free(&e);
}

static void
test_several_addresses(void **state)
{
	static const struct wk_server_handler handler = {
		.request = echo_request,
	};
	const struct wk_address *bound;
	struct wk_address addresses[2];
	struct wk_error error;
	struct ends e;
	size_t n, i;

	(void)state;
	ends_init(&e, cleartext);
	for (i = 0; i < 2; i++)
		assert_int_equal(wk_address_from_ip(&addresses[i],
		    wk_str_of(i == 0 ? "127.0.0.1" : "127.0.0.2"), 0), WK_OK);
	e.server_options.addresses = addresses;
	e.server_options.n_addresses = 2;
	e.server = wk_server_new(e.loop, &e.server_options, &handler, NULL,
	    &error);
	assert_non_null(e.server);
	bound = wk_server_addresses(e.server, &n);
	assert_int_equal(n, 2);
	for (i = 0; i < n; i++) {
		e.n_streams_closed = 0;
		e.client_options.port = wk_address_port(&bound[i]);
		e.client_options.dial.host = i == 0 ? "127.0.0.1" :
		    "127.0.0.2";
		e.client_options.dial.port = e.client_options.port;
		e.client_options.host = wk_str_of("there.invalid");
		ends_ask(&e, "GET", "/");
		ends_until(&e, &e.n_streams_closed, 1);
		assert_int_equal(e.status, 200);
		wk_client_del(e.client);
		e.client = NULL;
	}
	ends_free(&e);
}

static void
test_peer(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e, cleartext);
	ends_serve(&e);
	expect_alive(&e);
	assert_memory_equal(e.peer, "127.0.0.1:", 10);
	assert_true(atoi(e.peer + 10) > 0);
	ends_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_preface_in_pieces),
		cmocka_unit_test(test_leave_anywhere),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_max_connections),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_unix_path),
		cmocka_unit_test(test_several_addresses),
		cmocka_unit_test(test_peer),
	};

	return cmocka_run_group_tests_name("ends in trouble", tests, NULL,
	    NULL);
}
