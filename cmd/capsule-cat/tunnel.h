/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/capsule-cat/options.h"

/* The mode that opens a tunnel and joins it with stdin and stdout. */
int tunnel(const struct options *opt);
