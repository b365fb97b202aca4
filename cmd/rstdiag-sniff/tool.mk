# SPDX-License-Identifier: MIT
if BUILD_RSTDIAG
bin_PROGRAMS += rstdiag-sniff
dist_man_MANS += man/rstdiag-sniff.1
dist_bashcompletion_DATA += completions/bash/rstdiag-sniff
dist_zshcompletion_DATA += completions/zsh/_rstdiag-sniff
dist_fishcompletion_DATA += completions/fish/rstdiag-sniff.fish
BATS_TESTS += tests/cli/rstdiag-sniff.bats tests/net/rstdiag-sniff.bats
endif
rstdiag_sniff_SOURCES = \
	cmd/rstdiag-sniff/main.c \
	cmd/rstdiag-sniff/counters.c cmd/rstdiag-sniff/counters.h \
	cmd/rstdiag-sniff/options.c cmd/rstdiag-sniff/options.h \
	cmd/rstdiag-sniff/suspicious.c cmd/rstdiag-sniff/suspicious.h
rstdiag_sniff_CFLAGS = $(AM_CFLAGS) $(CBOR_CFLAGS) $(JANSSON_CFLAGS) $(PCAP_CFLAGS)
rstdiag_sniff_LDADD = libwirekit.a $(CBOR_LIBS) $(JANSSON_LIBS) $(PCAP_LIBS)
EXTRA_DIST += cmd/rstdiag-sniff/demo.sh
