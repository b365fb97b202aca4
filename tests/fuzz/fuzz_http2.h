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

#include "common/net/http2_session.h"
#include "tests/fuzz/whims.h"

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
begin(struct owner *o, bool is_server, uint32_t seed)
{
	owner_init(o, is_server, seed);
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
