/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/capsule_vectors.h"

#include <ctype.h>
#include <inttypes.h>

#include "common/base/text.h"
#include "common/wire/capsule.h"
#include "common/wire/capsule_types.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define WT_STREAM_3B 0x190b4d3b
#define WT_STREAM_3C 0x190b4d3c

/* --- the table ----------------------------------------------------------- */

static void
test_table_is_in_order_and_found(void **state)
{
	const struct wk_capsule_type *all;
	size_t n, i;

	(void)state;
	all = wk_capsule_types(&n);
	assert_true(n > 50);
	for (i = 0; i < n; i++) {
		assert_true(i == 0 || all[i].type > all[i - 1].type);
		assert_ptr_equal(wk_capsule_type_find(all[i].type), &all[i]);
		assert_false(wk_capsule_type_is_grease(all[i].type));
		assert_non_null(all[i].layout);
		assert_true(strlen(all[i].name) > 0);
		assert_true(strlen(all[i].document) > 0);
	}
	assert_null(wk_capsule_type_find(0x04));
	assert_null(wk_capsule_type_find(0x17));
	assert_null(wk_capsule_type_find(0x190b4d37));
	assert_null(wk_capsule_type_find(UINT64_MAX));
}

static void
test_flags(void **state)
{
	static const struct {
		uint64_t type;
		unsigned flags;
		const char *name;
	} known[] = {
		{ 0x00, 0, "DATAGRAM" },
		{ 0x03, 0, "ROUTE_ADVERTISEMENT" },
		{ 0x13, WK_CAPSULE_PROVISIONAL, "COMPRESSION_CLOSE" },
		{ 0x190b4d3e, WK_CAPSULE_NOT_H3, "WT_MAX_STREAM_DATA" },
		{ 0x190b4d42, WK_CAPSULE_NOT_H3, "WT_STREAM_DATA_BLOCKED" },
		{ 0x272dda5e, WK_CAPSULE_PROVISIONAL, "WRAP_UP" },
		{ 0xff37a0, WK_CAPSULE_LEGACY, "DATAGRAM" },
		{ 0xff37a1, WK_CAPSULE_LEGACY, "REGISTER_DATAGRAM_CONTEXT" },
		{ 0xff37a2, WK_CAPSULE_LEGACY, "REGISTER_DATAGRAM" },
		{ 0xff37a3, WK_CAPSULE_LEGACY, "CLOSE_DATAGRAM_CONTEXT" },
		{ 0xff37a4, WK_CAPSULE_LEGACY, "DATAGRAM_WITH_CONTEXT" },
		{ 0xff37a5, WK_CAPSULE_LEGACY, "DATAGRAM" },
		{ 0xfff102, WK_CAPSULE_LEGACY, "ROUTE_ADVERTISEMENT" },
		{ 0x2575d601, WK_CAPSULE_LEGACY, "ADDRESS_ASSIGN" },
		{ 0x1c0fe324, WK_CAPSULE_LEGACY, "COMPRESSION_CLOSE" },
		{ 0x2028d7f1, WK_CAPSULE_LEGACY, "FINAL_DATA" },
		{ 0x2028d7f3, 0, "FINAL_DATA" },
		{ 0x3ee31447, WK_CAPSULE_PROVISIONAL, "CHECKSUM_CLOSE" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(known); i++) {
		const struct wk_capsule_type *t =
		    wk_capsule_type_find(known[i].type);

		assert_non_null(t);
		assert_int_equal(t->flags, known[i].flags);
		assert_string_equal(t->name, known[i].name);
	}
}

static void
test_wt_stream_is_named_by_the_reading(void **state)
{
	const struct wk_capsule_type *b = wk_capsule_type_find(WT_STREAM_3B);
	const struct wk_capsule_type *c = wk_capsule_type_find(WT_STREAM_3C);
	uint64_t type;

	(void)state;
	assert_string_equal(wk_capsule_type_name(b, WK_CAPSULE_FIN_3B),
	    "WT_STREAM_FIN");
	assert_string_equal(wk_capsule_type_name(c, WK_CAPSULE_FIN_3B),
	    "WT_STREAM");
	assert_string_equal(wk_capsule_type_name(b, WK_CAPSULE_FIN_3C),
	    "WT_STREAM");
	assert_string_equal(wk_capsule_type_name(c, WK_CAPSULE_FIN_3C),
	    "WT_STREAM_FIN");
	assert_true(wk_capsule_type_is_fin(WT_STREAM_3B, WK_CAPSULE_FIN_3B));
	assert_false(wk_capsule_type_is_fin(WT_STREAM_3C, WK_CAPSULE_FIN_3B));
	assert_false(wk_capsule_type_is_fin(WT_STREAM_3B, WK_CAPSULE_FIN_3C));
	assert_true(wk_capsule_type_is_fin(WT_STREAM_3C, WK_CAPSULE_FIN_3C));
	assert_false(wk_capsule_type_is_fin(0, WK_CAPSULE_FIN_3B));
	/* names lead to the code point that the reading gives them */
	wk_capsule_type_parse("WT_STREAM_FIN", WK_CAPSULE_FIN_3B, &type, NULL);
	assert_int_equal(type, WT_STREAM_3B);
	wk_capsule_type_parse("WT_STREAM_FIN", WK_CAPSULE_FIN_3C, &type, NULL);
	assert_int_equal(type, WT_STREAM_3C);
	wk_capsule_type_parse("WT_STREAM", WK_CAPSULE_FIN_3C, &type, NULL);
	assert_int_equal(type, WT_STREAM_3B);
	/* all other names do not depend on it */
	b = wk_capsule_type_find(0);
	assert_string_equal(wk_capsule_type_name(b, WK_CAPSULE_FIN_3C),
	    "DATAGRAM");
}

static void
test_types_from_text(void **state)
{
	static const struct {
		const char *text;
		uint64_t type;
	} good[] = {
		{ "0", 0 }, { "17", 17 }, { "0x17", 0x17 }, { "0X1f", 0x1f },
		{ "010", 10 }, { "4611686018427387903", WK_VARINT_MAX },
		{ "0x3fffffffffffffff", WK_VARINT_MAX },
		{ "DATAGRAM", 0 }, { "datagram", 0 }, { "Wrap_Up", 0x272dda5e },
		{ "ADDRESS_ASSIGN", 1 },
		{ "COMPRESSION_ASSIGN", 0x11 },
		{ "DATA", 0x2028d7f2 },		/* not the two before it */
		{ "FINAL_DATA", 0x2028d7f3 },
		{ "DATAGRAM_WITH_CONTEXT", 0xff37a4 }, /* only a legacy one */
	};
	static const struct {
		const char *text, *reason;
	} bad[] = {
		{ "", "no capsule type is named " },
		{ "DATAGRAMS", "no capsule type is named DATAGRAMS" },
		{ "DATAGRA", "no capsule type is named DATAGRA" },
		{ "-1", "no capsule type is named -1" },
		{ "+1", "no capsule type is named +1" },
		{ " 1", "no capsule type is named  1" },
		{ "1x", "1x is not a number" },
		{ "0x", "0x is not a number" },
		{ "0xg", "0xg is not a number" },
		{ "0x-1", "0x-1 is not a number" },
		{ "0x+1", "0x+1 is not a number" },
		{ "0x 1", "0x 1 is not a number" },
		{ "0x0x1", "0x0x1 is not a number" },
		{ "1 ", "1  is not a number" },
		{ "4611686018427387904", "4611686018427387904 "
		    "is above 2^62-1" },
		{ "99999999999999999999", "99999999999999999999 "
		    "is above 2^62-1" },
	};
	struct wk_error e;
	uint64_t type;
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(good); i++) {
		type = 4711;
		if (wk_capsule_type_parse(good[i].text, WK_CAPSULE_FIN_3B,
		    &type, &e) != WK_OK || type != good[i].type)
			fail_msg("%s is %" PRIx64, good[i].text, type);
	}
	for (i = 0; i < N_OF(bad); i++) {
		type = 4711;
		assert_int_equal(wk_capsule_type_parse(bad[i].text,
		    WK_CAPSULE_FIN_3B, &type, &e), WK_E_INVALID);
		assert_string_equal(e.reason, bad[i].reason);
		assert_int_equal(type, 4711);
	}
	/* every name in force leads back to its type */
	for (i = 0, wk_capsule_types(&n); i < n; i++) {
		const struct wk_capsule_type *t = wk_capsule_types(&n) + i;

		assert_int_equal(wk_capsule_type_parse(t->name,
		    WK_CAPSULE_FIN_3B, &type, NULL), WK_OK);
		if ((t->flags & WK_CAPSULE_LEGACY) == 0)
			assert_int_equal(type, t->type);
	}
}

