/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/uritemplate.h"

#include "common/base/text.h"
#include "common/wire/chars.h"

/* RFC 6570, appendix A: how each operator expands. */
struct behaviour {
	char op;
	const char *first, *separator;
	bool is_named;		/* name=value */
	const char *if_empty;	/* behind the name of an empty value */
	bool allows_reserved;	/* reserved characters and %XX pass */
};

static const struct behaviour *
behaviour_of(char op)
{
	static const struct behaviour table[] = {
		{ ' ', "", ",", false, "", false },
		{ '+', "", ",", false, "", true },
		{ '#', "#", ",", false, "", true },
		{ '.', ".", ".", false, "", false },
		{ '/', "/", "/", false, "", false },
		{ ';', ";", ";", true, "", false },
		{ '?', "?", "&", true, "=", false },
		{ '&', "&", "&", true, "=", false },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].op == op)
			return &table[i];
	return NULL;
}

/* Whether text at i is %XX. */
static bool
is_triplet(struct wk_str text, size_t i)
{
	return text.len - i >= 3 && text.at[i] == '%' &&
	    wk_hex_digit(text.at[i + 1]) >= 0 &&
	    wk_hex_digit(text.at[i + 2]) >= 0;
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/*
 * The length of the literal at i (RFC 6570, section 2.1): up to a brace or to
 * the first octet that no literal may hold, of which *reason then tells.
 */
static size_t
literal_span(struct wk_str text, size_t i, const char **reason)
{
	size_t start = i, n;
	uint32_t point;

	*reason = NULL;
	while (i < text.len && text.at[i] != '{') {
		if (text.at[i] == '%' && is_triplet(text, i)) {
			i += 3;
		} else if (text.at[i] == '%') {
			*reason = "expected two hexadecimal digits behind the "
			    "percent sign";
			break;
		} else if (wk_char_is(text.at[i], WK_CHAR_VISIBLE) &&
		    !is_one_of(text.at[i], "\"'<>\\^`|}")) {
			i++;
		} else if ((n = wk_utf8_decode((const uint8_t *)text.at + i,
		    text.len - i, &point)) > 1 && point >= 0xa0) {
			i += n;
		} else {
			*reason = "not a character for a URI";
			break;
		}
	}
	return i - start;
}

/* The length of a variable's name at i, 0 if there is none (section 2.3). */
static size_t
name_span(struct wk_str text, size_t i)
{
	size_t start = i;
	bool may_dot = false;

	while (i < text.len) {
		if (wk_char_is(text.at[i], WK_CHAR_ALPHA | WK_CHAR_DIGIT) ||
		    text.at[i] == '_')
			i++;
		else if (is_triplet(text, i))
			i += 3;
		else if (text.at[i] == '.' && may_dot)
			i++;
		else
			break;
		may_dot = text.at[i - 1] != '.';
	}
	return i > start && !may_dot ? i - start - 1 : i - start;
}

static int
add_part(struct wk_uritemplate *t, size_t at, size_t len, char op,
    bool is_first, struct wk_error *error)
{
	struct wk_uritemplate_part *part;

	if (t->n_parts == WK_URITEMPLATE_PARTS_MAX)
		return wk_error_set(error, WK_E_LIMIT, at,
		    "more than %d literals and variables",
		    WK_URITEMPLATE_PARTS_MAX);
	part = &t->parts[t->n_parts++];
	part->text.at = t->text.at + at;
	part->text.len = len;
	part->offset = at;
	part->op = op;
	part->is_first = is_first;
	return WK_OK;
}

/* One expression; *i stands behind its "{" and is moved behind its "}". */
static int
parse_expression(struct wk_uritemplate *t, size_t *i, struct wk_error *error)
{
	struct wk_str s = t->text;
	bool is_first = true;
	char op = ' ', c;
	size_t n;
	int rc;

	if (*i < s.len && is_one_of(s.at[*i], "=,!@|"))
		return wk_error_set(error, WK_E_UNSUPPORTED, *i,
		    "the operator %c is reserved for extensions", s.at[*i]);
	if (*i < s.len && behaviour_of(s.at[*i]) != NULL && s.at[*i] != ' ')
		op = s.at[(*i)++];
	do {
		n = name_span(s, *i);
		if (n == 0)
			return wk_error_set(error, WK_E_MALFORMED, *i,
			    "expected the name of a variable");
		if ((rc = add_part(t, *i, n, op, is_first, error)) != WK_OK)
			return rc;
		*i += n;
		is_first = false;
		if (*i == s.len)
			return wk_error_set(error, WK_E_MALFORMED, *i,
			    "the template ends inside an expression");
		c = s.at[(*i)++];
	} while (c == ',');
	if (c == '}')
		return WK_OK;
	if (c == '*' || c == ':')
		return wk_error_set(error, WK_E_UNSUPPORTED, *i - 1,
		    "a template of level 4");
	return wk_error_set(error, WK_E_MALFORMED, *i - 1,
	    "expected a comma or a closing brace");
}

/* Scheme and authority, as far as the literal beginning tells them. */
static void
find_authority(struct wk_uritemplate *t)
{
	const struct wk_uritemplate_part *p = &t->parts[0];
	struct wk_str s = p->text;
	size_t n, from;

	if (t->n_parts == 0 || p->op != 0 || !wk_char_is(*s.at, WK_CHAR_ALPHA))
		return;
	for (n = 1; n < s.len && (wk_char_is(s.at[n],
	    WK_CHAR_ALPHA | WK_CHAR_DIGIT) || is_one_of(s.at[n], "+-.")); n++)
		;
	if (s.len - n < 3 || memcmp(s.at + n, "://", 3) != 0)
		return;
	from = n + 3;
	t->scheme.at = s.at;
	t->scheme.len = n;
	for (n = from; n < s.len && !is_one_of(s.at[n], "/?#"); n++)
		;
	t->authority.at = s.at + from;
	t->authority.len = n - from;
}

int
wk_uritemplate_parse(struct wk_uritemplate *t, struct wk_str text,
    struct wk_error *error)
{
	const char *reason;
	size_t i = 0, n;
	int rc = WK_OK;

	memset(t, 0, sizeof(*t));
	t->text = text;
	while (i < text.len) {
		if (text.at[i] == '{') {
			i++;
			rc = parse_expression(t, &i, error);
		} else {
			n = literal_span(text, i, &reason);
			if (reason != NULL)
				return wk_error_set(error, WK_E_MALFORMED,
				    i + n, "%s", reason);
			rc = add_part(t, i, n, 0, false, error);
			i += n;
		}
		if (rc != WK_OK)
			return rc;
	}
	find_authority(t);
	return WK_OK;
}

static size_t
path_start(const struct wk_uritemplate *t)
{
	if (t->scheme.len == 0)
		return 0;
	return t->scheme.len + 3 + t->authority.len;
}

/* Whether the path starts with a slash, and not with a variable. */
static bool
has_literal_slash(const struct wk_uritemplate *t)
{
	size_t start = path_start(t);

	return t->n_parts > 0 && t->parts[0].op == 0 &&
	    start < t->parts[0].text.len && t->text.at[start] == '/';
}

/* Which of the parts from i on is the variable of that name, or n_parts. */
static size_t
find_name(const struct wk_uritemplate *t, size_t i, struct wk_str name)
{
	while (i < t->n_parts && (t->parts[i].op == 0 ||
	    !wk_str_equals(t->parts[i].text, name)))
		i++;
	return i;
}

bool
wk_uritemplate_has(const struct wk_uritemplate *t, const char *name)
{
	return find_name(t, 0, wk_str_of(name)) < t->n_parts;
}

int
wk_uritemplate_check_proxy(const struct wk_uritemplate *t,
    const char *const *names, size_t n, struct wk_error *error)
{
	size_t start = path_start(t), i;
	const struct wk_uritemplate_part *p;
	const char *fragment;

	for (i = 0; i < t->text.len; i++)
		if (!wk_char_is(t->text.at[i], WK_CHAR_VISIBLE))
			return wk_error_set(error, WK_E_INVALID, i,
			    "a proxy template is ASCII without spaces");
	if (t->scheme.len == 0)
		return wk_error_set(error, WK_E_INVALID, 0, "a proxy template "
		    "starts with a scheme, as in https://");
	if (t->authority.len == 0)
		return wk_error_set(error, WK_E_INVALID, start,
		    "a proxy template names a host");
	if (!has_literal_slash(t))
		return wk_error_set(error, WK_E_INVALID, start,
		    "expected a slash, where the path starts");
	for (i = 0; i < t->n_parts; i++) {
		p = &t->parts[i];
		if (p->op != 0 && !is_one_of(p->op, " ?&"))
			return wk_error_set(error, WK_E_INVALID, p->offset - 1,
			    "a proxy template cannot use the operator %c",
			    p->op);
		fragment = p->op != 0 ? NULL :
		    memchr(p->text.at, '#', p->text.len);
		if (fragment != NULL)
			return wk_error_set(error, WK_E_INVALID,
			    (uint64_t)(fragment - t->text.at),
			    "a proxy template has no fragment");
	}
	for (i = 0; i < n; i++)
		if (find_name(t, 0, wk_str_of(names[i])) == t->n_parts)
			return wk_error_set(error, WK_E_INVALID, t->text.len,
			    "the variable %s is missing", names[i]);
	return WK_OK;
}

/* Append text, percent-encoding what may not stand for itself. */
static void
append_encoded(struct wk_buf *b, struct wk_str text, bool allows_reserved)
{
	size_t i;
	char c;

	for (i = 0; i < text.len; i++) {
		c = text.at[i];
		if (wk_char_is(c, WK_CHAR_UNRESERVED) || (allows_reserved &&
		    (wk_char_is(c, WK_CHAR_SUB_DELIM) ||
		    is_one_of(c, ":/?#[]@") || is_triplet(text, i))))
			wk_buf_append(b, &c, 1);
		else
			wk_buf_printf(b, "%%%02X", (uint8_t)c);
	}
}

static struct wk_uritemplate_var *
find_var(struct wk_uritemplate_var *vars, size_t n, struct wk_str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (wk_str_is(name, vars[i].name))
			return &vars[i];
	return NULL;
}

static const struct wk_uritemplate_var *
find_defined(const struct wk_uritemplate_var *vars, size_t n,
    struct wk_str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vars[i].is_defined && wk_str_is(name, vars[i].name))
			return &vars[i];
	return NULL;
}

