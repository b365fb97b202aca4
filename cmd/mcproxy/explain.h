/* SPDX-License-Identifier: MIT */
/* A configuration in words, for --check and --where. */
#pragma once

#include <stdbool.h>

#include "cmd/mcproxy/conf.h"
#include "common/base/buf.h"

/* A tree as one line: "failover(foo, ttl 300(gutter))". */
void explain_route(struct wk_buf *b, const struct route *r);

/* All of it on the result stream, text or NDJSON. */
void explain_conf(const struct conf *c);

/* Where one key goes; false when it goes nowhere. */
bool explain_key(const struct conf *c, const char *tag, enum command command,
    const char *key);
