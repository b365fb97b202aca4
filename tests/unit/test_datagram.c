/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/datagram.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_behind(const struct fence *f, size_t head, size_t len,
    const uint8_t *payload, size_t payload_len)
{
	assert_ptr_equal(payload, f->data + head);
	assert_int_equal(payload_len, len - head);
}

static void
test_context_id_and_payload_both_ways(void **state)
{
	static const struct {
		const char *hex;
		uint64_t context_id;
		size_t octets, payload_len;
	} cases[] = {
		{ "0068656c6c6f", 0, 1, 5 },		/* V1 */
		{ "00", 0, 1, 0 },			/* V3 */
		{ "026869", 2, 1, 2 },			/* V4 */
		{ "8000400078", 16384, 4, 1 },		/* V5 */
		{ "40006869", 0, 2, 2 },
		{ "ffffffffffffffff", WK_VARINT_MAX, 8, 0 },
	};
	uint8_t in[16], out[8];
	size_t i, len, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		n = unhex(cases[i].hex, in, sizeof(in));
		for (len = 0; len <= n; len++) {
			struct wk_datagram d;
			struct wk_error e = { .status = WK_OK };
			struct fence f;
			int rc;

			fence_init(&f, in, len);
			rc = wk_datagram_decode(f.data, len, SIZE_MAX, &d, &e);
			if (len < cases[i].octets) {
				assert_int_equal(rc, WK_E_TRUNCATED);
				assert_int_equal(e.status, WK_E_TRUNCATED);
				assert_int_equal(e.offset, len);
				assert_string_equal(e.reason, len == 0 ?
				    "datagram is empty, expected a context id" :
				    "datagram ends inside its context id");
			} else {
				assert_int_equal(rc, WK_OK);
				assert_int_equal(d.context_id,
				    cases[i].context_id);
				assert_int_equal(d.context_octets,
				    cases[i].octets);
				assert_behind(&f, cases[i].octets, len,
				    d.payload, d.payload_len);
				assert_int_equal(wk_datagram_header(out, &d),
				    cases[i].octets);
				assert_memory_equal(out, in, cases[i].octets);
			}
			fence_free(&f);
		}
		assert_int_equal(cases[i].payload_len, n - cases[i].octets);
	}
}

static void
test_payload_limit_is_for_context_0_only(void **state)
{
	static uint8_t in[WK_DATAGRAM_UDP_VALUE_MAX + 8];
	struct wk_datagram d;
	struct wk_error e;
	size_t limit;

	(void)state;
	for (limit = 0; limit < 4; limit++) {
		size_t len;

		for (len = 1; len < 6; len++)
			assert_int_equal(wk_datagram_decode(in, len, limit, &d,
			    &e), len - 1 > limit ? WK_E_LIMIT : WK_OK);
	}
	assert_int_equal(wk_datagram_decode(in, 1 + WK_DATAGRAM_UDP_MAX,
	    WK_DATAGRAM_UDP_MAX, &d, NULL), WK_OK);
	assert_int_equal(wk_datagram_decode(in, 2 + WK_DATAGRAM_UDP_MAX,
	    WK_DATAGRAM_UDP_MAX, &d, &e), WK_E_LIMIT);
	assert_int_equal(e.offset, 1);
	assert_string_equal(e.reason,
	    "datagram payload of 65528 octets, more than the 65527 allowed");
	assert_int_equal(d.payload_len, 65528);	/* still told */
	in[0] = 2;
	assert_int_equal(wk_datagram_decode(in, sizeof(in),
	    WK_DATAGRAM_UDP_MAX, &d, NULL), WK_OK);
	/* the same on the longest context id */
	memset(in, 0, 8);
	in[0] = 0xc0;
	assert_int_equal(wk_datagram_decode(in, WK_DATAGRAM_UDP_VALUE_MAX,
	    WK_DATAGRAM_UDP_MAX, &d, NULL), WK_OK);
	assert_int_equal(wk_datagram_decode(in, WK_DATAGRAM_UDP_VALUE_MAX + 1,
	    WK_DATAGRAM_UDP_MAX, &d, NULL), WK_E_LIMIT);
}

