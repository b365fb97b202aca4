/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"

#define BORROW_MIN 2048		/* shorter ones are cheaper to copy */
#define QUEUE_MAX 128

/*
 * What is to be written, in this order: the queue, each entry a stretch of data
 * or something borrowed, and the rest of data, from tail to len.
 */
static struct {
	char data[65536];
	size_t len, tail;
	struct iovec queue[QUEUE_MAX];
	int n_queued;
	int fd, failed_errno;
	const char *name;
	int (*sink)(void *arg, const void *data, size_t len);
	void *sink_arg;
} out = { .fd = STDOUT_FILENO, .name = "standard output" };

int
wk_out_open(const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0)
		return WK_OK;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return WK_E_SYSTEM;
	out.fd = fd;
	out.name = path;
	return WK_OK;
}

void
wk_out_reset(int fd)
{
	out.fd = fd;
	out.len = out.tail = 0;
	out.n_queued = 0;
	out.failed_errno = 0;
	out.sink = NULL;
}

int
wk_out_fd(void)
{
	return out.fd;
}

bool
wk_out_has_failed(void)
{
	return out.failed_errno != 0;
}

void
wk_out_divert(int (*sink)(void *arg, const void *data, size_t len), void *arg)
{
	out.sink = sink;
	out.sink_arg = arg;
}

void
wk_out_fail(int error_number)
{
	if (out.failed_errno == 0)
		out.failed_errno = error_number;
}

/* Somebody may have made stdout non-blocking; waiting is right here. */
static void
wait_writable(void)
{
	struct pollfd p = { .fd = out.fd, .events = POLLOUT };

	poll(&p, 1, -1);
}

/* Take n written octets off a queue; returns the entries that are done. */
static int
advance(struct iovec *v, int count, size_t n)
{
	int done = 0;

	while (done < count && n >= v[done].iov_len)
		n -= v[done++].iov_len;
	if (done < count) {
		v[done].iov_base = (char *)v[done].iov_base + n;
		v[done].iov_len -= n;
	}
	return done;
}

static void
hand_over(const struct iovec *v, int count)
{
	for (; count > 0 && out.failed_errno == 0; v++, count--)
		out.failed_errno = out.sink(out.sink_arg, v->iov_base,
		    v->iov_len);
}

static void
write_all(struct iovec *v, int count)
{
	ssize_t n;
	int done;

	if (out.sink != NULL) {
		hand_over(v, count);
		return;
	}
	while (count > 0 && out.failed_errno == 0) {
		n = writev(out.fd, v, count);
		if (n >= 0) {
			done = advance(v, count, (size_t)n);
			v += done;
			count -= done;
		} else if (errno == EAGAIN) {
			wait_writable();
		} else if (errno != EINTR) {
			out.failed_errno = errno;
		}
	}
}

static void
enqueue(const void *data, size_t len)
{
	struct iovec *v = &out.queue[out.n_queued];

	if (len == 0)
		return;
	memcpy(&v->iov_base, &data, sizeof(data));	/* drops a const */
	v->iov_len = len;
	out.n_queued++;
}

int
wk_out_flush(void)
{
	enqueue(out.data + out.tail, out.len - out.tail);
	write_all(out.queue, out.n_queued);
	out.len = out.tail = 0;
	out.n_queued = 0;
	return out.failed_errno == 0 ? WK_OK : WK_E_SYSTEM;
}

void
wk_out_borrow(const void *data, size_t len)
{
	if (len < BORROW_MIN) {
		wk_out_write(data, len);
		return;
	}
	enqueue(out.data + out.tail, out.len - out.tail);
	out.tail = out.len;
	enqueue(data, len);
	/* Two more and the tail must fit. */
	if (out.n_queued > QUEUE_MAX - 3)
		wk_out_flush();
}

void
wk_out_write(const void *data, size_t len)
{
	if (len > sizeof(out.data) - out.len)
		wk_out_flush();
	if (len > sizeof(out.data)) {
		enqueue(data, len);
		wk_out_flush();
	} else if (len > 0) {
		memcpy(out.data + out.len, data, len);
		out.len += len;
	}
}

void
wk_out_hex(const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	char *to;
	size_t n, i;

	for (; len > 0; len -= n, p += n) {
		if (sizeof(out.data) - out.len < 2)
			wk_out_flush();
		n = (sizeof(out.data) - out.len) / 2;
		n = n < len ? n : len;
		to = out.data + out.len;
		for (i = 0; i < n; i++) {
			*to++ = digits[p[i] >> 4];
			*to++ = digits[p[i] & 15];
		}
		out.len += 2 * n;
	}
}

void
wk_out_text(const char *text)
{
	wk_out_write(text, strlen(text));
}

void
wk_out_printf(const char *format, ...)
{
	struct wk_buf b;
	va_list ap;

	wk_buf_init(&b, 1 << 20);
	va_start(ap, format);
	if (wk_buf_vprintf(&b, format, ap) == WK_OK)
		wk_out_write(b.data, b.len);
	else if (out.failed_errno == 0)
		out.failed_errno = ENOMEM;
	va_end(ap);
	wk_buf_free(&b);
}

int
wk_out_finish(int rc)
{
	wk_out_flush();
	if (out.failed_errno == 0 && close(out.fd) < 0 && errno != EINTR)
		out.failed_errno = errno;
	if (out.failed_errno == 0 || out.failed_errno == EPIPE)
		return rc;
	wk_warn_errno(out.failed_errno, "%s", out.name);
	return WK_EXIT_SYSTEM;
}
