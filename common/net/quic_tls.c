/* SPDX-License-Identifier: MIT */
/*
 * TLS inside QUIC (RFC 9001): GnuTLS's session, which ngtcp2's helper feeds,
 * with the credentials and the verification of every other TLS session here;
 * and tickets, for those that connect again.
 */
#include "config.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

/* The ciphers and groups that ngtcp2 knows, TLS 1.3 alone (RFC 9001, 4.2). */
#define PRIORITIES "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:" \
	"+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:" \
	"+CHACHA20-POLY1305:+AES-128-CCM:-GROUP-ALL:+GROUP-X25519:" \
	"+GROUP-SECP256R1:+GROUP-SECP384R1"

#define ALERT_NO_APPLICATION_PROTOCOL 120
#define TOKEN_MAX 1024		/* of NEW_TOKEN: longer ones are not kept */

struct wk_quic_ticket {
	/* What the ticket was given for: to nobody else, and not to one whose */
	/* certificate would be judged by other rules. */
	struct wk_tls_credentials *credentials;
	char *name;
	gnutls_datum_t session;
	uint8_t token[TOKEN_MAX];	/* of NEW_TOKEN, for one use */
	size_t token_len;
};

struct wk_quic_ticket *
wk_quic_ticket_new(void)
{
	return calloc(1, sizeof(struct wk_quic_ticket));
}

static void
ticket_clear(struct wk_quic_ticket *ticket)
{
	wk_tls_credentials_del(ticket->credentials);
	free(ticket->name);
	gnutls_free(ticket->session.data);
	memset(ticket, 0, sizeof(*ticket));
}

void
wk_quic_ticket_del(struct wk_quic_ticket *ticket)
{
	if (ticket == NULL)
		return;
	ticket_clear(ticket);
	free(ticket);
}

static bool
is_for(const struct wk_quic_ticket *ticket, const struct wk_quic *q)
{
	const char *name = q->name == NULL ? "" : q->name;

	return ticket->name != NULL && strcmp(ticket->name, name) == 0 &&
	    ticket->credentials == q->endpoint->options.credentials;
}

/* Make it this connection's; false without memory. */
static bool
ticket_take(struct wk_quic_ticket *ticket, const struct wk_quic *q)
{
	if (is_for(ticket, q))
		return true;
	ticket_clear(ticket);
	ticket->name = strdup(q->name == NULL ? "" : q->name);
	if (ticket->name == NULL)
		return false;
	ticket->credentials = wk_tls_credentials_hold(
	    q->endpoint->options.credentials);
	return true;
}

void
quic_ticket_token(struct wk_quic *q, const uint8_t *token, size_t len)
{
	struct wk_quic_ticket *ticket = q->endpoint->options.ticket;

	if (ticket == NULL || len > sizeof(ticket->token) ||
	    !ticket_take(ticket, q))
		return;
	memcpy(ticket->token, token, len);
	ticket->token_len = len;
}

const uint8_t *
quic_ticket_take_token(struct wk_quic *q, size_t *len)
{
	struct wk_quic_ticket *ticket = q->endpoint->options.ticket;

	if (ticket == NULL || !is_for(ticket, q) || ticket->token_len == 0)
		return NULL;
	*len = ticket->token_len;
	ticket->token_len = 0;
	return ticket->token;
}

static struct wk_quic *
quic_of_session(gnutls_session_t session)
{
	ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(session);

	return ref->user_data;
}

static int
on_ticket(gnutls_session_t session, unsigned type, unsigned when,
    unsigned incoming, const gnutls_datum_t *message)
{
	struct wk_quic *q = quic_of_session(session);
	struct wk_quic_ticket *ticket = q->endpoint->options.ticket;
	gnutls_datum_t data;

	(void)type;
	(void)when;
	(void)message;
	if (!incoming || ticket == NULL || !ticket_take(ticket, q) ||
	    gnutls_session_get_data2(session, &data) < 0)
		return 0;
	gnutls_free(ticket->session.data);
	ticket->session = data;
	return 0;
}

