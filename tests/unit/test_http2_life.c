/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http2_peer.h"

#include "common/net/loop.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define END NGHTTP2_FLAG_END_STREAM
#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define POST ":method: POST\n:scheme: https\n:path: /\n:authority: a\n"

static struct peer *
server(const struct wk_session_limits *limits)
{
	struct peer *p = peer_new(true, limits);

	peer_greet(p, NULL, 0);
	return p;
}

static struct peer *
client(const struct wk_session_limits *limits)
{
	struct peer *p = peer_new(false, limits);

	peer_greet(p, NULL, 0);
	return p;
}

/* --- resets ---------------------------------------------------------------- */

static void
test_reset_codes(void **state)
{
	static const struct {
		enum wk_stream_code code;
		uint32_t out, in;	/* in: 99 for none of its own */
	} cases[] = {
		{ WK_STREAM_NO_ERROR, 0, 0 },
		{ WK_STREAM_CANCEL, 8, 8 },
		{ WK_STREAM_MALFORMED, 1, 1 },
		{ WK_STREAM_DATAGRAM, 1, 99 },
		{ WK_STREAM_CONNECT, 10, 10 },
		{ WK_STREAM_REFUSED, 7, 7 },
		{ WK_STREAM_OVERLOAD, 11, 11 },
		{ WK_STREAM_INTERNAL, 2, 2 },
		{ WK_STREAM_OTHER, 8, 3 },
		{ WK_STREAM_OTHER, 8, 0x4000 },
	};
	char want[100];
	struct peer *p;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		p = server(NULL);
		peer_head(p, 0, 1, POST);
		p->in_verb++;
		wk_stream_reset(p->s, cases[i].code, "why");
		p->in_verb--;
		/* Due at once, but only when somebody asks. */
		assert_int_equal(wk_session_deadline_ns(p->session), 0);
		peer_fetch(p);
		peer_expect_reset(p, 1, cases[i].out);
		snprintf(want, sizeof(want), "request POST a /; ours %d",
		    cases[i].code);
		peer_expect(p, want);
		peer_del(p);
		if (cases[i].in == 99)
			continue;
		p = client(NULL);
		peer_request(p, "GET", "", false);
		peer_u32(p, NGHTTP2_RST_STREAM, 1, cases[i].in);
		snprintf(want, sizeof(want), "theirs %d", cases[i].code);
		peer_expect(p, want);
		assert_int_equal(p->status, WK_OK);
		peer_del(p);
	}
}

/* Closed may come from expire as well as from output. */
static void
test_due_by_time(void **state)
{
	struct peer *p = client(NULL);

	(void)state;
	peer_request(p, "GET", "", false);
	wk_stream_reset(p->s, WK_STREAM_CANCEL, "why");
	peer_expect(p, "");
	wk_session_expire(p->session, p->now_ns);
	peer_expect(p, "ours 1");
	assert_true(wk_session_deadline_ns(p->session) > p->now_ns);
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

	(void)state;
	p->request = ignore;
	peer_head(p, END, 1, GET);
	peer_expect_reset(p, 1, NGHTTP2_CANCEL);
	assert_int_equal(wk_session_streams(p->session), 0);
	p->request = answer_at_once;
	peer_head(p, END, 3, GET);
	assert_int_equal(peer_next(p, NGHTTP2_HEADERS)->id, 3);
	assert_int_equal(wk_session_streams(p->session), 0);
	/* The rest of a request is not waited for. */
	peer_head(p, 0, 5, POST);
	assert_int_equal(peer_next(p, NGHTTP2_HEADERS)->id, 5);
	peer_expect_reset(p, 5, NGHTTP2_NO_ERROR);
	assert_int_equal(wk_session_streams(p->session), 0);
	peer_del(p);
}

/* --- the end of connections ------------------------------------------------- */

static void
goaway(struct peer *p, uint32_t last, uint32_t code, const char *text)
{
	struct wk_buf b;

	wk_buf_init(&b, 1000);
	wk_buf_uint(&b, last, 4);
	wk_buf_uint(&b, code, 4);
	wk_buf_append(&b, text, strlen(text));
	peer_frame(p, NGHTTP2_GOAWAY, 0, 0, b.data, b.len);
	wk_buf_free(&b);
}

