# SPDX-License-Identifier: MIT
if BUILD_RSTDIAG
bin_PROGRAMS += rstdiag-send
dist_man_MANS += man/rstdiag-send.1
dist_bashcompletion_DATA += completions/bash/rstdiag-send
dist_zshcompletion_DATA += completions/zsh/_rstdiag-send
dist_fishcompletion_DATA += completions/fish/rstdiag-send.fish
BATS_TESTS += tests/cli/rstdiag-send.bats tests/net/rstdiag-send.bats
endif
rstdiag_send_SOURCES = \
	cmd/rstdiag-send/main.c \
	cmd/rstdiag-send/answer.c cmd/rstdiag-send/answer.h \
	cmd/rstdiag-send/connections.c cmd/rstdiag-send/connections.h \
	cmd/rstdiag-send/craft.c cmd/rstdiag-send/craft.h \
	cmd/rstdiag-send/endpoint.c cmd/rstdiag-send/endpoint.h \
	cmd/rstdiag-send/inject.c cmd/rstdiag-send/inject.h \
	cmd/rstdiag-send/numbers.c cmd/rstdiag-send/numbers.h \
	cmd/rstdiag-send/options.c cmd/rstdiag-send/options.h \
	cmd/rstdiag-send/output.c cmd/rstdiag-send/output.h \
	cmd/rstdiag-send/payload.c cmd/rstdiag-send/payload.h \
	cmd/rstdiag-send/reset.c cmd/rstdiag-send/reset.h \
	cmd/rstdiag-send/rules.c cmd/rstdiag-send/rules.h \
	cmd/rstdiag-send/ruleset.c cmd/rstdiag-send/ruleset.h \
	cmd/rstdiag-send/tally.c cmd/rstdiag-send/tally.h \
	cmd/rstdiag-send/target.c cmd/rstdiag-send/target.h \
	cmd/rstdiag-send/watch.c cmd/rstdiag-send/watch.h
rstdiag_send_CFLAGS = $(AM_CFLAGS) $(CBOR_CFLAGS) $(JANSSON_CFLAGS) $(PCAP_CFLAGS)
rstdiag_send_LDADD = libwirekit.a $(CBOR_LIBS) $(JANSSON_LIBS) $(PCAP_LIBS)
EXTRA_DIST += tests/net/namespaces.bash
EXTRA_DIST += cmd/rstdiag-send/demo.sh
