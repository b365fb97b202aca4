# SPDX-License-Identifier: MIT
if BUILD_H3DGRAM
bin_PROGRAMS += h3dgram
dist_man_MANS += man/h3dgram.1
dist_bashcompletion_DATA += completions/bash/h3dgram
dist_zshcompletion_DATA += completions/zsh/_h3dgram
dist_fishcompletion_DATA += completions/fish/h3dgram.fish
LONG_BATS_TESTS += tests/cli/h3dgram.bats tests/net/h3-hostile.bats \
	tests/net/h3-link.bats tests/net/h3dgram-proxy.bats
BATS_TESTS += tests/net/h3-peers.bats tests/net/h3-proxy.bats
endif
# All but main.c, for tests that look inside.
h3dgram_parts = \
	cmd/h3dgram/blast.c cmd/h3dgram/blast.h \
	cmd/h3dgram/blaster.c cmd/h3dgram/blaster.h \
	cmd/h3dgram/child.c cmd/h3dgram/child.h \
	cmd/h3dgram/conflict.c \
	cmd/h3dgram/datagrams.c cmd/h3dgram/datagrams.h \
	cmd/h3dgram/forward.c cmd/h3dgram/forward.h \
	cmd/h3dgram/histogram.c cmd/h3dgram/histogram.h \
	cmd/h3dgram/interactive.c cmd/h3dgram/interactive.h \
	cmd/h3dgram/options.c cmd/h3dgram/options.h \
	cmd/h3dgram/ping.c cmd/h3dgram/ping.h \
	cmd/h3dgram/probe.c cmd/h3dgram/probe.h \
	cmd/h3dgram/serve.c cmd/h3dgram/serve.h \
	cmd/h3dgram/talk.c cmd/h3dgram/talk.h \
	cmd/h3dgram/users.c cmd/h3dgram/users.h \
	cmd/h3dgram/window.c cmd/h3dgram/window.h
h3dgram_SOURCES = cmd/h3dgram/main.c $(h3dgram_parts)
h3dgram_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(NGHTTP3_CFLAGS) \
	$(NGTCP2_CFLAGS) $(READLINE_CFLAGS)
h3dgram_LDADD = libwirekit.a $(JANSSON_LIBS) $(HTTP_LIBS) $(READLINE_LIBS) -lm
EXTRA_DIST += cmd/h3dgram/demo.sh tests/net/h3.bash tests/net/h3-pairings.bats
