/* SPDX-License-Identifier: MIT */
/*
 * Connections are dialled as streams are needed: one is enough for HTTP/2 and
 * HTTP/3, HTTP/1.1 needs one for each tunnel. One that is lost takes its
 * tunnels along, and their clients' next packets dial another.
 */
#include "config.h"

#include "cmd/h3dgram/forward.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/h3dgram/datagrams.h"
#include "cmd/h3dgram/users.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/cli/tunnel_request.h"

#define USERS_DEFAULT 10000
#define IDLE_TIMEOUT_NS (120 * WK_NS_PER_SEC)
#define STALL_TIMEOUT_NS (60 * WK_NS_PER_SEC)
#define REFUSED_NS (2 * WK_NS_PER_SEC)	/* then it may be asked again */
#define REDIAL_NS WK_NS_PER_SEC		/* at first; doubled up to */
#define REDIAL_MAX_NS (30 * WK_NS_PER_SEC)

struct forward {
	const struct options *opt;
	struct wk_loop *loop;
	struct wk_tunnel_request request;
	struct wk_client_options client_options;
	struct wk_net_dial storage;
	struct wk_io signals;
	struct wk_timer max_time;
	struct uplink *first;
	bool has_connected;	/* once: what comes later may pass */
	bool is_ending;
	uint64_t redial_ns;	/* not before */
	uint64_t patience_ns;	/* between two attempts */
	uint64_t idle_ns;
	uint64_t n_tunnels, n_refused, n_open, n_blocked, n_unsent;
	int rc;
	struct users users;
	struct datagrams datagrams;
};

struct uplink {
	struct forward *forward;
	struct wk_client *client;
	struct wk_session *session;	/* NULL: not connected yet */
	size_t n_streams;
	bool is_leaving;
	struct uplink *prev, *next;
};

static void seek(struct forward *f, struct user *u);

static void
end(struct forward *f, int rc)
{
	if (f->rc == WK_EXIT_OK)
		f->rc = rc;
	wk_loop_stop(f->loop);
}

/* --- one client's tunnel -------------------------------------------------- */

static void
to_tunnel(struct user *u, const uint8_t *data, size_t len)
{
	struct forward *f = u->users->arg;

	switch (datagrams_send(&f->datagrams, u->stream, f->opt->context_id,
	    data, len)) {
	case DATAGRAMS_BLOCKED:
		f->n_blocked++;		/* as a router would */
		break;
	case DATAGRAMS_FAILED:
		end(f, WK_EXIT_NO);
		break;
	default:
		break;
	}
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct user *u = wk_stream_arg(s);
	struct forward *f = u->users->arg;
	struct wk_datagram d;

	if (!datagrams_take(&f->datagrams, s, data, len, &d))
		return;
	user_stay(u, f->idle_ns);
	if (!user_send(u, d.payload, d.payload_len))
		f->n_unsent++;
}

static void
refused(struct user *u, const char *why)
{
	struct forward *f = u->users->arg;
	char text[WK_ADDRESS_TEXT_MAX];

	u->state = USER_REFUSED;
	f->n_refused++;
	wk_warn("%s: for %s: %s", f->opt->url,
	    wk_address_text(&u->address, text), why);
	user_stay(u, REFUSED_NS);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct user *u = wk_stream_arg(s);
	struct forward *f = u->users->arg;
	char text[WK_TUNNEL_REASON_MAX], address[WK_ADDRESS_TEXT_MAX];
	int rc;

	if (!m->opens_tunnel) {
		refused(u, wk_tunnel_refusal(m, text));
		wk_stream_reset(s, WK_STREAM_NO_ERROR, "refused");
		return;
	}
	rc = datagrams_open(&f->datagrams, s);
	if (rc != WK_EXIT_OK) {
		end(f, rc);
		return;
	}
	wk_verbose(1, "%s: tunnel open over %s",
	    wk_address_text(&u->address, address),
	    datagrams_text(&f->datagrams, s, text));
	u->state = USER_OPEN;
	f->n_tunnels++;
	f->n_open++;
	user_stay(u, f->idle_ns);
	user_release(u, to_tunnel);
}

