#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram as Debian 12 builds it with h3dgram as Debian 13 does, in the four
# pairings: their ngtcp2 and GnuTLS are two generations. tests/ci/70 runs this
# and says in WK_NEXT_ROOT where the second is built, in /src/build.

load ../cli/tool
load h3

setup() {
  h3_setup
  [ -x "${WK_NEXT_ROOT-}/src/build/h3dgram" ] || skip "needs WK_NEXT_ROOT with a built h3dgram"
}

teardown() {
  h3_teardown
}

h3dgram_of() { # here|next argument ...
  local whose=$1
  shift
  case $whose in
    here) exec h3dgram "$@" ;;
    next) exec "$next" shell "$WK_NEXT_ROOT" /src/build/h3dgram "$@" ;;
  esac
}

pair() { # server client
  local port url version
  start "$1-$2" h3dgram_of "$1" --listen 127.0.0.1:0 --serve echo
  wait_until grep -q 'listening on' "$1-$2.err"
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p;T;q' "$1-$2.err")
  url=https://127.0.0.1:$port
  for version in --http3 --http2 --http1.1; do
    [ "$(seq 500 | (h3dgram_of "$2" -k -q "$version" -c 500 "$url"))" = "$(seq 500)" ]
  done
  # In frames and in capsules, and counted.
  [ "$(seq 500 | (h3dgram_of "$2" -k -q --capsules always -c 500 "$url") | sort -n)" = "$(seq 500)" ]
  (h3dgram_of "$2" -k -q --ping -j -c 100 --interval 0.005 "$url") >pings
  [ "$(jq -c 'select(.event == "summary") | [.sent, .answered, .lost]' pings)" = "[100,100,0]" ]
}

@test "Debian 12 with Debian 12" {
  pair here here
}

@test "Debian 12 as a client of Debian 13" {
  pair next here
}

@test "Debian 13 as a client of Debian 12" {
  pair here next
}

@test "Debian 13 with Debian 13" {
  pair next next
}
