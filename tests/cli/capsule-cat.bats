#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load tool

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  data=$WK_SOURCE/tests/data/capsule
}

# Hexadecimal words to octets.
octets() {
  local all
  printf -v all %s "$@"
  # shellcheck disable=SC2059 # the octets are the format
  printf "${all//??/\\x&}"
}

# The octets of the named vectors in this order, or of all.
vectors() {
  octets "$(awk -F '\t' -v names="$*" '
    { octets[$1] = $2; all = all $2 }
    END {
      n = split(names, name, " ")
      for (i = 1; i <= n; i++) printf "%s", octets[name[i]]
      if (n == 0) print all
    }' "$data/vectors.tsv")"
}

# One octet per read.
dribble() {
  python3 "$WK_SOURCE/tests/peers/dribble.py" "$@"
}

# --- decoding -----------------------------------------------------------------

@test "each vector is shown with its type and its fields" {
  local name in type fields line got names=()
  while IFS=$'\t' read -r name in type fields; do
    octets "$in" >"$name"
    names+=("$name")
  done <"$data/vectors.tsv"
  run -0 --separate-stderr capsule-cat -v --no-context "${names[@]}"
  [ "${#lines[@]}" -eq "${#names[@]}" ]
  while IFS=$'\t' read -r name in type fields; do
    line=$(grep "^$name: " <<<"$output")
    [ "$type" = - ] || [[ "$line" == *" $type "* ]]
    # Everything behind the header.
    got=$(sed -E 's/^[^:]+: offset 0 type 0x[0-9a-f]+( [A-Z0-9_]+)?( \([a-z][^)]*\))? length [0-9]+( \((type|length) on [0-9] octets\))* ?//' <<<"$line")
    [ "$got" = "$fields" ] || { echo "$line"; return 1; }
  done <"$data/vectors.tsv"
}

@test "a line says where, what type, how long, and what is unusual" {
  vectors V1 V2 V3 V6 V7 V19 V22 V23 V31 >some.bin
  octets 1800 >>some.bin
  run -0 --separate-stderr capsule-cat some.bin
  [ "${lines[0]}" = 'offset 0 type 0x0 DATAGRAM length 6 context_id 0 payload 68656c6c6f "hello"' ]
  [ "${lines[1]}" = 'offset 8 type 0x0 DATAGRAM length 0 payload none' ]
  [ "${lines[2]}" = 'offset 10 type 0x0 DATAGRAM length 1 context_id 0 payload none' ]
  [ "${lines[3]}" = 'offset 13 type 0x0 DATAGRAM length 3 (type on 2 octets) (length on 4 octets) context_id 0 payload 6869 "hi"' ]
  [ "${lines[4]}" = 'offset 22 type 0x17 (grease) length 3 value 78797a' ]
  [ "${lines[5]}" = 'offset 27 type 0x0 DATAGRAM length 11 context_id 2 payload 04c000022ac350616263' ]
  [ "${lines[6]}" = 'offset 40 type 0x190b4d3c WT_STREAM (webtrans-http2-15) length 5 stream_id 4 data 64617461' ]
  [ "${lines[7]}" = 'offset 50 type 0x190b4d3b WT_STREAM_FIN (webtrans-http2-15) length 4 stream_id 4 data 656e64' ]
  [ "${lines[8]}" = 'offset 59 type 0xff37a5 DATAGRAM (legacy, h3-datagram-08) length 6 context_id 0 payload 68656c6c6f "hello"' ]
  [ "${lines[9]}" = 'offset 70 type 0x18 (unknown) length 0 value none' ]
  [ "${#lines[@]}" -eq 10 ]
  [ -z "$stderr" ]
}

@test "the draft decides which WT_STREAM ends its stream" {
  vectors V22 V23 >streams.bin
  run -0 capsule-cat --wt-draft 14 streams.bin
  [[ "${lines[0]}" == *" 0x190b4d3c WT_STREAM_FIN (webtrans-http2-05 to -14) "* ]]
  [[ "${lines[1]}" == *" 0x190b4d3b WT_STREAM (webtrans-http2-05 to -14) "* ]]
  run -0 capsule-cat --wt-draft 14 --type WT_STREAM_FIN --json streams.bin
  [ "$(jq -c '[.type_code, .type_name, .fin, .reading]' <<<"$output")" = \
    '["0x190b4d3c","WT_STREAM_FIN",true,"webtrans-http2-05 to -14"]' ]
  run -0 capsule-cat -j streams.bin
  [ "$(jq -c '[.type_name, .fin]' <<<"$output")" = $'["WT_STREAM",false]\n["WT_STREAM_FIN",true]' ]
}

