/* SPDX-License-Identifier: MIT */
/* What --answer counts, shown on SIGUSR1 and at the end. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TALLY_ERRORS_MAX 16

enum tally_fate {
	TALLY_ANSWERED,
	TALLY_IGNORED,		/* a rule said so */
	TALLY_UNMATCHED,	/* no rule wanted it */
	TALLY_RESET,		/* a reset is never answered */
	TALLY_LIMITED,		/* --rate */
	TALLY_UNANSWERABLE,	/* cut, fragmented, malformed, not TCP */
	TALLY_NO_HOST,		/* to or from multicast, broadcast, nobody */
	TALLY_NOT_SENT,
	TALLY_N_FATES,
};

struct tally {
	uint64_t seen, fate[TALLY_N_FATES], bad_checksums;
	uint64_t dropped;	/* by the kernel, for lack of room */
	uint64_t reloads, failed_reloads;
	struct {
		int errnum;
		uint64_t n;
	} error[TALLY_ERRORS_MAX];
	size_t n_errors;
};

/* Note that sending failed; returns how often it did so for this reason. */
uint64_t tally_error(struct tally *t, int errnum);

/* Lines on stderr, or one event on stdout with --json. */
void tally_write_text(const struct tally *t);
void tally_write_json(const struct tally *t, const char *event, uint64_t sent,
    uint64_t octets);
