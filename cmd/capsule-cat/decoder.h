/* SPDX-License-Identifier: MIT */
/*
 * Capsules in, records out: what the options want to see of a stream, whoever
 * brings its octets. Memory is bounded by --max-value.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/capsule-cat/options.h"
#include "cmd/capsule-cat/payload.h"
#include "cmd/capsule-cat/show.h"
#include "common/base/buf.h"
#include "common/wire/capsule.h"

struct decoder_sink;

struct decoder {
	const struct options *opt;
	const char *name;	/* of the input, for messages */
	struct wk_capsule_reader reader;
	const struct decoder_sink *sink;
	struct show show;
	struct payload payload;
	bool is_inside;		/* a capsule, between its header and its end */
	bool is_wanted;		/* that capsule */
	struct wk_capsule cap;	/* the same */
	bool holds;		/* values are looked at: */
	struct wk_buf held;	/* what is here of this one, */
	const uint8_t *value;	/* or all of it in one piece, or NULL */
	uint64_t n_capsules, n_shown;
	uint64_t max_shown;	/* the owner's: no more than that; 0: all */
};

/*
 * name is the input's, for messages and, if names_records, in each record;
 * borrowed. Forget everything with decoder_free().
 */
void decoder_init(struct decoder *d, const struct options *opt,
    const char *name, bool names_records);
void decoder_free(struct decoder *d);

/*
 * The next octets of the stream. Everything that is complete is written to the
 * output, which is not flushed. WK_EXIT_OK to go on, or an exit code after a
 * message; then the stream is done.
 */
int decoder_feed(struct decoder *d, const uint8_t *data, size_t len);

/* max_shown were shown; what comes behind them is not looked at. */
bool decoder_has_enough(const struct decoder *d);

/*
 * No more octets: an incomplete capsule is shown as far as it came. At the end
 * of the stream (is_end) that is an error, told; otherwise we stopped reading.
 */
int decoder_finish(struct decoder *d, bool is_end);
