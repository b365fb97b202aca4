/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"

static struct sockaddr_in *
sin_of(struct wk_address *address)
{
	return (struct sockaddr_in *)(void *)&address->sa;
}

static struct sockaddr_in6 *
sin6_of(struct wk_address *address)
{
	return (struct sockaddr_in6 *)(void *)&address->sa;
}

static const struct sockaddr_in *
sin_const(const struct wk_address *address)
{
	return (const struct sockaddr_in *)(const void *)&address->sa;
}

static const struct sockaddr_in6 *
sin6_const(const struct wk_address *address)
{
	return (const struct sockaddr_in6 *)(const void *)&address->sa;
}

/* --- to text -------------------------------------------------------------- */

static void
put_unix(const struct wk_address *address, char text[WK_ADDRESS_TEXT_MAX])
{
	const struct sockaddr_un *sun =
	    (const struct sockaddr_un *)(const void *)&address->sa;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t len = address->len > head ? address->len - head : 0;

	if (len > sizeof(sun->sun_path))
		len = sizeof(sun->sun_path);
	/* The abstract name space starts with a NUL and is written with @. */
	if (len > 0 && sun->sun_path[0] == '\0')
		snprintf(text, WK_ADDRESS_TEXT_MAX, UNIX_PREFIX "@%.*s",
		    (int)(len - 1), sun->sun_path + 1);
	else
		snprintf(text, WK_ADDRESS_TEXT_MAX, UNIX_PREFIX "%.*s",
		    (int)len, sun->sun_path);
}

static void
put_in6(const struct sockaddr_in6 *sin6, char text[WK_ADDRESS_TEXT_MAX])
{
	char name[IF_NAMESIZE];
	size_t len;

	inet_ntop(AF_INET6, &sin6->sin6_addr, text, WK_ADDRESS_TEXT_MAX);
	if (sin6->sin6_scope_id == 0)
		return;
	len = strlen(text);
	if (if_indextoname(sin6->sin6_scope_id, name) != NULL)
		snprintf(text + len, WK_ADDRESS_TEXT_MAX - len, "%%%s", name);
	else
		snprintf(text + len, WK_ADDRESS_TEXT_MAX - len, "%%%u",
		    (unsigned)sin6->sin6_scope_id);
}

const char *
wk_address_host_text(const struct wk_address *address,
    char text[WK_ADDRESS_TEXT_MAX])
{
	switch (address->sa.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &sin_const(address)->sin_addr, text,
		    WK_ADDRESS_TEXT_MAX);
		break;
	case AF_INET6:
		put_in6(sin6_const(address), text);
		break;
	case AF_UNIX:
		put_unix(address, text);
		break;
	default:
		snprintf(text, WK_ADDRESS_TEXT_MAX, "unknown");
		break;
	}
	return text;
}

const char *
wk_address_text(const struct wk_address *address,
    char text[WK_ADDRESS_TEXT_MAX])
{
	char host[WK_ADDRESS_TEXT_MAX];
	unsigned port = wk_address_port(address);

	wk_address_host_text(address, host);
	if (address->sa.ss_family == AF_INET)
		snprintf(text, WK_ADDRESS_TEXT_MAX, "%.64s:%u", host, port);
	else if (address->sa.ss_family == AF_INET6)
		snprintf(text, WK_ADDRESS_TEXT_MAX, "[%.64s]:%u", host, port);
	else
		memcpy(text, host, sizeof(host));
	return text;
}

uint16_t
wk_address_port(const struct wk_address *address)
{
	switch (address->sa.ss_family) {
	case AF_INET:
		return ntohs(sin_const(address)->sin_port);
	case AF_INET6:
		return ntohs(sin6_const(address)->sin6_port);
	default:
		return 0;
	}
}

void
wk_address_set_port(struct wk_address *address, uint16_t port)
{
	if (address->sa.ss_family == AF_INET)
		sin_of(address)->sin_port = htons(port);
	else if (address->sa.ss_family == AF_INET6)
		sin6_of(address)->sin6_port = htons(port);
}

bool
wk_address_equals(const struct wk_address *a, const struct wk_address *b)
{
	if (a->sa.ss_family != b->sa.ss_family ||
	    wk_address_port(a) != wk_address_port(b))
		return false;
	switch (a->sa.ss_family) {
	case AF_INET:
		return sin_const(a)->sin_addr.s_addr ==
		    sin_const(b)->sin_addr.s_addr;
	case AF_INET6:
		return IN6_ARE_ADDR_EQUAL(&sin6_const(a)->sin6_addr,
		    &sin6_const(b)->sin6_addr) &&
		    sin6_const(a)->sin6_scope_id == sin6_const(b)->sin6_scope_id;
	default:
		return a->len == b->len && memcmp(&a->sa, &b->sa, a->len) == 0;
	}
}

