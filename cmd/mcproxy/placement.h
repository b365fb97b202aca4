/* SPDX-License-Identifier: MIT */
/*
 * Which backend of a pool a key belongs to, octet for octet as the routing
 * proxy inside memcached decides it: XXH3 and jump consistent hash, or a ring
 * of points in one of four traditions; filters hash a part of the key only.
 * A placement is immutable once made, and may be used by many threads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum placement_dist {
	PLACEMENT_JUMP,
	PLACEMENT_RING,
};

enum placement_hash {
	PLACEMENT_XXH3,
	PLACEMENT_MD5,
};

enum placement_filter {
	PLACEMENT_WHOLE,
	PLACEMENT_STOP,		/* only what is before the first stop text */
	PLACEMENT_TAGS,		/* only what is between two characters */
};

enum placement_mode {		/* where the points of a ring come from */
	PLACEMENT_DEFAULT,
	PLACEMENT_KETAMA,
	PLACEMENT_TWEMPROXY,
	PLACEMENT_EVCACHE,
};

#define PLACEMENT_BUCKETS 160
#define PLACEMENT_BUCKETS_MAX 10000
#define PLACEMENT_FILTER_MAX 5

struct placement_options {	/* all zero: the default */
	enum placement_dist dist;
	enum placement_hash hash;
	enum placement_filter filter;
	enum placement_mode mode;
	char filter_conf[PLACEMENT_FILTER_MAX + 1];
	const char *seed;	/* NULL: none */
	unsigned buckets;	/* per backend; 0: PLACEMENT_BUCKETS */
};

struct placement_node {
	const char *host, *port;
};

struct placement_point {
	uint32_t at, node;
};

struct placement {		/* fields are private */
	struct placement_options options;
	size_t filter_len, n_nodes, n_points;
	uint64_t seed;
	struct placement_point *points;
};

/*
 * Options and nodes are not needed afterwards. WK_OK, WK_E_INVALID with the
 * reason, or WK_E_NOMEM; after WK_OK placement_free() gives the memory back.
 */
int placement_init(struct placement *p, const struct placement_options *o,
    const struct placement_node *nodes, size_t n_nodes,
    struct wk_error *error);
void placement_free(struct placement *p);

/* The index of the key's node; there must be at least one. */
size_t placement_pick(const struct placement *p, const char *key, size_t len);

/* Where else it may go: the same for all who ask, any index, for any n > 0. */
size_t placement_pick_other(const struct placement *p, const char *key,
    size_t len, unsigned n);

/* Jump consistent hash (Lamping and Veach) alone. */
uint32_t placement_jump(uint64_t hash, uint32_t n);
