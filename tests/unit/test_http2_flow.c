/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http2_peer.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define END NGHTTP2_FLAG_END_STREAM
#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define POST ":method: POST\n:scheme: https\n:path: /\n:authority: a\n"
#define TUNNEL ":method: CONNECT\n:protocol: connect-udp\n" \
	":scheme: https\n:path: /\n:authority: a\n"

static const uint8_t zeros[1 << 20];

static struct peer *
server(const struct wk_session_limits *limits)
{
	struct peer *p = peer_new(true, limits);

	peer_greet(p, NULL, 0);
	return p;
}

static void
data(struct peer *p, uint8_t flags, uint32_t id, size_t len)
{
	peer_frame(p, NGHTTP2_DATA, flags, id, zeros, len);
}

/* Bodies against what their heads and the protocol say. */
static void
test_bodies(void **state)
{
	static const struct {
		const char *head;
		uint8_t head_flags;
		struct {
			uint8_t flags;
			size_t len;
		} frames[3];
		size_t n;
		const char *event;	/* behind the request */
		uint32_t reset, goaway;
	} cases[] = {
		{ POST, 0, { { 0, 3 }, { END, 2 } }, 2,
		    "; data 3; data 2; end", 0, 0 },
		{ POST, 0, { { 0, 3 }, { END, 0 } }, 2, "; data 3; end", 0, 0 },
		{ POST, 0, { { 0, 0 }, { 0, 1 } }, 2, "; data 1", 0, 0 },
		{ POST "content-length: 5\n", 0, { { 0, 3 }, { END, 2 } }, 2,
		    " content-length=5; data 3; data 2; end", 0, 0 },
		{ POST "content-length: 5\n", 0, { { 0, 3 }, { END, 1 } }, 2,
		    " content-length=5; data 3; data 1; ours 2",
		    NGHTTP2_PROTOCOL_ERROR, 0 },
		{ POST "content-length: 5\n", 0, { { 0, 3 }, { 0, 3 } }, 2,
		    " content-length=5; data 3; ours 2",
		    NGHTTP2_PROTOCOL_ERROR, 0 },
		{ POST, END, { { 0, 1 } }, 1, "; end; ours 2", 0,
		    NGHTTP2_STREAM_CLOSED },
		{ POST, 0, { { END, 1 }, { 0, 1 } }, 2,
		    "; data 1; end; ours 2", 0, NGHTTP2_STREAM_CLOSED },
	};
	char want[100];
	struct peer *p;
	size_t i, k;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = server(NULL);
		peer_head(p, cases[i].head_flags, 1, cases[i].head);
		for (k = 0; k < cases[i].n; k++)
			data(p, cases[i].frames[k].flags, 1,
			    cases[i].frames[k].len);
		snprintf(want, sizeof(want), "request POST a /%s",
		    cases[i].event);
		peer_expect(p, want);
		if (cases[i].reset != 0)
			peer_expect_reset(p, 1, cases[i].reset);
		if (cases[i].goaway != 0)
			peer_expect_goaway(p, cases[i].goaway);
		else
			assert_int_equal(p->status, WK_OK);
		peer_del(p);
	}
}

/* Octets where a response has none, or before it. */
static void
test_no_body(void **state)
{
	static const struct {
		const char *method, *lines;
		uint32_t reset;
	} cases[] = {
		{ "HEAD", ":status: 200\n", NGHTTP2_PROTOCOL_ERROR },
		{ "GET", ":status: 204\n", NGHTTP2_PROTOCOL_ERROR },
		{ "GET", ":status: 304\n", NGHTTP2_PROTOCOL_ERROR },
		{ "GET", ":status: 103\n", NGHTTP2_PROTOCOL_ERROR },
	};
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = peer_new(false, NULL);
		peer_greet(p, NULL, 0);
		peer_request(p, cases[i].method, "", false);
		peer_head(p, 0, 1, cases[i].lines);
		data(p, 0, 1, 1);
		peer_expect_reset(p, 1, cases[i].reset);
		peer_del(p);
	}
	p = peer_new(false, NULL);
	peer_greet(p, NULL, 0);
	peer_request(p, "GET", "", false);
	data(p, 0, 1, 1);
	peer_expect_goaway(p, NGHTTP2_PROTOCOL_ERROR);
	peer_expect(p, "ours 2");
	peer_del(p);
}

