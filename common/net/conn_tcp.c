/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/conn_tcp_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

/*
 * How long the peer may take to close after us. Closing with octets unread
 * makes the kernel send RST, which can destroy our last words on their way
 * (RFC 9112, section 9.6).
 */
#define LINGER_NS (2 * WK_NS_PER_SEC)
#define DISCARD_ROUND 4		/* blocks, before others have their turn */

static struct conn_tcp *
of(struct wk_conn *base)
{
	return (struct conn_tcp *)(void *)base;
}

/* --- inside, and freeing only when nobody is ------------------------------ */

static void
enter(struct conn_tcp *conn)
{
	conn->inside++;
}

static void
leave(struct conn_tcp *conn)
{
	if (--conn->inside > 0 || conn_tcp_is_alive(conn))
		return;
	wk_session_del(conn->base.session);
	free(conn->reason);
	free(conn);
}

enum wk_session_fate
conn_tcp_fate(const struct conn_tcp *conn)
{
	enum wk_session_fate fate = WK_SESSION_OPEN;

	if (conn->base.session != NULL)
		fate = wk_session_fate(conn->base.session);
	return fate > conn->fate ? fate : conn->fate;
}

void
conn_tcp_fail(struct conn_tcp *conn, enum wk_session_fate fate, bool is_protocol,
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
unhook(struct conn_tcp *conn, bool is_abort)
{
	const struct linger reset = { 1, 0 };

	conn->state = CONN_TCP_DEAD;
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

void
conn_tcp_explain(struct conn_tcp *conn)
{
	if (conn->base.session != NULL)
		wk_session_set_cause(conn->base.session, conn->reason);
}

static void
end_session(struct conn_tcp *conn)
{
	conn_tcp_explain(conn);
	wk_conn_end_session(&conn->base);
}

/* --- deletion ------------------------------------------------------------- */

static void
del(struct wk_conn *base)
{
	struct conn_tcp *conn = of(base);
	bool is_abort;

	if (!conn_tcp_is_alive(conn))
		return;
	enter(conn);
	is_abort = conn->base.session != NULL &&
	    wk_session_streams(conn->base.session) > 0;
	if (!is_abort && conn->tls != NULL && conn->base.session != NULL &&
	    !conn->has_finished)
		(void)wk_tls_bye(conn->tls, NULL);
	unhook(conn, is_abort);
	if (conn->inside == 1)
		end_session(conn);
	else
		wk_conn_orphan_session(base);
	leave(conn);
}

/* It is over, and the owner hears why. */
static void
over(struct conn_tcp *conn, bool is_abort)
{
	const struct wk_conn_handler *handler = conn->base.config->handler;

	end_session(conn);
	if (!conn_tcp_is_alive(conn))
		return;
	unhook(conn, is_abort);
	handler->closed(&conn->base, conn->is_protocol, conn->reason);
}

/* --- closing -------------------------------------------------------------- */

/* Throw away what has come; true: the peer has closed, too. */
static bool
discard(struct conn_tcp *conn)
{
	uint8_t block[CONN_TCP_BLOCK];
	int pieces = 0;
	ssize_t n;

	do
		n = recv(conn->io.fd, block, sizeof(block), 0);
	while (n > 0 && ++pieces < DISCARD_ROUND);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != EINTR);
}

/*
 * Our direction ends. Over TLS the close_notify says so, and the socket stays
 * open: TLS may still have to answer something.
 */
static void
half_close(struct conn_tcp *conn)
{
	if (conn->has_finished || !conn_tcp_has_said_bye(conn))
		return;
	conn->has_finished = true;
	conn->progress_ns = 0;
	if (conn->tls == NULL)
		(void)shutdown(conn->io.fd, SHUT_WR);
}

static void
say_goodbye(struct conn_tcp *conn)
{
	if (!conn_tcp_has_said_bye(conn))
		return;
	(void)shutdown(conn->io.fd, SHUT_WR);
	if (conn->base.config->is_server && !conn->has_read_end &&
	    !conn->has_write_failed) {
		conn->state = CONN_TCP_LINGER;
		return;
	}
	/* What has come already shall not turn our close into a reset. */
	(void)discard(conn);
	over(conn, false);
}

static void
begin_close(struct conn_tcp *conn)
{
	if (conn->state == CONN_TCP_HANDSHAKE)
		conn->has_finished = true;	/* no TLS to end yet */
	end_session(conn);
	if (!conn_tcp_is_alive(conn))
		return;
	conn->state = CONN_TCP_GOODBYE;
	conn->deadline_ns = conn_tcp_now_ns(conn) + LINGER_NS;
	say_goodbye(conn);
}

/* --- the end of each round ------------------------------------------------ */

static void
follow_fate(struct conn_tcp *conn)
{
	enum wk_session_fate fate = conn_tcp_fate(conn);

	if (fate == WK_SESSION_ABORT) {
		over(conn, true);
		return;
	}
	if (conn->is_blocked)
		return;
	if (conn->state == CONN_TCP_GOODBYE)
		say_goodbye(conn);
	else if (conn->state == CONN_TCP_LINGER)
		return;
	else if (fate == WK_SESSION_CLOSE)
		begin_close(conn);
	else if (fate == WK_SESSION_FINISH)
		half_close(conn);
}

/* What TLS has taken from the kernel, no poll tells of. */
static bool
has_pending(const struct conn_tcp *conn)
{
	return conn->tls != NULL && conn_tcp_wants_input(conn) &&
	    wk_tls_pending(conn->tls) > 0;
}

static uint64_t
stall_deadline_ns(const struct conn_tcp *conn)
{
	return conn->is_blocked && conn->base.config->stall_timeout_ns > 0 ?
	    conn->progress_ns + conn->base.config->stall_timeout_ns : WK_NEVER;
}

static void
watch(struct conn_tcp *conn)
{
	uint64_t deadline_ns = stall_deadline_ns(conn), session_ns;
	unsigned events = conn->is_blocked ? WK_IO_WRITE : 0;

	if (conn->state == CONN_TCP_HANDSHAKE || conn_tcp_wants_input(conn))
		events |= conn->read_on;
	if (conn->state == CONN_TCP_LINGER)
		events |= WK_IO_READ;
	wk_io_watch(&conn->io, events);
	if (conn->deadline_ns < deadline_ns)
		deadline_ns = conn->deadline_ns;
	if (conn->base.session != NULL) {
		session_ns = wk_session_deadline_ns(conn->base.session);
		if (session_ns < deadline_ns)
			deadline_ns = session_ns;
	}
	if (has_pending(conn))
		deadline_ns = conn_tcp_now_ns(conn);
	wk_timer_set(&conn->timer, deadline_ns);
}

static void
run(struct wk_task *task)
{
	struct conn_tcp *conn = task->arg;

	enter(conn);
	if (conn->state == CONN_TCP_HANDSHAKE &&
	    conn_tcp_fate(conn) < WK_SESSION_CLOSE)
		conn_tcp_handshake(conn);
	/* What a verb could not tell at once is told here. */
	if (conn->state == CONN_TCP_OPEN &&
	    wk_session_deadline_ns(conn->base.session) <= conn_tcp_now_ns(conn))
		wk_session_expire(conn->base.session, conn_tcp_now_ns(conn));
	if (conn->state == CONN_TCP_OPEN)
		conn_tcp_write(conn);
	if (conn_tcp_is_alive(conn))
		follow_fate(conn);
	if (conn_tcp_is_alive(conn))
		watch(conn);
	leave(conn);
}

static void
ready(struct wk_io *io, unsigned events)
{
	struct conn_tcp *conn = io->arg;

	enter(conn);
	if ((events & WK_IO_WRITE) != 0)
		conn->is_blocked = false;
	if (conn->state == CONN_TCP_LINGER && discard(conn))
		over(conn, false);
	else if ((events & conn->read_on) != 0)
		conn_tcp_read(conn);
	if (conn_tcp_is_alive(conn))
		wk_task_schedule(&conn->task);
	leave(conn);
}

static void
expired(struct wk_timer *timer)
{
	struct conn_tcp *conn = timer->arg;
	uint64_t now = conn_tcp_now_ns(conn);

	enter(conn);
	if (has_pending(conn))
		conn_tcp_read(conn);
	if (!conn_tcp_is_alive(conn))
		goto out;
	if (conn->deadline_ns <= now && (conn->state == CONN_TCP_GOODBYE ||
	    conn->state == CONN_TCP_LINGER))
		over(conn, false);
	else if (conn->deadline_ns <= now)
		conn_tcp_fail(conn, WK_SESSION_CLOSE, false, "%s",
		    conn->tls != NULL ? "the TLS handshake took too long" :
		    "no request came in time");
	else if (stall_deadline_ns(conn) <= now)
		conn_tcp_fail(conn, WK_SESSION_ABORT, false,
		    "the peer takes nothing any more");
	/* The session's own deadlines are looked at there. */
	if (conn_tcp_is_alive(conn))
		wk_task_schedule(&conn->task);
out:
	leave(conn);
}

/* -------------------------------------------------------------------------- */

/*
 * Peers that vanish without a word are missed after two minutes: a tunnel that
 * is merely silent may stay for ever, and HTTP/1.1 has nothing to ask with.
 */
static void
keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};
	size_t i;

	/* A unix socket knows nothing of these, and needs none. */
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

