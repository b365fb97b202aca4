/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

static struct http3_stream *
of(struct wk_stream *s)
{
	return (struct http3_stream *)(void *)s;
}

static int
invalid(struct wk_error *error, const char *reason)
{
	return wk_error_set(error, WK_E_INVALID, 0, "%s", reason);
}

/* Give it a stream of the transport's; what it has to say goes there. */
static int
submit(struct http3 *h, struct http3_stream *s)
{
	uint64_t id;
	int rc = h->transport->ops->open(h->transport, false, &id);

	if (rc != WK_OK)
		return rc;
	http3_stream_wire(s, id);
	http3_flush(s);
	return WK_OK;
}

static void
submit_one(struct http3 *h, struct http3_stream *s)
{
	int rc = WK_OK;

	if (h->has_connect)
		rc = submit(h, s);
	if (rc == WK_E_LIMIT)
		return;		/* until streams_free */
	s->is_waiting = false;
	h->n_waiting--;
	if (!h->has_connect)
		http3_stream_end(s, WK_STREAM_UNSUPPORTED, true, 0,
		    "the server does not take Extended CONNECT");
	else if (rc != WK_OK)
		http3_stream_end(s, WK_STREAM_REFUSED, true, 0,
		    "the connection takes no more requests");
}

void
http3_submit_waiting(struct http3 *h)
{
	struct wk_stream *base = h->base.streams, *prev;

	if (h->n_waiting == 0 || !h->is_settled)
		return;
	/* The list begins with the youngest; the oldest goes first. */
	while (base->next != NULL)
		base = base->next;
	for (; base != NULL; base = prev) {
		prev = base->prev;
		if (of(base)->is_waiting && !base->is_over)
			submit_one(h, of(base));
	}
}

/* Whether one more request may begin now. */
static int
check_request(struct http3 *h, const struct wk_message *m, bool has_body,
    struct wk_error *error)
{
	struct wk_error fields;
	uint64_t length;

	if (http3_is_over(h) || h->is_draining || h->drain != HTTP3_DRAIN_NOT)
		return wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "the connection takes no more requests");
	if (wk_str_is(m->method, "CONNECT") &&
	    wk_message_check_tunnel_fields(m, &fields) != WK_OK)
		return invalid(error, fields.reason);
	if (!has_body && wk_message_content_length(m, &length) == 1 &&
	    length > 0)
		return invalid(error, "a body was promised by Content-Length");
	return WK_OK;
}

/* On its way, or waiting, or over already; an error: not even that. */
static int
begin(struct http3 *h, struct http3_stream *s, struct wk_error *error)
{
	int rc;

	if (s->is_extended && !h->is_settled) {
		s->is_waiting = true;
		h->n_waiting++;
		return WK_OK;
	}
	if (s->is_extended && !h->has_connect) {
		http3_stream_end(s, WK_STREAM_UNSUPPORTED, true, 0,
		    "the server does not take Extended CONNECT");
		return WK_OK;
	}
	rc = submit(h, s);
	if (rc == WK_E_LIMIT)
		wk_error_set(error, rc, 0,
		    "the server takes no more streams at once");
	else if (rc == WK_E_NOMEM)
		wk_error_set(error, rc, 0, "no memory");
	else if (rc != WK_OK)
		wk_error_set(error, rc = WK_E_UNSUPPORTED, 0,
		    "the connection takes no more requests");
	return rc;
}

struct wk_stream *
http3_request(struct wk_session *session, const struct wk_message *m,
    bool has_body, const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error)
{
	struct http3 *h = (struct http3 *)(void *)session;
	struct http3_stream *s;

	if (check_request(h, m, has_body, error) != WK_OK)
		return NULL;
	s = http3_stream_new(h);
	if (s == NULL || http3_encode(h, &s->unsent, m) != WK_OK) {
		if (s != NULL)
			http3_stream_del(s);
		wk_error_set(error, WK_E_NOMEM, 0, "no memory");
		return NULL;
	}
	s->is_tunnel = wk_str_is(m->method, "CONNECT");
	s->is_extended = wk_message_is_tunnel_request(m);
	s->may_write = has_body && !s->is_tunnel;
	s->is_finished = !has_body && !s->is_tunnel;
	http3_promise(s, m, has_body, NULL);
	/* Attached first: what is not begun may have to be told so. */
	http3_stream_attach(s, m);
	wk_stream_handle(&s->base, handler, arg);
	if (begin(h, s, error) != WK_OK) {
		http3_stream_detach(s);
		return NULL;
	}
	wk_session_trace_head(session, WK_TRACE_SENT, s->base.id, m);
	http3_wake(h);
	return &s->base;
}
