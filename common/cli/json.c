/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cli/out.h"

#define JSON_EXACT_MAX ((UINT64_C(1) << 53) - 1)

static bool needs_comma;

/* \uNNNN, beyond the first plane two of them (RFC 8259, section 7). */
static int
escape(uint32_t c, char out[16])
{
	if (c < 0x10000)
		return snprintf(out, 16, "\\u%04x", (unsigned)c);
	c -= 0x10000;
	return snprintf(out, 16, "\\u%04x\\u%04x", 0xd800 + (unsigned)(c >> 10),
	    0xdc00 + (unsigned)(c & 0x3ff));
}

static void
write_quoted(const void *text, size_t len)
{
	const uint8_t *p = text, *plain = p;
	char hex[16];
	uint32_t c;
	size_t n;

	wk_out_write("\"", 1);
	for (; len > 0; p += n, len -= n) {
		/* Nearly all of it, names above all, is plain ASCII. */
		n = 1;
		if (*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
			continue;
		n = wk_utf8_decode(p, len, &c);
		if (n > 0 && c != '"' && c != '\\' && !wk_text_is_deceptive(c))
			continue;
		wk_out_write(plain, (size_t)(p - plain));
		if (n == 0) {
			wk_out_text("\xef\xbf\xbd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			hex[0] = '\\';
			hex[1] = (char)c;
			wk_out_write(hex, 2);
		} else {
			wk_out_write(hex, (size_t)escape(c, hex));
		}
		plain = p + n;
	}
	wk_out_write(plain, (size_t)(p - plain));
	wk_out_write("\"", 1);
}

/* Comma and name; every value starts here. */
static void
start(const char *name)
{
	if (needs_comma)
		wk_out_write(",", 1);
	needs_comma = true;
	if (name != NULL) {
		write_quoted(name, strlen(name));
		wk_out_write(":", 1);
	}
}

void
wk_json_begin(const char *event)
{
	needs_comma = false;
	wk_out_write("{", 1);
	wk_json_str("event", event);
}

void
wk_json_end(void)
{
	wk_out_write("}\n", 2);
	needs_comma = false;
}

static void
open_with(const char *name, char bracket)
{
	start(name);
	wk_out_write(&bracket, 1);
	needs_comma = false;
}

static void
close_with(char bracket)
{
	wk_out_write(&bracket, 1);
	needs_comma = true;
}

void
wk_json_object(const char *name)
{
	open_with(name, '{');
}

void
wk_json_object_end(void)
{
	close_with('}');
}

void
wk_json_array(const char *name)
{
	open_with(name, '[');
}

void
wk_json_array_end(void)
{
	close_with(']');
}

void
wk_json_str(const char *name, const char *text)
{
	wk_json_strn(name, text, strlen(text));
}

void
wk_json_strn(const char *name, const void *text, size_t len)
{
	start(name);
	write_quoted(text, len);
}

/* The decimal twin of a number that a double cannot hold. */
static void
twin(const char *name, const char *digits)
{
	char longer[80];

	if (name == NULL)
		return;
	snprintf(longer, sizeof(longer), "%s_str", name);
	wk_json_str(longer, digits);
}

void
wk_json_uint(const char *name, uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, v);

	start(name);
	wk_out_write(digits, (size_t)n);
	if (v > JSON_EXACT_MAX)
		twin(name, digits);
}

void
wk_json_int(const char *name, int64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRId64, v);

	start(name);
	wk_out_write(digits, (size_t)n);
	if (v > (int64_t)JSON_EXACT_MAX || v < -(int64_t)JSON_EXACT_MAX)
		twin(name, digits);
}

void
wk_json_double(const char *name, double v)
{
	char digits[40];
	int n;

	if (!isfinite(v)) {
		wk_json_null(name);
		return;
	}
	/* LC_NUMERIC is never set, so the point is a point. */
	n = snprintf(digits, sizeof(digits), "%.9g", v);
	start(name);
	wk_out_write(digits, (size_t)n);
}

void
wk_json_bool(const char *name, bool v)
{
	start(name);
	wk_out_text(v ? "true" : "false");
}

void
wk_json_null(const char *name)
{
	start(name);
	wk_out_text("null");
}

void
wk_json_hex_begin(const char *name)
{
	start(name);
	wk_out_write("\"", 1);
}

void
wk_json_hex_more(const void *data, size_t len)
{
	wk_out_hex(data, len);
}

void
wk_json_hex_end(void)
{
	wk_out_write("\"", 1);
}

void
wk_json_hex(const char *name, const void *data, size_t len)
{
	wk_json_hex_begin(name);
	wk_json_hex_more(data, len);
	wk_json_hex_end();
}

const char *
wk_time_text(uint64_t wall_ns, int digits, char out[WK_TIME_TEXT])
{
	time_t seconds = (time_t)(wall_ns / WK_NS_PER_SEC);
	uint64_t unit = WK_NS_PER_SEC;
	struct tm tm;
	size_t len;
	int i;

	if (gmtime_r(&seconds, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	len = strftime(out, WK_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	if (digits > 0)
		out[len++] = '.';
	for (i = 0; i < digits; i++) {
		unit /= 10;
		out[len++] = (char)('0' + wall_ns / unit % 10);
	}
	out[len++] = 'Z';
	out[len] = '\0';
	return out;
}

void
wk_json_time(const char *name, uint64_t wall_ns)
{
	char text[WK_TIME_TEXT];

	wk_json_str(name, wk_time_text(wall_ns, 6, text));
}
