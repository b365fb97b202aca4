#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real connections between two network namespaces, and what ends them.

load ../cli/tool
load namespaces

setup() {
  namespaces_up
  cd "$BATS_TEST_TMPDIR" || exit
  chmod 755 .
}

teardown() {
  namespaces_down
}

# Start rstdiag-send in a namespace; its pid in $tool. Output in out and err.
start() {
  local where=$1
  shift
  rm -f out err
  # A shell has its background jobs ignore SIGINT.
  ip netns exec "$where" env --default-signal=INT rstdiag-send "$@" >out 2>err 3>&- &
  tool=$!
  wait_until grep -qE '^rstdiag-send: (answering|watching)' err
}

stop() {
  kill -INT "$tool"
  wait "$tool"
}

# peer NAME WHERE ROLE ADDRESS PORT WHAT; lines in NAME.
peer() {
  local name=$1 where=$2
  shift 2
  rm -f "$name"
  ip netns exec "$where" python3 "$WK_SOURCE/tests/peers/peer.py" "$@" >"$name" 3>&- &
}

# A connection from left to right: what right does, what left does, 4 or 6.
# Sets $src and $dst, left and right as options take them.
connection() {
  local port
  if [ "$3" = 4 ]; then right_address=192.0.2.2; else right_address=2001:db8::2; fi
  peer server "$right" listen "$right_address" 0 "$1"
  wait_until grep -q ready server
  read -r _ port <server
  peer client "$left" connect "$right_address" "$port" "$2"
  wait_until grep -q open server
  wait_until grep -q open client
  read -r _ src dst <client
  if [ "$3" = 4 ]; then
    src=192.0.2.1:$src dst=192.0.2.2:$dst
  else
    src="[2001:db8::1]:$src" dst="[2001:db8::2]:$dst"
  fi
}

ended() { # name how
  wait_until grep -q "^end .* $2\$" "$1" || { cat "$1"; return 1; }
}

lives() { # name
  ! grep -q '^end' "$1" || { cat "$1"; return 1; }
}

# One connection attempt from the left; says how it ended.
knock() { # address port
  ip netns exec "$left" timeout 20 python3 "$WK_SOURCE/tests/peers/peer.py" connect "$1" "$2" idle | tail -n 1
}

silence_kernel() { # port: segments to it never reach the kernel of the right
  nft_rules "$right" input "tcp dport $1 drop"
}

# --- answering ----------------------------------------------------------------

@test "a SYN to a port that is silent otherwise is refused, over IPv4 and IPv6" {
  silence_kernel 4444
  start "$right" --listen 4444 --code closed
  [ "$(knock 192.0.2.2 4444)" = "end 0 4444 ECONNREFUSED" ]
  [ "$(knock 2001:db8::2 4444)" = "end 0 4444 ECONNREFUSED" ]
  stop
  [ "$(wc -l <out)" -eq 2 ]
  sed -n 1p out | grep -Eq ' IP 192\.0\.2\.2\.4444 > 192\.0\.2\.1\.[0-9]+: \[R\.\] seq 0 ack [0-9]+ ttl 64 len 8 .* compact code 4 \(Segment received in CLOSED state, ietf-03\) pen 0$'
  sed -n 2p out | grep -Eq ' IP6 2001:db8::2\.4444 > 2001:db8::1\.[0-9]+: \[R\.\] seq 0 '
  grep -qx 'rstdiag-send: 2 segments seen, 2 answered' err
}

@test "a sniffer at the other end reads what was said" {
  silence_kernel 4444
  ip netns exec "$left" rstdiag-sniff -t -i wk0 -c 1 >sniffed 2>sniffed.err 3>&- &
  local sniffer=$!
  wait_until grep -q listening sniffed.err
  start "$right" --listen 4444 --format cbor-seq --registry 2022 --code not-authorized --description 'no <b>entry</b>'
  knock 192.0.2.2 4444 >/dev/null
  wait "$sniffer"
  grep -q 'len 23 192.0.2.2 claims rst-diag cbor-seq code 5 .* "no <b>entry</b>"' sniffed
}

