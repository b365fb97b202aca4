/* SPDX-License-Identifier: MIT */
/* common/net/client.h against common/net/server.h, in every pairing. */
#include "config.h"

#include <malloc.h>

#include "common/base/clock.h"
#include "tests/unit/ends.h"

#define MIB (UINT64_C(1) << 20)

/* Each test, in each pairing. */
static void
in_each(void (*test)(struct ends *e))
{
	struct ends e;
	size_t i;

	for (i = 0; i < N_PAIRINGS; i++) {
		ends_init(&e, &pairings[i]);
		test(&e);
		if (e.is_wrong)
			fail_msg("%s: octets were changed", pairings[i].name);
		ends_free(&e);
	}
}

/* --- exchanges ------------------------------------------------------------ */

static void
exchange(struct ends *e)
{
	struct wk_server_counters c;

	ends_serve(e);
	ends_ask(e, "GET", "/bytes/1000");
	assert_int_equal(e->n_connected, 0);	/* not from inside the call */
	ends_until(e, &e->n_streams_closed, 1);
	assert_int_equal(e->status, 200);
	assert_int_equal(e->received, 1000);
	assert_false(e->has_failed);
	assert_int_equal(e->n_ends, 1);
	wk_server_counters(e->server, &c);
	assert_int_equal(c.requests, 1);
	assert_int_equal(c.accepted, 1);
	assert_int_equal(c.connections, 1);
	wk_client_shutdown(e->client);
	assert_int_equal(e->n_closed, 0);
	ends_until(e, &e->n_closed, 1);
	assert_string_equal(e->reason, "");
	ends_until_connections(e, 0);
	assert_string_equal(e->note, "closed");
	wk_server_counters(e->server, &c);
	assert_int_equal(c.refused, 0);
}

static void
test_exchange(void **state)
{
	(void)state;
	in_each(exchange);
}

static void
forget_client(struct ends *e)
{
	wk_client_del(e->client);
	e->client = NULL;
}

/* Also that the body may be deleted in the event that ends it. */
static void
upload(struct ends *e)
{
	ends_serve(e);
	e->has_body = true;
	e->to_send = 5 * MIB + 1;
	e->stage = STAGE_STREAM_CLOSED;
	e->at_stage = forget_client;
	ends_ask(e, "POST", "/echo");
	ends_until(e, &e->n_streams_closed, 1);
	assert_int_equal(e->received, 5 * MIB + 1);
	assert_false(e->has_failed);
	assert_null(e->client);
	ends_until_connections(e, 0);
}

static void
test_upload(void **state)
{
	(void)state;
	in_each(upload);
}

static void
tunnel(struct ends *e)
{
	ends_serve(e);
	ends_tunnel(e, "/echo", 8 * MIB + 3);
	ends_until(e, &e->n_streams_closed, 1);
	assert_true(e->opens_tunnel);
	assert_false(e->has_failed);
	assert_int_equal(e->received, 8 * MIB + 3);
	/* Over HTTP/3 the server learns a little later that all has come. */
	ends_settle(e, WK_NS_PER_SEC / 50);
	assert_int_equal(echo_counters.open, 0);
	assert_int_equal(echo_counters.ended, 1);
}

static void
test_tunnel(void **state)
{
	(void)state;
	in_each(tunnel);
}

/* The server's direction ends first, the client's goes on. */
static void
half_closed(struct ends *e)
{
	int i;

	ends_serve(e);
	e->keeps_open = true;
	ends_tunnel(e, "/half", MIB);
	ends_until(e, &e->n_ends, 1);
	assert_int_equal(e->n_streams_closed, 0);
	e->to_send = 3 * MIB;
	e->keeps_open = false;
	wk_stream_finish(e->stream);
	ends_until(e, &e->n_streams_closed, 1);
	assert_false(e->has_failed);
	/* The server hears of it when it comes to that. */
	for (i = 0; i < 3000 && echo_counters.ended == 0; i++)
		ends_settle(e, WK_NS_PER_SEC / 50);
	assert_int_equal(echo_counters.sunk, e->sent);
	assert_int_equal(echo_counters.ended, 1);
}

