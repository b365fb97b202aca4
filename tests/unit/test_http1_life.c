/* SPDX-License-Identifier: MIT */
/* Deadlines, ends that come early or late, queues: how connections live. */
#include "config.h"

#include "tests/unit/http1_raw.h"

#include "common/net/http1_session_parts.h"

/* Deadlines. */
static void
test_server_deadlines(void **state)
{
	struct link *l = http1_raw_link(false, 0);
	const char *text;
	size_t len, i;

	(void)state;
	/* Nothing at all, from the beginning. */
	link_pass(l, 9 * LINK_SEC);
	assert_int_equal(l->server.fate, STAYS);
	link_pass(l, 2 * LINK_SEC);
	assert_int_equal(l->server.fate, CLOSES);
	link_heard(l, &len);
	assert_int_equal(len, 0);
	link_del(l);

	/* Trickled: the first octet counts, not the last. */
	l = http1_raw_link(false, 0);
	link_feed(l, GET("/"), strlen(GET("/")));
	link_pass(l, 20 * LINK_SEC);
	for (i = 0; i < 9; i++) {
		link_feed(l, "GET /trickle", 1);
		link_pass(l, LINK_SEC);
	}
	assert_int_equal(l->server.fate, STAYS);
	link_pass(l, 2 * LINK_SEC);
	assert_int_equal(l->server.fate, ENDS);
	text = link_heard(l, &len);
	assert_non_null(strstr(text, "HTTP/1.1 408 Request Timeout\r\n"));
	link_pass(l, 3 * LINK_SEC);
	assert_int_equal(l->server.fate, CLOSES);
	link_del(l);

	/* Lingering ends with the peer's own end. */
	l = http1_raw_link(false, 0);
	link_feed(l, "\n", 1);
	link_run(l);
	assert_int_equal(l->server.fate, ENDS);
	link_feed(l, GET("/"), strlen(GET("/")));
	link_feed_end(l, true);
	link_run(l);
	assert_int_equal(l->server.fate, CLOSES);
	assert_int_equal(l->server.n_sides, 0);
	link_del(l);
}

static void
test_client_deadlines(void **state)
{
	struct link *l = http1_raw_link(true, 0);
	struct side *side = http1_ask(l, KIND_GET);

	(void)state;
	link_pass(l, 1000 * LINK_SEC);
	side_expect(side, "");
	link_feed(l, R("103") "\r\n", strlen(R("103") "\r\n"));
	link_pass(l, 1000 * LINK_SEC);
	link_feed(l, R("200"), 5);
	link_pass(l, 9 * LINK_SEC);
	side_expect(side, "inform 103");
	link_pass(l, 2 * LINK_SEC);
	side_expect(side, "inform 103; gave up: lost");
	assert_int_equal(l->client.fate, BREAKS);
	link_del(l);
}

