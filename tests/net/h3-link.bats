#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram over bad links, in namespaces of the test's own: $left pings, $right
# echoes. Few kernels have netem, so loss, order and delay are those of
# tests/peers/link.py; what a device can do by itself is done to the veth pair.

load ../cli/tool
load h3
load namespaces

setup() {
  h3_setup
  namespaces_up
}

teardown() {
  h3_teardown
  namespaces_down
}

link() { # word ...: devices wk1 in both namespaces; descriptor 5 tells it more
  [ -c /dev/net/tun ] || skip "needs /dev/net/tun"
  mkfifo words
  exec 5<>words
  python3 "$scripts/link.py" "$left" "$right" "$@" <&5 >link.out 2>link.err 3>&- &
  pids+=($!)
  wait_until grep -q ready link.out
}

echoes_at() { # address option ...: the listener of the right, sets url
  local address=$1
  shift
  start served ip netns exec "$right" h3dgram --listen "$address:0" --cert both.pem --serve echo "$@"
  listener=$started
  wait_until grep -q 'listening on' served.err
  url=$(sed -n 's,.*listening on \(https://[^ ]*[0-9]\)/*.*,\1,p;T;q' served.err)
}

ping() { # option ...: to the end; sets status; summary is a file
  rm -f pings
  status=0
  left timeout 90 h3dgram -k -q --ping -j "$@" "$url" >pings 2>ping.err 5>&- || status=$?
  cat ping.err
  [ "$status" -ne 124 ]
  grep '"event":"summary"' pings >summary
  cat summary
}

holds() { # jq expression about the summary
  [ "$(jq "$1" summary)" = true ] || { echo "not so: $1"; return 1; }
}

# What was sent is answered or lost; each answer was told once.
agree() { # sent
  holds ".sent + .unsent == $1 and .answered + .lost == .sent"
  holds '.strangers == 0 and .duplicates == 0'
  [ "$(jq -s 'map(select(.event == "answer" and .late == false)) | length' pings)" = "$(jq .answered summary)" ]
  [ "$(jq -s 'map(select(.event == "answer" and .late == false).sequence) | unique | length' pings)" = \
    "$(jq .answered summary)" ]
}

# Capsules are repeated until they are there, and in order.
carries() { # address
  start second ip netns exec "$right" h3dgram --listen "$1:0" --cert both.pem --serve echo --capsules always
  wait_until grep -q 'listening on' second.err
  seq 500 | sed 's/$/ and something more/' >lines
  left timeout 90 h3dgram -k -q --capsules always -c 500 \
    "$(sed -n 's,.*listening on \(https://[^ ]*[0-9]\)/*.*,\1,p;T;q' second.err)" <lines >back 5>&-
  cmp lines back
}

@test "loss of 1, 5 and 20 percent" {
  local percent
  link delay=5
  echoes_at 198.51.100.2
  for percent in 1 5 20; do
    echo "loss=$percent seed=$percent" >&5
    ping -c 300 --interval 0.01 --linger 3
    [ "$status" -eq 0 ]
    agree 300
    # There and back: about twice that, by the same chances every time.
    echo "# $percent % each way: $(jq -c '[.sent, .answered, .lost]' summary)" >&3
    [ "$percent" -lt 5 ] || holds ".lost > 300 * $percent / 100 and .lost < 300 * $percent * 4 / 100"
    holds ".lost < 300 * $percent * 6 / 100 + 5"
    carries 198.51.100.2
  done
  ends_well
}

@test "packets out of order" {
  link delay=5 reorder=20
  echoes_at 198.51.100.2
  ping -c 300 --interval 0.003 --linger 3
  [ "$status" -eq 0 ]
  agree 300
  holds '.lost == 0 and .reordered > 10'
  [ "$(jq -s 'map(select(.reordered == true)) | length' pings)" -eq "$(jq .reordered summary)" ]
  carries 198.51.100.2
}

@test "packets that come twice are datagrams that come once" {
  link delay=5 duplicate=30
  echoes_at 198.51.100.2
  ping -c 300 --interval 0.003 --linger 3
  [ "$status" -eq 0 ]
  agree 300
  holds '.lost == 0 and .answered == 300'
  echo count >&5
  wait_until grep -q duplicated link.out
  [ "$(sed -n 's/.*duplicated \([0-9]*\).*/\1/p' link.out)" -gt 100 ]
  carries 198.51.100.2
}

@test "300 ms each way" {
  link delay=300
  echoes_at 198.51.100.2
  ping -c 10 --interval 0.1 --linger 5
  [ "$status" -eq 0 ]
  agree 10
  holds '.lost == 0 and .rtt_min_us > 600000'
  carries 198.51.100.2
}

@test "all of it together" {
  link delay=30 loss=3 duplicate=5 reorder=5
  echoes_at 198.51.100.2
  ping -c 300 --interval 0.01 --linger 3
  [ "$status" -eq 0 ]
  agree 300
  holds '.answered > 200'
  carries 198.51.100.2
}

