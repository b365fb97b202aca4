/* SPDX-License-Identifier: MIT */
/*
 * Structured Field Values for HTTP (RFC 9651, the successor of RFC 8941):
 * Items, Lists and Dictionaries, read by pulling parts out of the text and
 * written by putting parts into a buffer. No tree is built and reading
 * allocates nothing; text in a part is borrowed from the caller's field lines.
 *
 * A field is valid as a whole or not at all (section 4.2): what was pulled
 * before an error must be forgotten, and the field treated as absent. Check
 * it first with wk_sfv_check() where forgetting is not easy; the finders below
 * do so themselves.
 *
 * Keys may repeat. Parts come as written, and the last one of a key counts: in
 * a Dictionary a later member replaces an earlier one of the same key together
 * with its parameters (while keeping the earlier one's place in the order),
 * and a later parameter replaces an earlier one. A caller that assigns as it
 * reads therefore ends up right if it also resets what came with parameters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/str.h"

enum wk_sfv_kind {
	WK_SFV_ITEM,
	WK_SFV_LIST,
	WK_SFV_DICTIONARY,
};

enum wk_sfv_type {
	WK_SFV_INTEGER,
	WK_SFV_DECIMAL,
	WK_SFV_STRING,
	WK_SFV_TOKEN,
	WK_SFV_BYTES,		/* Byte Sequence */
	WK_SFV_BOOLEAN,
	WK_SFV_DATE,
	WK_SFV_DISPLAY,		/* Display String */
	WK_SFV_INNER_LIST,	/* its items follow as parts of their own */
};

/* The widest Integer, section 3.3.1; Decimals have it in thousandths. */
#define WK_SFV_NUMBER_MAX INT64_C(999999999999999)

struct wk_sfv_value {
	enum wk_sfv_type type;
	/*
	 * Integer; Decimal in thousandths; Date in seconds since 1970, without
	 * leap seconds; Boolean 0 or 1.
	 */
	int64_t number;
	/*
	 * String, Token, Byte Sequence, Display String: what stands between
	 * the delimiters, still escaped. Borrowed from the field lines.
	 */
	struct wk_str text;
	bool is_escaped;	/* text differs from what it stands for */
};

enum wk_sfv_event {
	WK_SFV_END,		/* the field is over, and was valid */
	WK_SFV_MEMBER,		/* the Item or a member; Dictionary: with key */
	WK_SFV_INNER_ITEM,	/* an Item of the Inner List now open */
	WK_SFV_INNER_END,	/* its ")": the list's parameters follow */
	WK_SFV_PARAM,		/* a parameter of what came before it */
};

struct wk_sfv_part {
	struct wk_str key;	/* of a Dictionary member or parameter */
	struct wk_sfv_value value; /* not for INNER_END and END */
	uint64_t offset;	/* where it starts; a parameter: its ";" */
};

/*
 * One place in a field. Plain data: assigning it to another variable marks
 * the place, to come back to or to look around from. Fields are private.
 */
struct wk_sfv {
	const struct wk_str *lines;	/* borrowed, as are their octets */
	size_t n_lines, line, at;
	uint64_t line_offset;
	enum wk_sfv_kind kind;
	int state;
	bool is_inner;
	struct wk_error error;
};

/*
 * Start on a field of that kind which came in n field lines, in order, each
 * without the field name and the whitespace around it. The lines count as
 * joined with ", " (section 4.2), and offsets are those in the joined text,
 * but nothing is copied. For that a String may not go on in the next line,
 * where the document leaves us the choice. No line at all is an empty List
 * or Dictionary, and not an Item. The lines must outlive the reading.
 */
void wk_sfv_init(struct wk_sfv *p, enum wk_sfv_kind kind,
    const struct wk_str *lines, size_t n);

/*
 * Pull the next part into *part. Returns an enum wk_sfv_event, or
 * WK_E_MALFORMED with p->error set; after END or an error it returns the same
 * again. No part is given twice, and each takes time in proportion to its text.
 */
int wk_sfv_next(struct wk_sfv *p, struct wk_sfv_part *part);

/* Read a field to its end: WK_OK when it is valid. error may be NULL. */
int wk_sfv_check(enum wk_sfv_kind kind, const struct wk_str *lines, size_t n,
    struct wk_error *error);

