/* SPDX-License-Identifier: MIT */
/* What lies between link header and TCP header. */
#include "config.h"

#include "tests/unit/unit.h"

#include "tests/unit/segment_frames.h"

#include "common/wire/segment.h"

/* Ethernet's minimum fills up; what is behind the packet is no payload. */
static void
test_padding_is_not_payload(void **state)
{
	static const char *const padding[] = { "", "00", "ffffffffffff",
		"000000000000000000000000000000000000" };
	struct wk_segment s;
	struct frame f;
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(padding) / sizeof(padding[0]); i++) {
		f.len = 0;
		add(&f, MAC "0800");
		add(&f, V4_PACKET);
		add(&f, padding[i]);
		assert_int_equal(dissect(WK_LINK_ETHERNET, &f, &s),
		    WK_SEGMENT_TCP);
		assert_int_equal(s.payload_len, 8);
		assert_int_equal(s.captured_len, 8);
		assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);
		/* Losing only padding to the capture loses nothing. */
		for (cut = 14 + 48; cut < f.len; cut++) {
			wk_segment_dissect(WK_LINK_ETHERNET, f.data, cut,
			    f.len, &s, NULL);
			assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);
		}
	}
}

/* Nor is it the part of a header that the packet does not have. */
static void
test_padding_is_no_header(void **state)
{
	static const char *const frames[] = {
		"4500001c cafe2000 40060000 c6336414 c000020a"
		"01bbc350 11223344 ffffffffffffffffffffffff",
		"4500001c cafe0000 40060000 c6336414 c000020a"
		"01bbc350 11223344 ffffffffffffffffffffffff",
	};
	struct wk_segment s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		assert_int_equal(dissect(WK_LINK_RAW, frame_of(frames[i]), &s),
		    i == 0 ? WK_SEGMENT_FRAGMENT : WK_SEGMENT_MALFORMED);
		assert_int_equal(s.seq, 0x11223344);
		assert_int_equal(s.ack, 0);
		assert_int_equal(s.flags, 0);
	}
}

