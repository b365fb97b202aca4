/* SPDX-License-Identifier: MIT */
/*
 * The event loop: descriptors, deadlines, and a moment before each wait. It
 * hides libev; nobody above sees an ev_*. One loop, one thread. Watchers are
 * the caller's storage, embedded in whatever they belong to; a watcher that is
 * started must not move, and may be stopped or freed inside any callback,
 * its own too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wk_loop;

/* NULL when there is no memory or no kernel interface to wait on. */
struct wk_loop *wk_loop_new(void);

/* All watchers must be stopped. NULL is fine. */
void wk_loop_del(struct wk_loop *loop);

/*
 * Run until wk_loop_stop(), or until no watcher and no task is left. Time
 * stands still during one round of callbacks. Not to be nested.
 */
void wk_loop_run(struct wk_loop *loop);

/*
 * From inside a callback: wk_loop_run() returns at the end of this round, its
 * tasks included. It may be run again; what is still watched goes on then.
 */
void wk_loop_stop(struct wk_loop *loop);

/*
 * The monotonic time of this round, or now when the loop does not run; the
 * same clock as wk_clock_now_ns().
 */
uint64_t wk_loop_now_ns(const struct wk_loop *loop);

enum wk_io_events {
	WK_IO_READ = 1 << 0,
	WK_IO_WRITE = 1 << 1,
};

/*
 * A descriptor, which is open as long as it is watched. A regular file is
 * always ready.
 */
struct wk_io {
	void (*ready)(struct wk_io *io, unsigned events); /* set by init */
	void *arg;
	int fd;
	unsigned events;	/* what is watched now; 0: stopped */
	struct wk_loop *loop;
	_Alignas(8) unsigned char private[64];
};

void wk_io_init(struct wk_io *io, struct wk_loop *loop, int fd,
    void (*ready)(struct wk_io *io, unsigned events), void *arg);

/* Watch for these and no others; 0 stops. Cheap when nothing changes. */
void wk_io_watch(struct wk_io *io, unsigned events);

#define WK_NEVER UINT64_MAX

/* A deadline on the loop's clock. */
struct wk_timer {
	void (*expired)(struct wk_timer *timer); /* set by init */
	void *arg;
	uint64_t deadline_ns;	/* WK_NEVER: stopped */
	uint64_t armed_ns;	/* private: when to look at deadline_ns */
	struct wk_loop *loop;
	_Alignas(8) unsigned char private[48];
};

void wk_timer_init(struct wk_timer *timer, struct wk_loop *loop,
    void (*expired)(struct wk_timer *timer), void *arg);

/*
 * Expire once at that time, in the next round if it is over, never early;
 * WK_NEVER stops. As late as a millisecond is usual: the kernel's wait knows
 * nothing finer.
 * Moving a deadline further away costs next to nothing, so that idle
 * deadlines may be set on every packet.
 */
void wk_timer_set(struct wk_timer *timer, uint64_t deadline_ns);

/*
 * Work that waits for the end of the round: run once, after the callbacks of
 * this round and before the loop waits again. What a round has produced is
 * written in one go there. Scheduling twice runs it once; it may be scheduled
 * again from inside, and then runs before the wait too. For fairness the tasks
 * are run over at most 16 times then; while some are left after that the loop
 * does not wait, but looks after descriptors and deadlines that are due in
 * between.
 */
struct wk_task {
	void (*run)(struct wk_task *task); /* set by init */
	void *arg;
	struct wk_loop *loop;
	struct wk_task *prev, *next;	/* private */
};

void wk_task_init(struct wk_task *task, struct wk_loop *loop,
    void (*run)(struct wk_task *task), void *arg);
void wk_task_schedule(struct wk_task *task);
void wk_task_cancel(struct wk_task *task);
