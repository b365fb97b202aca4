/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 octet for octet: what a session makes of foreign input. */
#include "config.h"

#include "tests/unit/session_link.h"

#include "common/net/http1_session.h"
#include "common/net/http1_session_parts.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_(path) "GET " path " HTTP/1.1\r\nHost: a\r\n"
#define POST_(path) "POST " path " HTTP/1.1\r\nHost: a\r\n"
#define UP "Connection: Upgrade\r\nUpgrade: connect-udp\r\n"
#define PAGE "HTTP/1.1 200 OK\ncontent-length: 2\n\nok"
#define LAST "HTTP/1.1 200 OK\nconnection: close\ncontent-length: 2\n\nok"
#define OPEN "HTTP/1.1 101 Switching Protocols\nconnection: Upgrade\n" \
	"upgrade: connect-udp\ncapsule-protocol: ?1\n\n"
#define NO "HTTP/1.1 403 Forbidden\nconnection: close\ncontent-length: 0\n\n"

enum { STAYS = WK_SESSION_OPEN, ENDS = WK_SESSION_FINISH,
	CLOSES = WK_SESSION_CLOSE, BREAKS = WK_SESSION_ABORT };

static void
serve(struct side *side, const struct wk_message *m)
{
	const struct wk_message upgrade = {
		.status = 426, .protocol = wk_str_of("connect-udp"),
	};

	if (wk_str_is(m->path, "/chunks")) {
		side_respond(side, 200, NULL, false);
		side_send(side, "ok", 2, true);
	} else if (wk_str_is(m->path, "/echo")) {
		side->echo = side;
		side_respond(side, 200, NULL, false);
	} else if (wk_str_is(m->path, "/none")) {
		side_respond(side, 204, NULL, true);
	} else if (wk_str_is(m->path, "/wait")) {
		;
	} else if (wk_str_is(m->path, "/refuse")) {
		side_respond(side, 403, NULL, true);
	} else if (wk_str_is(m->path, "/upgrade")) {
		assert_int_equal(wk_stream_respond(side->s, &upgrade,
		    true, NULL), WK_OK);
	} else if (wk_str_is(m->path, "/inform")) {
		side_inform(side, 100, NULL);
		side_inform(side, 103, "link: x");
	} else if (wk_str_is(m->path, "/enough")) {
		side_respond(side, 403, NULL, true);
		side_reset(side, WK_STREAM_NO_ERROR, "enough");
	} else if (wk_str_is(m->path, "/short")) {
		side_respond(side, 200, "content-length: 3", false);
		side_send(side, "ok", 2, true);
	} else if (m->protocol.len > 0 || m->path.len == 0) {
		side->echo = side;
		side_respond(side, 200, m->path.len == 0 ? NULL :
		    "capsule-protocol: ?1", false);
	} else {
		side_respond(side, 200, "content-length: 2", false);
		side_send(side, "ok", 2, true);
	}
}

/* Without what differs only between machines of another make. */
static const char *
lines(const char *text, size_t len, char *out, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < len && n + 1 < size; i++)
		if (text[i] != '\r')
			out[n++] = text[i];
	out[n] = '\0';
	return out;
}

static struct link *
raw_link(bool raw_server, size_t piece)
{
	struct link_options options;

	link_options_default(&options, serve);
	options.limits[0].max_head = options.limits[1].max_head = 2000;
	options.limits[0].max_fields = options.limits[1].max_fields = 8;
	options.is_raw[raw_server] = true;
	options.piece = piece;
	return link_new(&options);
}

/* All logs of an end. */
static const char *
heard_by(struct link_end *end, char *out, size_t size)
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < end->n_sides; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    i > 0 ? " / " : "", side_log(&end->sides[i]));
	return out;
}

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
	{ GET("/upgrade"), "HTTP/1.1 426 Upgrade Required\nconnection: Upgrade\n"
	    "upgrade: connect-udp\ncontent-length: 0\n\n",
	    "GET a /upgrade; end; closed", STAYS },
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
			l = raw_link(false, step);
			link_feed(l, requests[i].in, strlen(requests[i].in));
			link_run(l);
			text = link_heard(l, &len);
			lines(text, len, out, sizeof(out));
			/* Chunks of an echo depend on how it came. */
			if (requests[i].out != NULL &&
			    strcmp(out, requests[i].out) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    requests[i].in, step, out);
			heard_by(&l->server, log, sizeof(log));
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
	struct link *l = raw_link(false, step);
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
	heard_by(&l->server, log, sizeof(log));
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
		struct link *l = raw_link(false, step);

		link_feed(l, head, n);
		link_run(l);
		assert_int_equal(l->server.status, WK_OK);
		assert_int_equal(l->server.n_sides, 1);
		link_del(l);
	}
}

/* What a client makes of responses. */
enum kind { KIND_GET, KIND_HEAD, KIND_POST, KIND_TUNNEL, KIND_CONNECT };
enum end { NO_END, CLEAN, CUT };

#define R(status) "HTTP/1.1 " status " X\r\n"
#define R101 R("101") "Connection: Upgrade\r\nUpgrade: connect-udp\r\n"
#define CL(n) "Content-Length: " n "\r\n"
#define TE "Transfer-Encoding: chunked\r\n"

