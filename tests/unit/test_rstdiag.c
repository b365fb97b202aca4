/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/rstdiag_cases.h"
#include "tests/unit/rstdiag_checks.h"

#include "common/base/text.h"

/* --- a decoded payload as one line ---------------------------------------- */

static const char *const warning_words[WK_RSTDIAG_N_WARNINGS] = {
	"text-and-code", "long", "text-keys", "unknown-key", "reserved-pen",
	"surplus",
};

static void
describe(const struct wk_rstdiag *d, int rc, struct wk_buf *out)
{
	size_t i;

	wk_buf_clear(out);
	wk_buf_printf(out, "%s ", wk_rstdiag_format_name((int)d->format));
	if (rc != WK_OK)
		wk_buf_printf(out, "invalid@%llu",
		    (unsigned long long)d->error.offset);
	else
		wk_buf_printf(out, "%s", d->is_truncated ? "truncated" :
		    d->is_valid ? "valid" : "foreign");
	if (d->has_code)
		wk_buf_printf(out, " code %u", d->code);
	if (d->has_pen)
		wk_buf_printf(out, " pen %u", (unsigned)d->pen);
	if (d->description != NULL) {
		wk_buf_printf(out, " text \"");
		wk_text_escape(out, d->description, d->description_len, '"');
		wk_buf_printf(out, "\"");
	}
	for (i = 0; i < WK_RSTDIAG_N_WARNINGS; i++)
		if (d->warnings & 1u << i)
			wk_buf_printf(out, " (%s)", warning_words[i]);
	if (rc != WK_OK)
		wk_buf_printf(out, ": %s", d->error.reason);
	wk_buf_uint(out, 0, 1);
}

/* Decode captured octets of len that end at an unreadable page. */
static int
decode(const uint8_t *data, size_t len, size_t captured, unsigned ask,
    struct wk_rstdiag *d, struct wk_buf *line)
{
	struct fence f;
	int rc;

	fence_init(&f, data, captured);
	rc = wk_rstdiag_decode(f.data, len, captured, ask, d);
	check_consistency(d, rc, f.data, captured);
	describe(d, rc, line);
	fence_free(&f);
	return rc;
}

/*
 * A capture that was cut must never be worse than the whole: it is wrong in
 * the same way, or not yet.
 */
static void
check_cuts(const char *name, const uint8_t *data, size_t len, unsigned ask,
    const struct wk_rstdiag *whole)
{
	struct wk_rstdiag d;
	struct wk_buf line;
	size_t n;
	int rc;

	wk_buf_init(&line, 70000);
	for (n = 0; n < len; n++) {
		rc = decode(data, len, n, ask, &d, &line);
		if (rc != WK_OK && (whole->error.status != rc ||
		    strcmp(d.error.reason, whole->error.reason) != 0))
			fail_msg("%s cut to %zu: %s", name, n, line.data);
		if (d.is_valid && !(d.warnings & WK_RSTDIAG_W_SURPLUS))
			fail_msg("%s cut to %zu: %s", name, n, line.data);
		if (rc == WK_OK && !d.is_valid && !d.is_truncated)
			fail_msg("%s cut to %zu: %s", name, n, line.data);
		if ((d.has_code && whole->has_code && d.code != whole->code) ||
		    (d.has_pen && whole->has_pen && d.pen != whole->pen))
			fail_msg("%s cut to %zu: %s", name, n, line.data);
	}
	wk_buf_free(&line);
}

/* May a valid payload of this form lose what is behind its first n octets? */
static bool
may_end_at(const struct wk_rstdiag *whole, const uint8_t *data, size_t n)
{
	switch (whole->format) {
	case WK_RSTDIAG_FREE_TEXT:
		return n >= 3;
	case WK_RSTDIAG_B14:
		return n >= 4 + (size_t)(data[2] << 8 | data[3]);
	case WK_RSTDIAG_JSON:
		return n > 0 && strchr("}\r\n", data[n - 1]) != NULL;
	default:
		return false;
	}
}

