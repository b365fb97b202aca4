#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
}

from4=(--src 198.51.100.20:443 --dst 192.0.2.10:50000)
from6=(--src '[2001:db8:2::20]:443' --dst '[2001:db8:1::10]:50000')
numbers=(--seq 0x11223344 --ack 0x55667788)

# What would be sent, as hex.
packet() {
  rstdiag-send -q --write - "$@" | python3 -c '
import sys
data = sys.stdin.buffer.read()
at = 24
while at < len(data):
    size = int.from_bytes(data[at + 8:at + 12], "little")
    print(data[at + 16:at + 16 + size].hex())
    at += 16 + size'
}

is_vector() { # name options...
  local want
  want=$(packets "$1" | cut -d ' ' -f 2)
  shift
  run -0 packet "$@"
  [ "$output" = "$want" ] || { printf '%s\n%s\n' "$output" "$want"; return 1; }
}

@test "the vectors, octet by octet" {
  is_vector V1 "${from4[@]}" --seq 0x11223344 --code 5
  is_vector V1 "${from4[@]}" --seq 287454020 --code listen-ack
  is_vector V2 "${from4[@]}" "${numbers[@]}" --code 1234 --pen 32473
  is_vector V3 "${from6[@]}" "${numbers[@]}" --code timeout
  is_vector V4 "${from4[@]}" "${numbers[@]}" --format cbor-seq --code 2
  is_vector V4 "${from4[@]}" "${numbers[@]}" --format cbor-seq --registry first --code 2
  is_vector V5 "${from6[@]}" "${numbers[@]}" --format cbor-seq --description 'brief human-readable description'
  is_vector V6 "${from6[@]}" "${numbers[@]}" --format cbor-seq --code 1234 --pen 32473
  is_vector V7 "${from4[@]}" "${numbers[@]}" --format cbor-array --registry first --code listen-ack
  is_vector V8 "${from4[@]}" "${numbers[@]}" --format free-text --description 'mapping expired'
  is_vector V9 "${from4[@]}" --flags rst,ack --ack 0x55667789 --code closed
  is_vector V10 "${from4[@]}" "${numbers[@]}" --payload-hex 33aa0005000000
}

@test "a dry run shows the line and the packet, and says that nothing went" {
  run -0 --separate-stderr rstdiag-send --dry-run "${from4[@]}" "${numbers[@]}" --code timeout
  [ "${#lines[@]}" -eq 2 ]
  [[ "${lines[0]}" == *" IP 198.51.100.20.443 > 192.0.2.10.50000: [R.] seq 287454020 ack 1432778632 ttl 64 len 8 198.51.100.20 claims rst-diag compact code 16 (Connection timeout, ietf-03) pen 0" ]]
  [ "${lines[1]}" = 450000300000400040064e76c6336414c000020a01bbc350112233445566778850140000b95b000033aa001000000000 ]
  [ "$stderr" = "rstdiag-send: 1 reset shown, nothing sent, 48 octets" ]
  # What would be sent is the result here, and --quiet leaves results.
  run -0 --separate-stderr rstdiag-send -q --dry-run "${from4[@]}" --seq 1
  [ "${#lines[@]}" -eq 2 ]
  [ -z "$stderr" ]
}

@test "every header field that can be chosen" {
  run -0 packet "${from4[@]}" --seq 1 --ack 2 --flags rst,ack,psh --ttl 3 --window 4 --ip-id 5 --traffic-class 6 --tcp-options 0101
  [ "${output:0:20}" = 4506002c000540000306 ]
  [ "${output:40:32}" = 01bbc3500000000100000002601c0004 ]
  [ "${output:76}" = 000001010000 ]
  run -0 packet "${from6[@]}" --seq 1 --ttl 3 --traffic-class 0xb8
  [ "${output:0:16}" = 6b80000000140603 ]
}

