/* SPDX-License-Identifier: MIT */
/* Base64 with the standard alphabet (RFC 4648, section 4). */
#pragma once

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/* Append data in base64, padded. */
int wk_base64_append(struct wk_buf *b, const void *data, size_t len);

/*
 * Append the octets written as base64 in text; with b NULL only look whether
 * they are well-formed. No whitespace, no other alphabet. Padding may be left
 * out altogether and pad bits may be set, as RFC 9651 section 4.2.7 wants it.
 * WK_E_MALFORMED names the offset in text.
 */
int wk_base64_parse(struct wk_buf *b, const char *text, size_t len,
    struct wk_error *error);
