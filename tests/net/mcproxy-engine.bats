#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mcproxy when things go wrong, its limits, and what may be asked of it.

load ../cli/tool
load mcproxy
load namespaces

stub() { # port options...: sets the variable pid, tells all in the file stub
  python3 "$WK_SOURCE/tests/peers/memcached-stub.py" "$@" >stub 3>&- &
  pid=$!
  pids+=("$pid")
  wait_until grep -q listening stub
}

one_pool() { # backend options, an address for each of the rest
  local list
  list=$(printf '"127.0.0.1:%s", ' "${@:2}")
  printf 'pools{ foo = { backend_options = { %s }, backends = { %s } } }\nroutes{ default = "foo" }\n' \
    "$1" "$list" >pools.lua
}

bad() { # is this port marked bad
  printf 'stats proxybe\r\n' | nc -w 2 -N 127.0.0.1 "${port[0]}" | grep -q "bad_.*:$1 "
}

keys() { # from 1 to $1: a set and a get of each
  local i
  for ((i = 1; i <= $1; i++)); do printf 'set k%d 0 0 1\nx\nget k%d\n' "$i" "$i"; done
}

@test "what comes too late is thrown away, and the connection stays in step" {
  read -ra port < <(free_ports 2)
  stub "${port[1]}" --delay slow 0.4 --delay late 0.4
  one_pool "readtimeout = 0.6" "${port[1]}"
  proxy --threads 1 --listen "127.0.0.1:${port[0]}" pools.lua
  run talk "${port[0]}" <<<$'mg slow k\nmg late k\nmg other k\nmg slow k'
  [ "${lines[0]}" = "HD kslow" ]
  [ "${lines[1]}" = "SERVER_ERROR backend failure" ]
  # The next one waits behind the late answers and gets its own.
  wait_until eval '[ "$(grep -c slow stub)" -eq 2 ]'
  run talk "${port[0]}" <<<$'mg next k'
  [ "$output" = "HD knext" ]
  [ "$(grep -c version stub)" -eq 1 ]
}

@test "a backend that flaps is marked bad; without a flap time it never is" {
  read -ra port < <(free_ports 2)
  stub "${port[1]}" --drop get
  one_pool "flaptime = 60, flapbackofframp = 2, failurelimit = 2, retrywaittime = 60" "${port[1]}"
  proxy --threads 1 --listen "127.0.0.1:${port[0]}" pools.lua
  asked() { talk "${port[0]}" <<<'get a' >/dev/null; bad "${port[1]}"; }
  wait_until asked
  # From now on nobody asks it.
  local n
  n=$(grep -c get stub)
  run talk "${port[0]}" <<<$'get a\nget a'
  [ "$output" = $'SERVER_ERROR backend failure\nSERVER_ERROR backend failure' ]
  [ "$(grep -c get stub)" -eq "$n" ]
  kill "$proxy_pid"
  wait "$proxy_pid"
  one_pool "failurelimit = 2, retrywaittime = 60" "${port[1]}"
  proxy --threads 1 --listen "127.0.0.1:${port[0]}" pools.lua
  many() { talk "${port[0]}" <<<'get b' >/dev/null; [ "$(grep -c 'get b' stub)" -ge 12 ]; }
  wait_until many
  run ! bad "${port[1]}"
}

@test "idle connections are probed, used or not" {
  read -ra port < <(free_ports 2)
  stub "${port[1]}"
  one_pool "" "${port[1]}"
  proxy --threads 1 --idle-ping 0.1 --listen "127.0.0.1:${port[0]}" pools.lua
  wait_until eval '[ "$(grep -c version stub)" -ge 5 ]'
  run talk "${port[0]}" <<<'mg a k'
  [ "$output" = "HD ka" ]
  printf 'stats backends\r\n' | nc -w 2 -N 127.0.0.1 "${port[0]}" | grep -q ':connects 1'
}

