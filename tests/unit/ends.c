/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/ends.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/base/clock.h"

#define PATIENCE_NS (60 * WK_NS_PER_SEC)

const struct pairing pairings[N_PAIRINGS] = {
	{ "HTTP/1.1 in cleartext", WK_HTTP_1_1, false },
	{ "HTTP/1.1 over TLS", WK_HTTP_1_1, true },
	{ "HTTP/2 in cleartext", WK_HTTP_2, false },
	{ "HTTP/2 over TLS", WK_HTTP_2, true },
#ifdef HAVE_QUIC
	{ "HTTP/3", WK_HTTP_3, true },
#endif
};

/* Made once: keys take their time. */
static struct wk_tls_credentials *server_credentials, *client_credentials;

static void
make_credentials(void)
{
	const struct wk_tls_options server = { .is_server = true };
	const struct wk_tls_options client = { .is_insecure = true };
	struct wk_error error;

	if (server_credentials != NULL)
		return;
	server_credentials = wk_tls_credentials_new(&server, &error);
	client_credentials = wk_tls_credentials_new(&client, &error);
	assert_non_null(server_credentials);
	assert_non_null(client_credentials);
}

/* --- what happens --------------------------------------------------------- */

static void
happened(struct ends *e, enum stage stage)
{
	void (*act)(struct ends *) = e->at_stage;

	wk_loop_stop(e->loop);
	if (stage != e->stage || act == NULL)
		return;
	e->at_stage = NULL;
	act(e);
}

static void
push(struct wk_stream *s)
{
	struct ends *e = wk_stream_arg(s);
	uint8_t piece[16384];
	uint64_t n, i;
	ssize_t taken;

	while (e->sent < e->to_send) {
		n = e->to_send - e->sent;
		n = n < sizeof(piece) ? n : sizeof(piece);
		for (i = 0; i < n; i++)
			piece[i] = (uint8_t)(e->sent + i);
		taken = wk_stream_write(s, piece, (size_t)n);
		if (taken < 0)
			return;
		e->sent += (uint64_t)taken;
		if ((uint64_t)taken < n)
			return;
	}
	if (!e->keeps_open)
		wk_stream_finish(s);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct ends *e = wk_stream_arg(s);

	e->n_heads++;
	e->status = m->status;
	e->opens_tunnel = m->opens_tunnel;
	if (m->opens_tunnel)
		push(s);
	happened(e, STAGE_HEAD);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct ends *e = wk_stream_arg(s);
	size_t i;

	for (i = 0; i < len; i++)
		e->is_wrong |= data[i] != (uint8_t)(e->received + i);
	e->received += len;
	if (e->keeps_data)
		e->unconsumed += len;
	else
		wk_stream_consume(s, len);
	happened(e, STAGE_DATA);
}

static void
on_end(struct wk_stream *s)
{
	struct ends *e = wk_stream_arg(s);

	e->n_ends++;
	happened(e, STAGE_END);
}

static void
on_stream_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct ends *e = wk_stream_arg(s);

	e->stream = NULL;
	e->n_streams_closed++;
	e->has_failed = end != NULL;
	if (end != NULL)
		e->end = *end;
	happened(e, STAGE_STREAM_CLOSED);
}

static const struct wk_stream_handler stream_handler = {
	.head = on_head,
	.data = on_data,
	.end = on_end,
	.writable = push,
	.closed = on_stream_closed,
};

static void
on_connected(struct wk_client *client, struct wk_session *session)
{
	struct ends *e = wk_client_arg(client);
	struct wk_error error;

	e->n_connected++;
	e->session = session;
	if (e->request.method.len > 0) {
		e->stream = wk_session_request(session, &e->request,
		    e->has_body, &stream_handler, e, &error);
		if (e->stream == NULL)
			fail_msg("request: %s", error.reason);
		if (e->has_body && e->request.protocol.len == 0)
			push(e->stream);
	}
	happened(e, STAGE_CONNECTED);
}

static void
on_closed(struct wk_client *client, enum wk_client_failure failure,
    const char *reason)
{
	struct ends *e = wk_client_arg(client);

	e->n_closed++;
	e->session = NULL;
	e->failure = failure;
	snprintf(e->reason, sizeof(e->reason), "%s",
	    reason != NULL ? reason : "");
	happened(e, STAGE_CLOSED);
}

static const struct wk_client_handler client_handler = {
	.connected = on_connected,
	.closed = on_closed,
};

static void
on_request(struct wk_server *server, struct wk_stream *s,
    const struct wk_message *m)
{
	struct ends *e = wk_server_arg(server);

	wk_address_text(wk_server_peer(s), e->peer);
	assert_ptr_equal(wk_server_of(s), server);
	echo_request(server, s, m);
	happened(e, STAGE_REQUEST);
}

static void
on_server_trace(struct wk_server *server, const char *peer, enum wk_trace kind,
    uint64_t stream_id, const char *text)
{
	struct ends *e = wk_server_arg(server);

	(void)peer;
	(void)stream_id;
	if (kind != WK_TRACE_NOTE)
		return;
	if (strncmp(text, "closed", 6) == 0) {
		e->n_server_closed++;
		snprintf(e->note, sizeof(e->note), "%s", text);
	}
	wk_loop_stop(e->loop);
}

static void
on_drained(struct wk_server *server)
{
	struct ends *e = wk_server_arg(server);

	e->n_drained++;
	wk_loop_stop(e->loop);
}

