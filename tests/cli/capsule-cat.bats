#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  data=$WK_SOURCE/tests/data/capsule
}

# Hexadecimal words to octets.
octets() {
  # shellcheck disable=SC2059 # the octets are the format
  printf "$(printf '%s' "$@" | sed 's/../\\x&/g')"
}

# The octets of named vectors.
vectors() {
  local name
  for name in "$@"; do
    octets "$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$data/vectors.tsv")"
  done
}

@test "each vector is shown with its type and its fields" {
  local name in type fields
  while IFS=$'\t' read -r name in type fields; do
    octets "$in" >one.bin
    run -0 --separate-stderr capsule-cat -v --no-context one.bin
    [ "${#lines[@]}" -eq 1 ]
    [ "$type" = - ] || [[ "$output" == *" $type "* ]]
    # Everything behind the header.
    got=$(sed -E 's/^offset 0 type 0x[0-9a-f]+( [A-Z0-9_]+)?( \([a-z][^)]*\))? length [0-9]+( \((type|length) on [0-9] octets\))* ?//' <<<"$output")
    [ "$got" = "$fields" ] || { echo "$name: $output"; return 1; }
  done <"$data/vectors.tsv"
}

@test "exit code 5 where the stream ends inside a capsule, 0 between two" {
  run -0 --separate-stderr capsule-cat </dev/null
  [ -z "$output$stderr" ]
  for in in 00 0006 00060068 4000 80; do
    octets "$in" >cut.bin
    run -5 --separate-stderr capsule-cat cut.bin
    [[ "$stderr" == "capsule-cat: cut.bin: byte $((${#in} / 2)): stream ends inside a capsule "* ]]
  done
}
