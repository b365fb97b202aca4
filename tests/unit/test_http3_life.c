/* SPDX-License-Identifier: MIT */
/* How streams and connections begin and end over HTTP/3, and when. */
#include "config.h"

#include "tests/unit/http3_peer.h"

#include "common/net/loop.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define POST ":method: POST\n:scheme: https\n:path: /\n:authority: a\n"
#define TUNNEL ":method: CONNECT\n:protocol: connect-udp\n:scheme: https\n" \
	":path: /\n:authority: a\n"
#define BOTH "08013301"

static struct peer *
server(const struct wk_session_limits *limits)
{
	return peer_greeted(true, limits, BOTH);
}

static struct peer *
client(const struct wk_session_limits *limits)
{
	return peer_greeted(false, limits, BOTH);
}

static uint64_t
ask(struct peer *p, const char *head, bool finishes)
{
	uint64_t id = peer_open(p, false, NULL);

	peer_head(p, id, head, finishes);
	return id;
}

static void
reset(struct peer *p, enum wk_stream_code code)
{
	p->in_verb++;
	wk_stream_reset(p->s, code, "why");
	p->in_verb--;
}

/* --- resets --------------------------------------------------------------- */

static void
test_reset_codes(void **state)
{
	static const struct {
		enum wk_stream_code code;
		uint64_t out, in;	/* in: 0 for none of its own */
	} cases[] = {
		{ WK_STREAM_NO_ERROR, 0x100, 0x100 },
		{ WK_STREAM_CANCEL, 0x10c, 0x10c },
		{ WK_STREAM_MALFORMED, 0x10e, 0x10e },
		{ WK_STREAM_DATAGRAM, 0x33, 0x33 },
		{ WK_STREAM_CONNECT, 0x10f, 0x10f },
		{ WK_STREAM_REFUSED, 0x10b, 0x10b },
		{ WK_STREAM_OVERLOAD, 0x107, 0x107 },
		{ WK_STREAM_INTERNAL, 0x102, 0x102 },
		{ WK_STREAM_UNSUPPORTED, 0x10c, 0 },
		{ WK_STREAM_LOST, 0x10c, 0 },
		{ WK_STREAM_OTHER, 0x10c, 0x101 },
		{ WK_STREAM_OTHER, 0x10c, 0x4a1268 },
		{ WK_STREAM_MALFORMED, 0x10e, 0x10d },
	};
	char want[100];
	struct peer *p;
	uint64_t id;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = server(NULL);
		id = ask(p, POST, false);
		reset(p, cases[i].code);
		/* Due at once, but only when somebody asks. */
		assert_int_equal(wk_session_deadline_ns(p->session), 0);
		peer_run(p);
		snprintf(want, sizeof(want), "STOP(%llx) RESET(%llx)",
		    (unsigned long long)cases[i].out,
		    (unsigned long long)cases[i].out);
		peer_expect_heard(p, id, want);
		snprintf(want, sizeof(want), "request POST a /; ours %d",
		    cases[i].code);
		peer_expect(p, want);
		peer_del(p);
		if (cases[i].in == 0)
			continue;
		p = client(NULL);
		peer_request(p, "GET", "", false);
		peer_reset(p, 0, cases[i].in);
		snprintf(want, sizeof(want), "theirs %d", cases[i].code);
		peer_expect(p, want);
		peer_expect_close(p, 0);
		assert_int_equal(p->ours.n_retired, 1);
		peer_del(p);
	}
}

/* What a peer breaks off ends in both directions. */
static void
test_broken_off(void **state)
{
	struct peer *p = server(NULL);
	uint64_t id;

	(void)state;
	/* The request, while it still comes. */
	id = ask(p, POST, false);
	peer_reset(p, id, 0x10c);
	peer_expect(p, "request POST a /; theirs 1");
	peer_expect_heard(p, id, "RESET(10c)");
	/* The response, which nobody wants any more. */
	id = ask(p, GET, true);
	peer_stop(p, id, 0x10c);
	peer_expect(p, "request GET a /; end; theirs 1");
	peer_expect_heard(p, id, "RESET(10c)");
	/* Both at once. */
	id = ask(p, POST, false);
	p->theirs.base.ops->stop(&p->theirs.base, id, 0x10c);
	peer_reset(p, id, 0x10c);
	peer_expect(p, "request POST a /; theirs 1");
	/* Before there is a request. */
	id = peer_open(p, false, "01");
	peer_reset(p, id, 0x10c);
	id = peer_open(p, false, NULL);
	peer_reset(p, id, 0x10c);
	peer_expect_heard(p, id, "RESET(10c)");
	peer_expect(p, "");
	assert_int_equal(p->ours.n_retired, 5);
	assert_int_equal(wk_session_streams(p->session), 0);
	peer_expect_close(p, 0);
	peer_del(p);
}

