/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/segment.h"

#include <string.h>

#include "common/base/span.h"
#include "common/wire/checksum.h"

/* More VLAN tags, or more extension headers, are no traffic but an attack. */
#define NESTING_MAX 16

#define TCP_FLAGS_AT 13		/* the octet with the reset bit */

/* How a link header tells what is behind it. */
enum selector {
	BY_ETHERTYPE,
	BY_FAMILY,		/* address family, network order */
	BY_FAMILY_ANY_ORDER,
	BY_VERSION,		/* nothing in front of the IP header */
};

static const struct link_header {
	uint32_t link;
	enum selector selector;
	uint8_t selector_at;	/* an octet of the header */
	uint8_t len;
	uint8_t version;	/* the only one there can be, or 0 */
	const char *name;
} link_headers[] = {
	{ WK_LINK_ETHERNET, BY_ETHERTYPE, 12, 14, 0, "Ethernet header" },
	{ WK_LINK_LINUX_SLL, BY_ETHERTYPE, 14, 16, 0, "Linux cooked header" },
	{ WK_LINK_LINUX_SLL2, BY_ETHERTYPE, 0, 20, 0, "Linux cooked header" },
	{ WK_LINK_NULL, BY_FAMILY_ANY_ORDER, 0, 4, 0, "loopback header" },
	{ WK_LINK_LOOP, BY_FAMILY, 0, 4, 0, "loopback header" },
	{ WK_LINK_RAW, BY_VERSION, 0, 0, 0, "" },
	{ WK_LINK_RAW_BSD, BY_VERSION, 0, 0, 0, "" },
	{ WK_LINK_RAW_OPENBSD, BY_VERSION, 0, 0, 0, "" },
	{ WK_LINK_IPV4, BY_VERSION, 0, 0, 4, "" },
	{ WK_LINK_IPV6, BY_VERSION, 0, 0, 6, "" },
};

enum ethertype {
	ETHERTYPE_802_3_MAX = 1500,	/* up to here it is a length */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_SERVICE_VLAN = 0x88a8,
	ETHERTYPE_OLD_SERVICE_VLAN = 0x9100,
	ETHERTYPE_NONE = 0xffff,	/* reserved */
};

/* Extension headers that say how long they are: 8 octets + unit * length. */
enum ext_number {
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_AUTHENTICATION = 51,
	EXT_DESTINATION = 60,
	EXT_MOBILITY = 135,
	EXT_HIP = 139,
	EXT_SHIM6 = 140,
};

static const struct ext_header {
	uint8_t number, unit;
	const char *name;
} ext_headers[] = {
	{ EXT_HOP_BY_HOP, 8, "hop-by-hop options" },
	{ EXT_ROUTING, 8, "routing header" },
	{ EXT_FRAGMENT, 0, "fragment header" },
	{ EXT_AUTHENTICATION, 4, "authentication header" },
	{ EXT_DESTINATION, 8, "destination options" },
	{ EXT_MOBILITY, 8, "mobility header" },
	{ EXT_HIP, 8, "host identity header" },
	{ EXT_SHIM6, 8, "shim6 header" },
};

/* Where we are in a frame: every header before at is whole and captured. */
struct cursor {
	const uint8_t *frame;
	size_t caplen;
	size_t at;
	size_t end;		/* on the wire: of the frame, later the packet */
	const char *ending;	/* what ends there */
	bool has_other_addresses; /* in the pseudo header than in IP's */
	struct wk_segment *s;
	struct wk_error *error;
};

static const struct link_header *
find_link(uint32_t link)
{
	size_t i;

	for (i = 0; i < sizeof(link_headers) / sizeof(link_headers[0]); i++)
		if (link_headers[i].link == link)
			return &link_headers[i];
	return NULL;
}

static const struct ext_header *
find_ext(uint8_t number)
{
	size_t i;

	for (i = 0; i < sizeof(ext_headers) / sizeof(ext_headers[0]); i++)
		if (ext_headers[i].number == number)
			return &ext_headers[i];
	return NULL;
}

