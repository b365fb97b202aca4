/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"

/* --- what the code under test writes -------------------------------------- */

static int capture_fd, saved_stderr, stderr_fd;

static int
start_capture(void **state)
{
	(void)state;
	capture_fd = memfd_create("out", 0);
	stderr_fd = memfd_create("err", 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(stderr_fd, STDERR_FILENO);
	wk_out_reset(capture_fd);
	memset(&wk_cli, 0, sizeof(wk_cli));
	wk_cli.name = "tool";
	return 0;
}

static int
stop_capture(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(capture_fd);
	close(stderr_fd);
	return 0;
}

static const char *
text_of(int fd)
{
	static char text[65536];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *
written(void)
{
	wk_out_flush();
	return text_of(capture_fd);
}

/* --- options -------------------------------------------------------------- */

struct values {
	bool flag;
	unsigned count;
	const char *text;
	uint64_t number, size, seconds_ns;
	int choice, called;
	struct wk_option_list list;
};

static int
call(void *values, const char *arg, struct wk_error *error)
{
	struct values *v = values;

	v->called++;
	return strcmp(arg, "bad") == 0 ? wk_error_set(error, WK_E_INVALID, 0,
	    "expected good") : WK_OK;
}

static const char *const choices[] = { "red", "green", NULL };
#define AT(field) offsetof(struct values, field)
static const struct wk_option table[] = {
	{ .kind = WK_OPT_GROUP, .help = "Things" },
	{ 'f', "flag", .help = "a flag", .kind = WK_OPT_FLAG, .at = AT(flag) },
	{ 't', "times", .help = "counted", .kind = WK_OPT_COUNT,
	    .at = AT(count) },
	{ 'o', "output", "FILE", "a text", WK_OPT_TEXT, .at = AT(text) },
	{ 'c', "count", "N", "a number", WK_OPT_UINT, .at = AT(number),
	    .min = 1, .max = 65535 },
	{ 0, "size", "BYTES", "a size", WK_OPT_SIZE, .at = AT(size) },
	{ 'm', "max-time", "SEC", "a time", WK_OPT_SECONDS,
	    .at = AT(seconds_ns) },
	{ 0, "shade", "NAME", "a choice", WK_OPT_CHOICE, .at = AT(choice),
	    .choices = choices },
	{ 0, "call", "WORD", "a call", WK_OPT_CALL, .call = call },
	{ 'l', "list", "ITEM", "items", WK_OPT_LIST, .at = AT(list) },
	{ 0 },
};
static const struct wk_tool tool = {
	.summary = "Does things.",
	.usages = (const char *const[]) { "[option ...] [operand ...]", NULL },
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON,
	.examples = (const char *const[]) { "tool | cat", NULL },
};

static bool
parse(struct values *v, char **argv, int *first, int *rc)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	memset(v, 0, sizeof(*v));
	return wk_options_parse(&tool, v, argc, argv, first, rc);
}

static void
test_options_of_every_kind(void **state)
{
	char *argv[] = { "tool", "one", "-ftt", "-o", "file", "--count=0xff",
	    "--size", "3k", "-m0.25", "--shade", "green", "-vvj", "two",
	    "--call", "good", "--", "-q", NULL };
	struct values v;
	int first, rc;

	(void)state;
	assert_true(parse(&v, argv, &first, &rc));
	assert_true(v.flag);
	assert_int_equal(v.count, 2);
	assert_string_equal(v.text, "file");
	assert_int_equal(v.number, 255);
	assert_int_equal(v.size, 3072);
	assert_int_equal(v.seconds_ns, WK_NS_PER_SEC / 4);
	assert_int_equal(v.choice, 1);
	assert_int_equal(v.called, 1);
	assert_int_equal(wk_cli.verbose, 2);
	assert_true(wk_cli.is_json);
	assert_false(wk_cli.is_quiet);
	assert_string_equal(argv[first], "one");
	assert_string_equal(argv[first + 1], "two");
	assert_string_equal(argv[first + 2], "-q");
}

static void
test_options_say_what_is_wrong(void **state)
{
	static const struct {
		const char *argv[4], *want;
	} cases[] = {
		{ { "tool", "--cuont" },
		    "tool: unknown option --cuont; did you mean --count? "
		    "(see tool --help)\n" },
		{ { "tool", "--zzzzzz=1" }, "tool: unknown option --zzzzzz=1 "
		    "(see tool --help)\n" },
		{ { "tool", "-x" }, "tool: unknown option -x "
		    "(see tool --help)\n" },
		{ { "tool", "-c" }, "tool: --count needs N "
		    "(see tool --help)\n" },
		{ { "tool", "--flag=1" }, "tool: --flag takes no argument "
		    "(see tool --help)\n" },
		{ { "tool", "-c", "0" }, "tool: --count 0: expected a whole "
		    "number from 1 to 65535 (see tool --help)\n" },
		{ { "tool", "-c", "65536" }, "tool: --count 65536: expected a "
		    "whole number from 1 to 65535 (see tool --help)\n" },
		{ { "tool", "-c", "+1" }, "tool: --count +1: expected a whole "
		    "number from 1 to 65535 (see tool --help)\n" },
		{ { "tool", "--size", "1x" }, "tool: --size 1x: expected a "
		    "whole number from 0, or one with k, M or G "
		    "(see tool --help)\n" },
		{ { "tool", "-m", "1s" }, "tool: --max-time 1s: expected "
		    "seconds, such as 5 or 0.25 (see tool --help)\n" },
		{ { "tool", "--shade", "blue" }, "tool: --shade blue: expected "
		    "red or green (see tool --help)\n" },
		{ { "tool", "--call", "bad" }, "tool: --call bad: expected "
		    "good (see tool --help)\n" },
		{ { "tool", "--c", "1" }, "tool: option --c could be several "
		    "(see tool --help)\n" },
	};
	struct values v;
	size_t i;
	int first, rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[5] = { NULL };

		memcpy(argv, cases[i].argv, sizeof(cases[i].argv));
		assert_int_equal(ftruncate(stderr_fd, 0), 0);
		lseek(stderr_fd, 0, SEEK_SET);
		assert_false(parse(&v, argv, &first, &rc));
		assert_int_equal(rc, WK_EXIT_USAGE);
		assert_string_equal(text_of(stderr_fd), cases[i].want);
	}
}

