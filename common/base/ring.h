/* SPDX-License-Identifier: MIT */
/*
 * A queue of octets with a stated maximum: appended behind, taken in front,
 * never moved in between. It grows by doubling as it is used, so that an idle
 * one costs nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wk_ring {	/* caller's storage; len may be read */
	uint8_t *data;
	size_t head, len, cap, max;
};

/* Start empty; at most max octets will ever be held. Allocates nothing. */
void wk_ring_init(struct wk_ring *r, size_t max);

/* Release the octets and start empty again, with the same maximum. */
void wk_ring_free(struct wk_ring *r);

/* Octets that may still be appended. */
static inline size_t
wk_ring_room(const struct wk_ring *r)
{
	return r->max - r->len;
}

/*
 * Append what there is room for. Returns how many octets were taken; fewer
 * than the room when there is no memory.
 */
size_t wk_ring_append(struct wk_ring *r, const void *data, size_t len);

/* Move the first octets to out; len is at most r->len. */
void wk_ring_take(struct wk_ring *r, uint8_t *out, size_t len);
