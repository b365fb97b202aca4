/* SPDX-License-Identifier: MIT */
/* One worker's connections to the backends: queueing, writing, failing. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/report.h"
#include "cmd/mcproxy/server_read.h"
#include "cmd/mcproxy/watch.h"
#include "common/base/clock.h"

#define NAME_WAIT_NS (WK_NS_PER_SEC / 10)

static void connect_now(struct server *s);

static void
set_state(struct server *s, enum server_state state)
{
	s->state = state;
	atomic_store_explicit(&s->count.state, state, memory_order_relaxed);
}

void
server_pop(struct server *s)
{
	struct sub *sub = s->head;

	s->head = sub->next;
	if (s->head == NULL)
		s->tail = NULL;
	s->depth--;
	sub_unqueued(s->worker, sub);
}

/* --- failing -------------------------------------------------------------- */

static bool
is_bad(const struct server *s)
{
	return s->failures > s->backend->conf.options.failure_limit;
}

/* How long to stay away: the retry wait, longer and longer if it flaps. */
static uint64_t
retry_wait(struct server *s)
{
	const struct backend_options *o = &s->backend->conf.options;
	double wait = (double)o->retry_wait_ns;
	unsigned i;

	for (i = o->failure_limit; i < s->flaps; i++) {
		wait *= o->flap_ramp;
		if (wait >= (double)o->flap_max_ns)
			return o->flap_max_ns;
	}
	/* Up to a tenth more, so that not all come back in one moment. */
	return (uint64_t)(wait * (1.0 +
	    (double)(worker_random(s->worker) % 100) / 1000));
}

static void
close_socket(struct server *s)
{
	struct store *store = &s->worker->store;

	channel_free(&s->channel);
	if (s->source.fd >= 0)
		close(s->source.fd);
	s->source.fd = -1;
	chain_clear(store, &s->out);
	block_unref(store, s->block);
	s->block = NULL;
	free(s->rest);
	s->rest = NULL;
	s->rest_len = 0;
	s->group_keys = 0;
	s->is_full = s->is_left = false;
	response_reader_init(&s->reader);
}

static void
fail_queue(struct server *s)
{
	struct worker *w = s->worker;
	struct sub *sub, *next;

	sub = s->head;
	s->head = s->tail = NULL;
	s->depth = 0;
	atomic_store_explicit(&s->count.depth, 0, memory_order_relaxed);
	for (; sub != NULL; sub = next) {
		next = sub->next;
		if (!sub->is_answered) {
			counter_add(&s->count.errors, 1);
			sub_fail(w, sub, BACKEND_FAILURE);
		}
		sub_unqueued(w, sub);
	}
}

static void
mark_bad(struct server *s, bool has_flapped)
{
	uint64_t retry_ns = s->deadline_ns - s->worker->now_ns;

	if (atomic_fetch_add(&s->backend->n_bad, 1) == 0)
		report_bad(s->backend, s->error, retry_ns);
	watch_marked(s, has_flapped, retry_ns);
}

static void
unmark_bad(struct server *s, bool is_back)
{
	if (is_bad(s) && atomic_fetch_sub(&s->backend->n_bad, 1) == 1 &&
	    is_back)
		report_back(s->backend);
	s->failures = 0;
}

void
server_lose(struct server *s, const char *error, bool is_hung)
{
	watch_backend(s, error, NULL, 0);
	server_fail(s, error, is_hung);
}

void
server_fail(struct server *s, const char *error, bool is_hung)
{
	const struct backend_options *o = &s->backend->conf.options;
	struct worker *w = s->worker;
	enum server_state state = s->state;
	bool was_bad = is_bad(s);

	if (s->is_used && o->flap_time_ns > 0 &&
	    w->now_ns - s->up_ns < o->flap_time_ns)
		s->flaps++;
	else if (s->is_used)
		s->flaps = 0;
	s->is_used = false;
	s->error = error;
	report_lost(s, error);
	/* Hung: three more timeouts would tell nothing new. */
	s->failures = is_hung || s->flaps > o->failure_limit ?
	    o->failure_limit + 1 : s->failures + 1;
	s->address++;
	counter_add(&w->count.backends_failed, 1);
	close_socket(s);
	set_state(s, SERVER_WAITING);
	s->deadline_ns = w->now_ns;
	if (is_hung && state != SERVER_CONNECTING)
		atomic_store(&s->backend->hung_ns, w->now_ns);
	if (is_bad(s)) {
		s->deadline_ns += retry_wait(s);
		atomic_store(&s->backend->back_ns, OUT_NS);
		if (!was_bad)
			mark_bad(s, s->flaps > o->failure_limit);
	}
	worker_at(w, s->deadline_ns);
	fail_queue(s);
}

