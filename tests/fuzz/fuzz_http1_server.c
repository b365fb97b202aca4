/* SPDX-License-Identifier: MIT */
/* A server's session over HTTP/1.1 against any peer and any owner. */
#include "config.h"

#include "common/net/http1_session.h"
#include "tests/fuzz/session_owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	play(wk_http1_session_new, true, data, size);
	return 0;
}
