/* SPDX-License-Identifier: MIT */
/* Who is trusted and who is not, and in which words. */
#include "config.h"

#include <regex.h>

#include "tls_certificates.h"
#include "tls_pair.h"

static struct made root, stranger, middle, old_middle, leaf_only;

static int
make_authorities(void **state)
{
	(void)state;
	certificates_make_directory();
	make(&root, "root", &(struct make){ .common_name = "Root",
	    .is_authority = true, .from = -9 * DAY, .until = 9 * DAY }, NULL);
	make(&stranger, "stranger", &(struct make){
	    .common_name = "Stranger", .is_authority = true }, NULL);
	make(&middle, "middle", &(struct make){ .common_name = "Middle",
	    .is_authority = true }, &root);
	make(&old_middle, "old-middle", &(struct make){
	    .common_name = "Old Middle", .is_authority = true,
	    .from = -5 * DAY, .until = -2 * DAY }, &root);
	make(&leaf_only, "leaf-only", &(struct make){
	    .common_name = "Leaf" }, &root);
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSLKEYLOGFILE");
	return 0;
}

static int
drop_authorities(void **state)
{
	(void)state;
	made_free(&root);
	made_free(&stranger);
	made_free(&middle);
	made_free(&old_middle);
	made_free(&leaf_only);
	certificates_remove();
	return 0;
}

static void
assert_matches(const char *text, const char *pattern, const char *what)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("%s: \"%s\" does not match %s", what, text, pattern);
	regfree(&regex);
}

/* Connect to name; the client's reason must match, NULL: it must succeed. */
static void
verify(const char *what, const struct wk_tls_options *client_options,
    const struct wk_tls_options *server_options, const char *name,
    const char *reason, unsigned alert)
{
	struct wk_tls_credentials *c = credentials(client_options);
	struct wk_tls_credentials *s = credentials(server_options);
	struct pair p;

	pair_open(&p, c, s, name, NULL, NULL);
	pair_shake(&p);
	if (reason == NULL) {
		if (p.rc[0] != WK_OK || p.rc[1] != WK_OK)
			fail_msg("%s: %s / %s", what, p.error[0].reason,
			    p.error[1].reason);
	} else {
		if (p.rc[0] != WK_E_UNTRUSTED)
			fail_msg("%s: status %d %s", what, p.rc[0],
			    p.error[0].reason);
		assert_matches(p.error[0].reason, reason, what);
		assert_int_equal(p.rc[1], WK_E_REFUSED);
		assert_int_equal(p.error[1].offset, alert);
	}
	pair_close(&p);
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(s);
}

#define DATE "20[0-9][0-9]-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC"
#define HINT "see --cacert, --pin and --insecure"
#define PIN "sha256//[A-Za-z0-9+/]{43}="
#define LONG_NAME "a234567890.b234567890.c234567890.d234567890.e234567890." \
	"f234567890.g234567890.example"

