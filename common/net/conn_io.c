/* SPDX-License-Identifier: MIT */
/* Octets of a connection, in and out, with or without TLS. */
#include "config.h"

#include "common/net/conn_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* In one round, before others have their turn. */
#define READ_ROUND ((size_t)4 * WK_CONN_BLOCK)
#define WRITE_ROUND ((size_t)16 * 65536)

/* --- reading -------------------------------------------------------------- */

void
wk_conn_feed(struct wk_conn *conn, const void *data, size_t len)
{
	struct wk_error error;
	int rc;

	if (len == 0 || !wk_conn_is_alive(conn) || conn->session == NULL)
		return;
	rc = wk_session_receive(conn->session, data, len, wk_conn_now_ns(conn),
	    &error);
	if (rc != WK_OK && wk_conn_is_alive(conn))
		wk_conn_fail(conn, WK_SESSION_CLOSE, rc != WK_E_NOMEM, "%s",
		    error.reason);
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
		wk_conn_fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	else if (!is_clean && has_streams)
		wk_conn_fail(conn, WK_SESSION_CLOSE, false,
		    "the connection ended without a close_notify");
	else if (conn->state == WK_CONN_DETECT && conn->n_preface > 0)
		wk_conn_fail(conn, WK_SESSION_CLOSE, false,
		    "the connection ended before a request");
	if (conn->session != NULL)
		wk_session_receive_end(conn->session, is_clean,
		    wk_conn_now_ns(conn));
	else if (conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
	if (!is_clean && wk_conn_is_alive(conn) &&
	    conn->fate < WK_SESSION_CLOSE)
		conn->fate = WK_SESSION_CLOSE;
}

/* The peer has said in TLS why; that explains more than that it is gone. */
static void
alerted(struct wk_conn *conn, const char *reason)
{
	free(conn->reason);
	conn->reason = NULL;
	wk_conn_fail(conn, WK_SESSION_ABORT, false, "%s", reason);
	wk_conn_explain(conn);
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
	if (n == WK_E_REFUSED)
		alerted(conn, error.reason);
	read_end(conn, n == 0, n == 0 || n == WK_E_TRUNCATED ? NULL :
	    error.reason);
	return 0;
}

bool
wk_conn_wants_input(const struct wk_conn *conn)
{
	if (conn->has_read_end || wk_conn_fate(conn) >= WK_SESSION_CLOSE)
		return false;
	return conn->state == WK_CONN_DETECT ||
	    (conn->state == WK_CONN_OPEN &&
	    wk_session_wants_input(conn->session));
}

void
wk_conn_read(struct wk_conn *conn)
{
	uint8_t block[WK_CONN_BLOCK];
	size_t n, sum = 0;

	while (sum < READ_ROUND && wk_conn_is_alive(conn) &&
	    wk_conn_wants_input(conn)) {
		n = take(conn, block, sizeof(block));
		if (n == 0)
			return;
		if (conn->state == WK_CONN_DETECT)
			wk_conn_detect(conn, block, n);
		else
			wk_conn_feed(conn, block, n);
		sum += n;
		/* Without TLS, less than asked for means that it was all. */
		if (conn->tls == NULL && n < sizeof(block))
			return;
	}
}

/* --- writing -------------------------------------------------------------- */

/* Nothing goes out any more; what the peer has sent may still explain why. */
static void
write_failed(struct wk_conn *conn, const char *reason)
{
	conn->has_write_failed = true;
	conn->is_blocked = false;
	wk_conn_fail(conn, WK_SESSION_OPEN, false, "%s", reason);
	if (conn->has_read_end)
		conn->fate = WK_SESSION_ABORT;
}

static void
block(struct wk_conn *conn)
{
	conn->is_blocked = true;
	if (conn->progress_ns == 0)
		conn->progress_ns = wk_conn_now_ns(conn);
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

void
wk_conn_write(struct wk_conn *conn)
{
	const uint8_t *data;
	size_t len, n, sum = 0;

	while (wk_conn_is_alive(conn) &&
	    wk_conn_fate(conn) < WK_SESSION_ABORT) {
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
		conn->progress_ns = wk_conn_now_ns(conn);
		sum += n;
		wk_session_sent(conn->session, n, wk_conn_now_ns(conn));
	}
}

bool
wk_conn_has_said_bye(struct wk_conn *conn)
{
	if (conn->tls == NULL || conn->has_finished ||
	    conn->has_write_failed ||
	    wk_tls_bye(conn->tls, NULL) != WK_TLS_WANTS_WRITE)
		return true;
	block(conn);
	return false;
}
