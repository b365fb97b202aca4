/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/session_cases.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define BIG (300 * 1000)

static const size_t pieces[] = { 0, 1, 2, 3, 7, 64, 1000 };

static const char *
pattern(void)
{
	static char text[BIG];
	size_t i;

	if (text[0] == '\0')
		for (i = 0; i < BIG; i++)
			text[i] = (char)('a' + (i * 7 + i / 251) % 26);
	return text;
}

static struct side *
served(struct link *l, size_t i)
{
	assert_true(i < l->server.n_sides);
	return &l->server.sides[i];
}

/* A server that does what the path says. */
static void
serve(struct side *side, const struct wk_message *m)
{
	static const struct {
		const char *path;
		unsigned status;
		const char *fields, *body;
	} pages[] = {
		{ "/hello", 200, "content-type: text/plain", "hello" },
		{ "/length", 200, "content-length: 5", "hello" },
		{ "/empty", 200, NULL, NULL },
		{ "/none", 204, NULL, NULL },
		{ "/same", 304, "etag: \"1\"", NULL },
		{ "/missing", 404, "x-a: 1\nx-a: 2", "no" },
		{ "/refuse", 403, NULL, "no" },
		{ "/never", 0, NULL, NULL },
	};
	size_t i;

	if (wk_str_is(m->path, "/echo")) {
		side->echo = side;
		side_respond(side, 200, NULL, false);
		return;
	}
	if (wk_str_is(m->path, "/open") || m->path.len == 0) {
		side->echo = side;
		side_respond(side, 200, m->path.len == 0 ? NULL :
		    "capsule-protocol: ?1", false);
		return;
	}
	if (wk_str_is(m->path, "/hints")) {
		assert_int_equal(side_inform(side, 103, "link: </a>"), WK_OK);
		assert_int_equal(side_inform(side, 103, NULL), WK_OK);
	}
	if (wk_str_is(m->path, "/keep"))
		side->keeps = true;
	for (i = 0; i < N(pages); i++)
		if (wk_str_is(m->path, pages[i].path))
			break;
	i = i == N(pages) ? 2 : i;
	if (pages[i].status == 0)
		return;
	assert_int_equal(side_respond(side, pages[i].status, pages[i].fields,
	    pages[i].body == NULL), WK_OK);
	if (pages[i].body != NULL)
		side_send(side, pages[i].body, strlen(pages[i].body), true);
}

static struct link *
new_link(size_t piece)
{
	struct link_options options;

	link_options_default(&options, serve);
	options.piece = piece;
	options.delay_ns = piece % 2 * 1000;
	return link_new(&options);
}

