/* SPDX-License-Identifier: MIT */
/* Sessions with what is no TLS, and with a bare GnuTLS that does other things. */
#include "config.h"

#include <gnutls/gnutls.h>

#include "tls_pair.h"

static const char *const h2_http[] = { "h2", "http/1.1", NULL };

/* --- what is no TLS ------------------------------------------------------- */

static void
test_plain_text(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct pair p;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		pair_open(&p, client, server, NULL, NULL, NULL);
		inject(&p, 1 - i, request, sizeof(request) - 1);
		assert_int_equal(wk_tls_handshake(p.end[i], &p.error[i]),
		    WK_E_MALFORMED);
		assert_string_equal(p.error[i].reason, "peer does not speak "
		    "TLS; it began with \"GET / HTTP/1.1\\r\\n\"");
		pair_close(&p);
	}
}

/* A server that gets ever shorter parts of a real hello, then the end. */
static void
test_cut_hello(void **state)
{
	uint8_t hello[2048];
	size_t len, cut;
	struct pair p;

	(void)state;
	pair_open(&p, client, server, "localhost", h2_http, h2_http);
	assert_int_equal(wk_tls_handshake(p.end[0], NULL), WK_TLS_WANTS_READ);
	len = intercept(&p, 0, hello, sizeof(hello));
	assert_true(len > 100);
	pair_close(&p);
	for (cut = 0; cut < len; cut++) {
		pair_open(&p, client, server, NULL, NULL, h2_http);
		inject(&p, 0, hello, cut);
		assert_int_equal(wk_tls_handshake(p.end[1], &p.error[1]),
		    WK_TLS_WANTS_READ);
		close(p.fd[0]);
		p.fd[0] = -1;
		assert_int_equal(wk_tls_handshake(p.end[1], &p.error[1]),
		    WK_E_TRUNCATED);
		assert_string_equal(p.error[1].reason, "peer closed the "
		    "connection during the TLS handshake");
		pair_close(&p);
	}
}

/* One octet changed: an error or a wait, never a success. */
static void
test_changed_hello(void **state)
{
	uint8_t hello[2048];
	struct pair p;
	size_t len, i;
	int rc;

	(void)state;
	pair_open(&p, client, server, "localhost", h2_http, NULL);
	assert_int_equal(wk_tls_handshake(p.end[0], NULL), WK_TLS_WANTS_READ);
	len = intercept(&p, 0, hello, sizeof(hello));
	pair_close(&p);
	for (i = 0; i < len; i++) {
		pair_open(&p, client, server, NULL, NULL, h2_http);
		hello[i] ^= (uint8_t)(1 + i % 255);
		inject(&p, 0, hello, len);
		hello[i] ^= (uint8_t)(1 + i % 255);
		rc = wk_tls_handshake(p.end[1], &p.error[1]);
		assert_true(rc < 0);
		if (rc > WK_TLS_WANTS_READ)
			assert_true(p.error[1].reason[0] != '\0');
		shutdown(p.fd[0], SHUT_WR);
		rc = wk_tls_handshake(p.end[1], &p.error[1]);
		assert_true(rc < 0 && rc > WK_TLS_WANTS_READ);
		pair_close(&p);
	}
}

/* As OpenSSL refuses a certificate: keys are there, the alert is in clear. */
static void
test_clear_alert(void **state)
{
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 48 };
	uint8_t hello[2048];
	struct pair p;
	size_t len;

	(void)state;
	pair_open(&p, client, server, "localhost", NULL, NULL);
	assert_int_equal(wk_tls_handshake(p.end[0], NULL), WK_TLS_WANTS_READ);
	len = intercept(&p, 0, hello, sizeof(hello));
	inject(&p, 0, hello, len);
	assert_int_equal(wk_tls_handshake(p.end[1], NULL), WK_TLS_WANTS_READ);
	inject(&p, 0, alert, sizeof(alert));
	assert_int_equal(wk_tls_handshake(p.end[1], &p.error[1]),
	    WK_E_REFUSED);
	assert_string_equal(p.error[1].reason, "peer sent the TLS alert 48, "
	    "unknown_ca (it does not trust our certificate)");
	pair_close(&p);
}

/* --- a bare GnuTLS at the other end --------------------------------------- */