int
wk_uritemplate_expand(const struct wk_uritemplate *t,
    const struct wk_uritemplate_var *vars, size_t n, struct wk_buf *b)
{
	const struct wk_uritemplate_var *var;
	const struct wk_uritemplate_part *p;
	const struct behaviour *how;
	bool has_some = false;
	size_t i;

	for (i = 0; i < t->n_parts; i++) {
		p = &t->parts[i];
		if (p->op == 0) {
			append_encoded(b, p->text, true);
			continue;
		}
		has_some = has_some && !p->is_first;
		var = find_defined(vars, n, p->text);
		if (var == NULL)
			continue;
		how = behaviour_of(p->op);
		wk_buf_printf(b, "%s", has_some ? how->separator : how->first);
		has_some = true;
		if (how->is_named) {
			append_encoded(b, p->text, true);
			wk_buf_printf(b, "%s",
			    var->value.len == 0 ? how->if_empty : "=");
		}
		append_encoded(b, var->value, how->allows_reserved);
	}
	return b->status;
}

static bool
is_query_op(char op)
{
	return op == '?' || op == '&';
}

int
wk_uritemplate_check_match(const struct wk_uritemplate *t,
    struct wk_error *error)
{
	const struct wk_uritemplate_part *p, *next;
	size_t i;

