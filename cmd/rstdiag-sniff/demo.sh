# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016
# Demo steps, sourced by bootstrap. rstdiag-send shows the pair; here is what
# the sniffer does alone.

heading "rstdiag-sniff: why did that connection break?"

tell "The payload was CBOR once, and an array with names before that. All are read:"
for format in compact cbor-seq cbor-array; do
  rstdiag-send -q --src 198.51.100.20:443 --dst 192.0.2.10:50000 --seq 1000 \
    --ack 2000 --code 5 --format "$format" --write "$WK_DEMO/$format.pcap"
  show "rstdiag-sniff -q -t -r \$WK_DEMO/$format.pcap"
done

tell "The tables of codes changed over time; pick the one the sender used:"
show 'rstdiag-sniff -q -t --registry ietf-00 -r $WK_DEMO/compact.pcap'

tell "One JSON object per reset, for scripts:"
show 'rstdiag-sniff -q -j -r $WK_DEMO/compact.pcap | jq -c "select(.event == \"rst\") | [.src, .code, .code_name]"'
