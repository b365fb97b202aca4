/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cli/netopt.h"
#include "common/cli/tunnel_request.h"

/* Each mode is one file with one function, in a table in main.c. */
enum mode {
	MODE_TALK,
	MODE_FORWARD,
	MODE_PING,
	MODE_BLAST,
	MODE_INTERACTIVE,
	MODE_LISTEN,
};

/* What a listener does with a tunnel. */
enum service {
	SERVE_ECHO,
	SERVE_DISCARD,
	SERVE_BLAST,
	SERVE_EXEC,
	SERVE_PROXY,
};

enum capsules {			/* datagrams in capsules, not in frames */
	CAPSULES_AUTO,		/* where there are no frames */
	CAPSULES_NEVER,
	CAPSULES_ALWAYS,
};

enum too_big {			/* datagrams that do not fit a frame */
	TOO_BIG_DROP,
	TOO_BIG_FAIL,
	TOO_BIG_CAPSULE,
};

#define OPTIONS_NO_CONTEXT UINT64_MAX
#define OPTIONS_NO_COUNT UINT64_MAX

struct options_quic {
	uint64_t keep_alive_ns;	/* WK_NET_NO_TIMEOUT: not given */
	uint64_t mtu, race_delay_ns;	/* 0: not given */
	const char *qlog;
	int version;		/* enum quic_version, or -1: not given */
	bool is_retry;
};

struct options {
	enum mode mode;
	const char *url;	/* with its scheme */
	const char *target;
	char *const *command;	/* of --serve exec; ends with NULL */
	const char *output;

	/* Datagrams. */
	int framing, framing_in, framing_out;	/* enum wk_framing, or -1 */
	uint64_t block_size;
	uint64_t context_id;	/* of what we send; received: only these */
	bool has_context;	/* --context was given */
	bool has_no_context;
	int capsules, too_big;	/* enum capsules, enum too_big; -1 */

	/* The tunnel. */
	const char *protocol, *template_text, *authority, *auth;
	struct wk_option_list headers;
	bool has_protocol;
	bool is_http1, is_http2, is_http3, is_any;
	uint64_t count;		/* OPTIONS_NO_COUNT: not given */
	uint64_t linger_ns;	/* WK_NET_NO_TIMEOUT: not given */
	bool finishes;		/* at the end of the input, at once */

	/* Modes. */
	bool is_interactive, is_ping, is_blast;
	struct wk_option_list local;
	uint64_t interval_ns, size, duration_ns;
	bool has_interval;	/* --interval was given */
	struct {
		double per_second;	/* 0: not given, no limit */
		bool is_bits;		/* of payload, not datagrams */
	} rate;

	int serve;		/* enum service */
	struct wk_net_client net;
	struct wk_net_listen listen;
	struct wk_net_proxy proxy;
	struct options_quic quic;

	/* What follows from these. */
	unsigned versions;	/* set of enum wk_http_version */
	struct wk_quic_options quic_options;
};

/* False: *rc is the exit code, everything was said. */
bool options_parse(struct options *opt, int argc, char **argv, int *rc);

/* NULL, or which options mean nothing together, or nothing here. */
const char *options_conflict(const struct options *opt);

/* The tunnel that they ask for. */
struct wk_tunnel_options options_tunnel(const struct options *opt);

/* What they say about QUIC; opt stays where it is. */
void options_apply_client(const struct options *opt,
    struct wk_client_options *client);
void options_apply_server(const struct options *opt,
    struct wk_server_options *server);
