/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/h3dgram/options.h"

/* The mode that carries local UDP clients; an exit code. */
int forward(const struct options *opt);
