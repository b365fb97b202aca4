/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/explain.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

#define TEXT_MAX 65536

static void
explain_settings(struct wk_buf *b, const struct route *r)
{
	if (r->kind == ROUTE_TTL)
		wk_buf_printf(b, " %" PRId64, r->ttl);
	if (r->kind == ROUTE_QUORUM)
		wk_buf_printf(b, " %u", r->tries);
	if (r->kind == ROUTE_FAILOVER && r->tries < r->n_children)
		wk_buf_printf(b, " tries %u", r->tries);
	if (r->fails_over_on_miss && r->kind == ROUTE_FAILOVER)
		wk_buf_printf(b, " miss");
	if (!r->fails_over_on_miss && r->kind == ROUTE_ZFAILOVER)
		wk_buf_printf(b, " errors");
	if (r->prefers_good)
		wk_buf_printf(b, " miss");
	if (r->shuffles)
		wk_buf_printf(b, " shuffle");
	if (r->kind == ROUTE_RATELIM)
		wk_buf_printf(b, " %" PRIu64, r->limit);
}

void
explain_route(struct wk_buf *b, const struct route *r)
{
	size_t i;

	if (r->kind == ROUTE_POOL) {
		wk_text_escape(b, r->pool->name, strlen(r->pool->name), 0);
		return;
	}
	wk_buf_printf(b, "%s", route_kind_name(r->kind));
	explain_settings(b, r);
	if (r->n_children == 0)
		return;
	wk_buf_printf(b, "(");
	for (i = 0; i < r->n_children; i++) {
		if (i > 0)
			wk_buf_printf(b, ", ");
		explain_route(b, r->children[i]);
	}
	wk_buf_printf(b, ")");
}

static const char *
placement_text(const struct placement *p)
{
	static const char *const modes[] = { "ring", "ring ketama",
	    "ring twemproxy", "ring evcache" };

	return p->options.dist == PLACEMENT_JUMP ? "jump" :
	    modes[p->options.mode];
}

static void
explain_backend(const struct pool *pool, size_t i)
{
	const struct backend_conf *b = pool->backends[i];

	if (wk_cli.is_json) {
		wk_json_begin("backend");
		wk_json_str("pool", pool->name);
		wk_json_uint("index", i);
		wk_json_str("label", b->label);
		wk_json_str("host", b->host);
		if (b->port != NULL)
			wk_json_str("port", b->port);
		wk_json_bool("down", b->options.is_down);
		wk_json_end();
		return;
	}
	wk_out_printf("backend %s %zu %s%s%s label %s%s\n", pool->name, i,
	    b->host, b->port != NULL ? ":" : "", b->port != NULL ? b->port : "",
	    b->label, b->options.is_down ? " down" : "");
}

static void
explain_pool(const struct pool *pool)
{
	const struct placement *p = &pool->placement;
	const char *hash = p->options.hash == PLACEMENT_MD5 ? "md5" : "xxh3";
	size_t i;

	if (wk_cli.is_json) {
		wk_json_begin("pool");
		wk_json_str("name", pool->name);
		wk_json_uint("backends", pool->n_backends);
		wk_json_str("distribution", placement_text(p));
		wk_json_str("hash", hash);
		wk_json_bool("eject", pool->ejects);
		if (pool->gutter != NULL)
			wk_json_str("gutter", pool->gutter);
		wk_json_end();
	} else {
		wk_out_printf("pool %s backends %zu distribution %s hash %s%s"
		    "%s%s\n", pool->name, pool->n_backends, placement_text(p),
		    hash, pool->ejects ? " eject" : "",
		    pool->gutter != NULL ? " gutter " : "",
		    pool->gutter != NULL ? pool->gutter : "");
	}
	for (i = 0; i < pool->n_backends; i++)
		explain_backend(pool, i);
}

