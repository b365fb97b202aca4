/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/options.h"

#include <gnutls/gnutls.h>
#include <lua5.4/lua.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#ifdef HAVE_READLINE
#include <readline/readline.h>
#endif

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/options.h"
#include "common/cli/out.h"

#define AT(field) offsetof(struct options, field)
#define PROXY(field) (offsetof(struct options, proxy) + \
	offsetof(struct proxy_options, field))
#define LOAD(field) (offsetof(struct options, load) + \
	offsetof(struct load_options, field))

static const char *const errors_as[] = { "miss", "inline", "fail", NULL };
static const char *const keys_as[] = { "client", "stored", NULL };

static int
add_to(const char **list, size_t *n, size_t max, const char *arg,
    struct wk_error *error)
{
	if (*n == max)
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "given more than %zu times", max);
	list[(*n)++] = arg;
	return WK_OK;
}

static int
add_pool(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;

	return add_to(opt->pools, &opt->n_pools, POOLS_MAX, arg, error);
}

static int
add_listen(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;

	if (opt->n_listens == LISTENERS_MAX)
		return wk_error_set(error, WK_E_LIMIT, 0,
		    "more than %d listeners", LISTENERS_MAX);
	opt->listens[opt->n_listens++].address = arg;
	return WK_OK;
}

static int
add_tls_listen(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;
	int rc = add_listen(values, arg, error);

	if (rc == WK_OK)
		opt->listens[opt->n_listens - 1].is_secure = true;
	return rc;
}

static int
add_where(void *values, const char *arg, struct wk_error *error)
{
	struct options *opt = values;

	opt->is_check = true;
	return add_to(opt->where, &opt->n_where, WHERE_MAX, arg, error);
}

