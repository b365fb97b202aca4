/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a QUIC connection in one loop, over the loopback, with a
 * session in each that remembers what it heard.
 */
#pragma once

#include "tests/unit/unit.h"

#include "common/base/clock.h"
#include "common/net/loop.h"
#include "common/net/quic.h"
#include "common/net/tls.h"
#include "common/net/transport.h"

#define N_FLOWS 1024

struct flow {			/* a stream as one end sees it */
	uint64_t id;
	uint64_t received, to_send, sent, kept;
	uint64_t reset_code, stop_code;
	unsigned n_ends, n_resets, n_stops, n_gone, n_writable, n_data;
	bool finishes;		/* behind to_send */
};

struct ends;

struct end {
	struct ends *ends;
	struct wk_quic *quic;
	struct wk_transport *t;
	bool is_server;
	/* Behaviour. */
	bool echoes;		/* sends back what comes on streams */
	bool echoes_datagrams;
	bool keeps;		/* consumes nothing */
	void (*at_data)(struct end *e, uint64_t id);	/* once */
	void (*at_datagram)(struct end *e);		/* once */
	void (*at_opened)(struct end *e);
	void (*at_leave)(struct end *e);		/* once */
	void (*at_session_closed)(struct end *e);
	void (*at_closed)(struct end *e);
	/* What happened. */
	unsigned n_opened, n_closed, n_session_closed, n_leaves;
	unsigned n_streams_free[2], n_datagram_writable;
	unsigned n_datagrams;
	size_t datagram_octets, last_datagram;
	int depth;		/* of enter and leave */
	bool is_wrong;		/* octets, or events where none may be */
	bool is_protocol, has_reason, is_clean, is_application;
	uint64_t code;
	char reason[256], session_reason[256], note[256];
	struct flow flows[N_FLOWS];
	size_t n_flows;
};

struct ends {
	struct wk_loop *loop;
	struct wk_timer guard;
	bool is_timed_out;
	struct wk_address address, local;
	struct wk_quic_options server_options, client_options;
	struct wk_quic_handler server_handler, client_handler;
	struct wk_quic_endpoint *endpoint;
	struct end client, server;	/* server: the newest */
	unsigned n_accepted;
};

extern struct wk_tls_credentials *quic_server_credentials;

void ends_init(struct ends *e);
void ends_listen(struct ends *e);
void ends_connect(struct ends *e);
void ends_up(struct ends *e);	/* all of these, and the handshake */
void ends_free(struct ends *e);

/* Run until the counter has that value; fails after a minute. */
void ends_until(struct ends *e, const unsigned *counter, unsigned n);
void ends_until_octets(struct ends *e, const uint64_t *counter, uint64_t n);
/* Run until nothing has happened for so long. */
void ends_settle(struct ends *e, uint64_t ns);
/* One thing more. */
void ends_step(struct ends *e);
void ends_happened(struct ends *e);

struct wk_quic_counters ends_counters(const struct ends *e);

/* The stream as that end sees it; made when it is new. */
struct flow *end_flow(struct end *end, uint64_t id);
/* Open and send. */
struct flow *end_open(struct end *end, bool is_uni, uint64_t octets,
    bool finishes);
/* Send what is left. */
void end_push(struct end *end, struct flow *f);
enum wk_transport_sent end_datagram(struct end *end, size_t len);
