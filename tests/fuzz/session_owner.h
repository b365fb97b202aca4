/* SPDX-License-Identifier: MIT */
/*
 * The owner of one end of a session, driven by a script: each octet is a verb
 * or a step of time, and input is handed over between them. Whatever happens,
 * what stream.h and session.h promise must hold: closed comes once and last,
 * no event from inside a verb, nothing after end, no more than a window and a
 * queue, and output, deadlines and fate that make sense. Included by the
 * fuzz targets, one for each end of each version.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "common/net/loop.h"
#include "common/net/session.h"

#define WINDOW 300
#define QUEUE 200
#define OWNED_MAX 64
#define OUTPUT_MAX (64 << 10)	/* heads, and a script of 1xx */
#define SECOND_NS UINT64_C(1000000000)

struct owned {
	struct wk_stream *s;		/* NULL: this place is free */
	size_t unconsumed;
	bool is_tunnel, is_open, has_head, has_ended;
};

struct owner {
	struct wk_session *session;
	struct owned streams[OWNED_MAX];
	unsigned in_verb;
	uint64_t now_ns;
	const uint8_t *script;
	size_t script_len;
	enum wk_session_fate fate;
};

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static struct owned *
owned_of(struct wk_stream *s)
{
	struct owner *o = wk_session_arg(wk_stream_session(s));
	struct owned *x = wk_stream_arg(s);

	require(o->in_verb == 0 && x->s == s);
	return x;
}

static struct owner *
owner_of(const struct owned *x)
{
	return wk_session_arg(wk_stream_session(x->s));
}

static uint8_t
next_verb(struct owner *o)
{
	if (o->script_len == 0)
		return 0;
	o->script_len--;
	return *o->script++;
}

static void act(struct owner *o, struct owned *x, uint8_t verb);

/* What the owner does in an event is in the script too. */
static void
react(struct owned *x)
{
	struct owner *o = owner_of(x);
	uint8_t verb = next_verb(o);

	if (verb != 0)
		act(o, x, verb);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct owned *x = owned_of(s);

	require(!x->has_head && !x->has_ended && m->status >= 100);
	require(!m->opens_tunnel || x->is_tunnel);
	require(m->status != 101 || m->opens_tunnel);
	x->has_head = true;
	x->is_open = m->opens_tunnel;
	react(x);
}

static void
on_informational(struct wk_stream *s, const struct wk_message *m)
{
	struct owned *x = owned_of(s);

	require(!x->has_head && m->status < 200 && m->status != 101);
	react(x);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct owned *x = owned_of(s);
	volatile uint8_t sum = 0;
	size_t i;

	require(len > 0 && !x->has_ended);
	for (i = 0; i < len; i++)
		sum = (uint8_t)(sum + data[i]);
	x->unconsumed += len;
	require(x->unconsumed <= WINDOW);
	react(x);
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct owned *x = owned_of(s);

	require(!x->has_ended && len <= 100 && (len == 0 || data != NULL));
	react(x);
}

static void
on_capsule(struct wk_stream *s, enum wk_capsule_event event,
    const struct wk_capsule *capsule)
{
	struct owned *x = owned_of(s);

	require(!x->has_ended && event != WK_CAPSULE_MORE);
	require(capsule->type != 0);
	react(x);
}

static void
on_end(struct wk_stream *s)
{
	struct owned *x = owned_of(s);

	require(!x->has_ended);
	x->has_ended = true;
	react(x);
}

static void
on_writable(struct wk_stream *s)
{
	struct owned *x = owned_of(s);

	require(wk_stream_room(s) > 0);
	react(x);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct owned *x = owned_of(s);

	require(end == NULL || end->reason != NULL);
	require(wk_stream_write(s, "x", 1) == WK_E_INVALID);
	require(wk_stream_finish(s) == WK_E_INVALID);
	wk_stream_consume(s, 1);
	wk_stream_reset(s, WK_STREAM_CANCEL, "late");
	x->s = NULL;
}

static const struct wk_stream_handler owned_handler = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.datagram = on_datagram,
	.capsule = on_capsule,
	.end = on_end,
	.writable = on_writable,
	.closed = on_closed,
};

