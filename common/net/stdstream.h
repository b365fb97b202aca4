/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output in the loop. Pipes and terminals are opened a
 * second time so that not blocking stays our own business: their flags are
 * shared with every process that has them. Where that cannot be (a FIFO with a
 * name, a descriptor of another user) poll(2) is asked before each call, and
 * writes are small. Regular files, devices and sockets work too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/net/loop.h"

/* How one of them is read or written; private. */
struct wk_stdstream {
	int fd;
	bool is_open;		/* in the direction we need */
	bool is_own;		/* opened a second time, to be closed */
	bool is_socket;		/* not to block is asked call by call */
	bool is_shared;		/* blocks, and must not be changed */
	size_t max_write;	/* octets at a time */
};

/* Input: pieces as they come, until held; the owner asks for the next. */
struct wk_stdin {
	struct wk_io io;
	struct wk_task task;	/* where fd is never ready */
	struct wk_stdstream stream;
	uint8_t *block;
	size_t size;
	bool has_ended;
	void (*data)(void *arg, const uint8_t *data, size_t len);
	void (*end)(void *arg, int error_number);	/* 0: end of file */
	void *arg;
};

/*
 * Read fd in blocks of at most size octets, handed to data (borrowed for the
 * call), one per round; end comes once and is the last. Starts held. fd stays
 * the caller's and must stay open. WK_OK or WK_E_NOMEM.
 */
int wk_stdin_init(struct wk_stdin *in, struct wk_loop *loop, int fd,
    size_t size, void (*data)(void *arg, const uint8_t *data, size_t len),
    void (*end)(void *arg, int error_number), void *arg);
void wk_stdin_hold(struct wk_stdin *in);
void wk_stdin_release(struct wk_stdin *in);
void wk_stdin_free(struct wk_stdin *in);

/* Output: a bounded queue written as the reader takes it. */
struct wk_stdout {
	struct wk_io io;
	struct wk_task task;
	struct wk_stdstream stream;
	struct wk_buf queue;
	size_t at;		/* octets of the queue already written */
	size_t max;
	int error_number;	/* the first failure; nothing is written then */
	void (*drained)(void *arg, size_t octets);
	void (*failed)(void *arg, int error_number);
	void *arg;
};

/*
 * At most max octets wait. drained (may be NULL) reports octets as they are
 * written, failed the first failure, EPIPE too; neither comes from inside
 * wk_stdout_write(). The caller ignores SIGPIPE, or dies of it. Always WK_OK.
 */
int wk_stdout_init(struct wk_stdout *out, struct wk_loop *loop, int fd,
    size_t max, void (*drained)(void *arg, size_t octets),
    void (*failed)(void *arg, int error_number), void *arg);

/*
 * Queue; written at the end of the round at the latest. WK_OK, WK_E_LIMIT when
 * not all of it fits (then none is taken), WK_E_NOMEM, WK_E_SYSTEM with errno
 * after a failure.
 */
int wk_stdout_write(struct wk_stdout *out, const void *data, size_t len);

/* Octets that still wait. */
size_t wk_stdout_pending(const struct wk_stdout *out);

/*
 * Write the rest without the loop, waiting at most that long; WK_OK if nothing
 * is left, else WK_E_SYSTEM with errno, ETIMEDOUT if the reader is too slow.
 * No callbacks come from here.
 */
int wk_stdout_finish(struct wk_stdout *out, uint64_t timeout_ns);
void wk_stdout_free(struct wk_stdout *out);
