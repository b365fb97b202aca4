/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/capsule-cat/outlet.h"
#include "cmd/capsule-cat/visits.h"
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
	struct visits visits;
	uint64_t n_served, n_refused;
	bool is_draining;
};

/* --- tunnels -------------------------------------------------------------- */

static void
leave(struct listener *l)
{
	if (l->is_draining)
		return;
	l->is_draining = true;
	wk_server_drain(l->server, wk_loop_now_ns(l->loop) + DRAIN_NS);
}

static void
on_served(void *arg)
{
	struct listener *l = arg;

	l->n_served++;
	if (l->opt->count > 0 && l->n_served >= l->opt->count)
		leave(l);
}

/* Nobody reads what we show: that was what we are for. */
static void
on_output_failed(void *arg)
{
	wk_loop_stop(((struct listener *)arg)->loop);
}

static void
on_drained(void *arg)
{
	visits_drained(&((struct listener *)arg)->visits);
}

static const struct visits_handler visits_handler = {
	.served = on_served,
	.failed = on_output_failed,
};

/* --- requests ------------------------------------------------------------- */

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
	return l->visits.n_open >= l->server_options.max_connections ? 503 : 0;
}

static bool
is_let_in(struct listener *l, struct wk_stream *s, const struct wk_message *m)
{
	char text[WK_ACCESS_CHALLENGE_MAX];
	struct wk_field challenge;
	bool is_proxy_field;
	uint16_t status;

	if (l->auth == NULL || wk_access_auth_check(l->auth, m,
	    &is_proxy_field))
		return true;
	status = wk_access_auth_challenge("capsule-cat", is_proxy_field, text,
	    &challenge);
	refuse(l, s, status, &challenge);
	return false;
}

static void
welcome(struct listener *l, struct wk_stream *s)
{
	const struct wk_field fields[] = { wk_field_of("capsule-protocol", "?1") };
	const struct wk_message m = {
		.status = 200, .fields = fields, .n_fields = 1,
	};

	if (!visits_begin(&l->visits, s)) {
		refuse(l, s, 503, NULL);
		return;
	}
	if (wk_stream_respond(s, &m, false, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot answer");
}

static void
on_request(struct wk_server *server, struct wk_stream *s,
    const struct wk_message *m)
{
	struct listener *l = wk_server_arg(server);
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
	wk_json_uint("tunnels", l->proxy != NULL ? p->opened : l->visits.n_begun);
	wk_json_uint("open", l->proxy != NULL ? p->open : l->visits.n_open);
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
		    PRIu64 " refused", l->n_served, l->visits.n_open,
		    l->n_refused);
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
		.closed = on_served,
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
	struct wk_server_options *o = &l->server_options;
	struct wk_error error;
	int rc;

	wk_server_options_default(o);
	o->versions = options_versions(l->opt);
	o->trace_level = (int)wk_cli.verbose;
	visits_init(&l->visits, l->opt, &l->outlet, &visits_handler, l);
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
	if (l->outlet.out.io.loop != NULL) {
		visits_finish(&l->visits);
		if (!outlet_finish(&l->outlet, WK_NEVER))
			wk_out_fail(ETIMEDOUT);
	}
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