static void
test_length_zero_reaches_to_the_end_of_the_frame(void **state)
{
	struct wk_segment s;
	struct frame f;

	(void)state;
	/* The checksums are those of V1 with the length that is not said. */
	f = *frame_of(segment_vectors[0].packet);
	f.data[3] = 0;
	f.data[11] = (uint8_t)(f.data[11] + 0x30);
	assert_int_equal(dissect(WK_LINK_RAW, &f, &s), WK_SEGMENT_TCP);
	assert_int_equal(s.payload_len, 8);
	assert_int_equal(s.ip_checksum, WK_CHECKSUM_GOOD);
	assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);
	assert_true(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
	f.data[20 + 13] = WK_TCP_ACK;
	assert_false(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
	assert_int_equal(wk_segment_dissect(WK_LINK_RAW, f.data, f.len, 70000,
	    &s, NULL), WK_SEGMENT_TCP);
	assert_int_equal(s.payload_len, 70000 - 40);
	assert_int_equal(s.captured_len, 8);
	assert_int_equal(s.tcp_checksum, WK_CHECKSUM_UNKNOWN);

	f = *frame_of(V6_PACKET);
	f.data[5] = 0;
	assert_int_equal(dissect(WK_LINK_RAW, &f, &s), WK_SEGMENT_TCP);
	assert_int_equal(s.payload_len, 8);
	assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);
	assert_true(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
	f.data[40 + 13] = WK_TCP_ACK;
	assert_false(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
}

static void
test_wire_length_below_the_captured_one_is_not_known(void **state)
{
	struct wk_segment s;
	const struct frame *f = frame_of(V4_PACKET);

	(void)state;
	assert_int_equal(wk_segment_dissect(WK_LINK_RAW, f->data, f->len, 0,
	    &s, NULL), WK_SEGMENT_TCP);
	assert_int_equal(s.captured_len, 8);
}

static void
test_ipv4_options_are_skipped(void **state)
{
	struct wk_segment s;
	struct frame f;
	size_t words, n;

	(void)state;
	for (words = 0; words <= 10; words++) {
		f.len = 0;
		add(&f, "450000300000400040064e76c6336414c000020a");
		f.data[0] = (uint8_t)(f.data[0] + words);
		f.data[3] = (uint8_t)(f.data[3] + 4 * words);
		for (n = 0; n < words; n++)
			add(&f, "01010101");
		add(&f, V4_PACKET + 40);
		assert_int_equal(dissect(WK_LINK_RAW, &f, &s), WK_SEGMENT_TCP);
		assert_int_equal(s.payload_len, 8);
		assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);
		assert_int_equal(s.ip_checksum,
		    words == 0 ? WK_CHECKSUM_GOOD : WK_CHECKSUM_BAD);
		assert_true(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
		f.data[f.len - 28 + 13] = 0x10;
		assert_false(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
	}
}

static const struct {
	const char *name;
	unsigned first;
	const char *ext;
	enum wk_segment_kind kind;
	uint8_t protocol;
	enum wk_checksum checksum;
} exts[] = {
	{ "hop-by-hop", 0, "06 00 0502 0000 0100", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_GOOD },
	{ "long hop-by-hop", 0, "06 02 0114" "0000000000000000000000000000"
	    "000000000000", WK_SEGMENT_TCP, 6, WK_CHECKSUM_GOOD },
	{ "destination options", 60, "06 00 0104 00000000", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_GOOD },
	{ "routing, done", 43, "06 00 fd 00 00000000", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_GOOD },
	{ "routing, on its way", 43,
	    "06 02 02 01 00000000 20010db8000000000000000000000099",
	    WK_SEGMENT_TCP, 6, WK_CHECKSUM_UNKNOWN },
	{ "atomic fragment", 44, "06 ff 0000 deadbeef", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_GOOD },
	{ "authentication", 51, "06 04 0000 00000001 00000002"
	    "000102030405060708090a0b", WK_SEGMENT_TCP, 6, WK_CHECKSUM_GOOD },
	{ "mobility", 135, "06 00 0000 00000000", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_GOOD },
	{ "host identity", 139, "06 00 0000 00000000", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_GOOD },
	{ "shim6", 140, "06 00 8000 00000000", WK_SEGMENT_TCP, 6,
	    WK_CHECKSUM_UNKNOWN },
	{ "all in the order of RFC 8200", 0,
	    "3c 00 0104 00000000" "2b 00 0104 00000000" "2c 00 fd00 00000000"
	    "33 00 0000 deadbeef" "3c 02 0000 00000001 00000002 00000000"
	    "06 00 0104 00000000", WK_SEGMENT_TCP, 6, WK_CHECKSUM_GOOD },
	{ "encryption", 50, "0000000100000001", WK_SEGMENT_OTHER, 50, 0 },
	{ "encryption behind options", 60, "32 00 0104 00000000 00000001",
	    WK_SEGMENT_OTHER, 50, 0 },
	{ "no next header", 59, "", WK_SEGMENT_OTHER, 59, 0 },
	{ "no next header behind options", 0, "3b 00 0104 00000000",
	    WK_SEGMENT_OTHER, 59, 0 },
	{ "udp behind options", 60, "11 00 0104 00000000", WK_SEGMENT_OTHER,
	    17, 0 },
	{ "experimental", 253, "06 00 0000 00000000", WK_SEGMENT_OTHER, 253,
	    0 },
	{ "longer than the packet", 60, "06 ff 0104 00000000",
	    WK_SEGMENT_MALFORMED, 60, 0 },
};

static void
test_extension_headers(void **state)
{
	struct wk_segment s;
	struct frame f;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
		struct fence fence;

		f.len = 0;
		add_ipv6_with(&f, exts[i].first, exts[i].ext);
		if (dissect(WK_LINK_RAW, &f, &s) != (int)exts[i].kind)
			fail_msg("%s: kind", exts[i].name);
		if (s.ip_version != 6 || s.dst[15] != 0x10)
			fail_msg("%s: addresses", exts[i].name);
		if (exts[i].kind != WK_SEGMENT_MALFORMED &&
		    s.protocol != exts[i].protocol)
			fail_msg("%s: protocol %u", exts[i].name, s.protocol);
		if (exts[i].kind != WK_SEGMENT_TCP)
			continue;
		if (s.tcp_checksum != exts[i].checksum || s.dst_port != 50000 ||
		    s.payload_len != 8 || !s.has_ext_headers || s.is_fragment)
			fail_msg("%s: fields", exts[i].name);
		assert_true(wk_segment_may_be_rst(WK_LINK_RAW, f.data, f.len));
		for (n = 0; n < f.len - 8; n++) {
			fence_init(&fence, f.data, n);
			assert_int_equal(wk_segment_dissect(WK_LINK_RAW,
			    fence.data, n, f.len, &s, NULL),
			    WK_SEGMENT_TRUNCATED);
			fence_free(&fence);
		}
	}
}

static void
test_extension_headers_are_bounded(void **state)
{
	struct wk_segment s;
	struct wk_error e;
	struct frame f;
	char ext[17 * 16 + 1] = "";
	size_t n;

	(void)state;
	for (n = 1; n <= 17; n++) {
		memset(ext, 0, sizeof(ext));
		while (strlen(ext) < 16 * (n - 1))
			strcat(ext, "3c00010400000000");
		strcat(ext, "0600010400000000");
		f.len = 0;
		add_ipv6_with(&f, 60, ext);
		assert_int_equal(wk_segment_dissect(WK_LINK_RAW, f.data, f.len,
		    f.len, &s, &e),
		    n <= 16 ? WK_SEGMENT_TCP : WK_SEGMENT_MALFORMED);
	}
	assert_string_equal(e.reason, "more than 16 extension headers");
	assert_int_equal(e.offset, 40 + 16 * 8);
}

static const struct {
	const char *name, *frame;
	enum wk_segment_kind kind;
	uint8_t protocol;
	uint32_t ip_id;
	uint16_t offset, src_port;
	bool has_mf, is_fragment;
	size_t payload_len;
} fragments[] = {
	{ "first of IPv4", "4500002c cafe2000 40060000 c6336414 c000020a"
	    "01bbc350 11223344 55667788 50140000 00000000 33aa0005",
	    WK_SEGMENT_TCP, 6, 0xcafe, 0, 443, true, true, 4 },
	{ "later of IPv4", "4500001c cafe2003 40060000 c6336414 c000020a"
	    "0000000001bbc350", WK_SEGMENT_FRAGMENT, 6, 0xcafe, 24, 0, true,
	    true, 0 },
	{ "last of IPv4", "4500001c cafe1fff 40060000 c6336414 c000020a"
	    "0000000001bbc350", WK_SEGMENT_FRAGMENT, 6, 0xcafe, 65528, 0,
	    false, true, 0 },
	{ "later of IPv4, no reset bit where one could be",
	    "4500002c cafe0003 40060000 c6336414 c000020a"
	    "000000000000000000000000000000000000000000000000",
	    WK_SEGMENT_FRAGMENT, 6, 0xcafe, 24, 0, false, true, 0 },
	{ "first of IPv4, too small", "4500001c cafe2000 40060000 c6336414"
	    "c000020a 01bbc350 11223344", WK_SEGMENT_FRAGMENT, 6, 0xcafe, 0,
	    443, true, true, 0 },
	{ "first of IPv4, options elsewhere", "45000028 cafe2000 40060000"
	    "c6336414 c000020a 01bbc350 11223344 55667788 60140000 00000000",
	    WK_SEGMENT_FRAGMENT, 6, 0xcafe, 0, 443, true, true, 0 },
	{ "of UDP", "4500001c cafe2003 40110000 c6336414 c000020a"
	    "0000000001bbc350", WK_SEGMENT_OTHER, 17, 0xcafe, 24, 0, true,
	    true, 0 },
	{ "first of IPv6", "60000000 0020 2c 40" V6_ADDRESSES
	    "06 00 0001 deadbeef"
	    "01bbc350 11223344 55667788 50140000 00000000 33aa0005",
	    WK_SEGMENT_TCP, 6, 0xdeadbeef, 0, 443, true, true, 4 },
	{ "later of IPv6", "60000000 0010 2c 40" V6_ADDRESSES
	    "06 00 0019 deadbeef 0000000001bbc350", WK_SEGMENT_FRAGMENT, 6,
	    0xdeadbeef, 24, 0, true, true, 0 },
	{ "last of IPv6", "60000000 0010 2c 40" V6_ADDRESSES
	    "06 00 fff8 deadbeef 0000000001bbc350", WK_SEGMENT_FRAGMENT, 6,
	    0xdeadbeef, 65528, 0, false, true, 0 },
	{ "later of IPv6, in the midst of options",
	    "60000000 0010 2c 40" V6_ADDRESSES
	    "3c 00 0018 deadbeef 0600010400000000", WK_SEGMENT_FRAGMENT, 60,
	    0xdeadbeef, 24, 0, false, true, 0 },
	{ "later of IPv6, of UDP", "60000000 0010 2c 40" V6_ADDRESSES
	    "11 00 0019 deadbeef 0000000001bbc350", WK_SEGMENT_OTHER, 17,
	    0xdeadbeef, 24, 0, true, true, 0 },
	{ "first of IPv6, too small", "60000000 0010 2c 40" V6_ADDRESSES
	    "06 00 0001 deadbeef 01bbc350 11223344", WK_SEGMENT_FRAGMENT, 6,
	    0xdeadbeef, 0, 443, true, true, 0 },
	{ "first of IPv6, ends in a header",
	    "60000000 0010 2c 40" V6_ADDRESSES
	    "3c 00 0001 deadbeef 0601010400000000", WK_SEGMENT_FRAGMENT, 60,
	    0xdeadbeef, 0, 0, true, true, 0 },
	{ "of an atomic fragment", "60000000 0028 2c 40" V6_ADDRESSES
	    "2c 00 0001 deadbeef 06 00 0000 0badcafe"
	    "01bbc350 11223344 55667788 50140000 00000000 33aa0005",
	    WK_SEGMENT_TCP, 6, 0x0badcafe, 0, 443, true, true, 4 },
};

static void
test_fragments(void **state)
{
	struct wk_segment s;
	const struct frame *f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
		f = frame_of(fragments[i].frame);
		if (dissect(WK_LINK_RAW, f, &s) != (int)fragments[i].kind)
			fail_msg("%s: kind", fragments[i].name);
		if (s.protocol != fragments[i].protocol ||
		    s.ip_id != fragments[i].ip_id ||
		    s.fragment_offset != fragments[i].offset ||
		    s.has_mf != fragments[i].has_mf ||
		    s.is_fragment != fragments[i].is_fragment)
			fail_msg("%s: network fields", fragments[i].name);
		if (s.src_port != fragments[i].src_port ||
		    s.payload_len != fragments[i].payload_len ||
		    s.tcp_checksum != WK_CHECKSUM_UNKNOWN)
			fail_msg("%s: TCP fields", fragments[i].name);
		if (fragments[i].protocol != 17 && !wk_segment_may_be_rst(
		    WK_LINK_RAW, f->data, f->len))
			fail_msg("%s: overlooked", fragments[i].name);
	}
}

static const struct {
	const char *frame;
	uint32_t link;
	const char *reason;
	uint64_t offset;
} malformed[] = {
	{ "", WK_LINK_RAW, "frame ends inside the IP header", 0 },
	{ "", WK_LINK_ETHERNET, "frame ends inside the Ethernet header", 0 },
	{ MAC "08", WK_LINK_ETHERNET, "frame ends inside the Ethernet header",
	    13 },
	{ MAC "0800", WK_LINK_ETHERNET, "frame ends inside the IP header",
	    14 },
	{ MAC "8100 00", WK_LINK_ETHERNET, "frame ends inside the VLAN tag",
	    15 },
	{ MAC "0010 aaaa", WK_LINK_ETHERNET, "frame ends inside the LLC header",
	    16 },
	{ MAC "0010 aaaa03 0000 0008", WK_LINK_ETHERNET,
	    "frame ends inside the SNAP header", 21 },
	{ "00000002 45", WK_LINK_LOOP, "frame ends inside the IPv4 header",
	    5 },
	{ "000000", WK_LINK_NULL, "frame ends inside the loopback header", 3 },
	{ "0000", WK_LINK_LINUX_SLL, "frame ends inside the Linux cooked header",
	    2 },
	{ "55000028", WK_LINK_RAW, "IP version 5, must be 4 or 6", 0 },
	{ "65000028", WK_LINK_IPV4, "IP version 6, must be 4", 0 },
	{ "45000028", WK_LINK_IPV6, "IP version 4, must be 6", 0 },
	{ MAC "0800 60", WK_LINK_ETHERNET, "IP version 6, must be 4", 14 },
	{ MAC "86dd 45", WK_LINK_ETHERNET, "IP version 4, must be 6", 14 },
	{ "0000001e 45", WK_LINK_NULL, "IP version 4, must be 6", 4 },
	{ MAC "0800 4400001c 00000000 40060000 c6336414 c000020a"
	    "0000000000000000", WK_LINK_ETHERNET,
	    "IPv4 header length 16, must be at least 20", 14 },
	{ "4700001c 00000000 40060000 c6336414 c000020a 00000000", WK_LINK_RAW,
	    "frame ends inside the IPv4 options", 24 },
	{ "47002014 00002000 40060000 c6336414 c000020a 00000000", WK_LINK_RAW,
	    "frame ends inside the IPv4 options", 24 },
	{ MAC "0800 46000014 00000000 40060000 c6336414 c000020a 00000000",
	    WK_LINK_ETHERNET,
	    "IP length 20 is less than the header's 24 octets", 16 },
	{ MAC "0800 45000029 00000000 40060000 c6336414 c000020a"
	    "01bbc350 11223344 55667788 50140000 00000000", WK_LINK_ETHERNET,
	    "IP length 41 exceeds the 40 octets left in the frame", 16 },
	{ "45000029 00002001 40060000 c6336414 c000020a"
	    "01bbc350 11223344 55667788 50140000 00000000", WK_LINK_RAW,
	    "IP length 41 exceeds the 40 octets left in the frame", 2 },
	{ "60000000 0015 06 40" V6_ADDRESSES
	    "01bbc350 11223344 55667788 50140000 00000000", WK_LINK_RAW,
	    "IP length 61 exceeds the 60 octets left in the frame", 4 },
	{ "60000000 0015 06 40 20010db8", WK_LINK_RAW,
	    "frame ends inside the IPv6 header", 12 },
	{ "60000000 0004 3c 40" V6_ADDRESSES "06000000 000000", WK_LINK_RAW,
	    "IP packet ends inside the destination options", 44 },
	{ "60000000 0008 2b 40" V6_ADDRESSES "0601000000000000 00", WK_LINK_RAW,
	    "IP packet ends inside the routing header", 48 },
	{ "60000000 0000 06 40" V6_ADDRESSES, WK_LINK_RAW,
	    "frame ends inside the TCP header", 40 },
	{ MAC "0800 45000027 00000000 40060000 c6336414 c000020a"
	    "01bbc350 11223344 55667788 50140000 000000 00000000",
	    WK_LINK_ETHERNET, "IP packet ends inside the TCP header", 53 },
	{ MAC "0800 45000028 00000000 40060000 c6336414 c000020a"
	    "01bbc350 11223344 55667788 40140000 00000000",
	    WK_LINK_ETHERNET, "TCP data offset 4, must be at least 5", 46 },
	{ MAC "0800 45000028 00000000 40060000 c6336414 c000020a"
	    "01bbc350 11223344 55667788 60140000 00000000 00000000",
	    WK_LINK_ETHERNET,
	    "TCP data offset 6 passes the 20 octets of the segment", 46 },
};

static void
test_malformed_frames_say_what_and_where(void **state)
{
	struct wk_segment s;
	struct wk_error e;
	const struct frame *f;
	struct fence fence;
	size_t i;
	int kind;

	(void)state;
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		f = frame_of(malformed[i].frame);
		fence_init(&fence, f->data, f->len);
		memset(&e, 0, sizeof(e));
		kind = wk_segment_dissect(malformed[i].link, fence.data, f->len,
		    f->len, &s, &e);
		fence_free(&fence);
		if (kind != WK_SEGMENT_MALFORMED ||
		    e.status != WK_E_MALFORMED ||
		    e.offset != malformed[i].offset ||
		    strcmp(e.reason, malformed[i].reason) != 0)
			fail_msg("%s: kind %d, %s at %ju", malformed[i].frame,
			    kind, e.reason, (uintmax_t)e.offset);
		assert_int_equal(dissect(malformed[i].link, f, &s),
		    WK_SEGMENT_MALFORMED);	/* without an error too */
	}
}

