/* SPDX-License-Identifier: MIT */
/* The main thread: listening, accepting, signals, reloading, the end. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/load.h"
#include "cmd/mcproxy/report.h"
#include "cmd/mcproxy/watch.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"

#define ACCEPT_MAX 256		/* in one go */
#define ACCEPT_PAUSE_MS 100	/* when descriptors have run out */

void
proxy_init(struct proxy *p, const struct proxy_options *o)
{
	p->options = *o;
	pthread_mutex_init(&p->tls_lock, NULL);
	pthread_mutex_init(&p->reload_lock, NULL);
}

/* "[TAG@]ADDRESS" */
int
proxy_listen(struct proxy *p, const char *text, bool is_secure, char *reason,
    size_t size)
{
	struct listening found[LISTEN_ADDRESSES_MAX];
	const char *address = text;
	struct listener *l;
	int i, n = listen_on(text, found, reason, size);

	if (n < 0)
		return n;
	listen_split(text, &address, NULL);
	for (i = 0; i < n; i++) {
		if (p->n_listeners == LISTENERS_MAX) {
			snprintf(reason, size, "more than %d listeners",
			    LISTENERS_MAX);
			for (; i < n; i++)
				close(found[i].fd);
			return WK_E_LIMIT;
		}
		l = &p->listeners[p->n_listeners++];
		if (address > text)
			memcpy(l->tag, text, (size_t)(address - text) - 1);
		l->fd = found[i].fd;
		l->address = found[i].address;
		l->is_secure = is_secure;
		l->path = strncmp(address, "unix:", 5) == 0 ? address + 5 :
		    NULL;
	}
	return WK_OK;
}

