/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/2 session fed with octets, under an owner that does all kinds of
 * things at all kinds of moments, and what stream.h promises to that owner.
 *
 * Input: one octet for the size of pieces (low five bits, 0: all at once),
 * whether a well-formed beginning goes in front (bit 5), and whether output is
 * fetched rarely (bit 6); one that seeds the owner's choices; then the octets
 * from the peer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/http2_session.h"
#include "common/net/loop.h"

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
	CHECK(wk_stream_room(s) > 0);
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
fetch(struct owner *o)
{
	const uint8_t *data;
	size_t n, rounds = 0;

	while (!o->is_deleted && (n = wk_session_output(o->session, &data)) > 0) {
		if (o->is_deleted)
			return;
		CHECK(n < 1 << 20 && rounds++ < 1000);
		n = choose(o, 4) == 0 && n > 1 ? n / 2 : n;
		wk_session_sent(o->session, n, o->now_ns);
	}
}

static void
give(struct owner *o, const uint8_t *octets, size_t len)
{
	struct wk_error error = { .status = WK_OK };
	uint8_t *copy = malloc(len);
	int rc;

	CHECK(copy != NULL);
	memcpy(copy, octets, len);
	rc = wk_session_receive(o->session, copy, len, o->now_ns, &error);
	free(copy);
	if (o->is_deleted)
		return;
	CHECK(rc == (int)error.status);
	CHECK(rc == WK_OK || error.reason[0] != '\0');
	CHECK(rc == WK_OK || wk_session_fate(o->session) != WK_SESSION_OPEN);
	o->is_over = rc != WK_OK;
}

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
begin(struct owner *o, bool is_server, uint32_t seed)
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
	o->session = wk_http2_session_new(is_server, &o->limits,
	    &session_handler, o, o->now_ns);
	CHECK(o->session != NULL);
	request_one(o);
	request_one(o);
}

static void
run(bool is_server, const uint8_t *data, size_t size)
{
	static const uint8_t hello[] = WK_HTTP2_PREFACE
	    "\0\0\6\4\0\0\0\0\0\0\10\0\0\0\1" "\0\0\0\4\1\0\0\0\0";
	const size_t magic = is_server ? 0 : strlen(WK_HTTP2_PREFACE);
	struct owner o;
	size_t step, n, i;

	if (size < 2)
		return;
	begin(&o, is_server, data[1]);
	fetch(&o);
	if ((data[0] & 0x20) != 0 && !o.is_deleted)
		give(&o, hello + magic, sizeof(hello) - 1 - magic);
	step = data[0] & 0x1f;
	for (n = 2; n < size && !o.is_deleted && !o.is_over; n += i) {
		i = step == 0 || step > size - n ? size - n : step;
		give(&o, data + n, i);
		if ((data[0] & 0x40) == 0 || choose(&o, 16) == 0)
			fetch(&o);
		act(&o);
		if (!o.is_deleted)
			pass_time(&o);
	}
	fetch(&o);
	if (!o.is_deleted && choose(&o, 2) == 0)
		wk_session_receive_end(o.session, choose(&o, 2) == 0, o.now_ns);
	if (!o.is_deleted) {
		o.is_deleted = true;
		wk_session_del(o.session);
	}
	/* Whatever happened, closed came. */
	for (i = 0; i < o.n_exchanges; i++)
		CHECK(o.exchanges[i].is_closed);
}
