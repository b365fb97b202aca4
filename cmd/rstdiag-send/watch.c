/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/watch.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/span.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"
#include "common/cli/watch.h"
#include "common/wire/segment.h"

/* Linux cooked capture, version 2, and what it says. */
#define SLL2_IFINDEX_AT 4
#define SLL2_HARDWARE_AT 8
#define SLL2_PACKET_TYPE_AT 10
#define SLL2_LEN 20

/* Address and kind of the one interface that is watched. */
static void
learn_interface(struct watch *w, const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request;

	if (fd < 0)
		return;
	memset(&request, 0, sizeof(request));
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		w->is_loopback = (request.ifr_flags & IFF_LOOPBACK) != 0;
	if (w->capture.link == WK_LINK_ETHERNET &&
	    ioctl(fd, SIOCGIFHWADDR, &request) == 0) {
		memcpy(w->mac, request.ifr_hwaddr.sa_data, sizeof(w->mac));
		w->has_mac = true;
	}
	close(fd);
}

int
watch_open(struct watch *w, const struct options *o, int direction)
{
	const struct wk_capture_live live = {
		.interface = o->interface == NULL ? "any" : o->interface,
		.snaplen = o->snaplen == 0 ? WK_CAPTURE_SNAPLEN :
		    (int)or_else(o->snaplen, 0),
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
	w->takes_others = o->is_promiscuous;
	if (w->scope_id != 0)
		learn_interface(w, live.interface);
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
	if (wk_signals_stopped() != 0)
		return WATCH_END;	/* while a pipe said nothing */
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

static bool
is_cooked(const struct watch *w, const struct wk_frame *f)
{
	return w->capture.link == WK_LINK_LINUX_SLL2 && f->caplen >= SLL2_LEN;
}

bool
watch_is_for_us(const struct watch *w, const struct wk_frame *f)
{
	if (!w->capture.is_live)
		return true;
	if (is_cooked(w, f))
		return f->data[SLL2_PACKET_TYPE_AT] == PACKET_HOST ||
		    (w->takes_others &&
		    f->data[SLL2_PACKET_TYPE_AT] == PACKET_OTHERHOST);
	if (!w->has_mac || f->caplen < sizeof(w->mac))
		return true;
	if ((f->data[0] & 1) != 0)	/* a group's address */
		return false;
	return w->takes_others ||
	    memcmp(f->data, w->mac, sizeof(w->mac)) == 0;
}

bool
watch_is_loopback(const struct watch *w, const struct wk_frame *f)
{
	if (is_cooked(w, f))
		return f->data[SLL2_HARDWARE_AT] == ARPHRD_LOOPBACK >> 8 &&
		    f->data[SLL2_HARDWARE_AT + 1] == (ARPHRD_LOOPBACK & 0xff);
	return w->is_loopback || !w->capture.is_live;
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
