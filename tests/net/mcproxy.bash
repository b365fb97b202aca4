# SPDX-License-Identifier: MIT
# mcproxy in front of real memcacheds, on ports that the kernel chose.

setup() {
  command -v memcached >/dev/null || skip "needs memcached"
  cd "$BATS_TEST_TMPDIR" || exit
  pids=()
}

teardown() {
  stop_all
}

stop_all() {
  local pid
  for pid in "${pids[@]}"; do kill -CONT "$pid" 2>/dev/null; kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
}

# N ports that were free a moment ago
free_ports() {
  # Below those that connections get, or one of them may take it meanwhile.
  python3 -c '
import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    port = random.randrange(10240, 32768)
    try:
        s = socket.socket()
        s.bind(("127.0.0.1", port))
        found.append((port, s))
    except OSError:
        pass
print(*[port for port, _ in found])' "$1"
}

answers() { # port
  [ "$(printf 'mn\r\n' | nc -w 1 -N 127.0.0.1 "$1")" = $'MN\r' ]
}

backend() { # port: sets the variable pid
  local user=()
  [ "$(id -u)" -ne 0 ] || user=(-u nobody)
  memcached "${user[@]}" -l 127.0.0.1 -p "$1" -U 0 -t 1 -m 64 -c 2048 3>&- &
  pid=$!
  pids+=("$pid")
  wait_until answers "$1"
}

proxy() { # arguments: sets the variable proxy_pid
  mcproxy --threads 2 "$@" 2>err 3>&- &
  proxy_pid=$!
  pids+=("$proxy_pid")
  wait_until grep -q '^mcproxy: ready' err
}

talk() { # port: standard input as it is, with \r\n for \n
  sed 's/$/\r/' | nc -w 2 -N 127.0.0.1 "$1" | tr -d '\r'
}

# Two pools of two, as in the manual; port[0] is the proxy's.
two_pools() {
  local i
  read -ra port < <(free_ports 5)
  # shellcheck disable=SC2034 # for the tests
  for i in 1 2 3 4; do backend "${port[i]}"; backend_pid[i]=$pid; done
  cat >pools.lua <<LUA
local s = require("lib/simple")
s.pool{ name = "foo", backends = { "127.0.0.1:${port[1]}", "127.0.0.1:${port[2]}" } }
s.pool{ name = "bar", backends = { "127.0.0.1:${port[3]}", "127.0.0.1:${port[4]}" } }
LUA
}

up() { # how many connections to backends are up
  local n
  n=$(printf 'stats backends\r\n' | nc -w 2 -N 127.0.0.1 "${port[0]}" | grep ':up ' | tr -d '\r' |
    awk '{ n += $3 } END { print n }')
  [ "$n" -eq "$1" ]
}

start() {
  proxy --listen "127.0.0.1:${port[0]}" "$@" pools.lua
}
