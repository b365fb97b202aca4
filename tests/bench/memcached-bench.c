/* SPDX-License-Identifier: MIT */
/*
 * A closed loop of memcached requests: each connection sends a batch, waits
 * for the whole answer and sends the next. All keys are set first, so that
 * every answer's length is known and counting octets is all there is to do.
 *
 * Usage: memcached-bench PORT get|mget|mg|set CONNECTIONS BATCH SECONDS PREFIX
 * Prints: keys per second, p50 and p99 of a batch in microseconds, all keys.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

#define KEYS 10000
#define VALUE 100
#define BATCH_MAX 100
#define LATENCIES 2000000
#define REQUEST_MAX (BATCH_MAX * 256)

struct connection {
	int fd;
	size_t awaited;		/* octets of the answer still to come */
	uint64_t since_ns;
};

static struct {
	uint16_t port;
	const char *mode, *prefix;
	unsigned connections, batch;
	char value[VALUE + 1];
	uint64_t random, keys;
	uint32_t *latency_us;
	size_t n_latencies;
} bench;

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int
dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_port = htons(bench.port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void
send_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n)
		if ((n = send(fd, data, len, MSG_NOSIGNAL)) < 0)
			fail("send");
}

/* One request line (and value) for a key; returns its length. */
static size_t
write_request(char *out, const char *mode, const char *key)
{
	if (strcmp(mode, "set") == 0)
		return (size_t)sprintf(out, "set %s 0 0 %d\r\n%s\r\n", key,
		    VALUE, bench.value);
	if (strcmp(mode, "mg") == 0)
		return (size_t)sprintf(out, "mg %s v\r\n", key);
	return (size_t)sprintf(out, "get %s\r\n", key);
}

static size_t
answer_len(const char *key)
{
	size_t value = strlen("VALUE  0 100\r\n\r\n") + strlen(key) + VALUE;

	if (strcmp(bench.mode, "set") == 0)
		return strlen("STORED\r\n");
	if (strcmp(bench.mode, "mg") == 0)
		return strlen("VA 100\r\n\r\n") + VALUE;
	if (strcmp(bench.mode, "mget") == 0)
		return value;
	return value + strlen("END\r\n");
}

static void
random_key(char key[64])
{
	bench.random ^= bench.random << 13;
	bench.random ^= bench.random >> 7;
	bench.random ^= bench.random << 17;
	snprintf(key, 64, "%skey:%08u", bench.prefix,
	    (unsigned)(bench.random % KEYS));
}

static void
start_batch(struct connection *c)
{
	char out[REQUEST_MAX], key[64];
	int is_list = strcmp(bench.mode, "mget") == 0;
	size_t len = 0;
	unsigned i;

	c->awaited = is_list ? strlen("END\r\n") : 0;
	if (is_list)
		len = (size_t)sprintf(out, "get");
	for (i = 0; i < bench.batch; i++) {
		random_key(key);
		c->awaited += answer_len(key);
		len += is_list ? (size_t)sprintf(out + len, " %s", key) :
		    write_request(out + len, bench.mode, key);
	}
	if (is_list)
		len += (size_t)sprintf(out + len, "\r\n");
	c->since_ns = wk_clock_now_ns();
	send_all(c->fd, out, len);
}

static void
fill(void)
{
	char out[512], key[64], in[64];
	int fd = dial();
	size_t len, got;
	unsigned i;
	ssize_t n;

	for (i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "%skey:%08u", bench.prefix, i);
		len = write_request(out, "set", key);
		send_all(fd, out, len);
		for (got = 0; got < 8; got += (size_t)n)
			if ((n = recv(fd, in, 8 - got, 0)) <= 0)
				fail("fill");
		if (memcmp(in, "STORED", 6) != 0) {
			fprintf(stderr, "fill: %.*s\n", (int)got, in);
			exit(1);
		}
	}
	close(fd);
}

static void
take(struct connection *c)
{
	static char in[1 << 18];
	ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);
	uint64_t us;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || (size_t)n > c->awaited) {
		fprintf(stderr, "unexpected answer: %.*s\n",
		    n < 0 ? 0 : (int)(n < 200 ? n : 200), in);
		exit(1);
	}
	c->awaited -= (size_t)n;
	if (c->awaited > 0)
		return;
	us = (wk_clock_now_ns() - c->since_ns) / 1000;
	bench.keys += bench.batch;
	if (bench.n_latencies < LATENCIES)
		bench.latency_us[bench.n_latencies++] = (uint32_t)us;
	start_batch(c);
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int
main(int argc, char **argv)
{
	struct epoll_event e = { .events = EPOLLIN }, events[256];
	struct connection *all;
	uint64_t start_ns, end_ns;
	int epoll_fd, i, n;
	unsigned k;

	if (argc != 7) {
		fprintf(stderr, "usage: memcached-bench PORT get|mget|mg|set "
		    "CONNECTIONS BATCH SECONDS PREFIX\n");
		return 2;
	}
	bench.port = (uint16_t)atoi(argv[1]);
	bench.mode = argv[2];
	bench.connections = (unsigned)atoi(argv[3]);
	bench.batch = (unsigned)atoi(argv[4]);
	bench.prefix = argv[6];
	bench.random = UINT64_C(88172645463325252);
	if (bench.connections == 0 || bench.batch == 0 ||
	    bench.batch > BATCH_MAX)
		return 2;
	memset(bench.value, 'v', VALUE);
	bench.latency_us = calloc(LATENCIES, sizeof(uint32_t));
	all = calloc(bench.connections, sizeof(*all));
	epoll_fd = epoll_create1(0);
	if (bench.latency_us == NULL || all == NULL || epoll_fd < 0)
		fail("start");
	fill();
	for (k = 0; k < bench.connections; k++) {
		all[k].fd = dial();
		e.data.ptr = &all[k];
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[k].fd, &e);
		start_batch(&all[k]);
	}
	start_ns = wk_clock_now_ns();
	end_ns = start_ns + (uint64_t)(atof(argv[5]) * 1e9);
	while (wk_clock_now_ns() < end_ns) {
		n = epoll_wait(epoll_fd, events, 256, 100);
		for (i = 0; i < n; i++)
			take(events[i].data.ptr);
	}
	qsort(bench.latency_us, bench.n_latencies, sizeof(uint32_t), compare);
	if (bench.n_latencies == 0)
		return 1;
	printf("%.0f %u %u %llu\n", (double)bench.keys * 1e9 /
	    (double)(wk_clock_now_ns() - start_ns),
	    bench.latency_us[bench.n_latencies / 2],
	    bench.latency_us[bench.n_latencies * 99 / 100],
	    (unsigned long long)bench.keys + KEYS);
	return 0;
}
