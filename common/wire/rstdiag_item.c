/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/rstdiag_item.h"

#include <string.h>

#include <cbor.h>

#include "common/base/span.h"

#define DEPTH_MAX 16

/* --- libcbor's callbacks fill in an item ---------------------------------- */

#if CBOR_MAJOR_VERSION == 0 && CBOR_MINOR_VERSION < 9
#define CBOR_LENGTH size_t	/* the prototypes changed with 0.9 */
#else
#define CBOR_LENGTH uint64_t
#endif

static void
put(void *to, enum rstdiag_item_kind kind, uint64_t value, bool is_open)
{
	struct rstdiag_item *item = to;

	item->kind = kind;
	item->value = value;
	item->is_open = is_open;
}

#define ON_VALUE(name, type, kind)					\
static void								\
name(void *to, type value)						\
{									\
	put(to, kind, value, false);					\
}

#define ON_STRING(name, kind)						\
static void								\
name(void *to, cbor_data data, CBOR_LENGTH len)				\
{									\
	(void)data;							\
	put(to, kind, len, false);					\
}

#define ON_MARK(name, kind, is_open)					\
static void								\
name(void *to)								\
{									\
	put(to, kind, 0, is_open);					\
}

#define ON_SIMPLE(name, type)						\
static void								\
name(void *to, type value)						\
{									\
	(void)value;							\
	put(to, ITEM_SIMPLE, 0, false);					\
}

ON_VALUE(on_uint8, uint8_t, ITEM_UINT)
ON_VALUE(on_uint16, uint16_t, ITEM_UINT)
ON_VALUE(on_uint32, uint32_t, ITEM_UINT)
ON_VALUE(on_uint64, uint64_t, ITEM_UINT)
ON_VALUE(on_negint8, uint8_t, ITEM_NEGINT)
ON_VALUE(on_negint16, uint16_t, ITEM_NEGINT)
ON_VALUE(on_negint32, uint32_t, ITEM_NEGINT)
ON_VALUE(on_negint64, uint64_t, ITEM_NEGINT)
ON_VALUE(on_tag, uint64_t, ITEM_TAG)
ON_VALUE(on_array, CBOR_LENGTH, ITEM_ARRAY)
ON_VALUE(on_map, CBOR_LENGTH, ITEM_MAP)
ON_STRING(on_bytes, ITEM_BYTES)
ON_STRING(on_text, ITEM_TEXT)
ON_MARK(on_open_bytes, ITEM_BYTES_IN_PIECES, true)
ON_MARK(on_open_text, ITEM_TEXT_IN_PIECES, true)
ON_MARK(on_open_array, ITEM_ARRAY, true)
ON_MARK(on_open_map, ITEM_MAP, true)
ON_MARK(on_break, ITEM_BREAK, false)
ON_MARK(on_null, ITEM_SIMPLE, false)
ON_SIMPLE(on_bool, bool)
ON_SIMPLE(on_float, float)
ON_SIMPLE(on_double, double)

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string_start = on_open_bytes,
	.byte_string = on_bytes,
	.string_start = on_open_text,
	.string = on_text,
	.indef_array_start = on_open_array,
	.array_start = on_array,
	.indef_map_start = on_open_map,
	.map_start = on_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_null,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_break,
};

/* --- one item ------------------------------------------------------------- */

/* The captured octets not yet read. */
static size_t
left(const struct rstdiag_reader *r)
{
	return r->in->captured - r->at;
}

static int
ill_formed(const struct rstdiag_reader *r, size_t offset)
{
	return wk_error_set(r->error, WK_E_MALFORMED, offset,
	    "not well-formed CBOR");
}

/*
 * Well-formed items that libcbor refuses because nobody has assigned them a
 * meaning (tags until 0.10, simple values until today).
 */
static int
next_unassigned(struct rstdiag_reader *r, struct rstdiag_item *item)
{
	const uint8_t *p = r->in->data + r->at;
	size_t len = p[0] == 0xf8 ? 2 : 1;

	if (p[0] >= 0xc0 && p[0] <= 0xd7)
		put(item, ITEM_TAG, p[0] & 0x1f, false);
	else if ((p[0] >= 0xe0 && p[0] <= 0xf3) || p[0] == 0xf8)
		put(item, ITEM_SIMPLE, 0, false);
	else
		return RSTDIAG_OTHER;
	if (left(r) < len)
		return wk_rstdiag_ends(r->in, r->at + len, r->error);
	if (len == 2 && p[1] < 0x20)	/* RFC 8949, section 3.3 */
		return ill_formed(r, r->at + 1);
	r->at += len;
	return WK_OK;
}

/* Where the captured part of a text begins whose end was not captured. */
static void
locate_cut_text(const struct rstdiag_reader *r, struct rstdiag_item *item)
{
	struct wk_span s;
	uint64_t len;
	uint8_t head;

	wk_span_init(&s, r->in->data + r->at, left(r));
	head = wk_span_u8(&s);
	len = head & 0x1f;
	if (len >= 24)
		len = wk_span_uint(&s, (size_t)1 << (len - 24));
	if (head >> 5 != 3 || !wk_span_is_ok(&s))
		return;
	put(item, ITEM_TEXT, len, false);
	item->at = r->at + wk_span_offset(&s);
}

