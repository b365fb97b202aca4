/* SPDX-License-Identifier: MIT */
/*
 * The HTTP client and server of common/net as a program, for tests against
 * foreign peers. Not installed.
 *
 *	http_echo serve [option ...] address ...
 *	http_echo get [option ...] url
 *
 * serve says "listening ADDRESS" for each on standard output, answers as
 * echo.h says, and drains on SIGTERM. get writes the body of the response to
 * standard output, its status to standard error, and exits with 0, or with 3,
 * 5 or 6 as wirekit(7) says. --body FILE sends that, --tunnel PROTOCOL sends
 * it through a tunnel, and shows what comes back. --http1, --http2 and --http3
 * together say which versions to offer; by default those over TCP.
 */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/net/client.h"
#include "common/wire/url.h"
#include "tests/net/echo.h"

struct program {
	struct wk_loop *loop;
	struct wk_server *server;
	struct wk_client *client;
	struct wk_io signals;
	struct wk_url url;
	unsigned versions;
	bool has_tls, use_proxy, retries;
	double race_delay;
	int trace_level;
	size_t max_connections;
	double timeout;
	const char *method, *body, *tunnel;
	/* get */
	uint8_t *content;
	size_t content_len, content_at;
	int exit_code;
};

static void __attribute__((noreturn))
die(const char *what, const char *reason)
{
	fprintf(stderr, "http_echo: %s: %s\n", what, reason);
	exit(2);
}

static struct wk_tls_credentials *
credentials(bool is_server)
{
	struct wk_tls_options options = {
		.is_server = is_server,
		.is_insecure = !is_server,
	};
	struct wk_tls_credentials *c;
	struct wk_error error;

	c = wk_tls_credentials_new(&options, &error);
	if (c == NULL)
		die("TLS", error.reason);
	return c;
}

/* --- serve ---------------------------------------------------------------- */

static void
trace_server(struct wk_server *server, const char *peer, enum wk_trace kind,
    uint64_t stream_id, const char *text)
{
	(void)server;
	fprintf(stderr, "%s: %d %" PRIu64 " %s\n", peer, kind, stream_id,
	    text);
}

static void
on_drained(struct wk_server *server)
{
	struct program *p = wk_server_arg(server);

	wk_io_watch(&p->signals, 0);
	wk_loop_stop(p->loop);
}

static void
on_signal(struct wk_io *io, unsigned events)
{
	struct program *p = io->arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(io->fd, &info, sizeof(info)) == sizeof(info))
		wk_server_drain(p->server, wk_loop_now_ns(p->loop) +
		    5 * WK_NS_PER_SEC);
}

static int
serve(struct program *p, int argc, char **argv)
{
	static const struct wk_server_handler handler = {
		.request = echo_request,
		.trace = trace_server,
		.drained = on_drained,
	};
	struct wk_server_options options;
#ifdef HAVE_QUIC
	struct wk_quic_options quic;
#endif
	struct wk_server_counters counters;
	struct wk_address addresses[16];
	const struct wk_address *bound;
	char text[WK_ADDRESS_TEXT_MAX];
	struct wk_error error;
	sigset_t set;
	size_t i, n = 0;
	int got;

	for (i = 0; i < (size_t)argc; i++) {
		got = wk_address_parse(wk_str_of(argv[i]), "127.0.0.1",
		    addresses + n, 16 - n, &error);
		if (got < 0)
			die(argv[i], error.reason);
		n += (size_t)got;
	}
	wk_server_options_default(&options);
	options.addresses = addresses;
	options.n_addresses = n;
	options.versions = p->versions;
	options.trace_level = p->trace_level;
	options.max_connections = p->max_connections;
	if (p->has_tls)
		options.credentials = credentials(true);
#ifdef HAVE_QUIC
	wk_quic_options_default(&quic);
	quic.always_validates = p->retries;
	options.quic = &quic;
#endif
	p->server = wk_server_new(p->loop, &options, &handler, p, &error);
	if (p->server == NULL)
		die("server", error.reason);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	wk_io_init(&p->signals, p->loop, signalfd(-1, &set, SFD_CLOEXEC),
	    on_signal, p);
	wk_io_watch(&p->signals, WK_IO_READ);
	bound = wk_server_addresses(p->server, &n);
	for (i = 0; i < n; i++)
		printf("listening %s\n", wk_address_text(&bound[i], text));
	fflush(stdout);
	wk_loop_run(p->loop);
	wk_server_counters(p->server, &counters);
	printf("accepted %" PRIu64 " refused %" PRIu64 " requests %" PRIu64
	    " connections %zu\n", counters.accepted, counters.refused,
	    counters.requests, counters.connections);
	wk_server_del(p->server);
	wk_tls_credentials_del(options.credentials);
	close(p->signals.fd);
	return 0;
}

/* --- get ------------------------------------------------------------------ */

static void
send_content(struct wk_stream *s)
{
	struct program *p = wk_stream_arg(s);
	ssize_t n;

	n = wk_stream_write(s, p->content + p->content_at,
	    p->content_len - p->content_at);
	if (n < 0)
		return;
	p->content_at += (size_t)n;
	if (p->content_at == p->content_len)
		wk_stream_finish(s);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct program *p = wk_stream_arg(s);

	fprintf(stderr, "%s %u\n", wk_http_version_text(wk_stream_version(s)),
	    m->status);
	if (m->opens_tunnel)
		send_content(s);
	else if (p->tunnel != NULL || m->status >= 400)
		p->exit_code = 6;
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	fwrite(data, 1, len, stdout);
	wk_stream_consume(s, len);
}

