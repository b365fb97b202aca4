/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/placement.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cmd/mcproxy/md5.h"

#define POINT_TEXT_MAX 640	/* "HOST/HOST:PORT-K", hosts of 255 octets */

static uint32_t
little_endian(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static int
compare_points(const void *a, const void *b)
{
	const struct placement_point *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static size_t
point_text(enum placement_mode mode, const struct placement_node *node,
    unsigned k, char text[POINT_TEXT_MAX])
{
	int n;

	if (mode == PLACEMENT_EVCACHE)
		n = snprintf(text, POINT_TEXT_MAX, "%s/%s:%s-%u", node->host,
		    node->host, node->port, k);
	else if (mode == PLACEMENT_TWEMPROXY && strcmp(node->port, "11211") == 0)
		n = snprintf(text, POINT_TEXT_MAX, "%s-%u", node->host, k);
	else
		n = snprintf(text, POINT_TEXT_MAX, "%s:%s-%u", node->host,
		    node->port, k);
	return n < POINT_TEXT_MAX ? (size_t)n : POINT_TEXT_MAX - 1;
}

/* The points of one node, at least room for the buckets; returns how many. */
static size_t
node_points(const struct placement *p, const struct placement_node *node,
    uint32_t index, struct placement_point *out)
{
	unsigned k, i, buckets = p->options.buckets;
	char text[POINT_TEXT_MAX];
	uint8_t digest[16];
	size_t len, n = 0;

	if (p->options.mode == PLACEMENT_DEFAULT) {
		for (k = 0; k < buckets; k++) {
			len = point_text(p->options.mode, node, k, text);
			out[n].at = (uint32_t)XXH3_64bits(text, len);
			out[n++].node = index;
		}
		return n;
	}
	for (k = 0; k < buckets / 4; k++) {
		len = point_text(p->options.mode, node, k, text);
		md5(text, len, digest);
		for (i = 0; i < 4; i++) {
			out[n].at = little_endian(digest + (size_t)4 * i);
			out[n++].node = index;
		}
	}
	return n;
}

static int
make_ring(struct placement *p, const struct placement_node *nodes)
{
	size_t i;

	p->points = calloc(p->n_nodes * p->options.buckets,
	    sizeof(*p->points));
	if (p->points == NULL)
		return WK_E_NOMEM;
	for (i = 0; i < p->n_nodes; i++)
		p->n_points += node_points(p, &nodes[i], (uint32_t)i,
		    p->points + p->n_points);
	qsort(p->points, p->n_points, sizeof(*p->points), compare_points);
	return WK_OK;
}

static int
check(const struct placement *p, struct wk_error *error)
{
	const struct placement_options *o = &p->options;

	if (p->n_nodes == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "a pool needs at least one backend");
	if (o->filter == PLACEMENT_STOP && p->filter_len < 2)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "filter_conf of the stop filter must have 2 to 5 octets");
	if (o->filter == PLACEMENT_TAGS && p->filter_len != 2)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "filter_conf of the tags filter must have 2 octets");
	if (o->buckets > PLACEMENT_BUCKETS_MAX || o->buckets < 4)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "obuckets must be from 4 to %d", PLACEMENT_BUCKETS_MAX);
	return WK_OK;
}

int
placement_init(struct placement *p, const struct placement_options *o,
    const struct placement_node *nodes, size_t n_nodes, struct wk_error *error)
{
	int rc;

	memset(p, 0, sizeof(*p));
	p->options = *o;
	p->options.seed = NULL;
	p->n_nodes = n_nodes;
	p->filter_len = strlen(o->filter_conf);
	if (o->buckets == 0)
		p->options.buckets = PLACEMENT_BUCKETS;
	if (o->seed != NULL)
		p->seed = XXH3_64bits(o->seed, strlen(o->seed));
	rc = check(p, error);
	if (rc == WK_OK && o->dist == PLACEMENT_RING) {
		rc = make_ring(p, nodes);
		if (rc != WK_OK)
			wk_error_set(error, rc, 0, "out of memory");
	}
	return rc;
}

void
placement_free(struct placement *p)
{
	free(p->points);
	memset(p, 0, sizeof(*p));
}

/* Narrow the key to what shall be hashed. */
static void
apply_filter(const struct placement *p, const char **key, size_t *len)
{
	const char *conf = p->options.filter_conf, *open, *close;

	if (p->options.filter == PLACEMENT_STOP) {
		open = memmem(*key, *len, conf, p->filter_len);
		if (open != NULL)
			*len = (size_t)(open - *key);
		return;
	}
	open = memchr(*key, conf[0], *len);
	if (open == NULL)
		return;
	open++;
	close = memchr(open, conf[1], *len - (size_t)(open - *key));
	if (close == NULL)
		return;
	*key = open;
	*len = (size_t)(close - open);
}

uint32_t
placement_jump(uint64_t hash, uint32_t n)
{
	int64_t b = -1, j = 0;

	while (j < (int64_t)n) {
		b = j;
		hash = hash * UINT64_C(2862933555777941757) + 1;
		j = (int64_t)((double)(b + 1) *
		    ((double)(INT64_C(1) << 31) / (double)((hash >> 33) + 1)));
	}
	return (uint32_t)b;
}

/* The first point at or behind the hash; past the last comes the first. */
static size_t
pick_from_ring(const struct placement *p, uint32_t hash, size_t further)
{
	size_t low = 0, high = p->n_points, mid;

	assert(high > 0);	/* each node has points, and there is a node */
	while (low < high) {
		mid = low + (high - low) / 2;
		if (p->points[mid].at < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return p->points[(low + further) % p->n_points].node;
}

static uint64_t
hash_key(const struct placement *p, const char *key, size_t len)
{
	uint8_t digest[16];

	if (p->options.filter != PLACEMENT_WHOLE)
		apply_filter(p, &key, &len);
	if (p->options.hash == PLACEMENT_MD5) {
		md5(key, len, digest);
		return little_endian(digest);
	}
	return XXH3_64bits_withSeed(key, len, p->seed);
}

size_t
placement_pick(const struct placement *p, const char *key, size_t len)
{
	uint64_t hash = hash_key(p, key, len);

	if (p->options.dist == PLACEMENT_RING)
		return pick_from_ring(p, (uint32_t)hash, 0);
	return placement_jump(hash, (uint32_t)p->n_nodes);
}

/* On a ring the points that follow, else another hash for each n. */
size_t
placement_pick_other(const struct placement *p, const char *key, size_t len,
    unsigned n)
{
	uint64_t hash = hash_key(p, key, len);

	if (p->options.dist == PLACEMENT_RING)
		return pick_from_ring(p, (uint32_t)hash, n);
	hash = XXH3_64bits_withSeed(&hash, sizeof(hash), n);
	return placement_jump(hash, (uint32_t)p->n_nodes);
}
