/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/masque.h"

#include "common/base/buf.h"
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

static int
parse_ip_scope(struct wk_str text, struct wk_masque_target *target,
    struct wk_error *error)
{
	const char *close = memchr(text.at, ']', text.len), *colon;

	target->port = wk_str_of("*");
	target->host = text;
	if (close != NULL && text.at[0] == '[') {
		target->host.at = text.at + 1;
		target->host.len = (size_t)(close - text.at) - 1;
		colon = close + 1 < text.at + text.len ? close + 1 : NULL;
	} else {
		colon = memchr(text.at, ':', text.len);
		/* Two of them: an IPv6 address or prefix without a protocol. */
		if (colon != NULL && memchr(colon + 1, ':',
		    text.len - (size_t)(colon - text.at) - 1) != NULL)
			colon = NULL;
		if (colon != NULL)
			target->host.len = (size_t)(colon - text.at);
	}
	if (colon != NULL) {
		target->port.at = colon + 1;
		target->port.len = text.len - (size_t)(colon - text.at) - 1;
		if (*colon != ':' || (!wk_str_is(target->port, "*") &&
		    !is_number(target->port, 0, 255)))
			return wk_error_set(error, WK_E_MALFORMED, 0,
			    "expected an IP protocol number, 0 to 255");
	}
	if (target->host.len == 0)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "expected HOST, ADDRESS/LENGTH or *, then :PROTOCOL if any");
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
	    authority.host.len == 0 || authority.port < 1)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "expected HOST:PORT or [ADDRESS]:PORT");
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
		if (target != NULL && !wk_uritemplate_has(&t, names[i]))
			return wk_error_set(error, WK_E_INVALID, 0,
			    "the template lacks {%s}", names[i]);
	}
	return wk_uritemplate_expand(&t, vars, ARRAY_LEN(vars), b);
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
		wk_error_set(error, rc, 0, "the template is too long");
	if (rc == WK_OK)
		rc = wk_url_parse(out, (struct wk_str){
		    (const char *)expanded.data, expanded.len }, error);
	wk_buf_free(&text);
	wk_buf_free(&expanded);
	return rc;
}
