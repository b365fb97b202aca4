/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/load_route.h"

#include <string.h>

#include "common/base/clock.h"

#define SETS "mcproxy.sets"
#define MARK "mcproxy.route"	/* metatable of what route_…{} returns */
#define DEPTH_MAX 16

struct children {
	const struct route *route[CHILDREN_MAX];
	const char *zone[CHILDREN_MAX];	/* "" where there is none */
	size_t n;
};

static const struct handler {
	const char *name;
	enum route_kind kind;
	const char *keys[12];
} handlers[] = {
	{ "route_direct", ROUTE_POOL, { "child", "child_wrap" } },
	{ "route_allsync", ROUTE_ALLSYNC, { "children" } },
	{ "route_allfastest", ROUTE_ALLFASTEST,
	    { "children", "miss", "wait" } },
	{ "route_quorum", ROUTE_QUORUM, { "children", "quorum" } },
	{ "route_allasync", ROUTE_ALLASYNC, { "children" } },
	{ "route_failover", ROUTE_FAILOVER, { "children", "failover_count",
	    "shuffle", "miss", "wait", "local_zone", "stats", "stats_name" } },
	/* shuffle and failover_count mean nothing there, but are in use. */
	{ "route_zfailover", ROUTE_ZFAILOVER, { "children", "failover_count",
	    "shuffle", "miss", "local_zone", "stats", "stats_name" } },
	{ "route_split", ROUTE_SPLIT, { "child_a", "child_b" } },
	{ "route_ttl", ROUTE_TTL, { "child", "child_wrap", "ttl" } },
	{ "route_null", ROUTE_NULL, { NULL } },
	{ "route_random", ROUTE_RANDOM, { "children" } },
	{ "route_ratelim", ROUTE_RATELIM, { "child", "child_wrap", "limit",
	    "fillrate", "tickrate", "global", "fail_until_limit", "stats",
	    "stats_name" } },
};

/* { handler number or 0 for cmdmap, arguments, where } */
static int
make_marked(lua_State *L)
{
	lua_settop(L, 1);
	if (lua_isnil(L, 1)) {
		lua_newtable(L);
		lua_replace(L, 1);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_createtable(L, 3, 0);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_rawseti(L, -2, 1);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 2);
	loader_where(L);
	lua_rawseti(L, -2, 3);
	luaL_setmetatable(L, MARK);
	return 1;
}

void
handlers_open(struct loader *ld)
{
	lua_State *L = ld->L;
	size_t i;

	luaL_newmetatable(L, MARK);
	lua_pop(L, 1);
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		lua_pushinteger(L, (lua_Integer)i + 1);
		lua_pushcclosure(L, make_marked, 1);
		lua_setglobal(L, handlers[i].name);
	}
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, make_marked, 1);
	lua_setglobal(L, "cmdmap");
}

