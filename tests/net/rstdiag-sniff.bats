#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live captures of real resets, in network namespaces of the test's own.

load ../cli/tool
load namespaces

setup() {
  namespaces_up
  ns=$left
  cd "$BATS_TEST_TMPDIR" || exit
  chmod 755 .
}

teardown() {
  namespaces_down
}

inside() {
  left "$@"
}

# Start the sniffer and wait until it listens. The shell makes background jobs
# ignore SIGINT, a terminal does not.
start() {
  ip netns exec "$ns" env --default-signal=INT rstdiag-sniff "$@" >out 2>err 3>&- &
  sniffer=$!
  wait_until grep -q '^rstdiag-sniff: listening on' err
}

stop() {
  kill -INT "$sniffer"
  wait "$sniffer"
}

knock() { # address port: a connection that nobody accepts
  inside python3 -c '
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
except ConnectionRefusedError:
    pass' "$@"
}

@test "resets of the kernel itself are seen over IPv4 and IPv6, Ctrl-C is clean" {
  start -t -i lo
  knock 127.0.0.1 9
  wait_until grep -q '^IP 127.0.0.1.9 > 127.0.0.1.[0-9]*: \[R.\] seq 0 ack [0-9]* ttl 64 len 0$' out
  knock ::1 9
  wait_until grep -q '^IP6 ::1.9 > ::1.[0-9]*: \[R.\] seq 0 ack [0-9]* ttl 64 len 0$' out
  stop
  [ "$(wc -l <out)" -eq 2 ]
  grep -q '^2 packets captured$' err
  grep -q '^0 packets dropped by kernel$' err
  grep -q '^2 resets: 2 without payload, 0 with diagnostic payload, 0 with another$' err
}

@test "any watches all interfaces" {
  start -t -i any
  knock 127.0.0.1 9
  wait_until grep -q '127.0.0.1.9 >' out
}

@test "quiet says nothing on stderr" {
  inside timeout 10 rstdiag-sniff -q -i lo -m 0.1 2>err
  [ ! -s err ]
}

@test "SIGUSR1 shows the counters and goes on" {
  start -t -i lo
  knock 127.0.0.1 9
  wait_until grep -q '127.0.0.1.9 >' out
  kill -USR1 "$sniffer"
  wait_until grep -q '^1 resets: 1 without payload' err
  knock 127.0.0.1 10
  wait_until grep -q '127.0.0.1.10 >' out
}

@test "-c 1 ends a live capture with 0, --max-time with 1" {
  start -t -i lo -c 1
  knock 127.0.0.1 9
  wait "$sniffer"
  run -1 inside rstdiag-sniff -q -i lo -c 1 -m 0.2
}

@test "expressions reach the kernel" {
  start -t -i lo tcp port 10
  knock 127.0.0.1 9
  knock 127.0.0.1 10
  wait_until grep -q '127.0.0.1.10 >' out
  stop
  [ "$(wc -l <out)" -eq 1 ]
  grep -q '^1 packets captured$' err
}

@test "-w writes live what matches, and each packet at once" {
  start -i lo -w live.pcap
  knock 127.0.0.1 9
  seen() { [ "$(rstdiag-sniff -q -r live.pcap 2>/dev/null | wc -l)" -eq 1 ]; }
  wait_until seen
  stop
}

@test "privileges are gone once the capture is open" {
  start -t -i lo
  local pid
  pid=$(pgrep -f "rstdiag-sniff -t -i lo" | tail -n 1)
  [ "$(awk '$1 == "Uid:" { print $2 $3 $4 $5 }' "/proc/$pid/status")" = "$(id -u nobody | sed 's/.*/&&&&/')" ]
  [ "$(awk '$1 == "CapEff:" || $1 == "CapPrm:" { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000000 ]
  [ "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$pid/status")" = 1 ]
  knock 127.0.0.1 9
  wait_until grep -q '127.0.0.1.9 >' out
}

@test "-Z says who to become, and a wrong name is explained" {
  run -2 --separate-stderr inside rstdiag-sniff -i lo -Z no-such-user
  [ "$stderr" = "rstdiag-sniff: no user no-such-user" ]
}

@test "without the capability the reason is named" {
  run -4 --separate-stderr without_raw rstdiag-sniff -i lo
  [[ "$stderr" == "rstdiag-sniff: lo: "*"CAP_NET_RAW"* ]]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "a live capture ends when the reader of its output leaves" {
  mkfifo pipe
  ip netns exec "$ns" bash -c 'trap "" PIPE; exec rstdiag-sniff -t -i lo' >pipe 2>err 3>&- &
  sniffer=$!
  head -n 1 pipe >out 3>&- &
  wait_until grep -q 'listening on' err
  knock 127.0.0.1 9
  gone() { ! kill -0 "$sniffer" 2>/dev/null; }
  wait_until gone
  wait "$sniffer"
  grep -q '127.0.0.1.9 >' out
}

# Put a frame on the wire: it leaves $right and arrives at $left.
send_frame() { # hex
  right python3 -c '
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("wk0", 0))
s.send(bytes.fromhex(sys.argv[1]))' "$1"
}

@test "VLAN tags and extension headers pass the kernel's filter" {
  local macs=ffffffffffff020000000001 v4 v6
  v4=$(packets V1 | cut -d ' ' -f 2)
  v6=$(packets V3 | cut -d ' ' -f 2)
  start -t -v -i wk0
  send_frame "${macs}81000007""0800$v4"
  wait_until grep -q '^IP 198.51.100.20.443 > .* vlan 7 .* code 5 ' out
  # One hop-by-hop header of padding in front of TCP.
  send_frame "${macs}86dd${v6:0:8}002400""${v6:14:66}0600010400000000${v6:80}"
  wait_until grep -q '^IP6 2001:db8:2::20.443 > .* code 16 ' out
}

@test "a filter that knows no VLAN still passes resets" {
  start -t -i any host 198.51.100.20
  send_frame "ffffffffffff0200000000010800$(packets V1 | cut -d ' ' -f 2)"
  wait_until grep -q '^IP 198.51.100.20.443 > .* code 5 ' out
}
