/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/quicpkt.h"

static int
decode(const char *hex, size_t short_len, struct wk_quicpkt *p,
    struct wk_error *error)
{
	static uint8_t data[1024];
	static struct fence f;
	size_t len = unhex(hex, data, sizeof(data));
	int rc;

	if (f.base != NULL)
		fence_free(&f);
	fence_init(&f, data, len);
	rc = wk_quicpkt_decode(f.data, len, short_len, p, error);
	return rc;
}

static void
reads_long_headers(void **state)
{
	struct wk_quicpkt p;

	(void)state;
	/* The client's Initial of RFC 9001, appendix A.2. */
	assert_int_equal(decode("c0 00000001 08 8394c8f03e515708 00 00 449e",
	    0, &p, NULL), WK_OK);
	assert_true(p.is_long);
	assert_int_equal(p.first, 0xc0);
	assert_int_equal(p.version, WK_QUICPKT_V1);
	assert_int_equal(p.dcid_len, 8);
	assert_int_equal(p.dcid[0], 0x83);
	assert_int_equal(p.scid_len, 0);
	assert_int_equal(p.rest_len, 3);
	/* Nothing behind the header, and no ids at all. */
	assert_int_equal(decode("80 1a2a3a4a 00 00", 0, &p, NULL), WK_OK);
	assert_int_equal(p.rest_len, 0);
	assert_true(wk_quicpkt_is_reserved(p.version));
}

static void
reads_short_headers(void **state)
{
	struct wk_error error;
	struct wk_quicpkt p;

	(void)state;
	assert_int_equal(decode("40 0102030405060708 ff", 8, &p, NULL), WK_OK);
	assert_false(p.is_long);
	assert_int_equal(p.dcid_len, 8);
	assert_int_equal(p.dcid[7], 8);
	assert_int_equal(p.rest_len, 1);
	assert_int_equal(p.scid_len, 0);
	assert_int_equal(decode("40 01020304050607", 8, &p, &error),
	    WK_E_TRUNCATED);
	assert_int_equal(error.offset, 1);
}

static void
notices_ends(void **state)
{
	static const char *const cut[] = {
		"", "c0", "c0 0000", "c0 00000001", "c0 00000001 08 83",
		"c0 00000001 08 8394c8f03e515708",
		"c0 00000001 08 8394c8f03e515708 05 01020304",
		"c0 00000001 ff 00",
	};
	struct wk_quicpkt p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		assert_int_equal(decode(cut[i], 8, &p, NULL), WK_E_TRUNCATED);
}

static void
negotiates_versions(void **state)
{
	static const uint32_t ours[] = { 0x1a2a3a4a, WK_QUICPKT_V1 };
	struct wk_quicpkt asked, answer;
	uint32_t versions[4];
	struct wk_buf b;

	(void)state;
	assert_int_equal(decode("c0 babababa 02 a1a2 03 b1b2b3 55", 0,
	    &asked, NULL), WK_OK);
	wk_buf_init(&b, 100);
	assert_int_equal(wk_quicpkt_encode_versions(&b, 0x2a, &asked, ours,
	    2), WK_OK);
	assert_int_equal(wk_quicpkt_decode(b.data, b.len, 0, &answer, NULL),
	    WK_OK);
	assert_int_equal(answer.first, 0xaa);
	assert_int_equal(answer.version, 0);
	assert_int_equal(answer.dcid_len, 3);
	assert_memory_equal(answer.dcid, "\xb1\xb2\xb3", 3);
	assert_int_equal(answer.scid_len, 2);
	assert_int_equal(wk_quicpkt_versions(&answer, versions, 4, NULL), 2);
	assert_int_equal(versions[1], WK_QUICPKT_V1);
	assert_int_equal(wk_quicpkt_versions(&answer, versions, 1, NULL), 2);
	answer.rest_len = 7;
	assert_int_equal(wk_quicpkt_versions(&answer, versions, 4, NULL),
	    WK_E_MALFORMED);
	answer.rest_len = 0;
	assert_int_equal(wk_quicpkt_versions(&answer, versions, 4, NULL),
	    WK_E_MALFORMED);
	assert_int_equal(wk_quicpkt_versions(&asked, versions, 4, NULL),
	    WK_E_MALFORMED);
	wk_buf_free(&b);
	wk_buf_init(&b, 5);
	assert_int_equal(wk_quicpkt_encode_versions(&b, 0, &asked, ours, 2),
	    WK_E_LIMIT);
	wk_buf_free(&b);
}

static void
names_versions(void **state)
{
	char text[WK_QUICPKT_NAME_MAX];

	(void)state;
	assert_string_equal(wk_quicpkt_version_text(1, text), "v1");
	assert_string_equal(wk_quicpkt_version_text(0x6b3343cf, text), "v2");
	assert_string_equal(wk_quicpkt_version_text(0, text), "negotiation");
	assert_string_equal(wk_quicpkt_version_text(0xff00001d, text),
	    "draft-29");
	assert_string_equal(wk_quicpkt_version_text(0x51303530, text),
	    "0x51303530");
	assert_string_equal(wk_quicpkt_version_text(0xfafafafa, text),
	    "reserved");
	assert_true(wk_quicpkt_is_reserved(wk_quicpkt_reserved(0)));
	assert_true(wk_quicpkt_is_reserved(wk_quicpkt_reserved(0xffffffff)));
	assert_int_equal(wk_quicpkt_reserved(0x12345678), 0x1a3a5a7a);
	assert_false(wk_quicpkt_is_reserved(1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_long_headers),
		cmocka_unit_test(reads_short_headers),
		cmocka_unit_test(notices_ends),
		cmocka_unit_test(negotiates_versions),
		cmocka_unit_test(names_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
