/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/http1.h"
#include "common/wire/sfv.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_FIELDS 4
#define SIZE 256

#define REQ WK_HTTP1_REQUEST
#define RESP WK_HTTP1_RESPONSE

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

/*
 * Good: "method target minor" or "status minor reason", then "|name:value"
 * for each field, then ">" and the octets left over. Bad: reason@offset.
 */
static const struct {
	enum wk_http1_kind kind;
	const char *in;
	size_t len;		/* 0: strlen */
	const char *want;
} cases[] = {
	/* RFC 9112, sections 2.1 and 3.2, RFC 9298, section 3.2. */
	{ REQ, "GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\n"
	    "Host: www.example.com\r\nAccept-Language: en, mi\r\n\r\n", 0,
	    "GET /hello.txt 1|User-Agent:curl/7.64.1|Host:www.example.com"
	    "|Accept-Language:en, mi>" },
	{ REQ, "GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1\r\n"
	    "Host: www.example.org\r\n\r\n", 0,
	    "GET http://www.example.org/pub/WWW/TheProject.html 1"
	    "|Host:www.example.org>" },
	{ REQ, "CONNECT www.example.com:80 HTTP/1.1\r\n"
	    "Host: www.example.com\r\n\r\n", 0,
	    "CONNECT www.example.com:80 1|Host:www.example.com>" },
	{ REQ, "OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n", 0,
	    "OPTIONS * 1|Host:www.example.org:8001>" },
	{ RESP, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	    "Upgrade: connect-udp\r\nCapsule-Protocol: ?1\r\n\r\n"
	    "\x00\x06\x00hello", 101 + 8, "101 1 Switching Protocols"
	    "|Connection:Upgrade|Upgrade:connect-udp|Capsule-Protocol:?1>"
	    "\\0\x06\\0hello" },
	{ REQ, "\r\n" GET HOST "\r\n\r\n", 0, "GET / 1|Host:a>\r\n" },
	{ REQ, "GET / HTTP/1.0\r\n\r\n", 0, "GET / 0>" },
	{ REQ, "GET / HTTP/1.9\r\n" HOST "\r\n", 0, "GET / 9|Host:a>" },
	{ REQ, "M-SEARCH! /a%20b?c=/?%41 HTTP/1.1\r\nHost:\r\n\r\n", 0,
	    "M-SEARCH! /a%20b?c=/?%41 1|Host:>" },
	{ REQ, GET "host:\t [::1]:80 \t\r\nX:\t \r\n!#$%&'*+-.^_`|~9:\"\xff\"\r\n"
	    "\r\n", 0, "GET / 1|host:[::1]:80|X:|!#$%&'*+-.^_`|~9:\"\xff\">" },
	{ RESP, "HTTP/1.1 204 \r\n\r\nx", 0, "204 1 >x" },
	{ RESP, "HTTP/1.1 599\r\n\r\n", 0, "599 1 >" },
	{ RESP, "HTTP/1.0 200 \xc3\xbc \tz \r\na: b  c\r\n\r\n", 0,
	    "200 0 \xc3\xbc \tz |a:b  c>" },
	{ REQ, GET "Host: a\r\nB: 1\r\nC: 2\r\nD: 3\r\n\r\n", 0,
	    "GET / 1|Host:a|B:1|C:2|D:3>" },

	/* Line ends. */
	{ REQ, "GET / HTTP/1.1\n", 0,
	    "a line feed without a carriage return@14" },
	{ REQ, GET HOST "\n", 0,
	    "a line feed without a carriage return@25" },
	{ REQ, GET "A: b\nC: d\r\n\r\n", 0,
	    "a line feed without a carriage return@20" },
	{ REQ, GET "A: b\rC: d\r\n\r\n", 0,
	    "a carriage return without a line feed@20" },
	{ REQ, GET "A: b\r\r\n\r\n", 0,
	    "a carriage return without a line feed@20" },
	{ REQ, GET HOST "\rx", 0,
	    "a carriage return without a line feed@25" },
	{ REQ, "\r\n\r\n" GET, 0, "expected a method@2" },
	{ REQ, "\n" GET, 0, "a line feed without a carriage return@0" },
	{ RESP, "\r\n" OK, 0, "expected an HTTP version@0" },
	/* Control characters. */
	{ REQ, GET "A: b\0c\r\n\r\n", 26, "a control character@20" },
	{ REQ, GET "A\0: b\r\n\r\n", 25, "a control character@17" },
	{ REQ, "GET /\0 HTTP/1.1\r\n", 17, "a control character@5" },
	{ REQ, GET "A: \x7f\r\n", 0, "a control character@19" },
	{ REQ, GET "A: \x0b\r\n", 0, "a control character@19" },
	{ REQ, "\x16\x03\x01", 0, "a control character@0" },
	{ RESP, "HTTP/1.1 200 \x1b[2J\r\n\r\n", 0, "a control character@13" },
	/* The request line. */
	{ REQ, " GET / HTTP/1.1\r\n", 0, "expected a method@0" },
	{ REQ, "GE(T / HTTP/1.1\r\n", 0,
	    "expected a space behind the method@2" },
	{ REQ, "GET\r\n", 0, "expected a space behind the method@3" },
	{ REQ, "GET\t/ HTTP/1.1\r\n", 0,
	    "expected a space behind the method@3" },
	{ REQ, "GET  / HTTP/1.1\r\n", 0, "expected a path or a URI@4" },
	{ REQ, "GET /  HTTP/1.1\r\n", 0, "expected an HTTP version@6" },
	{ REQ, "GET / HTTP/1.1 \r\n", 0,
	    "the line goes on behind the version@14" },
	{ REQ, "GET /\tHTTP/1.1\r\n", 0,
	    "not a character for a path or query@5" },
	{ REQ, "GET /\r\n", 0, "expected a space and an HTTP version@5" },
	{ REQ, "GET / \r\n", 0, "expected an HTTP version@6" },
	{ REQ, "GET / http/1.1\r\n", 0, "expected an HTTP version@6" },
	{ REQ, "GET / HTTP/11\r\n", 0, "expected an HTTP version@6" },
	{ REQ, "GET / HTTP/1,1\r\n", 0, "expected an HTTP version@6" },
	{ REQ, "GET / HTTP/1.10\r\n", 0,
	    "the line goes on behind the version@14" },
	{ REQ, "PRI * HTTP/2.0\r\n", 0,
	    "only OPTIONS has * as its target@4" },
	{ REQ, "GET / HTTP/2.0\r\n", 0, "expected HTTP version 1@6" },
	{ REQ, "GET / HTTP/0.9\r\n", 0, "expected HTTP version 1@6" },
	{ REQ, "GET /a|b HTTP/1.1\r\n", 0,
	    "not a character for a path or query@6" },
	{ REQ, "\r\nGET /\xff HTTP/1.1\r\n", 0,
	    "not a character for a path or query@7" },
	/* The status line. */
	{ RESP, "HTTP/1.1\r\n", 0, "expected a space behind the version@8" },
	{ RESP, "HTTP/1.1200 OK\r\n", 0,
	    "expected a space behind the version@8" },
	{ RESP, "HTTP/1.1  200\r\n", 0, "expected a status code@9" },
	{ RESP, "HTTP/1.1 20\r\n", 0, "expected a status code@11" },
	{ RESP, "HTTP/1.1 099 x\r\n", 0, "expected a status code@9" },
	{ RESP, "HTTP/1.1 2000\r\n", 0,
	    "expected a space behind the status@12" },
	{ RESP, "HTTP/1.1 200\tOK\r\n", 0,
	    "expected a space behind the status@12" },
	{ RESP, "ICY 200 OK\r\n", 0, "expected an HTTP version@0" },
	{ RESP, "HTTP/2 200\r\n", 0, "expected an HTTP version@0" },
	{ RESP, "HTTP/3.0 200 OK\r\n", 0, "expected HTTP version 1@0" },
	/* Field lines. */
	{ REQ, GET HOST "A : b\r\n\r\n", 0,
	    "a space in front of the colon@26" },
	{ REQ, GET HOST "A\t: b\r\n\r\n", 0,
	    "a space in front of the colon@26" },
	{ REQ, GET HOST "A: b\r\n c\r\n\r\n", 0, "a folded line@31" },
	{ REQ, GET " A: b\r\n\r\n", 0, "a folded line@16" },
	{ REQ, GET "\tA: b\r\n\r\n", 0, "a folded line@16" },
	{ REQ, GET ": b\r\n\r\n", 0, "not a character for a field name@16" },
	{ REQ, GET "A\xc3: b\r\n\r\n", 0,
	    "not a character for a field name@17" },
	{ REQ, GET "A(: b\r\n\r\n", 0,
	    "not a character for a field name@17" },
	{ REQ, GET "Ab\r\n\r\n", 0, "expected a colon behind the name@18" },
	{ REQ, GET "A\r\n: b\r\n\r\n", 0,
	    "expected a colon behind the name@17" },
	{ RESP, OK "A : b\r\n\r\n", 0, "a space in front of the colon@18" },
	/* Host. */
	{ REQ, GET "\r\n", 0,
	    "a request of HTTP/1.1 needs a Host field@16" },
	{ REQ, GET HOST "hOST: a\r\n\r\n", 0, "a second Host field@25" },
	{ REQ, "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 0,
	    "a second Host field@25" },
	{ REQ, GET "Host: a b\r\n\r\n", 0, "not a character for a host@23" },
	{ REQ, GET "Host: a, b\r\n\r\n", 0, "not a character for a host@24" },
	{ REQ, GET "Host: a@b\r\n\r\n", 0,
	    "user information is not accepted@23" },
	{ REQ, GET "Host: a:x\r\n\r\n", 0, "not a character for a port@24" },
	/* Limits: MAX_FIELDS fields and SIZE octets. */
	{ REQ, GET "Host: a\r\nB: 1\r\nC: 2\r\nD: 3\r\nE: 4\r\n\r\n", 0,
	    "too many fields@43" },
};

