#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tunnels of capsule-cat to, from and through foreign HTTP, in cleartext and
# over TLS, on sockets in the test's directory and ports that the kernel chose.

load ../cli/tool

setup() {
  [ -x "$WK_BUILD/capsule-cat" ] || skip "capsule-cat is not built here"
  cd "$BATS_TEST_TMPDIR" || exit
  set -o pipefail
  pids=()
  unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  printf '\000\006\000hello' >one
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout key.pem -out cert.pem 2>/dev/null
  cat key.pem cert.pem >both.pem
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

needs() { # command package
  command -v "$1" >/dev/null || skip "needs $2"
}

start() { # name command ...: output in name.out and name.err
  local name=$1
  shift
  : >"$name.out"
  : >"$name.err"
  "$@" >>"$name.out" 2>>"$name.err" 3>&- &
  pids+=($!)
}

# Descriptor 4: a pipe with a file's octets in it, that does not end.
held() { # file
  rm -f held
  mkfifo held
  exec 4<>held
  cat "$1" >&4
}

# A tunnel for bulk that comes back: the input ends when all of it is there,
# however long that takes, as long as more comes or capsule-cat lives.
there_and_back() { # option ...
  local client size=-1 code=0
  mkfifo in
  : >returned
  capsule-cat "$@" <in >returned 3>&- &
  client=$!
  pids+=("$client")
  exec 4>in
  rm in
  cat bulk >&4
  while ((size != $(stat -c %s returned))); do
    size=$(stat -c %s returned)
    wait_until eval "[ \$(stat -c %s returned) -ge $(stat -c %s bulk) ] || ! kill -0 $client" || :
  done
  exec 4>&-
  wait "$client" || code=$?
  cmp returned bulk
  return "$code"
}

# 6 MB of capsules, one with a value of 5 MB among many small ones.
bulk() {
  head -c 5000000 /dev/urandom | capsule-cat -e -f whole --type 0x17 >bulk
  seq 100000 | capsule-cat -e --context 2 >>bulk
}

listen() { # option ...: sets the variable address; pids[0] is the listener
  start served capsule-cat --listen 127.0.0.1:0 "$@"
  wait_until grep -q 'listening on' served.err
  address=$(sed -nE 's,.*listening on (.*)/$,\1,p' served.err)
}

# Ends the listener and looks at its last words: tunnels, none broken.
ends_well() { # number of tunnels
  kill -TERM "${pids[0]}"
  wait "${pids[0]}"
  grep -q ' requests, 0 broken$' served.err
  grep -q ": $1 tunnels served, 0 open, " served.err
}

# --- node's http and http2 as the server --------------------------------------

node_server() { # [pem]: sets the variables scheme, port1 and port2
  bulk
  scheme=http
  [ $# -eq 0 ] || scheme=https
  start node node "$WK_SOURCE/tests/peers/tunnel-server.js" bulk "$@"
  wait_until test -s node.out
  read -r port1 port2 <node.out
}

ask() { # h1|h2 path option ...: a tunnel to node
  local path=$2 options=(--http1.1) port=$port1
  [ "$1" = h1 ] || { options=(--http2) port=$port2; }
  [ "$scheme" = http ] || options+=(--cacert cert.pem)
  shift 2
  capsule-cat "${options[@]}" "$@" "$scheme://127.0.0.1:$port/$path"
}

carries() { # h1|h2
  local sum
  sum=$(sha256sum <bulk)
  ask "$1" echo <bulk | cmp - bulk
  # Our end, with all before it, is seen; its end does not come before.
  ask "$1" sink <bulk >out
  [ ! -s out ]
  grep -q "/sink got $(wc -c <bulk) ${sum%% *}" node.out
  ask "$1" file <one | cmp - bulk
  # It ends at once while our input goes on, at an end of capsules or not.
  held one
  ask "$1" hello <&4 | cmp - one
  run -5 --separate-stderr ask "$1" half --show <one
  [ "$output" = 'offset 0 type 0x0 DATAGRAM length 6 context_id 0 payload 6865[truncated] "he"' ]
  [[ $stderr == *": byte 5: "* ]]
}

@test "node's http2 serves tunnels: bulk in both directions, ends of either side" {
  needs node nodejs
  node_server
  carries h2
}

@test "the same over TLS" {
  needs node nodejs
  node_server both.pem
  carries h2
}

@test "node's http upgrades: bulk in both directions, ends of either side" {
  needs node nodejs
  node_server
  carries h1
}

@test "the same upgrades over TLS" {
  needs node nodejs
  node_server both.pem
  carries h1
}

@test "node sees what the documents ask for, and nothing before its answer" {
  needs node nodejs
  node_server
  ask h2 echo <one >out
  [ "$(sed -n 's/^request //p' node.out | tail -n 1 |
    jq -c '[.[":method"], .[":protocol"], .[":scheme"], .[":path"], .["capsule-protocol"]]')" = \
    '["CONNECT","connect-udp","http","/echo","?1"]' ]
  ask h1 echo --protocol connect-ip <one >out
  [ "$(sed -n 's/^request //p' node.out | tail -n 1 |
    jq -c '[.connection, .upgrade, .["capsule-protocol"]]')" = '["Upgrade","connect-ip","?1"]' ]
  grep -qx 'early 0' node.out
}

resets() { # h1|h2, words of the message
  held one
  run -3 --separate-stderr ask "$1" reset <&4
  [ "$output" = "$(tr -d '\0' <one)" ]
  [[ $stderr == *"$2"* ]]
}

@test "a reset by node is told, after what came before it" {
  needs node nodejs
  local pem
  for pem in "" both.pem; do
    node_server ${pem:+"$pem"}
    resets h2 ': the peer reset the tunnel: internal error (the peer sent INTERNAL_ERROR, code 0x2)'
    resets h1 ': the connection was cut off'
  done
}

@test "node sees our reset" {
  needs node nodejs
  node_server
  held one
  run -0 --separate-stderr ask h2 echo --show --count 1 <&4
  [ -n "$output" ]
  wait_until grep -qx 'h2 /echo closed 8' node.out
  held one
  ask h1 echo --show --count 1 <&4
  wait_until grep -qx 'h1 /echo closed ' node.out
}

@test "capsules in one packet with the 101, and an octet in each" {
  needs node nodejs
  local pem path
  for pem in "" both.pem; do
    node_server ${pem:+"$pem"}
    for path in glued slow; do
      ask h1 "$path" <one | cmp - one
      [ "$(ask h1 "$path" --datagrams line </dev/null)" = hello ]
    done
  done
}

@test "answers of node that open no tunnel" {
  needs node nodejs
  node_server
  local code
  for code in 204 205 206; do
    run -5 --separate-stderr ask h2 "$code" <one
    [[ $stderr == *": status $code does not open a tunnel" ]]
  done
  for code in 302 403 500; do
    run -6 --separate-stderr ask h2 "$code" <one
    [[ $stderr == *": the tunnel was refused: $code "* ]]
  done
  local version
  for version in h1 h2; do
    run -5 --separate-stderr ask "$version" typed <one
    [ -z "$output" ]
    [[ $stderr == *": a tunnel does not have content-type" ]]
  done
}

# --- node's http and http2 as the client --------------------------------------

node_client() { # h1|h2 [reset]
  local version=$1
  shift
  timeout 120 node "$WK_SOURCE/tests/peers/tunnel-client.js" "$version" "$address/x" "$@"
}

serves() { # option ...
  listen --serve echo "$@"
  bulk
  local version
  for version in h1 h2; do
    node_client "$version" <bulk 2>err | cmp - bulk
    grep -q '"capsule-protocol":"?1"' err
    grep -qx end err
    # It leaves in the middle, which costs nobody else anything.
    held one
    node_client "$version" reset <&4 2>err | cmp - one
  done
  grep -q '"enableConnectProtocol":true' err
  ends_well 4
}

@test "node's http and http2 come for tunnels" {
  needs node nodejs
  serves --cleartext
}

@test "node's http and http2 come for tunnels over TLS" {
  needs node nodejs
  serves
}

@test "what node sends is shown, as far as it came" {
  needs node nodejs
  listen --serve dump --cleartext
  local version
  for version in h1 h2; do
    head -c 6 one | node_client "$version" 2>err || :
    wait_until grep -q 'stream 1: .*\[truncated\]' served.out
    : >served.out
  done
  # To end inside a capsule is malformed, over HTTP/2 with a code.
  grep -qx 'closed 1' err
}

# --- relays -------------------------------------------------------------------

@test "haproxy relays between both versions, over TLS and without" {
  needs haproxy haproxy
  start served capsule-cat --listen "unix:$PWD/back" --cleartext --serve echo
  wait_until grep -q 'listening on' served.err
  DIR=$PWD start haproxy haproxy -db -f "$WK_SOURCE/tests/peers/tunnel-haproxy.cfg"
  wait_until test -S h2s
  bulk
  local socket to options
  for socket in h1 h2 h1s h2s; do
    options=(--http1.1) scheme=http
    [ "${socket:0:2}" = h1 ] || options=(--http2)
    [ "${socket:2}" = "" ] || { options+=(--cacert cert.pem) scheme=https; }
    for to in 1 2; do
      # It may give up what is still coming back once our direction has ended,
      # so that stays open until then.
      there_and_back "${options[@]}" --unix-socket "$socket" "$scheme://localhost/$to"
    done
  done
  ends_well 8
}

@test "a listener behind haproxy that is gone is a refusal" {
  needs haproxy haproxy
  DIR=$PWD start haproxy haproxy -db -f "$WK_SOURCE/tests/peers/tunnel-haproxy.cfg"
  wait_until test -S h2s
  local to
  for to in 1 2; do
    run -6 --separate-stderr capsule-cat --http2 --unix-socket "$PWD/h2" "http://localhost/$to" <one
    [ -z "$output" ]
    [[ $stderr == *": the tunnel was refused: 503 Service Unavailable" ]]
  done
}

@test "nghttpx relays an upgrade, and refuses what it does not know" {
  needs nghttpx nghttp2-proxy
  start served capsule-cat --listen "unix:$PWD/back" --cleartext --serve echo
  wait_until grep -q 'listening on' served.err
  start nghttpx nghttpx --conf=/dev/null --workers=1 --no-ocsp --frontend "unix:$PWD/clear;no-tls" \
    --frontend "unix:$PWD/tls;tls" --backend "unix:$PWD/back" key.pem cert.pem
  wait_until test -S tls
  local options
  for options in "--unix-socket clear http:" "--cacert cert.pem --unix-socket tls https:"; do
    # It leaves when we have sent our end, so that does not come.
    # shellcheck disable=SC2086
    held one
    capsule-cat --http1.1 --show --count 1 $options//localhost/x <&4 >out
    grep -q 'payload 68656c6c6f "hello"' out
    # shellcheck disable=SC2086
    run -6 --separate-stderr capsule-cat --http2 $options//localhost/x <one
    [ -z "$output" ]
    [[ $stderr == *": the tunnel was refused: 400 Bad Request" ]]
  done
}

@test "caddy, which answers with a page, is refused in both versions" {
  needs caddy caddy
  HOME=$PWD DIR=$PWD start caddy caddy run --adapter caddyfile \
    --config "$WK_SOURCE/tests/peers/not-a-tunnel.caddy"
  wait_until test -S tls
  wait_until test -S clear
  # The page is there.
  [ "$(curl -s --unix-socket clear http://localhost:1/)" = "not a tunnel" ]
  local options
  for options in "--unix-socket clear http:" "--cacert cert.pem --unix-socket tls https:"; do
    # shellcheck disable=SC2086
    run -6 --separate-stderr capsule-cat --http1.1 $options//localhost:1/x <one
    [ -z "$output" ]
    [[ $stderr == *": the tunnel was refused: 200 OK" ]]
    # shellcheck disable=SC2086
    run -6 --separate-stderr capsule-cat --http2 $options//localhost:1/x <one
    [ -z "$output" ]
    [[ $stderr == *": the server does not take Extended CONNECT" ]]
  done
}

# --- by hand ------------------------------------------------------------------

upgrade_by_hand() {
  printf '%s\r\n' 'GET /x HTTP/1.1' 'Host: localhost' 'Connection: keep-alive, Upgrade' \
    'Upgrade: connect-udp' 'Capsule-Protocol: ?1' ''
}

@test "openssl s_client upgrades by hand" {
  listen --serve echo
  mkfifo in
  timeout 120 openssl s_client -quiet -alpn http/1.1 -connect "${address#https://}" \
    <in >out 2>/dev/null 3>&- &
  pids+=($!)
  exec 4>in
  upgrade_by_hand >&4
  wait_until grep -q '^upgrade: connect-udp' out
  cat one >&4
  wait_until grep -qa hello out
  exec 4>&-
  [ "$(sed 's/\r$//' out | sed '1,/^$/d' | hex)" = "$(hex <one)" ]
  grep -q '^HTTP/1.1 101 ' out
  grep -qi $'^capsule-protocol: ?1\r$' out
}

@test "curl upgrades by hand, and is told what is missing" {
  needs curl curl
  listen --serve echo --cleartext
  start curl curl -sv --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: connect-udp' "$address/x"
  wait_until grep -q $'^< HTTP/1.1 101 Switching Protocols\r$' curl.err
  run -0 curl -si --http1.1 "$address/x"
  [ "${lines[0]}" = $'HTTP/1.1 426 Upgrade Required\r' ]
  [[ $output == *$'\nupgrade: connect-udp\r'* ]]
  run -0 curl -si --http1.1 -X POST "$address/x"
  [ "${lines[0]}" = $'HTTP/1.1 405 Method Not Allowed\r' ]
  run -0 curl -si --http2-prior-knowledge "$address/x"
  [ "${lines[0]}" = $'HTTP/2 405 \r' ]
}

@test "nghttp names our setting, and h2load does not tire us" {
  needs nghttp nghttp2-client
  listen --serve echo
  run -0 nghttp -nv "$address/x"
  [[ $output == *"[SETTINGS_ENABLE_CONNECT_PROTOCOL(0x08):1]"* ]]
  [[ $output == *":status: 405"* ]]
  h2load -n 2000 -c 5 -m 50 "$address/x" >load
  grep -q 'status codes: 0 2xx, 0 3xx, 2000 4xx, 0 5xx' load
  ends_well 0
}

# --- seen from outside --------------------------------------------------------

@test "tshark names our frames and headers" {
  needs tshark tshark
  needs tcpdump tcpdump
  needs ip iproute2
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  unshare --net true 2>/dev/null || skip "network namespaces are not allowed here"
  # Ends what it started: the capture when all was said.
  cat >inside <<'EOT'
set -eu -o pipefail
ip link set lo up
tcpdump -Uni lo -w capture tcp >/dev/null 2>tcpdump.err 3>&- &
capture=$!
trap 'kill $(jobs -p)' EXIT
wait_until grep -q 'listening on' tcpdump.err
capsule-cat --listen 127.0.0.1:8443 --serve echo --cert both.pem 2>served.err 3>&- &
listener=$!
wait_until grep -q 'listening on' served.err
capsule-cat --http2 --keylog keys --cacert cert.pem https://127.0.0.1:8443/x <one | cmp - one
kill $listener
wait $listener
# What is behind the rest in the capture has everything in front of it.
(: </dev/tcp/127.0.0.1/9) 2>/dev/null || :
is_captured() { tcpdump -nr capture 'tcp port 9' 2>/dev/null | grep -q .; }
wait_until is_captured
kill $capture
wait $capture
trap - EXIT
EOT
  declare -f wait_until >functions
  unshare --net bash -c '. ./functions; . ./inside'
  tshark -r capture -d tcp.port==8443,tls -o tls.keylog_file:keys -Y http2 -T fields \
    -e http2.header.name -e http2.header.value -e http2.settings.id -e http2.type >fields 2>/dev/null
  # Both of a request, that of the answer, the setting, and DATA.
  grep -q ':method,:protocol,:scheme,:authority,:path,capsule-protocol' fields
  grep -q 'CONNECT,connect-udp,https,127.0.0.1:8443,/x,?1' fields
  grep -q ':status,capsule-protocol.*200,?1' fields
  tshark -r capture -d tcp.port==8443,tls -o tls.keylog_file:keys -Y http2 -V 2>/dev/null >tree
  grep -q 'Settings - Extended CONNECT : 1' tree
  grep -q 'Data: 00060068656c6c6f' tree
}
