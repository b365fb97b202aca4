/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/quic_ends.h"

#define PATIENCE_NS (60 * WK_NS_PER_SEC)

struct wk_tls_credentials *quic_server_credentials;
static struct wk_tls_credentials *client_credentials;
static const char *const alpn[] = { "test", NULL };

void
ends_happened(struct ends *e)
{
	wk_loop_stop(e->loop);
}

struct flow *
end_flow(struct end *end, uint64_t id)
{
	size_t i;

	for (i = 0; i < end->n_flows; i++)
		if (end->flows[i].id == id)
			return &end->flows[i];
	assert_true(end->n_flows < N_FLOWS);
	end->flows[end->n_flows].id = id;
	return &end->flows[end->n_flows++];
}

static uint8_t
octet(uint64_t id, uint64_t offset)
{
	return (uint8_t)(offset + offset / 251 + id * 7);
}

void
end_push(struct end *end, struct flow *f)
{
	uint8_t piece[5000];
	struct iovec parts[2];
	uint64_t n, i;
	ssize_t taken;

	while (f->sent < f->to_send) {
		n = f->to_send - f->sent;
		n = n < sizeof(piece) ? n : sizeof(piece);
		for (i = 0; i < n; i++)
			piece[i] = octet(f->id, f->sent + i);
		parts[0] = (struct iovec){ piece, n / 3 };
		parts[1] = (struct iovec){ piece + n / 3, n - n / 3 };
		taken = end->t->ops->write(end->t, f->id, parts, 2);
		if (taken < 0)
			return;
		f->sent += (uint64_t)taken;
		if ((uint64_t)taken < n)
			return;
	}
	if (f->finishes)
		end->t->ops->finish(end->t, f->id);
}

struct flow *
end_open(struct end *end, bool is_uni, uint64_t octets, bool finishes)
{
	struct flow *f;
	uint64_t id;

	assert_int_equal(end->t->ops->open(end->t, is_uni, &id), WK_OK);
	assert_int_equal(wk_transport_is_uni(id), is_uni);
	assert_int_equal(wk_transport_is_by_server(id), end->is_server);
	f = end_flow(end, id);
	f->to_send = octets;
	f->finishes = finishes;
	end_push(end, f);
	return f;
}

enum wk_transport_sent
end_datagram(struct end *end, size_t len)
{
	uint8_t data[65536];
	struct iovec parts[2] = { { data, len / 2 },
	    { data + len / 2, len - len / 2 } };
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = octet(len, i);
	return end->t->ops->send_datagram(end->t, parts, 2);
}

/* --- the session ---------------------------------------------------------- */

static void
on_enter(void *arg, uint64_t now_ns)
{
	struct end *end = arg;

	end->is_wrong |= now_ns == 0;
	end->depth++;
	end->is_wrong |= end->depth != 1;
}

static void
on_leave(void *arg)
{
	struct end *end = arg;
	void (*act)(struct end *) = end->at_leave;

	end->is_wrong |= end->depth != 1;
	end->depth--;
	end->n_leaves++;
	end->at_leave = NULL;
	if (act != NULL)
		act(end);
}

static void
on_data(void *arg, uint64_t id, const uint8_t *data, size_t len, bool is_last)
{
	struct end *end = arg;
	struct flow *f = end_flow(end, id);
	void (*act)(struct end *, uint64_t) = end->at_data;
	size_t i;

	end->is_wrong |= end->depth != 1 || f->n_ends > 0 || f->n_gone > 0;
	for (i = 0; i < len; i++)
		end->is_wrong |= data[i] != octet(id, f->received + i);
	f->received += len;
	f->n_data++;
	f->n_ends += is_last;
	if (end->keeps)
		f->kept += len;
	else
		end->t->ops->consume(end->t, id, len);
	if (end->echoes && !wk_transport_is_uni(id)) {
		f->to_send += len;
		f->finishes |= is_last;
		end_push(end, f);
	}
	end->at_data = NULL;
	if (act != NULL)
		act(end, id);
	ends_happened(end->ends);
}

static void
on_was_reset(void *arg, uint64_t id, uint64_t code)
{
	struct end *end = arg;
	struct flow *f = end_flow(end, id);

	end->is_wrong |= end->depth != 1 || f->n_gone > 0;
	f->n_resets++;
	f->reset_code = code;
	ends_happened(end->ends);
}

