/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/users.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKETS_PER_ROUND 64
#define QUEUE_PACKETS 32
#define QUEUE_OCTETS (64 * 1024)

/* --- the table ------------------------------------------------------------ */

/* FNV-1a; who can choose addresses at will is on this machine. */
static size_t
bucket_of(const struct wk_address *a)
{
	const uint8_t *at = (const uint8_t *)&a->sa;
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < (size_t)a->len; i++)
		h = (h ^ at[i]) * 16777619u;
	return h % USERS_BUCKETS;
}

static struct user *
find(struct users *all, const struct user_socket *socket,
    const struct wk_address *address)
{
	struct user *u = all->buckets[bucket_of(address)];

	while (u != NULL && (u->socket != socket ||
	    !wk_address_equals(&u->address, address)))
		u = u->bucket_next;
	return u;
}

static void
on_timer(struct wk_timer *timer)
{
	struct user *u = timer->arg;

	u->users->expired(u->users->arg, u);
}

static struct user *
add(struct users *all, const struct user_socket *socket,
    const struct wk_address *address)
{
	struct user *u, **bucket = &all->buckets[bucket_of(address)];

	if (all->n >= all->max || (u = calloc(1, sizeof(*u))) == NULL)
		return NULL;
	u->users = all;
	u->socket = socket;
	u->address = *address;
	wk_buf_init(&u->queue, QUEUE_OCTETS);
	wk_timer_init(&u->timer, all->loop, on_timer, u);
	u->bucket_next = *bucket;
	*bucket = u;
	u->next = all->first;
	if (u->next != NULL)
		u->next->prev = u;
	all->first = u;
	all->n++;
	return u;
}

void
user_del(struct user *u)
{
	struct users *all = u->users;
	struct user **at = &all->buckets[bucket_of(&u->address)];

	while (*at != u)
		at = &(*at)->bucket_next;
	*at = u->bucket_next;
	if (u->prev != NULL)
		u->prev->next = u->next;
	else
		all->first = u->next;
	if (u->next != NULL)
		u->next->prev = u->prev;
	all->n--;
	wk_timer_set(&u->timer, WK_NEVER);
	wk_buf_free(&u->queue);
	free(u);
}

/* --- packets -------------------------------------------------------------- */

static void
readable(struct wk_io *io, unsigned events)
{
	struct user_socket *socket = io->arg;
	struct users *all = socket->users;
	struct wk_address from;
	struct user *u;
	ssize_t n;
	int i;

	(void)events;
	for (i = 0; i < PACKETS_PER_ROUND; i++) {
		memset(&from, 0, sizeof(from));
		from.len = sizeof(from.sa);
		n = recvfrom(io->fd, all->buffer, sizeof(all->buffer),
		    MSG_DONTWAIT, (struct sockaddr *)&from.sa, &from.len);
		if (n < 0)
			return;
		u = find(all, socket, &from);
		if (u == NULL)
			u = add(all, socket, &from);
		if (u == NULL)
			all->dropped++;
		else
			all->packet(all->arg, u, all->buffer, (size_t)n);
	}
}

int
users_listen(struct users *all, struct wk_address *address,
    struct wk_error *error)
{
	struct user_socket *s = &all->sockets[all->n_sockets];
	int family = address->sa.ss_family, on = 1, fd, rc;
	char text[WK_ADDRESS_TEXT_MAX];

	wk_address_text(address, text);
	if (family == AF_UNIX)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s: expected an address of UDP", text);
	if (all->n_sockets == USER_SOCKETS_MAX)
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "%s: more than %d addresses", text, USER_SOCKETS_MAX);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s", text,
		    strerror(errno));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	s->address.len = sizeof(s->address.sa);
	if (bind(fd, (struct sockaddr *)&address->sa, address->len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&s->address.sa,
	    &s->address.len) < 0) {
		rc = wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s", text,
		    strerror(errno));
		close(fd);
		return rc;
	}
	*address = s->address;
	s->users = all;
	wk_io_init(&s->io, all->loop, fd, readable, s);
	wk_io_watch(&s->io, WK_IO_READ);
	all->n_sockets++;
	return WK_OK;
}

void
user_keep(struct user *u, const uint8_t *data, size_t len)
{
	size_t was = u->queue.len;

	if (u->n_queued < QUEUE_PACKETS &&
	    wk_buf_uint(&u->queue, len, 2) == WK_OK &&
	    wk_buf_append(&u->queue, data, len) == WK_OK) {
		u->n_queued++;
		return;
	}
	u->queue.len = was;
	u->queue.status = WK_OK;
	u->users->dropped++;
}

void
user_release(struct user *u,
    void (*packet)(struct user *u, const uint8_t *data, size_t len))
{
	struct wk_buf queue = u->queue;
	size_t at = 0, len;

	wk_buf_init(&u->queue, QUEUE_OCTETS);
	u->n_queued = 0;
	while (at + 2 <= queue.len) {
		len = (size_t)queue.data[at] << 8 | queue.data[at + 1];
		packet(u, queue.data + at + 2, len);
		at += 2 + len;
	}
	wk_buf_free(&queue);
}

bool
user_send(const struct user *u, const uint8_t *data, size_t len)
{
	return sendto(u->socket->io.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&u->address.sa, u->address.len) >= 0;
}

void
user_stay(struct user *u, uint64_t ns)
{
	wk_timer_set(&u->timer, ns == 0 ? WK_NEVER :
	    wk_loop_now_ns(u->users->loop) + ns);
}

void
users_free(struct users *all)
{
	size_t i;

	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it loses count of the list */
	while (all->first != NULL)
		user_del(all->first);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	for (i = 0; i < all->n_sockets; i++) {
		wk_io_watch(&all->sockets[i].io, 0);
		close(all->sockets[i].io.fd);
	}
	all->n_sockets = 0;
}
