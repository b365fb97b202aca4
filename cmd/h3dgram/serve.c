/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/h3dgram/blaster.h"
#include "cmd/h3dgram/child.h"
#include "cmd/h3dgram/datagrams.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/listener.h"

#define GOODBYE_NS (2 * WK_NS_PER_SEC)	/* for what is still on its way */

struct serving {
	const struct options *opt;
	struct wk_listener listener;
	struct datagrams datagrams;
	struct children children;
	struct visit *first;
	uint64_t n_open;
};

struct visit {
	struct serving *serving;
	struct wk_stream *stream;
	struct blaster *blaster;	/* --serve blast */
	struct child *child;		/* --serve exec */
	struct wk_timer timer;
};

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct visit *v = wk_stream_arg(s);
	struct serving *serving = v->serving;
	char peer[WK_ADDRESS_TEXT_MAX];

	if (end != NULL)
		wk_verbose(1, "%s stream %" PRIu64 ": %s",
		    wk_address_text(wk_server_peer(s), peer), wk_stream_id(s),
		    end->reason);
	wk_timer_set(&v->timer, WK_NEVER);
	if (v->blaster != NULL)
		blaster_stop(v->blaster);
	if (v->child != NULL)
		child_leave(v->child);
	free(v->blaster);
	free(v);
	serving->n_open--;
	wk_listener_served(&serving->listener);
}

static void
on_end(struct wk_stream *s)
{
	wk_stream_finish(s);
}

/* --- echo and discard ----------------------------------------------------- */

static void
echo_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct visit *v = wk_stream_arg(s);

	if (datagrams_return(&v->serving->datagrams, s, data, len) ==
	    DATAGRAMS_FAILED)
		wk_stream_reset(s, WK_STREAM_CANCEL, "too big");
}

static const struct wk_stream_handler echo_handler = {
	.datagram = echo_datagram, .end = on_end, .closed = on_closed,
};

static void
discard_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct datagrams *d = &((struct visit *)wk_stream_arg(s))->
	    serving->datagrams;

	(void)data;
	d->received++;
	d->octets_received += len;
}

static const struct wk_stream_handler discard_handler = {
	.datagram = discard_datagram, .end = on_end, .closed = on_closed,
};

/* --- blast ---------------------------------------------------------------- */

static void
on_timer(struct wk_timer *timer)
{
	wk_stream_finish(((struct visit *)timer->arg)->stream);
}

/* Frames may be behind the end, octets of TCP may not. */
static void
on_blasted(void *arg)
{
	struct visit *v = arg;

	if (wk_stream_has_datagram_frames(v->stream))
		wk_timer_set(&v->timer, wk_loop_now_ns(v->
		    serving->listener.loop) + GOODBYE_NS);
	else
		wk_stream_finish(v->stream);
}

static void
on_blast_failed(void *arg)
{
	wk_stream_reset(((struct visit *)arg)->stream, WK_STREAM_CANCEL,
	    "too big");
}

static void
blast_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct visit *v = wk_stream_arg(s);

	blaster_datagram(v->blaster, data, len);
}

static void
blast_writable(struct wk_stream *s)
{
	struct visit *v = wk_stream_arg(s);

	blaster_writable(v->blaster);
}

/* The peer is done; we go on unless it has left. */
static void
blast_end(struct wk_stream *s)
{
	(void)s;
}

static const struct wk_stream_handler blast_handler = {
	.datagram = blast_datagram, .writable = blast_writable,
	.end = blast_end, .closed = on_closed,
};

static bool
blast_begin(struct visit *v)
{
	v->blaster = calloc(1, sizeof(*v->blaster));
	return v->blaster != NULL && blaster_init(v->blaster,
	    v->serving->opt, v->serving->listener.loop, v->stream,
	    &v->serving->datagrams, on_blasted, on_blast_failed, v);
}

/* --- exec ----------------------------------------------------------------- */

static void
exec_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	child_datagram(((struct visit *)wk_stream_arg(s))->child, data, len);
}

