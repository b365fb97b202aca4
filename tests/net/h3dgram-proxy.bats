#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram between network namespaces of the test's own, over every version of
# HTTP in $versions: $left is the clients', $right has the proxy and a DNS
# server that both of them can reach.

load ../cli/tool
load namespaces

setup() {
  [ -x "$WK_BUILD/h3dgram" ] || skip "h3dgram is not built here"
  command -v dnsmasq >/dev/null || skip "needs dnsmasq-base"
  namespaces_up
  cd "$BATS_TEST_TMPDIR" || exit
  versions=(http1.1 http2 http3)
  unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  right dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
    --listen-address=192.0.2.2 --bind-interfaces --no-resolv --no-hosts --local=/test/ \
    --host-record=right.test,192.0.2.2 >dnsmasq.out 2>&1 3>&- &
  python3 "$WK_SOURCE/tests/peers/dns.py" query right.test >query
  wait_until eval 'ask <query >direct'
}

teardown() {
  namespaces_down
  wait
}

ask() { # [address]
  left python3 "$WK_SOURCE/tests/peers/dns.py" ask "${1-192.0.2.2}"
}

proxy() { # option ...: sets address, pin and proxy_pid
  right h3dgram --listen 192.0.2.2:0 --serve proxy "$@" 2>proxy.err 3>&- &
  proxy_pid=$!
  wait_until grep -q 'certificate SHA-256' proxy.err
  address=$(sed -n 's,.*listening on \(https://.*\)/,\1,p;T;q' proxy.err)
  pin=$(sed -n 's/.*--pin //p' proxy.err)
}

through() { # option ...
  left timeout 30 h3dgram "--$version" --insecure --pin "$pin" "$@"
}

@test "a DNS server answers through the proxy what it answers directly" {
  proxy --allow 192.0.2.2:53
  for version in "${versions[@]}"; do
    through -f whole --count 1 "$address" 192.0.2.2:53 <query >answer
    cmp answer direct
    # The other service of that address is not allowed.
    run -6 --separate-stderr through "$address" 192.0.2.2:54 <query
    # shellcheck disable=SC2154 # bats sets it
    [[ $stderr == *": the tunnel was refused: 403 Forbidden; proxy-status: h3dgram; error=http_request_denied" ]]
  done
}

@test "local programs ask the DNS server, many at a time" {
  proxy --allow 192.0.2.2:53
  local i clients
  for version in "${versions[@]}"; do
    left h3dgram -L 127.0.0.1:53 -L '[::1]:53' "--$version" --insecure --pin "$pin" \
      "$address" 192.0.2.2:53 2>local.err 3>&- &
    wait_until grep -q 'udp://\[::1\]:53' local.err
    clients=()
    for i in 1 2 3 4 5 6 7 8; do
      ask 127.0.0.1 <query >"answer$i" 3>&- &
      clients+=($!)
    done
    for i in "${clients[@]}"; do wait "$i"; done
    for i in 1 2 3 4 5 6 7 8; do cmp "answer$i" direct; done
    kill -INT "$(ip netns pids "$left" | while read -r i; do
      grep -qz '^-L' "/proc/$i/cmdline" && echo "$i"
    done)"
    wait_until grep -q '8 tunnels opened' local.err
    grep -q 'packets: 8 there, 8 back, 0 dropped' local.err
  done
}

@test "pings pass the proxy to a UDP echo, and packets that are lost are" {
  command -v nft >/dev/null || skip "needs nftables"
  right python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 7))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)' >echo.out 3>&- &
  wait_until grep -q ready echo.out
  proxy --allow 192.0.2.2:7
  for version in "${versions[@]}"; do
    run -0 through --ping -jq -c 4 --interval 0.01 "$address" 192.0.2.2:7
    [ "$(jq -c 'select(.event == "summary") | [.sent, .answered, .lost]' <<<"$output")" = '[4,4,0]' ]
  done
  # Every second one of the proxy's packets to the echo does not arrive.
  nft_rules "$right" input 'udp dport 7 numgen inc mod 2 == 0 drop'
  for version in "${versions[@]}"; do
    run -0 through --ping -jq -c 4 --interval 0.01 --linger 0.3 "$address" 192.0.2.2:7
    [ "$(jq -c 'select(.event == "summary") | [.sent, .answered, .lost]' <<<"$output")" = '[4,2,2]' ]
  done
}

@test "the proxy's end ends local tunnels, and its return is noticed" {
  proxy --allow 192.0.2.2:53
  for version in "${versions[@]}"; do
    left h3dgram -L 127.0.0.1:5300 "--$version" --insecure "$address" 192.0.2.2:53 2>local.err 3>&- &
    wait_until grep -q 'udp://127.0.0.1:5300' local.err
    wait_until ask_local
    kill -KILL "$(right sh -c 'ss -Hltnp' | sed -n 's/.*"h3dgram",pid=\([0-9]*\).*/\1/p;T;q')"
    wait_until grep -q "$address: " local.err
    right h3dgram --listen "${address#https://}" --serve proxy --allow 192.0.2.2:53 2>proxy.err 3>&- &
    wait_until grep -q 'listening on' proxy.err
    wait_until ask_local
    for i in $(ip netns pids "$left"); do kill -INT "$i"; done
    wait_until grep -q 'tunnels opened' local.err
  done
}

ask_local() {
  left python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.sendto(open("query", "rb").read(), ("127.0.0.1", 5300))
assert s.recv(65536) == open("direct", "rb").read()'
}
