/* SPDX-License-Identifier: MIT */
/*
 * HTTP/3's framing (RFC 9114, sections 6.2, 7 and 8.1): a reader of frames, the
 * payloads that the control stream has, and the numbers of frames, streams,
 * settings and errors with their names. The caller owns the octets and the
 * loop: hand in what arrived, take events until WK_H3FRAME_MORE, come back with
 * more. No allocation but by the caller's wk_buf, no I/O, no clock; no payload
 * is ever buffered. Cutting the input anywhere gives the same events, except
 * that payload may come in smaller pieces. Which frames may come when is the
 * session's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/wire/varint.h"

/* Frames (RFC 9114, section 11.2.1). */
enum wk_h3frame_type {
	WK_H3FRAME_DATA = 0x00,
	WK_H3FRAME_HEADERS = 0x01,
	WK_H3FRAME_CANCEL_PUSH = 0x03,
	WK_H3FRAME_SETTINGS = 0x04,
	WK_H3FRAME_PUSH_PROMISE = 0x05,
	WK_H3FRAME_GOAWAY = 0x07,
	WK_H3FRAME_MAX_PUSH_ID = 0x0d,
	/* No frame but a stream's beginning; its "length" is a session id. */
	WK_H3FRAME_WEBTRANSPORT = 0x41,
};

/* Unidirectional streams (section 11.2.4). */
enum wk_h3stream_type {
	WK_H3STREAM_CONTROL = 0x00,
	WK_H3STREAM_PUSH = 0x01,
	WK_H3STREAM_QPACK_ENCODER = 0x02,
	WK_H3STREAM_QPACK_DECODER = 0x03,
	WK_H3STREAM_WEBTRANSPORT = 0x54,
};

/* Settings (section 11.2.2). */
enum wk_h3setting_id {
	WK_H3SETTING_QPACK_MAX_TABLE_CAPACITY = 0x01,
	WK_H3SETTING_MAX_FIELD_SECTION_SIZE = 0x06,
	WK_H3SETTING_QPACK_BLOCKED_STREAMS = 0x07,
	WK_H3SETTING_ENABLE_CONNECT_PROTOCOL = 0x08,
	WK_H3SETTING_H3_DATAGRAM = 0x33,
};

/* Errors (section 11.2.3; RFC 9204, section 6; RFC 9297, section 5.2). */
enum wk_h3error_code {
	WK_H3ERROR_DATAGRAM = 0x33,
	WK_H3ERROR_NO_ERROR = 0x100,
	WK_H3ERROR_GENERAL_PROTOCOL = 0x101,
	WK_H3ERROR_INTERNAL = 0x102,
	WK_H3ERROR_STREAM_CREATION = 0x103,
	WK_H3ERROR_CLOSED_CRITICAL_STREAM = 0x104,
	WK_H3ERROR_FRAME_UNEXPECTED = 0x105,
	WK_H3ERROR_FRAME = 0x106,
	WK_H3ERROR_EXCESSIVE_LOAD = 0x107,
	WK_H3ERROR_ID = 0x108,
	WK_H3ERROR_SETTINGS = 0x109,
	WK_H3ERROR_MISSING_SETTINGS = 0x10a,
	WK_H3ERROR_REQUEST_REJECTED = 0x10b,
	WK_H3ERROR_REQUEST_CANCELLED = 0x10c,
	WK_H3ERROR_REQUEST_INCOMPLETE = 0x10d,
	WK_H3ERROR_MESSAGE = 0x10e,
	WK_H3ERROR_CONNECT = 0x10f,
	WK_H3ERROR_VERSION_FALLBACK = 0x110,
	WK_H3ERROR_QPACK_DECOMPRESSION_FAILED = 0x200,
	WK_H3ERROR_QPACK_ENCODER_STREAM = 0x201,
	WK_H3ERROR_QPACK_DECODER_STREAM = 0x202,
};

/*
 * Names as their documents have them, those of drafts and of settings that were
 * given up too; NULL for unknown numbers.
 */
const char *wk_h3frame_name(uint64_t type);
const char *wk_h3stream_name(uint64_t type);
const char *wk_h3setting_name(uint64_t id);
const char *wk_h3error_name(uint64_t code);

/* What HTTP/2 has and HTTP/3 must not be sent (sections 7.2.8, 7.2.4.1). */
bool wk_h3frame_is_reserved(uint64_t type);
bool wk_h3setting_is_reserved(uint64_t id);

/*
 * One of 0x1f*N + 0x21: frames, streams, settings and errors that mean nothing
 * and are to be ignored. The n-th of these, wrapping round below WK_VARINT_MAX.
 */
bool wk_h3frame_is_grease(uint64_t number);
uint64_t wk_h3frame_grease(uint64_t n);

/* --- frames --------------------------------------------------------------- */

/* Two varints: the type and the length. */
#define WK_H3FRAME_HEADER_MAX (2 * WK_VARINT_OCTETS_MAX)

