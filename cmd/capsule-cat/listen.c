/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/outlet.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/net/udp_proxy.h"

#define DRAIN_NS (5 * WK_NS_PER_SEC)
#define RESOLVE_TIMEOUT_NS (10 * WK_NS_PER_SEC)
#define IDLE_TIMEOUT_NS (120 * WK_NS_PER_SEC)
#define TUNNELS_DEFAULT 10000
/* Capsules become text that is many times longer: in pieces, then. */
#define SLICE_OCTETS 4096

struct listener {
	const struct options *opt;
	struct wk_loop *loop;
	struct wk_server_options server_options;
	struct wk_address addresses[WK_NET_ADDRESSES_MAX];
	struct wk_server *server;
	struct wk_access_auth *auth;
	struct wk_access_targets *targets;
	struct wk_udp_proxy *proxy;
	struct outlet outlet;
	struct wk_io signals;
	const struct wk_stream_handler *service;
	struct visit *visits;	/* those open */
	uint64_t n_open, n_served, n_refused, n_welcome;
	bool is_draining;
};

/* One tunnel that we answer ourselves. */
struct visit {
	struct listener *l;
	struct wk_stream *stream;	/* NULL: over, not all is shown yet */
	char name[WK_ADDRESS_TEXT_MAX + 32];
	/*
	 * Echo: what the peer did not take back yet. Dump: what our reader has
	 * no room for. No more than the window, as it is consumed only then.
	 */
	struct wk_buf rest;
	size_t n_taken;		/* of the rest */
	struct decoder decoder;	/* dump */
	bool is_decoding, has_ended;
	bool is_shown;		/* dump: all that there is to show */
	struct visit *prev, *next;
};

/* --- visits --------------------------------------------------------------- */

static void
leave(struct listener *l)
{
	if (l->is_draining)
		return;
	l->is_draining = true;
	wk_server_drain(l->server, wk_loop_now_ns(l->loop) + DRAIN_NS);
}

static void
tunnel_over(struct listener *l)
{
	l->n_served++;
	if (l->opt->count > 0 && l->n_served >= l->opt->count)
		leave(l);
}

static void
visit_del(struct visit *v)
{
	struct listener *l = v->l;

	if (v->is_decoding) {
		if (!v->is_shown)
			decoder_finish(&v->decoder, false);
		decoder_free(&v->decoder);
		wk_out_flush();
	}
	wk_buf_free(&v->rest);
	if (v->prev != NULL)
		v->prev->next = v->next;
	else
		l->visits = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	l->n_open--;
	free(v);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct visit *v = wk_stream_arg(s);
	struct listener *l = v->l;

	if (end != NULL)
		wk_verbose(1, "%s: %s", v->name, end->reason);
	v->stream = NULL;
	if (!v->is_decoding || v->is_shown || v->rest.len == 0)
		visit_del(v);
	tunnel_over(l);
}

/* --- echo ----------------------------------------------------------------- */

/* Keep what is not taken: no more than the peer's window, as it is consumed */
/* only when it goes. */
static void
echo(struct visit *v, const uint8_t *data, size_t len)
{
	ssize_t n = 0;

	if (v->rest.len == 0)
		n = wk_stream_write(v->stream, data, len);
	if (n < 0)
		return;
	if ((size_t)n < len && wk_buf_append(&v->rest, data + n,
	    len - (size_t)n) != WK_OK) {
		wk_stream_reset(v->stream, WK_STREAM_INTERNAL, "out of memory");
		return;
	}
	wk_stream_consume(v->stream, (size_t)n);
}

static void
echo_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	echo(wk_stream_arg(s), data, len);
}

static void
echo_writable(struct wk_stream *s)
{
	struct visit *v = wk_stream_arg(s);
	struct wk_buf rest = v->rest;

	wk_buf_init(&v->rest, SIZE_MAX);
	echo(v, rest.data, rest.len);
	wk_buf_free(&rest);
	if (v->has_ended && v->rest.len == 0)
		wk_stream_finish(s);
}

