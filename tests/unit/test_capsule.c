/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/capsule_vectors.h"

#include <inttypes.h>

#include "common/base/buf.h"
#include "common/wire/capsule.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * What reading comes to: "offset/type:length" for START with the octets of the
 * two varints behind it, the value in hex, ";" for END, and how it ends.
 */
struct transcript {
	struct wk_buf text;
	struct wk_capsule_reader r;
	uint64_t value_offset;
	bool is_over;		/* by an error */
};

static void
transcript_init(struct transcript *t, uint64_t max_length)
{
	memset(t, 0, sizeof(*t));
	wk_buf_init(&t->text, SIZE_MAX);
	wk_capsule_reader_init(&t->r, max_length);
}

static void
transcript_event(struct transcript *t, int ev, const struct wk_capsule *cap,
    const uint8_t *in, size_t len)
{
	size_t i;

	switch (ev) {
	case WK_CAPSULE_START:
		wk_buf_printf(&t->text, "%" PRIu64 "/%" PRIx64 ":%" PRIu64
		    "(%u+%u)", cap->offset, cap->type, cap->length,
		    cap->type_octets, cap->length_octets);
		t->value_offset = 0;
		break;
	case WK_CAPSULE_DATA:
		assert_true(cap->data >= in && cap->data_len > 0);
		assert_true(cap->data + cap->data_len <= in + len);
		for (i = 0; i < cap->data_len; i++)
			wk_buf_printf(&t->text, "%02x", cap->data[i]);
		break;
	case WK_CAPSULE_END:
		wk_buf_printf(&t->text, ";");
		break;
	default:
		fail_msg("event %d", ev);
	}
	assert_int_equal(cap->data_offset, t->value_offset);
	t->value_offset += cap->data_len;
	if (ev != WK_CAPSULE_DATA) {
		assert_null(cap->data);
		assert_int_equal(cap->data_len, 0);
	}
}

/* One piece, at the edge of an unreadable page. */
static void
transcript_feed(struct transcript *t, const uint8_t *piece, size_t len)
{
	struct wk_capsule cap, same;
	const uint8_t *in;
	struct fence f;
	size_t left = len;
	int ev;

	if (t->is_over)
		return;
	fence_init(&f, piece, len);
	in = f.data;
	memset(&cap, 0xee, sizeof(cap));
	while ((ev = wk_capsule_read(&t->r, &in, &left, &cap)) > 0) {
		transcript_event(t, ev, &cap, f.data, len);
		assert_ptr_equal(in + left, f.data + len);
		memset(&cap, 0xee, sizeof(cap));
	}
	memset(&same, 0xee, sizeof(same));
	assert_memory_equal(&cap, &same, sizeof(cap));
	if (ev == WK_CAPSULE_MORE)
		assert_int_equal(left, 0);
	t->is_over = ev < 0;
	fence_free(&f);
}

static const char *
transcript_end(struct transcript *t)
{
	int rc = wk_capsule_reader_finish(&t->r);

	if (rc == WK_OK)
		wk_buf_printf(&t->text, "ok");
	else
		wk_buf_printf(&t->text, "%s@%" PRIu64, t->r.error.reason,
		    t->r.error.offset);
	assert_int_equal(rc, t->r.error.status);
	/* the first error stays */
	assert_int_equal(wk_capsule_reader_finish(&t->r), rc);
	wk_buf_uint(&t->text, 0, 1);
	assert_int_equal(t->text.status, WK_OK);
	return (const char *)t->text.data;
}

static void
check_in_pieces(const uint8_t *in, size_t len, uint64_t max_length,
    size_t step, const char *want)
{
	struct transcript t;
	const char *got;
	size_t at;

	transcript_init(&t, max_length);
	for (at = 0; at < len; at += step)
		transcript_feed(&t, in + at, step < len - at ? step : len - at);
	got = transcript_end(&t);
	if (strcmp(got, want) != 0)
		fail_msg("in pieces of %zu: %s, expected %s", step, got, want);
	wk_buf_free(&t.text);
}

#define HEADER_CUT "stream ends inside a capsule header"
#define VALUE_CUT "stream ends inside a capsule value "

