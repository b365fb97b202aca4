/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/filter.h"

#include <string.h>

#define WORD_MAX 64

enum kind {
	ONE_TYPE,
	GREASE,
	UNKNOWN,
	LEGACY,
};

static const char *const classes[] = {
	[GREASE] = "grease", [UNKNOWN] = "unknown", [LEGACY] = "legacy",
};

static int
parse_word(struct filter_entry *e, const char *word,
    enum wk_capsule_reading reading, struct wk_error *error)
{
	e->is_negated = *word == '!';
	word += e->is_negated;
	for (e->kind = GREASE; e->kind <= LEGACY; e->kind++)
		if (strcmp(word, classes[e->kind]) == 0)
			return WK_OK;
	e->kind = ONE_TYPE;
	return wk_capsule_type_parse(word, reading, &e->type, error);
}

int
filter_add(struct filter *f, const char *list,
    enum wk_capsule_reading reading, struct wk_error *error)
{
	char word[WORD_MAX];
	size_t len;
	int rc;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (f->n == FILTER_MAX)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "more than %d types", FILTER_MAX);
		if (len >= sizeof(word))
			return wk_error_set(error, WK_E_INVALID, 0,
			    "no capsule type is named %.*s", (int)WORD_MAX,
			    list);
		memcpy(word, list, len);
		word[len] = '\0';
		rc = parse_word(&f->entries[f->n], word, reading, error);
		if (rc != WK_OK)
			return rc;
		f->has_wanted |= !f->entries[f->n++].is_negated;
		if (list[len] == '\0')
			return WK_OK;
	}
}

static bool
is_matched(const struct filter_entry *e, uint64_t type)
{
	const struct wk_capsule_type *known;

	switch ((enum kind)e->kind) {
	case GREASE:
		return wk_capsule_type_is_grease(type);
	case UNKNOWN:
		return wk_capsule_type_find(type) == NULL;
	case LEGACY:
		known = wk_capsule_type_find(type);
		return known != NULL && (known->flags & WK_CAPSULE_LEGACY) != 0;
	case ONE_TYPE:
		break;
	}
	return e->type == type;
}

bool
filter_passes(const struct filter *f, uint64_t type)
{
	bool is_wanted = !f->has_wanted;
	size_t i;

	for (i = 0; i < f->n; i++)
		if (is_matched(&f->entries[i], type)) {
			if (f->entries[i].is_negated)
				return false;
			is_wanted = true;
		}
	return is_wanted;
}