@test "what was sent and not answered is not done twice; what was not sent is" {
  read -ra port < <(free_ports 3)
  stub "${port[1]}" --drop incr
  backend "${port[2]}"
  talk "${port[2]}" <<<$'set n 0 0 1\n1' >/dev/null
  cat >pools.lua <<LUA
pools{ flaky = { backends = { "127.0.0.1:${port[1]}" } }, good = { backends = { "127.0.0.1:${port[2]}" } },
  gone = { backends = { "127.0.0.1:${port[1]} _down_" } } }
routes{ map = { n = route_failover{ children = { "flaky", "good" } } }, cmap = {
  incr = route_failover{ children = { "flaky", "good" } }, decr = route_failover{ children = { "gone", "good" } } } }
LUA
  proxy --threads 1 --listen "127.0.0.1:${port[0]}" pools.lua
  wait_until up 2
  run talk "${port[0]}" <<<$'incr n 1\ndecr n 1'
  [ "$output" = $'SERVER_ERROR backend failure\n0' ]
}

@test "eject: keys of a dead backend go to the others, and come back later" {
  read -ra port < <(free_ports 4)
  local i
  for i in 1 2 3; do backend "${port[i]}"; backend_pid[i]=$pid; done
  cat >pools.lua <<LUA
settings{ backend_retry_waittime = 0.2 }
pools{ foo = { options = { eject = true, failback = 1 }, backends = { "127.0.0.1:${port[1]}", "127.0.0.1:${port[2]}",
  "127.0.0.1:${port[3]}" } } }
routes{ default = "foo" }
LUA
  start
  wait_until up 6
  run talk "${port[0]}" < <(keys 60)
  [ "$(grep -c '^STORED$' <<<"$output")" -eq 60 ]
  items() { printf 'stats\r\n' | nc -w 2 -N 127.0.0.1 "$1" | tr -d '\r' | awk '$2 == "curr_items" { print $3 }'; }
  local first second third
  first=$(items "${port[1]}") second=$(items "${port[2]}") third=$(items "${port[3]}")
  [ "$first" -gt 0 ]
  kill "${backend_pid[1]}"
  wait_until bad "${port[1]}"
  out() { printf 'stats proxybe\r\n' | nc -w 2 -N 127.0.0.1 "${port[0]}" | grep -q "bad_.*:${port[1]} 2"; }
  wait_until out
  run talk "${port[0]}" < <(keys 60)
  [ "$(grep -c '^STORED$' <<<"$output")" -eq 60 ]
  [ "$(grep -c '^VALUE' <<<"$output")" -eq 60 ]
  # Both others took some; what was theirs stayed where it was.
  [ "$(items "${port[2]}")" -gt "$second" ]
  [ "$(items "${port[3]}")" -gt "$third" ]
  [ $(($(items "${port[2]}") + $(items "${port[3]}"))) -eq 60 ]
  backend "${port[1]}"
  wait_until up 6
  back() { talk "${port[0]}" < <(keys 60) >/dev/null; [ "$(items "${port[1]}")" -eq "$first" ]; }
  wait_until back
}