static ngtcp2_conn *
conn_of_ref(ngtcp2_crypto_conn_ref *ref)
{
	return ((struct wk_quic *)ref->user_data)->conn;
}

static int
library_error(struct wk_error *error, int code)
{
	return code == GNUTLS_E_MEMORY_ERROR ?
	    wk_error_set(error, WK_E_NOMEM, 0, "out of memory") :
	    wk_error_set(error, WK_E_SYSTEM, 0, "TLS: %s",
	    gnutls_strerror(code));
}

static int
set_up(struct wk_quic *q)
{
	struct wk_quic_ticket *ticket = q->endpoint->options.ticket;
	const gnutls_datum_t key = {
		q->endpoint->ticket_key, QUIC_TICKET_KEY_LEN,
	};
	int rc = gnutls_priority_set_direct(q->tls, PRIORITIES, NULL);

	if (rc < 0)
		return rc;
	if (q->is_server) {
		/* Helpers return -1, which is no code of GnuTLS's. */
		if (ngtcp2_crypto_gnutls_configure_server_session(q->tls) != 0)
			return GNUTLS_E_INTERNAL_ERROR;
		return gnutls_session_ticket_enable_server(q->tls, &key);
	}
	if (ngtcp2_crypto_gnutls_configure_client_session(q->tls) != 0)
		return GNUTLS_E_INTERNAL_ERROR;
	if (ticket == NULL)
		return 0;
	gnutls_handshake_set_hook_function(q->tls,
	    GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST, on_ticket);
	/* A ticket that does not work is a handshake like the first one. */
	if (is_for(ticket, q) && ticket->session.data != NULL)
		(void)gnutls_session_set_data(q->tls, ticket->session.data,
		    ticket->session.size);
	return 0;
}

int
quic_tls_new(struct wk_quic *q, struct wk_error *error)
{
	const struct wk_quic_options *o = &q->endpoint->options;
	unsigned flags = q->is_server ? GNUTLS_SERVER : GNUTLS_CLIENT;
	int rc;

	if (!q->is_server && o->ticket == NULL)
		flags |= GNUTLS_NO_TICKETS;
	rc = gnutls_init(&q->tls, flags);
	if (rc < 0) {
		q->tls = NULL;
		return library_error(error, rc);
	}
	q->ref.get_conn = conn_of_ref;
	q->ref.user_data = q;
	gnutls_session_set_ptr(q->tls, &q->ref);
	rc = set_up(q);
	if (rc < 0)
		(void)library_error(error, rc);
	else
		rc = wk_tls_prepare(&q->tls_peer, o->credentials, q->tls,
		    q->name, o->alpn, error);
	if (rc < 0) {
		gnutls_deinit(q->tls);
		q->tls = NULL;
	}
	return rc < 0 ? WK_E_INVALID : WK_OK;
}

void
quic_tls_del(struct wk_quic *q)
{
	if (q->tls == NULL)
		return;
	gnutls_deinit(q->tls);
	q->tls = NULL;
	wk_tls_peer_free(&q->tls_peer);
}

void
quic_tls_fail(struct wk_quic *q)
{
	uint8_t alert = ngtcp2_conn_get_tls_alert(q->conn);
	struct wk_error error;

	if (q->tls_peer.alert != 0)
		alert = (uint8_t)q->tls_peer.alert;
	quic_ccerr_alert(&q->close_error, alert, NULL, 0);
	if (q->tls_peer.error.status != WK_OK ||
	    alert == ALERT_NO_APPLICATION_PROTOCOL) {
		wk_tls_explain(&q->tls_peer, q->tls,
		    GNUTLS_E_NO_APPLICATION_PROTOCOL, &error);
		quic_fail(q, QUIC_FATE_CLOSE, "%s", error.reason);
		return;
	}
	quic_fail(q, QUIC_FATE_CLOSE,
	    "the TLS handshake failed (our alert %u, %s)", alert,
	    wk_tls_alert_text(alert));
}
