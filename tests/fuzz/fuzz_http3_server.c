/* SPDX-License-Identifier: MIT */
/* A server's session against any peer: see fuzz_http3.h. */
#include "config.h"

#include "tests/fuzz/fuzz_http3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(true, data, size);
	return 0;
}
