/* SPDX-License-Identifier: MIT */
/* Link headers, fields, checksums, cut captures, the quick look. */
#include "config.h"

#include "tests/unit/unit.h"

#include "tests/unit/segment_frames.h"

#include "common/wire/segment.h"

static void
test_vectors_dissect_to_their_fields(void **state)
{
	static const uint8_t addresses[2][2][16] = {
		{ { 198, 51, 100, 20 }, { 192, 0, 2, 10 } },
		{ { 0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 0x20 },
		    { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 0x10 } },
	};
	uint8_t payload[128];
	struct wk_segment s;
	size_t i, n;

	(void)state;
	for (i = 0; i < N_SEGMENT_VECTORS; i++) {
		const struct segment_vector *v = &segment_vectors[i];
		bool is_v6 = v->ip_version == 6;

		assert_int_equal(dissect(WK_LINK_RAW, frame_of(v->packet), &s),
		    WK_SEGMENT_TCP);
		assert_int_equal(s.ip_version, v->ip_version);
		assert_memory_equal(s.src, addresses[is_v6][0], 16);
		assert_memory_equal(s.dst, addresses[is_v6][1], 16);
		assert_int_equal(s.traffic_class, 0);
		assert_int_equal(s.flow_label, 0);
		assert_int_equal(s.ttl, 64);
		assert_int_equal(s.protocol, WK_PROTOCOL_TCP);
		assert_int_equal(s.has_df, !is_v6);
		assert_false(s.has_mf || s.is_fragment || s.has_ext_headers);
		assert_int_equal(s.ip_checksum,
		    is_v6 ? WK_CHECKSUM_UNKNOWN : WK_CHECKSUM_GOOD);
		assert_int_equal(s.src_port, 443);
		assert_int_equal(s.dst_port, 50000);
		assert_int_equal(s.seq, v->seq);
		assert_int_equal(s.ack, v->ack);
		assert_int_equal(s.flags, v->flags);
		assert_int_equal(s.window, 0);
		assert_int_equal(s.urgent, 0);
		assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);
		assert_null(s.options);
		assert_int_equal(s.options_len, 0);
		n = unhex(v->payload, payload, sizeof(payload));
		assert_int_equal(s.payload_len, n);
		assert_int_equal(s.captured_len, n);
		assert_memory_equal(s.payload, payload, n);
	}
}

static void
test_every_field_is_read_from_its_place(void **state)
{
	struct wk_segment s;

	(void)state;
	assert_int_equal(dissect(WK_LINK_RAW, frame_of(
	    "46b80040 abcd4000 7f060000 01020304 05060708 94040000"
	    "12345678 9abcdef0 13579bdf 6fff 2468 0000 fedc 020405b4"
	    "00112233445566778899aabbccddeeff"), &s), WK_SEGMENT_TCP);
	assert_int_equal(s.traffic_class, 0xb8);
	assert_int_equal(s.ip_id, 0xabcd);
	assert_int_equal(s.ttl, 0x7f);
	assert_int_equal(s.ip_checksum, WK_CHECKSUM_BAD);
	assert_int_equal(s.tcp_checksum, WK_CHECKSUM_BAD);
	assert_int_equal(s.src[3], 4);
	assert_int_equal(s.dst[0], 5);
	assert_int_equal(s.src_port, 0x1234);
	assert_int_equal(s.dst_port, 0x5678);
	assert_int_equal(s.seq, 0x9abcdef0);
	assert_int_equal(s.ack, 0x13579bdf);
	assert_int_equal(s.flags, 0x1ff);
	assert_int_equal(s.window, 0x2468);
	assert_int_equal(s.urgent, 0xfedc);
	assert_int_equal(s.options_len, 4);
	assert_int_equal(s.options[3], 0xb4);
	assert_int_equal(s.payload_len, 16);
	assert_int_equal(s.payload[15], 0xff);

	assert_int_equal(dissect(WK_LINK_RAW, frame_of(
	    "6abcdef1 0014 06 fe" V6_ADDRESSES
	    "01bbc35011223344556677885000000000000000"), &s),
	    WK_SEGMENT_TCP);
	assert_int_equal(s.traffic_class, 0xab);
	assert_int_equal(s.flow_label, 0xcdef1);
	assert_int_equal(s.ttl, 0xfe);
	assert_int_equal(s.flags, 0);
	assert_null(s.payload);
}