/* Streams beyond the last one were not looked at; the others go on. */
static void
test_goaway_received(void **state)
{
	struct wk_stream *first;
	struct peer *p = client(NULL);

	(void)state;
	first = peer_request(p, "GET", "", false);
	peer_request(p, "GET", "", false);
	peer_request(p, "GET", "", false);
	goaway(p, 0x7fffffff, 0, "");
	peer_expect(p, "draining");
	goaway(p, 1, 0, "");
	peer_expect(p, "theirs 5; theirs 5");
	assert_int_equal(wk_stream_id(first), 1);
	assert_null(peer_request(p, "GET", "", false));
	assert_int_equal(p->error.status, WK_E_UNSUPPORTED);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_head(p, END, 1, ":status: 200\n");
	peer_expect(p, "head 200; end; closed");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_del(p);
}

static char heard_reason[200];

static void
note_reason(struct wk_stream *s, const struct wk_stream_end *end)
{
	(void)s;
	snprintf(heard_reason, sizeof(heard_reason), "%s", end->reason);
}

/* Why the peer ended the connection is what its streams are told. */
static void
test_goaway_reason(void **state)
{
	static const struct wk_stream_handler handler = {
		.closed = note_reason,
	};
	struct peer *p;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = client(NULL);
		peer_request(p, "GET", "", false);
		wk_stream_handle(p->s, &handler, p);
		goaway(p, i == 0 ? 1 : 0, NGHTTP2_ENHANCE_YOUR_CALM,
		    "too\x1b fast");
		if (i == 0)
			wk_session_receive_end(p->session, true, p->now_ns);
		assert_string_equal(heard_reason, i == 0 ?
		    "the peer closed the connection: "
		    "ENHANCE_YOUR_CALM: too\\x1b fast" :
		    "the peer takes no more requests: "
		    "ENHANCE_YOUR_CALM: too\\x1b fast");
		peer_del(p);
	}
}

/* A server announces, waits for what is on its way, then means it. */
static void
test_server_shutdown(void **state)
{
	const struct peer_frame *f;
	struct wk_stream *first;
	struct peer *p;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = server(NULL);
		peer_head(p, END, 1, GET);
		first = p->s;
		wk_session_shutdown(p->session);
		peer_fetch(p);
		f = peer_next(p, NGHTTP2_GOAWAY);
		assert_int_equal(peer_value(p, f, 0), 0x7fffffff);
		assert_int_equal(peer_value(p, f, 4), 0);
		f = peer_next(p, NGHTTP2_PING);
		/* This one crossed the announcement. */
		peer_head(p, END, 3, GET);
		assert_null(peer_find(p, NGHTTP2_GOAWAY));
		if (i == 0)
			peer_frame(p, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0,
			    p->sent.data + f->at, f->len);
		else
			peer_pass(p, PEER_SEC);
		f = peer_next(p, NGHTTP2_GOAWAY);
		assert_int_equal(peer_value(p, f, 0), 3);
		assert_int_equal(peer_value(p, f, 4), 0);
		/* This one is too late. */
		peer_head(p, END, 5, GET);
		peer_expect(p, "request GET a /; end; request GET a /; end");
		assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
		peer_respond(p, first, 200, true);
		peer_respond(p, p->s, 200, true);
		peer_fetch(p);
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
	static const uint32_t settings[] = { 8, 1 };
	const struct peer_frame *f;
	struct peer *p = peer_new(false, NULL);

	(void)state;
	peer_request(p, "CONNECT", "connect-udp", true);
	wk_session_shutdown(p->session);
	peer_fetch(p);
	assert_int_equal(peer_count(p, NGHTTP2_GOAWAY), 0);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_greet(p, settings, 2);
	p->looked = 0;
	peer_next(p, NGHTTP2_HEADERS);
	f = peer_next(p, NGHTTP2_GOAWAY);
	assert_int_equal(peer_value(p, f, 4), 0);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_head(p, END, 1, ":status: 404\n");
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
	for (i = 0; i < 2; i++) {
		p = client(NULL);
		peer_request(p, "GET", "", false);
		wk_session_receive_end(p->session, i == 0, p->now_ns);
		peer_expect(p, "theirs 9");
		assert_int_equal(wk_session_fate(p->session),
		    WK_SESSION_CLOSE);
		assert_null(peer_request(p, "GET", "", false));
		assert_int_equal(wk_session_deadline_ns(p->session), WK_NEVER);
		peer_del(p);
	}
}

/* --- time ------------------------------------------------------------------ */