static void
test_numbers_at_their_limits(void **state)
{
	struct wk_error e;
	uint64_t v;

	(void)state;
	assert_int_equal(wk_uint_parse("18446744073709551615", 0, 0, &v, &e),
	    WK_OK);
	assert_true(v == UINT64_MAX);
	assert_int_equal(wk_uint_parse("18446744073709551616", 0, 0, &v, &e),
	    WK_E_INVALID);
	assert_int_equal(wk_uint_parse("0x", 0, 0, &v, &e), WK_E_INVALID);
	assert_int_equal(wk_uint_parse("", 0, 0, &v, &e), WK_E_INVALID);
	assert_int_equal(wk_uint_parse("010", 0, 0, &v, &e), WK_OK);
	assert_int_equal(v, 10);
	assert_int_equal(wk_size_parse("17179869184G", 0, 0, &v, &e),
	    WK_E_INVALID);
	assert_int_equal(wk_size_parse("2G", 0, 0, &v, &e), WK_OK);
	assert_true(v == UINT64_C(2) << 30);
	assert_int_equal(wk_seconds_parse("1.0000000019", &v, &e), WK_OK);
	assert_true(v == WK_NS_PER_SEC + 1);
	assert_int_equal(wk_seconds_parse(".5", &v, &e), WK_OK);
	assert_true(v == WK_NS_PER_SEC / 2);
	assert_int_equal(wk_seconds_parse(".", &v, &e), WK_E_INVALID);
	assert_int_equal(wk_seconds_parse("99999999999", &v, &e),
	    WK_E_INVALID);
}

