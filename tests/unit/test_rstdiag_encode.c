/* SPDX-License-Identifier: MIT */
/* Writing payloads, and the limits of both directions. */
#include "config.h"

#include "tests/unit/rstdiag_checks.h"

/* --- encoding ------------------------------------------------------------- */

static const enum wk_rstdiag_format carriers[] = {	/* of anything */
	WK_RSTDIAG_CBOR_SEQ, WK_RSTDIAG_CBOR_ARRAY, WK_RSTDIAG_CBOR_MAP,
	WK_RSTDIAG_B13, WK_RSTDIAG_B14, WK_RSTDIAG_JSON,
};

static void
check_round_trip(const struct wk_rstdiag *d)
{
	struct wk_rstdiag back;
	struct wk_buf out;
	struct wk_error e;
	int rc;

	wk_buf_init(&out, WK_RSTDIAG_MAX);
	if (wk_rstdiag_encode(d, &out, &e) != WK_OK)
		fail_msg("code %u pen %u: %s", d->code, (unsigned)d->pen,
		    e.reason);
	rc = wk_rstdiag_decode(out.data, out.len, out.len,
	    WK_RSTDIAG_ASK(d->format), &back);
	check_consistency(&back, rc, out.data, out.len);
	if (!back.is_valid)
		fail_msg("code %u pen %u became invalid: %s", d->code,
		    (unsigned)d->pen, back.error.reason);
	check_same_fields("round trip", d, &back);
	wk_buf_free(&out);
}

static void
test_round_trips(void **state)
{
	static const uint16_t codes[] = {
		0, 1, 2, 23, 24, 255, 256, 1234, 0x7fff, 0x8000, 65535
	};
	static const int64_t pens[] = {
		-1, 0, 1, 23, 24, 255, 256, 32473, 65535, 65536, 0x7fffffff,
		0x80000000, 0xfffffffe, 0xffffffff
	};
	static const char *const lines[] = {
		NULL, "", "x", "mapping expired", "\xc3\xbc \xf0\x9f\x98\x80",
		"\"quoted\\\" \x1b[2J \n", "exactly twenty-three oct",
	};
	size_t f, c, p, t, keys;

	(void)state;
	for (f = 0; f < N_ELEMENTS(carriers); f++)
	for (c = 0; c < N_ELEMENTS(codes); c++)
	for (p = 0; p < N_ELEMENTS(pens); p++)
	for (t = 0; t < N_ELEMENTS(lines); t++)
	for (keys = 0; keys < 2; keys++) {
		struct wk_rstdiag d = { .format = carriers[f],
		    .is_diagnostic = true };
		bool is_cbor = d.format <= WK_RSTDIAG_CBOR_MAP;

		d.has_code = codes[c] != 0;
		d.code = codes[c];
		d.has_pen = pens[p] >= 0;
		d.pen = d.has_pen ? (uint32_t)pens[p] : 0;
		d.description = (const uint8_t *)lines[t];
		d.description_len = lines[t] != NULL ? strlen(lines[t]) : 0;
		if (keys && is_cbor)
			d.warnings = WK_RSTDIAG_W_TEXT_KEYS;
		if ((keys && !is_cbor) || (d.has_pen && !d.has_code) ||
		    (!d.has_code && d.description == NULL) ||
		    (!is_cbor && d.format != WK_RSTDIAG_JSON &&
		    d.description != NULL && d.description_len == 0))
			continue;
		check_round_trip(&d);
	}
}

static void
test_every_code_in_compact_and_cbor(void **state)
{
	struct wk_rstdiag d = { .has_code = true, .has_pen = true };
	struct wk_rstdiag back;
	struct wk_buf out;
	uint32_t code;

	(void)state;
	wk_buf_init(&out, 100);
	for (code = 1; code <= 65535; code++) {
		d.code = (uint16_t)code;
		d.pen = code * 0x10001;
		for (d.format = WK_RSTDIAG_COMPACT;
		    d.format <= WK_RSTDIAG_CBOR_SEQ; d.format++) {
			if (d.format == WK_RSTDIAG_FREE_TEXT)
				continue;
			wk_buf_clear(&out);
			assert_int_equal(wk_rstdiag_encode(&d, &out, NULL),
			    WK_OK);
			wk_rstdiag_decode(out.data, out.len, out.len, 0,
			    &back);
			assert_true(back.is_valid);
			assert_int_equal(back.format, d.format);
			assert_int_equal(back.code, d.code);
			assert_int_equal(back.pen, d.pen);
		}
	}
	wk_buf_free(&out);
}

