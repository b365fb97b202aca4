/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-sniff/options.h"

#include <cbor.h>
#include <jansson.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/cli/watch.h"
#include "common/net/capture.h"

#define AT(field) offsetof(struct options, field)

static const char *const directions[] = { "inout", "in", "out", NULL };

static int
set_registry(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;

	opt->style.registry = wk_rstdiag_registry_parse(arg);
	if (opt->style.registry < 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected ietf-03, ietf-00, 2022 or first");
	return WK_OK;
}

static int
add_format(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;
	int format = wk_rstdiag_format_parse(arg);

	switch (format) {
	case WK_RSTDIAG_CBOR_MAP:
	case WK_RSTDIAG_B13:
	case WK_RSTDIAG_B14:
	case WK_RSTDIAG_JSON:
		opt->ask |= WK_RSTDIAG_ASK(format);
		return WK_OK;
	default:
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected b13, b14, cbor-map or json; "
		    "the others are always recognised");
	}
}

static int
set_fields(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;

	if (wk_rst_fields_parse(arg, &opt->fields, error) == WK_OK)
		return WK_OK;
	strncat(error->reason, "; the manual lists them under JSON OUTPUT",
	    sizeof(error->reason) - strlen(error->reason) - 1);
	return WK_E_INVALID;
}

static const struct wk_option table[] = {
	{ .kind = WK_OPT_GROUP, .help = "Where from" },
	{ 'i', "interface", "IFACE", "capture on this interface; \"any\" is all",
	    WK_OPT_TEXT, .at = AT(interface) },
	{ 'r', "read", "FILE", "read a pcap or pcapng file; - is stdin",
	    WK_OPT_TEXT, .at = AT(file) },
	{ 'D', "list-interfaces", .help = "list the interfaces and end",
	    .kind = WK_OPT_FLAG, .at = AT(lists_interfaces) },
	{ 'p', "no-promiscuous-mode",
	    .help = "leave the interface's mode as it is",
	    .kind = WK_OPT_FLAG, .at = AT(is_not_promiscuous) },
	{ 'Q', "direction", "DIR", "capture only these packets", WK_OPT_CHOICE,
	    .at = AT(direction), .choices = directions },
	{ 's', "snapshot-length", "BYTES",
	    "capture this much of a packet; the default is 2048, 0 is all",
	    WK_OPT_UINT, .at = AT(snaplen), .max = WK_CAPTURE_SNAPLEN },
	{ 'B', "buffer-size", "KIB", "size of the kernel's buffer; the default is 8192",
	    WK_OPT_UINT, .at = AT(buffer_kib), .min = 1, .max = 2097151 },
	{ 'Z', "relinquish-privileges", "USER",
	    "as root, become this user once the capture is open",
	    WK_OPT_TEXT, .at = AT(user) },

	{ .kind = WK_OPT_GROUP, .help = "How much" },
	{ 'c', "count", "COUNT", "end after this many resets; ending earlier "
	    "is exit code 1", WK_OPT_UINT, .at = AT(count), .min = 1 },
	{ 'm', "max-time", "SEC", "end after this time", WK_OPT_SECONDS,
	    .at = AT(max_time_ns) },

	{ .kind = WK_OPT_GROUP, .help = "What is recognised" },
	{ 0, "registry", "NAME", "explain codes by this table: ietf-03, "
	    "ietf-00, 2022 or first; the default goes by the format",
	    WK_OPT_CALL, .call = set_registry },
	{ 0, "try", "FORMAT", "recognise this short-lived format too: b13, "
	    "b14, cbor-map or json; may be repeated", WK_OPT_CALL,
	    .call = add_format },
	{ 0, "diagnostic", .help = "only resets with a diagnostic payload",
	    .kind = WK_OPT_FLAG, .at = AT(wants_diagnostic) },
	{ 0, "suspicious", .help = "watch whole connections and mark resets "
	    "that do not fit them", .kind = WK_OPT_FLAG,
	    .at = AT(is_suspicious) },
	{ 0, "fail-on-invalid", .help = "exit code 1 when a diagnostic payload "
	    "was malformed", .kind = WK_OPT_FLAG, .at = AT(checks) },

	{ .kind = WK_OPT_GROUP, .help = "Where to" },
	{ 'w', "write", "FILE", "write the resets to a pcap file instead of "
	    "printing them; - is stdout", WK_OPT_TEXT, .at = AT(dump) },
	{ 'U', "packet-buffered", .help = "with -w, write each packet at once",
	    .kind = WK_OPT_FLAG, .at = AT(is_packet_buffered) },
	{ 0, "print", .help = "with -w FILE, print as well",
	    .kind = WK_OPT_FLAG, .at = AT(prints_too) },
	{ 0, "fields", "NAMES", "print only these, separated by tabs; the names "
	    "are those of --json, joined by commas", WK_OPT_CALL,
	    .call = set_fields },
	{ 't', "time", .help = "-t no time, -tt seconds since 1970, -ttt since "
	    "the line before, -tttt with the date, -ttttt since the first line",
	    .kind = WK_OPT_COUNT, .at = AT(times) },
	{ 0, "nano", .help = "times with nanoseconds",
	    .kind = WK_OPT_FLAG, .at = AT(has_nano) },
	{ 'l', "line-buffered", .help = "print each line at once; "
	    "always so on live input", .kind = WK_OPT_FLAG,
	    .at = AT(is_ignored) },
	{ 'n', "numeric", .help = "no name lookups; there never are any",
	    .kind = WK_OPT_FLAG, .at = AT(is_ignored) },
	{ 0 },
};

