/* SPDX-License-Identifier: MIT */
/* GnuTLS's codes and the peer's alerts in words. */
#include "config.h"

#include "common/net/tls.h"

#include <ctype.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "common/net/tls_parts.h"

const char *
tls_words(int code, char text[TLS_WORDS_MAX])
{
	size_t len;

	snprintf(text, TLS_WORDS_MAX, "%s", gnutls_strerror(code));
	len = strlen(text);
	while (len > 0 && (text[len - 1] == '.' || text[len - 1] == ' '))
		text[--len] = '\0';
	/* "TLS" stays, "The" does not. */
	if (len > 1 && islower((unsigned char)text[1]))
		text[0] = (char)wk_ascii_lower(text[0]);
	return text;
}

int
tls_library_error(struct wk_error *error, const char *subject, int code)
{
	char words[TLS_WORDS_MAX];

	if (code == GNUTLS_E_MEMORY_ERROR)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	return wk_error_set(error, WK_E_MALFORMED, 0, "%s: %s", subject,
	    tls_words(code, words));
}

const char *
wk_tls_alert_text(unsigned alert)
{
	static const struct {
		unsigned alert;
		const char *text;
	} texts[] = {
		{ 0, "close_notify" },
		{ 10, "unexpected_message" },
		{ 20, "bad_record_mac (it could not decrypt what we sent)" },
		{ 22, "record_overflow" },
		{ 40, "handshake_failure (no common cipher, or a certificate "
		    "is missing)" },
		{ 42, "bad_certificate (it does not accept our certificate)" },
		{ 43, "unsupported_certificate (it does not accept our "
		    "certificate)" },
		{ 44, "certificate_revoked (our certificate is revoked)" },
		{ 45, "certificate_expired (our certificate has expired)" },
		{ 46, "certificate_unknown (it does not accept our "
		    "certificate)" },
		{ 47, "illegal_parameter" },
		{ 48, "unknown_ca (it does not trust our certificate)" },
		{ 49, "access_denied" },
		{ 50, "decode_error" },
		{ 51, "decrypt_error" },
		{ 70, "protocol_version (no common version of TLS)" },
		{ 71, "insufficient_security" },
		{ 80, "internal_error" },
		{ 86, "inappropriate_fallback" },
		{ 90, "user_canceled" },
		{ 100, "no_renegotiation" },
		{ 109, "missing_extension" },
		{ 110, "unsupported_extension" },
		{ 112, "unrecognized_name (it does not know the host)" },
		{ 113, "bad_certificate_status_response" },
		{ 115, "unknown_psk_identity" },
		{ 116, "certificate_required (it demands a client "
		    "certificate by an authority that it trusts)" },
		{ 120, "no_application_protocol (it speaks none that we "
		    "offer)" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].alert == alert)
			return texts[i].text;
	return "unknown";
}

int
tls_alert_error(struct wk_error *error, unsigned alert)
{
	return wk_error_set(error, WK_E_REFUSED, alert,
	    "peer sent the TLS alert %u, %s", alert, wk_tls_alert_text(alert));
}

/* What needs more than GnuTLS's own words. */
static const struct {
	int code;
	enum wk_status status;
	const char *reason;
} known[] = {
	{ GNUTLS_E_PREMATURE_TERMINATION, WK_E_TRUNCATED,
	    "connection was closed without TLS's close_notify" },
	{ GNUTLS_E_UNSUPPORTED_VERSION_PACKET, WK_E_UNSUPPORTED,
	    "peer speaks neither TLS 1.2 nor TLS 1.3" },
	{ GNUTLS_E_NO_CIPHER_SUITES, WK_E_UNSUPPORTED,
	    "no cipher in common with the peer" },
	{ GNUTLS_E_UNKNOWN_CIPHER_SUITE, WK_E_UNSUPPORTED,
	    "no cipher in common with the peer" },
	{ GNUTLS_E_NO_CERTIFICATE_FOUND, WK_E_UNTRUSTED,
	    "client has no certificate, and one is demanded" },
	{ GNUTLS_E_CERTIFICATE_REQUIRED, WK_E_UNTRUSTED,
	    "client has no certificate, and one is demanded" },
	{ GNUTLS_E_REHANDSHAKE, WK_E_UNSUPPORTED,
	    "peer wants to renegotiate, which is not done here" },
	{ GNUTLS_E_MEMORY_ERROR, WK_E_NOMEM, "out of memory" },
};

int
wk_tls_explain(const struct wk_tls_peer *peer, gnutls_session_t session,
    int code, struct wk_error *error)
{
	char words[TLS_WORDS_MAX];
	size_t i;

	if (peer->error.status != WK_OK) {
		if (error != NULL)
			*error = peer->error;
		return peer->error.status;
	}
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED ||
	    code == GNUTLS_E_WARNING_ALERT_RECEIVED)
		return tls_alert_error(error,
		    (unsigned)gnutls_alert_get(session));
	if (code == GNUTLS_E_NO_APPLICATION_PROTOCOL)
		return wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "peer speaks none of our protocols (%s)", peer->alpn);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return wk_error_set(error, known[i].status, 0, "%s",
			    known[i].reason);
	return wk_error_set(error, WK_E_MALFORMED, 0, "TLS: %s",
	    tls_words(code, words));
}
