/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http2_peer.h"

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

static void
flood_settings(struct peer *p, uint32_t i)
{
	(void)i;
	peer_frame(p, NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\144", 6);
}

static void
flood_ping(struct peer *p, uint32_t i)
{
	(void)i;
	peer_frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void
flood_priority(struct peer *p, uint32_t i)
{
	peer_frame(p, NGHTTP2_PRIORITY, 0, 2 * i + 1, "\0\0\0\0\020", 5);
}

static void
flood_empty(struct peer *p, uint32_t i)
{
	if (i == 0)
		peer_head(p, 0, 1, POST);
	peer_frame(p, NGHTTP2_DATA, 0, 1, NULL, 0);
}

static void
flood_padding(struct peer *p, uint32_t i)
{
	if (i == 0)
		peer_head(p, 0, 1, POST);
	peer_frame(p, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, "\3\0\0\0", 4);
}

static void
flood_resets(struct peer *p, uint32_t i)
{
	peer_head(p, END, 2 * i + 1, GET);
	peer_u32(p, NGHTTP2_RST_STREAM, 2 * i + 1, 8);
}

/* Making us reset is no better. */
static void
flood_mistakes(struct peer *p, uint32_t i)
{
	peer_head(p, 0, 2 * i + 1, POST);
	peer_u32(p, NGHTTP2_WINDOW_UPDATE, 2 * i + 1, 0x7fffffff);
}

static void
flood_malformed(struct peer *p, uint32_t i)
{
	peer_head(p, END, 2 * i + 1, ":method: GET\n");
}

static void
flood_continuation(struct peer *p, uint32_t i)
{
	if (i == 0)
		peer_head(p, 0x80, 1, GET);
	else
		peer_frame(p, NGHTTP2_CONTINUATION, 0, 1, NULL, 0);
}

static const struct {
	const char *name;
	void (*one)(struct peer *p, uint32_t i);
	uint32_t fine, fatal;	/* at once */
} floods[] = {
	{ "SETTINGS", flood_settings, 900, 1100 },
	{ "PING", flood_ping, 900, 1100 },
	{ "PRIORITY", flood_priority, 900, 1100 },
	{ "empty DATA", flood_empty, 900, 1100 },
	{ "padding", flood_padding, 900, 1100 },
	{ "resets", flood_resets, 390, 410 },
	{ "mistakes", flood_mistakes, 390, 410 },
	{ "malformed requests", flood_malformed, 390, 410 },
	{ "CONTINUATION", flood_continuation, 8, 20 },
};

static void
test_floods(void **state)
{
	struct peer *p;
	uint32_t k;
	size_t i;

	(void)state;
	for (i = 0; i < N(floods); i++) {
		p = server(NULL);
		for (k = 0; k < floods[i].fine; k++)
			floods[i].one(p, k);
		if (p->status != WK_OK)
			fail_msg("%s: already %s", floods[i].name,
			    p->error.reason);
		for (; k < floods[i].fatal && p->status == WK_OK; k++)
			floods[i].one(p, k);
		if (p->status != WK_E_LIMIT)
			fail_msg("%s: no limit", floods[i].name);
		peer_expect_goaway(p, NGHTTP2_ENHANCE_YOUR_CALM);
		peer_del(p);
	}
}

/* The same in peace is nothing to object to. */
static void
test_no_flood(void **state)
{
	struct peer *p;
	uint32_t k;
	size_t i;

	(void)state;
	for (i = 0; i < N(floods) - 1; i++) {
		p = server(NULL);
		for (k = 0; k < 1300 && p->status == WK_OK; k++) {
			floods[i].one(p, k);
			peer_pass(p, PEER_SEC / 20);
		}
		if (p->status != WK_OK)
			fail_msg("%s: %s", floods[i].name, p->error.reason);
		peer_del(p);
	}
	/* Among data there may be as many, whatever the time. */
	p = server(NULL);
	peer_head(p, 0, 1, POST);
	for (k = 0; k < 1300; k++) {
		peer_frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
		peer_frame(p, NGHTTP2_DATA, 0, 1, "abc", 3);
	}
	assert_int_equal(p->status, WK_OK);
	peer_del(p);
}

/* Who asks and never reads the answers is not read either. */
static void
test_deaf_flood(void **state)
{
	struct peer *p = server(NULL);
	uint32_t k;

	(void)state;
	p->is_deaf = true;
	assert_true(wk_session_wants_input(p->session));
	p->now_ns += 1000000 * PEER_SEC;
	for (k = 0; k < 30000 && wk_session_wants_input(p->session); k++) {
		p->now_ns += PEER_SEC;
		peer_frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
	}
	/* 128 KiB of answers of 17 octets, and a few that wait. */
	assert_in_range(k, 7000, 9000);
	for (k = 0; k < 30000 && p->status == WK_OK; k++) {
		p->now_ns += PEER_SEC;
		peer_frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
	}
	assert_int_equal(p->status, WK_E_LIMIT);
	assert_true(k < 5000);
	peer_del(p);
}

/* Mistakes cannot make answers pile up: there are only so many streams. */
static void
test_deaf_mistakes(void **state)
{
	struct peer *p = server(NULL);
	uint32_t k;

	(void)state;
	p->is_deaf = true;
	for (k = 0; k < 30000 && p->status == WK_OK; k++) {
		p->now_ns += PEER_SEC;
		flood_malformed(p, k);
	}
	p->is_deaf = false;
	peer_fetch(p);
	/* 128 KiB of 13 octets each, and those of the streams left. */
	assert_in_range(peer_count(p, NGHTTP2_RST_STREAM), 10000, 10300);
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	peer_send(p, "", 0);
	assert_int_equal(p->status, WK_E_MALFORMED);
	peer_del(p);
}

/* One too many is refused; when it was told the limit, it is a mistake. */
static void
test_many_streams(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	uint32_t k;

	(void)state;
	wk_session_limits_default(&limits);
	limits.max_streams = 3;
	p = peer_new(true, &limits);
	peer_send(p, WK_HTTP2_PREFACE, strlen(WK_HTTP2_PREFACE));
	peer_frame(p, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	for (k = 0; k < 3; k++)
		peer_head(p, END, 2 * k + 1, GET);
	assert_int_equal(peer_count(p, NGHTTP2_RST_STREAM), 0);
	peer_head(p, END, 7, GET);
	peer_expect_reset(p, 7, NGHTTP2_REFUSED_STREAM);
	assert_int_equal(wk_session_streams(p->session), 3);
	peer_frame(p, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
	assert_int_equal(p->status, WK_OK);
	peer_head(p, END, 9, GET);
	peer_expect_goaway(p, NGHTTP2_PROTOCOL_ERROR);
	peer_del(p);
}

static void
test_stream_limit(void **state)
{
	static const uint32_t settings[] = { 3, 2 };
	struct peer *p = peer_new(false, NULL);

	(void)state;
	peer_greet(p, settings, 2);
	assert_non_null(peer_request(p, "GET", "", false));
	assert_non_null(peer_request(p, "GET", "", false));
	assert_null(peer_request(p, "GET", "", false));
	assert_int_equal(p->error.status, WK_E_LIMIT);
	peer_head(p, END, 1, ":status: 200\n");
	assert_non_null(peer_request(p, "GET", "", false));
	peer_del(p);
}

/* References to one large field, again and again: read, but not kept. */
static void
test_head_bomb(void **state)
{
	char lines[5000];
	uint8_t block[16000];
	struct peer *p = server(NULL);
	size_t i;

	(void)state;
	snprintf(lines, sizeof(lines), GET "x: %0*d\n", 2500, 0);
	peer_head(p, END, 1, lines);
	peer_expect(p, p->log.len > 0 ? (char *)p->log.data : "");
	/* :method: GET, then index 62 until the frame is full. */
	memset(block, 0x80 | 62, sizeof(block));
	memcpy(block, "\202\207\204", 3);
	peer_frame(p, NGHTTP2_HEADERS, END, 3, block, sizeof(block));
	for (i = 0; i < 6; i++)
		peer_frame(p, NGHTTP2_CONTINUATION, i == 5 ?
		    NGHTTP2_FLAG_END_HEADERS : 0, 3, block + 3,
		    sizeof(block) - 3);
	peer_expect(p, "");
	assert_int_equal(p->status, WK_OK);
	assert_int_equal(peer_next(p, NGHTTP2_HEADERS)->id, 3);
	/* And the next head is read as ever. */
	peer_head(p, END, 5, GET);
	peer_expect(p, "request GET a /; end");
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_no_flood),
		cmocka_unit_test(test_deaf_flood),
		cmocka_unit_test(test_deaf_mistakes),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_stream_limit),
		cmocka_unit_test(test_head_bomb),
	};

	return cmocka_run_group_tests_name("http2_abuse", tests, NULL, NULL);
}