/* --- from text ------------------------------------------------------------ */

static struct wk_str
str_from(struct wk_str text, size_t at)
{
	struct wk_str rest = { at == 0 ? text.at : text.at + at,
		text.len - at };

	return rest;
}

/* The index of a zone's interface, by name or number; 0: there is none. */
static uint32_t
zone_index(struct wk_str zone)
{
	char name[IF_NAMESIZE];
	uint32_t index = 0;
	size_t i;

	if (zone.len == 0 || zone.len >= sizeof(name))
		return 0;
	memcpy(name, zone.at, zone.len);
	name[zone.len] = '\0';
	index = if_nametoindex(name);
	if (index != 0 || zone.len > 9)
		return index;
	for (i = 0; i < zone.len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		index = index * 10 + (uint32_t)(name[i] - '0');
	}
	return index;
}

int
wk_address_from_ip(struct wk_address *address, struct wk_str host,
    uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	const char *percent = host.len == 0 ? NULL :
	    memchr(host.at, '%', host.len);
	size_t len = percent == NULL ? host.len : (size_t)(percent - host.at);
	uint32_t scope = 0;

	memset(address, 0, sizeof(*address));
	if (len == 0 || len >= sizeof(text) || memchr(host.at, '\0', len) != NULL)
		return WK_E_INVALID;
	memcpy(text, host.at, len);
	text[len] = '\0';
	if (percent != NULL) {
		scope = zone_index(str_from(host, len + 1));
		if (scope == 0)
			return WK_E_INVALID;
	}
	if (inet_pton(AF_INET6, text, &sin6_of(address)->sin6_addr) == 1) {
		address->sa.ss_family = AF_INET6;
		address->len = sizeof(struct sockaddr_in6);
		sin6_of(address)->sin6_scope_id = scope;
	} else if (percent == NULL &&
	    inet_pton(AF_INET, text, &sin_of(address)->sin_addr) == 1) {
		address->sa.ss_family = AF_INET;
		address->len = sizeof(struct sockaddr_in);
	} else {
		return WK_E_INVALID;
	}
	wk_address_set_port(address, port);
	return WK_OK;
}

int
wk_address_from_unix(struct wk_address *address, struct wk_str path)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)(void *)&address->sa;

	memset(address, 0, sizeof(*address));
	if (path.len == 0 || path.len >= sizeof(sun->sun_path) ||
	    memchr(path.at, '\0', path.len) != NULL)
		return WK_E_INVALID;
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path.at, path.len);
	address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    path.len + 1);
	return WK_OK;
}

static int
parse_port(struct wk_str text, size_t at, uint16_t *port,
    struct wk_error *error)
{
	struct wk_str digits = str_from(text, at);
	unsigned long value = 0;
	size_t i;

	for (i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return wk_error_set(error, WK_E_INVALID, at + i,
			    "expected a port number");
		value = value * 10 + (unsigned long)(digits.at[i] - '0');
		if (value > UINT16_MAX)
			return wk_error_set(error, WK_E_INVALID, at,
			    "a port is at most 65535");
	}
	if (digits.len == 0)
		return wk_error_set(error, WK_E_INVALID, at,
		    "expected a port number");
	*port = (uint16_t)value;
	return WK_OK;
}

/* Where the port starts, and the host before it. */
static int
find_port(struct wk_str text, struct wk_str *host, size_t *port_at,
    struct wk_error *error)
{
	const char *colon = NULL, *bracket;

	*host = str_from(text, text.len);
	if (text.len > 0 && text.at[0] == '[') {
		bracket = memchr(text.at, ']', text.len);
		if (bracket == NULL)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "the bracket is not closed");
		host->at = text.at + 1;
		host->len = (size_t)(bracket - text.at) - 1;
		*port_at = host->len + 3;
		if (*port_at > text.len || bracket[1] != ':')
			return wk_error_set(error, WK_E_INVALID,
			    host->len + 2, "expected a colon and a port");
		if (host->len == 0)
			return wk_error_set(error, WK_E_INVALID, 1,
			    "expected an IPv6 address in the brackets");
		return WK_OK;
	}
	if (text.len > 0)
		colon = memchr(text.at, ':', text.len);
	if (colon == NULL) {
		*port_at = 0;
		return WK_OK;
	}
	host->at = text.at;
	host->len = (size_t)(colon - text.at);
	*port_at = host->len + 1;
	if (memchr(colon + 1, ':', text.len - *port_at) != NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected [ADDRESS]:PORT: IPv6 addresses stand in brackets");
	return WK_OK;
}

