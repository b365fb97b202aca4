/* SPDX-License-Identifier: MIT */
/* From segment to packet, and what a TCP header says. */
#include "config.h"

#include "tests/unit/unit.h"

#include "tests/unit/segment_frames.h"

#include "common/wire/segment.h"

/* A small generator, the same in every run. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 32);
}

static void
fill_random(uint64_t *seed, void *out, size_t len)
{
	uint8_t *p = out;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(next_random(seed) >> 7);
}

static void
test_vectors_are_rebuilt_octet_for_octet(void **state)
{
	uint8_t packet[256], payload[128];
	struct wk_segment s;
	struct wk_buf b;
	size_t i, n;

	(void)state;
	wk_buf_init(&b, 256);
	for (i = 0; i < N_SEGMENT_VECTORS; i++) {
		const struct segment_vector *v = &segment_vectors[i];

		memset(&s, 0, sizeof(s));
		s.ip_version = v->ip_version;
		unhex(v->ip_version == 4 ? "c6336414" :
		    "20010db8000200000000000000000020", s.src, 16);
		unhex(v->ip_version == 4 ? "c000020a" :
		    "20010db8000100000000000000000010", s.dst, 16);
		s.ttl = 64;
		s.has_df = true;
		s.src_port = 443;
		s.dst_port = 50000;
		s.seq = v->seq;
		s.ack = v->ack;
		s.flags = v->flags;
		s.payload = payload;
		s.payload_len = unhex(v->payload, payload, sizeof(payload));
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_OK);
		n = unhex(v->packet, packet, sizeof(packet));
		assert_int_equal(b.len, n);
		assert_memory_equal(b.data, packet, n);
	}
	wk_buf_free(&b);
}

static void
random_segment(uint64_t *seed, struct wk_segment *s, const uint8_t *octets)
{
	bool is_v4 = next_random(seed) % 2 == 0;

	memset(s, 0, sizeof(*s));
	s->ip_version = is_v4 ? 4 : 6;
	fill_random(seed, s->src, is_v4 ? 4 : 16);
	fill_random(seed, s->dst, is_v4 ? 4 : 16);
	s->traffic_class = (uint8_t)next_random(seed);
	s->ttl = (uint8_t)next_random(seed);
	s->has_df = is_v4 && next_random(seed) % 2 == 0;
	s->ip_id = is_v4 ? next_random(seed) & 0xffff : 0;
	s->flow_label = is_v4 ? 0 : next_random(seed) & 0xfffff;
	s->src_port = (uint16_t)next_random(seed);
	s->dst_port = (uint16_t)next_random(seed);
	s->seq = next_random(seed);
	s->ack = next_random(seed);
	s->flags = next_random(seed) & WK_TCP_FLAGS_ALL;
	s->window = (uint16_t)next_random(seed);
	s->urgent = (uint16_t)next_random(seed);
	s->options = octets;
	s->options_len = next_random(seed) % (WK_TCP_OPTIONS_MAX + 1);
	s->payload = octets + 100;
	s->payload_len = next_random(seed) % 1900;
}

static void
test_random_segments_survive_build_and_dissect(void **state)
{
	static const uint8_t zeros[4];
	uint64_t seed = 1;
	uint8_t octets[2048];
	struct wk_segment s, got;
	struct wk_buf b;
	size_t i;

	(void)state;
	wk_buf_init(&b, 65535);
	for (i = 0; i < 3000; i++) {
		fill_random(&seed, octets, sizeof(octets));
		random_segment(&seed, &s, octets);
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_OK);
		assert_int_equal(wk_segment_dissect(WK_LINK_RAW, b.data, b.len,
		    b.len, &got, NULL), WK_SEGMENT_TCP);
		assert_int_equal(got.ip_checksum, s.ip_version == 4 ?
		    WK_CHECKSUM_GOOD : WK_CHECKSUM_UNKNOWN);
		assert_int_equal(got.tcp_checksum, WK_CHECKSUM_GOOD);
		assert_int_equal(got.options_len, (s.options_len + 3) / 4 * 4);
		if (s.options_len > 0)
			assert_memory_equal(got.options, s.options,
			    s.options_len);
		if (got.options_len > s.options_len)
			assert_memory_equal(got.options + s.options_len, zeros,
			    got.options_len - s.options_len);
		assert_int_equal(got.payload_len, s.payload_len);
		assert_int_equal(got.captured_len, s.payload_len);
		if (s.payload_len > 0)
			assert_memory_equal(got.payload, s.payload,
			    s.payload_len);
		assert_true(wk_segment_may_be_rst(WK_LINK_RAW, b.data, b.len) ==
		    ((s.flags & WK_TCP_RST) != 0));
		/* What is left must be equal as a whole. */
		s.protocol = WK_PROTOCOL_TCP;
		s.ip_checksum = got.ip_checksum;
		s.tcp_checksum = got.tcp_checksum;
		s.options = got.options;
		s.options_len = got.options_len;
		s.payload = got.payload;
		s.captured_len = got.captured_len;
		assert_memory_equal(&s, &got, sizeof(s));
	}
	wk_buf_free(&b);
}

