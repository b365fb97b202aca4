/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/capsule_types.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/wire/capsule_layout.h"

#define STREAM_COUNT_MAX (UINT64_C(1) << 60)	/* webtrans-http2-15, 6.6 */
#define MESSAGE_MAX 1024			/* webtrans-http3-16, 6 */
#define CONNECTION_ID_MAX 255			/* RFC 8999, section 5.1 */

/* What a field is, by its kind. A list is dealt with elsewhere. */
static const struct kind {
	uint8_t step;		/* enum wk_capsule_step */
	uint8_t octets;		/* of an integer or a fixed field */
	bool is_counted;	/* by a varint in front */
	bool is_rest;		/* of the value */
	bool needs_address;	/* not there when the IP version is 0 */
} kinds[] = {
	[WK_LAYOUT_VARINT] = { .step = WK_CAPSULE_WALK_UINT },
	[WK_LAYOUT_U8] = { WK_CAPSULE_WALK_UINT, .octets = 1 },
	[WK_LAYOUT_U16] = { WK_CAPSULE_WALK_UINT, .octets = 2 },
	[WK_LAYOUT_U32] = { WK_CAPSULE_WALK_UINT, .octets = 4 },
	[WK_LAYOUT_VERSION] = { WK_CAPSULE_WALK_UINT, .octets = 1 },
	[WK_LAYOUT_VERSION_OR_0] = { WK_CAPSULE_WALK_UINT, .octets = 1 },
	[WK_LAYOUT_ADDRESS] = { WK_CAPSULE_WALK_ADDRESS,
	    .needs_address = true },
	[WK_LAYOUT_PORT] = { WK_CAPSULE_WALK_UINT, .octets = 2,
	    .needs_address = true },
	[WK_LAYOUT_IPV4] = { WK_CAPSULE_WALK_ADDRESS, .octets = 4 },
	[WK_LAYOUT_IPV6] = { WK_CAPSULE_WALK_ADDRESS, .octets = 16 },
	[WK_LAYOUT_IPV6_96] = { WK_CAPSULE_WALK_ADDRESS, .octets = 12 },
	[WK_LAYOUT_REST] = { WK_CAPSULE_WALK_OCTETS, .is_rest = true },
	[WK_LAYOUT_REST_TEXT] = { WK_CAPSULE_WALK_TEXT, .is_rest = true },
	[WK_LAYOUT_COUNTED] = { WK_CAPSULE_WALK_OCTETS, .is_counted = true },
	[WK_LAYOUT_COUNTED_TEXT] = { WK_CAPSULE_WALK_TEXT,
	    .is_counted = true },
	[WK_LAYOUT_LIST_REST] = { WK_CAPSULE_WALK_LIST, .is_rest = true },
	[WK_LAYOUT_LIST_COUNTED] = { WK_CAPSULE_WALK_LIST,
	    .is_counted = true },
};

/* The value itself, as if it were the only item of a list. */
static const struct wk_capsule_layout whole_value = { .name = "value" };

void
wk_capsule_walk_init(struct wk_capsule_walk *w,
    const struct wk_capsule_type *type, const void *value, size_t len,
    uint64_t length)
{
	memset(w, 0, sizeof(*w));
	w->value = value != NULL ? value : (const uint8_t *)"";
	w->len = len < length ? len : (size_t)length;
	w->length = length;
	w->levels[0].list = &whole_value;
	w->levels[0].is_inside = true;
	w->levels[0].next = type == NULL ? wk_capsule_layout_opaque :
	    type->layout;
}

/* --- taking octets ------------------------------------------------------- */

/* Octets of the value that are here and not yet read. */
static size_t
here(const struct wk_capsule_walk *w)
{
	return w->at < w->len ? w->len - (size_t)w->at : 0;
}

/* A name for messages; plain values go by that of their list. */
static const char *
name_of(const struct wk_capsule_walk *w, const struct wk_capsule_layout *l)
{
	return l->name != NULL ? l->name : w->levels[w->depth].list->name;
}