/* A half-closed client is still answered, all that it asked for. */
static void
test_half_closed_client(void **state)
{
	static const struct {
		const char *in;
		bool is_clean;
		const char *out, *log;
		int fate;
	} cases[] = {
		{ GET("/") GET("/none"), true, PAGE
		    "HTTP/1.1 204 No Content\n\n",
		    "GET a /; end; closed / GET a /none; end; closed", CLOSES },
		{ GET("/wait"), true, "", "GET a /wait; end", STAYS },
		{ GET("/wait"), false, "", "GET a /wait; end; broken: lost",
		    CLOSES },
		{ "GET / HT", true, "", "", CLOSES },
		{ "", true, "", "", CLOSES },
		{ POST_("/wait") "Content-Length: 3\r\n\r\nab", true, "",
		    "POST a /wait; \"ab\"; broken: lost", CLOSES },
		{ POST_("/wait") "Transfer-Encoding: chunked\r\n\r\n2\r\nab",
		    true, "", "POST a /wait; \"ab\"; broken: lost", CLOSES },
		{ GET_("/wait") UP "\r\nab", true, "",
		    "CONNECT a /wait for connect-udp", STAYS },
		{ GET_("/wait") UP "\r\n", false, "",
		    "CONNECT a /wait for connect-udp; broken: lost", CLOSES },
		{ GET_("/t") UP "\r\nab", true, OPEN "ab",
		    "CONNECT a /t for connect-udp; \"ab\"; end; closed",
		    CLOSES },
		{ GET_("/t") UP "\r\nab", false, OPEN "ab",
		    "CONNECT a /t for connect-udp; \"ab\"; broken: lost",
		    CLOSES },
	};
	char out[1024], log[1024];
	const char *text;
	struct link *l;
	size_t i, step, len;

	(void)state;
	for (i = 0; i < N(cases); i++)
		for (step = 1; step <= strlen(cases[i].in) + 1; step++) {
			l = http1_raw_link(false, step);
			link_feed(l, cases[i].in, strlen(cases[i].in));
			link_feed_end(l, cases[i].is_clean);
			link_run(l);
			text = link_heard(l, &len);
			assert_string_equal(http1_lines(text, len, out, sizeof(out)),
			    cases[i].out);
			assert_string_equal(http1_heard_by(&l->server, log,
			    sizeof(log)), cases[i].log);
			assert_int_equal(l->server.fate, cases[i].fate);
			link_del(l);
		}
}

/* Answered late: what waited behind the tunnel request is the tunnel's. */
static void
test_late_answers(void **state)
{
	static const char in[] = GET_("/wait") UP "\r\nearly";
	struct link *l;
	struct side *side;
	size_t i, step;

	(void)state;
	for (i = 0; i < 2; i++)
		for (step = 1; step <= sizeof(in); step++) {
			l = http1_raw_link(false, step);
			link_feed(l, in, sizeof(in) - 1);
			link_feed_end(l, true);
			link_run(l);
			side = &l->server.sides[0];
			side_expect(side, "CONNECT a /wait for connect-udp");
			side_respond(side, i == 0 ? 200 : 404, NULL, i == 1);
			link_run(l);
			side_expect(side, i == 0 ?
			    "CONNECT a /wait for connect-udp; \"early\"; end" :
			    "CONNECT a /wait for connect-udp; closed");
			link_del(l);
		}
}

/* Answered late, and nothing waited but the end. */
static void
test_late_answer_to_half_closed(void **state)
{
	static const char in[] = GET_("/wait") UP "\r\n";
	struct link *l = http1_raw_link(false, 0);
	struct side *side;

	(void)state;
	link_feed(l, in, sizeof(in) - 1);
	link_feed_end(l, true);
	link_run(l);
	side = &l->server.sides[0];
	side_respond(side, 200, NULL, false);
	link_run(l);
	side_expect(side, "CONNECT a /wait for connect-udp; end");
	side_send(side, "still here", 10, true);
	link_run(l);
	side_expect(side, "CONNECT a /wait for connect-udp; end; closed");
	link_del(l);
}

/* Input is read, and the end kept behind it, while no output goes out. */
static void
test_stuck_output(void **state)
{
	static const char in[] = GET_("/wait") UP "\r\nearly";
	struct link *l = http1_raw_link(false, 0);
	const char *text;
	char out[512];
	size_t len;

	(void)state;
	l->server.is_mute = true;
	link_feed(l, GET("/") GET("/none"), strlen(GET("/") GET("/none")));
	link_feed_end(l, true);
	link_run(l);
	assert_int_equal(l->server.n_sides, 1);
	l->server.is_mute = false;
	link_run(l);
	text = link_heard(l, &len);
	assert_string_equal(http1_lines(text, len, out, sizeof(out)),
	    PAGE "HTTP/1.1 204 No Content\n\n");
	link_del(l);

	l = http1_raw_link(false, 0);
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	l->server.is_mute = true;
	side_respond(&l->server.sides[0], 200, NULL, false);
	link_run(l);
	side_expect(&l->server.sides[0],
	    "CONNECT a /wait for connect-udp; \"early\"");
	link_del(l);
}

