# SPDX-License-Identifier: MIT
# Everything but main.c and options.c is a library, so that tests reach it.
if BUILD_MCPROXY
noinst_LIBRARIES += libmcproxy.a
bin_PROGRAMS += mcproxy
dist_man_MANS += man/mcproxy.1
dist_bashcompletion_DATA += completions/bash/mcproxy
dist_zshcompletion_DATA += completions/zsh/_mcproxy
dist_fishcompletion_DATA += completions/fish/mcproxy.fish
BATS_TESTS += tests/cli/mcproxy.bats tests/net/mcproxy.bats \
	tests/net/mcproxy-look.bats tests/net/mcproxy-console.bats \
	tests/net/mcproxy-load.bats tests/net/mcproxy-engine.bats
endif
EXTRA_LIBRARIES += libmcproxy.a
EXTRA_DIST += cmd/mcproxy/demo.sh tests/net/mcproxy.bash
# From the ground up: a part calls only parts above it in this list (a test
# looks at the objects).
libmcproxy_a_SOURCES = \
	cmd/mcproxy/escape.c cmd/mcproxy/escape.h \
	cmd/mcproxy/md5.c cmd/mcproxy/md5.h \
	cmd/mcproxy/block.c cmd/mcproxy/block.h \
	cmd/mcproxy/channel.c cmd/mcproxy/channel.h \
	cmd/mcproxy/request_line.c cmd/mcproxy/request_parts.h \
	cmd/mcproxy/request.c cmd/mcproxy/request.h \
	cmd/mcproxy/response.c cmd/mcproxy/response.h \
	cmd/mcproxy/placement.c cmd/mcproxy/placement.h \
	cmd/mcproxy/pattern.c cmd/mcproxy/pattern.h \
	cmd/mcproxy/conf.c cmd/mcproxy/conf.h \
	cmd/mcproxy/load_table.c cmd/mcproxy/load_lua.h \
	cmd/mcproxy/load_pool.c \
	cmd/mcproxy/load_route.c cmd/mcproxy/load_route.h \
	cmd/mcproxy/load_routelib.c \
	cmd/mcproxy/load_simple.c \
	cmd/mcproxy/load_core.c \
	cmd/mcproxy/load.c cmd/mcproxy/load.h \
	cmd/mcproxy/explain.c cmd/mcproxy/explain.h \
	cmd/mcproxy/escape.c cmd/mcproxy/escape.h \
	cmd/mcproxy/engine.h \
	cmd/mcproxy/listen.c \
	cmd/mcproxy/secure.c \
	cmd/mcproxy/backend.c \
	cmd/mcproxy/tally.c cmd/mcproxy/tally.h \
	cmd/mcproxy/watch.c cmd/mcproxy/watch.h \
	cmd/mcproxy/flow.c \
	cmd/mcproxy/watcher.c cmd/mcproxy/watcher.h \
	cmd/mcproxy/command.c \
	cmd/mcproxy/stats.c cmd/mcproxy/stats.h \
	cmd/mcproxy/prometheus.c \
	cmd/mcproxy/report.c cmd/mcproxy/report.h \
	cmd/mcproxy/server.c cmd/mcproxy/server_read.h \
	cmd/mcproxy/server_read.c \
	cmd/mcproxy/bucket.c \
	cmd/mcproxy/handler.c \
	cmd/mcproxy/admin.c cmd/mcproxy/admin.h \
	cmd/mcproxy/local.c \
	cmd/mcproxy/client.c \
	cmd/mcproxy/worker.c \
	cmd/mcproxy/metrics.c \
	cmd/mcproxy/proxy.c
libmcproxy_a_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(XXHASH_CFLAGS)
mcproxy_SOURCES = \
	cmd/mcproxy/main.c \
	cmd/mcproxy/options.c cmd/mcproxy/options.h \
	cmd/mcproxy/console.h \
	cmd/mcproxy/link.c cmd/mcproxy/link.h \
	cmd/mcproxy/sample.c cmd/mcproxy/sample.h \
	cmd/mcproxy/top.c cmd/mcproxy/top.h
if HAVE_READLINE
mcproxy_SOURCES += cmd/mcproxy/console.c
endif
EXTRA_DIST += cmd/mcproxy/console.c
mcproxy_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(XXHASH_CFLAGS)
mcproxy_libs = libmcproxy.a libwirekit.a $(LUA_LIBS) $(XXHASH_LIBS) $(GNUTLS_LIBS) -lm \
	-lpthread
mcproxy_LDADD = $(mcproxy_libs) $(READLINE_LIBS)