static void
test_servers(void **state)
{
	static const struct {
		const char *what;
		struct make how;
		const struct made *issuer, *above;
		const char *name;
		const char *reason;
		unsigned alert;
	} cases[] = {
		{ "plain", { .names = { "a.example" } }, &root, NULL,
		    "a.example", NULL, 0 },
		{ "dot at the end", { .names = { "a.example" } }, &root, NULL,
		    "a.example.", NULL, 0 },
		{ "case", { .names = { "A.Example" } }, &root, NULL,
		    "a.eXAMPLE", NULL, 0 },
		{ "wildcard", { .names = { "*.example.org" } }, &root, NULL,
		    "a.example.org", NULL, 0 },
		{ "wildcard, two labels", { .names = { "*.example.org" } },
		    &root, NULL, "a.b.example.org",
		    "^certificate is for \\*.example.org, "
		    "not for a.b.example.org$", 42 },
		{ "no name asked for", { .names = { "a.example" } }, &root,
		    NULL, NULL, NULL, 0 },
		{ "IPv4", { .names = { "127.0.0.1" } }, &root, NULL,
		    "127.0.0.1", NULL, 0 },
		{ "IPv6", { .names = { "2001:db8::1" } }, &root, NULL,
		    "2001:DB8:0::1", NULL, 0 },
		{ "IPv6 with zone", { .names = { "fe80::1" } }, &root, NULL,
		    "fe80::1%lo", NULL, 0 },
		{ "address as a name", { .common_name = "127.0.0.1",
		    .names = { "a.example" } }, &root, NULL, "127.0.0.1",
		    "^certificate is for a.example, not for 127.0.0.1$", 42 },
		{ "wrong name", { .names = { "a.example", "b.example" } },
		    &root, NULL, "c.example",
		    "^certificate is for a.example, b.example, "
		    "not for c.example$", 42 },
		{ "wrong address", { .names = { "127.0.0.1", "::1" } }, &root,
		    NULL, "127.0.0.2",
		    "^certificate is for 127.0.0.1, ::1, not for 127.0.0.2$",
		    42 },
		{ "many names", { .names = { "a.example", "127.0.0.1",
		    "b.example", "c.example", "d.example" } }, &root, NULL,
		    "x.example", "^certificate is for a.example, 127.0.0.1, "
		    "b.example and 2 more, not for x.example$", 42 },
		{ "long names", { .names = { LONG_NAME, "1." LONG_NAME,
		    "2." LONG_NAME } }, &root, NULL, "x.example",
		    "^certificate is for a234567890.*\\.\\.\\.", 42 },
		{ "common name alone", { .common_name = "cn.example" }, &root,
		    NULL, "a.example",
		    "^certificate is for cn.example, not for a.example$", 42 },
		{ "nobody", { .common_name = NULL }, &root, NULL, "a.example",
		    "^certificate is for nobody, not for a.example$", 42 },
		{ "hostile name", { .common_name = "a\x1b[2Jb\nc" }, &root,
		    NULL, "a.example", "^certificate is for "
		    "a\\\\x1b\\[2Jb\\\\nc, not for a.example$", 42 },
		{ "expired", { .names = { "a.example" }, .from = -3 * DAY,
		    .until = -2 * DAY }, &root, NULL, "a.example",
		    "^certificate of a.example expired on " DATE "$", 45 },
		{ "not yet", { .names = { "a.example" }, .from = DAY,
		    .until = 2 * DAY }, &root, NULL, "a.example",
		    "^certificate of a.example is not valid before " DATE "$",
		    45 },
		{ "expired, and another's", { .names = { "b.example" },
		    .from = -3 * DAY, .until = -2 * DAY }, &root, NULL,
		    "a.example", "^certificate of b.example expired on " DATE
		    "; certificate is for b.example, not for a.example$", 45 },
		{ "chain", { .names = { "a.example" } }, &middle, &middle,
		    "a.example", NULL, 0 },
		{ "chain with a gap", { .names = { "a.example" } }, &middle,
		    NULL, "a.example", "^issuer CN=Middle of the certificate "
		    "is not trusted \\(" PIN "; " HINT "\\)$", 48 },
		{ "chain, expired above", { .names = { "a.example" } },
		    &old_middle, &old_middle, "a.example",
		    "^certificate of Old Middle expired on " DATE "$", 45 },
		{ "unknown issuer", { .names = { "a.example" } }, &stranger,
		    NULL, "a.example", "^issuer CN=Stranger of the certificate"
		    " is not trusted \\(" PIN "; " HINT "\\)$", 48 },
		{ "unknown issuer, expired", { .names = { "a.example" },
		    .from = -3 * DAY, .until = -2 * DAY }, &stranger, NULL,
		    "a.example", "^certificate of a.example expired on " DATE
		    "; issuer CN=Stranger of the certificate is not trusted "
		    "\\(" HINT "\\)$", 45 },
		{ "self-signed", { .names = { "a.example" } }, NULL, NULL,
		    "a.example", "^self-signed certificate of a.example is "
		    "not trusted \\(" PIN "; " HINT "\\)$", 48 },
		{ "self-signed, expired", { .names = { "a.example" },
		    .from = -3 * DAY, .until = -2 * DAY }, NULL, NULL,
		    "a.example", "^certificate of a.example expired on " DATE
		    "; self-signed certificate of a.example is not trusted "
		    "\\(" HINT "\\)$", 45 },
		{ "for servers", { .names = { "a.example" },
		    .purpose = GNUTLS_KP_TLS_WWW_SERVER }, &root, NULL,
		    "a.example", NULL, 0 },
		{ "signed by a leaf", { .names = { "a.example" } }, &leaf_only,
		    &leaf_only, "a.example", "^certificate is signed by one "
		    "that is no authority", 48 },
		{ "for clients only", { .names = { "a.example" },
		    .purpose = GNUTLS_KP_TLS_WWW_CLIENT }, &root, NULL,
		    "a.example", "^certificate is not meant for servers$",
		    43 },
		{ "weak", { .names = { "a.example" }, .is_sha1 = true }, &root,
		    NULL, "a.example", "uses a weak algorithm "
		    "\\(its own is ECDSA-SHA1\\)$", 42 },
	};
	struct made leaf;
	char file[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(file, sizeof(file), "server-%zu", i);
		make(&leaf, file, &cases[i].how, cases[i].issuer);
		if (cases[i].above != NULL)
			append_certificate(leaf.cert_file, cases[i].above);
		verify(cases[i].what,
		    &(struct wk_tls_options){ .cacert = root.cert_file },
		    &(struct wk_tls_options){ .is_server = true,
			.cert = leaf.cert_file, .key = leaf.key_file },
		    cases[i].name, cases[i].reason, cases[i].alert);
		made_free(&leaf);
	}
}

