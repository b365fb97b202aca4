/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/sfv.h"

#define ITEM WK_SFV_ITEM
#define LIST WK_SFV_LIST
#define DICT WK_SFV_DICTIONARY
#define MAX_LINES 4

/* The lines of a case, each ending at an unreadable page; split at '\n'. */
struct lines {
	struct wk_str line[MAX_LINES];
	struct fence fence[MAX_LINES];
	size_t n;
};

static void
lines_init(struct lines *l, const char *text, size_t len)
{
	const char *end = text + len, *eol;

	for (l->n = 0;; text = eol + 1) {
		eol = memchr(text, '\n', (size_t)(end - text));
		if (eol == NULL)
			eol = end;
		assert_true(l->n < MAX_LINES);
		fence_init(&l->fence[l->n], text, (size_t)(eol - text));
		l->line[l->n].at = (char *)l->fence[l->n].data;
		l->line[l->n++].len = (size_t)(eol - text);
		if (eol == end)
			return;
	}
}

static void
lines_free(struct lines *l)
{
	while (l->n > 0)
		fence_free(&l->fence[--l->n]);
}

/* Read a field and write it again; the reader's verdict. */
static int
rewrite(enum wk_sfv_kind kind, const struct lines *l, struct wk_buf *out,
    struct wk_error *error)
{
	struct wk_sfv_writer w;
	struct wk_sfv_part part;
	struct wk_sfv p;
	int ev;

	wk_buf_clear(out);
	wk_sfv_init(&p, kind, l->line, l->n);
	wk_sfv_writer_init(&w, kind, out);
	while ((ev = wk_sfv_next(&p, &part)) > 0) {
		if (ev == WK_SFV_PARAM)
			wk_sfv_put_param(&w, part.key);
		else if (ev == WK_SFV_MEMBER && kind == DICT)
			wk_sfv_put_key(&w, part.key);
		if (ev == WK_SFV_INNER_END)
			wk_sfv_put_inner_end(&w);
		else
			assert_int_equal(wk_sfv_put_value(&w, &part.value), 0);
	}
	if (ev < 0) {
		*error = p.error;
		assert_int_equal(wk_sfv_next(&p, &part), ev); /* it sticks */
	} else {
		assert_int_equal(wk_sfv_writer_finish(&w), WK_OK);
		assert_int_equal(wk_sfv_next(&p, &part), WK_SFV_END);
	}
	assert_int_equal(wk_sfv_check(kind, l->line, l->n, NULL), ev);
	return ev;
}

