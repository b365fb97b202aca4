#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram's HTTP/3 to and from foreign peers, those of Debian 13 in a folder of
# their own, on ports that the kernel chose.

load ../cli/tool
load h3

setup() {
  h3_setup
}

teardown() {
  h3_teardown
}

# --- aioquic ------------------------------------------------------------------

@test "aioquic serves: datagrams as frames, as capsules, and swapped" {
  needs_next
  aioquic_server
  [ "$(seq 100 | h3dgram --cacert cert.pem -c 100 "$url/echo")" = "$(seq 100)" ]
  [ "$(seq 100 | h3dgram --cacert cert.pem -c 100 --capsules always "$url/echo")" = "$(seq 100)" ]
  [ "$(seq 100 | h3dgram --cacert cert.pem -c 100 "$url/swap" | sort -n)" = "$(seq 100)" ]
  [ "$(seq 100 | h3dgram --cacert cert.pem -c 100 --capsules always "$url/swap" | sort -n)" = "$(seq 100)" ]
  wait_until eval '[ "$(grep -c ^tunnel aioquic.out)" -eq 4 ]'
  [ "$(grep -c '^tunnel /echo 100 0$' aioquic.out)" -eq 1 ]
  [ "$(grep -c '^tunnel /echo 0 100$' aioquic.out)" -eq 1 ]
  [ "$(grep -c '^tunnel /swap 100 0$' aioquic.out)" -eq 1 ]
  [ "$(grep -c '^tunnel /swap 0 100$' aioquic.out)" -eq 1 ]
}

@test "aioquic sees what the documents ask for" {
  needs_next
  aioquic_server
  echo x | h3dgram --cacert cert.pem -c 1 "$url/echo" >/dev/null
  echo x | h3dgram --cacert cert.pem -c 1 --protocol connect-ip -H 'X-Y: z' "$url/echo" >/dev/null
  sed -n 's/^request \({.*}\).*/\1/p' aioquic.out >requests
  [ "$(jq -c '[.[":method"], .[":protocol"], .[":scheme"], .[":authority"], .[":path"],
    .["capsule-protocol"], .["x-y"]]' requests)" = "[\"CONNECT\",\"connect-udp\",\"https\",\"127.0.0.1:$port\",\"/echo\",\"?1\",null]
[\"CONNECT\",\"connect-ip\",\"https\",\"127.0.0.1:$port\",\"/echo\",\"?1\",\"z\"]" ]
}

@test "aioquic refuses: the exit code, the status, and its reason" {
  needs_next
  aioquic_server
  run -6 --separate-stderr h3dgram --cacert cert.pem "$url/status/403" </dev/null
  [ -z "$output" ]
  [[ $stderr == *403*http_request_denied* ]]
}

@test "aioquic validates addresses, and prefers version 2" {
  needs_next
  aioquic_server retry
  [ "$(echo hi | h3dgram --cacert cert.pem -c 1 "$url/echo")" = hi ]
  aioquic_server v2
  [ "$(echo hi | h3dgram --cacert cert.pem -c 1 "$url/echo")" = hi ]
}

