#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# capsule-cat against peers that break the rules, in both roles: what is good
# still comes out, the rest is one sentence and an exit code, and neither
# memory nor other people's tunnels suffer. Figures are printed.

# Every test has its own shell and wants to.
# shellcheck disable=SC2030,SC2031

load ../cli/tool

setup_file() {
  cd "$BATS_FILE_TMPDIR" || exit
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null
  cat key.pem cert.pem >both.pem
  python3 "$WK_SOURCE/tests/peers/hostile-server.py" both.pem >ports 2>server.err 3>&- &
  echo $! >server.pid
  wait_until grep -q ready ports
}

teardown_file() {
  kill "$(cat "$BATS_FILE_TMPDIR/server.pid")"
}

setup() {
  [ -x "$WK_BUILD/capsule-cat" ] || skip "capsule-cat is not built here"
  cd "$BATS_TEST_TMPDIR" || exit
  pids=()
  unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  unset SSL_CERT_FILE SSLKEYLOGFILE
}

teardown() {
  local pid
  # Held capsule-cats do not end while their output is stuck, or at the first
  # signal; they hold nothing that somebody would miss.
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

# --- our client ---------------------------------------------------------------

url_of() { # behaviour: sets url and version
  local port scheme=http
  port=$(awk -v name="$1" '$1 == name { print $2 }' "$BATS_FILE_TMPDIR/ports")
  [ -n "$port" ] || { echo "no behaviour $1"; return 1; }
  version=()
  case $1 in
    1:*) version=(--http1.1) ;;
    2:*) version=(--http2) ;;
    *) scheme=https ;;
  esac
  url=$scheme://127.0.0.1:$port/x
}

ask() { # behaviour, option ...: sets status, output, stderr
  url_of "$1"
  shift
  run --separate-stderr timeout 120 capsule-cat "${version[@]}" "$@" "$url"
}

# Each line: a behaviour, the exit code, how often "hello" comes out, and the
# sentence, a pattern, behind the URL; without one nothing is said.
expect_each() { # option ...
  local name code hellos sentence
  while read -r name code hellos sentence; do
    [ -n "$name" ] || continue
    ask "$name" --datagrams line "$@" </dev/null
    # shellcheck disable=SC2254 # a pattern it is
    if [ "$status" -eq "$code" ] &&
      [ "$output" = "$(for ((; hellos > 0; hellos--)); do echo hello; done)" ]; then
      [ -z "$sentence" ] && [ -z "$stderr" ] && continue
      case $stderr in
        *$'\n'*) ;;
        "capsule-cat: $url: "$sentence) [ -n "$sentence" ] && continue ;;
      esac
    fi
    echo "$name: exit code $status, stdout '$output', stderr '$stderr'"
    return 1
  done
}

@test "answers over HTTP/1.1 that open no tunnel" {
  expect_each <<'EOF'
1:no-upgrade          5 0 status 101 without Upgrade
1:two-upgrades        5 0 status 101 with a second Upgrade field
1:upgrade-list        5 0 status 101 upgrades to something else
1:other-upgrade       5 0 status 101 upgrades to something else
1:no-connection       5 0 status 101 without Connection: upgrade
1:content-length      5 0 a tunnel does not have content-length
1:content-type        5 0 a tunnel does not have content-type
1:transfer-encoding   5 0 a tunnel does not have transfer-encoding
1:200                 6 0 the tunnel was refused: 200 OK
1:204                 6 0 the tunnel was refused: 204 No Content
1:302                 6 0 the tunnel was refused: 302 Found
1:426                 6 0 the tunnel was refused: 426 Upgrade Required
1:proxy-status        6 0 the tunnel was refused: 502 Bad Gateway; proxy-status: p; error=dns_error
1:status-escapes      5 0 a control character
1:garbage             5 0 a control character
1:http-0.9            5 0 expected an HTTP version
1:http-3.1            5 0 expected HTTP version 1
1:status-1000         5 0 expected a space behind the status
1:status-1            5 0 expected a status code
1:nul                 5 0 a control character
1:space-before-colon  5 0 a space in front of the colon
1:folded              5 0 a folded line
1:lone-cr             5 0 a carriage return without a line feed
1:head-bomb           5 0 too many octets
1:fields-bomb         5 0 too many fields
1:h2-settings         5 0 a control character
1:informed-forever    3 0 the connection ended before the response
1:leaves              3 0 the connection ended before the response
1:leaves-in-status    3 0 the connection ended inside the response head
1:leaves-in-head      3 0 the connection ended inside the response head
1:reset               3 0 the connection ended before the response
1:reset-in-head       3 0 the connection ended inside the response head
EOF
}

