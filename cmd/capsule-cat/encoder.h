/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in a framing, or records of capsules, in; capsules out. Memory is
 * bounded by --max-value.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/capsule-cat/options.h"
#include "cmd/capsule-cat/record.h"
#include "common/base/buf.h"
#include "common/cli/framing.h"

struct encoder {
	struct wk_buf out;	/* capsules made; the caller clears it */
	int rc;			/* the first failure, told, or WK_EXIT_OK */
	bool has_failed;	/* and nothing can go on after it */
	const struct options *opt;
	const char *name;	/* of the input, for messages */
	struct wk_framing_reader reader;
	struct record record;	/* the last one read */
	uint64_t random;	/* state of the generator */
	uint64_t until_grease;	/* capsules */
};

/* WK_OK, or WK_E_SYSTEM when there are no random numbers for --grease. */
int encoder_init(struct encoder *e, const struct options *opt);
void encoder_free(struct encoder *e);

/* Another input begins; name is borrowed. */
void encoder_begin(struct encoder *e, const char *name);

/*
 * Its next octets, and its end. What is wrong is told, noted in e->rc and left
 * out; with --strict it is the last.
 */
void encoder_feed(struct encoder *e, const uint8_t *data, size_t len);
void encoder_end(struct encoder *e);
