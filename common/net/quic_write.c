/* SPDX-License-Identifier: MIT */
/*
 * What a round has produced becomes packets: streams in turns, datagrams
 * between them, as many packets in one go as congestion control and pacing
 * allow until the loop can come back.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define PARTS_MAX 12
#define PARTS_OCTETS 16384	/* more than a packet takes */
/* The loop's timers are no finer: what pacing would send in that time goes */
/* at once. */
#define PACING_NS 1000000
#define BURST_MAX (256 * 1024)

struct packet {
	uint8_t *data;
	size_t cap;
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info;
};

/* --- one packet ----------------------------------------------------------- */

/* <0: an error that ends the connection; NGTCP2_ERR_WRITE_MORE: go on. */
static ngtcp2_ssize
put_datagram(struct wk_quic *q, struct packet *p, uint64_t now)
{
	ngtcp2_vec parts[2];
	int is_taken = 0;
	ngtcp2_ssize rc;
	size_t n;

	if (!quic_datagram_next(q, parts, &n))
		return NGTCP2_ERR_WRITE_MORE;
	rc = ngtcp2_conn_writev_datagram(q->conn, &p->path.path, &p->info,
	    p->data, p->cap, &is_taken, NGTCP2_WRITE_DATAGRAM_FLAG_MORE,
	    q->next_datagram_id, parts, n, now);
	if (is_taken) {
		quic_datagram_went(q, parts, n);
		q->next_datagram_id++;
		q->counters.datagrams_sent++;
		quic_datagram_pop(q);
	} else if (rc == NGTCP2_ERR_INVALID_ARGUMENT ||
	    rc == NGTCP2_ERR_INVALID_STATE) {
		/* Not what the peer had promised to take, or nothing at all. */
		q->counters.datagrams_lost++;
		quic_datagram_pop(q);
		return NGTCP2_ERR_WRITE_MORE;
	}
	return rc;
}

static ngtcp2_ssize
put_stream(struct wk_quic *q, struct packet *p, struct quic_stream *s,
    uint64_t now)
{
	ngtcp2_vec parts[PARTS_MAX];
	ngtcp2_ssize taken = -1, rc;
	bool is_last;
	size_t n;

	n = quic_stream_unsent(s, parts, PARTS_MAX, PARTS_OCTETS, &is_last);
	rc = ngtcp2_conn_writev_stream(q->conn, &p->path.path, &p->info,
	    p->data, p->cap, &taken, NGTCP2_WRITE_STREAM_FLAG_MORE |
	    (is_last ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0), (int64_t)s->id,
	    parts, n, now);
	if (taken >= 0)
		quic_stream_sent(q, s, (size_t)taken, is_last);
	switch (rc) {
	case NGTCP2_ERR_STREAM_DATA_BLOCKED:
		quic_stream_blocked(q, s);
		return NGTCP2_ERR_WRITE_MORE;
	case NGTCP2_ERR_STREAM_SHUT_WR:
	case NGTCP2_ERR_STREAM_NOT_FOUND:
		quic_stream_end_writing(q, s);
		return NGTCP2_ERR_WRITE_MORE;
	default:
		return rc;
	}
}

/* Octets of a packet, 0: nothing can be sent now; <0: an error. */
static ngtcp2_ssize
make_packet(struct wk_quic *q, struct packet *p, uint64_t now)
{
	struct quic_stream *s;
	ngtcp2_ssize rc;

	for (;;) {
		s = quic_stream_next(q);
		if (q->datagrams.n > 0 && (q->is_datagram_turn || s == NULL) &&
		    quic_datagrams_may_go(q)) {
			q->is_datagram_turn = false;
			rc = put_datagram(q, p, now);
		} else if (s != NULL) {
			q->is_datagram_turn = true;
			rc = put_stream(q, p, s, now);
		} else {
			return ngtcp2_conn_writev_stream(q->conn,
			    &p->path.path, &p->info, p->data, p->cap, NULL,
			    NGTCP2_WRITE_STREAM_FLAG_NONE, -1, NULL, 0, now);
		}
		if (rc != NGTCP2_ERR_WRITE_MORE)
			return rc;
	}
}

/* --- many ----------------------------------------------------------------- */

static void
copy_address(struct wk_address *to, const ngtcp2_addr *from)
{
	memcpy(&to->sa, from->addr, from->addrlen);
	to->len = (socklen_t)from->addrlen;
}

static bool
is_address(const struct wk_address *a, const ngtcp2_addr *b)
{
	return a->len == (socklen_t)b->addrlen &&
	    memcmp(&a->sa, b->addr, b->addrlen) == 0;
}

/* A client's packets that probe the path of before go out there. */
static struct quic_socket *
socket_for(struct wk_quic *q, const struct quic_batch *batch)
{
	struct wk_quic_endpoint *e = q->endpoint;

	if (!e->is_server && e->old_socket.io.fd >= 0 &&
	    wk_address_equals(&e->old_socket.local, &batch->local))
		return &e->old_socket;
	return &e->socket;
}

