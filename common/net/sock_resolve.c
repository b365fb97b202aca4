/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Threads of this process at one time; a resolver that hangs has them all. */
#define THREADS_MAX 128

/* Shared by the thread and the loop: whoever lets go last frees it. */
struct lookup {
	atomic_uint holders;
	int family;
	uint16_t port;
	pthread_mutex_t lock;	/* for the two below */
	bool is_done;
	int fd;			/* eventfd to say so; the loop's, -1: closed */
	/* Written by the thread before it is done. */
	int code, error_number;	/* of getaddrinfo() */
	size_t n_addresses;
	struct wk_address addresses[WK_RESOLVE_MAX];
	char host[];
};

struct wk_resolve {
	struct wk_io io;
	struct wk_task task;	/* instead of a thread */
	struct lookup *lookup;
	void (*done)(void *arg, const struct wk_resolve_result *result);
	void *arg;
};

static atomic_uint n_threads;

static void
lookup_release(struct lookup *l)
{
	if (atomic_fetch_sub(&l->holders, 1) != 1)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Nobody waits for the answer any more. */
static void
lookup_close(struct lookup *l)
{
	int fd;

	pthread_mutex_lock(&l->lock);
	fd = l->fd;
	l->fd = -1;
	pthread_mutex_unlock(&l->lock);
	if (fd >= 0)
		close(fd);
}

static bool
lookup_is_done(struct lookup *l)
{
	bool is_done;

	pthread_mutex_lock(&l->lock);
	is_done = l->is_done;
	pthread_mutex_unlock(&l->lock);
	return is_done;
}

static struct lookup *
lookup_new(const char *host, uint16_t port, int family)
{
	size_t size = strlen(host) + 1;
	struct lookup *l = calloc(1, sizeof(*l) + size);

	if (l == NULL)
		return NULL;
	atomic_init(&l->holders, 1);
	pthread_mutex_init(&l->lock, NULL);
	l->fd = -1;
	l->family = family;
	l->port = port;
	memcpy(l->host, host, size);
	return l;
}

static void
lookup_add(struct lookup *l, const void *sa, socklen_t len)
{
	struct wk_address *address = &l->addresses[l->n_addresses];

	if (l->n_addresses == WK_RESOLVE_MAX || len > sizeof(address->sa))
		return;
	memcpy(&address->sa, sa, len);
	address->len = len;
	wk_address_set_port(address, l->port);
	l->n_addresses++;
}

/* --- in the thread -------------------------------------------------------- */

static void
ask(struct lookup *l)
{
	struct addrinfo hints = {
		.ai_family = l->family,
		.ai_socktype = SOCK_STREAM,
	}, *list = NULL, *ai;

	l->code = getaddrinfo(l->host, NULL, &hints, &list);
	l->error_number = l->code == EAI_SYSTEM ? errno : 0;
	if (l->code != 0)
		return;
	for (ai = list; ai != NULL; ai = ai->ai_next)
		if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6)
			lookup_add(l, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(list);
}

static void *
thread_main(void *arg)
{
	struct lookup *l = arg;

	ask(l);
	pthread_mutex_lock(&l->lock);
	l->is_done = true;
	if (l->fd >= 0)
		eventfd_write(l->fd, 1);
	pthread_mutex_unlock(&l->lock);
	lookup_release(l);
	atomic_fetch_sub(&n_threads, 1);
	return NULL;
}

/* False: errno says why. Signals stay with the threads that expect them. */
static bool
start_thread(struct lookup *l)
{
	sigset_t all, old;
	pthread_t thread;
	int rc;

	if (atomic_fetch_add(&n_threads, 1) >= THREADS_MAX) {
		rc = EAGAIN;
		goto fail;
	}
	atomic_fetch_add(&l->holders, 1);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, NULL, thread_main, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0) {
		pthread_detach(thread);
		return true;
	}
	atomic_fetch_sub(&l->holders, 1);	/* the caller's stays */
fail:
	atomic_fetch_sub(&n_threads, 1);
	errno = rc;
	return false;
}

/* --- without a thread ----------------------------------------------------- */