static bool
is_vlan(unsigned ethertype)
{
	return ethertype == ETHERTYPE_VLAN ||
	    ethertype == ETHERTYPE_SERVICE_VLAN ||
	    ethertype == ETHERTYPE_OLD_SERVICE_VLAN;
}

/* IP version of an address family; that of IPv6 depends on the system. */
static unsigned
family_version(uint32_t family)
{
	switch (family) {
	case 2:
		return 4;
	case 10:		/* Linux */
	case 24:		/* NetBSD, OpenBSD, and Npcap */
	case 28:		/* FreeBSD */
	case 30:		/* Darwin */
		return 6;
	default:
		return 0;
	}
}

static inline unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Are the next n octets on the wire, and were they captured? */
static inline bool
has(const struct cursor *c, size_t n)
{
	return n <= c->end - c->at && n <= c->caplen - c->at;
}

/*
 * The dissect_ functions return an enum wk_segment_kind, or a negative
 * wk_status with the error set. This is what to return when has(n) is false.
 */
static int
lacks(struct cursor *c, size_t n, const char *what)
{
	if (n <= c->end - c->at)
		return wk_error_set(c->error, WK_E_TRUNCATED, c->caplen,
		    "capture ends inside the %s", what);
	if (c->s->has_mf)
		return WK_SEGMENT_FRAGMENT;
	return wk_error_set(c->error, WK_E_MALFORMED, c->end,
	    "%s ends inside the %s", c->ending, what);
}

static enum wk_checksum
verify(uint64_t sum)
{
	return wk_checksum_finish(sum) == 0 ? WK_CHECKSUM_GOOD :
	    WK_CHECKSUM_BAD;
}

static enum wk_checksum
verify_tcp(const struct cursor *c)
{
	const struct wk_segment *s = c->s;
	size_t len = c->end - c->at;
	uint64_t sum;

	if (s->is_fragment || c->has_other_addresses ||
	    s->captured_len < s->payload_len)
		return WK_CHECKSUM_UNKNOWN;
	sum = wk_checksum_pseudo(s->ip_version, s->src, s->dst, WK_PROTOCOL_TCP,
	    len);
	return verify(wk_checksum_add(sum, c->frame + c->at, len));
}

/* Read the fixed fields that are there; returns the data offset. */
static unsigned
read_tcp_fields(struct cursor *c)
{
	struct wk_segment *s = c->s;
	struct wk_span in;
	uint16_t word;

	wk_span_init(&in, c->frame + c->at,
	    (c->end < c->caplen ? c->end : c->caplen) - c->at);
	s->src_port = wk_span_u16(&in);
	s->dst_port = wk_span_u16(&in);
	s->seq = wk_span_u32(&in);
	s->ack = wk_span_u32(&in);
	word = wk_span_u16(&in);
	s->flags = word & WK_TCP_FLAGS_ALL;
	s->window = wk_span_u16(&in);
	wk_span_u16(&in);	/* the checksum */
	s->urgent = wk_span_u16(&in);
	return word >> 12;
}

static int
dissect_tcp(struct cursor *c)
{
	struct wk_segment *s = c->s;
	const uint8_t *tcp = c->frame + c->at;
	size_t data_offset = read_tcp_fields(c), header = data_offset * 4;
	size_t len = c->end - c->at, captured;

	if (!has(c, WK_TCP_HEADER))
		return lacks(c, WK_TCP_HEADER, "TCP header");
	if (header < WK_TCP_HEADER)
		return wk_error_set(c->error, WK_E_MALFORMED, c->at + 12,
		    "TCP data offset %zu, must be at least 5", data_offset);
	if (header > len && !s->has_mf)
		return wk_error_set(c->error, WK_E_MALFORMED, c->at + 12,
		    "TCP data offset %zu passes the %zu octets of the segment",
		    data_offset, len);
	if (!has(c, header))
		return lacks(c, header, "TCP options");
	captured = c->caplen - c->at - header;
	s->options_len = header - WK_TCP_HEADER;
	s->payload_len = len - header;
	s->captured_len = captured < s->payload_len ? captured : s->payload_len;
	if (s->options_len > 0)
		s->options = tcp + WK_TCP_HEADER;
	if (s->captured_len > 0)
		s->payload = tcp + header;
	s->tcp_checksum = verify_tcp(c);
	return WK_SEGMENT_TCP;
}

