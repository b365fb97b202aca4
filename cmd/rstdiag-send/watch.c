/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/watch.h"

#include <net/if.h>
#include <string.h>

#include "common/base/span.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/watch.h"
#include "common/wire/segment.h"

#define SLL2_IFINDEX_AT 4

int
watch_open(struct watch *w, const struct options *o, int direction)
{
	const struct wk_capture_live live = {
		.interface = o->interface == NULL ? "any" : o->interface,
		.snaplen = (int)or_else(o->snaplen, 0),
		.is_promiscuous = o->is_promiscuous,
		.direction = direction,
	};
	int rc;

	memset(w, 0, sizeof(*w));
	rc = wk_watch_open(&w->capture, o->read, &live);
	if (rc != WK_EXIT_OK || !w->capture.is_live)
		return rc;
	/* The second cooked form tells the interface of every frame. */
	if (w->capture.link == WK_LINK_LINUX_SLL &&
	    pcap_set_datalink(w->capture.pcap, WK_LINK_LINUX_SLL2) == 0)
		w->capture.link = WK_LINK_LINUX_SLL2;
	w->scope_id = if_nametoindex(live.interface);
	return WK_EXIT_OK;
}

enum watch_result
watch_next(struct watch *w, struct wk_frame *f, int *rc)
{
	struct wk_error error;
	int got = wk_capture_next(&w->capture, f, &error);

	if (got > 0)
		return WATCH_FRAME;
	if (got == 0)
		return w->capture.is_live ? WATCH_NOTHING : WATCH_END;
	wk_warn("%s: %s", w->capture.name, error.reason);
	*rc = w->capture.is_live ? WK_EXIT_SYSTEM : WK_EXIT_PROTOCOL;
	return WATCH_BROKEN;
}

uint32_t
watch_scope(const struct watch *w, const struct wk_frame *f)
{
	struct wk_span s;

	if (w->capture.link != WK_LINK_LINUX_SLL2 || !w->capture.is_live)
		return w->scope_id;
	wk_span_init(&s, f->data, f->caplen);
	wk_span_take(&s, SLL2_IFINDEX_AT);
	return wk_span_u32(&s);
}

int
watch_relinquish(const struct options *o)
{
	bool has_sockets = options_is_injecting(o) ||
	    (o->mode != MODE_CRAFT && o->read == NULL);

	return !has_sockets && o->user == NULL ? WK_EXIT_OK :
	    wk_watch_relinquish(o->user);
}

void
watch_close(struct watch *w)
{
	wk_capture_close(&w->capture);
}
