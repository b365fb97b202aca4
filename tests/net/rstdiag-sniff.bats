#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live captures of real resets, in a network namespace of the test's own.

load ../cli/tool

setup() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  command -v ip >/dev/null || skip "needs iproute2"
  cd "$BATS_TEST_TMPDIR" || exit
  chmod 755 .
  ns=wk-sniff-$$-$BATS_TEST_NUMBER
  ip netns add "$ns" || skip "network namespaces are not allowed here"
  ip -n "$ns" link set lo up
  ip -n "$ns" link add veth0 type veth peer name veth1
  ip -n "$ns" link set veth0 up
  ip -n "$ns" link set veth1 up
  ip -n "$ns" address add 192.0.2.1/24 dev veth0
  ip -n "$ns" address add 2001:db8::1/64 dev veth0 nodad
}

teardown() {
  [ -n "${sniffer-}" ] && kill "$sniffer" 2>/dev/null
  ip netns delete "$ns" 2>/dev/null || :
}

inside() {
  ip netns exec "$ns" "$@"
}

# Start the sniffer and wait until it listens.
start() {
  ip netns exec "$ns" rstdiag-sniff "$@" >out 2>err 3>&- &
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
  start -q -t -i any
  knock 127.0.0.1 9 2>/dev/null
  wait_until grep -q '127.0.0.1.9 >' out
}

# start needs the notice; -q has none.
@test "quiet says nothing on stderr" {
  inside timeout 10 rstdiag-sniff -q -i lo -m 0.1 2>err
  [ ! -s err ]
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
  command -v setpriv >/dev/null || skip "needs setpriv"
  run -4 --separate-stderr inside setpriv --reuid=65534 --clear-groups rstdiag-sniff -i lo
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

@test "VLAN tags are seen through" {
  ip -n "$ns" link add link veth0 name tagged type vlan id 7
  ip -n "$ns" link set tagged up
  ip -n "$ns" address add 198.51.100.1/24 dev tagged
  ip -n "$ns" neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev tagged
  start -t -v -i veth1
  # Nobody answers 198.51.100.2; an aborted connection attempt sends nothing,
  # so let the kernel refuse a segment that claims to come from there.
  inside python3 - <<'EOF'
import socket, struct
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
src, dst = socket.inet_aton("198.51.100.2"), socket.inet_aton("198.51.100.1")
def tcp(check):
    return struct.pack("!HHIIBBHHH", 4000, 9, 1, 5000, 0x50, 0x10, 0, check, 0)
check = checksum(src + dst + struct.pack("!BBH", 0, 6, 20) + tcp(0))
def ip(check):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, check, src, dst)
with open("/sys/class/net/veth0/address") as f:
    mac = bytes.fromhex(f.read().strip().replace(":", ""))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("veth1", 0))
s.send(mac + bytes.fromhex("020000000002") + struct.pack("!HHH", 0x8100, 7, 0x800)
       + ip(checksum(ip(0))) + tcp(check))
EOF
  wait_until grep -q '^IP 198.51.100.1.9 > 198.51.100.2.4000: \[R\] seq 5000 .*vlan 7' out
}
