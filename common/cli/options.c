/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"

#define OPTIONS_MAX 128
#define FIRST_LONG 1000		/* getopt value of option i is this plus i */
#define HELP_COLUMN 28
#define HELP_WIDTH 80

static const char *const colors[] = { "auto", "always", "never", NULL };

static int
answer_later(void *values, const char *arg, struct wk_error *error)
{
	(void)values;
	(void)arg;
	(void)error;
	return WK_OK;
}

/* Values of the common options live in wk_cli, not in the tool's struct. */
static const struct wk_option common_options[] = {
	{ .kind = WK_OPT_GROUP, .help = "Common" },
	{ 'q', "quiet", .help = "no notices, no progress, no summary",
	    .kind = WK_OPT_FLAG, .at = offsetof(struct wk_cli, is_quiet),
	    .min = WK_COMMON_QUIET },
	{ 'v', "verbose", .help = "say more on stderr; may be repeated",
	    .kind = WK_OPT_COUNT, .at = offsetof(struct wk_cli, verbose) },
	{ 'j', "json", .help = "one JSON object per line on stdout",
	    .kind = WK_OPT_FLAG, .at = offsetof(struct wk_cli, is_json),
	    .min = WK_COMMON_JSON },
	{ 0, "color", "WHEN", "colour the output", .kind = WK_OPT_CHOICE,
	    .at = offsetof(struct wk_cli, color), .choices = colors,
	    .min = WK_COMMON_COLOR },
	{ 'h', "help", .help = "show this help", .kind = WK_OPT_CALL,
	    .call = answer_later },
	{ 'V', "version", .help = "show the version and the libraries",
	    .kind = WK_OPT_CALL, .call = answer_later },
	{ 0 },
};

/* All options of a call in one row, each with the struct it stores into. */
struct row {
	const struct wk_option *option[OPTIONS_MAX];
	void *values[OPTIONS_MAX];
	size_t n;
};

static bool
is_end(const struct wk_option *o)
{
	return o->kind == WK_OPT_GROUP && o->help == NULL;
}

static void
row_add(struct row *row, const struct wk_option *o, void *values)
{
	if (row->n == OPTIONS_MAX)
		abort();	/* a table that long is a mistake of ours */
	row->option[row->n] = o;
	row->values[row->n++] = values;
}

static void
row_init(struct row *row, const struct wk_tool *tool, void *values)
{
	const struct wk_option *o;

	row->n = 0;
	for (o = tool->options; !is_end(o); o++)
		row_add(row, o, values);
	for (o = common_options; !is_end(o); o++)
		if (o->min == 0 || (tool->common & o->min) != 0)
			row_add(row, o, &wk_cli);
}

/* --- values --------------------------------------------------------------- */

static int
out_of_range(struct wk_error *error, uint64_t min, uint64_t max)
{
	if (max == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected a whole number from %" PRIu64, min);
	return wk_error_set(error, WK_E_INVALID, 0,
	    "expected a whole number from %" PRIu64 " to %" PRIu64, min, max);
}

/* Digits only: strtoull alone would take blanks, signs and octal. */
static const char *
scan_uint(const char *text, uint64_t *v)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = is_hex ? text + 2 : text;
	char *end;

	if (is_hex ? !isxdigit((unsigned char)*digits) :
	    !isdigit((unsigned char)*digits))
		return NULL;
	errno = 0;
	*v = strtoull(digits, &end, is_hex ? 16 : 10);
	return errno == 0 ? end : NULL;
}

int
wk_uint_parse(const char *text, uint64_t min, uint64_t max, uint64_t *v,
    struct wk_error *error)
{
	const char *end = scan_uint(text, v);

	if (end == NULL || *end != '\0' || *v < min || (max != 0 && *v > max))
		return out_of_range(error, min, max);
	return WK_OK;
}

int
wk_size_parse(const char *text, uint64_t min, uint64_t max, uint64_t *v,
    struct wk_error *error)
{
	static const char units[] = "kMG";
	const char *end = scan_uint(text, v), *unit;
	unsigned shift;

