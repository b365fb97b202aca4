/* SPDX-License-Identifier: MIT */
/* Routes at work: which child is asked when, and whose answer counts. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/mcproxy/engine.h"

#define COMMAND_SET_OF(c) (UINT32_C(1) << (c))

/* What lib/simple writes to all zones. */
static const uint32_t zone_writes =
    COMMAND_SET_OF(COMMAND_SET) | COMMAND_SET_OF(COMMAND_ADD) |
    COMMAND_SET_OF(COMMAND_DELETE) | COMMAND_SET_OF(COMMAND_APPEND) |
    COMMAND_SET_OF(COMMAND_PREPEND) | COMMAND_SET_OF(COMMAND_INCR) |
    COMMAND_SET_OF(COMMAND_DECR) | COMMAND_SET_OF(COMMAND_MS) |
    COMMAND_SET_OF(COMMAND_MD);

static const uint32_t ttl_commands =
    COMMAND_SET_OF(COMMAND_SET) | COMMAND_SET_OF(COMMAND_ADD) |
    COMMAND_SET_OF(COMMAND_CAS) | COMMAND_SET_OF(COMMAND_MS);

struct asked {			/* by whom, and how */
	struct task *task;
	unsigned child;
	int64_t ttl;
	bool has_ttl;
};

static void start(struct worker *w, struct request_state *r,
    const struct route *route, const struct asked *by);
static void child_done(struct worker *w, struct request_state *r,
    struct task *t, unsigned child, struct answer *a);

/* --- answers of ours ------------------------------------------------------ */

/* What a cache without anything in it would say. */
static void
null_answer(enum command c, struct answer *a)
{
	static const char *const texts[COMMANDS_ROUTED] = {
		[COMMAND_MG] = "EN", [COMMAND_MS] = "NS", [COMMAND_MD] = "NF",
		[COMMAND_MA] = "NF", [COMMAND_ME] = "EN",
		[COMMAND_SET] = "NOT_STORED", [COMMAND_ADD] = "NOT_STORED",
		[COMMAND_REPLACE] = "NOT_STORED", [COMMAND_CAS] = "NOT_STORED",
		[COMMAND_APPEND] = "NOT_STORED",
		[COMMAND_PREPEND] = "NOT_STORED",
	};
	static const struct answer none = { .text = NULL };

	*a = none;
	a->text = texts[c] != NULL ? texts[c] : "NOT_FOUND";
	a->class = command_is_read(c) || c == COMMAND_MG ? RESPONSE_MISS :
	    RESPONSE_GOOD;
	a->is_nominal = c == COMMAND_MG;
	if (command_is_read(c))
		a->text = NULL;
}

static void
finish_with(struct worker *w, struct request_state *r, const struct asked *by,
    const char *text)
{
	struct answer a = { .text = text, .class = RESPONSE_ERROR };

	child_done(w, r, by->task, by->child, &a);
}

/* --- one backend ---------------------------------------------------------- */

#define OTHERS_MAX 64

/* The key's backend, or, if the pool ejects and that is out, another one. */
static unsigned
pick_backend(struct worker *w, const struct request_state *r,
    const struct pool *pool)
{
	const char *key = r->key + r->trim;
	size_t len = r->key_len - r->trim, i;
	unsigned first, id, n;

	i = placement_pick(&pool->placement, key, len);
	first = id = pool->backends[i]->id;
	if (!pool->ejects)
		return id;
	for (n = 1; server_is_out(w, id, pool->failback_ns); n++) {
		if (n == OTHERS_MAX)
			return first;
		i = placement_pick_other(&pool->placement, key, len, n);
		id = pool->backends[i]->id;
	}
	return id;
}

static void
start_pool(struct worker *w, struct request_state *r, const struct pool *pool,
    const struct asked *by)
{
	struct sub *s = sub_new(w, r, by->task != NULL);
	unsigned id;

	if (s == NULL) {
		finish_with(w, r, by, "SERVER_ERROR out of memory");
		return;
	}
	s->task = by->task;
	s->child = by->child;
	s->pool = pool->id;
	s->since_ns = w->now_ns;
	s->ttl = by->ttl;
	s->has_ttl = by->has_ttl;
	if (s->task != NULL)
		s->task->refs++;
	id = pick_backend(w, r, pool);
	s->backend = (uint16_t)(id + 1);
	server_submit(w, id, s);
}

