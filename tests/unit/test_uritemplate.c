/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/uritemplate.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
fenced(struct fence *f, const char *text, size_t len, struct wk_str *s)
{
	fence_init(f, text, len);
	s->at = (char *)f->data;
	s->len = len;
}

static struct wk_uritemplate_var
var(const char *name, const char *value)
{
	struct wk_uritemplate_var v = { name, { NULL, 0 }, value != NULL };

	if (value != NULL)
		v.value = wk_str_of(value);
	return v;
}

static void
parse(struct wk_uritemplate *t, const char *text)
{
	struct wk_error e;

	if (wk_uritemplate_parse(t, wk_str_of(text), &e) != WK_OK)
		fail_msg("%s: %d: %s", text, (int)e.offset, e.reason);
}

static void
check_expansion(const char *text, const struct wk_uritemplate_var *vars,
    size_t n, const char *want)
{
	struct wk_uritemplate t;
	struct wk_error e;
	struct wk_str s;
	struct fence f;
	struct wk_buf b;
	size_t max;

	fenced(&f, text, strlen(text), &s);
	if (wk_uritemplate_parse(&t, s, &e) != WK_OK)
		fail_msg("%s: %d: %s", text, (int)e.offset, e.reason);
	for (max = 0; max < strlen(want); max++) {
		wk_buf_init(&b, max);
		assert_int_equal(wk_uritemplate_expand(&t, vars, n, &b),
		    WK_E_LIMIT);
		wk_buf_free(&b);
	}
	wk_buf_init(&b, max);
	assert_int_equal(wk_uritemplate_expand(&t, vars, n, &b), WK_OK);
	if (b.len != max || (max > 0 && memcmp(b.data, want, max) != 0))
		fail_msg("%s: %.*s", text, (int)b.len, (char *)b.data);
	wk_buf_free(&b);
	fence_free(&f);
}

/* The examples of RFC 6570, section 3.2, that are of level 3 or lower. */
static void
test_the_documents_examples(void **state)
{
	static const char *const cases[][2] = {
	{ "{var}", "value" },
	{ "{hello}", "Hello%20World%21" },
	{ "{half}", "50%25" },
	{ "O{empty}X", "OX" },
	{ "O{undef}X", "OX" },
	{ "{x,y}", "1024,768" },
	{ "{x,hello,y}", "1024,Hello%20World%21,768" },
	{ "?{x,empty}", "?1024," },
	{ "?{x,undef}", "?1024" },
	{ "?{undef,y}", "?768" },
	{ "{+var}", "value" },
	{ "{+hello}", "Hello%20World!" },
	{ "{+half}", "50%25" },
	{ "{base}index", "http%3A%2F%2Fexample.com%2Fhome%2Findex" },
	{ "{+base}index", "http://example.com/home/index" },
	{ "O{+empty}X", "OX" },
	{ "O{+undef}X", "OX" },
	{ "{+path}/here", "/foo/bar/here" },
	{ "here?ref={+path}", "here?ref=/foo/bar" },
	{ "up{+path}{var}/here", "up/foo/barvalue/here" },
	{ "{+x,hello,y}", "1024,Hello%20World!,768" },
	{ "{+path,x}/here", "/foo/bar,1024/here" },
	{ "{#var}", "#value" },
	{ "{#hello}", "#Hello%20World!" },
	{ "{#half}", "#50%25" },
	{ "foo{#empty}", "foo#" },
	{ "foo{#undef}", "foo" },
	{ "{#x,hello,y}", "#1024,Hello%20World!,768" },
	{ "{#path,x}/here", "#/foo/bar,1024/here" },
	{ "{.who}", ".fred" },
	{ "{.who,who}", ".fred.fred" },
	{ "{.half,who}", ".50%25.fred" },
	{ "X{.var}", "X.value" },
	{ "X{.empty}", "X." },
	{ "X{.undef}", "X" },
	{ "{/who}", "/fred" },
	{ "{/who,who}", "/fred/fred" },
	{ "{/half,who}", "/50%25/fred" },
	{ "{/who,dub}", "/fred/me%2Ftoo" },
	{ "{/var}", "/value" },
	{ "{/var,empty}", "/value/" },
	{ "{/var,undef}", "/value" },
	{ "{/var,x}/here", "/value/1024/here" },
	{ "{;who}", ";who=fred" },
	{ "{;half}", ";half=50%25" },
	{ "{;empty}", ";empty" },
	{ "{;v,empty,who}", ";v=6;empty;who=fred" },
	{ "{;v,bar,who}", ";v=6;who=fred" },
	{ "{;x,y}", ";x=1024;y=768" },
	{ "{;x,y,empty}", ";x=1024;y=768;empty" },
	{ "{;x,y,undef}", ";x=1024;y=768" },
	{ "{?who}", "?who=fred" },
	{ "{?half}", "?half=50%25" },
	{ "{?x,y}", "?x=1024&y=768" },
	{ "{?x,y,empty}", "?x=1024&y=768&empty=" },
	{ "{?x,y,undef}", "?x=1024&y=768" },
	{ "{&who}", "&who=fred" },
	{ "{&half}", "&half=50%25" },
	{ "?fixed=yes{&x}", "?fixed=yes&x=1024" },
	{ "{&x,y,empty}", "&x=1024&y=768&empty=" },
	{ "{&x,y,undef}", "&x=1024&y=768" },
	};
	const struct wk_uritemplate_var vars[] = {
		var("dub", "me/too"), var("hello", "Hello World!"),
		var("half", "50%"), var("var", "value"), var("who", "fred"),
		var("base", "http://example.com/home/"),
		var("path", "/foo/bar"), var("v", "6"), var("x", "1024"),
		var("y", "768"), var("empty", ""), var("undef", NULL),
	};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++)
		check_expansion(cases[i][0], vars, N(vars), cases[i][1]);
}