static void
test_grease(void **state)
{
	static const uint64_t grease[] = {
		0x17, 0x40, 0x69, 0x92, 0xa03f, 0x431ae8ed368
	};
	static const uint64_t other[] = {
		0, 0x16, 0x18, 0x29, 0x41, UINT64_MAX, WK_VARINT_MAX
	};
	uint64_t n;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(grease); i++)
		assert_true(wk_capsule_type_is_grease(grease[i]));
	for (i = 0; i < N_OF(other); i++)
		assert_false(wk_capsule_type_is_grease(other[i]));
	assert_int_equal(wk_capsule_type_grease(0), 0x17);
	assert_int_equal(wk_capsule_type_grease(1), 0x40);
	assert_int_equal(wk_capsule_type_grease(1000), 0xa03f);
	for (n = UINT64_MAX; n > 0; n /= 3)
		assert_true(wk_capsule_type_is_grease(
		    wk_capsule_type_grease(n)));
	/* the last one, and round */
	n = (WK_VARINT_MAX - 0x17) / 0x29;
	assert_true(wk_capsule_type_grease(n) > WK_VARINT_MAX - 0x29);
	assert_int_equal(wk_capsule_type_grease(n + 1), 0x17);
	/* nothing behind the last varint is a type at all */
	assert_false(wk_capsule_type_is_grease(
	    wk_capsule_type_grease(n) + 0x29));
}

