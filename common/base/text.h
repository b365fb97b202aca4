/* SPDX-License-Identifier: MIT */
/*
 * Text that came from a wire: validation, escaping, hexadecimal. Such text is
 * hostile until escaped; it is never a C string and its length travels along.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/*
 * Decode one code point of UTF-8 (RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF). Returns the octets used, 1 to 4, or 0 when the
 * octets at p are not a whole valid sequence; len must not be 0.
 */
size_t wk_utf8_decode(const uint8_t *p, size_t len, uint32_t *code_point);

bool wk_utf8_is_valid(const void *data, size_t len);

/*
 * Characters that a terminal acts upon, or that hide or reorder their
 * neighbours: controls, bidirectional and invisible ones, private use.
 */
bool wk_text_is_deceptive(uint32_t code_point);

/*
 * Append text so that a terminal shows just what is there: controls, DEL, C1,
 * bidirectional and invisible format characters, line separators, backslash,
 * the quote character (0 for none) and octets that are not UTF-8 become
 * \n \t \\ \" \xNN or \u{NNNN}.
 */
int wk_text_escape(struct wk_buf *b, const void *data, size_t len, char quote);

/* The value of one hexadecimal digit of either case, or -1. */
int wk_hex_digit(char c);

/* Append two lower-case hexadecimal digits per octet. */
int wk_hex_append(struct wk_buf *b, const void *data, size_t len);

/*
 * Append the octets written as hexadecimal in text; blanks, tabs, colons and
 * line ends between octets are skipped, "0x" in front is tolerated.
 * WK_E_MALFORMED names the offset of the character that is wrong.
 */
int wk_hex_parse(struct wk_buf *b, const char *text, size_t len,
    struct wk_error *error);
