/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/h3dgram/options.h"

/* The mode that measures how much goes through; an exit code. */
int blast(const struct options *opt);
