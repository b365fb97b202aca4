/* SPDX-License-Identifier: MIT */
/* What a peer cannot make an HTTP/3 session keep or do; and flow control. */
#include "config.h"

#include "tests/unit/http3_peer.h"

#include <malloc.h>

#include "common/net/http3_parts.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define POST ":method: POST\n:scheme: https\n:path: /\n:authority: a\n"
#define TUNNEL ":method: CONNECT\n:protocol: connect-udp\n:scheme: https\n" \
	":path: /\n:authority: a\n"
#define BOTH "08013301"

static struct peer *
server(const struct wk_session_limits *limits)
{
	struct peer *p = peer_greeted(true, limits, BOTH);

	p->handler.trace = NULL;	/* its lines would be what is kept */
	return p;
}

static uint64_t
ask(struct peer *p, const char *head, bool finishes)
{
	uint64_t id = peer_open(p, false, NULL);

	peer_head(p, id, head, finishes);
	return id;
}

/* --- floods of what costs nothing ----------------------------------------- */

static void
flood_control_grease(struct peer *p, unsigned i)
{
	(void)i;
	peer_hex(p, p->control, "2100", false);
}

static void
flood_goaway(struct peer *p, unsigned i)
{
	(void)i;
	peer_hex(p, p->control, "070100", false);
}

static void
flood_grease(struct peer *p, unsigned i)
{
	if (i == 0)
		ask(p, POST, false);
	peer_hex(p, 0, "2100", false);
}

static void
flood_empty(struct peer *p, unsigned i)
{
	if (i == 0)
		ask(p, POST, false);
	peer_hex(p, 0, "0000", false);
}

static void
flood_unis(struct peer *p, unsigned i)
{
	(void)i;
	peer_reset(p, peer_open(p, true, "21"), 0x100);
}

static void
flood_capacity(struct peer *p, unsigned i)
{
	static uint64_t id;

	if (i == 0)
		id = peer_open(p, true, "02");
	peer_hex(p, id, "20", false);
}

static void
flood_cancellations(struct peer *p, unsigned i)
{
	static uint64_t id;

	if (i == 0)
		id = peer_open(p, true, "03");
	peer_hex(p, id, "40", false);
}

static void
flood_resets(struct peer *p, unsigned i)
{
	(void)i;
	peer_reset(p, ask(p, POST, false), 0x10c);
}

static void
flood_empty_resets(struct peer *p, unsigned i)
{
	(void)i;
	peer_reset(p, peer_open(p, false, NULL), 0x10c);
}

static void
flood_malformed(struct peer *p, unsigned i)
{
	(void)i;
	ask(p, ":method: GET\n", true);
}

static void
flood_incomplete(struct peer *p, unsigned i)
{
	(void)i;
	peer_hex(p, peer_open(p, false, NULL), "", true);
}

static const struct {
	const char *name;
	void (*one)(struct peer *p, unsigned i);
	unsigned fine, fatal;	/* at once */
} floods[] = {
	{ "unknown frames", flood_control_grease, 900, 1100 },
	{ "GOAWAY", flood_goaway, 900, 1100 },
	{ "unknown frames of a request", flood_grease, 900, 1100 },
	{ "empty DATA", flood_empty, 900, 1100 },
	{ "unknown streams", flood_unis, 900, 1100 },
	{ "table capacities", flood_capacity, 900, 1100 },
	{ "cancellations", flood_cancellations, 900, 1100 },
	{ "resets", flood_resets, 390, 410 },
	{ "resets of nothing", flood_empty_resets, 390, 410 },
	{ "malformed requests", flood_malformed, 390, 410 },
	{ "requests without a head", flood_incomplete, 390, 410 },
};

static void
test_floods(void **state)
{
	struct peer *p;
	unsigned k;
	size_t i;

	(void)state;
	for (i = 0; i < N(floods); i++) {
		p = server(NULL);
		for (k = 0; k < floods[i].fine; k++)
			floods[i].one(p, k);
		if (p->theirs.was_closed)
			fail_msg("%s: already %s", floods[i].name,
			    p->ours.close_reason);
		for (; k < floods[i].fatal && !p->theirs.was_closed; k++)
			floods[i].one(p, k);
		if (!p->theirs.was_closed)
			fail_msg("%s: no limit", floods[i].name);
		peer_expect_close(p, 0x107);
		peer_del(p);
	}
}