static void
test_half_closed(void **state)
{
	(void)state;
	in_each(half_closed);
}

static void
refused_tunnel(struct ends *e)
{
	ends_serve(e);
	ends_tunnel(e, "/refuse", 100);
	ends_until(e, &e->n_heads, 1);
	assert_int_equal(e->status, 403);
	assert_false(e->opens_tunnel);
}

static void
test_refused_tunnel(void **state)
{
	(void)state;
	in_each(refused_tunnel);
}

/* --- memory --------------------------------------------------------------- */

static size_t
allocated(void)
{
	return mallinfo2().uordblks;
}

/* A consumer that takes nothing: no more than its window comes. */
static void
slow_consumer(struct ends *e)
{
	size_t before;

	e->client_options.limits.window = MIB;
	ends_serve(e);
	e->keeps_data = true;
	ends_ask(e, "GET", "/bytes/33554432");
	before = allocated();
	ends_until(e, &e->n_heads, 1);
	ends_settle(e, WK_NS_PER_SEC / 20);
	assert_true(e->received > 0);
	assert_in_range(e->unconsumed, 1, MIB + 65536);
	assert_in_range(allocated(), 0, before + 2 * MIB);
	e->keeps_data = false;
	wk_stream_consume(e->stream, (size_t)e->unconsumed);
	ends_until(e, &e->n_streams_closed, 1);
	assert_int_equal(e->received, 32 * MIB);
	assert_false(e->has_failed);
}

static void
test_slow_consumer(void **state)
{
	(void)state;
	in_each(slow_consumer);
}

/* The echo comes back to one that takes nothing: everything has to wait. */
static void
slow_echo(struct ends *e)
{
	ends_serve(e);
	e->keeps_data = true;
	ends_tunnel(e, "/echo", 64 * MIB);
	ends_until(e, &e->n_heads, 1);
	ends_settle(e, WK_NS_PER_SEC / 20);
	assert_true(e->sent < 32 * MIB);
	assert_in_range(echo_counters.kept_max, 0, 2 * MIB);
	e->keeps_data = false;
	wk_stream_consume(e->stream, (size_t)e->unconsumed);
	ends_until(e, &e->n_streams_closed, 1);
	assert_int_equal(e->received, 64 * MIB);
	assert_false(e->has_failed);
}

static void
test_slow_echo(void **state)
{
	(void)state;
	in_each(slow_echo);
}

/* --- death ---------------------------------------------------------------- */

static void
del_client(struct ends *e)
{
	wk_client_del(e->client);
	e->client = NULL;
}

static void
del_server(struct ends *e)
{
	wk_server_del(e->server);
	e->server = NULL;
}

static void
client_dies_early(struct ends *e)
{
	ends_serve(e);
	ends_ask(e, "GET", "/");
	del_client(e);
	assert_int_equal(e->n_connected, 0);
}

/* In every event, with a stream open or not; the server goes on serving. */
static void
client_dies(struct ends *e)
{
	enum stage stage;

	ends_serve(e);
	for (stage = STAGE_CONNECTED; stage <= STAGE_STREAM_CLOSED; stage++) {
		e->stage = stage;
		e->at_stage = del_client;
		e->n_streams_closed = 0;
		e->received = 0;
		ends_ask(e, "GET", stage >= STAGE_END ? "/bytes/100000" :
		    "/endless");
		ends_until(e, &e->n_streams_closed, 1);
		assert_int_equal(e->has_failed, stage != STAGE_STREAM_CLOSED);
		while (e->client != NULL)
			wk_loop_run(e->loop);
		assert_int_equal(e->n_closed, 0);
		ends_until_connections(e, 0);
		assert_int_equal(echo_counters.open, 0);
	}
}

static void
test_client_dies(void **state)
{
	(void)state;
	in_each(client_dies_early);
	in_each(client_dies);
}

