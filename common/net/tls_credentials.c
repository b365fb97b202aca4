/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/base64.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/base/text.h"
#include "common/net/tls_parts.h"

/* Bundles of authorities have some 200 kilobytes. */
#define PEM_MAX ((size_t)16 << 20)

/* Older versions are given up by RFC 8996. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static int
read_file(const char *name, struct wk_buf *b, struct wk_error *error)
{
	FILE *fp = fopen(name, "rbe");
	size_t n;
	int rc = WK_OK;

	if (fp == NULL)
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s", name,
		    strerror(errno));
	do {
		if (wk_buf_reserve(b, 16384) != WK_OK) {
			rc = wk_error_set(error, b->status, 0, "%s: %s", name,
			    b->status == WK_E_LIMIT ? "file is too large" :
			    wk_status_text(b->status));
			break;
		}
		n = fread(b->data + b->len, 1, 16384, fp);
		b->len += n;
	} while (n > 0);
	if (rc == WK_OK && ferror(fp))
		rc = wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s", name,
		    strerror(errno));
	fclose(fp);
	return rc;
}

static gnutls_datum_t
datum_of(const struct wk_buf *b)
{
	gnutls_datum_t datum = { b->data, (unsigned)b->len };

	return datum;
}

/* --- whom we trust -------------------------------------------------------- */

static int
trust_file(struct wk_tls_credentials *c, const char *name,
    struct wk_error *error)
{
	gnutls_datum_t datum;
	struct wk_buf b;
	int rc, n;

	wk_buf_init(&b, PEM_MAX);
	rc = read_file(name, &b, error);
	if (rc == WK_OK) {
		datum = datum_of(&b);
		n = gnutls_certificate_set_x509_trust_mem(c->x509, &datum,
		    GNUTLS_X509_FMT_PEM);
		if (n < 0 && n != GNUTLS_E_NO_CERTIFICATE_FOUND &&
		    n != GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR)
			rc = tls_library_error(error, name, n);
		else if (n <= 0)
			rc = wk_error_set(error, WK_E_MALFORMED, 0,
			    "%s: no certificate in it, PEM expected", name);
		c->is_trusting = true;
	}
	wk_buf_free(&b);
	return rc;
}

/* A system without authorities is told of when it matters: at verification. */
static int
trust_system(struct wk_tls_credentials *c, struct wk_error *error)
{
	const char *name = secure_getenv("SSL_CERT_FILE");

	if (name != NULL && *name != '\0')
		return trust_file(c, name, error);
	c->is_trusting = gnutls_certificate_set_x509_system_trust(c->x509) > 0;
	return WK_OK;
}

static int
load_trust(struct wk_tls_credentials *c, const struct wk_tls_options *options,
    struct wk_error *error)
{
	if (c->is_server)
		return c->asks_clients ?
		    trust_file(c, options->client_ca, error) : WK_OK;
	if (options->cacert != NULL)
		return trust_file(c, options->cacert, error);
	return c->is_insecure ? WK_OK : trust_system(c, error);
}

/* --- pins ----------------------------------------------------------------- */

static int
parse_pin(struct wk_str text, uint8_t sha256[TLS_SHA256_LEN],
    struct wk_error *error)
{
	static const char prefix[] = "sha256//";
	size_t skip = sizeof(prefix) - 1;
	struct wk_buf b;
	int rc;

	wk_buf_init(&b, 256);
	if (text.len >= skip && memcmp(text.at, prefix, skip) == 0)
		rc = wk_base64_parse(&b, text.at + skip, text.len - skip, NULL);
	else
		rc = wk_hex_parse(&b, text.at, text.len, NULL);
	if (rc == WK_OK && b.len == TLS_SHA256_LEN)
		memcpy(sha256, b.data, TLS_SHA256_LEN);
	else if (rc != WK_E_NOMEM)
		rc = wk_error_set(error, WK_E_INVALID, 0, "pin \"%.*s\": expected "
		    "sha256// and base64, or hex, of 32 octets",
		    (int)(text.len > 80 ? 80 : text.len), text.at);
	wk_buf_free(&b);
	return rc;
}

/* Separated as curl does it. */
static int
parse_pins(struct wk_tls_credentials *c, const char *text,
    struct wk_error *error)
{
	uint8_t (*pins)[TLS_SHA256_LEN];
	struct wk_str one;
	int rc;

	for (;;) {
		one.at = text;
		one.len = strcspn(text, ";");
		pins = realloc(c->pins, (c->n_pins + 1) * sizeof(*pins));
		if (pins == NULL)
			return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		c->pins = pins;
		rc = parse_pin(one, c->pins[c->n_pins], error);
		if (rc != WK_OK)
			return rc;
		c->n_pins++;
		if (text[one.len] == '\0')
			return WK_OK;
		text += one.len + 1;
	}
}

static int
load_pins(struct wk_tls_credentials *c, const struct wk_tls_options *options,
    struct wk_error *error)
{
	size_t i;
	int rc;

	for (i = 0; i < options->n_pins; i++) {
		rc = parse_pins(c, options->pins[i], error);
		if (rc != WK_OK)
			return rc;
	}
	return WK_OK;
}

/* --- who we are ----------------------------------------------------------- */

