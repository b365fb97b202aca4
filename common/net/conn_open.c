/* SPDX-License-Identifier: MIT */
/* How a connection comes to its session, and what the session says. */
#include "config.h"

#include "common/net/conn_parts.h"

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
wk_conn_alpn(unsigned versions)
{
	static const char *const both[] = { "h2", "http/1.1", NULL };
	static const char *const only_h2[] = { "h2", NULL };

	if ((versions & WK_HTTP_2) == 0)
		return both + 1;
	return versions & WK_HTTP_1_1 ? both : only_h2;
}

static void
open_session(struct wk_conn *conn, enum wk_http_version version)
{
	const struct wk_conn_config *config = conn->config;

	conn->session = (version == WK_HTTP_2 ? wk_http2_session_new :
	    wk_http1_session_new)(config->is_server, &config->limits,
	    &config->events, conn, wk_conn_now_ns(conn));
	if (conn->session == NULL) {
		wk_conn_fail(conn, WK_SESSION_ABORT, false, "out of memory");
		return;
	}
	conn->state = WK_CONN_OPEN;
	conn->deadline_ns = WK_NEVER;
	if (version == WK_HTTP_1_1 && config->credentials != NULL)
		wk_http1_session_set_scheme(conn->session, "https");
	wk_conn_note(conn, "speaking %s", wk_http_version_text(version));
	if (config->handler->opened != NULL)
		config->handler->opened(conn);
}

/* TLS is there: what was agreed on, or why nothing was. */
static void
open_by_alpn(struct wk_conn *conn)
{
	unsigned versions = conn->config->versions;
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
	wk_conn_fail(conn, WK_SESSION_CLOSE, false, "the %s chose %s, %s %s",
	    conn->config->is_server ? "client" : "server",
	    alpn != NULL ? alpn : "no protocol by ALPN",
	    versions & WK_HTTP_1_1 ? versions & WK_HTTP_2 ?
	    "HTTP/2 or HTTP/1.1" : "HTTP/1.1" : "HTTP/2",
	    conn->config->is_server ? "is served" : "was asked for");
}

void
wk_conn_handshake(struct wk_conn *conn)
{
	const struct wk_conn_config *config = conn->config;
	unsigned versions = config->versions;
	struct wk_error error;
	int rc;

	if (conn->tls == NULL) {
		if (config->is_server && (versions & WK_HTTP_1_1) != 0 &&
		    (versions & WK_HTTP_2) != 0) {
			conn->state = WK_CONN_DETECT;
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
		wk_conn_fail(conn, WK_SESSION_CLOSE, false, "%s", error.reason);
		return;
	}
	wk_conn_note(conn, "%s", wk_tls_description(conn->tls));
	open_by_alpn(conn);
}

void
wk_conn_detect(struct wk_conn *conn, const uint8_t *data, size_t len)
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
	wk_conn_feed(conn, preface, conn->n_preface);
	wk_conn_feed(conn, data + i, len - i);
}

/* --- what the session says ------------------------------------------------ */

static void
on_output(struct wk_session *session)
{
	struct wk_conn *conn = wk_session_arg(session);

	wk_task_schedule(&conn->task);
}

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct wk_conn *conn = wk_session_arg(session);

	conn->requests++;
	conn->config->handler->request(conn, s, m);
}

static void
on_draining(struct wk_session *session)
{
	wk_conn_note(wk_session_arg(session),
	    "the peer takes no more requests");
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	struct wk_conn *conn = wk_session_arg(session);

	conn->config->handler->trace(conn, kind, stream_id, text);
}

void
wk_conn_config_init(struct wk_conn_config *config)
{
	memset(&config->events, 0, sizeof(config->events));
	config->events.request = on_request;
	config->events.output = on_output;
	config->events.draining = on_draining;
	if (config->handler->trace != NULL)
		config->events.trace = on_trace;
	config->events.trace_level = config->trace_level;
}
