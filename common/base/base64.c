/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base/base64.h"

int
wk_base64_append(struct wk_buf *b, const void *data, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = data;
	size_t i, k, n;
	uint8_t out[4];
	uint32_t v;

	for (i = 0; i < len; i += n) {
		n = len - i < 3 ? len - i : 3;
		for (k = 0, v = 0; k < 3; k++)
			v = v << 8 | (k < n ? p[i + k] : 0);
		for (k = 0; k < 4; k++)
			out[k] = (uint8_t)(k > n ? '=' :
			    alphabet[v >> (18 - 6 * k) & 63]);
		wk_buf_append(b, out, sizeof(out));
	}
	return b->status;
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
wk_base64_parse(struct wk_buf *b, const char *text, size_t len,
    struct wk_error *error)
{
	size_t i, n = len;
	uint32_t v = 0;
	int six;

	while (n > 0 && len - n < 2 && text[n - 1] == '=')
		n--;
	for (i = 0; i < n; i++) {
		six = sextet(text[i]);
		if (six < 0)
			return wk_error_set(error, WK_E_MALFORMED, i,
			    text[i] == '=' ? "base64 padding not at the end" :
			    "not a base64 character");
		v = v << 6 | (uint32_t)six;
		if (i % 4 != 0 && b != NULL)
			wk_buf_uint(b, v >> (2 * (3 - i % 4)) & 0xff, 1);
	}
	if (n % 4 == 1 || (n < len && len % 4 != 0))
		return wk_error_set(error, WK_E_MALFORMED, n,
		    "base64 of an impossible length");
	if (b != NULL && b->status != WK_OK)
		return wk_error_set(error, (enum wk_status)b->status, n,
		    "more than %zu octets", b->max);
	return WK_OK;
}
