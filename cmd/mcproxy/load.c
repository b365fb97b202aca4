/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/load_lua.h"
#include "common/base/clock.h"

#define LUA_MEMORY_MAX ((size_t)64 << 20)
#define LUA_STEPS_MAX 100000000
#define FILE_MAX ((size_t)4 << 20)

static const struct backend_options default_options = {
	.connect_timeout_ns = 5 * WK_NS_PER_SEC,
	.read_timeout_ns = 3 * WK_NS_PER_SEC,
	.retry_wait_ns = 3 * WK_NS_PER_SEC,
	.flap_max_ns = 3600 * WK_NS_PER_SEC,
	.flap_ramp = 1.5,
	.failure_limit = 3,
	.connections = 1,
};

/* --- sandbox -------------------------------------------------------------- */

static void *
allocate(void *ud, void *old, size_t old_size, size_t size)
{
	struct loader *ld = ud;
	void *new;

	if (old == NULL)
		old_size = 0;
	if (size == 0) {
		free(old);
		ld->used -= old_size;
		return NULL;
	}
	if (size > old_size && size - old_size > LUA_MEMORY_MAX - ld->used)
		return NULL;
	new = realloc(old, size);
	if (new != NULL)
		ld->used = ld->used - old_size + size;
	return new;
}

static void
stop_endless(lua_State *L, lua_Debug *ar)
{
	/* From now on each step fails, so that no pcall() keeps it alive. */
	lua_sethook(L, stop_endless, LUA_MASKCOUNT, 1);
	lua_getinfo(L, "Sl", ar);
	lua_pushfstring(L, "%s:%d: the configuration runs for too long",
	    ar->short_src, ar->currentline);
	lua_error(L);
}

static int
lua_say(lua_State *L)
{
	struct loader *ld = loader_of(L);
	int i, n = lua_gettop(L);
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&b, '\t');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	if (ld->options->say != NULL)
		ld->options->say(lua_tostring(L, -1));
	return 0;
}

/* The dialects are here already; nothing is read from the file system. */
static int
lua_require(lua_State *L)
{
	static const char *const simple[] = { "lib/simple", "simple",
	    "./lib/simple", "lib.simple", NULL };
	static const char *const routelib[] = { "lib/routelib", "routelib",
	    "lib.routelib", "lib/routelib/routelib", NULL };
	const char *name = luaL_checkstring(L, 1);
	size_t i;

	for (i = 0; simple[i] != NULL; i++)
		if (strcmp(name, simple[i]) == 0) {
			lua_getfield(L, LUA_REGISTRYINDEX, "mcproxy.simple");
			return 1;
		}
	for (i = 0; routelib[i] != NULL; i++)
		if (strcmp(name, routelib[i]) == 0) {
			lua_pushboolean(L, 1);
			return 1;
		}
	return luaL_error(L, "module '%s' is not built in, expected lib/simple "
	    "or routelib (others need --unsafe-lua)", name);
}

/* Text only: precompiled chunks can break the interpreter. */
static int
lua_load_text(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	const char *name = luaL_optstring(L, 2, text);

	if (luaL_loadbufferx(L, text, len, name, "t") == LUA_OK)
		return 1;
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

static void
open_sandbox(lua_State *L)
{
	static const luaL_Reg safe[] = {
		{ LUA_GNAME, luaopen_base },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },
	};
	static const char *const os_functions[] = { "getenv", "time", "date",
	    "clock", "difftime" };
	size_t i;

	for (i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		luaL_requiref(L, safe[i].name, safe[i].func, 1);
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	lua_setglobal(L, "dofile");
	lua_pushnil(L);
	lua_setglobal(L, "loadfile");
	lua_pushcfunction(L, lua_load_text);
	lua_setglobal(L, "load");
	luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 0);
	lua_newtable(L);
	for (i = 0; i < sizeof(os_functions) / sizeof(os_functions[0]); i++) {
		lua_getfield(L, -2, os_functions[i]);
		lua_setfield(L, -2, os_functions[i]);
	}
	lua_setglobal(L, "os");
	lua_pop(L, 1);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_pushnil(L);
	lua_setfield(L, -2, LUA_OSLIBNAME);
	lua_pop(L, 1);
	/* Configurations clear package.loaded[…] before they require. */
	lua_newtable(L);
	lua_newtable(L);
	lua_setfield(L, -2, "loaded");
	lua_pushliteral(L, "");
	lua_setfield(L, -2, "path");
	lua_setglobal(L, "package");
}

