#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What one sees of a running mcproxy: statistics, log streams, administration.

load ../cli/tool
load mcproxy

stat_of() { # name: its value in $output
  sed -n "s/^STAT $1 //p" <<<"$output"
}

@test "stats proxy keeps memcached's names and order, ours are behind them" {
  two_pools
  start
  wait_until up 8
  talk "${port[0]}" <<<$'get /foo/none /foo/none2\nset /foo/a 0 0 1\nx\nmg /foo/a v' >/dev/null
  run talk "${port[0]}" <<<"stats proxy"
  [ "$(sed -nE 's/^STAT ([a-z_0-9]+) .*/\1/p' <<<"$output" | tr '\n' ' ')" = "active_req_limit buffer_memory_limit \
buffer_memory_used vm_gc_runs vm_memory_kb cmd_mg cmd_ms cmd_md cmd_mn cmd_ma cmd_me cmd_get cmd_gat cmd_set cmd_add \
cmd_cas cmd_gets cmd_gats cmd_incr cmd_decr cmd_touch cmd_append cmd_prepend cmd_delete cmd_replace requests misses \
errors read_p50_us read_p99_us read_max_us write_p50_us write_p99_us write_max_us " ]
  [ "$(stat_of requests)" -eq 4 ]
  [ "$(stat_of misses)" -eq 2 ]
  [ "$(stat_of errors)" -eq 0 ]
  [ "$(stat_of read_max_us)" -ge "$(stat_of read_p99_us)" ]
  [ "$(stat_of read_p99_us)" -ge "$(stat_of read_p50_us)" ]
  [ "$(stat_of write_p99_us)" -gt 0 ]
}

@test "pools, backends and routes are counted apart, with their latencies" {
  two_pools
  cat >pools.lua <<LUA
pools{ near = { backends = { "127.0.0.1:${port[1]} _down_" } }, far = { backends = { "127.0.0.1:${port[2]} away" } },
  ["odd pool%"] = { backends = { "127.0.0.1:${port[3]}" } } }
routes{ map = { f = route_failover{ children = { "near", "far" } }, odd = "odd pool%" }, default = "far" }
routes{ tag = "t", default = "odd pool%" }
LUA
  start
  wait_until up 4
  talk "${port[0]}" <<<$'set f/a 0 0 1\nx\nget f/a f/none\nget odd/none\nget else' >/dev/null
  run talk "${port[0]}" <<<"stats routes"
  [ "$(stat_of f:requests)" -eq 3 ]
  [ "$(stat_of f:misses)" -eq 1 ]
  [ "$(stat_of f:errors)" -eq 0 ]
  [ "$(stat_of odd:requests)" -eq 1 ]
  [ "$(stat_of '\*:requests')" -eq 1 ]
  [ "$(stat_of 't@\*:requests')" -eq 0 ]
  run talk "${port[0]}" <<<"stats pools"
  [ "$(stat_of near:errors)" -eq 3 ]
  [ "$(stat_of far:requests)" -eq 4 ]
  [ "$(stat_of far:misses)" -eq 2 ]
  [ "$(stat_of far:errors)" -eq 0 ]
  [ "$(stat_of 'odd%20pool%25:requests')" -eq 1 ]
  [ "$(stat_of far:read_max_us)" -gt 0 ]
  [ "$(stat_of far:write_max_us)" -gt 0 ]
  run talk "${port[0]}" <<<"stats backends"
  [ "$(stat_of away:requests)" -eq 4 ]
  [ "$(stat_of away:read_p99_us)" -le "$(stat_of away:max_us)" ]
  [ "$(stat_of away:held_down)" -eq 0 ]
  run talk "${port[0]}" <<<"stats histograms"
  [ "$(sed -nE 's/^STAT backend:away:read [0-9]+ //p' <<<"$output" | tr ' ' '\n' | awk -F: '{ n += $2 } END { print n }')" -eq 3 ]
}

