/* SPDX-License-Identifier: MIT */
/* Handshakes of QUIC that go wrong, or another way than straight. */
#include "config.h"

#include "tests/unit/quic_relay.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/wire/quicpkt.h"

static struct wk_tls_credentials *
credentials_of(const struct wk_tls_options *options)
{
	struct wk_tls_credentials *c;
	struct wk_error error;

	c = wk_tls_credentials_new(options, &error);
	if (c == NULL)
		fail_msg("credentials: %s", error.reason);
	return c;
}

static void
expect_failure(struct ends *e, const char *reason)
{
	ends_until(e, &e->client.n_closed, 1);
	if (strstr(e->client.reason, reason) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", e->client.reason, reason);
	assert_int_equal(e->client.n_opened, 0);
	assert_int_equal(e->client.n_session_closed, 0);
	assert_int_equal(e->server.n_closed, 0);
}

static void
distrusts(void **state)
{
	static const char pin[] =
	    "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	static const char *const pins[] = { pin };
	char path[] = "/tmp/test_quic.XXXXXX";
	const struct wk_tls_options strict = { .cacert = path, .hint = "" };
	const struct wk_tls_options other = { .is_server = true };
	const struct wk_tls_options pinned = {
		.is_insecure = true, .pins = pins, .n_pins = 1,
	};
	struct wk_tls_credentials *c;
	const char *pem;
	struct ends e;
	int fd = mkstemp(path);

	(void)state;
	/* Trusts somebody, but not this one. */
	c = credentials_of(&other);
	pem = wk_tls_certificate_pem(c);
	assert_true(write(fd, pem, strlen(pem)) == (ssize_t)strlen(pem));
	close(fd);
	wk_tls_credentials_del(c);
	ends_init(&e);
	e.client_options.credentials = c = credentials_of(&strict);
	unlink(path);
	ends_listen(&e);
	ends_connect(&e);
	expect_failure(&e, "certificate");
	assert_false(e.client.is_protocol);
	while (ends_counters(&e).connections > 0)
		ends_settle(&e, WK_NS_PER_SEC / 20);
	ends_free(&e);
	wk_tls_credentials_del(c);
	ends_init(&e);
	e.client_options.credentials = c = credentials_of(&pinned);
	ends_listen(&e);
	ends_connect(&e);
	expect_failure(&e, "pin");
	ends_free(&e);
	wk_tls_credentials_del(c);
}

static void
speaks_another_protocol(void **state)
{
	static const char *const other[] = { "other", NULL };
	struct ends e;

	(void)state;
	ends_init(&e);
	e.client_options.alpn = other;
	ends_listen(&e);
	ends_connect(&e);
	expect_failure(&e, "peer sent the TLS alert 120, "
	    "no_application_protocol (it speaks none that we offer)");
	ends_free(&e);
}

static int
silent_socket(struct wk_address *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address->sa,
	    address->len), 0);
	address->len = sizeof(address->sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address->sa,
	    &address->len), 0);
	return fd;
}

static void
gives_up(void **state)
{
	struct ends e;
	int fd;

	(void)state;
	ends_init(&e);
	fd = silent_socket(&e.address);
	e.client_options.handshake_timeout_ns = WK_NS_PER_SEC / 4;
	ends_connect(&e);
	expect_failure(&e, "the handshake took too long");
	ends_free(&e);
	close(fd);
}

static void
is_refused(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	close(silent_socket(&e.address));
	ends_connect(&e);
	expect_failure(&e, strerror(ECONNREFUSED));
	ends_free(&e);
}

static void
validates(void **state)
{
	struct flow *f;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server_options.always_validates = true;
	e.server.echoes = true;
	ends_up(&e);
	assert_int_equal(ends_counters(&e).retries, 1);
	f = end_open(&e.client, false, 10000, true);
	ends_until(&e, &f->n_gone, 1);
	ends_free(&e);
}

/* --- many ----------------------------------------------------------------- */

#define N_INITIALS 20

/*
 * First packets of clients that never hear an answer: from a client of ours
 * whose packets end up in a socket, each of another one.
 */
static size_t
take_initial(struct ends *e, int fd, uint8_t packet[2048])
{
	ssize_t n;

	while (recv(fd, NULL, 0, MSG_DONTWAIT) >= 0)
		;
	ends_connect(e);
	for (;;) {
		n = recv(fd, packet, 2048, MSG_DONTWAIT);
		if (n >= 0)
			break;
		e->is_timed_out = false;
		ends_settle(e, WK_NS_PER_SEC / 200);
	}
	wk_quic_del(e->client.quic);
	e->client.quic = NULL;
	while (recv(fd, NULL, 0, MSG_DONTWAIT) >= 0)
		;
	return (size_t)n;
}

