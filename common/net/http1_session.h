/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 as a session (RFC 9112): one exchange at a time, connections that
 * persist, chunked bodies, 1xx, Expect: 100-continue, and tunnels by Upgrade
 * (RFC 9110, section 7.8; RFC 9298, section 3.2; RFC 9931) and by CONNECT.
 *
 * Server: GET with Upgrade becomes a tunnel request (method CONNECT, protocol
 * from Upgrade); octets behind its head wait until it is answered, and a
 * refused one closes the connection, so that they can never be taken for the
 * next request. Requests that break the grammar are answered 400, 413, 414, 431,
 * 501 or 505, slow heads 408, and the connection closed.
 * Client: only 101 with Connection: upgrade and one Upgrade equal to what was
 * asked opens the tunnel; what came behind its head is the first tunnel data.
 */
#pragma once

#include "common/net/session.h"

/*
 * handler stays the caller's and is kept. NULL: no memory.
 *
 * Expect: 100-continue: a client's owner puts it among the fields and writes
 * once the informational head has come, or whenever it is tired of waiting. A
 * server's session sends 100 itself when the request event has returned and
 * the owner neither responded nor sent 100. Who responds before that has
 * refused the body: it is not read, the connection is closed behind the
 * response, and the stream ends cleanly without an end event.
 *
 * A reset breaks the connection, but for WK_STREAM_NO_ERROR of a server that
 * has finished its response: then only the rest of the request is not read. A
 * body that a handler-less owner has responded to is read up to the window.
 * Upgrade to other ways of carrying HTTP (h2c, TLS) is ignored.
 */
struct wk_session *wk_http1_session_new(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns);

/* The scheme of a server's requests, "http" unless said; text is kept. */
void wk_http1_session_set_scheme(struct wk_session *session,
    const char *scheme);
