/* SPDX-License-Identifier: MIT */
/* What comes in: the octets of heads, bodies, tunnels. */
#include "config.h"

#include "common/net/http1_session_parts.h"

#include <stdlib.h>

#include "common/net/loop.h"

/* Heads start small and grow up to their limit. */
#define HEAD_START 1024

/* Trailer fields are read and forgotten, up to so much. */
#define TRAILERS_MAX 8192

void
wk_http1_incoming_del(struct wk_http1_session *s)
{
	struct wk_http1_incoming *inc = s->incoming;

	if (inc == NULL)
		return;
	free(inc->raw);
	free(inc->fields);
	free(inc->text);
	free(inc);
	s->incoming = NULL;
}

static int
incoming_new(struct wk_http1_session *s)
{
	size_t n = s->base.limits.max_fields;
	struct wk_http1_incoming *inc = calloc(1, sizeof(*inc));

	s->incoming = inc;
	if (inc == NULL)
		return WK_E_NOMEM;
	inc->size = s->base.limits.max_head < HEAD_START ?
	    s->base.limits.max_head : HEAD_START;
	inc->text = malloc(inc->size + 1);
	inc->raw = calloc(n + 1, sizeof(*inc->raw));
	inc->fields = calloc(n + 1, sizeof(*inc->fields));
	if (inc->text == NULL || inc->raw == NULL || inc->fields == NULL) {
		wk_http1_incoming_del(s);
		return WK_E_NOMEM;
	}
	wk_http1_reader_init(&inc->reader, s->base.is_server ?
	    WK_HTTP1_REQUEST : WK_HTTP1_RESPONSE, inc->text, inc->size,
	    inc->raw, n);
	return WK_OK;
}

bool
wk_http1_has_begun(const struct wk_http1_session *s)
{
	return s->incoming != NULL && s->reading == WK_HTTP1_READ_HEAD;
}

static bool
has_room(const struct wk_http1_session *s)
{
	return s->stream->base.capsules != NULL ||
	    s->stream->unconsumed < s->base.limits.window;
}

bool
wk_http1_can_read(const struct wk_http1_session *s)
{
	switch (s->reading) {
	case WK_HTTP1_READ_HEAD:
	case WK_HTTP1_READ_IGNORE:
		return true;
	case WK_HTTP1_READ_WAIT:
		return false;
	case WK_HTTP1_READ_DONE:
		return !s->base.is_server;	/* to find it a mistake */
	default:
		return s->stream->base.is_over || has_room(s);
	}
}

void
wk_http1_read_done(struct wk_http1_session *s)
{
	s->reading = WK_HTTP1_READ_DONE;
	wk_http1_incoming_del(s);
	wk_stream_deliver_end(&s->stream->base);
}

int
wk_http1_no_memory(struct wk_http1_session *s)
{
	struct wk_error error;

	wk_error_set(&error, WK_E_NOMEM, 0, "out of memory");
	return wk_http1_fail(s, 503, &error);
}

/* Start on a body, or be done when there is none. */
int
wk_http1_start_body(struct wk_http1_session *s, enum wk_http1_framing framing)
{
	struct wk_http1_incoming *inc = s->incoming;
	size_t size = s->base.limits.max_head;
	char *text;

	if (framing == WK_HTTP1_CHUNKED) {
		size = size > TRAILERS_MAX ? TRAILERS_MAX : size;
		if (size > inc->size) {
			text = realloc(inc->text, size);
			if (text == NULL)
				return wk_http1_no_memory(s);
			inc->text = text;
			inc->size = size;
		}
		wk_http1_chunk_reader_init(&inc->chunks, INT64_MAX, inc->text,
		    inc->size, inc->raw, s->base.limits.max_fields);
	} else {
		wk_http1_incoming_del(s);
	}
	if (s->reading == WK_HTTP1_READ_DONE)
		wk_stream_deliver_end(&s->stream->base);
	return WK_OK;
}

unsigned
wk_http1_refusal(const struct wk_http1_head *head, int rc, bool is_framing)
{
	switch (rc) {
	case WK_E_UNSUPPORTED:
		return is_framing ? 501 : 505;
	case WK_E_LIMIT:
		if (is_framing)
			return 413;
		return head->n_fields == 0 && head->target.len == 0 ? 414 : 431;
	default:
		return 400;
	}
}

/* Storage is full: larger storage, or let the reader say that it is. */
static int
grow(struct wk_http1_session *s)
{
	struct wk_http1_incoming *inc = s->incoming;
	size_t max = s->base.limits.max_head;
	size_t size = inc->size > max / 2 ? max : inc->size * 2;
	char *text;

	if (inc->size == max)
		return WK_OK;
	text = realloc(inc->text, size + 1);
	if (text == NULL)
		return wk_http1_no_memory(s);
	inc->text = text;
	inc->size = size;
	wk_http1_reader_grow(&inc->reader, text, size);
	return WK_OK;
}

