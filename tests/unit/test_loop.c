/* SPDX-License-Identifier: MIT */
/* The event loop: order of callbacks, lazy deadlines, watchers that vanish. */
#include "config.h"

#include "tests/unit/unit.h"

#include <fcntl.h>

#include "common/base/clock.h"
#include "common/net/loop.h"

static struct wk_loop *loop;
static char trace[64];

static void
mark(char c)
{
	size_t len = strlen(trace);

	assert_true(len + 1 < sizeof(trace));
	trace[len] = c;
	trace[len + 1] = '\0';
}

static int
setup(void **state)
{
	(void)state;
	trace[0] = '\0';
	loop = wk_loop_new();
	return loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	wk_loop_del(loop);
	return 0;
}

/* A pipe; with something in it, its reading end is ready. */
static void
make_pipe(int ends[2], bool is_ready)
{
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	if (is_ready)
		assert_int_equal(write(ends[1], "x", 1), 1);
}

static void
close_pipe(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static void
on_ready_stop(struct wk_io *io, unsigned events)
{
	assert_int_equal(events, io->events);
	mark('r');
	wk_io_watch(io, 0);
}

static void
on_expired(struct wk_timer *timer)
{
	uint64_t *deadline_ns = timer->arg;

	mark('e');
	assert_true(timer->deadline_ns == WK_NEVER);
	if (deadline_ns != NULL)
		assert_true(wk_loop_now_ns(loop) >= *deadline_ns);
}

/* --- running -------------------------------------------------------------- */

static void
test_ends_by_itself(void **state)
{
	(void)state;
	wk_loop_run(loop);
	wk_loop_run(loop);
}

static void
on_time_passes(struct wk_task *task)
{
	uint64_t round = wk_loop_now_ns(loop), start = wk_clock_now_ns();

	(void)task;
	while (wk_clock_now_ns() == start)
		continue;
	assert_true(wk_loop_now_ns(loop) == round);
	mark('t');
}

static void
test_time_stands_still(void **state)
{
	struct wk_task task;
	uint64_t before;

	(void)state;
	wk_task_init(&task, loop, on_time_passes, NULL);
	wk_task_schedule(&task);
	wk_loop_run(loop);
	assert_string_equal(trace, "t");
	before = wk_clock_now_ns();
	assert_true(wk_loop_now_ns(loop) >= before);
}

static void
on_mark(struct wk_task *task)
{
	mark(*(const char *)task->arg);
}

static void
on_ready_schedule(struct wk_io *io, unsigned events)
{
	struct wk_task *task = io->arg;

	(void)events;
	mark('r');
	wk_task_schedule(task);
	wk_task_schedule(task);
	wk_loop_stop(loop);
	wk_io_watch(io, 0);
}

static void
test_stop_finishes_the_round(void **state)
{
	struct wk_task task;
	struct wk_io first, second;
	int a[2], b[2];

	(void)state;
	make_pipe(a, true);
	make_pipe(b, true);
	wk_task_init(&task, loop, on_mark, "t");
	wk_io_init(&first, loop, a[0], on_ready_schedule, &task);
	wk_io_init(&second, loop, b[0], on_ready_stop, NULL);
	wk_io_watch(&first, WK_IO_READ);
	wk_io_watch(&second, WK_IO_READ);
	wk_loop_run(loop);
	assert_string_equal(trace, "rrt");
	/* Nothing is left of the stop. */
	wk_task_schedule(&task);
	wk_loop_run(loop);
	assert_string_equal(trace, "rrtt");
	close_pipe(a);
	close_pipe(b);
}

/* --- tasks ---------------------------------------------------------------- */

struct repeater {
	struct wk_task task;
	unsigned left;
};

static void
on_repeat(struct wk_task *task)
{
	struct repeater *r = task->arg;

	mark('t');
	if (--r->left > 0)
		wk_task_schedule(task);
}

static void
test_tasks_before_the_wait(void **state)
{
	struct repeater r = { .left = 5 };
	struct wk_io io;
	int ends[2];

	(void)state;
	make_pipe(ends, true);
	wk_task_init(&r.task, loop, on_repeat, &r);
	wk_task_schedule(&r.task);
	wk_io_init(&io, loop, ends[0], on_ready_stop, NULL);
	wk_io_watch(&io, WK_IO_READ);
	wk_loop_run(loop);
	assert_string_equal(trace, "tttttr");
	close_pipe(ends);
}

static void
on_endless(struct wk_task *task)
{
	if (strlen(trace) < 2)
		wk_task_schedule(task);
}

static void
test_endless_task_starves_nobody(void **state)
{
	struct wk_task task;
	struct wk_timer timer;
	struct wk_io io;
	int ends[2];

	(void)state;
	make_pipe(ends, true);
	wk_task_init(&task, loop, on_endless, NULL);
	wk_task_schedule(&task);
	wk_io_init(&io, loop, ends[0], on_ready_stop, NULL);
	wk_io_watch(&io, WK_IO_READ);
	wk_timer_init(&timer, loop, on_expired, NULL);
	wk_timer_set(&timer, wk_loop_now_ns(loop) + 1000000);
	wk_loop_run(loop);
	assert_string_equal(trace, "re");
	close_pipe(ends);
}

static void
test_scheduled_twice(void **state)
{
	struct wk_task a, b;

	(void)state;
	wk_task_init(&a, loop, on_mark, "a");
	wk_task_init(&b, loop, on_mark, "b");
	wk_task_schedule(&a);
	wk_task_schedule(&b);
	wk_task_schedule(&a);
	wk_loop_run(loop);
	assert_string_equal(trace, "ab");
}

static void
on_expired_schedule(struct wk_timer *timer)
{
	mark('e');
	wk_task_schedule(timer->arg);
}

/* Nobody else would keep the loop going. */
static void
test_task_of_the_last_callback(void **state)
{
	struct wk_timer timer;
	struct wk_task task;

	(void)state;
	wk_task_init(&task, loop, on_mark, "t");
	wk_timer_init(&timer, loop, on_expired_schedule, &task);
	wk_timer_set(&timer, wk_loop_now_ns(loop));
	wk_loop_run(loop);
	assert_string_equal(trace, "et");
}

static void
on_cancel(struct wk_task *task)
{
	mark('c');
	wk_task_cancel(task->arg);
	wk_task_cancel(task);
}

static void
test_cancelled_task(void **state)
{
	struct wk_task canceller, task;

	(void)state;
	wk_task_init(&task, loop, on_mark, "t");
	wk_task_init(&canceller, loop, on_cancel, &task);
	/* In the same pass. */
	wk_task_schedule(&canceller);
	wk_task_schedule(&task);
	wk_loop_run(loop);
	assert_string_equal(trace, "c");
	/* The last one: nothing to stay for. */
	wk_task_schedule(&task);
	wk_task_cancel(&task);
	wk_loop_run(loop);
	assert_string_equal(trace, "c");
}

/* --- deadlines ------------------------------------------------------------ */

static void
test_deadlines_in_order(void **state)
{
	uint64_t now = wk_loop_now_ns(loop);
	uint64_t at[] = { 0, now, now + 3000000, now + 9000000 };
	struct wk_timer timers[4];
	size_t i;

	(void)state;
	for (i = 4; i-- > 0;) {
		wk_timer_init(&timers[i], loop, on_expired, &at[i]);
		wk_timer_set(&timers[i], at[i]);
	}
	wk_loop_run(loop);
	assert_string_equal(trace, "eeee");
}

static void
test_later_is_cheap_and_kept(void **state)
{
	uint64_t now = wk_loop_now_ns(loop), first = now + 1000000;
	uint64_t later = now + 20000000;
	struct wk_timer timer;

	(void)state;
	wk_timer_init(&timer, loop, on_expired, &later);
	wk_timer_set(&timer, first);
	assert_true(timer.armed_ns == first);
	wk_timer_set(&timer, later);
	/* Not armed again, and yet not early. */
	assert_true(timer.armed_ns == first);
	assert_true(timer.deadline_ns == later);
	wk_loop_run(loop);
	assert_string_equal(trace, "e");
	assert_true(timer.armed_ns == later);
}

static void
test_nearer_and_never(void **state)
{
	uint64_t hour = 3600 * WK_NS_PER_SEC, now = wk_loop_now_ns(loop);
	struct wk_timer near, never;

	(void)state;
	wk_timer_init(&near, loop, on_expired, NULL);
	wk_timer_init(&never, loop, on_expired, NULL);
	wk_timer_set(&near, now + hour);
	wk_timer_set(&never, now + hour);
	wk_timer_set(&near, now);
	wk_timer_set(&never, WK_NEVER);
	wk_loop_run(loop);
	assert_string_equal(trace, "e");
}

static void
on_expired_stop_other(struct wk_timer *timer)
{
	struct wk_timer **others = timer->arg;
	size_t i;

	mark('e');
	for (i = 0; i < 2; i++) {
		wk_timer_set(others[i], WK_NEVER);
		free(others[i]);
	}
}

static void
test_timer_freed_by_another(void **state)
{
	struct wk_timer *both[2];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		both[i] = malloc(sizeof(*both[i]));
		assert_non_null(both[i]);
		wk_timer_init(both[i], loop, on_expired_stop_other, both);
		wk_timer_set(both[i], wk_loop_now_ns(loop));
	}
	wk_loop_run(loop);
	assert_string_equal(trace, "e");
}