static int
set_own(struct wk_tls_credentials *c, const char *cert_name,
    const gnutls_datum_t *cert, const char *key_name, const gnutls_datum_t *key,
    struct wk_error *error)
{
	gnutls_x509_crt_t *chain;
	unsigned i, n = 0;
	int rc;

	rc = gnutls_x509_crt_list_import2(&chain, &n, cert,
	    GNUTLS_X509_FMT_PEM, 0);
	if (rc == GNUTLS_E_NO_CERTIFICATE_FOUND ||
	    rc == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "%s: no certificate in it, PEM expected", cert_name);
	if (rc < 0)
		return tls_library_error(error, cert_name, rc);
	rc = gnutls_certificate_set_x509_key_mem2(c->x509, cert, key,
	    GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		rc = wk_error_set(error, WK_E_MALFORMED, 0,
		    "%s: not the key of the certificate in %s", key_name,
		    cert_name);
	else if (rc < 0 && memmem(key->data, key->size, "PRIVATE KEY-----",
	    16) == NULL)
		rc = wk_error_set(error, WK_E_MALFORMED, 0,
		    "%s: no private key in it, PEM expected%s", key_name,
		    key_name == cert_name ?
		    "; --key names a file of its own" : "");
	else if (rc == GNUTLS_E_DECRYPTION_FAILED)
		rc = wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "%s: the key is encrypted", key_name);
	else if (rc < 0)
		rc = tls_library_error(error, key_name, rc);
	else if ((rc = tls_remember_own(c, chain[0])) < 0)
		rc = tls_library_error(error, cert_name, rc);
	for (i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return rc;
}

static int
load_own(struct wk_tls_credentials *c, const struct wk_tls_options *options,
    struct wk_error *error)
{
	const char *key_name = options->key;
	gnutls_datum_t cert_datum, key_datum;
	struct wk_buf cert, key;
	int rc;

	if (options->cert == NULL && key_name != NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s: a key without its certificate", key_name);
	if (options->cert == NULL)
		return c->is_server ? tls_make_own(c, options->names,
		    options->n_names, error) : WK_OK;
	if (key_name == NULL)
		key_name = options->cert;
	wk_buf_init(&cert, PEM_MAX);
	wk_buf_init(&key, PEM_MAX);
	rc = read_file(options->cert, &cert, error);
	if (rc == WK_OK)
		rc = read_file(key_name, &key, error);
	if (rc == WK_OK) {
		cert_datum = datum_of(&cert);
		key_datum = datum_of(&key);
		rc = set_own(c, options->cert, &cert_datum, key_name, &key_datum,
		    error);
	}
	if (key.len > 0)
		gnutls_memset(key.data, 0, key.len);
	wk_buf_free(&key);
	wk_buf_free(&cert);
	return rc;
}

/* --- the whole ------------------------------------------------------------ */

static int
load(struct wk_tls_credentials *c, const struct wk_tls_options *options,
    struct wk_error *error)
{
	int rc;

	rc = gnutls_priority_init(&c->priority, PRIORITIES, NULL);
	if (rc >= 0)
		rc = gnutls_certificate_allocate_credentials(&c->x509);
	if (rc < 0)
		return tls_library_error(error, "TLS", rc);
	c->hint = strdup(options->hint != NULL ? options->hint :
	    "see --cacert, --pin and --insecure");
	if (c->hint == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	rc = load_pins(c, options, error);
	if (rc == WK_OK)
		rc = load_trust(c, options, error);
	if (rc == WK_OK)
		rc = load_own(c, options, error);
	if (rc == WK_OK)
		rc = tls_keylog_open(c, options->keylog, error);
	return rc;
}

struct wk_tls_credentials *
wk_tls_credentials_new(const struct wk_tls_options *options,
    struct wk_error *error)
{
	struct wk_tls_credentials *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	atomic_init(&c->holders, 1);
	c->keylog_fd = -1;
	c->is_server = options->is_server;
	c->is_insecure = options->is_insecure;
	c->asks_clients = options->is_server && options->client_ca != NULL;
	if (load(c, options, error) != WK_OK) {
		wk_tls_credentials_del(c);
		return NULL;
	}
	return c;
}

struct wk_tls_credentials *
wk_tls_credentials_hold(struct wk_tls_credentials *credentials)
{
	atomic_fetch_add_explicit(&credentials->holders, 1,
	    memory_order_relaxed);
	return credentials;
}

void
wk_tls_credentials_del(struct wk_tls_credentials *credentials)
{
	if (credentials == NULL ||
	    atomic_fetch_sub_explicit(&credentials->holders, 1,
		memory_order_acq_rel) > 1)
		return;
	if (credentials->x509 != NULL)
		gnutls_certificate_free_credentials(credentials->x509);
	if (credentials->priority != NULL)
		gnutls_priority_deinit(credentials->priority);
	if (credentials->keylog_fd >= 0)
		close(credentials->keylog_fd);
	free(credentials->pins);
	free(credentials->hint);
	free(credentials->pem);
	free(credentials);
}

struct gnutls_certificate_credentials_st *
wk_tls_credentials_native(const struct wk_tls_credentials *credentials)
{
	return credentials->x509;
}
