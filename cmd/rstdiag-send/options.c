/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/options.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/ratelimit.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/cli/watch.h"
#include "common/wire/segment.h"

#define EXPRESSION_MAX 65536
#define FIELD(name) offsetof(struct options, name)

/* Names of choices come from the codec, so that they are written once. */
static const char *registries[WK_RSTDIAG_N_REGISTRIES + 1];
static const char *formats[WK_RSTDIAG_N_FORMATS + 1];
static const char *const roles[] = { "endpoint", "middlebox", NULL };
static int format_of_choice[WK_RSTDIAG_N_FORMATS];

static int
add_src(void *values, const char *arg, struct wk_error *error)
{
	return endpoint_parse(arg, &((struct options *)values)->src, error);
}

static int
add_dst(void *values, const char *arg, struct wk_error *error)
{
	return endpoint_parse(arg, &((struct options *)values)->dst, error);
}

/* The registry may be named later, so that names are looked up afterwards. */
static int
add_code(void *values, const char *arg, struct wk_error *error)
{
	struct options *o = values;

	if (o->n_codes == OPTIONS_CODES_MAX)
		return wk_error_set(error, WK_E_LIMIT, 0, "at most %d codes",
		    OPTIONS_CODES_MAX);
	o->codes[o->n_codes++] = arg;
	o->has_codes = true;
	return WK_OK;
}