static void
test_hint(void **state)
{
	(void)state;
	verify("own hint",
	    &(struct wk_tls_options){ .cacert = root.cert_file,
		.hint = "set ca" },
	    &(struct wk_tls_options){ .is_server = true }, "localhost",
	    "\\(" PIN "; set ca\\)$", 48);
}

/* A self-signed certificate that is itself in --cacert. */
static void
test_self_made_as_authority(void **state)
{
	struct wk_tls_credentials *s = credentials(
	    &(struct wk_tls_options){ .is_server = true });
	struct wk_tls_credentials *c;
	static const char *const names[] = { "localhost", "127.0.0.1", "::1" };
	char file[160];
	struct pair p;
	size_t i;

	(void)state;
	assert_true(wk_tls_is_self_made(s));
	snprintf(file, sizeof(file), "%s/own.crt", certificates);
	write_file(file, wk_tls_certificate_pem(s),
	    strlen(wk_tls_certificate_pem(s)), "w");
	c = credentials(&(struct wk_tls_options){ .cacert = file });
	for (i = 0; i < 3; i++) {
		pair_open(&p, c, s, names[i], NULL, NULL);
		pair_shake(&p);
		if (p.rc[0] != WK_OK)
			fail_msg("%s: %s", names[i], p.error[0].reason);
		pair_close(&p);
	}
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(s);
}

static void
test_ssl_cert_file(void **state)
{
	struct made leaf;

	(void)state;
	make(&leaf, "env", &(struct make){ .names = { "a.example" } }, &root);
	setenv("SSL_CERT_FILE", root.cert_file, 1);
	verify("SSL_CERT_FILE", &(struct wk_tls_options){ 0 },
	    &(struct wk_tls_options){ .is_server = true,
		.cert = leaf.both_file }, "a.example", NULL, 0);
	setenv("SSL_CERT_FILE", stranger.cert_file, 1);
	verify("cacert above SSL_CERT_FILE",
	    &(struct wk_tls_options){ .cacert = root.cert_file },
	    &(struct wk_tls_options){ .is_server = true,
		.cert = leaf.both_file }, "a.example", NULL, 0);
	setenv("SSL_CERT_FILE", "", 1);
	verify("system", &(struct wk_tls_options){ 0 },
	    &(struct wk_tls_options){ .is_server = true,
		.cert = leaf.both_file }, "a.example",
	    "^issuer CN=Root of the certificate is not trusted", 48);
	unsetenv("SSL_CERT_FILE");
	made_free(&leaf);
}

/* --- pins ----------------------------------------------------------------- */

static void
hex_of_pin(const struct made *m, char hex[65], char colons[96])
{
	uint8_t der[512], sha256[32];
	size_t len = sizeof(der), i;
	gnutls_pubkey_t key;

	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_x509(key, m->crt, 0), 0);
	assert_int_equal(gnutls_pubkey_export(key, GNUTLS_X509_FMT_DER, der,
	    &len), 0);
	gnutls_pubkey_deinit(key);
	gnutls_hash_fast(GNUTLS_DIG_SHA256, der, len, sha256);
	for (i = 0; i < 32; i++) {
		snprintf(hex + 2 * i, 3, "%02x", sha256[i]);
		snprintf(colons + 3 * i, 4, "%02X%s", sha256[i],
		    i < 31 ? ":" : "");
	}
}

