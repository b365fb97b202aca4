/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http2_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/net/http2_parts.h"
#include "common/net/loop.h"	/* WK_NEVER */

#define WINDOW_MAX INT32_MAX

/* Frames of ours that may wait while the peer does not read. */
#define QUEUE_PAUSE 256

/* How long a server waits for requests that cross its first GOAWAY. */
#define DRAIN_WAIT_NS (1 * WK_NS_PER_SEC)

static const struct wk_session_handler nobody;

static struct http2 *
of(struct wk_session *session)
{
	return (struct http2 *)(void *)session;
}

static const struct http2 *
of_const(const struct wk_session *session)
{
	return (const struct http2 *)(const void *)session;
}

static size_t
pending(const struct http2 *h)
{
	return h->out.len - h->out_at;
}

/* --- around events --------------------------------------------------------- */

static void
bury(struct http2 *h)
{
	struct http2_stream *s;

	while ((s = h->graves) != NULL) {
		h->graves = s->due_next;
		http2_stream_del(s);
	}
}

static void
destroy(struct http2 *h)
{
	bury(h);
	nghttp2_session_del(h->ng);
	wk_buf_free(&h->out);
	wk_head_free(&h->head);
	free(h);
}

void
http2_enter(struct http2 *h)
{
	h->depth++;
}

static void
deliver_all(struct http2 *h)
{
	struct http2_stream *s;

	while (!h->is_deleted && (s = h->due_first) != NULL) {
		h->due_first = s->due_next;
		if (h->due_first == NULL)
			h->due_last = NULL;
		s->is_listed = false;
		http2_deliver_due(s);
	}
}

static bool
has_work(const struct http2 *h)
{
	return pending(h) > 0 || h->n_ready > 0 || h->due_first != NULL ||
	    h->drain == HTTP2_DRAIN_ASKED || nghttp2_session_want_write(h->ng);
}

bool
http2_leave(struct http2 *h)
{
	deliver_all(h);
	h->depth--;
	if (h->depth > 0)
		return !h->is_deleted;
	if (h->is_deleted) {
		destroy(h);
		return false;
	}
	bury(h);
	return true;
}

void
http2_wake(struct http2 *h)
{
	if (h->depth == 0 && !h->is_deleted)
		wk_session_tell_output(&h->base);
}

static void
close_all(struct http2 *h, enum wk_stream_code code, bool is_ours,
    const char *reason)
{
	struct wk_stream *s;

	for (s = h->base.streams; s != NULL; s = s->next)
		http2_stream_end((struct http2_stream *)(void *)s, code,
		    is_ours, 0, reason);
}

/* What streams hear: a peer that breaks the rules is not just lost. */
static enum wk_stream_code
blame(uint32_t code)
{
	switch (code) {
	case NGHTTP2_NO_ERROR:
	case NGHTTP2_INTERNAL_ERROR:
		return WK_STREAM_LOST;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return WK_STREAM_OVERLOAD;
	default:
		return WK_STREAM_MALFORMED;
	}
}

void
http2_set_failed(struct http2 *h, enum wk_status status, uint32_t code,
    const char *reason)
{
	if (h->failed.status != WK_OK)
		return;
	wk_error_set(&h->failed, status, 0, "%s", reason);
	wk_session_trace(&h->base, WK_TRACE_NOTE, 0, "connection error: %s",
	    reason);
	close_all(h, blame(code), true, reason);
}

static int32_t
last_stream(const struct http2 *h)
{
	return h->base.is_server ?
	    nghttp2_session_get_last_proc_stream_id(h->ng) : 0;
}

void
http2_fail(struct http2 *h, enum wk_status status, uint32_t code,
    const char *reason)
{
	if (h->failed.status != WK_OK)
		return;
	nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE, last_stream(h), code,
	    (const uint8_t *)reason, strlen(reason));
	http2_set_failed(h, status, code, reason);
}

