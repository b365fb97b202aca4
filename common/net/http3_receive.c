/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include <stdio.h>
#include <stdlib.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Unidirectional streams of the peer's at once; the transport allows fewer. */
#define UNIS_MAX 100

/* --- unidirectional streams, by their first number ------------------------ */

static void
push_data(struct http3 *h, uint64_t id, const uint8_t *data, size_t len,
    bool is_last)
{
	(void)id;
	(void)data;
	(void)len;
	(void)is_last;
	if (h->base.is_server)
		http3_fail(h, WK_H3ERROR_STREAM_CREATION,
		    "a push stream from a client");
	else
		http3_fail(h, WK_H3ERROR_ID, "a push that was not allowed");
}

static const struct http3_claim own_claims[] = {
	{ .type = WK_H3STREAM_CONTROL, .is_uni = true,
	    .data = http3_control_data, .was_reset = http3_critical_closed },
	{ .type = WK_H3STREAM_PUSH, .is_uni = true, .data = push_data },
	{ .type = WK_H3STREAM_QPACK_ENCODER, .is_uni = true,
	    .data = http3_encoder_data, .was_reset = http3_critical_closed },
	{ .type = WK_H3STREAM_QPACK_DECODER, .is_uni = true,
	    .data = http3_decoder_data, .was_reset = http3_critical_closed },
};

int
http3_claim(struct http3 *h, const struct http3_claim *claim)
{
	if (h->n_claims == HTTP3_CLAIMS_MAX)
		return WK_E_LIMIT;
	h->claims[h->n_claims++] = claim;
	return WK_OK;
}

static const struct http3_claim *
find_claim(const struct http3 *h, uint64_t type, bool is_uni)
{
	size_t i;

	for (i = 0; i < N(own_claims); i++)
		if (own_claims[i].type == type && is_uni)
			return &own_claims[i];
	for (i = 0; i < h->n_claims; i++)
		if (h->claims[i]->type == type &&
		    h->claims[i]->is_uni == is_uni)
			return h->claims[i];
	return NULL;
}

static bool
has_bidi_claims(const struct http3 *h)
{
	size_t i;

	for (i = 0; i < h->n_claims; i++)
		if (!h->claims[i]->is_uni)
			return true;
	return false;
}

