/* SPDX-License-Identifier: MIT */
/*
 * Watching packets, for the main loop of a tool: open an interface or a file
 * and say what is wrong, wait for whatever comes first, give up rights. The
 * functions that may fail have told why and return an exit code.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/net/capture.h"

/*
 * BPF finds no ports behind IPv6 extension headers (pcap-filter(7)): what has
 * them comes through the kernel's filter and is looked at by the tool.
 */
#define WK_WATCH_UNUSUAL_V6 \
	"(ip6 and ip6[6] != 6 and ip6[6] != 17 and ip6[6] != 58)"

/*
 * Open path, "-" for standard input, or the interface of live when path is
 * NULL. Link types that cannot be dissected are refused. WK_EXIT_OK, or the
 * exit code, and nothing is open then.
 */
int wk_watch_open(struct wk_capture *c, const char *path,
    const struct wk_capture_live *live);

/*
 * Wait until there is a frame, a signal (left for wk_signals_take()), or the
 * deadline (monotonic; 0: none). False: waiting failed, or, if the tool
 * prints, the reader of its output went away.
 */
bool wk_watch_wait(const struct wk_capture *c, uint64_t deadline_ns,
    bool is_printing);

/*
 * Would writing to path empty what is read from input ("-": standard input)?
 * Either may be NULL.
 */
bool wk_watch_is_input(const char *input, const char *path);

/* wk_privileges_drop(), with message and exit code. */
int wk_watch_relinquish(const char *user);
