# SPDX-License-Identifier: MIT
# What the benchmark scripts build for themselves.

EXTRA_PROGRAMS += generate-capture
generate_capture_SOURCES = tests/bench/generate-capture.c
generate_capture_LDADD = libwirekit.a
CLEANFILES += generate-capture
EXTRA_DIST += tests/bench/rstdiag-send.sh tests/bench/rstdiag-sniff.sh
