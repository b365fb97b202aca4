/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net/eyeballs.h"

#define REASON_MAX 256
#define ATTEMPTS_MAX (WK_EYEBALLS_SIDES * WK_RESOLVE_MAX)

/* Of several failures the last of those with the highest rank is told. */
enum rank {
	RANK_NO_ADDRESS,	/* a family the name does not have */
	RANK_NO_LOOKUP,		/* the resolver failed */
	RANK_NO_ROUTE,		/* not from this host */
	RANK_ATTEMPT,
	RANK_LAST,
};

struct attempt {
	struct wk_io io;
	struct wk_dial *dial;
	const struct wk_address *address;	/* in dial->eyeballs */
	unsigned number;
	void *other;		/* of another kind than TCP's */
};

/* Who hears of the end; one of kind and done. */
struct audience {
	const struct wk_dial_kind *kind;	/* NULL: TCP */
	void (*done)(void *arg, int fd, const struct wk_address *peer,
	    const char *reason);
	void *arg;
};

struct wk_dial {
	struct wk_loop *loop;
	struct wk_task task;	/* look what is due */
	struct wk_timer due, timeout;
	struct wk_eyeballs eyeballs;
	struct wk_resolve *lookups[WK_EYEBALLS_SIDES];
	struct attempt attempts[ATTEMPTS_MAX];	/* by number, from 1 */
	struct wk_address bind[WK_EYEBALLS_SIDES];
	uint16_t port;
	uint64_t timeout_ns;
	char reason[REASON_MAX];	/* the failure that says most */
	enum rank rank;
	bool is_numeric;	/* the host is its only address */
	void (*on_attempt)(void *arg, const struct wk_address *address,
	    const char *failure);
	struct audience audience;
};

static const int families[WK_EYEBALLS_SIDES] = { AF_INET6, AF_INET };

static enum wk_eyeballs_side
side_of(const struct wk_address *address)
{
	return address->sa.ss_family == AF_INET ? WK_EYEBALLS_SECOND :
	    WK_EYEBALLS_FIRST;
}

/* --- the end -------------------------------------------------------------- */

static void
attempt_close(struct attempt *a)
{
	void *other = a->other;

	a->other = NULL;
	if (other != NULL)
		a->dial->audience.kind->cancel(a->dial->audience.arg, other);
	if (a->io.fd < 0)
		return;
	wk_io_watch(&a->io, 0);
	close(a->io.fd);
	a->io.fd = -1;
}

static void
dial_del(struct wk_dial *d)
{
	unsigned i;

	for (i = 0; i < WK_EYEBALLS_SIDES; i++)
		if (d->lookups[i] != NULL)
			wk_resolve_cancel(d->lookups[i]);
	for (i = 0; i < d->eyeballs.started; i++)
		attempt_close(&d->attempts[i]);
	wk_task_cancel(&d->task);
	wk_timer_set(&d->due, WK_NEVER);
	wk_timer_set(&d->timeout, WK_NEVER);
	free(d);
}

/* Whoever waits hears of it when d is gone. */
static void
finish(struct wk_dial *d, int fd, void *other, const struct wk_address *peer,
    const char *reason)
{
	const struct audience audience = d->audience;

	dial_del(d);
	if (audience.kind != NULL)
		audience.kind->done(audience.arg, other, peer, reason);
	else
		audience.done(audience.arg, fd, peer, reason);
}

static void
succeed(struct wk_dial *d, struct attempt *a)
{
	struct wk_address peer = *a->address;
	void *other = a->other;
	int fd = a->io.fd;

	if (fd >= 0)
		wk_io_watch(&a->io, 0);
	a->io.fd = -1;
	a->other = NULL;
	finish(d, fd, other, &peer, NULL);
}

static void
give_up(struct wk_dial *d)
{
	char reason[REASON_MAX];

	memcpy(reason, d->reason, sizeof(reason));
	finish(d, -1, NULL, NULL, reason);
}

static void
note(struct wk_dial *d, enum rank rank, const char *reason)
{
	if (rank < d->rank)
		return;
	d->rank = rank;
	snprintf(d->reason, sizeof(d->reason), "%s", reason);
}

/* --- attempts ------------------------------------------------------------- */

static bool
is_local_failure(int error_number)
{
	return error_number == ENETUNREACH || error_number == EADDRNOTAVAIL ||
	    error_number == EAFNOSUPPORT;
}