static void
test_other_expansions(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "a%2fb", "a%2fb" },		/* literals stay as they are */
		{ "\xc3\xbc", "%C3%BC" },	/* but for octets outside URIs */
		{ "{+pct}", "%20%25zz%252" },	/* triplets pass, signs do not */
		{ "{pct}", "%2520%25zz%252" },
		{ "{utf8}{?utf8}", "%E2%82%AC?utf8=%E2%82%AC" },
		{ "{a.b_9}{?a.b_9}", "1?a.b_9=1" },
		{ "{%41}{?%41}", "yes?%41=yes" },
		{ "\xc2\xa0\x7e", "%C2%A0~" },
		{ "{nul}{;nul}{.pct}", "%00;nul=%00.%2520%25zz%252" },
		{ "{x,x}", "0,0" },
		{ "{u}{u,x}{;u}{?u,x}{&u}", "0?x=0" },
	};
	struct wk_uritemplate_var vars[] = {
		var("pct", "%20%zz%2"), var("utf8", "\xe2\x82\xac"),
		var("a.b_9", "1"), var("%41", "yes"), var("A", "no"),
		var("nul", ""), var("x", "0"),
	};
	size_t i;

	(void)state;
	vars[5].value.len = 1;	/* the NUL itself */
	for (i = 0; i < N(cases); i++)
		check_expansion(cases[i][0], vars, N(vars), cases[i][1]);
}

/* RFC 9298, sections 2 and 3; RFC 9484, section 3. */
static void
test_proxies(void **state)
{
	static const struct {
		const char *template, *want;
	} cases[] = {
		{ "https://example.org/.well-known/masque/udp/{target_host}/"
		    "{target_port}/", "https://example.org/.well-known/masque/"
		    "udp/2001%3Adb8%3A%3A42/443/" },
		{ "https://proxy.example.org:4443/masque?h={target_host}&"
		    "p={target_port}", "https://proxy.example.org:4443/masque?"
		    "h=2001%3Adb8%3A%3A42&p=443" },
		{ "https://proxy.example.org:4443/masque"
		    "{?target_host,target_port}",
		    "https://proxy.example.org:4443/masque?"
		    "target_host=2001%3Adb8%3A%3A42&target_port=443" },
		{ "http://[::1]:80/?x=1{&target_host,target_port,other}",
		    "http://[::1]:80/?x=1&target_host=2001%3Adb8%3A%3A42&"
		    "target_port=443" },
		{ "a+b-c.9://h/{target_host},{target_port}",
		    "a+b-c.9://h/2001%3Adb8%3A%3A42,443" },
	};
	static const char *const names[] = { "target_host", "target_port" };
	const struct wk_uritemplate_var vars[] = {
		var("target_host", "2001:db8::42"), var("target_port", "443"),
	};
	struct wk_uritemplate t;
	struct wk_error e;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		check_expansion(cases[i].template, vars, 2, cases[i].want);
		parse(&t, cases[i].template);
		assert_int_equal(wk_uritemplate_check_proxy(&t, names, 2, &e),
		    WK_OK);
		assert_int_equal(wk_uritemplate_check_match(&t, &e), WK_OK);
	}
	parse(&t, "https://example.org:444/masque/ip/{target}/{ipproto}/");
	assert_int_equal(wk_uritemplate_check_proxy(&t, NULL, 0, &e), WK_OK);
	assert_true(wk_str_is(t.scheme, "https"));
	assert_true(wk_str_is(t.authority, "example.org:444"));
	assert_int_equal(wk_uritemplate_check_proxy(&t, names, 2, &e),
	    WK_E_INVALID);
	parse(&t, "https://masque.example.org/?user=bob");
	assert_int_equal(wk_uritemplate_check_proxy(&t, NULL, 0, &e), WK_OK);
	assert_int_equal(wk_uritemplate_match(&t, wk_str_of("/?user=bob"),
	    NULL, 0, &e), WK_OK);
}

