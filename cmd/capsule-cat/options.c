/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <ev.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <nghttp2/nghttp2.h>
#include <readline/readline.h>

#include "cmd/capsule-cat/value.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/framing.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/wire/datagram.h"

#define AT(field) offsetof(struct options, field)

/* What is held to be looked at; all that CONNECT-UDP can send fits. */
#define HELD_DEFAULT (64 * 1024)
#define ENCODED_DEFAULT (16 * 1024 * 1024)
#define BLOCK_DEFAULT (16 * 1024)
#define LINGER_DEFAULT_NS (2 * WK_NS_PER_SEC)
#define HELD_MAX (UINT64_C(1) << 30)

/* The last draft of webtrans-http2 that ended streams with 0x190b4d3c. */
#define LAST_FIN_3C 14

static const char *const services[] = {
	[SERVE_DUMP] = "dump", [SERVE_ECHO] = "echo",
	[SERVE_DISCARD] = "discard", [SERVE_PROXY] = "proxy", NULL,
};

static const struct wk_option table[] = {
	{ .kind = WK_OPT_GROUP, .help = "What to do" },
	{ 'e', "encode", .help = "make capsules of what is read",
	    .kind = WK_OPT_FLAG, .at = AT(is_encoding) },
	{ 'i', "interactive", .help = "type capsules by name into a tunnel and "
	    "see what comes back", .kind = WK_OPT_FLAG,
	    .at = AT(is_interactive) },
	{ 0, "list-types", .help = "list the types that are known and end",
	    .kind = WK_OPT_FLAG, .at = AT(lists_types) },

	{ .kind = WK_OPT_GROUP, .help = "Which capsules" },
	{ 0, "type", "TYPES", "only these types: names or numbers joined by "
	    "commas, grease, unknown, legacy; with ! in front, all but these; "
	    "with -e, the type to make", WK_OPT_LIST,
	    .at = AT(types) },
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
	{ 0, "show", .help = "show what comes out of a tunnel instead of "
	    "passing it on; --json does, too", .kind = WK_OPT_FLAG,
	    .at = AT(is_shown) },
	{ 'o', "output", "FILE", "write to this file; - is stdout",
	    WK_OPT_TEXT, .at = AT(output) },

	{ .kind = WK_OPT_GROUP, .help = "Tunnels" },
	{ 0, "target", "HOST:PORT", "where the proxy shall connect to; fills "
	    "the template", WK_OPT_TEXT, .at = AT(target) },
	{ 0, "template", "TEMPLATE", "URI template of the proxy, or its path; "
	    "the default is the protocol's well-known one", WK_OPT_TEXT,
	    .at = AT(template_text) },
	{ 0, "protocol", "TOKEN", "what to upgrade to; the default is "
	    "connect-udp", WK_OPT_TEXT, .at = AT(protocol) },
	{ 0, "datagrams", "FRAMING", "standard input and output carry "
	    "datagrams in this framing, not capsules", WK_OPT_CHOICE,
	    .at = AT(datagrams), .choices = wk_framing_names },
	{ 0, "http1.1", .help = "HTTP/1.1 alone, by Upgrade",
	    .kind = WK_OPT_FLAG, .at = AT(is_http1) },
	{ 0, "http2", .help = "HTTP/2 alone, by Extended CONNECT",
	    .kind = WK_OPT_FLAG, .at = AT(is_http2) },
	{ 'H', "header", "LINE", "'Name: value' to send with the request",
	    WK_OPT_LIST, .at = AT(headers) },
	{ 0, "authority", "HOST", "name this host in the request instead of "
	    "the URL's", WK_OPT_TEXT, .at = AT(authority) },
	{ 0, "auth", "FILE", "credentials, 'basic USER:PASSWORD' or 'bearer "
	    "TOKEN' a line: the first is sent, all are accepted", WK_OPT_TEXT,
	    .at = AT(auth) },
	{ 'c', "count", "COUNT", "end after so many capsules were shown, or "
	    "so many tunnels served", WK_OPT_UINT, .at = AT(count), .min = 1 },
	{ 0, "linger", "SEC", "after the end of the input wait so long for "
	    "answers; the default is 2 with --datagrams, else 0",
	    WK_OPT_SECONDS, .at = AT(linger_ns) },
	{ 0, "keep-sending", .help = "go on with the input when the peer has "
	    "ended its direction", .kind = WK_OPT_FLAG,
	    .at = AT(keeps_sending) },

	WK_NET_CLIENT_OPTIONS(struct options, net),
	WK_NET_CERTIFICATE_OPTIONS(struct options, net),

	{ .kind = WK_OPT_GROUP, .help = "The other end" },
	WK_NET_LISTEN_OPTIONS(struct options, listen),
	{ 0, "serve", "SERVICE", "what to do with tunnels: dump (show what "
	    "arrives, the default), echo, discard, or proxy (CONNECT-UDP)",
	    WK_OPT_CHOICE, .at = AT(serve), .choices = services },
	WK_NET_PROXY_OPTIONS(struct options, proxy),
	{ 0 },
};