# One more interface with link-local addresses, to go wrong with.
decoy() { # namespace
  ip -n "$1" link add decoy type veth peer name other
  ip -n "$1" link set decoy up
  ip -n "$1" link set other up
  ip -n "$1" -6 route add fe80::/64 dev decoy metric 1
}

@test "a link-local peer is answered through its own interface" {
  silence_kernel 4444
  decoy "$right"
  start "$right" --listen 4444 --code closed
  [ "$(knock fe80::ff:fe00:2%wk0 4444)" = "end 0 4444 ECONNREFUSED" ]
  stop
  grep -q 'IP6 fe80::ff:fe00:2.4444 > fe80::ff:fe00:1' out
}

@test "an expression answers established connections, too" {
  connection idle chat 4
  silence_kernel "${dst##*:}"
  start "$right" --answer -i wk0 --code resource "tcp dst port ${dst##*:}"
  ended client ECONNRESET
  stop
}

@test "nobody is answered for others, for many, or for addresses from elsewhere" {
  start "$right" --answer --code closed -i wk0 --json 'tcp dst port 4444'
  # frame MAC SRC DST: a SYN to port 4444 from $left; checksums do not matter
  frame() {
    left python3 -c '
import socket, struct, sys
mac, src, dst = sys.argv[1:]
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, socket.inet_aton(src), socket.inet_aton(dst))
tcp = struct.pack("!HHIIBBHHH", 1024, 4444, 1, 0, 0x50, 2, 500, 0, 0)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("wk0", 0))
s.send(bytes.fromhex(mac) + bytes.fromhex("0200000000010800") + ip + tcp)' "$@"
  }
  frame 020000000002 127.0.0.1 192.0.2.2
  frame 020000000002 192.0.2.1 127.0.0.1
  frame 020000000002 192.0.2.2 192.0.2.2
  frame 020000000002 240.0.0.1 192.0.2.2
  frame ffffffffffff 192.0.2.1 192.0.2.2
  frame 020000000099 192.0.2.1 192.0.2.77
  frame 020000000002 192.0.2.1 192.0.2.2
  wait_until grep -q '"sent"' out
  stop
  [ "$(tail -n 1 out | jq -c '[.seen, .answered, .no_host]')" = '[7,1,6]' ]
}

@test "resets are not answered" {
  # Out go SYNs, which are not what arrives; back come the kernel's resets.
  start "$left" --answer --code closed -i wk0 'tcp port 5'
  [ "$(knock 192.0.2.2 5)" = "end 0 5 ECONNREFUSED" ]
  stop
  [ ! -s out ]
  grep -qx 'rstdiag-send: 0 segments seen, 0 answered' err
}

