/* SPDX-License-Identifier: MIT */
/*
 * Text by address and length: borrowed, not ended by a NUL, possibly hostile.
 * Comparisons are octet for octet; "nocase" folds ASCII letters and no others,
 * whatever the locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct wk_str {
	const char *at;		/* may be NULL when len is 0 */
	size_t len;
};

static inline struct wk_str
wk_str_of(const char *text)
{
	struct wk_str s = { text, strlen(text) };

	return s;
}

static inline bool
wk_str_equals(struct wk_str a, struct wk_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool
wk_str_is(struct wk_str s, const char *text)
{
	return wk_str_equals(s, wk_str_of(text));
}

static inline unsigned char
wk_ascii_lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static inline bool
wk_str_equals_nocase(struct wk_str a, struct wk_str b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		if (wk_ascii_lower(a.at[i]) != wk_ascii_lower(b.at[i]))
			return false;
	return true;
}

static inline bool
wk_str_is_nocase(struct wk_str s, const char *text)
{
	return wk_str_equals_nocase(s, wk_str_of(text));
}
