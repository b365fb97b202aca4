/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/stdstream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "common/base/clock.h"

/*
 * Whether another open gives the same thing. The master side of a terminal
 * would make a new one; and a FIFO with a name whose writers have gone does
 * not tell a second reader of its end (fifo(7) and poll(2) disagree there).
 */
static bool
can_reopen(int fd, const struct stat *st, int direction)
{
	struct statfs fs;
	int number;

	if (S_ISFIFO(st->st_mode))
		return direction == O_WRONLY ||
		    (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC);
	return isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0;
}

/*
 * A second description of the pipe or terminal behind fd, for one direction
 * and not blocking; -1 where there is none to be had.
 */
static int
reopen(int fd, const struct stat *st, int direction)
{
	char path[64];

	if (!can_reopen(fd, st, direction))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, direction | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/*
 * What is not open in our direction is never ready, and shall not become open
 * by being opened again: read() or write() has to say it.
 */
static bool
is_open_for(int fd, int direction)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && ((flags & O_ACCMODE) == O_RDWR ||
	    (flags & O_ACCMODE) == direction);
}

/* Choose how to read or write fd without waiting and without changing it. */
static void
stream_open(struct wk_stdstream *s, int fd, int direction)
{
	struct stat st;
	int own;

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->max_write = SIZE_MAX;
	s->is_open = is_open_for(fd, direction) && fstat(fd, &st) == 0;
	if (!s->is_open || S_ISREG(st.st_mode))
		return;
	s->is_socket = S_ISSOCK(st.st_mode);
	if (s->is_socket)
		return;
	own = reopen(fd, &st, direction);
	s->is_own = own >= 0;
	s->is_shared = own < 0;
	if (s->is_own)
		s->fd = own;
	/* A pipe or terminal that is writable takes as much without waiting. */
	else if (S_ISFIFO(st.st_mode) || isatty(fd))
		s->max_write = PIPE_BUF;
}

static void
stream_close(struct wk_stdstream *s)
{
	if (s->is_own)
		close(s->fd);
	s->is_own = false;
	s->fd = -1;
}

/* A blocking descriptor that we may not change: would it wait? */
static bool
would_wait(const struct wk_stdstream *s, short events)
{
	struct pollfd p = { .fd = s->fd, .events = events };

	return s->is_shared && poll(&p, 1, 0) == 0;
}

static ssize_t
stream_read(const struct wk_stdstream *s, void *data, size_t size)
{
	if (s->is_socket)
		return recv(s->fd, data, size, MSG_DONTWAIT);
	if (would_wait(s, POLLIN)) {
		errno = EAGAIN;
		return -1;
	}
	return read(s->fd, data, size);
}

