/* SPDX-License-Identifier: MIT */
/*
 * The command line of rstdiag-send. options_parse() also checks what goes with
 * what, so that the modes find only combinations that make sense.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/rstdiag-send/endpoint.h"
#include "common/wire/rstdiag.h"

#define OPTIONS_CODES_MAX 16
#define UNSET UINT64_MAX	/* a number that was not given */

/* In place of an exit code: die by the signal that ended us half-way. */
#define EXIT_INTERRUPTED (-1)

enum mode {
	MODE_CRAFT = 1 << 0,		/* resets from the command line */
	MODE_ANSWER = 1 << 1,		/* resets for what arrives */
	MODE_RESET = 1 << 2,		/* end connections that exist */
	MODE_LIST_CODES = 1 << 3,
	MODE_LIST_INTERFACES = 1 << 4,
};

enum role {
	ROLE_ENDPOINT,
	ROLE_MIDDLEBOX,
};

struct options {
	enum mode mode;
	bool is_answer, is_reset, is_list_codes, is_list_interfaces;

	/* The segment. */
	struct endpoint src, dst;
	uint64_t seq, ack, ttl, window, ip_id, traffic_class;
	const char *flags_text, *tcp_options;
	uint16_t flags;
	bool has_bad_checksum;

	/* What it says. */
	bool has_codes;
	const char *codes[OPTIONS_CODES_MAX];
	size_t n_codes;
	uint64_t pen;
	const char *description, *payload_hex;
	int format;			/* enum wk_rstdiag_format */
	int format_choice;		/* as given, -1: not */
	int registry;			/* enum wk_rstdiag_registry */
	int registry_choice;
	int role;
	bool is_also_empty;

	/* Where it goes. */
	const char *interface;
	const char *write, *output;
	bool is_dry_run, is_payload_only;

	/* What is watched. */
	const char *rules, *read;
	uint64_t listen, snaplen;
	bool is_promiscuous, is_numeric;
	char *expression;		/* the operands joined, or NULL */

	/* Finding the numbers. */
	bool is_both, is_probe, is_no_probe;
	uint64_t watch_ns, spray, spray_step;

	/* Limits. */
	uint64_t count, rate, max_time_ns;
	const char *user;
};

/*
 * False: all is said and *rc is the exit code. After true the caller releases
 * *o with options_free().
 */
bool options_parse(struct options *o, int argc, char **argv, int *rc);
void options_free(struct options *o);

/* A number that may not have been given. */
static inline uint64_t
or_else(uint64_t given, uint64_t otherwise)
{
	return given == UNSET ? otherwise : given;
}

/* Does the packet itself leave, so that sockets are needed? */
bool options_is_injecting(const struct options *o);
