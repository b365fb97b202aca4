/* SPDX-License-Identifier: MIT */
/*
 * HTTP/3 as a session (RFC 9114) with Extended CONNECT (RFC 9220) and HTTP
 * Datagrams (RFC 9297), over any transport. Framing is ours (wire/h3frame.h),
 * QPACK is nghttp3's without its dynamic table. What a peer can make us keep
 * or do is bounded: streams, heads, datagrams that come before their stream,
 * unknown frames and streams.
 *
 * Of the verbs in session.h, receive, receive_end, output and sent have no
 * meaning here: octets come and go through the transport. fate CLOSE means
 * that all is done and the transport is to be closed with H3_NO_ERROR; when
 * the peer breaks a rule the session closes the transport itself.
 */
#pragma once

#include "common/net/session.h"
#include "common/net/transport.h"

/*
 * On a transport whose handshake is complete; becomes its handler, opens the
 * control stream and sends SETTINGS. handler and transport stay the caller's
 * and must outlive the session, whose deletion leaves the transport without a
 * handler. NULL: no memory.
 */
struct wk_session *wk_http3_session_new(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg,
    struct wk_transport *transport, uint64_t now_ns);
