#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tunnels as their users meet them: both of our ends on the loopback, on ports
# that the kernel chose.
# shellcheck disable=SC2030,SC2031,SC2094 # tests are subshells; all are read

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  data=$WK_SOURCE/tests/data/capsule
  peers=$WK_SOURCE/tests/peers
  pids=()
  n_served=0
  unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  unset SSLKEYLOGFILE XDG_STATE_HOME
  export HOME=$PWD
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

# A listener; sets url, log (its stderr), shown (its stdout), pid and pin.
serve() { # option ...
  n_served=$((n_served + 1))
  log=served$n_served.err
  shown=served$n_served.out
  capsule-cat -l 0 "$@" >"$shown" 2>"$log" </dev/null 3>&- &
  pid=$!
  pids+=("$pid")
  wait_until grep -q 'listening on' "$log"
  url=$(sed -n 's/.*listening on //p' "$log" | head -n 1)
  case " $* " in
    *" --cleartext "* | *" --cert "*) ;;
    *) wait_until grep -q SHA-256 "$log" ;;
  esac
  pin=$(sed -n 's/.*--pin //p' "$log")
}

# A peer that prints its port first; sets port and out.
peer() { # command ...
  out=peer$((n_served = n_served + 1)).out
  "$@" >"$out" 2>"$out.err" 3>&- &
  pids+=($!)
  wait_until test -s "$out"
  read -r port <"$out"
}

# Wait for a process of ours, not in a subshell, which has no children.
ends_with() { # exit code, pid
  local code=0
  wait "$2" || code=$?
  [ "$code" -eq "$1" ] || { echo "exit code $code"; return 1; }
}

# The end of the listener, by a signal.
stop() { # signal
  kill "-$1" "$pid"
  ends_with 0 "$pid"
}

octets() {
  # shellcheck disable=SC2059 # the octets are the format
  printf "$(printf '%s' "$@" | sed 's/../\\x&/g')"
}

all_vectors() {
  octets "$(cut -f 2 "$data/vectors.tsv" | tr -d '\n')"
}

certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=${1:-one}" -addext 'subjectAltName=IP:127.0.0.1,DNS:tunnel.example' \
    -keyout "${1:-one}.key" -out "${1:-one}.pem" 2>/dev/null
}

# One sentence on stderr, nothing on stdout; for `run --separate-stderr`.
says_one() { # words
  [ -z "$output" ] || { echo "stdout: $output"; return 1; }
  # shellcheck disable=SC2154 # bats sets it
  [ "${#stderr_lines[@]}" -eq 1 ] || { echo "stderr: $stderr"; return 1; }
  [[ "$stderr" == *"$1"* ]] || { echo "stderr: $stderr"; return 1; }
}

# --- there and back -----------------------------------------------------------

@test "datagrams go there and back in every framing, over both versions" {
  local version framing
  printf 'one\ntwo\n\nthree\n' >line
  printf '6f 6e65\n74:77:6f\n\n' >hex
  printf '\0\3one\0\0\0\3two' >u16
  printf '\3one\0\3two' >varint
  printf '{"event":"datagram","context_id":0,"length":2,"payload_hex":"6869"}\n' >ndjson
  head -c 9000 /dev/zero >whole
  head -c 9000 /dev/zero >raw
  printf '6f6e65\n74776f\n\n' >hex.want
  serve --cleartext --serve echo
  for version in --http1.1 --http2; do
    for framing in line u16 varint ndjson whole raw hex; do
      capsule-cat "$version" --datagrams "$framing" --linger 0 "$url" <"$framing" >got ||
        { echo "$version $framing: $?"; return 1; }
      if [ "$framing" = hex ]; then
        # A line of nothing is a datagram of nothing, or none: as offline.
        capsule-cat -e -f hex hex | capsule-cat --payload -f hex >hex.want
        cmp got hex.want
      else
        cmp got "$framing" || { echo "$version $framing"; return 1; }
      fi
    done
  done
}

@test "raw capsules come back octet by octet, over TLS and without" {
  local version
  all_vectors >all
  octets 170378797a 998000000100 >>all
  python3 -c 'import sys; sys.stdout.buffer.write(b"\0\x80\x0f\x42\x40" + bytes(range(250)) * 4000)' >>all
  serve --serve echo
  for version in --http1.1 --http2; do
    capsule-cat "$version" -k --pin "$pin" "$url" <all | cmp - all
  done
  serve --cleartext --serve echo
  for version in --http1.1 --http2; do
    capsule-cat "$version" "$url" <all | cmp - all
  done
  # One octet per read makes no difference.
  head -c 600 all | head -c "$(all_vectors | wc -c)" >some
  python3 "$peers/dribble.py" <some | capsule-cat "$url" | cmp - some
}

