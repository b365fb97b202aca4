/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/wire/rstdiag.h"

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static void
test_tables_of_codes(void **state)
{
	static const struct {
		enum wk_rstdiag_registry registry;
		const char *name;
		size_t n;
		uint16_t first, last;	/* of the middleboxes */
	} tables[WK_RSTDIAG_N_REGISTRIES] = {
		{ WK_RSTDIAG_FIRST, "first", 9, 6, 9 },
		{ WK_RSTDIAG_2022, "2022", 13, 6, 10 },
		{ WK_RSTDIAG_IETF_00, "ietf-00", 17, 8, 14 },
		{ WK_RSTDIAG_IETF_03, "ietf-03", 19, 10, 16 },
	};
	const struct wk_rstdiag_reason *r;
	size_t i, k, n;
	uint16_t code;

	(void)state;
	for (i = 0; i < N_ELEMENTS(tables); i++) {
		r = wk_rstdiag_reasons(tables[i].registry, &n);
		assert_int_equal(n, tables[i].n);
		for (k = 0; k < n; k++) {
			assert_int_equal(r[k].code, k + 1);
			assert_ptr_equal(wk_rstdiag_reason(tables[i].registry,
			    k + 1), &r[k]);
			assert_int_equal(r[k].is_on_path,
			    k + 1 >= tables[i].first &&
			    k + 1 <= tables[i].last);
			assert_non_null(r[k].section);
			assert_true(r[k].text[0] != '\0');
			assert_int_equal(wk_rstdiag_code_parse(
			    tables[i].registry, r[k].name, &code, NULL),
			    WK_OK);
			assert_int_equal(code, k + 1);
		}
		assert_null(wk_rstdiag_reason(tables[i].registry, 0));
		assert_null(wk_rstdiag_reason(tables[i].registry, n + 1));
		assert_null(wk_rstdiag_reason(tables[i].registry,
		    UINT64_C(0x100000001)));
		assert_string_equal(wk_rstdiag_registry_name(
		    (int)tables[i].registry), tables[i].name);
		assert_int_equal(wk_rstdiag_registry_parse(tables[i].name),
		    tables[i].registry);
	}
}

/* The tables' own words where they are not those of the newest table. */
static const char *
older_words(int registry, uint16_t code)
{
	static const struct {
		int registry;
		uint16_t code;
		const char *text;
	} older[] = {
		{ WK_RSTDIAG_FIRST, 1, "data received after close" },
		{ WK_RSTDIAG_FIRST, 2, "ACK received in LISTEN" },
		{ WK_RSTDIAG_FIRST, 3, "malformed message" },
		{ WK_RSTDIAG_FIRST, 4, "not authorized" },
		{ WK_RSTDIAG_FIRST, 5, "resource exceeded" },
		{ WK_RSTDIAG_FIRST, 6, "network failure" },
		{ WK_RSTDIAG_FIRST, 7, "reset received from the peer" },
		{ WK_RSTDIAG_FIRST, 8, "destination unreachable" },
		{ WK_RSTDIAG_FIRST, 9, "connection timeout" },
		{ WK_RSTDIAG_2022, 1,
		    "New data received after CLOSE is called" },
		{ WK_RSTDIAG_2022, 3, "Illegal Option" },
		{ WK_RSTDIAG_IETF_00, 3,
		    "New data received after CLOSE is called" },
		{ WK_RSTDIAG_IETF_00, 6, "Unexpected SYN in the window" },
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(older); i++)
		if (older[i].registry == registry && older[i].code == code)
			return older[i].text;
	return NULL;
}

