#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# h3dgram as its users meet it: both of our ends on the loopback, on ports that
# the kernel chose, over every version of HTTP in $versions.
# shellcheck disable=SC2030,SC2031,SC2094 # tests are subshells; all are read

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  peers=$WK_SOURCE/tests/peers
  versions=(http1.1 http2 http3)
  [ -z "${WK_SLOW_TOOLS-}" ] || versions=(http3)
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

# A listener; sets url, log (its stderr), shown (its stdout), pid, and the array
# trust with what a client needs.
serve() { # option ...
  n_served=$((n_served + 1))
  log=served$n_served.err
  shown=served$n_served.out
  h3dgram -l 0 "$@" >"$shown" 2>"$log" </dev/null 3>&- &
  pid=$!
  pids+=("$pid")
  wait_until grep -q 'listening on' "$log"
  url=$(sed -n 's/.*listening on //p' "$log" | head -n 1)
  trust=()
  case " $* " in
    *" --cleartext "* | *" --cert "*) ;;
    *)
      wait_until grep -q SHA-256 "$log"
      trust=(--insecure --pin "$(sed -n 's/.*--pin //p' "$log")")
      ;;
  esac
}

# A client of that, over the version of the loop.
client() { # option ...
  timeout 120 h3dgram "--$version" "${trust[@]}" "$@"
}

# Descriptor 8: an input that has what is written there, and never ends.
open_silence() {
  mkfifo silence
  exec 8<>silence
}

# A peer that prints its port first; sets port and out.
peer() { # command ...
  out=peer$((n_served = n_served + 1)).out
  "$@" >"$out" 2>"$out.err" 3>&- &
  pids+=($!)
  wait_until test -s "$out"
  read -r port <"$out"
}

# One that opens tunnels over HTTP/1.1 and does then what the code says to c.
opener() { # python
  peer python3 -c "
import socket, time
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
while True:
    c = s.accept()[0]
    head = b''
    while b'\r\n\r\n' not in head:
        head += c.recv(1)
    c.sendall(b'HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n')
    $1
    c.close()"
}

# Carry local UDP clients; sets local_port, local_pid and local_log.
carry() { # option ...
  local_log=local$((n_served = n_served + 1)).err
  h3dgram -L 0 "--$version" "${trust[@]}" "$@" >"$local_log.out" 2>"$local_log" </dev/null 3>&- &
  local_pid=$!
  pids+=("$local_pid")
  wait_until grep -q 'listening on udp' "$local_log"
  local_port=$(sed -n 's/.*udp:.*://p' "$local_log" | head -n 1)
}

# Lines to a UDP port of the loopback, an answer for each.
udp() { # port line ...
  python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for line in sys.argv[2:]:
    s.sendto(line.encode(), ("127.0.0.1", int(sys.argv[1])))
    print(s.recv(65536).decode())' "$@"
}

# Wait for a process of ours, not in a subshell, which has no children.
ends_with() { # exit code, pid
  local code=0
  wait "$2" || code=$?
  [ "$code" -eq "$1" ] || { echo "exit code $code"; return 1; }
}

# One sentence on stderr, nothing on stdout; for `run --separate-stderr`.
says_one() { # words
  [ -z "$output" ] || { echo "stdout: $output"; return 1; }
  # shellcheck disable=SC2154 # bats sets it
  [ "${#stderr_lines[@]}" -eq 1 ] || { echo "stderr: $stderr"; return 1; }
  [[ "$stderr" == *"$1"* ]] || { echo "stderr: $stderr"; return 1; }
}

summary() { # jq filter, of NDJSON on stdin
  jq -c "select(.event == \"summary\") | $1"
}

# --- there and back -----------------------------------------------------------

@test "datagrams go there and back in every framing, over every version" {
  printf 'one\ntwo\n\nthree\n' >line
  printf '6f6e65\n74776f\n' >hex
  printf '\0\3one\0\0\0\3two' >u16
  printf '\3one\0\3two' >varint
  printf '{"event":"datagram","context_id":0,"length":2,"payload_hex":"6869"}\n' >ndjson
  head -c 900 /dev/zero >whole
  head -c 900 /dev/zero >raw
  local framing n
  serve --serve echo
  for version in "${versions[@]}"; do
    for framing in line:4 u16:3 varint:3 ndjson:1 whole:1 raw:1 hex:2; do
      n=${framing#*:} framing=${framing%:*}
      client -f "$framing" -c "$n" "$url" <"$framing" >got ||
        { echo "$version $framing: $?"; return 1; }
      cmp got "$framing" || { echo "$version $framing"; return 1; }
    done
  done
}

@test "input and output may have framings of their own" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 client --framing-in hex --framing-out line -c 2 "$url" < <(printf '6869 # hi\n6f6b\n')
    [ "$output" = $'hi\nok' ]
    run -0 client -f line --framing-out hex -c 1 "$url" <<<hi
    [ "$output" = 6869 ]
    # Blocks of so many octets.
    run -0 client --framing-in raw --block-size 2 --framing-out line -c 2 "$url" < <(printf 'abcd')
    [ "$output" = $'ab\ncd' ]
  done
}

