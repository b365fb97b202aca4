/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

/* Read with no attention to what it means; false: the connection failed. */
static bool
decode(struct http3 *h, enum wk_head_kind kind, const uint8_t *block,
    size_t len)
{
	int rc;

	wk_head_start(&h->head, kind);
	rc = http3_decode(h, block, len);
	if (rc == WK_E_MALFORMED)
		http3_fail(h, WK_H3ERROR_QPACK_DECOMPRESSION_FAILED,
		    "a field section cannot be read");
	else if (rc != WK_OK)
		http3_fail(h, WK_H3ERROR_INTERNAL, "no memory for a head");
	return rc == WK_OK;
}

/* --- requests ------------------------------------------------------------- */

/* Too long or with too many fields: said in words of HTTP (RFC 6585). */
static void
refuse_long(struct http3_stream *s)
{
	const struct wk_message m = { .status = 431 };

	if (http3_send_head(s, &m) != WK_OK) {
		http3_stream_abort(s, WK_H3ERROR_EXCESSIVE_LOAD);
		return;
	}
	wk_session_trace_head(s->base.session, WK_TRACE_SENT, s->base.id, &m);
	s->is_finished = true;
	http3_flush(s);
	http3_stream_stop(s, WK_H3ERROR_NO_ERROR);
	s->base.is_over = true;
}

/* A request that the owner never hears of. */
static void
refuse(struct http3_stream *s, const struct wk_error *error)
{
	struct http3 *h = http3_of(&s->base);

	http3_head_ends(s);
	wk_session_trace(&h->base, WK_TRACE_NOTE, s->base.id,
	    "request refused: %s", error->reason);
	if (error->status == WK_E_LIMIT)
		refuse_long(s);
	else
		http3_stream_abort(s, error->status == WK_E_NOMEM ?
		    WK_H3ERROR_INTERNAL : WK_H3ERROR_MESSAGE);
	http3_spend_reset(h);
}

/* What is wrong with a request, if anything. */
static int
check_request(struct http3 *h, struct wk_message *m, bool is_end,
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
request_arrived(struct http3_stream *s, bool is_end)
{
	struct http3 *h = http3_of(&s->base);
	struct wk_error error;
	struct wk_message m;

	if (check_request(h, &m, is_end, &error) != WK_OK) {
		refuse(s, &error);
		return;
	}
	s->has_met = true;
	http3_stream_attach(s, &m);
	s->has_announced = wk_message_content_length(&m, &s->announced) == 1;
	wk_session_trace_head(&h->base, WK_TRACE_RECEIVED, s->base.id, &m);
	if (h->base.handler->request != NULL)
		h->base.handler->request(&h->base, &s->base, &m);
	if (!h->is_deleted && s->base.handler == NULL && !s->has_head)
		wk_stream_reset(&s->base, WK_STREAM_CANCEL,
		    "nobody wants this request");
}

/* --- responses ------------------------------------------------------------ */

/* The final head of a response: what it opens, and what may follow it. */
static int
take_final(struct http3_stream *s, struct wk_message *m,
    struct wk_error *error)
{
	int rc = WK_OK;

	s->has_head = s->has_met = true;
	if (s->is_extended)
		rc = wk_message_tunnel_answer(m, error);
	else if (s->is_tunnel && m->status / 100 != 2)
		rc = WK_E_UNSUPPORTED;
	if (rc == WK_E_MALFORMED)
		return rc;
	if (s->is_tunnel && rc == WK_OK) {
		m->opens_tunnel = true;
		s->is_open = true;
		s->may_write = !s->has_reset;
		return WK_OK;	/* no length: RFC 9110, section 9.3.6 */
	}
	if (s->is_tunnel) {
		/* Refused: nothing of ours will follow the request. */
		s->is_finished = true;
		http3_send_end(s);
		http3_datagrams_drop(http3_of(&s->base), s->base.id);
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
response_arrived(struct http3_stream *s, bool is_end)
{
	struct http3 *h = http3_of(&s->base);
	struct wk_error error;
	struct wk_message m;

	if (wk_head_finish(&h->head, &m, &error) != WK_OK) {
		if (error.status == WK_E_MALFORMED)
			http3_stream_malformed(s, error.reason);
		else
			wk_stream_reset(&s->base, error.status == WK_E_LIMIT ?
			    WK_STREAM_OVERLOAD : WK_STREAM_INTERNAL,
			    error.reason);
		return;
	}
	wk_session_trace_head(&h->base, WK_TRACE_RECEIVED, s->base.id, &m);
	if (m.status < 200 && is_end) {
		http3_stream_malformed(s, "a 1xx response ends the stream");
		return;
	}
	if (m.status >= 200 && take_final(s, &m, &error) != WK_OK) {
		http3_stream_malformed(s, error.reason);
		return;
	}
	wk_stream_deliver_head(&s->base, &m);
	if (s->is_extended && !http3_is_over(h))
		http3_datagrams_deliver(s);
}

/* Looked at and dropped: nobody above asks for them. */
static void
trailers_arrived(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);
	struct wk_error error;
	struct wk_message m;

	s->has_trailers = true;
	if (wk_head_finish(&h->head, &m, &error) != WK_OK)
		http3_stream_malformed(s, error.reason);
}

void
http3_head_arrived(struct http3_stream *s, const uint8_t *block, size_t len,
    bool is_end)
{
	struct http3 *h = http3_of(&s->base);
	enum wk_head_kind kind = s->has_met ? WK_HEAD_TRAILERS :
	    h->base.is_server ? WK_HEAD_REQUEST : WK_HEAD_RESPONSE;

	if (!decode(h, kind, block, len))
		return;
	if (kind == WK_HEAD_REQUEST)
		request_arrived(s, is_end);
	else if (kind == WK_HEAD_RESPONSE)
		response_arrived(s, is_end);
	else
		trailers_arrived(s);
}

void
http3_head_too_long(struct http3_stream *s)
{
	struct wk_error error;

	wk_error_set(&error, WK_E_LIMIT, 0, "a head is too long");
	if (!s->is_attached)
		refuse(s, &error);
	else
		wk_stream_reset(&s->base, WK_STREAM_OVERLOAD, error.reason);
}
