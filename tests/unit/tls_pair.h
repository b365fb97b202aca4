/* SPDX-License-Identifier: MIT */
/* Two ends of a socket pair that talk TLS with each other in one thread. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "common/net/tls.h"
#include "unit.h"

struct pair {
	int fd[2];			/* client, server */
	struct wk_tls *end[2];
	int rc[2];			/* of the handshake */
	struct wk_error error[2];
};

static inline struct wk_tls_credentials *
credentials(const struct wk_tls_options *options)
{
	struct wk_error error;
	struct wk_tls_credentials *c = wk_tls_credentials_new(options, &error);

	if (c == NULL)
		fail_msg("credentials: %s", error.reason);
	return c;
}

static inline struct wk_tls_credentials *
server_credentials(void)
{
	return credentials(&(struct wk_tls_options){ .is_server = true });
}

static inline struct wk_tls_credentials *
careless_client(void)
{
	return credentials(&(struct wk_tls_options){ .is_insecure = true });
}

static inline void
pair_open(struct pair *p, struct wk_tls_credentials *client,
    struct wk_tls_credentials *server, const char *name,
    const char *const *client_alpn, const char *const *server_alpn)
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd), 0);
	p->end[0] = wk_tls_new(client, p->fd[0], name, client_alpn,
	    &p->error[0]);
	p->end[1] = wk_tls_new(server, p->fd[1], NULL, server_alpn,
	    &p->error[1]);
	if (p->end[0] == NULL || p->end[1] == NULL)
		fail_msg("session: %s%s", p->error[0].reason,
		    p->error[1].reason);
	p->rc[0] = p->rc[1] = WK_TLS_WANTS_READ;
}

/* Handshake until both ends are done or one failed and the other knows. */
static inline void
pair_shake(struct pair *p)
{
	int i, rounds;

	for (rounds = 0; rounds < 100; rounds++) {
		for (i = 0; i < 2; i++)
			if (p->rc[i] <= WK_TLS_WANTS_READ)
				p->rc[i] = wk_tls_handshake(p->end[i],
				    &p->error[i]);
		if (p->rc[0] > WK_TLS_WANTS_READ && p->rc[1] > WK_TLS_WANTS_READ)
			return;
	}
	fail_msg("the handshake does not end: %d %d", p->rc[0], p->rc[1]);
}

static inline void
pair_connect(struct pair *p, struct wk_tls_credentials *client,
    struct wk_tls_credentials *server)
{
	pair_open(p, client, server, NULL, NULL, NULL);
	pair_shake(p);
	if (p->rc[0] != WK_OK || p->rc[1] != WK_OK)
		fail_msg("handshake: %s / %s", p->error[0].reason,
		    p->error[1].reason);
}

static inline void
pair_close(struct pair *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		wk_tls_del(p->end[i]);
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	}
}

/* A pair of credentials for all tests of a program. */
static struct wk_tls_credentials *client, *server;

static inline int
make_credentials(void **state)
{
	(void)state;
	client = careless_client();
	server = server_credentials();
	return 0;
}

static inline int
drop_credentials(void **state)
{
	(void)state;
	wk_tls_credentials_del(client);
	wk_tls_credentials_del(server);
	return 0;
}

/* Take what end i sent off the wire. */
static inline size_t
intercept(struct pair *p, int i, uint8_t *data, size_t size)
{
	ssize_t n = recv(p->fd[1 - i], data, size, 0);

	assert_true(n >= 0 || errno == EAGAIN);
	return n < 0 ? 0 : (size_t)n;
}

static inline void
inject(struct pair *p, int i, const void *data, size_t len)
{
	assert_int_equal(send(p->fd[i], data, len, MSG_NOSIGNAL), len);
}

/* --- more than the kernel takes ------------------------------------------- */

#define BULK (300 * 1000)

static inline uint8_t
octet(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* Offer the rest, at another place each time, until the kernel is full. */
static inline size_t
write_moved(struct wk_tls *tls, const uint8_t *all, size_t done, size_t step)
{
	struct wk_error error;
	uint8_t *moved;
	ssize_t n;
	size_t len;

	for (;;) {
		len = BULK - done < step ? BULK - done : step;
		moved = malloc(len + 1);
		assert_non_null(moved);
		memcpy(moved, all + done, len);
		n = wk_tls_write(tls, moved, len, &error);
		free(moved);
		if (n == WK_TLS_WANTS_WRITE)
			return done;
		if (n < 0)
			fail_msg("write: %s", error.reason);
		done += (size_t)n;
		if ((size_t)n < len || done == BULK)
			return done;
	}
}
