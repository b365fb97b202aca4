/* SPDX-License-Identifier: MIT */
/*
 * Does a reset fit the connection it ends? An injected one often does not: its
 * TTL, IP ID or sequence number comes from elsewhere, or its alleged sender
 * goes on as if nothing had happened. The table of connections has a fixed
 * size; when it is full the one not heard of for longest gives way. These are
 * hints, not proof: paths change, and stacks reset in odd ways.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cli/rstline.h"
#include "common/wire/segment.h"

struct suspicious;

/* About 1.5 MB. NULL when there is no memory. */
struct suspicious *suspicious_new(void);
void suspicious_del(struct suspicious *t);

/*
 * Learn from a segment that is no reset. True when it contradicts a reset its
 * sender had sent before: new data beyond it. *since_ns is then the age of
 * that reset. Said once per reset.
 */
bool suspicious_learn(struct suspicious *t, const struct wk_segment *s,
    uint64_t wall_ns, uint64_t *since_ns);

/*
 * Judge a reset: notes are added to r, borrowed until the next call. The
 * reset is remembered.
 */
void suspicious_judge(struct suspicious *t, struct wk_rst_record *r);
