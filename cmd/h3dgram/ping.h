/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/h3dgram/options.h"

/* The mode that measures round trips; an exit code. */
int ping(const struct options *opt);