/* A place that is free, or NULL. */
static struct owned *
owned_new(struct owner *o)
{
	size_t i;

	for (i = 0; i < OWNED_MAX; i++)
		if (o->streams[i].s == NULL) {
			memset(&o->streams[i], 0, sizeof(o->streams[i]));
			return &o->streams[i];
		}
	return NULL;
}

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct owner *o = wk_session_arg(session);
	uint8_t verb = next_verb(o);
	struct owned *x;
	size_t i;

	require(o->in_verb == 0);
	require(wk_message_is_request(m));
	for (i = 0; i < m->n_fields; i++)
		require(!wk_message_is_connection_field(m->fields[i].name));
	if (verb == 0xff)
		return;	/* nobody wants it */
	x = owned_new(o);
	require(x != NULL);
	x->s = s;
	x->is_tunnel = wk_str_is(m->method, "CONNECT");
	wk_stream_handle(s, &owned_handler, x);
	if (verb != 0)
		act(o, x, verb);
}

static void
on_output(struct wk_session *session)
{
	(void)session;
}

static void
on_draining(struct wk_session *session)
{
	require(((struct owner *)wk_session_arg(session))->in_verb == 0);
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	(void)session;
	(void)kind;
	(void)stream_id;
	require(strlen(text) < 8192);
}

static const struct wk_session_handler owner_handler = {
	.request = on_request,
	.output = on_output,
	.draining = on_draining,
	.trace = on_trace,
	.trace_level = 2,
};

static void
ask(struct owner *o, unsigned what)
{
	static const char *const methods[] = { "GET", "HEAD", "POST",
		"CONNECT" };
	struct wk_field length = { wk_str_of("content-length"),
		wk_str_of("7") };
	struct wk_message m = {
		.method = wk_str_of(methods[what & 3]),
		.scheme = wk_str_of("http"),
		.authority = wk_str_of("a:1"),
		.path = wk_str_of("/p"),
	};
	bool has_body = (what & 4) != 0;
	struct wk_error error;
	struct owned *x;

	if ((what & 3) == 3 && (what & 8) != 0) {
		m.scheme = m.path = wk_str_of("");
	} else if ((what & 3) == 3) {
		m.protocol = wk_str_of("connect-udp");
	} else if (has_body && (what & 8) != 0) {
		m.fields = &length;
		m.n_fields = 1;
	}
	x = owned_new(o);
	if (x == NULL)
		return;
	x->is_tunnel = (what & 3) == 3;
	x->s = wk_session_request(o->session, &m, has_body || x->is_tunnel,
	    &owned_handler, x, &error);
}

static void
answer(struct owned *x, unsigned what)
{
	static const unsigned statuses[] = { 200, 204, 304, 404, 103, 100,
		299, 206 };
	struct wk_field length = { wk_str_of("content-length"),
		wk_str_of(what & 16 ? "7" : "0") };
	struct wk_message m = {
		.status = (uint16_t)statuses[what & 7],
	};

	if (what & 8) {
		m.fields = &length;
		m.n_fields = 1;
	}
	if (m.status < 200)
		wk_stream_respond_informational(x->s, &m, NULL);
	else if (wk_stream_respond(x->s, &m, (what & 32) != 0, NULL) == WK_OK)
		x->is_open = x->is_tunnel && m.status / 100 == 2;
}

static void
write_some(struct owned *x, size_t len)
{
	static const char text[512];
	size_t room = wk_stream_room(x->s), queued = wk_stream_queued(x->s);
	ssize_t n = wk_stream_write(x->s, text, len);

	require(room <= QUEUE && queued <= QUEUE);
	require(n == WK_E_INVALID || (n >= 0 && (size_t)n <= len));
	if (n >= 0 && x->is_tunnel)
		require(x->is_open);
	require(wk_stream_queued(x->s) <= QUEUE);
}

/* The three upper bits are the verb, the others how. */
static void
act(struct owner *o, struct owned *x, uint8_t verb)
{
	unsigned how = verb & 31;
	const struct wk_capsule capsule = { .type = how, .length = 3 };

	o->in_verb++;
	switch (verb >> 5) {
	case 0:
		if (x != NULL && x->s != NULL) {
			wk_stream_consume(x->s, how * 16u);
			x->unconsumed -= x->unconsumed < how * 16u ?
			    x->unconsumed : how * 16u;
		}
		break;
	case 1:
	case 2:
		if (wk_session_is_server(o->session)) {
			if (x != NULL && x->s != NULL)
				answer(x, verb - 32u);
		} else {
			ask(o, how);
		}
		break;
	case 3:
		if (x != NULL && x->s != NULL)
			write_some(x, how * 12u);
		break;
	case 4:
		if (x != NULL && x->s != NULL)
			wk_stream_finish(x->s);
		break;
	case 5:
		if (x != NULL && x->s != NULL)
			wk_stream_reset(x->s, (enum wk_stream_code)(how %
			    (WK_STREAM_OTHER + 1)), "because");
		break;
	case 6:
		if (x == NULL || x->s == NULL)
			break;
		if (how == 31 && x->is_open)
			wk_stream_use_capsules(x->s, 100);
		else if (how & 1)
			wk_stream_send_datagram(x->s, "datagram", how / 4);
		else
			wk_stream_send_capsule(x->s, &capsule, "abc");
		break;
	default:
		if (how == 31)
			wk_session_shutdown(o->session);
		break;
	}
	o->in_verb--;
}

