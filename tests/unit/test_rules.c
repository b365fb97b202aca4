/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "cmd/rstdiag-send/rules.h"
#include "common/base/buf.h"
#include "common/base/text.h"

/* A rule in one line: "line action code/pen description|expression;" */
static void
describe(const struct rules *rules, struct wk_buf *b)
{
	static const char *const actions[] = { "say", "empty", "ignore" };
	size_t i;

	for (i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->rule[i];

		wk_buf_printf(b, "%u %s", r->line, actions[r->action]);
		if (r->has_code)
			wk_buf_printf(b, " %u", r->code);
		if (r->has_pen)
			wk_buf_printf(b, "/%u", (unsigned)r->pen);
		if (r->description != NULL) {
			wk_buf_append(b, " \"", 2);
			wk_text_escape(b, r->description, r->description_len,
			    '"');
			wk_buf_append(b, "\"", 1);
		}
		wk_buf_printf(b, " [%s];", r->expression);
	}
	wk_buf_uint(b, 0, 1);
}

static void
expect(const char *text, size_t len, const char *want)
{
	struct rules rules;
	struct wk_error error;
	struct wk_buf b;
	struct fence f;

	wk_buf_init(&b, 1 << 20);
	fence_init(&f, text, len);
	if (rules_parse((char *)f.data, len, WK_RSTDIAG_IETF_03, &rules,
	    &error) == WK_OK) {
		fence_free(&f);		/* nothing may point into the source */
		describe(&rules, &b);
		rules_free(&rules);
	} else {
		fence_free(&f);
		assert_int_equal(rules.n, 0);
		assert_null(rules.rule);
		wk_buf_printf(&b, "line %u: %s", (unsigned)error.offset,
		    error.reason);
		wk_buf_uint(&b, 0, 1);
	}
	if (strcmp((char *)b.data, want) != 0)
		fail_msg("rules:\n%.*s\ngive: %s\nwant: %s", (int)len, text,
		    (char *)b.data, want);
	wk_buf_free(&b);
}

static void
test_rules(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "timeout - tcp dst port 80\n",
		    "1 say 16 [tcp dst port 80];" },
		{ "timeout - tcp", "1 say 16 [tcp];" },
		{ "16 - tcp\r\n0x10 - udp\r\n",
		    "1 say 16 [tcp];2 say 16 [udp];" },
		{ "32473:1234 - tcp", "1 say 1234/32473 [tcp];" },
		{ "empty - tcp\nignore - tcp",
		    "1 empty [tcp];2 ignore [tcp];" },
		{ "# all\n\n \t# more\n\t5\t-\ttcp  port 1\t# why\n",
		    "4 say 5 [tcp  port 1];" },
		{ "5 - ether[0]#1 or tcp", "1 say 5 [ether[0]#1 or tcp];" },
		{ "- \"go away\" tcp", "1 say \"go away\" [tcp];" },
		{ "5 \"\" tcp", "1 say 5 \"\" [tcp];" },
		{ "5 \"a # b\" tcp # c", "1 say 5 \"a # b\" [tcp];" },
		{ "5 \"\\\"\\\\\\n\\t\\r\\x41\\xfF\" tcp",
		    "1 say 5 \"\\\"\\\\\\n\\t\\rA\\xff\" [tcp];" },
		{ "5 \"\\x00\" tcp", "1 say 5 \"\\x00\" [tcp];" },
		{ "5 - -", "1 say 5 [-];" },

		{ "", "line 0: holds no rule" },
		{ "\n# nothing\n", "line 0: holds no rule" },
		{ "timeout", "line 1: no description, expected - or a "
		    "\"string\" behind the reason" },
		{ "\ntimeout tcp", "line 2: no description, expected - or a "
		    "\"string\" behind the reason" },
		{ "5 -", "line 1: no expression, expected a pcap-filter such "
		    "as tcp dst port 80" },
		{ "5 - # tcp", "line 1: no expression, expected a pcap-filter "
		    "such as tcp dst port 80" },
		{ "5 -x tcp", "line 1: no description, expected - or a "
		    "\"string\" behind the reason" },
		{ "5 \"abc", "line 1: the description does not end, "
		    "expected \"" },
		{ "5 \"abc\\", "line 1: unknown escape in the description, "
		    "expected one of \\\" \\\\ \\n \\t \\r \\xNN" },
		{ "5 \"\\q\" tcp", "line 1: unknown escape in the description, "
		    "expected one of \\\" \\\\ \\n \\t \\r \\xNN" },
		{ "5 \"\\x4\" tcp", "line 1: unknown escape in the "
		    "description, expected one of \\\" \\\\ \\n \\t \\r "
		    "\\xNN" },
		{ "5 \"a\"tcp", "line 1: expected a blank behind the "
		    "description" },
		{ "5 \"a\nb\" tcp", "line 1: the description does not end, "
		    "expected \"" },
		{ "- - tcp", "line 1: neither reason nor description; "
		    "\"empty\" sends a reset without payload" },
		{ "empty \"x\" tcp", "line 1: empty carries no description, "
		    "expected -" },
		{ "ignore \"x\" tcp", "line 1: ignore carries no description, "
		    "expected -" },
		{ "0:5 - tcp", "line 1: enterprise number 0, expected 1 to "
		    "4294967294" },
		{ "4294967295:5 - tcp", "line 1: enterprise number 4294967295, "
		    "expected 1 to 4294967294" },
		{ "1:0 - tcp", "line 1: vendor code 0, expected a number from "
		    "1 to 65535" },
		{ "1:timeout - tcp", "line 1: vendor code timeout, expected a "
		    "number from 1 to 65535" },
		{ "5 - tcp\x01", "line 1: control character in the "
		    "expression" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaa - tcp", "line 1: the reason is longer than 63 "
		    "octets" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, strlen(cases[i].text), cases[i].want);
	expect("5 - t\0p", 7, "line 1: control character in the expression");
}