@test "checksums, flags and lengths hold before other judges" {
  judged=no
  local kind
  for kind in "--seq 1" "--ack 7 --code closed" "--seq 1 --format cbor-seq --code 3 --description ü" \
    "--seq 4294967295 --payload-hex 00 --tcp-options 02040578" "--seq 9 --code 1 --code 2 --also-empty"; do
    # shellcheck disable=SC2086 # words
    rstdiag-send -q -w v4.pcap "${from4[@]}" $kind 2>/dev/null
    # shellcheck disable=SC2086
    rstdiag-send -q -w v6.pcap "${from6[@]}" $kind 2>/dev/null
    if command -v tshark >/dev/null; then
      judged=yes
      run -0 tshark -r v4.pcap -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields \
        -e ip.checksum.status -e tcp.checksum.status -e tcp.flags.reset
      [ "$(sort -u <<<"$(grep -v root <<<"$output")")" = $'1\t1\t1' ]
      run -0 tshark -r v6.pcap -o tcp.check_checksum:TRUE -T fields -e tcp.checksum.status -e tcp.flags.reset
      [ "$(sort -u <<<"$(grep -v root <<<"$output")")" = $'1\t1' ]
    fi
    if command -v tcpdump >/dev/null; then
      judged=yes
      run -0 tcpdump -nvvr v4.pcap
      [[ "$output" != *incorrect* ]] && [[ "$output" == *"(correct)"* ]]
      run -0 tcpdump -nvvr v6.pcap
      [[ "$output" != *incorrect* ]] && [[ "$output" == *"(correct)"* ]]
    fi
  done
  [ "$judged" = yes ] || skip "needs tshark or tcpdump"
}

@test "--badsum is wrong before other judges, too" {
  command -v tcpdump >/dev/null || skip "needs tcpdump"
  rstdiag-send -q -w bad.pcap "${from4[@]}" --seq 1 --code 5 --badsum
  run -0 tcpdump -nvvr bad.pcap
  [[ "$output" == *"incorrect"* ]]
  run -0 rstdiag-sniff -q -v -r bad.pcap
  [[ "$output" == *"cksum incorrect"* ]]
}

@test "CBOR before an independent decoder" {
  python3 -c 'import cbor2' 2>/dev/null || skip "needs python3-cbor2"
  decoded() {
    rstdiag-send "$@" --payload-only 2>/dev/null | python3 -c '
import cbor2, io, sys
data = io.BytesIO(sys.stdin.buffer.read())
items = []
while data.tell() < len(data.getvalue()):
    items.append(cbor2.load(data))
print(items)'
  }
  [ "$(decoded --format cbor-seq --code 5)" = "[12345, {1: 5}]" ]
  [ "$(decoded --format cbor-seq --code 1234 --pen 32473)" = "[12345, {1: 1234, 2: 32473}]" ]
  [ "$(decoded --format cbor-seq --description 'grüß Gott')" = "[12345, {3: 'grüß Gott'}]" ]
  [ "$(decoded --format cbor-seq --code 65535 --description x)" = "[12345, {1: 65535, 3: 'x'}]" ]
  [ "$(decoded --format cbor-array --code 5)" = "[[12345, {'reason-code': 5}]]" ]
  [ "$(decoded --format cbor-map --code 5)" = "[{1: 5}]" ]
}

@test "what is sent can be sniffed: a pipe through both tools" {
  run -0 --separate-stderr bash -c 'rstdiag-send -q --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 5 --code abort --code 77 --also-empty --write - | rstdiag-sniff -q -t -r -'
  [ "${lines[0]}" = "IP 192.0.2.1.1 > 192.0.2.2.2: [R] seq 5 ttl 64 len 8 192.0.2.1 claims rst-diag compact code 3 (ABORT process, ietf-03) pen 0" ]
  [ "${lines[1]}" = "IP 192.0.2.1.1 > 192.0.2.2.2: [R] seq 5 ttl 64 len 8 192.0.2.1 claims rst-diag compact code 77 (unknown, ietf-03) pen 0" ]
  [ "${lines[2]}" = "IP 192.0.2.1.1 > 192.0.2.2.2: [R] seq 5 ttl 64 len 0" ]
  [ "${#lines[@]}" -eq 3 ]
  [ -z "$stderr" ]
}

@test "every format that can be written is read again" {
  local format option try
  while read -r format option; do
    case $format in
      b13 | b14 | cbor-map | json) try="--try $format" ;;
      *) try= ;;
    esac
    run -0 bash -c "rstdiag-send -q --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 5 --registry ietf-00 --format $format $option --write - |
      rstdiag-sniff -q -t --fail-on-invalid $try -r -"
    [[ "$output" == *" claims "*"$format"* ]] || { echo "$format: $output"; return 1; }
  done <<'END'
compact --code 3
free-text --description hello
cbor-seq --code 3
cbor-seq --description hello
cbor-array --code 3
cbor-map --code 3
b13 --code 3
b14 --code 3 --pen 9
json --code 3
linux-exp --code 3
text --description hello
END
}