static void
test_build_appends_without_looking_at_the_rest(void **state)
{
	struct wk_segment s;
	struct wk_buf b;
	size_t first;

	(void)state;
	memset(&s, 0xff, sizeof(s));
	s.has_df = s.has_mf = s.is_fragment = s.has_ext_headers = true;
	s.ip_version = 4;
	s.options_len = s.payload_len = 0;
	s.options = s.payload = NULL;
	wk_buf_init(&b, 1000);
	wk_buf_append(&b, "odd", 3);
	assert_int_equal(wk_segment_build(&s, &b), WK_OK);
	assert_int_equal(b.len, 3 + 40);
	assert_memory_equal(b.data, "odd\x45\xff\x00\x28\xff\xff\x40\x00\xff\x06",
	    13);
	assert_memory_equal(b.data + 3 + 32, "\x51\xff\xff\xff", 4);
	first = b.len;
	assert_int_equal(wk_segment_dissect(WK_LINK_RAW, b.data + 3, 40, 40,
	    &s, NULL), WK_SEGMENT_TCP);
	assert_int_equal(s.ip_checksum, WK_CHECKSUM_GOOD);
	assert_int_equal(s.tcp_checksum, WK_CHECKSUM_GOOD);

	memset(&s, 0xff, sizeof(s));
	s.has_df = s.has_mf = s.is_fragment = s.has_ext_headers = true;
	s.ip_version = 6;
	s.options_len = s.payload_len = 0;
	assert_int_equal(wk_segment_build(&s, &b), WK_OK);
	assert_memory_equal(b.data + first, "\x6f\xff\xff\xff\x00\x14\x06\xff",
	    8);
	wk_buf_free(&b);
}

static void
test_build_keeps_its_limits(void **state)
{
	static uint8_t octets[65536];
	struct wk_segment s;
	struct wk_buf b;
	size_t version, room, i;

	(void)state;
	wk_buf_init(&b, 70000);
	for (version = 4; version <= 6; version += 2) {
		memset(&s, 0, sizeof(s));
		s.ip_version = (uint8_t)version;
		s.payload = s.options = octets;
		s.options_len = 5;
		room = 65535 - (version == 4 ? 20 : 40) - 28;
		s.payload_len = room;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_OK);
		assert_int_equal(b.len, 65535);
		s.payload_len = room + 1;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_E_LIMIT);
		s.payload_len = SIZE_MAX;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_E_LIMIT);
		assert_int_equal(b.len, 0);
		/* The first error stays. */
		s.ip_version = 5;
		s.payload_len = 0;
		assert_int_equal(wk_segment_build(&s, &b), WK_E_LIMIT);

		s.ip_version = (uint8_t)version;
		s.options_len = WK_TCP_OPTIONS_MAX;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_OK);
		assert_int_equal(b.len, (version == 4 ? 20 : 40) + 60);
		for (i = WK_TCP_OPTIONS_MAX + 1; i != 0; i *= 2) {
			s.options_len = i;
			wk_buf_clear(&b);
			assert_int_equal(wk_segment_build(&s, &b),
			    WK_E_INVALID);
		}
		s.options_len = SIZE_MAX;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_E_INVALID);
		s.options_len = 0;
		s.payload_len = 1;
		s.payload = NULL;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), WK_E_INVALID);
	}
	for (version = 0; version < 256; version++) {
		memset(&s, 0, sizeof(s));
		s.ip_version = (uint8_t)version;
		wk_buf_clear(&b);
		assert_int_equal(wk_segment_build(&s, &b), version == 4 ||
		    version == 6 ? WK_OK : WK_E_INVALID);
	}
	wk_buf_free(&b);
}

