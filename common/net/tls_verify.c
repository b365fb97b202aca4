/* SPDX-License-Identifier: MIT */
/*
 * Whether the peer is the one meant, and if not, why not, in words. GnuTLS
 * builds and checks the chain (RFC 5280) and the names (RFC 9525); here its
 * flags become sentences. What certificates say of themselves is hostile text.
 */
#include "config.h"

#include "common/net/tls.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/net/tls_parts.h"

#define NAMES_SHOWN 3	/* of those that a certificate is for */
#define NAME_SHOWN 64	/* octets of each */

struct view {		/* what a sentence may need */
	const struct wk_tls_peer *peer;
	gnutls_x509_crt_t leaf;
	const gnutls_datum_t *chain;	/* leaf first, as the peer sent them */
	unsigned n_chain;
};

/* --- names ---------------------------------------------------------------- */

static void
append_escaped(struct wk_buf *b, const void *text, size_t len)
{
	wk_text_escape(b, text, len > NAME_SHOWN ? NAME_SHOWN : len, 0);
	if (len > NAME_SHOWN)
		wk_buf_append(b, "...", 3);
}

/* Alternative name number i; false at the end, *is_shown for those we know. */
static bool
append_alternative(struct wk_buf *b, gnutls_x509_crt_t certificate, unsigned i,
    const char *before, bool *is_shown)
{
	char text[1024], address[INET6_ADDRSTRLEN];
	size_t len = sizeof(text);
	int type;

	*is_shown = false;
	type = gnutls_x509_crt_get_subject_alt_name(certificate, i, text, &len,
	    NULL);
	if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
		return true;
	if (type < 0)
		return false;
	if (type == GNUTLS_SAN_DNSNAME) {
		wk_buf_printf(b, "%s", before);
		append_escaped(b, text, len);
		*is_shown = true;
	} else if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16)) {
		inet_ntop(len == 4 ? AF_INET : AF_INET6, text, address,
		    sizeof(address));
		wk_buf_printf(b, "%s%s", before, address);
		*is_shown = true;
	}
	return true;
}

static bool
append_common_name(struct wk_buf *b, gnutls_x509_crt_t certificate)
{
	char text[256];
	size_t len = sizeof(text);

	if (gnutls_x509_crt_get_dn_by_oid(certificate,
		GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &len) < 0 || len == 0)
		return false;
	append_escaped(b, text, len);
	return true;
}

static void
append_names(struct wk_buf *b, gnutls_x509_crt_t certificate)
{
	unsigned i, shown = 0, more = 0;
	bool is_shown, is_there = true;
	struct wk_buf rest;

	wk_buf_init(&rest, 4096);
	for (i = 0; is_there; i++) {
		is_there = append_alternative(shown < NAMES_SHOWN ? b : &rest,
		    certificate, i, shown == 0 ? "" : ", ", &is_shown);
		wk_buf_clear(&rest);
		if (is_shown && shown < NAMES_SHOWN)
			shown++;
		else if (is_shown)
			more++;
	}
	wk_buf_free(&rest);
	if (more > 0)
		wk_buf_printf(b, " and %u more", more);
	if (shown == 0 && !append_common_name(b, certificate))
		wk_buf_printf(b, "nobody");
}

void
tls_append_subject(struct wk_buf *b, gnutls_x509_crt_t certificate)
{
	bool is_shown = false;
	unsigned i;

	for (i = 0; !is_shown && append_alternative(b, certificate, i, "",
	    &is_shown); i++)
		;
	if (!is_shown && !append_common_name(b, certificate))
		wk_buf_printf(b, "nobody");
}

static void
append_issuer(struct wk_buf *b, gnutls_x509_crt_t certificate)
{
	gnutls_datum_t dn;

	if (gnutls_x509_crt_get_issuer_dn3(certificate, &dn, 0) < 0) {
		wk_buf_printf(b, "nobody");
		return;
	}
	append_escaped(b, dn.data, dn.size);
	gnutls_free(dn.data);
}

