/* SPDX-License-Identifier: MIT */
/* Resets made of the command line alone. Returns an exit code. */
#pragma once

#include "cmd/rstdiag-send/options.h"

int craft(const struct options *o);
