/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/options.h"

#define WORD_MAX 64

/* One line being read, and where its strings are kept. */
struct cursor {
	const char *at, *end;
	char *store;		/* room for as many octets as the text has */
	enum wk_rstdiag_registry registry;
	struct wk_error *error;
	unsigned line;
};

__attribute__((format(printf, 2, 3))) static int
fail(const struct cursor *c, const char *format, ...)
{
	char reason[WK_ERROR_REASON_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	return wk_error_set(c->error, WK_E_MALFORMED, c->line, "%s", reason);
}

static bool
is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

static void
skip_blanks(struct cursor *c)
{
	while (c->at < c->end && is_blank(*c->at))
		c->at++;
}

/* A comment starts the line or follows a blank; quotes are gone by then. */
static void
cut_comment(struct cursor *c)
{
	const char *p;

	for (p = c->at; p < c->end; p++)
		if (*p == '#' && (p == c->at || is_blank(p[-1]))) {
			c->end = p;
			break;
		}
	while (c->end > c->at && is_blank(c->end[-1]))
		c->end--;
}

/* The next word; it ends at a blank. */
static int
take_word(struct cursor *c, char word[WORD_MAX])
{
	size_t len = 0;

	while (c->at < c->end && !is_blank(*c->at)) {
		if (len + 1 == WORD_MAX)
			return fail(c, "the reason is longer than %d octets",
			    WORD_MAX - 1);
		word[len++] = *c->at++;
	}
	word[len] = '\0';
	skip_blanks(c);
	return WK_OK;
}

/* PEN:NUMBER */
static int
parse_vendor_code(const struct cursor *c, char *word, struct rule *r)
{
	char *colon = strchr(word, ':');
	struct wk_error ignored;
	uint64_t pen, code;

	*colon = '\0';
	if (wk_uint_parse(word, 1, WK_RSTDIAG_PEN_RESERVED - 1, &pen,
	    &ignored) != WK_OK)
		return fail(c, "enterprise number %s, expected 1 to %u", word,
		    (unsigned)WK_RSTDIAG_PEN_RESERVED - 1);
	if (wk_uint_parse(colon + 1, 1, UINT16_MAX, &code, &ignored) != WK_OK)
		return fail(c, "vendor code %s, expected a number from 1 to "
		    "65535", colon + 1);
	r->has_code = r->has_pen = true;
	r->code = (uint16_t)code;
	r->pen = (uint32_t)pen;
	return WK_OK;
}

static int
parse_reason(struct cursor *c, struct rule *r)
{
	static const struct {
		const char *word;
		enum rule_action action;
	} others[] = {
		{ "-", RULE_SAY },
		{ "empty", RULE_EMPTY },
		{ "ignore", RULE_IGNORE },
	};
	struct wk_error why;
	char word[WORD_MAX];
	size_t i;
	int rc = take_word(c, word);

	if (rc != WK_OK)
		return rc;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(word, others[i].word) == 0) {
			r->action = others[i].action;
			return WK_OK;
		}
	r->action = RULE_SAY;
	if (strchr(word, ':') != NULL)
		return parse_vendor_code(c, word, r);
	if (wk_rstdiag_code_parse(c->registry, word, &r->code, &why) != WK_OK)
		return fail(c, "reason %s: %s", word, why.reason);
	r->has_code = true;
	r->is_by_name = word[0] < '0' || word[0] > '9';
	return WK_OK;
}

/* What stands behind a backslash. */
static int
take_escape(struct cursor *c, char *out)
{
	static const char letters[] = "\"\\ntr", values[] = "\"\\\n\t\r";
	char letter = c->at < c->end ? *c->at++ : '\0';
	const char *found = letter == '\0' ? NULL : strchr(letters, letter);
	int high, low;

	if (found != NULL) {
		*out = values[found - letters];
		return WK_OK;
	}
	high = letter == 'x' && c->end - c->at >= 2 ? wk_hex_digit(c->at[0]) : -1;
	low = high >= 0 ? wk_hex_digit(c->at[1]) : -1;
	if (low < 0)
		return fail(c, "unknown escape in the description, expected "
		    "one of \\\" \\\\ \\n \\t \\r \\xNN");
	c->at += 2;
	*out = (char)(high << 4 | low);
	return WK_OK;
}

