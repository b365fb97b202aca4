/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/rstdiag-send/watch.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"

/*
 * Words that move the offsets of all that stands behind them in the same
 * expression (pcap-filter(7)): such rules cannot share one with others.
 */
static const char *const shifting[] = { "vlan", "mpls", "pppoes", "geneve" };

#define FILTER_MAX (RULES_TEXT_MAX + 131072)

static const char *
file_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* The whole file, of at most RULES_TEXT_MAX octets; an exit code. */
static int
read_text(const char *path, struct wk_buf *text)
{
	FILE *fp = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int rc = WK_EXIT_OK;
	size_t n;

	if (fp == NULL) {
		wk_warn_errno(errno, "%s", path);
		return WK_EXIT_SYSTEM;
	}
	do {
		if (wk_buf_reserve(text, 4096) != WK_OK)
			break;
		n = fread(text->data + text->len, 1, 4096, fp);
		text->len += n;
	} while (n > 0);
	if (ferror(fp)) {
		wk_warn_errno(errno, "%s", file_name(path));
		rc = WK_EXIT_SYSTEM;
	} else if (text->status != WK_OK) {
		wk_warn("%s: more than %d octets", file_name(path),
		    RULES_TEXT_MAX);
		rc = WK_EXIT_USAGE;
	}
	if (fp != stdin)
		fclose(fp);
	return rc;
}

/* --- compiling ------------------------------------------------------------ */

/* "(common) and (own)", or the one there is. */
static int
compile(struct reply *reply, const char *common, const char *own,
    uint32_t link, struct wk_error *error)
{
	struct wk_buf b;
	int rc;

	wk_buf_init(&b, FILTER_MAX);
	if (common != NULL)
		wk_buf_printf(&b, "(%s) and ", common);
	wk_buf_printf(&b, "(%s)", own);
	wk_buf_uint(&b, 0, 1);
	rc = b.status != WK_OK ?
	    wk_error_set(error, (enum wk_status)b.status, 0, "%s",
	    wk_status_text(b.status)) :
	    wk_filter_compile(&reply->program, link, (char *)b.data, error);
	wk_buf_free(&b);
	reply->has_program = rc == WK_OK;
	return rc;
}

static int
add_rule(struct ruleset *set, const struct options *o, const char *expression,
    const struct rule *r, uint32_t link)
{
	struct reply *reply = &set->reply[set->n++];
	const char *name = file_name(o->rules), *remark = NULL;
	struct wk_error error;

	wk_buf_init(&reply->octets, WK_RSTDIAG_MAX);
	reply->action = r->action;
	reply->payloads = &reply->octets;
	reply->n_payloads = 1;
	if ((r->action == RULE_SAY && payload_of_rule(o, r, &reply->octets,
	    &remark, &error) != WK_OK) ||
	    compile(reply, NULL, r->expression, link, &error) != WK_OK) {
		wk_warn("%s: line %u: %s", name, r->line, error.reason);
		return WK_EXIT_USAGE;
	}
	if (remark != NULL)
		wk_caution("%s: line %u: %s", name, r->line, remark);
	if (expression == NULL)
		return WK_EXIT_OK;
	pcap_freecode(&reply->program);
	/* libpcap refuses what can match nothing: here that is no mistake. */
	reply->is_idle = compile(reply, expression, r->expression, link,
	    &error) != WK_OK;
	return WK_EXIT_OK;
}

static bool
shifts_offsets(const char *expression)
{
	size_t i;

	for (i = 0; i < sizeof(shifting) / sizeof(shifting[0]); i++)
		if (strstr(expression, shifting[i]) != NULL)
			return true;
	return false;
}

/*
 * What the kernel shall let through. Where its offsets would move, it gets
 * the common expression alone, and matching is done here.
 */