@test "the payload alone, as octets or as hex" {
  run -0 --separate-stderr rstdiag-send --payload-only --dry-run --code timeout --code abort
  [ "$output" = $'33aa001000000000\n33aa000300000000' ]
  [ -z "$stderr" ]
  rstdiag-send --payload-only --code timeout -o payload
  [ "$(od -An -tx1 payload)" = " 33 aa 00 10 00 00 00 00" ]
  run -2 --separate-stderr script -qec 'rstdiag-send --payload-only --code timeout' /dev/null
  [[ "$output" == *"standard output is a terminal: --output -, if it shall have the octets"* ]]
  run -0 script -qec 'rstdiag-send --payload-only --code timeout -o -' /dev/null
  run -2 --separate-stderr script -qec 'rstdiag-send --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 -w -' /dev/null
  [[ "$output" == *"standard output is a terminal: redirect it, or --write FILE"* ]]
}

@test "JSON: one event per reset and a summary" {
  run -0 --separate-stderr rstdiag-send --json --dry-run "${from6[@]}" "${numbers[@]}" --code timeout --also-empty -c 2
  [ "${#lines[@]}" -eq 5 ]
  [ "$(jq -c '[.event,.ipver,.src,.sport,.dst,.dport,.flags,.seq,.ack,.len,.format,.code,.code_name,.raw_hex]' <<<"${lines[0]}")" = \
    '["sent",6,"2001:db8:2::20",443,"2001:db8:1::10",50000,"R.",287454020,1432778632,8,"compact",16,"Connection timeout","33aa001000000000"]' ]
  [ "$(jq -c '[.event,.mode,.dry_run,.sent,.octets]' <<<"${lines[4]}")" = '["summary","craft",true,4,256]' ]
  run -0 --separate-stderr rstdiag-send -q --json --dry-run "${from4[@]}" --seq 1
  [ "$(jq -r .event <<<"$output" | tr '\n' ' ')" = 'sent summary ' ]
  run -2 --separate-stderr rstdiag-send --json -w - "${from4[@]}" --seq 1
  [[ "$stderr" == *"--write - and --json both want standard output; --output FILE moves one away"* ]]
  rstdiag-send --json -o events -w - "${from4[@]}" --seq 1 2>/dev/null | rstdiag-sniff -q -r - | grep -q 'len 0'
  [ "$(wc -l <events)" -eq 2 ]
}

@test "the tables, for eyes and for programs" {
  run -0 rstdiag-send --list-codes
  [ "${#lines[@]}" -eq 19 ]
  [[ "${lines[15]}" == "16 timeout Connection timeout"*"[on-path]" ]]
  run -0 rstdiag-send --list-codes --registry first
  [ "${#lines[@]}" -eq 9 ]
  run -0 rstdiag-send --list-codes --json --registry 2022
  [ "$(jq -r 'select(.name == "timeout") | .code' <<<"$output")" = 10 ]
}

@test "what may be misunderstood is said, what cannot be written is refused" {
  warns() { # text options...
    local want=$1
    shift
    run -0 --separate-stderr rstdiag-send --payload-only --dry-run "$@"
    [ "$stderr" = "rstdiag-send: warning: $want" ] || { echo "$stderr"; return 1; }
  }
  warns "--code abort: this code is for endpoints, not for middleboxes" --role middlebox --code abort
  warns "--code timeout: readers of this format number the reasons differently; see --registry" --format cbor-seq --code timeout
  warns "--description: payload of more than 255 octets; receivers may refuse it" \
    --format cbor-seq --description "$(printf '%0300d' 0)"
  run -0 --separate-stderr rstdiag-send --payload-only --dry-run --role middlebox --code timeout
  [ -z "$stderr" ]
  run -0 --separate-stderr rstdiag-send --payload-only --dry-run --role middlebox --code 3 --pen 32473
  [ -z "$stderr" ]
  run -0 --separate-stderr rstdiag-send --payload-only --dry-run --registry 2022 --format cbor-seq --code timeout
  [ "$output" = 193039a1010a ]
  [ -z "$stderr" ]

  refuses() { # text options...
    local want=$1
    shift
    run -2 --separate-stderr rstdiag-send --payload-only --dry-run "$@"
    [[ "$stderr" == "rstdiag-send: $want"* ]] || { echo "$stderr"; return 1; }
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    [ -z "$output" ]
  }
  refuses "--code timeout: the format compact carries no description; these carry both: cbor-seq, cbor-array, cbor-map, b13, b14, json" \
    --code timeout --description x
  refuses "--description: the format compact carries no description; these do: free-text, cbor-seq, cbor-array, cbor-map, b13, b14, json, text" --description x
  refuses "--code 5: the format free-text carries no code; these do: compact, " --code 5 --format free-text
  refuses "--code timeout: names are of the public table, a code of --pen 7 is a number" --code timeout --pen 7
  refuses "--pen 4294967295 is reserved" --code 5 --pen 0xffffffff
  refuses "--code closed: " --code closed --registry 2022
  refuses "--code 0: " --code 0
  refuses "--code 65536: " --code 65536
  refuses "--description: " --format free-text --description $'\xff'
  refuses "--payload-hex: character 3: not a hexadecimal digit" --payload-hex 33x
  refuses "--payload-hex and --code exclude each other: the payload is already given" --payload-hex 33 --code 5
  refuses "--pen needs --code" --pen 5
  refuses "--format needs --code or --description" --format cbor-seq
}