@test "rules: the first that matches, ignore, empty, and SIGHUP reads them again" {
  silence_kernel 4440-4449
  cat >rules <<'END'
# port by port
ignore        -          tcp dst port 4441
empty         -          tcp dst port 4442
32473:7       -          tcp dst port 4443
not-authorized -         tcp dst portrange 4440-4449
END
  start "$right" --answer -i wk0 --rules rules --json
  knock 192.0.2.2 4442
  knock 192.0.2.2 4443
  knock 192.0.2.2 4444
  peer ignored "$left" connect 192.0.2.2 4441 idle
  local ignored=$!
  reported() { kill -USR1 "$tool" && grep -q '"status".*"ignored":[1-9]' out; }
  wait_until reported
  [ ! -s ignored ]
  [ "$(jq -c 'select(.event == "sent") | [.sport, .code, .pen]' out | tr '\n' ' ')" = '[4442,null,null] [4443,7,32473] [4444,11,0] ' ]

  # Bad ones leave the old in force.
  echo 'closed - tcp dst prot 4444' >rules
  kill -HUP "$tool"
  wait_until grep -q 'the rules from before stay' err
  grep -q '^rstdiag-send: rules: line 1: ' err
  [ "$(knock 192.0.2.2 4444)" = "end 0 4444 ECONNREFUSED" ]
  refused() { [ "$(jq -c 'select(.event == "sent") | .code' out | tr '\n' ' ')" = 'null 7 11 11 ' ]; }
  wait_until refused

  kill "$ignored"	# it shall not try again
  printf 'ignore - tcp dst port 4444\nclosed - tcp dst port 4441\n' >rules
  kill -HUP "$tool"
  wait_until grep -qx 'rstdiag-send: rules: 2 rules read' err
  [ "$(knock 192.0.2.2 4441)" = "end 0 4441 ECONNREFUSED" ]
  stop
  [ "$(jq -c 'select(.event == "summary") | [.answered, .reloads, .failed_reloads]' out)" = '[5,1,1]' ]
  [ "$(jq -c 'select(.event == "summary") | .ignored > 0' out)" = true ]
}

@test "rules that cannot be read again are announced" {
  mkdir locked
  echo 'closed - tcp' >locked/rules
  chmod 700 locked
  start "$right" --answer -i wk0 --rules locked/rules
  grep -q '^rstdiag-send: warning: locked/rules: SIGHUP cannot read it again' err
  kill -HUP "$tool"
  wait_until grep -q 'locked/rules: Permission denied' err
  wait_until grep -q 'the rules from before stay' err
  stop
  start "$right" --answer -i wk0 --rules locked/rules -Z root
  kill -HUP "$tool"
  wait_until grep -q '1 rules read' err
  stop
}

@test "answers keep to the rate, and the rest is counted" {
  silence_kernel 4444
  start "$right" --listen 4444 --code closed --rate 5 --json
  ip netns exec "$left" python3 "$WK_SOURCE/tests/peers/flood.py" syn 192.0.2.1 192.0.2.2 4444 500
  seen() { kill -USR1 "$tool" && tail -n 1 out | grep -q '"seen":500,'; }
  wait_until seen
  stop
  # The burst is 5; how long the flood lasts is up to the machine.
  [ "$(tail -n 1 out | jq '.answered >= 5 and .rate_limited > 0')" = true ]
  [ "$(tail -n 1 out | jq '.answered + .rate_limited')" = 500 ]
  [ "$(tail -n 1 out | jq -r .event)" = summary ]
  [ "$(grep -c '"status"' out)" -ge 1 ]
}

@test "-c ends after so many answers, --max-time with 1 when there were less" {
  silence_kernel 4444
  start "$right" --listen 4444 --code closed -c 1
  knock 192.0.2.2 4444
  wait "$tool"
  run -1 --separate-stderr right rstdiag-send -q --listen 4444 -c 1 --max-time 0.2
  [ -z "$stderr" ]
}

@test "--dry-run says what it would answer, and does not" {
  silence_kernel 4444
  start "$right" --listen 4444 --code closed --dry-run
  peer client "$left" connect 192.0.2.2 4444 idle
  wait_until grep -q '^45' out
  stop
  grep -q 'code 4 ' out
  [ ! -s client ]
}

@test "-w keeps the answers instead of sending them, packet by packet" {
  silence_kernel 4444
  start "$right" --listen 4444 --code closed -w answers.pcap
  peer client "$left" connect 192.0.2.2 4444 idle
  kept() { rstdiag-sniff -q -r answers.pcap | grep -q 'code 4'; }
  wait_until kept
  stop
}