/*
 * The next n octets of a field, or NULL with an error that tells whether the
 * value has no more or only the caller has not.
 */
static const uint8_t *
take(struct wk_capsule_walk *w, const struct wk_capsule_layout *l, uint64_t n)
{
	const uint8_t *data = w->value + (w->at < w->len ? w->at : w->len);

	if (n > w->length - w->at) {
		wk_error_set(&w->error, WK_E_MALFORMED, w->length,
		    "value ends inside %s", name_of(w, l));
		return NULL;
	}
	if (n > here(w)) {
		wk_error_set(&w->error, WK_E_TRUNCATED, w->len,
		    "value is not all here, %s is cut", name_of(w, l));
		return NULL;
	}
	w->at += n;
	return data;
}

static bool
take_varint(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    uint64_t *v)
{
	const uint8_t *first = take(w, l, 1);
	size_t octets;

	if (first == NULL)
		return false;
	octets = wk_varint_octets(*first);
	if (take(w, l, octets - 1) == NULL)
		return false;
	wk_varint_decode(first, octets, v);
	return true;
}

static bool
take_uint(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    size_t octets, uint64_t *v)
{
	const uint8_t *p = take(w, l, octets);
	size_t i;

	if (p == NULL)
		return false;
	for (*v = 0, i = 0; i < octets; i++)
		*v = *v << 8 | p[i];
	return true;
}

/* All there is, even if that is not all. */
static void
take_rest(struct wk_capsule_walk *w, struct wk_capsule_field *f)
{
	f->len = here(w);
	f->data = w->value + (w->len - f->len);
	f->full_len = w->length - w->at;
	w->at = w->length;
}

static bool
take_octets(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    uint64_t n, struct wk_capsule_field *f)
{
	f->data = take(w, l, n);
	f->len = (size_t)n;
	f->full_len = n;
	return f->data != NULL;
}

/* --- rules --------------------------------------------------------------- */

/* Octets of an address, or 0 for a version that has none. */
static size_t
address_octets(uint8_t ip_version)
{
	return ip_version == 4 ? 4 : ip_version == 6 ? 16 : 0;
}

/* Is any bit set behind the first n_bits of so many octets? */
static bool
has_bits_behind(const uint8_t *data, size_t octets, uint64_t n_bits)
{
	size_t i = (size_t)n_bits / 8;

	if (i < octets && (uint8_t)(data[i] << n_bits % 8) != 0)
		return true;
	for (i++; i < octets; i++)
		if (data[i] != 0)
			return true;
	return false;
}

static const char *
prefix_problem(const struct wk_capsule_walk *w, uint64_t prefix_length)
{
	size_t octets = address_octets(w->ip_version);

	if (prefix_length > 8 * octets)
		return "is longer than the address";
	if (has_bits_behind(w->address, octets, prefix_length))
		return "leaves bits of the address set behind it";
	return NULL;
}

static const char *
nat64_problem(uint64_t prefix_length)
{
	if (prefix_length == 96 || (prefix_length >= 32 &&
	    prefix_length <= 64 && prefix_length % 8 == 0))
		return NULL;
	return "must be 32, 40, 48, 56, 64 or 96";
}

static const char *
message_problem(const struct wk_capsule_field *f)
{
	if (f->full_len > MESSAGE_MAX)
		return "is longer than 1024 octets";
	if (f->full_len == f->len && !wk_utf8_is_valid(f->data, f->len))
		return "is not UTF-8";
	return NULL;
}

/*
 * Ranges ascend by version, protocol, address and do not meet. The first one
 * is behind version 0.
 */
static const char *
order_problem(const struct wk_capsule_walk *w)
{
	const struct wk_capsule_range *now = &w->range, *before = &w->before;

	if (now->ip_version != before->ip_version)
		return now->ip_version > before->ip_version ? NULL :
		    "range of IPv4 is behind one of IPv6";
	if (now->protocol != before->protocol)
		return now->protocol > before->protocol ? NULL :
		    "range is not in the order of protocols";
	if (memcmp(now->start, before->end,
	    address_octets(now->ip_version)) > 0)
		return NULL;
	return "range is not behind the one before it";
}