static ssize_t
stream_write(const struct wk_stdstream *s, const void *data, size_t len)
{
	if (s->is_socket)
		return send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (would_wait(s, POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(s->fd, data, len < s->max_write ? len : s->max_write);
}

static bool
is_for_later(int error_number)
{
	return error_number == EAGAIN || error_number == EWOULDBLOCK ||
	    error_number == EINTR;
}

/* --- input ---------------------------------------------------------------- */

static void
read_some(struct wk_stdin *in)
{
	ssize_t n = stream_read(&in->stream, in->block, in->size);
	int error_number = n < 0 ? errno : 0;

	if (n > 0) {
		in->data(in->arg, in->block, (size_t)n);
		return;
	}
	if (n < 0 && is_for_later(error_number))
		return;
	in->has_ended = true;
	wk_io_watch(&in->io, 0);
	in->end(in->arg, error_number);
}

static void
on_readable(struct wk_io *io, unsigned events)
{
	(void)events;
	read_some(io->arg);
}

static void
on_not_open(struct wk_task *task)
{
	read_some(task->arg);
}

int
wk_stdin_init(struct wk_stdin *in, struct wk_loop *loop, int fd,
    size_t size, void (*data)(void *arg, const uint8_t *data, size_t len),
    void (*end)(void *arg, int error_number), void *arg)
{
	memset(in, 0, sizeof(*in));
	in->block = malloc(size);
	if (in->block == NULL)
		return WK_E_NOMEM;
	in->size = size;
	in->data = data;
	in->end = end;
	in->arg = arg;
	stream_open(&in->stream, fd, O_RDONLY);
	wk_io_init(&in->io, loop, in->stream.fd, on_readable, in);
	wk_task_init(&in->task, loop, on_not_open, in);
	return WK_OK;
}

void
wk_stdin_hold(struct wk_stdin *in)
{
	wk_task_cancel(&in->task);
	wk_io_watch(&in->io, 0);
}

void
wk_stdin_release(struct wk_stdin *in)
{
	if (in->has_ended)
		return;
	if (in->stream.is_open)
		wk_io_watch(&in->io, WK_IO_READ);
	else
		wk_task_schedule(&in->task);
}

void
wk_stdin_free(struct wk_stdin *in)
{
	if (in->block == NULL)
		return;
	wk_stdin_hold(in);
	stream_close(&in->stream);
	free(in->block);
	in->block = NULL;
}

/* --- output --------------------------------------------------------------- */

size_t
wk_stdout_pending(const struct wk_stdout *out)
{
	return out->queue.len - out->at;
}

/* Write until nothing is left or the reader must take some first. */
static size_t
write_some(struct wk_stdout *out)
{
	size_t written = 0;
	ssize_t n;

	while (wk_stdout_pending(out) > 0) {
		n = stream_write(&out->stream, out->queue.data + out->at,
		    wk_stdout_pending(out));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (!is_for_later(errno))
				out->error_number = errno;
			break;
		}
		written += (size_t)n;
		out->at += (size_t)n;
	}
	if (wk_stdout_pending(out) == 0 || out->error_number != 0) {
		wk_buf_clear(&out->queue);
		out->at = 0;
	}
	return written;
}

static void
flush(struct wk_stdout *out)
{
	void (*failed)(void *, int) = out->failed;
	void *arg = out->arg;
	size_t written;
	int error_number;

	wk_task_cancel(&out->task);
	written = write_some(out);
	error_number = out->error_number;
	wk_io_watch(&out->io, wk_stdout_pending(out) > 0 ? WK_IO_WRITE : 0);
	if (error_number != 0)
		failed(arg, error_number);
	else if (written > 0 && out->drained != NULL)
		out->drained(arg, written);
}

static void
on_writable(struct wk_io *io, unsigned events)
{
	(void)events;
	flush(io->arg);
}

static void
on_round_end(struct wk_task *task)
{
	struct wk_stdout *out = task->arg;

	/* While the reader is slow the loop knows when to go on. */
	if (out->io.events == 0)
		flush(out);
}

int
wk_stdout_init(struct wk_stdout *out, struct wk_loop *loop, int fd,
    size_t max, void (*drained)(void *arg, size_t octets),
    void (*failed)(void *arg, int error_number), void *arg)
{
	memset(out, 0, sizeof(*out));
	/* Twice: what waits is moved to the front, rather than have the queue
	 * grow, only when it is the smaller part. So every octet is moved once
	 * at most, and a reader who is always a little late costs no more than
	 * double what he is late by. */
	wk_buf_init(&out->queue, max <= SIZE_MAX / 2 ? 2 * max : max);
	out->max = max;
	out->drained = drained;
	out->failed = failed;
	out->arg = arg;
	stream_open(&out->stream, fd, O_WRONLY);
	wk_io_init(&out->io, loop, out->stream.fd, on_writable, out);
	wk_task_init(&out->task, loop, on_round_end, out);
	return WK_OK;
}

int
wk_stdout_write(struct wk_stdout *out, const void *data, size_t len)
{
	size_t pending = wk_stdout_pending(out);
	int rc;

	if (out->error_number != 0) {
		errno = out->error_number;
		return WK_E_SYSTEM;
	}
	if (len > out->max - pending)
		return WK_E_LIMIT;
	if (len == 0)
		return WK_OK;
	if (len > out->queue.cap - out->queue.len && out->at > 0 &&
	    out->at >= pending) {
		memmove(out->queue.data, out->queue.data + out->at, pending);
		out->queue.len = pending;
		out->at = 0;
	}
	rc = wk_buf_append(&out->queue, data, len);
	if (rc != WK_OK) {
		out->queue.status = WK_OK;	/* there may be memory later */
		return rc;
	}
	wk_task_schedule(&out->task);
	return WK_OK;
}

/* Poll until writable; false when the time is over. */
static bool
wait_writable(const struct wk_stdout *out, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = out->stream.fd, .events = POLLOUT };
	uint64_t now_ns = wk_clock_now_ns(), left_ms;
	int n;

	if (now_ns >= deadline_ns)
		return false;
	left_ms = (deadline_ns - now_ns) / 1000000 + 1;
	n = poll(&p, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	return n > 0 || (n < 0 && errno == EINTR) ||
	    wk_clock_now_ns() < deadline_ns;
}

int
wk_stdout_finish(struct wk_stdout *out, uint64_t timeout_ns)
{
	uint64_t now_ns = wk_clock_now_ns();
	uint64_t deadline_ns = timeout_ns > WK_NEVER - now_ns ? WK_NEVER :
	    now_ns + timeout_ns;

	wk_task_cancel(&out->task);
	wk_io_watch(&out->io, 0);
	while (out->error_number == 0) {
		write_some(out);
		if (out->error_number != 0)
			break;
		if (wk_stdout_pending(out) == 0)
			return WK_OK;
		if (!wait_writable(out, deadline_ns)) {
			errno = ETIMEDOUT;
			return WK_E_SYSTEM;
		}
	}
	errno = out->error_number;
	return WK_E_SYSTEM;
}

void
wk_stdout_free(struct wk_stdout *out)
{
	if (out->io.loop == NULL)
		return;
	wk_task_cancel(&out->task);
	wk_io_watch(&out->io, 0);
	stream_close(&out->stream);
	wk_buf_free(&out->queue);
	out->at = 0;
	out->io.loop = NULL;
}
