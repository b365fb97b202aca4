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