static void
test_compact_without_pen_means_iana(void **state)
{
	struct wk_rstdiag d = {
		.format = WK_RSTDIAG_COMPACT, .has_code = true, .code = 5,
		.pen = 99,
	};
	struct wk_buf out;

	(void)state;
	wk_buf_init(&out, 8);
	assert_int_equal(wk_rstdiag_encode(&d, &out, NULL), WK_OK);
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.data, "\x33\xaa\0\5\0\0\0\0", 8);
	wk_buf_free(&out);
}

#define TEXT(t) .description = (const uint8_t *)(t), \
	.description_len = sizeof(t) - 1

static void
test_what_is_not_written(void **state)
{
	static const struct {
		struct wk_rstdiag d;
		const char *reason;
	} refused[] = {
		{ { .format = WK_RSTDIAG_NONE },
		    "format none cannot be written" },
		{ { .format = WK_RSTDIAG_F5, TEXT("a") },
		    "format f5 cannot be written" },
		{ { .format = WK_RSTDIAG_UNKNOWN },
		    "format unknown cannot be written" },
		{ { .format = WK_RSTDIAG_COMPACT }, "compact needs a code" },
		{ { .format = WK_RSTDIAG_COMPACT, .has_code = true },
		    "reserved code" },
		{ { .format = WK_RSTDIAG_COMPACT, .has_code = true, .code = 1,
		    TEXT("a") }, "compact cannot carry a text" },
		{ { .format = WK_RSTDIAG_FREE_TEXT, .has_code = true,
		    .code = 1, TEXT("a") }, "free-text cannot carry a code" },
		{ { .format = WK_RSTDIAG_FREE_TEXT, .has_pen = true,
		    TEXT("a") }, "free-text cannot carry a pen" },
		{ { .format = WK_RSTDIAG_FREE_TEXT },
		    "free-text needs a text" },
		{ { .format = WK_RSTDIAG_FREE_TEXT, TEXT("") },
		    "free-text cannot carry an empty text" },
		{ { .format = WK_RSTDIAG_FREE_TEXT, TEXT("ab\xff") },
		    "text is not UTF-8" },
		{ { .format = WK_RSTDIAG_CBOR_SEQ },
		    "neither code nor text" },
		{ { .format = WK_RSTDIAG_CBOR_SEQ, .has_pen = true },
		    "pen without code" },
		{ { .format = WK_RSTDIAG_CBOR_SEQ, .has_pen = true,
		    TEXT("a") }, "pen without code" },
		{ { .format = WK_RSTDIAG_CBOR_ARRAY, .has_code = true },
		    "reserved code" },
		{ { .format = WK_RSTDIAG_CBOR_MAP, TEXT("\xc3") },
		    "text is not UTF-8" },
		{ { .format = WK_RSTDIAG_B13, TEXT("") },
		    "b13 cannot carry an empty text" },
		{ { .format = WK_RSTDIAG_B14, .has_code = true },
		    "reserved code" },
		{ { .format = WK_RSTDIAG_JSON, TEXT("\xed\xa0\x80") },
		    "text is not UTF-8" },
		{ { .format = WK_RSTDIAG_LINUX_EXP, .has_code = true,
		    .code = 25 }, "code 25 is no reset reason of Linux" },
		{ { .format = WK_RSTDIAG_LINUX_EXP, .has_code = true,
		    .code = 257 }, "code 257 is no reset reason of Linux" },
		{ { .format = WK_RSTDIAG_LINUX_EXP, .has_code = true },
		    "reserved code" },
		{ { .format = WK_RSTDIAG_TEXT, TEXT("\x1b[2J") },
		    "text is not printable" },
		{ { .format = WK_RSTDIAG_TEXT, TEXT("\n") },
		    "text is not printable" },
	};
	struct wk_error e;
	struct wk_buf out;
	size_t i;

	(void)state;
	wk_buf_init(&out, 100);
	wk_buf_append(&out, "kept", 4);
	for (i = 0; i < N_ELEMENTS(refused); i++) {
		assert_int_equal(wk_rstdiag_encode(&refused[i].d, &out, &e),
		    WK_E_INVALID);
		assert_int_equal(e.status, WK_E_INVALID);
		assert_string_equal(e.reason, refused[i].reason);
		assert_int_equal(out.len, 4);
	}
	assert_int_equal(wk_rstdiag_encode(&refused[0].d, &out, NULL),
	    WK_E_INVALID);
	wk_buf_free(&out);
}

