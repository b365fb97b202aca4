/* SPDX-License-Identifier: MIT */
/*
 * The client's side of a tunnel: dials, asks, judges the answer, explains a
 * failure, and ends with an exit code. What goes through it is its user's.
 */
#pragma once

#include "common/cli/netopt.h"
#include "common/cli/tunnel_request.h"
#include "common/net/client.h"

struct wk_tunnel;

struct wk_tunnel_handler {
	void (*open)(struct wk_tunnel *t, struct wk_stream *s);
	/* The tunnel is over, before anything is said about it. */
	void (*over)(struct wk_tunnel *t);
	/* Without head and closed, which are ours; see wk_tunnel_arg(). */
	struct wk_stream_handler stream;
};

/* In these events: the argument given to wk_tunnel_init(). */
void *wk_tunnel_arg(const struct wk_stream *s);

struct wk_tunnel {
	struct wk_loop *loop;
	struct wk_stream *stream;	/* NULL when there is none (any more) */
	void *arg;
	struct wk_client_options client_options; /* to adjust before run */
	/* Private from here on. */
	struct wk_tunnel_options options;
	const struct wk_tunnel_handler *handler;
	struct wk_stream_handler events;
	struct wk_tunnel_request request;
	struct wk_net_dial storage;
	struct wk_client *client;
	struct wk_io signals;
	struct wk_timer max_time;
	struct wk_timer answer;		/* how long it may take */
	int rc;
	bool is_open, is_cancelled, was_told, is_deleting, is_out_of_time;
};

/*
 * Prepare everything that can be wrong before a connection. WK_EXIT_OK, or an
 * exit code after a message, and nothing is to be freed.
 */
int wk_tunnel_init(struct wk_tunnel *t, const struct wk_tunnel_options *options,
    const struct wk_tunnel_handler *handler, void *arg);

/* Connect and run until the tunnel is over; an exit code, all was said. */
int wk_tunnel_run(struct wk_tunnel *t);

/* Inside of wk_tunnel_run(): end it; not a failure by itself. */
void wk_tunnel_cancel(struct wk_tunnel *t, const char *reason);

/* Its user has said what is wrong: nothing more is said, whatever comes. */
void wk_tunnel_hush(struct wk_tunnel *t);

/* A signal or --max-time ended it: whatever waits, do not wait for it long. */
bool wk_tunnel_was_stopped(const struct wk_tunnel *t);

void wk_tunnel_free(struct wk_tunnel *t);
