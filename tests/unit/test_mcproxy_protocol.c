/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "cmd/mcproxy/request.h"
#include "cmd/mcproxy/response.h"

#define MAX_VALUE 10
#define K250 \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

struct text {
	char at[8192];
	size_t len;
};

static void say(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at + t->len, sizeof(t->at) - t->len, format, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(t->at) - t->len);
	t->len += (size_t)n;
}

/* Events of the input in pieces of step octets, as text. */
static void
requests(const char *in, size_t len, size_t step, struct text *out)
{
	struct request_reader r;
	struct request q;
	enum request_event e;
	char kept[REQUEST_LINE_MAX + 8192], value[64];
	size_t have = 0, given = 0, n, value_len = 0;

	out->len = 0;
	out->at[0] = '\0';
	request_reader_init(&r, MAX_VALUE);
	while (given < len) {
		struct fence f;
		const char *at;
		size_t left;

		n = len - given < step ? len - given : step;
		assert_true(have <= REQUEST_LINE_MAX);
		memcpy(kept + have, in + given, n);
		given += n;
		fence_init(&f, kept, have + n);
		at = (char *)f.data;
		left = have + n;
		while ((e = request_read(&r, &at, &left, &q)) != REQUEST_MORE) {
			switch (e) {
			case REQUEST_KEY:
				say(out, "%s%s %.*s", q.is_first ? "" : "+",
				    command_name(q.command),
				    q.error != NULL ? 3 : (int)q.key_len,
				    q.error != NULL ? "BAD" : q.key);
				if (q.command >= COMMAND_GAT)
					say(out, "@%d", (int)q.exptime);
				say(out, "%s", q.is_last ? ";" : "");
				break;
			case REQUEST_COMMAND:
				say(out, "%s %.*s|%.*s", command_name(q.command),
				    (int)q.key_len, q.key == NULL ? "" : q.key,
				    (int)q.rest_len, q.rest);
				if (q.is_noreply)
					say(out, " silent");
				if (q.is_quiet)
					say(out, " q%zu", q.quiet_at);
				if (q.ttl_at != 0)
					say(out, " ttl %.*s", (int)q.ttl_len,
					    q.rest + q.ttl_at);
				if (q.has_value)
					say(out, " %d", (int)q.value_len);
				say(out, ";");
				break;
			case REQUEST_DATA:
				assert_true(value_len + q.data_len <
				    sizeof(value));
				memcpy(value + value_len, q.data, q.data_len);
				value_len += q.data_len;
				break;
			case REQUEST_DATA_END:
				say(out, "=%.*s;", (int)value_len - 2, value);
				value_len = 0;
				break;
			case REQUEST_DATA_BAD:
				value_len = 0;
				/* fall through */
			case REQUEST_ERROR:
				say(out, "!%s;", q.error);
				break;
			case REQUEST_MORE:
				break;
			}
		}
		memcpy(kept, at, left);
		have = left;
		fence_free(&f);
	}
}

#define BAD "!CLIENT_ERROR bad command line format;"

