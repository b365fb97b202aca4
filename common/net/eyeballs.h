/* SPDX-License-Identifier: MIT */
/*
 * The order and the times of connection attempts (Happy Eyeballs, RFC 8305,
 * sections 3 to 5), without sockets and without a clock: tell what happened,
 * ask what is due. No allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/sock.h"

/* The recommended values of RFC 8305, section 8. */
#define WK_EYEBALLS_RESOLUTION_NS UINT64_C(50000000)
#define WK_EYEBALLS_ATTEMPT_NS UINT64_C(250000000)

/* Two lists of addresses; those of the first are preferred. */
enum wk_eyeballs_side {
	WK_EYEBALLS_FIRST,	/* IPv6 */
	WK_EYEBALLS_SECOND,	/* IPv4 */
	WK_EYEBALLS_SIDES,
};

struct wk_eyeballs {		/* caller's storage; fields are private */
	struct wk_address addresses[WK_EYEBALLS_SIDES][WK_RESOLVE_MAX];
	size_t n[WK_EYEBALLS_SIDES], at[WK_EYEBALLS_SIDES];
	bool is_awaited[WK_EYEBALLS_SIDES];
	unsigned last_side;	/* of the latest attempt */
	unsigned started;	/* attempts so far */
	unsigned under_way;
	uint64_t next_ns;	/* no attempt before */
};

/* Which of the two lists are asked for. */
void wk_eyeballs_init(struct wk_eyeballs *e, bool first, bool second);

/*
 * The answer for one side, empty if there is none; it is copied. More than
 * WK_RESOLVE_MAX addresses are ignored.
 */
void wk_eyeballs_answer(struct wk_eyeballs *e, enum wk_eyeballs_side side,
    const struct wk_address *addresses, size_t n, uint64_t now_ns);

/*
 * The address to try now, or NULL while none is due. It counts as an attempt
 * under way then, with the number wk_eyeballs.started.
 */
const struct wk_address *wk_eyeballs_next(struct wk_eyeballs *e,
    uint64_t now_ns);

/* Attempt number has failed. If it is the latest the next is due at once. */
void wk_eyeballs_failed(struct wk_eyeballs *e, unsigned number,
    uint64_t now_ns);

/* When to ask for the next address again; WK_NEVER: only after an event. */
uint64_t wk_eyeballs_deadline(const struct wk_eyeballs *e);

/* Nothing under way, nothing left, no answer awaited. */
bool wk_eyeballs_is_over(const struct wk_eyeballs *e);
