# SPDX-License-Identifier: MIT
# What the tests of HTTP/3 share: certificates, peers, our listener. Call
# h3_setup in setup and h3_teardown in teardown.
# shellcheck disable=SC2034 # variables for the tests

next=$WK_SOURCE/tests/peers/debian-next.sh
folder=${WK_DEBIAN_NEXT:-$WK_SOURCE/build/debian-next}/peers
scripts=$WK_SOURCE/tests/peers

h3_setup() {
  [ -x "$WK_BUILD/h3dgram" ] || skip "h3dgram is not built here"
  cd "$BATS_TEST_TMPDIR" || exit
  set -o pipefail
  pids=()
  unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
  unset SSL_CERT_FILE SSLKEYLOGFILE
  certificate
}

h3_teardown() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

certificate() { # key.pem, cert.pem and both.pem here
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout key.pem -out cert.pem 2>/dev/null
  cat key.pem cert.pem >both.pem
}

needs() { # command package
  command -v "$1" >/dev/null || skip "needs $2"
}

needs_next() {
  [ -e "$folder" ] || skip "needs build/debian-next, see ./bootstrap check --peers"
  "$next" run true || skip "programs of build/debian-next do not run here"
}

start() { # name command ...: output in name.out and name.err; sets started
  local name=$1
  shift
  : >"$name.out"
  : >"$name.err"
  "$@" >>"$name.out" 2>>"$name.err" 3>&- 5>&- &
  started=$!
  pids+=("$started")
}

# What takes longer than ten seconds on a slow machine.
wait_until_long() {
  wait_until "$@" || wait_until "$@" || wait_until "$@"
}

udp_port() { # pid: sets port when it listens
  port=$(ss -Hlunp | sed -n "s/.*[]1*]:\([0-9]*\) .*pid=$1,.*/\1/p;T;q")
  [ -n "$port" ]
}

listen() { # option ...: sets listener and port
  start served h3dgram --listen 127.0.0.1:0 --cert both.pem "$@"
  listener=$started
  wait_until grep -q 'listening on' served.err
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p;T;q' served.err)
  url=https://127.0.0.1:$port
}

# SIGTERM is its normal end.
ends_well() {
  kill -TERM "$listener"
  wait_until eval "! kill -0 $listener"
  wait "$listener"
}

gtls_server() { # [next] option ...: sets port; serves ./htdocs
  local run=() program=gtlsserver
  if [ "${1-}" = next ]; then
    run=("$next" run)
    shift
  fi
  mkdir -p htdocs
  start gtls "${run[@]}" "$program" -q -d htdocs "$@" 127.0.0.1 0 key.pem cert.pem
  wait_until udp_port "$started"
  url=https://127.0.0.1:$port
}

aioquic_server() { # option ...: sets port
  start aioquic "$next" run python3 "$scripts/h3-aioquic-server.py" cert.pem key.pem "$@"
  wait_until_long test -s aioquic.out
  port=$(head -n 1 aioquic.out)
  url=https://127.0.0.1:$port
}

aioquic_client() { # word ...: standard output is JSON
  timeout 60 "$next" run python3 "$scripts/h3-aioquic-client.py" "$port" cert.pem "$@"
}

peak_of() { # pid: KiB
  awk '/^VmHWM/ { print $2 }' "/proc/$1/status"
}

resident_of() { # pid: KiB
  awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

# What a program may need at most, with everything that it must keep.
limit_kib() {
  if is_sanitized h3dgram; then echo 600000; else echo 65536; fi
}