int
wk_address_split(struct wk_str text, struct wk_str *host, uint16_t *port,
    struct wk_error *error)
{
	size_t port_at = 0;
	int rc = find_port(text, host, &port_at, error);

	return rc != WK_OK ? rc : parse_port(text, port_at, port, error);
}

static int
parse_host(struct wk_str host, size_t at, bool is_bracketed, uint16_t port,
    struct wk_address *addresses, size_t max, struct wk_error *error)
{
	if (wk_str_is(host, "*") && !is_bracketed) {
		if (max < 2)
			return wk_error_set(error, WK_E_LIMIT, at,
			    "* stands for two addresses");
		wk_address_from_ip(&addresses[0], wk_str_of("::"), port);
		wk_address_from_ip(&addresses[1], wk_str_of("0.0.0.0"), port);
		return 2;
	}
	if (max < 1)
		return wk_error_set(error, WK_E_LIMIT, at,
		    "too many addresses");
	if (wk_address_from_ip(&addresses[0], host, port) == WK_OK &&
	    is_bracketed <= (addresses[0].sa.ss_family == AF_INET6))
		return 1;
	if (host.len > 0 && memchr(host.at, '%', host.len) != NULL)
		return wk_error_set(error, WK_E_INVALID, at,
		    "no address of an interface that is here");
	return wk_error_set(error, WK_E_INVALID, at,
	    is_bracketed ? "expected an IPv6 address in the brackets" :
	    "expected a numeric address, * or unix:");
}

static bool
is_unix(struct wk_str text)
{
	size_t len = strlen(UNIX_PREFIX);

	return text.len >= len && memcmp(text.at, UNIX_PREFIX, len) == 0;
}

static int
parse_unix(struct wk_str text, struct wk_address *addresses, size_t max,
    struct wk_error *error)
{
	size_t prefix = strlen(UNIX_PREFIX);

	if (max < 1)
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "too many addresses");
	if (wk_address_from_unix(&addresses[0], str_from(text, prefix)) ==
	    WK_OK)
		return 1;
	return wk_error_set(error, WK_E_INVALID, prefix,
	    "expected a path of 1 to 107 octets");
}

int
wk_address_parse(struct wk_str text, const char *default_host,
    struct wk_address *addresses, size_t max, struct wk_error *error)
{
	struct wk_str host;
	uint16_t port = 0;
	size_t host_at;
	int rc;

	if (is_unix(text))
		return parse_unix(text, addresses, max, error);
	rc = wk_address_split(text, &host, &port, error);
	if (rc != WK_OK)
		return rc;
	host_at = text.at[0] == '[';
	if (host.len == 0) {
		if (default_host == NULL)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "expected an address before the port");
		host = wk_str_of(default_host);
	}
	return parse_host(host, host_at, host_at > 0, port, addresses, max,
	    error);
}

/* --- from names ----------------------------------------------------------- */

static int
look_up(struct wk_str host, uint16_t port, struct wk_address *addresses,
    size_t max, struct wk_error *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *i;
	char name[NI_MAXHOST];
	size_t n = 0;
	int rc;

	if (host.len >= sizeof(name) || memchr(host.at, '\0', host.len) != NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no name of a host");
	memcpy(name, host.at, host.len);
	name[host.len] = '\0';
	rc = getaddrinfo(name, NULL, &hints, &all);
	if (rc != 0)
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s",
		    rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	for (i = all; i != NULL && n < max; i = i->ai_next) {
		memset(&addresses[n], 0, sizeof(addresses[n]));
		memcpy(&addresses[n].sa, i->ai_addr, i->ai_addrlen);
		addresses[n].len = i->ai_addrlen;
		wk_address_set_port(&addresses[n++], port);
	}
	freeaddrinfo(all);
	return (int)n;
}

int
wk_address_lookup(struct wk_str text, const char *default_host,
    struct wk_address *addresses, size_t max, struct wk_error *error)
{
	int n = wk_address_parse(text, default_host, addresses, max, error);
	struct wk_str host = { NULL, 0 };
	uint16_t port = 0;

	/* A name is the one thing that is none yet. */
	if (n != WK_E_INVALID || is_unix(text) || text.len == 0 ||
	    text.at[0] == '[' || wk_address_split(text, &host, &port, NULL) !=
	    WK_OK || host.len == 0 || memchr(host.at, '%', host.len) != NULL)
		return n;
	return look_up(host, port, addresses, max, error);
}
