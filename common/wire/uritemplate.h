/* SPDX-License-Identifier: MIT */
/*
 * URI Templates (RFC 6570) up to level 3 with string values, and the way back:
 * from a request to the values that a template was expanded with. Proxies are
 * configured with them: RFC 9298 section 2 (connect-udp, target_host and
 * target_port), RFC 9484 section 3 (connect-ip, target and ipproto).
 *
 * A template is taken apart once and then only read; nothing is allocated. Its
 * text is borrowed and must outlive it. Level 4 (":3" and "*" behind a name)
 * is WK_E_UNSUPPORTED.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/str.h"

#define WK_URITEMPLATE_PARTS_MAX 32

/* Literal text, or one variable; private. */
struct wk_uritemplate_part {
	struct wk_str text;	/* the literal, or the variable's name */
	size_t offset;		/* in the template */
	char op;		/* 0: literal; ' ': no operator; "+#./;?&" */
	bool is_first;		/* of its expression */
};

struct wk_uritemplate {
	struct wk_uritemplate_part parts[WK_URITEMPLATE_PARTS_MAX];
	size_t n_parts;
	struct wk_str text;	/* the whole template, borrowed */
	/*
	 * Its literal beginning, empty where there is none: "https" and
	 * "proxy.example:4443" of https://proxy.example:4443/{a}.
	 */
	struct wk_str scheme, authority;
};

/*
 * Take a template apart. WK_E_MALFORMED with offset and reason,
 * WK_E_UNSUPPORTED for level 4 and the operators reserved for extensions,
 * WK_E_LIMIT for more than WK_URITEMPLATE_PARTS_MAX literals and variables.
 */
int wk_uritemplate_parse(struct wk_uritemplate *t, struct wk_str text,
    struct wk_error *error);

/*
 * The rules of RFC 9298 section 2 and RFC 9484 section 3 for the template of a
 * proxy, whose n variables in names have to occur (connect-udp: both of its
 * own; connect-ip: none has to; others may occur always):
 * absolute, that is scheme, "://", authority and a path that starts with "/",
 * none empty and no fragment (RFC 3986, section 4.3); variables in path or
 * query only; octets 0x21 to 0x7e only; no operator but "?" and "&"; level 3
 * or lower, which parse() has seen to. WK_E_INVALID with offset and reason.
 */
int wk_uritemplate_check_proxy(const struct wk_uritemplate *t,
    const char *const *names, size_t n, struct wk_error *error);

/* Whether a variable of that name occurs. */
bool wk_uritemplate_has(const struct wk_uritemplate *t, const char *name);

struct wk_uritemplate_var {
	const char *name;	/* the caller's */
	/*
	 * expand(): the value, in plain. match(): the octets found, still
	 * percent-encoded, borrowed from the path.
	 */
	struct wk_str value;
	bool is_defined;	/* false: expands to nothing; was not found */
};

/*
 * Append the expansion of t. A name that vars lacks is undefined. Octets
 * outside what the operator allows are percent-encoded, an IPv6 address is
 * therefore given as it is, without brackets. What values may be, for instance
 * not empty in both RFCs, is for the protocol's room. Returns b->status.
 */
int wk_uritemplate_expand(const struct wk_uritemplate *t,
    const struct wk_uritemplate_var *vars, size_t n, struct wk_buf *b);

/*
 * Whether match() can undo the expansion of this template with one possible
 * outcome: ASCII; a path that starts with a slash, with or without scheme and
 * authority in front; no operators but "?" and "&"; behind a variable comes
 * the end or a character that no value contains unencoded, so not another
 * variable, a letter, a digit, or one of "-._~%"; and expressions with "?" and
 * "&" are last and name nothing twice. WK_E_UNSUPPORTED with offset and reason
 * otherwise.
 */
int wk_uritemplate_check_match(const struct wk_uritemplate *t,
    struct wk_error *error);

/*
 * Match the path and query of a request (":path", or of the request target)
 * with the path and query of t; scheme and authority are the caller's to
 * compare. Fills is_defined and value of every var in vars, also before it
 * fails; variables of the template that are not in vars are matched and
 * forgotten, those only in vars stay undefined.
 *
 * Literals match octet for octet. Values may contain what the path or query
 * may contain (RFC 3986, section 3.3), except for the character that ends
 * them: ":" and "*" are accepted unencoded. A value may be empty, but of {a,b}
 * both have to be there. Variables of "?" and "&" may come in any order or be
 * missing, but not twice, and nothing else may come with them.
 *
 * WK_OK, WK_E_MALFORMED with offset in path and reason (the request means
 * something else), or what wk_uritemplate_check_match() says.
 */
int wk_uritemplate_match(const struct wk_uritemplate *t, struct wk_str path,
    struct wk_uritemplate_var *vars, size_t n, struct wk_error *error);

/*
 * Append text with every %XX replaced by its octet, once. WK_E_MALFORMED names
 * a percent sign without two hexadecimal digits. The result may hold any
 * octet, NUL included.
 */
int wk_uritemplate_decode(struct wk_str text, struct wk_buf *b,
    struct wk_error *error);