@test "garbage does not disturb the answerer" {
  silence_kernel 4444
  start "$right" --answer -i wk0 --code closed --rate 0 ip or ip6
  ip netns exec "$left" python3 "$WK_SOURCE/tests/peers/flood.py" garbage 192.0.2.1 192.0.2.2 4444 2000
  [ "$(knock 192.0.2.2 4444)" = "end 0 4444 ECONNREFUSED" ]
  stop
  grep -Eq '^rstdiag-send: [0-9]+ cut, fragmented or malformed$' err
}

@test "a closed port on the loopback is answered beside the kernel" {
  start "$left" --listen 9 --code closed -i lo
  left python3 "$WK_SOURCE/tests/peers/peer.py" connect 127.0.0.1 9 idle
  left python3 "$WK_SOURCE/tests/peers/peer.py" connect ::1 9 idle
  two() { [ "$(wc -l <out)" -eq 2 ]; }
  wait_until two
  stop
  grep -q 'IP 127.0.0.1.9 > 127.0.0.1' out
  grep -q 'IP6 ::1.9 > ::1' out
  grep -qx 'rstdiag-send: 2 segments seen, 2 answered' err
}

@test "a netfilter rule against resets is named, the others go on" {
  silence_kernel 4444-4445
  nft_rules "$right" output 'tcp sport 4444 tcp flags rst drop'
  start "$right" --listen 4444 --code closed
  peer client1 "$left" connect 192.0.2.2 4444 idle
  peer client2 "$left" connect 192.0.2.2 4444 idle
  twice() { kill -USR1 "$tool" && grep -q ' 2 answers that could not be sent' err; }
  wait_until twice
  stop
  grep -qx 'rstdiag-send: sending to 192.0.2.1: Operation not permitted (a netfilter OUTPUT rule drops it; see nft list ruleset)' err
  [ "$(grep -c netfilter err)" -eq 1 ]
  grep -Eq '^rstdiag-send: [0-9]+ answers that could not be sent$' err
  grep -Eq '^rstdiag-send: [0-9]+ of those: Operation not permitted$' err
}

@test "privileges are gone once the sockets are open" {
  start "$right" --listen 4444 --code closed
  [ "$(awk '$1 == "Uid:" { print $2 $3 $4 $5 }' "/proc/$tool/status")" = "$(id -u nobody | sed 's/.*/&&&&/')" ]
  [ "$(awk '$1 == "CapEff:" || $1 == "CapPrm:" { print $2 }' "/proc/$tool/status" | sort -u)" = 0000000000000000 ]
  silence_kernel 4444
  [ "$(knock 192.0.2.2 4444)" = "end 0 4444 ECONNREFUSED" ]
  stop
}

@test "an answerer ends when the reader of its output leaves" {
  silence_kernel 4444
  mkfifo pipe
  ip netns exec "$right" bash -c 'trap "" PIPE; exec rstdiag-send --listen 4444 --code closed' >pipe 2>err 3>&- &
  tool=$!
  head -n 1 pipe >out 3>&- &
  wait_until grep -q answering err
  knock 192.0.2.2 4444
  gone() { ! kill -0 "$tool" 2>/dev/null; }
  wait_until gone
  wait "$tool"
  grep -q 'code 4' out
}

# --- resetting ----------------------------------------------------------------

@test "a connection with traffic is reset with numbers that were seen" {
  local family
  for family in 4 6; do
    connection chat chat "$family"
    run -0 --separate-stderr left rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --code resource
    [[ "${lines[0]}" == *"[R.] seq "*" compact code 12 (Resource exceeded, ietf-03) pen 0" ]]
    [[ "$stderr" == *"rstdiag-send: 1 connection, "*" sent; the destination knows it no more" ]]
    ended server ECONNRESET
  done
}

@test "an idle connection is reset with numbers that a probe brings" {
  local family
  for family in 4 6; do
    connection idle idle "$family"
    run -0 --separate-stderr left rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --code timeout --probe
    [[ "$stderr" == *"; the destination knows it no more" ]]
    ended server ECONNRESET
    # Neither probe nor question harms the end that was not to be reset.
    lives client
  done
}