/* Commands that take this route, "all" for all of them. */
static void
commands_of(struct wk_buf *b, const struct route *const *by_command,
    const struct route *route)
{
	size_t i, n = 0;

	for (i = 0; i < COMMANDS_ROUTED; i++)
		n += by_command[i] == route;
	if (n == COMMANDS_ROUTED) {
		wk_buf_printf(b, "all");
		return;
	}
	for (i = 0, n = 0; i < COMMANDS_ROUTED; i++)
		if (by_command[i] == route)
			wk_buf_printf(b, "%s%s", n++ == 0 ? "" : ",",
			    command_name((enum command)i));
}

static void
explain_line(const struct router *r, const char *prefix, const char *commands,
    size_t commands_len, const struct route *route)
{
	struct wk_buf b;

	wk_buf_init(&b, TEXT_MAX);
	explain_route(&b, route);
	if (wk_cli.is_json) {
		wk_json_begin("route");
		wk_json_str("tag", r->tag);
		wk_json_str("prefix", prefix);
		wk_json_strn("commands", commands, commands_len);
		wk_json_strn("to", b.data, b.len);
		wk_json_end();
	} else {
		wk_out_printf("route%s%s prefix %s commands %.*s to %.*s\n",
		    *r->tag != '\0' ? " tag " : "", r->tag, prefix,
		    (int)commands_len, commands, (int)b.len, (char *)b.data);
	}
	wk_buf_free(&b);
}

static void
explain_commands(const struct router *r, const char *prefix,
    const struct route *const *by_command)
{
	struct wk_buf b;
	size_t i, j;

	for (i = 0; i < COMMANDS_ROUTED; i++) {
		for (j = 0; j < i && by_command[j] != by_command[i]; j++)
			continue;
		if (by_command[i] == NULL || j < i)
			continue;
		wk_buf_init(&b, TEXT_MAX);
		commands_of(&b, by_command, by_command[i]);
		explain_line(r, prefix, (char *)b.data, b.len, by_command[i]);
		wk_buf_free(&b);
	}
}

void
explain_conf(const struct conf *c)
{
	const struct router *r;
	size_t i, j;

	for (i = 0; i < c->n_pools; i++)
		explain_pool(c->pools[i]);
	for (i = 0; i < c->n_routers; i++) {
		r = c->routers[i];
		for (j = 0; j < r->n_entries; j++)
			explain_commands(r, r->entries[j].prefix,
			    r->entries[j].by_command);
		explain_commands(r, "*", r->by_command);
		if (r->fallback != NULL)
			explain_line(r, "*", "all", 3, r->fallback);
	}
}

/* --- where a key goes ----------------------------------------------------- */

static void
explain_leaf(const struct pool *pool, const char *key, size_t trim)
{
	const char *sent = key + trim;
	size_t i = placement_pick(&pool->placement, sent, strlen(sent));
	const struct backend_conf *b = pool->backends[i];

	if (wk_cli.is_json) {
		wk_json_begin("where");
		wk_json_str("key", key);
		wk_json_str("pool", pool->name);
		wk_json_uint("index", i);
		wk_json_str("backend", b->label);
		wk_json_str("sent", sent);
		wk_json_bool("down", b->options.is_down);
		wk_json_end();
		return;
	}
	wk_out_printf("where %s pool %s backend %zu %s sent %s%s\n", key,
	    pool->name, i, b->label, sent, b->options.is_down ? " down" : "");
}

static void
explain_leaves(const struct route *r, const char *key, size_t trim)
{
	size_t i;

	if (r->kind == ROUTE_POOL)
		explain_leaf(r->pool, key, trim);
	for (i = 0; i < r->n_children; i++)
		explain_leaves(r->children[i], key, trim);
}

bool
explain_key(const struct conf *c, const char *tag, enum command command,
    const char *key)
{
	const struct router *r = conf_router(c, tag);
	size_t len = strlen(key);
	struct decision d;

	if (r == NULL || len == 0 || len > REQUEST_KEY_MAX ||
	    !router_decide(r, command, key, len, false, &d)) {
		if (wk_cli.is_json) {
			wk_json_begin("where");
			wk_json_str("key", key);
			wk_json_end();
		} else {
			wk_out_printf("where %s nowhere\n", key);
		}
		return false;
	}
	explain_leaves(d.route, key, d.trim);
	return true;
}
