/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/list.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

static const struct {
	unsigned flag;
	const char *name;
} flags[] = {
	{ WK_CAPSULE_LEGACY, "legacy" },
	{ WK_CAPSULE_PROVISIONAL, "provisional" },
	{ WK_CAPSULE_NOT_H3, "not_h3" },
};
#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

static void
list_json(const struct wk_capsule_type *type, const char *name)
{
	char code[24];
	size_t i;

	snprintf(code, sizeof(code), "0x%" PRIx64, type->type);
	wk_json_begin("type");
	wk_json_uint("type", type->type);
	wk_json_str("type_code", code);
	wk_json_str("type_name", name);
	wk_json_str("document", type->document);
	for (i = 0; i < N_FLAGS; i++)
		if ((type->flags & flags[i].flag) != 0)
			wk_json_bool(flags[i].name, true);
	wk_json_end();
}

int
list_types(const struct options *opt)
{
	const struct wk_capsule_type *types;
	const char *name;
	size_t n, i, k;

	types = wk_capsule_types(&n);
	for (i = 0; i < n; i++) {
		if (!filter_passes(&opt->filter, types[i].type))
			continue;
		name = wk_capsule_type_name(&types[i], opt->reading);
		if (wk_cli.is_json) {
			list_json(&types[i], name);
			continue;
		}
		wk_out_printf("0x%" PRIx64 " %s (%s)", types[i].type, name,
		    types[i].document);
		for (k = 0; k < N_FLAGS; k++)
			if ((types[i].flags & flags[k].flag) != 0)
				wk_out_printf(" %s", flags[k].name);
		wk_out_text("\n");
	}
	return WK_EXIT_OK;
}