/* What the IP header, or the last extension header, announces. */
static int
dissect_upper(struct cursor *c)
{
	if (c->s->protocol != WK_PROTOCOL_TCP)
		return WK_SEGMENT_OTHER;
	if (c->s->fragment_offset > 0)
		return WK_SEGMENT_FRAGMENT;
	return dissect_tcp(c);
}

/* The packet at c->at is len octets long; what is behind it is padding. */
static int
set_packet_end(struct cursor *c, size_t len, size_t field_at)
{
	if (len > c->end - c->at)
		return wk_error_set(c->error, WK_E_MALFORMED, field_at,
		    "IP length %zu exceeds the %zu octets left in the frame",
		    len, c->end - c->at);
	c->end = c->at + len;
	c->ending = "IP packet";
	return WK_OK;
}

static void
set_fragment(struct wk_segment *s, size_t offset, bool has_more)
{
	s->fragment_offset = (uint16_t)offset;
	s->has_mf = s->has_mf || has_more;
	s->is_fragment = s->is_fragment || has_more || offset > 0;
}

static int
dissect_ipv4(struct cursor *c)
{
	struct wk_segment *s = c->s;
	const uint8_t *ip = c->frame + c->at;
	size_t header, len;
	unsigned word;
	int rc;

	if (!has(c, WK_IPV4_HEADER))
		return lacks(c, WK_IPV4_HEADER, "IPv4 header");
	s->traffic_class = ip[1];
	s->ip_id = get16(ip + 4);
	s->ttl = ip[8];
	s->protocol = ip[9];
	memcpy(s->src, ip + 12, 4);
	memcpy(s->dst, ip + 16, 4);
	header = (ip[0] & 15u) * 4;
	if (header < WK_IPV4_HEADER)
		return wk_error_set(c->error, WK_E_MALFORMED, c->at,
		    "IPv4 header length %zu, must be at least 20", header);
	if (!has(c, header))
		return lacks(c, header, "IPv4 options");
	s->ip_checksum = verify(wk_checksum_add(0, ip, header));
	len = get16(ip + 2);
	if (len != 0 && len < header)
		return wk_error_set(c->error, WK_E_MALFORMED, c->at + 2,
		    "IP length %zu is less than the header's %zu octets", len,
		    header);
	if (len != 0 && (rc = set_packet_end(c, len, c->at + 2)) < 0)
		return rc;
	word = get16(ip + 6);
	s->has_df = (word & 0x4000) != 0;
	set_fragment(s, (word & 0x1fff) * 8, (word & 0x2000) != 0);
	c->at += header;
	return dissect_upper(c);
}

/* What an extension header says that concerns us. */
static void
read_ext(struct cursor *c, const uint8_t *header, uint8_t number)
{
	unsigned word;

	switch (number) {
	case EXT_FRAGMENT:
		word = get16(header + 2);
		set_fragment(c->s, word & 0xfff8, (word & 1) != 0);
		c->s->ip_id = get16(header + 4) << 16 | get16(header + 6);
		break;
	case EXT_ROUTING:
		if (header[3] > 0)	/* segments left */
			c->has_other_addresses = true;
		break;
	case EXT_SHIM6:
		c->has_other_addresses = true;
		break;
	default:
		break;
	}
}

/* Walk over the extension headers, the first of which s->protocol announces. */
static int
dissect_ext(struct cursor *c)
{
	struct wk_segment *s = c->s;
	const struct ext_header *ext;
	const uint8_t *header;
	size_t n, len;

	for (n = 0; (ext = find_ext(s->protocol)) != NULL; n++) {
		/* A later fragment starts in the middle of something. */
		if (s->fragment_offset > 0)
			return WK_SEGMENT_FRAGMENT;
		if (n == NESTING_MAX)
			return wk_error_set(c->error, WK_E_MALFORMED, c->at,
			    "more than %d extension headers", NESTING_MAX);
		header = c->frame + c->at;
		len = has(c, 8) ? 8 + (size_t)header[1] * ext->unit : 8;
		if (!has(c, len))
			return lacks(c, len, ext->name);
		s->has_ext_headers = true;
		s->protocol = header[0];
		read_ext(c, header, ext->number);
		c->at += len;
	}
	return dissect_upper(c);
}

