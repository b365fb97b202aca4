/* SPDX-License-Identifier: MIT */
/* Streams of QUIC: their ends in every order, credit, limits; datagrams. */
#include "config.h"

#include "tests/unit/quic_ends.h"

static void
waits_for_credit(void **state)
{
	struct flow *f, *g;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server_options.stream_window = 100000;
	e.server.keeps = true;
	ends_up(&e);
	f = end_open(&e.client, false, 500000, true);
	g = end_flow(&e.server, f->id);
	ends_until_octets(&e, &g->received, 100000);
	ends_settle(&e, WK_NS_PER_SEC / 5);
	assert_int_equal(g->received, 100000);
	assert_int_equal(e.client.t->ops->queued(e.client.t, f->id),
	    f->sent - 100000);
	assert_int_equal(e.client.t->ops->room(e.client.t, f->id),
	    e.client_options.max_queued - (f->sent - 100000));
	e.server.keeps = false;
	e.server.t->ops->consume(e.server.t, f->id, g->kept);
	ends_until_octets(&e, &g->received, 500000);
	ends_until(&e, &g->n_ends, 1);
	ends_free(&e);
}

static void
waits_for_credit_of_the_connection(void **state)
{
	struct flow *f, *g;
	struct ends e;
	int i;

	(void)state;
	ends_init(&e);
	e.server_options.connection_window = 100000;
	e.server.keeps = true;
	ends_up(&e);
	f = end_open(&e.client, false, 90000, false);
	g = end_open(&e.client, false, 90000, true);
	ends_settle(&e, WK_NS_PER_SEC / 5);
	assert_int_equal(end_flow(&e.server, f->id)->received +
	    end_flow(&e.server, g->id)->received, 100000);
	/* What a stopped stream had is the others' now. */
	e.server.t->ops->stop(e.server.t, f->id, 7);
	e.server.keeps = false;
	e.server.t->ops->consume(e.server.t, g->id,
	    end_flow(&e.server, g->id)->kept);
	ends_until(&e, &f->n_stops, 1);
	assert_int_equal(f->stop_code, 7);
	ends_until_octets(&e, &end_flow(&e.server, g->id)->received, 90000);
	/* And what nobody ever consumed of one that is gone. */
	e.server.keeps = true;
	for (i = 0; i < 5; i++) {
		f = end_open(&e.client, true, 40000, true);
		ends_until(&e, &end_flow(&e.server, f->id)->n_gone, 1);
	}
	ends_free(&e);
}

static void
resets(void **state)
{
	struct flow *f, *g;
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	f = end_open(&e.client, false, 1000, false);
	g = end_flow(&e.server, f->id);
	ends_until_octets(&e, &g->received, 1000);
	e.client.t->ops->reset(e.client.t, f->id, 0x77);
	e.client.t->ops->reset(e.client.t, f->id, 0x78);
	assert_int_equal(e.client.t->ops->write(e.client.t, f->id, NULL, 0),
	    WK_E_INVALID);
	ends_until(&e, &g->n_resets, 1);
	assert_int_equal(g->reset_code, 0x77);
	assert_int_equal(g->n_gone, 0);
	e.server.t->ops->finish(e.server.t, f->id);
	ends_until(&e, &f->n_gone, 1);
	ends_until(&e, &g->n_gone, 1);
	assert_int_equal(f->n_ends, 1);
	assert_int_equal(e.client.t->ops->write(e.client.t, f->id, NULL, 0),
	    WK_E_INVALID);
	assert_int_equal(e.client.t->ops->room(e.client.t, f->id), 0);
	ends_free(&e);
}

