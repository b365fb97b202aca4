/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include "cmd/mcproxy/explain.h"
#include "cmd/mcproxy/load.h"
#include "cmd/mcproxy/pattern.h"

static struct conf *
load(const char *text, char *reason)
{
	static const struct load_options options = { .argument = NULL };

	return load_text("c.lua", text, strlen(text), &options, reason);
}

static struct conf *
must_load(const char *text)
{
	char reason[LOAD_REASON_MAX];
	struct conf *c = load(text, reason);

	if (c == NULL)
		fail_msg("%s", reason);
	return c;
}

/* "tree -trimmed" or "nowhere" */
static char said[256];

static void
keep_said(const char *text)
{
	snprintf(said, sizeof(said), "%s", text);
}

static void
assert_route(const struct conf *c, const char *tag, const char *command,
    const char *key, const char *want)
{
	struct decision d;
	struct wk_buf b;

	wk_buf_init(&b, 4096);
	if (router_decide(conf_router(c, tag),
	    (enum command)command_parse(command, strlen(command)), key,
	    strlen(key), false, &d)) {
		explain_route(&b, d.route);
		if (d.trim > 0)
			wk_buf_printf(&b, " -%zu", d.trim);
	} else {
		wk_buf_printf(&b, "nowhere");
	}
	wk_buf_uint(&b, 0, 1);
	if (strcmp((char *)b.data, want) != 0)
		fail_msg("%s %s: %s, expected %s", command, key,
		    (char *)b.data, want);
	wk_buf_free(&b);
}

#define TWO_POOLS \
	"{ name = 'foo', backends = { '127.0.0.1:11212', '127.0.0.1:11213' } }"
#define BAR "{ name = 'bar', backends = { '127.0.0.1:11214' } }"

static void
test_simple_as_module_and_as_globals(void **state)
{
	static const char *const texts[] = {
		"package.loaded['lib/simple'] = nil\n"
		"local s = require('lib/simple')\n"
		"s.verbose(true)\n"
		"s.pool" TWO_POOLS "\ns.pool" BAR "\n",
		"local s = require(\"simple\")\n"
		"s.pool" TWO_POOLS "\ns.pool" BAR "\n",
		"pool" TWO_POOLS "\npool" BAR "\n",
		"verbose(true)\nsay('x', 1)\npool" TWO_POOLS
		" for _, n in ipairs({'bar'}) do local b = {}\n"
		"for i = 11214, 11214 do b[#b + 1] = '127.0.0.1:' .. i end\n"
		"pool{ name = n, backends = b } end\n",
	};
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		c = must_load(texts[i]);
		assert_int_equal(c->n_pools, 2);
		assert_int_equal(c->n_backends, 3);
		assert_route(c, "", "get", "/foo/a", "foo -5");
		assert_route(c, "", "set", "/bar/a/b", "bar -5");
		assert_route(c, "", "get", "/foo1/a", "nowhere");
		assert_route(c, "", "get", "/baz/a", "nowhere");
		assert_route(c, "", "get", "/foo", "nowhere");
		assert_route(c, "", "get", "a", "nowhere");
		assert_route(c, "", "get", "/foo/", "foo -5");
		conf_del(c);
	}
}

static void
test_simple_router(void **state)
{
	struct conf *c;

	(void)state;
	c = must_load("pool" TWO_POOLS "router{ default_pool = 'foo' }");
	assert_route(c, "", "get", "zk", "foo");
	assert_route(c, "", "get", "/nope/zk", "foo");	/* not trimmed */
	assert_route(c, "", "get", "/foo/zk", "foo -5");
	conf_del(c);
	c = must_load("router{ prefix_trim = false } pool" TWO_POOLS);
	assert_route(c, "", "get", "/foo/zk", "foo");
	conf_del(c);
	c = must_load("pool" TWO_POOLS "router{ match_prefix = '(%a+):' }");
	assert_route(c, "", "get", "foo:zk", "foo -4");
	conf_del(c);
	c = must_load("pool{ name = 'default', backends = { 'a:1' } }"
	    "router{ router_type = 'flat' }");
	assert_route(c, "", "get", "/foo/zk", "default");
	conf_del(c);
	c = must_load("pool" TWO_POOLS "pool{ name = 'foo', backends = { "
	    "'c:1' } }");
	assert_int_equal(conf_pool(c, "foo")->n_backends, 1);
	assert_string_equal(conf_pool(c, "foo")->backends[0]->host, "c");
	conf_del(c);
}

