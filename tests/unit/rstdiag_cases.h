/* SPDX-License-Identifier: MIT */
/*
 * Payloads form by form, right and wrong, and what test_rstdiag says of each:
 * see describe() there.
 */
#pragma once

#include <stddef.h>

#include "common/wire/rstdiag.h"

#define ASK_MAP WK_RSTDIAG_ASK(WK_RSTDIAG_CBOR_MAP)
#define ASK_B13 WK_RSTDIAG_ASK(WK_RSTDIAG_B13)
#define ASK_B14 WK_RSTDIAG_ASK(WK_RSTDIAG_B14)
#define ASK_JSON WK_RSTDIAG_ASK(WK_RSTDIAG_JSON)

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
