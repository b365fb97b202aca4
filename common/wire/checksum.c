/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/checksum.h"

#include <string.h>

/* One's complement addition: what falls out at the top comes in below. */
static inline uint64_t
add_carry(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

/*
 * Words are added as they lie in memory, whatever the byte order: the sum is
 * then the wanted one, or that with its octets swapped, and finish puts it
 * right.
 */
uint64_t
wk_checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t last[2] = { 0, 0 };
	uint64_t word;
	uint16_t half;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = add_carry(sum, word);
	}
	for (; len >= sizeof(half); p += sizeof(half), len -= sizeof(half)) {
		memcpy(&half, p, sizeof(half));
		sum = add_carry(sum, half);
	}
	if (len > 0) {
		last[0] = *p;
		memcpy(&half, last, sizeof(half));
		sum = add_carry(sum, half);
	}
	return sum;
}

uint64_t
wk_checksum_pseudo(unsigned ip_version, const uint8_t *src, const uint8_t *dst,
    uint8_t protocol, size_t len)
{
	size_t address = ip_version == 4 ? 4 : 16;
	uint64_t sum = wk_checksum_add(0, src, address);
	const uint8_t tail[8] = {
		(uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, protocol,
	};

	sum = wk_checksum_add(sum, dst, address);
	return wk_checksum_add(sum, tail, sizeof(tail));
}

uint16_t
wk_checksum_finish(uint64_t sum)
{
	uint8_t octets[2];
	uint16_t folded;

	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	folded = (uint16_t)~sum;
	memcpy(octets, &folded, sizeof(octets));
	return (uint16_t)(octets[0] << 8 | octets[1]);
}
