/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/tunnel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"

#define STALL_TIMEOUT_NS (60 * WK_NS_PER_SEC)
#define GOODBYE_NS (2 * WK_NS_PER_SEC)	/* when cancelled, to tell the peer */

/* One message for one cause: the first. */
static void __attribute__((format(printf, 3, 4)))
fail(struct wk_tunnel *t, int rc, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (t->was_told || t->is_cancelled)
		return;
	t->was_told = true;
	t->rc = rc;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	wk_warn("%s: %s", t->options.url, text);
}

/* --- the answer ----------------------------------------------------------- */

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct wk_tunnel *t = wk_stream_arg(s);
	char text[WK_TUNNEL_REASON_MAX];

	wk_timer_set(&t->answer, WK_NEVER);
	if (!m->opens_tunnel) {
		fail(t, WK_EXIT_REFUSED, "%s", wk_tunnel_refusal(m, text));
		wk_stream_reset(s, WK_STREAM_NO_ERROR, "refused");
		return;
	}
	t->is_open = true;
	wk_verbose(1, "tunnel open over %s%s",
	    wk_http_version_text(wk_stream_version(s)),
	    wk_message_has_capsule_protocol(m) ? "" :
	    ", without Capsule-Protocol in the answer");
	wk_stream_handle(s, &t->events, t);
	t->handler->open(t, s);
}

static void
explain(struct wk_tunnel *t, const struct wk_stream_end *end)
{
	char text[WK_TUNNEL_REASON_MAX];
	int rc = wk_tunnel_failure(end, t->is_open, text);

	fail(t, rc, "%s", text);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct wk_tunnel *t = wk_stream_arg(s);

	t->stream = NULL;
	t->handler->over(t);
	if (end != NULL)
		explain(t, end);
	if (!t->is_deleting)
		wk_client_shutdown(t->client);
}

static const struct wk_stream_handler early = {
	.head = on_head,
	.closed = on_closed,
};

void *
wk_tunnel_arg(const struct wk_stream *s)
{
	const struct wk_tunnel *t = wk_stream_arg(s);

	return t->arg;
}

/* --- the connection ------------------------------------------------------- */

static void
on_connected(struct wk_client *client, struct wk_session *session)
{
	struct wk_tunnel *t = wk_client_arg(client);
	struct wk_error error;

	t->stream = wk_session_request(session, &t->request.message, true,
	    &early, t, &error);
	if (t->stream == NULL) {
		fail(t, WK_EXIT_NETWORK, "%s", error.reason);
		wk_client_shutdown(client);
	}
}

static void
on_client_closed(struct wk_client *client, enum wk_client_failure failure,
    const char *reason)
{
	struct wk_tunnel *t = wk_client_arg(client);

	if (reason != NULL)
		fail(t, wk_net_exit(failure), "%s", reason);
	wk_loop_stop(t->loop);
}

static void
on_trace(struct wk_client *client, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	(void)client;
	(void)stream_id;
	wk_net_trace(kind, text);
}

static const struct wk_client_handler client_handler = {
	.connected = on_connected,
	.closed = on_client_closed,
	.trace = on_trace,
};

/* --- the whole ------------------------------------------------------------ */

/* The client has said already what it did not come to. */
static void
on_answer_late(struct wk_timer *timer)
{
	struct wk_tunnel *t = timer->arg;

	if (t->stream == NULL)
		return;
	fail(t, WK_EXIT_NETWORK, "no answer after %g s (--connect-timeout)",
	    (double)t->client_options.dial.timeout_ns / 1e9);
	wk_tunnel_cancel(t, "no answer");
}

void
wk_tunnel_cancel(struct wk_tunnel *t, const char *reason)
{
	if (t->is_cancelled)
		return;
	t->is_cancelled = true;
	if (t->stream == NULL) {
		wk_loop_stop(t->loop);
		return;
	}
	wk_stream_reset(t->stream, WK_STREAM_CANCEL, reason);
	/* The peer may take nothing any more, and shall not keep us. */
	wk_timer_set(&t->max_time, wk_loop_now_ns(t->loop) + GOODBYE_NS);
}

