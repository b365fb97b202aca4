/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 as a session (RFC 9113) on nghttp2, with Extended CONNECT (RFC 8441).
 * Window updates follow consumption. What a peer can make us keep or do is
 * bounded: streams, heads, windows, and the frames that cost it nothing
 * (SETTINGS, PING, RST_STREAM, empty DATA, CONTINUATION, PRIORITY).
 */
#pragma once

#include "common/net/session.h"

/* The first octets of a client's connection (RFC 9113, section 3.4). */
#define WK_HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* handler stays the caller's and is kept. NULL: no memory. */
struct wk_session *wk_http2_session_new(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns);
