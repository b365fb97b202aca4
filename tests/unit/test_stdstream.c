/* SPDX-License-Identifier: MIT */
/* Standard input and output in the loop, whatever they are. */
#include "config.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "common/net/stdstream.h"

static struct wk_loop *loop;
static struct wk_stdin in;
static struct wk_stdout out;

static uint8_t got[1 << 20];
static size_t n_got, n_pieces, n_drained;
static unsigned n_ends, n_failures;
static int end_error, failure;

static int
setup(void **state)
{
	(void)state;
	n_got = n_pieces = n_drained = n_ends = n_failures = 0;
	end_error = failure = -1;
	loop = wk_loop_new();
	return loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	wk_stdin_free(&in);
	wk_stdout_free(&out);
	wk_loop_del(loop);
	return 0;
}

static void
on_data(void *arg, const uint8_t *data, size_t len)
{
	(void)arg;
	assert_true(len > 0 && len <= sizeof(got) - n_got);
	memcpy(got + n_got, data, len);
	n_got += len;
	n_pieces++;
}

static void
on_end(void *arg, int error_number)
{
	(void)arg;
	end_error = error_number;
	n_ends++;
}

static void
on_drained(void *arg, size_t octets)
{
	(void)arg;
	n_drained += octets;
}

static void
on_failed(void *arg, int error_number)
{
	(void)arg;
	failure = error_number;
	n_failures++;
}

static void
open_in(int fd, size_t size)
{
	assert_int_equal(wk_stdin_init(&in, loop, fd, size, on_data, on_end,
	    NULL), WK_OK);
}

static void
open_out(int fd, size_t max)
{
	assert_int_equal(wk_stdout_init(&out, loop, fd, max, on_drained,
	    on_failed, NULL), WK_OK);
}

/* All of fd until its end; the shared flags stay what they were. */
static void
read_all(int fd, size_t size)
{
	int flags = fcntl(fd, F_GETFL);

	open_in(fd, size);
	wk_stdin_release(&in);
	wk_loop_run(loop);
	assert_int_equal(n_ends, 1);
	assert_int_equal(fcntl(fd, F_GETFL), flags);
	wk_stdin_release(&in);	/* the end comes once */
	wk_loop_run(loop);
	assert_int_equal(n_ends, 1);
}

/* --- input ---------------------------------------------------------------- */

static void
test_pipe_in(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "hello, world", 12), 12);
	close(ends[1]);
	read_all(ends[0], 5);
	assert_int_equal(end_error, 0);
	assert_int_equal(n_pieces, 3);
	assert_int_equal(n_got, 12);
	assert_memory_equal(got, "hello, world", 12);
	/* Only what was opened is closed. */
	wk_stdin_free(&in);
	assert_true(fcntl(ends[0], F_GETFD) >= 0);
	close(ends[0]);
}

/* Without descriptors to spare nothing can be opened a second time. */
static void
init_shared(int fd, bool is_input)
{
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	if (is_input)
		open_in(fd, 4096);
	else
		open_out(fd, sizeof(got));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void
test_pipe_in_shared(void **state)
{
	int ends[2];
	char stolen[8];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	init_shared(ends[0], true);
	assert_true(in.stream.is_shared);
	wk_stdin_release(&in);
	/* Somebody else has read what the loop saw: we must not wait for it. */
	assert_int_equal(write(ends[1], "hello", 5), 5);
	assert_int_equal(read(ends[0], stolen, sizeof(stolen)), 5);
	in.io.ready(&in.io, WK_IO_READ);
	assert_int_equal(n_pieces + n_ends, 0);
	assert_int_equal(write(ends[1], "bye", 3), 3);
	close(ends[1]);
	wk_loop_run(loop);
	assert_int_equal(n_got, 3);
	assert_int_equal(n_ends, 1);
	assert_int_equal(end_error, 0);
	close(ends[0]);
}

/* Its writer came and went before us. */
static void
test_fifo_whose_writer_has_gone(void **state)
{
	char path[] = "/tmp/wk-fifo-XXXXXX";
	int fd = mkstemp(path), reader, writer;

	(void)state;
	close(fd);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	writer = open(path, O_WRONLY);
	assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
	unlink(path);
	assert_int_equal(write(writer, "bye", 3), 3);
	close(writer);
	read_all(reader, 100);
	assert_int_equal(end_error, 0);
	assert_int_equal(n_got, 3);
	close(reader);
}

static void
test_other_inputs(void **state)
{
	static const struct {
		const char *path;
		int flags, error_number;
	} cases[] = {
		{ "/dev/null", O_RDONLY, 0 },
		{ "/dev/null", O_WRONLY, EBADF },
		{ "/", O_RDONLY, EISDIR },
		{ "/proc/self/comm", O_RDONLY, 0 },
	};
	int fds[2], ends[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fds[0] = open(cases[i].path, cases[i].flags | O_CLOEXEC);
		n_ends = 0;
		read_all(fds[0], 100);
		assert_int_equal(end_error, cases[i].error_number);
		wk_stdin_free(&in);
		close(fds[0]);
	}
	assert_true(n_got > 0);	/* of the last one */

	/* Not open at all; told later, not from inside release. */
	n_ends = 0;
	open_in(fds[0], 100);
	wk_stdin_release(&in);
	assert_int_equal(n_ends, 0);
	wk_stdin_hold(&in);
	wk_loop_run(loop);
	assert_int_equal(n_ends, 0);
	wk_stdin_release(&in);
	wk_loop_run(loop);
	assert_int_equal(end_error, EBADF);
	wk_stdin_free(&in);

	/* A pipe open for writing only is not opened for reading. */
	assert_int_equal(pipe(ends), 0);
	n_ends = 0;
	read_all(ends[1], 100);
	assert_int_equal(end_error, EBADF);
	wk_stdin_free(&in);
	close(ends[0]);
	close(ends[1]);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "over a socket", 13), 13);
	close(fds[1]);
	n_ends = 0;
	n_got = 0;
	read_all(fds[0], 100);
	assert_int_equal(end_error, 0);
	assert_int_equal(n_got, 13);
	close(fds[0]);
}