/* As written; want is the canonical form where it differs. */
static const struct {
	enum wk_sfv_kind kind;
	const char *in, *want;
} good[] = {
	/* The examples of RFC 9651, section 3. */
	{ LIST, "sugar, tea, rum", NULL },
	{ LIST, "sugar, tea\nrum", "sugar, tea, rum" },
	{ LIST, "(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()", NULL },
	{ LIST, "(\"foo\"; a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1",
	    "(\"foo\";a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1" },
	{ LIST, "abc;a=1;b=2; cde_456, (ghi;jk=4 l);q=\"9\";r=w",
	    "abc;a=1;b=2;cde_456, (ghi;jk=4 l);q=\"9\";r=w" },
	{ ITEM, "1; a; b=?0", "1;a;b=?0" },
	{ DICT, "en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:", NULL },
	{ DICT, "a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar" },
	{ DICT, "rating=1.5, feelings=(joy sadness)", NULL },
	{ DICT, "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", NULL },
	{ DICT, "foo=1, bar=2", NULL },
	{ DICT, "foo=1\nbar=2", "foo=1, bar=2" },
	{ ITEM, "5", NULL },
	{ ITEM, "5; foo=bar", "5;foo=bar" },
	{ ITEM, "42", NULL },
	{ ITEM, "4.5", NULL },
	{ ITEM, "\"hello world\"", NULL },
	{ ITEM, "foo123/456", NULL },
	{ ITEM, ":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:", NULL },
	{ ITEM, "?1", NULL },
	{ ITEM, "@1659578233", NULL },
	{ ITEM, "%\"This is intended for display to %c3%bcsers.\"", NULL },
	/* Where the white space may be. */
	{ ITEM, "  1  ", "1" },
	{ LIST, "  a \t,\t b  ", "a, b" },
	{ LIST, "a\t", "a" },
	{ LIST, "( 1   2 )", "(1 2)" },
	{ LIST, "(  )", "()" },
	{ LIST, "a;  b", "a;b" },
	{ DICT, "  a=1 , b ", "a=1, b" },
	{ LIST, "", "" }, { LIST, "   ", "" }, { DICT, "", "" },
	{ LIST, "a \n b", "a, b" },
	{ LIST, "a\nb\nc, d\n(e)", "a, b, c, d, (e)" },
	/* Numbers at their limits. */
	{ ITEM, "999999999999999", NULL },
	{ ITEM, "-999999999999999", NULL },
	{ ITEM, "000000000000007", "7" },
	{ ITEM, "-0", "0" }, { ITEM, "-0.0", "0.0" }, { ITEM, "1.0", NULL },
	{ ITEM, "999999999999.999", NULL },
	{ ITEM, "-999999999999.9", NULL },
	{ ITEM, "0.001", NULL }, { ITEM, "-0.02", NULL },
	{ ITEM, "00.10", "0.1" }, { ITEM, "5.120", "5.12" },
	{ ITEM, "@-62135596800", NULL }, { ITEM, "@0", NULL },
	/* Text. */
	{ ITEM, "\"\"", NULL }, { ITEM, "\" !#[]~\"", NULL },
	{ ITEM, "%\" !#[]~\"", NULL }, { ITEM, "\"a\\\"b\\\\c, d\"", NULL },
	{ ITEM, "*", NULL }, { ITEM, "*a:b/c", NULL },
	{ ITEM, "a!#$%&'*+-.^_`|~:/9", NULL },
	{ ITEM, "::", NULL }, { ITEM, ":aGk:", ":aGk=:" },
	{ ITEM, ":aGl=:", ":aGk=:" },
	{ ITEM, "%\"\"", NULL }, { ITEM, "%\"%61\\%25%22%00\"",
	    "%\"a\\%25%22%00\"" },
	{ ITEM, "%\"%f0%9f%98%80%ef%bb%bf\"", NULL },
	/* Keys, and keys that repeat. */
	{ DICT, "*a_-.*9=1", NULL },
	{ DICT, "a, a;b, a=2", "a, a;b, a=2" },
	{ DICT, "a=?1;b=?1;c=?0", "a;b;c=?0" },
	{ DICT, "a=(?1 ?0;x)", NULL },
	{ DICT, "a=()", NULL },
	{ ITEM, "1;a;a=2;a", NULL },
	/* Fields that later tools rely on. */
	{ ITEM, "?1;x=2", NULL },
	{ LIST, "h3dgram; error=dns_error; rcode=\"NXDOMAIN\"",
	    "h3dgram;error=dns_error;rcode=\"NXDOMAIN\"" },
	{ DICT, "max-size=1000000000, max-age=3600", NULL },
	{ DICT, "sha-256=:AAAA:, sha-512=3", NULL },
};

static void
test_valid_fields_read_and_write(void **state)
{
	struct wk_error e;
	struct lines l;
	struct wk_buf b;
	const char *want;
	size_t i;

	(void)state;
	wk_buf_init(&b, 4096);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		want = good[i].want == NULL ? good[i].in : good[i].want;
		lines_init(&l, good[i].in, strlen(good[i].in));
		if (rewrite(good[i].kind, &l, &b, &e) != WK_OK)
			fail_msg("\"%s\": %d: %s", good[i].in, (int)e.offset,
			    e.reason);
		if (b.len != strlen(want) ||
		    (b.len > 0 && memcmp(b.data, want, b.len) != 0))
			fail_msg("\"%s\" became \"%.*s\"", good[i].in,
			    (int)b.len, (char *)b.data);
		lines_free(&l);
	}
	wk_buf_free(&b);
}

