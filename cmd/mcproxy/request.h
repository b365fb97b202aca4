/* SPDX-License-Identifier: MIT */
/*
 * Reader of what clients send: the classic and the meta text protocol of
 * memcached (its doc/protocol.txt). The caller owns the octets and the loop:
 * hand in what arrived, take events until REQUEST_MORE, keep what was not
 * consumed and come back with more behind it. No allocation, no I/O. Cutting
 * the input at any octet gives the same events, except that value octets may
 * come in smaller pieces.
 *
 * Everything is checked here, before a backend sees it: a request that comes
 * out of this reader cannot put a shared backend connection out of step.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_KEY_MAX 250
#define REQUEST_LINE_MAX 2048	/* but a list of keys may be of any length */
#define REQUEST_FLAGS_MAX 18	/* meta flags; memcached takes some 20 */
#define REQUEST_OPAQUE_MAX 31

enum command {
	/* Reads: one event per key. */
	COMMAND_GET, COMMAND_GETS, COMMAND_GAT, COMMAND_GATS,
	/* Storage: a value follows. */
	COMMAND_SET, COMMAND_ADD, COMMAND_REPLACE, COMMAND_APPEND,
	COMMAND_PREPEND, COMMAND_CAS,
	COMMAND_INCR, COMMAND_DECR, COMMAND_TOUCH, COMMAND_DELETE,
	/* Meta. */
	COMMAND_MG, COMMAND_MS, COMMAND_MD, COMMAND_MA, COMMAND_ME,
	COMMANDS_ROUTED,
	/* Not for a backend. */
	COMMAND_MN = COMMANDS_ROUTED, COMMAND_VERSION, COMMAND_STATS,
	COMMAND_WATCH, COMMAND_VERBOSITY, COMMAND_FLUSH_ALL, COMMAND_PROXY,
	COMMAND_QUIT,
	COMMANDS,
};

enum request_event {
	REQUEST_MORE,		/* nothing whole is left in the input */
	REQUEST_KEY,		/* one key of a reading command */
	REQUEST_COMMAND,	/* any other command; a value may follow */
	REQUEST_DATA,		/* a piece of the value with its line end */
	REQUEST_DATA_END,	/* the value is whole */
	REQUEST_DATA_BAD,	/* no line end behind the value: request->error */
	REQUEST_ERROR,		/* no request: answer request->error instead */
};

struct request {		/* pointers are into the caller's input */
	enum command command;
	const char *key, *rest;	/* rest: between key and line end */
	size_t key_len, rest_len; /* without noreply and the q flag's blank */
	const char *data;	/* REQUEST_DATA */
	size_t data_len;
	uint64_t value_len;
	int64_t exptime;	/* gat, gats; flush_all */
	size_t quiet_at;	/* where in rest " q" stands, if is_quiet */
	size_t ttl_at, ttl_len; /* the time to live in rest; 0: none */
	bool is_first, is_last;	/* of the keys of a line */
	bool is_noreply;	/* never an answer */
	bool is_quiet;		/* meta q: the nominal answer is left out */
	bool is_base64;		/* meta b: the key is encoded */
	char mode;		/* meta M: its letter, or 0 */
	bool is_too_large;	/* why there is an error; the key is good */
	bool has_value;		/* value_len octets and a line end follow */
	const char *error;	/* a line without its end */
};

struct request_reader {		/* caller's storage; fields are private */
	uint64_t left;		/* of the value and its line end */
	uint64_t max_value;
	int64_t exptime;
	uint8_t state, command;
	bool has_keys, is_wrong;
};

/* Values above max_value octets are refused, and skipped. */
void request_reader_init(struct request_reader *r, uint64_t max_value);

/*
 * Consume from *in (advancing it, shrinking *len) up to the next event and
 * describe that in *out. What REQUEST_MORE leaves is at most REQUEST_LINE_MAX
 * octets.
 */
enum request_event request_read(struct request_reader *r, const char **in,
    size_t *len, struct request *out);

/* What a key in base64 means; returns its length. */
size_t request_decode_key(const char *in, size_t len,
    char out[REQUEST_KEY_MAX]);

/* "get", as on the wire. */
const char *command_name(enum command command);
/* The command of a name, or -1. */
int command_parse(const char *name, size_t len);

static inline bool
command_is_read(enum command c)
{
	return c <= COMMAND_GATS;
}

static inline bool
command_is_meta(enum command c)
{
	return c >= COMMAND_MG && c <= COMMAND_ME;
}
