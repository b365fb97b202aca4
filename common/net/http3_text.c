/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include <inttypes.h>
#include <stdio.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const uint64_t codes_out[] = {
	[WK_STREAM_NO_ERROR] = WK_H3ERROR_NO_ERROR,
	[WK_STREAM_CANCEL] = WK_H3ERROR_REQUEST_CANCELLED,
	[WK_STREAM_MALFORMED] = WK_H3ERROR_MESSAGE,
	[WK_STREAM_DATAGRAM] = WK_H3ERROR_DATAGRAM,
	[WK_STREAM_CONNECT] = WK_H3ERROR_CONNECT,
	[WK_STREAM_REFUSED] = WK_H3ERROR_REQUEST_REJECTED,
	[WK_STREAM_OVERLOAD] = WK_H3ERROR_EXCESSIVE_LOAD,
	[WK_STREAM_INTERNAL] = WK_H3ERROR_INTERNAL,
	[WK_STREAM_UNSUPPORTED] = WK_H3ERROR_REQUEST_CANCELLED,
	[WK_STREAM_LOST] = WK_H3ERROR_REQUEST_CANCELLED,
	[WK_STREAM_OTHER] = WK_H3ERROR_REQUEST_CANCELLED,
};

static const struct {
	uint64_t wire;
	enum wk_stream_code code;
} codes_in[] = {
	{ WK_H3ERROR_NO_ERROR, WK_STREAM_NO_ERROR },
	{ WK_H3ERROR_REQUEST_CANCELLED, WK_STREAM_CANCEL },
	{ WK_H3ERROR_MESSAGE, WK_STREAM_MALFORMED },
	{ WK_H3ERROR_REQUEST_INCOMPLETE, WK_STREAM_MALFORMED },
	{ WK_H3ERROR_DATAGRAM, WK_STREAM_DATAGRAM },
	{ WK_H3ERROR_CONNECT, WK_STREAM_CONNECT },
	{ WK_H3ERROR_REQUEST_REJECTED, WK_STREAM_REFUSED },
	{ WK_H3ERROR_EXCESSIVE_LOAD, WK_STREAM_OVERLOAD },
	{ WK_H3ERROR_INTERNAL, WK_STREAM_INTERNAL },
};

uint64_t
http3_code_out(enum wk_stream_code code)
{
	return codes_out[code];
}

enum wk_stream_code
http3_code_in(uint64_t code)
{
	size_t i;

	for (i = 0; i < N(codes_in); i++)
		if (codes_in[i].wire == code)
			return codes_in[i].code;
	return WK_STREAM_OTHER;
}

const char *
http3_error_text(uint64_t code, char buffer[32])
{
	const char *name = wk_h3error_name(code);

	if (name != NULL)
		return name;
	snprintf(buffer, 32, "error 0x%" PRIx64, code);
	return buffer;
}

static bool
traces_frames(const struct http3 *h)
{
	return h->base.handler->trace != NULL &&
	    h->base.handler->trace_level >= 2;
}

static const char *
frame_text(uint64_t type, char buffer[32])
{
	const char *name = wk_h3frame_name(type);

	if (name != NULL)
		return name;
	snprintf(buffer, 32, "frame 0x%" PRIx64, type);
	return buffer;
}

void
http3_trace_frame(struct http3 *h, enum wk_trace kind, uint64_t id,
    uint64_t type, uint64_t length)
{
	char buffer[32];

	if (traces_frames(h))
		wk_session_trace(&h->base, kind, id, "%s, %" PRIu64 " octets",
		    frame_text(type, buffer), length);
}

void
http3_trace_id(struct http3 *h, enum wk_trace kind, uint64_t type, uint64_t id)
{
	char buffer[32];

	if (traces_frames(h))
		wk_session_trace(&h->base, kind, 0, "%s %" PRIu64,
		    frame_text(type, buffer), id);
}

void
http3_trace_settings(struct http3 *h, enum wk_trace kind,
    const struct wk_h3setting *list, size_t n)
{
	const char *name;
	size_t i;

	if (!traces_frames(h))
		return;
	for (i = 0; i < n; i++) {
		name = wk_h3setting_name(list[i].id);
		if (name != NULL)
			wk_session_trace(&h->base, kind, 0, "SETTINGS %s = %"
			    PRIu64, name, list[i].value);
		else
			wk_session_trace(&h->base, kind, 0, "SETTINGS 0x%"
			    PRIx64 " = %" PRIu64, list[i].id, list[i].value);
	}
}