static void
test_context_ids_belong_to_one_side(void **state)
{
	static const struct {
		uint64_t id;
		enum wk_datagram_owner owner;
	} cases[] = {
		{ 0, WK_DATAGRAM_NOBODY }, { 1, WK_DATAGRAM_PROXY },
		{ 2, WK_DATAGRAM_CLIENT }, { 3, WK_DATAGRAM_PROXY },
		{ WK_VARINT_MAX - 1, WK_DATAGRAM_CLIENT },
		{ WK_VARINT_MAX, WK_DATAGRAM_PROXY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_int_equal(wk_datagram_owner(cases[i].id),
		    cases[i].owner);
}

static void
test_quarter_stream_id_both_ways(void **state)
{
	static const struct {
		const char *hex;
		uint64_t stream_id;
		size_t octets;
	} cases[] = {
		{ "0b0068656c6c6f", 44, 1 },
		{ "00", 0, 1 },
		{ "400b00", 44, 2 },
		{ "cfffffffffffffff", WK_VARINT_MAX - 3, 8 },
	};
	uint8_t in[16], out[8];
	size_t i, len, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		n = unhex(cases[i].hex, in, sizeof(in));
		for (len = 0; len <= n; len++) {
			struct wk_datagram_h3 d;
			struct wk_error e = { .status = WK_OK };
			struct fence f;
			int rc;

			fence_init(&f, in, len);
			rc = wk_datagram_h3_decode(f.data, len, &d, &e);
			if (len < cases[i].octets) {
				assert_int_equal(rc, WK_E_TRUNCATED);
				assert_int_equal(e.offset, len);
				assert_string_equal(e.reason, len == 0 ?
				    "datagram is empty, expected a quarter "
				    "stream id" : "datagram ends inside its "
				    "quarter stream id");
			} else {
				assert_int_equal(rc, WK_OK);
				assert_int_equal(d.stream_id,
				    cases[i].stream_id);
				assert_behind(&f, cases[i].octets, len,
				    d.payload, d.payload_len);
				assert_int_equal(wk_datagram_h3_header(out,
				    &d), cases[i].octets);
				assert_memory_equal(out, in, cases[i].octets);
			}
			fence_free(&f);
		}
	}
}

static void
test_quarter_stream_id_of_no_stream(void **state)
{
	static const char *const above[] = {
		"d000000000000000", "ffffffffffffffff00"
	};
	struct wk_datagram_h3 d;
	struct wk_error e;
	uint8_t in[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(above); i++) {
		n = unhex(above[i], in, sizeof(in));
		assert_int_equal(wk_datagram_h3_decode(in, n, &d, &e),
		    WK_E_MALFORMED);
		assert_int_equal(e.offset, 0);
	}
	assert_string_equal(e.reason, "quarter stream id 4611686018427387903 "
	    "is above 2^60-1");
}

static void
test_headers_refuse_what_does_not_fit(void **state)
{
	struct wk_datagram d = { .context_id = 64, .context_octets = 1 };
	struct wk_datagram_h3 q = { .stream_id = 4 };
	uint64_t id;
	uint8_t out[8];

	(void)state;
	assert_int_equal(wk_datagram_header(out, &d), 0);
	d.context_octets = 0;
	assert_int_equal(wk_datagram_header(out, &d), 2);
	d.context_id = WK_VARINT_MAX + 1;
	assert_int_equal(wk_datagram_header(out, &d), 0);
	assert_int_equal(wk_datagram_h3_header(out, &q), 1);
	assert_int_equal(out[0], 1);
	for (id = 1; id < 4; id++) {	/* not a client's bidirectional one */
		q.stream_id = 4 + id;
		assert_int_equal(wk_datagram_h3_header(out, &q), 0);
	}
	q.stream_id = WK_VARINT_MAX + 1;
	assert_int_equal(wk_datagram_h3_header(out, &q), 0);
	q.stream_id = 256;
	q.id_octets = 1;
	assert_int_equal(wk_datagram_h3_header(out, &q), 0);
}

static void
test_bound_datagram_both_ways(void **state)
{
	static const struct {
		const char *hex;
		uint8_t version;
		uint16_t port;
		size_t head;
	} cases[] = {
		{ "04c000022ac350616263", 4, 50000, 7 },	/* V19 */
		{ "04000000000000", 4, 0, 7 },
		{ "0620010db8000000000000000000000042 01bb 78", 6, 443, 19 },
	};
	uint8_t in[32], out[WK_DATAGRAM_BOUND_HEADER_MAX];
	size_t i, len, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		n = unhex(cases[i].hex, in, sizeof(in));
		for (len = 0; len <= n; len++) {
			struct wk_datagram_bound d;
			struct wk_error e = { .status = WK_OK };
			struct fence f;
			int rc;

			fence_init(&f, in, len);
			rc = wk_datagram_bound_decode(f.data, len, &d, &e);
			if (len < cases[i].head) {
				assert_int_equal(rc, WK_E_TRUNCATED);
				assert_int_equal(e.offset, len);
			} else {
				assert_int_equal(rc, WK_OK);
				assert_int_equal(d.ip_version,
				    cases[i].version);
				assert_int_equal(d.port, cases[i].port);
				assert_memory_equal(d.address, in + 1,
				    cases[i].head - 3);
				assert_behind(&f, cases[i].head, len,
				    d.payload, d.payload_len);
				assert_int_equal(wk_datagram_bound_header(out,
				    &d), cases[i].head);
				assert_memory_equal(out, in, cases[i].head);
			}
			fence_free(&f);
		}
	}
}

static void
test_bound_datagram_of_no_ip_version(void **state)
{
	struct wk_datagram_bound d;
	struct wk_error e;
	uint8_t in[32] = { 0 }, out[WK_DATAGRAM_BOUND_HEADER_MAX];
	unsigned version;

	(void)state;
	for (version = 0; version < 256; version++) {
		int want = version == 4 || version == 6 ? WK_OK :
		    WK_E_MALFORMED;

		in[0] = (uint8_t)version;
		assert_int_equal(wk_datagram_bound_decode(in, sizeof(in), &d,
		    &e), want);
		assert_int_equal(wk_datagram_bound_header(out, &d) > 0,
		    want == WK_OK);
	}
	assert_int_equal(e.offset, 0);
	assert_string_equal(e.reason, "ip version 255, expected 4 or 6");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_id_and_payload_both_ways),
		cmocka_unit_test(test_payload_limit_is_for_context_0_only),
		cmocka_unit_test(test_context_ids_belong_to_one_side),
		cmocka_unit_test(test_quarter_stream_id_both_ways),
		cmocka_unit_test(test_quarter_stream_id_of_no_stream),
		cmocka_unit_test(test_headers_refuse_what_does_not_fit),
		cmocka_unit_test(test_bound_datagram_both_ways),
		cmocka_unit_test(test_bound_datagram_of_no_ip_version),
	};

	return cmocka_run_group_tests_name("datagram", tests, NULL, NULL);
}
