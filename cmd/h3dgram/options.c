/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <nghttp2/nghttp2.h>
#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <readline/readline.h>

#include "cmd/h3dgram/probe.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/framing.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/wire/datagram.h"

#define AT(field) offsetof(struct options, field)

#define BLOCK_DEFAULT 1024	/* fits every path that QUIC takes */
#define LINGER_DEFAULT_NS (2 * WK_NS_PER_SEC)
#define INTERVAL_DEFAULT_NS WK_NS_PER_SEC
#define DURATION_DEFAULT_NS (10 * WK_NS_PER_SEC)
#define PING_SIZE_DEFAULT 56
#define BLAST_SIZE_DEFAULT 1000
#define RACE_DELAY_DEFAULT_NS (3 * WK_NS_PER_SEC / 10)
/* A connection of QUIC is forgotten when silent for 30 seconds. */
#define KEEP_ALIVE_DEFAULT_NS (15 * WK_NS_PER_SEC)

static const char *const services[] = {
	[SERVE_ECHO] = "echo", [SERVE_DISCARD] = "discard",
	[SERVE_BLAST] = "blast", [SERVE_EXEC] = "exec",
	[SERVE_PROXY] = "proxy", NULL,
};

static const char *const capsules_names[] = {
	[CAPSULES_AUTO] = "auto", [CAPSULES_NEVER] = "never",
	[CAPSULES_ALWAYS] = "always", NULL,
};

static const char *const too_big_names[] = {
	[TOO_BIG_DROP] = "drop", [TOO_BIG_FAIL] = "fail",
	[TOO_BIG_CAPSULE] = "capsule", NULL,
};

enum quic_version {
	QUIC_1,
	QUIC_2,
	QUIC_ANY,
};

static const char *const quic_versions[] = {
	[QUIC_1] = "1", [QUIC_2] = "2", [QUIC_ANY] = "any", NULL,
};

/* "1000" datagrams, or "10Mbit" of payload, a second. */
static int
take_rate(void *values, const char *arg, struct wk_error *error)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = {
		{ "bit", 1 }, { "kbit", 1e3 }, { "Mbit", 1e6 },
		{ "Gbit", 1e9 },
	};
	struct options *opt = values;
	char *end;
	double n;
	size_t i;

	n = strtod(arg, &end);
	opt->rate.is_bits = *end != '\0';
	for (i = 0; *end != '\0' && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0) {
			n *= units[i].factor;
			break;
		}
	if (arg[0] < '0' || arg[0] > '9' || end == arg || !(n >= 0.001) ||
	    n > 1e12 || (*end != '\0' && i == sizeof(units) / sizeof(units[0])))
		return wk_error_set(error, WK_E_INVALID, 0, "expected datagrams "
		    "a second, or bits with bit, kbit, Mbit or Gbit behind");
	opt->rate.per_second = n;
	return WK_OK;
}

