/* SPDX-License-Identifier: MIT */
/* Clients: reading, understanding, and answering in the order of requests. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/watch.h"

#define READ_MIN 16384

/* --- requests ------------------------------------------------------------- */

static struct request_state *
request_new(struct client *c, const struct request *q, struct block *b)
{
	struct request_state *r = request_alloc(c->worker, q, b);

	if (r == NULL)
		return NULL;
	r->client = c;
	if (c->tail == NULL)
		c->head = r;
	else
		c->tail->next = r;
	c->tail = r;
	c->n_requests++;
	return r;
}

/* A line of ours; the text is static. */
static void
answer_text(struct worker *w, struct request_state *r, const char *text)
{
	struct answer a = { .text = text, .class = RESPONSE_ERROR };

	request_finish(w, r, &a);
}

/* --- answers -------------------------------------------------------------- */

static bool
put(struct client *c, const char *text, size_t len)
{
	return chain_copy(&c->worker->store, &c->out, NULL, text, len);
}

static bool
put_line(struct client *c, const char *text)
{
	return put(c, text, strlen(text)) && put(c, "\r\n", 2);
}

/* The code of a meta answer of ours, with what k and O ask for behind it. */
static bool
put_code(struct client *c, const struct request_state *r, const char *code)
{
	bool is_stored = c->worker->proxy->options.answers_stored_key;
	size_t trim = is_stored ? r->trim : 0;
	const char *at = r->rest, *end = at + r->rest_len, *start;
	bool ok = put(c, code, strlen(code));

	while (ok && at < end) {
		start = ++at;	/* behind the blank */
		while (at < end && *at != ' ')
			at++;
		if (at == start)
			continue;
		if (*start == 'k')
			ok = put(c, " k", 2) && put(c, r->key + trim,
			    r->key_len - trim) &&
			    (!r->is_base64 || put(c, " b", 2));
		else if (*start == 'O')
			ok = put(c, start - 1, (size_t)(at - start) + 1);
	}
	return ok && put(c, "\r\n", 2);
}

/* What the backend said, the key as the client wrote it. */
static bool
put_data(struct client *c, const struct request_state *r, struct answer *a)
{
	struct store *store = &c->worker->store;
	struct chain *data = &a->data;
	struct slice *first = data->head;
	size_t at = a->key_at;

	if (at > 0 && first != NULL && first->len >= at) {
		if (!put(c, first->at, at) || !put(c, r->key, r->trim))
			return false;
		first->at += at;
		first->len -= at;
		data->bytes -= at;
		a->key_at = 0;
	}
	if (!chain_append(store, &c->out, NULL, data))
		return false;
	chain_clear(store, data);
	return true;
}

/* One of several keys of a line: values, and END or an error at the end. */
static bool
put_read(struct client *c, struct request_state *r)
{
	enum multiget_errors mode =
	    (enum multiget_errors)c->worker->proxy->options.multiget_errors;
	struct answer *a = &r->answer;
	bool is_error = a->class == RESPONSE_ERROR, is_single;
	bool ok = true;

	is_single = r->is_first && r->is_last;
	if (r->is_first)
		c->has_failed = false;
	if (is_error && !is_single) {
		counter_add(&c->worker->count.multiget_failed, 1);
		c->has_failed = true;
	}
	if (a->class == RESPONSE_GOOD || (is_error && (is_single ||
	    mode == MULTIGET_INLINE)))
		ok = a->text != NULL ? put_line(c, a->text) :
		    put_data(c, r, a);
	if (!ok || !r->is_last || (is_single && is_error))
		return ok;
	return put_line(c, c->has_failed && mode == MULTIGET_FAIL ?
	    BACKEND_FAILURE : "END");
}

