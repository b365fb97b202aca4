/* SPDX-License-Identifier: MIT */
/*
 * Requests of several keys, split for two backends and joined again: a worker
 * between a client and backends that answer in pieces. Every key must come
 * back in its place with the value that belongs to it, whatever else was asked
 * in the same moment, and nothing may be left over.
 *
 * The input is the size of the pieces (client, backends), a byte of switches,
 * then for each request its command and number of keys, and a byte per key.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/load.h"
#include "common/base/buf.h"
#include "common/base/clock.h"

#define BACKENDS 2
#define TEXT_MAX ((size_t)4 << 20)
#define TURNS_MAX 200000

#define WITH_ERRORS 1		/* the second backend refuses every request */
#define WITHOUT_HITS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct proxy *proxy;
static struct worker *worker;

static struct {
	int listen_fd, fd;
	struct wk_buf in, out;
	size_t written;
	struct sockaddr_un at;
} backends[BACKENDS];

static uint8_t switches;

/* --- what a key holds ----------------------------------------------------- */

static bool
is_hit(unsigned key)
{
	return (switches & WITHOUT_HITS) == 0 && key % 3 != 0;
}

static size_t
value_size(unsigned key)
{
	static const size_t sizes[] = { 0, 1, 7, 100, 2047, 2048, 2049, 40000 };

	return sizes[key % 8];
}

static void
add_value(struct wk_buf *b, const char *name, unsigned key, bool has_cas)
{
	size_t i, n = value_size(key);

	wk_buf_printf(b, "VALUE %s %u %zu%s\r\n", name, key, n,
	    has_cas ? " 9" : "");
	for (i = 0; i < n; i++)
		wk_buf_append(b, i % 5 == 0 ? "\r" : i % 5 == 1 ? "\n" :
		    i % 5 == 2 ? "E" : "N", 1);
	wk_buf_append(b, "\r\n", 2);
}

/* --- backends ------------------------------------------------------------- */

static void
set_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		abort();
}

static void
backend_line(size_t i, char *line)
{
	bool has_cas = strncmp(line, "gets ", 5) == 0 ||
	    strncmp(line, "gats ", 5) == 0;
	struct wk_buf *out = &backends[i].out;
	char *word, *save;

	if (strcmp(line, "version\r") == 0) {
		wk_buf_printf(out, "VERSION 1\r\n");
		return;
	}
	if (strncmp(line, "ge", 2) != 0 && strncmp(line, "ga", 2) != 0)
		abort();
	if (i == 1 && (switches & WITH_ERRORS) != 0) {
		wk_buf_printf(out, "SERVER_ERROR no\r\n");
		return;
	}
	line[strlen(line) - 1] = '\0';
	word = strtok_r(line, " ", &save);
	if (word[1] == 'a')
		strtok_r(NULL, " ", &save);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		unsigned key = (unsigned)atoi(word + 1);

		if (is_hit(key))
			add_value(out, word, key, has_cas);
	}
	wk_buf_printf(out, "END\r\n");
}

static void
backend_turn(size_t i, size_t piece)
{
	struct wk_buf *in = &backends[i].in, *out = &backends[i].out;
	char buf[65536], *end;
	ssize_t n;
	size_t len;

	if (backends[i].fd < 0) {
		backends[i].fd = accept(backends[i].listen_fd, NULL, NULL);
		if (backends[i].fd < 0)
			return;
		set_nonblocking(backends[i].fd);
	}
	n = recv(backends[i].fd, buf, sizeof(buf), 0);
	/* Nothing that comes from here may cost the connection. */
	if (n == 0 || (n < 0 && errno != EAGAIN))
		abort();
	if (n > 0)
		wk_buf_append(in, buf, (size_t)n);
	while (in->len > 0 &&
	    (end = memchr(in->data, '\n', in->len)) != NULL) {
		len = (size_t)(end + 1 - (char *)in->data);
		*end = '\0';
		backend_line(i, (char *)in->data);
		memmove(in->data, in->data + len, in->len - len);
		in->len -= len;
	}
	len = out->len - backends[i].written;
	len = len < piece ? len : piece;
	if (len == 0)
		return;
	n = send(backends[i].fd, out->data + backends[i].written, len, 0);
	if (n > 0)
		backends[i].written += (size_t)n;
	if (backends[i].written == out->len) {
		wk_buf_clear(out);
		backends[i].written = 0;
	}
}

static void
turn(size_t piece)
{
	size_t i;

	worker_turn(worker, 0);
	for (i = 0; i < BACKENDS; i++)
		backend_turn(i, piece);
}

/* --- set up --------------------------------------------------------------- */

static void
remove_files(void)
{
	size_t i;

	for (i = 0; i < BACKENDS; i++)
		unlink(backends[i].at.sun_path);
}

