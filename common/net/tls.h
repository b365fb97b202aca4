/* SPDX-License-Identifier: MIT */
/*
 * TLS by GnuTLS: credentials made once from options, and sessions on
 * non-blocking descriptors. Peers are verified unless asked otherwise. QUIC
 * uses the same credentials with its own sessions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"

struct gnutls_session_int;	/* for the QUIC room */
struct wk_tls_credentials;

struct wk_tls_options {
	bool is_server;
	/* Verification of the peer; a server asks for client certificates */
	/* only when a client_ca is given. */
	const char *cacert;		/* PEM file; NULL: the system's, or */
					/* SSL_CERT_FILE */
	const char *client_ca;		/* server: who signs clients */
	bool is_insecure;		/* client: accept any certificate */
	/* Client: "sha256//BASE64" (as curl) or hex of the SHA-256 of a public */
	/* key; one match suffices, and with is_insecure it is the only check. */
	const char *const *pins;
	size_t n_pins;
	/* Our own certificate and key, PEM; a server without makes its own. */
	const char *cert, *key;
	const char *keylog;		/* file; NULL: SSLKEYLOGFILE, if set */
	const char *const *names;	/* server: DNS names and addresses of the */
	size_t n_names;			/* certificate it makes; NULL: localhost */
};

/*
 * Load and check everything that can be checked before a connection. NULL with
 * the error's reason naming the file or option. Strings need not stay.
 */
struct wk_tls_credentials *wk_tls_credentials_new(
    const struct wk_tls_options *options, struct wk_error *error);
void wk_tls_credentials_del(struct wk_tls_credentials *credentials);

/* Of our own certificate: what --pin takes, and what browsers ask for. */
#define WK_TLS_PIN_MAX 64
const char *wk_tls_spki_pin(const struct wk_tls_credentials *credentials,
    char pin[WK_TLS_PIN_MAX]);		/* sha256//BASE64 of the public key */
const char *wk_tls_fingerprint(const struct wk_tls_credentials *credentials,
    char fingerprint[3 * 32]);		/* AA:BB:... of the certificate */
bool wk_tls_is_self_made(const struct wk_tls_credentials *credentials);

/* Whether the certificate was made for this run, and its PEM text to save. */
const char *wk_tls_certificate_pem(
    const struct wk_tls_credentials *credentials);

struct wk_tls;

enum wk_tls_wants {		/* negative wk_status aside */
	WK_TLS_WANTS_READ = -100,
	WK_TLS_WANTS_WRITE = -101,
};

/*
 * A session on fd, which stays the caller's. name: client only, host name or
 * address to verify and (names only) to send. alpn: a list ended by NULL, most
 * wanted first; the server takes its own first one that the client has, and
 * refuses (no_application_protocol) when none matches.
 */
struct wk_tls *wk_tls_new(struct wk_tls_credentials *credentials, int fd,
    const char *name, const char *const *alpn, struct wk_error *error);
void wk_tls_del(struct wk_tls *tls);	/* sends nothing */

/*
 * WK_OK when done, an enum wk_tls_wants, or a negative status with the reason
 * (certificate problems, alerts, and pins in words) in error.
 */
int wk_tls_handshake(struct wk_tls *tls, struct wk_error *error);

/*
 * Octets read (0: the peer said close_notify), an enum wk_tls_wants, or a
 * negative status; WK_E_TRUNCATED when the connection ended without a
 * close_notify, which is an attack or a crash for a protocol that ends by end.
 */
ssize_t wk_tls_read(struct wk_tls *tls, void *data, size_t len,
    struct wk_error *error);

/* Octets waiting inside that no poll() will tell of. */
size_t wk_tls_pending(const struct wk_tls *tls);

/*
 * Octets taken. After an enum wk_tls_wants call again with the same octets at
 * least (they may have moved).
 */
ssize_t wk_tls_write(struct wk_tls *tls, const void *data, size_t len,
    struct wk_error *error);

/* Say close_notify. WK_OK, an enum wk_tls_wants, or a negative status. */
int wk_tls_bye(struct wk_tls *tls);

/* What was agreed on; NULL: nothing. Borrowed. */
const char *wk_tls_alpn(const struct wk_tls *tls);

/* "TLS1.3, AES-256-GCM, certificate of example.org", for -v. */
const char *wk_tls_description(struct wk_tls *tls);