@test "answers over HTTP/1.1 that are odd and open one" {
  expect_each <<'EOF'
1:field-?0            0 1
1:field-1             0 1
1:field-twice         0 1
1:field-list          0 1
1:field-parameter     0 1
1:field-absent        0 1
1:case                0 1
1:informed            0 1
1:dribble             0 2
1:one-segment         0 2
1:leaves-open         0 0
1:keeps-reading       0 1
1:answers-the-end     0 2
1:long-varints        0 1
1:unknown-skipped     0 2
1:datagram-empty      0 1
1:datagram-context    0 1
1:zero-flood          0 1
EOF
}

@test "answers over HTTP/2 that open no tunnel" {
  expect_each <<'EOF'
2:204                 5 0 status 204 does not open a tunnel
2:205                 5 0 status 205 does not open a tunnel
2:206                 5 0 status 206 does not open a tunnel
2:101                 5 0 status 101 is HTTP/1.1's alone
2:302                 6 0 the tunnel was refused: 302 Found
2:407                 6 0 the tunnel was refused: 407 Proxy Authentication Required
2:content-length      5 0 a tunnel does not have content-length
2:content-type        5 0 a tunnel does not have content-type
2:transfer-encoding   5 0 a field about the connection
2:connection          5 0 a field about the connection
2:upgrade             5 0 a field about the connection
2:upper-case          5 0 a field name is not in lower case
2:newline             5 0 a control character in a field value
2:no-status           5 0 not a status code
2:two-statuses        5 0 a pseudo-header field comes twice
2:status-late         5 0 a pseudo-header field behind other fields
2:status-abc          5 0 a status is not three digits
2:status-1000         5 0 a status is not three digits
2:data-first          5 0 PROTOCOL_ERROR: *
2:interrupted-head    5 0 PROTOCOL_ERROR: *
2:hpack-garbage       5 0 COMPRESSION_ERROR
2:hpack-cut           5 0 COMPRESSION_ERROR
2:hpack-bomb          5 0 a head is too long
2:continuation-empty  5 0 a head in too many CONTINUATION frames
2:continuation-flood  5 0 a head in too many CONTINUATION frames
2:ping-flood          5 0 too many frames that *
2:settings-flood      5 0 too many frames that *
2:data-empty-flood    5 0 too many frames that carry nothing
2:ping-short          5 0 FRAME_SIZE_ERROR*
2:settings-short      5 0 FRAME_SIZE_ERROR*
2:settings-window     5 0 FLOW_CONTROL_ERROR*
2:setting-2           5 0 PROTOCOL_ERROR: *
2:back-to-0           5 0 PROTOCOL_ERROR: *
2:goaway-goes-up      5 0 PROTOCOL_ERROR: *
2:goaway-refused      6 0 *the peer takes no more requests*
2:goaway-error        6 0 *ENHANCE_YOUR_CALM: calm \\x1b?2J*
2:informed-forever    3 0 the peer closed the connection
2:leaves              3 0 the peer closed the connection
2:leaves-in-head      3 0 the peer closed the connection
2:reset               3 0 the connection was cut off
EOF
}

