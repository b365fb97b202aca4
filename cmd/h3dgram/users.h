/* SPDX-License-Identifier: MIT */
/*
 * Local UDP clients of --local: whoever sent a packet to one of our sockets,
 * by both addresses. Each waits for a tunnel with a few packets in hand, has
 * one, or was refused and is ignored for a moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/net/loop.h"
#include "common/net/sock.h"
#include "common/net/stream.h"

#define USERS_BUCKETS 1024

enum user_state {
	USER_WAITING,		/* for a connection that takes a stream */
	USER_ASKING,		/* the request is on its way */
	USER_OPEN,
	USER_REFUSED,		/* until its timer expires */
};

struct user {
	enum user_state state;
	struct wk_stream *stream;	/* ASKING and OPEN */
	void *uplink;			/* whose connection that is */
	struct wk_address address;
	const struct user_socket *socket;
	struct wk_timer timer;		/* of idleness, of being refused */
	/* Private. */
	struct users *users;
	struct wk_buf queue;
	unsigned n_queued;
	struct user *prev, *next;	/* all of them */
	struct user *bucket_next;
};

struct user_socket {
	struct users *users;
	struct wk_io io;
	struct wk_address address;	/* that it is bound to */
};

#define USER_SOCKETS_MAX 16

struct users {
	struct wk_loop *loop;
	struct user *first;
	size_t n, max;
	uint64_t dropped;		/* too many clients, too many packets */
	/* A packet of a client, new or not; then the idle timer. */
	void (*packet)(void *arg, struct user *u, const uint8_t *data,
	    size_t len);
	void (*expired)(void *arg, struct user *u);
	void *arg;
	/* Private. */
	struct user *buckets[USERS_BUCKETS];
	struct user_socket sockets[USER_SOCKETS_MAX];
	size_t n_sockets;
	uint8_t buffer[65536];
};

/* All zeros but loop, max, packet, expired and arg is a new one. */

/* Listen at one address; WK_OK, or a negative status with the reason. */
int users_listen(struct users *all, struct wk_address *address,
    struct wk_error *error);

/* Keep a packet until there is a tunnel; what does not fit is dropped. */
void user_keep(struct user *u, const uint8_t *data, size_t len);

/* Give back what was kept, in order. */
void user_release(struct user *u,
    void (*packet)(struct user *u, const uint8_t *data, size_t len));

/* False when the system would not take it. */
bool user_send(const struct user *u, const uint8_t *data, size_t len);

/* The timer, from now on. */
void user_stay(struct user *u, uint64_t ns);

void user_del(struct user *u);

/* All of them and the sockets; their streams are gone. */
void users_free(struct users *all);
