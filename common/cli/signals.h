/* SPDX-License-Identifier: MIT */
/*
 * Signals as facts the main loop asks about. The first SIGINT or SIGTERM asks
 * the tool to finish its unit of work; the second ends it at once. Handlers
 * only note the signal and make a descriptor readable, so that a poll() that
 * watches it never misses one.
 */
#pragma once

#include <stdbool.h>

enum wk_signal {
	WK_SIGNAL_STOP = 1 << 0,	/* SIGINT, SIGTERM */
	WK_SIGNAL_RELOAD = 1 << 1,	/* SIGHUP */
	WK_SIGNAL_REPORT = 1 << 2,	/* SIGUSR1 */
};

/*
 * Catch these (a set of enum wk_signal), SIGINT even where a shell made a
 * background job ignore it: scripts stop us with it. WK_OK or WK_E_SYSTEM.
 */
int wk_signals_init(unsigned set);

/*
 * Readable while a signal is noted and not yet taken, and for good once one
 * asked to stop; -1 before init.
 */
int wk_signals_fd(void);

/* Is there anything to take? Costs nothing, for loops that never wait. */
bool wk_signals_are_noted(void);

/* The signals noted since the last call, as a set. */
unsigned wk_signals_take(void);

/* The number of the signal that asked to stop, or 0. */
int wk_signals_stopped(void);

/* For tools with a goal: die by the signal that stopped us. */
void wk_signals_die(void);

/* The same as the last thing: only if one did, and with the output written. */
void wk_signals_obey(void);
