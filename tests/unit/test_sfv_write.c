/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/sfv.h"

#define ITEM WK_SFV_ITEM
#define LIST WK_SFV_LIST
#define DICT WK_SFV_DICTIONARY

/* A script of calls: each letter a call, what it takes behind it. */
static int
write_script(enum wk_sfv_kind kind, const char *script, struct wk_buf *b,
    struct wk_error *error)
{
	struct wk_sfv_writer w;
	const char *s, *end;
	struct wk_str arg;
	int rc;

	wk_sfv_writer_init(&w, kind, b);
	for (s = script; *s != '\0'; s = end + (*end != '\0')) {
		end = s + strcspn(s, "|");
		arg.at = s + 1;
		arg.len = (size_t)(end - arg.at);
		switch (*s) {
		case 'k': wk_sfv_put_key(&w, arg); break;
		case 'p': wk_sfv_put_param(&w, arg); break;
		case '(': wk_sfv_put_inner(&w); break;
		case ')': wk_sfv_put_inner_end(&w); break;
		case 'i': wk_sfv_put_integer(&w, atoll(arg.at)); break;
		case 'd': wk_sfv_put_decimal(&w, atoll(arg.at)); break;
		case '@': wk_sfv_put_date(&w, atoll(arg.at)); break;
		case '?': wk_sfv_put_boolean(&w, *arg.at == '1'); break;
		case 't': wk_sfv_put_token(&w, arg); break;
		case 's': wk_sfv_put_string(&w, arg); break;
		case 'u': wk_sfv_put_display(&w, arg); break;
		case 'b': wk_sfv_put_bytes(&w, arg.at, arg.len); break;
		default: fail_msg("script \"%s\"", s);
		}
	}
	rc = wk_sfv_writer_finish(&w);
	*error = w.error;
	return rc;
}