static void
test_build_fills_a_buffer_and_no_more(void **state)
{
	struct wk_segment s = { .ip_version = 4 };
	struct wk_buf b;
	size_t max;

	(void)state;
	for (max = 0; max < 90; max++) {
		wk_buf_init(&b, max);
		assert_int_equal(wk_segment_build(&s, &b),
		    max < 40 ? WK_E_LIMIT : WK_OK);
		assert_int_equal(wk_segment_build(&s, &b),
		    max < 80 ? WK_E_LIMIT : WK_OK);
		assert_int_equal(b.len, max / 40 * 40);
		assert_int_equal(b.status, max < 80 ? WK_E_LIMIT : WK_OK);
		wk_buf_free(&b);
	}
	wk_buf_init(&b, 100);
	s.ip_version = 5;
	assert_int_equal(wk_segment_build(&s, &b), WK_E_INVALID);
	s.ip_version = 4;
	assert_int_equal(wk_segment_build(&s, &b), WK_E_INVALID);
	assert_int_equal(b.len, 0);
	wk_buf_free(&b);
}

static void
test_resets_follow_the_rules(void **state)
{
	static const struct {
		const char *name;
		uint16_t flags;
		uint32_t seq, ack;
		size_t payload_len;
		bool is_answered;
		uint16_t want_flags;
		uint32_t want_seq, want_ack;
	} cases[] = {
		{ "syn", WK_TCP_SYN, 1000, 77, 0, true,
		    WK_TCP_RST | WK_TCP_ACK, 0, 1001 },
		{ "syn with data", WK_TCP_SYN, 1000, 0, 3, true,
		    WK_TCP_RST | WK_TCP_ACK, 0, 1004 },
		{ "fin with data", WK_TCP_FIN, 1000, 0, 3, true,
		    WK_TCP_RST | WK_TCP_ACK, 0, 1004 },
		{ "syn and fin", WK_TCP_SYN | WK_TCP_FIN, 1000, 0, 0, true,
		    WK_TCP_RST | WK_TCP_ACK, 0, 1002 },
		{ "no flag", 0, 1000, 0, 0, true, WK_TCP_RST | WK_TCP_ACK, 0,
		    1000 },
		{ "round the end", WK_TCP_SYN, 0xffffffff, 0, 5, true,
		    WK_TCP_RST | WK_TCP_ACK, 0, 5 },
		{ "ack", WK_TCP_ACK, 1000, 5000, 0, true, WK_TCP_RST, 5000,
		    0 },
		{ "ack with data and fin", WK_TCP_ACK | WK_TCP_FIN | WK_TCP_PSH,
		    1000, 5000, 100, true, WK_TCP_RST, 5000, 0 },
		{ "syn and ack", WK_TCP_ACK | WK_TCP_SYN, 1000, 5000, 0, true,
		    WK_TCP_RST, 5000, 0 },
		{ "rst", WK_TCP_RST, 1000, 5000, 0, false, 0, 0, 0 },
		{ "rst and ack", WK_TCP_RST | WK_TCP_ACK, 1000, 5000, 0, false,
		    0, 0, 0 },
		{ "all flags", WK_TCP_FLAGS_ALL, 1000, 5000, 0, false, 0, 0,
		    0 },
	};
	struct wk_segment p, r, before;
	size_t i, version;

	(void)state;
	for (version = 4; version <= 6; version += 2)
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			memset(&p, 0, sizeof(p));
			memset(&r, 0xa5, sizeof(r));
			before = r;
			p.ip_version = (uint8_t)version;
			p.src[0] = 1;
			p.src[15] = 2;
			p.dst[0] = 3;
			p.dst[15] = 4;
			p.src_port = 5;
			p.dst_port = 6;
			p.ttl = 7;
			p.window = 8;
			p.n_vlans = 1;
			p.flags = cases[i].flags;
			p.seq = cases[i].seq;
			p.ack = cases[i].ack;
			p.payload_len = cases[i].payload_len;
			p.options_len = 4;
			if (wk_segment_reset_for(&p, &r) !=
			    cases[i].is_answered)
				fail_msg("%s: answer", cases[i].name);
			if (!cases[i].is_answered) {
				assert_memory_equal(&r, &before, sizeof(r));
				continue;
			}
			if (r.flags != cases[i].want_flags ||
			    r.seq != cases[i].want_seq ||
			    r.ack != cases[i].want_ack)
				fail_msg("%s: flags %x seq %ju ack %ju",
				    cases[i].name, r.flags, (uintmax_t)r.seq,
				    (uintmax_t)r.ack);
			assert_int_equal(r.ip_version, version);
			assert_memory_equal(r.src, p.dst, 16);
			assert_memory_equal(r.dst, p.src, 16);
			assert_int_equal(r.src_port, 6);
			assert_int_equal(r.dst_port, 5);
			assert_int_equal(r.ttl, 64);
			assert_int_equal(r.protocol, WK_PROTOCOL_TCP);
			assert_int_equal(r.has_df, version == 4);
			assert_int_equal(r.window, 0);
			assert_int_equal(r.options_len, 0);
			assert_int_equal(r.payload_len, 0);
			assert_int_equal(r.n_vlans, 0);
			/* In place it comes out the same. */
			assert_true(wk_segment_reset_for(&p, &p));
			assert_memory_equal(p.src, r.src, 16);
			assert_memory_equal(p.dst, r.dst, 16);
			assert_int_equal(p.dst_port, r.dst_port);
			assert_int_equal(p.flags, r.flags);
			assert_int_equal(p.seq, r.seq);
			assert_int_equal(p.ack, r.ack);
		}
}