static void
test_simple_zones(void **state)
{
	static const char text[] =
	    "pool{ name = 'foo', zones = { z1 = { 'a:1' }, z2 = { 'b:1' },"
	    " z3 = { 'c:1' } } } my_zone('z2') pool" BAR;
	struct conf *c = must_load(text);

	(void)state;
	assert_route(c, "", "get", "/foo/a", "zones(foo_z2, foo_z1, foo_z3) -5");
	assert_route(c, "", "get", "/bar/a", "bar -5");
	assert_string_equal(c->counters[0], "simple_failovers");
	conf_del(c);
}

#define POOLS3 \
	"pools{ one = { backends = { '127.0.0.1:1', '127.0.0.1:2 lab',\n" \
	" { host = '::1', label = 'six', connecttimeout = 0.5 } } },\n" \
	"two = { backends = { 'b:1 _down_' } }, three = { backends = { " \
	"'unix:/tmp/s' } } }\n"
#define SET \
	"pools{ set_z = { east = { backends = { 'e:1' } }, west = { " \
	"backends = { 'w:1' } } } }\n"

static void
test_routelib_trees(void **state)
{
	static const struct {
		const char *route, *want;
	} cases[] = {
		{ "route_direct{ child = 'one' }", "one" },
		{ "'one'", "one" },
		{ "route_allsync{ children = { 'one', 'two' } }",
		    "allsync(one, two)" },
		{ "route_allfastest{ children = { 'one', 'two' }, miss = true,"
		    " wait = 0.5 }", "allfastest miss(one, two)" },
		{ "route_failover{ children = { 'one', 'two', 'three' } }",
		    "failover(one, two, three)" },
		{ "route_failover{ children = { 'one', 'two', 'three' },"
		    " failover_count = 2, miss = true, shuffle = true }",
		    "failover tries 2 miss shuffle(one, two, three)" },
		{ "route_failover{ children = 'set_z', local_zone = true }",
		    "failover(set_z_west, set_z_east)" },
		{ "route_failover{ children = 'set_z', local_zone = 'east' }",
		    "failover(set_z_east, set_z_west)" },
		{ "route_zfailover{ children = 'set_z', local_zone = 'east' }",
		    "zfailover(set_z_east, set_z_west)" },
		{ "route_zfailover{ children = 'set_z' }",
		    "zfailover(set_z_west, set_z_east)" },
		{ "route_zfailover{ children = 'set_z', miss = true, shuffle ="
		    " true, failover_count = 200 }",
		    "zfailover(set_z_west, set_z_east)" },
		{ "route_zfailover{ children = 'set_z', miss = false }",
		    "zfailover errors(set_z_west, set_z_east)" },
		{ "route_failover{ children = { 'one', 'two' },"
		    " failover_count = 200 }", "failover(one, two)" },
		{ "route_direct{ child = 'set_z_' .. local_zone() }",
		    "set_z_west" },
		{ "route_split{ child_a = 'one', child_b = route_allfastest{"
		    " children = { 'two', 'three' } } }",
		    "split(one, allfastest(two, three))" },
		{ "route_allsync{ children = { 'one', route_ttl{ ttl = 300,"
		    " child = 'two' } } }", "allsync(one, ttl 300(two))" },
		{ "route_allsync{ children = route_ttl{ ttl = 5,"
		    " child_wrap = 'set_z' } }",
		    "allsync(ttl 5(set_z_east), ttl 5(set_z_west))" },
		{ "route_allsync{ children = route_direct{ child_wrap ="
		    " route_direct{ child_wrap = 'set_z' } } }",
		    "allsync(set_z_east, set_z_west)" },
		{ "route_allsync{ children = { b = 'two', a = 'one' } }",
		    "allsync(one, two)" },
		{ "route_null{}", "null" },
		{ "route_null()", "null" },
		{ "route_random{ children = 'set_z' }",
		    "random(set_z_east, set_z_west)" },
		{ "route_ratelim{ child = 'one', limit = 10, fillrate = 2 }",
		    "ratelim 10(one)" },
		{ "route_direct{ child = 'set_z_east' }", "set_z_east" },
	};
	char text[2048];
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "local_zone('west')\n" POOLS3 SET
		    "routes{ map = { foo = %s } }", cases[i].route);
		c = must_load(text);
		assert_route(c, "", "get", "foo/a", cases[i].want);
		assert_route(c, "", "get", "/foo/a", "nowhere");
		conf_del(c);
	}
}

