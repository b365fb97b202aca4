/* SPDX-License-Identifier: MIT */
/*
 * One socket, perhaps TLS, and the session on it, in the loop: what client.c
 * and server.c have in common. Nobody else includes this.
 *
 * Octets are read while the session wants them, a bounded number in each
 * round, into a block on the stack. What a round has produced is
 * written at its end, in pieces as large as the session gives them. Between
 * the two nothing is kept: an idle connection has no buffers of its own.
 */
#pragma once

#include "common/net/loop.h"
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
	int trace_level;
	struct wk_session_handler events;	/* private */
};

/* Once, when all but events is set. */
void wk_conn_config_init(struct wk_conn_config *config);

enum wk_conn_state {
	WK_CONN_HANDSHAKE,	/* of TLS */
	WK_CONN_DETECT,		/* server, cleartext: which version it is */
	WK_CONN_OPEN,		/* there is a session */
	WK_CONN_GOODBYE,	/* the session is over, close_notify due */
	WK_CONN_LINGER,		/* we have closed, the peer has not */
	WK_CONN_DEAD,		/* freed as soon as nobody is inside */
};

struct wk_conn {
	const struct wk_conn_config *config;
	void *owner;			/* the client or the server */
	struct wk_conn *prev, *next;	/* the owner's */
	struct wk_address peer;
	struct wk_session *session;	/* NULL unless open */
	uint64_t requests;		/* server: so far */
	/* Private from here on. */
	struct wk_io io;
	struct wk_timer timer;
	struct wk_task task;
	struct wk_tls *tls;
	char *reason;			/* of the first failure, or NULL */
	uint64_t deadline_ns;		/* of the state */
	uint64_t progress_ns;		/* when the peer took something */
	enum wk_conn_state state;
	enum wk_session_fate fate;	/* at least, whatever the session's */
	unsigned inside;		/* calls into us, not yet returned */
	unsigned read_on;		/* what reading waits for, WK_IO_... */
	unsigned char n_preface;	/* octets seen that are of HTTP/2 */
	bool is_blocked;		/* output waits for the kernel */
	bool has_read_end, has_finished, is_protocol, has_write_failed;
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

/* Finish what is open, then close; a connection not yet open closes at once. */
void wk_conn_shutdown(struct wk_conn *conn);

/*
 * Now, from anywhere but trace: streams hear closed, the handler does not.
 * The peer sees a broken connection if a stream was open.
 */
void wk_conn_del(struct wk_conn *conn);

/* At the end of this round, as if the peer had gone; closed has the reason. */
void wk_conn_break(struct wk_conn *conn, const char *reason);