static const struct wk_server_handler server_handler = {
	.request = on_request,
	.trace = on_server_trace,
	.drained = on_drained,
};

/* --- both ends ------------------------------------------------------------ */

static void
on_guard(struct wk_timer *timer)
{
	struct ends *e = timer->arg;

	e->is_timed_out = true;
	wk_loop_stop(e->loop);
}

void
ends_init(struct ends *e, const struct pairing *pairing)
{
	make_credentials();
	memset(e, 0, sizeof(*e));
	memset(&echo_counters, 0, sizeof(echo_counters));
	e->loop = wk_loop_new();
	assert_non_null(e->loop);
	wk_timer_init(&e->guard, e->loop, on_guard, e);
	wk_server_options_default(&e->server_options);
	assert_int_equal(wk_address_from_ip(&e->address,
	    wk_str_of("127.0.0.1"), 0), WK_OK);
	e->server_options.addresses = &e->address;
	e->server_options.n_addresses = 1;
	e->server_options.trace_level = 1;
	e->server_options.versions |= pairing->version;
	e->client_options.scheme = wk_str_of("http");
	e->client_options.host = wk_str_of("127.0.0.1");
	e->client_options.versions = pairing->version;
	wk_session_limits_default(&e->client_options.limits);
	if (pairing->has_tls) {
		e->client_options.scheme = wk_str_of("https");
		e->client_options.credentials = client_credentials;
		e->server_options.credentials = server_credentials;
	}
}

void
ends_serve(struct ends *e)
{
	struct wk_error error;
	size_t n;

	e->server = wk_server_new(e->loop, &e->server_options,
	    &server_handler, e, &error);
	if (e->server == NULL)
		fail_msg("server: %s", error.reason);
	e->address = wk_server_addresses(e->server, &n)[0];
	assert_int_equal(n, 1);
	e->client_options.port = wk_address_port(&e->address);
}

void
ends_free(struct ends *e)
{
	wk_timer_set(&e->guard, WK_NEVER);
	wk_client_del(e->client);
	wk_server_del(e->server);
	assert_int_equal(echo_counters.open, 0);
	/* Nothing may be left in the loop: it would never end. */
	wk_loop_run(e->loop);
	wk_loop_del(e->loop);
}

void
ends_ask(struct ends *e, const char *method, const char *path)
{
	struct wk_error error;

	e->request.method = wk_str_of(method);
	e->request.scheme = e->client_options.scheme;
	e->request.authority = wk_str_of("localhost");
	e->request.path = wk_str_of(path);
	if (method[0] == '\0')
		e->request.method.len = 0;
	e->client = wk_client_new(e->loop, &e->client_options,
	    &client_handler, e, &error);
	if (e->client == NULL)
		fail_msg("client: %s", error.reason);
}

void
ends_tunnel(struct ends *e, const char *path, uint64_t octets)
{
	e->has_body = true;
	e->to_send = octets;
	e->request.protocol = wk_str_of("test");
	ends_ask(e, "CONNECT", path);
}

static void
run(struct ends *e)
{
	wk_timer_set(&e->guard, wk_clock_now_ns() + PATIENCE_NS);
	wk_loop_run(e->loop);
	if (e->is_timed_out)
		fail_msg("nothing happens any more; client: %s, server: %s",
		    e->reason, e->note);
}

void
ends_until(struct ends *e, const unsigned *counter, unsigned n)
{
	while (*counter < n)
		run(e);
}

void
ends_until_connections(struct ends *e, size_t n)
{
	struct wk_server_counters c;

	while (wk_server_counters(e->server, &c), c.connections != n)
		run(e);
}

void
ends_until_accepted(struct ends *e, uint64_t n)
{
	struct wk_server_counters c;

	while (wk_server_counters(e->server, &c), c.accepted < n)
		run(e);
}

void
ends_settle(struct ends *e, uint64_t quiet_ns)
{
	while (!e->is_timed_out) {
		wk_timer_set(&e->guard, wk_clock_now_ns() + quiet_ns);
		wk_loop_run(e->loop);
	}
	e->is_timed_out = false;
}

/* --- raw ------------------------------------------------------------------ */

int
ends_raw(const struct ends *e)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&e->address.sa,
	    e->address.len), 0);
	return fd;
}

static void
on_raw(struct wk_io *io, unsigned events)
{
	(void)events;
	wk_loop_stop(io->loop);
}

/* Octets read, 0 at the end; waits. */
static size_t
raw_read(struct ends *e, int fd)
{
	struct wk_io io;
	char block[65536];
	ssize_t n;

	wk_io_init(&io, e->loop, fd, on_raw, e);
	while ((n = recv(fd, block, sizeof(block), MSG_DONTWAIT)) < 0 &&
	    errno == EAGAIN) {
		wk_io_watch(&io, WK_IO_READ);
		run(e);
		wk_io_watch(&io, 0);
	}
	if (n < 0 && errno != ECONNRESET)
		fail_msg("raw: %s", strerror(errno));
	return n > 0 ? (size_t)n : 0;
}

void
ends_raw_read(struct ends *e, int fd, size_t octets)
{
	size_t sum, n;

	for (sum = 0; sum < octets; sum += n)
		if ((n = raw_read(e, fd)) == 0)
			fail_msg("raw: closed after %zu octets", sum);
}

void
ends_raw_until_closed(struct ends *e, int fd)
{
	while (raw_read(e, fd) > 0)
		;
}
