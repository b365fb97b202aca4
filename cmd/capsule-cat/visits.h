/* SPDX-License-Identifier: MIT */
/*
 * Tunnels that a listener answers itself: echo, discard, dump. Flow control
 * holds from the peer to the reader of our output; what arrived before its
 * tunnel was over is shown after that, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/capsule-cat/options.h"
#include "common/cli/outlet.h"
#include "common/net/server.h"

struct visits_handler {
	void (*served)(void *arg);	/* a tunnel is over */
	void (*failed)(void *arg);	/* our output cannot be written */
};

struct visits {
	const struct options *opt;
	struct wk_outlet *outlet;
	const struct visits_handler *handler;
	void *arg;
	struct visit *first;
	uint64_t n_open, n_begun;
};

/* Everything is borrowed. */
void visits_init(struct visits *all, const struct options *opt,
    struct wk_outlet *outlet, const struct visits_handler *handler, void *arg);

/* Take over a stream whose request is to be granted; false without memory. */
bool visits_begin(struct visits *all, struct wk_stream *s);

/* The outlet has room again. */
void visits_drained(struct visits *all);

/* The server is gone: show what is left, forget everything. */
void visits_finish(struct visits *all);