/* --- connecting ----------------------------------------------------------- */

static void
send_probe(struct server *s, uint64_t timeout_ns)
{
	static const char probe[] = "version\r\n";

	set_state(s, SERVER_PROBING);
	s->deadline_ns = s->worker->now_ns + timeout_ns;
	worker_at(s->worker, s->deadline_ns);
	/* Nine octets into an empty socket. */
	if (!channel_send(&s->channel, s->source.fd, probe,
	    sizeof(probe) - 1)) {
		server_lose(s, "writing", false);
	}
}

static void
set_options(int fd, const struct backend_options *o, int family)
{
	int one = 1;

	if (family == AF_UNIX)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (o->has_keepalive)
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static void
connect_now(struct server *s)
{
	struct worker *w = s->worker;
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
	    EPOLLET, .data.ptr = &s->source };
	struct address a;
	int fd;

	if (!backend_address(w->proxy, s->backend, s->address, &a)) {
		s->deadline_ns = w->now_ns + NAME_WAIT_NS;
		worker_at(w, s->deadline_ns);
		return;
	}
	fd = socket(a.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd < 0) {
		server_lose(s, "connecting", false);
		return;
	}
	set_options(fd, &s->backend->conf.options, a.at.ss_family);
	s->source.fd = fd;
	counter_add(&s->count.connects, 1);
	set_state(s, SERVER_CONNECTING);
	s->deadline_ns = w->now_ns +
	    s->backend->conf.options.connect_timeout_ns;
	worker_at(w, s->deadline_ns);
	if ((connect(fd, (struct sockaddr *)&a.at, a.len) < 0 &&
	    errno != EINPROGRESS) ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) {
		server_lose(s, "connecting", false);
	}
}

/* Look at it again when it will have been idle for long. */
static void
watch_idle(struct server *s)
{
	uint64_t ping_ns = s->worker->proxy->options.idle_ping_ns;

	if (ping_ns > 0 && s->head == NULL)
		worker_at(s->worker, s->read_ns + ping_ns);
}

void
server_is_up(struct server *s)
{
	struct worker *w = s->worker;
	struct sub *sub;

	unmark_bad(s, true);
	if (atomic_load(&s->backend->back_ns) == OUT_NS)
		atomic_store(&s->backend->back_ns, w->now_ns);
	report_tls(s->backend);
	/* A probe in between does not make the connection a new one. */
	if (!s->is_used)
		s->up_ns = w->now_ns;
	s->is_used = true;
	s->probed_ns = w->now_ns;
	set_state(s, SERVER_UP);
	for (sub = s->head; sub != NULL; sub = sub->next)
		sub->is_sent = true;
	watch_idle(s);
	if (s->head != NULL)
		worker_at(w, s->head->since_ns +
		    s->backend->conf.options.read_timeout_ns);
	server_touch(s);
}

/* TLS goes on where it stopped; then the backend has to prove itself. */
static void
shake_hands(struct server *s)
{
	struct wk_error error;
	int rc = WK_OK;

	if (s->channel.tls == NULL && s->backend->conf.options.is_secure)
		rc = secure_channel(s->worker->proxy, &s->channel,
		    s->source.fd, s->backend->conf.host, &error);
	if (rc == WK_OK)
		rc = channel_handshake(&s->channel, &error);
	if (rc < 0) {
		report_no_tls(s->backend, &error);
		server_lose(s, "tls", false);
	} else if (rc > 0) {
		send_probe(s, s->backend->conf.options.read_timeout_ns);
	}
}

void
server_connected(struct server *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->source.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
	    error != 0) {
		server_lose(s, "connecting", false);
		return;
	}
	shake_hands(s);
}

/* --- queueing ------------------------------------------------------------- */

void
server_touch(struct server *s)
{
	if (s->is_dirty)
		return;
	s->is_dirty = true;
	s->next_dirty = s->worker->dirty_servers;
	s->worker->dirty_servers = s;
}