static const struct wk_option table[] = {
	{ .kind = WK_OPT_GROUP, .help = "Configuration" },
	{ 't', "check", .help = "check the configuration, explain it and end",
	    .kind = WK_OPT_FLAG, .at = AT(is_check) },
	{ 0, "where", "KEY", "say which backend the key goes to, and end; may "
	    "be repeated", WK_OPT_CALL, .call = add_where },
	{ 0, "tag", "TAG", "with --where: for listeners of this tag",
	    WK_OPT_TEXT, .at = AT(tag) },
	{ 0, "pool", "POOL", "a pool, NAME=ADDR,ADDR,..., instead of a file; "
	    "may be repeated", WK_OPT_CALL, .call = add_pool },
	{ 0, "arg", "TEXT", "argument for the file (proxy_arg)", WK_OPT_TEXT,
	    .at = LOAD(argument) },
	{ 0, "internal", "ADDR", "the memcached that stands for the pool "
	    "internal", WK_OPT_TEXT, .at = LOAD(internal) },
	{ 0, "lax", .help = "ignore unknown keys in the file",
	    .kind = WK_OPT_FLAG, .at = LOAD(is_lax) },
	{ 0, "unsafe-lua", .help = "give the file all of Lua: files, processes, "
	    "modules", .kind = WK_OPT_FLAG, .at = LOAD(is_unsafe) },

	{ .kind = WK_OPT_GROUP, .help = "Clients" },
	{ 'l', "listen", "ADDR:PORT", "listen here, by default "
	    "127.0.0.1:11211; TAG@ADDR:PORT, *:PORT or unix:PATH; may be "
	    "repeated",
	    WK_OPT_CALL, .call = add_listen },
	{ 0, "flush-all", .help = "take flush_all from all clients",
	    .kind = WK_OPT_FLAG, .at = PROXY(allows_flush) },
	{ 0, "max-clients", "N", "refuse more connections (10000)",
	    WK_OPT_UINT, .at = PROXY(max_clients), .min = 1, .max = 1000000 },
	{ 0, "max-value", "SIZE", "refuse longer values (1M)", WK_OPT_SIZE,
	    .at = PROXY(max_value), .min = 1, .max = 1 << 30 },
	{ 0, "client-buffer", "SIZE", "stop reading from a client that has "
	    "this much to fetch (1M)", WK_OPT_SIZE, .at = PROXY(client_buffer),
	    .min = 4096 },
	{ 0, "answer-key", "FORM", "keys in answers", WK_OPT_CHOICE,
	    .at = AT(answer_key), .choices = keys_as },
	{ 0, "multiget-errors", "HOW", "keys of a failed backend",
	    WK_OPT_CHOICE, .at = PROXY(multiget_errors),
	    .choices = errors_as },

	{ .kind = WK_OPT_GROUP, .help = "TLS" },
	{ 0, "tls-listen", "ADDR:PORT", "listen here with TLS; as --listen",
	    WK_OPT_CALL, .call = add_tls_listen },
	{ 0, "cert", "FILE", "our certificate for clients, with its chain; "
	    "none: a new one", WK_OPT_TEXT, .at = PROXY(cert) },
	{ 0, "key", "FILE", "its key; none: in the same file", WK_OPT_TEXT,
	    .at = PROXY(key) },
	{ 0, "client-ca", "FILE", "who signs the certificates that clients "
	    "then need", WK_OPT_TEXT, .at = PROXY(client_ca) },
	{ 0, "cacert", "FILE", "who signs the certificates of backends",
	    WK_OPT_TEXT, .at = PROXY(cacert) },
	{ 0, "backend-cert", "FILE", "our certificate for backends",
	    WK_OPT_TEXT, .at = PROXY(backend_cert) },
	{ 0, "backend-key", "FILE", "its key; none: in the same file",
	    WK_OPT_TEXT, .at = PROXY(backend_key) },
	{ 'k', "insecure", .help = "accept any certificate of a backend",
	    .kind = WK_OPT_FLAG, .at = PROXY(is_insecure) },

	{ .kind = WK_OPT_GROUP, .help = "Running" },
	{ 0, "threads", "N", "worker threads (4)", WK_OPT_UINT,
	    .at = PROXY(threads), .min = 1, .max = WORKERS_MAX },
	{ 0, "memory", "SIZE", "limit for values that wait, in all workers "
	    "together; none by default", WK_OPT_SIZE,
	    .at = PROXY(memory_limit), .min = 1 << 20 },
	{ 0, "idle-ping", "SEC", "probe a connection to a backend after so "
	    "long without an answer (30); 0 never", WK_OPT_SECONDS,
	    .at = PROXY(idle_ping_ns) },
	{ 0, "drain-time", "SEC", "at the end wait so long for requests (10)",
	    WK_OPT_SECONDS, .at = PROXY(drain_ns) },
	{ 0, "admin", "ADDR:PORT", "take commands of administration here: a "
	    "loopback address or unix:PATH", WK_OPT_TEXT, .at = AT(admin) },
	{ 0, "metrics", "ADDR:PORT", "serve Prometheus text over HTTP here",
	    WK_OPT_TEXT, .at = AT(metrics) },
	{ .kind = WK_OPT_GROUP, .help = "Looking at a running proxy" },
	{ 0, "once", .help = "top: show one interval as text and end",
	    .kind = WK_OPT_FLAG, .at = AT(is_once) },
	{ 0, "interval", "SEC", "top: how long to count (1)", WK_OPT_SECONDS,
	    .at = AT(interval_ns) },
	{ 0 },
};

static const char *const usages[] = {
	"[option ...] FILE",
	"[option ...] --pool NAME=ADDR,... [--pool ...]",
	"--check [--where KEY ...] FILE",
	"top [--once] [--interval SEC] ADDR:PORT",
	"console ADDR:PORT",
	NULL,
};

static const char *const examples[] = {
	"mcproxy --listen 127.0.0.1:11211 pools.lua",
	"mcproxy --check --where /foo/a pools.lua | grep ^where",
	"mcproxy top --once 127.0.0.1:11211 | grep -w bad",
	"mcproxy --json --check pools.lua | jq -r 'select(.label).label'",
	NULL,
};

static void
show_versions(void)
{
	unsigned v = XXH_versionNumber();

	wk_out_printf("%s\nxxHash %u.%u.%u\n", LUA_RELEASE, v / 10000,
	    v / 100 % 100, v % 100);
	wk_out_printf("gnutls %s\n", gnutls_check_version(NULL));
#ifdef HAVE_READLINE
	wk_out_printf("readline %s\n", rl_library_version);
#endif
}

