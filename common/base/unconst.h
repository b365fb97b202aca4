/* SPDX-License-Identifier: MIT */
/*
 * For interfaces that take pointers to what they only read, but say otherwise.
 */
#pragma once

static inline void *
wk_unconst(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = { p };

	return u.out;
}
