/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/masque.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/buf.h"
#include "common/wire/chars.h"
#include "common/wire/http1.h"
#include "common/wire/uritemplate.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define URL_MAX 16384

static const struct token {
	const char *name;	/* a prefix: drafts have numbers behind it */
	const char *path;	/* the well-known template; NULL: none */
	const char *host, *port;	/* its variables; NULL: none */
} tokens[] = {
	{ "connect-udp", "/.well-known/masque/udp/{target_host}/{target_port}/",
	    "target_host", "target_port" },
	{ "connect-tcp", "/.well-known/masque/tcp/{target_host}/{target_port}/",
	    "target_host", "target_port" },
	{ "connect-ip", "/.well-known/masque/ip/{target}/{ipproto}/",
	    "target", "ipproto" },
	{ "connect-ethernet", "/.well-known/masque/ethernet/", NULL, NULL },
};

/* "connect-tcp" for "connect-tcp-12", too; NULL: not one of them. */
static const struct token *
token_find(struct wk_str protocol)
{
	struct wk_str head;
	size_t i, len;

	for (i = 0; i < ARRAY_LEN(tokens); i++) {
		len = strlen(tokens[i].name);
		head.at = protocol.at;
		head.len = len;
		if (protocol.len >= len && wk_str_is(head, tokens[i].name) &&
		    (protocol.len == len || protocol.at[len] == '-'))
			return &tokens[i];
	}
	return NULL;
}

static bool
is_number(struct wk_str s, unsigned long min, unsigned long max)
{
	unsigned long n = 0;
	size_t i;

	if (s.len == 0 || s.len > 5)
		return false;
	for (i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		n = n * 10 + (unsigned long)(s.at[i] - '0');
	}
	return n >= min && n <= max;
}

static bool
is_address(struct wk_str text, bool is_ipv6)
{
	unsigned char octets[16];
	char copy[64];

	if (text.len == 0 || text.len >= sizeof(copy) ||
	    memchr(text.at, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, copy, octets) == 1;
}

static const char *
find_char(struct wk_str s, char c)
{
	return s.len == 0 ? NULL : memchr(s.at, c, s.len);
}

/* HOST, ADDRESS[/LENGTH] or "*" (RFC 9484, section 4.6). */
static bool
is_ip_scope(struct wk_str text)
{
	const char *slash = find_char(text, '/');
	bool is_ipv6 = find_char(text, ':') != NULL;
	struct wk_str address = text, length;
	size_t i;

	if (slash != NULL) {
		address.len = (size_t)(slash - text.at);
		length.at = slash + 1;
		length.len = text.len - address.len - 1;
		return is_number(length, 0, is_ipv6 ? 128 : 32) &&
		    is_address(address, is_ipv6);
	}
	if (is_ipv6)
		return is_address(text, true);
	for (i = 0; i < text.len; i++)
		if (!wk_char_is(text.at[i], WK_CHAR_UNRESERVED |
		    WK_CHAR_SUB_DELIM))
			return false;
	return text.len > 0;
}

/* What is in front of the colon of a protocol, and what is behind it. */
static bool
split_ip_scope(struct wk_str text, struct wk_str *host, struct wk_str *rest)
{
	const char *close = find_char(text, ']'), *colon;

	*host = text;
	*rest = (struct wk_str){ NULL, 0 };
	if (text.at[0] == '[') {
		if (close == NULL)
			return false;
		host->at = text.at + 1;
		host->len = (size_t)(close - text.at) - 1;
		colon = close + 1;
		if (find_char(*host, ':') == NULL)
			return false;
	} else {
		colon = find_char(text, ':');
		/* Two of them: an IPv6 address or prefix without a protocol. */
		if (colon == NULL || find_char((struct wk_str){ colon + 1,
		    (size_t)(text.at + text.len - colon) - 1 }, ':') != NULL)
			return true;
		host->len = (size_t)(colon - text.at);
	}
	if (colon == text.at + text.len)
		return true;
	rest->at = colon + 1;
	rest->len = (size_t)(text.at + text.len - colon) - 1;
	return *colon == ':';
}

static int
parse_ip_scope(struct wk_str text, struct wk_masque_target *target,
    struct wk_error *error)
{
	struct wk_str rest;

	target->port = wk_str_of("*");
	if (!split_ip_scope(text, &target->host, &rest) ||
	    !is_ip_scope(target->host))
		return wk_error_set(error, WK_E_MALFORMED, 0, "expected HOST, "
		    "ADDRESS/LENGTH or *, then :PROTOCOL if any");
	if (rest.at == NULL)
		return WK_OK;
	target->port = rest;
	if (!wk_str_is(rest, "*") && !is_number(rest, 0, 255))
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "expected an IP protocol number, 0 to 255");
	return WK_OK;
}

