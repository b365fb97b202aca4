/* SPDX-License-Identifier: MIT */
/*
 * The diagnostic payload of TCP reset segments in all the shapes it has had:
 * draft-ietf-tcpm-rst-diagnostic-payload-03 section 4.1 (compact), the CBOR of
 * draft-boucadair-tcpm-rst-diagnostic-payload-04 to -12 section 3, the short
 * lived ones of -13 to -16, and what else is found in resets. It is the
 * sender's claim and as forgeable as the reset; descriptions are hostile text.
 * No I/O; only the JSON form allocates, no more than its input's length allows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

enum wk_rstdiag_format {
	WK_RSTDIAG_NONE,	/* no payload */
	WK_RSTDIAG_COMPACT,	/* 33AA code pen; ietf-00 to -03 */
	WK_RSTDIAG_FREE_TEXT,	/* F317 text; -15 and -16 */
	WK_RSTDIAG_CBOR_SEQ,	/* 12345, map with integer keys; -04 to -12 */
	WK_RSTDIAG_CBOR_ARRAY,	/* [12345, map]; as first announced */
	WK_RSTDIAG_CBOR_MAP,	/* a lone map; early 2022, only if asked */
	WK_RSTDIAG_B13,		/* 3039 lengths code; -13, only if asked */
	WK_RSTDIAG_B14,		/* 33AA lengths code; -14, only if asked */
	WK_RSTDIAG_JSON,	/* {"rc":2}; early 2022, only if asked */
	WK_RSTDIAG_LINUX_EXP,	/* 1000 octets, the kernel's sk_rst_reason */
	WK_RSTDIAG_F5,		/* ASCII of F5 BIG-IP, "BIG-IP: [0x…" */
	WK_RSTDIAG_TEXT,	/* other printable text (RFC 9293, 3.5.3) */
	WK_RSTDIAG_UNKNOWN,	/* anything else */
	WK_RSTDIAG_N_FORMATS,
};

/* The four tables of reason codes; the same number means different things. */
enum wk_rstdiag_registry {
	WK_RSTDIAG_FIRST,	/* the announcement of early 2022: 1 to 9 */
	WK_RSTDIAG_2022,	/* -04 to -09: 1 to 13 */
	WK_RSTDIAG_IETF_00,	/* -10 to ietf-02: 1 to 17 */
	WK_RSTDIAG_IETF_03,	/* ietf-03: 1 to 19 */
	WK_RSTDIAG_N_REGISTRIES,
};

enum wk_rstdiag_warning {
	WK_RSTDIAG_W_TEXT_AND_CODE = 1 << 0, /* -04: should not; -11: must not */
	WK_RSTDIAG_W_LONG = 1 << 1,	/* CBOR beyond 255 octets, -04 section 6 */
	WK_RSTDIAG_W_TEXT_KEYS = 1 << 2, /* key names instead of numbers */
	WK_RSTDIAG_W_UNKNOWN_KEY = 1 << 3, /* ignored */
	WK_RSTDIAG_W_RESERVED_PEN = 1 << 4, /* 0xFFFFFFFF, RFC 9371 section 3 */
	WK_RSTDIAG_W_SURPLUS = 1 << 5,	/* -14: octets behind, ignored */
};
#define WK_RSTDIAG_N_WARNINGS 6

/* Bits for wk_rstdiag_decode(): formats that are only recognised if asked. */
#define WK_RSTDIAG_ASK(format) (1u << (format))

#define WK_RSTDIAG_MAX 65535
#define WK_RSTDIAG_PEN_RESERVED UINT32_C(0xffffffff)

struct wk_rstdiag {
	enum wk_rstdiag_format format;
	bool is_diagnostic;	/* one of the draft's formats, valid or not */
	bool is_valid;		/* …and it follows that format's rules */
	bool is_truncated;	/* the capture was cut; not called malformed */
	bool has_code, has_pen;
	uint16_t code;		/* linux-exp: the kernel's number */
	uint32_t pen;
	/* Borrowed, or NULL: of the payload, or scratch of this very struct. */
	const uint8_t *description;
	size_t description_len;
	unsigned warnings;	/* enum wk_rstdiag_warning */
	struct wk_error error;	/* why it is not valid; offset in the payload */
	uint8_t scratch[1024];	/* text that came in pieces or escaped */
};

