/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cli/rstline.h"

struct options {
	const char *interface, *file, *dump;
	char *expression;	/* operands joined, or NULL; heap */
	uint64_t count, snaplen, buffer_kib, max_time_ns;
	bool is_not_promiscuous, lists_interfaces, is_packet_buffered;
	bool prints_too, has_nano, checks, is_suspicious, is_ignored;
	bool wants_diagnostic;
	int direction;		/* index of its choices */
	unsigned times;		/* -t, how often */
	unsigned ask;		/* formats recognised only if asked */
	const char *user;
	struct wk_rst_style style;
	struct wk_rst_fields fields;
};

/* False: *rc is the exit code, everything was said. */
bool options_parse(struct options *opt, int argc, char **argv, int *rc);
void options_free(struct options *opt);
