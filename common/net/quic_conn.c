/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define IDS_OF_PEER 7		/* that we keep, for migrations */

void
quic_note(struct wk_quic *q, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (q->endpoint->handler->trace == NULL || q->is_deleted)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	q->endpoint->handler->trace(q, text);
}

void
quic_wake(struct wk_quic *q)
{
	if (q->state <= QUIC_OPEN && !q->is_deleted)
		wk_task_schedule(&q->task);
}

/* --- inside --------------------------------------------------------------- */

void
quic_enter(struct wk_quic *q)
{
	const struct wk_transport_handler *handler = quic_session(q);

	if (q->inside++ > 0 || handler == NULL)
		return;
	q->has_entered = true;
	handler->enter(q->transport.arg, wk_clock_now_ns());
}

void
quic_session_leave(struct wk_quic *q)
{
	while (q->has_entered) {
		q->has_entered = false;
		if (q->transport.handler != NULL)
			q->transport.handler->leave(q->transport.arg);
	}
}

static void
quic_free(struct wk_quic *q)
{
	struct wk_quic_endpoint *endpoint = q->endpoint;

	quic_ids_remove_all(&endpoint->ids, q);
	if (q->state == QUIC_CLOSING || q->state == QUIC_DRAINING)
		endpoint->n_over--;
	wk_timer_set(&q->timer, WK_NEVER);
	wk_task_cancel(&q->task);
	free(q->close_packet);
	free(q->close_text);
	free(q->reason);
	free(q->name);
	quic_endpoint_forget(q);
	free(q);
}

void
quic_discard(struct wk_quic *q)
{
	if (q->state <= QUIC_OPEN) {
		q->fate = QUIC_FATE_VANISH;
		quic_bury(q);
	}
	quic_free(q);
}

void
quic_leave(struct wk_quic *q)
{
	if (q->inside == 1) {
		quic_session_leave(q);
		if (q->is_deleted && q->state <= QUIC_OPEN) {
			if (q->fate == QUIC_FATE_NONE ||
			    q->fate == QUIC_FATE_CLOSE)
				quic_send_close(q);
			quic_bury(q);
		}
	}
	if (--q->inside == 0 && q->state == QUIC_DEAD)
		quic_free(q);
}

/* --- the loop ------------------------------------------------------------- */

static void
run(struct wk_task *task)
{
	struct wk_quic *q = task->arg;

	quic_enter(q);
	if (quic_is_alive(q))
		quic_path_renew(q);
	if (quic_is_alive(q)) {
		q->is_in_library = true;
		quic_write(q);
		q->is_in_library = false;
	}
	quic_streams_tell(q);
	quic_datagrams_tell(q);
	quic_follow_fate(q);
	if (quic_is_alive(q))
		quic_expect(q);
	quic_leave(q);
}

static void
expired(struct wk_timer *timer)
{
	struct wk_quic *q = timer->arg;
	uint64_t now = wk_clock_now_ns();
	int rc = 0;

	if (q->state > QUIC_OPEN) {
		/* Its last words were said long ago. */
		quic_free(q);
		return;
	}
	quic_enter(q);
	if (quic_is_alive(q) && ngtcp2_conn_get_expiry(q->conn) <= now) {
		q->is_in_library = true;
		rc = ngtcp2_conn_handle_expiry(q->conn, now);
		q->is_in_library = false;
	}
	if (rc != 0)
		quic_fail_library(q, rc);
	quic_follow_fate(q);
	quic_wake(q);
	quic_leave(q);
}

struct wk_quic *
quic_new(struct wk_quic_endpoint *endpoint, bool is_server,
    const struct wk_address *local, const struct wk_address *peer)
{
	struct wk_quic *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->transport.ops = &quic_transport_ops;
	q->endpoint = endpoint;
	q->is_server = is_server;
	q->was_opened = !is_server;
	q->arg = endpoint->arg;
	q->local = *local;
	q->peer = *peer;
	q->qlog_fd = -1;
	q->probe_ns = WK_NEVER;
	quic_streams_init(&q->streams);
	quic_ccerr_application(&q->close_error, WK_QUIC_NO_ERROR, NULL, 0);
	wk_timer_init(&q->timer, endpoint->loop, expired, q);
	wk_task_init(&q->task, endpoint->loop, run, q);
	return q;
}

/* --- beginning ------------------------------------------------------------ */