/* The rest of the frame would contradict itself, but it was not captured. */
static void
test_what_was_not_captured_is_not_malformed(void **state)
{
	struct wk_segment s;
	struct wk_error e;
	const struct frame *f;
	size_t i;
	int kind;

	(void)state;
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		f = frame_of(malformed[i].frame);
		if (strstr(malformed[i].reason, "frame ends") == NULL)
			continue;
		kind = wk_segment_dissect(malformed[i].link, f->data, f->len,
		    f->len + 60, &s, &e);
		if (kind != WK_SEGMENT_TRUNCATED)
			fail_msg("%s: kind %d", malformed[i].frame, kind);
		assert_int_equal(e.offset, f->len);
		assert_string_equal(strchr(e.reason, ' '),
		    strchr(malformed[i].reason, ' '));
	}
}

static const struct {
	const char *name, *frame;
	uint32_t link;
	uint8_t protocol;
	bool may_be_rst;
} others[] = {
	{ "arp", MAC "0806 0001080006040001020000000001c0000201"
	    "000000000000c0000202", WK_LINK_ETHERNET, 0, false },
	{ "arp in vlan", MAC "8100 0001 0806 00010800", WK_LINK_ETHERNET, 0,
	    true },
	{ "mpls", MAC "8847 00011140", WK_LINK_ETHERNET, 0, false },
	{ "no ethertype and no length", MAC "05dd 060603", WK_LINK_ETHERNET, 0,
	    false },
	{ "spanning tree", MAC "0026 424203 0000", WK_LINK_ETHERNET, 0, true },
	{ "novell", MAC "0020 ffff0020", WK_LINK_ETHERNET, 0, true },
	{ "cdp", MAC "0020 aaaa03 00000c 2000", WK_LINK_ETHERNET, 0, true },
	{ "ip of another owner", MAC "0038 aaaa03 00000c 0800" "45000030",
	    WK_LINK_ETHERNET, 0, true },
	{ "arp in snap", MAC "0020 aaaa03 000000 0806 0001",
	    WK_LINK_ETHERNET, 0, true },
	{ "null, of another family", "00000007 45000028", WK_LINK_NULL, 0,
	    true },
	{ "loop, of another order", "02000000 45000028", WK_LINK_LOOP, 0,
	    true },
	{ "sll, arp", "0000 0001 0006 0200000000010000 0806 0001",
	    WK_LINK_LINUX_SLL, 0, false },
	{ "udp", "4500001c 00000000 40110000 c6336414 c000020a"
	    "01bbc35000080000", WK_LINK_RAW, 17, false },
	{ "icmp", "4500001c 00000000 40010000 c6336414 c000020a"
	    "0800000000000000", WK_LINK_RAW, 1, false },
	{ "gre", "4500001c 00000000 402f0000 c6336414 c000020a"
	    "0000080000000000", WK_LINK_RAW, 47, false },
	{ "a header's number in IPv4", "4500001c 00000000 403c0000 c6336414"
	    "c000020a 0600010400000000", WK_LINK_RAW, 60, false },
	{ "icmpv6", "60000000 0008 3a 40" V6_ADDRESSES "8000000000000000",
	    WK_LINK_RAW, 58, false },
	{ "unknown link", "450000300000400040064e76c6336414c000020a"
	    "01bbc3501122334400000000500400008665000033aa000500000000", 999, 0,
	    true },
};

