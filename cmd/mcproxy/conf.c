/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/net/sock.h"

#define CHUNK_SIZE 16384

struct conf_chunk {
	struct conf_chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct conf *
conf_new(void)
{
	return calloc(1, sizeof(struct conf));
}

void
conf_del(struct conf *c)
{
	struct conf_chunk *chunk, *next;
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n_pools; i++)
		placement_free(&c->pools[i]->placement);
	for (chunk = c->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(c);
}

void *
conf_alloc(struct conf *c, size_t size)
{
	struct conf_chunk *chunk = c->chunks;
	size_t room;
	void *out;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) *
	    sizeof(max_align_t);
	if (chunk == NULL || size > chunk->size - chunk->used) {
		room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		chunk = calloc(1, sizeof(*chunk) + room);
		if (chunk == NULL)
			return NULL;
		chunk->size = room;
		chunk->next = c->chunks;
		c->chunks = chunk;
	}
	out = (char *)chunk->data + chunk->used;
	chunk->used += size;
	return out;
}

char *
conf_strndup(struct conf *c, const char *text, size_t len)
{
	char *out = conf_alloc(c, len + 1);

	if (out != NULL && len > 0)
		memcpy(out, text, len);
	return out;
}

/* Room doubles at powers of two, so that it need not be kept anywhere. */
bool
conf_append(struct conf *c, void *list, size_t *n, void *item)
{
	void ***at = list, **bigger;

	if ((*n & (*n - 1)) == 0) {
		bigger = conf_alloc(c, (*n == 0 ? 1 : 2 * *n) *
		    sizeof(*bigger));
		if (bigger == NULL)
			return false;
		if (*n > 0)
			memcpy(bigger, *at, *n * sizeof(*bigger));
		*at = bigger;
	}
	(*at)[(*n)++] = item;
	return true;
}

struct pool *
conf_pool(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_pools; i++)
		if (strcmp(c->pools[i]->name, name) == 0)
			return c->pools[i];
	return NULL;
}

const struct router *
conf_router(const struct conf *c, const char *tag)
{
	size_t i;

	for (i = 0; i < c->n_routers; i++)
		if (strcmp(c->routers[i]->tag, tag) == 0)
			return c->routers[i];
	return NULL;
}

/* --- routing -------------------------------------------------------------- */

static int
compare_prefixes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct router_entry *x = a, *y = b;

	return compare_prefixes(x->prefix, x->len, y->prefix, y->len);
}

void
router_sort(struct router *r)
{
	if (r->n_entries > 0)
		qsort(r->entries, r->n_entries, sizeof(*r->entries),
		    compare_entries);
}

