/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/session_parts.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/text.h"

#define TRACE_LINE_MAX 4096

void
wk_session_limits_default(struct wk_session_limits *limits)
{
	*limits = (struct wk_session_limits){
		.max_streams = 100,
		.max_head = 64 << 10,
		.max_fields = 100,
		.window = 1 << 20,
		.max_queued = 256 << 10,
		.head_timeout_ns = 10 * WK_NS_PER_SEC,
		.idle_timeout_ns = 60 * WK_NS_PER_SEC,
		.stall_timeout_ns = 60 * WK_NS_PER_SEC,
	};
}

const char *
wk_http_version_text(enum wk_http_version version)
{
	switch (version) {
	case WK_HTTP_1_1:
		return "HTTP/1.1";
	case WK_HTTP_2:
		return "HTTP/2";
	case WK_HTTP_3:
		return "HTTP/3";
	}
	return "HTTP";
}

void
wk_session_del(struct wk_session *session)
{
	if (session != NULL)
		session->ops->del(session);
}

void
wk_session_set_arg(struct wk_session *session, void *arg)
{
	session->arg = arg;
}

void *
wk_session_arg(const struct wk_session *session)
{
	return session->arg;
}

enum wk_http_version
wk_session_version(const struct wk_session *session)
{
	return session->ops->version;
}

bool
wk_session_is_server(const struct wk_session *session)
{
	return session->is_server;
}

size_t
wk_session_streams(const struct wk_session *session)
{
	return session->n_streams;
}

int
wk_session_receive(struct wk_session *session, const uint8_t *data,
    size_t len, uint64_t now_ns, struct wk_error *error)
{
	return session->ops->receive(session, data, len, now_ns, error);
}

void
wk_session_receive_end(struct wk_session *session, bool is_clean,
    uint64_t now_ns)
{
	session->ops->receive_end(session, is_clean, now_ns);
}

void
wk_session_set_cause(struct wk_session *session, const char *cause)
{
	session->cause = cause;
}

bool
wk_session_wants_input(const struct wk_session *session)
{
	return session->ops->wants_input(session);
}

size_t
wk_session_output(struct wk_session *session, const uint8_t **data)
{
	session->has_told_output = false;
	return session->ops->output(session, data);
}

void
wk_session_sent(struct wk_session *session, size_t octets, uint64_t now_ns)
{
	session->ops->sent(session, octets, now_ns);
}

enum wk_session_fate
wk_session_fate(const struct wk_session *session)
{
	return session->ops->fate(session);
}

uint64_t
wk_session_deadline_ns(const struct wk_session *session)
{
	return session->ops->deadline_ns(session);
}

void
wk_session_expire(struct wk_session *session, uint64_t now_ns)
{
	session->ops->expire(session, now_ns);
}

struct wk_stream *
wk_session_request(struct wk_session *session, const struct wk_message *m,
    bool has_body, const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error)
{
	if (session->is_server || !wk_message_is_request(m)) {
		wk_error_set(error, WK_E_INVALID, 0, "only clients request");
		return NULL;
	}
	if (wk_message_check(m, error) != WK_OK)
		return NULL;
	return session->ops->request(session, m, has_body, handler, arg, error);
}

void
wk_session_shutdown(struct wk_session *session)
{
	session->ops->shutdown(session);
}

bool
wk_session_stats(const struct wk_session *session,
    struct wk_transport_stats *stats)
{
	if (session->ops->stats == NULL)
		return false;
	session->ops->stats(session, stats);
	return true;
}

size_t
wk_session_settings(const struct wk_session *session,
    struct wk_setting *settings, size_t max)
{
	return session->ops->settings == NULL ? 0 :
	    session->ops->settings(session, settings, max);
}

void
wk_session_tell_output(struct wk_session *session)
{
	if (session->has_told_output || session->handler->output == NULL)
		return;
	session->has_told_output = true;
	session->handler->output(session);
}

static bool
traces(const struct wk_session *session, enum wk_trace kind)
{
	int level = kind >= WK_TRACE_FRAME_SENT ? 2 : 1;

	return session->handler->trace != NULL &&
	    session->handler->trace_level >= level;
}

void
wk_session_trace(struct wk_session *session, enum wk_trace kind,
    uint64_t stream_id, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (!traces(session, kind))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	session->handler->trace(session, kind, stream_id, text);
}

static void
trace_line(struct wk_session *session, enum wk_trace kind, uint64_t stream_id,
    const char *name, struct wk_str name_text, struct wk_str value)
{
	struct wk_buf b;

	if (value.len == 0 && name != NULL)
		return;	/* a part of the other kind of head */
	wk_buf_init(&b, TRACE_LINE_MAX);
	if (name != NULL)
		wk_buf_append(&b, name, strlen(name));
	else
		wk_text_escape(&b, name_text.at, name_text.len, 0);
	wk_buf_append(&b, ": ", 2);
	wk_text_escape(&b, value.at, value.len, 0);
	if (b.status == WK_E_LIMIT) {
		b.status = WK_OK;
		b.len -= b.len > TRACE_LINE_MAX - 4 ? 4 : 0;
		wk_buf_append(&b, "...", 3);
	}
	if (wk_buf_append(&b, "", 1) == WK_OK)
		session->handler->trace(session, kind, stream_id,
		    (const char *)b.data);
	wk_buf_free(&b);
}

void
wk_session_trace_head(struct wk_session *session, enum wk_trace kind,
    uint64_t stream_id, const struct wk_message *m)
{
	const struct wk_str none = { NULL, 0 };
	char status[8];
	size_t i;

	if (!traces(session, kind))
		return;
	trace_line(session, kind, stream_id, ":method", none, m->method);
	trace_line(session, kind, stream_id, ":protocol", none, m->protocol);
	trace_line(session, kind, stream_id, ":scheme", none, m->scheme);
	trace_line(session, kind, stream_id, ":authority", none, m->authority);
	trace_line(session, kind, stream_id, ":path", none, m->path);
	if (!wk_message_is_request(m)) {
		snprintf(status, sizeof(status), "%u", m->status);
		trace_line(session, kind, stream_id, ":status", none,
		    wk_str_of(status));
	}
	for (i = 0; i < m->n_fields; i++)
		trace_line(session, kind, stream_id, NULL, m->fields[i].name,
		    m->fields[i].value);
}
