/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/capsule-cat/options.h"

/* The mode that makes capsules of what files hold; an exit code. */
int encode(const struct options *opt);