static const struct router_entry *
find_entry(const struct router *r, const char *prefix, size_t len)
{
	size_t low = 0, high = r->n_entries, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = compare_prefixes(r->entries[mid].prefix,
		    r->entries[mid].len, prefix, len);
		if (order == 0)
			return &r->entries[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The prefix in a key, and how much of the key it takes in all. */
static bool
find_prefix(const struct router *r, const char *key, size_t len,
    const char **prefix, size_t *prefix_len, size_t *matched)
{
	size_t start_len = 0, stop_len;
	const char *stop;

	switch (r->mode) {
	case ROUTER_FLAT:
		return false;
	case ROUTER_PATTERN:
		return pattern_match(&r->pattern, key, len, matched, prefix,
		    prefix_len);
	case ROUTER_ANCHOR:
		start_len = strlen(r->start);
		if (len < start_len || memcmp(key, r->start, start_len) != 0)
			return false;
		break;
	case ROUTER_PREFIX:
		break;
	}
	stop_len = strlen(r->stop);
	stop = stop_len == 1 ?
	    memchr(key + start_len, *r->stop, len - start_len) :
	    memmem(key + start_len, len - start_len, r->stop, stop_len);
	if (stop == NULL)
		return false;
	*prefix = key + start_len;
	*prefix_len = (size_t)(stop - *prefix);
	*matched = (size_t)(stop - key) + stop_len;
	return true;
}

bool
router_decide(const struct router *r, enum command command, const char *key,
    size_t len, bool is_base64, struct decision *d)
{
	const struct router_entry *entry = NULL;
	size_t prefix_len, matched;
	char decoded[REQUEST_KEY_MAX];
	const char *prefix;

	d->trim = 0;
	d->route = NULL;
	d->id = r->id;
	if (is_base64) {
		len = request_decode_key(key, len, decoded);
		key = decoded;
	}
	if (find_prefix(r, key, len, &prefix, &prefix_len, &matched))
		entry = find_entry(r, prefix, prefix_len);
	if (entry != NULL)
		d->route = entry->by_command[command];
	if (d->route != NULL)
		d->id = entry->id;
	if (d->route != NULL && r->trims && !is_base64)
		d->trim = matched;
	if (d->route == NULL)
		d->route = r->by_command[command];
	if (d->route == NULL)
		d->route = r->fallback;
	return d->route != NULL;
}

/* --- addresses ------------------------------------------------------------ */

static int
bad_address(struct wk_error *error, const char *text, size_t len)
{
	return wk_error_set(error, WK_E_INVALID, 0,
	    "%.*s is an invalid backend, expected HOST:PORT, [IPV6]:PORT or "
	    "unix:PATH", len > 60 ? 60 : (int)len, text);
}

int
conf_address(struct conf *c, const char *text, size_t len,
    struct backend_conf *out, struct wk_error *error)
{
	const struct wk_str all = { text, len };
	struct wk_str host, port;
	uint16_t number;

	if (len > 5 && memcmp(text, "unix:", 5) == 0) {
		if (len - 5 > 107)
			return bad_address(error, text, len);
		out->host = conf_strndup(c, text + 5, len - 5);
		out->port = NULL;
		return out->host == NULL ? WK_E_NOMEM : WK_OK;
	}
	if (wk_address_split(all, &host, &number, NULL) != WK_OK ||
	    host.len == 0 || host.len > CONF_HOST_MAX || number == 0)
		return bad_address(error, text, len);
	/* As it is written: some rings hash it. */
	port.at = (const char *)memrchr(text, ':', len) + 1;
	port.len = (size_t)(text + len - port.at);
	if (port.len > CONF_PORT_MAX)
		return bad_address(error, text, len);
	out->host = conf_strndup(c, host.at, host.len);
	out->port = conf_strndup(c, port.at, port.len);
	return out->host == NULL || out->port == NULL ? WK_E_NOMEM : WK_OK;
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Field by field: what lies between them may differ. */
static bool
is_same_options(const struct backend_options *a,
    const struct backend_options *b)
{
	return a->connect_timeout_ns == b->connect_timeout_ns &&
	    a->read_timeout_ns == b->read_timeout_ns &&
	    a->retry_wait_ns == b->retry_wait_ns &&
	    a->flap_time_ns == b->flap_time_ns &&
	    a->flap_max_ns == b->flap_max_ns &&
	    a->flap_ramp >= b->flap_ramp && a->flap_ramp <= b->flap_ramp &&
	    a->failure_limit == b->failure_limit &&
	    a->connections == b->connections &&
	    a->depth_limit == b->depth_limit && a->is_down == b->is_down &&
	    a->has_keepalive == b->has_keepalive &&
	    a->is_secure == b->is_secure;
}

bool
backend_conf_same_address(const struct backend_conf *a,
    const struct backend_conf *b)
{
	return is_same_text(a->host, b->host) && is_same_text(a->port, b->port);
}

bool
backend_conf_same(const struct backend_conf *a, const struct backend_conf *b)
{
	return is_same_text(a->label, b->label) &&
	    backend_conf_same_address(a, b) &&
	    is_same_options(&a->options, &b->options);
}

const char *
route_kind_name(enum route_kind kind)
{
	static const char *const names[] = {
		[ROUTE_POOL] = "pool",
		[ROUTE_NULL] = "null",
		[ROUTE_NOWHERE] = "nowhere",
		[ROUTE_ALLSYNC] = "allsync",
		[ROUTE_ALLFASTEST] = "allfastest",
		[ROUTE_ALLASYNC] = "allasync",
		[ROUTE_QUORUM] = "quorum",
		[ROUTE_FAILOVER] = "failover",
		[ROUTE_ZFAILOVER] = "zfailover",
		[ROUTE_SPLIT] = "split",
		[ROUTE_TTL] = "ttl",
		[ROUTE_RANDOM] = "random",
		[ROUTE_RATELIM] = "ratelim",
		[ROUTE_ZONES] = "zones",
	};

	return names[kind];
}