/* A response may be whole before the request is (RFC 9114, section 4.1). */
static void
test_early_response(void **state)
{
	struct peer *p = client(NULL);

	(void)state;
	peer_request(p, "POST", "", true);
	peer_stop(p, 0, 0x100);
	assert_int_equal(wk_stream_write(p->s, "abc", 3), 3);
	peer_head(p, 0, ":status: 413\n", false);
	peer_hex(p, 0, "000161", true);
	/* It was not all that we had to say. */
	peer_expect(p, "head 413; data 1; end; theirs 0");
	peer_del(p);

	/* Nothing is missing when all was said. */
	p = client(NULL);
	peer_request(p, "GET", "", false);
	p->is_deaf = true;
	peer_stop(p, 0, 0x100);
	p->is_deaf = false;
	peer_head(p, 0, ":status: 200\n", true);
	peer_expect(p, "head 200; end; closed");
	peer_del(p);

	/* Any other reason is one. */
	p = client(NULL);
	peer_request(p, "POST", "", true);
	peer_stop(p, 0, 0x10b);
	peer_expect(p, "theirs 5");
	peer_del(p);
}

static void
ignore(struct peer *p, struct wk_stream *s, const struct wk_message *m)
{
	(void)p;
	(void)s;
	(void)m;
}

static void
answer_at_once(struct peer *p, struct wk_stream *s, const struct wk_message *m)
{
	(void)m;
	peer_respond(p, s, 200, true);
}

/* A stream that nobody wants is reset; one answered at once needs no owner. */
static void
test_unwanted(void **state)
{
	struct peer *p = server(NULL);
	uint64_t id;

	(void)state;
	p->request = ignore;
	id = ask(p, GET, true);
	peer_expect_heard(p, id, "RESET(10c)");
	p->request = answer_at_once;
	id = ask(p, GET, true);
	peer_expect_heard(p, id, "HEADERS(200) FIN");
	/* The rest of a request is not waited for. */
	id = ask(p, POST, false);
	peer_expect_heard(p, id, "HEADERS(200) FIN STOP(100)");
	assert_int_equal(wk_session_streams(p->session), 0);
	assert_int_equal(p->ours.n_retired, 3);
	peer_del(p);
	/* An owner who has answered whole may say so, too. */
	p = server(NULL);
	id = ask(p, POST, false);
	peer_respond(p, p->s, 413, true);
	reset(p, WK_STREAM_NO_ERROR);
	peer_run(p);
	peer_expect_heard(p, id, "HEADERS(413) FIN STOP(100)");
	peer_expect(p, "request POST a /; ours 0");
	peer_del(p);
}

/* --- tunnels that wait ---------------------------------------------------- */

static void
test_tunnels_wait(void **state)
{
	struct peer *p = peer_new(false, NULL);
	struct wk_stream *s;

	(void)state;
	s = peer_request(p, "CONNECT", "connect-udp", true);
	peer_request(p, "GET", "", false);
	assert_int_equal(wk_stream_id(s), 0);
	peer_expect_heard(p, 0, "HEADERS(GET) FIN");
	peer_expect_heard(p, 4, "");
	peer_open(p, true, "00040408013301");
	peer_expect_heard(p, 4, "HEADERS(CONNECT)");
	assert_int_equal(wk_stream_id(s), 4);
	peer_head(p, 4, ":status: 200\n", false);
	peer_expect(p, "head 200 opens");
	/* From now on at once. */
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_expect_heard(p, 8, "HEADERS(CONNECT)");
	peer_del(p);

	/* Given up before. */
	p = peer_new(false, NULL);
	peer_request(p, "CONNECT", "connect-udp", true);
	reset(p, WK_STREAM_CANCEL);
	peer_open(p, true, "00040408013301");
	peer_expect(p, "ours 1");
	peer_expect_heard(p, 0, "");
	peer_del(p);
}