/* Windows open as the owner consumes, the connection's too. */
static void
test_consumption(void **state)
{
	struct wk_session_limits limits;
	const struct peer_frame *f;
	struct peer *p;
	int i;

	(void)state;
	wk_session_limits_default(&limits);
	limits.window = 100000;
	limits.max_streams = 1;
	p = server(&limits);
	p->keeps = true;
	peer_head(p, 0, 1, POST);
	for (i = 0; i < 6; i++)
		data(p, 0, 1, 16000);
	assert_null(peer_find(p, NGHTTP2_WINDOW_UPDATE));
	wk_stream_consume(p->s, 40000);
	peer_fetch(p);
	assert_null(peer_find(p, NGHTTP2_WINDOW_UPDATE));
	wk_stream_consume(p->s, 20000);
	peer_fetch(p);
	for (i = 0; i < 2; i++) {
		f = peer_next(p, NGHTTP2_WINDOW_UPDATE);
		assert_int_equal(f->id, i);
		assert_int_equal(peer_value(p, f, 0), 60000);
	}
	/* More than was handed over is not more. */
	wk_stream_consume(p->s, 1 << 30);
	data(p, 0, 1, 16000);
	assert_null(peer_find(p, NGHTTP2_WINDOW_UPDATE));
	/* What is over is consumed, whatever the owner kept. */
	data(p, 0, 1, 16000);
	wk_stream_reset(p->s, WK_STREAM_CANCEL, "enough");
	peer_fetch(p);
	peer_expect_reset(p, 1, NGHTTP2_CANCEL);
	p->looked = 0;
	peer_next(p, NGHTTP2_WINDOW_UPDATE);
	peer_next(p, NGHTTP2_WINDOW_UPDATE);
	peer_next(p, NGHTTP2_WINDOW_UPDATE);
	f = peer_next(p, NGHTTP2_WINDOW_UPDATE);
	assert_int_equal(f->id, 0);
	assert_int_equal(peer_value(p, f, 0), 36000 + 32000);
	/* And so is what still comes for it. */
	for (i = 0; i < 4; i++)
		data(p, 0, 1, 16000);
	f = peer_next(p, NGHTTP2_WINDOW_UPDATE);
	assert_int_equal(f->id, 0);
	assert_int_equal(peer_value(p, f, 0), 64000);
	assert_int_equal(p->status, WK_OK);
	peer_del(p);
}

static void
give_up(struct peer *p, struct wk_stream *s)
{
	(void)p;
	wk_stream_reset(s, WK_STREAM_CANCEL, "enough");
}

/* Given up in the middle of a frame: its rest is consumed as well. */
static void
test_rest_of_frame(void **state)
{
	static const uint8_t header[] = { 0, 0x3e, 0x80, 0, 0, 0, 0, 0 };
	struct wk_session_limits limits;
	struct peer *p;
	uint8_t id;

	(void)state;
	wk_session_limits_default(&limits);
	limits.window = 70000;
	limits.max_streams = 1;
	p = server(&limits);
	p->on_data = give_up;
	for (id = 1; id <= 5; id += 2) {
		assert_null(peer_find(p, NGHTTP2_WINDOW_UPDATE));
		peer_head(p, 0, id, POST);
		p->is_deaf = true;	/* the reset is not out yet */
		peer_send(p, header, sizeof(header));
		peer_send(p, &id, 1);
		peer_send(p, zeros, 1);
		peer_send(p, zeros, 15999);
		p->is_deaf = false;
		peer_fetch(p);
	}
	assert_int_equal(peer_value(p, peer_next(p, NGHTTP2_WINDOW_UPDATE), 0),
	    48000);
	peer_del(p);
}