@test "without traffic the probe comes by itself, or not at all" {
  connection idle idle 4
  run -3 --separate-stderr left rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --no-probe -m 0.3
  [[ "${stderr_lines[1]}" == "rstdiag-send: no segment of that connection seen in "*" s; an idle connection needs --probe" ]]
  run -3 --separate-stderr left rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --dry-run -m 0.3
  [[ "${stderr_lines[1]}" == "rstdiag-send: no segment of that connection seen in "*" s; a probe would be needed, which --dry-run does not send" ]]
  lives server
  run -0 --separate-stderr left rstdiag-send -v --reset -i wk0 --src "$src" --dst "$dst" --watch 0.1
  [[ "$stderr" == *"* no segment seen yet, probe 1 with SEQ "* ]]
  ended server ECONNRESET
}

@test "--dry-run shows live numbers and leaves the connection alone" {
  connection chat chat 4
  run -0 --separate-stderr left rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --code abort --dry-run
  [[ "${lines[0]}" == *" IP ${src/:/.} > ${dst/:/.}: [R.] seq "*" code 3 "* ]]
  [[ "${lines[1]}" == 4500003000004000* ]]
  lives server
}

@test "--both resets both ends, busy or idle, here or there" {
  connection idle idle 6
  run -0 left rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --both --probe
  ended server ECONNRESET
  ended client ECONNRESET
  connection idle write 4
  run -0 right rstdiag-send --reset -i wk0 --src "$src" --dst "$dst" --both
  ended server ECONNRESET
  ended client ECONNRESET
}

@test "a busy connection is reset, with and without --spray" {
  local option
  for option in --spray=1 --spray=16 '--spray=32 --spray-step=65160'; do
    connection idle write 4
    # shellcheck disable=SC2086 # words
    run -0 left rstdiag-send -q --reset --src "$src" --dst "$dst" --code resource $option
    ended server ECONNRESET
  done
}

@test "every connection that matches an expression, up to a count" {
  connection chat chat 4
  mv server server1
  local first=$dst
  connection chat chat 6
  run -0 --separate-stderr right rstdiag-send --json --reset --code resource -c 2 "tcp port ${first##*:} or tcp port ${dst##*:}"
  ended server ECONNRESET
  ended server1 ECONNRESET
  [ "$(tail -n 1 <<<"$output" | jq -c '[.event, .mode, .connections, .still_alive]')" = '["summary","reset",2,0]' ]
}

@test "a new connection is refused in the middle of its handshake" {
  silence_kernel 4444
  start "$left" --reset -i wk0 --both --code not-authorized --rate 0 'tcp dst port 4444'
  [ "$(knock 192.0.2.2 4444)" = "end 0 4444 ECONNREFUSED" ]
  stop
}

@test "loopback connections are reset, too" {
  ip netns exec "$left" python3 "$WK_SOURCE/tests/peers/peer.py" listen 127.0.0.1 0 chat >server 3>&- &
  wait_until grep -q ready server
  local port from
  read -r _ port <server
  peer client "$left" connect 127.0.0.1 "$port" chat
  wait_until grep -q open client
  read -r _ from _ <client
  run -0 left rstdiag-send --reset -i lo --src "127.0.0.1:$from" --dst "127.0.0.1:$port"
  ended server ECONNRESET
}

@test "a connection that is not there is said to be so, exit code 3" {
  run -3 --separate-stderr left rstdiag-send -q --reset -i wk0 --src 192.0.2.1:5 --dst 192.0.2.2:6 --probe
  [ "$stderr" = "rstdiag-send: no such connection: the probe was answered with a reset" ]
  peer server "$right" listen 192.0.2.2 0 idle
  wait_until grep -q ready server
  local port
  read -r _ port <server
  # Nobody on the left: its kernel must not interfere with a reset.
  nft_rules "$left" input "tcp sport $port drop"
  run -3 --separate-stderr left rstdiag-send -q --reset -i wk0 --src 192.0.2.1:5 --dst "192.0.2.2:$port" --probe
  [ "$stderr" = "rstdiag-send: no such connection: the probe was answered with a new connection, which was taken back" ]
  half_open() { [ "$(ip netns exec "$right" ss -Htn state syn-recv | wc -l)" -eq "$1" ]; }
  wait_until half_open 0
}