/*
 * Decode the payload of a reset: len octets on the wire of which captured are
 * at data. ask is a set of WK_RSTDIAG_ASK() bits, 0 for none. Returns WK_OK
 * when d->is_valid or there is nothing of the drafts in it, otherwise
 * d->error.status; d is filled in both cases. A description may point into
 * data and ends with it. Unknown codes are valid (ietf-03 section 4.2).
 * A cut capture gives is_truncated, the fields that were captured, and WK_OK,
 * unless what is there is already wrong. Beyond WK_RSTDIAG_MAX octets nothing
 * is looked at: WK_E_LIMIT.
 */
int wk_rstdiag_decode(const uint8_t *data, size_t len, size_t captured,
    unsigned ask, struct wk_rstdiag *d);

/*
 * Append d (format, has_code, code, has_pen, pen, description) to b, CBOR in
 * its shortest form; with WK_RSTDIAG_W_TEXT_KEYS in warnings its keys are
 * written as names, as in the first announcement. Formats from COMPACT to JSON
 * and LINUX_EXP, TEXT can be written. WK_E_INVALID with a reason when the
 * format cannot carry it or its rules forbid it (code 0, pen without code, a
 * description in compact, text that is not UTF-8, neither code nor text, ...);
 * code and description together are written in CBOR, B13 and B14 and JSON as
 * asked. WK_E_LIMIT beyond WK_RSTDIAG_MAX octets or what b takes. After an
 * error b holds what it held before.
 */
int wk_rstdiag_encode(const struct wk_rstdiag *d, struct wk_buf *b,
    struct wk_error *error);

/* "compact", "cbor-seq", ...; NULL for a number that is no format. */
const char *wk_rstdiag_format_name(int format);

/* "ietf-03", ...; NULL for a number that is no registry. */
const char *wk_rstdiag_registry_name(int registry);

/* The other way: a format or registry, or -1. */
int wk_rstdiag_format_parse(const char *name);
int wk_rstdiag_registry_parse(const char *name);

/* One line for people, for each single warning bit. */
const char *wk_rstdiag_warning_text(unsigned bit);

struct wk_rstdiag_reason {
	uint16_t code;
	const char *name;	/* to type: "timeout" */
	const char *text;	/* the table's words: "Connection timeout" */
	const char *section;	/* where the condition is defined, or "" */
	bool is_on_path;	/* middleboxes may use it too */
};

/* The table of a registry, ascending by code; *n entries. */
const struct wk_rstdiag_reason *wk_rstdiag_reasons(
    enum wk_rstdiag_registry registry, size_t *n);

/* The entry of a code, or NULL when the registry does not have it. */
const struct wk_rstdiag_reason *wk_rstdiag_reason(
    enum wk_rstdiag_registry registry, uint64_t code);

/*
 * A code from its name in that registry or from a number 1 to 65535 (0x too).
 * WK_E_INVALID with a reason; a name of another registry is said to be so.
 */
int wk_rstdiag_code_parse(enum wk_rstdiag_registry registry, const char *text,
    uint16_t *code, struct wk_error *error);

/*
 * The registries that could have meant a code in this format: compact is
 * ietf-03 or ietf-00, CBOR is ietf-00 or 2022, the array is first or 2022.
 * Writes up to two, most likely first, and returns how many; a code that one
 * of them does not know still counts it.
 */
size_t wk_rstdiag_candidates(enum wk_rstdiag_format format,
    enum wk_rstdiag_registry out[2]);

/* Name of Linux's enum sk_rst_reason (6.18), or NULL. */
const char *wk_linux_rst_reason(unsigned number);

/* Name of an MPTCP reset reason (RFC 8684, section 3.6), or NULL. */
const char *wk_mptcp_rst_reason(unsigned number);
