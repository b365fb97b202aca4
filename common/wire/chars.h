/* SPDX-License-Identifier: MIT */
/*
 * The character classes that HTTP (RFC 9110, section 5.6), URIs (RFC 3986,
 * section 2) and structured fields (RFC 9651) are made of.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wk_char {
	WK_CHAR_DIGIT = 1 << 0,		/* 0-9 */
	WK_CHAR_UPPER = 1 << 1,		/* A-Z */
	WK_CHAR_LOWER = 1 << 2,		/* a-z: lcalpha */
	WK_CHAR_TOKEN = 1 << 3,		/* tchar */
	WK_CHAR_UNRESERVED = 1 << 4,	/* ALPHA DIGIT - . _ ~ */
	WK_CHAR_SUB_DELIM = 1 << 5,	/* ! $ & ' ( ) * + , ; = */
	WK_CHAR_VISIBLE = 1 << 6,	/* VCHAR: 0x21 to 0x7e */
	WK_CHAR_FIELD = 1 << 7,		/* VCHAR, SP, HTAB, obs-text */
	WK_CHAR_ALPHA = WK_CHAR_UPPER | WK_CHAR_LOWER,
};

extern const uint8_t wk_char_classes[256];

/* Whether c belongs to one of the classes in the set. */
static inline bool
wk_char_is(char c, unsigned classes)
{
	return (wk_char_classes[(uint8_t)c] & classes) != 0;
}

/* How many characters at the start of text belong to those classes. */
static inline size_t
wk_char_span(const char *text, size_t len, unsigned classes)
{
	size_t n = 0;

	while (n < len && wk_char_is(text[n], classes))
		n++;
	return n;
}
