/* SPDX-License-Identifier: MIT */
/* A server's session against any octets: see fuzz_http2.h. */
#include "config.h"

#include "tests/fuzz/fuzz_http2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(true, data, size);
	return 0;
}
