/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http2_peer.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define END NGHTTP2_FLAG_END_STREAM
#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define POST ":method: POST\n:scheme: https\n:path: /\n:authority: a\n"
#define TUNNEL ":method: CONNECT\n:protocol: connect-udp\n" \
	":scheme: https\n:path: /\n:authority: a\n"

static const uint32_t tunnels_taken[] = { 8, 1 };

static void
test_preface(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
		const char *reason;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 18,
		    "the connection does not begin as HTTP/2 does" },
		{ WK_HTTP2_PREFACE "\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\0\0", 41,
		    "PROTOCOL_ERROR: SETTINGS expected" },
		{ WK_HTTP2_PREFACE "\0\0\0\4\1\0\0\0\0", 33,
		    "PROTOCOL_ERROR: SETTINGS expected" },
	};
	struct peer *p;
	size_t i, k;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = peer_new(true, NULL);
		for (k = 0; k < cases[i].len && p->status == WK_OK; k++)
			peer_send(p, cases[i].octets + k, 1);
		assert_int_equal(p->status, WK_E_MALFORMED);
		assert_string_equal(p->error.reason, cases[i].reason);
		peer_expect_goaway(p, NGHTTP2_PROTOCOL_ERROR);
		peer_expect(p, "");
		peer_del(p);
	}
}

/* What a server with TLS says to HTTP without (RFC 8446, section 6). */
static void
test_alert_of_tls(void **state)
{
	struct peer *p = peer_new(false, NULL);

	(void)state;
	peer_request(p, "GET", "", false);
	peer_send(p, "\x15", 1);
	assert_int_equal(p->status, WK_E_MALFORMED);
	assert_string_equal(p->error.reason,
	    "the server seems to speak TLS; use https");
	peer_expect(p, "ours 2");
	peer_del(p);

	/* Later that octet means nothing. */
	p = peer_new(false, NULL);
	peer_greet(p, NULL, 0);
	peer_send(p, "\0\0\x8\x6\0\0\0\0\0", 9);
	peer_send(p, "\x15pinging", 8);
	assert_int_equal(p->status, WK_OK);
	assert_int_equal(peer_next(p, NGHTTP2_PING)->flags, NGHTTP2_FLAG_ACK);
	peer_del(p);
}

/* What each end says first, octet for octet. */
static void
test_settings(void **state)
{
	static const struct {
		bool is_server;
		uint32_t settings[10], update;
		size_t n;
	} cases[] = {
		{ true, { 4, 1 << 20, 6, 65536, 9, 1, 3, 100, 8, 1 },
		    100 * (1 << 20) - 65535, 10 },
		{ false, { 4, 1 << 20, 6, 65536, 9, 1, 2, 0 },
		    100 * (1 << 20) - 65535, 8 },
	};
	const struct peer_frame *f;
	struct peer *p;
	size_t i, k;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = peer_new(cases[i].is_server, NULL);
		peer_fetch(p);
		f = peer_next(p, NGHTTP2_SETTINGS);
		assert_int_equal(f->len, cases[i].n * 3);
		for (k = 0; k < cases[i].n; k += 2) {
			assert_int_equal(peer_value(p, f, k * 3) >> 16,
			    cases[i].settings[k]);
			assert_int_equal(peer_value(p, f, k * 3 + 2),
			    cases[i].settings[k + 1]);
		}
		f = peer_next(p, NGHTTP2_WINDOW_UPDATE);
		assert_int_equal(f->id, 0);
		assert_int_equal(peer_value(p, f, 0), cases[i].update);
		assert_null(peer_find(p, NGHTTP2_HEADERS));
		peer_del(p);
	}
}

static const char vector[] =
    "4207434f4e4e4543544087b95d8749c87a3f8821eaa8a44ad6c95f8741882f91d35d055c"
    "f64d049c617f05a285bad47f153148d1dad2b16c95b017c4b81712ee30d34cb1408b20eb"
    "45b4156aec3a4e43d1023f31";

/* A request for connect-udp as another implementation compressed it. */
static void
test_vector(void **state)
{
	uint8_t block[256];
	size_t len = unhex(vector, block, sizeof(block));
	struct peer *p = peer_new(true, NULL);

	(void)state;
	peer_greet(p, NULL, 0);
	peer_frame(p, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block, len);
	peer_expect(p, "request CONNECT example.org /.well-known/masque/udp/"
	    "192.0.2.6/443/ for connect-udp capsule-protocol=?1");
	peer_del(p);
}

