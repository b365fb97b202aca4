/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "cmd/mcproxy/load_lua.h"

#define OPTION_KEYS \
	"down", "tls", "tcpkeepalive", "connecttimeout", "readtimeout", \
	"retrywaittime", "retrytimeout", "failurelimit", "depthlimit", \
	"connections", "flaptime", "flapbackofframp", "flapbackoffmax", "log"

static void
read_backend_options(struct loader *ld, int table, const char *where,
    struct backend_options *o)
{
	uint64_t v;
	lua_Number ramp;

	loader_bool(ld, table, "tls", where, &o->is_secure);
	loader_bool(ld, table, "down", where, &o->is_down);
	loader_bool(ld, table, "tcpkeepalive", where, &o->has_keepalive);
	loader_seconds(ld, table, "connecttimeout", where,
	    &o->connect_timeout_ns);
	loader_seconds(ld, table, "readtimeout", where, &o->read_timeout_ns);
	loader_seconds(ld, table, "retrytimeout", where, &o->retry_wait_ns);
	loader_seconds(ld, table, "retrywaittime", where, &o->retry_wait_ns);
	loader_seconds(ld, table, "flaptime", where, &o->flap_time_ns);
	loader_seconds(ld, table, "flapbackoffmax", where, &o->flap_max_ns);
	if (loader_uint(ld, table, "failurelimit", where, 1000000, &v))
		o->failure_limit = (unsigned)v;
	if (loader_uint(ld, table, "depthlimit", where, 1000000, &v))
		o->depth_limit = (unsigned)v;
	if (loader_uint(ld, table, "connections", where, CONF_CONNECTIONS_MAX,
	    &v))
		o->connections = v == 0 ? 1 : (unsigned)v;
	if (lua_getfield(ld->L, table, "flapbackofframp") != LUA_TNIL) {
		ramp = lua_tonumber(ld->L, -1);
		if (!(ramp >= 1.1 && ramp <= 1000))
			loader_fail(ld, where, "flapbackofframp: expected a "
			    "number from 1.1");
		o->flap_ramp = ramp;
	}
	lua_pop(ld->L, 1);
}

void
loader_backend_options(struct loader *ld, int table, const char *where,
    struct backend_options *o)
{
	static const char *const keys[] = { OPTION_KEYS, NULL };

	loader_check_keys(ld, table, where, "backend_options", keys);
	read_backend_options(ld, table, where, o);
}

/* One backend that several pools name is one backend, and shares connections. */
static struct backend_conf *
share_backend(struct loader *ld, struct backend_conf *new, const char *where)
{
	struct conf *c = ld->conf;
	struct backend_conf *old;
	size_t i;

	for (i = 0; i < c->n_backends; i++) {
		old = c->backends[i];
		if (strcmp(old->label, new->label) != 0)
			continue;
		if (!backend_conf_same_address(old, new))
			loader_fail(ld, where, "label %s is %s%s%s already and "
			    "cannot be %s%s%s, too", new->label, old->host,
			    old->port != NULL ? ":" : "",
			    old->port != NULL ? old->port : "", new->host,
			    new->port != NULL ? ":" : "",
			    new->port != NULL ? new->port : "");
		if (backend_conf_same(old, new))
			return old;
	}
	if (c->n_backends == CONF_BACKENDS_MAX)
		loader_fail(ld, where, "more than %d backends",
		    CONF_BACKENDS_MAX);
	if (!conf_append(c, &c->backends, &c->n_backends, new))
		loader_need(ld, NULL);
	return new;
}

