/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"
#include "common/net/sock.h"

#define TIMEOUT_SEC 10
#define ADDRESSES_MAX 8		/* of a name, to try */

static int
connect_to(const struct wk_address *at)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
	int fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&at->sa, at->len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
link_open(struct link *l, const char *address)
{
	struct wk_address found[ADDRESSES_MAX];
	struct wk_error error;
	int i, n;

	l->address = address;
	l->fd = -1;
	l->at = l->len = 0;
	n = wk_address_lookup(wk_str_of(address), "127.0.0.1", found,
	    ADDRESSES_MAX, &error);
	if (n < 0) {
		wk_warn("%s: %s", address, error.reason);
		return n == WK_E_SYSTEM ? WK_EXIT_NETWORK : WK_EXIT_USAGE;
	}
	for (i = 0; i < n && l->fd < 0; i++)
		l->fd = connect_to(&found[i]);
	if (l->fd >= 0)
		return WK_EXIT_OK;
	wk_warn_errno(errno, "%s", address);
	return WK_EXIT_NETWORK;
}

void
link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

bool
link_send(struct link *l, const char *text, size_t len)
{
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n) {
		n = send(l->fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) {
			n = 0;
		} else if (n < 0) {
			wk_warn_errno(errno, "%s", l->address);
			return false;
		}
	}
	return true;
}

static bool
fill(struct link *l)
{
	ssize_t n;

	memmove(l->data, l->data + l->at, l->len - l->at);
	l->len -= l->at;
	l->at = 0;
	do
		n = recv(l->fd, l->data + l->len, sizeof(l->data) - l->len, 0);
	while (n < 0 && errno == EINTR && wk_signals_stopped() == 0);
	if (wk_signals_stopped() != 0)
		return false;	/* not worth a word */
	if (n == 0)
		wk_warn("%s: the proxy closed the connection", l->address);
	else if (n < 0 && errno == EAGAIN)
		wk_warn("%s: no answer within %d seconds", l->address,
		    TIMEOUT_SEC);
	else if (n < 0)
		wk_warn_errno(errno, "%s", l->address);
	if (n <= 0)
		return false;
	l->len += (size_t)n;
	return true;
}

char *
link_line(struct link *l)
{
	char *line, *end;

	while ((end = memchr(l->data + l->at, '\n', l->len - l->at)) == NULL) {
		if (l->len - l->at == sizeof(l->data)) {
			wk_warn("%s: a line of more than %d octets",
			    l->address, LINK_BUFFER);
			return NULL;
		}
		if (!fill(l))
			return NULL;
	}
	line = l->data + l->at;
	l->at = (size_t)(end + 1 - l->data);
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	return line;
}

const char *
link_data(struct link *l, size_t want, size_t *got)
{
	const char *data;

	if (l->at == l->len && !fill(l))
		return NULL;
	data = l->data + l->at;
	*got = l->len - l->at < want ? l->len - l->at : want;
	l->at += *got;
	return data;
}