/* The same condition in the four tables; 0 where a table lacks it. */
static void
test_conditions_across_the_tables(void **state)
{
	static const struct {
		const char *name;
		uint16_t codes[WK_RSTDIAG_N_REGISTRIES];
		const char *newest, *section;
	} rows[] = {
		{ "illegal-option-length", { 0, 3, 1, 1 },
		    "Illegal option length", "RFC 9293, section 3.1" },
		{ "desynchronized", { 0, 0, 2, 0 }, "Desynchronized state",
		    "RFC 9293, section 3.5.1" },
		{ "no-reader", { 1, 1, 3, 2 }, "Data available or received "
		    "when the application can no longer read",
		    "RFC 9293, section 3.6.1" },
		{ "abort", { 0, 0, 4, 3 }, "ABORT process",
		    "RFC 9293, section 3.10.5" },
		{ "closed", { 0, 0, 0, 4 }, "Segment received in CLOSED state",
		    "RFC 9293, section 3.10.7.1" },
		{ "listen-ack", { 2, 2, 0, 5 },
		    "ACK segment received in LISTEN state",
		    "RFC 9293, section 3.10.7.2" },
		{ "unexpected-ack", { 0, 0, 5, 0 }, "Unexpected ACK received "
		    "by non-synchronized state connection",
		    "RFC 9293, section 3.10.7" },
		{ "synsent-bad-ack", { 0, 0, 0, 6 },
		    "ACK in SYN-SENT, SEG.ACK not acceptable",
		    "RFC 9293, section 3.10.7.3" },
		{ "synrcvd-bad-ack", { 0, 0, 0, 7 },
		    "ACK in SYN-RECEIVED, SEG.ACK not acceptable",
		    "RFC 9293, section 3.10.7.4" },
		{ "window-syn", { 0, 0, 6, 8 }, "In-window SYN in a "
		    "synchronized state, no RFC 5961 support",
		    "RFC 9293, section 3.10.7.4" },
		{ "security-compartment", { 0, 0, 7, 9 },
		    "Unexpected security compartment",
		    "RFC 9293, appendix A.1" },
		{ "malformed", { 3, 4, 8, 10 }, "Malformed message", "" },
		{ "not-authorized", { 4, 5, 9, 11 }, "Not authorized", "" },
		{ "resource", { 5, 6, 10, 12 }, "Resource exceeded", "" },
		{ "network-failure", { 6, 7, 11, 13 }, "Network failure", "" },
		{ "peer-reset", { 7, 8, 12, 14 },
		    "Reset received from the peer", "" },
		{ "unreachable", { 8, 9, 13, 15 }, "Destination unreachable",
		    "" },
		{ "timeout", { 9, 10, 14, 16 }, "Connection timeout", "" },
		{ "outstanding-data", { 0, 11, 15, 17 },
		    "Too much outstanding data", "RFC 8684, section 3.6" },
		{ "performance", { 0, 12, 16, 18 },
		    "Unacceptable performance", "RFC 8684, section 3.6" },
		{ "middlebox", { 0, 13, 17, 19 }, "Middlebox interference",
		    "RFC 8684, section 3.6" },
	};
	size_t i, known[WK_RSTDIAG_N_REGISTRIES] = { 0 }, n;
	int registry;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		const struct wk_rstdiag_reason *r = NULL;
		const char *text;

		for (registry = 0; registry < WK_RSTDIAG_N_REGISTRIES;
		    registry++) {
			if (rows[i].codes[registry] == 0)
				continue;
			r = wk_rstdiag_reason(
			    (enum wk_rstdiag_registry)registry,
			    rows[i].codes[registry]);
			assert_non_null(r);
			assert_string_equal(r->name, rows[i].name);
			text = older_words(registry, r->code);
			assert_string_equal(r->text,
			    text != NULL ? text : rows[i].newest);
			known[registry]++;
		}
		/* The last one seen is the newest. */
		assert_string_equal(r->section, rows[i].section);
	}
	for (registry = 0; registry < WK_RSTDIAG_N_REGISTRIES; registry++) {
		wk_rstdiag_reasons((enum wk_rstdiag_registry)registry, &n);
		assert_int_equal(known[registry], n);
	}
}