/* "address", "address label", "address _down_" */
struct backend_conf *
loader_backend(struct loader *ld, const char *text, size_t len,
    const struct backend_options *o, const char *where)
{
	struct backend_conf *b = loader_need(ld, conf_alloc(ld->conf,
	    sizeof(*b)));
	const char *end = text + len, *blank, *word;
	struct wk_error error;

	if (memchr(text, '\0', len) != NULL)
		loader_fail(ld, where, "a backend contains a NUL");
	b->options = *o;
	blank = memchr(text, ' ', len);
	if (blank == NULL)
		blank = end;
	if (conf_address(ld->conf, text, (size_t)(blank - text), b, &error) !=
	    WK_OK)
		loader_fail(ld, where, "%s", error.reason);
	if (b->port == NULL && o->is_secure)
		loader_fail(ld, where, "%s: there is no TLS on unix sockets",
		    text);
	for (word = blank; word < end && *word == ' '; word++)
		continue;
	while (end > word && end[-1] == ' ')
		end--;
	if (end - word > CONF_LABEL_MAX || memchr(word, ' ',
	    (size_t)(end - word)) != NULL)
		loader_fail(ld, where, "%s: expected one label behind the "
		    "address", text);
	if (end - word == 6 && memcmp(word, "_down_", 6) == 0) {
		b->options.is_down = true;
		end = word;
	}
	if (end == word) {
		word = text;
		end = blank;
	}
	b->label = loader_need(ld, conf_strndup(ld->conf, word,
	    (size_t)(end - word)));
	return share_backend(ld, b, where);
}

/* { host=, port=, label=, … } */
struct backend_conf *
loader_backend_table(struct loader *ld, int table,
    const struct backend_options *defaults, const char *where)
{
	static const char *const keys[] = { "host", "port", "label",
	    OPTION_KEYS, NULL };
	struct backend_options o = *defaults;
	const char *host = NULL, *port = "11211", *label, *text;
	struct backend_conf *b;
	size_t len;

	loader_check_keys(ld, table, where, "backend", keys);
	read_backend_options(ld, table, where, &o);
	if (!loader_string(ld, table, "host", where, &host))
		loader_fail(ld, where, "backend: host is missing");
	if (lua_getfield(ld->L, table, "port") != LUA_TNIL) {
		port = lua_tostring(ld->L, -1);	/* number or string */
		if (port == NULL)
			loader_fail(ld, where, "port: expected a number");
	}
	if (strncmp(host, "unix:", 5) == 0)
		lua_pushstring(ld->L, host);
	else if (strchr(host, ':') != NULL)
		lua_pushfstring(ld->L, "[%s]:%s", host, port);
	else
		lua_pushfstring(ld->L, "%s:%s", host, port);
	if (loader_string(ld, table, "label", where, &label)) {
		lua_pushfstring(ld->L, " %s", label);
		lua_concat(ld->L, 2);
	}
	text = lua_tolstring(ld->L, -1, &len);
	b = loader_backend(ld, text, len, &o, where);
	lua_pop(ld->L, 2);
	return b;
}

/* --- placement ------------------------------------------------------------ */

static void
read_dist(struct loader *ld, int table, const char *where,
    struct placement_options *o)
{
	lua_State *L = ld->L;

