/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/trickle.h"

#define SLICE_OCTETS 4096

void
trickle_init(struct trickle *t, const struct wk_outlet *outlet,
    bool (*show)(void *arg, const uint8_t *data, size_t len), void *arg)
{
	t->outlet = outlet;
	t->show = show;
	t->arg = arg;
	wk_buf_init(&t->rest, SIZE_MAX);
	t->n_taken = 0;
	t->is_done = false;
}

void
trickle_free(struct trickle *t)
{
	wk_buf_free(&t->rest);
}

/* Returns how many octets were taken. */
static size_t
show_some(struct trickle *t, const uint8_t *data, size_t len, bool all)
{
	size_t taken = 0, n;

	while (taken < len && !t->is_done &&
	    (all || wk_outlet_pending(t->outlet) <= WK_OUTLET_LOW)) {
		n = len - taken < SLICE_OCTETS ? len - taken : SLICE_OCTETS;
		if (!t->show(t->arg, data + taken, n))
			t->is_done = true;
		taken += n;
	}
	return taken;
}

int
trickle_feed(struct trickle *t, const uint8_t *data, size_t len)
{
	size_t taken = 0;

	if (t->rest.len == 0)
		taken = show_some(t, data, len, false);
	return t->is_done || taken == len ? WK_OK :
	    wk_buf_append(&t->rest, data + taken, len - taken);
}

bool
trickle_more(struct trickle *t, bool all)
{
	if (trickle_waits(t))
		t->n_taken += show_some(t, t->rest.data + t->n_taken,
		    t->rest.len - t->n_taken, all);
	if (trickle_waits(t))
		return false;
	wk_buf_clear(&t->rest);
	t->n_taken = 0;
	return true;
}
