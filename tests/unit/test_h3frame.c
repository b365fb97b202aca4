/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <inttypes.h>

#include "common/base/buf.h"
#include "common/wire/h3frame.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/*
 * What reading comes to: "offset/type:length" for START with the octets of the
 * two varints behind it, the payload in hex, ";" for END, and how it ends.
 */
struct transcript {
	struct wk_buf text;
	struct wk_h3frame_reader r;
	uint64_t payload_offset;
};

static void
transcript_init(struct transcript *t)
{
	memset(t, 0, sizeof(*t));
	wk_buf_init(&t->text, SIZE_MAX);
	wk_h3frame_reader_init(&t->r);
}

static void
transcript_event(struct transcript *t, enum wk_h3frame_event ev,
    const struct wk_h3frame *f, const uint8_t *in, size_t len)
{
	size_t i;

	if (ev == WK_H3FRAME_START) {
		wk_buf_printf(&t->text, "%" PRIu64 "/%" PRIx64 ":%" PRIu64
		    "(%u+%u)", f->offset, f->type, f->length, f->type_octets,
		    f->length_octets);
		t->payload_offset = 0;
	} else if (ev == WK_H3FRAME_PAYLOAD) {
		assert_true(f->data >= in && f->data_len > 0);
		assert_true(f->data + f->data_len <= in + len);
		for (i = 0; i < f->data_len; i++)
			wk_buf_printf(&t->text, "%02x", f->data[i]);
	} else {
		wk_buf_printf(&t->text, ";");
	}
	assert_int_equal(f->data_offset, t->payload_offset);
	t->payload_offset += f->data_len;
	if (ev != WK_H3FRAME_PAYLOAD) {
		assert_null(f->data);
		assert_int_equal(f->data_len, 0);
	}
}

/* One piece, at the edge of an unreadable page. */
static void
transcript_feed(struct transcript *t, const uint8_t *piece, size_t len)
{
	struct wk_h3frame f, same;
	enum wk_h3frame_event ev;
	const uint8_t *in;
	struct fence fence;
	size_t left = len;

	fence_init(&fence, piece, len);
	in = fence.data;
	memset(&f, 0xee, sizeof(f));
	while ((ev = wk_h3frame_read(&t->r, &in, &left, &f)) !=
	    WK_H3FRAME_MORE) {
		transcript_event(t, ev, &f, fence.data, len);
		assert_ptr_equal(in + left, fence.data + len);
		memset(&f, 0xee, sizeof(f));
	}
	memset(&same, 0xee, sizeof(same));
	assert_memory_equal(&f, &same, sizeof(f));
	assert_int_equal(left, 0);
	fence_free(&fence);
}

static const char *
transcript_end(struct transcript *t)
{
	struct wk_error error = { .status = WK_OK };
	int rc = wk_h3frame_reader_finish(&t->r, &error);

	assert_int_equal(rc, error.status);
	assert_int_equal(wk_h3frame_reader_finish(&t->r, NULL), rc);
	if (rc == WK_OK)
		wk_buf_printf(&t->text, "ok");
	else
		wk_buf_printf(&t->text, "%s@%" PRIu64, error.reason,
		    error.offset);
	wk_buf_uint(&t->text, 0, 1);
	assert_int_equal(t->text.status, WK_OK);
	return (const char *)t->text.data;
}

#define HEADER_CUT "stream ends inside a frame header"
#define PAYLOAD_CUT "stream ends inside a frame "