void
wk_tunnel_hush(struct wk_tunnel *t)
{
	t->was_told = true;
}

static void
on_signal(struct wk_io *io, unsigned events)
{
	(void)events;
	wk_signals_take();
	if (wk_signals_stopped() != 0) {
		wk_io_watch(io, 0);
		wk_tunnel_cancel(io->arg, "interrupted");
	}
}

static void
on_max_time(struct wk_timer *timer)
{
	struct wk_tunnel *t = timer->arg;

	if (t->is_cancelled) {
		wk_loop_stop(t->loop);
		return;
	}
	/* What was still to be said, a goodbye, is nobody's goal. */
	if (!t->is_open || t->stream != NULL)
		fail(t, WK_EXIT_NETWORK, "not done after %g s (--max-time)",
		    (double)t->options.net->max_time_ns / 1e9);
	t->is_out_of_time = true;
	wk_tunnel_cancel(t, "out of time");
}

bool
wk_tunnel_was_stopped(const struct wk_tunnel *t)
{
	return t->is_out_of_time || wk_signals_stopped() != 0;
}

int
wk_tunnel_init(struct wk_tunnel *t, const struct wk_tunnel_options *opt,
    const struct wk_tunnel_handler *handler, void *arg)
{
	struct wk_client_options *c = &t->client_options;
	int rc;

	memset(t, 0, sizeof(*t));
	t->options = *opt;
	t->handler = handler;
	t->arg = arg;
	t->events = handler->stream;
	t->events.closed = on_closed;
	if (wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	signal(SIGPIPE, SIG_IGN);	/* sockets and TLS write, too */
	rc = wk_tunnel_request_init(&t->request, opt);
	if (rc != WK_EXIT_OK)
		return rc;
	c->scheme = t->request.url.scheme;
	c->host = t->request.url.host;
	c->port = t->request.url.port;
	c->versions = opt->versions;
	wk_session_limits_default(&c->limits);
	c->stall_timeout_ns = STALL_TIMEOUT_NS;
	c->trace_level = (int)wk_cli.verbose;
	rc = wk_net_client_apply(opt->net, t->request.url.is_tls, c,
	    &t->storage);
	if (rc == WK_EXIT_OK && (t->loop = wk_loop_new()) == NULL) {
		wk_warn_errno(errno, "event loop");
		rc = WK_EXIT_SYSTEM;
	}
	if (rc != WK_EXIT_OK)
		wk_tunnel_free(t);
	return rc;
}

int
wk_tunnel_run(struct wk_tunnel *t)
{
	struct wk_error error;

	t->client = wk_client_new(t->loop, &t->client_options,
	    &client_handler, t, &error);
	if (t->client == NULL) {
		wk_warn("%s: %s", t->options.url, error.reason);
		return error.status == WK_E_NOMEM ? WK_EXIT_SYSTEM :
		    WK_EXIT_USAGE;
	}
	wk_io_init(&t->signals, t->loop, wk_signals_fd(), on_signal, t);
	wk_io_watch(&t->signals, WK_IO_READ);
	wk_timer_init(&t->max_time, t->loop, on_max_time, t);
	if (t->options.net->max_time_ns > 0)
		wk_timer_set(&t->max_time, wk_loop_now_ns(t->loop) +
		    t->options.net->max_time_ns);
	wk_timer_init(&t->answer, t->loop, on_answer_late, t);
	wk_timer_set(&t->answer, wk_loop_now_ns(t->loop) +
	    t->client_options.dial.timeout_ns);
	wk_loop_run(t->loop);
	wk_timer_set(&t->answer, WK_NEVER);
	wk_timer_set(&t->max_time, WK_NEVER);
	wk_io_watch(&t->signals, 0);
	t->is_deleting = true;
	wk_client_del(t->client);
	t->client = NULL;
	return t->rc;
}

void
wk_tunnel_free(struct wk_tunnel *t)
{
	wk_tls_credentials_del(t->client_options.credentials);
	wk_loop_del(t->loop);
	wk_tunnel_request_free(&t->request);
}
