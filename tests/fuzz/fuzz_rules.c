/* SPDX-License-Identifier: MIT */
/*
 * Rules of rstdiag-send: whatever the text, the limits hold; and rules written
 * back as text are the same rules.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/rstdiag-send/rules.h"
#include "common/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int holds)
{
	if (!holds)
		abort();
}

static void
write_rule(struct wk_buf *b, const struct rule *r)
{
	size_t i;

	if (r->action != RULE_SAY)
		wk_buf_printf(b, r->action == RULE_EMPTY ? "empty" : "ignore");
	else if (r->has_pen)
		wk_buf_printf(b, "%u:%u", (unsigned)r->pen, r->code);
	else if (r->has_code)
		wk_buf_printf(b, "%u", r->code);
	else
		wk_buf_printf(b, "-");
	wk_buf_printf(b, r->description == NULL ? " -" : " \"");
	for (i = 0; i < r->description_len; i++)
		wk_buf_printf(b, "\\x%02x", r->description[i]);
	wk_buf_printf(b, "%s %s\n", r->description == NULL ? "" : "\"",
	    r->expression);
}

static void
check_rule(const struct rule *r)
{
	check(r->line > 0 && r->expression[0] != '\0');
	check(strlen(r->expression) <= RULES_LINE_MAX);
	check(strpbrk(r->expression, "\r\n") == NULL);
	check(r->description_len <= RULES_LINE_MAX);
	check(!r->has_code || r->code != 0);
	check(!r->has_pen || (r->has_code && r->pen != 0));
	check((r->action == RULE_SAY) ==
	    (r->has_code || r->description != NULL));
}

static void
check_same(const struct rule *a, const struct rule *b)
{
	check(a->action == b->action && a->has_code == b->has_code);
	check(a->has_pen == b->has_pen && a->code == b->code);
	check(a->pen == b->pen && strcmp(a->expression, b->expression) == 0);
	check((a->description == NULL) == (b->description == NULL));
	check(a->description_len == b->description_len);
	check(a->description_len == 0 || memcmp(a->description,
	    b->description, a->description_len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules rules, again;
	struct wk_error error;
	struct wk_buf b;
	size_t i;

	if (size == 0)
		return 0;
	if (rules_parse((const char *)data + 1, size - 1,
	    (enum wk_rstdiag_registry)(data[0] % WK_RSTDIAG_N_REGISTRIES),
	    &rules, &error) != WK_OK) {
		check(error.reason[0] != '\0');
		return 0;
	}
	check(rules.n >= 1 && rules.n <= RULES_MAX);
	wk_buf_init(&b, RULES_TEXT_MAX);
	for (i = 0; i < rules.n; i++) {
		size_t before = b.len;

		check_rule(&rules.rule[i]);
		write_rule(&b, &rules.rule[i]);
		/* Written with escapes, a line may pass the limit. */
		if (b.len - before > RULES_LINE_MAX)
			b.status = WK_E_LIMIT;
	}
	if (b.status == WK_OK) {
		check(rules_parse((char *)b.data, b.len, WK_RSTDIAG_IETF_03,
		    &again, &error) == WK_OK);
		check(again.n == rules.n);
		for (i = 0; i < rules.n; i++)
			check_same(&rules.rule[i], &again.rule[i]);
		rules_free(&again);
	}
	wk_buf_free(&b);
	rules_free(&rules);
	return 0;
}
