/* SPDX-License-Identifier: MIT */
/*
 * What a configuration file says, compiled: pools with their placement, a tree
 * of routes per listener tag, settings. Made once by the loader, immutable
 * afterwards and shared by all workers; everything in it lives in one arena
 * and goes with conf_del().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/mcproxy/pattern.h"
#include "cmd/mcproxy/placement.h"
#include "cmd/mcproxy/request.h"
#include "common/base/error.h"

#define CONF_LABEL_MAX 512
#define CONF_HOST_MAX 255
#define CONF_PORT_MAX 5
#define CONF_CONNECTIONS_MAX 8
#define CONF_BACKENDS_MAX 4096

struct backend_options {
	uint64_t connect_timeout_ns, read_timeout_ns, retry_wait_ns;
	uint64_t flap_time_ns, flap_max_ns;
	double flap_ramp;
	unsigned failure_limit, connections, depth_limit;
	bool is_down, has_keepalive, is_secure;
};

struct backend_conf {
	const char *label, *host, *port;	/* port NULL: host is a path */
	struct backend_options options;
	unsigned id;		/* of the running backend, set by the engine */
};

struct pool {
	const char *name;
	const struct backend_conf **backends;
	size_t n_backends;
	struct placement placement;
	bool ejects;		/* keys of a bad backend go to the others */
	uint64_t failback_ns;	/* and stay there so long when it is back */
	const char *gutter;	/* pool for what fails here, or NULL */
	int64_t gutter_ttl;	/* for what is stored there; -1: as it is */
	const struct route *failover; /* the same as a route */
	unsigned id;		/* of its tally, set by the engine */
};

enum route_kind {
	ROUTE_POOL,
	ROUTE_NULL,
	ROUTE_NOWHERE,		/* to a pool that does not exist */
	ROUTE_ALLSYNC,
	ROUTE_ALLFASTEST,
	ROUTE_ALLASYNC,
	ROUTE_QUORUM,		/* when so many have answered */
	ROUTE_FAILOVER,
	ROUTE_ZFAILOVER,	/* first child, then all others at once */
	ROUTE_SPLIT,
	ROUTE_TTL,
	ROUTE_RANDOM,
	ROUTE_RATELIM,
	ROUTE_ZONES,		/* lib/simple: writes to all, reads fail over */
	ROUTE_KINDS,
};

struct route {
	enum route_kind kind;
	const struct pool *pool;		/* ROUTE_POOL */
	const struct route **children;
	size_t n_children;
	unsigned tries;			/* ROUTE_FAILOVER, QUORUM: how many */
	bool is_plain;			/* ROUTE_POOL: without its gutter */
	bool is_lenient;		/* ROUTE_TTL: other commands pass */
	bool fails_over_on_miss, shuffles, prefers_good;
	uint64_t wait_ns;		/* 0: as long as it takes */
	int64_t ttl;
	int counter;			/* index of a user counter, or -1 */
	uint64_t limit, fill, tick_ns;	/* ROUTE_RATELIM */
	bool is_inverted;		/* ROUTE_RATELIM: only beyond the limit */
	unsigned bucket;		/* ROUTE_RATELIM: index of its tokens */
};

enum router_mode {
	ROUTER_PREFIX,		/* up to the stop text */
	ROUTER_ANCHOR,		/* from the start text to the stop text */
	ROUTER_PATTERN,		/* lib/simple: a Lua pattern with one capture */
	ROUTER_FLAT,		/* every key goes to the default */
};

#define ROUTER_DELIMITER_MAX 5
#define ROUTER_TAG_MAX 8

struct router_entry {
	const char *prefix;
	size_t len;
	const struct route *by_command[COMMANDS_ROUTED];
	unsigned id;		/* of its tally, set by the engine */
};

struct router {
	char tag[ROUTER_TAG_MAX + 1];
	enum router_mode mode;
	char start[ROUTER_DELIMITER_MAX + 1], stop[ROUTER_DELIMITER_MAX + 1];
	struct pattern pattern;
	bool trims;
	struct router_entry *entries;	/* sorted by prefix */
	size_t n_entries;
	const struct route *by_command[COMMANDS_ROUTED];
	const struct route *fallback;	/* or NULL */
	unsigned id;			/* the tally of what has no entry */
};

struct conf {
	struct pool **pools;
	size_t n_pools;
	struct backend_conf **backends;
	size_t n_backends;
	struct router **routers;
	size_t n_routers;
	const struct route *everything;	/* every backend there is; or NULL */
	const char **counters;		/* names, without "user_" */
	size_t n_counters;
	size_t kinds[ROUTE_KINDS];	/* how many routes of each */
	unsigned n_buckets;
	uint64_t request_limit;		/* at once; 0: none */
	uint64_t memory_limit;		/* octets; 0: none */
	struct conf_chunk *chunks;	/* the arena */
};

struct decision {
	const struct route *route;
	size_t trim;		/* octets of the key not sent to backends */
	unsigned id;		/* of the tally */
};

/* Empty; NULL when out of memory. */
struct conf *conf_new(void);
void conf_del(struct conf *c);

/* From the arena, zeroed; NULL when out of memory. */
void *conf_alloc(struct conf *c, size_t size);
char *conf_strndup(struct conf *c, const char *text, size_t len);
/* Append to a list of pointers in the arena; false when out of memory. */
bool conf_append(struct conf *c, void *list, size_t *n, void *item);

struct pool *conf_pool(const struct conf *c, const char *name);
/* The router of a listener's tag; "" is the one without. May be NULL. */
const struct router *conf_router(const struct conf *c, const char *tag);

/* Put the entries in order, once all are there. */
void router_sort(struct router *r);

/* Where a command with this key goes; false: nowhere. */
bool router_decide(const struct router *r, enum command command,
    const char *key, size_t len, bool is_base64, struct decision *d);

/* "host:port", "[v6]:port" or "unix:path", borrowed pieces to out. */
int conf_address(struct conf *c, const char *text, size_t len,
    struct backend_conf *out, struct wk_error *error);

/* The same address; the same in everything. */
bool backend_conf_same_address(const struct backend_conf *a,
    const struct backend_conf *b);
bool backend_conf_same(const struct backend_conf *a,
    const struct backend_conf *b);

/* "allsync", as in the handlers' names. */
const char *route_kind_name(enum route_kind kind);
