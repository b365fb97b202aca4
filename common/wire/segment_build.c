/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/segment.h"

#include "common/wire/checksum.h"

#define PACKET_MAX 65535
#define IPV4_CHECKSUM_AT 10
#define IPV4_DF 0x4000
#define TCP_CHECKSUM_AT 16

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
append_ipv4(const struct wk_segment *s, size_t tcp_len, struct wk_buf *b)
{
	size_t at = b->len;

	wk_buf_uint(b, 0x45, 1);
	wk_buf_uint(b, s->traffic_class, 1);
	wk_buf_uint(b, WK_IPV4_HEADER + tcp_len, 2);
	wk_buf_uint(b, s->ip_id, 2);
	wk_buf_uint(b, s->has_df ? IPV4_DF : 0, 2);
	wk_buf_uint(b, s->ttl, 1);
	wk_buf_uint(b, WK_PROTOCOL_TCP, 1);
	wk_buf_uint(b, 0, 2);
	wk_buf_append(b, s->src, 4);
	wk_buf_append(b, s->dst, 4);
	put16(b->data + at + IPV4_CHECKSUM_AT, wk_checksum_finish(
	    wk_checksum_add(0, b->data + at, WK_IPV4_HEADER)));
}

static void
append_ipv6(const struct wk_segment *s, size_t tcp_len, struct wk_buf *b)
{
	wk_buf_uint(b, UINT32_C(6) << 28 | (uint32_t)s->traffic_class << 20 |
	    (s->flow_label & 0xfffff), 4);
	wk_buf_uint(b, tcp_len, 2);
	wk_buf_uint(b, WK_PROTOCOL_TCP, 1);
	wk_buf_uint(b, s->ttl, 1);
	wk_buf_append(b, s->src, 16);
	wk_buf_append(b, s->dst, 16);
}

static void
append_tcp(const struct wk_segment *s, size_t header, struct wk_buf *b)
{
	size_t at = b->len, len = header + s->payload_len;
	uint64_t sum;

	wk_buf_uint(b, s->src_port, 2);
	wk_buf_uint(b, s->dst_port, 2);
	wk_buf_uint(b, s->seq, 4);
	wk_buf_uint(b, s->ack, 4);
	wk_buf_uint(b, header / 4 << 12 | (s->flags & WK_TCP_FLAGS_ALL), 2);
	wk_buf_uint(b, s->window, 2);
	wk_buf_uint(b, 0, 2);
	wk_buf_uint(b, s->urgent, 2);
	wk_buf_append(b, s->options, s->options_len);
	wk_buf_uint(b, 0, header - WK_TCP_HEADER - s->options_len);
	wk_buf_append(b, s->payload, s->payload_len);
	sum = wk_checksum_pseudo(s->ip_version, s->src, s->dst, WK_PROTOCOL_TCP,
	    len);
	put16(b->data + at + TCP_CHECKSUM_AT, wk_checksum_finish(
	    wk_checksum_add(sum, b->data + at, len)));
}

int
wk_segment_build(const struct wk_segment *s, struct wk_buf *b)
{
	size_t ip_header = s->ip_version == 4 ? WK_IPV4_HEADER : WK_IPV6_HEADER;
	size_t header = WK_TCP_HEADER + (s->options_len + 3) / 4 * 4, len;

	if (b->status != WK_OK)
		return b->status;
	if ((s->ip_version != 4 && s->ip_version != 6) ||
	    s->options_len > WK_TCP_OPTIONS_MAX ||
	    (s->payload == NULL && s->payload_len > 0))
		return b->status = WK_E_INVALID;
	if (s->payload_len > PACKET_MAX - ip_header - header)
		return b->status = WK_E_LIMIT;
	/* With room for the whole packet nothing below can fail. */
	len = header + s->payload_len;
	if (wk_buf_reserve(b, ip_header + len) != WK_OK)
		return b->status;
	if (s->ip_version == 4)
		append_ipv4(s, len, b);
	else
		append_ipv6(s, len, b);
	append_tcp(s, header, b);
	return WK_OK;
}
