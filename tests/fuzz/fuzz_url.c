/* SPDX-License-Identifier: MIT */
/*
 * A URL of any octets. What is taken for one has parts that can stand in heads
 * and in calls of the system, and put together again gives itself.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/chars.h"
#include "common/wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static void
require_part(struct wk_str part, unsigned never)
{
	size_t i;

	require(part.len > 0 && strlen(part.at) == part.len);
	for (i = 0; i < part.len; i++)
		require(wk_char_is(part.at[i], WK_CHAR_VISIBLE) &&
		    !wk_char_is(part.at[i], never));
}

static void
put_together_again(const struct wk_url *url)
{
	size_t size = url->scheme.len + url->authority.len + url->path.len + 4;
	char *text = malloc(size);
	struct wk_url again;

	require(text != NULL);
	snprintf(text, size, "%s://%s%s", url->scheme.at, url->authority.at,
	    url->path.at);
	require(wk_url_parse(&again, wk_str_of(text), NULL) == WK_OK);
	require(wk_str_equals(again.scheme, url->scheme) &&
	    wk_str_equals(again.host, url->host) &&
	    wk_str_equals(again.authority, url->authority) &&
	    wk_str_equals(again.path, url->path) &&
	    again.port == url->port && again.is_tls == url->is_tls);
	wk_url_free(&again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wk_str text = { (const char *)data, size };
	struct wk_error error = { .status = WK_OK };
	struct wk_url url;
	int rc = wk_url_parse(&url, text, &error);

	if (rc != WK_OK) {
		require(error.status == rc && error.reason[0] != '\0' &&
		    error.offset <= size && url.text == NULL);
		return 0;
	}
	require(url.port != 0);
	require_part(url.scheme, WK_CHAR_UPPER);
	require_part(url.host, WK_CHAR_UPPER);
	require_part(url.authority, WK_CHAR_UPPER);
	require_part(url.path, 0);
	require(url.path.at[0] == '/' && strchr(url.path.at, '#') == NULL);
	put_together_again(&url);
	wk_url_free(&url);
	return 0;
}
