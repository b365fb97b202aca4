/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/options.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/capsule-cat/value.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/framing.h"
#include "common/cli/options.h"
#include "common/cli/out.h"

#define AT(field) offsetof(struct options, field)

/* What is held to be looked at; all that CONNECT-UDP can send fits. */
#define HELD_DEFAULT (64 * 1024)
#define ENCODED_DEFAULT (16 * 1024 * 1024)
#define BLOCK_DEFAULT (16 * 1024)
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
	{ .kind = WK_OPT_GROUP, .help = "What to do" },
	{ 'e', "encode", .help = "make capsules of what is read",
	    .kind = WK_OPT_FLAG, .at = AT(is_encoding) },
	{ 0, "list-types", .help = "list the types that are known and end",
	    .kind = WK_OPT_FLAG, .at = AT(lists_types) },

	{ .kind = WK_OPT_GROUP, .help = "Which capsules" },
	{ 0, "type", "TYPES", "only these types: names or numbers joined by "
	    "commas, grease, unknown, legacy; with ! in front, all but these; "
	    "with -e, the type to make", WK_OPT_CALL, .call = add_type },
	{ 0, "context", "ID", "only datagrams with this context id; with -e, "
	    "the one to put in front, by default 0", WK_OPT_UINT,
	    .at = AT(context_id), .max = WK_VARINT_MAX },
	{ 0, "no-context", .help = "datagrams do not start with a context id",
	    .kind = WK_OPT_FLAG, .at = AT(has_no_context) },
	{ 0, "grease", .help = "with -e, now and then one of a reserved type",
	    .kind = WK_OPT_FLAG, .at = AT(greases) },

	{ .kind = WK_OPT_GROUP, .help = "How they are read" },
	{ 0, "max-value", "BYTES", "look at this much of a value, by default "
	    "64k; with -e, refuse longer ones, by default 16M", WK_OPT_SIZE,
	    .at = AT(max_value), .min = 1, .max = HELD_MAX },
	{ 0, "wt-draft", "NUMBER", "name WT_STREAM by this draft of "
	    "webtrans-http2; the default is 15", WK_OPT_UINT,
	    .at = AT(wt_draft), .min = 1, .max = 99 },
	{ 0, "lenient", .help = "mark what is malformed, with -e leave it out, "
	    "and go on; the default", .kind = WK_OPT_FLAG,
	    .at = AT(is_lenient) },
	{ 0, "strict", .help = "end with exit code 5 at a known type whose "
	    "value is malformed", .kind = WK_OPT_FLAG, .at = AT(is_strict) },
	{ 0, "block-size", "BYTES", "with raw input, at most this much in one "
	    "capsule; the default is 16k", WK_OPT_SIZE, .at = AT(block_size),
	    .min = 1, .max = HELD_MAX },

	{ .kind = WK_OPT_GROUP, .help = "How they are written" },
	{ 0, "payload", .help = "values and nothing else; of datagrams, what "
	    "is behind the context id", .kind = WK_OPT_FLAG,
	    .at = AT(is_payload) },
	{ 'f', "framing", "NAME", "how one is told from the next, with -e in "
	    "the input (line), with --payload in the output (raw)",
	    WK_OPT_CHOICE, .at = AT(framing), .choices = wk_framing_names },
	{ 0, "raw", .help = "values as they come, of any length, in "
	    "hexadecimal", .kind = WK_OPT_FLAG, .at = AT(is_raw) },
	{ 'o', "output", "FILE", "write to this file; - is stdout",
	    WK_OPT_TEXT, .at = AT(output) },
	{ 0 },
};

static void
versions(void)
{
	wk_out_printf("jansson %s\n", jansson_version_str());
}

static const struct wk_tool tool = {
	.summary = "Show the capsules in a byte stream, or make some "
	    "(RFC 9297).",
	.usages = (const char *const[]) {
	    "[option ...] [FILE ...]", "-e [option ...] [FILE ...]", NULL },
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON,
	.examples = (const char *const[]) {
	    "printf 'hello\\n' | capsule-cat -e | capsule-cat",
	    "capsule-cat -j stream | jq -r 'select(.grease | not).type_name'",
	    NULL },
	.versions = versions,
};

