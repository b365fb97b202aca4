/* SPDX-License-Identifier: MIT */
/* What RFC 9114, 9204, 9220 and 9297 forbid, and what they let pass. */
#include "config.h"

#include "tests/unit/http3_peer.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define GET ":method: GET\n:scheme: https\n:path: /\n:authority: a\n"
#define POST ":method: POST\n:scheme: https\n:path: /\n:authority: a\n"
#define TUNNEL ":method: CONNECT\n:protocol: connect-udp\n:scheme: https\n" \
	":path: /\n:authority: a\n"
#define CONNECT ":method: CONNECT\n:authority: a:1\n"

/* Both settings that matter, 1 each. */
#define BOTH "08013301"

enum { CLIENT = 1, SERVER = 2, EITHER = 3 };	/* what the session is */

/* --- the streams of a connection ------------------------------------------ */

/* Each stream in hex, "|" between; FIN behind those that end with ".". */
static const struct {
	const char *name;
	int who;
	const char *streams;
	uint64_t code;		/* 0: nothing is wrong */
} cases[] = {
	{ "SETTINGS", EITHER, "000400", 0 },
	{ "no SETTINGS but GOAWAY", EITHER, "00070100", 0x10a },
	{ "grease before SETTINGS", EITHER, "0021000400", 0x10a },
	{ "DATA before SETTINGS", EITHER, "000000", 0x10a },
	{ "SETTINGS twice", EITHER, "0004000400", 0x105 },
	{ "DATA", EITHER, "0004000000", 0x105 },
	{ "HEADERS", EITHER, "0004000100", 0x105 },
	{ "PUSH_PROMISE", EITHER, "000400050100", 0x105 },
	{ "PRIORITY of HTTP/2", EITHER, "0004000200", 0x105 },
	{ "PING of HTTP/2", EITHER, "0004000600", 0x105 },
	{ "WINDOW_UPDATE of HTTP/2", EITHER, "0004000800", 0x105 },
	{ "CONTINUATION of HTTP/2", EITHER, "0004000900", 0x105 },
	{ "grease, PRIORITY_UPDATE", EITHER,
	    "000400 2103616263 800f0700 0100 40800201ff", 0 },
	{ "setting of HTTP/2: 2", EITHER, "0004020200", 0x109 },
	{ "setting of HTTP/2: 3", EITHER, "0004020300", 0x109 },
	{ "setting of HTTP/2: 4", EITHER, "0004020400", 0x109 },
	{ "setting of HTTP/2: 5", EITHER, "0004020500", 0x109 },
	{ "a setting twice", EITHER, "00040433013301", 0x109 },
	{ "H3_DATAGRAM 2", EITHER, "0004023302", 0x109 },
	{ "H3_DATAGRAM huge", EITHER, "00040933ffffffffffffffff", 0x109 },
	{ "ENABLE_CONNECT_PROTOCOL 2", EITHER, "0004020802", 0x109 },
	{ "a setting cut by its frame", EITHER, "00040133", 0x106 },
	{ "unknown settings, a table, old drafts", EITHER,
	    "00041b 0180010000 074064 80ffd27701 427601 ab60374201 2100 3300",
	    0 },
	{ "two control streams", EITHER, "000400|000400", 0x103 },
	{ "two control streams, both empty yet", EITHER, "00|00", 0x103 },
	{ "two encoder streams", EITHER, "02|02", 0x103 },
	{ "two decoder streams", EITHER, "03|03", 0x103 },
	{ "one of each", EITHER, "000400|02|03", 0 },
	{ "control stream ends", EITHER, "000400.", 0x104 },
	{ "control stream ends inside a frame", EITHER, "00040233.", 0x104 },
	{ "control stream ends before it began", EITHER, "00.", 0x104 },
	{ "encoder stream ends", EITHER, "000400|02.", 0x104 },
	{ "decoder stream ends", EITHER, "000400|03.", 0x104 },
	{ "a stream ends before its type", EITHER, "000400|40.", 0 },
	{ "an empty stream", EITHER, "000400|.", 0 },
	{ "grease streams", EITHER, "000400|21ffffff|4040ff.|21.", 0 },
	{ "a stream for WebTransport", EITHER, "000400|405400616263", 0 },
	{ "a push stream", SERVER, "000400|0100", 0x103 },
	{ "a push stream", CLIENT, "000400|0100", 0x108 },
	/* GOAWAY */
	{ "GOAWAY", EITHER, "000400 070108 070104 070104 070100", 0 },
	{ "GOAWAY grows", EITHER, "000400 070104 070108", 0x108 },
	{ "GOAWAY of no request", CLIENT, "000400 070101", 0x108 },
	{ "GOAWAY of a push", SERVER, "000400 070101", 0 },
	{ "GOAWAY too short", EITHER, "000400 0700", 0x106 },
	{ "GOAWAY cut", EITHER, "000400 070140", 0x106 },
	{ "GOAWAY too long", EITHER, "000400 07020000", 0x106 },
	/* pushes */
	{ "MAX_PUSH_ID", SERVER, "000400 0d0100 0d0105 0d0105", 0 },
	{ "MAX_PUSH_ID goes back", SERVER, "000400 0d0105 0d0104", 0x108 },
	{ "MAX_PUSH_ID from a server", CLIENT, "000400 0d0100", 0x105 },
	{ "MAX_PUSH_ID too long", SERVER, "000400 0d020000", 0x106 },
	{ "CANCEL_PUSH", EITHER, "000400 030100", 0x108 },
	{ "CANCEL_PUSH, allowed but not promised", SERVER,
	    "000400 0d0105 030100", 0x108 },
	{ "CANCEL_PUSH cut", EITHER, "000400 030140", 0x106 },
	/* QPACK without a dynamic table */
	{ "capacity 0", EITHER, "000400|022020", 0 },
	{ "capacity 1", EITHER, "000400|0221", 0x201 },
	{ "capacity 220", EITHER, "000400|023fbd01", 0x201 },
	{ "insert with a name", EITHER, "000400|02c00178", 0x201 },
	{ "insert", EITHER, "000400|0241780178", 0x201 },
	{ "duplicate", EITHER, "000400|0200", 0x201 },
	{ "stream cancellation", EITHER, "000400|0340 44 7f00 7fff01 41", 0 },
	{ "section acknowledgment", EITHER, "000400|0380", 0x202 },
	{ "insert count increment", EITHER, "000400|0301", 0x202 },
	{ "insert count increment 0", EITHER, "000400|0300", 0x202 },
	{ "a number without end", EITHER,
	    "000400|037fffffffffffffffffffffffffffffff", 0x202 },
};