static void
test_requests(void **state)
{
	static const struct {
		const char *lines, *event;	/* NULL: refused */
		uint8_t flags;
	} cases[] = {
		{ GET, "request GET a /; end", END },
		{ GET "x: 1\nx: 2\n", "request GET a / x=1 x=2; end", END },
		{ ":authority: a\n:path: /\n:scheme: https\n:method: GET\n",
		    "request GET a /; end", END },
		{ ":method: GET\n:scheme: https\n:path: /\nhost: b\n",
		    "request GET b /; end", END },
		{ GET "host: a\n", "request GET a /; end", END },
		{ GET "te: trailers\n", "request GET a / te=trailers; end",
		    END },
		{ POST, "request POST a /", 0 },
		{ POST "content-length: 0\n",
		    "request POST a / content-length=0; end", END },
		{ TUNNEL, "request CONNECT a / for connect-udp", 0 },
		{ ":method: CONNECT\n:authority: a:1\n", "request CONNECT a:1 ",
		    0 },
		{ GET "host: b\n", NULL, END },
		{ GET "host: a\nhost: a\n", NULL, END },
		{ GET ":path: /\n", NULL, END },
		{ GET ":status: 200\n", NULL, END },
		{ GET ":other: x\n", NULL, END },
		{ ":method: GET\nx: 1\n:scheme: https\n:path: /\n", NULL, END },
		{ ":method: GET\n:scheme: https\n:authority: a\n", NULL, END },
		{ ":method: GET\n:path: /\n:authority: a\n", NULL, END },
		{ ":scheme: https\n:path: /\n:authority: a\n", NULL, END },
		{ ":method: \n:scheme: https\n:path: /\n:authority: a\n", NULL,
		    END },
		{ ":method: GET\n:scheme: https\n:path: \n:authority: a\n",
		    NULL, END },
		{ GET "X-Upper: 1\n", NULL, END },
		{ GET "connection: close\n", NULL, END },
		{ GET "transfer-encoding: chunked\n", NULL, END },
		{ GET "upgrade: x\n", NULL, END },
		{ GET "te: gzip\n", NULL, END },
		{ GET "x: a\rb\n", NULL, END },
		{ GET "x:  a\n", NULL, END },
		{ GET ":protocol: connect-udp\n", NULL, END },
		{ POST "content-length: 3\n", NULL, END },
		{ POST "content-length: x\n", NULL, 0 },
		{ POST "content-length: 1\ncontent-length: 1\n", NULL, 0 },
		{ TUNNEL "content-length: 0\n", NULL, 0 },
		{ TUNNEL "content-type: a/b\n", NULL, 0 },
		{ ":method: CONNECT\n:authority: a:1\n:path: /\n", NULL, 0 },
		{ ":method: CONNECT\n:protocol: connect-udp\n:authority: a\n",
		    NULL, 0 },
	};
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = peer_new(true, NULL);
		peer_greet(p, NULL, 0);
		peer_head(p, cases[i].flags, 1, cases[i].lines);
		if (cases[i].event == NULL)
			peer_expect_reset(p, 1, NGHTTP2_PROTOCOL_ERROR);
		else
			assert_null(peer_find(p, NGHTTP2_RST_STREAM));
		peer_expect(p, cases[i].event == NULL ? "" : cases[i].event);
		assert_int_equal(p->status, WK_OK);
		/* The connection goes on. */
		peer_head(p, END, 3, GET);
		peer_expect(p, "request GET a /; end");
		peer_del(p);
	}
}

static struct peer *
asking(const char *method, const char *protocol, bool has_body)
{
	struct peer *p = peer_new(false, NULL);

	peer_greet(p, tunnels_taken, 2);
	assert_non_null(peer_request(p, method, protocol, has_body));
	return p;
}