static const struct {
	enum kind kind;
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

static struct side *
ask(struct link *l, enum kind kind)
{
	struct wk_message m = *link_get("/", NULL);

	switch (kind) {
	case KIND_TUNNEL:
		return link_request(l, link_tunnel("/", NULL), true);
	case KIND_CONNECT:
		return link_request(l, link_connect("b:1"), true);
	case KIND_HEAD:
		m.method = wk_str_of("HEAD");
		break;
	case KIND_POST:
		m.method = wk_str_of("POST");
		break;
	default:
		break;
	}
	return link_request(l, &m, false);
}

static void
check_response(size_t i, size_t len, size_t step)
{
	struct link *l = raw_link(true, step);
	char log[1024];

	ask(l, responses[i].kind);
	link_run(l);
	link_feed(l, responses[i].in, len);
	if (responses[i].end != NO_END)
		link_feed_end(l, responses[i].end == CLEAN);
	link_run(l);
	heard_by(&l->client, log, sizeof(log));
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
	struct link *l = raw_link(true, 0);
	static const char in[] = R("200") CL("2") "\r\nok" R("200") CL("4")
	    "\r\nevil";
	struct side *side = ask(l, KIND_GET);

	(void)state;
	side->on_closed = ask_next;
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	side_expect(side, "head 200; \"ok\"; end; closed");
	assert_int_equal(l->client.status, WK_E_MALFORMED);
	assert_int_equal(l->client.fate, CLOSES);
	link_del(l);

	/* Before anything was asked. */
	l = raw_link(true, 0);
	link_feed(l, in, sizeof(in) - 1);
	link_run(l);
	assert_int_equal(l->client.status, WK_E_MALFORMED);
	assert_int_equal(l->client.fate, BREAKS);
	link_del(l);

	/* While the request is still being written. */
	l = raw_link(true, 0);
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
		l = raw_link(true, 0);
		m = *link_get("/p", cases[i].fields);
		m.method = wk_str_of(cases[i].method);
		side = link_request(l, &m, cases[i].body != NULL);
		if (cases[i].body != NULL)
			side_send(side, cases[i].body, strlen(cases[i].body),
			    true);
		link_run(l);
		text = link_heard(l, &len);
		assert_string_equal(lines(text, len, out, sizeof(out)),
		    cases[i].out);
		link_del(l);
	}
	l = raw_link(true, 0);
	ask(l, KIND_TUNNEL);
	link_run(l);
	text = link_heard(l, &len);
	assert_string_equal(lines(text, len, out, sizeof(out)),
	    "GET / HTTP/1.1\nhost: example.org\nconnection: Upgrade\n"
	    "upgrade: connect-udp\n\n");
	link_del(l);
	l = raw_link(true, 0);
	ask(l, KIND_CONNECT);
	link_run(l);
	text = link_heard(l, &len);
	assert_string_equal(lines(text, len, out, sizeof(out)),
	    "CONNECT b:1 HTTP/1.1\nhost: b:1\n\n");
	link_del(l);
}

static void
test_no_upgrade_of_http(void **state)
{
	static const char *const protocols[] = { "h2c", "HTTP/2.0", "TLS/1.3" };
	struct link *l = raw_link(true, 0);
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
	struct link *l = raw_link(true, 0);
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

	l = raw_link(true, 0);
	side = link_request(l, link_post("/", "content-length: 3"), true);
	assert_int_equal(side_write(side, "tw", 2), 2);
	assert_int_equal(side_finish(side), WK_E_INVALID);
	link_run(l);
	side_expect(side, "gave up: internal");
	assert_int_equal(l->client.fate, BREAKS);
	link_del(l);
}

/* Deadlines. */
static void
test_server_deadlines(void **state)
{
	struct link *l = raw_link(false, 0);
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
	l = raw_link(false, 0);
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
	l = raw_link(false, 0);
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
	struct link *l = raw_link(true, 0);
	struct side *side = ask(l, KIND_GET);

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
			l = raw_link(false, step);
			link_feed(l, cases[i].in, strlen(cases[i].in));
			link_feed_end(l, cases[i].is_clean);
			link_run(l);
			text = link_heard(l, &len);
			assert_string_equal(lines(text, len, out, sizeof(out)),
			    cases[i].out);
			assert_string_equal(heard_by(&l->server, log,
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
			l = raw_link(false, step);
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
	struct link *l = raw_link(false, 0);
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
	struct link *l = raw_link(false, 0);
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
	assert_string_equal(lines(text, len, out, sizeof(out)),
	    PAGE "HTTP/1.1 204 No Content\n\n");
	link_del(l);

	l = raw_link(false, 0);
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
	struct link *l = raw_link(false, 1);
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
	struct link *l = raw_link(false, 0);

	(void)state;
	link_feed(l, GET("/wait"), strlen(GET("/wait")));
	link_run(l);
	assert_true(wk_session_wants_input(l->server.session));
	link_feed(l, "G", 1);
	link_run(l);
	assert_false(wk_session_wants_input(l->server.session));
	link_del(l);

	l = raw_link(false, 0);
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
	link_options_default(&options, serve);
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
	link_options_default(&options, serve);
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
	struct link *l = raw_link(false, 0);
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
	struct link *l = raw_link(false, 0);
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
	assert_string_equal(lines(text, len, out, sizeof(out)),
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
		l = raw_link(true, 0);
		ask(l, KIND_GET);
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
	struct link *l = raw_link(false, 0);

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
	struct link *l = raw_link(false, 50);
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
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_surplus),
		cmocka_unit_test(test_written_requests),
		cmocka_unit_test(test_no_upgrade_of_http),
		cmocka_unit_test(test_promised_length),
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

	link_version = WK_HTTP_1_1;
	link_new_session = wk_http1_session_new;
	return cmocka_run_group_tests_name("http1_session_raw", tests, NULL,
	    NULL);
}
