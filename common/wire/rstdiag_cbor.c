/* SPDX-License-Identifier: MIT */
/*
 * The CBOR forms: a sequence or an array of the cookie and a map, or the map
 * alone.
 */
#include "config.h"

#include "common/wire/rstdiag_parts.h"

#include <inttypes.h>
#include <string.h>

#include <cbor.h>

#include "common/wire/rstdiag_item.h"

/* The three keys; the figures of the drafts have their names instead. */
enum {
	KEY_CODE = 1,
	KEY_PEN = 2,
	KEY_DESCRIPTION = 3,
	KEY_LAST = 255,		/* of the drafts' registry of keys */
	KEY_OTHER,
};

static const char *const key_names[] = {
	[KEY_CODE] = "reason-code",
	[KEY_PEN] = "pen",
	[KEY_DESCRIPTION] = "reason-description",
};

/* --- the map -------------------------------------------------------------- */

static unsigned
key_named(const uint8_t *name, size_t len)
{
	unsigned key;

	for (key = KEY_CODE; key <= KEY_DESCRIPTION; key++)
		if (strlen(key_names[key]) == len &&
		    memcmp(key_names[key], name, len) == 0)
			return key;
	return KEY_OTHER;
}

/* The number of a key whose head was read, or KEY_OTHER. */
static int
read_key(struct rstdiag_reader *r, const struct rstdiag_item *item,
    unsigned *key, struct wk_rstdiag *d)
{
	uint8_t name[32];
	size_t len;
	int rc = WK_OK;

	*key = KEY_OTHER;
	switch (item->kind) {
	case ITEM_UINT:
		if (item->value <= KEY_LAST)
			*key = (unsigned)item->value;
		return WK_OK;
	case ITEM_TEXT:
		*key = key_named(r->in->data + item->at, (size_t)item->value);
		break;
	case ITEM_TEXT_IN_PIECES:
		rc = wk_rstdiag_item_pieces(r, item, name, sizeof(name), &len);
		if (rc == WK_OK)	/* what did not fit is no name */
			*key = key_named(name, len);
		break;
	default:
		return wk_rstdiag_item_skip(r, item);
	}
	if (*key != KEY_OTHER)
		d->warnings |= WK_RSTDIAG_W_TEXT_KEYS;
	return rc;
}

static int
read_number(struct rstdiag_reader *r, unsigned key, struct wk_rstdiag *d,
    int (*set)(struct wk_rstdiag *d, uint64_t value, size_t offset))
{
	struct rstdiag_item item;
	int rc = wk_rstdiag_item_next(r, &item);

	if (rc != WK_OK)
		return rc;
	if (item.kind != ITEM_UINT)
		return wk_error_set(r->error, WK_E_MALFORMED, item.offset,
		    "%s must be an unsigned integer", key_names[key]);
	return set(d, item.value, item.offset);
}

static int
read_pieces(struct rstdiag_reader *r, const struct rstdiag_item *item,
    struct wk_rstdiag *d)
{
	size_t len;
	int rc = wk_rstdiag_item_pieces(r, item, d->scratch,
	    sizeof(d->scratch), &len);

	if (rc >= 0 && len > sizeof(d->scratch))
		return wk_error_set(r->error, WK_E_LIMIT, item->offset,
		    "text in pieces, must be at most %zu octets",
		    sizeof(d->scratch));
	if (rc == WK_OK || (rc == RSTDIAG_CUT && len > 0)) {
		d->description = d->scratch;
		d->description_len = len;
	}
	return rc;
}

static int
read_description(struct rstdiag_reader *r, struct wk_rstdiag *d)
{
	struct rstdiag_item item;
	int rc = wk_rstdiag_item_next(r, &item);

	if (rc < 0)
		return rc;
	if (item.kind == ITEM_TEXT)	/* the captured part, if it is cut */
		return wk_rstdiag_set_text(d, r->in, item.at,
		    (size_t)item.value);
	if (rc == RSTDIAG_CUT)
		return rc;
	if (item.kind == ITEM_TEXT_IN_PIECES)
		return read_pieces(r, &item, d);
	return wk_error_set(r->error, WK_E_MALFORMED, item.offset,
	    "%s must be a text string", key_names[KEY_DESCRIPTION]);
}

static int
skip_value(struct rstdiag_reader *r)
{
	struct rstdiag_item item;
	int rc = wk_rstdiag_item_next(r, &item);

	return rc == WK_OK ? wk_rstdiag_item_skip(r, &item) : rc;
}

static int
read_value(struct rstdiag_reader *r, unsigned key, struct wk_rstdiag *d)
{
	switch (key) {
	case KEY_CODE:
		return read_number(r, key, d, wk_rstdiag_set_code);
	case KEY_PEN:
		return read_number(r, key, d, wk_rstdiag_set_pen);
	case KEY_DESCRIPTION:
		return read_description(r, d);
	default:
		d->warnings |= WK_RSTDIAG_W_UNKNOWN_KEY;
		return skip_value(r);
	}
}

/* Keys beyond the registry of keys are not compared with each other. */
static int
read_map(struct rstdiag_reader *r, const struct rstdiag_item *map,
    struct wk_rstdiag *d)
{
	bool has_seen[KEY_LAST + 1] = { false };
	struct rstdiag_item item;
	unsigned key;
	uint64_t i;
	int rc;

	for (i = 0; (rc = wk_rstdiag_item_member(r, map, i, &item)) == WK_OK &&
	    item.kind != ITEM_BREAK; i++) {
		rc = read_key(r, &item, &key, d);
		if (rc != WK_OK)
			return rc;
		if (key <= KEY_LAST) {
			if (has_seen[key])
				return wk_error_set(r->error, WK_E_MALFORMED,
				    item.offset, "duplicate key %u", key);
			has_seen[key] = true;
		}
		rc = read_value(r, key, d);
		if (rc != WK_OK)
			return rc;
	}
	return rc == WK_OK ? wk_rstdiag_check_fields(d, map->offset) : rc;
}

