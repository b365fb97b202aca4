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
  /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || skip "needs python3-prometheus-client"
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
  run -0 --separate-stderr /usr/bin/python3 - "$other" <<'PY'
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