static void
start(void)
{
	const struct proxy_options options = { .threads = 1,
	    .max_value = 1 << 20, .client_buffer = 1 << 20,
	    .max_clients = 10 };
	char reason[LOAD_REASON_MAX], text[512];
	const char *pools[] = { text };
	struct conf *c;
	size_t i;

	proxy = calloc(1, sizeof(*proxy));
	if (proxy == NULL)
		abort();
	for (i = 0; i < BACKENDS; i++) {
		backends[i].fd = -1;
		backends[i].at.sun_family = AF_UNIX;
		snprintf(backends[i].at.sun_path,
		    sizeof(backends[i].at.sun_path), "/tmp/wk-fuzz-%ld-%zu",
		    (long)getpid(), i);
		unlink(backends[i].at.sun_path);
		backends[i].listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(backends[i].listen_fd, (struct sockaddr *)
		    &backends[i].at, sizeof(backends[i].at)) < 0 ||
		    listen(backends[i].listen_fd, 4) < 0)
			abort();
		set_nonblocking(backends[i].listen_fd);
		wk_buf_init(&backends[i].in, TEXT_MAX);
		wk_buf_init(&backends[i].out, 16 * TEXT_MAX);
	}
	snprintf(text, sizeof(text), "foo=unix:%s,unix:%s",
	    backends[0].at.sun_path, backends[1].at.sun_path);
	c = load_pools(pools, 1, reason);
	/* On a slow machine an input may take longer than a read timeout. */
	for (i = 0; c != NULL && i < c->n_backends; i++)
		c->backends[i]->options.read_timeout_ns = 3600 * WK_NS_PER_SEC;
	proxy_init(proxy, &options);
	proxy->n_listeners = 1;
	if (c == NULL || proxy_install(proxy, c, reason, sizeof(reason)) !=
	    WK_OK || worker_new(proxy, 0) != WK_OK)
		abort();
	worker = proxy->workers[0];
	atexit(remove_files);
	for (i = 0; i < 100; i++)
		turn(SIZE_MAX);
	remove_files();
}

/* --- a client ------------------------------------------------------------- */

/* What is asked, and what must come for it. */
static void
script(const uint8_t *data, size_t size, struct wk_buf *ask,
    struct wk_buf *want)
{
	static const char *const commands[] = { "get", "gets", "gat 5",
	    "gats 5" };
	const struct conf *c = worker->held->generation->conf;
	const struct pool *pool = conf_pool(c, "foo");
	char name[40], sent[16];
	size_t i, n, at;
	bool is_refused;

	for (; size >= 2; data += n + 1, size -= n + 1) {
		unsigned command = data[0] % 4;

		n = (size_t)data[0] / 4 % 48 + 1;
		if (n > size - 1)
			n = size - 1;
		wk_buf_printf(ask, "%s", commands[command]);
		is_refused = false;
		for (i = 0; i < n; i++) {
			snprintf(sent, sizeof(sent), "k%u", data[i + 1]);
			snprintf(name, sizeof(name), "/foo/%s", sent);
			wk_buf_printf(ask, " %s", name);
			at = placement_pick(&pool->placement, sent,
			    strlen(sent));
			if (at == 1 && (switches & WITH_ERRORS) != 0)
				is_refused = n == 1;
			else if (is_hit(data[i + 1]))
				add_value(want, name, data[i + 1],
				    command % 2 == 1);
		}
		wk_buf_printf(ask, "\r\n");
		wk_buf_printf(want, is_refused ? "SERVER_ERROR no\r\n" :
		    "END\r\n");
	}
	wk_buf_printf(ask, "mn\r\n");
	wk_buf_printf(want, "MN\r\n");
}

static void
converse(int fd, const struct wk_buf *ask, const struct wk_buf *want,
    size_t ask_piece, size_t answer_piece)
{
	char buf[65536];
	size_t asked = 0, got = 0, turns = 0, len;
	ssize_t n;

	while (got < want->len) {
		if (++turns > TURNS_MAX)
			abort();
		len = ask->len - asked;
		len = len < ask_piece ? len : ask_piece;
		n = len == 0 ? 0 : send(fd, ask->data + asked, len, 0);
		if (n > 0)
			asked += (size_t)n;
		turn(answer_piece);
		n = recv(fd, buf, sizeof(buf), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			abort();
		if (n < 0)
			continue;
		if ((size_t)n > want->len - got ||
		    memcmp(want->data + got, buf, (size_t)n) != 0)
			abort();
		got += (size_t)n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wk_buf ask, want;
	size_t ask_piece, answer_piece;
	int fds[2], i;

	if (size < 3)
		return 0;
	if (proxy == NULL)
		start();
	/* Small pieces of long answers would take all day. */
	ask_piece = (size_t)data[0] + 1;
	answer_piece = (size_t)data[1] * 16 + 16;
	switches = data[2];
	size = size < 600 ? size : 600;
	wk_buf_init(&ask, TEXT_MAX);
	wk_buf_init(&want, 16 * TEXT_MAX);
	script(data + 3, size - 3, &ask, &want);
	if (ask.status != WK_OK || want.status != WK_OK ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		abort();
	set_nonblocking(fds[0]);
	set_nonblocking(fds[1]);
	client_new(worker, fds[1], 0);
	converse(fds[0], &ask, &want, ask_piece, answer_piece);
	close(fds[0]);
	for (i = 0; i < 3; i++)
		turn(SIZE_MAX);
	/* Nobody and nothing is left. */
	if (worker->n_clients != 0 || worker->n_active != 0 ||
	    backends[0].in.len != 0 || backends[1].in.len != 0)
		abort();
	wk_buf_free(&ask);
	wk_buf_free(&want);
	return 0;
}