static const struct {
	const char *hex, *want;
} cases[] = {
	{ "", "ok" },
	/* The first frames of a client's and a server's control streams. */
	{ "04023301", "0/4:2(1+1)3301;ok" },
	{ "040408013301", "0/4:4(1+1)08013301;ok" },
	{ "0000", "0/0:0(1+1);ok" },
	{ "000568656c6c6f 0700", "0/0:5(1+1)68656c6c6f;7/7:0(1+1);ok" },
	{ "400080000002 6869", "0/0:2(2+4)6869;ok" },
	{ "c0000000000000010000 21 00", "0/1:0(8+1);9/0:33(1+1)"
	    "00" PAYLOAD_CUT "(type 0x0, 1 of 33 octets)@12" },
	{ "800f0700 01 ff", "0/f0700:1(4+1)ff;ok" },
	{ "ffffffffffffffff00", "0/3fffffffffffffff:0(8+1);ok" },
	{ "4041 00 0000", "0/41:0(2+1);3/0:0(1+1);ok" },
	/* cut streams */
	{ "00", HEADER_CUT "@1" },
	{ "4000", HEADER_CUT "@2" },
	{ "80", HEADER_CUT "@1" },
	{ "0040", HEADER_CUT "@2" },
	{ "c0000000000000", HEADER_CUT "@7" },
	{ "0106", "0/1:6(1+1)" PAYLOAD_CUT "(type 0x1, 0 of 6 octets)@2" },
	{ "01060068",
	    "0/1:6(1+1)0068" PAYLOAD_CUT "(type 0x1, 2 of 6 octets)@4" },
	/* the longest length there is; nothing may be reserved for it */
	{ "21ffffffffffffffff0102", "0/21:4611686018427387903(1+8)0102"
	    PAYLOAD_CUT "(type 0x21, 2 of 4611686018427387903 octets)@11" },
};

static void
test_any_split_gives_the_same_events(void **state)
{
	struct transcript t;
	uint8_t in[64];
	size_t i, len, a, b, step;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		len = unhex(cases[i].hex, in, sizeof(in));
		for (step = 1; step <= len + 1; step++) {
			transcript_init(&t);
			for (a = 0; a < len; a += step)
				transcript_feed(&t, in + a,
				    step < len - a ? step : len - a);
			assert_string_equal(transcript_end(&t),
			    cases[i].want);
			wk_buf_free(&t.text);
		}
		for (a = 0; a <= len; a++)
			for (b = a; b <= len; b++) {
				transcript_init(&t);
				transcript_feed(&t, in, a);
				transcript_feed(&t, in + a, b - a);
				transcript_feed(&t, in + b, len - b);
				assert_string_equal(transcript_end(&t),
				    cases[i].want);
				wk_buf_free(&t.text);
			}
	}
}

/* A shorter prefix of whole frames is whole frames, or cut, nothing else. */
static void
test_every_shorter_prefix_wants_more(void **state)
{
	static const size_t whole[] = { 0, 4, 11, 13 };
	struct wk_error error;
	struct transcript t;
	uint8_t in[64];
	size_t len, n, k;
	int want;

	(void)state;
	len = unhex("04023301 000568656c6c6f 2100", in, sizeof(in));
	for (n = 0; n <= len; n++) {
		transcript_init(&t);
		transcript_feed(&t, in, n);
		want = WK_E_TRUNCATED;
		for (k = 0; k < N(whole); k++)
			if (whole[k] == n)
				want = WK_OK;
		assert_int_equal(wk_h3frame_reader_finish(&t.r, &error), want);
		if (want != WK_OK)
			assert_int_equal(error.offset, n);
		wk_buf_free(&t.text);
	}
}

static void
test_no_input_is_no_event(void **state)
{
	struct wk_h3frame_reader r;
	const uint8_t *p = NULL;
	struct wk_h3frame f;
	size_t len = 0;

	(void)state;
	wk_h3frame_reader_init(&r);
	assert_int_equal(wk_h3frame_read(&r, &p, &len, &f), WK_H3FRAME_MORE);
	p = (const uint8_t *)"\x00\x00";
	len = 2;
	assert_int_equal(wk_h3frame_read(&r, &p, &len, &f), WK_H3FRAME_START);
	/* whole, if nobody asked for its END */
	assert_int_equal(wk_h3frame_reader_finish(&r, NULL), WK_OK);
	p = NULL;
	assert_int_equal(wk_h3frame_read(&r, &p, &len, &f), WK_H3FRAME_END);
	assert_int_equal(wk_h3frame_read(&r, &p, &len, &f), WK_H3FRAME_MORE);
}

