#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  packets V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 | pcap >all.pcap
}

sniff() {
  rstdiag-sniff -q -t "$@"
}

@test "each vector becomes one line that says who claims what" {
  run -0 --separate-stderr sniff -r all.pcap
  [ "${lines[0]}" = "IP 198.51.100.20.443 > 192.0.2.10.50000: [R] seq 287454020 ttl 64 len 8 198.51.100.20 claims rst-diag compact code 5 (ACK segment received in LISTEN state, ietf-03) pen 0" ]
  [ "${lines[1]}" = "IP 198.51.100.20.443 > 192.0.2.10.50000: [R.] seq 287454020 ack 1432778632 ttl 64 len 8 198.51.100.20 claims rst-diag compact code 1234 pen 32473 (vendor code)" ]
  [ "${lines[2]}" = "IP6 2001:db8:2::20.443 > 2001:db8:1::10.50000: [R.] seq 287454020 ack 1432778632 ttl 64 len 8 2001:db8:2::20 claims rst-diag compact code 16 (Connection timeout, ietf-03) pen 0" ]
  [[ "${lines[3]}" == *" claims rst-diag cbor-seq code 2 (Desynchronized state, ietf-00; ACK "*", 2022)" ]]
  [[ "${lines[4]}" == *" claims rst-diag cbor-seq \"brief human-readable description\"" ]]
  [[ "${lines[5]}" == *" claims rst-diag cbor-seq code 1234 pen 32473 (vendor code)" ]]
  [[ "${lines[6]}" == *" claims rst-diag cbor-array code 2 ("*"(warning: "* ]]
  [[ "${lines[7]}" == *" claims rst-diag free-text \"mapping expired\"" ]]
  [[ "${lines[8]}" == *"[R.] seq 0 ack 1432778633 ttl 64 len 8 "*" code 4 (Segment received in CLOSED state, ietf-03) pen 0" ]]
  [[ "${lines[9]}" == *" len 7 198.51.100.20 claims rst-diag compact"*" (malformed: length 7, must be 8) hex 33aa0005000000" ]]
  [ "${#lines[@]}" -eq 10 ]
  [ -z "$stderr" ]
}

@test "a code is explained by the table that was asked for" {
  run -0 sniff --registry ietf-00 -r <(packets V3 | pcap)
  [[ "$output" == *" code 16 (Unacceptable performance, ietf-00) pen 0" ]]
  run -0 sniff --registry 2022 -r <(packets V4 | pcap)
  [[ "$output" == *"code 2 (ACK"*", 2022)" ]]
  run -0 sniff --registry first -r <(packets V7 | pcap)
  [[ "$output" == *"code 2 (ACK received in LISTEN, first)"* ]]
  run -0 sniff -v -r <(packets V3 | pcap)
  [[ "$output" == *"code 16 (Connection timeout, ietf-03; Unacceptable performance, ietf-00) pen 0" ]]
}

@test "JSON has the same facts, one object per line, and a summary" {
  run -0 --separate-stderr rstdiag-sniff -q -j -r all.pcap
  [ "${#lines[@]}" -eq 11 ]
  [ "$(jq -r 'keys_unsorted[0]' <<<"$output" | sort -u)" = event ]
  [ "$(jq -c '[.event,.ts,.ipver,.src,.sport,.dst,.dport,.flags,.seq,.ack,.win,.ttl,.ipid,.len,.format,.valid,.code,.code_name,.registry,.pen,.raw_hex,.cksum_ok,.truncated]' <<<"${lines[2]}")" = \
    '["rst","2026-03-01T12:00:00.002000Z",6,"2001:db8:2::20",443,"2001:db8:1::10",50000,"R.",287454020,1432778632,0,64,null,8,"compact",true,16,"Connection timeout","ietf-03",0,"33aa001000000000",true,false]' ]
  [ "$(jq -r 'select(.valid == false) | .error' <<<"$output")" = "length 7, must be 8" ]
  [ "$(jq -r '.description // empty' <<<"$output" | tail -n 1)" = "mapping expired" ]
  [ "$(jq -c 'select(.event == "summary") | [.packets,.resets,.without_payload,.with_diagnostic,.valid,.invalid]' <<<"$output")" = "[10,10,0,10,9,1]" ]
  [ "$(jq -c 'select(.event == "summary") | .codes | map([.format, .code, .pen, .count])' <<<"$output")" = \
    '[["compact",5,0,1],["compact",1234,32473,1],["compact",16,0,1],["cbor-seq",2,0,1],["cbor-seq",1234,32473,1],["cbor-array",2,0,1],["compact",4,0,1]]' ]
}

