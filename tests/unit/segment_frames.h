/* SPDX-License-Identifier: MIT */
/*
 * What the tests of segments share: packets, and frames put together from hex.
 *
 * Whole IP packets with what is in them. V1 to V10 are resets from port 443 of
 * 198.51.100.20 or 2001:db8:2::20 to port 50000 of 192.0.2.10 or
 * 2001:db8:1::10, written for this project and found right by tcpdump 4.99.3
 * and tshark 4.0.17; their payloads are those of
 * draft-ietf-tcpm-rst-diagnostic-payload and its forerunners. The foreign one
 * is the IP packet in tcpdump's own test tcp_rst_diag_payload.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/unit/unit.h"

#include "common/wire/segment.h"

struct segment_vector {
	const char *name, *packet;
	uint8_t ip_version;
	uint32_t seq, ack;
	uint16_t flags;
	const char *payload;
};

static const struct segment_vector segment_vectors[] = {
	{ "V1", "450000300000400040064e76c6336414c000020a"
	    "01bbc3501122334400000000500400008665000033aa000500000000",
	    4, 0x11223344, 0, 0x004, "33aa000500000000" },
	{ "V2", "450000300000400040064e76c6336414c000020a"
	    "01bbc35011223344556677885014000035c0000033aa04d200007ed9",
	    4, 0x11223344, 0x55667788, 0x014, "33aa04d200007ed9" },
	{ "V3", "60000000001c064020010db8000200000000000000000020"
	    "20010db8000100000000000000000010"
	    "01bbc3501122334455667788501400004a09000033aa001000000000",
	    6, 0x11223344, 0x55667788, 0x014, "33aa001000000000" },
	{ "V4", "4500002e0000400040064e78c6336414c000020a"
	    "01bbc35011223344556677885014000099440000193039a10102",
	    4, 0x11223344, 0x55667788, 0x014, "193039a10102" },
	{ "V5", "60000000003b064020010db8000200000000000000000020"
	    "20010db8000100000000000000000010"
	    "01bbc350112233445566778850140000e70c0000193039a1037820"
	    "62726965662068756d616e2d7265616461626c65206465736372697074696f6e",
	    6, 0x11223344, 0x55667788, 0x014, "193039a1037820"
	    "62726965662068756d616e2d7265616461626c65206465736372697074696f6e" },
	{ "V6", "600000000020064020010db8000200000000000000000020"
	    "20010db8000100000000000000000010"
	    "01bbc350112233445566778850140000a40f0000193039a2011904d202197ed9",
	    6, 0x11223344, 0x55667788, 0x014, "193039a2011904d202197ed9" },
	{ "V7", "4500003a0000400040064e6cc6336414c000020a"
	    "01bbc350112233445566778850140000543c0000"
	    "82193039a16b726561736f6e2d636f646502",
	    4, 0x11223344, 0x55667788, 0x014,
	    "82193039a16b726561736f6e2d636f646502" },
	{ "V8", "450000390000400040064e6dc6336414c000020a"
	    "01bbc3501122334455667788501400009f4c0000"
	    "f3176d617070696e672065787069726564",
	    4, 0x11223344, 0x55667788, 0x014,
	    "f3176d617070696e672065787069726564" },
	{ "V9", "450000300000400040064e76c6336414c000020a"
	    "01bbc350000000005566778950140000fdcc000033aa000400000000",
	    4, 0, 0x55667789, 0x014, "33aa000400000000" },
	{ "V10", "4500002f0000400040064e77c6336414c000020a"
	    "01bbc350112233445566778850140000b967000033aa0005000000",
	    4, 0x11223344, 0x55667788, 0x014, "33aa0005000000" },
};
#define N_SEGMENT_VECTORS (sizeof(segment_vectors) / sizeof(segment_vectors[0]))

/* Its TCP checksum says 86a8 where 8f66 would be right. */
#define SEGMENT_VECTOR_FOREIGN "4500003000000000ff06391dc0000201c0a80001" \
	"9b951f900000000113f49af15014000086a8000033aa000100000000"

#define V4_PACKET segment_vectors[1].packet	/* RST with ACK */
#define V6_PACKET segment_vectors[2].packet
#define V6_ADDRESSES "20010db8000200000000000000000020" \
	"20010db8000100000000000000000010"
#define V6_TCP "01bbc3501122334455667788501400004a09000033aa001000000000"
#define MAC "02000000000102000000000a"

struct frame {
	uint8_t data[4096];
	size_t len;
};

static inline void
add(struct frame *f, const char *hex)
{
	f->len += unhex(hex, f->data + f->len, sizeof(f->data) - f->len);
}

/* V3 with extension headers in front of its TCP, the first of them numbered. */
static inline void
add_ipv6_with(struct frame *f, unsigned first, const char *ext_hex)
{
	size_t at = f->len, len;

	add(f, "60000000000000 40" V6_ADDRESSES);
	add(f, ext_hex);
	add(f, V6_TCP);
	len = f->len - at - WK_IPV6_HEADER;
	f->data[at + 4] = (uint8_t)(len >> 8);
	f->data[at + 5] = (uint8_t)len;
	f->data[at + 6] = (uint8_t)first;
}

static inline const struct frame *
frame_of(const char *hex)
{
	static struct frame f;	/* until the next call */

	f.len = 0;
	add(&f, hex);
	return &f;
}

static inline int
dissect(uint32_t link, const struct frame *f, struct wk_segment *s)
{
	return wk_segment_dissect(link, f->data, f->len, f->len, s, NULL);
}