static void
test_responses(void **state)
{
	static const struct {
		const char *method, *lines, *event;
		uint8_t flags;
	} cases[] = {
		{ "GET", ":status: 200\nx: y\n", "head 200 x=y; end; closed",
		    END },
		{ "GET", ":status: 200\n", "head 200", 0 },
		{ "GET", ":status: 103\nlink: a\n", "inform 103 link=a", 0 },
		{ "HEAD", ":status: 200\ncontent-length: 5\n",
		    "head 200 content-length=5; end; closed", END },
		{ "GET", ":status: 304\ncontent-length: 5\n",
		    "head 304 content-length=5; end; closed", END },
		{ "GET", ":status: 204\n", "head 204; end; closed", END },
		{ "GET", ":status: 599\n", "head 599; end; closed", END },
		{ "GET", ":status: 103\n", NULL, END },
		{ "GET", ":status: 101\n", NULL, 0 },
		{ "GET", ":status: 099\n", NULL, 0 },
		{ "GET", ":status: 20\n", NULL, 0 },
		{ "GET", ":status: 2000\n", NULL, 0 },
		{ "GET", ":status: 2x0\n", NULL, 0 },
		{ "GET", "x: y\n", NULL, 0 },
		{ "GET", ":status: 200\n:status: 200\n", NULL, 0 },
		{ "GET", "x: y\n:status: 200\n", NULL, 0 },
		{ "GET", ":status: 200\n:path: /\n", NULL, 0 },
		{ "GET", ":status: 200\nconnection: close\n", NULL, 0 },
		{ "GET", ":status: 200\nX: y\n", NULL, 0 },
		{ "GET", ":status: 200\ncontent-length: 5\n",
		    "head 200 content-length=5", END },
	};
	struct peer *p;
	bool is_bad;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = asking(cases[i].method, "", false);
		peer_head(p, cases[i].flags, 1, cases[i].lines);
		is_bad = cases[i].event == NULL || i == N(cases) - 1;
		if (is_bad)
			peer_expect_reset(p, 1, NGHTTP2_PROTOCOL_ERROR);
		if (cases[i].event == NULL)
			peer_expect(p, "ours 2");
		else if (is_bad)
			peer_expect(p, "head 200 content-length=5; ours 2");
		else
			peer_expect(p, cases[i].event);
		assert_int_equal(p->status, WK_OK);
		peer_del(p);
	}
}

static void
test_tunnel_answers(void **state)
{
	static const struct {
		const char *lines, *event;
		uint8_t flags;
	} cases[] = {
		{ ":status: 200\n", "head 200 opens", 0 },
		{ ":status: 299\nx: y\n", "head 299 opens x=y", 0 },
		{ ":status: 200\n", "head 200 opens; end", END },
		{ ":status: 403\n", "head 403; end; closed", END },
		{ ":status: 302\nlocation: /\n",
		    "head 302 location=/; end; closed", END },
		{ ":status: 403\ncontent-length: 0\n",
		    "head 403 content-length=0; end; closed", END },
		{ ":status: 204\n", "ours 2", 0 },
		{ ":status: 205\n", "ours 2", 0 },
		{ ":status: 206\n", "ours 2", 0 },
		{ ":status: 200\ncontent-length: 0\n", "ours 2", 0 },
		{ ":status: 200\ncontent-type: a/b\n", "ours 2", 0 },
	};
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = asking("CONNECT", "connect-udp", true);
		peer_head(p, cases[i].flags, 1, cases[i].lines);
		peer_expect(p, cases[i].event);
		if (strcmp(cases[i].event, "ours 2") == 0)
			peer_expect_reset(p, 1, NGHTTP2_PROTOCOL_ERROR);
		peer_del(p);
	}
	/* Without a protocol, lengths mean nothing (RFC 9110, 9.3.6). */
	p = peer_new(false, NULL);
	peer_greet(p, NULL, 0);
	p->s = wk_session_request(p->session, &(struct wk_message){
	    .method = wk_str_of("CONNECT"), .authority = wk_str_of("a:1") },
	    true, &peer_handler, p, NULL);
	peer_fetch(p);
	peer_head(p, 0, 1, ":status: 200\n");
	peer_expect(p, "head 200 opens");
	peer_head(p, END, 1, "x: y\n");
	peer_expect(p, "ours 2");
	peer_del(p);
}

