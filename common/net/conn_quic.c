/* SPDX-License-Identifier: MIT */
/* A connection over QUIC: joins quic.h and http3_session.h in the loop. */
#include "config.h"

#include "common/net/conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/net/http3_session.h"

#define H3_NO_ERROR 0x100

/* Room in a queue beyond what the session counts. */
#define FRAME_HEADERS 4096

struct conn_quic {
	struct wk_conn base;
	struct wk_quic *quic;  /* NULL once it is over */
	struct wk_timer timer; /* the session's deadline */
	struct wk_task task;
	char *reason;    /* why we broke it off, or NULL */
	unsigned inside; /* calls into us, not yet returned */
	bool is_closing;
	bool is_finished;		/* we close, and nothing is wrong */
	bool is_dead;
};

struct wk_conn_listener {
	const struct wk_conn_config *config;
	void *owner;
	bool (*accepted)(void *owner, struct wk_conn *conn);
	struct wk_quic_options options;
	struct wk_quic_endpoint *endpoint;
};

static const char *const alpn[] = { "h3", NULL };

static struct conn_quic *
of(struct wk_conn *base)
{
	return (struct conn_quic *)(void *)base;
}

/* --- inside, and freeing only when nobody is ------------------------------ */

static void
leave(struct conn_quic *conn)
{
	if (--conn->inside > 0 || !conn->is_dead)
		return;
	free(conn->reason);
	free(conn);
}

static void
unhook(struct conn_quic *conn)
{
	conn->is_dead = true;
	wk_timer_set(&conn->timer, WK_NEVER);
	wk_task_cancel(&conn->task);
}

static void
del(struct wk_conn *base)
{
	struct conn_quic *conn = of(base);
	struct wk_quic *quic = conn->quic;

	if (conn->is_dead)
		return;
	conn->inside++;
	unhook(conn);
	conn->quic = NULL;
	wk_conn_end_session(base);
	wk_quic_del(quic);
	leave(conn);
}

/* --- the session's wishes ------------------------------------------------- */

static void
close_it(struct conn_quic *conn, uint64_t code, const char *reason)
{
	if (conn->is_closing || conn->quic == NULL)
		return;
	conn->is_closing = true;
	wk_quic_close(conn->quic, code, reason);
}

static void
finish(struct conn_quic *conn)
{
	conn->is_finished = !conn->is_closing;
	close_it(conn, H3_NO_ERROR, "");
}

static void
run(struct wk_task *task)
{
	struct conn_quic *conn = task->arg;
	uint64_t now_ns = wk_loop_now_ns(task->loop);
	struct wk_session *session = conn->base.session;
	const uint8_t *none;

	if (session == NULL)
		return;
	conn->inside++;
	/* Fetching is how the session learns that it may tell us of more. */
	(void)wk_session_output(session, &none);
	if (!conn->is_dead && wk_session_deadline_ns(session) <= now_ns)
		wk_session_expire(session, now_ns);
	if (!conn->is_dead && conn->base.session != NULL) {
		if (wk_session_fate(session) >= WK_SESSION_CLOSE)
			finish(conn);
		wk_timer_set(&conn->timer, wk_session_deadline_ns(session));
		wk_quic_wake(conn->quic);
	}
	leave(conn);
}

static void
expired(struct wk_timer *timer)
{
	struct conn_quic *conn = timer->arg;

	wk_task_schedule(&conn->task);
}

static void
wake(struct wk_conn *base)
{
	wk_task_schedule(&of(base)->task);
}

static void
shut_down(struct wk_conn *base)
{
	struct conn_quic *conn = of(base);

	if (base->session == NULL) {
		finish(conn);
		return;
	}
	wk_session_shutdown(base->session);
	wk_task_schedule(&conn->task);
}

static void
break_off(struct wk_conn *base, const char *reason)
{
	struct conn_quic *conn = of(base);

	if (conn->reason == NULL)
		conn->reason = strdup(reason);
	close_it(conn, H3_NO_ERROR, reason);
}

static const struct wk_conn_ops ops = {
	.shutdown = shut_down,
	.break_off = break_off,
	.del = del,
	.wake = wake,
};

/* --- what QUIC says ------------------------------------------------------- */

static struct conn_quic *
conn_new(const struct wk_conn_config *config, void *owner)
{
	struct conn_quic *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->base.ops = &ops;
	conn->base.config = config;
	conn->base.owner = owner;
	wk_timer_init(&conn->timer, config->loop, expired, conn);
	wk_task_init(&conn->task, config->loop, run, conn);
	return conn;
}

/* What the session keeps to, QUIC is to keep to as well. */
static void
set_options(struct wk_quic_options *options,
    const struct wk_conn_config *config)
{
	const struct wk_session_limits *limits = &config->limits;

	*options = config->quic;
	options->credentials = config->credentials;
	options->alpn = alpn;
	options->max_streams_bidi = limits->max_streams;
	options->stream_window = limits->window;
	if (options->connection_window < limits->window)
		options->connection_window = limits->window;
	options->max_queued = limits->max_queued + FRAME_HEADERS;
	options->has_no_datagrams |= limits->has_no_datagrams;
}

