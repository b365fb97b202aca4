/* SPDX-License-Identifier: MIT */
/* How a connection comes to its session. */
#include "config.h"

#include "common/net/conn_tcp_parts.h"

#include <string.h>

#include "common/net/http1_session.h"
#include "common/net/http2_session.h"

static const struct {
	enum wk_http_version version;
	const char *alpn;
} protocols[] = {
	{ WK_HTTP_2, "h2" },
	{ WK_HTTP_1_1, "http/1.1" },
};

const char *const *
conn_tcp_alpn(unsigned versions)
{
	static const char *const both[] = { "h2", "http/1.1", NULL };
	static const char *const only_h2[] = { "h2", NULL };

	if ((versions & WK_HTTP_2) == 0)
		return both + 1;
	return versions & WK_HTTP_1_1 ? both : only_h2;
}

static void
open_session(struct conn_tcp *conn, enum wk_http_version version)
{
	const struct wk_conn_config *config = conn->base.config;

	conn->base.session = (version == WK_HTTP_2 ? wk_http2_session_new :
	    wk_http1_session_new)(config->is_server, &config->limits,
	    &config->events, &conn->base, conn_tcp_now_ns(conn));
	if (conn->base.session == NULL) {
		conn_tcp_fail(conn, WK_SESSION_ABORT, false, "out of memory");
		return;
	}
	conn->state = CONN_TCP_OPEN;
	conn->deadline_ns = WK_NEVER;
	if (version == WK_HTTP_1_1 && config->credentials != NULL)
		wk_http1_session_set_scheme(conn->base.session, "https");
	wk_conn_note(&conn->base, "speaking %s", wk_http_version_text(version));
	if (config->handler->opened != NULL)
		config->handler->opened(&conn->base);
}

/* TLS is there: what was agreed on, or why nothing was. */
static void
open_by_alpn(struct conn_tcp *conn)
{
	unsigned versions = conn->base.config->versions;
	const char *alpn = wk_tls_alpn(conn->tls);
	size_t i;

	/* Whoever does not choose speaks HTTP/1.1. */
	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if ((versions & protocols[i].version) != 0 && (alpn == NULL ?
		    protocols[i].version == WK_HTTP_1_1 :
		    strcmp(alpn, protocols[i].alpn) == 0)) {
			open_session(conn, protocols[i].version);
			return;
		}
	conn_tcp_fail(conn, WK_SESSION_CLOSE, false, "the %s chose %s, %s %s",
	    conn->base.config->is_server ? "client" : "server",
	    alpn != NULL ? alpn : "no protocol by ALPN",
	    versions & WK_HTTP_1_1 ? versions & WK_HTTP_2 ?
	    "HTTP/2 or HTTP/1.1" : "HTTP/1.1" : "HTTP/2",
	    conn->base.config->is_server ? "is served" : "was asked for");
}

void
conn_tcp_handshake(struct conn_tcp *conn)
{
	const struct wk_conn_config *config = conn->base.config;
	unsigned versions = config->versions;
	struct wk_error error;
	int rc;

	if (conn->tls == NULL) {
		if (config->is_server && (versions & WK_HTTP_1_1) != 0 &&
		    (versions & WK_HTTP_2) != 0) {
			conn->state = CONN_TCP_DETECT;
			return;
		}
		open_session(conn, versions & WK_HTTP_1_1 ? WK_HTTP_1_1 :
		    WK_HTTP_2);
		return;
	}
	rc = wk_tls_handshake(conn->tls, &error);
	conn->read_on = rc == WK_TLS_WANTS_WRITE ? WK_IO_WRITE : WK_IO_READ;
	if (rc == WK_TLS_WANTS_READ || rc == WK_TLS_WANTS_WRITE)
		return;
	conn->read_on = WK_IO_READ;
	if (rc != WK_OK) {
		conn_tcp_fail(conn, WK_SESSION_CLOSE, false, "%s", error.reason);
		return;
	}
	wk_conn_note(&conn->base, "%s", wk_tls_description(conn->tls));
	open_by_alpn(conn);
}

void
conn_tcp_detect(struct conn_tcp *conn, const uint8_t *data, size_t len)
{
	static const char preface[] = WK_HTTP2_PREFACE;
	const unsigned char all = sizeof(preface) - 1;
	size_t i = 0;

	while (i < len && conn->n_preface < all &&
	    data[i] == (uint8_t)preface[conn->n_preface]) {
		conn->n_preface++;
		i++;
	}
	if (i == len && conn->n_preface < all)
		return;
	open_session(conn, conn->n_preface == all ? WK_HTTP_2 : WK_HTTP_1_1);
	conn_tcp_feed(conn, preface, conn->n_preface);
	conn_tcp_feed(conn, data + i, len - i);
}
