/* SPDX-License-Identifier: MIT */
/*
 * A URL as users type it, taken apart for a request (RFC 3986; RFC 9110,
 * section 4.2): http and https alone, defaults filled in, everything in the
 * form that heads and name look-up want. No user information (RFC 9110,
 * section 4.2.4): secrets have no business in a command line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

struct wk_url {		/* every part ends with a NUL, too, inside text */
	char *text;		/* the storage of the parts */
	struct wk_str scheme;	/* "http" or "https" */
	struct wk_str host;	/* in lower case, IPv6 without brackets */
	/* For Host and :authority: with brackets, and the port if it is not */
	/* the default. */
	struct wk_str authority;
	struct wk_str path;	/* with the query; "/" if the URL has none */
	uint16_t port;
	bool is_tls;
};

/*
 * WK_OK, and wk_url_free() is due; WK_E_MALFORMED with the offset in text and
 * what was expected; WK_E_UNSUPPORTED for other schemes; WK_E_NOMEM. A
 * fragment is checked for nothing and left out, as it is never sent.
 */
int wk_url_parse(struct wk_url *url, struct wk_str text,
    struct wk_error *error);

/* Also right after a failed parse, and twice. */
void wk_url_free(struct wk_url *url);