static void
test_unsupported(void **state)
{
	static const char *const settings[] = { "", "0800", "3301" };
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(settings); i++) {
		char hex[40];

		p = peer_new(false, NULL);
		peer_request(p, "CONNECT", "connect-udp", true);
		snprintf(hex, sizeof(hex), "0004%02zx%s",
		    strlen(settings[i]) / 2, settings[i]);
		peer_open(p, true, hex);
		peer_expect(p, "ours 8");
		/* Later ones are told as late, but not later. */
		peer_request(p, "CONNECT", "connect-udp", true);
		peer_expect(p, "ours 8");
		peer_request(p, "GET", "", false);
		peer_expect_heard(p, 0, "HEADERS(GET) FIN");
		peer_del(p);
	}
}

static void
test_stream_limit(void **state)
{
	struct peer *p = client(NULL);

	(void)state;
	p->ours.max_streams[0] = 2;
	assert_non_null(peer_request(p, "GET", "", false));
	assert_non_null(peer_request(p, "GET", "", false));
	assert_null(peer_request(p, "GET", "", false));
	assert_int_equal(p->error.status, WK_E_LIMIT);
	assert_int_equal(wk_session_streams(p->session), 2);
	peer_head(p, 0, ":status: 200\n", true);
	assert_non_null(peer_request(p, "GET", "", false));
	peer_del(p);

	/* Tunnels that waited for SETTINGS wait for a stream, too. */
	p = peer_new(false, NULL);
	p->ours.max_streams[0] = 1;
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_open(p, true, "00040408013301");
	peer_expect_heard(p, 0, "HEADERS(CONNECT)");
	peer_expect_heard(p, 4, "");
	peer_reset(p, 0, 0x10b);
	peer_expect(p, "theirs 5");
	peer_expect_heard(p, 4, "HEADERS(CONNECT)");
	peer_del(p);
}

/* --- the end of connections ----------------------------------------------- */

/* Streams beyond the id were not looked at; the others go on. */
static void
test_goaway_received(void **state)
{
	struct peer *p = client(NULL);

	(void)state;
	peer_request(p, "GET", "", false);
	peer_request(p, "GET", "", false);
	peer_request(p, "GET", "", false);
	peer_hex(p, p->control, "0708fffffffffffffffc", false);
	peer_expect(p, "draining");
	peer_hex(p, p->control, "070104", false);
	peer_expect(p, "theirs 5; theirs 5");
	assert_non_null(strstr(peer_heard(p, 4), "STOP(10c)"));
	assert_null(peer_request(p, "GET", "", false));
	assert_int_equal(p->error.status, WK_E_UNSUPPORTED);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_head(p, 0, ":status: 200\n", true);
	peer_expect(p, "head 200; end; closed");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_del(p);

	/* Those that wait, too. */
	p = peer_new(false, NULL);
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_open(p, true, "000400 070100");
	peer_expect(p, "draining; ours 8");
	peer_del(p);
	p = peer_new(false, NULL);
	p->ours.max_streams[0] = 0;
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_open(p, true, "0004020801 070100");
	peer_expect(p, "draining; theirs 5");
	peer_del(p);
}

/* What the session's control stream holds behind SETTINGS. */
static const char *
said(struct peer *p)
{
	const struct fake_stream *s = fake_stream(&p->theirs,
	    wk_session_is_server(p->session) ? 3 : 2);
	static char hex[200];
	size_t i, at = 3 + (size_t)s->in.data[2];

	hex[0] = '\0';
	for (i = at; i < s->in.len; i++)
		snprintf(hex + 2 * (i - at), 3, "%02x", s->in.data[i]);
	return hex;
}