@test "JSON has the same facts, exactly" {
  vectors >all.bin
  run -0 --separate-stderr capsule-cat -j all.bin
  [ "$(jq -r 'keys_unsorted[0] + .event' <<<"$output" | sort -u)" = eventcapsule ]
  [ "$(jq -s length <<<"$output")" -eq "$(wc -l <"$data/vectors.tsv")" ]
  [ "$(jq -r 'select(.valid == false)' <<<"$output")" = "" ]
  [ "$(jq -c 'select(.offset == 25) | [.type, .type_code, .type_name, .document, .type_octets, .length, .length_octets, .valid, .fields, .value_hex]' <<<"$output")" = \
    '[0,"0x0","DATAGRAM","RFC 9297 3.5",2,3,4,true,{"context_id":0,"payload_hex":"6869"},"006869"]' ]
  [ "$(jq -c 'select(.type_code == "0x17") | [.grease, .type_name, .fields, .value_hex]' <<<"$output" | head -n 1)" = '[true,null,null,"78797a"]' ]
  [ "$(jq -c 'select(.type_name == "ADDRESS_ASSIGN") | .fields.addresses[1]' <<<"$output" | head -n 1)" = \
    '{"request_id":0,"ip_version":6,"address":"2001:db8::","prefix_length":64}' ]
  [ "$(jq -c 'select(.type_name == "WT_CLOSE_SESSION") | .fields' <<<"$output" | head -n 1)" = '{"error_code":4660,"message":"bye"}' ]
  [ "$(jq -c 'select(.legacy and .type_code == "0xff37a0") | .fields' <<<"$output" | head -n 1)" = '{"context_id":0,"payload_hex":"68656c6c6f"}' ]
}

@test "62 bits are exact" {
  octets ffffffffffffffff09ffffffffffffffff00 >big.bin
  run -0 capsule-cat big.bin
  [ "$output" = 'offset 0 type 0x3fffffffffffffff (unknown) length 9 value ffffffffffffffff00' ]
  octets 0009ffffffffffffffff00 >>big.bin
  run -0 capsule-cat -j big.bin
  [[ "${lines[0]}" == *'"type":4611686018427387903,"type_str":"4611686018427387903","type_code":"0x3fffffffffffffff"'* ]]
  [[ "${lines[1]}" == *'"context_id":4611686018427387903,"context_id_str":"4611686018427387903"'* ]]
  run -0 bash -c 'capsule-cat -j big.bin | jq -c . | capsule-cat -e -f ndjson | cmp - big.bin'
}

@test "without a context id the whole value is the payload" {
  vectors V4 V1 >two.bin
  run -0 capsule-cat --no-context two.bin
  [[ "${lines[0]}" == *' length 3 payload 026869' ]]
  run -0 capsule-cat --context 2 two.bin
  [ "$output" = 'offset 0 type 0x0 DATAGRAM length 3 context_id 2 payload 6869 "hi"' ]
  run -0 capsule-cat -j --context 0 two.bin
  [ "$(jq -c '[.offset, .fields.context_id]' <<<"$output")" = '[5,0]' ]
}

@test "what a peer sent acts on no terminal" {
  octets 000800 1b5b324a c29b41 6843 0a 00000000 1b e280ae 0d0a >hostile.bin
  run -0 capsule-cat hostile.bin
  [ "${lines[0]}" = 'offset 0 type 0x0 DATAGRAM length 8 context_id 0 payload 1b5b324ac29b41' ]
  [[ "${lines[1]}" == *' message "\x1b\u{202e}\r\n"' ]]
  [ "${#lines[@]}" -eq 2 ]
  cp hostile.bin $'esc\033[2J'
  run -0 capsule-cat hostile.bin $'esc\033[2J'
  [[ "$output" == *'esc\x1b[2J: offset 0 '* ]] && [[ "$output" != *$'\033'* ]]
}

@test "long octets are cut in text, with -v they are not" {
  { octets 0040c900; printf 'a%.0s' {1..200}; } >long.bin
  run -0 capsule-cat long.bin
  [[ "$output" == *"6161[truncated] \"$(printf 'a%.0s' {1..64})\"" ]]
  run -0 capsule-cat -v long.bin
  [[ "${lines[0]}" == *"6161 \"$(printf 'a%.0s' {1..200})\"" ]]
  run -0 capsule-cat -j long.bin
  [ "$(jq -r '.value_hex | length' <<<"$output")" -eq 402 ]
}