	if (end != NULL && *end != '\0' && end[1] == '\0' &&
	    (unit = strchr(units, *end)) != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		if (*v > UINT64_MAX >> shift)
			return out_of_range(error, min, max);
		*v <<= shift;
		end++;
	}
	if (end == NULL || *end != '\0' || *v < min || (max != 0 && *v > max)) {
		out_of_range(error, min, max);
		strncat(error->reason, ", or one with k, M or G",
		    sizeof(error->reason) - strlen(error->reason) - 1);
		return WK_E_INVALID;
	}
	return WK_OK;
}

int
wk_seconds_parse(const char *text, uint64_t *ns, struct wk_error *error)
{
	uint64_t whole = 0, fraction = 0, unit = WK_NS_PER_SEC;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && whole <= UINT32_MAX / 10; p++)
		whole = 10 * whole + (uint64_t)(*p - '0');
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++)
			if (unit > 1) {
				unit /= 10;
				fraction += unit * (uint64_t)(*p - '0');
			}
	if (p == text || *p != '\0' || strcmp(text, ".") == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected seconds, such as 5 or 0.25");
	*ns = whole * WK_NS_PER_SEC + fraction;
	return WK_OK;
}

static int
choice_parse(const struct wk_option *o, const char *arg, int *v,
    struct wk_error *error)
{
	size_t len;
	int i;

	for (i = 0; o->choices[i] != NULL; i++)
		if (strcmp(o->choices[i], arg) == 0) {
			*v = i;
			return WK_OK;
		}
	wk_error_set(error, WK_E_INVALID, 0, "expected ");
	for (i = 0; o->choices[i] != NULL; i++) {
		len = strlen(error->reason);
		snprintf(error->reason + len, sizeof(error->reason) - len,
		    "%s%s", i == 0 ? "" :
		    o->choices[i + 1] == NULL ? " or " : ", ", o->choices[i]);
	}
	return WK_E_INVALID;
}

static int
list_add(struct wk_option_list *list, const char *arg, struct wk_error *error)
{
	if (list->n == WK_OPTION_LIST_MAX)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "may be given %d times at most", WK_OPTION_LIST_MAX);
	list->items[list->n++] = arg;
	return WK_OK;
}

static int
store(const struct wk_option *o, void *values, const char *arg,
    struct wk_error *error)
{
	char *at = (char *)values + o->at;

	switch (o->kind) {
	case WK_OPT_GROUP:
		break;
	case WK_OPT_FLAG:
		*(bool *)(void *)at = true;
		break;
	case WK_OPT_COUNT:
		++*(unsigned *)(void *)at;
		break;
	case WK_OPT_TEXT:
		*(const char **)(void *)at = arg;
		break;
	case WK_OPT_UINT:
		return wk_uint_parse(arg, o->min, o->max,
		    (uint64_t *)(void *)at, error);
	case WK_OPT_SIZE:
		return wk_size_parse(arg, o->min, o->max,
		    (uint64_t *)(void *)at, error);
	case WK_OPT_SECONDS:
		return wk_seconds_parse(arg, (uint64_t *)(void *)at, error);
	case WK_OPT_CHOICE:
		return choice_parse(o, arg, (int *)(void *)at, error);
	case WK_OPT_LIST:
		return list_add((struct wk_option_list *)(void *)at, arg,
		    error);
	case WK_OPT_CALL:
		return o->call(values, arg, error);
	}
	return WK_OK;
}

/* --- help ----------------------------------------------------------------- */

/* Words of text from column on, wrapped; always ends the line. */
static void
print_wrapped(const char *text, size_t column, size_t start)
{
	size_t len;

	for (; column < start; column++)
		wk_out_text(" ");
	while (*text != '\0') {
		len = strcspn(text, " ");
		if (column > start && column + 1 + len > HELP_WIDTH) {
			wk_out_printf("\n%*s", (int)start, "");
			column = start;
		} else if (column > start) {
			wk_out_text(" ");
			column++;
		}
		wk_out_write(text, len);
		column += len;
		text += len + strspn(text + len, " ");
	}
	wk_out_text("\n");
}

