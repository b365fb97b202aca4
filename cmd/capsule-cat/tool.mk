# SPDX-License-Identifier: MIT
if BUILD_CAPSULE
bin_PROGRAMS += capsule-cat
dist_man_MANS += man/capsule-cat.1
dist_bashcompletion_DATA += completions/bash/capsule-cat
dist_zshcompletion_DATA += completions/zsh/_capsule-cat
dist_fishcompletion_DATA += completions/fish/capsule-cat.fish
LONG_BATS_TESTS += tests/net/capsule-cat-hostile.bats
BATS_TESTS += tests/cli/capsule-cat.bats tests/cli/capsule-cat-tunnel.bats \
	tests/net/capsule-cat-peers.bats tests/net/capsule-cat-proxy.bats
endif
# All but main.c, for tests that look inside.
capsule_cat_parts = \
	cmd/capsule-cat/decode.c cmd/capsule-cat/decode.h \
	cmd/capsule-cat/decoder.c cmd/capsule-cat/decoder.h \
	cmd/capsule-cat/encode.c cmd/capsule-cat/encode.h \
	cmd/capsule-cat/encoder.c cmd/capsule-cat/encoder.h \
	cmd/capsule-cat/filter.c cmd/capsule-cat/filter.h \
	cmd/capsule-cat/input.c cmd/capsule-cat/input.h \
	cmd/capsule-cat/interactive.c cmd/capsule-cat/interactive.h \
	cmd/capsule-cat/list.c cmd/capsule-cat/list.h \
	cmd/capsule-cat/listen.c cmd/capsule-cat/listen.h \
	cmd/capsule-cat/options.c cmd/capsule-cat/options.h \
	cmd/capsule-cat/payload.c cmd/capsule-cat/payload.h \
	cmd/capsule-cat/record.c cmd/capsule-cat/record.h \
	cmd/capsule-cat/show.c cmd/capsule-cat/show.h \
	cmd/capsule-cat/show_json.c \
	cmd/capsule-cat/trickle.c cmd/capsule-cat/trickle.h \
	cmd/capsule-cat/tunnel.c cmd/capsule-cat/tunnel.h \
	cmd/capsule-cat/typed.c cmd/capsule-cat/typed.h \
	cmd/capsule-cat/value.c cmd/capsule-cat/value.h \
	cmd/capsule-cat/visits.c cmd/capsule-cat/visits.h
capsule_cat_SOURCES = cmd/capsule-cat/main.c $(capsule_cat_parts)
capsule_cat_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(READLINE_CFLAGS)
capsule_cat_LDADD = libwirekit.a $(JANSSON_LIBS) $(HTTP_LIBS) $(READLINE_LIBS)
EXTRA_DIST += cmd/capsule-cat/demo.sh
