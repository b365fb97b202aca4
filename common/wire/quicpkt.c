/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/quicpkt.h"

#include <stdio.h>
#include <string.h>

#include "common/base/span.h"

#define IS_LONG 0x80

static void
take_id(struct wk_span *s, const uint8_t **id, size_t *len)
{
	*len = wk_span_u8(s);
	*id = wk_span_take(s, *len);
}

int
wk_quicpkt_decode(const void *data, size_t len, size_t short_dcid_len,
    struct wk_quicpkt *packet, struct wk_error *error)
{
	struct wk_span s;

	memset(packet, 0, sizeof(*packet));
	wk_span_init(&s, data, len);
	packet->first = wk_span_u8(&s);
	packet->is_long = (packet->first & IS_LONG) != 0;
	if (packet->is_long) {
		packet->version = wk_span_u32(&s);
		take_id(&s, &packet->dcid, &packet->dcid_len);
		take_id(&s, &packet->scid, &packet->scid_len);
	} else {
		packet->dcid = wk_span_take(&s, short_dcid_len);
		packet->dcid_len = short_dcid_len;
	}
	if (!wk_span_is_ok(&s))
		return wk_error_set(error, WK_E_TRUNCATED, wk_span_offset(&s),
		    "the packet ends inside its header");
	packet->rest = s.at;
	packet->rest_len = wk_span_left(&s);
	return WK_OK;
}

int
wk_quicpkt_versions(const struct wk_quicpkt *packet, uint32_t *versions,
    size_t max, struct wk_error *error)
{
	struct wk_span s;
	size_t i;

	if (!packet->is_long || packet->version != 0)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "no Version Negotiation packet");
	if (packet->rest_len == 0 || packet->rest_len % 4 != 0)
		return wk_error_set(error, WK_E_MALFORMED, packet->rest_len,
		    "the list of versions has %zu octets", packet->rest_len);
	wk_span_init(&s, packet->rest, packet->rest_len);
	for (i = 0; i < packet->rest_len / 4 && i < max; i++)
		versions[i] = wk_span_u32(&s);
	return (int)(packet->rest_len / 4);
}

static void
append_id(struct wk_buf *b, const void *id, size_t len)
{
	if (len > WK_QUICPKT_CID_MAX) {
		b->status = WK_E_LIMIT;
		return;
	}
	wk_buf_uint(b, len, 1);
	if (len > 0)
		wk_buf_append(b, id, len);
}

int
wk_quicpkt_encode_long(struct wk_buf *b, uint8_t first, uint32_t version,
    const void *dcid, size_t dcid_len, const void *scid, size_t scid_len)
{
	wk_buf_uint(b, (uint64_t)first | IS_LONG, 1);
	wk_buf_uint(b, version, 4);
	append_id(b, dcid, dcid_len);
	append_id(b, scid, scid_len);
	return b->status;
}

int
wk_quicpkt_encode_versions(struct wk_buf *b, uint8_t random,
    const struct wk_quicpkt *answered, const uint32_t *versions, size_t n)
{
	size_t i;

	wk_quicpkt_encode_long(b, random, 0, answered->scid,
	    answered->scid_len, answered->dcid, answered->dcid_len);
	for (i = 0; i < n; i++)
		wk_buf_uint(b, versions[i], 4);
	return b->status;
}

const char *
wk_quicpkt_version_text(uint32_t version, char text[WK_QUICPKT_NAME_MAX])
{
	if (version == WK_QUICPKT_V1)
		snprintf(text, WK_QUICPKT_NAME_MAX, "v1");
	else if (version == WK_QUICPKT_V2)
		snprintf(text, WK_QUICPKT_NAME_MAX, "v2");
	else if (version == 0)
		snprintf(text, WK_QUICPKT_NAME_MAX, "negotiation");
	else if (wk_quicpkt_is_reserved(version))
		snprintf(text, WK_QUICPKT_NAME_MAX, "reserved");
	else if (version > 0xff000000 && version <= 0xff0000ff)
		snprintf(text, WK_QUICPKT_NAME_MAX, "draft-%02u",
		    (unsigned)(version & 0xff));
	else
		snprintf(text, WK_QUICPKT_NAME_MAX, "0x%08x",
		    (unsigned)version);
	return text;
}
