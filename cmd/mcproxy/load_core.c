/* SPDX-License-Identifier: MIT */
/*
 * The core API, mcp.*: backends and pools as objects, routers, and what
 * mcp_config_pools() and mcp_config_routes() make of them. Handlers are pools,
 * routers and the routes of routelib; a function cannot be one, because no Lua
 * runs while requests are served.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/mcproxy/load_lua.h"
#include "cmd/mcproxy/load_route.h"

#define ROUTER "mcproxy.router"	/* metatable of what mcp.router_new returns */
#define CMD_ANY 1000
#define CMD_ANY_STORAGE 1001
#define DEPTH_MAX 8

/* --- backends and pools --------------------------------------------------- */

/* mcp.backend(label, host, port) or mcp.backend{…} */
static int
new_backend(lua_State *L)
{
	static const char *const fields[] = { "label", "host", "port" };
	struct loader *ld = loader_of(L);
	struct backend_conf **b;
	int i;

	if (!lua_istable(L, 1)) {
		lua_settop(L, 3);
		lua_newtable(L);
		for (i = 0; i < 3; i++) {
			lua_pushvalue(L, i + 1);
			lua_setfield(L, 4, fields[i]);
		}
		lua_replace(L, 1);
	}
	lua_settop(L, 1);
	b = lua_newuserdatauv(L, sizeof(struct backend_conf *), 0);
	*b = loader_backend_table(ld, 1, &ld->defaults, loader_where(L));
	lua_pop(L, 1);
	luaL_setmetatable(L, LOADER_BACKEND);
	return 1;
}

/* mcp.pool({backends}, {options}) */
static int
new_pool(lua_State *L)
{
	struct loader *ld = loader_of(L);
	struct pool *pool;
	char name[32];

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (!lua_isnil(L, 2))
		luaL_checktype(L, 2, LUA_TTABLE);
	snprintf(name, sizeof(name), "pool_%zu", ld->conf->n_pools + 1);
	pool = loader_pool(ld, name, 1, lua_isnil(L, 2) ? 0 : 2, 0,
	    loader_where(L));
	loader_add_pool(ld, pool);
	loader_push_pool(ld, pool);
	return 1;
}

/* Pools are called as in the table that mcp_config_pools() returns. */
static void
name_pools(struct loader *ld, int index, const char *name, unsigned depth)
{
	lua_State *L = ld->L;
	struct pool **pool = luaL_testudata(L, index, LOADER_POOL);
	const char *key;

	if (pool != NULL) {
		(*pool)->name = loader_need(ld, conf_strndup(ld->conf, name,
		    strlen(name)));
		return;
	}
	if (!lua_istable(L, index) || depth == DEPTH_MAX)
		return;
	luaL_checkstack(L, 10, NULL);
	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
		/* A copy: converting the key itself would confuse lua_next. */
		lua_pushvalue(L, -2);
		key = lua_tostring(L, -1);
		if (key == NULL)
			key = "pool";
		key = depth == 0 ? key : lua_pushfstring(L, "%s_%s", name, key);
		name_pools(ld, lua_gettop(L) - (depth == 0 ? 1 : 2), key,
		    depth + 1);
		lua_pop(L, depth == 0 ? 1 : 2);
	}
}

/* --- routes --------------------------------------------------------------- */

static int
new_router(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_createtable(L, 2, 0);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	loader_where(L);
	lua_rawseti(L, -2, 2);
	luaL_setmetatable(L, ROUTER);
	return 1;
}

static bool
is_router(lua_State *L, int index)
{
	bool is_one;

	if (!lua_istable(L, index) || lua_getmetatable(L, index) == 0)
		return false;
	luaL_getmetatable(L, ROUTER);
	is_one = lua_rawequal(L, -1, -2) != 0;
	lua_pop(L, 2);
	return is_one;
}

static void
attach_router(struct loader *ld, struct router *r, int index)
{
	static const char *const keys[] = { "map", "cmap", "default", "mode",
	    "start", "stop", NULL };
	const char *where;
	int table;

	lua_rawgeti(ld->L, index, 2);
	where = lua_tostring(ld->L, -1);
	lua_rawgeti(ld->L, index, 1);
	table = lua_gettop(ld->L);
	loader_check_keys(ld, table, where, "mcp.router_new", keys);
	routelib_fill(ld, r, table, table, where);
}

static struct router *
router_for(struct loader *ld, const char *tag, const char *where)
{
	struct router *r = (struct router *)conf_router(ld->conf, tag);

	if (r == NULL) {
		r = loader_router(ld, tag, where);
		r->mode = ROUTER_FLAT;
	}
	return r;
}

/* mcp.attach(mcp.CMD_…, pool, route or router [, tag]) */
static int
attach(lua_State *L)
{
	struct loader *ld = loader_of(L);
	lua_Integer command = luaL_checkinteger(L, 1);
	const char *tag = luaL_optstring(L, 3, ""), *where;
	bool is_any = command == CMD_ANY || command == CMD_ANY_STORAGE;
	const struct route *route;
	struct router *r;
	size_t i;

	lua_settop(L, 3);
	luaL_checkany(L, 2);
	where = loader_where(L);
	r = router_for(ld, tag, where);
	if (is_router(L, 2)) {
		if (!is_any)
			loader_fail(ld, where, "mcp.attach: a router takes all "
			    "commands, expected mcp.CMD_ANY_STORAGE");
		attach_router(ld, r, 2);
		return 0;
	}
	lua_pushvalue(L, 2);
	route = handlers_compile(ld, where, *tag != '\0' ? tag : "attach");
	for (i = 0; i < COMMANDS_ROUTED; i++)
		if (is_any || (size_t)command == i + 1)
			r->by_command[i] = route;
	return 0;
}