/* A payload that really is shorter is not a truncated one. */
static void
check_shorter(const char *name, const uint8_t *data, size_t len, unsigned ask,
    const struct wk_rstdiag *whole)
{
	struct wk_rstdiag d;
	struct wk_buf line;
	size_t n;

	wk_buf_init(&line, 70000);
	for (n = 0; n < len; n++) {
		decode(data, n, n, ask, &d, &line);
		if (d.is_truncated || (whole->is_valid && d.is_valid &&
		    !may_end_at(whole, data, n)))
			fail_msg("%s of %zu: %s", name, n, line.data);
	}
	wk_buf_free(&line);
}

/* Encoding and decoding again must give the same. */
static void
check_again(const char *name, const uint8_t *data, size_t len,
    const struct wk_rstdiag *d, bool is_same)
{
	struct wk_rstdiag again;
	struct wk_buf out;
	struct wk_error e;
	struct fence f;
	int rc;

	wk_buf_init(&out, WK_RSTDIAG_MAX);
	if (wk_rstdiag_encode(d, &out, &e) != WK_OK)
		fail_msg("%s: %s", name, e.reason);
	if (is_same != (out.len == len && memcmp(out.data, data, len) == 0))
		fail_msg("%s: %ssame octets", name, is_same ? "not the " : "");
	fence_init(&f, out.data, out.len);
	rc = wk_rstdiag_decode(f.data, out.len, out.len,
	    WK_RSTDIAG_ASK(d->format), &again);
	check_consistency(&again, rc, f.data, out.len);
	check_same_fields(name, d, &again);
	assert_true(again.is_valid || !again.is_diagnostic);
	fence_free(&f);
	wk_buf_free(&out);
}

/* same: '=' or '-' when a valid payload is to be encoded again, 0 for not. */
static void
check_case(const char *name, const uint8_t *data, size_t len, unsigned ask,
    char same, const char *want)
{
	struct wk_rstdiag d;
	struct wk_buf line;
	struct fence f;
	int rc;

	wk_buf_init(&line, 500000);
	fence_init(&f, data, len);
	rc = wk_rstdiag_decode(f.data, len, len, ask, &d);
	check_consistency(&d, rc, f.data, len);
	describe(&d, rc, &line);
	if (strcmp((char *)line.data, want) != 0)
		fail_msg("%s:\n got  %s\n want %s", name, line.data, want);
	check_cuts(name, data, len, ask, &d);
	check_shorter(name, data, len, ask, &d);
	if (same == '=' || (same == '-' && d.is_valid))
		check_again(name, data, len, &d, same == '=');
	fence_free(&f);
	wk_buf_free(&line);
}

/* --- vectors in files ----------------------------------------------------- */

static unsigned
parse_ask(char *words)
{
	unsigned ask = 0;
	char *word, *save;
	int format;

	if (strcmp(words, "-") == 0)
		return 0;
	for (word = strtok_r(words, ",", &save); word != NULL;
	    word = strtok_r(NULL, ",", &save)) {
		format = wk_rstdiag_format_parse(word);
		assert_true(format >= 0);
		ask |= WK_RSTDIAG_ASK(format);
	}
	return ask;
}

/* Octets of the headers of a packet that has no options or extensions in IP. */
static size_t
headers_of(const uint8_t *packet)
{
	size_t ip = packet[0] >> 4 == 4 ? 20 : 40;

	return ip + 4 * (size_t)(packet[ip + 12] >> 4);
}

static void
check_file(const char *file, bool has_headers, unsigned n_wanted)
{
	const char *dir = getenv("WK_DATA");
	char path[4096], line[1024], *name, *octets, *ask, *same, *want, *save;
	uint8_t data[512];
	unsigned n = 0;
	size_t len, at;
	FILE *fp;

	if (dir == NULL)
		fail_msg("WK_DATA does not name tests/data");
	snprintf(path, sizeof(path), "%s/rstdiag/%s", dir, file);
	fp = fopen(path, "r");
	if (fp == NULL)
		fail_msg("%s cannot be read", path);
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (line[0] == '#')
			continue;
		name = strtok_r(line, " ", &save);
		octets = strtok_r(NULL, " ", &save);
		ask = strtok_r(NULL, " ", &save);
		same = strtok_r(NULL, " ", &save);
		want = strtok_r(NULL, "\n", &save);
		assert_non_null(want);
		len = unhex(octets, data, sizeof(data));
		at = has_headers ? headers_of(data) : 0;
		check_case(name, data + at, len - at, parse_ask(ask), *same,
		    want);
		n++;
	}
	fclose(fp);
	assert_int_equal(n, n_wanted);
}