@test "counts outlive a reload, and what has left the configuration is not shown" {
  two_pools
  start
  wait_until up 8
  talk "${port[0]}" <<<$'get /foo/key1\nget /bar/key1' >/dev/null
  sed -i '/bar/d' pools.lua
  sed -i "s/foo\", backends = { \"127.0.0.1:${port[1]}\"/foo\", backends = { { host = \"127.0.0.1\", port = \"${port[1]}\", readtimeout = 2 }/" pools.lua
  kill -HUP "$proxy_pid"
  wait_until grep -q 'read again' err
  wait_until up 4
  talk "${port[0]}" <<<'get /foo/key1' >/dev/null
  run talk "${port[0]}" <<<"stats pools"
  [ "$(stat_of foo:requests)" -eq 2 ]
  [[ $output != *bar* ]]
  # Other settings are another backend, but the same label goes on counting.
  run talk "${port[0]}" <<<"stats backends"
  [ "$(stat_of "127.0.0.1:${port[1]}:requests")" -eq 2 ]
  [ "$(stat_of "127.0.0.1:${port[1]}:connections")" -eq 2 ]
  [[ $output != *"${port[3]}"* ]]
}

@test "stats of what nobody has are an error, what memcached alone has is empty" {
  two_pools
  start
  run talk "${port[0]}" <<<$'stats polls\nstats items\nstats reset\nstats detail dump\nstats itemsx\nmn'
  [ "$output" = $'ERROR\nEND\nEND\nEND\nERROR\nMN' ]
}

@test "stats config tells how the last load went" {
  two_pools
  start
  run talk "${port[0]}" <<<"stats config"
  [ "$(stat_of loads)" -eq 1 ]
  [ "$(stat_of last_load_result)" = ok ]
  [ "$(stat_of pools)" -eq 2 ]
  [ "$(stat_of backends)" -eq 4 ]
  echo 'error("no\nway")' >pools.lua
  kill -HUP "$proxy_pid"
  wait_until grep -q 'old configuration stays' err
  run talk "${port[0]}" <<<"stats config"
  [ "$(stat_of loads)" -eq 2 ]
  [ "$(stat_of failed_loads)" -eq 1 ]
  [ "$(stat_of last_load_result)" = failed ]
  [[ $(stat_of last_load_error) == *'no\nway'* ]]
  [ "$(stat_of pools)" -eq 2 ]
}

