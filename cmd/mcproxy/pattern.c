/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/pattern.h"

#include <ctype.h>
#include <string.h>

#define NO_CAPTURE SIZE_MAX
#define STEPS_MAX 100000	/* a hostile key must not cost more */

static void
set_add(uint32_t set[8], unsigned char c)
{
	set[c / 32] |= UINT32_C(1) << c % 32;
}

static bool
set_has(const uint32_t set[8], char c)
{
	return (set[(unsigned char)c / 32] >> (unsigned char)c % 32 & 1) != 0;
}

/* %a and the like; any other octet stands for itself. */
static void
set_add_class(uint32_t set[8], char class)
{
	static const struct {
		char letter;
		int (*is)(int);
	} classes[] = {
		{ 'a', isalpha }, { 'c', iscntrl }, { 'd', isdigit },
		{ 'g', isgraph }, { 'l', islower }, { 'p', ispunct },
		{ 's', isspace }, { 'u', isupper }, { 'w', isalnum },
		{ 'x', isxdigit },
	};
	size_t i;
	int c;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (classes[i].letter != (class | 0x20))
			continue;
		for (c = 0; c < 256; c++)
			if ((c < 128 && classes[i].is(c) != 0) !=
			    ((class & 0x20) == 0))
				set_add(set, (unsigned char)c);
		return;
	}
	set_add(set, (unsigned char)class);
}

static void
set_invert(uint32_t set[8])
{
	size_t i;

	for (i = 0; i < 8; i++)
		set[i] = ~set[i];
}

/* [abc%a-z^], at behind the opening bracket; returns behind the closing one. */
static const char *
parse_set(uint32_t set[8], const char *at, const char *end)
{
	bool is_inverted = at < end && *at == '^', is_first = true;
	int c;

	for (at += is_inverted; at < end && (*at != ']' || is_first);
	    is_first = false) {
		if (*at == '%' && at + 1 < end) {
			set_add_class(set, at[1]);
			at += 2;
		} else if (at + 2 < end && at[1] == '-' && at[2] != ']') {
			for (c = (unsigned char)at[0];
			    c <= (unsigned char)at[2]; c++)
				set_add(set, (unsigned char)c);
			at += 3;
		} else {
			set_add(set, (unsigned char)*at++);
		}
	}
	if (at == end)
		return NULL;
	if (is_inverted)
		set_invert(set);
	return at + 1;
}

static int
wrong(struct wk_error *error, const char *what)
{
	return wk_error_set(error, WK_E_INVALID, 0, "pattern: %s", what);
}

static int
parse_item(struct pattern *p, const char **at, const char *end,
    struct wk_error *error)
{
	struct pattern_item *item;
	const char *s = *at;

	if (p->n == PATTERN_ITEMS_MAX)
		return wrong(error, "too long");
	item = &p->items[p->n++];
	if (*s == '%') {
		if (++s == end)
			return wrong(error, "ends with %");
		if (*s == 'b' || *s == 'f' || isdigit((unsigned char)*s))
			return wrong(error, "%b, %f and %1 are not supported");
		set_add_class(item->set, *s++);
	} else if (*s == '[') {
		s = parse_set(item->set, s + 1, end);
		if (s == NULL)
			return wrong(error, "missing ]");
	} else if (*s == '.') {
		set_invert(item->set);
		s++;
	} else {
		set_add(item->set, (unsigned char)*s++);
	}
	if (s < end && strchr("*+-?", *s) != NULL && *s != '\0')
		item->repeat = *s++;
	*at = s;
	return WK_OK;
}

int
pattern_compile(struct pattern *p, const char *text, size_t len,
    struct wk_error *error)
{
	const char *at = text, *end = text + len;
	int rc;

