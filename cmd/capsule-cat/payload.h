/* SPDX-License-Identifier: MIT */
/*
 * --payload: nothing but the values, in a framing, as they come. The context id
 * in front of a datagram is not part of its payload.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/capsule-cat/options.h"
#include "common/cli/framing.h"
#include "common/wire/capsule.h"
#include "common/wire/varint.h"

struct payload {
	const struct options *opt;
	const char *name;		/* of the input, for messages */
	struct wk_framing_writer writer;
	struct wk_varint_reader num;	/* of the context id */
	bool needs_context;		/* which is still to come */
	bool is_begun;			/* and not ended */
};

void payload_init(struct payload *p, const struct options *opt,
    const char *name);

/* For each capsule, its pieces and its end; exit codes, failures are told. */
int payload_start(struct payload *p, const struct wk_capsule *cap);
int payload_piece(struct payload *p, const struct wk_capsule *cap);

/* Was anything of it wanted, and written? */
bool payload_end(struct payload *p, const struct wk_capsule *cap,
    bool is_whole);