static void
test_names_belong_to_the_registry(void **state)
{
	static const char text[] = "timeout - tcp";
	struct rules rules;
	struct wk_error error;

	(void)state;
	assert_int_equal(rules_parse(text, sizeof(text) - 1,
	    WK_RSTDIAG_IETF_00, &rules, &error), WK_OK);
	assert_int_equal(rules.rule[0].code, 14);
	assert_true(rules.rule[0].is_by_name);
	rules_free(&rules);
	assert_int_equal(rules_parse("closed - tcp", 12, WK_RSTDIAG_IETF_00,
	    &rules, &error), WK_E_MALFORMED);
	assert_int_equal(error.offset, 1);
	assert_non_null(strstr(error.reason, "reason closed: "));
}

static void
test_every_shorter_text_is_rules_or_an_error(void **state)
{
	static const char text[] = "# x\ntimeout \"a\\x41\\\"\" tcp # y\r\n"
	    "32473:7 - ip6\nignore - tcp port 1\nempty - tcp\n";
	struct rules rules;
	struct wk_error error;
	struct fence f;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(text); len++) {
		fence_init(&f, text, len);
		memset(&error, 0, sizeof(error));
		if (rules_parse((char *)f.data, len, WK_RSTDIAG_IETF_03,
		    &rules, &error) == WK_OK) {
			assert_in_range(rules.n, 1, 4);
			rules_free(&rules);
		} else {
			assert_true(error.reason[0] != '\0');
		}
		fence_free(&f);
	}
}

static void
test_limits(void **state)
{
	struct rules rules;
	struct wk_error error;
	struct wk_buf b;
	size_t i;

	(void)state;
	wk_buf_init(&b, RULES_TEXT_MAX + 1);
	for (i = 0; i < RULES_MAX; i++)
		wk_buf_printf(&b, "5 - tcp\n");
	assert_int_equal(rules_parse((char *)b.data, b.len,
	    WK_RSTDIAG_IETF_03, &rules, &error), WK_OK);
	assert_int_equal(rules.n, RULES_MAX);
	rules_free(&rules);
	wk_buf_printf(&b, "5 - tcp");
	assert_int_equal(rules_parse((char *)b.data, b.len,
	    WK_RSTDIAG_IETF_03, &rules, &error), WK_E_MALFORMED);
	assert_string_equal(error.reason, "more than 256 rules");
	assert_int_equal(error.offset, RULES_MAX + 1);

	wk_buf_clear(&b);
	wk_buf_printf(&b, "5 - tcp%*s\n", RULES_LINE_MAX - 7, "");
	assert_int_equal(rules_parse((char *)b.data, b.len,
	    WK_RSTDIAG_IETF_03, &rules, &error), WK_OK);
	rules_free(&rules);
	wk_buf_clear(&b);
	wk_buf_printf(&b, "5 - tcp%*s\n", RULES_LINE_MAX - 6, "");
	assert_int_equal(rules_parse((char *)b.data, b.len,
	    WK_RSTDIAG_IETF_03, &rules, &error), WK_E_MALFORMED);
	assert_string_equal(error.reason, "longer than 4096 octets");

	wk_buf_clear(&b);
	while (wk_buf_append(&b, "#\n", 2) == WK_OK)
		continue;
	b.status = WK_OK;
	wk_buf_append(&b, "\n", 1);
	assert_int_equal(b.len, RULES_TEXT_MAX + 1);
	assert_int_equal(rules_parse((char *)b.data, b.len,
	    WK_RSTDIAG_IETF_03, &rules, &error), WK_E_LIMIT);
	wk_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_names_belong_to_the_registry),
		cmocka_unit_test(test_every_shorter_text_is_rules_or_an_error),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
