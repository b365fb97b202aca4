/* SPDX-License-Identifier: MIT */
/*
 * The other end of tunnels as a tool: listens, lets in whom it should, hands
 * over granted streams or is a CONNECT-UDP proxy itself, counts, reports at
 * SIGUSR1 and at its end, and drains when asked to leave.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cli/netopt.h"
#include "common/net/udp_proxy.h"

/* Everything is borrowed. */
struct wk_listener_options {
	const struct wk_net_listen *listen;
	const struct wk_net_client *identity;	/* cert, key, keylog */
	const struct wk_net_proxy *proxy;	/* rules and limits */
	const char *auth;		/* file with credentials, or NULL */
	const char *protocol;		/* what to upgrade to; never NULL */
	bool demands_protocol;		/* that one and no other */
	bool is_proxy;			/* serve CONNECT-UDP, not begin */
	const char *template_text;	/* of the proxy, or NULL */
	unsigned versions;		/* set of enum wk_http_version */
	uint64_t max_served;		/* end after so many tunnels; 0: never */
};

struct wk_listener_handler {
	/* Take over a stream whose request is granted; false without memory. */
	bool (*begin)(void *arg, struct wk_stream *s,
	    const struct wk_message *m);
	/* How many of those are kept; beyond the limit others get 503. */
	uint64_t (*kept)(void *arg);
	/* More of the summary: members with --json, then notices; or NULL. */
	void (*report_json)(void *arg);
	void (*report)(void *arg);
};

struct wk_listener {
	struct wk_loop *loop;
	struct wk_server_options server_options; /* to adjust before run */
	/* Private from here on. */
	struct wk_listener_options options;
	const struct wk_listener_handler *handler;
	void *arg;
	struct wk_address addresses[WK_NET_ADDRESSES_MAX];
	struct wk_server *server;
	struct wk_access_auth *auth;
	struct wk_access_targets *targets;
	struct wk_udp_proxy *proxy;
	struct wk_io signals;
	uint64_t n_begun, n_served, n_refused;
	bool is_draining;
};

/*
 * Prepare everything that can be wrong before listening. WK_EXIT_OK, or an
 * exit code after a message, and nothing is to be freed.
 */
int wk_listener_init(struct wk_listener *l,
    const struct wk_listener_options *options,
    const struct wk_listener_handler *handler, void *arg);

/* Serve until it is time to leave; an exit code, all was said. */
int wk_listener_run(struct wk_listener *l);

/* Inside of wk_listener_run(): a tunnel that begin took over has ended. */
void wk_listener_served(struct wk_listener *l);

/* The same: accept no more, end when the last is gone or soon. */
void wk_listener_leave(struct wk_listener *l);

/* Break what is open; streams hear closed. */
void wk_listener_close(struct wk_listener *l);

/* After close, and after whatever else is in the loop has left it. */
void wk_listener_free(struct wk_listener *l);
