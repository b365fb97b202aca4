/* SPDX-License-Identifier: MIT */
/*
 * A growing buffer with a stated maximum. Every appending call returns WK_OK
 * or an error, and the first error sticks: after it nothing more is appended,
 * so a caller may build a whole message and look at b->status once.
 * The buffer owns its octets; wk_buf_free() releases them.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct wk_buf {
	uint8_t *data;	/* len octets, valid until the next call that appends */
	size_t len, cap, max;
	int status;	/* WK_OK, or the first WK_E_LIMIT or WK_E_NOMEM */
};

/* Start empty; at most max octets will ever be held. Allocates nothing. */
void wk_buf_init(struct wk_buf *b, size_t max);

/* Release the octets and start empty again, with the same maximum. */
void wk_buf_free(struct wk_buf *b);

/* Forget contents and error, keep the memory. */
void wk_buf_clear(struct wk_buf *b);

/* Make room for n more octets; on WK_OK they may be written at data + len. */
int wk_buf_reserve(struct wk_buf *b, size_t n);

int wk_buf_append(struct wk_buf *b, const void *data, size_t len);

/* Append the low octets of v in network byte order; octets is 1 to 8. */
int wk_buf_uint(struct wk_buf *b, uint64_t v, size_t octets);

/* Append formatted text, without a terminating NUL. */
int wk_buf_printf(struct wk_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int wk_buf_vprintf(struct wk_buf *b, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