static void
test_help_is_made_from_the_table(void **state)
{
	char *argv[] = { "tool", "-h", NULL };
	struct values v;
	const char *help;
	int first, rc;

	(void)state;
	assert_false(parse(&v, argv, &first, &rc));
	assert_int_equal(rc, WK_EXIT_OK);
	help = written();
	assert_non_null(strstr(help, "Usage: tool [option ...]"));
	assert_non_null(strstr(help, "\nThings:\n"));
	assert_non_null(strstr(help, "  -o, --output FILE         a text\n"));
	assert_non_null(strstr(help,
	    "      --shade NAME          a choice: red or green\n"));
	assert_non_null(strstr(help, "  -j, --json "));
	assert_null(strstr(help, "--color"));
}

/* --- output --------------------------------------------------------------- */

static void
test_json_is_exact(void **state)
{
	(void)state;
	wk_json_begin("test");
	wk_json_strn("text", "a\"\\\n\x01\xff\xc3\xbc\0z", 10);
	wk_json_uint("small", 9007199254740991u);
	wk_json_uint("big", 9007199254740992u);
	wk_json_int("negative", -5);
	wk_json_bool("yes", true);
	wk_json_null("nothing");
	wk_json_double("half", 0.5);
	wk_json_hex("raw_hex", "\x33\xaa", 2);
	wk_json_time("ts", UINT64_C(1772366400123456789));
	wk_json_array("list");
	wk_json_uint(NULL, 1);
	wk_json_object(NULL);
	wk_json_bool("inner", false);
	wk_json_object_end();
	wk_json_array_end();
	wk_json_object("empty");
	wk_json_object_end();
	wk_json_end();
	assert_string_equal(written(), "{\"event\":\"test\","
	    "\"text\":\"a\\\"\\\\\\u000a\\u0001\xef\xbf\xbd\xc3\xbc\\u0000z\","
	    "\"small\":9007199254740991,\"big\":9007199254740992,"
	    "\"big_str\":\"9007199254740992\",\"negative\":-5,\"yes\":true,"
	    "\"nothing\":null,\"half\":0.5,\"raw_hex\":\"33aa\","
	    "\"ts\":\"2026-03-01T12:00:00.123456Z\","
	    "\"list\":[1,{\"inner\":false}],\"empty\":{}}\n");
}

static void
test_output_beyond_the_buffer_arrives_whole(void **state)
{
	static char big[200000];
	char back[sizeof(big)];

	(void)state;
	memset(big, 'x', sizeof(big));
	wk_out_text("a");
	wk_out_write(big, sizeof(big));
	wk_out_text("b");
	assert_int_equal(wk_out_flush(), WK_OK);
	assert_int_equal(lseek(capture_fd, 0, SEEK_END), sizeof(big) + 2);
	assert_int_equal(pread(capture_fd, back, sizeof(back), 1),
	    sizeof(back));
	assert_memory_equal(back, big, sizeof(big));
}

static void
test_unwritten_output_is_no_success(void **state)
{
	(void)state;
	wk_out_reset(open("/dev/full", O_WRONLY));
	wk_out_text("lost");
	assert_int_equal(wk_out_finish(WK_EXIT_OK), WK_EXIT_SYSTEM);
	assert_string_equal(text_of(stderr_fd),
	    "tool: standard output: No space left on device\n");
}

static void
test_a_reader_that_left_is_no_failure(void **state)
{
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	wk_out_reset(ends[1]);
	wk_out_text("nobody");
	assert_int_equal(wk_out_flush(), WK_E_SYSTEM);
	wk_out_text("more");
	assert_int_equal(wk_out_finish(WK_EXIT_NO), WK_EXIT_NO);
	assert_string_equal(text_of(stderr_fd), "");
}

