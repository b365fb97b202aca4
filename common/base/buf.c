/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
wk_buf_init(struct wk_buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
wk_buf_free(struct wk_buf *b)
{
	free(b->data);
	wk_buf_init(b, b->max);
}

void
wk_buf_clear(struct wk_buf *b)
{
	b->len = 0;
	b->status = WK_OK;
}

int
wk_buf_reserve(struct wk_buf *b, size_t n)
{
	size_t cap;
	uint8_t *data;

	if (b->status != WK_OK)
		return b->status;
	if (n <= b->cap - b->len)
		return WK_OK;
	if (n > b->max - b->len)
		return b->status = WK_E_LIMIT;
	cap = b->cap < 64 ? 64 : b->cap;
	if (cap > b->max)
		cap = b->max;
	while (cap < b->len + n)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	data = realloc(b->data, cap);
	if (data == NULL)
		return b->status = WK_E_NOMEM;
	b->data = data;
	b->cap = cap;
	return WK_OK;
}

int
wk_buf_append(struct wk_buf *b, const void *data, size_t len)
{
	if (wk_buf_reserve(b, len) == WK_OK && len > 0) {
		memcpy(b->data + b->len, data, len);
		b->len += len;
	}
	return b->status;
}

int
wk_buf_uint(struct wk_buf *b, uint64_t v, size_t octets)
{
	uint8_t out[8];
	size_t i;

	for (i = 0; i < octets; i++)
		out[i] = (uint8_t)(v >> 8 * (octets - 1 - i));
	return wk_buf_append(b, out, octets);
}

int
wk_buf_vprintf(struct wk_buf *b, const char *format, va_list ap)
{
	char small[256];
	va_list again;
	char *big;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), format, ap);
	if (n < 0) {
		b->status = b->status == WK_OK ? WK_E_INVALID : b->status;
	} else if ((size_t)n < sizeof(small)) {
		wk_buf_append(b, small, (size_t)n);
	} else if ((big = malloc((size_t)n + 1)) == NULL) {
		b->status = b->status == WK_OK ? WK_E_NOMEM : b->status;
	} else {
		vsnprintf(big, (size_t)n + 1, format, again);
		wk_buf_append(b, big, (size_t)n);
		free(big);
	}
	va_end(again);
	return b->status;
}

int
wk_buf_printf(struct wk_buf *b, const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = wk_buf_vprintf(b, format, ap);
	va_end(ap);
	return rc;
}
