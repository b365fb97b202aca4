/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/show.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/cli/out.h"

/* The two types whose meaning was exchanged; see capsule_types.h. */
#define WT_STREAM_3B 0x190b4d3b
#define WT_STREAM_3C 0x190b4d3c

/* One line; its memory is kept for the next one. */
static struct wk_buf line = { .max = SIZE_MAX };

const char *
show_reading(const struct show *s, const struct value *v)
{
	if (v->cap->type != WT_STREAM_3B && v->cap->type != WT_STREAM_3C)
		return NULL;
	return s->reading == WK_CAPSULE_FIN_3B ? "webtrans-http2-15" :
	    "webtrans-http2-05 to -14";
}

static void
append_type(const struct show *s, const struct value *v)
{
	const char *reading = show_reading(s, v);

	wk_buf_printf(&line, "type 0x%" PRIx64, v->cap->type);
	if (v->type != NULL)
		wk_buf_printf(&line, " %s",
		    wk_capsule_type_name(v->type, s->reading));
	if (reading != NULL)
		wk_buf_printf(&line, " (%s)", reading);
	if (v->type == NULL)
		wk_buf_printf(&line, wk_capsule_type_is_grease(v->cap->type) ?
		    " (grease)" : " (unknown)");
	else if ((v->type->flags & WK_CAPSULE_LEGACY) != 0)
		wk_buf_printf(&line, " (legacy, %s)", v->type->document);
}

/* Everything before the value, which is separated by a blank. */
static void
append_header(const struct show *s, const struct value *v)
{
	const struct wk_capsule *cap = v->cap;

	wk_buf_clear(&line);
	if (s->file != NULL) {
		wk_text_escape(&line, s->file, strlen(s->file), 0);
		wk_buf_append(&line, ": ", 2);
	}
	wk_buf_printf(&line, "offset %" PRIu64 " ", cap->offset);
	append_type(s, v);
	wk_buf_printf(&line, " length %" PRIu64, cap->length);
	if (cap->type_octets != wk_varint_shortest(cap->type))
		wk_buf_printf(&line, " (type on %d octets)", cap->type_octets);
	if (cap->length_octets != wk_varint_shortest(cap->length))
		wk_buf_printf(&line, " (length on %d octets)",
		    cap->length_octets);
}

/* Is it all text that acts on nothing? */
static bool
is_plain_text(const uint8_t *data, size_t len)
{
	uint32_t c;
	size_t n;

	for (; len > 0; data += n, len -= n) {
		n = wk_utf8_decode(data, len, &c);
		if (n == 0 || (wk_text_is_deceptive(c) && c != '\n'))
			return false;
	}
	return true;
}

static void
append_datagram(const struct show *s, const struct value *v)
{
	const struct wk_datagram *d = &v->datagram;
	size_t len = d->payload_len < s->max_octets ? d->payload_len :
	    s->max_octets;
	bool is_cut = v->len < v->cap->length || len < d->payload_len;

	wk_buf_printf(&line, " context_id %" PRIu64 " payload ",
	    d->context_id);
	if (d->payload_len == 0 && !is_cut)
		wk_buf_append(&line, "none", 4);
	wk_hex_append(&line, d->payload, len);
	if (is_cut)
		wk_buf_printf(&line, "[truncated]");
	if (len == 0 || !is_plain_text(d->payload, len))
		return;
	wk_buf_printf(&line, " \"");
	wk_text_escape(&line, d->payload, len, '"');
	wk_buf_printf(&line, "\"");
}

static void
append_value(const struct show *s, const struct value *v)
{
	if (v->has_context) {
		append_datagram(s, v);
		return;
	}
	wk_capsule_value_text(&line, v->type, v->data, v->len, v->cap->length,
	    s->max_octets);
	if (v->has_cut_context)
		wk_buf_printf(&line,
		    " (malformed: value ends inside context_id)");
}

int
show_text(const struct show *s, const struct value *v)
{
	append_header(s, v);
	append_value(s, v);
	wk_buf_append(&line, "\n", 1);
	if (line.status != WK_OK)
		return line.status;
	wk_out_write(line.data, line.len);
	return WK_OK;
}

void
show_text_begin(const struct show *s, const struct value *v)
{
	append_header(s, v);
	wk_buf_printf(&line, " value ");
	wk_out_write(line.data, line.len);
	if (v->cap->length == 0)
		wk_out_text("none");
}

void
show_text_piece(const uint8_t *data, size_t len)
{
	wk_out_hex(data, len);
}

void
show_text_end(bool is_whole)
{
	wk_out_text(is_whole ? "\n" : "[truncated]\n");
}