/* --- the walk ------------------------------------------------------------ */

/* Cut a vector's capsule open; the value is a copy at an unreadable page. */
static const struct wk_capsule_type *
open_vector(const struct vector *v, struct fence *value, size_t *len,
    uint64_t *type)
{
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	const uint8_t *in = v->octets;
	size_t left = v->len;

	wk_capsule_reader_init(&r, WK_VARINT_MAX);
	assert_int_equal(wk_capsule_read(&r, &in, &left, &cap),
	    WK_CAPSULE_START);
	if (left != cap.length)
		fail_msg("%s is not one capsule", v->column[0]);
	fence_init(value, in, left);
	*len = left;
	*type = cap.type;
	return wk_capsule_type_find(cap.type);
}

static char *
text_of(const struct wk_capsule_type *t, const uint8_t *value, size_t len,
    uint64_t length, size_t max_octets)
{
	struct wk_buf b;

	wk_buf_init(&b, 1 << 20);
	wk_capsule_value_text(&b, t, value, len, length, max_octets);
	wk_buf_uint(&b, 0, 1);
	assert_int_equal(b.status, WK_OK);
	return (char *)b.data;
}

/*
 * A second writer over the same steps: it has to come out as JSON, whatever
 * the value, and every step has to lie in the value, behind the one before.
 */
struct json {
	struct wk_buf b;
	char open[WK_CAPSULE_WALK_DEPTH * 2 + 1];
	size_t depth;
	bool is_first;
};

