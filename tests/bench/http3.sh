#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# HTTP/3 on the loopback, in one run, all on the same machine:
#   datagrams one way, of 1200 octets, by h3dgram --blast to --serve discard,
#     against iperf3 -u (what the kernel takes), against what AES-128-GCM alone
#     allows, and against aioquic's client and server where there is a Debian 13;
#   round trips by h3dgram --ping, against aioquic's;
#   downloads by gtlsclient from our server, against those from gtlsserver.
# Prints medians and ratios.
#
# Usage: tests/bench/http3.sh [seconds] [rounds] [megabytes]
set -eu

seconds=${1:-3}
rounds=${2:-3}
megabytes=${3:-200}
size=1200
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WK_BUILD:-$top/build}
next=$top/tests/peers/debian-next.sh

for command in iperf3 jq openssl gtlsclient gtlsserver ss; do
  command -v "$command" >/dev/null || { echo "needs $command" >&2; exit 4; }
done
make -s -C "$build" h3dgram http_echo
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
work=$(mktemp -d)
cd "$work"
pids=()
finish() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
  rm -rf "$work"
}
trap finish EXIT
has_next=no
"$next" run true 2>/dev/null && has_next=yes

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout key.pem -out cert.pem 2>/dev/null
cat key.pem cert.pem >both.pem

server() { # name, command ...: sets port when it says which
  local name=$1
  shift
  "$@" >"$name.log" 2>&1 </dev/null &
  pids+=($!)
  until port=$(sed -nE 's/.*127\.0\.0\.1:([0-9]+).*/\1/p; s/^([0-9]+)$/\1/p' "$name.log" | head -n 1) &&
    [ -n "$port" ]; do
    kill -0 "${pids[-1]}"
  done
}

median() {
  sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

row() { # name value unit
  printf '%-44s %12.0f %s\n' "$@"
}
ratio() { # name value value
  awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%-44s %12.2f\n", n, a / b }'
}

# --- datagrams one way ----------------------------------------------------------

iperf() { # received a second
  local at=$((20000 + RANDOM % 10000))
  iperf3 -s -1 -B 127.0.0.1 -p "$at" >/dev/null 2>&1 &
  until ss -Hlnt "sport = :$at" | grep -q .; do kill -0 $!; done
  iperf3 -c 127.0.0.1 -p "$at" -u -b 0 -l "$size" -t "$seconds" -J |
    jq '(.end.sum.packets - .end.sum.lost_packets) / .end.sum.seconds'
  wait $! || :
}

ours() { # acknowledged a second
  "$build/h3dgram" --blast --duration "$seconds" --size "$size" --mtu 1400 -jq -k "$discard" 2>/dev/null |
    jq -r 'select(.event == "summary") | .acknowledged / .seconds'
}

aioquic() { # by its own client to its own server
  "$next" run python3 "$top/tests/peers/h3-aioquic-client.py" "$port" cert.pem path=/echo \
    datagrams=3000 window=64 size=1100 | jq '.datagrams / .seconds'
}

repeat() { # command ...
  local i
  for ((i = 0; i < rounds; i++)); do "$@"; done | median
}

server discard "$build/h3dgram" -l 127.0.0.1:0 --serve discard --cert both.pem
discard=https://127.0.0.1:$port
server echo "$build/h3dgram" -l 127.0.0.1:0 --serve echo --cert both.pem
echo=https://127.0.0.1:$port

kernel=$(repeat iperf)
us=$(repeat ours)
# Kilobytes of a thousand octets a second, in blocks of a packet's size.
aes=$(openssl speed -seconds "$seconds" -bytes "$size" -evp aes-128-gcm 2>/dev/null |
  awk 'END { sub("k", "", $NF); print $NF * 1000 }')
aes=$(awk -v o="$aes" -v s="$size" 'BEGIN { print o / s }')
row "h3dgram, one way, $size octets" "$us" datagrams/s
row "iperf3 -u" "$kernel" datagrams/s
row "AES-128-GCM alone, one core" "$aes" datagrams/s
row "h3dgram, goodput" "$(awk -v d="$us" -v s="$size" 'BEGIN { print d * s * 8 / 1e6 }')" Mbit/s
ratio "h3dgram / iperf3 -u" "$us" "$kernel"
ratio "h3dgram / AES-128-GCM" "$us" "$aes"
if [ "$has_next" = yes ]; then
  server aioquic "$next" run python3 "$top/tests/peers/h3-aioquic-server.py" cert.pem key.pem
  them=$(repeat aioquic)
  row "aioquic, there and back" "$them" datagrams/s
  ratio "h3dgram / aioquic (twice its way)" "$us" "$(awk -v t="$them" 'BEGIN { print 2 * t }')"
fi

# --- round trips ------------------------------------------------------------------

pinged() { # URL: p50 and p99 in microseconds
  "$build/h3dgram" --ping -c 2000 --interval 0.001 -jq -k "$1" 2>/dev/null |
    jq -r 'select(.event == "summary") | "\(.rtt_p50_us) \(.rtt_p99_us)"'
}
read -r p50 p99 < <(pinged "$echo")
row "round trip, h3dgram to h3dgram, p50" "$p50" us
row "round trip, h3dgram to h3dgram, p99" "$p99" us
if [ "$has_next" = yes ]; then
  read -r other50 other99 < <(pinged "https://127.0.0.1:$port/echo")
  row "round trip, h3dgram to aioquic, p50" "$other50" us
  row "round trip, h3dgram to aioquic, p99" "$other99" us
fi

# --- downloads ----------------------------------------------------------------------

server ours "$build/http_echo" serve --tls --http3 127.0.0.1:0
ours=$port
mkdir -p htdocs/bytes
head -c $((megabytes * 1000000)) /dev/zero >"htdocs/bytes/$((megabytes * 1000000))"
gtlsserver -q -d htdocs 127.0.0.1 0 key.pem cert.pem >gtls.log 2>&1 &
pids+=($!)
until theirs=$(ss -Hlunp | sed -n "s/.*127\.0\.0\.1:\([0-9]*\) .*pid=${pids[-1]},.*/\1/p") &&
  [ -n "$theirs" ]; do kill -0 "${pids[-1]}"; done

download() { # port: megabytes a second
  local began ended
  began=$(date +%s%N)
  gtlsclient -q --no-http-dump --exit-on-all-streams-close --max-data=64M \
    --max-stream-data-bidi-local=16M 127.0.0.1 "$1" \
    "https://localhost/bytes/$((megabytes * 1000000))" >/dev/null 2>&1
  ended=$(date +%s%N)
  awk -v m="$megabytes" -v n=$((ended - began)) 'BEGIN { print m / (n / 1e9) }'
}
from_us=$(repeat download "$ours")
from_them=$(repeat download "$theirs")
row "gtlsclient from our server" "$from_us" MB/s
row "gtlsclient from gtlsserver" "$from_them" MB/s
ratio "our server / gtlsserver" "$from_us" "$from_them"