/* For WK_OPT_CALL, at is the flag that says whether it was given. */
static const struct wk_option options[] = {
	{ .kind = WK_OPT_GROUP, .help = "What to do (without: craft resets)" },
	{ 0, "answer", .help = "answer the segments that arrive and match",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_answer) },
	{ 0, "listen", "PORT", "answer what arrives for this TCP port",
	    .kind = WK_OPT_UINT, .at = FIELD(listen), .min = 1,
	    .max = UINT16_MAX },
	{ 0, "reset", .help = "end connections, with numbers found by "
	    "watching", .kind = WK_OPT_FLAG, .at = FIELD(is_reset) },
	{ 0, "list-codes", .help = "show the reason codes of --registry",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_list_codes) },
	{ 'D', "list-interfaces", .help = "show the interfaces that -i takes",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_list_interfaces) },

	{ .kind = WK_OPT_GROUP, .help = "Segment" },
	{ 0, "src", "ADDR:PORT", "source, as in 192.0.2.1:443 or "
	    "[2001:db8::1]:443", .kind = WK_OPT_CALL,
	    .at = FIELD(src.is_set), .call = add_src },
	{ 0, "dst", "ADDR:PORT", "destination", .kind = WK_OPT_CALL,
	    .at = FIELD(dst.is_set), .call = add_dst },
	{ 0, "seq", "N", "sequence number; without: 0", .kind = WK_OPT_UINT,
	    .at = FIELD(seq), .max = UINT32_MAX },
	{ 0, "ack", "N", "acknowledgment number", .kind = WK_OPT_UINT,
	    .at = FIELD(ack), .max = UINT32_MAX },
	{ 0, "flags", "FLAGS", "such as rst,ack, which is the default with "
	    "--ack; else rst", .kind = WK_OPT_TEXT, .at = FIELD(flags_text) },
	{ 0, "ttl", "N", "time to live or hop limit; without: 64",
	    .kind = WK_OPT_UINT, .at = FIELD(ttl), .max = UINT8_MAX },
	{ 0, "window", "N", "window; without: 0", .kind = WK_OPT_UINT,
	    .at = FIELD(window), .max = UINT16_MAX },
	{ 0, "ip-id", "N", "IPv4 identification; without: 0",
	    .kind = WK_OPT_UINT, .at = FIELD(ip_id), .max = UINT16_MAX },
	{ 0, "traffic-class", "N", "traffic class or type of service",
	    .kind = WK_OPT_UINT, .at = FIELD(traffic_class),
	    .max = UINT8_MAX },
	{ 0, "tcp-options", "HEX", "TCP options, up to 40 octets",
	    .kind = WK_OPT_TEXT, .at = FIELD(tcp_options) },
	{ 0, "badsum", .help = "make the TCP checksum wrong",
	    .kind = WK_OPT_FLAG, .at = FIELD(has_bad_checksum) },

	{ .kind = WK_OPT_GROUP, .help = "Diagnosis" },
	{ 0, "code", "CODE", "reason, name or number; repeated: one reset "
	    "for each", .kind = WK_OPT_CALL, .at = FIELD(has_codes),
	    .call = add_code },
	{ 0, "pen", "N", "the code is of this vendor (enterprise number)",
	    .kind = WK_OPT_UINT, .at = FIELD(pen), .max = UINT32_MAX },
	{ 0, "description", "TEXT", "reason in words, for formats that "
	    "carry it", .kind = WK_OPT_TEXT, .at = FIELD(description) },
	{ 0, "format", "FORMAT", "payload format", .kind = WK_OPT_CHOICE,
	    .at = FIELD(format_choice), .choices = formats },
	{ 0, "registry", "TABLE", "table of the code names",
	    .kind = WK_OPT_CHOICE, .at = FIELD(registry_choice),
	    .choices = registries },
	{ 0, "role", "ROLE", "who we are: warns of codes that are not ours",
	    .kind = WK_OPT_CHOICE, .at = FIELD(role), .choices = roles },
	{ 0, "payload-hex", "HEX", "any payload, instead of a code",
	    .kind = WK_OPT_TEXT, .at = FIELD(payload_hex) },
	{ 0, "also-empty", .help = "send a reset without payload after it",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_also_empty) },

	{ .kind = WK_OPT_GROUP, .help = "Input and output" },
	{ 'i', "interface", "IFACE", "watch or send there; watching without: "
	    "any", .kind = WK_OPT_TEXT, .at = FIELD(interface) },
	{ 'r', "read", "FILE", "watch a capture file instead",
	    .kind = WK_OPT_TEXT, .at = FIELD(read) },
	{ 'w', "write", "FILE", "write the packets to a capture file, send "
	    "nothing", .kind = WK_OPT_TEXT, .at = FIELD(write) },
	{ 0, "dry-run", .help = "show the packets, send nothing",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_dry_run) },
	{ 0, "payload-only", .help = "write just the payload's octets; with "
	    "--dry-run in hexadecimal", .kind = WK_OPT_FLAG,
	    .at = FIELD(is_payload_only) },
	{ 'o', "output", "FILE", "text, JSON and payloads go to FILE",
	    .kind = WK_OPT_TEXT, .at = FIELD(output) },
	{ 'n', "numeric", .help = "no name lookups: there are none anyway",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_numeric) },
	{ 's', "snapshot-length", "BYTES", "octets looked at of each packet; "
	    "without: 2048", .kind = WK_OPT_UINT, .at = FIELD(snaplen),
	    .min = 1, .max = 262144 },
	{ 0, "promiscuous", .help = "watch what is not for this machine, too",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_promiscuous) },

	{ .kind = WK_OPT_GROUP, .help = "Answering" },
	{ 0, "rules", "FILE", "which segments get which reason; SIGHUP reads "
	    "it again", .kind = WK_OPT_TEXT, .at = FIELD(rules) },

	{ .kind = WK_OPT_GROUP, .help = "Resetting" },
	{ 0, "both", .help = "reset the source of the segments as well",
	    .kind = WK_OPT_FLAG, .at = FIELD(is_both) },
	{ 0, "watch", "SEC", "wait so long for a segment before probing; "
	    "without: 1", .kind = WK_OPT_SECONDS, .at = FIELD(watch_ns) },
	{ 0, "probe", .help = "probe at once", .kind = WK_OPT_FLAG,
	    .at = FIELD(is_probe) },
	{ 0, "no-probe", .help = "never probe", .kind = WK_OPT_FLAG,
	    .at = FIELD(is_no_probe) },
	{ 0, "spray", "N", "resets for each number found, SEQ rising",
	    .kind = WK_OPT_UINT, .at = FIELD(spray), .min = 1, .max = 65536 },
	{ 0, "spray-step", "N", "how far SEQ rises; without: the window seen",
	    .kind = WK_OPT_UINT, .at = FIELD(spray_step), .min = 1,
	    .max = UINT32_MAX },

	{ .kind = WK_OPT_GROUP, .help = "Limits" },
	{ 'c', "count", "N", "send N times; stop after N answers or "
	    "connections", .kind = WK_OPT_UINT, .at = FIELD(count),
	    .min = 1, .max = UINT64_MAX - 1 },
	{ 0, "rate", "N", "at most N a second, 0 for no limit; watching "
	    "without: 100", .kind = WK_OPT_UINT, .at = FIELD(rate),
	    .max = WK_RATELIMIT_MAX },
	{ 'm', "max-time", "SEC", "give up after so long",
	    .kind = WK_OPT_SECONDS, .at = FIELD(max_time_ns) },
	{ 'Z', "relinquish-privileges", "USER", "who to be once the sockets "
	    "are open", .kind = WK_OPT_TEXT, .at = FIELD(user) },
	{ 0 },
};

