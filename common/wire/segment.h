/* SPDX-License-Identifier: MIT */
/*
 * One captured frame to one TCP segment, and back: link headers, VLAN tags,
 * IPv4 (RFC 791), IPv6 with extension headers (RFC 8200), TCP (RFC 9293) with
 * checksums. Nothing is allocated; pointers in a dissected segment are
 * borrowed from the frame and end with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/*
 * Link types by their LINKTYPE_ value in a capture file. pcap_datalink()
 * differs from it for raw IP only: 12 and 14 are accepted for that reason.
 */
enum wk_link {
	WK_LINK_NULL = 0,	/* 4-octet family, host order of the writer */
	WK_LINK_ETHERNET = 1,
	WK_LINK_RAW_BSD = 12,
	WK_LINK_RAW_OPENBSD = 14,
	WK_LINK_RAW = 101,
	WK_LINK_LOOP = 108,	/* 4-octet family, network order */
	WK_LINK_LINUX_SLL = 113,
	WK_LINK_IPV4 = 228,
	WK_LINK_IPV6 = 229,
	WK_LINK_LINUX_SLL2 = 276,
};

#define WK_PROTOCOL_TCP 6

/* Octets of the headers without options. */
#define WK_IPV4_HEADER 20
#define WK_IPV6_HEADER 40
#define WK_TCP_HEADER 20

enum wk_tcp_flag {
	WK_TCP_FIN = 0x001,
	WK_TCP_SYN = 0x002,
	WK_TCP_RST = 0x004,
	WK_TCP_PSH = 0x008,
	WK_TCP_ACK = 0x010,
	WK_TCP_URG = 0x020,
	WK_TCP_ECE = 0x040,
	WK_TCP_CWR = 0x080,
	WK_TCP_AE = 0x100,	/* Accurate ECN; NS before */
	WK_TCP_FLAGS_ALL = 0x1ff,
};

/* What a dissected frame turned out to be. */
enum wk_segment_kind {
	WK_SEGMENT_TCP,		/* TCP header whole; the payload may be cut */
	WK_SEGMENT_OTHER,	/* not TCP over IP */
	WK_SEGMENT_FRAGMENT,	/* an IP fragment without a whole TCP header */
	WK_SEGMENT_TRUNCATED,	/* the capture ends before the TCP header does */
	WK_SEGMENT_MALFORMED,	/* lengths contradict each other */
};

enum wk_checksum {
	WK_CHECKSUM_UNKNOWN,	/* not all of what it covers is at hand */
	WK_CHECKSUM_GOOD,
	WK_CHECKSUM_BAD,
};

#define WK_SEGMENT_VLANS_MAX 4
#define WK_TCP_OPTIONS_MAX 40

struct wk_segment {
	/* Network layer. IPv4 addresses use the first four octets. */
	uint8_t ip_version;		/* 4 or 6; 0 when it was not IP */
	uint8_t src[16], dst[16];
	uint8_t traffic_class;		/* IPv4: TOS */
	uint8_t ttl;			/* IPv6: hop limit */
	uint8_t protocol;		/* of the innermost header */
	bool has_df, has_mf;		/* IPv4 flags; has_mf for IPv6 too */
	bool is_fragment;		/* has_mf, or an offset */
	bool has_ext_headers;		/* IPv6 extension headers were skipped */
	uint32_t ip_id;			/* IPv4, or of an IPv6 Fragment header */
	uint32_t flow_label;		/* IPv6 */
	uint16_t fragment_offset;	/* octets */
	uint8_t n_vlans;		/* tags seen; the first few in vlan[] */
	uint16_t vlan[WK_SEGMENT_VLANS_MAX];	/* ids, outermost first */
	enum wk_checksum ip_checksum;	/* IPv6: WK_CHECKSUM_UNKNOWN */

	/* TCP. */
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags;			/* WK_TCP_* */
	uint16_t window, urgent;
	enum wk_checksum tcp_checksum;
	const uint8_t *options;		/* borrowed; build: copied, padded */
	size_t options_len;
	const uint8_t *payload;		/* borrowed; NULL when there is none */
	size_t payload_len;		/* octets on the wire */
	size_t captured_len;		/* of those, octets at payload */
};

