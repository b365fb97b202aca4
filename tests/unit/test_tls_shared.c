/* SPDX-License-Identifier: MIT */
/* What sessions share: credentials in many threads, one key log, one key. */
#include "config.h"

#include <pthread.h>
#include <sys/stat.h>

#include "tls_certificates.h"
#include "tls_pair.h"

#define THREADS 4
#define CONNECTIONS 8
#define LABELS 5	/* of TLS 1.3, as each end knows them */

static int
make_place(void **state)
{
	(void)state;
	certificates_make_directory();
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSLKEYLOGFILE");
	return 0;
}

static int
drop_place(void **state)
{
	(void)state;
	certificates_remove();
	return 0;
}

/* --- threads -------------------------------------------------------------- */

struct shared {
	struct wk_tls_credentials *client, *server;
	int failures[THREADS];
};

struct thread {
	pthread_t id;
	struct shared *shared;
	int number;
};

/* cmocka's assertions belong to the main thread. */
static int
converse(struct pair *p)
{
	struct wk_error error;
	char data[16];
	int i;

	for (i = 0; i < 20; i++) {
		if (wk_tls_write(p->end[0], "ping", 4, &error) != 4 ||
		    wk_tls_read(p->end[1], data, sizeof(data), &error) != 4 ||
		    wk_tls_write(p->end[1], "pong", 4, &error) != 4 ||
		    wk_tls_read(p->end[0], data, sizeof(data), &error) != 4)
			return 1;
	}
	return wk_tls_bye(p->end[0], &error) != WK_OK ||
	    wk_tls_read(p->end[1], data, sizeof(data), &error) != 0;
}

static int
connect_once(struct shared *shared)
{
	struct pair p;
	int failed, i, rounds;

	memset(&p, 0, sizeof(p));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p.fd) != 0)
		return 1;
	p.end[0] = wk_tls_new(shared->client, p.fd[0], "localhost", NULL, NULL);
	p.end[1] = wk_tls_new(shared->server, p.fd[1], NULL, NULL, NULL);
	if (p.end[0] == NULL || p.end[1] == NULL)
		return 1;
	p.rc[0] = p.rc[1] = WK_TLS_WANTS_READ;
	for (rounds = 0; rounds < 10; rounds++)
		for (i = 0; i < 2; i++)
			if (p.rc[i] <= WK_TLS_WANTS_READ)
				p.rc[i] = wk_tls_handshake(p.end[i], NULL);
	failed = p.rc[0] != WK_OK || p.rc[1] != WK_OK || converse(&p);
	pair_close(&p);
	return failed;
}

static void *
run(void *arg)
{
	struct thread *t = arg;
	int i;

	for (i = 0; i < CONNECTIONS; i++)
		t->shared->failures[t->number] += connect_once(t->shared);
	return NULL;
}

/* Lines of the log that have the format; others fail the test. */
static unsigned
count_lines(const char *name)
{
	char line[1024], label[64], random[65 + 1], secret[97 + 1];
	unsigned n = 0;
	size_t len;
	FILE *fp = fopen(name, "r");

	assert_non_null(fp);
	while (fgets(line, sizeof(line), fp) != NULL) {
		n++;
		if (sscanf(line, "%63[A-Z_0-9] %65[0-9a-f] %97[0-9a-f]", label,
			random, secret) != 3)
			fail_msg("key log line %u: %s", n, line);
		assert_int_equal(strlen(random), 64);
		len = strlen(secret);
		if (len != 64 && len != 96)
			fail_msg("secret of %zu digits", len);
		assert_int_equal(strlen(line), strlen(label) + 1 + 64 + 1 +
		    len + 1);
	}
	fclose(fp);
	return n;
}