void
handlers_add_set(struct loader *ld, const char *name,
    const struct loader_keys *keys)
{
	lua_State *L = ld->L;
	size_t i;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, SETS);
	lua_newtable(L);
	for (i = 0; i < keys->n_array; i++) {
		lua_pushfstring(L, "%d", (int)i + 1);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	for (i = 0; i < keys->n_names; i++) {
		lua_pushstring(L, keys->names[i]);
		lua_rawseti(L, -2, (lua_Integer)(keys->n_array + i) + 1);
	}
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

/* The number of a marked table on the stack, or -1. */
static int
marked(lua_State *L, int index)
{
	int n = -1;

	if (!lua_istable(L, index) || lua_getmetatable(L, index) == 0)
		return -1;
	luaL_getmetatable(L, MARK);
	if (lua_rawequal(L, -1, -2)) {
		lua_rawgeti(L, index, 1);
		n = (int)lua_tointeger(L, -1);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	return n;
}

/* --- children ------------------------------------------------------------- */

static const struct route *compile(struct loader *ld, int index,
    const char *where, const char *name, unsigned depth);
static void collect_wrapped(struct loader *ld, int index, const char *where,
    const char *name, unsigned depth, struct children *out);

static void
add_child(struct loader *ld, struct children *c, const struct route *route,
    const char *zone, const char *where)
{
	if (c->n == CHILDREN_MAX)
		loader_fail(ld, where, "more than %d children", CHILDREN_MAX);
	c->route[c->n] = route;
	c->zone[c->n++] = zone;
}

/* There is no cache in the proxy itself; a memcached beside it is as good. */
static struct pool *
internal_pool(struct loader *ld, const char *where)
{
	struct pool *pool;

	if (ld->options->internal == NULL)
		loader_fail(ld, where, "pool internal: there is no cache in "
		    "the proxy itself, expected the address of one with "
		    "--internal");
	lua_createtable(ld->L, 1, 0);
	lua_pushstring(ld->L, ld->options->internal);
	lua_rawseti(ld->L, -2, 1);
	pool = loader_pool(ld, "internal", lua_gettop(ld->L), 0, 0,
	    "--internal");
	lua_pop(ld->L, 1);
	loader_add_pool(ld, pool);
	return pool;
}

static const struct route *
compile_pool(struct loader *ld, const char *name, const char *where)
{
	struct pool *pool = conf_pool(ld->conf, name);

	if (pool == NULL && strcmp(name, "internal") == 0)
		pool = internal_pool(ld, where);
	if (pool == NULL && ld->options->is_lax) {
		loader_note(ld, where, "no pool %s: its keys get no route",
		    name);
		return loader_route(ld, ROUTE_NOWHERE, 0);
	}
	if (pool == NULL)
		loader_fail(ld, where, "no pool %s%s", name,
		    strncmp(name, "set_", 4) == 0 ?
		    " (a set of pools stands for children)" : "");
	return loader_pool_route(ld, pool);
}

/* The members of a set; false when there is none of this name. */
static bool
collect_set(struct loader *ld, const char *set, const char *where,
    struct children *out)
{
	lua_State *L = ld->L;
	const char *key, *zone;
	lua_Integer i, n;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, SETS);
	if (lua_getfield(L, -1, set) != LUA_TTABLE) {
		lua_pop(L, 2);
		return false;
	}
	n = (lua_Integer)lua_rawlen(L, -1);
	for (i = 1; i <= n; i++) {
		lua_rawgeti(L, -1, i);
		key = lua_tostring(L, -1);
		zone = loader_need(ld, conf_strndup(ld->conf, key,
		    strlen(key)));
		add_child(ld, out, compile_pool(ld, lua_pushfstring(L, "%s_%s",
		    set, key), where), zone, where);
		lua_pop(L, 2);
	}
	lua_pop(L, 2);
	return true;
}

/* What stands for children: a set, a pool, a wrapped route, a list, a map. */
static void
collect(struct loader *ld, int index, const char *where, const char *name,
    unsigned depth, struct children *out)
{
	lua_State *L = ld->L;
	struct loader_keys keys;
	size_t i;

	out->n = 0;
	if (lua_type(L, index) == LUA_TSTRING) {
		if (!collect_set(ld, lua_tostring(L, index), where, out))
			add_child(ld, out, compile(ld, index, where, name,
			    depth), "", where);
		return;
	}
	if (marked(L, index) >= 0) {
		collect_wrapped(ld, index, where, name, depth, out);
		return;
	}
	if (!lua_istable(L, index))
		loader_fail(ld, where, "children: expected a list of pools and "
		    "routes or the name of a set, got %s",
		    luaL_typename(L, index));
	loader_keys(ld, index, where, &keys);
	for (i = 0; i < keys.n_array + keys.n_names; i++) {
		const char *zone = i < keys.n_array ? "" :
		    keys.names[i - keys.n_array];

		if (i < keys.n_array)
			lua_rawgeti(L, index, (lua_Integer)i + 1);
		else
			lua_getfield(L, index, zone);
		add_child(ld, out, compile(ld, lua_gettop(L), where, name,
		    depth), zone, where);
		lua_pop(L, 1);
	}
}

static void
local_first(struct loader *ld, struct children *c, const char *local,
    const char *where)
{
	const struct route *route;
	const char *zone;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->zone[i], local) == 0)
			break;
	if (i == c->n)
		loader_fail(ld, where, "no child for the local zone %s",
		    *local == '\0' ? "(local_zone is not set)" : local);
	route = c->route[i];
	zone = c->zone[i];
	memmove(c->route + 1, c->route, i * sizeof(c->route[0]));
	memmove(c->zone + 1, c->zone, i * sizeof(c->zone[0]));
	c->route[0] = route;
	c->zone[0] = zone;
}