static void
on_end(struct wk_stream *s)
{
	wk_stream_finish(s);
}

static void
leave_uplink(struct uplink *up)
{
	up->n_streams--;
	/* One is kept for the next, if it takes another. */
	if (up->n_streams == 0 && !up->is_leaving &&
	    (up->prev != NULL || up->next != NULL)) {
		up->is_leaving = true;
		wk_client_shutdown(up->client);
	}
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *why)
{
	struct user *u = wk_stream_arg(s);
	struct forward *f = u->users->arg;
	char text[WK_TUNNEL_REASON_MAX], address[WK_ADDRESS_TEXT_MAX];
	bool was_open = u->state == USER_OPEN;

	f->n_open -= was_open;
	u->stream = NULL;
	leave_uplink(u->uplink);
	u->uplink = NULL;
	if (u->state == USER_REFUSED)
		return;
	if (why != NULL && !f->is_ending) {
		wk_tunnel_failure(why, was_open, text);
		if (!was_open && why->code != WK_STREAM_LOST) {
			refused(u, text);
			return;
		}
		wk_verbose(1, "%s: %s", wk_address_text(&u->address, address),
		    text);
	}
	user_del(u);
}

static const struct wk_stream_handler stream_handler = {
	.head = on_head, .datagram = on_datagram, .end = on_end,
	.closed = on_closed,
};

/* --- connections ---------------------------------------------------------- */

static void
uplink_del(struct uplink *up)
{
	struct forward *f = up->forward;

	if (up->prev != NULL)
		up->prev->next = up->next;
	else
		f->first = up->next;
	if (up->next != NULL)
		up->next->prev = up->prev;
	up->is_leaving = true;	/* its streams hear closed in there */
	wk_client_del(up->client);
	free(up);
}

/* A stream for that client on that connection; false if it takes none. */
static bool
ask(struct uplink *up, struct user *u)
{
	struct forward *f = up->forward;
	struct wk_error error;

	if (up->session == NULL || up->is_leaving)
		return false;
	u->stream = wk_session_request(up->session, &f->request.message, true,
	    &stream_handler, u, &error);
	if (u->stream == NULL)
		return false;
	u->state = USER_ASKING;
	u->uplink = up;
	up->n_streams++;
	return true;
}

static void
on_connected(struct wk_client *client, struct wk_session *session)
{
	struct uplink *up = wk_client_arg(client);
	struct forward *f = up->forward;
	struct user *u, *next;

	up->session = session;
	if (f->opt->is_any)
		wk_notice("connected over %s",
		    wk_http_version_text(wk_session_version(session)));
	f->has_connected = true;
	f->patience_ns = REDIAL_NS;
	f->redial_ns = 0;
	for (u = f->users.first; u != NULL; u = next) {
		next = u->next;
		if (u->state == USER_WAITING && !ask(up, u)) {
			/* For the others, if this one was of use. */
			if (up->n_streams > 0)
				seek(f, u);
			break;
		}
	}
}

/* Nobody waits for what cannot be. */
static void
drop_waiting(struct forward *f)
{
	struct user *u, *next;

	for (u = f->users.first; u != NULL; u = next) {
		next = u->next;
		if (u->state == USER_WAITING) {
			f->users.dropped += u->n_queued;
			user_del(u);
		}
	}
}

