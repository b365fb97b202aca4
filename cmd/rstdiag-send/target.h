/* SPDX-License-Identifier: MIT */
/*
 * The one connection between --src and --dst: which segments are its own, and
 * what they tell beside their numbers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/rstdiag-send/options.h"
#include "common/base/buf.h"
#include "common/wire/segment.h"

enum probe_answer {
	ANSWER_NONE,
	ANSWER_REFUSED,		/* a reset: no such connection */
	ANSWER_OPENED,		/* a SYN,ACK: it was not there before */
};

struct target {
	const struct endpoint *src, *dst;	/* borrowed from the options */
	struct wk_segment addresses;		/* from src to dst */
	uint32_t probe_seq;
	unsigned probes;			/* sent so far */
	enum probe_answer answer;
	bool is_reset;				/* one of ours went out */
	bool is_asked;				/* and dst was asked about it */
	uint32_t question_ack;
	bool is_confirmed;			/* dst knows it no more */
};

void target_init(struct target *t, const struct options *o);

/* Append its pcap-filter, with a NUL behind. */
void target_filter(const struct target *t, struct wk_buf *b);

/*
 * Look at a segment. True: it belongs to the connection and its numbers count.
 * Sets answer and is_confirmed on the way.
 */
bool target_takes(struct target *t, const struct wk_segment *s);

/* The segment of the next probe, which counts as sent. */
void target_probe(struct target *t, struct wk_segment *probe);

/*
 * Ask dst whether it still knows the connection, given the reset for it: an
 * old segment brings an ACK out of a live connection and a reset out of none
 * (RFC 9293, section 3.10.7). Its ACK number is chosen so that src, which sees
 * that reset, has no use for it.
 */
void target_question(struct target *t, const struct wk_segment *rst,
    struct wk_segment *question);

/* The reset for the half-open connection that a probe made by mistake. */
void target_take_back(const struct target *t, struct wk_segment *rst);
