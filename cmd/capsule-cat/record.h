/* SPDX-License-Identifier: MIT */
/* One line of NDJSON that asks for a capsule: what show_json() wrote, or less. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/cli/framing.h"
#include "common/wire/capsule.h"
#include "common/wire/capsule_types.h"

enum record_kind {
	RECORD_NOTHING,		/* an object about something else */
	RECORD_CAPSULE,		/* cap and value */
	RECORD_DATAGRAM,	/* the type of cap, and datagram */
};

struct record {
	enum record_kind kind;
	struct wk_capsule cap;
	struct wk_buf value;		/* owned */
	struct wk_framing_datagram datagram;	/* its data is value's */
};

/* Values may have max octets. */
void record_init(struct record *r, size_t max);
void record_free(struct record *r);

/* The longest line that such a value may need. */
size_t record_line_max(size_t max);

/*
 * type is taken where the object names none. WK_OK, or an error with its
 * reason; the offset is not set.
 */
int record_parse(struct record *r, const uint8_t *line, size_t len,
    enum wk_capsule_reading reading, uint64_t type, struct wk_error *error);
