/* SPDX-License-Identifier: MIT */
/* Lines of commands: their words, and whether a backend may see them. */
#include "config.h"

#include "cmd/mcproxy/request_parts.h"

#include <string.h>

#define TOKENS_MAX 24

static const struct {
	const char *name;
	uint8_t len, min, max;	/* tokens behind the name */
} commands[COMMANDS] = {
	[COMMAND_GET] = { "get", 3, 1, 0 },
	[COMMAND_GETS] = { "gets", 4, 1, 0 },
	[COMMAND_GAT] = { "gat", 3, 2, 0 },
	[COMMAND_GATS] = { "gats", 4, 2, 0 },
	[COMMAND_SET] = { "set", 3, 4, 5 },
	[COMMAND_ADD] = { "add", 3, 4, 5 },
	[COMMAND_REPLACE] = { "replace", 7, 4, 5 },
	[COMMAND_APPEND] = { "append", 6, 4, 5 },
	[COMMAND_PREPEND] = { "prepend", 7, 4, 5 },
	[COMMAND_CAS] = { "cas", 3, 5, 6 },
	[COMMAND_INCR] = { "incr", 4, 2, 3 },
	[COMMAND_DECR] = { "decr", 4, 2, 3 },
	[COMMAND_TOUCH] = { "touch", 5, 2, 3 },
	[COMMAND_DELETE] = { "delete", 6, 1, 3 },
	[COMMAND_MG] = { "mg", 2, 1, TOKENS_MAX },
	[COMMAND_MS] = { "ms", 2, 1, TOKENS_MAX },
	[COMMAND_MD] = { "md", 2, 1, TOKENS_MAX },
	[COMMAND_MA] = { "ma", 2, 1, TOKENS_MAX },
	[COMMAND_ME] = { "me", 2, 1, TOKENS_MAX },
	[COMMAND_MN] = { "mn", 2, 0, TOKENS_MAX },
	[COMMAND_VERSION] = { "version", 7, 0, TOKENS_MAX },
	[COMMAND_STATS] = { "stats", 5, 0, TOKENS_MAX },
	[COMMAND_WATCH] = { "watch", 5, 0, TOKENS_MAX },
	[COMMAND_VERBOSITY] = { "verbosity", 9, 1, 2 },
	[COMMAND_FLUSH_ALL] = { "flush_all", 9, 0, 2 },
	[COMMAND_PROXY] = { "proxy", 5, 1, TOKENS_MAX },
	[COMMAND_QUIT] = { "quit", 4, 0, TOKENS_MAX },
};

struct token {
	const char *at;
	size_t len;
};

const char *
command_name(enum command command)
{
	return commands[command].name;
}

int
command_parse(const char *name, size_t len)
{
	int i;

	for (i = 0; i < COMMANDS; i++)
		if (commands[i].len == len &&
		    memcmp(commands[i].name, name, len) == 0)
			return i;
	return -1;
}

/* --- tokens --------------------------------------------------------------- */

/* Split at blanks; a token too many is counted but not stored. */
static size_t
split(const char *line, size_t len, struct token *out)
{
	const char *at = line, *end = line + len;
	size_t n = 0;

	for (;;) {
		while (at < end && *at == ' ')
			at++;
		if (at == end)
			return n;
		if (n < TOKENS_MAX + 1)
			out[n].at = at;
		while (at < end && *at != ' ')
			at++;
		if (n < TOKENS_MAX + 1)
			out[n].len = (size_t)(at - out[n].at);
		n++;
	}
}

static bool
is_word(const struct token *t, const char *word)
{
	return t->len == strlen(word) && memcmp(t->at, word, t->len) == 0;
}

/* Digits only, up to max. */
static bool
scan_uint(const char *at, size_t len, uint64_t max, uint64_t *v)
{
	size_t i;
	unsigned digit;

	*v = 0;
	for (i = 0; i < len; i++) {
		digit = (unsigned)(unsigned char)at[i] - '0';
		if (digit > 9 || *v > (max - digit) / 10)
			return false;
		*v = *v * 10 + digit;
	}
	return len > 0;
}

bool
request_scan_int(const char *at, size_t len, int64_t *v)
{
	bool is_negative = len > 0 && *at == '-';
	uint64_t u;

	if (!scan_uint(at + is_negative, len - is_negative, INT32_MAX, &u))
		return false;
	*v = is_negative ? -(int64_t)u : (int64_t)u;
	return true;
}

bool
request_is_key(const char *at, size_t len)
{
	size_t i;

	if (len == 0 || len > REQUEST_KEY_MAX)
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)at[i] <= ' ' || at[i] == 0x7f)
			return false;
	return true;
}

/* --- commands ------------------------------------------------------------- */

/* What memcached says, too, when there are too few tokens or too many. */
static const char *
wrong_count(enum command c)
{
	return c == COMMAND_ME ? BAD_FORMAT : "ERROR";
}

