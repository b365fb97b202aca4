/* SPDX-License-Identifier: MIT */
/*
 * Prometheus text over HTTP/1.0. A scrape every few seconds does not need an
 * event loop: one thread, one connection at a time, short timeouts.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "common/base/buf.h"

#define TEXT_MAX ((size_t)16 << 20)
#define TIMEOUT_SEC 2

static struct {
	struct proxy *proxy;
	pthread_t thread;
	struct listening at[LISTEN_ADDRESSES_MAX];
	size_t n;
	int stop_fd;
	bool is_running;
} metrics;

static void
send_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void
answer(int fd, const char *status, const struct wk_buf *body)
{
	char head[160];
	int n = snprintf(head, sizeof(head), "HTTP/1.0 %s\r\n"
	    "Content-Type: text/plain; version=0.0.4\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n", status,
	    body->len);

	send_all(fd, head, (size_t)n);
	send_all(fd, body->data, body->len);
}

static void
serve(int fd)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
	char request[2048];
	struct wk_buf b;
	size_t len = 0;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	do {
		n = recv(fd, request + len, sizeof(request) - 1 - len, 0);
		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
	} while (strstr(request, "\n\r\n") == NULL &&
	    strstr(request, "\n\n") == NULL && len < sizeof(request) - 1);
	wk_buf_init(&b, TEXT_MAX);
	if (strncmp(request, "GET /metrics ", 13) == 0 ||
	    strncmp(request, "GET / ", 6) == 0) {
		stats_prometheus(metrics.proxy, &b);
		answer(fd, b.status == WK_OK ? "200 OK" :
		    "500 Internal Server Error", &b);
	} else {
		wk_buf_printf(&b, "only GET /metrics is here\n");
		answer(fd, "404 Not Found", &b);
	}
	wk_buf_free(&b);
}

static void
accept_one(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	serve(fd);
	close(fd);
}

static void *
run(void *arg)
{
	struct pollfd fds[LISTEN_ADDRESSES_MAX + 1];
	size_t i, n = metrics.n;

	(void)arg;
	for (i = 0; i <= n; i++) {
		fds[i].fd = i < n ? metrics.at[i].fd : metrics.stop_fd;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	while (fds[n].revents == 0) {
		if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
			break;
		for (i = 0; i < n; i++)
			if (fds[i].revents != 0)
				accept_one(fds[i].fd);
	}
	return NULL;
}

int
metrics_listen(const char *address, char *reason, size_t size)
{
	int n = listen_on(address, metrics.at, reason, size);

	metrics.n = n > 0 ? (size_t)n : 0;
	return n < 0 ? n : WK_OK;
}

const struct listening *
metrics_addresses(size_t *n)
{
	*n = metrics.n;
	return metrics.at;
}

int
metrics_start(struct proxy *p, char *reason, size_t size)
{
	sigset_t all, old;
	int rc;

	metrics.proxy = p;
	metrics.stop_fd = eventfd(0, EFD_CLOEXEC);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&metrics.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		snprintf(reason, size, "%s", strerror(rc));
		return WK_E_SYSTEM;
	}
	metrics.is_running = true;
	return WK_OK;
}

void
metrics_stop(void)
{
	uint64_t one = 1;
	size_t i;

	if (metrics.is_running) {
		if (write(metrics.stop_fd, &one, sizeof(one)) == sizeof(one))
			pthread_join(metrics.thread, NULL);
		close(metrics.stop_fd);
	}
	for (i = 0; i < metrics.n; i++)
		close(metrics.at[i].fd);
}