static void
show(struct wk_buf *b, struct wk_str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.at[i] == '\0')
			wk_buf_append(b, "\\0", 2);
		else
			wk_buf_append(b, s.at + i, 1);
}

static void
show_head(struct wk_buf *b, const struct wk_http1_head *head)
{
	size_t i;

	if (head->kind == REQ) {
		show(b, wk_http1_str(head, head->method));
		wk_buf_append(b, " ", 1);
		show(b, wk_http1_str(head, head->target));
		wk_buf_printf(b, " %d", head->minor);
	} else {
		wk_buf_printf(b, "%d %d ", head->status, head->minor);
		show(b, wk_http1_str(head, head->reason));
	}
	for (i = 0; i < head->n_fields; i++) {
		wk_buf_append(b, "|", 1);
		show(b, wk_http1_str(head, head->fields[i].name));
		wk_buf_append(b, ":", 1);
		show(b, wk_http1_str(head, head->fields[i].value));
	}
}

/* What becomes of the input in pieces of step octets; "more" if nothing yet. */
static void
transcript(enum wk_http1_kind kind, const char *text, size_t len, size_t step,
    char *out, size_t out_size)
{
	struct wk_http1_field fields[MAX_FIELDS];
	struct wk_http1_reader r;
	struct wk_str rest;
	struct fence in, storage;
	struct wk_buf b;
	const uint8_t *at;
	char room[SIZE] = "";
	size_t n, done = 0;
	int ev = WK_HTTP1_MORE;

	fence_init(&in, text, len);
	fence_init(&storage, room, SIZE);
	wk_buf_init(&b, out_size - 1);
	wk_http1_reader_init(&r, kind, (char *)storage.data, SIZE, fields,
	    MAX_FIELDS);
	while (ev == WK_HTTP1_MORE && done < len) {
		at = in.data + done;
		n = step < len - done ? step : len - done;
		ev = wk_http1_read(&r, &at, &n);
		done = (size_t)(at - in.data);
		assert_true(ev != WK_HTTP1_MORE || n == 0);
	}
	if (ev == WK_HTTP1_HEAD) {
		assert_int_equal(wk_http1_reader_finish(&r), WK_OK);
		show_head(&b, &r.head);
		wk_buf_append(&b, ">", 1);
		rest.at = (char *)in.data + done;
		rest.len = len - done;
		show(&b, rest);
	} else if (ev < 0) {
		assert_int_equal(ev, r.error.status);
		assert_int_equal(wk_http1_reader_finish(&r), ev);
		wk_buf_printf(&b, "%s@%d", r.error.reason,
		    (int)r.error.offset);
		n = len;
		at = in.data;
		assert_int_equal(wk_http1_read(&r, &at, &n), ev);
		assert_int_equal(n, len);
	} else {
		assert_int_equal(wk_http1_reader_finish(&r),
		    r.head.len == 0 ? WK_OK : WK_E_TRUNCATED);
		wk_buf_append(&b, "more", 4);
	}
	assert_int_equal(b.status, WK_OK);
	if (b.len > 0)
		memcpy(out, b.data, b.len);
	out[b.len] = '\0';
	wk_buf_free(&b);
	fence_free(&storage);
	fence_free(&in);
}

