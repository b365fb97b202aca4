/* SPDX-License-Identifier: MIT */
/*
 * The path: a client that loses its address takes another socket and goes on
 * from there (RFC 9000, section 9), a server follows its clients.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "common/net/quic_parts.h"

/* Between two attempts to get a socket that works. */
#define RETRY_NS (WK_NS_PER_SEC / 4)

ngtcp2_path
quic_path(const struct wk_address *local, const struct wk_address *peer)
{
	ngtcp2_path path;

	memset(&path, 0, sizeof(path));
	path.local.addr = wk_unconst(&local->sa);
	path.local.addrlen = local->len;
	path.remote.addr = wk_unconst(&peer->sa);
	path.remote.addrlen = peer->len;
	return path;
}

/* --- clients -------------------------------------------------------------- */

/* Linux says EINVAL for a source address that is gone. */
static bool
is_about_address(int error_number)
{
	return error_number == ENETUNREACH || error_number == EHOSTUNREACH ||
	    error_number == EADDRNOTAVAIL || error_number == ENETDOWN ||
	    error_number == EINVAL;
}

void
quic_path_failed(struct wk_quic *q, int error_number)
{
	if (q->is_server || !quic_is_alive(q) || error_number == EAGAIN ||
	    error_number == ENOBUFS || error_number == ENOMEM ||
	    error_number == EMSGSIZE)
		return;
	if (q->state == QUIC_HANDSHAKE) {
		/* Nobody vouches for what ICMP says, but nothing is lost yet. */
		quic_fail(q, QUIC_FATE_VANISH, "%s", strerror(error_number));
		return;
	}
	if (!is_about_address(error_number) || q->has_lost_address)
		return;
	quic_note(q, "%s; looking for another way", strerror(error_number));
	q->has_lost_address = true;
	quic_wake(q);
}

static void
move_socket(struct quic_socket *to, struct quic_socket *from)
{
	unsigned events = from->io.events;

	*to = *from;
	wk_io_watch(&from->io, 0);
	wk_io_init(&to->io, to->endpoint->loop, from->io.fd,
	    quic_endpoint_ready, to);
	wk_io_watch(&to->io, events);
	memset(from, 0, sizeof(*from));
	from->io.fd = -1;
}

/* From now on on that socket. */
static void
adopt(struct wk_quic *q, struct quic_socket *fresh)
{
	struct wk_quic_endpoint *e = q->endpoint;
	char text[WK_ADDRESS_TEXT_MAX];
	ngtcp2_path path;
	int rc = -1;

	quic_udp_close(&e->old_socket);
	if (q->has_lost_address)
		quic_udp_close(&e->socket);
	else
		move_socket(&e->old_socket, &e->socket);
	move_socket(&e->socket, fresh);
	q->has_lost_address = false;
	path = quic_path(&e->socket.local, &q->peer);
	if (q->has_confirmed)
		rc = ngtcp2_conn_initiate_immediate_migration(q->conn, &path,
		    wk_clock_now_ns());
	/* Without a spare id it looks like a NAT that forgot us. */
	if (rc != 0)
		ngtcp2_conn_set_local_addr(q->conn, &path.local);
	q->local = e->socket.local;
	q->counters.migrations++;
	quic_note(q, "%s %s", rc == 0 ? "migrated to" : "rebound to",
	    wk_address_text(&q->local, text));
}

void
quic_path_renew(struct wk_quic *q)
{
	struct wk_quic_endpoint *e = q->endpoint;
	uint64_t now = wk_clock_now_ns();
	struct quic_socket fresh;

	if (e->new_socket.io.fd >= 0) {
		adopt(q, &e->new_socket);
		return;
	}
	if (!q->has_lost_address || now < q->next_socket_ns)
		return;
	q->next_socket_ns = now + RETRY_NS;
	if (quic_udp_open(&fresh, e, NULL, &q->peer, NULL) == WK_OK)
		adopt(q, &fresh);
}

int
wk_quic_migrate(struct wk_quic *quic, const struct wk_address *local,
    struct wk_error *error)
{
	struct wk_quic_endpoint *e = quic->endpoint;
	struct quic_socket fresh;
	int rc;

	if (!quic_is_alive(quic) || quic->is_server)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "the connection cannot migrate");
	if (quic->state == QUIC_HANDSHAKE)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "the handshake is not over");
	rc = quic_udp_open(&fresh, e, local, &quic->peer, error);
	if (rc != WK_OK)
		return rc;
	/* The library may be in the middle of something: at the end of the */
	/* round. */
	quic_udp_close(&e->new_socket);
	move_socket(&e->new_socket, &fresh);
	quic_wake(quic);
	return WK_OK;
}

/* --- both ----------------------------------------------------------------- */

static bool
take_address(struct wk_address *ours, const ngtcp2_addr *now)
{
	if (ours->len == (socklen_t)now->addrlen &&
	    memcmp(&ours->sa, now->addr, now->addrlen) == 0)
		return false;
	memcpy(&ours->sa, now->addr, now->addrlen);
	ours->len = (socklen_t)now->addrlen;
	return true;
}

void
quic_path_look(struct wk_quic *q)
{
	const ngtcp2_path *path;
	char text[WK_ADDRESS_TEXT_MAX];
	bool has_moved;

	if (!q->is_server)
		return;
	path = ngtcp2_conn_get_path(q->conn);
	has_moved = take_address(&q->peer, &path->remote);
	has_moved |= take_address(&q->local, &path->local);
	if (!has_moved)
		return;
	q->counters.migrations++;
	quic_note(q, "peer is at %s now", wk_address_text(&q->peer, text));
}

void
quic_path_validated(struct wk_quic *q, const ngtcp2_path *path,
    ngtcp2_path_validation_result result)
{
	struct wk_quic_endpoint *e = q->endpoint;
	struct wk_address peer;

	if (result == NGTCP2_PATH_VALIDATION_RESULT_FAILURE)
		quic_note(q, "the new path does not answer");
	if (result != NGTCP2_PATH_VALIDATION_RESULT_SUCCESS)
		return;
	memset(&peer, 0, sizeof(peer));
	if (q->is_server) {
		(void)take_address(&peer, &path->remote);
		quic_token_issue(q, &peer);
	} else {
		quic_udp_close(&e->old_socket);
	}
}
