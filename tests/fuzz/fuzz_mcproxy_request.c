/* SPDX-License-Identifier: MIT */
/*
 * The request reader: the events of the whole input and of the input in pieces
 * must agree, whatever arrives, and nothing may reach beyond the input.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A running digest of what happened; value pieces may be cut anywhere. */
static uint64_t
mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t
digest(uint64_t h, enum request_event e, const struct request *q)
{
	if (e == REQUEST_DATA)
		return mix(h, q->data, q->data_len);
	h = mix(h, &e, sizeof(e));
	if (e == REQUEST_KEY || e == REQUEST_COMMAND) {
		if (q->key_len > 0 && q->error == NULL)
			h = mix(h, q->key, q->key_len);
		h = mix(h, &q->command, sizeof(q->command));
		h = mix(h, &q->is_last, sizeof(q->is_last));
		if (q->rest_len > 0)
			h = mix(h, q->rest, q->rest_len);
		if (q->error == NULL && e == REQUEST_KEY &&
		    (q->key_len == 0 || q->key_len > REQUEST_KEY_MAX))
			abort();
		if (q->is_quiet && (q->quiet_at + 2 > q->rest_len ||
		    memcmp(q->rest + q->quiet_at, " q", 2) != 0))
			abort();
		if (q->ttl_at + q->ttl_len > q->rest_len)
			abort();
	}
	if (q->error != NULL)
		h = mix(h, q->error, strlen(q->error));
	return h;
}

static uint64_t
run(const uint8_t *data, size_t size, size_t step)
{
	struct request_reader r;
	struct request q;
	enum request_event e;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t have = 0, given = 0, n, left;
	char *buf = malloc(size + 1), *exact;
	const char *at;

	if (buf == NULL)
		return 0;
	request_reader_init(&r, 64);
	while (given < size) {
		n = size - given < step ? size - given : step;
		memcpy(buf + have, data + given, n);
		given += n;
		left = have + n;
		exact = malloc(left);
		if (exact == NULL)
			break;
		memcpy(exact, buf, left);
		at = exact;
		while ((e = request_read(&r, &at, &left, &q)) != REQUEST_MORE)
			h = digest(h, e, &q);
		if (left > REQUEST_LINE_MAX + 1)
			abort();
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
	size_t step;

	if (size < 2)
		return 0;
	step = (size_t)data[0] + 1;
	if (run(data + 1, size - 1, size) != run(data + 1, size - 1, step))
		abort();
	return 0;
}
