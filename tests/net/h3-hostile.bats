#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram over HTTP/3 against peers that break the rules, in both roles: what
# is good still comes out, the rest is one sentence and an exit code, and
# neither memory nor other people's tunnels suffer. Figures are printed.

load ../cli/tool
load h3

setup_file() {
  cd "$BATS_FILE_TMPDIR" || exit
  [ -x "$WK_BUILD/h3dgram" ] && [ -e "$folder" ] && "$next" run true || return 0
  certificate
  "$next" run python3 "$scripts/h3-hostile-server.py" cert.pem key.pem >ports 2>server.err 3>&- &
  echo $! >server.pid
  wait_until_long grep -q ready ports
}

teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/server.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/server.pid")"
}

setup() {
  h3_setup
  needs_next
}

teardown() {
  h3_teardown
}

# --- our client ---------------------------------------------------------------

ask() { # behaviour, option ...: sets status, output, stderr
  local name=$1 port
  port=$(awk -v name="$name" '$1 == name { print $2 }' "$BATS_FILE_TMPDIR/ports")
  [ -n "$port" ] || { echo "no behaviour $name"; return 1; }
  shift
  url=https://127.0.0.1:$port/x
  run --separate-stderr timeout 30 h3dgram -k -q "$@" "$url"
}

# Each line: a behaviour, the exit code, how often "hello" comes out, and the
# sentence, a pattern, behind the URL; without one nothing is said.
expect_each() { # option ...
  local name code hellos sentence failed=0
  while read -r name code hellos sentence; do
    [ -n "$name" ] || continue
    ask "$name" "$@" </dev/null
    # shellcheck disable=SC2254 # a pattern it is
    if [ "$status" -eq "$code" ] &&
      [ "$output" = "$(for ((; hellos > 0; hellos--)); do echo hello; done)" ]; then
      [ -z "$sentence" ] && [ -z "$stderr" ] && continue
      case $stderr in
        *$'\n'*) ;;
        "h3dgram: $url: "$sentence) [ -n "$sentence" ] && continue ;;
      esac
    fi
    echo "$name: exit code $status, stdout '$output', stderr '$stderr'"
    failed=1
  done
  return "$failed"
}

# How the client ended the connection, as the server saw it.
ended() { # behaviour code
  wait_until grep -q "^ended $1 $2 *$" "$BATS_FILE_TMPDIR/ports" ||
    { grep "^ended $1 " "$BATS_FILE_TMPDIR/ports"; return 1; }
}

# --- our listener -------------------------------------------------------------

attack() { # attack, argument ...: in the background, until it holds
  start attack "$next" run python3 "$scripts/h3-hostile-client.py" "$port" "$@"
  attacker=$started
  wait_until_long eval 'grep -q holding attack.out || [ -s attack.err ]' ||
    wait_until_long eval 'grep -q holding attack.out || [ -s attack.err ]'
  cat attack.err
  [ ! -s attack.err ]
}

assail() { # attack, argument ...: to its end
  run -0 timeout 100 "$next" run python3 "$scripts/h3-hostile-client.py" "$port" "$@"
}

# Each line: an attack, and a pattern of what came of it. All at once.
assail_each() {
  local name want got failed=0
  cat >wanted
  # shellcheck disable=SC2046 # names
  assail each $(awk '{ print $1 }' wanted)
  while read -r name want; do
    got=$(sed -n "s/^$name //p" <<<"$output")
    # shellcheck disable=SC2053 # a pattern it is
    [[ $got == $want ]] || { echo "$name: $got, not $want"; failed=1; }
  done <wanted
  return "$failed"
}

# Others are served as if nothing were.
echoes() {
  [ "$(printf 'one\ntwo\n' | timeout 20 h3dgram -k -q -m 15 -c 2 "$url")" = $'one\ntwo' ]
}

expect_small() { # what, pid
  echo "# $1: $(peak_of "$2") KiB at most" >&3
  [ "$(peak_of "$2")" -lt "$(limit_kib)" ]
}