static void
set_up(struct wk_quic *q, ngtcp2_settings *settings,
    ngtcp2_transport_params *params)
{
	struct wk_quic_options *o = &q->endpoint->options;

	ngtcp2_settings_default(settings);
	settings->initial_ts = wk_clock_now_ns();
	settings->handshake_timeout = o->handshake_timeout_ns > 0 ?
	    o->handshake_timeout_ns : UINT64_MAX;
	settings->no_pmtud = o->has_no_pmtud;
	if (o->udp_payload > NGTCP2_MAX_UDP_PAYLOAD_SIZE) {
		settings->max_tx_udp_payload_size = o->udp_payload;
		settings->no_tx_udp_payload_size_shaping = 1;
	}
	quic_settings_versions(settings, q->endpoint->versions,
	    q->endpoint->n_versions);
	ngtcp2_transport_params_default(params);
	params->initial_max_stream_data_bidi_local = o->stream_window;
	params->initial_max_stream_data_bidi_remote = o->stream_window;
	params->initial_max_stream_data_uni = o->stream_window;
	params->initial_max_data = o->connection_window;
	params->initial_max_streams_bidi = o->max_streams_bidi;
	params->initial_max_streams_uni = o->max_streams_uni;
	params->max_idle_timeout = o->idle_timeout_ns;
	params->active_connection_id_limit = IDS_OF_PEER;
	params->max_datagram_frame_size = o->has_no_datagrams ? 0 : 65535;
}

static int
library_error(struct wk_error *error, int code)
{
	return wk_error_set(error, code == NGTCP2_ERR_NOMEM ? WK_E_NOMEM :
	    WK_E_INVALID, 0, "QUIC: %s", ngtcp2_strerror(code));
}

int
quic_begin_client(struct wk_quic *q, uint32_t version, struct wk_error *error)
{
	ngtcp2_path path = quic_path(&q->local, &q->peer);
	ngtcp2_transport_params params;
	ngtcp2_settings settings;
	ngtcp2_cid dcid, scid;
	const uint8_t *token;
	size_t token_len;
	int rc;

	set_up(q, &settings, &params);
	settings.original_version = q->refused_version != 0 ?
	    q->refused_version : version;
	token = quic_ticket_take_token(q, &token_len);
	if (token != NULL)
		quic_settings_token(&settings, token, token_len, false);
	if (quic_new_cid(&dcid) != 0 || quic_new_cid(&scid) != 0)
		return wk_error_set(error, WK_E_SYSTEM, 0, "no randomness");
	quic_qlog_open(q, &settings, &dcid);
	rc = ngtcp2_conn_client_new(&q->conn, &dcid, &scid, &path, version,
	    &quic_client_callbacks, &settings, &params, NULL, q);
	if (rc != 0) {
		q->conn = NULL;
		return library_error(error, rc);
	}
	q->version = version;
	rc = quic_tls_new(q, error);
	if (rc != WK_OK)
		return rc;
	ngtcp2_conn_set_tls_native_handle(q->conn, q->tls);
	return WK_OK;
}

int
quic_begin_server(struct wk_quic *q, const struct quic_initial *initial)
{
	ngtcp2_path path = quic_path(&q->local, &q->peer);
	const ngtcp2_pkt_hd *hd = initial->hd;
	struct quic_ids *ids = &q->endpoint->ids;
	ngtcp2_transport_params params;
	ngtcp2_settings settings;
	const uint8_t *token;
	ngtcp2_cid scid;
	size_t len;

	set_up(q, &settings, &params);
	quic_params_odcid(&params, initial->odcid != NULL ? initial->odcid :
	    &hd->dcid);
	if (initial->odcid != NULL) {
		params.retry_scid = hd->dcid;
		params.retry_scid_present = 1;
	}
	if (initial->is_validated) {
		token = quic_hd_token(hd, &len);
		quic_settings_token(&settings, token, len,
		    initial->odcid != NULL);
	}
	if (quic_new_cid(&scid) != 0 || quic_reset_token(q->endpoint, &scid,
	    params.stateless_reset_token) != 0)
		return WK_E_SYSTEM;
	params.stateless_reset_token_present = 1;
	quic_qlog_open(q, &settings, &params.original_dcid);
	if (ngtcp2_conn_server_new(&q->conn, &hd->scid, &scid, &path,
	    hd->version, &quic_server_callbacks, &settings, &params, NULL,
	    q) != 0) {
		q->conn = NULL;
		return WK_E_NOMEM;
	}
	q->version = hd->version;
	if (quic_tls_new(q, NULL) != WK_OK ||
	    quic_ids_add(ids, q, scid.data, scid.datalen) != WK_OK ||
	    quic_ids_add(ids, q, hd->dcid.data, hd->dcid.datalen) != WK_OK)
		return WK_E_NOMEM;
	ngtcp2_conn_set_tls_native_handle(q->conn, q->tls);
	return WK_OK;
}

