/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/cli/out.h"

static const struct {
	int number;
	enum wk_signal meaning;
} known[] = {
	{ SIGINT, WK_SIGNAL_STOP },
	{ SIGTERM, WK_SIGNAL_STOP },
	{ SIGHUP, WK_SIGNAL_RELOAD },
	{ SIGUSR1, WK_SIGNAL_REPORT },
};

/* In the order of the bits of enum wk_signal. */
static volatile sig_atomic_t noted[3], stopped;
static int ends[2] = { -1, -1 };

static void
note_signal(int number)
{
	int saved = errno;

	if (number == SIGHUP) {
		noted[1] = 1;
	} else if (number == SIGUSR1) {
		noted[2] = 1;
	} else {
		if (stopped != 0) {
			signal(number, SIG_DFL);
			raise(number);
		}
		stopped = number;
		noted[0] = 1;
	}
	/* A full pipe is as readable as it can be. */
	if (write(ends[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

int
wk_signals_init(unsigned set)
{
	struct sigaction new;
	size_t i;

	if (ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return WK_E_SYSTEM;
	memset(&new, 0, sizeof(new));
	new.sa_handler = note_signal;
	sigfillset(&new.sa_mask);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if ((set & known[i].meaning) == 0)
			continue;
		/* Stopping interrupts whoever reads, the others wait. */
		new.sa_flags = known[i].meaning == WK_SIGNAL_STOP ? 0 :
		    SA_RESTART;
		if (sigaction(known[i].number, &new, NULL) < 0)
			return WK_E_SYSTEM;
	}
	return WK_OK;
}

int
wk_signals_fd(void)
{
	return ends[0];
}

unsigned
wk_signals_take(void)
{
	unsigned set = 0, i;
	char drain[64];

	while (ends[0] >= 0 && read(ends[0], drain, sizeof(drain)) > 0)
		continue;
	/*
	 * It may have come between the loop's question whether to stop and
	 * now: then nobody may wait any more.
	 */
	if (stopped != 0 && write(ends[1], "", 1) < 0)
		errno = 0;	/* full is readable, too */
	for (i = 0; i < 3; i++)
		if (noted[i] != 0) {
			noted[i] = 0;
			set |= 1u << i;
		}
	return set;
}

bool
wk_signals_are_noted(void)
{
	return noted[0] != 0 || noted[1] != 0 || noted[2] != 0;
}

int
wk_signals_stopped(void)
{
	return stopped;
}

void
wk_signals_die(void)
{
	if (stopped == 0)
		return;
	signal(stopped, SIG_DFL);
	raise(stopped);
}

void
wk_signals_obey(void)
{
	if (wk_signals_stopped() != 0 && wk_out_flush() == WK_OK)
		wk_signals_die();
}