static void
test_exchanges(void **state)
{
	static const struct {
		const char *method, *path, *body, *request, *response;
	} cases[] = {
		{ "GET", "/hello", NULL, "GET example.org /hello; end; closed",
		    "head 200 content-type=text/plain; \"hello\"; end; closed" },
		{ "GET", "/length", NULL,
		    "GET example.org /length; end; closed",
		    "head 200; \"hello\"; end; closed" },
		{ "GET", "/empty", NULL, "GET example.org /empty; end; closed",
		    "head 200; end; closed" },
		{ "GET", "/none", NULL, "GET example.org /none; end; closed",
		    "head 204; end; closed" },
		{ "GET", "/same", NULL, "GET example.org /same; end; closed",
		    "head 304 etag=\"1\"; end; closed" },
		{ "GET", "/missing", NULL,
		    "GET example.org /missing; end; closed",
		    "head 404 x-a=1 x-a=2; \"no\"; end; closed" },
		{ "HEAD", "/length", NULL,
		    "HEAD example.org /length; end; closed",
		    "head 200; end; closed" },
		{ "GET", "/hints", NULL, "GET example.org /hints; end; closed",
		    "inform 103 link=</a>; inform 103; head 200; end; closed" },
		{ "POST", "/echo", "some words",
		    "POST example.org /echo; \"some words\"; end; closed",
		    "head 200; \"some words\"; end; closed" },
		{ "POST", "/echo", "", "POST example.org /echo; end; closed",
		    "head 200; end; closed" },
		{ "POST", "/echo", NULL, "POST example.org /echo; end; closed",
		    "head 200; end; closed" },
		{ "POST", "/missing", "x",
		    "POST example.org /missing; \"x\"; end; closed",
		    "head 404 x-a=1 x-a=2; \"no\"; end; closed" },
	};
	struct wk_message m;
	struct side *side;
	struct link *l;
	size_t i, k;

	(void)state;
	for (k = 0; k < N(pieces); k++) {
		l = new_link(pieces[k]);
		for (i = 0; i < N(cases); i++) {
			m = *link_get(cases[i].path, NULL);
			m.method = wk_str_of(cases[i].method);
			side = link_request(l, &m, cases[i].body != NULL);
			if (cases[i].body != NULL)
				side_send(side, cases[i].body,
				    strlen(cases[i].body), true);
			link_run(l);
			side_expect(side, cases[i].response);
			side_expect(served(l, i), cases[i].request);
		}
		assert_int_equal(wk_session_fate(l->client.session),
		    WK_SESSION_OPEN);
		assert_int_equal(wk_session_streams(l->client.session), 0);
		assert_int_equal(wk_session_streams(l->server.session), 0);
		link_del(l);
	}
}

static void
test_fields(void **state)
{
	struct link *l = new_link(0);
	struct side *side;

	(void)state;
	side = link_request(l, link_get("/hello?a=b", "x-b: 1\ncookie: a=b\n"
	    "te: trailers\nx-empty: \nx-utf: \xc3\xa9"), false);
	link_run(l);
	side_expect(served(l, 0), "GET example.org /hello?a=b x-b=1 "
	    "cookie=a=b te=trailers x-empty= x-utf=\xc3\xa9; end; closed");
	side_expect(side, "head 200; end; closed");
	link_del(l);
}

static void
test_big_bodies(void **state)
{
	const char *big = pattern();
	struct side *side;
	struct link *l;
	size_t k;

	(void)state;
	for (k = 0; k < N(pieces); k++) {
		l = new_link(pieces[k]);
		side = link_request(l, link_post("/echo", NULL), true);
		side_send(side, big, pieces[k] == 0 || pieces[k] > 60 ? BIG :
		    BIG / 100, true);
		link_run(l);
		assert_true(side->has_ended && !side->has_failed);
		assert_int_equal(side->n_data, side->send_len);
		side_expect(side, pieces[k] == 0 || pieces[k] > 60 ?
		    "head 200; 300000 octets; end; closed" :
		    "head 200; 3000 octets; end; closed");
		link_del(l);
	}
}

/* The echo is octet for octet what was sent. */
static struct wk_buf collected;

static void
collect(struct side *side, const uint8_t *data, size_t len)
{
	(void)side;
	wk_buf_append(&collected, data, len);
}

static void
test_content(void **state)
{
	const char *big = pattern();
	struct link *l = new_link(1000);
	struct side *side;

	(void)state;
	wk_buf_init(&collected, BIG);
	side = link_request(l, link_post("/echo", "content-length: 300000"),
	    true);
	side->on_data = collect;
	side_send(side, big, BIG, true);
	link_run(l);
	assert_int_equal(collected.len, BIG);
	assert_memory_equal(collected.data, big, BIG);
	wk_buf_free(&collected);
	link_del(l);
}

static unsigned n_again;

static void
ask_again(struct side *side)
{
	struct side *next;

	if (n_again-- == 0)
		return;
	next = link_request(side->end->link, link_get("/hello", NULL), false);
	next->on_closed = ask_again;
}

