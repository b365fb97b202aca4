/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing a connected socket, with or without TLS, in the manner
 * of recv() and chain_write(). The handshake goes on by itself in whatever is
 * called next. The socket stays the caller's, the rest belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cmd/mcproxy/block.h"
#include "common/base/error.h"

struct wk_tls;
struct wk_tls_credentials;

struct channel {	/* all zero: without TLS */
	struct wk_tls *tls;
	bool is_open;	/* the handshake is over */
	bool has_more;	/* the last read left something, or the end */
};

/* Begin TLS; name is a server's, or NULL for a client's connection. */
int channel_secure(struct channel *c, struct wk_tls_credentials *credentials,
    int fd, const char *name, struct wk_error *error);

/* 1: may be used; 0: when the socket is ready again; or a negative status. */
int channel_handshake(struct channel *c, struct wk_error *error);

/* As recv(): 0 at the end, -1 with errno EAGAIN when there is nothing now. */
ssize_t channel_read(struct channel *c, int fd, void *data, size_t len);

/* As chain_write(). */
int channel_write(struct channel *c, int fd, struct store *s,
    struct chain *chain, uint64_t *written);

/* A few octets at once; false when they did not all go. */
bool channel_send(struct channel *c, int fd, const char *data, size_t len);

/* Say good-bye as far as the socket takes it, and forget all. */
void channel_free(struct channel *c);