static void
echo_end(struct wk_stream *s)
{
	struct visit *v = wk_stream_arg(s);

	v->has_ended = true;
	if (v->rest.len == 0)
		wk_stream_finish(s);
}

static const struct wk_stream_handler echo_handler = {
	.data = echo_data, .end = echo_end, .writable = echo_writable,
	.closed = on_closed,
};

/* --- discard -------------------------------------------------------------- */

static void
discard_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	(void)data;
	wk_stream_consume(s, len);
}

static void
discard_end(struct wk_stream *s)
{
	wk_stream_finish(s);
}

static const struct wk_stream_handler discard_handler = {
	.data = discard_data, .end = discard_end, .closed = on_closed,
};

/* --- dump ----------------------------------------------------------------- */

/* Nobody reads what we show: that was what we are for. */
static void
on_output_failed(void *arg)
{
	wk_loop_stop(((struct listener *)arg)->loop);
}

/* The peer has finished, and all it sent is shown. */
static void
dump_finish(struct visit *v)
{
	int rc = decoder_finish(&v->decoder, true);

	v->is_shown = true;
	wk_out_flush();
	if (v->stream == NULL)
		return;
	if (rc != WK_EXIT_OK)
		wk_stream_reset(v->stream, WK_STREAM_MALFORMED,
		    "the stream ends inside a capsule");
	else
		wk_stream_finish(v->stream);
}

/* As far as our reader has room; returns how much of it was taken. */
static size_t
dump_some(struct visit *v, const uint8_t *data, size_t len)
{
	size_t taken = 0, n;

	while (taken < len && !v->is_shown &&
	    outlet_pending(&v->l->outlet) <= OUTLET_LOW) {
		n = len - taken < SLICE_OCTETS ? len - taken : SLICE_OCTETS;
		if (decoder_feed(&v->decoder, data + taken, n) !=
		    WK_EXIT_OK) {
			v->is_shown = true;
			if (v->stream != NULL)
				wk_stream_reset(v->stream,
				    WK_STREAM_MALFORMED, "malformed");
		}
		taken += n;
		if (wk_out_flush() != WK_OK) {
			on_output_failed(v->l);
			v->is_shown = true;
		} else if (v->stream != NULL) {
			wk_stream_consume(v->stream, n);
		}
	}
	return taken;
}

static void
dump_rest(struct visit *v)
{
	v->n_taken += dump_some(v, v->rest.data + v->n_taken,
	    v->rest.len - v->n_taken);
	if (v->n_taken < v->rest.len && !v->is_shown)
		return;
	wk_buf_clear(&v->rest);
	v->n_taken = 0;
	if (v->has_ended && !v->is_shown)
		dump_finish(v);
}

static void
dump_end(struct wk_stream *s)
{
	struct visit *v = wk_stream_arg(s);

	v->has_ended = true;
	if (v->rest.len == 0 && !v->is_shown)
		dump_finish(v);
}

static void
dump_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct visit *v = wk_stream_arg(s);
	size_t taken = 0;

	if (v->rest.len == 0)
		taken = dump_some(v, data, len);
	if (v->is_shown || taken == len)
		return;
	if (wk_buf_append(&v->rest, data + taken, len - taken) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "out of memory");
}

static const struct wk_stream_handler dump_handler = {
	.data = dump_data, .end = dump_end, .closed = on_closed,
};

/* Our reader took what there was: so may all senders go on. */
static void
on_drained(void *arg)
{
	struct listener *l = arg;
	struct visit *v, *next;

	for (v = l->visits; v != NULL; v = next) {
		next = v->next;
		if (v->rest.len == 0 || !v->is_decoding)
			continue;
		dump_rest(v);
		if (v->stream == NULL && v->rest.len == 0)
			visit_del(v);
	}
}

/* --- requests ------------------------------------------------------------- */

static struct wk_field
field(const char *name, const char *value)
{
	return (struct wk_field){ wk_str_of(name), wk_str_of(value) };
}

