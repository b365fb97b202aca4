/* SPDX-License-Identifier: MIT */
/*
 * Reader of what backends send. A backend answers in the order of the
 * requests, so the caller says which kind of answer is next; an answer that
 * cannot belong to such a request is RESPONSE_BAD: the connection is out of
 * step and of no more use. The caller owns the octets, as in request.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/mcproxy/request.h"

enum response_kind {
	RESPONSE_READ,		/* VALUE lines with values, then END */
	RESPONSE_WORD,		/* STORED, NOT_FOUND, a number, ... */
	RESPONSE_META,		/* HD, VA with a value, EN, ... */
	RESPONSE_VERSION,	/* the answer to a probe */
};

enum response_class {
	RESPONSE_GOOD,		/* an answer that is neither of these */
	RESPONSE_MISS,		/* END without a value, EN */
	RESPONSE_ERROR,		/* ERROR, CLIENT_ERROR, SERVER_ERROR */
};

enum response_event {
	RESPONSE_MORE,		/* nothing whole is left in the input */
	RESPONSE_LINE,		/* a line; if has_value, its value follows */
	RESPONSE_DATA,		/* a piece of the value with its line end */
	RESPONSE_BAD,		/* out of step */
};

struct response {		/* pointers are into the caller's input */
	enum response_class class;
	const char *line;	/* with its line end */
	size_t line_len;
	const char *key;	/* of VALUE, and of the k flag, or NULL */
	size_t key_len;
	uint64_t value_len;	/* without the line end behind it */
	bool has_value;
	bool is_last;		/* RESPONSE_DATA: the value ends here */
	bool is_nominal;	/* HD or EN: what the q flag hides */
	const char *data;
	size_t data_len;
};

struct response_reader {	/* caller's storage; fields are private */
	uint64_t left;
};

void response_reader_init(struct response_reader *r);

/* The kind of answer that a command gets. */
enum response_kind response_kind(enum command command);

/* Consume from *in up to the next event and describe that in *out. */
enum response_event response_read(struct response_reader *r,
    enum response_kind kind, const char **in, size_t *len,
    struct response *out);
