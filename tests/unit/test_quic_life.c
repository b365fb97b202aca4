/* SPDX-License-Identifier: MIT */
/* How connections of QUIC end, and what may be done while they do. */
#include "config.h"

#include "tests/unit/quic_ends.h"

static void
closes_without_error(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	e.server.t->ops->close(e.server.t, 0x100, NULL);
	ends_until(&e, &e.client.n_closed, 1);
	ends_until(&e, &e.server.n_closed, 1);
	assert_true(e.client.is_clean);
	assert_false(e.client.has_reason);
	assert_false(e.server.has_reason);
	assert_false(e.server.is_protocol);
	assert_int_equal(e.server.n_session_closed, 0);
	while (ends_counters(&e).connections > 0)
		ends_settle(&e, WK_NS_PER_SEC / 100);
	ends_free(&e);
}

static void
is_closed_by_the_owner(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_up(&e);
	wk_quic_close(e.client.quic, 0x42, "enough");
	assert_int_equal(e.client.n_closed, 0);
	ends_until(&e, &e.client.n_closed, 1);
	ends_until(&e, &e.server.n_closed, 1);
	assert_int_equal(e.client.n_session_closed, 1);
	assert_string_equal(e.client.session_reason, "enough");
	assert_int_equal(e.server.code, 0x42);
	ends_free(&e);
}

static void
is_closed_before_it_opens(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_listen(&e);
	ends_connect(&e);
	wk_quic_close(e.client.quic, 0x100, NULL);
	ends_until(&e, &e.client.n_closed, 1);
	ends_connect(&e);
	wk_quic_del(e.client.quic);
	e.client.quic = NULL;
	ends_free(&e);
}

/* --- deletion inside events ----------------------------------------------- */

static void
del(struct end *end)
{
	wk_quic_del(end->quic);
	end->quic = NULL;
}

static void
del_at_data(struct end *end, uint64_t id)
{
	(void)id;
	del(end);
}

static void
del_endpoint(struct end *end)
{
	wk_quic_endpoint_del(end->ends->endpoint);
	end->ends->endpoint = NULL;
}

static void
del_both(struct end *end)
{
	del(&end->ends->client);
	del_endpoint(end);
}

static void
del_both_at_data(struct end *end, uint64_t id)
{
	(void)id;
	del_both(end);
}

static void
traffic(struct ends *e)
{
	int i;

	end_open(&e->client, false, 100000, true);
	end_open(&e->client, true, 100000, true);
	for (i = 0; i < 20; i++)
		end_datagram(&e->client, 1000);
}

static void
is_deleted_anywhere(void **state)
{
	struct ends e;
	int at;

	(void)state;
	for (at = 0; at < 12; at++) {
		ends_init(&e);
		e.server.echoes = e.server.echoes_datagrams = true;
		e.client.at_opened = at == 0 ? del : at == 1 ? del_both : NULL;
		e.server.at_opened = at == 2 ? del : at == 3 ? del_endpoint :
		    NULL;
		ends_listen(&e);
		ends_connect(&e);
		ends_until(&e, &e.client.n_opened, 1);
		if (at >= 2 && at <= 3) {
			ends_until(&e, &e.client.n_closed, 1);
			assert_true(e.client.is_clean);
		}
		if (at >= 4) {
			ends_until(&e, &e.server.n_opened, 1);
			e.client.at_data = at == 4 ? del_at_data :
			    at == 5 ? del_both_at_data : NULL;
			e.client.at_datagram = at == 6 ? del : at == 7 ?
			    del_both : NULL;
			e.client.at_leave = at == 8 ? del : at == 9 ?
			    del_both : NULL;
			e.server.at_data = at == 10 ? del_both_at_data : NULL;
			e.server.at_leave = at == 11 ? del_endpoint : NULL;
			traffic(&e);
			while (e.client.n_session_closed == 0)
				ends_step(&e);
		}
		assert_true(e.client.n_closed == 0 || at == 2 || at == 3 ||
		    at == 11);
		ends_settle(&e, WK_NS_PER_SEC / 100);
		ends_free(&e);
	}
}

static void
is_deleted_while_it_ends(void **state)
{
	struct ends e;
	int at;

	(void)state;
	for (at = 0; at < 4; at++) {
		ends_init(&e);
		e.client.at_session_closed = at == 0 ? del : NULL;
		e.client.at_closed = at == 1 ? del : NULL;
		e.server.at_session_closed = at == 2 ? del_endpoint : NULL;
		e.server.at_closed = at == 3 ? del_endpoint : NULL;
		ends_up(&e);
		traffic(&e);
		if (at < 2)
			wk_quic_close(e.server.quic, 1, "bye");
		else
			wk_quic_close(e.client.quic, 1, "bye");
		ends_until(&e, at < 2 ? &e.client.n_session_closed :
		    &e.server.n_session_closed, 1);
		ends_settle(&e, WK_NS_PER_SEC / 100);
		ends_free(&e);
	}
}

static void
closes_inside(struct end *end, uint64_t id)
{
	end->t->ops->write(end->t, id, NULL, 0);
	end->t->ops->close(end->t, 0x101, "inside");
	assert_int_equal(end->t->ops->write(end->t, id, NULL, 0),
	    WK_E_INVALID);
	assert_int_equal(end->t->ops->open(end->t, false, &id), WK_E_INVALID);
	end->t->ops->finish(end->t, id);
	end->t->ops->reset(end->t, id, 1);
	end->t->ops->stop(end->t, id, 1);
	end->t->ops->close(end->t, 0x102, "twice");
}

static void
is_closed_inside(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	e.server.at_data = closes_inside;
	ends_up(&e);
	traffic(&e);
	ends_until(&e, &e.server.n_closed, 1);
	ends_until(&e, &e.client.n_closed, 1);
	assert_int_equal(e.client.code, 0x101);
	assert_string_equal(e.server.reason, "inside");
	ends_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes_without_error),
		cmocka_unit_test(is_closed_by_the_owner),
		cmocka_unit_test(is_closed_before_it_opens),
		cmocka_unit_test(is_deleted_anywhere),
		cmocka_unit_test(is_deleted_while_it_ends),
		cmocka_unit_test(is_closed_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
