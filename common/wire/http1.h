/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 message heads (RFC 9112, RFC 9110), strictly: where the documents
 * let a recipient be lenient, two recipients can differ, and that is how
 * requests are smuggled (RFC 9112, section 11.2). Heads are read from octets
 * as they arrive into the caller's storage; then come field look-up, the
 * decision how the body is framed, the chunked coding, and writing.
 *
 * Refused: lines that do not end in CR LF, CR or LF elsewhere, NUL and other
 * control characters, folded lines, a space before the colon, more than single
 * spaces in the first line, field names and targets with characters that they
 * cannot have, a major version other than 1, a request without just one valid
 * Host (HTTP/1.0: more than one); and wk_http1_framing() adds its own.
 * Accepted beyond the grammar: one empty line before a request (section 2.2),
 * and a status line without the space behind the code when there is no reason.
 *
 * A server answers WK_E_MALFORMED with 400, WK_E_LIMIT with 431 or, while
 * n_fields and the target's length are 0, with 414, WK_E_UNSUPPORTED from
 * reading with 505 and from framing with 501, and closes in all cases.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/str.h"

enum wk_http1_kind {
	WK_HTTP1_REQUEST,
	WK_HTTP1_RESPONSE,
	WK_HTTP1_TRAILERS,	/* field lines only; see the chunk reader */
};

/* A stretch of head.data, which may move as long as it is kept whole. */
struct wk_http1_slice {
	uint32_t at, len;
};

struct wk_http1_field {
	struct wk_http1_slice name, value;	/* whitespace around cut off */
};

struct wk_http1_head {
	enum wk_http1_kind kind;
	const char *data;		/* the caller's storage */
	size_t len;			/* octets in it, the empty line too */
	uint8_t minor;			/* the version is HTTP/1.minor */
	struct wk_http1_slice method, target;	/* of a request */
	uint16_t status;		/* of a response: 100 to 999 */
	struct wk_http1_slice reason;
	const struct wk_http1_field *fields;	/* the caller's, in order */
	size_t n_fields;
};

struct wk_http1_reader {	/* caller's storage; all but head is private */
	struct wk_http1_head head;	/* complete after WK_HTTP1_HEAD */
	char *data;
	struct wk_http1_field *fields;
	size_t max_fields, size, line;
	uint64_t skipped;
	struct wk_error error;
	bool has_cr;
	int state;
};

/*
 * Read one head into data, at most size octets with all line ends, and fields,
 * at most max_fields. Both belong to the caller and must stay for as long as
 * the head is used. A reader needs no freeing; the next head needs a new init.
 */
void wk_http1_reader_init(struct wk_http1_reader *r, enum wk_http1_kind kind,
    char *data, size_t size, struct wk_http1_field *fields, size_t max_fields);

/*
 * Go on in larger storage, to which the caller has copied what the old had; so
 * that a head may start small. Nothing but the size may have changed.
 */
void wk_http1_reader_grow(struct wk_http1_reader *r, char *data, size_t size);

enum wk_http1_event {
	WK_HTTP1_MORE,		/* input used up; call again with more */
	WK_HTTP1_HEAD,		/* the head is complete */
};

/*
 * Consume from *in (advancing it, shrinking *in_len) until the head is
 * complete; what follows it is left in *in: a body, the next message, or a
 * tunnel's first octets. Returns an enum wk_http1_event or a negative status
 * with r->error set, offset counted from the first octet given to this reader;
 * after that, and after HEAD, every call returns the same. Cutting the input
 * at any place changes nothing.
 */
int wk_http1_read(struct wk_http1_reader *r, const uint8_t **in,
    size_t *in_len);

/*
 * At the end of the connection: WK_OK when nothing had arrived, or the head is
 * complete; WK_E_TRUNCATED within a head; or the error there was.
 */
int wk_http1_reader_finish(struct wk_http1_reader *r);

struct wk_str wk_http1_str(const struct wk_http1_head *head,
    struct wk_http1_slice slice);

/*
 * The next field of that name, whatever its case: after NULL the first, NULL
 * when there is none.
 */
const struct wk_http1_field *wk_http1_find(const struct wk_http1_head *head,
    const char *name, const struct wk_http1_field *after);

/*
 * The values of all field lines of that name, for rooms that read lines, such
 * as sfv. Writes up to max and returns how many there are.
 */
size_t wk_http1_lines(const struct wk_http1_head *head, const char *name,
    struct wk_str *lines, size_t max);

/*
 * The elements of a field that is a list (RFC 9110, section 5.6.1) over all of
 * its lines: split at commas outside quoted strings, trimmed, empty ones left
 * out. A quoted string that does not end takes the rest of its line.
 */
struct wk_http1_list {	/* caller's storage; fields are private */
	const struct wk_http1_head *head;
	const struct wk_http1_field *field;
	const char *name;
	size_t at;
};

void wk_http1_list_init(struct wk_http1_list *list,
    const struct wk_http1_head *head, const char *name);
bool wk_http1_list_next(struct wk_http1_list *list, struct wk_str *element);

/* Whether such a list has that element, whatever its case: "upgrade". */
bool wk_http1_list_has(const struct wk_http1_head *head, const char *name,
    const char *element);

/* Whether the connection goes on after this message (RFC 9112, section 9.3). */
bool wk_http1_is_persistent(const struct wk_http1_head *head);

enum wk_http1_framing {
	WK_HTTP1_NO_BODY,
	WK_HTTP1_LENGTH,	/* that many octets, possibly 0 */
	WK_HTTP1_CHUNKED,
	WK_HTTP1_UNTIL_CLOSE,	/* all up to the end of the connection */
	WK_HTTP1_TUNNEL,	/* 101, or 2xx to CONNECT: no HTTP any more */
};

