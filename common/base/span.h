/* SPDX-License-Identifier: MIT */
/*
 * A span reads integers and slices from borrowed octets, in network byte
 * order. It never reads past its end: the first read that would do so marks
 * the span as failed, and that read and all later ones give 0 or NULL. Ten
 * fields can therefore be read in a row and checked once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wk_span {
	const uint8_t *start, *at, *end;	/* borrowed from the caller */
	bool has_failed;
};

static inline void
wk_span_init(struct wk_span *s, const void *data, size_t len)
{
	s->start = s->at = data;
	s->end = len == 0 ? s->start : s->start + len;
	s->has_failed = false;
}

/* Octets not yet read. */
static inline size_t
wk_span_left(const struct wk_span *s)
{
	return (size_t)(s->end - s->at);
}

/* Octets already read; after a failure, the offset of the read that failed. */
static inline size_t
wk_span_offset(const struct wk_span *s)
{
	return (size_t)(s->at - s->start);
}

static inline bool
wk_span_is_ok(const struct wk_span *s)
{
	return !s->has_failed;
}

/* The next len octets, borrowed, or NULL when there are fewer. */
static inline const uint8_t *
wk_span_take(struct wk_span *s, size_t len)
{
	const uint8_t *at = s->at;

	if (s->has_failed || len > wk_span_left(s)) {
		s->has_failed = true;
		return NULL;
	}
	if (len > 0)
		s->at += len;
	return at;
}

static inline uint64_t
wk_span_uint(struct wk_span *s, size_t octets)
{
	const uint8_t *p = wk_span_take(s, octets);
	uint64_t v = 0;
	size_t i;

	if (p == NULL)
		return 0;
	for (i = 0; i < octets; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t
wk_span_u8(struct wk_span *s)
{
	return (uint8_t)wk_span_uint(s, 1);
}

static inline uint16_t
wk_span_u16(struct wk_span *s)
{
	return (uint16_t)wk_span_uint(s, 2);
}

static inline uint32_t
wk_span_u32(struct wk_span *s)
{
	return (uint32_t)wk_span_uint(s, 4);
}

static inline uint64_t
wk_span_u64(struct wk_span *s)
{
	return wk_span_uint(s, 8);
}
