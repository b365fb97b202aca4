/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/outlet.h"

#include <errno.h>
#include <poll.h>

#include "common/cli/out.h"
#include "common/cli/signals.h"

/*
 * What a window of capsules may become as text. Flow control keeps it far
 * below; only a peer that finds something to multiply comes here.
 */
#define QUEUE_MAX ((size_t)256 << 20)

static int
take(void *arg, const void *data, size_t len)
{
	struct wk_outlet *o = arg;

	switch (wk_stdout_write(&o->out, data, len)) {
	case WK_OK:
		return 0;
	case WK_E_SYSTEM:
		return errno;
	default:
		return ENOBUFS;
	}
}

static void
on_drained(void *arg, size_t octets)
{
	struct wk_outlet *o = arg;

	(void)octets;
	if (wk_outlet_pending(o) <= WK_OUTLET_LOW)
		o->drained(o->arg);
}

static void
on_failed(void *arg, int error_number)
{
	struct wk_outlet *o = arg;

	wk_out_fail(error_number);
	o->failed(o->arg);
}

int
wk_outlet_init(struct wk_outlet *o, struct wk_loop *loop,
    void (*drained)(void *arg), void (*failed)(void *arg), void *arg)
{
	o->drained = drained;
	o->failed = failed;
	o->arg = arg;
	if (wk_stdout_init(&o->out, loop, wk_out_fd(), QUEUE_MAX, on_drained,
	    on_failed, o) != WK_OK)
		return WK_E_NOMEM;
	wk_out_divert(take, o);
	return WK_OK;
}

size_t
wk_outlet_pending(const struct wk_outlet *o)
{
	return wk_stdout_pending(&o->out);
}

/* Until its reader takes some, or a signal says not to wait for it. */
static void
wait_for_reader(void)
{
	struct pollfd p[] = {
		{ .fd = wk_out_fd(), .events = POLLOUT },
		{ .fd = wk_signals_fd(), .events = POLLIN },
	};

	poll(p, 2, -1);
	wk_signals_take();
}

bool
wk_outlet_drain(struct wk_outlet *o, size_t most)
{
	wk_out_flush();
	/* Without patience it writes what goes, and says whether that is all. */
	while (wk_stdout_finish(&o->out, 0) != WK_OK) {
		if (errno != ETIMEDOUT) {
			wk_out_fail(errno);
			return false;
		}
		if (wk_outlet_pending(o) <= most)
			return true;
		if (wk_signals_stopped() != 0)
			return false;
		wait_for_reader();
	}
	return true;
}

bool
wk_outlet_finish(struct wk_outlet *o, uint64_t patience_ns)
{
	bool is_lost = false;

	if (patience_ns == WK_NEVER) {
		wk_outlet_drain(o, 0);
		patience_ns = WK_OUTLET_PATIENCE_NS;
	}
	wk_out_flush();
	if (wk_stdout_finish(&o->out, patience_ns) != WK_OK) {
		is_lost = errno == ETIMEDOUT;
		if (!is_lost)
			wk_out_fail(errno);
	}
	wk_stdout_free(&o->out);
	wk_out_divert(NULL, NULL);
	return !is_lost;
}
