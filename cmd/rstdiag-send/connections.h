/* SPDX-License-Identifier: MIT */
/*
 * The connections that --reset is busy with, by their two ends. A fixed number
 * of places; when there is no room the one untouched for longest is forgotten.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/segment.h"

#define CONNECTIONS_MAX 4096

struct connection {
	struct wk_segment seen;		/* the newest; without its octets */
	bool is_used;
	bool has_fresh;			/* seen since the last resets */
	bool is_turned;			/* seen comes from the victim */
	uint64_t touched;		/* by age, see struct connections */
	uint64_t matched;		/* segments seen */
	uint32_t scope_id;		/* the interface it was seen on */
	uint64_t resets;		/* how often resets went out */
	uint64_t first_reset_ns;	/* wall clock, like the next */
	uint64_t alive_ns;		/* when the victim last spoke; 0: never */
	uint8_t victim[16];		/* who gets the reset */
	uint16_t victim_port;
};

struct connections;

/* NULL when out of memory. */
struct connections *connections_new(void);
void connections_del(struct connections *c);

/*
 * The connection that s belongs to, whichever its direction; a new one has
 * the destination of s as victim. NULL: not there and may_add is false.
 */
struct connection *connections_find(struct connections *c,
    const struct wk_segment *s, bool may_add);

/* All of them: begin with NULL, ends with NULL. */
struct connection *connections_next(struct connections *c,
    const struct connection *before);
