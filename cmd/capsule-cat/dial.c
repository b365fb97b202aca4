/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/dial.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"

#define STALL_TIMEOUT_NS (60 * WK_NS_PER_SEC)
#define GOODBYE_NS (2 * WK_NS_PER_SEC)	/* when cancelled, to tell the peer */

/* One message for one cause: the first. */
static void __attribute__((format(printf, 3, 4)))
fail(struct dial *d, int rc, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (d->was_told || d->is_cancelled)
		return;
	d->was_told = true;
	d->rc = rc;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	wk_warn("%s: %s", d->opt->url, text);
}

/* --- the answer ----------------------------------------------------------- */

/* The status in words, and what the proxy adds (RFC 9209). */
static void
refused(struct dial *d, const struct wk_message *m)
{
	const struct wk_field *status = wk_message_find(m, "proxy-status", NULL);
	const char *reason = wk_message_reason(m->status);
	struct wk_buf text;

	wk_buf_init(&text, 800);
	if (status != NULL) {
		wk_buf_printf(&text, "; proxy-status: ");
		wk_text_escape(&text, status->value.at, status->value.len, 0);
		text.status = WK_OK;	/* a long one is cut */
	}
	fail(d, WK_EXIT_REFUSED, "the tunnel was refused: %u%s%s%.*s",
	    m->status, *reason != '\0' ? " " : "", reason, (int)text.len,
	    (const char *)text.data);
	wk_buf_free(&text);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct dial *d = wk_stream_arg(s);

	wk_timer_set(&d->answer, WK_NEVER);
	if (!m->opens_tunnel) {
		refused(d, m);
		wk_stream_reset(s, WK_STREAM_NO_ERROR, "refused");
		return;
	}
	d->is_open = true;
	wk_verbose(1, "tunnel open over %s%s",
	    wk_http_version_text(wk_stream_version(s)),
	    wk_message_has_capsule_protocol(m) ? "" :
	    ", without Capsule-Protocol in the answer");
	wk_stream_handle(s, &d->events, d);
	d->handler->open(d, s);
}

static const char *
code_text(enum wk_stream_code code)
{
	static const char *const texts[] = {
		[WK_STREAM_NO_ERROR] = "no error",
		[WK_STREAM_CANCEL] = "cancelled",
		[WK_STREAM_MALFORMED] = "it found our message malformed",
		[WK_STREAM_DATAGRAM] = "it found our datagram malformed",
		[WK_STREAM_CONNECT] = "its connection to the target failed",
		[WK_STREAM_REFUSED] = "not processed",
		[WK_STREAM_OVERLOAD] = "too much load",
		[WK_STREAM_INTERNAL] = "internal error",
		[WK_STREAM_OTHER] = "another reason",
	};

	return (size_t)code < sizeof(texts) / sizeof(texts[0]) &&
	    texts[code] != NULL ? texts[code] : "";
}

static void
explain(struct dial *d, const struct wk_stream_end *end)
{
	switch (end->code) {
	case WK_STREAM_UNSUPPORTED:
		fail(d, WK_EXIT_REFUSED, "%s", end->reason);
		break;
	case WK_STREAM_LOST:
		fail(d, WK_EXIT_NETWORK, "%s", end->reason);
		break;
	default:
		if (end->is_ours)
			fail(d, WK_EXIT_PROTOCOL, "%s", end->reason);
		else
			fail(d, d->is_open ? WK_EXIT_NETWORK : WK_EXIT_REFUSED,
			    "the peer reset the tunnel: %s (%s, code 0x%" PRIx64
			    ")", code_text(end->code), end->reason,
			    end->wire_code);
	}
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct dial *d = wk_stream_arg(s);

	d->stream = NULL;
	d->handler->over(d);
	if (end != NULL)
		explain(d, end);
	if (!d->is_deleting)
		wk_client_shutdown(d->client);
}

static const struct wk_stream_handler early = {
	.head = on_head,
	.closed = on_closed,
};

void *
dial_arg(const struct wk_stream *s)
{
	const struct dial *d = wk_stream_arg(s);

	return d->arg;
}

/* --- the connection ------------------------------------------------------- */

static void
on_connected(struct wk_client *client, struct wk_session *session)
{
	struct dial *d = wk_client_arg(client);
	struct wk_error error;

	d->stream = wk_session_request(session, &d->request.message, true,
	    &early, d, &error);
	if (d->stream == NULL) {
		fail(d, WK_EXIT_NETWORK, "%s", error.reason);
		wk_client_shutdown(client);
	}
}

static void
on_client_closed(struct wk_client *client, enum wk_client_failure failure,
    const char *reason)
{
	struct dial *d = wk_client_arg(client);

	if (reason != NULL)
		fail(d, wk_net_exit(failure), "%s", reason);
	wk_loop_stop(d->loop);
}