static void
test_head_timeout(void **state)
{
	struct peer *p;
	int i;

	(void)state;
	/* No SETTINGS, from either end. */
	for (i = 0; i < 2; i++) {
		p = peer_new(i == 0, NULL);
		peer_fetch(p);
		peer_pass(p, 9 * PEER_SEC);
		assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
		peer_pass(p, PEER_SEC);
		assert_int_equal(wk_session_fate(p->session),
		    WK_SESSION_CLOSE);
		peer_next(p, NGHTTP2_GOAWAY);
		peer_del(p);
	}
	/* A head that does not end, though it goes on. */
	p = server(NULL);
	peer_pass(p, 50 * PEER_SEC);
	peer_head(p, 0x80 | END, 1, GET);
	for (i = 0; i < 3; i++) {
		assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
		peer_pass(p, 3 * PEER_SEC);
		peer_frame(p, NGHTTP2_CONTINUATION, 0, 1, NULL, 0);
	}
	peer_pass(p, PEER_SEC);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_expect(p, "");
	peer_del(p);
	/* One that ends is in time. */
	p = server(NULL);
	peer_head(p, 0x80, 1, POST);
	peer_frame(p, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, NULL,
	    0);
	peer_pass(p, 100 * PEER_SEC);
	peer_expect(p, "request POST a /");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_del(p);
}

static void
test_pings(void **state)
{
	struct wk_session_limits limits;
	const struct peer_frame *f;
	struct peer *p;

	(void)state;
	wk_session_limits_default(&limits);
	limits.ping_interval_ns = 5 * PEER_SEC;
	p = client(&limits);
	peer_request(p, "GET", "", false);
	peer_pass(p, 4 * PEER_SEC);
	assert_int_equal(peer_count(p, NGHTTP2_PING), 0);
	peer_pass(p, PEER_SEC);
	f = peer_next(p, NGHTTP2_PING);
	peer_pass(p, 4 * PEER_SEC);
	peer_frame(p, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, p->sent.data + f->at,
	    8);
	/* Whatever comes is an answer. */
	peer_pass(p, 5 * PEER_SEC);
	peer_next(p, NGHTTP2_PING);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 0, 1);
	peer_pass(p, 5 * PEER_SEC);
	peer_next(p, NGHTTP2_PING);
	peer_expect(p, "");
	peer_pass(p, 5 * PEER_SEC);
	peer_expect(p, "ours 9");
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_ABORT);
	peer_del(p);
	/* A peer's own are answered. */
	p = server(NULL);
	peer_frame(p, NGHTTP2_PING, 0, 0, "abcdefgh", 8);
	f = peer_next(p, NGHTTP2_PING);
	assert_int_equal(f->flags, NGHTTP2_FLAG_ACK);
	assert_memory_equal(p->sent.data + f->at, "abcdefgh", 8);
	peer_del(p);
}

static void
test_idle(void **state)
{
	const struct peer_frame *f;
	struct peer *p = server(NULL);

	(void)state;
	peer_head(p, END, 1, GET);
	peer_pass(p, 1000 * PEER_SEC);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_respond(p, p->s, 200, true);
	peer_fetch(p);
	peer_pass(p, 60 * PEER_SEC - 1);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_pass(p, 1);
	f = peer_next(p, NGHTTP2_GOAWAY);
	assert_int_equal(peer_value(p, f, 0), 1);
	assert_int_equal(peer_value(p, f, 4), 0);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_del(p);
}

static void
stall_request(struct peer *p, struct wk_stream *s, const struct wk_message *m)
{
	static const char much[70000];

	(void)m;
	wk_stream_handle(s, &peer_handler, p);
	peer_respond(p, s, 200, false);
	assert_int_equal(wk_stream_write(s, much, sizeof(much)), sizeof(much));
}

