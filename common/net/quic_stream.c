/* SPDX-License-Identifier: MIT */
/*
 * What is written to streams stays in blocks, unmoved, until the peer has
 * acknowledged it: ngtcp2 sends again from where it was. Streams with
 * something to send stand in a ring and take turns.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define FIRST_BUCKETS 16
/* Sent on all streams, and not acknowledged: a bound for what a peer can make */
/* us keep that acknowledges nothing, or promises too much. */
#define UNACKED_MAX (16 << 20)

/* --- the set of streams --------------------------------------------------- */

void
quic_streams_init(struct quic_streams *streams)
{
	TAILQ_INIT(&streams->ready);
	TAILQ_INIT(&streams->waiting);
}

static struct quic_stream **
bucket_of(const struct quic_streams *streams, uint64_t id)
{
	/* The peer's ids are consecutive, within its limit. */
	return &streams->buckets[(id ^ id >> 2) & (streams->n_buckets - 1)];
}

struct quic_stream *
quic_stream_find(const struct wk_quic *q, uint64_t id)
{
	struct quic_stream *s;

	if (q->streams.n == 0)
		return NULL;
	s = *bucket_of(&q->streams, id);
	while (s != NULL && s->id != id)
		s = s->chain;
	return s;
}

static void
grow(struct quic_streams *streams)
{
	struct quic_streams wider = { .n_buckets = streams->n_buckets * 2 };
	struct quic_stream *s, **bucket;
	size_t i;

	if (wider.n_buckets == 0)
		wider.n_buckets = FIRST_BUCKETS;
	wider.buckets = calloc(wider.n_buckets, sizeof(*wider.buckets));
	if (wider.buckets == NULL)
		return;
	for (i = 0; i < streams->n_buckets; i++)
		while ((s = streams->buckets[i]) != NULL) {
			streams->buckets[i] = s->chain;
			bucket = bucket_of(&wider, s->id);
			s->chain = *bucket;
			*bucket = s;
		}
	free(streams->buckets);
	streams->buckets = wider.buckets;
	streams->n_buckets = wider.n_buckets;
}

