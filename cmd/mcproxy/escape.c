/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/escape.h"

int
escape_word(struct wk_buf *b, const char *text, size_t len)
{
	const char *end = text + len, *plain = text;
	unsigned char c;

	for (; text < end; text++) {
		c = (unsigned char)*text;
		if (c > ' ' && c < 0x7f && c != '%')
			continue;
		wk_buf_append(b, plain, (size_t)(text - plain));
		wk_buf_printf(b, "%%%02X", c);
		plain = text + 1;
	}
	return wk_buf_append(b, plain, (size_t)(end - plain));
}
