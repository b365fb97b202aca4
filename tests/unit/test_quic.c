/* SPDX-License-Identifier: MIT */
/* Two ends that understand each other: handshake, streams, datagrams, close. */
#include "config.h"

#include "tests/unit/quic_ends.h"

static void
shakes_hands(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	assert_string_equal(wk_quic_description(e.client.quic),
	    "QUIC v1, TLS1.3, AES-128-GCM, certificate of localhost");
	assert_true(wk_address_equals(wk_quic_peer(e.client.quic),
	    &e.address));
	assert_int_equal(ends_counters(&e).accepted, 1);
	assert_int_equal(ends_counters(&e).connections, 1);
	assert_int_equal(ends_counters(&e).handshakes, 0);
	ends_free(&e);
	assert_int_equal(e.client.n_session_closed, 1);
	assert_int_equal(e.client.n_closed, 0);
}

static void
echoes_megabytes(void **state)
{
	struct flow *f, *g;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server.echoes = true;
	ends_up(&e);
	f = end_open(&e.client, false, 5000000, true);
	g = end_open(&e.client, true, 300000, true);
	ends_until(&e, &f->n_gone, 1);
	ends_until(&e, &g->n_gone, 1);
	assert_int_equal(f->received, 5000000);
	assert_int_equal(f->n_ends, 1);
	assert_true(f->n_writable > 0);
	assert_int_equal(end_flow(&e.server, g->id)->received, 300000);
	ends_until(&e, &end_flow(&e.server, f->id)->n_gone, 1);
	ends_until(&e, &end_flow(&e.server, g->id)->n_gone, 1);
	ends_free(&e);
}

static void
sends_datagrams(void **state)
{
	struct ends e;
	size_t max, i;

	(void)state;
	ends_init(&e);
	e.server.echoes_datagrams = true;
	ends_up(&e);
	max = e.client.t->ops->datagram_max(e.client.t);
	assert_true(max > 1100 && max < 1500);
	for (i = 0; i < 20; i++)
		assert_int_equal(end_datagram(&e.client, i * 50),
		    WK_TRANSPORT_SENT);
	assert_int_equal(end_datagram(&e.client, max), WK_TRANSPORT_SENT);
	assert_int_equal(end_datagram(&e.client, 3000),
	    WK_TRANSPORT_TOO_BIG);
	ends_until(&e, &e.client.n_datagrams, 21);
	assert_int_equal(e.client.last_datagram, max);
	ends_free(&e);
}

static void
closes_with_a_code(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	e.client.t->ops->close(e.client.t, 0x10c, "no\nway");
	ends_until(&e, &e.client.n_closed, 1);
	ends_until(&e, &e.server.n_closed, 1);
	assert_int_equal(e.client.n_session_closed, 0);
	assert_true(e.client.is_protocol);
	assert_string_equal(e.client.reason, "no\nway");
	assert_int_equal(e.server.n_session_closed, 1);
	assert_true(e.server.is_application);
	assert_false(e.server.is_clean);
	assert_int_equal(e.server.code, 0x10c);
	assert_string_equal(e.server.reason, "peer closed the connection "
	    "with the application error 0x10c: \"no\\nway\"");
	ends_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shakes_hands),
		cmocka_unit_test(echoes_megabytes),
		cmocka_unit_test(sends_datagrams),
		cmocka_unit_test(closes_with_a_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