static void
exec_writable(struct wk_stream *s)
{
	child_writable(((struct visit *)wk_stream_arg(s))->child);
}

static void
exec_end(struct wk_stream *s)
{
	child_input_ended(((struct visit *)wk_stream_arg(s))->child);
}

static const struct wk_stream_handler exec_handler = {
	.datagram = exec_datagram, .writable = exec_writable,
	.end = exec_end, .closed = on_closed,
};

/* --- all of them ---------------------------------------------------------- */

static bool
on_begin(void *arg, struct wk_stream *s, const struct wk_message *m)
{
	static const struct wk_stream_handler *const services[] = {
		[SERVE_ECHO] = &echo_handler,
		[SERVE_DISCARD] = &discard_handler,
		[SERVE_BLAST] = &blast_handler,
		[SERVE_EXEC] = &exec_handler,
	};
	struct serving *serving = arg;
	enum service service = (enum service)serving->opt->serve;
	struct visit *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return false;
	v->serving = serving;
	v->stream = s;
	wk_timer_init(&v->timer, serving->listener.loop, on_timer, v);
	if (wk_stream_use_capsules(s, WK_DATAGRAM_UDP_VALUE_MAX) != WK_OK ||
	    (service == SERVE_BLAST && !blast_begin(v)) ||
	    (service == SERVE_EXEC && (v->child = child_begin(
	    &serving->children, s, m)) == NULL)) {
		free(v->blaster);
		free(v);
		return false;
	}
	serving->n_open++;
	wk_stream_handle(s, services[service], v);
	return true;
}

static uint64_t
on_kept(void *arg)
{
	return ((struct serving *)arg)->n_open;
}

static void
on_report_json(void *arg)
{
	const struct serving *s = arg;
	const struct datagrams *d = &s->datagrams;

	datagrams_json_counts(d);
	wk_json_uint("blocked", d->blocked);
	if (s->opt->serve == SERVE_EXEC) {
		wk_json_uint("unread", s->children.dropped);
		wk_json_uint("commands_failed", s->children.n_failed);
	}
}

static void
on_report(void *arg)
{
	const struct serving *s = arg;
	const struct datagrams *d = &s->datagrams;

	wk_notice("datagrams: %" PRIu64 " received, %" PRIu64 " sent, %" PRIu64
	    " dropped (%" PRIu64 " for a slow client, %" PRIu64 " too big)",
	    d->received, d->sent, d->blocked + d->too_big, d->blocked,
	    d->too_big);
	if (s->opt->serve == SERVE_EXEC)
		wk_notice("commands: %" PRIu64 " failed, %" PRIu64
		    " datagrams not read", s->children.n_failed,
		    s->children.dropped);
}

static const struct wk_listener_handler listener_handler = {
	.begin = on_begin,
	.kept = on_kept,
	.report_json = on_report_json,
	.report = on_report,
};

int
serve(const struct options *opt)
{
	const struct wk_listener_options options = {
		.listen = &opt->listen, .identity = &opt->net,
		.proxy = &opt->proxy, .auth = opt->auth,
		.protocol = opt->protocol,
		.demands_protocol = opt->has_protocol,
		.is_proxy = opt->serve == SERVE_PROXY,
		.template_text = opt->template_text,
		.versions = opt->versions,
		.max_served = opt->count != OPTIONS_NO_COUNT ? opt->count : 0,
	};
	struct serving *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	s->opt = opt;
	datagrams_init(&s->datagrams, opt);
	rc = wk_listener_init(&s->listener, &options, &listener_handler, s);
	if (rc == WK_EXIT_OK) {
		options_apply_server(opt, &s->listener.server_options);
		s->children.opt = opt;
		s->children.loop = s->listener.loop;
		s->children.datagrams = &s->datagrams;
		rc = wk_listener_run(&s->listener);
		wk_listener_close(&s->listener);
		children_finish(&s->children);
		wk_listener_free(&s->listener);
	}
	free(s);
	return rc;
}