static void
on_client_closed(struct wk_client *client, enum wk_client_failure failure,
    const char *reason)
{
	struct uplink *up = wk_client_arg(client);
	struct forward *f = up->forward;
	bool was_connected = up->session != NULL;

	uplink_del(up);
	if (reason != NULL && !f->is_ending)
		wk_warn("%s: %s", f->opt->url, reason);
	if (was_connected || f->is_ending)
		return;
	if (!f->has_connected) {
		end(f, reason != NULL ? wk_net_exit(failure) :
		    WK_EXIT_NETWORK);
		return;
	}
	f->redial_ns = wk_loop_now_ns(f->loop) + f->patience_ns;
	f->patience_ns *= 2;
	if (f->patience_ns > REDIAL_MAX_NS)
		f->patience_ns = REDIAL_MAX_NS;
	drop_waiting(f);
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

static bool
dial(struct forward *f, struct wk_error *error)
{
	struct uplink *up = calloc(1, sizeof(*up));

	if (up == NULL) {
		wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return false;
	}
	up->forward = f;
	up->client = wk_client_new(f->loop, &f->client_options,
	    &client_handler, up, error);
	if (up->client == NULL) {
		free(up);
		return false;
	}
	up->next = f->first;
	if (up->next != NULL)
		up->next->prev = up;
	f->first = up;
	return true;
}

/* A stream on any connection, or a connection that may be. */
static void
seek(struct forward *f, struct user *u)
{
	struct wk_error error;
	struct uplink *up;
	bool is_dialing = false;

	for (up = f->first; up != NULL; up = up->next) {
		if (ask(up, u))
			return;
		is_dialing |= up->session == NULL;
	}
	if (is_dialing || wk_loop_now_ns(f->loop) < f->redial_ns)
		return;
	if (!dial(f, &error))
		wk_warn("%s: %s", f->opt->url, error.reason);
}

/* --- local packets -------------------------------------------------------- */

static void
on_packet(void *arg, struct user *u, const uint8_t *data, size_t len)
{
	struct forward *f = arg;

	switch (u->state) {
	case USER_OPEN:
		user_stay(u, f->idle_ns);
		to_tunnel(u, data, len);
		break;
	case USER_ASKING:
		user_keep(u, data, len);
		break;
	case USER_WAITING:
		user_stay(u, f->idle_ns);
		user_keep(u, data, len);
		seek(f, u);
		break;
	case USER_REFUSED:
		f->users.dropped++;
		break;
	}
}

static void
on_expired(void *arg, struct user *u)
{
	(void)arg;
	if (u->stream == NULL) {
		user_del(u);
		return;
	}
	wk_verbose(1, "idle");
	wk_stream_finish(u->stream);
	wk_stream_reset(u->stream, WK_STREAM_NO_ERROR, "idle");
}

/* --- the whole ------------------------------------------------------------ */

static void
report(const struct forward *f)
{
	const struct datagrams *d = &f->datagrams;
	uint64_t dropped = f->users.dropped + f->n_blocked + f->n_unsent +
	    d->too_big;

	if (wk_cli.is_json) {
		wk_json_begin("summary");
		wk_json_uint("tunnels", f->n_tunnels);
		wk_json_uint("open", f->n_open);
		wk_json_uint("refused", f->n_refused);
		datagrams_json_counts(d);
		wk_json_uint("dropped_early", f->users.dropped);
		wk_json_uint("dropped_blocked", f->n_blocked);
		wk_json_uint("dropped_local", f->n_unsent);
		wk_json_end();
		wk_out_flush();
	}
	wk_notice("%" PRIu64 " tunnels opened, %" PRIu64 " open, %" PRIu64
	    " refused", f->n_tunnels, f->n_open, f->n_refused);
	wk_notice("packets: %" PRIu64 " there, %" PRIu64 " back, %" PRIu64
	    " dropped", d->sent, d->received, dropped);
}

static void
on_signal(struct wk_io *io, unsigned events)
{
	struct forward *f = io->arg;
	unsigned signals = wk_signals_take();

	(void)events;
	if ((signals & WK_SIGNAL_REPORT) != 0)
		report(f);
	if ((signals & WK_SIGNAL_STOP) != 0) {
		wk_io_watch(io, 0);
		wk_loop_stop(f->loop);
	}
}

static void
on_max_time(struct wk_timer *timer)
{
	struct forward *f = timer->arg;

	wk_warn("%s: not done after %g s (--max-time)", f->opt->url,
	    (double)f->opt->net.max_time_ns / 1e9);
	end(f, WK_EXIT_NETWORK);
}

static int
listen_at(struct forward *f, const char *text)
{
	struct wk_address addresses[2];
	char shown[WK_ADDRESS_TEXT_MAX];
	struct wk_error error;
	int n, i;

	n = wk_address_parse(wk_str_of(text), "127.0.0.1", addresses, 2,
	    &error);
	if (n < 0)
		return wk_usage_error("--local %s: %s", text, error.reason);
	for (i = 0; i < n; i++) {
		if (users_listen(&f->users, &addresses[i], &error) != WK_OK) {
			wk_warn("%s", error.reason);
			return error.status == WK_E_SYSTEM ? WK_EXIT_SYSTEM :
			    WK_EXIT_USAGE;
		}
		wk_address_text(&addresses[i], shown);
		wk_notice("listening on udp://%s", shown);
		if (wk_cli.is_json) {
			wk_json_begin("listening");
			wk_json_str("address", shown);
			wk_json_end();
		}
	}
	wk_out_flush();
	return WK_EXIT_OK;
}

static int
prepare(struct forward *f)
{
	const struct wk_tunnel_options wanted = options_tunnel(f->opt);
	struct wk_client_options *c = &f->client_options;
	int rc;

	if (wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_REPORT) != WK_OK ||
	    (f->loop = wk_loop_new()) == NULL) {
		wk_warn_errno(errno, "cannot start");
		return WK_EXIT_SYSTEM;
	}
	signal(SIGPIPE, SIG_IGN);	/* sockets and TLS write, too */
	wk_io_init(&f->signals, f->loop, wk_signals_fd(), on_signal, f);
	wk_timer_init(&f->max_time, f->loop, on_max_time, f);
	rc = wk_tunnel_request_init(&f->request, &wanted);
	if (rc != WK_EXIT_OK)
		return rc;
	c->scheme = f->request.url.scheme;
	c->host = f->request.url.host;
	c->port = f->request.url.port;
	c->versions = f->opt->versions;
	wk_session_limits_default(&c->limits);
	c->stall_timeout_ns = STALL_TIMEOUT_NS;
	c->trace_level = (int)wk_cli.verbose;
	options_apply_client(f->opt, c);
	return wk_net_client_apply(&f->opt->net, f->request.url.is_tls, c,
	    &f->storage);
}

