/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_parts.h"

static struct http2_stream *
of(struct wk_stream *s)
{
	return (struct http2_stream *)(void *)s;
}

static int
invalid(struct wk_error *error, const char *reason)
{
	return wk_error_set(error, WK_E_INVALID, 0, "%s", reason);
}

static int
submit(struct http2 *h, struct http2_stream *s,
    const struct http2_lines *lines, bool has_body)
{
	int32_t id = nghttp2_submit_request(h->ng, NULL, lines->nv, lines->n,
	    has_body ? &http2_provider : NULL, s);

	if (id < 0)
		return id;
	s->base.id = (uint64_t)id;
	s->is_submitted = true;
	s->may_write = has_body && !s->is_tunnel;
	s->is_finished = !has_body;
	return 0;
}

static bool
has_connect_protocol(struct http2 *h)
{
	return nghttp2_session_get_remote_settings(h->ng,
	    NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

static void
unsupported(struct http2_stream *s)
{
	http2_stream_end(s, WK_STREAM_UNSUPPORTED, true, 0,
	    "the server does not take Extended CONNECT");
}

static void
submit_one(struct http2 *h, struct http2_stream *s)
{
	struct http2_lines *lines = s->waiting;
	int rc;

	s->waiting = NULL;
	h->n_unsubmitted--;
	if (s->base.is_over)
		;
	else if (!has_connect_protocol(h))
		unsupported(s);
	else if ((rc = submit(h, s, lines, true)) != 0)
		http2_stream_end(s, WK_STREAM_REFUSED, true, 0,
		    nghttp2_strerror(rc));
	http2_lines_del(lines);
}

void
http2_submit_waiting(struct http2 *h)
{
	struct wk_stream *base = h->base.streams, *prev;

	if (h->n_unsubmitted == 0)
		return;
	/* The list begins with the youngest; the oldest goes first. */
	while (base->next != NULL)
		base = base->next;
	for (; base != NULL; base = prev) {
		prev = base->prev;
		if (of(base)->waiting != NULL)
			submit_one(h, of(base));
	}
}

/* Whether one more request may begin now. */
static int
check_request(struct http2 *h, const struct wk_message *m, bool has_body,
    struct wk_error *error)
{
	struct wk_error fields;
	uint64_t length;

	if (h->is_deleted || h->failed.status != WK_OK || h->is_ended ||
	    h->is_draining || h->drain != HTTP2_DRAIN_NOT ||
	    !nghttp2_session_check_request_allowed(h->ng))
		return wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "the connection takes no more requests");
	if (h->base.n_streams >= nghttp2_session_get_remote_settings(h->ng,
	    NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "the server takes no more streams at once");
	if (wk_str_is(m->method, "CONNECT") &&
	    wk_message_check_tunnel_fields(m, &fields) != WK_OK)
		return invalid(error, fields.reason);
	if (!has_body && wk_message_content_length(m, &length) == 1 &&
	    length > 0)
		return invalid(error, "a body was promised by Content-Length");
	return WK_OK;
}

struct wk_stream *
http2_request(struct wk_session *session, const struct wk_message *m,
    bool has_body, const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error)
{
	struct http2 *h = (struct http2 *)(void *)session;
	struct http2_stream *s;
	struct http2_lines *lines;
	int rc;

	if (check_request(h, m, has_body, error) != WK_OK)
		return NULL;
	lines = http2_lines_new(m);
	s = lines == NULL ? NULL : http2_stream_new(h, 0, m);
	if (s == NULL) {
		http2_lines_del(lines);
		wk_error_set(error, WK_E_NOMEM, 0, "no memory");
		return NULL;
	}
	wk_stream_handle(&s->base, handler, arg);
	http2_promise(s, m, has_body, NULL);
	if (s->is_extended && !h->is_settled) {
		s->waiting = lines;
		h->n_unsubmitted++;
	} else {
		if (s->is_extended && !has_connect_protocol(h))
			unsupported(s);
		else if ((rc = submit(h, s, lines, has_body || s->is_tunnel)) != 0)
			http2_stream_end(s, WK_STREAM_REFUSED, true, 0,
			    nghttp2_strerror(rc));
		http2_lines_del(lines);
	}
	wk_session_trace_head(session, WK_TRACE_SENT, s->base.id, m);
	http2_wake(h);
	return &s->base;
}
