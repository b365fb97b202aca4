/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base/error.h"

#include <stdio.h>

int
wk_error_set(struct wk_error *error, enum wk_status status, uint64_t offset,
    const char *format, ...)
{
	va_list ap;

	if (error != NULL) {
		error->status = status;
		error->offset = offset;
		va_start(ap, format);
		vsnprintf(error->reason, sizeof(error->reason), format, ap);
		va_end(ap);
	}
	return status;
}

const char *
wk_status_text(int status)
{
	static const char *const texts[] = {
		"no error",
		"system error",
		"out of memory",
		"limit reached",
		"input ends too early",
		"malformed input",
		"not supported",
		"invalid argument",
		"not trusted",
		"refused by the peer",
	};
	size_t n = sizeof(texts) / sizeof(texts[0]);

	if (status > 0 || (size_t)-status >= n)
		return "unknown error";
	return texts[-status];
}
