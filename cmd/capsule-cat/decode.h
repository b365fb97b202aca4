/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/capsule-cat/options.h"

/* The mode that shows the capsules in files; an exit code. */
int decode(const struct options *opt);
