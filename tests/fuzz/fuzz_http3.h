/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/3 session whose peer is a script, over a transport of queues, under
 * an owner of whims.
 *
 * Input: one octet for the size of pieces (low five bits, 0: all at once),
 * whether the peer begins with SETTINGS (bit 5), and whether what the session
 * says is fetched rarely (bit 6); one that seeds the owner's choices; then
 * steps, each with one octet for what (low four bits) and how, and what it
 * needs behind it.
 */
#pragma once

#include "common/net/http3_session.h"
#include "common/wire/h3frame.h"
#include "tests/fuzz/whims.h"
#include "tests/unit/fake_transport.h"

enum step {
	STEP_DATA,		/* stream id, length, octets; 0x10: FIN */
	STEP_FRAME,		/* the same in a frame: its type goes first */
	STEP_RESET,		/* stream id, code */
	STEP_STOP,		/* stream id, code */
	STEP_DATAGRAM,		/* length, octets */
	STEP_CLOSE,		/* code */
	STEP_CUT,
	STEP_TIME,
};

struct script {
	const uint8_t *at;
	size_t len;
};

struct ends {
	struct owner o;
	struct fake ours, theirs;
	size_t piece;
	bool is_slow;
};

static uint8_t
next(struct script *s)
{
	if (s->len == 0)
		return 0;
	s->len--;
	return *s->at++;
}

static const uint8_t *
next_octets(struct script *s, size_t *len)
{
	const uint8_t *at = s->at;

	if (*len > s->len)
		*len = s->len;
	s->at += *len;
	s->len -= *len;
	return at;
}

/* The peer's stream of that id, with all before it; false: not allowed. */
static bool
reach(struct fake *f, uint64_t id)
{
	uint64_t opened;

	if (wk_transport_is_by_server(id) != f->is_server)
		return fake_stream(f, id) != NULL;
	while (f->next_id[wk_transport_is_uni(id)] <= id)
		if (f->base.ops->open(&f->base, wk_transport_is_uni(id),
		    &opened) != WK_OK)
			return false;
	return true;
}

static void
put(struct fake *f, uint64_t id, const void *octets, size_t len)
{
	const struct iovec part = { (void *)(uintptr_t)octets, len };

	if (len > 0)
		f->base.ops->write(&f->base, id, &part, 1);
}

static void
step_octets(struct ends *e, struct script *s, uint8_t what)
{
	struct wk_h3frame frame = { .type = 0 };
	uint8_t header[WK_H3FRAME_HEADER_MAX];
	struct fake *f = &e->theirs;
	const uint8_t *octets;
	uint64_t id = next(s);
	size_t len;

	if ((what & 0x0f) == STEP_FRAME)
		frame.type = next(s);
	len = next(s);
	octets = next_octets(s, &len);
	if (!reach(f, id))
		return;
	frame.length = len;
	if ((what & 0x0f) == STEP_FRAME)
		put(f, id, header, wk_h3frame_header(header, &frame));
	put(f, id, octets, len);
	if ((what & 0x10) != 0)
		f->base.ops->finish(&f->base, id);
}

static void
step_code(struct ends *e, struct script *s, uint8_t what)
{
	struct fake *f = &e->theirs;
	uint64_t id = next(s), code = 0x100u + next(s);

	if (!reach(f, id))
		return;
	if ((what & 0x0f) == STEP_RESET)
		f->base.ops->reset(&f->base, id, code);
	else
		f->base.ops->stop(&f->base, id, code);
}

static void
step_datagram(struct ends *e, struct script *s)
{
	struct fake *f = &e->theirs;
	size_t len = next(s);
	struct iovec part;

	part.iov_base = (void *)(uintptr_t)next_octets(s, &len);
	part.iov_len = len;
	f->base.ops->send_datagram(&f->base, &part, 1);
}

static void
step(struct ends *e, struct script *s)
{
	uint8_t what = next(s);

	switch (what & 0x0f) {
	case STEP_DATA:
	case STEP_FRAME:
		step_octets(e, s, what);
		break;
	case STEP_RESET:
	case STEP_STOP:
		step_code(e, s, what);
		break;
	case STEP_DATAGRAM:
		step_datagram(e, s);
		break;
	case STEP_CLOSE:
		e->theirs.base.ops->close(&e->theirs.base,
		    0x100u + next(s), "");
		break;
	case STEP_CUT:
		fake_cut(&e->ours, e->o.now_ns);
		break;
	default:
		break;
	}
}

