/* SPDX-License-Identifier: MIT */
/*
 * A client and a server of common/net in one loop, over real sockets, and raw
 * sockets to trouble the server with. What happens is counted here; tests run
 * the loop until it has.
 */
#pragma once

#include "common/net/client.h"
#include "common/net/server.h"
#include "tests/net/echo.h"
#include "tests/unit/unit.h"

struct pairing {
	const char *name;
	enum wk_http_version version;
	bool has_tls;
};

#ifdef HAVE_QUIC
#define N_PAIRINGS 5
#else
#define N_PAIRINGS 4
#endif
extern const struct pairing pairings[N_PAIRINGS];

/* Where to do what a test does to the other end, or to this one. */
enum stage {
	STAGE_NONE,
	STAGE_CONNECTED,
	STAGE_HEAD,
	STAGE_DATA,
	STAGE_END,
	STAGE_STREAM_CLOSED,
	STAGE_CLOSED,
	STAGE_REQUEST,		/* in the server */
};

struct ends {
	struct wk_loop *loop;
	struct wk_server *server;
	struct wk_client *client;
	struct wk_session *session;	/* of the client */
	struct wk_stream *stream;
	struct wk_server_options server_options;
	struct wk_client_options client_options;
	struct wk_address address;
	struct wk_timer guard;
	/* What the client asks for as soon as it is connected. */
	struct wk_message request;
	bool has_body, keeps_data, keeps_open;
	uint64_t to_send, sent;		/* octets of the body */
	enum stage stage;		/* where to run at_stage */
	void (*at_stage)(struct ends *e);
	/* What happened. */
	unsigned n_connected, n_closed, n_heads, n_ends, n_streams_closed;
	unsigned n_server_closed, n_drained;
	unsigned status;
	bool opens_tunnel, is_wrong;	/* an octet is not the one expected */
	uint64_t received, unconsumed;
	bool has_failed;		/* the stream */
	struct wk_stream_end end;	/* of it, but for reason */
	enum wk_client_failure failure;
	char reason[256], note[256];	/* last words: client's, server's */
	char peer[WK_ADDRESS_TEXT_MAX];	/* of the last request */
	bool is_timed_out;
};

/* A server that echoes as echo.h says, at a port of the loopback. */
void ends_init(struct ends *e, const struct pairing *pairing);
void ends_serve(struct ends *e);
void ends_free(struct ends *e);

/* A client of it, which sends e->request for path. */
void ends_ask(struct ends *e, const char *method, const char *path);

/* A tunnel to path, through which octets go. */
void ends_tunnel(struct ends *e, const char *path, uint64_t octets);

/* Run the loop until a counter reaches n; fail if nothing happens any more. */
void ends_until(struct ends *e, const unsigned *counter, unsigned n);

/* Run the loop until the server has so many connections. */
void ends_until_connections(struct ends *e, size_t n);

/* Run the loop until the server has taken so many. */
void ends_until_accepted(struct ends *e, uint64_t n);

/* Run the loop for a while: as long as nothing happens for that long. */
void ends_settle(struct ends *e, uint64_t quiet_ns);

/* A raw connection to the server, blocking. */
int ends_raw(const struct ends *e);

/* Wait for that many octets on a raw socket, which are thrown away. */
void ends_raw_read(struct ends *e, int fd, size_t octets);

/* Wait for the server to close or reset a raw socket. */
void ends_raw_until_closed(struct ends *e, int fd);
