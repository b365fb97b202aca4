/* SPDX-License-Identifier: MIT */
/*
 * Text that came from a wire or a file, made one word of printable ASCII: what
 * would end the word, or a line, becomes %XX as in memcached's own log lines.
 */
#pragma once

#include <stddef.h>

#include "common/base/buf.h"

int escape_word(struct wk_buf *b, const char *text, size_t len);