static void
test_routelib_lookup(void **state)
{
	struct conf *c;

	(void)state;
	c = must_load(POOLS3 "routes{ conf = { mode = 'anchor', start = '/',"
	    " stop = '/' }, map = { foo = cmdmap{ get = 'two', all = 'one' },"
	    " bar = cmdmap{ set = 'one' } }, cmap = { get = 'three' },"
	    " default = 'two' }\n"
	    "routes{ tag = 'b', default = 'three' }");
	assert_route(c, "", "get", "/foo/a", "two");
	assert_route(c, "", "mg", "/foo/a", "one");
	assert_route(c, "", "set", "/bar/a", "one");
	assert_route(c, "", "get", "/bar/a", "three");	/* cmap */
	assert_route(c, "", "delete", "/bar/a", "two");	/* default */
	assert_route(c, "", "get", "x", "three");
	assert_route(c, "b", "get", "/foo/a", "three");
	assert_null(conf_router(c, "c"));
	assert_true(conf_pool(c, "two")->backends[0]->options.is_down);
	assert_string_equal(conf_pool(c, "one")->backends[1]->label, "lab");
	assert_string_equal(conf_pool(c, "one")->backends[2]->label, "six");
	assert_string_equal(conf_pool(c, "one")->backends[2]->port, "11211");
	assert_int_equal(conf_pool(c, "one")->backends[2]->options.
	    connect_timeout_ns, 500000000);
	assert_null(conf_pool(c, "three")->backends[0]->port);
	conf_del(c);
}

static void
test_routelib_of_old_has_a_function_config(void **state)
{
	struct conf *c = must_load("local s = require('routelib')\n"
	    "function config()\n" POOLS3 "routes{ default = 'two' } end");

	(void)state;
	assert_route(c, "", "get", "a", "two");
	conf_del(c);
}

static void
test_one_try_is_no_failover(void **state)
{
	static const char text[] = POOLS3 "routes{ default =\n"
	    "route_failover{ children = { 'one', 'two' }, failover_count = 1 "
	    "} }";
	const struct load_options options = { .say = keep_said };
	char reason[LOAD_REASON_MAX];
	struct conf *c = load_text("c.lua", text, strlen(text), &options,
	    reason);

	(void)state;
	assert_non_null(c);
	assert_string_equal(said, "c.lua:5: route_failover: failover_count is "
	    "the number of tries, with 1 there is no failover");
	assert_route(c, "", "get", "a", "failover tries 1(one, two)");
	conf_del(c);
}

static void
test_routelib_settings(void **state)
{
	struct conf *c = must_load(
	    "settings{ backend_connect_timeout = 1.5, backend_read_timeout = 2,"
	    " backend_failure_limit = 7, active_req_limit = 100,"
	    " buffer_memory_limit = 10, tcp_keepalive = true,"
	    " pool_options = { filter = 'tags', filter_conf = '{}' } }\n"
	    "pools{ p = { options = { seed = 'x', dist = mcp.dist_ring_hash,"
	    " hash = mcp.dist_ring_hash.hash, omode = 'ketama',"
	    " obuckets = 40 }, backend_options = { readtimeout = 9,"
	    " log = { rate = 5 } }, backends = { 'a:1' } } }\n"
	    "routes{ default = route_failover{ children = 'p', stats = true,"
	    " stats_name = 'f' } }");
	const struct pool *p = conf_pool(c, "p");

	(void)state;
	assert_int_equal(c->request_limit, 100);
	assert_int_equal(c->memory_limit, 10240);
	assert_int_equal(p->backends[0]->options.failure_limit, 7);
	assert_int_equal(p->backends[0]->options.read_timeout_ns, 9000000000);
	assert_true(p->backends[0]->options.has_keepalive);
	assert_int_equal(p->placement.options.filter, PLACEMENT_TAGS);
	assert_int_equal(p->placement.options.mode, PLACEMENT_KETAMA);
	assert_int_equal(p->placement.options.hash, PLACEMENT_MD5);
	assert_int_equal(p->placement.n_points, 40);
	assert_string_equal(c->counters[0], "f_retries");
	conf_del(c);
}