static int
dissect_ipv6(struct cursor *c)
{
	struct wk_segment *s = c->s;
	const uint8_t *ip = c->frame + c->at;
	size_t len;
	int rc;

	if (!has(c, WK_IPV6_HEADER))
		return lacks(c, WK_IPV6_HEADER, "IPv6 header");
	s->traffic_class = (uint8_t)(get16(ip) >> 4);
	s->flow_label = (get16(ip) & 15) << 16 | get16(ip + 2);
	s->protocol = ip[6];
	s->ttl = ip[7];
	memcpy(s->src, ip + 8, 16);
	memcpy(s->dst, ip + 24, 16);
	len = get16(ip + 4);
	if (len != 0 &&
	    (rc = set_packet_end(c, WK_IPV6_HEADER + len, c->at + 4)) < 0)
		return rc;
	c->at += WK_IPV6_HEADER;
	return dissect_ext(c);
}

/* An IP packet, of the version that the link header announced unless 0. */
static int
dissect_ip(struct cursor *c, unsigned announced)
{
	unsigned version;

	if (!has(c, 1))
		return lacks(c, 1, "IP header");
	version = c->frame[c->at] >> 4;
	if ((announced != 0 && version != announced) ||
	    (version != 4 && version != 6))
		return wk_error_set(c->error, WK_E_MALFORMED, c->at,
		    "IP version %u, must be %s", version, announced == 4 ? "4" :
		    announced == 6 ? "6" : "4 or 6");
	c->s->ip_version = (uint8_t)version;
	return version == 4 ? dissect_ipv4(c) : dissect_ipv6(c);
}

/*
 * IEEE 802.2 LLC, alone or with SNAP (RFC 1042): skip it and say the ethertype
 * that it stands for.
 */
static int
skip_llc(struct cursor *c, unsigned *ethertype)
{
	static const uint8_t llc_ip[] = { 0x06, 0x06, 0x03 };
	static const uint8_t llc_snap[] = { 0xaa, 0xaa, 0x03 };
	static const uint8_t oui_ethertype[] = { 0, 0, 0 };
	const uint8_t *llc = c->frame + c->at;

	*ethertype = ETHERTYPE_NONE;
	if (!has(c, 3))
		return lacks(c, 3, "LLC header");
	if (memcmp(llc, llc_ip, 3) == 0) {
		*ethertype = ETHERTYPE_IPV4;
		c->at += 3;
	} else if (memcmp(llc, llc_snap, 3) == 0) {
		if (!has(c, 8))
			return lacks(c, 8, "SNAP header");
		if (memcmp(llc + 3, oui_ethertype, 3) == 0)
			*ethertype = get16(llc + 6);
		c->at += 8;
	}
	return WK_OK;
}

static int
skip_vlan(struct cursor *c, unsigned *ethertype)
{
	struct wk_segment *s = c->s;
	const uint8_t *tag = c->frame + c->at;

	if (!has(c, 4))
		return lacks(c, 4, "VLAN tag");
	if (s->n_vlans < WK_SEGMENT_VLANS_MAX)
		s->vlan[s->n_vlans] = get16(tag) & 0x0fff;
	s->n_vlans++;
	*ethertype = get16(tag + 2);
	c->at += 4;
	return WK_OK;
}

static int
dissect_ethertype(struct cursor *c, unsigned ethertype)
{
	size_t n;
	int rc;

	for (n = 0; n <= NESTING_MAX; n++) {
		if (ethertype == ETHERTYPE_IPV4)
			return dissect_ip(c, 4);
		if (ethertype == ETHERTYPE_IPV6)
			return dissect_ip(c, 6);
		if (is_vlan(ethertype))
			rc = skip_vlan(c, &ethertype);
		else if (ethertype <= ETHERTYPE_802_3_MAX)
			rc = skip_llc(c, &ethertype);
		else
			return WK_SEGMENT_OTHER;
		if (rc < 0)
			return rc;
	}
	return wk_error_set(c->error, WK_E_MALFORMED, c->at,
	    "more than %d VLAN tags", NESTING_MAX);
}