/* A peer that sends beyond a window; its octets reach nobody. */
static void
test_window_broken(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	int i;

	(void)state;
	wk_session_limits_default(&limits);
	limits.window = 70000;
	p = server(&limits);
	p->keeps = true;
	peer_head(p, 0, 1, POST);
	for (i = 0; i < 5; i++)
		data(p, 0, 1, 16000);
	peer_expect_reset(p, 1, NGHTTP2_FLOW_CONTROL_ERROR);
	peer_expect(p, "request POST a /; data 16000; data 16000; data 16000; "
	    "data 16000; ours 10");
	assert_int_equal(p->status, WK_OK);
	peer_del(p);

	limits.max_streams = 1;	/* the connection's window: one stream's */
	p = server(&limits);
	p->keeps = true;
	peer_head(p, 0, 1, POST);
	for (i = 0; i < 4; i++)
		data(p, 0, 1, 16000);
	data(p, 0, 1, 6000);
	assert_int_equal(p->status, WK_OK);
	data(p, 0, 1, 1);
	peer_expect_goaway(p, NGHTTP2_FLOW_CONTROL_ERROR);
	peer_del(p);
}

/* The owner never has more than a window, even in the first moments. */
static void
test_small_window(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;

	(void)state;
	wk_session_limits_default(&limits);
	limits.window = 1000;
	p = peer_new(true, &limits);
	p->keeps = true;
	peer_send(p, WK_HTTP2_PREFACE, strlen(WK_HTTP2_PREFACE));
	peer_frame(p, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	/* Before the settings are acknowledged. */
	peer_head(p, 0, 1, POST);
	data(p, END, 1, 2500);
	peer_expect(p, "request POST a /; data 1000");
	wk_stream_consume(p->s, 600);
	peer_fetch(p);
	peer_expect(p, "data 600");
	wk_stream_consume(p->s, 1000);
	peer_fetch(p);
	peer_expect(p, "data 900; end");
	peer_del(p);
}

static void
test_window_updates(void **state)
{
	static const struct {
		uint32_t id, increment, reset, goaway;
	} cases[] = {
		{ 0, 0x7fffffff, 0, NGHTTP2_FLOW_CONTROL_ERROR },
		{ 1, 0x7fffffff, NGHTTP2_FLOW_CONTROL_ERROR, 0 },
		{ 0, 0, 0, NGHTTP2_PROTOCOL_ERROR },
		{ 1, 0, 0, NGHTTP2_PROTOCOL_ERROR },
		{ 3, 1, 0, NGHTTP2_PROTOCOL_ERROR },
	};
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = server(NULL);
		peer_head(p, 0, 1, POST);
		peer_u32(p, NGHTTP2_WINDOW_UPDATE, cases[i].id,
		    cases[i].increment);
		if (cases[i].reset != 0) {
			peer_expect_reset(p, 1, cases[i].reset);
			peer_expect(p, "request POST a /; ours 10");
			assert_int_equal(p->status, WK_OK);
		} else {
			peer_expect_goaway(p, cases[i].goaway);
			peer_expect(p, "request POST a /; ours 2");
		}
		peer_del(p);
	}
}

/* Octets at a time as the peer wants them, and no spinning between. */
static void
test_tiny_windows(void **state)
{
	static const uint32_t settings[] = { 4, 1 };
	const struct peer_frame *f;
	struct peer *p = peer_new(true, NULL);
	size_t i;

	(void)state;
	peer_greet(p, settings, 2);
	peer_head(p, END, 1, GET);
	peer_respond(p, p->s, 200, false);
	assert_int_equal(wk_stream_write(p->s, "abcdefghij", 10), 10);
	wk_stream_finish(p->s);
	peer_fetch(p);
	for (i = 0; i < 10; i++) {
		f = peer_next(p, NGHTTP2_DATA);
		assert_int_equal(f->len, 1);
		assert_int_equal(f->flags, i == 9 ? END : 0);
		assert_int_equal(p->sent.data[f->at], "abcdefghij"[i]);
		assert_null(peer_find(p, NGHTTP2_DATA));
		peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 1);
	}
	peer_expect(p, "request GET a /; end; closed");
	peer_del(p);
}