static void
test_pins(void **state)
{
	static const char wrong[] =
	    "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct wk_tls_options c = { .cacert = root.cert_file };
	struct wk_tls_options s = { .is_server = true };
	struct wk_tls_credentials *own;
	char pin[WK_TLS_PIN_MAX], hex[65], colons[96], list[256];
	const char *pins[2];
	struct made leaf;

	(void)state;
	make(&leaf, "pinned", &(struct make){ .names = { "a.example" } },
	    &root);
	s.cert = leaf.both_file;
	own = credentials(&s);
	wk_tls_spki_pin(own, pin);
	wk_tls_credentials_del(own);
	hex_of_pin(&leaf, hex, colons);
	c.pins = pins;
	c.n_pins = 1;
	pins[0] = pin;
	verify("curl's form", &c, &s, "a.example", NULL, 0);
	pins[0] = hex;
	verify("hex", &c, &s, "a.example", NULL, 0);
	pins[0] = colons;
	verify("hex with colons", &c, &s, "a.example", NULL, 0);
	pins[0] = wrong;
	verify("wrong", &c, &s, "a.example",
	    "^public key " PIN " is not the pinned one$", 42);
	snprintf(list, sizeof(list), "%s;%s", wrong, pin);
	pins[0] = list;
	verify("list", &c, &s, "a.example", NULL, 0);
	c.n_pins = 2;
	pins[0] = wrong;
	pins[1] = pin;
	verify("second", &c, &s, "a.example", NULL, 0);
	pins[1] = wrong;
	verify("two wrong", &c, &s, "a.example",
	    "^public key " PIN " is not among the pinned ones$", 42);
	/* A pin is one check more, not one instead, ... */
	pins[1] = pin;
	verify("pin and name", &c, &s, "b.example", "not for b.example$", 42);
	/* ... unless the others are given up. */
	c.is_insecure = true;
	verify("pin alone", &c, &s, "b.example", NULL, 0);
	pins[1] = wrong;
	verify("wrong pin alone", &c, &s, "b.example",
	    "^public key " PIN " is not among the pinned ones$", 42);
	c.n_pins = 0;
	verify("insecure", &c, &s, "b.example", NULL, 0);
	made_free(&leaf);
}

/* --- client certificates -------------------------------------------------- */

/* The server's reason must match; the client learns when it reads. */
static void
verify_client(const char *what, const struct wk_tls_options *client_options,
    const struct wk_tls_options *server_options, const char *reason,
    unsigned alert)
{
	struct wk_tls_credentials *c = credentials(client_options);
	struct wk_tls_credentials *s = credentials(server_options);
	char data[16];
	struct pair p;
	ssize_t n;

	pair_open(&p, c, s, NULL, NULL, NULL);
	pair_shake(&p);
	if (reason == NULL) {
		if (p.rc[0] != WK_OK || p.rc[1] != WK_OK)
			fail_msg("%s: %s / %s", what, p.error[0].reason,
			    p.error[1].reason);
		assert_string_equal(wk_tls_description(p.end[1]),
		    "TLS1.3, AES-256-GCM, certificate of Alice");
	} else {
		assert_int_equal(p.rc[1], WK_E_UNTRUSTED);
		assert_matches(p.error[1].reason, reason, what);
		n = p.rc[0] != WK_OK ? p.rc[0] : wk_tls_read(p.end[0], data,
		    sizeof(data), &p.error[0]);
		assert_int_equal(n, WK_E_REFUSED);
		assert_int_equal(p.error[0].offset, alert);
	}
	pair_close(&p);
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(s);
}

static void
test_clients(void **state)
{
	struct wk_tls_options c = { .is_insecure = true };
	struct wk_tls_options s = { .is_server = true };
	struct made alice, mallory, old, no_client;

	(void)state;
	make(&alice, "alice", &(struct make){ .common_name = "Alice" }, &root);
	make(&mallory, "mallory", &(struct make){ .common_name = "Mallory" },
	    &stranger);
	make(&old, "old", &(struct make){ .common_name = "Old",
	    .from = -3 * DAY, .until = -2 * DAY }, &root);
	make(&no_client, "not-a-client", &(struct make){ .common_name = "Server",
	    .purpose = GNUTLS_KP_TLS_WWW_SERVER }, &root);
	s.client_ca = root.cert_file;
	verify_client("none", &c, &s,
	    "^client has no certificate, and one is demanded$", 116);
	c.cert = alice.cert_file;
	c.key = alice.key_file;
	verify_client("good", &c, &s, NULL, 0);
	c.cert = old.both_file;
	c.key = NULL;
	verify_client("expired", &c, &s, "^certificate of Old expired on " DATE
	    "$", 45);
	c.cert = no_client.both_file;
	verify_client("purpose", &c, &s,
	    "^certificate is not meant for clients$", 43);
	/* A client does not offer what the server's list does not want. */
	c.cert = mallory.both_file;
	verify_client("stranger", &c, &s,
	    "^(client has no certificate, and one is demanded"
	    "|issuer CN=Stranger of the certificate is not trusted)$", 116);
	made_free(&alice);
	made_free(&mallory);
	made_free(&old);
	made_free(&no_client);
}

