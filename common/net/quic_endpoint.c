/* SPDX-License-Identifier: MIT */
/*
 * One socket and the connections on it. What is cheap comes first: a datagram
 * that cannot be a beginning costs a look into the table of ids.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define DEFAULT_RETRY_THRESHOLD 64

/* --- datagrams that belong to nobody yet ---------------------------------- */

bool
quic_endpoint_speaks(const struct wk_quic_endpoint *endpoint, uint32_t version)
{
	size_t i;

	for (i = 0; i < endpoint->n_versions; i++)
		if (endpoint->versions[i] == version)
			return true;
	return false;
}

static void
refuse(struct wk_quic_endpoint *e, const struct quic_datagram *d,
    const ngtcp2_pkt_hd *hd, uint64_t code)
{
	e->counters.refused++;
	(void)quic_send_refusal(e, d, hd, code);
}

static void
begin(struct wk_quic_endpoint *e, const struct quic_datagram *d,
    const struct quic_initial *initial)
{
	struct wk_quic *q = quic_new(e, true, &d->local, &d->peer);

	if (q == NULL)
		return;
	TAILQ_INSERT_TAIL(&e->connections, q, entry);
	e->counters.connections++;
	e->counters.handshakes++;
	q->is_counted = true;
	if (quic_begin_server(q, initial) == WK_OK) {
		quic_receive(q, d);
		return;
	}
	refuse(e, d, initial->hd, NGTCP2_INTERNAL_ERROR);
	quic_discard(q);
}

static void
consider(struct wk_quic_endpoint *e, const struct quic_datagram *d)
{
	struct quic_initial initial = { 0 };
	enum quic_token token;
	ngtcp2_cid odcid;
	ngtcp2_pkt_hd hd;

	if (!quic_accept(&hd, d->data, d->len)) {
		e->counters.dropped++;
		return;
	}
	if (e->is_draining ||
	    e->counters.connections >= e->options.max_connections) {
		refuse(e, d, &hd, NGTCP2_CONNECTION_REFUSED);
		return;
	}
	initial.hd = &hd;
	token = quic_token_check(e, &hd, &d->peer, &odcid);
	if (token == QUIC_TOKEN_BAD) {
		refuse(e, d, &hd, NGTCP2_INVALID_TOKEN);
		return;
	}
	if (token == QUIC_TOKEN_NONE && (e->options.always_validates ||
	    e->counters.handshakes >= e->options.retry_threshold)) {
		if (quic_send_retry(e, d, &hd))
			e->counters.retries++;
		return;
	}
	initial.is_validated = token != QUIC_TOKEN_NONE;
	initial.odcid = token == QUIC_TOKEN_RETRY ? &odcid : NULL;
	begin(e, d, &initial);
}

static void
answer_stranger(struct wk_quic_endpoint *e, const struct quic_datagram *d,
    const struct wk_quicpkt *packet)
{
	if (!packet->is_long) {
		if (quic_send_reset(e, d, packet))
			e->counters.resets++;
		else
			e->counters.dropped++;
	} else if (d->len < QUIC_MIN_INITIAL || packet->version == 0) {
		e->counters.dropped++;
	} else if (!quic_endpoint_speaks(e, packet->version)) {
		if (quic_send_versions(e, d, packet))
			e->counters.version_negotiations++;
	} else {
		consider(e, d);
	}
}

static bool
take(struct quic_datagram *d)
{
	struct wk_quic_endpoint *e = d->socket->endpoint;
	struct wk_quicpkt packet;
	struct wk_quic *q;

	e->counters.packets++;
	if (!e->is_server) {
		q = TAILQ_FIRST(&e->connections);
		if (q != NULL)
			quic_receive(q, d);
		return !e->is_deleted;
	}
	if (wk_quicpkt_decode(d->data, d->len, QUIC_CID_LEN, &packet,
	    NULL) != WK_OK) {
		e->counters.dropped++;
		return true;
	}
	q = quic_ids_find(&e->ids, packet.dcid, packet.dcid_len);
	if (q != NULL)
		quic_receive(q, d);
	else
		answer_stranger(e, d, &packet);
	return !e->is_deleted;
}

/* --- the socket ----------------------------------------------------------- */

void
quic_endpoint_wake_all(struct wk_quic_endpoint *endpoint)
{
	struct wk_quic *q;

	for (q = TAILQ_FIRST(&endpoint->connections); q != NULL;
	    q = TAILQ_NEXT(q, entry))
		quic_wake(q);
}

static void
socket_failed(struct wk_quic_endpoint *e, struct quic_socket *s,
    int error_number)
{
	struct wk_quic *q = TAILQ_FIRST(&e->connections);

	if (e->is_server || q == NULL || s != &e->socket ||
	    error_number == EAGAIN || error_number == 0)
		return;
	quic_enter(q);
	quic_path_failed(q, error_number);
	quic_follow_fate(q);
	quic_leave(q);
}

void
quic_endpoint_ready(struct wk_io *io, unsigned events)
{
	struct quic_socket *s = io->arg;
	struct wk_quic_endpoint *e = s->endpoint;
	int rc;

	e->inside++;
	if ((events & WK_IO_WRITE) != 0 && quic_udp_is_blocked(s)) {
		rc = quic_udp_resume(s);
		if (rc != EAGAIN)
			quic_endpoint_wake_all(e);
		socket_failed(e, s, rc);
	}
	if ((events & WK_IO_READ) != 0 && !e->is_deleted && s->io.fd >= 0)
		socket_failed(e, s, quic_udp_receive(s, take));
	if (--e->inside == 0 && e->is_deleted &&
	    TAILQ_EMPTY(&e->connections))
		quic_endpoint_free(e);
}