static void
flush(struct wk_quic *q, struct quic_batch *batch)
{
	struct quic_socket *s = socket_for(q, batch);
	int rc;

	if (batch->n > 0 && s->io.fd >= 0 && !quic_udp_is_blocked(s)) {
		rc = quic_udp_send(s, batch);
		if (rc != 0 && rc != EAGAIN)
			quic_path_failed(q, rc);
	}
	batch->n = batch->first = batch->len = 0;
}

/*
 * Segments of one message are equal, and only the last may be shorter; and
 * what is sent together goes one way with one mark.
 */
static bool
fits(const struct quic_batch *batch, const struct packet *p, size_t len)
{
	return batch->n == 0 || (batch->n < QUIC_BATCH_MAX &&
	    batch->sizes[batch->n - 1] == batch->sizes[0] &&
	    len <= batch->sizes[0] && batch->ecn == p->info.ecn &&
	    is_address(&batch->local, &p->path.path.local) &&
	    is_address(&batch->peer, &p->path.path.remote));
}

static void
add(struct wk_quic *q, struct quic_batch *batch, const struct packet *p,
    size_t len)
{
	if (!fits(batch, p, len)) {
		flush(q, batch);
		memmove(batch->data, p->data, len);
	}
	if (batch->n == 0) {
		copy_address(&batch->local, &p->path.path.local);
		copy_address(&batch->peer, &p->path.path.remote);
		batch->ecn = (uint8_t)(p->info.ecn & NGTCP2_ECN_MASK);
	}
	batch->sizes[batch->n++] = (uint16_t)len;
	batch->len += len;
	q->counters.packets_sent++;
	q->counters.bytes_sent += len;
}

static size_t
burst_of(const struct wk_quic *q)
{
	size_t quantum = ngtcp2_conn_get_send_quantum(q->conn);
	quic_conn_info info;
	uint64_t paced;

	quic_conn_info_of(q->conn, &info);
	paced = info.smoothed_rtt == 0 ? 0 :
	    info.cwnd * PACING_NS / info.smoothed_rtt * 5 / 4;
	if (paced > BURST_MAX)
		paced = BURST_MAX;
	return paced > quantum ? (size_t)paced : quantum;
}

void
quic_write(struct wk_quic *q)
{
	struct quic_batch batch = { .data = quic_udp_block() };
	size_t max = ngtcp2_conn_get_max_tx_udp_payload_size(q->conn);
	size_t burst = burst_of(q), sum;
	uint64_t now = wk_clock_now_ns();
	ngtcp2_ssize n = 0;
	struct packet p;

	for (sum = 0; sum < burst; sum += (size_t)n) {
		if (quic_udp_is_blocked(&q->endpoint->socket))
			break;
		if (batch.len + max > QUIC_BATCH_OCTETS)
			flush(q, &batch);
		p.data = batch.data + batch.len;
		p.cap = max;
		p.info.ecn = 0;
		ngtcp2_path_storage_zero(&p.path);
		n = make_packet(q, &p, now);
		if (n <= 0)
			break;
		add(q, &batch, &p, (size_t)n);
	}
	flush(q, &batch);
	if (n < 0) {
		quic_fail_library(q, (int)n);
		return;
	}
	if (sum > 0)
		q->sent_ns = now;
	ngtcp2_conn_update_pkt_tx_time(q->conn, now);
}

void
quic_expect(struct wk_quic *q)
{
	uint64_t deadline_ns;

	quic_datagrams_watch(q);
	deadline_ns = ngtcp2_conn_get_expiry(q->conn);
	/* Probe timeouts grow; a network that is back is to be used soon. */
	if (q->has_lost_address && q->next_socket_ns < deadline_ns)
		deadline_ns = q->next_socket_ns;
	wk_timer_set(&q->timer, deadline_ns);
}

/* --- the last one --------------------------------------------------------- */

void
quic_send_again(struct wk_quic *q)
{
	struct quic_batch batch = {
		.data = q->close_packet, .len = q->close_len, .n = 1,
		.local = q->local, .peer = q->peer,
	};
	struct quic_socket *s = &q->endpoint->socket;

	if (q->close_len == 0 || s->io.fd < 0 || quic_udp_is_blocked(s))
		return;
	batch.sizes[0] = (uint16_t)q->close_len;
	(void)quic_udp_send(s, &batch);
}

void
quic_send_close(struct wk_quic *q)
{
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info;
	ngtcp2_ssize n;

	q->close_packet = malloc(NGTCP2_MAX_UDP_PAYLOAD_SIZE);
	if (q->close_packet == NULL)
		return;
	ngtcp2_path_storage_zero(&path);
	n = ngtcp2_conn_write_connection_close(q->conn, &path.path, &info,
	    q->close_packet, NGTCP2_MAX_UDP_PAYLOAD_SIZE, &q->close_error,
	    wk_clock_now_ns());
	if (n <= 0)
		return;
	q->close_len = (size_t)n;
	quic_send_again(q);
}
