# SPDX-License-Identifier: MIT
# Every target is fuzz_<room>.c. With --enable-fuzzing it links libFuzzer;
# otherwise replay.c runs it over corpus/<room>/, so that `make check` keeps
# every input that ever mattered working.

if FUZZING
fuzz_link = -fsanitize=fuzzer
fuzz_main =
else
fuzz_link =
fuzz_main = tests/fuzz/replay.c
endif
fuzz_ldflags = $(AM_LDFLAGS) $(fuzz_link)

FUZZ_TARGETS += fuzz_segment
fuzz_segment_SOURCES = tests/fuzz/fuzz_segment.c $(fuzz_main)
fuzz_segment_LDFLAGS = $(fuzz_ldflags)
fuzz_segment_LDADD = libwirekit.a

if BUILD_RSTDIAG
FUZZ_TARGETS += fuzz_rstdiag
fuzz_rstdiag_SOURCES = tests/fuzz/fuzz_rstdiag.c $(fuzz_main)
fuzz_rstdiag_LDFLAGS = $(fuzz_ldflags)
fuzz_rstdiag_LDADD = libwirekit.a $(CBOR_LIBS) $(JANSSON_LIBS)
endif

if BUILD_MCPROXY
FUZZ_TARGETS += fuzz_mcproxy_request
fuzz_mcproxy_request_SOURCES = tests/fuzz/fuzz_mcproxy_request.c $(fuzz_main)
fuzz_mcproxy_request_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_request_LDADD = $(mcproxy_libs)

FUZZ_TARGETS += fuzz_mcproxy_config
fuzz_mcproxy_config_SOURCES = tests/fuzz/fuzz_mcproxy_config.c $(fuzz_main)
fuzz_mcproxy_config_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_config_LDADD = $(mcproxy_libs)

FUZZ_TARGETS += fuzz_mcproxy_response
fuzz_mcproxy_response_SOURCES = tests/fuzz/fuzz_mcproxy_response.c $(fuzz_main)
fuzz_mcproxy_response_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_response_LDADD = $(mcproxy_libs)
endif

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/replay.c tests/fuzz/corpus
AM_TESTS_ENVIRONMENT += WK_FUZZ_TARGETS='$(FUZZ_TARGETS)'; export WK_FUZZ_TARGETS;
