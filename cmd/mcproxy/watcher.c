/* SPDX-License-Identifier: MIT */
/* Clients that watch: how they begin, what they get, how they end. */
#include "config.h"

#include "cmd/mcproxy/watcher.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/watch.h"

#define WATCHERS_MAX 20
#define OUT_MAX ((size_t)64 << 10)	/* on its way to the socket */

static bool
parse_number(const char *at, size_t len, uint64_t *v)
{
	size_t i;

	for (*v = 0, i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9' || i > 9)
			return false;
		*v = *v * 10 + (uint64_t)(at[i] - '0');
	}
	return len > 0;
}

static bool
parse_word(struct watcher *t, const char *word, size_t len)
{
	static const struct {
		const char *name;
		unsigned stream;
	} streams[] = {
		{ "proxyevents", WATCH_EVENTS },
		{ "proxyreqs", WATCH_REQUESTS },
		{ "proxyuser", WATCH_USER },
	};
	uint64_t ms;
	size_t i;

	for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (strlen(streams[i].name) == len &&
		    memcmp(streams[i].name, word, len) == 0) {
			t->streams |= streams[i].stream;
			return true;
		}
	if (len == 6 && memcmp(word, "errors", 6) == 0) {
		t->has_errors = true;
		return true;
	}
	if (len > 5 && memcmp(word, "rate=", 5) == 0)
		return parse_number(word + 5, len - 5, &t->rate) &&
		    t->rate > 0;
	if (len > 5 && memcmp(word, "slow=", 5) == 0 &&
	    parse_number(word + 5, len - 5, &ms)) {
		t->slow_us = ms * 1000;
		t->has_slow = true;
		return true;
	}
	return false;
}

static bool
parse_words(struct watcher *t, const char *at, size_t len)
{
	const char *end = at + len, *word;
	bool is_filtered;

	for (;;) {
		while (at < end && *at == ' ')
			at++;
		if (at == end)
			break;
		for (word = at; at < end && *at != ' '; at++)
			continue;
		if (!parse_word(t, word, (size_t)(at - word)))
			return false;
	}
	is_filtered = t->rate > 0 || t->has_slow || t->has_errors;
	if (is_filtered)
		t->streams |= WATCH_REQUESTS;
	if (t->streams == 0)
		t->streams = WATCH_EVENTS | WATCH_USER;
	return true;
}

static void
publish_wanted(void)
{
	const struct watcher *t;
	unsigned wanted = 0;

	for (t = watchers.first; t != NULL; t = t->next)
		wanted |= t->streams;
	atomic_store(&watch_wanted, wanted);
}

const char *
watch_start(struct client *c, const char *words, size_t len)
{
	struct watcher *t = calloc(1, sizeof(*t));
	const char *answer = "OK";

	if (t == NULL)
		return "WATCHER_FAILED failed to add log watcher";
	t->client = c;
	t->worker = c->worker;
	wk_buf_init(&t->waiting, WATCHER_WAITING_MAX);
	if (!parse_words(t, words, len)) {
		free(t);
		return "ERROR";
	}
	pthread_mutex_lock(&watchers.lock);
	if (watchers.n == WATCHERS_MAX) {
		answer = "WATCHER_TOO_MANY log watcher limit reached";
	} else {
		watchers.n++;
		t->next = watchers.first;
		watchers.first = t;
		publish_wanted();
		c->is_watching = true;
		c->worker->n_watchers++;
	}
	pthread_mutex_unlock(&watchers.lock);
	if (!c->is_watching)
		free(t);
	return answer;
}

void
watch_stop(struct client *c)
{
	struct watcher **at, *t;

	if (!c->is_watching)
		return;
	pthread_mutex_lock(&watchers.lock);
	for (at = &watchers.first; (t = *at) != NULL && t->client != c;)
		at = &t->next;
	if (t != NULL) {
		*at = t->next;
		watchers.n--;
		publish_wanted();
	}
	pthread_mutex_unlock(&watchers.lock);
	c->is_watching = false;
	c->worker->n_watchers--;
	if (t != NULL)
		wk_buf_free(&t->waiting);
	free(t);
}

/* Take what waits, if the client has taken what it got before. */
static void
take(struct worker *w, struct watcher *t)
{
	struct client *c = t->client;
	size_t at, n;

	if (t->worker != w || c->is_dead || c->head != NULL ||
	    c->out.bytes > OUT_MAX)
		return;
	for (at = 0; at < t->waiting.len; at += n) {
		n = t->waiting.len - at;
		n = n > CHAIN_COPY_MAX ? CHAIN_COPY_MAX : n;
		if (!chain_copy(&w->store, &c->out, NULL,
		    t->waiting.data + at, n))
			break;
	}
	if (at > 0)
		client_touch(c);
	wk_buf_clear(&t->waiting);
	t->is_awake = false;
}

void
watch_deliver(struct worker *w)
{
	struct watcher *t;

	pthread_mutex_lock(&watchers.lock);
	for (t = watchers.first; t != NULL; t = t->next)
		take(w, t);
	pthread_mutex_unlock(&watchers.lock);
}
