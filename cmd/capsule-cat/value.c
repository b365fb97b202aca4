/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/value.h"

#include <string.h>

/*
 * RFC 9297 leaves it to the protocol; CONNECT-UDP, CONNECT-IP and their
 * relatives all have one. The legacy types did too, by themselves or, for the
 * last of them, in connect-udp-07.
 */
bool
value_starts_with_context(uint64_t type)
{
	return type == 0x00 || type == 0xff37a0 || type == 0xff37a4 ||
	    type == 0xff37a5;
}

void
value_init(struct value *v, const struct wk_capsule *cap, const uint8_t *data,
    size_t len, bool splits_context)
{
	memset(v, 0, sizeof(*v));
	v->cap = cap;
	v->type = wk_capsule_type_find(cap->type);
	v->data = data;
	v->len = len;
	/* No document says what a datagram without any octet is. */
	if (!splits_context || len == 0 ||
	    !value_starts_with_context(cap->type))
		return;
	v->has_context = wk_datagram_decode(data, len, SIZE_MAX, &v->datagram,
	    NULL) == WK_OK;
	v->has_cut_context = !v->has_context && len == cap->length;
}

static int
check_fields(const struct value *v, struct wk_error *error)
{
	struct wk_capsule_walk w;
	struct wk_capsule_field f;
	int step;

	wk_capsule_walk_init(&w, v->type, v->data, v->len, v->cap->length);
	while ((step = wk_capsule_walk_next(&w, &f)) > 0)
		if (f.problem != NULL)
			return wk_error_set(error, WK_E_MALFORMED, f.offset,
			    "%s%s%s", f.name == NULL ? "" : f.name,
			    f.name == NULL ? "" : " ", f.problem);
	if (step != WK_E_MALFORMED)
		return WK_OK;
	*error = w.error;
	return step;
}

int
value_check(const struct value *v, struct wk_error *error)
{
	if (v->has_cut_context)
		return wk_error_set(error, WK_E_MALFORMED, v->cap->length,
		    "value ends inside context_id");
	return check_fields(v, error);
}