static size_t
case_len(size_t i)
{
	return cases[i].len == 0 ? strlen(cases[i].in) : cases[i].len;
}

static void
test_heads_in_pieces_of_every_size(void **state)
{
	char got[512];
	size_t i, step;

	(void)state;
	for (i = 0; i < N(cases); i++)
		for (step = 1; step <= case_len(i) + 1; step++) {
			transcript(cases[i].kind, cases[i].in, case_len(i),
			    step, got, sizeof(got));
			if (strcmp(got, cases[i].want) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    cases[i].in, step, got);
		}
}

static void
test_every_prefix_wants_more(void **state)
{
	char got[512];
	size_t i, n, end;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		if (strchr(cases[i].want, '@') != NULL)
			continue;
		end = case_len(i) - strlen(strchr(cases[i].want, '>') + 1);
		if (strstr(cases[i].want, "\\0") != NULL)
			end += 2;	/* each shown as two */
		for (n = 0; n < end; n++) {
			transcript(cases[i].kind, cases[i].in, n, n + 1, got,
			    sizeof(got));
			if (strcmp(got, "more") != 0)
				fail_msg("%s cut at %zu: %s", cases[i].in, n,
				    got);
		}
	}
}

static void
test_octets_are_limited(void **state)
{
	char text[SIZE + 8] = GET HOST "X: ", got[512];
	size_t n = strlen(text), total;

	(void)state;
	for (total = SIZE - 1; total <= SIZE + 1; total++) {
		memset(text + n, 'x', total - n - 4);
		memcpy(text + total - 4, "\r\n\r\n", 4);
		transcript(REQ, text, total, 7, got, sizeof(got));
		if (total <= SIZE)
			assert_ptr_equal(strstr(got, "GET / 1|Host:a|X:xx"),
			    got);
		else
			assert_string_equal(got, "too many octets@256");
	}
	/* The empty line that is skipped does not count. */
	memmove(text + 2, text, SIZE);
	memcpy(text, "\r\n", 2);
	memcpy(text + SIZE - 2, "\r\n\r\n", 4);
	transcript(REQ, text, SIZE + 2, 7, got, sizeof(got));
	assert_ptr_equal(strstr(got, "GET / 1|Host:a|X:xx"), got);
}

