/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include "common/base/clock.h"

/* Passes over the tasks before descriptors and deadlines get their turn. */
#define TASK_PASSES 16

struct wk_loop {
	struct ev_loop *ev;
	uint64_t now_ns;	/* of this round */
	bool is_running, is_stopped;
	struct wk_task tasks;	/* head of a ring: those scheduled */
	ev_prepare before_wait;
	ev_check after_wait;
	ev_idle busy;		/* started while tasks are scheduled */
};

_Static_assert(sizeof(ev_io) <= sizeof(((struct wk_io *)0)->private),
    "struct wk_io holds an ev_io");
_Static_assert(sizeof(ev_timer) <= sizeof(((struct wk_timer *)0)->private),
    "struct wk_timer holds an ev_timer");

static ev_io *
io_ev(struct wk_io *io)
{
	return (ev_io *)(void *)io->private;
}

static ev_timer *
timer_ev(struct wk_timer *timer)
{
	return (ev_timer *)(void *)timer->private;
}

/* --- tasks ---------------------------------------------------------------- */

static bool
ring_is_empty(const struct wk_task *head)
{
	return head->next == head;
}

static void
ring_init(struct wk_task *head)
{
	head->prev = head->next = head;
}

static void
ring_remove(struct wk_task *task)
{
	task->prev->next = task->next;
	task->next->prev = task->prev;
	task->prev = task->next = NULL;
}

static void
ring_append(struct wk_task *head, struct wk_task *task)
{
	task->prev = head->prev;
	task->next = head;
	head->prev->next = task;
	head->prev = task;
}

/* Run what is scheduled now; what that schedules waits for the next pass. */
static void
run_pass(struct wk_loop *loop)
{
	struct wk_task pass, *task;

	ring_init(&pass);
	pass.prev = loop->tasks.prev;
	pass.next = loop->tasks.next;
	pass.prev->next = pass.next->prev = &pass;
	ring_init(&loop->tasks);
	while (!ring_is_empty(&pass)) {
		task = pass.next;
		ring_remove(task);
		task->run(task);
	}
}

static void
run_tasks(struct wk_loop *loop)
{
	int i;

	for (i = 0; i < TASK_PASSES && !ring_is_empty(&loop->tasks); i++)
		run_pass(loop);
	if (ring_is_empty(&loop->tasks))
		ev_idle_stop(loop->ev, &loop->busy);
}

void
wk_task_init(struct wk_task *task, struct wk_loop *loop,
    void (*run)(struct wk_task *task), void *arg)
{
	task->run = run;
	task->arg = arg;
	task->loop = loop;
	task->prev = task->next = NULL;
}

void
wk_task_schedule(struct wk_task *task)
{
	if (task->next != NULL)
		return;
	ring_append(&task->loop->tasks, task);
	/* The loop neither ends nor waits while there is a task. */
	ev_idle_start(task->loop->ev, &task->loop->busy);
}

void
wk_task_cancel(struct wk_task *task)
{
	if (task->next != NULL)
		ring_remove(task);
}

/* --- the loop ------------------------------------------------------------- */

static void
on_before_wait(struct ev_loop *ev, ev_prepare *w, int events)
{
	(void)ev;
	(void)events;
	run_tasks(w->data);
}

static void
on_after_wait(struct ev_loop *ev, ev_check *w, int events)
{
	struct wk_loop *loop = w->data;

	(void)ev;
	(void)events;
	loop->now_ns = wk_clock_now_ns();
}

static void
on_busy(struct ev_loop *ev, ev_idle *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
}

struct wk_loop *
wk_loop_new(void)
{
	struct wk_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->ev = ev_loop_new(EVFLAG_NOENV);
	if (loop->ev == NULL) {
		free(loop);
		return NULL;
	}
	loop->now_ns = wk_clock_now_ns();
	ring_init(&loop->tasks);
	ev_prepare_init(&loop->before_wait, on_before_wait);
	ev_check_init(&loop->after_wait, on_after_wait);
	ev_idle_init(&loop->busy, on_busy);
	loop->before_wait.data = loop->after_wait.data = loop;
	/* First after the wait: all callbacks shall see the new time. */
	ev_set_priority(&loop->after_wait, EV_MAXPRI);
	ev_prepare_start(loop->ev, &loop->before_wait);
	ev_check_start(loop->ev, &loop->after_wait);
	/* These two alone are no reason to go on. */
	ev_unref(loop->ev);
	ev_unref(loop->ev);
	return loop;
}

