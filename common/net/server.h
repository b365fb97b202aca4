/* SPDX-License-Identifier: MIT */
/*
 * Listen and hand out streams: over TLS by ALPN (h2, http/1.1), in cleartext by
 * the first octets, so that one port serves both versions; HTTP/3 by QUIC at
 * the same port of UDP. Garbage, floods and peers that stall cost their own
 * connection only.
 */
#pragma once

#include "common/net/loop.h"
#include "common/net/quic.h"
#include "common/net/session.h"
#include "common/net/sock.h"
#include "common/net/tls.h"

struct wk_server_options {
	const struct wk_address *addresses;	/* copied */
	size_t n_addresses;
	unsigned versions;		/* set of enum wk_http_version */
	struct wk_tls_credentials *credentials;	/* borrowed; NULL: cleartext */
	struct wk_session_limits limits;
	size_t max_connections;		/* beyond them, the listener waits */
	uint64_t handshake_timeout_ns;	/* of TLS */
	uint64_t stall_timeout_ns;	/* the peer takes nothing; 0: never */
	/* HTTP/3: credentials and ALPN are filled in. NULL: defaults. */
	const struct wk_quic_options *quic;	/* copied */
	int trace_level;
};

/*
 * HTTP/1.1 and HTTP/2, the sessions' own defaults, 10,000 connections, 10 s for the
 * handshake, 60 s for a stall.
 */
void wk_server_options_default(struct wk_server_options *options);

struct wk_server;

struct wk_server_handler {
	/* As wk_session_handler.request. */
	void (*request)(struct wk_server *server, struct wk_stream *s,
	    const struct wk_message *m);
	/* Connections too; peer is the text of its address. Not to del in. */
	void (*trace)(struct wk_server *server, const char *peer,
	    enum wk_trace kind, uint64_t stream_id, const char *text);
	/* After wk_server_drain(): the last connection is gone. */
	void (*drained)(struct wk_server *server);
};

/*
 * Accept connections, and where that fails because descriptors or memory have
 * run out, wait and try again. NULL with error: WK_E_INVALID, WK_E_NOMEM, or
 * why one of the addresses cannot be listened at.
 */
struct wk_server *wk_server_new(struct wk_loop *loop,
    const struct wk_server_options *options,
    const struct wk_server_handler *handler, void *arg,
    struct wk_error *error);
void *wk_server_arg(const struct wk_server *server);

/* Where it listens, with the ports that the kernel chose. */
const struct wk_address *wk_server_addresses(const struct wk_server *server,
    size_t *n);

/* Whose connection carries the stream. */
const struct wk_address *wk_server_peer(const struct wk_stream *s);
struct wk_server *wk_server_of(const struct wk_stream *s);

struct wk_server_counters {
	uint64_t accepted, refused;	/* refused: broke before a request */
	uint64_t requests;
	size_t connections, streams;	/* now */
};

void wk_server_counters(const struct wk_server *server,
    struct wk_server_counters *counters);

/*
 * Accept no more, let streams finish until the deadline, then break them. May
 * be called again with another deadline.
 */
void wk_server_drain(struct wk_server *server, uint64_t deadline_ns);

/* At once, from anywhere but trace; streams hear closed. NULL is fine. */
void wk_server_del(struct wk_server *server);