@test "events of --json tell how it was opened and what became of it" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 client --json -c 2 "$url" < <(printf 'one\ntwo\n')
    [ "$(jq -r .event <<<"$output" | tr '\n' ' ')" = 'open datagram datagram summary ' ]
    [ "$(jq -r 'select(.event == "open").version' <<<"$output" | tr '[:upper:]/' '[:lower:] ' | tr -d ' ')" = "$version" ]
    [ "$(summary '[.sent, .octets_sent, .received, .octets_received]' <<<"$output")" = '[2,6,2,6]' ]
    # What we wrote, we read.
    client -f ndjson -c 2 "$url" <<<"$output" | jq -r .payload_hex >again
    [ "$(cat again)" = $'6f6e65\n74776f' ]
  done
}

@test "context ids: one to send with and take, all with records, or none" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 client --context 6 -j -c 1 "$url" <<<hi
    [ "$(jq -c 'select(.event == "datagram") | [.context_id, .payload_hex]' <<<"$output")" = '[6,"6869"]' ]
    printf '%s\n' '{"context_id":4,"payload":"four"}' '{"context_id":2,"payload":"two"}' >records
    run -0 client -f ndjson -c 2 "$url" <records
    [ "$(jq -c .context_id <<<"$output" | sort)" = $'2\n4' ]
    run -0 client --framing-in ndjson --framing-out line --context 2 -c 1 "$url" <records
    [ "$output" = two ]
    run -0 client --no-context -f hex -c 1 "$url" <<<00aa
    [ "$output" = 00aa ]
    run -0 client -v --linger 0.5 --framing-in ndjson --framing-out line "$url" <records
    [[ "$output" == *'received 0, 0 octets (2 of other contexts)'* ]]
  done
}

@test "capsules are sent where they are wanted, and not where they are not" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 client --capsules always -c 1 -j "$url" <<<hi
    [ "$(jq -r 'select(.event == "open").frames' <<<"$output")" = false ]
    run -0 client --capsules auto -c 1 "$url" <<<hi
    [ "$output" = hi ]
  done
  run -2 --separate-stderr h3dgram --http2 --capsules never "$url"
  says_one '--capsules never needs HTTP/3'
}

@test "what cannot be a datagram is told, the rest goes" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -5 --separate-stderr client -f hex -c 2 "$url" < <(printf '6869\nzz\n6f6b\n')
    [ "$output" = $'6869\n6f6b' ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ "$stderr" == *'standard input: line 2: '* ]]
    run -5 --separate-stderr client -N -f u16 "$url" < <(printf '\0\2hi\0\5x')
    [[ "$stderr" == *'standard input: byte 7: '* ]]
    run -5 --separate-stderr client -N "$url" < <(head -c 70000 /dev/zero | tr '\0' x)
    [ -z "$output" ]
    [[ "$stderr" == *'standard input: line 1: '* ]]
  done
}

@test "--finish ends our direction, --linger waits for answers and no longer" {
  serve --serve discard
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --finish "$url" <<<hi
    [ -z "$output$stderr" ]
    run -0 --separate-stderr client --linger 0.1 "$url" <<<hi
    [ -z "$output$stderr" ]
    run -3 --separate-stderr client --linger 60 --max-time 0.5 "$url" <<<hi
    says_one 'not done after 0.5 s (--max-time)'
  done
  # Who never ends is waited for a moment only.
  version=http1.1
  opener 'time.sleep(60)'
  run -0 timeout 120 h3dgram --http1.1 --linger 0.1 "http://127.0.0.1:$port/" <<<hi
}

@test "requests say what their options say" {
  printf 'basic me:secret word\nbearer abc\n' >auth
  serve -v
  for version in "${versions[@]}"; do
    : >"$log"
    client -H 'X-One: 1' --header 'x-two:  two words ' --authority tunnel.example --auth auth \
      --protocol webtransport --template '/m{?target_host,target_port}' --linger 0 \
      "$url" '[2001:db8::42]:53' </dev/null
    wait_until grep -q 'x-two: two words' "$log"
    grep -q 'x-one: 1' "$log"
    grep -qi 'authorization: Basic bWU6c2VjcmV0IHdvcmQ=' "$log"
    grep -q 'capsule-protocol: ?1' "$log"
    grep -q 'tunnel.example' "$log"
    grep -q '/m?target_host=2001%3Adb8%3A%3A42&target_port=53' "$log"
    grep -q 'webtransport' "$log"
  done
}

