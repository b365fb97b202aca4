/* SPDX-License-Identifier: MIT */
/* routelib: pools{}, settings{}, zones, routes{} with its handlers. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/load_lua.h"
#include "cmd/mcproxy/load_route.h"

#define POOLS "mcproxy.routelib.pools"
#define ROUTES "mcproxy.routelib.routes"

static int
keep_pools(lua_State *L)
{
	loader_of(L)->is_routelib = true;
	return loader_keep(L, POOLS);
}

static int
keep_routes(lua_State *L)
{
	loader_of(L)->is_routelib = true;
	return loader_keep(L, ROUTES);
}

static int
set_settings(lua_State *L)
{
	static const char *const keys[] = { "backend_connect_timeout",
	    "backend_retry_waittime", "backend_read_timeout",
	    "backend_failure_limit", "backend_depth_limit",
	    "backend_flap_time", "backend_flap_backoff_ramp",
	    "backend_flap_backoff_max", "backend_use_tls", "tcp_keepalive",
	    "active_req_limit", "active_request_limit", "buffer_memory_limit",
	    "pool_options", "backend_options", NULL };
	struct loader *ld = loader_of(L);
	struct backend_options *o = &ld->defaults;
	const char *where;
	lua_Number ramp;
	uint64_t v;

	luaL_checktype(L, 1, LUA_TTABLE);
	where = loader_where(L);
	loader_check_keys(ld, 1, where, "settings", keys);
	loader_seconds(ld, 1, "backend_connect_timeout", where,
	    &o->connect_timeout_ns);
	loader_seconds(ld, 1, "backend_retry_waittime", where,
	    &o->retry_wait_ns);
	loader_seconds(ld, 1, "backend_read_timeout", where,
	    &o->read_timeout_ns);
	loader_seconds(ld, 1, "backend_flap_time", where, &o->flap_time_ns);
	loader_seconds(ld, 1, "backend_flap_backoff_max", where,
	    &o->flap_max_ns);
	loader_bool(ld, 1, "tcp_keepalive", where, &o->has_keepalive);
	loader_bool(ld, 1, "backend_use_tls", where, &o->is_secure);
	if (loader_uint(ld, 1, "backend_failure_limit", where, 1000000, &v))
		o->failure_limit = (unsigned)v;
	if (loader_uint(ld, 1, "backend_depth_limit", where, 1000000, &v))
		o->depth_limit = (unsigned)v;
	loader_uint(ld, 1, "active_req_limit", where, UINT32_MAX,
	    &ld->conf->request_limit);
	loader_uint(ld, 1, "active_request_limit", where, UINT32_MAX,
	    &ld->conf->request_limit);
	if (loader_uint(ld, 1, "buffer_memory_limit", where, UINT32_MAX, &v))
		ld->conf->memory_limit = v * 1024;
	if (lua_getfield(L, 1, "backend_flap_backoff_ramp") != LUA_TNIL) {
		ramp = lua_tonumber(L, -1);
		if (!(ramp >= 1.1 && ramp <= 1000))
			loader_fail(ld, where, "backend_flap_backoff_ramp: "
			    "expected a number from 1.1");
		o->flap_ramp = ramp;
	}
	lua_pop(L, 1);
	if (loader_table(ld, 1, "backend_options", where)) {
		loader_backend_options(ld, lua_gettop(L), where, o);
		lua_pop(L, 1);
	}
	if (loader_table(ld, 1, "pool_options", where))
		ld->pool_options = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/* --- zones ---------------------------------------------------------------- */

static int
local_zone_from_env(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *zone = getenv(name);

	if (zone == NULL)
		return luaL_error(L, "local_zone_from_env: %s is not in the "
		    "environment", name);
	lua_settop(L, 0);
	lua_pushstring(L, zone);
	return loader_set_zone(L);
}

static int
local_zone_from_file(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	FILE *fp = load_open(path, loader_of(L)->options);
	char line[ZONE_MAX + 1] = "";

	if (fp == NULL || fgets(line, sizeof(line), fp) == NULL) {
		if (fp != NULL)
			fclose(fp);
		return luaL_error(L, "local_zone_from_file: cannot read %s",
		    path);
	}
	fclose(fp);
	line[strcspn(line, "\r\n")] = '\0';
	lua_settop(L, 0);
	lua_pushstring(L, line);
	return loader_set_zone(L);
}