static void
test_what_is_no_template(void **state)
{
	static const struct {
		const char *text;
		int status;
		size_t offset;
		const char *reason;
	} cases[] = {
		{ "{", WK_E_MALFORMED, 1, "expected the name of a variable" },
		{ "a{}", WK_E_MALFORMED, 2, "expected the name of a variable" },
		{ "{?}", WK_E_MALFORMED, 2, "expected the name of a variable" },
		{ "{a,}", WK_E_MALFORMED, 3, "expected the name of a variable" },
		{ "{,a}", WK_E_UNSUPPORTED, 1,
		    "the operator , is reserved for extensions" },
		{ "{=a}", WK_E_UNSUPPORTED, 1,
		    "the operator = is reserved for extensions" },
		{ "{|a}", WK_E_UNSUPPORTED, 1,
		    "the operator | is reserved for extensions" },
		{ "{ a}", WK_E_MALFORMED, 1, "expected the name of a variable" },
		{ "{a", WK_E_MALFORMED, 2,
		    "the template ends inside an expression" },
		{ "{a b}", WK_E_MALFORMED, 2,
		    "expected a comma or a closing brace" },
		{ "{a{b}}", WK_E_MALFORMED, 2,
		    "expected a comma or a closing brace" },
		{ "{a-b}", WK_E_MALFORMED, 2,
		    "expected a comma or a closing brace" },
		{ "{?.a}", WK_E_MALFORMED, 2,
		    "expected the name of a variable" },
		{ "{a..b}", WK_E_MALFORMED, 2,
		    "expected a comma or a closing brace" },
		{ "{a.}", WK_E_MALFORMED, 2,
		    "expected a comma or a closing brace" },
		{ "{a%4}", WK_E_MALFORMED, 2,
		    "expected a comma or a closing brace" },
		{ "{a*}", WK_E_UNSUPPORTED, 2, "a template of level 4" },
		{ "{a:3}", WK_E_UNSUPPORTED, 2, "a template of level 4" },
		{ "a}", WK_E_MALFORMED, 1, "not a character for a URI" },
		{ "a b", WK_E_MALFORMED, 1, "not a character for a URI" },
		{ "a\"", WK_E_MALFORMED, 1, "not a character for a URI" },
		{ "a\x7f", WK_E_MALFORMED, 1, "not a character for a URI" },
		{ "a\n", WK_E_MALFORMED, 1, "not a character for a URI" },
		{ "\xc3", WK_E_MALFORMED, 0, "not a character for a URI" },
		{ "\xc2\x80", WK_E_MALFORMED, 0, "not a character for a URI" },
		{ "a%4", WK_E_MALFORMED, 1, "expected two hexadecimal digits "
		    "behind the percent sign" },
		{ "a%zz", WK_E_MALFORMED, 1, "expected two hexadecimal digits "
		    "behind the percent sign" },
	};
	struct wk_uritemplate t;
	struct wk_error e;
	struct wk_str s;
	struct fence f;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		fenced(&f, cases[i].text, strlen(cases[i].text), &s);
		if (wk_uritemplate_parse(&t, s, &e) != cases[i].status ||
		    e.offset != cases[i].offset ||
		    strcmp(e.reason, cases[i].reason) != 0)
			fail_msg("%s: %d: %s", cases[i].text, (int)e.offset,
			    e.reason);
		fence_free(&f);
	}
}

