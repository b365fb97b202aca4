/* SPDX-License-Identifier: MIT */
/*
 * TLS 1.2 and 1.3 by GnuTLS: credentials made once from options, and sessions
 * on non-blocking stream sockets. Peers are verified unless asked otherwise
 * (RFC 5280, RFC 9525). QUIC uses the same credentials with its own sessions.
 *
 * Credentials never change once they are made: any number of threads may use
 * them at the same time, each with sessions of its own. A session belongs to
 * one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"

/* GnuTLS's own, so that only those who need them include its header. */
struct gnutls_session_int;
struct gnutls_certificate_credentials_st;

struct wk_tls_credentials;

struct wk_tls_options {
	bool is_server;
	/* Verification of the peer; a server asks for client certificates */
	/* only when a client_ca is given, and then demands them. */
	const char *cacert;		/* PEM file; NULL: SSL_CERT_FILE, */
					/* or the system's */
	const char *client_ca;		/* server: who signs clients */
	bool is_insecure;		/* client: accept any certificate */
	/* Client: "sha256//BASE64" (as curl, several with ";" between) or the */
	/* hex of the SHA-256 of a public key; one match suffices, and with */
	/* is_insecure it is the only check. */
	const char *const *pins;
	size_t n_pins;
	/* Our own certificate (with its chain) and key, PEM files; a NULL key */
	/* is in the file of the certificate. A server without makes its own. */
	const char *cert, *key;
	const char *keylog;		/* file; NULL: SSLKEYLOGFILE, if set */
	const char *const *names;	/* server: DNS names and addresses of */
	size_t n_names;			/* the certificate it makes; none: */
					/* localhost, 127.0.0.1 and ::1 */
	/* What ends the message about an issuer that is not trusted; NULL: */
	/* "see --cacert, --pin and --insecure". */
	const char *hint;
};

/*
 * Load and check everything that can be checked before a connection. NULL with
 * the error's reason naming the file or option: WK_E_SYSTEM for a file that
 * cannot be read or written, WK_E_MALFORMED for what is in it, WK_E_INVALID
 * for options that do not go together. Strings need not stay.
 */
struct wk_tls_credentials *wk_tls_credentials_new(
    const struct wk_tls_options *options, struct wk_error *error);

/*
 * Give up the caller's hold; NULL is fine. Sessions have a hold of their own,
 * so that new credentials may take the place of old ones at any time.
 */
void wk_tls_credentials_del(struct wk_tls_credentials *credentials);

/* One more hold, to be given up by wk_tls_credentials_del(). */
struct wk_tls_credentials *wk_tls_credentials_hold(
    struct wk_tls_credentials *credentials);

/* Of our own certificate; NULL when there is none. */
#define WK_TLS_PIN_MAX 64
const char *wk_tls_spki_pin(const struct wk_tls_credentials *credentials,
    char pin[WK_TLS_PIN_MAX]);	/* sha256//BASE64 of the key, for --pin */
#define WK_TLS_FINGERPRINT_MAX (3 * 32)
const char *wk_tls_fingerprint(const struct wk_tls_credentials *credentials,
    char fingerprint[WK_TLS_FINGERPRINT_MAX]);	/* AA:BB:..., SHA-256 */

/* The same as 32 octets, borrowed: browsers' serverCertificateHashes. */
const uint8_t *wk_tls_certificate_sha256(
    const struct wk_tls_credentials *credentials);

/* Our own certificate as PEM text to save, borrowed. */
const char *wk_tls_certificate_pem(
    const struct wk_tls_credentials *credentials);

/* Whether that was made for this run: nobody trusts it yet. */
bool wk_tls_is_self_made(const struct wk_tls_credentials *credentials);

struct wk_tls;

enum wk_tls_wants {		/* negative wk_status aside */
	WK_TLS_WANTS_READ = -100,
	WK_TLS_WANTS_WRITE = -101,
};

/*
 * A session on fd, a connected stream socket that stays the caller's. name:
 * client only, host name or address to verify and (names only) to send; it may
 * end in a dot or have a zone. alpn: up to 8 protocols of up to 32 octets
 * ended by NULL, most wanted first, or NULL; the server takes its own first
 * one that the client has, and refuses (no_application_protocol) when none
 * matches. A peer may know nothing of ALPN: wk_tls_alpn() tells.
 */
struct wk_tls *wk_tls_new(struct wk_tls_credentials *credentials, int fd,
    const char *name, const char *const *alpn, struct wk_error *error);