@test "mistakes on the command line are one sentence, exit code 2" {
  check() {
    local want=$1
    shift
    run -2 --separate-stderr rstdiag-send "$@"
    [[ "$stderr" == "rstdiag-send: $want"* ]] || { echo "$stderr"; return 1; }
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    [ -z "$output" ]
  }
  to=(--dst 192.0.2.2:2)
  check '--src is missing, expected ADDR:PORT' "${to[@]}"
  check '--dst is missing, expected ADDR:PORT' --src 192.0.2.1:1 --seq 1
  check '--src example.net:443: expected a numeric address with its port, 192.0.2.1:443 or [2001:db8::1]:443; names are not looked up' --src example.net:443 "${to[@]}"
  check '--src 2001:db8::1: expected a numeric address' --src 2001:db8::1 "${to[@]}"
  check '--src [2001:db8::1:5: expected a numeric address' --src '[2001:db8::1:5' "${to[@]}"
  check '--src []:5: expected a numeric address' --src '[]:5' "${to[@]}"
  check '--src 192.0.2.1: expected a numeric address' --src 192.0.2.1 "${to[@]}"
  check '--src 192.0.2.1:65536: expected a port from 0 to 65535' --src 192.0.2.1:65536 "${to[@]}"
  check '--src 192.0.2.1:: expected a port' --src 192.0.2.1: "${to[@]}"
  check '--src [fe80::1%nosuch0]:1: no interface nosuch0' --src '[fe80::1%nosuch0]:1' "${to[@]}"
  check '--src is IPv6 and --dst is IPv4' --src '[::1]:1' "${to[@]}"
  check '--ip-id is for IPv4' "${from6[@]}" --ip-id 5
  check '--seq 4294967296: expected a whole number from 0 to 4294967295' --seq 4294967296
  check '--flags syn: without rst it is no reset' "${from4[@]}" --flags syn
  check '--flags rst,foo: ' "${from4[@]}" --flags rst,foo
  check '--ack needs the flag ack' "${from4[@]}" --ack 5 --flags rst
  check '--tcp-options: character 81: ' "${from4[@]}" --tcp-options "$(printf '%082d' 0)"
  check '--also-empty needs --code' "${from4[@]}" --also-empty
  check 'unknown option --codr; did you mean --code?' --codr 5
  check '--code needs CODE' --code
  check '--dry-run and --write exclude each other' "${from4[@]}" --dry-run -w x
  check '--answer and --reset exclude each other' --answer --reset tcp
  check '--seq has no meaning with --reset' --reset --seq 5 tcp
  check '--badsum has no meaning with --answer' --answer --badsum tcp
  check '--rules needs --answer' "${from4[@]}" --rules x
  check '--spray needs --reset' "${from4[@]}" --spray 5
  check 'tcp port 5: an expression needs --answer or --reset' "${from4[@]}" tcp port 5
  check '--answer needs --listen, --rules or an expression' --answer
  check '--reset needs --src and --dst, or an expression' --reset
  check '--reset takes --src with --dst or an expression, not both' --reset "${from4[@]}" tcp
  check '--dst is missing' --reset --src 192.0.2.1:1
  check '--probe needs --src and --dst' --reset --probe tcp
  check '--probe and --dry-run exclude each other' --reset "${from4[@]}" --probe --dry-run
  check '--count needs an expression' --reset "${from4[@]}" -c 5
  check '--spray-step needs --spray' --reset "${from4[@]}" --spray-step 5
  check '--rules and --code exclude each other' --answer --rules x --code 5
  check '--read needs --dry-run or --write' --answer -r x tcp
  check '--rate 1000001: expected a whole number from 0 to 1000000' --rate 1000001
  check '--count 0: expected a whole number from 1' -c 0
}