static bool
is_local(const struct wk_address *at)
{
	const struct sockaddr_in *in = (const void *)&at->sa;
	const struct sockaddr_in6 *in6 = (const void *)&at->sa;

	if (at->sa.ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return at->sa.ss_family == AF_UNIX ||
	    IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

int
proxy_listen_admin(struct proxy *p, const char *address, char *reason,
    size_t size)
{
	/* Who may open a unix socket may administer. */
	mode_t mask = umask(0177);
	size_t i = p->n_listeners;
	int rc = proxy_listen(p, address, false, reason, size);

	umask(mask);
	for (; i < p->n_listeners && rc == WK_OK; i++) {
		p->listeners[i].is_admin = true;
		if (is_local(&p->listeners[i].address))
			continue;
		snprintf(reason, size, "%s: administration has no password: "
		    "expected unix:PATH or a loopback address", address);
		rc = WK_E_INVALID;
	}
	return rc;
}

/* --- accepting ------------------------------------------------------------ */

static void
hand_over(struct proxy *p, int fd, uint8_t listener)
{
	static size_t next;
	int one = 1;

	if (atomic_load(&p->n_clients) >= p->options.max_clients) {
		static const char full[] =
		    "SERVER_ERROR too many open connections\r\n";

		counter_add(&p->clients_refused, 1);
		if (send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL) < 0)
			one = 0;
		close(fd);
		return;
	}
	if (p->listeners[listener].path == NULL)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	client_new(p->workers[next++ % p->n_workers], fd, listener);
}

/* False when there are no descriptors left. */
static bool
accept_all(struct proxy *p, uint8_t listener)
{
	int fd, i;

	for (i = 0; i < ACCEPT_MAX; i++) {
		fd = accept4(p->listeners[listener].fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			hand_over(p, fd, listener);
		else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM)
			return false;
		else if (errno != ECONNABORTED && errno != EINTR)
			return true;
	}
	return true;
}

/* --- configurations ------------------------------------------------------- */

/* Counters keep their place, and so their value, for the whole run. */
static bool
map_counters(struct proxy *p, struct generation *g)
{
	size_t i, k, n = atomic_load(&p->n_counters);

	if (g->conf->n_counters > COUNTERS_MAX)
		return false;
	for (i = 0; i < g->conf->n_counters; i++) {
		for (k = 0; k < n; k++)
			if (strncmp(p->counters[k], g->conf->counters[i],
			    sizeof(p->counters[k]) - 1) == 0)
				break;
		if (k == COUNTERS_MAX)
			return false;
		if (k == n) {
			snprintf(p->counters[k], sizeof(p->counters[k]), "%s",
			    g->conf->counters[i]);
			atomic_store(&p->n_counters, ++n);
		}
		g->counters[i] = k;
	}
	return true;
}

/* No worker may miss a generation: each gives back a reference to all. */
static void
wait_until_adopted(struct proxy *p)
{
	const struct timespec moment = { .tv_nsec = 200000 };
	const struct generation *g = atomic_load(&p->current);
	size_t i;

	for (i = 0; i < p->n_workers; i++)
		while (atomic_load(&p->workers[i]->adopted) != g) {
			worker_wake(p->workers[i]);
			nanosleep(&moment, NULL);
		}
}

/*
 * Make a configuration the current one, for all workers at once: whatever any
 * of them starts after its next look runs under it. On WK_OK it is the
 * proxy's; the last worker to leave it frees it.
 */
int
proxy_install(struct proxy *p, struct conf *c, char *reason, size_t size)
{
	struct generation *g = calloc(1, sizeof(*g));
	struct backend *b;
	size_t i;

	if (g == NULL) {
		snprintf(reason, size, "out of memory");
		return WK_E_NOMEM;
	}
	g->conf = c;
	if (c->n_buckets > BUCKETS_MAX || !map_counters(p, g)) {
		snprintf(reason, size, "too many %s",
		    c->n_buckets > BUCKETS_MAX ? "rate limits" : "counters");
		free(g);
		return WK_E_LIMIT;
	}
	for (i = 0; i < c->n_backends; i++) {
		b = backend_find(p, c->backends[i]);
		if (b == NULL) {
			snprintf(reason, size, "more than %d backends since "
			    "the start", CONF_BACKENDS_MAX);
			free(g);
			return WK_E_LIMIT;
		}
		c->backends[i]->id = b->id;
	}
	if (secure_load(p, c, reason, size) != WK_OK) {
		free(g);
		return WK_E_INVALID;
	}
	wait_until_adopted(p);
	backend_mark_current(p, c);
	tally_assign(p, c);
	for (i = 0; i < ROUTE_KINDS; i++)
		atomic_store(&p->functions[i], c->kinds[i]);
	atomic_store(&p->functions[ROUTE_KINDS], c->n_routers);
	atomic_store(&p->request_limit, c->request_limit);
	atomic_store(&g->refs, (unsigned)p->options.threads);
	atomic_store(&p->current, g);
	for (i = 0; i < p->n_workers; i++)
		worker_wake(p->workers[i]);
	return WK_OK;
}

static void
begin_reload(struct proxy *p)
{
	pthread_mutex_lock(&p->reload_lock);
	p->reloads_begun++;
	pthread_mutex_unlock(&p->reload_lock);
}

/* Whoever asked for it by command learns what came of it. */
static void
end_reload(struct proxy *p, const char *reason)
{
	size_t i;

	pthread_mutex_lock(&p->reload_lock);
	p->reloads_done = p->reloads_begun;
	snprintf(p->reload_reason, sizeof(p->reload_reason), "%s", reason);
	pthread_mutex_unlock(&p->reload_lock);
	for (i = 0; i < p->n_workers; i++)
		worker_wake(p->workers[i]);
}

static void
reload_now(struct proxy *p, struct conf *(*reload)(char *reason))
{
	char reason[LOAD_REASON_MAX] = "there is no file to read again";
	struct conf *c;

	begin_reload(p);
	watch_conf("start");
	c = reload != NULL ? reload(reason) : NULL;
	if (c != NULL && proxy_install(p, c, reason, sizeof(reason)) != WK_OK) {
		conf_del(c);
		c = NULL;
	}
	if (c == NULL) {
		stats_loaded(reason);
		watch_text(WATCH_EVENTS, "proxy_error", reason);
		watch_conf("failed");
		counter_add(&p->reload_fails, 1);
		wk_warn("%s", reason);
		wk_caution("the old configuration stays");
		end_reload(p, reason);
		return;
	}
	stats_loaded(NULL);
	watch_conf("done");
	counter_add(&p->reloads, 1);
	wk_notice("configuration read again");
	end_reload(p, "");
}

/* --- running -------------------------------------------------------------- */

static void
close_listeners(struct proxy *p)
{
	size_t i;

	for (i = 0; i < p->n_listeners; i++) {
		close(p->listeners[i].fd);
		if (p->listeners[i].path != NULL)
			unlink(p->listeners[i].path);
	}
}

static void
serve(struct proxy *p, struct conf *(*reload)(char *reason))
{
	struct pollfd fds[LISTENERS_MAX + 1];
	size_t i, n = p->n_listeners;
	int wait = -1;

	fds[n].fd = wk_signals_fd();
	fds[n].events = POLLIN;
	while (wk_signals_stopped() == 0) {
		for (i = 0; i < n; i++) {
			/* Out of descriptors: let clients leave first. */
			fds[i].fd = wait < 0 ? p->listeners[i].fd : -1;
			fds[i].events = POLLIN;
			fds[i].revents = 0;
		}
		fds[n].revents = 0;
		if (poll(fds, n + 1, wait) < 0 && errno != EINTR) {
			wk_warn_errno(errno, "poll");
			return;
		}
		wait = -1;
		if ((wk_signals_take() & WK_SIGNAL_RELOAD) != 0)
			reload_now(p, reload);
		for (i = 0; i < n; i++)
			if (fds[i].revents != 0 && !accept_all(p, (uint8_t)i))
				wait = ACCEPT_PAUSE_MS;
	}
}

/* Workers finish what they have; after the drain time they stop anyway. */
static void
stop_workers(struct proxy *p)
{
	struct timespec until;
	uint64_t until_ns = wk_clock_wall_ns() + p->options.drain_ns;
	size_t i;

	atomic_store(&p->stop, 1);
	for (i = 0; i < p->n_workers; i++)
		worker_wake(p->workers[i]);
	until.tv_sec = (time_t)(until_ns / WK_NS_PER_SEC);
	until.tv_nsec = (long)(until_ns % WK_NS_PER_SEC);
	for (i = 0; i < p->n_workers; i++) {
		if (pthread_timedjoin_np(p->workers[i]->thread, NULL,
		    &until) == 0)
			continue;
		atomic_store(&p->stop, 2);
		worker_wake(p->workers[i]);
		pthread_join(p->workers[i]->thread, NULL);
	}
}

static void
clean_up(struct proxy *p)
{
	size_t i, n = atomic_load(&p->n_backends);

	for (i = 0; i < p->n_workers; i++)
		worker_del(p->workers[i]);
	for (i = 0; i < n; i++)
		backend_del(p->backends[i]);
	secure_free(p);
	pthread_mutex_destroy(&p->reload_lock);
	tally_free(p);
}

int
proxy_run(struct proxy *p, struct conf *(*reload)(char *reason))
{
	const struct listening *metrics;
	char reason[256];
	size_t n_metrics;
	unsigned i;
	int rc = WK_EXIT_OK;

	p->started_ns = wk_clock_now_ns();
	metrics = metrics_addresses(&n_metrics);
	report_listening(p, metrics, n_metrics);
	for (i = 0; i < p->options.threads && rc == WK_EXIT_OK; i++)
		if (worker_start(p, i) != WK_OK) {
			wk_warn_errno(errno, "worker");
			rc = WK_EXIT_SYSTEM;
		}
	if (rc == WK_EXIT_OK && n_metrics > 0 &&
	    metrics_start(p, reason, sizeof(reason)) != WK_OK) {
		wk_warn("--metrics %s", reason);
		rc = WK_EXIT_SYSTEM;
	}
	if (rc == WK_EXIT_OK) {
		stats_loaded(NULL);
		wk_notice("ready");
		serve(p, reload);
	}
	close_listeners(p);
	stop_workers(p);
	metrics_stop();
	resolver_stop(p);
	if (rc == WK_EXIT_OK)
		report_summary(p);
	clean_up(p);
	return rc;
}
