/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/capsule_types.h"

#include <stdlib.h>
#include <strings.h>

#include "common/wire/capsule_layout.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

#define GREASE_STEP 0x29
#define GREASE_FIRST 0x17

#define WT_STREAM_3B 0x190b4d3b
#define WT_STREAM_3C 0x190b4d3c

/* A field: kind, name. A list of items: kind, name, layout of an item. */
#define FIELD(k, n) { .kind = WK_LAYOUT_##k, .name = (n) }
#define RULED(k, n, r) \
	{ .kind = WK_LAYOUT_##k, .name = (n), .rule = WK_RULE_##r }
#define LIST(k, n, i) { .kind = WK_LAYOUT_LIST_##k, .name = (n), .item = (i) }
#define END { .kind = WK_LAYOUT_END }

/* --- the layouts --------------------------------------------------------- */

static const struct wk_capsule_layout empty[] = { END };

const struct wk_capsule_layout wk_capsule_layout_opaque[] = {
	FIELD(REST, "value"), END
};

static const struct wk_capsule_layout payload[] = {
	FIELD(REST, "payload"), END
};

static const struct wk_capsule_layout payload_in_context[] = {
	FIELD(VARINT, "context_id"), FIELD(REST, "payload"), END
};

static const struct wk_capsule_layout assigned_address[] = {
	FIELD(VARINT, "request_id"), FIELD(VERSION, "ip_version"),
	FIELD(ADDRESS, "address"),
	RULED(U8, "prefix_length", PREFIX_LENGTH), END
};

static const struct wk_capsule_layout address_assign[] = {
	LIST(REST, "addresses", assigned_address), END
};

static const struct wk_capsule_layout requested_address[] = {
	RULED(VARINT, "request_id", NOT_ZERO), FIELD(VERSION, "ip_version"),
	FIELD(ADDRESS, "address"),
	RULED(U8, "prefix_length", PREFIX_LENGTH), END
};

static const struct wk_capsule_layout address_request[] = {
	{ .kind = WK_LAYOUT_LIST_REST, .name = "addresses",
	    .item = requested_address, .rule = WK_RULE_NOT_EMPTY }, END
};

static const struct wk_capsule_layout address_range[] = {
	FIELD(VERSION, "ip_version"), RULED(ADDRESS, "start", RANGE_START),
	RULED(ADDRESS, "end", RANGE_END),
	RULED(U8, "ip_protocol", RANGE_PROTOCOL), END
};

static const struct wk_capsule_layout route_advertisement[] = {
	{ .kind = WK_LAYOUT_LIST_REST, .name = "ranges",
	    .item = address_range, .item_rule = WK_RULE_RANGE_ORDER }, END
};

static const struct wk_capsule_layout compression_assign[] = {
	RULED(VARINT, "context_id", NOT_ZERO),
	FIELD(VERSION_OR_0, "ip_version"), FIELD(ADDRESS, "address"),
	FIELD(PORT, "port"), END
};

static const struct wk_capsule_layout compression_context[] = {
	RULED(VARINT, "context_id", NOT_ZERO), END
};

static const struct wk_capsule_layout wt_close_session[] = {
	FIELD(U32, "error_code"), RULED(REST_TEXT, "message", MESSAGE), END
};

static const struct wk_capsule_layout padding[] = {
	RULED(REST, "padding", ZEROS), END
};

static const struct wk_capsule_layout wt_reset_stream[] = {
	FIELD(VARINT, "stream_id"), FIELD(VARINT, "error_code"),
	FIELD(VARINT, "reliable_size"), END
};

static const struct wk_capsule_layout wt_stop_sending[] = {
	FIELD(VARINT, "stream_id"), FIELD(VARINT, "error_code"), END
};

static const struct wk_capsule_layout wt_stream[] = {
	FIELD(VARINT, "stream_id"), FIELD(REST, "data"), END
};

static const struct wk_capsule_layout wt_data_limit[] = {
	FIELD(VARINT, "maximum"), END
};

static const struct wk_capsule_layout wt_stream_data_limit[] = {
	FIELD(VARINT, "stream_id"), FIELD(VARINT, "maximum"), END
};

static const struct wk_capsule_layout wt_streams_limit[] = {
	RULED(VARINT, "maximum", STREAM_COUNT), END
};

static const struct wk_capsule_layout ipv4_address[] = {
	FIELD(IPV4, NULL), END
};

static const struct wk_capsule_layout ipv6_address[] = {
	FIELD(IPV6, NULL), END
};

static const struct wk_capsule_layout domain[] = {
	FIELD(COUNTED_TEXT, NULL), END
};

static const struct wk_capsule_layout nameserver[] = {
	FIELD(U16, "priority"), LIST(COUNTED, "ipv4_addresses", ipv4_address),
	LIST(COUNTED, "ipv6_addresses", ipv6_address),
	FIELD(COUNTED_TEXT, "authentication_domain"),
	FIELD(COUNTED, "service_parameters"), END
};

static const struct wk_capsule_layout dns_configuration[] = {
	LIST(COUNTED, "nameservers", nameserver),
	LIST(COUNTED, "internal_domains", domain),
	LIST(COUNTED, "search_domains", domain), END
};

static const struct wk_capsule_layout dns_assign[] = {
	LIST(REST, "configurations", dns_configuration), END
};

static const struct wk_capsule_layout nat64_prefix[] = {
	RULED(U8, "prefix_length", NAT64_LENGTH), FIELD(IPV6_96, "prefix"), END
};

static const struct wk_capsule_layout pref64[] = {
	LIST(REST, "prefixes", nat64_prefix), END
};

static const struct wk_capsule_layout lone_cid[] = {
	RULED(REST, "connection_id", CONNECTION_ID), END
};

static const struct wk_capsule_layout cid_and_token[] = {
	RULED(COUNTED, "connection_id", CONNECTION_ID),
	FIELD(COUNTED, "stateless_reset_token"), END
};

static const struct wk_capsule_layout cid_and_vcid[] = {
	RULED(COUNTED, "connection_id", CONNECTION_ID),
	RULED(COUNTED, "virtual_connection_id", CONNECTION_ID), END
};

static const struct wk_capsule_layout cid_vcid_and_token[] = {
	RULED(COUNTED, "connection_id", CONNECTION_ID),
	RULED(COUNTED, "virtual_connection_id", CONNECTION_ID),
	FIELD(COUNTED, "stateless_reset_token"), END
};

static const struct wk_capsule_layout max_connection_ids[] = {
	RULED(VARINT, "maximum_sequence_number", NOT_ZERO), END
};

/* --- the types ----------------------------------------------------------- */

#define NONE 0
#define PROV WK_CAPSULE_PROVISIONAL
#define LEGACY WK_CAPSULE_LEGACY
#define NOT_H3 WK_CAPSULE_NOT_H3
#define OPAQUE wk_capsule_layout_opaque

/* Ascending by type. Names of the two WT_STREAMs are by WK_CAPSULE_FIN_3B. */
static const struct wk_capsule_type types[] = {
	{ 0x00, "DATAGRAM", "RFC 9297 3.5", NONE, payload },
	{ 0x01, "ADDRESS_ASSIGN", "RFC 9484 4.7.1", NONE, address_assign },
	{ 0x02, "ADDRESS_REQUEST", "RFC 9484 4.7.2", NONE, address_request },
	{ 0x03, "ROUTE_ADVERTISEMENT", "RFC 9484 4.7.3", NONE,
	    route_advertisement },
	{ 0x11, "COMPRESSION_ASSIGN", "connect-udp-listen-13", PROV,
	    compression_assign },
	{ 0x12, "COMPRESSION_ACK", "connect-udp-listen-13", PROV,
	    compression_context },
	{ 0x13, "COMPRESSION_CLOSE", "connect-udp-listen-13", PROV,
	    compression_context },
	{ 0x2843, "WT_CLOSE_SESSION", "webtrans-http3-16", NONE,
	    wt_close_session },
	{ 0x78ae, "WT_DRAIN_SESSION", "webtrans-http3-16", NONE, empty },
	{ 0xff37a0, "DATAGRAM", "h3-datagram-04", LEGACY, payload_in_context },
	{ 0xff37a1, "REGISTER_DATAGRAM_CONTEXT", "h3-datagram-05", LEGACY,
	    OPAQUE },
	{ 0xff37a2, "REGISTER_DATAGRAM", "h3-datagram-05", LEGACY, OPAQUE },
	{ 0xff37a3, "CLOSE_DATAGRAM_CONTEXT", "h3-datagram-05", LEGACY,
	    OPAQUE },
	{ 0xff37a4, "DATAGRAM_WITH_CONTEXT", "h3-datagram-05", LEGACY,
	    payload_in_context },
	{ 0xff37a5, "DATAGRAM", "h3-datagram-08", LEGACY, payload },
	{ 0xffe600, "REGISTER_CLIENT_CID", "quic-proxy-06", PROV, lone_cid },
	{ 0xffe601, "REGISTER_TARGET_CID", "quic-proxy-06", PROV,
	    cid_and_token },
	{ 0xffe602, "ACK_CLIENT_CID", "quic-proxy-06", PROV, cid_and_vcid },
	{ 0xffe603, "ACK_CLIENT_VCID", "quic-proxy-06", PROV,
	    cid_vcid_and_token },
	{ 0xffe604, "ACK_TARGET_CID", "quic-proxy-06", PROV,
	    cid_vcid_and_token },
	{ 0xffe605, "CLOSE_CLIENT_CID", "quic-proxy-06", PROV, lone_cid },
	{ 0xffe606, "CLOSE_TARGET_CID", "quic-proxy-06", PROV, lone_cid },
	{ 0xffe607, "MAX_CONNECTION_IDS", "quic-proxy-06", PROV,
	    max_connection_ids },
	{ 0xfff100, "ADDRESS_ASSIGN", "connect-ip-00", LEGACY, OPAQUE },
	{ 0xfff101, "ADDRESS_REQUEST", "connect-ip-00", LEGACY, OPAQUE },
	{ 0xfff102, "ROUTE_ADVERTISEMENT", "connect-ip-00", LEGACY, OPAQUE },
	{ 0x190b4d38, "PADDING", "webtrans-http2-15", NONE, padding },
	{ 0x190b4d39, "WT_RESET_STREAM", "webtrans-http2-15", NONE,
	    wt_reset_stream },
	{ 0x190b4d3a, "WT_STOP_SENDING", "webtrans-http2-15", NONE,
	    wt_stop_sending },
	{ WT_STREAM_3B, "WT_STREAM_FIN", "webtrans-http2-15", NONE,
	    wt_stream },
	{ WT_STREAM_3C, "WT_STREAM", "webtrans-http2-15", NONE, wt_stream },
	{ 0x190b4d3d, "WT_MAX_DATA", "webtrans-http2-15", NONE,
	    wt_data_limit },
	{ 0x190b4d3e, "WT_MAX_STREAM_DATA", "webtrans-http2-15", NOT_H3,
	    wt_stream_data_limit },
	{ 0x190b4d3f, "WT_MAX_STREAMS_BIDI", "webtrans-http2-15", NONE,
	    wt_streams_limit },
	{ 0x190b4d40, "WT_MAX_STREAMS_UNI", "webtrans-http2-15", NONE,
	    wt_streams_limit },
	{ 0x190b4d41, "WT_DATA_BLOCKED", "webtrans-http2-15", NONE,
	    wt_data_limit },
	{ 0x190b4d42, "WT_STREAM_DATA_BLOCKED", "webtrans-http2-15", NOT_H3,
	    wt_stream_data_limit },
	{ 0x190b4d43, "WT_STREAMS_BLOCKED_BIDI", "webtrans-http2-15", NONE,
	    wt_streams_limit },
	{ 0x190b4d44, "WT_STREAMS_BLOCKED_UNI", "webtrans-http2-15", NONE,
	    wt_streams_limit },
	{ 0x1ace79ec, "DNS_ASSIGN", "connect-ip-dns-05", PROV, dns_assign },
	{ 0x1c0fe323, "COMPRESSION_ASSIGN", "connect-udp-listen-07", LEGACY,
	    OPAQUE },
	{ 0x1c0fe324, "COMPRESSION_CLOSE", "connect-udp-listen-07", LEGACY,
	    OPAQUE },
	{ 0x2028d7ee, "DATA", "connect-tcp-07", LEGACY, payload },
	{ 0x2028d7ef, "FINAL_DATA", "connect-tcp-07", LEGACY, payload },
	{ 0x2028d7f0, "DATA", "connect-tcp-11", LEGACY, payload },
	{ 0x2028d7f1, "FINAL_DATA", "connect-tcp-11", LEGACY, payload },
	{ 0x2028d7f2, "DATA", "connect-tcp-12", NONE, payload },
	{ 0x2028d7f3, "FINAL_DATA", "connect-tcp-12", NONE, payload },
	{ 0x2575d601, "ADDRESS_ASSIGN", "connect-ip-09", LEGACY, OPAQUE },
	{ 0x2575d602, "ADDRESS_REQUEST", "connect-ip-09", LEGACY, OPAQUE },
	{ 0x2575d603, "ROUTE_ADVERTISEMENT", "connect-ip-09", LEGACY,
	    OPAQUE },
	{ 0x272dda5e, "WRAP_UP", "httpbis-wrap-up-01", PROV, empty },
	{ 0x274c0fbc, "PREF64", "connect-ip-dns-05", PROV, pref64 },
	{ 0x3ee3143f, "TEMPLATE_ASSIGN", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31440, "TEMPLATE_ACK", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31441, "TEMPLATE_CLOSE", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31442, "DERIVED_ASSIGN", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31443, "DERIVED_ACK", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31444, "DERIVED_CLOSE", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31445, "CHECKSUM_ASSIGN", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31446, "CHECKSUM_ACK", "http-datagram-compression-00", PROV,
	    OPAQUE },
	{ 0x3ee31447, "CHECKSUM_CLOSE", "http-datagram-compression-00", PROV,
	    OPAQUE },
};

/* --- looking things up --------------------------------------------------- */

const struct wk_capsule_type *
wk_capsule_types(size_t *n)
{
	*n = N_OF(types);
	return types;
}

static int
compare_type(const void *key, const void *entry)
{
	uint64_t want = *(const uint64_t *)key;
	uint64_t have = ((const struct wk_capsule_type *)entry)->type;

	return (want > have) - (want < have);
}

const struct wk_capsule_type *
wk_capsule_type_find(uint64_t type)
{
	return bsearch(&type, types, N_OF(types), sizeof(types[0]),
	    compare_type);
}

const char *
wk_capsule_type_name(const struct wk_capsule_type *type,
    enum wk_capsule_reading reading)
{
	uint64_t other = type->type;

	if (reading == WK_CAPSULE_FIN_3C && type->layout == wt_stream)
		other ^= WT_STREAM_3B ^ WT_STREAM_3C;
	return other == type->type ? type->name :
	    wk_capsule_type_find(other)->name;
}

bool
wk_capsule_type_is_fin(uint64_t type, enum wk_capsule_reading reading)
{
	return type == (reading == WK_CAPSULE_FIN_3B ? WT_STREAM_3B :
	    WT_STREAM_3C);
}

static int
parse_number(const char *text, uint64_t *type, struct wk_error *error)
{
	int base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	unsigned long long v;
	char *end;

	v = strtoull(text, &end, base);
	if (*end != '\0')
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s is not a number", text);
	if (v > WK_VARINT_MAX)	/* too large for v: its maximum */
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s is above 2^62-1", text);
	*type = v;
	return WK_OK;
}

int
wk_capsule_type_parse(const char *text, enum wk_capsule_reading reading,
    uint64_t *type, struct wk_error *error)
{
	const struct wk_capsule_type *found = NULL;
	size_t i;

	if (text[0] >= '0' && text[0] <= '9')
		return parse_number(text, type, error);
	for (i = 0; i < N_OF(types); i++) {
		const char *name = wk_capsule_type_name(&types[i], reading);

		if (strcasecmp(name, text) == 0 && (found == NULL ||
		    (found->flags & WK_CAPSULE_LEGACY) != 0))
			found = &types[i];
	}
	if (found == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no capsule type is named %s", text);
	*type = found->type;
	return WK_OK;
}

bool
wk_capsule_type_is_grease(uint64_t type)
{
	return type % GREASE_STEP == GREASE_FIRST && type <= WK_VARINT_MAX;
}

uint64_t
wk_capsule_type_grease(uint64_t n)
{
	const uint64_t count =
	    (WK_VARINT_MAX - GREASE_FIRST) / GREASE_STEP + 1;

	return GREASE_FIRST + GREASE_STEP * (n % count);
}
