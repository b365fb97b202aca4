/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/talk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/h3dgram/datagrams.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/framing.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/outlet.h"
#include "common/cli/signals.h"
#include "common/cli/tunnel.h"
#include "common/net/stdstream.h"

#define READ_SIZE (64 * 1024)
/* Nobody can be asked to send slower, so what is more than this is dropped. */
#define UNREAD_MAX (4 * 1024 * 1024)
#define GOODBYE_NS (2 * WK_NS_PER_SEC)	/* for the peer to end, too */

struct talk {
	const struct options *opt;
	struct wk_tunnel tunnel;
	struct wk_outlet outlet;
	struct wk_stdin in;
	struct wk_timer linger;
	struct datagrams datagrams;
	int rc;

	/* To the tunnel. */
	struct wk_framing_reader reader;
	struct wk_buf held;	/* a datagram that it did not take yet, */
	uint64_t held_context;
	bool is_holding;
	struct wk_buf rest;	/* and what was read behind it */
	bool has_input_ended, is_input_done, has_finished;

	/* From the tunnel. */
	struct wk_framing_writer writer;
	uint64_t n_unread;	/* dropped for a slow reader */
	bool is_enough;
};

/* The first reason to end decides about the exit code. */
static void
give_up(struct talk *t, int rc, const char *reason)
{
	if (t->rc == WK_EXIT_OK)
		t->rc = rc;
	wk_stdin_hold(&t->in);
	wk_tunnel_cancel(&t->tunnel, reason);
}

/* --- from standard input into the tunnel ---------------------------------- */

static void
finish(struct talk *t)
{
	if (t->has_finished || t->tunnel.stream == NULL)
		return;
	t->has_finished = true;
	wk_stream_finish(t->tunnel.stream);
}

/* First we end our direction, then we wait no longer for the other. */
static void
on_linger(struct wk_timer *timer)
{
	struct talk *t = timer->arg;

	if (t->has_finished) {
		wk_tunnel_cancel(&t->tunnel, "done");
		return;
	}
	finish(t);
	wk_timer_set(timer, wk_loop_now_ns(t->tunnel.loop) + GOODBYE_NS);
}

static void
input_done(struct talk *t)
{
	if (t->is_input_done)
		return;
	t->is_input_done = true;
	if (t->opt->finishes)
		finish(t);
	else
		wk_timer_set(&t->linger, wk_loop_now_ns(t->tunnel.loop) +
		    t->opt->linger_ns);
}

static bool
keep(struct talk *t, uint64_t context_id, const struct wk_framing_datagram *d)
{
	wk_buf_clear(&t->held);
	if (wk_buf_append(&t->held, d->data, d->len) != WK_OK) {
		wk_warn("out of memory");
		give_up(t, WK_EXIT_SYSTEM, "out of memory");
		return false;
	}
	t->held_context = context_id;
	t->is_holding = true;
	wk_stdin_hold(&t->in);
	return false;
}

/* Send one; false when the next must wait, or there is none to wait for. */
static bool
send_one(struct talk *t, const struct wk_framing_datagram *d)
{
	uint64_t context_id = d->has_context ? d->context_id :
	    t->opt->context_id;

	if (t->tunnel.stream == NULL)
		return false;
	switch (datagrams_send(&t->datagrams, t->tunnel.stream, context_id,
	    d->data, d->len)) {
	case DATAGRAMS_SENT:
	case DATAGRAMS_DROPPED:
		return true;
	case DATAGRAMS_BLOCKED:
		return keep(t, context_id, d);
	case DATAGRAMS_FAILED:
		wk_tunnel_hush(&t->tunnel);
		give_up(t, WK_EXIT_NO, "too big");
		return false;
	case DATAGRAMS_CLOSED:
		wk_stdin_hold(&t->in);	/* nobody takes it any more */
		break;
	}
	return false;
}

/* What cannot be a datagram is told; the rest goes. */
static void
complain(struct talk *t)
{
	wk_framing_warn("standard input", &t->reader);
	if (t->rc == WK_EXIT_OK)
		t->rc = WK_EXIT_PROTOCOL;
}