static void
in_closed(struct ends *e)
{
	ends_serve(e);
	e->stage = STAGE_CLOSED;
	e->at_stage = del_client;
	ends_ask(e, "GET", "/bytes/10");
	ends_until(e, &e->n_streams_closed, 1);
	wk_client_shutdown(e->client);
	ends_until(e, &e->n_closed, 1);
	assert_null(e->client);
}

static void
test_client_dies_in_closed(void **state)
{
	(void)state;
	in_each(in_closed);
}

/* What the client hears when the server is gone from one moment to the next. */
static void
expect_loss(struct ends *e)
{
	ends_until(e, &e->n_closed, 1);
	assert_int_equal(e->n_streams_closed, 1);
	assert_true(e->has_failed);
	assert_int_equal(e->end.code, WK_STREAM_LOST);
	assert_int_equal(e->failure, WK_CLIENT_NETWORK);
	assert_string_not_equal(e->reason, "");
}

static void
server_dies(struct ends *e)
{
	ends_serve(e);
	e->stage = STAGE_REQUEST;
	e->at_stage = del_server;
	ends_ask(e, "GET", "/endless");
	expect_loss(e);
	assert_null(e->server);
}

static void
server_dies_late(struct ends *e)
{
	ends_serve(e);
	e->stage = STAGE_DATA;
	e->at_stage = del_server;
	ends_ask(e, "GET", "/endless");
	expect_loss(e);
}

static void
test_server_dies(void **state)
{
	(void)state;
	in_each(server_dies);
	in_each(server_dies_late);
}

/*
 * A tunnel that breaks must not look like one that ends, for which HTTP/1.1 in
 * cleartext has nothing but the way the connection ends.
 */
static void
broken_by_client(struct ends *e)
{
	ends_serve(e);
	e->keeps_open = true;
	e->stage = STAGE_DATA;
	e->at_stage = del_client;
	ends_tunnel(e, "/echo", 1000);
	ends_until(e, &e->n_streams_closed, 1);
	ends_until_connections(e, 0);
	assert_int_equal(echo_counters.failed, 1);
	assert_int_equal(echo_counters.ended, 0);
}

static void
broken_by_server(struct ends *e)
{
	ends_serve(e);
	e->keeps_open = true;
	e->stage = STAGE_DATA;
	e->at_stage = del_server;
	ends_tunnel(e, "/echo", 1000);
	expect_loss(e);
	assert_int_equal(e->n_ends, 0);
}

static void
test_broken_tunnel(void **state)
{
	(void)state;
	in_each(broken_by_client);
	in_each(broken_by_server);
}

static void
nobody_there(struct ends *e)
{
	ends_serve(e);
	del_server(e);
	ends_ask(e, "GET", "/");
	ends_until(e, &e->n_closed, 1);
	assert_int_equal(e->failure, WK_CLIENT_NETWORK);
	assert_string_equal(e->reason, "Connection refused");
}

static void
test_nobody_there(void **state)
{
	(void)state;
	in_each(nobody_there);
}

static void
shut_down_early(struct ends *e)
{
	ends_serve(e);
	ends_ask(e, "GET", "/");
	wk_client_shutdown(e->client);
	wk_client_shutdown(e->client);
	assert_int_equal(e->n_closed, 0);
	ends_until(e, &e->n_closed, 1);
	assert_string_equal(e->reason, "");
	assert_int_equal(e->n_connected, 0);
}

static void
test_shut_down_early(void **state)
{
	(void)state;
	in_each(shut_down_early);
}

/* --- draining ------------------------------------------------------------- */

static void
drain(struct ends *e)
{
	ends_serve(e);
	e->keeps_open = true;
	ends_tunnel(e, "/echo", 1000);
	while (e->received < 1000)
		ends_until(e, &e->n_heads, 1), wk_loop_run(e->loop);
	wk_server_drain(e->server, WK_NEVER);
	ends_settle(e, WK_NS_PER_SEC / 50);
	assert_int_equal(e->n_drained, 0);
	assert_int_equal(e->n_streams_closed, 0);
	wk_stream_finish(e->stream);
	ends_until(e, &e->n_drained, 1);
	ends_until(e, &e->n_streams_closed, 1);
	assert_false(e->has_failed);
	ends_until(e, &e->n_closed, 1);
	assert_int_equal(e->n_drained, 1);
}

