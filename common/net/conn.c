/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/net/session_parts.h"

/* --- verbs ---------------------------------------------------------------- */

void
wk_conn_shutdown(struct wk_conn *conn)
{
	conn->ops->shutdown(conn);
}

void
wk_conn_break(struct wk_conn *conn, const char *reason)
{
	conn->ops->break_off(conn, reason);
}

void
wk_conn_del(struct wk_conn *conn)
{
	if (conn != NULL)
		conn->ops->del(conn);
}

void
wk_conn_note(struct wk_conn *conn, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (conn->config->trace_level < 1 ||
	    conn->config->handler->trace == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	conn->config->handler->trace(conn, WK_TRACE_NOTE, 0, text);
}

/* --- a session given up --------------------------------------------------- */

static void
hear_nothing(struct wk_session *session)
{
	(void)session;
}

static void
refuse_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	/* A stream without a handler is reset. */
	(void)session;
	(void)s;
	(void)m;
}

static const struct wk_session_handler nobody = {
	.request = refuse_request,
	.output = hear_nothing,
};

void
wk_conn_end_session(struct wk_conn *conn)
{
	struct wk_session *session = conn->session;

	conn->session = NULL;
	if (session != NULL)
		session->handler = &nobody;
	wk_session_del(session);
}

static struct wk_stream *
first_heard(const struct wk_session *session)
{
	struct wk_stream *s = session->streams;

	while (s != NULL && s->handler == NULL)
		s = s->next;
	return s;
}

/*
 * The session is in the middle of something and cannot be freed yet, but its
 * streams' owners are to hear of the end before we return.
 */
void
wk_conn_orphan_session(struct wk_conn *conn)
{
	static const struct wk_stream_end end = {
		.code = WK_STREAM_LOST,
		.is_ours = true,
		.reason = "the connection was given up",
	};
	struct wk_session *session = conn->session;
	const struct wk_stream_handler *handler;
	struct wk_stream *s;

	if (session == NULL)
		return;
	session->handler = &nobody;
	while ((s = first_heard(session)) != NULL) {
		handler = s->handler;
		s->is_over = true;
		if (handler->closed != NULL)
			handler->closed(s, &end);
		s->handler = NULL;
	}
}

/* --- what the session says ------------------------------------------------ */

static void
on_output(struct wk_session *session)
{
	struct wk_conn *conn = wk_session_arg(session);

	conn->ops->wake(conn);
}

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct wk_conn *conn = wk_session_arg(session);

	conn->requests++;
	conn->config->handler->request(conn, s, m);
}

static void
on_draining(struct wk_session *session)
{
	wk_conn_note(wk_session_arg(session),
	    "the peer takes no more requests");
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	struct wk_conn *conn = wk_session_arg(session);

	conn->config->handler->trace(conn, kind, stream_id, text);
}

void
wk_conn_config_init(struct wk_conn_config *config)
{
	memset(&config->events, 0, sizeof(config->events));
	config->events.request = on_request;
	config->events.output = on_output;
	config->events.draining = on_draining;
	if (config->handler->trace != NULL)
		config->events.trace = on_trace;
	config->events.trace_level = config->trace_level;
}