static void
versions(void)
{
	wk_out_printf("nghttp2 %s\n", nghttp2_version(0)->version_str);
	wk_out_printf("gnutls %s\n", gnutls_check_version(NULL));
	wk_out_printf("libev %d.%d\n", ev_version_major(), ev_version_minor());
	wk_out_printf("readline %s\n", rl_library_version);
	wk_out_printf("jansson %s\n", jansson_version_str());
}

static const struct wk_tool tool = {
	.summary = "Show, make and tunnel capsules (RFC 9297).",
	.usages = (const char *const[]) {
	    "[option ...] [FILE ...]", "-e [option ...] [FILE ...]",
	    "[option ...] [--target HOST:PORT] URL",
	    "-l [ADDRESS:]PORT [--serve SERVICE] [option ...]", NULL },
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON,
	.examples = (const char *const[]) {
	    "printf 'hello\\n' | capsule-cat -e | capsule-cat",
	    "capsule-cat -j stream | jq -r 'select(.grease | not).type_name'",
	    "echo hi | capsule-cat --datagrams line --target [::1]:7 "
	    "https://proxy.example",
	    NULL },
	.versions = versions,
};

struct rule {
	bool is_broken;
	const char *why;
};

static const char *
first_broken(const struct rule *rules, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (rules[i].is_broken)
			return rules[i].why;
	return NULL;
}

#define FIRST_BROKEN(rules) \
	first_broken(rules, sizeof(rules) / sizeof((rules)[0]))

/* Options about capsules that mean nothing together, or nothing here. */
static const char *
conflict(const struct options *opt)
{
	bool has_context = opt->context_id != OPTIONS_NO_CONTEXT;
	const struct rule rules[] = {
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
		{ opt->greases && !opt->is_encoding && opt->datagrams < 0,
		    "--grease needs -e or --datagrams" },
		{ opt->block_size > 0 && !(opt->is_encoding &&
		    opt->framing == WK_FRAMING_RAW) &&
		    opt->datagrams != WK_FRAMING_RAW,
		    "--block-size needs raw input" },
	};

	return FIRST_BROKEN(rules);
}

static bool
is_cleartext_url(const struct options *opt)
{
	return opt->url != NULL && strncasecmp(opt->url, "http://", 7) == 0;
}