static struct server *
pick_connection(struct worker *w, unsigned backend)
{
	struct server **all = w->servers[backend], *best = NULL;
	size_t i;

	if (all == NULL || atomic_load_explicit(&w->proxy->backends[backend]->
	    is_held, memory_order_relaxed))
		return NULL;
	/* One that was bad has to prove itself first. */
	for (i = 0; all[i] != NULL; i++)
		if (all[i]->state != SERVER_WAITING &&
		    (all[i]->state == SERVER_UP || !is_bad(all[i])) &&
		    (best == NULL || all[i]->depth < best->depth))
			best = all[i];
	return best;
}

bool
server_is_out(struct worker *w, unsigned backend, uint64_t failback_ns)
{
	uint64_t back_ns = atomic_load_explicit(
	    &w->proxy->backends[backend]->back_ns, memory_order_relaxed);

	if (back_ns == OUT_NS || pick_connection(w, backend) == NULL)
		return true;
	return back_ns != 0 && failback_ns > 0 && w->now_ns >= back_ns &&
	    w->now_ns - back_ns < failback_ns;
}

/* Another worker may have found out that this backend hangs. */
static bool
has_hung_since(struct server *s)
{
	uint64_t hung_ns = atomic_load(&s->backend->hung_ns);

	if (hung_ns == 0 || s->is_reading || s->state != SERVER_UP ||
	    s->read_ns > hung_ns || s->probed_ns > hung_ns)
		return false;
	server_fail(s, "hung", true);
	return true;
}

/* Whoever is silent for so long may have been forgotten on the way. */
static void
ping_if_idle(struct server *s)
{
	uint64_t ping_ns = s->worker->proxy->options.idle_ping_ns;

	if (s->state == SERVER_UP && s->head == NULL && ping_ns > 0 &&
	    s->worker->now_ns - s->read_ns >= ping_ns)
		send_probe(s, s->backend->conf.options.read_timeout_ns);
}

void
server_submit(struct worker *w, unsigned backend, struct sub *sub)
{
	struct server *s = pick_connection(w, backend);
	const struct backend_options *o;

	if (s == NULL || has_hung_since(s)) {
		sub_fail(w, sub, BACKEND_FAILURE);
		return;
	}
	o = &s->backend->conf.options;
	if (o->depth_limit > 0 && s->depth >= o->depth_limit) {
		counter_add(&w->count.depth_failed, 1);
		sub_fail(w, sub, BACKEND_FAILURE);
		return;
	}
	ping_if_idle(s);
	if (s->state == SERVER_WAITING || !command_write(s, sub)) {
		sub_fail(w, sub, BACKEND_FAILURE);
		return;
	}
	sub->next = NULL;
	sub->is_queued = true;
	sub->is_sent = s->state == SERVER_UP;
	if (s->tail == NULL) {
		s->head = sub;
		worker_at(w, w->now_ns + o->read_timeout_ns);
	} else {
		s->tail->next = sub;
	}
	s->tail = sub;
	s->depth++;
	counter_add(&s->count.requests, 1);
	server_touch(s);
}

void
server_flush(struct server *s)
{
	struct store *store = &s->worker->store;
	uint64_t written = 0;
	int rc;

	atomic_store_explicit(&s->count.depth, s->depth, memory_order_relaxed);
	if (s->group_keys > 0) {
		s->group_keys = 0;
		if (!chain_copy(store, &s->out, &s->block, "\r\n", 2)) {
			server_lose(s, "outofmemory", false);
			return;
		}
	}
	if (s->state != SERVER_UP || s->is_full || s->out.bytes == 0)
		return;
	rc = channel_write(&s->channel, s->source.fd, store, &s->out,
	    &written);
	counter_add(&s->count.bytes_out, written);
	s->is_full = rc == 1;
	if (rc < 0) {
		server_lose(s, "writing", false);
	}
}

/* --- deadlines ------------------------------------------------------------ */

/*
 * Requests that waited too long fail, and what still comes for them is thrown
 * away: the connection stays in step. If nothing at all came, it hangs.
 */
