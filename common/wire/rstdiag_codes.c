/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/rstdiag.h"
