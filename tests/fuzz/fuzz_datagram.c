/* SPDX-License-Identifier: MIT */
/* Input: the limit of payloads in context 0, and the datagram. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/datagram.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Header written again and payload are the datagram, and nothing is lost. */
static void
check_parts(const uint8_t *header, size_t head, const uint8_t *payload,
    size_t payload_len, const uint8_t *data, size_t size)
{
	CHECK(head > 0 && head + payload_len == size);
	CHECK(payload == data + head);
	CHECK(memcmp(header, data, head) == 0);
}

static void
check_context(const uint8_t *data, size_t size, size_t limit)
{
	uint8_t header[WK_VARINT_OCTETS_MAX];
	struct wk_error e = { .status = WK_OK };
	struct wk_datagram d;
	int rc = wk_datagram_decode(data, size, limit, &d, &e);

	CHECK(rc == (int)e.status && e.offset <= size);
	if (rc == WK_E_TRUNCATED) {
		CHECK(size < WK_VARINT_OCTETS_MAX);
		return;
	}
	CHECK((rc == WK_E_LIMIT) ==
	    (d.context_id == 0 && d.payload_len > limit));
	check_parts(header, wk_datagram_header(header, &d), d.payload,
	    d.payload_len, data, size);
	CHECK((wk_datagram_owner(d.context_id) == WK_DATAGRAM_NOBODY) ==
	    (d.context_id == 0));
}

static void
check_h3(const uint8_t *data, size_t size)
{
	uint8_t header[WK_VARINT_OCTETS_MAX];
	struct wk_error e = { .status = WK_OK };
	struct wk_datagram_h3 d;
	int rc = wk_datagram_h3_decode(data, size, &d, &e);

	CHECK(rc == (int)e.status && e.offset <= size);
	if (rc == WK_E_TRUNCATED)
		CHECK(size < WK_VARINT_OCTETS_MAX);
	else if (rc == WK_E_MALFORMED)
		CHECK(data[0] >= 0xd0);
	else
		check_parts(header, wk_datagram_h3_header(header, &d),
		    d.payload, d.payload_len, data, size);
}

static void
check_bound(const uint8_t *data, size_t size)
{
	uint8_t header[WK_DATAGRAM_BOUND_HEADER_MAX];
	struct wk_error e = { .status = WK_OK };
	struct wk_datagram_bound d;
	int rc = wk_datagram_bound_decode(data, size, &d, &e);

	CHECK(rc == (int)e.status && e.offset <= size);
	if (rc == WK_E_TRUNCATED)
		CHECK(size < WK_DATAGRAM_BOUND_HEADER_MAX);
	else if (rc == WK_E_MALFORMED)
		CHECK(data[0] != 4 && data[0] != 6);
	else
		check_parts(header, wk_datagram_bound_header(header, &d),
		    d.payload, d.payload_len, data, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size == 0)
		return 0;
	copy = malloc(size);
	CHECK(copy != NULL);
	/* The end of the datagram is the end of the allocation. */
	memcpy(copy, data, size);
	check_context(copy + 1, size - 1, data[0]);
	check_h3(copy + 1, size - 1);
	check_bound(copy + 1, size - 1);
	free(copy);
	return 0;
}
