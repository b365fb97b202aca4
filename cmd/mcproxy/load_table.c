/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/mcproxy/load_lua.h"
#include "common/base/clock.h"

#define SECONDS_MAX 86400.0

struct loader *
loader_of(lua_State *L)
{
	return *(struct loader **)lua_getextraspace(L);
}

const char *
loader_where(lua_State *L)
{
	lua_Debug ar;
	int level;

	/* The nearest function that is Lua; tail calls leave none. */
	for (level = 1; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline > 0)
			return lua_pushfstring(L, "%s:%d", ar.short_src,
			    ar.currentline);
	}
	return lua_pushstring(L, "configuration");
}

int
loader_fail(struct loader *ld, const char *where, const char *format, ...)
{
	char text[LOAD_REASON_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	lua_pushfstring(ld->L, "%s: %s", where, text);
	lua_error(ld->L);
	abort();	/* lua_error() does not come back */
}

void
loader_note(struct loader *ld, const char *where, const char *format, ...)
{
	char text[LOAD_REASON_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (ld->options->say != NULL)
		ld->options->say(lua_pushfstring(ld->L, "%s: %s", where, text));
	lua_pop(ld->L, ld->options->say != NULL);
}

void *
loader_need(struct loader *ld, void *p)
{
	if (p == NULL)
		loader_fail(ld, "configuration", "out of memory");
	return p;
}

static void
list_allowed(char *out, size_t size, const char *const *allowed)
{
	size_t len = 0;

	for (*out = '\0'; *allowed != NULL && len + 2 < size; allowed++) {
		snprintf(out + len, size - len, "%s%s", len == 0 ? "" : ", ",
		    *allowed);
		len = strlen(out);
	}
}

void
loader_check_keys(struct loader *ld, int table, const char *where,
    const char *what, const char *const *allowed)
{
	lua_State *L = ld->L;
	char list[512];
	size_t i;

	if (ld->options->is_lax)
		return;
	for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			continue;
		for (i = 0; allowed[i] != NULL; i++)
			if (strcmp(lua_tostring(L, -2), allowed[i]) == 0)
				break;
		if (allowed[i] != NULL)
			continue;
		list_allowed(list, sizeof(list), allowed);
		loader_fail(ld, where, "%s: unknown key %s, expected one of %s",
		    what, lua_tostring(L, -2), list);
	}
}

/* Push the field; false and nothing pushed when it is nil. */
static bool
field(struct loader *ld, int table, const char *key)
{
	if (lua_getfield(ld->L, table, key) != LUA_TNIL)
		return true;
	lua_pop(ld->L, 1);
	return false;
}

static void
expect(struct loader *ld, const char *key, const char *where, bool is_right,
    const char *what)
{
	if (!is_right)
		loader_fail(ld, where, "%s: expected %s, got %s", key, what,
		    luaL_typename(ld->L, -1));
}

bool
loader_string(struct loader *ld, int table, const char *key, const char *where,
    const char **v)
{
	const char *text;
	size_t len;

	if (!field(ld, table, key))
		return false;
	expect(ld, key, where, lua_type(ld->L, -1) == LUA_TSTRING, "a string");
	text = lua_tolstring(ld->L, -1, &len);
	if (strlen(text) != len)
		loader_fail(ld, where, "%s: contains a NUL", key);
	*v = loader_need(ld, conf_strndup(ld->conf, text, len));
	lua_pop(ld->L, 1);
	return true;
}

bool
loader_bool(struct loader *ld, int table, const char *key, const char *where,
    bool *v)
{
	if (!field(ld, table, key))
		return false;
	expect(ld, key, where, lua_isboolean(ld->L, -1), "true or false");
	*v = lua_toboolean(ld->L, -1) != 0;
	lua_pop(ld->L, 1);
	return true;
}

bool
loader_uint(struct loader *ld, int table, const char *key, const char *where,
    uint64_t max, uint64_t *v)
{
	lua_Integer n;
	int is_number;

	if (!field(ld, table, key))
		return false;
	expect(ld, key, where, lua_type(ld->L, -1) == LUA_TNUMBER, "a number");
	n = lua_tointegerx(ld->L, -1, &is_number);
	if (is_number == 0 || n < 0 || (lua_Unsigned)n > max)
		loader_fail(ld, where, "%s: expected a whole number from 0 to "
		    "%llu", key, (unsigned long long)max);
	*v = (uint64_t)n;
	lua_pop(ld->L, 1);
	return true;
}

bool
loader_seconds(struct loader *ld, int table, const char *key,
    const char *where, uint64_t *ns)
{
	lua_Number n;

	if (!field(ld, table, key))
		return false;
	expect(ld, key, where, lua_type(ld->L, -1) == LUA_TNUMBER, "seconds");
	n = lua_tonumber(ld->L, -1);
	if (!(n >= 0 && n <= SECONDS_MAX))
		loader_fail(ld, where, "%s: expected seconds from 0 to 86400",
		    key);
	*ns = (uint64_t)(n * (double)WK_NS_PER_SEC);
	lua_pop(ld->L, 1);
	return true;
}

bool
loader_table(struct loader *ld, int table, const char *key, const char *where)
{
	if (!field(ld, table, key))
		return false;
	expect(ld, key, where, lua_istable(ld->L, -1), "a table");
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

void
loader_keys(struct loader *ld, int table, const char *where,
    struct loader_keys *keys)
{
	lua_State *L = ld->L;

	keys->n_array = (size_t)lua_rawlen(L, table);
	keys->n_names = 0;
	for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			continue;
		if (keys->n_names == CHILDREN_MAX)
			loader_fail(ld, where, "more than %d entries",
			    CHILDREN_MAX);
		keys->names[keys->n_names++] = loader_need(ld, conf_strndup(
		    ld->conf, lua_tostring(L, -2), strlen(lua_tostring(L, -2))));
	}
	qsort(keys->names, keys->n_names, sizeof(keys->names[0]),
	    compare_names);
}

/* --- what scripts leave behind -------------------------------------------- */

int
loader_keep(lua_State *L, const char *list)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, list);
	lua_createtable(L, 2, 0);
	loader_where(L);
	lua_rawseti(L, -2, 1);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 2);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	return 0;
}

