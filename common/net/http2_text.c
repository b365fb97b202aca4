/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/text.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 9113, section 7; what both directions of the codes mean to streams. */
static const struct {
	const char *name;
	enum wk_stream_code code;
} errors[] = {
	[NGHTTP2_NO_ERROR] = { "NO_ERROR", WK_STREAM_NO_ERROR },
	[NGHTTP2_PROTOCOL_ERROR] = { "PROTOCOL_ERROR", WK_STREAM_MALFORMED },
	[NGHTTP2_INTERNAL_ERROR] = { "INTERNAL_ERROR", WK_STREAM_INTERNAL },
	[NGHTTP2_FLOW_CONTROL_ERROR] = { "FLOW_CONTROL_ERROR",
	    WK_STREAM_OTHER },
	[NGHTTP2_SETTINGS_TIMEOUT] = { "SETTINGS_TIMEOUT", WK_STREAM_OTHER },
	[NGHTTP2_STREAM_CLOSED] = { "STREAM_CLOSED", WK_STREAM_OTHER },
	[NGHTTP2_FRAME_SIZE_ERROR] = { "FRAME_SIZE_ERROR", WK_STREAM_OTHER },
	[NGHTTP2_REFUSED_STREAM] = { "REFUSED_STREAM", WK_STREAM_REFUSED },
	[NGHTTP2_CANCEL] = { "CANCEL", WK_STREAM_CANCEL },
	[NGHTTP2_COMPRESSION_ERROR] = { "COMPRESSION_ERROR", WK_STREAM_OTHER },
	[NGHTTP2_CONNECT_ERROR] = { "CONNECT_ERROR", WK_STREAM_CONNECT },
	[NGHTTP2_ENHANCE_YOUR_CALM] = { "ENHANCE_YOUR_CALM",
	    WK_STREAM_OVERLOAD },
	[NGHTTP2_INADEQUATE_SECURITY] = { "INADEQUATE_SECURITY",
	    WK_STREAM_OTHER },
	[NGHTTP2_HTTP_1_1_REQUIRED] = { "HTTP_1_1_REQUIRED", WK_STREAM_OTHER },
};

static const uint32_t codes_out[] = {
	[WK_STREAM_NO_ERROR] = NGHTTP2_NO_ERROR,
	[WK_STREAM_CANCEL] = NGHTTP2_CANCEL,
	[WK_STREAM_MALFORMED] = NGHTTP2_PROTOCOL_ERROR,
	[WK_STREAM_DATAGRAM] = NGHTTP2_PROTOCOL_ERROR,
	[WK_STREAM_CONNECT] = NGHTTP2_CONNECT_ERROR,
	[WK_STREAM_REFUSED] = NGHTTP2_REFUSED_STREAM,
	[WK_STREAM_OVERLOAD] = NGHTTP2_ENHANCE_YOUR_CALM,
	[WK_STREAM_INTERNAL] = NGHTTP2_INTERNAL_ERROR,
	[WK_STREAM_UNSUPPORTED] = NGHTTP2_CANCEL,
	[WK_STREAM_LOST] = NGHTTP2_CANCEL,
	[WK_STREAM_OTHER] = NGHTTP2_CANCEL,
};

static const char *const frames[] = {
	"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS",
	"PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION",
};

static const struct {
	int32_t id;
	const char *name;
} settings[] = {
	{ NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, "HEADER_TABLE_SIZE" },
	{ NGHTTP2_SETTINGS_ENABLE_PUSH, "ENABLE_PUSH" },
	{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, "MAX_CONCURRENT_STREAMS" },
	{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, "INITIAL_WINDOW_SIZE" },
	{ NGHTTP2_SETTINGS_MAX_FRAME_SIZE, "MAX_FRAME_SIZE" },
	{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, "MAX_HEADER_LIST_SIZE" },
	{ NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, "ENABLE_CONNECT_PROTOCOL" },
	{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, "NO_RFC7540_PRIORITIES" },
};

