/* SPDX-License-Identifier: MIT */
/*
 * Where a tunnel is asked for: templates and targets of CONNECT-UDP and its
 * relatives (RFC 9298 sections 2 and 3, RFC 9484 sections 3 and 4,
 * draft-ietf-httpbis-connect-tcp). Pure: text in, text out.
 */
#pragma once

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"
#include "common/wire/url.h"

struct wk_masque_target {	/* borrowed from what was parsed */
	struct wk_str host;	/* a name or address, without brackets; "*" */
	struct wk_str port;	/* decimal; "*" */
};

/*
 * HOST:PORT, [ADDRESS]:PORT, and *:* for a socket that is bound (which
 * draft-ietf-masque-connect-udp-listen asks for). WK_E_MALFORMED with what was
 * expected. For connect-ip: HOST[:PROTOCOL] or HOST/LENGTH, and "*" for any;
 * port is the IP protocol number then, "*" when it is not given.
 */
int wk_masque_target_parse(struct wk_str text, struct wk_str protocol,
    struct wk_masque_target *target, struct wk_error *error);

/*
 * The URL to ask for. url is what the user gave as the proxy. A template that
 * starts with "/" belongs to that origin, an absolute one replaces it; NULL:
 * url itself if it has variables, else the protocol's well-known template at
 * url's origin when there is a target, else url as it is. The target's values
 * fill target_host and target_port (connect-ip: target and ipproto, which the
 * template may lack where no protocol was given).
 *
 * WK_OK, and the caller's wk_url_free(); WK_E_INVALID or WK_E_MALFORMED with
 * the reason, WK_E_UNSUPPORTED when the protocol has no well-known template,
 * WK_E_LIMIT over 16384 octets, WK_E_NOMEM.
 */
int wk_masque_url(struct wk_url *out, struct wk_str url,
    const char *template_text, struct wk_str protocol,
    const struct wk_masque_target *target, struct wk_error *error);