/* --- running a script ----------------------------------------------------- */

/* "a_1:b_2" is a table, anything else is text. */
static int
push_argument(lua_State *L, const char *argument)
{
	const char *at, *colon, *underline;

	if (argument == NULL)
		return 0;
	if (strchr(argument, ':') == NULL) {
		lua_pushstring(L, argument);
		return 1;
	}
	lua_newtable(L);
	for (at = argument; *at != '\0'; at = *colon == '\0' ? colon :
	    colon + 1) {
		colon = strchrnul(at, ':');
		underline = memchr(at, '_', (size_t)(colon - at));
		if (underline == NULL)
			continue;
		lua_pushlstring(L, at, (size_t)(underline - at));
		lua_pushlstring(L, underline + 1,
		    (size_t)(colon - underline) - 1);
		lua_settable(L, -3);
	}
	return 1;
}

struct script {
	struct loader *ld;
	const char *chunk_name, *text;
	size_t len;
};

static int
run_protected(lua_State *L)
{
	struct script *s = lua_touserdata(L, 1);
	struct loader *ld = s->ld;
	bool is_core;

	lua_settop(L, 0);
	if (ld->options->is_unsafe)
		luaL_openlibs(L);
	else
		open_sandbox(L);
	lua_pushcfunction(L, lua_say);
	lua_pushvalue(L, -1);
	lua_pushvalue(L, -1);
	lua_setglobal(L, "print");
	lua_setglobal(L, "say");
	lua_setglobal(L, "dsay");
	simple_open(ld);
	routelib_open(ld);
	core_open(ld);
	if (!ld->options->is_unsafe) {
		lua_pushcfunction(L, lua_require);
		lua_setglobal(L, "require");
	}
	if (luaL_loadbufferx(L, s->text, s->len, s->chunk_name, "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, push_argument(L, ld->options->argument), 0);
	is_core = core_is_used(ld);
	/* The first routelib had its calls in a function of this name. */
	if (!ld->is_simple && !ld->is_routelib && !is_core &&
	    lua_getglobal(L, "config") == LUA_TFUNCTION)
		lua_call(L, 0, 0);
	lua_settop(L, 0);
	if (ld->is_simple + ld->is_routelib + is_core > 1)
		return luaL_error(L, "%s: pool{} of lib/simple, pools{} of "
		    "routelib and mcp_config_pools() cannot be mixed",
		    s->chunk_name + 1);
	if (ld->is_simple)
		simple_finish(ld);
	else if (ld->is_routelib)
		routelib_finish(ld);
	else if (is_core)
		core_finish(ld);
	else
		return luaL_error(L, "%s: no pools, expected pool{} of "
		    "lib/simple or pools{} of routelib", s->chunk_name + 1);
	loader_finish_pools(ld);
	return 0;
}

static const char *
message_of(lua_State *L)
{
	const char *text = lua_tostring(L, -1);

	return text != NULL ? text : "error object is not a string";
}

struct conf *
load_text(const char *name, const char *text, size_t len,
    const struct load_options *o, char reason[LOAD_REASON_MAX])
{
	struct loader ld = { .options = o, .defaults = default_options,
	    .pool_options = LUA_NOREF };
	struct script s = { .ld = &ld, .text = text, .len = len };
	char chunk_name[512];
	lua_State *L;

	snprintf(reason, LOAD_REASON_MAX, "%s: out of memory", name);
	snprintf(chunk_name, sizeof(chunk_name), "@%s", name);
	s.chunk_name = chunk_name;
	ld.conf = conf_new();
	if (ld.conf == NULL)
		return NULL;
	L = ld.L = lua_newstate(allocate, &ld);
	if (L == NULL) {
		conf_del(ld.conf);
		return NULL;
	}
	*(struct loader **)lua_getextraspace(L) = &ld;
	if (!o->is_unsafe)
		lua_sethook(L, stop_endless, LUA_MASKCOUNT, LUA_STEPS_MAX);
	lua_pushcfunction(L, run_protected);
	lua_pushlightuserdata(L, &s);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		snprintf(reason, LOAD_REASON_MAX, "%s", message_of(L));
		conf_del(ld.conf);
		ld.conf = NULL;
	}
	lua_close(L);
	return ld.conf;
}

struct conf *
load_file(const char *path, const struct load_options *o,
    char reason[LOAD_REASON_MAX])
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *fp = is_stdin ? stdin : load_open(path, o);
	const char *name = is_stdin ? "standard input" : path, *at;
	struct conf *conf = NULL;
	size_t len = 0;
	char *text;

	if (fp == NULL || (is_stdin && o->is_serving)) {
		snprintf(reason, LOAD_REASON_MAX, "%s: %s", name,
		    fp != NULL || errno == ESPIPE ?
		    "cannot be read again, expected a regular file" :
		    strerror(errno));
		return NULL;
	}
	text = malloc(FILE_MAX + 1);
	if (text != NULL)
		len = fread(text, 1, FILE_MAX + 1, fp);
	if (text == NULL || ferror(fp))
		snprintf(reason, LOAD_REASON_MAX, "%s: %s", name,
		    strerror(text == NULL ? ENOMEM : errno));
	else if (len > FILE_MAX)
		snprintf(reason, LOAD_REASON_MAX, "%s: larger than 4 MiB", name);
	else {
		/* Lua files may begin with #!; keep the line count. */
		at = text;
		if (len > 0 && *text == '#')
			while (at < text + len && *at != '\n')
				at++;
		conf = load_text(name, at, len - (size_t)(at - text), o,
		    reason);
	}
	free(text);
	if (!is_stdin)
		fclose(fp);
	return conf;
}

