#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What can be said about the sources without running them.
. "$(dirname "$0")/ci.bash"

cd "$top" || exit 1
mapfile -t scripts < <(git ls-files | xargs grep -lE '^#!.*(/sh|[ /]bash)$')
mapfile -t sources < <(git ls-files 'cmd/*.c' 'common/*.c')
flags=(-I. -Ibuild -DHAVE_CONFIG_H)

scripts_are_clean() {
  # SC2016: single quotes are meant to keep $ from this shell; SC2154: the
  # variables come from ci.bash.
  shellcheck -x -P SCRIPTDIR -e SC2016,SC2154 "${scripts[@]}" tests/cli/*.bash tests/net/*.bash \
    tests/ci/*.bash
}

completions_are_clean() {
  shellcheck -s bash -e SC2034 completions/bash/*
}

cppcheck_is_quiet() {
  cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr -j "$cores" \
    --enable=warning,portability,performance "${flags[@]}" \
    --suppress=missingIncludeSystem "${sources[@]}"
}

tidy_is_quiet() {
  printf '%s\n' "${sources[@]}" | xargs -P "$cores" -n 4 sh -c '
    exec clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=gnu11 -I. -Ibuild' sh
}

manuals_are_clean() {
  local out
  out=$(mandoc -T lint -W warning man/*) || true
  printf '%s\n' "$out"
  [ -z "$out" ]
}

every_file_has_a_licence() {
  local missing
  missing=$(git ls-files '*.c' '*.h' '*.sh' '*.bash' '*.bats' '*.py' '*.mk' 'man/*' 'completions/*' \
    bootstrap .ci/run configure.ac Makefile.am |
    while read -r file; do
      head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
    done)
  printf '%s\n' "$missing"
  [ -z "$missing" ]
}

fact "lint: shellcheck" scripts_are_clean
fact "lint: shellcheck of completions" completions_are_clean
fact "lint: cppcheck" cppcheck_is_quiet
fact "lint: clang-tidy" tidy_is_quiet
fact "lint: manuals" manuals_are_clean
fact "lint: licence lines" every_file_has_a_licence
