/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/udp_proxy_parts.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/net/sock.h"

/*
 * A value of the path, decoded. Once is what RFC 9298 asks for; a colon that is
 * still encoded comes from clients that encode twice, and names have no "%".
 */
static bool
decode_value(struct wk_str value, char *text, size_t size)
{
	struct wk_buf once, twice;
	bool fits;

	wk_buf_init(&once, size - 1);
	wk_buf_init(&twice, size - 1);
	fits = wk_uritemplate_decode(value, &once, NULL) == WK_OK &&
	    wk_uritemplate_decode((struct wk_str){ (const char *)once.data,
	    once.len }, &twice, NULL) == WK_OK && twice.len > 0 &&
	    memchr(twice.data, '\0', twice.len) == NULL;
	if (fits) {
		memcpy(text, twice.data, twice.len);
		text[twice.len] = '\0';
	}
	wk_buf_free(&once);
	wk_buf_free(&twice);
	return fits;
}

static bool
parse_port(const char *text, uint16_t *port)
{
	unsigned long n = 0;
	const char *at;

	for (at = text; *at != '\0'; at++) {
		if (*at < '0' || *at > '9' || at - text >= 5)
			return false;
		n = n * 10 + (unsigned long)(*at - '0');
	}
	*port = (uint16_t)n;
	return n >= 1 && n <= 65535;
}

/* A name or an address without brackets and zone (RFC 9298, section 3). */
static bool
is_host(const char *host)
{
	struct wk_address address;
	const char *at;

	if (strchr(host, ':') != NULL)
		return strchr(host, '%') == NULL && wk_address_from_ip(&address,
		    wk_str_of(host), 0) == WK_OK;
	for (at = host; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f ||
		    strchr("/?#@[]%\\\"<>", *at) != NULL)
			return false;
	return strlen(host) <= 254;
}

bool
udp_proxy_target(const struct wk_uritemplate_var vars[2],
    char host[UDP_PROXY_HOST_MAX], uint16_t *port)
{
	char text[16];

	return vars[0].is_defined && vars[1].is_defined &&
	    decode_value(vars[0].value, host, UDP_PROXY_HOST_MAX) &&
	    is_host(host) && decode_value(vars[1].value, text, sizeof(text)) &&
	    parse_port(text, port);
}
