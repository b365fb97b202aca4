/* SPDX-License-Identifier: MIT */
/* What the files of client.h share: client.c, client_tcp.c, client_quic.c. */
#pragma once

#include <errno.h>
#include <string.h>

#include "common/net/client.h"
#include "common/net/conn.h"
#include "common/net/proxy.h"
#include "common/net/proxy_tunnel.h"

#define BIND_MAX 2 /* one for each family */
#define QUIC_ATTEMPTS_MAX ((size_t)2 * WK_RESOLVE_MAX)

struct wk_client {
	const struct wk_client_handler *handler;
	void *arg;
	struct wk_conn_config config;
	struct wk_dial_options dial;
	struct wk_address bind[BIND_MAX];
	char *name; /* as in the URL */
	char *dial_host, *unix_path;
	struct wk_proxy proxy;
	/* Over TCP; at most one of these is there, in this order. */
	struct wk_dial *dialing;
	struct wk_proxy_tunnel *tunnel;
	struct wk_conn *conn; /* once connected, of either way */
	int fd;               /* the tunnel's */
	struct wk_address peer;
	struct wk_timer timer; /* of all that comes before connected */
	/* Over QUIC. */
	struct wk_dial *quic_dialing;
	struct wk_conn *quic_attempts[QUIC_ATTEMPTS_MAX]; /* by number */
	struct wk_timer race;                             /* when TCP begins */
	char *quic_failure, *tcp_failure; /* where the other goes on */
	bool wants_tcp;                   /* not begun yet */
	struct wk_task task; /* for news that a verb may not bring */
	uint64_t deadline_ns;
	bool is_connected, is_over, is_deleting;
};

static inline bool
wk_client_has_proxy(const struct wk_client *client)
{
	return client->proxy.kind != WK_PROXY_NONE;
}

/* client.c */

/* A line for -v. */
void wk_client_note(struct wk_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* client->conn is there, with a session: the owner hears, the last thing. */
void wk_client_connected(struct wk_client *client);

/*
 * A way has led nowhere: it is over, unless the other one is still under way.
 * The last thing done: the client may be deleted in closed.
 */
void wk_client_tcp_failed(struct wk_client *client,
    enum wk_client_failure failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void wk_client_quic_failed(struct wk_client *client, const char *reason);

/* client_tcp.c: name, connection, proxy, and the connection there. */

/* WK_OK, or WK_E_SYSTEM with errno. */
int wk_client_start_tcp(struct wk_client *client);
void wk_client_stop_tcp(struct wk_client *client);
void wk_client_tcp_timeout(struct wk_timer *timer);

/* client_quic.c: name and handshakes. */

int wk_client_start_quic(struct wk_client *client,
    const struct wk_quic_options *options, struct wk_error *error);
void wk_client_stop_quic(struct wk_client *client);

/* An attempt's number, from 1; 0: it is not QUIC's, or not any more. */
unsigned wk_client_quic_attempt(
    const struct wk_client *client, const struct wk_conn *conn);