	memset(p, 0, sizeof(*p));
	p->capture_from = p->capture_to = NO_CAPTURE;
	if (at < end && *at == '^')
		at++;
	while (at < end) {
		if (*at == '(') {
			if (p->capture_from != NO_CAPTURE)
				return wrong(error, "more than one capture");
			p->capture_from = p->n;
			at++;
		} else if (*at == ')') {
			if (p->capture_from == NO_CAPTURE ||
			    p->capture_to != NO_CAPTURE)
				return wrong(error, "unexpected )");
			p->capture_to = p->n;
			at++;
		} else if (*at == '$' && at + 1 == end) {
			p->is_anchored_at_end = true;
			at++;
		} else if ((rc = parse_item(p, &at, end, error)) != WK_OK) {
			return rc;
		}
	}
	if (p->capture_to == NO_CAPTURE)
		return wrong(error, "exactly one capture is needed");
	return WK_OK;
}

struct attempt {
	const struct pattern *p;
	const char *end, *from, *to;
	unsigned steps;
};

static const char *match(struct attempt *a, size_t i, const char *at);

/* Item i as often as it goes, then fewer and fewer. */
static const char *
match_longest(struct attempt *a, size_t i, const char *at, const char *least)
{
	const char *s = at, *done;

	while (s < a->end && set_has(a->p->items[i].set, *s))
		s++;
	for (; s >= least; s--) {
		done = match(a, i + 1, s);
		if (done != NULL)
			return done;
	}
	return NULL;
}

static const char *
match_shortest(struct attempt *a, size_t i, const char *at)
{
	const char *done;

	for (;; at++) {
		done = match(a, i + 1, at);
		if (done != NULL || at == NULL || at == a->end ||
		    !set_has(a->p->items[i].set, *at))
			return done;
	}
}

/* Items from i on at this place; where the match ends, or NULL. */
static const char *
match(struct attempt *a, size_t i, const char *at)
{
	const struct pattern_item *item = &a->p->items[i];
	const char *done;
	bool fits;

	if (++a->steps > STEPS_MAX)
		return NULL;
	if (i == a->p->capture_from)
		a->from = at;
	if (i == a->p->capture_to)
		a->to = at;
	if (i == a->p->n)
		return !a->p->is_anchored_at_end || at == a->end ? at : NULL;
	fits = at < a->end && set_has(item->set, *at);
	switch (item->repeat) {
	case '*':
		return match_longest(a, i, at, at);
	case '+':
		return match_longest(a, i, at, at + 1);
	case '-':
		return match_shortest(a, i, at);
	case '?':
		done = fits ? match(a, i + 1, at + 1) : NULL;
		return done != NULL ? done : match(a, i + 1, at);
	default:
		return fits ? match(a, i + 1, at + 1) : NULL;
	}
}

bool
pattern_match(const struct pattern *p, const char *text, size_t len,
    size_t *matched, const char **capture, size_t *capture_len)
{
	struct attempt a = { .p = p, .end = text + len };
	const char *done = match(&a, 0, text);

	if (done == NULL)
		return false;
	*matched = (size_t)(done - text);
	*capture = a.from;
	*capture_len = (size_t)(a.to - a.from);
	return true;
}

/* The first octet that may stand here and can be seen. */
static char
example_of(const struct pattern_item *item)
{
	char c;

	for (c = '!'; c < 0x7f; c++)
		if (set_has(item->set, c))
			return c;
	return '\0';
}

bool
pattern_example(const struct pattern *p, const char *capture, size_t len,
    char *out, size_t size)
{
	size_t i, n = 0;
	char c;

	for (i = 0; i <= p->n; i++) {
		if (i == p->capture_from) {
			if (len >= size - n)
				return false;
			memcpy(out + n, capture, len);
			n += len;
		}
		if (i == p->n || (i >= p->capture_from && i < p->capture_to) ||
		    (p->items[i].repeat != 0 && p->items[i].repeat != '+'))
			continue;
		c = example_of(&p->items[i]);
		if (c == '\0' || n + 2 > size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}
