/* SPDX-License-Identifier: MIT */
/*
 * Connecting: which addresses are tried and in what order. The AAAA answers
 * here hold IPv4 addresses of the loopback, so that no IPv6 is needed.
 */
#include "config.h"

#include "tests/unit/unit.h"
#include "tests/unit/resolver.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>

static struct wk_loop *loop;
static uint16_t port;
static int listener, blackhole, fillers[3];
static size_t n_open;

/*
 * The trace of a dial, N standing for 127.0.0.N: "+N" for an attempt, "!N" for
 * its failure, "=N" for the connection, "=" for none.
 */
static char trace[128], reason[256];
static int connected;
static unsigned n_done;

static void
mark(const char *what, const struct wk_address *address)
{
	char text[WK_ADDRESS_TEXT_MAX] = "127.0.0.";
	size_t skip = strlen(text);

	if (address != NULL && address->sa.ss_family != AF_UNIX)
		wk_address_host_text(address, text);
	assert_true(strlen(trace) + strlen(what) + strlen(text + skip) + 2 <
	    sizeof(trace));
	strcat(trace, what);
	strcat(trace, text + skip);
	strcat(trace, " ");
}

static void
on_attempt(void *arg, const struct wk_address *address, const char *failure)
{
	(void)arg;
	mark(failure == NULL ? "+" : "!", address);
}

static void
on_done(void *arg, int fd, const struct wk_address *peer, const char *why)
{
	(void)arg;
	assert_true((fd >= 0) == (peer != NULL) && (fd < 0) == (why != NULL));
	mark("=", peer);
	connected = fd;
	snprintf(reason, sizeof(reason), "%s", why == NULL ? "" : why);
	n_done++;
}

/* --- who listens ---------------------------------------------------------- */

static int
listen_on(const char *ip, uint16_t *at)
{
	struct wk_address address;
	struct wk_error error;
	int fd;

	assert_int_equal(wk_address_from_ip(&address, wk_str_of(ip), *at), WK_OK);
	fd = wk_sock_listen(&address, &error);
	*at = wk_address_port(&address);
	return fd;
}

/* Its queue is full: the kernel drops what else wants to come in. */
static void
make_blackhole(void)
{
	struct wk_address address;
	size_t i;

	wk_address_from_ip(&address, wk_str_of("127.0.0.2"), port);
	assert_int_equal(listen(blackhole, 0), 0);
	for (i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(connect(fillers[i],
		    (struct sockaddr *)&address.sa, address.len) == 0 ||
		    errno == EINPROGRESS);
	}
}

/* The same port on two addresses: try until one is free on both. */
static int
group_setup(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		port = 0;
		listener = listen_on("127.0.0.1", &port);
		blackhole = listen_on("127.0.0.2", &port);
		if (listener >= 0 && blackhole >= 0) {
			make_blackhole();
			return 0;
		}
		close(listener);
	}
	return -1;
}

static size_t
count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static int
setup(void **state)
{
	struct wk_address peer;
	int fd;

	(void)state;
	/* What tests before have left in the queue. */
	while ((fd = wk_sock_accept(listener, &peer)) >= 0)
		close(fd);
	resolver_reset();
	n_open = count_open();
	trace[0] = reason[0] = '\0';
	connected = -1;
	n_done = 0;
	loop = wk_loop_new();
	return loop == NULL ? -1 : 0;
}

/* Nothing stays open, whatever the threads still do. */
static int
teardown(void **state)
{
	(void)state;
	if (connected >= 0)
		close(connected);
	wk_loop_del(loop);
	n_open -= count_open();
	resolver_release();
	return n_open == 0 ? 0 : -1;
}

static void
next(void)
{
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(setup(NULL), 0);
}

static void
start(const char *host, uint64_t timeout_ns, int family)
{
	struct wk_dial_options options = {
		.host = host,
		.port = port,
		.family = family,
		.timeout_ns = timeout_ns,
		.attempt = on_attempt,
	};

	assert_non_null(wk_dial_start(loop, &options, on_done, NULL));
	memset(&options, 0xff, sizeof(options));
	assert_string_equal(trace, "");	/* nothing before start returns */
}

static void
dial(const char *host)
{
	start(host, 0, AF_UNSPEC);
	wk_loop_run(loop);
	assert_int_equal(n_done, 1);
}

static void
answers(const char *aaaa, const char *a)
{
	resolver_add((struct answer){ "name", AF_INET6,
	    aaaa == NULL ? EAI_NODATA : 0, aaaa, false });
	resolver_add((struct answer){ "name", AF_INET,
	    a == NULL ? EAI_NODATA : 0, a, false });
}

