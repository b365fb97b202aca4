/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <inttypes.h>
#include <xxhash.h>

#include "cmd/mcproxy/md5.h"
#include "cmd/mcproxy/placement.h"

#define KEYS 40

static const struct placement_node nodes[8] = {
	{ "127.0.0.1", "11212" }, { "127.0.0.1", "11213" },
	{ "127.0.0.1", "11214" }, { "127.0.0.1", "11215" },
	{ "127.0.0.1", "11216" }, { "127.0.0.1", "11217" },
	{ "127.0.0.1", "11218" }, { "127.0.0.1", "11219" },
};

static void
test_md5_is_rfc1321(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		    "d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "1234567890123456789012345678901234567890"
		    "1234567890123456789012345678901234567890",
		    "57edf4a22be3c955ac49da2e2107b67a" },
	};
	uint8_t want[16], got[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unhex(cases[i].hex, want, sizeof(want));
		md5(cases[i].text, strlen(cases[i].text), got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
test_jump_alone(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 10, 1000 };
	static const struct {
		uint64_t hash;
		uint32_t want[4];
	} cases[] = {
		{ 0, { 0, 0, 0, 0 } },
		{ 1, { 0, 0, 6, 549 } },
		{ 0xdeadbeef, { 0, 1, 5, 285 } },
		{ UINT64_MAX, { 0, 1, 9, 313 } },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (j = 0; j < 4; j++)
			assert_int_equal(placement_jump(cases[i].hash,
			    sizes[j]), cases[i].want[j]);
}

static void
test_hash_seed_and_jump(void **state)
{
	static const uint32_t sizes[] = { 2, 3, 4, 5, 6, 7, 8, 100 };
	static const struct {
		const char *text;
		size_t times;
		uint64_t plain, seeded;
		uint32_t jump[8];
	} cases[] = {
		{ "", 1, 0x2d06800538d394c2, 0x3a0a5bda3be715d0,
		    { 0, 0, 0, 0, 0, 0, 0, 52 } },
		{ "a", 1, 0xe6c632b61e964e1f, 0x86ca6e7808776061,
		    { 1, 1, 1, 1, 1, 1, 1, 14 } },
		{ "key1", 1, 0x384d070cd5d829e2, 0xb7ceda2250c2df9e,
		    { 0, 0, 0, 4, 4, 4, 4, 49 } },
		{ "key2", 1, 0x725a5d3d07b8e069, 0x0e184c73ca8d1db1,
		    { 1, 2, 2, 2, 2, 2, 2, 26 } },
		{ "/foo/key1", 1, 0xd2b95d5f4494e5a4, 0xd99aa190db437a8d,
		    { 0, 0, 0, 4, 5, 5, 5, 98 } },
		{ "user:1000", 1, 0xfb6841b2068c0c9f, 0x080db73664e33610,
		    { 1, 2, 2, 2, 2, 2, 7, 43 } },
		{ "k", 100, 0xe57acbcb82758df2, 0x97727d1ac37819c5,
		    { 1, 1, 3, 4, 5, 5, 5, 31 } },
		{ "k", 250, 0xcbe178154c5428f3, 0xd6fd03b4aeeaaa64,
		    { 1, 1, 1, 1, 1, 1, 1, 70 } },
	};
	const struct placement_options plain = { .seed = NULL };
	const struct placement_options seeded = { .seed = "baz" };
	uint64_t baz = XXH3_64bits("baz", 3);
	struct placement_node many[100];
	struct placement p;
	char text[256];
	size_t i, j, len;

	(void)state;
	assert_true(baz == UINT64_C(0x2a1e7301336f8925));
	for (i = 0; i < 100; i++)
		many[i] = nodes[0];
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (j = 0, len = 0; j < cases[i].times; j++) {
			strcpy(text + len, cases[i].text);
			len += strlen(cases[i].text);
		}
		assert_true(XXH3_64bits(text, len) == cases[i].plain);
		assert_true(XXH3_64bits_withSeed(text, len, baz) ==
		    cases[i].seeded);
		for (j = 0; j < 8; j++) {
			assert_int_equal(placement_init(&p, &plain, many,
			    sizes[j], NULL), WK_OK);
			assert_int_equal(placement_pick(&p, text, len),
			    cases[i].jump[j]);
			placement_free(&p);
			assert_int_equal(placement_init(&p, &seeded, many,
			    sizes[j], NULL), WK_OK);
			assert_int_equal(placement_pick(&p, text, len),
			    placement_jump(cases[i].seeded, sizes[j]));
			placement_free(&p);
		}
	}
}

/* Each digit is the index of the backend of prefix1 … prefix40. */
static void
test_whole_pools_as_observed(void **state)
{
	static const struct placement_options
	    jump = { .dist = PLACEMENT_JUMP },
	    seeded = { .seed = "baz" },
	    ring = { .dist = PLACEMENT_RING },
	    ring40 = { .dist = PLACEMENT_RING, .buckets = 40 },
	    ketama = { .dist = PLACEMENT_RING, .hash = PLACEMENT_MD5,
		.mode = PLACEMENT_KETAMA },
	    twemproxy = { .dist = PLACEMENT_RING, .hash = PLACEMENT_MD5,
		.mode = PLACEMENT_TWEMPROXY },
	    evcache = { .dist = PLACEMENT_RING, .hash = PLACEMENT_MD5,
		.mode = PLACEMENT_EVCACHE };
	static const struct {
		const char *prefix;
		size_t n;
		const struct placement_options *options;
		const char *want;
	} cases[] = {
		{ "key", 2, &jump, "0111111111010000100000010011011000111000" },
		{ "/foo/key", 2, &jump,
		    "0011001010001100110011011100111110100110" },
		{ "/bar/key", 2, &jump,
		    "1011000001101001001000011111101110101011" },
		{ "key", 3, &jump, "0212121211210000102020010021011002211202" },
		{ "key", 4, &jump, "0212131213213000302020030021333302331232" },
		{ "jump2/key", 2, &jump,
		    "1100111010111101111111000011010110000111" },
		{ "jump2s/key", 2, &seeded,
		    "0110000010110011111110111111101110110010" },
		{ "jump4/key", 4, &jump,
		    "1111302330001201233221220022003321322332" },
		{ "ring4/key", 4, &ring,
		    "1113022221212311011220301312202030100303" },
		{ "ringb4/key", 4, &ring40,
		    "2132231313102003331031002300200131022132" },
		{ "ringk4/key", 4, &ketama,
		    "1222031013012121000303102230031030200310" },
		{ "ringt4/key", 4, &twemproxy,
		    "0331113022320111030302132120303221002233" },
		{ "ringe4/key", 4, &evcache,
		    "2333221000133022210111212311200003123331" },
	};
	char key[64], got[KEYS + 1];
	struct placement p;
	size_t i, k;
	int n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(placement_init(&p, cases[i].options, nodes,
		    cases[i].n, NULL), WK_OK);
		for (k = 0; k < KEYS; k++) {
			n = snprintf(key, sizeof(key), "%s%zu",
			    cases[i].prefix, k + 1);
			got[k] = (char)('0' + placement_pick(&p, key,
			    (size_t)n));
		}
		got[KEYS] = '\0';
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s, %zu backends: %s", cases[i].prefix,
			    cases[i].n, got);
		placement_free(&p);
	}
}

