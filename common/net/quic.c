/* SPDX-License-Identifier: MIT */
/* What others see of QUIC. */
#include "config.h"

#include "common/net/quic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

void
wk_quic_options_default(struct wk_quic_options *options)
{
	memset(options, 0, sizeof(*options));
	options->versions = WK_QUIC_V1;
	options->handshake_timeout_ns = 10 * WK_NS_PER_SEC;
	options->idle_timeout_ns = 30 * WK_NS_PER_SEC;
	options->max_streams_bidi = 100;
	options->max_streams_uni = 16;
	options->stream_window = 1 << 20;
	options->connection_window = 16 << 20;
	options->max_queued = 256 << 10;
	options->max_datagrams_queued = 1 << 20;
	options->max_connections = 10000;
}

/* --- the transport -------------------------------------------------------- */

static void
close_transport(struct wk_transport *t, uint64_t code, const char *reason)
{
	quic_fail_application(quic_of(t), code, reason, true);
}

static void
stats(const struct wk_transport *t, struct wk_transport_stats *stats)
{
	const struct wk_quic *q = quic_of(t);
	quic_conn_info info;

	*stats = q->counters;
	stats->version = q->version;
	if (q->conn == NULL)
		return;
	quic_conn_info_of(q->conn, &info);
	stats->latest_rtt_ns = info.latest_rtt;
	stats->smoothed_rtt_ns = info.smoothed_rtt;
	stats->min_rtt_ns = info.min_rtt;
	stats->rttvar_ns = info.rttvar;
	stats->cwnd = info.cwnd;
	stats->bytes_in_flight = info.bytes_in_flight;
	stats->max_udp_payload =
	    ngtcp2_conn_get_path_max_tx_udp_payload_size(q->conn);
}

const struct wk_transport_ops quic_transport_ops = {
	.open = quic_stream_open,
	.write = quic_stream_write,
	.room = quic_stream_room,
	.queued = quic_stream_queued,
	.finish = quic_stream_finish,
	.reset = quic_stream_reset,
	.stop = quic_stream_stop,
	.consume = quic_stream_consume,
	.send_datagram = quic_datagram_send,
	.datagram_max = quic_datagram_max,
	.close = close_transport,
	.stats = stats,
};

/* --- connections ---------------------------------------------------------- */

static bool
dial(struct wk_quic *q, const char *name, struct wk_error *error)
{
	struct wk_quic_endpoint *e = q->endpoint;

	if (name != NULL && (q->name = strdup(name)) == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return false;
	}
	/* The oldest is what most servers know. */
	return quic_begin_client(q, e->versions[e->n_versions - 1],
	    error) == WK_OK;
}

struct wk_quic *
wk_quic_connect(struct wk_loop *loop, const struct wk_address *peer,
    const struct wk_address *local, const char *name,
    const struct wk_quic_options *options,
    const struct wk_quic_handler *handler, void *arg, struct wk_error *error)
{
	struct wk_quic_endpoint *e;
	struct wk_quic *q;

	e = quic_endpoint_new(loop, options, handler, arg, false, error);
	if (e == NULL)
		return NULL;
	if (quic_udp_open(&e->socket, e, local, peer, error) != WK_OK) {
		quic_endpoint_free(e);
		return NULL;
	}
	q = quic_new(e, false, &e->socket.local, peer);
	if (q == NULL) {
		quic_endpoint_free(e);
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	TAILQ_INSERT_TAIL(&e->connections, q, entry);
	e->counters.connections++;
	if (!dial(q, name, error)) {
		quic_discard(q);
		return NULL;
	}
	quic_wake(q);
	return q;
}

void
wk_quic_set_arg(struct wk_quic *quic, void *arg)
{
	quic->arg = arg;
}

void *
wk_quic_arg(const struct wk_quic *quic)
{
	return quic->arg;
}

struct wk_transport *
wk_quic_transport(struct wk_quic *quic)
{
	return &quic->transport;
}

const struct wk_address *
wk_quic_peer(const struct wk_quic *quic)
{
	return &quic->peer;
}

const char *
wk_quic_description(struct wk_quic *quic)
{
	char tls[WK_TLS_DESCRIPTION_MAX], version[WK_QUICPKT_NAME_MAX];

	if (quic->description == NULL && quic->tls != NULL &&
	    asprintf(&quic->description, "QUIC %s, %s%s",
	    wk_quicpkt_version_text(quic->version, version),
	    wk_tls_describe(quic->tls, tls),
	    gnutls_session_is_resumed(quic->tls) ? ", resumed" : "") < 0)
		quic->description = NULL;
	return quic->description != NULL ? quic->description : "QUIC";
}

bool
wk_quic_is_confirmed(const struct wk_quic *quic)
{
	return quic->has_confirmed;
}

void
wk_quic_wake(struct wk_quic *quic)
{
	quic_wake(quic);
}

void
wk_quic_close(struct wk_quic *quic, uint64_t code, const char *reason)
{
	quic_fail_application(quic, code, reason, false);
}

void
wk_quic_del(struct wk_quic *quic)
{
	if (quic == NULL || quic->is_deleted)
		return;
	quic_enter(quic);
	quic->is_deleted = true;
	wk_task_cancel(&quic->task);
	quic_tell_session(quic);
	quic_leave(quic);
}

int
wk_quic_update_keys(struct wk_quic *quic)
{
	if (!quic_is_alive(quic) || quic->is_in_library ||
	    ngtcp2_conn_initiate_key_update(quic->conn,
	    wk_clock_now_ns()) != 0)
		return WK_E_INVALID;
	quic_wake(quic);
	return WK_OK;
}
