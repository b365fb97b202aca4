/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/ratelimit.h"

#include "common/base/clock.h"

void
ratelimit_init(struct ratelimit *r, uint64_t per_second, uint64_t burst)
{
	/* Rounded up: rather a little less than more. */
	r->interval_ns = per_second == 0 ? 0 :
	    (WK_NS_PER_SEC + per_second - 1) / per_second;
	r->depth_ns = r->interval_ns * (burst - 1);
	r->full_ns = 0;
}

uint64_t
ratelimit_next_ns(const struct ratelimit *r, uint64_t now_ns)
{
	if (r->full_ns <= now_ns || r->full_ns - now_ns <= r->depth_ns)
		return now_ns;
	return r->full_ns - r->depth_ns;
}

bool
ratelimit_take(struct ratelimit *r, uint64_t now_ns)
{
	if (ratelimit_next_ns(r, now_ns) != now_ns)
		return false;
	if (r->full_ns < now_ns)
		r->full_ns = now_ns;
	r->full_ns += r->interval_ns;
	return true;
}
