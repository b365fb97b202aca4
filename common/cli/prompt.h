/* SPDX-License-Identifier: MIT */
/*
 * A prompt in the event loop, over readline: lines with history and
 * completion, and what is said goes above the line that is being typed.
 * readline knows one conversation per process, so there is one.
 */
#pragma once

#include <stdbool.h>

#include "common/net/loop.h"

struct wk_prompt {		/* borrowed from begin to end */
	const char *text;	/* "capsule> " */
	/* A line that is not empty, without blanks in front; NULL: Ctrl-D. */
	void (*line)(const char *line);
	/* The next of the words that begin with text, heap; state 0: first. */
	char *(*word)(const char *text, int state);
	/* Words fit only a line's first word, and behind this one; or NULL. */
	const char *completed_command;
};

/*
 * Begin to read from the terminal, with what was typed in earlier runs, which
 * $XDG_STATE_HOME/wirekit/TOOL-history holds.
 */
void wk_prompt_begin(struct wk_loop *loop, const struct wk_prompt *prompt);

/* End it, remember the lines; once more does no harm. */
void wk_prompt_end(void);

/* Around what is written to the result stream while there is a prompt. */
void wk_prompt_hide(void);
void wk_prompt_show(void);

/* A line, from inside of line, or between hide and show. */
void wk_prompt_say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