struct bare {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t x509;
};

static void
bare_open(struct bare *b, int fd, unsigned flags, const char *priorities,
    const struct wk_tls_credentials *own)
{
	memset(b, 0, sizeof(*b));
	assert_int_equal(gnutls_init(&b->session, flags | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL), 0);
	assert_int_equal(gnutls_priority_set_direct(b->session, priorities,
	    NULL), 0);
	if (own == NULL)
		assert_int_equal(gnutls_certificate_allocate_credentials(
		    &b->x509), 0);
	assert_int_equal(gnutls_credentials_set(b->session,
	    GNUTLS_CRD_CERTIFICATE, own == NULL ? b->x509 :
	    wk_tls_credentials_native(own)), 0);
	gnutls_transport_set_int(b->session, fd);
}

static void
bare_close(struct bare *b)
{
	gnutls_deinit(b->session);
	if (b->x509 != NULL)
		gnutls_certificate_free_credentials(b->x509);
}

/* Our end i of the pair against a bare one; ours is the server for i == 1. */
static int
bare_connect(struct pair *p, struct bare *b, int i, const char *priorities)
{
	int code = GNUTLS_E_AGAIN, rounds;

	pair_open(p, client, server, NULL, NULL, NULL);
	bare_open(b, p->fd[1 - i], i == 1 ? GNUTLS_CLIENT : GNUTLS_SERVER,
	    priorities, i == 1 ? NULL : server);
	for (rounds = 0; rounds < 100; rounds++) {
		if (p->rc[i] <= WK_TLS_WANTS_READ)
			p->rc[i] = wk_tls_handshake(p->end[i], &p->error[i]);
		if (code == GNUTLS_E_AGAIN)
			code = gnutls_handshake(b->session);
		if (p->rc[i] > WK_TLS_WANTS_READ && code != GNUTLS_E_AGAIN)
			break;
	}
	return code;
}

