# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016
# Demo steps, sourced by bootstrap.

heading "h3dgram: datagrams over HTTP, from the shell"

tell "A listener that sends everything back; it makes itself a certificate and says what clients can know it by:"
h3dgram -l 0 --serve echo >/dev/null 2>"$WK_DEMO/echo" </dev/null &
echo_pid=$!
demo_wait grep -q SHA-256 "$WK_DEMO/echo"
sed 's/^/    /' "$WK_DEMO/echo"
echo=$(sed -n 's/.*listening on //p' "$WK_DEMO/echo" | head -n 1)
echo_pin=$(sed -n 's/.*--pin //p' "$WK_DEMO/echo")
export echo echo_pin

tell "Each line is a datagram, each datagram that comes back a line:"
show 'seq 3 | h3dgram -c 3 -k --pin $echo_pin $echo'

tell "The same for scripts:"
show 'echo hi | h3dgram -j -c 1 --http1.1 -k --pin $echo_pin $echo | jq -c .'

tell "How far is it?"
show 'h3dgram --ping -c 5 --interval 0.1 -k --pin $echo_pin $echo'

tell "And how does it do under load?"
show 'h3dgram --blast --rate 10Mbit --duration 1 -k --pin $echo_pin $echo'
kill "$echo_pid"
wait "$echo_pid" || :

heading "h3dgram: any UDP program through an HTTPS proxy"

tell "A name server of sorts, a proxy that may reach it and nothing else, and a local UDP port that leads there:"
cat >"$WK_DEMO/udp.py" <<'END'
import socket
import sys
if len(sys.argv) > 1:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    for name in sys.argv[2:]:
        s.sendto(name.encode(), ("127.0.0.1", int(sys.argv[1])))
        print(s.recv(1500).decode())
    sys.exit()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    name, who = s.recvfrom(1500)
    s.sendto(name + b" is at 192.0.2.%d" % (sum(name) % 250), who)
END
python3 "$WK_DEMO/udp.py" >"$WK_DEMO/udp" &
udp_pid=$!
demo_wait test -s "$WK_DEMO/udp"
udp=$(cat "$WK_DEMO/udp")
h3dgram -l 0 --serve proxy --allow "127.0.0.1:$udp" >/dev/null 2>"$WK_DEMO/udp.proxy" </dev/null &
udp_proxy_pid=$!
demo_wait grep -q SHA-256 "$WK_DEMO/udp.proxy"
udp_proxy=$(sed -n 's/.*listening on //p' "$WK_DEMO/udp.proxy" | head -n 1)
udp_pin=$(sed -n 's/.*--pin //p' "$WK_DEMO/udp.proxy")
printf '\n  $ %s\n' "h3dgram -L 0 -k --pin $udp_pin $udp_proxy 127.0.0.1:$udp &"
h3dgram -L 0 -k --pin "$udp_pin" "$udp_proxy" "127.0.0.1:$udp" 2>"$WK_DEMO/udp.local" </dev/null &
udp_local_pid=$!
demo_wait grep -q 'listening on' "$WK_DEMO/udp.local"
local_port=$(sed -n 's/.*udp:.*://p' "$WK_DEMO/udp.local")
export local_port

tell "A program that knows nothing of HTTP, and what the carrier says in the end:"
show 'python3 $WK_DEMO/udp.py $local_port www.example mail.example'
kill "$udp_local_pid"
wait "$udp_local_pid" || :
sed 's/^/    /' "$WK_DEMO/udp.local"
kill "$udp_proxy_pid" "$udp_pid"
wait "$udp_proxy_pid" "$udp_pid" || :