void wk_tls_del(struct wk_tls *tls);	/* sends nothing */

/*
 * WK_OK when done, an enum wk_tls_wants, or a negative status with the reason
 * in words in error: WK_E_UNTRUSTED (certificates, pins), WK_E_REFUSED (the
 * peer sent an alert), WK_E_UNSUPPORTED (nothing in common), WK_E_TRUNCATED
 * (the connection ended), WK_E_MALFORMED, WK_E_SYSTEM. The peer was told by an
 * alert as far as the socket took it. After an error every call on the session
 * fails with that error.
 */
int wk_tls_handshake(struct wk_tls *tls, struct wk_error *error);

/*
 * Octets read (0: the peer said close_notify), an enum wk_tls_wants, or a
 * negative status; WK_E_TRUNCATED when the connection ended without a
 * close_notify, which is an attack or a crash for a protocol that ends by end.
 * len must not be 0. Returns less than there is; see wk_tls_pending().
 */
ssize_t wk_tls_read(struct wk_tls *tls, void *data, size_t len,
    struct wk_error *error);

/*
 * Octets waiting inside that no poll() will tell of, some of them perhaps not
 * yet decrypted; 0 after wk_tls_read() wanted something.
 */
size_t wk_tls_pending(const struct wk_tls *tls);

/*
 * Octets taken, or WK_TLS_WANTS_WRITE, or a negative status. What was not
 * taken must be offered again, from the same octet on, when the socket can be
 * written to; it may have moved, and more may follow it.
 */
ssize_t wk_tls_write(struct wk_tls *tls, const void *data, size_t len,
    struct wk_error *error);

/*
 * Say close_notify; nothing can be written afterwards, but read. WK_OK, or
 * WK_TLS_WANTS_WRITE, or a negative status.
 */
int wk_tls_bye(struct wk_tls *tls, struct wk_error *error);

/* What was agreed on; NULL: nothing. Borrowed. */
const char *wk_tls_alpn(const struct wk_tls *tls);

/* The name that a client asked for; NULL: none. Borrowed. */
const char *wk_tls_server_name(const struct wk_tls *tls);

/* "TLS1.3, AES-256-GCM, certificate of example.org", for -v. Borrowed. */
const char *wk_tls_description(struct wk_tls *tls);

/*
 * What an alert means (RFC 8446, section 6), by its name: "unknown_ca (it does
 * not trust our certificate)". QUIC's errors 0x100 to 0x1ff carry alerts.
 */
const char *wk_tls_alert_text(unsigned alert);

/*
 * For sessions that others make, QUIC's: what one session knows of its peer.
 * The caller's storage, which must not move while the session lives.
 */
struct wk_tls_peer {		/* private */
	struct wk_tls_credentials *credentials;
	struct wk_error error;	/* why the peer was refused */
	unsigned alert;		/* what to tell it; 0: nothing special */
	bool is_address;	/* name is an IP address */
	char name[256];		/* whom we want to talk to; "": anyone */
	char alpn[8 * 33 + 1];	/* what we offered, for messages */
};

/*
 * Give session (from gnutls_init(), its priorities set) our credentials, ALPN,
 * verification with pins, name, and key log, as wk_tls_new() does. Takes the
 * session's database pointer, verify and key log functions. After WK_OK call
 * wk_tls_peer_free() when the session is gone.
 */
int wk_tls_prepare(struct wk_tls_peer *peer,
    struct wk_tls_credentials *credentials, struct gnutls_session_int *session,
    const char *name, const char *const *alpn, struct wk_error *error);

/*
 * Put GnuTLS's error code of a handshake into words; returns the status as
 * wk_tls_handshake() does.
 */
int wk_tls_explain(const struct wk_tls_peer *peer,
    struct gnutls_session_int *session, int code, struct wk_error *error);

void wk_tls_peer_free(struct wk_tls_peer *peer);

/* The same as wk_tls_description() for such a session. */
#define WK_TLS_DESCRIPTION_MAX 192
const char *wk_tls_describe(struct gnutls_session_int *session,
    char text[WK_TLS_DESCRIPTION_MAX]);

/*
 * GnuTLS's own credentials, borrowed for as long as the hold on ours lasts,
 * for reading only.
 */
struct gnutls_certificate_credentials_st *wk_tls_credentials_native(
    const struct wk_tls_credentials *credentials);