/* --- tasks ---------------------------------------------------------------- */

static struct task *
task_new(struct worker *w, struct request_state *r, const struct route *route,
    const struct asked *by)
{
	struct task *t = w->free_tasks;

	if (t != NULL)
		w->free_tasks = t->next_waiting;
	else
		t = malloc(sizeof(*t));
	if (t == NULL)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->parent = by->task;
	t->child = by->child;
	t->request = r;
	t->route = route;
	t->ttl = by->ttl;
	t->has_ttl = by->has_ttl;
	t->refs = 1;
	r->refs++;
	if (t->parent != NULL)
		t->parent->refs++;
	return t;
}

static void
stop_waiting(struct worker *w, struct task *t)
{
	if (!t->is_waiting)
		return;
	t->is_waiting = false;
	if (t->previous_waiting != NULL)
		t->previous_waiting->next_waiting = t->next_waiting;
	else
		w->waiting = t->next_waiting;
	if (t->next_waiting != NULL)
		t->next_waiting->previous_waiting = t->previous_waiting;
}

static void
task_unref(struct worker *w, struct task *t)
{
	struct task *parent;

	if (t == NULL || --t->refs > 0)
		return;
	parent = t->parent;
	stop_waiting(w, t);
	answer_clear(w, &t->best);
	request_unref(w, t->request);
	t->next_waiting = w->free_tasks;
	w->free_tasks = t;
	task_unref(w, parent);
}

static void
wait_for(struct worker *w, struct task *t)
{
	if (t->route->wait_ns == 0)
		return;
	stop_waiting(w, t);
	t->deadline_ns = w->now_ns + t->route->wait_ns;
	worker_at(w, t->deadline_ns);
	t->previous_waiting = NULL;
	t->next_waiting = w->waiting;
	if (w->waiting != NULL)
		w->waiting->previous_waiting = t;
	w->waiting = t;
	t->is_waiting = true;
}

static void
start_child(struct worker *w, struct task *t, unsigned child)
{
	const struct route *route = t->route;
	struct asked by = { .task = t, .child = child, .ttl = t->ttl,
	    .has_ttl = t->has_ttl };

	t->pending++;
	start(w, t->request, route->children[(child + t->offset) %
	    route->n_children], &by);
}

static void
start_all(struct worker *w, struct task *t, unsigned from)
{
	unsigned i, n = (unsigned)t->route->n_children;

	/* All count as pending before the first can answer at once. */
	t->pending += n - from;
	for (i = from; i < n; i++) {
		t->pending--;
		start_child(w, t, i);
	}
}

/* The task's answer; what its other children say is not waited for. */
static void
task_answer(struct worker *w, struct task *t)
{
	struct answer a = t->best;

	if (t->is_answered)
		return;
	t->is_answered = true;
	stop_waiting(w, t);
	memset(&t->best, 0, sizeof(t->best));
	child_done(w, t->request, t->parent, t->child, &a);
}

static void
keep(struct worker *w, struct task *t, struct answer *a)
{
	answer_clear(w, &t->best);
	t->best = *a;
	t->has_best = true;
	memset(a, 0, sizeof(*a));
}

/* Good beats a miss, a miss beats an error; among equals the first stays. */
static void
keep_better(struct worker *w, struct task *t, struct answer *a)
{
	if (!t->has_best || a->class < t->best.class)
		keep(w, t, a);
	else
		answer_clear(w, a);
}

static void
count_user(struct worker *w, const struct request_state *r,
    const struct route *route)
{
	const struct generation *g = r->held->generation;

	if (route->counter >= 0)
		counter_add(&w->count.user[g->counters[route->counter]], 1);
}

/* What may have been done already is not asked of anybody else. */
static bool
wants_another(const struct task *t, const struct answer *a)
{
	if (a->class == RESPONSE_ERROR)
		return !a->is_lost || !t->request->is_once;
	return a->class == RESPONSE_MISS && t->route->fails_over_on_miss;
}

static void
failover_done(struct worker *w, struct task *t, struct answer *a)
{
	bool is_enough = !wants_another(t, a);
	bool goes_on = !is_enough && t->next < t->route->tries;

	if (is_enough)
		keep(w, t, a);
	else
		keep_better(w, t, a);
	if (!goes_on) {
		task_answer(w, t);
		return;
	}
	count_user(w, t->request, t->route);
	wait_for(w, t);
	start_child(w, t, t->next++);
}