/* The same in peace is nothing to object to. */
static void
test_no_flood(void **state)
{
	struct peer *p;
	unsigned k;
	size_t i;

	(void)state;
	for (i = 0; i < N(floods); i++) {
		p = server(NULL);
		for (k = 0; k < 1300 && !p->theirs.was_closed; k++) {
			floods[i].one(p, k);
			peer_pass(p, PEER_SEC / 20);
		}
		if (p->theirs.was_closed)
			fail_msg("%s: %s", floods[i].name,
			    p->ours.close_reason);
		peer_del(p);
	}
	/* Among data there may be as many, whatever the time. */
	p = server(NULL);
	ask(p, POST, false);
	for (k = 0; k < 1300; k++)
		peer_hex(p, 0, "2100 0003616263", false);
	peer_expect_close(p, 0);
	peer_del(p);
}

/* --- memory --------------------------------------------------------------- */

/* A frame of 1 GiB that nobody knows passes by. */
static void
test_huge_frames(void **state)
{
	static uint8_t piece[1 << 20];
	struct peer *p = server(NULL);
	struct mallinfo2 before, after;
	uint64_t id;
	unsigned i;

	(void)state;
	id = ask(p, POST, false);
	peer_hex(p, id, "21c000000040000000", false);
	before = mallinfo2();
	for (i = 0; i < 1024; i++)
		peer_send(p, id, piece, sizeof(piece), false);
	after = mallinfo2();
	/* What the test's own queues may have grown by. */
	assert_true(after.uordblks < before.uordblks + (4 << 20));
	peer_hex(p, id, "000161", false);
	peer_expect(p, "request POST a /; data 1");
	/* On the control stream as well. */
	peer_hex(p, p->control, "21c000000004000000", false);
	for (i = 0; i < 64; i++)
		peer_send(p, p->control, piece, sizeof(piece), false);
	peer_hex(p, p->control, "070100", false);
	peer_expect(p, "draining");
	peer_expect_close(p, 0);
	peer_del(p);
}

/* All streams there are, with nothing on them, or with half a head. */
static void
test_open_and_silent(void **state)
{
	static const char *const hex[] = { "", "01", "0114 0000d1" };
	struct peer *p;
	uint64_t id = 0;
	unsigned i;
	size_t k;

	(void)state;
	for (k = 0; k < N(hex); k++) {
		p = server(NULL);
		for (i = 0; i < 100; i++) {
			id = peer_open(p, false, NULL);
			/* An empty STREAM frame is what QUIC can do. */
			peer_hex(p, id, k == 0 ? "2100" : hex[k], false);
		}
		assert_int_equal(p->theirs.base.ops->open(&p->theirs.base,
		    false, &id), WK_E_LIMIT);
		peer_pass(p, 10 * PEER_SEC);
		/* Each was given up, the connection goes on. */
		assert_int_equal(p->ours.n_retired, 100);
		assert_int_equal(p->theirs.n_open[0], 0);
		for (i = 0; i < 100; i++) {
			peer_expect_heard(p, 4 * i, "STOP(10b) RESET(10b)");
			assert_true(fake_stream(&p->theirs, 4 * i)->has_reset);
		}
		peer_expect(p, "");
		peer_expect_close(p, 0);
		peer_del(p);
	}
}

/* More than we said we take, if the transport does not say no. */
static void
test_many_streams(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	uint64_t id;
	unsigned i;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_streams = 3;
	p = server(&limits);
	p->theirs.max_streams[0] = 100;
	for (i = 0; i < 3; i++)
		ask(p, GET, true);
	peer_expect(p, "request GET a /; end; request GET a /; end; "
	    "request GET a /; end");
	id = ask(p, GET, true);
	peer_expect_heard(p, id, "RESET(10b)");
	assert_int_equal(wk_session_streams(p->session), 3);
	peer_respond(p, p->s, 200, true);
	peer_run(p);
	ask(p, GET, true);
	peer_expect(p, "closed; request GET a /; end");
	peer_del(p);
	/* Unidirectional ones. */
	p = server(NULL);
	p->theirs.max_streams[1] = 1000;
	for (i = 0; i < 99; i++)
		peer_open(p, true, "40");
	peer_expect_close(p, 0);
	peer_open(p, true, "40");
	peer_expect_close(p, 0x107);
	peer_del(p);
}