@test "settings and streams that break HTTP/3 end the connection with its code" {
  listen --serve echo
  assail_each <<'LIST'
setting-2 close 109
duplicate close 109
duplicate-unknown close 109
http2-setting close 109
settings-cut close 106
settings-long close 10[79]
settings-endless @(open|nothing|close 10[67])
no-parameter close 109
goaway-first close 10a
grease-first close 10a
settings-twice close 105
data close 105
headers close 105
http2-ping close 105
http2-priority close 105
push-promise close 105
max-push-falls close 108
max-push-long close 106
goaway-rises close 108
two-controls close 103
ended-control close 104
ended-type close 10[4a]
reset-control close 104
two-encoders close 103
ended-encoder close 104
encoder-capacity close 201
encoder-insert close 201
decoder-increment close 202
push-stream close 103
no-settings @(open|nothing)
no-datagrams open
unknown-streams @(open|close 103)
unknown-type-cut @(open|close 10?)
unknown-frames @(open|close 107)
unknown-frame-long @(open|close 107)
LIST
  echoes
  expect_small "listener behind broken streams" "$listener"
  ends_well
}

@test "requests that break HTTP/3 are refused or reset, and nothing else" {
  listen --serve echo --protocol connect-udp
  assail_each <<'LIST'
r:get status 4??
r:get-file status 4??
r:head-cut @(close 106|reset 10[de])
r:data-first close 105
r:settings-here close 105
r:goaway-here close 105
r:max-push-here close 105
r:http2-ping-here close 105
r:http2-priority-here close 105
r:push-promise-here close 105
r:unknown-frame status 4??
r:unknown-flood @(status 4??|close 107)
r:second-head @(reset 10[5e]|close 105)
r:trailers @(reset 10[5e]|close 105|status 200)
r:no-method reset 10e
r:two-methods reset 10e
r:no-path reset 10e
r:empty-path reset 10e
r:no-scheme reset 10e
r:no-authority @(reset 10e|status 4??)
r:unknown-pseudo reset 10e
r:status-in-request reset 10e
r:pseudo-late reset 10e
r:protocol-on-get reset 10e
r:upper-case reset 10e
r:connection reset 10e
r:transfer-encoding reset 10e
r:te-gzip reset 10e
r:newline reset 10e
r:nul reset 10e
r:empty-name reset 10e
r:content-length @(reset 10e|status 400)
r:content-type @(reset 10e|status 400)
r:other-protocol status 501
r:plain-connect status @(4??|501)
r:qpack-garbage close 200
r:qpack-cut close 200
r:qpack-dynamic close 200
r:qpack-post-base close 200
r:qpack-static-99 close 200
r:qpack-empty close 200
r:head-bomb @(status 431|close 107|reset 107)
r:fields-bomb @(status 431|close 107|reset 107)
r:fields-many @(status 431|close 107|reset 107|status 4??)
r:qpack-bomb @(status 431|close 107|reset 107|reset 10e)
r:head-endless @(status 431|close 10[67]|reset 107)
r:body-endless @(status 4??|close 106|reset 10?)
LIST
  echoes
  expect_small "listener behind broken requests" "$listener"
  ends_well
}

@test "datagrams that break HTTP/3, and those that do not" {
  listen --serve echo
  # Empty; an id that is cut; one beyond all streams.
  assail datagrams ""
  [[ $output == "close 33"* ]]
  assail datagrams 40
  [[ $output == "close 33"* ]]
  assail datagrams d0000000000000000078
  [[ $output == "close 33"* ]]
  # Of streams that are not there: dropped, or told from what can never be.
  assail datagrams 02006e6f
  [[ $output == "open "*0000??????????* || $output == "open 000068656c6c6f" ]]
  assail datagrams cfffffffffffffff006e6f
  [[ $output == "open 000068656c6c6f" || $output == "close 108"* ]]
  # Without a context id, with one that is cut: not this stream's, or dropped.
  assail datagrams 00
  [[ $output == open* || $output == "reset 33"* ]]
  # Another context; no payload.
  assail datagrams 0000
  [ "$output" = "open 0000 000068656c6c6f" ]
  assail for-get
  [[ $output == "reset 33" || $output == "status 4"?? ]]
  assail finished-stream
  [ "$output" = "open 010068656c6c6f" ]
  assail half-closed
  [[ $output == "open "*000068656c6c6f ]]
  assail before-settings
  [[ $output == "open "*000068656c6c6f || $output == "close 109"* || $output == "close 33"* ]]
  echoes
  ends_well
}