static const struct {
	const char *in, *want;
} request_cases[] = {
	{ "get a\r\n", "get a;" },
	{ "get a\n", "get a;" },
	{ "get a b  c \r\n", "get a+get b+get c;" },
	{ "gets a\r\nget b\r\n", "gets a;get b;" },
	{ "gat 50 a b\r\n", "gat a@50+gat b@50;" },
	{ "gats -1 a\r\n", "gats a@-1;" },
	{ "get\r\n", "!ERROR;" },
	{ "get \r\n", "!ERROR;" },
	{ "gat\r\n", "!ERROR;" },
	{ "gat x a\r\nmn\r\n",
	    "!CLIENT_ERROR invalid exptime argument;mn |;" },
	{ "gat 5\r\nmn\r\n", "!ERROR;mn |;" },
	{ "get " K250 "\r\n", "get " K250 ";" },
	{ "get " K250 "k a\r\n", "get BAD+get a;" },
	{ "get a\tb\r\n", "get BAD;" },
	{ "get a\rb c\r\n", "get BAD+get c;" },
	{ " get a\r\n", "!ERROR;" },
	{ "GET a\r\n", "!ERROR;" },
	{ "bogus\r\nget a\r\n", "!ERROR;get a;" },
	{ "\r\n\n", "!ERROR;!ERROR;" },
	{ "mn\nmn\r\nmn x\r\n", "mn |;mn |;mn | x;" },
	{ "set k 1 2 3\r\nabc\r\n", "set k| 1 2 3 ttl 2 3;=abc;" },
	{ "set k 1 2 3 noreply\r\nabc\r\n",
	    "set k| 1 2 3 silent ttl 2 3;=abc;" },
	{ "set k 1 2 3 foo\r\nabc\r\n", "set k| 1 2 3 ttl 2 3;=abc;" },
	{ "set k 0 0 0\r\n\r\n", "set k| 0 0 0 ttl 0 0;=;" },
	{ "set k 0 0 4\r\n\r\n\r\n\r\n", "set k| 0 0 4 ttl 0 4;=\r\n\r\n;" },
	{ "set k 0 0 3\r\nabcdef\r\n",
	    "set k| 0 0 3 ttl 0 3;!CLIENT_ERROR bad data chunk;!ERROR;" },
	{ "set k 0 0 3\r\nabc\n\nmn\r\n",
	    "set k| 0 0 3 ttl 0 3;!CLIENT_ERROR bad data chunk;mn |;" },
	{ "set k 0 0 10\r\n0123456789\r\n",
	    "set k| 0 0 10 ttl 0 10;=0123456789;" },
	{ "set k 0 0 11\r\nget a\r\nget \r\nmn\r\n",
	    "!SERVER_ERROR object too large for cache;mn |;" },
	{ "set k x 0 3\r\nabc\r\nmn\r\n", BAD "mn |;" },
	{ "set k 4294967296 0 3\r\nabc\r\nmn\r\n", BAD "mn |;" },
	{ "set k 0 1x 3\r\nabc\r\nmn\r\n", BAD "mn |;" },
	{ "set " K250 "k 0 0 3\r\nabc\r\nmn\r\n", BAD "mn |;" },
	{ "set k 0 0\r\n", "!ERROR;" },
	{ "set k 0 0 -1\r\n", BAD },
	{ "set k 0 0 2147483646\r\n", BAD },
	{ "set k 0 0 1 2 3\r\n", "!ERROR;" },
	{ "cas k 0 0 1 77\r\na\r\n", "cas k| 0 0 1 77 ttl 0 1;=a;" },
	{ "cas k 0 0 1 77 noreply\r\na\r\n",
	    "cas k| 0 0 1 77 silent ttl 0 1;=a;" },
	{ "cas k 0 0 1 x\r\na\r\n", BAD },
	{ "incr k 5\r\n", "incr k| 5;" },
	{ "incr k 5 noreply\r\n", "incr k| 5 silent;" },
	{ "incr k 18446744073709551615\r\n", "incr k| 18446744073709551615;" },
	{ "incr k 18446744073709551616\r\n",
	    "!CLIENT_ERROR invalid numeric delta argument;" },
	{ "incr k\r\n", "!ERROR;" },
	{ "touch k 5\r\n", "touch k| 5;" },
	{ "touch k x\r\n", "!CLIENT_ERROR invalid exptime argument;" },
	{ "delete k\r\ndelete k 0\r\ndelete k noreply\r\n",
	    "delete k|;delete k|;delete k| silent;" },
	{ "delete k 5\r\n", "!CLIENT_ERROR bad command line format.  "
	    "Usage: delete <key> [noreply];" },
	{ "mg k\r\n", "mg k|;" },
	{ "mg k v q k O7\r\n", "mg k| v q k O7 q2;" },
	{ "mg k q\r\n", "mg k| q q0;" },
	{ "mg k q q\r\n", "!CLIENT_ERROR duplicate flag;" },
	{ "mg k T30 v\r\n", "mg k| T30 v ttl 30;" },
	{ "mg k Tx\r\n", "!CLIENT_ERROR bad token in command line format;" },
	{ "mg k !\r\n", "!CLIENT_ERROR invalid flag;" },
	{ "mg\r\n", "!ERROR;" },
	{ "mg k O0123456789012345678901234567890\r\n",
	    "mg k| O0123456789012345678901234567890;" },
	{ "mg k O01234567890123456789012345678901\r\n",
	    "!CLIENT_ERROR opaque token too long;" },
	{ "mg a2V5 b\r\n", "mg a2V5| b;" },
	{ "mg a2V b\r\n", "!CLIENT_ERROR error decoding key;" },
	{ "me a2V b\r\nma a2V b\r\n",
	    BAD "!CLIENT_ERROR invalid or duplicate flag;" },
	{ "mg azE= b N0\r\nmg AA0KIGJpbg== b\r\nms AA0KIGJpbg== 0 b N0\r\n\r\n",
	    "mg azE=| b N0;mg AA0KIGJpbg==| b;ms AA0KIGJpbg==| 0 b N0 0;=;" },
	{ "mg AA0KIGJpbg== b k N0\r\nma AA0KIGJpbg== b N0\r\n",
	    BAD BAD },
	{ "mg k a b c d e f g h i j k l m n o p r s t u\r\n",
	    "!CLIENT_ERROR options flags are too long;" },
	{ "mg k a b c d e f g h i j k l m n o p q r s t u v w x y z\r\n",
	    "!CLIENT_ERROR options flags are too long;" },
	{ "ms k 2 a b c d e f g h i j k l m n o p q r s t u v w x y z\r\n"
	    "hi\r\nmn\r\n",
	    "!CLIENT_ERROR options flags too long;mn |;" },
	{ "ms k 2 T0 c\r\nhi\r\n", "ms k| 2 T0 c ttl 0 2;=hi;" },
	{ "ms k S2\r\nhi\r\n", BAD "!ERROR;" },
	{ "ms k 2 Fx\r\nhi\r\nmn\r\n", BAD "mn |;" },
	{ "ms k 11\r\n0123456789a\r\nmn\r\n",
	    "!SERVER_ERROR object too large for cache;mn |;" },
	{ "me\r\n", BAD },
	{ "me k\r\n", "me k|;" },
	{ "stats proxy\r\nquit\r\nversion\r\n",
	    "stats | proxy;quit |;version |;" },
	{ "verbosity\r\nverbosity 1\r\n", "!ERROR;verbosity | 1;" },
	{ "flush_all noreply\r\n", "flush_all | noreply silent;" },
};