@test "a URL may do without its scheme" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 client -c 1 "${url#https://}" <<<hi
    [ "$output" = hi ]
  done
}

@test "a slow reader loses datagrams and not memory, and is told" {
  serve --serve blast --size 1000 --count 20000
  version=${versions[-1]}
  mkfifo slow
  client -j "$url" </dev/null >slow 2>slow.err --linger 20 3>&- &
  pid_client=$!
  exec 9<slow
  wait_until eval 'kill -USR1 "$pid"; grep -q "20000 sent" "$log"'
  cat <&9 >got
  exec 9<&-
  ends_with 0 "$pid_client"
  [ "$(summary '.received + 0' <got)" = 20000 ]
  [ "$(summary '.unread' <got)" -gt 0 ]
  grep -q 'nobody read our output fast enough' slow.err
}

# --- local clients ------------------------------------------------------------

@test "local UDP clients have tunnels of their own" {
  peer python3 "$peers/udp-echo.py" 'you said '
  serve --serve proxy --allow "127.0.0.1:$port"
  for version in "${versions[@]}"; do
    carry "$url" "127.0.0.1:$port"
    run -0 udp "$local_port" one two
    [ "$output" = $'you said one\nyou said two' ]
    for i in 1 2 3 4 5; do udp "$local_port" "a$i" "b$i" >"client$i" 3>&- & done
    for i in 1 2 3 4 5; do wait_until grep -q "you said b$i" "client$i"; done
    kill -INT "$local_pid"
    ends_with 0 "$local_pid"
    grep -q '6 tunnels opened, 6 open, 0 refused' "$local_log"
    grep -q 'packets: 12 there, 12 back, 0 dropped' "$local_log"
  done
}

@test "a local client that is idle loses its tunnel, and gets another" {
  peer python3 "$peers/udp-echo.py"
  serve --serve proxy --allow-private -v
  for version in "${versions[@]}"; do
    : >"$log"
    carry --idle-timeout 0.2 -j -v "$url" "127.0.0.1:$port"
    [ "$(jq -r .event "$local_log.out")" = listening ]
    run -0 udp "$local_port" one
    wait_until grep -q 'idle$' "$local_log"
    run -0 udp "$local_port" two
    kill -USR1 "$local_pid"
    wait_until grep -q '2 tunnels opened' "$local_log"
    kill -INT "$local_pid"
    ends_with 0 "$local_pid"
    [ "$(summary '[.tunnels, .sent, .received]' <"$local_log.out" | tail -n 1)" = '[2,2,2]' ]
  done
}

@test "a lost connection is dialled again by the next packet" {
  peer python3 "$peers/udp-echo.py"
  local udp_port=$port at
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=one -addext subjectAltName=IP:127.0.0.1 -keyout one.key -out one.pem 2>/dev/null
  for version in "${versions[@]}"; do
    serve --serve proxy --allow-private --cert one.pem --key one.key
    at=${url#https://} at=${at%/}
    carry --cacert one.pem "$url" "127.0.0.1:$udp_port"
    run -0 udp "$local_port" one
    kill -KILL "$pid"
    wait "$pid" || :
    wait_until grep -q "$url: " "$local_log"
    h3dgram -l "$at" --serve proxy --allow-private --cert one.pem --key one.key 2>again.err 3>&- &
    pids+=($!)
    wait_until grep -q 'listening on' again.err
    wait_until timeout 5 python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.sendto(b"two", ("127.0.0.1", int(sys.argv[1])))
assert s.recv(100) == b"two"' "$local_port"
    kill -INT "$local_pid"
    ends_with 0 "$local_pid"
  done
}

@test "a refused client is told of once and ignored for a while, others are served" {
  peer python3 "$peers/udp-echo.py"
  serve --serve proxy --allow 192.0.2.1
  for version in "${versions[@]}"; do
    carry "$url" "127.0.0.1:$port"
    python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20):
    s.sendto(b"x", ("127.0.0.1", int(sys.argv[1])))' "$local_port"
    wait_until grep -q 'the tunnel was refused' "$local_log"
    kill -INT "$local_pid"
    ends_with 0 "$local_pid"
    [ "$(grep -c 'the tunnel was refused' "$local_log")" -eq 1 ]
    grep -q '0 tunnels opened, 0 open, 1 refused' "$local_log"
  done
  # No more clients than allowed.
  serve --serve echo
  version=${versions[-1]}
  carry --max-tunnels 1 "$url"
  run -0 udp "$local_port" one
  python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("127.0.0.1", int(sys.argv[1])))' "$local_port"
  wait_until eval 'kill -USR1 "$local_pid"; grep -q "1 dropped" "$local_log"'
}