	if (!has_literal_slash(t))
		return wk_error_set(error, WK_E_UNSUPPORTED, path_start(t),
		    "expected a slash, where the path starts");
	for (i = 0; i < t->text.len; i++)
		if (!wk_char_is(t->text.at[i], WK_CHAR_VISIBLE))
			return wk_error_set(error, WK_E_UNSUPPORTED, i,
			    "requests can be matched in ASCII only");
	for (i = 0; i < t->n_parts; i++) {
		p = &t->parts[i];
		next = i + 1 < t->n_parts ? &t->parts[i + 1] : NULL;
		if (p->op == 0)
			continue;
		if (!is_one_of(p->op, " ?&"))
			return wk_error_set(error, WK_E_UNSUPPORTED,
			    p->offset - 1, "requests cannot be matched with "
			    "the operator %c", p->op);
		if (is_query_op(p->op) && find_name(t, i + 1, p->text) !=
		    t->n_parts)
			return wk_error_set(error, WK_E_UNSUPPORTED, p->offset,
			    "a variable of the query comes again");
		if (next == NULL)
			continue;
		if (is_query_op(p->op)) {
			if (!is_query_op(next->op) ||
			    (next->op == '?' && next->is_first))
				return wk_error_set(error, WK_E_UNSUPPORTED,
				    next->offset, "only {&} can follow the "
				    "query's variables");
		} else if (next->op == ' ' ? next->is_first : next->op == 0 &&
		    (wk_char_is(*next->text.at, WK_CHAR_UNRESERVED) ||
		    *next->text.at == '%')) {
			return wk_error_set(error, WK_E_UNSUPPORTED,
			    next->offset, "it cannot be told where the "
			    "variable in front ends");
		}
	}
	return WK_OK;
}

