/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 as a session (RFC 9112): one exchange at a time, connections that
 * persist, chunked bodies, 1xx, Expect: 100-continue, and tunnels by Upgrade
 * (RFC 9110, section 7.8; RFC 9298, section 3.2; RFC 9931) and by CONNECT.
 *
 * Server: GET with Upgrade becomes a tunnel request (method CONNECT, protocol
 * from Upgrade); octets behind its head wait until it is answered, and a
 * refused one closes the connection, so that they can never be taken for the
 * next request. Requests that break the grammar are answered 400, 414, 431,
 * 501 or 505 and the connection closed.
 * Client: only 101 with Connection: upgrade and one Upgrade equal to what was
 * asked opens the tunnel; what came behind its head is the first tunnel data.
 */
#pragma once

#include "common/net/session.h"

/* handler stays the caller's and is kept. NULL: no memory. */
struct wk_session *wk_http1_session_new(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns);
