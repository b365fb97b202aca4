/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/capsule_types.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"

int
wk_capsule_address_text(struct wk_buf *b, const uint8_t *address, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t whole[16] = { 0 };

	memcpy(whole, address, len < sizeof(whole) ? len : sizeof(whole));
	inet_ntop(len == 4 ? AF_INET : AF_INET6, whole, text, sizeof(text));
	return wk_buf_append(b, text, strlen(text));
}

static void
append_octets(struct wk_buf *b, int step, const struct wk_capsule_field *f,
    size_t max_octets)
{
	size_t len = f->len < max_octets ? f->len : max_octets;

	if (step == WK_CAPSULE_WALK_TEXT) {
		wk_buf_append(b, "\"", 1);
		wk_text_escape(b, f->data, len, '"');
		wk_buf_append(b, "\"", 1);
	} else if (f->full_len == 0) {
		wk_buf_printf(b, "none");
	} else {
		wk_hex_append(b, f->data, len);
	}
	if (len < f->full_len)
		wk_buf_printf(b, "[truncated]");
}

/* A blank, but not at the beginning of the text, a list or an item. */
static void
separate(struct wk_buf *b)
{
	char last = b->len == 0 ? '[' : (char)b->data[b->len - 1];

	if (last != '[' && last != '{')
		wk_buf_append(b, " ", 1);
}

static void
append_step(struct wk_buf *b, int step, const struct wk_capsule_field *f,
    size_t max_octets)
{
	bool is_end = step == WK_CAPSULE_WALK_LIST_END ||
	    step == WK_CAPSULE_WALK_ITEM_END;

	if (!is_end)
		separate(b);
	if (!is_end && f->name != NULL)
		wk_buf_printf(b, "%s ", f->name);
	switch (step) {
	case WK_CAPSULE_WALK_UINT:
		wk_buf_printf(b, "%" PRIu64, f->number);
		break;
	case WK_CAPSULE_WALK_ADDRESS:
		wk_capsule_address_text(b, f->data, f->len);
		break;
	case WK_CAPSULE_WALK_TEXT:
	case WK_CAPSULE_WALK_OCTETS:
		append_octets(b, step, f, max_octets);
		break;
	case WK_CAPSULE_WALK_LIST:
		wk_buf_append(b, "[", 1);
		break;
	case WK_CAPSULE_WALK_LIST_END:
		wk_buf_append(b, "]", 1);
		break;
	case WK_CAPSULE_WALK_ITEM:
		wk_buf_append(b, "{", 1);
		break;
	case WK_CAPSULE_WALK_ITEM_END:
		wk_buf_append(b, "}", 1);
		break;
	default:
		break;
	}
	if (f->problem != NULL)
		wk_buf_printf(b, " (malformed: %s)", f->problem);
}

int
wk_capsule_value_text(struct wk_buf *b, const struct wk_capsule_type *type,
    const void *value, size_t len, uint64_t length, size_t max_octets)
{
	struct wk_capsule_walk w;
	struct wk_capsule_field f;
	int step;

	wk_capsule_walk_init(&w, type, value, len, length);
	while ((step = wk_capsule_walk_next(&w, &f)) > 0 &&
	    b->status == WK_OK)
		append_step(b, step, &f, max_octets);
	if (step < 0)
		separate(b);
	if (step == WK_E_TRUNCATED)
		wk_buf_printf(b, "[truncated]");
	else if (step < 0)
		wk_buf_printf(b, "(malformed: %s)", w.error.reason);
	return b->status;
}
