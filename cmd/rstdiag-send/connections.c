/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/connections.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 8
#define SETS (CONNECTIONS_MAX / WAYS)

struct connections {
	struct connection place[CONNECTIONS_MAX];
	uint64_t now;		/* counts look-ups: the age of a connection */
};

struct connections *
connections_new(void)
{
	return calloc(1, sizeof(struct connections));
}

void
connections_del(struct connections *c)
{
	free(c);
}

static uint32_t
hash_end(const uint8_t *address, uint16_t port)
{
	uint32_t h = UINT32_C(2166136261) ^ port;
	size_t i;

	for (i = 0; i < 16; i++)
		h = (h ^ address[i]) * UINT32_C(16777619);
	return h ^ h >> 15;
}

static bool
is_same_end(const uint8_t *a, uint16_t a_port, const uint8_t *b,
    uint16_t b_port)
{
	return a_port == b_port && memcmp(a, b, 16) == 0;
}

static bool
is_same(const struct wk_segment *a, const struct wk_segment *b)
{
	if (a->ip_version != b->ip_version)
		return false;
	return (is_same_end(a->src, a->src_port, b->src, b->src_port) &&
	    is_same_end(a->dst, a->dst_port, b->dst, b->dst_port)) ||
	    (is_same_end(a->src, a->src_port, b->dst, b->dst_port) &&
	    is_same_end(a->dst, a->dst_port, b->src, b->src_port));
}

struct connection *
connections_find(struct connections *c, const struct wk_segment *s,
    bool may_add)
{
	/* The same sum for both directions. */
	uint32_t h = hash_end(s->src, s->src_port) +
	    hash_end(s->dst, s->dst_port);
	struct connection *set = &c->place[h % SETS * WAYS], *oldest = NULL;
	size_t i;

	c->now++;
	for (i = 0; i < WAYS; i++) {
		if (set[i].is_used && is_same(&set[i].seen, s)) {
			set[i].touched = c->now;
			return &set[i];
		}
		/* Who waits for its reset stays. */
		if (!set[i].has_fresh && (oldest == NULL ||
		    (oldest->is_used && (!set[i].is_used ||
		    set[i].touched < oldest->touched))))
			oldest = &set[i];
	}
	if (!may_add || oldest == NULL)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	oldest->is_used = true;
	oldest->seen = *s;
	oldest->touched = c->now;
	memcpy(oldest->victim, s->dst, sizeof(oldest->victim));
	oldest->victim_port = s->dst_port;
	return oldest;
}

struct connection *
connections_next(struct connections *c, const struct connection *before)
{
	size_t i = before == NULL ? 0 : (size_t)(before - c->place) + 1;

	for (; i < CONNECTIONS_MAX; i++)
		if (c->place[i].is_used)
			return &c->place[i];
	return NULL;
}