@test "megabytes pass in both directions, and a slow reader loses nothing" {
  serve --serve echo
  head -c 8000000 /dev/urandom >much
  capsule-cat -e -f raw much >capsules
  capsule-cat -k --pin "$pin" "$url" <capsules | cmp - capsules
  # Nobody reads until everything on the way is full.
  mkfifo slow
  capsule-cat -k --pin "$pin" "$url" <capsules >slow 3>&- &
  client=$!
  exec 9<slow
  head -c 10 <&9 >got
  wait_until has_stalled "$client"
  cat <&9 >>got
  exec 9<&-
  ends_with 0 "$client"
  cmp got capsules
}

# Has it read nothing since the last time?
has_stalled() { # pid
  local was
  was=$(cat stalled 2>/dev/null)
  grep rchar "/proc/$1/io" >stalled
  [ "$was" = "$(cat stalled)" ]
}

@test "what comes out is shown, counted, or written to a file" {
  serve --cleartext --serve echo
  printf 'one\ntwo\nthree\n' | capsule-cat -e >three
  run -0 --separate-stderr capsule-cat --show "$url" <three
  [ "${lines[1]}" = 'offset 5 type 0x0 DATAGRAM length 4 context_id 0 payload 74776f "two"' ] || [ "${lines[1]}" = 'offset 6 type 0x0 DATAGRAM length 4 context_id 0 payload 74776f "two"' ]
  [ "${#lines[@]}" -eq 3 ]
  [ -z "$stderr" ]
  run -0 capsule-cat --json --count 2 "$url" <three
  [ "$(jq -r '.fields.payload_hex' <<<"$output")" = $'6f6e65\n74776f' ]
  run -0 capsule-cat --show --type '!DATAGRAM' "$url" <three
  [ -z "$output" ]
  run -0 capsule-cat --raw --show -c 1 "$url" <three
  [ "$output" = 'offset 0 type 0x0 DATAGRAM length 4 value 006f6e65' ]
  run -0 capsule-cat -o file --datagrams line --linger 0 "$url" <<<hello
  [ -z "$output" ]
  [ "$(cat file)" = hello ]
}

@test "a count is exact, and only what was wanted counts" {
  serve --cleartext --serve echo
  run -0 timeout 300 capsule-cat --datagrams line -c 2 "$url" < <(seq 5; yes)
  [ "$output" = $'1\n2' ]
  # Datagrams of another context come first.
  { seq 3 | capsule-cat -e --context 4; seq 7 8 | capsule-cat -e --context 2; } >contexts
  run -0 capsule-cat --show --context 2 -c 1 "$url" <contexts
  [[ "$output" == *'context_id 2 payload 37 "7"' ]]
  printf '%s\n' '{"context_id":4,"payload":"four"}' '{"context_id":2,"payload":"two"}' \
    '{"context_id":2,"payload":"more"}' >records
  run -0 capsule-cat --datagrams ndjson --context 2 -c 1 "$url" <records
  [ "$(jq -r .payload_hex <<<"$output")" = 74776f ]
}