/* --- Version Negotiation -------------------------------------------------- */

static void
say_offered(struct wk_quic *q)
{
	char name[WK_QUICPKT_NAME_MAX];
	struct wk_buf b;
	size_t i;

	wk_buf_init(&b, 1024);
	for (i = 0; i < q->n_offered; i++)
		if (!wk_quicpkt_is_reserved(q->offered[i]))
			wk_buf_printf(&b, "%s%s", b.len > 0 ? ", " : "",
			    wk_quicpkt_version_text(q->offered[i], name));
	quic_fail(q, QUIC_FATE_VANISH,
	    "peer speaks none of our versions of QUIC (it offers %.*s)",
	    b.len > 0 ? (int)b.len : 7,
	    b.len > 0 ? (const char *)b.data : "nothing");
	wk_buf_free(&b);
}

static uint32_t
common_version(const struct wk_quic *q)
{
	const struct wk_quic_endpoint *e = q->endpoint;
	size_t i, k;

	for (i = 0; i < e->n_versions; i++)
		for (k = 0; k < q->n_offered; k++)
			if (e->versions[i] == q->offered[k] &&
			    e->versions[i] != q->version)
				return e->versions[i];
	return 0;
}

/* Once, with a version that both speak (RFC 9368, section 2.1). */
static void
try_version(struct wk_quic *q)
{
	uint32_t version = common_version(q);
	char name[WK_QUICPKT_NAME_MAX];
	struct wk_error error;

	if (version == 0 || q->refused_version != 0) {
		say_offered(q);
		return;
	}
	quic_note(q, "peer wants QUIC %s",
	    wk_quicpkt_version_text(version, name));
	q->refused_version = q->version;
	ngtcp2_conn_del(q->conn);
	quic_tls_del(q);
	quic_qlog_close(q);
	if (quic_begin_client(q, version, &error) != WK_OK)
		quic_fail(q, QUIC_FATE_VANISH, "%s", error.reason);
}

/* --- packets -------------------------------------------------------------- */

/* Said again ever more rarely (RFC 9000, section 10.2.1). */
static void
answer_late(struct wk_quic *q)
{
	unsigned n = ++q->close_received;

	if (q->state == QUIC_CLOSING && (n & (n - 1)) == 0)
		quic_send_again(q);
}

/* The client's hello comes in pieces, and nobody knows who it is. */
static void
ask_for_proof(struct wk_quic *q, const struct quic_datagram *datagram)
{
	ngtcp2_pkt_hd hd;

	if (quic_accept(&hd, datagram->data, datagram->len) &&
	    quic_send_retry(q->endpoint, datagram, &hd))
		q->endpoint->counters.retries++;
	quic_fail(q, QUIC_FATE_VANISH, "the address is to be validated");
}

void
quic_receive(struct wk_quic *q, const struct quic_datagram *datagram)
{
	ngtcp2_path path = quic_path(q->is_server ? &datagram->local :
	    &datagram->socket->local, q->is_server ? &datagram->peer :
	    &q->peer);
	const ngtcp2_pkt_info info = { .ecn = datagram->ecn };
	int rc;

	if (q->state > QUIC_OPEN) {
		answer_late(q);
		return;
	}
	if (!quic_is_alive(q))
		return;
	q->counters.packets_received++;
	q->counters.bytes_received += datagram->len;
	quic_enter(q);
	q->is_in_library = true;
	quic_frames_begin(q);
	rc = ngtcp2_conn_read_pkt(q->conn, &path, &info, datagram->data,
	    datagram->len, wk_clock_now_ns());
	quic_frames_begin(NULL);
	q->is_in_library = false;
	q->n_probes = 0;
	quic_streams_tell_stops(q);
	if (rc == 0)
		quic_path_look(q);
	else if (rc == NGTCP2_ERR_RETRY && q->is_server)
		ask_for_proof(q, datagram);
	else if (rc == NGTCP2_ERR_RECV_VERSION_NEGOTIATION)
		try_version(q);
	else
		quic_fail_library(q, rc);
	quic_follow_fate(q);
	quic_wake(q);
	quic_leave(q);
}