static void
on_expired_again(struct wk_timer *timer)
{
	mark('e');
	if (strlen(trace) < 3)
		wk_timer_set(timer, wk_loop_now_ns(loop));
}

static void
test_timer_set_by_itself(void **state)
{
	struct wk_timer timer;

	(void)state;
	wk_timer_init(&timer, loop, on_expired_again, NULL);
	wk_timer_set(&timer, 1);
	wk_loop_run(loop);
	assert_string_equal(trace, "eee");
}

/* --- descriptors ---------------------------------------------------------- */

static void
on_ready_free_both(struct wk_io *io, unsigned events)
{
	struct wk_io **both = io->arg;
	size_t i;

	(void)events;
	mark('r');
	for (i = 0; i < 2; i++) {
		wk_io_watch(both[i], 0);
		close(both[i]->fd);
		free(both[i]);
	}
}

static void
test_io_freed_by_another(void **state)
{
	struct wk_io *both[2];
	int ends[2][2];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		make_pipe(ends[i], true);
		both[i] = malloc(sizeof(*both[i]));
		assert_non_null(both[i]);
		wk_io_init(both[i], loop, ends[i][0], on_ready_free_both, both);
		wk_io_watch(both[i], WK_IO_READ);
	}
	wk_loop_run(loop);
	assert_string_equal(trace, "r");
	close(ends[0][1]);
	close(ends[1][1]);
}