static void
send_streams(struct peer *p, const char *text)
{
	char hex[200];
	const char *bar;
	bool ends;
	size_t len;

	for (;; text = bar + 1) {
		bar = strchrnul(text, '|');
		len = (size_t)(bar - text);
		ends = len > 0 && text[len - 1] == '.';
		snprintf(hex, sizeof(hex), "%.*s", (int)(len - ends), text);
		if (!p->theirs.was_closed)
			peer_hex(p, peer_open(p, true, NULL), hex, ends);
		if (*bar == '\0')
			return;
	}
}

static void
test_streams_of_connections(void **state)
{
	static const size_t pieces[] = { 0, 1, 2, 3 };
	struct peer *p;
	size_t i, k;
	int who;

	(void)state;
	for (i = 0; i < N(cases); i++)
		for (who = CLIENT; who <= SERVER; who++)
			for (k = 0; k < N(pieces); k++) {
				if ((cases[i].who & who) == 0)
					continue;
				p = peer_new(who == SERVER, NULL);
				p->piece = pieces[k];
				send_streams(p, cases[i].streams);
				if (p->theirs.was_closed_code != cases[i].code)
					fail_msg("%s: %llx (%s)",
					    cases[i].name, (unsigned long long)
					    p->theirs.was_closed_code,
					    p->ours.close_reason);
				if (cases[i].code != 0)
					peer_expect_close(p, cases[i].code);
				peer_del(p);
			}
}

