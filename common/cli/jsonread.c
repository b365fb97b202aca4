/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/jsonread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/cli/options.h"

#define NAME_MAX_OCTETS 64

int
wk_jsonread_object(const void *line, size_t len, json_t **object,
    struct wk_error *error)
{
	json_error_t why;
	char *near;

	*object = json_loadb(line, len, JSON_REJECT_DUPLICATES |
	    JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
	if (*object == NULL) {
		/* What it quotes from the line is not fit to be shown. */
		near = strstr(why.text, " near ");
		if (near != NULL)
			*near = '\0';
		return wk_error_set(error, WK_E_MALFORMED,
		    why.position < 0 ? 0 : (uint64_t)why.position,
		    "not JSON: %s", why.text);
	}
	if (json_is_object(*object))
		return WK_OK;
	json_decref(*object);
	*object = NULL;
	return wk_error_set(error, WK_E_MALFORMED, 0, "not a JSON object");
}

/* The member whose name has something behind it. */
static const json_t *
variant(const json_t *object, const char *name, const char *suffix,
    char full[NAME_MAX_OCTETS])
{
	snprintf(full, NAME_MAX_OCTETS, "%s%s", name, suffix);
	return json_object_get(object, full);
}

int
wk_jsonread_uint(const json_t *object, const char *name, uint64_t max,
    uint64_t *v, bool *has, struct wk_error *error)
{
	char full[NAME_MAX_OCTETS];
	const json_t *twin = variant(object, name, "_str", full);
	const json_t *number = json_object_get(object, name);
	struct wk_error why;

	*has = twin != NULL || number != NULL;
	if (!*has)
		return WK_OK;
	if (twin != NULL) {
		if (json_is_string(twin) && wk_uint_parse(
		    json_string_value(twin), 0, max, v, &why) == WK_OK)
			return WK_OK;
		number = NULL;
	}
	if (json_is_integer(number) && json_integer_value(number) >= 0) {
		*v = (uint64_t)json_integer_value(number);
		if (*v <= max)
			return WK_OK;
	}
	return wk_error_set(error, WK_E_MALFORMED, 0,
	    "%s: expected a whole number from 0 to %" PRIu64,
	    twin != NULL ? full : name, max);
}

int
wk_jsonread_octets(const json_t *object, const char *name, struct wk_buf *b,
    bool *has, struct wk_error *error)
{
	static const struct {
		const char *suffix;
		int (*parse)(struct wk_buf *b, const char *text, size_t len,
		    struct wk_error *error);
	} forms[] = {
		{ "_hex", wk_hex_parse }, { "_b64", wk_base64_parse },
		{ "", NULL },
	};
	char full[NAME_MAX_OCTETS];
	const json_t *text = NULL;
	struct wk_error why = { .reason = "" };
	size_t i;
	int rc;

	for (i = 0; text == NULL && i < sizeof(forms) / sizeof(forms[0]); i++)
		text = variant(object, name, forms[i].suffix, full);
	*has = text != NULL;
	if (!*has)
		return WK_OK;
	if (!json_is_string(text))
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "%s: expected a text", full);
	rc = forms[i - 1].parse == NULL ? wk_buf_append(b,
	    json_string_value(text), json_string_length(text)) :
	    forms[i - 1].parse(b, json_string_value(text),
	    json_string_length(text), &why);
	if (rc == WK_E_LIMIT)
		return wk_error_set(error, rc, 0,
		    "%s: more than the %zu octets allowed", full, b->max);
	if (rc != WK_OK)
		return wk_error_set(error, (enum wk_status)rc, why.offset,
		    "%s: %s", full, *why.reason != '\0' ? why.reason :
		    wk_status_text(rc));
	return WK_OK;
}

bool
wk_jsonread_is_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

bool
wk_jsonread_is(const json_t *object, const char *name, const char *text)
{
	const json_t *member = json_object_get(object, name);

	return json_is_string(member) &&
	    strcmp(json_string_value(member), text) == 0;
}
