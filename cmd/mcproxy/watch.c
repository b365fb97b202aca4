/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/watch.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/mcproxy/escape.h"
#include "cmd/mcproxy/watcher.h"
#include "common/base/clock.h"

#define LINE_LENGTH_MAX 4096

_Atomic unsigned watch_wanted;
struct watchers watchers = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- lines ---------------------------------------------------------------- */

static void
give(struct watcher *t, const struct wk_buf *line)
{
	if (t->waiting.len + line->len + 64 > WATCHER_WAITING_MAX) {
		t->skipped++;
		watchers.skipped++;
		return;
	}
	if (t->skipped > 0)
		wk_buf_printf(&t->waiting, "skipped=%" PRIu64 "\n",
		    t->skipped);
	t->skipped = 0;
	if (wk_buf_append(&t->waiting, line->data, line->len) != WK_OK) {
		t->skipped++;
		watchers.skipped++;
		return;
	}
	watchers.sent++;
	if (!t->is_awake) {
		t->is_awake = true;
		worker_wake(t->worker);
	}
}

/* Does this watcher want this request? */
static bool
is_sampled(struct watcher *t, uint64_t elapsed_us, bool is_error)
{
	if (t->rate == 0 && !t->has_slow && !t->has_errors)
		return true;
	return (t->rate > 0 && t->n++ % t->rate == 0) ||
	    (t->has_slow && elapsed_us >= t->slow_us) ||
	    (t->has_errors && is_error);
}

struct event {
	enum watch_stream stream;
	uint64_t elapsed_us;
	bool is_error;
};

/* The rest of a line is in body: stamp it, and give it to who wants it. */
static void
say(const struct event *e, const struct wk_buf *body)
{
	uint64_t now_ns = wk_clock_wall_ns();
	struct watcher *t;
	struct wk_buf line;

	wk_buf_init(&line, LINE_LENGTH_MAX + 128);
	pthread_mutex_lock(&watchers.lock);
	wk_buf_printf(&line, "ts=%" PRIu64 ".%06" PRIu64 " gid=%" PRIu64 " ",
	    now_ns / WK_NS_PER_SEC, now_ns % WK_NS_PER_SEC / 1000,
	    ++watchers.number);
	wk_buf_append(&line, body->data, body->len);
	wk_buf_append(&line, "\n", 1);
	for (t = watchers.first; t != NULL; t = t->next)
		if ((t->streams & e->stream) != 0 &&
		    (e->stream != WATCH_REQUESTS ||
		    is_sampled(t, e->elapsed_us, e->is_error)))
			give(t, &line);
	pthread_mutex_unlock(&watchers.lock);
	wk_buf_free(&line);
}

static void
add_word(struct wk_buf *b, const char *name, const char *text, size_t len)
{
	wk_buf_printf(b, " %s=", name);
	/* Three octets for one at worst, and room for the other words. */
	escape_word(b, text, len < LINE_LENGTH_MAX / 12 ? len :
	    LINE_LENGTH_MAX / 12);
}

/* --- what happens --------------------------------------------------------- */

void
watch_conf(const char *status)
{
	const struct event e = { .stream = WATCH_EVENTS };
	struct wk_buf b;

	if (!watch_wants(WATCH_EVENTS))
		return;
	wk_buf_init(&b, LINE_LENGTH_MAX);
	wk_buf_printf(&b, "type=proxy_conf status=%s", status);
	say(&e, &b);
	wk_buf_free(&b);
}

void
watch_text(enum watch_stream stream, const char *type, const char *text)
{
	const struct event e = { .stream = stream };
	struct wk_buf b;

	if (!watch_wants(stream))
		return;
	wk_buf_init(&b, LINE_LENGTH_MAX);
	wk_buf_printf(&b, "type=%s", type);
	add_word(&b, "msg", text, strlen(text));
	say(&e, &b);
	wk_buf_free(&b);
}

static void
begin_backend(struct wk_buf *b, const struct server *s, const char *error)
{
	const struct backend_conf *c = &s->backend->conf;

	wk_buf_init(b, LINE_LENGTH_MAX);
	wk_buf_printf(b, "type=proxy_backend error=%s", error);
	add_word(b, "name", c->host, strlen(c->host));
	add_word(b, "port", c->port != NULL ? c->port : "0",
	    c->port != NULL ? strlen(c->port) : 1);
	add_word(b, "label", c->label, strlen(c->label));
}