static void
test_statuses_of_errors(void **state)
{
	static const struct {
		const char *in;
		int status;
	} texts[] = {
		{ "GET / HTTP/2.0\r\n", WK_E_UNSUPPORTED },
		{ "GET / HTTP/x.0\r\n", WK_E_MALFORMED },
		{ GET "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\n", WK_E_LIMIT },
	};
	struct wk_http1_field fields[MAX_FIELDS];
	struct wk_http1_reader r;
	const uint8_t *at;
	char room[SIZE];
	size_t i, n;

	(void)state;
	for (i = 0; i < N(texts); i++) {
		wk_http1_reader_init(&r, REQ, room, SIZE, fields, MAX_FIELDS);
		at = (const uint8_t *)texts[i].in;
		n = strlen(texts[i].in);
		assert_int_equal(wk_http1_read(&r, &at, &n), texts[i].status);
	}
}

static void
read_head(struct wk_http1_reader *r, const char *text)
{
	static struct wk_http1_field fields[16];
	static char room[1024];
	const uint8_t *at = (const uint8_t *)text;
	size_t n = strlen(text);

	wk_http1_reader_init(r, RESP, room, sizeof(room), fields, 16);
	if (wk_http1_read(r, &at, &n) != WK_HTTP1_HEAD)
		fail_msg("%s: %s", text, r->error.reason);
}

