/* SPDX-License-Identifier: MIT */
/* Token buckets of rate limits, which all workers share without a lock. */
#include "config.h"

#include "cmd/mcproxy/engine.h"

bool
bucket_take(struct worker *w, const struct route *route)
{
	_Atomic uint64_t *tokens = &w->proxy->buckets[route->bucket];
	_Atomic uint64_t *filled = &w->proxy->bucket_ns[route->bucket];
	uint64_t last = atomic_load(filled), n, ticks;

	if (last == 0 && atomic_compare_exchange_strong(filled, &last,
	    w->now_ns))
		atomic_store(tokens, route->limit);
	last = atomic_load(filled);
	ticks = w->now_ns > last ? (w->now_ns - last) / route->tick_ns : 0;
	if (ticks > 0 && atomic_compare_exchange_strong(filled, &last,
	    last + ticks * route->tick_ns)) {
		n = atomic_load(tokens) + (ticks < 1000000 ? ticks : 1000000) *
		    route->fill;
		atomic_store(tokens, n > route->limit ? route->limit : n);
	}
	for (n = atomic_load(tokens); n > 0;)
		if (atomic_compare_exchange_weak(tokens, &n, n - 1))
			return true;
	return false;
}
