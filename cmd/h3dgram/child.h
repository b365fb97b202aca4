/* SPDX-License-Identifier: MIT */
/*
 * --serve exec: a command for each tunnel, the datagrams of which are on its
 * standard input and output in the framings of the options. Never by a shell.
 * It is asked to end when its tunnel is over, told to a little later, and
 * reaped in any case.
 */
#pragma once

#include <stdbool.h>

#include "cmd/h3dgram/datagrams.h"
#include "common/net/loop.h"
#include "common/net/server.h"

struct child;

struct children {		/* all zeros but these is a new one */
	const struct options *opt;
	struct wk_loop *loop;
	struct datagrams *datagrams;
	struct child *first;
	uint64_t dropped;	/* the command does not read them */
	uint64_t n_failed;	/* ended with something else than 0 */
};

/* NULL after a message; the stream is the caller's then. */
struct child *child_begin(struct children *all, struct wk_stream *s,
    const struct wk_message *request);

/* The stream's events. */
void child_datagram(struct child *c, const uint8_t *data, size_t len);
void child_writable(struct child *c);
void child_input_ended(struct child *c);

/* The stream is over: nothing more of it is used. */
void child_leave(struct child *c);

/* Behind the loop: end and reap whoever is left. */
void children_finish(struct children *all);