static void
resets_at_once(void **state)
{
	struct flow *f;
	struct ends e;
	uint64_t id;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	/* Before anything was sent at all. */
	assert_int_equal(e.client.t->ops->open(e.client.t, false, &id), WK_OK);
	f = end_flow(&e.client, id);
	e.client.t->ops->reset(e.client.t, id, 1);
	e.client.t->ops->stop(e.client.t, id, 2);
	ends_until(&e, &end_flow(&e.server, id)->n_resets, 1);
	ends_until(&e, &end_flow(&e.server, id)->n_stops, 1);
	ends_until(&e, &f->n_gone, 1);
	/* One way, both kinds of end. */
	f = end_open(&e.client, true, 100, false);
	ends_until_octets(&e, &end_flow(&e.server, f->id)->received, 100);
	e.client.t->ops->reset(e.client.t, f->id, 3);
	ends_until(&e, &end_flow(&e.server, f->id)->n_gone, 1);
	ends_until(&e, &f->n_gone, 1);
	assert_int_equal(end_flow(&e.server, f->id)->reset_code, 3);
	f = end_open(&e.server, true, 0, true);
	ends_until(&e, &end_flow(&e.client, f->id)->n_gone, 1);
	ends_until(&e, &f->n_gone, 1);
	assert_int_equal(end_flow(&e.client, f->id)->n_ends, 1);
	ends_free(&e);
}

static void
is_stopped(void **state)
{
	struct flow *f, *g;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server_options.stream_window = 50000;
	e.server.keeps = true;
	ends_up(&e);
	f = end_open(&e.client, false, 2000000, true);
	g = end_flow(&e.server, f->id);
	ends_until_octets(&e, &g->received, 50000);
	e.server.t->ops->stop(e.server.t, f->id, 0x99);
	ends_until(&e, &f->n_stops, 1);
	assert_int_equal(f->stop_code, 0x99);
	assert_int_equal(e.client.t->ops->write(e.client.t, f->id, NULL, 0),
	    WK_E_INVALID);
	assert_int_equal(e.client.t->ops->queued(e.client.t, f->id), 0);
	ends_until(&e, &g->n_resets, 1);
	assert_int_equal(g->reset_code, 0x99);
	e.server.t->ops->reset(e.server.t, f->id, 5);
	ends_until(&e, &f->n_resets, 1);
	ends_until(&e, &f->n_gone, 1);
	ends_until(&e, &g->n_gone, 1);
	assert_int_equal(g->received, 50000);
	ends_free(&e);
}

static void
stop_inside(struct end *e, uint64_t id)
{
	e->t->ops->stop(e->t, id, 1);
	e->t->ops->reset(e->t, id, 2);
	e->t->ops->consume(e->t, id, 100);
}

static void
ends_inside_events(void **state)
{
	struct flow *f;
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server.at_data = stop_inside;
	ends_up(&e);
	f = end_open(&e.client, false, 200000, true);
	ends_until(&e, &f->n_gone, 1);
	ends_until(&e, &end_flow(&e.server, f->id)->n_gone, 1);
	assert_int_equal(end_flow(&e.server, f->id)->n_data, 1);
	assert_int_equal(f->n_resets, 1);
	assert_int_equal(f->reset_code, 2);
	f = end_open(&e.client, false, 1000, true);
	ends_until(&e, &end_flow(&e.server, f->id)->n_ends, 1);
	ends_free(&e);
}

static void
obeys_limits(void **state)
{
	struct flow *f[3];
	struct ends e;
	uint64_t id;
	int kind, i;

	(void)state;
	ends_init(&e);
	e.server_options.max_streams_bidi = 3;
	e.server_options.max_streams_uni = 3;
	e.server.echoes = true;
	ends_up(&e);
	for (kind = 0; kind < 2; kind++) {
		for (i = 0; i < 3; i++)
			f[i] = end_open(&e.client, kind == 1, 10, false);
		assert_int_equal(e.client.t->ops->open(e.client.t, kind == 1,
		    &id), WK_E_LIMIT);
		f[0]->finishes = true;
		end_push(&e.client, f[0]);
		ends_until(&e, &e.client.n_streams_free[kind], 1);
		assert_int_equal(e.client.n_streams_free[1 - kind], kind);
		f[0] = end_open(&e.client, kind == 1, 10, true);
		ends_until(&e, &end_flow(&e.server, f[0]->id)->n_gone, 1);
	}
	ends_free(&e);
}

static void
shares(void **state)
{
	struct flow *f, *g;
	struct ends e;
	int i;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	/* A small stream does not wait for the end of a large one, nor do */
	/* datagrams. */
	f = end_open(&e.client, false, 3000000, true);
	g = end_open(&e.client, false, 100000, true);
	for (i = 0; i < 50; i++)
		end_datagram(&e.client, 1000);
	ends_until(&e, &e.server.n_datagrams, 50);
	assert_true(end_flow(&e.server, f->id)->received < 2000000);
	ends_until(&e, &end_flow(&e.server, g->id)->n_ends, 1);
	assert_true(end_flow(&e.server, f->id)->received < 2000000);
	ends_until(&e, &end_flow(&e.server, f->id)->n_ends, 1);
	ends_free(&e);
}

