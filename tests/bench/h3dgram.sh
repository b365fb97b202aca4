#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# h3dgram on the loopback over TLS: datagrams one way (to --serve discard) and
# both (--serve echo), and round trips, for each version of HTTP that is asked
# for. Prints medians
# and, against the first version, ratios, measured in one run.
#
# Usage: tests/bench/h3dgram.sh [count] [size] [rounds] [version ...]
#   count     datagrams of each measurement; the default is 200000
#   size      octets of each; the default is 1000
#   version   http1.1, http2; the default is both
set -eu

count=${1:-200000}
size=${2:-1000}
rounds=${3:-5}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- http1.1 http2
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}

for command in jq openssl; do
  command -v "$command" >/dev/null || { echo "needs $command" >&2; exit 4; }
done
make -s -C "$build" h3dgram
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
work=$(mktemp -d)
cd "$work"
pids=()
finish() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
  rm -rf "$work"
}
trap finish EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
  -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null
cat key.pem cert.pem >both.pem

server() { # service: sets url
  : >"$1.log"
  "$build/h3dgram" -l 0 --serve "$1" --cert both.pem >/dev/null 2>"$1.log" </dev/null &
  pids+=($!)
  until grep -q 'listening on' "$1.log"; do kill -0 "${pids[-1]}"; done
  url=$(sed -n 's/.*listening on //p;T;q' "$1.log")
}

median() {
  sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

server discard
discard=$url
server echo
echo=$url

blast() { # version url field
  local i
  for ((i = 0; i < rounds; i++)); do
    "$build/h3dgram" --blast --count "$count" --size "$size" -jq -k "--$1" "$2" 2>/dev/null |
      jq -r "select(.event == \"summary\") | $3"
  done | median
}

first=
for version; do
  there=$(blast "$version" "$discard" '.sent / .seconds')
  back=$(blast "$version" "$echo" '.echoed.datagrams / .seconds')
  lost=$(blast "$version" "$echo" '100 * .echoed.lost / .sent')
  rtt=$("$build/h3dgram" --ping --count 1000 --interval 0.001 -jq -k "--$version" "$echo" 2>/dev/null |
    jq -r 'select(.event == "summary") | .rtt_p50_us')
  [ -n "$first" ] || first=$there
  awk -v v="$version" -v t="$there" -v b="$back" -v l="$lost" -v r="$rtt" -v f="$first" -v s="$size" \
    'BEGIN { printf "%-8s there %8.0f/s %7.1f Mbit/s ratio %.2f  back %8.0f/s lost %5.2f%%  rtt p50 %.0f us\n",
      v, t, t * s * 8 / 1e6, t / f, b, l, r }'
done
