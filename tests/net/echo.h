/* SPDX-License-Identifier: MIT */
/*
 * A server that tests talk to, in their own process or another. By the path:
 *
 * /             "hello\n"
 * /bytes/N      N octets, the k-th is k & 0xff, as fast as they are taken
 * /endless      the same without an end
 * /echo         the body comes back as it arrives; so do a tunnel's octets
 * /sink         the number of octets of the body, when it has ended
 * /hold         the body is never consumed, an answer never comes
 * /reset        the stream is reset
 * anything else 404
 *
 * A tunnel to /refuse is answered 403; one to /half is finished at once by the
 * server, which goes on counting what comes; others echo.
 */
#pragma once

#include "common/net/server.h"

struct echo_counters {
	uint64_t ended, failed;		/* streams: cleanly, and not */
	size_t open, open_max;
	size_t kept_max;	/* octets of one stream, not yet echoed */
	uint64_t sunk;		/* octets that came through /half and /sink */
};

extern struct echo_counters echo_counters;

/* wk_server_handler.request, or wk_session_handler.request but for its type. */
void echo_request(struct wk_server *server, struct wk_stream *s,
    const struct wk_message *m);
