/* SPDX-License-Identifier: MIT */
/*
 * Records read from NDJSON: one object per line, with the members that our own
 * writers use (see json.h): numbers with a *_str twin, octets in *_hex or
 * *_b64. Whatever is malformed is told by a reason and its offset in the line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/*
 * The object that a line of text is, for json_decref(). WK_E_MALFORMED when it
 * is none, when a member comes twice, or a number has more than 63 bits.
 */
int wk_jsonread_object(const void *line, size_t len, json_t **object,
    struct wk_error *error);

/*
 * A whole number up to max; *has says whether it is there at all. The twin in
 * decimal is believed rather than the number, which others may have rounded.
 */
int wk_jsonread_uint(const json_t *object, const char *name, uint64_t max,
    uint64_t *v, bool *has, struct wk_error *error);

/*
 * Append octets given as name_hex, name_b64 or, as text, name; the first of
 * these that is there counts, *has says whether there is one.
 */
int wk_jsonread_octets(const json_t *object, const char *name,
    struct wk_buf *b, bool *has, struct wk_error *error);

/* Is the member there, and true? */
bool wk_jsonread_is_true(const json_t *object, const char *name);

/* Is the text member there, and equal? */
bool wk_jsonread_is(const json_t *object, const char *name, const char *text);