@test "chosen fields, tab-separated, absent ones empty" {
  run -0 sniff --fields src,code,pen,description,valid -r <(packets V2 V8 V10 | pcap)
  [ "${lines[0]}" = $'198.51.100.20\t1234\t32473\t\ttrue' ]
  [ "${lines[1]}" = $'198.51.100.20\t\t\tmapping expired\ttrue' ]
  [ "${lines[2]}" = $'198.51.100.20\t\t\t\tfalse' ]
  run -2 --separate-stderr rstdiag-sniff --fields src,cod -r all.pcap
  [[ "$stderr" == *'--fields src,cod: no field "cod"; the manual lists them'* ]]
}

@test "the summary counts as the draft wants" {
  run -0 --separate-stderr rstdiag-sniff -r all.pcap
  [[ "$stderr" == *"10 packets read"* ]]
  [[ "$stderr" == *"10 resets: 0 without payload, 10 with diagnostic payload, 0 with another"* ]]
  [[ "$stderr" == *"9 diagnostic payloads valid, 1 invalid"* ]]
  [[ "$stderr" == *"1 compact code 16 (Connection timeout, ietf-03)"* ]]
}

@test "only resets with a diagnosis, in lines and in the count" {
  { packets V1; echo 450000280000400040060000c6336414c000020a01bbc350112233440000000050040000000000""00; packets V2; } | pcap >some.pcap
  run -0 sniff --diagnostic -r some.pcap
  [ "${#lines[@]}" -eq 2 ]
  run -1 sniff --diagnostic -c 3 -r some.pcap
  run -0 sniff -c 3 -r some.pcap
}

@test "no character of a description acts on the terminal, in JSON neither" {
  p=$(packets V8 | cut -d ' ' -f 2)
  echo "${p%6d617070696e672065787069726564}c29b33316de280aef3a08181414243" | pcap >hostile.pcap
  run -0 sniff -j -r hostile.pcap
  [[ "$output" != *$'\u009b'* ]] && [[ "$output" != *$'\u202e'* ]]
  [ "$(jq -r 'select(.event == "rst").description' <<<"$output")" = $'\u009b31m\u202e\U000e0041ABC' ]
}

@test "signals while a pipe says nothing lose nothing" {
  mkfifo in
  env --default-signal=INT rstdiag-sniff -t -r in >out 2>err 3>&- &
  local pid=$!
  exec 5>in
  packets V1 | pcap >&5
  wait_until grep -q 'code 5' out
  kill -USR1 "$pid"
  packets V2 | pcap | tail -c +25 >&5
  wait_until grep -q 'code 1234' out
  wait_until grep -q '^2 resets: 0 without payload' err
  kill -INT "$pid"
  wait "$pid"
  exec 5>&-
  [ "$(grep -c '^2 resets: 0 without payload' err)" -eq 2 ]
  ! grep -q Interrupted err
}

@test "invalid payloads fail only when asked" {
  run -0 sniff -r all.pcap
  run -1 sniff --fail-on-invalid -r all.pcap
  [ "${#lines[@]}" -eq 10 ]
  run -0 sniff --fail-on-invalid -r <(packets V1 V4 V8 | pcap)
}

@test "a truncated capture is called truncated, not malformed" {
  packets V1 V5 | pcap --snaplen 46 >cut.pcap
  run -0 sniff --fail-on-invalid -r cut.pcap
  [[ "${lines[0]}" == *"len 8 "*"[truncated]"* ]]
  [[ "${lines[0]}" != *malformed* ]]
  run -0 --separate-stderr rstdiag-sniff -t -r cut.pcap
  [[ "$stderr" == *"1 packets cut before the end of the TCP header"* ]]
}

