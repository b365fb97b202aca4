/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base/text.h"

#include <string.h>

size_t
wk_utf8_decode(const uint8_t *p, size_t len, uint32_t *code_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = p[0];
	size_t need, i;

	if (c < 0x80) {
		*code_point = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf)
		need = 2, c &= 0x1f;
	else if (c >= 0xe0 && c <= 0xef)
		need = 3, c &= 0x0f;
	else if (c >= 0xf0 && c <= 0xf4)
		need = 4, c &= 0x07;
	else
		return 0;
	if (len < need)
		return 0;
	for (i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code_point = c;
	return need;
}

bool
wk_utf8_is_valid(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t c;
	size_t n;

	for (; len > 0; p += n, len -= n)
		if ((n = wk_utf8_decode(p, len, &c)) == 0)
			return false;
	return true;
}

bool
wk_text_is_deceptive(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },
		{ 0x034f, 0x034f }, { 0x061c, 0x061c }, { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 },
		{ 0xe000, 0xf8ff }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
		{ 0xe0000, 0x10ffff },
	};
	size_t i;

	/* Nearly all text is ASCII. */
	if (c >= 0x20 && c < 0x7f)
		return false;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* How much of it is ASCII that needs no escape. */
static size_t
plain_length(const uint8_t *p, size_t len, char quote)
{
	size_t n;

	for (n = 0; n < len; n++)
		if (p[n] < 0x20 || p[n] >= 0x7f || p[n] == '\\' ||
		    (p[n] == (uint8_t)quote && quote != 0))
			break;
	return n;
}

int
wk_text_escape(struct wk_buf *b, const void *data, size_t len, char quote)
{
	static const char named[] = "\n\t\r";
	static const char letters[] = "ntr";
	const uint8_t *p = data;
	const char *at;
	uint32_t c;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = plain_length(p, len, quote);
		if (n > 0) {
			wk_buf_append(b, p, n);
			continue;
		}
		n = wk_utf8_decode(p, len, &c);
		if (n == 0) {
			wk_buf_printf(b, "\\x%02x", p[0]);
			n = 1;
		} else if (c == '\\' || (quote != 0 && c == (uint8_t)quote)) {
			wk_buf_printf(b, "\\%c", (char)c);
		} else if (c != 0 && c < 0x80 &&
		    (at = strchr(named, (int)c)) != NULL) {
			wk_buf_printf(b, "\\%c", letters[at - named]);
		} else if (!wk_text_is_deceptive(c)) {
			wk_buf_append(b, p, n);
		} else if (c < 0x80) {
			wk_buf_printf(b, "\\x%02x", (unsigned)c);
		} else {
			wk_buf_printf(b, "\\u{%04x}", (unsigned)c);
		}
	}
	return b->status;
}

int
wk_hex_append(struct wk_buf *b, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	size_t i;

	if (len > SIZE_MAX / 2)
		return b->status = WK_E_LIMIT;
	if (wk_buf_reserve(b, 2 * len) != WK_OK)
		return b->status;
	for (i = 0; i < len; i++) {
		b->data[b->len++] = (uint8_t)digits[p[i] >> 4];
		b->data[b->len++] = (uint8_t)digits[p[i] & 15];
	}
	return WK_OK;
}

int
wk_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
wk_hex_parse(struct wk_buf *b, const char *text, size_t len,
    struct wk_error *error)
{
	size_t i = 0;
	int high, low;

	if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		i = 2;
	while (i < len) {
		if (memchr(" \t\r\n:", text[i], 5) != NULL) {
			i++;
			continue;
		}
		high = wk_hex_digit(text[i]);
		if (high < 0)
			return wk_error_set(error, WK_E_MALFORMED, i,
			    "not a hexadecimal digit");
		low = i + 1 < len ? wk_hex_digit(text[i + 1]) : -1;
		if (low < 0)
			return wk_error_set(error, WK_E_MALFORMED, i,
			    "half an octet, expected two hexadecimal digits");
		if (wk_buf_uint(b, (uint64_t)(high << 4 | low), 1) != WK_OK)
			return wk_error_set(error, (enum wk_status)b->status, i,
			    "more than %zu octets", b->max);
		i += 2;
	}
	return WK_OK;
}
