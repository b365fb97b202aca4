/* SPDX-License-Identifier: MIT */
/*
 * Protocol, proxy, template and target, a line each: what is accepted is a URL
 * that can be sent, with the target in it and nothing that was not asked for.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/chars.h"
#include "common/wire/masque.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static struct wk_str
next_line(const char **at, const char *end)
{
	const char *newline = *at == end ? NULL :
	    memchr(*at, '\n', (size_t)(end - *at));
	struct wk_str line = { *at,
	    (size_t)((newline != NULL ? newline : end) - *at) };

	*at = newline != NULL ? newline + 1 : end;
	return line;
}

static void
check_target(struct wk_str text, const struct wk_masque_target *target)
{
	bool is_given = target->host.at >= text.at &&
	    target->host.at + target->host.len <= text.at + text.len;

	require(target->host.len > 0 && target->port.len > 0);
	require(is_given || wk_str_is(target->host, "*"));
}

static void
check_url(const struct wk_url *url)
{
	size_t i;

	require(url->path.len > 0 && url->path.at[0] == '/');
	require(url->host.len > 0 && url->port > 0);
	for (i = 0; i < url->path.len; i++)
		require(wk_char_is(url->path.at[i], WK_CHAR_VISIBLE) &&
		    url->path.at[i] != '{' && url->path.at[i] != '#');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct wk_str protocol, proxy, line, text;
	struct wk_masque_target target;
	bool has_target = false;
	struct wk_error error;
	char *template_text;
	struct wk_url url;

	if (size == 0)
		return 0;
	protocol = next_line(&at, end);
	proxy = next_line(&at, end);
	line = next_line(&at, end);
	text = next_line(&at, end);
	if (proxy.len == 0)
		return 0;
	memset(&error, 0, sizeof(error));
	if (text.len > 0) {
		has_target = wk_masque_target_parse(text, protocol, &target,
		    &error) == WK_OK;
		if (has_target)
			check_target(text, &target);
		else
			require(error.reason[0] != '\0');
	}
	template_text = line.len > 0 ? strndup(line.at, line.len) : NULL;
	memset(&error, 0, sizeof(error));
	if (wk_masque_url(&url, proxy, template_text, protocol,
	    has_target ? &target : NULL, &error) == WK_OK) {
		check_url(&url);
		wk_url_free(&url);
	} else {
		require(error.reason[0] != '\0');
	}
	free(template_text);
	return 0;
}