static void
test_parts_are_limited(void **state)
{
	char text[3 * WK_URITEMPLATE_PARTS_MAX + 4] = "";
	struct wk_uritemplate t;
	struct wk_error e;
	size_t i;

	(void)state;
	for (i = 0; i < WK_URITEMPLATE_PARTS_MAX; i++) {
		parse(&t, text);
		strcat(text, "{a}");
	}
	parse(&t, text);
	strcat(text, "/");
	assert_int_equal(wk_uritemplate_parse(&t, wk_str_of(text), &e),
	    WK_E_LIMIT);
	assert_int_equal(e.offset, 3 * WK_URITEMPLATE_PARTS_MAX);
}

static void
test_what_no_proxy_template_is(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *reason;
	} cases[] = {
		{ "", 0,
		    "a proxy template starts with a scheme, as in https://" },
		{ "/{a}/{b}", 0,
		    "a proxy template starts with a scheme, as in https://" },
		{ "{s}://h/{a}/{b}", 0,
		    "a proxy template starts with a scheme, as in https://" },
		{ "1a://h/{a}/{b}", 0,
		    "a proxy template starts with a scheme, as in https://" },
		{ "https:/h/{a}/{b}", 0,
		    "a proxy template starts with a scheme, as in https://" },
		{ "https:///{a}/{b}", 8, "a proxy template names a host" },
		{ "https://{a}/{b}", 8, "a proxy template names a host" },
		{ "https://h{a}/{b}", 9,
		    "expected a slash, where the path starts" },
		{ "https://h{?a,b}", 9,
		    "expected a slash, where the path starts" },
		{ "https://h?{a}&{b}", 9,
		    "expected a slash, where the path starts" },
		{ "https://h", 9, "expected a slash, where the path starts" },
		{ "https://h/{+a}/{b}", 11,
		    "a proxy template cannot use the operator +" },
		{ "https://h/{a}{#b}", 14,
		    "a proxy template cannot use the operator #" },
		{ "https://h/{a}{.b}", 14,
		    "a proxy template cannot use the operator ." },
		{ "https://h/{a}{/b}", 14,
		    "a proxy template cannot use the operator /" },
		{ "https://h/{a}{;b}", 14,
		    "a proxy template cannot use the operator ;" },
		{ "https://h/{a}/{b}#x", 17,
		    "a proxy template has no fragment" },
		{ "https://h/#{a}{b}", 10, "a proxy template has no fragment" },
		{ "https://h/{a}", 13, "the variable b is missing" },
		{ "https://h/{A}/{b}", 17, "the variable a is missing" },
		{ "https://h/a/{b}", 15, "the variable a is missing" },
		{ "https://h\xc3\xbc/{a}/{b}", 9,
		    "a proxy template is ASCII without spaces" },
	};
	static const char *const names[] = { "a", "b" };
	struct wk_uritemplate t;
	struct wk_error e;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		parse(&t, cases[i].text);
		if (wk_uritemplate_check_proxy(&t, names, 2, &e) !=
		    WK_E_INVALID || e.offset != cases[i].offset ||
		    strcmp(e.reason, cases[i].reason) != 0)
			fail_msg("%s: %d: %s", cases[i].text, (int)e.offset,
			    e.reason);
	}
}

static void
test_what_cannot_be_matched(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *reason;
	} cases[] = {
		{ "", 0, "expected a slash, where the path starts" },
		{ "x/{a}", 0, "expected a slash, where the path starts" },
		{ "{a}", 0, "expected a slash, where the path starts" },
		{ "https://h{a}", 9, "expected a slash, where the path starts" },
		{ "/\xc3\xbc", 1, "requests can be matched in ASCII only" },
		{ "/{+a}", 2,
		    "requests cannot be matched with the operator +" },
		{ "/{/a}", 2,
		    "requests cannot be matched with the operator /" },
		{ "/{a}{b}", 5,
		    "it cannot be told where the variable in front ends" },
		{ "/{a}x", 4,
		    "it cannot be told where the variable in front ends" },
		{ "/{a}.{b}", 4,
		    "it cannot be told where the variable in front ends" },
		{ "/{a}%2f{b}", 4,
		    "it cannot be told where the variable in front ends" },
		{ "/{?a}&b=1", 5, "only {&} can follow the query's variables" },
		{ "/{?a}{b}", 6, "only {&} can follow the query's variables" },
		{ "/{?a}{?b}", 7, "only {&} can follow the query's variables" },
		{ "/{?a,b,a}", 3, "a variable of the query comes again" },
		{ "/{?a}{&a}", 3, "a variable of the query comes again" },
	};
	struct wk_uritemplate t;
	struct wk_error e;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		parse(&t, cases[i].text);
		if (wk_uritemplate_check_match(&t, &e) != WK_E_UNSUPPORTED ||
		    e.offset != cases[i].offset ||
		    strcmp(e.reason, cases[i].reason) != 0)
			fail_msg("%s: %d: %s", cases[i].text, (int)e.offset,
			    e.reason);
		assert_int_equal(wk_uritemplate_match(&t, wk_str_of("/"), NULL,
		    0, NULL), WK_E_UNSUPPORTED);
	}
}