static const char *const usages[] = {
	"--src ADDR:PORT --dst ADDR:PORT --seq N [OPTION ...]",
	"--answer [-i IFACE] [OPTION ...] [EXPRESSION]",
	"--listen PORT [-i IFACE] [OPTION ...] [EXPRESSION]",
	"--reset --src ADDR:PORT --dst ADDR:PORT [OPTION ...]",
	"--reset [-i IFACE] [OPTION ...] EXPRESSION",
	NULL,
};

static const char *const examples[] = {
	"rstdiag-send --src 192.0.2.1:443 --dst 192.0.2.9:50000 --seq 1000 \\\n"
	"      --code timeout --write - | rstdiag-sniff -r -",
	"rstdiag-send --listen 23 --code not-authorized --json \\\n"
	"      | jq 'select(.event == \"sent\").dst'",
	"rstdiag-send --reset --src 192.0.2.1:443 --dst 192.0.2.9:50000 \\\n"
	"      --code resource",
	NULL,
};

static void
show_versions(void)
{
	wk_out_printf("%s\n", pcap_lib_version());
}

static const struct wk_tool tool = {
	.summary = "Send TCP resets that say why: crafted, in answer to "
	    "segments, or to end a connection.",
	.usages = usages,
	.options = options,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON | WK_COMMON_COLOR,
	.examples = examples,
	.versions = show_versions,
};

static const struct options defaults = {
	.seq = UNSET, .ack = UNSET, .ttl = UNSET, .window = UNSET,
	.ip_id = UNSET, .traffic_class = UNSET, .pen = UNSET,
	.format = WK_RSTDIAG_COMPACT, .format_choice = -1,
	.registry = WK_RSTDIAG_IETF_03, .registry_choice = -1, .role = -1,
	.listen = UNSET, .snaplen = UNSET, .watch_ns = UNSET, .spray = UNSET,
	.spray_step = UNSET, .count = UNSET, .rate = UNSET,
	.max_time_ns = UNSET,
};

/* Options that only some modes know; the others go with every mode. */
static const struct {
	const char *name;
	unsigned modes;
} only[] = {
	{ "seq", MODE_CRAFT }, { "ack", MODE_CRAFT }, { "flags", MODE_CRAFT },
	{ "ip-id", MODE_CRAFT }, { "tcp-options", MODE_CRAFT },
	{ "badsum", MODE_CRAFT }, { "payload-only", MODE_CRAFT },
	{ "src", MODE_CRAFT | MODE_RESET }, { "dst", MODE_CRAFT | MODE_RESET },
	{ "read", MODE_ANSWER | MODE_RESET },
	{ "snapshot-length", MODE_ANSWER | MODE_RESET },
	{ "promiscuous", MODE_ANSWER | MODE_RESET },
	{ "max-time", MODE_ANSWER | MODE_RESET },
	{ "rules", MODE_ANSWER }, { "listen", MODE_ANSWER },
	{ "both", MODE_RESET }, { "watch", MODE_RESET },
	{ "probe", MODE_RESET }, { "no-probe", MODE_RESET },
	{ "spray", MODE_RESET }, { "spray-step", MODE_RESET },
};