static void
test_packets(void **state)
{
	(void)state;
	check_file("packets.txt", true, 11);
}

static void
test_payloads(void **state)
{
	(void)state;
	check_file("payloads.txt", false, 34);
}

/* --- what is right and what is wrong, form by form ------------------------ */

static void
test_cases(void **state)
{
	uint8_t data[256];
	size_t i, n;

	(void)state;
	for (i = 0; i < N_ELEMENTS(cases); i++) {
		n = unhex(cases[i].hex, data, sizeof(data));
		check_case(cases[i].name, data, n, cases[i].ask, 0,
		    cases[i].want);
	}
}

static void
test_texts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(texts); i++)
		check_case(texts[i].want, (const uint8_t *)texts[i].text,
		    texts[i].len, texts[i].ask, 0, texts[i].want);
}

/* --- the parts of a cut capture ------------------------------------------- */

static void
test_cut_captures_show_what_is_there(void **state)
{
	static const struct {
		const char *hex;
		size_t len;	/* on the wire */
		unsigned ask;
		const char *want;
	} cuts[] = {
		{ "", 8, 0, "unknown truncated" },
		{ "33", 8, 0, "text truncated text \"3\"" },
		{ "33aa", 8, 0, "compact truncated" },
		{ "33aa00", 8, 0, "compact truncated" },
		{ "33aa0010", 8, 0, "compact truncated code 16" },
		{ "33aa0010000000", 8, 0, "compact truncated code 16" },
		{ "33aa0000", 8, 0, "compact invalid@2: reserved code" },
		{ "33aa", 9, 0, "compact invalid@8: length 9, must be 8" },
		{ "f317", 9, 0, "free-text truncated" },
		{ "f3176869", 9, 0, "free-text truncated text \"hi\"" },
		{ "f31768e282", 9, 0, "free-text truncated text \"h\"" },
		{ "f31768f4", 9, 0, "free-text truncated text \"h\"" },
		{ "f31768e0", 9, 0, "free-text truncated text \"h\"" },
		{ "f31768f490", 9, 0,
		    "free-text invalid@3: text is not UTF-8" },
		{ "f31768e080", 9, 0,
		    "free-text invalid@3: text is not UTF-8" },
		{ "f317e282", 4, 0, "free-text invalid@2: text is not UTF-8" },
		{ "193039", 6, 0, "cbor-seq truncated" },
		{ "193039a10102", 8, 0,
		    "cbor-seq invalid@6 code 2: third item" },
		{ "193039a201020378206272", 41, 0,
		    "cbor-seq truncated code 2 text \"br\" (text-and-code)" },
		{ "193039a1037820", 39, 0, "cbor-seq truncated" },
		{ "193039a10378", 39, 0, "cbor-seq truncated" },
		{ "193039a10358206162", 39, 0, "cbor-seq truncated" },
		{ "193039a10378206272", 38, 0,
		    "cbor-seq invalid@38: ends too early" },
		{ "193039a103782062ff", 39, 0,
		    "cbor-seq invalid@8: text is not UTF-8" },
		{ "193039a1037f61616262", 39, 0,
		    "cbor-seq truncated text \"a\"" },
		{ "193039a1037f", 39, 0, "cbor-seq truncated" },
		{ "193039a1037bffffffffffffffff", 39, 0,
		    "cbor-seq invalid@39: ends too early" },
		{ "193039a103", 300, 0, "cbor-seq truncated (long)" },
		{ "193039a104f8", 39, 0, "cbor-seq truncated (unknown-key)" },
		{ "33aa00040000", 8, ASK_B14, "b14 truncated" },
		{ "33aa000400000005", 9, ASK_B14,
		    "b14 valid code 5 (surplus)" },
		{ "33aa0005", 8, ASK_B14,
		    "b14 invalid@2: Length 5, but 4 octets follow" },
		{ "33aa000a0002000768", 14, ASK_B14,
		    "b14 truncated code 7 text \"h\" (text-and-code)" },
		{ "3039000a0002000700000001", 14, ASK_B13,
		    "b13 truncated code 7 pen 1" },
		{ "7b227263223a32", 30, ASK_JSON, "json truncated" },
		{ "7b227263223a2d", 30, ASK_JSON, "json truncated" },
		{ "7b227263223a327d", 30, ASK_JSON, "json truncated code 2" },
		{ "7b2272", 30, ASK_JSON, "text truncated text \"{\\\"r\"" },
		{ "4249472d49503a205b30783131", 30, 0,
		    "f5 truncated text \"BIG-IP: [0x11\"" },
		{ "61e2", 30, 0, "text truncated text \"a\"" },
		{ "6100", 30, 0, "text truncated text \"a\"" },
		{ "00", 30, 0, "unknown truncated" },
		{ "0b000000", 1000, 0, "linux-exp truncated code 11" },
		{ "0b000001", 1000, 0, "unknown truncated" },
	};
	struct wk_rstdiag d;
	struct wk_buf line;
	uint8_t data[64];
	size_t i, n;

	(void)state;
	wk_buf_init(&line, 1000);
	for (i = 0; i < N_ELEMENTS(cuts); i++) {
		n = unhex(cuts[i].hex, data, sizeof(data));
		decode(data, cuts[i].len, n, cuts[i].ask, &d, &line);
		if (strcmp((char *)line.data, cuts[i].want) != 0)
			fail_msg("%s of %zu:\n got  %s\n want %s", cuts[i].hex,
			    cuts[i].len, line.data, cuts[i].want);
	}
	/* More than there is was not captured. */
	n = unhex("686901", data, sizeof(data));
	assert_int_equal(wk_rstdiag_decode(data, n - 1, n, 0, &d), WK_OK);
	assert_int_equal(d.format, WK_RSTDIAG_TEXT);
	assert_false(d.is_truncated);
	wk_buf_free(&line);
}

