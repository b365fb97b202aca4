#!/bin/sh
# SPDX-License-Identifier: MIT
# Each fuzz target over its corpus: one TAP line per target.
set -u

n=0
for target in $WK_FUZZ_TARGETS; do
  n=$((n + 1))
  room=${target#fuzz_}
  corpus=$WK_SOURCE/tests/fuzz/corpus/$room
  if ! [ -d "$corpus" ] || [ -z "$(ls -A "$corpus")" ]; then
    echo "not ok $n - $target has no corpus"
  elif out=$("$WK_BUILD/$target" "$corpus"/* 2>&1); then
    echo "ok $n - $target over $(find "$corpus" -type f | wc -l) inputs"
  else
    echo "not ok $n - $target"
    printf '%s\n' "$out" | sed 's/^/# /'
  fi
done
echo "1..$n"