/* Pairs that exclude each other in every mode, and why. */
static const struct {
	const char *one, *other, *why;
} pairs[] = {
	{ "answer", "reset", "they are two modes" },
	{ "listen", "reset", "they are two modes" },
	{ "dry-run", "write", "one shows, the other writes" },
	{ "payload-only", "write", "a capture holds whole packets" },
	{ "payload-only", "json", "the payload is not text" },
	{ "payload-only", "count", "the payload is written once" },
	{ "payload-hex", "code", "the payload is already given" },
	{ "payload-hex", "pen", "the payload is already given" },
	{ "payload-hex", "description", "the payload is already given" },
	{ "payload-hex", "format", "the payload is already given" },
	{ "rules", "code", "the rules say the reason" },
	{ "rules", "pen", "the rules say the reason" },
	{ "rules", "description", "the rules say the reason" },
	{ "rules", "payload-hex", "the rules say the reason" },
	{ "read", "interface", "frames come from one of them" },
	{ "read", "promiscuous", "it is for interfaces" },
	{ "read", "snapshot-length", "it is for interfaces" },
	{ "read", "probe", "a file does not answer" },
	{ "probe", "no-probe", "they contradict each other" },
	{ "probe", "dry-run", "a probe is a packet" },
	{ "probe", "write", "a probe wants an answer" },
	{ "probe", "watch", "--probe is not to wait" },
};

static bool
is_given(const struct options *o, const struct wk_option *option)
{
	static const size_t sizes[] = {
		[WK_OPT_FLAG] = sizeof(bool), [WK_OPT_CALL] = sizeof(bool),
		[WK_OPT_COUNT] = sizeof(unsigned),
		[WK_OPT_TEXT] = sizeof(const char *),
		[WK_OPT_UINT] = sizeof(uint64_t),
		[WK_OPT_SIZE] = sizeof(uint64_t),
		[WK_OPT_SECONDS] = sizeof(uint64_t),
		[WK_OPT_CHOICE] = sizeof(int),
	};

	return memcmp((const char *)o + option->at,
	    (const char *)&defaults + option->at, sizes[option->kind]) != 0;
}

static bool
is_given_by_name(const struct options *o, const char *name)
{
	const struct wk_option *option;

	if (strcmp(name, "json") == 0)
		return wk_cli.is_json;
	for (option = options; option->kind != WK_OPT_GROUP ||
	    option->help != NULL; option++)
		if (option->name != NULL && strcmp(option->name, name) == 0)
			return is_given(o, option);
	abort();	/* one of our tables names an option that is none */
}

static void
set_mode(struct options *o)
{
	o->mode = o->is_list_codes ? MODE_LIST_CODES :
	    o->is_list_interfaces ? MODE_LIST_INTERFACES :
	    o->is_reset ? MODE_RESET :
	    o->is_answer || o->listen != UNSET ? MODE_ANSWER : MODE_CRAFT;
}

static int
check_combinations(const struct options *o)
{
	const char *mode = o->mode == MODE_CRAFT ? "" :
	    o->mode == MODE_RESET ? " with --reset" : " with --answer";
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (is_given_by_name(o, pairs[i].one) &&
		    is_given_by_name(o, pairs[i].other))
			return wk_usage_error("--%s and --%s exclude each "
			    "other: %s", pairs[i].one, pairs[i].other,
			    pairs[i].why);
	for (i = 0; i < sizeof(only) / sizeof(only[0]); i++)
		if ((only[i].modes & o->mode) == 0 &&
		    is_given_by_name(o, only[i].name))
			return *mode != '\0' ? wk_usage_error("--%s has no "
			    "meaning%s", only[i].name, mode) :
			    wk_usage_error("--%s needs %s", only[i].name,
			    only[i].modes == MODE_RESET ? "--reset" :
			    only[i].modes == MODE_ANSWER ? "--answer" :
			    "--answer or --reset");
	return WK_EXIT_OK;
}

/* --- checks mode by mode -------------------------------------------------- */

