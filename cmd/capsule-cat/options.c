/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/options.h"
#include "common/cli/out.h"

#define AT(field) offsetof(struct options, field)

/* What is held to be looked at; all that CONNECT-UDP can send fits. */
#define HELD_DEFAULT (64 * 1024)
#define HELD_MAX (UINT64_C(1) << 30)

/* The last draft of webtrans-http2 that ended streams with 0x190b4d3c. */
#define LAST_FIN_3C 14

/* Names depend on --wt-draft, which may come later: look them up then. */
static int
add_type(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;

	if (opt->n_types == OPTIONS_TYPES_MAX)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "may be given %d times", OPTIONS_TYPES_MAX);
	opt->types[opt->n_types++] = arg;
	return WK_OK;
}

static const struct wk_option table[] = {
	{ .kind = WK_OPT_GROUP, .help = "Which capsules" },
	{ 0, "type", "TYPES", "only these types: names or numbers joined by "
	    "commas, grease, unknown, legacy; with ! in front, all but these",
	    WK_OPT_CALL, .call = add_type },
	{ 0, "list-types", .help = "list the types that are known and end",
	    .kind = WK_OPT_FLAG, .at = AT(lists_types) },

	{ .kind = WK_OPT_GROUP, .help = "How they are read" },
	{ 0, "max-value", "BYTES", "look at this much of a value; the default "
	    "is 64k", WK_OPT_SIZE, .at = AT(max_value), .max = HELD_MAX },
	{ 0, "no-context", .help = "datagrams do not start with a context id",
	    .kind = WK_OPT_FLAG, .at = AT(has_no_context) },
	{ 0, "wt-draft", "NUMBER", "name WT_STREAM by this draft of "
	    "webtrans-http2; the default is 15", WK_OPT_UINT,
	    .at = AT(wt_draft), .min = 1, .max = 99 },
	{ 0, "lenient", .help = "mark what is malformed and go on; the default",
	    .kind = WK_OPT_FLAG, .at = AT(is_lenient) },
	{ 0, "strict", .help = "end with exit code 5 at a known type whose "
	    "value is malformed", .kind = WK_OPT_FLAG, .at = AT(is_strict) },

	{ .kind = WK_OPT_GROUP, .help = "How they are written" },
	{ 0, "raw", .help = "values as they come, of any length, in "
	    "hexadecimal", .kind = WK_OPT_FLAG, .at = AT(is_raw) },
	{ 'o', "output", "FILE", "write to this file; - is stdout",
	    WK_OPT_TEXT, .at = AT(output) },
	{ 0 },
};

static const struct wk_tool tool = {
	.summary = "Show the capsules in a byte stream (RFC 9297).",
	.usages = (const char *const[]) { "[option ...] [FILE ...]", NULL },
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON,
	.examples = (const char *const[]) {
	    "printf '\\000\\003\\000hi' | capsule-cat",
	    "capsule-cat -j stream | jq -r 'select(.grease | not).type_name'",
	    NULL },
};

static const char *
conflict(const struct options *opt)
{
	if (opt->is_strict && opt->is_lenient)
		return "--strict and --lenient exclude each other";
	if (opt->is_strict && opt->is_raw)
		return "--raw looks at no values, so there is nothing to be "
		    "--strict about";
	return NULL;
}

/* The tunnel's operand: never a file by accident. */
static bool
is_url(const char *operand)
{
	return strncasecmp(operand, "http://", 7) == 0 ||
	    strncasecmp(operand, "https://", 8) == 0;
}

static bool
take_operands(struct options *opt, char *const *operands, int n, int *rc)
{
	static char stdin_name[] = "-";
	static char *const only_stdin[] = { stdin_name, NULL };
	int i;

	opt->files = n > 0 ? operands : only_stdin;
	opt->n_files = n > 0 ? n : 1;
	for (i = 0; i < n; i++)
		if (is_url(operands[i])) {
			*rc = wk_usage_error("%s is not a file", operands[i]);
			return false;
		}
	return true;
}

static bool
look_up_types(struct options *opt, int *rc)
{
	struct wk_error error;
	size_t i;

	opt->reading = opt->wt_draft <= LAST_FIN_3C ? WK_CAPSULE_FIN_3C :
	    WK_CAPSULE_FIN_3B;
	for (i = 0; i < opt->n_types; i++)
		if (filter_add(&opt->filter, opt->types[i], opt->reading,
		    &error) != WK_OK) {
			*rc = wk_usage_error("--type %s: %s", opt->types[i],
			    error.reason);
			return false;
		}
	return true;
}

bool
options_parse(struct options *opt, int argc, char **argv, int *rc)
{
	const char *why;
	int first;

	memset(opt, 0, sizeof(*opt));
	opt->max_value = HELD_DEFAULT;
	opt->wt_draft = LAST_FIN_3C + 1;
	if (!wk_options_parse(&tool, opt, argc, argv, &first, rc))
		return false;
	why = conflict(opt);
	if (why != NULL) {
		*rc = wk_usage_error("%s", why);
		return false;
	}
	opt->mode = opt->lists_types ? MODE_LIST_TYPES : MODE_DECODE;
	if (!take_operands(opt, argv + first, argc - first, rc) ||
	    !look_up_types(opt, rc))
		return false;
	if (opt->output != NULL && wk_out_open(opt->output) != WK_OK) {
		wk_warn_errno(errno, "%s", opt->output);
		*rc = WK_EXIT_SYSTEM;
		return false;
	}
	return true;
}