static void
test_codes_are_typed_by_name_or_number(void **state)
{
	static const struct {
		enum wk_rstdiag_registry registry;
		const char *text;
		uint16_t code;
	} good[] = {
		{ WK_RSTDIAG_IETF_03, "timeout", 16 },
		{ WK_RSTDIAG_IETF_00, "timeout", 14 },
		{ WK_RSTDIAG_2022, "timeout", 10 },
		{ WK_RSTDIAG_FIRST, "timeout", 9 },
		{ WK_RSTDIAG_IETF_03, "TimeOut", 16 },
		{ WK_RSTDIAG_IETF_03, "WINDOW_SYN", 8 },
		{ WK_RSTDIAG_IETF_03, "1", 1 },
		{ WK_RSTDIAG_IETF_03, "010", 10 },
		{ WK_RSTDIAG_IETF_03, "65535", 65535 },
		{ WK_RSTDIAG_IETF_03, "0x4d2", 1234 },
		{ WK_RSTDIAG_IETF_03, "0XFFFF", 65535 },
	};
	static const struct {
		enum wk_rstdiag_registry registry;
		const char *text, *reason;
	} bad[] = {
		{ WK_RSTDIAG_IETF_03, "0", "code 0 is reserved" },
		{ WK_RSTDIAG_IETF_03, "0x0", "code 0 is reserved" },
		{ WK_RSTDIAG_IETF_03, "65536",
		    "code must be at most 65535" },
		{ WK_RSTDIAG_IETF_03, "0x10000",
		    "code must be at most 65535" },
		{ WK_RSTDIAG_IETF_03, "4294967297",
		    "code must be at most 65535" },
		{ WK_RSTDIAG_IETF_03, "18446744073709551617",
		    "code must be at most 65535" },
		{ WK_RSTDIAG_IETF_03, "desynchronized",
		    "desynchronized is not in ietf-03 but in ietf-00" },
		{ WK_RSTDIAG_IETF_00, "Listen_ACK", "listen-ack is not in "
		    "ietf-00 but in ietf-03, 2022, first" },
		{ WK_RSTDIAG_FIRST, "middlebox", "middlebox is not in first "
		    "but in ietf-03, ietf-00, 2022" },
		{ WK_RSTDIAG_IETF_03, "", "neither a code of ietf-03 nor a "
		    "number from 1 to 65535" },
		{ WK_RSTDIAG_2022, "\033[2J", "neither a code of 2022 nor a "
		    "number from 1 to 65535" },
#define NEITHER "neither a code of ietf-03 nor a number from 1 to 65535"
		{ WK_RSTDIAG_IETF_03, "timeouts", NEITHER },
		{ WK_RSTDIAG_IETF_03, "timeou", NEITHER },
		{ WK_RSTDIAG_IETF_03, "-1", NEITHER },
		{ WK_RSTDIAG_IETF_03, "+1", NEITHER },
		{ WK_RSTDIAG_IETF_03, " 1", NEITHER },
		{ WK_RSTDIAG_IETF_03, "1 ", NEITHER },
		{ WK_RSTDIAG_IETF_03, "0x", NEITHER },
		{ WK_RSTDIAG_IETF_03, "1a", NEITHER },
		{ WK_RSTDIAG_IETF_03, "0x1g", NEITHER },
	};
	struct wk_error e;
	uint16_t code;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(good); i++) {
		if (wk_rstdiag_code_parse(good[i].registry, good[i].text,
		    &code, &e) != WK_OK)
			fail_msg("%s: %s", good[i].text, e.reason);
		assert_int_equal(code, good[i].code);
	}
	for (i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(wk_rstdiag_code_parse(bad[i].registry,
		    bad[i].text, &code, &e), WK_E_INVALID);
		assert_string_equal(e.reason, bad[i].reason);
	}
}

static void
test_names_of_formats(void **state)
{
	static const char *const names[WK_RSTDIAG_N_FORMATS] = {
		"none", "compact", "free-text", "cbor-seq", "cbor-array",
		"cbor-map", "b13", "b14", "json", "linux-exp", "f5", "text",
		"unknown",
	};
	int i;

	(void)state;
	for (i = 0; i < WK_RSTDIAG_N_FORMATS; i++) {
		assert_string_equal(wk_rstdiag_format_name(i), names[i]);
		assert_int_equal(wk_rstdiag_format_parse(names[i]), i);
	}
	assert_null(wk_rstdiag_format_name(-1));
	assert_null(wk_rstdiag_format_name(WK_RSTDIAG_N_FORMATS));
	assert_int_equal(wk_rstdiag_format_parse("Cbor_Seq"),
	    WK_RSTDIAG_CBOR_SEQ);
	assert_int_equal(wk_rstdiag_format_parse("cbor"), -1);
	assert_int_equal(wk_rstdiag_format_parse(""), -1);
	assert_null(wk_rstdiag_registry_name(-1));
	assert_null(wk_rstdiag_registry_name(WK_RSTDIAG_N_REGISTRIES));
	assert_int_equal(wk_rstdiag_registry_parse("IETF_03"),
	    WK_RSTDIAG_IETF_03);
	assert_int_equal(wk_rstdiag_registry_parse("ietf-0"), -1);
}

