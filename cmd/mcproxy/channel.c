/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/net/tls.h"

#define RECORD_MAX 16384	/* small pieces share a record */

int
channel_secure(struct channel *c, struct wk_tls_credentials *credentials,
    int fd, const char *name, struct wk_error *error)
{
	c->tls = wk_tls_new(credentials, fd, name, NULL, error);
	c->is_open = false;
	return c->tls == NULL ? error->status : WK_OK;
}

static bool
is_want(ssize_t rc)
{
	return rc == WK_TLS_WANTS_READ || rc == WK_TLS_WANTS_WRITE;
}

int
channel_handshake(struct channel *c, struct wk_error *error)
{
	int rc = c->tls == NULL || c->is_open ? WK_OK :
	    wk_tls_handshake(c->tls, error);

	if (rc != WK_OK)
		return is_want(rc) ? 0 : rc;
	c->is_open = true;
	return 1;
}

static bool
is_ready(struct channel *c)
{
	struct wk_error error;
	int rc = channel_handshake(c, &error);

	errno = rc == 0 ? EAGAIN : EPROTO;
	return rc == 1;
}

static ssize_t
read_tls(struct channel *c, char *data, size_t len)
{
	struct wk_error error;
	size_t got = 0;
	ssize_t n = 1;

	if (!is_ready(c))
		return -1;
	while (got < len && n > 0) {
		n = wk_tls_read(c->tls, data + got, len - got, &error);
		if (n > 0)
			got += (size_t)n;
	}
	/* The end, or an error, is there again when asked for. */
	c->has_more = got > 0 && !is_want(n);
	if (got > 0 || n == 0)
		return (ssize_t)got;
	/* Requests end by themselves: a missing good-bye is an end, too. */
	if (n == WK_E_TRUNCATED)
		return 0;
	errno = is_want(n) ? EAGAIN : EPROTO;
	return -1;
}

ssize_t
channel_read(struct channel *c, int fd, void *data, size_t len)
{
	ssize_t n;

	if (c->tls != NULL)
		return read_tls(c, data, len);
	do
		n = recv(fd, data, len, 0);
	while (n < 0 && errno == EINTR);
	c->has_more = n >= 0 && (size_t)n == len;
	return n;
}

int
channel_write(struct channel *c, int fd, struct store *s, struct chain *chain,
    uint64_t *written)
{
	char record[RECORD_MAX];
	struct wk_error error;
	ssize_t n;

	if (c->tls == NULL)
		return chain_write(s, chain, fd, written);
	if (!is_ready(c))
		return errno == EAGAIN ? 1 : -1;
	while (chain->bytes > 0) {
		n = wk_tls_write(c->tls, record, chain_peek(chain, record,
		    sizeof(record)), &error);
		if (n < 0) {
			errno = EPROTO;
			return is_want(n) ? 1 : -1;
		}
		chain_drop(s, chain, (size_t)n);
		*written += (uint64_t)n;
	}
	return 0;
}

bool
channel_send(struct channel *c, int fd, const char *data, size_t len)
{
	struct wk_error error;

	if (c->tls == NULL)
		return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
	return wk_tls_write(c->tls, data, len, &error) == (ssize_t)len;
}

void
channel_free(struct channel *c)
{
	struct wk_error error;

	if (c->tls == NULL)
		return;
	/* Whether it takes that or not, nothing else will be sent. */
	if (c->is_open)
		wk_tls_bye(c->tls, &error);
	wk_tls_del(c->tls);
	memset(c, 0, sizeof(*c));
}
