/* SPDX-License-Identifier: MIT */
/* HTTP datagrams over HTTP/3 (RFC 9297, section 2). */
#include "config.h"

#include "tests/unit/http3_peer.h"

#include "common/net/loop.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define TUNNEL ":method: CONNECT\n:protocol: connect-udp\n:scheme: https\n" \
	":path: /\n:authority: a\n"
#define BOTH "08013301"

static void
open_at_once(struct peer *p, struct wk_stream *s, const struct wk_message *m)
{
	(void)m;
	wk_stream_handle(s, &peer_handler, p);
	peer_respond(p, s, 200, false);
	wk_stream_use_capsules(s, 1500);
}

static struct peer *
tunnel_server(const char *settings)
{
	struct peer *p = peer_greeted(true, NULL, settings);

	p->request = open_at_once;
	peer_head(p, peer_open(p, false, NULL), TUNNEL, false);
	peer_expect(p, "request CONNECT a / for connect-udp");
	return p;
}

static enum wk_stream_sent
send(struct peer *p, const char *text)
{
	enum wk_stream_sent sent;

	p->in_verb++;
	sent = wk_stream_send_datagram(p->s, text, strlen(text));
	p->in_verb--;
	peer_run(p);
	return sent;
}

/* In frames where both sides said so, else in capsules. */
static void
test_frames_or_capsules(void **state)
{
	struct peer *p = tunnel_server(BOTH);
	uint64_t id;

	(void)state;
	assert_true(wk_stream_has_datagram_frames(p->s));
	assert_int_equal(wk_stream_datagram_max(p->s), 1200 - 1);
	assert_int_equal(send(p, "hi"), WK_STREAM_SENT);
	assert_string_equal(peer_heard_datagram(p), "006869");
	peer_expect_heard(p, 0, "HEADERS(200)");
	/* Stream 44, and context 0 of CONNECT-UDP in front. */
	do {
		id = peer_open(p, false, NULL);
		peer_head(p, id, TUNNEL, false);
	} while (id < 44);
	wk_buf_clear(&p->log);
	peer_datagram(p, "0b0068656c6c6f");
	peer_expect(p, "datagram \".hello\"");
	wk_stream_send_datagram(p->s, "\0hello", 6);
	peer_run(p);
	assert_string_equal(peer_heard_datagram(p), "0b0068656c6c6f");
	/* Capsules are taken all the same. */
	peer_hex(p, id, "0004 00026869", false);
	peer_expect(p, "datagram \"hi\"");
	peer_del(p);

	p = tunnel_server("3300");
	assert_false(wk_stream_has_datagram_frames(p->s));
	assert_int_equal(send(p, "hi"), WK_STREAM_SENT);
	assert_string_equal(peer_heard_datagram(p), "");
	/* Two frames of DATA: the capsule's header and its value. */
	peer_expect_heard(p, 0, "HEADERS(200) DATA(4)");
	/* Frames that were not agreed upon mean nothing. */
	peer_datagram(p, "006869");
	peer_expect(p, "");
	peer_expect_close(p, 0);
	peer_del(p);
}

/* What is no HTTP datagram is an error of the connection. */
static void
test_unreadable(void **state)
{
	static const char *const bad[] = { "", "40", "c0000000",
		"d000000000000000", "ffffffffffffffff00" };
	static const char *const good[] = { "00", "4000",
		"cfffffffffffffff", "c000000000000000" };
	struct peer *p;
	size_t i;
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		for (i = 0; i < N(bad); i++) {
			p = peer_greeted(who, NULL, BOTH);
			peer_datagram(p, bad[i]);
			peer_expect_close(p, 0x33);
			peer_del(p);
		}
		p = peer_greeted(who, NULL, BOTH);
		for (i = 0; i < N(good); i++)
			peer_datagram(p, good[i]);
		peer_expect_close(p, 0);
		peer_del(p);
	}
}

