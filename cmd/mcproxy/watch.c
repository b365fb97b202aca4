/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/escape.h"
#include "common/base/buf.h"
#include "common/base/clock.h"

#define WATCHERS_MAX 20
#define WAITING_MAX ((size_t)256 << 10)	/* of one watcher, in its buffer */
#define OUT_MAX ((size_t)64 << 10)	/* and on its way to the socket */
#define LINE_LENGTH_MAX 4096

struct watcher {
	struct watcher *next;
	struct client *client;
	struct worker *worker;
	unsigned streams;
	/* Which requests: one in rate, all that took so long, all that failed. */
	uint64_t rate, slow_us, n;
	bool has_slow, has_errors;
	struct wk_buf waiting;
	uint64_t skipped;	/* since the last line that fitted */
	bool is_awake;		/* its worker knows that something waits */
};

_Atomic unsigned watch_wanted;

static struct {
	pthread_mutex_t lock;
	struct watcher *first;
	uint64_t number, sent, skipped;
	size_t n;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- lines ---------------------------------------------------------------- */

static void
give(struct watcher *t, const struct wk_buf *line)
{
	if (t->waiting.len + line->len + 64 > WAITING_MAX) {
		t->skipped++;
		all.skipped++;
		return;
	}
	if (t->skipped > 0)
		wk_buf_printf(&t->waiting, "skipped=%" PRIu64 "\n",
		    t->skipped);
	t->skipped = 0;
	if (wk_buf_append(&t->waiting, line->data, line->len) != WK_OK) {
		t->skipped++;
		all.skipped++;
		return;
	}
	all.sent++;
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
	pthread_mutex_lock(&all.lock);
	wk_buf_printf(&line, "ts=%" PRIu64 ".%06" PRIu64 " gid=%" PRIu64 " ",
	    now_ns / WK_NS_PER_SEC, now_ns % WK_NS_PER_SEC / 1000,
	    ++all.number);
	wk_buf_append(&line, body->data, body->len);
	wk_buf_append(&line, "\n", 1);
	for (t = all.first; t != NULL; t = t->next)
		if ((t->streams & e->stream) != 0 &&
		    (e->stream != WATCH_REQUESTS ||
		    is_sampled(t, e->elapsed_us, e->is_error)))
			give(t, &line);
	pthread_mutex_unlock(&all.lock);
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

/* --- watchers ------------------------------------------------------------- */

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

	for (t = all.first; t != NULL; t = t->next)
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
	wk_buf_init(&t->waiting, WAITING_MAX);
	if (!parse_words(t, words, len)) {
		free(t);
		return "ERROR";
	}
	pthread_mutex_lock(&all.lock);
	if (all.n == WATCHERS_MAX) {
		answer = "WATCHER_TOO_MANY log watcher limit reached";
	} else {
		all.n++;
		t->next = all.first;
		all.first = t;
		publish_wanted();
		c->is_watching = true;
		c->worker->n_watchers++;
	}
	pthread_mutex_unlock(&all.lock);
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
	pthread_mutex_lock(&all.lock);
	for (at = &all.first; (t = *at) != NULL && t->client != c;)
		at = &t->next;
	if (t != NULL) {
		*at = t->next;
		all.n--;
		publish_wanted();
	}
	pthread_mutex_unlock(&all.lock);
	c->is_watching = false;
	c->worker->n_watchers--;
	if (t != NULL)
		wk_buf_free(&t->waiting);
	free(t);
}

/* Take what waits, if the client has taken what it got before. */
static bool
take(struct worker *w, struct watcher *t)
{
	struct client *c = t->client;
	size_t at, n;

	if (t->worker != w || c->is_dead || c->head != NULL ||
	    c->out.bytes > OUT_MAX)
		return true;
	for (at = 0; at < t->waiting.len; at += n) {
		n = t->waiting.len - at;
		n = n > CHAIN_COPY_MAX ? CHAIN_COPY_MAX : n;
		if (!chain_copy(&w->store, &c->out, NULL,
		    t->waiting.data + at, n))
			return false;
	}
	if (at > 0)
		client_touch(c);
	wk_buf_clear(&t->waiting);
	t->is_awake = false;
	return true;
}

void
watch_deliver(struct worker *w)
{
	struct client *lost = NULL;
	struct watcher *t;

	pthread_mutex_lock(&all.lock);
	for (t = all.first; t != NULL; t = t->next)
		if (!take(w, t))
			lost = t->client;
	pthread_mutex_unlock(&all.lock);
	if (lost != NULL)
		client_close(lost);
}

struct watch_counts
watch_counts(void)
{
	struct watch_counts n;

	pthread_mutex_lock(&all.lock);
	n.watchers = all.n;
	n.sent = all.sent;
	n.skipped = all.skipped;
	pthread_mutex_unlock(&all.lock);
	return n;
}
