/* SPDX-License-Identifier: MIT */
/*
 * A message head as HTTP means it (RFC 9110), whatever version carries it, and
 * the rules that do not depend on the version: which heads may be sent, which
 * received ones are malformed (RFC 9113, section 8; RFC 9114, section 4), what
 * opens a tunnel (RFC 8441, RFC 9220, RFC 9298 section 3, RFC 9297 section 3).
 *
 * A tunnel request is method CONNECT with a protocol, in every version. Over
 * HTTP/1.1 it travels as GET with Upgrade and success as 101; the session
 * translates both, so that nobody above writes or reads Upgrade, Connection,
 * Host or Transfer-Encoding.
 *
 * Pure: text is borrowed, nothing is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

struct wk_field {
	struct wk_str name;	/* in lower case */
	struct wk_str value;
};

/* One of texts that end with a NUL; the name is in lower case. */
static inline struct wk_field
wk_field_of(const char *name, const char *value)
{
	struct wk_field field = { wk_str_of(name), wk_str_of(value) };

	return field;
}

struct wk_message {
	/* A request: method is not empty. */
	struct wk_str method;
	/*
	 * Of a tunnel, "connect-udp"; else empty. In a 426 response: what to
	 * upgrade to, which only HTTP/1.1 can say.
	 */
	struct wk_str protocol;
	struct wk_str scheme;	/* empty for a CONNECT without protocol */
	struct wk_str authority;
	struct wk_str path;	/* with the query; empty as scheme is */
	/* A response: 100 to 999, as on the wire. */
	uint16_t status;
	/* A response that opens the tunnel asked for; set by sessions. */
	bool opens_tunnel;
	const struct wk_field *fields;	/* in order, no pseudo-header fields */
	size_t n_fields;
};

bool wk_message_is_request(const struct wk_message *m);
bool wk_message_is_tunnel_request(const struct wk_message *m);

/* The next field of that lower-case name after that one, or NULL. */
const struct wk_field *wk_message_find(const struct wk_message *m,
    const char *name, const struct wk_field *after);

/* The values of all its lines, for sfv: writes up to max, returns how many. */
size_t wk_message_lines(const struct wk_message *m, const char *name,
    struct wk_str *lines, size_t max);

/*
 * Content-Length: 1 and the number when there is one valid line, at most
 * 2^63-1; 0 when there is none; WK_E_MALFORMED.
 */
int wk_message_content_length(const struct wk_message *m, uint64_t *length);

/* Whether a field of that name, of any case, is of one connection alone. */
bool wk_message_is_connection_field(struct wk_str name);

/* A protocol of a tunnel: a name, and a version behind "/" (RFC 9110, 7.8). */
bool wk_message_is_protocol(struct wk_str text);

/*
 * Whether a head may be sent in any version: names are lower-case tokens and
 * not of this connection alone (connection, upgrade, host, te other than
 * trailers, ...), values have no CR, LF or NUL and no blanks around, the
 * request line parts are there and have only characters that they may have,
 * Content-Length is one number, the status is not 101. Also what a received
 * HTTP/2 or HTTP/3 head must satisfy. WK_E_INVALID with the reason; the offset
 * is the field's index, or 0.
 */
int wk_message_check(const struct wk_message *m, struct wk_error *error);

/*
 * Capsule-Protocol: ?1 in exactly one line (RFC 9297, section 3.4). Anything
 * else is as good as absent.
 */
bool wk_message_has_capsule_protocol(const struct wk_message *m);

/*
 * A tunnel's request or response must not describe content: Content-Length,
 * Content-Type, Transfer-Encoding (RFC 9297, section 3.2). WK_E_MALFORMED names
 * the field.
 */
int wk_message_check_tunnel_fields(const struct wk_message *m,
    struct wk_error *error);

/*
 * What the answer to a tunnel request of HTTP/2 or HTTP/3 means: WK_OK when it
 * opens the tunnel; WK_E_UNSUPPORTED when it refuses (any status but 2xx);
 * WK_E_MALFORMED when it is 204, 205, 206 or describes content. error may be
 * NULL.
 */
int wk_message_tunnel_answer(const struct wk_message *response,
    struct wk_error *error);

/* The reason phrase of RFC 9110 and its relatives, "" for unknown ones. */
const char *wk_message_reason(unsigned status);