/* Requests without datagrams are aborted when some come. */
static void
test_without_semantics(void **state)
{
	struct peer *p = peer_greeted(true, NULL, BOTH);
	uint64_t id = peer_open(p, false, NULL);

	(void)state;
	peer_head(p, id, GET, false);
	peer_datagram(p, "0061");
	peer_expect(p, "request GET a /; ours 3");
	peer_expect_heard(p, id, "STOP(33) RESET(33)");
	peer_expect_close(p, 0);
	peer_del(p);

	p = peer_greeted(false, NULL, BOTH);
	peer_request(p, "GET", "", false);
	peer_datagram(p, "0061");
	peer_expect(p, "ours 3");
	assert_non_null(strstr(peer_heard(p, 0), "STOP(33)"));
	/* And for a stream that was never opened: nothing. */
	peer_datagram(p, "0561");
	peer_expect_close(p, 0);
	peer_expect(p, "");
	peer_del(p);
}

/* Those that overtake their request, or SETTINGS, wait for a while. */
static void
test_early(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	uint64_t id;
	int i;

	(void)state;
	wk_session_limits_default(&limits);
	for (i = 0; i < 2; i++) {
		p = peer_greeted(true, NULL, BOTH);
		p->request = open_at_once;
		id = peer_open(p, false, NULL);
		peer_datagram(p, "0061");
		peer_datagram(p, "00");
		peer_datagram(p, "0162");
		peer_datagram(p, "0063");
		peer_pass(p, i == 0 ? PEER_SEC - 1 : PEER_SEC);
		peer_head(p, id, TUNNEL, false);
		peer_datagram(p, "0064");
		peer_expect(p, i == 0 ? "request CONNECT a / for connect-udp; "
		    "datagram \"a\"; datagram \"\"; datagram \"c\"; "
		    "datagram \"d\"" :
		    "request CONNECT a / for connect-udp; datagram \"d\"");
		peer_del(p);
	}
	/* Before SETTINGS, which others may overtake too. */
	p = peer_new(true, NULL);
	p->request = open_at_once;
	id = peer_open(p, false, NULL);
	peer_datagram(p, "0061");
	peer_head(p, id, TUNNEL, false);
	assert_int_equal(send(p, "x"), WK_STREAM_SENT);
	assert_string_equal(peer_heard_datagram(p), "");
	peer_open(p, true, "0004023301");
	assert_int_equal(send(p, "x"), WK_STREAM_SENT);
	assert_string_equal(peer_heard_datagram(p), "0078");
	peer_expect(p, "request CONNECT a / for connect-udp; datagram \"a\"");
	peer_del(p);
}

/* A server that has not answered yet gets them when it has. */
static void
test_before_the_answer(void **state)
{
	struct peer *p = peer_greeted(true, NULL, BOTH);

	(void)state;
	peer_head(p, peer_open(p, false, NULL), TUNNEL, false);
	peer_datagram(p, "0061");
	peer_hex(p, 0, "0003 000162", false);
	peer_expect(p, "request CONNECT a / for connect-udp");
	peer_respond(p, p->s, 200, false);
	assert_int_equal(wk_stream_use_capsules(p->s, 1500), WK_OK);
	peer_run(p);
	peer_expect(p, "datagram \"b\"; datagram \"a\"");
	peer_del(p);

	/* Or later, when it says that it wants capsules. */
	p = peer_greeted(true, NULL, BOTH);
	peer_head(p, peer_open(p, false, NULL), TUNNEL, false);
	peer_respond(p, p->s, 200, false);
	peer_datagram(p, "0061");
	peer_expect(p, "request CONNECT a / for connect-udp");
	assert_int_equal(wk_stream_use_capsules(p->s, 1500), WK_OK);
	assert_int_equal(wk_session_deadline_ns(p->session), 0);
	peer_run(p);
	peer_expect(p, "datagram \"a\"");
	peer_del(p);

	/* A client: they may come before the response. */
	p = peer_greeted(false, NULL, BOTH);
	p->uses_capsules = true;
	peer_request(p, "CONNECT", "connect-udp", true);
	assert_int_equal(send(p, "x"), WK_STREAM_CLOSED);
	peer_datagram(p, "0061");
	peer_expect(p, "");
	peer_head(p, 0, ":status: 200\n", false);
	peer_expect(p, "head 200 opens; datagram \"a\"");
	assert_int_equal(send(p, "x"), WK_STREAM_SENT);
	assert_string_equal(peer_heard_datagram(p), "0078");
	peer_del(p);

	/* Refused: they are gone. */
	p = peer_greeted(false, NULL, BOTH);
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_datagram(p, "0061");
	peer_head(p, 0, ":status: 403\n", false);
	peer_datagram(p, "0061");
	peer_expect(p, "head 403");
	peer_expect_close(p, 0);
	peer_del(p);
}