static void
on_trace(struct wk_client *client, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	static const struct {
		unsigned level;
		char mark;
	} lines[] = {
		[WK_TRACE_NOTE] = { 1, '*' },
		[WK_TRACE_SENT] = { 1, '>' },
		[WK_TRACE_RECEIVED] = { 1, '<' },
		[WK_TRACE_FRAME_SENT] = { 2, '>' },
		[WK_TRACE_FRAME_RECEIVED] = { 2, '<' },
	};

	(void)client;
	(void)stream_id;
	wk_verbose_line(lines[kind].level, lines[kind].mark, text);
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
	struct dial *d = timer->arg;

	if (d->stream == NULL)
		return;
	fail(d, WK_EXIT_NETWORK, "no answer after %g s (--connect-timeout)",
	    (double)d->client_options.dial.timeout_ns / 1e9);
	dial_cancel(d, "no answer");
}

void
dial_cancel(struct dial *d, const char *reason)
{
	if (d->is_cancelled)
		return;
	d->is_cancelled = true;
	if (d->stream == NULL) {
		wk_loop_stop(d->loop);
		return;
	}
	wk_stream_reset(d->stream, WK_STREAM_CANCEL, reason);
	/* The peer may take nothing any more, and shall not keep us. */
	wk_timer_set(&d->max_time, wk_loop_now_ns(d->loop) + GOODBYE_NS);
}

void
dial_hush(struct dial *d)
{
	d->was_told = true;
}

static void
on_signal(struct wk_io *io, unsigned events)
{
	(void)events;
	wk_signals_take();
	if (wk_signals_stopped() != 0) {
		wk_io_watch(io, 0);
		dial_cancel(io->arg, "interrupted");
	}
}

static void
on_max_time(struct wk_timer *timer)
{
	struct dial *d = timer->arg;

	if (d->is_cancelled) {
		wk_loop_stop(d->loop);
		return;
	}
	/* What was still to be said, a goodbye, is nobody's goal. */
	if (!d->is_open || d->stream != NULL)
		fail(d, WK_EXIT_NETWORK, "not done after %g s (--max-time)",
		    (double)d->opt->net.max_time_ns / 1e9);
	d->is_out_of_time = true;
	dial_cancel(d, "out of time");
}

bool
dial_was_stopped(const struct dial *d)
{
	return d->is_out_of_time || wk_signals_stopped() != 0;
}

int
dial_init(struct dial *d, const struct options *opt,
    const struct dial_handler *handler, void *arg)
{
	struct wk_client_options *c = &d->client_options;
	int rc;

	memset(d, 0, sizeof(*d));
	d->opt = opt;
	d->handler = handler;
	d->arg = arg;
	d->events = handler->stream;
	d->events.closed = on_closed;
	if (wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	signal(SIGPIPE, SIG_IGN);	/* sockets and TLS write, too */
	rc = request_init(&d->request, opt);
	if (rc != WK_EXIT_OK)
		return rc;
	c->scheme = d->request.url.scheme;
	c->host = d->request.url.host;
	c->port = d->request.url.port;
	c->versions = options_versions(opt);
	wk_session_limits_default(&c->limits);
	c->stall_timeout_ns = STALL_TIMEOUT_NS;
	c->trace_level = (int)wk_cli.verbose;
	rc = wk_net_client_apply(&opt->net, d->request.url.is_tls, c,
	    &d->storage);
	if (rc == WK_EXIT_OK && (d->loop = wk_loop_new()) == NULL) {
		wk_warn_errno(errno, "event loop");
		rc = WK_EXIT_SYSTEM;
	}
	if (rc != WK_EXIT_OK)
		dial_free(d);
	return rc;
}

int
dial_run(struct dial *d)
{
	struct wk_error error;

	d->client = wk_client_new(d->loop, &d->client_options,
	    &client_handler, d, &error);
	if (d->client == NULL) {
		wk_warn("%s: %s", d->opt->url, error.reason);
		return error.status == WK_E_NOMEM ? WK_EXIT_SYSTEM :
		    WK_EXIT_USAGE;
	}
	wk_io_init(&d->signals, d->loop, wk_signals_fd(), on_signal, d);
	wk_io_watch(&d->signals, WK_IO_READ);
	wk_timer_init(&d->max_time, d->loop, on_max_time, d);
	if (d->opt->net.max_time_ns > 0)
		wk_timer_set(&d->max_time, wk_loop_now_ns(d->loop) +
		    d->opt->net.max_time_ns);
	wk_timer_init(&d->answer, d->loop, on_answer_late, d);
	wk_timer_set(&d->answer, wk_loop_now_ns(d->loop) +
	    d->client_options.dial.timeout_ns);
	wk_loop_run(d->loop);
	wk_timer_set(&d->answer, WK_NEVER);
	wk_timer_set(&d->max_time, WK_NEVER);
	wk_io_watch(&d->signals, 0);
	d->is_deleting = true;
	wk_client_del(d->client);
	d->client = NULL;
	return d->rc;
}

void
dial_free(struct dial *d)
{
	wk_tls_credentials_del(d->client_options.credentials);
	wk_loop_del(d->loop);
	request_free(&d->request);
}