@test "a first connection that fails ends it, and addresses that are taken" {
  for version in "${versions[@]}"; do
    run -3 --separate-stderr timeout 120 h3dgram -q -L 0 "--$version" https://127.0.0.1:1/
    says_one 'https://127.0.0.1:1/: '
  done
  serve --serve echo
  carry "$url"
  run -4 --separate-stderr client -L "$local_port" "$url"
  says_one "127.0.0.1:$local_port: Address already in use"
  run -2 --separate-stderr client -L nonsense "$url"
  says_one '--local nonsense: '
  run -2 --separate-stderr client -L unix:sock "$url"
  says_one 'expected an address of UDP'
}

# --- measuring ----------------------------------------------------------------

@test "pings are answered, counted and timed" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --ping -c 3 --interval 0.01 "$url"
    [ "${#lines[@]}" -eq 5 ]
    [[ "${lines[0]}" == 'sequence 0 length 56 rtt_ms '* ]]
    [ "${lines[3]}" = 'sent 3 answered 3 lost 0 (0.0%) duplicates 0 reordered 0 late 0' ]
    [[ "${lines[4]}" == 'rtt_ms min '*' avg '*' p50 '*' p90 '*' p99 '*' max '* ]]
    [[ "$stderr" == *'56 octets to'* ]]
    run -0 --separate-stderr client --ping -j -q -c 3 --interval 0.01 --size 1000 "$url"
    [ -z "$stderr" ]
    [ "$(jq -r .event <<<"$output" | tr '\n' ' ')" = 'open answer answer answer summary ' ]
    [ "$(summary '[.sent, .answered, .lost, .rtt_min_us <= .rtt_avg_us, .rtt_p50_us <= .rtt_p99_us, .rtt_p99_us <= .rtt_max_us]' <<<"$output")" = '[3,3,0,true,true,true]' ]
    [ "$(jq -c 'select(.event == "answer") | [.sequence, .length, .rtt_us > 0]' <<<"$output" | head -n 1)" = '[0,1000,true]' ]
    run -0 --separate-stderr client --ping -q -c 2 --interval 0.01 "$url"
    [ "${#lines[@]}" -eq 2 ]
  done
}

@test "pings that nobody answers are lost, and the exit code says so" {
  serve --serve discard
  for version in "${versions[@]}"; do
    run -1 --separate-stderr client --ping -q -c 2 --interval 0.01 --linger 0.1 "$url"
    [ "$output" = 'sent 2 answered 0 lost 2 (100.0%) duplicates 0 reordered 0 late 0' ]
    [ -z "$stderr" ]
  done
}

@test "duplicates, reordered and late answers are told from each other" {
  # shellcheck disable=SC2016
  serve --serve exec -f hex -- python3 -uc '
import sys
def say(*lines):
    sys.stdout.write("".join(lines))
    sys.stdout.flush()
lines = [sys.stdin.readline() for _ in range(4)]
say(lines[0], lines[2], lines[1], lines[2], "00\n", lines[3])
sys.stdin.read()'
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --ping -jq -c 4 --interval 0.01 --linger 30 "$url"
    [ "$(summary '[.answered, .lost, .duplicates, .reordered, .late, .strangers]' <<<"$output")" = '[4,0,1,1,0,1]' ]
  done
  # The first is answered when the third is here.
  # shellcheck disable=SC2016
  serve --serve exec -f hex -- sh -c 'read -r a; read -r b; read -r c; echo "$a"; cat >/dev/null'
  for version in "${versions[@]}"; do
    run -1 --separate-stderr client --ping -jq -c 30 --interval 0.1 --linger 0.1 "$url"
    [ "$(summary '[.answered, .late, .lost]' <<<"$output")" = '[0,1,30]' ]
  done
}

@test "a signal ends pings with a summary" {
  serve --serve echo
  for version in "${versions[@]}"; do
    : >got
    h3dgram --ping "--$version" "${trust[@]}" --interval 0.05 "$url" >got 2>/dev/null 3>&- &
    pid_client=$!
    wait_until grep -q 'sequence 2' got
    kill -INT "$pid_client"
    ends_with 0 "$pid_client"
    grep -q '^sent .* answered' got
  done
  : >got
  serve --serve discard
  h3dgram --ping "--$version" "${trust[@]}" -v --interval 0.05 "$url" >got 2>got.err 3>&- &
  pid_client=$!
  wait_until grep -q 'octets to' got.err
  kill -INT "$pid_client"
  ends_with 1 "$pid_client"
}

