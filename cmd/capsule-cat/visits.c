/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/visits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/trickle.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/outlet.h"
#include "common/cli/out.h"

struct visit {
	struct visits *all;
	struct wk_stream *stream;	/* NULL: over, not all is shown yet */
	char name[WK_ADDRESS_TEXT_MAX + 32];
	struct wk_buf rest;	/* echo: what the peer did not take back yet */
	struct trickle arrived;	/* dump, and so is what follows */
	struct decoder decoder;
	bool is_decoding, has_ended;
	struct visit *prev, *next;
};

static void
visit_del(struct visit *v)
{
	struct visits *all = v->all;

	if (v->is_decoding) {
		if (!v->arrived.is_done)
			decoder_finish(&v->decoder, false);
		decoder_free(&v->decoder);
		trickle_free(&v->arrived);
		wk_out_flush();
	}
	wk_buf_free(&v->rest);
	if (all->first == v)
		all->first = v->next;
	else
		v->prev->next = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	all->n_open--;
	free(v);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct visit *v = wk_stream_arg(s);
	struct visits *all = v->all;

	if (end != NULL)
		wk_verbose(1, "%s: %s", v->name, end->reason);
	v->stream = NULL;
	if (!v->is_decoding || !trickle_waits(&v->arrived))
		visit_del(v);
	all->handler->served(all->arg);
}

/* --- echo ----------------------------------------------------------------- */

/*
 * Keep what is not taken: no more than the peer's window, as it is consumed
 * only when it goes.
 */
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

/* The peer has finished, and all it sent is shown. */
static void
dump_finish(struct visit *v)
{
	int rc = decoder_finish(&v->decoder, true);

	v->arrived.is_done = true;
	wk_out_flush();
	if (v->stream == NULL)
		return;
	if (rc != WK_EXIT_OK)
		wk_stream_reset(v->stream, WK_STREAM_MALFORMED,
		    "the stream ends inside a capsule");
	else
		wk_stream_finish(v->stream);
}

static bool
dump(void *arg, const uint8_t *data, size_t len)
{
	struct visit *v = arg;
	bool is_fine = decoder_feed(&v->decoder, data, len) == WK_EXIT_OK;

	if (!is_fine && v->stream != NULL)
		wk_stream_reset(v->stream, WK_STREAM_MALFORMED, "malformed");
	if (wk_out_flush() != WK_OK) {
		v->all->handler->failed(v->all->arg);
		return false;
	}
	if (is_fine && v->stream != NULL)
		wk_stream_consume(v->stream, len);
	return is_fine;
}

static void
dump_rest(struct visit *v)
{
	if (trickle_more(&v->arrived, false) && v->has_ended &&
	    !v->arrived.is_done)
		dump_finish(v);
}

static void
dump_end(struct wk_stream *s)
{
	struct visit *v = wk_stream_arg(s);

	v->has_ended = true;
	dump_rest(v);
}

static void
dump_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct visit *v = wk_stream_arg(s);

	if (trickle_feed(&v->arrived, data, len) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "out of memory");
}

static const struct wk_stream_handler dump_handler = {
	.data = dump_data, .end = dump_end, .closed = on_closed,
};

/* --- all of them ---------------------------------------------------------- */

void
visits_init(struct visits *all, const struct options *opt,
    struct wk_outlet *outlet, const struct visits_handler *handler, void *arg)
{
	memset(all, 0, sizeof(*all));
	all->opt = opt;
	all->outlet = outlet;
	all->handler = handler;
	all->arg = arg;
}

bool
visits_begin(struct visits *all, struct wk_stream *s)
{
	static const struct wk_stream_handler *const services[] = {
		[SERVE_DUMP] = &dump_handler, [SERVE_ECHO] = &echo_handler,
		[SERVE_DISCARD] = &discard_handler,
	};
	struct visit *v = calloc(1, sizeof(*v));
	char peer[WK_ADDRESS_TEXT_MAX];

	if (v == NULL)
		return false;
	v->all = all;
	v->stream = s;
	snprintf(v->name, sizeof(v->name), "%s stream %" PRIu64,
	    wk_address_text(wk_server_peer(s), peer), wk_stream_id(s));
	wk_buf_init(&v->rest, SIZE_MAX);
	v->is_decoding = all->opt->serve == SERVE_DUMP;
	trickle_init(&v->arrived, all->outlet, dump, v);
	if (v->is_decoding)
		decoder_init(&v->decoder, all->opt, v->name, true);
	v->next = all->first;
	if (v->next != NULL)
		v->next->prev = v;
	all->first = v;
	all->n_open++;
	all->n_begun++;
	wk_stream_handle(s, services[all->opt->serve], v);
	return true;
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it loses count of the list */
void
visits_drained(struct visits *all)
{
	struct visit *v, *next;

	for (v = all->first; v != NULL; v = next) {
		next = v->next;
		if (!v->is_decoding || !trickle_waits(&v->arrived))
			continue;
		dump_rest(v);
		if (v->stream == NULL && !trickle_waits(&v->arrived))
			visit_del(v);
	}
}

void
visits_finish(struct visits *all)
{
	while (all->first != NULL && !wk_out_has_failed() &&
	    wk_outlet_drain(all->outlet, WK_OUTLET_LOW))
		visits_drained(all);
	while (all->first != NULL)
		visit_del(all->first);
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
