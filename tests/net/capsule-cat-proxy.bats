#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The CONNECT-UDP proxy in network namespaces of the test's own: $left is the
# proxy's and its clients', $right has a DNS server that both of them ask.

load ../cli/tool
load namespaces

setup() {
  [ -x "$WK_BUILD/capsule-cat" ] || skip "capsule-cat is not built here"
  command -v dnsmasq >/dev/null || skip "needs dnsmasq-base"
  namespaces_up
  cd "$BATS_TEST_TMPDIR" || exit
  unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  echo "nameserver 192.0.2.2" >resolv.conf
  echo "hosts: dns" >nsswitch.conf
  right dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
    --listen-address=192.0.2.2 --bind-interfaces --no-resolv --no-hosts --local=/test/ \
    --host-record=right.test,192.0.2.2 --host-record=loop.test,127.0.0.1 \
    --host-record=ten.test,10.0.0.1 --host-record=mapped.test,::ffff:10.0.0.1 \
    >dnsmasq.out 2>&1 3>&- &
  python3 "$WK_SOURCE/tests/peers/dns.py" query right.test >query
  wait_until eval 'ask <query >direct'
}

teardown() {
  local pid
  for pid in $(ip netns pids "${target-none}" 2>/dev/null); do kill "$pid"; done
  ip netns delete "${target-none}" 2>/dev/null || :
  namespaces_down
  wait
}

ask() {
  left python3 "$WK_SOURCE/tests/peers/dns.py" ask 192.0.2.2
}

show() {
  python3 "$WK_SOURCE/tests/peers/dns.py" show
}

# Each "ip netns exec" has mounts of its own.
proxy() { # option ...: sets the variables address and proxy_pid
  : >proxy.err
  # shellcheck disable=SC2016
  ip netns exec "$left" sh -c 'mount --bind resolv.conf /etc/resolv.conf &&
    mount --bind nsswitch.conf /etc/nsswitch.conf && exec "$@"' - \
    capsule-cat --listen 0 --cleartext --serve proxy -v "$@" 2>proxy.err 3>&- &
  proxy_pid=$!
  wait_until grep -q 'listening on' proxy.err
  address=$(sed -n 's,.*listening on http://\(.*\)/,\1,p' proxy.err)
}

# Whoever counts answers has them long before the linger ends: it is for the
# slowest machine.
through() { # option ...: datagrams of standard input by the proxy
  left timeout 120 capsule-cat --linger 100 "$@" "http://$address"
}

# Descriptor 4: a pipe with one query in it, that does not end.
held_query() {
  rm -f held
  mkfifo held
  exec 4<>held
  cat query >&4
}

@test "a DNS server answers through the proxy what it answers directly" {
  proxy --allow 192.0.2.2:53
  [ "$(show <direct)" = "code 0 right.test 192.0.2.2" ]
  local version
  for version in --http1.1 --http2; do
    through "$version" --datagrams whole --count 1 --target 192.0.2.2:53 <query >answer
    cmp answer direct
  done
  # The other service of that address is not allowed.
  run -6 --separate-stderr through --http2 --datagrams whole --target 192.0.2.2:54 <query
  [[ $stderr == *": the tunnel was refused: 403 Forbidden; proxy-status: capsule-cat; error=http_request_denied" ]]
}

@test "a DNS server answers through the proxy over TLS" {
  left capsule-cat --listen 0 --serve proxy --allow 192.0.2.2 2>proxy.err 3>&- &
  wait_until grep -q 'certificate SHA-256' proxy.err
  address=$(sed -n 's,.*listening on https://\(.*\)/,\1,p' proxy.err)
  local version pin
  pin=$(sed -n 's/.*--pin //p' proxy.err)
  for version in --http1.1 --http2; do
    left capsule-cat "$version" --insecure --pin "$pin" --quiet --linger 100 --datagrams whole --count 1 \
      --target 192.0.2.2:53 "https://$address" <query >answer
    cmp answer direct
  done
}

@test "a client in JavaScript asks the DNS server, and hears that a port is closed" {
  command -v node >/dev/null || skip "needs nodejs"
  proxy --allow 192.0.2.2
  { printf '\000%b\000' "\\x$(printf %x $(($(wc -c <query) + 1)))"; cat query; } >capsule
  { printf '\000%b\000' "\\x$(printf %x $(($(wc -c <direct) + 1)))"; cat direct; } >wanted
  mkfifo in
  local version client
  for version in h1 h2; do
    asks "$version" 53 <in >answer 2>err 3>&- &
    client=$!
    exec 4>in
    cat capsule >&4
    wait_until cmp answer wanted
    exec 4>&-
    wait "$client"
    grep -q '"capsule-protocol":"?1"' err
    grep -q '"proxy-status":"capsule-cat; next-hop=\\"192.0.2.2\\""' err
    # The other end's word, not our end, is what ends this one.
    exec 4<>in
    cat capsule >&4
    asks "$version" 9 <&4 >answer 2>err || :
    exec 4>&-
    [ ! -s answer ]
  done
  grep -qx 'closed 10' err
}

