#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# capsule-cat taking payloads out of capsules in a pipe, against cat in the same
# pipe, in one run; then what text, JSON and encoding cost. Prints medians and
# ratios.
#
# Usage: tests/bench/capsule-cat.sh [large] [small] [rounds]    (from anywhere)
#   large   capsules of 16 KiB; the default is 262144, which is 4 GiB
#   small   capsules of 32 octets; the default is 20000000
set -eu

large=${1:-262144}
small=${2:-20000000}
rounds=${3:-5}
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}

command -v /usr/bin/time >/dev/null || { echo "needs /usr/bin/time" >&2; exit 4; }
make -s -C "$build" generate-capsules
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Through the pipe twice, so that reading and writing are the same for all.
measure() { # name capsules octets command...
  local name=$1 capsules=$2 octets=$3
  shift 3
  "$build/generate-capsules" "$capsules" "$octets" |
    /usr/bin/time -a -o "$work/$name" -f '%e %U %S %M' "$@" | cat >/dev/null
}

names='large.cat large.payload small.cat small.payload small.text small.json small.u16 small.encode'
some=$((small / 10 + 1))
for ((round = 0; round <= rounds; round++)); do
  # The context id is one octet of each value.
  measure large.cat "$large" 16383 cat
  measure large.payload "$large" 16383 "$build/capsule-cat" --payload
  measure small.cat "$small" 31 cat
  measure small.payload "$small" 31 "$build/capsule-cat" --payload
  measure small.u16 "$small" 31 "$build/capsule-cat" --payload --framing u16
  measure small.text "$some" 31 "$build/capsule-cat"
  measure small.json "$some" 31 "$build/capsule-cat" --json
  yes "$(printf 'x%.0s' {1..31})" | head -n "$some" |
    /usr/bin/time -a -o "$work/small.encode" -f '%e %U %S %M' "$build/capsule-cat" -e | cat >/dev/null
  # The first round warms up and does not count.
  # shellcheck disable=SC2086 # a list of names
  [ "$round" -gt 0 ] || (cd "$work" && rm -f $names)
done

# What comes out is what went in.
"$build/generate-capsules" 1000 16383 | "$build/capsule-cat" --payload | cmp - <(
  head -c 16383000 /dev/zero | tr '\0' x)

printf '%-14s %8s %8s %10s %14s\n' '' 'wall s' 'cpu s' 'peak KiB' 'capsules/s'
for name in $names; do
  awk '{ print $1, $2 + $3, $4 }' "$work/$name" >"$work/rows"
  for column in 1 2 3; do
    cut -d ' ' -f "$column" "$work/rows" | sort -n |
      awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
  done | paste -s -d ' ' >"$work/median.$name"
  case $name in
    large.*) count=$large ;;
    small.text | small.json | small.encode) count=$some ;;
    *) count=$small ;;
  esac
  read -r wall cpu peak <"$work/median.$name"
  printf '%-14s %8.2f %8.2f %10d %14.0f\n' "$name" "$wall" "$cpu" "$peak" \
    "$(awk -v n="$count" -v s="$wall" 'BEGIN { print n / (s > 0 ? s : 0.01) }')"
done
for size in large small; do
  paste -d ' ' "$work/median.$size.payload" "$work/median.$size.cat" | awk -v size="$size" '
    { printf "payload / cat, %s: wall %.2f, cpu %.2f, memory %.2f\n", size,
      $1 / ($4 > 0 ? $4 : 0.01), $2 / ($5 > 0 ? $5 : 0.01), $3 / $6 }'
done