/* The end rides on the last octets, or comes alone when they are gone. */
static void
test_end_of_stream(void **state)
{
	static const struct {
		size_t len;
		bool waits;
		size_t n_frames, last;
	} cases[] = {
		{ 0, false, 1, 0 }, { 1, false, 1, 1 },
		{ 16384, false, 1, 16384 }, { 16385, false, 2, 1 },
		{ 40000, false, 3, 7232 }, { 5, true, 2, 0 },
	};
	const struct peer_frame *f;
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = server(NULL);
		peer_head(p, END, 1, GET);
		peer_respond(p, p->s, 200, false);
		wk_stream_write(p->s, zeros, cases[i].len);
		if (cases[i].waits)
			peer_fetch(p);
		wk_stream_finish(p->s);
		peer_fetch(p);
		assert_int_equal(peer_count(p, NGHTTP2_DATA),
		    cases[i].n_frames);
		f = &p->frames[p->n_frames - 1];
		assert_int_equal(f->type, NGHTTP2_DATA);
		assert_int_equal(f->flags, END);
		assert_int_equal(f->len, cases[i].last);
		peer_expect(p, "request GET a /; end; closed");
		peer_del(p);
	}
	/* No body at all: the head says so. */
	p = server(NULL);
	peer_head(p, END, 1, GET);
	peer_respond(p, p->s, 200, true);
	peer_fetch(p);
	assert_int_equal(peer_next(p, NGHTTP2_HEADERS)->flags,
	    END | NGHTTP2_FLAG_END_HEADERS);
	assert_int_equal(peer_count(p, NGHTTP2_DATA), 0);
	peer_expect(p, "request GET a /; end; closed");
	peer_del(p);
}

/* Streams with much to send take turns, whatever the peer's priorities. */
static void
test_fairness(void **state)
{
	static const uint32_t settings[] = { 4, 1 << 20, 9, 1 };
	const struct peer_frame *f;
	struct wk_stream *s[4];
	struct peer *p;
	size_t i, k, sent[4];
	bool is_server;

	(void)state;
	for (k = 0; k < 4; k++) {
		is_server = k % 2 != 0;
		p = peer_new(is_server, NULL);
		peer_greet(p, settings, k < 2 ? 2 : 4);
		peer_u32(p, NGHTTP2_WINDOW_UPDATE, 0, 1 << 24);
		for (i = 0; i < 4; i++) {
			if (is_server) {
				peer_head(p, END, (uint32_t)i * 2 + 1, GET);
				peer_respond(p, p->s, 200, false);
				s[i] = p->s;
				/* The first is to be the most important. */
				peer_frame(p, NGHTTP2_PRIORITY, 0, 7,
				    "\200\0\0\1\377", 5);
			} else {
				s[i] = peer_request(p, "POST", "", true);
			}
			peer_fetch(p);
		}
		for (i = 0; i < 4; i++)
			assert_int_equal(wk_stream_write(s[i], zeros, 1 << 18),
			    1 << 18);
		peer_fetch(p);
		memset(sent, 0, sizeof(sent));
		for (i = 0; (f = peer_find(p, NGHTTP2_DATA)) != NULL; i++) {
			sent[f->id / 2] += f->len;
			assert_int_equal(sent[f->id / 2], 16384 * (i / 4 + 1));
		}
		assert_int_equal(i, 4 * 16);
		peer_del(p);
	}
}

/* One that may not send does not hold up the others, nor spins. */
static void
test_blocked_neighbour(void **state)
{
	static const uint32_t settings[] = { 4, 0 };
	struct peer *p = peer_new(true, NULL);
	const struct peer_frame *f;
	struct wk_stream *s;

	(void)state;
	peer_greet(p, settings, 2);
	peer_head(p, END, 1, GET);
	s = p->s;
	peer_respond(p, s, 200, false);
	peer_head(p, END, 3, GET);
	peer_respond(p, p->s, 200, false);
	wk_stream_write(s, "first", 5);
	wk_stream_write(p->s, "second", 6);
	peer_fetch(p);
	assert_int_equal(peer_count(p, NGHTTP2_DATA), 0);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 3, 100);
	f = peer_next(p, NGHTTP2_DATA);
	assert_int_equal(f->id, 3);
	assert_int_equal(f->len, 6);
	assert_int_equal(wk_stream_queued(s), 5);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 3);
	assert_int_equal(peer_next(p, NGHTTP2_DATA)->len, 3);
	assert_int_equal(wk_stream_queued(s), 2);
	peer_del(p);
}