static void
test_file_is_read_where_it_stands(void **state)
{
	char path[] = "/tmp/wk-file-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	unlink(path);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	lseek(fd, 4, SEEK_SET);
	read_all(fd, 4);
	assert_int_equal(n_got, 6);
	assert_memory_equal(got, "456789", 6);
	/* Whoever has the file next goes on from here. */
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 10);
	close(fd);
}

static void
on_data_hold(void *arg, const uint8_t *data, size_t len)
{
	on_data(arg, data, len);
	wk_stdin_hold(&in);
}

static void
test_hold(void **state)
{
	int ends[2];
	size_t i;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	open_in(ends[0], 1);
	in.data = on_data_hold;
	wk_loop_run(loop);	/* starts held */
	assert_int_equal(n_pieces, 0);
	for (i = 1; i <= 3; i++) {
		wk_stdin_release(&in);
		wk_loop_run(loop);
		assert_int_equal(n_pieces, i);
	}
	close(ends[0]);
}

static void
on_data_free(void *arg, const uint8_t *data, size_t len)
{
	on_data(arg, data, len);
	wk_stdin_free(&in);
}

static void
test_free_in_callback(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	open_in(ends[0], 1);
	in.data = on_data_free;
	wk_stdin_release(&in);
	wk_loop_run(loop);
	assert_int_equal(n_pieces, 1);
	close(ends[0]);
	close(ends[1]);
}

/* --- output --------------------------------------------------------------- */

static uint8_t
octet_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void
fill(uint8_t *data, size_t from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = octet_at(from + i);
}

static void
assert_pattern(void)
{
	size_t i;

	for (i = 0; i < n_got; i++)
		if (got[i] != octet_at(i))
			fail_msg("octet %zu", i);
}

static void
on_data_step(void *arg, const uint8_t *data, size_t len)
{
	on_data(arg, data, len);
	wk_stdin_hold(&in);
	wk_loop_stop(loop);
}

/* Far more than fits, through a queue whose octets move about. */
static void
through(int from, int to, size_t max)
{
	static uint8_t data[3000];
	size_t sent = 0, total = 600000, len, n_refused = 0;
	unsigned seed = 1;
	int flags = fcntl(to, F_GETFL), rc;

	if (out.io.loop == NULL)
		open_out(to, max);
	open_in(from, 500);	/* the writer is the faster */
	while (n_got < total) {
		seed = seed * 1103515245 + 12345;
		len = 1 + (seed >> 16) % sizeof(data);
		if (len > total - sent)
			len = total - sent;
		fill(data, sent, len);
		rc = wk_stdout_write(&out, data, len);
		if (rc == WK_OK)
			sent += len;
		else
			n_refused++;
		assert_true(rc == WK_OK || rc == WK_E_LIMIT);
		assert_true(wk_stdout_pending(&out) <= out.max);
		assert_int_equal(n_drained + wk_stdout_pending(&out), sent);
		/* One piece at a time, so that the pipe stays full for long. */
		in.data = on_data_step;
		wk_stdin_release(&in);
		wk_loop_run(loop);
	}
	assert_int_equal(n_got, total);
	assert_int_equal(n_drained, total);
	assert_true(n_refused > 0);
	assert_int_equal(n_failures, 0);
	assert_pattern();
	assert_int_equal(fcntl(to, F_GETFL), flags);
}