/* --- one handler ---------------------------------------------------------- */

static void
read_counter(struct loader *ld, int args, const char *where, const char *name,
    const char *suffix, struct route *r)
{
	const char *label = name, *full;
	bool counts = false;

	loader_bool(ld, args, "stats", where, &counts);
	loader_string(ld, args, "stats_name", where, &label);
	if (!counts)
		return;
	full = lua_pushfstring(ld->L, "%s_%s", label, suffix);
	r->counter = loader_counter(ld, full);
	lua_pop(ld->L, 1);
}

static void
read_failover(struct loader *ld, int args, const char *where, const char *name,
    struct children *c, struct route *r)
{
	const char *zone = ld->zone;
	bool is_zoned = false;
	uint64_t tries = 0;

	r->fails_over_on_miss = r->kind == ROUTE_ZFAILOVER;
	loader_bool(ld, args, "miss", where, &r->fails_over_on_miss);
	if (r->kind == ROUTE_FAILOVER)
		loader_bool(ld, args, "shuffle", where, &r->shuffles);
	loader_seconds(ld, args, "wait", where, &r->wait_ns);
	loader_uint(ld, args, "failover_count", where, UINT32_MAX, &tries);
	if (tries == 1 && r->kind == ROUTE_FAILOVER)
		loader_note(ld, where, "route_failover: failover_count is the "
		    "number of tries, with 1 there is no failover");
	/* local_zone may also name the zone. */
	if (lua_getfield(ld->L, args, "local_zone") != LUA_TNIL)
		is_zoned = lua_toboolean(ld->L, -1) != 0;
	if (lua_type(ld->L, -1) == LUA_TSTRING)
		zone = lua_tostring(ld->L, -1);
	if (is_zoned || r->kind == ROUTE_ZFAILOVER)
		local_first(ld, c, zone, where);
	lua_pop(ld->L, 1);
	r->tries = tries == 0 || tries > c->n ? (unsigned)c->n :
	    (unsigned)tries;
	read_counter(ld, args, where, name, "retries", r);
}

static void
read_ratelim(struct loader *ld, int args, const char *where, const char *name,
    struct route *r)
{
	uint64_t tick_ms = 1000;
	bool is_global;

	if (!loader_uint(ld, args, "limit", where, UINT32_MAX, &r->limit) ||
	    !loader_uint(ld, args, "fillrate", where, UINT32_MAX, &r->fill))
		loader_fail(ld, where, "route_ratelim: limit and fillrate are "
		    "needed");
	loader_uint(ld, args, "tickrate", where, 3600000, &tick_ms);
	loader_bool(ld, args, "fail_until_limit", where, &r->is_inverted);
	loader_bool(ld, args, "global", where, &is_global);
	read_counter(ld, args, where, name, "limits", r);
	r->tick_ns = (tick_ms == 0 ? 1 : tick_ms) * 1000000;
	r->bucket = ld->conf->n_buckets++;
}

static void
read_quorum(struct loader *ld, int args, const char *where,
    const struct children *c, struct route *r)
{
	uint64_t n = c->n / 2 + 1;

	loader_uint(ld, args, "quorum", where, UINT32_MAX, &n);
	if (n == 0 || n > c->n)
		loader_fail(ld, where, "quorum: expected a number from 1 to "
		    "%zu, which is all children", c->n);
	r->tries = (unsigned)n;
}

static void
read_ttl(struct loader *ld, int args, const char *where, struct route *r)
{
	lua_Integer ttl;
	int is_number;

	lua_getfield(ld->L, args, "ttl");
	ttl = lua_tointegerx(ld->L, -1, &is_number);
	lua_pop(ld->L, 1);
	if (is_number == 0 || ttl < INT32_MIN || ttl > INT32_MAX)
		loader_fail(ld, where, "route_ttl: ttl: expected seconds");
	r->ttl = ttl;
}

