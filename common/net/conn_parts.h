/* SPDX-License-Identifier: MIT */
/* What the files of conn.h share: conn.c, conn_open.c and conn_io.c. */
#pragma once

#include "common/net/conn.h"

/* Octets read at once. On the stack, so that no connection keeps any. */
#define WK_CONN_BLOCK 65536

static inline uint64_t
wk_conn_now_ns(const struct wk_conn *conn)
{
	return wk_loop_now_ns(conn->io.loop);
}

/* False: the owner has given it up in a call that has just returned. */
static inline bool
wk_conn_is_alive(const struct wk_conn *conn)
{
	return conn->state != WK_CONN_DEAD;
}

/* conn.c */

/* A line for -v. */
void wk_conn_note(struct wk_conn *conn, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first reason is kept; the worst fate counts. */
void wk_conn_fail(struct wk_conn *conn, enum wk_session_fate fate,
    bool is_protocol, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Have the session's streams hear the reason so far, if there is one. */
void wk_conn_explain(struct wk_conn *conn);

/* What the session says, but never less than what happened to us. */
enum wk_session_fate wk_conn_fate(const struct wk_conn *conn);

/* conn_open.c */

/* The list for wk_tls_new() that those versions make. */
const char *const *wk_conn_alpn(unsigned versions);

/* The TLS handshake, or the same moment of a connection without TLS. */
void wk_conn_handshake(struct wk_conn *conn);

/* The first octets tell; those that HTTP/2 begins with need not be kept. */
void wk_conn_detect(struct wk_conn *conn, const uint8_t *data, size_t len);

/* conn_io.c */

/* Octets for the session, if there is one. */
void wk_conn_feed(struct wk_conn *conn, const void *data, size_t len);

bool wk_conn_wants_input(const struct wk_conn *conn);

/* Read what is there and wanted, up to a round's share. */
void wk_conn_read(struct wk_conn *conn);

/*
 * Write what there is, up to a round's share. Fetching is also how the session
 * learns that it may tell us of more, so it is done even while nothing can be
 * written.
 */
void wk_conn_write(struct wk_conn *conn);

/* Say close_notify, where that is due; false: it is not out yet. */
bool wk_conn_has_said_bye(struct wk_conn *conn);
