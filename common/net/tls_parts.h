/* SPDX-License-Identifier: MIT */
/* What the parts of the TLS room share. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/net/tls.h"

#define TLS_SHA256_LEN 32

/* Written by wk_tls_credentials_new() alone, but for the number of holders. */
struct wk_tls_credentials {
	atomic_uint holders;
	bool is_server, is_insecure, asks_clients, is_self_made, is_trusting;
	gnutls_certificate_credentials_t x509;
	gnutls_priority_t priority;
	uint8_t (*pins)[TLS_SHA256_LEN];
	size_t n_pins;
	int keylog_fd;			/* -1: none */
	char *hint;
	/* Our own certificate; pem is NULL when there is none. */
	char *pem;
	uint8_t sha256[TLS_SHA256_LEN], spki_sha256[TLS_SHA256_LEN];
};

/* The reason is "SUBJECT: what GnuTLS says", as WK_E_MALFORMED. */
int tls_library_error(struct wk_error *error, const char *subject, int code);

/* What the peer said, as WK_E_REFUSED with the alert as offset. */
int tls_alert_error(struct wk_error *error, unsigned alert);

/* GnuTLS's words in our style: lower case, no period. Returns text. */
#define TLS_WORDS_MAX 128
const char *tls_words(int code, char text[TLS_WORDS_MAX]);

/* Take over fingerprints and PEM text of our own certificate. */
int tls_remember_own(struct wk_tls_credentials *credentials,
    gnutls_x509_crt_t certificate);

/* Make a throw-away certificate for names and put it into credentials. */
int tls_make_own(struct wk_tls_credentials *credentials,
    const char *const *names, size_t n_names, struct wk_error *error);

/* SHA-256 of the subject public key info, as pins have it; GnuTLS's code. */
int tls_spki_sha256(gnutls_x509_crt_t certificate,
    uint8_t sha256[TLS_SHA256_LEN]);

/* "sha256//BASE64" */
const char *tls_pin_text(const uint8_t sha256[TLS_SHA256_LEN],
    char pin[WK_TLS_PIN_MAX]);

/* Octets of an address without zone in name: 4, 16, or 0 for a name. */
size_t tls_address(const char *name, uint8_t address[16]);

/* Append the first alternative name, or else the subject's common name. */
void tls_append_subject(struct wk_buf *b, gnutls_x509_crt_t certificate);

/* Verify function of sessions; db pointer is the struct wk_tls_peer. */
int tls_verify(gnutls_session_t session);

/* The log of name, or of the environment; credentials->keylog_fd. */
int tls_keylog_open(struct wk_tls_credentials *credentials, const char *name,
    struct wk_error *error);
int tls_keylog(gnutls_session_t session, const char *label,
    const gnutls_datum_t *secret);