void
wk_loop_del(struct wk_loop *loop)
{
	if (loop == NULL)
		return;
	ev_ref(loop->ev);
	ev_ref(loop->ev);
	ev_prepare_stop(loop->ev, &loop->before_wait);
	ev_check_stop(loop->ev, &loop->after_wait);
	ev_loop_destroy(loop->ev);
	free(loop);
}

void
wk_loop_run(struct wk_loop *loop)
{
	loop->is_running = true;
	loop->is_stopped = false;
	loop->now_ns = wk_clock_now_ns();
	ev_now_update(loop->ev);
	ev_run(loop->ev, 0);
	if (loop->is_stopped)
		run_tasks(loop);
	loop->is_running = false;
}

void
wk_loop_stop(struct wk_loop *loop)
{
	loop->is_stopped = true;
	ev_break(loop->ev, EVBREAK_ALL);
}

uint64_t
wk_loop_now_ns(const struct wk_loop *loop)
{
	return loop->is_running ? loop->now_ns : wk_clock_now_ns();
}

/* --- descriptors ---------------------------------------------------------- */

_Static_assert((int)EV_READ == (int)WK_IO_READ &&
    (int)EV_WRITE == (int)WK_IO_WRITE,
    "events need no translation");

static void
on_io(struct ev_loop *ev, ev_io *w, int events)
{
	struct wk_io *io = w->data;

	(void)ev;
	io->ready(io, (unsigned)events & io->events);
}

void
wk_io_init(struct wk_io *io, struct wk_loop *loop, int fd,
    void (*ready)(struct wk_io *io, unsigned events), void *arg)
{
	io->ready = ready;
	io->arg = arg;
	io->fd = fd;
	io->events = 0;
	io->loop = loop;
	ev_io_init(io_ev(io), on_io, fd, 0);
	io_ev(io)->data = io;
}

void
wk_io_watch(struct wk_io *io, unsigned events)
{
	if (events == io->events)
		return;
	ev_io_stop(io->loop->ev, io_ev(io));
	io->events = events;
	if (events == 0)
		return;
	/* A stop may have been the last of an earlier file of that number. */
	ev_io_set(io_ev(io), io->fd, (int)events);
	ev_io_start(io->loop->ev, io_ev(io));
}

/* --- deadlines ------------------------------------------------------------ */

static void
timer_arm(struct wk_timer *timer)
{
	struct wk_loop *loop = timer->loop;
	double after;

	timer->armed_ns = timer->deadline_ns;
	/* The time of the round is libev's, too: both stand still. */
	after = timer->deadline_ns >= loop->now_ns ?
	    (double)(timer->deadline_ns - loop->now_ns) :
	    -(double)(loop->now_ns - timer->deadline_ns);
	ev_timer_set(timer_ev(timer), after / 1e9, 0.);
	ev_timer_start(loop->ev, timer_ev(timer));
}

static void
on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct wk_timer *timer = w->data;

	(void)ev;
	(void)events;
	if (timer->deadline_ns > timer->loop->now_ns) {
		timer_arm(timer);	/* was moved further away meanwhile */
		return;
	}
	timer->deadline_ns = WK_NEVER;
	timer->expired(timer);
}

void
wk_timer_init(struct wk_timer *timer, struct wk_loop *loop,
    void (*expired)(struct wk_timer *timer), void *arg)
{
	timer->expired = expired;
	timer->arg = arg;
	timer->deadline_ns = timer->armed_ns = WK_NEVER;
	timer->loop = loop;
	ev_timer_init(timer_ev(timer), on_timer, 0., 0.);
	timer_ev(timer)->data = timer;
}

void
wk_timer_set(struct wk_timer *timer, uint64_t deadline_ns)
{
	timer->deadline_ns = deadline_ns;
	/* Armed early enough: on_timer() sees what is left then. */
	if (deadline_ns != WK_NEVER && ev_is_active(timer_ev(timer)) &&
	    timer->armed_ns <= deadline_ns)
		return;
	ev_timer_stop(timer->loop->ev, timer_ev(timer));
	if (deadline_ns != WK_NEVER)
		timer_arm(timer);
}
