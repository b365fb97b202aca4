#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Administration of a running mcproxy, its console and its live view.

load ../cli/tool
load mcproxy

stat_of() { # name: its value in $output
  sed -n "s/^STAT $1 //p" <<<"$output"
}

admin() { # standard input to the socket of administration
  sed 's/$/\r/' | nc -w 2 -N -U sock | tr -d '\r'
}

start_admin() {
  start --admin unix:sock "$@"
  wait_until up 8
}

has_console() {
  mcproxy console 127.0.0.1:1 2>&1 | grep -qv 'without readline' || skip "built without readline"
}

@test "administration is for its own listener, which only its owner may open" {
  two_pools
  start_admin
  run talk "${port[0]}" <<<$'proxy where /foo/key1\nproxy down x\nproxy reload\nmn'
  [ "$output" = "CLIENT_ERROR administration is not allowed here
CLIENT_ERROR administration is not allowed here
CLIENT_ERROR administration is not allowed here
MN" ]
  [ "$(stat -c %a sock)" = 600 ]
  run admin <<<$'proxy\nproxy nonsense\nproxy where\nproxy down\nproxy down nobody\nset /foo/a 0 0 1\nx\nget /foo/a'
  [ "$output" = "ERROR
CLIENT_ERROR expected proxy where, prefixes, down, up or reload
CLIENT_ERROR expected where KEY [TAG]
CLIENT_ERROR expected down LABEL
NOT_FOUND
STORED
VALUE /foo/a 0 1
x
END" ]
}

@test "administration has no password and so no address that others reach" {
  two_pools
  run ! timeout 5 mcproxy --listen "127.0.0.1:${port[0]}" --admin "0.0.0.0:0" pools.lua
  [[ $output == "mcproxy: --admin 0.0.0.0:0: administration has no password"* ]]
  start --admin "[::1]:0"
}

@test "proxy where and proxy prefixes tell how keys are routed" {
  two_pools
  start_admin
  run admin <<<$'proxy where /foo/key1\nproxy where /foo/key2\nproxy where none\nproxy prefixes'
  [ "$output" = "ROUTE foo
WHERE pool foo backend 0 127.0.0.1:${port[1]} up sent key1
END
ROUTE foo
WHERE pool foo backend 1 127.0.0.1:${port[2]} up sent key2
END
NOWHERE
END
PREFIX /bar/
PREFIX /foo/
END" ]
  cat >pools.lua <<LUA
pools{ one = { backends = { "127.0.0.1:${port[1]}" } }, two = { backends = { "127.0.0.1:${port[2]} _down_" } } }
routes{ conf = { mode = "anchor", start = "<", stop = ">" }, map = { a = "one", b = route_failover{ children = { "two", "one" } } } }
routes{ tag = "t", default = "two" }
LUA
  run admin <<<'proxy reload'
  [ "$output" = OK ]
  wait_until grep -q 'read again' err
  run admin <<<$'proxy where <b>k\nproxy where k t\nproxy where k\nproxy prefixes'
  [ "$output" = "ROUTE failover(two, one)
WHERE pool two backend 0 127.0.0.1:${port[2]} down sent <b>k
WHERE pool one backend 0 127.0.0.1:${port[1]} up sent <b>k
END
ROUTE two
WHERE pool two backend 0 127.0.0.1:${port[2]} down sent k
END
NOWHERE
END
PREFIX <a>
PREFIX <b>
END" ]
}

@test "a backend is down and up by command, for all workers, through reloads" {
  two_pools
  start_admin
  talk "${port[0]}" <<<$'set /foo/key1 0 0 1\nx' >/dev/null
  run admin <<<"proxy down 127.0.0.1:${port[1]}"
  [ "$output" = OK ]
  # Eight connections meet both workers.
  local i
  for i in 1 2 3 4 5 6 7 8; do
    run talk "${port[0]}" <<<"get /foo/key1"
    [ "$output" = "SERVER_ERROR backend failure" ]
  done
  run talk "${port[0]}" <<<"get /foo/key2"
  [ "$output" = END ]
  run admin <<<$'proxy where /foo/key1\nproxy reload'
  [[ $output == *"127.0.0.1:${port[1]} held sent key1"* ]]
  wait_until grep -q 'read again' err
  run talk "${port[0]}" <<<"stats backends"
  [ "$(stat_of "127.0.0.1:${port[1]}:held_down")" -eq 1 ]
  [ "$(stat_of "127.0.0.1:${port[1]}:bad")" -eq 0 ]
  run talk "${port[0]}" <<<"get /foo/key1"
  [ "$output" = "SERVER_ERROR backend failure" ]
  run admin <<<"proxy up 127.0.0.1:${port[1]}"
  [ "$output" = OK ]
  run talk "${port[0]}" <<<"get /foo/key1"
  [ "${lines[0]}" = "VALUE /foo/key1 0 1" ]
}

@test "the console takes commands from a file, 6 when one was refused" {
  has_console
  two_pools
  start_admin
  run -0 --separate-stderr mcproxy console unix:sock <<EOT
set /foo/key1 hello you
get /foo/key1 /foo/none
mg /foo/key1 v k
where /foo/key1
down 127.0.0.1:${port[1]}
get /foo/key2
up 127.0.0.1:${port[1]}
delete /foo/key1
quit
version
EOT
  [ "$output" = "STORED
VALUE /foo/key1 0 9
hello you
END
VA 9 k/foo/key1
hello you
ROUTE foo
WHERE pool foo backend 0 127.0.0.1:${port[1]} up sent key1
END
OK
END
OK
DELETED" ]
  [ -z "$stderr" ]
  run -6 mcproxy console "127.0.0.1:${port[0]}" <<<$'reload\nversion'
  [ "${lines[0]}" = "CLIENT_ERROR administration is not allowed here" ]
  [[ ${lines[1]} == VERSION* ]]
  run -6 mcproxy console "127.0.0.1:${port[0]}" <<<frobnicate
  [ "$output" = "frobnicate is no command here; help lists them" ]
  run -0 mcproxy console unix:sock <<<help
  [[ $output == *"where     KEY [TAG]    the backend that a key goes to"* ]]
}

@test "the console knows all commands of one line, also those without an answer" {
  has_console
  two_pools
  start_admin
  run -0 --separate-stderr mcproxy console unix:sock <<'EOT'
set /foo/a one two
gets /foo/a /foo/none
gat 100 /foo/a
gats 100 /foo/a
mg /foo/a v t k q
mg /foo/none v q
ms /foo/m meta value
me /foo/none
touch /foo/a 0 noreply
set /foo/n 5
ma /foo/n v
ma /foo/n q
incr /foo/n 1
md /foo/n
md /foo/n q
get /foo/m
mn
verbosity 1
flush_all
get /foo/a
EOT
  cas=$(sed -n 's/^VALUE .foo.a 0 7 //p' <<<"$output" | head -n 1)
  [ "${output//7 $cas/7 CAS}" = "STORED
VALUE /foo/a 0 7 CAS
one two
END
VALUE /foo/a 0 7
one two
END
VALUE /foo/a 0 7 CAS
one two
END
VA 7 t100 k/foo/a
one two
HD
EN
STORED
VA 1
6
8
HD
NF
VALUE /foo/m 0 10
meta value
END
MN
OK
OK
END" ]
  [ -z "$stderr" ]
  run -0 mcproxy console unix:sock <<<$'set /foo/a x\ngets /foo/a'
  cas=$(sed -n 's/^VALUE .foo.a 0 1 //p' <<<"$output")
  run -0 mcproxy console unix:sock <<<"cas /foo/a $cas new value
cas /foo/a $cas newer
get /foo/a"
  [ "$output" = $'STORED\nEXISTS\nVALUE /foo/a 0 9\nnew value\nEND' ]
  # Every word of the list is one that it takes.
  run -0 mcproxy console unix:sock <<<help
  help=$output
  for command in get gets gat gats set add replace append prepend cas delete incr decr touch mg ms md ma me mn \
    flush_all verbosity version stats pools backends routes where down up reload help quit; do
    grep -q "^$command " <<<"$help" || { echo "no $command"; return 1; }
  done
  # Not where administration is: refused, and the exit code says so.
  run -6 mcproxy console "127.0.0.1:${port[0]}" <<<flush_all
  [ "$output" = "CLIENT_ERROR flush_all not allowed" ]
}

@test "reload in the console waits and says how it went" {
  has_console
  two_pools
  start_admin
  run -0 mcproxy console unix:sock <<<reload
  [ "$(stat_of last_load_result)" = ok ]
  [ "$(stat_of loads)" -eq 2 ]
  echo 'pool{' >pools.lua
  run -6 mcproxy console unix:sock <<<reload
  [[ $output == "SERVER_ERROR pools.lua:"* ]]
}

@test "a value of a megabyte, and octets that a terminal would act upon" {
  has_console
  two_pools
  start_admin
  { printf 'set /foo/big 0 0 1000000\r\n'; head -c 1000000 /dev/zero | tr '\0' x; printf '\r\nset /foo/esc 0 0 7\r\na\033[2J\r\n\r\n'; } |
    nc -w 2 -N 127.0.0.1 "${port[0]}" >/dev/null
  run -0 mcproxy console unix:sock <<<$'get /foo/big\nget /foo/esc'
  [ "${#lines[1]}" -eq 1000000 ]
  [ "${lines[4]}" = 'a\x1b[2J\r\n' ]
}

@test "a console whose proxy is not there is exit code 3" {
  has_console
  local other
  other=$(free_ports 1)
  run -3 mcproxy console "127.0.0.1:$other"
  [ "$output" = "mcproxy: 127.0.0.1:$other: Connection refused" ]
  run -3 mcproxy top "127.0.0.1:$other"
  run -2 mcproxy console nonsense
  run -2 mcproxy --once pools.lua
}

@test "the console on a terminal: prompt, completion, history" {
  has_console
  two_pools
  start_admin
  at_terminal() { # step ...
    python3 "$WK_SOURCE/tests/peers/terminal.py" --env "MCPROXY_HISTORY=$PWD/history" \
      --env TERM=dumb "$@" -- mcproxy console unix:sock
  }
  run -0 at_terminal '+mcproxy> ' '=wh\t/f\tkey1\n' '+sent key1' '+mcproxy> ' \
    "=down 127.0.0.1:${port[1]}\n" '+OK' \
    '=\x1b[A\x1b[A\n' "+${port[1]} held sent key1" \
    '=stats conf\t\n' '+last_load_result ok' '=quit\n'
  [ "$(head -n 1 history)" = "where /foo/key1" ]
  [ "$(stat -c %a history)" = 600 ]
  # The next one remembers; and Ctrl-D ends it.
  run -0 at_terminal '+mcproxy> ' '=\x1b[A' '+quit' '=\x15\x04'
}

@test "top shows an interval as text when nobody watches" {
  two_pools
  start_admin
  talk "${port[0]}" <<<$'get /foo/key1\nget /bar/key1' >/dev/null
  run -0 mcproxy top --interval 0.2 "127.0.0.1:${port[0]}"
  [[ ${lines[0]} =~ ^mcproxy\ 127.0.0.1:${port[0]}\ up\ [0-9]+\ s\ threads\ 2\ clients\ [0-9]+\ active\ [0-9]+\ requests/s\ 0$ ]]
  [[ ${lines[1]} == "BACKEND "*"STATE UP/OF DEPTH    REQ/S  ERR/S   P50us   P99us   MAXus" ]]
  [ "$(grep -cE "^127.0.0.1:[0-9]+ +up +2/2 +0 +0 +0 +- +- +[0-9]+$" <<<"$output")" -eq 4 ]
  [ "$(grep -cE '^(foo|bar) +0 +0 +0 +- +- +[0-9]+$' <<<"$output")" -eq 4 ]
  printf 'proxy down 127.0.0.1:%d\r\n' "${port[1]}" | nc -w 2 -N -U sock >/dev/null
  kill "${backend_pid[2]}"
  wait_until up 6
  run -0 mcproxy top --once --interval 0.1 unix:sock
  grep -qE "^127.0.0.1:${port[1]} +held " <<<"$output"
  grep -qE "^127.0.0.1:${port[2]} +bad +0/2 " <<<"$output"
}

@test "top --json counts what happens while it looks" {
  two_pools
  start_admin
  python3 "$WK_SOURCE/tests/peers/memcached-load.py" "${port[0]}" --clients 2 --until stop >load 3>&- &
  local load=$!
  wait_until grep -q running load
  mcproxy top --json --interval 0.2 "127.0.0.1:${port[0]}" >top 3>&- &
  local top=$!
  two() { [ "$(grep -c '"event":"proxy"' top)" -ge 2 ]; }
  wait_until two
  kill "$top"
  wait "$top"
  touch stop
  wait "$load"
  [ "$(jq -s '[.[] | select(.event == "proxy")][0] | .threads == 2 and .clients >= 3 and .requests_per_sec > 0' top)" = true ]
  [ "$(jq -s '[.[] | select(.event == "pool" and .name == "foo")][0] | .requests_per_sec > 0 and .p50_us > 0 and .p99_us >= .p50_us and .max_us >= .p99_us' top)" = true ]
  [ "$(jq -s '[.[] | select(.event == "backend")][0] | .state == "up" and .connections == 2 and .errors_per_sec == 0' top)" = true ]
  [ "$(jq -s '[.[] | select(.event == "route")] | length >= 4' top)" = true ]
}

@test "top on a terminal redraws until q, and leaves it as it was" {
  two_pools
  start_admin
  run -0 python3 "$WK_SOURCE/tests/peers/terminal.py" --raw --size 12x60 --env TERM=xterm \
    '+\x1b[?1049h' '+BACKEND' '+more lines; q ends' '+\x1b[H' '=q' '+\x1b[?1049l' -- \
    mcproxy top --interval 0.1 "127.0.0.1:${port[0]}"
}
