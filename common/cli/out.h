/* SPDX-License-Identifier: MIT */
/*
 * The result stream: stdout, or the file of --output. Buffered here and not by
 * stdio, because stdio forgets both data and reason of a failed flush. The
 * first failure sticks: nothing is written after it, and wk_out_finish() turns
 * it into the message and the exit code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Write to this file instead; "-" is stdout. Returns WK_OK or WK_E_SYSTEM. */
int wk_out_open(const char *path);

void wk_out_write(const void *data, size_t len);

/* The same, but the octets must stay until the next flush: no copy if long. */
void wk_out_borrow(const void *data, size_t len);

/* Two lower-case hexadecimal digits per octet. */
void wk_out_hex(const void *data, size_t len);
void wk_out_text(const char *text);
void wk_out_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Hand everything to the system. WK_OK, or WK_E_SYSTEM once writing failed
 * (also when the reader went away): stop then, there is nobody to work for.
 */
int wk_out_flush(void);

bool wk_out_has_failed(void);

/* Where it goes, to poll for a reader that leaves. */
int wk_out_fd(void);

/*
 * From now on hand everything to sink instead of the descriptor: for tools that
 * write in an event loop and must not wait here. It takes all of it and returns
 * 0, or an errno that counts as the failure. NULL: to the descriptor again.
 */
void wk_out_divert(int (*sink)(void *arg, const void *data, size_t len),
    void *arg);

/* A sink found out later that what it took was not written. */
void wk_out_fail(int error_number);

/* Forget failure, buffered octets and sink, for tests and after a fork. */
void wk_out_reset(int fd);

/*
 * Last call of main: flush and close. Returns rc, or WK_EXIT_SYSTEM with a
 * message when the result could not be written. A reader that left (EPIPE)
 * ends quietly with rc.
 */
int wk_out_finish(int rc);
