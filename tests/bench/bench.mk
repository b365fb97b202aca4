# SPDX-License-Identifier: MIT
# What the benchmark scripts build for themselves.

EXTRA_PROGRAMS += generate-capture
generate_capture_SOURCES = tests/bench/generate-capture.c
generate_capture_LDADD = libwirekit.a
CLEANFILES += generate-capture
EXTRA_DIST += tests/bench/rstdiag-send.sh tests/bench/rstdiag-sniff.sh

EXTRA_PROGRAMS += memcached-bench
memcached_bench_SOURCES = tests/bench/memcached-bench.c
memcached_bench_LDADD = libwirekit.a
CLEANFILES += memcached-bench
EXTRA_DIST += tests/bench/mcproxy.sh tests/peers/memcached-differential.py tests/peers/memcached-load.py

EXTRA_PROGRAMS += generate-capsules
generate_capsules_SOURCES = tests/bench/generate-capsules.c
generate_capsules_LDADD = libwirekit.a
CLEANFILES += generate-capsules
EXTRA_DIST += tests/bench/capsule-cat.sh tests/bench/capsule-cat-tunnel.sh

EXTRA_DIST += tests/bench/h3dgram.sh

EXTRA_DIST += tests/bench/http3.sh