/* --- limits --------------------------------------------------------------- */

/* A payload of a whole text of n times 'x', and what became of it. */
static int
recode_text(enum wk_rstdiag_format format, size_t n, struct wk_buf *out,
    struct wk_rstdiag *back)
{
	struct wk_rstdiag d = { .format = format, .description_len = n };
	uint8_t *text = malloc(n);
	int rc;

	assert_non_null(text);
	memset(text, 'x', n);
	d.description = text;
	wk_buf_clear(out);
	rc = wk_rstdiag_encode(&d, out, &back->error);
	if (rc == WK_OK) {
		rc = wk_rstdiag_decode(out->data, out->len, out->len,
		    WK_RSTDIAG_ASK(format), back);
		check_consistency(back, rc, out->data, out->len);
	}
	free(text);
	return rc;
}

static void
test_limits_of_texts(void **state)
{
	static const struct {
		enum wk_rstdiag_format format;
		size_t head;	/* octets beside the longest text */
	} longest[] = {
		{ WK_RSTDIAG_FREE_TEXT, 2 }, { WK_RSTDIAG_CBOR_SEQ, 8 },
		{ WK_RSTDIAG_CBOR_ARRAY, 9 }, { WK_RSTDIAG_CBOR_MAP, 5 },
		{ WK_RSTDIAG_B13, 8 }, { WK_RSTDIAG_B14, 8 },
		{ WK_RSTDIAG_TEXT, 0 },
	};
	struct wk_rstdiag d;
	struct wk_buf out;
	size_t i, n;

	(void)state;
	wk_buf_init(&out, 200000);
	for (i = 0; i < N_ELEMENTS(longest); i++) {
		n = WK_RSTDIAG_MAX - longest[i].head;
		assert_int_equal(recode_text(longest[i].format, n, &out, &d),
		    WK_OK);
		assert_int_equal(out.len, WK_RSTDIAG_MAX);
		assert_int_equal(d.format, longest[i].format);
		assert_int_equal(d.description_len, n);
		assert_int_equal(recode_text(longest[i].format, n + 1, &out,
		    &d), WK_E_LIMIT);
		assert_int_equal(out.len, 0);
		assert_int_equal(recode_text(longest[i].format,
		    WK_RSTDIAG_MAX + 1, &out, &d), WK_E_LIMIT);
		assert_string_equal(d.error.reason,
		    "text of 65536 octets, must be at most 65535");
	}
	/* RFC 8742 sequence: 255 octets are accepted without a word. */
	assert_int_equal(recode_text(WK_RSTDIAG_CBOR_SEQ, 248, &out, &d),
	    WK_OK);
	assert_int_equal(out.len, 255);
	assert_int_equal(d.warnings, 0);
	assert_int_equal(recode_text(WK_RSTDIAG_CBOR_SEQ, 249, &out, &d),
	    WK_OK);
	assert_int_equal(out.len, 256);
	assert_int_equal(d.warnings, WK_RSTDIAG_W_LONG);
	assert_true(d.is_valid);
	/* JSON: what does not fit scratch is not shown in part. */
	assert_int_equal(recode_text(WK_RSTDIAG_JSON, 1023, &out, &d), WK_OK);
	assert_int_equal(recode_text(WK_RSTDIAG_JSON, 1024, &out, &d), WK_OK);
	assert_int_equal(d.description_len, 1024);
	assert_int_equal(recode_text(WK_RSTDIAG_JSON, 1025, &out, &d),
	    WK_E_LIMIT);
	assert_string_equal(d.error.reason,
	    "rd of 1025 octets, must be at most 1024");
	wk_buf_free(&out);
}

