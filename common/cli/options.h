/* SPDX-License-Identifier: MIT */
/*
 * The command line from one table per tool: parsing, --help and the checks of
 * values all come from it. Options that every tool has (-h -V -v, and -q -j
 * --color where the tool says so) live here, once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum wk_option_kind {
	WK_OPT_GROUP,	/* no option: help is a heading in --help */
	WK_OPT_FLAG,	/* bool */
	WK_OPT_COUNT,	/* unsigned: how often it was given */
	WK_OPT_TEXT,	/* const char *, borrowed from argv */
	WK_OPT_UINT,	/* uint64_t, min to max; 0x for hexadecimal */
	WK_OPT_SIZE,	/* uint64_t octets, min to max; k M G (1024) */
	WK_OPT_SECONDS,	/* uint64_t nanoseconds; fractions allowed */
	WK_OPT_CHOICE,	/* int: index into choices */
	WK_OPT_LIST,	/* struct wk_option_list: may be given many times */
	WK_OPT_CALL,	/* call decides */
};

#define WK_OPTION_LIST_MAX 64

/* What a WK_OPT_LIST was given, in order; borrowed from argv. */
struct wk_option_list {
	const char *items[WK_OPTION_LIST_MAX];
	size_t n;
};

struct wk_option {
	int letter;		/* 0: long name only */
	const char *name;	/* long name, without dashes */
	const char *arg;	/* the argument's name in --help, or NULL */
	const char *help;	/* a clause, lower case, no period */
	enum wk_option_kind kind;
	size_t at;		/* offset of the value in the tool's options */
	uint64_t min, max;	/* WK_OPT_UINT, _SIZE; max 0: no limit */
	const char *const *choices;	/* WK_OPT_CHOICE: ends with NULL */
	/*
	 * WK_OPT_CALL: store arg (NULL when the option takes none). On failure
	 * return a negative status with error->reason saying what was expected.
	 */
	int (*call)(void *values, const char *arg, struct wk_error *error);
};

enum wk_common {
	WK_COMMON_QUIET = 1 << 0,	/* -q */
	WK_COMMON_JSON = 1 << 1,	/* -j */
	WK_COMMON_COLOR = 1 << 2,	/* --color */
};

struct wk_tool {
	const char *summary;		/* a sentence with its period */
	const char *const *usages;	/* without the name; ends with NULL */
	const struct wk_option *options; /* ends with an all-zero entry */
	unsigned common;		/* enum wk_common */
	const char *const *examples;	/* commands; ends with NULL */
	void (*versions)(void);		/* prints the libraries; or NULL */
};

/*
 * Parse into values (the tool's option struct, already holding the defaults);
 * operands may stand anywhere and are moved to the end of argv from
 * *first_operand on. Returns true to go on. False: --help or --version was
 * answered, or a message told what is wrong; *rc is the exit code.
 */
bool wk_options_parse(const struct wk_tool *tool, void *values, int argc,
    char **argv, int *first_operand, int *rc);

/*
 * Operands as one text with blanks between them, as tcpdump takes expressions.
 * Heap, the caller's; NULL without memory.
 */
char *wk_operands_join(char *const *words, int n);

/* One sentence about the command line, and where help is; WK_EXIT_USAGE. */
int wk_usage_error(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* For a bare call that cannot work: the short usage on stderr; WK_EXIT_USAGE. */
int wk_usage(const struct wk_tool *tool);

/* A whole number, decimal or 0x, min to max (0: no limit). */
int wk_uint_parse(const char *text, uint64_t min, uint64_t max, uint64_t *v,
    struct wk_error *error);
/* The same with k, M or G (1024) behind it. */
int wk_size_parse(const char *text, uint64_t min, uint64_t max, uint64_t *v,
    struct wk_error *error);
/* Seconds with a fraction, to nanoseconds. */
int wk_seconds_parse(const char *text, uint64_t *ns, struct wk_error *error);
