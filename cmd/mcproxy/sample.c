/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"

#define ROWS_MAX 65536		/* a proxy has fewer; a liar may not */

static const char *const kind_names[ROW_KINDS] = { "backend", "pool", "route" };

const char *
row_kind_name(enum row_kind kind)
{
	return kind_names[kind];
}

const char *
row_state(const struct row *r)
{
	if (r->values[ROW_HELD] > 0)
		return "held";
	if (r->values[ROW_BAD] > 0)
		return "bad";
	return r->values[ROW_UP] > 0 ? "up" : "down";
}

double
sample_rate(uint64_t now, uint64_t before, uint64_t elapsed_ns)
{
	if (now < before || elapsed_ns == 0)
		return 0;
	return (double)(now - before) * 1e9 / (double)elapsed_ns;
}

void
sample_free(struct sample *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->rows[i].name);
	free(s->rows);
	memset(s, 0, sizeof(*s));
}

const struct row *
sample_find(const struct sample *s, const struct row *row, size_t near)
{
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		k = (near + i) % s->n;
		if (s->rows[k].kind == row->kind &&
		    strcmp(s->rows[k].name, row->name) == 0)
			return &s->rows[k];
	}
	return NULL;
}

/* --- reading -------------------------------------------------------------- */

/* The row of this name; the last one most of the time. */
static struct row *
row_of(struct sample *s, enum row_kind kind, const char *name)
{
	struct row wanted = { .kind = kind }, *rows;

	wanted.name = strdup(name);
	if (wanted.name == NULL)
		return NULL;
	if (s->n > 0) {
		const struct row *found = sample_find(s, &wanted, s->n - 1);

		if (found != NULL) {
			free(wanted.name);
			return &s->rows[found - s->rows];
		}
	}
	rows = s->n < ROWS_MAX ? realloc(s->rows, (s->n + 1) * sizeof(*rows)) :
	    NULL;
	if (rows == NULL) {
		free(wanted.name);
		return NULL;
	}
	s->rows = rows;
	rows[s->n] = wanted;
	return &rows[s->n++];
}

static void
take_row(struct sample *s, enum row_kind kind, char *name, const char *value)
{
	static const char *const fields[ROW_VALUES] = { "requests", "misses",
	    "errors", "up", "connections", "bad", "held_down", "depth" };
	char *colon = strrchr(name, ':');
	struct row *r;
	size_t i;

	if (colon == NULL)
		return;
	*colon = '\0';
	for (i = 0; i < ROW_VALUES; i++)
		if (strcmp(colon + 1, fields[i]) == 0)
			break;
	if (i == ROW_VALUES)
		return;
	r = row_of(s, kind, name);
	if (r != NULL)
		r->values[i] = strtoull(value, NULL, 10);
}

static void
take_backend(struct sample *s, char *name, const char *value)
{
	take_row(s, ROW_BACKEND, name, value);
}

static void
take_pool(struct sample *s, char *name, const char *value)
{
	take_row(s, ROW_POOL, name, value);
}

static void
take_route(struct sample *s, char *name, const char *value)
{
	take_row(s, ROW_ROUTE, name, value);
}

static void
take_general(struct sample *s, char *name, const char *value)
{
	static const char *const fields[SAMPLE_VALUES] = { "uptime", "threads",
	    "curr_connections", "proxy_conn_requests", "proxy_req_active" };
	size_t i;

	for (i = 0; i < SAMPLE_VALUES; i++)
		if (strcmp(name, fields[i]) == 0)
			s->values[i] = strtoull(value, NULL, 10);
}

/* "KIND:NAME:CLASS" and "MAX BUCKET:COUNT ..." */
static void
take_histogram(struct sample *s, char *name, const char *value)
{
	char *first = strchr(name, ':'), *last = strrchr(name, ':'), *end;
	struct latency_sums *l;
	struct row *r = NULL;
	uint64_t v, count;
	size_t i;

	if (first == NULL || first == last)
		return;
	*first = *last = '\0';
	for (i = 0; i < ROW_KINDS; i++)
		if (strcmp(name, kind_names[i]) == 0)
			r = row_of(s, (enum row_kind)i, first + 1);
	if (r == NULL)
		return;
	l = &r->latency;
	v = strtoull(value, &end, 10);
	if (v > l->max_us)
		l->max_us = v;
	while (*end == ' ') {
		v = strtoull(end, &end, 10);
		if (*end != ':' || v >= LATENCY_BUCKETS)
			return;
		count = strtoull(end + 1, &end, 10);
		l->counts[v] += count;
		l->total += count;
	}
}

static bool
take_answer(struct sample *s, struct link *l,
    void (*take)(struct sample *s, char *name, const char *value))
{
	char *line, *value;

	while ((line = link_line(l)) != NULL && strcmp(line, "END") != 0) {
		value = strncmp(line, "STAT ", 5) == 0 ? strchr(line + 5, ' ') :
		    NULL;
		if (value == NULL) {
			wk_warn("%s: not an answer of mcproxy", l->address);
			return false;
		}
		*value++ = '\0';
		take(s, line + 5, value);
	}
	return line != NULL;
}

bool
sample_take(struct sample *s, struct link *l)
{
	static const char questions[] = "stats\r\nstats backends\r\n"
	    "stats pools\r\nstats routes\r\nstats histograms\r\n";

	memset(s, 0, sizeof(*s));
	s->at_ns = wk_clock_now_ns();
	if (link_send(l, questions, sizeof(questions) - 1) &&
	    take_answer(s, l, take_general) &&
	    take_answer(s, l, take_backend) &&
	    take_answer(s, l, take_pool) && take_answer(s, l, take_route) &&
	    take_answer(s, l, take_histogram))
		return true;
	sample_free(s);
	return false;
}
