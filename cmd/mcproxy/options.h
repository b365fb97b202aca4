/* SPDX-License-Identifier: MIT */
/* The command line of mcproxy. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/load.h"

#define POOLS_MAX 64
#define WHERE_MAX 1024

enum option_view {
	VIEW_NONE,
	VIEW_TOP,
	VIEW_CONSOLE,
};

struct options {
	const char *file;		/* NULL: the pools of the command line */
	const char *pools[POOLS_MAX];
	struct {
		const char *address;
		bool is_secure;
	} listens[LISTENERS_MAX];
	const char *where[WHERE_MAX];
	size_t n_pools, n_listens, n_where;
	const char *tag, *metrics, *admin;
	bool is_check, is_once;
	enum option_view view;		/* instead of serving */
	const char *view_address;
	uint64_t interval_ns;
	struct load_options load;
	struct proxy_options proxy;
	int answer_key;
};

/* True to go on; otherwise *rc is the exit code. */
bool options_parse(struct options *opt, int argc, char **argv, int *rc);