static bool
put_answer(struct client *c, struct request_state *r)
{
	struct answer *a = &r->answer;

	if (r->is_noreply || (r->is_quiet && a->is_nominal &&
	    (r->command == COMMAND_MG) == (a->class == RESPONSE_MISS)))
		return true;
	if (r->key != NULL && command_is_read(r->command))
		return put_read(c, r);
	if (a->text != NULL && command_is_meta(r->command) &&
	    r->command != COMMAND_ME && strlen(a->text) == 2)
		return put_code(c, r, a->text);
	return a->text != NULL ? put_line(c, a->text) : put_data(c, r, a);
}

/* A long value at the head of the line need not be whole to go out. */
static bool
stream(struct client *c, struct request_state *r)
{
	struct sub *s = &r->sub;

	if (s->request != r || s->is_answered || r->is_noreply ||
	    r->is_done || s->answer.class != RESPONSE_GOOD ||
	    (!r->is_streaming && s->answer.data.bytes < STREAM_MIN))
		return true;
	r->is_streaming = true;
	return put_data(c, r, &s->answer);
}

static void
feed_again(struct client *c)
{
	if (c->is_again)
		return;
	c->is_again = true;
	c->next_again = c->worker->again_clients;
	c->worker->again_clients = c;
}

/* Answers that are ready, in order, up to the first that is not. */
static void
pump(struct client *c)
{
	struct worker *w = c->worker;
	struct request_state *r;

	while ((r = c->head) != NULL && r->is_done && !c->is_dead) {
		/* Half a value is out and the rest is lost: no way back. */
		if ((r->is_streaming && r->answer.class == RESPONSE_ERROR) ||
		    !put_answer(c, r)) {
			client_close(c);
			return;
		}
		c->head = r->next;
		if (c->head == NULL)
			c->tail = NULL;
		c->n_requests--;
		if (c->window < WINDOW_MAX)
			c->window++;
		c->promised -= r->promised;
		r->client = NULL;
		request_unref(w, r);
	}
	if (r != NULL && !c->is_dead && !stream(c, r))
		client_close(c);
}

/* --- understanding -------------------------------------------------------- */

static bool
is_over_limit(const struct worker *w)
{
	uint64_t limit = w->held->generation->conf->request_limit;

	return limit > 0 && w->n_active > (limit + w->proxy->options.threads - 1) /
	    w->proxy->options.threads;
}

static void
route(struct worker *w, uint8_t tag, struct request_state *r)
{
	const struct router *router = w->held->routers[tag];
	struct decision d;

	counter_add(&w->count.commands[r->command], 1);
	if (is_over_limit(w)) {
		answer_text(w, r, "SERVER_ERROR active request limit reached");
		return;
	}
	if (router == NULL || !router_decide(router, r->command, r->key,
	    r->key_len, r->is_base64, &d)) {
		counter_add(&w->count.no_route, 1);
		answer_text(w, r, "SERVER_ERROR no route");
		return;
	}
	if (d.trim >= r->key_len) {
		answer_text(w, r, "CLIENT_ERROR bad command line format");
		return;
	}
	r->trim = d.trim;
	r->tally = d.id;
	r->refs++;
	handler_start(w, r, d.route);
	/* What failed at once asks others before the next request does. */
	handler_settle(w);
	request_unref(w, r);
}

static bool
take_data(struct client *c, struct block *b, const struct request *q)
{
	struct request_state *r = c->gathering;

	if (r == NULL)
		return true;
	return chain_gather(&c->worker->store, &r->value, b, q->data,
	    q->data_len, c->reader.left);
}

static void
finish_data(struct client *c, const char *error)
{
	struct request_state *r = c->gathering;

	c->gathering = NULL;
	if (r == NULL)
		return;
	if (error != NULL)
		answer_text(c->worker, r, error);
	else
		route(c->worker, c->tag, r);
}

/*
 * A set that was refused for its size: what is in the cache is stale now, and
 * memcached removes it in this case. Nobody waits for the answer.
 */