static const char *
check_size(const struct request_reader *r, struct request *out)
{
	if (out->value_len <= r->max_value)
		return NULL;
	out->is_too_large = true;
	return "SERVER_ERROR object too large for cache";
}

static const char *
check_storage(struct request_reader *r, struct request *out,
    const struct token *t, size_t n)
{
	uint64_t v;
	int64_t when;

	/* The length first: then the value can be skipped if the rest is bad. */
	if (!scan_uint(t[3].at, t[3].len, INT32_MAX - 2, &out->value_len))
		return BAD_FORMAT;
	out->has_value = true;
	if (!request_is_key(t[0].at, t[0].len) ||
	    !scan_uint(t[1].at, t[1].len, UINT32_MAX, &v) ||
	    !request_scan_int(t[2].at, t[2].len, &when))
		return BAD_FORMAT;
	if (out->command == COMMAND_CAS &&
	    !scan_uint(t[4].at, t[4].len, UINT64_MAX, &v))
		return BAD_FORMAT;
	/* An unknown word behind it is tolerated, but not passed on. */
	n = out->command == COMMAND_CAS ? 5 : 4;
	out->rest_len = (size_t)(t[n - 1].at + t[n - 1].len - out->rest);
	out->ttl_at = (size_t)(t[2].at - out->rest);
	out->ttl_len = t[2].len;
	return check_size(r, out);
}

static const char *
check_number(struct request *out, const struct token *t)
{
	uint64_t v;
	int64_t when;

	if (!request_is_key(t[0].at, t[0].len))
		return BAD_FORMAT;
	if (out->command == COMMAND_TOUCH && !request_scan_int(t[1].at, t[1].len, &when))
		return "CLIENT_ERROR invalid exptime argument";
	if (out->command != COMMAND_TOUCH &&
	    !scan_uint(t[1].at, t[1].len, UINT64_MAX, &v))
		return "CLIENT_ERROR invalid numeric delta argument";
	out->rest_len = (size_t)(t[1].at + t[1].len - out->rest);
	return NULL;
}

static const char *
check_delete(struct request *out, const struct token *t, size_t n)
{
	if (!request_is_key(t[0].at, t[0].len))
		return BAD_FORMAT;
	n -= out->is_noreply;
	if (n > 2 || (n == 2 && !is_word(&t[1], "0")))
		return BAD_FORMAT ".  Usage: delete <key> [noreply]";
	out->rest_len = 0;
	return NULL;
}

/* Which meta flags want what: unknown letters are the backend's to judge. */
static const char *
check_flag(struct request *out, const struct token *t)
{
	static const char unsigned_flags[] = "FCDJSE", signed_flags[] = "TNR";
	uint64_t v;
	int64_t when;
	char flag = *t->at;

	if ((flag | 0x20) < 'a' || (flag | 0x20) > 'z')
		return "CLIENT_ERROR invalid flag";
	if (strchr(unsigned_flags, flag) != NULL && t->len > 1 &&
	    !scan_uint(t->at + 1, t->len - 1, UINT64_MAX, &v))
		return flag == 'F' ? BAD_FORMAT :
		    "CLIENT_ERROR bad token in command line format";
	if (strchr(signed_flags, flag) != NULL &&
	    !request_scan_int(t->at + 1, t->len - 1, &when))
		return "CLIENT_ERROR bad token in command line format";
	if (flag == 'O' && t->len - 1 > REQUEST_OPAQUE_MAX)
		return "CLIENT_ERROR opaque token too long";
	if (flag == 'q' && out->is_quiet)
		return "CLIENT_ERROR duplicate flag";
	if (flag == 'q') {
		out->is_quiet = true;
		out->quiet_at = (size_t)(t->at - 1 - out->rest);
		if (t->len != 1)
			return "CLIENT_ERROR invalid flag";
	} else if (flag == 'M' && t->len > 1) {
		out->mode = t->at[1];
	} else if (flag == 'b') {
		out->is_base64 = true;
	} else if (flag == 'T') {
		out->ttl_at = (size_t)(t->at + 1 - out->rest);
		out->ttl_len = (size_t)(t->len - 1);
	}
	return NULL;
}

static bool
is_base64(const char *at, size_t len)
{
	size_t i, pad = 0;

	for (i = 0; i < len; i++) {
		if (at[i] == '=' && i + 2 >= len)
			pad++;
		else if (pad > 0 || !((at[i] >= 'A' && at[i] <= 'Z') ||
		    (at[i] >= 'a' && at[i] <= 'z') ||
		    (at[i] >= '0' && at[i] <= '9') || at[i] == '+' ||
		    at[i] == '/'))
			return false;
	}
	return len % 4 == 0;
}

size_t
request_decode_key(const char *in, size_t len, char out[REQUEST_KEY_MAX])
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, n_bits = 0;
	const char *letter;
	size_t i, n = 0;

	for (i = 0; i < len && in[i] != '='; i++) {
		letter = in[i] == '\0' ? NULL : strchr(letters, in[i]);
		if (letter == NULL)
			break;
		bits = bits << 6 | (unsigned)(letter - letters);
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (char)(bits >> n_bits);
		}
	}
	return n;
}

