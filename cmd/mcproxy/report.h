/* SPDX-License-Identifier: MIT */
/*
 * What the proxy says on its own streams while it runs: where it listens, how
 * backends are doing (--verbose), and a summary at the end. Any thread may
 * report a backend; what concerns it as a whole is said once, by whichever
 * worker sees it first.
 */
#pragma once

#include "cmd/mcproxy/engine.h"

/* Before workers run. */
void report_listening(const struct proxy *p, const struct listening *metrics,
    size_t n_metrics);

/* A connection of a worker ended, by the names of the log streams. */
void report_lost(const struct server *s, const char *error);
/* The first connection is marked bad; none is any more. */
void report_bad(struct backend *b, const char *error, uint64_t retry_ns);
void report_back(struct backend *b);
/* Sent no more requests by command, or some again. */
void report_held(const struct backend *b, bool is_held);
/* Why there is no TLS with it: once, until there is. */
void report_no_tls(struct backend *b, const struct wk_error *error);
void report_tls(struct backend *b);

/* When all workers have stopped and are still there. */
void report_summary(struct proxy *p);
