/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/wire/http1.h"

#define DEFAULT_PORT 1080

static struct wk_str
cut(struct wk_str s, size_t from, size_t to)
{
	return (struct wk_str){ s.at + from, to - from };
}

/* --- NO_PROXY ------------------------------------------------------------- */

struct ip {
	int family;		/* 0: not an address */
	uint8_t octets[16];
	unsigned bits;		/* that it has */
};

static struct ip
ip_of(struct wk_str text)
{
	struct ip ip = { 0 };
	char s[INET6_ADDRSTRLEN];

	if (text.len >= 2 && text.at[0] == '[' && text.at[text.len - 1] == ']')
		text = cut(text, 1, text.len - 1);
	if (text.len == 0 || text.len >= sizeof(s))
		return ip;
	memcpy(s, text.at, text.len);
	s[text.len] = '\0';
	if (inet_pton(AF_INET, s, ip.octets) == 1) {
		ip.family = AF_INET;
		ip.bits = 32;
	} else if (inet_pton(AF_INET6, s, ip.octets) == 1) {
		ip.family = AF_INET6;
		ip.bits = 128;
	}
	return ip;
}

static bool
has_prefix(const struct ip *ip, const struct ip *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(ip->octets, prefix->octets, whole) != 0)
		return false;
	return rest == 0 || ((ip->octets[whole] ^ prefix->octets[whole]) &
	    (0xff00 >> rest & 0xff)) == 0;
}

/* ADDRESS or ADDRESS/BITS */
static bool
matches_ip(const struct ip *ip, struct wk_str item)
{
	const char *slash = memchr(item.at, '/', item.len);
	size_t i, address_len = slash == NULL ? item.len :
	    (size_t)(slash - item.at);
	struct ip prefix = ip_of(cut(item, 0, address_len));
	unsigned bits = 0;

	if (prefix.family != ip->family)
		return false;
	if (slash == NULL)
		return has_prefix(ip, &prefix, prefix.bits);
	for (i = address_len + 1; i < item.len; i++) {
		if (item.at[i] < '0' || item.at[i] > '9' || bits > 128)
			return false;
		bits = bits * 10 + (unsigned)(item.at[i] - '0');
	}
	return item.len > address_len + 1 && bits <= prefix.bits &&
	    has_prefix(ip, &prefix, bits);
}

static struct wk_str
without_dot(struct wk_str name)
{
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	return name;
}

/* The name itself, or a name under it. */
static bool
matches_name(struct wk_str host, struct wk_str item)
{
	if (item.len > 0 && item.at[0] == '.')
		item = cut(item, 1, item.len);
	item = without_dot(item);
	host = without_dot(host);
	if (item.len == 0 || item.len > host.len ||
	    (item.len < host.len && host.at[host.len - item.len - 1] != '.'))
		return false;
	return wk_str_equals_nocase(cut(host, host.len - item.len, host.len),
	    item);
}

static bool
is_excluded(const char *list, struct wk_str host)
{
	static const char between[] = ", \t";
	struct ip ip = ip_of(host);
	struct wk_str item;

	if (strcmp(list, "*") == 0)
		return true;
	for (;;) {
		list += strspn(list, between);
		if (*list == '\0')
			return false;
		item = (struct wk_str){ list, strcspn(list, between) };
		if (ip.family != 0 ? matches_ip(&ip, item) :
		    matches_name(host, item))
			return true;
		list += item.len;
	}
}

/* --- the URL of a proxy --------------------------------------------------- */

static const struct {
	const char *scheme;
	enum wk_proxy_kind kind;	/* NONE: known, but not done */
} kinds[] = {
	{ "http", WK_PROXY_HTTP },
	{ "socks5", WK_PROXY_SOCKS5 },
	{ "socks5h", WK_PROXY_SOCKS5H },
};