static int
parse_description(struct cursor *c, struct rule *r)
{
	char *start = c->store, ch;
	int rc;

	if (c->at < c->end && *c->at == '-' &&
	    (c->at + 1 == c->end || is_blank(c->at[1]))) {
		c->at++;
		skip_blanks(c);
		return WK_OK;
	}
	if (c->at == c->end || *c->at != '"')
		return fail(c, "no description, expected - or a \"string\" "
		    "behind the reason");
	for (c->at++; c->at < c->end && *c->at != '"'; *c->store++ = ch) {
		ch = *c->at++;
		if (ch == '\\' && (rc = take_escape(c, &ch)) != WK_OK)
			return rc;
	}
	if (c->at == c->end)
		return fail(c, "the description does not end, expected \"");
	c->at++;
	if (c->at < c->end && !is_blank(*c->at))
		return fail(c, "expected a blank behind the description");
	skip_blanks(c);
	r->description = (uint8_t *)start;
	r->description_len = (size_t)(c->store - start);
	return WK_OK;
}

static int
parse_expression(struct cursor *c, struct rule *r)
{
	size_t len, i;

	cut_comment(c);
	len = (size_t)(c->end - c->at);
	if (len == 0)
		return fail(c, "no expression, expected a pcap-filter such as "
		    "tcp dst port 80");
	for (i = 0; i < len; i++)
		if ((unsigned char)c->at[i] < ' ' && c->at[i] != '\t')
			return fail(c, "control character in the expression");
	memcpy(c->store, c->at, len);
	c->store[len] = '\0';
	r->expression = c->store;
	c->store += len + 1;
	return WK_OK;
}

/* Reason and description must not contradict each other. */
static int
check_rule(const struct cursor *c, const struct rule *r)
{
	if (r->action != RULE_SAY && r->description != NULL)
		return fail(c, "%s carries no description, expected -",
		    r->action == RULE_EMPTY ? "empty" : "ignore");
	if (r->action == RULE_SAY && !r->has_code && r->description == NULL)
		return fail(c, "neither reason nor description; "
		    "\"empty\" sends a reset without payload");
	return WK_OK;
}

static int
parse_line(struct cursor *c, struct rules *rules)
{
	struct rule *r = &rules->rule[rules->n];
	int rc;

	if (c->end - c->at > RULES_LINE_MAX)
		return fail(c, "longer than %d octets", RULES_LINE_MAX);
	if (c->end > c->at && c->end[-1] == '\r')
		c->end--;
	skip_blanks(c);
	if (c->at == c->end || *c->at == '#')
		return WK_OK;
	if (rules->n == RULES_MAX)
		return fail(c, "more than %d rules", RULES_MAX);
	memset(r, 0, sizeof(*r));
	r->line = c->line;
	if ((rc = parse_reason(c, r)) != WK_OK ||
	    (rc = parse_description(c, r)) != WK_OK ||
	    (rc = parse_expression(c, r)) != WK_OK ||
	    (rc = check_rule(c, r)) != WK_OK)
		return rc;
	rules->n++;
	return WK_OK;
}

int
rules_parse(const char *text, size_t len, enum wk_rstdiag_registry registry,
    struct rules *rules, struct wk_error *error)
{
	struct cursor c = { .registry = registry, .error = error };
	const char *end = text + len, *line = text, *newline, *next;
	int rc = WK_OK;

	memset(rules, 0, sizeof(*rules));
	if (len > RULES_TEXT_MAX)
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "more than %d octets", RULES_TEXT_MAX);
	/* Strings are shorter than their source; one NUL may lack a line end. */
	rules->text = malloc(len + 1);
	rules->rule = calloc(RULES_MAX, sizeof(rules->rule[0]));
	if (rules->text == NULL || rules->rule == NULL) {
		rules_free(rules);
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	}
	c.store = rules->text;
	for (; rc == WK_OK && line < end; line = next) {
		newline = memchr(line, '\n', (size_t)(end - line));
		next = newline == NULL ? end : newline + 1;
		c.line++;
		c.at = line;
		c.end = newline == NULL ? end : newline;
		rc = parse_line(&c, rules);
	}
	if (rc == WK_OK && rules->n == 0)
		rc = wk_error_set(error, WK_E_MALFORMED, 0, "holds no rule");
	if (rc != WK_OK)
		rules_free(rules);
	return rc;
}

void
rules_free(struct rules *rules)
{
	free(rules->rule);
	free(rules->text);
	memset(rules, 0, sizeof(*rules));
}
