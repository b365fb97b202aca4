/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/h3dgram/options.h"

/* The mode that is the other end of tunnels; an exit code. */
int serve(const struct options *opt);