/* Where matching has come to. */
struct match {
	struct wk_str path;
	size_t at;
	bool is_query;		/* behind the "?" */
	struct wk_uritemplate_var *vars;
	size_t n_vars;
	struct wk_error *error;
};

static int
mismatch(const struct match *m, const char *reason)
{
	return wk_error_set(m->error, WK_E_MALFORMED, m->at, "%s", reason);
}

static int
match_literal(struct match *m, struct wk_str literal)
{
	size_t i;

	for (i = 0; i < literal.len; i++, m->at++) {
		if (m->at == m->path.len)
			return mismatch(m, "ends too early for the template");
		if (m->path.at[m->at] != literal.at[i])
			return mismatch(m, "differs from the template");
		if (literal.at[i] == '?')
			m->is_query = true;
	}
	return WK_OK;
}

/* The value that starts here and ends before the character stop. */
static struct wk_str
take_value(struct match *m, char stop)
{
	struct wk_str value = { m->path.at + m->at, 0 };
	const char *extra = m->is_query ? ":@/?" : ":@";
	char c;

	for (; m->at < m->path.len; m->at++) {
		c = m->path.at[m->at];
		if (c == stop || (!wk_char_is(c, WK_CHAR_UNRESERVED |
		    WK_CHAR_SUB_DELIM) && !is_one_of(c, extra) &&
		    !is_triplet(m->path, m->at)))
			break;
	}
	value.len = (size_t)(m->path.at + m->at - value.at);
	return value;
}

/* The same name twice has to have the same value. */
static int
bind(struct match *m, struct wk_str name, struct wk_str value)
{
	struct wk_uritemplate_var *var = find_var(m->vars, m->n_vars, name);

	if (var == NULL)
		return WK_OK;
	if (var->is_defined && !wk_str_equals(var->value, value))
		return mismatch(m, "a variable has two values");
	var->is_defined = true;
	var->value = value;
	return WK_OK;
}

