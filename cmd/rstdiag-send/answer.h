/* SPDX-License-Identifier: MIT */
/* Answer segments as they arrive, until told to stop; an exit code. */
#pragma once

#include "cmd/rstdiag-send/options.h"

int answer(const struct options *o);