/* A window that stays shut costs the stream behind it, and nobody else. */
static void
test_stalled_stream(void **state)
{
	static const uint32_t no_window[] = { 4, 0 };
	struct wk_session_limits limits;
	struct peer *p;
	int i;

	(void)state;
	wk_session_limits_default(&limits);
	assert_true(limits.stall_timeout_ns > 0);
	limits.stall_timeout_ns = 10 * PEER_SEC;
	p = peer_new(true, &limits);
	peer_greet(p, no_window, 2);
	p->request = stall_request;
	peer_head(p, END, 1, GET);
	peer_head(p, END, 3, GET);
	/* An octet now and then is enough. */
	for (i = 0; i < 4; i++) {
		peer_pass(p, 9 * PEER_SEC);
		peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 1);
		if (i == 0)
			peer_expect(p, "request GET a /; end; "
			    "request GET a /; end");
	}
	peer_expect_reset(p, 3, NGHTTP2_CANCEL);
	peer_expect(p, "ours 9");
	peer_pass(p, 21 * PEER_SEC);
	peer_expect_reset(p, 1, NGHTTP2_CANCEL);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_OPEN);
	peer_del(p);

	/* The window of all, and a limit that is none. */
	for (i = 0; i < 2; i++) {
		if (i == 1)
			limits.stall_timeout_ns = 0;
		p = peer_new(true, &limits);
		peer_greet(p, NULL, 0);
		p->request = stall_request;
		peer_head(p, END, 1, GET);
		peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 100000);
		peer_pass(p, 9 * PEER_SEC);
		assert_null(peer_find(p, NGHTTP2_RST_STREAM));
		peer_pass(p, 12 * PEER_SEC);
		if (i == 0)
			peer_expect_reset(p, 1, NGHTTP2_CANCEL);
		else
			assert_null(peer_find(p, NGHTTP2_RST_STREAM));
		peer_del(p);
	}

	/* That opens for one at a time: the others have their turn to come. */
	limits.stall_timeout_ns = 10 * PEER_SEC;
	p = peer_new(true, &limits);
	peer_greet(p, NULL, 0);
	p->request = stall_request;
	peer_head(p, END, 1, GET);
	peer_head(p, END, 3, GET);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 100000);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 3, 100000);
	for (i = 0; i < 10; i++) {
		peer_pass(p, 9 * PEER_SEC);
		peer_u32(p, NGHTTP2_WINDOW_UPDATE, 0, 1);
	}
	assert_int_equal(peer_count(p, NGHTTP2_RST_STREAM), 0);
	peer_pass(p, 31 * PEER_SEC);
	assert_int_equal(peer_count(p, NGHTTP2_RST_STREAM), 2);
	peer_del(p);

	/* Once open it is not shut, however often it was. */
	limits.stall_timeout_ns = 10 * PEER_SEC;
	p = peer_new(true, &limits);
	peer_greet(p, NULL, 0);
	p->request = stall_request;
	peer_head(p, END, 1, GET);
	peer_pass(p, 9 * PEER_SEC);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 0, 100000);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 1, 100000);
	peer_pass(p, 1000 * PEER_SEC);
	assert_null(peer_find(p, NGHTTP2_RST_STREAM));
	peer_del(p);
}

/* --- deletion from inside events -------------------------------------------- */

static void
delete(struct peer *p)
{
	wk_session_del(p->session);
	p->session = NULL;
}

static void
delete_on_request(struct peer *p, struct wk_stream *s,
    const struct wk_message *m)
{
	(void)m;
	wk_stream_handle(s, &peer_handler, p);
	delete(p);
}

static void
delete_on_data(struct peer *p, struct wk_stream *s)
{
	(void)s;
	delete(p);
}

static void
delete_on_closed(struct peer *p)
{
	p->on_closed = NULL;
	delete(p);
}

static void
test_deletion(void **state)
{
	struct peer *p = server(NULL);

	(void)state;
	peer_head(p, 0, 1, POST);
	p->request = delete_on_request;
	peer_head(p, 0, 3, POST);
	assert_null(p->session);
	/* Every stream heard of it. */
	peer_expect(p, "request POST a /; request POST a /; ours 9; ours 9");
	peer_del(p);

	p = server(NULL);
	p->on_data = delete_on_data;
	peer_head(p, 0, 1, POST);
	peer_frame(p, NGHTTP2_DATA, 0, 1, "abc", 3);
	peer_expect(p, "request POST a /; data 3; ours 9");
	peer_del(p);

	p = server(NULL);
	peer_head(p, 0, 1, POST);
	peer_head(p, 0, 3, POST);
	p->on_closed = delete_on_closed;
	peer_u32(p, NGHTTP2_RST_STREAM, 1, 8);
	peer_expect(p, "request POST a /; request POST a /; theirs 1; ours 9");
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_codes),
		cmocka_unit_test(test_due_by_time),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_goaway_received),
		cmocka_unit_test(test_goaway_reason),
		cmocka_unit_test(test_server_shutdown),
		cmocka_unit_test(test_client_shutdown),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_head_timeout),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_stalled_stream),
		cmocka_unit_test(test_deletion),
	};

	return cmocka_run_group_tests_name("http2_life", tests, NULL, NULL);
}
