/* SPDX-License-Identifier: MIT */
/*
 * Datagrams on a pipe or in a file: how one is told from the next. The reader
 * is fed with octets as they arrive and gives datagrams; the writer writes to
 * the result stream (out.h). A reader holds at most one datagram, and never
 * more octets of one than it was allowed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/wire/varint.h"

enum wk_framing {
	WK_FRAMING_LINE,	/* each line one, without its newline */
	WK_FRAMING_RAW,		/* what arrives at once; nothing in between */
	WK_FRAMING_WHOLE,	/* all there is; nothing in between */
	WK_FRAMING_HEX,		/* each line one, in hexadecimal; # comments */
	WK_FRAMING_U16,		/* its length on 2 octets in front of each */
	WK_FRAMING_VARINT,	/* its length as a varint in front of each */
	WK_FRAMING_NDJSON,	/* {"event":"datagram","payload_hex":"6869"} */
};

/* Their names in this order, ending with NULL: choices for an option. */
extern const char *const wk_framing_names[];

/* Is it made of lines, so that errors are counted in lines, not octets? */
bool wk_framing_is_text(enum wk_framing framing);

struct wk_framing_datagram {
	const uint8_t *data;	/* borrowed */
	size_t len;
	/* Only NDJSON tells and writes it; member "context_id". */
	bool has_context;
	uint64_t context_id;
};

enum wk_framing_event {
	WK_FRAMING_MORE,	/* input used up; call again with more */
	WK_FRAMING_DATAGRAM,
};

struct wk_framing_reader {	/* caller's storage; fields are private */
	struct wk_error error;	/* to read after an error; its offset is a */
				/* line, from 1, or an octet, from 0 */
	enum wk_framing framing;
	size_t max;
	struct wk_buf text;	/* a part that arrived, or a line */
	struct wk_buf octets;	/* what the line says */
	uint64_t place;		/* octets consumed, or whole lines */
	uint64_t begin;		/* of the datagram we are in */
	uint64_t left;		/* octets of it still to come */
	struct wk_varint_reader num;
	uint16_t length;	/* the last two octets of one */
	uint8_t state;
};

/* Datagrams of more than max octets are errors (raw ones are cut there). */
void wk_framing_reader_init(struct wk_framing_reader *r,
    enum wk_framing framing, size_t max);
void wk_framing_reader_free(struct wk_framing_reader *r);

/*
 * Consume from *in (advancing it, shrinking *in_len) up to the next datagram
 * and describe that in *d, valid until the input changes or the next call.
 * Returns an event, or a negative wk_status with r->error set: WK_E_LIMIT for
 * one that is too long, WK_E_MALFORMED for a line that says nothing, WK_E_NOMEM.
 * Such a datagram is skipped, the next call goes on behind it. Objects of other
 * events are passed over silently, and so are comments.
 */
int wk_framing_read(struct wk_framing_reader *r, const uint8_t **in,
    size_t *in_len, struct wk_framing_datagram *d);

/*
 * At the end of the input: a last datagram (a line without newline, the whole),
 * WK_FRAMING_MORE when there is none, or an error, WK_E_TRUNCATED when it ends
 * inside of one. Call until it is WK_FRAMING_MORE.
 */
int wk_framing_finish(struct wk_framing_reader *r,
    struct wk_framing_datagram *d);

/* "tool: name: line 3: reason", or "byte 17", for r->error. */
void wk_framing_warn(const char *name, const struct wk_framing_reader *r);

struct wk_framing_writer {
	enum wk_framing framing;
	bool escapes;		/* lines go to a terminal: show, do not act */
};

/* escapes: see above; wk_text_escape() says how. */
void wk_framing_writer_init(struct wk_framing_writer *w,
    enum wk_framing framing, bool escapes);

/*
 * Write a datagram. The octets must stay until the next wk_out_flush(), which
 * is the caller's business. WK_E_LIMIT, and nothing written, when its length
 * does not fit the framing. A line is written as it is: one with a newline in
 * it cannot be told from two.
 */
int wk_framing_write(struct wk_framing_writer *w,
    const struct wk_framing_datagram *d);

/*
 * The same in pieces: begin with d->data ignored and length in all, then the
 * pieces, then the end, which may come early when there is no more.
 */
int wk_framing_write_begin(struct wk_framing_writer *w,
    const struct wk_framing_datagram *d, uint64_t length);
void wk_framing_write_piece(struct wk_framing_writer *w, const uint8_t *data,
    size_t len);
void wk_framing_write_end(struct wk_framing_writer *w);
