/* SPDX-License-Identifier: MIT */
/*
 * Lua patterns (reference manual, section 6.4.1) on the request path, without
 * Lua: what lib/simple's match_prefix may say. Everything but %b and %f; just
 * one capture; anchored at the beginning.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define PATTERN_ITEMS_MAX 32

struct pattern_item {
	uint32_t set[8];	/* one bit per octet that matches */
	char repeat;		/* 0, or one of * + - ? */
};

struct pattern {		/* fields are private */
	struct pattern_item items[PATTERN_ITEMS_MAX];
	size_t n, capture_from, capture_to;	/* item indices */
	bool is_anchored_at_end;
};

/* WK_OK, or WK_E_INVALID with the reason. */
int pattern_compile(struct pattern *p, const char *text, size_t len,
    struct wk_error *error);

/*
 * A text that matches with just this capture, perhaps; false when it does not
 * fit into size octets with its NUL.
 */
bool pattern_example(const struct pattern *p, const char *capture, size_t len,
    char *out, size_t size);

/* Match at the beginning of text: how much, and the capture inside it. */
bool pattern_match(const struct pattern *p, const char *text, size_t len,
    size_t *matched, const char **capture, size_t *capture_len);
