/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/capsule-cat/filter.h"
#include "common/wire/capsule_types.h"

/* Each mode is one file with one function, in a table in main.c. */
enum mode {
	MODE_DECODE,
	MODE_LIST_TYPES,
};

#define OPTIONS_TYPES_MAX 64

struct options {
	enum mode mode;
	char *const *files;	/* the operands; "-" alone without any */
	int n_files;
	const char *output;
	uint64_t max_value;	/* octets of a value that are held */
	uint64_t wt_draft;	/* of webtrans-http2 */
	bool is_raw, is_strict, is_lenient, has_no_context;
	bool lists_types;

	const char *types[OPTIONS_TYPES_MAX];	/* --type, one by one */
	size_t n_types;

	/* What follows from these. */
	enum wk_capsule_reading reading;
	struct filter filter;
};

/* False: *rc is the exit code, everything was said. */
bool options_parse(struct options *opt, int argc, char **argv, int *rc);
