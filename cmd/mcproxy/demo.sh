# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016
# Demo steps, sourced by bootstrap.

heading "mcproxy: four memcacheds behind one address"

if ! command -v memcached >/dev/null; then
  skip "needs memcached"
else
  read -r proxy_port port1 port2 port3 port4 < <(python3 -c '
import socket
s = [socket.socket() for _ in range(5)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
  export proxy_port port1
  mcproxy_pids=
  if [ "$(id -u)" -eq 0 ]; then user=nobody; else user=$(id -un); fi
  for port in "$port1" "$port2" "$port3" "$port4"; do
    memcached -u "$user" -l 127.0.0.1 -p "$port" -U 0 -t 1 -m 16 &
    mcproxy_pids="$mcproxy_pids $!"
  done
  cat >"$WK_DEMO/pools.lua" <<EOF2
local s = require("lib/simple")
s.pool{ name = "foo", backends = { "127.0.0.1:$port1", "127.0.0.1:$port2" } }
s.pool{ name = "bar", backends = { "127.0.0.1:$port3", "127.0.0.1:$port4" } }
EOF2
  tell "Two pools, in the words of memcached's own lib/simple:"
  show 'cat $WK_DEMO/pools.lua'
  tell "Where would these keys go?"
  show 'mcproxy --where /foo/key1 --where /foo/key2 --where /bar/key1 $WK_DEMO/pools.lua'
  mcproxy --quiet --listen "127.0.0.1:$proxy_port" --admin "unix:$WK_DEMO/admin" \
    "$WK_DEMO/pools.lua" 2>"$WK_DEMO/mcproxy.err" &
  mcproxy_pids="$! $mcproxy_pids"
  for _ in $(seq 100); do
    printf 'stats backends\r\n' | nc -w 1 -N 127.0.0.1 "$proxy_port" 2>/dev/null |
      grep -c ':up 4' | grep -qx 4 && break
    sleep 0.05
  done
  tell "Set and get through the proxy, in both pools:"
  show "printf 'set /foo/key1 0 0 5\\r\\nhello\\r\\nset /bar/key1 0 0 5\\r\\nworld\\r\\nget /foo/key1 /bar/key1\\r\\n' | nc -w 1 -N 127.0.0.1 \$proxy_port"
  tell "The backend holds it under the key without its prefix:"
  show "printf 'get key1\\r\\n' | nc -w 1 -N 127.0.0.1 \$port1"
  tell "What the proxy counted, under memcached's names and with times behind them:"
  show "echo 'stats proxy' | nc -w 1 -N 127.0.0.1 \$proxy_port | grep -E 'cmd_(get|set) |p99|END'"
  if ! mcproxy console 127.0.0.1:1 2>&1 | grep -q 'without readline'; then
    tell "The console, here with its lines from a pipe. Take a backend out, and its keys fail at once; all others stay:"
    show "printf '%s\\n' 'down 127.0.0.1:'\$port1 'get /foo/key1' 'get /bar/key1' 'up 127.0.0.1:'\$port1 'where /foo/key1' | mcproxy console unix:\$WK_DEMO/admin"
    tell "A broken file changes nothing:"
    echo 'pool{' >>"$WK_DEMO/pools.lua"
    show "printf 'reload\\nget /bar/key1\\n' | mcproxy console unix:\$WK_DEMO/admin"
  fi
  tell "And what it does at the moment (on a terminal: mcproxy top, live):"
  show 'mcproxy top --once --interval 0.3 127.0.0.1:$proxy_port'
  # shellcheck disable=SC2086 # a list of numbers
  kill $mcproxy_pids
  # shellcheck disable=SC2086
  wait $mcproxy_pids 2>/dev/null || :
fi
