/* SPDX-License-Identifier: MIT */
/*
 * A bad network in the middle: drops, doubles and reorders datagrams by a
 * seeded generator, and can take another port towards the server, as a NAT
 * does that forgot.
 */
#pragma once

#include "tests/unit/quic_ends.h"

struct relay_side {
	struct relay *relay;
	struct wk_io io;
	struct wk_address peer;		/* where what comes out here goes */
	uint8_t held[2048];		/* until the next, or for 5 ms */
	size_t held_len;
	struct wk_timer timer;
};

struct relay {
	struct wk_loop *loop;
	struct relay_side client, server;	/* that it talks to */
	struct wk_address address;	/* for the client */
	uint32_t seed;
	unsigned percent;		/* of each kind of trouble */
	bool is_cut;			/* nothing gets through */
	bool is_deaf;			/* nothing from the client does */
	uint64_t from_client, from_server;	/* octets */
	unsigned n_from_client, n_from_server;
	unsigned n_big_dropped;		/* full datagrams, no probes */
};

void relay_init(struct relay *r, struct ends *e, unsigned percent,
    uint32_t seed);
void relay_rebind(struct relay *r);
void relay_free(struct relay *r);
