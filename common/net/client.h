/* SPDX-License-Identifier: MIT */
/*
 * Dial a URL: name, Happy Eyeballs, a proxy from the environment where one is
 * meant for it, TLS with ALPN, and the session that was agreed on. Cleartext
 * URLs speak HTTP/1.1, or HTTP/2 with prior knowledge when only that is
 * offered. HTTP/3 goes over QUIC; where other versions are offered, too, TCP
 * begins somewhat later and whoever is connected first is taken, as for
 * networks that block UDP (RFC 9114, section 3.1.2). Proxies are always tunnelled through, for http URLs too: HTTP/2 and
 * tunnels would not survive a proxy that forwards requests.
 */
#pragma once

#include "common/net/loop.h"
#include "common/net/quic.h"
#include "common/net/session.h"
#include "common/net/sock.h"
#include "common/net/tls.h"

struct wk_client_options {
	struct wk_str scheme, host;	/* "http" or "https"; no brackets */
	uint16_t port;
	unsigned versions;		/* set of enum wk_http_version */
	struct wk_tls_credentials *credentials;	/* borrowed; for https */
	/*
	 * host, port: where to connect really, NULL host: as the URL says.
	 * timeout_ns covers all that comes before connected: name, connection,
	 * proxy, TLS. attempt is not used, trace tells.
	 */
	struct wk_dial_options dial;
	/* The environment's, as proxy.h says; never to a unix path. */
	bool use_proxy;
	struct wk_session_limits limits;
	uint64_t stall_timeout_ns;	/* the peer takes nothing; 0: never */
	/* HTTP/3: credentials, ALPN and stall are filled in. NULL: defaults. */
	const struct wk_quic_options *quic;	/* copied */
	uint64_t race_delay_ns;		/* what QUIC is ahead of TCP */
	int trace_level;
};

enum wk_client_failure {
	WK_CLIENT_NETWORK,	/* name, connect, TLS, timeout, lost */
	WK_CLIENT_PROTOCOL,	/* the peer breaks HTTP */
	WK_CLIENT_REFUSED,	/* the proxy said no */
};

struct wk_client;

struct wk_client_handler {
	/* The session takes requests now. */
	void (*connected)(struct wk_client *client, struct wk_session *session);
	/*
	 * It is over; comes once. NULL reason when nothing was wrong with the
	 * connection; streams that it cut short have said so by then.
	 */
	void (*closed)(struct wk_client *client, enum wk_client_failure failure,
	    const char *reason);
	/* As wk_session_handler.trace; notes of the connection too. */
	void (*trace)(struct wk_client *client, enum wk_trace kind,
	    uint64_t stream_id, const char *text);
};

/*
 * Begin. handler stays the caller's; options are copied, except for what they
 * say is borrowed. Nothing is called back before this returns. NULL with
 * error: WK_E_INVALID, WK_E_NOMEM, or what is wrong with the proxy that the
 * environment names.
 */
struct wk_client *wk_client_new(struct wk_loop *loop,
    const struct wk_client_options *options,
    const struct wk_client_handler *handler, void *arg,
    struct wk_error *error);
void *wk_client_arg(const struct wk_client *client);

/* Finish what is open, say goodbye, then closed. */
void wk_client_shutdown(struct wk_client *client);

/*
 * At once, from anywhere but trace; streams hear closed, the client does not.
 * Due after closed, too. NULL is fine.
 */
void wk_client_del(struct wk_client *client);
