/* SPDX-License-Identifier: MIT */
/*
 * What a tool says to people, on stderr: one sentence per cause, in front of
 * it the tool's name. Also the little state that all faces of a tool share.
 * Any thread may speak: sentences do not mix, nor does their JSON with that of
 * another sentence (with other records it does).
 */
#pragma once

#include <stdbool.h>

#include "common/base/error.h"

enum wk_color {
	WK_COLOR_AUTO,
	WK_COLOR_ALWAYS,
	WK_COLOR_NEVER,
};

struct wk_cli {
	const char *name;	/* of the tool, without its directory */
	unsigned verbose;	/* 1 conversation, 2 frames, 3 octets */
	bool is_quiet;		/* no notices, no progress, no summary */
	bool is_json;		/* NDJSON on stdout; errors appear there too */
	int color;		/* enum wk_color */
};

extern struct wk_cli wk_cli;

/*
 * First call of main: the name, the locale of the environment for character
 * types, and file descriptors 0 to 2 occupied, so that no socket ever becomes
 * somebody's stdout. A closed stdout still fails when written to.
 */
void wk_cli_init(const char *argv0);

/* May colour be used on this descriptor? Option, NO_COLOR, TERM, tty. */
bool wk_color_on(int fd);

/*
 * "tool: sentence". With --json the same sentence also becomes
 * {"event":"error","message":…} on stdout.
 */
void wk_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with ": reason of errnum" behind it. */
void wk_warn_errno(int errnum, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "tool: name: byte N: reason", for input that breaks its format. */
void wk_warn_input(const char *name, const struct wk_error *error);

/* "tool: warning: sentence", not an error; silent with --quiet. */
void wk_caution(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "tool: sentence" for something worth knowing; silent with --quiet. */
void wk_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "* sentence" when --verbose was given at least level times. */
void wk_verbose(unsigned level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line of a conversation at that level: '>' sent, '<' received, '*' noted. */
void wk_verbose_line(unsigned level, char mark, const char *text);
