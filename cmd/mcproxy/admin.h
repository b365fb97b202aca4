/* SPDX-License-Identifier: MIT */
/*
 * Administration over the wire: "proxy where KEY", "proxy prefixes", "proxy
 * down LABEL", "proxy up LABEL" and "proxy reload", for clients of listeners
 * that were opened for it (--admin) and for nobody else.
 */
#pragma once

#include <stddef.h>

#include "cmd/mcproxy/engine.h"
#include "common/base/buf.h"

/* Words behind "proxy"; what to answer, with its line ends, goes to out. */
void admin_answer(struct client *c, const char *words, size_t len,
    struct wk_buf *out);