/* --- making and ending ---------------------------------------------------- */

static int
choose_versions(struct wk_quic_endpoint *e, struct wk_error *error)
{
	if ((e->options.versions & WK_QUIC_V2) != 0) {
		if (!QUIC_HAS_V2)
			return wk_error_set(error, WK_E_UNSUPPORTED, 0,
			    "this ngtcp2 (%s) has no QUIC v2", NGTCP2_VERSION);
		e->versions[e->n_versions++] = WK_QUICPKT_V2;
	}
	if ((e->options.versions & WK_QUIC_V1) != 0)
		e->versions[e->n_versions++] = WK_QUICPKT_V1;
	return e->n_versions > 0 ? WK_OK : wk_error_set(error, WK_E_INVALID,
	    0, "no version of QUIC is to be spoken");
}

static int
set_up(struct wk_quic_endpoint *e, struct wk_error *error)
{
	int rc = choose_versions(e, error);

	if (rc != WK_OK)
		return rc;
	if (quic_secret(&e->options, e->secret) != WK_OK ||
	    quic_ticket_key(e, e->ticket_key) < 0)
		return wk_error_set(error, WK_E_SYSTEM, 0, "no randomness");
	if (quic_ids_init(&e->ids) != WK_OK)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	return WK_OK;
}

struct wk_quic_endpoint *
quic_endpoint_new(struct wk_loop *loop, const struct wk_quic_options *options,
    const struct wk_quic_handler *handler, void *arg, bool is_server,
    struct wk_error *error)
{
	struct wk_quic_endpoint *e = calloc(1, sizeof(*e));

	if (e == NULL || quic_udp_hold() != WK_OK) {
		free(e);
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	e->loop = loop;
	e->options = *options;
	e->handler = handler;
	e->arg = arg;
	e->is_server = is_server;
	e->socket.io.fd = e->old_socket.io.fd = e->new_socket.io.fd = -1;
	TAILQ_INIT(&e->connections);
	if (e->options.retry_threshold == 0)
		e->options.retry_threshold = DEFAULT_RETRY_THRESHOLD;
	wk_tls_credentials_hold(options->credentials);
	if (set_up(e, error) != WK_OK) {
		quic_endpoint_free(e);
		return NULL;
	}
	return e;
}

void
quic_endpoint_free(struct wk_quic_endpoint *endpoint)
{
	quic_udp_close(&endpoint->socket);
	quic_udp_close(&endpoint->old_socket);
	quic_udp_close(&endpoint->new_socket);
	quic_ids_free(&endpoint->ids);
	quic_blocks_free(&endpoint->blocks);
	gnutls_memset(endpoint->secret, 0, sizeof(endpoint->secret));
	gnutls_memset(endpoint->ticket_key, 0, sizeof(endpoint->ticket_key));
	wk_tls_credentials_del(endpoint->options.credentials);
	quic_udp_release();
	free(endpoint);
}

void
quic_endpoint_forget(struct wk_quic *q)
{
	struct wk_quic_endpoint *e = q->endpoint;

	TAILQ_REMOVE(&e->connections, q, entry);
	if (!e->is_server)
		e->is_deleted = true;
	if (e->is_deleted && e->inside == 0 && TAILQ_EMPTY(&e->connections))
		quic_endpoint_free(e);
}

struct wk_quic_endpoint *
wk_quic_listen(struct wk_loop *loop, struct wk_address *address,
    const struct wk_quic_options *options,
    const struct wk_quic_handler *handler, void *arg, struct wk_error *error)
{
	struct wk_quic_endpoint *e;

	if (address->sa.ss_family != AF_INET &&
	    address->sa.ss_family != AF_INET6) {
		(void)wk_error_set(error, WK_E_INVALID, 0,
		    "QUIC needs an IP address");
		return NULL;
	}
	e = quic_endpoint_new(loop, options, handler, arg, true, error);
	if (e == NULL)
		return NULL;
	if (quic_udp_open(&e->socket, e, address, NULL, error) != WK_OK) {
		quic_endpoint_free(e);
		return NULL;
	}
	*address = e->socket.local;
	return e;
}

void
wk_quic_endpoint_counters(const struct wk_quic_endpoint *endpoint,
    struct wk_quic_counters *counters)
{
	*counters = endpoint->counters;
}

void
wk_quic_endpoint_drain(struct wk_quic_endpoint *endpoint)
{
	endpoint->is_draining = true;
}

/* One that the owner still knows, or that nobody knows any more. */
static struct wk_quic *
next_to_end(struct wk_quic_endpoint *e)
{
	struct wk_quic *q;

	for (q = TAILQ_FIRST(&e->connections); q != NULL;
	    q = TAILQ_NEXT(q, entry))
		if (!q->is_deleted || (q->state > QUIC_OPEN && q->inside == 0))
			return q;
	return NULL;
}

void
wk_quic_endpoint_del(struct wk_quic_endpoint *endpoint)
{
	struct wk_quic *q;

	if (endpoint == NULL || endpoint->is_deleted)
		return;
	endpoint->is_deleted = true;
	endpoint->inside++;
	while ((q = next_to_end(endpoint)) != NULL) {
		if (q->is_deleted)
			quic_discard(q);
		else
			wk_quic_del(q);
	}
	if (--endpoint->inside == 0 && TAILQ_EMPTY(&endpoint->connections))
		quic_endpoint_free(endpoint);
}