/* Critical streams may not be reset or stopped, either. */
static void
test_critical_streams(void **state)
{
	static const char *const hex[] = { "000400", "02", "03" };
	struct peer *p;
	size_t i;
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		for (i = 0; i < N(hex); i++) {
			p = peer_new(who, NULL);
			peer_reset(p, peer_open(p, true, hex[i]), 0x100);
			peer_expect_close(p, 0x104);
			peer_del(p);
		}
		p = peer_greeted(who, NULL, BOTH);
		peer_stop(p, (uint64_t)who + 2, 0x100);
		peer_expect_close(p, 0x104);
		peer_del(p);
		/* One that is nothing yet may be. */
		p = peer_greeted(who, NULL, BOTH);
		peer_reset(p, peer_open(p, true, "40"), 0x100);
		peer_reset(p, peer_open(p, true, "2100"), 0x100);
		peer_expect_close(p, 0);
		peer_del(p);
	}
}

/* Streams that nobody wants are stopped, and may go on. */
static void
test_unwanted_streams(void **state)
{
	struct peer *p = peer_greeted(true, NULL, BOTH);
	uint64_t id;

	(void)state;
	id = peer_open(p, true, "21616263");
	peer_expect_heard(p, id, "STOP(103)");
	id = peer_open(p, true, "405400616263");
	peer_expect_heard(p, id, "STOP(103)");
	id = peer_open(p, false, "404100616263");
	peer_expect_heard(p, id, "STOP(103) RESET(103)");
	peer_expect_close(p, 0);
	peer_expect(p, "");
	peer_del(p);
	/* A server opens no bidirectional ones. */
	p = peer_greeted(false, NULL, BOTH);
	peer_open(p, false, "00");
	peer_expect_close(p, 0x103);
	peer_del(p);
}

/* H3_DATAGRAM needs QUIC's datagrams; who wants none does not care. */
static void
test_datagram_setting(void **state)
{
	struct wk_session_limits limits;
	struct peer *p;
	int i, who;

	(void)state;
	wk_session_limits_default(&limits);
	for (who = 0; who < 2; who++)
		for (i = 0; i < 3; i++) {
			limits.has_no_datagrams = i == 1;
			p = peer_new(who, &limits);
			p->ours.datagram_max = 0;
			peer_open(p, true, i == 2 ? "0004023300" :
			    "0004023301");
			peer_expect_close(p, i == 0 ? 0x109 : 0);
			peer_del(p);
		}
}

/* What we say first. */
static void
test_own_settings(void **state)
{
	struct wk_session_limits limits;
	const struct fake_stream *s;
	struct wk_h3settings set;
	struct peer *p;
	int i, who;
	size_t k;

	(void)state;
	wk_session_limits_default(&limits);
	for (who = 0; who < 2; who++)
		for (i = 0; i < 2; i++) {
			limits.has_no_datagrams = i == 1;
			p = peer_new(who, &limits);
			peer_run(p);
			s = fake_stream(&p->theirs, (uint64_t)who + 2);
			assert_int_equal(s->in.data[0], 0);
			assert_int_equal(s->in.data[1], 4);
			assert_int_equal(s->in.data[2], s->in.len - 3);
			memset(&set, 0, sizeof(set));
			wk_h3settings_read(&set, s->in.data + 3,
			    s->in.len - 3);
			assert_int_equal(wk_h3settings_finish(&set), WK_OK);
			assert_int_equal(wk_h3settings_value(&set, 0x33, 99),
			    i == 0 ? 1 : 99);
			assert_int_equal(wk_h3settings_value(&set, 0x08, 99),
			    who == 1 ? 1 : 99);
			assert_int_equal(wk_h3settings_value(&set, 0x06, 0),
			    limits.max_head);
			assert_int_equal(wk_h3settings_value(&set, 0x01, 99),
			    99);
			assert_int_equal(wk_h3settings_value(&set, 0x07, 99),
			    99);
			for (k = 0; k < set.n; k++)
				if (wk_h3frame_is_grease(set.list[k].id))
					break;
			assert_true(k < set.n);
			peer_del(p);
		}
}

