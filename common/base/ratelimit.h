/* SPDX-License-Identifier: MIT */
/*
 * A token bucket, kept as the time at which it would be full again. No clock:
 * now_ns is an argument, monotonic, of any origin.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WK_RATELIMIT_MAX UINT64_C(1000000)	/* per second */

struct wk_ratelimit {
	uint64_t interval_ns;	/* between two tokens; 0: no limit */
	uint64_t depth_ns;	/* how long the bucket takes to fill, less one */
	uint64_t full_ns;	/* when it will be full, as things are */
};

/* per_second 0 is no limit, else at most WK_RATELIMIT_MAX; burst at least 1. */
void wk_ratelimit_init(struct wk_ratelimit *r, uint64_t per_second,
    uint64_t burst);

/*
 * The same by the time between two tokens, for rates that are no whole number;
 * 0 is no limit.
 */
void wk_ratelimit_init_interval(struct wk_ratelimit *r, uint64_t interval_ns,
    uint64_t burst);

/* Take a token if there is one. */
bool wk_ratelimit_take(struct wk_ratelimit *r, uint64_t now_ns);

/* When the next token can be taken; now_ns if at once. */
uint64_t wk_ratelimit_next_ns(const struct wk_ratelimit *r, uint64_t now_ns);
