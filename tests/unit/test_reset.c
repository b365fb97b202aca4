/* SPDX-License-Identifier: MIT */
/* What --reset knows: the numbers, and the connections it is busy with. */
#include "config.h"

#include "tests/unit/unit.h"

#include "cmd/rstdiag-send/connections.h"
#include "cmd/rstdiag-send/numbers.h"

static struct wk_segment
segment(uint16_t flags, uint32_t seq, uint32_t ack, size_t len)
{
	struct wk_segment s = {
		.ip_version = 4, .src = { 192, 0, 2, 1 },
		.dst = { 192, 0, 2, 2 }, .src_port = 1000, .dst_port = 80,
		.flags = flags, .seq = seq, .ack = ack, .payload_len = len,
		.window = 500, .ttl = 7,
	};

	return s;
}

static void
test_numbers_for_both_ends(void **state)
{
	static const struct {
		const char *name;
		uint16_t flags;
		uint32_t seq, ack;
		size_t len;
		/* for the destination, then for the source */
		uint16_t d_flags;
		uint32_t d_seq, d_ack;
		uint32_t s_seq, s_ack;
	} cases[] = {
		{ "data", WK_TCP_ACK, 1000, 5000, 10,
		    WK_TCP_RST | WK_TCP_ACK, 1010, 5000, 5000, 1010 },
		{ "pure ack", WK_TCP_ACK, 1000, 5000, 0,
		    WK_TCP_RST | WK_TCP_ACK, 1000, 5000, 5000, 1000 },
		{ "fin", WK_TCP_ACK | WK_TCP_FIN, 1000, 5000, 3,
		    WK_TCP_RST | WK_TCP_ACK, 1004, 5000, 5000, 1004 },
		{ "syn", WK_TCP_SYN, 1000, 99, 0, WK_TCP_RST, 1001, 0,
		    0, 1001 },
		{ "syn with data", WK_TCP_SYN, 1000, 0, 5, WK_TCP_RST, 1006,
		    0, 0, 1006 },
		{ "syn,ack", WK_TCP_SYN | WK_TCP_ACK, 1000, 5000, 0,
		    WK_TCP_RST | WK_TCP_ACK, 1001, 5000, 5000, 1001 },
		{ "wraps", WK_TCP_ACK, 0xfffffffe, 5000, 3,
		    WK_TCP_RST | WK_TCP_ACK, 1, 5000, 5000, 1 },
	};
	struct wk_segment seen, rst;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		seen = segment(cases[i].flags, cases[i].seq, cases[i].ack,
		    cases[i].len);
		numbers_reset(&seen, NUMBERS_DESTINATION, &rst);
		if (rst.flags != cases[i].d_flags ||
		    rst.seq != cases[i].d_seq || rst.ack != cases[i].d_ack)
			fail_msg("%s to destination: %x %u %u", cases[i].name,
			    rst.flags, rst.seq, rst.ack);
		assert_int_equal(rst.src_port, 1000);
		assert_int_equal(rst.dst[3], 2);
		assert_int_equal(rst.ttl, 64);
		numbers_reset(&seen, NUMBERS_SOURCE, &rst);
		if (rst.flags != (WK_TCP_RST | WK_TCP_ACK) ||
		    rst.seq != cases[i].s_seq || rst.ack != cases[i].s_ack)
			fail_msg("%s to source: %x %u %u", cases[i].name,
			    rst.flags, rst.seq, rst.ack);
		assert_int_equal(rst.src_port, 80);
		assert_int_equal(rst.dst[3], 1);
	}
}

static void
test_only_what_has_a_seq_is_sprayed(void **state)
{
	struct wk_segment seen = segment(WK_TCP_SYN, 1000, 0, 0), rst;

	(void)state;
	numbers_reset(&seen, NUMBERS_SOURCE, &rst);
	assert_false(numbers_has_seq(&rst));
	numbers_reset(&seen, NUMBERS_DESTINATION, &rst);
	assert_true(numbers_has_seq(&rst));
	assert_int_equal(numbers_spray_step(&seen), 1460);
	seen.window = 30000;
	assert_int_equal(numbers_spray_step(&seen), 30000);
}