/* Too late for an answer in words. */
static void
test_broken_body_behind_response(void **state)
{
	static const char in[] = POST_("/echo") TE "\r\n2\r\nhi\r\nx";
	struct link *l = http1_raw_link(false, 1);
	const char *text;
	size_t len;

	(void)state;
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	side_expect(&l->server.sides[0],
	    "POST a /echo; \"hi\"; gave up: malformed");
	assert_int_equal(l->server.fate, BREAKS);
	text = link_heard(l, &len);
	assert_null(strstr(text, "400"));
	link_del(l);
}

/* Who is busy still hears that the peer has gone. */
static void
test_busy_listens(void **state)
{
	struct link *l = http1_raw_link(false, 0);

	(void)state;
	link_feed(l, GET("/wait"), strlen(GET("/wait")));
	link_run(l);
	assert_true(wk_session_wants_input(l->server.session));
	link_feed(l, "G", 1);
	link_run(l);
	assert_false(wk_session_wants_input(l->server.session));
	link_del(l);

	l = http1_raw_link(false, 0);
	link_feed(l, GET_("/wait") UP "\r\n", strlen(GET_("/wait") UP "\r\n"));
	link_run(l);
	assert_true(wk_session_wants_input(l->server.session));
	link_del(l);
}

static void
send_octets(struct link *l, size_t n)
{
	const uint8_t *data;

	assert_true(wk_session_output(l->client.session, &data) >= n);
	wk_session_sent(l->client.session, n, l->now_ns);
}

static size_t
waiting_octets(struct link *l)
{
	const uint8_t *data;

	return wk_session_output(l->client.session, &data);
}

/* Writable is worth it: when half of the queue is free. */
static void
test_writable(void **state)
{
	static char text[1000];
	struct link_options options;
	struct side *side;
	struct link *l;

	(void)state;
	link_options_default(&options, http1_serve);
	options.limits[0].max_queued = 400;
	options.is_raw[1] = true;
	l = link_new(&options);
	side = link_request(l, link_post("/", "content-length: 1000"), true);
	send_octets(l, waiting_octets(l));
	side_send(side, text, sizeof(text), false);
	assert_int_equal(side->send_at, 400);
	send_octets(l, 199);
	assert_int_equal(side->send_at, 400);
	assert_int_equal(wk_stream_queued(side->s), 201);
	send_octets(l, 1);
	assert_int_equal(side->send_at, 600);
	send_octets(l, 400);
	assert_int_equal(side->send_at, 1000);
	link_del(l);
}

/* Small chunks cost more than they carry; that is bounded too. */
static void
test_small_chunks(void **state)
{
	struct link_options options;
	struct wk_buf *out;
	struct side *side;
	struct link *l;
	size_t i;

	(void)state;
	link_options_default(&options, http1_serve);
	options.limits[0].max_queued = 1000;
	options.is_raw[1] = true;
	l = link_new(&options);
	side = link_request(l, link_post("/", NULL), true);
	for (i = 0; i < 1001 && side_write(side, "x", 1) == 1; i++)
		;
	assert_in_range(i, 300, 900);
	assert_in_range(waiting_octets(l), 3000, 5000);
	send_octets(l, waiting_octets(l) / 2);
	assert_int_equal(side_write(side, "x", 1), 1);
	/* What was sent does not stay. */
	out = &((struct wk_http1_session *)l->client.session)->out;
	for (i = 0; i < 5000; i++) {
		assert_int_equal(side_write(side, "x", 1), 1);
		send_octets(l, 6);
	}
	assert_in_range(out->cap, 1, 16384);
	send_octets(l, waiting_octets(l));
	assert_in_range(out->cap, 0, 2048);
	link_del(l);
}

