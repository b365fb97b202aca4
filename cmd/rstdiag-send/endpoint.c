/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/options.h"

static int
not_numeric(struct wk_error *error)
{
	return wk_error_set(error, WK_E_INVALID, 0,
	    "expected a numeric address with its port, 192.0.2.1:443 or "
	    "[2001:db8::1]:443; names are not looked up");
}

/* Take "%eth0" off the address. */
static int
take_scope(char *address, struct endpoint *e, struct wk_error *error)
{
	char *percent = strchr(address, '%');

	if (percent == NULL)
		return WK_OK;
	*percent = '\0';
	e->scope_id = if_nametoindex(percent + 1);
	if (e->scope_id == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no interface %s", percent + 1);
	return WK_OK;
}

int
endpoint_parse(const char *text, struct endpoint *e, struct wk_error *error)
{
	char address[ADDRESS_TEXT + IF_NAMESIZE + 1];
	const char *start = text, *colon = strrchr(text, ':');
	bool is_v6 = text[0] == '[';
	uint64_t port;
	size_t len;
	int rc;

	memset(e, 0, sizeof(*e));
	if (colon == NULL || colon == text)
		return not_numeric(error);
	len = (size_t)(colon - text);
	if (is_v6) {
		if (text[len - 1] != ']')
			return not_numeric(error);
		start++;
		len -= 2;
	}
	if (len >= sizeof(address))
		return not_numeric(error);
	memcpy(address, start, len);
	address[len] = '\0';
	if (is_v6 && (rc = take_scope(address, e, error)) != WK_OK)
		return rc;
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address, e->address) != 1)
		return not_numeric(error);
	if (wk_uint_parse(colon + 1, 0, UINT16_MAX, &port, error) != WK_OK)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected a port from 0 to 65535 behind the address");
	e->ip_version = is_v6 ? 6 : 4;
	e->port = (uint16_t)port;
	e->is_set = true;
	return WK_OK;
}

bool
endpoint_is_link_local(const struct endpoint *e)
{
	return e->ip_version == 6 && e->address[0] == 0xfe &&
	    (e->address[1] & 0xc0) == 0x80;
}

bool
address_is_no_host(uint8_t ip_version, const uint8_t *address)
{
	static const uint8_t unspecified[16];

	if (ip_version == 6)
		return address[0] == 0xff ||
		    memcmp(address, unspecified, 16) == 0;
	/* Multicast, the reserved 240.0.0.0/4 with broadcast, "this host". */
	return address[0] >= 0xe0 || address[0] == 0;
}

bool
address_is_internal(uint8_t ip_version, const uint8_t *address)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (ip_version == 6)
		return memcmp(address, loopback, 16) == 0 ||
		    memcmp(address, mapped, 12) == 0;
	return address[0] == 127;
}

const char *
address_text(uint8_t ip_version, const uint8_t *address,
    char out[ADDRESS_TEXT])
{
	if (inet_ntop(ip_version == 6 ? AF_INET6 : AF_INET, address, out,
	    ADDRESS_TEXT) == NULL)
		snprintf(out, ADDRESS_TEXT, "?");
	return out;
}