static void
test_versions(void **state)
{
	struct wk_error error;
	struct pair p;
	struct bare b;
	char data[64];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(bare_connect(&p, &b, i,
		    "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
		assert_int_equal(p.rc[i], WK_OK);
		assert_memory_equal(wk_tls_description(p.end[i]), "TLS1.2, ", 8);
		assert_int_equal(wk_tls_write(p.end[i], "old", 3, &error), 3);
		assert_int_equal(gnutls_record_recv(b.session, data, 64), 3);
		assert_int_equal(gnutls_bye(b.session, GNUTLS_SHUT_WR), 0);
		assert_int_equal(wk_tls_read(p.end[i], data, 64, &error), 0);
		bare_close(&b);
		pair_close(&p);
	}
}

static void
test_old_versions_are_refused(void **state)
{
	struct pair p;
	struct bare b;

	(void)state;
	assert_true(bare_connect(&p, &b, 1,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1") < 0);
	assert_int_equal(p.rc[1], WK_E_UNSUPPORTED);
	assert_string_equal(p.error[1].reason,
	    "peer speaks neither TLS 1.2 nor TLS 1.3");
	bare_close(&b);
	pair_close(&p);
}

static void
test_no_renegotiation(void **state)
{
	struct wk_error error;
	struct pair p;
	struct bare b;
	char data[64];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(bare_connect(&p, &b, i,
		    "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
		if (i == 0)
			assert_int_equal(gnutls_rehandshake(b.session), 0);
		else
			assert_int_equal(gnutls_handshake(b.session),
			    GNUTLS_E_AGAIN);
		assert_int_equal(wk_tls_read(p.end[i], data, 64, &error),
		    WK_E_UNSUPPORTED);
		assert_string_equal(error.reason,
		    "peer wants to renegotiate, which is not done here");
		bare_close(&b);
		pair_close(&p);
	}
}

/* The peer demands new keys while a write of ours waits for the kernel. */
static void
test_key_update(void **state)
{
	static uint8_t all[BULK], back[BULK];
	struct wk_error error;
	struct pair p;
	struct bare b;
	size_t in = 0, out = 0, i;
	ssize_t n;
	int size = 4096;
	char data[64];

	(void)state;
	for (i = 0; i < BULK; i++)
		all[i] = octet(i);
	assert_int_equal(bare_connect(&p, &b, 0, "NORMAL"), 0);
	setsockopt(p.fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	out = write_moved(p.end[0], all, 0, 50000);
	assert_true(out < BULK);
	assert_int_equal(gnutls_session_key_update(b.session, GNUTLS_KU_PEER),
	    0);
	assert_int_equal(gnutls_record_send(b.session, "now", 3), 3);
	assert_int_equal(wk_tls_read(p.end[0], data, 64, &error), 3);
	while (in < BULK) {
		if (out < BULK)
			out = write_moved(p.end[0], all, out, 50000);
		n = gnutls_record_recv(b.session, back + in, BULK - in);
		if (n > 0)
			in += (size_t)n;
		else
			assert_int_equal(n, GNUTLS_E_AGAIN);
	}
	assert_memory_equal(all, back, BULK);
	bare_close(&b);
	pair_close(&p);
}

/* Some servers send them unasked; they are no data. */
static void
test_tickets(void **state)
{
	gnutls_datum_t key;
	struct wk_error error;
	struct pair p;
	struct bare b;
	char data[64];
	int rc = WK_TLS_WANTS_READ, code = GNUTLS_E_AGAIN;

	(void)state;
	assert_int_equal(gnutls_session_ticket_key_generate(&key), 0);
	pair_open(&p, client, server, NULL, NULL, NULL);
	bare_open(&b, p.fd[1], GNUTLS_SERVER, "NORMAL", server);
	gnutls_session_ticket_enable_server(b.session, &key);
	while (rc < 0 || code < 0) {
		if (rc < 0)
			rc = wk_tls_handshake(p.end[0], &error);
		if (code < 0)
			code = gnutls_handshake(b.session);
		assert_true(rc >= 0 || rc <= WK_TLS_WANTS_READ);
	}
	assert_int_equal(gnutls_session_ticket_send(b.session, 1, 0), 0);
	assert_int_equal(recv(p.fd[0], data, 1, MSG_PEEK), 1);
	assert_int_equal(wk_tls_read(p.end[0], data, 64, &error),
	    WK_TLS_WANTS_READ);
	assert_int_equal(gnutls_session_ticket_send(b.session, 1, 0), 0);
	assert_int_equal(gnutls_record_send(b.session, "data", 4), 4);
	assert_int_equal(wk_tls_read(p.end[0], data, 64, &error), 4);
	bare_close(&b);
	pair_close(&p);
	gnutls_free(key.data);
}

/* A client that closes with something unread resets the connection. */
static void
test_server_sends_no_tickets(void **state)
{
	struct pair p;
	struct bare b;
	char data[1];

	(void)state;
	assert_int_equal(bare_connect(&p, &b, 1, "NORMAL"), 0);
	assert_int_equal(recv(p.fd[0], data, 1, MSG_PEEK), -1);
	bare_close(&b);
	pair_close(&p);
}

/* Records with nothing in them: some are read over, a flood is refused. */
static void
test_empty_records(void **state)
{
	struct wk_error error;
	struct pair p;
	struct bare b;
	char data[64];
	int i;

	(void)state;
	assert_int_equal(bare_connect(&p, &b, 1, "NORMAL"), 0);
	for (i = 0; i < 50; i++)
		assert_int_equal(gnutls_record_send2(b.session, "", 0, 1, 0),
		    0);
	assert_int_equal(gnutls_record_send(b.session, "data", 4), 4);
	assert_int_equal(wk_tls_read(p.end[1], data, 64, &error), 4);
	for (i = 0; i < 250; i++)
		assert_int_equal(gnutls_record_send2(b.session, "", 0, 1, 0),
		    0);
	assert_int_equal(wk_tls_read(p.end[1], data, 64, &error), WK_E_LIMIT);
	bare_close(&b);
	pair_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text),
		cmocka_unit_test(test_cut_hello),
		cmocka_unit_test(test_changed_hello),
		cmocka_unit_test(test_clear_alert),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_old_versions_are_refused),
		cmocka_unit_test(test_no_renegotiation),
		cmocka_unit_test(test_key_update),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_server_sends_no_tickets),
		cmocka_unit_test(test_empty_records),
	};

	return cmocka_run_group_tests(tests, make_credentials,
	    drop_credentials);
}
