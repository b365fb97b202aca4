/* SPDX-License-Identifier: MIT */
/*
 * Input: how many octets of the value are kept back (low seven bits; the high
 * one shows octets in full), an index into the types (behind the last: none),
 * and the value. The value is also tried as the text of a type.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/wire/capsule_types.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)
#define HEAD 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a walk came to. */
struct walked {
	struct wk_buf steps;	/* each step's facts, but for cut octets */
	size_t n_steps;
	uint64_t problem_at;	/* of the first problem, */
	bool has_problem;	/* if there is one */
	bool is_cut;		/* a field had more octets than were here */
	int rc;
	struct wk_error error;
};

/* Do names come where they should, and do lists and items end in turn? */
struct nesting {
	char open[2 * WK_CAPSULE_WALK_DEPTH];
	size_t depth;
};

static void
check_nesting(struct nesting *n, int step, const struct wk_capsule_field *f)
{
	char in = n->depth == 0 ? '{' : n->open[n->depth - 1];

	switch (step) {
	case WK_CAPSULE_WALK_LIST_END:
	case WK_CAPSULE_WALK_ITEM_END:
		CHECK(in == (step == WK_CAPSULE_WALK_LIST_END ? '[' : '{'));
		CHECK((f->name != NULL) == (in == '['));
		CHECK(n->depth-- > 0);
		return;
	case WK_CAPSULE_WALK_LIST:
		CHECK(n->depth < sizeof(n->open));
		n->open[n->depth++] = '[';
		break;
	case WK_CAPSULE_WALK_ITEM:
		CHECK(n->depth < sizeof(n->open));
		n->open[n->depth++] = '{';
		break;
	default:
		break;
	}
	CHECK((f->name != NULL) == (in == '{'));
}

static void
check_field(int step, const struct wk_capsule_field *f, const uint8_t *value,
    size_t len, uint64_t length)
{
	CHECK(f->offset <= length && f->full_len <= length);
	CHECK(f->len <= f->full_len && f->len <= len);
	CHECK(f->len == f->full_len || f->data + f->len == value + len);
	if (step == WK_CAPSULE_WALK_ADDRESS)
		CHECK(f->len == 4 || f->len == 12 || f->len == 16);
	if (f->len > 0)
		CHECK(f->data >= value && f->data + f->len <= value + len);
}

static void
walk(struct walked *out, const struct wk_capsule_type *type,
    const uint8_t *value, size_t len, uint64_t length)
{
	struct nesting nesting = { .depth = 0 };
	struct wk_capsule_walk w;
	struct wk_capsule_field f;

	memset(out, 0, sizeof(*out));
	wk_buf_init(&out->steps, SIZE_MAX);
	wk_capsule_walk_init(&w, type, value, len, length);
	while ((out->rc = wk_capsule_walk_next(&w, &f)) > 0) {
		/* At most four steps for an octet, and a list that is empty. */
		CHECK(++out->n_steps <= 4 * (len + 2));
		check_nesting(&nesting, out->rc, &f);
		check_field(out->rc, &f, value, len, length);
		if (f.problem != NULL && !out->has_problem) {
			out->has_problem = true;
			out->problem_at = f.offset;
		}
		out->is_cut |= f.len < f.full_len;
		wk_buf_uint(&out->steps, (uint64_t)out->rc, 1);
		wk_buf_uint(&out->steps, f.offset, 8);
		wk_buf_uint(&out->steps, f.number, 8);
		wk_buf_uint(&out->steps, f.full_len, 8);
	}
	out->error = w.error;
	CHECK(out->rc == (int)w.error.status);
	CHECK(out->rc != WK_CAPSULE_WALK_DONE || nesting.depth == 0);
	CHECK(w.error.offset <= length);
	CHECK(wk_capsule_walk_next(&w, &f) == out->rc);
}

static void
check_whole(const struct wk_capsule_type *type, const uint8_t *value,
    size_t len, const struct walked *w)
{
	struct wk_error e = { .status = WK_OK };
	int rc = wk_capsule_value_check(type, value, len, &e);

	CHECK(w->rc == WK_CAPSULE_WALK_DONE || w->rc == WK_E_MALFORMED);
	CHECK(!w->is_cut);
	CHECK((rc == WK_OK) == (w->rc == 0 && !w->has_problem));
	CHECK(rc == (int)e.status);
	CHECK(rc == WK_OK || e.offset ==
	    (w->has_problem ? w->problem_at : w->error.offset));
}

/* With less of the value there is less to see, but nothing else. */
static void
check_cut(const struct walked *cut, const struct walked *whole)
{
	CHECK(cut->n_steps <= whole->n_steps);
	CHECK(cut->steps.len == 0 || memcmp(cut->steps.data,
	    whole->steps.data, cut->steps.len) == 0);
	if (cut->n_steps == whole->n_steps && cut->rc != WK_E_TRUNCATED)
		CHECK(cut->rc == whole->rc);
	else
		CHECK(cut->rc == WK_E_TRUNCATED);
}

static void
check_text(const struct wk_capsule_type *type, const uint8_t *value,
    size_t len, uint64_t length, size_t max_octets)
{
	struct wk_buf b;
	size_t i;

	wk_buf_init(&b, SIZE_MAX);
	CHECK(wk_capsule_value_text(&b, type, value, len, length,
	    max_octets) == WK_OK);
	CHECK(wk_utf8_is_valid(b.data, b.len));
	for (i = 0; i < b.len; i++)
		CHECK(b.data[i] >= 0x20 && b.data[i] != 0x7f);
	wk_buf_free(&b);
}

static void
check_parse(const uint8_t *value, size_t len)
{
	char *text = malloc(len + 1);
	struct wk_error e;
	uint64_t type;

	CHECK(text != NULL);
	memcpy(text, value, len);
	text[len] = '\0';
	if (wk_capsule_type_parse(text, WK_CAPSULE_FIN_3B, &type, &e) == WK_OK)
		CHECK(type <= WK_VARINT_MAX);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wk_capsule_type *types, *type;
	struct walked whole, cut;
	size_t n, len, kept_back, max_octets;
	uint8_t *copy;

	if (size < HEAD)
		return 0;
	types = wk_capsule_types(&n);
	type = data[1] % (n + 1) == n ? NULL : &types[data[1] % (n + 1)];
	kept_back = data[0] & 0x7f;
	max_octets = (data[0] & 0x80) != 0 ? SIZE_MAX : 8;
	data += HEAD;
	size -= HEAD;

	walk(&whole, type, data, size, size);
	check_whole(type, data, size, &whole);
	check_text(type, data, size, size, max_octets);
	check_parse(data, size);

	len = kept_back < size ? size - kept_back : 0;
	copy = malloc(len + 1);
	CHECK(copy != NULL);
	memcpy(copy + 1, data, len);	/* ends where the allocation ends */
	walk(&cut, type, copy + 1, len, size);
	check_cut(&cut, &whole);
	check_text(type, copy + 1, len, size, max_octets);
	free(copy);
	wk_buf_free(&cut.steps);
	wk_buf_free(&whole.steps);
	return 0;
}
