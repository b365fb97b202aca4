/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/capsule.h"

#include <inttypes.h>
#include <string.h>

enum state {
	AT_TYPE,	/* capsule = type length value; at or inside type */
	AT_LENGTH,	/* at or inside length */
	AT_VALUE,	/* left octets of the value to come, maybe none */
	FAILED,		/* r->error says why */
};

void
wk_capsule_reader_init(struct wk_capsule_reader *r, uint64_t max_length)
{
	memset(r, 0, sizeof(*r));
	r->max_length = max_length;
	r->state = AT_TYPE;
}

static int
fail(struct wk_capsule_reader *r)
{
	r->state = FAILED;
	return r->error.status;
}

/* The next varint, counted; 0 when it is not whole yet. */
static inline uint8_t
read_number(struct wk_capsule_reader *r, const uint8_t **in, size_t *in_len,
    uint64_t *v)
{
	size_t before = *in_len;
	size_t octets = wk_varint_read(&r->num, in, in_len, v);

	r->offset += before - *in_len;
	return (uint8_t)octets;
}

/* Field by field: copying what was just stored in pieces would have to wait. */
static inline void
describe(struct wk_capsule *out, const struct wk_capsule *cap,
    const uint8_t *data, size_t len, uint64_t data_offset)
{
	out->type = cap->type;
	out->length = cap->length;
	out->offset = cap->offset;
	out->type_octets = cap->type_octets;
	out->length_octets = cap->length_octets;
	out->data = data;
	out->data_len = len;
	out->data_offset = data_offset;
}

int
wk_capsule_read(struct wk_capsule_reader *r, const uint8_t **in,
    size_t *in_len, struct wk_capsule *out)
{
	struct wk_capsule *cap = &r->cap;
	size_t n;

	switch (r->state) {
	case AT_TYPE:
		if (!wk_varint_is_partial(&r->num))
			cap->offset = r->offset;
		cap->type_octets = read_number(r, in, in_len, &cap->type);
		if (cap->type_octets == 0)
			return WK_CAPSULE_MORE;
		r->state = AT_LENGTH;
		/* fall through */
	case AT_LENGTH:
		cap->length_octets = read_number(r, in, in_len, &cap->length);
		if (cap->length_octets == 0)
			return WK_CAPSULE_MORE;
		if (cap->length > r->max_length) {
			wk_error_set(&r->error, WK_E_LIMIT,
			    cap->offset + cap->type_octets,
			    "capsule value of %" PRIu64 " octets, more than "
			    "the %" PRIu64 " allowed", cap->length,
			    r->max_length);
			return fail(r);
		}
		r->left = cap->length;
		r->state = AT_VALUE;
		describe(out, cap, NULL, 0, 0);
		return WK_CAPSULE_START;
	case AT_VALUE:
		if (r->left == 0) {
			r->state = AT_TYPE;
			describe(out, cap, NULL, 0, cap->length);
			return WK_CAPSULE_END;
		}
		if (*in_len == 0)
			return WK_CAPSULE_MORE;
		n = *in_len < r->left ? *in_len : (size_t)r->left;
		describe(out, cap, *in, n, cap->length - r->left);
		*in += n;
		*in_len -= n;
		r->left -= n;
		r->offset += n;
		return WK_CAPSULE_DATA;
	default:
		return r->error.status;
	}
}

int
wk_capsule_reader_finish(struct wk_capsule_reader *r)
{
	const struct wk_capsule *cap = &r->cap;

	switch (r->state) {
	case AT_TYPE:
		if (!wk_varint_is_partial(&r->num))
			return WK_OK;
		/* fall through */
	case AT_LENGTH:
		wk_error_set(&r->error, WK_E_TRUNCATED, r->offset,
		    "stream ends inside a capsule header");
		return fail(r);
	case AT_VALUE:
		if (r->left == 0)	/* whole, its END was not asked for */
			return WK_OK;
		wk_error_set(&r->error, WK_E_TRUNCATED, r->offset,
		    "stream ends inside a capsule value (type 0x%" PRIx64
		    ", %" PRIu64 " of %" PRIu64 " octets)", cap->type,
		    cap->length - r->left, cap->length);
		return fail(r);
	default:
		return r->error.status;
	}
}

size_t
wk_capsule_header(uint8_t out[WK_CAPSULE_HEADER_MAX],
    const struct wk_capsule *cap)
{
	uint8_t length[WK_VARINT_OCTETS_MAX];
	size_t type_octets, length_octets;

	/* First the second: nothing is written when either does not fit. */
	length_octets = wk_varint_encode(length, cap->length,
	    cap->length_octets);
	if (length_octets == 0)
		return 0;
	type_octets = wk_varint_encode(out, cap->type, cap->type_octets);
	if (type_octets == 0)
		return 0;
	memcpy(out + type_octets, length, length_octets);
	return type_octets + length_octets;
}
