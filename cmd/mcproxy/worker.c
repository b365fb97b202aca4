/* SPDX-License-Identifier: MIT */
/*
 * A worker's turn: take what is ready, start requests, deliver answers; then
 * write once to each backend and each client that has something to get.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/watch.h"
#include "common/base/clock.h"

#define EVENTS_MAX 256
#define NEVER UINT64_MAX
#define LUCK 16			/* turns that one success pays for */
#define PLENTY 8		/* events that are worth a write each as it is */
#define SLICE_NS 300000		/* of processor time at once */

/* --- configurations ------------------------------------------------------- */

static void
generation_unref(struct generation *g)
{
	if (atomic_fetch_sub(&g->refs, 1) > 1)
		return;
	conf_del(g->conf);
	free(g);
}

static void
held_del(struct held *h)
{
	generation_unref(h->generation);
	free(h->routers);
	free(h);
}

/* Old configurations go when the last request under them is through. */
static void
drop_retired(struct worker *w)
{
	struct held **at = &w->retired, *h;

	while ((h = *at) != NULL) {
		if (h->n_requests > 0) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		held_del(h);
	}
}

/* Every request after this turn's events is under the new configuration. */
static void
adopt(struct worker *w)
{
	struct proxy *p = w->proxy;
	struct generation *g;
	struct held *h;
	size_t i;

	/* The reference is taken for us by whoever installs; see proxy.c. */
	g = atomic_load(&p->current);
	if (w->held != NULL && w->held->generation == g)
		return;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return;
	h->routers = calloc(p->n_listeners + 1, sizeof(struct router *));
	if (h->routers == NULL) {
		free(h);
		return;
	}
	h->generation = g;
	for (i = 0; i < p->n_listeners; i++)
		h->routers[i] = conf_router(g->conf, p->listeners[i].tag);
	if (w->held != NULL) {
		w->held->next = w->retired;
		w->retired = w->held;
	}
	w->held = h;
	tally_adopt(w, g->conf);
	server_adopt(w, g->conf);
	atomic_store(&w->adopted, g);
}

/* --- a turn --------------------------------------------------------------- */

static void
know_client(struct worker *w, struct client *c)
{
	c->is_known = true;
	c->next = w->clients;
	if (w->clients != NULL)
		w->clients->previous = c;
	w->clients = c;
	w->n_clients++;
	counter_add(&w->count.clients_total, 1);
}

static void
dispatch(struct worker *w, struct epoll_event *e)
{
	struct source *source = e->data.ptr;
	struct client *c;
	uint64_t drain;

	switch (source->kind) {
	case SOURCE_WAKE:
		if (read(source->fd, &drain, sizeof(drain)) < 0)
			break;
		w->next_ns = 0;	/* look at everything */
		break;
	case SOURCE_CLIENT:
		c = (struct client *)(void *)source;
		if (!c->is_known && !c->is_dead)
			know_client(w, c);
		client_event(c, e->events);
		break;
	case SOURCE_SERVER:
		server_event((struct server *)(void *)source, e->events);
		break;
	}
}

static void
feed_again(struct worker *w)
{
	struct client *c = w->again_clients, *next_client;
	struct server *s = w->again_servers, *next_server;

	w->again_clients = NULL;
	w->again_servers = NULL;
	for (; c != NULL; c = next_client) {
		next_client = c->next_again;
		c->is_again = false;
		client_feed(c);
	}
	for (; s != NULL; s = next_server) {
		next_server = s->next_again;
		s->is_again = false;
		if (s->source.fd >= 0 && s->state != SERVER_CONNECTING)
			server_read(s);
	}
}

static void
flush(struct worker *w)
{
	struct server *s;
	struct client *c;

	/* Answers may ask others; a backend that fails answers, too. */
	do {
		handler_settle(w);
		while ((s = w->dirty_servers) != NULL) {
			w->dirty_servers = s->next_dirty;
			s->is_dirty = false;
			server_flush(s);
		}
	} while (w->done_head != NULL);
	while ((c = w->dirty_clients) != NULL) {
		w->dirty_clients = c->next_dirty;
		c->is_dirty = false;
		client_flush(c);
	}
}

static void
timers(struct worker *w)
{
	if (w->now_ns < w->next_ns)
		return;
	w->next_ns = NEVER;
	server_timers(w);
	handler_timers(w);
}