/* \n separates lines and counts two octets, as ", ". */
static const struct {
	enum wk_sfv_kind kind;
	const char *in;
	size_t offset;
	const char *reason;
} bad[] = {
	{ ITEM, "", 0, "the line ends where a value should be" },
	{ ITEM, "  ", 2, "the line ends where a value should be" },
	{ ITEM, "1 2", 2, "something follows the Item" },
	{ ITEM, "1, 2", 1, "something follows the Item" },
	{ ITEM, "1\n2", 1, "something follows the Item" },
	{ ITEM, "\n1", 0, "the line ends where a value should be" },
	{ ITEM, "1\t", 1, "something follows the Item" },
	{ ITEM, "\t1", 0, "no value starts like this" },
	{ ITEM, "(1)", 0, "no value starts like this" },
	{ ITEM, "_a", 0, "no value starts like this" },
	{ ITEM, "\xc3\xbc", 0, "no value starts like this" },
	{ ITEM, "a\xc3", 1, "something follows the Item" },
	{ LIST, ",", 0, "no value starts like this" },
	{ LIST, "a,", 2, "nothing follows the last comma" },
	{ LIST, "a, \t", 4, "nothing follows the last comma" },
	{ LIST, "a\n", 3, "nothing follows the last comma" },
	{ LIST, "\na", 0, "the line ends where a value should be" },
	{ LIST, "a\n\nb", 3, "the line ends where a value should be" },
	{ LIST, "a,,b", 2, "no value starts like this" },
	{ LIST, "a b", 2, "expected a comma" },
	{ LIST, "a;b c", 4, "expected a comma" },
	{ LIST, "\ta", 0, "no value starts like this" },
	{ LIST, "(a", 2, "the line ends inside an Inner List" },
	{ LIST, "(", 1, "the line ends inside an Inner List" },
	{ LIST, "(a\nb)", 2, "the line ends inside an Inner List" },
	{ LIST, "(a,b)", 2, "expected a space or the end of the Inner List" },
	{ LIST, "(a\tb)", 2, "expected a space or the end of the Inner List" },
	{ LIST, "(\"a\"\"b\")", 4,
	    "expected a space or the end of the Inner List" },
	{ LIST, "(a (b))", 3, "no value starts like this" },
	{ LIST, "a)", 1, "expected a comma" },
	{ LIST, "() ;a", 3, "expected a comma" },
	{ DICT, "A=1", 0, "expected a key" },
	{ DICT, "1=1", 0, "expected a key" },
	{ DICT, "=1", 0, "expected a key" },
	{ DICT, "a =1", 2, "expected a comma" },
	{ DICT, "a= 1", 2, "no value starts like this" },
	{ DICT, "a=", 2, "the line ends where a value should be" },
	{ DICT, "a=\nb", 2, "the line ends where a value should be" },
	{ DICT, "a=1 b=2", 4, "expected a comma" },
	{ DICT, "a=1,", 4, "nothing follows the last comma" },
	{ DICT, "a,,b", 2, "expected a key" },
	{ DICT, "a,1", 2, "expected a key" },
	{ ITEM, "1;", 2, "expected a key" },
	{ ITEM, "1;A", 2, "expected a key" },
	{ ITEM, "1 ;a", 2, "something follows the Item" },
	{ ITEM, "1;a =2", 4, "something follows the Item" },
	{ ITEM, "1;a=", 4, "the line ends where a value should be" },
	{ ITEM, "1;a=(1)", 4, "no value starts like this" },
	{ ITEM, "1;\ta", 2, "expected a key" },
	{ ITEM, "-", 1, "expected a digit" },
	{ ITEM, "--1", 1, "expected a digit" },
	{ ITEM, "+1", 0, "no value starts like this" },
	{ ITEM, "-a", 1, "expected a digit" },
	{ ITEM, "1000000000000000", 15, "more than 15 digits" },
	{ ITEM, "-1000000000000000", 16, "more than 15 digits" },
	{ ITEM, "1000000000000.1", 13, "more than 12 digits before the point" },
	{ ITEM, "1.", 2, "expected a digit behind the point" },
	{ ITEM, "1.a", 2, "expected a digit behind the point" },
	{ ITEM, ".5", 0, "no value starts like this" },
	{ ITEM, "1.2345", 5, "more than 3 digits behind the point" },
	{ ITEM, "1.2.3", 3, "something follows the Item" },
	{ ITEM, "\"a", 2, "the line ends inside a String" },
	{ ITEM, "\"a\nb\"", 2, "the line ends inside a String" },
	{ ITEM, "\"a\tb\"", 2, "not a character for a String" },
	{ ITEM, "\"a\x7f\"", 2, "not a character for a String" },
	{ ITEM, "\"\xc3\xbc\"", 1, "not a character for a String" },
	{ ITEM, "\"\\a\"", 2,
	    "only a quote or a backslash can follow a backslash" },
	{ ITEM, "\"\\", 2,
	    "only a quote or a backslash can follow a backslash" },
	{ ITEM, "'a'", 0, "no value starts like this" },
	{ ITEM, "a\"b", 1, "something follows the Item" },
	{ ITEM, ":aGk=", 5, "the line ends inside a Byte Sequence" },
	{ ITEM, ":", 1, "the line ends inside a Byte Sequence" },
	{ ITEM, ":aGVsb G8=:", 6, "not a base64 character" },
	{ ITEM, ":_-Ah:", 1, "not a base64 character" },
	{ ITEM, ":a=Gk:", 2, "base64 padding not at the end" },
	{ ITEM, ":aGVsb:", 6, "base64 of an impossible length" },
	{ ITEM, "?", 1, "expected 0 or 1" },
	{ ITEM, "?2", 1, "expected 0 or 1" },
	{ ITEM, "?true", 1, "expected 0 or 1" },
	{ ITEM, "?11", 2, "something follows the Item" },
	{ ITEM, "@", 1, "expected a digit" },
	{ ITEM, "@1.5", 1, "a Date is a whole number of seconds" },
	{ ITEM, "@1000000000000000", 16, "more than 15 digits" },
	{ ITEM, "%a", 1, "expected a quote behind the percent sign" },
	{ ITEM, "%", 1, "expected a quote behind the percent sign" },
	{ ITEM, "%\"a", 3, "the line ends inside a Display String" },
	{ ITEM, "%\"a\nb\"", 3, "the line ends inside a Display String" },
	{ ITEM, "%\"%c3", 5, "the line ends inside a Display String" },
	{ ITEM, "%\"\xc3\xbc\"", 2, "not a character for a Display String" },
	{ ITEM, "%\"%C3%BC\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%c", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%zz\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"a%c3\"", 3, "not UTF-8" },
	{ ITEM, "%\"%c3x\"", 2, "not UTF-8" },
	{ ITEM, "%\"%cX\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%Xc\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%cz\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%zc\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%cC\"", 2, "expected two digits or letters a to f "
	    "behind the percent sign" },
	{ ITEM, "%\"%ed%a0%80\"", 2, "not UTF-8" },
	{ ITEM, "%\"%f8%88%80%80%80\"", 2, "not UTF-8" },
};