#define CORE_POOLS \
	"function mcp_config_pools(old) mcp.backend_read_timeout(0.5)\n" \
	"local b1, b2 = mcp.backend('b1', '127.0.0.1', 11411), mcp.backend{ " \
	"label = 'b2', host = '::1', port = 11412, connections = 2 }\n" \
	"return { main = mcp.pool({ b1, b2 }, { seed = 'x' }), far = { " \
	"east = mcp.pool({ b2 }) } } end\n"

static void
test_the_core_api_makes_a_static_tree(void **state)
{
	struct conf *c;

	(void)state;
	c = must_load(CORE_POOLS "function mcp_config_routes(p)\n"
	    "mcp.attach(mcp.CMD_ANY_STORAGE, mcp.router_new{ mode = 'anchor',"
	    " start = '/', stop = '/', map = { foo = p.main, bar = {"
	    " [mcp.CMD_GET] = p.far.east, [mcp.CMD_ANY_STORAGE] = p.main } },"
	    " cmap = { [mcp.CMD_MG] = 'main' },"
	    " default = route_failover{ children = { p.main, 'far_east' } } })\n"
	    "mcp.attach(mcp.CMD_MG, p.main, 'b')\n"
	    "mcp.attach(mcp.CMD_MG, p.far.east, 'b')\n"
	    "mcp.attach(mcp.CMD_ANY_STORAGE, p.main, 'c') end");
	assert_route(c, "", "get", "/foo/a", "main");
	assert_route(c, "", "get", "/bar/a", "far_east");
	assert_route(c, "", "set", "/bar/a", "main");
	assert_route(c, "", "mg", "a", "main");
	assert_route(c, "", "get", "a", "failover(main, far_east)");
	assert_route(c, "b", "mg", "/foo/a", "far_east");
	assert_route(c, "b", "get", "/foo/a", "nowhere");
	assert_route(c, "c", "get", "/foo/a", "main");
	assert_int_equal(c->n_backends, 2);
	assert_string_equal(c->backends[0]->label, "b1");
	assert_int_equal(c->backends[0]->options.read_timeout_ns, 500000000);
	assert_int_equal(c->backends[1]->options.connections, 2);
	assert_string_equal(c->backends[1]->port, "11412");
	conf_del(c);
	c = must_load("function mcp_config_pools() return mcp.pool({ mcp."
	    "backend('a', 'h', 1) }) end function mcp_config_routes(p) mcp."
	    "attach(mcp.CMD_ANY_STORAGE, p) end");
	assert_route(c, "", "get", "a", "default");
	conf_del(c);
}

static void
test_the_pool_internal_is_a_memcached_beside_us(void **state)
{
	static const struct load_options options = { .internal = "unix:/i" };
	static const char text[] = POOLS3 "routes{ default = route_failover{ "
	    "children = { 'one', 'internal' } } }";
	char reason[LOAD_REASON_MAX];
	struct conf *c = load_text("c", text, strlen(text), &options, reason);

	(void)state;
	assert_non_null(c);
	assert_route(c, "", "get", "a", "failover(one, internal)");
	assert_string_equal(conf_pool(c, "internal")->backends[0]->host, "/i");
	conf_del(c);
}

#define BACKEND_OPTIONS \
	"expected one of down, tls, tcpkeepalive, connecttimeout, " \
	"readtimeout, retrywaittime, retrytimeout, failurelimit, depthlimit, " \
	"connections, flaptime, flapbackofframp, flapbackoffmax, log"