/* V9 answers a SYN: the rules give its fields. */
static void
test_reset_for_a_syn_is_the_ninth_vector(void **state)
{
	uint8_t packet[64], payload[8];
	struct wk_segment syn = { .ip_version = 4, .src_port = 50000,
		.dst_port = 443, .seq = 0x55667788, .flags = WK_TCP_SYN,
		.src = { 192, 0, 2, 10 }, .dst = { 198, 51, 100, 20 } };
	struct wk_segment rst;
	struct wk_buf b;
	size_t n;

	(void)state;
	wk_buf_init(&b, 100);
	assert_true(wk_segment_reset_for(&syn, &rst));
	rst.payload = payload;
	rst.payload_len = unhex(segment_vectors[8].payload, payload, 8);
	assert_int_equal(wk_segment_build(&rst, &b), WK_OK);
	n = unhex(segment_vectors[8].packet, packet, sizeof(packet));
	assert_int_equal(b.len, n);
	assert_memory_equal(b.data, packet, n);
	wk_buf_free(&b);
}

static void
test_sequence_space(void **state)
{
	struct wk_segment s = { .payload_len = 10 };

	(void)state;
	assert_int_equal(wk_segment_seq_len(&s), 10);
	s.flags = WK_TCP_FLAGS_ALL & ~(WK_TCP_SYN | WK_TCP_FIN);
	assert_int_equal(wk_segment_seq_len(&s), 10);
	s.flags = WK_TCP_SYN;
	assert_int_equal(wk_segment_seq_len(&s), 11);
	s.flags = WK_TCP_FIN;
	assert_int_equal(wk_segment_seq_len(&s), 11);
	s.flags = WK_TCP_SYN | WK_TCP_FIN;
	assert_int_equal(wk_segment_seq_len(&s), 12);
	s.captured_len = 3;	/* what counts was on the wire */
	assert_int_equal(wk_segment_seq_len(&s), 12);
}

