/* SPDX-License-Identifier: MIT */
/*
 * What --answer does with a segment: the rules of a file, or the one reply
 * that the options describe, compiled for the link type of the capture.
 */
#pragma once

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/rstdiag-send/options.h"
#include "cmd/rstdiag-send/payload.h"
#include "cmd/rstdiag-send/rules.h"
#include "common/base/buf.h"
#include "common/net/capture.h"

struct reply {
	enum rule_action action;
	const struct wk_buf *payloads;	/* n_payloads of them, for RULE_SAY */
	size_t n_payloads;
	bool has_program;		/* else everything matches */
	bool is_idle;			/* or nothing can */
	struct bpf_program program;
	struct wk_buf octets;		/* of a rule: its one payload */
};

struct ruleset {
	size_t n;
	struct reply *reply;
	char *filter;	/* for the capture: what any reply could match */
};

/*
 * Make a ruleset; expression (may be NULL) is what all rules have in common,
 * fixed are the payloads when there is no --rules. Says itself what is wrong
 * and returns an exit code; *set is then untouched.
 */
int ruleset_load(struct ruleset *set, const struct options *o,
    const char *expression, const struct payloads *fixed, uint32_t link);

/* The first reply that matches, or NULL. */
const struct reply *ruleset_match(const struct ruleset *set,
    const struct wk_frame *f);

void ruleset_free(struct ruleset *set);