@test "a terminal gets a histogram" {
  serve --serve echo
  version=${versions[0]}
  run -0 python3 "$peers/terminal.py" '+rtt_ms min' '+####' -- h3dgram --ping "--$version" \
    "${trust[@]}" -c 20 --interval 0.001 "$url"
}

@test "a blast tells what went and what came back" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --blast -q -c 500 --rate 5000 --size 200 "$url"
    [[ "${lines[0]}" == 'sent 500 octets 100000 seconds '* ]]
    [[ "$output" == *'echoed 500 lost 0 (0.00%) duplicates 0 reordered 0 late 0'* ]]
    run -0 --separate-stderr client --blast -jq --duration 0.5 --interval 0.2 --rate 800kbit --size 100 "$url"
    [ "$(jq -r .event <<<"$output" | sort | uniq | tr '\n' ' ')" = 'interval open summary ' ]
    # 1000 a second, were the machine never busy with something else.
    [ "$(summary '.sent > 0 and .sent <= 505 and .octets_sent == .sent * 100' <<<"$output")" = true ]
    [ "$(summary '.echoed.datagrams + .echoed.lost == .sent' <<<"$output")" = true ]
  done
  serve --serve discard
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --blast -jq -c 20000 "$url"
    [ "$(summary '[.sent, .echoed.datagrams, .received.datagrams]' <<<"$output")" = '[20000,0,0]' ]
  done
  wait_until eval 'kill -USR1 "$pid"; grep -q "datagrams: $((20000 * ${#versions[@]})) received" "$log"'
}

@test "a blast from the other end, alone and in both directions" {
  serve --serve blast -c 1000 --rate 20000 --size 300
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --blast -jq -c 0 "$url"
    [ "$(summary '[.sent, .received.datagrams, .received.lost, .octets_received]' <<<"$output")" = '[0,1000,0,300000]' ]
    run -0 --separate-stderr client --blast -q -c 700 --rate 20000 "$url"
    [[ "$output" == *'sent 700 octets 700000 '* ]]
    [[ "$output" == *'received 1000 lost 0 (0.00%)'* ]]
  done
  run -0 --separate-stderr client --blast -q -c 10 --duration 0.1 --interval 0.05 --rate 20 "$url"
  [[ "$output" == *' s sent '*' back_mbit_per_s '* ]]
}

@test "a signal ends a blast with a summary" {
  serve --serve discard
  for version in "${versions[@]}"; do
    h3dgram --blast "--$version" "${trust[@]}" --interval 0.05 --rate 1000 --duration 60 "$url" >got 2>/dev/null 3>&- &
    pid_client=$!
    wait_until grep -q ' s sent ' got
    kill -TERM "$pid_client"
    ends_with 0 "$pid_client"
    grep -q '^sent .* octets' got
  done
}

# --- commands -----------------------------------------------------------------

@test "a command for each tunnel, with the peer's words in its environment" {
  # shellcheck disable=SC2016
  serve --serve exec -- sh -c 'while read -r line; do echo "$H3DGRAM_PROTOCOL $H3DGRAM_PATH $H3DGRAM_VERSION: $line"; done'
  for version in "${versions[@]}"; do
    run -0 client -c 2 --protocol chat "${url}room/1" < <(printf 'one\ntwo\n')
    [[ "${lines[0]}" == 'chat /room/1 HTTP/'*': one' ]]
    [[ "${lines[1]}" == *': two' ]]
  done
}

@test "commands end with their tunnels, and tunnels with their commands" {
  local running
  serve --serve exec -v -- sh -c 'echo $$; trap "" TERM; exec sleep 1000'
  for version in "${versions[@]}"; do
    running=$(client -c 1 "$url" </dev/null)
    wait_until eval "! kill -0 $running"
  done
  kill -INT "$pid"
  ends_with 0 "$pid"
  grep -q "commands: ${#versions[@]} failed" "$log"
  serve --serve exec -- head -n 1
  open_silence
  for version in "${versions[@]}"; do
    echo one >&8
    run -0 timeout 120 h3dgram "--$version" "${trust[@]}" "$url" <&8
    [ "$output" = one ]
  done
}

