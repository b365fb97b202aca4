/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-sniff/suspicious.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS 4096		/* a power of two */
#define WAYS 4
#define ID_NEAR 1024		/* IP IDs this close count as consecutive */
#define ID_FAR 8192		/* and this far as from another counter */

/* One direction of one connection. */
struct half {
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint8_t ip_version, ttl;
	bool is_used, has_segment, has_reset, has_ack, counts_ids;
	uint16_t ip_id;
	uint32_t seq_next;	/* one beyond the last octet it sent */
	uint32_t acked;		/* what it acknowledged of the other half */
	uint32_t reset_seq;
	uint64_t heard_ns, reset_ns;
};

struct suspicious {
	struct half half[SETS][WAYS];
	char notes[WK_RST_NOTES_MAX][96];
};

struct suspicious *
suspicious_new(void)
{
	return calloc(1, sizeof(struct suspicious));
}

void
suspicious_del(struct suspicious *t)
{
	free(t);
}

struct key {
	uint8_t ip_version;
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
};

static void
key_of(const struct wk_segment *s, bool is_reverse, struct key *k)
{
	size_t len = s->ip_version == 4 ? 4 : 16;

	memset(k, 0, sizeof(*k));
	k->ip_version = s->ip_version;
	memcpy(k->src, is_reverse ? s->dst : s->src, len);
	memcpy(k->dst, is_reverse ? s->src : s->dst, len);
	k->src_port = is_reverse ? s->dst_port : s->src_port;
	k->dst_port = is_reverse ? s->src_port : s->dst_port;
}

/* FNV-1a; an attacker who fills one set only costs us memory of that set. */
static uint32_t
hash(const struct key *k)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < 16; i++)
		h = (h ^ k->src[i]) * 16777619u;
	for (i = 0; i < 16; i++)
		h = (h ^ k->dst[i]) * 16777619u;
	h = (h ^ k->src_port) * 16777619u;
	h = (h ^ k->dst_port) * 16777619u;
	return h ^ h >> 16;
}

static bool
is_same(const struct half *h, const struct key *k)
{
	return h->is_used && h->ip_version == k->ip_version &&
	    h->src_port == k->src_port && h->dst_port == k->dst_port &&
	    memcmp(h->src, k->src, 16) == 0 && memcmp(h->dst, k->dst, 16) == 0;
}

static struct half *
lookup(struct suspicious *t, const struct key *k)
{
	struct half *set = t->half[hash(k) & (SETS - 1)];
	int i;

	for (i = 0; i < WAYS; i++)
		if (is_same(&set[i], k))
			return &set[i];
	return NULL;
}

static struct half *
lookup_or_add(struct suspicious *t, const struct key *k)
{
	struct half *h = lookup(t, k), *set;
	int i;

	if (h != NULL)
		return h;
	set = t->half[hash(k) & (SETS - 1)];
	h = &set[0];
	for (i = 1; i < WAYS && h->is_used; i++)
		if (!set[i].is_used || set[i].heard_ns < h->heard_ns)
			h = &set[i];
	memset(h, 0, sizeof(*h));
	h->is_used = true;
	h->ip_version = k->ip_version;
	memcpy(h->src, k->src, 16);
	memcpy(h->dst, k->dst, 16);
	h->src_port = k->src_port;
	h->dst_port = k->dst_port;
	return h;
}

/* Sequence space is a circle (RFC 9293, section 3.4). */
static bool
is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static uint16_t
id_distance(uint16_t a, uint16_t b)
{
	uint16_t d = (uint16_t)(a - b);

	return d > 0x8000 ? (uint16_t)(0x10000 - d) : d;
}

bool
suspicious_learn(struct suspicious *t, const struct wk_segment *s,
    uint64_t wall_ns, uint64_t *since_ns)
{
	struct key k;
	struct half *h;
	uint32_t next = s->seq + wk_segment_seq_len(s);
	uint16_t id = (uint16_t)s->ip_id;
	bool contradicts;

	key_of(s, false, &k);
	h = lookup_or_add(t, &k);
	if ((s->flags & WK_TCP_SYN) != 0) {	/* a new connection */
		h->has_reset = h->has_segment = h->has_ack = false;
		h->counts_ids = false;
	}
	contradicts = h->has_reset && s->payload_len > 0 &&
	    is_after(next, h->reset_seq);
	if (contradicts) {
		*since_ns = wall_ns > h->reset_ns ? wall_ns - h->reset_ns : 0;
		h->has_reset = false;
	}
	if (s->ip_version == 4 && h->has_segment)
		h->counts_ids = id != 0 && h->ip_id != 0 &&
		    id_distance(id, h->ip_id) <= ID_NEAR;
	if (!h->has_segment || is_after(next, h->seq_next))
		h->seq_next = next;
	if ((s->flags & WK_TCP_ACK) != 0) {
		h->acked = s->ack;
		h->has_ack = true;
	}
	h->ttl = s->ttl;
	h->ip_id = id;
	h->has_segment = true;
	h->heard_ns = wall_ns;
	return contradicts;
}

static char *
add_note(struct suspicious *t, struct wk_rst_record *r)
{
	char *note = t->notes[r->n_notes];

	r->notes[r->n_notes++] = note;
	return note;
}

#define NOTE(t, r, ...) \
	snprintf(add_note((t), (r)), sizeof((t)->notes[0]), __VA_ARGS__)

/* A reset's number should be what its receiver expects next. */
static void
judge_seq(struct suspicious *t, struct wk_rst_record *r, const struct half *own,
    const struct half *peer)
{
	uint32_t seq = r->segment->seq;
	bool fits = false, is_known = false;

	if (own != NULL && own->has_segment) {
		is_known = true;
		fits = seq == own->seq_next;
	}
	if (peer != NULL && peer->has_ack) {
		is_known = true;
		fits = fits || seq == peer->acked;
	}
	/* Refusing a SYN has SEQ 0 (RFC 9293, section 3.5.2). */
	if (!is_known || fits || (own == NULL || !own->has_segment))
		return;
	NOTE(t, r, "seq %" PRIu32 " where %" PRIu32 " was next", seq,
	    own->seq_next);
}

void
suspicious_judge(struct suspicious *t, struct wk_rst_record *r)
{
	const struct wk_segment *s = r->segment;
	struct half *own, *peer;
	struct key k;

	key_of(s, true, &k);
	peer = lookup(t, &k);
	key_of(s, false, &k);
	own = lookup_or_add(t, &k);
	if (own->has_segment && own->ttl != s->ttl)
		NOTE(t, r, "ttl %u where earlier segments had %u", s->ttl,
		    own->ttl);
	if (own->counts_ids && s->ip_version == 4 && s->ip_id != 0 &&
	    id_distance((uint16_t)s->ip_id, own->ip_id) >= ID_FAR)
		NOTE(t, r, "ip id %" PRIu32 " after %u", s->ip_id, own->ip_id);
	judge_seq(t, r, own, peer);
	if (own->has_reset && own->reset_seq != s->seq)
		NOTE(t, r, "another reset with seq %" PRIu32 " before",
		    own->reset_seq);
	own->has_reset = true;
	own->reset_seq = s->seq;
	own->reset_ns = own->heard_ns = r->wall_ns;
}
