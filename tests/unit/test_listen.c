/* SPDX-License-Identifier: MIT */
/* Listening, accepting, connected UDP sockets. */
#include "config.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/net/sock.h"

static char dir[] = "/tmp/wk-listen-XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static struct wk_address
address_of(const char *text)
{
	struct wk_address address;

	if (wk_address_parse(wk_str_of(text), NULL, &address, 1, NULL) != 1)
		fail_msg("%s", text);
	return address;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
assert_flags(int fd)
{
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

/* A connection to that address, not waited for. */
static int
knock(const struct wk_address *address)
{
	int fd = socket(address->sa.ss_family, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address->sa,
	    address->len), 0);
	return fd;
}

static void
test_listen_and_accept(void **state)
{
	struct wk_address at = address_of("127.0.0.1:0"), peer, own;
	char peer_text[WK_ADDRESS_TEXT_MAX], own_text[WK_ADDRESS_TEXT_MAX];
	int listener, client, fd;

	(void)state;
	listener = wk_sock_listen(&at, NULL);
	assert_true(listener >= 0);
	assert_flags(listener);
	assert_true(wk_address_port(&at) != 0);
	assert_int_equal(option(listener, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(wk_sock_accept(listener, &peer), -1);
	assert_int_equal(errno, EAGAIN);

	client = knock(&at);
	fd = wk_sock_accept(listener, &peer);
	assert_true(fd >= 0);
	assert_flags(fd);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	own.len = sizeof(own.sa);
	getsockname(client, (struct sockaddr *)&own.sa, &own.len);
	assert_string_equal(wk_address_text(&peer, peer_text),
	    wk_address_text(&own, own_text));
	close(fd);
	close(client);
	close(listener);
}

static void
test_address_in_use(void **state)
{
	struct wk_address at = address_of("127.0.0.1:0");
	char want[WK_ADDRESS_TEXT_MAX + 32], text[WK_ADDRESS_TEXT_MAX];
	struct wk_error error;
	int listener = wk_sock_listen(&at, NULL);

	(void)state;
	assert_int_equal(wk_sock_listen(&at, &error), WK_E_SYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	snprintf(want, sizeof(want), "%s: Address already in use",
	    wk_address_text(&at, text));
	assert_string_equal(error.reason, want);
	close(listener);

	at = address_of("192.0.2.77:0");
	assert_int_equal(wk_sock_listen(&at, &error), WK_E_SYSTEM);
	assert_string_equal(error.reason,
	    "192.0.2.77:0: Cannot assign requested address");
}

/* The same port for both families, whatever net.ipv6.bindv6only says. */
static void
test_ipv6_alone(void **state)
{
	struct wk_address six, four;
	int a, b = -1, i;

	(void)state;
	/* Somebody else may have that port for IPv4: then another one. */
	for (i = 0; i < 20 && b < 0; i++) {
		six = address_of("[::]:0");
		a = wk_sock_listen(&six, NULL);
		if (a < 0 && errno == EAFNOSUPPORT) {
			print_message("no IPv6 here\n");
			return;
		}
		assert_true(a >= 0);
		assert_int_equal(option(a, IPPROTO_IPV6, IPV6_V6ONLY), 1);
		four = address_of("0.0.0.0:0");
		wk_address_set_port(&four, wk_address_port(&six));
		b = wk_sock_listen(&four, NULL);	/* while a listens */
		close(a);
	}
	assert_true(b >= 0);
	close(b);
}

static void
test_unix_path(void **state)
{
	char text[WK_ADDRESS_TEXT_MAX], path[64], want[160];
	struct wk_address at, peer;
	struct wk_error error;
	struct stat before, after;
	int listener, client, fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(text, sizeof(text), "unix:%s", path);
	at = address_of(text);
	listener = wk_sock_listen(&at, NULL);
	assert_true(listener >= 0);
	assert_string_equal(wk_address_text(&at, want), text);
	client = knock(&at);
	fd = wk_sock_accept(listener, &peer);
	assert_true(fd >= 0);
	assert_flags(fd);
	assert_string_equal(wk_address_text(&peer, want), "unix:");
	close(fd);
	close(client);

	/* Somebody listens: in use, and left alone. */
	assert_int_equal(lstat(path, &before), 0);
	assert_int_equal(wk_sock_listen(&at, &error), WK_E_SYSTEM);
	snprintf(want, sizeof(want), "%s: Address already in use", text);
	assert_string_equal(error.reason, want);
	assert_int_equal(lstat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	close(listener);

	/* Nobody listens any more: taken over. */
	listener = wk_sock_listen(&at, &error);
	assert_true(listener >= 0);
	close(knock(&at));
	close(listener);
	unlink(path);

	/* Not ours to remove. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(wk_sock_listen(&at, &error), WK_E_SYSTEM);
	snprintf(want, sizeof(want), "%s: exists and is not a socket", text);
	assert_string_equal(error.reason, want);
	assert_int_equal(lstat(path, &after), 0);
	assert_true(S_ISREG(after.st_mode));
	unlink(path);

	at = address_of("unix:/no/such/directory/s");
	assert_int_equal(wk_sock_listen(&at, &error), WK_E_SYSTEM);
	assert_string_equal(error.reason,
	    "unix:/no/such/directory/s: No such file or directory");
}

static void
test_out_of_descriptors(void **state)
{
	struct wk_address at = address_of("127.0.0.1:0"), peer;
	int listener = wk_sock_listen(&at, NULL), client = knock(&at), fd;
	struct rlimit old, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fd = wk_sock_accept(listener, &peer);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, EMFILE);
	assert_true(wk_sock_is_exhausted(errno));
	/* The connection still waits. */
	fd = wk_sock_accept(listener, &peer);
	assert_true(fd >= 0);
	assert_true(wk_sock_is_exhausted(ENFILE));
	assert_true(wk_sock_is_exhausted(ENOBUFS));
	assert_true(wk_sock_is_exhausted(ENOMEM));
	assert_false(wk_sock_is_exhausted(EAGAIN));
	assert_false(wk_sock_is_exhausted(EBADF));
	close(fd);
	close(client);
	close(listener);
}

static void
test_udp_connect(void **state)
{
	struct wk_address at = address_of("127.0.0.1:0"), six;
	int peer = socket(AF_INET, SOCK_DGRAM, 0), fd;
	struct pollfd p;
	char in[8];

	(void)state;
	assert_int_equal(bind(peer, (struct sockaddr *)&at.sa, at.len), 0);
	at.len = sizeof(at.sa);
	getsockname(peer, (struct sockaddr *)&at.sa, &at.len);
	fd = wk_sock_udp_connect(&at);
	assert_true(fd >= 0);
	assert_flags(fd);
	assert_int_equal(option(fd, IPPROTO_IP, IP_MTU_DISCOVER),
	    IP_PMTUDISC_PROBE);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	p.fd = peer;
	p.events = POLLIN;
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(recv(peer, in, sizeof(in), 0), 5);
	close(peer);
	/* Connected: the peer's absence is told. */
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	p.fd = fd;
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(recv(fd, in, sizeof(in), 0), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);

	six = address_of("[::1]:9");
	fd = wk_sock_udp_connect(&six);
	if (fd < 0) {
		print_message("no IPv6 here\n");
		return;
	}
	assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER),
	    IPV6_PMTUDISC_PROBE);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen_and_accept),
		cmocka_unit_test(test_address_in_use),
		cmocka_unit_test(test_ipv6_alone),
		cmocka_unit_test(test_unix_path),
		cmocka_unit_test(test_out_of_descriptors),
		cmocka_unit_test(test_udp_connect),
	};

	alarm(60);
	return cmocka_run_group_tests_name("listen", tests, make_dir, remove_dir);
}