static void
test_messages_reach_people_and_scripts(void **state)
{
	(void)state;
	wk_cli.is_json = true;
	wk_warn("no \"such\" thing");
	wk_caution("odd");
	wk_verbose(1, "unsaid");
	wk_cli.is_quiet = true;
	wk_caution("unsaid");
	wk_notice("unsaid");
	assert_string_equal(text_of(stderr_fd),
	    "tool: no \"such\" thing\ntool: warning: odd\n");
	assert_string_equal(written(), "{\"event\":\"error\","
	    "\"message\":\"no \\\"such\\\" thing\"}\n");
}

/* --- lists ---------------------------------------------------------------- */

static void
test_lists_keep_their_order_and_have_an_end(void **state)
{
	char *argv[2 * WK_OPTION_LIST_MAX + 4] = { "tool", "-l", "one",
	    "--list=two", "-lthree", "", NULL };
	struct values v;
	int first, rc;
	size_t i;

	(void)state;
	assert_true(parse(&v, argv, &first, &rc));
	assert_int_equal(v.list.n, 3);
	assert_string_equal(v.list.items[0], "one");
	assert_string_equal(v.list.items[1], "two");
	assert_string_equal(v.list.items[2], "three");
	for (i = 1; i <= WK_OPTION_LIST_MAX; i++)
		argv[i] = "--list=x";
	argv[i] = NULL;
	assert_true(parse(&v, argv, &first, &rc));
	assert_int_equal(v.list.n, WK_OPTION_LIST_MAX);
	argv[i++] = "--list=y";
	argv[i] = NULL;
	assert_false(parse(&v, argv, &first, &rc));
	assert_int_equal(rc, WK_EXIT_USAGE);
	assert_string_equal(text_of(stderr_fd), "tool: --list y: may be given "
	    "64 times at most (see tool --help)\n");
}

static void
test_long_times_do_not_wrap(void **state)
{
	struct wk_error error;
	uint64_t ns;

	(void)state;
	assert_int_equal(wk_seconds_parse("4294967294", &ns, &error), WK_OK);
	assert_int_equal(ns, UINT64_C(4294967294) * WK_NS_PER_SEC);
	assert_int_not_equal(wk_seconds_parse("42949672950", &ns, &error),
	    WK_OK);
	assert_int_not_equal(wk_seconds_parse("18446744074", &ns, &error),
	    WK_OK);
}

/* --- a sink instead of the descriptor ------------------------------------- */

static struct {
	char data[200000];
	size_t len;
	int answer;
} sink;

static int
into_sink(void *arg, const void *data, size_t len)
{
	assert_ptr_equal(arg, &sink);
	if (sink.answer != 0)
		return sink.answer;
	assert_true(len > 0 && sink.len + len <= sizeof(sink.data));
	memcpy(sink.data + sink.len, data, len);
	sink.len += len;
	return 0;
}

static void
test_a_sink_gets_everything_in_order(void **state)
{
	static char borrowed[5000], big[70000];

	(void)state;
	memset(&sink, 0, sizeof(sink));
	memset(borrowed, 'b', sizeof(borrowed));
	memset(big, 'c', sizeof(big));
	wk_out_text("before ");
	wk_out_divert(into_sink, &sink);
	wk_out_text("a");
	wk_out_borrow(borrowed, sizeof(borrowed));
	wk_out_text("d");
	wk_out_write(big, sizeof(big));
	wk_out_text("e");
	assert_int_equal(wk_out_flush(), WK_OK);
	assert_int_equal(wk_out_flush(), WK_OK);
	assert_int_equal(sink.len, 7 + 1 + 5000 + 1 + 70000 + 1);
	assert_memory_equal(sink.data, "before abb", 10);
	assert_memory_equal(sink.data + 7 + 5000, "bdcc", 4);
	assert_int_equal(sink.data[sink.len - 1], 'e');
	assert_string_equal(written(), "");
	/* And back to the descriptor. */
	wk_out_divert(NULL, NULL);
	wk_out_text("after");
	assert_string_equal(written(), "after");
}