static void
test_request_from_closed(void **state)
{
	struct link *l = new_link(3);
	struct side *side;
	size_t i;

	(void)state;
	n_again = 5;
	side = link_request(l, link_get("/length", NULL), false);
	side->on_closed = ask_again;
	link_run(l);
	assert_int_equal(l->client.n_sides, 6);
	for (i = 1; i < 6; i++)
		side_expect(&l->client.sides[i], "head 200 "
		    "content-type=text/plain; \"hello\"; end; closed");
	link_del(l);
}

static void
test_tunnel(void **state)
{
	struct side *side;
	struct link *l;
	size_t k;

	(void)state;
	for (k = 0; k < N(pieces); k++) {
		l = new_link(pieces[k]);
		side = link_request(l, link_tunnel("/open",
		    "capsule-protocol: ?1"), true);
		/* Nothing before it is open (RFC 9931). */
		assert_int_equal(side_write(side, "x", 1), WK_E_INVALID);
		assert_int_equal(side_datagram(side, "x", 1), WK_STREAM_CLOSED);
		assert_int_equal(side_finish(side), WK_E_INVALID);
		link_run(l);
		assert_true(side->is_open);
		side_send(side, "to and fro", 10, false);
		link_run(l);
		assert_int_equal(side->n_data, 10);
		side_send(side, ", once more", 11, true);
		link_run(l);
		side_expect(side, "open capsule-protocol=?1; "
		    "\"to and fro, once more\"; end; closed");
		side_expect(served(l, 0), "CONNECT example.org /open for "
		    "connect-udp capsule-protocol=?1; "
		    "\"to and fro, once more\"; end; closed");
		link_del(l);
	}
}

static void
test_plain_connect(void **state)
{
	struct side *side;
	struct link *l;
	size_t k;

	(void)state;
	for (k = 0; k < N(pieces); k++) {
		l = new_link(pieces[k]);
		side = link_request(l, link_connect("example.net:443"), true);
		assert_int_equal(side_write(side, "x", 1), WK_E_INVALID);
		link_run(l);
		side_send(side, "through", 7, true);
		link_run(l);
		side_expect(side, "open; \"through\"; end; closed");
		side_expect(served(l, 0),
		    "CONNECT example.net:443; \"through\"; end; closed");
		link_del(l);
	}
}

static void
open_and_half_close(struct side *side, const struct wk_message *m)
{
	(void)m;
	side_respond(side, 200, NULL, false);
	side_send(side, "bye", 3, true);
}

/* The server's direction ends first, the client's goes on. */
static void
test_half_close(void **state)
{
	struct link_options options;
	struct side *side;
	struct link *l;

	(void)state;
	link_options_default(&options, open_and_half_close);
	l = link_new(&options);
	side = link_request(l, link_tunnel("/", NULL), true);
	link_run(l);
	side_expect(side, "open; \"bye\"; end");
	side_send(side, "still here", 10, false);
	link_run(l);
	assert_int_equal(served(l, 0)->n_data, 10);
	assert_false(served(l, 0)->is_closed);
	side_send(side, ", gone", 6, true);
	link_run(l);
	side_expect(side, "open; \"bye\"; end; closed");
	side_expect(served(l, 0), "CONNECT example.org / for connect-udp; "
	    "\"still here, gone\"; end; closed");
	link_del(l);
}

static void
test_refused_tunnel(void **state)
{
	struct side *side;
	struct link *l;
	size_t k;

	(void)state;
	for (k = 0; k < N(pieces); k++) {
		l = new_link(pieces[k]);
		side = link_request(l, link_tunnel("/refuse", NULL), true);
		link_run(l);
		assert_false(side->is_open);
		assert_int_equal(side->status, 403);
		assert_int_equal(side->n_data, 2);
		assert_true(side->has_ended);
		assert_int_equal(served(l, 0)->n_data, 0);
		link_del(l);
	}
}

static void
open_with_capsules(struct side *side, const struct wk_message *m)
{
	(void)m;
	side->uses_capsules = true;
	side_respond(side, 200, "capsule-protocol: ?1", false);
}

