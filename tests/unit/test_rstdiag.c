/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/base/text.h"
#include "common/wire/rstdiag.h"

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
#define ASK_MAP WK_RSTDIAG_ASK(WK_RSTDIAG_CBOR_MAP)
#define ASK_B13 WK_RSTDIAG_ASK(WK_RSTDIAG_B13)
#define ASK_B14 WK_RSTDIAG_ASK(WK_RSTDIAG_B14)
#define ASK_JSON WK_RSTDIAG_ASK(WK_RSTDIAG_JSON)

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

/* What holds for every outcome, whatever the payload. */
static void
check_consistency(const struct wk_rstdiag *d, int rc, const uint8_t *data,
    size_t captured)
{
	const uint8_t *text = d->description;
	size_t len = d->description_len, scratch = sizeof(d->scratch);

	assert_int_equal(rc, d->error.status);
	assert_int_equal(rc != WK_OK, d->error.reason[0] != '\0');
	assert_false(d->is_valid && (rc != WK_OK || d->is_truncated));
	assert_false(d->is_truncated && rc != WK_OK);
	assert_false(d->is_valid && !d->is_diagnostic);
	if (rc != WK_OK)
		assert_true(d->error.status < 0);
	if (text == NULL)
		assert_int_equal(len, 0);
	else if (text >= d->scratch && text <= d->scratch + scratch)
		assert_true(len <= scratch - (size_t)(text - d->scratch));
	else
		assert_true(text >= data && text <= data + captured &&
		    len <= captured - (size_t)(text - data));
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

static void
check_same_fields(const char *name, const struct wk_rstdiag *a,
    const struct wk_rstdiag *b)
{
	if (a->format != b->format || a->is_diagnostic != b->is_diagnostic ||
	    a->has_code != b->has_code || a->code != b->code ||
	    a->has_pen != b->has_pen || a->pen != b->pen ||
	    (a->description == NULL) != (b->description == NULL) ||
	    a->description_len != b->description_len ||
	    (a->description != NULL && memcmp(a->description, b->description,
	    a->description_len) != 0) ||
	    ((a->warnings ^ b->warnings) & WK_RSTDIAG_W_TEXT_KEYS) != 0)
		fail_msg("%s: encoded and decoded it is another", name);
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

static const struct {
	const char *name, *hex;
	unsigned ask;
	const char *want;
} cases[] = {
	{ "nothing", "", ~0u, "none foreign" },

	/* compact, and what it must not be mixed up with */
	{ "magic and one", "33aa00", 0,
	    "compact invalid@3: length 3, must be 8" },
	{ "half a magic", "33", 0, "text foreign text \"3\"" },
	{ "first code", "33aa000100000000", 0, "compact valid code 1 pen 0" },
	{ "last code", "33aaffff00000000", 0, "compact valid code 65535 pen 0" },
	{ "last pen", "33aa0001fffffffe", 0,
	    "compact valid code 1 pen 4294967294" },
	{ "other forms asked for", "33aa000500000000",
	    ASK_MAP | ASK_B13 | ASK_JSON, "compact valid code 5 pen 0" },

	/* free text */
	{ "no text", "f317", 0,
	    "free-text invalid@2: length 2, must be at least 3" },
	{ "one letter", "f31761", 0, "free-text valid text \"a\"" },
	{ "hostile text", "f3171b5b324ae280ae", 0,
	    "free-text valid text \"\\x1b[2J\\u{202e}\"" },
	{ "bad text", "f3176162ff", 0,
	    "free-text invalid@4: text is not UTF-8" },
	{ "text ends in a character", "f31761e282", 0,
	    "free-text invalid@3: text is not UTF-8" },

	/* -14: any field but one of code and text may be left out */
	{ "b14 text", "33aa0006 0002 0000 6869", ASK_B14,
	    "b14 valid text \"hi\"" },
	{ "b14 text, pen", "33aa000a 0002 0000 6869 00007ed9", ASK_B14,
	    "b14 valid pen 32473 text \"hi\"" },
	{ "b14 text alone", "33aa0004 0002 6869", ASK_B14,
	    "b14 valid text \"hi\"" },
	{ "b14 all", "33aa000a 0002 0007 6869 00000001", ASK_B14,
	    "b14 valid code 7 pen 1 text \"hi\" (text-and-code)" },
	{ "b14 surplus", "33aa0004 0000 0005 ff", ASK_B14,
	    "b14 valid code 5 (surplus)" },
	{ "b14 shortage", "33aa0005 0000 0005", ASK_B14,
	    "b14 invalid@2: Length 5, but 4 octets follow" },
	{ "b14 least", "33aa0003 0000 0005", ASK_B14,
	    "b14 invalid@2: Length 3, must be at least 4" },
	{ "b14 code 0", "33aa0004 0000 0000", ASK_B14,
	    "b14 invalid@6: reserved code" },
	{ "b14 pen alone", "33aa0006 0000 00007ed9", ASK_B14,
	    "b14 invalid@4 pen 32473: only pen, neither code nor text" },
	{ "b14 lengths", "33aa0004 0003 0005", ASK_B14,
	    "b14 invalid@4: Reason Length 3 does not fit Length 4" },
	{ "b14 odd rest", "33aa0005 0000 0005 00", ASK_B14,
	    "b14 invalid@4: Reason Length 0 does not fit Length 5" },
	{ "b14 great rest", "33aa000a 0000 0005 000000000000", ASK_B14,
	    "b14 invalid@4: Reason Length 0 does not fit Length 10" },
	{ "b14 bad text", "33aa0006 0002 0000 68c3", ASK_B14,
	    "b14 invalid@9: text is not UTF-8" },
	{ "b14 cut", "33aa", ASK_B14, "b14 invalid@2: ends too early" },

	/* -13: another magic, pen in front of the text, no surplus */
	{ "b13 text", "30390006 0002 0000 6869", ASK_B13,
	    "b13 valid text \"hi\"" },
	{ "b13 all", "3039000a 0002 0007 00000001 6869", ASK_B13,
	    "b13 valid code 7 pen 1 text \"hi\" (text-and-code)" },
	{ "b13 surplus", "30390004 0000 0005 ff", ASK_B13,
	    "b13 invalid@2: Length 4, but 5 octets follow" },
	{ "b13 shortage", "30390008 0000 0005", ASK_B13,
	    "b13 invalid@2: Length 8, but 4 octets follow" },
	{ "b13 too short", "30393030303030", ASK_B13,
	    "text foreign text \"0900000\"" },

	/* the shape of the CBOR forms */
	{ "cookie of 4", "1a00003039a10102", 0, "cbor-seq valid code 2" },
	{ "cookie of 8", "1b0000000000003039a10102", 0,
	    "cbor-seq valid code 2" },
	{ "cookie of -1-n", "393039a10102", 0, "unknown foreign" },
	{ "half a cookie", "1930", 0, "unknown foreign" },
	{ "another number", "19303aa10102", 0, "unknown foreign" },
	{ "number behind", "19303902", 0,
	    "cbor-seq invalid@3: second item is not a map" },
	{ "break behind", "193039ff", 0,
	    "cbor-seq invalid@3: break where an item has to be" },
	{ "reserved head behind", "1930391c", 0,
	    "cbor-seq invalid@3: not well-formed CBOR" },
	{ "open map", "193039bf0102ff", 0, "cbor-seq valid code 2" },
	{ "open map, no end", "193039bf0102", 0,
	    "cbor-seq invalid@6 code 2: ends too early" },
	{ "open map, half a pair", "193039bf01ff", 0,
	    "cbor-seq invalid@5: break where an item has to be" },
	{ "break in a map", "193039a201 02ff", 0,
	    "cbor-seq invalid@6 code 2: break where an item has to be" },
	{ "map of 2^64-1", "193039bbffffffffffffffff0102", 0,
	    "cbor-seq invalid@14 code 2: ends too early" },
	{ "third item", "193039a1010219", 0,
	    "cbor-seq invalid@6 code 2: third item" },
	{ "array", "82193039a10102", 0, "cbor-array valid code 2" },
	{ "open array", "9f193039a10102ff", 0, "cbor-array valid code 2" },
	{ "open array of 3", "9f193039a1010203ff", 0,
	    "cbor-array invalid@7 code 2: third item" },
	{ "open array, no end", "9f193039a10102", 0,
	    "cbor-array invalid@7 code 2: ends too early" },
	{ "array of 1", "81193039", 0,
	    "cbor-array invalid@0: array of 1, must be of 2 items" },
	{ "array of 3", "83193039a1010203", 0,
	    "cbor-array invalid@0: array of 3, must be of 2 items" },
	{ "wide array", "9b0000000000000002193039a10102", 0,
	    "cbor-array valid code 2" },
	{ "empty array", "80193039a10102", 0, "unknown foreign" },
	{ "map as array", "a2193039a101020000", 0, "unknown foreign" },
	{ "array and more", "82193039a1010200", 0,
	    "cbor-array invalid@7 code 2: octets behind the array" },
	{ "map and more", "a1010200", ASK_MAP,
	    "cbor-map invalid@3 code 2: octets behind the map" },
	{ "map of anything", "a16161f5", ASK_MAP,
	    "cbor-map invalid@0 (unknown-key): neither code nor text" },

	/* keys and values */
	{ "code 0", "193039a10100", 0, "cbor-seq invalid@5: reserved code" },
	{ "code 65535", "193039a10119ffff", 0, "cbor-seq valid code 65535" },
	{ "code 65536", "193039a1011a00010000", 0,
	    "cbor-seq invalid@5: code 65536, must be at most 65535" },
	{ "wide code", "193039a1011b0000000000000002", 0,
	    "cbor-seq valid code 2" },
	{ "code -1", "193039a10120", 0,
	    "cbor-seq invalid@5: reason-code must be an unsigned integer" },
	{ "code as text", "193039a1016132", 0,
	    "cbor-seq invalid@5: reason-code must be an unsigned integer" },
	{ "tagged code", "193039a101c102", 0,
	    "cbor-seq invalid@5: reason-code must be an unsigned integer" },
	{ "pen 2^32-1", "193039a20102021affffffff", 0,
	    "cbor-seq valid code 2 pen 4294967295 (reserved-pen)" },
	{ "pen 2^32", "193039a20102021b0000000100000000", 0,
	    "cbor-seq invalid@7 code 2: pen 4294967296, "
	    "must be at most 4294967295" },
	{ "pen as float", "193039a2010202f90000", 0,
	    "cbor-seq invalid@7 code 2: pen must be an unsigned integer" },
	{ "text as bytes", "193039a103426869", 0,
	    "cbor-seq invalid@5: reason-description must be a text string" },
	{ "pen and text", "193039a20201036161", 0,
	    "cbor-seq valid pen 1 text \"a\"" },
	{ "any order", "193039a303616102010102", 0,
	    "cbor-seq valid code 2 pen 1 text \"a\" (text-and-code)" },
	{ "twice the code", "193039a201020102", 0,
	    "cbor-seq invalid@6 code 2: duplicate key 1" },
	{ "twice, once wide", "193039a20102180102", 0,
	    "cbor-seq invalid@6 code 2: duplicate key 1" },
	{ "a name among numbers", "193039a2010263 70656e 01", 0,
	    "cbor-seq valid code 2 pen 1 (text-keys)" },
	{ "twice by name", "193039a3 0102 0201 63 70656e 01", 0,
	    "cbor-seq invalid@8 code 2 pen 1 (text-keys): duplicate key 2" },
	{ "twice the unknown", "193039a3 0102 18ff00 18ff00", 0,
	    "cbor-seq invalid@9 code 2 (unknown-key): duplicate key 255" },
	{ "keys beyond 255", "193039a3 0102 19010000 19010000", 0,
	    "cbor-seq valid code 2 (unknown-key)" },
	{ "key 2^32+1", "193039a2 0102 1b0000000100000001 00", 0,
	    "cbor-seq valid code 2 (unknown-key)" },
	{ "key name in pieces",
	    "193039a1 7f 67 726561736f6e2d 64 636f6465 ff 02", 0,
	    "cbor-seq valid code 2 (text-keys)" },
	{ "key name too long in pieces", "193039a2 0102 7f 78 1e"
	    "7265736f6e2d6465736372697074696f6e2d2d2d2d2d2d2d2d2d2d2d2d2d"
	    "66 616263646566 ff 02", 0,
	    "cbor-seq valid code 2 (unknown-key)" },
	{ "all names", "193039a3 6b 726561736f6e2d636f6465 02"
	    "63 70656e 01 72 726561736f6e2d6465736372697074696f6e 6161", 0,
	    "cbor-seq valid code 2 pen 1 text \"a\" "
	    "(text-and-code) (text-keys)" },
	{ "names in capitals", "193039a2 0102 63 50454e 01", 0,
	    "cbor-seq valid code 2 (unknown-key)" },

	/* values of unknown keys: every kind of item */
	{ "a number", "193039a2 0102 04 1b0102030405060708", 0,
	    "cbor-seq valid code 2 (unknown-key)" },
	{ "negative numbers", "193039a5 0102 04 20 05 38ff 06 39ffff "
	    "07 3affffffff", 0, "cbor-seq valid code 2 (unknown-key)" },
	{ "floats", "193039a4 0102 04 f97e00 05 fa00000000 "
	    "06 fb0000000000000000", 0,
	    "cbor-seq valid code 2 (unknown-key)" },
	{ "simple values", "193039a8 0102 04 f4 05 f5 06 f6 07 f7 "
	    "08 e0 09 f3 0a f820", 0, "cbor-seq valid code 2 (unknown-key)" },
	{ "simple value in 2 octets", "193039a2 0102 04 f81f", 0,
	    "cbor-seq invalid@8 code 2 (unknown-key): "
	    "not well-formed CBOR" },
	{ "reserved simple", "193039a2 0102 04 fc", 0,
	    "cbor-seq invalid@7 code 2 (unknown-key): "
	    "not well-formed CBOR" },
	{ "tags", "193039a6 0102 04 c100 05 c600 06 d400 07 d700 "
	    "08 d9d9f7c200", 0, "cbor-seq valid code 2 (unknown-key)" },
	{ "tag on nothing", "193039bf 0102 04 c1 ff", 0,
	    "cbor-seq invalid@8 code 2 (unknown-key): "
	    "break where an item has to be" },
	{ "strings", "193039a5 0102 04 420001 05 6161 "
	    "06 5f 4100 40 ff 07 7f 6161 ff", 0,
	    "cbor-seq valid code 2 (unknown-key)" },
	{ "text in bytes", "193039a2 0102 04 5f 6161 ff", 0,
	    "cbor-seq invalid@8 code 2 (unknown-key): "
	    "no piece of the string around it" },
	{ "pieces in pieces", "193039a2 0102 04 7f 7f ff ff", 0,
	    "cbor-seq invalid@8 code 2 (unknown-key): "
	    "no piece of the string around it" },
	{ "text that is none", "193039a2 0102 04 6180", 0,
	    "cbor-seq invalid@8 code 2 (unknown-key): text is not UTF-8" },
	{ "arrays and maps", "193039a3 0102 04 83 80 9f 01 ff a1 01 9f ff "
	    "05 bf 01 02 ff", 0, "cbor-seq valid code 2 (unknown-key)" },
	{ "open map, half a pair inside", "193039a2 0102 04 bf 01 ff", 0,
	    "cbor-seq invalid@9 code 2 (unknown-key): "
	    "break where an item has to be" },
	{ "array of 2^64-1", "193039a2 0102 04 9bffffffffffffffff 00", 0,
	    "cbor-seq invalid@17 code 2 (unknown-key): ends too early" },
	{ "string of 2^64-1", "193039a2 0102 04 5bffffffffffffffff 00", 0,
	    "cbor-seq invalid@17 code 2 (unknown-key): ends too early" },
	{ "string of 2^63", "193039a2 0102 04 7b8000000000000000 00", 0,
	    "cbor-seq invalid@17 code 2 (unknown-key): ends too early" },
	{ "16 deep", "193039a2 0102 04 8181818181818181 8181818181818181 00",
	    0, "cbor-seq valid code 2 (unknown-key)" },
	{ "17 deep", "193039a2 0102 04 8181818181818181 8181818181818181 "
	    "81 00", 0, "cbor-seq invalid@24 code 2 (unknown-key): "
	    "nested more than 16 deep" },
	{ "17 tags", "193039a2 0102 04 c1c1c1c1c1c1c1c1 c1c1c1c1c1c1c1c1 "
	    "c1 00", 0, "cbor-seq invalid@24 code 2 (unknown-key): "
	    "nested more than 16 deep" },
	{ "17 maps", "193039a2 0102 04 a100a100a100a100 a100a100a100a100 "
	    "a100a100a100a100 a100a100a100a100 a10000", 0,
	    "cbor-seq invalid@40 code 2 (unknown-key): "
	    "nested more than 16 deep" },
	{ "keys of all kinds", "193039a6 0102 20 00 4100 00 f5 00 "
	    "c101 00 8101 00", 0, "cbor-seq valid code 2 (unknown-key)" },

	/* the description */
	{ "empty text", "193039a10360", 0, "cbor-seq valid text \"\"" },
	{ "text in pieces", "193039a1037f 626162 60 6163 ff", 0,
	    "cbor-seq valid text \"abc\"" },
	{ "no pieces", "193039a1037fff", 0, "cbor-seq valid text \"\"" },
	{ "no last piece", "193039a1037f6161", 0,
	    "cbor-seq invalid@8: ends too early" },
	{ "bytes in text", "193039a1037f4161ff", 0,
	    "cbor-seq invalid@6: no piece of the string around it" },
	{ "split character", "193039a1037f61c361bcff", 0,
	    "cbor-seq invalid@7: text is not UTF-8" },
	{ "bad text", "193039a1036461c3bcff", 0,
	    "cbor-seq invalid@9: text is not UTF-8" },
	{ "text beyond the end", "193039a10365616263", 0,
	    "cbor-seq invalid@9: ends too early" },
	{ "wide length", "193039a1037b00000000000000026869", 0,
	    "cbor-seq valid text \"hi\"" },
	{ "characters", "193039a10366c3bce282ac61", 0,
	    "cbor-seq valid text \"\xc3\xbc\xe2\x82\xac" "a\"" },
};

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

/* Text in C strings, because hexadecimal would hide it. */
static const struct {
	const char *text;
	size_t len;
	unsigned ask;
	const char *want;
} texts[] = {
#define T(text) text, sizeof(text) - 1
	{ T("{\"rc\":2}"), ASK_JSON, "json valid code 2" },
	{ T(" {\"pen\": 1, \"rc\" : 65535 }\r\n"), ASK_JSON,
	    "json valid code 65535 pen 1" },
	{ T("{\"rc\":2,\"rd\":\"a\\u0000\\u00fc\"}"), ASK_JSON,
	    "json valid code 2 text \"a\\x00\xc3\xbc\" (text-and-code)" },
	{ T("\r\n\t{\"rc\":2}"), ASK_JSON, "json valid code 2" },
	{ T("{\"rd\":\"\"}"), ASK_JSON, "json valid text \"\"" },
	{ T("{\"rc\":2,\"x\":[1]}"), ASK_JSON,
	    "json valid code 2 (unknown-key)" },
	{ T("{\"\\u0072c\":2}"), ASK_JSON, "json valid code 2" },
	{ T("{\"rc\":0}"), ASK_JSON, "json invalid@0: reserved code" },
	{ T("{\"rc\":65536}"), ASK_JSON,
	    "json invalid@0: code 65536, must be at most 65535" },
	{ T("{\"rc\":-1}"), ASK_JSON,
	    "json invalid@0: rc must be an unsigned integer" },
	{ T("{\"rc\":2.0}"), ASK_JSON,
	    "json invalid@0: rc must be an unsigned integer" },
	{ T("{\"rc\":1,\"pen\":4294967296}"), ASK_JSON,
	    "json invalid@0 code 1: pen 4294967296, "
	    "must be at most 4294967295" },
	{ T("{\"rd\":[]}"), ASK_JSON, "json invalid@0: rd must be a string" },
	{ T("{\"rc\":99999999999999999999}"), ASK_JSON,
	    "json invalid@26: number too large" },
	{ T("{\"rc\":2,\"rc\":3}"), ASK_JSON,
	    "json invalid@12: duplicate key" },
	{ T("{\"rc\":2"), ASK_JSON, "json invalid@7: ends too early" },
	{ T("{\"rd\":\"a"), ASK_JSON, "json invalid@8: ends too early" },
	{ T("see \"rc\""), ASK_JSON, "text foreign text \"see \\\"rc\\\"\"" },
	{ T("{\"rc\":2]"), ASK_JSON, "json invalid@8: not JSON" },
	{ T("{\"rc\":2}\033[2J"), ASK_JSON, "json invalid@9: not JSON" },
	{ T("{\"pen\":2}"), ASK_JSON,
	    "text foreign text \"{\\\"pen\\\":2}\"" },
	{ T("{no reason}"), ASK_JSON, "text foreign text \"{no reason}\"" },
	{ T("[\"rc\"]"), ASK_JSON, "text foreign text \"[\\\"rc\\\"]\"" },
	{ T("{\"rc\":2}"), 0, "text foreign text \"{\\\"rc\\\":2}\"" },

	{ T("BIG-IP: [0x11c567:3045] {peer} closed\0"), 0,
	    "f5 foreign text \"BIG-IP: [0x11c567:3045] {peer} closed\"" },
	{ T("BIG-IP: [0x"), 0, "f5 foreign text \"BIG-IP: [0x\"" },
	{ T("BIG-IP: [1"), 0, "text foreign text \"BIG-IP: [1\"" },
	{ T("BIG-IP: [0x1\033"), 0, "unknown foreign" },
	{ T("a"), 0, "text foreign text \"a\"" },
	{ T("two\nlines\tend\r\n\0\0"), 0,
	    "text foreign text \"two\\nlines\\tend\"" },
	{ T("\xc3\xbc\xe2\x80\xae"), 0,
	    "text foreign text \"\xc3\xbc\\u{202e}\"" },
	{ T("\n\0"), 0, "unknown foreign" },
	{ T("\0a"), 0, "unknown foreign" },
	{ T("a\0b"), 0, "unknown foreign" },
	{ T("a\033[2J"), 0, "unknown foreign" },
	{ T("a\x7f"), 0, "unknown foreign" },
	{ T("a\xc2\x9b"), 0, "unknown foreign" },
	{ T("a\xff"), 0, "unknown foreign" },
	{ T("a\xc3"), 0, "unknown foreign" },
#undef T
};

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
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_cut_captures_show_what_is_there),
		cmocka_unit_test(test_linux_experiment),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_every_code_in_compact_and_cbor),
		cmocka_unit_test(test_compact_without_pen_means_iana),
		cmocka_unit_test(test_what_is_not_written),
		cmocka_unit_test(test_limits_of_texts),
		cmocka_unit_test(test_limit_of_text_in_pieces),
		cmocka_unit_test(test_limits_of_payload_and_buffer),
	};

	return cmocka_run_group_tests_name("rstdiag", tests, NULL, NULL);
}
