/* SPDX-License-Identifier: MIT */
/*
 * Which proxy the environment means for a host, by the same rules as curl:
 *
 * http_proxy for http URLs, in lower case alone: HTTP_PROXY is where CGI
 * (RFC 3875, section 4.1.18) puts a request's Proxy field, so that a client
 * could choose the proxy of a program run by a server. https_proxy or
 * HTTPS_PROXY for https URLs, all_proxy or ALL_PROXY for both, each in that
 * order; a variable that is empty counts as not set.
 *
 * no_proxy or NO_PROXY lists, between commas or blanks, names that hold for
 * all names under them too (a dot in front changes nothing), addresses, and
 * prefixes as in 192.0.2.0/24; "*" alone is everything.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

enum wk_proxy_kind {
	WK_PROXY_NONE,
	WK_PROXY_HTTP,		/* http://: CONNECT (RFC 9110, section 9.3.6) */
	WK_PROXY_SOCKS5,	/* socks5://: we look names up (RFC 1928) */
	WK_PROXY_SOCKS5H,	/* socks5h://: the proxy does */
};

struct wk_proxy {
	enum wk_proxy_kind kind;
	char *text;		/* the storage of the parts */
	const char *host;	/* without brackets */
	uint16_t port;		/* 1080 unless given */
	/* From the URL, decoded; NULL: none. */
	const char *user, *password;
};

/*
 * For a host, without brackets, of an http or https URL. get is getenv(3)
 * or a test's. WK_OK, with kind NONE when there is none, and wk_proxy_free()
 * is due; otherwise the reason names the variable and what is wrong with it:
 * WK_E_MALFORMED, WK_E_UNSUPPORTED (other kinds of proxies), WK_E_NOMEM.
 */
int wk_proxy_choose(struct wk_proxy *proxy, bool is_https, struct wk_str host,
    char *(*get)(const char *name), struct wk_error *error);

/* Also right after a failed choice. */
void wk_proxy_free(struct wk_proxy *proxy);