static const struct wk_option table[] = {
	{ .kind = WK_OPT_GROUP, .help = "What to do" },
	{ 'L', "local", "ADDRESS:PORT", "carry the packets of local UDP "
	    "clients, a tunnel for each; on the loopback with a port alone",
	    WK_OPT_LIST, .at = AT(local) },
	{ 'i', "interactive", .help = "type datagrams and see what comes back",
	    .kind = WK_OPT_FLAG, .at = AT(is_interactive) },
	{ 0, "ping", .help = "measure round trips to an end that echoes",
	    .kind = WK_OPT_FLAG, .at = AT(is_ping) },
	{ 0, "blast", .help = "measure how much goes through",
	    .kind = WK_OPT_FLAG, .at = AT(is_blast) },

	{ .kind = WK_OPT_GROUP, .help = "Datagrams" },
	{ 'f', "framing", "NAME", "how one is told from the next in stdin and "
	    "stdout; the default is line", WK_OPT_CHOICE, .at = AT(framing),
	    .choices = wk_framing_names },
	{ 0, "framing-in", "NAME", "the same for stdin alone", WK_OPT_CHOICE,
	    .at = AT(framing_in), .choices = wk_framing_names },
	{ 0, "framing-out", "NAME", "the same for stdout alone", WK_OPT_CHOICE,
	    .at = AT(framing_out), .choices = wk_framing_names },
	{ 0, "block-size", "BYTES", "with raw input, at most this much in one; "
	    "the default is 1024", WK_OPT_SIZE, .at = AT(block_size), .min = 1,
	    .max = WK_DATAGRAM_UDP_MAX },
	{ 0, "context", "ID", "send with this context id and take no others; "
	    "the default is 0", WK_OPT_UINT, .at = AT(context_id),
	    .max = WK_VARINT_MAX },
	{ 0, "no-context", .help = "datagrams do not start with a context id",
	    .kind = WK_OPT_FLAG, .at = AT(has_no_context) },
	{ 0, "capsules", "WHEN", "send in capsules instead of QUIC frames; auto "
	    "does where there are no frames", WK_OPT_CHOICE,
	    .at = AT(capsules), .choices = capsules_names },
	{ 0, "too-big", "WHAT", "what to do with what does not fit a frame; the "
	    "default is drop", WK_OPT_CHOICE,
	    .at = AT(too_big), .choices = too_big_names },
	{ 'o', "output", "FILE", "write to this file; - is stdout",
	    WK_OPT_TEXT, .at = AT(output) },

	{ .kind = WK_OPT_GROUP, .help = "The tunnel" },
	{ 0, "template", "TEMPLATE", "URI template of the proxy, or its path; "
	    "the default is the protocol's well-known one", WK_OPT_TEXT,
	    .at = AT(template_text) },
	{ 0, "protocol", "TOKEN", "what to upgrade to; the default is "
	    "connect-udp", WK_OPT_TEXT, .at = AT(protocol) },
	{ 'H', "header", "LINE", "'Name: value' to send with the request",
	    WK_OPT_LIST, .at = AT(headers) },
	{ 0, "authority", "HOST", "name this host in the request instead of "
	    "the URL's", WK_OPT_TEXT, .at = AT(authority) },
	{ 0, "auth", "FILE", "credentials, 'basic USER:PASSWORD' or 'bearer "
	    "TOKEN' a line: the first is sent, all are accepted", WK_OPT_TEXT,
	    .at = AT(auth) },
	{ 'c', "count", "COUNT", "end after so many datagrams came, were sent "
	    "(--ping, --blast), or so many tunnels served", WK_OPT_UINT,
	    .at = AT(count) },
	{ 0, "linger", "SEC", "after the last datagram wait so long for "
	    "answers; the default is 2", WK_OPT_SECONDS, .at = AT(linger_ns) },
	{ 'N', "finish", .help = "at the end of the input end our direction, "
	    "and wait for the end of the other", .kind = WK_OPT_FLAG,
	    .at = AT(finishes) },

	{ .kind = WK_OPT_GROUP, .help = "Versions of HTTP" },
	{ 0, "http3", .help = "HTTP/3; the default", .kind = WK_OPT_FLAG,
	    .at = AT(is_http3) },
	{ 0, "http2", .help = "HTTP/2, by Extended CONNECT",
	    .kind = WK_OPT_FLAG, .at = AT(is_http2) },
	{ 0, "http1.1", .help = "HTTP/1.1, by Upgrade", .kind = WK_OPT_FLAG,
	    .at = AT(is_http1) },
	{ 0, "any", .help = "all of them: QUIC first, TCP a little later, for "
	    "networks that block UDP", .kind = WK_OPT_FLAG, .at = AT(is_any) },
	{ 0, "race-delay", "SEC", "how much later; the default is 0.3",
	    WK_OPT_SECONDS, .at = AT(quic.race_delay_ns) },
	{ 0, "keepalive", "SEC", "when nothing was sent for so long, send a "
	    "PING of QUIC; the default is 15, 0 never", WK_OPT_SECONDS, .at = AT(quic.keep_alive_ns) },
	{ 0, "quic-version", "VERSION", "of QUIC; the default is 1", WK_OPT_CHOICE,
	    .at = AT(quic.version), .choices = quic_versions },
	{ 0, "mtu", "BYTES", "octets of the first UDP packets; the default is "
	    "1200, then what the path takes", WK_OPT_SIZE, .at = AT(quic.mtu),
	    .min = 1200, .max = 65527 },
	{ 0, "qlog", "DIR", "write a qlog file for each connection of QUIC",
	    WK_OPT_TEXT, .at = AT(quic.qlog) },

	{ .kind = WK_OPT_GROUP, .help = "Measuring" },
	{ 0, "interval", "SEC", "between two pings, or reports of --blast; the "
	    "default is 1", WK_OPT_SECONDS, .at = AT(interval_ns) },
	{ 0, "size", "BYTES", "octets of payload; the default is 56, with "
	    "--blast 1000", WK_OPT_SIZE, .at = AT(size), .min = PROBE_SIZE_MIN,
	    .max = WK_DATAGRAM_UDP_MAX },
	{ 0, "rate", "RATE", "at most so many datagrams, or bits (10Mbit), a "
	    "second; the default is what goes", .kind = WK_OPT_CALL,
	    .call = take_rate },
	{ 0, "duration", "SEC", "send for so long; the default is 10 unless "
	    "there is a --count", WK_OPT_SECONDS, .at = AT(duration_ns) },

	WK_NET_CLIENT_OPTIONS(struct options, net),
	WK_NET_CERTIFICATE_OPTIONS(struct options, net),

	{ .kind = WK_OPT_GROUP, .help = "The other end" },
	WK_NET_LISTEN_OPTIONS(struct options, listen),
	{ 0, "serve", "SERVICE", "what to do with tunnels, exec being a COMMAND "
	    "for each, and proxy CONNECT-UDP; the default is echo",
	    WK_OPT_CHOICE, .at = AT(serve), .choices = services },
	WK_NET_PROXY_OPTIONS(struct options, proxy),
	{ 0, "retry", .help = "validate the address of every client of QUIC",
	    .kind = WK_OPT_FLAG, .at = AT(quic.is_retry) },
	{ 0 },
};