/* The first child alone, then all others at once; the first hit wins. */
static void
zones_done(struct worker *w, struct task *t, unsigned child, struct answer *a)
{
	bool is_enough = a->class == RESPONSE_GOOD ||
	    (a->is_lost && t->request->is_once) ||
	    (child == 0 && !wants_another(t, a));	/* a miss is enough */

	if (is_enough)
		keep(w, t, a);
	else
		keep_better(w, t, a);
	if (!is_enough && child == 0 && t->route->n_children > 1) {
		count_user(w, t->request, t->route);
		start_all(w, t, 1);
		return;
	}
	if (is_enough || t->pending == 0)
		task_answer(w, t);
}

static bool
writes_to_all(const struct task *t)
{
	return (zone_writes & COMMAND_SET_OF(t->request->command)) != 0;
}

static void
allsync_done(struct worker *w, struct task *t, unsigned child,
    struct answer *a)
{
	bool is_error = a->class == RESPONSE_ERROR;
	bool had_error = t->has_best && t->best.class == RESPONSE_ERROR;

	/* The first child's error if there is one, else the last's answer. */
	if (!t->has_best || (is_error ? !had_error || child < t->next :
	    !had_error && child > t->next)) {
		keep(w, t, a);
		t->next = child;
	} else {
		answer_clear(w, a);
	}
	if (t->pending == 0)
		task_answer(w, t);
}

static void
fastest_done(struct worker *w, struct task *t, struct answer *a)
{
	bool is_enough = a->class == RESPONSE_GOOD ||
	    (a->class == RESPONSE_MISS && !t->route->prefers_good);

	keep_better(w, t, a);
	if (is_enough || t->pending == 0)
		task_answer(w, t);
}

/* So many answers that are no errors, or the certainty that they never come. */
static void
quorum_done(struct worker *w, struct task *t, struct answer *a)
{
	bool is_error = a->class == RESPONSE_ERROR;

	t->next += !is_error;
	if (is_error && t->next + t->pending < t->route->tries)
		keep(w, t, a);
	else
		keep_better(w, t, a);
	if (t->next >= t->route->tries ||
	    t->next + t->pending < t->route->tries)
		task_answer(w, t);
}

static void
task_done(struct worker *w, struct task *t, unsigned child, struct answer *a)
{
	t->pending--;
	if (t->is_answered) {
		answer_clear(w, a);
		return;
	}
	switch (t->route->kind) {
	case ROUTE_FAILOVER:
		/* A child that was given up may still answer well. */
		if (child + 1 == t->next || a->class == RESPONSE_GOOD)
			failover_done(w, t, a);
		else
			answer_clear(w, a);
		break;
	case ROUTE_ZONES:
		if (writes_to_all(t)) {
			/* The first that is no error, else the first. */
			if (!t->has_best || (t->best.class == RESPONSE_ERROR &&
			    a->class != RESPONSE_ERROR))
				keep(w, t, a);
			else
				answer_clear(w, a);
			if (t->pending == 0)
				task_answer(w, t);
			break;
		}
		zones_done(w, t, child, a);
		break;
	case ROUTE_ZFAILOVER:
		zones_done(w, t, child, a);
		break;
	case ROUTE_SPLIT:
		if (child == 0) {
			keep(w, t, a);
			task_answer(w, t);
		} else {
			answer_clear(w, a);
		}
		break;
	case ROUTE_ALLSYNC:
		allsync_done(w, t, child, a);
		break;
	case ROUTE_ALLFASTEST:
		fastest_done(w, t, a);
		break;
	case ROUTE_QUORUM:
		quorum_done(w, t, a);
		break;
	default:
		answer_clear(w, a);
		break;
	}
}

