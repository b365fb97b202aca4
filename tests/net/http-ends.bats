#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The HTTP client and server of common/net, by way of http_echo, against
# foreign peers and through proxies, on ports that the kernel chose.

load ../cli/tool

setup() {
  [ -x "$WK_BUILD/http_echo" ] || skip "http_echo is not built here"
  cd "$BATS_TEST_TMPDIR" || exit
  pids=()
  unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  head -c 3000000 /dev/urandom >body
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

needs() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || skip "needs $command"
  done
}

echo_server() { # option ...: sets address
  : >served
  http_echo serve "$@" 127.0.0.1:0 >served 2>served.err 3>&- &
  pids+=($!)
  wait_until grep -q listening served
  address=$(awk '{ print $2; exit }' served)
}

peer() { # command ...: sets port, its first words
  : >peer.out
  "$@" >peer.out 2>peer.err 3>&- &
  pids+=($!)
  wait_until test -s peer.out
  read -r port <peer.out
}

proxy() { peer python3 "$WK_SOURCE/tests/peers/proxy.py" "$@"; }

certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null
  cat key.pem cert.pem >both.pem
}

# --- curl and nghttp as clients of our server ---------------------------------

asks_everything() { # scheme, curl option
  local url=$1://$address
  shift
  [ "$(curl -sk "$@" "$url/")" = hello ]
  curl -sk "$@" "$url/bytes/1000000" | cmp - <(python3 -c '
import sys
sys.stdout.buffer.write((bytes(range(256)) * 3907)[:1000000])')
  curl -sk "$@" --data-binary @body "$url/echo" | cmp - body
  [ "$(curl -sk "$@" --data-binary @body "$url/sink")" = 3000000 ]
  # Several on one connection, and one after a refusal. Without TLS, curl 7.88
  # cannot do that over HTTP/2.
  [ "$1" = --http2-prior-knowledge ] ||
    [ "$(curl -sk "$@" "$url/" "$url/nothing" "$url/" | tr '\n' ,)" = 'hello,not here,hello,' ]
}

@test "curl asks in both versions, in cleartext at one port and over TLS" {
  needs curl
  echo_server
  asks_everything http --http1.1
  asks_everything http --http2-prior-knowledge
  echo_server --tls
  asks_everything https --http1.1
  asks_everything https --http2
  [ "$(curl -sko /dev/null -w '%{http_version}' "https://$address/")" = 2 ]
}

@test "curl waits for 100 before it sends, and gets it" {
  needs curl
  echo_server --http1
  run -0 --separate-stderr curl -sv -H 'Expect: 100-continue' --data-binary @body "http://$address/sink"
  [ "$output" = 3000000 ]
  [[ $stderr == *"< HTTP/1.1 100"* ]]
}

@test "nghttp asks for a hundred things at once" {
  needs nghttp
  echo_server
  nghttp -nm 100 "http://$address/bytes/100000" -s >stat
  [ "$(grep -c ' 200 .*/bytes/100000' stat)" -eq 100 ]
}

@test "a client that leaves in the middle costs only its own connection" {
  needs curl
  echo_server
  for version in --http2-prior-knowledge --http1.1; do
    [ "$(curl -s "$version" "http://$address/endless" | head -c 100000 | wc -c)" -eq 100000 ]
  done
  [ "$(curl -s "http://$address/")" = hello ]
  kill -TERM "${pids[0]}"
  wait "${pids[0]}"
  pids=()
  grep -q 'accepted 3 refused 0 requests 3 connections 0' served
}

@test "a server's last octets over TLS are a close_notify" {
  echo_server --tls --http1
  run -0 --separate-stderr python3 - "${address##*:}" <<'EOF'
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
tls = context.wrap_socket(raw, suppress_ragged_eofs=False)
tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
data = b""
while more := tls.recv(65536):
    data += more
print(data.decode().split("\r\n\r\n")[1])
EOF
  [ "$output" = hello ]
}

@test "peers are asked now and then whether they are still there" {
  needs ss nc
  echo_server --http1
  nc -d 127.0.0.1 "${address##*:}" 3>&- &
  pids+=($!)
  wait_until eval "ss -Htno 'sport = :${address##*:}' | grep -q 'timer:(keepalive,'"
}

# --- our client asks foreign servers ------------------------------------------

@test "a server written in JavaScript answers both versions, and tunnels" {
  needs node
  peer node "$WK_SOURCE/tests/peers/http-server.js"
  read -r one two <<<"$port"
  for option in "--http1 http://127.0.0.1:$one" "--http2 http://127.0.0.1:$two"; do
    read -r version url <<<"$option"
    [ "$(http_echo get "$version" "$url/" 2>status)" = hello ]
    http_echo get "$version" --method POST --body body "$url/x" 2>status | cmp - body
    grep -q ' 200$' status
    http_echo get "$version" --tunnel test --body body "$url/x" 2>status | cmp - body
  done
}

@test "the end of a body is believed over TLS only with a close_notify" {
  needs openssl
  certificate
  peer python3 "$WK_SOURCE/tests/peers/tls-server.py" both.pem clean
  run -0 --separate-stderr http_echo get "https://127.0.0.1:$port/"
  [ "$output" = hello ]
  peer python3 "$WK_SOURCE/tests/peers/tls-server.py" both.pem cut
  run -3 --separate-stderr http_echo get "https://127.0.0.1:$port/"
  [ "$output" = hello ]
  [[ $stderr == *close_notify* ]]
}

@test "a server without ALPN speaks HTTP/1.1, and HTTP/2 is refused clearly" {
  needs openssl
  certificate
  peer python3 "$WK_SOURCE/tests/peers/tls-server.py" both.pem no-alpn
  run -0 --separate-stderr http_echo get "https://127.0.0.1:$port/"
  [ "$output" = hello ]
  run -3 --separate-stderr http_echo get --http2 "https://127.0.0.1:$port/"
  [ "$stderr" = "http_echo: the server chose no protocol by ALPN, HTTP/2 was asked for" ]
}

# --- through proxies ----------------------------------------------------------

gets_through() { # option ...
  [ "$(http_echo get --proxy "$@" "http://$address/" 2>status)" = hello ]
  http_echo get --proxy "$@" --method POST --body body "http://$address/echo" 2>status | cmp - body
}

@test "CONNECT leads to the server, however its answer is cut" {
  local behaviour
  echo_server
  for behaviour in relay slow informs; do
    proxy connect "$behaviour"
    http_proxy=http://127.0.0.1:$port gets_through --http1
    http_proxy=127.0.0.1:$port gets_through --http2
    [ "$(sed -n 2p peer.out)" = "CONNECT $address HTTP/1.1" ]
  done
}

@test "what the target says behind the proxy's answer belongs to the target" {
  needs node
  peer node "$WK_SOURCE/tests/peers/http-server.js"
  read -r _ two <<<"$port"
  proxy connect eager
  # An HTTP/2 server of this kind speaks first.
  http_proxy=http://127.0.0.1:$port run -0 --separate-stderr http_echo get --proxy --http2 \
    "http://127.0.0.1:$two/"
  [ "$output" = hello ]
}

@test "https goes through a proxy with TLS inside" {
  echo_server --tls
  proxy connect
  HTTPS_PROXY=http://127.0.0.1:$port run -0 --separate-stderr http_echo get --proxy "https://$address/"
  [ "$output" = hello ]
  [[ $stderr == *"HTTP/2 200"* ]]
  [ "$(sed -n 2p peer.out)" = "CONNECT $address HTTP/1.1" ]
}

@test "SOCKS5 gets addresses, socks5h names, socks5 looks them up itself" {
  echo_server
  proxy socks5
  all_proxy=socks5h://127.0.0.1:$port gets_through
  [ "$(sed -n 2p peer.out)" = "SOCKS5 1 address 127.0.0.1 ${address##*:}" ]
  all_proxy=socks5h://127.0.0.1:$port run -0 --separate-stderr \
    http_echo get --proxy "http://localhost:${address##*:}/"
  [ "$(tail -n 1 peer.out)" = "SOCKS5 1 name localhost ${address##*:}" ]
  proxy socks5 slow
  ALL_PROXY=socks5://127.0.0.1:$port run --separate-stderr \
    http_echo get --proxy "http://localhost:${address##*:}/"
  [[ $(tail -n 1 peer.out) == "SOCKS5 1 address "* ]]
}

@test "credentials in the proxy's URL are used, and missed" {
  echo_server
  proxy --user 'me:p@ss word' connect
  http_proxy=http://me:p%40ss%20word@127.0.0.1:$port gets_through
  http_proxy=http://127.0.0.1:$port run -6 --separate-stderr http_echo get --proxy "http://$address/"
  [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: 407 Who are you; put USER:PASSWORD@ into its URL" ]
  proxy --user me:pass socks5
  http_proxy=socks5h://me:pass@127.0.0.1:$port gets_through
  http_proxy=socks5h://me:wrong@127.0.0.1:$port run -6 --separate-stderr \
    http_echo get --proxy "http://$address/"
  [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: it refuses user and password" ]
  http_proxy=socks5h://127.0.0.1:$port run -6 --separate-stderr \
    http_echo get --proxy "http://$address/"
  [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: it wants credentials; put USER:PASSWORD@ into its URL" ]
}

@test "a proxy that refuses says why" {
  proxy connect refuse
  http_proxy=http://127.0.0.1:$port run -6 --separate-stderr http_echo get --proxy http://x.invalid/
  [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: 403 Forbidden; Proxy-Status: here; error=http_request_denied" ]
  proxy socks5 refuse
  http_proxy=socks5h://127.0.0.1:$port run -6 --separate-stderr http_echo get --proxy http://x.invalid/
  [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: SOCKS5 code 2, its rules do not allow it" ]
}

@test "a proxy that speaks garbage, leaves, or says nothing" {
  local kind
  for kind in connect socks5; do
    url=http://127.0.0.1
    [ "$kind" = connect ] || url=socks5h://127.0.0.1
    proxy "$kind" garbage
    http_proxy=$url:$port run -5 --separate-stderr http_echo get --proxy http://x.invalid/
    [[ $stderr == "http_echo: proxy 127.0.0.1 port $port: it"* ]]
    proxy "$kind" leave
    http_proxy=$url:$port run -3 --separate-stderr http_echo get --proxy http://x.invalid/
    [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: it closed the connection" ]
    proxy "$kind" silent
    http_proxy=$url:$port run -3 --separate-stderr http_echo get --timeout 0.3 --proxy http://x.invalid/
    [ "$stderr" = "http_echo: proxy 127.0.0.1 port $port: it did not answer in time" ]
  done
}

@test "NO_PROXY goes around the proxy, HTTP_PROXY means nothing" {
  echo_server
  http_proxy=http://127.0.0.1:1 NO_PROXY=127.0.0.0/8 run -0 --separate-stderr \
    http_echo get --proxy "http://$address/"
  [ "$output" = hello ]
  HTTP_PROXY=http://127.0.0.1:1 run -0 --separate-stderr http_echo get --proxy "http://$address/"
  http_proxy=http://127.0.0.1:1 run -3 --separate-stderr http_echo get --proxy "http://$address/"
  [ "$stderr" = "http_echo: proxy 127.0.0.1 port 1: Connection refused" ]
}
