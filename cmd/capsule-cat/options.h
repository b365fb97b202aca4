/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/capsule-cat/filter.h"
#include "common/cli/netopt.h"
#include "common/cli/tunnel_request.h"
#include "common/wire/capsule_types.h"

/* Each mode is one file with one function, in a table in main.c. */
enum mode {
	MODE_DECODE,
	MODE_ENCODE,
	MODE_LIST_TYPES,
	MODE_TUNNEL,
	MODE_LISTEN,
	MODE_INTERACTIVE,
};

/* What a listener does with a tunnel. */
enum service {
	SERVE_DUMP,
	SERVE_ECHO,
	SERVE_DISCARD,
	SERVE_PROXY,
};

#define OPTIONS_NO_CONTEXT UINT64_MAX
#define OPTIONS_NO_LINGER UINT64_MAX

struct options {
	enum mode mode;
	char *const *files;	/* the operands; "-" alone without any */
	int n_files;
	const char *output;
	uint64_t max_value;	/* octets of a value, 0: not given */
	uint64_t wt_draft;	/* of webtrans-http2 */
	uint64_t context_id;	/* --context, or OPTIONS_NO_CONTEXT */
	int framing;		/* enum wk_framing, or -1: not given */
	uint64_t block_size;	/* of raw input; 0: not given */
	bool is_encoding, is_payload, greases;
	bool is_raw, is_strict, is_lenient, has_no_context;
	bool lists_types;

	struct wk_option_list types;	/* --type; names depend on wt_draft */

	/* Tunnels. */
	const char *url, *protocol, *target, *template_text, *authority;
	const char *auth;
	struct wk_option_list headers;
	bool is_http1, is_http2, is_interactive, is_shown, keeps_sending;
	bool has_protocol;	/* --protocol was given */
	int datagrams;		/* enum wk_framing, or -1: not given */
	uint64_t count;		/* end after so many capsules; 0: never */
	uint64_t linger_ns;	/* after the input's end; OPTIONS_NO_LINGER: */
				/* not given */
	int serve;		/* enum service */
	struct wk_net_client net;
	struct wk_net_listen listen;
	struct wk_net_proxy proxy;

	/* What follows from these. */
	uint64_t type;		/* to encode */
	enum wk_capsule_reading reading;
	struct filter filter;
};

/* Are datagrams of this context wanted? */
static inline bool
options_want_context(const struct options *opt, uint64_t context_id)
{
	return opt->context_id == OPTIONS_NO_CONTEXT ||
	    opt->context_id == context_id;
}

/* Is what comes through a tunnel looked at, or passed on as it is? */
static inline bool
options_decodes(const struct options *opt)
{
	return opt->is_payload || opt->is_shown;
}

/* The set of enum wk_http_version that is wanted. */
static inline unsigned
options_versions(const struct options *opt)
{
	if (opt->is_http1 == opt->is_http2)
		return WK_HTTP_1_1 | WK_HTTP_2;
	return opt->is_http1 ? WK_HTTP_1_1 : WK_HTTP_2;
}

/* The tunnel that a URL asks for. */
static inline struct wk_tunnel_options
options_tunnel(const struct options *opt)
{
	const struct wk_tunnel_options tunnel = {
		.url = opt->url, .target = opt->target,
		.target_name = "--target ",
		.template_text = opt->template_text,
		.protocol = opt->protocol, .authority = opt->authority,
		.auth = opt->auth, .headers = &opt->headers, .net = &opt->net,
		.versions = options_versions(opt),
	};

	return tunnel;
}

/* False: *rc is the exit code, everything was said. */
bool options_parse(struct options *opt, int argc, char **argv, int *rc);