/* --- options that cannot be ----------------------------------------------- */

static void
refused(const struct wk_tls_options *options, int status, const char *reason)
{
	struct wk_error error = { .status = WK_OK };

	assert_null(wk_tls_credentials_new(options, &error));
	assert_matches(error.reason, reason, "refused");
	assert_int_equal(error.status, status);
}

static void
test_bad_options(void **state)
{
	const char *pin[] = { "sha256//AAAA" };
	const char *name[] = { "a.example", "" };
	struct wk_tls_options o = { .is_insecure = true, .n_pins = 1 };
	char empty[160], garbage[160], broken[160];

	(void)state;
	snprintf(empty, sizeof(empty), "%s/empty", certificates);
	write_file(empty, "", 0, "w");
	snprintf(garbage, sizeof(garbage), "%s/garbage", certificates);
	write_file(garbage, "garbage\n", 8, "w");
	snprintf(broken, sizeof(broken), "%s/broken", certificates);
	write_file(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n", 59, "w");
	o.pins = pin;
	refused(&o, WK_E_INVALID, "^pin \"sha256//AAAA\": expected ");
	pin[0] = "sha256//";
	refused(&o, WK_E_INVALID, "^pin \"sha256//\": expected ");
	pin[0] = "";
	refused(&o, WK_E_INVALID, "^pin \"\": expected ");
	pin[0] = "0011223344";
	refused(&o, WK_E_INVALID, "^pin \"0011223344\": expected ");
	pin[0] = "localhost";
	refused(&o, WK_E_INVALID, "^pin \"localhost\": expected ");
	refused(&(struct wk_tls_options){ .cacert = "/nonexistent" },
	    WK_E_SYSTEM, "^/nonexistent: No such file or directory$");
	refused(&(struct wk_tls_options){ .cacert = certificates },
	    WK_E_SYSTEM, ": Is a directory$");
	refused(&(struct wk_tls_options){ .cacert = empty },
	    WK_E_MALFORMED, "/empty: no certificate in it, PEM expected$");
	refused(&(struct wk_tls_options){ .cacert = garbage },
	    WK_E_MALFORMED, "/garbage: no certificate in it, PEM expected$");
	refused(&(struct wk_tls_options){ .cacert = broken },
	    WK_E_MALFORMED, "/broken: ");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .client_ca = "/nonexistent" }, WK_E_SYSTEM, "^/nonexistent: ");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .cert = "/nonexistent" }, WK_E_SYSTEM, "^/nonexistent: ");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .key = "/nonexistent" }, WK_E_INVALID,
	    "^/nonexistent: a key without its certificate$");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .cert = root.cert_file, .key = "/nonexistent" }, WK_E_SYSTEM,
	    "^/nonexistent: ");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .cert = root.cert_file, .key = stranger.key_file }, WK_E_MALFORMED,
	    "stranger.key: not the key of the certificate in .*root.crt$");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .cert = root.cert_file }, WK_E_MALFORMED, "root.crt: ");
	refused(&(struct wk_tls_options){ .is_server = true,
	    .cert = garbage, .key = garbage }, WK_E_MALFORMED, "garbage: ");
	refused(&(struct wk_tls_options){ .is_server = true, .names = name,
	    .n_names = 2 }, WK_E_INVALID,
	    "^\"\" cannot be named in a certificate$");
	refused(&(struct wk_tls_options){ .is_insecure = true,
	    .keylog = "/nonexistent/log" }, WK_E_SYSTEM,
	    "^key log /nonexistent/log: No such file or directory$");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_self_made_as_authority),
		cmocka_unit_test(test_ssl_cert_file),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, make_authorities,
	    drop_authorities);
}
