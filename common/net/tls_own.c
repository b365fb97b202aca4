/* SPDX-License-Identifier: MIT */
/*
 * Our own certificate: what is to know of it, and the one we make when none is
 * given. That is valid for less than 14 days and has a key on P-256, so that
 * WebTransport's serverCertificateHashes accept it.
 */
#include "config.h"

#include "common/net/tls.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/base64.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/net/tls_parts.h"

#define SERIAL_LEN 16
#define HOUR ((time_t)3600)
#define VALID_BEFORE HOUR		/* for peers whose clock is behind */
#define VALID_AFTER (13 * 24 * HOUR)

static const char *const default_names[] = { "localhost", "127.0.0.1", "::1" };

/* --- what is to know ------------------------------------------------------ */

int
tls_spki_sha256(gnutls_x509_crt_t certificate, uint8_t sha256[TLS_SHA256_LEN])
{
	gnutls_datum_t der = { NULL, 0 };
	gnutls_pubkey_t key;
	int rc;

	rc = gnutls_pubkey_init(&key);
	if (rc < 0)
		return rc;
	rc = gnutls_pubkey_import_x509(key, certificate, 0);
	if (rc >= 0)
		rc = gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der);
	if (rc >= 0)
		rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size,
		    sha256);
	gnutls_free(der.data);
	gnutls_pubkey_deinit(key);
	return rc;
}

const char *
tls_pin_text(const uint8_t sha256[TLS_SHA256_LEN], char pin[WK_TLS_PIN_MAX])
{
	struct wk_buf b;

	wk_buf_init(&b, WK_TLS_PIN_MAX);
	wk_base64_append(&b, sha256, TLS_SHA256_LEN);
	snprintf(pin, WK_TLS_PIN_MAX, "sha256//%.*s", (int)b.len,
	    b.len == 0 ? "" : (const char *)b.data);
	wk_buf_free(&b);
	return pin;
}

int
tls_remember_own(struct wk_tls_credentials *credentials,
    gnutls_x509_crt_t certificate)
{
	size_t len = TLS_SHA256_LEN;
	gnutls_datum_t pem;
	int rc;

	rc = gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256,
	    credentials->sha256, &len);
	if (rc >= 0)
		rc = tls_spki_sha256(certificate, credentials->spki_sha256);
	if (rc >= 0)
		rc = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM,
		    &pem);
	if (rc < 0)
		return rc;
	credentials->pem = strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	return credentials->pem == NULL ? GNUTLS_E_MEMORY_ERROR : 0;
}

const char *
wk_tls_spki_pin(const struct wk_tls_credentials *credentials,
    char pin[WK_TLS_PIN_MAX])
{
	return credentials->pem == NULL ? NULL :
	    tls_pin_text(credentials->spki_sha256, pin);
}

const char *
wk_tls_fingerprint(const struct wk_tls_credentials *credentials,
    char fingerprint[WK_TLS_FINGERPRINT_MAX])
{
	size_t i;

	if (credentials->pem == NULL)
		return NULL;
	for (i = 0; i < TLS_SHA256_LEN; i++)
		snprintf(fingerprint + 3 * i, 4, "%02X%s", credentials->sha256[i],
		    i + 1 < TLS_SHA256_LEN ? ":" : "");
	return fingerprint;
}

const uint8_t *
wk_tls_certificate_sha256(const struct wk_tls_credentials *credentials)
{
	return credentials->pem == NULL ? NULL : credentials->sha256;
}

const char *
wk_tls_certificate_pem(const struct wk_tls_credentials *credentials)
{
	return credentials->pem;
}

bool
wk_tls_is_self_made(const struct wk_tls_credentials *credentials)
{
	return credentials->is_self_made;
}

/* --- a throw-away certificate --------------------------------------------- */

/* Zones do not get into certificates. */
size_t
tls_address(const char *name, uint8_t address[16])
{
	char plain[INET6_ADDRSTRLEN];
	size_t len = strcspn(name, "%");

	if (len >= sizeof(plain))
		return 0;
	memcpy(plain, name, len);
	plain[len] = '\0';
	if (name[len] == '\0' && inet_pton(AF_INET, plain, address) == 1)
		return 4;
	return inet_pton(AF_INET6, plain, address) == 1 ? 16 : 0;
}

static int
add_name(gnutls_x509_crt_t certificate, const char *name)
{
	uint8_t address[16];
	size_t len = tls_address(name, address);
	gnutls_datum_t ascii;
	int rc;

	if (len > 0)
		return gnutls_x509_crt_set_subject_alt_name(certificate,
		    GNUTLS_SAN_IPADDRESS, address, (unsigned)len,
		    GNUTLS_FSAN_APPEND);
	rc = gnutls_idna_map(name, (unsigned)strlen(name), &ascii, 0);
	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_set_subject_alt_name(certificate,
	    GNUTLS_SAN_DNSNAME, ascii.data, ascii.size, GNUTLS_FSAN_APPEND);
	gnutls_free(ascii.data);
	return rc;
}

static int
add_names(gnutls_x509_crt_t certificate, const char *const *names, size_t n,
    struct wk_error *error)
{
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		rc = *names[i] == '\0' ? GNUTLS_E_INVALID_REQUEST :
		    add_name(certificate, names[i]);
		if (rc < 0)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "\"%s\" cannot be named in a certificate", names[i]);
	}
	return WK_OK;
}

/* Everything but the names; GnuTLS's code. */
static int
fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	static const char subject[] = "wirekit throw-away";
	time_t now = (time_t)(wk_clock_wall_ns() / WK_NS_PER_SEC);
	uint8_t serial[SERIAL_LEN];
	int rc;

	rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);	/* positive */
	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(certificate, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(certificate, serial,
		    sizeof(serial));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_dn_by_oid(certificate,
		    GNUTLS_OID_X520_COMMON_NAME, 0, subject,
		    sizeof(subject) - 1);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_activation_time(certificate,
		    now - VALID_BEFORE);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(certificate,
		    now + VALID_AFTER);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_usage(certificate,
		    GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(certificate,
		    GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(certificate, key);
	if (rc >= 0)
		rc = gnutls_x509_crt_sign2(certificate, certificate, key,
		    GNUTLS_DIG_SHA256, 0);
	return rc;
}

int
tls_make_own(struct wk_tls_credentials *credentials, const char *const *names,
    size_t n_names, struct wk_error *error)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t certificate = NULL;
	int rc, status = WK_OK;

	if (n_names == 0) {
		names = default_names;
		n_names = sizeof(default_names) / sizeof(default_names[0]);
	}
	rc = gnutls_x509_privkey_init(&key);
	if (rc >= 0)
		rc = gnutls_x509_crt_init(&certificate);
	if (rc >= 0)
		rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc >= 0)
		status = add_names(certificate, names, n_names, error);
	if (rc >= 0 && status == WK_OK)
		rc = fill(certificate, key);
	if (rc >= 0 && status == WK_OK)
		rc = gnutls_certificate_set_x509_key(credentials->x509,
		    &certificate, 1, key);
	if (rc >= 0 && status == WK_OK)
		rc = tls_remember_own(credentials, certificate);
	if (rc < 0)
		status = tls_library_error(error, "making a certificate", rc);
	if (certificate != NULL)
		gnutls_x509_crt_deinit(certificate);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	credentials->is_self_made = status == WK_OK;
	return status;
}
