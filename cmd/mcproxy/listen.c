/* SPDX-License-Identifier: MIT */
/* Listening sockets, for clients and for metrics. */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"

#define BACKLOG 1024

static int
listen_unix(const char *path, char *reason, size_t size)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(un.sun_path)) {
		snprintf(reason, size, "unix:%s: path too long", path);
		return -1;
	}
	strcpy(un.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		snprintf(reason, size, "unix:%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static int
listen_tcp(const struct addrinfo *a)
{
	int fd, one = 1;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	one = errno;
	close(fd);
	errno = one;
	return -1;
}

/* A decimal number that a port can have. */
static bool
is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 5 && text[len] == '\0' &&
	    strtoul(text, NULL, 10) <= 65535;
}

const char *
listen_check(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (strncmp(address, "unix:", 5) == 0)
		return address[5] != '\0' ? NULL : "expected a path";
	if (colon == NULL && strspn(address, "0123456789") != strlen(address))
		return "expected ADDR:PORT, [IPV6]:PORT, PORT or unix:PATH";
	return is_port(colon != NULL ? colon + 1 : address) ? NULL :
	    "a port is a number, at most 65535";
}

/* What listen_check() let pass; a port alone is one of the loopback. */
int
listen_on(const char *address, char *reason, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *all;
	const char *colon = strrchr(address, ':');
	const char *port = colon == NULL ? address : colon + 1;
	char host[256];
	size_t len;
	int fd, rc;

	if (strncmp(address, "unix:", 5) == 0)
		return listen_unix(address + 5, reason, size);
	len = colon == NULL ? 0 : (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= sizeof(host)) {
		snprintf(reason, size, "%s: name too long", address);
		return -1;
	}
	memcpy(host, address, len);
	host[len] = '\0';
	rc = getaddrinfo(len == 0 ? "127.0.0.1" : host, port, &hints, &all);
	if (rc != 0) {
		snprintf(reason, size, "%s: %s", address, gai_strerror(rc));
		return -1;
	}
	fd = listen_tcp(all);
	if (fd < 0)
		snprintf(reason, size, "%s: %s", address, strerror(errno));
	freeaddrinfo(all);
	return fd;
}