/* --- sentences ------------------------------------------------------------ */

static void
append_time(struct wk_buf *b, time_t when)
{
	struct tm tm;
	char text[64];

	if (when == (time_t)-1 || gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm) == 0)
		wk_buf_printf(b, "an unreadable date");
	else
		wk_buf_printf(b, "%s", text);
}

/* The leaf, or the first certificate above it, outside its time. */
static void
tell_time(struct wk_buf *b, const struct view *view, bool is_expiry)
{
	gnutls_x509_crt_t certificate;
	time_t now = time(NULL), when;
	unsigned i;
	bool is_it;

	for (i = 0; i < view->n_chain; i++) {
		if (gnutls_x509_crt_init(&certificate) < 0)
			break;
		is_it = gnutls_x509_crt_import(certificate, &view->chain[i],
		    GNUTLS_X509_FMT_DER) >= 0;
		when = is_expiry ?
		    gnutls_x509_crt_get_expiration_time(certificate) :
		    gnutls_x509_crt_get_activation_time(certificate);
		is_it = is_it && (is_expiry ? when < now : when > now);
		if (is_it) {
			wk_buf_printf(b, "certificate of ");
			tls_append_subject(b, certificate);
			wk_buf_printf(b, is_expiry ? " expired on " :
			    " is not valid before ");
			append_time(b, when);
		}
		gnutls_x509_crt_deinit(certificate);
		if (is_it)
			return;
	}
	wk_buf_printf(b, is_expiry ? "an authority's certificate has expired" :
	    "an authority's certificate is not yet valid");
}

static void
tell_expired(struct wk_buf *b, const struct view *view)
{
	tell_time(b, view, true);
}

static void
tell_early(struct wk_buf *b, const struct view *view)
{
	tell_time(b, view, false);
}

static void
tell_owner(struct wk_buf *b, const struct view *view)
{
	wk_buf_printf(b, "certificate is for ");
	append_names(b, view->leaf);
	wk_buf_printf(b, ", not for ");
	append_escaped(b, view->peer->name, strlen(view->peer->name));
}

static void
tell_issuer(struct wk_buf *b, const struct view *view)
{
	if (gnutls_x509_crt_check_issuer(view->leaf, view->leaf) == 1) {
		wk_buf_printf(b, "self-signed certificate of ");
		tls_append_subject(b, view->leaf);
		wk_buf_printf(b, " is not trusted");
	} else {
		wk_buf_printf(b, "issuer ");
		append_issuer(b, view->leaf);
		wk_buf_printf(b, " of the certificate is not trusted");
	}
	if (!view->peer->credentials->is_trusting)
		wk_buf_printf(b, " (none is on this system)");
}

/* What to do about it: after all reasons, and the pin only if it has room. */
static void
append_hint(struct wk_buf *all, const struct view *view)
{
	const struct wk_tls_credentials *c = view->peer->credentials;
	uint8_t sha256[TLS_SHA256_LEN];
	char pin[WK_TLS_PIN_MAX];
	size_t room = all->max - all->len, len = strlen(c->hint) + 3;

	if (c->is_server || len > room)
		return;
	if (tls_spki_sha256(view->leaf, sha256) >= 0 &&
	    len + 2 + strlen(tls_pin_text(sha256, pin)) <= room)
		wk_buf_printf(all, " (%s; %s)", pin, c->hint);
	else
		wk_buf_printf(all, " (%s)", c->hint);
}

static void
tell_purpose(struct wk_buf *b, const struct view *view)
{
	wk_buf_printf(b, "certificate is not meant for %s",
	    view->peer->credentials->is_server ? "clients" : "servers");
}