/* What is over leaves nothing behind, however it ended. */
static void
test_nothing_stays(void **state)
{
	const struct http3 *h;
	struct peer *p = server(NULL);
	uint64_t id;
	size_t i;

	(void)state;
	h = (const struct http3 *)(const void *)p->session;
	for (i = 0; i < 50; i++) {
		ask(p, GET, true);
		peer_respond(p, p->s, 200, true);
		peer_run(p);
		id = ask(p, POST, false);
		wk_stream_reset(p->s, WK_STREAM_CANCEL, "why");
		peer_run(p);
		id = ask(p, POST, false);
		peer_reset(p, id, 0x10c);
		ask(p, ":method: GET\n", true);
		peer_reset(p, peer_open(p, false, "01"), 0x10c);
		peer_hex(p, peer_open(p, true, "21"), "", true);
		peer_reset(p, peer_open(p, true, "40"), 0);
		peer_datagram(p, "c0000000000fffff");
		peer_pass(p, PEER_SEC);
	}
	for (i = 0; i < HTTP3_BUCKETS; i++)
		assert_null(h->table[i]);
	assert_null(h->graves);
	assert_null(h->unis == NULL ? NULL : h->unis->next);
	assert_null(h->head_first);
	assert_int_equal(h->n_open, 0);
	assert_int_equal(h->n_kept + h->kept_octets, 0);
	assert_int_equal(h->base.n_streams, 0);
	peer_expect_close(p, 0);
	peer_del(p);
}

/* --- heads ---------------------------------------------------------------- */

static void
test_long_heads(void **state)
{
	static uint8_t block[70000];
	char lines[5000];
	struct wk_session_limits limits;
	struct peer *p;
	uint64_t id;
	size_t i, at;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_head = 2000;
	limits.max_fields = 5;
	p = server(&limits);
	/* By its text. */
	snprintf(lines, sizeof(lines), GET "x: %0*d\n", 2500, 0);
	id = ask(p, lines, true);
	peer_expect_heard(p, id, "HEADERS(431) FIN");
	/* By the number of its fields. */
	at = (size_t)snprintf(lines, sizeof(lines), GET);
	for (i = 0; i < 6; i++)
		at += (size_t)snprintf(lines + at, sizeof(lines) - at,
		    "x: y\n");
	id = ask(p, lines, false);
	peer_expect_heard(p, id, "HEADERS(431) FIN STOP(100)");
	/* By its frame, of which nothing is read. */
	id = peer_open(p, false, "01 bfffffff 0000");
	peer_expect_heard(p, id, "HEADERS(431) FIN STOP(100)");
	peer_send(p, id, block, sizeof(block), false);
	/* One octet for each line of a bomb. */
	memset(block, 0xc0 | 17, 1900);
	memcpy(block, "\0\0\xd1\xd7\xc1\x50\1a", 8);
	id = peer_open(p, false, NULL);
	peer_frame(p, id, 1, block, 1900, true);
	assert_non_null(strstr(peer_heard(p, id), "RESET(10e)"));
	peer_expect(p, "");
	/* And the next head is read as ever. */
	ask(p, GET, true);
	peer_expect(p, "request GET a /; end");
	peer_expect_close(p, 0);
	peer_del(p);

	p = peer_greeted(false, &limits, BOTH);
	peer_request(p, "GET", "", false);
	snprintf(lines, sizeof(lines), ":status: 200\nx: %0*d\n", 2500, 0);
	peer_head(p, 0, lines, false);
	peer_expect(p, "ours 6");
	assert_non_null(strstr(peer_heard(p, 0), "STOP(107)"));
	peer_request(p, "GET", "", false);
	peer_hex(p, 4, "01 bfffffff 0000", false);
	peer_expect(p, "ours 6");
	peer_expect_close(p, 0);
	peer_del(p);
}

/* A session is not done before even that has been heard. */
static void
test_refusal_is_heard(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	uint64_t id;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_fields = 0;
	p = server(&limits);
	p->is_deaf = true;
	id = ask(p, GET "x: y\n", true);
	wk_session_shutdown(p->session);
	peer_pass(p, 5 * PEER_SEC);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	p->is_deaf = false;
	peer_run(p);
	peer_expect_heard(p, id, "HEADERS(431) FIN");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_del(p);
}

/* --- flow control --------------------------------------------------------- */

