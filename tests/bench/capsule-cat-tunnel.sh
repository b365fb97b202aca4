#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# capsule-cat's tunnels over TLS on the loopback, against socat doing the same
# with nothing but TLS, and h2load fetching as much, in one run: one way (to
# --serve discard) and both (--serve echo), then datagrams. Prints medians and
# ratios; what counts is the wall clock until the last octet was confirmed.
#
# Usage: tests/bench/capsule-cat-tunnel.sh [large] [small] [rounds]
#   large   capsules of 16 KiB; the default is 65536, which is 1 GiB
#   small   datagrams of 31 octets; the default is 2000000
set -eu

large=${1:-65536}
small=${2:-2000000}
rounds=${3:-5}
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}

for command in /usr/bin/time socat openssl h2load; do
  command -v "$command" >/dev/null || { echo "needs $command" >&2; exit 4; }
done
make -s -C "$build" generate-capsules http_echo capsule-cat
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

# Start a server and wait until it says at which port; sets port.
server() { # name, command ...
  local name=$1
  shift
  : >"$name.log"
  "$@" >"$name.log" 2>&1 &
  pids+=($!)
  until grep -q 127.0.0.1: "$name.log"; do kill -0 "${pids[-1]}"; done
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p;T;q' "$name.log")
}

server discard "$build/capsule-cat" -l 0 --serve discard --cert both.pem
discard=$port
server echo "$build/capsule-cat" -l 0 --serve echo --cert both.pem
echo=$port
tls=OPENSSL-LISTEN:0,bind=127.0.0.1,cert=both.pem,verify=0,fork
server socat.discard socat -d -d -b 65536 "$tls" 'SYSTEM:cat >/dev/null'
socat_discard=$port
server socat.echo socat -d -d -b 65536 "$tls" PIPE
socat_echo=$port
server http "$build/http_echo" serve --tls 127.0.0.1:0
http=$port

large_octets=$((large * $("$build/generate-capsules" 1 16383 | wc -c)))
"$build/generate-capsules" "$small" 31 >small.capsules
"$build/capsule-cat" --payload -f u16 small.capsules >small.u16
ln small.u16 expected.u16

timed() { # name, command ...: what it writes must be all
  local name=$1
  shift
  /usr/bin/time -a -o "$name.times" -f '%e %U %S %M' "$@"
}

source_large() { "$build/generate-capsules" "$large" 16383; }
tunnel() { # name, port, option ...
  local name=$1 to=$2
  shift 2
  timed "$name" "$build/capsule-cat" -qk "$@" "https://127.0.0.1:$to/"
}
expect() { # octets, from whom
  local octets
  octets=$(wc -c)
  [ "$octets" -eq "$1" ] || { echo "$2: $octets octets came back" >&2; exit 1; }
}

names='discard.h1 discard.h2 discard.socat echo.h1 echo.h2 echo.socat h2load datagrams.h1 datagrams.h2'
names="$names datagrams.echo.h1 datagrams.echo.h2"
for ((round = 0; round <= rounds; round++)); do
  source_large | tunnel discard.h1 "$discard" --http1.1
  source_large | tunnel discard.h2 "$discard" --http2
  # It hears of no end over TLS; the last octets may still be under way.
  source_large | timed discard.socat socat -u -b 65536 - "OPENSSL:127.0.0.1:$socat_discard,verify=0"
  source_large | tunnel echo.h1 "$echo" --http1.1 | expect "$large_octets" h1
  source_large | tunnel echo.h2 "$echo" --http2 | expect "$large_octets" h2
  # The same: so what counts here is when all is back, and no cpu.
  timed echo.socat head -c "$large_octets" >/dev/null < <(
    source_large | socat -b 65536 -t 10 - "OPENSSL:127.0.0.1:$socat_echo,verify=0" 2>/dev/null)
  timed h2load h2load -n 1 -w 24 -W 24 "https://127.0.0.1:$http/bytes/$large_octets" >h2load.out
  grep -q '1 succeeded' h2load.out
  tunnel datagrams.h1 "$discard" --http1.1 --datagrams u16 --linger 0 <small.u16
  tunnel datagrams.h2 "$discard" --http2 --datagrams u16 --linger 0 <small.u16
  tunnel datagrams.echo.h1 "$echo" --http1.1 --datagrams u16 --linger 0 <small.u16 | cmp - expected.u16
  tunnel datagrams.echo.h2 "$echo" --http2 --datagrams u16 --linger 0 <small.u16 | cmp - expected.u16
  # The first round warms up and does not count.
  [ "$round" -gt 0 ] || rm -f ./*.times
done

printf '%-18s %8s %8s %10s %16s\n' '' 'wall s' 'cpu s' 'peak KiB' ''
for name in $names; do
  awk '{ print $1, $2 + $3, $4 }' "$name.times" >rows
  for column in 1 2 3; do
    cut -d ' ' -f "$column" rows | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
  done | paste -s -d ' ' >"median.$name"
  read -r wall cpu peak <"median.$name"
  case $name in
    datagrams.*) rate=$(awk -v n="$small" -v s="$wall" 'BEGIN { printf "%.0f datagrams/s", n / s }') ;;
    *) rate=$(awk -v n="$large_octets" -v s="$wall" 'BEGIN { printf "%.0f MiB/s", n / s / 1048576 }') ;;
  esac
  printf '%-18s %8.2f %8.2f %10d %20s\n' "$name" "$wall" "$cpu" "$peak" "$rate"
done
ratio() { # name, name
  paste -d ' ' "median.$1" "median.$2" | awk -v a="$1" -v b="$2" '
    { printf "%s / %s: wall %.2f\n", a, b, $1 / $4 }'
}
ratio discard.h1 discard.socat
ratio discard.h2 discard.socat
ratio discard.h2 h2load
ratio echo.h1 echo.socat
ratio echo.h2 echo.socat
