#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mcproxy against nutcracker where it is installed, against memcached's own
# proxy where that is built in (or MEMCACHED_PROXY names one that has it), and
# against memcached alone as the limit, all in one run: keys per second, latency
# of a batch, and CPU seconds of the process in the middle per million keys, as
# medians; then the memory that each takes for an idle connection.
#
# Usage: tests/bench/mcproxy.sh [seconds] [rounds]    (from anywhere)
set -eu

seconds=${1:-3}
rounds=${2:-5}
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}

command -v memcached >/dev/null || { echo "needs memcached" >&2; exit 4; }
make -s -C "$build" mcproxy memcached-bench
work=$(mktemp -d)
pids=()
stop() {
  [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
  wait
  rm -rf "$work"
}
trap stop EXIT
read -r back1 back2 one two cracker own1 own2 < <(python3 -c '
import socket
s = [socket.socket() for _ in range(7)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
user=()
[ "$(id -u)" -ne 0 ] || user=(-u nobody)

answers() {
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.05
  done
  echo "nobody listens on port $1" >&2
  exit 1
}

declare -A pid port
for p in "$back1" "$back2"; do
  memcached "${user[@]}" -l 127.0.0.1 -p "$p" -U 0 -t 1 -m 256 -c 4096 &
  pids+=($!)
  answers "$p"
done
pid[memcached]=${pids[0]} port[memcached]=$back1
for threads in 1 2; do
  name=mcproxy-$threads
  port[$name]=$one
  [ "$threads" -eq 1 ] || port[$name]=$two
  "$build/mcproxy" -q --threads "$threads" --listen "127.0.0.1:${port[$name]}" \
    --pool "foo=127.0.0.1:$back1,127.0.0.1:$back2" &
  pid[$name]=$!
  pids+=($!)
  answers "${port[$name]}"
done
names='memcached mcproxy-1 mcproxy-2'
if command -v nutcracker >/dev/null; then
  cat >"$work/nutcracker.yml" <<YML
foo:
  listen: 127.0.0.1:$cracker
  hash: fnv1a_64
  distribution: ketama
  preconnect: true
  server_connections: 1
  servers:
   - 127.0.0.1:$back1:1
   - 127.0.0.1:$back2:1
YML
  nutcracker -s "$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')" \
    -c "$work/nutcracker.yml" -o "$work/nutcracker.log" &
  pid[nutcracker]=$! port[nutcracker]=$cracker
  pids+=($!)
  answers "$cracker"
  names="$names nutcracker"
fi

# One command with its arguments: it may need a loader in front.
read -ra own <<<"${MEMCACHED_PROXY:-memcached}"
if "${own[@]}" -h | grep -q proxy_config; then
  cat >"$work/routes.lua" <<LUA
pools{ foo = { backends = { "127.0.0.1:$back1", "127.0.0.1:$back2" } } }
routes{ conf = { mode = "anchor", start = "/", stop = "/" }, map = { foo = route_direct{ child = "foo" } } }
LUA
  chmod 755 "$work"
  for threads in 1 2; do
    name=own-$threads
    port[$name]=$own1
    [ "$threads" -eq 1 ] || port[$name]=$own2
    "${own[@]}" "${user[@]}" -l 127.0.0.1 -p "${port[$name]}" -U 0 -t "$threads" -c 4096 \
      -o "proxy_config=routelib,proxy_arg=$work/routes.lua" &
    pid[$name]=$!
    pids+=($!)
    answers "${port[$name]}"
    names="$names $name"
  done
fi

ticks() { # user and system time of a process
  sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

patterns='get:1 get:20 mget:20 mg:20 set:1'
for ((round = 1; round <= rounds; round++)); do
  for pattern in $patterns; do
    for name in $names; do
      # nutcracker does not know the meta commands.
      [ "$name-${pattern%:*}" != nutcracker-mg ] || continue
      before=$(ticks "${pid[$name]}")
      result=$("$build/memcached-bench" "${port[$name]}" "${pattern%:*}" 50 "${pattern#*:}" "$seconds" /foo/)
      after=$(ticks "${pid[$name]}")
      echo "$result $((after - before))" >>"$work/$name.$pattern"
    done
  done
done

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-9s %-11s %10s %8s %8s %12s\n' pattern name keys/s p50_us p99_us cpu_s/1M
for pattern in $patterns; do
  for name in $names; do
    [ -e "$work/$name.$pattern" ] || continue
    for column in 1 2 3; do
      cut -d ' ' -f "$column" "$work/$name.$pattern" | median
    done >"$work/row"
    awk -v hz="$(getconf CLK_TCK)" '{ printf "%.3f\n", $5 / hz * 1e6 / $4 }' "$work/$name.$pattern" |
      median >>"$work/row"
    paste -s -d ' ' "$work/row" >"$work/median.$name.$pattern"
    read -r keys p50 p99 cpu <"$work/median.$name.$pattern"
    printf '%-9s %-11s %10d %8d %8d %12.2f\n' "$pattern" "$name" "$keys" "$p50" "$p99" "$cpu"
  done
done
for pattern in $patterns; do
  for ours in mcproxy-1 mcproxy-2; do
    for name in $names; do
      [ "$name" != "$ours" ] || continue
      # Memcached's proxy with as many threads.
      [[ $name != own-* || ${name#own-} == "${ours#mcproxy-}" ]] || continue
      [ -e "$work/$name.$pattern" ] || continue
      paste -d ' ' "$work/median.$ours.$pattern" "$work/median.$name.$pattern" |
        awk -v what="$pattern $ours / $name" '
          { printf "%s: keys/s %.2f, p99 %.2f, cpu %.2f\n", what, $1 / $5, $3 / $7, $4 / $8 }'
    done
  done
done
# Last: what a crowd leaves behind would be in the way of the rounds.
for name in $names; do
  printf 'octets for each of 3000 idle connections, %s: ' "$name"
  python3 "$top/tests/peers/memcached-crowd.py" "${port[$name]}" "${pid[$name]}" 3000 0 0 |
    sed -n 's/^idle .* bytes //p'
done