/* The same for options about tunnels. */
static const char *
tunnel_conflict(const struct options *opt)
{
	bool is_tunnel = opt->url != NULL, is_server = opt->listen.addresses.n > 0;
	bool is_proxy = is_server && opt->serve == SERVE_PROXY;
	const struct rule rules[] = {
		{ (is_tunnel || is_server) && (opt->is_encoding ||
		    opt->lists_types), "-e and --list-types open no tunnel" },
		{ (is_tunnel || is_server) && opt->is_payload,
		    "--payload is for files; tunnels have --datagrams" },
		{ !is_tunnel && (opt->target != NULL || opt->headers.n > 0 ||
		    opt->authority != NULL), "--target, --header and "
		    "--authority need the URL of a proxy" },
		{ !is_tunnel && (opt->datagrams >= 0 || opt->is_shown ||
		    opt->is_interactive || opt->keeps_sending ||
		    opt->linger_ns != OPTIONS_NO_LINGER), "--datagrams, --show"
		    ", --interactive, --linger and --keep-sending need a URL" },
		{ !is_tunnel && !is_server && (opt->has_protocol ||
		    opt->template_text != NULL || opt->auth != NULL ||
		    opt->is_http1 || opt->is_http2 || opt->count > 0),
		    "--protocol, --template, --auth, --http1.1, --http2 and "
		    "--count need a URL or --listen" },
		{ opt->is_http1 && opt->is_http2,
		    "--http1.1 and --http2 exclude each other" },
		{ !is_server && opt->serve >= 0, "--serve needs --listen" },
		{ opt->datagrams >= 0 && (opt->is_shown || wk_cli.is_json ||
		    opt->is_raw || opt->is_interactive),
		    "--datagrams excludes --show, --json, --raw and "
		    "--interactive" },
		{ opt->datagrams >= 0 && opt->types.n > 0,
		    "--datagrams are of one type, so there is no --type" },
		{ is_tunnel && opt->count > 0 && opt->datagrams < 0 &&
		    !opt->is_shown, "--count needs --datagrams or --show" },
		{ is_server && !is_proxy && (opt->template_text != NULL ||
		    opt->proxy.allow.n > 0 || opt->proxy.deny.n > 0 ||
		    opt->proxy.is_private_fine || opt->proxy.max_tunnels > 0 ||
		    opt->proxy.idle_timeout_ns != OPTIONS_NO_LINGER),
		    "--template, --allow, --deny, --allow-private, "
		    "--max-tunnels and --idle-timeout are for --serve proxy" },
		{ is_proxy && opt->has_protocol,
		    "--serve proxy knows connect-udp alone" },
		{ !is_server && wk_net_listen_is_given(&opt->listen),
		    "--cleartext, --client-ca and --max-connections need "
		    "--listen" },
		{ !is_server && (opt->proxy.allow.n > 0 ||
		    opt->proxy.deny.n > 0 || opt->proxy.is_private_fine ||
		    opt->proxy.max_tunnels > 0 ||
		    opt->proxy.idle_timeout_ns != OPTIONS_NO_LINGER),
		    "--allow, --deny, --allow-private, --max-tunnels and "
		    "--idle-timeout need --listen" },
		{ !is_tunnel && wk_net_client_is_given(&opt->net),
		    "--ipv4, --ipv6, --bind, --connect-to, --unix-socket, "
		    "--insecure, --cacert, --pin, --connect-timeout and "
		    "--max-time need a URL" },
		{ !is_tunnel && !is_server && (opt->net.cert != NULL ||
		    opt->net.key != NULL || opt->net.keylog != NULL),
		    "--cert, --key and --keylog need a URL or --listen" },
		{ is_cleartext_url(opt) && (opt->net.is_insecure ||
		    opt->net.cacert != NULL || opt->net.pins.n > 0 ||
		    opt->net.cert != NULL || opt->net.key != NULL),
		    "a http URL has no certificates: --insecure, --cacert, "
		    "--pin, --cert and --key need https" },
		{ opt->is_interactive && (opt->count > 0 ||
		    opt->keeps_sending || opt->linger_ns !=
		    OPTIONS_NO_LINGER), "--interactive excludes --count, "
		    "--linger and --keep-sending" },
		{ opt->listen.is_cleartext && (opt->net.cert != NULL ||
		    opt->listen.client_ca != NULL),
		    "--cleartext excludes certificates" },
	};
	const char *why = FIRST_BROKEN(rules);

	return why != NULL ? why : wk_net_client_conflict(&opt->net);
}