static int
read_head(struct wk_http1_session *s, const uint8_t **in, size_t *len)
{
	struct wk_http1_incoming *inc = s->incoming;
	struct wk_error error;
	size_t room, n;
	int ev;

	if (s->stream == NULL && !s->base.is_server) {
		wk_error_set(&error, WK_E_MALFORMED, 0,
		    "a response that nobody asked for");
		return wk_http1_fail(s, 0, &error);
	}
	if (inc == NULL) {
		if (!s->base.is_server && **in == WK_SESSION_TLS_ALERT) {
			wk_error_set(&error, WK_E_MALFORMED, 0,
			    WK_SESSION_WANTS_TLS);
			return wk_http1_fail(s, 0, &error);
		}
		if (incoming_new(s) != WK_OK)
			return wk_http1_no_memory(s);
		inc = s->incoming;
		/* A server's first has been awaited from the beginning. */
		if (!s->base.is_server || s->n_exchanges > 0)
			s->deadline_ns = s->base.limits.head_timeout_ns == 0 ?
			    WK_NEVER :
			    s->now_ns + s->base.limits.head_timeout_ns;
	}
	room = inc->size - inc->reader.head.len;
	if (room == 0 && (ev = grow(s)) != WK_OK)
		return ev;
	room = inc->size - inc->reader.head.len;
	n = room == 0 ? 1 : room < *len ? room : *len;
	*len -= n;
	ev = wk_http1_read(&inc->reader, in, &n);
	*len += n;
	if (ev == WK_HTTP1_MORE)
		return WK_OK;
	if (ev < 0) {
		error = inc->reader.error;
		return wk_http1_fail(s, wk_http1_refusal(&inc->reader.head, ev, false),
		    &error);
	}
	s->deadline_ns = WK_NEVER;
	return s->base.is_server ? wk_http1_on_request(s) : wk_http1_on_response(s);
}

/* Octets for the owner; they count until consumed. */
static void
deliver(struct wk_http1_session *s, const uint8_t *data, size_t len)
{
	struct wk_http1_stream *st = s->stream;

	st->unconsumed += len;
	if (wk_stream_deliver_data(&st->base, data, len))
		st->unconsumed -= len < st->unconsumed ? len : st->unconsumed;
	if (st->base.handler != NULL || st->base.is_over)
		return;
	/* Somebody responded and left: small rests are read, others not. */
	st->n_ignored += len;
	if (st->n_ignored > s->base.limits.window) {
		st->is_persistent = false;
		s->reading = WK_HTTP1_READ_IGNORE;
	}
}

/* How much of len the owner may get now. */
static size_t
within_window(const struct wk_http1_session *s, size_t len)
{
	size_t room;

	if (s->stream->base.capsules != NULL)
		return len;
	room = s->base.limits.window - s->stream->unconsumed;
	return len < room ? len : room;
}

static void
read_octets(struct wk_http1_session *s, const uint8_t **in, size_t *len)
{
	struct wk_http1_stream *st = s->stream;
	bool has_length = s->reading == WK_HTTP1_READ_LENGTH;
	size_t n = within_window(s, *len);
	const uint8_t *data = *in;

	if (has_length && n > st->left_to_read)
		n = (size_t)st->left_to_read;
	*in += n;
	*len -= n;
	if (has_length)
		st->left_to_read -= n;
	deliver(s, data, n);
	if (has_length && st->left_to_read == 0 && !st->base.is_over)
		wk_http1_read_done(s);
}

static int
read_chunks(struct wk_http1_session *s, const uint8_t **in, size_t *len)
{
	size_t n = within_window(s, *len), data_len, before = n;
	const uint8_t *data;
	struct wk_error error;
	int ev;

	ev = wk_http1_chunk_read(&s->incoming->chunks, in, &n, &data,
	    &data_len);
	*len -= before - n;
	if (ev == WK_HTTP1_CHUNK_DATA)
		deliver(s, data, data_len);
	else if (ev == WK_HTTP1_CHUNK_END)
		wk_http1_read_done(s);
	if (ev >= 0)
		return WK_OK;
	error = s->incoming->chunks.error;
	return wk_http1_fail(s, ev == WK_E_LIMIT ? 413 : 400, &error);
}

/*
 * Behind a complete response comes nothing (RFC 9112, section 9.2): what does
 * must not meet the next request.
 */
static int
read_surplus(struct wk_http1_session *s)
{
	struct wk_error error;

	wk_error_set(&error, WK_E_MALFORMED, 0,
	    "octets behind the end of the response");
	if (s->stream->writing != WK_HTTP1_WRITE_DONE || s->stream->is_open)
		return wk_http1_fail(s, 0, &error);
	wk_session_trace(&s->base, WK_TRACE_NOTE, 0, "%s", error.reason);
	wk_http1_leave(s, WK_SESSION_CLOSE);
	s->status = error.status;
	if (s->error != NULL)
		*s->error = error;
	return error.status;
}

static void
step(struct wk_http1_session *s, const uint8_t **in, size_t *len)
{
	switch (s->reading) {
	case WK_HTTP1_READ_HEAD:
		read_head(s, in, len);
		break;
	case WK_HTTP1_READ_LENGTH:
	case WK_HTTP1_READ_CLOSE:
	case WK_HTTP1_READ_TUNNEL:
		read_octets(s, in, len);
		break;
	case WK_HTTP1_READ_CHUNKED:
		read_chunks(s, in, len);
		break;
	case WK_HTTP1_READ_DONE:
		read_surplus(s);
		break;
	default:
		*in += *len;
		*len = 0;
		break;
	}
}

void
wk_http1_read_input(struct wk_http1_session *s, const uint8_t **in,
    size_t *len)
{
	while (*len > 0) {
		/* A client looks at a surplus before it may ask again. */
		if ((s->base.is_server || s->reading != WK_HTTP1_READ_DONE) &&
		    wk_http1_settle(s))
			continue;
		if (!wk_http1_can_read(s))
			return;
		step(s, in, len);
	}
}
