/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/response.h"

#include <string.h>

#define KINDS(k) (1u << (k))
#define ANY (KINDS(RESPONSE_READ) | KINDS(RESPONSE_WORD) | KINDS(RESPONSE_META))
#define VALUE_MAX ((uint64_t)INT32_MAX)

enum shape {
	WHOLE,		/* nothing but the word */
	TEXT,		/* the word, then perhaps a blank and more */
	VALUE,		/* key, flags, length, perhaps cas */
	META,		/* flags */
	META_VALUE,	/* length and flags */
};

static const struct {
	const char *word;
	uint8_t len, kinds, shape, class;
	bool is_nominal;
} words[] = {
	{ "VALUE", 5, KINDS(RESPONSE_READ), VALUE, RESPONSE_GOOD, false },
	{ "END", 3, KINDS(RESPONSE_READ), WHOLE, RESPONSE_MISS, false },
	{ "HD", 2, KINDS(RESPONSE_META), META, RESPONSE_GOOD, true },
	{ "VA", 2, KINDS(RESPONSE_META), META_VALUE, RESPONSE_GOOD, false },
	{ "EN", 2, KINDS(RESPONSE_META), META, RESPONSE_MISS, true },
	{ "NF", 2, KINDS(RESPONSE_META), META, RESPONSE_GOOD, false },
	{ "NS", 2, KINDS(RESPONSE_META), META, RESPONSE_GOOD, false },
	{ "EX", 2, KINDS(RESPONSE_META), META, RESPONSE_GOOD, false },
	{ "ME", 2, KINDS(RESPONSE_META), TEXT, RESPONSE_GOOD, false },
	{ "STORED", 6, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "NOT_STORED", 10, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "EXISTS", 6, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "NOT_FOUND", 9, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "DELETED", 7, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "TOUCHED", 7, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "OK", 2, KINDS(RESPONSE_WORD), WHOLE, RESPONSE_GOOD, false },
	{ "ERROR", 5, ANY, TEXT, RESPONSE_ERROR, false },
	{ "CLIENT_ERROR", 12, ANY, TEXT, RESPONSE_ERROR, false },
	{ "SERVER_ERROR", 12, ANY, TEXT, RESPONSE_ERROR, false },
	{ "VERSION", 7, KINDS(RESPONSE_VERSION), TEXT, RESPONSE_GOOD, false },
};

void
response_reader_init(struct response_reader *r)
{
	r->left = 0;
}

enum response_kind
response_kind(enum command command)
{
	return command_is_read(command) ? RESPONSE_READ :
	    command_is_meta(command) ? RESPONSE_META : RESPONSE_WORD;
}

/* A number in front of *at, which moves behind it. */
static bool
scan_uint(const char **at, const char *end, uint64_t max, uint64_t *v)
{
	const char *start = *at;
	unsigned digit;

	for (*v = 0; *at < end; ++*at) {
		digit = (unsigned)(unsigned char)**at - '0';
		if (digit > 9)
			break;
		if (*v > (max - digit) / 10)
			return false;
		*v = *v * 10 + digit;
	}
	return *at > start;
}

static bool
take(const char **at, const char *end, char c)
{
	if (*at == end || **at != c)
		return false;
	++*at;
	return true;
}

/* " key flags length[ cas]" */
static bool
parse_value(const char *at, const char *end, struct response *out)
{
	uint64_t v;

	if (!take(&at, end, ' '))
		return false;
	out->key = at;
	at = memchr(at, ' ', (size_t)(end - at));
	if (at == NULL)
		return false;
	out->key_len = (size_t)(at - out->key);
	if (out->key_len == 0 || out->key_len > REQUEST_KEY_MAX)
		return false;
	if (!take(&at, end, ' ') || !scan_uint(&at, end, UINT32_MAX, &v) ||
	    !take(&at, end, ' ') ||
	    !scan_uint(&at, end, VALUE_MAX, &out->value_len))
		return false;
	if (at < end && (!take(&at, end, ' ') ||
	    !scan_uint(&at, end, UINT64_MAX, &v)))
		return false;
	out->has_value = true;
	return at == end;
}

/* Only the key among the flags matters here. */
static bool
parse_flags(const char *at, const char *end, struct response *out)
{
	const char *start;

	while (at < end) {
		if (!take(&at, end, ' '))
			return false;
		for (start = at; at < end && *at != ' '; at++)
			continue;
		if (at > start && *start == 'k' && out->key == NULL) {
			out->key = start + 1;
			out->key_len = (size_t)(at - start) - 1;
		}
	}
	return true;
}

static bool
parse_rest(enum shape shape, const char *at, const char *end,
    struct response *out)
{
	switch (shape) {
	case WHOLE:
		return at == end;
	case TEXT:
		return at == end || *at == ' ';
	case VALUE:
		return parse_value(at, end, out);
	case META:
		return parse_flags(at, end, out);
	case META_VALUE:
		out->has_value = true;
		return take(&at, end, ' ') &&
		    scan_uint(&at, end, VALUE_MAX, &out->value_len) &&
		    parse_flags(at, end, out);
	}
	return false;
}

/* incr and decr answer with a number; blanks may follow it. */
static bool
is_number(const char *at, const char *end)
{
	uint64_t v;

	if (!scan_uint(&at, end, UINT64_MAX, &v))
		return false;
	while (at < end && *at == ' ')
		at++;
	return at == end;
}

/* at to end is the line without its end. */
static bool
parse_line(enum response_kind kind, const char *at, const char *end,
    struct response *out)
{
	size_t i, len = (size_t)(end - at);

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((words[i].kinds & KINDS(kind)) == 0 ||
		    len < words[i].len ||
		    memcmp(at, words[i].word, words[i].len) != 0)
			continue;
		out->class = (enum response_class)words[i].class;
		out->is_nominal = words[i].is_nominal;
		if (parse_rest((enum shape)words[i].shape, at + words[i].len,
		    end, out))
			return true;
	}
	return kind == RESPONSE_WORD && is_number(at, end);
}

static enum response_event
read_data(struct response_reader *r, const char **in, size_t *len,
    struct response *out)
{
	static const char line_end[] = "\r\n";
	size_t i, n = *len < r->left ? *len : (size_t)r->left;

	if (n == 0)
		return RESPONSE_MORE;
	for (i = n > 2 ? n - 2 : 0; i < n; i++)
		if (r->left - i <= 2 && (*in)[i] != line_end[2 - (r->left - i)])
			return RESPONSE_BAD;
	out->data = *in;
	out->data_len = n;
	r->left -= n;
	out->is_last = r->left == 0;
	*in += n;
	*len -= n;
	return RESPONSE_DATA;
}

enum response_event
response_read(struct response_reader *r, enum response_kind kind,
    const char **in, size_t *len, struct response *out)
{
	const char *end;

	memset(out, 0, sizeof(*out));
	if (r->left > 0)
		return read_data(r, in, len, out);
	end = *len == 0 ? NULL : memchr(*in, '\n', *len);
	if (end == NULL)
		return *len > REQUEST_LINE_MAX ? RESPONSE_BAD : RESPONSE_MORE;
	if (end == *in || end[-1] != '\r' || end - *in > REQUEST_LINE_MAX ||
	    !parse_line(kind, *in, end - 1, out))
		return RESPONSE_BAD;
	out->line = *in;
	out->line_len = (size_t)(end + 1 - *in);
	*in += out->line_len;
	*len -= out->line_len;
	if (out->has_value)
		r->left = out->value_len + 2;
	return RESPONSE_LINE;
}