static void
tell_algorithm(struct wk_buf *b, const struct view *view)
{
	const char *name = NULL;
	int algorithm = gnutls_x509_crt_get_signature_algorithm(view->leaf);

	if (algorithm > 0)
		name = gnutls_sign_get_name(
		    (gnutls_sign_algorithm_t)algorithm);
	wk_buf_printf(b, "certificate or one above it uses a weak algorithm "
	    "(its own is %s)", name == NULL ? "unknown" : name);
}

/* In the order of telling; either a text, or a function that makes it. */
static const struct problem {
	unsigned flag;
	gnutls_alert_description_t alert;
	void (*tell)(struct wk_buf *b, const struct view *view);
	const char *text;
} problems[] = {
	{ GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, tell_expired,
	    NULL },
	{ GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED, tell_early,
	    NULL },
	{ GNUTLS_CERT_UNEXPECTED_OWNER, GNUTLS_A_BAD_CERTIFICATE, tell_owner,
	    NULL },
	{ GNUTLS_CERT_SIGNER_NOT_FOUND, GNUTLS_A_UNKNOWN_CA, tell_issuer,
	    NULL },
	{ GNUTLS_CERT_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, NULL,
	    "certificate is revoked" },
	{ GNUTLS_CERT_SIGNER_NOT_CA, GNUTLS_A_UNKNOWN_CA, NULL,
	    "certificate is signed by one that is no authority" },
	{ GNUTLS_CERT_SIGNATURE_FAILURE, GNUTLS_A_BAD_CERTIFICATE, NULL,
	    "signature of the certificate is wrong" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM, GNUTLS_A_BAD_CERTIFICATE,
	    tell_algorithm, NULL },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	    tell_purpose, NULL },
	{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, GNUTLS_A_BAD_CERTIFICATE,
	    NULL, "an authority is not allowed to sign for this name" },
	{ GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS,
	    GNUTLS_A_UNSUPPORTED_CERTIFICATE, NULL,
	    "certificate has a critical extension that is not known here" },
	{ GNUTLS_CERT_MISSING_OCSP_STATUS, GNUTLS_A_BAD_CERTIFICATE, NULL,
	    "certificate demands an OCSP status, and none came with it" },
	{ GNUTLS_CERT_INVALID_OCSP_STATUS, GNUTLS_A_BAD_CERTIFICATE, NULL,
	    "OCSP status of the certificate is invalid" },
};

