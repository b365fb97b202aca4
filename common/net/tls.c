/* SPDX-License-Identifier: MIT */
/*
 * Sessions over TCP. GnuTLS never sees a socket that is full: what the kernel
 * does not take waits in out, so that no call of GnuTLS is ever interrupted
 * while writing and has to be repeated with the same octets. What the kernel
 * has comes in large pieces into in, not in headers and rests of records.
 */
#include "config.h"

#include "common/net/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/net/tls_parts.h"

#define RECORD_MAX 16384		/* octets of data in one record */
#define READ_AHEAD (RECORD_MAX + 512)	/* one whole record, encrypted */
#define OUT_MAX ((size_t)1 << 20)	/* a flight with long chains */
#define FIRST_MAX 16			/* octets to show of what is no TLS */
#define ALERT_RECORD_LEN 7		/* type, version, length, alert */

/* Records without data that one call of ours takes before it gives up. */
#define EMPTY_MAX 200

struct wk_tls {
	gnutls_session_t session;
	struct wk_tls_peer peer;
	int fd;
	int error_number;	/* of a system call that failed */
	bool has_ended;		/* the kernel has no more octets */
	bool is_starved;	/* the kernel had none the last time */
	bool is_established;	/* the handshake is over */
	bool has_said_bye;
	uint8_t *in;		/* READ_AHEAD octets; NULL when empty */
	size_t in_at, in_len;
	struct wk_buf out;
	size_t out_at;
	size_t owed;		/* octets in out, not yet reported as taken */
	uint8_t first[FIRST_MAX];
	size_t first_len;
	uint8_t last[ALERT_RECORD_LEN];	/* octets before the handshake's end */
	char description[WK_TLS_DESCRIPTION_MAX];
	char alpn[256], server_name[256];
	struct wk_error failure;	/* the first one stays */
};

/* --- between GnuTLS and the kernel ---------------------------------------- */

/* Send without SIGPIPE: octets, 0 when the kernel takes none, or -1. */
static ssize_t
send_some(struct wk_tls *tls, const struct iovec *iov, size_t n)
{
	struct msghdr message;
	ssize_t sent;

	memset(&message, 0, sizeof(message));
	message.msg_iov = (struct iovec *)iov;
	message.msg_iovlen = n;
	do
		sent = sendmsg(tls->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
		return 0;
	tls->error_number = errno;
	return -1;
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int n)
{
	struct wk_tls *tls = ptr;
	size_t sent = 0, total = 0;
	ssize_t rc;
	int i;

	if (tls->out.len == 0) {
		rc = send_some(tls, iov, (size_t)n);
		if (rc < 0) {
			gnutls_transport_set_errno(tls->session,
			    tls->error_number);
			return -1;
		}
		sent = (size_t)rc;
	}
	for (i = 0; i < n; i++) {
		if (sent < iov[i].iov_len)
			wk_buf_append(&tls->out,
			    (const uint8_t *)iov[i].iov_base + sent,
			    iov[i].iov_len - sent);
		sent -= sent < iov[i].iov_len ? sent : iov[i].iov_len;
		total += iov[i].iov_len;
	}
	if (tls->out.status != WK_OK) {
		tls->error_number = ENOBUFS;
		gnutls_transport_set_errno(tls->session, ENOBUFS);
		return -1;
	}
	return (ssize_t)total;
}

/* WK_OK when nothing waits any more. */
static int
flush(struct wk_tls *tls)
{
	struct iovec iov;
	ssize_t n;

	while (tls->out_at < tls->out.len) {
		iov.iov_base = tls->out.data + tls->out_at;
		iov.iov_len = tls->out.len - tls->out_at;
		n = send_some(tls, &iov, 1);
		if (n < 0)
			return WK_E_SYSTEM;
		if (n == 0)
			return WK_TLS_WANTS_WRITE;
		tls->out_at += (size_t)n;
	}
	if (tls->out_at > 0) {
		wk_buf_free(&tls->out);
		tls->out_at = 0;
	}
	return WK_OK;
}

static ssize_t
receive(struct wk_tls *tls, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(tls->fd, data, len, 0);
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		tls->has_ended = true;
	} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		tls->is_starved = true;
		gnutls_transport_set_errno(tls->session, EAGAIN);
	} else if (n < 0) {
		tls->error_number = errno;
		gnutls_transport_set_errno(tls->session, errno);
	}
	if (n > 0 && tls->first_len == 0) {
		tls->first_len = (size_t)n < FIRST_MAX ? (size_t)n : FIRST_MAX;
		memcpy(tls->first, data, tls->first_len);
	}
	return n;
}

/* An idle session holds no buffer. */
static void
drop_in(struct wk_tls *tls)
{
	free(tls->in);
	tls->in = NULL;
	tls->in_at = tls->in_len = 0;
}

