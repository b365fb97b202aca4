/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/net/session_parts.h"

/* A pooled datagram larger than this gives its memory back at once. */
#define DATAGRAM_KEEP 2048

struct wk_stream_capsules {
	struct wk_capsule_reader reader;
	struct wk_buf datagram;	/* one that arrives in pieces */
	size_t max_datagram;
	uint64_t oversized;
	bool is_skipping;	/* the one at hand is too long */
};

void
wk_stream_handle(struct wk_stream *s, const struct wk_stream_handler *handler,
    void *arg)
{
	s->handler = handler;
	s->arg = arg;
}

void *
wk_stream_arg(const struct wk_stream *s)
{
	return s->arg;
}

struct wk_session *
wk_stream_session(const struct wk_stream *s)
{
	return s->session;
}

enum wk_http_version
wk_stream_version(const struct wk_stream *s)
{
	return s->session->ops->version;
}

uint64_t
wk_stream_id(const struct wk_stream *s)
{
	return s->id;
}

static int
check_response(const struct wk_stream *s, const struct wk_message *m,
    bool is_final, struct wk_error *error)
{
	if (s->is_over)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "the stream is over");
	if (!s->session->is_server || wk_message_is_request(m))
		return wk_error_set(error, WK_E_INVALID, 0,
		    "only servers respond");
	if (is_final ? m->status < 200 || m->status > 999 :
	    m->status < 100 || m->status > 199 || m->status == 101)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "status %u does not fit here", m->status);
	return wk_message_check(m, error);
}

int
wk_stream_respond(struct wk_stream *s, const struct wk_message *m,
    bool is_last, struct wk_error *error)
{
	int rc = check_response(s, m, true, error);

	return rc == WK_OK ? s->ops->respond(s, m, is_last, error) : rc;
}

int
wk_stream_respond_informational(struct wk_stream *s,
    const struct wk_message *m, struct wk_error *error)
{
	int rc = check_response(s, m, false, error);

	return rc == WK_OK ? s->ops->respond_informational(s, m, error) : rc;
}

ssize_t
wk_stream_write(struct wk_stream *s, const void *data, size_t len)
{
	ssize_t n;

	if (s->is_over)
		return WK_E_INVALID;
	n = s->ops->write(s, data, len);
	if (n >= 0 && (size_t)n < len)
		s->wants_writable = true;
	return n;
}

size_t
wk_stream_queued(const struct wk_stream *s)
{
	return s->is_over ? 0 : s->ops->queued(s);
}

size_t
wk_stream_room(const struct wk_stream *s)
{
	return s->is_over ? 0 : s->ops->room(s);
}

int
wk_stream_finish(struct wk_stream *s)
{
	return s->is_over ? WK_E_INVALID : s->ops->finish(s);
}

void
wk_stream_consume(struct wk_stream *s, size_t octets)
{
	if (!s->is_over && s->capsules == NULL && octets > 0)
		s->ops->consume(s, octets);
}

void
wk_stream_reset(struct wk_stream *s, enum wk_stream_code code,
    const char *reason)
{
	if (s->is_over)
		return;
	s->is_over = true;
	s->ops->reset(s, code, reason);
}

int
wk_stream_use_capsules(struct wk_stream *s, size_t max_datagram)
{
	struct wk_stream_capsules *c;

	if (s->is_over || s->capsules != NULL)
		return WK_E_INVALID;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return WK_E_NOMEM;
	wk_capsule_reader_init(&c->reader, WK_VARINT_MAX);
	wk_buf_init(&c->datagram, max_datagram);
	c->max_datagram = max_datagram;
	s->capsules = c;
	if (s->ops->capsules_used != NULL)
		s->ops->capsules_used(s);
	return WK_OK;
}

uint64_t
wk_stream_oversized(const struct wk_stream *s)
{
	return s->capsules == NULL ? 0 : s->capsules->oversized;
}

enum wk_stream_sent
wk_stream_send_capsule(struct wk_stream *s, const struct wk_capsule *capsule,
    const void *value)
{
	uint8_t header[WK_CAPSULE_HEADER_MAX];
	size_t len = wk_capsule_header(header, capsule), room;

	if (s->is_over)
		return WK_STREAM_CLOSED;
	if (len == 0 || capsule->length > s->session->limits.max_queued - len)
		return WK_STREAM_TOO_BIG;
	/* Nothing is taken yet, but a stream that is not open says so here. */
	if (s->ops->write(s, header, 0) < 0)
		return WK_STREAM_CLOSED;
	room = s->ops->room(s);
	if (room < len + capsule->length) {
		s->wants_writable = true;
		return WK_STREAM_BLOCKED;
	}
	if (s->ops->write_both != NULL) {
		s->ops->write_both(s, header, len, value,
		    (size_t)capsule->length);
		return WK_STREAM_SENT;
	}
	s->ops->write(s, header, len);
	if (capsule->length > 0)
		s->ops->write(s, value, (size_t)capsule->length);
	return WK_STREAM_SENT;
}

enum wk_stream_sent
wk_stream_send_datagram(struct wk_stream *s, const void *data, size_t len)
{
	const struct wk_capsule capsule = { .length = len };

	if (s->is_over)
		return WK_STREAM_CLOSED;
	if (wk_stream_has_datagram_frames(s))
		return s->ops->send_datagram(s, data, len);
	return wk_stream_send_capsule(s, &capsule, data);
}

