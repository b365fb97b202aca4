/* SPDX-License-Identifier: MIT */
/*
 * QUIC of common/net as a program, without HTTP, for tests against foreign
 * peers and for measurements. Not installed.
 *
 *	quic_ends serve [option ...] address
 *	quic_ends dial [option ...] address
 *
 * serve says "listening ADDRESS", and for each connection "opened", and "closed"
 * with whether data came and how often the peer moved; it closes with 0x100
 * when the first octets of a request have come. dial opens a connection;
 * --migrate and --update-keys do that when it is confirmed; then it begins a
 * control stream of HTTP/3 and ends it, which no server bears: that it says so
 * proves that it was there.
 *
 * --sink N: the server sends so many octets on each stream; the client asks for
 * that by an octet on one, and says how fast they came. --flood: the client
 * says "flooding", and sends datagrams of 1,200 octets or what fits until
 * SIGINT; the server says how many came.
 */
#include "config.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cli/signals.h"
#include "common/net/quic.h"

static struct program {
	struct wk_loop *loop;
	struct wk_quic_endpoint *endpoint;
	struct wk_quic_options options;
	struct wk_timer timer;
	struct wk_io signals;
	bool migrates, updates_keys, floods, is_verbose;
	uint64_t sink, flood_size;
	int exit_code;
} program = { .flood_size = 1200 };

struct connection {
	struct wk_quic *quic;
	struct wk_transport *t;
	uint64_t stream, left, received, began_ns, until_ns;
	uint64_t datagrams, datagram_octets;
	bool has_data;
};

static uint8_t block[65536];

static void __attribute__((noreturn))
die(const char *what, const char *reason)
{
	fprintf(stderr, "quic_ends: %s: %s\n", what, reason);
	exit(2);
}

static void
say_speed(const char *what, uint64_t octets, uint64_t packets, uint64_t ns)
{
	double s = (double)ns / (double)WK_NS_PER_SEC;

	printf("%s %" PRIu64 " octets %" PRIu64 " datagrams in %.3f s: "
	    "%.1f Mbit/s %.0f/s\n", what, octets, packets, s,
	    (double)octets * 8 / s / 1e6, (double)packets / s);
	fflush(stdout);
}

/* --- the session ---------------------------------------------------------- */

static void
on_enter(void *arg, uint64_t now_ns)
{
	(void)arg;
	(void)now_ns;
}

static void
on_leave(void *arg)
{
	(void)arg;
}

static void
push(struct connection *c)
{
	struct iovec part = { block, sizeof(block) };
	ssize_t n;

	while (c->left > 0) {
		part.iov_len = c->left < sizeof(block) ? (size_t)c->left :
		    sizeof(block);
		n = c->t->ops->write(c->t, c->stream, &part, 1);
		if (n < 0)
			return;
		c->left -= (uint64_t)n;
		if ((size_t)n < part.iov_len)
			return;
	}
	c->t->ops->finish(c->t, c->stream);
}

static void
served_data(struct connection *c, uint64_t id)
{
	if (c->has_data)
		return;
	c->has_data = true;
	if (program.sink > 0) {
		c->stream = id;
		c->left = program.sink;
		push(c);
		return;
	}
	c->t->ops->close(c->t, 0x100, NULL);
}

static void
on_data(void *arg, uint64_t id, const uint8_t *data, size_t len, bool is_last)
{
	struct connection *c = arg;

	(void)data;
	c->received += len;
	c->t->ops->consume(c->t, id, len);
	if (program.endpoint != NULL && len > 0 && !wk_transport_is_uni(id))
		served_data(c, id);
	if (program.endpoint == NULL && is_last && program.sink > 0) {
		say_speed("received", c->received, 0,
		    wk_clock_now_ns() - c->began_ns);
		c->t->ops->close(c->t, 0x100, NULL);
	}
}

static void
on_end(void *arg, uint64_t id, uint64_t code)
{
	(void)arg;
	(void)id;
	(void)code;
}

static void
on_writable(void *arg, uint64_t id)
{
	struct connection *c = arg;

	if (id == c->stream)
		push(c);
}

static void
on_gone(void *arg, uint64_t id)
{
	(void)arg;
	(void)id;
}

static void
on_streams_free(void *arg, bool is_uni)
{
	(void)arg;
	(void)is_uni;
}

static void
on_datagram(void *arg, const uint8_t *data, size_t len)
{
	struct connection *c = arg;

	(void)data;
	if (c->datagrams++ == 0)
		c->began_ns = wk_clock_now_ns();
	c->datagram_octets += len;
	c->until_ns = wk_clock_now_ns();
}

