/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/h3frame.h"

#include <inttypes.h>
#include <string.h>

enum state {
	AT_TYPE,	/* frame = type length payload; at or inside type */
	AT_LENGTH,	/* at or inside length */
	AT_PAYLOAD,	/* left octets of the payload to come, maybe none */
};

void
wk_h3frame_reader_init(struct wk_h3frame_reader *r)
{
	memset(r, 0, sizeof(*r));
	r->state = AT_TYPE;
}

/* The next varint, counted; 0 when it is not whole yet. */
static inline uint8_t
read_number(struct wk_h3frame_reader *r, const uint8_t **in, size_t *in_len,
    uint64_t *v)
{
	size_t before = *in_len;
	size_t octets = wk_varint_read(&r->num, in, in_len, v);

	r->offset += before - *in_len;
	return (uint8_t)octets;
}

static inline void
describe(struct wk_h3frame *out, const struct wk_h3frame *frame,
    const uint8_t *data, size_t len, uint64_t data_offset)
{
	out->type = frame->type;
	out->length = frame->length;
	out->offset = frame->offset;
	out->type_octets = frame->type_octets;
	out->length_octets = frame->length_octets;
	out->data = data;
	out->data_len = len;
	out->data_offset = data_offset;
}

enum wk_h3frame_event
wk_h3frame_read(struct wk_h3frame_reader *r, const uint8_t **in,
    size_t *in_len, struct wk_h3frame *out)
{
	struct wk_h3frame *frame = &r->frame;
	size_t n;

	switch ((enum state)r->state) {
	case AT_TYPE:
		if (!wk_varint_is_partial(&r->num))
			frame->offset = r->offset;
		frame->type_octets = read_number(r, in, in_len, &frame->type);
		if (frame->type_octets == 0)
			return WK_H3FRAME_MORE;
		r->state = AT_LENGTH;
		/* fall through */
	case AT_LENGTH:
		frame->length_octets = read_number(r, in, in_len,
		    &frame->length);
		if (frame->length_octets == 0)
			return WK_H3FRAME_MORE;
		r->left = frame->length;
		r->state = AT_PAYLOAD;
		describe(out, frame, NULL, 0, 0);
		return WK_H3FRAME_START;
	case AT_PAYLOAD:
		break;
	}
	if (r->left == 0) {
		r->state = AT_TYPE;
		describe(out, frame, NULL, 0, frame->length);
		return WK_H3FRAME_END;
	}
	if (*in_len == 0)
		return WK_H3FRAME_MORE;
	n = *in_len < r->left ? *in_len : (size_t)r->left;
	describe(out, frame, *in, n, frame->length - r->left);
	*in += n;
	*in_len -= n;
	r->left -= n;
	r->offset += n;
	return WK_H3FRAME_PAYLOAD;
}

int
wk_h3frame_reader_finish(const struct wk_h3frame_reader *r,
    struct wk_error *error)
{
	const struct wk_h3frame *frame = &r->frame;

	if (r->state == AT_PAYLOAD) {
		if (r->left == 0)
			return WK_OK;
		return wk_error_set(error, WK_E_TRUNCATED, r->offset,
		    "stream ends inside a frame (type 0x%" PRIx64 ", %" PRIu64
		    " of %" PRIu64 " octets)", frame->type,
		    frame->length - r->left, frame->length);
	}
	if (r->state == AT_TYPE && !wk_varint_is_partial(&r->num))
		return WK_OK;
	return wk_error_set(error, WK_E_TRUNCATED, r->offset,
	    "stream ends inside a frame header");
}

size_t
wk_h3frame_header(uint8_t out[WK_H3FRAME_HEADER_MAX],
    const struct wk_h3frame *frame)
{
	uint8_t length[WK_VARINT_OCTETS_MAX];
	size_t type_octets, length_octets;

	/* First the second: nothing is written when either does not fit. */
	length_octets = wk_varint_encode(length, frame->length,
	    frame->length_octets);
	if (length_octets == 0)
		return 0;
	type_octets = wk_varint_encode(out, frame->type, frame->type_octets);
	if (type_octets == 0)
		return 0;
	memcpy(out + type_octets, length, length_octets);
	return type_octets + length_octets;
}

