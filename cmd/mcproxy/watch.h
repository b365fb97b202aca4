/* SPDX-License-Identifier: MIT */
/*
 * Log streams ("watch"): lines of what happens, for clients that asked. Any
 * thread may say something; a watcher's lines wait in a buffer of its own with
 * a limit, and its worker writes them when the client takes them. What does
 * not fit is dropped and counted, so that a slow watcher costs nobody else
 * anything. While nobody watches, asking so is all that is done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/mcproxy/engine.h"

enum watch_stream {
	WATCH_EVENTS = 1 << 0,		/* proxyevents */
	WATCH_REQUESTS = 1 << 1,	/* proxyreqs */
	WATCH_USER = 1 << 2,		/* proxyuser */
};

/* What all watchers together want. */
extern _Atomic unsigned watch_wanted;

static inline bool
watch_wants(enum watch_stream stream)
{
	return (atomic_load_explicit(&watch_wanted, memory_order_relaxed) &
	    stream) != 0;
}

/*
 * The client becomes a watcher; words are the rest of its command line. The
 * answer, a line of ours.
 */
const char *watch_start(struct client *c, const char *words, size_t len);
void watch_stop(struct client *c);

/* Give the watchers among a worker's clients what waits for them. */
void watch_deliver(struct worker *w);

void watch_request(const struct worker *w, const struct request_state *r,
    const struct answer *a);
/* input is what the backend sent that was wrong, or NULL. */
void watch_backend(const struct server *s, const char *error,
    const char *input, size_t len);
void watch_marked(const struct server *s, bool has_flapped,
    uint64_t retry_ns);
/* "start", "done", "failed" */
void watch_conf(const char *status);
void watch_text(enum watch_stream stream, const char *type, const char *text);

struct watch_counts {
	uint64_t watchers, sent, skipped;
};
struct watch_counts watch_counts(void);
