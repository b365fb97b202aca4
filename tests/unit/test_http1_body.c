/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/http1.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define POST0 "POST / HTTP/1.0\r\n"
#define CONN "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CL "Content-Length: "
#define TE "Transfer-Encoding: "

enum { NONE = WK_HTTP1_NO_BODY, LENGTH = WK_HTTP1_LENGTH,
	CHUNKED = WK_HTTP1_CHUNKED, CLOSE = WK_HTTP1_UNTIL_CLOSE,
	TUNNEL = WK_HTTP1_TUNNEL };

/* A method: a response to it. Otherwise a request. */
static const struct {
	const char *method, *head;
	int want;		/* framing, or status */
	uint64_t length;
	const char *reason;
	size_t offset;
} framings[] = {
	{ NULL, POST "\r\n", NONE, 0, NULL, 0 },
	{ NULL, POST CL "0\r\n\r\n", LENGTH, 0, NULL, 0 },
	{ NULL, POST CL "0042\r\n\r\n", LENGTH, 42, NULL, 0 },
	{ NULL, POST CL "9223372036854775807\r\n\r\n", LENGTH, INT64_MAX,
	    NULL, 0 },
	{ NULL, POST TE "Chunked\r\n\r\n", CHUNKED, 0, NULL, 0 },
	{ NULL, POST "Upgrade: x\r\n" CL "3\r\n\r\n", LENGTH, 3, NULL, 0 },
	{ NULL, CONN "\r\n", NONE, 0, NULL, 0 },
	{ NULL, CONN CL "0\r\n\r\n", NONE, 0, NULL, 0 },
	{ "GET", OK "\r\n", CLOSE, 0, NULL, 0 },
	{ "GET", OK CL "5\r\n\r\n", LENGTH, 5, NULL, 0 },
	{ "GET", OK TE "chunked\r\n\r\n", CHUNKED, 0, NULL, 0 },
	{ "HEAD", OK CL "5\r\n\r\n", NONE, 0, NULL, 0 },
	{ "HEAD", OK TE "chunked\r\n" CL "5\r\n\r\n", NONE, 0, NULL, 0 },
	{ "head", OK CL "5\r\n\r\n", LENGTH, 5, NULL, 0 },
	{ "GET", "HTTP/1.1 100 x\r\n" CL "5\r\n\r\n", NONE, 0, NULL, 0 },
	{ "GET", "HTTP/1.1 104 x\r\n\r\n", NONE, 0, NULL, 0 },
	{ "GET", "HTTP/1.1 204 x\r\n" CL "5\r\n\r\n", NONE, 0, NULL, 0 },
	{ "GET", "HTTP/1.1 304 x\r\n" CL "5\r\n\r\n", NONE, 0, NULL, 0 },
	{ "GET", "HTTP/1.1 205 x\r\n" CL "0\r\n\r\n", LENGTH, 0, NULL, 0 },
	{ "GET", "HTTP/1.1 101 x\r\n" CL "5\r\n\r\n", TUNNEL, 0, NULL, 0 },
	{ "CONNECT", OK CL "5\r\n" TE "x\r\n\r\n", TUNNEL, 0, NULL, 0 },
	{ "CONNECT", "HTTP/1.1 299 x\r\n\r\n", TUNNEL, 0, NULL, 0 },
	{ "CONNECT", "HTTP/1.1 403 x\r\n" CL "5\r\n\r\n", LENGTH, 5, NULL, 0 },
	{ "CONNECT", "HTTP/1.1 100 x\r\n\r\n", NONE, 0, NULL, 0 },

	{ NULL, POST CL "5\r\n" TE "chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length together with Transfer-Encoding", 26 },
	{ "GET", OK TE "chunked\r\n" CL "5\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length together with Transfer-Encoding", 45 },
	{ NULL, POST CL "5\r\n" CL "6\r\n\r\n", WK_E_MALFORMED, 0,
	    "a second Content-Length field", 45 },
	{ NULL, POST CL "5\r\ncontent-LENGTH: 5\r\n\r\n", WK_E_MALFORMED, 0,
	    "a second Content-Length field", 45 },
	{ NULL, POST CL "5, 5\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length is not one number", 42 },
	{ NULL, POST CL "\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length is not one number", 42 },
	{ NULL, POST CL "+5\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length is not one number", 42 },
	{ NULL, POST CL "-1\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length is not one number", 42 },
	{ NULL, POST CL "0x5\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length is not one number", 42 },
	{ NULL, POST CL "5 5\r\n\r\n", WK_E_MALFORMED, 0,
	    "Content-Length is not one number", 42 },
	{ NULL, POST CL "9223372036854775808\r\n\r\n", WK_E_LIMIT, 0,
	    "Content-Length is beyond 2^63-1", 42 },
	{ NULL, POST CL "99999999999999999999999\r\n\r\n", WK_E_LIMIT, 0,
	    "Content-Length is beyond 2^63-1", 42 },
	{ NULL, POST0 TE "chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "Transfer-Encoding in HTTP/1.0", 17 },
	{ NULL, POST TE "chunked, chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "expected chunked and nothing else", 45 },
	{ NULL, POST TE "chunked\r\n" TE "chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "expected chunked and nothing else", 45 },
	{ NULL, POST TE "\r\n\r\n", WK_E_MALFORMED, 0,
	    "expected chunked and nothing else", 45 },
	{ NULL, POST TE ",chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "expected chunked and nothing else", 45 },
	{ NULL, POST TE "chunked\r\n" TE "\r\n\r\n", WK_E_MALFORMED, 0,
	    "expected chunked and nothing else", 45 },
	{ NULL, POST TE "chunked, gzip\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 45 },
	{ NULL, POST TE "chunked, gzip, chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 45 },
	{ NULL, POST TE "identity\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 45 },
	{ NULL, POST TE "xchunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 45 },
	{ NULL, POST TE "chunked;q=1\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 45 },
	{ NULL, POST TE "\"chunked\"\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 45 },
	{ NULL, POST TE "gzip, chunked\r\n\r\n", WK_E_UNSUPPORTED, 0,
	    "a transfer coding other than chunked", 45 },
	{ NULL, POST TE "gzip\r\n" TE "chunked\r\n\r\n", WK_E_UNSUPPORTED, 0,
	    "a transfer coding other than chunked", 45 },
	{ "GET", OK TE "gzip\r\n\r\n", WK_E_UNSUPPORTED, 0,
	    "a transfer coding other than chunked", 36 },
	{ "GET", OK TE "chunked, gzip\r\n\r\n", WK_E_MALFORMED, 0,
	    "chunked is not the last transfer coding", 36 },
	{ NULL, CONN CL "5\r\n\r\n", WK_E_MALFORMED, 0,
	    "CONNECT has no body", 0 },
	{ NULL, CONN TE "chunked\r\n\r\n", WK_E_MALFORMED, 0,
	    "CONNECT has no body", 0 },
};

static void
test_framing(void **state)
{
	struct wk_http1_field fields[8];
	enum wk_http1_framing framing = WK_HTTP1_NO_BODY;
	struct wk_http1_reader r;
	struct wk_str method;
	struct wk_error e;
	const uint8_t *at;
	uint64_t length;
	char room[512];
	size_t i, n;
	int rc;

	(void)state;
	for (i = 0; i < N(framings); i++) {
		wk_http1_reader_init(&r, framings[i].method == NULL ?
		    WK_HTTP1_REQUEST : WK_HTTP1_RESPONSE, room, sizeof(room),
		    fields, 8);
		at = (const uint8_t *)framings[i].head;
		n = strlen(framings[i].head);
		assert_int_equal(wk_http1_read(&r, &at, &n), WK_HTTP1_HEAD);
		method = wk_str_of(framings[i].method == NULL ? "" :
		    framings[i].method);
		rc = wk_http1_framing(&r.head, method, &framing, &length, &e);
		if (framings[i].reason != NULL) {
			if (rc != framings[i].want ||
			    e.offset != framings[i].offset ||
			    strcmp(e.reason, framings[i].reason) != 0)
				fail_msg("%s: %d %d: %s", framings[i].head, rc,
				    (int)e.offset, e.reason);
		} else if (rc != WK_OK || (int)framing != framings[i].want ||
		    length != framings[i].length) {
			fail_msg("%s: %d %d", framings[i].head, rc, framing);
		}
	}
}

#define MAX_DATA 40

/* Good: data "|name:value"... ">" rest; bad: data, "!", reason@offset. */
static const struct {
	const char *in;
	size_t len;
	const char *want;
} bodies[] = {
	{ "0\r\n\r\n", 0, ">" },
	{ "0\r\n\r\nGET", 0, ">GET" },
	{ "5\r\nhello\r\n0\r\n\r\n", 0, "hello>" },
	{ "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nx", 0, "hello world>x" },
	{ "00000000000000A\r\n\r\n01\n\r5678\r\n00\r\n\r\n", 0,
	    "\r\n01\n\r5678>" },
	{ "0a\r\n0123456789\r\n0\r\n\r\n", 0, "0123456789>" },
	{ "1;a\r\nx\r\n1 ; a=\"b;\\\"c\" ;d\r\ny\r\n0;last\r\n\r\n", 0, "xy>" },
	{ "1\t;a\r\nx\r\n0\r\nA: 1\r\nb:2\r\n\r\nz", 0, "x|A:1|b:2>z" },
	{ "28\r\n0123456789012345678901234567890123456789\r\n0\r\n\r\n", 0,
	    "0123456789012345678901234567890123456789>" },
	{ "\r\n", 0, "!expected a chunk size@0" },
	{ ";a\r\n", 0, "!expected a chunk size@0" },
	{ " 5\r\n", 0, "!expected a chunk size@0" },
	{ "-5\r\n", 0, "!expected a chunk size@0" },
	{ "g\r\n", 0, "!expected a chunk size@0" },
	{ "0x5\r\n", 0, "!not a character for a chunk size@1" },
	{ "5\nhello", 0, "!not a character for a chunk size@1" },
	{ "5,\r\n", 0, "!not a character for a chunk size@1" },
	{ "5 \r\nhello", 0,
	    "!expected a semicolon behind the chunk size@2" },
	{ "5\rhello", 0, "!a carriage return without a line feed@2" },
	{ "5;a\nhello", 0, "!not a character for a chunk extension@3" },
	{ "5;\0\r\nhello", 10, "!not a character for a chunk extension@2" },
	{ "5;a\r\r\nhello", 0, "!a carriage return without a line feed@4" },
	{ "5\r\nhelloo\r\n", 0, "hello!expected the end of the chunk@8" },
	{ "5\r\nhello\n0\r\n", 0, "hello!expected the end of the chunk@8" },
	{ "5\r\nhello\r0", 0,
	    "hello!a carriage return without a line feed@9" },
	{ "5\r\nhello0\r\n\r\n", 0, "hello!expected the end of the chunk@8" },
	{ "5\r\nhello\r\n\r\n", 0, "hello!expected a chunk size@10" },
	{ "0\r\nA : b\r\n\r\n", 0, "!a space in front of the colon@4" },
	{ "0\r\nA: b\n", 0, "!a line feed without a carriage return@7" },
	{ "1\r\nx\r\n0\r\nA: b\r\n c\r\n", 0, "x!a folded line@15" },
	{ "0\r\nA: b\r\nC: d\r\nE: f\r\n", 0, "!too many fields@15" },
	{ "0\r\nLong: 01234567890123456789012345\r\n", 0,
	    "!too many octets@35" },
	{ "29\r\n", 0, "!the body is too long@3" },
	{ "27\r\n012345678901234567890123456789012345678\r\n2\r\n", 0,
	    "012345678901234567890123456789012345678!"
	    "the body is too long@47" },
	{ "ffffffffffffffff\r\n", 0, "!the body is too long@17" },
	{ "10000000000000000\r\n", 0,
	    "!a chunk size of more than 16 digits@16" },
	{ "00000000000000005\r\n", 0,
	    "!a chunk size of more than 16 digits@16" },
};

/* Returns the event that reading came to an end with. */
static int
body_transcript(const char *text, size_t len, size_t step, char *out)
{
	struct wk_http1_chunk_reader r;
	struct wk_http1_field fields[2];
	struct wk_http1_head *head = &r.trailers.head;
	const uint8_t *at, *data;
	size_t i, n, data_len, done = 0;
	struct wk_str name, value;
	struct fence in;
	char room[32];
	int ev = WK_HTTP1_CHUNK_MORE;

	fence_init(&in, text, len);
	wk_http1_chunk_reader_init(&r, MAX_DATA, room, sizeof(room), fields, 2);
	*out = '\0';
	while (ev == WK_HTTP1_CHUNK_MORE && done < len) {
		at = in.data + done;
		n = step < len - done ? step : len - done;
		while ((ev = wk_http1_chunk_read(&r, &at, &n, &data,
		    &data_len)) == WK_HTTP1_CHUNK_DATA) {
			assert_true(data_len > 0 && data_len <= step);
			strncat(out, (const char *)data, data_len);
		}
		done = (size_t)(at - in.data);
	}
	if (ev < 0) {
		sprintf(out + strlen(out), "!%s@%d", r.error.reason,
		    (int)r.error.offset);
		assert_int_equal(wk_http1_chunk_reader_finish(&r), ev);
	} else if (ev == WK_HTTP1_CHUNK_MORE) {
		assert_int_equal(wk_http1_chunk_reader_finish(&r),
		    WK_E_TRUNCATED);
		assert_int_equal(r.error.offset, len);
	} else {
		assert_int_equal(wk_http1_chunk_reader_finish(&r), WK_OK);
		for (i = 0; i < head->n_fields; i++) {
			name = wk_http1_str(head, fields[i].name);
			value = wk_http1_str(head, fields[i].value);
			sprintf(out + strlen(out), "|%.*s:%.*s", (int)name.len,
			    name.at, (int)value.len, value.at);
		}
		sprintf(out + strlen(out), ">%.*s", (int)(len - done),
		    (char *)in.data + done);
	}
	at = in.data;
	n = len;
	if (ev != WK_HTTP1_CHUNK_MORE) {
		assert_int_equal(wk_http1_chunk_read(&r, &at, &n, &data,
		    &data_len), ev);
		assert_int_equal(n, len);
	}
	fence_free(&in);
	return ev;
}

static void
test_chunks_in_pieces_of_every_size(void **state)
{
	char got[256];
	size_t i, step, len;

	(void)state;
	for (i = 0; i < N(bodies); i++) {
		len = bodies[i].len == 0 ? strlen(bodies[i].in) :
		    bodies[i].len;
		for (step = 1; step <= len + 1; step++) {
			body_transcript(bodies[i].in, len, step, got);
			if (strcmp(got, bodies[i].want) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    bodies[i].in, step, got);
		}
	}
}

static void
test_every_shorter_body_wants_more(void **state)
{
	char got[256];
	size_t i, n, end;

	(void)state;
	for (i = 0; i < N(bodies); i++) {
		if (strchr(bodies[i].want, '!') != NULL)
			continue;
		end = strlen(bodies[i].in) -
		    strlen(strrchr(bodies[i].want, '>') + 1);
		for (n = 0; n < end; n++)
			assert_int_equal(body_transcript(bodies[i].in, n,
			    n + 1, got), WK_HTTP1_CHUNK_MORE);
	}
}

/* Extensions are limited over the whole body, however small its chunks. */
static void
test_chunk_extensions_are_limited(void **state)
{
	static const uint8_t chunk[] = "1;abcdefg\r\nx\r\n";	/* 7, CR */
	struct wk_http1_chunk_reader r;
	const uint8_t *at, *data;
	size_t i, n, data_len;
	char room[2];
	int ev = 0;

	(void)state;
	wk_http1_chunk_reader_init(&r, 1 << 20, room, sizeof(room), NULL, 0);
	for (i = 0; i <= WK_HTTP1_CHUNK_EXTENSIONS_MAX / 8 && ev >= 0; i++) {
		at = chunk;
		n = sizeof(chunk) - 1;
		while ((ev = wk_http1_chunk_read(&r, &at, &n, &data,
		    &data_len)) == WK_HTTP1_CHUNK_DATA)
			;
	}
	assert_int_equal(ev, WK_E_LIMIT);
	assert_string_equal(r.error.reason, "too long chunk extensions");
	assert_int_equal(i, WK_HTTP1_CHUNK_EXTENSIONS_MAX / 8 + 1);
	assert_int_equal(r.error.offset, (i - 1) * (sizeof(chunk) - 1) + 2);
}

static void
test_trailers_need_room_for_the_empty_line(void **state)
{
	static const char in[] = "0\r\n\r\n";
	struct wk_http1_chunk_reader r;
	const uint8_t *at, *data;
	char room[2];
	size_t size, n, data_len;

	(void)state;
	for (size = 0; size <= 2; size++) {
		wk_http1_chunk_reader_init(&r, 0, room, size, NULL, 0);
		at = (const uint8_t *)in;
		n = sizeof(in) - 1;
		assert_int_equal(wk_http1_chunk_read(&r, &at, &n, &data,
		    &data_len), size < 2 ? WK_E_LIMIT : WK_HTTP1_CHUNK_END);
	}
}

static void
test_written_chunks_read_back(void **state)
{
	char text[MAX_DATA + 1], got[256];
	struct wk_buf b;
	size_t i, n;

	(void)state;
	memset(text, 'y', sizeof(text));
	for (n = 0; n <= MAX_DATA; n++) {
		wk_buf_init(&b, 512);
		wk_http1_put_chunk(&b, text, n);
		wk_http1_put_chunk(&b, "", 0);
		for (i = n; i < MAX_DATA; i++) {
			wk_http1_put_chunk_head(&b, 1);
			wk_buf_append(&b, "y\r\n", 3);
		}
		wk_http1_put_last_chunk(&b);
		wk_http1_put_field(&b, "T", wk_str_of("1"));
		assert_int_equal(wk_http1_put_end(&b), WK_OK);
		body_transcript((char *)b.data, b.len, 3, got);
		assert_int_equal(strspn(got, "y"), MAX_DATA);
		assert_string_equal(got + MAX_DATA, "|T:1>");
		wk_buf_free(&b);
	}
	wk_buf_init(&b, 32);
	wk_http1_put_chunk_head(&b, UINT64_MAX);
	assert_int_equal(b.len, 18);
	assert_memory_equal(b.data, "ffffffffffffffff\r\n", 18);
	assert_int_equal(wk_http1_put_chunk_head(&b, 0), WK_E_INVALID);
	wk_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_chunks_in_pieces_of_every_size),
		cmocka_unit_test(test_every_shorter_body_wants_more),
		cmocka_unit_test(test_chunk_extensions_are_limited),
		cmocka_unit_test(test_trailers_need_room_for_the_empty_line),
		cmocka_unit_test(test_written_chunks_read_back),
	};

	return cmocka_run_group_tests_name("http1_body", tests, NULL, NULL);
}