/* --- which one ------------------------------------------------------------ */

static void
test_order(void **state)
{
	/* 1 listens, 2 is a black hole, all others refuse. */
	static const struct {
		const char *aaaa, *a, *want;
	} cases[] = {
		{ "127.0.0.1 ", NULL, "+1 =1 " },
		{ NULL, "127.0.0.1 ", "+1 =1 " },
		{ "127.0.0.3 ", "127.0.0.1 ", "+3 !3 +1 =1 " },
		{ "127.0.0.3 127.0.0.4 ", "127.0.0.5 127.0.0.1 ",
		  "+3 !3 +5 !5 +4 !4 +1 =1 " },
		/* A black hole costs the delay, and its end is not awaited. */
		{ "127.0.0.2 ", "127.0.0.1 ", "+2 +1 =1 " },
		{ "127.0.0.2 127.0.0.2 ", "127.0.0.3 127.0.0.1 ",
		  "+2 +3 !3 +2 +1 =1 " },
		{ "127.0.0.3 ", "127.0.0.4 ", "+3 !3 +4 !4 = " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		next();
		answers(cases[i].aaaa, cases[i].a);
		/* Both answers at once, or the first one alone would start. */
		start("name", 0, AF_UNSPEC);
		resolver_wait_asked(2);
		resolver_release();
		wk_loop_run(loop);
		assert_string_equal(trace, cases[i].want);
	}
}

static void
test_socket_is_ready_for_use(void **state)
{
	int nodelay = 0;
	socklen_t len = sizeof(nodelay);

	(void)state;
	dial("127.0.0.1");
	assert_string_equal(trace, "+1 =1 ");
	assert_true((fcntl(connected, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(connected, F_GETFD) & FD_CLOEXEC) != 0);
	getsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
	assert_int_equal(nodelay, 1);
	assert_int_equal(resolver_count(), 0);
}

static void
test_answer_that_never_comes(void **state)
{
	(void)state;
	resolver_add((struct answer){ "name", AF_INET6, 0, "", true });
	resolver_add((struct answer){ "name", AF_INET, 0, "127.0.0.1 ", false });
	dial("name");
	assert_string_equal(trace, "+1 =1 ");
}

static void
test_family(void **state)
{
	(void)state;
	answers("127.0.0.3 ", "127.0.0.1 ");
	start("name", 0, AF_INET);
	wk_loop_run(loop);
	assert_string_equal(trace, "+1 =1 ");
	assert_int_equal(resolver_count(), 1);
}

/* --- why not -------------------------------------------------------------- */

static void
test_reasons(void **state)
{
	char want[128];

	(void)state;
	dial("127.0.0.3");
	assert_string_equal(reason, "Connection refused");

	next();
	answers("127.0.0.3 ", NULL);
	dial("name");
	snprintf(want, sizeof(want), "127.0.0.3:%u: Connection refused", port);
	assert_string_equal(reason, want);

	next();
	dial("unknown");
	assert_string_equal(reason, gai_strerror(EAI_NONAME));

	/* The resolver's trouble says more than a family that is not there. */
	next();
	resolver_add((struct answer){ "ill", AF_INET6, EAI_AGAIN, "", false });
	resolver_add((struct answer){ "ill", AF_INET, EAI_NODATA, "", false });
	dial("ill");
	assert_string_equal(reason, gai_strerror(EAI_AGAIN));

	/* And what a host said more than that there is no way to another. */
	next();
	answers("127.0.0.3 ", "255.255.255.255 ");
	dial("name");
	assert_string_equal(reason, want);
}

static void
test_timeout(void **state)
{
	(void)state;
	start("127.0.0.2", 20000000, AF_UNSPEC);
	wk_loop_run(loop);
	assert_string_equal(trace, "+2 = ");
	assert_string_equal(reason, "no connection after 0.02 s");

	next();
	resolver_add((struct answer){ "held", AF_INET, 0, "", true });
	start("held", 20000000, AF_INET);
	wk_loop_run(loop);
	assert_string_equal(trace, "= ");
	assert_string_equal(reason, "no address known after 0.02 s");
}

/* --- giving up, and again ------------------------------------------------- */

static void
on_cancel(struct wk_timer *timer)
{
	wk_dial_cancel(timer->arg);
}

static void
test_cancel(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.2", "held" };
	struct wk_dial_options options = { .port = port, .attempt = on_attempt };
	struct wk_timer timer;
	struct wk_dial *d;
	size_t i;

	(void)state;
	resolver_add((struct answer){ "held", AF_INET, 0, "", true });
	resolver_add((struct answer){ "held", AF_INET6, 0, "", true });
	for (i = 0; i < 3; i++) {
		options.host = hosts[i];
		d = wk_dial_start(loop, &options, on_done, NULL);
		assert_non_null(d);
		wk_dial_cancel(d);
	}
	wk_loop_run(loop);
	assert_string_equal(trace, "");
	for (i = 1; i < 3; i++) {
		options.host = hosts[i];
		d = wk_dial_start(loop, &options, on_done, NULL);
		wk_timer_init(&timer, loop, on_cancel, d);
		wk_timer_set(&timer, wk_loop_now_ns(loop) + 1000000);
		wk_loop_run(loop);
	}
	assert_string_equal(trace, "+2 ");
	assert_int_equal(n_done, 0);
}

static void
on_done_again(void *arg, int fd, const struct wk_address *peer, const char *why)
{
	struct wk_dial_options options = { .host = "127.0.0.1", .port = port };

	(void)arg;
	(void)peer;
	assert_true(fd < 0 && why != NULL);
	mark("again", NULL);
	assert_non_null(wk_dial_start(loop, &options, on_done, NULL));
}

static void
test_again_from_done(void **state)
{
	struct wk_dial_options options = { .host = "127.0.0.3", .port = port };

	(void)state;
	assert_non_null(wk_dial_start(loop, &options, on_done_again, NULL));
	wk_loop_run(loop);
	assert_string_equal(trace, "again =1 ");
}

/* --- local addresses, paths ----------------------------------------------- */

static void
test_bind(void **state)
{
	struct wk_address local, peer;
	struct wk_dial_options options = {
		.host = "localhost", .port = port, .attempt = on_attempt,
		.bind = &local, .n_bind = 1,
	};
	char text[WK_ADDRESS_TEXT_MAX];
	int fd;

	(void)state;
	wk_address_from_ip(&local, wk_str_of("127.0.0.9"), 0);
	wk_dial_start(loop, &options, on_done, NULL);
	memset(&local, 0xff, sizeof(local));
	wk_loop_run(loop);
	/* ::1 cannot be reached from there, so it is not tried. */
	assert_string_equal(trace, "+1 =1 ");
	fd = wk_sock_accept(listener, &peer);
	assert_true(fd >= 0);
	assert_string_equal(wk_address_host_text(&peer, text), "127.0.0.9");
	close(fd);
	close(connected);

	connected = -1;
	trace[0] = '\0';
	wk_address_from_ip(&local, wk_str_of("127.0.0.9"), 0);
	options.family = AF_INET6;
	wk_dial_start(loop, &options, on_done, NULL);
	wk_loop_run(loop);
	assert_string_equal(trace, "= ");
	assert_string_equal(reason, "the local address is of another family");

	trace[0] = '\0';
	options.family = AF_UNSPEC;
	wk_address_from_ip(&local, wk_str_of("192.0.2.77"), 0);
	wk_dial_start(loop, &options, on_done, NULL);
	wk_loop_run(loop);
	assert_string_equal(trace, "+1 !1 = ");
	assert_non_null(strstr(reason, "Cannot assign requested address"));
}

static void
test_path(void **state)
{
	char dir[] = "/tmp/wk-dial-XXXXXX", path[64], long_path[200];
	struct wk_dial_options options = { .unix_path = path };
	struct wk_address address;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	wk_dial_start(loop, &options, on_done, NULL);
	wk_loop_run(loop);
	assert_string_equal(reason, "No such file or directory");

	assert_int_equal(wk_address_from_unix(&address, wk_str_of(path)), WK_OK);
	fd = wk_sock_listen(&address, NULL);
	assert_true(fd >= 0);
	wk_dial_start(loop, &options, on_done, NULL);
	wk_loop_run(loop);
	assert_string_equal(reason, "");
	assert_true(connected >= 0);

	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	options.unix_path = long_path;
	trace[0] = '\0';
	close(connected);
	wk_dial_start(loop, &options, on_done, NULL);
	wk_loop_run(loop);
	assert_string_equal(reason, "expected a path of 1 to 107 octets");
	close(fd);
	unlink(path);
	rmdir(dir);
}

#define DIAL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DIAL_TEST(test_order),
		DIAL_TEST(test_socket_is_ready_for_use),
		DIAL_TEST(test_answer_that_never_comes),
		DIAL_TEST(test_family),
		DIAL_TEST(test_reasons),
		DIAL_TEST(test_timeout),
		DIAL_TEST(test_cancel),
		DIAL_TEST(test_again_from_done),
		DIAL_TEST(test_bind),
		DIAL_TEST(test_path),
	};

	alarm(60);	/* a connection that never ends fails */
	return cmocka_run_group_tests_name("dial", tests, group_setup, NULL);
}
