/* SPDX-License-Identifier: MIT */
/*
 * What was seen, counted as draft-ietf-tcpm-rst-diagnostic-payload-03 section
 * 6.3 wants it: resets with and without payload, valid, invalid, per code.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cli/rstline.h"
#include "common/net/capture.h"

#define COUNTERS_CODES_MAX 64	/* distinct codes; more are "others" */

struct counters {
	uint64_t resets, shown, empty, valid, invalid, cut, foreign;
	uint64_t fragments, truncated, malformed, contradictions;
	uint64_t formats[WK_RSTDIAG_N_FORMATS];
	size_t n_codes;
	struct {
		enum wk_rstdiag_format format;
		uint32_t pen;
		uint16_t code;
		uint64_t n;
	} code[COUNTERS_CODES_MAX];
	uint64_t other_codes;
};

/* Count one reset by its payload. */
void counters_add(struct counters *c, const struct wk_rstdiag *d);

/* Frames that could not be told to be resets, by enum wk_segment_kind. */
void counters_add_unread(struct counters *c, enum wk_segment_kind kind);

/* For people, on stderr. */
void counters_write_text(const struct counters *c,
    const struct wk_capture *capture, const struct wk_rst_style *style);

/* {"event":"summary",…} */
void counters_write_json(const struct counters *c,
    const struct wk_capture *capture);