static void
drain_deadline(struct ends *e)
{
	ends_serve(e);
	ends_ask(e, "GET", "/endless");
	e->keeps_data = true;
	ends_until(e, &e->n_heads, 1);
	wk_server_drain(e->server, wk_loop_now_ns(e->loop) +
	    WK_NS_PER_SEC / 20);
	ends_until(e, &e->n_drained, 1);
	assert_string_equal(e->note, "closed: the server stops");
	wk_stream_consume(e->stream, (size_t)e->unconsumed);
	e->keeps_data = false;
	ends_until(e, &e->n_closed, 1);
	assert_true(e->has_failed);
}

static void
drain_nothing(struct ends *e)
{
	ends_serve(e);
	wk_server_drain(e->server, WK_NEVER);
	assert_int_equal(e->n_drained, 0);
	ends_until(e, &e->n_drained, 1);
}

static void
test_drain(void **state)
{
	(void)state;
	in_each(drain);
	in_each(drain_deadline);
	in_each(drain_nothing);
}

/* --- versions ------------------------------------------------------------- */

static const struct {
	size_t pairing;
	unsigned served;
	unsigned asked;
	const char *reason;	/* NULL: it works, with that version */
	enum wk_http_version version;
} agreements[] = {
	{ 1, WK_HTTP_1_1 | WK_HTTP_2, WK_HTTP_1_1 | WK_HTTP_2, NULL,
	    WK_HTTP_2 },
	{ 1, WK_HTTP_1_1, WK_HTTP_1_1 | WK_HTTP_2, NULL, WK_HTTP_1_1 },
	{ 1, WK_HTTP_2, WK_HTTP_1_1 | WK_HTTP_2, NULL, WK_HTTP_2 },
	{ 1, WK_HTTP_2, WK_HTTP_1_1, "no_application_protocol", WK_HTTP_1_1 },
	{ 1, WK_HTTP_1_1, WK_HTTP_2, "no_application_protocol", WK_HTTP_2 },
	{ 0, WK_HTTP_1_1 | WK_HTTP_2, WK_HTTP_1_1 | WK_HTTP_2, NULL,
	    WK_HTTP_1_1 },
	{ 0, WK_HTTP_1_1, WK_HTTP_1_1, NULL, WK_HTTP_1_1 },
	{ 0, WK_HTTP_2, WK_HTTP_2, NULL, WK_HTTP_2 },
	{ 0, WK_HTTP_2, WK_HTTP_1_1, "", WK_HTTP_1_1 },
	{ 0, WK_HTTP_1_1, WK_HTTP_2, "", WK_HTTP_2 },
};

static void
test_versions(void **state)
{
	struct ends e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(agreements) / sizeof(agreements[0]); i++) {
		ends_init(&e, &pairings[agreements[i].pairing]);
		e.server_options.versions = agreements[i].served;
		e.client_options.versions = agreements[i].asked;
		ends_serve(&e);
		ends_ask(&e, "GET", "/");
		if (agreements[i].reason == NULL) {
			ends_until(&e, &e.n_connected, 1);
			assert_int_equal(wk_session_version(e.session),
			    agreements[i].version);
			ends_until(&e, &e.n_heads, 1);
			assert_int_equal(e.status, 200);
		} else {
			ends_until(&e, &e.n_closed, 1);
			assert_int_equal(e.n_heads, 0);
			if (strstr(e.reason, agreements[i].reason) == NULL)
				fail_msg("case %zu: %s", i, e.reason);
		}
		ends_free(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_refused_tunnel),
		cmocka_unit_test(test_slow_consumer),
		cmocka_unit_test(test_slow_echo),
		cmocka_unit_test(test_client_dies),
		cmocka_unit_test(test_client_dies_in_closed),
		cmocka_unit_test(test_server_dies),
		cmocka_unit_test(test_broken_tunnel),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_shut_down_early),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
