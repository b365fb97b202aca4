/* SPDX-License-Identifier: MIT */
/*
 * Input: the link type, octets of the frame that were not captured (in
 * eights), where to cut what is left, and the frame.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/segment.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)
#define HEAD 3

static const uint32_t links[] = {
	WK_LINK_ETHERNET, WK_LINK_RAW, WK_LINK_LINUX_SLL, WK_LINK_LINUX_SLL2,
	WK_LINK_NULL, WK_LINK_LOOP, WK_LINK_IPV4, WK_LINK_IPV6,
	WK_LINK_RAW_BSD, WK_LINK_RAW_OPENBSD, 105,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_slice(const uint8_t *at, size_t len, const uint8_t *frame, size_t caplen)
{
	CHECK((at == NULL) == (len == 0));
	if (at != NULL)
		CHECK(at >= frame && at <= frame + caplen &&
		    len <= (size_t)(frame + caplen - at));
}

static void
check_options(const struct wk_segment *s)
{
	size_t offset = 0, before = 0, len;
	const uint8_t *data;
	uint8_t kind;
	bool is_bad;

	while (wk_segment_next_option(s, &offset, &kind, &data, &len,
	    &is_bad)) {
		CHECK(!is_bad && kind > 1 && offset >= before + 2 + len);
		CHECK(offset <= s->options_len);
		CHECK(data + len == s->options + offset);
		before = offset;
	}
	CHECK(offset <= s->options_len);
	CHECK(!is_bad || offset < s->options_len);
}

/* Built again it says the same, now with good checksums. */
static void
check_rebuilt(const struct wk_segment *s)
{
	struct wk_segment got;
	struct wk_buf b;
	int rc;

	wk_buf_init(&b, 65535);
	rc = wk_segment_build(s, &b);
	if (s->payload_len > 65535 - 60 - WK_IPV6_HEADER && rc == WK_E_LIMIT)
		return;
	CHECK(rc == WK_OK);
	CHECK(wk_segment_dissect(WK_LINK_RAW, b.data, b.len, b.len, &got,
	    NULL) == WK_SEGMENT_TCP);
	CHECK(got.ip_version == s->ip_version);
	CHECK(memcmp(got.src, s->src, sizeof(s->src)) == 0);
	CHECK(memcmp(got.dst, s->dst, sizeof(s->dst)) == 0);
	CHECK(got.traffic_class == s->traffic_class);
	CHECK(got.flow_label == s->flow_label);
	CHECK(got.ttl == s->ttl && got.has_df == s->has_df);
	CHECK(got.ip_id == s->ip_id && !got.is_fragment);
	CHECK(got.src_port == s->src_port && got.dst_port == s->dst_port);
	CHECK(got.seq == s->seq && got.ack == s->ack);
	CHECK(got.flags == s->flags && got.window == s->window);
	CHECK(got.urgent == s->urgent);
	CHECK(got.options_len == s->options_len);
	CHECK(s->options_len == 0 ||
	    memcmp(got.options, s->options, s->options_len) == 0);
	CHECK(got.payload_len == s->payload_len);
	CHECK(s->payload_len == 0 ||
	    memcmp(got.payload, s->payload, s->payload_len) == 0);
	CHECK(got.tcp_checksum == WK_CHECKSUM_GOOD);
	CHECK(got.ip_checksum == (s->ip_version == 4 ? WK_CHECKSUM_GOOD :
	    WK_CHECKSUM_UNKNOWN));
	wk_buf_free(&b);
}

static void
check_reset(const struct wk_segment *s)
{
	struct wk_segment rst, again;

	CHECK(wk_segment_reset_for(s, &rst) == !(s->flags & WK_TCP_RST));
	if ((s->flags & WK_TCP_RST) != 0)
		return;
	CHECK(rst.seq == ((s->flags & WK_TCP_ACK) ? s->ack : 0));
	CHECK(((rst.flags & WK_TCP_ACK) != 0) != ((s->flags & WK_TCP_ACK) != 0));
	CHECK(!wk_segment_reset_for(&rst, &again));
	check_rebuilt(&rst);
}

static void
check_tcp(const struct wk_segment *s, const uint8_t *frame, size_t caplen)
{
	CHECK(s->protocol == WK_PROTOCOL_TCP && s->fragment_offset == 0);
	CHECK(s->options_len <= WK_TCP_OPTIONS_MAX && s->options_len % 4 == 0);
	check_slice(s->options, s->options_len, frame, caplen);
	check_slice(s->payload, s->captured_len, frame, caplen);
	CHECK(s->captured_len <= s->payload_len);
	CHECK(s->captured_len == s->payload_len ||
	    s->tcp_checksum == WK_CHECKSUM_UNKNOWN);
	CHECK(!s->is_fragment || s->tcp_checksum == WK_CHECKSUM_UNKNOWN);
	check_options(s);
	check_reset(s);
	if (!s->is_fragment && !s->has_ext_headers &&
	    s->captured_len == s->payload_len)
		check_rebuilt(s);
}

static int
check_frame(uint32_t link, const uint8_t *frame, size_t caplen,
    size_t wire_len)
{
	struct wk_error e = { .status = WK_OK };
	struct wk_segment s;
	int kind = wk_segment_dissect(link, frame, caplen, wire_len, &s, &e);

	CHECK(kind >= WK_SEGMENT_TCP && kind <= WK_SEGMENT_MALFORMED);
	CHECK((kind == WK_SEGMENT_TRUNCATED) == (e.status == WK_E_TRUNCATED));
	CHECK((kind == WK_SEGMENT_MALFORMED) == (e.status == WK_E_MALFORMED));
	CHECK(e.status == WK_OK || e.offset <= wire_len);
	CHECK(kind != WK_SEGMENT_TRUNCATED || caplen < wire_len);
	CHECK(kind == WK_SEGMENT_TCP || (s.options == NULL &&
	    s.payload == NULL && s.tcp_checksum == WK_CHECKSUM_UNKNOWN));
	if (kind == WK_SEGMENT_TCP)
		check_tcp(&s, frame, caplen);
	if (kind == WK_SEGMENT_TCP && (s.flags & WK_TCP_RST) != 0)
		CHECK(wk_segment_may_be_rst(link, frame, caplen));
	return kind;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t caplen, wire_len, cut;
	const uint8_t *frame;
	uint8_t *copy;
	uint32_t link;
	int kind, cut_kind;

	if (size < HEAD)
		return 0;
	frame = data + HEAD;
	caplen = size - HEAD;
	link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	wire_len = caplen + 8u * data[1];
	kind = check_frame(link, frame, caplen, wire_len);

	/* With less captured less is known, but nothing else. */
	cut = caplen == 0 ? 0 : data[2] % caplen;
	copy = malloc(cut + 1);
	CHECK(copy != NULL);
	memcpy(copy + 1, frame, cut);	/* ends where the allocation ends */
	cut_kind = check_frame(link, copy + 1, cut, wire_len);
	CHECK(cut_kind == kind || cut_kind == WK_SEGMENT_TRUNCATED);
	/* So a quick look that saw less must not be surer. */
	if (wk_segment_may_be_rst(link, frame, caplen))
		CHECK(wk_segment_may_be_rst(link, copy + 1, cut));
	free(copy);
	return 0;
}