/* Options that mean nothing together, or nothing in this mode. */
static const char *
conflict(const struct options *opt)
{
	bool has_context = opt->context_id != OPTIONS_NO_CONTEXT;
	const struct {
		bool is_so;
		const char *why;
	} conflicts[] = {
		{ opt->is_encoding && opt->lists_types,
		    "-e and --list-types exclude each other" },
		{ opt->is_strict && opt->is_lenient,
		    "--strict and --lenient exclude each other" },
		{ has_context && opt->has_no_context,
		    "--context and --no-context exclude each other" },
		{ opt->is_raw && opt->is_strict, "--raw looks at no values, "
		    "so there is nothing to be --strict about" },
		{ opt->is_raw && has_context,
		    "--raw looks at no values, so it knows no --context" },
		{ opt->is_payload && opt->is_raw,
		    "--payload and --raw exclude each other" },
		{ opt->is_payload && wk_cli.is_json,
		    "--payload is no JSON; --framing ndjson is" },
		{ opt->is_encoding && wk_cli.is_json,
		    "-e writes capsules; to read JSON give --framing ndjson" },
		{ opt->is_encoding && (opt->is_raw || opt->is_payload),
		    "--raw and --payload are not for -e" },
		{ opt->framing >= 0 && !opt->is_encoding && !opt->is_payload,
		    "--framing needs -e or --payload" },
		{ opt->greases && !opt->is_encoding, "--grease needs -e" },
		{ opt->block_size > 0 && !(opt->is_encoding &&
		    opt->framing == WK_FRAMING_RAW),
		    "--block-size needs -e and --framing raw" },
	};
	size_t i;

	for (i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].is_so)
			return conflicts[i].why;
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

/* What --type means: capsules to show, or the one to make. */
static int
look_up_types(struct options *opt)
{
	struct wk_error error;
	size_t i;
	int rc = WK_OK;

	if (opt->is_encoding && opt->n_types > 1)
		return wk_usage_error("-e makes one --type");
	for (i = 0; i < opt->n_types && rc == WK_OK; i++)
		rc = opt->is_encoding ? wk_capsule_type_parse(opt->types[i],
		    opt->reading, &opt->type, &error) :
		    filter_add(&opt->filter, opt->types[i], opt->reading,
		    &error);
	if (rc != WK_OK)
		return wk_usage_error("--type %s: %s", opt->types[i - 1],
		    error.reason);
	if (opt->is_encoding && opt->context_id != OPTIONS_NO_CONTEXT &&
	    !value_starts_with_context(opt->type))
		return wk_usage_error("only datagrams have a --context");
	return WK_EXIT_OK;
}

/* What was not given. */
static void
set_defaults(struct options *opt)
{
	opt->mode = opt->is_encoding ? MODE_ENCODE :
	    opt->lists_types ? MODE_LIST_TYPES : MODE_DECODE;
	opt->reading = opt->wt_draft <= LAST_FIN_3C ? WK_CAPSULE_FIN_3C :
	    WK_CAPSULE_FIN_3B;
	if (opt->framing < 0)
		opt->framing = opt->is_encoding ? WK_FRAMING_LINE :
		    WK_FRAMING_RAW;
	if (opt->max_value == 0)
		opt->max_value = opt->is_encoding ? ENCODED_DEFAULT :
		    HELD_DEFAULT;
	if (opt->block_size == 0)
		opt->block_size = BLOCK_DEFAULT;
}

/* Would a terminal rather not have it? */
static bool
is_binary(const struct options *opt)
{
	if (opt->is_encoding)
		return true;
	return opt->is_payload &&
	    !wk_framing_is_text((enum wk_framing)opt->framing);
}

bool
options_parse(struct options *opt, int argc, char **argv, int *rc)
{
	const char *why;
	int first;

	memset(opt, 0, sizeof(*opt));
	opt->wt_draft = LAST_FIN_3C + 1;
	opt->context_id = OPTIONS_NO_CONTEXT;
	opt->framing = -1;
	if (!wk_options_parse(&tool, opt, argc, argv, &first, rc))
		return false;
	why = conflict(opt);
	if (why != NULL) {
		*rc = wk_usage_error("%s", why);
		return false;
	}
	set_defaults(opt);
	if (!take_operands(opt, argv + first, argc - first, rc))
		return false;
	*rc = look_up_types(opt);
	if (*rc != WK_EXIT_OK)
		return false;
	if (is_binary(opt) && opt->output == NULL &&
	    isatty(STDOUT_FILENO) == 1) {
		*rc = wk_usage_error("standard output is a terminal, and what "
		    "would be written is binary; -o - writes it all the same");
		return false;
	}
	if (opt->output != NULL && wk_out_open(opt->output) != WK_OK) {
		wk_warn_errno(errno, "%s", opt->output);
		*rc = WK_EXIT_SYSTEM;
		return false;
	}
	return true;
}