/* Only the payload of DATA waits for the owner. */
static void
test_consumption(void **state)
{
	struct peer *p = server(NULL);
	const struct fake_stream *s;
	uint64_t id;

	(void)state;
	p->keeps = true;
	id = ask(p, POST, false);
	s = fake_stream(&p->ours, id);
	assert_int_equal(s->n_consumed, s->n_received);
	peer_hex(p, id, "2103ffffff 0004616263", false);
	assert_int_equal(s->n_consumed, s->n_received - 3);
	wk_stream_consume(p->s, 2);
	assert_int_equal(s->n_consumed, s->n_received - 1);
	wk_stream_consume(p->s, 100);
	assert_int_equal(s->n_consumed, s->n_received);
	peer_hex(p, id, "64 2100", false);
	assert_int_equal(s->n_consumed, s->n_received - 1);
	peer_del(p);

	/* A tunnel's wait for its answer; nothing more than its window. */
	p = server(NULL);
	id = ask(p, TUNNEL, false);
	s = fake_stream(&p->ours, id);
	peer_hex(p, id, "0003616263", false);
	peer_expect(p, "request CONNECT a / for connect-udp");
	assert_int_equal(s->n_consumed, s->n_received - 3);
	peer_respond(p, p->s, 200, false);
	peer_run(p);
	peer_expect(p, "data 3");
	assert_int_equal(s->n_consumed, s->n_received);
	peer_del(p);

	/* Refused: nobody wants them. */
	p = server(NULL);
	id = ask(p, TUNNEL, false);
	s = fake_stream(&p->ours, id);
	peer_hex(p, id, "0003616263", false);
	peer_respond(p, p->s, 403, true);
	peer_run(p);
	peer_hex(p, id, "0003616263", false);
	peer_expect(p, "request CONNECT a / for connect-udp");
	assert_int_equal(s->n_consumed, s->n_received);
	peer_hex(p, id, "", true);
	peer_expect(p, "end; closed");
	peer_del(p);
}

/* A transport with less room than a head needs. */
static void
test_little_room(void **state)
{
	struct wk_session_limits limits;
	struct wk_message m = { .status = 200 };
	struct wk_field field;
	char value[301];
	struct peer *p;
	uint64_t id;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_queued = 50;
	p = server(&limits);
	p->ours.max_queued = 50;
	id = ask(p, GET, true);
	memset(value, '&', sizeof(value) - 1);
	value[300] = '\0';
	field = wk_field_of("x", value);
	m.fields = &field;
	m.n_fields = 1;
	p->is_deaf = true;
	assert_int_equal(wk_stream_respond(p->s, &m, false, NULL), WK_OK);
	assert_int_equal(wk_stream_room(p->s), 0);
	assert_int_equal(wk_stream_write(p->s, "abc", 3), 0);
	/* The rest of the head goes first, though there is room again. */
	assert_true(fake_send(&p->ours, 0, p->now_ns, 0));
	assert_int_equal(wk_stream_room(p->s), 0);
	assert_int_equal(wk_stream_write(p->s, "abc", 3), 0);
	p->is_deaf = false;
	peer_run(p);
	peer_expect(p, "request GET a /; end; writable");
	assert_int_equal(wk_stream_room(p->s), 48);
	assert_int_equal(wk_stream_write(p->s, value, 100), 48);
	wk_stream_finish(p->s);
	peer_run(p);
	peer_expect_heard(p, id, "HEADERS(200) DATA(48) FIN");
	peer_expect(p, "closed");
	peer_del(p);
}

/* Who waits for room hears of it when half the queue is free, once. */
static void
test_half_free(void **state)
{
	struct wk_session_limits limits;
	static char text[200];
	struct peer *p;
	unsigned n;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_queued = 100;
	p = server(&limits);
	ask(p, GET, true);
	peer_respond(p, p->s, 200, false);
	peer_run(p);
	assert_int_equal(wk_stream_write(p->s, text, 200), 100);
	peer_expect(p, "request GET a /; end");
	for (n = 1; n <= 11; n++) {
		fake_send(&p->ours, 10, p->now_ns, 0);
		fake_receive(&p->ours, p->now_ns);
		peer_expect(p, n == 5 ? "writable" : "");
		assert_int_equal(wk_stream_queued(p->s), n < 10 ?
		    100 - 10 * n : n == 10 ? 1 : 0);
	}
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_no_flood),
		cmocka_unit_test(test_huge_frames),
		cmocka_unit_test(test_open_and_silent),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_nothing_stays),
		cmocka_unit_test(test_long_heads),
		cmocka_unit_test(test_refusal_is_heard),
		cmocka_unit_test(test_consumption),
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_half_free),
	};

	return cmocka_run_group_tests_name("http3_abuse", tests, NULL, NULL);
}
