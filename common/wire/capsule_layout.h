/* SPDX-License-Identifier: MIT */
/*
 * The description of a capsule's value, which capsule_types.c writes and
 * capsule_walk.c reads: a list of fields that ends with WK_LAYOUT_END. Private
 * to these two.
 */
#pragma once

#include <stdint.h>

enum wk_layout_kind {
	WK_LAYOUT_END,
	WK_LAYOUT_VARINT,
	WK_LAYOUT_U8,
	WK_LAYOUT_U16,
	WK_LAYOUT_U32,
	WK_LAYOUT_VERSION,	/* octet: 4 or 6, the IP version that follows */
	WK_LAYOUT_VERSION_OR_0,	/* 0: what depends on it is not there */
	WK_LAYOUT_ADDRESS,	/* of that version */
	WK_LAYOUT_PORT,		/* 16 bits, there if the address is */
	WK_LAYOUT_IPV4,
	WK_LAYOUT_IPV6,
	WK_LAYOUT_IPV6_96,	/* the first 96 bits of one */
	WK_LAYOUT_REST,		/* octets to the end of the value */
	WK_LAYOUT_REST_TEXT,
	WK_LAYOUT_COUNTED,	/* varint length, octets */
	WK_LAYOUT_COUNTED_TEXT,
	WK_LAYOUT_LIST_REST,	/* of items to the end of the value */
	WK_LAYOUT_LIST_COUNTED,	/* varint number, items */
};

enum wk_layout_rule {
	WK_RULE_NONE,
	WK_RULE_NOT_ZERO,
	WK_RULE_NOT_EMPTY,	/* of a list */
	WK_RULE_STREAM_COUNT,	/* at most 2^60 */
	WK_RULE_PREFIX_LENGTH,	/* fits the address, which ends with it */
	WK_RULE_NAT64_LENGTH,	/* one of those of RFC 6052, section 2.2 */
	WK_RULE_RANGE_START,
	WK_RULE_RANGE_END,	/* not before the start */
	WK_RULE_RANGE_PROTOCOL,
	WK_RULE_RANGE_ORDER,	/* of an item: behind the one before */
	WK_RULE_ZEROS,
	WK_RULE_MESSAGE,	/* UTF-8, at most 1024 octets */
	WK_RULE_CONNECTION_ID,	/* at most 255 octets */
};

struct wk_capsule_layout {
	const char *name;	/* NULL for the plain values of a list */
	uint8_t kind;		/* enum wk_layout_kind */
	uint8_t rule;		/* enum wk_layout_rule */
	uint8_t item_rule;	/* of a list: for each of its items */
	const struct wk_capsule_layout *item;	/* of a list */
};

/* What a value of unknown type is: octets. */
extern const struct wk_capsule_layout wk_capsule_layout_opaque[];