static int
run(struct forward *f)
{
	struct wk_error error;
	size_t i;
	int rc;

	f->users.loop = f->loop;
	f->users.max = f->opt->proxy.max_tunnels > 0 ?
	    (size_t)f->opt->proxy.max_tunnels : USERS_DEFAULT;
	f->users.packet = on_packet;
	f->users.expired = on_expired;
	f->users.arg = f;
	for (i = 0; i < f->opt->local.n; i++) {
		rc = listen_at(f, f->opt->local.items[i]);
		if (rc != WK_EXIT_OK)
			return rc;
	}
	/* What is wrong with it is better known now than later. */
	if (!dial(f, &error)) {
		wk_warn("%s: %s", f->opt->url, error.reason);
		return error.status == WK_E_NOMEM ? WK_EXIT_SYSTEM :
		    WK_EXIT_USAGE;
	}
	wk_io_watch(&f->signals, WK_IO_READ);
	if (f->opt->net.max_time_ns > 0)
		wk_timer_set(&f->max_time, wk_loop_now_ns(f->loop) +
		    f->opt->net.max_time_ns);
	wk_loop_run(f->loop);
	if (f->rc == WK_EXIT_OK || f->has_connected)
		report(f);
	return f->rc;
}

static void
stop(struct forward *f)
{
	f->is_ending = true;
	if (f->loop != NULL) {
		wk_io_watch(&f->signals, 0);
		wk_timer_set(&f->max_time, WK_NEVER);
	}
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it loses count of the list */
	while (f->first != NULL)
		uplink_del(f->first);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	users_free(&f->users);
	wk_tls_credentials_del(f->client_options.credentials);
	wk_tunnel_request_free(&f->request);
	wk_loop_del(f->loop);
}

int
forward(const struct options *opt)
{
	struct forward *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	f->opt = opt;
	f->patience_ns = REDIAL_NS;
	f->idle_ns = opt->proxy.idle_timeout_ns == WK_NET_NO_TIMEOUT ?
	    IDLE_TIMEOUT_NS : opt->proxy.idle_timeout_ns;
	datagrams_init(&f->datagrams, opt);
	rc = prepare(f);
	if (rc == WK_EXIT_OK)
		rc = run(f);
	stop(f);
	free(f);
	return rc;
}