static void
versions(void)
{
	wk_out_printf("ngtcp2 %s\n", ngtcp2_version(0)->version_str);
	wk_out_printf("nghttp3 %s\n", nghttp3_version(0)->version_str);
	wk_out_printf("nghttp2 %s\n", nghttp2_version(0)->version_str);
	wk_out_printf("gnutls %s\n", gnutls_check_version(NULL));
	wk_out_printf("libev %d.%d\n", ev_version_major(), ev_version_minor());
	wk_out_printf("readline %s\n", rl_library_version);
	wk_out_printf("jansson %s\n", jansson_version_str());
}

static const struct wk_tool tool = {
	.summary = "Netcat for HTTP Datagrams (RFC 9297), CONNECT-UDP first "
	    "of all.",
	.usages = (const char *const[]) {
	    "[option ...] URL [TARGET]",
	    "-L [ADDRESS:]PORT [option ...] URL TARGET",
	    "--ping | --blast | -i [option ...] URL [TARGET]",
	    "-l [ADDRESS:]PORT [--serve SERVICE] [option ...] [-- COMMAND ...]",
	    NULL },
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON,
	.examples = (const char *const[]) {
	    "echo hi | h3dgram https://proxy.example '[2001:db8::1]:7'",
	    "h3dgram --ping -j -c 5 https://echo.example | jq '.rtt_us // empty'",
	    "h3dgram -L 5353 https://proxy.example 192.0.2.53:53",
	    NULL },
	.versions = versions,
};

struct wk_tunnel_options
options_tunnel(const struct options *opt)
{
	const struct wk_tunnel_options tunnel = {
		.url = opt->url, .target = opt->target,
		.template_text = opt->template_text,
		.protocol = opt->protocol, .authority = opt->authority,
		.auth = opt->auth, .headers = &opt->headers, .net = &opt->net,
		.versions = opt->versions,
	};

	return tunnel;
}

void
options_apply_client(const struct options *opt,
    struct wk_client_options *client)
{
	client->quic = &opt->quic_options;
	client->race_delay_ns = opt->quic.race_delay_ns;
}

void
options_apply_server(const struct options *opt,
    struct wk_server_options *server)
{
	server->quic = &opt->quic_options;
}

/* --- operands ------------------------------------------------------------- */

/* A proxy may be named without the scheme that all of them have. */
static const char *
with_scheme(const char *operand)
{
	static char url[16384];

	if (strstr(operand, "://") != NULL)
		return operand;
	snprintf(url, sizeof(url), "https://%s", operand);
	return url;
}

static bool
take_operands(struct options *opt, char *const *operands, int n, int *rc)
{
	if (opt->listen.addresses.n > 0) {
		if (opt->serve == SERVE_EXEC ? n > 0 : n == 0) {
			opt->command = operands;
			return true;
		}
		*rc = wk_usage_error(n == 0 ? "--serve exec needs a COMMAND" :
		    "--listen has no operands but the COMMAND of --serve exec");
		return false;
	}
	if (n == 0) {
		*rc = wk_usage(&tool);
		return false;
	}
	if (n > 2) {
		*rc = wk_usage_error("expected a URL and perhaps a TARGET, not "
		    "%d operands", n);
		return false;
	}
	opt->url = with_scheme(operands[0]);
	if (n == 2)
		opt->target = operands[1];
	return true;
}

/* --- what was not given --------------------------------------------------- */

static enum mode
mode_of(const struct options *opt)
{
	if (opt->listen.addresses.n > 0)
		return MODE_LISTEN;
	if (opt->local.n > 0)
		return MODE_FORWARD;
	return opt->is_ping ? MODE_PING : opt->is_blast ? MODE_BLAST :
	    opt->is_interactive ? MODE_INTERACTIVE : MODE_TALK;
}

static unsigned
versions_of(const struct options *opt)
{
	unsigned set = (opt->is_http1 ? WK_HTTP_1_1 : 0) |
	    (opt->is_http2 ? WK_HTTP_2 : 0) | (opt->is_http3 ? WK_HTTP_3 : 0);
	bool is_tcp_only = opt->mode == MODE_LISTEN && opt->listen.is_cleartext;

	if (opt->is_any || (set == 0 && opt->mode == MODE_LISTEN))
		set = WK_HTTP_1_1 | WK_HTTP_2 | WK_HTTP_3;
	if (set == 0)
		set = WK_HTTP_3;
	return is_tcp_only ? set & ~(unsigned)WK_HTTP_3 : set;
}

