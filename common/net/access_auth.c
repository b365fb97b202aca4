/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/access.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum scheme { BASIC, BEARER };

struct secret {
	enum scheme scheme;
	char *text;		/* USER:PASSWORD or TOKEN */
	size_t len;
};

struct wk_access_auth {
	struct secret *secrets;
	size_t n;
};

static const char *const scheme_names[] = { "basic", "bearer" };

void
wk_access_auth_del(struct wk_access_auth *auth)
{
	size_t i;

	if (auth == NULL)
		return;
	for (i = 0; i < auth->n; i++) {
		explicit_bzero(auth->secrets[i].text, auth->secrets[i].len);
		free(auth->secrets[i].text);
	}
	free(auth->secrets);
	free(auth);
}

/* "basic" or "bearer" and what follows the blanks; false: neither. */
static bool
split_scheme(struct wk_str line, enum scheme *scheme, struct wk_str *rest)
{
	struct wk_str word = line;
	size_t i, len;

	for (len = 0; len < line.len && line.at[len] != ' ' &&
	    line.at[len] != '\t';)
		len++;
	word.len = len;
	while (len < line.len && (line.at[len] == ' ' || line.at[len] == '\t'))
		len++;
	rest->at = line.at + len;
	rest->len = line.len - len;
	for (i = 0; i < ARRAY_LEN(scheme_names); i++)
		if (wk_str_is_nocase(word, scheme_names[i])) {
			*scheme = (enum scheme)i;
			return rest->len > 0;
		}
	return false;
}

static int
add_secret(struct wk_access_auth *auth, enum scheme scheme, struct wk_str text)
{
	struct secret *more = reallocarray(auth->secrets, auth->n + 1,
	    sizeof(*more));

	if (more == NULL)
		return WK_E_NOMEM;
	auth->secrets = more;
	more += auth->n;
	more->scheme = scheme;
	more->len = text.len;
	more->text = malloc(text.len);
	if (more->text == NULL)
		return WK_E_NOMEM;
	memcpy(more->text, text.at, text.len);
	auth->n++;
	return WK_OK;
}

static int
load_line(struct wk_access_auth *auth, struct wk_str line, unsigned number,
    struct wk_error *error)
{
	enum scheme scheme;
	struct wk_str text;

	while (line.len > 0 && isspace((unsigned char)line.at[line.len - 1]))
		line.len--;
	if (line.len == 0 || line.at[0] == '#')
		return WK_OK;
	if (!split_scheme(line, &scheme, &text))
		return wk_error_set(error, WK_E_MALFORMED, number,
		    "expected \"basic USER:PASSWORD\" or \"bearer TOKEN\"");
	if (scheme == BASIC && memchr(text.at, ':', text.len) == NULL)
		return wk_error_set(error, WK_E_MALFORMED, number,
		    "no colon between user and password");
	return add_secret(auth, scheme, text);
}

struct wk_access_auth *
wk_access_auth_load(const char *path, struct wk_error *error)
{
	struct wk_access_auth *auth = calloc(1, sizeof(*auth));
	FILE *fp = fopen(path, "re");
	unsigned number = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	int rc = WK_OK;

	if (fp == NULL || auth == NULL) {
		rc = wk_error_set(error, WK_E_SYSTEM, 0, "%s", strerror(errno));
		goto out;
	}
	while (rc == WK_OK && (len = getline(&line, &cap, fp)) >= 0)
		rc = load_line(auth, (struct wk_str){ line, (size_t)len },
		    ++number, error);
	if (rc == WK_E_NOMEM || (rc == WK_OK && ferror(fp)))
		rc = wk_error_set(error, WK_E_SYSTEM, 0, "%s",
		    strerror(rc == WK_OK ? errno : ENOMEM));
	else if (rc == WK_OK && auth->n == 0)
		rc = wk_error_set(error, WK_E_MALFORMED, 0,
		    "holds no credentials");
	if (line != NULL)
		explicit_bzero(line, cap);
	free(line);
out:
	if (fp != NULL)
		fclose(fp);
	if (rc != WK_OK) {
		wk_access_auth_del(auth);
		return NULL;
	}
	return auth;
}

/* Takes as long whatever the difference; only lengths can be told. */
static bool
is_secret(const struct secret *secret, struct wk_str text)
{
	unsigned char difference = 0;
	size_t i;

	if (secret->len != text.len)
		return false;
	for (i = 0; i < text.len; i++)
		difference |= (unsigned char)(secret->text[i] ^ text.at[i]);
	return difference == 0;
}

static bool
has_secret(const struct wk_access_auth *auth, enum scheme scheme,
    struct wk_str text)
{
	bool found = false;
	size_t i;

	for (i = 0; i < auth->n; i++)
		if (auth->secrets[i].scheme == scheme)
			found |= is_secret(&auth->secrets[i], text);
	return found;
}

static bool
check_value(const struct wk_access_auth *auth, struct wk_str value)
{
	enum scheme scheme;
	struct wk_str text;
	struct wk_buf plain;
	bool found;

	if (!split_scheme(value, &scheme, &text))
		return false;
	if (scheme == BEARER)
		return has_secret(auth, scheme, text);
	wk_buf_init(&plain, text.len);
	found = wk_base64_parse(&plain, text.at, text.len, NULL) == WK_OK &&
	    has_secret(auth, scheme, (struct wk_str){
		(const char *)plain.data, plain.len });
	if (plain.data != NULL)
		explicit_bzero(plain.data, plain.cap);
	wk_buf_free(&plain);
	return found;
}

bool
wk_access_auth_check(const struct wk_access_auth *auth,
    const struct wk_message *request, bool *used_proxy_field)
{
	static const char *const names[] = {
		"authorization", "proxy-authorization"
	};
	const struct wk_field *field;
	size_t i;

	*used_proxy_field = false;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		field = wk_message_find(request, names[i], NULL);
		if (field == NULL)
			continue;
		*used_proxy_field = i == 1;
		if (check_value(auth, field->value))
			return true;
	}
	return false;
}

uint16_t
wk_access_auth_challenge(const char *realm, bool used_proxy_field,
    char text[WK_ACCESS_CHALLENGE_MAX], struct wk_field *field)
{
	snprintf(text, WK_ACCESS_CHALLENGE_MAX,
	    "Basic realm=\"%s\", Bearer realm=\"%s\"", realm, realm);
	*field = wk_field_of(used_proxy_field ? "proxy-authenticate" :
	    "www-authenticate", text);
	return used_proxy_field ? 407 : 401;
}

int
wk_access_auth_value(const struct wk_access_auth *auth, struct wk_buf *b)
{
	const struct secret *first = &auth->secrets[0];

	wk_buf_printf(b, first->scheme == BASIC ? "Basic " : "Bearer ");
	if (first->scheme == BASIC)
		return wk_base64_append(b, first->text, first->len);
	return wk_buf_append(b, first->text, first->len);
}
