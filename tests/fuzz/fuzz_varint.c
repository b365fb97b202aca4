/* SPDX-License-Identifier: MIT */
/* Input: the piece size (0: all at once), and varints one behind the other. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/varint.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_encoding(const uint8_t *at, size_t octets, uint64_t v)
{
	uint8_t out[WK_VARINT_OCTETS_MAX];
	size_t shortest = wk_varint_shortest(v);
	uint64_t again;

	CHECK(v <= WK_VARINT_MAX && shortest > 0 && shortest <= octets);
	CHECK(wk_varint_encode(out, v, octets) == octets);
	CHECK(memcmp(out, at, octets) == 0);
	CHECK(wk_varint_encode(out, v, 0) == shortest);
	CHECK(wk_varint_decode(out, shortest, &again) == shortest);
	CHECK(again == v);
	CHECK(shortest == 1 || wk_varint_encode(out, v, shortest / 2) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wk_varint_reader r = { .v = 0 };
	const uint8_t *whole, *in;
	size_t left, len, step, octets, taken;
	struct wk_span s;
	uint64_t v, want = 0;

	if (size == 0)
		return 0;
	whole = data + 1;
	left = size - 1;
	step = data[0] == 0 ? left : data[0];
	wk_span_init(&s, whole, left);

	for (in = whole; left > 0; left -= len) {
		uint8_t *piece;
		const uint8_t *at;
		size_t rest;

		len = step < left ? step : left;
		rest = len;
		piece = malloc(len);
		CHECK(piece != NULL);
		memcpy(piece, in, len);
		in += len;
		at = piece;
		while ((octets = wk_varint_read(&r, &at, &rest, &v)) > 0) {
			const uint8_t *first = s.at;

			CHECK(at + rest == piece + len);
			want = wk_varint_take(&s, &taken);
			CHECK(wk_span_is_ok(&s));
			CHECK(taken == octets && want == v);
			check_encoding(first, octets, v);
		}
		CHECK(rest == 0 && at == piece + len);
		free(piece);
	}
	CHECK(wk_varint_is_partial(&r) == (wk_span_left(&s) > 0));
	CHECK(wk_varint_take(&s, NULL) == 0 && !wk_span_is_ok(&s));
	return 0;
}
