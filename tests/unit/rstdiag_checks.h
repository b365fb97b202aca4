/* SPDX-License-Identifier: MIT */
/* What the tests of decoding and of encoding both ask of a payload. */
#pragma once

#include "tests/unit/unit.h"

#include "common/wire/rstdiag.h"

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* What holds for every outcome, whatever the payload. */
static inline void
check_consistency(const struct wk_rstdiag *d, int rc, const uint8_t *data,
    size_t captured)
{
	const uint8_t *text = d->description;
	size_t len = d->description_len, scratch = sizeof(d->scratch);

	assert_int_equal(rc, d->error.status);
	assert_int_equal(rc != WK_OK, d->error.reason[0] != '\0');
	assert_false(d->is_valid && (rc != WK_OK || d->is_truncated));
	assert_false(d->is_truncated && rc != WK_OK);
	assert_false(d->is_valid && !d->is_diagnostic);
	if (rc != WK_OK)
		assert_true(d->error.status < 0);
	if (text == NULL)
		assert_int_equal(len, 0);
	else if (text >= d->scratch && text <= d->scratch + scratch)
		assert_true(len <= scratch - (size_t)(text - d->scratch));
	else
		assert_true(text >= data && text <= data + captured &&
		    len <= captured - (size_t)(text - data));
}

static inline void
check_same_fields(const char *name, const struct wk_rstdiag *a,
    const struct wk_rstdiag *b)
{
	if (a->format != b->format || a->is_diagnostic != b->is_diagnostic ||
	    a->has_code != b->has_code || a->code != b->code ||
	    a->has_pen != b->has_pen || a->pen != b->pen ||
	    (a->description == NULL) != (b->description == NULL) ||
	    a->description_len != b->description_len ||
	    (a->description != NULL && memcmp(a->description, b->description,
	    a->description_len) != 0) ||
	    ((a->warnings ^ b->warnings) & WK_RSTDIAG_W_TEXT_KEYS) != 0)
		fail_msg("%s: encoded and decoded it is another", name);
}
