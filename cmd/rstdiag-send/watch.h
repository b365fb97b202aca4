/* SPDX-License-Identifier: MIT */
/*
 * What the watching modes have in common: the capture that the options name,
 * the parts of its filter, and the interface of each frame.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/rstdiag-send/options.h"
#include "common/base/buf.h"
#include "common/cli/watch.h"
#include "common/net/capture.h"

/* TCP as BPF sees it; "tcp[]" is IPv4 only. */
#define WATCH_NO_RESETS \
	"((ip proto 6 and tcp[13] & 4 == 0) or " \
	"(ip6[6] == 6 and ip6[53] & 4 == 0) or " WK_WATCH_UNUSUAL_V6 ")"

struct watch {
	struct wk_capture capture;
	uint32_t scope_id;	/* the interface, 0: several or none */
	uint8_t mac[6];		/* its address, if it is one and Ethernet */
	bool has_mac, is_loopback, takes_others;
};

enum watch_result {
	WATCH_FRAME,
	WATCH_NOTHING,		/* for now */
	WATCH_END,		/* of the file */
	WATCH_BROKEN,		/* a message said so; *rc has the exit code */
};

/*
 * Open what the options name. direction is libpcap's PCAP_D_*. Says itself
 * what is wrong and returns an exit code.
 */
int watch_open(struct watch *w, const struct options *o, int direction);

/* Never waits; common/cli/watch.h does. */
enum watch_result watch_next(struct watch *w, struct wk_frame *f, int *rc);

/* The index of the interface a frame came in through, or 0. */
uint32_t watch_scope(const struct watch *w, const struct wk_frame *f);

/*
 * Was the frame sent to this host and to no other? Packet sockets also see
 * what the link carries for others and for many. True for files.
 */
bool watch_is_for_us(const struct watch *w, const struct wk_frame *f);

/* Did it come through the loopback? Its addresses are spoofed elsewhere. */
bool watch_is_loopback(const struct watch *w, const struct wk_frame *f);

/*
 * Give up all rights that were only needed to open sockets; nothing happens
 * when there are none open. Says what is wrong, returns an exit code.
 */
int watch_relinquish(const struct options *o);

void watch_close(struct watch *w);