/* There is a handshake behind us: make the session. False: no memory. */
static bool
open_session(struct conn_quic *conn)
{
	const struct wk_conn_config *config = conn->base.config;

	conn->base.session = wk_http3_session_new(config->is_server,
	    &config->limits, &config->events, conn,
	    wk_quic_transport(conn->quic), wk_loop_now_ns(config->loop));
	if (conn->base.session == NULL)
		return false;
	wk_conn_note(&conn->base, "%s", wk_quic_description(conn->quic));
	wk_conn_note(
	    &conn->base, "speaking %s", wk_http_version_text(WK_HTTP_3));
	wk_task_schedule(&conn->task);
	return true;
}

static void
on_closed(struct wk_quic *quic, bool is_protocol, const char *reason)
{
	struct conn_quic *conn = wk_quic_arg(quic);
	const struct wk_conn_handler *handler = conn->base.config->handler;

	conn->inside++;
	conn->quic = NULL;
	/* However clean it was: not for those who waited for more. */
	if (reason == NULL && conn->base.session != NULL &&
	    wk_session_fate(conn->base.session) == WK_SESSION_ABORT)
		reason = "the peer closed the connection in the middle of "
		    "something";
	wk_conn_end_session(&conn->base);
	if (!conn->is_dead) {
		unhook(conn);
		if (conn->reason != NULL)
			reason = conn->reason;
		handler->closed(&conn->base, is_protocol,
		    conn->is_finished ? NULL : reason);
	}
	leave(conn);
}

static void
on_trace(struct wk_quic *quic, const char *text)
{
	struct conn_quic *conn = wk_quic_arg(quic);

	wk_conn_note(&conn->base, "%s", text);
}

/* --- clients -------------------------------------------------------------- */

static void
on_client_opened(struct wk_quic *quic)
{
	struct conn_quic *conn = wk_quic_arg(quic);

	conn->inside++;
	if (!open_session(conn))
		break_off(&conn->base, "out of memory");
	else if (conn->base.config->handler->opened != NULL)
		conn->base.config->handler->opened(&conn->base);
	leave(conn);
}

static const struct wk_quic_handler client_handler = {
	.opened = on_client_opened,
	.closed = on_closed,
	.trace = on_trace,
};

struct wk_conn *
wk_conn_quic_dial(const struct wk_conn_config *config, void *owner,
    const struct wk_address *peer, const struct wk_address *local,
    struct wk_error *error)
{
	struct wk_quic_options options;
	struct conn_quic *conn = conn_new(config, owner);

	if (conn == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	set_options(&options, config);
	conn->base.peer = *peer;
	conn->quic = wk_quic_connect(config->loop, peer, local, config->name,
	    &options, &client_handler, conn, error);
	if (conn->quic == NULL) {
		free(conn);
		return NULL;
	}
	return &conn->base;
}

/* --- servers -------------------------------------------------------------- */

static void
on_server_opened(struct wk_quic *quic)
{
	struct wk_conn_listener *listener = wk_quic_arg(quic);
	struct conn_quic *conn = conn_new(listener->config, listener->owner);

	if (conn == NULL) {
		wk_quic_del(quic);
		return;
	}
	conn->quic = quic;
	conn->base.peer = *wk_quic_peer(quic);
	wk_quic_set_arg(quic, conn);
	if (!listener->accepted(listener->owner, &conn->base)) {
		del(&conn->base);
		return;
	}
	if (!open_session(conn))
		break_off(&conn->base, "out of memory");
	else if (listener->config->handler->opened != NULL)
		listener->config->handler->opened(&conn->base);
}

static const struct wk_quic_handler server_handler = {
	.opened = on_server_opened,
	.closed = on_closed,
	.trace = on_trace,
};

struct wk_conn_listener *
wk_conn_quic_listen(const struct wk_conn_config *config, void *owner,
    bool (*accepted)(void *owner, struct wk_conn *conn),
    struct wk_address *address, struct wk_error *error)
{
	struct wk_conn_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	listener->config = config;
	listener->owner = owner;
	listener->accepted = accepted;
	set_options(&listener->options, config);
	listener->endpoint = wk_quic_listen(config->loop, address,
	    &listener->options, &server_handler, listener, error);
	if (listener->endpoint == NULL) {
		free(listener);
		return NULL;
	}
	return listener;
}

void
wk_conn_quic_drain(struct wk_conn_listener *listener)
{
	wk_quic_endpoint_drain(listener->endpoint);
}

void
wk_conn_listener_del(struct wk_conn_listener *listener)
{
	if (listener == NULL)
		return;
	wk_quic_endpoint_del(listener->endpoint);
	free(listener);
}
