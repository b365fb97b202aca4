/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/tunnel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/encoder.h"
#include "cmd/capsule-cat/input.h"
#include "cmd/capsule-cat/trickle.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/outlet.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/cli/tunnel.h"
#include "common/net/stdstream.h"

#define READ_SIZE (64 * 1024)

struct tunnel {
	const struct options *opt;
	struct wk_tunnel dial;
	struct wk_outlet outlet;
	struct wk_stdin in;
	struct wk_timer linger;
	int rc;

	/* To the tunnel: what was read and not yet taken is in *out at at. */
	struct wk_buf raw;
	struct encoder encoder;
	struct wk_capsule_reader sent;	/* where in a capsule raw input is */
	struct wk_buf *out;
	size_t at;
	bool has_input_ended, is_input_done, has_finished;

	/* From the tunnel. */
	struct trickle arrived;
	struct decoder decoder;
	struct wk_capsule_reader received;	/* the same, passed on as is */
	bool has_ended, is_finished;
};

/* The first reason to end decides about the exit code. */
static void
give_up(struct tunnel *t, int rc, const char *reason)
{
	if (t->rc == WK_EXIT_OK)
		t->rc = rc;
	wk_stdin_hold(&t->in);
	wk_tunnel_cancel(&t->dial, reason);
}

/* --- from standard input into the tunnel ---------------------------------- */

static void
finish(struct tunnel *t)
{
	if (t->has_finished || t->dial.stream == NULL)
		return;
	t->has_finished = true;
	wk_stream_finish(t->dial.stream);
}

static void
on_linger(struct wk_timer *timer)
{
	finish(timer->arg);
}

/* All of the input is on its way. */
static void
input_done(struct tunnel *t)
{
	if (t->is_input_done)
		return;
	t->is_input_done = true;
	if (t->rc == WK_EXIT_OK)
		t->rc = t->encoder.rc;
	if (!t->opt->is_payload &&
	    wk_capsule_reader_finish(&t->sent) != WK_OK) {
		/* The peer gets it like that, and may complain of it, too. */
		wk_warn_input("standard input", &t->sent.error);
		wk_tunnel_hush(&t->dial);
		t->rc = WK_EXIT_PROTOCOL;
	}
	if (t->opt->linger_ns > 0 && !t->has_ended)
		wk_timer_set(&t->linger, wk_loop_now_ns(t->dial.loop) +
		    t->opt->linger_ns);
	else
		finish(t);
}

/* Give the tunnel what it takes; read on only when it took everything. */
static void
pump(struct tunnel *t)
{
	ssize_t n;

	if (t->dial.stream == NULL)
		return;
	if (t->at < t->out->len) {
		n = wk_stream_write(t->dial.stream, t->out->data + t->at,
		    t->out->len - t->at);
		if (n < 0) {
			wk_stdin_hold(&t->in);	/* nobody takes it any more */
			return;
		}
		t->at += (size_t)n;
	}
	if (t->at < t->out->len) {
		wk_stdin_hold(&t->in);
		return;
	}
	wk_buf_clear(t->out);
	t->at = 0;
	if (t->has_input_ended)
		input_done(t);
	else
		wk_stdin_release(&t->in);
}

/* Only to know at the end whether a capsule is complete. */
static void
follow(struct wk_capsule_reader *r, const uint8_t *data, size_t len)
{
	struct wk_capsule cap;

	while (wk_capsule_read(r, &data, &len, &cap) > 0)
		;
}

static void
on_input(void *arg, const uint8_t *data, size_t len)
{
	struct tunnel *t = arg;

	if (t->opt->is_payload) {
		encoder_feed(&t->encoder, data, len);
	} else {
		follow(&t->sent, data, len);
		wk_buf_append(&t->raw, data, len);
	}
	if (t->out->status != WK_OK) {
		wk_warn("out of memory");
		give_up(t, WK_EXIT_SYSTEM, "out of memory");
		return;
	}
	/* What was good before it still goes out. */
	if (t->encoder.has_failed) {
		wk_stdin_hold(&t->in);
		t->has_input_ended = true;
	}
	pump(t);
}

static void
on_input_end(void *arg, int error_number)
{
	struct tunnel *t = arg;

	if (error_number != 0) {
		wk_warn_errno(error_number, "standard input");
		give_up(t, WK_EXIT_SYSTEM, "the input failed");
		return;
	}
	t->has_input_ended = true;
	if (t->opt->is_payload)
		encoder_end(&t->encoder);
	pump(t);
}

static void
on_writable(struct wk_stream *s)
{
	pump(wk_tunnel_arg(s));
}

/* --- from the tunnel to standard output ----------------------------------- */

/* Write or show octets; false when that was the end of it. */
static bool
show(void *arg, const uint8_t *data, size_t len)
{
	struct tunnel *t = arg;
	int rc = WK_EXIT_OK;

	if (options_decodes(t->opt)) {
		rc = decoder_feed(&t->decoder, data, len);
	} else {
		follow(&t->received, data, len);
		wk_out_write(data, len);
	}
	if (wk_out_flush() != WK_OK) {
		give_up(t, WK_EXIT_OK, "the output failed");
	} else if (rc != WK_EXIT_OK) {
		give_up(t, rc, "what arrived is malformed");
	} else if (decoder_has_enough(&t->decoder)) {
		give_up(t, WK_EXIT_OK, "enough");
	} else {
		if (t->dial.stream != NULL)
			wk_stream_consume(t->dial.stream, len);
		return true;
	}
	return false;
}

