/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/text.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Requests broken off before they were answered: a burst, then so many a second. */
#define RESET_COST_NS (WK_NS_PER_SEC / 33)
#define RESET_BURST (400 * RESET_COST_NS)

/* Frames that carry nothing; each one that does pays for one of them. */
#define CHATTER_COST_NS (WK_NS_PER_SEC / 100)
#define CHATTER_BURST (1000 * CHATTER_COST_NS)

static bool
spend(struct http2 *h, struct http2_budget *b, uint64_t cost, uint64_t burst)
{
	if (b->paid_ns < h->now_ns)
		b->paid_ns = h->now_ns;
	b->paid_ns += cost;
	return b->paid_ns - h->now_ns <= burst;
}

static void
refund(struct http2_budget *b, uint64_t cost)
{
	b->paid_ns -= b->paid_ns < cost ? b->paid_ns : cost;
}

void
http2_spend_reset(struct http2 *h)
{
	if (!h->base.is_server ||
	    spend(h, &h->resets, RESET_COST_NS, RESET_BURST))
		return;
	http2_fail(h, WK_E_LIMIT, NGHTTP2_ENHANCE_YOUR_CALM,
	    "too many requests are broken off");
}

static void
spend_chatter(struct http2 *h)
{
	if (!spend(h, &h->chatter, CHATTER_COST_NS, CHATTER_BURST))
		http2_fail(h, WK_E_LIMIT, NGHTTP2_ENHANCE_YOUR_CALM,
		    "too many frames that carry nothing");
}

/* What nghttp2 shall do now: after a failure or a deletion, stop. */
static int
verdict(const struct http2 *h)
{
	return h->failed.status != WK_OK || h->is_deleted ?
	    NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

void
http2_fail_by(struct http2 *h, int error)
{
	static const struct {
		int error;
		enum wk_status status;
		uint32_t code;
		const char *reason;
	} errors[] = {
		{ NGHTTP2_ERR_NOMEM, WK_E_NOMEM, NGHTTP2_INTERNAL_ERROR,
		    "no memory" },
		{ NGHTTP2_ERR_BAD_CLIENT_MAGIC, WK_E_MALFORMED,
		    NGHTTP2_PROTOCOL_ERROR,
		    "the connection does not begin as HTTP/2 does" },
		{ NGHTTP2_ERR_FLOODED, WK_E_LIMIT, NGHTTP2_ENHANCE_YOUR_CALM,
		    "too many frames that want an answer" },
		{ NGHTTP2_ERR_TOO_MANY_CONTINUATIONS, WK_E_LIMIT,
		    NGHTTP2_ENHANCE_YOUR_CALM,
		    "a head in too many CONTINUATION frames" },
	};
	size_t i;

	for (i = 0; i < N(errors); i++)
		if (errors[i].error == error) {
			http2_fail(h, errors[i].status, errors[i].code,
			    errors[i].reason);
			return;
		}
	http2_fail(h, WK_E_MALFORMED, NGHTTP2_PROTOCOL_ERROR,
	    nghttp2_strerror(error));
}

static int
on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd, void *arg)
{
	struct http2 *h = arg;

	(void)ng;
	http2_trace_begin(h, WK_TRACE_FRAME_RECEIVED, hd);
	switch (hd->type) {
	case NGHTTP2_CONTINUATION:
		spend_chatter(h);
		break;
	case NGHTTP2_SETTINGS:
	case NGHTTP2_PING:
		if ((hd->flags & NGHTTP2_FLAG_ACK) == 0)
			spend_chatter(h);
		break;
	case NGHTTP2_PRIORITY:
	case NGHTTP2_RST_STREAM:
		spend_chatter(h);
		break;
	default:
		break;
	}
	if (hd->type != NGHTTP2_CONTINUATION)
		h->head_stream = 0;
	return verdict(h);
}

static int
on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct http2 *h = arg;
	struct http2_stream *s = http2_stream_find(h, frame->hd.stream_id);
	enum wk_head_kind kind;

	(void)ng;
	h->head_stream = frame->hd.stream_id;
	h->head_ns = h->now_ns;
	if (h->base.is_server)
		kind = frame->headers.cat == NGHTTP2_HCAT_REQUEST ?
		    WK_HEAD_REQUEST : WK_HEAD_TRAILERS;
	else
		kind = s != NULL && s->has_head ? WK_HEAD_TRAILERS :
		    WK_HEAD_RESPONSE;
	h->head_is_wanted = kind == WK_HEAD_REQUEST || s != NULL;
	wk_head_start(&h->head, kind);
	return verdict(h);
}