/* The answer decides: a server that has not said 1 is not asked. */
static void
test_connect_setting(void **state)
{
	static const uint32_t none[] = { 3, 10 }, zero[] = { 8, 0 };
	static const struct {
		const uint32_t *settings;
		size_t n;
		bool is_taken;
	} cases[] = {
		{ NULL, 0, false }, { none, 2, false }, { zero, 2, false },
		{ tunnels_taken, 2, true },
	};
	const struct peer_frame *f;
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = peer_new(false, NULL);
		/* Asked before the settings are known, and after. */
		peer_request(p, "CONNECT", "connect-udp", true);
		assert_int_equal(wk_stream_id(p->s), 0);
		assert_int_equal(peer_count(p, NGHTTP2_HEADERS), 0);
		peer_expect(p, "");
		peer_request(p, "GET", "", false);
		assert_int_equal(peer_count(p, NGHTTP2_HEADERS), 1);
		peer_greet(p, cases[i].settings, cases[i].n);
		peer_request(p, "CONNECT", "connect-udp", true);
		if (!cases[i].is_taken) {
			peer_expect(p, "ours 8; ours 8");
			assert_int_equal(peer_count(p, NGHTTP2_HEADERS), 1);
		} else {
			peer_expect(p, "");
			assert_int_equal(peer_count(p, NGHTTP2_HEADERS), 3);
			p->looked = 0;
			peer_lines(p, peer_next(p, NGHTTP2_HEADERS));
			f = peer_next(p, NGHTTP2_HEADERS);
			assert_int_equal(f->id, 3);
			assert_int_equal(f->flags, NGHTTP2_FLAG_END_HEADERS);
			assert_string_equal(peer_lines(p, f),
			    ":method: CONNECT\n:protocol: connect-udp\n"
			    ":scheme: https\n:authority: example.org\n"
			    ":path: /\n");
		}
		assert_int_equal(p->status, WK_OK);
		peer_del(p);
	}
}

/* A tunnel given up while it waits never reaches the wire. */
static void
test_waiting_given_up(void **state)
{
	struct peer *p = peer_new(false, NULL);

	(void)state;
	peer_request(p, "CONNECT", "connect-udp", true);
	p->in_verb++;
	wk_stream_reset(p->s, WK_STREAM_CANCEL, "no");
	p->in_verb--;
	peer_fetch(p);
	peer_expect(p, "ours 1");
	peer_greet(p, tunnels_taken, 2);
	assert_int_equal(peer_count(p, NGHTTP2_HEADERS), 0);
	assert_int_equal(peer_count(p, NGHTTP2_RST_STREAM), 0);
	peer_del(p);
}

static void
test_trailers(void **state)
{
	static const struct {
		const char *lines, *event;
		uint8_t flags;
	} cases[] = {
		{ "x: y\n", "request POST a /; end", END },
		{ "x: y\n", "request POST a /; ours 2", 0 },
		{ ":path: /\n", "request POST a /; ours 2", END },
		{ "connection: x\n", "request POST a /; ours 2", END },
		{ "Upper: x\n", "request POST a /; ours 2", END },
	};
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = peer_new(true, NULL);
		peer_greet(p, NULL, 0);
		peer_head(p, 0, 1, POST);
		peer_head(p, cases[i].flags, 1, cases[i].lines);
		peer_expect(p, cases[i].event);
		peer_del(p);
	}
	/* A tunnel has none. */
	p = peer_new(true, NULL);
	peer_greet(p, NULL, 0);
	peer_head(p, 0, 1, TUNNEL);
	peer_respond(p, p->s, 200, false);
	peer_head(p, END, 1, "x: y\n");
	peer_expect(p, "request CONNECT a / for connect-udp; ours 2");
	peer_expect_reset(p, 1, NGHTTP2_PROTOCOL_ERROR);
	peer_del(p);
}

/* Heads at the limits, and above: said so, and nothing kept. */
static void
test_limits(void **state)
{
	struct wk_session_limits limits;
	char lines[2000], long_line[1200];
	struct peer *p;
	int i;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_fields = 3;
	limits.max_head = 1000;
	p = peer_new(true, &limits);
	peer_greet(p, NULL, 0);
	peer_head(p, END, 1, GET "a: 1\nb: 2\nc: 3\n");
	peer_expect(p, "request GET a / a=1 b=2 c=3; end");
	peer_head(p, END, 3, GET "a: 1\nb: 2\nc: 3\nd: 4\n");
	assert_string_equal(peer_lines(p, peer_next(p, NGHTTP2_HEADERS)),
	    ":status: 431\n");
	/* 4 pseudo-header fields come to 167 octets, this to 33 + the rest. */
	for (i = 0; i < 2; i++) {
		memset(long_line, 'x', sizeof(long_line));
		long_line[1000 - 167 - 33 + i] = '\0';
		snprintf(lines, sizeof(lines), GET "a: %s\n", long_line);
		peer_head(p, 0, 5 + 2 * (uint32_t)i, lines);
		assert_int_equal(p->log.len > 0, i == 0);
		wk_buf_clear(&p->log);
	}
	/* The rest of the request is not wanted. */
	peer_next(p, NGHTTP2_HEADERS);
	peer_expect_reset(p, 7, NGHTTP2_NO_ERROR);
	assert_int_equal(wk_session_streams(p->session), 2);
	assert_int_equal(p->status, WK_OK);
	peer_del(p);

	p = peer_new(false, &limits);
	peer_greet(p, NULL, 0);
	peer_request(p, "GET", "", false);
	peer_head(p, END, 1, ":status: 200\na: 1\nb: 2\nc: 3\nd: 4\n");
	peer_expect(p, "ours 6");
	peer_expect_reset(p, 1, NGHTTP2_ENHANCE_YOUR_CALM);
	peer_del(p);
}

