/* SPDX-License-Identifier: MIT */
/* QUIC over bad networks, and networks that change. */
#include "config.h"

#include "tests/unit/quic_relay.h"

static void
relay_up(struct ends *e, struct relay *r, unsigned percent, uint32_t seed)
{
	ends_listen(e);
	relay_init(r, e, percent, seed);
	e->address = r->address;
	ends_connect(e);
	ends_until(e, &e->client.n_opened, 1);
	ends_until(e, &e->server.n_opened, 1);
}

static void
bears_loss(void **state)
{
	static const struct { unsigned percent; uint64_t octets; } cases[] = {
		{ 1, 3000000 }, { 5, 1000000 }, { 20, 50000 },
	};
	struct flow *f, *g;
	struct relay r;
	struct ends e;
	uint32_t seed;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		for (seed = 1; seed < 4; seed++) {
			ends_init(&e);
			e.server.echoes = true;
			e.client_options.handshake_timeout_ns =
			    e.server_options.handshake_timeout_ns =
			    60 * WK_NS_PER_SEC;
			/* Probe timeouts double, and probes get lost, too. */
			e.client_options.idle_timeout_ns =
			    e.server_options.idle_timeout_ns = 0;
			relay_up(&e, &r, cases[i].percent, seed);
			f = end_open(&e.client, false, cases[i].octets, true);
			g = end_open(&e.client, true, 10000, true);
			ends_until(&e, &f->n_gone, 1);
			ends_until(&e, &g->n_gone, 1);
			assert_int_equal(f->received, cases[i].octets);
			relay_free(&r);
			ends_free(&e);
		}
}

/* Nothing else is under way: somebody has to ask after them. */
static void
loses_datagrams(unsigned percent, uint32_t seed)
{
	struct wk_transport_stats stats;
	struct relay r;
	struct ends e;
	int i;

	ends_init(&e);
	relay_up(&e, &r, 0, seed);
	r.percent = percent;
	for (i = 0; i < 300; i++) {
		assert_int_equal(end_datagram(&e.client, 1000),
		    WK_TRANSPORT_SENT);
		if (i % 10 == 0)
			ends_settle(&e, WK_NS_PER_SEC / 1000);
	}
	/* On a busy machine most of them may still wait to be sent. */
	while (r.n_big_dropped == 0) {
		ends_settle(&e, WK_NS_PER_SEC / 1000);
		assert_int_equal(e.client.n_closed, 0);
	}
	r.percent = 0;
	do {
		ends_settle(&e, WK_NS_PER_SEC / 100);
		assert_int_equal(e.client.n_closed, 0);
		e.client.t->ops->stats(e.client.t, &stats);
	} while (stats.datagrams_acked + stats.datagrams_lost < 300);
	assert_int_equal(stats.datagrams_sent, 300);
	assert_true(stats.datagrams_lost > 0);
	relay_free(&r);
	ends_free(&e);
}

static void
counts_lost_datagrams(void **state)
{
	uint32_t seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++)
		loses_datagrams(seed % 2 == 0 ? 10 : 25, seed);
}

static void
survives_rebinding(void **state)
{
	struct wk_transport_stats stats;
	struct flow *f;
	struct relay r;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server.echoes = true;
	relay_up(&e, &r, 0, 1);
	f = end_open(&e.client, false, 3000000, true);
	ends_until_octets(&e, &f->received, 300000);
	relay_rebind(&r);
	ends_until(&e, &f->n_gone, 1);
	e.server.t->ops->stats(e.server.t, &stats);
	assert_int_equal(stats.migrations, 1);
	relay_free(&r);
	ends_free(&e);
}