static int
dissect_family(struct cursor *c, const uint8_t *family, bool is_any_order)
{
	unsigned version = family_version(get16(family) << 16 |
	    get16(family + 2));

	if (version == 0 && is_any_order)
		version = family_version((unsigned)family[3] << 24 |
		    (unsigned)family[2] << 16 | (unsigned)family[1] << 8 |
		    family[0]);
	return version == 0 ? WK_SEGMENT_OTHER : dissect_ip(c, version);
}

static int
dissect_link(struct cursor *c, const struct link_header *link)
{
	const uint8_t *header = c->frame;

	if (!has(c, link->len))
		return lacks(c, link->len, link->name);
	c->at += link->len;
	switch (link->selector) {
	case BY_ETHERTYPE:
		return dissect_ethertype(c, get16(header + link->selector_at));
	case BY_FAMILY:
		return dissect_family(c, header, false);
	case BY_FAMILY_ANY_ORDER:
		return dissect_family(c, header, true);
	case BY_VERSION:
		return dissect_ip(c, link->version);
	}
	return WK_SEGMENT_OTHER;
}

bool
wk_segment_has_link(uint32_t link)
{
	return find_link(link) != NULL;
}

int
wk_segment_dissect(uint32_t link, const uint8_t *frame, size_t caplen,
    size_t wire_len, struct wk_segment *s, struct wk_error *error)
{
	const struct link_header *header = find_link(link);
	struct cursor c = {
		.frame = frame,
		.caplen = caplen,
		.end = wire_len > caplen ? wire_len : caplen,
		.ending = "frame",
		.s = s,
		.error = error,
	};
	int rc;

	memset(s, 0, sizeof(*s));
	rc = header != NULL ? dissect_link(&c, header) : WK_SEGMENT_OTHER;
	if (rc >= 0)
		return rc;
	return rc == WK_E_TRUNCATED ? WK_SEGMENT_TRUNCATED :
	    WK_SEGMENT_MALFORMED;
}

/* That look at the IP packet; what is in doubt is left to the dissector. */
static bool
ip_may_be_rst(const uint8_t *ip, size_t caplen)
{
	size_t flags_at, len;

	if (caplen < WK_IPV4_HEADER)
		return true;
	switch (ip[0] >> 4) {
	case 4:
		if (ip[9] != WK_PROTOCOL_TCP)
			return false;
		if ((get16(ip + 6) & 0x1fff) != 0)
			return true;
		flags_at = (ip[0] & 15u) * 4 + TCP_FLAGS_AT;
		len = get16(ip + 2);
		break;
	case 6:
		if (ip[6] != WK_PROTOCOL_TCP)
			return find_ext(ip[6]) != NULL;
		flags_at = WK_IPV6_HEADER + TCP_FLAGS_AT;
		len = get16(ip + 4) == 0 ? 0 : WK_IPV6_HEADER + get16(ip + 4);
		break;
	default:
		return true;
	}
	/* Behind the packet's end there is padding, which says nothing. */
	if (flags_at >= caplen || (len != 0 && flags_at >= len))
		return true;
	return (ip[flags_at] & WK_TCP_RST) != 0;
}

bool
wk_segment_may_be_rst(uint32_t link, const uint8_t *frame, size_t caplen)
{
	const struct link_header *header = find_link(link);
	unsigned ethertype;

	if (header == NULL || caplen <= header->len)
		return true;
	if (header->selector == BY_ETHERTYPE) {
		ethertype = get16(frame + header->selector_at);
		if (ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6)
			return is_vlan(ethertype) ||
			    ethertype <= ETHERTYPE_802_3_MAX;
	}
	return ip_may_be_rst(frame + header->len, caplen - header->len);
}