@test "aioquic answers pings, and its counts are ours" {
  needs_next
  aioquic_server
  h3dgram --cacert cert.pem --ping -j -c 200 --interval 0.002 --size 1000 "$url/echo" >pings
  tail -n 1 pings >summary
  [ "$(jq -c '[.sent, .answered, .lost, .duplicates, .unsent, .strangers]' summary)" = "[200,200,0,0,0,0]" ]
  [ "$(jq '.rtt_min_us > 0 and .rtt_min_us <= .rtt_p50_us and .rtt_p50_us <= .rtt_p99_us and
    .rtt_p99_us <= .rtt_max_us' summary)" = true ]
  [ "$(head -n -1 pings | jq -s 'map(select(.event == "answer")) | length')" -eq 200 ]
  wait_until grep -q '^tunnel /echo 200 0$' aioquic.out
}

answered() { # jq's filter, what it must say, word ...
  local filter=$1 want=$2 got
  shift 2
  got=$(aioquic_client "$@")
  echo "$* $got"
  [ "$(jq -c "$filter" <<<"$got")" = "$want" ]
}

@test "aioquic as a client: datagrams, capsules, both, and the settings" {
  needs_next
  listen --serve echo
  answered '[.status, .datagrams, .distinct, .capsules, .ended, .end]' '[200,300,300,0,true,null]' datagrams=300
  # What comes in a capsule may go back in a frame.
  answered '[.status, .datagrams + .capsules, .ended, .end]' '[200,300,true,null]' capsules=300
  answered '[.status, .datagrams + .capsules, .ended, .end]' '[200,40,true,null]' datagrams=20 capsules=20 size=1000
  answered '[.settings["0x8"], .settings["0x33"], .fields["capsule-protocol"]]' '[1,1,"?1"]' datagrams=1
  # One that fits no frame comes back as what it was only when asked for.
  answered '[.status, .datagrams, .capsules]' '[200,0,0]' capsules=1 size=5000
  listen --serve echo --too-big capsule
  answered '[.status, .datagrams, .capsules]' '[200,0,10]' capsules=10 size=5000
  ends_well
}

@test "aioquic as a client: other requests" {
  needs_next
  listen --serve echo
  answered '[.status >= 400, .end]' '[true,null]' get
  listen --serve echo --protocol connect-udp
  answered '.status' 501 protocol=nonesuch
  listen --serve proxy
  answered '[.status, .fields["proxy-status"] != null]' '[502,true]' \
    path=/.well-known/masque/udp/127.0.0.1/53/
}

@test "aioquic as a client: new keys, another port, version 2, Retry" {
  needs_next
  listen --serve echo
  answered '[.status, .datagrams, .end]' '[200,100,null]' datagrams=100 key-update
  answered '[.status, .datagrams, .end]' '[200,100,null]' datagrams=100 migrate
  answered '[.status, .datagrams, .end]' '[200,10,null]' datagrams=10 v2
  listen --serve echo --retry
  answered '[.status, .datagrams, .end]' '[200,10,null]' datagrams=10
}

# --- gtlsclient -----------------------------------------------------------------

# Both generations, each test. Sets client.
each_client() { # function
  client=(gtlsclient)
  if command -v gtlsclient >/dev/null; then "$1"; else echo "# SKIP gtlsclient: needs ngtcp2-client" >&3; fi
  client=("$next" run gtlsclient)
  if [ -e "$folder" ]; then "$1"; else echo "# SKIP gtlsclient of Debian 13: needs build/debian-next" >&3; fi
}

# Plain HTTP/3: the listener has no files, and says so.
fetch() { # option ...: sets the variables status and said
  said=$(timeout 30 "${client[@]}" --no-quic-dump --no-http-dump --exit-on-all-streams-close --timeout=10s \
    "$@" 127.0.0.1 "$port" https://localhost/file 2>&1) || { echo "$said"; return 1; }
  status=$(sed -n 's/.*\[:status: \([0-9]*\)\].*/\1/p;T;q' <<<"$said")
  case $status in
    4?? | 501) ;;
    *) echo "$said"; return 1 ;;
  esac
}

@test "gtlsclient, both generations: a GET is answered" {
  command -v gtlsclient >/dev/null || needs_next
  listen --serve echo
  fetches() {
    fetch
    fetch -n 50
    [ "$(grep -c ':status: ' <<<"$said")" -eq 50 ]
  }
  each_client fetches
  ends_well
}

@test "gtlsclient, both generations: versions" {
  command -v gtlsclient >/dev/null || needs_next
  listen --serve echo
  versions() {
    fetch -v v1
    # Unknown here: it is told which there are, and takes one of them.
    fetch -v 0x1a2a3a4a --preferred-versions=v1
    grep -qi 'version negotiation\|pkt rx .*VN\|type=VN' <<<"$said"
  }
  each_client versions
}

@test "gtlsclient, both generations: loss on either side" {
  command -v gtlsclient >/dev/null || needs_next
  listen --serve echo
  lossy() {
    fetch --tx-loss=0.2 -n 20
    fetch --rx-loss=0.2 -n 20
    [ "$(grep -c ':status: ' <<<"$said")" -eq 20 ]
  }
  each_client lossy
}

