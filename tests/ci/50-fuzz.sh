#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each fuzz target for a short while, starting from its corpus.
. "$(dirname "$0")/ci.bash"

seconds=${WK_FUZZ_SECONDS:-20}
fact "fuzz: configure" configured "$work/fuzz" CC=clang --enable-fuzzing CFLAGS='-g -O1' || exit 0
for source in "$top"/tests/fuzz/fuzz_*.c; do
  target=$(basename "$source" .c)
  mkdir "$work/new-$target"
  # shellcheck disable=SC2016
  fact "fuzz: $target for $seconds s" bash -c '
    make -s -C "$1" "$2" &&
    cd "$1" && "./$2" -max_total_time="$3" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
      "$4" "$5"' - "$work/fuzz" "$target" "$seconds" \
    "$work/new-$target" "$top/tests/fuzz/corpus/${target#fuzz_}"
done
