/* SPDX-License-Identifier: MIT */
/*
 * The client's side of a tunnel: dials, asks, judges the answer, explains a
 * failure, and ends with an exit code. What goes through it is its user's.
 */
#pragma once

#include "cmd/capsule-cat/options.h"
#include "cmd/capsule-cat/request.h"
#include "common/cli/netopt.h"
#include "common/net/client.h"

struct dial;

struct dial_handler {
	void (*open)(struct dial *d, struct wk_stream *s);
	/* The tunnel is over, before anything is said about it. */
	void (*over)(struct dial *d);
	/* Without head and closed, which are dial's; see dial_arg(). */
	struct wk_stream_handler stream;
};

/* In these events: the argument given to dial_init(). */
void *dial_arg(const struct wk_stream *s);

struct dial {
	struct wk_loop *loop;
	struct wk_stream *stream;	/* NULL when there is none (any more) */
	void *arg;
	/* Private from here on. */
	const struct options *opt;
	const struct dial_handler *handler;
	struct wk_stream_handler events;
	struct request request;
	struct wk_client_options client_options;
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
int dial_init(struct dial *d, const struct options *opt,
    const struct dial_handler *handler, void *arg);

/* Connect and run until the tunnel is over; an exit code, all was said. */
int dial_run(struct dial *d);

/* Inside of dial_run(): end it; not a failure by itself. */
void dial_cancel(struct dial *d, const char *reason);

/* Its user has said what is wrong: nothing more is said, whatever comes. */
void dial_hush(struct dial *d);

/* A signal or --max-time ended it: whatever waits, do not wait for it long. */
bool dial_was_stopped(const struct dial *d);

void dial_free(struct dial *d);