/* Those that wait when the peer's direction ends are not for anybody. */
static void
test_end_drops(void **state)
{
	struct peer *p = peer_greeted(true, NULL, BOTH);

	(void)state;
	peer_head(p, peer_open(p, false, NULL), TUNNEL, false);
	peer_respond(p, p->s, 200, false);
	peer_datagram(p, "0061");
	peer_hex(p, 0, "", true);
	peer_expect(p, "request CONNECT a / for connect-udp; end");
	assert_int_equal(wk_stream_use_capsules(p->s, 1500), WK_OK);
	/* Nothing is left that would have to expire. */
	peer_run(p);
	assert_int_equal(wk_session_deadline_ns(p->session), WK_NEVER);
	peer_expect(p, "");
	peer_del(p);
}

/* Only so many wait. */
static void
test_early_flood(void **state)
{
	static const char hex[] = "00";
	struct peer *p = peer_greeted(true, NULL, BOTH);
	char big[2 * 1100 + 1];
	unsigned i, n = 0;
	const char *at;

	(void)state;
	p->request = open_at_once;
	for (i = 0; i < 5000; i++)
		peer_datagram(p, hex);
	peer_head(p, peer_open(p, false, NULL), TUNNEL, false);
	wk_buf_append(&p->log, "", 1);
	for (at = (char *)p->log.data; (at = strstr(at, "datagram")) != NULL;
	    at++)
		n++;
	assert_int_equal(n, 64);
	wk_buf_clear(&p->log);
	memset(big, '0', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	big[1] = '1';
	for (i = 0; i < 5000; i++)
		peer_datagram(p, big);
	peer_head(p, peer_open(p, false, NULL), TUNNEL, false);
	wk_buf_printf(&p->log, "%c", 0);
	/* 64 KiB of 1099 octets each. */
	assert_in_range(p->log.len, 59 * 1099, 60 * 1120);
	peer_expect_close(p, 0);
	peer_del(p);
}

/* Behind the end of the peer's direction, and behind ours. */
static void
test_late(void **state)
{
	struct peer *p = tunnel_server(BOTH);

	(void)state;
	peer_hex(p, 0, "", true);
	peer_datagram(p, "0061");
	peer_expect(p, "end");
	assert_int_equal(send(p, "y"), WK_STREAM_SENT);
	wk_stream_finish(p->s);
	assert_int_equal(send(p, "y"), WK_STREAM_CLOSED);
	peer_expect(p, "closed");
	peer_datagram(p, "0061");
	peer_expect_close(p, 0);
	peer_expect(p, "");
	peer_del(p);
	/* One that was reset. */
	p = tunnel_server(BOTH);
	wk_stream_reset(p->s, WK_STREAM_CANCEL, "why");
	peer_datagram(p, "0061");
	peer_expect(p, "ours 1");
	peer_expect_close(p, 0);
	peer_del(p);
}

static void
test_sizes_and_room(void **state)
{
	struct peer *p = tunnel_server(BOTH);
	static char text[1300];
	unsigned n = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[1200] = '\0';
	assert_int_equal(send(p, text), WK_STREAM_TOO_BIG);
	text[1199] = '\0';
	assert_int_equal(send(p, text), WK_STREAM_SENT);
	peer_heard_datagram(p);
	/* A queue that is full says so, and when it is not any more. */
	p->ours.datagram_room = 5000;
	p->is_deaf = true;
	while (send(p, "0123456789") == WK_STREAM_SENT)
		n++;
	assert_in_range(n, 300, 500);
	peer_expect(p, "");
	assert_int_equal(send(p, "0123456789"), WK_STREAM_BLOCKED);
	p->is_deaf = false;
	peer_run(p);
	peer_expect(p, "writable");
	assert_int_equal(send(p, "0123456789"), WK_STREAM_SENT);
	peer_expect(p, "");
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_or_capsules),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_without_semantics),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_before_the_answer),
		cmocka_unit_test(test_end_drops),
		cmocka_unit_test(test_early_flood),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_sizes_and_room),
	};

	return cmocka_run_group_tests_name("http3_datagrams", tests, NULL,
	    NULL);
}
