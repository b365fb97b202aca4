# SPDX-License-Identifier: MIT
# Two network namespaces of the test's own, joined by a veth pair wk0-wk0:
# $left has 192.0.2.1, 2001:db8::1 and fe80::ff:fe00:1, $right the same with 2.
# Call namespaces_up in setup and namespaces_down in teardown.

namespaces_up() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  command -v ip >/dev/null || skip "needs iproute2"
  left=wk-left-$$-$BATS_TEST_NUMBER
  right=wk-right-$$-$BATS_TEST_NUMBER
  ip netns add "$left" 2>/dev/null || skip "network namespaces are not allowed here"
  ip netns add "$right"
  ip -n "$left" link add wk0 address 02:00:00:00:00:01 type veth \
    peer name wk0 address 02:00:00:00:00:02 netns "$right"
  local ns host=1 other=2
  for ns in "$left" "$right"; do
    # Link-local addresses shall be good at once, and neighbours be known.
    ip netns exec "$ns" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/wk0/accept_dad'
    ip -n "$ns" link set lo up
    ip -n "$ns" link set wk0 up
    ip -n "$ns" address add "192.0.2.$host/24" dev wk0
    ip -n "$ns" address add "2001:db8::$host/64" dev wk0 nodad
    local address
    for address in 192.0.2.$other 2001:db8::$other fe80::ff:fe00:$other; do
      ip -n "$ns" neighbour add "$address" lladdr "02:00:00:00:00:0$other" dev wk0
    done
    host=2 other=1
  done
}

namespaces_down() {
  local pid
  # Whoever still runs inside would keep the namespace alive.
  for pid in $(ip netns pids "${left-none}" 2>/dev/null) $(ip netns pids "${right-none}" 2>/dev/null); do
    kill "$pid" 2>/dev/null || :
  done
  ip netns delete "${left-none}" 2>/dev/null || :
  ip netns delete "${right-none}" 2>/dev/null || :
}

left() {
  ip netns exec "$left" "$@"
}

right() {
  ip netns exec "$right" "$@"
}

# The rules of one nftables chain in a namespace: where hook rule...
nft_rules() {
  local where=$1 hook=$2 priority=0 rule
  shift 2
  [ "$hook" = input ] && priority=-300
  {
    echo "add table inet wk"
    echo "add chain inet wk $hook { type filter hook $hook priority $priority; }"
    for rule in "$@"; do
      echo "add rule inet wk $hook $rule"
    done
  } | ip netns exec "$where" nft -f -
}
