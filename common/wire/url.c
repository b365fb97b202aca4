/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/wire/chars.h"
#include "common/wire/http1.h"

#define HOST_MAX 253	/* of a name in text (RFC 1035, section 2.3.4) */

static const struct {
	const char *name;
	uint16_t port;
	bool is_tls;
} schemes[] = {
	{ "http", 80, false },
	{ "https", 443, true },
};

/* Which of the schemes; otherwise a negative status. */
static int
find_scheme(struct wk_str text, struct wk_error *error)
{
	static const char expected[] = "expected http:// or https:// in front";
	size_t i = 0;
	int n;

	while (i < text.len && (wk_char_is(text.at[i],
	    WK_CHAR_ALPHA | WK_CHAR_DIGIT) ||
	    memchr("+-.", text.at[i], 3) != NULL))
		i++;
	if (i == 0 || text.len - i < 3 || memcmp(text.at + i, "://", 3) != 0)
		return wk_error_set(error, WK_E_MALFORMED, 0, expected);
	for (n = 0; n < (int)(sizeof(schemes) / sizeof(schemes[0])); n++)
		if (wk_str_is_nocase((struct wk_str){ text.at, i },
		    schemes[n].name))
			return n;
	return wk_error_set(error, WK_E_UNSUPPORTED, 0,
	    "expected http or https as the scheme");
}

static int
check_host(const struct wk_http1_target *target, size_t at,
    struct wk_error *error)
{
	struct wk_str host = target->authority.host;
	struct in6_addr ip;
	char ip_text[INET6_ADDRSTRLEN];

	if (host.len > HOST_MAX)
		return wk_error_set(error, WK_E_MALFORMED, at,
		    "a host name of more than %d characters", HOST_MAX);
	if (memchr(host.at, '%', host.len) != NULL)
		return wk_error_set(error, WK_E_MALFORMED, at,
		    "not a character for a host");
	if (!target->authority.is_ipv6)
		return WK_OK;
	if (host.len < sizeof(ip_text)) {
		memcpy(ip_text, host.at, host.len);
		ip_text[host.len] = '\0';
		if (inet_pton(AF_INET6, ip_text, &ip) == 1)
			return WK_OK;
	}
	return wk_error_set(error, WK_E_MALFORMED, at,
	    "expected an IPv6 address in the brackets");
}

/* Put a part into the storage, in lower case if asked, and a NUL behind it. */
static struct wk_str
put(char **at, const char *prefix, struct wk_str part, const char *suffix,
    bool is_lower)
{
	struct wk_str out = { *at, strlen(prefix) + part.len +
	    strlen(suffix) };
	char *to = *at;
	size_t i;

	memcpy(to, prefix, strlen(prefix));
	to += strlen(prefix);
	for (i = 0; i < part.len; i++)
		*to++ = is_lower ? (char)wk_ascii_lower(part.at[i]) :
		    part.at[i];
	memcpy(to, suffix, strlen(suffix) + 1);
	*at += out.len + 1;
	return out;
}

int
wk_url_parse(struct wk_url *url, struct wk_str text, struct wk_error *error)
{
	struct wk_http1_target target;
	const struct wk_http1_authority *authority = &target.authority;
	const char *fragment = text.len == 0 ? NULL :
	    memchr(text.at, '#', text.len);
	char suffix[16] = "", *at;
	int scheme, rc;

	memset(url, 0, sizeof(*url));
	scheme = find_scheme(text, error);
	if (scheme < 0)
		return scheme;
	if (fragment != NULL)
		text.len = (size_t)(fragment - text.at);
	rc = wk_http1_target_parse(wk_str_of("GET"), text, &target, error);
	if (rc == WK_OK)
		rc = check_host(&target,
		    (size_t)(target.authority_text.at - text.at), error);
	if (rc != WK_OK)
		return rc;
	if (authority->port == 0)
		return wk_error_set(error, WK_E_MALFORMED,
		    (size_t)(target.authority_text.at - text.at) +
		    target.authority_text.len - 1,
		    "port 0 cannot be connected to");
	url->is_tls = schemes[scheme].is_tls;
	url->port = authority->port < 0 ? schemes[scheme].port :
	    (uint16_t)authority->port;
	/* Scheme, host, host again with brackets and port, path with slash. */
	url->text = malloc(2 * text.len + 32);
	if (url->text == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	at = url->text;
	if (url->port != schemes[scheme].port)
		snprintf(suffix, sizeof(suffix), ":%u", url->port);
	url->scheme = put(&at, "", wk_str_of(schemes[scheme].name), "", false);
	url->host = put(&at, "", authority->host, "", true);
	if (authority->is_ipv6) {
		char closing[24];

		snprintf(closing, sizeof(closing), "]%s", suffix);
		url->authority = put(&at, "[", authority->host, closing, true);
	} else
		url->authority = put(&at, "", authority->host, suffix, true);
	url->path = put(&at, target.path.len > 0 && target.path.at[0] == '/' ?
	    "" : "/", target.path, "", false);
	return WK_OK;
}

void
wk_url_free(struct wk_url *url)
{
	free(url->text);
	memset(url, 0, sizeof(*url));
}
