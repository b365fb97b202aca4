/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include <stdio.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* --- ours ----------------------------------------------------------------- */

void
http3_control_flush(struct http3 *h)
{
	struct wk_buf *b = &h->control_out;
	const struct iovec part = { b->data, b->len };
	ssize_t n;

	if (!h->has_control || b->len == 0)
		return;
	n = h->transport->ops->write(h->transport, h->control_id, &part, 1);
	if (n <= 0)
		return;
	b->len -= (size_t)n;
	if (b->len > 0)
		memmove(b->data, b->data + n, b->len);
	else
		wk_buf_free(b);
}

static void
say_settings(struct http3 *h)
{
	const struct wk_session_limits *limits = &h->base.limits;
	struct wk_h3setting list[4];
	size_t n = 0;

	list[n++] = (struct wk_h3setting){ WK_H3SETTING_MAX_FIELD_SECTION_SIZE,
		limits->max_head < WK_VARINT_MAX ? limits->max_head :
		WK_VARINT_MAX };
	if (h->base.is_server)
		list[n++] = (struct wk_h3setting){
			WK_H3SETTING_ENABLE_CONNECT_PROTOCOL, 1 };
	if (!limits->has_no_datagrams)
		list[n++] = (struct wk_h3setting){
			WK_H3SETTING_H3_DATAGRAM, 1 };
	/* One that means nothing, another one each time (section 7.2.4.1). */
	list[n++] = (struct wk_h3setting){
		wk_h3frame_grease(h->began_ns * 0x9e3779b97f4a7c15u >> 40),
		h->began_ns & 0x3f };
	wk_varint_append(&h->control_out, WK_H3STREAM_CONTROL, 0);
	wk_h3settings_append(&h->control_out, list, n);
	http3_trace_settings(h, WK_TRACE_FRAME_SENT, list, n);
}

int
http3_control_open(struct http3 *h)
{
	int rc;

	if (h->has_control)
		return WK_OK;
	rc = h->transport->ops->open(h->transport, true, &h->control_id);
	if (rc == WK_E_LIMIT || rc == WK_E_INVALID)
		return WK_OK;	/* streams_free comes, or closed does */
	if (rc != WK_OK)
		return rc;
	h->has_control = true;
	say_settings(h);
	if (h->control_out.status != WK_OK)
		return WK_E_NOMEM;
	http3_control_flush(h);
	return WK_OK;
}

void
http3_control_goaway(struct http3 *h, uint64_t id)
{
	http3_trace_id(h, WK_TRACE_FRAME_SENT, WK_H3FRAME_GOAWAY, id);
	wk_h3id_append(&h->control_out, WK_H3FRAME_GOAWAY, id);
	http3_control_flush(h);
	http3_wake(h);
}

/* --- the peer's ----------------------------------------------------------- */

static void
take_settings(struct http3 *h)
{
	const struct wk_h3settings *s = &h->settings;
	bool has_datagrams =
	    wk_h3settings_value(s, WK_H3SETTING_H3_DATAGRAM, 0) == 1;

	http3_trace_settings(h, WK_TRACE_FRAME_RECEIVED, s->list, s->n);
	if (has_datagrams && !h->base.limits.has_no_datagrams &&
	    h->transport->ops->datagram_max(h->transport) == 0) {
		http3_fail(h, WK_H3ERROR_SETTINGS, "H3_DATAGRAM without "
		    "QUIC's max_datagram_frame_size");
		return;
	}
	h->is_settled = true;
	h->has_frames = has_datagrams && !h->base.limits.has_no_datagrams;
	h->has_connect = wk_h3settings_value(s,
	    WK_H3SETTING_ENABLE_CONNECT_PROTOCOL, 0) == 1;
	http3_submit_waiting(h);
}

/* Why settings are wrong, and by which code. */
static void
settings_failed(struct http3 *h)
{
	const struct wk_error *error = &h->settings.error;

	http3_fail(h, error->status == WK_E_LIMIT ? WK_H3ERROR_EXCESSIVE_LOAD :
	    error->status == WK_E_TRUNCATED ? WK_H3ERROR_FRAME :
	    WK_H3ERROR_SETTINGS, error->reason);
}

static void
goaway_arrived(struct http3 *h, uint64_t id)
{
	struct http3_control *c = &h->control;
	struct wk_stream *s;

	if (!h->base.is_server && id % 4 != 0) {
		http3_fail(h, WK_H3ERROR_ID, "GOAWAY with an id that is no "
		    "request's");
		return;
	}
	if (c->has_goaway && id > c->goaway) {
		http3_fail(h, WK_H3ERROR_ID, "GOAWAY with a larger id than "
		    "before");
		return;
	}
	c->has_goaway = true;
	c->goaway = id;
	if (!h->is_draining) {
		h->is_draining = true;
		if (h->base.handler->draining != NULL)
			h->base.handler->draining(&h->base);
	}
	if (h->base.is_server || http3_is_over(h))
		return;
	/* Those were not looked at, and may be tried again. */
	for (s = h->base.streams; s != NULL; s = s->next) {
		struct http3_stream *x = (struct http3_stream *)(void *)s;

		if (s->is_over || (x->is_wired && s->id < id))
			continue;
		http3_stream_end(x, WK_STREAM_REFUSED, false,
		    WK_H3ERROR_REQUEST_REJECTED,
		    "the peer takes no more requests");
		if (x->is_wired)
			http3_stream_abort(x, WK_H3ERROR_REQUEST_CANCELLED);
	}
}