# --- answering what a capture holds -------------------------------------------

# SYNs to ports 80 (IPv4, twice) and 443 (IPv6), a UDP packet, and a reset.
segments() {
  cat <<'END'
4500002800000000400676cfc0000201c00002020400005000000064000000005002006481830000
4500002c00000000400676cbc0000201c00002020400005000000064000013885018006400000000aabbccdd
60000000001406402001 0db8000000000000000000000001 20010db8000000000000000000000002 0400 01bb 00000064 00000000 50020064 00000000
4500001c00000000401176d0c0000201c000020204000035 00080000
450000280000000040060000c0000201c00002020400005000000064000000005004006400000000
END
}

capture() {
  segments | tr -d ' ' | pcap --usec 200000
}

@test "answers to a capture follow RFC 9293, and nothing is sent" {
  capture >in.pcap
  run -0 --separate-stderr rstdiag-send --answer -r in.pcap --dry-run --code closed tcp or ip6
  [ "${#lines[@]}" -eq 6 ]
  # No ACK: SEQ 0, ACK behind the SYN. ACK: SEQ is what was acknowledged.
  [[ "${lines[0]}" == *" IP 192.0.2.2.80 > 192.0.2.1.1024: [R.] seq 0 ack 101 ttl 64 len 8 "*" code 4 "* ]]
  [[ "${lines[2]}" == *" IP 192.0.2.2.80 > 192.0.2.1.1024: [R] seq 5000 ttl 64 len 8 "* ]]
  [[ "${lines[4]}" == *" IP6 2001:db8::2.443 > 2001:db8::1.1024: [R.] seq 0 ack 101 "* ]]
  [ "${stderr_lines[0]}" = "rstdiag-send: 3 segments seen, 3 answered" ]
  [[ "$stderr" == *"rstdiag-send: 3 with a TCP checksum that was wrong"* ]]
}

@test "rules decide, the first that matches" {
  cat >rules <<'END'
ignore - tcp dst port 80 and tcp[tcpflags] & tcp-ack != 0   # established
- "busy \"now\"" ip
7 - ip6
END
  capture >in.pcap
  run -2 --separate-stderr rstdiag-send --answer -r in.pcap --rules rules --dry-run
  [ "$stderr" = "rstdiag-send: rules: line 2: the format compact carries no description; these do: free-text, cbor-seq, cbor-array, cbor-map, b13, b14, json, text" ]
  run -0 --separate-stderr rstdiag-send --answer -r in.pcap --rules rules --dry-run --format cbor-seq --json
  [ "$(jq -c 'select(.event == "sent") | [.ipver, .code, .description]' <<<"$output" | tr '\n' ' ')" = '[4,null,"busy \"now\""] [6,7,null] ' ]
  [ "$(jq -c 'select(.event == "summary") | [.seen, .answered, .ignored, .unmatched]' <<<"$output")" = '[3,2,1,0]' ]
  # An expression goes with every rule.
  run -0 --separate-stderr rstdiag-send --answer -r in.pcap --rules rules --dry-run --format cbor-seq --json ip6
  [ "$(jq -c 'select(.event == "summary") | [.seen, .answered]' <<<"$output")" = '[1,1]' ]
  run -0 --separate-stderr rstdiag-send --listen 443 -r in.pcap --rules rules --dry-run --format cbor-seq --json
  [ "$(jq -c 'select(.event == "summary") | [.seen, .answered]' <<<"$output")" = '[1,1]' ]
}