@test "an HTTP/2 server that cannot do it, or does not begin as one" {
  expect_each <<'EOF'
2:no-setting          6 0 the server does not take Extended CONNECT
2:setting-0           6 0 the server does not take Extended CONNECT
2:setting-later       6 0 the server does not take Extended CONNECT
2:settings-late       0 1
2:setting-2-first     5 0 PROTOCOL_ERROR: *
2:setting-then-0      5 0 PROTOCOL_ERROR: *
2:only-ack            5 0 PROTOCOL_ERROR: *
2:ping-first          5 0 PROTOCOL_ERROR: *
2:goaway-first        5 0 PROTOCOL_ERROR: *
2:speaks-1.1          5 0 PROTOCOL_ERROR: *
2:garbage             5 0 PROTOCOL_ERROR: *
2:leaves-first        3 0 the peer closed the connection
EOF
}

@test "tunnels over HTTP/2 that are odd, and those that break" {
  expect_each <<'EOF'
2:good                0 1
2:201                 0 1
2:field-?0            0 1
2:field-1             0 1
2:field-twice         0 1
2:field-parameter     0 1
2:informed            0 1
2:ended-head          0 0
2:octet-frames        0 2
2:data-padded         0 1
2:data-all-padding    0 1
2:unknown-frame       0 1
2:goaway-open         0 1
2:answers-the-end     0 2
2:trailers            5 1 a field section inside a tunnel
2:second-head         5 1 a field section inside a tunnel
2:data-behind-end     5 1 STREAM_CLOSED: *
2:data-stream-0       5 1 PROTOCOL_ERROR: *
2:data-idle-stream    5 1 PROTOCOL_ERROR: *
2:padding-too-long    5 1 PROTOCOL_ERROR: *
2:frame-too-big       5 1 FRAME_SIZE_ERROR: *
2:push                5 1 PROTOCOL_ERROR: *
2:continuation        5 1 PROTOCOL_ERROR: *
2:window-0            5 1 PROTOCOL_ERROR: *
2:window-overflow     5 1 FLOW_CONTROL_ERROR*
2:window-overflow-0   5 1 FLOW_CONTROL_ERROR*
2:back-to-0-open      5 1 PROTOCOL_ERROR: *
2:goaway-error-open   3 1 the peer closed the connection: INTERNAL_ERROR
2:leaves-open         3 1 the peer closed the connection
EOF
}

@test "every code that resets a tunnel, before it is open and then" {
  local code names
  names=(NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED
    FRAME_SIZE_ERROR REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM
    INADEQUATE_SECURITY HTTP_1_1_REQUIRED)
  for ((code = 0; code < 14; code++)); do
    printf '2:%srst-%x %d %d the peer reset the tunnel: *(the peer sent %s, code 0x%x)\n' \
      '' "$code" 6 0 "${names[code]}" "$code" open- "$code" 3 1 "${names[code]}" "$code"
  done | expect_each
  expect_each <<'EOF'
2:rst-109             6 0 the peer reset the tunnel: another reason (the peer sent an unknown error, code 0x109)
2:rst-ffffffff        6 0 *code 0xffffffff)
2:open-rst-109        3 1 *code 0x109)
2:open-rst-ffffffff   3 1 *code 0xffffffff)
EOF
}