static void
test_fields_are_found(void **state)
{
	const struct wk_http1_field *f;
	struct wk_http1_reader r;
	struct wk_str lines[2];
	struct wk_sfv_value v;

	(void)state;
	read_head(&r, OK "A: 1\r\nLimit: a=1\r\na: 2\r\nAB: 3\r\n"
	    "LIMIT: b=2\r\n\r\n");
	f = wk_http1_find(&r.head, "a", NULL);
	assert_true(wk_str_is(wk_http1_str(&r.head, f->value), "1"));
	f = wk_http1_find(&r.head, "a", f);
	assert_true(wk_str_is(wk_http1_str(&r.head, f->value), "2"));
	assert_null(wk_http1_find(&r.head, "a", f));
	assert_null(wk_http1_find(&r.head, "b", NULL));
	assert_int_equal(wk_http1_lines(&r.head, "nothing", lines, 2), 0);
	memset(lines, 0, sizeof(lines));
	assert_int_equal(wk_http1_lines(&r.head, "limit", lines, 1), 2);
	assert_true(wk_str_is(lines[0], "a=1"));
	assert_null(lines[1].at);
	assert_int_equal(wk_http1_lines(&r.head, "limit", lines, 2), 2);
	assert_int_equal(wk_sfv_find(lines, 2, "b", &v, NULL, NULL), 1);
	assert_int_equal(v.number, 2);
}

static void
test_lists(void **state)
{
	static const struct {
		const char *fields, *want;
	} texts[] = {
		{ "", "" },
		{ "L:\r\n", "" },
		{ "L: a\r\n", "a;" },
		{ "L: a, b ,c\t,\td e \r\n", "a;b;c;d e;" },
		{ "L: ,, a ,, ,b,\r\n", "a;b;" },
		{ "L: a\r\nM: x\r\nl: b, c\r\nL: \r\nL: d\r\n", "a;b;c;d;" },
		{ "L: \"a, b\", c;d=\"\\\",\"\r\n", "\"a, b\";c;d=\"\\\",\";" },
		{ "L: \"a, b\r\nL: c\r\n", "\"a, b;c;" },
		{ "L: \"a\\\r\nL: c\r\n", "\"a\\;c;" },
		{ "L: a\\,b, \"\\\"\",c\r\n", "a\\;b;\"\\\"\";c;" },
	};
	struct wk_http1_reader r;
	struct wk_http1_list list;
	struct wk_str s;
	char text[256], got[256];
	size_t i;

	(void)state;
	for (i = 0; i < N(texts); i++) {
		snprintf(text, sizeof(text), OK "%s\r\n", texts[i].fields);
		read_head(&r, text);
		wk_http1_list_init(&list, &r.head, "l");
		got[0] = '\0';
		while (wk_http1_list_next(&list, &s)) {
			strncat(got, s.at, s.len);
			strcat(got, ";");
		}
		assert_string_equal(got, texts[i].want);
		assert_false(wk_http1_list_next(&list, &s));
	}
	read_head(&r, OK "Connection: keep-alive, Upgrade\r\n\r\n");
	assert_true(wk_http1_list_has(&r.head, "connection", "upgrade"));
	assert_false(wk_http1_list_has(&r.head, "connection", "grade"));
	assert_false(wk_http1_list_has(&r.head, "upgrade", "upgrade"));
}

static void
test_persistence(void **state)
{
	static const struct {
		const char *head;
		int want;
	} texts[] = {
		{ OK "\r\n", 1 },
		{ OK "Connection: close\r\n\r\n", 0 },
		{ OK "Connection: x, Close\r\n\r\n", 0 },
		{ OK "Connection: keep-alive\r\nConnection: close\r\n\r\n", 0 },
		{ "HTTP/1.0 200 OK\r\n\r\n", 0 },
		{ "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", 1 },
		{ "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n\r\n",
		    0 },
	};
	struct wk_http1_reader r;
	size_t i;

	(void)state;
	for (i = 0; i < N(texts); i++) {
		read_head(&r, texts[i].head);
		assert_int_equal(wk_http1_is_persistent(&r.head),
		    texts[i].want);
	}
}