static void
test_writer(void **state)
{
	static const struct {
		enum wk_sfv_kind kind;
		const char *script, *want, *reason;
	} cases[] = {
		{ ITEM, "?1", "?1", NULL },
		{ ITEM, "i5|pa|?1|pb|?0", "5;a;b=?0", NULL },
		{ LIST, "", "", NULL }, { DICT, "", "", NULL },
		{ LIST, "ta|(|i1|px|?1|i2|)|py|sz|tb",
		    "a, (1;x 2);y=\"z\", b", NULL },
		{ LIST, "(|)|(|)", "(), ()", NULL },
		{ DICT, "ka|?1|kb|?1|pc|i1|kd|(|)|pe|?1|kf|?0",
		    "a, b;c=1, d=();e, f=?0", NULL },
		{ LIST, "d0|d1500|d-1|d1230|d100|d-1000",
		    "0.0, 1.5, -0.001, 1.23, 0.1, -1.0", NULL },
		{ ITEM, "i999999999999999", "999999999999999", NULL },
		{ ITEM, "d-999999999999999", "-999999999999.999", NULL },
		{ ITEM, "sa\"b\\", "\"a\\\"b\\\\\"", NULL },
		{ ITEM, "ua%\"\xc3\xbc\x7f", "%\"a%25%22%c3%bc%7f\"", NULL },
		{ ITEM, "bhi", ":aGk=:", NULL },
		{ ITEM, "@-5", "@-5", NULL },
		{ ITEM, "", NULL, "an Item has a value" },
		{ ITEM, "i1|i2", NULL, "an Item has one value" },
		{ ITEM, "(", NULL, "an Inner List can only be a member" },
		{ ITEM, "ka", NULL, "only members of a Dictionary have keys" },
		{ LIST, "ka", NULL, "only members of a Dictionary have keys" },
		{ DICT, "i1", NULL, "a member of a Dictionary needs a key" },
		{ DICT, "(", NULL, "a member of a Dictionary needs a key" },
		{ DICT, "ka", NULL, "the value of a key is missing" },
		{ DICT, "ka|kb", NULL, "the value of a key is missing" },
		{ DICT, "ka|(|kb", NULL,
		    "only members of a Dictionary have keys" },
		{ LIST, "i1|pa", NULL, "the value of a key is missing" },
		{ LIST, "pa", NULL, "a parameter needs a value in front of it" },
		{ LIST, "(|pa", NULL,
		    "a parameter needs a value in front of it" },
		{ LIST, "i1|pa|pb", NULL,
		    "a parameter needs a value in front of it" },
		{ LIST, "(|(", NULL, "an Inner List can only be a member" },
		{ LIST, "i1|pa|(", NULL, "an Inner List can only be a member" },
		{ LIST, "(|i1|pa|)", NULL, "no Inner List can be closed here" },
		{ LIST, ")", NULL, "no Inner List can be closed here" },
		{ LIST, "(", NULL, "the Inner List is still open" },
		{ ITEM, "i1000000000000000", NULL,
		    "a number of more than 15 digits" },
		{ ITEM, "i-1000000000000000", NULL,
		    "a number of more than 15 digits" },
		{ ITEM, "i-9223372036854775808", NULL,
		    "a number of more than 15 digits" },
		{ ITEM, "@1000000000000000", NULL,
		    "a number of more than 15 digits" },
		{ ITEM, "d1000000000000000", NULL,
		    "more than 12 digits before the point" },
		{ ITEM, "d-9223372036854775808", NULL,
		    "more than 12 digits before the point" },
		{ ITEM, "t", NULL, "a Token starts with a letter or a star" },
		{ ITEM, "t1", NULL, "a Token starts with a letter or a star" },
		{ ITEM, "ta b", NULL, "not a character for a Token" },
		{ ITEM, "sa\tb", NULL, "not a character for a String" },
		{ ITEM, "s\xc3\xbc", NULL, "not a character for a String" },
		{ ITEM, "s\x7f", NULL, "not a character for a String" },
		{ ITEM, "u\xc3", NULL, "a Display String is UTF-8" },
		{ ITEM, "i1|pA|?1", NULL, "not a key" },
		{ ITEM, "i1|p1|?1", NULL, "not a key" },
		{ ITEM, "i1|pa\r\n|?1", NULL, "not a key" },
		{ ITEM, "i1|p|?1", NULL, "a key has at least one character" },
		{ DICT, "ka b|?1", NULL, "not a key" },
	};
	struct wk_error e;
	struct wk_buf b;
	size_t i, max;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wk_buf_init(&b, 256);
		rc = write_script(cases[i].kind, cases[i].script, &b, &e);
		if (cases[i].want == NULL) {
			if (rc != WK_E_INVALID ||
			    strcmp(e.reason, cases[i].reason) != 0)
				fail_msg("%s: %s", cases[i].script, e.reason);
			wk_buf_free(&b);
			continue;
		}
		if (rc != WK_OK || b.len != strlen(cases[i].want) ||
		    (b.len > 0 && memcmp(b.data, cases[i].want, b.len) != 0))
			fail_msg("%s: %.*s", cases[i].script, (int)b.len,
			    (char *)b.data);
		wk_buf_free(&b);
		for (max = 0; max < strlen(cases[i].want); max++) {
			wk_buf_init(&b, max);
			assert_int_equal(write_script(cases[i].kind,
			    cases[i].script, &b, &e), WK_E_LIMIT);
			wk_buf_free(&b);
		}
	}
}

static void
test_writer_behind_other_text(void **state)
{
	static const struct wk_str nul = { "a\0", 2 };
	struct wk_sfv_writer w;
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 8);
	wk_buf_append(&b, "A: ", 3);
	wk_sfv_writer_init(&w, LIST, &b);
	wk_sfv_put_integer(&w, 12);
	assert_int_equal(wk_sfv_put_param(&w, nul), WK_E_INVALID);
	assert_int_equal(w.error.offset, 3);	/* of the field: "12;" */
	assert_memory_equal(b.data, "A: 12;", 6);
	wk_buf_append(&b, "too much", 8);
	wk_sfv_writer_init(&w, LIST, &b);
	assert_int_equal(wk_sfv_writer_finish(&w), WK_E_LIMIT);
	wk_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writer_behind_other_text),
	};

	return cmocka_run_group_tests_name("sfv_write", tests, NULL, NULL);
}