/* --- verbs ---------------------------------------------------------------- */

static void
shut_down(struct wk_conn *base)
{
	struct conn_tcp *conn = of(base);

	if (base->session != NULL)
		wk_session_shutdown(base->session);
	else if (conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
	wk_task_schedule(&conn->task);
}

static void
break_off(struct wk_conn *base, const char *reason)
{
	struct conn_tcp *conn = of(base);

	conn_tcp_fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	wk_task_schedule(&conn->task);
}

static void
wake(struct wk_conn *base)
{
	wk_task_schedule(&of(base)->task);
}

static const struct wk_conn_ops ops = {
	.shutdown = shut_down,
	.break_off = break_off,
	.del = del,
	.wake = wake,
};

struct wk_conn *
wk_conn_new(const struct wk_conn_config *config, void *owner, int fd,
    const struct wk_address *peer, uint64_t deadline_ns,
    struct wk_error *error)
{
	struct conn_tcp *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	if (config->credentials != NULL) {
		conn->tls = wk_tls_new(config->credentials, fd, config->name,
		    conn_tcp_alpn(config->versions), error);
		if (conn->tls == NULL) {
			free(conn);
			return NULL;
		}
	}
	conn->base.ops = &ops;
	conn->base.config = config;
	conn->base.owner = owner;
	conn->base.peer = *peer;
	conn->state = CONN_TCP_HANDSHAKE;
	conn->deadline_ns = deadline_ns;
	conn->read_on = WK_IO_READ;
	keep_alive(fd);
	wk_io_init(&conn->io, config->loop, fd, ready, conn);
	wk_timer_init(&conn->timer, config->loop, expired, conn);
	wk_task_init(&conn->task, config->loop, run, conn);
	wk_task_schedule(&conn->task);
	return &conn->base;
}
