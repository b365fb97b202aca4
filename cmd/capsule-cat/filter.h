/* SPDX-License-Identifier: MIT */
/* --type: which capsules are wanted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/capsule_types.h"

#define FILTER_MAX 256

struct filter {			/* all zeros lets everything pass */
	struct filter_entry {
		uint64_t type;
		uint8_t kind;	/* private: a type, or a class of types */
		bool is_negated;
	} entries[FILTER_MAX];
	size_t n;
	bool has_wanted;	/* entries that are not negated */
};

/*
 * Add a list joined by commas: names or numbers of types, "grease", "unknown",
 * "legacy"; "!" in front of one negates it. WK_E_INVALID with the reason.
 */
int filter_add(struct filter *f, const char *list,
    enum wk_capsule_reading reading, struct wk_error *error);

/* Is it among the wanted, if any are named, and not among the negated? */
bool filter_passes(const struct filter *f, uint64_t type);