/* A tunnel's operand: never a file by accident. */
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

	if (opt->lists_types && n > 0) {
		*rc = wk_usage_error("--list-types reads no files");
		return false;
	}
	opt->files = n > 0 ? operands : only_stdin;
	opt->n_files = n > 0 ? n : 1;
	for (i = 0; i < n; i++) {
		if (!is_url(operands[i]))
			continue;
		opt->url = operands[i];
		if (n > 1) {
			*rc = wk_usage_error("a URL is the only operand");
			return false;
		}
	}
	if (n > 0 && opt->listen.addresses.n > 0) {
		*rc = wk_usage_error("--listen has no operands");
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

	if (opt->is_encoding && opt->types.n > 1)
		return wk_usage_error("-e makes one --type");
	for (i = 0; i < opt->types.n && rc == WK_OK; i++)
		rc = opt->is_encoding ? wk_capsule_type_parse(opt->types.items[i],
		    opt->reading, &opt->type, &error) :
		    filter_add(&opt->filter, opt->types.items[i], opt->reading,
		    &error);
	if (rc != WK_OK)
		return wk_usage_error("--type %s: %s", opt->types.items[i - 1],
		    error.reason);
	if (opt->is_encoding && opt->context_id != OPTIONS_NO_CONTEXT &&
	    !value_starts_with_context(opt->type))
		return wk_usage_error("only datagrams have a --context");
	return WK_EXIT_OK;
}

/* --datagrams: everything about them follows. */
static void
set_datagrams(struct options *opt)
{
	opt->is_payload = true;
	opt->framing = opt->datagrams;
	opt->filter.entries[0] = (struct filter_entry){ .type = 0 };
	opt->filter.n = 1;
	opt->filter.has_wanted = true;
	if (opt->max_value == 0)
		opt->max_value = WK_DATAGRAM_UDP_MAX;
	if (opt->context_id == OPTIONS_NO_CONTEXT && !opt->has_no_context &&
	    opt->framing != WK_FRAMING_NDJSON)
		opt->context_id = WK_DATAGRAM_CONTEXT_RAW;
}

static enum mode
mode_of(const struct options *opt)
{
	if (opt->listen.addresses.n > 0)
		return MODE_LISTEN;
	if (opt->url != NULL)
		return opt->is_interactive ? MODE_INTERACTIVE : MODE_TUNNEL;
	return opt->is_encoding ? MODE_ENCODE :
	    opt->lists_types ? MODE_LIST_TYPES : MODE_DECODE;
}

/* What was not given. */
static void
set_defaults(struct options *opt)
{
	opt->mode = mode_of(opt);
	opt->reading = opt->wt_draft <= LAST_FIN_3C ? WK_CAPSULE_FIN_3C :
	    WK_CAPSULE_FIN_3B;
	if (!opt->has_protocol)
		opt->protocol = "connect-udp";
	if (opt->serve < 0)
		opt->serve = SERVE_DUMP;
	if (opt->linger_ns == OPTIONS_NO_LINGER)
		opt->linger_ns = opt->datagrams >= 0 ? LINGER_DEFAULT_NS : 0;
	opt->is_shown |= opt->mode == MODE_INTERACTIVE;
	if (opt->datagrams >= 0)
		set_datagrams(opt);
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
	if (opt->mode == MODE_TUNNEL && !options_decodes(opt))
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
	opt->framing = opt->datagrams = opt->serve = -1;
	opt->linger_ns = opt->proxy.idle_timeout_ns = OPTIONS_NO_LINGER;
	if (!wk_options_parse(&tool, opt, argc, argv, &first, rc))
		return false;
	if (!take_operands(opt, argv + first, argc - first, rc))
		return false;
	opt->is_shown |= opt->url != NULL && wk_cli.is_json &&
	    opt->datagrams < 0;
	opt->has_protocol = opt->protocol != NULL;
	why = conflict(opt);
	if (why == NULL)
		why = tunnel_conflict(opt);
	if (why != NULL) {
		*rc = wk_usage_error("%s", why);
		return false;
	}
	set_defaults(opt);
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