/* A server announces, waits for what is on its way, then means it. */
static void
test_server_shutdown(void **state)
{
	struct wk_stream *first;
	struct peer *p;
	uint64_t id;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = server(NULL);
		p->ours.rtt_ns = i == 0 ? 0 : PEER_SEC / 100;
		ask(p, GET, true);
		first = p->s;
		wk_session_shutdown(p->session);
		peer_run(p);
		assert_string_equal(said(p), "0708fffffffffffffffc");
		/* This one crossed the announcement. */
		ask(p, GET, true);
		assert_string_equal(said(p), "0708fffffffffffffffc");
		/* A second, or four round trips and a little. */
		peer_pass(p, (i == 0 ? PEER_SEC : 9 * PEER_SEC / 100) - 1);
		assert_string_equal(said(p), "0708fffffffffffffffc");
		peer_pass(p, 1);
		assert_string_equal(said(p), "0708fffffffffffffffc070108");
		/* This one is too late. */
		id = ask(p, GET, true);
		peer_expect_heard(p, id, "RESET(10b)");
		peer_expect(p, "request GET a /; end; request GET a /; end");
		assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
		peer_respond(p, first, 200, true);
		peer_respond(p, p->s, 200, true);
		assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
		peer_run(p);
		peer_expect(p, "closed; closed");
		assert_int_equal(wk_session_fate(p->session),
		    WK_SESSION_CLOSE);
		peer_del(p);
	}
}

/* A client says goodbye behind its requests, those that wait too. */
static void
test_client_shutdown(void **state)
{
	struct peer *p = peer_new(false, NULL);

	(void)state;
	peer_request(p, "CONNECT", "connect-udp", true);
	wk_session_shutdown(p->session);
	peer_run(p);
	assert_string_equal(said(p), "");
	peer_open(p, true, "0004020801");
	assert_string_equal(said(p), "070100");
	peer_expect_heard(p, 0, "HEADERS(CONNECT)");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_head(p, 0, ":status: 404\n", true);
	peer_expect(p, "head 404; end; closed");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_del(p);
}

static void
test_lost(void **state)
{
	struct peer *p;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = client(NULL);
		peer_request(p, "GET", "", false);
		if (i == 0)
			fake_cut(&p->ours, p->now_ns);
		else
			p->theirs.base.ops->close(&p->theirs.base,
			    i == 1 ? 0x100 : 0x107, "");
		peer_run(p);
		peer_expect(p, "theirs 9");
		/* However clean: somebody was waiting for more. */
		assert_int_equal(wk_session_fate(p->session),
		    WK_SESSION_ABORT);
		assert_null(peer_request(p, "GET", "", false));
		assert_int_equal(p->error.status, WK_E_UNSUPPORTED);
		assert_int_equal(wk_session_deadline_ns(p->session), WK_NEVER);
		peer_del(p);
	}
}

/* --- time ----------------------------------------------------------------- */

static void
test_head_timeout(void **state)
{
	struct peer *p;
	uint64_t id;
	int i;

	(void)state;
	/* No SETTINGS, from either end. */
	for (i = 0; i < 2; i++) {
		p = peer_new(i == 0, NULL);
		peer_open(p, true, "0004ff");
		peer_pass(p, 10 * PEER_SEC - 1);
		peer_expect_close(p, 0);
		peer_pass(p, 1);
		peer_expect_close(p, 0x100);
		peer_del(p);
	}
	/* A head that does not end, though it goes on: its stream does. */
	p = server(NULL);
	peer_pass(p, 50 * PEER_SEC);
	id = peer_open(p, false, "0114 0000");
	for (i = 0; i < 3; i++) {
		peer_pass(p, 3 * PEER_SEC);
		peer_hex(p, id, "d7", false);
	}
	peer_expect_heard(p, id, "");
	peer_pass(p, PEER_SEC);
	peer_expect_heard(p, id, "STOP(10b) RESET(10b)");
	/* Nor may trailers take for ever. */
	id = ask(p, POST, false);
	peer_pass(p, 100 * PEER_SEC);
	peer_hex(p, id, "01", false);
	peer_pass(p, 100 * PEER_SEC);
	peer_hex(p, id, "05", false);
	peer_pass(p, 11 * PEER_SEC);
	peer_expect(p, "request POST a /; ours 9");
	/* Others are not concerned. */
	ask(p, GET, true);
	peer_expect(p, "request GET a /; end");
	peer_del(p);
	/* A client may wait for the head, but not for the rest of it. */
	p = client(NULL);
	peer_request(p, "GET", "", false);
	peer_pass(p, 1000 * PEER_SEC);
	peer_hex(p, 0, "0105", false);
	peer_pass(p, 9 * PEER_SEC);
	peer_expect(p, "");
	peer_pass(p, PEER_SEC);
	peer_expect(p, "ours 9");
	peer_del(p);
}