/* --- without a file ------------------------------------------------------- */

/* The same in Lua, so that there is one way only to make a pool. */
static bool
append_pool(char **script, size_t *len, const char *text, char *reason)
{
	const char *equals = strchr(text, '='), *at, *comma;
	FILE *fp = open_memstream(script, len);

	if (fp == NULL)
		return false;
	if (equals == NULL || equals == text ||
	    strpbrk(text, "\"\\\n") != NULL) {
		fclose(fp);
		snprintf(reason, LOAD_REASON_MAX,
		    "--pool %s: expected NAME=ADDRESS,ADDRESS,...", text);
		return false;
	}
	fprintf(fp, "pool{name=\"%.*s\",backends={", (int)(equals - text), text);
	for (at = equals + 1;; at = comma + 1) {
		comma = strchrnul(at, ',');
		fprintf(fp, "\"%.*s\",", (int)(comma - at), at);
		if (*comma == '\0')
			break;
	}
	fprintf(fp, "}}");
	return fclose(fp) == 0;
}

struct conf *
load_pools(const char *const *pools, size_t n, char reason[LOAD_REASON_MAX])
{
	static const struct load_options plain = { .argument = NULL };
	char *all = NULL, *one = NULL;
	size_t i, len = 0, one_len;
	struct conf *conf = NULL;
	FILE *fp = open_memstream(&all, &len);

	snprintf(reason, LOAD_REASON_MAX, "out of memory");
	if (fp == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if (!append_pool(&one, &one_len, pools[i], reason))
			break;
		fprintf(fp, "%s\n", one);
		free(one);
		one = NULL;
	}
	free(one);
	if (fclose(fp) == 0 && i == n)
		conf = load_text("--pool", all, len, &plain, reason);
	free(all);
	return conf;
}