/* A response that nobody may cut short or extend. */
static void
test_bodiless_statuses(void **state)
{
	struct link *l = http1_raw_link(false, 0);
	struct side *side;

	(void)state;
	link_feed(l, GET("/wait"), strlen(GET("/wait")));
	link_run(l);
	side = &l->server.sides[0];
	assert_int_equal(side_respond(side, 204, NULL, false), WK_E_INVALID);
	assert_int_equal(side_respond(side, 304, NULL, false), WK_E_INVALID);
	assert_int_equal(side_respond(side, 204, "content-length: 0", true),
	    WK_E_INVALID);
	assert_int_equal(side_inform(side, 103, "content-length: 0"),
	    WK_E_INVALID);
	assert_int_equal(side_respond(side, 304, "content-length: 9", true),
	    WK_OK);
	link_run(l);
	assert_true(side->is_closed);
	link_del(l);
}

static void
test_shutdown_is_said(void **state)
{
	struct link *l = http1_raw_link(false, 0);
	const char *text;
	char out[512];
	size_t len;

	(void)state;
	link_feed(l, GET("/wait"), strlen(GET("/wait")));
	link_run(l);
	wk_session_shutdown(l->server.session);
	side_respond(&l->server.sides[0], 200, NULL, true);
	link_run(l);
	text = link_heard(l, &len);
	assert_string_equal(http1_lines(text, len, out, sizeof(out)),
	    "HTTP/1.1 200 OK\nconnection: close\ncontent-length: 0\n\n");
	assert_int_equal(l->server.fate, ENDS);
	link_del(l);
}

static void
test_draining(void **state)
{
	static const struct {
		const char *in;
		unsigned n;
	} cases[] = {
		{ R("200") CL("0") "\r\n", 0 },
		{ R("200") CL("0") "Connection: close\r\n\r\n", 1 },
		{ R("200") "\r\n", 1 },
		{ "HTTP/1.0 200 OK\r\n" CL("9") "\r\n", 1 },
	};
	struct link *l;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		l = http1_raw_link(true, 0);
		http1_ask(l, KIND_GET);
		link_feed(l, cases[i].in, strlen(cases[i].in));
		link_run(l);
		assert_int_equal(l->client.n_draining, cases[i].n);
		link_del(l);
	}
}

/* Owners that leave: a request nobody takes, a body nobody reads. */
static bool takes;

static void
request_without_owner(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	const struct wk_message page = { .status = 404 };

	(void)session;
	(void)m;
	if (takes)
		assert_int_equal(wk_stream_respond(s, &page, true, NULL),
		    WK_OK);
}

static size_t
drain_output(struct wk_session *session)
{
	const uint8_t *data;
	size_t n, sum = 0;

	while ((n = wk_session_output(session, &data)) > 0) {
		wk_session_sent(session, n, 1);
		sum += n;
	}
	return sum;
}

static void
test_no_owner(void **state)
{
	static const struct wk_session_handler handler = {
		.request = request_without_owner,
	};
	static const char small[] = POST_("/") CL("100") "\r\n";
	static const char large[] = POST_("/") CL("9999") "\r\n";
	struct wk_session_limits limits;
	struct wk_session *session;
	uint8_t body[5000] = { 'x' };

	(void)state;
	wk_session_limits_default(&limits);
	limits.window = 1000;
	takes = false;
	session = wk_http1_session_new(true, &limits, &handler, NULL, 1);
	wk_session_receive(session, (const uint8_t *)small, sizeof(small) - 1,
	    1, NULL);
	assert_int_equal(wk_session_fate(session), BREAKS);
	assert_int_equal(wk_session_streams(session), 0);
	wk_session_del(session);

	/* A small rest is read, and the connection goes on. */
	takes = true;
	session = wk_http1_session_new(true, &limits, &handler, NULL, 1);
	wk_session_receive(session, (const uint8_t *)small, sizeof(small) - 1,
	    1, NULL);
	assert_true(drain_output(session) > 0);
	assert_int_equal(wk_session_streams(session), 1);
	wk_session_receive(session, body, 100, 1, NULL);
	assert_int_equal(wk_session_streams(session), 0);
	assert_int_equal(wk_session_fate(session), STAYS);
	wk_session_receive(session, (const uint8_t *)large, sizeof(large) - 1,
	    1, NULL);
	assert_true(drain_output(session) > 0);
	wk_session_receive(session, body, 1000, 1, NULL);
	assert_int_equal(wk_session_fate(session), STAYS);
	wk_session_receive(session, body, 5000, 1, NULL);
	assert_int_equal(wk_session_fate(session), ENDS);
	assert_int_equal(wk_session_streams(session), 0);
	wk_session_del(session);
}