/* --- frames on a request's stream ----------------------------------------- */

static const struct {
	const char *name;
	const char *head;	/* before it, NULL for none */
	const char *hex;
	uint64_t code;		/* of the connection; 0: none */
	const char *heard;	/* of the stream */
	const char *events;
} requests[] = {
	{ "DATA first", NULL, "0000", 0x105, NULL, NULL },
	{ "grease first", NULL, "2100 2103616263", 0, "", "" },
	{ "SETTINGS", NULL, "0400", 0x105, NULL, NULL },
	{ "GOAWAY", NULL, "070100", 0x105, NULL, NULL },
	{ "MAX_PUSH_ID", NULL, "0d0100", 0x105, NULL, NULL },
	{ "CANCEL_PUSH", NULL, "030100", 0x105, NULL, NULL },
	{ "PUSH_PROMISE", NULL, "05020000", 0x105, NULL, NULL },
	{ "of HTTP/2", NULL, "0200", 0x105, NULL, NULL },
	{ "of HTTP/2", POST, "0900", 0x105, NULL, NULL },
	{ "SETTINGS later", POST, "0400", 0x105, NULL, NULL },
	{ "grease between", POST, "2101ff 000161 2100 000162 800f070000", 0,
	    "", "request POST a /; data 1; data 1" },
	{ "trailers", POST, "000161 0107 0000217802 7979.", 0, "",
	    NULL },
	{ "a head with a dynamic reference", NULL, "0103 0000 80", 0x200,
	    NULL, NULL },
	{ "a post-base reference", NULL, "0103 0000 10", 0x200, NULL, NULL },
	{ "inserts required", NULL, "0103 0200 80", 0x200, NULL, NULL },
	{ "an empty head", NULL, "0100", 0x200, NULL, NULL },
	{ "half a prefix", NULL, "010100", 0x200, NULL, NULL },
	{ "no such static entry", NULL, "0104 0000 ff24", 0x200, NULL,
	    NULL },
	{ "a string cut", NULL, "0104 0000 5105", 0x200, NULL, NULL },
	{ "a head without lines", NULL, "01020000", 0, "STOP(10e) RESET(10e)",
	    "" },
	{ "FIN inside a frame", POST, "000561.", 0x106, NULL, NULL },
	{ "FIN inside a header", POST, "00.", 0x106, NULL, NULL },
	{ "FIN inside grease", POST, "2105.", 0x106, NULL, NULL },
	{ "nothing but FIN", NULL, ".", 0, "RESET(10d)", "" },
	{ "grease and FIN", NULL, "2100.", 0, "RESET(10d)", "" },
	{ "HEADERS in a tunnel", TUNNEL, "0100", 0x105, NULL, NULL },
	{ "HEADERS in a plain tunnel", CONNECT, "0100", 0x105, NULL, NULL },
	{ "GOAWAY in a tunnel", TUNNEL, "070100", 0x105, NULL, NULL },
	{ "grease in a tunnel", TUNNEL, "2100 800f070000", 0, "",
	    "request CONNECT a / for connect-udp" },
	{ "0x41 is nothing behind another", NULL, "2100 404100", 0, "", "" },
	{ "0x41 is nothing later", POST, "404100 000161", 0, "",
	    "request POST a /; data 1" },
};

static void
send_hex(struct peer *p, uint64_t id, const char *hex)
{
	char text[200];
	size_t len = strlen(hex);
	bool ends = len > 0 && hex[len - 1] == '.';

	snprintf(text, sizeof(text), "%.*s", (int)(len - ends), hex);
	peer_hex(p, id, text, ends);
}