/* Each end logs; the verified client uses what the server made. */
static void
test_threads(void **state)
{
	struct thread threads[THREADS];
	struct shared shared = { 0 };
	char log[160], ca[160];
	int i;

	(void)state;
	snprintf(log, sizeof(log), "%s/threads.log", certificates);
	snprintf(ca, sizeof(ca), "%s/threads.crt", certificates);
	shared.server = credentials(&(struct wk_tls_options){
	    .is_server = true, .keylog = log });
	write_file(ca, wk_tls_certificate_pem(shared.server),
	    strlen(wk_tls_certificate_pem(shared.server)), "w");
	shared.client = credentials(&(struct wk_tls_options){ .cacert = ca,
	    .keylog = log });
	for (i = 0; i < THREADS; i++) {
		threads[i].shared = &shared;
		threads[i].number = i;
		assert_int_equal(pthread_create(&threads[i].id, NULL, run,
		    &threads[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(shared.failures[i], 0);
	assert_int_equal(count_lines(log), 2 * LABELS * THREADS * CONNECTIONS);
	wk_tls_credentials_del(shared.client);
	wk_tls_credentials_del(shared.server);
}

/* --- the key log ---------------------------------------------------------- */

static void
connect_pair(const struct wk_tls_options *client_options)
{
	struct wk_tls_credentials *c = credentials(client_options);
	struct wk_tls_credentials *s = server_credentials();
	struct pair p;

	pair_connect(&p, c, s);
	pair_close(&p);
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(s);
}

static void
test_keylog(void **state)
{
	struct wk_tls_options o = { .is_insecure = true };
	char log[160], other[160];
	struct stat st;

	(void)state;
	snprintf(log, sizeof(log), "%s/log", certificates);
	snprintf(other, sizeof(other), "%s/other", certificates);
	o.keylog = log;
	umask(0);
	connect_pair(&o);
	assert_int_equal(count_lines(log), LABELS);
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	connect_pair(&o);
	assert_int_equal(count_lines(log), 2 * LABELS);

	/* The environment speaks when the option does not. */
	setenv("SSLKEYLOGFILE", other, 1);
	connect_pair(&o);
	assert_int_equal(count_lines(log), 3 * LABELS);
	o.keylog = NULL;
	unlink(other);
	connect_pair(&o);
	/* The server of the pair has no option either. */
	assert_int_equal(count_lines(other), 2 * LABELS);
	setenv("SSLKEYLOGFILE", "", 1);
	connect_pair(&o);
	assert_int_equal(count_lines(other), 2 * LABELS);
	unsetenv("SSLKEYLOGFILE");
}

/* --- the certificate we make ---------------------------------------------- */

static void
import(gnutls_x509_crt_t *crt, const struct wk_tls_credentials *c)
{
	gnutls_datum_t pem;

	pem.data = (unsigned char *)(uintptr_t)wk_tls_certificate_pem(c);
	pem.size = (unsigned)strlen((const char *)pem.data);
	assert_int_equal(gnutls_x509_crt_init(crt), 0);
	assert_int_equal(gnutls_x509_crt_import(*crt, &pem,
	    GNUTLS_X509_FMT_PEM), 0);
}

/* What serverCertificateHashes demand: at most 14 days, and ECDSA on P-256. */
static void
test_own_certificate(void **state)
{
	static const char *const names[] = { "a.example", "2001:db8::1",
		"b\303\274cher.example" };
	struct wk_tls_credentials *c = credentials(&(struct wk_tls_options){
	    .is_server = true, .names = names, .n_names = 3 });
	struct wk_tls_credentials *other;
	char text[WK_TLS_FINGERPRINT_MAX], again[WK_TLS_FINGERPRINT_MAX];
	gnutls_ecc_curve_t curve;
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t key;
	uint8_t sha256[32];
	size_t len = sizeof(sha256);
	time_t from, until, now = time(NULL);

	(void)state;
	import(&crt, c);
	from = gnutls_x509_crt_get_activation_time(crt);
	until = gnutls_x509_crt_get_expiration_time(crt);
	assert_true(from <= now && until > now + 10 * DAY);
	assert_true(until - from <= 14 * DAY);
	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_x509(key, crt, 0), 0);
	assert_int_equal(gnutls_pubkey_export_ecc_raw(key, &curve, NULL, NULL),
	    0);
	assert_int_equal(curve, GNUTLS_ECC_CURVE_SECP256R1);
	gnutls_pubkey_deinit(key);
	assert_true(gnutls_x509_crt_check_hostname(crt, "a.example") != 0);
	assert_true(gnutls_x509_crt_check_hostname(crt, "2001:db8::1") != 0);
	assert_true(gnutls_x509_crt_check_hostname(crt,
	    "xn--bcher-kva.example") != 0);
	assert_false(gnutls_x509_crt_check_hostname(crt, "localhost") != 0);

	assert_int_equal(gnutls_x509_crt_get_fingerprint(crt,
	    GNUTLS_DIG_SHA256, sha256, &len), 0);
	assert_memory_equal(wk_tls_certificate_sha256(c), sha256, 32);
	assert_int_equal(strlen(wk_tls_fingerprint(c, text)), 95);
	snprintf(again, 4, "%02X:", sha256[0]);
	assert_memory_equal(text, again, 3);
	snprintf(again, 3, "%02X", sha256[31]);
	assert_string_equal(text + 93, again);
	gnutls_x509_crt_deinit(crt);

	other = server_credentials();
	assert_string_not_equal(wk_tls_fingerprint(other, again), text);
	wk_tls_credentials_del(other);
	wk_tls_credentials_del(c);
}

static void
test_no_certificate(void **state)
{
	struct wk_tls_credentials *c = careless_client();
	char text[WK_TLS_FINGERPRINT_MAX];

	(void)state;
	assert_null(wk_tls_certificate_pem(c));
	assert_null(wk_tls_certificate_sha256(c));
	assert_null(wk_tls_fingerprint(c, text));
	assert_null(wk_tls_spki_pin(c, text));
	assert_false(wk_tls_is_self_made(c));
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(NULL);
}

/* Our own from files: the first of the chain is the one spoken of. */
static void
test_given_certificate(void **state)
{
	struct made root, leaf;
	struct wk_tls_credentials *c;
	gnutls_x509_crt_t crt;
	char serial[2][32];
	size_t len[2] = { 32, 32 };

	(void)state;
	make(&root, "root", &(struct make){ .common_name = "Root",
	    .is_authority = true }, NULL);
	make(&leaf, "leaf", &(struct make){ .names = { "a.example" } }, &root);
	append_certificate(leaf.cert_file, &root);
	c = credentials(&(struct wk_tls_options){ .is_server = true,
	    .cert = leaf.cert_file, .key = leaf.key_file });
	assert_false(wk_tls_is_self_made(c));
	import(&crt, c);
	assert_int_equal(gnutls_x509_crt_get_serial(crt, serial[0], &len[0]),
	    0);
	assert_int_equal(gnutls_x509_crt_get_serial(leaf.crt, serial[1],
	    &len[1]), 0);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(serial[0], serial[1], len[0]);
	gnutls_x509_crt_deinit(crt);
	wk_tls_credentials_del(c);
	made_free(&root);
	made_free(&leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_keylog),
		cmocka_unit_test(test_own_certificate),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_given_certificate),
	};

	return cmocka_run_group_tests(tests, make_place, drop_place);
}