static void
flood(void *arg)
{
	struct connection *c = arg;
	size_t max = c->t->ops->datagram_max(c->t);
	struct iovec part = { block, program.flood_size };
	enum wk_transport_sent sent;

	if (max < part.iov_len)
		part.iov_len = max;
	do
		sent = c->t->ops->send_datagram(c->t, &part, 1);
	while (sent == WK_TRANSPORT_SENT);
}

static void
on_closed(void *arg, bool is_application, uint64_t code, bool is_clean,
    const char *reason)
{
	(void)arg;
	(void)is_application;
	(void)code;
	(void)is_clean;
	(void)reason;
}

static const struct wk_transport_handler session = {
	.enter = on_enter,
	.leave = on_leave,
	.data = on_data,
	.was_reset = on_end,
	.was_stopped = on_end,
	.writable = on_writable,
	.gone = on_gone,
	.streams_free = on_streams_free,
	.datagram = on_datagram,
	.datagram_writable = flood,
	.closed = on_closed,
};

/* --- connections ---------------------------------------------------------- */

static struct connection *
attach(struct wk_quic *quic)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		die("memory", "none");
	c->quic = quic;
	c->t = wk_quic_transport(quic);
	c->t->handler = &session;
	c->t->arg = c;
	wk_quic_set_arg(quic, c);
	printf("opened %s\n", wk_quic_description(quic));
	fflush(stdout);
	return c;
}

static void
on_served(struct wk_quic *quic)
{
	(void)attach(quic);
}

static void
on_served_closed(struct wk_quic *quic, bool is_protocol, const char *reason)
{
	struct connection *c = wk_quic_arg(quic);
	struct wk_transport_stats stats;

	c->t->ops->stats(c->t, &stats);
	if (c->datagrams > 0)
		say_speed("received", c->datagram_octets, c->datagrams,
		    c->until_ns - c->began_ns);
	printf("closed %s%s, %sdata, moved %" PRIu64 "\n",
	    is_protocol ? "(protocol) " : "",
	    reason != NULL ? reason : "clean", c->has_data ? "" : "no ",
	    stats.migrations);
	fflush(stdout);
	free(c);
}

static void
say_goodbye(struct connection *c)
{
	static uint8_t control[] = { 0x00, 0x04, 0x00 };
	struct iovec part = { control, sizeof(control) };
	uint64_t id;

	if (c->t->ops->open(c->t, true, &id) != WK_OK)
		die("stream", "cannot open one");
	(void)c->t->ops->write(c->t, id, &part, 1);
	c->t->ops->finish(c->t, id);
}

static void
on_signal(struct wk_io *io, unsigned events)
{
	struct connection *c = io->arg;

	(void)events;
	wk_io_watch(io, 0);
	c->t->ops->close(c->t, 0x100, NULL);
}

static void
begin_flood(struct connection *c)
{
	struct program *p = &program;

	printf("flooding\n");
	fflush(stdout);
	wk_io_init(&p->signals, p->loop, wk_signals_fd(), on_signal, c);
	wk_io_watch(&p->signals, WK_IO_READ);
	flood(c);
}

static void
on_timer(struct wk_timer *timer)
{
	struct program *p = &program;
	struct connection *c = timer->arg;
	struct wk_error error;

	/* Before that a new address is no migration. */
	if (!wk_quic_is_confirmed(c->quic) ||
	    (p->updates_keys && wk_quic_update_keys(c->quic) != WK_OK)) {
		wk_timer_set(timer, wk_clock_now_ns() + WK_NS_PER_SEC / 100);
		return;
	}
	if (p->migrates && wk_quic_migrate(c->quic, NULL, &error) != WK_OK)
		die("migrate", error.reason);
	if (p->floods)
		begin_flood(c);
	else
		say_goodbye(c);
}

static void
on_dialled(struct wk_quic *quic)
{
	struct connection *c = attach(quic);
	struct iovec part = { block, 1 };

	c->began_ns = wk_clock_now_ns();
	if (program.sink > 0) {
		if (c->t->ops->open(c->t, false, &c->stream) != WK_OK)
			die("stream", "cannot open one");
		(void)c->t->ops->write(c->t, c->stream, &part, 1);
		c->t->ops->finish(c->t, c->stream);
	} else {
		wk_timer_init(&program.timer, program.loop, on_timer, c);
		wk_timer_set(&program.timer,
		    c->began_ns + WK_NS_PER_SEC / 10);
	}
}