static void
max_push_id_arrived(struct http3 *h, uint64_t id)
{
	struct http3_control *c = &h->control;

	if (c->has_max_push_id && id < c->max_push_id) {
		http3_fail(h, WK_H3ERROR_ID, "MAX_PUSH_ID goes back");
		return;
	}
	c->has_max_push_id = true;
	c->max_push_id = id;
}

static void
id_arrived(struct http3 *h, const struct wk_h3frame *f)
{
	uint64_t id;

	if (wk_h3id_finish(&h->control.id, &id) != WK_OK) {
		http3_fail(h, WK_H3ERROR_FRAME, "a frame ends inside its id");
		return;
	}
	http3_trace_id(h, WK_TRACE_FRAME_RECEIVED, f->type, id);
	if (f->type == WK_H3FRAME_GOAWAY)
		goaway_arrived(h, id);
	else if (f->type == WK_H3FRAME_MAX_PUSH_ID)
		max_push_id_arrived(h, id);
	else	/* nothing was ever promised, by us or to us */
		http3_fail(h, WK_H3ERROR_ID, "CANCEL_PUSH of no push");
}

static void
unexpected(struct http3 *h, const struct wk_h3frame *f)
{
	const char *name = wk_h3frame_name(f->type);
	char reason[80];

	snprintf(reason, sizeof(reason), "%s%s on the control stream",
	    name != NULL ? name : "a frame of HTTP/2",
	    f->type == WK_H3FRAME_SETTINGS ? " again" : "");
	http3_fail(h, WK_H3ERROR_FRAME_UNEXPECTED, reason);
}

static void
frame_begins(struct http3 *h, const struct wk_h3frame *f)
{
	struct http3_control *c = &h->control;

	http3_trace_frame(h, WK_TRACE_FRAME_RECEIVED, 0, f->type, f->length);
	if (!c->has_settings && f->type != WK_H3FRAME_SETTINGS) {
		http3_fail(h, WK_H3ERROR_MISSING_SETTINGS,
		    "the control stream does not begin with SETTINGS");
		return;
	}
	c->is_id = false;
	switch (f->type) {
	case WK_H3FRAME_SETTINGS:
		if (c->has_settings)
			unexpected(h, f);
		c->has_settings = true;
		return;
	case WK_H3FRAME_MAX_PUSH_ID:
		if (!h->base.is_server) {
			unexpected(h, f);
			return;
		}
		/* fall through */
	case WK_H3FRAME_GOAWAY:
	case WK_H3FRAME_CANCEL_PUSH:
		c->is_id = true;
		c->id = (struct wk_h3id_reader){ .is_whole = false };
		break;
	case WK_H3FRAME_DATA:
	case WK_H3FRAME_HEADERS:
	case WK_H3FRAME_PUSH_PROMISE:
		unexpected(h, f);
		return;
	default:
		if (wk_h3frame_is_reserved(f->type)) {
			unexpected(h, f);
			return;
		}
		break;
	}
	http3_spend_chatter(h);
}

static void
frame_payload(struct http3 *h, const struct wk_h3frame *f)
{
	struct http3_control *c = &h->control;

	if (c->is_id) {
		if (wk_h3id_read(&c->id, f->data, f->data_len) < f->data_len)
			http3_fail(h, WK_H3ERROR_FRAME,
			    "a frame goes on behind its id");
	} else if (f->type == WK_H3FRAME_SETTINGS &&
	    wk_h3settings_read(&h->settings, f->data, f->data_len) != WK_OK) {
		settings_failed(h);
	}
}

static void
frame_ends(struct http3 *h, const struct wk_h3frame *f)
{
	if (h->control.is_id)
		id_arrived(h, f);
	else if (f->type != WK_H3FRAME_SETTINGS)
		return;
	else if (wk_h3settings_finish(&h->settings) != WK_OK)
		settings_failed(h);
	else
		take_settings(h);
}

void
http3_control_data(struct http3 *h, uint64_t id, const uint8_t *data,
    size_t len, bool is_last)
{
	struct http3_control *c = &h->control;
	enum wk_h3frame_event event;
	struct wk_h3frame f;
	size_t all = len;

	if (!c->is_open) {
		c->is_open = true;
		wk_h3frame_reader_init(&c->reader);
	}
	while (!http3_is_over(h) && (event = wk_h3frame_read(&c->reader, &data,
	    &len, &f)) != WK_H3FRAME_MORE) {
		if (event == WK_H3FRAME_START)
			frame_begins(h, &f);
		else if (event == WK_H3FRAME_PAYLOAD)
			frame_payload(h, &f);
		else
			frame_ends(h, &f);
	}
	if (http3_is_over(h))
		return;
	if (all > 0)
		h->transport->ops->consume(h->transport, id, all);
	if (is_last)
		http3_critical_closed(h, id, WK_H3ERROR_NO_ERROR);
}
