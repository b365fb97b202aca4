/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/checksum.h"

/* The definition, word by word. */
static uint16_t
plain(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

static void
test_example_of_rfc1071(void **state)
{
	/* Section 3: the sum of these is ddf2. */
	static const uint8_t in[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5,
		0xf6, 0xf7 };

	(void)state;
	assert_int_equal(wk_checksum_finish(wk_checksum_add(0, in, 8)),
	    0xffff - 0xddf2);
}

static void
test_every_length_at_every_alignment(void **state)
{
	uint8_t in[320];
	size_t len, at, i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 89 + i / 7);
	for (len = 0; len < 300; len++)
		for (at = 0; at < 9; at++)
			assert_int_equal(wk_checksum_finish(
			    wk_checksum_add(0, in + at, len)),
			    plain(in + at, len));
}

static void
test_carries_come_round(void **state)
{
	uint8_t in[300];
	size_t len;

	(void)state;
	memset(in, 0xff, sizeof(in));
	for (len = 1; len < sizeof(in); len++)
		assert_int_equal(wk_checksum_finish(
		    wk_checksum_add(0, in, len)), plain(in, len));
	assert_int_equal(wk_checksum_finish(0), 0xffff);
	assert_int_equal(wk_checksum_finish(UINT64_MAX), 0);
}

static void
test_pieces_of_even_length_add_up(void **state)
{
	uint8_t in[101];
	size_t cut, i;
	uint64_t sum;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(255 - i * 3);
	for (cut = 0; cut < sizeof(in); cut += 2) {
		sum = wk_checksum_add(0, in, cut);
		sum = wk_checksum_add(sum, in + cut, sizeof(in) - cut);
		assert_int_equal(wk_checksum_finish(sum),
		    plain(in, sizeof(in)));
	}
}

static void
test_nothing_is_read_behind_the_end(void **state)
{
	struct fence f;
	uint8_t in[40];
	size_t len;

	(void)state;
	memset(in, 0x5a, sizeof(in));
	for (len = 0; len <= sizeof(in); len++) {
		fence_init(&f, in, len);
		assert_int_equal(wk_checksum_finish(
		    wk_checksum_add(0, f.data, len)), plain(in, len));
		fence_free(&f);
	}
}

static void
test_pseudo_headers(void **state)
{
	static const struct {
		unsigned version;
		size_t len;
		const char *addresses, *header;
	} cases[] = {
		{ 4, 28, "c6336414 c000020a",
		    "c6336414 c000020a 0006 001c" },
		{ 4, 65515, "ffffffff ffffffff",
		    "ffffffff ffffffff 0006 ffeb" },
		{ 6, 28, "20010db8000200000000000000000020"
		    "20010db8000100000000000000000010",
		    "20010db8000200000000000000000020"
		    "20010db8000100000000000000000010 0000001c 00000006" },
		{ 6, 0x12345678, "fe800000000000000000000000000001"
		    "ff020000000000000000000000000002",
		    "fe800000000000000000000000000001"
		    "ff020000000000000000000000000002 12345678 00000006" },
	};
	uint8_t addresses[32], header[40];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = unhex(cases[i].addresses, addresses, sizeof(addresses));
		assert_int_equal(wk_checksum_finish(wk_checksum_pseudo(
		    cases[i].version, addresses, addresses + n / 2, 6,
		    cases[i].len)), plain(header, unhex(cases[i].header,
		    header, sizeof(header))));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_rfc1071),
		cmocka_unit_test(test_every_length_at_every_alignment),
		cmocka_unit_test(test_carries_come_round),
		cmocka_unit_test(test_pieces_of_even_length_add_up),
		cmocka_unit_test(test_nothing_is_read_behind_the_end),
		cmocka_unit_test(test_pseudo_headers),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
