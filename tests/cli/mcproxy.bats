#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mcproxy's face: checking configurations, and what it says about bad ones.

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  cat >pools.lua <<'LUA'
local s = require("lib/simple")
s.pool{ name = "foo", backends = { "127.0.0.1:11212", "127.0.0.1:11213" } }
s.pool{ name = "bar", backends = { "127.0.0.1:11214", "127.0.0.1:11215" } }
LUA
}

@test "--check explains pools, backends and routes" {
  run -0 --separate-stderr mcproxy --check pools.lua
  [ "${lines[0]}" = "pool foo backends 2 distribution jump hash xxh3" ]
  [ "${lines[1]}" = "backend foo 0 127.0.0.1:11212 label 127.0.0.1:11212" ]
  [ "${lines[6]}" = "route prefix bar commands all to bar" ]
  [ "${#lines[@]}" -eq 8 ]
  [ -z "$stderr" ]
}

@test "--where tells the backend of each key, 1 when there is none" {
  run -0 mcproxy --where /foo/key1 --where /foo/key2 pools.lua
  [ "${lines[0]}" = "where /foo/key1 pool foo backend 0 127.0.0.1:11212 sent key1" ]
  [ "${lines[1]}" = "where /foo/key2 pool foo backend 1 127.0.0.1:11213 sent key2" ]
  run -1 mcproxy --where /nope/a pools.lua
  [ "$output" = "where /nope/a nowhere" ]
}

@test "--where places forty keys as memcached's proxy does" {
  local i where=()
  for ((i = 1; i <= 40; i++)); do where+=(--where "/foo/key$i"); done
  run -0 mcproxy "${where[@]}" pools.lua
  [ "$(awk '{ printf "%s", $6 }' <<<"$output")" = 0111111111010000100000010011011000111000 ]
}

@test "--json is NDJSON" {
  run -0 mcproxy --json --check pools.lua
  [ "$(jq -r 'select(.event == "backend") | .label' <<<"$output" | wc -l)" -eq 4 ]
  run -0 mcproxy --json --where /foo/key1 pools.lua
  [ "$(jq -c '[.pool, .index, .sent]' <<<"$output")" = '["foo",0,"key1"]' ]
}

@test "pools from the command line need no file" {
  run -0 mcproxy --check --pool foo=127.0.0.1:11212,127.0.0.1:11213 --pool bar=unix:/tmp/b
  [[ $output == *"backend bar 0 /tmp/b label unix:/tmp/b"* ]]
  run -2 --separate-stderr mcproxy --check --pool foo
  [ "$stderr" = "mcproxy: --pool foo: expected NAME=ADDRESS,ADDRESS,..." ]
}

@test "standard input is a file, too, and gets its argument" {
  run -0 mcproxy --check --arg east - <<'LUA'
local zone = ...
pools{ [zone] = { backends = { "127.0.0.1:11212" } } }
routes{ default = route_direct{ child = zone } }
LUA
  [[ $output == *"route prefix * commands all to east"* ]]
}

@test "errors name file, line and what was expected, exit code 2" {
  printf '\npool{ name = "a", backends = { "127.0.0.1" } }\n' >bad.lua
  run -2 --separate-stderr mcproxy bad.lua
  [ -z "$output" ]
  [ "$stderr" = "mcproxy: bad.lua:2: 127.0.0.1 is an invalid backend, expected HOST:PORT, [IPV6]:PORT or unix:PATH" ]
  run -2 --separate-stderr mcproxy no-such.lua
  [ "$stderr" = "mcproxy: no-such.lua: No such file or directory" ]
}

@test "a file cannot reach the system unless allowed" {
  printf 'os.execute("touch escaped")\npool{ name = "a", backends = { "a:1" } }\n' >evil.lua
  run -2 --separate-stderr mcproxy --check evil.lua
  [ ! -e escaped ]
  run -0 mcproxy --check --unsafe-lua evil.lua
  [ -e escaped ]
}