asks() { # h1|h2 port
  left timeout 120 node "$WK_SOURCE/tests/peers/tunnel-client.js" "$1" \
    "http://$address/.well-known/masque/udp/192.0.2.2/$2/"
}

@test "names are looked up by the proxy, and NXDOMAIN is told" {
  proxy --allow 'right.test:53' --allow '*.test'
  local version
  for version in --http1.1 --http2; do
    through "$version" --datagrams whole --count 1 --target right.test:53 <query >answer
    cmp answer direct
    run -6 --separate-stderr through "$version" --datagrams whole --target nobody.test:53 <query
    [ -z "$output" ]
    [[ $stderr == *': 502 Bad Gateway; proxy-status: capsule-cat; error=dns_error; rcode="NXDOMAIN"' ]]
  done
}

@test "a name that is allowed does not lead to an address that is not" {
  proxy --allow '*.test'
  local name
  for name in loop ten mapped; do
    run -6 --separate-stderr through --http2 --datagrams whole --target "$name.test:53" <query
    [ -z "$output" ]
    [[ $stderr == *': 502 Bad Gateway; proxy-status: capsule-cat; error=destination_ip_prohibited;'* ]]
  done
  # It does where the address is allowed, too: nobody listens there.
  kill "$proxy_pid"
  wait "$proxy_pid"
  proxy --allow '*.test' --allow 127.0.0.1
  held_query
  run -3 --separate-stderr through --http2 --datagrams raw --target loop.test:9 <&4
  [[ $stderr == *'its connection to the target failed'* ]]
}

@test "a port where nobody listens ends the tunnel, with CONNECT_ERROR" {
  proxy --allow 192.0.2.2
  held_query
  run -3 --separate-stderr through --http2 --datagrams raw --target 192.0.2.2:9 <&4
  [ -z "$output" ]
  [[ $stderr == *": the peer reset the tunnel: its connection to the target failed (the peer sent CONNECT_ERROR, code 0xa)" ]]
  held_query
  run -3 --separate-stderr through --http1.1 --datagrams raw --target 192.0.2.2:9 <&4
  [ -z "$output" ]
  [[ $stderr == *": the connection was cut off" ]]
}

counted() { # words of the proxy's counters
  kill -USR1 "$proxy_pid"
  grep -q "$1" proxy.err
}

@test "packets that are too big for the interface are dropped, the next ones pass" {
  proxy --allow 192.0.2.2
  ip -n "$left" link set wk0 mtu 1280
  head -c 1253 /dev/zero | hex >packets	# 1281 octets with IP and UDP
  echo >>packets
  hex <query >>packets
  through --http2 --datagrams hex --count 1 --target 192.0.2.2:53 <packets >answer
  [ "$(cat answer)" = "$(hex <direct)" ]
  wait_until counted '1 to targets, 1 from targets, 1 dropped (0 for a slow client, 1 too big'
}

@test "packets that are too big for the path are dropped, the next ones pass" {
  # Behind $right, which forwards, is a link that takes less.
  target=wk-target-$$-$BATS_TEST_NUMBER
  ip netns add "$target"
  ip -n "$right" link add wk1 mtu 1280 type veth peer name wk1 mtu 1280 netns "$target"
  ip -n "$right" address add 198.51.100.1/24 dev wk1
  ip -n "$right" link set wk1 up
  ip -n "$target" address add 198.51.100.2/24 dev wk1
  ip -n "$target" link set wk1 up
  ip -n "$target" route add default via 198.51.100.1
  ip -n "$left" route add 198.51.100.0/24 via 192.0.2.2
  right sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  proxy --allow 198.51.100.2
  ip netns exec "$target" python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.2", 7))
print("bound")
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)' >echo.out 3>&- &
  wait_until test -s echo.out
  mkfifo in
  through --http2 --datagrams line --linger 0 --target 198.51.100.2:7 <in >out 2>err 3>&- &
  local client=$! big
  exec 4>in
  echo before >&4
  wait_until grep -qx before out
  big=$(head -c 1400 /dev/zero | tr '\0' x)
  echo "$big" >&4
  # What the router says about it has arrived at the proxy's socket.
  wait_until eval "left nstat -asz IcmpInDestUnreachs | grep -q 'IcmpInDestUnreachs *1 '"
  echo after >&4
  wait_until grep -qx after out
  wait_until counted ', 1 dropped (0 for a slow client, 1 too big'
  exec 4>&-
  wait "$client"
  [ ! -s err ]
  [ "$(cat out)" = $'before\nafter' ]
}
