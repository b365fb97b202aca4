/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int
set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static bool
is_internet(const struct wk_address *address)
{
	return address->sa.ss_family != AF_UNIX;
}

static int
stream_socket(const struct wk_address *address)
{
	return socket(address->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
bind_to(int fd, const struct wk_address *address)
{
	return bind(fd, (const struct sockaddr *)&address->sa, address->len);
}

/*
 * Remove a socket file that nobody listens on. True: removed. False: errno
 * says why not, EADDRINUSE if somebody is there.
 */
static bool
remove_stale(const struct wk_address *address)
{
	const struct sockaddr_un *sun =
	    (const struct sockaddr_un *)(const void *)&address->sa;
	struct stat st;
	int fd, reason;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return false;
	}
	fd = stream_socket(address);
	if (fd < 0)
		return false;
	reason = connect(fd, (const struct sockaddr *)&address->sa,
	    address->len) == 0 ? 0 : errno;
	close(fd);
	if (reason != ECONNREFUSED) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(sun->sun_path) == 0 || errno == ENOENT;
}

static int
open_listener(const struct wk_address *address)
{
	int fd = stream_socket(address), saved;

	if (fd < 0)
		return -1;
	if (is_internet(address) &&
	    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		goto fail;
	if (address->sa.ss_family == AF_INET6 &&
	    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		goto fail;
	if (bind_to(fd, address) < 0 &&
	    (is_internet(address) || errno != EADDRINUSE ||
	    !remove_stale(address) || bind_to(fd, address) < 0))
		goto fail;
	if (listen(fd, SOMAXCONN) < 0)
		goto fail;
	return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
wk_sock_listen(struct wk_address *address, struct wk_error *error)
{
	char text[WK_ADDRESS_TEXT_MAX];
	int fd = open_listener(address), saved = errno;

	if (fd < 0) {
		wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s",
		    wk_address_text(address, text),
		    saved == ENOTSOCK ? "exists and is not a socket" :
		    strerror(saved));
		errno = saved;
		return WK_E_SYSTEM;
	}
	/* A unix path stays as it was given. */
	if (is_internet(address)) {
		address->len = sizeof(address->sa);
		getsockname(fd, (struct sockaddr *)&address->sa, &address->len);
	}
	return fd;
}

/*
 * accept(2): what went wrong with the connection that was waiting is no
 * failure of the listener; the next one may be fine.
 */
static bool
is_about_the_peer(int error_number)
{
	switch (error_number) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case ENOPROTOOPT:
		return true;
	default:
		return false;
	}
}

int
wk_sock_accept(int listener, struct wk_address *peer)
{
	int fd;

	do {
		peer->len = sizeof(peer->sa);
		fd = accept4(listener, (struct sockaddr *)&peer->sa,
		    &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && is_about_the_peer(errno));
	if (fd >= 0 && is_internet(peer))
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

bool
wk_sock_is_exhausted(int error_number)
{
	return error_number == EMFILE || error_number == ENFILE ||
	    error_number == ENOBUFS || error_number == ENOMEM;
}

int
wk_sock_udp_connect(const struct wk_address *address)
{
	bool is_v6 = address->sa.ss_family == AF_INET6;
	int fd, saved;

	fd = socket(address->sa.ss_family,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/*
	 * PROBE: DF always, and no trust in "packet too big" messages, which
	 * anybody may forge; both ends measure the path themselves.
	 */
	if ((is_v6 ? set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
	    IPV6_PMTUDISC_PROBE) :
	    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
	    IP_PMTUDISC_PROBE)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address->sa,
	    address->len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
