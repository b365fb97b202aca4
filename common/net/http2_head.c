/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

#include <stdlib.h>

/*
 * What compressors must never remember (RFC 7541, section 7.1.3), and nghttp2
 * does not know by itself, as it knows Authorization.
 */
static bool
is_secret(struct wk_str name)
{
	return wk_str_is(name, "proxy-authorization");
}

static uint8_t *
copy_text(uint8_t **at, struct wk_str text)
{
	uint8_t *copy = *at;

	if (text.len > 0)
		memcpy(copy, text.at, text.len);
	*at += text.len;
	return copy;
}

struct http2_lines *
http2_lines_new(const struct wk_message *m)
{
	struct http2_lines *lines = NULL;
	struct wk_field *fields;
	size_t i, n, text = 0;
	char status[4];
	uint8_t *at;

	fields = calloc(WK_HEAD_PSEUDO_MAX + m->n_fields, sizeof(*fields));
	if (fields == NULL)
		return NULL;
	n = wk_head_lines(m, status, fields);
	for (i = 0; i < n; i++)
		text += fields[i].name.len + fields[i].value.len;
	lines = malloc(sizeof(*lines) + n * sizeof(*lines->nv) + text);
	if (lines == NULL)
		goto out;
	lines->nv = (nghttp2_nv *)(void *)(lines + 1);
	lines->n = n;
	at = (uint8_t *)(lines->nv + n);
	for (i = 0; i < n; i++)
		lines->nv[i] = (nghttp2_nv){
			.name = copy_text(&at, fields[i].name),
			.namelen = fields[i].name.len,
			.value = copy_text(&at, fields[i].value),
			.valuelen = fields[i].value.len,
			.flags = is_secret(fields[i].name) ?
			    NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE,
		};
out:
	free(fields);
	return lines;
}

void
http2_lines_del(struct http2_lines *lines)
{
	free(lines);
}

/* Too long or with too many fields: said in words of HTTP (RFC 6585). */
static void
refuse_long(struct http2 *h, int32_t id)
{
	const struct wk_message m = { .status = 431 };
	struct http2_lines *lines = http2_lines_new(&m);

	if (lines == NULL || nghttp2_submit_response(h->ng, id, lines->nv,
	    lines->n, NULL) != 0)
		nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id,
		    NGHTTP2_ENHANCE_YOUR_CALM);
	else
		wk_session_trace_head(&h->base, WK_TRACE_SENT, (uint64_t)id,
		    &m);
	http2_lines_del(lines);
}

/* A request that the owner never hears of. */
static void
refuse(struct http2 *h, int32_t id, const struct wk_error *error)
{
	wk_session_trace(&h->base, WK_TRACE_NOTE, (uint64_t)id,
	    "request refused: %s", error->reason);
	if (error->status == WK_E_LIMIT)
		refuse_long(h, id);
	else
		nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id,
		    error->status == WK_E_NOMEM ? NGHTTP2_INTERNAL_ERROR :
		    NGHTTP2_PROTOCOL_ERROR);
	http2_spend_reset(h);
}

/* What is wrong with a request, if anything. */
static int
check_request(struct http2 *h, struct wk_message *m, bool is_end,
    struct wk_error *error)
{
	uint64_t length;
	int rc = wk_head_finish(&h->head, m, error);

	if (rc == WK_OK && wk_message_is_tunnel_request(m))
		rc = wk_message_check_tunnel_fields(m, error);
	if (rc == WK_OK && is_end &&
	    wk_message_content_length(m, &length) == 1 && length != 0)
		rc = wk_error_set(error, WK_E_MALFORMED, 0,
		    "a body is announced and does not come");
	return rc;
}

