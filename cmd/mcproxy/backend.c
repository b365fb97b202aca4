/* SPDX-License-Identifier: MIT */
/*
 * Backends as all workers share them: one entry for each label with its
 * address and settings, kept for the whole run so that counters survive
 * reloads. Names are looked up by a thread of its own, never by a worker.
 */
#include "config.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "cmd/mcproxy/engine.h"

static void
set_unix(struct backend *b)
{
	struct sockaddr_un *un = (void *)&b->addresses[0].at;

	un->sun_family = AF_UNIX;
	strncpy(un->sun_path, b->conf.host, sizeof(un->sun_path) - 1);
	b->addresses[0].len = sizeof(*un);
	b->n_addresses = 1;
}

/* Fill the addresses; only numbers when flags say so. */
static bool
look_up(struct backend *b, int flags)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = flags }, *all, *i;
	struct address found[ADDRESSES_MAX];
	unsigned n = 0;

	if (getaddrinfo(b->conf.host, b->conf.port, &hints, &all) != 0)
		return false;
	for (i = all; i != NULL && n < ADDRESSES_MAX; i = i->ai_next) {
		memset(&found[n], 0, sizeof(found[n]));
		memcpy(&found[n].at, i->ai_addr, i->ai_addrlen);
		found[n++].len = i->ai_addrlen;
	}
	freeaddrinfo(all);
	pthread_mutex_lock(&b->lock);
	memcpy(b->addresses, found, n * sizeof(found[0]));
	b->n_addresses = n;
	pthread_mutex_unlock(&b->lock);
	return n > 0;
}

static struct backend *
backend_new(const struct backend_conf *c)
{
	struct backend *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->conf = *c;
	b->conf.label = strdup(c->label);
	b->conf.host = strdup(c->host);
	b->conf.port = c->port == NULL ? NULL : strdup(c->port);
	pthread_mutex_init(&b->lock, NULL);
	if (b->conf.label == NULL || b->conf.host == NULL ||
	    (c->port != NULL && b->conf.port == NULL)) {
		backend_del(b);
		return NULL;
	}
	if (c->port == NULL)
		set_unix(b);
	else
		b->is_name = !look_up(b, AI_NUMERICHOST | AI_NUMERICSERV);
	return b;
}

void
backend_del(struct backend *b)
{
	if (b == NULL)
		return;
	pthread_mutex_destroy(&b->lock);
	free((char *)b->conf.label);
	free((char *)b->conf.host);
	free((char *)b->conf.port);
	free(b);
}

/* The running backend of a configuration's; a new one if need be. */
struct backend *
backend_find(struct proxy *p, const struct backend_conf *c)
{
	size_t i, n = atomic_load(&p->n_backends);
	struct backend *b;

	for (i = 0; i < n; i++)
		if (backend_conf_same(&p->backends[i]->conf, c))
			return p->backends[i];
	if (n == CONF_BACKENDS_MAX)
		return NULL;
	b = backend_new(c);
	if (b == NULL)
		return NULL;
	b->id = (unsigned)n;
	for (i = n; i-- > 0 && b->namesake == NULL;)
		if (strcmp(p->backends[i]->conf.label, c->label) == 0)
			b->namesake = p->backends[i];
	if (b->namesake != NULL) {
		atomic_store(&b->namesake->has_newer, true);
		atomic_store(&b->is_held, atomic_load(&b->namesake->is_held));
	}
	p->backends[n] = b;
	atomic_store(&p->n_backends, n + 1);
	if (b->is_name)
		backend_lookup(p, b);
	return b;
}

void
backend_mark_current(struct proxy *p, const struct conf *c)
{
	size_t i, n = atomic_load(&p->n_backends);

	for (i = 0; i < n; i++)
		atomic_store(&p->backends[i]->is_current, false);
	for (i = 0; i < c->n_backends; i++)
		atomic_store(&p->backends[c->backends[i]->id]->is_current,
		    true);
}

/* An address to connect to; the next number tries the next one. */
bool
backend_address(struct proxy *p, struct backend *b, unsigned number,
    struct address *out)
{
	bool has_one;

	pthread_mutex_lock(&b->lock);
	has_one = b->n_addresses > 0;
	if (has_one)
		*out = b->addresses[number % b->n_addresses];
	pthread_mutex_unlock(&b->lock);
	/* Names are looked up anew for every connection after the first. */
	if (b->is_name && (!has_one || number > 0))
		backend_lookup(p, b);
	return has_one;
}

/* --- the resolving thread ------------------------------------------------- */

void
backend_lookup(struct proxy *p, struct backend *b)
{
	pthread_mutex_lock(&p->resolver_lock);
	b->wants_lookup = true;
	pthread_cond_signal(&p->resolver_wake);
	pthread_mutex_unlock(&p->resolver_lock);
}

static struct backend *
next_wanted(struct proxy *p)
{
	size_t i, n = atomic_load(&p->n_backends);

	for (i = 0; i < n; i++)
		if (p->backends[i]->wants_lookup) {
			p->backends[i]->wants_lookup = false;
			return p->backends[i];
		}
	return NULL;
}

static void *
resolve(void *arg)
{
	struct proxy *p = arg;
	struct backend *b;

	pthread_mutex_lock(&p->resolver_lock);
	while (!p->resolver_stops) {
		b = next_wanted(p);
		if (b == NULL) {
			pthread_cond_wait(&p->resolver_wake,
			    &p->resolver_lock);
			continue;
		}
		pthread_mutex_unlock(&p->resolver_lock);
		look_up(b, AI_ADDRCONFIG);
		pthread_mutex_lock(&p->resolver_lock);
	}
	pthread_mutex_unlock(&p->resolver_lock);
	return NULL;
}

bool
resolver_start(struct proxy *p)
{
	pthread_mutex_init(&p->resolver_lock, NULL);
	pthread_cond_init(&p->resolver_wake, NULL);
	p->has_resolver = pthread_create(&p->resolver, NULL, resolve, p) == 0;
	return p->has_resolver;
}

void
resolver_stop(struct proxy *p)
{
	if (!p->has_resolver)
		return;
	pthread_mutex_lock(&p->resolver_lock);
	p->resolver_stops = true;
	pthread_cond_signal(&p->resolver_wake);
	pthread_mutex_unlock(&p->resolver_lock);
	pthread_join(p->resolver, NULL);
	pthread_cond_destroy(&p->resolver_wake);
	pthread_mutex_destroy(&p->resolver_lock);
}