/* Decode %XX in place; false: broken, or a NUL, which no C string can have. */
static bool
decode(char *text)
{
	char *to = text;
	int high, low;

	for (; *text != '\0'; text++) {
		*to = *text;
		if (*text == '%') {
			high = wk_hex_digit(text[1]);
			low = high < 0 ? -1 : wk_hex_digit(text[2]);
			if (low < 0 || high + low == 0)
				return false;
			*to = (char)(high << 4 | low);
			text += 2;
		}
		to++;
	}
	*to = '\0';
	return true;
}

/* The parts of "[user[:password]@]host[:port]", whose NULs are put in text. */
static int
parse_parts(struct wk_proxy *proxy, char *text, struct wk_error *error)
{
	struct wk_http1_authority authority;
	char *at, *colon;

	text[strcspn(text, "/?#")] = '\0';
	at = strrchr(text, '@');
	if (at != NULL) {
		*at = '\0';
		proxy->user = text;
		proxy->password = "";
		colon = strchr(text, ':');
		if (colon != NULL) {
			*colon = '\0';
			proxy->password = colon + 1;
			if (!decode(colon + 1))
				return wk_error_set(error, WK_E_MALFORMED, 0,
				    "a broken %%XX in its password");
		}
		if (!decode(text))
			return wk_error_set(error, WK_E_MALFORMED, 0,
			    "a broken %%XX in its user name");
		text = at + 1;
	}
	if (wk_http1_authority_parse(wk_str_of(text), &authority, error) !=
	    WK_OK)
		return WK_E_MALFORMED;
	if (authority.host.len == 0)
		return wk_error_set(error, WK_E_MALFORMED, 0, "no host in it");
	if (authority.port == 0)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "port 0 cannot be connected to");
	proxy->port = authority.port < 0 ? DEFAULT_PORT :
	    (uint16_t)authority.port;
	/* The host ends at a bracket, a colon, or the end. */
	text += authority.host.at - text;
	text[authority.host.len] = '\0';
	proxy->host = text;
	return WK_OK;
}

static int
parse(struct wk_proxy *proxy, const char *value, struct wk_error *error)
{
	const char *colon = strstr(value, "://");
	struct wk_str scheme = wk_str_of("http");
	size_t i;

	if (colon != NULL) {
		scheme = (struct wk_str){ value, (size_t)(colon - value) };
		value = colon + 3;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (wk_str_is_nocase(scheme, kinds[i].scheme))
			proxy->kind = kinds[i].kind;
	if (proxy->kind == WK_PROXY_NONE)
		return wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "expected http, socks5 or socks5h as its scheme");
	proxy->text = strdup(value);
	if (proxy->text == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	return parse_parts(proxy, proxy->text, error);
}

/* --- the choice ----------------------------------------------------------- */

/* The first of the names that is set, and its value. */
static const char *
first_set(const char *const *names, char *(*get)(const char *name),
    const char **value)
{
	for (; *names != NULL; names++) {
		*value = get(*names);
		if (*value != NULL && **value != '\0')
			return *names;
	}
	return NULL;
}

int
wk_proxy_choose(struct wk_proxy *proxy, bool is_https, struct wk_str host,
    char *(*get)(const char *name), struct wk_error *error)
{
	static const char *const http[] = {
		"http_proxy", "all_proxy", "ALL_PROXY", NULL,
	};
	static const char *const https[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL,
	};
	static const char *const exclude[] = { "no_proxy", "NO_PROXY", NULL };
	const char *name, *value, *list;
	struct wk_error inner;
	int rc;

	memset(proxy, 0, sizeof(*proxy));
	name = first_set(is_https ? https : http, get, &value);
	if (name == NULL)
		return WK_OK;
	if (first_set(exclude, get, &list) != NULL && is_excluded(list, host))
		return WK_OK;
	rc = parse(proxy, value, &inner);
	/* The value may hold a password and is not repeated. */
	return rc == WK_OK ? WK_OK : wk_error_set(error, rc, 0, "%s: %s", name,
	    inner.reason);
}

void
wk_proxy_free(struct wk_proxy *proxy)
{
	free(proxy->text);
	memset(proxy, 0, sizeof(*proxy));
}