static void
test_invalid_fields_say_where_and_why(void **state)
{
	struct wk_error e;
	struct lines l;
	struct wk_buf b;
	size_t i;

	(void)state;
	wk_buf_init(&b, 4096);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		lines_init(&l, bad[i].in, strlen(bad[i].in));
		if (rewrite(bad[i].kind, &l, &b, &e) != WK_E_MALFORMED)
			fail_msg("\"%s\" is taken for valid", bad[i].in);
		if (e.offset != bad[i].offset ||
		    strcmp(e.reason, bad[i].reason) != 0)
			fail_msg("\"%s\": %d: %s", bad[i].in, (int)e.offset,
			    e.reason);
		lines_free(&l);
	}
	wk_buf_free(&b);
}

static void
test_an_octet_of_zero_is_no_end(void **state)
{
	static const struct {
		struct wk_str line;
		enum wk_sfv_kind kind;
		size_t offset;
		const char *reason;
	} lines[] = {
		{ { "a\0b", 3 }, LIST, 1, "expected a comma" },
		{ { "a\0b", 3 }, DICT, 1, "expected a comma" },
		{ { "a,\0", 3 }, LIST, 2, "no value starts like this" },
		{ { "\"a\0b\"", 5 }, ITEM, 2, "not a character for a String" },
		{ { "%\"a\0b\"", 6 }, ITEM, 3,
		    "not a character for a Display String" },
		{ { "\0", 1 }, LIST, 0, "no value starts like this" },
		{ { "(a\0)", 4 }, LIST, 2,
		    "expected a space or the end of the Inner List" },
		{ { "(\0)", 3 }, LIST, 1, "no value starts like this" },
	};
	struct wk_error e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (wk_sfv_check(lines[i].kind, &lines[i].line, 1, &e) !=
		    WK_E_MALFORMED || e.offset != lines[i].offset ||
		    strcmp(e.reason, lines[i].reason) != 0)
			fail_msg("line %zu: %d: %s", i, (int)e.offset,
			    e.reason);
}

