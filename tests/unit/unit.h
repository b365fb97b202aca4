/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: cmocka with what it needs in front of it, hex in
 * and out, and input that ends at an unreadable page.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Octets of hexadecimal text (blanks allowed) into out; returns their number. */
static inline size_t
unhex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;
	unsigned v;

	while (*text != '\0') {
		if (*text == ' ' || *text == '\n') {
			text++;
			continue;
		}
		if (n == size || sscanf(text, "%2x", &v) != 1)
			fail_msg("bad test vector at \"%s\"", text);
		out[n++] = (uint8_t)v;
		text += 2;
	}
	return n;
}

/* A copy of data whose end touches an unreadable page. */
struct fence {
	uint8_t *base, *data;
	size_t size;
};

static inline void
fence_init(struct fence *f, const void *data, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (len + page - 1) / page * page;

	f->size = room + page;
	f->base = mmap(NULL, f->size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(f->base != MAP_FAILED);
	assert_int_equal(mprotect(f->base + room, page, PROT_NONE), 0);
	f->data = f->base + room - len;
	if (len > 0)
		memcpy(f->data, data, len);
}

static inline void
fence_free(struct fence *f)
{
	munmap(f->base, f->size);
}
