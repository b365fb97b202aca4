/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/admin.h"

#include <stdio.h>
#include <string.h>

#include "cmd/mcproxy/escape.h"
#include "cmd/mcproxy/report.h"
#include "cmd/mcproxy/explain.h"

#define WORDS_MAX 4

struct words {
	const char *at[WORDS_MAX];
	size_t len[WORDS_MAX], n;
};

static bool
split(const char *at, size_t len, struct words *w)
{
	const char *end = at + len;

	for (w->n = 0;; w->n++) {
		while (at < end && *at == ' ')
			at++;
		if (at == end)
			return true;
		if (w->n == WORDS_MAX)
			return false;
		w->at[w->n] = at;
		while (at < end && *at != ' ')
			at++;
		w->len[w->n] = (size_t)(at - w->at[w->n]);
	}
}

static bool
is_word(const struct words *w, size_t i, const char *text)
{
	return i < w->n && w->len[i] == strlen(text) &&
	    memcmp(w->at[i], text, w->len[i]) == 0;
}

static const struct conf *
conf_of(const struct client *c)
{
	return c->worker->held->generation->conf;
}

/* --- where ---------------------------------------------------------------- */

static const char *
state_of(const struct backend *b)
{
	if (b->conf.options.is_down)
		return "down";
	if (atomic_load(&b->is_held))
		return "held";
	return atomic_load(&b->n_bad) > 0 ? "bad" : "up";
}

struct question {
	struct client *client;
	const char *key;
	size_t len;
	struct wk_buf *out;
};

static void
write_leaves(const struct question *q, const struct route *r)
{
	const struct proxy *p = q->client->worker->proxy;
	const struct backend_conf *b;
	size_t i;

	for (i = 0; i < r->n_children; i++)
		write_leaves(q, r->children[i]);
	if (r->kind != ROUTE_POOL)
		return;
	i = placement_pick(&r->pool->placement, q->key, q->len);
	b = r->pool->backends[i];
	wk_buf_printf(q->out, "WHERE pool ");
	escape_word(q->out, r->pool->name, strlen(r->pool->name));
	wk_buf_printf(q->out, " backend %zu ", i);
	escape_word(q->out, b->label, strlen(b->label));
	wk_buf_printf(q->out, " %s sent ", state_of(p->backends[b->id]));
	escape_word(q->out, q->key, q->len);
	wk_buf_printf(q->out, "\r\n");
}

static void
where(struct client *c, const struct words *w, struct wk_buf *out)
{
	const char *tag = c->worker->proxy->listeners[c->tag].tag;
	char given[ROUTER_TAG_MAX + 1];
	const struct router *router;
	struct question q = { .client = c, .out = out };
	struct decision d;

	if (w->n < 2 || w->len[1] > REQUEST_KEY_MAX ||
	    (w->n > 2 && w->len[2] > ROUTER_TAG_MAX)) {
		wk_buf_printf(out, "CLIENT_ERROR expected where KEY [TAG]\r\n");
		return;
	}
	if (w->n > 2) {
		memcpy(given, w->at[2], w->len[2]);
		given[w->len[2]] = '\0';
		tag = given;
	}
	router = conf_router(conf_of(c), tag);
	if (router == NULL || !router_decide(router, COMMAND_GET, w->at[1],
	    w->len[1], false, &d) || d.trim >= w->len[1]) {
		wk_buf_printf(out, "NOWHERE\r\nEND\r\n");
		return;
	}
	wk_buf_printf(out, "ROUTE ");
	explain_route(out, d.route);
	wk_buf_printf(out, "\r\n");
	q.key = w->at[1] + d.trim;
	q.len = w->len[1] - d.trim;
	write_leaves(&q, d.route);
	wk_buf_printf(out, "END\r\n");
}

/* --- prefixes ------------------------------------------------------------- */

