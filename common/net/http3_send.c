/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

static struct http3_stream *
of(struct wk_stream *s)
{
	return (struct http3_stream *)(void *)s;
}

static const struct http3_stream *
of_const(const struct wk_stream *s)
{
	return (const struct http3_stream *)(const void *)s;
}

/* --- heads ---------------------------------------------------------------- */

/* What waits goes as far as the transport has room. */
static void
send_unsent(struct http3_stream *s)
{
	struct wk_transport *t = http3_of(&s->base)->transport;
	struct wk_buf *b = &s->unsent;
	const struct iovec part = { b->data, b->len };
	ssize_t n;

	if (b->len == 0 || s->has_reset)
		return;
	n = t->ops->write(t, s->base.id, &part, 1);
	if (n <= 0)
		return;
	s->overhead += (size_t)n;
	b->len -= (size_t)n;
	if (b->len > 0)
		memmove(b->data, b->data + n, b->len);
	else
		wk_buf_free(b);
}

void
http3_flush(struct http3_stream *s)
{
	struct wk_transport *t = http3_of(&s->base)->transport;

	if (!s->is_wired)
		return;
	send_unsent(s);
	if (!s->is_finished || s->has_sent_end || s->has_reset ||
	    s->unsent.len > 0)
		return;
	s->has_sent_end = true;
	t->ops->finish(t, s->base.id);
}

int
http3_send_head(struct http3_stream *s, const struct wk_message *m)
{
	struct http3 *h = http3_of(&s->base);
	size_t before = s->unsent.len;

	if (http3_encode(h, &s->unsent, m) != WK_OK) {
		s->unsent.len = before;
		s->unsent.status = WK_OK;
		return WK_E_NOMEM;
	}
	http3_trace_frame(h, WK_TRACE_FRAME_SENT, s->base.id,
	    WK_H3FRAME_HEADERS, s->unsent.len - before);
	http3_flush(s);
	return WK_OK;
}

void
http3_send_end(struct http3_stream *s)
{
	http3_flush(s);
	if (s->base.session->is_server)
		http3_due(s, HTTP3_DUE_ANSWERED);
}

/* --- bodies --------------------------------------------------------------- */

/*
 * What the owner has written and the transport has not sent. The transport
 * counts frames' headers too; how many of them are among what is left of a
 * longer queue is not known, so that this may be a little short.
 */
size_t
http3_queued(const struct wk_stream *base)
{
	const struct wk_transport *t = http3_of(base)->transport;
	const struct http3_stream *s = of_const(base);
	size_t octets = s->is_wired ? t->ops->queued(t, base->id) : 0;

	if (octets == 0 || !s->has_payload)
		return 0;
	return octets > s->overhead ? octets - s->overhead : 1;
}

/* Octets of payload for which the transport has room, with a header. */
static size_t
transport_room(const struct http3_stream *s)
{
	const struct wk_transport *t = http3_of(&s->base)->transport;
	size_t room = t->ops->room(t, s->base.id);
	size_t header = 1 + wk_varint_shortest(room);

	return room > header ? room - header : 0;
}

static size_t
payload_room(const struct http3_stream *s)
{
	size_t max = s->base.session->limits.max_queued;
	size_t queued = http3_queued(&s->base), room;

	if (s->unsent.len > 0 || queued >= max)
		return 0;
	room = transport_room(s);
	return room < max - queued ? room : max - queued;
}

static bool
is_writing(const struct http3_stream *s)
{
	return s->may_write && !s->is_finished && !s->has_reset;
}

size_t
http3_room(const struct wk_stream *base)
{
	const struct http3_stream *s = of_const(base);

	if (s->writes_nowhere)
		return base->session->limits.max_queued;
	return is_writing(s) ? payload_room(s) : 0;
}

/*
 * One frame of what stands in parts[1] and on, for all of which there is room.
 * WK_OK, or what the transport says.
 */
static int
write_frame(struct http3_stream *s, struct iovec *parts, size_t n, size_t len)
{
	const struct wk_h3frame frame = { .type = WK_H3FRAME_DATA,
		.length = len };
	struct http3 *h = http3_of(&s->base);
	struct wk_transport *t = h->transport;
	uint8_t header[WK_H3FRAME_HEADER_MAX];
	ssize_t rc;

	if (t->ops->queued(t, s->base.id) == 0) {
		s->overhead = 0;
		s->has_payload = false;
	}
	parts[0].iov_base = header;
	parts[0].iov_len = wk_h3frame_header(header, &frame);
	rc = t->ops->write(t, s->base.id, parts, n);
	if (rc < 0)
		return (int)rc;
	http3_trace_frame(h, WK_TRACE_FRAME_SENT, s->base.id, frame.type, len);
	s->overhead += parts[0].iov_len;
	s->has_payload = true;
	s->promised -= s->has_promised ? len : 0;
	http3_wake(h);
	return WK_OK;
}

ssize_t
http3_write(struct wk_stream *base, const void *data, size_t len)
{
	struct http3_stream *s = of(base);
	struct iovec parts[2];
	size_t n;
	int rc;

	if (s->writes_nowhere)
		return (ssize_t)len;
	if (!is_writing(s) || (s->has_promised && len > s->promised))
		return WK_E_INVALID;
	n = payload_room(s);
	if (n < len)
		s->waits_room = true;
	else
		n = len;
	if (n > 0) {
		parts[1].iov_base = wk_unconst(data);
		parts[1].iov_len = n;
		rc = write_frame(s, parts, 2, n);
		if (rc != WK_OK)
			return rc;
	}
	return (ssize_t)n;
}

void
http3_write_both(struct wk_stream *base, const void *first, size_t first_len,
    const void *second, size_t second_len)
{
	struct iovec parts[3] = {
		[1] = { wk_unconst(first), first_len },
		[2] = { wk_unconst(second), second_len },
	};

	if (!of(base)->writes_nowhere)
		(void)write_frame(of(base), parts, 3, first_len + second_len);
}

int
http3_finish(struct wk_stream *base)
{
	struct http3_stream *s = of(base);

	if (s->writes_nowhere) {
		s->writes_nowhere = false;
		return WK_OK;
	}
	if (!is_writing(s))
		return WK_E_INVALID;
	if (s->has_promised && s->promised > 0) {
		wk_stream_reset(base, WK_STREAM_INTERNAL,
		    "the body ends before its Content-Length");
		return WK_E_INVALID;
	}
	s->is_finished = true;
	http3_send_end(s);
	http3_wake(http3_of(base));
	return WK_OK;
}

bool
http3_is_writable(const struct http3_stream *s)
{
	size_t max = s->base.session->limits.max_queued;

	/* One who waits to send a datagram waits for those to be sent. */
	return s->base.wants_writable && is_writing(s) &&
	    (s->waits_room || !s->waits_datagram) &&
	    http3_queued(&s->base) <= max / 2 && payload_room(s) > 0;
}