static void
print_option(const struct wk_option *o)
{
	char left[80], help[512];
	size_t len, i;

	if (o->kind == WK_OPT_GROUP) {
		wk_out_printf("\n%s:\n", o->help);
		return;
	}
	if (o->letter != 0)
		snprintf(left, sizeof(left), "  -%c, --%s%s%s", o->letter,
		    o->name, o->arg != NULL ? " " : "",
		    o->arg != NULL ? o->arg : "");
	else
		snprintf(left, sizeof(left), "      --%s%s%s", o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	snprintf(help, sizeof(help), "%s", o->help);
	for (i = 0; o->kind == WK_OPT_CHOICE && o->choices[i] != NULL; i++) {
		len = strlen(help);
		snprintf(help + len, sizeof(help) - len, "%s%s%s",
		    i == 0 ? ": " : o->choices[i + 1] == NULL ? " or " : ", ",
		    o->choices[i], "");
	}
	wk_out_text(left);
	len = strlen(left);
	if (len + 2 > HELP_COLUMN) {
		wk_out_text("\n");
		len = 0;
	}
	print_wrapped(help, len, HELP_COLUMN);
}

static void
print_help(const struct wk_tool *tool, const struct row *row)
{
	size_t i;

	for (i = 0; tool->usages[i] != NULL; i++)
		wk_out_printf("%s %s %s\n", i == 0 ? "Usage:" : "      ",
		    wk_cli.name, tool->usages[i]);
	print_wrapped(tool->summary, 0, 0);
	for (i = 0; i < row->n; i++)
		print_option(row->option[i]);
	wk_out_text("\nExamples:\n");
	for (i = 0; tool->examples[i] != NULL; i++)
		wk_out_printf("  %s\n", tool->examples[i]);
	wk_out_printf("\nThe manual, %s(1), says more; exit codes are in "
	    "wirekit(7).\n", wk_cli.name);
}

static void
print_version(const struct wk_tool *tool)
{
	wk_out_printf("%s (wirekit) %s\n", wk_cli.name, PACKAGE_VERSION);
	if (tool->versions != NULL)
		tool->versions();
}

int
wk_usage_error(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	wk_warn("%s (see %s --help)", text, wk_cli.name);
	return WK_EXIT_USAGE;
}

int
wk_usage(const struct wk_tool *tool)
{
	size_t i;

	for (i = 0; tool->usages[i] != NULL; i++)
		fprintf(stderr, "%s %s %s\n", i == 0 ? "usage:" : "      ",
		    wk_cli.name, tool->usages[i]);
	fprintf(stderr, "Try %s --help.\n", wk_cli.name);
	return WK_EXIT_USAGE;
}

char *
wk_operands_join(char *const *words, int n)
{
	size_t len = 1;
	char *text, *at;
	int i;

	for (i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	text = at = malloc(len);
	if (text == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if (i > 0)
			*at++ = ' ';
		at = stpcpy(at, words[i]);
	}
	*at = '\0';
	return text;
}

/* --- typing errors -------------------------------------------------------- */

/* Edits to turn one word into the other, up to words of 31 letters. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[32], left, above, i, j;
	size_t la = strlen(a), lb = strlen(b);

	if (la > 31 || lb > 31)
		return 99;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		above = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			left = row[j];
			row[j] = above + (a[i - 1] != b[j - 1]);
			if (left + 1 < row[j])
				row[j] = left + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			above = left;
		}
	}
	return row[lb];
}

static void
complain_unknown(const struct row *row, const char *word)
{
	char name[32];
	const char *best = NULL;
	unsigned d, least = 3;
	size_t i;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="),
	    word + 2);
	for (i = 0; i < row->n; i++) {
		if (row->option[i]->name == NULL)
			continue;
		d = distance(name, row->option[i]->name);
		if (d < least) {
			least = d;
			best = row->option[i]->name;
		}
	}
	if (best != NULL)
		wk_usage_error("unknown option %s; did you mean --%s?", word,
		    best);
	else
		wk_usage_error("unknown option %s", word);
}

/* getopt_long said '?': unknown, ambiguous, or an argument too many. */
static void
complain(const struct row *row, char **argv)
{
	const char *word = argv[optind - 1];
	size_t i, len, n = 0;

	if (optopt > 0 && optopt < FIRST_LONG) {
		wk_usage_error("unknown option -%c", optopt);
		return;
	}
	if (optopt >= FIRST_LONG) {
		wk_usage_error("--%s takes no argument",
		    row->option[optopt - FIRST_LONG]->name);
		return;
	}
	len = strcspn(word + 2, "=");
	for (i = 0; i < row->n; i++)
		n += row->option[i]->name != NULL &&
		    strncmp(row->option[i]->name, word + 2, len) == 0;
	if (n > 1)
		wk_usage_error("option %s could be several", word);
	else
		complain_unknown(row, word);
}

/* --- parsing -------------------------------------------------------------- */

static const struct wk_option *
find(const struct row *row, int value, size_t *index)
{
	size_t i;

	for (i = 0; i < row->n; i++)
		if (value == FIRST_LONG + (int)i ||
		    (row->option[i]->kind != WK_OPT_GROUP &&
		    value == row->option[i]->letter)) {
			*index = i;
			return row->option[i];
		}
	return NULL;
}

static void
tables_for_getopt(const struct row *row, char *letters, struct option *longs)
{
	size_t i, n = 0;

	*letters++ = ':';	/* tell a missing argument from an unknown */
	for (i = 0; i < row->n; i++) {
		const struct wk_option *o = row->option[i];

		if (o->kind == WK_OPT_GROUP)
			continue;
		longs[n].name = o->name;
		longs[n].has_arg =
		    o->arg != NULL ? required_argument : no_argument;
		longs[n].flag = NULL;
		longs[n++].val = FIRST_LONG + (int)i;
		if (o->letter != 0)
			*letters++ = (char)o->letter;
		if (o->letter != 0 && o->arg != NULL)
			*letters++ = ':';
	}
	memset(&longs[n], 0, sizeof(longs[n]));
	*letters = '\0';
}

bool
wk_options_parse(const struct wk_tool *tool, void *values, int argc,
    char **argv, int *first_operand, int *rc)
{
	struct row row;
	char letters[2 * OPTIONS_MAX + 2];
	struct option longs[OPTIONS_MAX + 1];
	const struct wk_option *o;
	struct wk_error error;
	int answer = 0, value;
	size_t i;

	row_init(&row, tool, values);
	tables_for_getopt(&row, letters, longs);
	*rc = WK_EXIT_USAGE;
	opterr = 0;
	optind = 0;
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (value == '?') {
			complain(&row, argv);
			return false;
		}
		o = find(&row, value == ':' ? optopt : value, &i);
		if (o == NULL)
			return false;
		if (value == ':') {
			wk_usage_error("--%s needs %s", o->name, o->arg);
			return false;
		}
		if (o->call == answer_later) {
			answer = answer == 0 ? o->letter : answer;
			continue;
		}
		memset(&error, 0, sizeof(error));
		if (store(o, row.values[i], optarg, &error) != WK_OK) {
			wk_usage_error("--%s%s%s: %s", o->name,
			    optarg != NULL ? " " : "",
			    optarg != NULL ? optarg : "", error.reason);
			return false;
		}
	}
	*first_operand = optind;
	*rc = WK_EXIT_OK;
	if (answer == 'h')
		print_help(tool, &row);
	else if (answer == 'V')
		print_version(tool);
	return answer == 0;
}