static void
on_was_stopped(void *arg, uint64_t id, uint64_t code)
{
	struct end *end = arg;
	struct flow *f = end_flow(end, id);

	end->is_wrong |= end->depth != 1 || f->n_gone > 0;
	f->n_stops++;
	f->stop_code = code;
	ends_happened(end->ends);
}

static void
on_writable(void *arg, uint64_t id)
{
	struct end *end = arg;
	struct flow *f = end_flow(end, id);

	end->is_wrong |= end->depth != 1 || f->n_gone > 0 ||
	    end->t->ops->room(end->t, id) == 0;
	f->n_writable++;
	end_push(end, f);
	ends_happened(end->ends);
}

static void
on_gone(void *arg, uint64_t id)
{
	struct end *end = arg;

	end->is_wrong |= end->depth != 1;
	end_flow(end, id)->n_gone++;
	ends_happened(end->ends);
}

static void
on_streams_free(void *arg, bool is_uni)
{
	struct end *end = arg;

	end->is_wrong |= end->depth != 1;
	end->n_streams_free[is_uni]++;
	ends_happened(end->ends);
}

static void
on_datagram(void *arg, const uint8_t *data, size_t len)
{
	struct end *end = arg;
	void (*act)(struct end *) = end->at_datagram;
	struct iovec part = { (void *)(uintptr_t)data, len };
	size_t i;

	end->is_wrong |= end->depth != 1;
	for (i = 0; i < len; i++)
		end->is_wrong |= data[i] != octet(len, i);
	end->n_datagrams++;
	end->datagram_octets += len;
	end->last_datagram = len;
	if (end->echoes_datagrams)
		(void)end->t->ops->send_datagram(end->t, &part, 1);
	end->at_datagram = NULL;
	if (act != NULL)
		act(end);
	ends_happened(end->ends);
}

static void
on_datagram_writable(void *arg)
{
	struct end *end = arg;

	end->is_wrong |= end->depth != 1;
	end->n_datagram_writable++;
	ends_happened(end->ends);
}

static void
on_session_closed(void *arg, bool is_application, uint64_t code, bool is_clean,
    const char *reason)
{
	struct end *end = arg;

	end->is_wrong |= end->depth != 1 || end->n_session_closed > 0;
	end->n_session_closed++;
	end->is_application = is_application;
	end->code = code;
	end->is_clean = is_clean;
	snprintf(end->session_reason, sizeof(end->session_reason), "%s",
	    reason);
	if (end->at_session_closed != NULL)
		end->at_session_closed(end);
	ends_happened(end->ends);
}

static const struct wk_transport_handler session = {
	.enter = on_enter,
	.leave = on_leave,
	.data = on_data,
	.was_reset = on_was_reset,
	.was_stopped = on_was_stopped,
	.writable = on_writable,
	.gone = on_gone,
	.streams_free = on_streams_free,
	.datagram = on_datagram,
	.datagram_writable = on_datagram_writable,
	.closed = on_session_closed,
};

/* --- the owners ----------------------------------------------------------- */

static void
attach(struct end *end, struct wk_quic *quic)
{
	end->quic = quic;
	end->t = wk_quic_transport(quic);
	end->t->handler = &session;
	end->t->arg = end;
	wk_quic_set_arg(quic, end);
	end->n_opened++;
	if (end->at_opened != NULL)
		end->at_opened(end);
	ends_happened(end->ends);
}

static void
on_client_opened(struct wk_quic *quic)
{
	attach(wk_quic_arg(quic), quic);
}

static void
on_server_opened(struct wk_quic *quic)
{
	struct ends *e = wk_quic_arg(quic);

	e->n_accepted++;
	attach(&e->server, quic);
}

static void
on_closed(struct wk_quic *quic, bool is_protocol, const char *reason)
{
	struct end *end = wk_quic_arg(quic);

	end->is_wrong |= end->n_closed > 0;
	end->n_closed++;
	end->is_protocol = is_protocol;
	end->has_reason = reason != NULL;
	snprintf(end->reason, sizeof(end->reason), "%s",
	    reason != NULL ? reason : "");
	if (end->at_closed != NULL)
		end->at_closed(end);
	end->quic = NULL;
	ends_happened(end->ends);
}

static void
on_client_trace(struct wk_quic *quic, const char *text)
{
	struct end *end = wk_quic_arg(quic);

	snprintf(end->note, sizeof(end->note), "%s", text);
	ends_happened(end->ends);
}