/* The rule that what was just read breaks, or NULL. */
static const char *
problem_of(struct wk_capsule_walk *w, enum wk_layout_rule rule,
    const struct wk_capsule_field *f)
{
	switch (rule) {
	case WK_RULE_NOT_ZERO:
		return f->number == 0 ? "must not be 0" : NULL;
	case WK_RULE_NOT_EMPTY:
		return f->number == 0 ? "must not be empty" : NULL;
	case WK_RULE_STREAM_COUNT:
		return f->number > STREAM_COUNT_MAX ?
		    "must be at most 2^60" : NULL;
	case WK_RULE_PREFIX_LENGTH:
		return prefix_problem(w, f->number);
	case WK_RULE_NAT64_LENGTH:
		return nat64_problem(f->number);
	case WK_RULE_RANGE_START:
		w->range.ip_version = w->ip_version;
		memcpy(w->range.start, w->address, sizeof(w->address));
		return NULL;
	case WK_RULE_RANGE_END:
		memcpy(w->range.end, w->address, sizeof(w->address));
		return memcmp(w->range.start, w->range.end, f->len) > 0 ?
		    "is before the start" : NULL;
	case WK_RULE_RANGE_PROTOCOL:
		w->range.protocol = (uint8_t)f->number;
		return NULL;
	case WK_RULE_ZEROS:
		return has_bits_behind(f->data, f->len, 0) ?
		    "must be zeros" : NULL;
	case WK_RULE_MESSAGE:
		return message_problem(f);
	case WK_RULE_CONNECTION_ID:
		return f->full_len > CONNECTION_ID_MAX ?
		    "is longer than 255 octets" : NULL;
	case WK_RULE_NONE:
	case WK_RULE_RANGE_ORDER:	/* of items: see end_item() */
		break;
	}
	return NULL;
}

/* --- walking ------------------------------------------------------------- */

/* The IP version decides what comes next, so an unknown one ends the walk. */
static bool
set_version(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    const struct wk_capsule_field *f)
{
	bool may_be_0 = l->kind == WK_LAYOUT_VERSION_OR_0;

	w->ip_version = (uint8_t)f->number;
	if (address_octets(w->ip_version) > 0 ||
	    (w->ip_version == 0 && may_be_0))
		return true;
	wk_error_set(&w->error, WK_E_MALFORMED, f->offset,
	    "ip version %u, expected %s4 or 6", w->ip_version,
	    may_be_0 ? "0, " : "");
	return false;
}

/* A list begins: a level of its own, until its items are through. */
static int
begin_list(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    struct wk_capsule_field *f)
{
	uint64_t count = UINT64_MAX;
	struct wk_capsule_level *level;

	if (kinds[l->kind].is_counted && !take_varint(w, l, &count))
		return w->error.status;
	level = &w->levels[++w->depth];
	memset(level, 0, sizeof(*level));
	level->list = l;
	level->count = count;
	f->name = l->name;
	return WK_CAPSULE_WALK_LIST;
}

static int
end_list(struct wk_capsule_walk *w, struct wk_capsule_field *f)
{
	const struct wk_capsule_level *level = &w->levels[w->depth--];

	f->name = level->list->name;
	f->number = level->begun;
	f->problem = problem_of(w, level->list->rule, f);
	return WK_CAPSULE_WALK_LIST_END;
}

static bool
has_next_item(const struct wk_capsule_walk *w,
    const struct wk_capsule_level *level)
{
	if (kinds[level->list->kind].is_rest)
		return w->at < w->length;
	return level->begun < level->count;
}

static bool
has_named_fields(const struct wk_capsule_level *level)
{
	return level->list->item->name != NULL;
}

