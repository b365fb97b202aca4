/* SPDX-License-Identifier: MIT */
/* What ngtcp2 calls: mostly handed on to the session as it comes. */
#include "config.h"

#include <string.h>

#include "common/net/quic_parts.h"

static bool
is_of_peer(const struct wk_quic *q, uint64_t id)
{
	return wk_transport_is_by_server(id) != q->is_server;
}

static void
stream_over(struct wk_quic *q, uint64_t id)
{
	const struct wk_transport_handler *handler = quic_session(q);
	struct quic_stream *s = quic_stream_find(q, id);

	if (s == NULL)
		return;
	/* The peer may open another one in its place. */
	if (is_of_peer(q, id) && !wk_transport_is_uni(id))
		ngtcp2_conn_extend_max_streams_bidi(q->conn, 1);
	else if (is_of_peer(q, id) && ++q->n_uni < QUIC_UNI_TOTAL_MAX)
		ngtcp2_conn_extend_max_streams_uni(q->conn, 1);
	ngtcp2_conn_extend_max_offset(q->conn, s->unconsumed);
	quic_stream_del(q, s);
	if (handler != NULL)
		handler->gone(q->transport.arg, id);
}

/* All of it has come, or never will. */
static void
receiving_over(struct wk_quic *q, uint64_t id)
{
	if (!QUIC_ENDS_UNI && is_of_peer(q, id) && wk_transport_is_uni(id))
		stream_over(q, id);
}

static int
on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset,
    const uint8_t *data, size_t len, void *arg, void *stream_arg)
{
	struct wk_quic *q = arg;
	const struct wk_transport_handler *handler = quic_session(q);
	struct quic_stream *s = quic_stream_find(q, (uint64_t)id);
	bool is_last = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;

	(void)offset;
	(void)stream_arg;
	if (s == NULL || s->is_stopped || handler == NULL) {
		ngtcp2_conn_extend_max_offset(conn, len);
	} else {
		s->unconsumed += len;
		handler->data(q->transport.arg, (uint64_t)id, data, len,
		    is_last);
	}
	if (is_last)
		receiving_over(q, (uint64_t)id);
	return 0;
}

static int
on_acked(ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t len,
    void *arg, void *stream_arg)
{
	struct wk_quic *q = arg;
	struct quic_stream *s = quic_stream_find(q, (uint64_t)id);

	(void)conn;
	(void)offset;
	(void)stream_arg;
	if (s != NULL)
		quic_stream_acked(q, s, len);
	return 0;
}

static int
on_stream_open(ngtcp2_conn *conn, int64_t id, void *arg)
{
	(void)conn;
	return quic_stream_new(arg, (uint64_t)id) == NULL ?
	    NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code,
    void *arg, void *stream_arg)
{
	(void)conn;
	(void)flags;
	(void)code;
	(void)stream_arg;
	stream_over(arg, (uint64_t)id);
	return 0;
}

static int
on_stream_reset(ngtcp2_conn *conn, int64_t id, uint64_t final_size,
    uint64_t code, void *arg, void *stream_arg)
{
	struct wk_quic *q = arg;
	const struct wk_transport_handler *handler = quic_session(q);

	(void)conn;
	(void)final_size;
	(void)stream_arg;
	if (handler != NULL && quic_stream_find(q, (uint64_t)id) != NULL)
		handler->was_reset(q->transport.arg, (uint64_t)id, code);
	receiving_over(q, (uint64_t)id);
	return 0;
}

static int
on_stream_credit(ngtcp2_conn *conn, int64_t id, uint64_t max, void *arg,
    void *stream_arg)
{
	struct wk_quic *q = arg;
	struct quic_stream *s = quic_stream_find(q, (uint64_t)id);

	(void)conn;
	(void)max;
	(void)stream_arg;
	if (s != NULL)
		quic_stream_unblocked(q, s);
	return 0;
}

static int
streams_free(struct wk_quic *q, bool is_uni)
{
	const struct wk_transport_handler *handler = quic_session(q);

	if (!q->wants_streams[is_uni] || handler == NULL)
		return 0;
	q->wants_streams[is_uni] = false;
	handler->streams_free(q->transport.arg, is_uni);
	return 0;
}

static int
on_more_bidi(ngtcp2_conn *conn, uint64_t max, void *arg)
{
	(void)conn;
	(void)max;
	return streams_free(arg, false);
}

static int
on_more_uni(ngtcp2_conn *conn, uint64_t max, void *arg)
{
	(void)conn;
	(void)max;
	return streams_free(arg, true);
}

static int
on_datagram(ngtcp2_conn *conn, uint32_t flags, const uint8_t *data, size_t len,
    void *arg)
{
	struct wk_quic *q = arg;
	const struct wk_transport_handler *handler = quic_session(q);

	(void)conn;
	(void)flags;
	q->counters.datagrams_received++;
	if (handler != NULL)
		handler->datagram(q->transport.arg, data, len);
	return 0;
}

static int
on_datagram_acked(ngtcp2_conn *conn, uint64_t id, void *arg)
{
	(void)conn;
	quic_datagram_over(arg, id);
	((struct wk_quic *)arg)->counters.datagrams_acked++;
	return 0;
}