static void
test_requests(void **state)
{
	static const size_t pieces[] = { 0, 1, 3 };
	struct peer *p;
	uint64_t id;
	size_t i, k;

	(void)state;
	for (i = 0; i < N(requests); i++)
		for (k = 0; k < N(pieces); k++) {
			p = peer_greeted(true, NULL, BOTH);
			p->piece = pieces[k];
			id = peer_open(p, false, NULL);
			if (requests[i].head != NULL)
				peer_head(p, id, requests[i].head, false);
			send_hex(p, id, requests[i].hex);
			if (p->theirs.was_closed_code != requests[i].code)
				fail_msg("%s: %llx (%s)", requests[i].name,
				    (unsigned long long)
				    p->theirs.was_closed_code,
				    p->ours.close_reason);
			if (requests[i].code != 0)
				peer_expect_close(p, requests[i].code);
			if (requests[i].heard != NULL)
				peer_expect_heard(p, id, requests[i].heard);
			if (requests[i].events != NULL)
				peer_expect(p, requests[i].events);
			peer_del(p);
		}
}

static void
test_malformed_requests(void **state)
{
	static const char *const heads[] = {
		":method: GET\n:scheme: https\n:path: /\n",
		":method: GET\n:scheme: https\n:authority: a\n",
		":method: GET\n:path: /\n:authority: a\n",
		":scheme: https\n:path: /\n:authority: a\n",
		GET ":status: 200\n",
		GET "Upper: x\n",
		GET "connection: close\n",
		GET "transfer-encoding: chunked\n",
		GET "upgrade: x\n",
		GET "te: gzip\n",
		GET "x: 1\n:path: /\n",
		GET ":path: /\n",
		GET ":unknown: x\n",
		GET "host: other\n",
		GET "content-length: 1\ncontent-length: 2\n",
		GET "content-length: x\n",
		TUNNEL "content-length: 0\n",
		TUNNEL "content-type: a/b\n",
		":method: CONNECT\n:protocol: connect-udp\n:authority: a\n",
		":method: CONNECT\n:scheme: https\n:path: /\n:authority: a\n",
		":status: 200\n",
	};
	struct peer *p;
	uint64_t id;
	size_t i;

	(void)state;
	p = peer_greeted(true, NULL, BOTH);
	for (i = 0; i < N(heads); i++) {
		id = peer_open(p, false, NULL);
		peer_head(p, id, heads[i], false);
		if (strcmp(peer_heard(p, id), "STOP(10e) RESET(10e)") != 0)
			fail_msg("%s: %s", heads[i], peer_heard(p, id));
	}
	/* The connection goes on. */
	id = peer_open(p, false, NULL);
	peer_head(p, id, GET, true);
	peer_expect(p, "request GET a /; end");
	peer_expect_close(p, 0);
	peer_del(p);
}

static void
test_lengths(void **state)
{
	static const struct {
		const char *length, *body;
		bool ends, is_malformed;
	} bodies[] = {
		{ "3", "000161 00026262", true, false },
		{ "0", "", true, false },
		{ "0", "0000", true, false },
		{ "1", "", true, true },
		{ "3", "00026162", true, true },
		{ "3", "000461626364", false, true },
		{ "3", "00026162 00026364", false, true },
		{ "0", "000161", false, true },
	};
	struct peer *p;
	char head[200];
	uint64_t id;
	size_t i;

	(void)state;
	for (i = 0; i < N(bodies); i++) {
		p = peer_greeted(true, NULL, BOTH);
		snprintf(head, sizeof(head), POST "content-length: %s\n",
		    bodies[i].length);
		id = peer_open(p, false, NULL);
		peer_head(p, id, head, false);
		peer_hex(p, id, bodies[i].body, bodies[i].ends);
		assert_int_equal(strstr(peer_heard(p, id), "RESET(10e)") !=
		    NULL, bodies[i].is_malformed);
		peer_expect_close(p, 0);
		peer_del(p);
	}
	/* Announced, and the end comes with the head. */
	p = peer_greeted(true, NULL, BOTH);
	id = peer_open(p, false, NULL);
	peer_head(p, id, POST "content-length: 1\n", true);
	peer_expect_heard(p, id, "RESET(10e)");
	peer_del(p);
}

