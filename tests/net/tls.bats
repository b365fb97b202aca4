#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The TLS room (tests/peers/tls-end.c around it) judged by OpenSSL, GnuTLS's
# own programs and Wireshark's eyes.

load ../cli/tool

# An authority and what it signed; EC keys are made in no time.
setup_file() {
  command -v openssl >/dev/null || skip "needs openssl"
  cd "$BATS_FILE_TMPDIR" || exit
  authority ca
  authority other
  leaf server ca 'DNS:a.example,IP:127.0.0.1' serverAuth
  leaf client ca 'DNS:alice.example' clientAuth
}

authority() { # name
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

leaf() { # name, issuer, subjectAltName, purpose
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 20 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$3" "$4") -out "$1.pem" 2>/dev/null
}

setup() {
  command -v openssl >/dev/null || skip "needs openssl"
  unset SSL_CERT_FILE SSLKEYLOGFILE
  cd "$BATS_TEST_TMPDIR" || exit
  for f in "$BATS_FILE_TMPDIR"/*.pem "$BATS_FILE_TMPDIR"/*.key; do ln -s "$f" .; done
  pids=()
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

# openssl s_server that sends lines back reversed; sets port.
foreign_server() { # more options
  rm -f server.out
  openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -rev "$@" \
    >server.out 2>&1 3>&- &
  pids+=($!)
  wait_until grep -q '^ACCEPT 127' server.out
  port=$(sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\).*/\1/p' server.out)
}

# Our server for one connection; sets port.
own_server() { # settings
  rm -f server.out
  tls-end server save=own.pem "$@" >server.out 2>server.err 3>&- &
  pids+=($!)
  wait_until grep -q '^port' server.out
  port=$(sed -n 's/^port //p' server.out)
}

own_client() {
  tls-end client port="$port" leave=politely "$@"
}

foreign_client() { # more options; sends "hello"
  { echo hello; wait_until grep -q '^\(hello\|refused\|end\)' server.out; } |
    timeout 20 openssl s_client -connect "127.0.0.1:$port" "$@" 2>&1
}

server_ends() {
  wait_until grep -q '^\(end\|refused\)' server.out
}

# --- our client ---------------------------------------------------------------

@test "client: verified by name and by address, TLS 1.3, tickets in between" {
  foreign_server
  run -0 own_client name=a.example cacert=ca.pem text=hello
  [ "${lines[0]}" = "ok: TLS1.3, AES-256-GCM, certificate of a.example, alpn none, name none" ]
  [ "${lines[1]}" = olleh ]
  run -0 own_client name=127.0.0.1 cacert=ca.pem text=hello
  [ "${lines[1]}" = olleh ]
}

@test "client: TLS 1.2 is spoken, TLS 1.1 is not" {
  foreign_server -tls1_2
  run -0 own_client name=a.example cacert=ca.pem text=hello
  [[ "${lines[0]}" == "ok: TLS1.2, "* ]]
  [ "${lines[1]}" = olleh ]
  foreign_server -tls1_1 -cipher 'ALL:@SECLEVEL=0'
  run -3 own_client name=a.example cacert=ca.pem
  [[ "$output" == "refused: peer sent the TLS alert 70, protocol_version"* ]]
}

@test "client: another name, another address" {
  foreign_server
  run -3 own_client name=b.example cacert=ca.pem
  [ "$output" = "refused: certificate is for a.example, 127.0.0.1, not for b.example" ]
  wait_until grep -q 'alert bad certificate' server.out
  run -3 own_client name=127.0.0.2 cacert=ca.pem
  [ "$output" = "refused: certificate is for a.example, 127.0.0.1, not for 127.0.0.2" ]
}

@test "client: an expired certificate, and one that is not valid yet" {
  command -v faketime >/dev/null || skip "needs faketime"
  foreign_server
  # Built with AddressSanitizer, it wants to be the first library; so does faketime.
  export ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0
  run -3 faketime '+25 days' tls-end client port="$port" name=a.example cacert=ca.pem
  [[ "$output" == "refused: certificate of a.example expired on 20"*" UTC" ]]
  wait_until grep -q 'alert certificate expired' server.out
  run -3 faketime '-3 days' tls-end client port="$port" name=a.example cacert=ca.pem
  [[ "$output" == "refused: certificate of a.example is not valid before 20"*" UTC" ]]
}

@test "client: an unknown issuer, with what to do about it" {
  foreign_server
  pin=$(openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin -outform DER |
    openssl dgst -sha256 -binary | base64)
  run -3 own_client name=a.example cacert=other.pem
  [ "$output" = "refused: issuer CN=ca of the certificate is not trusted (sha256//$pin; see --cacert, --pin and --insecure)" ]
  wait_until grep -q 'alert unknown ca' server.out
  SSL_CERT_FILE=ca.pem run -0 own_client name=a.example text=hello
  SSL_CERT_FILE=other.pem run -3 own_client name=a.example text=hello
}

@test "client: pins as openssl computes them" {
  foreign_server
  openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin -outform DER >key.der
  pin=sha256//$(openssl dgst -sha256 -binary key.der | base64)
  hex=$(openssl dgst -sha256 -r key.der | cut -d ' ' -f 1)
  run -0 own_client name=a.example cacert=ca.pem pin="$pin" text=hello
  run -0 own_client insecure pin="$hex" text=hello
  run -3 own_client insecure pin="${hex/[0-8]/9}" text=hello
  [ "$output" = "refused: public key $pin is not the pinned one" ]
}

@test "client: a demanded certificate, missing, good, and of the wrong authority" {
  foreign_server -Verify 1 -verify_return_error -CAfile ca.pem
  run -0 own_client name=a.example cacert=ca.pem
  [ "${lines[1]}" = "end: peer sent the TLS alert 116, certificate_required (it demands a client certificate by an authority that it trusts)" ]
  run -0 own_client name=a.example cacert=ca.pem cert=client.pem key=client.key text=hello
  [ "${lines[1]}" = olleh ]
  foreign_server -tls1_2 -Verify 1 -verify_return_error -CAfile ca.pem
  run -3 own_client name=a.example cacert=ca.pem
  [[ "$output" == "refused: peer sent the TLS alert 40, handshake_failure"* ]]
}

@test "client: ALPN agreed on, and refused" {
  foreign_server -alpn h2,http/1.1
  run -0 own_client insecure alpn=http/1.1 alpn=h2 text=hello
  [[ "${lines[0]}" == *", alpn h2, "* ]]
  run -3 own_client insecure alpn=x
  [[ "$output" == "refused: peer sent the TLS alert 120, no_application_protocol"* ]]
}

@test "client: a connection that is cut is not an end" {
  foreign_server
  tls-end client port="$port" insecure text=hello >client.out 3>&- &
  pids+=($!)
  wait_until grep -q olleh client.out
  kill -KILL "${pids[0]}"
  wait_until grep -q '^end' client.out
  [ "$(tail -n 1 client.out)" = "end: peer closed the connection without TLS's close_notify" ]
}

# --- our server ---------------------------------------------------------------

@test "server: openssl verifies the certificate made for this run" {
  own_server
  run -0 foreign_client -CAfile own.pem -verify_return_error -verify_hostname localhost
  [[ "$output" == *"Verify return code: 0 (ok)"* ]]
  server_ends
  [ "$(tail -n 1 server.out)" = "end: close_notify" ]
  grep -qx hello server.out
  [ "fingerprint $(openssl x509 -in own.pem -noout -fingerprint -sha256 | cut -d = -f 2)" = \
    "$(grep ^fingerprint server.out)" ]
  openssl x509 -in own.pem -noout -ext subjectAltName | grep 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1'
  own_server for=b.example
  run -1 foreign_client -CAfile own.pem -verify_return_error -verify_hostname localhost
  [[ "$output" == *"ostname mismatch"* ]]
  server_ends
  [[ "$(tail -n 1 server.out)" == "refused: peer sent the TLS alert 42, bad_certificate"* ]]
}

@test "server: curl accepts its own form of our pin" {
  command -v curl >/dev/null || skip "needs curl"
  own_server
  pin=$(sed -n 's/^pin //p' server.out)
  # What comes back is no HTTP; what counts is that a request was sent.
  curl -s -m 10 -k --pinnedpubkey "$pin" "https://127.0.0.1:$port/" >/dev/null 2>&1 3>&- &
  pids+=($!)
  wait_until grep -q '^GET / HTTP' server.out
  own_server
  run -90 curl -sS -m 10 -k --pinnedpubkey "$pin" "https://127.0.0.1:$port/"
}

@test "server: TLS 1.2, and what is older is refused" {
  own_server
  run -0 foreign_client -tls1_2
  server_ends
  grep '^ok: TLS1.2, ' server.out
  own_server
  run -1 foreign_client -tls1_1 -cipher 'ALL:@SECLEVEL=0'
  server_ends
  [ "$(tail -n 1 server.out)" = "refused: peer speaks neither TLS 1.2 nor TLS 1.3" ]
  [[ "$output" == *"alert protocol version"* ]]
}

@test "server: no renegotiation" {
  own_server
  # s_client takes an R at the start of a line as an order
  { echo hello; wait_until grep -q '^hello' server.out; echo R; server_ends; } |
    timeout 20 openssl s_client -tls1_2 -connect "127.0.0.1:$port" >/dev/null 2>&1 || :
  [ "$(tail -n 1 server.out)" = "end: peer wants to renegotiate, which is not done here" ]
}

@test "server: new keys on demand" {
  own_server
  { echo hello; wait_until grep -q '^hello' server.out; echo K
    wait_until grep -q KEYUPDATE client.out; echo again
    wait_until grep -q '^again' server.out; } |
    timeout 20 openssl s_client -connect "127.0.0.1:$port" >client.out 2>&1
  server_ends
  [ "$(tail -n 1 server.out)" = "end: close_notify" ]
}

@test "server: ALPN by its own order; none in common is refused" {
  own_server alpn=h2 alpn=http/1.1
  run -0 foreign_client -alpn http/1.1,h2
  [[ "$output" == *"ALPN protocol: h2"* ]]
  own_server alpn=h2
  run -1 foreign_client -alpn x
  [[ "$output" == *"alert no application protocol"* ]]
  server_ends
  [ "$(tail -n 1 server.out)" = "refused: peer speaks none of our protocols (h2)" ]
}

@test "server: client certificates missing, good, and of the wrong authority" {
  own_server client-ca=ca.pem
  foreign_client >client.out || :
  server_ends
  [ "$(tail -n 1 server.out)" = "refused: client has no certificate, and one is demanded" ]
  grep -q 'alert certificate required' client.out
  own_server client-ca=ca.pem
  run -0 foreign_client -cert client.pem -key client.key
  server_ends
  grep '^ok: TLS1.3, .*, certificate of alice.example, ' server.out
  own_server client-ca=other.pem
  foreign_client -cert client.pem -key client.key >client.out || :
  server_ends
  [ "$(tail -n 1 server.out)" = "refused: issuer CN=ca of the certificate is not trusted" ]
  grep -q 'alert unknown ca' client.out
}

@test "server: gnutls-cli verifies, agrees and speaks" {
  command -v gnutls-cli >/dev/null || skip "needs gnutls-cli"
  own_server alpn=h2
  { echo hello; wait_until grep -q '^hello' server.out; } |
    timeout 20 gnutls-cli --x509cafile own.pem --alpn h2 -p "$port" localhost >client.out 2>&1
  grep -q 'Handshake was completed' client.out
  server_ends
  [ "$(tail -n 1 server.out)" = "end: close_notify" ]
}

@test "server: what is no TLS, and what ends early" {
  own_server
  printf 'GET / HTTP/1.1\r\n\r\n' | nc -N -w 5 127.0.0.1 "$port" >answer
  server_ends
  [ "$(tail -n 1 server.out)" = 'refused: peer does not speak TLS; it began with "GET / HTTP/1.1\r\n"' ]
  own_server
  head -c 4000 /dev/urandom | nc -N -w 5 127.0.0.1 "$port" >answer || :
  server_ends
  grep -q '^refused: ' server.out
  own_server
  printf '\026\003\001' | nc -N -w 5 127.0.0.1 "$port" >answer || :
  server_ends
  [ "$(tail -n 1 server.out)" = "refused: peer closed the connection during the TLS handshake" ]
}

# --- the key log --------------------------------------------------------------

@test "key log: tshark decrypts what both versions carried" {
  command -v tshark >/dev/null || skip "needs tshark"
  command -v tcpdump >/dev/null || skip "needs tcpdump"
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  for version in tls1_3 tls1_2; do
    foreign_server -"$version"
    rm -f tcpdump.err
    tcpdump -i lo -U -w lo.pcap "tcp port $port" 2>tcpdump.err 3>&- &
    pids+=($!)
    tcpdump=$!
    wait_until grep -q 'listening on' tcpdump.err
    rm -f keys
    SSLKEYLOGFILE=keys run -0 own_client insecure text="hello in $version"
    flushed() {
      tshark -r lo.pcap -o tls.keylog_file:keys -d "tcp.port==$port,tls" -q \
        -z follow,tls,ascii,0 2>/dev/null | grep -q "hello in $version"
    }
    wait_until flushed
    kill "$tcpdump"
  done
}