void
http2_goaway_sent(struct http2 *h, const nghttp2_goaway *goaway)
{
	char reason[WK_ERROR_REASON_MAX];

	if (goaway->error_code == NGHTTP2_NO_ERROR) {
		/* The answer to this tells that the notice was heard. */
		if (h->drain == HTTP2_DRAIN_NOTICE)
			nghttp2_submit_ping(h->ng, NGHTTP2_FLAG_NONE,
			    (const uint8_t *)"shutdown");
		return;
	}
	/* nghttp2 found the mistake, and says so in its GOAWAY. */
	snprintf(reason, sizeof(reason), "%s%s%.*s",
	    http2_error_text(goaway->error_code),
	    goaway->opaque_data_len > 0 ? ": " : "",
	    (int)goaway->opaque_data_len, (const char *)goaway->opaque_data);
	http2_set_failed(h, goaway->error_code == NGHTTP2_ENHANCE_YOUR_CALM ?
	    WK_E_LIMIT : WK_E_MALFORMED, goaway->error_code, reason);
}

/* --- shutting down --------------------------------------------------------- */

void
http2_last_goaway(struct http2 *h)
{
	h->drain = HTTP2_DRAIN_LAST;
	nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE, last_stream(h),
	    NGHTTP2_NO_ERROR, NULL, 0);
}

/*
 * A client says goodbye behind its last request. A server first announces it
 * and waits for the answer to a PING, so that requests on their way are still
 * served (RFC 9113, section 6.8).
 */
void
http2_drain(struct http2 *h)
{
	if (h->failed.status != WK_OK || h->is_ended)
		return;
	if (h->drain == HTTP2_DRAIN_ASKED) {
		if (h->base.is_server) {
			h->drain = HTTP2_DRAIN_NOTICE;
			h->drain_ns = WK_NEVER;
			nghttp2_submit_shutdown_notice(h->ng);
		} else if (h->n_unsubmitted == 0) {
			http2_last_goaway(h);
		}
	} else if (h->drain == HTTP2_DRAIN_NOTICE && h->drain_ns <= h->now_ns) {
		http2_last_goaway(h);
	}
}

static void
shutdown(struct wk_session *session)
{
	struct http2 *h = of(session);

	if (h->drain != HTTP2_DRAIN_NOT)
		return;
	h->drain = HTTP2_DRAIN_ASKED;
	http2_wake(h);
}

/* --- octets ---------------------------------------------------------------- */

/* What nghttp2 has to say about what came; its errors show in its GOAWAY. */
static void
react(struct http2 *h)
{
	http2_pump(h);
	http2_drain(h);
	http2_pump(h);
}

/* A call brings the time; between such calls it is not known. */
static void
begin(struct http2 *h, uint64_t now_ns)
{
	h->now_ns = now_ns;
	h->is_now = true;
	if (h->base.n_streams == 0 && h->idle_ns == WK_NEVER)
		h->idle_ns = now_ns;
	http2_enter(h);
}

static bool
end(struct http2 *h)
{
	bool is_alive = http2_leave(h);

	if (is_alive)
		h->is_now = false;
	return is_alive;
}

static int
receive(struct wk_session *session, const uint8_t *data, size_t len,
    uint64_t now_ns, struct wk_error *error)
{
	struct http2 *h = of(session);
	struct wk_error failed;
	ssize_t n;

	if (h->failed.status == WK_OK && !h->is_ended && len > 0) {
		begin(h, now_ns);
		h->heard_ns = now_ns;
		h->is_asking = false;
		n = 0;
		if (!h->base.is_server && !h->has_heard &&
		    data[0] == WK_SESSION_TLS_ALERT)
			http2_fail(h, WK_E_MALFORMED, NGHTTP2_PROTOCOL_ERROR,
			    WK_SESSION_WANTS_TLS);
		else
			n = nghttp2_session_mem_recv(h->ng, data, len);
		h->has_heard = true;
		if (n < 0 && !h->is_deleted && h->failed.status == WK_OK)
			http2_fail_by(h, (int)n);
		if (!h->is_deleted)
			react(h);
		failed = h->failed;
		if (!end(h)) {
			failed.status = WK_OK;
		} else if (has_work(h)) {
			wk_session_tell_output(&h->base);
		}
	} else {
		failed = h->failed;
	}
	if (failed.status != WK_OK && error != NULL)
		*error = failed;
	return failed.status;
}

