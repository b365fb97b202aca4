/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

int
main(void)
{
	return 0;
}