@test "--linger keeps the direction open for answers, --keep-sending the input" {
  serve --cleartext --serve discard
  run -3 --separate-stderr capsule-cat --datagrams line --linger 60 --max-time 0.5 "$url" <<<hello
  says_one 'not done after 0.5 s (--max-time)'
  run -0 timeout 300 capsule-cat --linger 0 --datagrams line "$url" <<<hello
  # The peer ends at once; who keeps sending does so until the input's end.
  peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c = s.accept()[0]
    head = b""
    while b"\r\n\r\n" not in head:
        head += c.recv(1)
    c.sendall(b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n")
    c.shutdown(socket.SHUT_WR)
    n = 0
    while data := c.recv(65536):
        n += len(data)
    print(n, flush=True)
    c.close()'
  mkfifo input
  capsule-cat --keep-sending "http://127.0.0.1:$port/" <input >/dev/null &
  exec 9>input
  octets 0001aa >&9
  octets 0002bbbb >&9
  exec 9>&-
  wait $!
  wait_until grep -qx 7 "$out"
  # Who does not is done, although the input goes on.
  exec 9<>input
  run -0 timeout 300 capsule-cat "http://127.0.0.1:$port/" <&9
  exec 9>&-
}

@test "requests say what their options say" {
  local version
  printf 'basic me:secret word\nbearer abc\n' >auth
  serve --cleartext -v
  for version in --http1.1 --http2; do
    : >"$log"
    capsule-cat "$version" -H 'X-One: 1' --header 'x-two:  two words ' --authority tunnel.example \
      --auth auth --protocol webtransport --target '[2001:db8::42]:53' \
      --template '/m{?target_host,target_port}' "$url" </dev/null
    wait_until grep -q 'x-two: two words' "$log"
    grep -q 'x-one: 1' "$log"
    grep -qi 'authorization: Basic bWU6c2VjcmV0IHdvcmQ=' "$log"
    grep -q 'capsule-protocol: ?1' "$log"
    grep -q 'tunnel.example' "$log"
    grep -q '/m?target_host=2001%3Adb8%3A%3A42&target_port=53' "$log"
    grep -q 'webtransport' "$log"
  done
  # Nothing long is cut.
  capsule-cat -H "long: $(printf '%02000d' 0)end" "$url" </dev/null
  wait_until grep -q '0000end' "$log"
}

@test "services ask for credentials and protocol" {
  printf 'bearer right\n' >right
  printf 'bearer wrong\n' >wrong
  serve --cleartext --serve echo --auth right --protocol connect-ip
  run -6 --separate-stderr capsule-cat --protocol connect-ip --auth wrong "$url" </dev/null
  says_one "$url: the tunnel was refused: 401 Unauthorized"
  run -6 --separate-stderr capsule-cat --protocol connect-ip "$url" </dev/null
  says_one '401 Unauthorized'
  run -6 --separate-stderr capsule-cat --auth right "$url" </dev/null
  says_one '501 Not Implemented'
  run -0 capsule-cat --protocol connect-ip --auth right "$url" </dev/null
  run -0 bash -c "curl -s -o /dev/null -w '%{http_code}' -X POST $url"
  [ "$output" = 405 ]
}

@test "the proxy carries packets to where it may, and says why not" {
  local version
  peer python3 "$peers/udp-echo.py" 'you said '
  serve --serve proxy --allow "127.0.0.1:$port"
  for version in --http1.1 --http2; do
    run -0 --separate-stderr capsule-cat "$version" -k --pin "$pin" --datagrams line -c 2 --linger 100 \
      --target "127.0.0.1:$port" "$url" < <(printf 'one\ntwo\n')
    [ "$(sort <<<"$output")" = $'you said one\nyou said two' ]
    [ -z "$stderr" ]
    run -6 --separate-stderr capsule-cat "$version" -k --pin "$pin" --datagrams line \
      --target 127.0.0.1:1 "$url" <<<one
    says_one 'refused: 403 Forbidden; proxy-status: capsule-cat; error=http_request_denied'
  done
  run -6 --separate-stderr capsule-cat -k --pin "$pin" "${url}nowhere" </dev/null
  says_one '404 Not Found'
  # A template of its own, in the client's URL.
  serve --cleartext --serve proxy --allow-private --template '/p{?target_host,target_port}'
  run -0 capsule-cat --datagrams line -c 1 --linger 100 --target "127.0.0.1:$port" \
    "${url}p{?target_host,target_port}" <<<hi
  [ "$output" = 'you said hi' ]
  # Nobody there: the tunnel opens, and breaks when the network says so.
  mkfifo input
  exec 9<>input
  echo hi >&9
  run -3 --separate-stderr timeout 300 capsule-cat --datagrams line \
    --template '/p{?target_host,target_port}' --target 127.0.0.1:9 "$url" <&9
  exec 9>&-
  [ "${#stderr_lines[@]}" -eq 1 ]
  stop TERM
  grep -q '2 tunnels opened, 0 open, 0 refused, 1 failed' "$log"
}

# --- where to, and whom to trust ----------------------------------------------

@test "unix sockets, and other addresses than the URL's" {
  serve --cleartext --serve echo --listen unix:sock --listen '[::1]:0'
  [ "$(grep -c 'listening on' "$log")" -eq 3 ]
  run -0 capsule-cat --unix-socket sock --datagrams line -c 1 http://tunnel.example/ <<<hi
  [ "$output" = hi ]
  run -0 capsule-cat --connect-to "${url:7:-1}" --datagrams line -c 1 http://tunnel.example/ <<<hi
  [ "$output" = hi ]
  run -0 capsule-cat --datagrams line -c 1 "$(sed -n 's/.*listening on \(.*::1.*\)/\1/p' "$log")" <<<hi
  [ "$output" = hi ]
  run -0 capsule-cat --bind 127.0.0.2 --datagrams line -c 1 "$url" <<<hi
  run -2 --separate-stderr capsule-cat --bind 127.0.0.2 --bind 127.0.0.3 "$url"
  says_one '--bind may be given once per family'
  run -3 --separate-stderr capsule-cat --unix-socket nothing http://tunnel.example/ </dev/null
  says_one 'No such file'
  stop INT
  [ ! -e sock ]
}

@test "certificates: pins, authorities, none at all" {
  local wrong trust
  certificates one
  certificates two
  serve --serve echo --cert one.pem --key one.key
  run -0 capsule-cat --cacert one.pem --datagrams line -c 1 "$url" <<<hi
  [ "$output" = hi ]
  run -3 --separate-stderr capsule-cat --cacert two.pem "$url" </dev/null
  says_one "$url"
  run -3 --separate-stderr capsule-cat "$url" </dev/null
  says_one "$url"
  wrong=$(printf '%064d' 0)
  for trust in --insecure '--cacert one.pem'; do
    # shellcheck disable=SC2086 # words
    run -3 --separate-stderr capsule-cat $trust --pin "$wrong" "$url" </dev/null
    says_one 'is not the pinned one'
  done
  serve --serve echo
  run -0 --separate-stderr capsule-cat -k --pin "$pin" "$url" </dev/null
  [ -z "$stderr" ]
  run -3 --separate-stderr capsule-cat --pin "$pin" "$url" </dev/null
  says_one 'is not trusted'
  run -2 --separate-stderr capsule-cat --pin rubbish "$url" </dev/null
  says_one 'rubbish'
  run -4 --separate-stderr capsule-cat --cacert nowhere.pem "$url" </dev/null
  says_one 'nowhere.pem'
  run -0 --separate-stderr capsule-cat -k "$url" </dev/null
  says_one 'warning: certificates are not verified (--insecure)'
  run -0 --separate-stderr capsule-cat -qk "$url" </dev/null
  [ -z "$stderr" ]
  run -0 --separate-stderr capsule-cat --keylog keys -k -q "$url" </dev/null
  grep -q TRAFFIC_SECRET keys
  SSLKEYLOGFILE=secrets run -0 capsule-cat -k -q "$url" </dev/null
  grep -q TRAFFIC_SECRET secrets
}

@test "listeners that want a certificate get one or nobody" {
  certificates server
  certificates client
  certificates other
  serve --serve echo --cert server.pem --key server.key --client-ca client.pem
  run -0 capsule-cat --cacert server.pem --cert client.pem --key client.key \
    --datagrams line -c 1 "$url" <<<hi
  [ "$output" = hi ]
  # Without one, or with a stranger's, the server says in TLS why it leaves.
  local version
  for version in --http1.1 --http2; do
    run -3 --separate-stderr capsule-cat "$version" --cacert server.pem "$url" </dev/null
    says_one "$url: peer sent the TLS alert 116, certificate_required (it demands a client certificate"
    run -3 --separate-stderr capsule-cat "$version" --cacert server.pem --cert other.pem --key other.key \
      "$url" </dev/null
    says_one "$url: peer sent the TLS alert 116, certificate_required (it demands a client certificate"
  done
  # A key that is missing, and one that does not fit.
  run -4 --separate-stderr capsule-cat --cert client.pem "$url" </dev/null
  says_one 'client.pem: no private key in it, PEM expected; --key names a file of its own'
  run -4 --separate-stderr capsule-cat -l 0 --cert client.pem
  says_one 'client.pem: no private key in it, PEM expected; --key names a file of its own'
  run -4 --separate-stderr capsule-cat --cert client.key "$url" </dev/null
  says_one 'client.key: no certificate in it, PEM expected'
  run -4 --separate-stderr capsule-cat --cert client.pem --key client.pem "$url" </dev/null
  says_one 'client.pem: no private key in it, PEM expected'
  run -2 --separate-stderr capsule-cat --key client.key "$url" </dev/null
  says_one '--key needs --cert'
  run --separate-stderr capsule-cat -l 0 --cert server.pem --key client.key
  [ "$status" -eq 2 ] || [ "$status" -eq 4 ]
  [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "an http URL where TLS is spoken, and the other way round" {
  local version
  serve --serve echo
  for version in --http1.1 --http2; do
    run -5 --separate-stderr capsule-cat "$version" "http${url#https}" </dev/null
    says_one ': the server seems to speak TLS; use https'
  done
  serve --serve echo --cleartext
  for version in --http1.1 --http2; do
    run -3 --separate-stderr capsule-cat "$version" "https${url#http}" </dev/null
    says_one 'does not speak TLS'
  done
}

@test "ends that speak different versions part at once" {
  serve --serve echo --http2
  run -3 --separate-stderr timeout 300 capsule-cat --http1.1 -k --pin "$pin" "$url" </dev/null
  says_one "$url"
  serve --serve echo --http1.1
  run -3 --separate-stderr timeout 300 capsule-cat --http2 -k --pin "$pin" "$url" </dev/null
  says_one "$url"
}

@test "proxies of the environment carry the connection" {
  serve --serve echo
  peer python3 "$peers/proxy.py" connect
  https_proxy="http://127.0.0.1:$port" run -0 capsule-cat -k --pin "$pin" --datagrams line -c 1 "$url" <<<hi
  [ "$output" = hi ]
  grep -q '^CONNECT 127.0.0.1:' "$out"
  peer python3 "$peers/proxy.py" socks5
  ALL_PROXY="socks5h://127.0.0.1:$port" run -0 capsule-cat -k --pin "$pin" --datagrams line -c 1 "$url" <<<hi
  grep -q '^SOCKS5' "$out"
  peer python3 "$peers/proxy.py" connect refuse
  https_proxy="http://127.0.0.1:$port" run -6 --separate-stderr capsule-cat -k --pin "$pin" "$url" </dev/null
  says_one '403'
  https_proxy="ftp://127.0.0.1:$port" run -2 --separate-stderr capsule-cat -k --pin "$pin" "$url" </dev/null
  [ "${#stderr_lines[@]}" -eq 1 ]
  NO_PROXY=127.0.0.1 https_proxy="http://127.0.0.1:1" run -0 capsule-cat -k --pin "$pin" --datagrams line -c 1 "$url" <<<hi
}

# --- trouble ------------------------------------------------------------------

@test "nobody there, a name that is not, and peers that talk rubbish" {
  local answer
  run -3 --separate-stderr capsule-cat http://127.0.0.1:1/ </dev/null
  says_one 'http://127.0.0.1:1/: '
  run -3 --separate-stderr timeout 300 capsule-cat http://nowhere.invalid/ </dev/null
  says_one 'nowhere.invalid'
  for answer in 'rubbish\r\n\r\n' 'HTTP/1.1 101 Go\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n' ''; do
    peer python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
head = b""
while b"\r\n\r\n" not in head:
    head += c.recv(1)
c.sendall(sys.argv[1].encode().decode("unicode_escape").encode())
c.close()' "$answer"
    run --separate-stderr timeout 300 capsule-cat "http://127.0.0.1:$port/" </dev/null
    echo "$answer: $status $stderr"
    case $answer in
      '') [ "$status" -eq 3 ] ;;
      *) [ "$status" -eq 5 ] || [ "$status" -eq 6 ] ;;
    esac
    [ "${#stderr_lines[@]}" -eq 1 ]
  done
  # A silent one.
  peer python3 "$peers/peer.py" listen 127.0.0.1 0 idle
  port=$(awk '{ print $2; exit }' "$out")
  run -3 --separate-stderr capsule-cat -m 0.3 "http://127.0.0.1:$port/" </dev/null
  says_one 'not done after 0.3 s'
}

@test "a peer that takes nothing does not keep us beyond a signal" {
  peer python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
head = b""
while b"\r\n\r\n" not in head:
    head += c.recv(1)
c.sendall(b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n")
print("open", flush=True)
time.sleep(600)'
  capsule-cat "http://127.0.0.1:$port/" </dev/zero 3>&- &
  pid=$!
  wait_until grep -q open "$out"
  kill -TERM "$pid"
  ends_with 143 "$pid"
}

@test "input that goes on after the tunnel is harmless" {
  local version
  # The peer leaves while we have much to say.
  for version in --http1.1 --http1.1 --http1.1; do
    peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
head = b""
while b"\r\n\r\n" not in head:
    head += c.recv(1)
c.sendall(b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n")
c.recv(100)
c.close()'
    run -3 --separate-stderr timeout 300 capsule-cat "$version" "http://127.0.0.1:$port/" </dev/zero
    [ "${#stderr_lines[@]}" -eq 1 ]
  done
  # It resets the tunnel, and the connection lives on.
  for version in --http1.1 --http2; do
    serve --strict
    run -3 --separate-stderr timeout 300 capsule-cat "$version" -k --pin "$pin" "$url" \
      < <(octets 010100; cat /dev/zero)
    [ "${#stderr_lines[@]}" -eq 1 ]
  done
}

@test "input that ends inside a capsule is an error, and all of it is sent" {
  local version
  for version in --http1.1 --http2; do
    serve --cleartext -c 1
    run -5 --separate-stderr capsule-cat "$version" "$url" < <(octets 000300aabb 000300cc)
    says_one 'standard input: byte 9: stream ends inside a capsule value'
    ends_with 0 "$pid"
    grep -q 'payload aabb' "$shown"
    grep -q 'payload cc\[truncated\]' "$shown"
  done
}

@test "what cannot be a datagram is told, the rest goes" {
  serve --cleartext --serve echo
  run -5 --separate-stderr capsule-cat --datagrams hex --linger 0 "$url" < <(printf '6869\nzz\n6f6b\n')
  [ "$output" = $'6869\n6f6b' ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  run -5 --separate-stderr capsule-cat --strict --datagrams hex --linger 0 "$url" < <(printf '6869\nzz\n6f6b\n')
  [ "$output" = 6869 ]
  [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a peer that ends inside a capsule is told, after what was good" {
  peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c = s.accept()[0]
    head = b""
    while b"\r\n\r\n" not in head:
        head += c.recv(1)
    c.sendall(b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n\0\3\0hi\0\4\0x")
    c.close()'
  mkfifo input
  exec 9<>input
  run -5 --separate-stderr timeout 300 capsule-cat --show "http://127.0.0.1:$port/" <&9
  exec 9>&-
  [[ "${lines[0]}" == *'payload 6869 "hi"' ]]
  [[ "${lines[1]}" == *'[truncated]'* ]]
  [ "${#stderr_lines[@]}" -eq 1 ]
  [[ "$stderr" == *'byte 9: stream ends inside a capsule value'* ]]
  # Capsules that are passed on as they are, too.
  run -5 --separate-stderr bash -c "capsule-cat http://127.0.0.1:$port/ </dev/null >out"
  [ "$(hex <out)" = 000300686900040078 ]
  [[ "$stderr" == *'byte 9: stream ends inside a capsule value'* ]]
}

@test "standard output that is closed, full, or left" {
  serve --cleartext --serve echo
  printf 'hello\n' >in
  run -4 --separate-stderr bash -c "capsule-cat --datagrams line $url <in >/dev/full"
  says_one 'standard output: No space left on device'
  run -4 --separate-stderr bash -c "capsule-cat --datagrams line $url <in >&-"
  says_one 'standard output: Bad file descriptor'
  run -0 --separate-stderr timeout 300 bash -c "yes | capsule-cat --datagrams line $url | head -n 1"
  [ "$output" = y ]
  [ -z "$stderr" ]
  run -0 --separate-stderr timeout 300 bash -c "trap '' PIPE; yes | capsule-cat --datagrams line $url | head -n 1"
  ! grep -v '^yes:' <<<"$stderr" | grep . || return 1
  run -4 --separate-stderr capsule-cat -o /nowhere/file "$url"
  says_one '/nowhere/file: No such file or directory'
  # A listener, too.
  capsule-cat -l 0 --cleartext >/dev/full 2>full.err </dev/null 3>&- &
  pid=$!
  pids+=("$pid")
  wait_until grep -q 'listening on' full.err
  capsule-cat -e in | capsule-cat "$(sed -n 's/.*listening on //p' full.err)" || :
  ends_with 4 "$pid"
  grep -q 'standard output: No space left' full.err
}

@test "standard input that is closed, and a signal while it waits" {
  serve --cleartext --serve echo
  run -0 --separate-stderr capsule-cat "$url" </dev/null
  [ -z "$output$stderr" ]
  run -0 --separate-stderr bash -c "capsule-cat $url <&-"
  [ -z "$output$stderr" ]
  run -4 --separate-stderr capsule-cat "$url" <.
  says_one 'standard input: Is a directory'
  mkfifo input
  exec 9<>input
  capsule-cat "$url" <input >/dev/null 3>&- &
  pid_client=$!
  wait_until bash -c "ls -l /proc/$pid_client/fd | grep -q socket"
  kill -INT "$pid_client"
  ends_with 130 "$pid_client"
  exec 9>&-
}

@test "a slow reader of much output makes the peer wait, not memory grow" {
  # Two octets on the wire are hundreds of JSON.
  serve --cleartext --serve echo
  mkfifo slow
  # Sanitizers need more, and say less.
  limit=150000
  (ulimit -v $limit; capsule-cat --version) >/dev/null 2>&1 || limit=unlimited
  (ulimit -v $limit; head -c 1500000 /dev/zero | capsule-cat -j "$url" >slow) 3>&- &
  pid=$!
  exec 9<slow
  head -c 1000 <&9 >/dev/null
  run -0 bash -c 'grep -c "\"length\":0" <&9'
  [ "$output" -gt 749000 ]
  exec 9<&-
  ends_with 0 "$pid"
}

# --- listeners ----------------------------------------------------------------

@test "a listener ends with a summary and 0, after so many or by a signal" {
  serve --cleartext -c 2
  seq 2 | capsule-cat -e >two
  capsule-cat "$url" <two
  capsule-cat "$url" <two
  ends_with 0 "$pid"
  grep -q '2 tunnels served, 0 open, 0 refused' "$log"
  [ "$(grep -c 'payload 31' "$shown")" -eq 2 ]
  serve --cleartext --json
  capsule-cat "$url" <two
  kill -USR1 "$pid"
  wait_until grep -q '1 tunnels served' "$log"
  stop INT
  [ "$(jq -r .event "$shown" | tr '\n' ' ')" = 'listening capsule capsule summary summary ' ]
  [ "$(jq -c 'select(.event == "summary") | [.tunnels, .open, .refused]' "$shown" | tail -n 1)" = '[1,0,0]' ]
}

@test "a signal lets tunnels end, a second one does not" {
  serve --cleartext --serve echo
  mkfifo input
  exec 9<>input
  capsule-cat --http2 --datagrams line "$url" <input >got 3>&- &
  client=$!
  echo hi >&9
  wait_until grep -q hi got
  kill -TERM "$pid"
  wait_until bash -c "! capsule-cat $url </dev/null"
  kill -TERM "$pid"
  ends_with 143 "$pid"
  ends_with 3 "$client"
  exec 9>&-
}

@test "addresses that cannot be listened at" {
  serve --cleartext
  run -4 --separate-stderr capsule-cat -l "${url:7:-1}" --cleartext
  says_one 'Address already in use'
  run -2 --separate-stderr capsule-cat -l nonsense
  says_one '--listen nonsense: '
  run -4 --separate-stderr capsule-cat -l unix:/nowhere/sock --cleartext
  says_one '/nowhere/sock'
}

# --- the command line ---------------------------------------------------------

@test "what excludes each other is said in one sentence" {
  local url=http://127.0.0.1:1/ line
  while IFS='|' read -r line want; do
    # shellcheck disable=SC2086 # words
    run -2 --separate-stderr capsule-cat $line </dev/null
    says_one "$want" || { echo "$line"; return 1; }
  done <<END
-l 0 $url|--listen has no operands
-e $url|-e and --list-types open no tunnel
--payload $url|--payload is for files
--target a:1|need the URL of a proxy
--header a:b|need the URL of a proxy
--authority x|need the URL of a proxy
--datagrams line|need a URL
--show|need a URL
-i|need a URL
--linger 1|need a URL
--keep-sending|need a URL
--protocol x|need a URL or --listen
--http2|need a URL or --listen
--count 1|need a URL or --listen
--serve echo|--serve needs --listen
--cleartext|need --listen
--client-ca x|need --listen
--max-connections 5|need --listen
--allow x|need --listen
--idle-timeout 3 $url|need --listen
-l 0 --allow x|are for --serve proxy
-l 0 --serve echo --template /x|are for --serve proxy
-l 0 --serve proxy --protocol connect-ip|knows connect-udp alone
-l 0 --cleartext --cert x|--cleartext excludes certificates
-l 0 --insecure|need a URL
-l 0 --max-time 3|need a URL
-k|need a URL
--cert x|need a URL or --listen
--datagrams line --raw $url|--datagrams excludes
--datagrams line --type PADDING $url|--datagrams are of one type
--count 1 $url|--count needs --datagrams or --show
-i --count 1 --show $url|--interactive excludes
-4 -6 $url|exclude each other
--unix-socket x --connect-to y:1 $url|exclude each other
--pin x $url|need https
--cacert x $url|need https
-k --cacert x https://127.0.0.1:1/|exclude each other
$url $url|a URL is the only operand
-l 0 file|--listen has no operands
--target nonsense $url|--target nonsense: expected HOST:PORT
--target a:0 $url|--target a:0: expected HOST:PORT
--target a:1 --template /x $url|the template lacks {target_host}
--template {x http://x/|{x: the template ends inside
--template /{target_host}/{target_port} $url|but there is no target
--target a:1 --protocol websocket $url|no well-known template
--header nonsense $url|--header
--header content-length:0 $url|this request cannot be sent: a tunnel does not have content-length
--header content-type:a/b $url|this request cannot be sent: a tunnel does not have content-type
--header upgrade:x $url|this request cannot be sent: a field about the connection
--http1.1 --http2 $url|--http1.1 and --http2 exclude each other
--http1.1 --http2 -l 0|--http1.1 and --http2 exclude each other
--connect-to nonsense $url|--connect-to nonsense: expected HOST:PORT
--bind nonsense $url|--bind nonsense
--datagrams linee $url|--datagrams linee: expected
--conect-to x $url|did you mean --connect-to?
-i $url|--interactive needs a terminal
-l 0 --serve proxy --template nonsense|--template nonsense
-l 0 --serve proxy --allow a/b|--allow a/b: 
END
}

@test "binary is not written to a terminal" {
  serve --cleartext --serve echo
  run -2 python3 "$peers/terminal.py" -- capsule-cat "$url"
  [[ "$output" == *'standard output is a terminal, and what would be written is binary'* ]]
  run -0 python3 "$peers/terminal.py" '+reading from the terminal' '=hi\n' '+hi' '+hi' '=\x04' -- \
    capsule-cat --datagrams line --linger 0 "$url"
}

# --- interactive --------------------------------------------------------------

at_terminal() { # [option] step ...
  local options=()
  [[ "$1" != --* ]] || { options=("$1"); shift; }
  python3 "$peers/terminal.py" "$@" -- capsule-cat -i "${options[@]}" "$url"
}

@test "capsules are typed, and what comes back is shown above the line" {
  serve --cleartext --serve echo
  run -0 at_terminal '+open over HTTP/1.1' '+capsule> ' '=DATAGRAM 00 "hi"\n' \
    '+type 0x0 DATAGRAM length 3 context_id 0 payload 6869' \
    '=context 6\n' '=text good day\n' '+context_id 6 payload 676f6f6420646179' \
    '=WT_CLOSE_SESSION u32:7 "bye"\n' '+error_code 7 message "bye"' \
    '=raw 17 01 aa\n' '+(grease) length 1 value aa' \
    '=status\n' '+sent 4 capsules' '=types drain\n' '+WT_DRAIN_SESSION' \
    '=help\n' '+TYPE PART' '=quit\n'
}

@test "typing errors have a column, and change nothing" {
  serve --cleartext --serve echo
  run -0 at_terminal '+capsule> ' '=DATAGRAM 0g\n' '+column 9: expected octets in hexadecimal' \
    '=nonsense\n' '+column 0: ' '=context 5x\n' '+context: expected a whole number' \
    '=context\n' '+context id 0' '=context 9223372036854775807\n' '+context: expected' \
    '=text ok\n' '+context_id 0 payload 6f6b' '=raw zz\n' '+column 0: ' \
    '+capsule> ' '=\x04'
}

@test "names are completed and lines remembered" {
  serve --cleartext --serve echo
  run -0 at_terminal '+capsule> ' '=WT_MAX_D\t v:9\n' '+WT_MAX_DATA length 1' '=quit\n'
  grep -q 'WT_MAX_DATA *v:9' .local/state/wirekit/capsule-cat-history
  # The line before the last one, from the run before.
  run -0 at_terminal '+capsule> ' '=\x1b[A\x1b[A\n' '+WT_MAX_DATA length 1' '=quit\n'
}

@test "the end of our direction, and the peer's" {
  serve --cleartext --serve echo
  run -0 at_terminal '+capsule> ' '=finish\n' '+the peer has ended its direction'
  serve --cleartext --serve echo
  run -3 at_terminal --http2 '+capsule> ' '=half a li' "!kill -KILL $pid"
  [[ "$output" == *'the peer closed the connection'* ]]
  peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
head = b""
while b"\r\n\r\n" not in head:
    head += c.recv(1)
c.sendall(b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n\0\4\0x")
c.shutdown(socket.SHUT_WR)
c.recv(1)'
  url=http://127.0.0.1:$port/
  run -5 at_terminal '+ends inside a capsule'
}

@test "a signal ends a conversation and leaves the terminal as it was" {
  serve --cleartext --serve echo
  # shellcheck disable=SC2016 # it is expanded there
  run -130 at_terminal '+capsule> ' '=half a li' '!kill -INT $CHILD'
}