/* A reader who never takes all costs what he is late by, not all he got. */
static void
test_late_reader(void **state)
{
	static uint8_t data[1024];
	size_t sent = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
	open_out(ends[1], sizeof(got));
	open_in(ends[0], 4096);
	in.data = on_data_step;
	while (sent < sizeof(got)) {
		for (; sent - n_got < 16384; sent += sizeof(data)) {
			fill(data, sent, sizeof(data));
			assert_int_equal(wk_stdout_write(&out, data,
			    sizeof(data)), WK_OK);
		}
		wk_stdin_release(&in);
		wk_loop_run(loop);
	}
	assert_pattern();
	assert_true(out.queue.cap <= 65536);
	close(ends[0]);
	close(ends[1]);
}

static void
test_pipe_out(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	through(ends[0], ends[1], 5000);
	assert_false(out.stream.is_shared);
	close(ends[0]);
	close(ends[1]);
}

static void
test_pipe_out_shared(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	init_shared(ends[1], false);
	out.max = 9000;
	through(ends[0], ends[1], 0);
	assert_true(out.stream.is_shared);
	close(ends[0]);
	close(ends[1]);
}

static void
test_socket_out(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	through(fds[0], fds[1], 5000);
	close(fds[0]);
	close(fds[1]);
}

static void
test_limit(void **state)
{
	uint8_t data[100] = { 0 };

	(void)state;
	open_out(open("/dev/null", O_WRONLY | O_CLOEXEC), 100);
	assert_int_equal(wk_stdout_write(&out, data, 0), WK_OK);
	assert_int_equal(wk_stdout_write(&out, data, 101), WK_E_LIMIT);
	assert_int_equal(wk_stdout_write(&out, data, 60), WK_OK);
	assert_int_equal(wk_stdout_write(&out, data, 41), WK_E_LIMIT);
	assert_int_equal(wk_stdout_write(&out, data, 40), WK_OK);
	assert_int_equal(wk_stdout_write(&out, data, 1), WK_E_LIMIT);
	assert_int_equal(wk_stdout_pending(&out), 100);
	wk_loop_run(loop);
	assert_int_equal(n_drained, 100);
	assert_int_equal(wk_stdout_write(&out, data, 100), WK_OK);
	wk_loop_run(loop);
	assert_int_equal(n_drained, 200);
	close(out.stream.fd);
}

static void
fails_with(int fd, int error_number)
{
	n_failures = 0;
	open_out(fd, 100);
	assert_int_equal(wk_stdout_write(&out, "hello", 5), WK_OK);
	assert_int_equal(n_failures, 0);	/* not from inside */
	wk_loop_run(loop);
	assert_int_equal(n_failures, 1);
	assert_int_equal(failure, error_number);
	assert_int_equal(n_drained, 0);
	errno = 0;
	assert_int_equal(wk_stdout_write(&out, "again", 5), WK_E_SYSTEM);
	assert_int_equal(errno, error_number);
	errno = 0;
	assert_int_equal(wk_stdout_finish(&out, 0), WK_E_SYSTEM);
	assert_int_equal(errno, error_number);
	wk_loop_run(loop);
	assert_int_equal(n_failures, 1);
	wk_stdout_free(&out);
}

static void
test_failures(void **state)
{
	int ends[2], fd;

	(void)state;
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	fails_with(fd, ENOSPC);
	close(fd);
	fails_with(fd, EBADF);
	/* A closed stdout, its place taken by what cannot be written. */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fails_with(fd, EBADF);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	fails_with(ends[0], EBADF);
	close(ends[0]);
	fails_with(ends[1], EPIPE);
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[0]);
	fails_with(ends[1], EPIPE);
	close(ends[1]);
}

