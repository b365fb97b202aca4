/* SPDX-License-Identifier: MIT */
/*
 * Capsules as people type them: a type by name or number, and its value in
 * parts that are joined.
 *
 *	DATAGRAM 00 "hello\n"	octets in hexadecimal, text in quotes
 *	WT_MAX_DATA v:1048576	a variable-length integer (RFC 9000, section 16)
 *	0x2843 u32:7 'bye'	u8: u16: u32: u64: network byte order
 *	ADDRESS_REQUEST v:1 u8:4 ip:0.0.0.0 u8:32
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/str.h"
#include "common/wire/capsule_types.h"

#define TYPED_VALUE_MAX (1 << 20)

/*
 * Append the capsule to out. WK_E_MALFORMED with the column, from 0, and what
 * was expected; WK_E_LIMIT; out is as before then.
 */
int typed_capsule(struct wk_str line, enum wk_capsule_reading reading,
    struct wk_buf *out, struct wk_error *error);

/* Only the parts: the value. The same is said of failures. */
int typed_value(struct wk_str parts, struct wk_buf *out,
    struct wk_error *error);
