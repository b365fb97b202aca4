/* SPDX-License-Identifier: MIT */
/*
 * A connection over TCP or a unix socket, perhaps with TLS: what conn_tcp.c,
 * conn_tcp_open.c and conn_tcp_io.c share.
 *
 * Octets are read while the session wants them, a bounded number in each
 * round, into a block on the stack. What a round has produced is
 * written at its end, in pieces as large as the session gives them. Between
 * the two nothing is kept: an idle connection has no buffers of its own.
 */
#pragma once

#include "common/net/conn.h"

/* Octets read at once. On the stack, so that no connection keeps any. */
#define CONN_TCP_BLOCK 65536

enum conn_tcp_state {
	CONN_TCP_HANDSHAKE,	/* of TLS */
	CONN_TCP_DETECT,	/* server, cleartext: which version it is */
	CONN_TCP_OPEN,		/* there is a session */
	CONN_TCP_GOODBYE,	/* the session is over, close_notify due */
	CONN_TCP_LINGER,	/* we have closed, the peer has not */
	CONN_TCP_DEAD,		/* freed as soon as nobody is inside */
};

struct conn_tcp {
	struct wk_conn base;
	struct wk_io io;
	struct wk_timer timer;
	struct wk_task task;
	struct wk_tls *tls;
	char *reason;			/* of the first failure, or NULL */
	uint64_t deadline_ns;		/* of the state */
	uint64_t progress_ns;		/* when the peer took something */
	enum conn_tcp_state state;
	enum wk_session_fate fate;	/* at least, whatever the session's */
	unsigned inside;		/* calls into us, not yet returned */
	unsigned read_on;		/* what reading waits for, WK_IO_... */
	unsigned char n_preface;	/* octets seen that are of HTTP/2 */
	bool is_blocked;		/* output waits for the kernel */
	bool has_read_end, has_finished, is_protocol, has_write_failed;
};

static inline uint64_t
conn_tcp_now_ns(const struct conn_tcp *conn)
{
	return wk_loop_now_ns(conn->io.loop);
}

/* False: the owner has given it up in a call that has just returned. */
static inline bool
conn_tcp_is_alive(const struct conn_tcp *conn)
{
	return conn->state != CONN_TCP_DEAD;
}

/* conn_tcp.c */

/* The first reason is kept; the worst fate counts. */
void conn_tcp_fail(struct conn_tcp *conn, enum wk_session_fate fate,
    bool is_protocol, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Have the session's streams hear the reason so far, if there is one. */
void conn_tcp_explain(struct conn_tcp *conn);

/* What the session says, but never less than what happened to us. */
enum wk_session_fate conn_tcp_fate(const struct conn_tcp *conn);

/* conn_tcp_open.c */

/* The list for wk_tls_new() that those versions make. */
const char *const *conn_tcp_alpn(unsigned versions);

/* The TLS handshake, or the same moment of a connection without TLS. */
void conn_tcp_handshake(struct conn_tcp *conn);

/* The first octets tell; those that HTTP/2 begins with need not be kept. */
void conn_tcp_detect(struct conn_tcp *conn, const uint8_t *data, size_t len);

/* conn_tcp_io.c */

/* Octets for the session, if there is one. */
void conn_tcp_feed(struct conn_tcp *conn, const void *data, size_t len);

bool conn_tcp_wants_input(const struct conn_tcp *conn);

/* Read what is there and wanted, up to a round's share. */
void conn_tcp_read(struct conn_tcp *conn);

/*
 * Write what there is, up to a round's share. Fetching is also how the session
 * learns that it may tell us of more, so it is done even while nothing can be
 * written.
 */
void conn_tcp_write(struct conn_tcp *conn);

/* Say close_notify, where that is due; false: it is not out yet. */
bool conn_tcp_has_said_bye(struct conn_tcp *conn);