/* A long frame passes through in the caller's own pieces. */
static void
test_long_payloads_stream(void **state)
{
	static const uint8_t header[] = { 0x21, 0x80, 0x10, 0x00, 0x00 };
	static uint8_t piece[4096];
	struct wk_h3frame_reader r;
	const uint8_t *p = header;
	struct wk_h3frame f;
	size_t len = sizeof(header), n;

	(void)state;
	wk_h3frame_reader_init(&r);
	assert_int_equal(wk_h3frame_read(&r, &p, &len, &f), WK_H3FRAME_START);
	for (n = 0; n < 256; n++) {
		p = piece;
		len = sizeof(piece);
		assert_int_equal(wk_h3frame_read(&r, &p, &len, &f),
		    WK_H3FRAME_PAYLOAD);
		assert_ptr_equal(f.data, piece);
		assert_int_equal(f.data_offset, n * sizeof(piece));
		assert_int_equal(wk_h3frame_read(&r, &p, &len, &f),
		    n < 255 ? WK_H3FRAME_MORE : WK_H3FRAME_END);
	}
	assert_int_equal(wk_h3frame_reader_finish(&r, NULL), WK_OK);
}

/* Read in pieces, write what was read: the same octets. */
static void
test_what_was_read_is_written_back(void **state)
{
	uint8_t in[64], header[WK_H3FRAME_HEADER_MAX];
	struct wk_h3frame_reader r;
	enum wk_h3frame_event ev;
	struct wk_h3frame f;
	struct wk_buf out;
	const uint8_t *at;
	size_t i, len, left;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		len = unhex(cases[i].hex, in, sizeof(in));
		wk_buf_init(&out, sizeof(in));
		wk_h3frame_reader_init(&r);
		at = in;
		left = len;
		while ((ev = wk_h3frame_read(&r, &at, &left, &f)) !=
		    WK_H3FRAME_MORE) {
			if (ev == WK_H3FRAME_START)
				wk_buf_append(&out, header,
				    wk_h3frame_header(header, &f));
			wk_buf_append(&out, f.data, f.data_len);
		}
		/* All but a header that is cut. */
		assert_int_equal(out.status, WK_OK);
		if (strstr(cases[i].want, HEADER_CUT) == NULL)
			assert_int_equal(out.len, len);
		if (out.len > 0)
			assert_memory_equal(out.data, in, out.len);
		wk_buf_free(&out);
	}
}

static void
test_header_writes_the_octets_asked_for(void **state)
{
	static const struct {
		struct wk_h3frame frame;
		const char *hex;	/* "" for what cannot be written */
	} headers[] = {
		{ { .type = 0, .length = 6 }, "0006" },
		{ { .type = 0, .length = 3, .type_octets = 2,
		    .length_octets = 4 }, "400080000003" },
		{ { .type = 0xf0700, .length = 64 }, "800f07004040" },
		{ { .type = WK_VARINT_MAX, .length = WK_VARINT_MAX },
		    "ffffffffffffffffffffffffffffffff" },
		{ { .type = 64, .type_octets = 1 }, "" },
		{ { .length = 64, .length_octets = 1 }, "" },
		{ { .type_octets = 3 }, "" },
		{ { .type = WK_VARINT_MAX + 1 }, "" },
		{ { .length = WK_VARINT_MAX + 1 }, "" },
	};
	uint8_t want[16], out[WK_H3FRAME_HEADER_MAX + 1];
	size_t i, n;

	(void)state;
	for (i = 0; i < N(headers); i++) {
		n = unhex(headers[i].hex, want, sizeof(want));
		memset(out, 0xee, sizeof(out));
		assert_int_equal(wk_h3frame_header(out, &headers[i].frame), n);
		assert_memory_equal(out, want, n);
		assert_int_equal(out[n], 0xee);
	}
}

