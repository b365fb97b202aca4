#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rstdiag-send injecting resets on the loopback of a network namespace of its
# own, against hping3 sending the same segments as fast as it can, in one run.
# And crafting into a capture, against cp of that capture. Medians and ratios.
#
# Usage: tests/bench/rstdiag-send.sh [packets] [rounds]    (as root)
set -eu

packets=${1:-200000}
rounds=${2:-5}
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}

[ "$(id -u)" -eq 0 ] || { echo "needs root" >&2; exit 4; }
for need in ip hping3 /usr/bin/time; do
  command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 4; }
done
work=$(mktemp -d)
ns=wk-bench-$$
ip netns add "$ns"
trap 'ip netns delete "$ns"; rm -rf "$work"' EXIT
ip -n "$ns" link set lo up
printf '\x33\xaa\x00\x10\x00\x00\x00\x00' >"$work/payload"

measure() { # name command...
  local name=$1
  shift
  /usr/bin/time -q -a -o "$work/$name" -f '%e %U %S %M' "$@" >/dev/null 2>&1 || :
}

craft=(--src 127.0.0.2:443 --dst 127.0.0.1:50000 --seq 1 --ack 1 --code timeout)
for ((round = 0; round <= rounds; round++)); do
  measure send ip netns exec "$ns" "$build/rstdiag-send" -q -c "$packets" "${craft[@]}"
  measure hping3 ip netns exec "$ns" hping3 -q -R -A -M 1 -L 1 -s 443 -k -p 50000 -a 127.0.0.2 -d 8 \
    -E "$work/payload" -i u1 -c "$packets" 127.0.0.1
  measure write "$build/rstdiag-send" -q -c "$packets" "${craft[@]}" -w "$work/capture.pcap"
  measure cp cp "$work/capture.pcap" "$work/copy.pcap"
  [ "$round" -gt 0 ] || rm -f "$work"/send "$work"/hping3 "$work"/write "$work"/cp
done

median() { # file column
  awk -v c="$2" '{ print c == 2 ? $2 + $3 : $c }' "$work/$1" | sort -n |
    awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

printf '%-8s %8s %8s %12s\n' "" "wall s" "cpu s" "packets/s"
for name in send hping3 write cp; do
  wall=$(median "$name" 1)
  printf '%-8s %8s %8s %12s\n' "$name" "$wall" "$(median "$name" 2)" \
    "$(awk -v n="$packets" -v t="$wall" 'BEGIN { printf "%d", (t > 0 ? n / t : 0) }')"
done
for pair in 'send hping3' 'write cp'; do
  read -r one other <<<"$pair"
  awk -v a="$(median "$one" 1)" -v b="$(median "$other" 1)" -v c="$(median "$one" 2)" \
    -v d="$(median "$other" 2)" -v names="$one / $other" 'BEGIN {
    printf "%s: wall %s, cpu %s\n", names, (b > 0 ? sprintf("%.2f", a / b) : "-"), (d > 0 ? sprintf("%.2f", c / d) : "-") }'
done
