/* SPDX-License-Identifier: MIT */
/*
 * One connection and the session on it, in the loop: what client.c and
 * server.c have in common. Nobody else includes this. conn_tcp.c has a socket
 * underneath, perhaps with TLS; conn_quic.c has QUIC.
 */
#pragma once

#include "common/net/loop.h"
#include "common/net/quic.h"
#include "common/net/session.h"
#include "common/net/sock.h"
#include "common/net/tls.h"

struct wk_conn;

struct wk_conn_handler {
	/* The version is agreed on, conn->session is there. */
	void (*opened)(struct wk_conn *conn);
	void (*request)(struct wk_conn *conn, struct wk_stream *s,
	    const struct wk_message *m);
	/*
	 * Over, streams have heard closed; conn is freed behind this. NULL
	 * reason: nothing was wrong. is_protocol: the peer broke HTTP.
	 */
	void (*closed)(struct wk_conn *conn, bool is_protocol,
	    const char *reason);
	void (*trace)(struct wk_conn *conn, enum wk_trace kind,
	    uint64_t stream_id, const char *text);
};

/* What the connections of one client or server share; must outlive them. */
struct wk_conn_config {
	struct wk_loop *loop;
	const struct wk_conn_handler *handler;
	bool is_server;
	unsigned versions;	/* set of enum wk_http_version */
	struct wk_tls_credentials *credentials;	/* NULL: cleartext */
	const char *name;	/* client: for TLS */
	struct wk_session_limits limits;
	uint64_t stall_timeout_ns;	/* 0: never */
	struct wk_quic_options quic;	/* where versions has HTTP/3 */
	int trace_level;
	struct wk_session_handler events;	/* private */
};

/* Once, when all but events is set. */
void wk_conn_config_init(struct wk_conn_config *config);

struct wk_conn_ops {
	void (*shutdown)(struct wk_conn *conn);
	void (*break_off)(struct wk_conn *conn, const char *reason);
	void (*del)(struct wk_conn *conn);
	/* Session, look: it has output, or its fate or deadline changed. */
	void (*wake)(struct wk_conn *conn);
};

/* Both kinds begin with this. */
struct wk_conn {
	const struct wk_conn_ops *ops;
	const struct wk_conn_config *config;
	void *owner;			/* the client or the server */
	struct wk_conn *prev, *next;	/* the owner's */
	struct wk_address peer;
	struct wk_session *session;	/* NULL unless open */
	uint64_t requests;		/* server: so far */
};

/*
 * Take over a connected descriptor. A client's handshake, or a server's with
 * TLS, has to be over at deadline_ns (WK_NEVER: no matter when). Nothing is
 * called back before this returns. NULL: error says why, and fd is still the
 * caller's.
 */
struct wk_conn *wk_conn_new(const struct wk_conn_config *config, void *owner,
    int fd, const struct wk_address *peer, uint64_t deadline_ns,
    struct wk_error *error);

/*
 * Client: begin QUIC's handshake with peer, from local unless NULL. Nothing is
 * called back before this returns. NULL: error says why.
 */
struct wk_conn *wk_conn_quic_dial(const struct wk_conn_config *config,
    void *owner, const struct wk_address *peer,
    const struct wk_address *local, struct wk_error *error);

/*
 * Server: QUIC at that address; the port that the kernel chose is written back.
 * Connections that have come about are handed to accepted, which may refuse
 * them (then they are closed with H3_NO_ERROR). NULL: error says why.
 */
struct wk_conn_listener;
struct wk_conn_listener *wk_conn_quic_listen(
    const struct wk_conn_config *config, void *owner,
    bool (*accepted)(void *owner, struct wk_conn *conn),
    struct wk_address *address, struct wk_error *error);

/* No more connections; those there are go on. */
void wk_conn_quic_drain(struct wk_conn_listener *listener);

/* When its connections are gone; NULL is fine. */
void wk_conn_listener_del(struct wk_conn_listener *listener);

/* Finish what is open, then close; a connection not yet open closes at once. */
void wk_conn_shutdown(struct wk_conn *conn);

/*
 * Now, from anywhere but trace: streams hear closed, the handler does not.
 * The peer sees a broken connection if a stream was open. NULL is fine.
 */
void wk_conn_del(struct wk_conn *conn);

/* At the end of this round, as if the peer had gone; closed has the reason. */
void wk_conn_break(struct wk_conn *conn, const char *reason);

/* --- for conn_tcp.c and conn_quic.c ---------------------------------------- */

/* A line for -v. */
void wk_conn_note(struct wk_conn *conn, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Its streams hear closed, the handler hears nothing of that. */
void wk_conn_end_session(struct wk_conn *conn);

/*
 * The same for a session that is in the middle of something and cannot be
 * freed yet: whoever is inside does it later.
 */
void wk_conn_orphan_session(struct wk_conn *conn);