static void
json_name(struct json *j, const char *name)
{
	const char *c;

	if (!j->is_first)
		wk_buf_printf(&j->b, ",");
	j->is_first = false;
	assert_int_equal(name != NULL, j->open[j->depth] == '}');
	if (name == NULL)
		return;
	for (c = name; *c != '\0'; c++)
		assert_true(islower(*c) || isdigit(*c) || *c == '_');
	wk_buf_printf(&j->b, "\"%s\":", name);
}

static void
json_open(struct json *j, char open, char close)
{
	wk_buf_printf(&j->b, "%c", open);
	assert_true(j->depth + 1 < sizeof(j->open));
	j->open[++j->depth] = close;
	j->is_first = true;
}

static void
json_close(struct json *j, char close)
{
	assert_int_equal(j->open[j->depth], close);
	j->depth--;
	wk_buf_printf(&j->b, "%c", close);
	j->is_first = false;
}

static void
json_step(struct json *j, int step, const struct wk_capsule_field *f)
{
	if (step == WK_CAPSULE_WALK_LIST_END) {
		json_close(j, ']');
		return;
	}
	if (step == WK_CAPSULE_WALK_ITEM_END) {
		json_close(j, '}');
		return;
	}
	json_name(j, f->name);
	switch (step) {
	case WK_CAPSULE_WALK_UINT:
		wk_buf_printf(&j->b, "%" PRIu64, f->number);
		break;
	case WK_CAPSULE_WALK_LIST:
		json_open(j, '[', ']');
		break;
	case WK_CAPSULE_WALK_ITEM:
		json_open(j, '{', '}');
		break;
	case WK_CAPSULE_WALK_ADDRESS:
	case WK_CAPSULE_WALK_TEXT:
	case WK_CAPSULE_WALK_OCTETS:
		wk_buf_printf(&j->b, "\"");
		wk_hex_append(&j->b, f->data, f->len);
		wk_buf_printf(&j->b, "\"");
		break;
	default:
		fail_msg("step %d", step);
	}
}

static char *
json_of(const struct wk_capsule_type *t, const uint8_t *value, size_t len)
{
	struct json j = { .open = "}", .is_first = true };
	struct wk_capsule_walk w;
	struct wk_capsule_field f;
	int step;

	wk_buf_init(&j.b, 1 << 20);
	wk_buf_printf(&j.b, "{");
	wk_capsule_walk_init(&w, t, value, len, len);
	while ((step = wk_capsule_walk_next(&w, &f)) > 0)
		json_step(&j, step, &f);
	while (step < 0 && j.depth > 0)
		json_close(&j, j.open[j.depth]);
	json_close(&j, '}');
	wk_buf_uint(&j.b, 0, 1);
	return (char *)j.b.data;
}

static void
test_vectors_show_their_fields(void **state)
{
	FILE *fp = vectors_open("vectors.tsv");
	struct vector v;
	size_t n = 0;

	(void)state;
	for (; vector_next(fp, &v); n++) {
		const struct wk_capsule_type *t;
		struct wk_error e;
		struct fence f;
		uint64_t type;
		size_t len;
		char *text;

		t = open_vector(&v, &f, &len, &type);
		assert_string_equal(t == NULL ? "-" : t->name, v.column[2]);
		assert_true(t != NULL || wk_capsule_type_is_grease(type));
		text = text_of(t, f.data, len, len, SIZE_MAX);
		if (strcmp(text, v.column[3]) != 0)
			fail_msg("%s: %s", v.column[0], text);
		free(text);
		if (wk_capsule_value_check(t, f.data, len, &e) != WK_OK)
			fail_msg("%s: %s", v.column[0], e.reason);
		fence_free(&f);
		vector_done(&v);
	}
	assert_true(n > 60);
}

