/* SPDX-License-Identifier: MIT */
/*
 * What a tunnel brings, shown as fast as the output is read. Capsules become
 * text that is many times longer, so they are taken in slices, and a peer's
 * window opens only for what was shown: no more than a window ever waits here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cli/outlet.h"
#include "common/base/buf.h"

struct trickle {		/* caller's storage */
	const struct wk_outlet *outlet;
	/* Show octets, let the peer send more; false: nothing more is shown. */
	bool (*show)(void *arg, const uint8_t *data, size_t len);
	void *arg;
	struct wk_buf rest;	/* what the reader has no room for yet, ... */
	size_t n_taken;		/* ... from here on */
	bool is_done;		/* show said so, or its owner does */
};

void trickle_init(struct trickle *t, const struct wk_outlet *outlet,
    bool (*show)(void *arg, const uint8_t *data, size_t len), void *arg);
void trickle_free(struct trickle *t);

/* Octets that came: show what there is room for, keep the rest. WK_E_NOMEM. */
int trickle_feed(struct trickle *t, const uint8_t *data, size_t len);

/* Show what was kept, as there is room or all of it. True: nothing is left. */
bool trickle_more(struct trickle *t, bool all);

/* Something waits for the reader. */
static inline bool
trickle_waits(const struct trickle *t)
{
	return !t->is_done && t->rest.len > t->n_taken;
}
