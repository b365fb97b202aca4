# SPDX-License-Identifier: MIT
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
  for port in "$port1" "$port2" "$port3" "$port4"; do
    if [ "$(id -u)" -eq 0 ]; then user=nobody; else user=$(id -un); fi
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
  mcproxy --quiet --listen "127.0.0.1:$proxy_port" "$WK_DEMO/pools.lua" &
  mcproxy_pids="$! $mcproxy_pids"
  for _ in $(seq 100); do
    printf 'stats backends\r\n' | nc -w 1 -N 127.0.0.1 "$proxy_port" 2>/dev/null |
      grep -c ':up 4' | grep -qx 4 && break
    sleep 0.05
  done
  tell "Set and get through the proxy, then look at a backend directly:"
  show "printf 'set /foo/key1 0 0 5\\r\\nhello\\r\\nget /foo/key1 /bar/key1\\r\\n' | nc -w 1 -N 127.0.0.1 \$proxy_port"
  show "printf 'get key1\\r\\n' | nc -w 1 -N 127.0.0.1 \$port1"
  tell "What it counted:"
  show "echo 'stats proxy' | nc -w 1 -N 127.0.0.1 \$proxy_port | grep -E 'cmd_(get|set) |END'"
  # shellcheck disable=SC2086 # a list of numbers
  kill $mcproxy_pids
  # shellcheck disable=SC2086
  wait $mcproxy_pids 2>/dev/null || :
fi