static void
versions(void)
{
	wk_out_printf("%s\n", pcap_lib_version());
	wk_out_printf("libcbor %d.%d.%d\n", cbor_major_version,
	    cbor_minor_version, cbor_patch_version);
	wk_out_printf("jansson %s\n", jansson_version_str());
}

static const struct wk_tool tool = {
	.summary = "Show TCP resets and what they claim about their reason.",
	.usages = (const char *const[]) {
	    "-i IFACE [option ...] [expression ...]",
	    "-r FILE [option ...] [expression ...]", NULL },
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON | WK_COMMON_COLOR,
	.examples = (const char *const[]) {
	    "rstdiag-sniff -i any -j port 443 | jq 'select(.event == \"rst\").code'",
	    "rstdiag-send --src 192.0.2.1:443 --dst 192.0.2.2:5000 --seq 1 \\\n"
	    "      --code timeout --write - | rstdiag-sniff -r -", NULL },
	.versions = versions,
};

static const char *
conflict(const struct options *opt)
{
	if (opt->interface != NULL && opt->file != NULL)
		return "-i and -r exclude each other";
	if (opt->file != NULL && opt->direction != 0)
		return "-Q needs a live capture";
	if (opt->file != NULL && opt->buffer_kib != 0)
		return "-B needs a live capture";
	if (opt->file != NULL && opt->max_time_ns != 0)
		return "--max-time needs a live capture";
	if (wk_watch_is_input(opt->file, opt->dump))
		return "-r and -w name the same file";
	if (opt->prints_too && opt->dump == NULL)
		return "--print needs -w";
	if (opt->dump != NULL && strcmp(opt->dump, "-") == 0 &&
	    (opt->prints_too || wk_cli.is_json || opt->fields.n > 0))
		return "-w - and printing both want stdout";
	if (opt->fields.n > 0 && wk_cli.is_json)
		return "--fields and --json exclude each other";
	if (opt->times > 5)
		return "-t may be given five times";
	return NULL;
}

bool
options_parse(struct options *opt, int argc, char **argv, int *rc)
{
	static const enum wk_time_style styles[] = {
		WK_TIME_CLOCK, WK_TIME_NONE, WK_TIME_EPOCH, WK_TIME_DELTA,
		WK_TIME_DATE, WK_TIME_SINCE_FIRST,
	};
	const char *why;
	int first;

	memset(opt, 0, sizeof(*opt));
	opt->style.registry = -1;
	opt->snaplen = WK_CAPTURE_LIVE_SNAPLEN;
	if (!wk_options_parse(&tool, opt, argc, argv, &first, rc))
		return false;
	why = conflict(opt);
	if (why != NULL) {
		*rc = wk_usage_error("%s", why);
		return false;
	}
	if (opt->interface == NULL && opt->file == NULL &&
	    !opt->lists_interfaces) {
		*rc = wk_usage(&tool);
		return false;
	}
	if (opt->snaplen == 0)
		opt->snaplen = WK_CAPTURE_SNAPLEN;
	opt->style.time = (int)styles[opt->times];
	opt->style.digits = opt->has_nano ? 9 : 6;
	opt->style.detail = wk_cli.verbose;
	opt->style.is_colored = wk_color_on(STDOUT_FILENO);
	if (first < argc) {
		opt->expression = wk_operands_join(argv + first, argc - first);
		if (opt->expression == NULL) {
			wk_warn("out of memory");
			*rc = WK_EXIT_SYSTEM;
			return false;
		}
	}
	return true;
}

void
options_free(struct options *opt)
{
	free(opt->expression);
	opt->expression = NULL;
}