static const struct wk_tool tool = {
	.summary = "Routes memcached requests to pools of backends, with "
	    "memcached's own configuration files.",
	.usages = usages,
	.options = table,
	.common = WK_COMMON_QUIET | WK_COMMON_JSON,
	.examples = examples,
	.versions = show_versions,
};

/* Exit code 2 for an address that cannot be one, before anything is tried. */
static bool
are_addresses(const struct options *opt)
{
	const char *const others[] = { opt->admin, opt->metrics };
	const char *address = NULL;
	struct wk_error error;
	int rc = WK_OK;
	size_t i;

	for (i = 0; i < opt->n_listens && rc == WK_OK; i++) {
		address = opt->listens[i].address;
		rc = listen_check(address, &error);
	}
	for (i = 0; i < 2 && rc == WK_OK; i++) {
		address = others[i];
		if (address != NULL)
			rc = listen_check(address, &error);
	}
	if (rc != WK_OK)
		wk_usage_error("%s: %s", address, error.reason);
	return rc == WK_OK;
}

static bool
has_secure_listener(const struct options *opt)
{
	size_t i;

	for (i = 0; i < opt->n_listens; i++)
		if (opt->listens[i].is_secure)
			return true;
	return false;
}

static const char *
conflict(const struct options *opt, int n_files)
{
	if (opt->view == VIEW_NONE && opt->is_once)
		return "--once is for top";
	if (opt->interval_ns == 0)
		return "--interval must be longer than 0";
	if (opt->view != VIEW_NONE && opt->view_address == NULL)
		return "top and console need ADDR:PORT";
	if (opt->view != VIEW_NONE)
		return opt->n_pools > 0 || opt->is_check ?
		    "top and console take no configuration" : NULL;
	if (n_files > 1)
		return "expected one FILE";
	if (n_files == 1 && opt->n_pools > 0)
		return "--pool and a FILE exclude each other";
	if (opt->tag != NULL && opt->n_where == 0)
		return "--tag needs --where";
	if ((opt->proxy.cert != NULL || opt->proxy.client_ca != NULL) &&
	    !has_secure_listener(opt))
		return "--cert and --client-ca need --tls-listen";
	return NULL;
}

/* "top ADDR" or "console ADDR"; files of that name are ./top and ./console. */
static void
find_view(struct options *opt, int n, char *const *operands)
{
	static const char *const names[] = { [VIEW_TOP] = "top",
	    [VIEW_CONSOLE] = "console" };
	int i;

	for (i = VIEW_TOP; i <= VIEW_CONSOLE; i++)
		if (n >= 1 && n <= 2 && strcmp(operands[0], names[i]) == 0) {
			opt->view = (enum option_view)i;
			opt->view_address = n == 2 ? operands[1] : NULL;
		}
}

bool
options_parse(struct options *opt, int argc, char **argv, int *rc)
{
	const char *why;
	int first;

	memset(opt, 0, sizeof(*opt));
	opt->proxy.threads = 4;
	opt->proxy.max_clients = 10000;
	opt->proxy.max_value = opt->proxy.client_buffer = 1 << 20;
	opt->proxy.idle_ping_ns = 30 * WK_NS_PER_SEC;
	opt->interval_ns = WK_NS_PER_SEC;
	opt->proxy.drain_ns = 10 * WK_NS_PER_SEC;
	if (!wk_options_parse(&tool, opt, argc, argv, &first, rc))
		return false;
	find_view(opt, argc - first, argv + first);
	why = conflict(opt, argc - first);
	if (why != NULL) {
		*rc = wk_usage_error("%s", why);
		return false;
	}
	if (opt->view != VIEW_NONE)
		return true;
	if (!are_addresses(opt)) {
		*rc = WK_EXIT_USAGE;
		return false;
	}
	if (first == argc && opt->n_pools == 0) {
		*rc = wk_usage(&tool);
		return false;
	}
	opt->file = first < argc ? argv[first] : NULL;
	opt->proxy.answers_stored_key = opt->answer_key == 1;
	if (opt->n_listens == 0)
		opt->listens[opt->n_listens++].address = "127.0.0.1:11211";
	return true;
}
