/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/net/loop.h"	/* WK_NEVER */
#include "common/wire/datagram.h"

/*
 * Datagrams that came before their stream, or before its owner can have them
 * (RFC 9297, section 2.1: about a round trip).
 */
#define KEEP_MAX 64
#define KEEP_OCTETS ((size_t)64 << 10)
#define KEEP_NS (1 * WK_NS_PER_SEC)

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

/* --- those kept ----------------------------------------------------------- */

/* Full: the newest is lost, as it might have been on the way. */
static void
keep(struct http3 *h, const struct wk_datagram_h3 *d)
{
	struct http3_kept *k;

	if (h->n_kept == KEEP_MAX ||
	    d->payload_len > KEEP_OCTETS - h->kept_octets)
		return;
	k = malloc(sizeof(*k) + d->payload_len);
	if (k == NULL)
		return;
	*k = (struct http3_kept){ .stream_id = d->stream_id,
		.since_ns = h->now_ns, .len = d->payload_len };
	if (k->len > 0)
		memcpy(k->data, d->payload, k->len);
	if (h->kept_last != NULL)
		h->kept_last->next = k;
	else
		h->kept_first = k;
	h->kept_last = k;
	h->n_kept++;
	h->kept_octets += k->len;
}

/* Out of the list: the one that *at points to, before being prev. */
static struct http3_kept *
take(struct http3 *h, struct http3_kept **at, struct http3_kept *prev)
{
	struct http3_kept *k = *at;

	*at = k->next;
	if (h->kept_last == k)
		h->kept_last = prev;
	h->n_kept--;
	h->kept_octets -= k->len;
	return k;
}

/* The first one of a stream, NULL for none. */
static struct http3_kept *
take_of(struct http3 *h, uint64_t stream_id)
{
	struct http3_kept **at = &h->kept_first, *prev = NULL;

	while (*at != NULL && (*at)->stream_id != stream_id) {
		prev = *at;
		at = &prev->next;
	}
	return *at == NULL ? NULL : take(h, at, prev);
}

void
http3_datagrams_drop(struct http3 *h, uint64_t stream_id)
{
	while (h->n_kept > 0) {
		struct http3_kept *k = take_of(h, stream_id);

		if (k == NULL)
			return;
		free(k);
	}
}

void
http3_datagrams_expire(struct http3 *h)
{
	while (h->kept_first != NULL &&
	    http3_datagrams_deadline_ns(h) <= h->now_ns)
		free(take(h, &h->kept_first, NULL));
}

void
http3_datagrams_free(struct http3 *h)
{
	while (h->kept_first != NULL)
		free(take(h, &h->kept_first, NULL));
}

uint64_t
http3_datagrams_deadline_ns(const struct http3 *h)
{
	return h->kept_first == NULL ? WK_NEVER :
	    h->kept_first->since_ns + KEEP_NS;
}

/* --- received ------------------------------------------------------------- */

/* The owner wants them, and they mean something. */
static bool
is_listening(const struct http3_stream *s)
{
	return s->base.capsules != NULL && s->has_head &&
	    !s->has_received_end && !s->base.is_over;
}

void
http3_datagrams_deliver(struct http3_stream *s)
{
	struct http3 *h = http3_of(&s->base);
	struct http3_kept *k;

	while (h->n_kept > 0 && !h->is_deleted && is_listening(s) &&
	    (k = take_of(h, s->base.id)) != NULL) {
		wk_stream_deliver_datagram(&s->base, k->data, k->len);
		free(k);
	}
}

static void
deliver(struct http3_stream *s, const struct wk_datagram_h3 *d)
{
	struct http3 *h = http3_of(&s->base);

	http3_datagrams_deliver(s);
	if (!h->is_deleted)
		wk_stream_deliver_datagram(&s->base, d->payload,
		    d->payload_len);
}

void
http3_datagram(void *arg, const uint8_t *data, size_t len)
{
	struct http3 *h = arg;
	struct wk_datagram_h3 d;
	struct wk_error error;
	struct http3_stream *s;

	if (http3_is_over(h))
		return;
	if (wk_datagram_h3_decode(data, len, &d, &error) != WK_OK) {
		http3_fail(h, WK_H3ERROR_DATAGRAM, error.reason);
		return;
	}
	/* Before SETTINGS is what packets do that overtake others. */
	if (h->base.limits.has_no_datagrams ||
	    (h->is_settled && !h->has_frames))
		return;
	s = http3_stream_find(h, d.stream_id);
	if (s == NULL || !s->is_attached) {
		if (h->base.is_server && (s == NULL || !s->base.is_over))
			keep(h, &d);
	} else if (s->base.is_over || s->is_closed || s->has_received_end ||
	    s->has_stopped || s->reads_nowhere) {
		return;
	} else if (!s->is_extended) {
		wk_stream_reset(&s->base, WK_STREAM_DATAGRAM,
		    "a datagram for a request that has none");
	} else if (is_listening(s)) {
		deliver(s, &d);
	} else {
		keep(h, &d);
	}
}

void
http3_datagram_writable(void *arg)
{
	struct http3 *h = arg;
	struct wk_stream *s;

	for (s = h->base.streams; s != NULL; s = s->next)
		if (of(s)->waits_datagram) {
			of(s)->waits_datagram = false;
			http3_due(of(s), HTTP3_DUE_DATAGRAMS);
		}
}

/* --- sent ----------------------------------------------------------------- */

bool
http3_has_frames(const struct wk_stream *base)
{
	return http3_of(base)->has_frames && of_const(base)->is_extended;
}

enum wk_stream_sent
http3_send_datagram(struct wk_stream *base, const void *data, size_t len)
{
	struct http3 *h = http3_of(base);
	struct http3_stream *s = of(base);
	const struct wk_datagram_h3 d = { .stream_id = base->id };
	uint8_t header[WK_VARINT_OCTETS_MAX];
	const struct iovec parts[2] = {
		{ header, wk_datagram_h3_header(header, &d) },
		{ wk_unconst(data), len },
	};

	if (!s->may_write || s->is_finished || s->has_reset)
		return WK_STREAM_CLOSED;
	switch (h->transport->ops->send_datagram(h->transport, parts, 2)) {
	case WK_TRANSPORT_SENT:
		http3_wake(h);
		return WK_STREAM_SENT;
	case WK_TRANSPORT_BLOCKED:
		base->wants_writable = s->waits_datagram = true;
		return WK_STREAM_BLOCKED;
	case WK_TRANSPORT_TOO_BIG:
	case WK_TRANSPORT_UNSUPPORTED:
		return WK_STREAM_TOO_BIG;
	case WK_TRANSPORT_CLOSED:
		break;
	}
	return WK_STREAM_CLOSED;
}

size_t
http3_datagram_max(const struct wk_stream *base)
{
	const struct wk_transport *t = http3_of(base)->transport;
	size_t max = t->ops->datagram_max(t);
	size_t header = wk_varint_shortest(base->id / 4);

	return max > header ? max - header : 0;
}