/* Options as "kind:hex " and an end: "." or "!offset" for an impossible one. */
static const struct {
	const char *options, *want;
} options[] = {
	{ "", "." },
	{ "00", "." },
	{ "01", "." },
	{ "01010101", "." },
	{ "020405b4", "2:05b4 ." },
	{ "0402", "4: ." },
	{ "0101080a0102030405060708", "8:0102030405060708 ." },
	{ "020405b4 0402 080a0000000100000000 01 030307",
	    "2:05b4 4: 8:0000000100000000 3:07 ." },
	{ "1e0880010203040500000000", "30:800102030405 ." },
	{ "00020405b4", "." },
	{ "020405b4 00 0402", "2:05b4 ." },
	{ "02", "!0" },
	{ "0200", "!0" },
	{ "0201ff", "!0" },
	{ "0101 02 04 05", "!2" },
	{ "020405b4 08 00 0102", "2:05b4 !4" },
	{ "020405b4 ff ff 0102", "2:05b4 !4" },
	{ "020405b4 01 ff", "2:05b4 !5" },
	{ "0226" "0000000000000000000000000000000000000000000000000000000000"
	    "00000000000000 01 01", "2:0000000000000000000000000000000000000000"
	    "00000000000000000000000000000000 ." },
	{ "fe02 fd03aa", "254: 253:aa ." },
};

static void
test_options_walk(void **state)
{
	struct wk_buf got;
	struct wk_segment s = { .ip_version = 4 };
	struct fence f;
	uint8_t in[WK_TCP_OPTIONS_MAX], kind = 0;
	const uint8_t *data = NULL;
	size_t i, k, len = 0, offset;
	bool is_bad;

	(void)state;
	wk_buf_init(&got, 1000);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		s.options_len = unhex(options[i].options, in, sizeof(in));
		fence_init(&f, in, s.options_len);
		s.options = f.data;
		wk_buf_clear(&got);
		offset = 0;
		while (wk_segment_next_option(&s, &offset, &kind, &data, &len,
		    &is_bad)) {
			wk_buf_printf(&got, "%d:", kind);
			for (k = 0; k < len; k++)
				wk_buf_printf(&got, "%02x", data[k]);
			wk_buf_printf(&got, " ");
		}
		if (is_bad)
			wk_buf_printf(&got, "!%zu", offset);
		else
			wk_buf_printf(&got, ".");
		wk_buf_uint(&got, 0, 1);
		assert_string_equal((char *)got.data, options[i].want);
		/* The end stays the end. */
		assert_false(wk_segment_next_option(&s, &offset, &kind, &data,
		    &len, &is_bad));
		assert_int_equal(is_bad, strchr(options[i].want, '!') != NULL);
		fence_free(&f);
	}
	wk_buf_free(&got);
}

