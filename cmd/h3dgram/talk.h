/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/h3dgram/options.h"

/* The mode that joins a tunnel with standard input and output; an exit code. */
int talk(const struct options *opt);