struct quic_stream *
quic_stream_new(struct wk_quic *q, uint64_t id)
{
	struct quic_streams *streams = &q->streams;
	struct quic_stream *s, **bucket;

	if (streams->n >= streams->n_buckets)
		grow(streams);
	if (streams->n_buckets == 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->id = id;
	s->is_write_over = wk_transport_is_uni(id) &&
	    wk_transport_is_by_server(id) != q->is_server;
	bucket = bucket_of(streams, id);
	s->chain = *bucket;
	*bucket = s;
	streams->n++;
	return s;
}

/* --- blocks --------------------------------------------------------------- */

static struct quic_block *
block_new(struct quic_blocks *blocks)
{
	struct quic_block *block = blocks->free;

	if (block == NULL) {
		block = malloc(sizeof(*block));
	} else {
		blocks->free = block->next;
		blocks->n--;
	}
	if (block != NULL) {
		block->next = NULL;
		block->len = 0;
	}
	return block;
}

static void
block_del(struct quic_blocks *blocks, struct quic_block *block)
{
	if (blocks->n >= QUIC_BLOCKS_KEPT) {
		free(block);
		return;
	}
	block->next = blocks->free;
	blocks->free = block;
	blocks->n++;
}

void
quic_blocks_free(struct quic_blocks *blocks)
{
	struct quic_block *block;

	while ((block = blocks->free) != NULL) {
		blocks->free = block->next;
		free(block);
	}
	blocks->n = 0;
}

static void
drop_blocks(struct wk_quic *q, struct quic_block *block)
{
	struct quic_block *next;

	for (; block != NULL; block = next) {
		next = block->next;
		block_del(&q->endpoint->blocks, block);
	}
}

static void
set_ready(struct wk_quic *q, struct quic_stream *s, bool is_ready)
{
	if (s->is_ready == is_ready)
		return;
	s->is_ready = is_ready;
	if (is_ready)
		TAILQ_INSERT_TAIL(&q->streams.ready, s, ready);
	else
		TAILQ_REMOVE(&q->streams.ready, s, ready);
}

static void
set_waiting(struct wk_quic *q, struct quic_stream *s, bool is_waiting)
{
	if (s->is_waiting == is_waiting)
		return;
	s->is_waiting = is_waiting;
	if (is_waiting)
		TAILQ_INSERT_TAIL(&q->streams.waiting, s, waiting);
	else
		TAILQ_REMOVE(&q->streams.waiting, s, waiting);
}

void
quic_stream_del(struct wk_quic *q, struct quic_stream *s)
{
	struct quic_stream **at = bucket_of(&q->streams, s->id);

	while (*at != s)
		at = &(*at)->chain;
	*at = s->chain;
	q->streams.n--;
	q->streams.unacked -= s->unacked;
	set_ready(q, s, false);
	set_waiting(q, s, false);
	drop_blocks(q, s->first);
	free(s);
}

void
quic_streams_free(struct wk_quic *q)
{
	size_t i;

	for (i = 0; i < q->streams.n_buckets; i++)
		while (q->streams.buckets[i] != NULL)
			quic_stream_del(q, q->streams.buckets[i]);
	free(q->streams.buckets);
	q->streams.buckets = NULL;
	q->streams.n_buckets = 0;
}

/* --- queueing ------------------------------------------------------------- */

static void
look_whether_ready(struct wk_quic *q, struct quic_stream *s)
{
	set_ready(q, s, !s->is_write_over && !s->is_blocked &&
	    (s->unsent > 0 || (s->has_finished && !s->has_sent_end)));
}

static bool
can_write(const struct wk_quic *q, const struct quic_stream *s)
{
	return quic_is_alive(q) && s != NULL && !s->has_finished &&
	    !s->is_write_over;
}

static size_t
room_of(const struct wk_quic *q, const struct quic_stream *s)
{
	size_t max = q->endpoint->options.max_queued;

	return s->unsent < max ? max - s->unsent : 0;
}

/* How much of it was taken. */
static size_t
append(struct wk_quic *q, struct quic_stream *s, const uint8_t *data,
    size_t len)
{
	struct quic_block *block;
	size_t taken = 0, n;

	while (taken < len) {
		block = s->last;
		if (block == NULL || block->len == QUIC_BLOCK_OCTETS) {
			block = block_new(&q->endpoint->blocks);
			if (block == NULL)
				break;
			if (s->last == NULL)
				s->first = block;
			else
				s->last->next = block;
			s->last = block;
		}
		if (s->next == NULL) {
			s->next = block;
			s->next_at = block->len;
		}
		n = QUIC_BLOCK_OCTETS - block->len;
		n = n < len - taken ? n : len - taken;
		memcpy(block->data + block->len, data + taken, n);
		block->len += n;
		taken += n;
	}
	s->unsent += taken;
	return taken;
}

ssize_t
quic_stream_write(struct wk_transport *t, uint64_t id,
    const struct iovec *parts, size_t n_parts)
{
	struct wk_quic *q = quic_of(t);
	struct quic_stream *s = quic_stream_find(q, id);
	size_t i, n, room, sum = 0;
	bool is_short = false;

	if (!can_write(q, s))
		return WK_E_INVALID;
	room = room_of(q, s);
	for (i = 0; i < n_parts && !is_short; i++) {
		n = parts[i].iov_len < room ? parts[i].iov_len : room;
		is_short = n < parts[i].iov_len;
		if (append(q, s, parts[i].iov_base, n) < n)
			return WK_E_NOMEM;
		room -= n;
		sum += n;
	}
	if (is_short)
		set_waiting(q, s, true);
	look_whether_ready(q, s);
	quic_wake(q);
	return (ssize_t)sum;
}

size_t
quic_stream_room(const struct wk_transport *t, uint64_t id)
{
	const struct wk_quic *q = quic_of(t);
	const struct quic_stream *s = quic_stream_find(q, id);

	return can_write(q, s) ? room_of(q, s) : 0;
}

size_t
quic_stream_queued(const struct wk_transport *t, uint64_t id)
{
	const struct quic_stream *s = quic_stream_find(quic_of(t), id);

	return s == NULL ? 0 : s->unsent;
}

void
quic_stream_finish(struct wk_transport *t, uint64_t id)
{
	struct wk_quic *q = quic_of(t);
	struct quic_stream *s = quic_stream_find(q, id);

	if (!can_write(q, s))
		return;
	s->has_finished = true;
	set_waiting(q, s, false);
	look_whether_ready(q, s);
	quic_wake(q);
}

void
quic_streams_tell(struct wk_quic *q)
{
	size_t max = q->endpoint->options.max_queued, room, n = 0;
	const struct wk_transport_handler *handler;
	struct quic_stream *s;

	/* Each that waits now once; who waits again stands behind. */
	for (s = TAILQ_FIRST(&q->streams.waiting); s != NULL;
	    s = TAILQ_NEXT(s, waiting))
		n++;
	while (n-- > 0 && (s = TAILQ_FIRST(&q->streams.waiting)) != NULL) {
		handler = quic_session(q);
		if (handler == NULL || !quic_is_alive(q))
			return;
		set_waiting(q, s, false);
		room = room_of(q, s);
		if (room > max / 2 || room == max)
			handler->writable(q->transport.arg, s->id);
		else
			set_waiting(q, s, true);
	}
}

/* --- sending -------------------------------------------------------------- */

struct quic_stream *
quic_stream_next(struct wk_quic *q)
{
	struct quic_stream *s = TAILQ_FIRST(&q->streams.ready);

	/* Without credit of the connection FIN alone still goes. */
	if (s != NULL && s->unsent > 0 && (q->streams.unacked >= UNACKED_MAX ||
	    ngtcp2_conn_get_max_data_left(q->conn) == 0))
		while (s != NULL && s->unsent > 0)
			s = TAILQ_NEXT(s, ready);
	return s;
}

size_t
quic_stream_unsent(const struct quic_stream *s, ngtcp2_vec *parts, size_t max,
    size_t octets, bool *is_last)
{
	const struct quic_block *block = s->next;
	size_t at = s->next_at, n, i = 0, sum = 0;

	for (; i < max && block != NULL && sum < octets;
	    block = block->next, at = 0) {
		n = block->len - at;
		if (n == 0)
			continue;
		parts[i].base = (uint8_t *)wk_unconst(block->data) + at;
		parts[i].len = n;
		sum += n;
		i++;
	}
	*is_last = s->has_finished && sum == s->unsent;
	return i;
}

void
quic_stream_sent(struct wk_quic *q, struct quic_stream *s, size_t octets,
    bool is_last)
{
	size_t n, left = octets;

	s->unsent -= octets;
	s->unacked += octets;
	q->streams.unacked += octets;
	while (left > 0) {
		n = s->next->len - s->next_at;
		n = n < left ? n : left;
		s->next_at += n;
		left -= n;
		if (s->next_at == s->next->len && s->next->next != NULL) {
			s->next = s->next->next;
			s->next_at = 0;
		}
	}
	if (is_last && s->unsent == 0)
		s->has_sent_end = true;
	set_ready(q, s, false);
	look_whether_ready(q, s);
}

void
quic_stream_blocked(struct wk_quic *q, struct quic_stream *s)
{
	s->is_blocked = true;
	look_whether_ready(q, s);
}

void
quic_stream_unblocked(struct wk_quic *q, struct quic_stream *s)
{
	s->is_blocked = false;
	look_whether_ready(q, s);
}

void
quic_stream_acked(struct wk_quic *q, struct quic_stream *s, uint64_t octets)
{
	struct quic_block *block;
	size_t n;

	if (octets > s->unacked)
		octets = s->unacked;
	s->unacked -= (size_t)octets;
	q->streams.unacked -= (size_t)octets;
	while (octets > 0) {
		block = s->first;
		n = block->len - s->first_at;
		n = n < octets ? n : (size_t)octets;
		s->first_at += n;
		octets -= n;
		if (s->first_at < block->len)
			continue;
		s->first = block->next;
		s->first_at = 0;
		if (s->next == block) {
			s->next = s->first;
			s->next_at = 0;
		}
		if (s->last == block)
			s->last = NULL;
		block_del(&q->endpoint->blocks, block);
	}
}

/*
 * What was never sent can go at once; the rest may still be looked at by
 * ngtcp2 until the stream is gone.
 */
void
quic_stream_end_writing(struct wk_quic *q, struct quic_stream *s)
{
	s->is_write_over = true;
	if (s->next != NULL) {
		drop_blocks(q, s->next->next);
		s->next->next = NULL;
		s->next->len = s->next_at;
		s->last = s->next;
	}
	s->unsent = 0;
	set_ready(q, s, false);
	set_waiting(q, s, false);
}

/* --- the other verbs ------------------------------------------------------ */

int
quic_stream_open(struct wk_transport *t, bool is_uni, uint64_t *id)
{
	struct wk_quic *q = quic_of(t);
	int64_t stream_id;
	int rc;

	if (!quic_is_alive(q))
		return WK_E_INVALID;
	rc = is_uni ?
	    ngtcp2_conn_open_uni_stream(q->conn, &stream_id, NULL) :
	    ngtcp2_conn_open_bidi_stream(q->conn, &stream_id, NULL);
	if (rc == NGTCP2_ERR_STREAM_ID_BLOCKED) {
		q->wants_streams[is_uni] = true;
		return WK_E_LIMIT;
	}
	if (rc != 0)
		return rc == NGTCP2_ERR_NOMEM ? WK_E_NOMEM : WK_E_INVALID;
	if (quic_stream_new(q, (uint64_t)stream_id) == NULL) {
		(void)quic_shutdown_write(q->conn, stream_id, 0);
		quic_fail_library(q, NGTCP2_ERR_NOMEM);
		return WK_E_NOMEM;
	}
	*id = (uint64_t)stream_id;
	return WK_OK;
}

void
quic_stream_reset(struct wk_transport *t, uint64_t id, uint64_t code)
{
	struct wk_quic *q = quic_of(t);
	struct quic_stream *s = quic_stream_find(q, id);

	if (!quic_is_alive(q) || s == NULL || s->is_write_over)
		return;
	quic_stream_end_writing(q, s);
	(void)quic_shutdown_write(q->conn, (int64_t)id, code);
	quic_wake(q);
}

void
quic_stream_stop(struct wk_transport *t, uint64_t id, uint64_t code)
{
	struct wk_quic *q = quic_of(t);
	struct quic_stream *s = quic_stream_find(q, id);

	if (!quic_is_alive(q) || s == NULL || s->is_stopped ||
	    (wk_transport_is_uni(id) &&
	    wk_transport_is_by_server(id) == q->is_server))
		return;
	s->is_stopped = true;
	(void)quic_shutdown_read(q->conn, (int64_t)id, code);
	ngtcp2_conn_extend_max_offset(q->conn, s->unconsumed);
	s->unconsumed = 0;
	quic_wake(q);
}

void
quic_stream_consume(struct wk_transport *t, uint64_t id, size_t octets)
{
	struct wk_quic *q = quic_of(t);
	struct quic_stream *s = quic_stream_find(q, id);

	if (!quic_is_alive(q) || s == NULL || s->is_stopped)
		return;
	if (octets > s->unconsumed)
		octets = (size_t)s->unconsumed;
	if (octets == 0)
		return;
	s->unconsumed -= octets;
	(void)ngtcp2_conn_extend_max_stream_offset(q->conn, (int64_t)id,
	    octets);
	ngtcp2_conn_extend_max_offset(q->conn, octets);
	quic_wake(q);
}

/* --- being stopped -------------------------------------------------------- */

void
quic_stream_note_stop(struct wk_quic *q, uint64_t id, uint64_t code)
{
	struct wk_quic_endpoint *e = q->endpoint;

	if (e->n_stops < QUIC_STOPS_MAX)
		e->stops[e->n_stops++] = (struct quic_stop){ id, code };
}

void
quic_streams_tell_stops(struct wk_quic *q)
{
	const struct wk_transport_handler *handler;
	struct wk_quic_endpoint *e = q->endpoint;
	struct quic_stream *s;
	size_t i;

	for (i = 0; i < e->n_stops && quic_is_alive(q); i++) {
		s = quic_stream_find(q, e->stops[i].id);
		if (s == NULL || s->is_write_over)
			continue;
		quic_stream_end_writing(q, s);
		handler = quic_session(q);
		if (handler != NULL)
			handler->was_stopped(q->transport.arg, s->id,
			    e->stops[i].code);
	}
	e->n_stops = 0;
}
