/* SPDX-License-Identifier: MIT */
/* What a server makes of requests, octet for octet. */
#include "config.h"

#include "tests/unit/http1_raw.h"

static const struct {
	const char *in, *out, *log;
	int fate;
} requests[] = {
	/* Plain exchanges. */
	{ GET("/"), PAGE, "GET a /; end; closed", STAYS },
	{ "\r\n" GET("/"), PAGE, "GET a /; end; closed", STAYS },
	{ GET("/chunks"), "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n"
	    "2\nok\n0\n\n", "GET a /chunks; end; closed", STAYS },
	{ GET("/none"), "HTTP/1.1 204 No Content\n\n",
	    "GET a /none; end; closed", STAYS },
	{ GET("/upgrade"), "HTTP/1.1 426 Upgrade Required\n"
	    "connection: upgrade\nupgrade: connect-udp\n"
	    "content-length: 0\n\n", "GET a /upgrade; end; closed", STAYS },
	{ "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
	    "HTTP/1.1 200 OK\ncontent-length: 2\n\n",
	    "HEAD a /; end; closed", STAYS },
	{ "HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\n\n",
	    "HEAD a /chunks; end; closed", STAYS },
	{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", PAGE,
	    "OPTIONS a *; end; closed", STAYS },
	{ "GET http://b:8/x?y HTTP/1.1\r\nHost: a\r\n\r\n", PAGE,
	    "GET b:8 /x?y; end; closed", STAYS },
	{ "GET http://bcd HTTP/1.1\r\nHost: a\r\n\r\n", PAGE,
	    "GET bcd /; end; closed", STAYS },
	{ "GET http://bcd?x HTTP/1.1\r\nHost: a\r\n\r\n", PAGE,
	    "GET bcd /?x; end; closed", STAYS },
	{ "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", PAGE,
	    "OPTIONS b *; end; closed", STAYS },
	{ GET_("/") "X-Mixed: Case\r\nConnection: x-mixed\r\nTE: gzip\r\n\r\n",
	    PAGE, "GET a / x-mixed=Case; end; closed", STAYS },
	/* Bodies, and what comes behind them. */
	{ POST_("/") "Content-Length: 3\r\n\r\nabc" GET("/"), PAGE PAGE,
	    "POST a /; \"abc\"; end; closed / GET a /; end; closed", STAYS },
	{ POST_("/") "Transfer-Encoding: chunked\r\n\r\n"
	    "1;x=y\r\na\r\n02\r\nbc\r\n0\r\nTrailer: x\r\n\r\n" GET("/"),
	    PAGE PAGE, "POST a /; \"abc\"; end; closed / GET a /; end; closed",
	    STAYS },
	{ GET("/") GET("/none") GET("/"),
	    PAGE "HTTP/1.1 204 No Content\n\n" PAGE, "GET a /; end; closed / "
	    "GET a /none; end; closed / GET a /; end; closed", STAYS },
	{ POST_("/echo") "Content-Length: 2\r\n\r\nhi",
	    NULL, "POST a /echo; \"hi\"; end; closed", STAYS },
	{ GET("/wait") GET("/"), "", "GET a /wait; end", STAYS },
	/* How long the connection lives. */
	{ GET_("/") "Connection: close\r\n\r\n" GET("/x"), LAST,
	    "GET a /; end; closed", ENDS },
	{ "GET / HTTP/1.0\r\n\r\n" GET("/x"), LAST,
	    "GET  /; end; closed", ENDS },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	    "HTTP/1.1 200 OK\nconnection: keep-alive\ncontent-length: 2\n\nok",
	    "GET  /; end; closed", STAYS },
	{ "GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	    "HTTP/1.1 200 OK\nconnection: close\n\nok",
	    "GET  /chunks; end; closed", ENDS },
	{ GET("/short"), "", "GET a /short; gave up: internal", BREAKS },
	/* Expectations. */
	{ POST_("/wait") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
	    "HTTP/1.1 100 Continue\n\n",
	    "POST a /wait expect=100-continue; \"hi\"; end", STAYS },
	{ POST_("/inform") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
	    "hi", "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\n"
	    "link: x\n\n",
	    "POST a /inform expect=100-continue; \"hi\"; end", STAYS },
	{ "GET /inform HTTP/1.0\r\n\r\n", "", "GET  /inform; end", STAYS },
	{ POST_("/wait") "Expect: 100-continue\r\n\r\n", "",
	    "POST a /wait expect=100-continue; end", STAYS },
	{ POST_("/refuse") "Expect: 100-continue\r\nContent-Length: 30\r\n\r\n"
	    GET("/x"), NO,
	    "POST a /refuse expect=100-continue; closed", ENDS },
	{ POST_("/refuse") "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
	    "x" GET("/x"), NO, "POST a /refuse expect=100-continue; closed",
	    ENDS },
	{ "POST /wait HTTP/1.0\r\nExpect: 100-continue\r\n"
	    "Content-Length: 2\r\n\r\nhi", "",
	    "POST  /wait expect=100-continue; \"hi\"; end", STAYS },
	{ POST_("/enough") "Content-Length: 99\r\n\r\n" GET("/x"),
	    "HTTP/1.1 403 Forbidden\ncontent-length: 0\n\n",
	    "POST a /enough; gave up: no error", ENDS },
	/* Tunnels: by Upgrade, by CONNECT, with octets right behind. */
	{ GET_("/t") UP "\r\nabc", OPEN "abc",
	    "CONNECT a /t for connect-udp; \"abc\"", STAYS },
	{ GET_("/t") "connection: keep-alive, UPGRADE\r\nupgrade: Connect-UDP"
	    "\r\nCapsule-Protocol: ?1\r\n\r\n",
	    "HTTP/1.1 101 Switching Protocols\nconnection: Upgrade\n"
	    "upgrade: Connect-UDP\ncapsule-protocol: ?1\n\n",
	    "CONNECT a /t for Connect-UDP capsule-protocol=?1", STAYS },
	{ "GET http://b/t HTTP/1.1\r\nHost: b\r\n" UP "\r\n", OPEN,
	    "CONNECT b /t for connect-udp", STAYS },
	{ "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\nabc",
	    "HTTP/1.1 200 OK\n\nabc", "CONNECT b:1; \"abc\"", STAYS },
	/* Refused or unanswered, nobody takes what follows for a request. */
	{ GET_("/refuse") UP "\r\n" GET("/x"), NO,
	    "CONNECT a /refuse for connect-udp; closed", ENDS },
	{ GET_("/wait") UP "\r\n" GET("/x"), "",
	    "CONNECT a /wait for connect-udp", STAYS },
	{ POST_("/") UP "\r\n" GET("/x"), LAST, "POST a /; end; closed",
	    ENDS },
	{ GET_("/") UP "Content-Length: 1\r\n\r\nx" GET("/x"), LAST,
	    "GET a /; \"x\"; end; closed", ENDS },
	{ GET_("/") "Upgrade: connect-udp\r\n\r\n" GET("/x"), LAST,
	    "GET a /; end; closed", ENDS },
	{ "GET / HTTP/1.0\r\nHost: a\r\n" UP "\r\n" GET("/x"), LAST,
	    "GET a /; end; closed", ENDS },
	/* Other ways to carry HTTP are not tunnels. */
	{ GET_("/") "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
	    "HTTP2-Settings: AAMAAABk\r\n\r\n" GET("/"), PAGE PAGE,
	    "GET a /; end; closed / GET a /; end; closed", STAYS },
	{ GET_("/") "Connection: Upgrade\r\nUpgrade: TLS/1.3, HTTP/2.0\r\n\r\n",
	    PAGE, "GET a /; end; closed", STAYS },
};

