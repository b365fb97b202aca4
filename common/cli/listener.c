/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/signals.h"

#define DRAIN_NS (5 * WK_NS_PER_SEC)
#define RESOLVE_TIMEOUT_NS (10 * WK_NS_PER_SEC)
#define IDLE_TIMEOUT_NS (120 * WK_NS_PER_SEC)
#define TUNNELS_DEFAULT 10000

/* --- tunnels -------------------------------------------------------------- */

void
wk_listener_leave(struct wk_listener *l)
{
	if (l->is_draining || l->server == NULL)
		return;
	l->is_draining = true;
	wk_server_drain(l->server, wk_loop_now_ns(l->loop) + DRAIN_NS);
}

void
wk_listener_served(struct wk_listener *l)
{
	l->n_served++;
	if (l->options.max_served > 0 && l->n_served >= l->options.max_served)
		wk_listener_leave(l);
}

static void
on_proxied(void *arg)
{
	wk_listener_served(arg);
}

/* How many tunnels of ours there may be. */
static uint64_t
limit(const struct wk_listener *l)
{
	return l->options.proxy->max_tunnels > 0 ?
	    l->options.proxy->max_tunnels : l->server_options.max_connections;
}

/* --- requests ------------------------------------------------------------- */

static void
refuse(struct wk_listener *l, struct wk_stream *s, unsigned status,
    const struct wk_field *extra)
{
	const struct wk_message m = {
		.status = (uint16_t)status,
		.protocol = wk_str_of(status == 426 ? l->options.protocol : ""),
		.fields = extra, .n_fields = extra != NULL,
	};

	l->n_refused++;
	if (wk_stream_respond(s, &m, true, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot answer");
}

/* What is wrong with a request for one of our own services; 0: nothing. */
static unsigned
judge(const struct wk_listener *l, const struct wk_stream *s,
    const struct wk_message *m)
{
	if (!wk_message_is_tunnel_request(m)) {
		if (wk_str_is(m->method, "CONNECT"))
			return 501;
		return wk_stream_version(s) == WK_HTTP_1_1 &&
		    wk_str_is(m->method, "GET") ? 426 : 405;
	}
	if (l->options.demands_protocol &&
	    !wk_str_is(m->protocol, l->options.protocol))
		return 501;
	if (wk_message_check_tunnel_fields(m, NULL) != WK_OK)
		return 400;
	return l->handler->kept(l->arg) >= limit(l) ? 503 : 0;
}

static bool
is_let_in(struct wk_listener *l, struct wk_stream *s,
    const struct wk_message *m)
{
	char text[WK_ACCESS_CHALLENGE_MAX];
	struct wk_field challenge;
	bool is_proxy_field;
	uint16_t status;

	if (l->auth == NULL || wk_access_auth_check(l->auth, m,
	    &is_proxy_field))
		return true;
	status = wk_access_auth_challenge(wk_cli.name, is_proxy_field, text,
	    &challenge);
	refuse(l, s, status, &challenge);
	return false;
}

static void
welcome(struct wk_listener *l, struct wk_stream *s, const struct wk_message *m)
{
	const struct wk_field fields[] = { wk_field_of("capsule-protocol", "?1") };
	const struct wk_message answer = {
		.status = 200, .fields = fields, .n_fields = 1,
	};

	if (!l->handler->begin(l->arg, s, m)) {
		refuse(l, s, 503, NULL);
		return;
	}
	l->n_begun++;
	if (wk_stream_respond(s, &answer, false, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot answer");
}

static void
on_request(struct wk_server *server, struct wk_stream *s,
    const struct wk_message *m)
{
	struct wk_listener *l = wk_server_arg(server);
	const struct wk_field allow = wk_field_of("allow", wk_stream_version(s) ==
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
		welcome(l, s, m);
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
on_server_drained(struct wk_server *server)
{
	wk_loop_stop(((struct wk_listener *)wk_server_arg(server))->loop);
}

static const struct wk_server_handler server_handler = {
	.request = on_request,
	.trace = on_trace,
	.drained = on_server_drained,
};

static void
report_json(const struct wk_server_counters *c,
    const struct wk_udp_proxy_counters *p, const struct wk_listener *l)
{
	wk_json_begin("summary");
	wk_json_uint("connections", c->accepted);
	wk_json_uint("requests", c->requests);
	wk_json_uint("broken", c->refused);
	wk_json_uint("tunnels", l->proxy != NULL ? p->opened : l->n_begun);
	wk_json_uint("open", l->proxy != NULL ? p->open : l->handler->kept(l->arg));
	wk_json_uint("refused", l->proxy != NULL ? p->refused : l->n_refused);
	if (l->proxy != NULL) {
		wk_json_uint("failed", p->failed);
		wk_json_uint("to_target", p->to_target);
		wk_json_uint("from_target", p->from_target);
		wk_json_uint("dropped_blocked", p->dropped_blocked);
		wk_json_uint("dropped_too_big", p->dropped_too_big);
		wk_json_uint("dropped_context", p->dropped_context);
	}
	if (l->handler->report_json != NULL)
		l->handler->report_json(l->arg);
	wk_json_end();
}

static void
report(struct wk_listener *l)
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
		    PRIu64 " refused", l->n_served, l->handler->kept(l->arg),
		    l->n_refused);
		if (l->handler->report != NULL)
			l->handler->report(l->arg);
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
	struct wk_listener *l = io->arg;
	unsigned signals = wk_signals_take();

	(void)events;
	if ((signals & WK_SIGNAL_REPORT) != 0)
		report(l);
	if ((signals & WK_SIGNAL_STOP) != 0) {
		wk_io_watch(io, 0);
		wk_listener_leave(l);
	}
}

static int
start_proxy(struct wk_listener *l)
{
	const struct wk_listener_options *opt = &l->options;
	const struct wk_udp_proxy_options options = {
		.name = wk_cli.name,
		.path = opt->template_text,
		.auth = l->auth,
		.targets = l->targets,
		.max_tunnels = opt->proxy->max_tunnels > 0 ?
		    (size_t)opt->proxy->max_tunnels : TUNNELS_DEFAULT,
		.idle_timeout_ns = opt->proxy->idle_timeout_ns ==
		    WK_NET_NO_TIMEOUT ? IDLE_TIMEOUT_NS :
		    opt->proxy->idle_timeout_ns,
		.resolve_timeout_ns = RESOLVE_TIMEOUT_NS,
		.note = on_note,
		.closed = on_proxied,
		.arg = l,
	};
	struct wk_error error;

	l->proxy = wk_udp_proxy_new(l->loop, &options, &error);
	return l->proxy != NULL ? WK_EXIT_OK :
	    wk_usage_error("--template %s: %s", opt->template_text,
	    error.reason);
}

static int
load_access(struct wk_listener *l)
{
	int rc = WK_EXIT_OK;

	l->targets = wk_net_targets(l->options.proxy);
	if (l->targets == NULL)
		return WK_EXIT_USAGE;
	if (l->options.auth != NULL)
		l->auth = wk_net_auth(l->options.auth, &rc);
	return rc;
}

int
wk_listener_init(struct wk_listener *l,
    const struct wk_listener_options *options,
    const struct wk_listener_handler *handler, void *arg)
{
	struct wk_server_options *o = &l->server_options;
	int rc;

	memset(l, 0, sizeof(*l));
	l->options = *options;
	l->handler = handler;
	l->arg = arg;
	l->loop = wk_loop_new();
	if (l->loop == NULL ||
	    wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_REPORT) != WK_OK) {
		wk_warn_errno(errno, "cannot start");
		wk_loop_del(l->loop);
		return WK_EXIT_SYSTEM;
	}
	signal(SIGPIPE, SIG_IGN);	/* sockets and TLS write, too */
	wk_io_init(&l->signals, l->loop, wk_signals_fd(), on_signal, l);
	wk_server_options_default(o);
	o->versions = options->versions;
	o->trace_level = (int)wk_cli.verbose;
	rc = wk_net_listen_apply(options->listen, options->identity, o,
	    l->addresses);
	if (rc == WK_EXIT_OK)
		rc = load_access(l);
	if (rc == WK_EXIT_OK && options->is_proxy)
		rc = start_proxy(l);
	if (rc == WK_EXIT_OK)
		return rc;
	wk_listener_close(l);
	wk_listener_free(l);
	return rc;
}

int
wk_listener_run(struct wk_listener *l)
{
	struct wk_error error;

	l->server = wk_server_new(l->loop, &l->server_options, &server_handler,
	    l, &error);
	if (l->server == NULL) {
		wk_warn("%s", error.reason);
		return WK_EXIT_SYSTEM;
	}
	wk_net_listen_announce(l->server, l->server_options.credentials);
	wk_io_watch(&l->signals, WK_IO_READ);
	wk_loop_run(l->loop);
	report(l);
	return WK_EXIT_OK;
}

void
wk_listener_close(struct wk_listener *l)
{
	wk_io_watch(&l->signals, 0);
	l->is_draining = true;	/* nothing more to begin */
	wk_udp_proxy_del(l->proxy);
	l->proxy = NULL;
	wk_server_del(l->server);
	l->server = NULL;
}

void
wk_listener_free(struct wk_listener *l)
{
	wk_tls_credentials_del(l->server_options.credentials);
	wk_access_auth_del(l->auth);
	wk_access_targets_del(l->targets);
	wk_loop_del(l->loop);
}