static int
make_filter(struct ruleset *set, const char *expression,
    const struct rules *rules)
{
	bool is_exact = true;
	struct wk_buf b;
	size_t i;

	if (expression != NULL && shifts_offsets(expression)) {
		set->filter = strdup(expression);
		return set->filter == NULL ? WK_E_NOMEM : WK_OK;
	}
	for (i = 0; i < rules->n; i++)
		is_exact = is_exact &&
		    !shifts_offsets(rules->rule[i].expression);
	wk_buf_init(&b, FILTER_MAX);
	wk_buf_printf(&b, "%s", is_exact ? WATCH_NO_RESETS : "");
	if (expression != NULL)
		wk_buf_printf(&b, "%s(%s)", b.len > 0 ? " and " : "",
		    expression);
	for (i = 0; i < rules->n && is_exact; i++)
		wk_buf_printf(&b, "%s(%s)", i == 0 ? " and (" : " or ",
		    rules->rule[i].expression);
	wk_buf_printf(&b, rules->n > 0 && is_exact ? ")" : "");
	wk_buf_uint(&b, 0, 1);
	if (b.status != WK_OK) {
		wk_buf_free(&b);
		return WK_E_NOMEM;
	}
	set->filter = (char *)b.data;	/* freed with free(), as it was made */
	return WK_OK;
}

/* --- loading -------------------------------------------------------------- */

static int
load_rules(struct ruleset *set, const struct options *o,
    const char *expression, struct rules *rules, uint32_t link)
{
	struct wk_error error;
	struct wk_buf text;
	size_t i;
	int rc;

	wk_buf_init(&text, RULES_TEXT_MAX + 4096);
	rc = read_text(o->rules, &text);
	if (rc == WK_EXIT_OK && rules_parse((char *)text.data, text.len,
	    (enum wk_rstdiag_registry)o->registry, rules, &error) != WK_OK) {
		if (error.offset > 0)
			wk_warn("%s: line %u: %s", file_name(o->rules),
			    (unsigned)error.offset, error.reason);
		else
			wk_warn("%s: %s", file_name(o->rules), error.reason);
		rc = error.status == WK_E_NOMEM ? WK_EXIT_SYSTEM :
		    WK_EXIT_USAGE;
	}
	wk_buf_free(&text);
	if (rc != WK_EXIT_OK)
		return rc;
	set->reply = calloc(rules->n, sizeof(set->reply[0]));
	if (set->reply == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	for (i = 0; i < rules->n && rc == WK_EXIT_OK; i++)
		rc = add_rule(set, o, expression, &rules->rule[i], link);
	return rc;
}

/* No file: one reply to everything the expression lets through. */
static int
load_fixed(struct ruleset *set, const char *expression,
    const struct payloads *fixed, uint32_t link)
{
	struct wk_error error;

	set->reply = calloc(1, sizeof(set->reply[0]));
	if (set->reply == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	set->n = 1;
	set->reply[0].action = RULE_SAY;
	set->reply[0].payloads = fixed->octets;
	set->reply[0].n_payloads = fixed->n;
	if (expression != NULL)
		compile(&set->reply[0], NULL, expression, link, &error);
	return WK_EXIT_OK;
}

/* On its own first: an error must be about what the user wrote. */
static int
check_expression(const char *expression, uint32_t link)
{
	struct reply alone = { 0 };
	struct wk_error error;

	if (expression == NULL)
		return WK_EXIT_OK;
	if (compile(&alone, NULL, expression, link, &error) != WK_OK) {
		wk_warn("expression \"%s\": %s", expression, error.reason);
		return WK_EXIT_USAGE;
	}
	pcap_freecode(&alone.program);
	return WK_EXIT_OK;
}

int
ruleset_load(struct ruleset *set, const struct options *o,
    const char *expression, const struct payloads *fixed, uint32_t link)
{
	struct ruleset made = { 0 };
	struct rules rules = { 0 };
	int rc;

	rc = check_expression(expression, link);
	if (rc == WK_EXIT_OK)
		rc = o->rules != NULL ?
		    load_rules(&made, o, expression, &rules, link) :
		    load_fixed(&made, expression, fixed, link);
	if (rc == WK_EXIT_OK &&
	    make_filter(&made, expression, &rules) != WK_OK) {
		wk_warn("out of memory");
		rc = WK_EXIT_SYSTEM;
	}
	rules_free(&rules);
	if (rc == WK_EXIT_OK)
		*set = made;
	else
		ruleset_free(&made);
	return rc;
}

const struct reply *
ruleset_match(const struct ruleset *set, const struct wk_frame *f)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (!set->reply[i].is_idle && (!set->reply[i].has_program ||
		    wk_filter_matches(&set->reply[i].program, f)))
			return &set->reply[i];
	return NULL;
}

void
ruleset_free(struct ruleset *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->reply[i].has_program)
			pcap_freecode(&set->reply[i].program);
		wk_buf_free(&set->reply[i].octets);
	}
	free(set->reply);
	free(set->filter);
	memset(set, 0, sizeof(*set));
}
