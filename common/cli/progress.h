/* SPDX-License-Identifier: MIT */
/*
 * One line on stderr that says how far the work is. Shown only when stderr is
 * a terminal of our process group and neither --quiet nor --verbose is given;
 * at most ten times a second; cleared before any message.
 */
#pragma once

#include <stdint.h>

/* what is borrowed until the end; total 0 means unknown. Amounts are octets. */
void wk_progress_begin(const char *what, uint64_t total);
void wk_progress_update(uint64_t done);
void wk_progress_clear(void);
void wk_progress_end(void);
