/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/request_parts.h"

#include <string.h>

void
request_reader_init(struct request_reader *r, uint64_t max_value)
{
	memset(r, 0, sizeof(*r));
	r->max_value = max_value;
}

/* --- reading commands ----------------------------------------------------- */

/* The reading command this line begins with, or -1; *used with its blank. */
static int
reading_command(const char *in, size_t len, size_t *used)
{
	size_t n;

	if (len < 4 || in[0] != 'g')
		return -1;
	n = in[3] == 's' ? 4 : 3;
	if (len <= n || in[n] != ' ' || in[2] != 't' ||
	    (in[1] != 'e' && in[1] != 'a'))
		return -1;
	*used = n + 1;
	return (in[1] == 'e' ? COMMAND_GET : COMMAND_GAT) + (n == 4);
}

/*
 * One key and the blanks behind it, so that the last one is known as such. A
 * list may go on for ever; only the key in hand has to be whole.
 */
static enum request_event
read_key(struct request_reader *r, const char **in, size_t *len,
    struct request *out)
{
	const char *at = *in, *end = *in + *len, *key, *key_end;
	size_t span;

	while (at < end && *at == ' ')
		at++;
	*len -= (size_t)(at - *in);
	*in = key = at;
	while (at < end && *at != ' ' && *at != '\n')
		at++;
	key_end = at;
	while (at < end && *at == ' ')
		at++;
	span = (size_t)(at - key);
	out->command = (enum command)r->command;
	out->exptime = r->exptime;
	out->is_first = !r->has_keys;
	if (span > REQUEST_LINE_MAX) {
		r->state = SKIP;
		out->is_last = true;
		out->error = BAD_FORMAT;
		return REQUEST_KEY;
	}
	/* A CR at the very end is a line end perhaps, or a key. */
	if (at == end || (*at == '\r' && at + 1 == end))
		return REQUEST_MORE;
	if (*at == '\r' && at[1] == '\n')
		at++;
	out->key = key;
	out->key_len = (size_t)(key_end - key);
	out->is_last = *at == '\n';
	if (out->is_last) {
		r->state = LINE;
		at++;
		if (key_end + 1 == at && key_end > key && key_end[-1] == '\r')
			out->key_len--;
	}
	*in = at;
	*len = (size_t)(end - at);
	if (out->is_last && out->key_len == 0) {
		out->error = "ERROR";
		return REQUEST_ERROR;
	}
	r->has_keys = true;
	if (!request_is_key(out->key, out->key_len))
		out->error = BAD_FORMAT;
	return REQUEST_KEY;
}

/* The time of gat and gats, in front of the keys. */
static enum request_event
read_exptime(struct request_reader *r, const char **in, size_t *len,
    struct request *out)
{
	const char *at = *in, *end = *in + *len, *start;

	while (at < end && *at == ' ')
		at++;
	start = at;
	while (at < end && *at != ' ' && *at != '\n')
		at++;
	if (at == end && *len <= REQUEST_LINE_MAX)
		return REQUEST_MORE;
	if (at - *in > REQUEST_LINE_MAX || *at == '\n' ||
	    !request_scan_int(start, (size_t)(at - start), &r->exptime)) {
		r->state = SKIP;
		out->error = *at == '\n' ? "ERROR" :
		    "CLIENT_ERROR invalid exptime argument";
		return REQUEST_ERROR;
	}
	*in = at;
	*len = (size_t)(end - at);
	return REQUEST_KEY;
}

/* --- values --------------------------------------------------------------- */

/* Check what part of the line end lies in this piece. */
static void
check_value_end(struct request_reader *r, const char *data, size_t n)
{
	static const char line_end[] = "\r\n";
	size_t i;

	for (i = n > 2 ? n - 2 : 0; i < n; i++)
		if (r->left - i <= 2 && data[i] != line_end[2 - (r->left - i)])
			r->is_wrong = true;
}

static enum request_event
read_value(struct request_reader *r, const char **in, size_t *len,
    struct request *out)
{
	size_t n = *len < r->left ? *len : (size_t)r->left;

	if (r->left == 0) {
		r->state = LINE;
		out->error = "CLIENT_ERROR bad data chunk";
		return r->is_wrong ? REQUEST_DATA_BAD : REQUEST_DATA_END;
	}
	if (n == 0)
		return REQUEST_MORE;
	check_value_end(r, *in, n);
	out->data = *in;
	out->data_len = n;
	r->left -= n;
	*in += n;
	*len -= n;
	return REQUEST_DATA;
}

static void
discard(struct request_reader *r, const char **in, size_t *len)
{
	size_t n = *len < r->left ? *len : (size_t)r->left;

	r->left -= n;
	*in += n;
	*len -= n;
	if (r->left == 0)
		r->state = LINE;
}

static void
skip_line(struct request_reader *r, const char **in, size_t *len)
{
	const char *end = memchr(*in, '\n', *len);
	size_t n = end == NULL ? *len : (size_t)(end + 1 - *in);

	if (end != NULL)
		r->state = LINE;
	*in += n;
	*len -= n;
}

/* --- the reader ----------------------------------------------------------- */

static enum request_event
begin_line(struct request_reader *r, const char **in, size_t *len,
    struct request *out)
{
	const char *line = *in, *end;
	size_t n, used;
	int c;

	c = reading_command(line, *len, &used);
	if (c >= 0) {
		const char *at = line + used;
		size_t left = *len - used;

		r->command = (uint8_t)c;
		if (c >= COMMAND_GAT) {
			enum request_event e = read_exptime(r, &at, &left, out);

			if (e != REQUEST_KEY) {
				if (e == REQUEST_ERROR) {
					*in = at;
					*len = left;
				}
				return e;
			}
		}
		r->has_keys = false;
		r->state = KEYS;
		*in = at;
		*len = left;
		return read_key(r, in, len, out);
	}
	end = memchr(line, '\n', *len);
	if (end == NULL && *len <= REQUEST_LINE_MAX)
		return REQUEST_MORE;
	if (end == NULL || end - line > REQUEST_LINE_MAX) {
		r->state = SKIP;
		out->error = "CLIENT_ERROR line too long";
		return REQUEST_ERROR;
	}
	n = (size_t)(end - line);
	*in += n + 1;
	*len -= n + 1;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	return request_line(r, line, n, out);
}

enum request_event
request_read(struct request_reader *r, const char **in, size_t *len,
    struct request *out)
{
	memset(out, 0, sizeof(*out));
	for (;;) {
		switch ((enum request_reader_state)r->state) {
		case VALUE:
			return read_value(r, in, len, out);
		case DISCARD:
			discard(r, in, len);
			break;
		case SKIP:
			skip_line(r, in, len);
			break;
		case KEYS:
			return read_key(r, in, len, out);
		case LINE:
			if (*len == 0)
				return REQUEST_MORE;
			return begin_line(r, in, len, out);
		}
		if (*len == 0)
			return REQUEST_MORE;
	}
}