/* Credentials are never put into the compressor's table. */
static void
test_never_indexed(void **state)
{
	static const struct wk_field fields[] = {
		{ { "authorization", 13 }, { "1", 1 } },
		{ { "proxy-authorization", 19 }, { "2", 1 } },
	};
	const struct wk_message m = {
		.method = wk_str_of("GET"), .scheme = wk_str_of("https"),
		.authority = wk_str_of("a"), .path = wk_str_of("/"),
		.fields = fields, .n_fields = 2,
	};
	struct peer *p = peer_new(false, NULL);
	const struct peer_frame *f;
	uint8_t tail[8];
	int i;

	(void)state;
	peer_greet(p, NULL, 0);
	for (i = 0; i < 2; i++)
		assert_non_null(wk_session_request(p->session, &m, false,
		    &peer_handler, p, NULL));
	peer_fetch(p);
	peer_next(p, NGHTTP2_HEADERS);
	f = peer_next(p, NGHTTP2_HEADERS);
	/* 0001 and index 23 or 49, in two octets; one and the value. */
	memcpy(tail, p->sent.data + f->at + f->len - 8, 8);
	assert_int_equal(tail[0], 0x1f);
	assert_int_equal(tail[1], 23 - 15);
	assert_int_equal(tail[4], 0x1f);
	assert_int_equal(tail[5], 49 - 15);
	peer_del(p);
}

static void
test_trace(void **state)
{
	struct peer *p = peer_new(true, NULL);
	static const uint32_t settings[] = { 8, 0, 0x4a4a, 7 };
	const char *const lines[] = {
		"F0 SETTINGS, 30 octets\n",
		"F0 SETTINGS INITIAL_WINDOW_SIZE = 1048576\n",
		"F0 SETTINGS ENABLE_CONNECT_PROTOCOL = 1\n",
		"F0 WINDOW_UPDATE +104792065\n",
		"R0 SETTINGS, 12 octets\n",
		"R0 SETTINGS ENABLE_CONNECT_PROTOCOL = 0\n",
		"R0 SETTINGS 0x4a4a = 7\n",
		"R0 SETTINGS ACK, 0 octets\n",
		"R1 HEADERS END_STREAM END_HEADERS, ",
		"<1 :method: GET\n",
		"<1 :path: /\n",
		">1 :status: 200\n",
		"F1 HEADERS END_HEADERS, 1 octets\n",
		"F1 DATA END_STREAM, 2 octets\n",
		"R0 PING, 8 octets\n",
		"F0 PING ACK, 8 octets\n",
		"R0 GOAWAY ENHANCE_YOUR_CALM, last stream 0, \"a\\x01b\"\n",
		"*0 the peer ends the connection: ENHANCE_YOUR_CALM: a\\x01b\n",
	};
	size_t i;

	(void)state;
	peer_greet(p, settings, 4);
	peer_head(p, END, 1, GET);
	peer_respond(p, p->s, 200, false);
	wk_stream_write(p->s, "ok", 2);
	wk_stream_finish(p->s);
	peer_fetch(p);
	peer_frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
	peer_frame(p, NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\x0b" "a\001b", 11);
	wk_buf_append(&p->traced, "", 1);
	for (i = 0; i < N(lines); i++)
		if (strstr((const char *)p->traced.data, lines[i]) == NULL)
			fail_msg("not traced: %s in %s", lines[i],
			    (const char *)p->traced.data);
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preface),
		cmocka_unit_test(test_alert_of_tls),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_tunnel_answers),
		cmocka_unit_test(test_connect_setting),
		cmocka_unit_test(test_waiting_given_up),
		cmocka_unit_test(test_trailers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_never_indexed),
		cmocka_unit_test(test_trace),
	};

	return cmocka_run_group_tests_name("http2_heads", tests, NULL, NULL);
}
