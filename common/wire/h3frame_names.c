/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/h3frame.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	uint64_t number;
	const char *name;
};

static const struct name frames[] = {
	{ WK_H3FRAME_DATA, "DATA" },
	{ WK_H3FRAME_HEADERS, "HEADERS" },
	{ WK_H3FRAME_CANCEL_PUSH, "CANCEL_PUSH" },
	{ WK_H3FRAME_SETTINGS, "SETTINGS" },
	{ WK_H3FRAME_PUSH_PROMISE, "PUSH_PROMISE" },
	{ WK_H3FRAME_GOAWAY, "GOAWAY" },
	{ 0x0c, "ORIGIN" },			/* RFC 9412 */
	{ WK_H3FRAME_MAX_PUSH_ID, "MAX_PUSH_ID" },
	{ WK_H3FRAME_WEBTRANSPORT, "WEBTRANSPORT_STREAM" },
	{ 0xf0700, "PRIORITY_UPDATE" },		/* RFC 9218: of a request */
	{ 0xf0701, "PRIORITY_UPDATE" },		/* of a push */
	{ 0xffcab5, "CAPSULE" },		/* h3-datagram-01 to -03 */
};

static const struct name streams[] = {
	{ WK_H3STREAM_CONTROL, "control" },
	{ WK_H3STREAM_PUSH, "push" },
	{ WK_H3STREAM_QPACK_ENCODER, "QPACK encoder" },
	{ WK_H3STREAM_QPACK_DECODER, "QPACK decoder" },
	{ WK_H3STREAM_WEBTRANSPORT, "WebTransport" },
};

static const struct name settings[] = {
	{ WK_H3SETTING_QPACK_MAX_TABLE_CAPACITY, "QPACK_MAX_TABLE_CAPACITY" },
	{ WK_H3SETTING_MAX_FIELD_SECTION_SIZE, "MAX_FIELD_SECTION_SIZE" },
	{ WK_H3SETTING_QPACK_BLOCKED_STREAMS, "QPACK_BLOCKED_STREAMS" },
	{ WK_H3SETTING_ENABLE_CONNECT_PROTOCOL, "ENABLE_CONNECT_PROTOCOL" },
	{ WK_H3SETTING_H3_DATAGRAM, "H3_DATAGRAM" },
	/* h3-datagram-00, -01 to -03, -04 to -08 */
	{ 0x276, "H3_DATAGRAM_DRAFT00" },
	{ 0xffd276, "H3_DATAGRAM_DRAFT01" },
	{ 0xffd277, "H3_DATAGRAM_DRAFT04" },
	{ 0x4d44, "ENABLE_METADATA" },
	/* webtrans-http3-12 and later */
	{ 0x2b61, "WT_INITIAL_MAX_DATA" },
	{ 0x2b64, "WT_INITIAL_MAX_STREAMS_UNI" },
	{ 0x2b65, "WT_INITIAL_MAX_STREAMS_BIDI" },
	/* -00 to -06, -04 and -05, -07 to -12, -13 and -14, -15 and later */
	{ 0x2b603742, "ENABLE_WEBTRANSPORT" },
	{ 0x2b603743, "WEBTRANSPORT_MAX_SESSIONS_DRAFT04" },
	{ 0xc671706a, "WEBTRANSPORT_MAX_SESSIONS" },
	{ 0x14e9cd29, "WT_MAX_SESSIONS" },
	{ 0x2c7cf000, "WT_ENABLED" },
};

static const struct name errors[] = {
	{ WK_H3ERROR_DATAGRAM, "H3_DATAGRAM_ERROR" },
	{ WK_H3ERROR_NO_ERROR, "H3_NO_ERROR" },
	{ WK_H3ERROR_GENERAL_PROTOCOL, "H3_GENERAL_PROTOCOL_ERROR" },
	{ WK_H3ERROR_INTERNAL, "H3_INTERNAL_ERROR" },
	{ WK_H3ERROR_STREAM_CREATION, "H3_STREAM_CREATION_ERROR" },
	{ WK_H3ERROR_CLOSED_CRITICAL_STREAM, "H3_CLOSED_CRITICAL_STREAM" },
	{ WK_H3ERROR_FRAME_UNEXPECTED, "H3_FRAME_UNEXPECTED" },
	{ WK_H3ERROR_FRAME, "H3_FRAME_ERROR" },
	{ WK_H3ERROR_EXCESSIVE_LOAD, "H3_EXCESSIVE_LOAD" },
	{ WK_H3ERROR_ID, "H3_ID_ERROR" },
	{ WK_H3ERROR_SETTINGS, "H3_SETTINGS_ERROR" },
	{ WK_H3ERROR_MISSING_SETTINGS, "H3_MISSING_SETTINGS" },
	{ WK_H3ERROR_REQUEST_REJECTED, "H3_REQUEST_REJECTED" },
	{ WK_H3ERROR_REQUEST_CANCELLED, "H3_REQUEST_CANCELLED" },
	{ WK_H3ERROR_REQUEST_INCOMPLETE, "H3_REQUEST_INCOMPLETE" },
	{ WK_H3ERROR_MESSAGE, "H3_MESSAGE_ERROR" },
	{ WK_H3ERROR_CONNECT, "H3_CONNECT_ERROR" },
	{ WK_H3ERROR_VERSION_FALLBACK, "H3_VERSION_FALLBACK" },
	{ WK_H3ERROR_QPACK_DECOMPRESSION_FAILED, "QPACK_DECOMPRESSION_FAILED" },
	{ WK_H3ERROR_QPACK_ENCODER_STREAM, "QPACK_ENCODER_STREAM_ERROR" },
	{ WK_H3ERROR_QPACK_DECODER_STREAM, "QPACK_DECODER_STREAM_ERROR" },
	{ 0x4a1268, "H3_DATAGRAM_ERROR_DRAFT06" },
	{ 0x045d4487, "WT_FLOW_CONTROL_ERROR" },
	{ 0x0817b3dd, "WT_ALPN_ERROR" },
	{ 0x170d7b68, "WT_SESSION_GONE" },
	{ 0x212c0d48, "WT_REQUIREMENTS_NOT_MET" },
	{ 0x3994bd84, "WT_BUFFERED_STREAM_REJECTED" },
};

static const char *
name_of(const struct name *names, size_t n, uint64_t number)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

const char *
wk_h3frame_name(uint64_t type)
{
	return name_of(frames, N(frames), type);
}

const char *
wk_h3stream_name(uint64_t type)
{
	return name_of(streams, N(streams), type);
}

const char *
wk_h3setting_name(uint64_t id)
{
	return name_of(settings, N(settings), id);
}

const char *
wk_h3error_name(uint64_t code)
{
	return name_of(errors, N(errors), code);
}

bool
wk_h3frame_is_reserved(uint64_t type)
{
	/* PRIORITY, PING, WINDOW_UPDATE, CONTINUATION */
	return type == 0x02 || type == 0x06 || type == 0x08 || type == 0x09;
}

bool
wk_h3setting_is_reserved(uint64_t id)
{
	return id >= 0x02 && id <= 0x05;
}

#define GREASE_STEP 0x1f
#define GREASE_FIRST 0x21

bool
wk_h3frame_is_grease(uint64_t number)
{
	return number >= GREASE_FIRST && number <= WK_VARINT_MAX &&
	    (number - GREASE_FIRST) % GREASE_STEP == 0;
}

uint64_t
wk_h3frame_grease(uint64_t n)
{
	const uint64_t count = (WK_VARINT_MAX - GREASE_FIRST) / GREASE_STEP + 1;

	return n % count * GREASE_STEP + GREASE_FIRST;
}