static int
on_datagram_lost(ngtcp2_conn *conn, uint64_t id, void *arg)
{
	(void)conn;
	quic_datagram_over(arg, id);
	((struct wk_quic *)arg)->counters.datagrams_lost++;
	return 0;
}

/* --- the connection ------------------------------------------------------- */

static int
on_handshake_completed(ngtcp2_conn *conn, void *arg)
{
	struct wk_quic *q = arg;
	struct wk_quic_endpoint *endpoint = q->endpoint;

	q->state = QUIC_OPEN;
	q->version = ngtcp2_conn_get_negotiated_version(conn);
	if (q->is_counted) {
		q->is_counted = false;
		endpoint->counters.handshakes--;
	}
	if (q->is_server) {
		endpoint->counters.accepted++;
		quic_token_issue(q, &q->peer);
	}
	quic_keep_alive(conn, endpoint->options.keep_alive_ns);
	if (!quic_is_alive(q))
		return 0;
	q->was_opened = true;
	if (endpoint->handler->trace != NULL)
		quic_note(q, "handshake completed: %s",
		    wk_quic_description(q));
	endpoint->handler->opened(q);
	if (!q->has_entered && quic_session(q) != NULL) {
		q->has_entered = true;
		q->transport.handler->enter(q->transport.arg,
		    wk_clock_now_ns());
	}
	return 0;
}

static int
on_handshake_confirmed(ngtcp2_conn *conn, void *arg)
{
	(void)conn;
	((struct wk_quic *)arg)->has_confirmed = true;
	return 0;
}

static int
on_versions(ngtcp2_conn *conn, const ngtcp2_pkt_hd *hd,
    const uint32_t *versions, size_t n, void *arg)
{
	struct wk_quic *q = arg;
	size_t max = sizeof(q->offered) / sizeof(q->offered[0]);

	(void)conn;
	(void)hd;
	q->n_offered = n < max ? n : max;
	memcpy(q->offered, versions, q->n_offered * sizeof(*versions));
	return 0;
}

static int
on_new_token(QUIC_NEW_TOKEN_ARGS)
{
	(void)conn;
	quic_ticket_token(arg, QUIC_NEW_TOKEN_DATA, QUIC_NEW_TOKEN_LEN);
	return 0;
}

static int
on_path_validation(QUIC_PATH_VALIDATION_ARGS)
{
	QUIC_PATH_VALIDATION_UNUSED;
	quic_path_validated(arg, path, result);
	return 0;
}

static int
on_new_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t len,
    void *arg)
{
	struct wk_quic *q = arg;

	(void)conn;
	(void)len;
	if (quic_new_cid(cid) != 0 ||
	    quic_reset_token(q->endpoint, cid, token) != 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (q->is_server && quic_ids_add(&q->endpoint->ids, q, cid->data,
	    cid->datalen) != WK_OK)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int
on_id_gone(ngtcp2_conn *conn, const ngtcp2_cid *cid, void *arg)
{
	struct wk_quic *q = arg;

	(void)conn;
	if (q->is_server)
		quic_ids_remove(&q->endpoint->ids, q, cid->data,
		    cid->datalen);
	return 0;
}

static int
on_stateless_reset(ngtcp2_conn *conn, const ngtcp2_pkt_stateless_reset *reset,
    void *arg)
{
	(void)conn;
	(void)reset;
	quic_fail(arg, QUIC_FATE_DRAIN,
	    "the peer knows nothing of the connection any more (stateless "
	    "reset)");
	return 0;
}

static void
on_random(uint8_t *data, size_t len, const ngtcp2_rand_ctx *ctx)
{
	(void)ctx;
	quic_random(data, len);
}

#define COMMON \
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb, \
	.handshake_completed = on_handshake_completed, \
	.encrypt = ngtcp2_crypto_encrypt_cb, \
	.decrypt = quic_frames_decrypt, \
	.hp_mask = ngtcp2_crypto_hp_mask_cb, \
	.recv_stream_data = on_stream_data, \
	.acked_stream_data_offset = on_acked, \
	.stream_open = on_stream_open, \
	.stream_close = on_stream_close, \
	.recv_stateless_reset = on_stateless_reset, \
	.extend_max_local_streams_bidi = on_more_bidi, \
	.extend_max_local_streams_uni = on_more_uni, \
	.rand = on_random, \
	.get_new_connection_id = on_new_id, \
	.remove_connection_id = on_id_gone, \
	.update_key = ngtcp2_crypto_update_key_cb, \
	.path_validation = on_path_validation, \
	.stream_reset = on_stream_reset, \
	.extend_max_stream_data = on_stream_credit, \
	.handshake_confirmed = on_handshake_confirmed, \
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb, \
	.delete_crypto_cipher_ctx = \
	    ngtcp2_crypto_delete_crypto_cipher_ctx_cb, \
	.recv_datagram = on_datagram, \
	.ack_datagram = on_datagram_acked, \
	.lost_datagram = on_datagram_lost, \
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb, \
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb

const ngtcp2_callbacks quic_client_callbacks = {
	COMMON,
	.client_initial = ngtcp2_crypto_client_initial_cb,
	.recv_version_negotiation = on_versions,
	.recv_retry = ngtcp2_crypto_recv_retry_cb,
	.recv_new_token = on_new_token,
};

const ngtcp2_callbacks quic_server_callbacks = {
	COMMON,
	.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
};