static void
test_requests_in_any_pieces(void **state)
{
	struct text got;
	size_t i, step, len;

	(void)state;
	for (i = 0; i < sizeof(request_cases) / sizeof(request_cases[0]); i++) {
		len = strlen(request_cases[i].in);
		for (step = 1; step <= len; step++) {
			requests(request_cases[i].in, len, step, &got);
			if (strcmp(got.at, request_cases[i].want) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    request_cases[i].in, step, got.at);
		}
	}
}

static void
test_nul_is_no_part_of_a_key(void **state)
{
	struct text got;

	(void)state;
	requests("get a\0b c\r\n", 11, 11, &got);
	assert_string_equal(got.at, "get BAD+get c;");
	requests("delete a\0b\r\n", 12, 12, &got);
	assert_string_equal(got.at, BAD);
}

/* Lines of just the limit and one octet more, whole and in pieces. */
static void
test_lines_have_a_limit(void **state)
{
	char in[REQUEST_LINE_MAX + 64];
	struct text got;
	size_t step, len, over;

	(void)state;
	for (over = 0; over < 2; over++) {
		memset(in, ' ', sizeof(in));
		memcpy(in, "mn", 2);
		len = REQUEST_LINE_MAX + over;
		memcpy(in + len, "\nmn\n", 4);
		for (step = 1; step < len + 4; step = step * 3 + 1) {
			requests(in, len + 4, step, &got);
			assert_string_equal(got.at, over ?
			    "!CLIENT_ERROR line too long;mn |;" :
			    "mn |;mn |;");
		}
	}
	for (over = 0; over < 2; over++) {
		len = 4 + REQUEST_LINE_MAX + over;
		memset(in, 'k', sizeof(in));
		memcpy(in, "get ", 4);
		memcpy(in + len, "\nmn\n", 4);
		for (step = 1; step < len + 4; step = step * 3 + 1) {
			requests(in, len + 4, step, &got);
			assert_string_equal(got.at, "get BAD;mn |;");
		}
	}
}

/* --- responses ------------------------------------------------------------ */

static void
responses(enum response_kind kind, const char *in, size_t step,
    struct text *out)
{
	static const char *const classes[] = { "good", "miss", "error" };
	struct response_reader r;
	struct response p;
	enum response_event e;
	char kept[4096];
	size_t have = 0, given = 0, len = strlen(in), n;

	out->len = 0;
	out->at[0] = '\0';
	response_reader_init(&r);
	while (given < len) {
		struct fence f;
		const char *at;
		size_t left;

		n = len - given < step ? len - given : step;
		memcpy(kept + have, in + given, n);
		given += n;
		fence_init(&f, kept, have + n);
		at = (char *)f.data;
		left = have + n;
		while ((e = response_read(&r, kind, &at, &left, &p)) !=
		    RESPONSE_MORE) {
			if (e == RESPONSE_BAD) {
				say(out, "bad");
				fence_free(&f);
				return;
			}
			if (e == RESPONSE_DATA) {
				say(out, "%.*s%s", (int)(p.is_last &&
				    p.data_len > 1 ? p.data_len - 2 : 0),
				    p.data, p.is_last ? "." : "");
				continue;
			}
			say(out, "%s", classes[p.class]);
			if (p.key != NULL)
				say(out, " %.*s", (int)p.key_len, p.key);
			if (p.has_value)
				say(out, " %d=", (int)p.value_len);
			say(out, p.is_nominal ? "~;" : ";");
		}
		memcpy(kept, at, left);
		have = left;
		fence_free(&f);
	}
}