static void
test_capsules(void **state)
{
	struct link_options options;
	char large[1501];
	struct side *side;
	struct link *l;
	size_t k;

	(void)state;
	memset(large, 'l', sizeof(large));
	link_options_default(&options, open_with_capsules);
	for (k = 0; k < N(pieces); k++) {
		options.piece = pieces[k];
		l = link_new(&options);
		side = link_request(l, link_tunnel("/", NULL), true);
		side->uses_capsules = true;
		link_run(l);
		assert_int_equal(side_datagram(side, "one", 3), WK_STREAM_SENT);
		assert_int_equal(side_datagram(side, "", 0), WK_STREAM_SENT);
		assert_int_equal(side_datagram(side, large, 1500),
		    WK_STREAM_SENT);
		assert_int_equal(side_datagram(side, large, 1501),
		    WK_STREAM_SENT);
		assert_int_equal(side_capsule(side, 0x17, "grease", 6),
		    WK_STREAM_SENT);
		assert_int_equal(side_capsule(side, 0x78ae, NULL, 0),
		    WK_STREAM_SENT);
		assert_int_equal(side_datagram(side, "two", 3), WK_STREAM_SENT);
		link_run(l);
		side_expect(served(l, 0), "CONNECT example.org / for "
		    "connect-udp; datagram \"one\"; datagram \"\"; "
		    "datagram of 1500; capsule 17; \"grease\"; capsule 78ae; "
		    "datagram \"two\"");
		assert_int_equal(wk_stream_oversized(served(l, 0)->s), 1);
		assert_int_equal(side_datagram(served(l, 0), "back", 4),
		    WK_STREAM_SENT);
		side_finish(served(l, 0));
		assert_int_equal(side_datagram(served(l, 0), "x", 1),
		    WK_STREAM_CLOSED);
		side_finish(side);
		link_run(l);
		side_expect(side, "open capsule-protocol=?1; datagram "
		    "\"back\"; end; closed");
		assert_false(served(l, 0)->has_failed);
		link_del(l);
	}
}

/* A stream that ends inside a capsule is malformed, on the other end too. */
static void
test_cut_capsule(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
	} cuts[] = { { "\0", 1 }, { "\0\6", 2 }, { "\0\6\0h", 4 },
		{ "\x40\0", 2 }, { "\x80", 1 }, { "\x17\3xy", 4 } };
	struct link_options options;
	struct side *side;
	struct link *l;
	size_t i, k;

	(void)state;
	link_options_default(&options, open_with_capsules);
	for (k = 0; k < N(pieces); k++)
		for (i = 0; i < N(cuts); i++) {
			options.piece = pieces[k];
			l = link_new(&options);
			side = link_request(l, link_tunnel("/", NULL), true);
			link_run(l);
			side_send(side, cuts[i].octets, cuts[i].len, true);
			link_run(l);
			assert_true(served(l, 0)->has_failed);
			assert_int_equal(served(l, 0)->code,
			    WK_STREAM_MALFORMED);
			assert_false(served(l, 0)->has_ended);
			assert_true(side->has_failed);
			if (link_version == WK_HTTP_1_1)
				assert_int_equal(l->server.fate,
				    WK_SESSION_ABORT);
			link_del(l);
		}
}

/* Who consumes nothing gets no more than a window, and all in the end. */
static void
test_window(void **state)
{
	const char *big = pattern();
	struct link_options options;
	struct side *side, *keeper;
	struct link *l;

	(void)state;
	link_options_default(&options, serve);
	options.limits[1].window = 70000;
	l = link_new(&options);
	side = link_request(l, link_post("/keep", NULL), true);
	link_run(l);
	keeper = served(l, 0);
	side_send(side, big, BIG, true);
	link_run(l);
	assert_int_equal(keeper->n_data, 70000);
	assert_false(keeper->has_ended);
	side_consume(keeper, 30000);
	link_run(l);
	assert_in_range(keeper->n_data, 70000, 100000);
	while (!keeper->has_ended) {
		assert_true(keeper->n_unconsumed > 0);
		side_consume(keeper, (size_t)keeper->n_unconsumed);
		link_run(l);
	}
	assert_int_equal(keeper->n_data, BIG);
	assert_true(keeper->is_closed && !keeper->has_failed);
	assert_true(side->is_closed && !side->has_failed);
	link_del(l);
}