static void
test_writing_and_reading_back(void **state)
{
	struct wk_str big = { NULL, 0 };
	struct wk_http1_reader r;
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 512);
	wk_http1_put_status(&b, 101, wk_str_of("Switching Protocols"));
	wk_http1_put_field(&b, "Upgrade", wk_str_of("connect-udp"));
	wk_http1_put_field(&b, "Empty", big);
	wk_http1_put_end(&b);
	wk_buf_uint(&b, 0, 1);
	assert_int_equal(b.status, WK_OK);
	assert_string_equal((char *)b.data,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: connect-udp\r\n"
	    "Empty:\r\n\r\n");
	read_head(&r, (char *)b.data);
	wk_buf_clear(&b);
	wk_http1_put_request(&b, wk_str_of("GET"), wk_str_of("/x"));
	wk_buf_uint(&b, 0, 1);
	assert_string_equal((char *)b.data, "GET /x HTTP/1.1\r\n");
	wk_buf_free(&b);
}

static void
test_nothing_can_be_injected(void **state)
{
	static const struct {
		const char *name, *value;
	} bad[] = {
		{ "A", "b\r\nC: d" }, { "A", "b\n" }, { "A", "\x7f" },
		{ "A", " b" }, { "A", "b\t" }, { "A", " " },
		{ "A b", "c" }, { "A:", "c" }, { "", "c" }, { "A\r\n", "c" },
	};
	static const struct {
		const char *method, *target;
	} requests[] = {
		{ "", "/" }, { "G T", "/" }, { "GET\r\n", "/" }, { "GET", "" },
		{ "GET", "/ HTTP/1.1\r\nA: b" }, { "GET", "a b" },
		{ "CONNECT", "/" },
	};
	static const struct wk_str nul = { "a\0b", 3 };
	struct wk_buf b;
	size_t i;

	(void)state;
	for (i = 0; i < N(bad); i++) {
		wk_buf_init(&b, 256);
		assert_int_equal(wk_http1_put_field(&b, bad[i].name,
		    wk_str_of(bad[i].value)), WK_E_INVALID);
		assert_int_equal(wk_http1_put_end(&b), WK_E_INVALID);
		assert_int_equal(b.len, 0);
		wk_buf_free(&b);
	}
	for (i = 0; i < N(requests); i++) {
		wk_buf_init(&b, 256);
		assert_int_equal(wk_http1_put_request(&b,
		    wk_str_of(requests[i].method),
		    wk_str_of(requests[i].target)), WK_E_INVALID);
		wk_buf_free(&b);
	}
	wk_buf_init(&b, 256);
	assert_int_equal(wk_http1_put_field(&b, "A", nul), WK_E_INVALID);
	wk_buf_clear(&b);
	assert_int_equal(wk_http1_put_status(&b, 99, nul), WK_E_INVALID);
	wk_buf_clear(&b);
	assert_int_equal(wk_http1_put_status(&b, 200, nul), WK_E_INVALID);
	wk_buf_clear(&b);
	assert_int_equal(wk_http1_put_status(&b, 1000, wk_str_of("")),
	    WK_E_INVALID);
	wk_buf_free(&b);
	wk_buf_init(&b, 64);
	assert_int_equal(wk_http1_put_status(&b, 100, wk_str_of("")), WK_OK);
	assert_int_equal(wk_http1_put_status(&b, 999, wk_str_of("")), WK_OK);
	wk_buf_free(&b);
	wk_buf_init(&b, 10);
	wk_http1_put_status(&b, 200, wk_str_of("OK"));
	assert_int_equal(wk_http1_put_field(&b, "A b", nul), WK_E_LIMIT);
	wk_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads_in_pieces_of_every_size),
		cmocka_unit_test(test_every_prefix_wants_more),
		cmocka_unit_test(test_octets_are_limited),
		cmocka_unit_test(test_statuses_of_errors),
		cmocka_unit_test(test_fields_are_found),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_persistence),
		cmocka_unit_test(test_writing_and_reading_back),
		cmocka_unit_test(test_nothing_can_be_injected),
	};

	return cmocka_run_group_tests_name("http1", tests, NULL, NULL);
}