static void
note_last(struct wk_tls *tls, const uint8_t *data, size_t len)
{
	size_t keep = len < ALERT_RECORD_LEN ? ALERT_RECORD_LEN - len : 0;

	memmove(tls->last, tls->last + ALERT_RECORD_LEN - keep, keep);
	memcpy(tls->last + keep, data + len - (ALERT_RECORD_LEN - keep),
	    ALERT_RECORD_LEN - keep);
}

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct wk_tls *tls = ptr;
	ssize_t n;

	if (tls->in_at == tls->in_len) {
		if (len >= READ_AHEAD / 2)
			return receive(tls, data, len);
		if (tls->in == NULL)
			tls->in = malloc(READ_AHEAD);
		if (tls->in == NULL) {
			tls->error_number = ENOMEM;
			gnutls_transport_set_errno(tls->session, ENOMEM);
			return -1;
		}
		n = receive(tls, tls->in, READ_AHEAD);
		if (n <= 0) {
			drop_in(tls);
			return n;
		}
		tls->in_at = 0;
		tls->in_len = (size_t)n;
	}
	if (len > tls->in_len - tls->in_at)
		len = tls->in_len - tls->in_at;
	memcpy(data, tls->in + tls->in_at, len);
	tls->in_at += len;
	if (!tls->is_established)
		note_last(tls, data, len);
	return (ssize_t)len;
}

/* --- failures ------------------------------------------------------------- */

static int
again(const struct wk_tls *tls, struct wk_error *error)
{
	if (error != NULL)
		*error = tls->failure;
	return tls->failure.status;
}

static int
fail_system(struct wk_tls *tls, struct wk_error *error)
{
	wk_error_set(&tls->failure, WK_E_SYSTEM, 0, "%s",
	    strerror(tls->error_number));
	return again(tls, error);
}

/* What came first was neither a record nor the hello of old. */
static bool
is_no_tls(const struct wk_tls *tls)
{
	return tls->first_len > 0 &&
	    (tls->first[0] < 20 || tls->first[0] > 24) &&
	    tls->first[0] != 0x80;
}

static void
say_no_tls(struct wk_tls *tls)
{
	struct wk_buf b;

	wk_buf_init(&b, 256);
	wk_text_escape(&b, tls->first, tls->first_len, '"');
	wk_error_set(&tls->failure, WK_E_MALFORMED, 0,
	    "peer does not speak TLS; it began with \"%.*s\"", (int)b.len,
	    b.data == NULL ? "" : (const char *)b.data);
	wk_buf_free(&b);
}

/*
 * OpenSSL, when it refuses our certificate in TLS 1.3, says so in the clear
 * although keys are there. Nobody vouches for that, but it is the reason.
 */
static bool
is_clear_alert(const struct wk_tls *tls, int code)
{
	static const uint8_t head[] = { 21, 3, 3, 0, 2 };

	return code == GNUTLS_E_DECRYPTION_FAILED &&
	    !tls->is_established &&
	    memcmp(tls->last, head, sizeof(head)) == 0;
}

/* The peer learns why, as far as the kernel takes it. */
static void
send_alert(struct wk_tls *tls, int code)
{
	if (tls->peer.alert != 0)
		gnutls_alert_send(tls->session, GNUTLS_AL_FATAL,
		    (gnutls_alert_description_t)tls->peer.alert);
	else
		gnutls_alert_send_appropriate(tls->session, code);
	flush(tls);
}

static int
fail(struct wk_tls *tls, int code, struct wk_error *error)
{
	const char *when = tls->is_established ? "" :
	    " during the TLS handshake";

	if (tls->error_number != 0)
		return fail_system(tls, error);
	if (tls->has_ended) {
		/* In the middle of a record too. */
		wk_error_set(&tls->failure, WK_E_TRUNCATED, 0,
		    "peer closed the connection%s", tls->is_established ?
		    " without TLS's close_notify" : when);
		return again(tls, error);
	}
	if (!tls->is_established && is_no_tls(tls))
		say_no_tls(tls);
	else if (is_clear_alert(tls, code))
		tls_alert_error(&tls->failure, tls->last[6]);
	else
		wk_tls_explain(&tls->peer, tls->session, code, &tls->failure);
	send_alert(tls, code);
	return again(tls, error);
}

/* --- the session ---------------------------------------------------------- */

struct wk_tls *
wk_tls_new(struct wk_tls_credentials *credentials, int fd, const char *name,
    const char *const *alpn, struct wk_error *error)
{
	struct wk_tls *tls = calloc(1, sizeof(*tls));
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS;
	int rc;

	if (tls == NULL) {
		wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	tls->fd = fd;
	wk_buf_init(&tls->out, OUT_MAX);
	/*
	 * No tickets: nobody here resumes sessions, and one that a client has
	 * not read when it closes makes its kernel reset the connection, and
	 * what the client sent last gets lost.
	 */
	rc = gnutls_init(&tls->session, flags | (credentials->is_server ?
	    GNUTLS_SERVER : GNUTLS_CLIENT));
	if (rc >= 0)
		rc = gnutls_priority_set(tls->session, credentials->priority);
	if (rc < 0)
		tls_library_error(error, "TLS", rc);
	if (rc < 0 || wk_tls_prepare(&tls->peer, credentials, tls->session,
	    name, alpn, error) != WK_OK) {
		wk_tls_del(tls);
		return NULL;
	}
	gnutls_transport_set_ptr(tls->session, tls);
	gnutls_transport_set_pull_function(tls->session, pull);
	gnutls_transport_set_vec_push_function(tls->session, push);
	return tls;
}

void
wk_tls_del(struct wk_tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->session != NULL)
		gnutls_deinit(tls->session);
	wk_tls_peer_free(&tls->peer);
	drop_in(tls);
	wk_buf_free(&tls->out);
	free(tls);
}