/* Any beginning of a field is read within its bounds and judged somehow. */
static void
test_every_prefix(void **state)
{
	struct wk_error e;
	struct lines l;
	struct wk_buf b;
	size_t i, n;
	int kind;

	(void)state;
	wk_buf_init(&b, 4096);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (n = 0; n <= strlen(good[i].in); n++)
			for (kind = ITEM; kind <= DICT; kind++) {
				lines_init(&l, good[i].in, n);
				if (rewrite((enum wk_sfv_kind)kind, &l, &b,
				    &e) != WK_OK)
					assert_true(e.offset <= n + 2 * l.n);
				lines_free(&l);
			}
	wk_buf_free(&b);
}

/* A member may start in a new line wherever a comma is, with one outcome. */
static void
test_lines_count_as_joined(void **state)
{
	static const char *const joined[] = {
		"a, b;c=\"x\", (d e);f=1.5, :aGk=:", "a=1, b, c=(1 2);d, a=4",
	};
	struct wk_buf one, two;
	struct wk_error e;
	struct lines l;
	char cut[64];
	size_t i;
	char *at;

	(void)state;
	wk_buf_init(&one, 4096);
	wk_buf_init(&two, 4096);
	for (i = 0; i < 2; i++) {
		enum wk_sfv_kind kind = i == 0 ? LIST : DICT;

		lines_init(&l, joined[i], strlen(joined[i]));
		assert_int_equal(rewrite(kind, &l, &one, &e), WK_OK);
		lines_free(&l);
		memcpy(cut, joined[i], strlen(joined[i]) + 1);
		while ((at = strstr(cut, ", ")) != NULL) {
			*at = '\n';
			memmove(at + 1, at + 2, strlen(at + 2) + 1);
			lines_init(&l, cut, strlen(cut));
			assert_int_equal(rewrite(kind, &l, &two, &e), WK_OK);
			assert_int_equal(two.len, one.len);
			assert_memory_equal(two.data, one.data, one.len);
			lines_free(&l);
		}
	}
	wk_buf_free(&one);
	wk_buf_free(&two);
}

static void
test_no_line_at_all(void **state)
{
	(void)state;
	assert_int_equal(wk_sfv_check(LIST, NULL, 0, NULL), WK_OK);
	assert_int_equal(wk_sfv_check(DICT, NULL, 0, NULL), WK_OK);
	assert_int_equal(wk_sfv_check(ITEM, NULL, 0, NULL), WK_E_MALFORMED);
}

