# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016
# Demo steps, sourced by bootstrap.

heading "capsule-cat: what runs inside an upgraded HTTP stream?"

tell "A proxy of CONNECT-UDP and CONNECT-IP gets capsules. Here are four:"
printf '\000\006\000hello\001\007\001\004\300\000\002\013\040\027\003xyz\200\000\170\256\000' >"$WK_DEMO/stream"
show 'capsule-cat $WK_DEMO/stream'

tell "The same for scripts; and what is behind the context ids alone:"
show 'capsule-cat -j --type "!grease" $WK_DEMO/stream | jq -c "[.offset, .type_name, .fields]"'
show 'capsule-cat --payload --type DATAGRAM --framing line $WK_DEMO/stream'

tell "The other way round: each line a datagram, with reserved types in between that receivers must ignore:"
show 'seq 3 | capsule-cat -e --context 2 --grease | capsule-cat'

tell "A stream that ends too early says where, after all that was good:"
show 'head -c 14 $WK_DEMO/stream | capsule-cat; echo "exit code $?"'

heading "capsule-cat: UDP through an HTTPS proxy (CONNECT-UDP)"

tell "UDP does not cross a web proxy, and capsules are how it learns to. This is a name server of sorts; it knows one trick and listens on the loopback:"
cat >"$WK_DEMO/names.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    name, who = s.recvfrom(1500)
    s.sendto(name + b" is at 192.0.2.%d" % (sum(name) % 250), who)
END
python3 "$WK_DEMO/names.py" >"$WK_DEMO/names" &
demo_wait test -s "$WK_DEMO/names"
names=$(cat "$WK_DEMO/names")
export names
printf '\n  (it listens on UDP port %s)\n' "$names"

tell "And this is a proxy that may reach it, and nothing else. It makes itself a certificate and says what clients can know it by:"
printf '\n  $ %s\n' "capsule-cat --listen 0 --serve proxy --allow 127.0.0.1:$names -v &"
capsule-cat --listen 0 --serve proxy --allow "127.0.0.1:$names" -v \
  >/dev/null 2>"$WK_DEMO/proxy" </dev/null &
proxy_pid=$!
demo_wait grep -q SHA-256 "$WK_DEMO/proxy"
sed 's/^/    /' "$WK_DEMO/proxy"
proxy=$(sed -n 's/.*listening on //p' "$WK_DEMO/proxy")
pin=$(sed -n 's/.*--pin //p' "$WK_DEMO/proxy")
export proxy pin

tell "Each line becomes a UDP packet at the other end of the tunnel, each answer a line; -c 2 ends after two answers:"
show 'printf "www.example\nmail.example\n" | capsule-cat --datagrams line -c 2 --target 127.0.0.1:$names -k --pin $pin $proxy'

tell "What the two say to each other over HTTP/2 (> we, < the proxy), and the capsule that comes back:"
show 'printf "www.example\n" | capsule-cat -e | capsule-cat -v --show -c 1 --linger 5 --target 127.0.0.1:$names -k --pin $pin $proxy'

tell "Asked for anything else, the proxy says no, and why:"
show 'echo hi | capsule-cat --datagrams line --target 127.0.0.1:9 -k --pin $pin $proxy; echo "exit code $?"'

tell "Told to end, it counts what it did:"
kill "$proxy_pid"
wait "$proxy_pid" || :
printf '\n'
grep 'capsule-cat: [0-9p]' "$WK_DEMO/proxy" | sed 's/^/    /'