static void
expire_queue(struct server *s)
{
	uint64_t timeout = s->backend->conf.options.read_timeout_ns;
	struct worker *w = s->worker;
	struct sub *sub = s->head;

	if (sub != NULL && s->state == SERVER_UP &&
	    sub->since_ns + timeout <= w->now_ns &&
	    s->read_ns < sub->since_ns + timeout / 2 &&
	    s->probed_ns + timeout <= w->now_ns) {
		counter_add(&s->count.timeouts, s->depth);
		server_lose(s, "timeout", true);
		return;
	}
	for (; sub != NULL && sub->since_ns + timeout <= w->now_ns;
	    sub = sub->next) {
		if (sub->is_answered)
			continue;
		counter_add(&s->count.timeouts, 1);
		counter_add(&s->count.errors, 1);
		sub_fail(w, sub, BACKEND_FAILURE);
	}
	if (sub != NULL)
		worker_at(w, sub->since_ns + timeout);
	else if (s->head != NULL)
		worker_at(w, w->now_ns + timeout);
}

static void
check_deadline(struct server *s)
{
	struct worker *w = s->worker;

	/* Never connected, and so never used. */
	if (s->backend->conf.options.is_down)
		return;
	if (s->state != SERVER_UP && s->deadline_ns <= w->now_ns) {
		if (s->state == SERVER_WAITING) {
			connect_now(s);
		} else {
			server_lose(s, s->state == SERVER_PROBING ?
			    "readvalidate" : "conntimeout", true);
		}
	}
	ping_if_idle(s);
	if (s->state != SERVER_UP)
		worker_at(w, s->deadline_ns);
	else
		watch_idle(s);
	expire_queue(s);
}

void
server_timers(struct worker *w)
{
	size_t id, i, n = atomic_load(&w->proxy->n_backends);

	for (id = 0; id < n; id++)
		for (i = 0; w->servers[id] != NULL &&
		    w->servers[id][i] != NULL; i++)
			if (!w->servers[id][i]->is_closing)
				check_deadline(w->servers[id][i]);
}

/* --- configurations ------------------------------------------------------- */

static struct server *
server_new(struct worker *w, struct backend *b)
{
	struct server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->source.kind = SOURCE_SERVER;
	s->source.fd = -1;
	s->worker = w;
	s->backend = b;
	s->read_ns = w->now_ns;
	s->deadline_ns = w->now_ns;
	return s;
}

static void
open_backend(struct worker *w, struct backend *b)
{
	unsigned i, n = b->conf.options.connections;
	struct server **all;

	if (w->servers[b->id] != NULL) {
		for (i = 0; w->servers[b->id][i] != NULL; i++)
			w->servers[b->id][i]->is_closing = false;
		worker_at(w, w->now_ns);
		return;
	}
	all = calloc(n + 1, sizeof(struct server *));
	if (all == NULL)
		return;
	for (i = 0; i < n; i++)
		all[i] = server_new(w, b);
	atomic_store(&w->servers[b->id], all);
	for (i = 0; i < n && all[i] != NULL; i++)
		if (!b->conf.options.is_down)
			connect_now(all[i]);
}

void
server_adopt(struct worker *w, const struct conf *c)
{
	size_t id, i, n = atomic_load(&w->proxy->n_backends);

	for (id = 0; id < n; id++)
		for (i = 0; w->servers[id] != NULL &&
		    w->servers[id][i] != NULL; i++)
			w->servers[id][i]->is_closing = true;
	for (i = 0; i < c->n_backends; i++)
		open_backend(w, w->proxy->backends[c->backends[i]->id]);
	/* What is left drains: its requests are answered, then it closes. */
	for (id = 0; id < n; id++)
		for (i = 0; w->servers[id] != NULL &&
		    w->servers[id][i] != NULL; i++)
			server_drain(w->servers[id][i]);
}

void
server_drain(struct server *s)
{
	if (!s->is_closing || s->head != NULL)
		return;
	unmark_bad(s, false);
	s->deadline_ns = 0;
	close_socket(s);
	set_state(s, SERVER_WAITING);
}

/* What they had queued fails; nobody may submit any more. */
void
server_close_all(struct worker *w)
{
	struct server **all;
	size_t id, i;

	for (id = 0; id < CONF_BACKENDS_MAX; id++) {
		all = atomic_exchange(&w->servers[id], NULL);
		for (i = 0; all != NULL && all[i] != NULL; i++) {
			close_socket(all[i]);
			fail_queue(all[i]);
			free(all[i]);
		}
		free(all);
	}
	w->dirty_servers = w->again_servers = NULL;
}