int
wk_masque_target_parse(struct wk_str text, struct wk_str protocol,
    struct wk_masque_target *target, struct wk_error *error)
{
	const struct token *token = token_find(protocol);
	struct wk_http1_authority authority;
	size_t i;

	if (text.len > 0 && token != NULL && token->port != NULL &&
	    strcmp(token->port, "ipproto") == 0)
		return parse_ip_scope(text, target, error);
	if (wk_str_is(text, "*:*")) {
		target->host = target->port = wk_str_of("*");
		return WK_OK;
	}
	if (wk_http1_authority_parse(text, &authority, error) != WK_OK ||
	    authority.host.len == 0 || authority.port < 1 ||
	    wk_str_is(authority.host, "*") ||
	    find_char(authority.host, '%') != NULL ||
	    (authority.is_ipv6 && !is_address(authority.host, true)))
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "expected HOST:PORT, [ADDRESS]:PORT or *:*");
	target->host = authority.host;
	for (i = text.len; text.at[i - 1] != ':'; i--)
		;
	target->port.at = text.at + i;
	target->port.len = text.len - i;
	return WK_OK;
}

/* scheme://authority of a URL, before its path. */
static struct wk_str
origin_of(struct wk_str url)
{
	size_t i, slashes = 0;

	for (i = 0; i < url.len; i++)
		if ((url.at[i] == '/' && ++slashes == 3) ||
		    (slashes == 2 && (url.at[i] == '?' || url.at[i] == '#')))
			break;
	return (struct wk_str){ url.at, i };
}

/* An IP protocol that was not given need not have a place. */
static bool
may_lack(const char *name, const struct wk_masque_target *target)
{
	return strcmp(name, "ipproto") == 0 && wk_str_is(target->port, "*");
}

static int
fill(struct wk_buf *b, struct wk_str template_text, const struct token *token,
    const struct wk_masque_target *target, struct wk_error *error)
{
	const char *names[] = { "target_host", "target_port" };
	struct wk_uritemplate_var vars[2];
	struct wk_uritemplate t;
	size_t i;
	int rc;

	if (token != NULL && token->host != NULL) {
		names[0] = token->host;
		names[1] = token->port;
	}
	if ((rc = wk_uritemplate_parse(&t, template_text, error)) != WK_OK ||
	    (rc = wk_uritemplate_check_proxy(&t, NULL, 0, error)) != WK_OK)
		return rc;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		vars[i] = (struct wk_uritemplate_var){ .name = names[i] };
		if (target != NULL) {
			vars[i].value = i == 0 ? target->host : target->port;
			vars[i].is_defined = true;
		} else if (wk_uritemplate_has(&t, names[i])) {
			return wk_error_set(error, WK_E_INVALID, 0,
			    "the template has {%s}, but there is no target",
			    names[i]);
		}
		if (target != NULL && !wk_uritemplate_has(&t, names[i]) &&
		    !may_lack(names[i], target))
			return wk_error_set(error, WK_E_INVALID, 0,
			    "the template lacks {%s}", names[i]);
	}
	rc = wk_uritemplate_expand(&t, vars, ARRAY_LEN(vars), b);
	return rc == WK_OK ? WK_OK : wk_error_set(error, (enum wk_status)rc, 0,
	    "the template is too long");
}

int
wk_masque_url(struct wk_url *out, struct wk_str url, const char *template_text,
    struct wk_str protocol, const struct wk_masque_target *target,
    struct wk_error *error)
{
	const struct token *token = token_find(protocol);
	bool has_variables = memchr(url.at, '{', url.len) != NULL;
	struct wk_str origin = origin_of(url);
	const char *path = template_text;
	struct wk_buf text, expanded;
	int rc;

	if (path == NULL && !has_variables && target == NULL)
		return wk_url_parse(out, url, error);
	if (path == NULL && !has_variables) {
		if (token == NULL || token->host == NULL)
			return wk_error_set(error, WK_E_UNSUPPORTED, 0,
			    "%.*s has no well-known template for a target",
			    (int)protocol.len, protocol.at);
		path = token->path;
	}
	wk_buf_init(&text, URL_MAX);
	wk_buf_init(&expanded, URL_MAX);
	if (path == NULL)
		wk_buf_append(&text, url.at, url.len);
	else if (path[0] == '/')
		wk_buf_append(&text, origin.at, origin.len);
	if (path != NULL)
		wk_buf_append(&text, path, strlen(path));
	rc = text.status;
	if (rc == WK_OK)
		rc = fill(&expanded, (struct wk_str){ (const char *)text.data,
		    text.len }, token, target, error);
	else
		wk_error_set(error, (enum wk_status)rc, 0, "the template is too long");
	if (rc == WK_OK)
		rc = wk_url_parse(out, (struct wk_str){
		    (const char *)expanded.data, expanded.len }, error);
	wk_buf_free(&text);
	wk_buf_free(&expanded);
	return rc;
}