static void
on_stream_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct program *p = wk_stream_arg(s);

	if (end != NULL) {
		fprintf(stderr, "stream: %s\n", end->reason);
		p->exit_code = end->code == WK_STREAM_LOST ? 3 : 5;
	}
	wk_client_shutdown(p->client);
}

static const struct wk_stream_handler stream_handler = {
	.head = on_head,
	.data = on_data,
	.writable = send_content,
	.closed = on_stream_closed,
};

static void
on_connected(struct wk_client *client, struct wk_session *session)
{
	struct program *p = wk_client_arg(client);
	struct wk_message m = {
		.method = wk_str_of(p->method),
		.scheme = p->url.scheme,
		.authority = p->url.authority,
		.path = p->url.path,
	};
	struct wk_error error;
	struct wk_stream *s;

	if (p->tunnel != NULL) {
		m.method = wk_str_of("CONNECT");
		m.protocol = wk_str_of(p->tunnel);
	}
	s = wk_session_request(session, &m, p->body != NULL, &stream_handler,
	    p, &error);
	if (s == NULL)
		die("request", error.reason);
	if (p->body != NULL && p->tunnel == NULL)
		send_content(s);
}

static void
on_closed(struct wk_client *client, enum wk_client_failure failure,
    const char *reason)
{
	static const int codes[] = { 3, 5, 6 };
	struct program *p = wk_client_arg(client);

	if (reason != NULL) {
		fprintf(stderr, "http_echo: %s\n", reason);
		p->exit_code = codes[failure];
	}
	wk_loop_stop(p->loop);
}

static void
trace_client(struct wk_client *client, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	(void)client;
	fprintf(stderr, "* %d %" PRIu64 " %s\n", kind, stream_id, text);
}

static void
read_body(struct program *p)
{
	size_t size = 64 << 20;
	int fd = open(p->body, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	p->content = malloc(size);
	if (fd < 0 || p->content == NULL)
		die(p->body, "cannot be opened");
	while ((n = read(fd, p->content + p->content_len,
	    size - p->content_len)) > 0)
		p->content_len += (size_t)n;
	close(fd);
}

static int
get(struct program *p, const char *url)
{
	static const struct wk_client_handler handler = {
		.connected = on_connected,
		.closed = on_closed,
		.trace = trace_client,
	};
	struct wk_client_options options = { 0 };
	struct wk_error error;

	if (wk_url_parse(&p->url, wk_str_of(url), &error) != WK_OK)
		die(url, error.reason);
	if (p->body != NULL)
		read_body(p);
	options.scheme = p->url.scheme;
	options.host = p->url.host;
	options.port = p->url.port;
	options.versions = p->versions;
	options.use_proxy = p->use_proxy;
	options.trace_level = p->trace_level;
	options.dial.timeout_ns = (uint64_t)(p->timeout * 1e9);
	options.race_delay_ns = (uint64_t)(p->race_delay * 1e9);
	wk_session_limits_default(&options.limits);
	if (p->url.is_tls)
		options.credentials = credentials(false);
	p->client = wk_client_new(p->loop, &options, &handler, p, &error);
	if (p->client == NULL)
		die(url, error.reason);
	wk_loop_run(p->loop);
	wk_client_del(p->client);
	wk_tls_credentials_del(options.credentials);
	wk_url_free(&p->url);
	free(p->content);
	return p->exit_code;
}

/* -------------------------------------------------------------------------- */

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "http1", no_argument, NULL, '1' },
		{ "http2", no_argument, NULL, '2' },
		{ "http3", no_argument, NULL, '3' },
		{ "race", required_argument, NULL, 'r' },
		{ "retry", no_argument, NULL, 'R' },
		{ "tls", no_argument, NULL, 't' },
		{ "proxy", no_argument, NULL, 'p' },
		{ "trace", required_argument, NULL, 'v' },
		{ "max-connections", required_argument, NULL, 'm' },
		{ "timeout", required_argument, NULL, 'w' },
		{ "method", required_argument, NULL, 'X' },
		{ "body", required_argument, NULL, 'd' },
		{ "tunnel", required_argument, NULL, 'T' },
		{ NULL, 0, NULL, 0 },
	};
	struct program p = {
		.max_connections = 10000,
		.timeout = 10,
		.method = "GET",
		.race_delay = 0.3,
	};
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case '1':
			p.versions |= WK_HTTP_1_1;
			break;
		case '2':
			p.versions |= WK_HTTP_2;
			break;
		case '3':
			p.versions |= WK_HTTP_3;
			break;
		case 'r':
			p.race_delay = strtod(optarg, NULL);
			break;
		case 'R':
			p.retries = true;
			break;
		case 't':
			p.has_tls = true;
			break;
		case 'p':
			p.use_proxy = true;
			break;
		case 'v':
			p.trace_level = atoi(optarg);
			break;
		case 'm':
			p.max_connections = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			p.timeout = strtod(optarg, NULL);
			break;
		case 'X':
			p.method = optarg;
			break;
		case 'd':
			p.body = optarg;
			break;
		case 'T':
			p.tunnel = optarg;
			break;
		default:
			return 2;
		}
	if (argc - optind < 2)
		die("usage", "http_echo serve|get [option ...] operand ...");
	if (p.versions == 0)
		p.versions = WK_HTTP_1_1 | WK_HTTP_2;
	p.loop = wk_loop_new();
	if (p.loop == NULL)
		die("loop", "cannot be made");
	argv += optind;
	argc -= optind;
	rc = strcmp(argv[0], "serve") == 0 ? serve(&p, argc - 1, argv + 1) :
	    get(&p, argv[1]);
	wk_loop_del(p.loop);
	return fflush(stdout) == 0 ? rc : 4;
}