static void
send_all(struct talk *t, const uint8_t *data, size_t len)
{
	struct wk_framing_datagram d;
	int event;

	while ((event = wk_framing_read(&t->reader, &data, &len, &d)) !=
	    WK_FRAMING_MORE) {
		if (event < 0)
			complain(t);
		else if (!send_one(t, &d))
			break;
	}
	if (t->is_holding && len > 0 &&
	    wk_buf_append(&t->rest, data, len) != WK_OK) {
		wk_warn("out of memory");
		give_up(t, WK_EXIT_SYSTEM, "out of memory");
	}
}

/* Behind the last whole datagram there may be another. */
static void
send_last(struct talk *t)
{
	struct wk_framing_datagram d;
	int event;

	while ((event = wk_framing_finish(&t->reader, &d)) !=
	    WK_FRAMING_MORE) {
		if (event < 0)
			complain(t);
		else if (!send_one(t, &d))
			return;
	}
	input_done(t);
}

static void
on_writable(struct wk_stream *s)
{
	struct talk *t = wk_tunnel_arg(s);
	const struct wk_framing_datagram d = {
		.data = t->held.data, .len = t->held.len,
		.has_context = true, .context_id = t->held_context,
	};
	struct wk_buf rest = t->rest;

	if (!t->is_holding)
		return;
	switch (datagrams_send(&t->datagrams, s, d.context_id, d.data, d.len)) {
	case DATAGRAMS_BLOCKED:
		return;
	case DATAGRAMS_FAILED:
		wk_tunnel_hush(&t->tunnel);
		give_up(t, WK_EXIT_NO, "too big");
		return;
	default:
		break;
	}
	t->is_holding = false;
	wk_buf_init(&t->rest, SIZE_MAX);
	send_all(t, rest.data, rest.len);
	wk_buf_free(&rest);
	if (t->is_holding)
		return;
	if (t->has_input_ended)
		send_last(t);
	else if (t->tunnel.stream != NULL)
		wk_stdin_release(&t->in);
}

static void
on_input(void *arg, const uint8_t *data, size_t len)
{
	send_all(arg, data, len);
}

static void
on_input_end(void *arg, int error_number)
{
	struct talk *t = arg;

	if (error_number != 0) {
		wk_warn_errno(error_number, "standard input");
		give_up(t, WK_EXIT_SYSTEM, "the input failed");
		return;
	}
	t->has_input_ended = true;
	if (!t->is_holding)
		send_last(t);
}

/* --- from the tunnel to standard output ----------------------------------- */

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct talk *t = wk_tunnel_arg(s);
	struct wk_datagram datagram;
	struct wk_framing_datagram d;

	if (t->is_enough ||
	    !datagrams_take(&t->datagrams, s, data, len, &datagram))
		return;
	if (wk_outlet_pending(&t->outlet) > UNREAD_MAX) {
		t->n_unread++;
		return;
	}
	d = (struct wk_framing_datagram){
		.data = datagram.payload, .len = datagram.payload_len,
		.has_context = !t->opt->has_no_context,
		.context_id = datagram.context_id,
	};
	if (wk_framing_write(&t->writer, &d) != WK_OK) {
		wk_warn("a datagram of %zu octets does not fit the framing",
		    d.len);
		if (t->rc == WK_EXIT_OK)
			t->rc = WK_EXIT_PROTOCOL;
	}
	if (wk_out_flush() != WK_OK) {
		give_up(t, WK_EXIT_OK, "the output failed");
	} else if (t->datagrams.received - t->n_unread == t->opt->count) {
		t->is_enough = true;
		give_up(t, WK_EXIT_OK, "enough");
	}
}

