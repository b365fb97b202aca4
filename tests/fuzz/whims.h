/* SPDX-License-Identifier: MIT */
/*
 * The owner of a session that does all kinds of things at all kinds of moments,
 * as its seed has it, deleting the session in events included; and what
 * stream.h promises to it. Included by the fuzz targets of HTTP/2 and HTTP/3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/loop.h"
#include "common/net/session.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

#define MAX_EXCHANGES 64

struct exchange {
	struct wk_stream *s;
	uint64_t unconsumed;
	bool is_closed, has_ended, has_head;
};

struct owner {
	struct wk_session *session;
	struct exchange exchanges[MAX_EXCHANGES];
	size_t n_exchanges;
	struct wk_session_limits limits;
	uint64_t now_ns;
	uint32_t random;
	unsigned in_verb;
	bool is_server, is_deleted, is_over;
};

static uint8_t body[3000];

static const struct wk_stream_handler stream_handler;

static unsigned
choose(struct owner *o, unsigned n)
{
	o->random = o->random * 1664525u + 1013904223u;
	return (o->random >> 16) % n;
}

static struct exchange *
exchange_of(struct wk_stream *s)
{
	struct exchange *x = wk_stream_arg(s);
	struct owner *o = wk_session_arg(wk_stream_session(s));

	CHECK(o->in_verb == 0);
	CHECK(!x->is_closed);
	CHECK(x->s == NULL || x->s == s);
	return x;
}

static void
request_one(struct owner *o)
{
	static const struct wk_message messages[] = {
		{ .method = { "GET", 3 }, .scheme = { "http", 4 },
		    .authority = { "a", 1 }, .path = { "/", 1 } },
		{ .method = { "POST", 4 }, .scheme = { "http", 4 },
		    .authority = { "a", 1 }, .path = { "/", 1 } },
		{ .method = { "CONNECT", 7 }, .protocol = { "connect-udp", 11 },
		    .scheme = { "http", 4 }, .authority = { "a", 1 },
		    .path = { "/", 1 } },
		{ .method = { "HEAD", 4 }, .scheme = { "http", 4 },
		    .authority = { "a", 1 }, .path = { "/", 1 } },
	};
	unsigned kind = choose(o, 4);
	struct exchange *x;

	if (o->is_server || o->is_deleted || o->n_exchanges == MAX_EXCHANGES)
		return;
	x = &o->exchanges[o->n_exchanges++];
	x->s = wk_session_request(o->session, &messages[kind], kind == 1,
	    &stream_handler, x, NULL);
	if (x->s == NULL)
		x->is_closed = true;
}

static void
respond(struct owner *o, struct exchange *x)
{
	static const uint16_t statuses[] = { 200, 200, 404, 103, 204 };
	const struct wk_message m = { .status = statuses[choose(o, 5)] };

	if (m.status < 200)
		wk_stream_respond_informational(x->s, &m, NULL);
	else
		wk_stream_respond(x->s, &m, choose(o, 2) == 0, NULL);
}

static void
verb(struct owner *o, struct exchange *x)
{
	size_t room, len = choose(o, sizeof(body));
	ssize_t n;

	switch (choose(o, 8)) {
	case 0:
		respond(o, x);
		break;
	case 1:
	case 2:
		room = wk_stream_room(x->s);
		n = wk_stream_write(x->s, body, len);
		CHECK(n < 0 || (size_t)n <= len);
		CHECK(n <= 0 || wk_stream_queued(x->s) > 0 || room > 0);
		break;
	case 3:
		wk_stream_finish(x->s);
		break;
	case 4:
		len = choose(o, 2) == 0 ? (size_t)x->unconsumed : len;
		wk_stream_consume(x->s, len);
		x->unconsumed -= len < x->unconsumed ? len : x->unconsumed;
		break;
	case 5:
		if (choose(o, 4) == 0)
			wk_stream_reset(x->s, (enum wk_stream_code)choose(o, 8),
			    "a whim");
		break;
	case 6:
		wk_stream_send_datagram(x->s, body, len);
		break;
	default:
		if (choose(o, 2) == 0)
			request_one(o);
		break;
	}
}

/* Something, to any exchange that is not over. */
static void
act(struct owner *o)
{
	struct exchange *x;

	if (o->n_exchanges == 0 || o->is_deleted)
		return;
	x = &o->exchanges[choose(o, (unsigned)o->n_exchanges)];
	o->in_verb++;
	if (!x->is_closed && x->s != NULL)
		verb(o, x);
	if (choose(o, 200) == 0)
		wk_session_shutdown(o->session);
	o->in_verb--;
	if (choose(o, 500) == 0) {
		o->is_deleted = true;
		wk_session_del(o->session);
	}
}

