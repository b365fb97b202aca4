/* SPDX-License-Identifier: MIT */
/*
 * NDJSON on the result stream, written as it goes: no tree, no allocation, so
 * that a record costs little and a long value could be streamed. The rules of
 * the house are kept here: "event" comes first, names are snake_case with
 * units, times are RFC 3339 UTC, integers above 2^53-1 get a *_str twin.
 * Inside arrays give NULL as name. Order of calls is the order of the fields.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

void wk_json_begin(const char *event);
void wk_json_end(void);

void wk_json_object(const char *name);
void wk_json_object_end(void);
void wk_json_array(const char *name);
void wk_json_array_end(void);

/*
 * What a terminal would act upon is written as \uNNNN. Octets that are not
 * UTF-8 become U+FFFD; wk_json_hex() keeps them exact.
 */
void wk_json_str(const char *name, const char *text);
void wk_json_strn(const char *name, const void *text, size_t len);
void wk_json_uint(const char *name, uint64_t v);
void wk_json_int(const char *name, int64_t v);
void wk_json_double(const char *name, double v);
void wk_json_bool(const char *name, bool v);
void wk_json_null(const char *name);
void wk_json_hex(const char *name, const void *data, size_t len);

/* The same in pieces, with nothing but pieces between begin and end. */
void wk_json_hex_begin(const char *name);
void wk_json_hex_more(const void *data, size_t len);
void wk_json_hex_end(void);

/* Wall clock in ns since 1970, as "2026-03-01T12:00:00.123456Z". */
void wk_json_time(const char *name, uint64_t wall_ns);

#define WK_TIME_TEXT 40
/* The same text on its own; digits of the second's fraction: 0, 3, 6 or 9. */
const char *wk_time_text(uint64_t wall_ns, int digits, char out[WK_TIME_TEXT]);