static void
test_malformed_values_are_told_where_and_why(void **state)
{
	FILE *fp = vectors_open("malformed.tsv");
	struct vector v;
	size_t n = 0;

	(void)state;
	for (; vector_next(fp, &v); n++) {
		const struct wk_capsule_type *t;
		char *text, *json, offset[24];
		struct wk_error e;
		struct fence f;
		uint64_t type;
		size_t len;

		t = open_vector(&v, &f, &len, &type);
		if (wk_capsule_value_check(t, f.data, len, &e) !=
		    WK_E_MALFORMED)
			fail_msg("%s passes", v.column[0]);
		snprintf(offset, sizeof(offset), "%" PRIu64, e.offset);
		if (e.status != WK_E_MALFORMED ||
		    strcmp(e.reason, v.column[3]) != 0 ||
		    strcmp(offset, v.column[2]) != 0)
			fail_msg("%s: %s@%s", v.column[0], e.reason, offset);
		assert_int_equal(wk_capsule_value_check(t, f.data, len, NULL),
		    WK_E_MALFORMED);
		/* what could be read is shown, and that it is malformed */
		text = text_of(t, f.data, len, len, SIZE_MAX);
		if (strstr(text, "(malformed: ") == NULL)
			fail_msg("%s: %s", v.column[0], text);
		free(text);
		json = json_of(t, f.data, len);
		free(json);
		fence_free(&f);
		vector_done(&v);
	}
	assert_true(n > 40);
}