@test "gtlsclient, both generations: new keys, another address, a NAT that forgets" {
  command -v gtlsclient >/dev/null || needs_next
  listen --serve echo
  # The requests come behind what happens to the connection.
  changes() {
    fetch --key-update=100ms --delay-stream=400ms
    grep -qi 'key update\|k=1' <<<"$said"
    fetch --change-local-addr=100ms --delay-stream=500ms
    grep -q 'PATH_RESPONSE' <<<"$said"
    fetch --change-local-addr=100ms --nat-rebinding --delay-stream=500ms
  }
  each_client changes
}

@test "gtlsclient, both generations: validated addresses, tokens, resumed sessions" {
  command -v gtlsclient >/dev/null || needs_next
  listen --serve echo --retry
  resumes() {
    fetch
    grep -q 'pkt rx .*type=Retry' <<<"$said"
    rm -f session token tp
    fetch --session-file=session --tp-file=tp --token-file=token --disable-early-data
    [ -s session ]
    # 0-RTT is never taken: what tunnels ask for must not be replayed.
    fetch --session-file=session --tp-file=tp
    ! grep -q 'Early data was accepted\|early data accepted' <<<"$said"
  }
  each_client resumes
}

# --- peers that have no tunnels -------------------------------------------------

refused() { # URL: neither silence nor a tunnel
  run --separate-stderr timeout 20 h3dgram --cacert cert.pem "$@" </dev/null
  echo "$status $output $stderr"
  [ "$status" -eq 6 ]
  [ -z "$output" ]
  [[ $stderr == h3dgram:* ]]
  [[ $stderr != *$'\n'* ]]
}

@test "gtlsserver, both generations, has no Extended CONNECT" {
  command -v gtlsserver >/dev/null || needs_next
  if command -v gtlsserver >/dev/null; then
    gtls_server
    refused "$url/file"
    gtls_server -V
    refused "$url/file"
  fi
  if [ -e "$folder" ]; then
    gtls_server next
    refused "$url/file"
  fi
}

@test "Caddy answers everything with 200 and content, and is not believed" {
  needs caddy caddy
  read -r port < <(python3 -c '
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >Caddyfile <<EOT
{
	admin off
	auto_https off
	storage file_system $PWD/caddy
	servers {
		protocols h1 h2 h3
	}
}
https://127.0.0.1:$port {
	bind 127.0.0.1
	tls cert.pem key.pem
	respond "no tunnel" 200
}
EOT
  HOME=$PWD start caddy caddy run --adapter caddyfile --config Caddyfile
  wait_until udp_port "$started"
  refused "https://127.0.0.1:$port/"
}

# --- others -----------------------------------------------------------------------

@test "curl of Debian 13 fetches over HTTP/3, and is told where from" {
  needs_next
  listen --serve echo
  run -0 "$next" run curl -sS --http3-only --cacert cert.pem -m 20 -o body -w '%{http_version} %{response_code}' "$url/file"
  [[ $output == "3 4"?? || $output == "3 501" ]]
}

@test "tshark decrypts with our key log and names the frames" {
  needs tshark tshark
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  listen --serve echo
  start capture tcpdump -i lo -U -w capture.pcap "udp port $port"
  wait_until grep -q 'listening on' capture.err
  seq 10 | h3dgram -k -q -c 10 --keylog keys "$url/x" >/dev/null
  wait_until eval 'tshark -r capture.pcap -o tls.keylog_file:keys -d "udp.port==$port,quic" -Y quic.frame_type -T fields -e quic.frame_type 2>/dev/null | grep -q 29'
  tshark -r capture.pcap -o "tls.keylog_file:$PWD/keys" -d "udp.port==$port,quic" -V 2>/dev/null >dissected
  grep -q 'Type: HEADERS' dissected
  grep -q 'Type: SETTINGS' dissected
  grep -q 'CONNECTION_CLOSE' dissected
  # RFC 9221's frames, ten there and ten back, in clear text.
  [ "$(grep -c 'DATAGRAM' dissected)" -ge 20 ]
  # The 51 of H3_DATAGRAM, as a name where it has one.
  grep -qi 'h3.datagram\|Settings Identifier: .*(0x0*33)\|: Unknown (51)' dissected
}
