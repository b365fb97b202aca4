/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base/ratelimit.h"

#include "common/base/clock.h"

void
wk_ratelimit_init_interval(struct wk_ratelimit *r, uint64_t interval_ns,
    uint64_t burst)
{
	r->interval_ns = interval_ns;
	r->depth_ns = interval_ns * (burst - 1);
	r->full_ns = 0;
}

void
wk_ratelimit_init(struct wk_ratelimit *r, uint64_t per_second, uint64_t burst)
{
	/* Rounded up: rather a little less than more. */
	wk_ratelimit_init_interval(r, per_second == 0 ? 0 :
	    (WK_NS_PER_SEC + per_second - 1) / per_second, burst);
}

uint64_t
wk_ratelimit_next_ns(const struct wk_ratelimit *r, uint64_t now_ns)
{
	if (r->full_ns <= now_ns || r->full_ns - now_ns <= r->depth_ns)
		return now_ns;
	return r->full_ns - r->depth_ns;
}

bool
wk_ratelimit_take(struct wk_ratelimit *r, uint64_t now_ns)
{
	if (wk_ratelimit_next_ns(r, now_ns) != now_ns)
		return false;
	if (r->full_ns < now_ns)
		r->full_ns = now_ns;
	r->full_ns += r->interval_ns;
	return true;
}
