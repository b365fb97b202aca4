/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/net/http1_session.h"
#include "common/net/http2_session.h"
#include "common/net/session_parts.h"

/* At once, and in one round before others have their turn. */
#define READ_BLOCK 65536
#define READ_ROUND (4 * READ_BLOCK)
#define WRITE_ROUND (16 * 65536)

/*
 * How long the peer may take to close after us. Closing with octets unread
 * makes the kernel send RST, which can destroy our last words on their way
 * (RFC 9112, section 9.6).
 */
#define LINGER_NS (2 * WK_NS_PER_SEC)

static uint64_t
now_ns(const struct wk_conn *conn)
{
	return wk_loop_now_ns(conn->io.loop);
}

static bool
is_alive(const struct wk_conn *conn)
{
	return conn->state != WK_CONN_DEAD;
}

/* --- inside, and freeing only when nobody is ------------------------------ */

static void
enter(struct wk_conn *conn)
{
	conn->inside++;
}

static void
leave(struct wk_conn *conn)
{
	if (--conn->inside > 0 || is_alive(conn))
		return;
	wk_session_del(conn->session);
	free(conn->reason);
	free(conn);
}

static void __attribute__((format(printf, 2, 3)))
note(struct wk_conn *conn, const char *format, ...)
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

/* What the session says, but never less than what happened to us. */
static enum wk_session_fate
fate_of(const struct wk_conn *conn)
{
	enum wk_session_fate fate = WK_SESSION_OPEN;

	if (conn->session != NULL)
		fate = wk_session_fate(conn->session);
	return fate > conn->fate ? fate : conn->fate;
}

static void __attribute__((format(printf, 4, 5)))
fail(struct wk_conn *conn, enum wk_session_fate fate, bool is_protocol,
    const char *format, ...)
{
	va_list ap;

	if (conn->fate < fate)
		conn->fate = fate;
	if (conn->reason != NULL)
		return;
	va_start(ap, format);
	if (vasprintf(&conn->reason, format, ap) < 0)
		conn->reason = strdup("out of memory");
	va_end(ap);
	conn->is_protocol = is_protocol;
}