/* A large contiguous piece, taken in parts. */
static void
test_output(void **state)
{
	struct peer *p = server(NULL);
	const uint8_t *first, *second;
	size_t n, m;

	(void)state;
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 0, 1 << 24);
	peer_head(p, END, 1, GET);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 1 << 24);
	p->is_deaf = true;
	peer_respond(p, p->s, 200, false);
	assert_int_equal(wk_stream_write(p->s, zeros, 1 << 20), 1 << 18);
	assert_int_equal(wk_stream_write(p->s, zeros, 1), 0);
	n = wk_session_output(p->session, &first);
	assert_in_range(n, 128 << 10, 160 << 10);
	assert_int_equal(wk_session_output(p->session, &second), n);
	assert_ptr_equal(first, second);
	wk_session_sent(p->session, 1000, p->now_ns);
	m = wk_session_output(p->session, &second);
	assert_int_equal(m, n - 1000);
	assert_ptr_equal(second, first + 1000);
	assert_int_equal(p->sent.status, WK_OK);
	/* Half of the queue is free: once. */
	peer_expect(p, "request GET a /; end; writable");
	p->is_deaf = false;
	wk_session_sent(p->session, m, p->now_ns);
	while ((m = wk_session_output(p->session, &second)) > 0)
		wk_session_sent(p->session, m, p->now_ns);
	peer_expect(p, "");
	assert_int_equal(wk_stream_room(p->s), 1 << 18);
	peer_del(p);
}

static struct wk_stream *pair[2];

static void
fill_both(struct peer *p, struct wk_stream *s)
{
	(void)p;
	assert_true(wk_stream_room(s) > 0);
	wk_stream_write(pair[0], zeros, sizeof(zeros));
	wk_stream_write(pair[1], zeros, sizeof(zeros));
}

/* An event of one stream fills the other's queue: no writable that lies. */
static void
test_filled_again(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	int i;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_queued = 1000;
	p = server(&limits);
	for (i = 0; i < 2; i++) {
		peer_head(p, END, (uint32_t)i * 2 + 1, GET);
		pair[i] = p->s;
		peer_respond(p, pair[i], 200, false);
		wk_stream_write(pair[i], zeros, sizeof(zeros));
	}
	p->on_writable = fill_both;
	wk_buf_clear(&p->log);
	peer_fetch(p);
	assert_true(p->log.len > 0);
	peer_del(p);
}

/* Tunnel data that overtakes the answer waits, or goes where the tunnel goes. */
static void
test_early_data(void **state)
{
	struct peer *p;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = server(NULL);
		peer_head(p, 0, 1, TUNNEL);
		data(p, 0, 1, 10);
		data(p, END, 1, 20);
		peer_expect(p, "request CONNECT a / for connect-udp");
		peer_respond(p, p->s, i == 0 ? 200 : 403, false);
		peer_expect(p, "");
		peer_fetch(p);
		peer_expect(p, i == 0 ? "data 30; end" : "end");
		peer_del(p);
	}
	/* Refused while it still comes: nobody hears it. */
	p = server(NULL);
	peer_head(p, 0, 1, TUNNEL);
	peer_respond(p, p->s, 403, true);
	peer_fetch(p);
	data(p, 0, 1, 10);
	data(p, END, 1, 10);
	peer_expect(p, "request CONNECT a / for connect-udp; end; closed");
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_consumption),
		cmocka_unit_test(test_rest_of_frame),
		cmocka_unit_test(test_window_broken),
		cmocka_unit_test(test_small_window),
		cmocka_unit_test(test_window_updates),
		cmocka_unit_test(test_tiny_windows),
		cmocka_unit_test(test_end_of_stream),
		cmocka_unit_test(test_fairness),
		cmocka_unit_test(test_blocked_neighbour),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_filled_again),
		cmocka_unit_test(test_early_data),
	};

	return cmocka_run_group_tests_name("http2_flow", tests, NULL, NULL);
}
