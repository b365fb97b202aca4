/* SPDX-License-Identifier: MIT */
/*
 * Template, two values and a path, one a line. Expansions are visible ASCII;
 * where matching is possible it undoes the expansion; what a path matched is
 * inside it and decodes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/chars.h"
#include "common/wire/uritemplate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static struct wk_str
next_line(const char **at, const char *end)
{
	const char *eol = memchr(*at, '\n', (size_t)(end - *at));
	struct wk_str line;

	line.at = *at;
	line.len = (size_t)((eol == NULL ? end : eol) - *at);
	*at = eol == NULL ? end : eol + 1;
	return line;
}

/* Whether the template has these two variables and no others. */
static bool
has_only(const struct wk_uritemplate *t, const struct wk_uritemplate_var *vars)
{
	size_t i;

	for (i = 0; i < t->n_parts; i++)
		if (t->parts[i].op != 0 &&
		    !wk_str_is(t->parts[i].text, vars[0].name) &&
		    !wk_str_is(t->parts[i].text, vars[1].name))
			return false;
	return true;
}

static void
require_value(const struct wk_uritemplate_var *found, struct wk_str want)
{
	struct wk_buf b;

	if (!found->is_defined)
		return;
	wk_buf_init(&b, found->value.len);
	require(wk_uritemplate_decode(found->value, &b, NULL) == WK_OK);
	require(b.len == want.len &&
	    (b.len == 0 || memcmp(b.data, want.at, b.len) == 0));
	wk_buf_free(&b);
}

static void
go_there_and_back(const struct wk_uritemplate *t,
    struct wk_uritemplate_var vars[2])
{
	struct wk_str values[2] = { vars[0].value, vars[1].value }, path;
	struct wk_buf b;
	size_t i, start;

	start = t->scheme.len == 0 ? 0 : t->scheme.len + 3 + t->authority.len;
	vars[0].is_defined = vars[1].is_defined = true;
	wk_buf_init(&b, 1 << 20);
	require(wk_uritemplate_expand(t, vars, 2, &b) == WK_OK ||
	    b.status == WK_E_LIMIT);
	for (i = 0; i < b.len; i++)
		require(wk_char_is((char)b.data[i], WK_CHAR_VISIBLE));
	if (b.status == WK_OK && has_only(t, vars) &&
	    wk_uritemplate_check_match(t, NULL) == WK_OK) {
		path.at = (const char *)b.data + start;
		path.len = b.len - start;
		require(wk_uritemplate_match(t, path, vars, 2, NULL) == WK_OK);
		require_value(&vars[0], values[0]);
		require_value(&vars[1], values[1]);
	}
	wk_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a", "b" };
	struct wk_uritemplate_var vars[2] = {
		{ "a", { NULL, 0 }, true }, { "b", { NULL, 0 }, true },
	};
	const char *at = (const char *)data, *end = at + size;
	struct wk_str text, path;
	struct wk_uritemplate t;
	struct wk_error e;
	struct wk_buf b;
	size_t i;

	if (size == 0)
		return 0;
	text = next_line(&at, end);
	vars[0].value = next_line(&at, end);
	vars[1].value = next_line(&at, end);
	path = next_line(&at, end);
	if (wk_uritemplate_parse(&t, text, &e) != WK_OK) {
		require(e.offset <= text.len);
		return 0;
	}
	if (wk_uritemplate_check_proxy(&t, names, 2, &e) != WK_OK)
		require(e.offset <= text.len);
	go_there_and_back(&t, vars);
	if (wk_uritemplate_match(&t, path, vars, 2, &e) != WK_OK) {
		require(e.offset <= (e.status == WK_E_MALFORMED ? path.len :
		    text.len));
		return 0;
	}
	for (i = 0; i < 2; i++) {
		if (!vars[i].is_defined)
			continue;
		require(vars[i].value.at >= path.at && vars[i].value.len <=
		    (size_t)(path.at + path.len - vars[i].value.at));
		wk_buf_init(&b, path.len);
		require(wk_uritemplate_decode(vars[i].value, &b, NULL) ==
		    WK_OK);
		wk_buf_free(&b);
	}
	return 0;
}