static void
test_errors_say_where_and_what(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "pool{", "c.lua:1: unexpected symbol near <eof>" },
		{ "\nerror('no')", "c.lua:2: no" },
		{ "", "c.lua: no pools, expected pool{} of lib/simple or "
		    "pools{} of routelib" },
		{ "\n\npool{ name = 'a', backends = { '127.0.0.1' } }",
		    "c.lua:3: 127.0.0.1 is an invalid backend, expected "
		    "HOST:PORT, [IPV6]:PORT or unix:PATH" },
		{ "pool{ name = 'a', backends = { 'h:65536' } }",
		    "c.lua:1: h:65536 is an invalid backend, expected "
		    "HOST:PORT, [IPV6]:PORT or unix:PATH" },
		{ "pool{ name = 'a', backends = {} }",
		    "c.lua:1: pool a: a pool needs at least one backend" },
		{ "pool{ name = 'a', bakends = {} }",
		    "c.lua:1: pool: unknown key bakends, expected one of name, "
		    "backends, zones, distributor, zone_distributors" },
		{ "pool{ backends = {} }", "c.lua:1: pool: name is missing" },
		{ "pool{ name = 7 }", "c.lua:1: name: expected a string, got "
		    "number" },
		{ "pool{ name = 'a', backends = { 7 } }",
		    "c.lua:1: backend 1 of pool a: expected a string or a "
		    "table, got number" },
		{ "pool{ name = 'a', backends = { 'a:1 x', 'b:1 x' } }",
		    "c.lua:1: label x is a:1 already and cannot be b:1, too" },
		{ "pool" BAR "\nrouter{ router_type = 'x' }",
		    "c.lua:2: unknown router type: x, expected keyprefix or "
		    "flat" },
		{ "pool" BAR "\nrouter{ router_type = 'flat' }",
		    "c.lua:2: router_type: flat requires pool with name "
		    "'default'" },
		{ "pool" BAR "\nrouter{ match_prefix = '%a' }",
		    "c.lua:2: match_prefix: pattern: exactly one capture is "
		    "needed" },
		{ "pool" BAR "\nrouter{ default_pool = 'x' }",
		    "c.lua:2: default_pool: no pool x" },
		{ "my_zone('z9') pool{ name = 'a', zones = { z1 = { 'a:1' } } }",
		    "c.lua:1: pool: a missing local zone: z9" },
		{ "require('socket')", "c.lua:1: module 'socket' is not built "
		    "in, expected lib/simple or routelib (others need "
		    "--unsafe-lua)" },
		{ "mcp.register_cron('x', {})", "c.lua:1: mcp.register_cron "
		    "needs Lua while requests are served, which is not done; "
		    "expected pools, mcp.router_new{} and routes such as "
		    "route_failover{}" },
		{ "function mcp_config_pools() end", "configuration: "
		    "mcp_config_routes is missing, expected a function that "
		    "calls mcp.attach" },
		{ CORE_POOLS "function mcp_config_routes(p) end",
		    "configuration: no routes, expected mcp.attach("
		    "mcp.CMD_ANY_STORAGE, …) in mcp_config_routes" },
		{ CORE_POOLS "function mcp_config_routes(p)\nmcp.attach(mcp."
		    "CMD_GET,\nfunction(r) return 'END\\r\\n' end)\nend",
		    "c.lua:5: the function at c.lua:6 cannot handle requests, "
		    "as no Lua runs while they are served; expected a pool, a "
		    "route such as route_failover{} or mcp.router_new{}" },
		{ CORE_POOLS "function mcp_config_routes(p)\nmcp.attach(mcp."
		    "CMD_GET, mcp.router_new{ map = { a = p.main } })\nend",
		    "c.lua:5: mcp.attach: a router takes all commands, "
		    "expected mcp.CMD_ANY_STORAGE" },
		{ CORE_POOLS "pool" BAR, "c.lua: pool{} of lib/simple, pools{} "
		    "of routelib and mcp_config_pools() cannot be mixed" },
		{ "register_route_handlers{ 'hello' }", "c.lua:1: "
		    "register_route_handlers: handlers written in Lua are not "
		    "supported, as no Lua runs while requests are served; "
		    "expected only the routes that are built in (see "
		    "mcproxy(1))" },
		{ "\nroutes{ default = route_hello{} }", "c.lua:2: route_hello "
		    "is not known, expected one of the routes that are built "
		    "in (see mcproxy(1)), as handlers written in Lua are not "
		    "supported" },
		{ "while true do end", "c.lua:1: the configuration runs for "
		    "too long" },
		{ "while true do pcall(function() while true do end end) end",
		    "c.lua:1: the configuration runs for too long" },
		{ "local t = {} for i = 1, 1e9 do t[i] = 'xxxxxxxxxx' .. i end",
		    "not enough memory" },
		{ POOLS3, "configuration: no routes, expected routes{ map = …, "
		    "default = … }" },
		{ POOLS3 "routes{ map = { a = 'x' } }", "c.lua:4: no pool x" },
		{ POOLS3 "routes{\nmap = {\na = route_direct{ child = 'x' } } }",
		    "c.lua:6: no pool x" },
		{ "pools{ p = { backends = { 'a:1' }, backend_options = {"
		    " readtimout = 1 } } } routes{ default = 'p' }",
		    "c.lua:1: backend_options: unknown key readtimout, "
		    BACKEND_OPTIONS },
		{ "settings{ backend_options = { read = 1 } }",
		    "c.lua:1: backend_options: unknown key read, "
		    BACKEND_OPTIONS },
		{ "\nfunction config()\nerror('no') end", "c.lua:3: no" },
		{ POOLS3 "routes{ default = route_direct{} }",
		    "c.lua:4: route_direct: child is missing" },
		{ POOLS3 "routes{ default = route_direct{ chld = 'x' } }",
		    "c.lua:4: route_direct: unknown key chld, expected one of "
		    "child, child_wrap" },
		{ POOLS3 "routes{ default = route_direct{ child = 'internal' } }",
		    "c.lua:4: pool internal: there is no cache in the proxy "
		    "itself, expected the address of one with --internal" },
		{ POOLS3 "routes{ default = 7 }", "c.lua:4: expected a pool's "
		    "name or a route, got number" },
		{ POOLS3 "routes{ map = { a = cmdmap{ got = 'one' } } }",
		    "c.lua:4: a: unknown command got" },
		{ POOLS3 "routes{ conf = { mode = 'anchor', start = '/' } }",
		    "c.lua:4: start and stop must be given together" },
		{ POOLS3 "routes{ conf = { stop = '123456' } }",
		    "c.lua:4: stop: expected 1 to 5 octets" },
		{ POOLS3 SET "routes{ default = route_zfailover{ children = "
		    "'set_z' } }", "c.lua:5: no child for the local zone "
		    "(local_zone is not set)" },
		{ "settings{ backend_read_timeout = -1 }",
		    "c.lua:1: backend_read_timeout: expected seconds from 0 to "
		    "86400" },
		{ "pool{ name = 'a', backends = { 'unix:/s' } } settings{ "
		    "backend_use_tls = true }", "c.lua:1: unix:/s: there is no "
		    "TLS on unix sockets" },
		{ "pools{ internal = { backends = { 'a:1' } } } routes{}",
		    "c.lua:1: pool internal: the name is reserved" },
		{ "pools{ p = { backends = { 'a:1' }, options = { filter = "
		    "'tags' } } } routes{}", "c.lua:1: pool p: filter_conf of "
		    "the tags filter must have 2 octets" },
		{ POOLS3 "pool" BAR, "c.lua: pool{} of lib/simple, pools{} of "
		    "routelib and mcp_config_pools() cannot be mixed" },
	};
	char reason[LOAD_REASON_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(load(cases[i].text, reason));
		if (strcmp(reason, cases[i].want) != 0)
			fail_msg("%s\ngives    %s\nexpected %s", cases[i].text,
			    reason, cases[i].want);
	}
}