static void
test_flags_as_text(void **state)
{
	static const struct {
		uint16_t flags;
		const char *text;
	} cases[] = {
		{ 0, "none" }, { 0xfe00, "none" },
		{ WK_TCP_FIN, "F" }, { WK_TCP_SYN, "S" }, { WK_TCP_RST, "R" },
		{ WK_TCP_PSH, "P" }, { WK_TCP_ACK, "." }, { WK_TCP_URG, "U" },
		{ WK_TCP_ECE, "E" }, { WK_TCP_CWR, "W" }, { WK_TCP_AE, "e" },
		{ WK_TCP_RST | WK_TCP_ACK, "R." },
		{ WK_TCP_SYN | WK_TCP_ECE | WK_TCP_CWR | WK_TCP_AE, "SEWe" },
		{ 0xffff, "FSRP.UEWe" },
	};
	char text[WK_TCP_FLAGS_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ptr_equal(wk_tcp_flags_text(cases[i].flags, text), text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
test_flags_from_text(void **state)
{
	static const struct {
		const char *text;
		int flags;		/* or -1 - offset of the wrong word */
	} cases[] = {
		{ "fin", 0x01 }, { "syn", 0x02 }, { "rst", 0x04 },
		{ "psh", 0x08 }, { "ack", 0x10 }, { "urg", 0x20 },
		{ "ece", 0x40 }, { "cwr", 0x80 }, { "ae", 0x100 },
		{ "none", 0 }, { "rst,ack", 0x14 }, { "RST,Ack", 0x14 },
		{ "rst,rst", 0x04 }, { "none,rst", 0x04 },
		{ "R.", 0x14 }, { ".R", 0x14 }, { "F", 0x01 }, { "e", 0x100 },
		{ "FSRP.UEWe", 0x1ff }, { "R,.", 0x14 }, { "R.,syn", 0x16 },
		{ "0", 0 }, { "20", 0x14 }, { "0x14", 0x14 }, { "0X14", 0x14 },
		{ "020", 0x14 }, { "511", 0x1ff }, { "0x1ff", 0x1ff },
		{ "0x10,4", 0x14 },
		{ "", -1 }, { ",", -1 }, { "rst,", -5 }, { ",rst", -1 },
		{ "rst,,ack", -5 }, { "rst, ack", -5 }, { "rst ack", -1 },
		{ "rs", -1 }, { "rstx", -1 }, { "f", -1 }, { "r.", -1 },
		{ "RX", -1 }, { "R.x", -1 }, { "ack,syn,foo", -9 },
		{ "512", -1 }, { "0x200", -1 }, { "0x", -1 }, { "0x1g", -1 },
		{ "14h", -1 }, { "-1", -1 }, { "+4", -1 }, { " 4", -1 },
		{ "99999999999999999999", -1 }, { "4,0x", -3 },
	};
	uint16_t flags;
	struct wk_error e;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		flags = 0xbeef;
		rc = wk_tcp_flags_parse(cases[i].text, &flags, &e);
		if (cases[i].flags >= 0 &&
		    (rc != WK_OK || flags != cases[i].flags))
			fail_msg("\"%s\": %d, %x", cases[i].text, rc, flags);
		if (cases[i].flags < 0 && (rc != WK_E_MALFORMED ||
		    flags != 0xbeef ||
		    e.offset != (uint64_t)(-1 - cases[i].flags)))
			fail_msg("\"%s\": %d, %x, %ju", cases[i].text, rc,
			    flags, (uintmax_t)e.offset);
	}
	assert_int_equal(wk_tcp_flags_parse("ack,foo,syn", &flags, &e),
	    WK_E_MALFORMED);
	assert_non_null(strstr(e.reason, "\"foo\" is no TCP flag"));
	assert_int_equal(wk_tcp_flags_parse("x", &flags, NULL),
	    WK_E_MALFORMED);
}

static void
test_flags_text_is_read_back(void **state)
{
	char text[WK_TCP_FLAGS_TEXT];
	uint16_t flags, got;

	(void)state;
	for (flags = 0; flags <= WK_TCP_FLAGS_ALL; flags++) {
		assert_int_equal(wk_tcp_flags_parse(
		    wk_tcp_flags_text(flags, text), &got, NULL), WK_OK);
		assert_int_equal(got, flags);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_are_rebuilt_octet_for_octet),
		cmocka_unit_test(
		    test_random_segments_survive_build_and_dissect),
		cmocka_unit_test(
		    test_build_appends_without_looking_at_the_rest),
		cmocka_unit_test(test_build_keeps_its_limits),
		cmocka_unit_test(test_build_fills_a_buffer_and_no_more),
		cmocka_unit_test(test_resets_follow_the_rules),
		cmocka_unit_test(test_reset_for_a_syn_is_the_ninth_vector),
		cmocka_unit_test(test_sequence_space),
		cmocka_unit_test(test_options_walk),
		cmocka_unit_test(test_flags_as_text),
		cmocka_unit_test(test_flags_from_text),
		cmocka_unit_test(test_flags_text_is_read_back),
	};

	return cmocka_run_group_tests_name("segment_build", tests, NULL, NULL);
}