/* --- both ----------------------------------------------------------------- */

static void
make_credentials(void)
{
	const struct wk_tls_options server = { .is_server = true };
	struct wk_tls_options client = { .is_insecure = true };
	char pin[WK_TLS_PIN_MAX];
	const char *pins[1];
	struct wk_error error;

	if (quic_server_credentials != NULL)
		return;
	quic_server_credentials = wk_tls_credentials_new(&server, &error);
	assert_non_null(quic_server_credentials);
	pins[0] = wk_tls_spki_pin(quic_server_credentials, pin);
	client.pins = pins;
	client.n_pins = 1;
	client_credentials = wk_tls_credentials_new(&client, &error);
	assert_non_null(client_credentials);
}

static void
on_guard(struct wk_timer *timer)
{
	struct ends *e = timer->arg;

	e->is_timed_out = true;
	wk_loop_stop(e->loop);
}

void
ends_init(struct ends *e)
{
	make_credentials();
	memset(e, 0, sizeof(*e));
	e->loop = wk_loop_new();
	assert_non_null(e->loop);
	wk_timer_init(&e->guard, e->loop, on_guard, e);
	e->client.ends = e->server.ends = e;
	e->server.is_server = true;
	assert_int_equal(wk_address_from_ip(&e->address,
	    wk_str_of("127.0.0.1"), 0), WK_OK);
	wk_quic_options_default(&e->server_options);
	e->server_options.alpn = alpn;
	e->server_options.credentials = quic_server_credentials;
	wk_quic_options_default(&e->client_options);
	e->client_options.alpn = alpn;
	e->client_options.credentials = client_credentials;
	e->server_handler.opened = on_server_opened;
	e->server_handler.closed = on_closed;
	e->client_handler.opened = on_client_opened;
	e->client_handler.closed = on_closed;
	e->client_handler.trace = on_client_trace;
}

void
ends_listen(struct ends *e)
{
	struct wk_error error;

	e->endpoint = wk_quic_listen(e->loop, &e->address, &e->server_options,
	    &e->server_handler, e, &error);
	if (e->endpoint == NULL)
		fail_msg("listen: %s", error.reason);
}

void
ends_connect(struct ends *e)
{
	struct wk_error error;

	e->client.quic = wk_quic_connect(e->loop, &e->address, NULL,
	    "localhost", &e->client_options, &e->client_handler, &e->client,
	    &error);
	if (e->client.quic == NULL)
		fail_msg("connect: %s", error.reason);
}

void
ends_up(struct ends *e)
{
	ends_listen(e);
	ends_connect(e);
	ends_until(e, &e->client.n_opened, 1);
	ends_until(e, &e->server.n_opened, 1);
}

void
ends_free(struct ends *e)
{
	wk_timer_set(&e->guard, WK_NEVER);
	wk_quic_del(e->client.quic);
	wk_quic_endpoint_del(e->endpoint);
	assert_false(e->client.is_wrong);
	assert_false(e->server.is_wrong);
	/* Nothing may be left in the loop: it would never end. */
	wk_loop_run(e->loop);
	wk_loop_del(e->loop);
}

void
ends_step(struct ends *e)
{
	wk_timer_set(&e->guard, wk_clock_now_ns() + PATIENCE_NS);
	wk_loop_run(e->loop);
	if (e->is_timed_out)
		fail_msg("nothing happens any more; client: %s (%s), "
		    "server: %s", e->client.reason, e->client.note,
		    e->server.reason);
}

void
ends_until(struct ends *e, const unsigned *counter, unsigned n)
{
	while (*counter < n) {
		if (e->client.n_closed > 0 && counter != &e->client.n_closed &&
		    counter == &e->client.n_opened)
			fail_msg("client: %s", e->client.reason);
		ends_step(e);
	}
}

void
ends_until_octets(struct ends *e, const uint64_t *counter, uint64_t n)
{
	while (*counter < n)
		ends_step(e);
}

void
ends_settle(struct ends *e, uint64_t ns)
{
	while (!e->is_timed_out) {
		wk_timer_set(&e->guard, wk_clock_now_ns() + ns);
		wk_loop_run(e->loop);
	}
	e->is_timed_out = false;
}

struct wk_quic_counters
ends_counters(const struct ends *e)
{
	struct wk_quic_counters c;

	wk_quic_endpoint_counters(e->endpoint, &c);
	return c;
}
