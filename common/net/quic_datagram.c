/* SPDX-License-Identifier: MIT */
/*
 * DATAGRAM frames (RFC 9221) that wait for their turn: a ring of octets, each
 * datagram behind its length. ngtcp2 copies what it takes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define FIRST_CAP 16384
#define HEAD 4

/*
 * What stands around a datagram in a packet: the short header's first octet
 * and the longest packet number, the tag; of the frame the type and a length
 * of two octets.
 */
#define PACKET_OVERHEAD (1 + 4 + 16)
#define FRAME_OVERHEAD 3

void
quic_queue_free(struct quic_queue *queue)
{
	free(queue->data);
	free(queue->sizes);
	memset(queue, 0, sizeof(*queue));
}

/* --- the ring ------------------------------------------------------------- */

static void
put(struct quic_queue *queue, const void *data, size_t len)
{
	size_t at = (queue->head + queue->len) & (queue->cap - 1);
	size_t n = queue->cap - at < len ? queue->cap - at : len;

	memcpy(queue->data + at, data, n);
	if (n < len)
		memcpy(queue->data, (const uint8_t *)data + n, len - n);
	queue->len += len;
}

/* What is in it from offset on, in up to two parts. */
static void
peek(const struct quic_queue *queue, size_t offset, size_t len,
    ngtcp2_vec parts[2])
{
	size_t at = (queue->head + offset) & (queue->cap - 1);
	size_t n = queue->cap - at < len ? queue->cap - at : len;

	parts[0].base = queue->data + at;
	parts[0].len = n;
	parts[1].base = queue->data;
	parts[1].len = len - n;
}

static bool
make_room(struct quic_queue *queue, size_t len)
{
	struct quic_queue wider = *queue;
	ngtcp2_vec parts[2];
	size_t cap = queue->cap == 0 ? FIRST_CAP : queue->cap;

	while (cap < queue->len + len)
		cap *= 2;
	if (cap == queue->cap)
		return true;
	wider.data = malloc(cap);
	if (wider.data == NULL)
		return false;
	wider.cap = cap;
	wider.head = wider.len = 0;
	if (queue->len > 0) {
		peek(queue, 0, queue->len, parts);
		put(&wider, parts[0].base, parts[0].len);
		put(&wider, parts[1].base, parts[1].len);
	}
	free(queue->data);
	*queue = wider;
	return true;
}

static size_t
first_len(const struct quic_queue *queue)
{
	ngtcp2_vec parts[2];
	uint8_t head[HEAD];
	uint32_t len;

	peek(queue, 0, HEAD, parts);
	memcpy(head, parts[0].base, parts[0].len);
	if (parts[1].len > 0)
		memcpy(head + parts[0].len, parts[1].base, parts[1].len);
	memcpy(&len, head, sizeof(len));
	return len;
}

/* --- probes --------------------------------------------------------------- */

/*
 * For libraries that do not ask after datagrams: while any are under way a
 * PING is sent when nothing was heard for a probe timeout, then for twice as
 * long, as keep-alives are. Those need room in the congestion window, even when
 * a loss has made it narrower (CUBIC leaves 7 of 10 parts), so no more than
 * this part of it is filled with datagrams.
 */
#define WINDOW_PART(n) ((n) * 5 / 8)
#define PROBES_MAX 6		/* doublings */
#define SIZES 8192		/* of those under way; a power of two */
#define PACKET_SHARE 32		/* what stands around each, about */

bool
quic_datagrams_may_go(const struct wk_quic *q)
{
	quic_conn_info info;

	if (QUIC_PROBES_DATAGRAMS || q->datagrams.under_way == 0)
		return true;
	quic_conn_info_of(q->conn, &info);
	return q->datagrams.under_way +
	    ngtcp2_conn_get_path_max_tx_udp_payload_size(q->conn) <=
	    WINDOW_PART(info.cwnd);
}

void
quic_datagram_went(struct wk_quic *q, const ngtcp2_vec *parts, size_t n)
{
	struct quic_queue *queue = &q->datagrams;
	size_t i, len = 0;

	if (QUIC_PROBES_DATAGRAMS)
		return;
	if (queue->sizes == NULL &&
	    (queue->sizes = calloc(SIZES, sizeof(*queue->sizes))) == NULL)
		return;
	for (i = 0; i < n; i++)
		len += parts[i].len;
	queue->sizes[q->next_datagram_id % SIZES] = (uint16_t)len;
	queue->under_way += len + PACKET_SHARE;
}

void
quic_datagram_over(struct wk_quic *q, uint64_t id)
{
	struct quic_queue *queue = &q->datagrams;
	size_t len;

	if (queue->sizes == NULL)
		return;
	/* One that was lost and is acknowledged later counts twice. */
	len = queue->sizes[id % SIZES] + PACKET_SHARE;
	queue->under_way -= len < queue->under_way ? len : queue->under_way;
}