static void
test_linux_experiment(void **state)
{
	struct wk_rstdiag d;
	struct wk_buf line;
	uint8_t data[1001] = { 0 };
	unsigned number;

	(void)state;
	wk_buf_init(&line, 100);
	for (number = 0; number < 256; number++) {
		data[0] = (uint8_t)number;
		decode(data, 1000, 1000, 0, &d, &line);
		if (number == 0 || number > 24) {
			assert_int_not_equal(d.format, WK_RSTDIAG_LINUX_EXP);
			continue;
		}
		assert_int_equal(d.format, WK_RSTDIAG_LINUX_EXP);
		assert_true(d.has_code && !d.is_truncated && !d.is_diagnostic);
		assert_int_equal(d.code, number);
		check_again("linux", data, 1000, &d, true);
	}
	data[0] = 1;
	decode(data, 999, 999, 0, &d, &line);
	assert_int_equal(d.format, WK_RSTDIAG_UNKNOWN);
	decode(data, 1001, 1001, 0, &d, &line);
	assert_int_equal(d.format, WK_RSTDIAG_UNKNOWN);
	data[999] = 1;
	decode(data, 1000, 1000, 0, &d, &line);
	assert_int_equal(d.format, WK_RSTDIAG_UNKNOWN);
	decode(data, 1000, 999, 0, &d, &line);
	assert_int_equal(d.format, WK_RSTDIAG_LINUX_EXP);
	assert_true(d.is_truncated);
	wk_buf_free(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_cut_captures_show_what_is_there),
		cmocka_unit_test(test_linux_experiment),
	};

	return cmocka_run_group_tests_name("rstdiag", tests, NULL, NULL);
}
