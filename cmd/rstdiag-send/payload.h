/* SPDX-License-Identifier: MIT */
/*
 * From what the user wants to say to the payloads of resets, with a warning
 * where a reader may take it differently.
 */
#pragma once

#include <stddef.h>

#include "cmd/rstdiag-send/options.h"
#include "cmd/rstdiag-send/rules.h"
#include "common/base/buf.h"
#include "common/base/error.h"

/* The resets of one occasion, in order; an empty payload is a plain reset. */
struct payloads {
	size_t n;
	struct wk_buf octets[OPTIONS_CODES_MAX];
};

/* Says itself what is wrong; returns an exit code. Free in every case. */
int payloads_init(struct payloads *p, const struct options *o);
void payloads_free(struct payloads *p);

/*
 * The payload of a rule with RULE_SAY, appended to b. *remark gets a static
 * text, or NULL: what readers may misunderstand.
 */
int payload_of_rule(const struct options *o, const struct rule *r,
    struct wk_buf *b, const char **remark, struct wk_error *error);
