/* SPDX-License-Identifier: MIT */
/*
 * From a configuration file to a struct conf. Lua runs here and nowhere else,
 * each time in a fresh interpreter without the file system, with bounded
 * memory and a bounded number of steps. Understood are the dialects of
 * lib/simple, as a module and as globals, and of routelib.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cmd/mcproxy/conf.h"

struct load_options {
	const char *argument;	/* for the script's "...", or NULL */
	bool is_lax;		/* unknown keys are no errors */
	bool is_unsafe;		/* all of Lua's standard library */
	bool is_serving;	/* never wait: only regular files are read */
	const char *internal;	/* the backend of the pool "internal", or NULL */
	void (*say)(const char *text);	/* print() and say(); or NULL */
};

#define LOAD_REASON_MAX 1024

/*
 * Load a file, or text under a name for messages. Returns NULL with a whole
 * message in reason ("FILE:LINE: what is wrong").
 */
struct conf *load_file(const char *path, const struct load_options *o,
    char reason[LOAD_REASON_MAX]);
struct conf *load_text(const char *name, const char *text, size_t len,
    const struct load_options *o, char reason[LOAD_REASON_MAX]);

/* Pools of the command line, "NAME=ADDRESS,…" each, routed as lib/simple does. */
struct conf *load_pools(const char *const *pools, size_t n,
    char reason[LOAD_REASON_MAX]);