bool
wk_stream_has_datagram_frames(const struct wk_stream *s)
{
	return !s->is_over && s->ops->has_frames != NULL &&
	    s->ops->has_frames(s);
}

size_t
wk_stream_datagram_max(const struct wk_stream *s)
{
	if (s->is_over)
		return 0;
	if (wk_stream_has_datagram_frames(s))
		return s->ops->datagram_max(s);
	return s->session->limits.max_queued - WK_CAPSULE_HEADER_MAX;
}

void
wk_stream_attach(struct wk_session *session, struct wk_stream *s,
    const struct wk_stream_ops *ops, uint64_t id)
{
	s->ops = ops;
	s->session = session;
	s->id = id;
	s->prev = NULL;
	s->next = session->streams;
	if (s->next != NULL)
		s->next->prev = s;
	session->streams = s;
	session->n_streams++;
}

static void
detach(struct wk_stream *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		s->session->streams = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	s->session->n_streams--;
	if (s->capsules != NULL)
		wk_buf_free(&s->capsules->datagram);
	free(s->capsules);
	s->capsules = NULL;
}

void
wk_stream_deliver_head(struct wk_stream *s, const struct wk_message *m)
{
	void (*deliver)(struct wk_stream *, const struct wk_message *);

	if (s->is_over || s->handler == NULL)
		return;
	deliver = m->status < 200 && m->status != 101 ?
	    s->handler->informational : s->handler->head;
	if (deliver != NULL)
		deliver(s, m);
}

void
wk_stream_deliver_datagram(struct wk_stream *s, const uint8_t *data,
    size_t len)
{
	if (!s->is_over && s->handler != NULL && s->handler->datagram != NULL)
		s->handler->datagram(s, data, len);
}

/* A DATAGRAM capsule: usually whole in what arrived, then never copied. */
static void
deliver_datagram_capsule(struct wk_stream *s, enum wk_capsule_event event,
    const struct wk_capsule *cap)
{
	struct wk_stream_capsules *c = s->capsules;

	if (event == WK_CAPSULE_START) {
		c->is_skipping = cap->length > c->max_datagram;
		c->oversized += c->is_skipping;
		wk_buf_clear(&c->datagram);
		if (cap->length == 0)
			wk_stream_deliver_datagram(s, NULL, 0);
	} else if (event == WK_CAPSULE_DATA && !c->is_skipping) {
		if (cap->data_len == cap->length) {
			wk_stream_deliver_datagram(s, cap->data, cap->data_len);
			return;
		}
		wk_buf_append(&c->datagram, cap->data, cap->data_len);
		if (c->datagram.status != WK_OK)
			c->is_skipping = true;	/* no memory: lost, as on the way */
		else if (c->datagram.len == cap->length)
			wk_stream_deliver_datagram(s, c->datagram.data,
			    c->datagram.len);
	} else if (event == WK_CAPSULE_END && c->datagram.cap > DATAGRAM_KEEP) {
		wk_buf_free(&c->datagram);
	}
}

static void
reset_malformed(struct wk_stream *s, const struct wk_error *error)
{
	char reason[WK_ERROR_REASON_MAX + 40];

	snprintf(reason, sizeof(reason), "capsules: byte %" PRIu64 ": %s",
	    error->offset, error->reason);
	wk_stream_reset(s, WK_STREAM_MALFORMED, reason);
}

static void
deliver_capsules(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct wk_capsule_reader *r = &s->capsules->reader;
	struct wk_capsule cap;
	int event;

	while (!s->is_over &&
	    (event = wk_capsule_read(r, &data, &len, &cap)) != WK_CAPSULE_MORE) {
		if (event < 0) {
			reset_malformed(s, &r->error);
			return;
		}
		if (cap.type == 0)
			deliver_datagram_capsule(s,
			    (enum wk_capsule_event)event, &cap);
		else if (s->handler != NULL && s->handler->capsule != NULL)
			s->handler->capsule(s, (enum wk_capsule_event)event,
			    &cap);
	}
}

bool
wk_stream_deliver_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	if (s->is_over)
		return true;
	if (s->capsules != NULL) {
		deliver_capsules(s, data, len);
		return true;
	}
	if (s->handler == NULL || s->handler->data == NULL)
		return true;
	s->handler->data(s, data, len);
	return false;
}

void
wk_stream_deliver_end(struct wk_stream *s)
{
	if (s->is_over)
		return;
	if (s->capsules != NULL &&
	    wk_capsule_reader_finish(&s->capsules->reader) != WK_OK) {
		reset_malformed(s, &s->capsules->reader.error);
		return;
	}
	if (s->handler != NULL && s->handler->end != NULL)
		s->handler->end(s);
}

void
wk_stream_deliver_writable(struct wk_stream *s)
{
	if (s->is_over || !s->wants_writable)
		return;
	s->wants_writable = false;
	if (s->handler != NULL && s->handler->writable != NULL)
		s->handler->writable(s);
}

void
wk_stream_deliver_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	const struct wk_stream_handler *handler = s->handler;

	s->is_over = true;
	s->handler = NULL;	/* it hears nothing more, whatever it does now */
	if (handler != NULL && handler->closed != NULL)
		handler->closed(s, end);
	detach(s);
}