/* A text of total 'y' in pieces of at most size octets; returns its length. */
static size_t
write_pieces(uint8_t *to, size_t total, size_t size)
{
	size_t n, len;

	len = unhex("193039a1037f", to, 6);
	for (; total > 0; total -= n) {
		n = total < size ? total : size;
		to[len++] = 0x79;
		to[len++] = (uint8_t)(n >> 8);
		to[len++] = (uint8_t)n;
		memset(to + len, 'y', n);
		len += n;
	}
	to[len++] = 0xff;
	return len;
}

static void
test_limit_of_text_in_pieces(void **state)
{
	static const size_t sizes[] = { 1, 300, 1023, 1024, 3000 };
	static const size_t totals[] = { 1023, 1024, 1025, 2048 };
	struct wk_rstdiag empty = { .format = WK_RSTDIAG_NONE }, *d;
	uint8_t data[8300];
	size_t i, k, len;
	struct fence f;
	int rc;

	(void)state;
	/* Scratch is the last member: behind it is the unreadable page. */
	fence_init(&f, &empty, sizeof(empty));
	d = (struct wk_rstdiag *)(void *)f.data;
	for (i = 0; i < N_ELEMENTS(sizes); i++)
	for (k = 0; k < N_ELEMENTS(totals); k++) {
		len = write_pieces(data, totals[k], sizes[i]);
		rc = wk_rstdiag_decode(data, len, len, 0, d);
		check_consistency(d, rc, data, len);
		assert_int_equal(rc, totals[k] > 1024 ? WK_E_LIMIT : WK_OK);
		if (rc == WK_OK) {
			assert_int_equal(d->description_len, totals[k]);
			assert_ptr_equal(d->description, d->scratch);
			assert_int_equal(d->scratch[totals[k] - 1], 'y');
		} else {
			assert_string_equal(d->error.reason, "text in pieces,"
			    " must be at most 1024 octets");
		}
	}
	fence_free(&f);
}

static void
test_limits_of_payload_and_buffer(void **state)
{
	struct wk_rstdiag d = {
		.format = WK_RSTDIAG_COMPACT, .has_code = true, .code = 1,
	};
	struct wk_buf out;
	struct wk_error e;
	uint8_t *data = calloc(1, 65536);

	(void)state;
	assert_non_null(data);
	wk_buf_init(&out, 11);
	wk_buf_append(&out, "keep", 4);
	assert_int_equal(wk_rstdiag_encode(&d, &out, &e), WK_E_LIMIT);
	assert_int_equal(e.status, WK_E_LIMIT);
	assert_int_equal(out.len, 4);
	wk_buf_free(&out);
	wk_buf_init(&out, 12);
	wk_buf_append(&out, "keep", 4);
	assert_int_equal(wk_rstdiag_encode(&d, &out, &e), WK_OK);
	assert_int_equal(out.len, 12);
	wk_buf_free(&out);

	assert_int_equal(wk_rstdiag_decode(data, 65535, 65535, 0, &d), WK_OK);
	assert_int_equal(d.format, WK_RSTDIAG_UNKNOWN);
	assert_int_equal(wk_rstdiag_decode(data, 65536, 65536, 0, &d),
	    WK_E_LIMIT);
	assert_int_equal(d.format, WK_RSTDIAG_UNKNOWN);
	assert_string_equal(d.error.reason,
	    "length 65536, must be at most 65535");
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_every_code_in_compact_and_cbor),
		cmocka_unit_test(test_compact_without_pen_means_iana),
		cmocka_unit_test(test_what_is_not_written),
		cmocka_unit_test(test_limits_of_texts),
		cmocka_unit_test(test_limit_of_text_in_pieces),
		cmocka_unit_test(test_limits_of_payload_and_buffer),
	};

	return cmocka_run_group_tests_name("rstdiag_encode", tests, NULL, NULL);
}