/* --- ids ------------------------------------------------------------------ */

static void
test_ids(void **state)
{
	static const struct {
		const char *hex;
		uint64_t id;
		size_t used;		/* 0: it is cut */
	} ids[] = {
		{ "", 0, 0 },
		{ "00", 0, 1 },
		{ "3f", 63, 1 },
		{ "7fff", 16383, 2 },
		{ "c000000000000004", 4, 8 },
		{ "fffffffffffffffc", WK_VARINT_MAX - 3, 8 },
		{ "0000", 0, 1 },
		{ "40", 0, 0 },
		{ "c0000000000000", 0, 0 },
		{ "800000012233", 1, 4 },
	};
	struct wk_h3id_reader r;
	uint8_t in[16];
	size_t i, len, step, at, n, used;
	uint64_t id;

	(void)state;
	for (i = 0; i < N(ids); i++) {
		len = unhex(ids[i].hex, in, sizeof(in));
		for (step = 1; step <= len + 1; step++) {
			memset(&r, 0, sizeof(r));
			used = 0;
			for (at = 0; at < len; at += n) {
				n = step < len - at ? step : len - at;
				used += wk_h3id_read(&r, in + at, n);
			}
			assert_int_equal(used, ids[i].used > 0 ? ids[i].used :
			    len);
			id = 99;
			assert_int_equal(wk_h3id_finish(&r, &id),
			    ids[i].used > 0 ? WK_OK : WK_E_TRUNCATED);
			assert_int_equal(id, ids[i].used > 0 ? ids[i].id : 99);
		}
	}
}

static void
test_frames_with_ids(void **state)
{
	static const struct {
		uint64_t type, id;
		const char *hex;
	} frames[] = {
		{ WK_H3FRAME_GOAWAY, 0, "070100" },
		{ WK_H3FRAME_GOAWAY, WK_VARINT_MAX - 3,
		    "0708fffffffffffffffc" },
		{ WK_H3FRAME_MAX_PUSH_ID, 64, "0d024040" },
		{ WK_H3FRAME_CANCEL_PUSH, 1, "030101" },
		{ WK_H3FRAME_GOAWAY, WK_VARINT_MAX + 1, "" },
	};
	uint8_t want[16];
	struct wk_buf b;
	size_t i, n;

	(void)state;
	for (i = 0; i < N(frames); i++) {
		n = unhex(frames[i].hex, want, sizeof(want));
		wk_buf_init(&b, 100);
		assert_int_equal(wk_h3id_append(&b, frames[i].type,
		    frames[i].id), n > 0 ? WK_OK : WK_E_INVALID);
		if (n > 0) {
			assert_int_equal(b.len, n);
			assert_memory_equal(b.data, want, n);
		}
		wk_buf_free(&b);
	}
}

/* --- settings ------------------------------------------------------------- */

static const struct {
	const char *hex, *want;
} settings[] = {
	{ "", "ok" },
	{ "3301", "33=1 ok" },
	{ "08013301", "8=1 33=1 ok" },
	{ "3300", "33=0 ok" },
	/* Values of Chromium and of old drafts; unknown ones are as good. */
	{ "0180010000 0680004000 074064 3301 80ffd27701 ab60374201",
	    "1=65536 6=16384 7=100 33=1 ffd277=1 2b603742=1 ok" },
	{ "21 ffffffffffffffff 4276 01", "21=4611686018427387903 276=1 ok" },
	{ "4033 4001", "33=1 ok" },
	{ "0000", "0=0 ok" },
	/* what must not be */
	{ "3302", "malformed setting 0x33 is neither 0 nor 1@0" },
	{ "210033ffffffffffffffff", "21=0 malformed setting 0x33 is neither "
	    "0 nor 1@2" },
	{ "0802", "malformed setting 0x8 is neither 0 nor 1@0" },
	{ "33013301", "33=1 malformed setting 0x33 comes twice@2" },
	{ "33014033 01", "33=1 malformed setting 0x33 comes twice@2" },
	{ "2100 06ff", "21=0 truncated the settings end inside one@4" },
	{ "0200", "malformed setting 0x2 is one of HTTP/2@0" },
	{ "0300", "malformed setting 0x3 is one of HTTP/2@0" },
	{ "0400", "malformed setting 0x4 is one of HTTP/2@0" },
	{ "33010500", "33=1 malformed setting 0x5 is one of HTTP/2@2" },
	{ "33", "truncated the settings end inside one@1" },
	{ "40", "truncated the settings end inside one@1" },
	{ "3301 06 80", "33=1 truncated the settings end inside one@4" },
};