static int
match_variable(struct match *m, const struct wk_uritemplate *t, size_t i)
{
	char stop = '\0', second;
	struct wk_str value;

	if (i + 1 < t->n_parts) {
		/* Of one expression, or a literal, or the query's beginning. */
		second = t->parts[i + 1].op;
		stop = second == ' ' ? ',' : second == 0 ?
		    *t->parts[i + 1].text.at : second;
	}
	if (!t->parts[i].is_first) {
		if (m->at == m->path.len || m->path.at[m->at] != ',')
			return mismatch(m, "expected a comma");
		m->at++;
	}
	value = take_value(m, stop);
	return bind(m, t->parts[i].text, value);
}

/* All that is left: name=value pairs of the parts from i on. */
static int
match_pairs(struct match *m, const struct wk_uritemplate *t, size_t i)
{
	bool is_seen[WK_URITEMPLATE_PARTS_MAX] = { false };
	char lead = t->parts[i].op;
	struct wk_str name;
	const char *equals;
	size_t k;
	int rc;

	for (; m->at < m->path.len; lead = '&') {
		if (m->path.at[m->at] != lead)
			return mismatch(m, "differs from the template");
		m->is_query = true;
		name.at = m->path.at + ++m->at;
		equals = memchr(name.at, '=', m->path.len - m->at);
		name.len = equals == NULL ? m->path.len - m->at :
		    (size_t)(equals - name.at);
		k = find_name(t, i, name);
		if (k == t->n_parts)
			return mismatch(m,
			    "the template has no such query variable");
		if (is_seen[k])
			return mismatch(m, "a variable comes twice");
		is_seen[k] = true;
		m->at += name.len;
		if (equals == NULL)
			return mismatch(m, "expected an equals sign");
		m->at++;
		if ((rc = bind(m, name, take_value(m, '&'))) != WK_OK)
			return rc;
	}
	return WK_OK;
}

int
wk_uritemplate_match(const struct wk_uritemplate *t, struct wk_str path,
    struct wk_uritemplate_var *vars, size_t n, struct wk_error *error)
{
	struct match m = { path, 0, false, vars, n, error };
	size_t i, skip = path_start(t);
	struct wk_str literal;
	int rc;

	for (i = 0; i < n; i++) {
		vars[i].is_defined = false;
		vars[i].value = (struct wk_str){ NULL, 0 };
	}
	rc = wk_uritemplate_check_match(t, error);
	for (i = 0; rc == WK_OK && i < t->n_parts; i++, skip = 0) {
		if (is_query_op(t->parts[i].op))
			return match_pairs(&m, t, i);
		if (t->parts[i].op == 0) {
			literal = t->parts[i].text;
			literal.at += skip;
			literal.len -= skip;
			rc = match_literal(&m, literal);
		} else {
			rc = match_variable(&m, t, i);
		}
	}
	if (rc == WK_OK && m.at < path.len)
		return mismatch(&m, "goes on where the template ends");
	return rc;
}

int
wk_uritemplate_decode(struct wk_str text, struct wk_buf *b,
    struct wk_error *error)
{
	uint8_t octet;
	size_t i;

	for (i = 0; i < text.len; i++) {
		octet = (uint8_t)text.at[i];
		if (octet == '%') {
			if (!is_triplet(text, i))
				return wk_error_set(error, WK_E_MALFORMED, i,
				    "expected two hexadecimal digits behind "
				    "the percent sign");
			octet = (uint8_t)(wk_hex_digit(text.at[i + 1]) << 4 |
			    wk_hex_digit(text.at[i + 2]));
			i += 2;
		}
		if (wk_buf_append(b, &octet, 1) != WK_OK)
			return wk_error_set(error, (enum wk_status)b->status,
			    i, "more than %zu octets", b->max);
	}
	return WK_OK;
}