void
quic_datagrams_watch(struct wk_quic *q)
{
	uint64_t keep_alive_ns = q->endpoint->options.keep_alive_ns, timeout_ns;
	quic_conn_info info;

	if (QUIC_PROBES_DATAGRAMS || q->next_datagram_id == 0)
		return;
	if (wk_clock_now_ns() >= q->probe_ns && q->n_probes < PROBES_MAX)
		q->n_probes++;
	quic_conn_info_of(q->conn, &info);
	q->probe_ns = WK_NEVER;
	if (info.bytes_in_flight == 0) {
		q->datagrams.under_way = 0;
		ngtcp2_conn_set_keep_alive_timeout(q->conn, keep_alive_ns);
		return;
	}
	timeout_ns = ngtcp2_conn_get_pto(q->conn) << q->n_probes;
	if (keep_alive_ns > 0 && keep_alive_ns < timeout_ns)
		timeout_ns = keep_alive_ns;
	ngtcp2_conn_set_keep_alive_timeout(q->conn, timeout_ns);
	q->probe_ns = q->sent_ns + timeout_ns;
}

/* -------------------------------------------------------------------------- */

static const ngtcp2_transport_params *
peers_params(const struct wk_quic *q)
{
	return q->conn == NULL ? NULL :
	    ngtcp2_conn_get_remote_transport_params(q->conn);
}

size_t
quic_datagram_max(const struct wk_transport *t)
{
	const struct wk_quic *q = quic_of(t);
	const ngtcp2_transport_params *params = peers_params(q);
	size_t path, overhead, max;

	if (params == NULL || params->max_datagram_frame_size <= FRAME_OVERHEAD)
		return 0;
	path = ngtcp2_conn_get_path_max_tx_udp_payload_size(q->conn);
	overhead = PACKET_OVERHEAD + FRAME_OVERHEAD +
	    ngtcp2_conn_get_dcid(q->conn)->datalen;
	max = path > overhead ? path - overhead : 0;
	return params->max_datagram_frame_size - FRAME_OVERHEAD < max ?
	    (size_t)params->max_datagram_frame_size - FRAME_OVERHEAD : max;
}

enum wk_transport_sent
quic_datagram_send(struct wk_transport *t, const struct iovec *parts,
    size_t n_parts)
{
	struct wk_quic *q = quic_of(t);
	const ngtcp2_transport_params *params = peers_params(q);
	struct quic_queue *queue = &q->datagrams;
	size_t i, len = 0;
	uint32_t head;

	if (!quic_is_alive(q))
		return WK_TRANSPORT_CLOSED;
	if (params == NULL || params->max_datagram_frame_size == 0)
		return WK_TRANSPORT_UNSUPPORTED;
	for (i = 0; i < n_parts; i++)
		len += parts[i].iov_len;
	if (len > quic_datagram_max(t))
		return WK_TRANSPORT_TOO_BIG;
	/* One always has room, however small the queue is to be. */
	if ((queue->n > 0 && queue->len + HEAD + len >
	    q->endpoint->options.max_datagrams_queued) ||
	    !make_room(queue, HEAD + len)) {
		queue->has_refused = true;
		return WK_TRANSPORT_BLOCKED;
	}
	head = (uint32_t)len;
	put(queue, &head, HEAD);
	for (i = 0; i < n_parts; i++)
		if (parts[i].iov_len > 0)
			put(queue, parts[i].iov_base, parts[i].iov_len);
	queue->n++;
	quic_wake(q);
	return WK_TRANSPORT_SENT;
}

bool
quic_datagram_next(struct wk_quic *q, ngtcp2_vec parts[2], size_t *n_parts)
{
	struct quic_queue *queue = &q->datagrams;
	size_t len = 0, max;

	if (queue->n == 0)
		return false;
	/* The path may have become narrower: what does not fit would block */
	/* the others for ever. */
	max = quic_datagram_max(&q->transport);
	while (queue->n > 0 && (len = first_len(queue)) > max) {
		q->counters.datagrams_lost++;
		quic_datagram_pop(q);
	}
	if (queue->n == 0)
		return false;
	/* ngtcp2 takes no empty parts. */
	peek(queue, HEAD, len, parts);
	*n_parts = len == 0 ? 0 : parts[1].len > 0 ? 2 : 1;
	return true;
}

void
quic_datagram_pop(struct wk_quic *q)
{
	struct quic_queue *queue = &q->datagrams;
	size_t len = HEAD + first_len(queue);

	queue->head = (queue->head + len) & (queue->cap - 1);
	queue->len -= len;
	queue->n--;
}

void
quic_datagrams_tell(struct wk_quic *q)
{
	const struct wk_transport_handler *handler = quic_session(q);
	struct quic_queue *queue = &q->datagrams;

	if (!queue->has_refused || handler == NULL || !quic_is_alive(q) ||
	    queue->len > q->endpoint->options.max_datagrams_queued / 2)
		return;
	queue->has_refused = false;
	handler->datagram_writable(q->transport.arg);
}