static void
test_idle(void **state)
{
	struct peer *p = server(NULL);

	(void)state;
	ask(p, GET, true);
	peer_pass(p, 1000 * PEER_SEC);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_respond(p, p->s, 200, true);
	peer_run(p);
	peer_pass(p, 60 * PEER_SEC - 1);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_pass(p, 1);
	assert_string_equal(said(p), "070104");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_del(p);
}

/* --- deletion from inside events ------------------------------------------ */

static void
delete_on_request(struct peer *p, struct wk_stream *s,
    const struct wk_message *m)
{
	(void)m;
	wk_stream_handle(s, &peer_handler, p);
	peer_delete(p);
}

static void
delete_on_data(struct peer *p, struct wk_stream *s)
{
	(void)s;
	peer_delete(p);
}

static void
delete_on_closed(struct peer *p)
{
	p->on_closed = NULL;
	peer_delete(p);
}

static void
test_deletion(void **state)
{
	struct peer *p = server(NULL);

	(void)state;
	ask(p, POST, false);
	p->request = delete_on_request;
	ask(p, POST, false);
	assert_null(p->session);
	/* Every stream heard of it. */
	peer_expect(p, "request POST a /; request POST a /; ours 9; ours 9");
	peer_del(p);

	p = server(NULL);
	p->on_data = delete_on_data;
	peer_hex(p, ask(p, POST, false), "0003616263", false);
	peer_expect(p, "request POST a /; data 3; ours 9");
	peer_del(p);

	p = server(NULL);
	ask(p, POST, false);
	ask(p, POST, false);
	p->on_closed = delete_on_closed;
	peer_reset(p, 0, 0x10c);
	peer_expect(p, "request POST a /; request POST a /; theirs 1; ours 9");
	peer_del(p);
}

/* --- who is curious ------------------------------------------------------- */

static void
test_curious(void **state)
{
	struct wk_transport_stats stats;
	struct wk_setting list[3];
	struct peer *p = peer_new(true, NULL);

	(void)state;
	assert_int_equal(wk_session_settings(p->session, list, 3), 0);
	p->ours.rtt_ns = 5;
	assert_true(wk_session_stats(p->session, &stats));
	assert_int_equal(stats.smoothed_rtt_ns, 5);
	peer_open(p, true, "000408 08013301 80ffd27701");
	peer_del(p);
	p = peer_greeted(true, NULL, "0801330180ffd2770121004201");
	assert_int_equal(p->theirs.was_closed_code, 0x106);
	peer_del(p);
	p = peer_greeted(true, NULL, "0801330180ffd277012100");
	assert_int_equal(wk_session_settings(p->session, list, 3), 4);
	assert_string_equal(list[0].name, "ENABLE_CONNECT_PROTOCOL");
	assert_int_equal(list[1].id, 0x33);
	assert_int_equal(list[1].value, 1);
	assert_string_equal(list[2].name, "H3_DATAGRAM_DRAFT04");
	peer_hex(p, p->control, "070104", false);
	wk_buf_append(&p->traced, "", 1);
	assert_non_null(strstr((char *)p->traced.data,
	    "R0 SETTINGS, 11 octets\n"));
	assert_non_null(strstr((char *)p->traced.data,
	    "R0 SETTINGS H3_DATAGRAM = 1\n"));
	assert_non_null(strstr((char *)p->traced.data,
	    "R0 SETTINGS 0x21 = 0\n"));
	assert_non_null(strstr((char *)p->traced.data, "R0 GOAWAY 4\n"));
	assert_non_null(strstr((char *)p->traced.data,
	    "F0 SETTINGS ENABLE_CONNECT_PROTOCOL = 1\n"));
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_codes),
		cmocka_unit_test(test_broken_off),
		cmocka_unit_test(test_early_response),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_tunnels_wait),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_stream_limit),
		cmocka_unit_test(test_goaway_received),
		cmocka_unit_test(test_server_shutdown),
		cmocka_unit_test(test_client_shutdown),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_head_timeout),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_deletion),
		cmocka_unit_test(test_curious),
	};

	return cmocka_run_group_tests_name("http3_life", tests, NULL, NULL);
}
