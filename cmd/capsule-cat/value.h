/* SPDX-License-Identifier: MIT */
/* A capsule and so much of its value as is here, ready to be shown. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/capsule.h"
#include "common/wire/capsule_types.h"
#include "common/wire/datagram.h"

struct value {
	const struct wk_capsule *cap;
	const struct wk_capsule_type *type;	/* NULL: unknown */
	const uint8_t *data;			/* borrowed */
	size_t len;				/* of cap->length octets */
	bool has_context;			/* datagram is filled */
	bool has_cut_context;			/* the value ends in its id */
	struct wk_datagram datagram;
};

/* Does the value of this type start with a context id? */
bool value_starts_with_context(uint64_t type);

/* splits_context: look for a context id in datagrams. */
void value_init(struct value *v, const struct wk_capsule *cap,
    const uint8_t *data, size_t len, bool splits_context);

/*
 * WK_OK, or WK_E_MALFORMED with the first thing in the value that its type does
 * not allow, error's offset counting in the value. What is not here is not
 * judged, and an unknown type allows everything.
 */
int value_check(const struct value *v, struct wk_error *error);
