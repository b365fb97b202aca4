/* SPDX-License-Identifier: MIT */
/*
 * The rules of --answer, as text: which segments get which reason. One rule a
 * line, the first whose expression matches counts:
 *
 *	REASON DESCRIPTION EXPRESSION...	# comment
 *
 * REASON is a code's name or number, PEN:NUMBER for a vendor's code, "-" for
 * none (a description alone), "empty" for a reset without payload, "ignore"
 * for no answer. DESCRIPTION is "-" or a string in double quotes with \" \\
 * \n \t \r \xNN. EXPRESSION is a pcap-filter(7), the rest of the line; it is
 * compiled elsewhere. No I/O here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/rstdiag.h"

#define RULES_MAX 256
#define RULES_LINE_MAX 4096			/* octets, without the line end */
#define RULES_TEXT_MAX (RULES_MAX * RULES_LINE_MAX)

enum rule_action {
	RULE_SAY,	/* a reset with a payload */
	RULE_EMPTY,	/* a reset without */
	RULE_IGNORE,	/* nothing */
};

struct rule {
	unsigned line;			/* where it stands, from 1 */
	enum rule_action action;
	bool has_code, has_pen, is_by_name;
	uint16_t code;
	uint32_t pen;
	const uint8_t *description;	/* NULL: none */
	size_t description_len;
	const char *expression;		/* never empty */
};

struct rules {
	size_t n;
	struct rule *rule;
	char *text;	/* what descriptions and expressions point into */
};

/*
 * Read rules out of text; names are of that registry. On WK_OK the caller
 * releases them with rules_free(). Otherwise there are none, error->offset is
 * the line, or 0 for the whole, and error->reason says what was expected.
 */
int rules_parse(const char *text, size_t len,
    enum wk_rstdiag_registry registry, struct rules *rules,
    struct wk_error *error);

void rules_free(struct rules *rules);
