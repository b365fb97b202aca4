/* SPDX-License-Identifier: MIT */
/*
 * How a capsule is shown: one line of text or one JSON object, from what is
 * here of its value, or the value in hexadecimal as it comes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/capsule-cat/value.h"
#include "common/wire/capsule_types.h"

struct show {
	const char *file;	/* to name in each record, or NULL */
	enum wk_capsule_reading reading;
	size_t max_octets;	/* of a field, in text */
};

/* One record; the value may be cut. WK_OK, or WK_E_NOMEM. */
int show_text(const struct show *s, const struct value *v);
int show_json(const struct show *s, const struct value *v);

/*
 * The same in pieces, of any length: begin, the pieces, end. v has no data;
 * is_whole: the value did not end early.
 */
void show_text_begin(const struct show *s, const struct value *v);
void show_text_piece(const uint8_t *data, size_t len);
void show_text_end(bool is_whole);
void show_json_begin(const struct show *s, const struct value *v);
void show_json_piece(const uint8_t *data, size_t len);
void show_json_end(bool is_whole);

/* Which drafts read a WT_STREAM as the given one does, or NULL for others. */
const char *show_reading(const struct show *s, const struct value *v);