static void
request_arrived(struct http2 *h, int32_t id, bool is_end)
{
	struct http2_stream *s;
	struct wk_error error;
	struct wk_message m;

	if (check_request(h, &m, is_end, &error) != WK_OK) {
		refuse(h, id, &error);
		return;
	}
	s = http2_stream_new(h, (uint64_t)id, &m);
	if (s == NULL) {
		wk_error_set(&error, WK_E_NOMEM, 0, "no memory for a stream");
		refuse(h, id, &error);
		return;
	}
	s->is_submitted = true;
	s->has_announced = wk_message_content_length(&m, &s->announced) == 1;
	nghttp2_session_set_stream_user_data(h->ng, id, s);
	wk_session_trace_head(&h->base, WK_TRACE_RECEIVED, s->base.id, &m);
	if (h->base.handler->request != NULL)
		h->base.handler->request(&h->base, &s->base, &m);
	if (s->base.handler == NULL && !s->has_head)
		wk_stream_reset(&s->base, WK_STREAM_CANCEL,
		    "nobody wants this request");
	if (is_end)
		http2_stream_received_end(s);
}

/* The final head of a response: what it opens, and what may follow it. */
static int
take_final(struct http2_stream *s, struct wk_message *m,
    struct wk_error *error)
{
	int rc = WK_OK;

	s->has_head = true;
	if (s->is_extended)
		rc = wk_message_tunnel_answer(m, error);
	else if (s->is_tunnel && m->status / 100 != 2)
		rc = WK_E_UNSUPPORTED;
	if (rc == WK_E_MALFORMED)
		return rc;
	if (s->is_tunnel && rc == WK_OK) {
		m->opens_tunnel = true;
		s->may_write = true;
		return WK_OK;	/* no length: RFC 9110, section 9.3.6 */
	}
	if (s->is_tunnel) {
		/* Refused: nothing of ours will follow the request. */
		s->is_finished = true;
		http2_ready(s);
	}
	if (s->is_head_request || m->status == 204 || m->status == 304) {
		s->has_announced = true;	/* nothing, whatever it says */
		s->announced = 0;
		return WK_OK;
	}
	s->has_announced = wk_message_content_length(m, &s->announced) == 1;
	return WK_OK;	/* the length is compared where the stream ends */
}

static void
response_arrived(struct http2 *h, struct http2_stream *s, bool is_end)
{
	struct wk_error error;
	struct wk_message m;

	if (wk_head_finish(&h->head, &m, &error) != WK_OK) {
		if (error.status == WK_E_MALFORMED)
			http2_stream_malformed(s, error.reason);
		else
			wk_stream_reset(&s->base, error.status == WK_E_LIMIT ?
			    WK_STREAM_OVERLOAD : WK_STREAM_INTERNAL,
			    error.reason);
		return;
	}
	wk_session_trace_head(&h->base, WK_TRACE_RECEIVED, s->base.id, &m);
	if (m.status < 200 && is_end) {
		http2_stream_malformed(s, "a 1xx response ends the stream");
		return;
	}
	if (m.status >= 200 && take_final(s, &m, &error) != WK_OK) {
		http2_stream_malformed(s, error.reason);
		return;
	}
	wk_stream_deliver_head(&s->base, &m);
	if (is_end)
		http2_stream_received_end(s);
}

/* Looked at and dropped: nobody above asks for them. */
static void
trailers_arrived(struct http2 *h, struct http2_stream *s, bool is_end)
{
	struct wk_error error;
	struct wk_message m;

	if (s->is_tunnel && (h->base.is_server || s->may_write))
		http2_stream_malformed(s, "a field section inside a tunnel");
	else if (wk_head_finish(&h->head, &m, &error) != WK_OK)
		http2_stream_malformed(s, error.reason);
	else if (!is_end)
		http2_stream_malformed(s, "trailers do not end the stream");
	else
		http2_stream_received_end(s);
}

void
http2_head_arrived(struct http2 *h, const nghttp2_frame *frame)
{
	struct http2_stream *s = http2_stream_find(h, frame->hd.stream_id);
	bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	if (!h->head_is_wanted)
		return;
	h->head_is_wanted = false;
	if (h->head.kind == WK_HEAD_REQUEST)
		request_arrived(h, frame->hd.stream_id, is_end);
	else if (s == NULL)
		return;
	else if (h->head.kind == WK_HEAD_RESPONSE)
		response_arrived(h, s, is_end);
	else
		trailers_arrived(h, s, is_end);
}
