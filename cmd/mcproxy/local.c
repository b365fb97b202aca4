/* SPDX-License-Identifier: MIT */
/* Commands that the proxy answers itself. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/mcproxy/admin.h"
#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/watch.h"
#include "common/base/buf.h"

#define STATS_MAX ((size_t)8 << 20)

static void
text(struct client *c, struct request_state *r, const char *line)
{
	struct answer a = { .text = line, .class = RESPONSE_GOOD };

	request_finish(c->worker, r, &a);
}

/* --- what changes things -------------------------------------------------- */

static bool
is_allowed(const struct client *c, bool for_all)
{
	return for_all || c->worker->proxy->listeners[c->tag].is_admin;
}

static void
flush_all(struct client *c, struct request_state *r)
{
	const struct conf *conf = r->held->generation->conf;

	if (!is_allowed(c, c->worker->proxy->options.allows_flush)) {
		text(c, r, "CLIENT_ERROR flush_all not allowed");
		return;
	}
	if (conf->everything == NULL) {
		text(c, r, "OK");
		return;
	}
	r->key = "";
	r->refs++;
	handler_start(c->worker, r, conf->everything);
	request_unref(c->worker, r);
}

/* The main thread does it, as for the signal; the answer comes when it has. */
static void
reload(struct client *c, struct request_state *r)
{
	struct worker *w = c->worker;

	pthread_mutex_lock(&w->proxy->reload_lock);
	r->reload = w->proxy->reloads_begun + 1;
	pthread_mutex_unlock(&w->proxy->reload_lock);
	r->refs++;
	r->next_reloading = w->reloading;
	w->reloading = r;
	kill(getpid(), SIGHUP);
}

/* stats [what], proxy what: the words behind the command. */
static void
long_text(struct client *c, struct request_state *r, const struct request *q)
{
	const char *what = q->rest, *end = q->rest + q->rest_len;
	struct wk_buf b;

	while (what < end && *what == ' ')
		what++;
	if (q->command == COMMAND_PROXY && is_allowed(c, false) &&
	    end - what == 6 && memcmp(what, "reload", 6) == 0) {
		reload(c, r);
		return;
	}
	wk_buf_init(&b, STATS_MAX);
	if (q->command == COMMAND_STATS)
		stats_text(c->worker->proxy, what, (size_t)(end - what), &b);
	else
		admin_answer(c, what, (size_t)(end - what), &b);
	if (b.status != WK_OK)
		text(c, r, "SERVER_ERROR out of memory");
	else
		request_text(c->worker, r, (const char *)b.data, b.len);
	wk_buf_free(&b);
}

void
local_settle(struct worker *w, const char *line)
{
	struct request_state **at = &w->reloading, *r;
	struct proxy *p = w->proxy;
	char reason[sizeof(p->reload_reason) + 32] = "OK\r\n";
	uint64_t done;

	pthread_mutex_lock(&p->reload_lock);
	done = p->reloads_done;
	if (line != NULL || p->reload_reason[0] != '\0')
		snprintf(reason, sizeof(reason), "SERVER_ERROR %s\r\n",
		    line != NULL ? line : p->reload_reason);
	pthread_mutex_unlock(&p->reload_lock);
	while ((r = *at) != NULL) {
		if (line == NULL && r->reload > done) {
			at = &r->next_reloading;
			continue;
		}
		*at = r->next_reloading;
		request_text(w, r, reason, strlen(reason));
		request_unref(w, r);
	}
}

void
local_answer(struct client *c, struct request_state *r,
    const struct request *q)
{
	r->key = NULL;
	r->key_len = 0;
	switch (q->command) {
	case COMMAND_MN:
		text(c, r, "MN");
		break;
	case COMMAND_VERSION:
		text(c, r, "VERSION " PACKAGE_VERSION);
		break;
	case COMMAND_VERBOSITY:
		text(c, r, "OK");
		break;
	case COMMAND_STATS:
	case COMMAND_PROXY:
		long_text(c, r, q);
		break;
	case COMMAND_FLUSH_ALL:
		flush_all(c, r);
		break;
	case COMMAND_QUIT:
		r->is_noreply = true;
		c->is_closing = true;
		text(c, r, "");
		break;
	case COMMAND_WATCH:
		text(c, r, watch_start(c, q->rest, q->rest_len));
		break;
	default:
		text(c, r, "ERROR");
		break;
	}
}
