/* SPDX-License-Identifier: MIT */
/*
 * DATAGRAM capsules with context 0 to stdout: how many, and the octets of each
 * payload. The same stretch is written again and again, so that it costs no
 * more than writing it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire/capsule.h"

#define CHUNK (256 * 1024)

int
main(int argc, char **argv)
{
	uint64_t n = argc == 3 ? strtoull(argv[1], NULL, 0) : 0;
	size_t size = argc == 3 ? (size_t)strtoull(argv[2], NULL, 0) : 0;
	uint8_t header[WK_CAPSULE_HEADER_MAX];
	struct wk_capsule cap = { .length = size + 1 };
	size_t head = wk_capsule_header(header, &cap);
	size_t one = head + 1 + size, per_chunk, i, len, at;
	char *chunk;
	ssize_t sent;

	if (n == 0) {
		fprintf(stderr, "usage: generate-capsules count octets\n");
		return 2;
	}
	per_chunk = one > CHUNK ? 1 : CHUNK / one;
	chunk = malloc(per_chunk * one);
	if (chunk == NULL)
		return 4;
	memset(chunk, 'x', per_chunk * one);
	for (i = 0; i < per_chunk; i++) {
		memcpy(chunk + i * one, header, head);
		chunk[i * one + head] = 0;
	}
	for (; n > 0; n -= i) {
		i = n < per_chunk ? (size_t)n : per_chunk;
		for (at = 0, len = i * one; at < len; at += (size_t)sent)
			if ((sent = write(STDOUT_FILENO, chunk + at,
			    len - at)) < 0)
				return 4;
	}
	free(chunk);
	return 0;
}