static int
check_endpoints(const struct options *o)
{
	char text[ADDRESS_TEXT];

	if (!o->src.is_set || !o->dst.is_set)
		return wk_usage_error("--%s is missing, expected ADDR:PORT",
		    o->src.is_set ? "dst" : "src");
	if (o->src.ip_version != o->dst.ip_version)
		return wk_usage_error("--src is IPv%d and --dst is IPv%d",
		    o->src.ip_version, o->dst.ip_version);
	if (o->ip_id != UNSET && o->src.ip_version == 6)
		return wk_usage_error("--ip-id is for IPv4; IPv6 has no "
		    "identification");
	if (options_is_injecting(o) && endpoint_is_link_local(&o->dst) &&
	    o->dst.scope_id == 0 && o->interface == NULL)
		return wk_usage_error("--dst %s is link-local and needs its "
		    "interface, as in [fe80::1%%eth0]:443, or -i",
		    address_text(6, o->dst.address, text));
	return WK_EXIT_OK;
}

static int
check_flags(struct options *o)
{
	struct wk_error error;

	o->flags = o->ack == UNSET ? WK_TCP_RST : WK_TCP_RST | WK_TCP_ACK;
	if (o->flags_text != NULL &&
	    wk_tcp_flags_parse(o->flags_text, &o->flags, &error) != WK_OK)
		return wk_usage_error("--flags %s: %s", o->flags_text,
		    error.reason);
	if ((o->flags & WK_TCP_RST) == 0)
		return wk_usage_error("--flags %s: without rst it is no "
		    "reset", o->flags_text);
	if (o->ack != UNSET && (o->flags & WK_TCP_ACK) == 0)
		return wk_usage_error("--ack needs the flag ack, as in "
		    "--flags rst,ack");
	return WK_EXIT_OK;
}

static int
check_craft(struct options *o)
{
	int rc;

	if (o->expression != NULL)
		return wk_usage_error("%s: an expression needs --answer or "
		    "--reset", o->expression);
	if (o->is_payload_only)
		return WK_EXIT_OK;
	rc = check_endpoints(o);
	return rc == WK_EXIT_OK ? check_flags(o) : rc;
}

static int
check_watching(const struct options *o)
{
	if (wk_watch_is_input(o->read, o->write) ||
	    wk_watch_is_input(o->read, o->output))
		return wk_usage_error("what --read names would be "
		    "overwritten");
	if (o->read != NULL && options_is_injecting(o))
		return wk_usage_error("--read needs --dry-run or --write: "
		    "what a file shows is long gone");
	return WK_EXIT_OK;
}

static int
check_answer(const struct options *o)
{
	if (o->expression == NULL && o->listen == UNSET && o->rules == NULL)
		return wk_usage_error("--answer needs --listen, --rules or an "
		    "expression; the expression tcp resets every connection");
	return check_watching(o);
}

static int
check_reset(const struct options *o)
{
	bool has_endpoints = o->src.is_set || o->dst.is_set;
	int rc;

	if (has_endpoints && o->expression != NULL)
		return wk_usage_error("--reset takes --src with --dst or an "
		    "expression, not both");
	if (!has_endpoints && o->expression == NULL)
		return wk_usage_error("--reset needs --src and --dst, or an "
		    "expression; the expression tcp resets every connection");
	if (!has_endpoints && (o->is_probe || o->watch_ns != UNSET))
		return wk_usage_error("--%s needs --src and --dst",
		    o->is_probe ? "probe" : "watch");
	if (has_endpoints && o->count != UNSET)
		return wk_usage_error("--count needs an expression: --src and "
		    "--dst are one connection");
	if (o->spray_step != UNSET && o->spray == UNSET)
		return wk_usage_error("--spray-step needs --spray");
	rc = has_endpoints ? check_endpoints(o) : WK_EXIT_OK;
	return rc == WK_EXIT_OK ? check_watching(o) : rc;
}

