/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/link.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"

#define TIMEOUT_SEC 10

static int
connect_to(const struct sockaddr *at, socklen_t len)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, at, len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
open_unix(struct link *l, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(un.sun_path)) {
		wk_warn("%s: path too long", l->address);
		return WK_EXIT_USAGE;
	}
	strcpy(un.sun_path, path);
	l->fd = connect_to((struct sockaddr *)&un, sizeof(un));
	if (l->fd >= 0)
		return WK_EXIT_OK;
	wk_warn_errno(errno, "%s", l->address);
	return WK_EXIT_NETWORK;
}

int
link_open(struct link *l, const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *a;
	const char *colon = strrchr(address, ':');
	char host[256];
	size_t len;
	int rc;

	l->address = address;
	l->fd = -1;
	l->at = l->len = 0;
	if (strncmp(address, "unix:", 5) == 0)
		return open_unix(l, address + 5);
	len = colon == NULL ? 0 : (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (colon == NULL || len >= sizeof(host)) {
		wk_warn("%s: expected ADDR:PORT, [IPV6]:PORT or unix:PATH",
		    l->address);
		return WK_EXIT_USAGE;
	}
	memcpy(host, address, len);
	host[len] = '\0';
	rc = getaddrinfo(len == 0 ? "127.0.0.1" : host, colon + 1, &hints,
	    &all);
	if (rc != 0) {
		wk_warn("%s: %s", l->address, gai_strerror(rc));
		return WK_EXIT_NETWORK;
	}
	for (a = all; a != NULL && l->fd < 0; a = a->ai_next)
		l->fd = connect_to(a->ai_addr, a->ai_addrlen);
	rc = errno;
	freeaddrinfo(all);
	if (l->fd >= 0)
		return WK_EXIT_OK;
	wk_warn_errno(rc, "%s", l->address);
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