enum wk_h3frame_event {
	WK_H3FRAME_MORE,	/* input used up; call again with more */
	WK_H3FRAME_START,	/* type and length are known */
	WK_H3FRAME_PAYLOAD,	/* a piece of the payload, in the input */
	WK_H3FRAME_END,		/* the payload is complete */
};

struct wk_h3frame {
	uint64_t type, length;
	uint64_t offset;	/* of its first octet in the stream */
	uint8_t type_octets;	/* of the two varints on the wire; to the */
	uint8_t length_octets;	/* writer, 0 means as few as possible */
	const uint8_t *data;	/* borrowed: ends when the input changes */
	size_t data_len;	/* never 0 in a PAYLOAD event, 0 in others */
	uint64_t data_offset;	/* of this piece in the payload */
};

struct wk_h3frame_reader {	/* caller's storage; fields are private */
	uint64_t offset;	/* octets of the stream consumed */
	struct wk_h3frame frame;
	uint64_t left;		/* octets of the payload still to come */
	struct wk_varint_reader num;
	uint8_t state;
};

void wk_h3frame_reader_init(struct wk_h3frame_reader *r);

/*
 * Consume from *in (advancing it, shrinking *in_len) up to the next event and
 * describe that in *out, which WK_H3FRAME_MORE leaves alone. Nothing can go
 * wrong: every type and every length is one. A frame without payload has no
 * PAYLOAD event.
 */
enum wk_h3frame_event wk_h3frame_read(struct wk_h3frame_reader *r,
    const uint8_t **in, size_t *in_len, struct wk_h3frame *out);

/*
 * At end of stream: WK_OK between frames (also when the END of the last one was
 * not asked for), WK_E_TRUNCATED inside one: what is then to be a connection
 * error H3_FRAME_ERROR. The error's offset is where the stream ends; it may be
 * NULL.
 */
int wk_h3frame_reader_finish(const struct wk_h3frame_reader *r,
    struct wk_error *error);

/*
 * Write the header of a frame from its type, length, type_octets and
 * length_octets; the caller sends the payload behind it. A frame as the reader
 * gave it is written back octet for octet. Returns the octets written, 2 to 16;
 * 0 when a number does not fit the octets asked for, or no varint at all.
 */
size_t wk_h3frame_header(uint8_t out[WK_H3FRAME_HEADER_MAX],
    const struct wk_h3frame *frame);

/* --- payloads that are an id ---------------------------------------------- */

/*
 * GOAWAY, MAX_PUSH_ID, CANCEL_PUSH, and what PUSH_PROMISE begins with. All
 * zeros is a new one.
 */
struct wk_h3id_reader {
	struct wk_varint_reader num;
	uint64_t id;
	bool is_whole;
};

/*
 * A piece of the payload. Returns how many octets were the id's: fewer than len
 * means that others stand behind it.
 */
size_t wk_h3id_read(struct wk_h3id_reader *r, const uint8_t *data, size_t len);

/* At the end of the payload: WK_OK and the id, or WK_E_TRUNCATED. */
int wk_h3id_finish(const struct wk_h3id_reader *r, uint64_t *id);

/* Append a whole frame with an id; WK_E_INVALID sticks when it is no varint. */
int wk_h3id_append(struct wk_buf *b, uint64_t type, uint64_t id);

/* --- SETTINGS ------------------------------------------------------------- */

/* More in one frame than anybody has a use for. */
#define WK_H3SETTINGS_MAX 64

struct wk_h3setting {
	uint64_t id, value;
};

/* The settings of one peer. All zeros is a new one. */
struct wk_h3settings {
	struct wk_h3setting list[WK_H3SETTINGS_MAX];
	size_t n;		/* of list, in their order */
	/* Private: */
	struct wk_varint_reader num;
	uint64_t offset;	/* octets of the payload consumed */
	uint64_t id_offset;	/* of the setting being read */
	bool has_id;		/* list[n].id is there, its value is not */
	struct wk_error error;
};

/*
 * A piece of the payload of a SETTINGS frame. WK_OK, or WK_E_MALFORMED: an id
 * twice, one that HTTP/2 has, or a value that may only be 0 or 1
 * (H3_SETTINGS_ERROR); or WK_E_LIMIT: too many of them. The error, with its
 * offset in the payload, sticks.
 */
int wk_h3settings_read(struct wk_h3settings *s, const uint8_t *data,
    size_t len);

/* At the end of the payload: WK_OK, its error, or WK_E_TRUNCATED. */
int wk_h3settings_finish(struct wk_h3settings *s);

/* The value of a setting, or what holds in its absence. */
uint64_t wk_h3settings_value(const struct wk_h3settings *s, uint64_t id,
    uint64_t otherwise);

/* Append a whole SETTINGS frame; WK_E_INVALID sticks for no varint. */
int wk_h3settings_append(struct wk_buf *b, const struct wk_h3setting *list,
    size_t n);
