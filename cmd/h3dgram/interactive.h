/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/h3dgram/options.h"

/* The mode in which datagrams are typed; an exit code. */
int interactive(const struct options *opt);