static void
remove_stale(struct client *c, const struct request *q, struct block *b)
{
	struct request_state *r;

	if (q->command != COMMAND_SET && (q->command != COMMAND_MS ||
	    (q->mode != 0 && (q->mode | 0x20) != 's')))
		return;
	r = request_alloc(c->worker, q, b);
	if (r == NULL)
		return;
	r->command = q->command == COMMAND_SET ? COMMAND_DELETE : COMMAND_MD;
	r->is_quiet = false;
	r->rest = r->is_base64 ? " b" : "";
	r->rest_len = strlen(r->rest);
	r->ttl_at = r->ttl_len = 0;
	route(c->worker, c->tag, r);
	request_unref(c->worker, r);
}

static bool
take_event(struct client *c, enum request_event e, struct block *b,
    const struct request *q)
{
	struct worker *w = c->worker;
	struct request_state *r = NULL;

	if (e == REQUEST_DATA)
		return take_data(c, b, q);
	if (e == REQUEST_DATA_END || e == REQUEST_DATA_BAD) {
		finish_data(c, e == REQUEST_DATA_BAD ? q->error : NULL);
		return true;
	}
	r = request_new(c, q, b);
	if (r == NULL)
		return false;
	if (q->error != NULL) {
		counter_add(&w->count.request_errors, 1);
		if (e == REQUEST_ERROR)
			r->key = NULL;	/* not one of a list of keys */
		if (q->is_too_large)
			remove_stale(c, q, b);
		answer_text(w, r, q->error);
	} else if (e == REQUEST_COMMAND && q->command >= COMMANDS_ROUTED) {
		local_answer(c, r, q);
	} else if (q->has_value) {
		c->gathering = r;
	} else {
		route(w, c->tag, r);
	}
	return true;
}

static bool
has_too_much(const struct client *c)
{
	const struct proxy_options *o = &c->worker->proxy->options;

	return c->n_requests >= c->window ||
	    c->out.bytes + c->promised > o->client_buffer;
}

static bool
keep_rest(struct client *c, const char *at, size_t len)
{
	free(c->rest);
	c->rest = NULL;
	c->rest_len = (uint32_t)len;
	if (len == 0)
		return true;
	c->rest = malloc(len);
	if (c->rest == NULL)
		return false;
	memcpy(c->rest, at, len);
	return true;
}

/* Octets at the end of the block; false when the client cannot go on. */
static bool
understand(struct client *c, struct block *b, const char *at, size_t len)
{
	enum request_event e;
	struct request q;

	while (!c->is_closing && !c->is_dead) {
		/* A watcher has nothing more to say. */
		if (c->is_watching)
			return keep_rest(c, at, 0);
		if (has_too_much(c)) {
			c->is_paused = true;
			break;
		}
		e = request_read(&c->reader, &at, &len, &q);
		if (e == REQUEST_MORE)
			break;
		if (!take_event(c, e, b, &q))
			return false;
	}
	return !c->is_dead && keep_rest(c, at, len);
}

/* --- reading -------------------------------------------------------------- */

static void
finish_if_done(struct client *c)
{
	if (!c->is_dead && (c->is_closing || (c->has_eof && !c->is_paused)) &&
	    (c->head == NULL || c->head == c->gathering) && c->out.bytes == 0)
		client_close(c);
}

/* Read what is there, or go on with what had been read before a pause. */
void
client_feed(struct client *c)
{
	struct store *store = &c->worker->store;
	bool was_paused = c->is_paused, is_more = false;
	struct block *b;
	size_t room, n;
	ssize_t got = 0;
	char *at;

	if (c->is_dead || c->is_closing || (was_paused && has_too_much(c)))
		return;
	c->is_paused = false;
	b = store_read_block(store, c->rest_len + READ_MIN);
	if (b == NULL) {
		client_close(c);
		return;
	}
	at = b->data + b->used;
	room = b->size - b->used - c->rest_len;
	if (c->rest_len > 0)
		memcpy(at, c->rest, c->rest_len);
	if (!was_paused && !c->has_eof) {
		got = channel_read(&c->channel, c->source.fd,
		    at + c->rest_len, room);
		if (got < 0 && errno == EAGAIN)
			return;
		if (got < 0) {
			client_close(c);
			return;
		}
		c->has_eof = got == 0;
		is_more = c->channel.has_more;
	}
	n = c->rest_len + (size_t)got;
	b->used += (uint32_t)n;
	if (!understand(c, b, at, n)) {
		client_close(c);
		return;
	}
	/* After a pause the socket may hold more without saying so again. */
	if ((is_more || was_paused || c->is_left) && !c->is_paused && !c->has_eof)
		feed_again(c);
	finish_if_done(c);
}