static void
test_a_probe_is_a_syn_to_the_destination(void **state)
{
	struct wk_segment s = segment(0, 0, 0, 0), probe;

	(void)state;
	numbers_probe(&s, 77, &probe);
	assert_int_equal(probe.flags, WK_TCP_SYN);
	assert_int_equal(probe.seq, 77);
	assert_int_equal(probe.dst[3], 2);
	assert_true(probe.window > 0);
}

static void
test_both_directions_are_one_connection(void **state)
{
	struct wk_segment s = segment(0, 0, 0, 0), turned = s;
	struct connections *c = connections_new();
	struct connection *one;

	(void)state;
	memcpy(turned.src, s.dst, 16);
	memcpy(turned.dst, s.src, 16);
	turned.src_port = s.dst_port;
	turned.dst_port = s.src_port;
	assert_null(connections_find(c, &s, false));
	one = connections_find(c, &s, true);
	assert_non_null(one);
	assert_ptr_equal(connections_find(c, &turned, true), one);
	assert_int_equal(one->victim_port, 80);
	assert_int_equal(one->victim[3], 2);

	/* Ports changed round without the addresses are another one. */
	turned = s;
	turned.src_port = s.dst_port;
	turned.dst_port = s.src_port;
	assert_null(connections_find(c, &turned, false));
	/* The same octets in the other family, too. */
	turned = s;
	turned.ip_version = 6;
	assert_null(connections_find(c, &turned, false));
	connections_del(c);
}

static void
test_the_oldest_is_forgotten(void **state)
{
	struct connections *c = connections_new();
	struct wk_segment s = segment(0, 0, 0, 0), first = s;
	struct connection *i = NULL;
	unsigned n = 0, port, kept = 0;

	(void)state;
	connections_find(c, &first, true);
	for (port = 2000; port < 62000; port++) {
		s.src_port = (uint16_t)port;
		assert_non_null(connections_find(c, &s, true));
		/* Looked at every time, it stays. */
		assert_non_null(connections_find(c, &first, false));
	}
	while ((i = connections_next(c, i)) != NULL)
		n++;
	assert_int_equal(n, CONNECTIONS_MAX);
	/* The newest are there. */
	for (port = 61900; port < 62000; port++) {
		s.src_port = (uint16_t)port;
		kept += connections_find(c, &s, false) != NULL;
	}
	assert_int_equal(kept, 100);
	connections_del(c);
}

/* However old it is: somebody still holds it, to send its reset. */
static void
test_who_waits_for_its_reset_stays(void **state)
{
	struct connections *c = connections_new();
	struct wk_segment s = segment(0, 0, 0, 0), first = s;
	struct connection *waiting = connections_find(c, &first, true), *i;
	unsigned port, refused = 0;

	(void)state;
	assert_non_null(waiting);
	waiting->has_fresh = true;
	for (port = 2000; port < 62000; port++) {
		s.src_port = (uint16_t)port;
		assert_non_null(connections_find(c, &s, true));
	}
	assert_ptr_equal(connections_find(c, &first, false), waiting);
	/* Where all wait there is no place. */
	for (i = NULL; (i = connections_next(c, i)) != NULL;)
		i->has_fresh = true;
	for (port = 2000; port < 2100; port++) {
		s.src_port = (uint16_t)port;
		refused += connections_find(c, &s, true) == NULL;
	}
	assert_int_equal(refused, 100);
	connections_del(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_for_both_ends),
		cmocka_unit_test(test_only_what_has_a_seq_is_sprayed),
		cmocka_unit_test(test_a_probe_is_a_syn_to_the_destination),
		cmocka_unit_test(test_both_directions_are_one_connection),
		cmocka_unit_test(test_the_oldest_is_forgotten),
		cmocka_unit_test(test_who_waits_for_its_reset_stays),
	};

	return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