static void
test_problems_do_not_stop_the_walk(void **state)
{
	static const struct {
		uint64_t type;
		const char *hex, *text;
	} cases[] = {
		{ 0x02, "0004c000020b18 00060000000000000000000000000000000081",
		    "addresses [{request_id 0 (malformed: must not be 0) "
		    "ip_version 4 address 192.0.2.11 prefix_length 24 "
		    "(malformed: leaves bits of the address set behind it)} "
		    "{request_id 0 (malformed: must not be 0) ip_version 6 "
		    "address :: prefix_length 129 (malformed: is longer than "
		    "the address)}]" },
		{ 0x02, "", "addresses [] (malformed: must not be empty)" },
		{ 0x03, "040a0000050a00000000 040a0000000a00000106",
		    "ranges [{ip_version 4 start 10.0.0.5 end 10.0.0.0 "
		    "(malformed: is before the start) ip_protocol 0} "
		    "{ip_version 4 start 10.0.0.0 end 10.0.0.1 ip_protocol "
		    "6}]" },
		{ 0x03, "040a0000000a00000511 040a0000000a00000106",
		    "ranges [{ip_version 4 start 10.0.0.0 end 10.0.0.5 "
		    "ip_protocol 17} {ip_version 4 start 10.0.0.0 end "
		    "10.0.0.1 ip_protocol 6} (malformed: range is not in the "
		    "order of protocols)]" },
		{ 0x2843, "00000007ff", "error_code 7 message \"\\xff\" "
		    "(malformed: is not UTF-8)" },
		/* what cannot be read on ends it */
		{ 0x01, "0004c000020b20 01", "addresses [{request_id 0 "
		    "ip_version 4 address 192.0.2.11 prefix_length 32} "
		    "{request_id 1 (malformed: value ends inside "
		    "ip_version)" },
		{ 0x272dda5e, "00",
		    "(malformed: octets left behind the last field: 1)" },
	};
	uint8_t in[64];
	size_t i, n;
	char *text;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		n = unhex(cases[i].hex, in, sizeof(in));
		text = text_of(wk_capsule_type_find(cases[i].type), in, n, n,
		    SIZE_MAX);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

/* Cut: malformed if that is all, truncated if the capsule goes on. */
static void
test_every_shorter_prefix(void **state)
{
	FILE *fp = vectors_open("vectors.tsv");
	struct vector v;

	(void)state;
	while (vector_next(fp, &v)) {
		const struct wk_capsule_type *t;
		struct wk_capsule_walk w;
		struct wk_capsule_field field;
		struct fence f, cut;
		uint64_t type;
		size_t whole, len;
		int step;

		t = open_vector(&v, &f, &whole, &type);
		for (len = 0; len < whole; len++) {
			uint64_t seen = 0;

			fence_init(&cut, f.data, len);
			wk_capsule_walk_init(&w, t, cut.data, len, whole);
			while ((step = wk_capsule_walk_next(&w, &field)) > 0) {
				assert_null(field.problem);
				assert_true(field.offset <= whole);
				assert_true(field.len <= len);
				if (field.full_len > field.len)
					seen = field.full_len;
			}
			if (seen > 0) {	/* the rest of the value was cut */
				assert_int_equal(step, WK_CAPSULE_WALK_DONE);
			} else {
				assert_int_equal(step, WK_E_TRUNCATED);
				assert_int_equal(w.error.offset, len);
				assert_int_equal(wk_capsule_walk_next(&w,
				    &field), WK_E_TRUNCATED);
			}
			wk_capsule_walk_init(&w, t, cut.data, len, len);
			while ((step = wk_capsule_walk_next(&w, &field)) > 0)
				assert_true(field.full_len <= len);
			assert_true(step == WK_CAPSULE_WALK_DONE ||
			    step == WK_E_MALFORMED);
			fence_free(&cut);
		}
		fence_free(&f);
		vector_done(&v);
	}
}

static void
test_long_values_are_shown_in_part(void **state)
{
	static const struct {
		uint64_t type;
		const char *hex;
		uint64_t length;
		size_t max_octets;
		const char *text;
	} cases[] = {
		{ 0x00, "00010203", 4, 4, "payload 00010203" },
		{ 0x00, "00010203", 4, 3, "payload 000102[truncated]" },
		{ 0x00, "00010203", 4, 0, "payload [truncated]" },
		{ 0x00, "00010203", WK_VARINT_MAX, 9,
		    "payload 00010203[truncated]" },
		{ 0x00, "", 5, 9, "payload [truncated]" },
		{ 0x17, "aa", 5, 9, "value aa[truncated]" },
		{ WT_STREAM_3C, "04aa", 100, 9,
		    "stream_id 4 data aa[truncated]" },
		{ WT_STREAM_3C, "40", 100, 9, "[truncated]" },
		{ 0x2843, "00000001616263", 9, 2,
		    "error_code 1 message \"ab\"[truncated]" },
		/* half a character at the cut is no fault of the sender's */
		{ 0x2843, "00000001c3", 6, 9,
		    "error_code 1 message \"\\xc3\"[truncated]" },
		{ 0x2843, "0000000161", 4 + 1025, 9, "error_code 1 message "
		    "\"a\"[truncated] (malformed: is longer than 1024 "
		    "octets)" },
		{ 0x01, "0004c000020b20", 14, 9, "addresses [{request_id 0 "
		    "ip_version 4 address 192.0.2.11 prefix_length 32} "
		    "{[truncated]" },
		/* never more than the capsule has */
		{ 0x01, "0004c000020b20", 0, 9, "addresses []" },
		{ 0x00, "00010203", 2, 9, "payload 0001" },
	};
	uint8_t in[64];
	size_t i, n;
	char *text;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		n = unhex(cases[i].hex, in, sizeof(in));
		text = text_of(cases[i].type == 0x17 ? NULL :
		    wk_capsule_type_find(cases[i].type), in, n,
		    cases[i].length, cases[i].max_octets);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

static void
test_steps_make_json(void **state)
{
	static const struct {
		uint64_t type;
		const char *hex, *json;
	} cases[] = {
		{ 0x00, "00", "{\"payload\":\"00\"}" },
		{ 0x272dda5e, "", "{}" },
		{ 0x01, "", "{\"addresses\":[]}" },
		{ 0x01, "0104c000020b20 0004c000020c20", "{\"addresses\":["
		    "{\"request_id\":1,\"ip_version\":4,\"address\":"
		    "\"c000020b\",\"prefix_length\":32},{\"request_id\":0,"
		    "\"ip_version\":4,\"address\":\"c000020c\","
		    "\"prefix_length\":32}]}" },
		{ 0x1ace79ec, "01 0001 01c0000235 00 0161 00 02 0162 0163 00",
		    "{\"configurations\":[{\"nameservers\":[{\"priority\":1,"
		    "\"ipv4_addresses\":[\"c0000235\"],\"ipv6_addresses\":[],"
		    "\"authentication_domain\":\"61\","
		    "\"service_parameters\":\"\"}],\"internal_domains\":"
		    "[\"62\",\"63\"],\"search_domains\":[]}]}" },
	};
	uint8_t in[64];
	size_t i, n;
	char *json;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		n = unhex(cases[i].hex, in, sizeof(in));
		json = json_of(wk_capsule_type_find(cases[i].type), in, n);
		assert_string_equal(json, cases[i].json);
		free(json);
	}
}

static void
test_walk_tells_offsets_and_counts(void **state)
{
	static const struct {
		int step;
		uint64_t offset, number;
	} want[] = {
		{ WK_CAPSULE_WALK_LIST, 0, 0 },
		{ WK_CAPSULE_WALK_ITEM, 0, 0 },
		{ WK_CAPSULE_WALK_UINT, 0, 1 },
		{ WK_CAPSULE_WALK_UINT, 2, 4 },
		{ WK_CAPSULE_WALK_ADDRESS, 3, 0 },
		{ WK_CAPSULE_WALK_UINT, 7, 32 },
		{ WK_CAPSULE_WALK_ITEM_END, 0, 0 },
		{ WK_CAPSULE_WALK_LIST_END, 8, 1 },
		{ WK_CAPSULE_WALK_DONE, 8, 0 },
		{ WK_CAPSULE_WALK_DONE, 8, 0 },
	};
	struct wk_capsule_walk w;
	struct wk_capsule_field f;
	uint8_t in[16];
	size_t i, n;

	(void)state;
	n = unhex("4001 04 c000020b 20", in, sizeof(in));
	wk_capsule_walk_init(&w, wk_capsule_type_find(1), in, n, n);
	for (i = 0; i < N_OF(want); i++) {
		assert_int_equal(wk_capsule_walk_next(&w, &f), want[i].step);
		assert_int_equal(f.offset, want[i].offset);
		assert_int_equal(f.number, want[i].number);
	}
}

static void
test_limits_of_lengths_and_numbers(void **state)
{
	static uint8_t value[2048];
	const struct wk_capsule_type *close = wk_capsule_type_find(0x2843);
	const struct wk_capsule_type *cid = wk_capsule_type_find(0xffe600);
	const struct wk_capsule_type *streams =
	    wk_capsule_type_find(0x190b4d40);
	size_t len;

	(void)state;
	memset(value + 4, 'x', sizeof(value) - 4);
	for (len = 1023; len <= 1025; len++)
		assert_int_equal(wk_capsule_value_check(close, value, 4 + len,
		    NULL), len > 1024 ? WK_E_MALFORMED : WK_OK);
	for (len = 254; len <= 256; len++)
		assert_int_equal(wk_capsule_value_check(cid, value, len,
		    NULL), len > 255 ? WK_E_MALFORMED : WK_OK);
	wk_varint_encode(value, UINT64_C(1) << 60, 8);
	assert_int_equal(wk_capsule_value_check(streams, value, 8, NULL),
	    WK_OK);
	wk_varint_encode(value, (UINT64_C(1) << 60) + 1, 8);
	assert_int_equal(wk_capsule_value_check(streams, value, 8, NULL),
	    WK_E_MALFORMED);
}

/* Every prefix length on every single bit: the bit must be in front of it. */
static void
test_prefix_covers_all_bits(void **state)
{
	const struct wk_capsule_type *t = wk_capsule_type_find(1);
	uint8_t value[19];
	size_t v, octets, bit, length;

	(void)state;
	for (v = 4; v <= 6; v += 2) {
		octets = v == 4 ? 4 : 16;
		for (bit = 0; bit < 8 * octets; bit++)
			for (length = 0; length < 256; length++) {
				memset(value, 0, sizeof(value));
				value[1] = (uint8_t)v;
				value[2 + bit / 8] = (uint8_t)(0x80 >> bit % 8);
				value[2 + octets] = (uint8_t)length;
				assert_int_equal(wk_capsule_value_check(t,
				    value, 3 + octets, NULL),
				    length > bit && length <= 8 * octets ?
				    WK_OK : WK_E_MALFORMED);
			}
	}
}

static void
test_nat64_prefix_lengths(void **state)
{
	static const uint8_t good[] = { 32, 40, 48, 56, 64, 96 };
	const struct wk_capsule_type *t = wk_capsule_type_find(0x274c0fbc);
	uint8_t value[13] = { 0 };
	unsigned n;

	(void)state;
	for (n = 0; n < 256; n++) {
		value[0] = (uint8_t)n;
		assert_int_equal(wk_capsule_value_check(t, value,
		    sizeof(value), NULL), n > 0 && memchr(good, (int)n,
		    sizeof(good)) != NULL ? WK_OK : WK_E_MALFORMED);
	}
}

static void
test_no_value_may_be_null(void **state)
{
	const struct wk_capsule_type *all;
	size_t n, i;
	char *text;

	(void)state;
	all = wk_capsule_types(&n);
	for (i = 0; i < n; i++) {
		wk_capsule_value_check(&all[i], NULL, 0, NULL);
		text = text_of(&all[i], NULL, 0, 0, SIZE_MAX);
		free(text);
	}
	assert_int_equal(wk_capsule_value_check(NULL, NULL, 0, NULL), WK_OK);
}

static void
test_full_buffer_ends_the_text(void **state)
{
	struct wk_buf b;
	size_t max;

	(void)state;
	for (max = 0; max < 16; max++) {	/* "payload 00010203" */
		wk_buf_init(&b, max);
		assert_int_equal(wk_capsule_value_text(&b,
		    wk_capsule_type_find(0), "\0\1\2\3", 4, 4, SIZE_MAX),
		    WK_E_LIMIT);
		assert_true(b.len <= max);
		wk_buf_free(&b);
	}
	wk_buf_init(&b, 16);
	assert_int_equal(wk_capsule_value_text(&b, wk_capsule_type_find(0),
	    "\0\1\2\3", 4, 4, SIZE_MAX), WK_OK);
	wk_buf_free(&b);
}

static void
test_text_is_set_off_from_what_is_there(void **state)
{
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 256);
	wk_buf_printf(&b, "WT_MAX_DATA");
	wk_capsule_value_text(&b, wk_capsule_type_find(0x190b4d3d), "\x07", 1,
	    1, SIZE_MAX);
	wk_buf_uint(&b, 0, 1);
	assert_string_equal((char *)b.data, "WT_MAX_DATA maximum 7");
	wk_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_in_order_and_found),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_wt_stream_is_named_by_the_reading),
		cmocka_unit_test(test_types_from_text),
		cmocka_unit_test(test_grease),
		cmocka_unit_test(test_vectors_show_their_fields),
		cmocka_unit_test(test_malformed_values_are_told_where_and_why),
		cmocka_unit_test(test_problems_do_not_stop_the_walk),
		cmocka_unit_test(test_every_shorter_prefix),
		cmocka_unit_test(test_long_values_are_shown_in_part),
		cmocka_unit_test(test_steps_make_json),
		cmocka_unit_test(test_walk_tells_offsets_and_counts),
		cmocka_unit_test(test_limits_of_lengths_and_numbers),
		cmocka_unit_test(test_prefix_covers_all_bits),
		cmocka_unit_test(test_nat64_prefix_lengths),
		cmocka_unit_test(test_no_value_may_be_null),
		cmocka_unit_test(test_full_buffer_ends_the_text),
		cmocka_unit_test(test_text_is_set_off_from_what_is_there),
	};

	return cmocka_run_group_tests_name("capsule_types", tests, NULL, NULL);
}