void
watch_backend(const struct server *s, const char *error, const char *input,
    size_t len)
{
	const struct event e = { .stream = WATCH_EVENTS };
	struct wk_buf b;

	if (!watch_wants(WATCH_EVENTS))
		return;
	begin_backend(&b, s, error);
	wk_buf_printf(&b, " depth=%u", s->depth);
	add_word(&b, "rbuf", input != NULL ? input : "",
	    input == NULL ? 0 : len < 60 ? len : 60);
	say(&e, &b);
	wk_buf_free(&b);
}

void
watch_marked(const struct server *s, bool has_flapped, uint64_t retry_ns)
{
	const struct event e = { .stream = WATCH_EVENTS };
	struct wk_buf b;

	if (!watch_wants(WATCH_EVENTS))
		return;
	begin_backend(&b, s, has_flapped ? "markedbadflap" : "markedbad");
	/* Whole seconds, as memcached has it; ours are shorter at times. */
	wk_buf_printf(&b, " retry=%" PRIu64, (retry_ns + WK_NS_PER_SEC - 1) /
	    WK_NS_PER_SEC);
	say(&e, &b);
	wk_buf_free(&b);
}

/* --- requests ------------------------------------------------------------- */

/* The numbers by which memcached's client library knows answers. */
static const struct {
	const char *word;
	int type, code;
} kinds[] = {
	/* A word that begins another one stands behind it. */
	{ "VALUE ", 100, 15 }, { "END", 105, 17 }, { "HD", 101, 15 },
	{ "EXISTS", 104, 9 },
	{ "VA ", 101, 15 }, { "EN", 101, 17 }, { "NF", 101, 13 },
	{ "NS", 101, 14 }, { "EX", 101, 9 }, { "ME ", 101, 15 },
	{ "STORED", 104, 8 }, { "DELETED", 104, 10 }, { "TOUCHED", 104, 11 },
	{ "NOT_FOUND", 104, 13 }, { "NOT_STORED", 104, 14 },
	{ "OK", 104, 15 },
	{ "ERROR", 108, 20 }, { "CLIENT_ERROR", 108, 21 },
	{ "SERVER_ERROR", 108, 22 },
};

static void
add_answer(struct wk_buf *b, const struct request_state *r,
    const struct answer *a)
{
	static const char *const results[] = { "good", "ok", "any" };
	const struct slice *s = a->data.head;
	const char *text = a->text;
	size_t i, len = text != NULL ? strlen(text) : 0, word_len;
	int type = 107, code = 15;	/* a number */

	if (r->is_streaming || (text == NULL && s == NULL)) {
		/* Its first line is gone, or never was. */
		text = r->is_streaming ? command_is_read(r->command) ?
		    "VALUE " : "VA " : "END";
		len = strlen(text);
	} else if (text == NULL) {
		text = s->at;
		len = s->len;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		word_len = strlen(kinds[i].word);
		if (len < word_len || memcmp(text, kinds[i].word, word_len) != 0)
			continue;
		type = kinds[i].type;
		code = kinds[i].code;
		break;
	}
	wk_buf_printf(b, " type=%d code=%d status=%d res=%s", type, code,
	    a->class == RESPONSE_ERROR ? -1 : 0, results[a->class]);
}

void
watch_request(const struct worker *w, const struct request_state *r,
    const struct answer *a)
{
	struct event e = { .stream = WATCH_REQUESTS,
	    .is_error = a->class == RESPONSE_ERROR };
	const char *label = "internal:0", *detail = "";
	struct wk_buf b;

	if (r->key == NULL || r->command >= COMMANDS_ROUTED)
		return;
	e.elapsed_us = (w->now_ns - r->since_ns) / 1000;
	if (a->backend > 0)
		label = w->proxy->backends[a->backend - 1]->conf.label;
	if (r->tally != TALLY_NONE)
		detail = w->proxy->tallies[r->tally]->name;
	wk_buf_init(&b, LINE_LENGTH_MAX);
	wk_buf_printf(&b, "type=proxy_req elapsed=%" PRIu64, e.elapsed_us);
	add_answer(&b, r, a);
	wk_buf_printf(&b, " cfd=%d", r->client != NULL ? r->client->source.fd :
	    -1);
	add_word(&b, "be", label, strlen(label));
	add_word(&b, "detail", detail, strlen(detail));
	/* Last on the line, with the one blank of a command and its key. */
	wk_buf_printf(&b, " req=%s ", command_name(r->command));
	escape_word(&b, r->key, r->key_len);
	say(&e, &b);
	wk_buf_free(&b);
}

struct watch_counts
watch_counts(void)
{
	struct watch_counts n;

	pthread_mutex_lock(&watchers.lock);
	n.watchers = watchers.n;
	n.sent = watchers.sent;
	n.skipped = watchers.skipped;
	pthread_mutex_unlock(&watchers.lock);
	return n;
}
