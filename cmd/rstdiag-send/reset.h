/* SPDX-License-Identifier: MIT */
/* End connections with numbers found by watching them; an exit code. */
#pragma once

#include "cmd/rstdiag-send/options.h"

int reset(const struct options *o);