void
client_flush(struct client *c)
{
	uint64_t written = 0;
	int rc;

	pump(c);
	if (c->is_dead || c->is_full)
		return;
	rc = channel_write(&c->channel, c->source.fd, &c->worker->store,
	    &c->out, &written);
	c->is_full = rc == 1;
	if (rc < 0) {
		client_close(c);
		return;
	}
	if (c->is_paused && !has_too_much(c))
		feed_again(c);
	finish_if_done(c);
}

void
client_drain(struct client *c)
{
	c->is_closing = true;
	/* A value that is not whole yet never will be. */
	if (c->gathering != NULL && c->head == c->gathering)
		client_close(c);
	else
		finish_if_done(c);
}

void
client_event(struct client *c, uint32_t events)
{
	if (c->is_dead)
		return;
	if ((events & EPOLLOUT) != 0) {
		c->is_full = false;
		if (c->out.bytes > 0)
			client_touch(c);
	}
	/* Gone for good: nobody is left to answer to. */
	if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
		client_close(c);
		return;
	}
	/* A handshake may have waited for room. */
	if (c->channel.tls != NULL && !c->channel.is_open)
		events |= EPOLLIN;
	/* What is there is read first, and then the end. */
	if ((events & EPOLLRDHUP) != 0)
		c->is_left = true;
	if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 && !c->is_paused)
		client_feed(c);
}

/* --- coming and going ----------------------------------------------------- */

/*
 * The accepting thread makes the client and hands it to the worker's epoll;
 * from then on it is the worker's, which learns of it by the first event: a
 * new socket can be written.
 */
void
client_new(struct worker *w, int fd, uint8_t listener)
{
	struct client *c = calloc(1, sizeof(*c));
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
	    EPOLLET };
	struct wk_error error;

	if (c == NULL) {
		close(fd);
		return;
	}
	c->source.kind = SOURCE_CLIENT;
	c->source.fd = fd;
	c->worker = w;
	c->tag = listener;
	c->window = WINDOW_START;
	request_reader_init(&c->reader, w->proxy->options.max_value);
	atomic_fetch_add(&w->proxy->n_clients, 1);
	e.data.ptr = &c->source;
	if ((w->proxy->listeners[listener].is_secure && secure_channel(
	    w->proxy, &c->channel, fd, NULL, &error) != WK_OK) ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) {
		channel_free(&c->channel);
		atomic_fetch_sub(&w->proxy->n_clients, 1);
		close(fd);
		free(c);
	}
}

/* The memory stays until the end of this turn: events may point to it. */
void
client_close(struct client *c)
{
	struct worker *w = c->worker;
	struct request_state *r, *next;

	if (c->is_dead)
		return;
	c->is_dead = true;
	watch_stop(c);
	channel_free(&c->channel);
	close(c->source.fd);
	c->source.fd = -1;
	for (r = c->head; r != NULL; r = next) {
		next = r->next;
		r->client = NULL;
		request_unref(w, r);
	}
	c->head = c->tail = c->gathering = NULL;
	chain_clear(&w->store, &c->out);
	free(c->rest);
	c->rest = NULL;
	if (c->is_known) {
		if (c->previous != NULL)
			c->previous->next = c->next;
		else
			w->clients = c->next;
		if (c->next != NULL)
			c->next->previous = c->previous;
		w->n_clients--;
	}
	c->next = w->dead_clients;
	w->dead_clients = c;
	atomic_fetch_sub(&w->proxy->n_clients, 1);
}