static void
react(struct wk_stream *s)
{
	struct owner *o = wk_session_arg(wk_stream_session(s));
	unsigned n = choose(o, 3);

	while (n-- > 0 && !o->is_deleted)
		act(o);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct exchange *x = exchange_of(s);

	CHECK(!x->has_head && !x->has_ended);
	CHECK(m->status >= 200 && m->status <= 999);
	x->has_head = true;
	react(s);
}

static void
on_informational(struct wk_stream *s, const struct wk_message *m)
{
	CHECK(!exchange_of(s)->has_head);
	CHECK(m->status >= 100 && m->status < 200);
	react(s);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct exchange *x = exchange_of(s);
	struct owner *o = wk_session_arg(wk_stream_session(s));

	CHECK(len > 0 && !x->has_ended);
	CHECK(o->is_server || x->has_head);
	x->unconsumed += len;
	CHECK(x->unconsumed <= o->limits.window);
	memcpy(body, data, len < sizeof(body) ? len : sizeof(body));
	react(s);
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	CHECK(!exchange_of(s)->has_ended && len <= 1500);
	if (len > 0)
		memcpy(body, data, len);
	react(s);
}

static void
on_end(struct wk_stream *s)
{
	struct exchange *x = exchange_of(s);

	CHECK(!x->has_ended);
	x->has_ended = true;
	react(s);
}

static void
on_writable(struct wk_stream *s)
{
	/* Over HTTP/3 it may be about datagrams. */
	CHECK(wk_stream_room(s) > 0 || wk_stream_version(s) == WK_HTTP_3);
	exchange_of(s);
	react(s);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct exchange *x = exchange_of(s);
	struct owner *o = wk_session_arg(wk_stream_session(s));

	CHECK(end == NULL || end->reason != NULL);
	CHECK(end != NULL || x->has_ended);
	x->is_closed = true;
	CHECK(wk_stream_write(s, "x", 1) < 0);
	wk_stream_consume(s, 1);
	wk_stream_reset(s, WK_STREAM_CANCEL, "late");
	x->s = NULL;
	if (!o->is_deleted)
		react(s);
}

static const struct wk_stream_handler stream_handler = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.datagram = on_datagram,
	.end = on_end,
	.writable = on_writable,
	.closed = on_closed,
};

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct owner *o = wk_session_arg(session);
	struct exchange *x;

	CHECK(o->in_verb == 0 && wk_message_is_request(m));
	CHECK(wk_message_check(m, NULL) == WK_OK);
	if (o->n_exchanges == MAX_EXCHANGES)
		return;
	x = &o->exchanges[o->n_exchanges++];
	x->s = s;
	wk_stream_handle(s, &stream_handler, x);
	if (choose(o, 2) == 0) {
		o->in_verb++;
		respond(o, x);
		if (choose(o, 4) == 0)
			wk_stream_use_capsules(s, 100);
		o->in_verb--;
	}
	react(s);
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t id,
    const char *text)
{
	(void)session;
	(void)kind;
	(void)id;
	CHECK(strlen(text) < 8192);
}

static const struct wk_session_handler session_handler = {
	.request = on_request,
	.trace = on_trace,
	.trace_level = 2,
};

static void
pass_time(struct owner *o)
{
	o->now_ns += (uint64_t)choose(o, 1000) * 10000000u;
	if (wk_session_deadline_ns(o->session) > o->now_ns)
		return;
	wk_session_expire(o->session, o->now_ns);
	CHECK(o->is_deleted ||
	    wk_session_deadline_ns(o->session) > o->now_ns);
}

static void
owner_init(struct owner *o, bool is_server, uint32_t seed)
{
	memset(o, 0, sizeof(*o));
	wk_session_limits_default(&o->limits);
	o->limits.max_streams = 20;
	o->limits.max_head = 2000;
	o->limits.max_fields = 20;
	o->limits.window = seed % 2 == 0 ? 1000 : 100000;
	o->limits.max_queued = 5000;
	o->limits.ping_interval_ns = 7000000000u;
	o->is_server = is_server;
	o->random = seed * 2654435761u;
	o->now_ns = 1;
}
