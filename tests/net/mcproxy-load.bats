#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mcproxy with many clients, and with clients that others wrote.

load ../cli/tool
load mcproxy
load namespaces

teardown() {
  stop_all
  namespaces_down
}

@test "ten thousand idle clients cost half a kilobyte each, a thousand busy ones get their own" {
  [ "$(ulimit -Hn)" -ge 12000 ] || skip "needs 12000 descriptors (ulimit -Hn)"
  two_pools
  start --max-clients 12000
  wait_until up 8
  run -0 timeout 100 python3 "$WK_SOURCE/tests/peers/memcached-crowd.py" "${port[0]}" "$proxy_pid" 10000 1000 20
  [ "${lines[1]}" = "busy 1000 done 20000 wrong 0 errors 0" ]
  read -r _ count _ bytes <<<"${lines[0]}"
  [ "$count" -eq 10000 ]
  # What sanitizers add is not ours.
  grep -qa __sanitizer_ "$WK_BUILD/mcproxy" || [ "$bytes" -le 512 ]
}

# One pool over two backends for all keys, as clients without prefixes need it.
flat() {
  two_pools
  printf 'router{ router_type = "flat" }\npool{ name = "default", backends = { "127.0.0.1:%d", "127.0.0.1:%d" } }\n' \
    "${port[1]}" "${port[2]}" >pools.lua
  start
  wait_until up 4
}

@test "PHP's memcached extension works through it" {
  command -v php >/dev/null && php -m | grep -qx memcached || skip "needs php-cli and php-memcached"
  flat
  run -0 php -r '
    $m = new Memcached();
    $m->addServer("127.0.0.1", (int)$argv[1]);
    function want($what, $got, $expected) {
      if ($got !== $expected) { echo "$what: ", var_export($got, true), "\n"; exit(1); }
    }
    $many = [];
    for ($i = 0; $i < 500; $i++) $many["k$i"] = str_repeat("v$i ", $i);
    want("setMulti", $m->setMulti($many), true);
    want("getMulti", $m->getMulti(array_keys($many)), $many);
    want("set", $m->set("object", ["a" => [1, 2.5, null]]), true);
    want("get", $m->get("object"), ["a" => [1, 2.5, null]]);
    want("miss", $m->get("none"), false);
    want("not found", $m->getResultCode(), Memcached::RES_NOTFOUND);
    want("add", $m->add("object", 1), false);
    want("counter", $m->set("n", 5), true);
    want("increment", $m->increment("n", 3), 8);
    want("decrement", $m->decrement("n"), 7);
    $e = $m->get("n", null, Memcached::GET_EXTENDED);
    want("cas", $m->cas($e["cas"], "n", 9), true);
    want("stale cas", $m->cas($e["cas"], "n", 10), false);
    want("touch", $m->touch("n", 100), true);
    want("delete", $m->delete("n"), true);
    want("deleteMulti", $m->deleteMulti(array_keys($many))["k7"], true);
    want("gone", $m->getMulti(array_keys($many)), []);
    want("large", $m->set("large", $big = random_bytes(500000)), true);
    want("large again", $m->get("large"), $big);
    echo "ok";' "${port[0]}"
  [ "$output" = ok ]
}

@test "Perl's Cache::Memcached::Fast works through it" {
  perl -MCache::Memcached::Fast -e 1 2>/dev/null || skip "needs libcache-memcached-fast-perl"
  flat
  run -0 perl -MCache::Memcached::Fast -e '
    my $m = Cache::Memcached::Fast->new({ servers => ["127.0.0.1:$ARGV[0]"] });
    sub want { my ($what, $got, $expected) = @_;
      die "$what: $got, expected $expected\n" unless defined $got && $got eq $expected; }
    my %many = map { ("k$_" => "v$_" x $_) } 1 .. 300;
    my $stored = $m->set_multi(map { [$_, $many{$_}] } keys %many);
    want("set_multi", scalar(grep { $_ } values %$stored), 300);
    my $got = $m->get_multi(keys %many);
    want("get_multi", scalar(grep { $got->{$_} eq $many{$_} } keys %many), 300);
    # Noreply, in the words of this client: no return value.
    $m->set("quiet", "x");
    want("get", $m->get("quiet"), "x");
    want("append", $m->append("quiet", "y"), 1);
    want("prepend", $m->prepend("quiet", "z"), 1);
    want("joined", $m->get("quiet"), "zxy");
    my $cas = $m->gets("quiet");
    want("cas", $m->cas("quiet", $cas->[0], "new"), 1);
    want("stale cas", $m->cas("quiet", $cas->[0], "newer"), "");
    $m->set("n", 5);
    want("incr", $m->incr("n", 2), 7);
    want("delete", $m->delete("n"), 1);
    die "still there\n" if defined $m->get("n");
    my $versions = $m->server_versions;
    want("version", scalar(keys %$versions), 1);
    print "ok";' "${port[0]}"
  [ "$output" = ok ]
}

@test "a black hole costs its own keys only, and is used again when it ends" {
  command -v nft >/dev/null || skip "needs nftables"
  namespaces_up
  local p
  for p in 11212 11213; do
    right memcached -u nobody -l 192.0.2.2 -p "$p" -U 0 -t 1 3>&- &
    pids+=("$!")
  done
  cat >pools.lua <<'LUA'
settings{ backend_connect_timeout = 0.3, backend_read_timeout = 0.3, backend_retry_waittime = 0.3 }
pools{ foo = { backends = { "192.0.2.2:11212", "192.0.2.2:11213" } } }
routes{ default = route_direct{ child = "foo" } }
LUA
  left mcproxy --threads 2 --listen 127.0.0.1:11211 pools.lua 2>err 3>&- &
  pids+=("$!")
  value() { printf 'stats %s\r\n' "$1" | left nc -w 2 -N 127.0.0.1 11211 | tr -d '\r' | sed -n "s/^STAT $2 //p"; }
  is_up() { [ "$(value backends "192.0.2.2:$1:up")" -eq 2 ]; }
  wait_until is_up 11212
  wait_until is_up 11213
  left python3 "$WK_SOURCE/tests/peers/memcached-load.py" 11211 --clients 8 --until stop >load 3>&- &
  local load=$!
  wait_until grep -q running load
  nft_rules "$right" input 'tcp dport 11213 drop'
  is_bad() { [ "$(value proxybe "bad_192.0.2.2:11213")" -eq 2 ]; }
  wait_until is_bad
  # The other one goes on.
  local before
  before=$(value backends '192.0.2.2:11212:requests')
  more() { [ "$(value backends '192.0.2.2:11212:requests')" -gt $((before + 100)) ]; }
  wait_until more
  is_bad
  right nft flush ruleset
  wait_until is_up 11213
  touch stop
  wait "$load"
  grep -q ' wrong 0$' load
  [ "$(value backends '192.0.2.2:11212:errors')" -eq 0 ]
  [ "$(value backends '192.0.2.2:11213:errors')" -gt 0 ]
}
