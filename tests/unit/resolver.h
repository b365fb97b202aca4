/* SPDX-License-Identifier: MIT */
/*
 * A resolver of the test's own in place of the C library's: it answers from a
 * script, and keeps answers back until told. Included by one file of a
 * program, which then has this getaddrinfo().
 */
#pragma once

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/net/sock.h"

struct answer {
	const char *host;
	int family;
	int code;		/* of getaddrinfo() */
	const char *addresses;	/* numeric, each with a blank behind it */
	bool is_held;
};

static pthread_mutex_t resolver_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t resolver_changed = PTHREAD_COND_INITIALIZER;
static struct answer resolver_answers[8];
static size_t resolver_n;
static unsigned resolver_asked;
/* Threads that have asked and not ended yet; noted by a destructor of theirs. */
static unsigned resolver_threads;
static pthread_key_t resolver_key;
static pthread_once_t resolver_once = PTHREAD_ONCE_INIT;

static void
resolver_reset(void)
{
	pthread_mutex_lock(&resolver_lock);
	memset(resolver_answers, 0, sizeof(resolver_answers));
	resolver_n = 0;
	resolver_asked = 0;
	pthread_mutex_unlock(&resolver_lock);
}

static void
resolver_add(struct answer answer)
{
	pthread_mutex_lock(&resolver_lock);
	assert_true(resolver_n < 8);
	resolver_answers[resolver_n++] = answer;
	pthread_mutex_unlock(&resolver_lock);
}

/* Give all answers, and wait until the threads that asked have ended. */
static void
resolver_release(void)
{
	size_t i;

	pthread_mutex_lock(&resolver_lock);
	for (i = 0; i < resolver_n; i++)
		resolver_answers[i].is_held = false;
	pthread_cond_broadcast(&resolver_changed);
	while (resolver_threads > 0)
		pthread_cond_wait(&resolver_changed, &resolver_lock);
	pthread_mutex_unlock(&resolver_lock);
}

static unsigned
resolver_count(void)
{
	unsigned n;

	pthread_mutex_lock(&resolver_lock);
	n = resolver_asked;
	pthread_mutex_unlock(&resolver_lock);
	return n;
}

static void
resolver_wait_asked(unsigned n)
{
	pthread_mutex_lock(&resolver_lock);
	while (resolver_asked < n)
		pthread_cond_wait(&resolver_changed, &resolver_lock);
	pthread_mutex_unlock(&resolver_lock);
}

static struct addrinfo *
resolver_entry(const char *text, size_t len)
{
	struct wk_address *address = malloc(sizeof(*address));
	struct addrinfo *ai = calloc(1, sizeof(*ai));

	if (ai == NULL || address == NULL ||
	    wk_address_from_ip(address, (struct wk_str){ text, len }, 0) != WK_OK)
		abort();
	ai->ai_family = address->sa.ss_family;
	ai->ai_addr = (struct sockaddr *)&address->sa;
	ai->ai_addrlen = address->len;
	return ai;
}

static struct addrinfo *
resolver_list(const char *addresses)
{
	struct addrinfo *list = NULL, **end = &list;
	const char *at, *blank;

	for (at = addresses; (blank = strchr(at, ' ')) != NULL; at = blank + 1) {
		*end = resolver_entry(at, (size_t)(blank - at));
		end = &(*end)->ai_next;
	}
	return list;
}

static struct answer *
resolver_find(const char *host, int family)
{
	size_t i;

	for (i = 0; i < resolver_n; i++)
		if (strcmp(resolver_answers[i].host, host) == 0 &&
		    resolver_answers[i].family == family)
			return &resolver_answers[i];
	return NULL;
}

static void
resolver_thread_ends(void *value)
{
	unsigned *threads = value;

	pthread_mutex_lock(&resolver_lock);
	(*threads)--;
	pthread_cond_broadcast(&resolver_changed);
	pthread_mutex_unlock(&resolver_lock);
}

static void
resolver_make_key(void)
{
	if (pthread_key_create(&resolver_key, resolver_thread_ends) != 0)
		abort();
}

int
getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	struct answer *answer;
	int code = EAI_NONAME;

	(void)service;
	pthread_once(&resolver_once, resolver_make_key);
	pthread_setspecific(resolver_key, &resolver_threads);
	pthread_mutex_lock(&resolver_lock);
	resolver_asked++;
	resolver_threads++;
	pthread_cond_broadcast(&resolver_changed);
	answer = resolver_find(host, hints->ai_family);
	while (answer != NULL && answer->is_held)
		pthread_cond_wait(&resolver_changed, &resolver_lock);
	if (answer != NULL) {
		code = answer->code;
		*list = code == 0 ? resolver_list(answer->addresses) : NULL;
	}
	pthread_mutex_unlock(&resolver_lock);
	errno = code == EAI_SYSTEM ? EMFILE : 0;
	return code;
}

void
freeaddrinfo(struct addrinfo *list)
{
	struct addrinfo *next;

	for (; list != NULL; list = next) {
		next = list->ai_next;
		free(list->ai_addr);
		free(list);
	}
}
