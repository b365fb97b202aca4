/* SPDX-License-Identifier: MIT */
/*
 * The result stream (out.h) in the event loop: written as its reader takes it,
 * while everything else goes on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/clock.h"
#include "common/net/stdstream.h"

struct wk_outlet {
	struct wk_stdout out;
	void (*drained)(void *arg);	/* little is left of what waited */
	void (*failed)(void *arg);	/* nobody reads any more; out.h knows */
	void *arg;
};

/* Below this, drained is told, and more may well be produced. */
#define WK_OUTLET_LOW (64 * 1024)

/* From now on wk_out_flush() hands over to it. WK_OK or WK_E_NOMEM. */
int wk_outlet_init(struct wk_outlet *o, struct wk_loop *loop,
    void (*drained)(void *arg), void (*failed)(void *arg), void *arg);

/* Octets that wait for the reader. */
size_t wk_outlet_pending(const struct wk_outlet *o);

/*
 * Without the loop: wait until no more than that many octets are left. False
 * when writing failed or a signal says to stop.
 */
bool wk_outlet_drain(struct wk_outlet *o, size_t most);

/* For those who are asked to end. */
#define WK_OUTLET_PATIENCE_NS (2 * WK_NS_PER_SEC)

/*
 * Write what is left, and let wk_out_finish() write to the descriptor again. A
 * slow reader is waited for, for so long at most; with WK_NEVER until a signal
 * comes, and then a little. False: what it did not take by then is lost.
 */
bool wk_outlet_finish(struct wk_outlet *o, uint64_t patience_ns);