/* The end of what arrives, and all of it is shown. */
static void
shown_all(struct tunnel *t)
{
	int rc = WK_EXIT_OK;

	t->arrived.is_done = t->is_finished = true;
	if (options_decodes(t->opt)) {
		rc = decoder_finish(&t->decoder, true);
	} else if (wk_capsule_reader_finish(&t->received) != WK_OK) {
		wk_warn_input(t->opt->url, &t->received.error);
		rc = WK_EXIT_PROTOCOL;
	}
	wk_out_flush();
	if (rc != WK_EXIT_OK)
		give_up(t, rc, "what arrived is malformed");
}

static void
show_arrived(struct tunnel *t, bool all)
{
	if (trickle_more(&t->arrived, all) && t->has_ended &&
	    !t->arrived.is_done)
		shown_all(t);
}

static void
on_drained(void *arg)
{
	show_arrived(arg, false);
}

/* Nobody reads our output: out.h knows whether that is an error. */
static void
on_output_failed(void *arg)
{
	give_up(arg, WK_EXIT_OK, "the output failed");
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct tunnel *t = wk_tunnel_arg(s);

	if (trickle_feed(&t->arrived, data, len) != WK_OK) {
		wk_warn("out of memory");
		give_up(t, WK_EXIT_SYSTEM, "out of memory");
	}
}

/* The peer has nothing more to say; whoever sends only may go on. */
static void
on_end(struct wk_stream *s)
{
	struct tunnel *t = wk_tunnel_arg(s);

	t->has_ended = true;
	show_arrived(t, false);
	if (!t->opt->keeps_sending || t->is_input_done)
		finish(t);
}

/* --- the tunnel ----------------------------------------------------------- */

static void
on_open(struct wk_tunnel *d, struct wk_stream *s)
{
	struct tunnel *t = d->arg;

	(void)s;
	if (isatty(STDIN_FILENO) == 1)
		wk_notice("open; reading from the terminal, end with Ctrl-D");
	wk_stdin_release(&t->in);
}

/* Nobody takes more of the input. */
static void
on_over(struct wk_tunnel *d)
{
	struct tunnel *t = d->arg;

	wk_stdin_hold(&t->in);
	wk_timer_set(&t->linger, WK_NEVER);
}

static const struct wk_tunnel_handler handler = {
	.open = on_open,
	.over = on_over,
	.stream = {
		.data = on_data,
		.end = on_end,
		.writable = on_writable,
	},
};

static int
start(struct tunnel *t)
{
	const struct options *opt = t->opt;

	t->out = opt->is_payload ? &t->encoder.out : &t->raw;
	wk_buf_init(&t->raw, SIZE_MAX);
	trickle_init(&t->arrived, &t->outlet, show, t);
	wk_capsule_reader_init(&t->sent, WK_VARINT_MAX);
	wk_capsule_reader_init(&t->received, WK_VARINT_MAX);
	decoder_init(&t->decoder, opt, opt->url, false);
	t->decoder.max_shown = opt->count;
	if (encoder_init(&t->encoder, opt) != WK_OK ||
	    wk_stdin_init(&t->in, t->dial.loop, STDIN_FILENO, READ_SIZE,
	    on_input, on_input_end, t) != WK_OK ||
	    wk_outlet_init(&t->outlet, t->dial.loop, on_drained,
	    on_output_failed, t) != WK_OK) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	encoder_begin(&t->encoder, "standard input");
	wk_timer_init(&t->linger, t->dial.loop, on_linger, t);
	return WK_EXIT_OK;
}

static void
stop(struct tunnel *t)
{
	bool was_stopped = wk_tunnel_was_stopped(&t->dial);

	wk_timer_set(&t->linger, WK_NEVER);
	/* The tunnel is over, our reader need not have taken all of it. */
	while (trickle_waits(&t->arrived) && !wk_out_has_failed() &&
	    (was_stopped || wk_outlet_drain(&t->outlet, WK_OUTLET_LOW)))
		show_arrived(t, was_stopped);
	/* Capsules that were cut are shown as far as they came. */
	if (options_decodes(t->opt) && !t->is_finished)
		decoder_finish(&t->decoder, false);
	wk_outlet_finish(&t->outlet, was_stopped ? 0 : WK_NEVER);
	wk_stdin_free(&t->in);
	encoder_free(&t->encoder);
	decoder_free(&t->decoder);
	wk_buf_free(&t->raw);
	trickle_free(&t->arrived);
}

int
tunnel(const struct options *opt)
{
	const struct wk_tunnel_options wanted = options_tunnel(opt);
	struct tunnel t;
	int rc;

	memset(&t, 0, sizeof(t));
	t.opt = opt;
	rc = wk_tunnel_init(&t.dial, &wanted, &handler, &t);
	if (rc != WK_EXIT_OK)
		return rc;
	rc = start(&t);
	if (rc == WK_EXIT_OK) {
		rc = wk_tunnel_run(&t.dial);
		stop(&t);
	}
	wk_tunnel_free(&t.dial);
	wk_signals_obey();
	return rc == WK_EXIT_OK ? t.rc : rc;
}
