#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rstdiag-sniff reading a generated capture, against tcpdump printing the same
# packets and against tshark, in one run. Prints medians and ratios.
#
# Usage: tests/bench/rstdiag-sniff.sh [packets] [rounds]    (from anywhere)
set -eu

packets=${1:-5000000}
rounds=${2:-5}
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}
filter='(tcp[tcpflags] & tcp-rst != 0) or (ip6[6] == 6 and ip6[53] & 4 != 0)'

for need in tcpdump /usr/bin/time; do
  command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 4; }
done
make -s -C "$build" generate-capture
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/generate-capture" "$packets" >"$work/capture.pcap"
echo "capture: $packets packets, $(du -h "$work/capture.pcap" | cut -f 1), one reset in a hundred"

measure() { # name command...
  local name=$1
  shift
  /usr/bin/time -a -o "$work/$name" -f '%e %U %S %M' "$@" >"$work/out.$name" 2>/dev/null
}

names='sniff tcpdump sniff-filter'
command -v tshark >/dev/null && names="$names tshark"
for ((round = 0; round <= rounds; round++)); do
  measure sniff "$build/rstdiag-sniff" -q -r "$work/capture.pcap"
  measure sniff-filter "$build/rstdiag-sniff" -q -r "$work/capture.pcap" "$filter"
  measure tcpdump tcpdump -nr "$work/capture.pcap" "$filter"
  # A second per million packets: once, it needs no more precision.
  if [[ $names == *tshark* ]] && [ "$round" -le 1 ]; then
    measure tshark tshark -nr "$work/capture.pcap" -Y 'tcp.flags.reset == 1'
  fi
  # The first round warms the page cache and does not count.
  [ "$round" -gt 0 ] || rm -f "$work"/sniff "$work"/sniff-filter "$work"/tcpdump "$work"/tshark
done

[ "$(wc -l <"$work/out.sniff")" -eq $((packets / 100)) ] || {
  echo "rstdiag-sniff printed $(wc -l <"$work/out.sniff") lines, expected $((packets / 100))" >&2
  exit 1
}

printf '%-14s %8s %8s %10s\n' '' 'wall s' 'cpu s' 'peak KiB'
for name in $names; do
  awk '{ print $1, $2 + $3, $4 }' "$work/$name" >"$work/rows"
  for column in 1 2 3; do
    cut -d ' ' -f "$column" "$work/rows" | sort -n |
      awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
  done | paste -s -d ' ' >"$work/median.$name"
  read -r wall cpu peak <"$work/median.$name"
  printf '%-14s %8.2f %8.2f %10d\n' "$name" "$wall" "$cpu" "$peak"
done
for name in $names; do
  [ "$name" = sniff ] && continue
  paste -d ' ' "$work/median.sniff" "$work/median.$name" | awk -v name="$name" '
    { printf "sniff / %s: wall %.2f, cpu %.2f, memory %.2f\n", name, $1 / $4, $2 / $5, $3 / $6 }'
done
