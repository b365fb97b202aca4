/* SPDX-License-Identifier: MIT */
/* Request targets and authorities: RFC 9112 section 3.2, RFC 3986. */
#include "config.h"

#include "common/wire/http1.h"

#include "common/base/text.h"
#include "common/wire/chars.h"

static int
malformed(struct wk_error *error, size_t at, const char *reason)
{
	return wk_error_set(error, WK_E_MALFORMED, at, "%s", reason);
}

static struct wk_str
part(struct wk_str s, size_t from, size_t to)
{
	/* An empty text may be nowhere. */
	struct wk_str p = { from == 0 ? s.at : s.at + from, to - from };

	return p;
}

/*
 * How far from i on there are characters of those classes, of extra, and
 * percent-encoded octets.
 */
static size_t
span(struct wk_str s, size_t i, unsigned classes, const char *extra)
{
	while (i < s.len) {
		if (wk_char_is(s.at[i], classes) ||
		    (s.at[i] != '\0' && strchr(extra, s.at[i]) != NULL))
			i++;
		else if (s.at[i] == '%' && s.len - i >= 3 &&
		    wk_hex_digit(s.at[i + 1]) >= 0 &&
		    wk_hex_digit(s.at[i + 2]) >= 0)
			i += 3;
		else
			break;
	}
	return i;
}

static int
parse_port(struct wk_str s, size_t i, int *port, struct wk_error *error)
{
	size_t from = i;
	int value = 0;

	for (; i < s.len && wk_char_is(s.at[i], WK_CHAR_DIGIT); i++) {
		value = value * 10 + (s.at[i] - '0');
		if (value > 65535)
			return malformed(error, from, "a port beyond 65535");
	}
	if (i < s.len)
		return malformed(error, i, "not a character for a port");
	*port = i == from ? -1 : value;
	return WK_OK;
}

int
wk_http1_authority_parse(struct wk_str s, struct wk_http1_authority *authority,
    struct wk_error *error)
{
	size_t i, from;

	memset(authority, 0, sizeof(*authority));
	authority->port = -1;
	authority->is_ipv6 = s.len > 0 && s.at[0] == '[';
	from = authority->is_ipv6 ? 1 : 0;
	if (authority->is_ipv6) {
		for (i = 1; i < s.len && (wk_hex_digit(s.at[i]) >= 0 ||
		    s.at[i] == ':' || s.at[i] == '.'); i++)
			;
		if (i == s.len)
			return malformed(error, i, "expected a bracket behind "
			    "the IPv6 address");
		if (s.at[i] != ']' || i == 1)
			return malformed(error, i,
			    "not a character for an IPv6 address");
		authority->host = part(s, from, i++);
	} else {
		i = span(s, 0, WK_CHAR_UNRESERVED | WK_CHAR_SUB_DELIM, "");
		authority->host = part(s, 0, i);
	}
	if (i == s.len)
		return WK_OK;
	if (memchr(s.at + i, '@', s.len - i) != NULL)
		return malformed(error, i, "user information is not accepted");
	if (s.at[i] != ':')
		return malformed(error, i, "not a character for a host");
	return parse_port(s, i + 1, &authority->port, error);
}

/* path-absolute and query from i on, to the end. */
static int
parse_path(struct wk_str s, size_t i, struct wk_http1_target *out,
    struct wk_error *error)
{
	size_t from = i;

	i = span(s, i, WK_CHAR_UNRESERVED | WK_CHAR_SUB_DELIM, ":@/");
	if (i < s.len && s.at[i] == '?')
		i = span(s, i, WK_CHAR_UNRESERVED | WK_CHAR_SUB_DELIM, ":@/?");
	if (i < s.len)
		return malformed(error, i, s.at[i] == '#' ?
		    "a fragment is not sent" :
		    "not a character for a path or query");
	out->path = part(s, from, i);
	return WK_OK;
}

/* The authority from i to end, whose host may not be empty. */
static int
parse_authority(struct wk_str s, size_t i, size_t end,
    struct wk_http1_target *out, struct wk_error *error)
{
	struct wk_error inner;

	out->authority_text = part(s, i, end);
	if (wk_http1_authority_parse(out->authority_text, &out->authority,
	    &inner) != WK_OK)
		return malformed(error, i + (size_t)inner.offset,
		    inner.reason);
	if (out->authority.host.len == 0)
		return malformed(error, i, "expected a host");
	return WK_OK;
}

static int
parse_absolute(struct wk_str s, struct wk_http1_target *out,
    struct wk_error *error)
{
	size_t i = 0, end;
	int rc;

	if (s.len > 0 && wk_char_is(s.at[0], WK_CHAR_ALPHA))
		while (i < s.len && (wk_char_is(s.at[i],
		    WK_CHAR_ALPHA | WK_CHAR_DIGIT) ||
		    memchr("+-.", s.at[i], 3) != NULL))
			i++;
	if (i == 0)
		return malformed(error, 0, "expected a path or a URI");
	if (s.len - i < 3 || memcmp(s.at + i, "://", 3) != 0)
		return malformed(error, i, "expected :// behind the scheme");
	out->scheme = part(s, 0, i);
	i += 3;
	for (end = i; end < s.len && s.at[end] != '/' && s.at[end] != '?' &&
	    s.at[end] != '#'; end++)
		;
	rc = parse_authority(s, i, end, out, error);
	return rc == WK_OK ? parse_path(s, end, out, error) : rc;
}

int
wk_http1_target_parse(struct wk_str method, struct wk_str target,
    struct wk_http1_target *out, struct wk_error *error)
{
	int rc;

	memset(out, 0, sizeof(*out));
	if (wk_str_is(method, "CONNECT")) {
		out->form = WK_HTTP1_AUTHORITY;
		rc = parse_authority(target, 0, target.len, out, error);
		if (rc == WK_OK && out->authority.port <= 0)
			return malformed(error, target.len,
			    "CONNECT needs a port");
		return rc;
	}
	if (wk_str_is(target, "*")) {
		out->form = WK_HTTP1_ASTERISK;
		return wk_str_is(method, "OPTIONS") ? WK_OK : malformed(error,
		    0, "only OPTIONS has * as its target");
	}
	if (target.len > 0 && target.at[0] == '/') {
		out->form = WK_HTTP1_ORIGIN;
		return parse_path(target, 0, out, error);
	}
	out->form = WK_HTTP1_ABSOLUTE;
	return parse_absolute(target, out, error);
}
