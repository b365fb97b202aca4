/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/listen.h"

#include <errno.h>
#include <stdlib.h>

#include "cmd/capsule-cat/visits.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/listener.h"
#include "common/cli/out.h"
#include "common/cli/outlet.h"

struct serving {
	struct wk_listener listener;
	struct wk_outlet outlet;
	struct visits visits;
};

/* --- what the listener asks ----------------------------------------------- */

static bool
on_begin(void *arg, struct wk_stream *s, const struct wk_message *m)
{
	(void)m;
	return visits_begin(&((struct serving *)arg)->visits, s);
}

static uint64_t
on_kept(void *arg)
{
	return ((struct serving *)arg)->visits.n_open;
}

static const struct wk_listener_handler listener_handler = {
	.begin = on_begin,
	.kept = on_kept,
};

/* --- what visits and their output tell ------------------------------------ */

static void
on_served(void *arg)
{
	wk_listener_served(&((struct serving *)arg)->listener);
}

/* Nobody reads what we show: that was what we are for. */
static void
on_output_failed(void *arg)
{
	wk_loop_stop(((struct serving *)arg)->listener.loop);
}

static void
on_drained(void *arg)
{
	visits_drained(&((struct serving *)arg)->visits);
}

static const struct visits_handler visits_handler = {
	.served = on_served,
	.failed = on_output_failed,
};

/* --- the whole ------------------------------------------------------------ */

static int
run(struct serving *s)
{
	int rc;

	if (wk_outlet_init(&s->outlet, s->listener.loop, on_drained,
	    on_output_failed, s) != WK_OK) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	rc = wk_listener_run(&s->listener);
	wk_listener_close(&s->listener);
	visits_finish(&s->visits);
	if (!wk_outlet_finish(&s->outlet, WK_NEVER))
		wk_out_fail(ETIMEDOUT);
	return rc;
}

int
serve(const struct options *opt)
{
	const struct wk_listener_options options = {
		.listen = &opt->listen, .identity = &opt->net,
		.proxy = &opt->proxy, .auth = opt->auth,
		.protocol = opt->protocol, .demands_protocol = opt->has_protocol,
		.is_proxy = opt->serve == SERVE_PROXY,
		.template_text = opt->template_text,
		.versions = options_versions(opt), .max_served = opt->count,
	};
	struct serving *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	visits_init(&s->visits, opt, &s->outlet, &visits_handler, s);
	rc = wk_listener_init(&s->listener, &options, &listener_handler, s);
	if (rc == WK_EXIT_OK) {
		rc = run(s);
		wk_listener_close(&s->listener);
		wk_listener_free(&s->listener);
	}
	free(s);
	return rc;
}
