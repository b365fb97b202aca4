/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base/ring.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096

void
wk_ring_init(struct wk_ring *r, size_t max)
{
	*r = (struct wk_ring){ .max = max };
}

void
wk_ring_free(struct wk_ring *r)
{
	free(r->data);
	wk_ring_init(r, r->max);
}

/* Copy the first octets, which may lie around the end of the storage. */
static void
copy_out(const struct wk_ring *r, uint8_t *out, size_t len)
{
	size_t first = r->cap - r->head;

	if (first > len)
		first = len;
	if (first > 0)
		memcpy(out, r->data + r->head, first);
	if (len > first)
		memcpy(out + first, r->data, len - first);
}

/* Make the storage large enough for len octets, or as large as may be. */
static void
grow(struct wk_ring *r, size_t len)
{
	size_t cap = r->cap == 0 ? FIRST_SIZE : r->cap;
	uint8_t *data;

	if (len <= r->cap)
		return;
	while (cap < len && cap <= r->max / 2)
		cap *= 2;
	if (cap < len || cap > r->max)
		cap = r->max;
	data = malloc(cap);
	if (data == NULL)
		return;
	copy_out(r, data, r->len);
	free(r->data);
	r->data = data;
	r->cap = cap;
	r->head = 0;
}

size_t
wk_ring_append(struct wk_ring *r, const void *data, size_t len)
{
	const uint8_t *in = data;
	size_t at, first;

	if (len > wk_ring_room(r))
		len = wk_ring_room(r);
	grow(r, r->len + len);
	if (len > r->cap - r->len)
		len = r->cap - r->len;
	if (len == 0)
		return 0;
	at = r->head + r->len;
	if (at >= r->cap)
		at -= r->cap;
	first = r->cap - at;
	if (first > len)
		first = len;
	memcpy(r->data + at, in, first);
	if (len > first)
		memcpy(r->data, in + first, len - first);
	r->len += len;
	return len;
}

void
wk_ring_take(struct wk_ring *r, uint8_t *out, size_t len)
{
	copy_out(r, out, len);
	r->len -= len;
	r->head += len;
	if (r->head >= r->cap)
		r->head -= r->cap;
	if (r->len == 0)
		r->head = 0;
}