@test "a foreign parser reads the metrics, also of hostile names" {
  python3 -c 'import prometheus_client' 2>/dev/null || skip "needs python3-prometheus-client"
  two_pools
  cat >pools.lua <<LUA
pools{ ["a \\"b\\\\ \\n\\xff"] = { backends = { "127.0.0.1:${port[1]} la\"bel" } }, two = { backends = { "127.0.0.1:${port[2]}" } } }
routes{ map = { x = route_failover{ children = { "two", "a \\"b\\\\ \\n\\xff" }, miss = true, stats = true } } }
LUA
  local other
  other=$(free_ports 1)
  start --metrics "127.0.0.1:$other"
  wait_until up 4
  talk "${port[0]}" <<<$'get x/none\nset x/a 0 0 1\nx' >/dev/null
  run -0 --separate-stderr python3 - "$other" <<'PY'
import sys, urllib.request
from prometheus_client.parser import text_string_to_metric_families
text = urllib.request.urlopen("http://127.0.0.1:%s/metrics" % sys.argv[1]).read().decode()
seen, names = {}, set()
for family in text_string_to_metric_families(text):
    assert family.type in ("counter", "gauge", "histogram"), family
    assert family.documentation, family
    assert family.name not in names, family.name
    names.add(family.name)
    for s in family.samples:
        key = (s.name, tuple(sorted(s.labels.items())))
        assert key not in seen, key
        seen[key] = s.value
    if family.type == "histogram":
        last = {}
        for s in family.samples:
            if s.name.endswith("_bucket"):
                l = {k: v for k, v in s.labels.items() if k != "le"}
                k = tuple(sorted(l.items()))
                assert s.value >= last.get(k, 0)
                last[k] = s.value
        for k, v in last.items():
            assert seen[(family.name + "_count", k)] == v, k
            assert (family.name + "_sum", k) in seen
def value(metric, /, **labels):
    return seen[(metric, tuple(sorted(labels.items())))]
assert value("mcproxy_route_requests_total", route="x", result="miss") == 1
assert value("mcproxy_route_requests_total", route="x", result="hit") == 1
assert value("mcproxy_pool_requests_total", pool='a "b\\ \n\ufffd', result="miss") == 1
assert value("mcproxy_backend_requests_total", backend='la"bel') == 1
assert value("mcproxy_user_total", name="x_retries") == 1
assert value("mcproxy_backend_latency_seconds_count", backend='la"bel', **{"class": "read"}) == 1
assert value("mcproxy_route_latency_seconds_sum", route="x", **{"class": "read"}) > 0
print(len(seen))
PY
}

# Watch what the words say, into the file of that name; until teardown.
watch() { # file words...
  local file=$1
  shift
  { printf 'watch %s\r\n' "$*"; cat fifo-never; } 2>/dev/null | nc 127.0.0.1 "${port[0]}" >"$file" 3>&- &
  pids+=("$!")
  wait_until grep -q OK "$file"
}

@test "watch proxyreqs shows requests, escaped, in memcached's form" {
  two_pools
  start
  wait_until up 8
  mkfifo fifo-never
  sleep 1000 >fifo-never 3>&- &
  pids+=("$!")
  watch log proxyreqs
  printf 'set /foo/a 0 0 1\r\nx\r\nget /foo/a\r\nget /foo/%%a\xc3\xa4\r\nmg /foo/a v\r\nms /foo/b 1\r\ny\r\nmd /foo/none\r\nincr /foo/a 1\r\nget nowhere\r\nset /foo/n 0 0 1\r\n1\r\nincr /foo/n 1\r\n' |
    nc -w 2 -N 127.0.0.1 "${port[0]}" >/dev/null
  wait_until grep -q 'req=incr /foo/n$' log
  run -0 sed -E 's/^ts=[0-9]{10}\.[0-9]{6} gid=[0-9]+ (type=proxy_req) elapsed=[0-9]+ /\1 /; s/ cfd=[0-9]+ / cfd=N /; s/be=[0-9.:]+/be=B/; s/\r$//' log
  # What needs no backend is answered, and logged, first.
  [ "$output" = "OK
type=proxy_req type=108 code=22 status=-1 res=any cfd=N be=internal:0 detail= req=get nowhere
type=proxy_req type=104 code=8 status=0 res=good cfd=N be=B detail=foo req=set /foo/a
type=proxy_req type=100 code=15 status=0 res=good cfd=N be=B detail=foo req=get /foo/a
type=proxy_req type=105 code=17 status=0 res=ok cfd=N be=B detail=foo req=get /foo/%25a%C3%A4
type=proxy_req type=101 code=15 status=0 res=good cfd=N be=B detail=foo req=mg /foo/a
type=proxy_req type=101 code=15 status=0 res=good cfd=N be=B detail=foo req=ms /foo/b
type=proxy_req type=101 code=13 status=0 res=good cfd=N be=B detail=foo req=md /foo/none
type=proxy_req type=108 code=21 status=-1 res=any cfd=N be=B detail=foo req=incr /foo/a
type=proxy_req type=104 code=8 status=0 res=good cfd=N be=B detail=foo req=set /foo/n
type=proxy_req type=107 code=15 status=0 res=good cfd=N be=B detail=foo req=incr /foo/n" ]
  # Lines are numbered in the order in which they were written.
  grep -o 'gid=[0-9]*' log | sort -c -t = -k 2n -u
}

@test "watch proxyevents and proxyuser tell of backends, loading, and what a file says" {
  two_pools
  start
  wait_until up 8
  mkfifo fifo-never
  sleep 1000 >fifo-never 3>&- &
  pids+=("$!")
  watch log
  kill "${backend_pid[1]}"
  wait_until grep -q "type=proxy_backend error=markedbad name=127.0.0.1 port=${port[1]} label=127.0.0.1:${port[1]} retry=4" log
  grep -q "type=proxy_backend error=disconnected name=127.0.0.1 port=${port[1]} label=127.0.0.1:${port[1]} depth=0 rbuf=$" log
  grep -q "type=proxy_backend error=connecting name" log
  cp pools.lua good.lua
  echo 'print("a line\nand 50%"); error("no")' >pools.lua
  kill -HUP "$proxy_pid"
  wait_until grep -q 'type=proxy_conf status=failed' log
  grep -q 'type=proxy_conf status=start' log
  grep -q 'type=proxy_user msg=a%20line%0Aand%2050%25$' log
  grep -q 'type=proxy_error msg=pools.lua:1:' log
  cp good.lua pools.lua
  kill -HUP "$proxy_pid"
  wait_until grep -q 'type=proxy_conf status=done' log
}

@test "a backend that speaks nonsense is shown with what it said" {
  two_pools
  local fake
  fake=$(free_ports 1)
  printf 'pool{ name = "foo", backends = { "127.0.0.1:%d" } }\n' "$fake" >pools.lua
  # It waits for the probe, then says something else.
  python3 -c '
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
while True:
    c, _ = s.accept()
    c.recv(100)
    c.sendall(b"HTTP/1.1 400 \x80\r\n")
    c.recv(100)' "$fake" 3>&- &
  pids+=("$!")
  start
  mkfifo fifo-never
  sleep 1000 >fifo-never 3>&- &
  pids+=("$!")
  watch log proxyevents
  wait_until grep -q "error=badvalidate .* rbuf=HTTP/1.1%20400%20%80%0D%0A$" log
}

@test "streams that are too many or unknown are refused; sampling picks requests" {
  two_pools
  start
  wait_until up 8
  run talk "${port[0]}" <<<$'watch nonsense\nwatch proxyreqs rate=0\nwatch proxyreqs slow=x\nmn'
  [ "$output" = $'ERROR\nERROR\nERROR\nMN' ]
  mkfifo fifo-never
  sleep 1000 >fifo-never 3>&- &
  pids+=("$!")
  local i
  watch third rate=3
  watch slow slow=60000
  watch errors errors
  for ((i = 4; i <= 20; i++)); do watch "w$i" proxyuser; done
  run talk "${port[0]}" <<<"watch proxyreqs"
  [ "$output" = "WATCHER_TOO_MANY log watcher limit reached" ]
  for ((i = 1; i <= 9; i++)); do printf 'get /foo/key%d\r\n' "$i"; done | nc -w 2 -N 127.0.0.1 "${port[0]}" >/dev/null
  talk "${port[0]}" <<<$'get nowhere\nincr /foo/none 1' >/dev/null
  wait_until grep -q nowhere errors
  wait_until grep -q 'req=get nowhere' third
  [ "$(grep -c type=proxy_req third)" -eq 4 ]
  [ "$(grep -c type=proxy_req errors)" -eq 1 ]
  [ "$(grep -c type=proxy_req slow)" -eq 0 ]
}

@test "a watcher that does not read loses lines, which are counted, and costs nobody else" {
  two_pools
  start
  wait_until up 8
  run -0 python3 - "${port[0]}" <<'PY'
import socket, sys
def connect():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.settimeout(20)
    return s
def stat(name):
    c = connect()
    c.sendall(b"stats\r\n")
    for line in c.makefile():
        if line.split()[:2] == ["STAT", name]:
            return int(line.split()[2])
w = connect()
w.sendall(b"watch proxyreqs\r\n")
assert w.recv(4) == b"OK\r\n"
c = connect()
f = c.makefile("rb")
n = 0
while stat("log_watcher_skipped") < 1000:
    c.sendall(b"get /foo/%s\r\n" % (b"k" * 200) * 200)
    for _ in range(200):
        assert f.readline() == b"END\r\n"
    n += 200
    assert n < 200000
# Now it reads: every line, or that some are missing and how many.
seen, skipped, rest = 0, 0, b""
w.settimeout(0.2)
while True:
    try:
        lines = (rest + w.recv(65536)).split(b"\n")
    except TimeoutError:
        c.sendall(b"get /foo/last\r\n")
        n += 1
        continue
    rest = lines.pop()
    for line in lines:
        if line.startswith(b"skipped="):
            skipped += int(line[8:])
        else:
            assert line.startswith(b"ts=") and b" req=get /foo/" in line, line
            seen += 1
    if lines and b"/foo/last" in lines[-1]:
        break
assert skipped >= 1000 and seen + skipped == n, (seen, skipped, n)
print(seen, skipped, n)
PY
}

@test "where it listens is said, with the ports that the kernel chose, and a summary at the end" {
  two_pools
  local user=$BATS_TEST_TMPDIR/sock
  mcproxy --json --threads 2 --listen 127.0.0.1:0 --listen 't@[::1]:0' --admin "unix:$user" \
    --metrics '*:0' pools.lua >out 2>err 3>&- &
  proxy_pid=$!
  pids+=("$proxy_pid")
  wait_until grep -q '^mcproxy: ready' err
  [ "$(jq -r 'select(.event == "listening") | .for' out | paste -s -d ' ')" = "clients clients administration metrics metrics" ]
  [ "$(jq -r 'select(.tag) | .tag' out)" = t ]
  port[0]=$(jq -r 'select(.event == "listening").address' out | sed -n '1s/.*://p')
  grep -qx "mcproxy: listening on 127.0.0.1:${port[0]}" err
  grep -qx "mcproxy: listening on unix:$user, administration" err
  wait_until up 8
  # Both families have the metrics.
  jq -r 'select(.for == "metrics").address' out | while IFS= read -r address; do
    [[ $address == *:* ]] && printf 'GET /metrics HTTP/1.0\r\n\r\n' |
      nc -w 2 "$(sed 's/\[::\].*/::1/; s/0\.0\.0\.0:.*/127.0.0.1/' <<<"$address")" "${address##*:}" |
      grep -q '200 OK'
  done
  talk "${port[0]}" <<<$'set /foo/key1 0 0 1\nx\nget /foo/key1 /foo/none\nget nowhere\nget' >/dev/null
  kill -HUP "$proxy_pid"
  wait_until grep -q 'configuration read again' err
  kill "$proxy_pid"
  wait "$proxy_pid"
  [ "$(tail -n 1 out | jq -c '[.event, .requests, .misses, .errors, .bad_requests, .no_route, .reloads, .reload_fails]')" = \
    '["summary",3,1,0,1,1,1,0]' ]
  [ "$(tail -n 1 out | jq '.clients > 0 and .uptime_us > 0')" = true ]
  grep -qE '^mcproxy: 3 requests of [0-9]+ clients in [0-9.e+]+ s, 1 misses, 0 errors$' err
}

@test "--verbose tells once that a backend is bad, and once that it is back" {
  two_pools
  sed -i '1i mcp.backend_retry_waittime(1)' pools.lua
  start --verbose --admin unix:sock
  wait_until up 8
  kill "${backend_pid[1]}"
  wait "${backend_pid[1]}" || :
  wait_until up 6
  # Both workers have it marked bad; it was one event.
  is_bad() { talk "${port[0]}" <<<'stats proxybe' | grep -q "^STAT bad_127.0.0.1:${port[1]} 2"; }
  wait_until is_bad
  [ "$(grep -cE "^\* backend 127.0.0.1:${port[1]}: bad \((connecting|disconnected)\), tried again in [0-9.]+ s$" err)" -eq 1 ]
  backend "${port[1]}"
  wait_until up 8
  [ "$(grep -cE "^\* backend 127.0.0.1:${port[1]}: back after [0-9.]+ s$" err)" -eq 1 ]
  printf 'proxy down 127.0.0.1:%d\r\nproxy down 127.0.0.1:%d\r\n' "${port[2]}" "${port[2]}" | nc -w 2 -N -U sock >/dev/null
  grep -qx "\* backend 127.0.0.1:${port[2]}: down by command" err
  [ "$(grep -c '^\* ' err)" -eq 3 ]
}