static void
attempt_failed(struct attempt *a, enum rank rank, const char *reason)
{
	struct wk_dial *d = a->dial;
	char text[WK_ADDRESS_TEXT_MAX], long_reason[REASON_MAX];

	attempt_close(a);
	/* Of which address is only worth saying where there may be several. */
	snprintf(long_reason, sizeof(long_reason), "%s: %s",
	    wk_address_text(a->address, text), reason);
	note(d, rank, d->is_numeric ? reason : long_reason);
	wk_eyeballs_failed(&d->eyeballs, a->number, wk_loop_now_ns(d->loop));
	wk_task_schedule(&d->task);
	if (d->on_attempt != NULL)
		d->on_attempt(d->audience.arg, a->address, reason);
}

static void
connect_failed(struct attempt *a, int error_number)
{
	attempt_failed(a, is_local_failure(error_number) ? RANK_NO_ROUTE :
	    RANK_ATTEMPT, strerror(error_number));
}

static void
on_connected(struct wk_io *io, unsigned events)
{
	struct attempt *a = io->arg;
	int error_number = 0;
	socklen_t len = sizeof(error_number);

	(void)events;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error_number, &len) < 0)
		error_number = errno;
	if (error_number != 0)
		connect_failed(a, error_number);
	else
		succeed(a->dial, a);
}

/* A socket with its local address; -1 with errno. */
static int
open_socket(const struct wk_dial *d, const struct wk_address *to)
{
	const struct wk_address *from = &d->bind[side_of(to)];
	int on = 1, fd, saved;

	fd = socket(to->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || to->sa.ss_family == AF_UNIX)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (from->len == 0)
		return fd;
	/* The port is chosen when the peer is known: more of them then. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&from->sa, from->len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
attempt_start_other(struct attempt *a)
{
	struct wk_dial *d = a->dial;
	const struct wk_address *from = &d->bind[side_of(a->address)];
	struct wk_error error;

	a->io.fd = -1;
	a->other = d->audience.kind->start(d->audience.arg, a->number, a->address,
	    from->len == 0 ? NULL : from, &error);
	if (a->other == NULL)
		attempt_failed(a, RANK_ATTEMPT, error.reason);
}

/* True if connected already. */
static bool
attempt_start(struct wk_dial *d, const struct wk_address *address)
{
	struct attempt *a = &d->attempts[d->eyeballs.started - 1];
	int fd;

	a->dial = d;
	a->address = address;
	a->number = d->eyeballs.started;
	if (d->on_attempt != NULL)
		d->on_attempt(d->audience.arg, address, NULL);
	if (d->audience.kind != NULL) {
		attempt_start_other(a);
		return false;
	}
	fd = open_socket(d, address);
	wk_io_init(&a->io, d->loop, fd, on_connected, a);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address->sa,
	    address->len) == 0)
		return true;
	if (fd >= 0 && (errno == EINPROGRESS || errno == EINTR))
		wk_io_watch(&a->io, WK_IO_WRITE);
	else
		connect_failed(a, errno);
	return false;
}

static void
on_task(struct wk_task *task)
{
	struct wk_dial *d = task->arg;
	uint64_t now_ns = wk_loop_now_ns(d->loop);
	const struct wk_address *address;

	while ((address = wk_eyeballs_next(&d->eyeballs, now_ns)) != NULL)
		if (attempt_start(d, address)) {
			succeed(d, &d->attempts[d->eyeballs.started - 1]);
			return;
		}
	if (wk_eyeballs_is_over(&d->eyeballs))
		give_up(d);
	else
		wk_timer_set(&d->due, wk_eyeballs_deadline(&d->eyeballs));
}

static void
on_due(struct wk_timer *timer)
{
	struct wk_dial *d = timer->arg;

	wk_task_schedule(&d->task);
}

static void
on_timeout(struct wk_timer *timer)
{
	struct wk_dial *d = timer->arg;
	char text[REASON_MAX];

	snprintf(text, sizeof(text), "%s after %g s",
	    d->eyeballs.started > 0 ? "no connection" : "no address known",
	    (double)d->timeout_ns / 1e9);
	note(d, RANK_LAST, text);
	give_up(d);
}

/* --- addresses ------------------------------------------------------------ */

static void
answered(struct wk_dial *d, enum wk_eyeballs_side side,
    const struct wk_resolve_result *result)
{
	d->lookups[side] = NULL;
	if (result->status != WK_OK)
		note(d, result->is_final ? RANK_NO_ADDRESS : RANK_NO_LOOKUP,
		    result->reason);
	wk_eyeballs_answer(&d->eyeballs, side, result->addresses,
	    result->n_addresses, wk_loop_now_ns(d->loop));
	wk_task_schedule(&d->task);
}

