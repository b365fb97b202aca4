/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

void
http2_ready(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);

	if (!s->is_ready && !s->base.is_over) {
		s->is_ready = true;
		s->ready_next = NULL;
		s->ready_prev = h->ready_last;
		if (h->ready_last != NULL)
			h->ready_last->ready_next = s;
		else
			h->ready_first = s;
		h->ready_last = s;
		h->n_ready++;
	}
	http2_wake(h);
}

void
http2_unready(struct http2_stream *s)
{
	struct http2 *h = http2_of(&s->base);

	if (!s->is_ready)
		return;
	s->is_ready = false;
	if (s->ready_prev != NULL)
		s->ready_prev->ready_next = s->ready_next;
	else
		h->ready_first = s->ready_next;
	if (s->ready_next != NULL)
		s->ready_next->ready_prev = s->ready_prev;
	else
		h->ready_last = s->ready_prev;
	h->n_ready--;
}

static size_t
pending(const struct http2 *h)
{
	return h->out.len - h->out_at;
}

static bool
has_output(const struct http2_stream *s)
{
	return s->queue.len > 0 || (s->is_finished && !s->has_sent_end);
}

/*
 * nghttp2 asks how long the next DATA frame of a stream will be. Whose turn it
 * is decides http2_fill(), so that no stream starves, whatever priorities the
 * peer wishes for.
 */
static ssize_t
read_queue(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t len,
    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct http2 *h = arg;
	struct http2_stream *s = http2_stream_find(h, id);

	(void)ng;
	(void)buf;
	(void)source;
	if (s == NULL || s->credit == 0 || !has_output(s))
		return NGHTTP2_ERR_DEFERRED;
	s->credit--;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (len >= s->queue.len) {
		len = s->queue.len;
		if (s->is_finished)
			*flags |= NGHTTP2_DATA_FLAG_EOF;
	}
	return (ssize_t)len;
}

const nghttp2_data_provider http2_provider = {
	.read_callback = read_queue,
};

/* The frame goes straight from the queue into the output. */
static int
send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *header,
    size_t len, nghttp2_data_source *source, void *arg)
{
	struct http2 *h = arg;
	struct http2_stream *s = http2_stream_find(h, frame->hd.stream_id);

	(void)ng;
	(void)source;
	if (s == NULL ||
	    wk_buf_reserve(&h->out, HTTP2_FRAME_HEADER + len) != WK_OK)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	wk_buf_append(&h->out, header, HTTP2_FRAME_HEADER);
	wk_ring_take(&s->queue, h->out.data + h->out.len, len);
	s->is_stuck = false;
	h->has_moved = true;
	h->out.len += len;
	if (s->base.wants_writable && s->queue.len <= s->queue.max / 2)
		http2_due(s, HTTP2_DUE_WRITABLE);
	return pending(h) >= HTTP2_OUTPUT_TARGET ? NGHTTP2_ERR_PAUSE : 0;
}

/* An answer is out while the request still comes and nobody wants the rest. */
static void
sent_end(struct http2 *h, int32_t id)
{
	struct http2_stream *s = http2_stream_find(h, id);

	if (s != NULL)
		s->has_sent_end = true;
	if (h->base.is_server && (s == NULL || s->base.handler == NULL) &&
	    nghttp2_session_get_stream_remote_close(h->ng, id) == 0)
		nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id,
		    NGHTTP2_NO_ERROR);
}

static int
on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct http2 *h = arg;

	(void)ng;
	http2_trace_begin(h, WK_TRACE_FRAME_SENT, &frame->hd);
	http2_trace_frame(h, WK_TRACE_FRAME_SENT, frame);
	if ((frame->hd.type == NGHTTP2_DATA ||
	    frame->hd.type == NGHTTP2_HEADERS) &&
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
		sent_end(h, frame->hd.stream_id);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		http2_goaway_sent(h, &frame->goaway);
	return 0;
}

/* A head that nghttp2 could not send after all. */
static int
on_frame_not_sent(nghttp2_session *ng, const nghttp2_frame *frame, int error,
    void *arg)
{
	struct http2 *h = arg;
	struct http2_stream *s = http2_stream_find(h, frame->hd.stream_id);

	(void)ng;
	if (frame->hd.type == NGHTTP2_HEADERS && s != NULL &&
	    h->base.is_server)
		wk_stream_reset(&s->base, WK_STREAM_INTERNAL,
		    nghttp2_strerror(error));
	return 0;
}

void
http2_send_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks,
	    on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks,
	    on_frame_not_sent);
}

void
http2_pump(struct http2 *h)
{
	const uint8_t *data;
	ssize_t n;

	while (pending(h) < HTTP2_OUTPUT_TARGET) {
		n = nghttp2_session_mem_send(h->ng, &data);
		if (n == 0)
			return;
		if (n < 0 || wk_buf_append(&h->out, data, (size_t)n) != WK_OK) {
			h->is_lost = true;	/* memory: nothing else can be */
			http2_fail(h, WK_E_NOMEM, NGHTTP2_INTERNAL_ERROR,
			    "no memory");
			return;
		}
	}
}

int32_t
http2_window(const struct http2 *h, uint64_t stream_id)
{
	return stream_id == 0 ? nghttp2_session_get_remote_window_size(h->ng) :
	    nghttp2_session_get_stream_remote_window_size(h->ng,
	    (int32_t)stream_id);
}

/* Could a frame of this stream go out now? */
static bool
is_open(const struct http2 *h, const struct http2_stream *s)
{
	return http2_window(h, 0) > 0 && http2_window(h, s->base.id) > 0;
}

static void
send_of(struct http2 *h, struct http2_stream *s)
{
	/* Alone it need not share. */
	s->credit = h->n_ready == 1 ? SIZE_MAX : 1;
	nghttp2_session_resume_data(h->ng, (int32_t)s->base.id);
	http2_pump(h);
	/* It may be over, but its memory stays until http2_leave(). */
	s->credit = 0;
}

void
http2_fill(struct http2 *h)
{
	struct http2_stream *s;
	size_t stuck = 0, before;

	if (h->out_at > 0 && pending(h) > 0)
		memmove(h->out.data, h->out.data + h->out_at, pending(h));
	h->out.len = pending(h);
	h->out_at = 0;
	http2_pump(h);
	while (pending(h) < HTTP2_OUTPUT_TARGET && stuck < h->n_ready) {
		s = h->ready_first;
		before = h->out.len;
		if (is_open(h, s))
			send_of(h, s);
		stuck = h->out.len == before ? stuck + 1 : 0;
		if (!s->is_ready)
			continue;
		http2_unready(s);
		if (has_output(s))
			http2_ready(s);
	}
}