/* Which types a flag belongs to; ACK and END_STREAM share a bit. */
static const struct {
	uint8_t flag;
	unsigned types;
	const char *name;
} flags[] = {
	{ NGHTTP2_FLAG_ACK, 1u << NGHTTP2_SETTINGS | 1u << NGHTTP2_PING,
	    "ACK" },
	{ NGHTTP2_FLAG_END_STREAM, 1u << NGHTTP2_DATA | 1u << NGHTTP2_HEADERS,
	    "END_STREAM" },
	{ NGHTTP2_FLAG_END_HEADERS, 1u << NGHTTP2_HEADERS |
	    1u << NGHTTP2_PUSH_PROMISE | 1u << NGHTTP2_CONTINUATION,
	    "END_HEADERS" },
	{ NGHTTP2_FLAG_PADDED, 1u << NGHTTP2_DATA | 1u << NGHTTP2_HEADERS |
	    1u << NGHTTP2_PUSH_PROMISE, "PADDED" },
	{ NGHTTP2_FLAG_PRIORITY, 1u << NGHTTP2_HEADERS, "PRIORITY" },
};

const char *
http2_error_text(uint32_t code)
{
	return code < N(errors) ? errors[code].name : "an unknown error";
}

uint32_t
http2_code_out(enum wk_stream_code code)
{
	return codes_out[code];
}

enum wk_stream_code
http2_code_in(uint32_t code)
{
	return code < N(errors) ? errors[code].code : WK_STREAM_OTHER;
}

static bool
traces_frames(const struct http2 *h)
{
	return h->base.handler->trace != NULL &&
	    h->base.handler->trace_level >= 2;
}

void
http2_trace_begin(struct http2 *h, enum wk_trace kind,
    const nghttp2_frame_hd *hd)
{
	char type[16], text[80] = "";
	size_t i, at = 0;

	if (!traces_frames(h))
		return;
	if (hd->type < N(frames))
		snprintf(type, sizeof(type), "%s", frames[hd->type]);
	else
		snprintf(type, sizeof(type), "frame 0x%x", hd->type);
	for (i = 0; i < N(flags); i++)
		if (hd->type < N(frames) && (hd->flags & flags[i].flag) != 0 &&
		    (flags[i].types & 1u << hd->type) != 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    " %s", flags[i].name);
	wk_session_trace(&h->base, kind, (uint64_t)hd->stream_id,
	    "%s%s, %zu octets", type, text, hd->length);
}

static void
trace_settings(struct http2 *h, enum wk_trace kind,
    const nghttp2_settings *frame)
{
	size_t i, k;

	for (i = 0; i < frame->niv; i++) {
		for (k = 0; k < N(settings); k++)
			if (settings[k].id == frame->iv[i].settings_id)
				break;
		if (k < N(settings))
			wk_session_trace(&h->base, kind, 0, "SETTINGS %s = %"
			    PRIu32, settings[k].name, frame->iv[i].value);
		else
			wk_session_trace(&h->base, kind, 0, "SETTINGS 0x%"
			    PRIx32 " = %" PRIu32,
			    (uint32_t)frame->iv[i].settings_id,
			    frame->iv[i].value);
	}
}

static void
trace_goaway(struct http2 *h, enum wk_trace kind, const nghttp2_goaway *frame)
{
	struct wk_buf b;

	wk_buf_init(&b, 256);
	wk_text_escape(&b, frame->opaque_data,
	    frame->opaque_data_len > 60 ? 60 : frame->opaque_data_len, '"');
	wk_session_trace(&h->base, kind, 0, "GOAWAY %s, last stream %" PRId32
	    ", \"%.*s\"", http2_error_text(frame->error_code),
	    frame->last_stream_id, (int)b.len,
	    b.data == NULL ? "" : (const char *)b.data);
	wk_buf_free(&b);
}

/* What the header of a frame does not tell. */
void
http2_trace_frame(struct http2 *h, enum wk_trace kind,
    const nghttp2_frame *frame)
{
	uint64_t id = (uint64_t)frame->hd.stream_id;

	if (!traces_frames(h))
		return;
	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		trace_settings(h, kind, &frame->settings);
		break;
	case NGHTTP2_GOAWAY:
		trace_goaway(h, kind, &frame->goaway);
		break;
	case NGHTTP2_RST_STREAM:
		wk_session_trace(&h->base, kind, id, "RST_STREAM %s",
		    http2_error_text(frame->rst_stream.error_code));
		break;
	case NGHTTP2_WINDOW_UPDATE:
		wk_session_trace(&h->base, kind, id, "WINDOW_UPDATE +%" PRId32,
		    frame->window_update.window_size_increment);
		break;
	default:
		break;
	}
}
