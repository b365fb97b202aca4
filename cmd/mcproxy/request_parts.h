/* SPDX-License-Identifier: MIT */
/* What the reader of requests (request.c) and the judge of their lines share. */
#pragma once

#include "cmd/mcproxy/request.h"

#define BAD_FORMAT "CLIENT_ERROR bad command line format"

enum request_reader_state {
	LINE,		/* at the beginning of a command */
	KEYS,		/* *( SP key ) in a line of a reading command */
	VALUE,		/* left octets of value and CRLF */
	DISCARD,	/* the same, nobody wants them */
	SKIP,		/* up to the line end */
};

/* A decimal number with or without a sign, of 31 bits. */
bool request_scan_int(const char *at, size_t len, int64_t *v);

/* Can it be a key? No controls: a NUL ends a line early inside memcached. */
bool request_is_key(const char *at, size_t len);

/* What a whole line without its end asks for, or why it is none. */
enum request_event request_line(struct request_reader *r, const char *line,
    size_t len, struct request *out);
