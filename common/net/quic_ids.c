/* SPDX-License-Identifier: MIT */
/*
 * Connection ids and whose they are. A client chooses the first id that it
 * sends to, so the hash has a key: SipHash with one round for each word and
 * three at the end.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define FIRST_BUCKETS 64

static uint64_t
rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static uint64_t
hash(const uint64_t key[2], const uint8_t *data, size_t len)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word;
	size_t at, n;

	for (at = 0; at <= len; at += 8) {
		n = len - at < 8 ? len - at : 8;
		word = n < 8 ? (uint64_t)len << 56 : 0;
		while (n > 0) {
			n--;
			word |= (uint64_t)data[at + n] << (8 * n);
		}
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct quic_id **
bucket_of(const struct quic_ids *ids, const uint8_t *data, size_t len)
{
	return &ids->buckets[hash(ids->key, data, len) & (ids->n_buckets - 1)];
}

int
quic_ids_init(struct quic_ids *ids)
{
	memset(ids, 0, sizeof(*ids));
	quic_random(ids->key, sizeof(ids->key));
	ids->n_buckets = FIRST_BUCKETS;
	ids->buckets = calloc(ids->n_buckets, sizeof(*ids->buckets));
	return ids->buckets == NULL ? WK_E_NOMEM : WK_OK;
}

void
quic_ids_free(struct quic_ids *ids)
{
	free(ids->buckets);
	ids->buckets = NULL;
}

static bool
is_id(const struct quic_id *id, const uint8_t *data, size_t len)
{
	return id->len == len && memcmp(id->data, data, len) == 0;
}

struct wk_quic *
quic_ids_find(const struct quic_ids *ids, const uint8_t *data, size_t len)
{
	struct quic_id *id;

	if (len == 0 || len > NGTCP2_MAX_CIDLEN)
		return NULL;
	for (id = *bucket_of(ids, data, len); id != NULL; id = id->chain)
		if (is_id(id, data, len))
			return id->quic;
	return NULL;
}

/* Without memory for it everything still works, only slower. */
static void
grow(struct quic_ids *ids)
{
	struct quic_ids wider = *ids;
	struct quic_id *id, **bucket;
	size_t i;

	wider.n_buckets = ids->n_buckets * 2;
	wider.buckets = calloc(wider.n_buckets, sizeof(*wider.buckets));
	if (wider.buckets == NULL)
		return;
	for (i = 0; i < ids->n_buckets; i++)
		while ((id = ids->buckets[i]) != NULL) {
			ids->buckets[i] = id->chain;
			bucket = bucket_of(&wider, id->data, id->len);
			id->chain = *bucket;
			*bucket = id;
		}
	free(ids->buckets);
	*ids = wider;
}

int
quic_ids_add(struct quic_ids *ids, struct wk_quic *quic, const uint8_t *data,
    size_t len)
{
	struct quic_id *id, **bucket;

	if (len == 0 || len > NGTCP2_MAX_CIDLEN)
		return WK_E_INVALID;
	if (quic_ids_find(ids, data, len) != NULL)
		return WK_E_INVALID;
	if (ids->n >= ids->n_buckets)
		grow(ids);
	id = calloc(1, sizeof(*id));
	if (id == NULL)
		return WK_E_NOMEM;
	id->quic = quic;
	id->len = (uint8_t)len;
	memcpy(id->data, data, len);
	bucket = bucket_of(ids, data, len);
	id->chain = *bucket;
	*bucket = id;
	ids->n++;
	LIST_INSERT_HEAD(&quic->ids, id, entry);
	return WK_OK;
}

void
quic_ids_remove(struct quic_ids *ids, struct wk_quic *quic,
    const uint8_t *data, size_t len)
{
	struct quic_id *id, **at = bucket_of(ids, data, len);

	/* cppcheck-suppress uninitvar; buckets are zeroed */
	while ((id = *at) != NULL && !is_id(id, data, len))
		at = &id->chain;
	if (id == NULL || id->quic != quic)
		return;
	*at = id->chain;
	LIST_REMOVE(id, entry);
	ids->n--;
	free(id);
}

void
quic_ids_remove_all(struct quic_ids *ids, struct wk_quic *quic)
{
	struct quic_id *id;

	while ((id = LIST_FIRST(&quic->ids)) != NULL)
		quic_ids_remove(ids, quic, id->data, id->len);
}
