/* SPDX-License-Identifier: MIT */
/* The handlers of routelib: from calls like route_failover{…} to routes. */
#pragma once

#include "cmd/mcproxy/load_lua.h"

/* Make route_…{} and cmdmap{} known. */
void handlers_open(struct loader *ld);

/* Remember the members of a set of pools. */
void handlers_add_set(struct loader *ld, const char *name,
    const struct loader_keys *keys);

/* The route that is on top of the stack, which stays; name is its label. */
const struct route *handlers_compile(struct loader *ld, const char *where,
    const char *name);

/* Fill a router: map, cmap and default of table, the mode of the table at conf
 * (0: none). */
void routelib_fill(struct loader *ld, struct router *r, int table, int conf,
    const char *where);

/* A route for all commands, or a cmdmap, on top of the stack. */
void handlers_compile_entry(struct loader *ld, const char *where,
    const char *name, const struct route **by_command);

/* A table of command = route on top of the stack. */
void handlers_compile_commands(struct loader *ld, const char *where,
    const char *name, const struct route **by_command);