void
loader_each(struct loader *ld, const char *list,
    void (*make)(struct loader *ld, void *ctx, int table, const char *where),
    void *ctx)
{
	lua_State *L = ld->L;
	int top = lua_gettop(L);
	lua_Integer i, n;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, list);
	n = (lua_Integer)lua_rawlen(L, top + 1);
	for (i = 1; i <= n; i++) {
		luaL_checkstack(L, 20, NULL);
		lua_rawgeti(L, top + 1, i);
		lua_rawgeti(L, -1, 1);
		lua_rawgeti(L, -2, 2);
		make(ld, ctx, top + 4, lua_tostring(L, -2));
		lua_settop(L, top + 1);
	}
	lua_settop(L, top);
}

int
loader_set_zone(lua_State *L)
{
	struct loader *ld = loader_of(L);
	const char *zone;

	if (lua_isnoneornil(L, 1)) {	/* routelib: what is it? */
		if (*ld->zone != '\0')
			lua_pushstring(L, ld->zone);
		else
			lua_pushnil(L);
		return 1;
	}
	zone = luaL_checkstring(L, 1);
	if (*zone == '\0' || strlen(zone) >= ZONE_MAX)
		return luaL_error(L, "local zone: expected a name of at most "
		    "%d octets", ZONE_MAX - 1);
	strcpy(ld->zone, zone);
	return 0;
}

int
loader_ignore(lua_State *L)
{
	(void)L;
	return 0;
}

/* --- files ---------------------------------------------------------------- */

FILE *
load_open(const char *path, const struct load_options *o)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    (o->is_serving ? O_NONBLOCK : 0)), saved;
	struct stat st;
	FILE *fp;

	if (fd < 0)
		return NULL;
	if (o->is_serving && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = ESPIPE;
		return NULL;
	}
	fp = fdopen(fd, "rb");
	if (fp != NULL)
		return fp;
	saved = errno;
	close(fd);
	errno = saved;
	return NULL;
}

/* --- routes --------------------------------------------------------------- */

struct route *
loader_route(struct loader *ld, enum route_kind kind, size_t n_children)
{
	struct route *r = loader_need(ld, conf_alloc(ld->conf, sizeof(*r)));

	r->kind = kind;
	ld->conf->kinds[kind]++;
	r->counter = -1;
	r->n_children = n_children;
	r->children = loader_need(ld, conf_alloc(ld->conf,
	    (n_children + 1) * sizeof(*r->children)));
	return r;
}

struct route *
loader_pool_route(struct loader *ld, const struct pool *pool)
{
	struct route *r = loader_route(ld, ROUTE_POOL, 0);

	r->pool = pool;
	return r;
}

struct router *
loader_router(struct loader *ld, const char *tag, const char *where)
{
	struct router *r;

	if (strlen(tag) > ROUTER_TAG_MAX)
		loader_fail(ld, where, "tag %s is longer than %d octets", tag,
		    ROUTER_TAG_MAX);
	if (conf_router(ld->conf, tag) != NULL)
		loader_fail(ld, where, "routes for tag \"%s\" are there already",
		    tag);
	r = loader_need(ld, conf_alloc(ld->conf, sizeof(*r)));
	strcpy(r->tag, tag);
	if (!conf_append(ld->conf, &ld->conf->routers, &ld->conf->n_routers, r))
		loader_need(ld, NULL);
	return r;
}

int
loader_counter(struct loader *ld, const char *name)
{
	struct conf *c = ld->conf;
	size_t i;

	for (i = 0; i < c->n_counters; i++)
		if (strcmp(c->counters[i], name) == 0)
			return (int)i;
	name = loader_need(ld, conf_strndup(c, name, strlen(name)));
	if (!conf_append(c, &c->counters, &c->n_counters, (void *)name))
		loader_need(ld, NULL);
	return (int)i;
}
