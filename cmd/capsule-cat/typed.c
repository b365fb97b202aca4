/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/typed.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/options.h"
#include "common/wire/capsule.h"
#include "common/wire/varint.h"

#define WORD_MAX 128

/* Where we are in a line; words are cut at blanks, quotes hold them. */
struct typed {
	struct wk_str line;
	size_t at;
	struct wk_buf *out;
	struct wk_error *error;
};

static int
bad(const struct typed *t, size_t at, const char *expected)
{
	return wk_error_set(t->error, WK_E_MALFORMED, at, "expected %s",
	    expected);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
skip_blanks(struct typed *t)
{
	while (t->at < t->line.len && is_blank(t->line.at[t->at]))
		t->at++;
}

/* The word at hand, copied so that it ends with a NUL. */
static int
take_word(struct typed *t, char word[WORD_MAX])
{
	size_t begin = t->at, len;

	while (t->at < t->line.len && !is_blank(t->line.at[t->at]))
		t->at++;
	len = t->at - begin;
	if (len >= WORD_MAX)
		return bad(t, begin, "a shorter word");
	memcpy(word, t->line.at + begin, len);
	word[len] = '\0';
	return WK_OK;
}

/* --- the parts of a value ------------------------------------------------- */

static int
put_integer(struct typed *t, size_t begin, const char *text, size_t octets)
{
	uint64_t max = octets == 8 ? 0 : (UINT64_C(1) << 8 * octets) - 1, v;
	struct wk_error why;

	if (wk_uint_parse(text, 0, max, &v, &why) != WK_OK)
		return wk_error_set(t->error, WK_E_MALFORMED, begin, "%s",
		    why.reason);
	return wk_buf_uint(t->out, v, octets);
}

static int
put_varint(struct typed *t, size_t begin, const char *text)
{
	uint8_t octets[WK_VARINT_OCTETS_MAX];
	struct wk_error why;
	uint64_t v;

	if (wk_uint_parse(text, 0, WK_VARINT_MAX, &v, &why) != WK_OK)
		return wk_error_set(t->error, WK_E_MALFORMED, begin, "%s",
		    why.reason);
	return wk_buf_append(t->out, octets, wk_varint_encode(octets, v, 0));
}

static int
put_address(struct typed *t, size_t begin, const char *text)
{
	uint8_t octets[16];

	if (inet_pton(AF_INET, text, octets) == 1)
		return wk_buf_append(t->out, octets, 4);
	if (inet_pton(AF_INET6, text, octets) == 1)
		return wk_buf_append(t->out, octets, 16);
	return bad(t, begin, "an IPv4 or IPv6 address");
}

static int
put_hex(struct typed *t, size_t begin, const char *word)
{
	const char *at;
	int high, low;
	uint8_t octet;

	for (at = word; *at != '\0'; at += 2) {
		high = wk_hex_digit(at[0]);
		low = high < 0 ? -1 : wk_hex_digit(at[1]);
		if (low < 0)
			return bad(t, begin + (size_t)(at - word),
			    "octets in hexadecimal, \"text\", v:N, u8:N, "
			    "u16:N, u32:N, u64:N or ip:ADDRESS");
		octet = (uint8_t)(high << 4 | low);
		wk_buf_append(t->out, &octet, 1);
	}
	return t->out->status;
}

/* One character after a backslash; *at is moved behind it. */
static int
put_escape(struct typed *t)
{
	static const char from[] = "nrt0\\\"'", to[] = "\n\r\t\0\\\"'";
	const char *rest = t->line.at + t->at;
	size_t left = t->line.len - t->at;
	const char *found;
	uint8_t octet;

	if (left >= 1 && (found = memchr(from, rest[0], 7)) != NULL) {
		t->at++;
		return wk_buf_append(t->out, to + (found - from), 1);
	}
	if (left < 3 || rest[0] != 'x' || wk_hex_digit(rest[1]) < 0 ||
	    wk_hex_digit(rest[2]) < 0)
		return bad(t, t->at, "\\n \\r \\t \\0 \\\\ \\\" \\' or \\xNN");
	octet = (uint8_t)(wk_hex_digit(rest[1]) << 4 | wk_hex_digit(rest[2]));
	t->at += 3;
	return wk_buf_append(t->out, &octet, 1);
}

static int
put_quoted(struct typed *t)
{
	size_t begin = t->at;
	char quote = t->line.at[t->at++], c;
	int rc = WK_OK;

	while (rc == WK_OK && t->at < t->line.len) {
		c = t->line.at[t->at++];
		if (c == quote)
			return WK_OK;
		rc = c == '\\' ? put_escape(t) : wk_buf_append(t->out, &c, 1);
	}
	return rc != WK_OK ? rc : bad(t, begin, "an end of this quote");
}

static int
put_part(struct typed *t)
{
	static const struct {
		const char *prefix;
		size_t octets;
	} integers[] = {
		{ "u8:", 1 }, { "u16:", 2 }, { "u32:", 4 }, { "u64:", 8 },
	};
	size_t begin = t->at, i, len;
	char word[WORD_MAX];
	int rc;

	if (t->line.at[t->at] == '"' || t->line.at[t->at] == '\'')
		return put_quoted(t);
	rc = take_word(t, word);
	if (rc != WK_OK)
		return rc;
	for (i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		len = strlen(integers[i].prefix);
		if (strncmp(word, integers[i].prefix, len) == 0)
			return put_integer(t, begin + len, word + len,
			    integers[i].octets);
	}
	if (strncmp(word, "v:", 2) == 0)
		return put_varint(t, begin + 2, word + 2);
	if (strncmp(word, "ip:", 3) == 0)
		return put_address(t, begin + 3, word + 3);
	return put_hex(t, begin, word);
}

static int
put_parts(struct typed *t)
{
	int rc = WK_OK;

	for (skip_blanks(t); rc == WK_OK && t->at < t->line.len; skip_blanks(t))
		rc = put_part(t);
	if (rc == WK_E_LIMIT || rc == WK_E_NOMEM)
		wk_error_set(t->error, (enum wk_status)rc, t->at,
		    rc == WK_E_LIMIT ? "the value is too long" :
		    "out of memory");
	return rc;
}

/* All or nothing: what was appended to b before it failed goes. */
static int
settle(struct wk_buf *b, size_t before, int rc)
{
	if (rc != WK_OK) {
		b->len = before;
		b->status = WK_OK;
	}
	return rc;
}

int
typed_value(struct wk_str parts, struct wk_buf *out, struct wk_error *error)
{
	struct typed t = { .line = parts, .out = out, .error = error };
	size_t before = out->len;

	return settle(out, before, put_parts(&t));
}

int
typed_capsule(struct wk_str line, enum wk_capsule_reading reading,
    struct wk_buf *out, struct wk_error *error)
{
	struct typed t = { .line = line, .error = error };
	uint8_t header[WK_CAPSULE_HEADER_MAX];
	struct wk_capsule cap = { .type = 0 };
	char word[WORD_MAX];
	struct wk_buf value;
	size_t begin, before = out->len;
	int rc;

	skip_blanks(&t);
	begin = t.at;
	rc = take_word(&t, word);
	if (rc != WK_OK)
		return rc;
	rc = wk_capsule_type_parse(word, reading, &cap.type, error);
	if (rc != WK_OK) {
		error->offset = begin;
		return rc;
	}
	wk_buf_init(&value, TYPED_VALUE_MAX);
	t.out = &value;
	rc = put_parts(&t);
	if (rc == WK_OK) {
		cap.length = value.len;
		wk_buf_append(out, header, wk_capsule_header(header, &cap));
		rc = wk_buf_append(out, value.data, value.len);
		if (rc != WK_OK)
			wk_error_set(error, (enum wk_status)rc, line.len,
			    rc == WK_E_LIMIT ? "too much waits" :
			    "out of memory");
	}
	wk_buf_free(&value);
	return settle(out, before, rc);
}
