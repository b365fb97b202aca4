/* SPDX-License-Identifier: MIT */
/*
 * A token bucket, kept as the time at which it would be full again. No clock:
 * now_ns is an argument, monotonic, of any origin.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RATELIMIT_MAX UINT64_C(1000000)	/* per second */

struct ratelimit {
	uint64_t interval_ns;	/* between two tokens; 0: no limit */
	uint64_t depth_ns;	/* how long the bucket takes to fill, less one */
	uint64_t full_ns;	/* when it will be full, as things are */
};

/* per_second 0 is no limit, else at most RATELIMIT_MAX; burst at least 1. */
void ratelimit_init(struct ratelimit *r, uint64_t per_second, uint64_t burst);

/* Take a token if there is one. */
bool ratelimit_take(struct ratelimit *r, uint64_t now_ns);

/* When the next token can be taken; now_ns if at once. */
uint64_t ratelimit_next_ns(const struct ratelimit *r, uint64_t now_ns);