static void
learns_to_validate(void **state)
{
	uint8_t packet[2048];
	struct wk_address hole;
	struct ends e;
	size_t len;
	int fd, i;

	(void)state;
	ends_init(&e);
	e.server_options.retry_threshold = 5;
	hole = e.address;
	fd = silent_socket(&hole);
	ends_listen(&e);
	for (i = 0; i < N_INITIALS; i++) {
		struct wk_address server = e.address;

		e.address = hole;
		len = take_initial(&e, fd, packet);
		e.address = server;
		assert_true(len >= 1200);
		assert_true(sendto(fd, packet, len, 0,
		    (struct sockaddr *)&server.sa, server.len) > 0);
		ends_settle(&e, WK_NS_PER_SEC / 100);
	}
	assert_int_equal(ends_counters(&e).handshakes, 5);
	assert_int_equal(ends_counters(&e).retries, N_INITIALS - 5);
	/* Who is there gets in. */
	ends_connect(&e);
	ends_until(&e, &e.server.n_opened, 1);
	assert_int_equal(ends_counters(&e).retries, N_INITIALS - 4);
	ends_free(&e);
	close(fd);
}

static void
does_not_amplify(void **state)
{
	uint8_t packet[2048];
	struct wk_address hole, server;
	uint64_t sum = 0;
	struct ends e;
	size_t len;
	ssize_t n;
	int fd;

	(void)state;
	ends_init(&e);
	e.server_options.handshake_timeout_ns = 2 * WK_NS_PER_SEC;
	hole = e.address;
	fd = silent_socket(&hole);
	ends_listen(&e);
	server = e.address;
	e.address = hole;
	len = take_initial(&e, fd, packet);
	assert_true(sendto(fd, packet, len, 0, (struct sockaddr *)&server.sa,
	    server.len) > 0);
	while (ends_counters(&e).connections == 0)
		ends_settle(&e, WK_NS_PER_SEC / 100);
	while (ends_counters(&e).connections > 0) {
		ends_settle(&e, WK_NS_PER_SEC / 100);
		while ((n = recv(fd, packet, sizeof(packet),
		    MSG_DONTWAIT)) >= 0)
			sum += (size_t)n;
	}
	assert_true(sum > 0);
	assert_true(sum <= 3 * len);
	assert_int_equal(ends_counters(&e).handshakes, 0);
	ends_free(&e);
	close(fd);
}

static void
has_room_for_so_many(void **state)
{
	struct ends e;
	struct wk_quic *first;

	(void)state;
	ends_init(&e);
	e.server_options.max_connections = 1;
	ends_up(&e);
	first = e.client.quic;
	e.client.n_opened = 0;
	ends_connect(&e);
	expect_failure(&e, "peer closed the connection during the handshake "
	    "with CONNECTION_REFUSED (0x2)");
	assert_int_equal(ends_counters(&e).refused, 1);
	assert_int_equal(ends_counters(&e).connections, 1);
	/* The other one's session hears nothing of that. */
	assert_int_equal(e.client.n_session_closed, 0);
	e.client.quic = first;
	ends_free(&e);
}

static void
drains(void **state)
{
	struct ends e;
	struct wk_quic *first;
	struct flow *f;

	(void)state;
	ends_init(&e);
	e.server.echoes = true;
	ends_up(&e);
	first = e.client.quic;
	wk_quic_endpoint_drain(e.endpoint);
	f = end_open(&e.client, false, 100000, true);
	ends_until(&e, &f->n_gone, 1);
	e.client.n_opened = 0;
	ends_connect(&e);
	expect_failure(&e, "CONNECTION_REFUSED");
	e.client.quic = first;
	ends_free(&e);
}

/* --- garbage -------------------------------------------------------------- */