/* libcbor asks for required octets; with absurd lengths that wraps round. */
static int
ends_inside(const struct rstdiag_reader *r, size_t required,
    struct rstdiag_item *item)
{
	bool is_absurd = required <= left(r) || required > WK_RSTDIAG_MAX;
	int rc;

	rc = wk_rstdiag_ends(r->in, is_absurd ? SIZE_MAX : r->at + required,
	    r->error);
	if (rc == RSTDIAG_CUT)
		locate_cut_text(r, item);
	return rc;
}

/* The next item, which may be a BREAK. */
static int
next(struct rstdiag_reader *r, struct rstdiag_item *item)
{
	struct cbor_decoder_result got;
	size_t valid;
	int rc;

	put(item, ITEM_BREAK, 0, false);
	item->offset = r->at;
	if (left(r) == 0)
		return wk_rstdiag_ends(r->in, r->at + 1, r->error);
	rc = next_unassigned(r, item);
	if (rc != RSTDIAG_OTHER)
		return rc;
	got = cbor_stream_decode(r->in->data + r->at, left(r), &callbacks,
	    item);
	if (got.status == CBOR_DECODER_NEDATA)
		return ends_inside(r, got.required, item);
	if (got.status != CBOR_DECODER_FINISHED)
		return ill_formed(r, r->at);
	r->at += got.read;
	if (item->kind == ITEM_BYTES || item->kind == ITEM_TEXT)
		item->at = r->at - (size_t)item->value;
	if (item->kind != ITEM_TEXT)
		return WK_OK;
	return wk_rstdiag_check_utf8(r->in->data + item->at,
	    (size_t)item->value, false, item->at, &valid, r->error);
}

int
wk_rstdiag_item_next(struct rstdiag_reader *r, struct rstdiag_item *item)
{
	int rc = next(r, item);

	if (rc == WK_OK && item->kind == ITEM_BREAK)
		return wk_error_set(r->error, WK_E_MALFORMED, item->offset,
		    "break where an item has to be");
	return rc;
}

int
wk_rstdiag_item_member(struct rstdiag_reader *r, const struct rstdiag_item *of,
    uint64_t i, struct rstdiag_item *item)
{
	if (of->is_open)
		return next(r, item);
	if (i < of->value)
		return wk_rstdiag_item_next(r, item);
	put(item, ITEM_BREAK, 0, false);
	item->offset = r->at;
	return WK_OK;
}

/* --- whole items ---------------------------------------------------------- */

int
wk_rstdiag_item_pieces(struct rstdiag_reader *r,
    const struct rstdiag_item *string, uint8_t *to, size_t size, size_t *len)
{
	enum rstdiag_item_kind kind = string->kind == ITEM_TEXT_IN_PIECES ?
	    ITEM_TEXT : ITEM_BYTES;
	struct rstdiag_item piece;
	size_t n;
	int rc;

	*len = 0;
	while ((rc = next(r, &piece)) == WK_OK && piece.kind != ITEM_BREAK) {
		if (piece.kind != kind)
			return wk_error_set(r->error, WK_E_MALFORMED,
			    piece.offset, "no piece of the string around it");
		n = (size_t)piece.value;
		if (*len < size)
			memcpy(to + *len, r->in->data + piece.at,
			    n < size - *len ? n : size - *len);
		*len += n;
	}
	return rc;
}

static int skip(struct rstdiag_reader *r, const struct rstdiag_item *item,
    unsigned depth);

static int
skip_next(struct rstdiag_reader *r, unsigned depth)
{
	struct rstdiag_item item;
	int rc = wk_rstdiag_item_next(r, &item);

	return rc == WK_OK ? skip(r, &item, depth) : rc;
}

static int
skip_members(struct rstdiag_reader *r, const struct rstdiag_item *of,
    unsigned depth)
{
	struct rstdiag_item item;
	uint64_t i;
	int rc;

	for (i = 0; (rc = wk_rstdiag_item_member(r, of, i, &item)) == WK_OK &&
	    item.kind != ITEM_BREAK; i++) {
		rc = skip(r, &item, depth);
		if (rc == WK_OK && of->kind == ITEM_MAP)
			rc = skip_next(r, depth);
		if (rc != WK_OK)
			break;
	}
	return rc;
}

static int
skip(struct rstdiag_reader *r, const struct rstdiag_item *item, unsigned depth)
{
	size_t len;

	if (depth > DEPTH_MAX)
		return wk_error_set(r->error, WK_E_LIMIT, item->offset,
		    "nested more than %d deep", DEPTH_MAX);
	switch (item->kind) {
	case ITEM_BYTES_IN_PIECES:
	case ITEM_TEXT_IN_PIECES:
		return wk_rstdiag_item_pieces(r, item, NULL, 0, &len);
	case ITEM_TAG:
		return skip_next(r, depth + 1);
	case ITEM_ARRAY:
	case ITEM_MAP:
		return skip_members(r, item, depth + 1);
	default:
		return WK_OK;
	}
}

int
wk_rstdiag_item_skip(struct rstdiag_reader *r, const struct rstdiag_item *item)
{
	return skip(r, item, 0);
}