/* The reader leaves while we wait for it. */
static void
test_reader_leaves_a_full_pipe(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_out(ends[1], sizeof(got));
	assert_int_equal(wk_stdout_write(&out, got, sizeof(got)), WK_OK);
	open_in(ends[0], 10);
	in.data = on_data_step;
	wk_stdin_release(&in);
	wk_loop_run(loop);
	assert_true(wk_stdout_pending(&out) > 0);
	assert_int_equal(out.io.events, WK_IO_WRITE);
	wk_stdin_free(&in);
	close(ends[0]);
	/* Work for the end of the round on top: still one failure. */
	assert_int_equal(wk_stdout_write(&out, "x", 1), WK_OK);
	out.io.ready(&out.io, WK_IO_WRITE);
	wk_loop_run(loop);
	assert_int_equal(n_failures, 1);
	assert_int_equal(failure, EPIPE);
	close(ends[1]);
}

static void
test_append_to_a_file(void **state)
{
	char path[] = "/tmp/wk-file-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	unlink(path);
	assert_int_equal(write(fd, "one ", 4), 4);
	open_out(fd, 100);
	assert_int_equal(wk_stdout_write(&out, "two ", 4), WK_OK);
	assert_int_equal(wk_stdout_write(&out, "three", 5), WK_OK);
	wk_loop_run(loop);
	assert_int_equal(pread(fd, got, sizeof(got), 0), 13);
	assert_memory_equal(got, "one two three", 13);
	/* Only what was opened is closed. */
	wk_stdout_free(&out);
	assert_int_equal(close(fd), 0);
}

static void
test_finish(void **state)
{
	int ends[2], status;
	pid_t child;
	ssize_t n;
	size_t sum = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_out(ends[1], sizeof(got));
	assert_int_equal(wk_stdout_finish(&out, 0), WK_OK);
	assert_int_equal(wk_stdout_write(&out, got, sizeof(got)), WK_OK);
	assert_int_equal(wk_stdout_finish(&out, 1000000), WK_E_SYSTEM);
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(wk_stdout_pending(&out) > 0);
	/* With a reader, and without end: all of it. */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[1]);
		wk_stdout_free(&out);
		while ((n = read(ends[0], got, 1000)) > 0)
			sum += (size_t)n;
		_exit(sum == sizeof(got) ? 0 : 1);
	}
	assert_int_equal(wk_stdout_finish(&out, UINT64_MAX), WK_OK);
	assert_int_equal(wk_stdout_pending(&out), 0);
	wk_stdout_free(&out);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(n_drained, 0);
	close(ends[0]);
}

/* --- terminals ------------------------------------------------------------ */

static void
test_terminal(void **state)
{
	int master, slave;
	struct termios raw;

	(void)state;
	if (openpty(&master, &slave, NULL, NULL, NULL) < 0) {
		print_message("no terminals here\n");
		return;
	}
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	raw.c_lflag |= ICANON;	/* ^D ends input */
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	assert_int_equal(write(master, "typed\n\4", 7), 7);
	read_all(slave, 100);
	assert_true(in.stream.is_own);
	assert_int_equal(n_got, 6);
	assert_int_equal(end_error, 0);
	wk_stdin_free(&in);

	open_out(slave, 100);
	assert_true(out.stream.is_own);
	assert_int_equal(wk_stdout_write(&out, "shown", 5), WK_OK);
	wk_loop_run(loop);
	assert_int_equal(read(master, got, 100), 5);
	assert_memory_equal(got, "shown", 5);
	wk_stdout_free(&out);

	/* Opening the master again would make another terminal. */
	open_out(master, 100);
	assert_false(out.stream.is_own);
	assert_int_equal(wk_stdout_write(&out, "x\n", 2), WK_OK);
	wk_loop_run(loop);
	assert_int_equal(read(slave, got, 100), 2);
	close(master);
	close(slave);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_pipe_in),
		STREAM_TEST(test_pipe_in_shared),
		STREAM_TEST(test_fifo_whose_writer_has_gone),
		STREAM_TEST(test_other_inputs),
		STREAM_TEST(test_file_is_read_where_it_stands),
		STREAM_TEST(test_hold),
		STREAM_TEST(test_free_in_callback),
		STREAM_TEST(test_late_reader),
		STREAM_TEST(test_pipe_out),
		STREAM_TEST(test_pipe_out_shared),
		STREAM_TEST(test_socket_out),
		STREAM_TEST(test_limit),
		STREAM_TEST(test_failures),
		STREAM_TEST(test_reader_leaves_a_full_pipe),
		STREAM_TEST(test_append_to_a_file),
		STREAM_TEST(test_finish),
		STREAM_TEST(test_terminal),
	};

	signal(SIGPIPE, SIG_IGN);
	alarm(60);	/* whoever blocks fails */
	return cmocka_run_group_tests_name("stdstream", tests, NULL, NULL);
}