static void
test_foreign_vector_has_a_bad_tcp_checksum(void **state)
{
	struct wk_segment s;

	(void)state;
	assert_int_equal(dissect(WK_LINK_RAW, frame_of(SEGMENT_VECTOR_FOREIGN),
	    &s), WK_SEGMENT_TCP);
	assert_int_equal(s.ip_checksum, WK_CHECKSUM_GOOD);
	assert_int_equal(s.tcp_checksum, WK_CHECKSUM_BAD);
	assert_int_equal(s.payload_len, 8);
}

static void
test_checksums_see_every_flipped_bit(void **state)
{
	struct wk_segment s;
	struct frame f;
	size_t i, bit;

	(void)state;
	for (i = 0; i < N_SEGMENT_VECTORS; i++) {
		size_t tcp = segment_vectors[i].ip_version == 4 ? 20 : 40;

		f = *frame_of(segment_vectors[i].packet);
		for (bit = 0; bit < 8 * f.len; bit++) {
			f.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (dissect(WK_LINK_RAW, &f, &s) != WK_SEGMENT_TCP)
				;	/* a length, a version, a protocol */
			else if (bit / 8 >= tcp)
				assert_int_equal(s.tcp_checksum,
				    WK_CHECKSUM_BAD);
			else if (tcp == 20)
				assert_int_equal(s.ip_checksum,
				    WK_CHECKSUM_BAD);
			else if (bit / 8 >= 8)	/* the addresses count too */
				assert_int_equal(s.tcp_checksum,
				    WK_CHECKSUM_BAD);
			f.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static const struct {
	const char *name;
	uint32_t link;
	const char *header;
	int version;
	uint8_t n_vlans;
	uint16_t vlan[WK_SEGMENT_VLANS_MAX];
} links[] = {
	{ "raw", WK_LINK_RAW, "", 4, 0, { 0 } },
	{ "raw", WK_LINK_RAW, "", 6, 0, { 0 } },
	{ "raw of bsd", WK_LINK_RAW_BSD, "", 4, 0, { 0 } },
	{ "raw of openbsd", WK_LINK_RAW_OPENBSD, "", 6, 0, { 0 } },
	{ "ipv4", WK_LINK_IPV4, "", 4, 0, { 0 } },
	{ "ipv6", WK_LINK_IPV6, "", 6, 0, { 0 } },
	{ "null, little", WK_LINK_NULL, "02000000", 4, 0, { 0 } },
	{ "null, big", WK_LINK_NULL, "00000002", 4, 0, { 0 } },
	{ "null, linux", WK_LINK_NULL, "0a000000", 6, 0, { 0 } },
	{ "null, openbsd", WK_LINK_NULL, "18000000", 6, 0, { 0 } },
	{ "null, freebsd", WK_LINK_NULL, "0000001c", 6, 0, { 0 } },
	{ "null, darwin", WK_LINK_NULL, "1e000000", 6, 0, { 0 } },
	{ "loop", WK_LINK_LOOP, "00000002", 4, 0, { 0 } },
	{ "loop", WK_LINK_LOOP, "00000018", 6, 0, { 0 } },
	{ "ethernet", WK_LINK_ETHERNET, MAC "0800", 4, 0, { 0 } },
	{ "ethernet", WK_LINK_ETHERNET, MAC "86dd", 6, 0, { 0 } },
	{ "vlan", WK_LINK_ETHERNET, MAC "8100 b123 0800", 4, 1, { 0x123 } },
	{ "vlan in vlan", WK_LINK_ETHERNET, MAC "88a8 0fff 8100 0001 86dd", 6,
	    2, { 0xfff, 1 } },
	{ "old vlans", WK_LINK_ETHERNET, MAC "9100 0002 9100 0003 0800", 4, 2,
	    { 2, 3 } },
	{ "four vlans", WK_LINK_ETHERNET,
	    MAC "8100 0004 8100 0005 8100 0006 8100 0007 0800", 4, 4,
	    { 4, 5, 6, 7 } },
	{ "five vlans", WK_LINK_ETHERNET,
	    MAC "8100 0004 8100 0005 8100 0006 8100 0007 8100 0008 86dd", 6, 5,
	    { 4, 5, 6, 7 } },
	{ "llc", WK_LINK_ETHERNET, MAC "0033 060603", 4, 0, { 0 } },
	{ "snap", WK_LINK_ETHERNET, MAC "05dc aaaa03 000000 0800", 4, 0,
	    { 0 } },
	{ "snap", WK_LINK_ETHERNET, MAC "004c aaaa03 000000 86dd", 6, 0,
	    { 0 } },
	{ "snap in vlan", WK_LINK_ETHERNET,
	    MAC "8100 0009 0038 aaaa03 000000 0800", 4, 1, { 9 } },
	{ "sll", WK_LINK_LINUX_SLL, "0000 0001 0006 0200000000010000 0800", 4,
	    0, { 0 } },
	{ "sll", WK_LINK_LINUX_SLL, "0004 0304 0000 0000000000000000 86dd", 6,
	    0, { 0 } },
	{ "sll and vlan", WK_LINK_LINUX_SLL,
	    "0000 0001 0006 0200000000010000 8100 0fed 86dd", 6, 1, { 0xfed } },
	{ "sll and llc", WK_LINK_LINUX_SLL,
	    "0000 0001 0006 0200000000010000 0004 060603", 4, 0, { 0 } },
	{ "sll2", WK_LINK_LINUX_SLL2,
	    "0800 0000 00000002 0001 00 06 0200000000010000", 4, 0, { 0 } },
	{ "sll2", WK_LINK_LINUX_SLL2,
	    "86dd 0000 00000002 0304 04 00 0000000000000000", 6, 0, { 0 } },
	{ "sll2 and vlans", WK_LINK_LINUX_SLL2,
	    "88a8 0000 00000002 0001 00 06 0200000000010000"
	    "00c8 8100 0064 0800", 4, 2, { 200, 100 } },
};
#define N_LINKS (sizeof(links) / sizeof(links[0]))

static size_t
link_frame(size_t i, struct frame *f)
{
	size_t header;

	f->len = 0;
	add(f, links[i].header);
	header = f->len;
	add(f, links[i].version == 4 ? V4_PACKET : V6_PACKET);
	return header;
}

static void
test_link_headers_lead_to_the_packet(void **state)
{
	struct wk_segment s;
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < N_LINKS; i++) {
		link_frame(i, &f);
		if (dissect(links[i].link, &f, &s) != WK_SEGMENT_TCP ||
		    s.ip_version != links[i].version ||
		    s.tcp_checksum != WK_CHECKSUM_GOOD ||
		    s.payload != f.data + f.len - 8 || s.payload_len != 8 ||
		    s.n_vlans != links[i].n_vlans ||
		    memcmp(s.vlan, links[i].vlan, sizeof(s.vlan)) != 0)
			fail_msg("%s, IPv%d", links[i].name, links[i].version);
	}
}

static void
test_vlans_are_bounded(void **state)
{
	struct wk_segment s;
	struct wk_error e;
	struct frame f;
	size_t n;
	int kind;

	(void)state;
	for (n = 1; n <= 300; n++) {
		f.len = 0;
		add(&f, MAC);
		while (f.len < 12 + 4 * n)
			add(&f, "81000111");
		add(&f, "0800");
		add(&f, V4_PACKET);
		kind = wk_segment_dissect(WK_LINK_ETHERNET, f.data, f.len,
		    f.len, &s, &e);
		assert_int_equal(kind,
		    n <= 16 ? WK_SEGMENT_TCP : WK_SEGMENT_MALFORMED);
		if (n <= 16)
			assert_int_equal(s.n_vlans, n);
		else
			assert_string_equal(e.reason, "more than 16 VLAN tags");
	}
}

static void
test_every_prefix_is_truncated_until_the_tcp_header_is_whole(void **state)
{
	struct wk_segment s;
	struct wk_error e;
	struct frame f;
	struct fence fence;
	size_t i, n, tcp, header;
	int kind;

	(void)state;
	for (i = 0; i < N_LINKS; i++) {
		header = link_frame(i, &f);
		tcp = header + (links[i].version == 4 ? 20 : 40);
		for (n = 0; n < f.len; n++) {
			fence_init(&fence, f.data, n);
			kind = wk_segment_dissect(links[i].link, fence.data, n,
			    f.len, &s, &e);
			if (kind != (n < tcp + 20 ? WK_SEGMENT_TRUNCATED :
			    WK_SEGMENT_TCP))
				fail_msg("%s, IPv%d, %zu octets: kind %d",
				    links[i].name, links[i].version, n, kind);
			if (n < tcp + 20) {
				assert_int_equal(e.status, WK_E_TRUNCATED);
				assert_int_equal(e.offset, n);
				assert_memory_equal(e.reason,
				    "capture ends inside the ", 24);
			} else {
				assert_int_equal(s.payload_len, 8);
				assert_int_equal(s.captured_len, n - tcp - 20);
				assert_int_equal(s.tcp_checksum,
				    WK_CHECKSUM_UNKNOWN);
				assert_true(n > tcp + 20 ?
				    s.payload == fence.data + tcp + 20 :
				    s.payload == NULL);
			}
			assert_int_equal(s.dst_port, n < tcp + 4 ? 0 : 50000);
			assert_int_equal(s.ack, n < tcp + 12 ? 0 : 0x55667788);
			assert_int_equal(s.flags, n < tcp + 14 ? 0 : 0x14);
			assert_int_equal(s.src[0], n < tcp ? 0 :
			    links[i].version == 4 ? 198 : 0x20);
			/* A reset is never overlooked. */
			assert_true(wk_segment_may_be_rst(links[i].link,
			    fence.data, n));
			fence_free(&fence);
		}
	}
}

static void
test_vectors_cut_anywhere(void **state)
{
	struct wk_segment s;
	struct fence fence;
	const struct frame *f;
	size_t i, n, whole;

	(void)state;
	for (i = 0; i < N_SEGMENT_VECTORS; i++) {
		f = frame_of(segment_vectors[i].packet);
		whole = segment_vectors[i].ip_version == 4 ? 40 : 60;
		for (n = 0; n <= f->len; n++) {
			fence_init(&fence, f->data, n);
			assert_int_equal(wk_segment_dissect(WK_LINK_RAW,
			    fence.data, n, f->len, &s, NULL),
			    n < whole ? WK_SEGMENT_TRUNCATED : WK_SEGMENT_TCP);
			assert_int_equal(s.tcp_checksum, n < f->len ?
			    WK_CHECKSUM_UNKNOWN : WK_CHECKSUM_GOOD);
			fence_free(&fence);
		}
	}
}

/* Where the flags lie open, the quick look says just what they say. */
static void
test_quick_look_reads_the_flags(void **state)
{
	struct frame f;
	size_t i, n, flags_at;
	unsigned flags;
	bool is_odd, got;

	(void)state;
	for (i = 0; i < N_LINKS; i++) {
		flags_at = link_frame(i, &f) +
		    (links[i].version == 4 ? 33 : 53);
		is_odd = links[i].n_vlans > 0 ||
		    strstr(links[i].name, "llc") != NULL ||
		    strstr(links[i].name, "snap") != NULL;
		for (flags = 0; flags < 256; flags++) {
			f.data[flags_at] = (uint8_t)flags;
			got = wk_segment_may_be_rst(links[i].link, f.data,
			    f.len);
			if (got != (is_odd || (flags & WK_TCP_RST) != 0))
				fail_msg("%s: flags %x", links[i].name, flags);
		}
		f.data[flags_at] = WK_TCP_ACK;
		for (n = 0; n <= f.len; n++) {
			struct fence fence;

			fence_init(&fence, f.data, n);
			got = wk_segment_may_be_rst(links[i].link, fence.data,
			    n);
			if (got != (is_odd || n <= flags_at))
				fail_msg("%s: %zu octets", links[i].name, n);
			fence_free(&fence);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_dissect_to_their_fields),
		cmocka_unit_test(test_every_field_is_read_from_its_place),
		cmocka_unit_test(test_foreign_vector_has_a_bad_tcp_checksum),
		cmocka_unit_test(test_checksums_see_every_flipped_bit),
		cmocka_unit_test(test_link_headers_lead_to_the_packet),
		cmocka_unit_test(test_vlans_are_bounded),
		cmocka_unit_test(
		    test_every_prefix_is_truncated_until_the_tcp_header_is_whole),
		cmocka_unit_test(test_vectors_cut_anywhere),
		cmocka_unit_test(test_quick_look_reads_the_flags),
	};

	return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