/* RFC 6761, section 6.3: these names are the loopback, whatever DNS says. */
static bool
is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host), own = sizeof(name) - 1;
	struct wk_str tail;

	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len < own)
		return false;
	tail.at = host + len - own;
	tail.len = own;
	return wk_str_is_nocase(tail, name) &&
	    (len == own || host[len - own - 1] == '.');
}

static bool
has_family(const struct lookup *l, int family)
{
	return l->family == AF_UNSPEC || l->family == family;
}

/* What needs nobody to be asked. */
static bool
answer_at_once(struct lookup *l)
{
	struct wk_address address;

	if (is_localhost(l->host)) {
		if (has_family(l, AF_INET6) && wk_address_from_ip(&address,
		    wk_str_of("::1"), l->port) == WK_OK)
			lookup_add(l, &address.sa, address.len);
		if (has_family(l, AF_INET) && wk_address_from_ip(&address,
		    wk_str_of("127.0.0.1"), l->port) == WK_OK)
			lookup_add(l, &address.sa, address.len);
		return true;
	}
	if (wk_address_from_ip(&address, wk_str_of(l->host), l->port) < 0)
		return false;
	if (has_family(l, address.sa.ss_family))
		lookup_add(l, &address.sa, address.len);
	else
		l->code = EAI_ADDRFAMILY;
	return true;
}

/* --- in the loop ---------------------------------------------------------- */

static void
resolve_del(struct wk_resolve *r)
{
	wk_io_watch(&r->io, 0);
	wk_task_cancel(&r->task);
	lookup_close(r->lookup);
	lookup_release(r->lookup);
	free(r);
}

static struct wk_resolve_result
result_of(struct lookup *l)
{
	struct wk_resolve_result result = {
		.status = WK_OK,
		.addresses = l->addresses,
		.n_addresses = l->n_addresses,
	};

	/* Nothing of use in an answer is no answer. */
	if (l->code == 0 && l->n_addresses == 0)
		l->code = EAI_NODATA;
	if (l->code == 0)
		return result;
	result.status = WK_E_SYSTEM;
	result.reason = l->code == EAI_SYSTEM ? strerror(l->error_number) :
	    gai_strerror(l->code);
	result.is_final = l->code == EAI_NONAME || l->code == EAI_NODATA ||
	    l->code == EAI_ADDRFAMILY;
	return result;
}

static void
finish(struct wk_resolve *r)
{
	void (*done)(void *, const struct wk_resolve_result *) = r->done;
	struct lookup *l = r->lookup;
	struct wk_resolve_result result = result_of(l);
	void *arg = r->arg;

	/* The callback may do anything; only the answer outlives it. */
	atomic_fetch_add(&l->holders, 1);
	resolve_del(r);
	done(arg, &result);
	lookup_release(l);
}

static void
on_answer(struct wk_io *io, unsigned events)
{
	struct wk_resolve *r = io->arg;

	(void)events;
	if (lookup_is_done(r->lookup))
		finish(r);
}

static void
on_task(struct wk_task *task)
{
	finish(task->arg);
}

struct wk_resolve *
wk_resolve_start(struct wk_loop *loop, const char *host, uint16_t port,
    int family, void (*done)(void *arg, const struct wk_resolve_result *result),
    void *arg)
{
	struct wk_resolve *r = calloc(1, sizeof(*r));
	struct lookup *l = lookup_new(host, port, family);

	if (r == NULL || l == NULL)
		goto fail;
	r->done = done;
	r->arg = arg;
	r->lookup = l;
	wk_task_init(&r->task, loop, on_task, r);
	wk_io_init(&r->io, loop, -1, on_answer, r);
	if (answer_at_once(l)) {
		wk_task_schedule(&r->task);
		return r;
	}
	l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->fd < 0 || !start_thread(l))
		goto fail;
	wk_io_init(&r->io, loop, l->fd, on_answer, r);
	wk_io_watch(&r->io, WK_IO_READ);
	return r;
fail:
	if (l != NULL) {
		lookup_close(l);
		lookup_release(l);
	}
	free(r);
	return NULL;
}

void
wk_resolve_cancel(struct wk_resolve *resolve)
{
	resolve_del(resolve);
}