/* --- responses ------------------------------------------------------------ */

static const struct {
	const char *name, *method, *protocol;
	const char *heads[3];	/* "" ends them with FIN */
	const char *hex;
	uint64_t code;
	const char *events;
} responses[] = {
	{ "whole", "GET", "", { ":status: 200\nx: y\n" }, "000161.", 0,
	    "head 200 x=y; data 1; end; closed" },
	{ "informational", "GET", "", { ":status: 103\n", ":status: 103\n",
	    ":status: 204\n" }, ".", 0,
	    "inform 103; inform 103; head 204; end; closed" },
	{ "trailers", "GET", "", { ":status: 200\n", "x: y\n" }, ".", 0,
	    "head 200; end; closed" },
	{ "malformed trailers", "GET", "", { ":status: 200\n",
	    ":status: 200\n" }, ".", 0, "head 200; ours 2" },
	{ "HEADERS behind trailers", "GET", "", { ":status: 200\n", "x: y\n",
	    "x: y\n" }, "", 0x105, "head 200; ours 2" },
	{ "DATA behind trailers", "GET", "", { ":status: 200\n", "x: y\n" },
	    "0000", 0x105, "head 200; ours 2" },
	{ "DATA first", "GET", "", { NULL }, "0000", 0x105, "ours 2" },
	{ "DATA behind 1xx", "GET", "", { ":status: 103\n" }, "0000", 0x105,
	    "inform 103; ours 2" },
	{ "a promise", "GET", "", { NULL }, "0503000000", 0x108, "ours 2" },
	{ "no response", "GET", "", { NULL }, ".", 0, "ours 2" },
	{ "1xx and the end", "GET", "", { ":status: 103\n" }, ".", 0,
	    "inform 103; ours 2" },
	{ "no status", "GET", "", { "x: y\n" }, "", 0, "ours 2" },
	{ "101", "GET", "", { ":status: 101\n" }, "", 0, "ours 2" },
	{ "bad status", "GET", "", { ":status: 20\n" }, "", 0, "ours 2" },
	{ "a request", "GET", "", { GET }, "", 0, "ours 2" },
	{ "too short", "GET", "", { ":status: 200\ncontent-length: 2\n" },
	    "000161.", 0, "head 200 content-length=2; data 1; ours 2" },
	{ "too long", "GET", "", { ":status: 200\ncontent-length: 1\n" },
	    "00026161", 0, "head 200 content-length=1; ours 2" },
	{ "to HEAD", "HEAD", "", { ":status: 200\ncontent-length: 9\n" }, ".",
	    0, "head 200 content-length=9; end; closed" },
	{ "to HEAD, with a body", "HEAD", "", { ":status: 200\n" }, "000161",
	    0, "head 200; ours 2" },
	{ "204 with a body", "GET", "", { ":status: 204\n" }, "000161", 0,
	    "head 204; ours 2" },
	{ "a tunnel", "CONNECT", "connect-udp", { ":status: 200\n" },
	    "000161.", 0, "head 200 opens; data 1; end" },
	{ "a tunnel, 204", "CONNECT", "connect-udp", { ":status: 204\n" }, "",
	    0, "ours 2" },
	{ "a tunnel with a length", "CONNECT", "connect-udp",
	    { ":status: 200\ncontent-length: 0\n" }, "", 0, "ours 2" },
	{ "a tunnel with a type", "CONNECT", "connect-udp",
	    { ":status: 200\ncontent-type: a/b\n" }, "", 0, "ours 2" },
	{ "a tunnel with trailers", "CONNECT", "connect-udp",
	    { ":status: 200\n", "x: y\n" }, "", 0x105,
	    "head 200 opens; ours 2" },
	{ "a refused one", "CONNECT", "connect-udp", { ":status: 302\n" },
	    "000161.", 0, "head 302; data 1; end; closed" },
	{ "a refused one, trailers", "CONNECT", "connect-udp",
	    { ":status: 403\n", "x: y\n" }, ".", 0, "head 403; end; closed" },
	{ "a plain tunnel, 204", "CONNECT", "", { ":status: 204\n" }, "", 0,
	    "head 204 opens" },
};

