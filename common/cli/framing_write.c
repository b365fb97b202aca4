/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/framing.h"

#include <string.h>

#include "common/base/text.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

#define U16_MAX 65535
#define ESCAPED_AT_ONCE 4096

void
wk_framing_writer_init(struct wk_framing_writer *w, enum wk_framing framing,
    bool escapes)
{
	w->framing = framing;
	w->escapes = escapes;
}

static void
write_length(enum wk_framing framing, uint64_t length)
{
	uint8_t octets[WK_VARINT_OCTETS_MAX];
	size_t n;

	if (framing == WK_FRAMING_U16) {
		octets[0] = (uint8_t)(length >> 8);
		octets[1] = (uint8_t)length;
		n = 2;
	} else {
		n = wk_varint_encode(octets, length, 0);
	}
	wk_out_write(octets, n);
}

int
wk_framing_write_begin(struct wk_framing_writer *w,
    const struct wk_framing_datagram *d, uint64_t length)
{
	switch (w->framing) {
	case WK_FRAMING_U16:
		if (length > U16_MAX)
			return WK_E_LIMIT;
		write_length(w->framing, length);
		break;
	case WK_FRAMING_VARINT:
		if (length > WK_VARINT_MAX)
			return WK_E_LIMIT;
		write_length(w->framing, length);
		break;
	case WK_FRAMING_NDJSON:
		wk_json_begin("datagram");
		if (d->has_context)
			wk_json_uint("context_id", d->context_id);
		wk_json_uint("length", length);
		wk_json_hex_begin("payload_hex");
		break;
	case WK_FRAMING_LINE:
	case WK_FRAMING_RAW:
	case WK_FRAMING_WHOLE:
	case WK_FRAMING_HEX:
		break;
	}
	return WK_OK;
}

/* A character that lies in two pieces is shown by its octets. */
static void
write_escaped(const uint8_t *data, size_t len)
{
	struct wk_buf b;
	size_t n;

	wk_buf_init(&b, SIZE_MAX);
	for (; len > 0; data += n, len -= n) {
		n = len < ESCAPED_AT_ONCE ? len : ESCAPED_AT_ONCE;
		wk_buf_clear(&b);
		if (wk_text_escape(&b, data, n, 0) == WK_OK)
			wk_out_write(b.data, b.len);
	}
	wk_buf_free(&b);
}

void
wk_framing_write_piece(struct wk_framing_writer *w, const uint8_t *data,
    size_t len)
{
	switch (w->framing) {
	case WK_FRAMING_HEX:
		wk_out_hex(data, len);
		break;
	case WK_FRAMING_NDJSON:
		wk_json_hex_more(data, len);
		break;
	case WK_FRAMING_LINE:
		if (w->escapes) {
			write_escaped(data, len);
			break;
		}
		/* fall through */
	case WK_FRAMING_RAW:
	case WK_FRAMING_WHOLE:
	case WK_FRAMING_U16:
	case WK_FRAMING_VARINT:
		wk_out_borrow(data, len);
		break;
	}
}

void
wk_framing_write_end(struct wk_framing_writer *w)
{
	if (w->framing == WK_FRAMING_NDJSON) {
		wk_json_hex_end();
		wk_json_end();
	} else if (wk_framing_is_text(w->framing)) {
		wk_out_write("\n", 1);
	}
}

int
wk_framing_write(struct wk_framing_writer *w,
    const struct wk_framing_datagram *d)
{
	int rc = wk_framing_write_begin(w, d, d->len);

	if (rc != WK_OK)
		return rc;
	wk_framing_write_piece(w, d->data, d->len);
	wk_framing_write_end(w);
	return WK_OK;
}