@test "commands that are not there, and those that read nothing" {
  serve --serve exec -- /nowhere/command
  version=http1.1
  run -6 --separate-stderr client "$url" </dev/null
  says_one 'refused: 503'
  grep -q '/nowhere/command: No such file' "$log"
  serve --serve exec -j -- sleep 1000
  for version in "${versions[@]}"; do
    run -0 client --blast -q -c 5000 --linger 0.1 "$url"
  done
  wait_until eval 'kill -USR1 "$pid"; grep -q "datagrams not read" "$log"'
  kill -INT "$pid"
  ends_with 0 "$pid"
  [ "$(summary '.unread > 0' <"$shown" | tail -n 1)" = true ]
}

# --- listeners ----------------------------------------------------------------

@test "a listener ends with a summary and 0, after so many or by a signal" {
  serve --serve echo --json -c "${#versions[@]}"
  for version in "${versions[@]}"; do
    run -0 client -c 1 "$url" <<<hi
  done
  ends_with 0 "$pid"
  [ "$(summary '[.tunnels, .open, .refused, .received, .sent]' <"$shown")" = "[${#versions[@]},0,0,${#versions[@]},${#versions[@]}]" ]
  serve --serve echo
  kill -INT "$pid"
  ends_with 0 "$pid"
  grep -q '0 tunnels served' "$log"
}

@test "a signal lets tunnels end, a second one does not" {
  for version in "${versions[@]}"; do
    serve --serve echo
    mkfifo "input.$version"
    exec 9<>"input.$version"
    h3dgram "--$version" "${trust[@]}" "$url" <"input.$version" >"got.$version" 2>/dev/null 3>&- &
    pid_client=$!
    echo hi >&9
    wait_until grep -q hi "got.$version"
    kill -TERM "$pid"
    wait_until bash -c "! timeout 5 h3dgram --$version -k $url </dev/null"
    echo still >&9
    wait_until grep -q still "got.$version"
    kill -TERM "$pid"
    ends_with 143 "$pid"
    ends_with 3 "$pid_client"
    exec 9>&-
  done
}

@test "listeners ask for credentials, protocol and certificates, and count" {
  printf 'bearer right\n' >right
  printf 'bearer wrong\n' >wrong
  serve --serve echo --auth right --protocol connect-ip --max-tunnels 1
  for version in "${versions[@]}"; do
    run -6 --separate-stderr client -N --protocol connect-ip --auth wrong "$url" </dev/null
    says_one "$url: the tunnel was refused: 401 Unauthorized"
    run -6 --separate-stderr client -N --auth right "$url" </dev/null
    says_one '501 Not Implemented'
    run -0 client -N --protocol connect-ip --auth right "$url" </dev/null
  done
  mkfifo input
  exec 9<>input
  h3dgram "--$version" "${trust[@]}" --protocol connect-ip --auth right "$url" <input >got 2>/dev/null 3>&- &
  pids+=($!)
  echo hi >&9
  wait_until grep -q hi got
  run -6 --separate-stderr client -N --protocol connect-ip --auth right "$url" </dev/null
  says_one '503 Service Unavailable'
  exec 9>&-
}

@test "the proxy carries packets to where it may, and says why not" {
  peer python3 "$peers/udp-echo.py" 'you said '
  serve --serve proxy --allow "127.0.0.1:$port"
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client -c 2 "$url" "127.0.0.1:$port" < <(printf 'one\ntwo\n')
    [ "$(sort <<<"$output")" = $'you said one\nyou said two' ]
    [ -z "$stderr" ]
    run -6 --separate-stderr client "$url" 127.0.0.1:1 <<<one
    says_one 'refused: 403 Forbidden; proxy-status: h3dgram; error=http_request_denied'
  done
}

@test "capsule-cat and h3dgram understand each other" {
  command -v capsule-cat >/dev/null || skip "capsule-cat is not built here"
  serve --cleartext --serve echo
  for version in http1.1 http2; do
    run -0 capsule-cat "--$version" --datagrams line -c 1 "$url" <<<hi
    [ "$output" = hi ]
  done
}

# --- trouble ------------------------------------------------------------------