@test "capsules octet by octet, cut, reset, and too large" {
  listen --serve echo
  assail capsules 00060068656c6c6f end
  [[ $output == "status 200"* || $output == "ended"* ]]
  local text
  for text in 40 0006 00060068 00c0ffffffffffffffff00 17ffffffffffffffff61; do
    assail capsules "00060068656c6c6f$text" end
    [[ $output == "reset "* || $output == "close "* ]]
  done
  assail capsules 00060068656c6c6f0006 reset
  assail udp-payload 65528
  [[ $output == open* || $output == "reset "* ]]
  assail megabytes 50
  [[ $output == "status 200" || $output == ended ]]
  echoes
  expect_small "listener behind capsules" "$listener"
  ends_well
  # What no UDP packet can be ends the stream of a proxy.
  listen --serve proxy --allow-private
  assail udp-payload 65528 /.well-known/masque/udp/127.0.0.1/9/
  [[ $output == "reset 33"* || $output == "reset 10e"* ]]
}

@test "ten thousand idle tunnels, and some hundred idle connections" {
  local before after count=10000
  [ -z "${WK_SLOW_TOOLS-}" ] || count=1000
  listen --serve echo --max-connections 1000 --max-tunnels 10100
  echoes
  before=$(resident_of "$listener")
  attack idle "$count"
  grep -q "tunnels $count" attack.out
  after=$(resident_of "$listener")
  echo "# idle tunnel over HTTP/3, a hundred on each connection: $(((after - before) * 1024 / count)) octets" >&3
  [ $(((after - before) / (count / 1000))) -lt "$(limit_kib)" ]
  echoes
  kill -KILL "$attacker"
  listen --serve echo --max-connections 1000
  echoes
  before=$(resident_of "$listener")
  attack connections 300
  grep -q 'connections 300' attack.out
  after=$(resident_of "$listener")
  echo "# idle connection: $(((after - before) * 1024 / 300)) octets" >&3
  [ $((after - before)) -lt $(($(limit_kib) * 2)) ]
  echoes
}

@test "every stream opened and nothing said, everything reset" {
  listen --serve echo
  attack all-streams
  grep 'streams' attack.out
  echoes
  kill -KILL "$attacker"
  assail beyond-streams
  [[ $output == "quic 4" ]]
  assail rapid-reset 20000
  echo "$output"
  [[ $output == *"close 107" || $output == all* ]]
  echoes
  assail reset-answered 500
  [[ $output == "500 "* || $output == *"close 107" ]]
  assail vanish 100
  echoes
  expect_small "listener behind resets" "$listener"
  ends_well
}

@test "who never reads, and who floods, does not fill the listener" {
  listen --serve echo
  attack deaf
  echo "# deaf over HTTP/3: $(head -n 1 attack.out) octets" >&3
  echoes
  kill -KILL "$attacker"
  attack unknown-flood 3000
  grep -q '^open' attack.out
  echoes
  expect_small "listener, deaf and flooding clients" "$listener"
  ends_well
}

@test "a proxy's flood towards a client that acknowledges nothing is dropped" {
  listen --serve proxy --allow-private
  start flood python3 "$scripts/udp-flood.py"
  wait_until test -s flood.out
  attack slow-tunnel "/.well-known/masque/udp/127.0.0.1/$(cat flood.out)/"
  [ "$(echo hi | timeout 20 h3dgram -k -q -c 1 "$url" "127.0.0.1:$(cat flood.out)")" = hi ]
  expect_small "proxy with a deaf client" "$listener"
}

@test "floods of first packets, of garbage, of broken ones" {
  listen --serve echo
  assail handshake-flood 2000
  echoes
  assail garbage 20000
  assail broken-initials 1000
  assail empty-datagrams 1000
  [ "$output" = "sent 1000 came 0" ]
  echoes
  expect_small "listener behind floods" "$listener"
  ends_well
}

@test "less than three times as much to who has not shown where he is" {
  listen --serve echo
  assail amplification
  echo "# amplification: $output" >&3
  [[ $output == *" below" ]]
  assail small-initial
  [ "$output" = "answers 0" ]
  listen --serve echo --retry
  assail amplification
  echo "# amplification with --retry: $output" >&3
  [[ $output == *" below" ]]
  ends_well
}

@test "unknown versions, unknown connections, unknown protocols" {
  listen --serve echo
  assail version
  [[ $output == "versions "*00000001* ]]
  assail version 1a2a3a4a 1199
  [ "$output" = nothing ]
  # A Version Negotiation packet is never answered with one.
  assail version 00000000
  [ "$output" = nothing ]
  assail stateless-reset 100
  [ "$output" = "reset same" ]
  # No answer that is as long, or they would go on for ever.
  assail stateless-reset 21
  [ "$output" = nothing ]
  assail reset-storm 5000
  echo "# stateless resets: $output" >&3
  assail alpn x
  [ "$output" = refused ]
  echoes
  ends_well
}