/*
 * Read a whole field of kind Item. *value is it; *at (may be NULL) is the
 * place behind it, for wk_sfv_param(). WK_E_MALFORMED when it is not one.
 */
int wk_sfv_item(const struct wk_str *lines, size_t n,
    struct wk_sfv_value *value, struct wk_sfv *at, struct wk_error *error);

/*
 * Read a whole Dictionary and find a member. 1: *value and *at (may be NULL)
 * are those of the last member of that key; 0: there is none;
 * WK_E_MALFORMED: it is no Dictionary.
 */
int wk_sfv_find(const struct wk_str *lines, size_t n, const char *key,
    struct wk_sfv_value *value, struct wk_sfv *at, struct wk_error *error);

/*
 * A parameter of the part pulled last from *at, which stays where it is. Right
 * after a member that is an Inner List it means the parameters of the list.
 * 1: *value is the last one of that key; 0: none; WK_E_MALFORMED.
 */
int wk_sfv_param(const struct wk_sfv *at, const char *key,
    struct wk_sfv_value *value);

/*
 * Append what a String, Token, Byte Sequence or Display String stands for:
 * unescaped, base64 decoded, percent-decoded to valid UTF-8. Returns b->status,
 * or WK_E_INVALID for other types. value must have come from a reader. The
 * result may hold any octet, NUL included; for people it needs escaping.
 */
int wk_sfv_decode(const struct wk_sfv_value *value, struct wk_buf *b);

/* "Integer", "Byte Sequence", …; NULL for a number that is no type. */
const char *wk_sfv_type_name(int type);

/*
 * Writing, section 4.1. Every call returns WK_OK or an error; the first one
 * sticks, so that a field can be put together and looked at once, in finish().
 * A value follows key() in a Dictionary, param() anywhere, or begins a member
 * of a List or the Item. After an error the buffer holds half a field: cut it
 * back to where the field began.
 */
struct wk_sfv_writer {	/* caller's storage; fields are private */
	struct wk_buf *b;	/* borrowed */
	size_t start;
	enum wk_sfv_kind kind;
	int state;
	bool is_inner, has_member;
	struct wk_error error;	/* WK_E_INVALID and why, or the buffer's */
};

void wk_sfv_writer_init(struct wk_sfv_writer *w, enum wk_sfv_kind kind,
    struct wk_buf *b);

/* Begin a Dictionary member. Keys must differ; that is not checked. */
int wk_sfv_put_key(struct wk_sfv_writer *w, struct wk_str key);

/* Begin a parameter of what was put last; its value must follow. */
int wk_sfv_put_param(struct wk_sfv_writer *w, struct wk_str key);

/* Open an Inner List as member, and close it. */
int wk_sfv_put_inner(struct wk_sfv_writer *w);
int wk_sfv_put_inner_end(struct wk_sfv_writer *w);

/* Values; WK_E_INVALID when one cannot be written as its type. */
int wk_sfv_put_integer(struct wk_sfv_writer *w, int64_t number);
int wk_sfv_put_decimal(struct wk_sfv_writer *w, int64_t thousandths);
int wk_sfv_put_date(struct wk_sfv_writer *w, int64_t seconds);
int wk_sfv_put_boolean(struct wk_sfv_writer *w, bool value);
int wk_sfv_put_token(struct wk_sfv_writer *w, struct wk_str token);
int wk_sfv_put_string(struct wk_sfv_writer *w, struct wk_str text);
int wk_sfv_put_display(struct wk_sfv_writer *w, struct wk_str utf8);
int wk_sfv_put_bytes(struct wk_sfv_writer *w, const void *data, size_t len);

/* A value as it was read, in canonical form; an Inner List opens. */
int wk_sfv_put_value(struct wk_sfv_writer *w, const struct wk_sfv_value *value);

/*
 * The field is complete. WK_OK, or the first error, or WK_E_INVALID when
 * something is missing. A List or Dictionary without members appends nothing:
 * the field is then not to be sent at all (section 4.1, step 1).
 */
int wk_sfv_writer_finish(struct wk_sfv_writer *w);
