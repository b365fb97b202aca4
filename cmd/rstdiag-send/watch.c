/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/watch.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/span.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"
#include "common/net/privileges.h"
#include "common/wire/segment.h"

#define SLL2_IFINDEX_AT 4

/*
 * The kernel's ring has places of one size, so that long frames make it short:
 * headers and some payload are enough here.
 */
#define DEFAULT_SNAPLEN 2048
#define BUFFER_SIZE (8 << 20)

static bool
is_known_link(uint32_t link)
{
	switch (link) {
	case WK_LINK_NULL:
	case WK_LINK_ETHERNET:
	case WK_LINK_RAW_BSD:
	case WK_LINK_RAW_OPENBSD:
	case WK_LINK_RAW:
	case WK_LINK_LOOP:
	case WK_LINK_LINUX_SLL:
	case WK_LINK_IPV4:
	case WK_LINK_IPV6:
	case WK_LINK_LINUX_SLL2:
		return true;
	default:
		return false;
	}
}

static int
open_interface(struct watch *w, const struct options *o, int direction,
    struct wk_error *error)
{
	const struct wk_capture_live live = {
		.interface = o->interface == NULL ? "any" : o->interface,
		.snaplen = (int)or_else(o->snaplen, DEFAULT_SNAPLEN),
		.buffer_size = BUFFER_SIZE,
		.is_promiscuous = o->is_promiscuous,
		.direction = direction,
	};
	int rc = wk_capture_open_live(&w->capture, &live, error);

	if (rc != WK_OK)
		return rc;
	/* The second cooked form tells the interface of every frame. */
	if (w->capture.link == WK_LINK_LINUX_SLL &&
	    pcap_set_datalink(w->capture.pcap, WK_LINK_LINUX_SLL2) == 0)
		w->capture.link = WK_LINK_LINUX_SLL2;
	w->scope_id = if_nametoindex(live.interface);
	return WK_OK;
}

int
watch_open(struct watch *w, const struct options *o, int direction)
{
	const char *name = o->read == NULL ?
	    o->interface == NULL ? "any" : o->interface :
	    strcmp(o->read, "-") == 0 ? "standard input" : o->read;
	struct wk_error error;
	int rc;

	memset(w, 0, sizeof(*w));
	if (o->read != NULL)
		rc = wk_capture_open_file(&w->capture, o->read, &error);
	else
		rc = open_interface(w, o, direction, &error);
	if (rc != WK_OK) {
		wk_warn("%s: %s", name, error.reason);
		return rc == WK_E_INVALID ? WK_EXIT_USAGE :
		    rc == WK_E_MALFORMED ? WK_EXIT_PROTOCOL : WK_EXIT_SYSTEM;
	}
	if (is_known_link(w->capture.link))
		return WK_EXIT_OK;
	wk_warn("%s: link type %s is not understood", name,
	    pcap_datalink_val_to_name((int)w->capture.link));
	watch_close(w);
	return WK_EXIT_USAGE;
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

bool
watch_wait(struct watch *w, uint64_t deadline_ns)
{
	struct pollfd p[3] = {
		{ .fd = w->capture.fd, .events = POLLIN },
		{ .fd = wk_signals_fd(), .events = POLLIN },
		/* A reader that leaves shows as an error without writing. */
		{ .fd = STDOUT_FILENO, .events = 0 },
	};
	uint64_t now_ns = wk_clock_now_ns(), wait_ms;
	int timeout = -1;

	if (deadline_ns != 0) {
		wait_ms = deadline_ns <= now_ns ? 0 :
		    (deadline_ns - now_ns + 999999) / 1000000;
		timeout = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
	}
	if (poll(p, 3, timeout) < 0)
		return errno == EINTR;
	return (p[2].revents & (POLLERR | POLLNVAL)) == 0;
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
	struct wk_error error;
	int rc;

	if (!has_sockets && o->user == NULL)
		return WK_EXIT_OK;
	rc = wk_privileges_drop(o->user, &error);
	if (rc == WK_OK)
		return WK_EXIT_OK;
	wk_warn("%s", error.reason);
	return rc == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
}

void
watch_close(struct watch *w)
{
	wk_capture_close(&w->capture);
}
