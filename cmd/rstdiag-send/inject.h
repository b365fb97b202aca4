/* SPDX-License-Identifier: MIT */
/*
 * Raw sockets that take whole IP packets, with any source address. IPv4's
 * total length and header checksum are the kernel's; the rest is ours.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/segment.h"

struct inject {
	int v4, v6;		/* sockets, -1: not open */
	bool waits;		/* for room in the send queue */
};

/* For inject_open(): what will be sent. */
enum inject_family {
	INJECT_V4 = 1 << 0,
	INJECT_V6 = 1 << 1,
};

/*
 * Open what families (enum inject_family) need; interface (may be NULL) is
 * the only one packets leave through. A machine without IPv6 is no error when
 * IPv4 was asked for as well. WK_E_INVALID: no such interface; WK_E_SYSTEM.
 */
int inject_open(struct inject *in, unsigned families, const char *interface,
    struct wk_error *error);

/*
 * Send the packet that was built for s. scope_id is the interface of a
 * link-local destination. WK_E_SYSTEM: errno has the reason.
 */
int inject_send(const struct inject *in, const struct wk_segment *s,
    const uint8_t *packet, size_t len, uint32_t scope_id);

/* A sentence about a failed inject_send(), with what to look at. */
#define INJECT_TEXT 256
const char *inject_explain(const struct wk_segment *s, size_t len,
    uint32_t scope_id, int errnum, char out[INJECT_TEXT]);

void inject_close(struct inject *in);