@test "a peer that never answers: probes, then exit code 3" {
  nft_rules "$right" input 'tcp dport 6 drop'
  run -3 --separate-stderr left rstdiag-send -q --reset -i wk0 --src 192.0.2.1:5 --dst 192.0.2.2:6 --probe -m 1
  [[ "$stderr" == "rstdiag-send: no segment of that connection seen in 1"*" s, and no answer to 2 probes" ]]
}

@test "Ctrl-C before the goal is death by the signal, after an open end it is not" {
  start "$left" --reset -i wk0 --src 192.0.2.1:5 --dst 192.0.2.2:6 --no-probe
  local how=0
  kill -INT "$tool"
  wait "$tool" || how=$?
  [ "$how" -eq 130 ]
  start "$left" --reset -i wk0 'tcp port 5'
  stop
}

# What a reset with payload cannot do: a receiver whose window is closed drops
# it, because it reaches beyond (seen with Linux 6.18; older ones may not).
@test "a closed window: --also-empty gets through where the payload does not" {
  connection stall write 4
  stuck() { ip netns exec "$right" ss -Htn state established | awk '$1 > 4000 { n++ } END { exit !n }'; }
  wait_until stuck
  run --separate-stderr left rstdiag-send -q --reset -i wk0 --src "$src" --dst "$dst" --code resource
  if grep -q '^end' server; then
    skip "this kernel takes a reset with payload into a closed window"
  fi
  [ "$status" -eq 1 ]
  [ "$stderr" = "rstdiag-send: 1 of 1 connections still alive after 5.0 s of resets; where the window is closed, --also-empty helps" ]
  run -0 left rstdiag-send -q --reset -i wk0 --src "$src" --dst "$dst" --code resource --also-empty
  ended server ECONNRESET
}

# --- crafting -----------------------------------------------------------------

@test "a crafted reset arrives as it was described" {
  ip netns exec "$right" rstdiag-sniff -t -v -i wk0 -c 3 >sniffed 2>sniffed.err 3>&- &
  local sniffer=$!
  wait_until grep -q listening sniffed.err
  left rstdiag-send -q --src 198.51.100.20:443 --dst 192.0.2.2:50000 --seq 7 --ack 9 \
    --ttl 7 --window 5 --ip-id 99 --code malformed --code abort --also-empty
  wait "$sniffer"
  [ "$(sed -n 1p sniffed)" = "IP 198.51.100.20.443 > 192.0.2.2.50000: [R.] seq 7 ack 9 ttl 7 id 99 df win 5 cksum ok len 8 198.51.100.20 claims rst-diag compact code 10 (Malformed message, ietf-03; Resource exceeded, ietf-00) pen 0" ]
  sed -n 2p sniffed | grep -q 'seq 7 ack 9 .* code 3 '
  sed -n 3p sniffed | grep -q 'seq 7 ack 9 .* len 0$'
  : >sniffed.err
  ip netns exec "$right" rstdiag-sniff -t -v -i wk0 -c 1 >sniffed 2>sniffed.err 3>&- &
  sniffer=$!
  wait_until grep -q listening sniffed.err
  left rstdiag-send -q --src '[2001:db8:5::1]:443' --dst '[2001:db8::2]:50000' --seq 7 --badsum --ttl 3 -i wk0
  wait "$sniffer"
  [ "$(cat sniffed)" = "IP6 2001:db8:5::1.443 > 2001:db8::2.50000: [R] seq 7 ttl 3 win 0 cksum incorrect len 0" ]
}