static void
refuse(struct listener *l, struct wk_stream *s, unsigned status,
    const struct wk_field *extra)
{
	const struct wk_message m = {
		.status = (uint16_t)status,
		.protocol = wk_str_of(status == 426 ? l->opt->protocol : ""),
		.fields = extra, .n_fields = extra != NULL,
	};

	l->n_refused++;
	if (wk_stream_respond(s, &m, true, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot answer");
}

/* What is wrong with a request for one of our own services; 0: nothing. */
static unsigned
judge(const struct listener *l, const struct wk_stream *s,
    const struct wk_message *m)
{
	if (!wk_message_is_tunnel_request(m)) {
		if (wk_str_is(m->method, "CONNECT"))
			return 501;
		return wk_stream_version(s) == WK_HTTP_1_1 &&
		    wk_str_is(m->method, "GET") ? 426 : 405;
	}
	if (l->opt->has_protocol && !wk_str_is(m->protocol, l->opt->protocol))
		return 501;
	if (wk_message_check_tunnel_fields(m, NULL) != WK_OK)
		return 400;
	return l->n_open >= l->server_options.max_connections ? 503 : 0;
}

static bool
is_let_in(struct listener *l, struct wk_stream *s, const struct wk_message *m)
{
	struct wk_field challenge = field("www-authenticate",
	    "Basic realm=\"capsule-cat\", Bearer realm=\"capsule-cat\"");
	bool is_proxy_field;

	if (l->auth == NULL || wk_access_auth_check(l->auth, m,
	    &is_proxy_field))
		return true;
	if (is_proxy_field)
		challenge.name = wk_str_of("proxy-authenticate");
	refuse(l, s, is_proxy_field ? 407 : 401, &challenge);
	return false;
}

static struct visit *
visit_new(struct listener *l, struct wk_stream *s)
{
	struct visit *v = calloc(1, sizeof(*v));
	char peer[WK_ADDRESS_TEXT_MAX];

	if (v == NULL)
		return NULL;
	v->l = l;
	v->stream = s;
	snprintf(v->name, sizeof(v->name), "%s stream %" PRIu64,
	    wk_address_text(wk_server_peer(s), peer), wk_stream_id(s));
	wk_buf_init(&v->rest, SIZE_MAX);
	v->is_decoding = l->service == &dump_handler;
	if (v->is_decoding)
		decoder_init(&v->decoder, l->opt, v->name, true);
	v->next = l->visits;
	if (v->next != NULL)
		v->next->prev = v;
	l->visits = v;
	l->n_open++;
	l->n_welcome++;
	return v;
}

static void
welcome(struct listener *l, struct wk_stream *s)
{
	const struct wk_field fields[] = { field("capsule-protocol", "?1") };
	const struct wk_message m = {
		.status = 200, .fields = fields, .n_fields = 1,
	};
	struct visit *v = visit_new(l, s);

	if (v == NULL) {
		refuse(l, s, 503, NULL);
		return;
	}
	wk_stream_handle(s, l->service, v);
	if (wk_stream_respond(s, &m, false, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot answer");
}

static void
on_request(struct wk_server *server, struct wk_stream *s,
    const struct wk_message *m)
{
	struct listener *l = wk_server_arg(server);
	const struct wk_field allow = field("allow", wk_stream_version(s) ==
	    WK_HTTP_1_1 ? "GET" : "CONNECT");
	unsigned status;

	if (l->proxy != NULL) {
		wk_udp_proxy_request(l->proxy, s, m);
		return;
	}
	status = judge(l, s, m);
	if (status != 0)
		refuse(l, s, status, status == 405 ? &allow : NULL);
	else if (is_let_in(l, s, m))
		welcome(l, s);
}

/* --- the whole ------------------------------------------------------------ */

static void
on_trace(struct wk_server *server, const char *peer, enum wk_trace kind,
    uint64_t stream_id, const char *text)
{
	static const char marks[] = {
		[WK_TRACE_NOTE] = '*',
		[WK_TRACE_SENT] = '>', [WK_TRACE_RECEIVED] = '<',
		[WK_TRACE_FRAME_SENT] = '>', [WK_TRACE_FRAME_RECEIVED] = '<',
	};
	struct wk_buf line;

	(void)server;
	(void)stream_id;
	wk_buf_init(&line, SIZE_MAX);
	wk_buf_printf(&line, "%s %s", peer, text);
	if (wk_buf_append(&line, "", 1) == WK_OK)
		wk_verbose_line(kind >= WK_TRACE_FRAME_SENT ? 2 : 1,
		    marks[kind], (const char *)line.data);
	wk_buf_free(&line);
}

static void
on_note(void *arg, const struct wk_stream *s, const char *text)
{
	char peer[WK_ADDRESS_TEXT_MAX];

	(void)arg;
	wk_verbose(1, "%s stream %" PRIu64 ": %s",
	    wk_address_text(wk_server_peer(s), peer), wk_stream_id(s), text);
}

static void
on_tunnel_closed(void *arg)
{
	tunnel_over(arg);
}

static void
on_server_drained(struct wk_server *server)
{
	wk_loop_stop(((struct listener *)wk_server_arg(server))->loop);
}

static const struct wk_server_handler server_handler = {
	.request = on_request,
	.trace = on_trace,
	.drained = on_server_drained,
};

static void
report_json(const struct wk_server_counters *c,
    const struct wk_udp_proxy_counters *p, const struct listener *l)
{
	wk_json_begin("summary");
	wk_json_uint("connections", c->accepted);
	wk_json_uint("requests", c->requests);
	wk_json_uint("broken", c->refused);
	wk_json_uint("tunnels", l->proxy != NULL ? p->opened : l->n_welcome);
	wk_json_uint("open", l->proxy != NULL ? p->open : l->n_open);
	wk_json_uint("refused", l->proxy != NULL ? p->refused : l->n_refused);
	if (l->proxy != NULL) {
		wk_json_uint("failed", p->failed);
		wk_json_uint("to_target", p->to_target);
		wk_json_uint("from_target", p->from_target);
		wk_json_uint("dropped_blocked", p->dropped_blocked);
		wk_json_uint("dropped_too_big", p->dropped_too_big);
		wk_json_uint("dropped_context", p->dropped_context);
	}
	wk_json_end();
}

static void
report(struct listener *l)
{
	struct wk_udp_proxy_counters p = { .opened = 0 };
	struct wk_server_counters c;

	wk_server_counters(l->server, &c);
	if (l->proxy != NULL)
		wk_udp_proxy_counters(l->proxy, &p);
	if (wk_cli.is_json)
		report_json(&c, &p, l);
	wk_notice("%" PRIu64 " connections, %" PRIu64 " requests, %" PRIu64
	    " broken", c.accepted, c.requests, c.refused);
	if (l->proxy == NULL) {
		wk_notice("%" PRIu64 " tunnels served, %" PRIu64 " open, %"
		    PRIu64 " refused", l->n_served, l->n_open, l->n_refused);
		return;
	}
	wk_notice("%" PRIu64 " tunnels opened, %zu open, %" PRIu64
	    " refused, %" PRIu64 " failed", p.opened, p.open, p.refused,
	    p.failed);
	wk_notice("packets: %" PRIu64 " to targets, %" PRIu64 " from targets, %"
	    PRIu64 " dropped (%" PRIu64 " for a slow client, %" PRIu64
	    " too big, %" PRIu64 " of unknown contexts)", p.to_target,
	    p.from_target, p.dropped_blocked + p.dropped_too_big +
	    p.dropped_context, p.dropped_blocked, p.dropped_too_big,
	    p.dropped_context);
}

static void
on_signal(struct wk_io *io, unsigned events)
{
	struct listener *l = io->arg;
	unsigned signals = wk_signals_take();

	(void)events;
	if ((signals & WK_SIGNAL_REPORT) != 0)
		report(l);
	if ((signals & WK_SIGNAL_STOP) != 0) {
		wk_io_watch(io, 0);
		leave(l);
	}
}

static int
start_proxy(struct listener *l)
{
	const struct options *opt = l->opt;
	const struct wk_udp_proxy_options options = {
		.name = "capsule-cat",
		.path = opt->template_text,
		.auth = l->auth,
		.targets = l->targets,
		.max_tunnels = opt->proxy.max_tunnels > 0 ?
		    (size_t)opt->proxy.max_tunnels : TUNNELS_DEFAULT,
		.idle_timeout_ns = opt->proxy.idle_timeout_ns ==
		    OPTIONS_NO_LINGER ? IDLE_TIMEOUT_NS :
		    opt->proxy.idle_timeout_ns,
		.resolve_timeout_ns = RESOLVE_TIMEOUT_NS,
		.note = on_note,
		.closed = on_tunnel_closed,
		.arg = l,
	};
	struct wk_error error;

	l->proxy = wk_udp_proxy_new(l->loop, &options, &error);
	return l->proxy != NULL ? WK_EXIT_OK :
	    wk_usage_error("--template %s: %s", opt->template_text,
	    error.reason);
}

static int
load_access(struct listener *l)
{
	int rc = WK_EXIT_OK;

	l->targets = wk_net_targets(&l->opt->proxy);
	if (l->targets == NULL)
		return WK_EXIT_USAGE;
	if (l->opt->auth != NULL)
		l->auth = wk_net_auth(l->opt->auth, &rc);
	return rc;
}

static int
start(struct listener *l)
{
	static const struct wk_stream_handler *const services[] = {
		[SERVE_DUMP] = &dump_handler, [SERVE_ECHO] = &echo_handler,
		[SERVE_DISCARD] = &discard_handler, [SERVE_PROXY] = NULL,
	};
	struct wk_server_options *o = &l->server_options;
	struct wk_error error;
	int rc;

	wk_server_options_default(o);
	o->versions = options_versions(l->opt);
	o->trace_level = (int)wk_cli.verbose;
	l->service = services[l->opt->serve];
	rc = wk_net_listen_apply(&l->opt->listen, &l->opt->net, o,
	    l->addresses);
	if (rc == WK_EXIT_OK)
		rc = load_access(l);
	if (rc == WK_EXIT_OK && l->opt->serve == SERVE_PROXY)
		rc = start_proxy(l);
	if (rc != WK_EXIT_OK)
		return rc;
	if (outlet_init(&l->outlet, l->loop, on_drained, on_output_failed,
	    l) != WK_OK)
		return WK_EXIT_SYSTEM;
	l->server = wk_server_new(l->loop, o, &server_handler, l, &error);
	if (l->server == NULL) {
		wk_warn("%s", error.reason);
		return WK_EXIT_SYSTEM;
	}
	wk_net_listen_announce(l->server, o->credentials);
	return WK_EXIT_OK;
}

/* What arrived and was not shown, and what was not read: before the end. */
static void
finish_output(struct listener *l)
{
	while (l->visits != NULL && !wk_out_has_failed() &&
	    outlet_drain(&l->outlet, OUTLET_LOW))
		on_drained(l);
	while (l->visits != NULL)
		visit_del(l->visits);
	if (!outlet_finish(&l->outlet, WK_NEVER))
		wk_out_fail(ETIMEDOUT);
}

static void
stop(struct listener *l)
{
	wk_io_watch(&l->signals, 0);
	l->is_draining = true;	/* nothing more to begin */
	wk_udp_proxy_del(l->proxy);
	wk_server_del(l->server);
	wk_tls_credentials_del(l->server_options.credentials);
	wk_access_auth_del(l->auth);
	wk_access_targets_del(l->targets);
	if (l->outlet.out.io.loop != NULL)
		finish_output(l);
	wk_loop_del(l->loop);
}

int
serve(const struct options *opt)
{
	struct listener *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL || (l->loop = wk_loop_new()) == NULL ||
	    wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_REPORT) != WK_OK) {
		wk_warn_errno(errno, "cannot start");
		free(l);
		return WK_EXIT_SYSTEM;
	}
	signal(SIGPIPE, SIG_IGN);	/* sockets and TLS write, too */
	l->opt = opt;
	wk_io_init(&l->signals, l->loop, wk_signals_fd(), on_signal, l);
	wk_io_watch(&l->signals, WK_IO_READ);
	rc = start(l);
	if (rc == WK_EXIT_OK) {
		wk_loop_run(l->loop);
		report(l);
	}
	stop(l);
	free(l);
	return rc;
}
