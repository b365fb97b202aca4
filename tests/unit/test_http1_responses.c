/* SPDX-License-Identifier: MIT */
/* What a client makes of responses, and what it writes. */
#include "config.h"

#include "tests/unit/http1_raw.h"

/* What a client makes of responses. */
enum end { NO_END, CLEAN, CUT };

static const struct {
	enum http1_kind kind;
	const char *in;
	enum end end;
	const char *log;
	int status, fate;
} responses[] = {
	{ KIND_GET, R("200") CL("2") "\r\nok", NO_END,
	    "head 200; \"ok\"; end; closed", WK_OK, STAYS },
	{ KIND_GET, R("200") CL("0") "X: \r\n\r\n", NO_END,
	    "head 200 x=; end; closed", WK_OK, STAYS },
	{ KIND_GET, R("200") TE "\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n", NO_END,
	    "head 200; \"ok\"; end; closed", WK_OK, STAYS },
	{ KIND_GET, R("200") "\r\nok", CLEAN,
	    "head 200; \"ok\"; end; closed", WK_OK, CLOSES },
	{ KIND_GET, R("200") "\r\nok", CUT,
	    "head 200; \"ok\"; broken: lost", WK_OK, CLOSES },
	{ KIND_GET, R("200") "\r\nok", NO_END,
	    "head 200; \"ok\"", WK_OK, STAYS },
	{ KIND_GET, "HTTP/1.1 200\r\n" CL("2") "\r\nok", NO_END,
	    "head 200; \"ok\"; end; closed", WK_OK, STAYS },
	{ KIND_GET, "HTTP/1.0 200 OK\r\n" CL("2") "\r\nok", NO_END,
	    "head 200; \"ok\"; end; closed", WK_OK, CLOSES },
	{ KIND_GET, R("200") "Connection: close\r\n" CL("2") "\r\nok",
	    NO_END, "head 200; \"ok\"; end; closed", WK_OK, CLOSES },
	{ KIND_HEAD, R("200") CL("2") "\r\n", NO_END,
	    "head 200; end; closed", WK_OK, STAYS },
	{ KIND_GET, R("304") CL("2") "\r\n", NO_END,
	    "head 304; end; closed", WK_OK, STAYS },
	{ KIND_POST, R("204") "\r\n", NO_END, "head 204; end; closed",
	    WK_OK, STAYS },
	{ KIND_GET, R("100") "\r\n" R("103") "Link: x\r\n\r\n" R("200") CL("0")
	    "\r\n", NO_END,
	    "inform 100; inform 103 link=x; head 200; end; closed", WK_OK,
	    STAYS },
	/* Cut short. */
	{ KIND_GET, "", CLEAN, "broken: lost", WK_OK, CLOSES },
	{ KIND_GET, R("200"), CLEAN, "broken: lost", WK_OK, CLOSES },
	{ KIND_GET, R("103") "\r\n", CLEAN, "inform 103; broken: lost",
	    WK_OK, CLOSES },
	{ KIND_GET, R("200") CL("3") "\r\nok", CLEAN,
	    "head 200; \"ok\"; broken: lost", WK_OK, CLOSES },
	{ KIND_GET, R("200") TE "\r\n2\r\nok\r\n", CLEAN,
	    "head 200; \"ok\"; broken: lost", WK_OK, CLOSES },
	{ KIND_GET, R("200") TE "\r\n2\r\nok\r\n0\r\n", CLEAN,
	    "head 200; \"ok\"; broken: lost", WK_OK, CLOSES },
	/* Complete is complete, however the connection ends. */
	{ KIND_GET, R("200") CL("2") "\r\nok", CUT,
	    "head 200; \"ok\"; end; closed", WK_OK, CLOSES },
	/* Broken rules. */
	{ KIND_GET, "HTTP/1.1 200 OK\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_GET, "ICY 200 OK\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_GET, "HTTP/2 200 OK\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_GET, R("200") CL("2") CL("2") "\r\nok", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_GET, R("200") CL("2") TE "\r\nok", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_GET, R("200") "Transfer-Encoding: gzip\r\n\r\nok", NO_END,
	    "gave up: malformed", WK_E_UNSUPPORTED, BREAKS },
	{ KIND_GET, R("200") TE "\r\n2\r\nokay\r\n", NO_END,
	    "head 200; \"ok\"; gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_GET, R("200") "A: b\r\n c\r\n\r\n", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_GET, R("200") "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
	    "A:\r\n\r\n", NO_END, "gave up: malformed", WK_E_LIMIT,
	    BREAKS },
	{ KIND_GET, R("101") "\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_CONNECT, R101 "\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	/* Octets behind a response are nobody's. */
	{ KIND_GET, R("200") CL("2") "\r\nok" "HTTP/1.1 200 OK\r\n\r\n",
	    NO_END, "head 200; \"ok\"; end; closed", WK_E_MALFORMED, CLOSES },
	{ KIND_HEAD, R("200") CL("2") "\r\nok", NO_END,
	    "head 200; end; closed", WK_E_MALFORMED, CLOSES },
	/* Tunnels: the strict 101. */
	{ KIND_TUNNEL, R101 "Capsule-Protocol: ?1\r\n\r\n", NO_END,
	    "open capsule-protocol=?1", WK_OK, STAYS },
	{ KIND_TUNNEL, R101 "\r\nglued", NO_END, "open; \"glued\"", WK_OK,
	    STAYS },
	{ KIND_TUNNEL, R101 "\r\nglued", CLEAN, "open; \"glued\"; end",
	    WK_OK, STAYS },
	{ KIND_TUNNEL, R101 "\r\nglued", CUT, "open; \"glued\"; "
	    "broken: lost", WK_OK, CLOSES },
	{ KIND_TUNNEL, R("103") "\r\n" R("101") "upgrade: CONNECT-UDP\r\n"
	    "connection: keep-alive, UPGRADE\r\n\r\nx", NO_END,
	    "inform 103; open; \"x\"", WK_OK, STAYS },
	{ KIND_TUNNEL, R("101") "Connection: Upgrade\r\n\r\n", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R("101") "Upgrade: connect-udp\r\n\r\n", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R("101") "Connection: close\r\nUpgrade: connect-udp"
	    "\r\n\r\n", NO_END, "gave up: malformed", WK_E_MALFORMED,
	    BREAKS },
	{ KIND_TUNNEL, R101 "Upgrade: connect-udp\r\n\r\n", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R("101") "Connection: Upgrade\r\n"
	    "Upgrade: connect-udp, websocket\r\n\r\n", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R("101") "Connection: Upgrade\r\nUpgrade: connect-ip"
	    "\r\n\r\n", NO_END, "gave up: malformed", WK_E_MALFORMED,
	    BREAKS },
	{ KIND_TUNNEL, "HTTP/1.0 101 X\r\nConnection: Upgrade\r\n"
	    "Upgrade: connect-udp\r\n\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R101 CL("0") "\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R101 TE "\r\n", NO_END, "gave up: malformed",
	    WK_E_MALFORMED, BREAKS },
	{ KIND_TUNNEL, R101 "Content-Type: a/b\r\n\r\n", NO_END,
	    "gave up: malformed", WK_E_MALFORMED, BREAKS },
	/* Any other final status refuses, and closes. */
	{ KIND_TUNNEL, R("200") CL("2") "\r\nok", NO_END,
	    "head 200; \"ok\"; end; closed", WK_OK, CLOSES },
	{ KIND_TUNNEL, R("204") "\r\n", NO_END,
	    "head 204; end; closed", WK_OK, CLOSES },
	{ KIND_TUNNEL, R("302") "Location: /\r\n" CL("0") "\r\n", NO_END,
	    "head 302 location=/; end; closed", WK_OK, CLOSES },
	{ KIND_TUNNEL, R("426") "Upgrade: x\r\n" CL("0") "\r\n", NO_END,
	    "head 426; end; closed", WK_OK, CLOSES },
	{ KIND_TUNNEL, R("403") TE "\r\n2\r\nno\r\n0\r\n\r\n", NO_END,
	    "head 403; \"no\"; end; closed", WK_OK, CLOSES },
	/* CONNECT: 2xx opens, whatever it says about a body. */
	{ KIND_CONNECT, R("200") "\r\nabc", NO_END, "open; \"abc\"", WK_OK,
	    STAYS },
	{ KIND_CONNECT, R("200") CL("1") "\r\nabc", NO_END,
	    "open; \"abc\"", WK_OK, STAYS },
	{ KIND_CONNECT, R("407") CL("2") "\r\nno", NO_END,
	    "head 407; \"no\"; end; closed", WK_OK, CLOSES },
};

static void
check_response(size_t i, size_t len, size_t step)
{
	struct link *l = http1_raw_link(true, step);
	char log[1024];

	http1_ask(l, responses[i].kind);
	link_run(l);
	link_feed(l, responses[i].in, len);
	if (responses[i].end != NO_END)
		link_feed_end(l, responses[i].end == CLEAN);
	link_run(l);
	http1_heard_by(&l->client, log, sizeof(log));
	if (strcmp(log, responses[i].log) != 0)
		fail_msg("%s in pieces of %zu: %s", responses[i].in, step, log);
	if (l->client.status != responses[i].status)
		fail_msg("%s in pieces of %zu: status %d", responses[i].in,
		    step, l->client.status);
	if ((int)l->client.fate != responses[i].fate)
		fail_msg("%s in pieces of %zu: fate %d", responses[i].in, step,
		    l->client.fate);
	link_del(l);
}

static void
test_responses(void **state)
{
	size_t i, step, len;

	(void)state;
	for (i = 0; i < N(responses); i++) {
		len = strlen(responses[i].in);
		for (step = 1; step <= len + 1; step++) {
			/* In pieces, the surplus comes when nobody asks. */
			if (responses[i].status == WK_E_MALFORMED &&
			    responses[i].fate == CLOSES && step < len)
				continue;
			check_response(i, len, step);
		}
	}
}

/* What a server with TLS says to HTTP without (RFC 8446, section 6). */
static void
test_alert_of_tls(void **state)
{
	static const char alert[] = "\x15\x03\x01\x00\x02\x02\x46";
	struct link *l = http1_raw_link(true, 1);
	struct side *side = http1_ask(l, KIND_TUNNEL);

	(void)state;
	link_feed(l, alert, sizeof(alert) - 1);
	link_run(l);
	side_expect(side, "gave up: malformed");
	assert_int_equal(l->client.status, WK_E_MALFORMED);
	assert_string_equal(l->client.error.reason,
	    "the server seems to speak TLS; use https");
	link_del(l);
}

/* The surplus in the same octets as the end must not answer what is next. */
static void
ask_next(struct side *side)
{
	struct wk_error error;

	assert_null(wk_session_request(side->end->session,
	    link_get("/next", NULL), false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_UNSUPPORTED);
}

static void
test_surplus(void **state)
{
	struct link *l = http1_raw_link(true, 0);
	static const char in[] = R("200") CL("2") "\r\nok" R("200") CL("4")
	    "\r\nevil";
	struct side *side = http1_ask(l, KIND_GET);

	(void)state;
	side->on_closed = ask_next;
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	side_expect(side, "head 200; \"ok\"; end; closed");
	assert_int_equal(l->client.status, WK_E_MALFORMED);
	assert_int_equal(l->client.fate, CLOSES);
	link_del(l);

	/* Before anything was asked. */
	l = http1_raw_link(true, 0);
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	assert_int_equal(l->client.status, WK_E_MALFORMED);
	assert_int_equal(l->client.fate, BREAKS);
	link_del(l);

	/* While the request is still being written. */
	l = http1_raw_link(true, 0);
	side = link_request(l, link_post("/", NULL), true);
	side_send(side, "abc", 3, false);
	link_feed(l, R("200") CL("0") "\r\n", strlen(R("200") CL("0") "\r\n"));
	link_run(l);
	side_expect(side, "head 200; end");
	link_feed(l, "x", 1);
	link_run(l);
	side_expect(side, "head 200; end; gave up: malformed");
	assert_int_equal(l->client.fate, BREAKS);
	link_del(l);
}

/* What a client writes. */
static void
test_written_requests(void **state)
{
	static const struct {
		const char *method, *fields, *body, *out;
	} cases[] = {
		{ "GET", NULL, NULL, "GET /p HTTP/1.1\nhost: example.org\n\n" },
		{ "GET", "a: b\nte: trailers", NULL, "GET /p HTTP/1.1\n"
		    "host: example.org\nconnection: TE\na: b\nte: trailers\n"
		    "\n" },
		{ "POST", NULL, NULL, "POST /p HTTP/1.1\nhost: example.org\n"
		    "content-length: 0\n\n" },
		{ "PUT", "content-length: 2", "hi", "PUT /p HTTP/1.1\n"
		    "host: example.org\ncontent-length: 2\n\nhi" },
		{ "PUT", NULL, "hi", "PUT /p HTTP/1.1\nhost: example.org\n"
		    "transfer-encoding: chunked\n\n2\nhi\n0\n\n" },
		{ "PUT", NULL, "", "PUT /p HTTP/1.1\nhost: example.org\n"
		    "transfer-encoding: chunked\n\n0\n\n" },
		{ "DELETE", NULL, NULL,
		    "DELETE /p HTTP/1.1\nhost: example.org\n\n" },
	};
	struct wk_message m;
	char out[1024];
	struct side *side;
	const char *text;
	struct link *l;
	size_t i, len;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		l = http1_raw_link(true, 0);
		m = *link_get("/p", cases[i].fields);
		m.method = wk_str_of(cases[i].method);
		side = link_request(l, &m, cases[i].body != NULL);
		if (cases[i].body != NULL)
			side_send(side, cases[i].body, strlen(cases[i].body),
			    true);
		link_run(l);
		text = link_heard(l, &len);
		assert_string_equal(http1_lines(text, len, out, sizeof(out)),
		    cases[i].out);
		link_del(l);
	}
	l = http1_raw_link(true, 0);
	http1_ask(l, KIND_TUNNEL);
	link_run(l);
	text = link_heard(l, &len);
	assert_string_equal(http1_lines(text, len, out, sizeof(out)),
	    "GET / HTTP/1.1\nhost: example.org\nconnection: Upgrade\n"
	    "upgrade: connect-udp\n\n");
	link_del(l);
	l = http1_raw_link(true, 0);
	http1_ask(l, KIND_CONNECT);
	link_run(l);
	text = link_heard(l, &len);
	assert_string_equal(http1_lines(text, len, out, sizeof(out)),
	    "CONNECT b:1 HTTP/1.1\nhost: b:1\n\n");
	link_del(l);
}

static void
test_no_upgrade_of_http(void **state)
{
	static const char *const protocols[] = { "h2c", "HTTP/2.0", "TLS/1.3" };
	struct link *l = http1_raw_link(true, 0);
	struct wk_message m = *link_tunnel("/", NULL);
	struct wk_error error;
	size_t i;

	(void)state;
	for (i = 0; i < N(protocols); i++) {
		m.protocol = wk_str_of(protocols[i]);
		assert_null(wk_session_request(l->client.session, &m, true,
		    NULL, NULL, &error));
		assert_int_equal(error.status, WK_E_INVALID);
	}
	link_del(l);
}

/* A body is what its Content-Length says, or it is none. */
static void
test_promised_length(void **state)
{
	struct link *l = http1_raw_link(true, 0);
	struct side *side;

	(void)state;
	side = link_request(l, link_post("/", "content-length: 3"), true);
	assert_int_equal(side_write(side, "four", 4), WK_E_INVALID);
	assert_int_equal(side_write(side, "thr", 3), 3);
	assert_int_equal(side_write(side, "e", 1), WK_E_INVALID);
	assert_int_equal(side_finish(side), WK_OK);
	assert_int_equal(side_finish(side), WK_E_INVALID);
	link_run(l);
	assert_false(side->is_closed);
	link_del(l);

	l = http1_raw_link(true, 0);
	side = link_request(l, link_post("/", "content-length: 3"), true);
	assert_int_equal(side_write(side, "tw", 2), 2);
	assert_int_equal(side_finish(side), WK_E_INVALID);
	link_run(l);
	side_expect(side, "gave up: internal");
	assert_int_equal(l->client.fate, BREAKS);
	link_del(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_alert_of_tls),
		cmocka_unit_test(test_surplus),
		cmocka_unit_test(test_written_requests),
		cmocka_unit_test(test_no_upgrade_of_http),
		cmocka_unit_test(test_promised_length),
	};

	return http1_run("http1_responses", tests);
}