/* The arguments without their children become a route; args is their table. */
static struct route *
make_route(struct loader *ld, const struct handler *h, int args,
    const char *where, const char *name, struct children *c)
{
	struct route *r;
	size_t i;

	/* One child and nothing to do is that child. */
	if (h->kind == ROUTE_POOL)
		return (struct route *)c->route[0];
	r = loader_route(ld, h->kind, c->n);
	if (h->kind == ROUTE_FAILOVER || h->kind == ROUTE_ZFAILOVER)
		read_failover(ld, args, where, name, c, r);
	else if (h->kind == ROUTE_RATELIM)
		read_ratelim(ld, args, where, name, r);
	else if (h->kind == ROUTE_TTL)
		read_ttl(ld, args, where, r);
	else if (h->kind == ROUTE_QUORUM)
		read_quorum(ld, args, where, c, r);
	else if (h->kind == ROUTE_ALLFASTEST) {
		loader_bool(ld, args, "miss", where, &r->prefers_good);
		loader_seconds(ld, args, "wait", where, &r->wait_ns);
	}
	for (i = 0; i < c->n; i++)
		r->children[i] = c->route[i];
	return r;
}

static void
need_field(struct loader *ld, int args, const char *key, const char *handler,
    const char *where)
{
	if (lua_getfield(ld->L, args, key) == LUA_TNIL)
		loader_fail(ld, where, "%s: %s is missing", handler, key);
}

static void
read_children(struct loader *ld, const struct handler *h, int args,
    const char *where, const char *name, unsigned depth, struct children *c)
{
	static const char *const split[] = { "child_a", "child_b" };
	size_t i;

	c->n = 0;
	if (h->kind == ROUTE_NULL)
		return;
	if (h->kind == ROUTE_SPLIT) {
		for (i = 0; i < 2; i++) {
			need_field(ld, args, split[i], h->name, where);
			add_child(ld, c, compile(ld, lua_gettop(ld->L), where,
			    name, depth), "", where);
			lua_pop(ld->L, 1);
		}
		return;
	}
	if (strcmp(h->keys[0], "child") == 0) {
		need_field(ld, args, "child", h->name, where);
		add_child(ld, c, compile(ld, lua_gettop(ld->L), where, name,
		    depth), "", where);
	} else {
		need_field(ld, args, "children", h->name, where);
		collect(ld, lua_gettop(ld->L), where, name, depth, c);
		if (c->n == 0)
			loader_fail(ld, where, "%s: children is empty",
			    h->name);
	}
	lua_pop(ld->L, 1);
}

/* Open a marked table: its handler, its arguments on the stack, its place. */
static const struct handler *
open_marked(struct loader *ld, int index, const char *where, unsigned depth,
    const char **own_where)
{
	lua_State *L = ld->L;
	const struct handler *h;
	int n = marked(L, index);

	if (depth > DEPTH_MAX)
		loader_fail(ld, where, "routes are nested more than %d deep",
		    DEPTH_MAX);
	if (n <= 0)
		loader_fail(ld, where, "expected a pool's name or a route, got "
		    "%s", n == 0 ? "a cmdmap" : luaL_typename(L, index));
	luaL_checkstack(L, 20, NULL);
	h = &handlers[n - 1];
	lua_rawgeti(L, index, 3);
	*own_where = lua_tostring(L, -1);
	lua_rawgeti(L, index, 2);
	loader_check_keys(ld, lua_gettop(L), *own_where, h->name, h->keys);
	return h;
}

/* child_wrap: the same route once for each child. */
static void
collect_wrapped(struct loader *ld, int index, const char *where,
    const char *name, unsigned depth, struct children *out)
{
	lua_State *L = ld->L;
	int top = lua_gettop(L), args;
	const struct handler *h = open_marked(ld, index, where, depth, &where);
	struct children inner, one;
	size_t i;

	args = lua_gettop(L);
	if (lua_getfield(L, args, "child_wrap") == LUA_TNIL) {
		lua_settop(L, top);
		add_child(ld, out, compile(ld, index, where, name, depth), "",
		    where);
		return;
	}
	collect(ld, lua_gettop(L), where, name, depth + 1, &inner);
	for (i = 0; i < inner.n; i++) {
		one.n = 1;
		one.route[0] = inner.route[i];
		add_child(ld, out, make_route(ld, h, args, where, name, &one),
		    inner.zone[i], where);
	}
	lua_settop(L, top);
}

