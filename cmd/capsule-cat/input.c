/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"

/* What a pipe holds by default on Linux, and what anybody may ask for. */
#define PIPE_DEFAULT (64 * 1024)
#define PIPE_WIDE (1024 * 1024)

static int
open_path(struct input *in, const char *path)
{
	if (strcmp(path, "-") == 0) {
		in->name = "standard input";
		in->fd = STDIN_FILENO;
		if (isatty(in->fd) == 1)
			wk_notice("reading from the terminal; end with Ctrl-D");
		return WK_EXIT_OK;
	}
	in->name = path;
	in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd >= 0)
		return WK_EXIT_OK;
	wk_warn_errno(errno, "%s", path);
	return WK_EXIT_SYSTEM;
}

int
input_open(struct input *in, const char *path, size_t size)
{
	struct stat st;

	memset(in, 0, sizeof(*in));
	in->size = size;
	in->buffer = malloc(size);
	if (in->buffer == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	in->rc = open_path(in, path);
	if (in->rc != WK_EXIT_OK) {
		free(in->buffer);
		in->buffer = NULL;
		return in->rc;
	}
	in->is_live = fstat(in->fd, &st) < 0 || !S_ISREG(st.st_mode);
	return WK_EXIT_OK;
}

void
input_close(struct input *in)
{
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	free(in->buffer);
	in->buffer = NULL;
}

/* Until there is input, a signal, or nobody who reads our output. */
static bool
wait_for_input(const struct input *in)
{
	struct pollfd p[3] = {
		{ .fd = in->fd, .events = POLLIN },
		{ .fd = wk_signals_fd(), .events = POLLIN },
		/* A reader that leaves shows as an error without writing. */
		{ .fd = wk_out_fd(), .events = 0 },
	};

	if (poll(p, 3, -1) < 0)
		return errno == EINTR;
	return (p[2].revents & POLLERR) == 0;
}

/*
 * Bulk goes through pipes that hold more with fewer switches between processes.
 * What is no pipe, or may not be wider, stays as it is.
 */
static void
widen_pipes(struct input *in)
{
	in->is_bulk = true;
#ifdef F_SETPIPE_SZ
	fcntl(in->fd, F_SETPIPE_SZ, PIPE_WIDE);
	fcntl(wk_out_fd(), F_SETPIPE_SZ, PIPE_WIDE);
#endif
}

size_t
input_read(struct input *in, const uint8_t **data)
{
	ssize_t n;

	*data = in->buffer;
	for (;;) {
		if (wk_out_flush() != WK_OK ||
		    (in->is_live && !wait_for_input(in)) ||
		    wk_signals_stopped() != 0) {
			in->has_stopped = true;
			return 0;
		}
		n = read(in->fd, in->buffer, in->size);
		if (n >= PIPE_DEFAULT && !in->is_bulk)
			widen_pipes(in);
		if (n >= 0)
			return (size_t)n;
		if (errno != EINTR && errno != EAGAIN)
			break;
	}
	wk_warn_errno(errno, "%s", in->name);
	in->rc = WK_EXIT_SYSTEM;
	return 0;
}
