/* SPDX-License-Identifier: MIT */
/*
 * Status codes and positioned errors. Library code returns WK_OK or a negative
 * enum wk_status; where a position in the input matters it also fills a struct
 * wk_error. Nothing here logs or exits: the tool turns an error into a message.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>

enum wk_status {
	WK_OK = 0,
	WK_E_SYSTEM = -1,	/* a system call failed; errno says why */
	WK_E_NOMEM = -2,	/* out of memory */
	WK_E_LIMIT = -3,	/* a stated bound was reached */
	WK_E_TRUNCATED = -4,	/* the input ends too early */
	WK_E_MALFORMED = -5,	/* the input breaks its format */
	WK_E_UNSUPPORTED = -6,	/* well-formed, but not something we do */
	WK_E_INVALID = -7,	/* an argument is out of its range */
	WK_E_UNTRUSTED = -8,	/* the peer is not proven to be the one meant */
	WK_E_REFUSED = -9,	/* the peer understood and said no */
};

#define WK_ERROR_REASON_MAX 192

struct wk_error {
	enum wk_status status;
	uint64_t offset;		/* octet, or line, where it went wrong */
	char reason[WK_ERROR_REASON_MAX]; /* lower case, no period */
};

/* Fill *error (may be NULL) and return status, so that callers can return it. */
int wk_error_set(struct wk_error *error, enum wk_status status,
    uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A fixed text for a status; WK_E_SYSTEM gives "system error", never errno. */
const char *wk_status_text(int status);