static const struct {
	enum response_kind kind;
	const char *in, *want;
} response_cases[] = {
	{ RESPONSE_READ, "END\r\n", "miss;" },
	{ RESPONSE_READ, "VALUE a 0 0\r\n\r\nEND\r\n", "good a 0=;.miss;" },
	{ RESPONSE_READ, "VALUE a 4294967295 0 18446744073709551615\r\n\r\n",
	    "good a 0=;." },
	{ RESPONSE_READ, "VALUE a 4294967296 0\r\n", "bad" },
	{ RESPONSE_READ, "VALUE a 0\r\n", "bad" },
	{ RESPONSE_READ, "VALUE a 0 0 1 2\r\n", "bad" },
	{ RESPONSE_READ, "VALUE  0 0\r\n", "bad" },
	{ RESPONSE_READ, "VALUE " K250 "k 0 0\r\n", "bad" },
	{ RESPONSE_READ, "VALUE a 0 2147483648\r\n", "bad" },
	{ RESPONSE_READ, "VALUE a 0 0\r\n\n", "good a 0=;bad" },
	{ RESPONSE_READ, "STORED\r\n", "bad" },
	{ RESPONSE_READ, "END \r\n", "bad" },
	{ RESPONSE_READ, "END\n", "bad" },
	{ RESPONSE_READ, "\n", "bad" },
	{ RESPONSE_READ, "SERVER_ERROR out of memory\r\n", "error;" },
	{ RESPONSE_READ, "ERROR\r\n", "error;" },
	{ RESPONSE_READ, "ERRORS\r\n", "bad" },
	{ RESPONSE_WORD, "STORED\r\nNOT_STORED\r\nEXISTS\r\nNOT_FOUND\r\n",
	    "good;good;good;good;" },
	{ RESPONSE_WORD, "DELETED\r\nTOUCHED\r\nOK\r\n", "good;good;good;" },
	{ RESPONSE_WORD, "12\r\n12  \r\n", "good;good;" },
	{ RESPONSE_WORD, "12x\r\n", "bad" },
	{ RESPONSE_WORD, "18446744073709551616\r\n", "bad" },
	{ RESPONSE_WORD, "CLIENT_ERROR x\r\n", "error;" },
	{ RESPONSE_WORD, "END\r\n", "bad" },
	{ RESPONSE_META, "HD\r\nHD c3 kab O1\r\n", "good~;good ab~;" },
	{ RESPONSE_META, "EN\r\nEN kx O7\r\n", "miss~;miss x~;" },
	{ RESPONSE_META, "NF\r\nNS\r\nEX\r\n", "good;good;good;" },
	{ RESPONSE_META, "VA 0 kab f5\r\n\r\n", "good ab 0=;." },
	{ RESPONSE_META, "VA\r\n", "bad" },
	{ RESPONSE_META, "VA x\r\n", "bad" },
	{ RESPONSE_META, "HDx\r\n", "bad" },
	{ RESPONSE_META, "ME a exp=-1\r\n", "good;" },
	{ RESPONSE_META, "MN\r\n", "bad" },
	{ RESPONSE_META, "VALUE a 0 0\r\n", "bad" },
	{ RESPONSE_VERSION, "VERSION 1.6.18\r\n", "good;" },
	{ RESPONSE_VERSION, "ERROR\r\n", "bad" },
};

static void
test_responses_in_any_pieces(void **state)
{
	struct text got;
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof(response_cases) / sizeof(response_cases[0]);
	    i++)
		for (step = 1; step <= strlen(response_cases[i].in); step++) {
			responses(response_cases[i].kind, response_cases[i].in,
			    step, &got);
			if (strcmp(got.at, response_cases[i].want) != 0)
				fail_msg("%s in pieces of %zu: %s",
				    response_cases[i].in, step, got.at);
		}
}

static void
test_value_pieces_add_up(void **state)
{
	struct text got;

	(void)state;
	responses(RESPONSE_READ, "VALUE ab 5 4\r\n\r\n\r\n\r\nEND\r\n", 99, &got);
	assert_string_equal(got.at, "good ab 4=;\r\n\r\n.miss;");
	responses(RESPONSE_META, "VA 2 f1\r\nhi\r\nEN\r\n", 99, &got);
	assert_string_equal(got.at, "good 2=;hi.miss~;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_in_any_pieces),
		cmocka_unit_test(test_nul_is_no_part_of_a_key),
		cmocka_unit_test(test_lines_have_a_limit),
		cmocka_unit_test(test_responses_in_any_pieces),
		cmocka_unit_test(test_value_pieces_add_up),
	};

	return cmocka_run_group_tests_name("mcproxy protocol", tests, NULL,
	    NULL);
}
