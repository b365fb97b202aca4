/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/interactive.h"

#include "common/cli/options.h"

int
interactive(const struct options *opt)
{
	(void)opt;
	return wk_usage_error("--interactive needs a terminal");
}
