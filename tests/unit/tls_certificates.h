/* SPDX-License-Identifier: MIT */
/* Authorities and certificates of every kind, as files in one directory. */
#pragma once

#include <arpa/inet.h>
#include <ftw.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <time.h>

#include "unit.h"

#define DAY ((time_t)86400)

struct made {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	char cert_file[128], key_file[128], both_file[128];
};

struct make {			/* what is asked for; all 0: a plain leaf */
	const char *common_name;
	const char *names[8];	/* DNS names and addresses */
	time_t from, until;	/* relative to now; 0: a day ago, in a day */
	bool is_authority;
	const char *purpose;	/* GNUTLS_KP_...; NULL: none stated */
	bool is_sha1;
};

static char certificates[] = "/tmp/wk-tls-XXXXXX";

static inline void
write_file(const char *name, const void *data, size_t len, const char *mode)
{
	FILE *fp = fopen(name, mode);

	assert_non_null(fp);
	assert_int_equal(fwrite(data, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
}

/* The chain of a leaf under an authority below the root. */
static inline void
append_certificate(const char *name, const struct made *what)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_crt_export2(what->crt,
	    GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(name, pem.data, pem.size, "a");
	gnutls_free(pem.data);
}

static inline void
make_files(struct made *m, const char *file)
{
	gnutls_datum_t pem;

	snprintf(m->cert_file, sizeof(m->cert_file), "%s/%s.crt", certificates,
	    file);
	snprintf(m->key_file, sizeof(m->key_file), "%s/%s.key", certificates,
	    file);
	snprintf(m->both_file, sizeof(m->both_file), "%s/%s.pem", certificates,
	    file);
	append_certificate(m->cert_file, m);
	append_certificate(m->both_file, m);
	assert_int_equal(gnutls_x509_privkey_export2(m->key,
	    GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(m->key_file, pem.data, pem.size, "w");
	write_file(m->both_file, pem.data, pem.size, "a");
	gnutls_free(pem.data);
}

static inline void
make_name(gnutls_x509_crt_t crt, const char *name)
{
	uint8_t address[16];
	int len = inet_pton(AF_INET, name, address) == 1 ? 4 :
	    inet_pton(AF_INET6, name, address) == 1 ? 16 : 0;

	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(crt,
	    len > 0 ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME,
	    len > 0 ? (const void *)address : name,
	    len > 0 ? (unsigned)len : (unsigned)strlen(name),
	    GNUTLS_FSAN_APPEND), 0);
}

/* Signed by issuer, or by itself for NULL. */
static inline void
make(struct made *m, const char *file, const struct make *how,
    const struct made *issuer)
{
	static uint8_t serial = 0;
	time_t now = time(NULL);
	size_t i;

	memset(m, 0, sizeof(*m));
	assert_int_equal(gnutls_x509_crt_init(&m->crt), 0);
	assert_int_equal(gnutls_x509_privkey_init(&m->key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(m->key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
	gnutls_x509_crt_set_version(m->crt, 3);
	serial++;
	gnutls_x509_crt_set_serial(m->crt, &serial, 1);
	if (how->common_name != NULL)
		gnutls_x509_crt_set_dn_by_oid(m->crt,
		    GNUTLS_OID_X520_COMMON_NAME, 0, how->common_name,
		    (unsigned)strlen(how->common_name));
	gnutls_x509_crt_set_activation_time(m->crt,
	    now + (how->from == 0 ? -DAY : how->from));
	gnutls_x509_crt_set_expiration_time(m->crt,
	    now + (how->until == 0 ? DAY : how->until));
	gnutls_x509_crt_set_basic_constraints(m->crt, how->is_authority, -1);
	gnutls_x509_crt_set_key_usage(m->crt, how->is_authority ?
	    GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (how->purpose != NULL)
		gnutls_x509_crt_set_key_purpose_oid(m->crt, how->purpose, 0);
	for (i = 0; how->names[i] != NULL; i++)
		make_name(m->crt, how->names[i]);
	gnutls_x509_crt_set_key(m->crt, m->key);
	assert_int_equal(gnutls_x509_crt_sign2(m->crt,
	    issuer == NULL ? m->crt : issuer->crt,
	    issuer == NULL ? m->key : issuer->key, how->is_sha1 ?
	    GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256, 0), 0);
	make_files(m, file);
}

static inline void
made_free(struct made *m)
{
	gnutls_x509_crt_deinit(m->crt);
	gnutls_x509_privkey_deinit(m->key);
}

static inline int
remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static inline void
certificates_make_directory(void)
{
	assert_non_null(mkdtemp(certificates));
}

static inline void
certificates_remove(void)
{
	nftw(certificates, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
