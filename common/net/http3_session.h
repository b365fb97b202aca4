/* SPDX-License-Identifier: MIT */
/*
 * HTTP/3 as a session (RFC 9114) with Extended CONNECT (RFC 9220) and HTTP
 * Datagrams (RFC 9297), over any transport. Framing is ours (wire/h3frame.h),
 * QPACK is nghttp3's without its dynamic table. What a peer can make us keep
 * or do is bounded: streams, heads, datagrams that come before their stream,
 * unknown frames and streams.
 *
 * Of the verbs in session.h, receive, receive_end, output and sent have no
 * meaning here: octets come and go through the transport. handler->output is
 * still told, each time, when verbs outside of the transport's events have left
 * something for it to do: then wake it, look at fate, and call expire when the
 * deadline says so (0: closed or so waits to be told). fate CLOSE means that
 * all is done, acknowledged too, and the transport is to be closed with
 * H3_NO_ERROR; when the peer breaks a rule the session closes the transport
 * itself, with the reason, and fate is CLOSE as well; ABORT when the transport
 * was closed while there were streams.
 *
 * limits.window and max_streams are the transport's to keep (its stream window
 * and streams must not be more); max_queued is kept by both: the transport's
 * should have some room more for the headers of frames. A stream is over for
 * its owner when the transport says that it is gone: sent and acknowledged.
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
