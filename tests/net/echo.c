/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/net/echo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"

#define PIECE 16384

struct echo_counters echo_counters;

enum mode {
	MODE_BYTES,
	MODE_ECHO,
	MODE_SINK,
	MODE_HOLD,
};

struct echo {
	enum mode mode;
	uint64_t left;		/* BYTES: to send */
	uint64_t octets;	/* BYTES: sent; SINK: received */
	struct wk_buf kept;	/* ECHO: not yet written */
	size_t at;
	bool has_end, is_tunnel;
};

static void
answer(struct wk_stream *s, unsigned status, const char *body)
{
	char length[24];
	struct wk_field field = { wk_str_of("content-length"), { length, 0 } };
	struct wk_message m = { .status = (uint16_t)status, .fields = &field,
		.n_fields = 1 };

	field.value.len = (size_t)snprintf(length, sizeof(length), "%zu",
	    strlen(body));
	if (wk_stream_respond(s, &m, body[0] == '\0', NULL) != WK_OK ||
	    body[0] == '\0')
		return;
	wk_stream_write(s, body, strlen(body));
	wk_stream_finish(s);
}

static void
push_bytes(struct wk_stream *s, struct echo *e)
{
	uint8_t piece[PIECE];
	size_t n, i;
	ssize_t taken;

	while (e->left > 0) {
		n = e->left < PIECE ? (size_t)e->left : PIECE;
		for (i = 0; i < n; i++)
			piece[i] = (uint8_t)(e->octets + i);
		taken = wk_stream_write(s, piece, n);
		if (taken < 0)
			return;
		e->octets += (uint64_t)taken;
		e->left -= (uint64_t)taken;
		if ((size_t)taken < n)
			return;
	}
	wk_stream_finish(s);
}

static void
push_echo(struct wk_stream *s, struct echo *e)
{
	ssize_t n = 0;

	if (e->kept.len > e->at)
		n = wk_stream_write(s, e->kept.data + e->at,
		    e->kept.len - e->at);
	if (n > 0) {
		e->at += (size_t)n;
		wk_stream_consume(s, (size_t)n);
	}
	if (e->at < e->kept.len)
		return;
	wk_buf_free(&e->kept);
	e->at = 0;
	if (e->has_end)
		wk_stream_finish(s);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct echo *e = wk_stream_arg(s);

	if (e->mode == MODE_HOLD)
		return;
	if (e->mode != MODE_ECHO) {
		e->octets += len;
		echo_counters.sunk += len;
		wk_stream_consume(s, len);
		return;
	}
	if (e->at > PIECE && e->at > e->kept.len / 2) {
		memmove(e->kept.data, e->kept.data + e->at,
		    e->kept.len - e->at);
		e->kept.len -= e->at;
		e->at = 0;
	}
	wk_buf_append(&e->kept, data, len);
	push_echo(s, e);
	if (e->kept.len - e->at > echo_counters.kept_max)
		echo_counters.kept_max = e->kept.len - e->at;
}

static void
on_end(struct wk_stream *s)
{
	struct echo *e = wk_stream_arg(s);
	char text[24];

	e->has_end = true;
	if (e->mode == MODE_ECHO) {
		push_echo(s, e);
	} else if (e->mode == MODE_SINK && !e->is_tunnel) {
		snprintf(text, sizeof(text), "%" PRIu64 "\n", e->octets);
		answer(s, 200, text);
	}
}

static void
on_writable(struct wk_stream *s)
{
	struct echo *e = wk_stream_arg(s);

	if (e->mode == MODE_BYTES)
		push_bytes(s, e);
	else if (e->mode == MODE_ECHO)
		push_echo(s, e);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct echo *e = wk_stream_arg(s);

	echo_counters.open--;
	if (end == NULL)
		echo_counters.ended++;
	else
		echo_counters.failed++;
	wk_buf_free(&e->kept);
	free(e);
}

static const struct wk_stream_handler stream_handler = {
	.data = on_data,
	.end = on_end,
	.writable = on_writable,
	.closed = on_closed,
};

static bool
has_path(const struct wk_message *m, const char *path)
{
	return wk_str_is(m->path, path);
}

static void
respond_open(struct wk_stream *s, bool awaits_continue)
{
	const struct wk_message m = { .status = 200 };
	const struct wk_message go_on = { .status = 100 };

	/* Who waits for it would never send what is to be echoed. */
	if (awaits_continue)
		(void)wk_stream_respond_informational(s, &go_on, NULL);
	if (wk_stream_respond(s, &m, false, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot respond");
}

static void
serve(struct wk_stream *s, const struct wk_message *m, struct echo *e)
{
	static const char bytes[] = "/bytes/";
	const size_t skip = sizeof(bytes) - 1;
	size_t i;

	e->is_tunnel = wk_message_is_tunnel_request(m);
	if (e->is_tunnel && has_path(m, "/refuse")) {
		answer(s, 403, "");
	} else if (e->is_tunnel && has_path(m, "/half")) {
		e->mode = MODE_SINK;
		respond_open(s, false);
		wk_stream_finish(s);
	} else if (has_path(m, "/echo") || wk_str_is(m->method, "CONNECT")) {
		e->mode = MODE_ECHO;
		respond_open(s, wk_message_find(m, "expect", NULL) != NULL);
	} else if (m->path.len > skip &&
	    memcmp(m->path.at, bytes, skip) == 0) {
		for (i = skip; i < m->path.len; i++)
			e->left = e->left * 10 + (uint64_t)(m->path.at[i] -
			    '0');
		respond_open(s, false);
		push_bytes(s, e);
	} else if (has_path(m, "/endless")) {
		e->left = UINT64_MAX;
		respond_open(s, false);
		push_bytes(s, e);
	} else if (has_path(m, "/sink")) {
		e->mode = MODE_SINK;
	} else if (has_path(m, "/hold")) {
		e->mode = MODE_HOLD;
	} else if (has_path(m, "/reset")) {
		wk_stream_reset(s, WK_STREAM_CANCEL, "as was asked");
	} else {
		answer(s, has_path(m, "/") ? 200 : 404,
		    has_path(m, "/") ? "hello\n" : "not here\n");
	}
}

void
echo_request(struct wk_server *server, struct wk_stream *s,
    const struct wk_message *m)
{
	struct echo *e = calloc(1, sizeof(*e));

	(void)server;
	if (e == NULL)
		return;
	wk_buf_init(&e->kept, SIZE_MAX / 2);
	wk_stream_handle(s, &stream_handler, e);
	if (++echo_counters.open > echo_counters.open_max)
		echo_counters.open_max = echo_counters.open;
	serve(s, m, e);
}
