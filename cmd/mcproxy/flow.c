/* SPDX-License-Identifier: MIT */
/*
 * What travels through a worker: requests of clients, the subs they become for
 * backends, and the answers. Requests go down by calls, from client to handler
 * to server; answers come up by lists, of subs that are done and of clients
 * that have something to get, which the worker empties in its turn. So no part
 * is called by one below it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/watch.h"

#define LONG_VALUES_MAX 16	/* that may wait for one client */

uint64_t
worker_random(struct worker *w)
{
	/* xorshift64*: spreads load, guards nothing. */
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return w->random * UINT64_C(2685821657736338717);
}

/* --- answers -------------------------------------------------------------- */

void
answer_clear(struct worker *w, struct answer *a)
{
	chain_clear(&w->store, &a->data);
	a->text = NULL;
	a->key_at = 0;
	a->backend = 0;
	a->is_nominal = a->is_lost = false;
	a->class = RESPONSE_GOOD;
}

/* --- requests ------------------------------------------------------------- */

/* A second copy of it would do something else than one. */
static bool
is_once(const struct request *q)
{
	switch (q->command) {
	case COMMAND_APPEND:
	case COMMAND_PREPEND:
	case COMMAND_CAS:
	case COMMAND_INCR:
	case COMMAND_DECR:
	case COMMAND_MA:
		return true;
	case COMMAND_MS:
		return (q->mode | 0x20) == 'a' || (q->mode | 0x20) == 'p';
	default:
		return false;
	}
}

/* Not in any client's line yet. */
struct request_state *
request_alloc(struct worker *w, const struct request *q, struct block *b)
{
	struct request_state *r = w->free_requests;

	if (r != NULL)
		w->free_requests = r->next;
	else if ((r = malloc(sizeof(*r))) == NULL)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->held = w->held;
	r->held->n_requests++;
	r->block = b;
	block_ref(b);
	r->command = q->command;
	r->key = q->key;
	r->key_len = q->key_len;
	r->rest = q->rest;
	r->rest_len = q->rest_len;
	r->quiet_at = q->quiet_at;
	r->ttl_at = q->ttl_at;
	r->ttl_len = q->ttl_len;
	r->exptime = q->exptime;
	r->is_first = q->is_first;
	r->is_last = q->is_last;
	r->is_noreply = q->is_noreply;
	r->is_quiet = q->is_quiet;
	r->is_base64 = q->is_base64;
	r->is_once = is_once(q);
	r->refs = 1;
	r->since_ns = w->now_ns;
	w->n_active++;
	return r;
}

void
request_unref(struct worker *w, struct request_state *r)
{
	if (--r->refs > 0)
		return;
	chain_clear(&w->store, &r->value);
	answer_clear(w, &r->answer);
	block_unref(&w->store, r->block);
	r->held->n_requests--;
	w->n_active--;
	r->next = w->free_requests;
	w->free_requests = r;
}

void
client_touch(struct client *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->next_dirty = c->worker->dirty_clients;
	c->worker->dirty_clients = c;
}

void
request_finish(struct worker *w, struct request_state *r, struct answer *a)
{
	if (watch_wants(WATCH_REQUESTS))
		watch_request(w, r, a);
	tally_add(w, r->tally, r->command, w->now_ns - r->since_ns, a->class);
	r->answer = *a;
	memset(a, 0, sizeof(*a));
	r->is_done = true;
	if (r->client == NULL)
		answer_clear(w, &r->answer);
	else if (r->client->head == r)
		client_touch(r->client);
}

/* An answer of ours that is no static text. */
void
request_text(struct worker *w, struct request_state *r, const char *text,
    size_t len)
{
	struct answer a = { .class = RESPONSE_GOOD };
	size_t n;

	/* Pieces, as a block has an end. */
	for (; len > 0; text += n, len -= n) {
		n = len > CHAIN_COPY_MAX ? CHAIN_COPY_MAX : len;
		if (!chain_copy(&w->store, &a.data, NULL, text, n))
			break;
	}
	request_finish(w, r, &a);
}

/*
 * How long values are is known when they come: whoever asks for long ones asks
 * for few at a time, or others wait behind all of them at the backend. At
 * least two, as the last may be one whose value is still to be read.
 */
static void
narrow(struct client *c, uint64_t len)
{
	uint64_t window = c->worker->proxy->options.client_buffer / len + 2;

	if (c->window > window)
		c->window = (uint32_t)window;
}

/* May this client have so much more waiting for it? If so, it counts. */
bool
request_has_room(struct request_state *r, uint64_t len)
{
	const struct proxy_options *o;
	const struct worker *w;

	if (r->client == NULL || len < STREAM_MIN)
		return true;
	narrow(r->client, len);
	w = r->client->worker;
	o = &w->proxy->options;
	if (o->memory_limit > 0 && w->store.bytes + len >
	    o->memory_limit / o->threads)
		return false;
	if (r->client->out.bytes + r->client->promised + len >
	    o->client_buffer + LONG_VALUES_MAX * o->max_value)
		return false;
	r->promised += len;
	r->client->promised += len;
	return true;
}

/* --- subs ----------------------------------------------------------------- */

/* Holds a reference to the request; one that is not own is the request's. */
struct sub *
sub_new(struct worker *w, struct request_state *r, bool is_own)
{
	struct sub *s = &r->sub;

	if (is_own) {
		s = w->free_subs;
		if (s != NULL)
			w->free_subs = s->next;
		else
			s = malloc(sizeof(*s));
		if (s == NULL)
			return NULL;
	}
	memset(s, 0, sizeof(*s));
	s->is_own = is_own;
	s->request = r;
	r->refs++;
	return s;
}

static void
release(struct worker *w, struct sub *s)
{
	struct request_state *r = s->request;

	if (s->is_queued || s->is_listed)
		return;
	answer_clear(w, &s->answer);
	if (s->is_own) {
		s->next = w->free_subs;
		w->free_subs = s;
	}
	request_unref(w, r);
}

void
sub_done(struct worker *w, struct sub *s)
{
	s->is_answered = s->is_listed = true;
	s->next_done = NULL;
	if (w->done_head == NULL)
		w->done_head = s;
	else
		w->done_tail->next_done = s;
	w->done_tail = s;
}

void
sub_fail(struct worker *w, struct sub *s, const char *text)
{
	answer_clear(w, &s->answer);
	s->answer.text = text;
	s->answer.class = RESPONSE_ERROR;
	s->answer.is_lost = s->is_sent;
	sub_done(w, s);
}

struct sub *
sub_take_done(struct worker *w)
{
	struct sub *s = w->done_head;

	if (s != NULL)
		w->done_head = s->next_done;
	return s;
}

void
sub_settled(struct worker *w, struct sub *s)
{
	s->is_listed = false;
	release(w, s);
}

void
sub_unqueued(struct worker *w, struct sub *s)
{
	s->is_queued = false;
	release(w, s);
}