static const char *
read_settings(const uint8_t *in, size_t len, size_t step)
{
	static struct wk_h3settings s;
	static char text[4096];
	struct fence fence;
	size_t at = 0, i, n;
	int rc;

	memset(&s, 0, sizeof(s));
	for (i = 0; i < len; i += n) {
		n = step < len - i ? step : len - i;
		fence_init(&fence, in + i, n);
		rc = wk_h3settings_read(&s, fence.data, n);
		assert_int_equal(rc, s.error.status);
		fence_free(&fence);
	}
	rc = wk_h3settings_finish(&s);
	assert_int_equal(rc, s.error.status);
	assert_int_equal(wk_h3settings_finish(&s), rc);
	assert_int_equal(wk_h3settings_read(&s, in, 0), rc);
	for (i = 0; i < s.n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%" PRIx64 "=%" PRIu64 " ", s.list[i].id,
		    s.list[i].value);
	if (rc == WK_OK)
		snprintf(text + at, sizeof(text) - at, "ok");
	else
		snprintf(text + at, sizeof(text) - at, "%s %s@%" PRIu64,
		    rc == WK_E_MALFORMED ? "malformed" : rc == WK_E_LIMIT ?
		    "limit" : "truncated", s.error.reason, s.error.offset);
	return text;
}

static void
test_settings(void **state)
{
	uint8_t in[64];
	size_t i, len, step;

	(void)state;
	for (i = 0; i < N(settings); i++) {
		len = unhex(settings[i].hex, in, sizeof(in));
		for (step = 1; step <= len + 1; step++)
			assert_string_equal(read_settings(in, len, step),
			    settings[i].want);
	}
}

static void
test_settings_limit(void **state)
{
	struct wk_h3setting list[WK_H3SETTINGS_MAX + 1];
	struct wk_h3settings s;
	struct wk_buf b;
	size_t i, n;

	(void)state;
	for (i = 0; i < N(list); i++)
		list[i] = (struct wk_h3setting){ wk_h3frame_grease(i), i };
	for (n = WK_H3SETTINGS_MAX - 1; n <= N(list); n++) {
		wk_buf_init(&b, 10000);
		assert_int_equal(wk_h3settings_append(&b, list, n), WK_OK);
		memset(&s, 0, sizeof(s));
		/* Behind the type and two octets of length. */
		assert_int_equal(wk_h3settings_read(&s, b.data + 3, b.len - 3),
		    n <= WK_H3SETTINGS_MAX ? WK_OK : WK_E_LIMIT);
		assert_int_equal(s.n, n <= WK_H3SETTINGS_MAX ? n :
		    WK_H3SETTINGS_MAX);
		for (i = 0; i < s.n; i++)
			assert_int_equal(wk_h3settings_value(&s, list[i].id,
			    99), i);
		assert_int_equal(wk_h3settings_value(&s, 0x33, 99), 99);
		wk_buf_free(&b);
	}
}

