/* SPDX-License-Identifier: MIT */
/*
 * What became of numbered datagrams: which came, twice, or behind a later one.
 * The last WINDOW_SIZE numbers are remembered, whatever comes of older ones is
 * late. Constant memory, no clock.
 */
#pragma once

#include <stdint.h>

#define WINDOW_SIZE 65536	/* a power of two */

enum window_verdict {
	WINDOW_NEW,
	WINDOW_DUPLICATE,
	WINDOW_LATE,		/* too old to know whether it came before */
};

struct window {			/* all zeros is a new one */
	uint64_t end;		/* the highest number that came, plus one */
	uint64_t n, duplicates, reordered, late;
	uint64_t seen[WINDOW_SIZE / 64];
};

enum window_verdict window_take(struct window *w, uint64_t sequence);
