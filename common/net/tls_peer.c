/* SPDX-License-Identifier: MIT */
/* What sessions over TCP and QUIC have in common. */
#include "config.h"

#include "common/net/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/net/tls_parts.h"

#define ALPN_MAX 8
#define ALPN_LEN_MAX 32

/* A dot at the end is DNS's, a zone the system's: neither is in certificates. */
static int
set_name(struct wk_tls_peer *peer, gnutls_session_t session, const char *name,
    struct wk_error *error)
{
	uint8_t address[16];
	size_t len = strlen(name);
	int rc;

	peer->is_address = tls_address(name, address) > 0;
	if (peer->is_address)
		len = strcspn(name, "%");
	else if (len > 1 && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(peer->name))
		return wk_error_set(error, WK_E_INVALID, 0,
		    "\"%.64s\" is no host name", name);
	memcpy(peer->name, name, len);
	peer->name[len] = '\0';
	if (peer->is_address)
		return WK_OK;
	/* RFC 6066, section 3: names only. */
	rc = gnutls_server_name_set(session, GNUTLS_NAME_DNS, peer->name, len);
	return rc < 0 ? wk_error_set(error, WK_E_INVALID, 0,
	    "\"%.64s\" is no host name", peer->name) : WK_OK;
}

static int
set_alpn(struct wk_tls_peer *peer, gnutls_session_t session,
    const char *const *alpn, struct wk_error *error)
{
	gnutls_datum_t list[ALPN_MAX];
	size_t at = 0;
	unsigned n;
	int rc;

	for (n = 0; alpn[n] != NULL; n++) {
		if (n == ALPN_MAX || *alpn[n] == '\0' ||
		    strlen(alpn[n]) > ALPN_LEN_MAX)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "too many or too long protocol names for ALPN");
		list[n].data = (unsigned char *)alpn[n];
		list[n].size = (unsigned)strlen(alpn[n]);
		at += (size_t)snprintf(peer->alpn + at, sizeof(peer->alpn) - at,
		    "%s%s", n == 0 ? "" : ",", alpn[n]);
	}
	if (n == 0)
		return WK_OK;
	rc = gnutls_alpn_set_protocols(session, list, n,
	    GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE);
	return rc < 0 ? tls_library_error(error, "ALPN", rc) : WK_OK;
}

int
wk_tls_prepare(struct wk_tls_peer *peer,
    struct wk_tls_credentials *credentials, struct gnutls_session_int *session,
    const char *name, const char *const *alpn, struct wk_error *error)
{
	int rc;

	memset(peer, 0, sizeof(*peer));
	rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    credentials->x509);
	if (rc < 0)
		return tls_library_error(error, "TLS", rc);
	if (name != NULL && !credentials->is_server) {
		rc = set_name(peer, session, name, error);
		if (rc != WK_OK)
			return rc;
	}
	if (alpn != NULL) {
		rc = set_alpn(peer, session, alpn, error);
		if (rc != WK_OK)
			return rc;
	}
	gnutls_db_set_ptr(session, peer);
	if (credentials->asks_clients)
		gnutls_certificate_server_set_request(session,
		    GNUTLS_CERT_REQUIRE);
	if (credentials->asks_clients || (!credentials->is_server &&
	    (!credentials->is_insecure || credentials->n_pins > 0)))
		gnutls_session_set_verify_function(session, tls_verify);
	/* Takes the place of GnuTLS's own writer for SSLKEYLOGFILE. */
	if (credentials->keylog_fd >= 0)
		gnutls_session_set_keylog_function(session, tls_keylog);
	peer->credentials = wk_tls_credentials_hold(credentials);
	return WK_OK;
}

void
wk_tls_peer_free(struct wk_tls_peer *peer)
{
	wk_tls_credentials_del(peer->credentials);
	peer->credentials = NULL;
}

/* --- for people ----------------------------------------------------------- */

static void
append_certificate(struct wk_buf *b, gnutls_session_t session)
{
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t leaf;
	unsigned n = 0;

	chain = gnutls_certificate_get_peers(session, &n);
	if (chain == NULL || n == 0 || gnutls_x509_crt_init(&leaf) < 0)
		return;
	if (gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER) >= 0) {
		wk_buf_printf(b, ", certificate of ");
		tls_append_subject(b, leaf);
	}
	gnutls_x509_crt_deinit(leaf);
}

const char *
wk_tls_describe(struct gnutls_session_int *session,
    char text[WK_TLS_DESCRIPTION_MAX])
{
	const char *version, *cipher;
	struct wk_buf b;

	version = gnutls_protocol_get_name(
	    gnutls_protocol_get_version(session));
	cipher = gnutls_cipher_get_name(gnutls_cipher_get(session));
	wk_buf_init(&b, 4096);
	wk_buf_printf(&b, "%s, %s", version == NULL ? "no TLS" : version,
	    cipher == NULL ? "no cipher" : cipher);
	append_certificate(&b, session);
	snprintf(text, WK_TLS_DESCRIPTION_MAX, "%.*s", (int)b.len,
	    b.data == NULL ? "" : (const char *)b.data);
	wk_buf_free(&b);
	return text;
}