@test "rules from a pipe, and rules that are wrong" {
  capture >in.pcap
  run -0 bash -c 'echo "closed - tcp dst port 80" | rstdiag-send --answer -r in.pcap -q --rules - -w - | rstdiag-sniff -q -r -'
  [ "${#lines[@]}" -eq 2 ]
  wrong() { # line message
    printf '# rules\n%s\n' "$1" >rules
    run -2 --separate-stderr rstdiag-send --answer -r in.pcap --rules rules --dry-run
    [[ "$stderr" == "rstdiag-send: rules: line 2: $2"* ]] || { echo "$stderr"; return 1; }
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
  }
  wrong 'closed tcp' 'no description, expected - or a "string" behind the reason'
  wrong 'close - tcp' 'reason close: '
  wrong 'closed - tcp dst prot 80' ''
  wrong 'closed - udp and tcp' ''
  : >rules
  run -2 --separate-stderr rstdiag-send --answer -r in.pcap --rules rules --dry-run
  [ "$stderr" = "rstdiag-send: rules: holds no rule" ]
  run -4 --separate-stderr rstdiag-send --answer -r in.pcap --rules nothing-here --dry-run
  [ "$stderr" = "rstdiag-send: nothing-here: No such file or directory" ]
  run -2 --separate-stderr rstdiag-send --answer -r in.pcap --rules /dev/zero --dry-run
  [ "$stderr" = "rstdiag-send: /dev/zero: more than 1048576 octets" ]
  run -2 --separate-stderr rstdiag-send --answer -r in.pcap --dry-run tcp dst prot 80
  [[ "$stderr" == 'rstdiag-send: expression "tcp dst prot 80": '* ]]
}

@test "the rate counts in the time of the capture" {
  for ((i = 0; i < 20; i++)); do segments | head -n 1; done | pcap --usec 100000 >many.pcap
  run -0 --separate-stderr rstdiag-send --answer -r many.pcap --dry-run --json --rate 2 tcp
  # Two at once, then two a second over 1.9 seconds.
  [ "$(jq -c 'select(.event == "summary") | [.seen, .answered, .rate_limited]' <<<"$output")" = '[20,5,15]' ]
  run -0 --separate-stderr rstdiag-send --answer -r many.pcap --dry-run -q -c 3 -j tcp
  [ "$(jq -c 'select(.event == "summary") | [.seen, .answered]' <<<"$output")" = '[3,3]' ]
  run -1 --separate-stderr rstdiag-send --answer -r many.pcap --dry-run -q -c 30 tcp
}

@test "fragments, cut frames and odd addresses are counted, not answered" {
  {
    # more fragments; a TCP header of 16 octets; to multicast; from nobody
    echo 4500002800002000400656cfc0000201c00002020400005000000064000000005002006481830000
    echo 4500002800000000400676cfc0000201c00002020400005000000064000000004002006481830000
    echo 450000280000000040060000c0000201e00000010400005000000064000000005002006400000000
    echo 45000028000000004006000000000000c00002020400005000000064000000005002006400000000
  } | pcap >odd.pcap
  run -0 --separate-stderr rstdiag-send --answer -r odd.pcap --dry-run --json ip
  [ "$(jq -c '[.seen, .answered, .unanswerable, .no_host]' <<<"$output")" = '[4,0,2,2]' ]
}

@test "IPv6 extension headers are looked behind" {
  a=20010db8000000000000000000000001 b=20010db8000000000000000000000002
  echo "60000000001c0040$a${b}0600010400000000040001bb00000064000000005002006400000000" | pcap >hbh.pcap
  run -0 --separate-stderr rstdiag-send --answer -r hbh.pcap --dry-run --code closed ip6
  [[ "${lines[0]}" == *" IP6 2001:db8::2.443 > 2001:db8::1.1024: [R.] seq 0 ack 101 "* ]]
  run -0 --separate-stderr rstdiag-send --reset -r hbh.pcap --dry-run --src '[2001:db8::1]:1024' --dst '[2001:db8::2]:443'
  [[ "${lines[0]}" == *" IP6 2001:db8::1.1024 > 2001:db8::2.443: [R] seq 101 "* ]]
}

@test "VLAN tags: an expression that names them" {
  mac=020000000001020000000002
  echo "${mac}8100000508004500002800000000400676cfc0000201c00002020400005000000064000000005002006481830000" | pcap --link 1 >vlan.pcap
  run -0 --separate-stderr rstdiag-send --answer -r vlan.pcap --dry-run --code closed vlan and tcp dst port 80
  [[ "${lines[0]}" == *"192.0.2.2.80 > 192.0.2.1.1024: [R.] seq 0 ack 101 "* ]]
  printf 'ignore - tcp port 81\nclosed - vlan and tcp port 80\n' >rules
  run -0 --separate-stderr rstdiag-send --answer -r vlan.pcap --dry-run --rules rules
  [[ "${lines[0]}" == *"192.0.2.2.80 > 192.0.2.1.1024: [R.] seq 0 ack 101 "* ]]
}