/* A new file under the number of an old one, within one round. */
static void
on_ready_replace(struct wk_io *io, unsigned events)
{
	int *number = io->arg, ends[2];

	(void)events;
	mark('r');
	wk_io_watch(io, 0);
	if (strlen(trace) > 1)
		return;
	make_pipe(ends, true);
	assert_int_equal(dup2(ends[0], *number), *number);
	close(ends[0]);
	close(ends[1]);
	wk_io_watch(io, WK_IO_READ);
}

static void
test_number_reused(void **state)
{
	struct wk_io io;
	int ends[2], number;

	(void)state;
	make_pipe(ends, true);
	number = ends[0];
	wk_io_init(&io, loop, number, on_ready_replace, &number);
	wk_io_watch(&io, WK_IO_READ);
	wk_loop_run(loop);
	assert_string_equal(trace, "rr");
	close_pipe(ends);
}

/* What epoll(7) refuses. */
static void
test_always_ready(void **state)
{
	static const char *const paths[] = { "/proc/self/exe", "/dev/full", "/" };
	struct wk_io io;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		trace[0] = '\0';
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		wk_io_init(&io, loop, fd, on_ready_stop, NULL);
		wk_io_watch(&io, WK_IO_READ);
		wk_loop_run(loop);
		assert_string_equal(trace, "r");
		close(fd);
	}
}

static void
on_either(struct wk_io *io, unsigned events)
{
	mark(events == WK_IO_WRITE ? 'w' : events == WK_IO_READ ? 'r' : 'b');
	wk_io_watch(io, strlen(trace) < 2 ? (unsigned)WK_IO_READ : 0u);
}

static void
test_events_change(void **state)
{
	struct wk_io io;
	int ends[2];

	(void)state;
	make_pipe(ends, true);
	wk_io_init(&io, loop, ends[1], on_either, NULL);
	wk_io_watch(&io, WK_IO_READ);
	wk_io_watch(&io, WK_IO_WRITE);
	close(ends[0]);		/* then even reading is told of */
	wk_loop_run(loop);
	assert_string_equal(trace, "wr");
	close(ends[1]);
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(test_ends_by_itself),
		LOOP_TEST(test_time_stands_still),
		LOOP_TEST(test_stop_finishes_the_round),
		LOOP_TEST(test_tasks_before_the_wait),
		LOOP_TEST(test_endless_task_starves_nobody),
		LOOP_TEST(test_scheduled_twice),
		LOOP_TEST(test_task_of_the_last_callback),
		LOOP_TEST(test_cancelled_task),
		LOOP_TEST(test_deadlines_in_order),
		LOOP_TEST(test_later_is_cheap_and_kept),
		LOOP_TEST(test_nearer_and_never),
		LOOP_TEST(test_timer_freed_by_another),
		LOOP_TEST(test_timer_set_by_itself),
		LOOP_TEST(test_io_freed_by_another),
		LOOP_TEST(test_number_reused),
		LOOP_TEST(test_always_ready),
		LOOP_TEST(test_events_change),
	};

	alarm(60);	/* a loop that never ends fails */
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