@test "every link type says the same" {
  want=$(sniff -r <(packets V1 V3 | pcap))
  v4=$(packets V1 | cut -d ' ' -f 2)
  v6=$(packets V3 | cut -d ' ' -f 2)
  check() { # link prefix-v4 prefix-v6
    printf '%s\n' "$2$v4" "$3$v6" | pcap --link "$1" >link.pcap
    run -0 sniff -r link.pcap
    [ "$output" = "$want" ] || { echo "link type $1: $output"; return 1; }
  }
  mac=020000000001020000000002
  check 1 ${mac}0800 ${mac}86dd
  check 1 ${mac}810000050800 ${mac}88a800078100000586dd
  check 0 02000000 0a000000
  check 0 02000000 18000000
  check 0 00000002 0000001e
  check 108 00000002 00000018
  check 12 '' ''
  check 101 '' ''
  check 113 00000001000600000000000000000800 000000010006000000000000000086dd
  check 276 0800000000000001000100060000000000000000 86dd000000000001000100060000000000000000
  printf '%s\n' "$v4" | pcap --link 228 >link.pcap
  run -0 sniff -r link.pcap
  [ "$output" = "${want%%$'\n'*}" ]
  printf '%s\n' "$v6" | pcap --link 229 >link.pcap
  run -0 sniff -r link.pcap
  [ "$output" = "${want#*$'\n'}" ]
}

@test "a link type that is not understood is named" {
  packets V1 | pcap --link 105 >wireless.pcap
  run -5 --separate-stderr rstdiag-sniff -r wireless.pcap
  [ "$stderr" = "rstdiag-sniff: wireless.pcap: link type 105 (IEEE802_11) is not understood" ]
}

@test "pcapng and standard input are read like files" {
  packets V1 V2 V3 | pcap >three.pcap
  packets V1 V2 V3 | pcap --ng >three.pcapng
  run -0 sniff -r three.pcap
  want=$output
  run -0 sniff -r three.pcapng
  [ "$output" = "$want" ]
  run -0 bash -c 'cat three.pcapng | rstdiag-sniff -q -t -r -'
  [ "$output" = "$want" ]
}

@test "expressions are AND-ed, and wrong ones are explained" {
  run -0 sniff -r all.pcap ip6
  [ "${#lines[@]}" -eq 3 ]
  run -0 sniff -r all.pcap not ip6 and tcp port 443
  [ "${#lines[@]}" -eq 7 ]
  run -0 sniff -r all.pcap port 80
  [ -z "$output" ]
  run -2 --separate-stderr rstdiag-sniff -r all.pcap 'tcp prot 80'
  [ -z "$output" ]
  [[ "$stderr" == 'rstdiag-sniff: expression "tcp prot 80": '* ]]
}

@test "segments that are no resets are passed over" {
  # A SYN, a UDP packet, and an ARP request among resets.
  {
    packets V1
    echo 450000280000400040064e7ec6336414c000020a01bbc350112233440000000050020000b9ba0000
    echo 4500001c00000000401189d0c6336414c000020a0035c35000080000
    packets V2
  } | pcap >mixed.pcap
  run -0 --separate-stderr rstdiag-sniff -t -r mixed.pcap
  [ "${#lines[@]}" -eq 2 ]
  [[ "$stderr" == *"4 packets read"* ]]
}

@test "later fragments are counted, not guessed at" {
  echo 450000300000000240068e74c6336414c000020a01bbc3501122334400000000500400008665000033aa000500000000 | pcap >fragment.pcap
  run -0 --separate-stderr rstdiag-sniff -r fragment.pcap
  [ -z "$output" ]
  [[ "$stderr" == *"1 fragments without a TCP header, not looked into"* ]]
}

@test "what a first fragment begins is shown, not judged" {
  # 4 and 8 octets behind the TCP header, with more to come: neither is the length.
  {
    echo 4500002c0000200040060000c6336414c000020a01bbc3501122334400000000500400000000000033aa0005
    echo 450000340000200040060000c6336414c000020a01bbc35011223344000000006004000000000000 \
      01010101 33aa000500000000
  } | sed 's/ //g' | pcap >first.pcap
  run -0 --separate-stderr rstdiag-sniff -t --fail-on-invalid -r first.pcap
  [[ "${lines[0]}" == *"ttl 64 first fragment len 4 198.51.100.20 claims unknown [truncated] hex 33aa0005" ]]
  [[ "${lines[1]}" == *"first fragment len 8 198.51.100.20 claims unknown [truncated] hex 33aa000500000000" ]]
  [[ "$stderr" == *"0 diagnostic payloads valid, 0 invalid"* ]]
}