static void
receive_end(struct wk_session *session, bool is_clean, uint64_t now_ns)
{
	struct http2 *h = of(session);
	char reason[WK_ERROR_REASON_MAX + 64];

	if (h->is_ended)
		return;
	h->is_ended = true;
	snprintf(reason, sizeof(reason), "%s%s%s", is_clean ?
	    "the peer closed the connection" : h->base.cause != NULL ?
	    h->base.cause : "the connection was cut off",
	    h->goaway_text[0] != '\0' ? ": " : "", h->goaway_text);
	begin(h, now_ns);
	close_all(h, WK_STREAM_LOST, false, reason);
	end(h);
}

static bool
wants_input(const struct wk_session *session)
{
	const struct http2 *h = of_const(session);

	return pending(h) < HTTP2_OUTPUT_TARGET ||
	    nghttp2_session_get_outbound_queue_size(h->ng) < QUEUE_PAUSE;
}

static size_t
output(struct wk_session *session, const uint8_t **data)
{
	struct http2 *h = of(session);
	bool has_delivered;

	http2_enter(h);
	do {
		if (pending(h) < HTTP2_OUTPUT_TARGET / 2) {
			http2_drain(h);
			http2_fill(h);
		}
		has_delivered = h->due_first != NULL;
		deliver_all(h);
	} while (!h->is_deleted && has_delivered &&
	    pending(h) < HTTP2_OUTPUT_TARGET / 2);
	if (!http2_leave(h)) {
		*data = NULL;
		return 0;
	}
	*data = h->out.data == NULL ? NULL : h->out.data + h->out_at;
	return pending(h);
}

static void
sent(struct wk_session *session, size_t octets, uint64_t now_ns)
{
	struct http2 *h = of(session);

	h->out_at += octets;
	if (h->drain == HTTP2_DRAIN_NOTICE && h->drain_ns == WK_NEVER)
		h->drain_ns = now_ns + DRAIN_WAIT_NS;
	if (h->out_at == h->out.len) {
		h->out_at = 0;
		wk_buf_clear(&h->out);
		if (h->base.n_streams == 0)
			wk_buf_free(&h->out);
	}
	begin(h, now_ns);
	end(h);
}

static enum wk_session_fate
fate(const struct wk_session *session)
{
	const struct http2 *h = of_const(session);

	if (h->is_lost)
		return WK_SESSION_ABORT;
	if (h->failed.status != WK_OK || h->is_ended)
		return WK_SESSION_CLOSE;
	/* GOAWAY was sent or received, and nothing is open any more. */
	if (!nghttp2_session_want_read(h->ng) && h->base.n_streams == 0)
		return WK_SESSION_CLOSE;
	return WK_SESSION_OPEN;
}

/* --- time ------------------------------------------------------------------ */

static uint64_t
deadline_ns(const struct wk_session *session)
{
	const struct http2 *h = of_const(session);

	return h->due_first != NULL ? 0 : http2_deadline_ns(h);
}

static void
expire(struct wk_session *session, uint64_t now_ns)
{
	struct http2 *h = of(session);

	begin(h, now_ns);
	http2_expired(h);
	if (!h->is_deleted)
		react(h);
	if (end(h) && has_work(h))
		wk_session_tell_output(&h->base);
}

/* --- life ------------------------------------------------------------------ */