static void
test_other_frames(void **state)
{
	struct wk_segment s;
	const struct frame *f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		f = frame_of(others[i].frame);
		if (dissect(others[i].link, f, &s) != WK_SEGMENT_OTHER)
			fail_msg("%s: kind", others[i].name);
		if (s.protocol != others[i].protocol ||
		    (s.ip_version != 0) != (others[i].protocol != 0) ||
		    s.src_port != 0)
			fail_msg("%s: fields", others[i].name);
		if (wk_segment_may_be_rst(others[i].link, f->data, f->len) !=
		    others[i].may_be_rst)
			fail_msg("%s: quick look", others[i].name);
	}
}

/* The flags are behind the packet's end: padding must not speak for them. */
static void
test_quick_look_does_not_read_padding(void **state)
{
	const struct frame *f;

	(void)state;
	f = frame_of("4500001c cafe2000 40060000 c6336414 c000020a"
	    "01bbc350 11223344 0000000000000000");
	assert_true(wk_segment_may_be_rst(WK_LINK_RAW, f->data, f->len));
	f = frame_of("60000000 0008 06 40" V6_ADDRESSES
	    "01bbc350 11223344 0000000000000000");
	assert_true(wk_segment_may_be_rst(WK_LINK_RAW, f->data, f->len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_padding_is_not_payload),
		cmocka_unit_test(test_padding_is_no_header),
		cmocka_unit_test(
		    test_length_zero_reaches_to_the_end_of_the_frame),
		cmocka_unit_test(
		    test_wire_length_below_the_captured_one_is_not_known),
		cmocka_unit_test(test_ipv4_options_are_skipped),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_extension_headers_are_bounded),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_malformed_frames_say_what_and_where),
		cmocka_unit_test(test_what_was_not_captured_is_not_malformed),
		cmocka_unit_test(test_other_frames),
		cmocka_unit_test(test_quick_look_does_not_read_padding),
	};

	return cmocka_run_group_tests_name("segment_ip", tests, NULL, NULL);
}
