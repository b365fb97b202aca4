/* SPDX-License-Identifier: MIT */
/* Listening sockets, for clients, administration and metrics. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd/mcproxy/engine.h"

#define DEFAULT_HOST "127.0.0.1"

int
listen_split(const char *text, const char **address, struct wk_error *error)
{
	const char *at = strchr(text, '@');

	*address = text;
	if (at == NULL || strncmp(text, "unix:", 5) == 0)
		return WK_OK;
	if (at - text > ROUTER_TAG_MAX || at == text)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "a tag has 1 to %d octets", ROUTER_TAG_MAX);
	*address = at + 1;
	return WK_OK;
}

int
listen_check(const char *text, struct wk_error *error)
{
	const char *address;
	struct wk_address numeric;
	struct wk_str host;
	uint16_t port;
	int rc = listen_split(text, &address, error);

	if (rc != WK_OK)
		return rc;
	/* Whether a name is one will show when it is looked up. */
	if (strncmp(address, "unix:", 5) != 0)
		return wk_address_split(wk_str_of(address), &host, &port,
		    error);
	rc = wk_address_parse(wk_str_of(address), NULL, &numeric, 1, error);
	return rc < 0 ? rc : WK_OK;
}

int
listen_on(const char *text, struct listening out[LISTEN_ADDRESSES_MAX],
    char *reason, size_t size)
{
	struct wk_address found[LISTEN_ADDRESSES_MAX];
	const char *address;
	struct wk_error error;
	int i, n = listen_split(text, &address, &error);

	if (n == WK_OK)
		n = wk_address_lookup(wk_str_of(address), DEFAULT_HOST, found,
		    LISTEN_ADDRESSES_MAX, &error);
	if (n < 0) {
		snprintf(reason, size, "%s: %s", text, error.reason);
		return n;
	}
	/* Of the addresses of a name the first is enough. */
	if (strncmp(address, "*:", 2) != 0)
		n = 1;
	for (i = 0; i < n; i++) {
		out[i].address = found[i];
		out[i].fd = wk_sock_listen(&out[i].address, &error);
		if (out[i].fd >= 0)
			continue;
		snprintf(reason, size, "%s", error.reason);
		while (i-- > 0)
			close(out[i].fd);
		return WK_E_SYSTEM;
	}
	return n;
}