/* --- the rest of the API -------------------------------------------------- */

/* mcp.backend_read_timeout(3) is settings{ backend_read_timeout = 3 } */
static int
set_one(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_settop(L, 1);
	lua_getglobal(L, "settings");
	lua_newtable(L);
	lua_pushvalue(L, 1);
	lua_setfield(L, -2, lua_tostring(L, lua_upvalueindex(1)));
	lua_call(L, 1, 0);
	return 0;
}

static int
add_stat(lua_State *L)
{
	loader_counter(loader_of(L), luaL_checkstring(L, 2));
	return 0;
}

static int
refuse(lua_State *L)
{
	return luaL_error(L, "mcp.%s needs Lua while requests are served, which "
	    "is not done; expected pools, mcp.router_new{} and routes such as "
	    "route_failover{}", luaL_tolstring(L, 2, NULL));
}

static void
set_constants(lua_State *L)
{
	char name[32];
	size_t i, k;

	for (i = 0; i < COMMANDS_ROUTED; i++) {
		snprintf(name, sizeof(name), "CMD_%s",
		    command_name((enum command)i));
		for (k = 4; name[k] != '\0'; k++)
			name[k] = (char)toupper((unsigned char)name[k]);
		lua_pushinteger(L, (lua_Integer)i + 1);
		lua_setfield(L, -2, name);
	}
	lua_pushinteger(L, CMD_ANY);
	lua_setfield(L, -2, "CMD_ANY");
	lua_pushinteger(L, CMD_ANY_STORAGE);
	lua_setfield(L, -2, "CMD_ANY_STORAGE");
	lua_pushliteral(L, "internal");
	lua_setfield(L, -2, "internal_handler");
}

/* What pool options are made of. */
static void
set_placements(lua_State *L)
{
	lua_newtable(L);
	lua_pushliteral(L, "jump");
	lua_setfield(L, -2, "placement");
	lua_setfield(L, -2, "dist_jump_hash");
	lua_newtable(L);
	lua_pushliteral(L, "ring");
	lua_setfield(L, -2, "placement");
	lua_pushliteral(L, "md5");
	lua_setfield(L, -2, "hash");
	lua_setfield(L, -2, "dist_ring_hash");
	lua_pushliteral(L, "xxh3");
	lua_setfield(L, -2, "hash_xxhash");
}

void
core_open(struct loader *ld)
{
	static const luaL_Reg functions[] = {
		{ "backend", new_backend },
		{ "pool", new_pool },
		{ "router_new", new_router },
		{ "attach", attach },
		{ "add_stat", add_stat },
		{ "log", loader_ignore },
		{ "backend_use_iothread", loader_ignore },
		{ "init_tls", loader_ignore },
		{ "luagc_ratio", loader_ignore },
		{ "stat_limit", loader_ignore },
		{ NULL, NULL },
	};
	static const char *const settings[][2] = {
		{ "backend_connect_timeout", NULL },
		{ "backend_retry_waittime", NULL },
		{ "backend_retry_timeout", "backend_retry_waittime" },
		{ "backend_read_timeout", NULL },
		{ "backend_failure_limit", NULL },
		{ "backend_depth_limit", NULL },
		{ "backend_flap_time", NULL },
		{ "backend_flap_backoff_ramp", NULL },
		{ "backend_flap_backoff_max", NULL },
		{ "backend_use_tls", NULL },
		{ "tcp_keepalive", NULL },
		{ "active_req_limit", NULL },
		{ "buffer_memory_limit", NULL },
	};
	lua_State *L = ld->L;
	size_t i;

	luaL_newmetatable(L, LOADER_BACKEND);
	luaL_newmetatable(L, LOADER_POOL);
	luaL_newmetatable(L, ROUTER);
	lua_pop(L, 3);
	luaL_newlib(L, functions);
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		lua_pushstring(L, settings[i][settings[i][1] != NULL]);
		lua_pushcclosure(L, set_one, 1);
		lua_setfield(L, -2, settings[i][0]);
	}
	set_constants(L);
	set_placements(L);
	lua_newtable(L);
	lua_pushcfunction(L, refuse);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_setglobal(L, "mcp");
}

/* Does the file use this dialect? */
bool
core_is_used(struct loader *ld)
{
	bool is_used = lua_getglobal(ld->L, "mcp_config_pools") ==
	    LUA_TFUNCTION;

	lua_pop(ld->L, 1);
	return is_used;
}

void
core_finish(struct loader *ld)
{
	lua_State *L = ld->L;
	int top = lua_gettop(L);

	lua_getglobal(L, "mcp_config_pools");
	lua_pushnil(L);	/* no pools of an earlier load */
	lua_call(L, 1, 1);
	name_pools(ld, top + 1, "default", 0);
	if (lua_getglobal(L, "mcp_config_routes") != LUA_TFUNCTION)
		loader_fail(ld, "configuration", "mcp_config_routes is missing, "
		    "expected a function that calls mcp.attach");
	lua_pushvalue(L, top + 1);
	lua_call(L, 1, 0);
	if (ld->conf->n_routers == 0)
		loader_fail(ld, "configuration", "no routes, expected "
		    "mcp.attach(mcp.CMD_ANY_STORAGE, …) in mcp_config_routes");
	lua_settop(L, top);
}
