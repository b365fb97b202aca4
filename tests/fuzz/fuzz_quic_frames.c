/* SPDX-License-Identifier: MIT */
/* Input: what a packet held when it was decrypted. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wk_quic_endpoint endpoint;
	static struct wk_quic q = { .endpoint = &endpoint };
	uint8_t *copy = malloc(size + 1);
	size_t i;

	/* So that reading past the end is noticed. */
	if (copy == NULL)
		return 0;
	memcpy(copy + 1, data, size);
	endpoint.n_stops = 0;
	quic_frames_look(&q, copy + 1, size);
	CHECK(endpoint.n_stops <= QUIC_STOPS_MAX && endpoint.n_stops * 3 <= size);
	for (i = 0; i < endpoint.n_stops; i++)
		CHECK(endpoint.stops[i].id >> 62 == 0 &&
		    endpoint.stops[i].code >> 62 == 0);
	free(copy);
	return 0;
}