static int
no_handlers(lua_State *L)
{
	return luaL_error(L, "register_route_handlers: handlers written in Lua "
	    "are not supported, as no Lua runs while requests are served; "
	    "expected only the routes that are built in (see mcproxy(1))");
}

/* A name that nobody has defined: say so for routes, others are nil. */
static int
missing_global(lua_State *L)
{
	const char *name = lua_tostring(L, 2);

	if (lua_type(L, 2) == LUA_TSTRING && strncmp(name, "route_", 6) == 0)
		return luaL_error(L, "%s is not known, expected one of the "
		    "routes that are built in (see mcproxy(1)), as handlers "
		    "written in Lua are not supported", name);
	lua_pushnil(L);
	return 1;
}

void
routelib_open(struct loader *ld)
{
	static const luaL_Reg functions[] = {
		{ "pools", keep_pools },
		{ "routes", keep_routes },
		{ "settings", set_settings },
		{ "local_zone", loader_set_zone },
		{ "local_zone_from_env", local_zone_from_env },
		{ "local_zone_from_file", local_zone_from_file },
		{ "verbosity", loader_ignore },
		{ "debug", loader_ignore },
		{ "register_route_handlers", no_handlers },
	};
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		lua_register(ld->L, functions[i].name, functions[i].func);
	handlers_open(ld);
	lua_pushglobaltable(ld->L);
	lua_newtable(ld->L);
	lua_pushcfunction(ld->L, missing_global);
	lua_setfield(ld->L, -2, "__index");
	lua_setmetatable(ld->L, -2);
	lua_pop(ld->L, 1);
}

/* --- after the script: pools ---------------------------------------------- */

/* A pool of the table on top of the stack, which stays. */
static void
make_pool(struct loader *ld, const char *name, const char *where)
{
	static const char *const keys[] = { "backends", "options",
	    "backend_options", NULL };
	lua_State *L = ld->L;
	int table = lua_gettop(L), backends, options = 0, backend_options = 0;

	if (!lua_istable(L, table))
		loader_fail(ld, where, "pool %s: expected a table, got %s",
		    name, luaL_typename(L, table));
	loader_check_keys(ld, table, where, name, keys);
	if (!loader_table(ld, table, "backends", where))
		loader_fail(ld, where, "pool %s: backends are missing", name);
	backends = lua_gettop(L);
	if (loader_table(ld, table, "options", where))
		options = lua_gettop(L);
	if (loader_table(ld, table, "backend_options", where))
		backend_options = lua_gettop(L);
	loader_add_pool(ld, loader_pool(ld, name, backends, options,
	    backend_options, where));
	lua_settop(L, table);
}

/* set_NAME = { KEY = pool, … } makes pools set_NAME_KEY. */
static void
make_set(struct loader *ld, const char *name, const char *where)
{
	lua_State *L = ld->L;
	int table = lua_gettop(L);
	struct loader_keys keys;
	size_t i;

	if (!lua_istable(L, table))
		loader_fail(ld, where, "set %s: expected a table of pools, got "
		    "%s", name, luaL_typename(L, table));
	loader_keys(ld, table, where, &keys);
	for (i = 0; i < keys.n_array + keys.n_names; i++) {
		if (i < keys.n_array) {
			lua_rawgeti(L, table, (lua_Integer)i + 1);
			lua_pushfstring(L, "%s_%d", name, (int)i + 1);
		} else {
			lua_getfield(L, table, keys.names[i - keys.n_array]);
			lua_pushfstring(L, "%s_%s", name,
			    keys.names[i - keys.n_array]);
		}
		lua_insert(L, -2);
		make_pool(ld, lua_tostring(L, -2), where);
		lua_settop(L, table);
	}
	handlers_add_set(ld, name, &keys);
}

static void
make_pools(struct loader *ld, void *ctx, int table, const char *where)
{
	lua_State *L = ld->L;
	const char *name;

	(void)ctx;
	for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			loader_fail(ld, where, "pools: expected NAME = { … }");
		name = lua_tostring(L, -2);
		if (strcmp(name, "internal") == 0)
			loader_fail(ld, where, "pool internal: the name is "
			    "reserved");
		if (strncmp(name, "set_", 4) == 0)
			make_set(ld, name, where);
		else
			make_pool(ld, name, where);
	}
}