static void
migrates(void **state)
{
	struct wk_transport_stats stats;
	struct wk_error error;
	struct wk_address before;
	struct flow *f;
	struct ends e;
	int i;

	(void)state;
	ends_init(&e);
	e.server.echoes = true;
	ends_up(&e);
	before = *wk_quic_peer(e.server.quic);
	f = end_open(&e.client, false, 3000000, true);
	for (i = 1; i <= 3; i++) {
		ends_until_octets(&e, &f->received,
		    (uint64_t)i * 300000);
		assert_int_equal(wk_quic_migrate(e.client.quic, NULL, &error),
		    WK_OK);
		do {
			ends_settle(&e, WK_NS_PER_SEC / 1000);
			e.server.t->ops->stats(e.server.t, &stats);
		} while (stats.migrations < (uint64_t)i);
	}
	ends_until(&e, &f->n_gone, 1);
	e.server.t->ops->stats(e.server.t, &stats);
	assert_int_equal(stats.migrations, 3);
	e.client.t->ops->stats(e.client.t, &stats);
	assert_int_equal(stats.migrations, 3);
	assert_false(wk_address_equals(wk_quic_peer(e.server.quic), &before));
	assert_non_null(strstr(e.client.note, "migrated to 127.0.0.1:"));
	ends_free(&e);
}

static void
renews_keys(void **state)
{
	struct flow *f;
	struct ends e;
	int i;

	(void)state;
	ends_init(&e);
	e.server.echoes = true;
	ends_up(&e);
	/* Not before the last ones are known to be in use on both sides. */
	for (i = 0; i < 3; i++) {
		while (wk_quic_update_keys(e.client.quic) != WK_OK) {
			ends_settle(&e, WK_NS_PER_SEC / 1000);
			f = end_open(&e.client, false, 1000, true);
			ends_until(&e, &f->n_gone, 1);
		}
		f = end_open(&e.client, false, 100000, true);
		ends_until(&e, &f->n_gone, 1);
		assert_int_equal(f->received, 100000);
	}
	ends_free(&e);
}

static void
goes_idle(void **state)
{
	struct relay r;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.client_options.idle_timeout_ns = WK_NS_PER_SEC / 2;
	relay_up(&e, &r, 0, 1);
	r.is_cut = true;
	ends_until(&e, &e.client.n_closed, 1);
	ends_until(&e, &e.server.n_closed, 1);
	assert_string_equal(e.client.reason,
	    "nothing came from the peer for 0.5 s");
	assert_string_equal(e.server.reason,
	    "nothing came from the peer for 0.5 s");
	assert_false(e.client.is_protocol);
	assert_false(e.client.is_clean);
	relay_free(&r);
	ends_free(&e);
}

static void
keeps_alive(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	e.client_options.idle_timeout_ns = WK_NS_PER_SEC / 2;
	e.client_options.keep_alive_ns = WK_NS_PER_SEC / 10;
	ends_up(&e);
	ends_settle(&e, WK_NS_PER_SEC);
	assert_int_equal(e.client.n_closed, 0);
	assert_int_equal(e.server.n_closed, 0);
	ends_free(&e);
}

static void
is_forgotten(void **state)
{
	struct ends e;
	struct relay r;
	struct wk_address server;

	(void)state;
	ends_init(&e);
	ends_listen(&e);
	server = e.address;
	relay_init(&r, &e, 0, 1);
	e.address = r.address;
	ends_connect(&e);
	ends_until(&e, &e.client.n_opened, 1);
	ends_until(&e, &e.server.n_opened, 1);
	ends_settle(&e, WK_NS_PER_SEC / 10);
	/* Its last words do not arrive. */
	r.is_cut = true;
	wk_quic_endpoint_del(e.endpoint);
	ends_settle(&e, WK_NS_PER_SEC / 10);
	r.is_cut = false;
	e.address = server;
	ends_listen(&e);
	end_open(&e.client, false, 100, true);
	ends_until(&e, &e.client.n_closed, 1);
	assert_non_null(strstr(e.client.reason, "stateless reset"));
	assert_true(ends_counters(&e).resets > 0);
	relay_free(&r);
	ends_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bears_loss),
		cmocka_unit_test(counts_lost_datagrams),
		cmocka_unit_test(survives_rebinding),
		cmocka_unit_test(migrates),
		cmocka_unit_test(renews_keys),
		cmocka_unit_test(goes_idle),
		cmocka_unit_test(keeps_alive),
		cmocka_unit_test(is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
