/* SPDX-License-Identifier: MIT */
/* Writing heads and chunks. */
#include "config.h"

#include "common/wire/http1.h"

#include <inttypes.h>

#include "common/wire/chars.h"

/* What cannot be written spoils the whole message, not just its line. */
static int
invalid(struct wk_buf *b)
{
	if (b->status == WK_OK)
		b->status = WK_E_INVALID;
	return b->status;
}

static void
put(struct wk_buf *b, struct wk_str s)
{
	wk_buf_append(b, s.at, s.len);
}

static bool
is_token(struct wk_str s)
{
	return s.len > 0 && wk_char_span(s.at, s.len, WK_CHAR_TOKEN) == s.len;
}

static bool
is_text(struct wk_str s)
{
	return wk_char_span(s.at, s.len, WK_CHAR_FIELD) == s.len;
}

int
wk_http1_put_request(struct wk_buf *b, struct wk_str method,
    struct wk_str target)
{
	struct wk_http1_target parts;

	if (!is_token(method) ||
	    wk_http1_target_parse(method, target, &parts, NULL) != WK_OK)
		return invalid(b);
	put(b, method);
	put(b, wk_str_of(" "));
	put(b, target);
	return wk_buf_printf(b, " HTTP/1.1\r\n");
}

int
wk_http1_put_status(struct wk_buf *b, unsigned status, struct wk_str reason)
{
	if (status < 100 || status > 999 || !is_text(reason))
		return invalid(b);
	wk_buf_printf(b, "HTTP/1.1 %u ", status);
	put(b, reason);
	return wk_buf_append(b, "\r\n", 2);
}

int
wk_http1_put_field(struct wk_buf *b, const char *name, struct wk_str value)
{
	/* Blanks around the value would be lost on the way. */
	if (!is_token(wk_str_of(name)) || !is_text(value) || (value.len > 0 &&
	    (memchr(" \t", value.at[0], 2) != NULL ||
	    memchr(" \t", value.at[value.len - 1], 2) != NULL)))
		return invalid(b);
	put(b, wk_str_of(name));
	put(b, wk_str_of(value.len > 0 ? ": " : ":"));
	put(b, value);
	return wk_buf_append(b, "\r\n", 2);
}

int
wk_http1_put_end(struct wk_buf *b)
{
	return wk_buf_append(b, "\r\n", 2);
}

int
wk_http1_put_chunk_head(struct wk_buf *b, uint64_t len)
{
	if (len == 0)
		return invalid(b);
	return wk_buf_printf(b, "%" PRIx64 "\r\n", len);
}

int
wk_http1_put_chunk(struct wk_buf *b, const void *data, size_t len)
{
	if (len == 0)
		return b->status;
	wk_http1_put_chunk_head(b, len);
	wk_buf_append(b, data, len);
	return wk_buf_append(b, "\r\n", 2);
}

int
wk_http1_put_last_chunk(struct wk_buf *b)
{
	return wk_buf_append(b, "0\r\n", 3);
}