static void
start_task(struct worker *w, struct request_state *r,
    const struct route *route, const struct asked *by)
{
	struct task *t = task_new(w, r, route, by);

	if (t == NULL) {
		finish_with(w, r, by, "SERVER_ERROR out of memory");
		return;
	}
	switch (route->kind) {
	case ROUTE_FAILOVER:
		if (route->shuffles)
			t->offset = (unsigned)(worker_random(w) %
			    route->n_children);
		wait_for(w, t);
		t->next = 1;
		start_child(w, t, 0);
		break;
	case ROUTE_ZFAILOVER:
		start_child(w, t, 0);
		break;
	case ROUTE_ZONES:
		if (writes_to_all(t))
			start_all(w, t, 0);
		else
			start_child(w, t, 0);
		break;
	case ROUTE_ALLASYNC:
		null_answer(r->command, &t->best);
		task_answer(w, t);
		start_all(w, t, 0);
		break;
	default:
		wait_for(w, t);
		start_all(w, t, 0);
		break;
	}
	task_unref(w, t);
}

/* --- any route ------------------------------------------------------------ */

static void
start(struct worker *w, struct request_state *r, const struct route *route,
    const struct asked *by)
{
	struct asked with_ttl = *by;
	struct answer a;

	switch (route->kind) {
	case ROUTE_POOL:
		if (route->pool->failover != NULL && !route->is_plain)
			start(w, r, route->pool->failover, by);
		else
			start_pool(w, r, route->pool, by);
		return;
	case ROUTE_NOWHERE:
		finish_with(w, r, by, "SERVER_ERROR no route");
		return;
	case ROUTE_NULL:
		null_answer(r->command, &a);
		child_done(w, r, by->task, by->child, &a);
		return;
	case ROUTE_TTL:
		if ((ttl_commands & COMMAND_SET_OF(r->command)) == 0 &&
		    route->is_lenient) {
			start(w, r, route->children[0], by);
			return;
		}
		if ((ttl_commands & COMMAND_SET_OF(r->command)) == 0) {
			finish_with(w, r, by,
			    "SERVER_ERROR invalid command for route_ttl");
			return;
		}
		with_ttl.ttl = route->ttl;
		with_ttl.has_ttl = true;
		start(w, r, route->children[0], &with_ttl);
		return;
	case ROUTE_RANDOM:
		start(w, r, route->children[worker_random(w) %
		    route->n_children], by);
		return;
	case ROUTE_RATELIM:
		if (bucket_take(w, route) != route->is_inverted) {
			start(w, r, route->children[0], by);
			return;
		}
		count_user(w, r, route);
		null_answer(r->command, &a);
		child_done(w, r, by->task, by->child, &a);
		return;
	default:
		start_task(w, r, route, by);
		return;
	}
}

static void
child_done(struct worker *w, struct request_state *r, struct task *t,
    unsigned child, struct answer *a)
{
	if (t == NULL)
		request_finish(w, r, a);
	else
		task_done(w, t, child, a);
}

void
handler_start(struct worker *w, struct request_state *r,
    const struct route *route)
{
	const struct asked by = { .task = NULL };

	start(w, r, route, &by);
}

static void
take_answer(struct worker *w, struct sub *s)
{
	struct answer a = s->answer;
	struct task *t = s->task;

	tally_add(w, s->pool, s->request->command, w->now_ns - s->since_ns,
	    a.class);
	a.backend = s->backend;
	memset(&s->answer, 0, sizeof(s->answer));
	s->task = NULL;
	child_done(w, s->request, t, s->child, &a);
	task_unref(w, t);
	sub_settled(w, s);
}

void
handler_settle(struct worker *w)
{
	struct sub *s;

	while ((s = sub_take_done(w)) != NULL)
		take_answer(w, s);
}

/* Tasks that have waited long enough for what they asked. */
void
handler_timers(struct worker *w)
{
	const struct answer lost = { .text = BACKEND_FAILURE,
	    .class = RESPONSE_ERROR, .is_lost = true };
	struct answer late = lost;
	struct task *t, *next;

	for (t = w->waiting; t != NULL; t = next) {
		next = t->next_waiting;
		if (t->deadline_ns > w->now_ns) {
			worker_at(w, t->deadline_ns);
			continue;
		}
		stop_waiting(w, t);
		t->refs++;
		if (t->route->kind == ROUTE_FAILOVER) {
			failover_done(w, t, &late);
		} else {
			if (!t->has_best)
				keep(w, t, &late);
			task_answer(w, t);
		}
		late = lost;
		task_unref(w, t);
		/* Anything may have happened to the list. */
		next = w->waiting;
	}
}