static void
on_first(void *arg, const struct wk_resolve_result *result)
{
	answered(arg, WK_EYEBALLS_FIRST, result);
}

static void
on_second(void *arg, const struct wk_resolve_result *result)
{
	answered(arg, WK_EYEBALLS_SECOND, result);
}

/* Which families are wanted, and have a local address if any has. */
static void
choose_sides(const struct wk_dial *d, const struct wk_dial_options *o,
    bool wanted[WK_EYEBALLS_SIDES])
{
	unsigned i;

	for (i = 0; i < WK_EYEBALLS_SIDES; i++)
		wanted[i] = (o->family == AF_UNSPEC ||
		    o->family == families[i]) &&
		    (o->n_bind == 0 || d->bind[i].len > 0);
}

static bool
look_up(struct wk_dial *d, const struct wk_dial_options *o)
{
	void (*const answer[])(void *, const struct wk_resolve_result *) = {
		on_first, on_second,
	};
	bool wanted[WK_EYEBALLS_SIDES];
	struct wk_address ignored;
	unsigned i;

	d->is_numeric = wk_address_from_ip(&ignored, wk_str_of(o->host),
	    o->port) == WK_OK;
	choose_sides(d, o, wanted);
	note(d, RANK_NO_ADDRESS, "the local address is of another family");
	wk_eyeballs_init(&d->eyeballs, wanted[WK_EYEBALLS_FIRST],
	    wanted[WK_EYEBALLS_SECOND]);
	for (i = 0; i < WK_EYEBALLS_SIDES; i++) {
		if (!wanted[i])
			continue;
		d->lookups[i] = wk_resolve_start(d->loop, o->host, o->port,
		    families[i], answer[i], d);
		if (d->lookups[i] == NULL)
			return false;
	}
	return true;
}

static void
take_path(struct wk_dial *d, const char *path)
{
	struct wk_address address;
	bool is_good = wk_address_from_unix(&address, wk_str_of(path)) == WK_OK;

	d->is_numeric = true;
	note(d, RANK_NO_ADDRESS, "expected a path of 1 to 107 octets");
	wk_eyeballs_init(&d->eyeballs, true, false);
	wk_eyeballs_answer(&d->eyeballs, WK_EYEBALLS_FIRST, &address,
	    is_good ? 1 : 0, 0);
}

static struct wk_dial *
start(struct wk_loop *loop, const struct wk_dial_options *options,
    const struct audience *audience)
{
	struct wk_dial *d = calloc(1, sizeof(*d));
	size_t i;

	if (d == NULL)
		return NULL;
	d->loop = loop;
	d->on_attempt = options->attempt;
	d->audience = *audience;
	d->timeout_ns = options->timeout_ns;
	wk_task_init(&d->task, loop, on_task, d);
	wk_timer_init(&d->due, loop, on_due, d);
	wk_timer_init(&d->timeout, loop, on_timeout, d);
	for (i = 0; i < options->n_bind; i++)
		d->bind[side_of(&options->bind[i])] = options->bind[i];
	if (options->unix_path != NULL && d->audience.kind == NULL) {
		take_path(d, options->unix_path);
	} else if (!look_up(d, options)) {
		dial_del(d);
		return NULL;
	}
	wk_task_schedule(&d->task);
	if (options->timeout_ns != 0)
		wk_timer_set(&d->timeout,
		    wk_loop_now_ns(loop) + options->timeout_ns);
	return d;
}

struct wk_dial *
wk_dial_start(struct wk_loop *loop, const struct wk_dial_options *options,
    void (*done)(void *arg, int fd, const struct wk_address *peer,
	const char *reason), void *arg)
{
	const struct audience audience = { .done = done, .arg = arg };

	return start(loop, options, &audience);
}

struct wk_dial *
wk_dial_start_kind(struct wk_loop *loop, const struct wk_dial_options *options,
    const struct wk_dial_kind *kind, void *arg)
{
	const struct audience audience = { .kind = kind, .arg = arg };

	return start(loop, options, &audience);
}

void
wk_dial_attempted(struct wk_dial *dial, unsigned number, const char *reason)
{
	struct attempt *a = &dial->attempts[number - 1];

	if (reason == NULL) {
		succeed(dial, a);
		return;
	}
	a->other = NULL;
	attempt_failed(a, RANK_ATTEMPT, reason);
}

void
wk_dial_cancel(struct wk_dial *dial)
{
	dial_del(dial);
}