/* Answered with a status and a line of text; what follows does not count. */
static const struct {
	const char *in;
	unsigned status;
	const char *log;
} bad_requests[] = {
	{ "get@ / HTTP/1.1\r\n", 400, "" },
	{ "GET  / HTTP/1.1\r\n", 400, "" },
	{ "GET / HTTP/1.1\n", 400, "" },
	{ "GET / HTTP/1.1\r\n\r\n", 400, "" },
	{ GET_("/") "Host: b\r\n\r\n", 400, "" },
	{ GET_("/") "A : b\r\n\r\n", 400, "" },
	{ GET_("/") "A: b\r\n c\r\n\r\n", 400, "" },
	{ GET_("/") "A: b\nC: d\r\n\r\n", 400, "" },
	{ GET_("/") "A: b\rC: d\r\n\r\n", 400, "" },
	{ GET_("/") "A: \x01\r\n\r\n", 400, "" },
	{ "GET / HTTP/2.0\r\n", 505, "" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "" },
	{ POST_("/") "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400,
	    "" },
	{ POST_("/") "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n" GET("/x"), 400, "" },
	{ POST_("/") "Content-Length: +1\r\n\r\nx", 400, "" },
	{ POST_("/") "Content-Length: 99999999999999999999\r\n\r\nx", 413,
	    "" },
	{ POST_("/") "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "" },
	{ POST_("/") "Transfer-Encoding: chunked, identity\r\n\r\n", 400,
	    "" },
	{ POST_("/") "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400,
	    "" },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "" },
	{ "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 400,
	    "" },
	{ GET_("/") UP "Upgrade: connect-udp\r\n\r\n", 400, "" },
	{ GET_("/") "Connection: upgrade\r\nUpgrade: a, b\r\n\r\n", 400, "" },
	{ GET_("/") "Connection: upgrade\r\nUpgrade: a b\r\n\r\n", 400, "" },
	{ GET_("/") UP "Content-Length: 0\r\n\r\n", 400, "" },
	{ GET_("/") UP "Content-Type: a/b\r\n\r\n", 400, "" },
	/* A body that breaks before there was a response. */
	{ POST_("/wait") "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400,
	    "POST a /wait; gave up: malformed" },
	{ POST_("/wait") "Transfer-Encoding: chunked\r\n\r\n1\r\nab", 400,
	    "POST a /wait; \"a\"; gave up: malformed" },
	{ POST_("/wait") "Transfer-Encoding: chunked\r\n\r\n1\nab", 400,
	    "POST a /wait; gave up: malformed" },
	{ POST_("/wait") "Transfer-Encoding: chunked\r\n\r\n0\r\nA:\r\nA:\r\n"
	    "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", 413,
	    "POST a /wait; gave up: malformed" },
};