/* A queue takes what it has room for, and says when it has some again. */
static void
test_queue(void **state)
{
	const char *big = pattern();
	struct link_options options;
	struct side *side;
	struct link *l;

	(void)state;
	link_options_default(&options, serve);
	options.limits[0].max_queued = 10000;
	l = link_new(&options);
	side = link_request(l, link_post("/echo", NULL), true);
	l->client.is_mute = true;
	link_run(l);
	assert_int_equal(wk_stream_room(side->s), 10000);
	assert_int_equal(side_write(side, big, 4000), 4000);
	assert_int_equal(wk_stream_queued(side->s), 4000);
	assert_int_equal(side_write(side, big + 4000, 10000), 6000);
	assert_int_equal(side_write(side, big + 10000, 1), 0);
	assert_int_equal(wk_stream_room(side->s), 0);
	/* From here on writable writes. */
	side->send = big;
	side->send_at = 10000;
	side->send_len = 50000;
	side->finishes = true;
	link_run(l);
	assert_int_equal(side->send_at, 10000);
	l->client.is_mute = false;
	link_run(l);
	assert_int_equal(side->n_data, 50000);
	assert_true(side->is_closed && !side->has_failed);
	link_del(l);
}

static void
test_blocked_datagrams(void **state)
{
	struct link_options options;
	char text[1000] = { 0 };
	enum wk_stream_sent sent;
	struct side *side;
	struct link *l;
	unsigned n = 0;

	(void)state;
	link_options_default(&options, open_with_capsules);
	options.limits[0].max_queued = 4000;
	l = link_new(&options);
	side = link_request(l, link_tunnel("/", NULL), true);
	side->uses_capsules = true;
	link_run(l);
	l->client.is_mute = true;
	while ((sent = side_datagram(side, text, sizeof(text))) ==
	    WK_STREAM_SENT)
		n++;
	assert_int_equal(sent, WK_STREAM_BLOCKED);
	assert_int_equal(n, 3);
	assert_int_equal(wk_stream_datagram_max(side->s),
	    4000 - WK_CAPSULE_HEADER_MAX);
	assert_int_equal(side_capsule(side, 0, NULL, 4000),
	    WK_STREAM_TOO_BIG);
	l->client.is_mute = false;
	link_run(l);
	assert_int_equal(side_datagram(side, text, sizeof(text)),
	    WK_STREAM_SENT);
	link_run(l);
	link_del(l);
}

static void
test_resets(void **state)
{
	struct side *side;
	struct link *l;

	(void)state;
	/* The client, before there is an answer. */
	l = new_link(0);
	side = link_request(l, link_get("/never", NULL), false);
	link_run(l);
	side_reset(side, WK_STREAM_CANCEL, "changed my mind");
	link_run(l);
	side_expect(side, "gave up: cancel");
	assert_int_equal(served(l, 0)->has_failed, true);
	side_expect(served(l, 0), link_version == WK_HTTP_1_1 ?
	    "GET example.org /never; end; broken: lost" :
	    "GET example.org /never; end; broken: cancel");
	link_del(l);

	/* The server, in the middle of its response. */
	l = new_link(0);
	side = link_request(l, link_post("/echo", NULL), true);
	side_send(side, "abc", 3, false);
	link_run(l);
	side_reset(served(l, 0), WK_STREAM_INTERNAL, "fell over");
	link_run(l);
	assert_true(side->has_failed);
	assert_int_equal(side->code, link_version == WK_HTTP_1_1 ?
	    WK_STREAM_LOST : WK_STREAM_INTERNAL);
	link_del(l);

	/* Both at once. */
	l = new_link(0);
	side = link_request(l, link_tunnel("/open", NULL), true);
	link_run(l);
	side_reset(side, WK_STREAM_CANCEL, "one");
	side_reset(side, WK_STREAM_CANCEL, "two");
	side_reset(served(l, 0), WK_STREAM_CONNECT, "three");
	link_run(l);
	side_expect(side, "open capsule-protocol=?1; gave up: cancel");
	assert_true(served(l, 0)->has_failed);
	link_del(l);
}