static void
note_agreement(struct wk_tls *tls)
{
	gnutls_datum_t alpn;
	size_t len = sizeof(tls->server_name);
	unsigned type;

	if (gnutls_alpn_get_selected_protocol(tls->session, &alpn) >= 0) {
		memcpy(tls->alpn, alpn.data, alpn.size);
		tls->alpn[alpn.size] = '\0';
	}
	if (!tls->peer.credentials->is_server || gnutls_server_name_get(
	    tls->session, tls->server_name, &len, &type, 0) < 0)
		tls->server_name[0] = '\0';
}

int
wk_tls_handshake(struct wk_tls *tls, struct wk_error *error)
{
	unsigned taken;
	int code, rc;

	if (tls->failure.status != WK_OK)
		return again(tls, error);
	for (taken = 0;; taken++) {
		rc = flush(tls);
		if (rc == WK_E_SYSTEM)
			return fail_system(tls, error);
		if (rc != WK_OK)
			return rc;
		if (tls->is_established)
			return WK_OK;
		tls->is_starved = false;
		code = gnutls_handshake(tls->session);
		if (code >= 0) {
			tls->is_established = true;
			note_agreement(tls);
		} else if (gnutls_error_is_fatal(code) || taken == EMPTY_MAX) {
			return fail(tls, code, error);
		} else if (tls->is_starved && tls->out.len == 0) {
			return WK_TLS_WANTS_READ;
		}
	}
}

/*
 * Codes that are not fatal: nothing to read (AGAIN), also after a record that
 * had no data in it, and warnings.
 */
ssize_t
wk_tls_read(struct wk_tls *tls, void *data, size_t len, struct wk_error *error)
{
	unsigned taken;
	ssize_t n;

	if (tls->failure.status != WK_OK)
		return again(tls, error);
	/* An answer of TLS itself may wait; nobody else may come to send it. */
	if (flush(tls) == WK_E_SYSTEM)
		tls->error_number = 0;	/* what came before may be read */
	for (taken = 0; taken < EMPTY_MAX; taken++) {
		tls->is_starved = false;
		n = gnutls_record_recv(tls->session, data, len);
		if (n >= 0)
			return n;
		if (n == GNUTLS_E_REHANDSHAKE ||
		    gnutls_error_is_fatal((int)n))
			return fail(tls, (int)n, error);
		if (tls->is_starved)
			return WK_TLS_WANTS_READ;
	}
	wk_error_set(&tls->failure, WK_E_LIMIT, 0,
	    "peer sends TLS records without data");
	return again(tls, error);
}

size_t
wk_tls_pending(const struct wk_tls *tls)
{
	return gnutls_record_check_pending(tls->session) + tls->in_len -
	    tls->in_at;
}

ssize_t
wk_tls_write(struct wk_tls *tls, const void *data, size_t len,
    struct wk_error *error)
{
	size_t done = 0, piece;
	ssize_t n;
	int rc;

	if (tls->failure.status != WK_OK)
		return again(tls, error);
	for (;;) {
		rc = flush(tls);
		if (rc == WK_E_SYSTEM)
			return fail_system(tls, error);
		if (rc != WK_OK)
			return done > 0 ? (ssize_t)done : rc;
		/* The record of the last round, or call, is on its way. */
		if (tls->owed > len - done) {
			wk_error_set(&tls->failure, WK_E_INVALID, 0,
			    "less offered than before");
			return again(tls, error);
		}
		done += tls->owed;
		tls->owed = 0;
		if (done == len)
			return (ssize_t)done;
		piece = len - done > RECORD_MAX ? RECORD_MAX : len - done;
		n = gnutls_record_send(tls->session,
		    (const uint8_t *)data + done, piece);
		if (n < 0)
			return fail(tls, (int)n, error);
		tls->owed = (size_t)n;
	}
}

int
wk_tls_bye(struct wk_tls *tls, struct wk_error *error)
{
	int code, rc;

	if (tls->failure.status != WK_OK)
		return again(tls, error);
	if (!tls->has_said_bye) {
		code = gnutls_bye(tls->session, GNUTLS_SHUT_WR);
		if (code < 0)
			return fail(tls, code, error);
		tls->has_said_bye = true;
	}
	rc = flush(tls);
	return rc == WK_E_SYSTEM ? fail_system(tls, error) : rc;
}

const char *
wk_tls_alpn(const struct wk_tls *tls)
{
	return tls->alpn[0] == '\0' ? NULL : tls->alpn;
}

const char *
wk_tls_server_name(const struct wk_tls *tls)
{
	return tls->server_name[0] == '\0' ? NULL : tls->server_name;
}

const char *
wk_tls_description(struct wk_tls *tls)
{
	return wk_tls_describe(tls->session, tls->description);
}
