/* SPDX-License-Identifier: MIT */
/*
 * What is inside the datagrams that measure: who sent it, which one it is, and
 * when it was sent, then octets that say nothing. No allocation, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_SIZE_MIN 24

struct probe {
	uint32_t run;		/* chosen at random by the sender */
	uint64_t sequence;	/* from 0 */
	uint64_t sent_ns;	/* on the sender's monotonic clock */
};

/* Write one of size octets, PROBE_SIZE_MIN or more. */
void probe_encode(uint8_t *out, size_t size, const struct probe *p);

/* False for what is no probe. */
bool probe_decode(const uint8_t *data, size_t len, struct probe *p);
