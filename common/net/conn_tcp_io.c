/* SPDX-License-Identifier: MIT */
/* Octets of a connection, in and out, with or without TLS. */
#include "config.h"

#include "common/net/conn_tcp_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* In one round, before others have their turn. */
#define READ_ROUND ((size_t)4 * CONN_TCP_BLOCK)
#define WRITE_ROUND ((size_t)16 * 65536)

/* --- reading -------------------------------------------------------------- */

void
conn_tcp_feed(struct conn_tcp *conn, const void *data, size_t len)
{
	struct wk_error error;
	int rc;

	if (len == 0 || !conn_tcp_is_alive(conn) || conn->base.session == NULL)
		return;
	rc = wk_session_receive(conn->base.session, data, len, conn_tcp_now_ns(conn),
	    &error);
	if (rc != WK_OK && conn_tcp_is_alive(conn))
		conn_tcp_fail(conn, WK_SESSION_CLOSE, rc != WK_E_NOMEM, "%s",
		    error.reason);
}

/* The peer says no more. reason: because the connection broke. */
static void
read_end(struct conn_tcp *conn, bool is_clean, const char *reason)
{
	bool has_streams = conn->base.session != NULL &&
	    wk_session_streams(conn->base.session) > 0;

	conn->has_read_end = true;
	if (conn->has_write_failed) {
		/* The kernel has told of the reset where we wrote. */
		is_clean = false;
		conn->fate = WK_SESSION_ABORT;
	}
	if (reason != NULL)
		conn_tcp_fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	else if (!is_clean && has_streams)
		conn_tcp_fail(conn, WK_SESSION_CLOSE, false,
		    "the connection ended without a close_notify");
	else if (conn->state == CONN_TCP_DETECT && conn->n_preface > 0)
		conn_tcp_fail(conn, WK_SESSION_CLOSE, false,
		    "the connection ended before a request");
	if (conn->base.session != NULL)
		wk_session_receive_end(conn->base.session, is_clean,
		    conn_tcp_now_ns(conn));
	else if (conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
	if (!is_clean && conn_tcp_is_alive(conn) &&
	    conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
}

/* The peer has said in TLS why; that explains more than that it is gone. */
static void
alerted(struct conn_tcp *conn, const char *reason)
{
	free(conn->reason);
	conn->reason = NULL;
	conn_tcp_fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	conn_tcp_explain(conn);
}

/* Octets into block; 0: none now, or the end, which is dealt with. */
static size_t
take(struct conn_tcp *conn, uint8_t *block, size_t size)
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
	if (n == WK_E_REFUSED)
		alerted(conn, error.reason);
	read_end(conn, n == 0, n == 0 || n == WK_E_TRUNCATED ? NULL :
	    error.reason);
	return 0;
}

bool
conn_tcp_wants_input(const struct conn_tcp *conn)
{
	if (conn->has_read_end || conn_tcp_fate(conn) >= WK_SESSION_CLOSE)
		return false;
	return conn->state == CONN_TCP_DETECT ||
	    (conn->state == CONN_TCP_OPEN &&
	    wk_session_wants_input(conn->base.session));
}

void
conn_tcp_read(struct conn_tcp *conn)
{
	uint8_t block[CONN_TCP_BLOCK];
	size_t n, sum = 0;

	while (sum < READ_ROUND && conn_tcp_is_alive(conn) &&
	    conn_tcp_wants_input(conn)) {
		n = take(conn, block, sizeof(block));
		if (n == 0)
			return;
		if (conn->state == CONN_TCP_DETECT)
			conn_tcp_detect(conn, block, n);
		else
			conn_tcp_feed(conn, block, n);
		sum += n;
		/* Without TLS, less than asked for means that it was all. */
		if (conn->tls == NULL && n < sizeof(block))
			return;
	}
}

/* --- writing -------------------------------------------------------------- */

/* Nothing goes out any more; what the peer has sent may still explain why. */
static void
write_failed(struct conn_tcp *conn, const char *reason)
{
	conn->has_write_failed = true;
	conn->is_blocked = false;
	conn_tcp_fail(conn, WK_SESSION_OPEN, false, "%s", reason);
	if (conn->has_read_end)
		conn->fate = WK_SESSION_ABORT;
}

static void
block(struct conn_tcp *conn)
{
	conn->is_blocked = true;
	if (conn->progress_ns == 0)
		conn->progress_ns = conn_tcp_now_ns(conn);
}

/* Octets taken; 0: blocked or failed. */
static size_t
give(struct conn_tcp *conn, const uint8_t *data, size_t len)
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

void
conn_tcp_write(struct conn_tcp *conn)
{
	const uint8_t *data;
	size_t len, n, sum = 0;

	while (conn_tcp_is_alive(conn) &&
	    conn_tcp_fate(conn) < WK_SESSION_ABORT) {
		len = wk_session_output(conn->base.session, &data);
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
		conn->progress_ns = conn_tcp_now_ns(conn);
		sum += n;
		wk_session_sent(conn->base.session, n, conn_tcp_now_ns(conn));
	}
}

bool
conn_tcp_has_said_bye(struct conn_tcp *conn)
{
	if (conn->tls == NULL || conn->has_finished ||
	    conn->has_write_failed ||
	    wk_tls_bye(conn->tls, NULL) != WK_TLS_WANTS_WRITE)
		return true;
	block(conn);
	return false;
}