static void
test_a_sink_that_fails_is_asked_once(void **state)
{
	(void)state;
	memset(&sink, 0, sizeof(sink));
	sink.answer = ENOSPC;
	wk_out_divert(into_sink, &sink);
	wk_out_text("lost");
	assert_int_equal(wk_out_flush(), WK_E_SYSTEM);
	sink.answer = 0;
	wk_out_text("lost, too");
	assert_int_equal(wk_out_flush(), WK_E_SYSTEM);
	assert_int_equal(sink.len, 0);
	wk_out_fail(EPIPE);	/* the first one counts */
	wk_out_divert(NULL, NULL);
	assert_int_equal(wk_out_finish(WK_EXIT_OK), WK_EXIT_SYSTEM);
	assert_string_equal(text_of(stderr_fd),
	    "tool: standard output: No space left on device\n");
}

static void
test_what_a_sink_finds_out_later(void **state)
{
	(void)state;
	memset(&sink, 0, sizeof(sink));
	wk_out_divert(into_sink, &sink);
	wk_out_text("taken");
	assert_int_equal(wk_out_flush(), WK_OK);
	assert_false(wk_out_has_failed());
	wk_out_fail(EPIPE);
	assert_true(wk_out_has_failed());
	wk_out_text("not taken");
	assert_int_equal(wk_out_flush(), WK_E_SYSTEM);
	assert_int_equal(sink.len, 5);
	wk_out_reset(capture_fd);
	wk_out_text("to the descriptor");
	assert_string_equal(written(), "to the descriptor");
	assert_int_equal(sink.len, 5);
}

static void
test_lines_of_a_conversation(void **state)
{
	(void)state;
	wk_verbose_line(1, '>', "unsaid");
	wk_cli.verbose = 1;
	wk_verbose_line(1, '>', "GET %s");
	wk_verbose_line(2, '<', "unsaid");
	wk_cli.is_quiet = true;
	wk_out_text("first");
	wk_verbose_line(1, '*', "noted");
	assert_string_equal(text_of(capture_fd), "first");
	assert_string_equal(text_of(stderr_fd), "> GET %s\n* noted\n");
}

/* --- signals -------------------------------------------------------------- */

static void
test_signals_become_facts(void **state)
{
	(void)state;
	assert_int_equal(wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_RELOAD |
	    WK_SIGNAL_REPORT), WK_OK);
	assert_int_equal(wk_signals_take(), 0);
	raise(SIGHUP);
	raise(SIGHUP);
	assert_int_equal(wk_signals_stopped(), 0);
	assert_int_equal(wk_signals_take(), WK_SIGNAL_RELOAD);
	assert_int_equal(wk_signals_take(), 0);
	raise(SIGUSR1);
	raise(SIGTERM);
	assert_int_equal(wk_signals_stopped(), SIGTERM);
	assert_int_equal(wk_signals_take(), WK_SIGNAL_STOP | WK_SIGNAL_REPORT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_options_of_every_kind),
		TEST(test_options_say_what_is_wrong),
		TEST(test_numbers_at_their_limits),
		TEST(test_help_is_made_from_the_table),
		TEST(test_json_is_exact),
		TEST(test_output_beyond_the_buffer_arrives_whole),
		TEST(test_unwritten_output_is_no_success),
		TEST(test_a_reader_that_left_is_no_failure),
		TEST(test_messages_reach_people_and_scripts),
		TEST(test_lists_keep_their_order_and_have_an_end),
		TEST(test_long_times_do_not_wrap),
		TEST(test_a_sink_gets_everything_in_order),
		TEST(test_a_sink_that_fails_is_asked_once),
		TEST(test_what_a_sink_finds_out_later),
		TEST(test_lines_of_a_conversation),
		TEST(test_signals_become_facts),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
