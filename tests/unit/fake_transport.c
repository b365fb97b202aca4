/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/fake_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

enum parcel_kind {
	PARCEL_DATA,
	PARCEL_RESET,
	PARCEL_STOP,
	PARCEL_DATAGRAM,
	PARCEL_CLOSE,
};

struct fake_parcel {
	struct fake_parcel *next;
	enum parcel_kind kind;
	uint64_t arrival_ns, id, code;
	bool is_last;
	size_t len;
	uint8_t data[];
};

static struct fake *
of(struct wk_transport *t)
{
	return (struct fake *)(void *)t;
}

static const struct fake *
of_const(const struct wk_transport *t)
{
	return (const struct fake *)(const void *)t;
}

static bool
is_ours(const struct fake *f, uint64_t id)
{
	return wk_transport_is_by_server(id) == f->is_server;
}

/* --- streams -------------------------------------------------------------- */

struct fake_stream *
fake_stream(const struct fake *f, uint64_t id)
{
	struct fake_stream *s = f->streams;

	while (s != NULL && s->id != id)
		s = s->next;
	return s;
}

/* The newest last, so that they are served in the order of their beginning. */
static struct fake_stream *
stream_new(struct fake *f, uint64_t id)
{
	struct fake_stream *s = calloc(1, sizeof(*s)), **at = &f->streams;

	CHECK(s != NULL);
	s->id = id;
	s->limit = f->peer->stream_window;
	wk_buf_init(&s->out, SIZE_MAX);
	wk_buf_init(&s->in, SIZE_MAX);
	if (wk_transport_is_uni(id)) {
		s->is_in_over = is_ours(f, id);
		s->is_out_over = !is_ours(f, id);
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = s;
	return s;
}

static void
stream_free(struct fake_stream *s)
{
	wk_buf_free(&s->out);
	wk_buf_free(&s->in);
	free(s);
}

static bool
is_writable(const struct fake *f, const struct fake_stream *s)
{
	return s != NULL && !f->is_closed && !s->has_fin && !s->has_reset &&
	    !s->is_out_over;
}

static size_t
left(const struct fake_stream *s)
{
	return s->out.len - s->out_at;
}

/* --- verbs ---------------------------------------------------------------- */

static int
open_stream(struct wk_transport *t, bool is_uni, uint64_t *id)
{
	struct fake *f = of(t);

	if (f->is_closed)
		return WK_E_INVALID;
	if (f->n_open[is_uni] >= f->max_streams[is_uni]) {
		f->wants_open[is_uni] = true;
		return WK_E_LIMIT;
	}
	*id = f->next_id[is_uni];
	f->next_id[is_uni] += 4;
	f->n_open[is_uni]++;
	stream_new(f, *id);
	return WK_OK;
}

static size_t
room(const struct wk_transport *t, uint64_t id)
{
	const struct fake *f = of_const(t);
	const struct fake_stream *s = fake_stream(f, id);

	return is_writable(f, s) && left(s) < f->max_queued ?
	    f->max_queued - left(s) : 0;
}

static ssize_t
write_parts(struct wk_transport *t, uint64_t id, const struct iovec *parts,
    size_t n_parts)
{
	struct fake_stream *s = fake_stream(of(t), id);
	size_t i, n, taken = 0, all = 0;

	if (!is_writable(of(t), s))
		return WK_E_INVALID;
	if (s->out_at > 0) {
		s->out.len -= s->out_at;
		memmove(s->out.data, s->out.data + s->out_at, s->out.len);
		s->out_at = 0;
	}
	for (i = 0; i < n_parts; i++) {
		n = room(t, id);
		n = n < parts[i].iov_len ? n : parts[i].iov_len;
		wk_buf_append(&s->out, parts[i].iov_base, n);
		taken += n;
		all += parts[i].iov_len;
		if (n < parts[i].iov_len)
			break;
	}
	CHECK(s->out.status == WK_OK);
	s->wants_writable |= taken < all;
	return (ssize_t)taken;
}

static size_t
queued(const struct wk_transport *t, uint64_t id)
{
	const struct fake_stream *s = fake_stream(of_const(t), id);

	return s == NULL ? 0 : left(s);
}

static void
finish(struct wk_transport *t, uint64_t id)
{
	struct fake_stream *s = fake_stream(of(t), id);

	if (is_writable(of(t), s))
		s->has_fin = true;
}

static void
reset_stream(struct fake_stream *s, uint64_t code)
{
	if (s->is_out_over || s->has_reset)
		return;
	s->has_reset = true;
	s->reset_code = code;
	wk_buf_clear(&s->out);
	s->out_at = 0;
}

static void
reset(struct wk_transport *t, uint64_t id, uint64_t code)
{
	struct fake_stream *s = fake_stream(of(t), id);

	if (s != NULL && !of(t)->is_closed)
		reset_stream(s, code);
}

static void
stop(struct wk_transport *t, uint64_t id, uint64_t code)
{
	struct fake_stream *s = fake_stream(of(t), id);

	if (s == NULL || of(t)->is_closed || s->is_in_over || s->has_stop)
		return;
	s->has_stop = true;
	s->stop_code = code;
}

/* More credit for the peer at once, as if it could not be lost or late. */
static void
consume(struct wk_transport *t, uint64_t id, size_t octets)
{
	struct fake *f = of(t);
	struct fake_stream *s = fake_stream(f, id), *other;

	if (s == NULL || f->is_closed)
		return;
	s->n_consumed += octets;
	CHECK(s->n_consumed <= s->n_received);
	other = fake_stream(f->peer, id);
	if (other != NULL)
		other->limit = s->n_consumed + f->stream_window;
}

static size_t
total(const struct iovec *parts, size_t n)
{
	size_t i, all = 0;

	for (i = 0; i < n; i++)
		all += parts[i].iov_len;
	return all;
}

static void
append_datagram(struct wk_buf *b, const struct iovec *parts, size_t n)
{
	size_t i;

	wk_buf_uint(b, total(parts, n), 4);
	for (i = 0; i < n; i++)
		wk_buf_append(b, parts[i].iov_base, parts[i].iov_len);
	CHECK(b->status == WK_OK);
}

static enum wk_transport_sent
send_datagram(struct wk_transport *t, const struct iovec *parts, size_t n)
{
	struct fake *f = of(t);
	size_t all = total(parts, n);

	if (f->is_closed)
		return WK_TRANSPORT_CLOSED;
	if (f->datagram_max == 0)
		return WK_TRANSPORT_UNSUPPORTED;
	if (all > f->datagram_max)
		return WK_TRANSPORT_TOO_BIG;
	if (f->datagrams.len + all > f->datagram_room) {
		f->wants_datagram = true;
		return WK_TRANSPORT_BLOCKED;
	}
	append_datagram(&f->datagrams, parts, n);
	return WK_TRANSPORT_SENT;
}

static size_t
datagram_max(const struct wk_transport *t)
{
	return of_const(t)->datagram_max;
}

static void
close_connection(struct wk_transport *t, uint64_t code, const char *reason)
{
	struct fake *f = of(t);

	if (f->is_closed)
		return;
	f->is_closed = true;
	f->close_code = code;
	snprintf(f->close_reason, sizeof(f->close_reason), "%s", reason);
}

static void
stats(const struct wk_transport *t, struct wk_transport_stats *stats)
{
	*stats = (struct wk_transport_stats){ .version = 1,
		.smoothed_rtt_ns = of_const(t)->rtt_ns };
}

static const struct wk_transport_ops ops = {
	.open = open_stream,
	.write = write_parts,
	.room = room,
	.queued = queued,
	.finish = finish,
	.reset = reset,
	.stop = stop,
	.consume = consume,
	.send_datagram = send_datagram,
	.datagram_max = datagram_max,
	.close = close_connection,
	.stats = stats,
};

/* --- ends ----------------------------------------------------------------- */

void
fake_init(struct fake *f, bool is_server)
{
	memset(f, 0, sizeof(*f));
	f->base.ops = &ops;
	f->is_server = is_server;
	f->next_id[0] = is_server;
	f->next_id[1] = 2 + is_server;
	f->max_streams[0] = 100;
	f->max_streams[1] = 16;
	f->stream_window = 1 << 20;
	f->max_queued = 256 << 10;
	f->datagram_max = 1200;
	f->datagram_room = 1 << 20;
	wk_buf_init(&f->datagrams, SIZE_MAX);
	wk_buf_init(&f->heard, SIZE_MAX);
}

void
fake_join(struct fake *a, struct fake *b)
{
	a->peer = b;
	b->peer = a;
}

static void
drop_parcels(struct fake *f)
{
	struct fake_parcel *p;

	while ((p = f->first) != NULL) {
		f->first = p->next;
		free(p);
	}
	f->last = NULL;
}

void
fake_free(struct fake *f)
{
	struct fake_stream *s;

	while ((s = f->streams) != NULL) {
		f->streams = s->next;
		stream_free(s);
	}
	drop_parcels(f);
	wk_buf_free(&f->datagrams);
	wk_buf_free(&f->heard);
}

/* --- on the way ----------------------------------------------------------- */

static struct fake_parcel *
parcel(struct fake *from, enum parcel_kind kind, uint64_t id,
    const uint8_t *data, size_t len, uint64_t arrival_ns)
{
	struct fake_parcel *p = malloc(sizeof(*p) + len), **at;
	struct fake *to = from->peer;

	CHECK(p != NULL);
	*p = (struct fake_parcel){ .kind = kind, .id = id, .len = len,
		.arrival_ns = arrival_ns };
	if (len > 0)
		memcpy(p->data, data, len);
	if (to->last == NULL) {
		to->first = to->last = p;
	} else if (from->shuffle != 0 && to->last->id != id &&
	    (from->shuffle = from->shuffle * 1103515245u + 12345u) >> 31 &&
	    to->last->arrival_ns == arrival_ns) {
		/* It overtakes the one before it, which is another stream's. */
		for (at = &to->first; *at != to->last; at = &(*at)->next)
			;
		p->next = to->last;
		*at = p;
	} else {
		to->last->next = p;
		to->last = p;
	}
	return p;
}

static bool
send_stream(struct fake *f, struct fake_stream *s, size_t piece, uint64_t at)
{
	size_t n = left(s);
	bool is_last, has_moved = false;

	if (s->has_stop && !s->has_sent_stop) {
		s->has_sent_stop = has_moved = true;
		parcel(f, PARCEL_STOP, s->id, NULL, 0, at)->code = s->stop_code;
	}
	if (s->has_reset && !s->has_sent_reset) {
		s->has_sent_reset = has_moved = true;
		parcel(f, PARCEL_RESET, s->id, NULL, 0, at)->code =
		    s->reset_code;
	}
	if (s->has_reset || s->has_sent_fin)
		return has_moved;
	n = piece > 0 && piece < n ? piece : n;
	if (n > s->limit - s->n_sent)
		n = (size_t)(s->limit - s->n_sent);
	is_last = s->has_fin && n == left(s);
	if (n == 0 && !is_last)
		return has_moved;
	parcel(f, PARCEL_DATA, s->id, s->out.data == NULL ? NULL :
	    s->out.data + s->out_at, n, at)->is_last = is_last;
	s->out_at += n;
	s->n_sent += n;
	s->has_sent_fin = is_last;
	return true;
}

static bool
send_datagrams(struct fake *f, uint64_t at)
{
	size_t i, len;
	const uint8_t *d;

	for (i = 0; i < f->datagrams.len; i += 4 + len) {
		d = f->datagrams.data + i;
		len = (size_t)d[0] << 24 | (size_t)d[1] << 16 |
		    (size_t)d[2] << 8 | d[3];
		parcel(f, PARCEL_DATAGRAM, UINT64_MAX, d + 4, len, at);
	}
	wk_buf_clear(&f->datagrams);
	return i > 0;
}

bool
fake_send(struct fake *f, size_t piece, uint64_t now_ns, uint64_t delay_ns)
{
	uint64_t at = now_ns + delay_ns;
	bool has_moved = false;
	struct fake_stream *s;

	if (f->is_closed) {
		if (f->has_sent_close || f->peer == NULL)
			return false;
		f->has_sent_close = true;
		parcel(f, PARCEL_CLOSE, UINT64_MAX, NULL, 0, at)->code =
		    f->close_code;
		return true;
	}
	has_moved = send_datagrams(f, at);
	for (s = f->streams; s != NULL; s = s->next)
		has_moved |= send_stream(f, s, piece, at);
	return has_moved;
}

/* --- arrival -------------------------------------------------------------- */

/* The stream, with a new one when the peer has begun it. */
static struct fake_stream *
arrived_at(struct fake *f, uint64_t id)
{
	struct fake_stream *s = fake_stream(f, id);

	return s == NULL && !is_ours(f, id) ? stream_new(f, id) : s;
}

static void
data_arrived(struct fake *f, const struct fake_parcel *p)
{
	struct fake_stream *s = arrived_at(f, p->id);
	struct fake_stream *other = fake_stream(f->peer, p->id);

	if (p->is_last && other != NULL)
		other->is_out_over = true;
	if (s == NULL || s->is_in_over)
		return;
	f->n_passed += p->len;
	s->n_received += p->len;
	s->is_in_over = p->is_last;
	if (s->has_stop) {
		consume(&f->base, p->id, (size_t)(s->n_received -
		    s->n_consumed));
	} else if (f->base.handler != NULL) {
		f->base.handler->data(f->base.arg, p->id, p->data, p->len,
		    p->is_last);
	} else {
		wk_buf_append(&s->in, p->data, p->len);
		s->in_fin |= p->is_last;
		consume(&f->base, p->id, p->len);
	}
}

static void
reset_arrived(struct fake *f, const struct fake_parcel *p)
{
	struct fake_stream *s = arrived_at(f, p->id);
	struct fake_stream *other = fake_stream(f->peer, p->id);

	if (other != NULL)
		other->is_out_over = true;
	if (s == NULL || s->is_in_over)
		return;
	s->is_in_over = true;
	if (f->base.handler != NULL && !s->has_stop)
		f->base.handler->was_reset(f->base.arg, p->id, p->code);
	s->in_reset = true;
	s->in_reset_code = p->code;
}

static void
stop_arrived(struct fake *f, const struct fake_parcel *p)
{
	struct fake_stream *s = arrived_at(f, p->id);

	if (s == NULL || s->is_out_over)
		return;
	s->in_stop = true;
	s->in_stop_code = p->code;
	if (s->has_reset)
		return;
	reset_stream(s, p->code);
	if (f->base.handler != NULL)
		f->base.handler->was_stopped(f->base.arg, p->id, p->code);
}

static void
datagram_arrived(struct fake *f, const struct fake_parcel *p)
{
	const struct iovec part = { (void *)(uintptr_t)p->data, p->len };

	if (f->base.handler != NULL)
		f->base.handler->datagram(f->base.arg, p->data, p->len);
	else
		append_datagram(&f->heard, &part, 1);
}

static void
close_arrived(struct fake *f, const struct fake_parcel *p)
{
	if (f->is_closed)
		return;
	f->is_closed = f->has_sent_close = true;
	f->was_closed = true;
	f->was_closed_code = p->code;
	if (f->base.handler != NULL)
		f->base.handler->closed(f->base.arg, true, p->code,
		    p->code == 0x100, "the peer closed the connection");
}

static void
arrive(struct fake *f, const struct fake_parcel *p)
{
	switch (p->kind) {
	case PARCEL_DATA:
		data_arrived(f, p);
		break;
	case PARCEL_RESET:
		reset_arrived(f, p);
		break;
	case PARCEL_STOP:
		stop_arrived(f, p);
		break;
	case PARCEL_DATAGRAM:
		datagram_arrived(f, p);
		break;
	case PARCEL_CLOSE:
		close_arrived(f, p);
		break;
	}
}

/* What follows from what arrived, at this end. */
static bool
look(struct fake *f)
{
	struct fake_stream **at = &f->streams, *s;
	bool has_told = false;
	int i;

	while ((s = *at) != NULL && !f->is_closed) {
		if (s->wants_writable && room(&f->base, s->id) >
		    f->max_queued / 2) {
			s->wants_writable = false;
			has_told = true;
			if (f->base.handler != NULL)
				f->base.handler->writable(f->base.arg, s->id);
		}
		if (!s->is_in_over || !s->is_out_over || s->is_gone) {
			at = &s->next;
			continue;
		}
		s->is_gone = has_told = true;
		if (is_ours(f, s->id))
			f->n_open[wk_transport_is_uni(s->id)]--;
		f->n_retired++;
		if (f->base.handler == NULL) {
			at = &s->next;	/* the test will look at it */
			continue;
		}
		f->base.handler->gone(f->base.arg, s->id);
		*at = s->next;
		stream_free(s);
	}
	for (i = 0; i < 2 && !f->is_closed; i++)
		if (f->wants_open[i] && f->n_open[i] < f->max_streams[i]) {
			f->wants_open[i] = false;
			has_told = true;
			if (f->base.handler != NULL)
				f->base.handler->streams_free(f->base.arg,
				    i == 1);
		}
	if (f->wants_datagram && f->datagrams.len < f->datagram_room / 2 &&
	    !f->is_closed) {
		f->wants_datagram = false;
		has_told = true;
		if (f->base.handler != NULL)
			f->base.handler->datagram_writable(f->base.arg);
	}
	return has_told;
}

/* A session may have been deleted by what it was told. */
static void
leave(struct fake *f, const struct wk_transport_handler *handler, void *arg)
{
	if (handler != NULL) {
		CHECK(f->base.handler == handler && f->base.arg == arg);
		handler->leave(arg);
	}
}

bool
fake_receive(struct fake *f, uint64_t now_ns)
{
	const struct wk_transport_handler *handler = f->base.handler;
	void *arg = f->base.arg;
	struct fake_parcel *p;
	bool has_moved = false;

	if (handler != NULL)
		handler->enter(arg, now_ns);
	while ((p = f->first) != NULL && p->arrival_ns <= now_ns) {
		f->first = p->next;
		if (f->first == NULL)
			f->last = NULL;
		if (!f->is_closed || p->kind == PARCEL_CLOSE)
			arrive(f, p);
		free(p);
		has_moved = true;
	}
	has_moved |= look(f);
	leave(f, handler, arg);
	return has_moved;
}

uint64_t
fake_arrival_ns(const struct fake *f, uint64_t now_ns)
{
	return f->first != NULL && f->first->arrival_ns > now_ns ?
	    f->first->arrival_ns : UINT64_MAX;
}

void
fake_cut(struct fake *f, uint64_t now_ns)
{
	const struct wk_transport_handler *handler = f->base.handler;
	void *arg = f->base.arg;

	drop_parcels(f);
	if (f->is_closed)
		return;
	f->is_closed = f->has_sent_close = true;
	if (handler == NULL)
		return;
	handler->enter(arg, now_ns);
	handler->closed(arg, false, 0, false, "the connection timed out");
	leave(f, handler, arg);
}