@test "no TLS, half of it, and the wrong kind" {
  expect_each --insecure --quiet <<'EOF'
0:refuses-tls         3 0 *does not speak TLS; it began with "HTTP/1.1 400 Bad"
0:tls-garbage         3 0 *
0:tls-alert           3 0 *TLS alert 40*
0:leaves              3 0 *closed the connection during the TLS handshake
0:leaves-in-hello     3 0 *closed the connection during the TLS handshake
0:reset               3 0 *
t:1                   0 2
t:2                   0 1
t:other-alpn          0 2
t:2-without-alpn      5 0 a control character
t:cut                 3 1 the connection was cut off
EOF
  ask t:1 --datagrams line
  [ "$status" -eq 3 ]
  [ -z "$output" ]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "silence at every stage ends in time" {
  expect_each --max-time 0.2 <<'EOF'
1:silent              3 0 not done after 0.2 s (--max-time)
1:silent-in-head      3 0 not done after 0.2 s (--max-time)
2:silent              3 0 not done after 0.2 s (--max-time)
2:silent-first        3 0 not done after 0.2 s (--max-time)
EOF
  # Those that say something first: however long that takes.
  local name sec
  for name in 2:silent-open 2:no-window; do
    for sec in 0.2 2 20 100; do
      ask "$name" --datagrams line --max-time "$sec" </dev/null
      [ -z "$output" ] || break
    done
    [ "$status" -eq 3 ]
    [ "$output" = hello ]
    [ "$stderr" = "capsule-cat: $url: not done after $sec s (--max-time)" ]
  done
  expect_each --insecure --quiet --max-time 0.2 <<'EOF'
0:silent              3 0 not done after 0.2 s (--max-time)
t:silent              3 0 not done after 0.2 s (--max-time)
EOF
  # To connect ends with the answer.
  expect_each --insecure --quiet --connect-timeout 0.2 <<'EOF'
0:silent              3 0 the TLS handshake took too long
t:silent              3 0 no answer after 0.2 s (--connect-timeout)
EOF
  expect_each --connect-timeout 0.2 <<'EOF'
1:silent              3 0 no answer after 0.2 s (--connect-timeout)
1:silent-in-head      3 0 no answer after 0.2 s (--connect-timeout)
2:silent              3 0 no answer after 0.2 s (--connect-timeout)
2:silent-first        3 0 no answer after 0.2 s (--connect-timeout)
EOF
}

# --- capsules -----------------------------------------------------------------

@test "capsules that are cut, in text: what was whole comes out" {
  local name text
  while read -r name text; do
    ask "$name" --show </dev/null
    [ "$status" -eq 5 ]
    [ "$(grep -c 'payload 68656c6c6f "hello"$' <<<"$output")" -eq 1 ]
    [[ $stderr == "capsule-cat: $url: byte "*": $text" ]]
  done <<'EOF'
1:capsule-cut-type stream ends inside a capsule header
1:capsule-cut-length stream ends inside a capsule header
1:capsule-cut-header stream ends inside a capsule value (type 0x0, 0 of 6 octets)
1:capsule-cut-value stream ends inside a capsule value (type 0x0, 3 of 6 octets)
1:capsule-endless stream ends inside a capsule value (type 0x0, 4 of 4611686018427387903 octets)
1:unknown-endless stream ends inside a capsule value (type 0x17, 3 of 4611686018427387903 octets)
2:capsule-cut stream ends inside a capsule value (type 0x0, 3 of 6 octets)
EOF
}

@test "of a datagram that is cut, a length in front does not lie" {
  local name
  for name in 1:capsule-cut-value 2:capsule-cut; do
    url_of "$name"
    capsule-cat "${version[@]}" --datagrams u16 "$url" >out 2>err </dev/null || [ $? -eq 5 ]
    [ "$(hex <out)" = 000568656c6c6f00056865 ]
    grep -q 'ends inside a capsule value' err
  done
}

@test "resets in the middle of a capsule" {
  local name
  for name in 1:reset-in-capsule 2:reset-in-capsule; do
    mkfifo "fifo$name"
    exec 7<>"fifo$name"
    echo 6869 >&7
    ask "$name" --datagrams hex <&7
    [ "$status" -eq 3 ]
    [ "${lines[0]}" = 68656c6c6f ]
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    exec 7>&-
  done
}

@test "datagrams of no octet, of 65527 and of 65528" {
  url_of 1:datagram-zero
  [ "$(capsule-cat --datagrams u16 "$url" </dev/null | hex)" = 0000000568656c6c6f ]
  url_of 1:datagram-65527
  [ "$(capsule-cat --datagrams u16 "$url" </dev/null | wc -c)" -eq $((2 + 65527 + 7)) ]
  url_of 1:datagram-65528
  [ "$(capsule-cat --datagrams u16 "$url" </dev/null | wc -c)" -eq $((2 + 65528 + 7)) ]
}

# The most memory that a process ever had, in KiB.
peak_of() { # pid
  awk '/^VmHWM/ { print $2 }' "/proc/$1/status"
}

# Has a process stopped to read and write? To be waited for.
is_still() { # pid
  local now
  now=$(head -n 4 "/proc/$1/io")
  [ "$now" = "${before-}" ] || still=0
  before=$now
  ((++still > 6))
}

# A leak of all that passes shows under a sanitizer, too.
limit_kib() {
  if is_sanitized capsule-cat; then echo 400000; else echo 24000; fi
}

# shellcheck disable=SC2034 # of is_still
expect_small() { # what, pid
  local peak
  before='' still=0
  wait_until is_still "$2"
  peak=$(peak_of "$2")
  echo "# $1: $peak KiB at most" >&3
  [ "$peak" -lt "$(limit_kib)" ]
}

@test "a server that never reads: our memory is bounded" {
  local name
  for name in 1:never-reads 2:never-reads 2:no-window; do
    url_of "$name"
    capsule-cat "${version[@]}" "$url" >out 2>err 3>&- \
      < <(exec 3>&-; printf '\27\377\377\377\377\377\377\377\377'; exec cat /dev/zero) &
    pids+=($!)
    wait_until test -s out
    expect_small "$name" "${pids[-1]}"
  done
}

@test "a server that floods while nobody reads our output: the same" {
  local name
  for name in 1:flood 2:flood; do
    url_of "$name"
    mkfifo "out$name"
    exec 7<>"out$name"
    capsule-cat "${version[@]}" --datagrams line "$url" \
      >&7 2>err 3>&- 7>&- < <(exec 3>&- 7>&-; exec tail -f /dev/null) &
    pids+=($!)
    wait_until eval 'read -rN1 -t0 <&7'
    expect_small "$name, --datagrams" "${pids[-1]}"
    exec 7>&-
  done
  # Who ignores our windows over HTTP/2 breaks the protocol.
  url_of 2:beyond-window
  mkfifo fifo
  exec 7<>fifo
  capsule-cat --http2 "$url" >&7 2>err 3>&- 7>&- < <(exec 3>&- 7>&-; exec tail -f /dev/null) &
  pids+=($!)
  wait_until grep -q FLOW_CONTROL_ERROR err
  exec 7>&-
}

@test "a capsule of a GiB that nobody knows costs nothing" {
  url_of 1:unknown-gigabyte
  mkfifo fifo
  exec 7<>fifo
  capsule-cat --datagrams line --keep-sending "$url" >out 2>err 3>&- 7>&- <fifo &
  pids+=($!)
  pids+=($!)
  wait_until eval '[ "$(wc -l <out)" -eq 2 ]'
  local peak
  peak=$(peak_of "${pids[-1]}")
  echo "# unknown capsule of a GiB: $peak KiB at most" >&3
  [ "$peak" -lt "$(limit_kib)" ]
  exec 7>&-
}

# --- our listener -------------------------------------------------------------

listener() { # option ...: sets port, listener
  rm -f served.err
  capsule-cat --listen 127.0.0.1:0 "$@" >served 2>served.err 3>&- 7>&- &
  listener=$!
  pids+=("$listener")
  wait_until grep -q 127.0.0.1: served.err
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p;T;q' served.err)
}

attack() { # attack, argument ...: in the background, until it holds
  : >attack.out
  python3 "$WK_SOURCE/tests/peers/hostile-client.py" "$port" "$@" >attack.out 2>attack.err 3>&- &
  attacker=$!
  pids+=("$attacker")
  wait_until eval 'grep -q holding attack.out || [ -s attack.err ]'
  cat attack.err
  [ ! -s attack.err ]
}


assail() { # attack, argument ...: to its end
  run -0 timeout 300 python3 "$WK_SOURCE/tests/peers/hostile-client.py" "$port" "$@"
}

# Others are served as if nothing were.
echoes() { # option ...
  local version
  for version in --http1.1 --http2; do
    [ "$(printf 'one\ntwo\n' | capsule-cat "$version" -m 120 --linger 100 --datagrams line -c 2 "$@")" = $'one\ntwo' ]
  done
}

counters() { # pattern that they are waited for to have
  : >served.err
  kill -USR1 "$listener"
  wait_until grep -q 'tunnels' served.err
  # shellcheck disable=SC2254 # a pattern it is
  case $(cat served.err) in $1) ;; *) return 1 ;; esac
}

