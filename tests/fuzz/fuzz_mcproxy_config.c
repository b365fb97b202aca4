/* SPDX-License-Identifier: MIT */
/*
 * The configuration loader: any text gives a configuration or a message, and
 * a configuration can be asked about keys.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct load_options options = { .argument = "a_1:b" };
	static const char *const keys[] = { "a", "/foo/a", "foo/a", "/bar/" };
	char reason[LOAD_REASON_MAX];
	struct decision d;
	struct conf *c;
	size_t i, j;

	c = load_text("fuzz", (const char *)data, size, &options, reason);
	if (c == NULL) {
		if (strlen(reason) == 0)
			abort();
		return 0;
	}
	for (i = 0; i < c->n_routers; i++)
		for (j = 0; j < sizeof(keys) / sizeof(keys[0]); j++)
			if (router_decide(c->routers[i], COMMAND_GET, keys[j],
			    strlen(keys[j]), false, &d) &&
			    d.route->kind == ROUTE_POOL &&
			    placement_pick(&d.route->pool->placement, keys[j],
			    strlen(keys[j])) >= d.route->pool->n_backends)
				abort();
	conf_del(c);
	return 0;
}
