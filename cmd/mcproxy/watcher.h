/* SPDX-License-Identifier: MIT */
/* What watch.c (lines) and watcher.c (who gets them) share. */
#pragma once

#include "cmd/mcproxy/engine.h"
#include "common/base/buf.h"

#define WATCHER_WAITING_MAX ((size_t)256 << 10)	/* in its buffer */

struct watcher {
	struct watcher *next;
	struct client *client;
	struct worker *worker;
	unsigned streams;
	/* Which requests: one in rate, all that took so long, all that failed. */
	uint64_t rate, slow_us, n;
	bool has_slow, has_errors;
	struct wk_buf waiting;
	uint64_t skipped;	/* since the last line that fitted */
	bool is_awake;		/* its worker knows that something waits */
};

struct watchers {
	pthread_mutex_t lock;
	struct watcher *first;
	uint64_t number, sent, skipped;
	size_t n;
};

extern struct watchers watchers;