#define UDP "https://h/.well-known/masque/udp/{a}/{b}/"

/* h= and p= are shown decoded; "-" is undefined. */
static const struct {
	const char *template, *path, *a, *b;
	size_t offset;
	const char *reason;
} matches[] = {
	{ UDP, "/.well-known/masque/udp/192.0.2.6/443/", "192.0.2.6", "443",
	    0, NULL },
	{ UDP, "/.well-known/masque/udp/2001%3Adb8%3a%3A42/443/",
	    "2001:db8::42", "443", 0, NULL },
	{ UDP, "/.well-known/masque/udp/::1/443/", "::1", "443", 0, NULL },
	{ UDP, "/.well-known/masque/udp/%2A/*/", "*", "*", 0, NULL },
	{ UDP, "/.well-known/masque/udp/%253A%2F/%00x/", "%3A/", NULL, 0, NULL },
	{ UDP, "/.well-known/masque/udp///", "", "", 0, NULL },
	{ "/{a}", "/x%20y", "x y", "-", 0, NULL },
	{ "/{a},{b}", "/1,2", "1", "2", 0, NULL },
	{ "/{a,b}", "/1,2", "1", "2", 0, NULL },
	{ "/{a}:{b}", "/h:1", "h", "1", 0, NULL },
	{ "/{a}/{a}/{b}", "/1/1/2", "1", "2", 0, NULL },
	{ "/{z}/{b}", "/1/2", "-", "2", 0, NULL },
	{ "/m?h={a}&p={b}", "/m?h=1/?:@&p=2", "1/?:@", "2", 0, NULL },
	{ "/m{?a,b}", "/m?a=h&b=1", "h", "1", 0, NULL },
	{ "/m{?a,b}", "/m?b=1&a=h", "h", "1", 0, NULL },
	{ "/m{?a,b}", "/m?b=", "-", "", 0, NULL },
	{ "/m{?a,b}", "/m", "-", "-", 0, NULL },
	{ "/m{?a,b}", "/m?a=1?2/3=4", "1?2/3=4", "-", 0, NULL },
	{ "/m?x=1{&a,b}", "/m?x=1&a=h&b=1", "h", "1", 0, NULL },
	{ "/m{?a}{&b}", "/m?b=1&a=h", "h", "1", 0, NULL },
	{ "/{a}{?b}", "/h?b=1", "h", "1", 0, NULL },
	{ "/{a}?{b}", "/h?1", "h", "1", 0, NULL },
	{ UDP, "", NULL, NULL, 0, "ends too early for the template" },
	{ UDP, "/.well-known/masque/tcp/h/1/", NULL, NULL, 20,
	    "differs from the template" },
	{ UDP, "/.well-known/masque/udp/h/1", NULL, NULL, 27,
	    "ends too early for the template" },
	{ UDP, "/.well-known/masque/udp/h", NULL, NULL, 25,
	    "ends too early for the template" },
	{ UDP, "/.well-known/masque/udp/h/1/x", NULL, NULL, 28,
	    "goes on where the template ends" },
	{ UDP, "/.well-known/masque/udp/h/1/?x", NULL, NULL, 28,
	    "goes on where the template ends" },
	{ UDP, "/.well-known/masque/udp/h/x/1/", NULL, NULL, 28,
	    "goes on where the template ends" },
	{ UDP, "/.well-known/masque/udp/h?/1/", NULL, NULL, 25,
	    "differs from the template" },
	{ UDP, "/.well-known/masque/udp/h%2/1/", NULL, NULL, 25,
	    "differs from the template" },
	{ UDP, "/.well-known/masque/udp/h\"/1/", NULL, NULL, 25,
	    "differs from the template" },
	{ UDP, "/.well-known/masque/udp/[::1]/1/", NULL, NULL, 24,
	    "differs from the template" },
	{ UDP, "/.well-known/masque/udp/h\xc3/1/", NULL, NULL, 25,
	    "differs from the template" },
	{ UDP, "https://h/.well-known/masque/udp/h/1/", NULL, NULL, 0,
	    "differs from the template" },
	{ "/{a,b}", "/1", NULL, NULL, 2, "expected a comma" },
	{ "/{a}/{a}", "/1/2", NULL, NULL, 4, "a variable has two values" },
	{ "/m{?a,b}", "/m?a=1&c=2", NULL, NULL, 7,
	    "the template has no such query variable" },
	{ "/m{?a,b}", "/m?m=1", NULL, NULL, 3,
	    "the template has no such query variable" },
	{ "/m{?a,b}", "/m?a=1&a=1", NULL, NULL, 7, "a variable comes twice" },
	{ "/m{?a,b}", "/m?a", NULL, NULL, 4, "expected an equals sign" },
	{ "/m{?a,b}", "/m?", NULL, NULL, 3,
	    "the template has no such query variable" },
	{ "/m{?a,b}", "/m&a=1", NULL, NULL, 2, "differs from the template" },
	{ "/m{?a,b}", "/m?a=1#x", NULL, NULL, 6, "differs from the template" },
	{ "/m{?a,b}", "/m?a=1&", NULL, NULL, 7,
	    "the template has no such query variable" },
};