static void
test_settings_written(void **state)
{
	static const struct wk_h3setting server[] = { { 0x08, 1 },
		{ 0x33, 1 } };
	static const struct wk_h3setting bad[] = { { WK_VARINT_MAX + 1, 1 } };
	struct wk_buf b;

	(void)state;
	wk_buf_init(&b, 100);
	wk_varint_append(&b, WK_H3STREAM_CONTROL, 0);
	assert_int_equal(wk_h3settings_append(&b, server, 2), WK_OK);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "\x00\x04\x04\x08\x01\x33\x01", 7);
	wk_buf_clear(&b);
	assert_int_equal(wk_h3settings_append(&b, NULL, 0), WK_OK);
	assert_memory_equal(b.data, "\x04\x00", 2);
	assert_int_equal(wk_h3settings_append(&b, bad, 1), WK_E_INVALID);
	wk_buf_free(&b);
}

/* --- numbers -------------------------------------------------------------- */

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(wk_h3frame_name(0x07), "GOAWAY");
	assert_string_equal(wk_h3frame_name(0xf0700), "PRIORITY_UPDATE");
	assert_null(wk_h3frame_name(0x21));
	assert_string_equal(wk_h3stream_name(0x02), "QPACK encoder");
	assert_null(wk_h3stream_name(0x04));
	assert_string_equal(wk_h3setting_name(0x33), "H3_DATAGRAM");
	assert_string_equal(wk_h3setting_name(0x276), "H3_DATAGRAM_DRAFT00");
	assert_string_equal(wk_h3setting_name(0xffd276),
	    "H3_DATAGRAM_DRAFT01");
	assert_string_equal(wk_h3setting_name(0xffd277),
	    "H3_DATAGRAM_DRAFT04");
	assert_string_equal(wk_h3setting_name(0x2b603742),
	    "ENABLE_WEBTRANSPORT");
	assert_null(wk_h3setting_name(0x21));
	assert_string_equal(wk_h3error_name(0x33), "H3_DATAGRAM_ERROR");
	assert_string_equal(wk_h3error_name(0x10e), "H3_MESSAGE_ERROR");
	assert_string_equal(wk_h3error_name(0x202),
	    "QPACK_DECODER_STREAM_ERROR");
	assert_null(wk_h3error_name(0x111));
}

static void
test_reserved(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < 64; i++) {
		assert_int_equal(wk_h3frame_is_reserved(i), i == 2 || i == 6 ||
		    i == 8 || i == 9);
		assert_int_equal(wk_h3setting_is_reserved(i), i >= 2 && i <= 5);
	}
}

static void
test_grease(void **state)
{
	static const uint64_t some[] = { 0, 1, 2, 1000, UINT32_MAX,
		UINT64_MAX, UINT64_MAX / 2, WK_VARINT_MAX / 0x1f };
	size_t i;

	(void)state;
	assert_int_equal(wk_h3frame_grease(0), 0x21);
	assert_int_equal(wk_h3frame_grease(1), 0x40);
	for (i = 0; i < N(some); i++) {
		assert_true(wk_h3frame_is_grease(wk_h3frame_grease(some[i])));
		assert_true(wk_h3frame_grease(some[i]) <= WK_VARINT_MAX);
	}
	assert_false(wk_h3frame_is_grease(2));
	assert_false(wk_h3frame_is_grease(0x20));
	assert_false(wk_h3frame_is_grease(0x22));
	assert_false(wk_h3frame_is_grease(UINT64_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_split_gives_the_same_events),
		cmocka_unit_test(test_every_shorter_prefix_wants_more),
		cmocka_unit_test(test_no_input_is_no_event),
		cmocka_unit_test(test_long_payloads_stream),
		cmocka_unit_test(test_what_was_read_is_written_back),
		cmocka_unit_test(test_header_writes_the_octets_asked_for),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_frames_with_ids),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_limit),
		cmocka_unit_test(test_settings_written),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_grease),
	};

	return cmocka_run_group_tests_name("h3frame", tests, NULL, NULL);
}