/* Nobody reads our output: out.h knows whether that is an error. */
static void
on_output_failed(void *arg)
{
	give_up(arg, WK_EXIT_OK, "the output failed");
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_end(struct wk_stream *s)
{
	struct talk *t = wk_tunnel_arg(s);

	wk_stdin_hold(&t->in);
	finish(t);
}

/* --- the whole ------------------------------------------------------------ */

static void
on_open(struct wk_tunnel *tunnel, struct wk_stream *s)
{
	struct talk *t = tunnel->arg;
	char text[DATAGRAMS_TEXT_MAX];
	int rc = datagrams_open(&t->datagrams, s);

	if (rc != WK_EXIT_OK) {
		wk_tunnel_hush(tunnel);
		give_up(t, rc, "no datagrams");
		return;
	}
	datagrams_text(&t->datagrams, s, text);
	if (t->opt->is_any)
		wk_notice("open over %s", text);
	else
		wk_verbose(1, "open over %s", text);
	if (wk_cli.is_json)
		datagrams_json_open(&t->datagrams, s);
	if (isatty(STDIN_FILENO) == 1)
		wk_notice("open; reading from the terminal, end with Ctrl-D");
	wk_stdin_release(&t->in);
}

static void
on_over(struct wk_tunnel *tunnel)
{
	struct talk *t = tunnel->arg;

	wk_stdin_hold(&t->in);
	wk_timer_set(&t->linger, WK_NEVER);
}

static const struct wk_tunnel_handler handler = {
	.open = on_open,
	.over = on_over,
	.stream = {
		.datagram = on_datagram, .end = on_end,
		.writable = on_writable,
	},
};

static int
start(struct talk *t)
{
	const struct options *opt = t->opt;
	bool is_raw = opt->framing_in == WK_FRAMING_RAW;

	wk_buf_init(&t->held, SIZE_MAX);
	wk_buf_init(&t->rest, SIZE_MAX);
	wk_framing_reader_init(&t->reader, (enum wk_framing)opt->framing_in,
	    is_raw ? (size_t)opt->block_size : WK_DATAGRAM_UDP_MAX);
	wk_framing_writer_init(&t->writer, (enum wk_framing)opt->framing_out,
	    isatty(wk_out_fd()) == 1);
	wk_timer_init(&t->linger, t->tunnel.loop, on_linger, t);
	if (wk_stdin_init(&t->in, t->tunnel.loop, STDIN_FILENO,
	    is_raw ? (size_t)opt->block_size : READ_SIZE, on_input,
	    on_input_end, t) == WK_OK && wk_outlet_init(&t->outlet,
	    t->tunnel.loop, on_drained, on_output_failed, t) == WK_OK)
		return WK_EXIT_OK;
	wk_warn("out of memory");
	return WK_EXIT_SYSTEM;
}

static void
report(const struct talk *t)
{
	const struct datagrams *d = &t->datagrams;

	if (wk_cli.is_json) {
		wk_json_begin("summary");
		datagrams_json_counts(d);
		wk_json_uint("unread", t->n_unread);
		wk_json_end();
	}
	wk_verbose(1, "sent %" PRIu64 " datagrams, %" PRIu64 " octets (%"
	    PRIu64 " were too big); received %" PRIu64 ", %" PRIu64
	    " octets (%" PRIu64 " of other contexts)", d->sent, d->octets_sent,
	    d->too_big, d->received, d->octets_received, d->other_contexts);
	if (t->n_unread > 0)
		wk_caution("%" PRIu64 " datagrams were dropped, as nobody read "
		    "our output fast enough", t->n_unread);
}

static void
stop(struct talk *t)
{
	bool was_stopped = wk_tunnel_was_stopped(&t->tunnel);

	wk_timer_set(&t->linger, WK_NEVER);
	report(t);
	wk_outlet_finish(&t->outlet, was_stopped ? 0 : WK_NEVER);
	wk_stdin_free(&t->in);
	wk_framing_reader_free(&t->reader);
	wk_buf_free(&t->held);
	wk_buf_free(&t->rest);
}

int
talk(const struct options *opt)
{
	const struct wk_tunnel_options wanted = options_tunnel(opt);
	struct talk *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	t->opt = opt;
	datagrams_init(&t->datagrams, opt);
	rc = wk_tunnel_init(&t->tunnel, &wanted, &handler, t);
	if (rc == WK_EXIT_OK) {
		options_apply_client(opt, &t->tunnel.client_options);
		rc = start(t);
		if (rc == WK_EXIT_OK) {
			rc = wk_tunnel_run(&t->tunnel);
			stop(t);
			rc = rc == WK_EXIT_OK ? t->rc : rc;
		}
		wk_tunnel_free(&t->tunnel);
	}
	free(t);
	wk_signals_obey();
	return rc;
}