/*
 * What follows the head (RFC 9112, section 6.3). request_method is that of the
 * request a response answers; a request's own is in its head. *length is 0 but
 * for WK_HTTP1_LENGTH, and there at most 2^63-1.
 *
 * WK_E_MALFORMED, beyond what that section demands: Transfer-Encoding together
 * with Content-Length or in HTTP/1.0, more than one Content-Length even if
 * equal, a chunked that is not last, not alone in its line, or comes twice, and
 * a CONNECT request with a body. WK_E_UNSUPPORTED: other transfer codings than
 * chunked. WK_E_LIMIT: a Content-Length beyond 2^63-1. A request with Upgrade
 * still has its body first; a CONNECT request has none, and what follows it is
 * for the tunnel if there will be one.
 */
int wk_http1_framing(const struct wk_http1_head *head,
    struct wk_str request_method, enum wk_http1_framing *framing,
    uint64_t *length, struct wk_error *error);

/* host[:port], as in Host, CONNECT and URIs (RFC 3986, section 3.2). */
struct wk_http1_authority {
	struct wk_str host;	/* IPv6 without its brackets; may be empty */
	bool is_ipv6;		/* was in brackets; otherwise not checked */
	int port;		/* -1: none, or empty behind the colon */
};

/*
 * User information, zone ids and IPvFuture are refused. WK_E_MALFORMED with
 * the offset in text. The host is borrowed, and not percent-decoded.
 */
int wk_http1_authority_parse(struct wk_str text,
    struct wk_http1_authority *authority, struct wk_error *error);

enum wk_http1_form {		/* RFC 9112, section 3.2 */
	WK_HTTP1_ORIGIN,	/* /path?query */
	WK_HTTP1_ABSOLUTE,	/* scheme://authority/path?query */
	WK_HTTP1_AUTHORITY,	/* host:port, CONNECT only */
	WK_HTTP1_ASTERISK,	/* *, OPTIONS only */
};

struct wk_http1_target {
	enum wk_http1_form form;
	struct wk_str scheme;	/* of the absolute form */
	struct wk_http1_authority authority; /* absolute and authority form */
	/* As written, borrowed; in absolute form then counts, not Host. */
	struct wk_str authority_text;
	struct wk_str path;	/* path and query; may be empty if absolute */
};

/*
 * Take a request target apart; the reader has done so once to validate it. It
 * serves for URLs too, with a method such as GET: fragments and user
 * information are refused. WK_E_MALFORMED with the offset in target.
 */
int wk_http1_target_parse(struct wk_str method, struct wk_str target,
    struct wk_http1_target *out, struct wk_error *error);

/*
 * The chunked coding (RFC 9112, section 7.1). Values are streamed: DATA points
 * into the input. Chunk extensions are ignored, up to 16 KiB of them in a
 * body. Trailer fields end up in r->trailers.head, never among the header
 * fields.
 */
#define WK_HTTP1_CHUNK_EXTENSIONS_MAX 16384

enum wk_http1_chunk_event {
	WK_HTTP1_CHUNK_MORE,	/* input used up */
	WK_HTTP1_CHUNK_DATA,	/* a piece of the body */
	WK_HTTP1_CHUNK_END,	/* the body and its trailers are complete */
};

struct wk_http1_chunk_reader {	/* caller's storage; private but trailers */
	struct wk_http1_reader trailers;
	uint64_t left, max_left, size, offset;
	uint32_t n_extension;
	uint8_t n_digits;
	int state;
	struct wk_error error;
};

/*
 * A body of more than max_data octets is WK_E_LIMIT, as soon as a chunk's size
 * tells. data, size, fields, max_fields hold the trailers, as for a reader;
 * size must be 2 at least, for the empty line.
 */
void wk_http1_chunk_reader_init(struct wk_http1_chunk_reader *r,
    uint64_t max_data, char *data, size_t size,
    struct wk_http1_field *fields, size_t max_fields);

/*
 * Consume from *in up to the next event; for DATA, *data and *data_len are a
 * piece of what was consumed. Returns an enum wk_http1_chunk_event or a
 * negative status with r->error set, offset counted from the body's first
 * octet; after END and errors every call returns the same.
 */
int wk_http1_chunk_read(struct wk_http1_chunk_reader *r, const uint8_t **in,
    size_t *in_len, const uint8_t **data, size_t *data_len);

/* At the end of the connection: WK_OK after END, else WK_E_TRUNCATED. */
int wk_http1_chunk_reader_finish(struct wk_http1_chunk_reader *r);

/*
 * Writing. Each call appends to b and returns b->status; what cannot be
 * written (a line end in a value, say) sets that to WK_E_INVALID, and as in
 * any wk_buf the first error sticks. A message is a first line, fields, end.
 */
int wk_http1_put_request(struct wk_buf *b, struct wk_str method,
    struct wk_str target);
int wk_http1_put_status(struct wk_buf *b, unsigned status,
    struct wk_str reason);
int wk_http1_put_field(struct wk_buf *b, const char *name,
    struct wk_str value);
int wk_http1_put_end(struct wk_buf *b);

/* One whole chunk; nothing for no octets, which would mean the end. */
int wk_http1_put_chunk(struct wk_buf *b, const void *data, size_t len);

/*
 * The same without a copy: this line, then len (not 0) octets and CR LF, which
 * the caller writes.
 */
int wk_http1_put_chunk_head(struct wk_buf *b, uint64_t len);

/* The last chunk; trailer fields may follow, then wk_http1_put_end(). */
int wk_http1_put_last_chunk(struct wk_buf *b);