static const struct {
	const char *hex, *want;
} cases[] = {
	{ "", "ok" },
	{ "00060068656c6c6f", "0/0:6(1+1)0068656c6c6f;ok" },	/* V1 */
	{ "0000", "0/0:0(1+1);ok" },				/* V2 */
	{ "400080000003006869", "0/0:3(2+4)006869;ok" },	/* V6 */
	{ "170378797a", "0/17:3(1+1)78797a;ok" },		/* V7 */
	{ "8000a03f00", "0/a03f:0(4+1);ok" },			/* V8 */
	{ "c0000431ae8ed36801aa", "0/431ae8ed368:1(8+1)aa;ok" }, /* V9 */
	{ "000100 0000 4011 4001 78 a72dda5e00",
	    "0/0:1(1+1)00;3/0:0(1+1);5/11:1(2+2)78;10/272dda5e:0(4+1);ok" },
	{ "c000000000000000c000000000000001ff 0000",
	    "0/0:1(8+8)ff;17/0:0(1+1);ok" },
	{ "ffffffffffffffff00", "0/3fffffffffffffff:0(8+1);ok" },
	/* cut streams */
	{ "00", HEADER_CUT "@1" },
	{ "4000", HEADER_CUT "@2" },
	{ "80", HEADER_CUT "@1" },
	{ "0040", HEADER_CUT "@2" },
	{ "c0000000000000", HEADER_CUT "@7" },
	{ "0006", "0/0:6(1+1)" VALUE_CUT "(type 0x0, 0 of 6 octets)@2" },
	{ "00060068",
	    "0/0:6(1+1)0068" VALUE_CUT "(type 0x0, 2 of 6 octets)@4" },
	{ "0000684306", "0/0:0(1+1);2/2843:6(2+1)" VALUE_CUT
	    "(type 0x2843, 0 of 6 octets)@5" },
	/* the longest length there is; nothing may be reserved for it */
	{ "17ffffffffffffffff0102", "0/17:4611686018427387903(1+8)0102"
	    VALUE_CUT "(type 0x17, 2 of 4611686018427387903 octets)@11" },
};

static void
test_any_split_gives_the_same_events(void **state)
{
	uint8_t in[64];
	size_t i, len, step;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		len = unhex(cases[i].hex, in, sizeof(in));
		for (step = 1; step <= len + 1; step++)
			check_in_pieces(in, len, WK_VARINT_MAX, step,
			    cases[i].want);
	}
}

static void
test_every_pair_of_cuts(void **state)
{
	uint8_t in[64];
	size_t i, len, a, b;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		len = unhex(cases[i].hex, in, sizeof(in));
		for (a = 0; a <= len; a++)
			for (b = a; b <= len; b++) {
				struct transcript t;

				transcript_init(&t, WK_VARINT_MAX);
				transcript_feed(&t, in, a);
				transcript_feed(&t, in + a, b - a);
				transcript_feed(&t, in + b, len - b);
				assert_string_equal(transcript_end(&t),
				    cases[i].want);
				wk_buf_free(&t.text);
			}
	}
}

/* A shorter prefix of good input is a good beginning, or cut, nothing else. */
static void
test_every_shorter_prefix_wants_more(void **state)
{
	FILE *fp = vectors_open("vectors.tsv");
	struct vector v;
	size_t len;

	(void)state;
	while (vector_next(fp, &v)) {
		for (len = 0; len <= v.len; len++) {
			struct transcript t;
			int rc;

			transcript_init(&t, WK_VARINT_MAX);
			transcript_feed(&t, v.octets, len);
			assert_false(t.is_over);
			rc = wk_capsule_reader_finish(&t.r);
			if (rc != (len == 0 || len == v.len ? WK_OK :
			    WK_E_TRUNCATED))
				fail_msg("%s cut to %zu: %d", v.column[0],
				    len, rc);
			assert_int_equal(t.r.error.offset,
			    rc == WK_OK ? 0 : len);
			wk_buf_free(&t.text);
		}
		vector_done(&v);
	}
}

