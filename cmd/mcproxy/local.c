/* SPDX-License-Identifier: MIT */
/* Commands that the proxy answers itself. */
#include "config.h"

#include <string.h>

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

/* stats [what], proxy what: the words behind the command. */
static void
long_text(struct client *c, struct request_state *r, const struct request *q)
{
	const char *what = q->rest, *end = q->rest + q->rest_len;
	struct wk_buf b;

	while (what < end && *what == ' ')
		what++;
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
local_answer(struct client *c, struct request_state *r,
    const struct request *q)
{
	r->key = NULL;
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
		text(c, r, "CLIENT_ERROR flush_all not allowed");
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