@test "nobody there, a name that is not, and peers that talk rubbish" {
  for version in "${versions[@]}"; do
    run -3 --separate-stderr timeout 120 h3dgram "--$version" https://127.0.0.1:1/ </dev/null
    says_one 'https://127.0.0.1:1/: '
    run -3 --separate-stderr timeout 120 h3dgram "--$version" https://nowhere.invalid/ </dev/null
    says_one 'nowhere.invalid'
  done
  # A silent one.
  peer python3 "$peers/peer.py" listen 127.0.0.1 0 idle
  port=$(awk '{ print $2; exit }' "$out")
  run -3 --separate-stderr h3dgram --http1.1 -m 0.3 "http://127.0.0.1:$port/" </dev/null
  says_one 'not done after 0.3 s'
  run -3 --separate-stderr timeout 120 h3dgram --http2 --connect-timeout 0.3 -k -q "https://127.0.0.1:$port/" </dev/null
  [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a peer that takes nothing makes the input wait, and does not keep us" {
  opener 'time.sleep(60)'
  h3dgram --http1.1 "http://127.0.0.1:$port/" < <(yes) 3>&- &
  pid_client=$!
  wait_until stopped_reading "$pid_client"
  kill -TERM "$pid_client"
  ends_with 143 "$pid_client"
}

stopped_reading() { # pid
  local was
  was=$(cat stalled 2>/dev/null)
  grep rchar "/proc/$1/io" >stalled
  [ "$was" = "$(cat stalled)" ] && [ "$(awk '{ print $2 }' stalled)" -gt 100000 ]
}

@test "malformed datagrams and capsules end the tunnel, after what was good" {
  open_silence
  opener 'c.sendall(b"\0\3\0hi\0\1\x40"); c.recv(100)'
  run -5 --separate-stderr timeout 120 h3dgram --http1.1 "http://127.0.0.1:$port/" <&8
  [ "$output" = hi ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  opener 'c.sendall(b"\0\3\0hi\0\4\0x"); c.shutdown(socket.SHUT_WR); c.recv(100)'
  run -5 --separate-stderr timeout 120 h3dgram --http1.1 "http://127.0.0.1:$port/" <&8
  [ "$output" = hi ]
  [[ "$stderr" == *'byte 9: stream ends inside a capsule value'* ]]
  # Unknown capsules and those that are too long are passed over.
  opener 'c.sendall(b"\x17\3xyz\0\x80\1\x11\x70" + bytes(70000) + b"\0\3\0hi"); c.recv(100)'
  run -0 timeout 120 h3dgram --http1.1 -c 1 "http://127.0.0.1:$port/" <&8
  [ "$output" = hi ]
}

@test "standard output that is closed, full, or left" {
  serve --serve echo
  printf 'hello\n' >in
  for version in "${versions[@]}"; do
    export version url
    run -4 --separate-stderr bash -c 'h3dgram "$@" "--$version" "$url" <in >/dev/full' - "${trust[@]}"
    says_one 'standard output: No space left on device'
    run -4 --separate-stderr bash -c 'h3dgram "$@" "--$version" "$url" <in >&-' - "${trust[@]}"
    says_one 'standard output: Bad file descriptor'
    run -0 --separate-stderr timeout 120 bash -c 'yes | h3dgram "$@" "--$version" "$url" | head -n 1' - "${trust[@]}"
    [ "$output" = y ]
    [ -z "$stderr" ]
    run -4 --separate-stderr bash -c 'h3dgram --ping -q -c 1 "$@" "--$version" "$url" >/dev/full' - "${trust[@]}"
    says_one 'standard output: No space left on device'
    run -4 --separate-stderr bash -c 'h3dgram --blast -q -c 1 "$@" "--$version" "$url" >/dev/full' - "${trust[@]}"
    says_one 'standard output: No space left on device'
  done
  run -0 --separate-stderr timeout 120 bash -c "trap '' PIPE; yes | h3dgram --$version ${trust[*]} $url | head -n 1"
  ! grep -v '^yes:' <<<"$stderr" | grep . || return 1
  run -4 --separate-stderr client -o /nowhere/file "$url"
  says_one '/nowhere/file: No such file or directory'
  run -0 client -o file -c 1 "$url" <in
  [ "$(cat file)" = hello ]
}

@test "standard input that is closed, and a signal while it waits" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 --separate-stderr client --linger 0 "$url" </dev/null
    [ -z "$output$stderr" ]
    run -4 --separate-stderr client "$url" <.
    says_one 'standard input: Is a directory'
    mkfifo "input.$version"
    exec 9<>"input.$version"
    h3dgram "--$version" "${trust[@]}" "$url" <"input.$version" >"got.$version" 3>&- &
    pid_client=$!
    echo hi >&9
    wait_until grep -q hi "got.$version"
    kill -INT "$pid_client"
    ends_with 130 "$pid_client"
    exec 9>&-
  done
}

# --- the command line ---------------------------------------------------------

@test "what excludes each other is said in one sentence" {
  local u=https://127.0.0.1:1/ line want
  while IFS='|' read -r line want; do
    # shellcheck disable=SC2086 # words
    run -2 --separate-stderr h3dgram $line </dev/null
    says_one "$want" || { echo "$line"; return 1; }
  done <<END
$u a:1 b|expected a URL and perhaps a TARGET, not 3 operands
$u nonsense|nonsense: expected HOST:PORT
ftp://x/|ftp://x/: 
--ping --blast $u|exclude each other
--ping -i $u|exclude each other
--ping -L 0 $u|exclude each other
-l 0 --ping|exclude each other
-l 0 $u|--listen has no operands but the COMMAND
-l 0 --serve exec|--serve exec needs a COMMAND
-l 0 --serve proxy command|--listen has no operands but the COMMAND
--serve echo $u|--serve needs --listen
--context 1 --no-context $u|exclude each other
-f hex --ping $u|--framing is for
-f nonsense $u|--framing nonsense: expected
--block-size 5 $u|--block-size needs raw input
--capsules always --too-big drop $u|leaves nothing --too-big
--capsules never --http2 $u|needs HTTP/3
--capsules never --too-big capsule $u|exclude each other
--interval 1 $u|--interval needs
--size 30 $u|--size needs
--size 5 --ping $u|expected
--rate 5 $u|need --blast
--rate 5furlongs --blast $u|expected datagrams a second
--rate -5 --blast $u|expected datagrams a second
--duration 5 --ping $u|need --blast
-c 5 -L 0 $u|--count means nothing
-c 0 $u|--count 0 is for --blast
--linger 5 -L 0 $u|--linger is for
-N --ping $u|--finish is for
-N --linger 5 $u|exclude each other
-o file -L 0 $u|--output means nothing
--any --http2 $u|--any is all of
--race-delay 1 $u|--race-delay needs --any
--qlog . --http2 $u|need HTTP/3
--keepalive 5 --http1.1 $u|need HTTP/3
--mtu 1300 --http1.1 $u|need HTTP/3
--quic-version 2 --http1.1 $u|need HTTP/3
--retry $u|--retry needs --listen
--header a:b -l 0|need a URL
--cleartext $u|need --listen
--client-ca x $u|need --listen
--max-connections 5 $u|need --listen
--allow x $u|are for --serve proxy
-l 0 --allow x|are for --serve proxy
-l 0 --template /x|is for --serve proxy
--max-tunnels 5 $u|--max-tunnels needs
--idle-timeout 5 --http2 $u|--idle-timeout needs
-l 0 --serve proxy --protocol x|knows connect-udp alone
-l 0 --serve proxy --context 2|knows by itself
-l 0 --insecure|need a URL
http://x/|needs --http2 or --http1.1
-k --http2 http://x/|need https
--unix-socket x $u|--unix-socket needs
-l 0 --cleartext --cert x|excludes certificates
-l 0 --cleartext --http3|exclude each other
-4 -6 $u|exclude each other
-i $u|--interactive needs a terminal
--conect-to x $u|did you mean --connect-to?
--header nonsense $u|--header
END
  run -2 --separate-stderr h3dgram -j -f hex "$u"
  [[ "$stderr" == *'--json writes ndjson'* ]]
}

@test "binary is not written to a terminal" {
  serve --serve echo
  version=${versions[0]}
  run -2 python3 "$peers/terminal.py" -- h3dgram -f u16 "--$version" "${trust[@]}" "$url"
  [[ "$output" == *'standard output is a terminal, and what would be written is binary'* ]]
  run -0 python3 "$peers/terminal.py" '+reading from the terminal' '=hi\n' '+hi' '+hi' '=\x04' -- \
    h3dgram "--$version" "${trust[@]}" --linger 0 "$url"
}

# --- interactive --------------------------------------------------------------

at_terminal() { # step ...
  python3 "$peers/terminal.py" "$@" -- h3dgram -i "--$version" "${trust[@]}" "$url"
}

@test "datagrams are typed, and what comes back is shown above the line" {
  serve --serve echo
  for version in "${versions[@]}"; do
    run -0 at_terminal '+open over HTTP/' '+datagram> ' '=text good day\n' \
      '+context_id 0 length 8 payload 676f6f6420646179 "good day"' \
      '=hex 00 01 ff\n' '+length 3 payload 0001ff' '=context 6\n' \
      '=text hi\n' '+context_id 6 length 2' '=context\n' '+context id 6' '=status\n' \
      '+octets waiting' '=stats\n' '+sent 3 datagrams' '=settings\n' '+datagram> ' \
      '=help\n' '+a datagram, in hexadecimal' '=hex 0g\n' '+column 0' '=context x\n' \
      '+context: expected' '=nonsense\n' '+nonsense: no such command' '=finish\n' \
      '+the peer has ended its direction'
  done
  grep -q 'text good day' .local/state/wirekit/h3dgram-history
  version=${versions[0]}
  run -0 at_terminal '+datagram> ' '=te\thi there\n' '+payload 6869207468657265' '=\x04'
  run -130 at_terminal '+datagram> ' '=half a li' '!kill -INT $CHILD'
}
