/* SPDX-License-Identifier: MIT */
/* Options that mean nothing together, or nothing here. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "cmd/h3dgram/options.h"
#include "common/cli/diag.h"
#include "common/cli/framing.h"

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

static const char *
datagram_conflict(const struct options *opt)
{
	bool is_exec = opt->mode == MODE_LISTEN && opt->serve == SERVE_EXEC;
	bool has_framing = opt->framing >= 0 || opt->framing_in >= 0 ||
	    opt->framing_out >= 0;
	int in = opt->framing_in >= 0 ? opt->framing_in : opt->framing;
	int out = opt->framing_out >= 0 ? opt->framing_out : opt->framing;
	bool is_tcp = (opt->is_http1 || opt->is_http2) && !opt->is_http3 &&
	    !opt->is_any;
	const struct rule rules[] = {
		{ opt->has_context && opt->has_no_context,
		    "--context and --no-context exclude each other" },
		{ has_framing && opt->mode != MODE_TALK && !is_exec,
		    "--framing is for standard input and output, and for "
		    "--serve exec" },
		{ opt->block_size > 0 && in != WK_FRAMING_RAW,
		    "--block-size needs raw input" },
		{ wk_cli.is_json && opt->mode == MODE_TALK &&
		    out >= 0 && out != WK_FRAMING_NDJSON,
		    "--json writes ndjson; for the input alone there is "
		    "--framing-in" },
		{ opt->capsules == CAPSULES_NEVER && is_tcp, "--capsules never "
		    "needs HTTP/3, where there are QUIC frames" },
		{ opt->capsules == CAPSULES_ALWAYS && opt->too_big >= 0,
		    "--capsules always leaves nothing --too-big" },
		{ opt->capsules == CAPSULES_NEVER &&
		    opt->too_big == TOO_BIG_CAPSULE,
		    "--capsules never and --too-big capsule exclude each "
		    "other" },
	};

	return FIRST_BROKEN(rules);
}

static const char *
mode_conflict(const struct options *opt)
{
	bool is_blaster = opt->mode == MODE_BLAST ||
	    (opt->mode == MODE_LISTEN && opt->serve == SERVE_BLAST);
	const struct rule rules[] = {
		{ opt->is_ping + opt->is_blast + opt->is_interactive +
		    (opt->local.n > 0) + (opt->listen.addresses.n > 0) > 1,
		    "--ping, --blast, --interactive, --local and --listen "
		    "exclude each other" },
		{ opt->interval_ns > 0 && opt->mode != MODE_PING &&
		    opt->mode != MODE_BLAST, "--interval needs --ping or "
		    "--blast" },
		{ opt->size > 0 && opt->mode != MODE_PING && !is_blaster,
		    "--size needs --ping or --blast" },
		{ (opt->rate.per_second > 0 || opt->duration_ns > 0) &&
		    !is_blaster, "--rate and --duration need --blast" },
		{ opt->count != OPTIONS_NO_COUNT && (opt->mode ==
		    MODE_INTERACTIVE || opt->mode == MODE_FORWARD),
		    "--count means nothing to --interactive and --local" },
		{ opt->count == 0 && opt->mode != MODE_BLAST,
		    "--count 0 is for --blast, which then only receives" },
		{ opt->linger_ns != WK_NET_NO_TIMEOUT && opt->mode !=
		    MODE_TALK && opt->mode != MODE_PING && opt->mode !=
		    MODE_BLAST, "--linger is for standard input, --ping and "
		    "--blast" },
		{ opt->finishes && opt->mode != MODE_TALK,
		    "--finish is for standard input" },
		{ opt->finishes && opt->linger_ns != WK_NET_NO_TIMEOUT,
		    "--finish and --linger exclude each other" },
		{ opt->output != NULL && (opt->mode == MODE_FORWARD ||
		    opt->mode == MODE_INTERACTIVE),
		    "--output means nothing to --local and --interactive" },
	};

	return FIRST_BROKEN(rules);
}

static bool
is_cleartext_url(const struct options *opt)
{
	return opt->url != NULL && strncasecmp(opt->url, "http://", 7) == 0;
}

static const char *
tunnel_conflict(const struct options *opt)
{
	bool is_server = opt->mode == MODE_LISTEN;
	bool is_proxy = is_server && opt->serve == SERVE_PROXY;
	bool has_idle = opt->proxy.idle_timeout_ns != WK_NET_NO_TIMEOUT;
	bool wants_quic = opt->is_http3 || opt->is_any ||
	    (!opt->is_http1 && !opt->is_http2);
	const struct rule rules[] = {
		{ opt->is_any && (opt->is_http1 || opt->is_http2 ||
		    opt->is_http3), "--any is all of --http3, --http2 and "
		    "--http1.1" },
		{ opt->quic.race_delay_ns > 0 && !opt->is_any &&
		    !(opt->is_http3 && (opt->is_http1 || opt->is_http2)),
		    "--race-delay needs --any" },
		{ !wants_quic && (opt->quic.keep_alive_ns !=
		    WK_NET_NO_TIMEOUT ||
		    opt->quic.version >= 0 || opt->quic.mtu > 0 ||
		    opt->quic.qlog != NULL || opt->quic.is_retry),
		    "--keepalive, --quic-version, --mtu, --qlog and --retry "
		    "need HTTP/3" },
		{ is_server && (opt->headers.n > 0 || opt->authority != NULL),
		    "--header and --authority need a URL" },
		{ !is_server && opt->serve >= 0, "--serve needs --listen" },
		{ !is_server && wk_net_listen_is_given(&opt->listen),
		    "--cleartext, --client-ca and --max-connections need "
		    "--listen" },
		{ !is_server && opt->quic.is_retry, "--retry needs --listen" },
		{ !is_proxy && (opt->proxy.allow.n > 0 ||
		    opt->proxy.deny.n > 0 || opt->proxy.is_private_fine),
		    "--allow, --deny and --allow-private are for --serve "
		    "proxy" },
		{ is_server && !is_proxy && opt->template_text != NULL,
		    "a listener's --template is for --serve proxy" },
		{ !is_server && opt->mode != MODE_FORWARD &&
		    opt->proxy.max_tunnels > 0,
		    "--max-tunnels needs --listen or --local" },
		{ has_idle && !is_proxy && opt->mode != MODE_FORWARD &&
		    !wants_quic, "--idle-timeout needs --serve proxy, --local "
		    "or HTTP/3" },
		{ is_proxy && opt->has_protocol,
		    "--serve proxy knows connect-udp alone" },
		{ is_proxy && (opt->has_context || opt->has_no_context ||
		    opt->capsules >= 0 || opt->too_big >= 0), "--serve proxy "
		    "knows by itself what datagrams look like" },
		{ is_server && wk_net_client_is_given(&opt->net),
		    "--ipv4, --ipv6, --bind, --connect-to, --unix-socket, "
		    "--insecure, --cacert, --pin, --connect-timeout and "
		    "--max-time need a URL" },
		{ is_cleartext_url(opt) && (opt->net.is_insecure ||
		    opt->net.cacert != NULL || opt->net.pins.n > 0 ||
		    opt->net.cert != NULL || opt->net.key != NULL),
		    "a http URL has no certificates: --insecure, --cacert, "
		    "--pin, --cert and --key need https" },
		{ is_cleartext_url(opt) && !opt->is_http1 && !opt->is_http2,
		    "HTTP/3 needs https; a http URL needs --http2 or "
		    "--http1.1" },
		{ opt->net.unix_socket != NULL && !opt->is_http1 &&
		    !opt->is_http2, "--unix-socket needs --http2 or "
		    "--http1.1" },
		{ opt->listen.is_cleartext && (opt->net.cert != NULL ||
		    opt->listen.client_ca != NULL),
		    "--cleartext excludes certificates" },
		{ opt->listen.is_cleartext && opt->is_http3,
		    "--cleartext and --http3 exclude each other" },
	};

	return FIRST_BROKEN(rules);
}

const char *
options_conflict(const struct options *opt)
{
	const char *why = mode_conflict(opt);

	if (why == NULL)
		why = datagram_conflict(opt);
	if (why == NULL)
		why = tunnel_conflict(opt);
	return why != NULL ? why : wk_net_client_conflict(&opt->net);
}