/* --- payloads that are an id ---------------------------------------------- */

size_t
wk_h3id_read(struct wk_h3id_reader *r, const uint8_t *data, size_t len)
{
	size_t left = len;

	if (!r->is_whole && wk_varint_read(&r->num, &data, &left, &r->id) > 0)
		r->is_whole = true;
	return len - left;
}

int
wk_h3id_finish(const struct wk_h3id_reader *r, uint64_t *id)
{
	if (!r->is_whole)
		return WK_E_TRUNCATED;
	*id = r->id;
	return WK_OK;
}

int
wk_h3id_append(struct wk_buf *b, uint64_t type, uint64_t id)
{
	wk_varint_append(b, type, 0);
	wk_varint_append(b, wk_varint_shortest(id), 0);
	return wk_varint_append(b, id, 0);
}

/* --- SETTINGS ------------------------------------------------------------- */

/* Those whose value is a boolean. */
static bool
is_boolean(uint64_t id)
{
	return id == WK_H3SETTING_ENABLE_CONNECT_PROTOCOL ||
	    id == WK_H3SETTING_H3_DATAGRAM;
}

static int
fail(struct wk_h3settings *s, enum wk_status status, const char *what)
{
	return wk_error_set(&s->error, status, s->id_offset,
	    "setting 0x%" PRIx64 " %s", s->list[s->n].id, what);
}

/* An id is there; list has room for it. */
static int
check_id(struct wk_h3settings *s)
{
	uint64_t id = s->list[s->n].id;
	size_t i;

	if (wk_h3setting_is_reserved(id))
		return fail(s, WK_E_MALFORMED, "is one of HTTP/2");
	for (i = 0; i < s->n; i++)
		if (s->list[i].id == id)
			return fail(s, WK_E_MALFORMED, "comes twice");
	return WK_OK;
}

int
wk_h3settings_read(struct wk_h3settings *s, const uint8_t *data, size_t len)
{
	uint64_t v;
	size_t n;

	while (s->error.status == WK_OK && len > 0) {
		if (!s->has_id && !wk_varint_is_partial(&s->num))
			s->id_offset = s->offset;
		if (s->n == WK_H3SETTINGS_MAX)
			return wk_error_set(&s->error, WK_E_LIMIT,
			    s->id_offset, "more than %d settings",
			    WK_H3SETTINGS_MAX);
		n = len;
		if (wk_varint_read(&s->num, &data, &len, &v) == 0) {
			s->offset += n;
			break;
		}
		s->offset += n - len;
		if (!s->has_id) {
			s->has_id = true;
			s->list[s->n].id = v;
			check_id(s);
		} else if (is_boolean(s->list[s->n].id) && v > 1) {
			fail(s, WK_E_MALFORMED, "is neither 0 nor 1");
		} else {
			s->has_id = false;
			s->list[s->n++].value = v;
		}
	}
	return s->error.status;
}

int
wk_h3settings_finish(struct wk_h3settings *s)
{
	if (s->error.status == WK_OK &&
	    (s->has_id || wk_varint_is_partial(&s->num)))
		wk_error_set(&s->error, WK_E_TRUNCATED, s->offset,
		    "the settings end inside one");
	return s->error.status;
}

uint64_t
wk_h3settings_value(const struct wk_h3settings *s, uint64_t id,
    uint64_t otherwise)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->list[i].id == id)
			return s->list[i].value;
	return otherwise;
}

int
wk_h3settings_append(struct wk_buf *b, const struct wk_h3setting *list,
    size_t n)
{
	uint64_t length = 0;
	size_t i;

	for (i = 0; i < n; i++)
		length += wk_varint_shortest(list[i].id) +
		    wk_varint_shortest(list[i].value);
	wk_varint_append(b, WK_H3FRAME_SETTINGS, 0);
	wk_varint_append(b, length, 0);
	for (i = 0; i < n; i++) {
		wk_varint_append(b, list[i].id, 0);
		wk_varint_append(b, list[i].value, 0);
	}
	return b->status;
}
