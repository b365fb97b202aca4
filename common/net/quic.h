/* SPDX-License-Identifier: MIT */
/*
 * QUIC (RFC 9000, 9001, 9002; DATAGRAM frames of RFC 9221; version 2 of RFC
 * 9369 where the library has it) over ngtcp2 and GnuTLS, on UDP sockets in the
 * loop. An endpoint is one or more sockets and the connections on them; each
 * connection is a transport (transport.h).
 *
 * A client's endpoint has one connection on a connected socket. A server's
 * finds connections by their ids, validates addresses by Retry when told to or
 * when many handshakes are under way, answers unknown versions, and resets what
 * it does not know. Packets go in batches: GSO and GRO where the kernel has
 * them, sendmmsg and recvmmsg elsewhere.
 *
 * A session that is deleted while its connection stays (in leave) takes itself
 * out of the transport: handler NULL.
 */
#pragma once

#include "common/net/loop.h"
#include "common/net/sock.h"
#include "common/net/tls.h"
#include "common/net/transport.h"

enum wk_quic_versions {	/* bits */
	WK_QUIC_V1 = 1 << 0,
	WK_QUIC_V2 = 1 << 1,	/* WK_E_UNSUPPORTED where the library has none */
};

struct wk_quic_options {
	struct wk_tls_credentials *credentials;	/* a hold is taken */
	const char *const *alpn;	/* as wk_tls_new(); copied by nobody */
	unsigned versions;		/* bits; the highest is preferred, and */
					/* a client starts with the lowest */
	uint64_t handshake_timeout_ns;
	uint64_t idle_timeout_ns;	/* of the connection; 0: none by us */
	uint64_t keep_alive_ns;		/* PING when silent so long; 0: never */
	uint64_t max_streams_bidi, max_streams_uni;	/* the peer's at once */
	size_t stream_window, connection_window;	/* not yet consumed */
	size_t max_queued;		/* written and not yet sent, per stream */
	size_t max_datagrams_queued;	/* octets of datagrams that wait */
	size_t udp_payload;		/* at first; 0: 1200, then what path */
					/* MTU discovery finds */
	bool has_no_datagrams;		/* advertise none */
	bool has_no_pmtud, has_no_gso;
	const char *qlog_dir;		/* a file for each connection; NULL */

	/* Servers. */
	bool always_validates;		/* Retry for everybody */
	size_t retry_threshold;		/* handshakes under way, from which on */
					/* addresses are validated; 0: 64 */
	size_t max_connections;
	/* 32 octets that resets and tokens are made of, so that a server that */
	/* was started anew can still say both; copied. NULL: one of this */
	/* process's own. */
	const uint8_t *secret;

	/* Clients: TLS tickets of an earlier connection, where they can be */
	/* kept from one to the next; NULL: no resumption. Never 0-RTT: what */
	/* tunnels ask for is not safe to be replayed. */
	struct wk_quic_ticket *ticket;
};

/*
 * Version 1, 10 s for the handshake, 30 s idle, no keep-alive, 100 and 16
 * streams, 1 MiB and 16 MiB of windows, 256 KiB queued, 1 MiB of datagrams,
 * 10,000 connections.
 */
void wk_quic_options_default(struct wk_quic_options *options);

struct wk_quic;			/* a connection */
struct wk_quic_endpoint;

struct wk_quic_handler {
	/* Client: the handshake is complete. Make the session here. */
	/* Server: the same, for a connection that is new to the owner. */
	void (*opened)(struct wk_quic *quic);
	/*
	 * Over, the session has heard; the connection is freed behind this.
	 * NULL reason: nothing was wrong, that is, either side closed with a
	 * code that says so (0 or 0x100). is_protocol: the peer broke QUIC, or
	 * HTTP/3, that is, the session closed with another code. Comes for
	 * clients' failed handshakes, too; never for a server's.
	 */
	void (*closed)(struct wk_quic *quic, bool is_protocol,
	    const char *reason);
	/* For -v; on servers not before opened. NULL: quiet. */
	void (*trace)(struct wk_quic *quic, const char *text);
};

/*
 * Dial an address. name: as wk_tls_new(). local: bind to it, NULL: whatever
 * the kernel chooses. Nothing is called back before this returns. NULL with
 * error.
 */
struct wk_quic *wk_quic_connect(struct wk_loop *loop,
    const struct wk_address *peer, const struct wk_address *local,
    const char *name, const struct wk_quic_options *options,
    const struct wk_quic_handler *handler, void *arg, struct wk_error *error);

/*
 * Listen at one address; the port that the kernel chose is written back. NULL
 * with error. Connections get the argument as theirs until they are given
 * another.
 */
struct wk_quic_endpoint *wk_quic_listen(struct wk_loop *loop,
    struct wk_address *address, const struct wk_quic_options *options,
    const struct wk_quic_handler *handler, void *arg, struct wk_error *error);

void wk_quic_set_arg(struct wk_quic *quic, void *arg);
void *wk_quic_arg(const struct wk_quic *quic);

struct wk_transport *wk_quic_transport(struct wk_quic *quic);
const struct wk_address *wk_quic_peer(const struct wk_quic *quic);

/*
 * "QUIC v1, TLS1.3, AES-128-GCM, certificate of example.org", and ", resumed"
 * with a ticket's help. Borrowed.
 */
const char *wk_quic_description(struct wk_quic *quic);

/*
 * What a session on it has produced is sent at the end of the round; whoever
 * calls verbs outside of events says so here. Cheap.
 */
void wk_quic_wake(struct wk_quic *quic);

/*
 * Close with an application error code, at the end of the round; the session
 * hears closed then, and the handler with the reason given. The peer's late packets are still answered
 * for three probe timeouts by the endpoint.
 */
void wk_quic_close(struct wk_quic *quic, uint64_t code, const char *reason);

/*
 * Now, from anywhere: a CONNECTION_CLOSE goes out, the session hears closed,
 * the handler does not. NULL is fine.
 */
void wk_quic_del(struct wk_quic *quic);

/* Client: the server confirmed the handshake (RFC 9001, section 4.1.2). */
bool wk_quic_is_confirmed(const struct wk_quic *quic);

/*
 * Client: go on from another local address, on a new socket (RFC 9000, section
 * 9); NULL: whatever the kernel chooses. Done by itself when the kernel says
 * that the address in use is gone. WK_OK or a status with error.
 */
int wk_quic_migrate(struct wk_quic *quic, const struct wk_address *local,
    struct wk_error *error);

/*
 * Client, for tests and the curious: ask for new keys (RFC 9001, section 6).
 * WK_E_INVALID: not now, the last ones are too young.
 */
int wk_quic_update_keys(struct wk_quic *quic);

struct wk_quic_counters {
	uint64_t packets, dropped;	/* received; of them, of no use */
	uint64_t version_negotiations, retries, resets;	/* sent */
	uint64_t accepted, refused;	/* connections */
	size_t connections, handshakes;	/* now */
};

void wk_quic_endpoint_counters(const struct wk_quic_endpoint *endpoint,
    struct wk_quic_counters *counters);

/* Take no new connections; those that are there go on. */
void wk_quic_endpoint_drain(struct wk_quic_endpoint *endpoint);

/* Now; connections as wk_quic_del(). NULL is fine. */
void wk_quic_endpoint_del(struct wk_quic_endpoint *endpoint);

/*
 * Tickets for resumption: one server's, the newest; caller's to delete, behind
 * all connections that were given it.
 */
struct wk_quic_ticket *wk_quic_ticket_new(void);
void wk_quic_ticket_del(struct wk_quic_ticket *ticket);