@test "the smallest MTU of IPv6 carries what fits, and says what does not" {
  ip -n "$left" link set wk0 mtu 1280
  ip -n "$right" link set wk0 mtu 1280
  local address
  for address in 192.0.2.2 '[2001:db8::2]'; do
    echoes_at "$address"
    ping -c 20 --interval 0.01 --size 1100
    [ "$status" -eq 0 ]
    agree 20
    holds '.answered == 20 and .too_big == 0'
    # Larger than the path: not sent, and told.
    ping -c 20 --interval 0.01 --size 1300 --linger 0.5
    [ "$status" -eq 1 ]
    agree 20
    holds '.unsent == 20 and .too_big == 20'
    carries "$address"
    ends_well
  done
}

@test "an MTU that shrinks in the middle" {
  echoes_at 192.0.2.2
  start pings ip netns exec "$left" timeout 60 h3dgram -k -q --ping -j -c 150 --interval 0.02 --size 1000 \
    --linger 2 "$url"
  wait_until eval '[ "$(wc -l <pings.out)" -gt 20 ]'
  ip -n "$left" link set wk0 mtu 1280
  ip -n "$right" link set wk0 mtu 1280
  wait "$started"
  grep '"event":"summary"' pings.out >summary
  holds '.sent == 150 and .answered > 140'
}

@test "a link that is down for five seconds and comes back" {
  link delay=5
  echoes_at 198.51.100.2
  start pings ip netns exec "$left" timeout 60 h3dgram -k -q --ping -j -c 100 --interval 0.1 --linger 5 "$url"
  wait_until eval '[ "$(wc -l <pings.out)" -gt 10 ]'
  echo down >&5
  # The five seconds are what is tested.
  read -rt 5 <> <(:) || :
  echo up >&5
  wait "$started"
  grep '"event":"summary"' pings.out >summary
  cat summary
  holds '.answered + .lost == .sent and .sent + .unsent == 100'
  holds '.lost + .unsent > 20 and .answered > 20'
  # The last came back.
  [ "$(jq -s 'map(select(.event == "answer").sequence) | max' pings.out)" -eq 99 ]
}

@test "a link that does not come back: a timeout, its exit code, its sentence" {
  link delay=5
  echoes_at 198.51.100.2 --idle-timeout 2
  start pings ip netns exec "$left" timeout 60 h3dgram -k -q --ping -j --interval 0.1 "$url" --idle-timeout 2
  wait_until eval '[ "$(wc -l <pings.out)" -gt 10 ]'
  echo down >&5
  status=0
  wait "$started" || status=$?
  [ "$status" -eq 3 ]
  [[ $(<pings.err) == h3dgram:* ]]
  [ "$(wc -l <pings.err)" -eq 1 ]
  grep '"event":"summary"' pings.out >summary
  holds '.answered + .lost == .sent'
}

@test "nobody there: the handshake times out, with its exit code" {
  link delay=5
  echoes_at 198.51.100.2
  echo down >&5
  run -3 --separate-stderr left timeout 30 h3dgram -k --connect-timeout 1 "$url" </dev/null
  [[ $stderr == h3dgram:* ]]
}

@test "the client's address changes in the middle" {
  echoes_at 192.0.2.2
  start pings ip netns exec "$left" timeout 60 h3dgram -k -q --ping -j -c 200 --interval 0.02 --linger 3 "$url"
  wait_until eval '[ "$(wc -l <pings.out)" -gt 20 ]'
  ip -n "$left" address add 192.0.2.11/24 dev wk0
  ip -n "$left" address del 192.0.2.1/24 dev wk0
  ip -n "$left" address add 192.0.2.11/24 dev wk0 2>/dev/null || :
  wait "$started"
  grep '"event":"summary"' pings.out >summary
  cat summary
  holds '.sent + .unsent == 200 and .answered > 100'
  [ "$(jq -s 'map(select(.event == "answer").sequence) | max' pings.out)" -eq 199 ]
}

@test "a NAT in between forgets the client's port" {
  # Another source port for packets from now on, as after a reboot of a NAT.
  echoes_at 192.0.2.2
  start pings ip netns exec "$left" timeout 60 h3dgram -k -q --ping -j -c 200 --interval 0.02 --linger 3 "$url"
  wait_until eval '[ "$(wc -l <pings.out)" -gt 20 ]'
  local from
  from=$(left ss -Hunp | sed -n 's/.*192\.0\.2\.1[^:]*:\([0-9]*\) .*h3dgram.*/\1/p;T;q')
  [ -n "$from" ]
  left nft -f - <<NFT
table ip wk {
	chain out {
		type filter hook output priority 0;
		ip daddr 192.0.2.2 udp sport $from udp sport set 7777
	}
	chain in {
		type filter hook prerouting priority -300;
		ip saddr 192.0.2.2 udp dport 7777 udp dport set $from
	}
}
NFT
  wait "$started"
  grep '"event":"summary"' pings.out >summary
  cat summary
  holds '.sent + .unsent == 200 and .answered > 150'
  [ "$(jq -s 'map(select(.event == "answer").sequence) | max' pings.out)" -eq 199 ]
}