/* What was written goes over, in both directions. */
static void
exchange(struct ends *e)
{
	unsigned n = 0;
	bool has_moved;

	do {
		has_moved = fake_send(&e->theirs, e->piece, e->o.now_ns, 0);
		has_moved |= fake_receive(&e->ours, e->o.now_ns);
		act(&e->o);
		if (e->is_slow && choose(&e->o, 8) != 0)
			continue;
		has_moved |= fake_send(&e->ours, e->piece, e->o.now_ns, 0);
		has_moved |= fake_receive(&e->theirs, e->o.now_ns);
	} while (has_moved && n++ < 3000 && !e->o.is_deleted);
}

/* Whatever was finished holds whole frames. */
static void
check_sent(const struct ends *e)
{
	const struct fake_stream *s;
	struct wk_h3frame_reader r;
	struct wk_h3frame f;
	const uint8_t *in;
	size_t left;

	for (s = e->theirs.streams; s != NULL; s = s->next) {
		if (wk_transport_is_uni(s->id)) {
			CHECK(!s->in_fin && !s->in_reset);
			continue;
		}
		wk_h3frame_reader_init(&r);
		in = s->in.data;
		left = s->in.len;
		while (wk_h3frame_read(&r, &in, &left, &f) != WK_H3FRAME_MORE)
			CHECK(f.type <= 1);
		CHECK(!s->in_fin || wk_h3frame_reader_finish(&r, NULL) ==
		    WK_OK);
	}
}

static void
ends_init(struct ends *e, bool is_server, uint8_t how, uint8_t seed)
{
	struct owner *o = &e->o;

	owner_init(o, is_server, seed);
	fake_init(&e->ours, is_server);
	fake_init(&e->theirs, !is_server);
	fake_join(&e->ours, &e->theirs);
	e->ours.stream_window = o->limits.window;
	e->ours.max_queued = seed % 3 == 0 ? 700 : 6000;
	e->ours.datagram_max = seed % 5 == 0 ? 0 : 1200;
	e->ours.datagram_room = 3000;
	e->ours.shuffle = e->theirs.shuffle = seed;
	e->theirs.max_streams[0] = o->limits.max_streams + seed % 2;
	e->theirs.max_queued = SIZE_MAX / 2;
	o->limits.has_no_datagrams = seed % 7 == 0;
	e->piece = how & 0x1f;
	e->is_slow = (how & 0x40) != 0;
	o->session = wk_http3_session_new(is_server, &o->limits,
	    &session_handler, o, &e->ours.base, o->now_ns);
	CHECK(o->session != NULL);
	if ((how & 0x20) != 0 && reach(&e->theirs, is_server ? 2 : 3))
		put(&e->theirs, is_server ? 2 : 3, "\0\4\4\10\1\63\1", 7);
	request_one(o);
	request_one(o);
}

static void
run(bool is_server, const uint8_t *data, size_t size)
{
	static struct ends e;
	struct script s;
	size_t i;

	if (size < 2)
		return;
	memset(&e, 0, sizeof(e));
	ends_init(&e, is_server, data[0], data[1]);
	s = (struct script){ data + 2, size - 2 };
	exchange(&e);
	while (s.len > 0 && !e.o.is_deleted) {
		step(&e, &s);
		exchange(&e);
		if (!e.o.is_deleted)
			pass_time(&e.o);
	}
	e.is_slow = false;
	if (!e.o.is_deleted)
		exchange(&e);
	check_sent(&e);
	if (!e.o.is_deleted) {
		e.o.is_deleted = true;
		wk_session_del(e.o.session);
	}
	CHECK(e.ours.base.handler == NULL);
	/* Whatever happened, closed came. */
	for (i = 0; i < e.o.n_exchanges; i++)
		CHECK(e.o.exchanges[i].is_closed);
	fake_free(&e.ours);
	fake_free(&e.theirs);
}