/* Ten thousand quiet tunnels: heads and buffers are gone. */
static void
test_idle_tunnel_is_small(void **state)
{
	static const char in[] = GET_("/t") UP "\r\nabc";
	struct wk_http1_session *s;
	struct link *l = http1_raw_link(false, 0);

	(void)state;
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	s = (struct wk_http1_session *)l->server.session;
	assert_null(s->incoming);
	assert_null(s->held.data);
	assert_in_range(s->out.cap, 0, 2048);
	assert_in_range(sizeof(*s) + sizeof(*s->stream), 1, 1024);
	link_del(l);
}

/* A busy server keeps no more than the one read it was given. */
static void
test_pipelining_is_bounded(void **state)
{
	struct link *l = http1_raw_link(false, 50);
	size_t i;

	(void)state;
	link_feed(l, GET("/wait"), strlen(GET("/wait")));
	for (i = 0; i < 40; i++)
		link_feed(l, GET("/"), strlen(GET("/")));
	link_run(l);
	assert_false(wk_session_wants_input(l->server.session));
	assert_in_range(l->server.in.n_passed, 50, 100);
	side_respond(&l->server.sides[0], 200, NULL, true);
	link_run(l);
	assert_int_equal(l->server.n_sides, 41);
	assert_true(wk_session_wants_input(l->server.session));
	link_del(l);
}

/* The scheme is the connection's, unless the request says otherwise. */
static struct wk_str want_scheme;

static void
check_scheme(struct side *side, const struct wk_message *m)
{
	assert_true(wk_str_equals(m->scheme, want_scheme));
	side_respond(side, 200, NULL, true);
}

static void
test_scheme(void **state)
{
	struct link_options options;
	struct link *l;

	(void)state;
	link_options_default(&options, check_scheme);
	options.is_raw[0] = true;
	l = link_new(&options);
	want_scheme = wk_str_of("http");
	link_feed(l, GET("/"), strlen(GET("/")));
	link_run(l);
	wk_http1_session_set_scheme(l->server.session, "https");
	want_scheme = wk_str_of("https");
	link_feed(l, GET("/"), strlen(GET("/")));
	link_run(l);
	want_scheme = wk_str_of("coap");
	link_feed(l, GET("coap://a/"), strlen(GET("coap://a/")));
	link_run(l);
	assert_int_equal(l->server.n_sides, 3);
	link_del(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_deadlines),
		cmocka_unit_test(test_client_deadlines),
		cmocka_unit_test(test_half_closed_client),
		cmocka_unit_test(test_late_answers),
		cmocka_unit_test(test_late_answer_to_half_closed),
		cmocka_unit_test(test_stuck_output),
		cmocka_unit_test(test_broken_body_behind_response),
		cmocka_unit_test(test_busy_listens),
		cmocka_unit_test(test_writable),
		cmocka_unit_test(test_small_chunks),
		cmocka_unit_test(test_bodiless_statuses),
		cmocka_unit_test(test_shutdown_is_said),
		cmocka_unit_test(test_draining),
		cmocka_unit_test(test_no_owner),
		cmocka_unit_test(test_idle_tunnel_is_small),
		cmocka_unit_test(test_pipelining_is_bounded),
		cmocka_unit_test(test_scheme),
	};

	return http1_run("http1_life", tests);
}