static void
test_value_limit(void **state)
{
	static const struct {
		uint64_t max;
		const char *want;
	} limits[] = {
		{ 6, "0/0:1(1+1)00;3/0:6(2+4)0068656c6c6f;15/0:0(1+1);ok" },
		{ 7, "0/0:1(1+1)00;3/0:6(2+4)0068656c6c6f;15/0:0(1+1);ok" },
		{ 5, "0/0:1(1+1)00;capsule value of 6 octets, more than "
		    "the 5 allowed@5" },
		{ 1, "0/0:1(1+1)00;capsule value of 6 octets, more than "
		    "the 1 allowed@5" },
		{ 0, "capsule value of 1 octets, more than the 0 allowed@1" },
	};
	uint8_t in[64];
	size_t i, step, len;

	(void)state;
	len = unhex("000100 4000 80000006 0068656c6c6f 0000", in, sizeof(in));
	for (i = 0; i < N_OF(limits); i++)
		for (step = 1; step <= len + 1; step++)
			check_in_pieces(in, len, limits[i].max, step,
			    limits[i].want);
}

static void
test_limit_at_its_own_limits(void **state)
{
	static const uint8_t in[] = "\x00\xff\xff\xff\xff\xff\xff\xff\xff";
	static const struct {
		uint64_t max;
		int want;
	} limits[] = {
		{ WK_VARINT_MAX - 1, WK_E_LIMIT },
		{ WK_VARINT_MAX, WK_CAPSULE_START },
		{ UINT64_MAX, WK_CAPSULE_START },
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(limits); i++) {
		struct wk_capsule_reader r;
		struct wk_capsule cap;
		const uint8_t *p = in;
		size_t len = 9;

		wk_capsule_reader_init(&r, limits[i].max);
		assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
		    limits[i].want);
	}
}

static void
test_errors_stick_and_consume_nothing(void **state)
{
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	const uint8_t *p;
	size_t len;
	int i;

	(void)state;
	wk_capsule_reader_init(&r, 1);
	p = (const uint8_t *)"\x00\x02hi\x00\x00";
	len = 6;
	for (i = 0; i < 3; i++) {
		assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
		    WK_E_LIMIT);
		assert_int_equal(len, 4);
	}
	assert_int_equal(wk_capsule_reader_finish(&r), WK_E_LIMIT);
	assert_int_equal(r.error.offset, 1);

	/* no reading on behind the end of the stream either */
	wk_capsule_reader_init(&r, 9);
	p = (const uint8_t *)"\x00\x02hi";
	len = 2;
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
	    WK_CAPSULE_START);
	assert_int_equal(wk_capsule_reader_finish(&r), WK_E_TRUNCATED);
	len = 2;
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap), WK_E_TRUNCATED);
	assert_int_equal(len, 2);
}

static void
test_no_input_is_no_event(void **state)
{
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	const uint8_t *p = NULL;
	size_t len = 0;

	(void)state;
	wk_capsule_reader_init(&r, 9);
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
	    WK_CAPSULE_MORE);
	assert_int_equal(wk_capsule_reader_finish(&r), WK_OK);
	p = (const uint8_t *)"\x00\x00";
	len = 2;
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
	    WK_CAPSULE_START);
	/* whole, if nobody asked for its END */
	assert_int_equal(wk_capsule_reader_finish(&r), WK_OK);
	p = NULL;
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap), WK_CAPSULE_END);
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
	    WK_CAPSULE_MORE);
}

/* 1 MiB of an unknown type passes through in the caller's own pieces. */
static void
test_long_values_stream(void **state)
{
	static const uint8_t header[] = { 0x17, 0x80, 0x10, 0x00, 0x00 };
	static uint8_t piece[4096];
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	const uint8_t *p = header;
	size_t len = sizeof(header), n;

	(void)state;
	wk_capsule_reader_init(&r, WK_VARINT_MAX);
	assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
	    WK_CAPSULE_START);
	for (n = 0; n < 256; n++) {
		p = piece;
		len = sizeof(piece);
		assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
		    WK_CAPSULE_DATA);
		assert_ptr_equal(cap.data, piece);
		assert_int_equal(cap.data_len, sizeof(piece));
		assert_int_equal(cap.data_offset, n * sizeof(piece));
		assert_int_equal(wk_capsule_read(&r, &p, &len, &cap),
		    n < 255 ? WK_CAPSULE_MORE : WK_CAPSULE_END);
	}
	assert_int_equal(wk_capsule_reader_finish(&r), WK_OK);
	assert_true(sizeof(r) < 512);
}

