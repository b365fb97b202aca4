/* SPDX-License-Identifier: MIT */
/* lib/simple: pool{}, router{}, my_zone(), as a module and as globals. */
#include "config.h"

#include <string.h>

#include "cmd/mcproxy/load_lua.h"

#define POOLS "mcproxy.simple.pools"
#define ROUTERS "mcproxy.simple.routers"

/* For the end: my_zone() may come later. */
static int
keep_pool(lua_State *L)
{
	loader_of(L)->is_simple = true;
	return loader_keep(L, POOLS);
}

/* The last one counts. */
static int
keep_router(lua_State *L)
{
	return loader_keep(L, ROUTERS);
}

void
simple_open(struct loader *ld)
{
	static const luaL_Reg functions[] = {
		{ "pool", keep_pool },
		{ "router", keep_router },
		{ "my_zone", loader_set_zone },
		{ "verbose", loader_ignore },
		{ NULL, NULL },
	};
	const luaL_Reg *f;

	luaL_newlibtable(ld->L, functions);
	luaL_setfuncs(ld->L, functions, 0);
	lua_getglobal(ld->L, "say");
	lua_setfield(ld->L, -2, "say");
	lua_setfield(ld->L, LUA_REGISTRYINDEX, "mcproxy.simple");
	for (f = functions; f->name != NULL; f++)
		lua_register(ld->L, f->name, f->func);
}

/* --- after the script ----------------------------------------------------- */

/* One child per zone, the local one first. */
static struct route *
zoned_route(struct loader *ld, int table, const char *name, const char *where)
{
	lua_State *L = ld->L;
	struct loader_keys zones;
	struct route *r;
	struct pool *pool;
	int list = lua_gettop(L), distributors = 0;
	size_t i, at = 1;

	if (loader_table(ld, table, "zone_distributors", where))
		distributors = lua_gettop(L);
	loader_keys(ld, list, where, &zones);
	r = loader_route(ld, ROUTE_ZONES, zones.n_names);
	r->counter = loader_counter(ld, "simple_failovers");
	r->fails_over_on_miss = true;
	for (i = 0; i < zones.n_names; i++) {
		const char *zone = zones.names[i], *full;
		int options = 0;

		if (!loader_table(ld, list, zone, where))
			continue;
		if (distributors != 0 &&
		    loader_table(ld, distributors, zone, where))
			options = lua_gettop(L);
		else if (loader_table(ld, table, "distributor", where))
			options = lua_gettop(L);
		full = lua_pushfstring(L, "%s_%s", name, zone);
		pool = loader_pool(ld, full, options != 0 ?
		    lua_gettop(L) - 2 : lua_gettop(L) - 1, options, 0, where);
		loader_add_pool(ld, pool);
		lua_pop(L, options != 0 ? 3 : 2);
		if (strcmp(zone, ld->zone) == 0)
			r->children[0] = loader_pool_route(ld, pool);
		else if (at < zones.n_names)
			r->children[at++] = loader_pool_route(ld, pool);
	}
	if (r->children[0] == NULL)
		loader_fail(ld, where, "pool: %s missing local zone: %s", name,
		    ld->zone);
	if (distributors != 0)
		lua_pop(L, 1);
	return r;
}

static const struct route *
make_pool(struct loader *ld, int table, const char *where, const char **name)
{
	static const char *const keys[] = { "name", "backends", "zones",
	    "distributor", "zone_distributors", NULL };
	struct route *r;
	struct pool *pool;
	int backends, options = 0;

	loader_check_keys(ld, table, where, "pool", keys);
	if (!loader_string(ld, table, "name", where, name))
		loader_fail(ld, where, "pool: name is missing");
	if (*ld->zone != '\0' && loader_table(ld, table, "zones", where)) {
		r = zoned_route(ld, table, *name, where);
		lua_pop(ld->L, 1);
		return r;
	}
	if (!loader_table(ld, table, "backends", where))
		loader_fail(ld, where, "pool %s: backends are missing%s", *name,
		    *ld->zone == '\0' ? " (zones need my_zone)" : "");
	backends = lua_gettop(ld->L);
	if (loader_table(ld, table, "distributor", where))
		options = lua_gettop(ld->L);
	pool = loader_pool(ld, *name, backends, options, 0, where);
	loader_add_pool(ld, pool);
	lua_settop(ld->L, backends - 1);
	return loader_pool_route(ld, pool);
}