static void
test_the_sandbox_has_no_way_out(void **state)
{
	static const char *const absent[] = { "io", "os.execute", "os.remove",
	    "os.exit", "os.tmpname", "os.rename", "dofile", "loadfile",
	    "debug.getinfo", "package.loadlib", "package.searchers",
	    "string.dump and load(string.dump(function() end))" };
	char text[256];
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		snprintf(text, sizeof(text), "debug = type(debug) == 'table' "
		    "and debug or {}\nif %s then error('there') end\npool" BAR,
		    absent[i]);
		conf_del(must_load(text));
	}
	c = must_load("pool{ name = os.getenv('WK_NO_SUCH') or 'bar', "
	    "backends = { 'a:' .. math.floor(7.0) } }");
	assert_route(c, "", "get", "/bar/a", "bar -5");
	conf_del(c);
}

static void
test_unknown_keys_pass_when_lax(void **state)
{
	static const struct load_options lax = { .is_lax = true };
	static const char text[] = "pool{ name = 'a', colour = 1, backends = {"
	    " 'a:1' } }";
	static const char missing[] = POOLS3 "routes{ map = { foo = "
	    "route_split{ child_a = 'gone', child_b = 'one' } } }";
	char reason[LOAD_REASON_MAX];
	struct conf *c = load_text("c", text, strlen(text), &lax, reason);

	(void)state;
	assert_non_null(c);
	conf_del(c);
	c = load_text("c", missing, strlen(missing), &lax, reason);
	assert_non_null(c);
	assert_route(c, "", "get", "foo/a", "split(nowhere, one)");
	conf_del(c);
}