/*
 * Dissect one frame of caplen captured octets. Returns an enum
 * wk_segment_kind; never fails otherwise. Fields are as far filled as the
 * frame was understood: addresses for WK_SEGMENT_FRAGMENT, TCP fields too as
 * many as are there for TRUNCATED and for a first fragment too small for them.
 * For TRUNCATED and MALFORMED, error (may be NULL) says what and at which octet
 * of the frame; otherwise it is left alone.
 *
 * wire_len is the frame's length on the wire, or less than caplen when that is
 * not known. The length that counts comes from the IP header (Ethernet padding
 * is not payload); an IPv4 total length or IPv6 payload length of 0
 * (segmentation offload, jumbograms) means up to the end of the frame.
 *
 * Tunnels are WK_SEGMENT_OTHER, and so is ESP. The TCP checksum is UNKNOWN for
 * fragments, for a cut payload, and where the pseudo header has addresses that
 * the IPv6 header does not have: a routing header with segments left, shim6.
 */
int wk_segment_dissect(uint32_t link, const uint8_t *frame, size_t caplen,
    size_t wire_len, struct wk_segment *s, struct wk_error *error);

/* Can frames of this link type be dissected? */
bool wk_segment_has_link(uint32_t link);

/*
 * A quick look for loops over large captures: false only when
 * wk_segment_dissect() will certainly not find a TCP segment with the RST bit,
 * however much longer the frame was on the wire. True means: dissect it.
 */
bool wk_segment_may_be_rst(uint32_t link, const uint8_t *frame, size_t caplen);

/*
 * Append the IP packet (no link header) described by s to b: IPv4 without
 * options or IPv6 without extension headers, checksums computed, options
 * padded with zeros to a multiple of four. Payload is payload_len octets at
 * payload, outside b; captured_len, the checksum fields, protocol, VLANs and
 * fragment fields are not looked at, has_df and ip_id (16 bits) are.
 * WK_E_INVALID: ip_version, options longer than WK_TCP_OPTIONS_MAX, or no
 * payload where payload_len says there is; WK_E_LIMIT: the packet passes 65535
 * octets, or b is full. As with every appending call an error stays in b.
 */
int wk_segment_build(const struct wk_segment *s, struct wk_buf *b);

/* Octets of sequence space (RFC 9293, section 3.4): payload, SYN and FIN. */
uint32_t wk_segment_seq_len(const struct wk_segment *s);

/*
 * The reset that answers a segment (RFC 9293, sections 3.5.2 and 3.10.7.1):
 * addresses and ports turned round, SEQ and ACK as the rules say, window 0,
 * no options, TTL 64, DF for IPv4. The caller adds the payload. False, and rst
 * untouched, when provoking is itself a reset, which is never answered. Both
 * may be the same object.
 */
bool wk_segment_reset_for(const struct wk_segment *provoking,
    struct wk_segment *rst);

/*
 * One option of the list at s->options: give *offset = 0 first. True: *kind,
 * *data and *len (octets behind the length octet) are set and *offset moved
 * on. False: the end, or an option whose length is impossible (RFC 9293,
 * section 3.1), which *is_bad tells apart and *offset points at. No-operation
 * options are skipped.
 */
bool wk_segment_next_option(const struct wk_segment *s, size_t *offset,
    uint8_t *kind, const uint8_t **data, size_t *len, bool *is_bad);

/*
 * Flags in tcpdump's letters, "R." for RST with ACK, "none" for no flag:
 * F S R P . U E W e. Returns out.
 */
#define WK_TCP_FLAGS_TEXT 12
const char *wk_tcp_flags_text(uint16_t flags, char out[WK_TCP_FLAGS_TEXT]);

/*
 * Flags from text: words joined by commas, each a name in any case ("rst,ack",
 * "none"), tcpdump's letters ("R."), or a number up to 0x1ff ("0x14", "20").
 * WK_E_MALFORMED names the word, and its offset in text.
 */
int wk_tcp_flags_parse(const char *text, uint16_t *flags,
    struct wk_error *error);