/*
 * With N memcached (1.6.18) forgets that the key was in base64, and gives it
 * back as it is from then on: line ends in it would break the connection.
 */
static bool
is_vivid_danger(const struct request *out, const struct token *t, size_t n)
{
	char key[REQUEST_KEY_MAX];
	size_t i, len;

	for (i = 1; i < n && *t[i].at != 'N'; i++)
		continue;
	if (i == n)
		return false;
	len = request_decode_key(out->key, out->key_len, key);
	return !request_is_key(key, len);
}

/* memcached is less precise with some commands. */
static const char *
meta_error(enum command c, const char *error)
{
	return c == COMMAND_MA || c == COMMAND_MD ?
	    "CLIENT_ERROR invalid or duplicate flag" : error;
}

static const char *
check_meta(struct request_reader *r, struct request *out,
    const struct token *t, size_t n)
{
	size_t i, first = out->command == COMMAND_MS ? 2 : 1;
	const char *error;

	if (out->command == COMMAND_MS) {
		if (n < 2 || !scan_uint(t[1].at, t[1].len, INT32_MAX - 2,
		    &out->value_len))
			return BAD_FORMAT;
		out->has_value = true;
	}
	if (!request_is_key(t[0].at, t[0].len))
		return BAD_FORMAT;
	if (n - first > REQUEST_FLAGS_MAX)
		return out->command == COMMAND_MG || out->command == COMMAND_ME ?
		    "CLIENT_ERROR options flags are too long" :
		    "CLIENT_ERROR options flags too long";
	for (i = first; i < n; i++) {
		error = check_flag(out, &t[i]);
		if (error != NULL)
			return meta_error(out->command, error);
	}
	if (out->is_base64 && !is_base64(t[0].at, t[0].len))
		return out->command == COMMAND_ME ? BAD_FORMAT :
		    meta_error(out->command, "CLIENT_ERROR error decoding key");
	if (out->is_base64 && out->command != COMMAND_MS &&
	    is_vivid_danger(out, t, n))
		return BAD_FORMAT;
	return check_size(r, out);
}

static const char *
check(struct request_reader *r, struct request *out, const struct token *t,
    size_t n)
{
	enum command c = out->command;

	if (n < commands[c].min || n > commands[c].max ||
	    (c < COMMANDS_ROUTED && n == 0))
		return wrong_count(c);
	if (c < COMMANDS_ROUTED) {
		out->key = t[0].at;
		out->key_len = t[0].len;
		out->rest = t[0].at + t[0].len;
	}
	if (c >= COMMAND_SET && c <= COMMAND_CAS)
		return check_storage(r, out, t, n);
	if (c >= COMMAND_INCR && c <= COMMAND_TOUCH)
		return check_number(out, t);
	if (c == COMMAND_DELETE)
		return check_delete(out, t, n);
	if (c == COMMAND_FLUSH_ALL && n > out->is_noreply &&
	    !request_scan_int(t[0].at, t[0].len, &out->exptime))
		return BAD_FORMAT;
	return command_is_meta(c) ? check_meta(r, out, t, n) : NULL;
}

enum request_event
request_line(struct request_reader *r, const char *line, size_t len,
    struct request *out)
{
	struct token t[TOKENS_MAX + 1];
	size_t n;
	int c;

	while (len > 0 && line[len - 1] == ' ')
		len--;
	n = split(line, len, t);
	c = n == 0 ? -1 : command_parse(t[0].at, t[0].len);
	/* Blanks in front are no command to us. */
	if (c < 0 || t[0].at != line) {
		out->error = "ERROR";
		return REQUEST_ERROR;
	}
	out->command = (enum command)c;
	out->rest = line + t[0].len;
	out->rest_len = len - t[0].len;
	out->is_noreply = !command_is_meta(out->command) &&
	    n > (c == COMMAND_FLUSH_ALL ? 1 : 2) && n <= TOKENS_MAX &&
	    is_word(&t[n - 1], "noreply");
	/* Flags too many to keep are still told as such, and a value skipped. */
	if (n > TOKENS_MAX && command_is_meta(out->command))
		n = TOKENS_MAX;
	if (n > TOKENS_MAX)
		out->error = wrong_count(out->command);
	else
		out->error = check(r, out, t + 1, n - 1);
	/* The others end before noreply; with meta all of it counts. */
	if (command_is_meta(out->command) && out->error == NULL)
		out->rest_len = (size_t)(line + len - out->rest);
	if (out->has_value) {
		r->state = out->error != NULL ? DISCARD : VALUE;
		r->left = out->value_len + 2;
		r->is_wrong = false;
	}
	return out->error != NULL ? REQUEST_ERROR : REQUEST_COMMAND;
}