static void
test_responses(void **state)
{
	static const size_t pieces[] = { 0, 1, 3 };
	struct peer *p;
	size_t i, k, n;

	(void)state;
	for (i = 0; i < N(responses); i++)
		for (k = 0; k < N(pieces); k++) {
			p = peer_greeted(false, NULL, BOTH);
			if (strcmp(responses[i].method, "CONNECT") == 0 &&
			    responses[i].protocol[0] == '\0') {
				const struct wk_message m = {
					.method = wk_str_of("CONNECT"),
					.authority = wk_str_of("a:1"),
				};
				wk_session_request(p->session, &m, true,
				    &peer_handler, p, &p->error);
				peer_run(p);
			} else {
				peer_request(p, responses[i].method,
				    responses[i].protocol, false);
			}
			p->piece = pieces[k];
			for (n = 0; n < 3 && responses[i].heads[n] != NULL; n++)
				peer_head(p, 0, responses[i].heads[n], false);
			send_hex(p, 0, responses[i].hex);
			if (p->theirs.was_closed_code != responses[i].code)
				fail_msg("%s: %llx (%s)", responses[i].name,
				    (unsigned long long)
				    p->theirs.was_closed_code,
				    p->ours.close_reason);
			/* In pieces, data come in pieces, too. */
			if (k == 0)
				peer_expect(p, responses[i].events);
			peer_del(p);
		}
}

/* An informational response is none if nothing follows. */
static void
test_last_informational(void **state)
{
	struct peer *p = peer_greeted(false, NULL, BOTH);

	(void)state;
	peer_request(p, "GET", "", false);
	peer_head(p, 0, ":status: 103\n", true);
	peer_expect(p, "ours 2");
	peer_expect_close(p, 0);
	peer_del(p);
}

/* --- vectors -------------------------------------------------------------- */

/* The request and response of RFC 9298, by another encoder. */
static void
test_vectors(void **state)
{
	struct peer *p = peer_greeted(true, NULL, BOTH);
	uint64_t id;

	(void)state;
	id = peer_open(p, false, "01404e 0000cf2f00b95d8749c87a3f8821eaa8a44ad6"
	    "c95fd750882f91d35d055cf64d519c617f05a285bad47f153148d1dad2b16c95"
	    "b017c4b81712ee30d34cb12f0420eb45b4156aec3a4e43d1023f31");
	peer_expect(p, "request CONNECT example.org "
	    "/.well-known/masque/udp/192.0.2.6/443/ for connect-udp "
	    "capsule-protocol=?1");
	wk_stream_use_capsules(p->s, 1500);
	peer_respond(p, p->s, 200, false);
	peer_run(p);
	peer_expect_heard(p, id, "HEADERS(200)");
	peer_del(p);

	p = peer_greeted(false, NULL, BOTH);
	peer_request(p, "CONNECT", "connect-udp", true);
	peer_hex(p, 0, "0113 0000d92f0420eb45b4156aec3a4e43d1023f31", false);
	peer_expect(p, "head 200 opens capsule-protocol=?1");
	peer_del(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_of_connections),
		cmocka_unit_test(test_critical_streams),
		cmocka_unit_test(test_unwanted_streams),
		cmocka_unit_test(test_datagram_setting),
		cmocka_unit_test(test_own_settings),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_malformed_requests),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_last_informational),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("http3_rules", tests, NULL, NULL);
}