static void
opens_many(void **state)
{
	struct ends e;
	unsigned i;

	(void)state;
	ends_init(&e);
	e.server.echoes = true;
	ends_up(&e);
	for (i = 0; i < 100; i++)
		end_open(&e.client, false, 100 * i, true);
	for (i = 0; i < 100; i++)
		ends_until(&e, &e.client.flows[i].n_gone, 1);
	for (i = 0; i < 100; i++) {
		assert_int_equal(e.client.flows[i].received, 100 * i);
		ends_until(&e, &e.server.flows[i].n_gone, 1);
	}
	ends_free(&e);
}

/* --- datagrams ------------------------------------------------------------ */

static void
queues_datagrams(void **state)
{
	struct wk_transport_stats stats;
	enum wk_transport_sent sent;
	struct ends e;
	unsigned n = 0;

	(void)state;
	ends_init(&e);
	e.client_options.max_datagrams_queued = 50000;
	ends_up(&e);
	while ((sent = end_datagram(&e.client, 1000)) == WK_TRANSPORT_SENT)
		n++;
	assert_int_equal(sent, WK_TRANSPORT_BLOCKED);
	assert_int_equal(n, 49);
	ends_until(&e, &e.client.n_datagram_writable, 1);
	ends_until(&e, &e.server.n_datagrams, n);
	do {
		ends_settle(&e, WK_NS_PER_SEC / 50);
		e.client.t->ops->stats(e.client.t, &stats);
	} while (stats.datagrams_acked < n);
	assert_int_equal(stats.datagrams_sent, n);
	assert_int_equal(stats.datagrams_lost, 0);
	assert_true(stats.smoothed_rtt_ns > 0 && stats.cwnd > 0);
	assert_true(stats.packets_sent >= n && stats.bytes_sent > 1000 * n);
	assert_int_equal(stats.version, 1);
	ends_free(&e);
}

static void
does_without_datagrams(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server_options.has_no_datagrams = true;
	ends_up(&e);
	assert_int_equal(end_datagram(&e.client, 10),
	    WK_TRANSPORT_UNSUPPORTED);
	assert_int_equal(e.client.t->ops->datagram_max(e.client.t), 0);
	assert_int_equal(end_datagram(&e.server, 10), WK_TRANSPORT_SENT);
	ends_until(&e, &e.client.n_datagrams, 1);
	e.client.t->ops->close(e.client.t, 0, NULL);
	assert_int_equal(end_datagram(&e.client, 10), WK_TRANSPORT_CLOSED);
	ends_free(&e);
}

static void
knows_the_largest(void **state)
{
	struct ends e;
	size_t max;

	(void)state;
	ends_init(&e);
	e.client_options.udp_payload = e.server_options.udp_payload = 1350;
	e.client_options.has_no_pmtud = e.server_options.has_no_pmtud = true;
	ends_up(&e);
	max = e.client.t->ops->datagram_max(e.client.t);
	assert_int_equal(max, 1350 - (1 + 8 + 4 + 16) - 3);
	assert_int_equal(end_datagram(&e.client, max + 1),
	    WK_TRANSPORT_TOO_BIG);
	assert_int_equal(end_datagram(&e.client, max), WK_TRANSPORT_SENT);
	ends_until(&e, &e.server.n_datagrams, 1);
	assert_int_equal(e.server.last_datagram, max);
	ends_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_credit),
		cmocka_unit_test(waits_for_credit_of_the_connection),
		cmocka_unit_test(resets),
		cmocka_unit_test(resets_at_once),
		cmocka_unit_test(is_stopped),
		cmocka_unit_test(ends_inside_events),
		cmocka_unit_test(obeys_limits),
		cmocka_unit_test(shares),
		cmocka_unit_test(opens_many),
		cmocka_unit_test(queues_datagrams),
		cmocka_unit_test(does_without_datagrams),
		cmocka_unit_test(knows_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
