/* SPDX-License-Identifier: MIT */
/*
 * Through a proxy that is already connected to: CONNECT with Basic credentials
 * (RFC 9110, section 9.3.6; RFC 7617), or SOCKS5 with user name and password
 * (RFC 1928, RFC 1929). Not one octet is read that is the target's.
 */
#pragma once

#include "common/net/loop.h"
#include "common/net/proxy.h"

struct wk_proxy_tunnel;

/*
 * fd stays the caller's and must be of a stream socket; proxy must outlive the
 * call of done, which comes once and not before this returns. status: WK_OK,
 * the descriptor now leads to host (without brackets) and port; WK_E_REFUSED,
 * the proxy said no, with its status and Proxy-Status (RFC 9209) in reason;
 * WK_E_MALFORMED, it broke its protocol; otherwise the connection ended, or
 * the name could not be looked up. There is no time limit here. NULL: no
 * memory, or no thread.
 */
struct wk_proxy_tunnel *wk_proxy_tunnel_start(struct wk_loop *loop, int fd,
    const struct wk_proxy *proxy, const char *host, uint16_t port,
    void (*done)(void *arg, int status, const char *reason), void *arg);

/* Before done: it will not come any more. NULL is fine. */
void wk_proxy_tunnel_cancel(struct wk_proxy_tunnel *tunnel);
