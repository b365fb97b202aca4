#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# QUIC of common/net, by way of quic_ends, against the client and the server of
# ngtcp2 on ports of the loopback that the kernel chose.

load ../cli/tool
load namespaces

setup() {
  [ -x "$WK_BUILD/quic_ends" ] || skip "quic_ends is not built here"
  cd "$BATS_TEST_TMPDIR" || exit
  pids=()
  unset SSLKEYLOGFILE
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
  namespaces_down
}

needs() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || skip "needs $command"
  done
}

serve() { # option ...: sets port
  : >served
  quic_ends serve --verbose "$@" 127.0.0.1:0 >served 2>served.err 3>&- &
  pids+=($!)
  wait_until grep -q listening served
  port=$(sed -n 's/^listening .*://p' served)
}

ask() { # option of gtlsclient ...
  timeout 60 gtlsclient -q "$@" 127.0.0.1 "$port" "https://localhost:$port/" 3>&-
  wait_until grep -q closed served
}

# gtlsserver does not say which port it got: one that was free just now.
theirs() { # option of gtlsserver ...: sets port
  [ -s cert.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null
  port=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
  gtlsserver -q "$@" 127.0.0.1 "$port" key.pem cert.pem >theirs.out 2>&1 3>&- &
  pids+=($!)
  wait_until listens "$port"
}

listens() {
  grep -q "$(printf ':%04X ' "$1")" /proc/net/udp
}

dial_whatever_ends() { # option ...
  run -3 --separate-stderr quic_ends dial --verbose "$@" "127.0.0.1:$port"
}

# A control stream that ends is an error that every server of HTTP/3 names.
dial() { # option ...
  dial_whatever_ends "$@"
  [[ $output == *"closed peer closed the connection with the application error 0x104"* ]]
}

@test "gtlsclient connects, with Retry too, and through loss" {
  needs gtlsclient
  serve
  ask
  grep -q '^opened QUIC v1, TLS1.3' served
  grep -q '^closed clean, data, moved 0' served
  serve --retry
  ask
  grep -q '^closed clean, data, moved 0' served
  serve
  ask --tx-loss=0.2 --rx-loss=0.2 --handshake-timeout=30s
  grep -q '^closed clean, data' served
}

@test "gtlsclient moves, and is followed" {
  needs gtlsclient
  serve
  ask --change-local-addr=100ms --delay-stream=300ms
  grep -q '^closed clean, data, moved 1' served
  serve
  ask --change-local-addr=100ms --nat-rebinding --delay-stream=300ms
  grep -q '^closed clean, data, moved 1' served
}

@test "gtlsclient takes new keys" {
  needs gtlsclient
  serve
  ask --key-update=100ms --delay-stream=300ms
  grep -q '^closed clean, data' served
}

@test "gtlsclient asks for a version that is not there" {
  needs gtlsclient
  serve
  timeout 20 gtlsclient -q -v 0x1a2a3a4a 127.0.0.1 "$port" "https://localhost:$port/" \
    >asked 2>&1 3>&- || :
  # Whether it then tries again is its own affair; the next one gets in.
  : >served
  ask
  grep -q '^closed clean, data' served
}

@test "gtlsserver is spoken to, with Retry, new keys, and from elsewhere" {
  needs gtlsserver openssl python3
  theirs
  dial
  [[ $output == *"opened QUIC v1, TLS1.3, AES-128-GCM, certificate of localhost"* ]]
  dial --update-keys
  dial --migrate
  [[ $stderr == *"migrated to 127.0.0.1:"* ]]
  theirs --validate-addr
  dial --migrate --update-keys
  theirs --tx-loss=0.2 --rx-loss=0.2
  # Its close can be lost as well, and is not said for long.
  dial_whatever_ends
  [[ $output == *"opened QUIC v1, TLS1.3"* ]]
  [[ $output == *"the application error 0x104"* || $output == *"nothing came from the peer"* ]]
}

@test "a file of qlog is written for each connection" {
  mkdir logs
  serve --qlog-dir logs
  run -0 quic_ends dial --sink 1 --qlog-dir logs "127.0.0.1:$port"
  wait_until grep -q closed served
  local files=(logs/*.sqlog)
  [ "${#files[@]}" = 2 ]
  local server=${files[0]%_*} client=${files[1]%_*}
  [ "$server" = "$client" ]
  grep -q packet_sent "${files[0]}" && grep -q packet_sent "${files[1]}"
}

# --- networks that change -----------------------------------------------------

right_serves() { # address
  : >served
  right quic_ends serve --verbose "$1:0" >served 2>served.err 3>&- &
  pids+=($!)
  wait_until grep -q listening served
  port=$(sed -n 's/^listening .*://p' served)
}

# Not by way of left: the signal is not for a shell.
left_floods() { # address: until floods_end
  : >dialled
  ip netns exec "$left" quic_ends dial --verbose --flood "$1:$port" >dialled 2>notes 3>&- &
  flooder=$!
  pids+=("$flooder")
  wait_until grep -q flooding dialled
}

floods_end() {
  kill -INT "$flooder"
  wait_until grep -q closed served
  grep -q '^closed clean' served
}

@test "a client whose address goes takes the next one" {
  namespaces_up
  right_serves 192.0.2.2
  left_floods 192.0.2.2
  ip -n "$left" address del 192.0.2.1/24 dev wk0
  wait_until grep -q 'looking for another way' notes
  ip -n "$left" address add 192.0.2.3/24 dev wk0
  wait_until grep -q 'migrated to 192.0.2.3' notes
  wait_until grep -q 'peer is at 192.0.2.3' served.err
  floods_end
  grep -q '^closed clean, no data, moved 1' served
  [ "$(grep -c . notes)" -lt 10 ]
}

@test "a client outlives a link that is down for a while" {
  namespaces_up
  right_serves 192.0.2.2
  left_floods 192.0.2.2
  ip -n "$left" link set wk0 down
  wait_until grep -q 'looking for another way' notes
  ip -n "$left" link set wk0 up
  ip -n "$left" neighbour replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev wk0
  wait_until grep -q 'migrated to 192.0.2.1' notes
  wait_until grep -q 'peer is at 192.0.2.1' served.err
  floods_end
}

@test "a listener at every address answers from the right one" {
  namespaces_up
  ip -n "$right" address add 192.0.2.9/24 dev wk0
  ip -n "$right" address add 2001:db8::9/64 dev wk0 nodad
  right_serves 0.0.0.0
  left_floods 192.0.2.9
  floods_end
  right_serves '[::]'
  left_floods '[2001:db8::9]'
  floods_end
}

many_are_marked() {
  [ "$(right nft list ruleset | sed -n 's/.*packets \([0-9]*\) .*/\1/p')" -gt 10 ]
}

@test "marks of ECN arrive and are acknowledged" {
  namespaces_up
  right_serves 192.0.2.2
  nft_rules "$right" input 'udp dport != 0 ip ecn ect0 counter' ||
    skip "needs nftables"
  left_floods 192.0.2.2
  wait_until many_are_marked
  floods_end
}