static void
reset_at_once(struct side *side, const struct wk_message *m)
{
	(void)m;
	side_reset(side, WK_STREAM_REFUSED, "not now");
}

static void
reset_in_event(struct side *side, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	side_reset(side, WK_STREAM_CANCEL, "enough");
}

static void
test_resets_in_events(void **state)
{
	struct link_options options;
	struct side *side;
	struct link *l;
	size_t k;

	(void)state;
	link_options_default(&options, reset_at_once);
	l = link_new(&options);
	side = link_request(l, link_get("/", NULL), false);
	link_run(l);
	side_expect(served(l, 0), "GET example.org /; gave up: refused");
	assert_true(side->has_failed);
	link_del(l);
	for (k = 0; k < N(pieces); k++) {
		l = new_link(pieces[k]);
		side = link_request(l, link_get("/length", NULL), false);
		side->on_data = reset_in_event;
		side->keeps = true;
		link_run(l);
		assert_int_equal(side->code, WK_STREAM_CANCEL);
		assert_true(side->n_data >= 1);
		link_del(l);
	}
}

/* Cut after each octet: both sides hear of it once, however far they were. */
static void
test_cut(void **state)
{
	const struct wk_message *(*const kinds[])(const char *,
	    const char *) = { link_post, link_tunnel };
	static const char *const paths[] = { "/echo", "/open" };
	struct side *side;
	struct link *l;
	bool is_over;
	size_t n, i;

	(void)state;
	for (i = 0; i < N(kinds); i++)
		for (n = 0, is_over = false; !is_over; n++) {
			l = new_link(1);
			side = link_request(l, kinds[i](paths[i], NULL), true);
			if (i == 0)
				side_send(side, "words", 5, true);
			l->options.delay_ns = LINK_SEC;
			while (link_passed(l) < n && !side->is_closed) {
				l->options.piece = 1;
				link_pass(l, LINK_SEC / 2);
				if (wk_session_fate(l->client.session) ==
				    WK_SESSION_OPEN && l->now_ns >
				    2000 * LINK_SEC)
					break;
			}
			is_over = side->is_closed || side->is_open;
			link_cut(l);
			assert_true(side->is_closed);
			if (!is_over)
				assert_true(side->has_failed);
			link_del(l);
		}
}

