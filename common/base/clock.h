/* SPDX-License-Identifier: MIT */
/*
 * The two clocks. Rooms that need time take it as an argument; only tools and
 * common/net ask here.
 */
#pragma once

#include <stdint.h>

#define WK_NS_PER_SEC UINT64_C(1000000000)

/* Monotonic nanoseconds, for deadlines and intervals. */
uint64_t wk_clock_now_ns(void);

/* Nanoseconds since 1970-01-01T00:00:00Z, for time stamps. */
uint64_t wk_clock_wall_ns(void);
