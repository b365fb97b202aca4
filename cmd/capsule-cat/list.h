/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/capsule-cat/options.h"

/* The mode that shows the types that are known; an exit code. */
int list_types(const struct options *opt);