static void
test_shutdown(void **state)
{
	struct wk_error error;
	struct side *side;
	struct link *l = new_link(0);

	(void)state;
	side = link_request(l, link_post("/echo", NULL), true);
	side_send(side, "abc", 3, false);
	link_run(l);
	wk_session_shutdown(l->server.session);
	link_run(l);
	assert_true(wk_session_fate(l->server.session) < WK_SESSION_CLOSE);
	side_send(side, "def", 3, true);
	link_run(l);
	side_expect(side, "head 200; \"abcdef\"; end; closed");
	assert_null(wk_session_request(l->client.session, link_get("/", NULL),
	    false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_UNSUPPORTED);
	link_pass(l, 10 * LINK_SEC);
	assert_int_equal(wk_session_fate(l->server.session), WK_SESSION_CLOSE);
	link_del(l);

	l = new_link(0);
	wk_session_shutdown(l->client.session);
	assert_null(wk_session_request(l->client.session, link_get("/", NULL),
	    false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_UNSUPPORTED);
	link_run(l);
	assert_int_equal(wk_session_fate(l->client.session), WK_SESSION_CLOSE);
	link_del(l);
}

static void
test_refused_verbs(void **state)
{
	struct wk_message m = *link_get("/", NULL);
	struct wk_error error;
	struct side *side;
	struct link *l = new_link(0);

	(void)state;
	m.path = wk_str_of("no path");
	assert_null(wk_session_request(l->client.session, &m, false, NULL,
	    NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_session_request(l->client.session, link_get("/",
	    "upgrade: x"), false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_session_request(l->client.session, link_post("/",
	    "content-length: 3"), false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_session_request(l->client.session, link_tunnel("/",
	    "content-length: 3"), true, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);
	assert_null(wk_session_request(l->server.session, link_get("/", NULL),
	    false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_INVALID);

	side = link_request(l, link_get("/never", NULL), false);
	link_run(l);
	assert_int_equal(side_respond(side, 200, NULL, true), WK_E_INVALID);
	side = served(l, 0);
	assert_int_equal(side_write(side, "x", 1), WK_E_INVALID);
	assert_int_equal(side_respond(side, 101, NULL, true), WK_E_INVALID);
	assert_int_equal(side_respond(side, 103, NULL, true), WK_E_INVALID);
	assert_int_equal(side_respond(side, 200, "Name: x", true),
	    WK_E_INVALID);
	assert_int_equal(side_respond(side, 200, "content-length: 3", true),
	    WK_E_INVALID);
	assert_int_equal(side_inform(side, 200, NULL), WK_E_INVALID);
	assert_int_equal(side_inform(side, 101, NULL), WK_E_INVALID);
	assert_int_equal(side_respond(side, 200, NULL, true), WK_OK);
	assert_int_equal(side_respond(side, 200, NULL, true), WK_E_INVALID);
	assert_int_equal(side_inform(side, 103, NULL), WK_E_INVALID);
	assert_int_equal(side_write(side, "x", 1), WK_E_INVALID);
	assert_int_equal(side_finish(side), WK_E_INVALID);
	link_run(l);
	side_expect(&l->client.sides[0], "head 200; end; closed");
	link_del(l);
}

static void
answer_invalid_tunnels(struct side *side, const struct wk_message *m)
{
	(void)m;
	assert_int_equal(side_respond(side, 204, NULL, false), WK_E_INVALID);
	assert_int_equal(side_respond(side, 205, NULL, false), WK_E_INVALID);
	assert_int_equal(side_respond(side, 200, "content-length: 0", false),
	    WK_E_INVALID);
	assert_int_equal(side_respond(side, 200, "content-type: a/b", false),
	    WK_E_INVALID);
	assert_int_equal(side_respond(side, 299, NULL, false), WK_OK);
	side_finish(side);
}

static void
test_tunnel_answers(void **state)
{
	struct link_options options;
	struct side *side;
	struct link *l;

	(void)state;
	link_options_default(&options, answer_invalid_tunnels);
	l = link_new(&options);
	side = link_request(l, link_tunnel("/", NULL), true);
	link_run(l);
	side_expect(side, "open; end");
	link_del(l);
}

static void
open_and_finish(struct side *side, const struct wk_message *m)
{
	(void)m;
	assert_int_equal(side_respond(side, 200, NULL, true), WK_OK);
	assert_int_equal(side_write(side, "x", 1), WK_E_INVALID);
}

static void
test_tunnel_opened_as_last(void **state)
{
	struct link_options options;
	struct side *side;
	struct link *l;

	(void)state;
	link_options_default(&options, open_and_finish);
	l = link_new(&options);
	side = link_request(l, link_tunnel("/", NULL), true);
	link_run(l);
	side_expect(side, "open; end");
	side_send(side, "x", 1, true);
	link_run(l);
	side_expect(side, "open; end; closed");
	side_expect(served(l, 0), "CONNECT example.org / for connect-udp; "
	    "\"x\"; end; closed");
	link_del(l);
}

/* Over is what has left, and finishing counts when there is nothing to send. */
static void
test_closed_when_sent(void **state)
{
	struct link *l = new_link(0);
	struct side *side;

	(void)state;
	side = link_request(l, link_get("/length", NULL), false);
	l->server.is_mute = true;
	link_run(l);
	assert_false(served(l, 0)->is_closed);
	l->server.is_mute = false;
	link_run(l);
	assert_true(served(l, 0)->is_closed && side->is_closed);

	link_request(l, link_get("/never", NULL), false);
	link_run(l);
	side = served(l, 1);
	side_respond(side, 200, "content-length: 2", false);
	side_send(side, "ok", 2, false);
	link_run(l);
	assert_int_equal(wk_stream_queued(side->s), 0);
	assert_false(side->is_closed);
	assert_int_equal(side_finish(side), WK_OK);
	link_run(l);
	assert_true(side->is_closed && !side->has_failed);
	link_del(l);
}

/* A request while the client shuts down, with one still running. */
static void
test_request_in_shutdown(void **state)
{
	struct link *l = new_link(0);
	struct wk_error error;
	struct side *side;

	(void)state;
	side = link_request(l, link_get("/never", NULL), false);
	link_run(l);
	wk_session_shutdown(l->client.session);
	assert_null(wk_session_request(l->client.session, link_get("/", NULL),
	    false, NULL, NULL, &error));
	assert_int_equal(error.status, WK_E_UNSUPPORTED);
	side_respond(served(l, 0), 200, NULL, true);
	link_run(l);
	side_expect(side, "head 200; end; closed");
	assert_int_equal(wk_session_fate(l->client.session), WK_SESSION_CLOSE);
	link_del(l);
}

static void
test_idle(void **state)
{
	struct side *side;
	struct link *l = new_link(0);

	(void)state;
	side = link_request(l, link_get("/hello", NULL), false);
	link_run(l);
	assert_true(side->is_closed);
	link_pass(l, 59 * LINK_SEC);
	assert_int_equal(wk_session_fate(l->server.session), WK_SESSION_OPEN);
	/* A stream, however quiet, is not idle. */
	side = link_request(l, link_get("/never", NULL), false);
	link_pass(l, 600 * LINK_SEC);
	assert_int_equal(wk_session_fate(l->server.session), WK_SESSION_OPEN);
	assert_false(side->is_closed);
	side_respond(served(l, 1), 200, NULL, true);
	link_run(l);
	assert_true(side->is_closed && !side->has_failed);
	link_pass(l, 61 * LINK_SEC);
	assert_true(wk_session_fate(l->server.session) >= WK_SESSION_FINISH);
	link_pass(l, 61 * LINK_SEC);
	assert_int_equal(wk_session_fate(l->server.session), WK_SESSION_CLOSE);
	link_del(l);
}

/* Deleting a session tells its streams. */
static void
test_del(void **state)
{
	struct link *l = new_link(0);

	(void)state;
	link_request(l, link_get("/never", NULL), false);
	link_run(l);
	assert_int_equal(wk_session_streams(l->client.session), 1);
	assert_int_equal(wk_session_streams(l->server.session), 1);
	link_del(l);
}

int
session_cases_run(const char *group)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_big_bodies),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_request_from_closed),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_plain_connect),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_refused_tunnel),
		cmocka_unit_test(test_capsules),
		cmocka_unit_test(test_cut_capsule),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_blocked_datagrams),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_resets_in_events),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_refused_verbs),
		cmocka_unit_test(test_tunnel_answers),
		cmocka_unit_test(test_tunnel_opened_as_last),
		cmocka_unit_test(test_closed_when_sent),
		cmocka_unit_test(test_request_in_shutdown),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_del),
	};

	return cmocka_run_group_tests_name(group, tests, NULL, NULL);
}
