/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "cmd/capsule-cat/show.h"
#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/cli/json.h"

static void
write_type(const struct show *s, const struct value *v)
{
	const char *reading = show_reading(s, v);
	char code[24];

	snprintf(code, sizeof(code), "0x%" PRIx64, v->cap->type);
	wk_json_uint("type", v->cap->type);
	wk_json_str("type_code", code);
	if (v->type == NULL) {
		wk_json_bool("grease",
		    wk_capsule_type_is_grease(v->cap->type));
		return;
	}
	wk_json_str("type_name", wk_capsule_type_name(v->type, s->reading));
	wk_json_str("document", v->type->document);
	if ((v->type->flags & WK_CAPSULE_LEGACY) != 0)
		wk_json_bool("legacy", true);
	if ((v->type->flags & WK_CAPSULE_PROVISIONAL) != 0)
		wk_json_bool("provisional", true);
	if (reading == NULL)
		return;
	wk_json_bool("fin", wk_capsule_type_is_fin(v->cap->type, s->reading));
	wk_json_str("reading", reading);
}

static void
write_header(const struct show *s, const struct value *v)
{
	wk_json_begin("capsule");
	if (s->file != NULL)
		wk_json_str("file", s->file);
	wk_json_uint("offset", v->cap->offset);
	write_type(s, v);
	wk_json_uint("type_octets", v->cap->type_octets);
	wk_json_uint("length", v->cap->length);
	wk_json_uint("length_octets", v->cap->length_octets);
}

static void
write_octets(const char *name, const uint8_t *data, size_t len)
{
	char longer[64];

	if (name != NULL)
		snprintf(longer, sizeof(longer), "%s_hex", name);
	wk_json_hex(name == NULL ? NULL : longer, data, len);
}

static void
write_address(const struct wk_capsule_field *f)
{
	char text[64];
	struct wk_buf b;

	wk_buf_init(&b, sizeof(text));
	wk_capsule_address_text(&b, f->data, f->len);
	wk_json_strn(f->name, b.data, b.len);
	wk_buf_free(&b);
}

static void
write_step(int step, const struct wk_capsule_field *f)
{
	switch (step) {
	case WK_CAPSULE_WALK_UINT:
		wk_json_uint(f->name, f->number);
		break;
	case WK_CAPSULE_WALK_ADDRESS:
		write_address(f);
		break;
	case WK_CAPSULE_WALK_TEXT:
		wk_json_strn(f->name, f->data, f->len);
		break;
	case WK_CAPSULE_WALK_OCTETS:
		write_octets(f->name, f->data, f->len);
		break;
	case WK_CAPSULE_WALK_LIST:
		wk_json_array(f->name);
		break;
	case WK_CAPSULE_WALK_LIST_END:
		wk_json_array_end();
		break;
	case WK_CAPSULE_WALK_ITEM:
		wk_json_object(NULL);
		break;
	case WK_CAPSULE_WALK_ITEM_END:
		wk_json_object_end();
		break;
	default:
		break;
	}
}

/* Lists and items that are open, so that an error can close them. */
struct open {
	bool is_list[2 * WK_CAPSULE_WALK_DEPTH];
	size_t n;
};

static void
note_nesting(struct open *open, int step)
{
	if (step == WK_CAPSULE_WALK_LIST || step == WK_CAPSULE_WALK_ITEM)
		open->is_list[open->n++] = step == WK_CAPSULE_WALK_LIST;
	else if (step == WK_CAPSULE_WALK_LIST_END ||
	    step == WK_CAPSULE_WALK_ITEM_END)
		open->n--;
}

static void
write_walk(const struct value *v)
{
	struct open open = { .n = 0 };
	struct wk_capsule_walk w;
	struct wk_capsule_field f;
	int step;

	wk_capsule_walk_init(&w, v->type, v->data, v->len, v->cap->length);
	while ((step = wk_capsule_walk_next(&w, &f)) > 0) {
		note_nesting(&open, step);
		write_step(step, &f);
	}
	while (open.n > 0)
		if (open.is_list[--open.n])
			wk_json_array_end();
		else
			wk_json_object_end();
}

static void
write_fields(const struct value *v)
{
	wk_json_object("fields");
	if (v->has_context) {
		wk_json_uint("context_id", v->datagram.context_id);
		wk_json_hex("payload_hex", v->datagram.payload,
		    v->datagram.payload_len);
	} else {
		write_walk(v);
	}
	wk_json_object_end();
}

static void
write_judgement(const struct value *v)
{
	struct wk_error error;
	int rc = value_check(v, &error);

	wk_json_bool("valid", rc == WK_OK);
	if (rc == WK_OK)
		return;
	wk_json_str("malformed", error.reason);
	wk_json_uint("malformed_offset", error.offset);
}

int
show_json(const struct show *s, const struct value *v)
{
	write_header(s, v);
	/* An unknown type has no fields but its value, which comes anyway. */
	if (v->type != NULL) {
		write_judgement(v);
		write_fields(v);
	}
	if (v->len < v->cap->length)
		wk_json_bool("truncated", true);
	wk_json_hex("value_hex", v->data, v->len);
	wk_json_end();
	return WK_OK;
}

void
show_json_begin(const struct show *s, const struct value *v)
{
	write_header(s, v);
	wk_json_hex_begin("value_hex");
}

void
show_json_piece(const uint8_t *data, size_t len)
{
	wk_json_hex_more(data, len);
}

void
show_json_end(bool is_whole)
{
	wk_json_hex_end();
	if (!is_whole)
		wk_json_bool("truncated", true);
	wk_json_end();
}
