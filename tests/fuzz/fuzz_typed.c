/* SPDX-License-Identifier: MIT */
/*
 * A typed line: refused with a column inside of it and nothing appended, or
 * exactly one whole capsule.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/capsule-cat/typed.h"
#include "common/wire/capsule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
check_capsule(const struct wk_buf *b)
{
	const uint8_t *in = b->data;
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	size_t len = b->len, n = 0;
	int event;

	wk_capsule_reader_init(&r, TYPED_VALUE_MAX);
	while ((event = wk_capsule_read(&r, &in, &len, &cap)) > 0)
		n += event == WK_CAPSULE_END;
	require(event == WK_CAPSULE_MORE && n == 1);
	require(wk_capsule_reader_finish(&r) == WK_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wk_str line = { (const char *)data + 1, size - 1 };
	struct wk_error error = { .offset = 0 };
	struct wk_buf b;

	if (size == 0)
		return 0;
	wk_buf_init(&b, SIZE_MAX);
	if (typed_capsule(line, data[0] % 2 == 0 ? WK_CAPSULE_FIN_3B :
	    WK_CAPSULE_FIN_3C, &b, &error) == WK_OK)
		check_capsule(&b);
	else
		require(b.len == 0 && b.status == WK_OK &&
		    error.offset <= line.len && error.reason[0] != '\0');
	wk_buf_clear(&b);
	if (typed_value(line, &b, &error) != WK_OK)
		require(b.len == 0 && error.offset <= line.len);
	wk_buf_free(&b);
	return 0;
}