@test "foreign payloads are named for what they are" {
  payload() { # hex of a payload, behind V1's headers with the length mended
    local text=$1 total
    total=$(printf '%04x' $((40 + ${#text} / 2)))
    echo "4500${total}0000400040060000c6336414c000020a01bbc350112233440000000050040000000000""00$text"
  }
  {
    payload "$(printf 'BIG-IP: [0x11c5672:3045] {peer}' | hex)"
    payload "$(printf 'go away \033[2J' | hex)"
    payload deadbeef00ff
    payload 0e$(printf '%01998d' 0)
  } | pcap >foreign.pcap
  run -0 sniff --fail-on-invalid -r foreign.pcap
  [[ "${lines[0]}" == *' claims f5 "BIG-IP: [0x11c5672:3045] {peer}"' ]]
  [[ "${lines[1]}" != *$'\033'* ]]
  [[ "${lines[2]}" == *' claims unknown hex deadbeef00ff' ]]
  [[ "${lines[3]}" == *' claims linux-exp code 14 (TCP_STATE)' ]]
}

@test "Multipath TCP's reset option and NetScaler's window are named" {
  {
    # data offset 6, option 30, length 4, subtype 8, reason 3
    echo 4500002c0000400040060000c6336414c000020a01bbc350112233440000000060040000000000001e048003
    echo 450000280000400040060000c6336414c000020a01bbc350112233440000000050042454000000""00
  } | pcap >options.pcap
  run -0 sniff -r options.pcap
  [[ "${lines[0]}" == *" mptcp-reset reason 3 ("*")" ]]
  [[ "${lines[1]}" == *" win 9300 (NetScaler reset code range)" ]]
}

@test "short-lived formats are recognised only when asked" {
  p=$(packets V1 | cut -d ' ' -f 2)
  echo "${p%0005????????}000400000005" | pcap >b14.pcap
  run -0 sniff -r b14.pcap
  [[ "$output" == *" compact code 4 pen 5 (vendor code)" ]]
  run -0 sniff --try b14 -r b14.pcap
  [[ "$output" == *" b14 code 5"* ]]
  run -2 --separate-stderr rstdiag-sniff --try compact -r b14.pcap
  [[ "$stderr" == *"expected b13, b14, cbor-map or json"* ]]
}

# A connection, then what the test adds to it.
conversation() {
  {
    echo 'client flags=S seq=0 ttl=64 id=100'
    echo 'server flags=SA seq=999 ack=1 ttl=57 id=7'
    echo 'client seq=1 ack=1000 len=100 id=101'
    echo 'server flags=PA seq=1000 ack=101 len=500 ttl=57 id=8'
    echo 'client seq=101 ack=1500 id=102'
    echo 'server flags=PA seq=1500 ack=101 len=500 ttl=57 id=9'
    cat
  } | python3 "$WK_SOURCE/tests/peers/segments.py" | pcap "$@"
}

@test "a reset that fits its connection is not suspicious" {
  conversation >fits.pcap <<<'server flags=RA seq=2000 ack=101 ttl=57 id=10'
  run -0 sniff --suspicious -r fits.pcap
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" != *suspicious* ]]
  # Refusing a connection neither: the kernel does it with SEQ 0 and ID 0.
  printf '%s\n' 'client flags=S seq=0' 'server flags=RA seq=0 ack=1 ttl=57' |
    python3 "$WK_SOURCE/tests/peers/segments.py" | pcap >refused.pcap
  run -0 sniff --suspicious -r refused.pcap
  [[ "$output" != *suspicious* ]]
}

@test "a forged reset is marked by TTL, IP ID, number and repetition" {
  conversation >forged.pcap <<'EOF'
server flags=R seq=1700 ttl=250 id=40000
server flags=R seq=2700 ttl=250 id=40000
EOF
  run -0 sniff --suspicious -r forged.pcap
  [[ "${lines[0]}" == *" suspicious: ttl 250 where earlier segments had 57; ip id 40000 after 9; seq 1700 where 2000 was next" ]]
  [[ "${lines[1]}" == *"; another reset with seq 1700 before" ]]
  run -0 sniff --suspicious -j -r forged.pcap
  [ "$(jq -c 'select(.event == "rst") | .suspicious[0]' <<<"$output" | head -n 1)" = '"ttl 250 where earlier segments had 57"' ]
  run -0 sniff -r forged.pcap
  [[ "$output" != *suspicious* ]]
}

@test "a sender that goes on after its reset is reported, once" {
  conversation --usec 250000 >contradicted.pcap <<'EOF'
server flags=R seq=2000 ttl=57
server flags=PA seq=1500 ack=101 len=500 ttl=57 id=10
server flags=PA seq=2000 ack=101 len=10 ttl=57 id=11
server flags=PA seq=2010 ack=101 len=10 ttl=57 id=12
EOF
  run -0 --separate-stderr rstdiag-sniff --suspicious -t -r contradicted.pcap
  [ "${#lines[@]}" -eq 2 ]
  [ "${lines[1]}" = "IP 198.51.100.1.443 > 192.0.2.1.40000: suspicious: goes on 0.500000 s after its reset" ]
  [[ "$stderr" == *"1 connections went on after their reset"* ]]
  run -0 sniff --suspicious -j -r contradicted.pcap
  [ "$(jq -c 'select(.event == "contradiction") | [.from, .since_reset_us]' <<<"$output")" = '["198.51.100.1.443",500000]' ]
}

@test "times as tcpdump shows them" {
  packets V1 V2 | pcap --usec 1500000 >two.pcap
  times() { rstdiag-sniff -q "$@" -r two.pcap | cut -d I -f 1; }
  [ "$(times)" = $'12:00:00.000000 \n12:00:01.500000 ' ]
  [ "$(times -t)" = $'\n' ] || [ -z "$(times -t | tr -d '\n')" ]
  [ "$(times -tt)" = $'1772366400.000000 \n1772366401.500000 ' ]
  [ "$(times -ttt)" = $'0.000000 \n1.500000 ' ]
  [ "$(times -tttt)" = $'2026-03-01 12:00:00.000000 \n2026-03-01 12:00:01.500000 ' ]
  [ "$(times -ttttt)" = $'0.000000 \n1.500000 ' ]
  [ "$(times --nano)" = $'12:00:00.000000000 \n12:00:01.500000000 ' ]
  [ "$(TZ=EST5 times -t -t -t -t)" = $'2026-03-01 07:00:00.000000 \n2026-03-01 07:00:01.500000 ' ]
}

@test "-w writes what matched and nothing else" {
  { packets V1; echo 450000280000400040064e7ec6336414c000020a01bbc350112233440000000050020000b9ba0000; packets V2; } | pcap >mixed.pcap
  run -0 --separate-stderr sniff -w out.pcap -r mixed.pcap
  [ -z "$output" ]
  run -0 sniff -r out.pcap
  [ "${#lines[@]}" -eq 2 ]
  run -0 sniff --print -w again.pcap -r out.pcap
  [ "${#lines[@]}" -eq 2 ]
  cmp out.pcap again.pcap
  run -0 bash -c 'rstdiag-sniff -q -w - -r mixed.pcap | tcpdump -nr - 2>/dev/null | grep -c "Flags \[R"'
  [ "$output" = 2 ]
}

@test "-w does not empty the file that -r reads" {
  ln all.pcap link.pcap
  run -2 --separate-stderr rstdiag-sniff -r all.pcap -w link.pcap
  [ "$stderr" = "rstdiag-sniff: -r and -w name the same file (see rstdiag-sniff --help)" ]
  run -2 --separate-stderr bash -c 'rstdiag-sniff -r - -w link.pcap <all.pcap'
  run -0 sniff -r all.pcap
  [ "${#lines[@]}" -eq 10 ]
}

@test "-c ends after so many, and 1 says there were fewer" {
  run -0 sniff -c 3 -r all.pcap
  [ "${#lines[@]}" -eq 3 ]
  run -0 sniff -c 10 -r all.pcap
  run -1 sniff -c 11 -r all.pcap
  [ "${#lines[@]}" -eq 10 ]
}

@test "a damaged file: what was good is shown, exit code 5" {
  head -c 200 all.pcap >cut.pcap
  run -5 --separate-stderr sniff -r cut.pcap
  [ "${#lines[@]}" -eq 2 ]
  [[ "$stderr" == *"cut.pcap: "*truncated* ]]
  run -5 --separate-stderr rstdiag-sniff -q -r <(echo hello, this is text)
  [[ "$stderr" == *"/dev/fd/"*": "* ]]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
  run -4 --separate-stderr rstdiag-sniff -q -r /tmp
  [ "$stderr" = "rstdiag-sniff: /tmp: Is a directory" ]
  run -4 --separate-stderr rstdiag-sniff -q -r nothing-here
  [ "$stderr" = "rstdiag-sniff: nothing-here: No such file or directory" ]
}

@test "a full disk is an error, for text and for captures" {
  run -4 --separate-stderr bash -c 'rstdiag-sniff -q -r all.pcap >/dev/full'
  [ "$stderr" = "rstdiag-sniff: standard output: No space left on device" ]
  run -4 --separate-stderr rstdiag-sniff -q -r all.pcap -w /dev/full
  [ "$stderr" = "rstdiag-sniff: /dev/full: No space left on device" ]
}

@test "endless input ends when the reader of the output leaves" {
  export -f pcap
  export WK_SOURCE line="$(packets V1)"
  run -0 --separate-stderr timeout 20 bash -c 'trap "" PIPE; yes "$line" 2>/dev/null | pcap 2>/dev/null | rstdiag-sniff -t -q -r - | head -n 1'
  [[ "$output" == *"code 5"* ]]
  [ -z "$stderr" ]
}

@test "a live pipe shows each reset as soon as it is there" {
  mkfifo in
  rstdiag-sniff -q -t -r in >out 3>&- &
  exec 5>in
  packets V1 | pcap >&5
  wait_until grep -q 'code 5' out
  packets V2 | pcap | tail -c +25 >&5
  wait_until grep -q 'code 1234' out
  exec 5>&-
  wait $!
}

@test "conflicts and typing errors are one sentence, exit code 2" {
  check() {
    local want=$1
    shift
    run -2 --separate-stderr rstdiag-sniff "$@"
    [[ "$stderr" == "rstdiag-sniff: $want"* ]] || { echo "$stderr"; return 1; }
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
  }
  check '-i and -r exclude each other' -i lo -r x
  check '-Q needs a live capture' -Q in -r x
  check '--print needs -w' --print -r x
  check '-w - and printing both want stdout' -j -w - -r x
  check '--fields and --json exclude each other' -j --fields ts -r x
  check 'unknown option --registr1; did you mean --registry?' --registr1 x
  check '--registry foo: expected ietf-03, ietf-00, 2022 or first' --registry foo -r x
  check '--count 0: expected a whole number from 1' -c 0 -r x
}

@test "an interface that does not exist" {
  run --separate-stderr rstdiag-sniff -i nosuch0
  if [ "$(id -u)" -eq 0 ]; then
    [ "$status" -eq 2 ]
    [ "$stderr" = "rstdiag-sniff: nosuch0: no such interface (-D lists them)" ]
  else
    [ "$status" -eq 4 ]
    [[ "$stderr" == *CAP_NET_RAW* ]]
  fi
}

@test "colour only when asked for or on a terminal" {
  run -0 sniff -r all.pcap
  [[ "$output" != *$'\033'* ]]
  run -0 sniff --color=always -r all.pcap
  [[ "$output" == *$'\033[1mcompact\033[m'* ]]
  NO_COLOR=1 run -0 script -qec 'rstdiag-sniff -q -t -r all.pcap' /dev/null
  [[ "$output" != *$'\033'* ]]
  TERM=xterm run -0 script -qec 'rstdiag-sniff -q -t -r all.pcap' /dev/null
  [[ "$output" == *$'\033[1mcompact\033[m'* ]]
}
