/* SPDX-License-Identifier: MIT */
/*
 * CBOR items (RFC 8949), pulled one after the other; for rstdiag_cbor.c only.
 * libcbor's stream decoder takes them apart without allocating, so that
 * lengths that lie cost nothing. Every function returns WK_OK, RSTDIAG_CUT
 * when the capture ends too early, or an error described in *r->error.
 */
#pragma once

#include "common/wire/rstdiag_parts.h"

enum rstdiag_item_kind {
	ITEM_UINT,
	ITEM_NEGINT,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_BYTES_IN_PIECES,
	ITEM_TEXT_IN_PIECES,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_TAG,
	ITEM_SIMPLE,	/* floats too */
	ITEM_BREAK,	/* the end of an open item */
};

struct rstdiag_item {
	enum rstdiag_item_kind kind;
	bool is_open;	/* of indefinite length */
	uint64_t value;	/* of a UINT; length of a string; members or pairs */
	size_t offset;	/* of its head */
	size_t at;	/* BYTES, TEXT: where the contents begin */
};

struct rstdiag_reader {
	const struct rstdiag_input *in;
	struct wk_error *error;
	size_t at;
};

/*
 * The next item where there has to be one: its head, and the contents of a
 * BYTES or TEXT, which is UTF-8. With RSTDIAG_CUT the item is a TEXT if the
 * head of one was captured, else a BREAK.
 */
int wk_rstdiag_item_next(struct rstdiag_reader *r, struct rstdiag_item *item);

/* Member number i of an array or key number i of a map; BREAK at its end. */
int wk_rstdiag_item_member(struct rstdiag_reader *r,
    const struct rstdiag_item *of, uint64_t i, struct rstdiag_item *item);

/*
 * Put a string in pieces together. *len is its length so far even if the size
 * octets at to cannot hold them, or the capture ends too early.
 */
int wk_rstdiag_item_pieces(struct rstdiag_reader *r,
    const struct rstdiag_item *string, uint8_t *to, size_t size, size_t *len);

/* Pass over what belongs to an item; WK_E_LIMIT if it nests too deep. */
int wk_rstdiag_item_skip(struct rstdiag_reader *r,
    const struct rstdiag_item *item);
