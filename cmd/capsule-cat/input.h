/* SPDX-License-Identifier: MIT */
/*
 * Reading files and pipes: never with output in hand, never on when nobody
 * takes it, and stopping for a signal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
	const char *name;	/* for messages */
	int fd;
	bool is_live;		/* no regular file: may have to wait */
	bool is_bulk;		/* reads were as long as a pipe */
	bool has_stopped;	/* before the end: a signal, or the output's
				   reader left; nothing is wrong with it */
	int rc;			/* why it ended: an exit code */
	uint8_t *buffer;	/* heap */
	size_t size;
};

/*
 * Open a file, "-" being standard input, to read at most size octets at once.
 * WK_EXIT_OK, or an exit code after a message, and nothing is open then.
 */
int input_open(struct input *in, const char *path, size_t size);
void input_close(struct input *in);

/*
 * Flush the output, wait, and read. *data is valid until the next call.
 * Returns the octets, or 0 when there is no more: in->rc is WK_EXIT_OK at the
 * end and when in->has_stopped; a failure was told.
 */
size_t input_read(struct input *in, const uint8_t **data);
