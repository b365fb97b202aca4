/* SPDX-License-Identifier: MIT */
/* A request as a backend shall see it: own key, an answer to everything. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/mcproxy/engine.h"

#define GROUP_KEYS_MAX 256	/* so that one client's list lets others in */
#define GROUP_LINE_MAX 16384	/* get and gets; memcached takes any length */

struct line {
	char at[REQUEST_LINE_MAX + 512];
	size_t len;
};

static void
add(struct line *l, const char *text, size_t len)
{
	if (len > 0)
		memcpy(l->at + l->len, text, len);
	l->len += len;
}

static bool
fits_group(const struct server *s, const struct request_state *r, size_t len)
{
	size_t max = r->command < COMMAND_GAT ? GROUP_LINE_MAX :
	    REQUEST_LINE_MAX - 64;

	return s->group_keys > 0 && s->group_keys < GROUP_KEYS_MAX &&
	    s->group_command == r->command &&
	    s->group_exptime == r->exptime && s->group_len + len + 1 <= max;
}

static bool
close_group(struct server *s)
{
	if (s->group_keys == 0)
		return true;
	s->group_keys = 0;
	return chain_copy(&s->worker->store, &s->out, &s->block, "\r\n", 2);
}

/* Reads in a row become one list of keys, whoever asks for them. */
static bool
write_read(struct server *s, struct sub *sub)
{
	const struct request_state *r = sub->request;
	size_t len = r->key_len - r->trim;
	struct line l = { .len = 0 };

	sub->ends_group = true;
	if (fits_group(s, r, len)) {
		s->tail->ends_group = false;
	} else {
		if (!close_group(s))
			return false;
		s->group_command = r->command;
		s->group_exptime = r->exptime;
		s->group_len = 0;
		add(&l, command_name(r->command),
		    strlen(command_name(r->command)));
		if (r->command >= COMMAND_GAT)
			l.len += (size_t)snprintf(l.at + l.len, 24,
			    " %" PRId64, r->exptime);
	}
	add(&l, " ", 1);
	add(&l, r->key + r->trim, len);
	s->group_keys++;
	s->group_len += l.len;
	return chain_copy(&s->worker->store, &s->out, &s->block, l.at, l.len);
}

/* What is behind the key, with another time to live, without the q flag. */
static void
add_rest(struct line *l, const struct sub *sub)
{
	const struct request_state *r = sub->request;
	size_t at = 0, i;
	struct {
		size_t at, len;
		bool is_ttl;
	} edits[2], swap;
	size_t n = 0;

	if (r->is_quiet) {
		edits[n].at = r->quiet_at;
		edits[n].len = 2;
		edits[n++].is_ttl = false;
	}
	if (sub->has_ttl && r->ttl_at > 0) {
		edits[n].at = r->ttl_at;
		edits[n].len = r->ttl_len;
		edits[n++].is_ttl = true;
	}
	if (n == 2 && edits[0].at > edits[1].at) {
		swap = edits[0];
		edits[0] = edits[1];
		edits[1] = swap;
	}
	for (i = 0; i < n; i++) {
		add(l, r->rest + at, edits[i].at - at);
		if (edits[i].is_ttl)
			l->len += (size_t)snprintf(l->at + l->len, 24,
			    "%" PRId64, sub->ttl);
		at = edits[i].at + edits[i].len;
	}
	add(l, r->rest + at, r->rest_len - at);
	if (sub->has_ttl && r->ttl_at == 0)
		l->len += (size_t)snprintf(l->at + l->len, 28, " T%" PRId64,
		    sub->ttl);
}

bool
command_write(struct server *s, struct sub *sub)
{
	const struct request_state *r = sub->request;
	struct store *store = &s->worker->store;
	struct line l = { .len = 0 };
	const char *name = command_name(r->command);

	sub->kind = response_kind(r->command);
	if (command_is_read(r->command))
		return write_read(s, sub);
	if (!close_group(s))
		return false;
	add(&l, name, strlen(name));
	if (r->command == COMMAND_FLUSH_ALL) {
		l.len += (size_t)snprintf(l.at + l.len, 28, " %" PRId64 "\r\n",
		    r->exptime);
		return chain_copy(store, &s->out, &s->block, l.at, l.len);
	}
	add(&l, " ", 1);
	add(&l, r->key + r->trim, r->key_len - r->trim);
	add_rest(&l, sub);
	add(&l, "\r\n", 2);
	if (!chain_copy(store, &s->out, &s->block, l.at, l.len) ||
	    !chain_append(store, &s->out, &s->block, &r->value))
		return false;
	/*
	 * memcached (1.6.18) forgets what stands behind a value in the same
	 * TLS record until more comes.
	 */
	if (s->channel.tls != NULL && r->value.bytes > 0)
		chain_cut(&s->out);
	return true;
}