static const struct route *
route_of(const struct router *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_entries; i++)
		if (strcmp(r->entries[i].prefix, name) == 0)
			return r->entries[i].by_command[0];
	return NULL;
}

static void
add_entry(struct router *r, const char *name, const struct route *route)
{
	struct router_entry *e;
	size_t i;

	for (i = 0; i < r->n_entries; i++)
		if (strcmp(r->entries[i].prefix, name) == 0)
			break;
	e = &r->entries[i];
	r->n_entries += i == r->n_entries;
	e->prefix = name;
	e->len = strlen(name);
	for (i = 0; i < COMMANDS_ROUTED; i++)
		e->by_command[i] = route;
}

static void
set_router(struct loader *ld, struct router *r, int table, const char *where)
{
	static const char *const keys[] = { "router_type", "match_prefix",
	    "default_pool", "prefix_trim", "log", NULL };
	const char *type = "keyprefix", *prefix = "/(%a+)/", *name = NULL;
	struct wk_error error;

	r->trims = true;
	if (table != 0) {
		loader_check_keys(ld, table, where, "router", keys);
		loader_string(ld, table, "router_type", where, &type);
		loader_string(ld, table, "match_prefix", where, &prefix);
		loader_string(ld, table, "default_pool", where, &name);
		loader_bool(ld, table, "prefix_trim", where, &r->trims);
	}
	if (strcmp(type, "flat") == 0) {
		r->mode = ROUTER_FLAT;
		name = "default";
		if (route_of(r, name) == NULL)
			loader_fail(ld, where, "router_type: flat requires pool "
			    "with name 'default'");
	} else if (strcmp(type, "keyprefix") == 0) {
		r->mode = ROUTER_PATTERN;
		if (pattern_compile(&r->pattern, prefix, strlen(prefix),
		    &error) != WK_OK)
			loader_fail(ld, where, "match_prefix: %s", error.reason);
	} else {
		loader_fail(ld, where, "unknown router type: %s, expected "
		    "keyprefix or flat", type);
	}
	if (name == NULL)
		return;
	r->fallback = route_of(r, name);
	if (r->fallback == NULL)
		loader_fail(ld, where, "default_pool: no pool %s", name);
}

struct last {
	int table;
	const char *where;
};

static void
take_last(struct loader *ld, void *ctx, int table, const char *where)
{
	struct last *last = ctx;

	/* Anchored in the registry's list, so the text stays. */
	last->where = where;
	lua_pushvalue(ld->L, table);
	lua_replace(ld->L, last->table);
}

static void
take_pool(struct loader *ld, void *ctx, int table, const char *where)
{
	const char *name;
	const struct route *route = make_pool(ld, table, where, &name);

	add_entry(ctx, name, route);
}

void
simple_finish(struct loader *ld)
{
	lua_State *L = ld->L;
	struct router *r = loader_router(ld, "", "configuration");
	int top = lua_gettop(L);
	struct last last = { .table = top + 1, .where = "configuration" };
	size_t n;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, POOLS);
	n = (size_t)lua_rawlen(L, -1);
	lua_pop(L, 1);
	r->entries = loader_need(ld, conf_alloc(ld->conf, (n + 1) *
	    sizeof(*r->entries)));
	loader_each(ld, POOLS, take_pool, r);
	lua_pushnil(L);
	loader_each(ld, ROUTERS, take_last, &last);
	set_router(ld, r, lua_isnil(L, last.table) ? 0 : last.table,
	    last.where);
	router_sort(r);
	lua_settop(L, top);
}