@test "a live pipe is answered as soon as there is something" {
  mkfifo in
  rstdiag-send --answer -j -r in --dry-run --code closed tcp >out 2>err 3>&- &
  local pid=$!
  exec 5>in
  segments | head -n 1 | pcap >&5
  wait_until grep -q '"seq":0,' out
  segments | sed -n 2p | pcap | tail -c +25 >&5
  wait_until grep -q '"seq":5000,' out
  exec 5>&-
  wait "$pid"
}

# --- resetting what a capture holds -------------------------------------------

@test "numbers from a capture, for both ends" {
  segments | sed -n 2p | pcap >in.pcap
  run -0 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run --both --src 192.0.2.1:1024 --dst 192.0.2.2:80
  [[ "${lines[0]}" == *" IP 192.0.2.1.1024 > 192.0.2.2.80: [R.] seq 104 ack 5000 ttl 64 len 0" ]]
  [[ "${lines[2]}" == *" IP 192.0.2.2.80 > 192.0.2.1.1024: [R.] seq 5000 ack 104 ttl 64 len 0" ]]
  # The same connection, named from the other end.
  run -0 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run --src 192.0.2.2:80 --dst 192.0.2.1:1024
  [[ "${lines[0]}" == *" IP 192.0.2.2.80 > 192.0.2.1.1024: [R.] seq 5000 ack 104 ttl 64 len 0" ]]
  run -3 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run -q --src 192.0.2.2:81 --dst 192.0.2.1:1024
  [[ "$stderr" == "rstdiag-send: no segment of that connection in in.pcap"* ]]
}

@test "a spray steps by the window that was seen, or by what is said" {
  segments | sed -n 2p | pcap >in.pcap
  seqs() {
    rstdiag-send --reset -r in.pcap --dry-run -j "$@" tcp 2>/dev/null | jq -r 'select(.event == "sent") | .seq' | tr '\n' ' '
  }
  [ "$(seqs --spray 3)" = "104 1564 3024 " ]
  [ "$(seqs --spray 3 --spray-step 10)" = "104 114 124 " ]
  segments | sed -n '2s/50180064/5018ffff/p' | pcap >in.pcap
  [ "$(seqs --spray 2)" = "104 65639 " ]
}

@test "an expression: each connection once, up to a count" {
  { segments; segments; } | tr -d ' ' | pcap >in.pcap
  run -0 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run --json tcp
  [ "$(jq -c 'select(.event == "summary") | [.connections, .sent]' <<<"$output")" = '[2,2]' ]
  run -0 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run --json -c 1 tcp
  [ "$(jq -c 'select(.event == "summary") | [.connections, .sent]' <<<"$output")" = '[1,1]' ]
  run -3 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run -q -c 3 tcp
  [ "$stderr" = "rstdiag-send: 2 of 3 connections found" ]
  run -3 --separate-stderr rstdiag-send --reset -r in.pcap --dry-run -q tcp port 9
  [ "$stderr" = "rstdiag-send: no segment that matches in in.pcap" ]
}

# --- the outside world --------------------------------------------------------

@test "captures that are damaged or missing" {
  capture | head -c 100 >cut.pcap
  run -5 --separate-stderr rstdiag-send --answer -r cut.pcap --dry-run -q tcp
  [[ "$stderr" == "rstdiag-send: cut.pcap: "*truncated* ]]
  run -5 --separate-stderr rstdiag-send --answer -r <(echo this is no capture at all) --dry-run -q tcp
  run -4 --separate-stderr rstdiag-send --answer -r nothing-here --dry-run -q tcp
  [ "$stderr" = "rstdiag-send: nothing-here: No such file or directory" ]
  segments | head -n 1 | pcap --link 9 >ppp.pcap
  run -5 --separate-stderr rstdiag-send --answer -r ppp.pcap --dry-run -q tcp
  [ "$stderr" = "rstdiag-send: ppp.pcap: link type 9 (PPP) is not understood" ]
}

@test "a closed stdout is an error" {
  run -4 --separate-stderr bash -c 'rstdiag-send -q --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 -w - >&-'
  [ "$stderr" = "rstdiag-send: standard output: Bad file descriptor" ]
  run -4 --separate-stderr bash -c 'rstdiag-send -q --payload-only --code 5 >&-'
  [ "$stderr" = "rstdiag-send: standard output: Bad file descriptor" ]
}