@test "types are chosen by name, number and kind" {
  vectors >all.bin
  count() { capsule-cat -q "$@" all.bin | wc -l; }
  [ "$(count --type DATAGRAM)" -eq "$(cut -f 2 "$data/vectors.tsv" | grep -cE '^(00|4000)')" ]
  [ "$(count --type datagram)" -eq "$(count --type 0x00)" ]
  [ "$(count --type 0 --type wrap_up)" -eq $(($(count --type 0) + $(count --type 0x272dda5e))) ]
  [ "$(count --type 0,WRAP_UP)" -eq "$(count --type 0 --type WRAP_UP)" ]
  [ "$(count --type grease)" -ge 3 ]
  [ "$(count --type '!grease')" -eq $(($(count) - $(count --type grease))) ]
  [ "$(count --type '!0' --type '!grease,!legacy')" -eq \
    $(($(count) - $(count --type 0,grease,legacy))) ]
  [ "$(count --type unknown --type '!grease')" -eq $(($(count --type unknown) - $(count --type grease))) ]
  run -2 --separate-stderr capsule-cat --type DATAGRAMM all.bin
  [ "$stderr" = 'capsule-cat: --type DATAGRAMM: no capsule type is named DATAGRAMM (see capsule-cat --help)' ]
  run -2 --separate-stderr capsule-cat --type 0,4611686018427387904 all.bin
  run -2 capsule-cat --type '' all.bin
}

