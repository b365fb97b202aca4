/* SPDX-License-Identifier: MIT */
/* mcproxy: routes memcached requests to pools of backends. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cmd/mcproxy/engine.h"
#include "cmd/mcproxy/console.h"
#include "cmd/mcproxy/explain.h"
#include "cmd/mcproxy/load.h"
#include "cmd/mcproxy/options.h"
#include "cmd/mcproxy/top.h"
#include "cmd/mcproxy/watch.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"

static struct options opt;

static void
say(const char *text)
{
	wk_notice("%s", text);
	watch_text(WATCH_USER, "proxy_user", text);
}

static struct conf *
load(char *reason)
{
	if (opt.file != NULL)
		return load_file(opt.file, &opt.load, reason);
	return load_pools(opt.pools, opt.n_pools, reason);
}

static int
check(const struct conf *c)
{
	int rc = WK_EXIT_OK;
	size_t i;

	if (opt.n_where == 0)
		explain_conf(c);
	for (i = 0; i < opt.n_where; i++)
		if (!explain_key(c, opt.tag != NULL ? opt.tag : "",
		    COMMAND_GET, opt.where[i]))
			rc = WK_EXIT_NO;
	return rc;
}

/* A descriptor per client, and some for the rest. */
static void
raise_limits(const struct proxy_options *o)
{
	struct rlimit l;
	rlim_t want = (rlim_t)o->max_clients + 1024;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= want)
		return;
	l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur < want)
		wk_caution("only %llu descriptors for up to %llu clients "
		    "(see ulimit -n)", (unsigned long long)l.rlim_cur,
		    (unsigned long long)o->max_clients);
}

static int
serve(struct conf *c)
{
	char reason[LOAD_REASON_MAX];
	struct proxy *p = calloc(1, sizeof(*p));
	size_t i;
	int rc;

	if (p == NULL) {
		wk_warn("out of memory");
		conf_del(c);
		return WK_EXIT_SYSTEM;
	}
	proxy_init(p, &opt.proxy);
	if (p->options.memory_limit == 0)
		p->options.memory_limit = c->memory_limit;
	for (i = 0; i < opt.n_listens; i++)
		if (proxy_listen(p, opt.listens[i].address,
		    opt.listens[i].is_secure, reason, sizeof(reason)) !=
		    WK_OK) {
			wk_warn("--%slisten %s", opt.listens[i].is_secure ?
			    "tls-" : "", reason);
			conf_del(c);
			free(p);
			return WK_EXIT_SYSTEM;
		}
	if (opt.admin != NULL && proxy_listen_admin(p, opt.admin, reason,
	    sizeof(reason)) != WK_OK) {
		wk_warn("--admin %s", reason);
		conf_del(c);
		free(p);
		return WK_EXIT_SYSTEM;
	}
	if (opt.metrics != NULL && metrics_listen(opt.metrics, reason,
	    sizeof(reason)) != WK_OK) {
		wk_warn("--metrics %s", reason);
		conf_del(c);
		free(p);
		return WK_EXIT_SYSTEM;
	}
	raise_limits(&p->options);
	if (p->options.is_insecure)
		wk_caution("certificates of backends are not verified "
		    "(--insecure)");
	signal(SIGPIPE, SIG_IGN);
	if (wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_RELOAD) != WK_OK ||
	    !resolver_start(p)) {
		wk_warn_errno(errno, "start");
		conf_del(c);
		free(p);
		return WK_EXIT_SYSTEM;
	}
	if (proxy_install(p, c, reason, sizeof(reason)) != WK_OK) {
		wk_warn("%s", reason);
		conf_del(c);
		resolver_stop(p);
		free(p);
		return WK_EXIT_USAGE;
	}
	opt.load.is_serving = true;
	rc = proxy_run(p, load);
	free(p);
	return rc;
}

static int
view(void)
{
	const struct top_options top = { .address = opt.view_address,
	    .interval_ns = opt.interval_ns, .is_once = opt.is_once };

	if (opt.view == VIEW_TOP)
		return top_run(&top);
#ifdef HAVE_READLINE
	return console_run(opt.view_address);
#else
	wk_warn("console: this mcproxy was built without readline");
	return WK_EXIT_SYSTEM;
#endif
}

int
main(int argc, char **argv)
{
	char reason[LOAD_REASON_MAX];
	struct conf *c;
	int rc;

	wk_cli_init(argv[0]);
	if (!options_parse(&opt, argc, argv, &rc))
		return wk_out_finish(rc);
	if (opt.view != VIEW_NONE) {
		rc = view();
	} else {
		opt.load.say = say;
		c = load(reason);
		if (c == NULL) {
			wk_warn("%s", reason);
			rc = WK_EXIT_USAGE;
		} else if (opt.is_check) {
			rc = check(c);
			conf_del(c);
		} else {
			rc = serve(c);
		}
	}
	return wk_out_finish(rc);
}