/* How a key of this entry begins; false when that is hard to say. */
static bool
key_prefix(const struct router *r, const struct router_entry *e,
    char out[REQUEST_KEY_MAX + 1])
{
	struct decision d;
	size_t len;
	int n = 0;

	switch (r->mode) {
	case ROUTER_FLAT:
		return false;
	case ROUTER_PATTERN:
		if (!pattern_example(&r->pattern, e->prefix, e->len, out,
		    REQUEST_KEY_MAX))
			return false;
		n = (int)strlen(out);
		break;
	case ROUTER_ANCHOR:
	case ROUTER_PREFIX:
		n = snprintf(out, REQUEST_KEY_MAX, "%s%s%s",
		    r->mode == ROUTER_ANCHOR ? r->start : "", e->prefix,
		    r->stop);
		break;
	}
	if (n <= 0 || n >= REQUEST_KEY_MAX)
		return false;
	/* It is one only if a key with it comes here. */
	len = (size_t)n;
	out[len] = 'x';
	out[len + 1] = '\0';
	if (!router_decide(r, COMMAND_GET, out, len + 1, false, &d) ||
	    d.id != e->id)
		return false;
	out[len] = '\0';
	return true;
}

static void
prefixes(struct client *c, const struct words *w, struct wk_buf *out)
{
	const struct router *r = c->worker->held->routers[c->tag];
	char text[REQUEST_KEY_MAX + 2];
	size_t i;

	(void)w;
	for (i = 0; r != NULL && i < r->n_entries; i++)
		if (key_prefix(r, &r->entries[i], text)) {
			wk_buf_printf(out, "PREFIX ");
			escape_word(out, text, strlen(text));
			wk_buf_printf(out, "\r\n");
		}
	wk_buf_printf(out, "END\r\n");
}

/* --- backends ------------------------------------------------------------- */

static bool
is_label(const struct words *w, const char *label)
{
	struct wk_buf b;
	bool is_it;

	wk_buf_init(&b, 3 * CONF_LABEL_MAX + 64);
	escape_word(&b, label, strlen(label));
	is_it = b.status == WK_OK && b.len == w->len[1] &&
	    memcmp(b.data, w->at[1], b.len) == 0;
	wk_buf_free(&b);
	return is_it;
}

static void
hold(struct client *c, const struct words *w, struct wk_buf *out)
{
	struct proxy *p = c->worker->proxy;
	size_t i, n = atomic_load(&p->n_backends);
	bool is_held = is_word(w, 0, "down"), is_found = false;

	if (w->n != 2) {
		wk_buf_printf(out, "CLIENT_ERROR expected %s LABEL\r\n",
		    is_held ? "down" : "up");
		return;
	}
	for (i = 0; i < n; i++) {
		if (!is_label(w, p->backends[i]->conf.label))
			continue;
		is_found |= atomic_load(&p->backends[i]->is_current);
		if (atomic_exchange(&p->backends[i]->is_held, is_held) !=
		    is_held && !atomic_load(&p->backends[i]->has_newer))
			report_held(p->backends[i], is_held);
	}
	wk_buf_printf(out, is_found ? "OK\r\n" : "NOT_FOUND\r\n");
}

void
admin_answer(struct client *c, const char *words, size_t len,
    struct wk_buf *out)
{
	static const struct {
		const char *name;
		void (*run)(struct client *c, const struct words *w,
		    struct wk_buf *out);
	} commands[] = {
		{ "where", where },
		{ "prefixes", prefixes },
		{ "down", hold },
		{ "up", hold },
	};
	struct words w;
	size_t i;

	if (!c->worker->proxy->listeners[c->tag].is_admin) {
		wk_buf_printf(out, "CLIENT_ERROR administration is not allowed "
		    "here\r\n");
		return;
	}
	if (!split(words, len, &w))
		w.n = 0;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is_word(&w, 0, commands[i].name)) {
			commands[i].run(c, &w, out);
			return;
		}
	wk_buf_printf(out, "CLIENT_ERROR expected proxy where, prefixes, down, "
	    "up or reload\r\n");
}