resident_of() { # pid
  awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

@test "ten thousand idle tunnels over HTTP/1.1, then over HTTP/2" {
  [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -gt 10200 ] || skip "needs 10200 descriptors"
  ulimit -n 10200
  local kind before after
  for kind in 1 2; do
    listener --cleartext --serve echo --max-connections 10100
    echoes "http://127.0.0.1:$port/"
    before=$(resident_of "$listener")
    attack "idle$kind" 10000
    counters '* 10000 open*'
    after=$(resident_of "$listener")
    echo "# idle tunnel over HTTP/$kind: $(((after - before) * 1024 / 10000)) octets" >&3
    [ $((after - before)) -lt $(($(limit_kib) * 10)) ]
    echoes "http://127.0.0.1:$port/"
    kill -KILL "$attacker"
    wait_until counters '* 0 open*'
    echoes "http://127.0.0.1:$port/"
    kill -TERM "$listener"
    wait "$listener"
  done
}

@test "half handshakes, slow heads and clients that vanish disturb nobody" {
  listener --serve echo
  attack half-handshakes 500
  echoes -qk "https://127.0.0.1:$port/"
  listener --cleartext --serve echo
  attack slow-heads 200
  echoes "http://127.0.0.1:$port/"
  assail vanish 1000
  wait_until counters '* 0 open*'
  echoes "http://127.0.0.1:$port/"
}

@test "floods end by what HTTP/2 has for them" {
  local name answer
  listener --cleartext --serve echo
  while read -r name answer; do
    assail "$name"
    echo "$name: $output"
    # shellcheck disable=SC2053 # a pattern it is
    [[ $output == $answer ]]
  done <<'EOF'
settings goaway b
ping goaway b
priority goaway b
empty-data goaway b
continuation goaway b
continuation-bomb goaway [1b]
hpack-garbage goaway 9
even-stream goaway 1
window-overflow goaway 3
frame-too-big goaway 6
data-on-0 goaway 1
EOF
  assail rapid-reset 20000
  [ "$output" = "goaway b" ]
  assail head-bomb1
  [ "$output" = 431 ]
  assail fields-bomb1
  [ "$output" = 431 ]
  wait_until counters '* 0 open*'
  echoes "http://127.0.0.1:$port/"
  echo "# listener behind all floods: $(peak_of "$listener") KiB at most" >&3
  [ "$(peak_of "$listener")" -lt "$(limit_kib)" ]
}

@test "requests that are no tunnels are refused, however many" {
  listener --cleartext --serve echo
  assail requests1 10000
  [ "$output" = "answered 426" ]
  assail requests2 10000
  [ "$output" = "answered 405" ]
  attack unread2 100000
  echoes "http://127.0.0.1:$port/"
  echo "# listener behind requests: $(peak_of "$listener") KiB at most" >&3
  [ "$(peak_of "$listener")" -lt "$(limit_kib)" ]
}

@test "what follows a refused Upgrade is no request" {
  local upgrade='\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: '
  local hidden='GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
  listener --cleartext --serve echo --protocol connect-udp
  assail smuggle "GET /x HTTP/1.1${upgrade}websocket\\r\\n\\r\\n$hidden"
  [ "$output" = "501 closed" ]
  # With content it is no Upgrade, and the content is no request.
  assail smuggle "GET /x HTTP/1.1${upgrade}connect-udp\\r\\nContent-Length: 33\\r\\n\\r\\n$hidden"
  [[ $output == "426 "[co]* ]]
  assail smuggle "GET /x HTTP/1.1${upgrade}connect-udp\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$hidden"
  [ "$output" = "426 closed" ]
  assail smuggle "GET /x HTTP/1.1${upgrade}connect-udp\\r\\nUpgrade: connect-udp\\r\\n\\r\\n$hidden"
  [[ $output == "400 "* ]]
  assail smuggle "POST /x HTTP/1.1${upgrade}connect-udp\\r\\n\\r\\n$hidden"
  [[ $output == "40"?" "* ]]
  [[ $output != *" "*" "* ]]
  assail smuggle "GET /x HTTP/1.1${upgrade}connect-udp\\r\\nContent-Length: 5\\r\\nContent-Length: 35\\r\\n\\r\\n$hidden"
  [[ $output == "400 "* ]]
  assail smuggle "GET /x HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$hidden"
  [[ $output == "400 "* ]]
  echoes "http://127.0.0.1:$port/"
}

@test "capsules octet by octet, cut and reset, towards a listener that shows them" {
  local text whole=00060068656c6c6f1743616263
  listener --cleartext --serve dump
  assail capsules1 "$whole"
  for text in 40 0006 00060068 00c0ffffffffffffffff00 17ffffffffffffffff61; do
    assail capsules1 "$whole$text"
    [ "$output" = reset ]
    assail capsules2 "$whole$text"
    [ "$output" = "rst 00000001" ]
  done
  assail capsules1 00060068656c6c6f
  [ "$output" = "finished " ]
  assail capsules2 00060068656c6c6f
  [ "$output" = finished ]
  assail capsules1 00060068656c6c6f0006 reset
  wait_until counters '* 0 open*'
  wait_until eval '[ "$(grep -c "payload 68656c6c6f" served)" -ge 14 ]'
}

@test "a client that never reads, and one with a GiB, do not fill the listener" {
  listener --cleartext --serve echo
  attack deaf1
  echo "# deaf over HTTP/1.1: $(head -n 1 attack.out) octets" >&3
  attack deaf2
  echo "# deaf over HTTP/2: $(head -n 1 attack.out) octets" >&3
  echoes "http://127.0.0.1:$port/"
  assail beyond-window
  [ "$output" = "rst 00000003" ]
  expect_small "listener, --serve echo" "$listener"
  listener --cleartext --serve dump
  assail gigabyte
  expect_small "listener, --serve dump" "$listener"
  wait_until grep -q 'payload 68656c6c6f' served
}

@test "SIGTERM while busy: exit code 0, and not for ever" {
  listener --cleartext --serve echo
  attack deaf1
  capsule-cat --http2 "http://127.0.0.1:$port/" >/dev/null 2>&1 3>&- < <(
    exec 3>&-; printf '\27\377\377\377\377\377\377\377\377'; exec cat /dev/zero) &
  pids+=($!)
  wait_until counters '* 2 open*'
  kill -TERM "$listener"
  wait_until eval "! kill -0 $listener"
  wait "$listener"
  grep -q '2 tunnels served, 0 open' served.err || grep -q '2 connections' served.err
}

@test "without descriptors the listener waits, and goes on" {
  (
    ulimit -n 64
    exec capsule-cat --listen 127.0.0.1:0 --cleartext --serve echo >served 2>served.err 3>&-
  ) &
  listener=$!
  pids+=("$listener")
  wait_until grep -q 127.0.0.1: served.err
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p;T;q' served.err)
  attack hoard 200
  run ! capsule-cat -qm 0.5 "http://127.0.0.1:$port/" </dev/null
  kill -KILL "$attacker"
  echoes "http://127.0.0.1:$port/"
}

# --- our proxy ----------------------------------------------------------------

udp_target() { # sets target
  rm -f udp.out
  python3 "$WK_SOURCE/tests/peers/udp-flood.py" >udp.out 2>udp.err 3>&- &
  pids+=($!)
  wait_until test -s udp.out
  target=$(cat udp.out)
}

@test "private addresses in every spelling are no targets" {
  local p=/.well-known/masque/udp host hosts=() paths=()
  hosts=(127.0.0.1 127.0.0.2 localhost LOCALHOST localhost. %6cocalhost 0.0.0.0 0 127.1
    2130706433 0x7f000001 0x7f.1 0177.0.0.1 127.0.0.1. 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
    100.64.0.1 169.254.169.254 224.0.0.1 239.255.255.250 255.255.255.255 %3A%3A %3A%3A1
    0%3A0%3A0%3A0%3A0%3A0%3A0%3A1 %3A%3Affff%3A127.0.0.1 %3A%3Affff%3A7f00%3A1
    %3A%3Affff%3A0%3A0 64%3Aff9b%3A%3A7f00%3A1 64%3Aff9b%3A%3A10.0.0.1 2002%3A7f00%3A1%3A%3A
    2002%3Aa00%3A1%3A%3A fe80%3A%3A1 fe80%3A%3A1%25lo fe80%3A%3A1%2525lo fc00%3A%3A1 fd00%3A%3A1
    ff02%3A%3A1 %5B%3A%3A1%5D %253A%253A1 %2531%2532%2537.0.0.1 %00 127.0.0.1%00.example
    %2A %20127.0.0.1 127.0.0.1%0a 127.0.0.1%2F53 ..%2F..%2Fx)
  listener --cleartext --serve proxy
  udp_target
  for host in "${hosts[@]}"; do paths+=("$p/$host/$target/"); done
  assail ask "${paths[@]}"
  echo "$output"
  [ "${#lines[@]}" -eq "${#hosts[@]}" ]
  # As for HTTP/1.1, so for HTTP/2; each is a refusal.
  [ "$(awk '$1 != $2 || $1 < 400 || $1 > 502' <<<"$output")" = "" ]
  # With a rule for all the world they still are not, and an address in the
  # rule is one.
  listener --cleartext --serve proxy --allow '*'
  assail ask "${paths[@]}"
  [ "$(awk '$1 != $2 || $1 < 400 || $1 > 502' <<<"$output")" = "" ]
  listener --cleartext --serve proxy --allow 127.0.0.1
  assail ask "$p/127.0.0.1/$target/" "$p/127.0.0.2/$target/"
  [[ ${lines[0]} == "101 200 "* ]]
  [[ ${lines[1]} == "403 403 "* || ${lines[1]} == "502 502 "* ]]
}

@test "ports that are none" {
  local p=/.well-known/masque/udp/127.0.0.1 paths=() text
  listener --cleartext --serve proxy --allow-private
  for text in 0 65536 4294967349 18446744073709551669 -1 +53 %2053 53%20 5e1 0x35 53.0 '' %00 53%00 %2A; do
    paths+=("$p/$text/")
  done
  paths+=("$p/53" "$p/53/x/" "$p/53/?x" "/.well-known/masque/udp//53/" /)
  assail ask "${paths[@]}"
  echo "$output"
  [ "${#lines[@]}" -eq 20 ]
  [ "$(awk '$1 != $2 || $1 < 400 || $1 > 404' <<<"$output")" = "" ]
}

@test "there are only so many tunnels" {
  listener --cleartext --serve proxy --allow-private --max-tunnels 2
  udp_target
  attack slow-tunnel "/.well-known/masque/udp/127.0.0.1/$target/"
  attack slow-tunnel "/.well-known/masque/udp/127.0.0.1/$target/"
  assail ask "/.well-known/masque/udp/127.0.0.1/$target/"
  [[ $output == "503 503 "* ]]
  kill -KILL "$attacker"
  wait_until counters '* 1 open*'
  echoes --target "127.0.0.1:$target" "http://127.0.0.1:$port"
}

@test "a flood towards a slow client is dropped, and nobody else's" {
  local kind
  listener --cleartext --serve proxy --allow-private
  for kind in slow-tunnel slow-tunnel2; do
    udp_target
    attack "$kind" "/.well-known/masque/udp/127.0.0.1/$target/"
    echoes --target "127.0.0.1:$target" "http://127.0.0.1:$port"
  done
  counters '* for a slow client*'
  sed -n 's/.*packets/# packets/p' served.err >&3
  [ "$(sed -n 's/.*(\([0-9]*\) for a slow client.*/\1/p' served.err)" -gt 0 ]
  expect_small "proxy with a slow client" "$listener"
}