@test "gutter: what fails goes to another pool, with its time to live" {
  two_pools
  kill "${backend_pid[1]}"
  cat >pools.lua <<LUA
local s = require("lib/simple")
s.pool{ name = "foo", backends = { "127.0.0.1:${port[1]}" }, distributor = { gutter = "bar", gutter_ttl = 90 } }
s.pool{ name = "bar", backends = { "127.0.0.1:${port[3]}" } }
LUA
  start
  wait_until bad "${port[1]}"
  run talk "${port[0]}" <<<$'set /foo/a 0 0 1\nx\nget /foo/a\nmg /bar/a t\ndelete /foo/a\nget /bar/a'
  [ "$output" = "STORED
VALUE /foo/a 0 1
x
END
HD t90
DELETED
END" ]
}

@test "quorum: most of them are enough, fewer are an error" {
  two_pools
  cat >pools.lua <<LUA
pools{ set_p = { { backends = { "127.0.0.1:${port[1]}" } }, { backends = { "127.0.0.1:${port[2]}" } },
  { backends = { "127.0.0.1:${port[3]} _down_" } } } }
routes{ map = { two = route_quorum{ children = "set_p" }, all = route_quorum{ children = "set_p", quorum = 3 } } }
LUA
  start
  wait_until up 4
  talk "${port[2]}" <<<$'set two/b 0 0 1\nb' >/dev/null
  run talk "${port[0]}" <<<$'set two/a 0 0 1\nx\nget two/a\nget two/b\nset all/a 0 0 1\nx\nget two/none'
  [ "$output" = "STORED
VALUE two/a 0 1
x
END
VALUE two/b 0 1
b
END
SERVER_ERROR backend failure
END" ]
}

@test "flush_all: for administrators and whoever is allowed; to all backends" {
  two_pools
  local other
  other=$(free_ports 1)
  start --admin "127.0.0.1:$other"
  wait_until up 8
  talk "${port[0]}" < <(for i in 1 2 3 4 5 6; do printf 'set /foo/k%d 0 0 1\nx\nset /bar/k%d 0 0 1\nx\n' "$i" "$i"; done) >/dev/null
  run talk "${port[0]}" <<<$'flush_all\nget /foo/k1'
  [ "${lines[0]}" = "CLIENT_ERROR flush_all not allowed" ]
  [ "${lines[1]}" = "VALUE /foo/k1 0 1" ]
  run talk "$other" <<<$'flush_all 100\nflush_all x\nflush_all noreply\nflush_all 0\nget /foo/k1 /foo/k2 /bar/k1 /bar/k2 /bar/k3'
  [ "$output" = $'OK\nCLIENT_ERROR bad command line format\nOK\nEND' ]
  kill "$proxy_pid"
  wait "$proxy_pid"
  start --flush-all
  wait_until up 8
  run talk "${port[0]}" <<<$'set /foo/k1 0 0 1\nx\nflush_all\nget /foo/k1'
  [ "$output" = $'STORED\nOK\nEND' ]
  kill "${backend_pid[1]}"
  wait_until bad "${port[1]}"
  run talk "${port[0]}" <<<$'flush_all'
  [ "$output" = "SERVER_ERROR backend failure" ]
}

@test "reload by command tells what came of it, and never waits for a pipe" {
  two_pools
  local other
  other=$(free_ports 1)
  start --admin "127.0.0.1:$other"
  echo "s.pool{ name = 'new', backends = { '127.0.0.1:${port[1]}' } }" >>pools.lua
  run talk "$other" <<<$'proxy reload\nproxy reload'
  [ "$output" = $'OK\nOK' ]
  run talk "$other" <<<$'set /new/a 0 0 1\nx'
  [ "$output" = STORED ]
  echo 'pool{' >>pools.lua
  run talk "$other" <<<$'proxy reload\nget /new/none'
  [ "${lines[0]}" = "SERVER_ERROR pools.lua:6: unexpected symbol near <eof>" ]
  [ "${lines[1]}" = "END" ]
  rm pools.lua
  mkfifo pools.lua
  run talk "$other" <<<$'proxy reload\nget /new/none'
  [ "$output" = $'SERVER_ERROR pools.lua: cannot be read again, expected a regular file\nEND' ]
  run talk "$other" <<<'stats'
  [[ $output == *"STAT proxy_config_reloads "[12]* && $output == *"STAT proxy_config_reload_fails 2"* ]]
}

@test "too many clients are turned away, and may come when others have left" {
  two_pools
  start --max-clients 3
  local fd
  for fd in 7 8 9; do
    eval "exec $fd<>/dev/tcp/127.0.0.1/${port[0]}"
    printf 'mn\r\n' >&"$fd"
    read -r answer <&"$fd"
    [ "$answer" = $'MN\r' ]
  done
  # What was said to a connection that is closed may cost its answer.
  refused() { [ "$(talk "${port[0]}" <<<'mn')" = "SERVER_ERROR too many open connections" ]; }
  wait_until refused
  exec 7>&-
  wait_until answers "${port[0]}"
  exec 8>&- 9>&-
}

@test "limits: requests at once, and the queue of a backend" {
  two_pools
  printf 'settings{ active_req_limit = 2, backend_depth_limit = 4 }\npools{ foo = { backends = { "127.0.0.1:%d" } } }\nroutes{ default = "foo" }\n' \
    "${port[1]}" >pools.lua
  local limit
  waiting() { printf 'stats backends\r\n' | nc -w 2 -N 127.0.0.1 "${port[0]}" | grep -q ":depth $1"; }
  for limit in 2 4; do
    [ "$limit" -eq 2 ] || sed -i 's/active_req_limit = 2, //' pools.lua
    proxy --threads 1 --listen "127.0.0.1:${port[0]}" pools.lua
    wait_until up 1
    kill -STOP "${backend_pid[1]}"
    exec 7<>"/dev/tcp/127.0.0.1/${port[0]}"
    printf 'mg a%.0s\r\n' $(seq "$limit") >&7
    wait_until waiting "$limit"
    run talk "${port[0]}" <<<'mg e'
    if [ "$limit" -eq 2 ]; then
      [ "$output" = "SERVER_ERROR active request limit reached" ]
    else
      [ "$output" = "SERVER_ERROR backend failure" ]
    fi
    kill -CONT "${backend_pid[1]}"
    run head -n "$limit" <&7
    [ "$(grep -c '^EN' <<<"$output")" -eq "$limit" ]
    exec 7>&-
    run talk "${port[0]}" <<<'stats'
    [ "$limit" -eq 2 ] || [[ $output == *"STAT proxy_request_failed_depth 1"* ]]
    kill "$proxy_pid"
    wait "$proxy_pid"
  done
}

@test "memory: values that wait are limited for each client, and in all" {
  two_pools
  # Four megabytes wait for a client that does not read; the backends have
  # given them away already.
  local option
  for option in "--client-buffer 4096 --max-value 200k" "--memory 2M"; do
    read -ra port < <(echo "$(free_ports 1)" "${port[@]:1}")
    # shellcheck disable=SC2086
    proxy --threads 1 --listen "127.0.0.1:${port[0]}" $option pools.lua
    wait_until up 4
    run -0 python3 - "${port[0]}" <<'PY'
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(("127.0.0.1", int(sys.argv[1])))
f = s.makefile("rb")
s.sendall(b"set /foo/v 0 0 150000\r\n" + b"v" * 150000 + b"\r\n")
assert f.readline() == b"STORED\r\n"
# Short answers let it have many requests under way.
s.sendall(b"mg /foo/none\r\n" * 400)
for _ in range(400):
    assert f.readline() == b"EN\r\n"
s.sendall(b"mg /foo/v v\r\n" * 400)
# Others are served meanwhile.
o = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
o.settimeout(10)
g = o.makefile("rb")
for _ in range(20):
    o.sendall(b"mg /foo/none\r\n")
    assert g.readline() == b"EN\r\n"
values = errors = 0
for _ in range(400):
    line = f.readline()
    if line == b"VA 150000\r\n":
        assert f.read(150002) == b"v" * 150000 + b"\r\n"
        values += 1
    else:
        assert line == b"SERVER_ERROR out of memory\r\n", line
        errors += 1
print("values", values, "errors", errors)
PY
    [[ $output != "values 0 "* && $output != *" errors 0" ]]
    kill "$proxy_pid"
    wait "$proxy_pid"
  done
}

@test "who asks for long values gets few at a time, and all of them" {
  two_pools
  proxy --threads 1 --listen "127.0.0.1:${port[0]}" pools.lua
  wait_until up 4
  run -0 python3 - "${port[0]}" <<'PY'
import socket, sys
def client():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.settimeout(30)
    return s, s.makefile("rb")
def taken():
    o.sendall(b"stats backends\r\n")
    n = 0
    for line in g:
        if b":bytes_in " in line:
            n += int(line.split()[-1])
        if line == b"END\r\n":
            return n
s, f = client()
o, g = client()
v = b"v" * 1000000
s.sendall(b"set /foo/v 0 0 1000000\r\n" + v + b"\r\n")
assert f.readline() == b"STORED\r\n"
s.sendall(b"get /foo/v\r\n" * 500)
# While it does not read, no more comes for it than at first and what it may have waiting.
for _ in range(1000):
    o.sendall(b"get /foo/v2 /foo/v3 /foo/v4\r\n")
    assert g.readline() == b"END\r\n"
assert taken() < 25000000, taken()
for _ in range(500):
    assert f.readline() == b"VALUE /foo/v 0 1000000\r\n"
    assert f.read(1000002) == v + b"\r\n"
    assert f.readline() == b"END\r\n"
PY
}

@test "half a command, a value octet by octet, and others meanwhile" {
  two_pools
  start
  wait_until up 8
  run -0 python3 - "${port[0]}" <<'PY'
import socket, sys
def client():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(10)
    return s, s.makefile("rb")
def ask(c, text):
    c[0].sendall(text)
    return c[1].readline()
other = client()
slow = client()
text = b"set /foo/slow 0 0 20\r\n" + b"0123456789" * 2 + b"\r\nget /foo/slow /foo/none\r\nmg /foo/slow k\r\n"
for i in range(len(text)):
    slow[0].sendall(text[i:i + 1])
    assert ask(other, b"mg /foo/none q\r\nmn\r\n") == b"MN\r\n", i
got = b"".join(slow[1].readline() for _ in range(5))
assert got == b"STORED\r\nVALUE /foo/slow 0 20\r\n" + b"0123456789" * 2 + b"\r\nEND\r\nHD k/foo/slow\r\n", got
# One that says half of a command, and leaves.
gone = client()
gone[0].sendall(b"set /foo/gone 0 0 5\r\nab")
gone[0].close()
PY
  run talk "${port[0]}" <<<'mg /foo/gone'
  [ "$output" = EN ]
}

@test "rate limits, shuffled failover and random children" {
  two_pools
  cat >pools.lua <<LUA
pools{ one = { backends = { "127.0.0.1:${port[1]}" } }, two = { backends = { "127.0.0.1:${port[2]}" } } }
routes{ map = {
  lim = route_ratelim{ child = "one", limit = 3, fillrate = 1, tickrate = 3600000, stats = true },
  inv = route_ratelim{ child = "one", limit = 3, fillrate = 1, tickrate = 3600000, fail_until_limit = true },
  shuf = route_failover{ children = { "one", "two" }, shuffle = true },
  rand = route_random{ children = { "one", "two" } },
} }
LUA
  start
  wait_until up 4
  run talk "${port[0]}" <<<$'set lim/a 0 0 1\nx\nget lim/a\nget lim/a\nget lim/a\nset lim/a 0 0 1\nx\nmg lim/a v'
  [ "$output" = "STORED
VALUE lim/a 0 1
x
END
VALUE lim/a 0 1
x
END
END
NOT_STORED
EN" ]
  run talk "${port[0]}" <<<$'set inv/a 0 0 1\nx\nget inv/a\nget inv/a\nset inv/a 0 0 1\nx\nget inv/a'
  [ "$output" = "NOT_STORED
END
END
STORED
VALUE inv/a 0 1
x
END" ]
  run talk "${port[0]}" <<<'stats proxy'
  [[ $output == "STAT user_lim_limits 3"* ]]
  local what
  for what in shuf rand; do
    talk "${port[0]}" < <(for i in {1..40}; do printf 'set %s/%d 0 0 1\nx\n' "$what" "$i"; done) >/dev/null
    for i in 1 2; do
      run talk "${port[i]}" < <(for i in {1..40}; do printf 'mg %s/%d\n' "$what" "$i"; done)
      [ "$(grep -c HD <<<"$output")" -ge 5 ]
      [ "$(grep -c EN <<<"$output")" -ge 5 ]
    done
  done
}

@test "keys in base64 are routed by what they mean and sent as they are" {
  two_pools
  start
  wait_until up 8
  local key
  key=$(printf '/foo/\001key' | base64)
  run talk "${port[0]}" <<<"ms $key 2 b
hi
mg $key b k v
mg $key k v
md $key b
mg $key b v
mg !!!! b v
mg Zm9v b"
  [ "$output" = "HD
VA 2 k$key b
hi
SERVER_ERROR no route
HD
EN
CLIENT_ERROR error decoding key
SERVER_ERROR no route" ]
}

@test "IPv6 for listeners and backends, unix sockets for backends" {
  [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "needs IPv6"
  read -ra port < <(free_ports 2)
  local user=()
  [ "$(id -u)" -ne 0 ] || user=(-u nobody)
  memcached "${user[@]}" -l ::1 -p "${port[1]}" -U 0 -t 1 3>&- &
  pids+=("$!")
  # Where whoever runs memcached may write, too.
  sockets=$(mktemp -d)
  chmod 777 "$sockets"
  memcached "${user[@]}" -s "$sockets/sock" -a 777 -t 1 3>&- &
  pids+=("$!")
  cat >pools.lua <<LUA
pool{ name = "six", backends = { "[::1]:${port[1]}" } }
pool{ name = "local", backends = { "unix:$sockets/sock" } }
LUA
  proxy --threads 1 --listen "[::1]:${port[0]}" pools.lua
  up_six() { [ "$(printf 'stats backends\r\n' | nc -w 2 -N ::1 "${port[0]}" | grep -c ':up 1')" -eq 2 ]; }
  wait_until up_six
  run bash -c "printf 'set /six/a 0 0 3\r\nsix\r\nset /local/a 0 0 5\r\nlocal\r\nget /six/a /local/a\r\n' | nc -w 2 -N ::1 ${port[0]} | tr -d '\r'"
  [ "$output" = "STORED
STORED
VALUE /six/a 0 3
six
VALUE /local/a 0 5
local
END" ]
  run bash -c "printf 'get a\r\n' | nc -w 2 -N ::1 ${port[1]} | tr -d '\r'"
  [ "${lines[0]}" = "VALUE a 0 3" ]
}

@test "names are looked up by others, again for each connection, and never waited for" {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  unshare --mount true 2>/dev/null || skip "mount namespaces are not allowed here"
  read -ra port < <(free_ports 2)
  backend "${port[1]}"
  backend_pid[1]=$pid
  echo '127.0.0.1 localhost' >hosts
  echo '127.0.0.1 localhost' >hosts.old
  cat >pools.lua <<LUA
settings{ backend_retry_waittime = 0.1 }
pool{ name = "named", backends = { "cache.test:${port[1]}" } }
pool{ name = "plain", backends = { "127.0.0.1:${port[1]}" } }
LUA
  unshare --mount sh -c "mount --bind hosts /etc/hosts && exec mcproxy --threads 1 --listen 127.0.0.1:${port[0]} pools.lua" 2>err 3>&- &
  proxy_pid=$!
  pids+=("$proxy_pid")
  wait_until grep -q '^mcproxy: ready' err
  wait_until eval 'printf "stats backends\r\n" | nc -w 2 -N 127.0.0.1 "${port[0]}" | grep -q ":up 1"'
  # No address yet: a failure, and nobody else is delayed.
  run talk "${port[0]}" <<<$'get /plain/a\nget /named/a'
  [ "$output" = $'END\nSERVER_ERROR backend failure' ]
  echo '127.0.0.1 cache.test' >>hosts
  wait_until up 2
  run talk "${port[0]}" <<<$'set /named/a 0 0 1\nx'
  [ "$output" = STORED ]
  # It moves: the next connection goes where the name points now.
  echo '127.0.0.2 cache.test' >hosts
  kill "${backend_pid[1]}"
  local user=(-u nobody)
  wait "${backend_pid[1]}" || :
  memcached "${user[@]}" -l 127.0.0.2 -p "${port[1]}" -U 0 -t 1 3>&- &
  pids+=("$!")
  moved() { [ "$(talk "${port[0]}" <<<'get /named/none')" = END ]; }
  wait_until moved
}

@test "a black hole: others keep their answers, and all is well when it is gone" {
  namespaces_up
  command -v nft >/dev/null || skip "needs nftables"
  local i
  port=(0 11212 11213)
  for i in 1 2; do
    right memcached -u nobody -l 192.0.2.2 -p "${port[i]}" -U 0 -t 1 3>&- &
    pids+=("$!")
  done
  cat >pools.lua <<LUA
settings{ backend_read_timeout = 0.5, backend_connect_timeout = 0.5, backend_retry_waittime = 0.3 }
pools{ one = { backends = { "192.0.2.2:11212" } }, two = { backends = { "192.0.2.2:11213" } } }
routes{ map = { one = "one" }, default = "two" }
LUA
  left mcproxy --threads 2 --idle-ping 0.3 --listen 127.0.0.1:11211 pools.lua 2>err 3>&- &
  pids+=("$!")
  wait_until grep -q '^mcproxy: ready' err
  ask() { sed 's/$/\r/' | left nc -w 2 -N 127.0.0.1 11211 | tr -d '\r'; }
  all_up() { [ "$(ask <<<'stats backends' | grep -c ':up 2')" -eq 2 ]; }
  wait_until all_up
  nft_rules "$right" input 'tcp dport 11212 drop'
  # Nobody asks for it: the probe of the idle connection finds out.
  is_bad() { ask <<<'stats proxybe' | grep -q 'bad_192.0.2.2:11212 2'; }
  wait_until is_bad
  for i in {1..20}; do
    run ask <<<$'get one/a\nset a 0 0 1\nx\nget a'
    [ "$output" = $'SERVER_ERROR backend failure\nSTORED\nVALUE a 0 1\nx\nEND' ]
  done
  right nft delete table inet wk
  wait_until all_up
  run ask <<<$'get one/a'
  [ "$output" = END ]
}

# An issuer, a certificate for localhost and 127.0.0.1, and one for a client.
certificates() {
  command -v openssl >/dev/null || skip "needs openssl"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=issuer \
    -keyout ca.key -out ca.pem 2>/dev/null
  local name
  for name in server client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name.key" \
      -out "$name.csr" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$name.pem" \
      -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") 2>/dev/null
    chmod 644 "$name.key"
  done
}

# What a client says and hears over TLS; the rest are options of its context.
secure_talk() { # port [certificate key]
  python3 -c '
import socket, ssl, sys
context = ssl.create_default_context(cafile="ca.pem")
# Our authority is no model of one.
context.verify_flags &= ~ssl.VERIFY_X509_STRICT
if len(sys.argv) > 2:
    context.load_cert_chain(*sys.argv[2:])
s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
s.settimeout(10)
text = sys.stdin.read().replace("\n", "\r\n").encode() + b"quit\r\n"
s.sendall(text)
out = b""
while True:
    piece = s.recv(65536)
    if not piece:
        break
    out += piece
sys.stdout.write(out.decode().replace("\r\n", "\n"))' "$@"
}

@test "TLS to clients: values of all sizes, certificates of clients, and new ones" {
  certificates
  two_pools
  local other value
  other=$(free_ports 1)
  start --tls-listen "127.0.0.1:$other" --cert server.pem --key server.key
  wait_until up 8
  value=$(printf 'v%.0s' {1..200000})
  run -0 secure_talk "$other" < <(printf 'set /foo/a 0 0 200000\n%s\nget /foo/a\nmg /foo/none\n' "$value"; keys 1)
  [ "${lines[0]}" = STORED ]
  [ "${lines[1]}" = "VALUE /foo/a 0 200000" ]
  [ "${lines[2]}" = "$value" ]
  [ "${lines[4]}" = EN ]
  # Without TLS nothing is answered there, and others do not mind.
  run bash -c "printf 'mn\r\n' | nc -w 1 -N 127.0.0.1 $other"
  [[ $output != *MN* ]]
  run talk "${port[0]}" <<<'mn'
  [ "$output" = MN ]
  kill "$proxy_pid"
  wait "$proxy_pid"
  start --tls-listen "127.0.0.1:$other" --cert server.pem --key server.key --client-ca ca.pem
  run ! secure_talk "$other" <<<mn
  run -0 secure_talk "$other" client.pem client.key <<<mn
  [ "$output" = MN ]
  # A new certificate comes with the next reload; a bad one changes nothing.
  cp server.pem old.pem
  echo garbage >server.pem
  kill -HUP "$proxy_pid"
  wait_until grep -q 'old configuration stays' err
  grep -q 'mcproxy: server.pem: ' err
  run -0 secure_talk "$other" client.pem client.key <<<mn
  cp client.pem server.pem
  cp client.key server.key
  kill -HUP "$proxy_pid"
  wait_until grep -q 'configuration read again' err
  run bash -c "echo | openssl s_client -connect 127.0.0.1:$other -cert client.pem -key client.key 2>/dev/null | grep '^subject'"
  [[ $output == *client* ]]
}

@test "TLS to backends: verified, with our certificate, or not at all" {
  certificates
  memcached -h | grep -q enable-ssl || skip "needs a memcached with TLS"
  read -ra port < <(free_ports 2)
  local user=() sockets
  [ "$(id -u)" -ne 0 ] || user=(-u nobody)
  # ssl_verify_mode 2: a certificate is demanded.
  memcached "${user[@]}" -l 127.0.0.1 -p "${port[1]}" -U 0 -t 1 -Z -o "ssl_chain_cert=$PWD/server.pem,ssl_key=$PWD/server.key,ssl_ca_cert=$PWD/ca.pem,ssl_verify_mode=2" 2>/dev/null 3>&- &
  pids+=("$!")
  printf 'pools{ foo = { backend_options = { tls = true, retrywaittime = 0.1 }, backends = { "127.0.0.1:%d" } } }\nroutes{ default = "foo" }\n' \
    "${port[1]}" >pools.lua
  works() { [ "$(talk "${port[0]}" <<<$'set a 0 0 1\nx\nget a')" = $'STORED\nVALUE a 0 1\nx\nEND' ]; }
  start --cacert ca.pem --backend-cert client.pem --backend-key client.key
  wait_until works
  value=$(printf 'v%.0s' {1..200000})
  run talk "${port[0]}" < <(printf 'set b 0 0 200000\n%s\nget b\n' "$value")
  [ "${lines[2]}" = "$value" ]
  kill "$proxy_pid"
  wait "$proxy_pid"
  # An issuer we do not know.
  start --backend-cert client.pem --backend-key client.key
  wait_until grep -q "backend 127.0.0.1:${port[1]}: .*see --cacert and --insecure)" err
  run talk "${port[0]}" <<<'get a'
  [ "$output" = "SERVER_ERROR backend failure" ]
  # Said once, however often it is tried.
  wait_until eval 'talk "${port[0]}" <<<"stats backends" | grep -qE ":connects ([6-9]|[0-9]{2})"'
  [ "$(grep -c 'see --cacert' err)" -eq 1 ]
  kill "$proxy_pid"
  wait "$proxy_pid"
  start --insecure --backend-cert client.pem --backend-key client.key
  wait_until works
  kill "$proxy_pid"
  wait "$proxy_pid"
  # The name has to be the certificate's.
  sed -i 's/127.0.0.1:/127.0.0.2:/' pools.lua
  memcached "${user[@]}" -l 127.0.0.2 -p "${port[1]}" -U 0 -t 1 -Z -o "ssl_chain_cert=$PWD/server.pem,ssl_key=$PWD/server.key" 2>/dev/null 3>&- &
  pids+=("$!")
  start --cacert ca.pem
  wait_until grep -q "backend 127.0.0.2:${port[1]}: " err
}

@test "workers, and no other thread, ask for short slices of processor time" {
  slices() { # of each thread of a process, in nanoseconds; sched_getattr
    python3 - "$1" <<'PY'
import ctypes, os, struct, sys
number = {"x86_64": 315, "aarch64": 275, "riscv64": 275}[os.uname().machine]
for thread in sorted(map(int, os.listdir(f"/proc/{sys.argv[1]}/task"))):
    attr = ctypes.create_string_buffer(48)
    if ctypes.CDLL(None, use_errno=True).syscall(number, thread, attr, 48, 0) < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    print(struct.unpack_from("Q", attr, 24)[0])
PY
  }
  local usual
  usual=$(slices $$)
  [ "$usual" -gt 0 ] || skip "slices are one for all before Linux 6.12"
  read -ra port < <(free_ports 2)
  proxy --threads 2 --listen "127.0.0.1:${port[0]}" --pool "foo=127.0.0.1:${port[1]}"
  asked() { slices "$proxy_pid" >found; [ "$(grep -cx 300000 found)" -eq 2 ]; }
  wait_until asked
  # All others have what everybody has.
  [ "$(sort -u found)" = "$(printf '%s\n' "$usual" 300000 | sort)" ]
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill -CONT "$pid" 2>/dev/null; kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || :; done
  namespaces_down
  [ -z "${sockets-}" ] || rm -rf "$sockets"
}
