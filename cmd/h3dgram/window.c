/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/window.h"

#include <string.h>

static uint64_t *
word_of(struct window *w, uint64_t sequence)
{
	return &w->seen[sequence % WINDOW_SIZE / 64];
}

/* Forget what the numbers up to there would share their bits with. */
static void
advance(struct window *w, uint64_t end)
{
	uint64_t i;

	if (end - w->end >= WINDOW_SIZE)
		memset(w->seen, 0, sizeof(w->seen));
	else
		for (i = w->end; i < end; i++)
			*word_of(w, i) &= ~(UINT64_C(1) << i % 64);
	w->end = end;
}

enum window_verdict
window_take(struct window *w, uint64_t sequence)
{
	uint64_t bit = UINT64_C(1) << sequence % 64;

	if (sequence >= w->end) {
		advance(w, sequence + 1);
	} else if (w->end - sequence > WINDOW_SIZE) {
		w->late++;
		return WINDOW_LATE;
	} else if ((*word_of(w, sequence) & bit) != 0) {
		w->duplicates++;
		return WINDOW_DUPLICATE;
	} else {
		w->reordered++;
	}
	*word_of(w, sequence) |= bit;
	w->n++;
	return WINDOW_NEW;
}
