# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016
# Demo steps, sourced by bootstrap: $WK_DEMO is a folder for what they make.

heading "rstdiag-send: a reset that says why"

tell "A TCP reset only says \"no\". Newer drafts let it carry a reason: eight
octets with a code. Craft one, and let the sniffer read it from the pipe:"
show 'rstdiag-send --src 198.51.100.20:443 --dst 192.0.2.10:50000 --seq 1000 --ack 2000 \
      --code timeout --write - | rstdiag-sniff -q -t -r -'

tell "Without sending anything you can look at the octets:"
show 'rstdiag-send --code not-authorized --payload-only --dry-run'

tell "Reasons have names; the table of each draft is built in:"
show 'rstdiag-send --list-codes | head -n 5'

demo_live() {
  ip netns add "wk-demo-$$" 2>/dev/null || { skip "this machine allows no network namespaces"; return; }
  ns=wk-demo-$$
  ip -n "$ns" link set lo up
  inside="ip netns exec $ns"
  export inside

  tell "Now live, on the loopback of a network namespace made for this. A sniffer
watches; rstdiag-send answers whoever knocks at port 8443, as a firewall would.
(The kernel's own answer is silenced, so that ours is the only one.)"
  $inside rstdiag-sniff -t -i lo >"$WK_DEMO/seen" 2>"$WK_DEMO/sniff.err" &
  local sniffer=$!
  $inside nft -f - <<'EOF'
table inet demo {
  chain in { type filter hook input priority -300; tcp dport 8443 drop; }
}
EOF
  $inside rstdiag-send --listen 8443 -i lo --code not-authorized >/dev/null 2>"$WK_DEMO/answer.err" &
  local answerer=$!
  demo_wait grep -q answering "$WK_DEMO/answer.err"
  demo_wait grep -q listening "$WK_DEMO/sniff.err"
  show '$inside nc -v 127.0.0.1 8443'
  demo_wait grep -q 'code 11' "$WK_DEMO/seen"
  tell "What the sniffer saw:"
  show 'grep "code 11" $WK_DEMO/seen | head -n 1'
  kill "$answerer"
  wait "$answerer" || :
  $inside nft flush ruleset

  tell "An established connection on which nobody speaks: no segment shows its
numbers. A probe makes the other end tell them, then it is reset:"
  mkfifo "$WK_DEMO/idle"
  exec 9<>"$WK_DEMO/idle" # read and write, so that it never ends
  $inside nc -l 127.0.0.1 8444 <&9 >/dev/null 2>&1 &
  demo_wait demo_state listening
  $inside nc 127.0.0.1 8444 <&9 >/dev/null 2>&1 &
  demo_wait demo_state established
  PORT=$($inside ss -Htn state established '( dport = :8444 )' | awk '{ sub(/.*:/, "", $3); print $3 }')
  export PORT
  show '$inside ss -Htn state established "( dport = :8444 )"'
  show '$inside rstdiag-send -i lo --reset --probe --both --code resource \
      --src 127.0.0.1:$PORT --dst 127.0.0.1:8444'
  exec 9>&-
  show '$inside ss -Htn state established "( dport = :8444 )" | wc -l'
  tell "Both ends are gone, and the sniffer knows who claimed what:"
  kill "$sniffer"
  wait "$sniffer" || :
  show 'grep "code 12" $WK_DEMO/seen | head -n 2'
  tell "The summary it ended with:"
  show 'grep -v "^rstdiag-sniff: listening" $WK_DEMO/sniff.err'
}

demo_state() {
  $inside ss -Htna state "$1" '( sport = :8444 or dport = :8444 )' | grep -q 8444
}

if [ "$(id -u)" -ne 0 ]; then
  skip "sending needs root; run ./bootstrap demo as root to see the live part"
elif ! command -v nft >/dev/null || ! command -v nc >/dev/null || ! command -v ip >/dev/null; then
  skip "the live part needs ip, nft and nc"
else
  demo_live
fi