@test "a capture that is read is not overwritten" {
  segments | pcap >precious.pcap
  cp precious.pcap copy.pcap
  run -2 --separate-stderr rstdiag-send --answer -r precious.pcap -w precious.pcap tcp
  [ "$stderr" = "rstdiag-send: what --read names would be overwritten (see rstdiag-send --help)" ]
  run -2 rstdiag-send --answer -r precious.pcap --dry-run -o precious.pcap tcp
  run -2 bash -c 'rstdiag-send --answer -r - -w precious.pcap tcp <precious.pcap'
  cmp precious.pcap copy.pcap
}

@test "a full disk is an error" {
  run -4 --separate-stderr bash -c 'rstdiag-send -q --payload-only --code 5 >/dev/full'
  [ "$stderr" = "rstdiag-send: standard output: No space left on device" ]
  run -4 --separate-stderr rstdiag-send -q "${from4[@]}" --seq 1 -w /dev/full
  [ "$stderr" = "rstdiag-send: /dev/full: No space left on device" ]
  run -4 --separate-stderr bash -c 'rstdiag-send -q --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 -w - >/dev/full'
  [ "$stderr" = "rstdiag-send: standard output: No space left on device" ]
  # Nor does a summary claim that it was written.
  run -4 --separate-stderr rstdiag-send "${from4[@]}" --seq 1 -w /dev/full
  [ "$stderr" = "rstdiag-send: /dev/full: No space left on device" ]
  run -4 --separate-stderr bash -c 'rstdiag-send --dry-run --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 >/dev/full'
  [ "$stderr" = "rstdiag-send: standard output: No space left on device" ]
  run -4 --separate-stderr rstdiag-send -q "${from4[@]}" --seq 1 -w /nowhere/x
  [ "$stderr" = "rstdiag-send: /nowhere/x: No such file or directory" ]
  run -4 --separate-stderr rstdiag-send --payload-only --code 5 -o /nowhere/x
  [ "$stderr" = "rstdiag-send: /nowhere/x: No such file or directory" ]
}

@test "endless output ends when its reader leaves, whatever SIGPIPE does" {
  for ignore in '' 'trap "" PIPE;'; do
    run -0 --separate-stderr timeout 20 bash -c "$ignore rstdiag-send --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 --dry-run -c 1000000000 2>err | head -n 1"
    [[ "$output" == *"192.0.2.1.1 > 192.0.2.2.2"* ]]
    run -0 --separate-stderr timeout 20 bash -c "$ignore rstdiag-send --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 -w - -c 1000000000 2>err | rstdiag-sniff -q -t -r - -c 1"
    [ "$output" = "IP 192.0.2.1.1 > 192.0.2.2.2: [R] seq 1 ttl 64 len 0" ]
    ! grep -q 'Broken pipe' err
  done
}

@test "a slow stream of resets arrives one by one, and SIGTERM ends it" {
  mkfifo pipe
  rstdiag-send -q --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 -w pipe --rate 50 -c 100000 3>&- &
  run -0 timeout 10 rstdiag-sniff -q -t -r pipe -c 3
  [ "${#lines[@]}" -eq 3 ]
  wait $! || [ $? -eq 141 ]
  rstdiag-send --dry-run --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 --rate 50 -c 100000 >out 2>err 3>&- &
  local how=0 pid=$!
  wait_until grep -q 192.0.2.1 out
  kill -TERM "$pid"
  wait "$pid" || how=$?
  [ "$how" -eq 143 ]
  grep -Eq '^rstdiag-send: [0-9]+ resets? shown, nothing sent' err
}

@test "--rate spaces what is crafted" {
  run -0 --separate-stderr rstdiag-send --dry-run --json --src 192.0.2.1:1 --dst 192.0.2.2:2 --seq 1 --rate 20 -c 4
  # Three pauses of 50 ms, whatever else the machine does.
  [ "$(jq -s '[.[] | select(.ts) | .ts[17:26] | tonumber] | .[-1] - .[0] |
    (if . < 0 then . + 60 else . end) >= 0.14' <<<"$output")" = true ]
}

@test "without rights to raw sockets the reason is named" {
  run -4 --separate-stderr without_raw rstdiag-send "${from4[@]}" --seq 1
  [ "$stderr" = "rstdiag-send: raw socket: Operation not permitted (needs CAP_NET_RAW)" ]
}
