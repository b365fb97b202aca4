# SPDX-License-Identifier: MIT
# Everything but main.c is a library, so that tests can reach the parts.
if BUILD_MCPROXY
noinst_LIBRARIES += libmcproxy.a
endif
EXTRA_LIBRARIES += libmcproxy.a
libmcproxy_a_SOURCES = \
	cmd/mcproxy/conf.c cmd/mcproxy/conf.h \
	cmd/mcproxy/explain.c cmd/mcproxy/explain.h \
	cmd/mcproxy/load.c cmd/mcproxy/load.h \
	cmd/mcproxy/load_lua.h \
	cmd/mcproxy/load_pool.c \
	cmd/mcproxy/load_route.c cmd/mcproxy/load_route.h \
	cmd/mcproxy/load_routelib.c \
	cmd/mcproxy/load_simple.c \
	cmd/mcproxy/load_table.c \
	cmd/mcproxy/md5.c cmd/mcproxy/md5.h \
	cmd/mcproxy/pattern.c cmd/mcproxy/pattern.h \
	cmd/mcproxy/placement.c cmd/mcproxy/placement.h \
	cmd/mcproxy/request.c cmd/mcproxy/request.h \
	cmd/mcproxy/response.c cmd/mcproxy/response.h
libmcproxy_a_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(XXHASH_CFLAGS)
mcproxy_libs = libmcproxy.a libwirekit.a $(LUA_LIBS) $(XXHASH_LIBS) -lm -lpthread
