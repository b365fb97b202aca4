/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/capsule-cat/options.h"

/* The mode in which capsules are typed into a tunnel; an exit code. */
int interactive(const struct options *opt);