/* Read in pieces, write what was read: the same octets. */
static void
check_copy(const struct vector *v, size_t step)
{
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	uint8_t header[WK_CAPSULE_HEADER_MAX];
	struct wk_buf out;
	size_t at;
	int ev;

	wk_buf_init(&out, v->len);
	wk_capsule_reader_init(&r, WK_VARINT_MAX);
	for (at = 0; at < v->len; at += step) {
		const uint8_t *in = v->octets + at;
		size_t len = step < v->len - at ? step : v->len - at;

		while ((ev = wk_capsule_read(&r, &in, &len, &cap)) > 0) {
			if (ev == WK_CAPSULE_START)
				wk_buf_append(&out, header,
				    wk_capsule_header(header, &cap));
			wk_buf_append(&out, cap.data, cap.data_len);
		}
	}
	assert_int_equal(out.status, WK_OK);
	assert_int_equal(out.len, v->len);
	assert_memory_equal(out.data, v->octets, v->len);
	wk_buf_free(&out);
}

static void
test_what_was_read_is_written_back(void **state)
{
	static const char *const files[] = { "vectors.tsv", "malformed.tsv" };
	size_t i, step, n = 0;
	struct vector v;

	(void)state;
	for (i = 0; i < N_OF(files); i++) {
		FILE *fp = vectors_open(files[i]);

		for (; vector_next(fp, &v); n++) {
			for (step = 1; step <= v.len + 1; step++)
				check_copy(&v, step);
			vector_done(&v);
		}
	}
	assert_true(n > 100);
}

static void
test_header_writes_the_octets_asked_for(void **state)
{
	static const struct {
		struct wk_capsule cap;
		const char *hex;	/* "" for what cannot be written */
	} headers[] = {
		{ { .type = 0, .length = 6 }, "0006" },
		{ { .type = 0, .length = 3, .type_octets = 2,
		    .length_octets = 4 }, "400080000003" },
		{ { .type = 0x2843, .length = 64 }, "68434040" },
		{ { .type = WK_VARINT_MAX, .length = WK_VARINT_MAX },
		    "ffffffffffffffffffffffffffffffff" },
		{ { .type = 64, .length = 0, .type_octets = 1 }, "" },
		{ { .type = 0, .length = 64, .length_octets = 1 }, "" },
		{ { .type = 0, .length = 0, .type_octets = 3 }, "" },
		{ { .type = 0, .length = 0, .length_octets = 16 }, "" },
		{ { .type = WK_VARINT_MAX + 1, .length = 0 }, "" },
		{ { .type = 0, .length = WK_VARINT_MAX + 1 }, "" },
	};
	uint8_t want[16], out[WK_CAPSULE_HEADER_MAX + 1];
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(headers); i++) {
		n = unhex(headers[i].hex, want, sizeof(want));
		memset(out, 0xee, sizeof(out));
		assert_int_equal(wk_capsule_header(out, &headers[i].cap), n);
		assert_memory_equal(out, want, n);
		assert_int_equal(out[n], 0xee);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_split_gives_the_same_events),
		cmocka_unit_test(test_every_pair_of_cuts),
		cmocka_unit_test(test_every_shorter_prefix_wants_more),
		cmocka_unit_test(test_value_limit),
		cmocka_unit_test(test_limit_at_its_own_limits),
		cmocka_unit_test(test_errors_stick_and_consume_nothing),
		cmocka_unit_test(test_no_input_is_no_event),
		cmocka_unit_test(test_long_values_stream),
		cmocka_unit_test(test_what_was_read_is_written_back),
		cmocka_unit_test(test_header_writes_the_octets_asked_for),
	};

	return cmocka_run_group_tests_name("capsule", tests, NULL, NULL);
}