/* Reasons in their order, as many as fit whole. */
static void
refuse(struct wk_tls_peer *peer, unsigned flags, const struct view *view)
{
	struct wk_buf all, one;
	size_t i;

	peer->alert = GNUTLS_A_BAD_CERTIFICATE;
	wk_buf_init(&all, WK_ERROR_REASON_MAX - 1);
	for (i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		if ((flags & problems[i].flag) == 0)
			continue;
		wk_buf_init(&one, 4096);
		if (problems[i].tell != NULL)
			problems[i].tell(&one, view);
		else
			wk_buf_printf(&one, "%s", problems[i].text);
		if (all.len == 0) {
			peer->alert = (unsigned)problems[i].alert;
			wk_buf_append(&all, one.data,
			    one.len > all.max ? all.max : one.len);
		} else if (all.len + 2 + one.len <= all.max) {
			wk_buf_append(&all, "; ", 2);
			wk_buf_append(&all, one.data, one.len);
		}
		wk_buf_free(&one);
	}
	if ((flags & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
		append_hint(&all, view);
	wk_error_set(&peer->error, WK_E_UNTRUSTED, 0, "%.*s", (int)all.len,
	    all.len == 0 ? "" : (const char *)all.data);
	if (all.len == 0)
		wk_error_set(&peer->error, WK_E_UNTRUSTED, 0,
		    "certificate is not trusted (0x%x)", flags);
	wk_buf_free(&all);
}

/* --- the checks ----------------------------------------------------------- */

static int
check_chain(struct wk_tls_peer *peer, gnutls_session_t session,
    const struct view *view)
{
	const struct wk_tls_credentials *c = peer->credentials;
	char purpose[sizeof(GNUTLS_KP_TLS_WWW_SERVER)];
	gnutls_typed_vdata_st data[2];
	uint8_t address[16];
	unsigned flags, n = 0;
	char words[TLS_WORDS_MAX];
	int rc;

	snprintf(purpose, sizeof(purpose), "%s", c->is_server ?
	    GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER);
	data[n].type = GNUTLS_DT_KEY_PURPOSE_OID;
	data[n].data = (unsigned char *)purpose;
	data[n++].size = 0;
	if (peer->is_address) {
		data[n].type = GNUTLS_DT_IP_ADDRESS;
		data[n].data = address;
		data[n++].size = (unsigned)tls_address(peer->name, address);
	} else if (peer->name[0] != '\0') {
		data[n].type = GNUTLS_DT_DNS_HOSTNAME;
		data[n].data = (unsigned char *)peer->name;
		data[n++].size = 0;
	}
	rc = gnutls_certificate_verify_peers(session, data, n, &flags);
	if (rc < 0) {
		peer->alert = GNUTLS_A_BAD_CERTIFICATE;
		return wk_error_set(&peer->error, WK_E_UNTRUSTED, 0,
		    "certificate cannot be checked: %s", tls_words(rc, words));
	}
	if (flags == 0)
		return WK_OK;
	refuse(peer, flags, view);
	return WK_E_UNTRUSTED;
}

static int
check_pins(struct wk_tls_peer *peer, gnutls_x509_crt_t leaf)
{
	const struct wk_tls_credentials *c = peer->credentials;
	uint8_t sha256[TLS_SHA256_LEN];
	char pin[WK_TLS_PIN_MAX];
	size_t i;

	if (c->n_pins == 0)
		return WK_OK;
	peer->alert = GNUTLS_A_BAD_CERTIFICATE;
	if (tls_spki_sha256(leaf, sha256) < 0)
		return wk_error_set(&peer->error, WK_E_UNTRUSTED, 0,
		    "public key of the certificate cannot be read");
	for (i = 0; i < c->n_pins; i++)
		if (memcmp(sha256, c->pins[i], TLS_SHA256_LEN) == 0) {
			peer->alert = 0;
			return WK_OK;
		}
	return wk_error_set(&peer->error, WK_E_UNTRUSTED, 0,
	    "public key %s is not %s", tls_pin_text(sha256, pin),
	    c->n_pins == 1 ? "the pinned one" : "among the pinned ones");
}

static int
check(struct wk_tls_peer *peer, gnutls_session_t session,
    const struct view *view)
{
	const struct wk_tls_credentials *c = peer->credentials;
	int rc = WK_OK;

	if (!c->is_insecure)
		rc = check_chain(peer, session, view);
	return rc == WK_OK ? check_pins(peer, view->leaf) : rc;
}

int
tls_verify(gnutls_session_t session)
{
	struct wk_tls_peer *peer = gnutls_db_get_ptr(session);
	struct view view = { .peer = peer };
	int rc = WK_E_UNTRUSTED;

	view.chain = gnutls_certificate_get_peers(session, &view.n_chain);
	if (view.chain == NULL || view.n_chain == 0) {
		wk_error_set(&peer->error, WK_E_UNTRUSTED, 0,
		    "peer has no certificate");
		return GNUTLS_E_CERTIFICATE_ERROR;
	}
	if (gnutls_x509_crt_init(&view.leaf) < 0)
		return GNUTLS_E_MEMORY_ERROR;
	if (gnutls_x509_crt_import(view.leaf, &view.chain[0],
		GNUTLS_X509_FMT_DER) < 0)
		wk_error_set(&peer->error, WK_E_UNTRUSTED, 0,
		    "certificate cannot be read");
	else
		rc = check(peer, session, &view);
	gnutls_x509_crt_deinit(view.leaf);
	return rc == WK_OK ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}
