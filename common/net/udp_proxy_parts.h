/* SPDX-License-Identifier: MIT */
/* What udp_proxy.c asks of udp_proxy_target.c; nobody else includes this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/uritemplate.h"

#define UDP_PROXY_HOST_MAX 256	/* a name has 253 characters (RFC 1035) */

/*
 * What target_host and target_port, in this order, say in a request's path:
 * false if that is no name or address, or no port (RFC 9298, section 3).
 */
bool udp_proxy_target(const struct wk_uritemplate_var vars[2],
    char host[UDP_PROXY_HOST_MAX], uint16_t *port);
