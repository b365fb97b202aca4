#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each fuzz target for a short while, starting from its corpus; as many at a
# time as there are cores.
. "$(dirname "$0")/ci.bash"

seconds=${WK_FUZZ_SECONDS:-5}
mapfile -t targets < <(cd "$top/tests/fuzz" && printf '%s\n' fuzz_*.c | sed 's/\.c$//')

fuzzed() { # TARGET: one TAP line, and what it said if it failed
  local out=$work/$1.out
  mkdir "$work/new-$1"
  if (cd "$work/fuzz" && "./$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 "$work/new-$1" "$top/tests/fuzz/corpus/${1#fuzz_}") >"$out" 2>&1; then
    echo "ok - fuzz: $1 for $seconds s"
  else
    echo "not ok - fuzz: $1 for $seconds s"
    tail -n 60 "$out" | sed 's/^/# /'
  fi
}
export -f fuzzed
export work seconds

fact "fuzz: configure" configured "$work/fuzz" CC=clang --enable-fuzzing CFLAGS='-g -O1' &&
  fact "fuzz: build" made "$work/fuzz" "${targets[@]}" || exit 0
printf '%s\n' "${targets[@]}" | xargs -P "$cores" -I{} bash -c 'fuzzed {}'