static void
test_warnings_have_texts(void **state)
{
	unsigned i, k;

	(void)state;
	for (i = 0; i < WK_RSTDIAG_N_WARNINGS; i++) {
		assert_non_null(wk_rstdiag_warning_text(1u << i));
		for (k = 0; k < i; k++)
			assert_string_not_equal(
			    wk_rstdiag_warning_text(1u << i),
			    wk_rstdiag_warning_text(1u << k));
	}
	assert_null(wk_rstdiag_warning_text(0));
	assert_null(wk_rstdiag_warning_text(3));
	assert_null(wk_rstdiag_warning_text(1u << WK_RSTDIAG_N_WARNINGS));
}

static void
test_candidates(void **state)
{
	static const struct {
		size_t n;
		enum wk_rstdiag_registry likely, other;
	} want[WK_RSTDIAG_N_FORMATS] = {
		[WK_RSTDIAG_COMPACT] = { 2, WK_RSTDIAG_IETF_03,
		    WK_RSTDIAG_IETF_00 },
		[WK_RSTDIAG_CBOR_SEQ] = { 2, WK_RSTDIAG_IETF_00,
		    WK_RSTDIAG_2022 },
		[WK_RSTDIAG_CBOR_ARRAY] = { 2, WK_RSTDIAG_FIRST,
		    WK_RSTDIAG_2022 },
		[WK_RSTDIAG_CBOR_MAP] = { 1, WK_RSTDIAG_FIRST, 0 },
		[WK_RSTDIAG_JSON] = { 1, WK_RSTDIAG_FIRST, 0 },
		[WK_RSTDIAG_B13] = { 1, WK_RSTDIAG_IETF_00, 0 },
		[WK_RSTDIAG_B14] = { 1, WK_RSTDIAG_IETF_00, 0 },
	};
	enum wk_rstdiag_registry out[2];
	int i;

	(void)state;
	for (i = 0; i < WK_RSTDIAG_N_FORMATS; i++) {
		assert_int_equal(wk_rstdiag_candidates(
		    (enum wk_rstdiag_format)i, out), want[i].n);
		if (want[i].n > 0)
			assert_int_equal(out[0], want[i].likely);
		if (want[i].n > 1)
			assert_int_equal(out[1], want[i].other);
	}
}

static void
test_reasons_of_linux_and_mptcp(void **state)
{
	(void)state;
	assert_string_equal(wk_linux_rst_reason(0), "NOT_SPECIFIED");
	assert_string_equal(wk_linux_rst_reason(1), "NO_SOCKET");
	assert_string_equal(wk_linux_rst_reason(11), "TCP_ABORT_ON_CLOSE");
	assert_string_equal(wk_linux_rst_reason(14), "TCP_STATE");
	assert_string_equal(wk_linux_rst_reason(16),
	    "TCP_DISCONNECT_WITH_DATA");
	assert_string_equal(wk_linux_rst_reason(17), "MPTCP_RST_EUNSPEC");
	assert_string_equal(wk_linux_rst_reason(23), "MPTCP_RST_EMIDDLEBOX");
	assert_string_equal(wk_linux_rst_reason(24), "ERROR");
	assert_null(wk_linux_rst_reason(25));
	assert_null(wk_linux_rst_reason(~0u));
	assert_string_equal(wk_mptcp_rst_reason(0), "Unspecified error");
	assert_string_equal(wk_mptcp_rst_reason(3),
	    "Administratively prohibited");
	assert_string_equal(wk_mptcp_rst_reason(6), "Middlebox interference");
	assert_null(wk_mptcp_rst_reason(7));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_of_codes),
		cmocka_unit_test(test_conditions_across_the_tables),
		cmocka_unit_test(test_codes_are_typed_by_name_or_number),
		cmocka_unit_test(test_names_of_formats),
		cmocka_unit_test(test_warnings_have_texts),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_reasons_of_linux_and_mptcp),
	};

	return cmocka_run_group_tests_name("rstdiag codes", tests, NULL, NULL);
}