@test "a link-local destination needs its interface" {
  run -2 --separate-stderr left rstdiag-send --src '[fe80::1]:1' --dst '[fe80::2]:2' --seq 1
  [[ "$stderr" == "rstdiag-send: --dst fe80::2 is link-local and needs its interface"* ]]
  decoy "$left"
  ip netns exec "$right" rstdiag-sniff -t -i wk0 -c 2 >sniffed 2>sniffed.err 3>&- &
  local sniffer=$!
  wait_until grep -q listening sniffed.err
  run -0 left rstdiag-send --src '[fe80::1]:1' --dst '[fe80::ff:fe00:2%wk0]:2' --seq 1
  run -0 left rstdiag-send --src '[fe80::1]:1' --dst '[fe80::ff:fe00:2]:2' --seq 2 -i wk0
  wait "$sniffer"
}

@test "a packet beyond the MTU is named with both sizes" {
  ip -n "$left" link set wk0 mtu 1300
  big=$(printf '%02600d' 0)
  run -4 --separate-stderr left rstdiag-send --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 --payload-hex "$big"
  [ "${stderr_lines[0]}" = "rstdiag-send: sending to 192.0.2.2: Message too long (1340 octets, the MTU is 1300)" ]
  run -4 --separate-stderr left rstdiag-send -q --src '[2001:db8::1]:1' --dst '[2001:db8::2]:2' --seq 1 --payload-hex "$big"
  [ "$stderr" = "rstdiag-send: sending to 2001:db8::2: Message too long (1360 octets, the MTU is 1300)" ]
}

@test "a netfilter rule against our own resets is named" {
  nft_rules "$left" output 'tcp flags rst drop'
  run -4 --separate-stderr left rstdiag-send -q --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1
  [ "$stderr" = "rstdiag-send: sending to 192.0.2.2: Operation not permitted (a netfilter OUTPUT rule drops it; see nft list ruleset)" ]
  [ -z "$output" ]
  run -4 --separate-stderr left rstdiag-send -q --src '[2001:db8::1]:1' --dst '[2001:db8::2]:2' --seq 1
}

@test "-i sends through that interface and no other" {
  run -3 left rstdiag-send -q -i lo --src '[2001:db8::1]:1' --dst '[2001:db8::2]:2' --seq 1
  run -0 left rstdiag-send -q -i wk0 --src '[2001:db8::1]:1' --dst '[2001:db8::2]:2' --seq 1
}

@test "no route is a matter of the network, exit code 3" {
  run -3 --separate-stderr left rstdiag-send -q --src 192.0.2.1:1 --dst 203.0.113.2:2 --seq 1
  [ "$stderr" = "rstdiag-send: sending to 203.0.113.2: Network is unreachable" ]
}

@test "an interface that does not exist" {
  run -2 --separate-stderr left rstdiag-send -i wk7 --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1
  [ "$stderr" = "rstdiag-send: wk7: no such interface (-D lists them)" ]
  run -2 --separate-stderr left rstdiag-send -i wk7 --listen 5
  [ "$stderr" = "rstdiag-send: wk7: no such interface (-D lists them)" ]
  run -0 left rstdiag-send -D
  [[ "$output" == *wk0* ]]
}

@test "without the capability the reason is named" {
  run -4 --separate-stderr without_raw rstdiag-send --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1
  [ "$stderr" = "rstdiag-send: raw socket: Operation not permitted (needs CAP_NET_RAW)" ]
  run -4 --separate-stderr without_raw rstdiag-send --listen 5
  [[ "$stderr" == "rstdiag-send: any: "*"CAP_NET_RAW"* ]]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "-Z says who to become, and a wrong name is explained" {
  run -2 --separate-stderr left rstdiag-send -Z no-such-user --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1
  [ "$stderr" = "rstdiag-send: no user no-such-user" ]
}