static void
test_pools_of_the_command_line(void **state)
{
	static const char *const good[] = {
		"foo=127.0.0.1:11212,127.0.0.1:11213", "bar=[::1]:11214" };
	static const char *const bad[] = { "foo", "=a:1", "foo=a:1\",", "foo=" };
	char reason[LOAD_REASON_MAX];
	struct conf *c = load_pools(good, 2, reason);
	size_t i;

	(void)state;
	assert_non_null(c);
	assert_route(c, "", "get", "/foo/a", "foo -5");
	assert_route(c, "", "get", "/bar/a", "bar -5");
	assert_int_equal(conf_pool(c, "foo")->n_backends, 2);
	conf_del(c);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(load_pools(&bad[i], 1, reason));
}

static void
test_patterns_match_as_in_lua(void **state)
{
	static const struct {
		const char *pattern, *text, *want;
	} cases[] = {
		{ "/(%a+)/", "/foo/a", "foo 5" },
		{ "^/(%a+)/", "/foo/a", "foo 5" },
		{ "/(%a+)/", "/fo0/a", NULL },
		{ "/(%a+)/", "x/foo/a", NULL },
		{ "(%w*)", "", " 0" },
		{ "(.-):", "a:b:c", "a 2" },
		{ "(.*):", "a:b:c", "a:b 4" },
		{ "([^/]+)/?", "foo/", "foo 4" },
		{ "([^/]+)/?", "foo", "foo 3" },
		{ "([%a_-]+)%.", "a_b-c.d", "a_b-c 6" },
		{ "([a-cx]+)", "abcxd", "abcx 4" },
		{ "(%u%l+)$", "Foo", "Foo 3" },
		{ "(%u%l+)$", "Foo1", NULL },
		{ "(%D+)%d+", "ab12", "ab 4" },
		{ "a([]x]+)", "a]x]", "]x] 4" },
	};
	static const char *const bad[] = { "abc", "(a)(b)", "(a", "a)", "([a)",
	    "(a%", "(%b())", "(%f[a])", "((a))" };
	struct pattern p;
	struct wk_error error;
	size_t i, matched, len;
	const char *capture;
	char got[64];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(pattern_compile(&p, cases[i].pattern,
		    strlen(cases[i].pattern), &error), WK_OK);
		if (!pattern_match(&p, cases[i].text, strlen(cases[i].text),
		    &matched, &capture, &len)) {
			assert_null(cases[i].want);
			continue;
		}
		assert_non_null(cases[i].want);
		snprintf(got, sizeof(got), "%.*s %zu", (int)len, capture,
		    matched);
		assert_string_equal(got, cases[i].want);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pattern_compile(&p, bad[i], strlen(bad[i]),
		    &error), WK_E_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple_as_module_and_as_globals),
		cmocka_unit_test(test_simple_router),
		cmocka_unit_test(test_simple_zones),
		cmocka_unit_test(test_routelib_trees),
		cmocka_unit_test(test_routelib_lookup),
		cmocka_unit_test(test_routelib_of_old_has_a_function_config),
		cmocka_unit_test(test_one_try_is_no_failover),
		cmocka_unit_test(test_routelib_settings),
		cmocka_unit_test(test_the_core_api_makes_a_static_tree),
		cmocka_unit_test(test_the_pool_internal_is_a_memcached_beside_us),
		cmocka_unit_test(test_errors_say_where_and_what),
		cmocka_unit_test(test_the_sandbox_has_no_way_out),
		cmocka_unit_test(test_unknown_keys_pass_when_lax),
		cmocka_unit_test(test_pools_of_the_command_line),
		cmocka_unit_test(test_patterns_match_as_in_lua),
	};

	return cmocka_run_group_tests_name("mcproxy config", tests, NULL,
	    NULL);
}