static void
check_value(const char *path, const struct wk_uritemplate_var *v,
    const char *want)
{
	struct wk_buf b;

	if (want == NULL)
		return;
	assert_int_equal(v->is_defined, strcmp(want, "-") != 0);
	if (!v->is_defined) {
		assert_null(v->value.at);
		return;
	}
	wk_buf_init(&b, 64);
	assert_int_equal(wk_uritemplate_decode(v->value, &b, NULL), WK_OK);
	if (b.len != strlen(want) ||
	    (b.len > 0 && memcmp(b.data, want, b.len) != 0))
		fail_msg("%s: %s is %.*s", path, v->name, (int)b.len,
		    (char *)b.data);
	wk_buf_free(&b);
}

static void
test_matches(void **state)
{
	struct wk_uritemplate_var vars[2] = { var("a", "x"), var("b", "x") };
	struct wk_uritemplate t;
	struct wk_error e;
	struct wk_str s;
	struct fence f;
	size_t i, n;
	int rc;

	(void)state;
	for (i = 0; i < N(matches); i++) {
		parse(&t, matches[i].template);
		fenced(&f, matches[i].path, strlen(matches[i].path), &s);
		memset(&e, 0, sizeof(e));
		rc = wk_uritemplate_match(&t, s, vars, 2, &e);
		if (rc != (matches[i].reason == NULL ? WK_OK : WK_E_MALFORMED) ||
		    e.offset != matches[i].offset || (rc != WK_OK &&
		    strcmp(e.reason, matches[i].reason) != 0))
			fail_msg("%s with %s: %d: %s", matches[i].template,
			    matches[i].path, (int)e.offset, e.reason);
		if (rc == WK_OK) {
			check_value(matches[i].path, &vars[0], matches[i].a);
			check_value(matches[i].path, &vars[1], matches[i].b);
		}
		fence_free(&f);
		for (n = 0; n < strlen(matches[i].path); n++) {
			fenced(&f, matches[i].path, n, &s);
			if (wk_uritemplate_match(&t, s, vars, 2, &e) != WK_OK)
				assert_true(e.offset <= n);
			fence_free(&f);
		}
	}
}

static void
test_decode(void **state)
{
	static const struct {
		const char *in;
		int status;
		size_t offset;
	} cases[] = {
		{ "%", WK_E_MALFORMED, 0 }, { "a%4", WK_E_MALFORMED, 1 },
		{ "%41%4g", WK_E_MALFORMED, 3 }, { "123456789", WK_E_LIMIT, 8 },
		{ "%31%32%33%34%35%36%37%38", WK_OK, 0 },
	};
	struct wk_error e;
	struct wk_str s;
	struct fence f;
	struct wk_buf b;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		wk_buf_init(&b, 8);
		fenced(&f, cases[i].in, strlen(cases[i].in), &s);
		assert_int_equal(wk_uritemplate_decode(s, &b, &e),
		    cases[i].status);
		if (cases[i].status != WK_OK)
			assert_int_equal(e.offset, cases[i].offset);
		else
			assert_memory_equal(b.data, "12345678", 8);
		fence_free(&f);
		wk_buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_documents_examples),
		cmocka_unit_test(test_other_expansions),
		cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_what_is_no_template),
		cmocka_unit_test(test_parts_are_limited),
		cmocka_unit_test(test_what_no_proxy_template_is),
		cmocka_unit_test(test_what_cannot_be_matched),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests_name("uritemplate", tests, NULL, NULL);
}
