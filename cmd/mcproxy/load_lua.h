/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the loader share: the state of one load, and readers of
 * Lua tables that complain with file and line. All of them may leave by a Lua
 * error; everything allocated is in the configuration's arena or Lua's own.
 */
#pragma once

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>

#include "cmd/mcproxy/load.h"

#define ZONE_MAX 64
#define CHILDREN_MAX 64

struct loader {
	struct conf *conf;
	const struct load_options *options;
	lua_State *L;
	size_t used;			/* octets Lua holds */
	bool is_simple, is_routelib;
	char zone[ZONE_MAX];		/* the local one; "": none */
	struct backend_options defaults;
	int pool_options;		/* registry reference, or LUA_NOREF */
};

struct loader *loader_of(lua_State *L);

/* Where the Lua code that called us stands, "file:line", on the stack. */
const char *loader_where(lua_State *L);

/*
 * Open a file to read; while serving, one that is not regular is refused, so
 * that nobody waits for the other end of a pipe. NULL: errno says why.
 */
FILE *load_open(const char *path, const struct load_options *o);

/* Leave with "where: message". */
int loader_fail(struct loader *ld, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
/* A warning through the options' say. */
void loader_note(struct loader *ld, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Leave because memory ran out, when p is NULL. */
void *loader_need(struct loader *ld, void *p);

/* Every string key of the table must be in the list (unless lax). */
void loader_check_keys(struct loader *ld, int table, const char *where,
    const char *what, const char *const *allowed);

/* Fields; those that are absent leave *v alone and return false. */
bool loader_string(struct loader *ld, int table, const char *key,
    const char *where, const char **v);
bool loader_bool(struct loader *ld, int table, const char *key,
    const char *where, bool *v);
bool loader_uint(struct loader *ld, int table, const char *key,
    const char *where, uint64_t max, uint64_t *v);
bool loader_seconds(struct loader *ld, int table, const char *key,
    const char *where, uint64_t *ns);
/* Push the field if it is a table; false and nothing pushed if absent. */
bool loader_table(struct loader *ld, int table, const char *key,
    const char *where);

/* Keep { where, argument } in a list for the end of the script. */
int loader_keep(lua_State *L, const char *list);
/* Each that was kept, with its table at this index; whatever make pushes goes. */
void loader_each(struct loader *ld, const char *list,
    void (*make)(struct loader *ld, void *ctx, int table, const char *where),
    void *ctx);
/* For scripts to call: the local zone; and what means nothing here. */
int loader_set_zone(lua_State *L);
int loader_ignore(lua_State *L);

/* Keys of a table in order: 1 to n, then the strings sorted. */
struct loader_keys {
	size_t n_array, n_names;
	const char *names[CHILDREN_MAX];
};
void loader_keys(struct loader *ld, int table, const char *where,
    struct loader_keys *keys);

/* Pools from tables (load_pool.c). */
struct pool *loader_pool(struct loader *ld, const char *name, int backends,
    int options, int backend_options, const char *where);
struct backend_conf *loader_backend(struct loader *ld, const char *text,
    size_t len, const struct backend_options *o, const char *where);
struct backend_conf *loader_backend_table(struct loader *ld, int table,
    const struct backend_options *defaults, const char *where);
void loader_backend_options(struct loader *ld, int table, const char *where,
    struct backend_options *o);
void loader_add_pool(struct loader *ld, struct pool *pool);
void loader_finish_pools(struct loader *ld);

/* Backends and pools as Lua values: pointers in userdata of these names. */
#define LOADER_BACKEND "mcproxy.backend"
#define LOADER_POOL "mcproxy.pool"
void loader_push_pool(struct loader *ld, struct pool *pool);

/* The dialects: their globals, and what remains when the script has run. */
void simple_open(struct loader *ld);
void simple_finish(struct loader *ld);
void routelib_open(struct loader *ld);
void routelib_finish(struct loader *ld);
void core_open(struct loader *ld);
bool core_is_used(struct loader *ld);
void core_finish(struct loader *ld);

/* A route and a router of no particular kind. */
struct route *loader_route(struct loader *ld, enum route_kind kind,
    size_t n_children);
struct route *loader_pool_route(struct loader *ld, const struct pool *pool);
struct router *loader_router(struct loader *ld, const char *tag,
    const char *where);
/* The index of a user counter. */
int loader_counter(struct loader *ld, const char *name);
