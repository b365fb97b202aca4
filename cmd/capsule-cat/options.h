/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/capsule-cat/filter.h"
#include "common/wire/capsule_types.h"

/* Each mode is one file with one function, in a table in main.c. */
enum mode {
	MODE_DECODE,
	MODE_ENCODE,
	MODE_LIST_TYPES,
};

#define OPTIONS_TYPES_MAX 64
#define OPTIONS_NO_CONTEXT UINT64_MAX

struct options {
	enum mode mode;
	char *const *files;	/* the operands; "-" alone without any */
	int n_files;
	const char *output;
	uint64_t max_value;	/* octets of a value, 0: not given */
	uint64_t wt_draft;	/* of webtrans-http2 */
	uint64_t context_id;	/* --context, or OPTIONS_NO_CONTEXT */
	int framing;		/* enum wk_framing, or -1: not given */
	uint64_t block_size;	/* of raw input; 0: not given */
	bool is_encoding, is_payload, greases;
	bool is_raw, is_strict, is_lenient, has_no_context;
	bool lists_types;

	const char *types[OPTIONS_TYPES_MAX];	/* --type, one by one */
	size_t n_types;

	/* What follows from these. */
	uint64_t type;		/* to encode */
	enum wk_capsule_reading reading;
	struct filter filter;
};

/* Are datagrams of this context wanted? */
static inline bool
options_want_context(const struct options *opt, uint64_t context_id)
{
	return opt->context_id == OPTIONS_NO_CONTEXT ||
	    opt->context_id == context_id;
}

/* False: *rc is the exit code, everything was said. */
bool options_parse(struct options *opt, int argc, char **argv, int *rc);