static int
check_saying(const struct options *o)
{
	if (o->rules != NULL)
		return WK_EXIT_OK;
	if (o->pen == WK_RSTDIAG_PEN_RESERVED)
		return wk_usage_error("--pen %u is reserved (RFC 9371, "
		    "section 3)", (unsigned)WK_RSTDIAG_PEN_RESERVED);
	if (o->pen != UNSET && !o->has_codes)
		return wk_usage_error("--pen needs --code: it says whose the "
		    "code is");
	if (o->has_codes || o->description != NULL || o->payload_hex != NULL)
		return WK_EXIT_OK;
	if (o->format_choice >= 0)
		return wk_usage_error("--format needs --code or "
		    "--description");
	if (o->is_also_empty)
		return wk_usage_error("--also-empty needs --code, "
		    "--description or --payload-hex; the reset is empty "
		    "already");
	if (o->is_payload_only)
		return wk_usage_error("--payload-only needs --code, "
		    "--description or --payload-hex");
	return WK_EXIT_OK;
}

/* What goes to stdout: binary not to a terminal, and not two things. */
static int
check_stdout(const struct options *o)
{
	bool is_capture = o->write != NULL && strcmp(o->write, "-") == 0;
	bool is_binary = is_capture ||
	    (o->is_payload_only && !o->is_dry_run && o->output == NULL);

	if (is_capture && wk_cli.is_json && o->output == NULL)
		return wk_usage_error("--write - and --json both want "
		    "standard output; --output FILE moves one away");
	if (is_binary && isatty(STDOUT_FILENO) == 1)
		return wk_usage_error("standard output is a terminal: %s",
		    o->write != NULL ? "redirect it, or --write FILE" :
		    "--output -, if it shall have the octets");
	return WK_EXIT_OK;
}

static int
check(struct options *o)
{
	int rc = check_combinations(o);

	if (rc == WK_EXIT_OK)
		rc = o->mode == MODE_CRAFT ? check_craft(o) :
		    o->mode == MODE_ANSWER ? check_answer(o) : check_reset(o);
	if (rc == WK_EXIT_OK)
		rc = check_saying(o);
	return rc == WK_EXIT_OK ? check_stdout(o) : rc;
}

/* --- parsing -------------------------------------------------------------- */

static void
fill_choices(void)
{
	int i, n = 0;

	for (i = 0; i < WK_RSTDIAG_N_REGISTRIES; i++)
		registries[i] = wk_rstdiag_registry_name(i);
	for (i = WK_RSTDIAG_COMPACT; i < WK_RSTDIAG_N_FORMATS; i++) {
		if (i == WK_RSTDIAG_F5 || i == WK_RSTDIAG_UNKNOWN)
			continue;	/* nothing we would write */
		format_of_choice[n] = i;
		formats[n++] = wk_rstdiag_format_name(i);
	}
}

/* Operands are one expression, as with tcpdump. */
static int
join_expression(struct options *o, char **words, int n)
{
	size_t len = 0;
	int i;

	if (n == 0)
		return WK_EXIT_OK;
	for (i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	if (len > EXPRESSION_MAX)
		return wk_usage_error("the expression is longer than %d "
		    "octets", EXPRESSION_MAX);
	o->expression = wk_operands_join(words, n);
	if (o->expression == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	return WK_EXIT_OK;
}

static void
set_choices(struct options *o)
{
	if (o->format_choice >= 0)
		o->format = format_of_choice[o->format_choice];
	if (o->registry_choice >= 0)
		o->registry = o->registry_choice;
}

bool
options_parse(struct options *o, int argc, char **argv, int *rc)
{
	int first;

	*o = defaults;
	fill_choices();
	if (argc == 1) {
		*rc = wk_usage(&tool);
		return false;
	}
	if (!wk_options_parse(&tool, o, argc, argv, &first, rc))
		return false;
	set_choices(o);
	set_mode(o);
	if ((o->mode & (MODE_LIST_CODES | MODE_LIST_INTERFACES)) != 0)
		return true;
	*rc = join_expression(o, argv + first, argc - first);
	if (*rc == WK_EXIT_OK)
		*rc = check(o);
	if (*rc == WK_EXIT_OK)
		return true;
	options_free(o);
	return false;
}

void
options_free(struct options *o)
{
	free(o->expression);
	o->expression = NULL;
}

bool
options_is_injecting(const struct options *o)
{
	return !o->is_dry_run && o->write == NULL && !o->is_payload_only;
}