static void
send_output(struct owner *o, size_t max)
{
	const uint8_t *data;
	volatile uint8_t sum = 0;
	size_t n, i;

	n = wk_session_output(o->session, &data);
	require(n < OUTPUT_MAX);
	n = n < max ? n : max;
	for (i = 0; i < n; i++)
		sum = (uint8_t)(sum + data[i]);
	if (n > 0)
		wk_session_sent(o->session, n, o->now_ns);
}

/* A piece of input, in storage of just its size. */
static void
hand_over(struct owner *o, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);
	struct wk_error error;
	int rc;

	require(copy != NULL);
	memcpy(copy, data, len);
	rc = wk_session_receive(o->session, copy, len, o->now_ns, &error);
	require(rc == WK_OK || (rc == (int)error.status &&
	    wk_session_fate(o->session) != WK_SESSION_OPEN));
	free(copy);
}

static void
look(struct owner *o)
{
	enum wk_session_fate fate = wk_session_fate(o->session);

	require(fate >= o->fate);
	o->fate = fate;
	if (wk_session_deadline_ns(o->session) <= o->now_ns) {
		wk_session_expire(o->session, o->now_ns);
		require(wk_session_deadline_ns(o->session) > o->now_ns);
	}
}

/* A stream that is still there. */
static struct owned *
current(struct owner *o)
{
	size_t i;

	for (i = 0; i < OWNED_MAX; i++)
		if (o->streams[i].s != NULL)
			return &o->streams[i];
	return NULL;
}

/*
 * Input: the length of the script, the script, then what the peer says. The
 * script's octets are used in turn, by events and between pieces of input.
 */
static void
play(struct wk_session *(*new_session)(bool, const struct wk_session_limits *,
    const struct wk_session_handler *, void *, uint64_t), bool is_server,
    const uint8_t *data, size_t size)
{
	static struct owner o;
	struct wk_session_limits limits;
	size_t n, left, step;
	uint8_t verb;

	if (size == 0)
		return;
	memset(&o, 0, sizeof(o));
	wk_session_limits_default(&limits);
	limits.max_head = 500;
	limits.max_fields = 10;
	limits.window = WINDOW;
	limits.max_queued = QUEUE;
	limits.max_streams = 4;
	o.now_ns = 1;
	o.session = new_session(is_server, &limits, &owner_handler, &o,
	    o.now_ns);
	require(o.session != NULL);
	n = data[0] < size - 1 ? data[0] : size - 1;
	step = (size_t)(data[0] & 1 ? 1 : data[0] + 1);
	o.script = data + 1;
	o.script_len = n;
	data += 1 + n;
	left = size - 1 - n;
	while (left > 0 || o.script_len > 0) {
		verb = next_verb(&o);
		if (verb >> 5 == 7 && (verb & 31) < 8)
			o.now_ns += SECOND_NS << (verb & 7);
		else if (verb >> 5 == 7 && (verb & 31) < 16)
			send_output(&o, (size_t)1 << (verb & 7));
		else if (verb != 0)
			act(&o, current(&o), verb);
		look(&o);
		if (o.fate >= WK_SESSION_CLOSE)
			break;
		n = step < left ? step : left;
		if (n > 0 && wk_session_wants_input(o.session)) {
			hand_over(&o, data, n);
			data += n;
			left -= n;
		} else if (n > 0 && o.script_len == 0) {
			break;	/* nobody will consume any more */
		}
		if ((verb & 3) == 0)
			send_output(&o, SIZE_MAX);
		look(&o);
	}
	if (left == 0)
		wk_session_receive_end(o.session, (step & 1) != 0, o.now_ns);
	look(&o);
	wk_session_del(o.session);
	require(current(&o) == NULL);
}
