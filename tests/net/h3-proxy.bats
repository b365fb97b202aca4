#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram's CONNECT-UDP proxy and its forwarder, over all versions of HTTP: DNS
# to a real server, and whole QUIC connections inside of tunnels.

load ../cli/tool
load h3

setup() {
  h3_setup
}

teardown() {
  h3_teardown
}

versions='--http3 --http2 --http1.1'

dns_server() { # sets dns
  needs dnsmasq dnsmasq-base
  local user=()
  [ "$(id -u)" -ne 0 ] || user=(--user=root)
  # Below the ports that sockets get by themselves.
  local i
  for ((i = 0; i < 20; i++)); do
    dns=$((10240 + RANDOM % 20000))
    start dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null "${user[@]}" --port "$dns" \
      --pid-file --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts --local=/test/ \
      --host-record=right.test,192.0.2.2
    wait_until eval "udp_port $started || ! kill -0 $started" && kill -0 "$started" && break
  done
  python3 "$scripts/dns.py" query right.test >query
}

show() {
  python3 "$scripts/dns.py" show
}

# Forwarded clients reach local; sets local and forwarder.
forward() { # option ... (URL and target with them)
  start forward h3dgram --local 127.0.0.1:0 --cacert cert.pem "$@"
  forwarder=$started
  wait_until udp_port "$forwarder"
  local=$port
}

@test "a DNS server answers through the proxy, over each version" {
  local version
  dns_server
  listen --serve proxy --allow-private
  for version in $versions; do
    h3dgram "$version" --cacert cert.pem -f whole -c 1 "$url" "127.0.0.1:$dns" <query >answer
    [ "$(show <answer)" = "code 0 right.test 192.0.2.2" ]
  done
  ends_well
}

@test "a resolver asks a local port, and the tunnel's other end answers" {
  local version
  dns_server
  listen --serve proxy --allow-private
  for version in $versions; do
    forward "$version" "$url" "127.0.0.1:$dns"
    python3 - "$local" >answer <<'PY' || return
import socket, sys
query = open("query", "rb").read()
# A client each: their answers are not to be mixed.
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
for n, s in enumerate(clients):
    s.settimeout(10)
    s.sendto(n.to_bytes(2, "big") + query[2:], ("127.0.0.1", int(sys.argv[1])))
for n, s in enumerate(clients):
    answer = s.recv(65536)
    assert answer[:2] == n.to_bytes(2, "big"), (n, answer[:2])
sys.stdout.buffer.write(answer)
PY
    [ "$(show <answer)" = "code 0 right.test 192.0.2.2" ]
    kill "$forwarder"
  done
}

@test "who is not allowed hears it, over each version" {
  local version
  listen --serve proxy
  for version in $versions; do
    run -6 --separate-stderr h3dgram "$version" --cacert cert.pem "$url" 127.0.0.1:53 </dev/null
    [[ $stderr == *502*proxy-status*destination_ip_prohibited* ]]
  done
}

# QUIC in QUIC: the outer connection must start with packets that an inner
# Initial of 1200 octets fits into. Over TCP there are no packets, and no --mtu.
fetches_through() { # version
  local options=("$1")
  [ "$1" != --http3 ] || options+=(--mtu 1400)
  forward "${options[@]}" "$url" "127.0.0.1:$inner"
  timeout 60 gtlsclient -q --exit-on-all-streams-close --download=. --timeout=20s \
    127.0.0.1 "$local" https://localhost/small https://localhost/large
  cmp small htdocs/small
  cmp large htdocs/large
  rm small large
  kill "$forwarder"
}

@test "gtlsclient fetches from gtlsserver through the tunnel, over each version" {
  needs gtlsclient ngtcp2-client
  needs gtlsserver ngtcp2-server
  local version
  gtls_server
  inner=$port
  echo small >htdocs/small
  head -c 3000000 /dev/urandom >htdocs/large
  listen --serve proxy --allow-private
  for version in $versions; do fetches_through "$version"; done
}

@test "our own HTTP/3 inside of our own tunnel" {
  listen --serve echo
  inner=$port
  listen --serve proxy --allow-private
  forward --http3 --mtu 1400 "$url" "127.0.0.1:$inner"
  [ "$(seq 1000 | h3dgram -k -q -c 1000 "https://127.0.0.1:$local")" = "$(seq 1000)" ]
}