/* A handler in Lua: say where it stands. */
static void
refuse_function(struct loader *ld, int index, const char *where)
{
	lua_Debug ar;

	lua_pushvalue(ld->L, index);
	lua_getinfo(ld->L, ">S", &ar);
	loader_fail(ld, where, "the function at %s:%d cannot handle requests, as "
	    "no Lua runs while they are served; expected a pool, a route such "
	    "as route_failover{} or mcp.router_new{}", ar.short_src,
	    ar.linedefined);
}

static const struct route *
compile(struct loader *ld, int index, const char *where, const char *name,
    unsigned depth)
{
	lua_State *L = ld->L;
	int top = lua_gettop(L);
	const struct handler *h;
	struct children c;
	struct pool **pool;
	struct route *r;

	if (lua_type(L, index) == LUA_TSTRING)
		return compile_pool(ld, lua_tostring(L, index), where);
	if (lua_isfunction(L, index))
		refuse_function(ld, index, where);
	pool = luaL_testudata(L, index, LOADER_POOL);
	if (pool != NULL)
		return loader_pool_route(ld, *pool);
	h = open_marked(ld, index, where, depth, &where);
	read_children(ld, h, lua_gettop(L), where, name, depth + 1, &c);
	r = make_route(ld, h, lua_gettop(L), where, name, &c);
	lua_settop(L, top);
	return r;
}

const struct route *
handlers_compile(struct loader *ld, const char *where, const char *name)
{
	return compile(ld, lua_gettop(ld->L), where, name, 0);
}

/* --- commands ------------------------------------------------------------- */

/* "get", or mcp.CMD_GET; -1 for "all" and mcp.CMD_ANY_STORAGE. */
static int
command_key(struct loader *ld, int index, const char *where, const char *name)
{
	const char *key;
	lua_Integer n;
	int command;

	if (lua_isinteger(ld->L, index)) {
		n = lua_tointeger(ld->L, index);
		return n < 1 || n > COMMANDS_ROUTED ? -1 : (int)n - 1;
	}
	if (lua_type(ld->L, index) != LUA_TSTRING)
		loader_fail(ld, where, "%s: expected COMMAND = route", name);
	key = lua_tostring(ld->L, index);
	command = command_parse(key, strlen(key));
	if (strcmp(key, "all") != 0 && (command < 0 ||
	    (command >= COMMANDS_ROUTED && command != COMMAND_MN)))
		loader_fail(ld, where, "%s: unknown command %s", name, key);
	return command;
}

void
handlers_compile_commands(struct loader *ld, const char *where,
    const char *name, const struct route **by_command)
{
	lua_State *L = ld->L;
	int table = lua_gettop(L), command;
	const struct route *all = NULL, *r;
	size_t i;

	for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
		command = command_key(ld, lua_gettop(L) - 1, where, name);
		r = compile(ld, lua_gettop(L), where, name, 0);
		if (command < 0)
			all = r;
		else if (command < COMMANDS_ROUTED)
			by_command[command] = r;
	}
	for (i = 0; i < COMMANDS_ROUTED; i++)
		if (by_command[i] == NULL)
			by_command[i] = all;
}

void
handlers_compile_entry(struct loader *ld, const char *where, const char *name,
    const struct route **by_command)
{
	lua_State *L = ld->L;
	const struct route *r;
	size_t i;

	if (marked(L, lua_gettop(L)) == 0) {
		lua_rawgeti(L, -1, 3);
		lua_rawgeti(L, -2, 2);
		handlers_compile_commands(ld, lua_tostring(L, -2), name,
		    by_command);
		lua_pop(L, 2);
		return;
	}
	/* The core API has plain tables instead. */
	if (lua_istable(L, -1) && marked(L, lua_gettop(L)) < 0) {
		handlers_compile_commands(ld, where, name, by_command);
		return;
	}
	r = handlers_compile(ld, where, name);
	for (i = 0; i < COMMANDS_ROUTED; i++)
		by_command[i] = r;
}
