/* SPDX-License-Identifier: MIT */
/*
 * The capsule types known by August 2026 and what their values hold: names,
 * documents, and a walk over the fields of a value. One description per type
 * drives everything: a text writer, a JSON writer and a validator all take the
 * same steps of the same walk. RFC 9297 (DATAGRAM), RFC 9484 (addresses and
 * routes), drafts connect-udp-listen-13, connect-ip-dns-05, webtrans-http2-15,
 * webtrans-http3-16, quic-proxy-06, httpbis-wrap-up-01, connect-tcp-12.
 *
 * No allocation but by the caller's wk_buf, no I/O. What lies in a value is
 * hostile: text in it must be escaped before it is shown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/wire/varint.h"

enum wk_capsule_type_flag {
	WK_CAPSULE_PROVISIONAL = 1 << 0, /* a draft's code point, may change */
	WK_CAPSULE_LEGACY = 1 << 1,	/* given up; old peers still send it */
	WK_CAPSULE_NOT_H3 = 1 << 2,	/* not allowed over HTTP/3 */
};

struct wk_capsule_layout;

struct wk_capsule_type {
	uint64_t type;
	const char *name;	/* show wk_capsule_type_name(); legacy repeat */
	const char *document;	/* "RFC 9484 4.7.1" */
	unsigned flags;		/* enum wk_capsule_type_flag */
	const struct wk_capsule_layout *layout;	/* of the value; private */
};

/*
 * Which of 0x190b4d3b and 0x190b4d3c is a WT_STREAM that ends its stream:
 * draft-ietf-webtrans-http2 turned it round with -15, deployed code has not.
 * These two are named WT_STREAM and WT_STREAM_FIN by the reading that is given.
 */
enum wk_capsule_reading {
	WK_CAPSULE_FIN_3B,	/* -15: the odd one */
	WK_CAPSULE_FIN_3C,	/* -05 to -14, google/quiche */
};

/* All entries, ascending by type; *n of them. */
const struct wk_capsule_type *wk_capsule_types(size_t *n);

/* The entry of a type, or NULL when it is not known (GREASE never is). */
const struct wk_capsule_type *wk_capsule_type_find(uint64_t type);

/* The name of an entry, which for WT_STREAM depends on the reading. */
const char *wk_capsule_type_name(const struct wk_capsule_type *type,
    enum wk_capsule_reading reading);

/* Is it the WT_STREAM that ends its stream, by this reading? */
bool wk_capsule_type_is_fin(uint64_t type, enum wk_capsule_reading reading);

/*
 * A type from its name (case does not matter; where several have the name, the
 * one in force wins) or from a number, decimal or 0x. WK_E_INVALID with a
 * reason in error (may be NULL).
 */
int wk_capsule_type_parse(const char *text, enum wk_capsule_reading reading,
    uint64_t *type, struct wk_error *error);

/* One of 0x29*N + 0x17, reserved to be ignored (RFC 9297, section 5.4). */
bool wk_capsule_type_is_grease(uint64_t type);

/* The n-th of these, wrapping round below WK_VARINT_MAX: any n will do. */
uint64_t wk_capsule_type_grease(uint64_t n);

/* What wk_capsule_walk_next() came to. */
enum wk_capsule_step {
	WK_CAPSULE_WALK_DONE,	/* the value ends where it should */
	WK_CAPSULE_WALK_UINT,	/* number */
	WK_CAPSULE_WALK_ADDRESS, /* 4 or 16 octets, or the first 12 of 16 */
	WK_CAPSULE_WALK_TEXT,	/* octets meant to be read; hostile */
	WK_CAPSULE_WALK_OCTETS,	/* any other octets */
	WK_CAPSULE_WALK_LIST,	/* items or plain values up to LIST_END */
	WK_CAPSULE_WALK_LIST_END,
	WK_CAPSULE_WALK_ITEM,	/* named fields up to ITEM_END */
	WK_CAPSULE_WALK_ITEM_END,
};

struct wk_capsule_field {
	const char *name;	/* snake_case; NULL for what lists hold */
	uint64_t number;
	const uint8_t *data;	/* borrowed from the value */
	size_t len;		/* octets at data */
	uint64_t full_len;	/* more than len when the value is cut there */
	uint64_t offset;	/* in the value, of the field's first octet */
	const char *problem;	/* what it breaks, or NULL: "must not be 0" */
};

/* Lists in items in lists: DNS_ASSIGN is the deepest. */
#define WK_CAPSULE_WALK_DEPTH 4

/* A walk over a value: caller's storage; fields are private but for error. */
struct wk_capsule_walk {
	struct wk_error error;	/* to read after an error; offset in value */
	const uint8_t *value;
	size_t len;
	uint64_t at, length;
	struct wk_capsule_level {
		const struct wk_capsule_layout *list;
		const struct wk_capsule_layout *next;
		uint64_t begun, count;	/* items, and how many there will be */
		uint64_t offset;	/* of the item we are in, */
		bool is_inside;		/* or not, between two of them */
	} levels[WK_CAPSULE_WALK_DEPTH];
	uint8_t depth;			/* 0: in the value itself */
	uint8_t ip_version;
	uint8_t address[16];		/* the last one read */
	struct wk_capsule_range {
		uint8_t ip_version, protocol;
		uint8_t start[16], end[16];
	} range, before;	/* ROUTE_ADVERTISEMENT: this and the last one */
};

/*
 * Walk over the value of a capsule: len octets at value, which must stay until
 * the walk is over, of the length octets that the capsule has. Usually they are
 * equal; a caller who keeps only the beginning of long values gets all fields
 * that lie in there. type may be NULL, for an unknown type: one field "value".
 */
void wk_capsule_walk_init(struct wk_capsule_walk *w,
    const struct wk_capsule_type *type, const void *value, size_t len,
    uint64_t length);

/*
 * The next step, described in *field. Returns an enum wk_capsule_step, or a
 * negative status with w->error set, and that again from then on:
 * WK_E_MALFORMED when the value cannot be read on (too short, octets left over,
 * inner lengths that contradict it, an unknown IP version); WK_E_TRUNCATED when
 * the part of the value that is here has been walked. Fields that can be read
 * but break a rule are given with field->problem and the walk goes on.
 */
int wk_capsule_walk_next(struct wk_capsule_walk *w,
    struct wk_capsule_field *field);

/*
 * Is a whole value what its type asks for? WK_OK, or WK_E_MALFORMED with the
 * first thing that is wrong; error (may be NULL) has its offset in the value.
 * A rule is checked as far as one value shows it: whether an id was used before
 * or has the right parity is for the session to know.
 */
int wk_capsule_value_check(const struct wk_capsule_type *type,
    const void *value, size_t len, struct wk_error *error);

/*
 * Append the fields of a value in one line for people: "key value" pairs,
 * lists in brackets, their items in braces, octets in hexadecimal, of which no
 * more than max_octets are shown for one field ("[truncated]" says so), and
 * "(malformed: why)" behind what is wrong. Empty for a type without fields.
 * Returns b->status. len and length as in wk_capsule_walk_init().
 */
int wk_capsule_value_text(struct wk_buf *b, const struct wk_capsule_type *type,
    const void *value, size_t len, uint64_t length, size_t max_octets);

/* Append an address as a walk gives it, as RFC 5952 has it: "2001:db8::1". */
int wk_capsule_address_text(struct wk_buf *b, const uint8_t *address,
    size_t len);