static void
set_quic(struct options *opt)
{
	static const unsigned versions_of_quic[] = {
		[QUIC_1] = WK_QUIC_V1, [QUIC_2] = WK_QUIC_V2,
		[QUIC_ANY] = WK_QUIC_V1 | WK_QUIC_V2,
	};
	struct wk_quic_options *q = &opt->quic_options;

	wk_quic_options_default(q);
	if (opt->quic.version >= 0)
		q->versions = versions_of_quic[opt->quic.version];
	/* A tunnel's own idleness is the business of whoever has tunnels. */
	if (opt->proxy.idle_timeout_ns != WK_NET_NO_TIMEOUT &&
	    opt->mode != MODE_FORWARD && !(opt->mode == MODE_LISTEN &&
	    opt->serve == SERVE_PROXY))
		q->idle_timeout_ns = opt->proxy.idle_timeout_ns;
	if (opt->quic.keep_alive_ns != WK_NET_NO_TIMEOUT)
		q->keep_alive_ns = opt->quic.keep_alive_ns;
	else if (opt->mode != MODE_LISTEN)
		q->keep_alive_ns = KEEP_ALIVE_DEFAULT_NS;
	q->udp_payload = (size_t)opt->quic.mtu;
	q->qlog_dir = opt->quic.qlog;
	q->always_validates = opt->quic.is_retry;
	if (opt->listen.max_connections > 0)
		q->max_connections = (size_t)opt->listen.max_connections;
	if (opt->quic.race_delay_ns == 0)
		opt->quic.race_delay_ns = RACE_DELAY_DEFAULT_NS;
}

static void
set_defaults(struct options *opt)
{
	opt->versions = versions_of(opt);
	if (!opt->has_protocol)
		opt->protocol = "connect-udp";
	if (opt->serve < 0)
		opt->serve = SERVE_ECHO;
	set_quic(opt);
	if (opt->capsules < 0)
		opt->capsules = CAPSULES_AUTO;
	if (opt->too_big < 0)
		opt->too_big = TOO_BIG_DROP;
	if (opt->linger_ns == WK_NET_NO_TIMEOUT)
		opt->linger_ns = LINGER_DEFAULT_NS;
	if (!opt->has_context)
		opt->context_id = WK_DATAGRAM_CONTEXT_RAW;
	if (opt->framing < 0)
		opt->framing = WK_FRAMING_LINE;
	if (opt->framing_in < 0)
		opt->framing_in = opt->framing;
	if (opt->framing_out < 0)
		opt->framing_out = wk_cli.is_json ? WK_FRAMING_NDJSON :
		    opt->framing;
	if (opt->block_size == 0)
		opt->block_size = BLOCK_DEFAULT;
	if (opt->duration_ns == 0 && opt->count == OPTIONS_NO_COUNT)
		opt->duration_ns = DURATION_DEFAULT_NS;
	opt->has_interval = opt->interval_ns > 0;
	if (opt->interval_ns == 0)
		opt->interval_ns = INTERVAL_DEFAULT_NS;
	if (opt->size == 0)
		opt->size = opt->mode == MODE_PING ? PING_SIZE_DEFAULT :
		    BLAST_SIZE_DEFAULT;
}

/* Would a terminal rather not have it? */
static bool
is_binary(const struct options *opt)
{
	return opt->mode == MODE_TALK &&
	    !wk_framing_is_text((enum wk_framing)opt->framing_out);
}

bool
options_parse(struct options *opt, int argc, char **argv, int *rc)
{
	const char *why;
	int first;

	memset(opt, 0, sizeof(*opt));
	opt->context_id = OPTIONS_NO_CONTEXT;
	opt->count = OPTIONS_NO_COUNT;
	opt->framing = opt->framing_in = opt->framing_out = -1;
	opt->serve = opt->capsules = opt->too_big = opt->quic.version = -1;
	opt->linger_ns = opt->proxy.idle_timeout_ns =
	    opt->quic.keep_alive_ns = WK_NET_NO_TIMEOUT;
	if (!wk_options_parse(&tool, opt, argc, argv, &first, rc))
		return false;
	if (!take_operands(opt, argv + first, argc - first, rc))
		return false;
	opt->has_protocol = opt->protocol != NULL;
	opt->has_context = opt->context_id != OPTIONS_NO_CONTEXT;
	opt->mode = mode_of(opt);
	why = options_conflict(opt);
	if (why != NULL) {
		*rc = wk_usage_error("%s", why);
		return false;
	}
	set_defaults(opt);
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