static void
test_parts_say_what_and_where(void **state)
{
	static const struct {
		int event;
		size_t offset;
		const char *key;
		enum wk_sfv_type type;
		int64_t number;
		const char *text;
		int is_escaped;
	} want[] = {
		{ WK_SFV_MEMBER, 1, "a", WK_SFV_STRING, 0, "x\\\\", 1 },
		{ WK_SFV_PARAM, 8, "p", WK_SFV_TOKEN, 0, "t", 0 },
		{ WK_SFV_PARAM, 12, "q", WK_SFV_BOOLEAN, 1, "", 0 },
		{ WK_SFV_MEMBER, 17, "b", WK_SFV_INNER_LIST, 0, "", 0 },
		{ WK_SFV_INNER_ITEM, 21, "", WK_SFV_DECIMAL, -1500, "", 0 },
		{ WK_SFV_PARAM, 25, "r", WK_SFV_STRING, 0, "y", 0 },
		{ WK_SFV_INNER_ITEM, 33, "", WK_SFV_DATE, 7, "", 0 },
		{ WK_SFV_INNER_END, 35, "", WK_SFV_INTEGER, 0, "", 0 },
		{ WK_SFV_PARAM, 36, "s", WK_SFV_BYTES, 0, "AAAA", 1 },
		{ WK_SFV_MEMBER, 47, "c", WK_SFV_BOOLEAN, 1, "", 0 },
		{ WK_SFV_PARAM, 48, "u", WK_SFV_DISPLAY, 0, "z", 0 },
		{ WK_SFV_MEMBER, 56, "d", WK_SFV_BOOLEAN, 0, "", 0 },
		{ WK_SFV_END, 60, "", WK_SFV_INTEGER, 0, "", 0 },
	};
	struct wk_sfv_part part;
	struct lines l;
	struct wk_sfv p;
	size_t i;
	static const char in[] = " a=\"x\\\\\";p=t; q, b=( -1.5;r=\"y\"  @7)"
	    ";s=:AAAA:\nc;u=%\"z\",d=?0";

	(void)state;
	lines_init(&l, in, strlen(in));
	wk_sfv_init(&p, DICT, l.line, l.n);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		memset(&part, 0xff, sizeof(part));
		if (wk_sfv_next(&p, &part) != want[i].event ||
		    part.offset != want[i].offset ||
		    !wk_str_is(part.key, want[i].key) ||
		    part.value.type != want[i].type ||
		    part.value.number != want[i].number ||
		    !wk_str_is(part.value.text, want[i].text) ||
		    part.value.is_escaped != (want[i].is_escaped != 0))
			fail_msg("part %zu at %d", i, (int)part.offset);
	}
	lines_free(&l);
}

static void
test_the_last_of_a_key_counts(void **state)
{
	struct wk_str in = wk_str_of("u=1;q=7, i=(1;q 2);q=8;q=9, u=3;z, n");
	struct wk_sfv_value v;
	struct wk_error e;
	struct wk_sfv at;

	(void)state;
	assert_int_equal(wk_sfv_find(&in, 1, "u", &v, &at, &e), 1);
	assert_int_equal(v.type, WK_SFV_INTEGER);
	assert_int_equal(v.number, 3);
	assert_int_equal(wk_sfv_param(&at, "z", &v), 1);
	assert_int_equal(v.type, WK_SFV_BOOLEAN);
	assert_int_equal(v.number, 1);
	assert_int_equal(wk_sfv_param(&at, "q", &v), 0); /* the first u's */
	assert_int_equal(wk_sfv_find(&in, 1, "i", &v, &at, &e), 1);
	assert_int_equal(v.type, WK_SFV_INNER_LIST);
	assert_int_equal(wk_sfv_param(&at, "q", &v), 1); /* the list's */
	assert_int_equal(v.number, 9);
	assert_int_equal(wk_sfv_find(&in, 1, "n", &v, &at, &e), 1);
	assert_int_equal(wk_sfv_param(&at, "q", &v), 0);
	assert_int_equal(wk_sfv_find(&in, 1, "x", &v, &at, &e), 0);
	assert_int_equal(wk_sfv_find(&in, 1, "x", &v, NULL, NULL), 0);
	in = wk_str_of("u;a, i=(1;b 2);c, n;d");
	assert_int_equal(wk_sfv_find(&in, 1, "u", &v, &at, &e), 1);
	assert_int_equal(wk_sfv_param(&at, "a", &v), 1);
	assert_int_equal(wk_sfv_param(&at, "d", &v), 0); /* another's */
	assert_int_equal(wk_sfv_find(&in, 1, "i", &v, &at, &e), 1);
	assert_int_equal(wk_sfv_param(&at, "c", &v), 1);
	assert_int_equal(wk_sfv_param(&at, "b", &v), 0);
	assert_int_equal(wk_sfv_param(&at, "d", &v), 0);
	in = wk_str_of("u=1, ?");
	assert_int_equal(wk_sfv_find(&in, 1, "u", &v, &at, &e), WK_E_MALFORMED);
	assert_int_equal(e.offset, 5);
}