static int
on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
    void *arg)
{
	struct http2 *h = arg;
	const struct wk_str n = { (const char *)name, name_len };
	const struct wk_str v = { (const char *)value, value_len };

	(void)ng;
	(void)frame;
	(void)flags;
	/* An error stays until the head is complete: its lines must be read. */
	if (h->head_is_wanted)
		wk_head_add(&h->head, n, v);
	return 0;
}

static int
on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data,
    size_t len, void *arg)
{
	struct http2 *h = arg;
	struct http2_stream *s = http2_stream_find(h, id);

	(void)flags;
	if (s == NULL || s->base.is_over)
		nghttp2_session_consume_connection(ng, len);
	else
		http2_stream_received(s, data, len);
	return verdict(h);
}

static void
data_frame_arrived(struct http2 *h, const nghttp2_frame *frame)
{
	struct http2_stream *s = http2_stream_find(h, frame->hd.stream_id);
	bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	if (frame->hd.length > frame->data.padlen)
		refund(&h->chatter, CHATTER_COST_NS);
	else if (!is_end)
		spend_chatter(h);
	if (s != NULL && is_end)
		http2_stream_received_end(s);
}

static void
reset_arrived(struct http2 *h, const nghttp2_frame *frame)
{
	struct http2_stream *s = http2_stream_find(h, frame->hd.stream_id);

	if (s == NULL)
		return;
	s->was_reset = true;
	if (!s->has_head)
		http2_spend_reset(h);
}

static void
goaway_arrived(struct http2 *h, const nghttp2_goaway *goaway)
{
	struct wk_buf text;

	if (goaway->error_code != NGHTTP2_NO_ERROR) {
		wk_buf_init(&text, HTTP2_WORDS / 2);
		wk_text_escape(&text, goaway->opaque_data,
		    goaway->opaque_data_len > 40 ? 40 :
		    goaway->opaque_data_len, 0);
		snprintf(h->goaway_text, sizeof(h->goaway_text), "%s%s%.*s",
		    http2_error_text(goaway->error_code),
		    text.len > 0 ? ": " : "", (int)text.len,
		    text.data == NULL ? "" : (const char *)text.data);
		wk_buf_free(&text);
		wk_session_trace(&h->base, WK_TRACE_NOTE, 0,
		    "the peer ends the connection: %s", h->goaway_text);
	}
	if (h->is_draining)
		return;
	h->is_draining = true;
	if (h->base.handler->draining != NULL)
		h->base.handler->draining(&h->base);
}

static int
on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct http2 *h = arg;

	(void)ng;
	http2_trace_frame(h, WK_TRACE_FRAME_RECEIVED, frame);
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		h->head_stream = 0;
		http2_head_arrived(h, frame);
		break;
	case NGHTTP2_DATA:
		data_frame_arrived(h, frame);
		break;
	case NGHTTP2_RST_STREAM:
		reset_arrived(h, frame);
		break;
	case NGHTTP2_SETTINGS:
		if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
			h->is_settled = true;
			http2_submit_waiting(h);
		}
		break;
	case NGHTTP2_PING:
		/* The answer to the one of our shutdown, if it is the one. */
		if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
		    h->drain == HTTP2_DRAIN_NOTICE)
			h->drain_ns = h->now_ns;
		break;
	case NGHTTP2_GOAWAY:
		goaway_arrived(h, &frame->goaway);
		break;
	default:
		break;
	}
	return verdict(h);
}

static int
on_invalid_frame(nghttp2_session *ng, const nghttp2_frame *frame, int error,
    void *arg)
{
	struct http2 *h = arg;

	(void)ng;
	snprintf(h->library_text, sizeof(h->library_text), "%s",
	    nghttp2_strerror(error));
	wk_session_trace(&h->base, WK_TRACE_NOTE,
	    (uint64_t)frame->hd.stream_id, "invalid frame: %s",
	    h->library_text);
	http2_spend_reset(h);
	return verdict(h);
}

static int
on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
	struct http2 *h = arg;
	struct http2_stream *s = http2_stream_find(h, id);

	(void)ng;
	if (s != NULL)
		http2_stream_gone(s, code);
	return 0;
}

void
http2_receive_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks,
	    on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
	    on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
	    on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
	    on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks,
	    on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
	    on_stream_close);
}
