/* SPDX-License-Identifier: MIT */
/*
 * A CONNECT-UDP proxy (RFC 9298) behind any server: give it tunnel requests,
 * it answers them and carries the packets. All its duties are here: the
 * template, credentials before names, the name looked up once and judged as
 * connected, Proxy-Status (RFC 9209), DF, sockets that live exactly as long as
 * their stream, dropping rather than queueing, limits.
 */
#pragma once

#include "common/net/access.h"
#include "common/net/loop.h"
#include "common/net/stream.h"

struct wk_udp_proxy_options {
	const char *name;		/* in Proxy-Status: "capsule-cat" */
	const char *path;		/* template, or only its path; NULL: the */
					/* well-known one. Copied */
	const struct wk_access_auth *auth;	/* NULL: everybody; borrowed */
	const struct wk_access_targets *targets; /* borrowed */
	size_t max_tunnels;		/* in all; 0: as many as descriptors */
	uint64_t idle_timeout_ns;	/* not under two minutes; 0: never */
	uint64_t resolve_timeout_ns;
	/* What happens, for -v and logs; text is borrowed. */
	void (*note)(void *arg, const struct wk_stream *s, const char *text);
	void (*closed)(void *arg);	/* a tunnel that was open; or NULL */
	void *arg;
};

struct wk_udp_proxy;

/* NULL with error: WK_E_INVALID for a template that cannot be matched. */
struct wk_udp_proxy *wk_udp_proxy_new(struct wk_loop *loop,
    const struct wk_udp_proxy_options *options, struct wk_error *error);

/*
 * Take a request over, whatever it asks: from here the stream is the proxy's.
 * Refusals are 400, 401, 404, 405, 407, 426, 501, 502, 503, 504 as RFC 9298,
 * RFC 9209 and RFC 9220 say.
 */
void wk_udp_proxy_request(struct wk_udp_proxy *proxy, struct wk_stream *s,
    const struct wk_message *m);

struct wk_udp_proxy_counters {
	uint64_t opened, refused, failed;
	uint64_t to_target, from_target;	/* packets */
	uint64_t dropped_blocked;	/* the client takes no more */
	uint64_t dropped_too_big;	/* EMSGSIZE, or over 65527 */
	uint64_t dropped_context;	/* unknown context ids */
	size_t open;			/* now */
};

void wk_udp_proxy_counters(const struct wk_udp_proxy *proxy,
    struct wk_udp_proxy_counters *counters);

/* Streams still open are reset. */
void wk_udp_proxy_del(struct wk_udp_proxy *proxy);
