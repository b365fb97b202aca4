/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/eyeballs.h"

#include <string.h>

void
wk_eyeballs_init(struct wk_eyeballs *e, bool first, bool second)
{
	memset(e, 0, sizeof(*e));
	e->is_awaited[WK_EYEBALLS_FIRST] = first;
	e->is_awaited[WK_EYEBALLS_SECOND] = second;
	e->last_side = WK_EYEBALLS_SECOND;
}

void
wk_eyeballs_answer(struct wk_eyeballs *e, enum wk_eyeballs_side side,
    const struct wk_address *addresses, size_t n, uint64_t now_ns)
{
	size_t room = WK_RESOLVE_MAX - e->n[side];

	if (n > room)
		n = room;
	if (n > 0)
		memcpy(e->addresses[side] + e->n[side], addresses,
		    n * sizeof(*addresses));
	e->n[side] += n;
	e->is_awaited[side] = false;
	/* Section 3: patience when the preferred family is the later one. */
	if (e->started > 0)
		return;
	e->next_ns = e->is_awaited[WK_EYEBALLS_FIRST] ?
	    now_ns + WK_EYEBALLS_RESOLUTION_NS : now_ns;
}

static bool
side_has_more(const struct wk_eyeballs *e, unsigned side)
{
	return e->at[side] < e->n[side];
}

static bool
has_more(const struct wk_eyeballs *e)
{
	return side_has_more(e, WK_EYEBALLS_FIRST) ||
	    side_has_more(e, WK_EYEBALLS_SECOND);
}

const struct wk_address *
wk_eyeballs_next(struct wk_eyeballs *e, uint64_t now_ns)
{
	/* Section 4: the families take turns as long as both have some. */
	unsigned side = !e->last_side;

	if (!has_more(e) || now_ns < e->next_ns)
		return NULL;
	if (!side_has_more(e, side))
		side = !side;
	e->last_side = side;
	e->started++;
	e->under_way++;
	e->next_ns = now_ns + WK_EYEBALLS_ATTEMPT_NS;
	return &e->addresses[side][e->at[side]++];
}

void
wk_eyeballs_failed(struct wk_eyeballs *e, unsigned number, uint64_t now_ns)
{
	e->under_way--;
	if (number == e->started)
		e->next_ns = now_ns;
}

uint64_t
wk_eyeballs_deadline(const struct wk_eyeballs *e)
{
	return has_more(e) ? e->next_ns : WK_NEVER;
}

bool
wk_eyeballs_is_over(const struct wk_eyeballs *e)
{
	return e->under_way == 0 && !has_more(e) &&
	    !e->is_awaited[WK_EYEBALLS_FIRST] &&
	    !e->is_awaited[WK_EYEBALLS_SECOND];
}
