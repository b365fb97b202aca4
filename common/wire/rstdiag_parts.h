/* SPDX-License-Identifier: MIT */
/*
 * What the files of the rstdiag room share among themselves: the dispatcher
 * in rstdiag.c asks one reader per format, rstdiag_encode.c one writer.
 */
#pragma once

#include "common/wire/rstdiag.h"

#define RSTDIAG_MAGIC UINT16_C(0x33aa)
#define RSTDIAG_MAGIC_TEXT UINT16_C(0xf317)
#define RSTDIAG_COOKIE UINT16_C(12345)
#define RSTDIAG_COMPACT_LEN 8
#define RSTDIAG_LINUX_LEN 1000
#define RSTDIAG_LONG 255	/* CBOR beyond it is warned about */

/* What a reader returns beside WK_OK and errors. */
enum {
	RSTDIAG_CUT = 1,	/* right so far, then the capture ends */
	RSTDIAG_OTHER = 2,	/* not this format; nothing was touched */
};

struct rstdiag_input {
	const uint8_t *data;
	size_t len;		/* octets on the wire */
	size_t captured;	/* of those, octets at data */
};

/*
 * The payload would have to have need octets, but the reader ran out of them:
 * RSTDIAG_CUT when the wire had them, else WK_E_TRUNCATED in *error.
 */
int wk_rstdiag_ends(const struct rstdiag_input *in, size_t need,
    struct wk_error *error);

/*
 * Check len octets of text. The end of a cut text may fall into a character,
 * which *valid then leaves out. Else WK_E_MALFORMED at offset + its place.
 */
int wk_rstdiag_check_utf8(const uint8_t *text, size_t len, bool is_cut,
    size_t offset, size_t *valid, struct wk_error *error);

/* The text to show of len octets that may be plain text; 0 if they are not. */
size_t wk_rstdiag_plain_text(const uint8_t *text, size_t len, bool is_cut);

/* Set a field after checking its range; offset is for the error. */
int wk_rstdiag_set_code(struct wk_rstdiag *d, uint64_t code, size_t offset);
int wk_rstdiag_set_pen(struct wk_rstdiag *d, uint64_t pen, size_t offset);

/* Set the description to len octets at offset at, as far as captured. */
int wk_rstdiag_set_text(struct wk_rstdiag *d, const struct rstdiag_input *in,
    size_t at, size_t len);

/* Has it what every format with optional fields must have? */
int wk_rstdiag_check_fields(struct wk_rstdiag *d, size_t offset);

/* Readers in files of their own; d->format says which form is tried. */
int wk_rstdiag_read_cbor(const struct rstdiag_input *in, struct wk_rstdiag *d);
int wk_rstdiag_read_json(const struct rstdiag_input *in, struct wk_rstdiag *d);

/* Writers in files of their own; fields were checked, b->status tells. */
void wk_rstdiag_write_cbor(const struct wk_rstdiag *d, struct wk_buf *b);
void wk_rstdiag_write_json(const struct wk_rstdiag *d, struct wk_buf *b);