static void
test_requests(void **state)
{
	char out[4096], log[4096];
	size_t i, step, len;
	struct link *l;
	const char *text;

	(void)state;
	for (i = 0; i < N(requests); i++)
		for (step = 1; step <= strlen(requests[i].in); step++) {
			l = http1_raw_link(false, step);
			link_feed(l, requests[i].in, strlen(requests[i].in));
			link_run(l);
			text = link_heard(l, &len);
			http1_lines(text, len, out, sizeof(out));
			/* Chunks of an echo depend on how it came. */
			if (requests[i].out != NULL &&
			    strcmp(out, requests[i].out) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    requests[i].in, step, out);
			http1_heard_by(&l->server, log, sizeof(log));
			if (strcmp(log, requests[i].log) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    requests[i].in, step, log);
			if ((int)l->server.fate != requests[i].fate)
				fail_msg("%s in pieces of %zu: fate %d",
				    requests[i].in, step, l->server.fate);
			assert_int_equal(l->server.status, WK_OK);
			link_del(l);
		}
}

static void
check_bad_request(const char *in, size_t in_len, unsigned status,
    const char *want, size_t step)
{
	struct link *l = http1_raw_link(false, step);
	char start[160], log[1024];
	const char *text;
	size_t len;

	link_feed(l, in, in_len);
	link_feed(l, GET("/smuggled"), strlen(GET("/smuggled")));
	link_run(l);
	text = link_heard(l, &len);
	snprintf(start, sizeof(start), "HTTP/1.1 %u %s\r\nconnection: close"
	    "\r\ncontent-type: text/plain; charset=utf-8\r\n", status,
	    wk_message_reason(status));
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("%s in pieces of %zu: %s", in, step, text);
	http1_heard_by(&l->server, log, sizeof(log));
	if (strcmp(log, want) != 0)
		fail_msg("%s in pieces of %zu: %s", in, step, log);
	/* In words what receive says too. */
	assert_true(l->server.status < 0);
	assert_non_null(strstr(text, l->server.error.reason));
	assert_int_equal(l->server.fate, WK_SESSION_FINISH);
	assert_true(l->server.has_closed && !l->server.has_stopped);
	link_pass(l, 10 * LINK_SEC);
	assert_int_equal(l->server.fate, WK_SESSION_CLOSE);
	link_del(l);
}

static void
test_bad_requests(void **state)
{
	char head[4096];
	size_t i, step, n;

	(void)state;
	for (i = 0; i < N(bad_requests); i++)
		for (step = 1; bad_requests[i].status > 0 &&
		    step <= strlen(bad_requests[i].in) + 1; step++)
			check_bad_request(bad_requests[i].in,
			    strlen(bad_requests[i].in), bad_requests[i].status,
			    bad_requests[i].log, step);
	/* A target, a field and fields beyond the limits. */
	n = (size_t)snprintf(head, sizeof(head), "GET /%0*d HTTP/1.1\r\n",
	    2000, 0);
	check_bad_request(head, n, 414, "", 0);
	check_bad_request(head, n, 414, "", 1);
	n = (size_t)snprintf(head, sizeof(head), GET_("/") "X: %0*d\r\n\r\n",
	    2000, 0);
	check_bad_request(head, n, 431, "", 0);
	check_bad_request(head, n, 431, "", 1);
	n = (size_t)snprintf(head, sizeof(head), GET_("/")
	    "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n");
	check_bad_request(head, n, 431, "", 0);
	/* A head of just the limit passes. */
	n = (size_t)snprintf(head, sizeof(head), GET_("/") "X: %0*d\r\n\r\n",
	    1968, 0);
	assert_int_equal(n, 2000);
	for (step = 1; step < 2001; step += 333) {
		struct link *l = http1_raw_link(false, step);

		link_feed(l, head, n);
		link_run(l);
		assert_int_equal(l->server.status, WK_OK);
		assert_int_equal(l->server.n_sides, 1);
		link_del(l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_bad_requests),
	};

	return http1_run("http1_requests", tests);
}