/* Let go of the descriptor and the loop. */
static void
unhook(struct wk_conn *conn, bool is_abort)
{
	const struct linger reset = { 1, 0 };

	conn->state = WK_CONN_DEAD;
	wk_io_watch(&conn->io, 0);
	wk_timer_set(&conn->timer, WK_NEVER);
	wk_task_cancel(&conn->task);
	wk_tls_del(conn->tls);
	conn->tls = NULL;
	if (is_abort)
		(void)setsockopt(conn->io.fd, SOL_SOCKET, SO_LINGER, &reset,
		    sizeof(reset));
	close(conn->io.fd);
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

static void
end_session(struct wk_conn *conn)
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
static void
orphan_streams(struct wk_session *session)
{
	static const struct wk_stream_end end = {
		.code = WK_STREAM_LOST,
		.is_ours = true,
		.reason = "the connection was given up",
	};
	const struct wk_stream_handler *handler;
	struct wk_stream *s;

	while ((s = first_heard(session)) != NULL) {
		handler = s->handler;
		s->is_over = true;
		if (handler->closed != NULL)
			handler->closed(s, &end);
		s->handler = NULL;
	}
}

void
wk_conn_del(struct wk_conn *conn)
{
	bool is_abort;

	if (conn == NULL || !is_alive(conn))
		return;
	enter(conn);
	is_abort = conn->session != NULL &&
	    wk_session_streams(conn->session) > 0;
	if (!is_abort && conn->tls != NULL && conn->session != NULL &&
	    !conn->has_finished)
		(void)wk_tls_bye(conn->tls, NULL);
	unhook(conn, is_abort);
	if (conn->inside == 1) {
		end_session(conn);
	} else if (conn->session != NULL) {
		conn->session->handler = &nobody;
		orphan_streams(conn->session);
	}
	leave(conn);
}

/* It is over, and the owner hears why. */
static void
over(struct wk_conn *conn, bool is_abort)
{
	const struct wk_conn_handler *handler = conn->config->handler;

	end_session(conn);
	if (!is_alive(conn))
		return;
	unhook(conn, is_abort);
	handler->closed(conn, conn->is_protocol, conn->reason);
}

/* --- which version -------------------------------------------------------- */

static const struct {
	enum wk_http_version version;
	const char *alpn;
} protocols[] = {
	{ WK_HTTP_2, "h2" },
	{ WK_HTTP_1_1, "http/1.1" },
};

static const char *const *
alpn_of(unsigned versions)
{
	static const char *const both[] = { "h2", "http/1.1", NULL };
	static const char *const only_h2[] = { "h2", NULL };

	if ((versions & WK_HTTP_2) == 0)
		return both + 1;
	return versions & WK_HTTP_1_1 ? both : only_h2;
}

static void
open_session(struct wk_conn *conn, enum wk_http_version version)
{
	const struct wk_conn_config *config = conn->config;

	conn->session = (version == WK_HTTP_2 ? wk_http2_session_new :
	    wk_http1_session_new)(config->is_server, &config->limits,
	    &config->events, conn, now_ns(conn));
	if (conn->session == NULL) {
		fail(conn, WK_SESSION_ABORT, false, "out of memory");
		return;
	}
	conn->state = WK_CONN_OPEN;
	conn->deadline_ns = WK_NEVER;
	if (version == WK_HTTP_1_1 && config->credentials != NULL)
		wk_http1_session_set_scheme(conn->session, "https");
	note(conn, "speaking %s", wk_http_version_text(version));
	if (config->handler->opened != NULL)
		config->handler->opened(conn);
}

/* TLS is there: what was agreed on, or why nothing was. */
static void
open_by_alpn(struct wk_conn *conn)
{
	unsigned versions = conn->config->versions;
	const char *alpn = wk_tls_alpn(conn->tls);
	size_t i;

	/* Whoever does not choose speaks HTTP/1.1. */
	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if ((versions & protocols[i].version) != 0 && (alpn == NULL ?
		    protocols[i].version == WK_HTTP_1_1 :
		    strcmp(alpn, protocols[i].alpn) == 0)) {
			open_session(conn, protocols[i].version);
			return;
		}
	fail(conn, WK_SESSION_CLOSE, false, "the %s chose %s, %s %s",
	    conn->config->is_server ? "client" : "server",
	    alpn != NULL ? alpn : "no protocol by ALPN",
	    versions & WK_HTTP_1_1 ? versions & WK_HTTP_2 ?
	    "HTTP/2 or HTTP/1.1" : "HTTP/1.1" : "HTTP/2",
	    conn->config->is_server ? "is served" : "was asked for");
}

/* The TLS handshake, or the same moment of a connection without TLS. */
static void
handshake(struct wk_conn *conn)
{
	const struct wk_conn_config *config = conn->config;
	unsigned versions = config->versions;
	struct wk_error error;
	int rc;

	if (conn->tls == NULL) {
		if (config->is_server && (versions & WK_HTTP_1_1) != 0 &&
		    (versions & WK_HTTP_2) != 0) {
			conn->state = WK_CONN_DETECT;
			return;
		}
		open_session(conn, versions & WK_HTTP_1_1 ? WK_HTTP_1_1 :
		    WK_HTTP_2);
		return;
	}
	rc = wk_tls_handshake(conn->tls, &error);
	conn->read_on = rc == WK_TLS_WANTS_WRITE ? WK_IO_WRITE : WK_IO_READ;
	if (rc == WK_TLS_WANTS_READ || rc == WK_TLS_WANTS_WRITE)
		return;
	conn->read_on = WK_IO_READ;
	if (rc != WK_OK) {
		fail(conn, WK_SESSION_CLOSE, false, "%s", error.reason);
		return;
	}
	note(conn, "%s", wk_tls_description(conn->tls));
	open_by_alpn(conn);
}

/* --- reading -------------------------------------------------------------- */

static void
feed(struct wk_conn *conn, const void *data, size_t len)
{
	struct wk_error error;
	int rc;

	if (len == 0 || !is_alive(conn) || conn->session == NULL)
		return;
	rc = wk_session_receive(conn->session, data, len, now_ns(conn),
	    &error);
	if (rc != WK_OK && is_alive(conn))
		fail(conn, WK_SESSION_CLOSE, rc != WK_E_NOMEM, "%s",
		    error.reason);
}

/* The first octets tell; those that HTTP/2 begins with need not be kept. */
static void
detect(struct wk_conn *conn, const uint8_t *data, size_t len)
{
	static const char preface[] = WK_HTTP2_PREFACE;
	const unsigned char all = sizeof(preface) - 1;
	size_t i = 0;

	while (i < len && conn->n_preface < all &&
	    data[i] == (uint8_t)preface[conn->n_preface]) {
		conn->n_preface++;
		i++;
	}
	if (i == len && conn->n_preface < all)
		return;
	open_session(conn, conn->n_preface == all ? WK_HTTP_2 : WK_HTTP_1_1);
	feed(conn, preface, conn->n_preface);
	feed(conn, data + i, len - i);
}

/* The peer says no more. reason: because the connection broke. */
static void
read_end(struct wk_conn *conn, bool is_clean, const char *reason)
{
	bool has_streams = conn->session != NULL &&
	    wk_session_streams(conn->session) > 0;

	conn->has_read_end = true;
	if (conn->has_write_failed) {
		/* The kernel has told of the reset where we wrote. */
		is_clean = false;
		conn->fate = WK_SESSION_ABORT;
	}
	if (reason != NULL)
		fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	else if (!is_clean && has_streams)
		fail(conn, WK_SESSION_CLOSE, false,
		    "the connection ended without a close_notify");
	else if (conn->state == WK_CONN_DETECT && conn->n_preface > 0)
		fail(conn, WK_SESSION_CLOSE, false,
		    "the connection ended before a request");
	if (conn->session != NULL)
		wk_session_receive_end(conn->session, is_clean, now_ns(conn));
	else if (conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
	if (!is_clean && is_alive(conn) && conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
}

/* Octets into block; 0: none now, or the end, which is dealt with. */
static size_t
take(struct wk_conn *conn, uint8_t *block, size_t size)
{
	struct wk_error error;
	ssize_t n;

	if (conn->tls == NULL) {
		do
			n = recv(conn->io.fd, block, size, 0);
		while (n < 0 && errno == EINTR);
		if (n > 0)
			return (size_t)n;
		if (n == 0)
			read_end(conn, true, NULL);
		else if (errno != EAGAIN && errno != EWOULDBLOCK)
			read_end(conn, false, strerror(errno));
		return 0;
	}
	n = wk_tls_read(conn->tls, block, size, &error);
	conn->read_on = n == WK_TLS_WANTS_WRITE ? WK_IO_WRITE : WK_IO_READ;
	if (n > 0)
		return (size_t)n;
	if (n == WK_TLS_WANTS_READ || n == WK_TLS_WANTS_WRITE)
		return 0;
	read_end(conn, n == 0, n == 0 || n == WK_E_TRUNCATED ? NULL :
	    error.reason);
	return 0;
}

static bool
wants_input(const struct wk_conn *conn)
{
	if (conn->has_read_end || fate_of(conn) >= WK_SESSION_CLOSE)
		return false;
	return conn->state == WK_CONN_DETECT ||
	    (conn->state == WK_CONN_OPEN &&
	    wk_session_wants_input(conn->session));
}

static void
read_round(struct wk_conn *conn)
{
	uint8_t block[READ_BLOCK];
	size_t n, sum = 0;

	while (sum < READ_ROUND && is_alive(conn) && wants_input(conn)) {
		n = take(conn, block, sizeof(block));
		if (n == 0)
			return;
		if (conn->state == WK_CONN_DETECT)
			detect(conn, block, n);
		else
			feed(conn, block, n);
		sum += n;
		/* Without TLS, less than asked for means that it was all. */
		if (conn->tls == NULL && n < sizeof(block))
			return;
	}
}

/* Throw away what comes until the peer has closed. */
static void
linger(struct wk_conn *conn)
{
	uint8_t block[READ_BLOCK];
	size_t sum = 0;
	ssize_t n;

	do {
		n = recv(conn->io.fd, block, sizeof(block), 0);
		sum += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && sum < READ_ROUND) || (n < 0 && errno == EINTR));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
		over(conn, false);
}

/* --- writing -------------------------------------------------------------- */

/* Nothing goes out any more; what the peer has sent may still explain why. */
static void
write_failed(struct wk_conn *conn, const char *reason)
{
	conn->has_write_failed = true;
	conn->is_blocked = false;
	fail(conn, WK_SESSION_OPEN, false, "%s", reason);
	if (conn->has_read_end)
		conn->fate = WK_SESSION_ABORT;
}

static void
block(struct wk_conn *conn)
{
	conn->is_blocked = true;
	if (conn->progress_ns == 0)
		conn->progress_ns = now_ns(conn);
}

/* Octets taken; 0: blocked or failed. */
static size_t
give(struct wk_conn *conn, const uint8_t *data, size_t len)
{
	struct wk_error error;
	ssize_t n;

	if (conn->tls == NULL) {
		do
			n = send(conn->io.fd, data, len, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n >= 0)
			return (size_t)n;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			block(conn);
		else
			write_failed(conn, strerror(errno));
		return 0;
	}
	n = wk_tls_write(conn->tls, data, len, &error);
	if (n >= 0)
		return (size_t)n;
	if (n == WK_TLS_WANTS_WRITE)
		block(conn);
	else
		write_failed(conn, error.reason);
	return 0;
}

/*
 * Fetching is also how the session learns that it may tell us of more, so it
 * is done even while nothing can be written.
 */
static void
write_round(struct wk_conn *conn)
{
	const uint8_t *data;
	size_t len, n, sum = 0;

	while (is_alive(conn) && fate_of(conn) < WK_SESSION_ABORT) {
		len = wk_session_output(conn->session, &data);
		if (conn->has_write_failed || conn->is_blocked)
			return;
		if (len == 0) {
			conn->progress_ns = 0;
			return;
		}
		if (sum >= WRITE_ROUND) {
			block(conn);
			return;
		}
		n = give(conn, data, len);
		if (n == 0)
			return;
		conn->progress_ns = now_ns(conn);
		sum += n;
		wk_session_sent(conn->session, n, now_ns(conn));
	}
}

/* The close_notify; false: not out yet. */
static bool
has_said_bye(struct wk_conn *conn)
{
	if (conn->tls == NULL || conn->has_finished || conn->has_write_failed ||
	    wk_tls_bye(conn->tls, NULL) != WK_TLS_WANTS_WRITE)
		return true;
	block(conn);
	return false;
}

/*
 * Our direction ends. Over TLS the close_notify says so, and the socket stays
 * open: TLS may still have to answer something.
 */
static void
half_close(struct wk_conn *conn)
{
	if (conn->has_finished || !has_said_bye(conn))
		return;
	conn->has_finished = true;
	conn->progress_ns = 0;
	if (conn->tls == NULL)
		(void)shutdown(conn->io.fd, SHUT_WR);
}

static void
say_goodbye(struct wk_conn *conn)
{
	uint8_t rest[4096];

	if (!has_said_bye(conn))
		return;
	(void)shutdown(conn->io.fd, SHUT_WR);
	if (conn->config->is_server && !conn->has_read_end &&
	    !conn->has_write_failed) {
		conn->state = WK_CONN_LINGER;
		return;
	}
	/* What has come already shall not turn our close into a reset. */
	while (recv(conn->io.fd, rest, sizeof(rest), 0) > 0)
		;
	over(conn, false);
}

static void
begin_close(struct wk_conn *conn)
{
	if (conn->state == WK_CONN_HANDSHAKE)
		conn->has_finished = true;	/* no TLS to end yet */
	end_session(conn);
	if (!is_alive(conn))
		return;
	conn->state = WK_CONN_GOODBYE;
	conn->deadline_ns = now_ns(conn) + LINGER_NS;
	say_goodbye(conn);
}

/* --- the end of each round ------------------------------------------------ */

static void
follow_fate(struct wk_conn *conn)
{
	enum wk_session_fate fate = fate_of(conn);

	if (fate == WK_SESSION_ABORT) {
		over(conn, true);
		return;
	}
	if (conn->is_blocked)
		return;
	if (conn->state == WK_CONN_GOODBYE)
		say_goodbye(conn);
	else if (conn->state == WK_CONN_LINGER)
		return;
	else if (fate == WK_SESSION_CLOSE)
		begin_close(conn);
	else if (fate == WK_SESSION_FINISH)
		half_close(conn);
}

/* What TLS has taken from the kernel, no poll tells of. */
static bool
has_pending(const struct wk_conn *conn)
{
	return conn->tls != NULL && wants_input(conn) &&
	    wk_tls_pending(conn->tls) > 0;
}

static uint64_t
stall_deadline_ns(const struct wk_conn *conn)
{
	return conn->is_blocked && conn->config->stall_timeout_ns > 0 ?
	    conn->progress_ns + conn->config->stall_timeout_ns : WK_NEVER;
}

static void
watch(struct wk_conn *conn)
{
	uint64_t deadline_ns = stall_deadline_ns(conn), session_ns;
	unsigned events = conn->is_blocked ? WK_IO_WRITE : 0;

	if (conn->state == WK_CONN_HANDSHAKE || wants_input(conn))
		events |= conn->read_on;
	if (conn->state == WK_CONN_LINGER)
		events |= WK_IO_READ;
	wk_io_watch(&conn->io, events);
	if (conn->deadline_ns < deadline_ns)
		deadline_ns = conn->deadline_ns;
	if (conn->session != NULL) {
		session_ns = wk_session_deadline_ns(conn->session);
		if (session_ns < deadline_ns)
			deadline_ns = session_ns;
	}
	if (has_pending(conn))
		deadline_ns = now_ns(conn);
	wk_timer_set(&conn->timer, deadline_ns);
}

static void
run(struct wk_task *task)
{
	struct wk_conn *conn = task->arg;

	enter(conn);
	if (conn->state == WK_CONN_HANDSHAKE &&
	    fate_of(conn) < WK_SESSION_CLOSE)
		handshake(conn);
	/* What a verb could not tell at once is told here. */
	if (conn->state == WK_CONN_OPEN &&
	    wk_session_deadline_ns(conn->session) <= now_ns(conn))
		wk_session_expire(conn->session, now_ns(conn));
	if (conn->state == WK_CONN_OPEN)
		write_round(conn);
	if (is_alive(conn))
		follow_fate(conn);
	if (is_alive(conn))
		watch(conn);
	leave(conn);
}

static void
ready(struct wk_io *io, unsigned events)
{
	struct wk_conn *conn = io->arg;

	enter(conn);
	if ((events & WK_IO_WRITE) != 0)
		conn->is_blocked = false;
	if (conn->state == WK_CONN_LINGER)
		linger(conn);
	else if ((events & conn->read_on) != 0)
		read_round(conn);
	if (is_alive(conn))
		wk_task_schedule(&conn->task);
	leave(conn);
}

static void
expired(struct wk_timer *timer)
{
	struct wk_conn *conn = timer->arg;
	uint64_t now = now_ns(conn);

	enter(conn);
	if (has_pending(conn))
		read_round(conn);
	if (!is_alive(conn))
		;
	else if (conn->deadline_ns <= now && (conn->state == WK_CONN_GOODBYE ||
	    conn->state == WK_CONN_LINGER))
		over(conn, false);
	else if (conn->deadline_ns <= now)
		fail(conn, WK_SESSION_CLOSE, false, "%s", conn->tls != NULL ?
		    "the TLS handshake took too long" :
		    "no request came in time");
	else if (stall_deadline_ns(conn) <= now)
		fail(conn, WK_SESSION_ABORT, false,
		    "the peer takes nothing any more");
	/* The session's own deadlines are looked at there. */
	if (is_alive(conn))
		wk_task_schedule(&conn->task);
	leave(conn);
}

/* --- what the session says ------------------------------------------------ */

static void
on_output(struct wk_session *session)
{
	struct wk_conn *conn = wk_session_arg(session);

	wk_task_schedule(&conn->task);
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
	note(wk_session_arg(session), "the peer takes no more requests");
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	struct wk_conn *conn = wk_session_arg(session);

	conn->config->handler->trace(conn, kind, stream_id, text);
}

/* -------------------------------------------------------------------------- */

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

struct wk_conn *
wk_conn_new(const struct wk_conn_config *config, void *owner, int fd,
    const struct wk_address *peer, uint64_t deadline_ns,
    struct wk_error *error)
{
	struct wk_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	if (config->credentials != NULL) {
		conn->tls = wk_tls_new(config->credentials, fd, config->name,
		    alpn_of(config->versions), error);
		if (conn->tls == NULL) {
			free(conn);
			return NULL;
		}
	}
	conn->config = config;
	conn->owner = owner;
	conn->peer = *peer;
	conn->state = WK_CONN_HANDSHAKE;
	conn->deadline_ns = deadline_ns;
	conn->read_on = WK_IO_READ;
	wk_io_init(&conn->io, config->loop, fd, ready, conn);
	wk_timer_init(&conn->timer, config->loop, expired, conn);
	wk_task_init(&conn->task, config->loop, run, conn);
	wk_task_schedule(&conn->task);
	return conn;
}

void
wk_conn_shutdown(struct wk_conn *conn)
{
	if (conn->session != NULL)
		wk_session_shutdown(conn->session);
	else if (conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
	wk_task_schedule(&conn->task);
}

void
wk_conn_break(struct wk_conn *conn, const char *reason)
{
	fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	wk_task_schedule(&conn->task);
}
