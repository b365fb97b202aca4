/* SPDX-License-Identifier: MIT */
/*
 * A message head as HTTP/2 and HTTP/3 carry it: field lines one by one, with
 * the request or status line as pseudo-header fields in front (RFC 9113,
 * section 8.3; RFC 9114, section 4.3). Reads what a decompressor gives into a
 * struct wk_message, with the rules of both documents and with bounds; and
 * lists the lines of a message to be sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/wire/message.h"

enum wk_head_kind {
	WK_HEAD_REQUEST,
	WK_HEAD_RESPONSE,
	WK_HEAD_TRAILERS,
};

/* What a line counts beyond its text (RFC 9113, section 6.5.2). */
#define WK_HEAD_LINE_OCTETS 32

struct wk_head {	/* caller's storage; fields are private */
	enum wk_head_kind kind;
	struct wk_buf text;	/* names and values, one behind the other */
	struct wk_field *lines;
	size_t n_lines, cap;
	size_t n_fields, max_fields; /* of the lines, those that are no pseudo */
	size_t octets, max_octets;
	unsigned seen;		/* pseudo-header fields, as bits */
	struct wk_error error;	/* the first one sticks */
};

/* Bounds: octets as the sizes of lines are counted; fields besides pseudo. */
void wk_head_init(struct wk_head *h, size_t max_octets, size_t max_fields);
void wk_head_free(struct wk_head *h);

/* Forget the last head and begin another. */
void wk_head_start(struct wk_head *h, enum wk_head_kind kind);

/*
 * The next line. WK_OK, or the first error of this head: WK_E_LIMIT,
 * WK_E_NOMEM, WK_E_MALFORMED; further lines may then be skipped.
 */
int wk_head_add(struct wk_head *h, struct wk_str name, struct wk_str value);

/*
 * The head is complete: fill *m, which borrows from h until it starts again.
 * Host becomes the authority where there is none. The first error of this
 * head, or WK_E_MALFORMED for what is missing or wrong as a whole; trailers
 * fill only the fields.
 */
int wk_head_finish(struct wk_head *h, struct wk_message *m,
    struct wk_error *error);

/* The most lines that a message may come to. */
#define WK_HEAD_PSEUDO_MAX 5

/*
 * The lines of a message that may be sent, pseudo-header fields first, at most
 * WK_HEAD_PSEUDO_MAX + m->n_fields; they borrow from m and status. Returns how
 * many.
 */
size_t wk_head_lines(const struct wk_message *m, char status[4],
    struct wk_field *lines);