	if (lua_getfield(L, table, "dist") != LUA_TNIL) {
		if (!lua_istable(L, -1) ||
		    lua_getfield(L, -1, "placement") != LUA_TSTRING)
			loader_fail(ld, where, "dist: expected "
			    "mcp.dist_jump_hash or mcp.dist_ring_hash");
		o->dist = strcmp(lua_tostring(L, -1), "ring") == 0 ?
		    PLACEMENT_RING : PLACEMENT_JUMP;
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if (lua_getfield(L, table, "hash") != LUA_TNIL) {
		if (lua_type(L, -1) != LUA_TSTRING)
			loader_fail(ld, where, "hash: expected "
			    "mcp.hash_xxhash or mcp.dist_ring_hash.hash");
		o->hash = strcmp(lua_tostring(L, -1), "md5") == 0 ?
		    PLACEMENT_MD5 : PLACEMENT_XXH3;
	}
	lua_pop(L, 1);
}

static int
read_choice(struct loader *ld, int table, const char *key, const char *where,
    const char *const *choices, int otherwise)
{
	const char *text;
	int i;

	if (!loader_string(ld, table, key, where, &text))
		return otherwise;
	for (i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	return loader_fail(ld, where, "%s: unknown %s", key, text);
}

static void
read_options(struct loader *ld, int table, const char *where,
    struct placement_options *o, struct pool *pool)
{
	static const char *const keys[] = { "dist", "hash", "filter",
	    "filter_conf", "seed", "omode", "obuckets", "iothread", "beprefix",
	    "eject", "failback", "gutter", "gutter_ttl", NULL };
	static const char *const filters[] = { "none", "stop", "tags", NULL };
	static const char *const modes[] = { "default", "ketama", "twemproxy",
	    "evcache", NULL };
	const char *text;
	uint64_t v;

	loader_check_keys(ld, table, where, "options", keys);
	read_dist(ld, table, where, o);
	o->filter = (enum placement_filter)read_choice(ld, table, "filter",
	    where, filters, (int)o->filter);
	o->mode = (enum placement_mode)read_choice(ld, table, "omode", where,
	    modes, (int)o->mode);
	loader_string(ld, table, "seed", where, &o->seed);
	if (loader_string(ld, table, "filter_conf", where, &text)) {
		if (strlen(text) > PLACEMENT_FILTER_MAX)
			loader_fail(ld, where, "filter_conf: longer than %d "
			    "octets", PLACEMENT_FILTER_MAX);
		strcpy(o->filter_conf, text);
	}
	if (loader_uint(ld, table, "obuckets", where, PLACEMENT_BUCKETS_MAX,
	    &v))
		o->buckets = (unsigned)v;
	loader_bool(ld, table, "eject", where, &pool->ejects);
	loader_seconds(ld, table, "failback", where, &pool->failback_ns);
	loader_string(ld, table, "gutter", where, &pool->gutter);
	if (loader_uint(ld, table, "gutter_ttl", where, INT32_MAX, &v))
		pool->gutter_ttl = (int64_t)v;
}

/* --- pools ---------------------------------------------------------------- */

static void
read_backends(struct loader *ld, struct pool *pool, int table,
    const struct backend_options *o, const char *where)
{
	lua_State *L = ld->L;
	size_t i, len, n = (size_t)lua_rawlen(L, table);
	struct backend_conf *b, **object;
	const char *text;

	for (i = 1; i <= n; i++) {
		lua_rawgeti(L, table, (lua_Integer)i);
		if (lua_istable(L, -1)) {
			b = loader_backend_table(ld, lua_gettop(L), o, where);
		} else if ((object = luaL_testudata(L, -1, LOADER_BACKEND)) !=
		    NULL) {
			b = *object;
		} else if (lua_type(L, -1) == LUA_TSTRING) {
			text = lua_tolstring(L, -1, &len);
			b = loader_backend(ld, text, len, o, where);
		} else {
			loader_fail(ld, where, "backend %d of pool %s: expected "
			    "a string or a table, got %s", (int)i, pool->name,
			    luaL_typename(L, -1));
		}
		lua_pop(L, 1);
		if (!conf_append(ld->conf, &pool->backends, &pool->n_backends,
		    b))
			loader_need(ld, NULL);
	}
}

/*
 * A pool of the table of backends at stack index backends, with options (0:
 * none). It is not in the configuration yet.
 */
struct pool *
loader_pool(struct loader *ld, const char *name, int backends, int options,
    int backend_options, const char *where)
{
	struct pool *pool = loader_need(ld, conf_alloc(ld->conf,
	    sizeof(*pool)));
	struct backend_options bo = ld->defaults;
	struct placement_options po = { .seed = NULL };
	struct placement_node *nodes;
	struct wk_error error;
	size_t i;

	pool->name = loader_need(ld, conf_strndup(ld->conf, name,
	    strlen(name)));
	pool->gutter_ttl = -1;
	if (ld->pool_options != LUA_NOREF) {
		lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->pool_options);
		read_options(ld, lua_gettop(ld->L), where, &po, pool);
		lua_pop(ld->L, 1);
	}
	if (options != 0)
		read_options(ld, options, where, &po, pool);
	if (backend_options != 0)
		loader_backend_options(ld, backend_options, where, &bo);
	read_backends(ld, pool, backends, &bo, where);
	nodes = loader_need(ld, conf_alloc(ld->conf,
	    (pool->n_backends + 1) * sizeof(*nodes)));
	for (i = 0; i < pool->n_backends; i++) {
		nodes[i].host = pool->backends[i]->host;
		nodes[i].port = pool->backends[i]->port != NULL ?
		    pool->backends[i]->port : "0";
	}
	if (placement_init(&pool->placement, &po, nodes, pool->n_backends,
	    &error) != WK_OK)
		loader_fail(ld, where, "pool %s: %s", name, error.reason);
	return pool;
}

/* One request to each backend, for flush_all: pools of one, asked at once. */
static void
make_everything(struct loader *ld)
{
	struct conf *c = ld->conf;
	struct route *r = loader_need(ld, conf_alloc(c, sizeof(*r))), *child;
	struct pool *pool;
	size_t i;

	r->kind = ROUTE_ALLSYNC;
	r->counter = -1;
	r->children = loader_need(ld, conf_alloc(c, (c->n_backends + 1) *
	    sizeof(*r->children)));
	for (i = 0; i < c->n_backends; i++) {
		if (c->backends[i]->options.is_down)
			continue;
		pool = loader_need(ld, conf_alloc(c, sizeof(*pool)));
		pool->name = c->backends[i]->label;
		pool->backends = loader_need(ld, conf_alloc(c,
		    sizeof(*pool->backends)));
		pool->backends[0] = c->backends[i];
		pool->n_backends = pool->placement.n_nodes = 1;
		child = loader_need(ld, conf_alloc(c, sizeof(*child)));
		child->kind = ROUTE_POOL;
		child->pool = pool;
		r->children[r->n_children++] = child;
	}
	c->everything = r->n_children > 0 ? r : NULL;
}

/* The pools' gutters, once all pools are there. */
void
loader_finish_pools(struct loader *ld)
{
	struct conf *c = ld->conf;
	struct route *r, *child;
	struct pool *pool, *gutter;
	size_t i;

	make_everything(ld);
	for (i = 0; i < c->n_pools; i++) {
		pool = c->pools[i];
		if (pool->gutter == NULL)
			continue;
		gutter = conf_pool(c, pool->gutter);
		if (gutter == NULL)
			loader_fail(ld, "configuration", "pool %s: gutter: no "
			    "pool %s", pool->name, pool->gutter);
		if (gutter == pool)	/* pool_options are for all */
			continue;
		r = loader_route(ld, ROUTE_FAILOVER, 2);
		r->tries = 2;
		child = loader_pool_route(ld, pool);
		child->is_plain = true;
		r->children[0] = child;
		child = loader_pool_route(ld, gutter);
		child->is_plain = true;
		r->children[1] = child;
		if (pool->gutter_ttl >= 0) {
			child = loader_route(ld, ROUTE_TTL, 1);
			child->ttl = pool->gutter_ttl;
			child->is_lenient = true;
			child->children[0] = r->children[1];
			r->children[1] = child;
		}
		pool->failover = r;
	}
}

void
loader_push_pool(struct loader *ld, struct pool *pool)
{
	struct pool **object = lua_newuserdatauv(ld->L, sizeof(struct pool *),
	    0);

	*object = pool;
	luaL_setmetatable(ld->L, LOADER_POOL);
}

/* A second pool of the same name replaces the first. */
void
loader_add_pool(struct loader *ld, struct pool *pool)
{
	struct conf *c = ld->conf;
	size_t i;

	for (i = 0; i < c->n_pools; i++)
		if (strcmp(c->pools[i]->name, pool->name) == 0) {
			placement_free(&c->pools[i]->placement);
			c->pools[i] = pool;
			return;
		}
	if (!conf_append(c, &c->pools, &c->n_pools, pool)) {
		placement_free(&pool->placement);
		loader_need(ld, NULL);
	}
}