static void
del(struct wk_session *session)
{
	struct http2 *h = of(session);
	struct wk_stream *s, *next;

	if (h->is_deleted)
		return;
	h->is_deleted = true;
	http2_enter(h);
	close_all(h, WK_STREAM_LOST, true, h->base.cause != NULL ?
	    h->base.cause : "the connection was given up");
	for (s = h->base.streams; s != NULL; s = next) {
		next = s->next;
		if (!((struct http2_stream *)(void *)s)->is_closed)
			http2_stream_closed((struct http2_stream *)(void *)s);
	}
	h->base.handler = &nobody;
	http2_leave(h);
}

static const struct wk_session_ops ops = {
	.version = WK_HTTP_2,
	.del = del,
	.receive = receive,
	.receive_end = receive_end,
	.wants_input = wants_input,
	.output = output,
	.sent = sent,
	.fate = fate,
	.deadline_ns = deadline_ns,
	.expire = expire,
	.request = http2_request,
	.shutdown = shutdown,
};

static nghttp2_session *
library_session(struct http2 *h)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	nghttp2_session *ng = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) != 0 ||
	    nghttp2_option_new(&option) != 0)
		goto out;
	http2_receive_callbacks(callbacks);
	http2_send_callbacks(callbacks);
	/* Windows follow our owner; heads and lengths are checked by us. */
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_http_messaging(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
#ifdef HAVE_NGHTTP2_OPTION_SET_STREAM_RESET_RATE_LIMIT
	/* Ours counts by our clock, and only what was not answered yet. */
	nghttp2_option_set_stream_reset_rate_limit(option, UINT64_MAX,
	    UINT64_MAX);
#endif
	if (h->base.is_server)
		nghttp2_session_server_new2(&ng, callbacks, h, option);
	else
		nghttp2_session_client_new2(&ng, callbacks, h, option);
out:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return ng;
}

static uint32_t
at_most(uint64_t value, uint64_t max)
{
	return (uint32_t)(value < max ? value : max);
}

static int
say_settings(struct http2 *h)
{
	const struct wk_session_limits *limits = &h->base.limits;
	uint32_t window = at_most(limits->window, WINDOW_MAX);
	uint64_t all = (uint64_t)window * limits->max_streams;
	nghttp2_settings_entry entries[8];
	size_t n = 0;

	entries[n++] = (nghttp2_settings_entry){
		NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window };
	entries[n++] = (nghttp2_settings_entry){
		NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		at_most(limits->max_head, UINT32_MAX) };
	entries[n++] = (nghttp2_settings_entry){
		NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 };
	if (h->base.is_server) {
		entries[n++] = (nghttp2_settings_entry){
			NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
			limits->max_streams };
		entries[n++] = (nghttp2_settings_entry){
			NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1 };
	} else {
		entries[n++] = (nghttp2_settings_entry){
			NGHTTP2_SETTINGS_ENABLE_PUSH, 0 };
	}
	if (nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, entries, n) != 0)
		return WK_E_NOMEM;
	/* A stream that is not consumed must not stop the others. */
	if (all < HTTP2_WINDOW_FIRST)
		all = HTTP2_WINDOW_FIRST;
	if (nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0,
	    (int32_t)at_most(all, WINDOW_MAX)) != 0)
		return WK_E_NOMEM;
	return WK_OK;
}

struct wk_session *
wk_http2_session_new(bool is_server, const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns)
{
	struct http2 *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->base.ops = &ops;
	h->base.handler = handler;
	h->base.arg = arg;
	h->base.limits = *limits;
	h->base.is_server = is_server;
	h->now_ns = h->began_ns = h->heard_ns = h->idle_ns = now_ns;
	wk_buf_init(&h->out, SIZE_MAX);
	wk_head_init(&h->head, limits->max_head, limits->max_fields);
	h->ng = library_session(h);
	if (h->ng == NULL || say_settings(h) != WK_OK) {
		destroy(h);
		return NULL;
	}
	return &h->base;
}