static void
survives_garbage(void **state)
{
	uint8_t packet[2048], copy[2048];
	struct wk_address hole, server;
	uint32_t seed = 1;
	struct ends e;
	size_t len, i, k, cut;
	int fd;

	(void)state;
	ends_init(&e);
	e.server_options.handshake_timeout_ns = WK_NS_PER_SEC / 2;
	hole = e.address;
	fd = silent_socket(&hole);
	ends_listen(&e);
	server = e.address;
	e.address = hole;
	len = take_initial(&e, fd, packet);
	for (i = 0; i < 2000; i++) {
		memcpy(copy, packet, len);
		cut = len;
		for (k = 0; k < (i % 4 == 0 ? len : i % 7); k++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % (i % 3 == 0 ? 64 : len)] =
			    (uint8_t)(seed >> 24);
		}
		seed = seed * 1664525 + 1013904223;
		if (i % 5 == 0)
			cut = (seed >> 8) % len;
		(void)sendto(fd, copy, cut, 0,
		    (struct sockaddr *)&server.sa, server.len);
		if (i % 50 == 0)
			ends_settle(&e, WK_NS_PER_SEC / 1000);
	}
	e.address = server;
	ends_connect(&e);
	ends_until(&e, &e.server.n_opened, 1);
	while (ends_counters(&e).handshakes > 0)
		ends_settle(&e, WK_NS_PER_SEC / 20);
	assert_int_equal(ends_counters(&e).connections, 1);
	assert_true(ends_counters(&e).dropped > 0);
	ends_free(&e);
	close(fd);
}

/* --- versions ------------------------------------------------------------- */

static void
offers_versions(void **state)
{
	uint8_t packet[2048];
	struct wk_quicpkt p;
	uint32_t versions[8];
	struct wk_address hole;
	struct ends e;
	size_t len;
	ssize_t n;
	int fd, n_versions;

	(void)state;
	ends_init(&e);
	hole = e.address;
	fd = silent_socket(&hole);
	ends_listen(&e);
	{
		struct wk_address server = e.address;

		e.address = hole;
		len = take_initial(&e, fd, packet);
		e.address = server;
	}
	packet[1] = 0x1a;
	/* Too short: no answer. */
	assert_true(sendto(fd, packet, 1199, 0,
	    (struct sockaddr *)&e.address.sa, e.address.len) > 0);
	assert_true(sendto(fd, packet, len, 0,
	    (struct sockaddr *)&e.address.sa, e.address.len) > 0);
	while (ends_counters(&e).packets < 2)
		ends_settle(&e, WK_NS_PER_SEC / 100);
	assert_int_equal(ends_counters(&e).version_negotiations, 1);
	n = recv(fd, packet, sizeof(packet), 0);
	assert_true(n > 0 && n < 100);
	assert_int_equal(wk_quicpkt_decode(packet, (size_t)n, 8, &p, NULL),
	    WK_OK);
	n_versions = wk_quicpkt_versions(&p, versions, 8, NULL);
	assert_int_equal(n_versions, 2);
	assert_true(wk_quicpkt_is_reserved(versions[0]));
	assert_int_equal(versions[1], WK_QUICPKT_V1);
	ends_free(&e);
	close(fd);
}

/* A server that speaks nothing that we do. */
static void
has_no_version(void **state)
{
	static const uint32_t versions[] = { 0x1a2a3a4a, 0xff00001d,
	    0x51303530 };
	struct wk_address from = { .len = sizeof(from.sa) };
	uint8_t packet[2048];
	struct wk_quicpkt p;
	struct wk_buf b;
	struct ends e;
	ssize_t n;
	int fd;

	(void)state;
	ends_init(&e);
	fd = silent_socket(&e.address);
	ends_connect(&e);
	while ((n = recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT,
	    (struct sockaddr *)&from.sa, &from.len)) < 0)
		ends_settle(&e, WK_NS_PER_SEC / 200);
	assert_int_equal(wk_quicpkt_decode(packet, (size_t)n, 8, &p, NULL),
	    WK_OK);
	wk_buf_init(&b, 1500);
	assert_int_equal(wk_quicpkt_encode_versions(&b, 0x55, &p, versions, 3),
	    WK_OK);
	assert_true(sendto(fd, b.data, b.len, 0, (struct sockaddr *)&from.sa,
	    from.len) > 0);
	expect_failure(&e, "peer speaks none of our versions of QUIC (it "
	    "offers draft-29, 0x51303530)");
	wk_buf_free(&b);
	ends_free(&e);
	close(fd);
}

static bool
has_v2(const struct ends *e)
{
	struct wk_quic_options o = e->client_options;
	struct wk_address any = e->address;
	struct wk_quic_endpoint *endpoint;
	struct wk_error error;

	o.versions = WK_QUIC_V2;
	o.credentials = quic_server_credentials;
	endpoint = wk_quic_listen(e->loop, &any, &o, &e->server_handler, NULL,
	    &error);
	if (endpoint == NULL)
		assert_int_equal(error.status, WK_E_UNSUPPORTED);
	wk_quic_endpoint_del(endpoint);
	return endpoint != NULL;
}