static void
on_dialled_closed(struct wk_quic *quic, bool is_protocol, const char *reason)
{
	struct wk_transport_stats stats;
	const struct wk_transport *t = wk_quic_transport(quic);

	t->ops->stats(t, &stats);
	printf("packets %" PRIu64 " sent %" PRIu64 " received, datagrams %"
	    PRIu64 " sent %" PRIu64 " acked %" PRIu64 " lost\n",
	    stats.packets_sent, stats.packets_received, stats.datagrams_sent,
	    stats.datagrams_acked, stats.datagrams_lost);
	printf("closed %s%s\n", is_protocol ? "(protocol) " : "",
	    reason != NULL ? reason : "clean");
	fflush(stdout);
	if (wk_quic_arg(quic) != NULL)
		free(wk_quic_arg(quic));
	program.exit_code = reason != NULL ? 3 : 0;
	wk_loop_stop(program.loop);
}

static void
on_trace(struct wk_quic *quic, const char *text)
{
	(void)quic;
	if (program.is_verbose)
		fprintf(stderr, "* %s\n", text);
}

static const struct wk_quic_handler
    server_handler = { on_served, on_served_closed, on_trace },
    client_handler = { on_dialled, on_dialled_closed, on_trace };

/* -------------------------------------------------------------------------- */

static void
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "retry", no_argument, NULL, 'r' },
		{ "v1", no_argument, NULL, '1' },
		{ "v2", no_argument, NULL, '2' },
		{ "migrate", no_argument, NULL, 'm' },
		{ "update-keys", no_argument, NULL, 'k' },
		{ "no-gso", no_argument, NULL, 'g' },
		{ "sink", required_argument, NULL, 's' },
		{ "flood", no_argument, NULL, 'f' },
		{ "size", required_argument, NULL, 'z' },
		{ "qlog-dir", required_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct program *p = &program;
	int c;

	p->options.versions = 0;
	while ((c = getopt_long(argc, argv, "v", longs, NULL)) != -1)
		switch (c) {
		case 'r': p->options.always_validates = true; break;
		case '1': p->options.versions |= WK_QUIC_V1; break;
		case '2': p->options.versions |= WK_QUIC_V2; break;
		case 'm': p->migrates = true; break;
		case 'k': p->updates_keys = true; break;
		case 'g': p->options.has_no_gso = true; break;
		case 's': p->sink = strtoull(optarg, NULL, 10); break;
		case 'f': p->floods = true; break;
		case 'z': p->flood_size = strtoull(optarg, NULL, 10); break;
		case 'q': p->options.qlog_dir = optarg; break;
		case 'v': p->is_verbose = true; break;
		default: exit(2);
		}
	if (p->options.versions == 0)
		p->options.versions = WK_QUIC_V1;
	if (optind + 2 != argc)
		die("usage", "serve or dial, options, an address");
}

int
main(int argc, char **argv)
{
	static const char *const alpn[] = { "h3", NULL };
	struct wk_tls_options tls = { .is_insecure = true };
	char text[WK_ADDRESS_TEXT_MAX];
	struct wk_address address;
	struct wk_error error;
	bool is_server;

	wk_quic_options_default(&program.options);
	parse(argc, argv);
	is_server = strcmp(argv[optind], "serve") == 0;
	tls.is_server = is_server;
	tls.is_insecure = !is_server;
	program.options.alpn = alpn;
	program.options.credentials = wk_tls_credentials_new(&tls, &error);
	if (program.options.credentials == NULL)
		die("TLS", error.reason);
	if (wk_address_parse(wk_str_of(argv[optind + 1]), "127.0.0.1",
	    &address, 1, &error) != 1)
		die(argv[optind + 1], error.reason);
	program.loop = wk_loop_new();
	if (program.floods && wk_signals_init(WK_SIGNAL_STOP) != WK_OK)
		die("signals", "cannot be caught");
	if (is_server) {
		program.endpoint = wk_quic_listen(program.loop, &address,
		    &program.options, &server_handler, NULL, &error);
		if (program.endpoint == NULL)
			die("listen", error.reason);
		printf("listening %s\n", wk_address_text(&address, text));
		fflush(stdout);
	} else if (wk_quic_connect(program.loop, &address, NULL, "localhost",
	    &program.options, &client_handler, NULL, &error) == NULL) {
		die("dial", error.reason);
	}
	wk_loop_run(program.loop);
	wk_tls_credentials_del(program.options.credentials);
	return program.exit_code;
}