@test "unknown keys are errors unless --lax" {
  printf 'pool{ name = "a", color = 1, backends = { "a:1" } }\n' >typo.lua
  run -2 --separate-stderr mcproxy --check typo.lua
  [[ $stderr == *"typo.lua:1: pool: unknown key color, expected one of "* ]]
  run -0 mcproxy --check --lax typo.lua
}

@test "options that exclude each other" {
  run -2 --separate-stderr mcproxy --pool a=b:1 pools.lua
  [ "$stderr" = "mcproxy: --pool and a FILE exclude each other (see mcproxy --help)" ]
  run -2 --separate-stderr mcproxy --tag x pools.lua
  [ "$stderr" = "mcproxy: --tag needs --where (see mcproxy --help)" ]
  run -2 --separate-stderr mcproxy --thread 0 pools.lua
  [[ $stderr == *"expected a whole number from 1 to 64"* ]]
}

@test "an address that cannot be bound is named, exit code 4" {
  run -4 --separate-stderr mcproxy --listen 192.0.2.1:11211 pools.lua
  [ "$stderr" = "mcproxy: --listen 192.0.2.1:11211: Cannot assign requested address" ]
}

@test "a full disk is a failure" {
  run -4 --separate-stderr bash -c 'mcproxy --check pools.lua >/dev/full'
  [[ $stderr == *"No space left on device"* ]]
}

@test "its parts call only those that stand before them in tool.mk" {
  local objects="$WK_BUILD/cmd/mcproxy"
  [ -e "$objects/libmcproxy_a-conf.o" ] || skip "no objects in the build directory"
  grep -oE 'cmd/mcproxy/[a-z0-9_]+\.c' "$WK_SOURCE/cmd/mcproxy/tool.mk" | sed '/main.c/,$d; s|.*/||; s|\.c$||' |
    while read -r part; do
      nm "$objects/libmcproxy_a-$part.o" |
        awk -v part="$part" '$2 ~ /^[TDRB]$/ { print part, "has", $3 } $1 == "U" { print part, "uses", $2 }'
    done >symbols
  run awk '$2 == "uses" { used[$3] = used[$3] " " $1 } $2 == "has" && $3 in used { print used[$3], "call", $3, "of", $1 }' symbols
  [ -z "$output" ]
  [ "$(grep -c ' has ' symbols)" -gt 50 ]
}

@test "an address to listen on that cannot be one is misuse" {
  local address why
  while IFS=' ' read -r address why; do
    run -2 --separate-stderr mcproxy --listen "$address" --pool a=127.0.0.1:1
    [ "$stderr" = "mcproxy: $address: $why (see mcproxy --help)" ] || { echo "$stderr"; return 1; }
  done <<'EOF'
127.0.0.1:65536 a port is at most 65535
127.0.0.1:97100 a port is at most 65535
:x expected a port number
unix: expected a path of 1 to 107 octets
nowhere expected a port number
::1 expected [ADDRESS]:PORT: IPv6 addresses stand in brackets
t@[::1 the bracket is not closed
@127.0.0.1:1 a tag has 1 to 8 octets
EOF
  run -2 --separate-stderr mcproxy --metrics 1.2.3.4:70000 --pool a=127.0.0.1:1
  [[ "$stderr" == *'at most 65535'* ]]
  run -2 --separate-stderr mcproxy --cert x --pool a=127.0.0.1:1
  [[ "$stderr" == *'--cert and --client-ca need --tls-listen'* ]]
  run -2 --separate-stderr mcproxy console
  [[ "$stderr" == *'top and console need ADDR:PORT'* ]]
}

@test "top ends at the first signal, whatever the proxy does" {
  # It accepts and says nothing.
  python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()
print("accepted", flush=True)
time.sleep(60)' >port 3>&- &
  local silent=$! top
  wait_until test -s port
  env --default-signal=INT "$WK_BUILD/mcproxy" top --once "127.0.0.1:$(head -n 1 port)" 3>&- &
  top=$!
  wait_until grep -q accepted port
  kill -INT "$top"
  wait_until bash -c "! kill -0 $top"
  wait "$top"
  kill "$silent"
}