@test "the known types are listed" {
  run -0 capsule-cat --list-types
  [[ "$output" == *$'\n0x1 ADDRESS_ASSIGN (RFC 9484 4.7.1)\n'* ]]
  [[ "$output" == *$'\n0xff37a5 DATAGRAM (h3-datagram-08) legacy\n'* ]]
  [[ "$output" == *$'\n0x190b4d3e WT_MAX_STREAM_DATA (webtrans-http2-15) not_h3\n'* ]]
  all=${#lines[@]}
  run -0 capsule-cat --list-types --type '!legacy'
  [ "${#lines[@]}" -lt "$all" ] && [[ "$output" != *legacy* ]]
  run -0 capsule-cat --list-types -j --type WRAP_UP
  [ "$output" = '{"event":"type","type":657316446,"type_code":"0x272dda5e","type_name":"WRAP_UP","document":"httpbis-wrap-up-01","provisional":true}' ]
}

@test "several files are several streams, and each record says which" {
  vectors V1 >a
  vectors V17 | head -c 2 >b
  vectors V17 >c
  run -5 --separate-stderr capsule-cat a b - c no-such-file <a
  [ "${lines[0]}" = 'a: offset 0 type 0x0 DATAGRAM length 6 context_id 0 payload 68656c6c6f "hello"' ]
  [ "${lines[1]}" = 'b: offset 0 type 0x12 COMPRESSION_ACK length 1 [truncated]' ]
  [[ "${lines[2]}" == 'standard input: offset 0 '* ]]
  [[ "${lines[3]}" == 'c: offset 0 type 0x12 '* ]]
  [[ "$stderr" == *'capsule-cat: b: byte 2: stream ends inside a capsule value (type 0x12, 0 of 1 octets)'* ]]
  [[ "$stderr" == *'capsule-cat: no-such-file: No such file or directory' ]]
  run -4 capsule-cat no-such-file b
  run -0 capsule-cat -j a c
  [ "$(jq -r .file <<<"$output")" = $'a\nc' ]
}

# --- incomplete and malformed input -------------------------------------------

@test "exit code 5 where the stream ends inside a capsule, 0 between two" {
  run -0 --separate-stderr capsule-cat </dev/null
  [ -z "$output$stderr" ]
  for in in 00 0006 00060068 4000 80; do
    octets "$in" >cut.bin
    run -5 --separate-stderr capsule-cat cut.bin
    [[ "$stderr" == "capsule-cat: cut.bin: byte $((${#in} / 2)): stream ends inside a capsule "* ]]
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
  done
}

@test "what came before the end is shown, the last one as far as it came" {
  vectors V1 V10 | head -c 30 >cut.bin
  run -5 --separate-stderr capsule-cat cut.bin
  [[ "${lines[0]}" == *'"hello"' ]]
  [ "${lines[1]}" = 'offset 8 type 0x1 ADDRESS_ASSIGN length 26 addresses [{request_id 1 ip_version 4 address 192.0.2.11 prefix_length 32} {request_id 0 ip_version 6 [truncated]' ]
  run -5 --separate-stderr capsule-cat -j cut.bin
  [ "$(jq -c '[.event, .truncated, .valid, (.value_hex | length)]' <<<"${lines[1]}")" = '["capsule",true,true,40]' ]
  [ "$(jq -r .message <<<"${lines[2]}")" = 'cut.bin: byte 30: stream ends inside a capsule value (type 0x1, 20 of 26 octets)' ]
  run -5 --separate-stderr capsule-cat -j --raw cut.bin
  [ "$(jq -c '[.truncated, .value_hex]' <<<"${lines[1]}")" = '[true,"0104c000020b20000620010db800000000000000"]' ]
  run -5 --separate-stderr capsule-cat --raw cut.bin
  [ "${lines[1]}" = 'offset 8 type 0x1 ADDRESS_ASSIGN length 26 value 0104c000020b20000620010db800000000000000[truncated]' ]
  run -5 --separate-stderr capsule-cat --payload -f hex cut.bin
  [ "${lines[1]}" = 0104c000020b20000620010db800000000000000 ]
}

@test "a malformed value is marked, with --strict it is the last" {
  local name in at why files=() told valid header type n=0
  while IFS=$'\t' read -r name in at why; do
    { octets "$in"; vectors V1; } >"$name"
    files+=("$name")
  done < <(table "$data/malformed.tsv")
  run -0 --separate-stderr capsule-cat "${files[@]}"
  [ "${#lines[@]}" -eq "$((2 * ${#files[@]}))" ] && [ -z "$stderr" ]
  for name in "${files[@]}"; do
    [[ "${lines[n]}" == "$name: "*"(malformed: "* ]] && [[ "${lines[n + 1]}" == "$name: "*'"hello"' ]] ||
      { printf '%s\n' "${lines[n]}" "${lines[n + 1]}"; return 1; }
    n=$((n + 2))
  done
  capsule-cat --lenient -j "${files[@]}" >records
  jq -r 'select(.offset == 0) |
    [.file, .valid, .malformed_offset, .malformed, .type_octets + .length_octets, .type_name] | @tsv' records >told
  exec 7<told
  while IFS=$'\t' read -r name in at why; do
    IFS=$'\t' read -r told valid header <&7
    [[ "$told $valid $header" == "$name false $at"$'\t'"$why"$'\t'* ]] || { echo "$told $valid $header"; return 1; }
    type=${header##*$'\t'} header=${header%$'\t'*} header=${header##*$'\t'}
    run -5 --separate-stderr capsule-cat --strict "$name"
    [ "${#lines[@]}" -eq 1 ]
    [ "$stderr" = "capsule-cat: $name: byte $((header + at)): malformed $type: $why" ]
  done < <(table "$data/malformed.tsv")
  exec 7<&-
  cp "${files[-1]}" bad.bin
  run -5 --separate-stderr capsule-cat --strict --payload -f hex bad.bin
  [[ "$output" != *68656c6c6f* ]]
  # What is not wanted is not judged either.
  run -0 --separate-stderr capsule-cat --strict --type DATAGRAM bad.bin
}

@test "no vector is malformed" {
  vectors >all.bin
  run -0 --separate-stderr capsule-cat --strict all.bin
  [ -z "$stderr" ]
  run -0 --separate-stderr capsule-cat --strict --no-context all.bin
}

@test "a datagram that ends in its context id" {
  octets 000140 0002026a >cut.bin
  run -0 --separate-stderr capsule-cat cut.bin
  [ "${lines[0]}" = 'offset 0 type 0x0 DATAGRAM length 1 payload 40 (malformed: value ends inside context_id)' ]
  run -5 --separate-stderr capsule-cat --strict cut.bin
  [ "$stderr" = 'capsule-cat: cut.bin: byte 3: malformed DATAGRAM: value ends inside context_id' ]
  run -0 --separate-stderr capsule-cat --strict --no-context cut.bin
  run -0 --separate-stderr capsule-cat --payload -f hex cut.bin
  [ "$output" = 6a ]
  [ "$stderr" = 'capsule-cat: warning: cut.bin: byte 0: datagram ends inside its context id, left out' ]
}

# --- any pieces, any length ---------------------------------------------------

@test "input octet by octet gives the same output" {
  vectors >all.bin
  for options in '' '-j' '--raw' '-j --raw' '--payload' '--payload -f varint' '--payload -f ndjson' '--strict'; do
    # shellcheck disable=SC2086 # a list of options
    capsule-cat $options all.bin >whole
    # shellcheck disable=SC2086
    dribble <all.bin | capsule-cat $options >pieces
    cmp whole pieces
  done
}

@test "each capsule is shown as soon as it is complete" {
  mkfifo in
  capsule-cat <in >out 3>&- &
  exec 5>in
  octets 0006006865 >&5
  octets 6c6c6f >&5
  wait_until grep -q hello out
  [ "$(wc -l <out)" -eq 1 ]
  exec 5>&-
  wait $!
}

@test "values of any length pass, and memory does not grow" {
  high_water() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
  for options in '' '-j' '--raw' '-j --raw' '--payload -f hex' '--strict'; do
    rm -f in
    mkfifo in
    # shellcheck disable=SC2086 # a list of options
    capsule-cat $options <in >out 3>&- &
    pid=$!
    exec 5>in
    # One as large as is held, so that all that is needed is there.
    { octets 1880010000; head -c 65536 /dev/zero; vectors V1; } >&5
    wait_until grep -q 68656c6c6f out
    before=$(high_water "$pid")
    { octets 1880100000; head -c 1048576 /dev/zero; } >&5
    { octets 40188400 0000; head -c 67108864 /dev/zero; octets 0006026a6b6c6d6e; } >&5
    wait_until grep -q 6a6b6c6d6e out
    after=$(high_water "$pid")
    exec 5>&-
    wait "$pid"
    [ $((after - before)) -lt 8192 ] || { echo "$options: $before to $after KiB"; return 1; }
  done
}

@test "the longest length allocates nothing" {
  { octets c000000000000000 ffffffffffffffff; head -c 1000000 /dev/zero; } >endless.bin
  run -5 --separate-stderr bash -c 'ulimit -t 20; capsule-cat endless.bin'
  [[ "$output" == 'offset 0 type 0x0 DATAGRAM length 4611686018427387903 (type on 8 octets) context_id 0 payload 00'*'[truncated]'* ]]
  [ "$stderr" = 'capsule-cat: endless.bin: byte 1000016: stream ends inside a capsule value (type 0x0, 1000000 of 4611686018427387903 octets)' ]
  run -0 --separate-stderr bash -c 'capsule-cat --payload endless.bin 2>/dev/null | wc -c'
  [ "$output" -eq 999999 ]
}

@test "--max-value says how much of a value is looked at" {
  vectors V10 V1 >two.bin
  run -0 --separate-stderr capsule-cat --max-value 8 two.bin
  [ "${lines[0]}" = 'offset 0 type 0x1 ADDRESS_ASSIGN length 26 addresses [{request_id 1 ip_version 4 address 192.0.2.11 prefix_length 32} {request_id 0 [truncated]' ]
  [[ "${lines[1]}" == *'"hello"' ]]
  run -0 capsule-cat -j --max-value 8 two.bin
  [ "$(jq -c '[.truncated, .value_hex, .valid]' <<<"${lines[0]}")" = '[true,"0104c000020b2000",true]' ]
  run -0 capsule-cat -j --raw --max-value 8 two.bin
  [ "$(jq -c '[.truncated, (.value_hex | length)]' <<<"${lines[0]}")" = '[null,52]' ]
  run -2 capsule-cat --max-value 0 two.bin
}

# --- payloads -----------------------------------------------------------------

@test "payloads in each framing" {
  vectors V1 V3 V4 V7 >some.bin
  run -0 bash -c 'capsule-cat --payload some.bin | od -An -c | tr -d " "'
  [ "$output" = hellohixyz ]
  run -0 capsule-cat --payload -f line some.bin
  [ "$output" = $'hello\n\nhi\nxyz' ]
  run -0 capsule-cat --payload -f hex some.bin
  [ "$output" = $'68656c6c6f\n\n6869\n78797a' ]
  [ "$(capsule-cat --payload -f u16 some.bin | hex)" = 000568656c6c6f000000026869000378797a ]
  [ "$(capsule-cat --payload -f varint some.bin | hex)" = 0568656c6c6f000268690378797a ]
  run -0 capsule-cat --payload -f ndjson some.bin
  [ "${lines[2]}" = '{"event":"datagram","context_id":2,"length":2,"payload_hex":"6869"}' ]
  [ "${lines[3]}" = '{"event":"datagram","length":3,"payload_hex":"78797a"}' ]
  [ "$(capsule-cat --payload --no-context some.bin | hex)" = 0068656c6c6f0002686978797a ]
  [ "$(capsule-cat --payload --context 2 some.bin)" = hi ]
  [ "$(capsule-cat --payload --type grease some.bin)" = xyz ]
}

@test "a payload that its framing cannot tell" {
  { octets 0080010001 00; head -c 65536 /dev/zero; vectors V1; } >long.bin
  run -5 --separate-stderr capsule-cat --payload -f u16 -o out long.bin
  [ "$stderr" = 'capsule-cat: long.bin: byte 0: payload of 65536 octets, more than framing u16 can tell' ]
  [ ! -s out ]
  run -0 bash -c 'capsule-cat --payload -f varint long.bin | wc -c'
  [ "$output" -eq 65546 ]
}

# --- encoding -----------------------------------------------------------------

@test "decode and encode give the same octets: every vector" {
  local name in rest
  while IFS=$'\t' read -r name in rest; do
    octets "$in"
  done >all.bin < <(table "$data/vectors.tsv" "$data/malformed.tsv")
  capsule-cat -j all.bin | capsule-cat -e -f ndjson | cmp - all.bin
  capsule-cat -j --raw all.bin | capsule-cat -e -f ndjson | cmp - all.bin
  capsule-cat -j all.bin | dribble 7 | capsule-cat -e -f ndjson | cmp - all.bin
}

@test "decode and encode give the same octets: every capsule of the fuzz corpus" {
  local file size whole
  while read -r file; do
    tail -c +2 "$file" >in.bin
    capsule-cat -j --raw in.bin 2>/dev/null >records || :
    jq -c 'select(.event == "capsule" and (.truncated | not))' records | capsule-cat -e -f ndjson >out.bin
    # All of it, or up to where the last one is cut.
    size=$(stat -c %s out.bin)
    cmp -n "$size" out.bin in.bin
    whole=$(jq -s 'map(select(.event == "capsule" and (.truncated | not))) | last | if . == null then 0 else
      .offset + .type_octets + .length_octets + .length end' records)
    [ "$size" -eq "$whole" ]
  done < <(printf '%s\n' "$WK_SOURCE"/tests/fuzz/corpus/capsule/* | table)
}

@test "datagrams in each framing become capsules" {
  make() { capsule-cat -e "$@" | hex; }
  [ "$(printf 'hi\n\nx' | make)" = 000300686900010000020078 ]
  [ "$(printf '6869\n# no\n0x78\n' | make -f hex)" = 000300686900020078 ]
  [ "$(octets 000268690000000178 | make -f u16)" = 000300686900010000020078 ]
  [ "$(octets 026869000178 | make -f varint)" = 000300686900010000020078 ]
  [ "$(printf 'hi\nx' | make -f whole)" = 00050068690a78 ]
  [ "$(printf '' | make -f whole)" = 000100 ]
  [ "$(printf '{"payload":"hi"}\n{"payload_b64":"eA==","context_id":5}\n' | make -f ndjson)" = 000300686900020578 ]
  printf abcdefg >seven
  [ "$(make -f raw --block-size 3 seven)" = 00040061626300040064656600020067 ]
  [ "$(make -f raw seven)" = 00080061626364656667 ]
  [ "$(printf 'hi\n' | make --context 16384)" = 0006800040006869 ]
  [ "$(printf 'hi\n' | make --no-context)" = 00026869 ]
  [ "$(printf 'hi\n' | make --type 0x18)" = 18026869 ]
  [ "$(printf 'hi\n' | make --type data)" = a028d7f2026869 ]
  [ "$(make seven seven)" = 0008006162636465666700080061626364656667 ]
}

@test "records by hand" {
  make() { printf '%s\n' "$1" | capsule-cat -e -f ndjson | hex; }
  [ "$(make '{"type":23,"value":"xyz"}')" = 170378797a ]
  [ "$(make '{"type_name":"WRAP_UP","value":""}')" = a72dda5e00 ]
  [ "$(make '{"type":0,"type_octets":2,"length_octets":4,"value_hex":"00 68 69"}')" = 400080000003006869 ]
  [ "$(make '{"type":1,"type_str":"4611686018427387903","value_b64":"AA=="}')" = ffffffffffffffff0100 ]
  [ "$(make '{"event":"error","message":"x"}')" = "" ]
  run -5 --separate-stderr capsule-cat -e -f ndjson -o out <<'EOT'
{"value":"","type":0,
{"type_name":"WRAPUP","value":""}
{"type":4611686018427387904,"value":""}
{"type":64,"type_octets":1,"value":""}
{"type":0,"type_octets":3,"value":""}
{"type":0,"length":2,"value":"abc"}
{"type":0,"truncated":true,"value":"abc"}
{"type":0}
{"type":24,"value":"ok"}
EOT
  [ "$(hex <out)" = 18026f6b ]
  [ "$stderr" = "capsule-cat: standard input: line 1: not JSON: string or '}' expected
capsule-cat: standard input: line 2: type_name: no capsule type has that name
capsule-cat: standard input: line 3: type: expected a whole number from 0 to 4611686018427387903
capsule-cat: standard input: line 4: type or length does not fit its octets
capsule-cat: standard input: line 5: type_octets: expected 1, 2, 4 or 8
capsule-cat: standard input: line 6: length is 2, but the value has 3 octets
capsule-cat: standard input: line 7: the value is truncated; decode it with --raw
capsule-cat: standard input: line 8: no value_hex, value_b64, value, payload_hex, payload_b64 or payload" ]
}

@test "what cannot be made is left out, with --strict it is the last" {
  printf '6869\n6\n78\n' >hex
  run -5 --separate-stderr capsule-cat -e -f hex -o out hex
  [ "$stderr" = 'capsule-cat: hex: line 2: character 1: half an octet, expected two hexadecimal digits' ]
  [ "$(hex <out)" = 000300686900020078 ]
  run -5 --separate-stderr capsule-cat -e --strict -f hex -o out hex hex
  [ "$(hex <out)" = 0003006869 ]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
  octets 0001780004 >u16
  run -5 --separate-stderr capsule-cat -e -f u16 -o out u16
  [ "$stderr" = 'capsule-cat: u16: byte 5: input ends inside a datagram, 4 octets are missing' ]
  [ "$(hex <out)" = 00020078 ]
  printf 'abc\nabcd\n' >lines
  run -5 --separate-stderr capsule-cat -e --max-value 3 -o out lines
  [ "$stderr" = 'capsule-cat: lines: line 2: datagram of more than 3 octets' ]
  [ "$(hex <out)" = 000400616263 ]
  # Values are looked at when asked.
  printf '00\n04\n' | capsule-cat -e -f hex --type COMPRESSION_ACK | cmp - <(octets 120100120104)
  run -5 --separate-stderr bash -c 'printf "04\n00\n04\n" | capsule-cat -e --strict -f hex --type COMPRESSION_ACK -o out'
  [ "$stderr" = 'capsule-cat: standard input: line 2: malformed COMPRESSION_ACK: octet 0 of the value: context_id must not be 0' ]
  [ "$(hex <out)" = 120104 ]
}

@test "grease comes now and then, and can be taken out again" {
  seq 1000 >numbers
  capsule-cat -e --grease numbers >greased
  run -0 capsule-cat --payload --type '!grease' -f line greased
  [ "$output" = "$(cat numbers)" ]
  n=$(capsule-cat --type grease greased | wc -l)
  [ "$n" -gt 62 ] && [ "$n" -lt 500 ]
  [[ "$(capsule-cat greased | head -n 1)" == *'(grease)'* ]]
  [ "$(capsule-cat -j --type grease greased | jq .type_octets | sort -u | wc -l)" -ge 3 ]
  run ! cmp -s greased <(capsule-cat -e --grease numbers)
}

@test "lines come back as they were" {
  printf 'one\n\ntwo\0\377\nlast\n' >lines
  capsule-cat -e lines | capsule-cat --payload -f line | cmp - lines
  capsule-cat -e -f whole lines | capsule-cat --payload | cmp - lines
  head -c 300000 /dev/urandom >random
  capsule-cat -e -f raw random | capsule-cat --payload | cmp - random
  capsule-cat -e -f whole random random | capsule-cat --payload | cmp - <(cat random random)
  capsule-cat -e -f raw random | capsule-cat --payload -f u16 | capsule-cat -e -f u16 |
    cmp - <(capsule-cat -e -f raw random)
  capsule-cat -e -f raw random | capsule-cat --payload -f ndjson | capsule-cat -e -f ndjson |
    cmp - <(capsule-cat -e -f raw random)
}

@test "bulk through pipes comes out whole, however the ends are" {
  head -c 3000000 /dev/urandom >random
  cat random | capsule-cat -e -f raw | capsule-cat --payload | cmp - random
  cat random | capsule-cat -e -f raw | cat >capsules
  cat capsules | capsule-cat --payload -f u16 | dribble 65537 | capsule-cat -e -f u16 | cmp - capsules
  capsule-cat -j --raw capsules | cat | capsule-cat -e -f ndjson | cmp - capsules
}

@test "lines become capsules as they come" {
  mkfifo in
  capsule-cat -e <in >out 3>&- &
  exec 5>in
  echo hi >&5
  wait_until test -s out
  [ "$(hex <out)" = 0003006869 ]
  exec 5>&-
  wait $!
}

# --- as every tool ------------------------------------------------------------

@test "conflicts and typing errors are one sentence, exit code 2" {
  check() {
    local want=$1
    shift
    run -2 --separate-stderr capsule-cat "$@" </dev/null
    [ "$stderr" = "capsule-cat: $want (see capsule-cat --help)" ] || { echo "$stderr"; return 1; }
    [ -z "$output" ]
  }
  check '--strict and --lenient exclude each other' --strict --lenient
  check '--context and --no-context exclude each other' --context 0 --no-context
  check '--raw looks at no values, so there is nothing to be --strict about' --raw --strict
  check '--raw looks at no values, so it knows no --context' --raw --context 1
  check '--payload and --raw exclude each other' --raw --payload
  check '--raw and --payload are not for -e' -e --raw
  check '--raw and --payload are not for -e' -e --payload
  check '--framing needs -e or --payload' -f hex
  check '--grease needs -e or --datagrams' --grease
  check '--block-size needs raw input' -e --block-size 5
  check '-e and --list-types exclude each other' -e --list-types
  check '--list-types reads no files' --list-types x
  check '-e makes one --type' -e --type 0 --type 1
  check '--type !0: no capsule type is named !0' -e --type '!0'
  check 'only datagrams have a --context' -e --type 24 --context 1
  check 'a URL is the only operand' https://example.org/ file
  check '--listen has no operands' -l 1 file
  check 'unknown option --playload; did you mean --payload?' --playload
  check '--framing xml: expected line, raw, whole, hex, u16, varint or ndjson' -e -f xml
  run -2 --separate-stderr capsule-cat --payload -j
  [[ "$stderr" == 'capsule-cat: --payload is no JSON; --framing ndjson is'* ]]
  run -2 --separate-stderr capsule-cat -e -j
  [[ "$stderr" == 'capsule-cat: -e writes capsules; to read JSON give --framing ndjson'* ]]
}

@test "binary is not written to a terminal, unless asked for" {
  vectors V1 >one.bin
  run -2 script -qec 'capsule-cat --payload one.bin' /dev/null
  [[ "$output" == *'standard output is a terminal, and what would be written is binary'* ]]
  run -2 script -qec 'capsule-cat -e one.bin' /dev/null
  run -0 script -qec 'capsule-cat --payload -o - one.bin' /dev/null
  [ "$output" = hello ]
  octets 0004001b5b41 >hostile.bin
  run -0 script -qec 'capsule-cat --payload -f line hostile.bin' /dev/null
  [[ "$output" == '\x1b[A'* ]]
}

@test "a full disk and a closed stdout are errors" {
  vectors V1 >one.bin
  for options in '' '-j' '--payload' '-e' '-o /dev/full'; do
    run -4 --separate-stderr bash -c "capsule-cat $options one.bin >/dev/full"
    [[ "$stderr" == 'capsule-cat: '*': No space left on device' ]]
    [ "$options" = '-o /dev/full' ] || run -4 bash -c "capsule-cat $options one.bin >&-"
  done
  run -4 --separate-stderr capsule-cat -o no/such/folder one.bin
  [ "$stderr" = 'capsule-cat: no/such/folder: No such file or directory' ]
  run -4 --separate-stderr capsule-cat /
  [ "$stderr" = 'capsule-cat: /: Is a directory' ]
}

@test "endless input ends when the reader of the output leaves" {
  run -0 --separate-stderr timeout 300 bash -c 'cat /dev/zero | capsule-cat | head -n 1'
  [ "$output" = 'offset 0 type 0x0 DATAGRAM length 0 payload none' ]
  [ -z "$stderr" ]
  run -0 --separate-stderr timeout 300 bash -c 'trap "" PIPE; cat /dev/zero 2>/dev/null | capsule-cat -j | head -n 1'
  [ -z "$stderr" ]
  run -0 --separate-stderr timeout 300 bash -c 'trap "" PIPE; yes 2>/dev/null | capsule-cat -e | head -c 4 | wc -c'
  [ "$output" -eq 4 ] && [ -z "$stderr" ]
}

@test "it ends when the reader leaves and there is no more input, too" {
  mkfifo in
  exec 5<>in
  timeout 300 bash -c 'capsule-cat <in | head -n 1 >out' 3>&- &
  vectors V1 >&5
  wait $!
  grep -q hello out
  exec 5>&-
}

@test "SIGINT: what is known is written, and it dies by the signal" {
  mkfifo in
  env --default-signal=INT capsule-cat <in >out 2>err 3>&- &
  pid=$!
  exec 5>in
  vectors V1 >&5
  octets 000600 >&5
  wait_until grep -q hello out
  wait_until grep -q . "/proc/$pid/stat"
  kill -INT "$pid"
  rc=0
  wait "$pid" || rc=$?
  exec 5>&-
  [ "$rc" -eq 130 ]
  [ ! -s err ]
}

@test "the summary of -v" {
  vectors V1 V7 >two.bin
  run -0 --separate-stderr capsule-cat -v --type DATAGRAM two.bin
  [ "$stderr" = '* two.bin: 2 capsules, 1 shown, 13 octets' ]
}
