/* SPDX-License-Identifier: MIT */
/*
 * The response reader: pieces must agree with the whole up to where the answer
 * goes bad, and every key and value must lie inside the input.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t
run(enum response_kind kind, const uint8_t *data, size_t size, size_t step)
{
	struct response_reader r;
	struct response p;
	enum response_event e = RESPONSE_MORE;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t have = 0, given = 0, n, left;
	char *buf = malloc(size + 1), *exact;
	const char *at;

	if (buf == NULL)
		return 0;
	response_reader_init(&r);
	while (given < size && e != RESPONSE_BAD) {
		n = size - given < step ? size - given : step;
		memcpy(buf + have, data + given, n);
		given += n;
		left = have + n;
		exact = malloc(left);
		if (exact == NULL)
			break;
		memcpy(exact, buf, left);
		at = exact;
		while ((e = response_read(&r, kind, &at, &left, &p)) !=
		    RESPONSE_MORE && e != RESPONSE_BAD) {
			if (e == RESPONSE_DATA)
				continue;
			h = mix(h, p.line, p.line_len);
			h = mix(h, &p.class, sizeof(p.class));
			if (p.key != NULL && p.key_len > 0 &&
			    (p.key < p.line || p.key + p.key_len >
			    p.line + p.line_len))
				abort();
		}
		memcpy(buf, at, left);
		have = left;
		free(exact);
	}
	free(buf);
	return h;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum response_kind kind;

	if (size < 3)
		return 0;
	kind = (enum response_kind)(data[0] % 4);
	if (run(kind, data + 2, size - 2, size) !=
	    run(kind, data + 2, size - 2, (size_t)data[1] + 1))
		abort();
	return 0;
}