static void
bury(struct worker *w)
{
	struct client *c, *next;

	if (w->again_clients != NULL || w->dirty_clients != NULL)
		return;	/* they may be on a list still */
	for (c = w->dead_clients; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	w->dead_clients = NULL;
}

static int
wait_ms(const struct worker *w)
{
	if (w->again_clients != NULL || w->again_servers != NULL)
		return 0;
	if (w->is_stopping)
		return 20;
	if (w->next_ns == NEVER)
		return -1;
	if (w->next_ns <= w->now_ns)
		return 0;
	return (int)((w->next_ns - w->now_ns) / 1000000) + 1;
}

static void
publish(struct worker *w)
{
	struct worker_counters *n = &w->count;

	atomic_store_explicit(&n->clients, w->n_clients, memory_order_relaxed);
	atomic_store_explicit(&n->requests_active, w->n_active,
	    memory_order_relaxed);
	atomic_store_explicit(&n->memory, w->store.bytes, memory_order_relaxed);
}

/* True when there is nobody left to serve, or no time. */
static bool
is_drained(struct worker *w)
{
	struct client *c, *next;
	int stop = atomic_load(&w->proxy->stop);

	if (stop == 0)
		return false;
	w->is_stopping = true;
	if (stop > 1)
		return true;
	for (c = w->clients; c != NULL; c = next) {
		next = c->next;
		client_drain(c);
	}
	return w->clients == NULL;
}

/*
 * Clients that wait for nothing more than what is here. One that has several
 * requests open gets its answers together, at the end of the turn.
 */
static void
flush_whole(struct worker *w)
{
	struct client *c, *next, *others = NULL;

	handler_settle(w);
	c = w->dirty_clients;
	w->dirty_clients = NULL;
	for (; c != NULL; c = next) {
		next = c->next_dirty;
		if (c->tail != NULL && c->tail->is_done) {
			c->is_dirty = false;
			client_flush(c);
			continue;
		}
		c->next_dirty = others;
		others = c;
	}
	while ((c = others) != NULL) {
		others = c->next_dirty;
		c->next_dirty = w->dirty_clients;
		w->dirty_clients = c;
	}
}

/*
 * Under load more is ready in a moment, and one write to a backend then serves
 * more requests: let others run, and look once more. As long as that is in
 * vain it is tried now and then only; with much in hand there is less to win.
 * Answers do not wait for it: whoever gets his now may be among those that ask
 * again meanwhile.
 */
static void
look_again(struct worker *w, struct epoll_event *events, int had)
{
	int i, n;

	if (w->luck == 0 && ++w->turns % LUCK != 0)
		return;
	flush_whole(w);
	if (had < PLENTY)
		sched_yield();
	n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, 0);
	if (n > 0)
		w->luck = LUCK;
	else if (w->luck > 0)
		w->luck--;
	for (i = 0; i < n; i++)
		dispatch(w, &events[i]);
}

void
worker_turn(struct worker *w, int wait)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n;

	n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, wait);
	w->now_ns = wk_clock_now_ns();
	adopt(w);
	for (i = 0; i < n; i++)
		dispatch(w, &events[i]);
	if (n > 0 && n < EVENTS_MAX)
		look_again(w, events, n);
	feed_again(w);
	timers(w);
	if (w->reloading != NULL)
		local_settle(w, NULL);
	flush(w);
	/* Behind that there may be room for what waits. */
	if (w->n_watchers > 0) {
		watch_deliver(w);
		flush(w);
	}
	bury(w);
	if (w->retired != NULL)
		drop_retired(w);
	publish(w);
}

/*
 * A thread that yields gives up a whole slice of its time: with the kernel's
 * usual one, of some milliseconds, those whose requests it holds would wait
 * that long. Linux before 6.12 has one slice for all, so what this returns is
 * of no interest.
 */
static void
ask_for_short_slices(void)
{
	/* The kernel's struct sched_attr; not every C library has it. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr) };

	/* What is not asked for would be set to 0. */
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 ||
	    attr.policy != SCHED_OTHER)
		return;
	attr.runtime = SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void *
run(void *arg)
{
	struct worker *w = arg;

	ask_for_short_slices();
	w->now_ns = wk_clock_now_ns();
	adopt(w);
	while (!is_drained(w))
		worker_turn(w, wait_ms(w));
	return NULL;
}

/* --- start and end -------------------------------------------------------- */

int
worker_new(struct proxy *p, unsigned number)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct epoll_event e = { .events = EPOLLIN };

	if (w == NULL)
		return WK_E_NOMEM;
	w->proxy = p;
	w->number = number;
	w->next_ns = NEVER;
	w->random = wk_clock_now_ns() | 1;
	w->wake.kind = SOURCE_WAKE;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e.data.ptr = &w->wake;
	p->workers[number] = w;
	if (w->epoll_fd < 0 || w->wake.fd < 0 ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake.fd, &e) < 0)
		return WK_E_SYSTEM;
	p->n_workers = number + 1;
	return WK_OK;
}

int
worker_start(struct proxy *p, unsigned number)
{
	int rc = worker_new(p, number);
	sigset_t all, old;

	if (rc != WK_OK)
		return rc;
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&p->workers[number]->thread, NULL, run,
	    p->workers[number]);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return WK_OK;
	/* Nobody turns it: it is none. */
	p->n_workers = number;
	worker_del(p->workers[number]);
	errno = rc;
	return WK_E_SYSTEM;
}

/* After the thread has ended. */
void
worker_del(struct worker *w)
{
	struct request_state *r;
	struct client *c;
	struct sub *s;
	struct task *t;

	while ((c = w->clients) != NULL)
		client_close(c);
	local_settle(w, "the proxy ends");
	server_close_all(w);
	handler_settle(w);
	tally_free_worker(w);
	w->again_clients = w->dirty_clients = NULL;
	bury(w);
	while ((r = w->free_requests) != NULL) {
		w->free_requests = r->next;
		free(r);
	}
	while ((s = w->free_subs) != NULL) {
		w->free_subs = s->next;
		free(s);
	}
	while ((t = w->free_tasks) != NULL) {
		w->free_tasks = t->next_waiting;
		free(t);
	}
	if (w->held != NULL) {
		w->held->next = w->retired;
		w->retired = w->held;
	}
	drop_retired(w);
	store_free(&w->store);
	close(w->epoll_fd);
	close(w->wake.fd);
	free(w);
}