static void
begin_item(struct wk_capsule_walk *w, struct wk_capsule_level *level)
{
	level->is_inside = true;
	level->begun++;
	level->offset = w->at;
	level->next = level->list->item;
}

static int
end_item(struct wk_capsule_walk *w, struct wk_capsule_level *level,
    struct wk_capsule_field *f)
{
	level->is_inside = false;
	f->offset = level->offset;
	if (level->list->item_rule == WK_RULE_RANGE_ORDER) {
		f->problem = order_problem(w);
		w->before = w->range;
	}
	return WK_CAPSULE_WALK_ITEM_END;
}

static bool
read_octets(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    struct wk_capsule_field *f)
{
	const struct kind *kind = &kinds[l->kind];
	uint64_t octets = kind->octets;

	if (kind->is_rest) {
		take_rest(w, f);
		return true;
	}
	if (l->kind == WK_LAYOUT_VARINT)
		return take_varint(w, l, &f->number);
	if (kind->step == WK_CAPSULE_WALK_UINT)
		return take_uint(w, l, kind->octets, &f->number);
	if (kind->is_counted && !take_varint(w, l, &octets))
		return false;
	if (l->kind == WK_LAYOUT_ADDRESS)
		octets = address_octets(w->ip_version);
	if (!take_octets(w, l, octets, f))
		return false;
	if (l->kind == WK_LAYOUT_ADDRESS)
		memcpy(w->address, f->data, f->len);
	return true;
}

static int
read_field(struct wk_capsule_walk *w, const struct wk_capsule_layout *l,
    struct wk_capsule_field *f)
{
	bool is_version = l->kind == WK_LAYOUT_VERSION ||
	    l->kind == WK_LAYOUT_VERSION_OR_0;

	if (kinds[l->kind].step == WK_CAPSULE_WALK_LIST)
		return begin_list(w, l, f);
	f->name = l->name;
	if (!read_octets(w, l, f) || (is_version && !set_version(w, l, f)))
		return w->error.status;
	f->problem = problem_of(w, l->rule, f);
	return kinds[l->kind].step;
}

/* All fields of the value are read; nothing may be left. */
static int
end_value(struct wk_capsule_walk *w)
{
	if (w->at < w->length)
		return wk_error_set(&w->error, WK_E_MALFORMED, w->at,
		    "octets left behind the last field: %" PRIu64,
		    w->length - w->at);
	return WK_CAPSULE_WALK_DONE;
}

int
wk_capsule_walk_next(struct wk_capsule_walk *w, struct wk_capsule_field *f)
{
	struct wk_capsule_level *level;

	if (w->error.status != WK_OK)
		return w->error.status;
	memset(f, 0, sizeof(*f));
	f->offset = w->at;
	for (;;) {
		level = &w->levels[w->depth];
		if (!level->is_inside) {
			if (!has_next_item(w, level))
				return end_list(w, f);
			begin_item(w, level);
			if (has_named_fields(level))
				return WK_CAPSULE_WALK_ITEM;
		} else if (kinds[level->next->kind].needs_address &&
		    w->ip_version == 0) {
			level->next++;
		} else if (level->next->kind != WK_LAYOUT_END) {
			return read_field(w, level->next++, f);
		} else if (w->depth == 0) {
			return end_value(w);
		} else if (has_named_fields(level)) {
			return end_item(w, level, f);
		} else {
			level->is_inside = false;
		}
	}
}

int
wk_capsule_value_check(const struct wk_capsule_type *type, const void *value,
    size_t len, struct wk_error *error)
{
	struct wk_capsule_walk w;
	struct wk_capsule_field f;
	int step;

	wk_capsule_walk_init(&w, type, value, len, len);
	while ((step = wk_capsule_walk_next(&w, &f)) > 0)
		if (f.problem != NULL)
			return wk_error_set(error, WK_E_MALFORMED, f.offset,
			    "%s%s%s", f.name == NULL ? "" : f.name,
			    f.name == NULL ? "" : " ", f.problem);
	if (step < 0 && error != NULL)
		*error = w.error;
	return step;
}