/* Equal parts must land together, and where the part alone lands. */
static void
test_filters(void **state)
{
	static const struct {
		enum placement_filter filter;
		const char *conf, *key, *hashed;
	} cases[] = {
		{ PLACEMENT_STOP, "|#|", "user1|#|a", "user1" },
		{ PLACEMENT_STOP, "|#|", "user1|#|b|#|c", "user1" },
		{ PLACEMENT_STOP, "|#|", "user1|#", "user1|#" },
		{ PLACEMENT_STOP, "|#|", "|#|x", "" },
		{ PLACEMENT_TAGS, "{}", "a{user1}b", "user1" },
		{ PLACEMENT_TAGS, "{}", "a{user1}b{c}", "user1" },
		{ PLACEMENT_TAGS, "{}", "a{}b", "" },
		{ PLACEMENT_TAGS, "{}", "a{user1", "a{user1" },
		{ PLACEMENT_TAGS, "{}", "a}user1{", "a}user1{" },
		{ PLACEMENT_TAGS, "$$", "a$user1$b", "user1" },
		{ PLACEMENT_TAGS, "$$", "a$", "a$" },
	};
	struct placement_options o = { .seed = "s" };
	struct placement plain, filtered;
	struct placement_node many[100];
	struct fence f;
	size_t i, len;

	(void)state;
	for (i = 0; i < 100; i++)
		many[i] = nodes[0];
	assert_int_equal(placement_init(&plain, &o, many, 100, NULL), WK_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o.filter = cases[i].filter;
		strcpy(o.filter_conf, cases[i].conf);
		assert_int_equal(placement_init(&filtered, &o, many, 100,
		    NULL), WK_OK);
		len = strlen(cases[i].key);
		fence_init(&f, cases[i].key, len);
		if (placement_pick(&filtered, (char *)f.data, len) !=
		    placement_pick(&plain, cases[i].hashed,
		    strlen(cases[i].hashed)))
			fail_msg("%s with %s", cases[i].key, cases[i].conf);
		fence_free(&f);
		placement_free(&filtered);
	}
	placement_free(&plain);
}

static void
test_wrong_options_are_named(void **state)
{
	static const struct {
		struct placement_options options;
		size_t n;
		const char *want;
	} cases[] = {
		{ { .seed = NULL }, 0, "a pool needs at least one backend" },
		{ { .filter = PLACEMENT_STOP, .filter_conf = "|" }, 1,
		    "filter_conf of the stop filter must have 2 to 5 octets" },
		{ { .filter = PLACEMENT_TAGS, .filter_conf = "{" }, 1,
		    "filter_conf of the tags filter must have 2 octets" },
		{ { .filter = PLACEMENT_TAGS, .filter_conf = "{}}" }, 1,
		    "filter_conf of the tags filter must have 2 octets" },
		{ { .dist = PLACEMENT_RING, .buckets = 3 }, 1,
		    "obuckets must be from 4 to 10000" },
		{ { .dist = PLACEMENT_RING, .buckets = 10001 }, 1,
		    "obuckets must be from 4 to 10000" },
	};
	struct placement p;
	struct wk_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(placement_init(&p, &cases[i].options, nodes,
		    cases[i].n, &error), WK_E_INVALID);
		assert_string_equal(error.reason, cases[i].want);
		placement_free(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md5_is_rfc1321),
		cmocka_unit_test(test_jump_alone),
		cmocka_unit_test(test_hash_seed_and_jump),
		cmocka_unit_test(test_whole_pools_as_observed),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_wrong_options_are_named),
	};

	return cmocka_run_group_tests_name("mcproxy placement", tests, NULL,
	    NULL);
}