/* --- the whole ------------------------------------------------------------ */

/* True and the reader behind the cookie, or in front of the lone map. */
static bool
is_begun(struct rstdiag_reader *r, enum wk_rstdiag_format format,
    struct rstdiag_item *array)
{
	struct rstdiag_item item;

	if (format == WK_RSTDIAG_CBOR_MAP)
		return r->in->captured > 0 && r->in->data[0] >> 5 == 5;
	if (format == WK_RSTDIAG_CBOR_ARRAY &&
	    (wk_rstdiag_item_next(r, array) != WK_OK ||
	    array->kind != ITEM_ARRAY))
		return false;
	return wk_rstdiag_item_member(r, array, 0, &item) == WK_OK &&
	    item.kind == ITEM_UINT && item.value == RSTDIAG_COOKIE;
}

static const char *
surplus_text(enum wk_rstdiag_format format)
{
	switch (format) {
	case WK_RSTDIAG_CBOR_ARRAY:
		return "octets behind the array";
	case WK_RSTDIAG_CBOR_MAP:
		return "octets behind the map";
	default:
		return "third item";
	}
}

/* What may follow the map: the end of an open array. */
static int
read_end(struct rstdiag_reader *r, const struct rstdiag_item *array,
    enum wk_rstdiag_format format)
{
	struct rstdiag_item third;
	int rc = wk_rstdiag_item_member(r, array, 2, &third);

	if (rc != WK_OK)
		return rc;
	if (third.kind != ITEM_BREAK)
		return wk_error_set(r->error, WK_E_MALFORMED, third.offset,
		    "third item");
	if (r->at < r->in->len)
		return wk_error_set(r->error, WK_E_MALFORMED, r->at, "%s",
		    surplus_text(format));
	return WK_OK;
}

int
wk_rstdiag_read_cbor(const struct rstdiag_input *in, struct wk_rstdiag *d)
{
	struct rstdiag_reader r = { .in = in, .error = NULL, .at = 0 };
	struct rstdiag_item map, array = {	/* a sequence is as good as */
		.kind = ITEM_ARRAY, .value = 2
	};
	int rc;

	if (!is_begun(&r, d->format, &array))
		return RSTDIAG_OTHER;
	r.error = &d->error;
	if (in->len > RSTDIAG_LONG)
		d->warnings |= WK_RSTDIAG_W_LONG;
	if (!array.is_open && array.value != 2)
		return wk_error_set(r.error, WK_E_MALFORMED, array.offset,
		    "array of %" PRIu64 ", must be of 2 items", array.value);
	rc = wk_rstdiag_item_next(&r, &map);
	if (rc != WK_OK)
		return rc;
	if (map.kind != ITEM_MAP)
		return wk_error_set(r.error, WK_E_MALFORMED, map.offset,
		    "second item is not a map");
	rc = read_map(&r, &map, d);
	return rc == WK_OK ? read_end(&r, &array, d->format) : rc;
}

/* --- the other way -------------------------------------------------------- */

#define HEAD_MAX 9

static void
write_uint(struct wk_buf *b, uint64_t value)
{
	unsigned char head[HEAD_MAX];

	wk_buf_append(b, head, cbor_encode_uint(value, head, sizeof(head)));
}

static void
write_text(struct wk_buf *b, const void *text, size_t len)
{
	unsigned char head[HEAD_MAX];

	wk_buf_append(b, head,
	    cbor_encode_string_start(len, head, sizeof(head)));
	wk_buf_append(b, text, len);
}

static void
write_member(struct wk_buf *b, unsigned key, const struct wk_rstdiag *d)
{
	if (d->warnings & WK_RSTDIAG_W_TEXT_KEYS)
		write_text(b, key_names[key], strlen(key_names[key]));
	else
		write_uint(b, key);
	if (key == KEY_DESCRIPTION)
		write_text(b, d->description, d->description_len);
	else
		write_uint(b, key == KEY_CODE ? d->code : d->pen);
}

void
wk_rstdiag_write_cbor(const struct wk_rstdiag *d, struct wk_buf *b)
{
	/* RFC 8949, section 4.2.1: ordered as the encoded keys are. */
	static const unsigned by_number[] = {
		KEY_CODE, KEY_PEN, KEY_DESCRIPTION
	};
	static const unsigned by_name[] = {
		KEY_PEN, KEY_CODE, KEY_DESCRIPTION
	};
	const unsigned *keys = d->warnings & WK_RSTDIAG_W_TEXT_KEYS ?
	    by_name : by_number;
	const bool has_key[] = {
		[KEY_CODE] = d->has_code,
		[KEY_PEN] = d->has_pen,
		[KEY_DESCRIPTION] = d->description != NULL,
	};
	size_t i, n = (size_t)d->has_code + d->has_pen +
	    has_key[KEY_DESCRIPTION];
	unsigned char head[HEAD_MAX];

	if (d->format == WK_RSTDIAG_CBOR_ARRAY)
		wk_buf_append(b, head,
		    cbor_encode_array_start(2, head, sizeof(head)));
	if (d->format != WK_RSTDIAG_CBOR_MAP)
		write_uint(b, RSTDIAG_COOKIE);
	wk_buf_append(b, head, cbor_encode_map_start(n, head, sizeof(head)));
	for (i = 0; i < KEY_DESCRIPTION; i++)
		if (has_key[keys[i]])
			write_member(b, keys[i], d);
}