static void
speaks_v2(void **state)
{
	static const struct {
		unsigned client, server, both;
	} cases[] = {
		{ WK_QUIC_V1 | WK_QUIC_V2, WK_QUIC_V1 | WK_QUIC_V2, 2 },
		{ WK_QUIC_V1 | WK_QUIC_V2, WK_QUIC_V1, 1 },
		{ WK_QUIC_V1 | WK_QUIC_V2, WK_QUIC_V2, 2 },
		{ WK_QUIC_V1, WK_QUIC_V1 | WK_QUIC_V2, 1 },
		{ WK_QUIC_V2, WK_QUIC_V1 | WK_QUIC_V2, 2 },
		{ WK_QUIC_V2, WK_QUIC_V1, 0 },
	};
	struct wk_transport_stats stats;
	struct wk_error error;
	struct ends e;
	size_t i;

	(void)state;
	ends_init(&e);
	if (!has_v2(&e)) {
		/* Then that is what one hears, and no older draft is spoken. */
		e.client_options.versions = WK_QUIC_V1 | WK_QUIC_V2;
		assert_null(wk_quic_connect(e.loop, &e.address, NULL, NULL,
		    &e.client_options, &e.client_handler, NULL, &error));
		assert_int_equal(error.status, WK_E_UNSUPPORTED);
		assert_non_null(strstr(error.reason, "QUIC v2"));
		ends_free(&e);
		return;
	}
	ends_free(&e);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ends_init(&e);
		e.client_options.versions = cases[i].client;
		e.server_options.versions = cases[i].server;
		ends_listen(&e);
		ends_connect(&e);
		if (cases[i].both == 0) {
			expect_failure(&e, "peer speaks none of our versions "
			    "of QUIC (it offers v1)");
			ends_free(&e);
			continue;
		}
		ends_until(&e, &e.client.n_opened, 1);
		ends_until(&e, &e.server.n_opened, 1);
		e.client.t->ops->stats(e.client.t, &stats);
		assert_int_equal(stats.version, cases[i].both == 2 ?
		    WK_QUICPKT_V2 : WK_QUICPKT_V1);
		ends_free(&e);
	}
}

/* --- tickets -------------------------------------------------------------- */

static void
resumes(void **state)
{
	struct wk_quic_ticket *ticket = wk_quic_ticket_new();
	struct ends e;
	struct flow *f;

	(void)state;
	assert_non_null(ticket);
	ends_init(&e);
	e.client_options.ticket = ticket;
	e.server.echoes = true;
	ends_up(&e);
	f = end_open(&e.client, false, 1000, true);
	ends_until(&e, &f->n_gone, 1);
	ends_settle(&e, WK_NS_PER_SEC / 10);
	assert_null(strstr(wk_quic_description(e.client.quic), "resumed"));
	wk_quic_del(e.client.quic);
	ends_until(&e, &e.server.n_closed, 1);
	/* Once more; the server would validate, but for the token. */
	wk_quic_endpoint_del(e.endpoint);
	memset(&e.client.flows, 0, sizeof(e.client.flows));
	e.client.n_flows = 0;
	e.client.n_opened = e.server.n_opened = e.server.n_closed = 0;
	e.client.n_session_closed = e.server.n_session_closed = 0;
	e.server_options.always_validates = true;
	ends_up(&e);
	assert_int_equal(ends_counters(&e).retries, 0);
	assert_non_null(strstr(wk_quic_description(e.client.quic), "resumed"));
	assert_non_null(strstr(wk_quic_description(e.server.quic), "resumed"));
	ends_free(&e);
	wk_quic_ticket_del(ticket);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distrusts),
		cmocka_unit_test(speaks_another_protocol),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(is_refused),
		cmocka_unit_test(validates),
		cmocka_unit_test(learns_to_validate),
		cmocka_unit_test(does_not_amplify),
		cmocka_unit_test(has_room_for_so_many),
		cmocka_unit_test(drains),
		cmocka_unit_test(survives_garbage),
		cmocka_unit_test(offers_versions),
		cmocka_unit_test(has_no_version),
		cmocka_unit_test(speaks_v2),
		cmocka_unit_test(resumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
