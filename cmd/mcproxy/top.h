/* SPDX-License-Identifier: MIT */
/* "mcproxy top": what a running proxy does, second by second. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct top_options {
	const char *address;
	uint64_t interval_ns;
	bool is_once;
};

/* An exit code. */
int top_run(const struct top_options *o);
