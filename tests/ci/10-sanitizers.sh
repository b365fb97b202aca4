#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One build by clang for what it is needed for: no warnings, the tests under
# AddressSanitizer and UndefinedBehaviorSanitizer, and every fuzz target for a
# short while, as many at a time as there are processors.
. "$(dirname "$0")/ci.bash"

seconds=${WK_FUZZ_SECONDS:-3}
mapfile -t targets < <(cd "$top/tests/fuzz" && printf '%s\n' fuzz_*.c | sed 's/\.c$//')

# What decodes, and what differs on this Debian: its ngtcp2, its memcached, and
# the peers. All other tests run under the sanitizers of Debian 13.
under_sanitizers() {
  WK_SLOW_TOOLS=yes tested "$work/asan" TESTS="tests/net/h3-hostile.bats \
    tests/cli/h3dgram.bats \$(UNIT_TESTS) tests/fuzz/replay.sh \
    tests/net/capsule-cat-peers.bats tests/net/h3-peers.bats tests/net/h3-proxy.bats \
    tests/net/mcproxy.bats tests/net/quic-ends.bats"
}

fuzzed() { # TARGET: one TAP line, and what it said if it failed
  local out=$work/$1.out
  mkdir "$work/new-$1"
  if (cd "$work/asan" && "./$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 "$work/new-$1" "$top/tests/fuzz/corpus/${1#fuzz_}") >"$out" 2>&1; then
    echo "ok - fuzz: $1 for $seconds s"
  else
    echo "not ok - fuzz: $1 for $seconds s"
    tail -n 60 "$out" | sed 's/^/# /'
  fi
}
export -f fuzzed
export work seconds

chmod 755 "$work"
fact "clang, sanitizers, fuzzing: configure" configured "$work/asan" CC=clang --enable-fuzzing CFLAGS='-g -O1' &&
  fact "clang, sanitizers, fuzzing: no warnings" made "$work/asan" all || exit 0
fact "sanitizers: tests" under_sanitizers
fact "fuzz: build" made "$work/asan" "${targets[@]}" || exit 0
printf '%s\n' "${targets[@]}" | xargs -P "$cores" -I{} bash -c 'fuzzed {}'