static void
test_items_as_tools_read_them(void **state)
{
	static const struct {
		const char *in;
		int rc, is_true;
	} cases[] = {	/* Capsule-Protocol, RFC 9297, section 3.4 */
		{ "?1", WK_OK, 1 }, { "?0", WK_OK, 0 }, { "?1;x=2", WK_OK, 1 },
		{ "1", WK_OK, 0 }, { "?1, ?1", WK_E_MALFORMED, 0 },
		{ "?1\n?1", WK_E_MALFORMED, 0 }, { "true", WK_OK, 0 },
		{ "", WK_E_MALFORMED, 0 },
	};
	struct wk_sfv_value v;
	struct wk_error e;
	struct wk_sfv at;
	struct lines l;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lines_init(&l, cases[i].in, strlen(cases[i].in));
		rc = wk_sfv_item(l.line, l.n, &v, &at, &e);
		if (rc != cases[i].rc || (rc == WK_OK && cases[i].is_true !=
		    (v.type == WK_SFV_BOOLEAN && v.number == 1)))
			fail_msg("\"%s\"", cases[i].in);
		lines_free(&l);
	}
	lines_init(&l, "?1;x=2", 6);
	assert_int_equal(wk_sfv_item(l.line, l.n, &v, &at, &e), WK_OK);
	assert_int_equal(wk_sfv_param(&at, "x", &v), 1);
	assert_int_equal(v.number, 2);
	lines_free(&l);
}

static void
test_decode(void **state)
{
	static const struct {
		const char *in, *hex;
		int is_escaped;
	} cases[] = {
		{ "\"a\\\"b\\\\\"", "6122625c", 1 }, { "\"ab\"", "6162", 0 },
		{ "a/b", "612f62", 0 }, { ":AP8=:", "00ff", 1 }, { "::", "", 1 },
		{ "%\"%c3%bc %00\"", "c3bc2000", 1 }, { "%\"ab\"", "6162", 0 },
	};
	struct wk_sfv_value v;
	struct wk_buf b;
	uint8_t want[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wk_str in = wk_str_of(cases[i].in);

		n = unhex(cases[i].hex, want, sizeof(want));
		assert_int_equal(wk_sfv_item(&in, 1, &v, NULL, NULL), WK_OK);
		assert_int_equal(v.is_escaped, cases[i].is_escaped);
		wk_buf_init(&b, n);
		assert_int_equal(wk_sfv_decode(&v, &b), WK_OK);
		assert_int_equal(b.len, n);
		if (n > 0)
			assert_memory_equal(b.data, want, n);
		wk_buf_free(&b);
		if (n == 0)
			continue;
		wk_buf_init(&b, n - 1);
		assert_int_equal(wk_sfv_decode(&v, &b), WK_E_LIMIT);
		wk_buf_free(&b);
	}
	memset(&v, 0, sizeof(v));
	wk_buf_init(&b, 8);
	assert_int_equal(wk_sfv_decode(&v, &b), WK_E_INVALID);
}

static void
test_type_names(void **state)
{
	(void)state;
	assert_string_equal(wk_sfv_type_name(WK_SFV_INTEGER), "Integer");
	assert_string_equal(wk_sfv_type_name(WK_SFV_INNER_LIST), "Inner List");
	assert_null(wk_sfv_type_name(-1));
	assert_null(wk_sfv_type_name(WK_SFV_INNER_LIST + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_fields_read_and_write),
		cmocka_unit_test(test_invalid_fields_say_where_and_why),
		cmocka_unit_test(test_an_octet_of_zero_is_no_end),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_lines_count_as_joined),
		cmocka_unit_test(test_no_line_at_all),
		cmocka_unit_test(test_parts_say_what_and_where),
		cmocka_unit_test(test_the_last_of_a_key_counts),
		cmocka_unit_test(test_items_as_tools_read_them),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_type_names),
	};

	return cmocka_run_group_tests_name("sfv", tests, NULL, NULL);
}
