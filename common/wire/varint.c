/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/varint.h"

/* The two bits that announce a length, or -1 for what is none. */
static int
prefix_of(size_t octets)
{
	switch (octets) {
	case 1:
		return 0;
	case 2:
		return 1;
	case 4:
		return 2;
	case 8:
		return 3;
	default:
		return -1;
	}
}

size_t
wk_varint_encode(uint8_t out[WK_VARINT_OCTETS_MAX], uint64_t v, size_t octets)
{
	size_t shortest = wk_varint_shortest(v), i;
	int prefix;

	if (octets == 0)
		octets = shortest;
	prefix = prefix_of(octets);
	if (shortest == 0 || octets < shortest || prefix < 0)
		return 0;
	for (i = 0; i < octets; i++)
		out[i] = (uint8_t)(v >> 8 * (octets - 1 - i));
	out[0] = (uint8_t)(out[0] | prefix << 6);
	return octets;
}

int
wk_varint_append(struct wk_buf *b, uint64_t v, size_t octets)
{
	uint8_t out[WK_VARINT_OCTETS_MAX];
	size_t n = wk_varint_encode(out, v, octets);

	if (n == 0 && b->status == WK_OK)
		b->status = WK_E_INVALID;
	return wk_buf_append(b, out, n);
}

uint64_t
wk_varint_take(struct wk_span *s, size_t *octets)
{
	uint64_t v = 0;
	size_t n = 0;

	if (wk_span_is_ok(s))
		n = wk_varint_decode(s->at, wk_span_left(s), &v);
	wk_span_take(s, n > 0 ? n : SIZE_MAX);
	if (octets != NULL)
		*octets = n;
	return v;
}
