# SPDX-License-Identifier: MIT
# Everything but main.c and options.c is a library, so that tests reach it.
if BUILD_MCPROXY
noinst_LIBRARIES += libmcproxy.a
bin_PROGRAMS += mcproxy
dist_man_MANS += man/mcproxy.1
dist_bashcompletion_DATA += completions/bash/mcproxy
dist_zshcompletion_DATA += completions/zsh/_mcproxy
dist_fishcompletion_DATA += completions/fish/mcproxy.fish
BATS_TESTS += tests/cli/mcproxy.bats tests/net/mcproxy.bats
endif
EXTRA_LIBRARIES += libmcproxy.a
EXTRA_DIST += cmd/mcproxy/demo.sh
libmcproxy_a_SOURCES = \
	cmd/mcproxy/backend.c \
	cmd/mcproxy/block.c cmd/mcproxy/block.h \
	cmd/mcproxy/client.c \
	cmd/mcproxy/command.c \
	cmd/mcproxy/conf.c cmd/mcproxy/conf.h \
	cmd/mcproxy/engine.h \
	cmd/mcproxy/explain.c cmd/mcproxy/explain.h \
	cmd/mcproxy/handler.c \
	cmd/mcproxy/load.c cmd/mcproxy/load.h \
	cmd/mcproxy/load_core.c \
	cmd/mcproxy/load_lua.h \
	cmd/mcproxy/load_pool.c \
	cmd/mcproxy/load_route.c cmd/mcproxy/load_route.h \
	cmd/mcproxy/load_routelib.c \
	cmd/mcproxy/load_simple.c \
	cmd/mcproxy/load_table.c \
	cmd/mcproxy/local.c \
	cmd/mcproxy/md5.c cmd/mcproxy/md5.h \
	cmd/mcproxy/metrics.c \
	cmd/mcproxy/pattern.c cmd/mcproxy/pattern.h \
	cmd/mcproxy/placement.c cmd/mcproxy/placement.h \
	cmd/mcproxy/proxy.c \
	cmd/mcproxy/request.c cmd/mcproxy/request.h \
	cmd/mcproxy/response.c cmd/mcproxy/response.h \
	cmd/mcproxy/server.c \
	cmd/mcproxy/server_read.c cmd/mcproxy/server_read.h \
	cmd/mcproxy/stats.c \
	cmd/mcproxy/worker.c
libmcproxy_a_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(XXHASH_CFLAGS)
mcproxy_SOURCES = \
	cmd/mcproxy/main.c \
	cmd/mcproxy/options.c cmd/mcproxy/options.h
mcproxy_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(XXHASH_CFLAGS)
mcproxy_libs = libmcproxy.a libwirekit.a $(LUA_LIBS) $(XXHASH_LIBS) -lm -lpthread
mcproxy_LDADD = $(mcproxy_libs)
