/* SPDX-License-Identifier: MIT */
/* Answers of the backends, matched to the requests in their order. */
#include "config.h"

#include "cmd/mcproxy/server_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "cmd/mcproxy/watch.h"

#define READ_MIN 16384

static void
deliver(struct server *s, struct sub *sub)
{
	latency_add(&s->count.latency[tally_class(sub->request->command)],
	    s->worker->now_ns - sub->since_ns);
	if (sub->answer.class == RESPONSE_ERROR)
		counter_add(&s->count.errors, 1);
	sub_done(s->worker, sub);
}

static bool
is_key_of(const struct sub *sub, const struct response *p)
{
	const struct request_state *r = sub->request;

	return p->key_len == r->key_len - r->trim &&
	    memcmp(p->key, r->key + r->trim, p->key_len) == 0;
}

static void
miss(struct server *s, struct sub *sub)
{
	if (sub->is_answered)
		return;
	sub->answer.class = RESPONSE_MISS;
	deliver(s, sub);
}

/* Remember the line, and where in it the trimmed prefix is missing. */
static void
begin_answer(struct server *s, struct sub *sub, struct block *b,
    const struct response *p)
{
	struct worker *w = s->worker;

	sub->answer.class = p->class;
	/* A quiet ma hides the number, too. */
	sub->answer.is_nominal = p->is_nominal ||
	    (p->has_value && sub->request->command == COMMAND_MA);
	if (p->key != NULL && sub->request->trim > 0 &&
	    !w->proxy->options.answers_stored_key)
		sub->answer.key_at = (uint16_t)(p->key - p->line);
	if (!request_has_room(sub->request, p->has_value ? p->value_len : 0) ||
	    !chain_share(&w->store, &sub->answer.data, b, p->line,
	    p->line_len)) {
		counter_add(&w->count.out_of_memory, 1);
		sub_fail(w, sub, "SERVER_ERROR out of memory");
	}
}

/* A line that answers reads: VALUE for one of them, END, or an error. */
static bool
take_read_line(struct server *s, struct block *b, const struct response *p)
{
	struct sub *sub = s->head;
	bool is_last;

	if (p->has_value) {
		/* Keys in front of this one are misses. */
		while (sub->has_value || !is_key_of(sub, p)) {
			if (sub->ends_group)
				return false;
			miss(s, sub);
			server_pop(s);
			sub = s->head;
		}
		sub->has_value = true;
		if (!sub->is_answered)
			begin_answer(s, sub, b, p);
		return true;
	}
	do {
		sub = s->head;
		is_last = sub->ends_group;
		if (p->class == RESPONSE_MISS) {
			miss(s, sub);
		} else if (!sub->is_answered) {
			begin_answer(s, sub, b, p);
			if (!sub->is_answered)
				deliver(s, sub);
		}
		server_pop(s);
	} while (!is_last);
	return true;
}

static bool
take_line(struct server *s, struct block *b, const struct response *p)
{
	struct sub *sub = s->head;

	if (sub->kind == RESPONSE_READ)
		return take_read_line(s, b, p);
	if (!sub->is_answered)
		begin_answer(s, sub, b, p);
	if (p->has_value)
		return true;
	if (!sub->is_answered)
		deliver(s, sub);
	server_pop(s);
	return true;
}

static bool
take_data(struct server *s, struct block *b, const struct response *p)
{
	struct sub *sub = s->head;

	if (!sub->is_answered && sub->request->client != NULL &&
	    !chain_share(&s->worker->store, &sub->answer.data, b, p->data,
	    p->data_len))
		return false;
	if (!p->is_last) {
		/* Perhaps this much can go out already. */
		if (!sub->is_answered && sub->task == NULL &&
		    sub->request->client != NULL &&
		    sub->request->client->head == sub->request)
			client_touch(sub->request->client);
		return true;
	}
	if (!sub->is_answered)
		deliver(s, sub);
	if (sub->kind != RESPONSE_READ || !sub->ends_group)
		server_pop(s);
	return true;
}

/*
 * Returns what was not consumed, or SIZE_MAX when the peer is out of step;
 * s->error says how, and was told.
 */
static size_t
take(struct server *s, struct block *b, const char *at, size_t len)
{
	struct response p;
	enum response_kind kind;
	bool ok;

	while (len > 0) {
		if (s->head == NULL && s->state != SERVER_PROBING) {
			s->error = "trailingdata";
			watch_backend(s, s->error, at, len);
			return SIZE_MAX;
		}
		kind = s->state == SERVER_PROBING ? RESPONSE_VERSION :
		    s->head->kind;
		switch (response_read(&s->reader, kind, &at, &len, &p)) {
		case RESPONSE_MORE:
			return len;
		case RESPONSE_LINE:
			if (kind == RESPONSE_VERSION) {
				server_is_up(s);
				continue;
			}
			ok = take_line(s, b, &p);
			break;
		case RESPONSE_DATA:
			ok = take_data(s, b, &p);
			break;
		case RESPONSE_BAD:
		default:
			ok = false;
			break;
		}
		if (!ok) {
			s->error = s->state == SERVER_PROBING ?
			    "badvalidate" : "invalidprotocol";
			watch_backend(s, s->error, at, len);
			return SIZE_MAX;
		}
	}
	return 0;
}

static bool
keep_rest(struct server *s, const char *at, size_t len)
{
	free(s->rest);
	s->rest = NULL;
	s->rest_len = len;
	if (len == 0)
		return true;
	s->rest = malloc(len);
	if (s->rest == NULL)
		return false;
	memcpy(s->rest, at, len);
	return true;
}

void
server_read(struct server *s)
{
	struct worker *w = s->worker;
	struct block *b = store_read_block(&w->store, s->rest_len + READ_MIN);
	size_t room, len, left;
	ssize_t n;
	char *at;

	if (b == NULL) {
		server_lose(s, "outofmemory", false);
		return;
	}
	at = b->data + b->used;
	room = b->size - b->used - s->rest_len;
	if (s->rest_len > 0)
		memcpy(at, s->rest, s->rest_len);
	n = channel_read(&s->channel, s->source.fd, at + s->rest_len, room);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		server_lose(s, n == 0 ? "disconnected" : "reading", false);
		return;
	}
	len = s->rest_len + (size_t)n;
	b->used += (uint32_t)len;
	s->read_ns = w->now_ns;
	counter_add(&s->count.bytes_in, (uint64_t)n);
	s->is_reading = true;
	left = take(s, b, at, len);
	s->is_reading = false;
	atomic_store_explicit(&s->count.depth, s->depth, memory_order_relaxed);
	if (left == SIZE_MAX) {
		server_fail(s, s->error, false);
		return;
	}
	if (!keep_rest(s, at + len - left, left)) {
		server_lose(s, "outofmemory", false);
		return;
	}
	server_drain(s);
	if ((s->channel.has_more || s->is_left) && !s->is_again &&
	    s->source.fd >= 0) {
		s->is_again = true;
		s->next_again = w->again_servers;
		w->again_servers = s;
	}
}

void
server_event(struct server *s, uint32_t events)
{
	if (s->source.fd < 0)
		return;
	if (s->state == SERVER_CONNECTING) {
		if (s->channel.tls != NULL ||
		    (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
			server_connected(s);
		return;
	}
	if ((events & EPOLLOUT) != 0 && s->is_full) {
		s->is_full = false;
		server_touch(s);
	}
	if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0)
		s->is_left = true;
	if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0)
		server_read(s);
}
