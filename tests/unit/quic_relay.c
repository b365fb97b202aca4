/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/quic_relay.h"

#include <errno.h>
#include <sys/socket.h>

static bool
happens(struct relay *r)
{
	r->seed = r->seed * 1664525 + 1013904223;
	return (r->seed >> 8) % 100 < r->percent;
}

static void
pass(struct relay_side *out, const uint8_t *data, size_t len)
{
	(void)sendto(out->io.fd, data, len, 0,
	    (const struct sockaddr *)&out->peer.sa, out->peer.len);
}

static void
let_go(struct relay_side *out)
{
	wk_timer_set(&out->timer, WK_NEVER);
	if (out->held_len > 0)
		pass(out, out->held, out->held_len);
	out->held_len = 0;
}

static void
on_late(struct wk_timer *timer)
{
	let_go(timer->arg);
}

static void
forward(struct relay *r, struct relay_side *out, const uint8_t *data,
    size_t len)
{
	if (happens(r)) {
		r->n_big_dropped += len > 1000 && len < 1200;
		return;
	}
	if (out->held_len == 0 && happens(r)) {
		memcpy(out->held, data, len);
		out->held_len = len;
		wk_timer_set(&out->timer,
		    wk_clock_now_ns() + WK_NS_PER_SEC / 200);
		return;
	}
	pass(out, data, len);
	if (happens(r))
		pass(out, data, len);
	let_go(out);
}

static void
on_readable(struct wk_io *io, unsigned events)
{
	struct relay_side *in = io->arg;
	struct relay *r = in->relay;
	bool is_client = in == &r->client;
	struct wk_address from = { .len = sizeof(from.sa) };
	uint8_t data[2048];
	ssize_t n;

	(void)events;
	while ((n = recvfrom(io->fd, data, sizeof(data), MSG_DONTWAIT,
	    (struct sockaddr *)&from.sa, &from.len)) >= 0) {
		if (is_client)
			in->peer = from;
		*(is_client ? &r->from_client : &r->from_server) += (size_t)n;
		*(is_client ? &r->n_from_client : &r->n_from_server) += 1;
		if (!r->is_cut && !(is_client && r->is_deaf))
			forward(r, is_client ? &r->server : &r->client, data,
			    (size_t)n);
		from.len = sizeof(from.sa);
	}
}

static void
open_side(struct relay *r, struct relay_side *side, struct wk_address *bound)
{
	struct wk_address any;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(wk_address_from_ip(&any, wk_str_of("127.0.0.1"), 0),
	    WK_OK);
	assert_int_equal(bind(fd, (struct sockaddr *)&any.sa, any.len), 0);
	if (bound != NULL) {
		bound->len = sizeof(bound->sa);
		assert_int_equal(getsockname(fd,
		    (struct sockaddr *)&bound->sa, &bound->len), 0);
	}
	side->relay = r;
	wk_io_init(&side->io, r->loop, fd, on_readable, side);
	wk_io_watch(&side->io, WK_IO_READ);
	wk_timer_init(&side->timer, r->loop, on_late, side);
}

void
relay_init(struct relay *r, struct ends *e, unsigned percent, uint32_t seed)
{
	memset(r, 0, sizeof(*r));
	r->loop = e->loop;
	r->percent = percent;
	r->seed = seed;
	open_side(r, &r->client, &r->address);
	open_side(r, &r->server, NULL);
	r->server.peer = e->address;
}

static void
close_side(struct relay_side *side)
{
	wk_io_watch(&side->io, 0);
	wk_timer_set(&side->timer, WK_NEVER);
	close(side->io.fd);
}

void
relay_rebind(struct relay *r)
{
	close_side(&r->server);
	r->server.held_len = 0;
	open_side(r, &r->server, NULL);
}

void
relay_free(struct relay *r)
{
	close_side(&r->client);
	close_side(&r->server);
}