/* --- after the script: routes --------------------------------------------- */

static void
read_delimiter(struct loader *ld, int table, const char *key,
    const char *where, char out[ROUTER_DELIMITER_MAX + 1])
{
	const char *text;

	if (!loader_string(ld, table, key, where, &text))
		return;
	if (*text == '\0' || strlen(text) > ROUTER_DELIMITER_MAX)
		loader_fail(ld, where, "%s: expected 1 to %d octets", key,
		    ROUTER_DELIMITER_MAX);
	strcpy(out, text);
}

static void
read_conf(struct loader *ld, struct router *r, int table, const char *where)
{
	const char *mode = "prefix", *ignored;
	bool has_start, has_stop;

	strcpy(r->start, "/");
	strcpy(r->stop, "/");
	if (table == 0)
		return;
	loader_string(ld, table, "mode", where, &mode);
	if (strcmp(mode, "anchor") == 0)
		r->mode = ROUTER_ANCHOR;
	else if (strcmp(mode, "prefix") != 0)
		loader_fail(ld, where, "mode: expected prefix or anchor, got %s",
		    mode);
	has_start = loader_string(ld, table, "start", where, &ignored);
	has_stop = loader_string(ld, table, "stop", where, &ignored);
	if (r->mode == ROUTER_ANCHOR && has_start != has_stop)
		loader_fail(ld, where, "start and stop must be given together");
	read_delimiter(ld, table, "start", where, r->start);
	read_delimiter(ld, table, "stop", where, r->stop);
}

static void
read_map(struct loader *ld, struct router *r, int table, const char *where)
{
	struct loader_keys keys;
	struct router_entry *e;
	size_t i;

	loader_keys(ld, table, where, &keys);
	r->entries = loader_need(ld, conf_alloc(ld->conf, (keys.n_names + 1) *
	    sizeof(*r->entries)));
	for (i = 0; i < keys.n_names; i++) {
		e = &r->entries[r->n_entries++];
		e->prefix = keys.names[i];
		e->len = strlen(e->prefix);
		lua_getfield(ld->L, table, keys.names[i]);
		handlers_compile_entry(ld, where, keys.names[i], e->by_command);
		lua_pop(ld->L, 1);
	}
	router_sort(r);
}

/* The router of table; what concerns prefixes is in the table at conf. */
void
routelib_fill(struct loader *ld, struct router *r, int table, int conf,
    const char *where)
{
	lua_State *L = ld->L;
	int top = lua_gettop(L);

	r->mode = ROUTER_PREFIX;
	read_conf(ld, r, conf, where);
	if (loader_table(ld, table, "map", where))
		read_map(ld, r, lua_gettop(L), where);
	lua_settop(L, top);
	if (loader_table(ld, table, "cmap", where))
		handlers_compile_commands(ld, where, "cmap", r->by_command);
	lua_settop(L, top);
	if (lua_getfield(L, table, "default") != LUA_TNIL)
		r->fallback = handlers_compile(ld, where, "default");
	lua_settop(L, top);
}

static void
make_routes(struct loader *ld, void *ctx, int table, const char *where)
{
	static const char *const keys[] = { "conf", "map", "cmap", "default",
	    "tag", NULL };
	static const char *const conf_keys[] = { "mode", "start", "stop",
	    NULL };
	const char *tag = "";
	int conf = 0;

	(void)ctx;
	loader_check_keys(ld, table, where, "routes", keys);
	loader_string(ld, table, "tag", where, &tag);
	if (loader_table(ld, table, "conf", where)) {
		conf = lua_gettop(ld->L);
		loader_check_keys(ld, conf, where, "conf", conf_keys);
	}
	routelib_fill(ld, loader_router(ld, tag, where), table, conf, where);
	lua_settop(ld->L, table);
}

void
routelib_finish(struct loader *ld)
{
	loader_each(ld, POOLS, make_pools, NULL);
	loader_each(ld, ROUTES, make_routes, NULL);
	if (ld->conf->n_routers == 0)
		loader_fail(ld, "configuration", "no routes, expected "
		    "routes{ map = …, default = … }");
}