static struct http3_uni **
find_uni(struct http3 *h, uint64_t id)
{
	struct http3_uni **at = &h->unis;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void
uni_del(struct http3 *h, uint64_t id)
{
	struct http3_uni **at = find_uni(h, id), *uni = *at;

	if (uni == NULL)
		return;
	*at = uni->next;
	h->n_unis--;
	free(uni);
}

void
http3_unis_free(struct http3 *h)
{
	while (h->unis != NULL)
		uni_del(h, h->unis->id);
}

static struct http3_uni *
uni_new(struct http3 *h, uint64_t id)
{
	struct http3_uni *uni;

	if (h->n_unis == UNIS_MAX) {
		http3_fail(h, WK_H3ERROR_EXCESSIVE_LOAD,
		    "too many unidirectional streams");
		return NULL;
	}
	uni = calloc(1, sizeof(*uni));
	if (uni == NULL) {
		http3_fail(h, WK_H3ERROR_INTERNAL, "no memory for a stream");
		return NULL;
	}
	uni->id = id;
	uni->next = h->unis;
	h->unis = uni;
	h->n_unis++;
	return uni;
}

/* There is one of each, and no second (RFC 9114, 6.2.1; RFC 9204, 4.2). */
static bool
is_second(struct http3 *h, uint64_t type)
{
	bool *has = type == WK_H3STREAM_QPACK_ENCODER ? &h->has_encoder :
	    &h->has_decoder;
	bool had = *has;

	if (type == WK_H3STREAM_CONTROL)
		return h->control.is_open;
	if (type != WK_H3STREAM_QPACK_ENCODER &&
	    type != WK_H3STREAM_QPACK_DECODER)
		return false;
	*has = true;
	return had;
}

/* The type of a stream is known. False: nobody wants it. */
static bool
uni_begins(struct http3 *h, struct http3_uni *uni, uint64_t type)
{
	const char *name = wk_h3stream_name(type);

	if (name != NULL)
		wk_session_trace(&h->base, WK_TRACE_FRAME_RECEIVED, uni->id,
		    "%s stream", name);
	else
		wk_session_trace(&h->base, WK_TRACE_FRAME_RECEIVED, uni->id,
		    "stream of type 0x%llx", (unsigned long long)type);
	if (is_second(h, type)) {
		http3_fail(h, WK_H3ERROR_STREAM_CREATION,
		    "a second stream of a kind that there is one of");
		return false;
	}
	uni->claim = find_claim(h, type, true);
	if (uni->claim != NULL)
		return true;
	h->transport->ops->stop(h->transport, uni->id,
	    WK_H3ERROR_STREAM_CREATION);
	http3_spend_chatter(h);
	return false;
}

static void
uni_data(struct http3 *h, uint64_t id, const uint8_t *data, size_t len,
    bool is_last)
{
	struct http3_uni *uni = *find_uni(h, id);
	size_t all = len;
	uint64_t type;

	if (uni == NULL && (uni = uni_new(h, id)) == NULL)
		return;
	if (uni->claim == NULL) {
		bool is_known = wk_varint_read(&uni->num, &data, &len,
		    &type) > 0;

		if (all > len)
			h->transport->ops->consume(h->transport, id, all - len);
		if (!is_known) {
			/* Ended before it said what it is: nothing at all. */
			if (is_last)
				uni_del(h, id);
			return;
		}
		if (!uni_begins(h, uni, type)) {
			uni_del(h, id);
			return;
		}
	}
	uni->claim->data(h, id, data, len, is_last);
	if (is_last)
		uni_del(h, id);
}

void
http3_critical_closed(struct http3 *h, uint64_t id, uint64_t code)
{
	(void)id;
	(void)code;
	http3_fail(h, WK_H3ERROR_CLOSED_CRITICAL_STREAM,
	    "a stream was closed that HTTP/3 needs");
}

/* --- requests and responses, frame by frame ------------------------------- */

static void
unexpected(struct http3_stream *s, uint64_t type, const char *why)
{
	const char *name = wk_h3frame_name(type);
	char reason[80];

	snprintf(reason, sizeof(reason), "%s %s",
	    name != NULL ? name : "a frame of HTTP/2", why);
	http3_fail(http3_of(&s->base), WK_H3ERROR_FRAME_UNEXPECTED, reason);
}

static void
data_begins(struct http3_stream *s, const struct wk_h3frame *f)
{
	if (!s->has_met)
		unexpected(s, f->type, "before HEADERS");
	else if (s->has_trailers)
		unexpected(s, f->type, "behind the trailers");
	else if (f->length > 0)
		http3_refund_chatter(http3_of(&s->base));
	else
		http3_spend_chatter(http3_of(&s->base));
}

static bool
is_in_tunnel(const struct http3_stream *s)
{
	return s->is_tunnel && (s->base.session->is_server || s->is_open);
}

static void
headers_begin(struct http3_stream *s, const struct wk_h3frame *f)
{
	if (s->has_trailers) {
		unexpected(s, f->type, "behind the trailers");
	} else if (is_in_tunnel(s)) {
		unexpected(s, f->type, "inside a tunnel");
	} else if (f->length > s->base.session->limits.max_head) {
		s->is_skipping = true;
		http3_head_too_long(s);
	} else {
		http3_head_begins(s);
	}
}

/*
 * What begins as no request does, and whoever may want it. The reader took the
 * number behind the type for a length: it goes first.
 */
static bool
is_foreign(struct http3_stream *s, const struct wk_h3frame *f)
{
	uint8_t number[WK_VARINT_OCTETS_MAX];
	struct http3 *h = http3_of(&s->base);
	size_t len;

	if (f->offset != 0 || s->is_attached)
		return false;
	s->claim = find_claim(h, f->type, false);
	if (s->claim != NULL) {
		http3_head_ends(s);
		len = wk_varint_encode(number, f->length, f->length_octets);
		s->claim->data(h, s->base.id, number, len, false);
		return true;
	}
	if (h->base.is_server && f->type != WK_H3FRAME_WEBTRANSPORT)
		return false;
	wk_session_trace(&h->base, WK_TRACE_NOTE, s->base.id,
	    "a stream that nobody asked for");
	http3_stream_abort(s, WK_H3ERROR_STREAM_CREATION);
	http3_spend_reset(h);
	return true;
}

static void
frame_begins(struct http3_stream *s, const struct wk_h3frame *f)
{
	struct http3 *h = http3_of(&s->base);

	http3_trace_frame(h, WK_TRACE_FRAME_RECEIVED, s->base.id, f->type,
	    f->length);
	s->is_skipping = false;
	if (is_foreign(s, f))
		return;
	switch (f->type) {
	case WK_H3FRAME_DATA:
		data_begins(s, f);
		break;
	case WK_H3FRAME_HEADERS:
		headers_begin(s, f);
		break;
	case WK_H3FRAME_PUSH_PROMISE:
		if (!h->base.is_server) {
			http3_fail(h, WK_H3ERROR_ID,
			    "a push that was not allowed");
			break;
		}
		/* fall through */
	case WK_H3FRAME_CANCEL_PUSH:
	case WK_H3FRAME_SETTINGS:
	case WK_H3FRAME_GOAWAY:
	case WK_H3FRAME_MAX_PUSH_ID:
		unexpected(s, f->type, "on a request's stream");
		break;
	default:
		if (wk_h3frame_is_reserved(f->type))
			unexpected(s, f->type, "on a request's stream");
		else
			http3_spend_chatter(h);
		break;
	}
}

static void
frame_payload(struct http3_stream *s, const struct wk_h3frame *f)
{
	if (s->is_skipping)
		return;
	if (f->type == WK_H3FRAME_DATA)
		http3_stream_received(s, f->data, f->data_len);
	else if (f->type != WK_H3FRAME_HEADERS)
		return;
	else if (f->data_len == f->length)
		s->whole_block = f->data;	/* END comes at once */
	else if (wk_buf_append(&s->block, f->data, f->data_len) != WK_OK)
		http3_fail(http3_of(&s->base), WK_H3ERROR_INTERNAL,
		    "no memory for a head");
}

static void
headers_end(struct http3_stream *s, const struct wk_h3frame *f, bool is_end)
{
	struct wk_buf block = s->block;

	wk_buf_init(&s->block, block.max);
	http3_head_ends(s);
	http3_head_arrived(s, s->whole_block != NULL ? s->whole_block :
	    block.data, (size_t)f->length, is_end);
	s->whole_block = NULL;
	wk_buf_free(&block);
}

static bool
is_read(const struct http3_stream *s)
{
	return !http3_is_over(http3_of(&s->base)) && !s->base.is_over &&
	    !s->has_stopped;
}

static void
stream_ends(struct http3_stream *s)
{
	struct wk_error error;

	if (wk_h3frame_reader_finish(&s->reader, &error) != WK_OK)
		http3_fail(http3_of(&s->base), WK_H3ERROR_FRAME, error.reason);
	else
		http3_stream_received_end(s);
}

static void
request_data(struct http3_stream *s, const uint8_t *data, size_t len,
    bool is_last)
{
	struct http3 *h = http3_of(&s->base);
	enum wk_h3frame_event event;
	size_t before, overhead = 0, claimed = 0;
	struct wk_h3frame f;

	while (s->claim == NULL && is_read(s)) {
		before = len;
		event = wk_h3frame_read(&s->reader, &data, &len, &f);
		/* What DATA carries is consumed by whom it is for. */
		if (event != WK_H3FRAME_PAYLOAD || f.type != WK_H3FRAME_DATA ||
		    s->is_skipping)
			overhead += before - len;
		if (event == WK_H3FRAME_MORE)
			break;
		if (event == WK_H3FRAME_START)
			frame_begins(s, &f);
		if (s->claim != NULL) {
			claimed = f.length_octets;
			break;
		}
		if (event == WK_H3FRAME_START)
			continue;
		if (event == WK_H3FRAME_PAYLOAD)
			frame_payload(s, &f);
		else if (f.type == WK_H3FRAME_HEADERS && !s->is_skipping)
			headers_end(s, &f, is_last && len == 0);
	}
	if (overhead > 0 && is_read(s))
		h->transport->ops->consume(h->transport, s->base.id,
		    overhead - claimed);
	if (s->claim != NULL && is_read(s) && (len > 0 || is_last))
		s->claim->data(h, s->base.id, data, len, is_last);
	else if (is_last && is_read(s))
		stream_ends(s);
}

/* --- streams of the transport --------------------------------------------- */

/* A stream of the peer's that was not there before. NULL: it is refused. */
static struct http3_stream *
stream_begins(struct http3 *h, uint64_t id)
{
	struct http3_stream *s;

	if (!h->base.is_server && !has_bidi_claims(h)) {
		http3_fail(h, WK_H3ERROR_STREAM_CREATION,
		    "a bidirectional stream from the server");
		return NULL;
	}
	s = http3_stream_new(h);
	if (s == NULL) {
		http3_fail(h, WK_H3ERROR_INTERNAL, "no memory for a stream");
		return NULL;
	}
	http3_stream_wire(s, id);
	if ((h->drain == HTTP3_DRAIN_LAST && id >= h->next_id) ||
	    h->n_open >= h->base.limits.max_streams) {
		http3_stream_abort(s, WK_H3ERROR_REQUEST_REJECTED);
		http3_spend_reset(h);
		return s;
	}
	s->is_counted = true;
	h->n_open++;
	if (id >= h->next_id)
		h->next_id = id + 4;
	http3_head_begins(s);
	return s;
}

static struct http3_stream *
stream_of(struct http3 *h, uint64_t id)
{
	struct http3_stream *s = http3_stream_find(h, id);

	if (s == NULL && wk_transport_is_by_server(id) != h->base.is_server)
		s = stream_begins(h, id);
	return s;
}

void
http3_data(void *arg, uint64_t id, const uint8_t *data, size_t len,
    bool is_last)
{
	struct http3 *h = arg;
	struct http3_stream *s;

	if (http3_is_over(h))
		return;
	if (wk_transport_is_uni(id)) {
		uni_data(h, id, data, len, is_last);
		return;
	}
	s = stream_of(h, id);
	if (s != NULL && is_read(s))
		request_data(s, data, len, is_last);
}

void
http3_was_reset(void *arg, uint64_t id, uint64_t code)
{
	struct http3 *h = arg;
	struct http3_stream *s;
	struct http3_uni *uni;
	char reason[WK_ERROR_REASON_MAX], buffer[32];

	if (http3_is_over(h))
		return;
	if (wk_transport_is_uni(id)) {
		uni = *find_uni(h, id);
		if (uni != NULL && uni->claim != NULL &&
		    uni->claim->was_reset != NULL)
			uni->claim->was_reset(h, id, code);
		uni_del(h, id);
		return;
	}
	s = stream_of(h, id);
	if (s != NULL && s->claim != NULL && s->claim->was_reset != NULL)
		s->claim->was_reset(h, id, code);
	if (s == NULL || !is_read(s) || s->has_received_end ||
	    s->claim != NULL)
		return;
	snprintf(reason, sizeof(reason), "the peer sent %s",
	    http3_error_text(code, buffer));
	wk_session_trace(&h->base, WK_TRACE_FRAME_RECEIVED, id,
	    "RESET_STREAM %s", http3_error_text(code, buffer));
	if (!s->has_head)
		http3_spend_reset(h);
	s->has_stopped = true;		/* there is nothing to be stopped */
	http3_stream_end(s, http3_code_in(code), false, code, reason);
	http3_stream_abort(s, WK_H3ERROR_REQUEST_CANCELLED);
}

void
http3_was_stopped(void *arg, uint64_t id, uint64_t code)
{
	struct http3 *h = arg;
	struct http3_stream *s = http3_stream_find(h, id);
	char reason[WK_ERROR_REASON_MAX], buffer[32];

	if (http3_is_over(h))
		return;
	if (h->has_control && id == h->control_id) {
		http3_critical_closed(h, id, code);
		return;
	}
	if (s == NULL && !wk_transport_is_uni(id))
		s = stream_of(h, id);
	if (s != NULL && s->claim != NULL && s->claim->was_stopped != NULL)
		s->claim->was_stopped(h, id, code);
	if (s == NULL || s->base.is_over || s->has_reset || s->claim != NULL)
		return;
	wk_session_trace(&h->base, WK_TRACE_FRAME_RECEIVED, id,
	    "STOP_SENDING %s", http3_error_text(code, buffer));
	s->has_reset = true;
	/* The response is what counts (RFC 9114, section 4.1). */
	if (!h->base.is_server &&
	    (s->is_finished || code == WK_H3ERROR_NO_ERROR)) {
		s->was_stopped = !s->is_finished;
		s->writes_nowhere = s->may_write && !s->is_finished;
		s->may_write = false;
		wk_buf_free(&s->unsent);
		return;
	}
	snprintf(reason, sizeof(reason), "the peer sent %s",
	    http3_error_text(code, buffer));
	http3_stream_end(s, http3_code_in(code), false, code, reason);
	http3_stream_stop(s, WK_H3ERROR_REQUEST_CANCELLED);
}

void
http3_gone(void *arg, uint64_t id)
{
	struct http3 *h = arg;
	struct http3_stream *s;

	if (wk_transport_is_uni(id)) {
		uni_del(h, id);
		return;
	}
	s = http3_stream_find(h, id);
	if (s == NULL || h->is_deleted)
		return;
	s->is_gone = true;
	if (s->claim != NULL && s->claim->gone != NULL)
		s->claim->gone(h, id);
	http3_stream_settle(s);
}
