/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/outlet.h"

#include <errno.h>

#include "common/cli/out.h"

/*
 * What a window of capsules may become as text. Flow control keeps it far
 * below; only a peer that finds something to multiply comes here.
 */
#define QUEUE_MAX ((size_t)256 << 20)

static int
take(void *arg, const void *data, size_t len)
{
	struct outlet *o = arg;

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
	struct outlet *o = arg;

	(void)octets;
	if (outlet_pending(o) <= OUTLET_LOW)
		o->drained(o->arg);
}

static void
on_failed(void *arg, int error_number)
{
	struct outlet *o = arg;

	wk_out_fail(error_number);
	o->failed(o->arg);
}

int
outlet_init(struct outlet *o, struct wk_loop *loop,
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
outlet_pending(const struct outlet *o)
{
	return wk_stdout_pending(&o->out);
}

void
outlet_finish(struct outlet *o, uint64_t timeout_ns)
{
	wk_out_flush();
	if (wk_stdout_finish(&o->out, timeout_ns) != WK_OK)
		wk_out_fail(errno);
	wk_stdout_free(&o->out);
	wk_out_divert(NULL, NULL);
}
